"""The fixtures of tests on the real Pulumi engine, and which of the tests are about the native provider too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fixtures.engine import *
from tests.support.fixtures.notify import *
from tests.support.harness import Stack
from tests.support.native_stack import NativeStack

THIS_FOLDER = Path(__file__).parent

IMPORTS = "Pulumi itself imports a native resource, with its own rules and words"
COMPLETED = "a native provider of the program's is not completed from the stack's config, as is Pulumi's way"
FUNCTIONS = "the functions have other names, and answer nothing if the provider is not known yet"

ONLY_DYNAMIC = {
    "test_import_takes_over_exactly_that_sid": IMPORTS,
    "test_what_is_not_the_one_declared_is_an_error": IMPORTS,
    "test_a_preview_without_credentials": IMPORTS,
    "test_left_in_after_the_number_is_gone_it_is_to_be_removed": IMPORTS,
    "test_both_engines_do_the_same[import_]": IMPORTS,
    "test_a_number_that_is_adopted_is_kept": IMPORTS,
    "test_the_stacks_config_completes_a_provider": COMPLETED,
    "test_the_code_then_the_outcome": COMPLETED,
    "test_the_first_way_needs_no_edit_and_is_taken_back_by_one_command": COMPLETED,
    "test_values_and_outputs_that_a_program_can_use": FUNCTIONS,
    "test_what_goes_wrong_is_one_message_at_preview": FUNCTIONS,
    "test_previews_need_credentials_too": FUNCTIONS,
    "test_a_misuse_is_one_message": "the native provider is refused by Pulumi's check of a provider",
    "test_a_verified_number_fails_preview_and_up_and_says_how_to_go_on": "its preview fails in Create, not in Check",
    "test_both_engines_do_the_same[adopt]": "its preview fails in Create, not in Check",
    "test_both_engines_do_the_same[awaiting]": "what depends on a number that awaits is previewed, which lists",
    "test_both_engines_do_the_same[another_account_in_the_config]": "the old provider still deletes its numbers",
    "test_each_new_or_replaced_number_has_one_line_and_the_others_have_none": "there is no pickled provider",
    "test_a_state_with_another_provider_reference_heals_without_a_call": "there is no pickled provider",
    "test_secrets_are_encrypted_whether_the_program_marks_them_or_not": "the properties have other names",
    "test_once_where_cancel_does_not_reach_us": "Cancel always reaches a native provider",
    "test_twice_where_cancel_does_not_reach_us": "Cancel always reaches a native provider",
}
"""Tests that are about the dynamic provider alone, and how the native one differs."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`--shell` says with which of the providers a test runs."""
    shell = metafunc.config.getoption("shell")
    is_free = not hasattr(metafunc.module, "stack_class")  # test_native.py has its own
    if shell != "dynamic" and is_free and "stack_class" in metafunc.fixturenames:
        classes = {"dynamic": Stack, "native": NativeStack}
        chosen = {shell: classes[shell]} if shell in classes else classes
        metafunc.parametrize("stack_class", chosen.values(), ids=chosen)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    shell = config.getoption("shell")

    def is_wanted(item: pytest.Item) -> bool:
        if item.path.parent != THIS_FOLDER or not isinstance(item, pytest.Function):
            return True
        given = item.callspec.params.get("stack_class") if hasattr(item, "callspec") else None
        if given is NativeStack:
            return not {item.originalname, item.name.replace("native-", "")} & ONLY_DYNAMIC.keys()
        return given is Stack or shell != "native"

    wanted = [item for item in items if is_wanted(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
    items[:] = wanted

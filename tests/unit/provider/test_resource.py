"""What the resource class makes of a program's options before the engine sees them; the rest is in the engine tests."""

from __future__ import annotations

import copy

import pulumi
import pytest

from pulumi_twilio_caller_id.resource import split_options

SID = "PN" + "1" * 32


@pytest.fixture
def preview(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)


def told(opts: pulumi.ResourceOptions | None) -> dict[str, object]:
    """What the provider is told: the SDK leaves out what is None."""
    return {name: value for name, value in split_options(opts)[0].items() if value is not None}


def test_import_is_a_property_for_the_provider_and_no_option_for_the_engine() -> None:
    """The program's own options stay as they are: it may use them for other resources."""
    opts = pulumi.ResourceOptions(import_=SID, protect=True, delete_before_replace=True)
    before = copy.copy(vars(opts))
    _, left = split_options(opts)

    assert {"__import": SID} == told(opts)
    assert left is not None
    assert {**before, "import_": None} == vars(left)
    assert before == vars(opts)


@pytest.mark.parametrize("opts", [None, pulumi.ResourceOptions(), pulumi.ResourceOptions(import_="")])
def test_without_options_the_provider_is_told_nothing_and_no_property_is_in_the_state(
    opts: pulumi.ResourceOptions | None,
) -> None:
    assert {} == told(opts)


def test_in_a_preview_the_provider_is_told_so_and_how_long_creation_may_take(preview: None) -> None:
    assert {"__dry_run": True} == told(None)
    assert {"__dry_run": True} == told(pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(update="1m")))
    eight_minutes = {"__dry_run": True, "__create_timeout": "8m"}
    assert eight_minutes == told(pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="8m")))

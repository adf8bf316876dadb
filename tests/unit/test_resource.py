"""What the resource class makes of a program's options before the engine sees them; the rest is in the engine tests."""

from __future__ import annotations

import copy

import pulumi
import pytest

from pulumi_twilio_caller_id.resource import split_options

SID = "PN" + "1" * 32


def test_import_is_a_property_for_the_provider_and_no_option_for_the_engine() -> None:
    """The program's own options stay as they are: it may use them for other resources."""
    opts = pulumi.ResourceOptions(import_=SID, protect=True, delete_before_replace=True)
    before = copy.copy(vars(opts))
    hints, left = split_options(opts)

    assert {"import_": SID, "delete_before_replace": True} == hints
    assert left is not None
    assert {**before, "import_": None} == vars(left)
    assert before == vars(opts)


@pytest.mark.parametrize("opts", [pulumi.ResourceOptions(), pulumi.ResourceOptions(import_="")])
def test_without_it_nothing_of_it_is_there(opts: pulumi.ResourceOptions) -> None:
    hints, left = split_options(opts)

    assert {None} == set(hints.values())
    assert left is not None
    assert left.import_ is None


def test_without_options() -> None:
    assert ({}, None) == split_options(None)

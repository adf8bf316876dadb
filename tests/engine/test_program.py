"""The project's own program: what it makes of the config `callerIds`."""

from __future__ import annotations

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import ROOT, Stack


@pytest.fixture
def own(stack: Stack) -> Stack:
    (stack.project / "__main__.py").write_text((ROOT / "__main__.py").read_text())
    return stack


def set_config(stack: Stack, path: str, *value: str) -> None:
    stack.pulumi("config", "set", "--path", f"callerIds.{path}", *value)


def test_an_entry_becomes_a_caller_id_and_its_sid_an_output(own: Stack, sandbox: Sandbox) -> None:
    set_config(own, "front-desk.phoneNumber", "--type", "string", "+14155550101")
    set_config(own, "front-desk.friendlyName", "Front desk")
    set_config(own, "front-desk.callDelay", "0")
    own.up()

    [record] = sandbox.caller_ids
    assert ("+14155550101", "Front desk") == (record.phone_number, record.friendly_name)
    assert {"front-desk": record.sid} == own.outputs()


def test_no_entries(own: Stack, sandbox: Sandbox) -> None:
    assert "No numbers yet: pulumi config set --path callerIds.desk.phoneNumber" in own.preview().output


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        pytest.param("desk", "7", "callerIds.desk is 7: it takes an object with phoneNumber", id="no object"),
        pytest.param("desk.name", "x", "it takes an object with phoneNumber", id="no number"),
        pytest.param("desk.phoneNumber", "+14155550101", "is the number 14155550101, which has lost", id="number"),
    ],
)
def test_an_entry_that_makes_no_sense_is_one_message(own: Stack, path: str, value: str, told: str) -> None:
    """The last is a trap of the config command: without --type string it stores a number."""
    set_config(own, path, value)
    output = own.preview(ok=False).output

    assert told in output
    assert "Traceback" not in output


def test_a_misspelled_key_names_those_there_are(own: Stack) -> None:
    set_config(own, "desk.phoneNumber", "--type", "string", "+14155550101")
    set_config(own, "desk.freindlyName", "x")

    output = own.preview(ok=False).output
    assert "callerIds.desk has freindlyName: the keys it takes are phoneNumber, friendlyName" in output

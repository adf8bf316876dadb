"""What is said where credentials are refused that an earlier run may have left in the state."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct

from pulumi_twilio_caller_id import lifecycle
from pulumi_twilio_caller_id.errors import CredentialsRefused
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.operations.stored_credentials import RUN_UP_FIRST
from pulumi_twilio_caller_id.testing import Sandbox

NUMBER = "+14155550101"
SUBACCOUNT = "AC" + "2" * 32
SID = "PN" + "1" * 32
URN = "urn:pulumi:test::caller-ids::T::desk"
NAMED = {"phone_number": NUMBER, "account_sid": SUBACCOUNT}
UNNAMED = {"phone_number": NUMBER}
REMOVED = (
    f"{SUBACCOUNT}: delete it in that account's Console. Then, in a terminal,\n"
    f"`pulumi state delete '{URN}'`; of two, pick the one that is pending deletion."
)


@pytest.fixture
def twilio_sandbox_options() -> dict[str, Any]:
    return {"subaccounts": [SUBACCOUNT]}


CONFIG = "the stack's config (twilio:accountSid, twilio:authToken)"


def advice(call: Callable[[], object], source: str = CONFIG, **sent: dict[str, str]) -> str:
    """What is said after the advice for any refused credentials. sent: inputs in state, as the engine sends them."""

    def servicer(request: object, context: object) -> None:
        call()

    structs: dict[str, Struct] = {name: Struct() for name in sent}
    for name, inputs in sent.items():
        structs[name].update(inputs)
    with pytest.raises(CredentialsRefused) as refused:
        servicer(SimpleNamespace(urn=URN, **structs), SimpleNamespace())
    told, check, *further = refused.value.todo.split("\n", 2)
    assert f"The credentials come from {source}." == told
    assert check.startswith("Check that they are current")
    return "".join(further)


@pytest.fixture
def rotated(provider: OutgoingCallerIdProvider, sandbox: Sandbox) -> OutgoingCallerIdProvider:
    """With a token that is the account's no more."""
    sandbox.set_auth_token("e" * 32)
    return provider


def test_of_a_number_in_the_account_itself(rotated: OutgoingCallerIdProvider, sandbox: Sandbox) -> None:
    state = {"sid": SID, "account_sid": sandbox.account_sid}

    assert RUN_UP_FIRST == advice(lambda: rotated.read(SID, state), inputs=UNNAMED)
    assert RUN_UP_FIRST == advice(lambda: rotated.delete(SID, state), old_inputs=UNNAMED)


def test_variables_of_the_environment_are_not_stored(
    rotated: OutgoingCallerIdProvider, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    lifecycle.reset()
    for name, value in (sandbox.environment | {"TWILIO_AUTH_TOKEN": "f" * 32}).items():
        monkeypatch.setenv(name, value)
    state = {"sid": SID, "account_sid": sandbox.account_sid}

    source = "the environment (TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN)"
    assert "" == advice(lambda: rotated.read(SID, state), source, inputs=UNNAMED)
    assert "" == advice(lambda: rotated.delete(SID, state), source, old_inputs=UNNAMED)


def test_of_a_number_in_a_subaccount(rotated: OutgoingCallerIdProvider, sandbox: Sandbox) -> None:
    """The parent's token was rotated, as far as one knows: no refresh says how to be rid of the number."""
    state = {"sid": SID, "account_sid": SUBACCOUNT}
    own = sandbox.account_sid
    unless = f"If {SUBACCOUNT} is no subaccount of {own}, whose credentials these are, then without those of"

    assert RUN_UP_FIRST == advice(lambda: rotated.read(SID, state), inputs=NAMED)
    assert f"{RUN_UP_FIRST}\n{unless}\n{REMOVED}" == advice(lambda: rotated.delete(SID, state), old_inputs=NAMED)


def test_of_a_number_in_what_was_the_stacks_account(rotated: OutgoingCallerIdProvider, sandbox: Sandbox) -> None:
    """The program names no account, so it is no subaccount."""
    state = {"sid": SID, "account_sid": SUBACCOUNT}
    whose = f"The caller ID is account {SUBACCOUNT}'s, the credentials are account {sandbox.account_sid}'s."

    assert f"{whose}\n{RUN_UP_FIRST}" == advice(lambda: rotated.read(SID, state), inputs=UNNAMED)
    assert f"{whose} Without those of\n{REMOVED}" == advice(lambda: rotated.delete(SID, state), old_inputs=UNNAMED)


def test_where_the_inputs_are_not_within_reach_it_may_be_either(
    rotated: OutgoingCallerIdProvider, sandbox: Sandbox
) -> None:
    state = {"sid": SID, "account_sid": SUBACCOUNT}

    assert RUN_UP_FIRST == advice(lambda: rotated.read(SID, state))
    assert advice(lambda: rotated.delete(SID, state)).startswith(f"{RUN_UP_FIRST}\nIf {SUBACCOUNT} is no subaccount")


@pytest.mark.parametrize("account", [{}, {"account_sid": SUBACCOUNT}], ids=["own account", "subaccount"])
def test_of_what_is_merely_read_nothing_more_is_said(
    rotated: OutgoingCallerIdProvider, account: dict[str, str]
) -> None:
    """`get` is run by the program, with the credentials of now."""
    assert "" == advice(lambda: rotated.read(SID, account))

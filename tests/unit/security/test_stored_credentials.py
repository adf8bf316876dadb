"""What is said where credentials are refused that an earlier run may have left in the state."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct

from pulumi_twilio_caller_id import lifecycle
from pulumi_twilio_caller_id.errors import CredentialsRefused
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.operations.stored_credentials import STORED_CREDENTIALS_ADVICE
from pulumi_twilio_caller_id.testing import Sandbox

NUMBER = "+14155550101"
SUBACCOUNT = "AC" + "2" * 32
SID = "PN" + "1" * 32
URN = "urn:pulumi:test::caller-ids::T::desk"
NAMED = {"phone_number": NUMBER, "account_sid": SUBACCOUNT}
UNNAMED = {"phone_number": NUMBER}
REMOVED = (
    f"If nobody has credentials of {SUBACCOUNT} any more, delete the caller ID in that account's Console, then run\n"
    f"`pulumi state delete {URN}`. If Pulumi offers two resources, pick the one pending deletion."
)


@pytest.fixture
def twilio_sandbox_options() -> dict[str, Any]:
    return {"subaccounts": [SUBACCOUNT]}


CONFIG = "the stack's config (twilio:accountSid, twilio:authToken)"


def advice(call: Callable[[], object], source: str = CONFIG, urn: str = URN, **sent: dict[str, str]) -> str:
    """What is said after the advice for any refused credentials. sent: inputs in state, as the engine sends them."""

    def servicer(request: object, context: object) -> None:
        call()

    structs: dict[str, Struct] = {name: Struct() for name in sent}
    for name, inputs in sent.items():
        structs[name].update(inputs)
    with pytest.raises(CredentialsRefused) as refused:
        servicer(SimpleNamespace(urn=urn, **structs), SimpleNamespace())
    told, sent_to, check, *further = refused.value.todo.split("\n", 3)
    assert f"The credentials come from {source}." == told
    assert sent_to.endswith(", not to Twilio.")
    assert check.startswith(("Check that they are current, and", "A sandbox accepts only its own: use a stack without"))
    return "".join(further)


@pytest.fixture
def rotated(provider: OutgoingCallerIdProvider, sandbox: Sandbox) -> OutgoingCallerIdProvider:
    """With a token that is the account's no more."""
    sandbox.set_auth_token("e" * 32)
    return provider


def test_of_a_number_in_the_account_itself(rotated: OutgoingCallerIdProvider, sandbox: Sandbox) -> None:
    state = {"sid": SID, "account_sid": sandbox.account_sid}

    assert STORED_CREDENTIALS_ADVICE == advice(lambda: rotated.read(SID, state), inputs=UNNAMED)
    assert STORED_CREDENTIALS_ADVICE == advice(lambda: rotated.delete(SID, state), old_inputs=UNNAMED)


def test_the_refusal_is_not_its_own_cause(rotated: OutgoingCallerIdProvider, sandbox: Sandbox) -> None:
    """Whoever follows the causes of an error, as loggers do, has to come to an end."""
    with pytest.raises(CredentialsRefused) as refused:
        rotated.read(SID, {"sid": SID, "account_sid": sandbox.account_sid})
    assert refused.value is not refused.value.__cause__


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


@pytest.mark.parametrize("inputs", [{"inputs": NAMED}, {"inputs": UNNAMED}, {}], ids=["named", "not named", "unknown"])
def test_of_a_number_in_another_account(
    rotated: OutgoingCallerIdProvider, sandbox: Sandbox, inputs: dict[str, dict[str, str]]
) -> None:
    """The account may be a subaccount, or the one that the stack had before. A refresh never says how to delete."""
    state = {"sid": SID, "account_sid": SUBACCOUNT}
    old_inputs = {f"old_{name}": value for name, value in inputs.items()}

    assert STORED_CREDENTIALS_ADVICE == advice(lambda: rotated.read(SID, state), CONFIG, URN, **inputs)
    assert f"{STORED_CREDENTIALS_ADVICE}\n{REMOVED}" == advice(
        lambda: rotated.delete(SID, state), CONFIG, URN, **old_inputs
    )


@pytest.mark.parametrize("name", ["desk", "it's", "$(id)", "'; id; '"])
def test_the_command_to_copy_has_the_urn_in_quotes(rotated: OutgoingCallerIdProvider, name: str) -> None:
    urn = f"urn:pulumi:test::caller-ids::a$T::{name}"
    state = {"sid": SID, "account_sid": SUBACCOUNT}

    command = advice(lambda: rotated.delete(SID, state), urn=urn).rpartition("`pulumi state")[2].partition("`")[0]
    assert ["delete", urn] == shlex.split(command)


@pytest.mark.parametrize("account", [{}, {"account_sid": SUBACCOUNT}], ids=["own account", "subaccount"])
def test_of_what_is_merely_read_nothing_more_is_said(
    rotated: OutgoingCallerIdProvider, account: dict[str, str]
) -> None:
    """`get` is run by the program, with the credentials of now."""
    assert "" == advice(lambda: rotated.read(SID, account))

"""What a refresh makes of the state, and what it says if Twilio doesn't tell."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.both_engines import SUB_TOKEN, SUBACCOUNT
from tests.support.local_stack import LocalStack
from tests.support.stack_runs import Declared

NUMBER = "+14155550101"
DESK = {"desk": Declared(NUMBER, "Front desk")}
LAST_UP = "\n`refresh` and `destroy` use the credentials of the latest `pulumi up`. To use new ones, run `pulumi up`"


def kept(local: LocalStack) -> list[Any]:
    """What the state says."""
    return [(it.name, it.sid, dict(it.inputs), dict(it.outputs)) for it in local.engine.state]


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "401": ({"status": 401, "code": 20003}, "(code 20003, HTTP 401, account AC"),
    "403": ({"status": 403, "code": 70051}, "(code 70051, HTTP 403, account AC"),
    "429": ({"status": 429, "code": 20429, "retry_after": 0}, "(code 20429, HTTP 429, account AC"),
    "500": ({"status": 500, "retry_after": 0}, "HTTP 500, account AC"),
    "404 of a proxy": ({"status": 404, "body": "<html>not here</html>"}, "(HTTP 404, account AC"),
    "404 with another code": ({"status": 404, "code": 20003}, "HTTP 404, account AC"),
    "empty": ({"status": 200, "body": ""}, "gave no usable answer"),
    "another form": ({"status": 200, "body": "{}"}, "gave no usable answer"),
    "reset": ({"drop": "before"}, "gave no usable answer"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_only_twilios_own_404_drops_a_number(local: LocalStack, fault: str) -> None:
    """Whatever else goes wrong fails the refresh and leaves the state alone."""
    local.up(DESK)
    before = kept(local)
    how, told = FAULTS[fault]
    local.sandbox.fail("fetch", times=None, **how)
    local.refresh(fails=told)
    assert before == kept(local)

    local.sandbox.heal()
    local.refresh()
    assert before == kept(local)


def test_one_removed_at_twilio_is_dropped_and_verified_anew(local: LocalStack) -> None:
    local.up(DESK)
    sid = local.held()["desk"]
    local.sandbox.remove(sid)
    local.refresh()
    assert f"+1 415-555-0101 ({sid}) is gone at Twilio; the next `pulumi up` will call it" == local.run.said.strip()
    assert {} == local.held()

    local.up(DESK)
    assert 2 == len(local.sandbox.calls)
    assert ["desk"] == list(local.held())


@pytest.mark.parametrize("operation", [LocalStack.refresh, LocalStack.destroy])
def test_refused_credentials_of_the_config_name_the_two_ways_out(local: LocalStack, operation: Any) -> None:
    """Both use what the last `up` stored, not the config of now."""
    local.up(DESK)
    local.sandbox.set_auth_token("e" * 32)
    local.config["authToken"] = "e" * 32
    operation(local, fails="(code 20003, HTTP 401, account AC")

    assert LAST_UP in local.error
    assert "--run-program (or PULUMI_RUN_PROGRAM=true)" in local.error
    assert ["desk"] == list(local.held())


@pytest.mark.parametrize("operation", [LocalStack.refresh, LocalStack.destroy])
def test_refused_variables_are_not_said_to_be_stored(
    local: LocalStack, operation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        monkeypatch.setenv(name, local.sandbox.environment[name])
    local.config |= {"accountSid": "", "authToken": ""}
    local.up(DESK)
    local.sandbox.set_auth_token("e" * 32)
    operation(local, fails="The credentials come from the environment (TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN).")

    assert "the latest `pulumi up`" not in local.error


def test_refused_credentials_of_a_subaccounts_number(local: LocalStack) -> None:
    """They are the parent's, and may have been rotated: a refresh never says how to remove the number."""
    parent = local.sandbox.account_sid
    local.up({"lab": Declared(NUMBER, account_sid=SUBACCOUNT)})
    local.sandbox.set_auth_token("e" * 32)

    local.refresh(fails=LAST_UP)
    assert "delete" not in local.error
    local.destroy(fails=LAST_UP)
    before, _, after = local.error.partition(LAST_UP)
    assert "pulumi state" not in before
    assert f"that {SUBACCOUNT} is a subaccount of {parent}." in before
    assert f"If nobody has credentials of {SUBACCOUNT} any more, delete the caller ID" in after
    assert ["lab"] == list(local.held())


def test_a_refusal_names_the_account(local: LocalStack) -> None:
    """A stack may have several, and each its own credentials."""
    local.providers["lab"] = {"accountSid": SUBACCOUNT, "authToken": SUB_TOKEN}
    local.up({"desk": Declared(NUMBER), "bench": Declared(NUMBER, provider="lab")})
    local.sandbox.set_auth_token("rotated", SUBACCOUNT)
    local.refresh(fails=f"Authenticate (code 20003, HTTP 401, account {SUBACCOUNT}).")

    assert f"account {local.sandbox.account_sid}" not in local.run.said

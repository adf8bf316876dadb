"""Explicit providers: several accounts in one stack, and what becomes of their numbers when they change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import SECRET_MARKER, Stack
from tests.support.stored import occurrences

QUICK = Delays(queued=0, rings=0.1, talks=0.1)
EU = "AC" + "e" * 32
EU_TOKEN = "eu-token-canary-7f31"
PROVIDER_TYPE = "pulumi:providers:pulumi-python"


@pytest.fixture
def elsewhere() -> Iterator[Sandbox]:
    """A second Twilio, with an account `EU` that the first one has not."""
    with Sandbox(delays=QUICK, subaccounts={EU: EU_TOKEN}) as running:
        yield running


@pytest.fixture
def two(stack: Stack, elsewhere: Sandbox) -> Stack:
    """A stack whose own account is the first sandbox's, and whose programs find the second account in variables."""
    stack.environment.update(EU=EU, EU_TOKEN=EU_TOKEN, EU_URL=elsewhere.url)
    return stack


HEAD = """
import os
from pulumi_twilio_caller_id import Provider
account, token, url = os.environ["EU"], os.environ["EU_TOKEN"], os.environ["EU_URL"]
"""
EXPLICIT = (
    HEAD
    + """
eu = Provider("eu", account_sid=account, auth_token=token, api_url=url)
OutgoingCallerId("lab", phone_number="+14155550102", friendly_name="Lab", opts=ResourceOptions(provider=eu))
"""
)
DEFAULT = 'OutgoingCallerId("lab", phone_number="+14155550102", friendly_name="Lab")\n'


def numbers(sandbox: Sandbox) -> dict[str, tuple[str, str]]:
    """What an account has: number -> account and name."""
    return {record.phone_number: (record.account_sid, record.friendly_name) for record in sandbox.caller_ids}


def providers(stack: Stack) -> dict[str, dict[str, Any]]:
    found = stack.deployment().get("resources", [])
    return {r["urn"].rsplit("::", 1)[1]: r for r in found if r["type"] == PROVIDER_TYPE}


def test_two_accounts_in_one_stack(two: Stack, sandbox: Sandbox, elsewhere: Sandbox) -> None:
    """Each resource stays with its own through create, update, refresh and destroy."""
    program = EXPLICIT + 'OutgoingCallerId("desk", phone_number="+14155550101", friendly_name="Desk")\n'
    two.program(program)
    assert {"eu": "create", "lab": "create", "desk": "create"} == two.planned()
    two.up()
    assert {"+14155550101": (sandbox.account_sid, "Desk")} == numbers(sandbox)
    assert {"+14155550102": (EU, "Lab")} == numbers(elsewhere)

    two.program(program.replace('"Lab"', '"Laboratory"'))
    two.up(settled=False)
    assert {"+14155550102": (EU, "Laboratory")} == numbers(elsewhere)

    [lab] = elsewhere.caller_ids
    elsewhere.rename(lab.sid, "By hand")
    two.refresh()
    assert "By hand" == two.resources()["lab"]["outputs"]["friendly_name"]

    # A refresh uses the token that is stored; the next `up` updates the Provider, and no number.
    two.program(program.replace('"Lab"', '"By hand"'))
    elsewhere.set_auth_token("rotated-canary", EU)
    assert "(code 20003, HTTP 401, account AC" in two.refresh(ok=False).error
    two.environment["EU_TOKEN"] = "rotated-canary"
    assert {"eu": "update"} == two.planned()
    two.up()
    two.refresh()
    assert 1 == len(elsewhere.calls)

    two.destroy()
    assert ({}, {}) == (numbers(sandbox), numbers(elsewhere))


def test_secrets_are_encrypted_whether_the_program_marks_them_or_not(two: Stack) -> None:
    """In every file the engine keeps; those that come from the stack's config too. An exported Provider tells none."""
    secrets = {"auth_token": EU_TOKEN, "api_secret": "canary-secret", "notify": "json://canary.example"}
    two.environment.update({f"EU_{name}": value for name, value in secrets.items()})
    two.pulumi("config", "set", "--secret", "twilio:callbackAuthTokens", "canary-old")
    two.program(
        HEAD
        + 'given = {name: os.environ[f"EU_{name}"] for name in ("auth_token", "api_secret", "notify")}\n'
        + 'eu = Provider("eu", account_sid=Output.from_input(account), api_key="SK" + "0" * 32, adopt=True,\n'
        + '    preflight=Output.from_input(False), default_region="DE", callback_listen="127.0.0.1:8686", **given)\n'
        + 'pulumi.export("eu", eu)\n'
    )
    printed = [two.preview("--diff").output, two.up("--debug", settled=False).output, two.preview("--diff").output]
    inputs = providers(two)["eu"]["inputs"]

    encrypted = {key for key, value in inputs.items() if SECRET_MARKER in json.dumps(value)}
    assert {"twilio:authToken", "twilio:apiSecret", "twilio:notify", "twilio:callbackAuthTokens"} == encrypted
    assert {
        "twilio:provider": "eu",
        "twilio:accountSid": EU,
        "twilio:apiKey": "SK" + "0" * 32,
        "twilio:adopt": True,
        "twilio:preflight": False,
        "twilio:defaultRegion": "DE",
        "twilio:callbackListen": "127.0.0.1:8686",
    } == {key: value for key, value in inputs.items() if key not in encrypted}
    for secret in (*secrets.values(), "canary-old"):
        assert [] == occurrences(secret, two)
        assert [] == [text for text in printed if secret in text]


LATER = (
    HEAD
    + """
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class Made(ResourceProvider):
    def create(self, props):
        return CreateResult("1", {"sid": os.environ["EU"], "token": os.environ["EU_TOKEN"]})

class Account(Resource):
    sid: Output[str]
    token: Output[str]
    def __init__(self, name):
        super().__init__(Made(), name, {"sid": None, "token": None})

made = Account("made")
eu = Provider("eu", account_sid=made.sid, auth_token=made.token, api_url=url)
OutgoingCallerId("lab", phone_number="+14155550102", opts=ResourceOptions(provider=eu))
"""
)


def test_credentials_that_another_resource_makes(two: Stack, sandbox: Sandbox, elsewhere: Sandbox) -> None:
    """Unknown at preview, where nobody is asked then; at `up` they are known in time. The stack's own are not used."""
    two.program(LATER)
    assert {"made": "create", "eu": "create", "lab": "create"} == two.planned()
    assert [] == elsewhere.requests

    two.up()
    assert {"+14155550102": (EU, "(415) 555-0102")} == numbers(elsewhere)
    assert [] == sandbox.requests


def test_the_stacks_config_completes_a_provider(make_stack: Callable[..., Stack], elsewhere: Sandbox) -> None:
    """An explicit provider's process is not given the config by the engine."""
    stack = make_stack()
    stack.pulumi("config", "set", "--secret", "twilio:authToken", EU_TOKEN)
    stack.configure({"twilio:accountSid": EU, "twilio:apiUrl": elsewhere.url, "twilio:defaultRegion": "DE"})
    stack.program(
        "from pulumi_twilio_caller_id import Provider\n"
        'OutgoingCallerId("lab", phone_number="030 90182000", opts=ResourceOptions(provider=Provider("eu")))\n'
    )
    stack.up(settled=False)
    assert [("+493090182000", EU)] == [(record.phone_number, record.account_sid) for record in elsewhere.caller_ids]
    assert [] == occurrences(EU_TOKEN, stack)


def test_moving_a_number_to_a_provider_of_the_same_account_changes_nothing_at_twilio(
    stack: Stack, sandbox: Sandbox
) -> None:
    stack.program(DEFAULT)
    stack.up(settled=False)
    sent = len(sandbox.requests)
    stack.program(
        "from pulumi_twilio_caller_id import Provider\n"
        f'same = Provider("same", account_sid="{sandbox.account_sid}")\n'
        'OutgoingCallerId("lab", phone_number="+14155550102", friendly_name="Lab",\n'
        "    opts=ResourceOptions(provider=same))\n"
    )
    assert {"same": "create"} == stack.planned()
    stack.up()

    assert sent == len(sandbox.requests)
    assert providers(stack)["same"]["urn"] in stack.resources()["lab"]["provider"]
    stack.destroy()
    assert [] == sandbox.caller_ids


def test_another_account_verifies_there_and_deletes_here(two: Stack) -> None:
    """Whether the number moves to a Provider, the Provider's account changes, or it is removed with its number: what
    is given up is deleted with the credentials it was made with."""
    sub, token = "AC" + "5" * 32, "another-token"
    with Sandbox(delays=QUICK, subaccounts={EU: EU_TOKEN, sub: token}) as shared:
        two.environment.update(shared.environment, EU_URL=shared.url)
        two.program(DEFAULT)
        two.up(settled=False)
        two.program(EXPLICIT)
        assert {"eu": "create", "lab": "replace"} == two.planned()
        two.up(settled=False)
        assert [EU] == [record.account_sid for record in shared.caller_ids]

        two.environment.update(EU=sub, EU_TOKEN=token)
        assert {"eu": "replace", "lab": "replace"} == two.planned()
        two.up(settled=False)
        assert [sub] == [record.account_sid for record in shared.caller_ids]

        two.program("")
        assert {"eu": "delete", "lab": "delete"} == two.planned()
        two.up(settled=False)
        assert [] == shared.caller_ids


@pytest.mark.parametrize(
    ("arguments", "operation", "told"),
    [
        pytest.param(
            'account_sid="SK" + "0" * 32',
            Stack.preview,
            f"error: Provider eu's account_sid 'SK{'0' * 32}' is an API key: give the sid of the account",
            id="at preview, what is plain",
        ),
        pytest.param(
            "account_sid=account",
            Stack.up,
            "error: Twilio credentials are missing for Provider eu: no auth token (or API key).\n",
            id="at up, what is missing, for the stack's token is another account's",
        ),
    ],
)
def test_a_misuse_is_one_message(
    arguments: str, operation: Callable[..., Any], told: str, two: Stack, sandbox: Sandbox
) -> None:
    two.program(
        HEAD
        + f'eu = Provider("eu", {arguments})\n'
        + 'OutgoingCallerId("lab", phone_number="+14155550102", opts=ResourceOptions(provider=eu))\n'
    )
    output = operation(two, ok=False).output
    assert told in output
    assert "Traceback" not in output
    assert [] == sandbox.requests

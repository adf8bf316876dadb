"""The engine in this process does as the real one does: sixteen histories, step by step.

Tests in `unit/provider/` that run on the in-process engine stand on this.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.support.both_engines import SUB_TOKEN, SUBACCOUNT, InProcess, Operator, Real, sandbox_of_history
from tests.support.fuzz.network_faults import Clock
from tests.support.harness import Stack
from tests.support.stack_runs import Declared

ONE, TWO, THREE = "+14155550101", "+14155550102", "+14155550103"


def create(it: Operator) -> None:
    """The preview does not know a number that is made from what another resource will have."""
    program = {
        "desk": Declared(ONE, "Desk"),
        "lobby": Declared("(415) 555-0102", after="desk"),
        "late": Declared(THREE, "Late", after="lobby", late=True),
    }
    assert {"desk": "create", "lobby": "create", "late": "create"} == it.preview(program)
    it.up(program)
    it.up({"desk": Declared(ONE, "Desk")})
    it.sandbox.remove(it.sandbox.caller_ids[0].sid)
    it.destroy()


def refused_input(it: Operator) -> None:
    program = {"desk": Declared("+1415555010", "x" * 70)}
    it.preview(program, fails="it is too short for its country")


def adopt(it: Operator) -> None:
    it.sandbox.add_caller_id(ONE, "By hand")
    it.preview({"desk": Declared(ONE, "Desk")}, fails="it is a caller ID of account")
    it.up({"desk": Declared(ONE, "Desk")}, fails="No call was placed.")
    it.up({"desk": Declared(ONE, "Desk", adopt=True)})


def import_(it: Operator) -> None:
    sid = it.sandbox.add_caller_id(ONE, "Desk").sid
    it.up({"desk": Declared(TWO, "Desk", import_sid=sid)}, fails="correct the number or the sid")
    it.up({"desk": Declared(ONE, "Desk", import_sid=sid)})


def rename(it: Operator) -> None:
    it.up({"desk": Declared(ONE, "Desk")})
    assert {"desk": "update"} == it.preview({"desk": Declared(ONE, "Lobby")})
    it.up({"desk": Declared(ONE, "Lobby")})
    it.sandbox.remove(it.sandbox.caller_ids[0].sid)
    it.up({"desk": Declared(ONE, "Front")}, fails="was removed at Twilio")


def renumber(it: Operator) -> None:
    it.up({"desk": Declared(ONE, "Desk")})
    it.sandbox.set_phone(TWO, "no-answer")
    assert {"desk": "replace"} == it.preview({"desk": Declared(TWO, "Desk")})
    it.up({"desk": Declared(TWO, "Desk")}, fails="nobody answered")
    it.up({"desk": Declared(THREE, "Desk")})


def renumber_with_the_old_one_first(it: Operator) -> None:
    it.up({"desk": Declared(ONE)})
    it.sandbox.set_phone(TWO, "country-blocked")
    it.up({"desk": Declared(TWO, delete_first=True)}, fails="could not be put through")
    it.up({"desk": Declared(THREE, delete_first=True)})


def drift(it: Operator) -> None:
    """The number is a secret: it is one in the state too."""
    program = {"desk": Declared(ONE, "Desk", secret=True)}
    it.up(program)
    it.sandbox.rename(it.sandbox.caller_ids[0].sid, "By hand")
    it.refresh()
    it.up(program)


def gone(it: Operator) -> None:
    """It takes two facts: the sid is not known, and the list lacks it."""
    it.up({"desk": Declared(ONE)})
    it.sandbox.fail("fetch", times=None, status=404, code=20404)
    it.refresh()
    it.sandbox.fail("list", times=None, status=403)
    it.refresh(fails="list")
    it.sandbox.heal()
    it.sandbox.remove(it.sandbox.caller_ids[0].sid)
    it.up({"desk": Declared(ONE)}, refresh=True)


def failed_deletion(it: Operator) -> None:
    """The next `up` catches up on it."""
    it.up({"desk": Declared(ONE)})
    it.sandbox.fail("delete", times=None, status=500, retry_after=0)
    it.up({"desk": Declared(TWO)}, fails="Twilio failed to delete caller ID")
    it.sandbox.heal()
    it.up({"desk": Declared(TWO)})
    it.sandbox.fail("delete", times=None, status=500, retry_after=0)
    it.destroy(fails="Twilio failed to delete caller ID")


def replaced_on_request(it: Operator) -> None:
    it.up({"desk": Declared(ONE)})
    it.up({"desk": Declared(ONE)}, replaced=["desk"], fails="No call was placed.")
    it.up({"desk": Declared(ONE, delete_first=True)}, replaced=["desk"])
    it.up({"desk": Declared(ONE, adopt=True)}, replaced=["desk"])


def failed_verification(it: Operator) -> None:
    """What depends on it is not tried, and the deletion of what has another name in the program waits."""
    it.up({"desk": Declared(ONE)})
    it.sandbox.set_phone(TWO, "busy")
    adopted = {"front": Declared(ONE, adopt=True), "lobby": Declared(TWO, after="front")}
    it.up({**adopted, "lab": Declared(THREE, after="lobby")}, fails="the line was busy")
    it.up({"front": adopted["front"]})


def awaiting(it: Operator) -> None:
    """The state keeps nothing new, what depends on the number is not tried, and what the program leaves out is deleted.

    The next `up` takes over what is verified meanwhile. A replacement that awaits keeps the old number.
    """
    it.config["unverified"] = "await"
    it.up({"old": Declared(THREE)})
    it.sandbox.set_phone(ONE, "busy")
    program = {"desk": Declared(ONE, "Desk"), "lab": Declared(TWO, after="desk")}
    it.up(program, fails="awaiting: +1 415-555-0101 was not verified: the line was busy")
    it.sandbox.add_caller_id(ONE, "By hand")
    it.preview(program)
    it.up(program)
    it.sandbox.set_phone(THREE, "no-answer")
    program["desk"] = Declared(THREE, "Desk")
    it.up(program, fails="awaiting: +1 415-555-0103 was not verified: nobody answered")
    it.sandbox.set_phone(THREE, "keys-code")
    it.up(program)


def rotated_token(it: Operator) -> None:
    """`refresh` and `destroy` use what the last `up` stored."""
    it.up({"desk": Declared(ONE)})
    it.sandbox.set_auth_token("e" * 32)
    it.config["authToken"] = "e" * 32
    it.refresh(fails="`refresh` and `destroy` use the credentials of the latest `pulumi up`")
    it.up({"desk": Declared(ONE)})
    it.refresh()


def another_account_in_the_config(it: Operator) -> None:
    it.up({"desk": Declared(ONE)})
    it.config |= {"accountSid": SUBACCOUNT, "authToken": SUB_TOKEN}
    it.up({"desk": Declared(ONE)}, fails="delete the caller ID in that account's Console")


def two_accounts(it: Operator) -> None:
    """A number that moves to a Provider of another account is verified there, and deleted here."""
    it.providers["lab"] = {"accountSid": SUBACCOUNT, "authToken": SUB_TOKEN}
    it.up({"desk": Declared(ONE), "bench": Declared(ONE, provider="lab", after="desk")})
    moved = {"desk": Declared(TWO, provider="lab"), "bench": Declared(ONE, provider="lab", after="desk")}
    it.up(moved)
    it.destroy()


HISTORIES = [
    *(create, refused_input, failed_verification, adopt, import_, rename, renumber, renumber_with_the_old_one_first),
    *(
        drift,
        gone,
        failed_deletion,
        awaiting,
        replaced_on_request,
        rotated_token,
        another_account_in_the_config,
        two_accounts,
    ),
]


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.__name__)
def test_both_engines_do_the_same(history: Callable[[Operator], None], make_stack: Callable[..., Stack]) -> None:
    clock = Clock()
    with ExitStack() as running:
        real = Real(running.enter_context(sandbox_of_history()), make_stack())
        modelled = InProcess(running.enter_context(sandbox_of_history(clock=clock.now)), clock)
        history(modelled)
        history(real)
    found = differences(real, modelled)
    assert not found, "\n".join(found)


def differences(real: Operator, modelled: Operator) -> list[str]:
    """What was seen of one engine alone: step, what it is, and both values."""
    return [
        f"step {at}, {name}: really {one[name]}, modelled {other[name]}"
        for at, (one, other) in enumerate(zip(real.comparable_steps(), modelled.comparable_steps(), strict=True))
        for name in one
        if one[name] != other[name]
    ]

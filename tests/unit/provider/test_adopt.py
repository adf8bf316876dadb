"""`adopt`: whatever has a resource replaced or named otherwise, its caller ID stays at Twilio and in the state once."""

from __future__ import annotations

import pytest

from tests.support.local_stack import LocalStack
from tests.support.stack_runs import Declared

NUMBER, OTHER = "+14155550101", "+14155550102"
DESK = Declared(NUMBER, "Front desk", adopt=True)


@pytest.fixture
def sid(local: LocalStack) -> str:
    return local.sandbox.add_caller_id(NUMBER, "Front desk").sid


def assert_kept(local: LocalStack, sid: str, name: str = "desk") -> None:
    assert ([sid], {name: sid}) == ([record.sid for record in local.sandbox.caller_ids], local.held())
    assert [] == local.sandbox.calls


def test_the_stacks_config_says_it_for_all(local: LocalStack, sid: str) -> None:
    """What a resource says itself goes before it. Changing either later changes nothing."""
    local.config["adopt"] = "true"
    refusing = {"desk": Declared(NUMBER, "Front desk", adopt=False)}
    local.preview(refusing, fails=f"it is a caller ID of account {local.sandbox.account_sid} already: {sid}.")
    assert "twilio:adopt" not in local.error

    local.up({"desk": Declared(NUMBER, "Front desk")})
    assert_kept(local, sid)
    assert "adopt" not in local.engine.state[0].inputs
    del local.config["adopt"]
    assert {} == local.preview(refusing)


def test_a_friendly_name_that_can_not_be_set_is_left_to_the_next_up(local: LocalStack) -> None:
    """As if the number had been verified by a call: it is in the state."""
    sid = local.sandbox.add_caller_id(NUMBER, "Old name").sid
    local.sandbox.fail("update", status=400, message="Bad name")
    local.up({"desk": DESK}, settled=False)
    warning = "is verified, but its friendly name was not set: Twilio refused"
    assert warning in local.run.said
    assert {"desk": sid} == local.held()

    local.sandbox.heal()
    local.up({"desk": DESK})
    assert ["Front desk"] == [record.friendly_name for record in local.sandbox.caller_ids]


def test_the_programs_friendly_name_is_set_as_it_is_adopted(local: LocalStack) -> None:
    sid = local.sandbox.add_caller_id(NUMBER, "Old name").sid
    local.up({"desk": DESK})

    assert f"adopted {sid}, no call" in local.run.said
    assert ["Front desk"] == [record.friendly_name for record in local.sandbox.caller_ids]
    assert_kept(local, sid)


# The engine creates what replaces a resource before it deletes the old one, and both are the same caller ID.


def test_replace_on_request_keeps_the_number(local: LocalStack, sid: str) -> None:
    local.up({"desk": DESK})
    local.up({"desk": DESK}, replaced=["desk"])

    assert f"{sid} stays at Twilio: 'desk' has it" in local.run.said
    assert_kept(local, sid)


def test_imported_and_replaced_on_request(local: LocalStack, sid: str) -> None:
    """With `import_` left in the program it is imported again."""
    program = {"desk": Declared(NUMBER, "Front desk", import_sid=sid)}
    local.up(program)
    local.up(program, replaced=["desk"])

    assert_kept(local, sid)


def test_another_name_in_the_program_without_an_alias_keeps_the_number(local: LocalStack, sid: str) -> None:
    local.up({"desk": DESK})
    local.up({"reception": DESK})

    assert_kept(local, sid, "reception")


@pytest.mark.parametrize("old", ["renamed", "replaced"])
def test_a_deletion_that_a_later_run_catches_up_on_keeps_the_number(local: LocalStack, sid: str, old: str) -> None:
    """If anything else fails, the engine leaves deletions to the next run."""
    local.sandbox.set_phone(OTHER, "busy")
    local.up({"desk": DESK})
    name, replaced = ("reception", []) if old == "renamed" else ("desk", ["desk"])
    program = {name: DESK, "other": Declared(OTHER, after=name)}
    local.up(program, replaced=replaced, fails="the line was busy")
    assert 2 == [entry.sid for entry in local.engine.state].count(sid)

    local.sandbox.set_phone(OTHER, "keys-code")
    local.up(program)
    assert {name, "other"} == set(local.held())
    assert sid == local.held()[name]
    assert 2 == len(local.engine.state)
    assert [NUMBER, OTHER] == local.numbers()


def test_a_number_that_moves_from_one_resource_to_another(local: LocalStack) -> None:
    """What a resource had, another may have in the same `up`: the program declares it once."""
    local.up({"desk": Declared(NUMBER)})
    program = {"desk": Declared(OTHER), "front": Declared(NUMBER, adopt=True, after="desk")}
    assert {"desk": "replace", "front": "create"} == local.preview(program)
    local.up(program)

    assert [NUMBER, OTHER] == [call.to for call in local.sandbox.calls]
    assert {"desk", "front"} == set(local.held())


def test_what_nothing_holds_any_more_is_deleted(local: LocalStack, sid: str) -> None:
    """A refresh in the same operation holds nothing."""
    local.up({"desk": DESK, "other": Declared(OTHER)})
    local.up({"other": Declared(OTHER)}, refresh=True)
    assert [OTHER] == local.numbers()
    local.destroy()
    assert ([], {}) == (local.numbers(), local.held())


DECLARED_TWICE = {
    "adopting": (DESK, DESK),
    "two spellings": (Declared(NUMBER), Declared("(415) 555-0101")),
    "the account named and not named": (Declared(NUMBER, account_sid="AC own"), Declared(NUMBER)),
}


@pytest.mark.parametrize("case", DECLARED_TWICE)
def test_two_resources_on_one_number_are_refused(local: LocalStack, case: str) -> None:
    """Before any call for the second one."""
    first, second = (
        Declared(it.number, adopt=it.adopt, account_sid=it.account_sid and local.sandbox.account_sid)
        for it in DECLARED_TWICE[case]
    )
    said = "'desk' declares it too, in the same account: declare each number once"
    local.preview({"desk": first, "front": second}, fails=said)
    local.up({"desk": first, "front": second}, fails=said)

    assert ["desk"] == list(local.held())
    assert [NUMBER] == [call.to for call in local.sandbox.calls]

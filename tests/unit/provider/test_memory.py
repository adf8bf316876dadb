from __future__ import annotations

from pulumi_twilio_caller_id.ownership import Ownership, name_of

DESK = "urn:pulumi:test::project::type::desk"
LOBBY = "urn:pulumi:test::project::type::lobby"
SID = "PN" + "1" * 32


def test_what_import_names_is_kept_until_the_program_says_otherwise() -> None:
    memory = Ownership()
    memory.record_declaration(DESK, in_state=False, import_sid=SID)
    assert (SID, None) == (memory.import_sid(DESK), memory.import_sid(LOBBY))
    memory.record_declaration(DESK, in_state=False)
    assert memory.import_sid(DESK) is None


def test_a_resource_is_in_the_state_as_of_its_last_check() -> None:
    """The engine checks what it replaces once more, as if it were new."""
    memory = Ownership()
    assert not memory.is_in_state(DESK)
    memory.record_declaration(DESK, in_state=True)
    assert memory.is_in_state(DESK)
    memory.record_declaration(DESK, in_state=False)
    assert not memory.is_in_state(DESK)


def test_calls_out_of_reach_are_not_told_apart() -> None:
    memory = Ownership()
    memory.record_declaration("", in_state=True)
    assert not memory.is_in_state("")
    assert memory.acquire(SID, "") is None
    assert memory.acquire(SID, DESK) is None
    assert memory.owner(SID) is not None


def test_the_first_to_hold_a_caller_id_keeps_it() -> None:
    memory = Ownership()
    assert [None, None, DESK] == [memory.acquire(SID, DESK), memory.acquire(SID, DESK), memory.acquire(SID, LOBBY)]
    assert DESK == memory.owner(SID)
    memory.release(SID, LOBBY)
    assert DESK == memory.owner(SID)
    memory.release(SID, DESK)
    memory.release(SID, DESK)
    assert memory.owner(SID) is None


def test_the_name_in_a_urn() -> None:
    assert "front desk" == name_of("urn:pulumi:test::project::my:Office$dynamic/twilio:OutgoingCallerId::front desk")

from __future__ import annotations

from pulumi_twilio_caller_id.ownership import Ownership, name_of

DESK = "urn:pulumi:test::project::type::desk"
LOBBY = "urn:pulumi:test::project::type::lobby"
SID = "PN" + "1" * 32


def test_what_import_names_is_kept_until_the_program_says_otherwise() -> None:
    ownership = Ownership()
    ownership.record_declaration(DESK, in_state=False, import_sid=SID)
    assert (SID, None) == (ownership.import_sid(DESK), ownership.import_sid(LOBBY))
    ownership.record_declaration(DESK, in_state=False)
    assert ownership.import_sid(DESK) is None


def test_a_resource_is_in_the_state_as_of_its_last_check() -> None:
    """The engine checks what it replaces once more, as if it were new."""
    ownership = Ownership()
    assert not ownership.is_declared_and_in_state(DESK)
    ownership.record_declaration(DESK, in_state=True)
    assert ownership.is_declared_and_in_state(DESK)
    ownership.record_declaration(DESK, in_state=False)
    assert not ownership.is_declared_and_in_state(DESK)


def test_what_another_resource_reads_or_imports_by_its_sid_is_not_deleted() -> None:
    ownership = Ownership()
    ownership.record_read(SID, LOBBY)
    assert LOBBY == ownership.begin_delete(SID, DESK)
    assert ownership.acquire(SID, LOBBY) is None, "the deletion was given up"
    assert LOBBY == ownership.begin_delete(SID, DESK)


def test_what_is_imported_without_a_urn_is_no_other_resources() -> None:
    """Without its URN, one resource can't be told from another."""
    ownership = Ownership()
    ownership.record_declaration("", in_state=False, import_sid=SID)
    assert ownership.import_sid("") is None


def test_resources_without_a_urn_are_not_told_apart() -> None:
    ownership = Ownership()
    ownership.record_declaration("", in_state=True)
    assert not ownership.is_declared_and_in_state("")
    assert ownership.acquire(SID, "") is None
    assert ownership.acquire(SID, DESK) is None
    assert "" == ownership.owner(SID) == ownership.begin_delete(SID, ""), "this operation acquired it"


def test_the_first_to_acquire_a_caller_id_keeps_it() -> None:
    ownership = Ownership()
    assert [None, None, DESK] == [
        ownership.acquire(SID, DESK),
        ownership.acquire(SID, DESK),
        ownership.acquire(SID, LOBBY),
    ]
    assert DESK == ownership.owner(SID)
    ownership.release(SID, LOBBY)
    assert DESK == ownership.owner(SID)
    ownership.release(SID, DESK)
    ownership.release(SID, DESK)
    assert ownership.owner(SID) is None


def test_the_name_in_a_urn() -> None:
    assert "front desk" == name_of("urn:pulumi:test::project::my:Office$dynamic/twilio:OutgoingCallerId::front desk")

"""Changes of a number that is in the state, and its end."""

from __future__ import annotations

from tests.support.both_engines import SUB_TOKEN, SUBACCOUNT
from tests.support.local_stack import LocalStack
from tests.support.stack_runs import Declared

NUMBER, OTHER = "+14155550101", "+14155550102"
TWO = {"desk": Declared(NUMBER), "support": Declared(OTHER)}


def test_a_rename_is_an_update_in_place(local: LocalStack) -> None:
    """The sid stays, no call is placed, and the state has all outputs."""
    local.up({"desk": Declared(NUMBER, "Front desk")})
    before = local.held()
    local.up({"desk": Declared(NUMBER, "Reception")})

    assert before == local.held()
    assert ["Reception"] == [record.friendly_name for record in local.sandbox.caller_ids]
    assert 1 == len(local.sandbox.calls)
    outputs = {"sid", "phone_number", "friendly_name", "account_sid", "date_created", "date_updated", "uri"}
    assert outputs == set(local.engine.state[0].outputs) - {"__provider"}


def test_a_name_that_is_no_longer_given_is_left_alone(local: LocalStack) -> None:
    local.up({"desk": Declared(NUMBER, "Front desk")})
    assert {} == local.preview({"desk": Declared(NUMBER)})
    local.up({"desk": Declared(NUMBER)})

    assert ["Front desk"] == [record.friendly_name for record in local.sandbox.caller_ids]
    assert 0 == local.asked("update")


def test_another_number_is_verified_before_the_old_one_is_deleted(local: LocalStack) -> None:
    local.up({"desk": Declared(NUMBER)})
    old = local.held()["desk"]
    local.up({"desk": Declared(OTHER)})

    assert old != local.held()["desk"]
    assert [OTHER] == local.numbers()
    writes = [request.endpoint for request in local.sandbox.requests if request.method in ("POST", "DELETE")]
    assert ["create", "create", "delete"] == writes


def test_the_old_number_stays_if_the_new_one_is_not_verified(local: LocalStack) -> None:
    local.up({"desk": Declared(NUMBER)})
    before = local.held()
    local.sandbox.set_phone(OTHER, "busy")
    local.up({"desk": Declared(OTHER)}, fails="the line was busy")

    assert [NUMBER] == local.numbers()
    assert before == local.held()


def test_renaming_one_that_was_removed_says_what_to_do(local: LocalStack) -> None:
    local.up({"desk": Declared(NUMBER, "Front desk")})
    sid = local.held()["desk"]
    local.sandbox.remove(sid)
    told = f"+1 415-555-0101 can't be renamed: its caller ID {sid} was removed at Twilio."
    local.up({"desk": Declared(NUMBER, "Reception")}, fails=told)

    assert "Run `pulumi refresh`" in local.error
    assert ["desk"] == list(local.held())


def test_leaving_one_out_of_the_program_deletes_just_that(local: LocalStack) -> None:
    local.up(TWO)
    local.up({"desk": Declared(NUMBER)})
    assert "deletes caller ID +1 415-555-0102" == local.run.said.strip()
    assert [NUMBER] == local.numbers()
    assert ["desk"] == list(local.held())


def test_one_that_is_gone_already_is_as_good_as_deleted(local: LocalStack) -> None:
    local.up(TWO)
    local.sandbox.remove(local.held()["desk"])
    local.destroy()
    assert ([], {}) == (local.numbers(), local.held())


def test_one_that_twilio_does_not_delete_stays_in_state(local: LocalStack) -> None:
    local.up(TWO)
    local.sandbox.fail("delete", times=None, status=500, retry_after=0)
    local.destroy(fails="Twilio failed to delete caller ID PN")
    assert {"desk", "support"} == set(local.held())

    local.sandbox.heal()
    local.destroy()
    assert ([], {}) == (local.numbers(), local.held())


def test_one_of_an_account_that_the_config_no_longer_names(local: LocalStack) -> None:
    """The stack has no credentials but those of now: the message says whose the number is, and the ways out."""
    old = local.sandbox.account_sid
    local.up({"desk": Declared(NUMBER)})
    local.config |= {"accountSid": SUBACCOUNT, "authToken": SUB_TOKEN}
    local.up({"desk": Declared(NUMBER)}, fails=f"that {old} is a subaccount of {SUBACCOUNT}.")

    assert [old, SUBACCOUNT] == [record.account_sid for record in local.sandbox.caller_ids]
    urn = "urn:pulumi:test::caller-ids::pulumi-python:dynamic/twilio:OutgoingCallerId::desk"
    assert (
        f"If nobody has credentials of {old} any more, delete the caller ID in that account's Console, then run\n"
        f"`pulumi state delete {urn}`. If Pulumi offers two resources, pick the one pending deletion."
    ) in local.error

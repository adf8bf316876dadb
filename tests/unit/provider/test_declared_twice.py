"""One caller ID and two resources of a stack: whichever comes first has it, and nothing is done to it for the other."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.errors import AlreadyVerified, DeclaredTwice, Gone, OwnershipUnknown
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.ownership_notes import Note, OwnershipNotes
from pulumi_twilio_caller_id.testing import CallerId, Sandbox

NUMBER, OTHER = "+14155550199", "+14155550102"


class Stack:
    """One operation, in which `desk` has the caller ID of NUMBER in its state."""

    def __init__(self, provider: OutgoingCallerIdProvider, desk: CallerId) -> None:
        self.provider = provider
        self.sid = desk.sid
        self.olds: dict[str, Any] = {
            "sid": desk.sid,
            "phone_number": NUMBER,
            "friendly_name": "Desk",
            "account_sid": desk.account_sid,
        }

    def call(self, name: str, operation: Callable[[], Any]) -> Any:
        def servicer(request: object, context: object) -> Any:
            return operation()

        return servicer(SimpleNamespace(urn=f"urn:pulumi:test::caller-ids::T::{name}"), SimpleNamespace())

    def declare_desk(self, news: dict[str, Any]) -> Any:
        self.call("desk", lambda: self.provider.check({"phone_number": NUMBER}, news))
        return self.call("desk", lambda: self.provider.diff(self.sid, self.olds, news))

    def create(self, name: str, news: dict[str, Any]) -> str:
        self.call(name, lambda: self.provider.check({}, news))
        return str(self.call(name, lambda: self.provider.create(news)).id)

    def preview(self, name: str, news: dict[str, Any]) -> list[str]:
        checked = self.call(name, lambda: self.provider.check({}, {**news, "__dry_run": True}))
        return [failure.reason for failure in checked.failures]


@pytest.fixture
def stack(sandbox: Sandbox, provider: OutgoingCallerIdProvider) -> Stack:
    return Stack(provider, sandbox.caller_ids[0])


def test_an_adoption_does_not_rename_what_another_has(stack: Stack, sandbox: Sandbox) -> None:
    stack.declare_desk({"phone_number": NUMBER})
    with pytest.raises(DeclaredTwice, match="is declared twice: 'desk' in this stack declares it too"):
        stack.create("lobby", {"phone_number": NUMBER, "friendly_name": "Lobby", "adopt": True})

    assert ["Desk"] == [record.friendly_name for record in sandbox.caller_ids]


def test_one_that_is_declared_before_the_one_that_has_it(stack: Stack, sandbox: Sandbox) -> None:
    """It can't know of that one yet; but the state does not go on with both."""
    assert stack.sid == stack.create("lobby", {"phone_number": NUMBER, "adopt": True})
    with pytest.raises(AlreadyVerified, match="is managed as 'lobby' in this stack already"):
        stack.declare_desk({"phone_number": NUMBER})
    with pytest.raises(AlreadyVerified, match="is managed as 'lobby' in this stack already"):
        stack.call("desk", lambda: stack.provider.update(stack.sid, stack.olds, {"friendly_name": "Front"}))

    assert ["Desk"] == [record.friendly_name for record in sandbox.caller_ids]


def test_what_was_taken_over_stays_as_the_other_is_replaced(stack: Stack, sandbox: Sandbox) -> None:
    """`lobby` takes over the number of `desk`, which gets another, whichever the engine comes to first."""
    stack.create("lobby", {"phone_number": NUMBER, "adopt": True})
    assert ["phone_number"] == stack.declare_desk({"phone_number": OTHER}).replaces
    stack.call("desk", lambda: stack.provider.delete(stack.sid, stack.olds))

    assert [stack.sid] == [record.sid for record in sandbox.caller_ids]


def test_what_was_taken_over_stays_where_its_name_can_not_be_set(stack: Stack, sandbox: Sandbox) -> None:
    """It is in the state of `lobby`, and the next `up` renames it."""
    sandbox.fail("update", times=1, status=400, code=21401)
    stack.create("lobby", {"phone_number": NUMBER, "friendly_name": "Lobby", "adopt": True})
    stack.call("desk", lambda: stack.provider.delete(stack.sid, stack.olds))

    assert [(stack.sid, "Desk")] == [(record.sid, record.friendly_name) for record in sandbox.caller_ids]


def test_a_preview_knows_that_a_resource_keeps_what_it_renames(stack: Stack) -> None:
    assert stack.declare_desk({"phone_number": NUMBER, "friendly_name": "Front", "__dry_run": True}).changes
    [reason] = stack.preview("lobby", {"phone_number": NUMBER, "adopt": True})

    assert "'desk' declares it too, in the same account: declare each number once" == reason


@pytest.mark.parametrize("how", ["adopt", "import"])
def test_a_preview_knows_what_a_new_resource_will_take(stack: Stack, how: str) -> None:
    given = {"adopt": True} if how == "adopt" else {"__import": stack.sid}
    assert [] == stack.preview("lobby", {"phone_number": NUMBER, **given})
    [reason] = stack.preview("lab", {"phone_number": NUMBER, "adopt": True})
    assert "'lobby' declares it too, in the same account: declare each number once" == reason
    with pytest.raises(AlreadyVerified, match="is managed as 'lobby' in this stack already"):
        stack.declare_desk({"phone_number": NUMBER, "__dry_run": True})


def test_what_is_being_deleted_is_not_adopted(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """`desk` is deleted before it is replaced; meanwhile `lobby` finds its caller ID."""
    deleted: list[str] = []

    def adopt_meanwhile(_twilio: Client, sid: str) -> None:
        with pytest.raises(Gone, match="is being deleted by the same command"):
            stack.create("lobby", {"phone_number": NUMBER, "adopt": True})
        deleted.append(sid)

    monkeypatch.setattr(Client, "remove", adopt_meanwhile)
    assert ["phone_number"] == stack.declare_desk({"phone_number": OTHER}).replaces
    stack.call("desk", lambda: stack.provider.delete(stack.sid, stack.olds))
    assert [stack.sid] == deleted


def test_a_number_that_was_just_verified_is_kept_if_it_can_not_be_noted(
    stack: Stack, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full by now. No other process knows of the new caller ID, so none can delete it."""

    def exchange(_notes: OwnershipNotes, *own: Note) -> list[Note]:
        if any(note.key.startswith("PN") for note in own):
            raise OwnershipUnknown("/notes", "No space left on device")
        return list(own)

    monkeypatch.setattr(OwnershipNotes, "exchange", exchange)
    sid = stack.create("lobby", {"phone_number": OTHER})
    assert sid in {record.sid for record in sandbox.caller_ids}
    with pytest.raises(OwnershipUnknown):
        stack.create("desk", {"phone_number": NUMBER, "adopt": True})

"""Keep track of which resource owns each caller ID, and which declares each number, during one `pulumi` command.

The engine does not tell `delete` that another resource has just taken the caller ID over. So each plugin process keeps
the owners here, and shares them with the other plugin processes of the same engine by notes (`ownership_notes`).
`check` acquires numbers, and `diff` caller IDs: early, so that other resources see it. `create` and `update` repeat it:
only then all inputs are known and, with `native`, that this is no preview. `delete` asks for the owner. A resource that
the program no longer declares gets no `check` or `diff`: it owns nothing, so `delete` may go ahead. An owner is named
by its URN. If that is "", two resources with the same number or caller ID go unnoticed.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable

from .errors import AlreadyVerified, DeclaredTwice, Gone, OwnershipUnknown
from .ownership_notes import Note, OwnershipNotes
from .phone_number import international_format

DELETING_PREFIX = "(being deleted) "
"""Precedes the URN of an owner that deletes its caller ID, or has deleted it."""

READING_PREFIX = "(read) "
"""Begins a key: the owner of `(read) PN...` only reads that caller ID, or imports it."""


class Ownership:
    """The owners and declarations that one plugin process knows of. May be used from several threads.

    Methods that set or look up an owner raise OwnershipUnknown if the notes are unusable: then the caller must change
    nothing at Twilio. In a preview they don't raise, because nothing changes there.

    is_preview: `lifecycle` sets it in each `check`. A refresh that runs no program has no `check`: it stays False.
    `native/server` sets it to True, and to False at the first Create, Update or Delete outside of a preview.
    """

    def __init__(self, notes: OwnershipNotes | None = None) -> None:
        self.is_preview = False
        self._notes = notes or OwnershipNotes(None)
        self._lock = threading.Lock()
        self._owners: dict[str, str] = {}  # from the key of a caller ID or number to the URN of its owner
        self._in_state: dict[str, bool] = {}
        self._import_sids: dict[str, str | None] = {}
        self._replaced: dict[str, str] = {}

    def record_declaration(self, urn: str, *, in_state: bool, import_sid: str | None = None) -> None:
        """Record that the program declares this resource.

        in_state: whether the state has it. import_sid: the sid that its option `import_` names, if any.
        """
        if urn:
            if self._in_state.get(urn) and not in_state:
                # Pulumi checks a resource again, as a new one, if it replaces it: also for a reason of its own, such as
                # replace_on_changes. If `diff` has made it the owner, release the caller ID, or `delete` would keep it.
                for sid in [key for key, owner in self._owners.items() if owner == urn and key.startswith("PN")]:
                    self.release(sid, urn)
            self._in_state[urn] = in_state
            self._import_sids[urn] = import_sid

    def is_declared_and_in_state(self, urn: str) -> bool:
        """Return whether the program declares this resource, and the state has it."""
        return self._in_state.get(urn, False)

    def import_sid(self, urn: str) -> str | None:
        """Return the sid that the resource's option `import_` names, None if it has no such option."""
        return self._import_sids.get(urn)

    def set_replaced_caller_id(self, urn: str, text: str) -> None:
        """Record a text for previews: the caller ID that this resource loses when it is replaced."""
        self._replaced[urn] = text

    def replaced_caller_id(self, urn: str) -> str | None:
        """Return what `set_replaced_caller_id` recorded for the resource."""
        return self._replaced.get(urn)

    def acquire(self, key: str, urn: str) -> str | None:
        """Make the resource the owner of a caller ID (key: its sid) or of a number (key: a hash), if there is no owner.

        Returns None if this resource is the owner now, else the URN of the owner, which `DELETING_PREFIX` may precede.
        """
        owner = self._acquire(key, urn)
        return owner if owner and urn and owner != urn else None

    def acquire_or_fail(self, sid: str, urn: str, number: str) -> None:
        """Make the resource the owner of this number's caller ID.

        Raises AlreadyVerified if another resource owns the caller ID, and Gone if it is being deleted.
        """
        other = self.acquire(sid, urn)
        self.fail_if_deleted(sid, number)
        if other is not None:
            raise AlreadyVerified(
                f"{international_format(number)} is managed as {name_of(other)!r} in this stack already ({sid}).",
                "Declare each number once.",
            )

    def acquire_number(self, number: str, account: tuple[str | None, str], urn: str) -> None:
        """Make the resource the owner of this number, given in E.164.

        account: what `Plugin.account_key` returns.
        Raises DeclaredTwice if another resource declared the number first: that one may be phoning it already.
        """
        # Hashed, as a number may be secret. The process's id replaces a missing sid, so that processes never clash.
        key = hashlib.sha256(f"{account[0] or os.getpid()} {account[1]} {number}".encode()).hexdigest()
        other = self.acquire(key, urn) if urn else None
        if other is not None:
            raise DeclaredTwice(international_format(number), name_of(other))

    def owner(self, sid: str) -> str | None:
        """Return the URN of the caller ID's owner, or None. Begins with `DELETING_PREFIX` if the owner deletes it."""
        with self._lock:
            self._exchange()
            return self._owners.get(sid)

    def release(self, sid: str, urn: str) -> None:
        """Give up the resource's ownership of the caller ID. Do nothing if another resource owns it."""
        with self._lock:
            if self._owners.get(sid) == urn:
                self._exchange(Note("release", sid, urn))

    def begin_delete(self, sid: str, urn: str) -> str | None:
        """Keep other resources from taking over the caller ID, which is about to be deleted.

        Return None if it may be deleted, else the URN of its owner: another resource, or this one's replacement, which
        has the same URN. A resource that reads the sid blocks it too: the native provider's import starts with Read.
        """
        owner = self._acquire(sid, DELETING_PREFIX + urn)
        if not owner.startswith(DELETING_PREFIX):
            return owner
        # Two resources in the state may delete the same sid at once. But a reader of the sid stops this deletion.
        reader = self.owner(READING_PREFIX + sid)
        if reader is not None:
            self.abort_delete(sid, urn)
        return reader

    def record_read(self, sid: str, urn: str) -> None:
        """Keep `begin_delete` from deleting a caller ID that the program reads or imports by its sid."""
        if urn:
            self._acquire(READING_PREFIX + sid, urn)

    def abort_delete(self, sid: str, urn: str) -> None:
        """Let resources take over the caller ID again, because it could not be deleted."""
        self.release(sid, DELETING_PREFIX + urn)

    def fail_if_deleted(self, sid: str, number: str) -> None:
        """Raise Gone if the caller ID is being deleted or was just deleted: Twilio may list it still."""
        if (self.owner(sid) or "").startswith(DELETING_PREFIX):
            raise Gone(
                f"{international_format(number)} can't be taken over: its caller ID {sid} is being deleted by the same"
                " command.",
                "Run the same command again.",
            )

    def fail_if_notes_unusable(self) -> None:
        """Raise OwnershipUnknown if the notes are unusable, also in a preview."""
        with self._lock:
            self._apply(self._notes.exchange())

    def _acquire(self, key: str, urn: str) -> str:
        """Make `urn` the owner of the key (a sid or the hash of a number) if it has no owner. Return the owner."""
        with self._lock:
            self._exchange(Note("acquire", key, urn))
            return self._owners[key]

    def _exchange(self, *own: Note) -> None:
        """Share notes of this process, and apply them together with new notes of the other processes."""
        notes: Iterable[Note] = own
        try:
            notes = self._notes.exchange(*own)
        except OwnershipUnknown:
            if not self.is_preview:
                raise
        self._apply(notes)

    def _apply(self, notes: Iterable[Note]) -> None:
        """Apply notes in their order. The first resource to acquire a key owns it until it releases the key."""
        for note in notes:
            if note.action == "acquire":
                self._owners.setdefault(note.key, note.urn)
            elif self._owners.get(note.key) == note.urn:
                del self._owners[note.key]


def name_of(urn: str) -> str:
    """Return the name that the program gave the resource."""
    return urn.rpartition("::")[2]

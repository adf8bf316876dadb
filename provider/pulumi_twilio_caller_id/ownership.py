"""What a plugin process remembers between the engine's calls of one operation.

The engine starts a process for each operation and each provider resource, and says nothing to Delete of what Create has
just done. The provider itself holds no state (its pickle is a bare reference), so it is kept here.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable

from .errors import AlreadyVerified, DeclaredTwice, Gone, OwnershipUnknown
from .ownership_notes import OwnershipNotes
from .phone_number import readable

DELETING = "(being deleted) "
"""Before a URN: that resource's caller ID is deleted by this operation, or has been."""


class Ownership:
    """What is known of one operation. A URN is "" if the engine's call can't be found; conflicts are not seen then."""

    def __init__(self, handover: OwnershipNotes | None = None) -> None:
        self._handover = handover or OwnershipNotes(None)
        self._lock = threading.Lock()
        self._imports: dict[str, str] = {}
        self._previewed: set[str] = set()
        self._previews = False
        self._replaced: dict[str, str] = {}
        self._in_state: set[str] = set()
        self._holders: dict[str, str] = {}

    def record_declaration(
        self, urn: str, *, in_state: bool, import_sid: str | None = None, previewed: bool = False
    ) -> None:
        """Record a resource that the program declares: whether it is in the state, the sid that its `import_` names,
        and whether this is a preview.
        """
        with self._lock:
            self._previews = previewed
            (self._in_state.add if in_state else self._in_state.discard)(urn)
            (self._previewed.add if previewed and urn else self._previewed.discard)(urn)
            if import_sid is None:
                self._imports.pop(urn, None)
            else:
                self._imports[urn] = import_sid

    def is_in_state(self, urn: str) -> bool:
        """Whether the program has declared this resource in this operation, and it was in the state then."""
        with self._lock:
            return bool(urn) and urn in self._in_state

    def is_previewed(self, urn: str) -> bool:
        """Whether the program has declared this resource, in a preview."""
        with self._lock:
            return urn in self._previewed

    def set_replaced_caller_id(self, urn: str, what: str) -> None:
        """Record, in words, what the resource loses when it is replaced."""
        with self._lock:
            self._replaced[urn] = what

    def replaced_caller_id(self, urn: str) -> str | None:
        """What `set_replaced_caller_id` was told of the resource."""
        with self._lock:
            return self._replaced.get(urn)

    def import_sid(self, urn: str) -> str | None:
        """The sid that the program's `import_` names for this resource."""
        with self._lock:
            return self._imports.get(urn)

    def acquire(self, sid: str, urn: str) -> str | None:
        """Record this resource as the owner of the caller ID, so that no delete of this operation removes it.

        Gives the URN of another resource that owns it already, in which case that one keeps it. Raises OwnershipUnknown
        if the other plugin processes can't be told.
        """
        with self._lock:
            other = self._holders.get(sid)
            if other is None:
                other = self._noted(lambda: self._handover.acquire(sid, urn)) or urn
                if other == urn:
                    self._holders[sid] = urn
            return other if other and urn and other != urn else None

    def acquire_or_fail(self, sid: str, urn: str, number: str) -> None:
        """As `acquire`, for a resource that is to have the caller ID of this number. Raises AlreadyVerified if another
        resource has it, and Gone if it is being deleted.
        """
        other = self.acquire(sid, urn)
        self.fail_if_deleted(sid, number)
        if other is not None:
            raise AlreadyVerified(
                f"{readable(number)} is managed as {name_of(other)!r} in this stack already ({sid}).",
                "Declare each number once.",
            )

    def declare_number(self, number: str, account: tuple[str | None, str], urn: str) -> None:
        """Record that the resource declares this number, in E.164, in this account.

        account: its sid (None if that is not known yet), and the base URL that it is asked at.

        Raises DeclaredTwice if another resource does: that one came first, and its phone may be ringing. Raises
        OwnershipUnknown if the other plugin processes can't be told.
        """
        # Another process may mean another account by the one that is not known yet. A number may be a secret.
        key = hashlib.sha256(f"{account[0] or os.getpid()} {account[1]} {number}".encode()).hexdigest()
        other = self.acquire(key, urn) if urn else None
        if other is not None:
            raise DeclaredTwice(readable(number), name_of(other))

    def check_notes(self) -> None:
        """Raise OwnershipUnknown if what the other plugin processes note can't be read."""
        with self._lock:
            self._handover.find("")

    def fail_if_deleted(self, sid: str, number: str) -> None:
        """Raises Gone for a caller ID that this operation deletes, or has deleted: lists may still have it."""
        holder = self.owner(sid)
        if holder is not None and holder.startswith(DELETING):
            raise Gone(
                f"{readable(number)} can't be taken over: its caller ID {sid} is being deleted in the same operation.",
                "Run the same command again.",
            )

    def begin_delete(self, sid: str, urn: str) -> str | None:
        """Record that the resource's caller ID is being deleted, so that no resource takes it over any more.

        Gives the URN of the resource that owns it, if one does: then it must not be deleted. Raises OwnershipUnknown if
        the notes of the other plugin processes can't be read.
        """
        holder = self.owner(sid)
        other = self.acquire(sid, DELETING + urn) if holder is None else holder
        return None if other is None or other.startswith(DELETING) else other

    def release(self, sid: str, urn: str) -> None:
        """Drop the resource's ownership, as it is to be replaced. Another resource that owns the caller ID keeps it."""
        with self._lock:
            if self._holders.get(sid) == urn:
                del self._holders[sid]
                self._handover.release(sid)

    def owner(self, sid: str) -> str | None:
        """The URN of the resource that owns this caller ID, None if none is known to.

        Raises OwnershipUnknown if the notes of the other plugin processes can't be read.
        """
        with self._lock:
            if sid in self._holders:
                return self._holders[sid]
            return self._noted(lambda: self._handover.find(sid))

    def _noted(self, act: Callable[[], str | None]) -> str | None:
        """What `act` gives, which reads or writes notes. A preview places no call, so it goes on without notes."""
        try:
            return act()
        except OwnershipUnknown:
            if not self._previews:
                raise
            return None


def name_of(urn: str) -> str:
    """The name that the program gave the resource."""
    return urn.rpartition("::")[2]

"""What a plugin process remembers between the engine's calls of one operation.

The engine starts a process for each operation and each provider resource, and says nothing to Delete of what Create has
just done. The provider itself holds no state (its pickle is a bare reference), so it is kept here.
"""

from __future__ import annotations

import threading

from .errors import AlreadyVerified
from .handover import Handover
from .phone_number import readable


class Memory:
    """One operation's. URNs are "" where the engine's call is not within reach; such calls are not told apart."""

    def __init__(self, handover: Handover | None = None) -> None:
        self._handover = handover or Handover(None)
        self._lock = threading.Lock()
        self._imports: dict[str, str] = {}
        self._previewed: set[str] = set()
        self._given_up: dict[str, str] = {}
        self._in_state: set[str] = set()
        self._holders: dict[str, str] = {}

    def declared(self, urn: str, *, in_state: bool, import_sid: str | None = None, previewed: bool = False) -> None:
        """The program declares this resource: is it in the state, which sid does its `import_` name, if any, and is
        this a preview.
        """
        with self._lock:
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

    def give_up(self, urn: str, what: str) -> None:
        """What the resource loses as it is replaced, in words."""
        with self._lock:
            self._given_up[urn] = what

    def given_up(self, urn: str) -> str | None:
        """What `give_up` was told of the resource."""
        with self._lock:
            return self._given_up.get(urn)

    def import_sid(self, urn: str) -> str | None:
        """The sid that the program's `import_` names for this resource."""
        with self._lock:
            return self._imports.get(urn)

    def hold(self, sid: str, urn: str) -> str | None:
        """A resource has the caller ID when the operation ends, so nothing may delete it on the way there.

        Gives the URN of another resource that has it already, in which case that one keeps it.
        """
        with self._lock:
            other = self._holders.setdefault(sid, urn)
            self._handover.post(sid, other)
            return other if other and urn and other != urn else None

    def claim(self, sid: str, urn: str, number: str) -> None:
        """As `hold`, for a resource that is to have the caller ID of this number. Raises AlreadyVerified where another
        one has it.
        """
        other = self.hold(sid, urn)
        if other is not None:
            raise AlreadyVerified(
                f"{readable(number)} is managed as {name_of(other)!r} in this stack already ({sid}).",
                "Declare each number once.",
            )

    def release(self, sid: str, urn: str) -> None:
        """A resource that has this caller ID is to be replaced. One that has taken it over meanwhile keeps it."""
        with self._lock:
            if self._holders.get(sid) == urn:
                del self._holders[sid]

    def holder(self, sid: str) -> str | None:
        """The URN of the resource that has this caller ID when the operation ends, None where none is known to."""
        with self._lock:
            return self._holders[sid] if sid in self._holders else self._handover.find(sid)


def name_of(urn: str) -> str:
    """The name that the program gave the resource."""
    return urn.rpartition("::")[2]

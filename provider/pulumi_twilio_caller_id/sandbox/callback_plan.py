"""How StatusCallbacks go: as they should, or wrong in one of the ways they may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

from .seconds import is_seconds

How = Literal["normally", "lost", "late", "doubled", "badly-signed", "unsigned", "early", "shared-key"]
HOWS: tuple[str, ...] = get_args(How)

LATE = 1.0  # seconds, where it is not said how late


@dataclass(frozen=True)
class Plan:
    """How the callbacks of calls go that end from now on; see `testing.Sandbox.callbacks_go`."""

    how: How = "normally"
    delay: float | None = None

    def __post_init__(self) -> None:
        read_how(self.how)
        if self.delay is not None and self.how != "late":
            raise ValueError(f"delay is for late callbacks, not for {self.how!r}")
        if self.delay is not None and not is_seconds(self.delay):
            raise ValueError(f"delay is a number of seconds, 0 or more, not {self.delay!r}")

    @property
    def pause(self) -> float:
        """Seconds from the end of the call."""
        return 0.0 if self.how != "late" else LATE if self.delay is None else self.delay


def read_how(how: str) -> How:
    """One of the ways; `ValueError` where it is none."""
    if how not in HOWS:
        raise ValueError(f"callbacks go {', '.join(HOWS)}, not {how!r}")
    return cast(How, how)

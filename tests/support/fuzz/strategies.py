"""What histories are made of (`state_machine.py`): few names and few numbers, so that they meet; operations that mostly
go well, or have phones that nobody answers, or trouble on the way.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from pulumi_twilio_caller_id.sandbox.faults import Endpoint
from tests.support.fuzz.network_faults import Kind, Trouble

SUBACCOUNT = "AC" + "5" * 32
NAMES = ("desk", "lobby", "lab")
NUMBERS = ("+14155550101", "+14155550102", "+14155550103", "+14155550104")
ELSEWHERE = NUMBERS[:2]
"""Verified in the Console before the history begins."""

FRIENDLY = ("Desk", None, "Lobby", "Front")
PHONES = ("busy", "no-answer", "wrong-code", "hangs-up", "country-blocked", "late-listed", "manual", "refused")


@dataclass(frozen=True)
class Then:
    """What is run after an edit. operation: None for nothing yet."""

    operation: str | None = "up"
    phone: str = "keys-code"
    trouble: Trouble | None = None


WELL = ("up", "up", "up", "preview, up", "preview, up", "up --refresh", "refresh, up", None)
BADLY: dict[str, tuple[Endpoint, ...]] = {
    "up": ("list", "create", "create", "update", "delete", "call"),
    "up --refresh": ("fetch", "list", "update"),
    "refresh": ("fetch", "fetch", "list"),
    "preview": ("list", "fetch"),
    "destroy": ("delete",),
}
"""Operations, and what they ask of Twilio, to have trouble with."""


def troubles(operation: str) -> st.SearchStrategy[Trouble]:
    kinds: list[Kind] = ["500", "404", "{}", "hang", "drop after", "drop before", "429", "HTML"]
    apart = ("overtaken", "refused", "overtaken") if operation == "up" else ("refused",)
    answered = st.builds(Trouble, st.sampled_from(kinds), st.sampled_from(BADLY[operation]), st.booleans())
    killed = st.builds(Trouble, st.just("killed"), at=st.integers(1, 4))
    return st.one_of(answered, answered, answered, killed, st.builds(Trouble, st.sampled_from(apart)))


def badly(operation: str) -> st.SearchStrategy[Then]:
    return st.builds(Then, st.just(operation), st.sampled_from(("keys-code", "manual")), troubles(operation))


THEN = st.one_of(
    st.builds(Then, st.sampled_from(WELL)),
    st.builds(Then, st.sampled_from(WELL)),
    st.builds(Then, st.sampled_from(WELL)),
    st.builds(Then, st.just("up"), st.sampled_from(PHONES)),
    badly("up"),
    st.sampled_from(tuple(BADLY)).flatmap(badly),
)
CALLING = st.one_of(
    st.builds(Trouble, st.just("overtaken")),
    st.builds(Trouble, st.sampled_from(("hang", "drop after", "500")), st.just("create"), st.booleans()),
    st.builds(Trouble, st.just("killed"), at=st.integers(2, 5)),
    troubles("up"),
)
"""Trouble while a number is verified."""

NEARLY: tuple[Kind, ...] = ("404", "{}")

LOOK = st.one_of(
    st.builds(Then, st.sampled_from(("refresh, up", "up --refresh", "up", "refresh"))),
    badly("refresh"),
    THEN,
)
"""After something has changed at Twilio."""

"""`sandbox --join`: a command that uses the sandbox that has the state file already. And `--page`, there and here."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .common import Mistake
from .sandbox_options import rung_by_hand

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.testing import Sandbox

PATIENCE = 10.0
"""Seconds for another sandbox that has the file to be reached: it may just be starting, or about to end."""
PAUSE = 0.1  # seconds from look to look
TIMEOUT = 5.0  # seconds for an answer


def start_or_join(make: Callable[[], Sandbox]) -> Sandbox | str:
    """A sandbox that has been made and started, or, where another has its state file, that one's URL.

    `make` raises `StateFileInUse` where it has to write to the file. `Mistake` where the other cannot be reached.
    """
    from pulumi_twilio_caller_id.sandbox.credentials import Credentials
    from pulumi_twilio_caller_id.sandbox.store import StateFileInUse

    until = time.monotonic() + PATIENCE
    while True:
        try:
            return make().start()
        except StateFileInUse as taken:
            owner = taken.owner
        if owner.url is not None and _serves(owner.url, Credentials().account_sid):
            return owner.url
        if time.monotonic() >= until:
            raise Mistake(
                f"the sandbox that has the state file{owner} cannot be reached: stop it first, or name another file", 1
            )
        time.sleep(PAUSE)


def joined_environment(url: str) -> dict[str, str]:
    """The environment variables that lead there: every sandbox has the same credentials, unless they were rotated."""
    from pulumi_twilio_caller_id.sandbox.credentials import Credentials

    return Credentials().environment(url)


def what_others_do(url: str, *, ring_by_hand: bool) -> str | None:
    """What the numbers do that nobody described there; None where they were not described all together either.

    ring_by_hand: in that case they ring from now on until somebody answers. `Mistake` where no sandbox is there.
    """
    from pulumi_twilio_caller_id.sandbox.phones import EVERY

    try:
        phones = _ask(f"{url}/sandbox/state")["phones"]
        if ring_by_hand and EVERY not in phones:
            by_hand = rung_by_hand({})[EVERY].model_dump(mode="json", exclude_none=True)
            phones = _ask(f"{url}/sandbox/phones/{EVERY}", by_hand)
        return str(phones[EVERY]["behaviour"]) if EVERY in phones else None
    except (OSError, ValueError) as gone:
        raise Mistake(f"the sandbox at {url} cannot be reached any more: try again", 1) from gone


def _serves(url: str, account_sid: str) -> bool:
    """Whether a sandbox answers there, and not somebody else who has the port by now."""
    try:
        state = _ask(f"{url}/sandbox/state")
    except (OSError, ValueError):
        return False
    return isinstance(state, dict) and state.get("account_sid") == account_sid


def _ask(url: str, body: object = None) -> Any:
    """What a sandbox answers; a body is put there. `OSError` or `ValueError` where it is no sandbox."""
    import urllib.request  # here, as it takes a while to load, and no other command needs it

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is on this machine
    request = urllib.request.Request(url)  # noqa: S310 - an address of ours
    if body is not None:
        request = urllib.request.Request(url, json.dumps(body).encode(), method="PUT")  # noqa: S310
    with opener.open(request, timeout=TIMEOUT) as answer:
        return json.load(answer)

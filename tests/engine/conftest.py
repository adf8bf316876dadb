from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from canaries import EU, NUMBER, SECRETS, Search, Watched
from harness import Stack
from pulumi_twilio_caller_id.testing import Delays, Sandbox

QUICK = Delays(queued=0, rings=0.1, talks=0.1)


@pytest.fixture
def twilio_sandbox_options() -> dict[str, Any]:
    return {"delays": QUICK}


@pytest.fixture
def sandbox(twilio_sandbox: Sandbox) -> Sandbox:
    return twilio_sandbox


@pytest.fixture
def make_stack(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """Makes stacks, and sees to it that none of their processes outlives the test."""
    made: list[Stack] = []

    def make(name: str = "stack", environment: dict[str, str] | None = None) -> Stack:
        stack = Stack(tmp_path / name, dict(environment or {}))
        made.append(stack)
        return stack

    yield make
    left = [pid for stack in made for pid in stack.left_behind()]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == [], "processes of the engine were left behind"


@pytest.fixture
def stack(make_stack: Callable[..., Stack], sandbox: Sandbox) -> Stack:
    """A stack whose account is the sandbox's, its credentials in the environment."""
    return make_stack(environment=sandbox.environment)


@pytest.fixture
def canary_account() -> Iterator[Sandbox]:
    """An account that canaries open, and a subaccount."""
    numbers = {"+14155550103": "Old"}
    with Sandbox(delays=QUICK, subaccounts={EU: SECRETS["eu token"]}, numbers=numbers, callbacks="lost") as sandbox:
        sandbox.set_auth_token(SECRETS["auth token"])
        sandbox._credentials.api_secret = SECRETS["API secret"]
        yield sandbox


@pytest.fixture
def watch(make_stack: Callable[..., Stack]) -> Callable[..., Watched]:
    """Makes stacks all of whose output is searched for secrets."""

    def make(environment: dict[str, str] | None = None) -> Watched:
        return Watched(make_stack(environment=environment), Search(SECRETS | {"secret number": NUMBER}))

    return make

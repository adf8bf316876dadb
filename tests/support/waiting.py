"""Wait for an event, with a limit that also holds on a machine that is busy or stands still for seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pulumi_twilio_caller_id.cancellation import CancelToken

T = TypeVar("T")


class SleeplessToken(CancelToken):
    """A cancel token whose pauses take no time. `sleep` is called in place of each."""

    def __init__(self, sleep: Callable[[float], object] = lambda _: None) -> None:
        super().__init__()
        self._sleep = sleep

    def wait(self, seconds: float) -> None:
        self._sleep(seconds)


PATIENCE = 60.0
"""Seconds. Only a failing test waits this long. What must end early is to take less than half of it."""


def until(holds: Callable[[], T], told: Callable[[], object] = str) -> T:
    """Wait until `holds()` is true; return its value. After PATIENCE and one more look, fail with what `told` says."""
    give_up = time.monotonic() + PATIENCE
    while True:
        late = time.monotonic() > give_up
        if held := holds():
            return held
        assert not late, f"not so within {PATIENCE:g} s: {told()}"
        time.sleep(0.005)

"""How long tests wait for what comes about by itself: a machine may be busy, or stand still for seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds. Only a test that fails waits so long; half of it is the bound of what is to end before its time is over."""


def until(holds: Callable[[], T], told: Callable[[], object] = str) -> T:
    """Wait until something holds, and give it back. Fails after PATIENCE, and one more look, with what `told` says."""
    give_up = time.monotonic() + PATIENCE
    while True:
        late = time.monotonic() > give_up
        if held := holds():
            return held
        assert not late, f"not so within {PATIENCE:g} s: {told()}"
        time.sleep(0.005)

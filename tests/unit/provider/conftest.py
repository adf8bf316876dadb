"""A stack on the engine in this process, and an engine that a plugin process logs to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.both_engines import sandbox_of_history
from tests.support.fixtures.engine_log import *
from tests.support.fuzz.network_faults import Clock
from tests.support.local_stack import LocalStack


@pytest.fixture
def local() -> Iterator[LocalStack]:
    clock = Clock()
    with sandbox_of_history(clock=clock.now) as sandbox:
        yield LocalStack(sandbox, clock)

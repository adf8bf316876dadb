"""What all tests need of the process that they run in."""

from __future__ import annotations

import pytest

from tests.support.machine import heed_interrupts

pytest_plugins = ["pulumi_twilio_caller_id.pytest_plugin", "tests.support.plugins.conformance"]

heed_interrupts()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--shell",
        default="dynamic",
        choices=["dynamic", "native", "both"],
        help="which provider the tests in tests/engine are about",
    )

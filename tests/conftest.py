"""What all tests need of the process that they run in."""

from __future__ import annotations

from tests.support.machine import heed_interrupts

pytest_plugins = ["pulumi_twilio_caller_id.pytest_plugin", "tests.support.plugins.conformance"]

heed_interrupts()

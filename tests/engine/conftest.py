"""The fixtures of tests on the real Pulumi engine."""

from tests.support.fixtures.engine import canary_account, make_stack, sandbox, stack, twilio_sandbox_options, watch
from tests.support.notify_service import plugins, service

__all__ = [
    "canary_account",
    "make_stack",
    "plugins",
    "sandbox",
    "service",
    "stack",
    "twilio_sandbox_options",
    "watch",
]

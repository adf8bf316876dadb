"""The fixtures of tests on the real Pulumi engine."""

from tests.support.fixtures.engine import canary_account, make_stack, sandbox, stack, twilio_sandbox_options, watch

__all__ = ["canary_account", "make_stack", "sandbox", "stack", "twilio_sandbox_options", "watch"]

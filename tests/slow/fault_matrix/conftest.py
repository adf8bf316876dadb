"""The fixtures of tests that need no Pulumi engine, in place of those of `tests/slow`."""

from tests.support.fixtures.unit import (
    answering,
    clean_environment,
    connect,
    provider,
    sandbox,
    sleeps,
    twilio_sandbox_options,
)

__all__ = ["answering", "clean_environment", "connect", "provider", "sandbox", "sleeps", "twilio_sandbox_options"]

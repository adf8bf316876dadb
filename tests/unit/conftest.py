"""The fixtures of tests that need no Pulumi engine."""

from tests.support.fixtures.unit import (
    answering,
    clean_environment,
    connect,
    provider,
    sandbox,
    sleeps,
    twilio_sandbox_options,
)
from tests.support.notify_service import plugins, service

__all__ = [
    "answering",
    "clean_environment",
    "connect",
    "plugins",
    "provider",
    "sandbox",
    "service",
    "sleeps",
    "twilio_sandbox_options",
]

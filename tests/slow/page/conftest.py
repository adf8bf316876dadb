"""The fixtures of tests that need no Pulumi engine, in place of those of `tests/slow`."""

from tests.support.fixtures.unit import *

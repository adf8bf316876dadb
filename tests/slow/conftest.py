"""The fixtures of tests on the real Pulumi engine."""

from tests.support.fixtures.engine import *

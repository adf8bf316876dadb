"""The fixtures of tests that need no Pulumi engine."""

from tests.support.fixtures.notify import *
from tests.support.fixtures.unit import *

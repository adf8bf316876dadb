"""What all tests need of the process that they run in."""

from __future__ import annotations

from harness import heed_interrupts

heed_interrupts()

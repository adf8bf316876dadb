"""What all tests need of the process that they run in."""

from __future__ import annotations

import signal

# A shell has what it runs in the background ignore ^C, and so would every process that a test starts to interrupt it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

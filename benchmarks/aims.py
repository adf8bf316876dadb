"""What the figures should be at most."""

AIMS = {
    "unchanged": "1.10",
    "new": "1.10",
    "refresh": "1.20",
    "start": "1.15",
    "memory": "1.15",
    "waiting": "1.60",
    "callback": "median 60 ms",
    "listed": "longest 1 s",
    "destroy": "1.20",
}
"""By the name in docs/performance.md, which has the same aims: a ratio to the baseline, or a time."""

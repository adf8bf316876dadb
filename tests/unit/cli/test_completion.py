"""How bash completes `pulumi-twilio-caller-id`, as it is set up in docs/reference.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "pulumi-twilio-caller-id"
COMPLETED = f"""
eval "$(register-python-argcomplete {PROGRAM})"
COMP_LINE="$1" COMP_POINT=${{#1}} COMP_TYPE=9 COMPREPLY=()
_python_argcomplete {PROGRAM} "" ""
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("typed", "completions"),
    [("imp", "import-file"), ("sandbox --page --po", "--port"), ("sandbox --state x.json --ri", "--ring-after")],
)
def test_bash_completes_commands_and_options(typed: str, completions: str) -> None:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    command = ["bash", "-c", COMPLETED, "bash", f"{PROGRAM} {typed}"]
    done = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=True)
    assert (completions, "") == (done.stdout.strip(), done.stderr)


def test_without_the_extra_nothing_is_completed() -> None:
    program = "import sys; sys.modules['argcomplete'] = None; from pulumi_twilio_caller_id.cli import main; main([])"
    done = subprocess.run(
        [sys.executable, "-c", program], env={"_ARGCOMPLETE": "1"}, capture_output=True, text=True, check=True
    )
    assert "" == done.stdout

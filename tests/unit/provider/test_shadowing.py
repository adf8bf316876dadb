"""Files beside the program that have the name of a library, one library after another, in a process for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from pulumi_twilio_caller_id.testing import Sandbox

RUN = """
import json, os, sys
from pulumi_twilio_caller_id import get_outgoing_caller_ids
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.shadowing import explain_shadowing


def act(what):
    if what == "look up":
        get_outgoing_caller_ids("415-555-0101")
    with explain_shadowing():
        if what == "preview":
            OutgoingCallerIdProvider().check({}, {"phone_number": "+14155550101", "__dry_run": True})
        elif what == "race":
            name = "pulumi_twilio_caller_id.api.client"
            raise ImportError(f"cannot import name 'Client' from {name!r}", name=name)
        elif what == "miss":
            import no_such_library


for folder, what in json.load(sys.stdin):
    if os.fork():
        os.wait()
        continue
    sys.path[0] = folder
    try:
        act(what)
        told = ""
    except Exception as failed:
        told = str(failed)
    print(json.dumps(told), flush=True)
    os._exit(0)
"""
PREVIEWED = ("twilio", "phonenumbers", "pydantic", "requests", "urllib3", "pydantic_core")
LOOKED_UP = ("twilio", "phonenumbers", "pydantic", "requests")
RACED = ("twilio", "requests")
RAISES = "import os\nraise RuntimeError(os.sep)\n"


def test_the_file_is_named_and_to_be_renamed(sandbox: Sandbox, tmp_path: Path) -> None:
    """The file may lack what the library has, or fail; another thread may see that. Only such a file is blamed."""
    runs = [(name, "preview", "number = 1\n") for name in PREVIEWED] + [(name, "look up", RAISES) for name in LOOKED_UP]
    runs += [(name, "race", RAISES) for name in RACED]
    runs += [("desk", "preview", RAISES), ("apprise", "look up", RAISES), ("desk", "miss", RAISES)]
    folders = [tmp_path / f"{at} {name}" for at, (name, _, _) in enumerate(runs)]
    for folder, (name, _, text) in zip(folders, runs, strict=True):
        folder.mkdir()
        (folder / f"{name}.py").write_text(text)
    given = json.dumps([(str(folder), what) for folder, (_, what, _) in zip(folders, runs, strict=True)])
    environment = os.environ | sandbox.environment
    done = subprocess.run(
        [sys.executable, "-c", RUN], input=given, env=environment, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr

    told = [json.loads(line) for line in done.stdout.splitlines()]
    for folder, (name, what, _), message in zip(folders, runs, told, strict=True):
        if name in PREVIEWED:
            assert message == (
                f"{'get_outgoing_caller_ids: ' * (what == 'look up')}{name}.py in {folder} has the name of the Python"
                f" library {name}, so Python loads it instead.\nRename {name}.py, and run the same command again."
            )
    assert ["", "", "No module named 'no_such_library'"] == told[-3:]

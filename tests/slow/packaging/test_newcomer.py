"""The commands of the README, in a copy of the project as it is committed."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from tests.support.checkout import copy_project
from tests.support.machine import ROOT, free_port
from tests.support.waiting import PATIENCE


class Checkout:
    def __init__(self, folder: Path) -> None:
        self.folder = copy_project(folder)
        # What a first `make` would build is taken from here: CI builds it in a checkout of its own.
        (folder / ".venv").symlink_to(ROOT / ".venv")
        (folder / ".engine").symlink_to(ROOT / ".engine")
        # As old as can be, or make would install this copy into the environment that it shares with all other tests.
        for name in ("requirements.txt", "requirements-dev.txt", "pyproject.toml"):
            os.utime(folder / name, (0, 0))

    def make(self, *targets: str, ok: bool = True) -> str:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("TWILIO_", "PULUMI_", "MAKE", "MFLAGS"))}
        process = subprocess.Popen(
            ["make", *targets],
            cwd=self.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output = process.communicate(timeout=120)[0]
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        assert not ok or process.returncode == 0, output
        return output

    @property
    def caller_ids(self) -> dict[str, str]:
        """What the local Twilio holds after the command: number -> friendly name."""
        account = json.loads((self.folder / ".state" / "twilio.json").read_text())
        return {record["phone_number"]: record["friendly_name"] for record in account["caller_ids"]}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


def test_up_again_preview_rename_refresh_destroy(checkout: Checkout) -> None:
    first = checkout.make("up")
    assert 3 == len(re.findall(r'^    [\w-]+ *: "PN[0-9a-f]{32}"$', first.partition("Updating")[2], re.MULTILINE))
    assert "+ 4 created" in first

    second = checkout.make("up")
    assert "4 unchanged" in second
    assert re.findall('"PN.*"', first) == re.findall('"PN.*"', second)

    assert "4 unchanged" in checkout.make("preview")

    stack = checkout.folder / "Pulumi.sandbox.yaml"
    stack.write_text(stack.read_text().replace("Front desk", "Reception"))
    assert "~ 1 to update" in checkout.make("preview")
    assert "~ 1 updated" in checkout.make("up")
    assert {"+14155550101": "Reception", "+14155550102": "Support line", "+493090182000": "Berlin office"} == (
        checkout.caller_ids
    )

    assert "4 unchanged" in checkout.make("refresh")
    assert "- 4 deleted" in checkout.make("destroy")
    assert {} == checkout.caller_ids


def test_the_phone_s_address_stays_on_the_screen_until_ctrl_c_which_is_no_error(checkout: Checkout) -> None:
    """In a terminal, as ^C goes to all that is in its foreground: to make too, which would make an error of it."""
    port = free_port()
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(checkout.folder)
        os.execvp("make", ["make", "phone", f"PORT={port}"])  # noqa: S606
    with os.fdopen(terminal, "rb", 0) as screen:
        shown = b""
        while f"Phone: http://127.0.0.1:{port}/\r\n".encode() not in shown:
            shown += screen.read(1000)
        assert requests.get(f"http://127.0.0.1:{port}/sandbox/state", timeout=PATIENCE).ok
        os.write(terminal, b"\x03")
        rest = b""
        with suppress(OSError):  # the terminal's other side is closed
            while more := screen.read(1000):
                rest += more
    assert (b"^C\r\nThe sandbox has stopped.\r\n", 0) == (rest, os.waitpid(process, 0)[1])


def test_what_make_runs_leaves_the_checkout_clean(checkout: Checkout) -> None:
    """Nothing that git tracks is rewritten, so that a newcomer's `git status` stays clean."""
    tracked = ["Pulumi.sandbox.yaml", "Pulumi.yaml", "requirements.txt", "tools/cli/go.sum"]
    before = {name: (checkout.folder / name).read_text() for name in tracked}
    checkout.make("preview")

    assert before == {name: (checkout.folder / name).read_text() for name in tracked}

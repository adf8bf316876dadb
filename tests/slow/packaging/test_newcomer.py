"""The commands of the README, in a copy of the project as it is committed."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from tests.support.checkout import copy_project
from tests.support.machine import ROOT, free_port
from tests.support.waiting import PATIENCE, until
from tools.engine import cache

NUMBERS = {"+14155550101": "Front desk", "+14155550102": "Support line", "+493090182000": "Berlin office"}
CONTROLLING = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)
"""Makes the terminal on standard input the controlling one, which turns ^C into a signal."""


class Checkout:
    def __init__(self, folder: Path) -> None:
        self.folder = copy_project(folder)
        # What a first `make` would build is taken from here: CI builds it in a checkout of its own.
        (folder / ".venv").symlink_to(ROOT / ".venv")
        (folder / ".engine").symlink_to(ROOT / ".engine")
        # As old as can be, or make would install this copy into the environment that it shares with all other tests.
        for name in ("requirements.txt", "requirements-dev.txt", "pyproject.toml"):
            os.utime(folder / name, (0, 0))

    @property
    def environment(self) -> dict[str, str]:
        return {k: v for k, v in os.environ.items() if not k.startswith(("TWILIO_", "PULUMI_", "MAKE", "MFLAGS"))}

    def make(self, *targets: str, ok: bool = True) -> str:
        process = subprocess.Popen(
            ["make", *targets],
            cwd=self.folder,
            env=self.environment,
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

    def make_and_interrupt(self, target: str, when: str, *, close: bool = False) -> str:
        """Run `make` in a terminal. Once its output has `when`, press ^C or close the terminal. Return the output."""
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-ISc", CONTROLLING, "make", target],
            cwd=self.folder,
            env=self.environment | {"TERM": "dumb"},  # one line for each news, not a table that is painted anew
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        output, done = b"", False
        try:
            # The output ends with an error once the last process that had the terminal open has ended.
            with contextlib.suppress(OSError), os.fdopen(master, "r+b", 0) as terminal:
                while data := terminal.read(65536):
                    output += data
                    if not done and when.encode() in output:
                        done = True
                        if close:
                            break
                        terminal.write(b"\x03")
            assert 0 != process.wait(60), output.decode()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        return output.decode()

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
    assert 1 == first.count("This is a sandbox: ")
    assert first.index("This is a sandbox: ") < first.index("Previewing")
    assert "What to try next:" in first.partition("4 created")[2]

    second = checkout.make("up")
    assert "4 unchanged" in second
    assert re.findall('"PN.*"', first) == re.findall('"PN.*"', second)

    assert "4 unchanged" in checkout.make("preview")

    stack = checkout.folder / "Pulumi.sandbox.yaml"
    stack.write_text(stack.read_text().replace("Front desk", "Reception"))
    assert "~ 1 to update" in checkout.make("preview")
    assert re.search(r'"Front desk".* => "Reception"', checkout.make("preview", "ARGS=--diff"))
    assert "~ 1 updated" in checkout.make("up")
    assert NUMBERS | {"+14155550101": "Reception"} == checkout.caller_ids

    assert "4 unchanged" in checkout.make("refresh")
    destroyed = checkout.make("destroy")
    assert "- 4 deleted" in destroyed
    assert destroyed.splitlines()[-1].startswith("(Here: `tools/run pulumi stack rm sandbox`.")
    assert {} == checkout.caller_ids


def test_the_phone_s_address_stays_on_the_screen_until_ctrl_c_which_is_no_error(checkout: Checkout) -> None:
    """In a terminal, as ^C goes to all that is in its foreground: to make too, which would make an error of it."""
    port = free_port()
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(checkout.folder)
        os.execvpe("make", ["make", "phone", f"PORT={port}"], checkout.environment)  # noqa: S606
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


def test_up_again_after_an_interrupt(checkout: Checkout) -> None:
    """The simulated people key the code in although nobody waits any more: those numbers are taken over, not called."""
    interrupted = checkout.make_and_interrupt("up", "(ringing, ")
    assert "pulumi was interrupted while Twilio's call to it was " in interrupted
    assert "(Where it says `pulumi up`: here that is `make up`.)" in interrupted
    # Before that, `up` would call once more, and a call that goes on would verify its number anew after `destroy`.
    called = set(re.findall(r"\(call (CA\w+)\)", interrupted))
    until(lambda: len(called) == len(set(re.findall(r"adopt (PN\w+), no call", checkout.make("preview")))))
    assert "+ 3 created" in checkout.make("up")
    assert NUMBERS == checkout.caller_ids

    checkout.make("destroy")
    assert {} == checkout.caller_ids
    assert "+ 4 created" in checkout.make("up")


def test_up_again_after_the_terminal_was_closed(checkout: Checkout) -> None:
    """Whoever of the foreground is told by SIGHUP, it ends as by ^C: nothing stays behind, locked or pending."""
    checkout.make_and_interrupt("up", "(ringing, ", close=True)
    assert [] == list((checkout.folder / ".state" / ".pulumi" / "locks").rglob("*.json"))
    again = checkout.make("up")
    assert "+ 3 created" in again
    assert "pending operations" not in again


def test_what_make_runs_leaves_the_checkout_clean(checkout: Checkout) -> None:
    """Nothing that git tracks is rewritten, so that a newcomer's `git status` stays clean."""
    tracked = ["Pulumi.sandbox.yaml", "Pulumi.yaml", "requirements.txt", "tools/cli/go.sum"]
    before = {name: (checkout.folder / name).read_text() for name in tracked}
    checkout.make("preview")

    assert before == {name: (checkout.folder / name).read_text() for name in tracked}


@pytest.mark.parametrize("given", ["absolute", "", "relative"])
def test_make_clean_says_which_copies_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """The place is in the Makefile too: `make clean` has no Python of the project's any more."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", f"{tmp_path}/own" if given == "absolute" else given)
    command = ["make", "--silent", "-C", str(tmp_path), "-f", str(ROOT / "Makefile"), "clean"]
    assert "stay in" not in subprocess.check_output(command, text=True)
    folder = cache.cache_folder()
    assert folder is not None
    folder.mkdir(parents=True)
    (folder / "pulumi").write_bytes(bytes(3 << 20))
    told = re.escape(f" stay in {folder.parent}: the engine, for all checkouts\n")
    assert re.fullmatch(rf"clean: [34]\.?\d?M{told}", subprocess.check_output(command, text=True))

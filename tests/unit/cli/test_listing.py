"""`list`, and how the command line behaves in a pipe."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import pulumi_twilio_caller_id
from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.cli import main
from pulumi_twilio_caller_id.cli.account import collect
from pulumi_twilio_caller_id.cli.listing import table
from pulumi_twilio_caller_id.models import CallerId
from pulumi_twilio_caller_id.settings.model import Settings
from pulumi_twilio_caller_id.testing import Delays, RequestRecord, Sandbox

COMMAND = [sys.executable, "-W", "error", "-m", "pulumi_twilio_caller_id"]


@pytest.fixture(autouse=True)
def outside_of_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def account(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The sandbox, its account set in the environment."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    return sandbox


@pytest.fixture
def crowded() -> Iterator[Sandbox]:
    """An account of 2,100 numbers: three pages."""
    with Sandbox(delays=Delays(0, 0, 0), numbers={f"+1415555{at:04d}": f"Line {at}" for at in range(2100)}) as running:
        yield running


def caller_id(friendly_name: str | None, date: str | None = "Thu, 20 Aug 2026 10:00:00 +0000") -> CallerId:
    return CallerId(
        sid="PN" + "0" * 32,
        phone_number="+14155550101",
        friendly_name=friendly_name,
        account_sid="AC" + "a" * 32,
        date_created=date,
    )


# What is shown


def test_a_table_of_the_numbers() -> None:
    """Aligned, names last, within 80 columns where names are usual."""
    rows = [caller_id("Front desk"), caller_id("(030) 901820").model_copy(update={"phone_number": "+4930901820"})]
    assert table(rows) == (
        "SID                                 NUMBER        CREATED     FRIENDLY NAME\n"
        "PN00000000000000000000000000000000  +14155550101  2026-08-20  Front desk\n"
        "PN00000000000000000000000000000000  +4930901820   2026-08-20  (030) 901820\n"
    )


def test_what_a_table_can_not_show() -> None:
    """Control characters; a date that is missing, or is none. No line has spaces at its end."""
    assert [
        "PN00000000000000000000000000000000  +14155550101  2026-08-20  red [31m !",
        "PN00000000000000000000000000000000  +14155550101  -",
        "PN00000000000000000000000000000000  +14155550101  -           x",
    ] == table([caller_id("red\x1b[31m\n!"), caller_id(None, None), caller_id("x", "soon")]).splitlines()[1:]


def test_list_shows_the_account(account: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["list"])
    [record] = account.caller_ids
    printed = capsys.readouterr()
    assert [record.sid, "+14155550199"] == printed.out.splitlines()[1].split()[:2]
    assert "" == printed.err


def test_json_has_all_that_twilio_tells(account: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["list", "--json"])
    [record] = json.loads(capsys.readouterr().out)
    assert CallerId.model_validate(record).model_dump() == record
    assert {"+14155550199", account.caller_ids[0].sid} < set(record.values())


@pytest.mark.parametrize(("option", "expected"), [([], "SID  NUMBER  CREATED  FRIENDLY NAME\n"), (["--json"], "[]\n")])
def test_an_account_without_numbers(
    option: list[str], expected: str, account: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    account.remove(account.caller_ids[0].sid)
    assert 0 == main(["list", *option])
    assert (expected, f"No verified numbers in account {account.account_sid}.\n") == capsys.readouterr()


def test_a_subaccount(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    subaccount = "AC" + "b" * 32
    with Sandbox(subaccounts=[subaccount]) as sandbox:
        for name, value in sandbox.environment.items():
            monkeypatch.setenv(name, value)
        sandbox.add_caller_id("+14155550101", "Elsewhere", subaccount)
        assert 0 == main(["list", "--json", "--account-sid", subaccount])
    assert [subaccount] == [record["account_sid"] for record in json.loads(capsys.readouterr().out)]


def test_a_sid_that_is_none_of_an_account(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["list", "--account-sid", "SK1"])
    assert 2 == ended.value.code
    command, wrong = "pulumi-twilio-caller-id list", "'SK1' is not the sid of an account (AC and 32 hexadecimal digits)"
    told = [f"{command}: argument --account-sid: {wrong}", f"Help: {command} --help"]
    assert told == capsys.readouterr().err.splitlines()


# What goes wrong


def test_missing_credentials_are_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main(["list"])
    printed = capsys.readouterr()
    assert "" == printed.out
    first = "pulumi-twilio-caller-id: Twilio credentials are missing: no account sid and no auth token (or API key)."
    assert first == printed.err.splitlines()[0]
    assert "Set twilio:accountSid and twilio:authToken in the stack's config" in printed.err.splitlines()[1]


def test_nothing_is_written_where_a_page_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first page has come by then: half a list would look like a whole one."""

    def refuse_the_next_page(_record: RequestRecord) -> None:
        sandbox.fail("list", status=403, code=20003, message="No")

    sandbox = Sandbox(numbers={f"+1415555{at:04d}": None for at in range(1001)}, on_answer=refuse_the_next_page)
    with sandbox:
        for name, value in sandbox.environment.items():
            monkeypatch.setenv(name, value)
        assert 1 == main(["list"])
    printed = capsys.readouterr()
    assert ([200, 403], "") == ([record.status for record in sandbox.requests], printed.out)
    assert printed.err.startswith("pulumi-twilio-caller-id: Twilio refused to list the caller IDs of AC")


def test_progress_is_told_where_reading_takes_long(crowded: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """At most every two seconds; here each caller ID takes 5 ms."""
    settings = Settings.model_validate(
        {"account_sid": crowded.account_sid, "auth_token": crowded.auth_token, "api_url": crowded.url}
    )
    ticks = iter(range(10**6))
    assert 2100 == len(collect(Client(settings).stream(), clock=lambda: next(ticks) * 0.005))
    printed = capsys.readouterr()
    told = [f"read {count} caller IDs ..." for count in ("399", "799", "1,199", "1,599", "1,999")]
    assert (told, "") == (printed.err.splitlines(), printed.out)


def test_nothing_is_told_where_reading_is_quick(
    account: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pulumi_twilio_caller_id.cli.listing.collect", partial(collect, clock=lambda: 0.0))
    assert 0 == main(["list", "--json"])
    assert "" == capsys.readouterr().err


# As a program among others


def environment(sandbox: Sandbox, **more: str) -> dict[str, str]:
    path = {"PYTHONPATH": str(Path(pulumi_twilio_caller_id.__path__[0]).parent)}
    buffered = {"PYTHONUNBUFFERED": ""}  # as it is unless somebody sets it
    return {**os.environ, **path, **buffered, **sandbox.environment, **more}


def complaints(stderr: bytes) -> bytes:
    """What was said on stderr, but how far it is: a busy machine may take long enough for that."""
    return re.sub(rb"read [\d,]+ caller IDs \.\.\.\n", b"", stderr)


@pytest.mark.parametrize("command", [["list"], ["list", "--help"]])
def test_a_reader_that_is_gone_ends_it_quietly(command: list[str], crowded: Sandbox) -> None:
    """`| head -1`: neither a traceback nor the interpreter's complaint at its end."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*COMMAND, *command], stdout=write, stderr=subprocess.PIPE, env=environment(crowded), check=False, timeout=60
    )
    os.close(write)
    assert (141, b"") == (done.returncode, complaints(done.stderr))


@pytest.mark.parametrize(
    "words",
    [["list"], ["--help"], ["sandbox", "--port", "0"], ["import-file", "--all", "--program", "phones.py"]],
    ids=lambda words: words[0],
)
def test_a_full_disk_is_an_error(account: Sandbox, tmp_path: Path, words: list[str]) -> None:
    """After which the same command can be run again."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, *words],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(account),
            cwd=tmp_path,
            check=False,
            timeout=60,
        )
    message = b"pulumi-twilio-caller-id: the result could not be written: No space left on device\n"
    assert (1, message) == (done.returncode, complaints(done.stderr))
    assert [] == list(tmp_path.glob("*.py"))


def test_what_stdout_can_not_encode_is_escaped(account: Sandbox) -> None:
    account.add_caller_id("+14155550102", "Zürich")
    done = subprocess.run(
        [*COMMAND, "list"],
        capture_output=True,
        env=environment(account, PYTHONIOENCODING="ascii"),
        check=False,
        timeout=60,
    )
    assert (0, b"") == (done.returncode, complaints(done.stderr))
    assert b"Z\\xfcrich" in done.stdout


def test_an_interrupt_ends_it_quietly() -> None:
    running: list[subprocess.Popen[bytes]] = []

    def interrupt(_record: RequestRecord) -> None:
        if len(sandbox.requests) == 1:
            sandbox.fail("list", delay=60)
            running[0].send_signal(signal.SIGINT)

    sandbox = Sandbox(numbers={f"+1415555{at:04d}": None for at in range(1001)}, on_answer=interrupt)
    with sandbox:
        running.append(
            subprocess.Popen(
                [*COMMAND, "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(sandbox)
            )
        )
        stdout, stderr = running[0].communicate(timeout=60)
    assert (130, b"", b"") == (running[0].returncode, stdout, complaints(stderr))


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("list", ["--account-sid", "--stack", "--json"]),
        ("sandbox", ["--port", "--state", "--phones", "--deliver", "--env-file", "--json", "--verbose"]),
        (
            "import-file",
            [
                *["--account-sid", "--stack", "--all", "--phone-number", "--friendly-name", "--skip-managed", "--name"],
                *["--provider", "--parent", "--protect", "--no-protect", "--program", "--config"],
            ],
        ),
    ],
)
def test_help_is_complete_with_an_example(command: str, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    printed = capsys.readouterr().out
    assert 0 == ended.value.code
    assert [] == [option for option in options if f"  {option}" not in printed and f", {option}" not in printed]
    assert re.search(rf"^examples?:\n  pulumi-twilio-caller-id {command} ", printed, re.MULTILINE)
    assert "docs/" in printed or command != "sandbox"

"""`python -m pulumi_twilio_caller_id sandbox`: serving, running a command, and mistakes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

import pulumi_twilio_caller_id
from pulumi_twilio_caller_id.cli import main
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.waiting import PATIENCE

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(pulumi_twilio_caller_id.__path__[0]).parent)}
COMMAND = [sys.executable, "-W", "error", "-m", "pulumi_twilio_caller_id", "sandbox"]
NAME = "pulumi-twilio-caller-id: "
SUBACCOUNT = "AC" + "5" * 32
TOLD = "This is a sandbox: a local Twilio with simulated phones. Nobody is called.\n"
"""What stands on stderr before a command's own output."""


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process, and gives its status and what it and its own command print."""

    def in_this_process(*arguments: str) -> tuple[int, str, str]:
        status = main(["sandbox", *arguments])
        return status, *capfd.readouterr()

    return in_this_process


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A sandbox in the background, and the variables it told to set."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    with process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            yield process, dict(re.findall(r"(TWILIO_\w+)=(\S+)", line))
        finally:
            process.kill()


def test_it_ends_with_its_terminal() -> None:
    """Whether or not SIGHUP tells it so: its port would be taken for ever. Nobody is left to see its status."""
    terminal, its_side = os.openpty()
    command = [*COMMAND, "--port", "0"]
    with subprocess.Popen(command, stdin=its_side, stdout=its_side, stderr=its_side, env=ENVIRONMENT) as process:
        os.close(its_side)
        try:
            assert b"Sandbox at http://127.0.0.1:" in os.read(terminal, 1000)
            os.close(terminal)
            process.wait(PATIENCE)
        finally:
            process.kill()


def test_a_command_is_interrupted_as_its_terminal_is_closed(tmp_path: Path) -> None:
    """Also where SIGHUP is ignored: the command would go on unseen."""
    terminal, its_side = os.openpty()
    runs = """
import time
try:
    print("running", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    open("ended", "w")
"""
    ignoring = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"]
    command = [*ignoring, *COMMAND, "--port", "0", "--", sys.executable, "-c", runs]
    with subprocess.Popen(
        command,
        stdin=its_side,
        stdout=its_side,
        stderr=its_side,
        env=ENVIRONMENT,
        cwd=tmp_path,
        start_new_session=True,
    ) as process:
        os.close(its_side)
        try:
            shown = b""
            while b"running\r\n" not in shown:
                shown += os.read(terminal, 1000)
            os.close(terminal)
            process.wait(PATIENCE)
            assert (tmp_path / "ended").exists()
        finally:
            process.kill()


def python(code: str) -> list[str]:
    return ["--run", sys.executable, "-c", code]


# Serving


@pytest.mark.parametrize(("number", "told"), [(signal.SIGTERM, []), (signal.SIGINT, ["", "The sandbox has stopped."])])
@pytest.mark.parametrize("verbose", [[], ["-v"]])
def test_it_serves_until_it_is_told_to_stop(number: int, told: list[str], verbose: list[str]) -> None:
    """By ^C too: that is how a server ends, and no error. Requests are shown to who wants to see them."""
    with serving("--port", "0", *verbose) as (process, variables):
        assert set(variables) == {"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_API_URL"}
        path = f"/2010-04-01/Accounts/{variables['TWILIO_ACCOUNT_SID']}/OutgoingCallerIds.json"
        auth = (variables["TWILIO_ACCOUNT_SID"], variables["TWILIO_AUTH_TOKEN"])
        answer = requests.get(variables["TWILIO_API_URL"] + path, params={"PageSize": "1"}, auth=auth, timeout=PATIENCE)
        assert answer.json()["outgoing_caller_ids"] == []
        requests.get(variables["TWILIO_API_URL"] + path, auth=("AC1", "secret"), timeout=PATIENCE)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=PATIENCE)
        assert (process.returncode, stdout) == (0, "")
        logged = [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in stderr.splitlines()]
        assert logged == [*([f"GET {path}?PageSize=1 200", f"GET {path} 401"] if verbose else []), *told]
        assert variables["TWILIO_AUTH_TOKEN"] not in stderr


@pytest.mark.parametrize(
    "delays",
    [["--ring-after", "0", "--answer-after", "0", "--talk-for", "0"], ["--queued", "0", "--rings", "0", "--talks=0"]],
    ids=["names", "former names"],
)
def test_delays_and_phones_are_taken_from_the_command_line(delays: list[str], tmp_path: Path) -> None:
    (tmp_path / "phones.yaml").write_text("+14155550101: busy\n")
    at_once = [*delays, "--calls-per-second", "0"]
    options = [*at_once, "--phones", str(tmp_path / "phones.yaml")]
    with serving("--port", "0", *options) as (_, variables):
        url, sid = variables["TWILIO_API_URL"], variables["TWILIO_ACCOUNT_SID"]
        for number in ("+14155550101", "+14155550102"):
            requests.post(
                f"{url}/2010-04-01/Accounts/{sid}/OutgoingCallerIds.json",
                data={"PhoneNumber": number},
                auth=(sid, variables["TWILIO_AUTH_TOKEN"]),
                timeout=PATIENCE,
            )
        calls = requests.get(f"{url}/sandbox/state", timeout=PATIENCE).json()["calls"]
        assert [call["status"] for call in calls] == ["busy", "completed"]


def test_traffic_and_the_queue_are_taken_from_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []

    class Noted(Sandbox):
        def __init__(self, **options: Any) -> None:
            made.append({name: options[name] for name in ("latency", "concurrency", "calls_per_second")})
            super().__init__(**options)

    monkeypatch.setattr("pulumi_twilio_caller_id.testing.Sandbox", Noted)
    options = ["--latency", "0.08", "--concurrency", "2", "--calls-per-second", "2.5"]
    for given in ([], options, ["--calls-per-second", "0"]):
        assert 0 == main(["sandbox", *given, *python("")])
    assert [
        {"latency": 0, "concurrency": None, "calls_per_second": 1},
        {"latency": 0.08, "concurrency": 2, "calls_per_second": 2.5},
        {"latency": 0, "concurrency": None, "calls_per_second": None},
    ] == made


# Running a command


def test_a_command_runs_against_the_sandbox() -> None:
    code = (
        "import os, base64, urllib.request as u; e = os.environ; s = e['TWILIO_ACCOUNT_SID']; "
        "r = u.Request(e['TWILIO_API_URL'] + '/2010-04-01/Accounts/' + s + '/OutgoingCallerIds.json'); "
        "r.add_header('Authorization', "
        "'Basic ' + base64.b64encode((s + ':' + e['TWILIO_AUTH_TOKEN']).encode()).decode()); "
        "print(u.urlopen(r).status)"
    )
    done = subprocess.run(
        [*COMMAND, *python(code)], capture_output=True, text=True, timeout=PATIENCE, check=False, env=ENVIRONMENT
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "200\n", TOLD)


def test_real_credentials_do_not_reach_the_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TWILIO_API_KEY": "SK1", "TWILIO_API_SECRET": "s", "TWILIO_REGION": "ie1"}.items():
        monkeypatch.setenv(name, value)
    code = "import os; print(sorted(name for name in os.environ if name.startswith('TWILIO_')))"
    status, stdout, _ = run(*python(code))
    assert (status, stdout) == (0, "['TWILIO_ACCOUNT_SID', 'TWILIO_API_URL', 'TWILIO_AUTH_TOKEN']\n")


def test_the_status_is_that_of_the_command(run: Run) -> None:
    assert run(*python("raise SystemExit(7)")) == (7, "", TOLD)
    assert run(*python("import os; os.kill(os.getpid(), 9)")) == (137, "", TOLD)


def test_the_command_has_the_rest_of_the_line(run: Run) -> None:
    script = [sys.executable, "-c", "import sys; print(sys.argv[1:])", "--port", "1", "--", "--run", "-x"]
    for before in (["--"], ["--run"], ["--run", "--"]):
        assert run(*before, *script) == (0, "['--port', '1', '--', '--run', '-x']\n", TOLD)


def test_commands_that_cannot_be_run(run: Run, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("text")
    assert run("--run", "no-such-command") == (127, "", f"{TOLD}{NAME}no-such-command: command not found\n")
    assert run("--run", str(text)) == (126, "", f"{TOLD}{NAME}{text}: cannot be run (Permission denied)\n")
    for nothing in (["--"], ["--run"], ["--run", "--"]):
        assert run(*nothing) == (2, "", f"{NAME}there is no command after --\n")


def test_the_state_outlives_the_command(run: Run, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    Sandbox(state=state, numbers={"+14155550101": "Front desk"})
    code = (
        "import os, urllib.request as u; print('Front desk' in "
        "u.urlopen(os.environ['TWILIO_API_URL'] + '/sandbox/state').read().decode())"
    )
    for _ in range(2):
        assert run("--state", str(state), *python(code)) == (0, "True\n", TOLD)


INTERRUPTED = r"""
import os, signal, sys, time, urllib.request
def stop(*_):
    status = urllib.request.urlopen(os.environ["TWILIO_API_URL"] + "/sandbox/state").status
    os.write(1, b"state %d\n" % status)  # not print: the signal may come in the midst of the other one
    sys.exit(5)
signal.signal(signal.SIGINT, stop)
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
time.sleep(30)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_has_the_sandbox_until_its_end(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [*COMMAND, *python(INTERRUPTED)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        start_new_session=True,
    )
    with process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does: everybody in the foreground gets it
        else:
            process.send_signal(number)
        stdout, stderr = process.communicate(timeout=PATIENCE)
    assert (process.returncode, stdout, stderr) == (5, "state 200\n", TOLD)


def test_a_signal_that_comes_while_the_command_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command may be up, and somebody may want it to stop, before its process is known here."""
    popen = subprocess.Popen

    def starting(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
        process = popen(*args, **options)
        os.kill(os.getpid(), signal.SIGTERM)
        return process

    monkeypatch.setattr(subprocess, "Popen", starting)
    assert 128 + signal.SIGTERM == main(["sandbox", *python("import time; time.sleep(30)")])


# Mistakes


def test_a_taken_port(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        message = f"{NAME}port {port} is taken; choose another with --port, or 0 for a free one\n"
        assert run("--port", port) == (1, "", message)
        assert run("--port", port, *python("print('ran')")) == (1, "", message)


def test_a_file_that_cannot_be_used(run: Run, tmp_path: Path) -> None:
    phones, state = tmp_path / "phones.yaml", tmp_path / "state.json"
    phones.write_text("+14155550101: bsy")
    state.write_text("{}")
    status, stdout, stderr = run("--phones", str(phones), *python("print('ran')"))
    assert (status, stdout) == (2, "")
    assert stderr.startswith(f"{NAME}{phones}: +14155550101: behaviour 'bsy' is not one of keys-code, ")
    status, stdout, stderr = run("--state", str(state), *python("print('ran')"))
    assert (status, stdout) == (2, "")
    assert stderr.startswith(f"{NAME}{state} cannot be used as the sandbox's state: it was not written by the sandbox")
    assert (stderr.count("\n"), state.read_text()) == (1, "{}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--answer-after", "-1"], "argument --answer-after: '-1' is not a number of seconds, 0 or more"),
        (["--talks", "nan"], "argument --talks: 'nan' is not a number of seconds, 0 or more"),
        (["--latency", "-0.1"], "argument --latency: '-0.1' is not a number of seconds, 0 or more"),
        (["--callback-delay", "1e400"], "argument --callback-delay: '1e400' is not a number of seconds, 0 or more"),
        (["--concurrency", "1.5"], "argument --concurrency: invalid int value: '1.5'"),
        (["--port", "http"], "argument --port: invalid int value: 'http'"),
        (["--stat=state.json"], "there is no option --stat; did you mean --state?"),
        (["--run=pulumi"], "there is no option --run"),
        (["pulumi", "up"], "unexpected 'pulumi'; a command goes after --, as in: sandbox -- pulumi up"),
    ],
)
def test_arguments_of_the_wrong_form(
    arguments: Sequence[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two lines, whatever the command has options; and no abbreviation is taken for an option."""
    with pytest.raises(SystemExit) as ended:
        main(["sandbox", *arguments])
    command = "pulumi-twilio-caller-id sandbox"
    assert (2, ("", f"{command}: {message}\nHelp: {command} --help\n")) == (ended.value.code, capsys.readouterr())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--concurrency", "0"], "concurrency is a number of requests, 1 or more, or None, not 0"),
        (["--calls-per-second", "-1"], "calls_per_second is a number above 0, or None for no queue, not -1.0"),
        (["--calls-per-second", "inf"], "calls_per_second is a number above 0, or None for no queue, not inf"),
        (["--port", "65536"], "port must be a whole number, 0 to 65535, not 65536"),
    ],
)
def test_numbers_that_make_no_sense(run: Run, arguments: Sequence[str], message: str) -> None:
    assert (2, "", f"{NAME}{message}\n") == run(*arguments, *python("print('ran')"))


CALL = """
import base64, os, urllib.request as u
e = os.environ
r = u.Request(f"{e['TWILIO_API_URL']}/2010-04-01/Accounts/{e['TWILIO_ACCOUNT_SID']}/OutgoingCallerIds.json")
pair = f"{e['TWILIO_ACCOUNT_SID']}:{e['TWILIO_AUTH_TOKEN']}".encode()
r.add_header("Authorization", "Basic " + base64.b64encode(pair).decode())
u.urlopen(r, b"PhoneNumber=%2B14155550101")
"""


@pytest.mark.parametrize("kept", [True, False])
def test_what_still_rings_as_the_page_goes_is_said(run: Run, tmp_path: Path, kept: bool) -> None:
    """As after ^C in `pulumi up`, whose message says that the code may still be keyed in."""
    options = ["--page", "--port", "0", *(["--state", str(tmp_path / "state.json")] if kept else [])]
    _, _, told = run(*options, *python(2 * CALL))
    todo = (
        "To answer first, start the sandbox with this --state and --page, and no command."
        if kept
        else "--state would keep the calls."
    )
    assert f"Still ringing: +14155550101. {todo}" == told.splitlines()[-1]
    assert "Still ringing" not in run("--page", "--port", "0", *python("pass"))[2]


def test_a_number_that_is_verified_by_now_does_not_ring_on(run: Run) -> None:
    """As after ^C and another `up`, during which an older call's code was keyed in."""
    key_in = """
import json
state = json.load(u.urlopen(f"{e['TWILIO_API_URL']}/sandbox/state"))
call = state["calls"][0]
url = f"{e['TWILIO_API_URL']}/sandbox/calls/{call['sid']}"
u.urlopen(u.Request(f"{e['TWILIO_API_URL']}/sandbox/clock", b'{"advance": 5}'))
u.urlopen(f"{url}/answer", b"")
u.urlopen(f"{url}/digits", f"Digits={call['validation_code']}".encode())
"""
    status, _, told = run("--page", "--port", "0", *python(2 * CALL + key_in))
    assert (0, False) == (status, "Still ringing" in told), told


# For scripts


def test_json_is_one_line_with_all_that_a_script_needs() -> None:
    command = [*COMMAND, "--port", "0", "--json", "--page", "--subaccount", SUBACCOUNT]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**ENVIRONMENT, "NO_PROXY": "here"}
    ) as process:
        try:
            assert process.stdout
            told = json.loads(process.stdout.readline())
            answer = requests.get(f"{told['url']}/sandbox/state", timeout=PATIENCE)
            process.terminate()
            assert ("", 0) == (process.stdout.read(), process.wait())
        finally:
            process.kill()
    assert told["account_sid"] == answer.json()["account_sid"]
    own = Sandbox(subaccounts=[SUBACCOUNT])
    assert {
        "url": told["url"],
        "account_sid": own.account_sid,
        "auth_token": own.auth_token,
        "api_key": own.api_key,
        "api_secret": own.api_secret,
        "subaccounts": own.subaccounts,
        "environment": {
            "TWILIO_ACCOUNT_SID": own.account_sid,
            "TWILIO_AUTH_TOKEN": own.auth_token,
            "TWILIO_API_URL": told["url"],
            **dict.fromkeys(("TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_REGION", "TWILIO_EDGE")),
            **dict.fromkeys(("no_proxy", "NO_PROXY"), "here,127.0.0.1"),
        },
    } == told


def test_json_is_not_for_a_sandbox_that_runs_a_command(run: Run) -> None:
    told = f"{NAME}--json is for a sandbox without a command: the command has the variables already\n"
    assert (2, "", told) == run("--json", *python("print('ran')"))


LIST = """
unset TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN TWILIO_API_URL
export TWILIO_API_KEY=SK1 TWILIO_API_SECRET=of-another-account
set -a; . ./sandbox.env; set +a
cd / && exec "$@" list
"""


def test_a_script_takes_the_variables_from_the_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else was set; and the file is gone with the sandbox."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", ENVIRONMENT["PYTHONPATH"])
    given = ["--env-file", "sandbox.env", "--number", "+14155550101=Front desk"]
    status, stdout, stderr = run(*given, "--", "sh", "-c", LIST, "sh", *COMMAND[:-1])
    assert (0, TOLD, "+14155550101") == (status, stderr, stdout.splitlines()[1].split()[1])
    assert [] == list(tmp_path.iterdir())


def test_the_file_of_a_sandbox_that_was_killed_is_replaced_and_no_other(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "sandbox.env"
    with serving("--port", "0", "--env-file", str(file)) as (process, variables):
        written = file.read_text()
        process.kill()
    assert f"TWILIO_API_URL={variables['TWILIO_API_URL']}\n" in written
    assert file.read_text() == written
    show = ["--", "cat", str(file)]
    status, stdout, stderr = run("--env-file", str(file), *show)
    assert (0, TOLD, True, False) == (status, stderr, "TWILIO_API_URL=" in stdout, written == stdout)

    file.write_text("MY_OWN=1\n")
    told = f"{NAME}--env-file {file}: the file is there already, and no sandbox wrote it\n"
    assert (2, "", told) == run("--env-file", str(file), *show)
    assert "MY_OWN=1\n" == file.read_text()
    nowhere = tmp_path / "none" / "sandbox.env"
    told = f"{NAME}--env-file {nowhere} can't be written: No such file or directory\n"
    assert (1, "", told) == run("--env-file", str(nowhere), *show)


def test_requests_of_a_command_are_shown_where_that_is_wanted(run: Run) -> None:
    listing = [*COMMAND[:-1], "list"]
    for options, lines in (([], 0), (["-v"], 1)):
        status, _, stderr = run(*options, "--", *listing)
        assert (0, lines) == (status, len(re.findall(r"^\d\d:\d\d:\d\d GET /\S+ 200$", stderr, re.MULTILINE)))

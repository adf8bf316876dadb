"""`sandbox`: a local Twilio on the command line, served until ^C or while a command runs.

The status is that of the command it ran, and 0 for a sandbox that was asked to stop.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlencode

from . import sandbox_options
from .common import DOCS, PROGRAM, Mistake, Parser, emit, say
from .env_file import EnvFile
from .joining import joined_environment, start_or_join, what_others_do
from .sandbox_options import PORT

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.testing import RequestRecord, Sandbox

# Seconds. Python heeds a signal between two steps of the main thread: one that comes just before it begins to wait is
# heeded only when it has waited.
HEED = 0.5
STDERR = 2
MANUAL = "manual"  # of `sandbox.phones.Behaviour`, which takes a while to load
NOBODY_IS_CALLED = "This is a sandbox: a local Twilio with simulated phones. Nobody is called."
EPILOG = f"""examples:
  {PROGRAM} sandbox -- pulumi up --yes
  {PROGRAM} sandbox --page --state sandbox.json

for scripts, while it runs:
  GET  /sandbox/state               all there is: calls, codes, caller IDs
  PUT  /sandbox/phones/{{number}}     "busy": what that phone does from now on
  POST /sandbox/faults              {{"endpoint": "list", "status": 500}}
  POST /sandbox/clock               {{"advance": 60}}: a minute passes
  POST /sandbox/calls/{{sid}}/digits  Digits=476021, as a form

More requests, and what each behaviour, key and endpoint means: sandbox.md in
{DOCS}
"""


def split_at_command(argv: Sequence[str]) -> tuple[Sequence[str], Sequence[str] | None]:
    """What follows `--`, formerly `--run`, belongs to another program: argparse may not look at it."""
    at = next((at for at, word in enumerate(argv) if word in ("--", "--run")), None)
    if argv[:1] != ["sandbox"] or at is None:
        return argv, None
    command = argv[at + 1 :]
    return argv[:at], command[1:] if argv[at] == "--run" and command[:1] == ["--"] else command


def add(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "sandbox",
        help="serve a local Twilio to try things with; nobody is phoned",
        usage="%(prog)s [options] [-- COMMAND ...]",
        description="Serves a local Twilio while COMMAND runs, or else until ^C.\nNobody is phoned, nothing is paid.",
        epilog=EPILOG,
        formatter_class=sandbox_options.Formatter,
    )
    parser.word_hint = "; a command goes after --, as in: sandbox -- pulumi up"
    sandbox_options.add_to(parser)
    parser.set_defaults(command=_sandbox)


def _sandbox(arguments: argparse.Namespace) -> int:
    command: list[str] | None = arguments.to_run
    _refuse_contradictions(arguments)
    port = arguments.port
    if port is None:
        port = PORT if command is None or arguments.page else 0
    with EnvFile(arguments.env_file) as env_file:
        sandbox = _start(arguments, port)
        if isinstance(sandbox, str):
            environment = joined_environment(sandbox)
            env_file.write(_changes(environment))
            say(NOBODY_IS_CALLED)
            say(f"Using the sandbox at {sandbox}, which keeps running afterwards")
            others = what_others_do(sandbox, ring_by_hand=arguments.page)
            if arguments.page or others == MANUAL:
                say(_phone(sandbox, others))
            return _run(arguments.to_run, _environment(environment))
        try:
            env_file.write(_changes(sandbox.environment))
            if command is None:
                return _serve(sandbox, page=arguments.page, as_json=arguments.json)
            say(NOBODY_IS_CALLED)
            for line in _to_know(sandbox, page=arguments.page):
                say(line)
            status = _run(command, _environment(sandbox.environment))
            if arguments.page:
                for line in _still_ringing(sandbox, arguments.state):
                    say(line)
            return status
        finally:
            sandbox.stop()


def _refuse_contradictions(arguments: argparse.Namespace) -> None:
    command = arguments.to_run
    if command is not None and not command:
        raise Mistake("there is no command after --")
    if arguments.join and (command is None or arguments.state is None):
        raise Mistake("--join needs --state, and a command after --")
    if arguments.json and command is not None:
        raise Mistake("--json is for a sandbox without a command: the command has the variables already")
    if arguments.callback_delay is not None and arguments.callbacks != "late":
        raise Mistake("--callback-delay is for --callbacks late")


def _start(arguments: argparse.Namespace, port: int) -> Sandbox | str:
    """The sandbox, serving; or the URL of the one that was joined. `Mistake` where there is neither."""
    # Here, so that --help need not wait for an HTTP server.
    from pulumi_twilio_caller_id.sandbox.store import StateFileError, StateFileInUse

    def make() -> Sandbox:
        return sandbox_options.make_sandbox(arguments, port, _log if arguments.verbose else None)

    try:
        return start_or_join(make) if arguments.join else make().start()
    except StateFileError as unusable:
        join = " Or use that one: --join." if isinstance(unusable, StateFileInUse) and arguments.to_run else ""
        raise Mistake(f"{unusable}{join}", 1) from unusable
    except OSError as failure:
        if failure.errno == errno.EADDRINUSE:
            raise Mistake(f"port {port} is taken; choose another with --port, or 0 for a free one", 1) from failure
        raise Mistake(f"port {port} cannot be used: {failure.strerror}", 1) from failure


def _changes(variables: Mapping[str, str]) -> dict[str, str | None]:
    """What is different in the environment of whoever uses the sandbox. variables: those of the sandbox."""
    from pulumi_twilio_caller_id.sandbox.access import leading_there

    return leading_there(variables, os.environ)


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """What a command is started with. variables: those of the sandbox."""
    environment = {**os.environ, **_changes(variables)}
    return {name: value for name, value in environment.items() if value is not None}


def _to_know(sandbox: Sandbox, *, page: bool) -> Iterator[str]:
    """What whoever starts it has to know beside the environment variables."""
    for account_sid, token in sandbox.subaccounts.items():
        yield f"Subaccount {account_sid}, auth token {token}"
    if page:
        yield _phone(sandbox.url, what_others_do(sandbox.url, ring_by_hand=True))


def _phone(url: str, others: str | None) -> str:
    """Where to answer; and that most numbers do not ring there, where it is so. others: see `what_others_do`."""
    but = "" if others == MANUAL else f' (only phones that are manual ring there: its "*" is {others})'
    return f"Phone: {url}/{but}"


def _still_ringing(sandbox: Sandbox, state: object) -> Iterator[str]:
    """What to do about numbers that still wait for their code, as after ^C: only here can it be keyed in."""
    from pulumi_twilio_caller_id.models import CALL_ENDED

    called = {call.to for call in sandbox.calls if call.status not in CALL_ENDED}
    numbers = sorted(called - {record.phone_number for record in sandbox.caller_ids})
    if numbers:
        how = (
            "To answer first, start the sandbox with this --state and --page, and no command"
            if state
            else "--state would keep the calls"
        )
        yield f"Still ringing: {', '.join(numbers)}. {how}."


def _serve(sandbox: Sandbox, *, page: bool, as_json: bool) -> int:
    """Until ^C, or SIGTERM: both are how it is asked to stop. Or until its terminal is closed."""

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        if number == signal.SIGINT:
            say("\nThe sandbox has stopped.")  # below the ^C that the terminal shows
        raise SystemExit(0)

    with _handling({signal.SIGTERM: stop, signal.SIGINT: stop}):
        if as_json:
            emit(json.dumps(_described(sandbox)) + "\n")
        else:
            variables = " ".join(f"{name}={value}" for name, value in sandbox.environment.items())
            emit(f"Sandbox at {sandbox.url} - to use it: export {variables}\n")
            for line in _to_know(sandbox, page=page):
                emit(f"{line}\n")
        in_terminal = os.isatty(STDERR)
        while os.isatty(STDERR) or not in_terminal:  # of the SIGHUP then, `make` may be told alone
            time.sleep(HEED)  # the sandbox has a thread of its own
    return 0


def _described(sandbox: Sandbox) -> dict[str, object]:
    """All that a script needs. In `environment` a null is a variable that may not be set."""
    names = ("url", "account_sid", "auth_token", "api_key", "api_secret", "subaccounts")
    return {**{name: getattr(sandbox, name) for name in names}, "environment": _changes(sandbox.environment)}


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Runs a command to its end and gives its status, as a shell does: 127 not found, 128+n ended by a signal."""
    running: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def leave_to_command(_signal: int, _frame: FrameType | None) -> None:
        """^C reaches the command by itself, from the terminal; it decides how to end, and needs the sandbox for it."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if running:
            running[0].send_signal(number)
        else:
            early.append(number)

    with _handling({signal.SIGINT: leave_to_command, signal.SIGTERM: pass_on}):
        try:
            running.append(subprocess.Popen(command, env=environment))
            for number in early:  # the command may be up before it is known here
                running[0].send_signal(number)
        except FileNotFoundError as missing:
            raise Mistake(f"{command[0]}: command not found", 127) from missing
        except OSError as unusable:
            raise Mistake(f"{command[0]}: cannot be run ({unusable.strerror})", 126) from unusable
        status = None
        in_terminal = os.isatty(STDERR)
        while status is None:
            with suppress(subprocess.TimeoutExpired):
                status = running[0].wait(HEED)
            if in_terminal and not os.isatty(STDERR):
                # Closed. Who ignores SIGHUP, or is not told as `make` alone is, would go on unseen: do as ^C does.
                in_terminal = False
                os.killpg(0, signal.SIGINT)
    return status if status >= 0 else 128 - status


@contextmanager
def _handling(handlers: dict[signal.Signals, Callable[[int, FrameType | None], object]]) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        if before[number] is not signal.SIG_IGN:  # as under nohup: what is ignored stays so, for the command too
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


def _log(record: RequestRecord) -> None:
    query = f"?{urlencode(record.params)}" if record.params else ""
    say(f"{time.strftime('%H:%M:%S')} {record.method} {record.path}{query} {record.status}")

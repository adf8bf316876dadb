"""`sandbox`: a local Twilio on the command line, served until ^C or while a command runs.

The status is that of the command it ran.
"""

from __future__ import annotations

import argparse
import errno
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlencode

from . import option_types
from .common import PROGRAM, Mistake, say

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.testing import RequestRecord, Sandbox

PORT = 8484

# Seconds. Python heeds a signal between two steps of the main thread: one that comes just before it begins to wait is
# heeded only when it has waited.
HEED = 0.5
EXAMPLE = f"""example:
  {PROGRAM} sandbox --run pulumi up --yes
"""

# Left over from work with the real Twilio, these would take the command somewhere else, or a real secret here.
FOREIGN_VARIABLES = ("TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_REGION", "TWILIO_EDGE")


def split_at_run(argv: Sequence[str]) -> tuple[Sequence[str], Sequence[str] | None]:
    """What follows --run belongs to another program: argparse may not look at it, and would stumble over a "--"."""
    if "sandbox" not in argv[:1] or "--run" not in argv:
        return argv, None
    at = argv.index("--run")
    command = argv[at + 1 :]
    return argv[:at], command[1:] if command[:1] == ["--"] else command


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "sandbox",
        help="serve a local Twilio to try things with; nobody is phoned",
        description="Serves a local Twilio until ^C, or while a command runs. Nobody is phoned, nothing is paid.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port",
        type=option_types.port,
        help=f"port on 127.0.0.1; 0 takes a free one (default {PORT}; with --run, a free one)",
    )
    parser.add_argument(
        "--state", type=Path, metavar="FILE", help="keep the account in this file between runs (one at a time)"
    )
    parser.add_argument("--phones", type=Path, metavar="FILE", help="who answers how: YAML or JSON, number: behaviour")
    for name, default, meaning in (
        ("queued", 0.5, "until the phone rings"),
        ("rings", 2, "until it is answered"),
        ("talks", 4, "until the call ends"),
    ):
        parser.add_argument(
            f"--{name}",
            type=option_types.seconds,
            default=default,
            metavar="S",
            help=f"seconds {meaning} (default {default})",
        )
    parser.add_argument(
        "--calls-per-second",
        type=option_types.rate,
        default=1.0,
        metavar="N",
        help="how many calls of an account start in a second, the others wait (default 1, as at Twilio; 0: no limit)",
    )
    parser.add_argument(
        "--latency",
        type=option_types.seconds,
        default=0.0,
        metavar="S",
        help="seconds that each answer is held back (default 0)",
    )
    parser.add_argument(
        "--concurrency",
        type=option_types.requests,
        metavar="N",
        help="answer 429 where an account has N requests under way; use it with --latency (default: no limit)",
    )
    parser.add_argument(
        "--deliver",
        type=option_types.delivery,
        action="append",
        default=[],
        metavar="PUBLIC=LOCAL",
        help="send callbacks for this public base URL to that local one; may be repeated",
    )
    parser.add_argument(
        "--run",
        nargs=argparse.REMAINDER,  # for the help; see split_at_run
        metavar="COMMAND",
        help="run this command (the rest of the line) against the sandbox, then stop",
    )
    parser.set_defaults(command=_sandbox)


def _sandbox(arguments: argparse.Namespace) -> int:
    command: list[str] | None = arguments.to_run
    if command is not None and not command:
        raise Mistake("--run needs a command after it")
    port = arguments.port if arguments.port is not None else PORT if command is None else 0
    # Here, so that --help need not wait for an HTTP server.
    from pulumi_twilio_caller_id.sandbox.store import StateFileError

    sandbox = _make_sandbox(arguments, port, None if command else _log)
    try:
        sandbox.start()
    except StateFileError as unusable:
        raise Mistake(str(unusable), 1) from unusable
    except OSError as failure:
        if failure.errno == errno.EADDRINUSE:
            raise Mistake(f"port {port} is taken; choose another with --port, or 0 for a free one", 1) from failure
        raise Mistake(f"port {port} cannot be used: {failure.strerror}", 1) from failure
    try:
        if command is None:
            return _serve(sandbox)
        inherited = {name: value for name, value in os.environ.items() if name not in FOREIGN_VARIABLES}
        return _run(command, inherited | sandbox.environment)
    finally:
        sandbox.stop()


def _make_sandbox(
    arguments: argparse.Namespace, port: int, on_answer: Callable[[RequestRecord], None] | None
) -> Sandbox:
    from pulumi_twilio_caller_id.sandbox.phones import PhonesFileError, load_phones
    from pulumi_twilio_caller_id.sandbox.store import StateFileError
    from pulumi_twilio_caller_id.testing import Delays, Sandbox

    try:
        return Sandbox(
            phones=load_phones(arguments.phones) if arguments.phones else None,
            delays=Delays(arguments.queued, arguments.rings, arguments.talks),
            state=arguments.state,
            port=port,
            deliver_to=dict(arguments.deliver),
            on_answer=on_answer,
            latency=arguments.latency,
            concurrency=arguments.concurrency,
            calls_per_second=arguments.calls_per_second or None,
        )
    except (PhonesFileError, StateFileError) as unusable:
        raise Mistake(str(unusable)) from unusable


def _serve(sandbox: Sandbox) -> int:
    """Until ^C (130), or SIGTERM, which is how it is asked to stop (0)."""

    def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(0)

    with _handling({signal.SIGTERM: stop}):
        variables = " ".join(f"{name}={value}" for name, value in sandbox.environment.items())
        print(f"Sandbox at {sandbox.url} - to use it: export {variables}", flush=True)
        while True:
            time.sleep(HEED)  # the sandbox has a thread of its own


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
        while status is None:
            with suppress(subprocess.TimeoutExpired):
                status = running[0].wait(HEED)
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

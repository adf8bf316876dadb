"""Verify numbers from a script, through Pulumi's Automation API: `python verify.py up`, `python verify.py destroy`.

The code of each call goes to `tell`. A number whose code nobody keyed in awaits the next `up`, which calls it again.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pulumi
from pulumi import automation as auto
from pulumi.automation import events

from pulumi_twilio_caller_id import OutgoingCallerId

NUMBERS = {"front-desk": "+14155550101", "support": "+14155550102"}
ATTEMPTS = 3
PAUSE = 60.0  # seconds before the next attempt: who is on the phone needs a while to finish

CODE = re.compile(r"(\d{6}): enter this code when Twilio \(.*\) calls (\+[\d -]*\d)")
NOT_VERIFIED = re.compile(r"\+[\d -]*\d was not verified: ")
AWAITING = 10  # the exit code of an `up` in which nothing failed, and something awaits the next one


def program() -> None:
    """What is a __main__.py elsewhere."""
    for name, phone_number in NUMBERS.items():
        pulumi.export(name, OutgoingCallerId(name, phone_number=phone_number).sid)


def tell(name: str, phone_number: str, code: str) -> None:
    """Put your own way to reach the person at the phone here: it is ringing."""
    print(f"{name}: enter {code} on {phone_number}", flush=True)


class NotVerified(Exception):
    """Numbers that are not verified after an `up`: resource name -> why."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("\n".join(reasons.values()))
        self.reasons = reasons


class Awaiting(NotVerified):
    """Nothing failed: these numbers await an `up` with somebody at the phone, and all else is deployed."""


def exit_code(failed: auto.CommandError) -> int:
    """Pulumi's exit code. A CommandError has it in its text alone, at the beginning."""
    found = re.match(r"\s*code: (\d+)\n", str(failed))
    return int(found[1]) if found else 1


class Watcher:
    """Follows an `up` by its events, which come while the phones ring; its result comes only once all is over."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    def __call__(self, event: events.EngineEvent) -> None:
        told = event.diagnostic_event
        if told is None or not told.urn:
            return
        name = told.urn.rpartition("::")[2]
        code = CODE.match(told.message)
        if name in NUMBERS and (told.severity == "error" or NOT_VERIFIED.match(told.message)):
            self.reasons[name] = told.message.strip()
        elif code:
            tell(name, code[2], code[1])


def up(stack: auto.Stack) -> auto.UpResult:
    """One attempt. Raises Awaiting, NotVerified, and for anything else the Automation API's own CommandError."""
    watcher = Watcher()
    try:
        return stack.up(on_output=lambda line: print(line, file=sys.stderr), on_event=watcher, color="never")
    except auto.CommandError as failed:
        if exit_code(failed) == AWAITING:
            raise Awaiting(watcher.reasons) from failed
        if watcher.reasons:
            raise NotVerified(watcher.reasons) from failed
        raise


def up_with_patience(stack: auto.Stack) -> auto.UpResult:
    """Up to ATTEMPTS. What the one before verified is in the stack, so nobody is called for it again."""
    for _ in range(ATTEMPTS - 1):
        try:
            return up(stack)
        except Awaiting as awaiting:
            print(f"calling again in {PAUSE:g} s: {', '.join(awaiting.reasons)}", flush=True)
            time.sleep(PAUSE)
    return up(stack)


def main(command: str) -> None:
    # With the folder's Pulumi.yaml: it says which Python runs the provider. The program is the function above.
    here = auto.LocalWorkspaceOptions(work_dir=str(Path(__file__).parent))
    stack = auto.create_or_select_stack("dev", "caller-ids-from-a-script", program=program, opts=here)
    if command == "destroy":
        print(json.dumps(stack.destroy().summary.resource_changes))
        return
    print("preview:", json.dumps(stack.preview().change_summary))
    result = up_with_patience(stack)
    print("sids:", json.dumps({name: output.value for name, output in result.outputs.items()}))


if __name__ == "__main__":
    if sys.argv[1:] not in (["up"], ["destroy"]):
        sys.exit("usage: python verify.py up | destroy")
    try:
        main(sys.argv[1])
    except Awaiting as awaiting:
        print(f"awaiting: {awaiting}", file=sys.stderr)
        sys.exit(AWAITING)
    except (NotVerified, auto.CommandError) as failed:
        sys.exit(f"error: {failed}")

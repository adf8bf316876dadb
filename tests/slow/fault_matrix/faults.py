"""The fault matrix: each step that asks Twilio, under each fault, once and lasting; and what must hold all the same.

Run as a program, it prints the matrix.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from pulumi.dynamic import Config, ConfigureRequest

from pulumi_twilio_caller_id import lifecycle, pulumi_sdk
from pulumi_twilio_caller_id.api import connections, polling, transport
from pulumi_twilio_caller_id.cancellation import CancelToken
from pulumi_twilio_caller_id.inputs import DRY_RUN, IMPORT
from pulumi_twilio_caller_id.operations import create as creation
from pulumi_twilio_caller_id.sandbox.faults import Endpoint
from pulumi_twilio_caller_id.testing import Delays, RequestRecord, Sandbox
from pulumi_twilio_caller_id.verification.waiter import PollingPolicy, wait_until_verified
from tests.slow.fault_matrix.invariants import DESK, NEW, Lasting, Outcome, broken
from tests.support.leak_search import canary, echoing
from tests.support.machine import free_port
from tests.support.new_process import forget_all

TOKEN = canary("auth token")
TIMEOUT = 0.2
PATIENCE = 2.0
WAIT = 1.0
BOUND = 256 * 1024
URN = "urn:pulumi:test::caller-ids::pulumi-python:dynamic/twilio:OutgoingCallerId::desk"
PAGE = {"outgoing_caller_ids": [], "page": 0, "page_size": 50, "uri": "/", "next_page_uri": None}

STEPS: dict[str, Endpoint] = {
    "look-up": "list",
    "place call": "create",
    "poll call": "call",
    "poll list": "list",
    "read": "fetch",
    "update": "update",
    "delete": "delete",
    "preflight": "list",
    "import": "fetch",
    "called back": "fetch",
}
NULLS = dict.fromkeys(
    ("sid", "account_sid", "phone_number", "friendly_name", "call_sid", "validation_code", "status", "duration")
)
PUBLIC = "https://calls.example.com"
ENDLESS = "/2010-04-01/Accounts/{account_sid}/OutgoingCallerIds.json?Page=1"
FAULTS: dict[str, dict[str, Any]] = {
    "refused": {},
    "reset before": {"drop": "before"},
    "reset after": {"drop": "after"},
    "hang": {"delay": 3 * TIMEOUT},
    "401": {"status": 401},
    "403": {"status": 403},
    "404": {"status": 404, "body": "{}"},
    "20404": {"status": 404},
    "429": {"status": 429},
    "429 later": {"status": 429, "retry_after": 1},
    "429 much later": {"status": 429, "retry_after": 29},
    "429 in an hour": {"status": 429, "retry_after": 3600},
    "500": {"status": 500},
    "503": {"status": 503},
    "503 later": {"status": 503, "retry_after": 29},
    "echo 401": {"status": 401, "body": "{echo}"},
    "echo 500": {"status": 500, "body": "{echo}"},
    "HTML": {"body": "<html>gateway</html>"},
    "empty": {"body": ""},
    "cut JSON": {"body": '{"sid": "PN'},
    "wrong types": {"body": json.dumps({**{name: [1] for name in NULLS}, **PAGE, "outgoing_caller_ids": 7})},
    "deep": {"body": "[" * 200_000},
    "no such date": {},
    "long error": {"status": 400, "body": json.dumps({"code": 10**4000, "message": "x" * 5000})},
    "extra fields": {},
    "nulls": {"body": json.dumps({**NULLS, **PAGE, "outgoing_caller_ids": [NULLS]})},
    "redirect": {"status": 302, "location": "{url}/elsewhere"},
    "huge": {"body": '{"sid": "' + "x" * (2 * BOUND) + '"}'},
    "endless": {"body": json.dumps({**PAGE, "next_page_uri": ENDLESS})},
}
DATE = "Fri, 21 Aug 99999999999999999999 10:00:00 +0000"
FIELDS: dict[str, dict[str, Any]] = {
    "extra fields": {"brand_new": "x", "nested": {"y": 1}, "more": [1]},
    "no such date": dict.fromkeys(("date_created", "date_updated", "start_time", "end_time"), DATE),
}
"""Those of true answers with other fields."""

OF_PAGES = ("endless",)
CELLS: list[tuple[str, str, Lasting]] = [
    (step, fault, lasting)
    for step in STEPS
    for fault in FAULTS
    for lasting in ("once", "lasting")
    if fault not in OF_PAGES or STEPS[step] == "list"
]


def filled(fault: str, sandbox: Sandbox) -> dict[str, Any]:
    """The arguments that have a sandbox make up a fault."""
    fields = {"{url}": sandbox.url, "{account_sid}": sandbox.account_sid, "{echo}": echoing(sandbox.account_sid, TOKEN)}
    values = dict(FAULTS[fault])
    for name in {"body", "location"} & values.keys():
        for field, value in fields.items():
            values[name] = values[name].replace(field, value)
    return values


def run(step: str, fault: str, lasting: Lasting) -> Outcome:
    """One cell, with a request to the step's end point in it."""
    endpoint = STEPS[step]
    armed = step != "poll list"

    def answered(record: RequestRecord) -> None:
        if step == "poll list" and record.endpoint == "create":
            arm()

    def arm() -> None:
        nonlocal armed
        armed = True
        if FAULTS[fault]:
            sandbox.fail(endpoint, times=1 if lasting == "once" else None, **filled(fault, sandbox))

    # A call that is still under way does not keep a second one from being placed, as a verified number would.
    talks = 3 * TIMEOUT if step == "place call" else 0
    listen = f"127.0.0.1:{free_port()}"
    sandbox = Sandbox(
        delays=Delays(0, 0, talks),
        numbers={DESK: "Desk"},
        on_answer=answered,
        deliver_to={PUBLIC: f"http://{listen}"},
    )
    sandbox.set_auth_token(TOKEN)
    with sandbox, _quick(fault) as (logged, pauses):
        [desk] = sandbox.caller_ids
        if step == "called back":
            sandbox.callbacks_go("early")  # else a look at the list may find the number before its callback comes
        if armed:
            arm()
        with _wire(fault, endpoint, lasting, lambda: armed, sandbox.url) as elsewhere:
            began = time.monotonic()
            answer, error = None, None
            try:
                answer = _operation(step, sandbox, desk.sid, listen)
            except Exception as failed:  # noqa: BLE001 - which kind it is, is judged
                error = failed
            seconds = time.monotonic() - began
        sid = getattr(answer, "id", None)
        if sid is None:
            sid = "" if error is None and step == "delete" else desk.sid if step in ("read", "update", "delete") else ""
        asked = endpoint in [record.endpoint for record in sandbox.requests]
        left = {record.sid: record.phone_number for record in sandbox.caller_ids}
        strays = sum(not record.endpoint for record in sandbox.requests) + len(elsewhere)
        assert asked or fault == "refused", f"{step}: no request to it"
        return Outcome(
            step, fault, lasting, answer, error, sid, len(sandbox.calls), left, seconds, sum(pauses), strays, logged
        )


def _operation(step: str, sandbox: Sandbox, sid: str, listen: str) -> Any:
    provider = lifecycle.OutgoingCallerIdProvider()
    config = {"accountSid": sandbox.account_sid, "authToken": sandbox.auth_token, "apiUrl": sandbox.url}
    if step == "called back":
        config |= {"callbackUrl": PUBLIC, "callbackListen": listen}
    provider.configure(ConfigureRequest(Config({f"twilio:{name}": value for name, value in config.items()}, "p")))
    state = {"phone_number": DESK, "friendly_name": "Desk", "account_sid": sandbox.account_sid, "sid": sid}
    operations: dict[str, Callable[[], Any]] = {
        "read": lambda: provider.read(sid, state),
        "update": lambda: provider.update(sid, state, {"phone_number": DESK, "friendly_name": "Front"}),
        "delete": lambda: provider.delete(sid, state),
        "preflight": lambda: provider.check({}, {"phone_number": NEW, DRY_RUN: True}),
        "import": lambda: provider.create({"phone_number": DESK, IMPORT: sid}),
    }

    def servicer(request: object, context: object) -> Any:
        return operations.get(step, lambda: provider.create({"phone_number": NEW}))()

    return servicer(SimpleNamespace(urn=URN), SimpleNamespace())


@contextmanager
def _quick(fault: str) -> Iterator[tuple[list[str], list[float]]]:
    """Nothing waits, and nothing is known from before. Gives what is logged, and the pauses that were asked for.

    Only where a fault takes time is little of it given: a busy machine may stand still for as long.
    """
    timeout = TIMEOUT if fault == "hang" else 15.0
    logged: list[str] = []
    pauses: list[float] = []
    policy = PollingPolicy(interval=0.01, max_backoff=0.05)
    waiting = {**(wait_until_verified.__kwdefaults__ or {}), "polling": policy}
    with ExitStack() as patches:
        for target, name, value in (
            (CancelToken, "wait", lambda _token, seconds: pauses.append(seconds)),
            (
                transport,
                "DEFAULT_RETRIES",
                replace(transport.DEFAULT_RETRIES, timeout_seconds=timeout, max_rate_limit_wait=PATIENCE),
            ),
            (
                transport,
                "PREVIEW_RETRIES",
                replace(transport.PREVIEW_RETRIES, timeout_seconds=timeout, max_rate_limit_wait=PATIENCE),
            ),
            (polling, "POLL_RETRIES", replace(transport.POLL_RETRIES, timeout_seconds=timeout)),
            (polling, "FINAL_LOOKUP_RETRIES", replace(transport.FINAL_LOOKUP_RETRIES, timeout_seconds=timeout)),
            (creation, "DEFAULT_TIMEOUT_SECONDS", 15.0 if fault == "extra fields" else WAIT),
            (wait_until_verified, "__kwdefaults__", waiting),
            (connections, "MAX_ANSWER_BYTES", BOUND),
            (pulumi_sdk, "log", lambda _level, text, **_: logged.append(text)),
        ):
            patches.enter_context(patch.object(target, name, value))
        forget_all()
        yield logged, pauses


@contextmanager
def _wire(
    fault: str, endpoint: Endpoint, lasting: Lasting, armed: Callable[[], bool], twilio: str
) -> Iterator[list[str]]:
    """The faults that no answer can make up: nobody listens, and true answers with more in them. Gives the addresses
    that were asked although they are not Twilio's.
    """
    send, used = connections.BoundedSession.send, 0
    elsewhere: list[str] = []

    def sent(self: connections.BoundedSession, request: Any, **options: Any) -> Any:
        nonlocal used
        if not request.url.startswith(f"{twilio}/"):
            elsewhere.append(request.url)
        hit = armed() and _endpoint(request) == endpoint and not (lasting == "once" and used)
        if hit and fault == "refused":
            used += 1
            request.url = "http://127.0.0.1:9/"
        answer = send(self, request, **options)
        if hit and fault in FIELDS and answer.status_code == 200:
            used += 1
            answer._content = json.dumps(_with(FIELDS[fault], answer.json())).encode()
        return answer

    with patch.object(connections.BoundedSession, "send", sent):
        yield elsewhere


def _with(fields: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """An answer with other and more fields; of a page, those of its records."""
    if "outgoing_caller_ids" in answer:
        return {**answer, "outgoing_caller_ids": [{**record, **fields} for record in answer["outgoing_caller_ids"]]}
    return {**answer, **fields}


def _endpoint(request: Any) -> str:
    path = urlsplit(request.url).path
    if "/Calls/" in path:
        return "call"
    if path.endswith("/OutgoingCallerIds.json"):
        return "create" if request.method == "POST" else "list"
    return {"GET": "fetch", "POST": "update", "DELETE": "delete"}[request.method]


def main() -> int:
    wrong = 0
    for fault in FAULTS:
        for step in STEPS:
            cells = [cell for cell in CELLS if cell[:2] == (step, fault)]
            seen = [run(*cell) for cell in cells]
            faulty = sorted({name for outcome in seen for name in broken(outcome)})
            wrong += bool(faulty)
            if seen:
                sys.stdout.write(f"{fault:14} {step:11} {seen[0].word:19} {seen[1].word:19} {' '.join(faulty)}\n")
    sys.stdout.write(f"{len(CELLS)} cells; {wrong} with a broken invariant\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

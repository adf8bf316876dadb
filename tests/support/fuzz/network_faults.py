"""What lies between a provider under test and the local Twilio: time that nobody waits for, and trouble on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import requests

from pulumi_twilio_caller_id.api.connections import BoundedSession
from pulumi_twilio_caller_id.sandbox.faults import Endpoint
from pulumi_twilio_caller_id.testing import Sandbox, TwilioError
from pulumi_twilio_caller_id.verification.waiter import CallbackInbox

Kind = Literal["500", "429", "404", "HTML", "{}", "drop before", "drop after", "hang", "killed", "refused", "overtaken"]
"""404: not Twilio's, without its code. {}: an answer to another question. hang: Twilio acts, its answer never comes.
killed: the plugin process dies. refused: the token is not accepted. overtaken: just before a call is placed, the number
gets verified in the Console.
"""


@dataclass(frozen=True)
class Trouble:
    """What goes wrong in one run.

    endpoint: which requests it is for; not of the last three kinds. lasting: for all of them, rather than for one.
    at: how many requests the process lives to send, where it is killed.
    """

    kind: Kind
    endpoint: Endpoint = "list"
    lasting: bool = False
    at: int = 1


@dataclass(frozen=True)
class Answer:
    """What the provider was answered. status: 0 for nothing; code: Twilio's."""

    method: str
    sid: str
    status: int
    code: int


class Killed(BaseException):
    """The process that sends this is no more."""


class Clock:
    """The waiter's time, and the sandbox's: it moves when somebody waits."""

    def __init__(self) -> None:
        self.time = 1_790_000_000.0

    def now(self) -> float:
        return self.time

    def inbox(self) -> CallbackInbox:
        return _InboxOfClock(self)


class _InboxOfClock(CallbackInbox):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, seconds: float) -> None:
        self._clock.time += max(seconds, 0.01)


class Line:
    """Sees all requests. token: what the stack's config has for `authToken`. told: what the provider has logged.
    overtaken: the caller IDs that somebody else was quicker with.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.answers: list[Answer] = []
        self.told: list[str] = []
        self.overtaken: list[str] = []
        self.dead = False
        self.token = sandbox.auth_token
        self._sandbox = sandbox
        self._trouble: Trouble | None = None
        self._left = 0

    @contextmanager
    def suffering(self, trouble: Trouble | None) -> Iterator[None]:
        """Within it, things go wrong."""
        self._trouble, self.dead = trouble, False
        if trouble is not None:
            self._arm(trouble)
        send = BoundedSession.send
        try:
            with patch.object(BoundedSession, "send", lambda *args, **options: self._sent(send, *args, **options)):
                yield
        finally:
            self._trouble, self.token = None, self._sandbox.auth_token
            self._sandbox.heal()

    def _arm(self, trouble: Trouble) -> None:
        self._left = trouble.at if trouble.kind == "killed" else 1
        times = None if trouble.lasting else 1
        match trouble.kind:
            case "500" | "429":
                self._sandbox.fail(trouble.endpoint, status=int(trouble.kind), times=times)
            case "404":
                self._sandbox.fail(trouble.endpoint, status=404, body="{}", times=times)
            case "HTML" | "{}":
                body = "<html>gateway</html>" if trouble.kind == "HTML" else "{}"
                self._sandbox.fail(trouble.endpoint, body=body, times=times)
            case "drop before":
                self._sandbox.fail(trouble.endpoint, drop="before", times=times)
            case "drop after":
                self._sandbox.fail(trouble.endpoint, drop="after", times=times)
            case "refused":
                self.token = "deadbeef" * 4

    def _sent(self, send: Any, session: BoundedSession, request: Any, **options: Any) -> requests.Response:
        trouble = self._trouble
        if self.dead:
            raise Killed
        if trouble is not None and trouble.kind == "overtaken" and endpoint_of(request) == "create":
            self._overtake(request)
        try:
            answer = send(session, request, **options)
        except Exception:
            self._note(request, None)
            raise
        if trouble is not None and trouble.kind == "killed":
            self._left -= 1
            if self._left <= 0:
                self.dead = True
                raise Killed
        if trouble is not None and trouble.kind == "hang" and endpoint_of(request) == trouble.endpoint:
            self._left -= 1
            if trouble.lasting or self._left == 0:
                self._note(request, None)
                raise requests.exceptions.ReadTimeout("timed out")
        self._note(request, answer)
        return answer  # type: ignore[no-any-return]

    def _overtake(self, request: Any) -> None:
        account_sid = urlsplit(request.url).path.split("/")[3]
        [number] = parse_qs(request.body)["PhoneNumber"]
        with suppress(TwilioError):  # unless it is verified already
            self.overtaken.append(self._sandbox.add_caller_id(number, "Elsewhere", account_sid).sid)

    def _note(self, request: Any, answer: Any) -> None:
        body = answer.json() if answer is not None and answer.text.startswith("{") else {}
        sid = urlsplit(request.url).path.rpartition("/")[2].removesuffix(".json")
        self.answers.append(
            Answer(request.method, sid, 0 if answer is None else answer.status_code, body.get("code") or 0)
        )


def endpoint_of(request: Any) -> Endpoint:
    """Which of the sandbox's endpoints a request is to."""
    path = urlsplit(request.url).path
    if "/Calls/" in path:
        return "call"
    if path.endswith("/OutgoingCallerIds.json"):
        return "create" if request.method == "POST" else "list"
    single: dict[str, Endpoint] = {"GET": "fetch", "POST": "update", "DELETE": "delete"}
    return single[request.method]

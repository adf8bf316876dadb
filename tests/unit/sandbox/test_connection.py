"""What an address of a StatusCallback says of how it is asked: timeouts, retries and a login."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
import pytest

from pulumi_twilio_caller_id.sandbox import connection
from pulumi_twilio_caller_id.sandbox.connection import Connection

URL = "https://hooks.example.com/a?b=1"
USUAL = Connection()
EVERY = frozenset({"ct", "rt", "4xx", "5xx"})
BASIC = "Basic dXNlcjpwYXNz"  # user:pass
TOKEN = "I-Twilio-Idempotency-Token"

DOWN = aiohttp.ConnectionTimeoutError()
SLOW = aiohttp.SocketTimeoutError()
CUT_OFF = aiohttp.ServerDisconnectedError()


@dataclass
class Receiver:
    """Answers with these, one after the other, and keeps how it was asked."""

    answers: Sequence[int | Exception]
    asked: list[dict[str, str]] = field(default_factory=list)
    limits: list[aiohttp.ClientTimeout] = field(default_factory=list)

    async def __call__(self, limits: aiohttp.ClientTimeout, headers: Mapping[str, str]) -> int | Exception:
        self.asked.append(dict(headers))
        self.limits.append(limits)
        return self.answers[len(self.asked) - 1]


def asked(address: str, *answers: int | Exception) -> Receiver:
    receiver = Receiver(answers)
    asyncio.run(Connection.to(address).ask_until_answered(receiver, {"X": "1"}))
    return receiver


@pytest.fixture(autouse=True)
def retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "RETRY", 0)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (URL, USUAL),
        (f"{URL}#", USUAL),
        (f"{URL}#anchor", USUAL),
        (f"{URL}#sni=n&e=dublin", USUAL),
        (f"{URL}#rc=5&rp=all", Connection(retries=5, policy=EVERY)),
        (f"{URL}#rc=0", Connection(retries=0)),
        (f"{URL}#rp=4xx,rt", Connection(policy=frozenset({"4xx", "rt"}))),
        (f"{URL}#rp=ct,all", Connection(policy=EVERY)),
        (f"{URL}#ct=100&rt=250&tt=15000", Connection(connect=0.1, read=0.25, total=15.0)),
        (f"{URL}#rc=6&rp=3xx&ct=99&rt=15001&tt=x", USUAL),
        (f"{URL}#rc=-1&rp=&ct=10001&rt=1.5&tt=", USUAL),
        (f"{URL}#rc=3&rc=2", Connection(retries=2)),
        ("http://user:pass@hooks.example.com", Connection(authorization=BASIC)),
        ("http://us%65r:p%61ss@hooks.example.com:81/a", Connection(authorization=BASIC)),
        ("http://user@hooks.example.com", Connection(authorization="Basic dXNlcjo=")),  # user:
        ("http://us%40%3Aer:p:w@hooks.example.com", Connection(authorization="Basic dXNAOmVyOnA6dw==")),  # us@:er:p:w
    ],
)
def test_an_address_says_how_it_is_asked(address: str, expected: Connection) -> None:
    assert expected == Connection.to(address)


@pytest.mark.parametrize(
    ("fragment", "answers", "times"),
    [
        ("", [204], 1),
        ("", [500], 1),
        ("", [CUT_OFF], 1),
        ("", [SLOW], 1),
        ("", [DOWN, DOWN], 2),
        ("", [DOWN, 500], 2),
        ("#rc=0", [DOWN], 1),
        ("#rc=3", [DOWN, DOWN, DOWN, DOWN], 4),
        ("#rc=3", [DOWN, 204], 2),
        ("#rc=3", [500], 1),
        ("#rc=2&rp=5xx", [500, 503, 502], 3),
        ("#rc=2&rp=5xx", [500, 404], 2),
        ("#rp=5xx", [DOWN], 1),
        ("#rp=4xx", [404, 403], 2),
        ("#rp=rt", [SLOW, SLOW], 2),
        ("#rc=5&rp=all", [DOWN, SLOW, 404, 500, 302], 5),
        ("#rp=all", [CUT_OFF], 1),
        ("#rp=all", [TimeoutError()], 1),
    ],
)
def test_what_is_tried_again(fragment: str, answers: list[int | Exception], times: int) -> None:
    receiver = asked(URL + fragment, *answers)
    assert times == len(receiver.asked)
    tokens = [headers.pop(TOKEN, "") for headers in receiver.asked]
    assert ("", times - 1) == (tokens[0], len({token for token in tokens[1:] if token})), "each retry has its own"
    assert [{"X": "1"}] * times == receiver.asked


def test_no_time_is_left_for_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "RETRY", 0.1)
    assert 1 == len(asked(f"{URL}#rc=5&tt=100", DOWN).asked)


def test_the_time_is_that_of_all_retries_together() -> None:
    receiver = asked(f"{URL}#rc=2&tt=9000&ct=700&rt=800", DOWN, DOWN, DOWN)
    assert [(0.7, 0.8)] * 3 == [(limits.sock_connect, limits.sock_read) for limits in receiver.limits]
    left = [limits.total or 0 for limits in receiver.limits]
    assert 9 > left[0] > left[1] > left[2] > 0


@pytest.mark.parametrize(
    ("login", "fragment", "answers", "authorizations"),
    [
        ("", "", [401], [None]),
        ("user:pass@", "", [204], [None]),
        ("user:pass@", "", [403], [None]),
        ("user:pass@", "", [401, 204], [None, BASIC]),
        ("user:pass@", "", [401, 401], [None, BASIC]),
        ("user:pass@", "", [DOWN, 401, 204], [None, None, BASIC]),
        ("user:pass@", "#rp=4xx", [401, 401, 401, 401], [None, BASIC, None, BASIC]),
    ],
)
def test_a_login_is_given_where_it_is_asked_for(
    login: str, fragment: str, answers: list[int | Exception], authorizations: list[str | None]
) -> None:
    receiver = asked(f"http://{login}hooks.example.com/{fragment}", *answers)
    assert authorizations == [headers.get("Authorization") for headers in receiver.asked]

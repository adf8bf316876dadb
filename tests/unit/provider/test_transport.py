"""The wire: what is sent again, what is not, and when an answer counts as lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_twilio_caller_id.api.transport import FINAL_LOOKUP_RETRIES
from pulumi_twilio_caller_id.cancellation import CancelToken
from pulumi_twilio_caller_id.errors import (
    AnswerLost,
    TooManyRequests,
    TwilioRefused,
)
from pulumi_twilio_caller_id.models import OutgoingCallerIdInputs
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from tests.support.broken_servers import RawServer
    from tests.support.fixtures.unit import Connect

NUMBER = "+14155550101"
INPUTS = OutgoingCallerIdInputs(phone_number=NUMBER)
POST_LOST = f"Twilio was asked to verify {NUMBER}, and gave no usable answer: "
GET_LOST = f"Twilio was asked to look up {NUMBER}, and gave no usable answer: "


def asked(sandbox: Sandbox) -> list[tuple[str, int | None]]:
    return [(request.endpoint, request.status) for request in sandbox.requests]


def assert_growing(sleeps: list[float]) -> None:
    """Each pause is between half and all of its length, which doubles from half a second on."""
    for number, pause in enumerate(sleeps):
        assert 0.25 * 2**number <= pause <= 0.5 * 2**number


# An interrupt


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429, "retry_after": 30}, {"drop": "before"}])
def test_nothing_is_sent_again_after_an_interrupt(
    sandbox: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    """Nor is a pause held out to its end: whoever pressed ^C waits for this."""
    sandbox.fail("fetch", **fault)
    token = CancelToken()
    pause = CancelToken.wait

    def interrupt(_: CancelToken, __: float) -> None:
        threading.Timer(0.05, token.cancel, ["pulumi was interrupted"]).start()
        pause(token, PATIENCE)

    monkeypatch.setattr(CancelToken, "wait", interrupt)
    begun = time.monotonic()
    with pytest.raises((TwilioRefused, AnswerLost), match="read caller ID"):
        connect(cancel=token).fetch("PN" + "0" * 32)
    assert time.monotonic() - begun < PATIENCE / 2
    assert 1 == len(sandbox.requests)


# Too many requests: B15


def test_a_busy_answer_is_asked_for_again(sandbox: Sandbox, connect: Connect, sleeps: list[float]) -> None:
    sandbox.fail("list", status=429, times=2)
    assert connect().find(NUMBER) is None
    assert asked(sandbox) == [("list", 429), ("list", 429), ("list", 200)]
    assert len(sleeps) == 2
    assert_growing(sleeps)


def test_retry_after_is_waited_for(sandbox: Sandbox, connect: Connect, sleeps: list[float]) -> None:
    sandbox.fail("list", status=429, times=1, retry_after=7)
    sandbox.fail("list", status=429, times=1, retry_after=0)
    assert connect().find(NUMBER) is None
    assert sleeps == [7.0, 0.0]


def test_a_busy_answer_to_a_validation_request_places_one_call(
    sandbox: Sandbox, connect: Connect, sleeps: list[float]
) -> None:
    """429 was never processed, so sending it again is safe although it is a POST."""
    sandbox.fail("create", status=429, times=1, retry_after=1)
    sandbox.fail("create", status=429, times=1)
    request = connect().request_validation(INPUTS)
    assert [request.call_sid] == [call.sid for call in sandbox.calls]
    assert asked(sandbox) == [("create", 429), ("create", 429), ("create", 200)]
    assert sleeps[0] == 1.0
    assert 0.5 <= sleeps[1] <= 1.0


def test_a_server_that_stays_busy_is_told_after_the_last_attempt(
    sandbox: Sandbox, connect: Connect, sleeps: list[float]
) -> None:
    sandbox.fail("create", status=429)
    with pytest.raises(TooManyRequests) as caught:
        connect(attempts=3, max_rate_limit_wait=0).request_validation(INPUTS)
    told = f"Too Many Requests (code 20429, HTTP 429, account {sandbox.account_sid})"
    assert caught.value.what == f"Twilio refused to verify {NUMBER}: {told}."
    assert asked(sandbox) == [("create", 429)] * 3
    assert len(sleeps) == 2


def test_a_busy_server_is_borne_with_for_a_minute_beside_the_attempts(
    sandbox: Sandbox, connect: Connect, sleeps: list[float]
) -> None:
    """A storm of other requests passes; half a dozen refusals say nothing about this one."""
    sandbox.fail("create", status=429)
    with pytest.raises(TooManyRequests):
        connect().request_validation(INPUTS)
    assert 60 <= sum(sleeps) <= 60 + 4 * 8
    assert max(sleeps) <= 8
    assert asked(sandbox) == [("create", 429)] * (len(sleeps) + 1)
    assert [] == sandbox.calls


def test_a_server_that_asks_for_no_pause_is_not_asked_for_a_minute(
    sandbox: Sandbox, connect: Connect, sleeps: list[float]
) -> None:
    sandbox.fail("list", status=429, retry_after=0)
    with pytest.raises(TooManyRequests):
        connect(attempts=3).find(NUMBER)
    assert [0.0, 0.0] == sleeps


def test_a_wait_that_is_too_long_is_not_made(sandbox: Sandbox, connect: Connect, sleeps: list[float]) -> None:
    sandbox.fail("list", status=429, retry_after=31)
    with pytest.raises(TooManyRequests) as caught:
        connect().find(NUMBER)
    assert caught.value.retry_after == 31.0
    assert sleeps == []


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("retry_after", "expected"), [(5, [5.0]), (29, [])])
def test_who_has_no_time_makes_no_long_pause(
    sandbox: Sandbox, connect: Connect, sleeps: list[float], status: int, retry_after: int, expected: list[float]
) -> None:
    sandbox.fail("list", status=status, retry_after=retry_after)
    with pytest.raises(TwilioRefused):
        connect().with_retry_policy(FINAL_LOOKUP_RETRIES).find(NUMBER)
    assert expected == sleeps


def test_the_pauses_that_a_busy_server_asks_for_are_a_minute_in_all(
    sandbox: Sandbox, connect: Connect, sleeps: list[float]
) -> None:
    sandbox.fail("list", status=429, retry_after=29)
    with pytest.raises(TooManyRequests):
        connect().find(NUMBER)
    assert [29.0, 29.0] == sleeps


@pytest.mark.parametrize("header", [b"soon", b"Wed, 25 Nov 2026 10:00:00 GMT", b"-5", b"nan"])
def test_a_retry_after_that_is_no_number_of_seconds_does_no_harm(
    connect: Connect, answering: Callable[[bytes], RawServer], sleeps: list[float], header: bytes
) -> None:
    server = answering(b"HTTP/1.0 429 Busy\r\nContent-Length: 0\r\nRetry-After: " + header + b"\r\n\r\n")
    with pytest.raises(TooManyRequests):
        connect(url=server.url, attempts=2, max_rate_limit_wait=0).find(NUMBER)
    assert len(server.requests) == 2
    assert len(sleeps) == 1
    assert 0 <= sleeps[0] <= 0.5


# A broken server


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_reading_request_is_repeated(sandbox: Sandbox, connect: Connect, sleeps: list[float], status: int) -> None:
    sandbox.fail("list", status=status, times=3)
    assert connect().find(NUMBER) is None
    assert asked(sandbox) == [("list", status)] * 3 + [("list", 200)]
    assert len(sleeps) == 3
    assert_growing(sleeps)


@pytest.mark.parametrize("attempts", [1, 2, 4])
def test_a_reading_request_is_given_up_after_attempts(
    sandbox: Sandbox, connect: Connect, sleeps: list[float], attempts: int
) -> None:
    sandbox.fail("list", status=500)
    with pytest.raises(TwilioRefused) as caught:
        connect(attempts=attempts).find(NUMBER)
    assert (caught.value.status, caught.value.code) == (500, 20500)
    assert asked(sandbox) == [("list", 500)] * attempts
    assert len(sleeps) == attempts - 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_validation_request_is_not_repeated(
    sandbox: Sandbox, connect: Connect, sleeps: list[float], status: int
) -> None:
    """A gateway may have given up on a request that Twilio went on with."""
    sandbox.fail("create", status=status, body="<html>Bad gateway</html>", processed=True)
    with pytest.raises(TwilioRefused) as caught:
        connect().request_validation(INPUTS)
    assert caught.value.what == f"Twilio failed to verify {NUMBER} (HTTP {status}, account {sandbox.account_sid})."
    assert len(sandbox.calls) == 1
    assert sleeps == []


# Lost answers


@pytest.mark.parametrize(("drop", "calls"), [("before", 0), ("after", 1)])
def test_a_validation_request_whose_connection_breaks_is_not_repeated(
    sandbox: Sandbox, connect: Connect, sleeps: list[float], drop: Any, calls: int
) -> None:
    """The two cannot be told apart from here."""
    sandbox.fail("create", drop=drop)
    with pytest.raises(AnswerLost) as caught:
        connect().request_validation(INPUTS)
    expected = POST_LOST + "the connection broke (Connection reset by peer)."
    assert expected == caught.value.what
    assert (len(sandbox.requests), len(sandbox.calls)) == (1, calls)
    assert sleeps == []


def test_a_reading_request_whose_connection_breaks_is_repeated(sandbox: Sandbox, connect: Connect) -> None:
    sandbox.fail("list", drop="after", times=1)
    assert connect().find(NUMBER) is None
    assert asked(sandbox) == [("list", None), ("list", 200)]


def test_an_answer_that_does_not_come_is_not_waited_for(
    sandbox: Sandbox, connect: Connect, sleeps: list[float]
) -> None:
    """B19. The step is named, and the call that may have been placed is not placed twice."""
    sandbox.fail("create", delay=60)
    begin = time.monotonic()
    with pytest.raises(AnswerLost) as caught:
        connect(timeout_seconds=0.2).request_validation(INPUTS)
    assert caught.value.what == POST_LOST + "nothing came within 0.2 s."
    assert 0.2 <= time.monotonic() - begin < PATIENCE / 2
    assert len(sandbox.requests) <= 1  # none yet, where this one is given up before the sandbox gets to it
    assert sleeps == []


def test_a_reading_request_that_hangs_is_repeated(sandbox: Sandbox, connect: Connect) -> None:
    sandbox.fail("list", delay=60, times=1)
    assert connect(timeout_seconds=1.0).find(NUMBER) is None
    *given_up, last = asked(sandbox)
    assert ("list", 200) == last
    assert {("list", None)} == set(given_up)


@pytest.mark.parametrize("body", ["<html>Welcome</html>", "", "[]"])
def test_a_success_without_a_json_object_is_a_lost_answer(
    sandbox: Sandbox, connect: Connect, sleeps: list[float], body: str
) -> None:
    """Reading is repeated, a validation request is not: its call may have been placed."""
    sandbox.fail("create", body=body, processed=True)
    sandbox.fail("list", body=body)
    with pytest.raises(AnswerLost) as caught:
        connect().request_validation(INPUTS)
    assert caught.value.what == POST_LOST + "HTTP 200 with a body that is not JSON."
    assert (len(sandbox.calls), sleeps) == (1, [])
    with pytest.raises(AnswerLost) as caught:
        connect(attempts=2).find(NUMBER)
    assert caught.value.what == GET_LOST + "HTTP 200 with a body that is not JSON."
    assert len(sandbox.requests) == 3


def test_a_deletion_that_is_not_answered_with_204_is_a_lost_answer(sandbox: Sandbox, connect: Connect) -> None:
    """A page of something in between deletes nothing."""
    sandbox.fail("delete", body="{}")
    with pytest.raises(AnswerLost, match="HTTP 200, but Twilio answers a deletion with 204"):
        connect(attempts=1).remove(sandbox.caller_ids[0].sid)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"Hello\r\n\r\n",
        b'HTTP/1.0 200 OK\r\nContent-Length: 500\r\n\r\n{"sid":',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"sid',
        b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\n\xff\xfe{}",
    ],
    ids=["nothing", "no HTTP", "cut short", "a chunk cut short", "not compressed as it says", "no UTF-8"],
)
def test_an_answer_that_is_cut_or_garbled_is_a_lost_answer(
    connect: Connect, answering: Callable[[bytes], RawServer], answer: bytes
) -> None:
    server = answering(answer)
    with pytest.raises(AnswerLost) as caught:
        connect(url=server.url).request_validation(INPUTS)
    assert caught.value.what.startswith(POST_LOST)
    assert len(server.requests) == 1
    with pytest.raises(AnswerLost) as caught:
        connect(url=server.url, attempts=2).find(NUMBER)
    assert caught.value.what.startswith(GET_LOST)
    assert len(server.requests) == 3


def test_an_answer_that_is_cut_short_is_explained(connect: Connect, answering: Callable[[bytes], RawServer]) -> None:
    """In words, not as the bare number of bytes that are missing."""
    server = answering(b"HTTP/1.0 200 OK\r\nContent-Length: 500\r\n\r\n{}")
    with pytest.raises(AnswerLost) as caught:
        connect(url=server.url).request_validation(INPUTS)
    assert not caught.value.what.rstrip(".").endswith("498")

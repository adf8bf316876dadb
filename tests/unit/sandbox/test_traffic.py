"""Latency and the limit of concurrent requests: how busy the way to the sandbox is."""

from __future__ import annotations

import asyncio
import math
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import requests
from aiohttp.test_utils import TestClient, TestServer

from pulumi_twilio_caller_id.sandbox.account import LocalTwilio
from pulumi_twilio_caller_id.sandbox.credentials import Credentials
from pulumi_twilio_caller_id.sandbox.faults import Fault
from pulumi_twilio_caller_id.sandbox.phones import PhoneBook
from pulumi_twilio_caller_id.sandbox.server import Server
from pulumi_twilio_caller_id.sandbox.traffic import Traffic
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.waiting import PATIENCE, until

NUMBER = "+14155550101"
SUBACCOUNT = "AC" + "5" * 32
LIST, CREATE = ("GET", "OutgoingCallerIds.json"), ("POST", "OutgoingCallerIds.json")


class Latency:
    """A sleep that lasts until the test ends it."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.over = asyncio.Event()
        self._begun = asyncio.Semaphore(0)

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        self._begun.release()
        await self.over.wait()

    async def has_begun(self, times: int) -> None:
        for _ in range(times):
            await self._begun.acquire()


class World:
    """A server whose answers are held back until the test lets them go."""

    def __init__(self, concurrency: int | None = None) -> None:
        self.latency = Latency()
        self.twilio = LocalTwilio(Credentials(subaccounts={SUBACCOUNT: "token"}), PhoneBook(), time.time)
        self.server = Server(self.twilio, traffic=Traffic(0.25, concurrency, sleep=self.latency))
        self.client: TestClient[Any, Any]

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        async with self.server.callbacks.running(), TestClient(TestServer(self.server.application())) as self.client:
            yield

    async def ask(self, what: tuple[str, str], account_sid: str = "") -> tuple[int, Any]:
        credentials = self.twilio.credentials
        opens = f"{credentials.account_sid}:{credentials.auth_token}"
        method, path = what
        answer = await self.client.request(
            method,
            f"/2010-04-01/Accounts/{account_sid or credentials.account_sid}/{path}",
            data={"PhoneNumber": NUMBER} if method == "POST" else None,
            headers={"Authorization": f"Basic {b64encode(opens.encode()).decode()}"},
        )
        return answer.status, await answer.json()

    def begin(self, what: tuple[str, str], account_sid: str = "") -> asyncio.Task[tuple[int, Any]]:
        return asyncio.create_task(self.ask(what, account_sid))

    @property
    def statuses(self) -> list[int | None]:
        return [record.status for record in self.server.recording.copy()]


async def statuses(*asked: asyncio.Task[tuple[int, Any]]) -> list[int]:
    return [status for status, _ in await asyncio.gather(*asked)]


# Latency


def test_all_answers_are_held_back_at_the_same_time() -> None:
    async def scenario() -> None:
        world = World()
        async with world.serving():
            asked = [world.begin(LIST), world.begin(CREATE), world.begin(("GET", "Calls/CA1.json"))]
            await world.latency.has_begun(3)
            assert [0.25, 0.25, 0.25] == world.latency.asked
            assert [None, None, None] == world.statuses
            assert 1 == len(world.twilio.placed_calls())  # the request counts from its arrival
            world.latency.over.set()
            assert [200, 200, 404] == await statuses(*asked)

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE))


def test_people_and_the_test_itself_are_not_held_back() -> None:
    async def scenario() -> None:
        world = World()
        async with world.serving():
            assert 200 == (await world.client.get("/sandbox/state")).status
            assert [] == world.latency.asked

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE))


def test_there_is_none_unless_it_is_asked_for() -> None:
    async def scenario() -> None:
        latency = Latency()
        async with Traffic(sleep=latency).under_way("AC1") as admitted:
            assert admitted
        assert [] == latency.asked

    asyncio.run(scenario())


def test_the_answers_of_a_sandbox_are_held_back() -> None:
    with Sandbox(latency=0.05) as sandbox:
        started = time.monotonic()
        url = f"{sandbox.url}/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds.json"
        assert 200 == requests.get(url, auth=(sandbox.account_sid, sandbox.auth_token), timeout=PATIENCE).status_code
        assert time.monotonic() - started >= 0.05


# Concurrency


def test_one_request_too_many_is_refused_at_once_and_has_no_effect() -> None:
    async def scenario() -> None:
        world = World(concurrency=2)
        async with world.serving():
            asked = [world.begin(LIST), world.begin(("GET", "Calls/CA1.json"))]
            await world.latency.has_begun(2)
            assert (
                429,
                {
                    "code": 20429,
                    "message": "Too Many Requests",
                    "more_info": "https://www.twilio.com/docs/errors/20429",
                    "status": 429,
                },
            ) == await world.ask(CREATE)
            assert [] == world.twilio.placed_calls()
            assert [None, None, 429] == world.statuses
            assert ["list", "call", "create"] == [record.endpoint for record in world.server.recording.copy()]
            assert 2 == len(world.latency.asked)

            world.latency.over.set()
            assert [200, 404] == await statuses(*asked)
            assert [200, 404, 429] == world.statuses

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE))


def test_a_refused_request_is_not_under_way() -> None:
    async def scenario() -> None:
        world = World(concurrency=1)
        async with world.serving():
            first = world.begin(LIST)
            await world.latency.has_begun(1)
            assert [429, 429] == await statuses(world.begin(LIST), world.begin(LIST))
            world.latency.over.set()
            assert [200] == await statuses(first)
            assert 200 == (await world.ask(CREATE))[0]

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE))


def test_whoever_asks_one_thing_after_the_other_is_never_refused() -> None:
    async def scenario() -> None:
        world = World(concurrency=1)
        world.latency.over.set()
        async with world.serving():
            assert [200] * 20 == [(await world.ask(LIST))[0] for _ in range(20)]

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE))


def test_each_account_has_a_limit_of_its_own() -> None:
    async def scenario() -> None:
        world = World(concurrency=1)
        async with world.serving():
            asked = [world.begin(LIST), world.begin(LIST, SUBACCOUNT)]
            await world.latency.has_begun(2)
            assert [429, 429] == await statuses(world.begin(LIST), world.begin(LIST, SUBACCOUNT))
            world.latency.over.set()
            assert [200, 200] == await statuses(*asked)

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE))


def test_a_refused_request_leaves_the_faults_to_others() -> None:
    async def scenario() -> None:
        world = World(concurrency=1)
        async with world.serving():
            first = world.begin(LIST)
            await world.latency.has_begun(1)
            world.server.faults.add(Fault("create", status=503, times=1))
            assert 429 == (await world.ask(CREATE))[0]
            world.latency.over.set()
            await first
            assert [503, 200] == [(await world.ask(CREATE))[0], (await world.ask(CREATE))[0]]

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE))


def test_a_request_that_goes_wrong_is_not_under_way_for_ever() -> None:
    async def scenario() -> None:
        latency = Latency()
        traffic = Traffic(1.0, 1, sleep=latency)
        with pytest.raises(OSError, match="broken"):
            async with traffic.under_way("AC1"):
                raise OSError("broken")
        latency.over.set()
        async with traffic.under_way("AC1") as admitted:
            assert admitted

    asyncio.run(scenario())


def test_a_sandbox_limits_its_account() -> None:
    with Sandbox(latency=60, concurrency=1) as sandbox:
        url = f"{sandbox.url}/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds.json"
        auth = (sandbox.account_sid, sandbox.auth_token)
        with pytest.raises(requests.ReadTimeout):  # the one that waits gives up, its request is under way all the same
            requests.get(url, auth=auth, timeout=(PATIENCE, 0.5))
        until(lambda: sandbox.requests)
        assert 429 == requests.get(url, auth=auth, timeout=PATIENCE).status_code
        assert [None, 429] == [record.status for record in sandbox.requests]
    assert [True, False] == [record.dropped for record in sandbox.requests], "what was held back as it stopped"


# What makes no sense


@pytest.mark.parametrize("latency", [-0.1, math.inf, math.nan])
def test_a_latency_is_a_number_of_seconds(latency: float) -> None:
    with pytest.raises(ValueError, match=f"latency is a number of seconds, 0 or more, not {latency}"):
        Sandbox(latency=latency)


@pytest.mark.parametrize("concurrency", [0, -1])
def test_a_limit_lets_at_least_one_request_through(concurrency: int) -> None:
    with pytest.raises(ValueError, match=f"1 or more, or None, not {concurrency}"):
        Sandbox(concurrency=concurrency)

"""StatusCallbacks: when a verification call ends, its address is told, once, and how that may go wrong.

A call's end is computed from the sandbox's clock, so nothing announces it: while calls with a StatusCallback are open,
a task looks every few hundredths of a second, and sends what is due. A real Twilio wants https; here http will do.

Sources: Twilio docs: voice/api/outgoing-caller-ids (when), usage/webhooks/webhook-shared-keys.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

import aiohttp
from yarl import URL

from .account import LocalTwilio
from .callback_plan import How, Plan
from .calls import Call
from .connection import Connection
from .credentials import made_up
from .store import StateFileError
from .webhook import Webhook, delivered_to, fields_of, read_deliver_to, sign

LOOK = 0.02  # seconds from look to look
UNSAVED = 0.5  # seconds until the next try where the state could not be saved
SIGNATURE = "X-Twilio-Signature"


@dataclass
class CallbackRecord:
    """One request to a StatusCallback; one that is repeated, with a login or as a retry, is one of its own.

    url        the public address, as it was signed but for the port; for GET with the fields in its query.
    fields     what was told.
    signature  the X-Twilio-Signature it carried, right or wrong; None: it had none.
    at         when it was sent, in seconds since the epoch, by the sandbox's clock.
    status     HTTP status of the answer; None while there is none, or for ever where there is an `error`.
    """

    call_sid: str
    url: str
    method: str
    fields: dict[str, str]
    signature: str | None
    at: float
    status: int | None = None
    error: str | None = None


class Callbacks:
    """Sends callbacks while `running`. `deliver_to` maps public base URLs to those where they can be reached here."""

    def __init__(
        self, twilio: LocalTwilio, *, deliver_to: Mapping[str, str] | None = None, plan: Plan | None = None
    ) -> None:
        self._twilio = twilio
        self._deliver_to = read_deliver_to(deliver_to or {})
        self._plan = plan or Plan()
        self._records: list[CallbackRecord] = []
        self._lock = threading.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None  # None unless running
        self._session: aiohttp.ClientSession

    # From any thread

    def go(self, plan: Plan) -> None:
        """Calls that end from now on are called back like that; those that have ended by now, as before."""
        with self._lock:
            ended = [] if self._loop is None else self._twilio.take_ended()
            before, self._plan = self._plan, plan
            if self._loop is not None:
                for call in ended:
                    self._loop.call_soon_threadsafe(self._deliver, call, before)

    @property
    def plan(self) -> Plan:
        """How the callbacks of calls go that end from now on."""
        with self._lock:
            return self._plan

    def copy(self) -> list[CallbackRecord]:
        """All that was sent so far; later requests and answers do not show in it."""
        with self._lock:
            return [replace(record, fields=dict(record.fields)) for record in self._records]

    def send(self, address: str, method: str, fields: Mapping[str, str], token: str | None) -> int:
        """Sends a request made by hand, and gives the status of its answer; nothing is recorded and nothing retried.

        `token` None: that of the account in the fields; empty: not signed. `ConnectionError` where there is no answer,
        `RuntimeError` where the sandbox does not run.
        """
        webhook = Webhook.to(address, method, fields)
        token = self._token(fields.get("AccountSid", "")) if token is None else token
        with self._lock:
            if self._loop is None:
                raise RuntimeError("the sandbox is not running")
            headers = {SIGNATURE: webhook.signature(token)} if token else {}
            asking = Connection.to(address).ask(partial(self._request, webhook), headers)
            answer = asyncio.run_coroutine_threadsafe(asking, self._loop)
        try:
            return answer.result()
        except (aiohttp.ClientError, TimeoutError, concurrent.futures.CancelledError) as failure:
            raise ConnectionError(f"{webhook.url}: {_words(failure)}") from failure

    # On the server's event loop

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sends what falls due meanwhile; at the end, what is under way is broken off."""
        self._wake = asyncio.Event()
        self._wake.set()  # calls may have ended while the sandbox was down
        # A connection each: one that is kept open would be found dead where a receiver comes and goes.
        connector = aiohttp.TCPConnector(force_close=True, limit=0)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as self._session:
            self._keep(asyncio.create_task(self._watch()))
            self._loop = asyncio.get_running_loop()
            try:
                yield
            finally:
                with self._lock:
                    self._loop = None
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    async def placed(self, call_sid: str) -> None:
        """To be told of each new call; returns once the API's answer may go out."""
        self._wake.set()
        if self._plan.how != "early":
            return
        delivery = None
        with contextlib.suppress(StateFileError):  # the call has been placed all the same, and takes its course
            if self._twilio.succeed_at_once(call_sid):
                delivery = self._look().get(call_sid)
        if delivery is not None:
            await asyncio.wait([delivery])

    async def _watch(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._twilio.owes_callbacks:
                pause = LOOK
                try:
                    self._look()
                except StateFileError:  # logged already; they are still owed, and sent once it can be saved
                    pause = UNSAVED
                await asyncio.sleep(pause)

    def _look(self) -> dict[str, asyncio.Task[None]]:
        with self._lock:
            plan, ended = self._plan, self._twilio.take_ended()
        return {call.sid: self._deliver(call, plan) for call in ended}

    def _deliver(self, call: Call, plan: Plan) -> asyncio.Task[None]:
        return self._keep(asyncio.create_task(self._call_back(call, plan)))

    def _keep(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _call_back(self, call: Call, plan: Plan) -> None:
        if plan.how == "lost":
            return
        await self._pass(plan.pause)
        address = call.status_callback or ""
        webhook, connection = Webhook.to(address, call.status_callback_method, fields_of(call)), Connection.to(address)
        headers = _signed(webhook, plan.how, self._token(call.account_sid))
        for _ in range(2 if plan.how == "doubled" else 1):
            await connection.ask_until_answered(partial(self._attempt, call.sid, webhook), headers)

    async def _pass(self, seconds: float) -> None:
        """Waits for as long in real time, less what the sandbox's clock is moved forward meanwhile."""
        until, before = time.monotonic() + seconds, self._twilio.clock.advanced
        while (left := until - time.monotonic() - (self._twilio.clock.advanced - before)) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, LOOK))

    async def _attempt(
        self, call_sid: str, webhook: Webhook, limits: aiohttp.ClientTimeout, headers: Mapping[str, str]
    ) -> int | Exception:
        """A request that is recorded: the status of its answer, or what came of it in place of one."""
        record = CallbackRecord(
            call_sid, webhook.url, webhook.method, dict(webhook.fields), headers.get(SIGNATURE), self._twilio.clock()
        )
        with self._lock:
            self._records.append(record)
        try:
            record.status = await self._request(webhook, limits, headers)
        except asyncio.CancelledError:
            record.error = "the sandbox was stopped"
            raise
        except (aiohttp.ClientError, TimeoutError, ValueError) as failure:
            record.error = _words(failure)
            return failure
        return record.status

    async def _request(self, webhook: Webhook, limits: aiohttp.ClientTimeout, headers: Mapping[str, str]) -> int:
        own = {"Host": webhook.host, "User-Agent": "TwilioProxy/1.1", "Accept": "*/*"}
        if webhook.body is not None:
            own["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        async with self._session.request(
            webhook.method,
            # Encoded already, and signed as it is: it may not be put another way.
            URL(delivered_to(webhook.url, self._deliver_to), encoded=True),
            data=webhook.body,
            headers={**own, **headers},
            allow_redirects=False,
            timeout=limits,
        ) as answer:
            return answer.status

    def _token(self, account_sid: str) -> str:
        credentials = self._twilio.credentials
        return credentials.subaccounts.get(account_sid, credentials.auth_token)


def _signed(webhook: Webhook, how: How, token: str) -> dict[str, str]:
    match how:
        case "unsigned":
            return {}
        case "badly-signed":
            return {SIGNATURE: webhook.signature(made_up("", "nobody's auth token"))}
        case "shared-key":
            signature = sign(webhook.url, {}, made_up("", "shared key"), "sha256")  # what it covers is not documented
            return {SIGNATURE: signature, "X-Twilio-Webhooks-Signature-Settings": "key=K1,algorithm=HMAC_SHA256"}
        case _:
            return {SIGNATURE: webhook.signature(token)}


def _words(failure: BaseException) -> str:
    return str(failure) or type(failure).__name__

"""A local Twilio for tests: real HTTP, in a thread, with people who answer as the test wants.

    from pulumi_twilio_caller_id.testing import Delays, Sandbox

    with Sandbox(phones={"+14155550101": "busy"}, delays=Delays(queued=0, rings=0, talks=0)) as sandbox:
        subprocess.run(["pulumi", "up", "--yes"], env={**os.environ, **sandbox.environment})
        assert [call.status for call in sandbox.calls] == ["busy"]

Nobody is phoned, and nothing leaves this machine but a callback that is asked to.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from .sandbox import Behaviour, CallerId, Delays, Fault, Phone, RequestRecord, TwilioError, arguments
from .sandbox.access import Access
from .sandbox.account import LocalTwilio
from .sandbox.account_rules import AccountRules
from .sandbox.background import BackgroundServer
from .sandbox.callback_plan import How, Plan
from .sandbox.callbacks import CallbackRecord, Callbacks
from .sandbox.calls import PlacedCall
from .sandbox.credentials import Credentials
from .sandbox.credentials import subaccounts as _subaccounts
from .sandbox.faults_file import FaultLike, read_faults
from .sandbox.phones import PhoneBook, PhoneLike
from .sandbox.server import Server
from .sandbox.store import Store
from .sandbox.traffic import Traffic
from .sandbox.trouble import Trouble

__all__ = [
    "Behaviour",
    "CallbackRecord",
    "CallerId",
    "Delays",
    "Fault",
    "Phone",
    "PlacedCall",
    "RequestRecord",
    "Sandbox",
    "TwilioError",
]


class Sandbox(Access, Trouble):
    """A local Twilio, serving from `start` to `stop`, or within a `with` block.

    phones       number -> what the person there does: a behaviour, a mapping, or a `Phone`. "*" is every number that is
                 not named; without it they key the code in.
    delays       how long calls take where the phone does not say.
    state        a file to keep the account in, for one sandbox at a time. None: it is forgotten.
    numbers      numbers that are verified already -> friendly name (None: Twilio's default).
    own_numbers  Twilio numbers of the account, which need no verifying.
    subaccounts  AccountSids, AC and 32 hexadecimal digits, or AccountSid -> auth token.
    trial        whether these are trial accounts: each verifies 5 numbers at most, and each number is verified in 3
                 accounts at most; one more is refused (code 21453).
    geo_permissions  countries that may be called, in two letters (ISO 3166-1 alpha-2): a call to another one is
                 accepted, and then fails. None: all.
    port         0: a free one.
    clock        seconds since the epoch; a test may pass its own and move it, or use `advance`.
    callbacks    how StatusCallbacks go, `callback_delay` how late "late" ones are, in seconds; see `callbacks_go`.
    faults       what goes wrong from the start: each a `Fault`, or a mapping of its fields. See `fail`.
    deliver_to   public base URL -> the one where it is reached here. Callbacks are signed for the public one.
    on_answer    called with the record of each request, from the sandbox's thread.
    latency      seconds that each answer of the API is held back, whatever else is under way.
    concurrency  how many requests an account may have under way; one more is answered 429 (code 20429) at once, and has
                 no effect. None: any number. Needs a latency, which may be small: without one they hardly overlap.
    calls_per_second  the rate at which an account's calls start, 1 at Twilio; the others stay queued. None: no queue.

    Raises `TypeError` for an argument of another kind and `ValueError` for one that makes no sense, each with its name
    and what it may be, `TwilioError` for a number too many for a trial account, `StateFileError` for a state file that
    cannot be used, and, on `start`, `OSError` where the port is taken, `StateFileError` where another sandbox has the
    file. What would change the account raises `StateFileError` where it cannot be saved, and over HTTP answers 500;
    then nothing has changed, in the file or here.
    """

    def __init__(
        self,
        *,
        phones: Mapping[str, PhoneLike] | None = None,
        delays: Delays | None = None,
        state: str | os.PathLike[str] | None = None,
        numbers: Mapping[str, str | None] | None = None,
        own_numbers: Iterable[str] = (),
        subaccounts: Mapping[str, str] | Iterable[str] = (),
        trial: bool = False,
        geo_permissions: Iterable[str] | None = None,
        port: int = 0,
        clock: Callable[[], float] = time.time,
        callbacks: How = "normally",
        callback_delay: float | None = None,
        faults: Iterable[FaultLike] = (),
        deliver_to: Mapping[str, str] | None = None,
        on_answer: Callable[[RequestRecord], None] | None = None,
        latency: float = 0.0,
        concurrency: int | None = None,
        calls_per_second: float | None = None,
    ) -> None:
        arguments.check(locals())
        with arguments.of("subaccounts"):
            self._credentials = Credentials(subaccounts=_subaccounts(subaccounts))
        with arguments.of("phones"):
            book = PhoneBook(phones, delays)
        with arguments.of("numbers"):
            verified = arguments.read_numbers(numbers or {})
        self._store = store = None if state is None else Store(Path(state))
        self._twilio = LocalTwilio(
            self._credentials,
            book,
            clock,
            account_rules=AccountRules(trial=trial, geo_permissions=geo_permissions, own_numbers=own_numbers),
            calls_per_second=calls_per_second,
            state=store.load() if store else None,
            save=store.save if store else None,
            last=store.last if store else None,
        )
        plan = Plan(callbacks, callback_delay)
        with arguments.of("deliver_to"):
            self._callbacks = Callbacks(self._twilio, deliver_to=deliver_to, plan=plan)
        traffic = Traffic(latency, concurrency)
        self._server = Server(
            self._twilio, clock=self._twilio.clock, callbacks=self._callbacks, traffic=traffic, on_answer=on_answer
        )
        with arguments.of("faults"):
            self._server.faults.add(*read_faults(list(faults)))
        self._background = BackgroundServer(self._server, port)
        self._twilio.seed(self.account_sid, verified)  # at last: from here on there is something in the file

    def start(self) -> Self:
        """Begins to serve; after a stop, at the same address. `RuntimeError` where it is serving already."""
        with ExitStack() as undoing:
            if self._store and not self._background.running:
                self._store.hold()
                undoing.callback(self._store.release)
                self._twilio.restore(self._store.load())  # others may have had the file since
            self._background.start()
            if self._store:
                self._store.announce(self.url)
            undoing.pop_all()
        return self

    def stop(self) -> None:
        """Ends; the port is free afterwards. What was recorded can still be read."""
        self._background.stop()
        if self._store:
            self._store.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # What happened

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request to the API so far; a copy."""
        return self._server.recording.copy()

    @property
    def calls(self) -> list[PlacedCall]:
        """Every verification call so far, oldest first, with its status at this moment."""
        return self._twilio.placed_calls()

    @property
    def caller_ids(self) -> list[CallerId]:
        """Every verified number of every account, oldest first; copies."""
        return self._twilio.caller_ids()

    @property
    def callbacks(self) -> list[CallbackRecord]:
        """Every request to a StatusCallback so far; a copy."""
        return self._callbacks.copy()

    # Somebody works in the Console

    def add_caller_id(
        self, phone_number: str, friendly_name: str | None = None, account_sid: str | None = None
    ) -> CallerId:
        """A number gets verified elsewhere; `TwilioError` (21450) if it is verified in that account already, and 21453
        where that would be one too many for a trial account; `ValueError` for an account that is not there.
        """
        account_sid = self.account_sid if account_sid is None else account_sid
        return self._twilio.add_caller_id(account_sid, phone_number, friendly_name)

    def rename(self, sid: str, friendly_name: str) -> CallerId:
        """A caller ID gets another friendly name; `TwilioError` (20404) if there is none with that sid."""
        return self._twilio.rename(self._account_of(sid), sid, friendly_name)

    def remove(self, sid: str) -> None:
        """A caller ID is deleted; `TwilioError` (20404) if there is none with that sid."""
        self._twilio.remove(self._account_of(sid), sid)

    def set_auth_token(self, auth_token: str, account_sid: str | None = None) -> None:
        """The auth token is rotated: from now on only the new one is accepted. `ValueError` for an account that is not
        there.
        """
        self._credentials.set_auth_token(auth_token, account_sid)

    # Somebody holds the phone

    def set_phone(self, number: str, phone: PhoneLike) -> None:
        """What the person at a number, or "*", does from the next call on; `ValueError` if that makes no sense."""
        self._twilio.phones.set(number, phone)

    def answer(self, call_sid: str) -> None:
        """Picks up a phone that rings. `KeyError`: no such call; `CallIsOver` where it does not ring."""
        self._twilio.answer(call_sid)

    def key_in(self, call_sid: str, digits: str) -> bool:
        """Keys digits in on a call, answering it first; says whether they were the code. `KeyError`: no such call;
        `ValueError` for anything but a text of 0-9 * #; `CallIsOver` unless it rings or is in progress.
        """
        return self._twilio.key_in(call_sid, digits)

    def hang_up(self, call_sid: str) -> None:
        """Ends a call from the phone's side; `KeyError`: no such call."""
        self._twilio.hang_up(call_sid)

    # Time passes

    def advance(self, seconds: float) -> None:
        """Moves the sandbox's clock forward, on top of `clock`: calls go on as if that time had passed, and callbacks
        that are due by then go out. `ValueError` for what is negative or not finite.
        """
        self._twilio.clock.advance(seconds)

    def _account_of(self, sid: str) -> str:
        return self._twilio.account_of(sid) or self.account_sid  # where it will not be found either

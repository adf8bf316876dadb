"""Accounts, their verified numbers and the calls to verify them: the state of a local Twilio and its rules.

No HTTP here, and no timers. The clock is passed in; every method first settles what has become due by then, so the same
state looks right whenever somebody looks, also after a restart. Methods may be called from any thread.

Source of the rules: Twilio docs: voice/api/outgoing-caller-ids and voice/api/verifying-caller-ids-scale.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from . import calls, errors, rules, wire
from .account_rules import AccountRules
from .call_queue import CallQueue
from .caller_ids import CallerIds
from .calls import Call, PlacedCall
from .clock import Clock
from .credentials import Credentials
from .open_calls import OpenCalls
from .phones import Behaviour, Phone, PhoneBook
from .store import CallerId, State


class LocalTwilio:
    """The accounts in `credentials`, and what happens in them.

    `clock` gives seconds since the epoch; the attribute can be moved forward on top of it. `account_rules`: what
    accounts may verify and call. `save` is called with the whole state after each change; where it raises, so does what
    brought the change about, which has then not happened: `last` gives the state that was saved last.
    `calls_per_second`: see `CallQueue`.
    """

    def __init__(
        self,
        credentials: Credentials,
        phones: PhoneBook,
        clock: Callable[[], float],
        *,
        account_rules: AccountRules | None = None,
        calls_per_second: float | None = None,
        state: State | None = None,
        save: Callable[[State], None] | None = None,
        last: Callable[[], State] | None = None,
    ) -> None:
        self.credentials = credentials
        self.phones = phones
        self.clock = Clock(clock)
        self._rules = account_rules or AccountRules()
        self._queue = CallQueue(calls_per_second)
        self._save = save
        self._last = last
        self._lock = threading.RLock()
        self.restore(state or State())

    def restore(self, state: State) -> None:
        """Forgets all that is known, and knows this instead."""
        with self._lock:
            self._caller_ids = CallerIds(state.caller_ids)
            self._calls = {call.sid: call for call in state.calls}
            self._open = OpenCalls(state.calls, self._caller_ids)
            self._owed = [call for call in state.calls if call.status_callback and not call.called_back]
            self._changed = False

    # What the API offers

    def request_validation(self, account_sid: str, form: Mapping[str, str]) -> dict[str, str]:
        """Places a call to a number that is to be verified, and answers with the code to key in.

        Two calls for one number at once are allowed: each has its own code, and the first right one verifies the
        number. (What Twilio does there is not documented.)
        """
        request = rules.read_validation_form(form)
        number = request.phone_number
        with self._now() as now:
            phone = self.phones.phone(number)
            own = self._rules.owns(number) and account_sid == self.credentials.account_sid
            if phone.behaviour is Behaviour.REFUSED:
                raise errors.invalid_phone_number(number)
            if own or phone.behaviour is Behaviour.OWN_NUMBER:
                raise errors.already_usable()
            if self._caller_ids.find(account_sid, number):
                raise errors.already_verified()
            self._rules.check_limits(account_sid, number, self._open.taken(now))
            if not self._rules.may_call(number):
                phone = Phone(behaviour=Behaviour.COUNTRY_BLOCKED, queued=phone.queued)
            waits = self._queue.wait(account_sid, now, self._calls.values())
            call = calls.place(account_sid, request, phone, self.phones.delays, now, waits)
            self._calls[call.sid] = call
            self._open.add(call)
            if call.status_callback:
                self._owed.append(call)
            self._changed = True
            return wire.validation_request(call)

    def caller_ids(
        self, account_sid: str | None = None, phone_number: str | None = None, friendly_name: str | None = None
    ) -> list[CallerId]:
        """Verified numbers, oldest first; filters match exactly and are case sensitive. None: do not filter by it."""
        with self._now():
            found = self._caller_ids.matching(account_sid, phone_number, friendly_name)
            return [caller_id.model_copy() for caller_id in found]

    def fetch(self, account_sid: str, sid: str) -> CallerId:
        """One caller ID; `TwilioError` 20404 unless that account has it."""
        with self._now():
            return self._caller_ids.get(account_sid, sid).model_copy()

    def rename(self, account_sid: str, sid: str, friendly_name: str | None) -> CallerId:
        """Changes the friendly name; None leaves it, an empty one brings the default back."""
        with self._now() as now:
            caller_id = self._caller_ids.get(account_sid, sid)
            if friendly_name is not None:
                caller_id.friendly_name = rules.friendly_name(friendly_name, caller_id.phone_number)
                caller_id.updated = now
                self._changed = True
            return caller_id.model_copy()

    def remove(self, account_sid: str, sid: str) -> None:
        """Deletes a caller ID for good; its number can be verified again."""
        with self._now():
            self._caller_ids.remove(account_sid, sid)
            self._changed = True

    def call_body(self, account_sid: str, sid: str) -> dict[str, object]:
        """A call as the API shows it."""
        with self._now() as now:
            call = self._calls.get(sid)
            if call is None or call.account_sid != account_sid or 0 <= now - call.placed < call.script.known_after:
                raise errors.not_found(wire.call_uri(account_sid, sid))
            return wire.call(call, calls.timeline(call), now)

    # What happens outside the API: people with phones, people at the Console

    def answer(self, call_sid: str) -> None:
        """The person who is called picks up; see `calls.answer`. `KeyError` for a call that is not there."""
        with self._now() as now:
            calls.answer(self._calls[call_sid], now)
            self._changed = True

    def key_in(self, call_sid: str, digits: str) -> bool:
        """The person who is called keys digits in; see `calls.key_in`. `KeyError` for a call that is not there."""
        with self._now() as now:
            right = calls.key_in(self._calls[call_sid], digits, now)
            self._changed = True
            self._settle(now)
            return right

    def hang_up(self, call_sid: str) -> None:
        """Ends a call by hand; see `calls.hang_up`. `KeyError` for a call that is not there."""
        with self._now() as now:
            calls.hang_up(self._calls[call_sid], now)
            self._changed = True

    def succeed_at_once(self, call_sid: str) -> bool:
        """The person is quicker than the API's answer; see `calls.succeed_at_once`. `KeyError`: no such call."""
        with self._now() as now:
            self._changed = True
            return calls.succeed_at_once(self._calls[call_sid], now)

    @property
    def owes_callbacks(self) -> bool:
        """Whether there is a call whose StatusCallback has not been taken."""
        return bool(self._owed)

    def take_ended(self) -> list[Call]:
        """Calls with a StatusCallback that have ended by now, in that order; copies. Each is given once, for ever:
        a callback that is then lost on the way stays lost, as it does with Twilio.
        """
        if not self._owed:
            return []
        with self._now() as now:
            ended = [(calls.timeline(call).ended, call) for call in self._owed]
            due = [call for at, call in sorted(ended, key=lambda pair: pair[0]) if at <= now]
            self._owed = [call for at, call in ended if at > now]
            for call in due:
                call.called_back = True
                self._changed = True
            return [call.model_copy() for call in due]

    def account_of(self, sid: str) -> str | None:
        """The account that has a caller ID; None: there is none with that sid."""
        return next((record.account_sid for record in self.caller_ids() if record.sid == sid), None)

    def add_caller_id(self, account_sid: str, phone_number: str, friendly_name: str | None = None) -> CallerId:
        """A number is verified by other means. `TwilioError` 21450 where it is verified in that account already, 21453
        where that account may not have it; `ValueError` for an account that is not there.
        """
        self.credentials.check(account_sid)
        number = rules.e164(phone_number)
        with self._now() as now:
            if self._caller_ids.find(account_sid, number):
                raise errors.already_verified()
            self._rules.check_limits(account_sid, number, self._open.taken(now))
            return self._add(account_sid, number, rules.friendly_name(friendly_name, number), now).model_copy()

    def seed(self, account_sid: str, numbers: Mapping[str, str | None]) -> None:
        """Numbers in E.164 that are verified from the start, and their names; those already there stay as they are."""
        with self._now() as now:
            known = {record.phone_number for record in self._caller_ids.matching(account_sid)}
            for number, name in numbers.items():
                if number not in known:
                    self._rules.check_limits(account_sid, number, self._open.taken(now))
                    self._add(account_sid, number, rules.friendly_name(name, number), now)

    def placed_calls(self) -> list[PlacedCall]:
        """Every call, oldest first, as it stands now."""
        with self._now() as now:
            return [calls.placed(call, now) for call in self._calls.values()]

    # How it is done

    @contextmanager
    def _now(self) -> Iterator[float]:
        """One moment: alone, with all that is due settled, and what changed saved at its end."""
        with self._lock:
            now = self.clock()
            self._settle(now)
            try:
                yield now
            finally:
                self._keep()

    def _keep(self) -> None:
        changed, self._changed = self._changed, False
        if changed and self._save:
            try:
                self._save(self._state())
            except BaseException:
                if self._last:
                    self.restore(self._last())
                raise

    def _settle(self, now: float) -> None:
        self._changed = self._open.settle(now) or self._changed

    def _add(self, account_sid: str, phone_number: str, friendly_name: str, at: float) -> CallerId:
        self._changed = True
        return self._caller_ids.add(account_sid, phone_number, friendly_name, at)

    def _state(self) -> State:
        return State(
            accounts=self.credentials.account_sids,
            caller_ids=list(self._caller_ids),
            calls=list(self._calls.values()),
        )

"""Accounts, their verified numbers and the calls to verify them: the state of a local Twilio and its rules.

No HTTP here, and no timers. The clock is passed in; every method first settles what has become due by then, so the same
state looks right whenever somebody looks, also after a restart. Methods may be called from any thread.

Source of the rules: Twilio docs: voice/api/outgoing-caller-ids and voice/api/verifying-caller-ids-scale.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from . import calls, errors, rules, wire
from .calls import Call, PlacedCall
from .credentials import Credentials
from .phones import Behaviour, PhoneBook
from .store import CallerId, State


class LocalTwilio:
    """The accounts in `credentials`, and what happens in them.

    `clock` gives seconds since the epoch. `own_numbers` are Twilio numbers of the main account. `save` is called with
    the whole state after each change.
    """

    def __init__(
        self,
        credentials: Credentials,
        phones: PhoneBook,
        clock: Callable[[], float],
        *,
        own_numbers: Iterable[str] = (),
        state: State | None = None,
        save: Callable[[State], None] | None = None,
    ) -> None:
        self.credentials = credentials
        self.phones = phones
        self._clock = clock
        self._own_numbers = frozenset(rules.e164(number) for number in own_numbers)
        self._save = save
        self._lock = threading.RLock()
        self._changed = False
        state = state or State()
        self._caller_ids = {caller_id.sid: caller_id for caller_id in state.caller_ids}
        self._calls = {call.sid: call for call in state.calls}
        self._open = list(state.calls)  # calls that may still bring something about

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
            own = number in self._own_numbers and account_sid == self.credentials.account_sid
            if phone.behaviour is Behaviour.REFUSED:
                raise errors.invalid_phone_number(number)
            if own or phone.behaviour is Behaviour.OWN_NUMBER:
                raise errors.already_usable()
            if self._find(account_sid, number):
                raise errors.already_verified()
            call = Call(
                sid="CA" + secrets.token_hex(16),
                account_sid=account_sid,
                to=number,
                friendly_name=request.friendly_name,
                validation_code=phone.validation_code or f"{secrets.randbelow(10**6):06d}",
                placed=now,
                call_delay=request.call_delay,
                extension=request.extension,
                status_callback=request.status_callback,
                status_callback_method=request.status_callback_method,
                script=phone.script(self.phones.delays),
            )
            self._calls[call.sid] = call
            self._open.append(call)
            self._changed = True
            return wire.validation_request(call)

    def caller_ids(
        self, account_sid: str | None = None, phone_number: str | None = None, friendly_name: str | None = None
    ) -> list[CallerId]:
        """Verified numbers, oldest first; filters match exactly and are case sensitive. None: do not filter by it."""
        with self._now():
            return [
                caller_id.model_copy()
                for caller_id in self._caller_ids.values()
                if account_sid in (None, caller_id.account_sid)
                and phone_number in (None, caller_id.phone_number)
                and friendly_name in (None, caller_id.friendly_name)
            ]

    def fetch(self, account_sid: str, sid: str) -> CallerId:
        """One caller ID; `TwilioError` 20404 unless that account has it."""
        with self._now():
            return self._get(account_sid, sid).model_copy()

    def rename(self, account_sid: str, sid: str, friendly_name: str | None) -> CallerId:
        """Changes the friendly name; None leaves it, an empty one brings the default back."""
        with self._now() as now:
            caller_id = self._get(account_sid, sid)
            if friendly_name is not None:
                caller_id.friendly_name = rules.friendly_name(friendly_name, caller_id.phone_number)
                caller_id.updated = now
                self._changed = True
            return caller_id.model_copy()

    def remove(self, account_sid: str, sid: str) -> None:
        """Deletes a caller ID for good; its number can be verified again."""
        with self._now():
            del self._caller_ids[self._get(account_sid, sid).sid]
            self._changed = True

    def call_body(self, account_sid: str, sid: str) -> dict[str, object]:
        """A call as the API shows it."""
        with self._now() as now:
            call = self._calls.get(sid)
            if call is None or call.account_sid != account_sid:
                raise errors.not_found(wire.call_uri(account_sid, sid))
            return wire.call(call, calls.timeline(call), now)

    # What happens outside the API: people with phones, people at the Console

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

    def add_caller_id(self, account_sid: str, phone_number: str, friendly_name: str | None = None) -> CallerId:
        """A number is verified by other means. `TwilioError` 21450 where it is verified in that account already."""
        number = rules.e164(phone_number)
        with self._now() as now:
            if self._find(account_sid, number):
                raise errors.already_verified()
            return self._add(account_sid, number, rules.friendly_name(friendly_name, number), now).model_copy()

    def seed(self, account_sid: str, numbers: Mapping[str, str | None]) -> None:
        """Numbers that are verified from the start, with their friendly names; those already there stay as they are."""
        with self._now() as now:
            known = {record.phone_number for record in self._caller_ids.values() if record.account_sid == account_sid}
            for given, name in numbers.items():
                number = rules.e164(given)
                if number not in known:
                    known.add(number)
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
            now = self._clock()
            self._settle(now)
            try:
                yield now
            finally:
                if self._changed and self._save:
                    self._save(self._state())
                self._changed = False

    def _settle(self, now: float) -> None:
        """Lists the numbers whose codes have been keyed in by now, in the order in which that happened."""
        timelines = [(calls.timeline(call), call) for call in self._open]
        due = [(time.listed, call) for time, call in timelines if time.listed is not None and time.listed <= now]
        for listed, call in sorted(due, key=lambda pair: pair[0]):
            if call.caller_id_sid is None:
                caller_id = self._find(call.account_sid, call.to)  # a second success makes no second caller ID
                if caller_id is None:
                    caller_id = self._add(call.account_sid, call.to, call.friendly_name, listed)
                call.caller_id_sid = caller_id.sid
                self._changed = True
        self._open = [call for time, call in timelines if max(time.ended, time.listed or 0) > now]

    def _add(self, account_sid: str, phone_number: str, friendly_name: str, at: float) -> CallerId:
        caller_id = CallerId(
            sid="PN" + secrets.token_hex(16),
            account_sid=account_sid,
            phone_number=phone_number,
            friendly_name=friendly_name,
            created=at,
            updated=at,
        )
        self._caller_ids[caller_id.sid] = caller_id
        self._changed = True
        return caller_id

    def _find(self, account_sid: str, phone_number: str) -> CallerId | None:
        for caller_id in self._caller_ids.values():
            if caller_id.phone_number == phone_number and caller_id.account_sid == account_sid:
                return caller_id
        return None

    def _get(self, account_sid: str, sid: str) -> CallerId:
        caller_id = self._caller_ids.get(sid)
        if caller_id is None or caller_id.account_sid != account_sid:
            raise errors.not_found(wire.caller_id_uri(account_sid, sid))
        return caller_id

    def _state(self) -> State:
        return State(
            accounts=self.credentials.account_sids,
            caller_ids=list(self._caller_ids.values()),
            calls=list(self._calls.values()),
        )

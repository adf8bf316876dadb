"""The one seam to Twilio: every request the provider makes, over the official client.

Source of the API: Twilio docs, voice/api/outgoing-caller-ids and voice/api/call-resource. All methods raise the errors
of `errors.py` and nothing else for whatever Twilio or the network does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pulumi_twilio_caller_id import cancellation
from pulumi_twilio_caller_id.errors import (
    AnswerLost,
    BadSid,
    CallerIdError,
    CredentialsRefused,
    NotFound,
    SettingsError,
)
from pulumi_twilio_caller_id.inputs import ACCOUNT_SID, CALLER_ID_SID
from pulumi_twilio_caller_id.models import CallerId, CallerIdInputs, CallState, ValidationRequest
from pulumi_twilio_caller_id.settings.model import Settings
from pulumi_twilio_caller_id.text import quote, register_secret

if TYPE_CHECKING:
    from twilio.rest.api.v2010.account import AccountContext

PAGE = 1000
"""Caller IDs in one answer: the API's limit."""

MALFORMED_RESPONSE_ERRORS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What the client, or a record, makes of an answer of another form: of a date, say, that no calendar has."""


class Client:
    """The caller IDs of one account.

    settings: who asks. account_sid: whose caller IDs, where that is not the settings' own account.
    attempts, timeout, patience, sleep: see `twilio_http.Transport`.

    Raises SettingsError for an account_sid that is none: a state may have been edited.
    """

    def __init__(
        self,
        settings: Settings,
        account_sid: str | None = None,
        *,
        attempts: int = 4,
        timeout: float = 15.0,
        patience: float = 60.0,
        sleep: Callable[[float], object] = cancellation.pause,
    ) -> None:
        self._settings = settings
        self.account_sid = account_sid or settings.account_sid
        if not isinstance(self.account_sid, str) or not ACCOUNT_SID.fullmatch(self.account_sid):  # goes into the path
            raise SettingsError(
                f"account_sid {quote(self.account_sid, 60)} is not the sid of an account:"
                " AC and 32 hexadecimal digits.",
                "Correct it where it is given; one in the state, with `pulumi stack export` and `pulumi stack import`.",
            )
        self._attempts = attempts
        self._timeout = timeout
        self._patience = patience
        self._sleep = sleep

    @property
    def account(self) -> tuple[str, str | None]:
        """The account, and the base URL that it is asked at (None: Twilio's own)."""
        return self.account_sid, self._settings.api_url

    @property
    def credentials_source(self) -> str:
        """Where the credentials come from, in words that hold no secret."""
        return self._settings.source(self.account_sid)

    def once(self) -> Client:
        """The same account, each request sent once: for callers that come back by themselves."""
        return self._impatient(attempts=1)

    def twice(self) -> Client:
        """The same account, each request that fails sent once more after a few seconds: for who has no time left."""
        return self._impatient(attempts=2)

    def _impatient(self, attempts: int) -> Client:
        return Client(
            self._settings, self.account_sid, attempts=attempts, timeout=self._timeout, patience=0, sleep=self._sleep
        )

    def request_validation(self, inputs: CallerIdInputs, status_callback: str | None = None) -> ValidationRequest:
        """Have Twilio phone the number. Sent once; again only where Twilio surely did not take it.

        status_callback: where the inputs have none, a URL for Twilio to POST to when the call ends.
        Raises AnswerLost where it may have been taken: the phone may ring, and nobody knows the code.
        """
        values = inputs.model_dump(exclude={"account_sid", "adopt"}, exclude_none=True)
        if status_callback is not None:
            values = {"status_callback_method": "POST", **values, "status_callback": status_callback}
        with self._account(f"verify {inputs.phone_number}", repeatable=False) as account:
            return ValidationRequest.model_validate(account.validation_requests.create(**values))

    def find(self, phone_number: str) -> CallerId | None:
        """The caller ID of this number in E.164, None where the account has none."""
        with self._account(f"look up {phone_number}") as account:
            for answer in account.outgoing_caller_ids.list(phone_number=phone_number, limit=20):
                record = CallerId.model_validate(answer)  # one that can't be read does not mean that it is not there
                if record.phone_number == phone_number:
                    return record
        return None

    def each(self, phone_number: str | None = None, friendly_name: str | None = None) -> Iterator[CallerId]:
        """The caller IDs of the account, as their pages of 1,000 come in. The filters are exact and case-sensitive."""
        filters = {"phone_number": phone_number, "friendly_name": friendly_name}
        wanted = {name: value for name, value in filters.items() if value is not None}
        with self._account(f"list the caller IDs of {self.account_sid}") as account:
            seen: set[str] = set()  # what is added or deleted meanwhile moves others from one page to the next
            for answer in account.outgoing_caller_ids.stream(page_size=PAGE, **wanted):
                record = CallerId.model_validate(answer)
                fits = all(getattr(record, name) == value for name, value in wanted.items())
                if fits and record.sid not in seen:
                    seen.add(record.sid)
                    yield record

    def fetch(self, sid: str) -> CallerId:
        """The caller ID of this sid. Raises NotFound where the account has none."""
        step = f"read caller ID {sid}"
        with self._account(step) as account:
            return _of(sid, step, account.outgoing_caller_ids(_safe(sid)).fetch())

    def rename(self, sid: str, friendly_name: str) -> CallerId:
        """Set the FriendlyName. Raises NotFound where the account has no such caller ID."""
        step = f"rename caller ID {sid}"
        with self._account(step) as account:
            return _of(sid, step, account.outgoing_caller_ids(_safe(sid)).update(friendly_name=friendly_name))

    def remove(self, sid: str) -> None:
        """Delete the caller ID. Raises NotFound where the account has none (any more)."""
        with self._account(f"delete caller ID {sid}") as account:
            account.outgoing_caller_ids(_safe(sid)).delete()

    def call_state(self, call_sid: str) -> CallState | None:
        """How the call stands; None where Twilio does not know it yet (a Call is eventually consistent:
        Twilio docs, voice/api/call-resource).
        """
        try:
            with self._account(f"read call {call_sid}") as account:
                return CallState.model_validate(account.calls(call_sid).fetch())
        except NotFound:
            return None

    def auth_token(self) -> str | None:
        """Return the account's auth token, or None if Twilio does not show it.

        Twilio shows a subaccount's token to its parent's token, and none to an API key (Twilio docs, iam/api/account).
        """
        if self._settings.uses_key(self.account_sid):
            return None
        try:
            with self._account(f"read account {self.account_sid}") as account:
                token = account.fetch().auth_token
        except CallerIdError:
            return None
        register_secret(token)
        return token if isinstance(token, str) and token else None

    @contextmanager
    def _account(self, step: str, *, repeatable: bool = True) -> Iterator[AccountContext]:
        """The client for one step. What may not be sent twice is sent over a connection of its own: on one that has
        been idle, it may be lost without a word whether it was taken.
        """
        from twilio.base.exceptions import TwilioException  # late: importing the client takes a tenth of a second
        from twilio.rest import Client

        from .connections import connections
        from .throttle import throttle_of
        from .transport import Transport

        username, password = self._settings.login(self.account_sid)
        with connections.lent(fresh=not repeatable) as session:
            client = Client(
                username,
                password,
                self.account_sid,
                http_client=Transport(
                    step,
                    account_sid=self.account_sid,
                    repeatable=repeatable,
                    attempts=self._attempts,
                    timeout=self._timeout,
                    patience=self._patience,
                    sleep=self._sleep,
                    session=session,
                    throttle=throttle_of(self.account),
                ),
                environment={"": ""},  # an empty one would be replaced by os.environ, with its TWILIO_REGION
                user_agent_extensions=["pulumi-twilio-caller-id"],
            )
            if self._settings.api_url:
                client.api.base_url = self._settings.api_url
            try:
                yield client.api.v2010.accounts(self.account_sid)
            except CredentialsRefused as refused:
                refused.advising(self._settings.refused_todo(self.account_sid))
                raise
            except CallerIdError:
                raise
            except (TwilioException, *MALFORMED_RESPONSE_ERRORS) as failed:
                raise AnswerLost(step, _unexpected(failed)) from failed


def _unexpected(failed: Any) -> str:
    if isinstance(failed, ValidationError):
        return f"its fields {', '.join(sorted({str(e['loc'][0]) for e in failed.errors()}))} are missing or malformed"
    return "its form is not the documented one"


def _safe(sid: object) -> str:
    """The client puts sids into the path as they are; anything but a sid would reach another resource."""
    if not isinstance(sid, str) or not CALLER_ID_SID.fullmatch(sid):
        raise BadSid(str(sid))
    return sid


def _of(sid: str, step: str, answer: object) -> CallerId:
    """The caller ID in the answer to a request for this sid."""
    record = CallerId.model_validate(answer)
    if record.sid.lower() != sid.lower():
        raise AnswerLost(step, "it is about another caller ID")
    return record

"""Every request that the provider makes to Twilio, by the official client.

Source of the API: Twilio docs, voice/api/outgoing-caller-ids and voice/api/call-resource. All methods raise a
CallerIdError, and nothing else, for whatever Twilio or the network does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pulumi_twilio_caller_id.cancellation import CancelToken
from pulumi_twilio_caller_id.errors import (
    AnswerLost,
    BadSid,
    CallerIdError,
    CredentialsRefused,
    NotFound,
    SettingsError,
)
from pulumi_twilio_caller_id.inputs import ACCOUNT_SID, CALLER_ID_SID
from pulumi_twilio_caller_id.models import CallerId, CallState, OutgoingCallerIdInputs, ValidationRequest
from pulumi_twilio_caller_id.settings.model import Settings
from pulumi_twilio_caller_id.text import quote, register_secret

from .connections import Connections
from .transport import DEFAULT, POLL, RetryPolicy, Transport

if TYPE_CHECKING:
    from twilio.rest.api.v2010.account import AccountContext

PAGE = 1000
"""Caller IDs in one answer: the API's limit."""

MALFORMED_ANSWER_ERRORS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What the official client raises for an answer of another form, such as a date that no calendar has."""


class Client:
    """The caller IDs of one account, and the calls that verify them.

    settings: whose credentials are used. account_sid: whose caller IDs, if not those of the settings' own account.
    connections: those of the process. cancel: ends pauses and waiting. policy: how often a request is sent.
    pause: sleeps for so many seconds between two attempts.

    Raises SettingsError for an account_sid that can't be one, since somebody may have edited the state.
    """

    def __init__(
        self,
        settings: Settings,
        account_sid: str | None = None,
        *,
        connections: Connections | None = None,
        cancel: CancelToken | None = None,
        policy: RetryPolicy = DEFAULT,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self._settings = settings
        self.account_sid = account_sid or settings.account_sid
        if not isinstance(self.account_sid, str) or not ACCOUNT_SID.fullmatch(self.account_sid):  # goes into the path
            raise SettingsError(
                f"account_sid {quote(self.account_sid, 60)} is not the sid of an account:"
                " AC and 32 hexadecimal digits.",
                "Correct it where it is given; one in the state, with `pulumi stack export` and `pulumi stack import`.",
            )
        self._connections = connections or Connections()
        self._cancel = cancel or CancelToken()
        self._policy = policy
        self._pause = pause or self._cancel.wait

    @property
    def account(self) -> tuple[str, str | None]:
        """The account's sid, and the base URL of its API (None: Twilio's own)."""
        return self.account_sid, self._settings.api_url

    @property
    def credentials_source(self) -> str:
        """Where the credentials come from, in words that hold no secret."""
        return self._settings.source(self.account_sid)

    def with_retries(self, policy: RetryPolicy) -> Client:
        """The same account, with another policy for its requests."""
        return Client(
            self._settings,
            self.account_sid,
            connections=self._connections,
            cancel=self._cancel,
            policy=policy,
            pause=self._pause,
        )

    def request_validation(
        self, inputs: OutgoingCallerIdInputs, status_callback: str | None = None
    ) -> ValidationRequest:
        """Have Twilio phone the number. The request is sent again only if Twilio surely did not take it.

        status_callback: the URL for Twilio to POST to when the call ends, unless the inputs have one.

        Raises AnswerLost if the request may have been taken: the phone may ring, and nobody knows the code.
        """
        values = inputs.model_dump(exclude={"account_sid", "adopt"}, exclude_none=True)
        if status_callback is not None:
            values = {"status_callback_method": "POST", **values, "status_callback": status_callback}
        with self._account(f"verify {inputs.phone_number}", repeatable=False) as account:
            return ValidationRequest.model_validate(account.validation_requests.create(**values))

    def find(self, phone_number: str) -> CallerId | None:
        """Return the caller ID of this number in E.164, None if the account has none."""
        with self._account(f"look up {phone_number}") as account:
            for answer in account.outgoing_caller_ids.list(phone_number=phone_number, limit=20):
                record = CallerId.model_validate(answer)
                if record.phone_number == phone_number:
                    return record
        return None

    def each(self, phone_number: str | None = None, friendly_name: str | None = None) -> Iterator[CallerId]:
        """Yield the caller IDs of the account as their pages come in. Filters are exact and case-sensitive."""
        filters = {"phone_number": phone_number, "friendly_name": friendly_name}
        wanted = {name: value for name, value in filters.items() if value is not None}
        seen: set[str] = set()  # a caller ID that is added or deleted meanwhile moves others to another page
        with self._account(f"list the caller IDs of {self.account_sid}") as account:
            for answer in account.outgoing_caller_ids.stream(page_size=PAGE, **wanted):
                record = CallerId.model_validate(answer)
                fits = all(getattr(record, name) == value for name, value in wanted.items())
                if fits and record.sid not in seen:
                    seen.add(record.sid)
                    yield record

    def fetch(self, sid: str) -> CallerId:
        """Return the caller ID of this sid. Raises NotFound if the account has none."""
        with self._account(f"read caller ID {sid}") as account:
            return CallerId.model_validate(account.outgoing_caller_ids(_checked(sid)).fetch())

    def rename(self, sid: str, friendly_name: str) -> CallerId:
        """Set the FriendlyName. Raises NotFound if the account has no such caller ID."""
        with self._account(f"rename caller ID {sid}") as account:
            answer = account.outgoing_caller_ids(_checked(sid)).update(friendly_name=friendly_name)
            return CallerId.model_validate(answer)

    def remove(self, sid: str) -> None:
        """Delete the caller ID. Raises NotFound if the account has none, or has none any more."""
        with self._account(f"delete caller ID {sid}") as account:
            account.outgoing_caller_ids(_checked(sid)).delete()

    def call_state(self, call_sid: str) -> CallState | None:
        """Return how the call stands, None if Twilio does not know the call yet.

        A Call is eventually consistent (Twilio docs: voice/api/call-resource).
        """
        try:
            with self._account(f"read call {call_sid}") as account:
                return CallState.model_validate(account.calls(call_sid).fetch())
        except NotFound:
            return None

    def auth_token(self) -> str | None:
        """Return the account's auth token, None if Twilio does not show it.

        Twilio shows a subaccount's token to its parent's token, and none to an API key (Twilio docs, iam/api/account).
        """
        if self._settings.uses_key(self.account_sid):
            return None
        try:
            with self.with_retries(POLL)._account(f"read account {self.account_sid}") as account:
                token = account.fetch().auth_token
        except CallerIdError:
            return None
        register_secret(token)
        return token if isinstance(token, str) and token else None

    @contextmanager
    def _account(self, step: str, *, repeatable: bool = True) -> Iterator[AccountContext]:
        """Yield the official client for one step, and turn whatever it raises into a CallerIdError.

        This is the one place where an answer of another form than the documented one is noticed. What fails before
        Twilio has answered is a bug of ours, and is raised as it is.
        """
        from twilio.base.exceptions import TwilioException  # late: importing the client takes a tenth of a second
        from twilio.rest import Client as TwilioClient

        transport = Transport(
            step,
            account_sid=self.account_sid,
            repeatable=repeatable,
            policy=self._policy,
            connections=self._connections,
            cancel=self._cancel,
            pause=self._pause,
        )
        username, password = self._settings.login(self.account_sid)
        client = TwilioClient(
            username,
            password,
            self.account_sid,
            http_client=transport,
            environment={"": ""},  # an empty one would be replaced by os.environ, with its TWILIO_REGION
            user_agent_extensions=["pulumi-twilio-caller-id"],
        )
        if self._settings.api_url:
            client.api.base_url = self._settings.api_url
        try:
            yield client.api.v2010.accounts(self.account_sid)
        except CredentialsRefused as refused:
            refused.advise(self._settings.refused_todo(self.account_sid))
            raise
        except CallerIdError:
            raise
        except (TwilioException, *MALFORMED_ANSWER_ERRORS) as failed:
            if not transport.has_answered:
                raise
            raise AnswerLost(step, _malformed(failed)) from failed
        finally:
            transport.close()


def _malformed(failed: Any) -> str:
    if isinstance(failed, ValidationError):
        return f"its fields {', '.join(sorted({str(e['loc'][0]) for e in failed.errors()}))} are missing or malformed"
    return "its form is not the documented one"


def _checked(sid: object) -> str:
    """Return the sid if it can be one. The client puts sids into the path, so another text would reach another URL."""
    if not isinstance(sid, str) or not CALLER_ID_SID.fullmatch(sid):
        raise BadSid(str(sid))
    return sid

"""Every request that the provider makes to Twilio, by the official client.

Source of the API: Twilio docs, voice/api/outgoing-caller-ids and voice/api/call-resource. Whatever Twilio or the
network does wrong, the methods raise a CallerIdError.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
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
from .transport import DEFAULT_RETRIES, POLL_RETRIES, RetryPolicy, Transport

if TYPE_CHECKING:
    from twilio.rest.api.v2010.account import AccountContext

PAGE_SIZE = 1000
"""Caller IDs on one page of a list: the API's limit."""

MALFORMED_ANSWER_ERRORS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What the official client raises for an answer that is not as documented, such as an impossible date."""


class Client:
    """The caller IDs of one account, and the calls that verify them.

    settings: supplies the credentials. account_sid: the account to manage; the default is the settings' own account.
    connections: shared by the process. policy: limits retries and time.
    cancel: ends the wait for a free slot with Interrupted, and the wait for the next attempt with the last one's error.

    Raises SettingsError for a malformed account_sid, which a state that was edited by hand may hold.
    """

    def __init__(
        self,
        settings: Settings,
        account_sid: str | None = None,
        *,
        connections: Connections | None = None,
        cancel: CancelToken | None = None,
        policy: RetryPolicy = DEFAULT_RETRIES,
    ) -> None:
        self._settings = settings
        self.account_sid = account_sid or settings.account_sid
        if not isinstance(self.account_sid, str) or not ACCOUNT_SID.fullmatch(self.account_sid):  # goes into the path
            raise SettingsError(
                f"account_sid {quote(self.account_sid, 60)} is not the sid of an account:"
                " AC and 32 hexadecimal digits.",
                "Correct it in the program or the config; in the state, by `pulumi stack export` and `import`.",
            )
        self._connections = connections or Connections()
        self._cancel = cancel or CancelToken()
        self._policy = policy

    @property
    def cache_key(self) -> tuple[str, str | None]:
        """What tells this account from others: its sid, and the API's base URL (None: Twilio's own)."""
        return self.account_sid, self._settings.api_url

    @property
    def credentials_source(self) -> str:
        """Where the credentials come from, in words without secrets."""
        return self._settings.credentials_source(self.account_sid)

    def with_retry_policy(self, policy: RetryPolicy, cancel: CancelToken | None = None) -> Client:
        """Return a client for the same account with another policy and, if given, another token."""
        client = copy(self)
        client._policy, client._cancel = policy, cancel or self._cancel
        return client

    def request_validation(
        self, inputs: OutgoingCallerIdInputs, status_callback: str | None = None
    ) -> ValidationRequest:
        """Have Twilio phone the number. The request is sent again only if Twilio surely did not take it.

        status_callback: the URL that Twilio requests when the call ends, unless the inputs name another one.

        Raises AnswerLost if Twilio may have taken the request: the phone may ring, and nobody knows the code.
        """
        values = inputs.model_dump(exclude={"account_sid", "adopt"}, exclude_none=True)
        if status_callback is not None:
            values = {"status_callback": status_callback, "status_callback_method": "POST", **values}
        with self._account_context(f"verify {inputs.phone_number}", repeatable=False) as account:
            return ValidationRequest.model_validate(account.validation_requests.create(**values))

    def find(self, phone_number: str) -> CallerId | None:
        """Return the caller ID of a number in E.164, None if the account has none."""
        with self._account_context(f"look up {phone_number}") as account:
            # Twilio's filter leaves one caller ID at most. The limit is for a server that ignores the filter.
            for answer in account.outgoing_caller_ids.list(phone_number=phone_number, limit=20):
                record = CallerId.model_validate(answer)
                if record.phone_number == phone_number:
                    return record
        return None

    def stream(self, phone_number: str | None = None, friendly_name: str | None = None) -> Iterator[CallerId]:
        """Yield the caller IDs of the account, page by page. Filters are exact and case-sensitive."""
        filters = {"phone_number": phone_number, "friendly_name": friendly_name}
        wanted = {name: value for name, value in filters.items() if value is not None}
        seen: set[str] = set()  # a change meanwhile can move a caller ID to the next page
        with self._account_context(f"list the caller IDs of {self.account_sid}") as account:
            for answer in account.outgoing_caller_ids.stream(page_size=PAGE_SIZE, **wanted):
                record = CallerId.model_validate(answer)
                fits = all(getattr(record, name) == value for name, value in wanted.items())
                if fits and record.sid not in seen:
                    seen.add(record.sid)
                    yield record

    def fetch(self, sid: str) -> CallerId:
        """Return the caller ID with this sid. Raises NotFound if the account has none."""
        with self._account_context(f"read caller ID {sid}") as account:
            return CallerId.model_validate(account.outgoing_caller_ids(check_caller_id_sid(sid)).fetch())

    def rename(self, sid: str, friendly_name: str) -> CallerId:
        """Set the FriendlyName. Raises NotFound if the account has no such caller ID."""
        with self._account_context(f"rename caller ID {sid}") as account:
            answer = account.outgoing_caller_ids(check_caller_id_sid(sid)).update(friendly_name=friendly_name)
            return CallerId.model_validate(answer)

    def remove(self, sid: str) -> None:
        """Delete the caller ID. Raises NotFound if the account has no such caller ID."""
        with self._account_context(f"delete caller ID {sid}") as account:
            account.outgoing_caller_ids(check_caller_id_sid(sid)).delete()

    def call_state(self, call_sid: str) -> CallState | None:
        """Return the state of a call, None if Twilio does not show the call yet.

        Twilio shows a new call with a delay (eventual consistency; Twilio docs: voice/api/call-resource).
        """
        try:
            with self._account_context(f"read call {call_sid}") as account:
                return CallState.model_validate(account.calls(call_sid).fetch())
        except NotFound:
            return None

    def auth_token(self) -> str | None:
        """Return the auth token that signs the account's callbacks, None if Twilio does not show it.

        Twilio shows the token if a request is authenticated with an auth token of the account or of its parent
        account, but not for an API key (Twilio docs, iam/api/account).
        """
        if self._settings.uses_key(self.account_sid):
            return None
        try:
            with self.with_retry_policy(POLL_RETRIES)._account_context(f"read account {self.account_sid}") as account:
                token = account.fetch().auth_token
        except CallerIdError:
            return None
        register_secret(token)
        return token if isinstance(token, str) and token else None

    @contextmanager
    def _account_context(self, action: str, *, repeatable: bool = True) -> Iterator[AccountContext]:
        """Yield the official client's account for one action. action, repeatable: as for Transport.

        Transport checks the status and the JSON. Here, a field that is not as documented becomes AnswerLost. An error
        before the answer is our own bug, and is raised as it is.
        """
        from twilio.base.exceptions import TwilioException  # late: importing the client takes a tenth of a second
        from twilio.rest import Client as TwilioClient

        transport = Transport(
            action,
            account_sid=self.account_sid,
            repeatable=repeatable,
            policy=self._policy,
            connections=self._connections,
            cancel=self._cancel,
        )
        username, password = self._settings.basic_auth(self.account_sid)
        client = TwilioClient(
            username,
            password,
            self.account_sid,
            http_client=transport,
            environment={"": ""},  # an empty dict would make the client read os.environ, with its TWILIO_REGION
            user_agent_extensions=["pulumi-twilio-caller-id"],
        )
        if self._settings.api_url:
            client.api.base_url = self._settings.api_url
        try:
            yield client.api.v2010.accounts(self.account_sid)
        except CredentialsRefused as refused:
            refused.advise(self._settings.credentials_advice(self.account_sid))
            raise
        except (TwilioException, *MALFORMED_ANSWER_ERRORS) as error:
            if not transport.has_answered:
                raise
            raise AnswerLost(action, _malformed_reason(error)) from error
        finally:
            transport.close()


def _malformed_reason(error: Any) -> str:
    if isinstance(error, ValidationError):
        return f"its fields {', '.join(sorted({str(e['loc'][0]) for e in error.errors()}))} are missing or malformed"
    return "its form is not the documented one"


def check_caller_id_sid(sid: object) -> str:
    """Return the sid, or raise BadSid. It becomes a part of the URL, so any other text might reach another URL."""
    if not isinstance(sid, str) or not CALLER_ID_SID.fullmatch(sid):
        raise BadSid(str(sid))
    return sid

"""What creating an OutgoingCallerId is, step by step: look the number up, have Twilio phone it, show the code, wait.

One call at most is placed, whatever fails around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from pydantic import SecretStr

from pulumi_twilio_caller_id import pulumi_sdk
from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.api.listing_cache import listings
from pulumi_twilio_caller_id.cancellation import CANCELED, Cancelled, CancelToken, cancel_reason, run_cancellable
from pulumi_twilio_caller_id.errors import AlreadyVerified, AnswerLost, Interrupted, NotVerified, TwilioRefused
from pulumi_twilio_caller_id.models import CallerId, CallerIdInputs, ValidationRequest
from pulumi_twilio_caller_id.phone_number import readable
from pulumi_twilio_caller_id.progress.notifications import Notifier
from pulumi_twilio_caller_id.progress.row import ProgressDisplay, log_text
from pulumi_twilio_caller_id.text import one_line as plain
from pulumi_twilio_caller_id.verification.status_callback import CallbackEndpoint, status_callback_url
from pulumi_twilio_caller_id.verification.waiter import TIMEOUT, Inbox, Interruption, await_caller_id

from .adopt import adopt, already_verified, wants_adoption

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.settings.model import Settings

ALREADY_VERIFIED = 21450

Claim = Callable[[CallerId], None]


def create_caller_id(
    account: Settings, inputs: CallerIdInputs, claim: Claim, refuse_deleted: Claim = lambda _: None
) -> CallerId:
    """Verify the number by phone, or adopt the caller ID it has, where that is wanted.

    claim: asked before an adoption; raises AlreadyVerified where another resource has that caller ID. refuse_deleted:
    raises Gone for a caller ID that this operation deletes.

    Raises AlreadyVerified before any call, NotVerified after one, Interrupted.
    """
    twilio = Client(account, inputs.account_sid)
    rpc = pulumi_sdk.current_rpc()
    urn = rpc.urn if rpc else ""

    def take(existing: CallerId) -> CallerId:
        refuse_deleted(existing)
        if not wants_adoption(account, inputs.adopt):
            raise already_verified(existing, inputs.account_sid, urn)
        claim(existing)
        return adopt(inputs, existing)

    try:  # nothing has happened yet: nobody needs to wait for a Twilio that is slow to say so
        existing = run_cancellable(pulumi_sdk.interruptible, lambda: twilio.find(inputs.phone_number))
        listening = existing is None and account.callback_url is not None and inputs.status_callback is None
        tokens = (
            run_cancellable(pulumi_sdk.interruptible, lambda: signing_tokens(account, twilio)) if listening else None
        )
    except Cancelled as abandoned:
        raise _not_called(inputs, str(abandoned)) from None
    if existing is not None:
        return take(existing)
    timeout = (rpc.timeout if rpc else None) or TIMEOUT
    inbox, ending = Inbox(), CancelToken()
    warn = partial(pulumi_sdk.log, "warning", urn=urn)
    with (
        pulumi_sdk.interruptible(ending.cancel),
        ending.on_cancel(lambda why: inbox.put(Interruption(why))),
        ending.governing(),
        _status_callback(account, tokens, inbox, warn) as status_callback,
    ):
        ended = pulumi_sdk.ended()
        if ended:
            raise _not_called(inputs, ended)
        try:
            request = _request_validation(twilio, inputs, status_callback)
        except Interrupted:  # while it stood in line, or just as its turn came
            raise _not_called(inputs, cancel_reason() or CANCELED) from None
        if isinstance(request, CallerId):
            return take(request)
        if request.phone_number != inputs.phone_number:
            raise NotVerified(
                f"{readable(inputs.phone_number)} was not verified: Twilio calls {plain(request.phone_number)} in its"
                f" place (call {request.call_sid}).",
                "Let that call pass. If it is the same number, declare it as Twilio writes it.",
            )
        notifier = Notifier([url.get_secret_value() for url in account.notify], warn)
        notifier.calling(request.phone_number, inputs.friendly_name, request.validation_code, timeout)
        try:
            with ProgressDisplay(urn, request.call_sid) as shown, listings.shared(twilio, ending, timeout) as looks:
                pulumi_sdk.log("info", log_text(request), urn=urn)
                caller_id = await_caller_id(
                    looks,
                    request,
                    timeout=timeout,
                    inbox=inbox,
                    callback_expected=status_callback is not None,
                    report=shown,
                )
        except NotVerified as failed:  # not Interrupted: that ends at once, and the daemon threads with the process
            notifier.failed(request.phone_number, failed.what)
            notifier.close()
            raise
        notifier.verified(request.phone_number, caller_id.sid)
        notifier.close()
        return caller_id


def _not_called(inputs: CallerIdInputs, why: str) -> Interrupted:
    return Interrupted(
        f"{readable(inputs.phone_number)} was not verified: {why} before any call was placed.",
        "Run `pulumi up` again.",
    )


def signing_tokens(account: Settings, twilio: Client) -> tuple[str, ...]:
    """The auth tokens that may sign the callbacks of a call. Twilio signs with the token of the account that calls."""
    if twilio.account_sid == account.account_sid:
        return account.signing_tokens
    token = twilio.once().auth_token()
    return account.model_copy(update={"auth_token": token and SecretStr(token)}).signing_tokens


@contextmanager
def _status_callback(
    account: Settings, tokens: tuple[str, ...] | None, inbox: Inbox, warn: partial[None]
) -> Iterator[str | None]:
    """Our StatusCallback for this one wait, None if there is none. tokens: those that may sign it."""
    if account.callback_url is None or tokens is None:
        yield None
        return
    reception = CallbackEndpoint(account.callback_url, account.callback_listen, tokens)
    with status_callback_url(reception, inbox.put, warn) as url:
        yield url


def _request_validation(
    twilio: Client, inputs: CallerIdInputs, status_callback: str | None
) -> ValidationRequest | CallerId:
    """Place the call, or give the caller ID that the number has got meanwhile.

    Where it may have been placed without our learning the code, there is nothing to wait for.
    """
    try:
        return twilio.request_validation(inputs, status_callback)
    except TwilioRefused as refused:
        if refused.code == ALREADY_VERIFIED:
            existing = twilio.find(inputs.phone_number)
            if existing is not None:
                return existing
            raise AlreadyVerified(
                f"Account {twilio.account_sid} has verified {readable(inputs.phone_number)} already, but its list does"
                f" not show it yet (code {ALREADY_VERIFIED}).",
                "Wait a minute and run `pulumi up` again.",
            ) from refused
        if refused.status < 500:
            raise
        lost = refused.what
    except AnswerLost as failed:
        lost = failed.what
    raise NotVerified(
        f"{readable(inputs.phone_number)} was not verified: {lost}",
        "Its phone may ring all the same; nobody knows the code of that call, so let it pass.\n"
        "Then run `pulumi up` again: it looks for the number first, and calls only where it is not verified.",
    )

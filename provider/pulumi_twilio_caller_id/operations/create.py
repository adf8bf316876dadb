"""Create an OutgoingCallerId: look the number up, have Twilio phone it, show the code, and wait.

At most one phone call is placed, whatever fails around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from pydantic import SecretStr

from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.api.polling import poller_for
from pulumi_twilio_caller_id.cancellation import INTERRUPTED, Cancelled, run_cancellable
from pulumi_twilio_caller_id.context import Call, Plugin
from pulumi_twilio_caller_id.errors import (
    AlreadyVerified,
    AnswerLost,
    Interrupted,
    NotVerified,
    OwnershipUnknown,
    TwilioRefused,
)
from pulumi_twilio_caller_id.inputs import IMPORT
from pulumi_twilio_caller_id.models import CallerId, OutgoingCallerIdInputs, ValidationRequest
from pulumi_twilio_caller_id.phone_number import readable
from pulumi_twilio_caller_id.progress.notifications import Notifier
from pulumi_twilio_caller_id.progress.row import ProgressDisplay, log_text
from pulumi_twilio_caller_id.settings.model import Settings
from pulumi_twilio_caller_id.text import one_line
from pulumi_twilio_caller_id.verification.status_callback import CallbackEndpoint, status_callback_url
from pulumi_twilio_caller_id.verification.waiter import TIMEOUT, Inbox, wait_until_verified

from .adopt import adopt_or_fail, import_caller_id
from .friendly_name import rename_created, without_quoting

ALREADY_VERIFIED = 21450
"""Twilio's error code for a number that the account has verified already."""


def create(plugin: Plugin, call: Call, props: Mapping[str, Any]) -> dict[str, Any]:
    """Verify the number by a phone call, or take over the caller ID that it has, and return the outputs.

    A caller ID is taken over if `import_` names its sid, or if the program or the settings say `adopt`.

    Raises AlreadyVerified, DeclaredTwice or ImportMismatch before any phone call, NotVerified after one, Interrupted.
    """
    inputs = OutgoingCallerIdInputs.model_validate({name: value for name, value in props.items() if name != IMPORT})
    import_sid = props.get(IMPORT) or plugin.ownership.import_sid(call.urn)
    plugin.ownership.declare_number(inputs.phone_number, plugin.account_key(inputs.account_sid), call.urn)
    settings = plugin.settings()
    client = plugin.client(inputs.account_sid, call.cancel, settings=settings)
    if import_sid:
        caller_id = import_caller_id(plugin, call, client, inputs, import_sid)
        plugin.ownership.acquire_or_fail(caller_id.sid, call.urn, caller_id.phone_number)
    else:
        caller_id = _verify_or_adopt(plugin, call, settings, client, inputs)
        with suppress(OwnershipUnknown):  # an adopted one was acquired before; of a new one no other process knows yet
            plugin.ownership.acquire_or_fail(caller_id.sid, call.urn, caller_id.phone_number)
    return rename_created(call, client, caller_id, inputs.friendly_name).outputs()


def _verify_or_adopt(
    plugin: Plugin, call: Call, settings: Settings, client: Client, inputs: OutgoingCallerIdInputs
) -> CallerId:
    """Have the number verified, unless it is verified already: then adopt its caller ID, or fail."""
    wants_callback = settings.callback_url is not None and inputs.status_callback is None
    try:  # no phone call was placed yet, so cancelling may abandon a slow request
        existing = run_cancellable(call.cancel, lambda: client.find(inputs.phone_number))
        if existing is not None:
            return adopt_or_fail(plugin, call, settings, inputs, existing)
        tokens = run_cancellable(call.cancel, lambda: signing_tokens(settings, client)) if wants_callback else None
    except Cancelled as cancelled:
        raise _not_called(inputs, str(cancelled)) from None
    inbox = Inbox()
    warn = partial(call.log, "warning")
    with _status_callback(plugin, settings, tokens, inbox, warn) as status_callback:
        if call.cancel.reason is not None:
            raise _not_called(inputs, call.cancel.reason)
        try:
            request = _request_validation(client, inputs, status_callback)
        except Interrupted:
            raise _not_called(inputs, call.cancel.reason or INTERRUPTED) from None
        if isinstance(request, CallerId):
            return adopt_or_fail(plugin, call, settings, inputs, request)
        if request.phone_number != inputs.phone_number:
            raise NotVerified(
                f"{readable(inputs.phone_number)} was not verified: Twilio calls {one_line(request.phone_number)}"
                f" in its place (call {request.call_sid}).",
                "Let that call pass. If it is the same number, declare it as Twilio writes it.",
            )
        return _wait(plugin, call, settings, client, request, inbox, callback_expected=bool(status_callback))


def _wait(
    plugin: Plugin,
    call: Call,
    settings: Settings,
    client: Client,
    request: ValidationRequest,
    inbox: Inbox,
    *,
    callback_expected: bool,
) -> CallerId:
    """Show the code, and wait until it has been keyed in."""
    timeout = call.timeout_seconds or TIMEOUT
    notifier = Notifier([url.get_secret_value() for url in settings.notify], partial(call.log, "warning"))
    notifier.calling(request.phone_number, request.validation_code, timeout)
    show_on_row = partial(call.log, "info", ephemeral=True)
    try:
        with (
            ProgressDisplay(request.call_sid, show_on_row, plugin.terminal_line) as display,
            poller_for(client, plugin.listing_cache, call.cancel) as poller,
        ):
            call.log("info", log_text(request))
            caller_id = wait_until_verified(
                poller,
                partial(poller.find_last, request.phone_number),
                request,
                inbox=inbox,
                cancel_token=call.cancel,
                timeout=timeout,
                callback_expected=callback_expected,
                report=display,
            )
    except NotVerified as failed:  # not Interrupted, which ends at once: the daemon threads end with the process
        notifier.failed(request.phone_number, failed.what)
        notifier.close()
        raise
    notifier.verified(request.phone_number, caller_id.sid)
    notifier.close()
    return caller_id


def _not_called(inputs: OutgoingCallerIdInputs, reason: str) -> Interrupted:
    return Interrupted(
        f"{readable(inputs.phone_number)} was not verified: {reason} before any call was placed.",
        "Run `pulumi up` again.",
    )


def signing_tokens(settings: Settings, client: Client) -> tuple[str, ...]:
    """Return the auth tokens that may sign the callbacks of a call.

    Twilio signs with the token of the account that places the call, so a subaccount's token is asked for.
    """
    if client.account_sid == settings.account_sid:
        return settings.signing_tokens
    token = client.auth_token()
    return settings.model_copy(update={"auth_token": token and SecretStr(token)}).signing_tokens


@contextmanager
def _status_callback(
    plugin: Plugin, settings: Settings, tokens: tuple[str, ...] | None, inbox: Inbox, warn: partial[None]
) -> Iterator[str | None]:
    """Receive callbacks of this one wait at the URL that is yielded, None if there is none.

    tokens: those that may sign the callback, None if no callback is wanted.
    """
    if settings.callback_url is None or tokens is None:
        yield None
        return
    endpoint = CallbackEndpoint(settings.callback_url, settings.callback_listen, tokens)
    with status_callback_url(plugin.callback_servers, endpoint, inbox.put, warn) as url:
        yield url


def _request_validation(
    client: Client, inputs: OutgoingCallerIdInputs, status_callback: str | None
) -> ValidationRequest | CallerId:
    """Place the phone call, or return the caller ID that the number has got meanwhile.

    Raises NotVerified if a phone call may have been placed but its code is lost: there is nothing to wait for.
    """
    try:
        with without_quoting(inputs.friendly_name, inputs.status_callback):
            return client.request_validation(inputs, status_callback)
    except TwilioRefused as refused:
        if refused.code == ALREADY_VERIFIED:
            existing = client.find(inputs.phone_number)
            if existing is not None:
                return existing
            raise AlreadyVerified(
                f"Account {client.account_sid} has verified {readable(inputs.phone_number)} already, but its list does"
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
        "Then run `pulumi up` again: it looks for the number first, and calls only if it is not verified.",
    )

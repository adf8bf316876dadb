"""Create an OutgoingCallerId: look the number up, have Twilio phone it, show the code, and wait.

At most one phone call is placed, whatever fails around it. So the look-up never uses a cached listing: it may be old.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.api.polling import poller_for
from pulumi_twilio_caller_id.cancellation import INTERRUPTED, Cancelled, run_cancellable
from pulumi_twilio_caller_id.context import Operation, Plugin, Properties
from pulumi_twilio_caller_id.errors import (
    AlreadyVerified,
    AnswerLost,
    Awaiting,
    Interrupted,
    NotKeyedIn,
    NotVerified,
    OwnershipUnknown,
    TwilioRefused,
)
from pulumi_twilio_caller_id.inputs import DEFAULT_TIMEOUT_SECONDS, IMPORT
from pulumi_twilio_caller_id.models import CallerId, OutgoingCallerIdInputs, ValidationRequest
from pulumi_twilio_caller_id.phone_number import international_format
from pulumi_twilio_caller_id.progress.notifications import Notifier
from pulumi_twilio_caller_id.progress.row import ProgressDisplay
from pulumi_twilio_caller_id.settings.model import Settings
from pulumi_twilio_caller_id.text import one_line
from pulumi_twilio_caller_id.verification.status_callback import CallbackEndpoint, receive_callbacks
from pulumi_twilio_caller_id.verification.waiter import CallbackInbox, wait_until_verified

from .adopt import adopt_or_fail, advice_if_call_goes_on, import_caller_id
from .friendly_name import ensure_friendly_name, hide_inputs_in_refusal

ALREADY_VERIFIED = 21450
"""Twilio's error code for a number that the account has verified already."""

AWAITING_TEXT = (
    "The number is not in the state yet. The rest is deployed, and `pulumi up` exits with 10 unless something fails."
)


def create(plugin: Plugin, operation: Operation, props: Properties) -> dict[str, Any]:
    """Verify the number by a phone call, or take over its existing caller ID, and return the outputs.

    An existing caller ID is taken over if `import_` names its sid, or if the program or the settings say `adopt`.

    Raises AlreadyVerified, DeclaredTwice or ImportMismatch before a phone call, NotVerified or Awaiting after it, and
    Interrupted before or after it.
    """
    inputs = OutgoingCallerIdInputs.model_validate({name: value for name, value in props.items() if name != IMPORT})
    # `check` has stored the sid of `import_` by URN. If the engine's request had no URN, the sid is among the inputs.
    import_sid = props.get(IMPORT) or plugin.ownership.import_sid(operation.urn)
    plugin.ownership.acquire_number(inputs.phone_number, plugin.account_key(inputs.account_sid), operation.urn)
    client = plugin.client(inputs.account_sid, operation.cancel)
    if import_sid:
        caller_id = import_caller_id(plugin, operation, client, inputs, import_sid)
        plugin.ownership.acquire_or_fail(caller_id.sid, operation.urn, caller_id.phone_number)
    else:
        caller_id = _verify_or_adopt(plugin, operation, client, inputs)
        # Losing this note is harmless: an adopted caller ID is owned already, and no other resource knows a new one.
        with suppress(OwnershipUnknown):
            plugin.ownership.acquire_or_fail(caller_id.sid, operation.urn, caller_id.phone_number)
    return ensure_friendly_name(operation, client, caller_id, inputs.friendly_name).outputs()


def _verify_or_adopt(plugin: Plugin, operation: Operation, client: Client, inputs: OutgoingCallerIdInputs) -> CallerId:
    """Have the number verified, unless it is verified already: then adopt its caller ID, or fail."""
    try:  # no phone call was placed yet, so cancelling may abandon a slow request
        existing = run_cancellable(operation.cancel, lambda: client.find(inputs.phone_number))
        if existing is not None:
            return adopt_or_fail(plugin, operation, inputs, existing)
        endpoint = run_cancellable(operation.cancel, lambda: _callback_endpoint(plugin.settings, client, inputs))
    except Cancelled as cancelled:
        raise _interrupted_before_phone_call(inputs, str(cancelled)) from None
    inbox = CallbackInbox()
    warn = partial(operation.log, "warning")
    with receive_callbacks(plugin.callback_servers, endpoint, inbox.put, warn) as callback_url:
        try:
            answer = _request_validation(client, inputs, callback_url)
        except Interrupted:
            raise _interrupted_before_phone_call(inputs, operation.cancel.cancel_reason or INTERRUPTED) from None
        if isinstance(answer, CallerId):
            return adopt_or_fail(plugin, operation, inputs, answer)
        if answer.phone_number != inputs.phone_number:
            raise NotVerified(
                f"{international_format(inputs.phone_number)} was not verified: Twilio calls"
                f" {one_line(answer.phone_number)} in its place (call {answer.call_sid}).",
                "Let that call pass. If both numbers reach the same phone, declare the one that Twilio called.",
            )
        return _wait(plugin, operation, client, inputs, answer, inbox, callback_expected=callback_url is not None)


def _wait(
    plugin: Plugin,
    operation: Operation,
    client: Client,
    inputs: OutgoingCallerIdInputs,
    validation_request: ValidationRequest,
    inbox: CallbackInbox,
    *,
    callback_expected: bool,
) -> CallerId:
    """Show the code, and wait until it has been keyed in. `waiter.PollingPolicy` says how often to ask Twilio.

    validation_request: what Twilio returned, with the code.
    callback_expected: whether Twilio got the URL of this process.
    """
    timeout = operation.timeout_seconds or DEFAULT_TIMEOUT_SECONDS
    notifier = Notifier([url.get_secret_value() for url in plugin.settings.notify], partial(operation.log, "warning"))
    number = validation_request.phone_number
    notifier.send_code(number, validation_request.validation_code, timeout)
    try:
        with (
            ProgressDisplay(operation, validation_request, plugin.terminal_line) as display,
            poller_for(client, plugin.listing_cache, operation.cancel) as poller,
        ):
            caller_id = wait_until_verified(
                poller,
                validation_request,
                inbox=inbox,
                cancel=operation.cancel,
                timeout=timeout,
                callback_expected=callback_expected,
                advice_if_call_goes_on=advice_if_call_goes_on(
                    plugin.settings, inputs.adopt, validation_request.validation_code
                ),
                report=display,
            )
    except NotVerified as failed:  # Interrupted is not caught: the process must end soon, so it notifies nobody
        awaiting = isinstance(failed, NotKeyedIn) and plugin.settings.unverified == "await"
        notifier.send_failed(number, failed.what, awaiting=awaiting)
        notifier.close()
        if not awaiting:
            raise
        # Pulumi prints no text for an Awaiting: see `await_protocol`, which makes `pulumi up` exit with 10.
        operation.log("warning", f"{failed}\n{AWAITING_TEXT}")
        raise Awaiting(failed.what, failed.todo) from failed
    notifier.send_verified(number, caller_id.sid)
    notifier.close()
    return caller_id


def _interrupted_before_phone_call(inputs: OutgoingCallerIdInputs, reason: str) -> Interrupted:
    return Interrupted(
        f"{international_format(inputs.phone_number)} was not verified: {reason} before any call was placed.",
        "Run `pulumi up` again.",
    )


def _callback_endpoint(settings: Settings, client: Client, inputs: OutgoingCallerIdInputs) -> CallbackEndpoint | None:
    """Return how the phone call's callbacks reach this process, None if they don't.

    Twilio signs them with the token of the account that places the call. A subaccount's token is fetched from Twilio.
    """
    if settings.callback_url is None or inputs.status_callback is not None:
        return None
    if client.account_sid == settings.account_sid:
        auth_tokens = settings.signing_tokens
    else:
        auth_tokens = settings.signing_tokens_with(client.auth_token())
    return CallbackEndpoint(settings.callback_url, settings.callback_listen, auth_tokens)


def _request_validation(
    client: Client, inputs: OutgoingCallerIdInputs, callback_url: str | None
) -> ValidationRequest | CallerId:
    """Place the phone call, or return the caller ID if the number has been verified meanwhile.

    callback_url: where this process receives the callback. With None, Twilio uses `inputs.status_callback`, if any.
    Raises NotVerified if a phone call may have been placed, but its code is lost. Raises Interrupted only if no phone
    call was placed.
    """
    try:
        with hide_inputs_in_refusal(inputs.friendly_name, inputs.status_callback):
            return client.request_validation(inputs, callback_url)
    except TwilioRefused as refused:
        if refused.code == ALREADY_VERIFIED:
            existing = client.find(inputs.phone_number)
            if existing is not None:
                return existing
            raise AlreadyVerified(
                f"Account {client.account_sid} has verified {international_format(inputs.phone_number)} already, but"
                f" its list does not show it yet (code {ALREADY_VERIFIED}).",
                "Wait a minute and run `pulumi up` again.",
            ) from refused
        if refused.status < 500:  # after a 5xx, Twilio may have placed the phone call
            raise
        why_code_is_lost = refused.what
    except AnswerLost as failed:
        why_code_is_lost = failed.what
    raise NotVerified(
        f"{international_format(inputs.phone_number)} was not verified: {why_code_is_lost}",
        "Its phone may ring all the same; nobody knows the code of that call, so let it pass.\n"
        "Then run `pulumi up` again: it looks for the number first, and calls only if it is not verified.",
    )

"""A program that uses all that the package offers: mypy --strict has nothing to say."""

import pulumi
from pulumi import CustomTimeouts, Output, ResourceOptions

from pulumi_twilio_caller_id import (
    CallerIdResult,
    OutgoingCallerId,
    Provider,
    get_outgoing_caller_id,
    get_outgoing_caller_id_output,
    get_outgoing_caller_ids,
    get_outgoing_caller_ids_output,
)
from pulumi_twilio_caller_id.testing import Sandbox

config = pulumi.Config()

desk = OutgoingCallerId("desk", phone_number="+14155550101")
full = OutgoingCallerId(
    "full",
    phone_number=config.require("number"),
    friendly_name=desk.friendly_name.apply(str.upper),
    call_delay=5,
    extension="ww12",
    status_callback="https://example.com/ended",
    status_callback_method="POST",
    account_sid=desk.account_sid,
    adopt=True,
    opts=ResourceOptions(custom_timeouts=CustomTimeouts(create="8m"), depends_on=[desk]),
)
several = [OutgoingCallerId(name, phone_number=number) for name, number in {"a": "+14155550102"}.items()]

elsewhere = Provider("eu", account_sid=config.require("sid"), auth_token=config.require_secret("token"))
far = OutgoingCallerId("far", phone_number=Output.from_input("+493090182000"), opts=ResourceOptions(provider=elsewhere))

seen: OutgoingCallerId = OutgoingCallerId.get("seen", desk.sid, account_sid=desk.account_sid)
sid: Output[str] = seen.sid
texts: list[Output[str]] = [
    seen.phone_number,
    seen.friendly_name,
    seen.account_sid,
    seen.date_created,
    seen.date_updated,
    seen.uri,
]
pulumi.export("sids", Output.all(sid, far.sid, *(it.sid for it in several)))

found: list[CallerIdResult] = get_outgoing_caller_ids(friendly_name="Desk", provider=elsewhere)
one: CallerIdResult = get_outgoing_caller_id("+14155550101")
number: str = one.phone_number
name: str | None = one.friendly_name
later: Output[list[CallerIdResult]] = get_outgoing_caller_ids_output(account_sid=desk.account_sid)
then: Output[str] = get_outgoing_caller_id_output(desk.phone_number).apply(lambda it: it.sid)

with Sandbox() as sandbox:
    environment: dict[str, str] = sandbox.environment

"""A program that uses the package wrongly. Each mistake has beside it what mypy --strict says of it."""

from pulumi import Output, ResourceOptions

from pulumi_twilio_caller_id import OutgoingCallerId, Provider, get_outgoing_caller_id

OutgoingCallerId("no number")  # E: call-arg
OutgoingCallerId("positional", "+14155550101")  # E: call-arg
OutgoingCallerId("a number", phone_number=14155550101)  # E: arg-type
OutgoingCallerId("misspelled", phone_number="+14155550101", freindly_name="Desk")  # E: call-arg
OutgoingCallerId("as in the config", phone_number="+14155550101", friendlyName="Desk")  # E: call-arg
OutgoingCallerId("text", phone_number="+14155550101", call_delay="5")  # E: arg-type
OutgoingCallerId("options", phone_number="+14155550101", opts={"protect": True})  # E: arg-type

desk = OutgoingCallerId("desk", phone_number="+14155550101")
text: str = desk.sid  # E: assignment
desk.validation_code  # E: attr-defined
OutgoingCallerId.get("nothing")  # E: call-arg

Provider("half", account_sid=5)  # E: arg-type
OutgoingCallerId("no output", phone_number=get_outgoing_caller_id("+14155550101"))  # E: arg-type
get_outgoing_caller_id(desk.phone_number)  # E: arg-type
number: Output[str] = get_outgoing_caller_id("+14155550101").phone_number  # E: assignment
OutgoingCallerId("provider", phone_number="+14155550101", opts=ResourceOptions(provider="eu"))  # E: arg-type

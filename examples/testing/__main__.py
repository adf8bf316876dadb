"""Two numbers, named after the company. What is said of them is tested in `tests/`."""

import pulumi

from pulumi_twilio_caller_id import OutgoingCallerId

company = pulumi.Config().require("company")

for name, phone_number, title in (
    ("front-desk", "+14155550101", "front desk"),
    ("support", "+14155550102", "support"),
):
    caller_id = OutgoingCallerId(name, phone_number=phone_number, friendly_name=f"{company}: {title}")
    pulumi.export(name, caller_id.sid)

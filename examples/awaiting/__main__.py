"""A number that may await somebody at the phone, a resource that needs it, and one that does not."""

import pulumi

from pulumi_twilio_caller_id import OutgoingCallerId

desk = OutgoingCallerId("front-desk", phone_number="+14155550101", friendly_name="Front desk")

# Pulumi has the resource `Stash` built in: it keeps a value in the state. Put your own resources in place of these two.
softphone = pulumi.Stash("softphone", input={"caller_id": desk.phone_number, "caller_id_sid": desk.sid})
opening_hours = pulumi.Stash("opening-hours", input="Monday to Friday, 9:00 to 17:00")

pulumi.export("opening_hours", opening_hours.output)
pulumi.export("sid", desk.sid)

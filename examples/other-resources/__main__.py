"""A verified number between other resources: one gives its number, another gets its sid."""

import pulumi
from resources import Line, Softphone

from pulumi_twilio_caller_id import OutgoingCallerId

line = Line("line", trunk="+1415555", extension="0101")

# A preview doesn't know the number yet, so it is checked, and phoned, once the line is there.
desk = OutgoingCallerId("front-desk", phone_number=line.phone_number, friendly_name="Front desk")

# Waits for the code: a softphone that shows a number nobody verified would have its calls refused.
softphone = Softphone(
    "softphone",
    path="softphone.json",
    settings={"caller_id": desk.phone_number, "caller_id_sid": desk.sid},
)

pulumi.export("caller_id", desk.phone_number)
pulumi.export("sid", desk.sid)
pulumi.export("softphone", softphone.path)

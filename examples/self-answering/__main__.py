"""A number that is verified without anybody at the phone: phone.py answers it, and keys the code in."""

import pulumi
from pulumi import CustomTimeouts, ResourceOptions

from pulumi_twilio_caller_id import OutgoingCallerId, Provider

config = pulumi.Config()

# The account of the stack. A Provider, so that the codes of this number alone go to phone.py.
answered = Provider("answered", notify=config.require("codes"))

caller_id = OutgoingCallerId(
    "self-answering",
    phone_number=config.require("phoneNumber"),
    friendly_name="Answers by itself",
    # No person has to be waited for: after a minute something is wrong.
    opts=ResourceOptions(provider=answered, custom_timeouts=CustomTimeouts(create="1m")),
)
pulumi.export("sid", caller_id.sid)

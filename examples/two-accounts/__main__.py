"""Numbers of two Twilio accounts in one stack, and of a subaccount."""

import pulumi
from pulumi import ResourceOptions

from pulumi_twilio_caller_id import OutgoingCallerId, Provider

config = pulumi.Config()

# The stack's own account: twilio:accountSid and twilio:authToken in its config, or the environment.
desk = OutgoingCallerId("front-desk", phone_number="+14155550101", friendly_name="Front desk")

# Another account, with credentials of its own. The stack's are never used for it.
eu = Provider("eu", account_sid=config.require("euAccountSid"), auth_token=config.require_secret("euAuthToken"))
berlin = OutgoingCallerId(
    "berlin",
    phone_number="+493090182000",
    friendly_name="Berlin office",
    opts=ResourceOptions(provider=eu),
)

# A subaccount of the stack's own account: its parent's auth token opens it, so its sid is enough.
lab = OutgoingCallerId(
    "lab",
    phone_number="+14155550102",
    friendly_name="Lab",
    account_sid=config.require("labAccountSid"),
)

for name, caller_id in {"front-desk": desk, "berlin": berlin, "lab": lab}.items():
    pulumi.export(name, {"account": caller_id.account_sid, "sid": caller_id.sid})

import os

config = pulumi.Config()
subaccount = config.require("subaccount")
token = config.require_secret("subaccountToken")

plain = OutgoingCallerId("plain", phone_number="+14155550101")
OutgoingCallerId("named", phone_number="(415) 555-0102", friendly_name="Front desk")
OutgoingCallerId(
    "everything",
    phone_number="+14155550103",
    friendly_name='All "inputs", ünïcode \U0001f4de',
    call_delay=0,
    extension="12w3#",
    status_callback="https://example.com/ended",
    status_callback_method="GET",
    account_sid=subaccount,
    adopt=False,
    opts=ResourceOptions(custom_timeouts=CustomTimeouts(create="8m")),
)
hidden = OutgoingCallerId(
    "hidden", phone_number=config.require_secret("number"), friendly_name=Output.secret(config.require_secret("name"))
)
OutgoingCallerId(
    "imported", phone_number="+14155550110", friendly_name="Imported", opts=ResourceOptions(import_="PNaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
)
OutgoingCallerId("adopted", phone_number="+14155550111", adopt=True)
seen = OutgoingCallerId.get("seen", "PNcccccccccccccccccccccccccccccccc")

by_environment = Provider("by-environment", account_sid=os.environ["TWILIO_ACCOUNT_SID"])
by_arguments = Provider(
    "by-arguments", account_sid=subaccount, auth_token=token, api_url=os.environ["TWILIO_API_URL"], preflight=False
)
office = pulumi.ComponentResource("my:Office", "office")
OutgoingCallerId("same", phone_number="+14155550105", opts=ResourceOptions(provider=by_environment, parent=office))
OutgoingCallerId(
    "sub", phone_number="+14155550106", friendly_name="Sub", opts=ResourceOptions(provider=by_arguments, parent=office)
)

pulumi.export("sid", plain.sid)
pulumi.export("name", plain.friendly_name)
pulumi.export("uri", plain.uri)
pulumi.export("hidden", hidden.phone_number)
pulumi.export("seen", seen.phone_number)

from pulumi_twilio_caller_id import OutgoingCallerId

by_file = OutgoingCallerId("by-file", phone_number="+14155550113", friendly_name="By file")
number_493090182000 = OutgoingCallerId(
    "number-493090182000",
    phone_number="+493090182000",
    friendly_name="+493090182000",
)

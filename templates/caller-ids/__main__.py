"""The stack: one OutgoingCallerId for each entry of its config `callerIds`, their sids exported."""

import inspect
from typing import Any

import pulumi

from pulumi_twilio_caller_id import OutgoingCallerId
from pulumi_twilio_caller_id.inputs import camel_case

NOT_INPUTS = ("resource_name", "opts")
KEYS = {camel_case(name): name for name in inspect.signature(OutgoingCallerId).parameters if name not in NOT_INPUTS}
OPTIONS = ("protect",)


def arguments_of(name: str, entry: object) -> dict[str, Any]:
    if not isinstance(entry, dict) or "phoneNumber" not in entry:
        raise pulumi.RunError(f"callerIds.{name} is {entry!r}: it takes an object with phoneNumber and perhaps more")
    strange = ", ".join(sorted(set(entry) - {*KEYS, *OPTIONS}))
    if strange:
        raise pulumi.RunError(f"callerIds.{name} has {strange}: the keys it takes are {', '.join([*KEYS, *OPTIONS])}")
    number = entry["phoneNumber"]
    if not isinstance(number, str) or number.isdecimal():  # without `--type string`, `pulumi config set` drops the plus
        raise pulumi.RunError(
            f"callerIds.{name}.phoneNumber is {number!r}, which may have lost its plus or zeros.\n"
            f"Begin it with +, in quotes: pulumi config set --path callerIds.{name}.phoneNumber --type string +1...\n"
            "Or write it with spaces, as a number of the country that twilio:defaultRegion names."
        )
    if not isinstance(entry.get("protect", False), bool):
        raise pulumi.RunError(f"callerIds.{name}.protect is {entry['protect']!r}: it takes true or false")
    inputs = {KEYS[key]: value for key, value in entry.items() if key in KEYS}
    return {**inputs, "opts": pulumi.ResourceOptions(protect=entry.get("protect"))}


entries = pulumi.Config().get_object("callerIds") or {}
caller_ids = {name: arguments_of(name, entry) for name, entry in entries.items()}
for name, arguments in caller_ids.items():
    pulumi.export(name, OutgoingCallerId(name, **arguments).sid)
if not caller_ids:
    pulumi.log.info("No numbers yet: pulumi config set --path callerIds.desk.phoneNumber --type string +14155550101")

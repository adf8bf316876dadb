"""Two offices, each a component that owns its numbers."""

import pulumi
from office import Office
from pulumi import Alias, ResourceOptions

from pulumi_twilio_caller_id import Provider

san_francisco = Office(
    "san-francisco",
    title="San Francisco",
    numbers={"front desk": "+14155550101", "support": "+14155550102"},
    opts=ResourceOptions(
        # It was called `office` before there were two. The alias keeps its numbers: without it Pulumi would take them
        # for new ones, to be verified again. Once every stack has been updated it can go.
        aliases=[Alias(name="office")],
        # Whoever takes the office out of the program by mistake loses no number that people answered the phone for.
        protect=pulumi.get_stack() == "production",
    ),
)

# The same account, but numbers without a country code are German ones. An account of its own is given here too.
germany = Provider("germany", default_region="DE")
berlin = Office(
    "berlin",
    title="Berlin",
    numbers={"front desk": "030 90182000"},
    opts=ResourceOptions(provider=germany),
)

pulumi.export("san-francisco", san_francisco.sids)
pulumi.export("berlin", berlin.sids)

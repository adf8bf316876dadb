"""`Office`, a component: the verified numbers of one place."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi import ResourceOptions

from pulumi_twilio_caller_id import OutgoingCallerId


class Office(pulumi.ComponentResource):
    """The numbers of an office, each verified for use as caller ID.

    What is said of the office holds for its numbers: `protect`, and `provider` for the account they are verified in.
    With `aliases=[Alias(name="...")]` a renamed office keeps its numbers: nobody is phoned again.
    """

    sids: Mapping[str, pulumi.Output[str]]
    """The sid of each number, by its role."""

    def __init__(
        self,
        name: str,
        *,
        title: str,
        numbers: Mapping[str, pulumi.Input[str]],
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare an office.

        :param name: Its name in the stack.
        :param title: What the friendly names of its numbers begin with.
        :param numbers: Role, such as "front desk", -> phone number.
        :param opts: Pulumi's options.
        """
        super().__init__("example:twilio:Office", name, None, opts)
        self.sids = {}
        for role, number in numbers.items():
            caller_id = OutgoingCallerId(
                # The office's name comes first: so Pulumi derives the number's alias from one of the office.
                f"{name}-{role.replace(' ', '-')}",
                phone_number=number,
                friendly_name=f"{title}: {role}",
                # As its child the number inherits provider, protect and aliases.
                opts=ResourceOptions(parent=self),
            )
            self.sids[role] = caller_id.sid
        self.register_outputs({"sids": self.sids})

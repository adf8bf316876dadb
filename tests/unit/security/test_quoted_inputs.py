"""A refusal that quotes an input of the program goes without the quotation, however Twilio writes it."""

from __future__ import annotations

import json

import pytest

from pulumi_twilio_caller_id.errors import TwilioRefused
from pulumi_twilio_caller_id.operations.friendly_name import hide_inputs_in_refusal


@pytest.mark.parametrize("name", ["Top secret", "Ñandú café", 'The "canary" desk', "back\\slash"])
def test_a_name_in_json_is_a_quotation_too(name: str) -> None:
    for quoted in (name, json.dumps(name), repr(name)):
        with pytest.raises(TwilioRefused) as caught, hide_inputs_in_refusal(name):
            raise TwilioRefused("rename caller ID PN1", 400, 20001, f"FriendlyName {quoted} is bad")
        assert "FriendlyName" not in str(caught.value)
        assert "code 20001" in str(caught.value)

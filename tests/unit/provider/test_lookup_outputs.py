"""Reading caller IDs from a program by Outputs, in a process that has Pulumi's mocks in place of the engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from pulumi_twilio_caller_id.testing import Sandbox

PROGRAM = """
import asyncio, json, sys
import pulumi
from pulumi import Output
from pulumi_twilio_caller_id import *


class Cloud(pulumi.runtime.Mocks):
    def new_resource(self, args):
        return args.name, args.inputs

    def call(self, args):
        return {}


async def refusal(expression):
    try:
        made = eval(expression)
        await made.future()
    except pulumi.RunError as refused:
        return str(refused)
    return "no error"


async def all_of(expressions):
    pulumi.runtime.set_mocks(Cloud())
    return [await refusal(expression) for expression in expressions]


print(json.dumps(asyncio.run(all_of(json.load(sys.stdin)))))
"""
REFUSED = {
    'get_outgoing_caller_id_output(friendly_name=Output.from_input("Desk"))': (
        "get_outgoing_caller_id_output: there are 2 caller IDs with friendly_name 'Desk' in account AC"
    ),
    'get_outgoing_caller_id_output(Output.secret("canary"))': (
        "get_outgoing_caller_id_output: phone_number can't be looked up: it is not a phone number."
    ),
    'get_outgoing_caller_ids(Output.from_input("+14155550101"))': (
        "get_outgoing_caller_ids: phone_number is an Output, which has no value while the program runs.\n"
        "Use get_outgoing_caller_ids_output, which waits for the value."
    ),
    'get_outgoing_caller_id(provider=Provider("eu", auth_token=Output.secret("canary")))': (
        "get_outgoing_caller_id: the provider's auth_token is an Output, which has no value while the program"
    ),
    'get_outgoing_caller_ids(provider=pulumi.ProviderResource("pulumi-python", "eu", {}))': (
        "get_outgoing_caller_ids: provider is a ProviderResource, which has no Twilio account."
    ),
}


def test_what_is_refused(sandbox: Sandbox) -> None:
    sandbox.add_caller_id("+14155550102", "Desk")
    environment = os.environ | sandbox.environment
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(
        command, input=json.dumps([*REFUSED]), env=environment, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr

    told = json.loads(done.stdout)
    for expected, message in zip(REFUSED.values(), told, strict=True):
        assert message.startswith(expected)
    assert "canary" not in done.stdout + done.stderr

"""A plugin process by itself: how long from its start to its first answer, and what it has in memory by then."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.struct_pb2 import Struct
from pulumi.dynamic import ResourceProvider
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from aims import AIMS
from baseline import NoOpProvider
from measuring import HERE, Timed, in_turn
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.pulumi_sdk import pickled_provider
from stacks import Bench, Row

URN = "urn:pulumi:test::caller-ids::pulumi-python:dynamic/twilio:OutgoingCallerId::desk"


DYNAMIC = (sys.executable, "-u", "-m", "pulumi.dynamic", "127.0.0.1:1")


def first_check(
    provider: ResourceProvider, inputs: Mapping[str, Any], *, known: bool, command: Sequence[str] = DYNAMIC
) -> Timed:
    """From the start of a process to the answer to its first Check, of a resource that is in the state or a new one."""
    props = Struct()
    props.update({**inputs, "__provider": pickled_provider(provider)} if command == DYNAMIC else inputs)
    begin = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(HERE), "PULUMI_CONFIG": "{}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    with process, process.stdout as stdout:
        port = int(stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            stub.Configure(provider_pb2.ConfigureRequest(args=Struct()))
            stub.Check(provider_pb2.CheckRequest(urn=URN, olds=props if known else Struct(), news=props))
        seconds = time.perf_counter() - begin
        megabytes = _resident(process.pid) / 1024
        process.kill()
    return Timed(seconds, megabytes)


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def start_up(bench: Bench) -> Iterator[Row]:
    inputs = {"phone_number": "+14155550101", "friendly_name": "Desk"}
    for known, what in ((True, "a number in the state"), (False, "a new number")):
        pairs = in_turn(
            bench.size.starts,
            partial(first_check, OutgoingCallerIdProvider(), inputs, known=known),
            partial(first_check, NoOpProvider(), inputs, known=known),
        )
        ours, baseline = pairs.seconds
        yield Row(
            f"plugin, start to first Check, {what}",
            f"{ours * 1000:.0f} ms",
            f"{baseline * 1000:.0f} ms",
            pairs.ratio(),
            AIMS["start"] if known else "",
            memory=pairs.megabytes,
        )
        yield Row(
            f"plugin, resident memory by then, {what}",
            f"{pairs.ours[0].megabytes:.1f} MB",
            f"{pairs.baseline[0].megabytes:.1f} MB",
            pairs.ratio(lambda run: run.megabytes),
            AIMS["memory"] if known else "",
        )

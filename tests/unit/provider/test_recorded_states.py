"""The states of each release, without the engine: who they lead to, and what must not be in them."""

from __future__ import annotations

import base64
import json
import pickle

import pytest

from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.pulumi_sdk import PICKLED_PROVIDER
from pulumi_twilio_caller_id.testing import Sandbox
from tests.slow.upgrade.record_states import SECRET_NAME, SECRET_NUMBER, STATES, TOKEN, current_version
from tests.support.harness import TYPE
from tests.support.machine import ROOT

VERSIONS = sorted(path.name for path in STATES.iterdir())


def test_this_version_has_its_states() -> None:
    """`make states` records them, before a release."""
    assert current_version() in VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_each_reference_leads_to_the_provider(version: str) -> None:
    """As the engine's plugin reads it: refresh and destroy have nothing else."""
    resources = json.loads((STATES / version / "stack.json").read_bytes())["deployment"]["resources"]
    caller_ids = [resource for resource in resources if resource["type"] == TYPE]
    references = {resource[part][PICKLED_PROVIDER] for resource in caller_ids for part in ("inputs", "outputs")}
    assert len(caller_ids) > 10
    for reference in references:
        provider = pickle.loads(base64.b64decode(reference))  # noqa: S301
        assert OutgoingCallerIdProvider is type(provider)
        assert {} == vars(provider)


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_of_the_machine_and_no_secret_is_in_them(version: str) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in (STATES / version).iterdir()}
    assert {"stack.json", "Pulumi.test.yaml", "program.py", "twilio.json"} == set(texts)
    folders = [f"/{name}/" for name in ("home", "root", "tmp", "usr")]
    machine = [str(ROOT), *folders, "file://", "127.0.0.1", "localhost", "python3"]
    with Sandbox() as sandbox:
        tokens = [sandbox.auth_token, TOKEN]
    for name, text in texts.items():
        hidden = [] if name == "twilio.json" else [SECRET_NUMBER, SECRET_NAME]  # to which they are no secret
        assert [] == [what for what in (*machine, *tokens, *hidden) if what in text], name

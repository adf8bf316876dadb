"""Secrets by each way in, and every byte of what comes out: on the real engine.

Not searched is what a user has put somewhere in the clear: the program, and, of config that was set without --secret,
the stack's config file and the state. Nor are --tracing and PULUMI_DEBUG_GRPC, the engine's record of all it is told.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack
from tests.support.leak_search import (
    EVENTS,
    HOME,
    SECRETS,
    STATE,
    TEMPORARY,
    Watched,
    clean,
    command_lines,
    echoing,
    settings,
)
from tests.support.machine import free_port
from tests.support.native_stack import NativeStack


@pytest.fixture(params=[Stack, NativeStack], ids=["dynamic", "native"])
def stack_class(request: pytest.FixtureRequest) -> type[Stack]:
    """Stacks of either provider."""
    chosen: type[Stack] = request.param
    return chosen


WAYS = """
OutgoingCallerId("old", phone_number="+14155550103", friendly_name=Output.secret(secrets["secret name"]), adopt=True)
hook = Output.secret(f"https://user:{secrets['status_callback password']}@hooks.example.com/x")
OutgoingCallerId("hidden", phone_number=Output.secret("+1 (415) 555-0142"), status_callback=hook)
where = {"api_url": os.environ["URL"]}
eu = Provider("eu", account_sid="AC" + "1" * 32, auth_token=secrets["eu token"],
    notify=[f"json://{secrets['eu notify']}@127.0.0.1:9/"], **where)
account, key = os.environ["ACCOUNT"], os.environ["KEY"]
us = Provider("us", account_sid=account, api_key=key, api_secret=Output.secret(secrets["API secret"]), **where)
for n, provider in enumerate((eu, us)):
    OutgoingCallerId(f"n{n}", phone_number=f"+1415555011{n}", opts=ResourceOptions(provider=provider))
"""


def test_what_works_shows_no_secret(watch: Callable[..., Watched], canary_account: Sandbox) -> None:
    """From secret config, from Providers' arguments, plain and secret; with the engine as talkative as it gets."""
    account = canary_account
    watched = watch({"URL": account.url, "ACCOUNT": account.account_sid, "KEY": account.api_key})
    stack, search = watched.stack, watched.search
    stack.pulumi("config", "set-all", *settings(canary_account, "--secret"))
    watched.program(WAYS)
    plan = stack.folder / "plan.json"
    loud = ("--debug", "--logtostderr", "--logflow", "-v=9")

    with command_lines(f"PULUMI_HOME={stack.home}") as lines:
        preview = watched.look("preview --json", stack.preview, "--json", "--save-plan", str(plan), *watched.events())
        up = watched.look("up, -v=9", stack.up, *loud, *watched.events())
        for record in canary_account.caller_ids:
            canary_account.rename(record.sid, "Renamed")
        watched.look("refresh --json", stack.refresh, "--json")
        drift = watched.look("preview --diff, -v=9", stack.preview, "--diff", *loud)
    search.look("command lines", b"\n".join(lines))
    search.look("update plan", plan.read_bytes())
    search.look("stack export", stack.pulumi("stack", "export").stdout)
    kept = b"\n".join(path.read_bytes() for path in (stack.folder / "backend").rglob("*") if path.is_file())
    codes = [call.validation_code for call in canary_account.calls]
    watched.look("destroy", stack.destroy)
    watched.look_at_files()

    clean(search, 11)

    assert "no call, and rename it" in preview
    assert "friendly_name" in drift
    assert "json://*** (URL 1 of 2) could not be sent" in up
    assert "Nothing was sent to jsn://***" in up
    assert 3 == len(codes)
    assert [] == [code for code in codes if re.search(rf"(?<![\w+/]){code}(?![\w+/=])".encode(), kept)]


IN_THE_CLEAR = [*(f"notify {part}" for part in ("user", "password", "path", "query")), "misspelled notify"]
IN_THE_CLEAR += ["auth token", "callback token", "other token"]

LOUD = """
import logging
from dataclasses import replace
from pulumi_twilio_caller_id.api import transport
from pulumi_twilio_caller_id.api.client import Client
logging.basicConfig(level=logging.DEBUG)
transport.DEFAULT_RETRIES = replace(transport.DEFAULT_RETRIES, attempts=1)
"""
IMPATIENT = """
import copy
fetch = Client.fetch
def impatient(self, sid):
    asking = copy.copy(self)
    if sid == os.environ["HANGING"]:
        asking._policy = replace(asking._policy, timeout_seconds=0.5)
    return fetch(asking, sid)
Client.fetch = impatient
"""
FAULTY = """
import itertools, pydantic, requests
from pulumi_twilio_caller_id.context import Plugin
from pulumi_twilio_caller_id.settings import sources as config
from pulumi_twilio_caller_id.settings.model import load_settings
def create(plugin):
    settings = load_settings(plugin.config, os.environ)
    request = requests.Request("GET", "http://127.0.0.1", auth=settings.basic_auth(settings.account_sid)).prepare()
    raise RuntimeError(f"{settings} {vars(settings)} {request.headers} {settings.basic_auth(settings.account_sid)}")
def update(plugin):
    pydantic.TypeAdapter(int).validate_python(plugin.config("twilio:authToken"))
def configure(keys):
    from pulumi_twilio_caller_id import lifecycle
    config = keys if isinstance(keys, dict) else lifecycle._plugin.config  # the native provider has no other
    raise LookupError([config[key] if config is keys else config(key) for key in keys])
def is_explicit(keys):
    return keys["twilio:provider"] if isinstance(keys, dict) else "twilio:provider" in keys
faults = itertools.cycle((create, update))
Plugin.client = lambda plugin, *_, **__: next(faults)(plugin)
misspelled = config.misspelled
config.misspelled = lambda keys: configure(keys) if is_explicit(keys) else misspelled(keys)
"""

THREE = """
name = None
for n in range(3):
    OutgoingCallerId(f"n{n}", phone_number=f"+1415555011{n}", friendly_name=name)
"""
UNREACHABLE = """
for n, kind in enumerate(("https", "http")):
    provider = Provider(kind, api_url=f"{kind}://twilio.invalid", account_sid=os.environ["ACCOUNT"],
        api_key=os.environ["TWILIO_API_KEY"], api_secret=os.environ["TWILIO_API_SECRET"])
    OutgoingCallerId(kind, phone_number=f"+1415555012{n}", opts=ResourceOptions(provider=provider))
"""
UNUSABLE = """
url = f"https://user:{secrets['PASSWORD']}@hooks.example.com"
try:
    provider = Provider("bad", SETTING=MARKED(url))
    OutgoingCallerId("bad", phone_number="+14155550120", opts=ResourceOptions(provider=provider))
except pulumi.RunError as refused:
    pulumi.warn(str(refused))
"""
REFUSED = """
OutgoingCallerId("long", phone_number="+14155550130", friendly_name=Output.secret(secrets["secret name"] * 3))
hook = Output.secret(f"http://user:{secrets['status_callback password']}@localhost/")
OutgoingCallerId("hook", phone_number="+14155550131", status_callback=hook)
"""
UNEXPECTED = """
OutgoingCallerId("new", phone_number="+14155550120")
provider = Provider("eu", account_sid="AC" + "1" * 32, auth_token=secrets["eu token"])
OutgoingCallerId("eu", phone_number="+14155550121", opts=ResourceOptions(provider=provider))
"""


def test_what_fails_shows_no_secret(watch: Callable[..., Watched], canary_account: Sandbox) -> None:
    """From the environment, and from config that was set in the clear by mistake."""
    password, other = SECRETS["proxy password"], SECRETS["other proxy password"]
    watched = watch(
        {
            "ACCOUNT": canary_account.account_sid,
            "TWILIO_API_KEY": canary_account.api_key,
            "TWILIO_API_SECRET": SECRETS["API secret"],
            "HTTPS_PROXY": f"http://user:{password}",  # its host was forgotten, so that the password looks like a port
            "HTTP_PROXY": f"http://user:{other}@127.0.0.1:{free_port()}",
            "NO_PROXY": "127.0.0.1",
            "PYTHONDEVMODE": "1",
        }
    )
    stack, search = watched.stack, watched.search
    stack.pulumi("config", "set-all", *settings(canary_account, "--plaintext"))
    watched.plugin(LOUD)
    watched.program(THREE)
    debug = watched.look("up, logging DEBUG", stack.up, "--debug", *watched.events())

    watched.program(THREE + UNREACHABLE)
    unreachable = watched.look("preview, Twilio unreachable", stack.preview)
    for setting, password_of in (("api_url", "API password"), ("callback_url", "callback password")):
        for marked in ("str", "Output.secret"):
            unusable = UNUSABLE.replace("SETTING", setting).replace("MARKED", marked).replace("PASSWORD", password_of)
            watched.program(THREE + unusable)
            ok = not isinstance(stack, NativeStack)  # the native provider fails already in a preview
            told = watched.look("preview, no usable URL", stack.preview, ok=ok)
            assert f"Provider bad's {setting} must be a base URL" in told
    watched.program(THREE + REFUSED)
    refused = watched.look("preview, refused inputs", stack.preview, ok=False)

    echo = echoing(canary_account.api_key, SECRETS["API secret"])
    canary_account.fail("list", status=500, body="<html>" + echo)
    [hanging] = [record.sid for record in canary_account.caller_ids if record.phone_number == "+14155550112"]
    canary_account.fail("fetch", hang=True, about=hanging)
    canary_account.fail("fetch", status=500, body=echo, times=1)
    canary_account.fail("fetch", status=401, body=echo, times=1)
    stack.environment["HANGING"] = hanging
    watched.plugin(LOUD + IMPATIENT)
    ill = watched.look("refresh, Twilio ill", stack.refresh, "--debug", ok=False)
    canary_account.heal()

    watched.plugin(LOUD + FAULTY)
    watched.program(THREE.replace("None", "'Renamed'") + UNEXPECTED)
    faults = watched.look("up, faults of ours", stack.up, "--continue-on-error", ok=False)
    watched.look_at_files(but=IN_THE_CLEAR)

    clean(search, 9)

    assert "DEBUG:urllib3.connectionpool:" in debug
    assert "HTTPS_PROXY is not the URL of a proxy that can be used" in unreachable
    assert "no connection to twilio.invalid, through the proxy in HTTP_PROXY (" in unreachable
    assert "value {[secret]} has a problem" in refused
    assert 2 <= ill.count("{'Authorization': 'Basic [secret]', 'X-Token': '[secret]'}")
    assert "nothing came within 0.5 s" in ill
    assert "RuntimeError: account_sid=" in faults
    assert "input_value='[secret]'" in faults
    assert "LookupError: [" in faults


LEAKY = """
import base64, gzip, subprocess
from pulumi_twilio_caller_id.operations import create as operation
secret, create = secrets["API secret"], operation.create
def leak(plugin, call, inputs):
    if inputs["phone_number"] == "+14155550102":
        raise RuntimeError(secret.encode().hex())
    print(secret.upper(), flush=True)
    for folder in ("TMPDIR", "PULUMI_HOME"):
        pathlib.Path(os.environ[folder], "left").write_bytes(gzip.compress(secret.encode()))
    subprocess.run([sys.executable, "-c", "import time; time.sleep(0.3)", secret])
    return {**create(plugin, call, inputs), "uri": base64.b64encode(f"SK1:{secret}".encode()).decode()}
operation.create = leak
"""


def test_the_search_finds_what_leaks(watch: Callable[..., Watched], canary_account: Sandbox) -> None:
    """A provider that leaks by each way there is: nothing that is clean above is so for lack of looking."""
    watched = watch(
        {
            **canary_account.environment,
            "TWILIO_API_SECRET": SECRETS["API secret"],
            "TWILIO_API_KEY": canary_account.api_key,
        }
    )
    stack, search = watched.stack, watched.search
    watched.plugin(LEAKY)
    watched.program(
        'OutgoingCallerId("n1", phone_number="+14155550101")\nOutgoingCallerId("n2", phone_number="+14155550102")\n'
    )
    with command_lines(f"PULUMI_HOME={stack.home}") as lines:
        watched.look("up", stack.up, "--debug", "--continue-on-error", *watched.events(), ok=False)
    search.look("command lines", b"\n".join(lines))
    watched.look_at_files()

    sys.stdout.write(search.table())
    found = {(leak.output, leak.form.partition(",")[0]) for leak in search.leaks}
    assert {
        ("up", "plain"),
        ("up", "in hex"),
        ("command lines", "plain"),
        (STATE, "in base64"),
        (TEMPORARY, "plain"),
        (HOME, "plain"),
        (EVENTS, "plain"),
        (EVENTS, "in hex"),
        (EVENTS, "in base64"),
    } == found
    assert {"API secret"} == {leak.canary for leak in search.leaks}

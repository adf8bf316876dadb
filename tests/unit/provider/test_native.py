"""The native provider's own half: messages in every language's words, properties, and what goes wrong in a request."""

from __future__ import annotations

import ast
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.rpc import UNKNOWN

from pulumi_twilio_caller_id.errors import CallerIdError, OwnershipUnknown
from pulumi_twilio_caller_id.native import properties, server
from pulumi_twilio_caller_id.native.rewording import language_neutral
from pulumi_twilio_caller_id.operations import adopt
from pulumi_twilio_caller_id.testing import Sandbox
from pulumi_twilio_caller_id.verification import evidence
from tests.support.messages import sources
from tests.support.waiting import PATIENCE, until

CORE = ("operations", "verification", "progress", "settings", "api")
URN = "urn:pulumi:test::project::twilio-caller-id:index:OutgoingCallerId::desk"
OF_PYTHON = re.compile(
    r"\btwilio:[a-z]|ResourceOptions|CustomTimeouts|pulumi\.Alias|python -m|=True|\bimport_\b"
    r"|\b(phone_number|friendly_name|account_sid|auth_token|api_key|api_secret|call_delay|status_callback)\b"
    r"|\b(custom_timeouts|delete_before_replace|replacement_trigger|retain_on_delete)\b"
)


# Words


def test_no_message_speaks_of_a_python_program() -> None:
    """Nor does any other text of the modules that the native provider runs."""
    files = [path for path in sources() if path.parent.name in CORE or path.name == "errors.py"]
    texts = {text for path in files for text in _texts(path.read_text())}
    assert 20 < len([text for text in texts if OF_PYTHON.search(text)])
    assert [] == [text for text in map(language_neutral, texts) if OF_PYTHON.search(text)]


def _texts(source: str) -> Iterator[str]:
    """The texts of several words, without docstrings and without what an f-string fills in."""
    tree = ast.parse(source)
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inner = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values)
        elif isinstance(node, ast.Constant) and node not in docstrings | inner and " " in str(node.value):
            yield str(node.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            adopt.ADOPT_BY_CONFIG,
            "pulumi up --config twilio-caller-id:adopt=true && pulumi config rm twilio-caller-id:adopt",
        ),
        (evidence.DEADLINE_PASSED.todo, 'To wait longer: `the option customTimeouts: {create: "8m"}`.'),
        (
            'opts=ResourceOptions(custom_timeouts=CustomTimeouts(create="8m"))',
            'the option customTimeouts: {create: "8m"}',
        ),
        ('adopt=True, or opts=pulumi.ResourceOptions(import_="PN1")', 'adopt: true, or the option import: "PN1"'),
        ("opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name=...)]).", "the option aliases: [{name: ...}]."),
        (
            "opts=pulumi.ResourceOptions(delete_before_replace=True), then `up` (its preview fails).",
            "the option deleteBeforeReplace: true, then `up` (its preview fails).",
        ),
        (
            "python -m pulumi_twilio_caller_id import-file --name x",
            "pulumi-twilio-caller-id import-file --native --name x",
        ),
        ("Provider eu's account_sid", "Provider eu's accountSid"),
        ("'front_desk' declares it too", "'front_desk' declares it too"),
    ],
)
def test_words(text: str, told: str) -> None:
    assert told in language_neutral(text)


# Properties


def struct(**given: Any) -> Struct:
    made = Struct()
    made.update(given)
    return made


def test_properties_there_and_back() -> None:
    sent = struct(phoneNumber="+14155550101", callDelay=5, friendlyName=None, tags=["a"])
    assert {"phone_number": "+14155550101", "call_delay": 5.0, "tags": ["a"]} == properties.from_struct(sent)
    assert struct(phoneNumber="+1", tags=["a"]) == properties.to_struct(
        {"phone_number": "+1", "tags": ["a"], "x": None}
    )
    wrapped = properties.to_struct({"auth_token": properties.secret("t")})
    assert {"auth_token": "t"} == properties.from_struct(wrapped)
    assert ({"a": "1"}, {"b": UNKNOWN}) == properties.split_unknowns(struct(a="1", b=UNKNOWN))


# Requests


class Context:
    """Of one request: how it is answered."""

    def __init__(self) -> None:
        self.metadata: Any = None
        self.end: Callable[[], object] = lambda: None

    def add_callback(self, end: Callable[[], object]) -> bool:
        self.end = end
        return True

    def set_trailing_metadata(self, metadata: Any) -> None:
        self.metadata = metadata

    def abort(self, code: grpc.StatusCode, text: str) -> None:
        raise Aborted(code, text)


class Aborted(Exception):
    pass


@pytest.fixture
def native(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> server.Servicer:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    made = server.Servicer(None)
    made.Configure(pb.ConfigureRequest(), Context())
    return made


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (CallerIdError("friendly_name is bad", "see twilio:adopt"), "friendlyName is bad\nsee twilio-caller-id:adopt"),
        (RuntimeError("ours"), "Traceback (most recent call last):"),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_an_error_is_its_message_and_a_bug_its_traceback(
    native: server.Servicer, monkeypatch: pytest.MonkeyPatch, raised: BaseException, told: str
) -> None:
    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr("pulumi_twilio_caller_id.operations.delete.delete", fail)
    with pytest.raises(Aborted) as aborted:
        native.Delete(pb.DeleteRequest(id="PN", urn=URN), Context())
    code, text = aborted.value.args
    assert grpc.StatusCode.UNKNOWN == code
    assert told in text


def test_the_first_interrupt_ends_a_create(native: server.Servicer, sandbox: Sandbox) -> None:
    sandbox.set_phone("*", "manual")
    ended: list[str] = []

    def create() -> None:
        try:
            native.Create(pb.CreateRequest(urn=URN, properties=struct(phoneNumber="+14155550101")), Context())
        except Aborted as aborted:
            ended.append(aborted.args[1])

    thread = threading.Thread(target=create)
    thread.start()
    until(lambda: bool(sandbox.calls))
    native.Cancel(empty_pb2.Empty(), Context())
    thread.join(PATIENCE)
    [told] = ended
    assert told.startswith("+1 415-555-0101 was not verified: pulumi was interrupted ")
    assert " Twilio's call to it was " in told


def test_a_number_that_awaits_says_so_by_the_protocol(native: server.Servicer, sandbox: Sandbox) -> None:
    native.Configure(pb.ConfigureRequest(args=struct(unverified="await")), Context())
    sandbox.set_phone("*", "busy")
    context = Context()
    with pytest.raises(Aborted, match="the line was busy"):
        native.Create(pb.CreateRequest(urn=URN, properties=struct(phoneNumber="+14155550101")), context)
    [(key, detail)] = context.metadata
    assert "grpc-status-details-bin" == key
    assert b"ErrorResourceAwaitFailed" in detail


def test_notes_that_cannot_be_kept_stop_up_but_no_preview(
    native: server.Servicer, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unusable(*_: object) -> Any:
        raise OwnershipUnknown("/folder", "it is a symbolic link")

    monkeypatch.setattr(native.plugin.ownership._notes, "exchange", unusable)
    news = struct(phoneNumber="+14155550101")
    checked = native.Check(pb.CheckRequest(urn=URN, news=news), Context())
    assert [] == list(checked.failures)
    native.Create(pb.CreateRequest(urn=URN, properties=checked.inputs, preview=True), Context())
    with pytest.raises(Aborted, match="it is a symbolic link"):
        native.Create(pb.CreateRequest(urn=URN, properties=checked.inputs), Context())
    assert [] == sandbox.calls


@pytest.mark.parametrize(
    ("olds", "news", "replaces"),
    [
        ({"accountSid": "AC1"}, {"accountSid": "AC2"}, ["accountSid"]),
        ({"accountSid": "AC1"}, {"accountSid": UNKNOWN}, []),
        ({}, {"accountSid": "AC2"}, []),
        ({"accountSid": "AC1", "authToken": "1"}, {"accountSid": "AC1", "authToken": "2"}, []),
    ],
)
def test_another_account_replaces_the_provider(
    native: server.Servicer, olds: dict[str, str], news: dict[str, str], replaces: list[str]
) -> None:
    request = pb.DiffRequest(old_inputs=struct(**olds), news=struct(**news))
    assert replaces == list(native.DiffConfig(request, Context()).replaces)


@pytest.mark.parametrize(
    ("name", "source"), [("default", None), ("default_0_1_0", None), ("eu", "eu"), ("defaults", "defaults")]
)
def test_which_provider_the_program_has_made(name: str, source: str | None) -> None:
    assert source == server._provider_name(pb.ConfigureRequest(name=name))

"""Answers of Twilio that are not what was asked for: none is taken for it, each ends in one clear line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_twilio_caller_id.errors import CallerIdError
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.models import CallerId, ValidationRequest
from pulumi_twilio_caller_id.progress.notifications import Notifier
from pulumi_twilio_caller_id.progress.row import code_message, row_text
from pulumi_twilio_caller_id.testing import Sandbox
from pulumi_twilio_caller_id.verification.waiter import Progress
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from tests.support.fixtures.unit import Connect
    from tests.support.notify_service import Service

NUMBER, OTHER = "+14155550101", "+14155550102"
SID, OTHER_SID = "PN" + "1" * 32, "PN" + "2" * 32
STEERING = "\x1b[2J\x9b31m\x07\u202e\r"


def record(**changed: Any) -> dict[str, Any]:
    date = "Thu, 20 Aug 2026 10:00:00 +0000"
    fields = {"sid": SID, "phone_number": NUMBER, "friendly_name": "Desk", "account_sid": "AC" + "a" * 32, "uri": "/x"}
    return {**fields, "date_created": date, "date_updated": date, **changed}


def page(*records: dict[str, Any]) -> str:
    return json.dumps({"outgoing_caller_ids": records, "next_page_uri": None})


def told(call: Callable[[], object]) -> str:
    """What is said of an answer that is of no use, in printable lines."""
    with pytest.raises(CallerIdError) as failed:
        call()
    assert str(failed.value).replace("\n", "").isprintable()
    return failed.value.what


# Fields of a caller ID

WRONG = [7, 7.5, True, ["x"], {"x": 1}]


@pytest.mark.parametrize("field", ["sid", "phone_number", "account_sid", "friendly_name", "uri"])
def test_a_field_of_another_type_is_named(connect: Connect, sandbox: Sandbox, field: str) -> None:
    """Null is the lack of a value, where a caller ID may lack it."""
    twilio = connect(attempts=1)
    may_lack = field in ("friendly_name", "uri")
    for value in WRONG if may_lack else [*WRONG, None]:
        sandbox.fail("fetch", status=200, body=json.dumps(record(**{field: value})))
        sandbox.fail("list", status=200, body=page(record(**{field: value})))
        for call in (lambda: twilio.fetch(SID), lambda: twilio.find(NUMBER), lambda: list(twilio.stream())):
            assert told(call).endswith(f"gave no usable answer: its fields {field} are missing or malformed.")
        sandbox.heal()
    if may_lack:
        sandbox.fail("fetch", status=200, body=json.dumps(record(**{field: None})))
        assert None is getattr(twilio.fetch(SID), field)


def test_a_date_of_another_type_is_of_no_use(connect: Connect, sandbox: Sandbox) -> None:
    for value in WRONG:
        sandbox.fail("fetch", status=200, body=json.dumps(record(date_created=value)), times=1)
        assert "gave no usable answer" in told(lambda: connect(attempts=1).fetch(SID))


@pytest.mark.parametrize("field", ["sid", "phone_number", "account_sid"])
def test_a_missing_field_is_named(connect: Connect, sandbox: Sandbox, field: str) -> None:
    body = record()
    del body[field]
    sandbox.fail("fetch", status=200, body=json.dumps(body))

    assert f"its fields {field} are missing" in told(lambda: connect(attempts=1).fetch(SID))


def test_a_sid_of_another_kind_is_refused(connect: Connect, sandbox: Sandbox) -> None:
    """It would become the id of a resource, and part of the paths of later requests."""
    wrong = ["IN" + "1" * 32, "CA" + "1" * 32, SID.lower(), SID + "\n", SID[:-1], SID + "1", f"../{SID}", "..", ""]
    for sid in wrong:
        sandbox.fail("list", status=200, body=page(record(sid=sid)), times=1)
        assert "its fields sid are missing or malformed" in told(lambda: connect(attempts=1).find(NUMBER))


# Other numbers than were asked for


def test_a_list_that_was_not_filtered_gives_no_other_number(
    connect: Connect, provider: OutgoingCallerIdProvider, sandbox: Sandbox
) -> None:
    """Nothing is adopted that was not asked for; its sid would be deleted with the resource."""
    sandbox.fail("list", status=200, body=page(record(), record(sid=OTHER_SID, phone_number=OTHER)), times=4)
    twilio = connect()

    assert (SID, OTHER_SID) == (twilio.find(NUMBER).sid, twilio.find(OTHER).sid)  # type: ignore[union-attr]
    assert None is twilio.find("+14155550103")
    assert [OTHER_SID] == [known.sid for known in twilio.stream(phone_number=OTHER)]

    sandbox.heal()
    sandbox.fail("list", status=200, body=page(record(), record(sid=OTHER_SID, phone_number=OTHER)), times=1)
    created = provider.create({"phone_number": "+14155550103", "adopt": True})
    assert created.id not in (SID, OTHER_SID)


def test_nor_another_name(connect: Connect, sandbox: Sandbox) -> None:
    sandbox.fail("list", status=200, body=page(record(), record(sid=OTHER_SID, friendly_name="desk")))

    assert [SID] == [known.sid for known in connect().stream(friendly_name="Desk")]


def test_a_caller_id_that_is_listed_twice_is_one(connect: Connect, sandbox: Sandbox) -> None:
    """What is added or deleted while the pages are read moves others from one to the next."""
    sandbox.fail("list", status=200, body=page(record(), record(sid=OTHER_SID), record()))

    assert [SID, OTHER_SID] == [known.sid for known in connect().stream()]


# Texts in answers


def test_half_a_character_of_a_cut_name_is_not_in_the_outputs(
    provider: OutgoingCallerIdProvider, sandbox: Sandbox
) -> None:
    """The engine could not take it. A whole character that JSON has in two halves stays."""
    body = json.dumps(record(friendly_name="\U0001f600 ab\ud83d")).replace("\U0001f600", "\\ud83d\\ude00")
    sandbox.fail("fetch", status=200, body=body)

    outs = provider.read(SID, {"sid": SID, "phone_number": NUMBER}).outs or {}
    assert "\U0001f600 ab\ufffd" == outs["friendly_name"]


def test_a_name_that_steers_is_none_of_the_state(
    connect: Connect, provider: OutgoingCallerIdProvider, sandbox: Sandbox
) -> None:
    """The engine prints texts of several lines as they are, in a diff. Whoever asks for the name itself gets it."""
    name = f"two\nlines{STEERING}\u200dx"
    sandbox.fail("fetch", status=200, body=json.dumps(record(friendly_name=name, account_sid=STEERING, uri=STEERING)))

    outs = provider.read(SID, {"sid": SID, "phone_number": NUMBER}).outs or {}
    assert "two\ufffdlines\ufffd[2J\ufffd31m\ufffd\ufffd\ufffd\u200dx" == outs["friendly_name"]
    assert ["\ufffd[2J\ufffd31m\ufffd\ufffd\ufffd"] * 2 == [outs["account_sid"], outs["uri"]]
    assert name == connect().fetch(SID).friendly_name


def test_a_very_long_name_is_kept_and_not_shown(
    provider: OutgoingCallerIdProvider, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "x" * 10_000
    sandbox.fail("list", status=200, body=page(record(friendly_name=long)), times=2)
    sandbox.fail("update", status=200, body=json.dumps(record(friendly_name=long)))

    created = provider.create({"phone_number": NUMBER, "friendly_name": "Desk", "adopt": True})
    assert long == (created.outs or {})["friendly_name"]
    err = capsys.readouterr().err
    assert "Twilio stored another friendly name for +1 415-555-0101 than the program gives" in err
    assert "xxx" not in err
    assert max(map(len, err.splitlines())) < 400


@pytest.mark.parametrize("endpoint", ["list", "fetch", "update", "delete", "create"])
def test_an_error_message_that_steers_is_shown_without(
    provider: OutgoingCallerIdProvider, sandbox: Sandbox, endpoint: Any
) -> None:
    sandbox.fail(endpoint, status=400, code=21401, message=f"No{STEERING}such\u2028number")
    state = {"sid": SID, "phone_number": NUMBER, "friendly_name": "Desk", "account_sid": sandbox.account_sid}

    calls: dict[str, Callable[[], object]] = {
        "list": lambda: provider.create({"phone_number": NUMBER}),
        "fetch": lambda: provider.read(SID, state),
        "update": lambda: provider.update(SID, state, {"phone_number": NUMBER, "friendly_name": "Lobby"}),
        "delete": lambda: provider.delete(SID, state),
        "create": lambda: provider.create({"phone_number": NUMBER}),
    }
    said = told(calls[endpoint])
    assert "No [2J 31m" in said
    assert said.endswith(f"such number (code 21401, HTTP 400, account {sandbox.account_sid}).")


def test_dates_that_steer_are_passed_on_but_not_shown(provider: OutgoingCallerIdProvider, sandbox: Sandbox) -> None:
    """The client can't read them, so they count as none."""
    sandbox.fail("fetch", status=200, body=json.dumps(record(date_created=STEERING, date_updated="yesterday")))

    outs = provider.read(SID, {"sid": SID, "phone_number": NUMBER}).outs or {}
    assert (None, None) == (outs["date_created"], outs["date_updated"])


def test_what_is_shown_while_a_number_waits_and_sent_to_others_is_printable(service: Service) -> None:
    request = ValidationRequest(
        call_sid="CA" + "1" * 32, phone_number=NUMBER + STEERING, validation_code="12" + STEERING
    )
    notifier = Notifier([service.url()], print, close_timeout=PATIENCE)
    notifier.send_code(request.phone_number, request.validation_code, 60.0)
    notifier.send_verified(request.phone_number, SID + STEERING)
    notifier.send_failed(request.phone_number, f"because{STEERING}")
    notifier.close()
    progress = Progress(request.phone_number, request.validation_code, f"ringing{STEERING}", 60.0)
    texts = [
        code_message(request),
        row_text(progress),
        *(text for title, body, _ in service.messages() for text in (title, body)),
    ]
    assert 8 == len(texts)
    assert [] == [text for text in texts if not text.replace("\n", "").isprintable()]


def test_a_preview_quotes_nothing_that_steers(
    provider: OutgoingCallerIdProvider, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reasons of refusals go to the engine as they are, and it prints them so."""
    strange = record(phone_number=NUMBER, account_sid=STEERING, friendly_name=STEERING)
    sandbox.fail("list", status=200, body=page(strange, record(sid=OTHER_SID, phone_number=STEERING)))

    cases: list[dict[str, Any]] = [
        {"phone_number": NUMBER},
        {"phone_number": NUMBER, "friendly_name": "Desk", "__import": SID},
        {"phone_number": NUMBER, "__import": OTHER_SID},
    ]
    for news in cases:
        failures = provider.check({}, {**news, "__dry_run": f"5m{STEERING}"}).failures
        assert failures
        assert [] == [f.reason for f in failures if not f.reason.replace("\n", "").isprintable()]
    assert (
        []
        == provider.check({}, {"phone_number": NUMBER, "adopt": True, "__dry_run": True, "friendly_name": "x"}).failures
    )
    assert CallerId.model_validate(strange).friendly_name == STEERING
    assert capsys.readouterr().err.replace("\n", "").isprintable()

"""`testing.Sandbox`, as a user's own tests use it, and the file that keeps its state."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from pulumi_twilio_caller_id.sandbox.phones import PhoneLike
from pulumi_twilio_caller_id.sandbox.store import StateFileError
from pulumi_twilio_caller_id.testing import Delays, Phone, Sandbox, TwilioError
from tests.support.machine import free_port
from tests.support.rest import place
from tests.support.waiting import PATIENCE, until

NUMBER = "+14155550101"
AT_ONCE = Delays(0, 0, 0)


def test_it_shows_the_way_to_itself() -> None:
    with Sandbox() as sandbox:
        assert sandbox.environment == {
            "TWILIO_ACCOUNT_SID": sandbox.account_sid,
            "TWILIO_AUTH_TOKEN": sandbox.auth_token,
            "TWILIO_API_URL": sandbox.url,
        }
        assert sandbox.url.startswith("http://127.0.0.1:")
        assert place(sandbox).status_code == 200


def test_its_credentials_are_always_the_same() -> None:
    one, two = Sandbox(), Sandbox()
    assert (one.account_sid, one.auth_token) == (two.account_sid, two.auth_token)
    assert len({one.account_sid[2:], one.auth_token, one.api_key[2:], one.api_secret}) == 4
    assert (one.account_sid[:2], len(one.account_sid), one.api_key[:2], len(one.api_key)) == ("AC", 34, "SK", 34)


def test_people_answer_as_the_test_wants() -> None:
    phones: dict[str, PhoneLike] = {NUMBER: "busy", "+14155550102": {"behaviour": "no-answer"}, "+14155550103": Phone()}
    with Sandbox(phones=phones, delays=AT_ONCE) as sandbox:
        for number in [*phones, "+14155550104"]:
            place(sandbox, number)
        assert [(call.to, call.status) for call in sandbox.calls] == [
            (NUMBER, "busy"),
            ("+14155550102", "no-answer"),
            ("+14155550103", "completed"),
            ("+14155550104", "completed"),
        ]
        assert [record.phone_number for record in sandbox.caller_ids] == ["+14155550103", "+14155550104"]
        sandbox.set_phone(NUMBER, "keys-code")
        place(sandbox)
        assert sandbox.caller_ids[-1].phone_number == NUMBER


def test_real_time_passes_by_itself() -> None:
    with Sandbox(delays=Delays(queued=0.02, rings=0.02, talks=0.02)) as sandbox:
        place(sandbox)
        until(lambda: sandbox.caller_ids)
        assert sandbox.calls[0].status == "completed"


def test_somebody_works_in_the_console() -> None:
    subaccount = "AC" + "1" * 32
    with Sandbox(numbers={NUMBER: "Front desk", "+14155550102": None}, subaccounts=[subaccount]) as sandbox:
        desk, other = sandbox.caller_ids
        assert (desk.friendly_name, other.friendly_name) == ("Front desk", "(415) 555-0102")
        assert sandbox.rename(desk.sid, "Reception").friendly_name == "Reception"
        sandbox.remove(other.sid)
        assert [record.friendly_name for record in sandbox.caller_ids] == ["Reception"]
        assert sandbox.add_caller_id(NUMBER, "Lab", subaccount).account_sid == subaccount
        sandbox.rename(sandbox.caller_ids[-1].sid, "Lab 2")
        assert [record.friendly_name for record in sandbox.caller_ids] == ["Reception", "Lab 2"]
        with pytest.raises(TwilioError, match="already verified"):
            sandbox.add_caller_id(NUMBER)
        with pytest.raises(TwilioError, match="was not found"):
            sandbox.remove(other.sid)


def test_what_is_looked_at_is_a_copy() -> None:
    with Sandbox(numbers={NUMBER: "Desk"}) as sandbox:
        place(sandbox)
        sandbox.caller_ids[0].friendly_name = "changed"
        sandbox.requests[0].form.clear()
        sandbox.requests[0].status = 1
        sandbox.requests.clear()
        assert sandbox.caller_ids[0].friendly_name == "Desk"
        assert [(record.form, record.status) for record in sandbox.requests] == [({"PhoneNumber": NUMBER}, 400)]


def test_a_rotated_token_replaces_the_old_one() -> None:
    subaccount = "AC" + "1" * 32
    with Sandbox(subaccounts={subaccount: "one"}, delays=AT_ONCE) as sandbox:
        old = sandbox.auth_token
        sandbox.set_auth_token("new")
        assert (sandbox.auth_token, sandbox.environment["TWILIO_AUTH_TOKEN"]) == ("new", "new")
        assert place(sandbox).status_code == 200
        sandbox.set_auth_token("newer")
        url = f"{sandbox.url}/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds.json"
        assert [
            requests.get(url, auth=(sandbox.account_sid, token), timeout=PATIENCE).status_code
            for token in (old, "new", "newer")
        ] == [401, 401, 200]
        sandbox.set_auth_token("two", subaccount)
        assert sandbox.subaccounts == {subaccount: "two"}


def test_own_numbers_need_no_verifying() -> None:
    with Sandbox(own_numbers=[NUMBER]) as sandbox:
        assert place(sandbox).status_code == 400
        assert sandbox.calls == []


def test_a_phone_is_worked_by_hand() -> None:
    with Sandbox(phones={NUMBER: "manual", "+14155550102": "manual"}, delays=AT_ONCE) as sandbox:
        place(sandbox)
        place(sandbox, "+14155550102")
        first, second = sandbox.calls
        assert sandbox.key_in(first.sid, first.validation_code)
        sandbox.hang_up(second.sid)
        assert [call.status for call in sandbox.calls] == ["completed", "busy"]


# Starting and stopping


def test_it_starts_at_once_and_leaves_nothing_behind() -> None:
    before = set(threading.enumerate())
    started = time.monotonic()
    with Sandbox(port=free_port()) as sandbox:
        session = requests.Session()  # a connection that is kept open
        session.get(f"{sandbox.url}/sandbox/state", timeout=PATIENCE)
        port = int(sandbox.url.rpartition(":")[2])
    assert time.monotonic() - started < PATIENCE / 2
    session.close()
    assert set() == set(threading.enumerate()) - before
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_it_stops_although_an_answer_is_held_back() -> None:
    with Sandbox() as sandbox:
        sandbox.fail("create", delay=600)
        with pytest.raises(requests.ReadTimeout):
            requests.post(
                f"{sandbox.url}/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds.json",
                timeout=(PATIENCE, 0.1),
            )
        until(lambda: sandbox.requests)
        stopping = time.monotonic()
    assert time.monotonic() - stopping < PATIENCE / 2


def test_it_comes_back_at_the_same_address_and_knows_what_it_knew() -> None:
    sandbox = Sandbox(delays=AT_ONCE, port=free_port())
    sandbox.stop()
    with sandbox:
        url = sandbox.url
        place(sandbox)
        with pytest.raises(RuntimeError, match="running already"):
            sandbox.start()
    with pytest.raises(requests.ConnectionError):
        place(sandbox)
    with sandbox:
        assert sandbox.url == url
        assert place(sandbox).status_code == 400
    assert len(sandbox.requests) == 2


def test_a_taken_port_is_an_error_in_the_test() -> None:
    with Sandbox() as first:
        second = Sandbox(port=int(first.url.rpartition(":")[2]))
        with pytest.raises(OSError, match="Address already in use"):
            second.start()
        second.stop()


def test_it_imports_nothing_of_pulumi() -> None:
    code = (
        "import sys, types; p = types.ModuleType('pulumi_twilio_caller_id'); p.__path__ = [sys.argv[1]]; "
        "sys.modules[p.__name__] = p; import pulumi_twilio_caller_id.testing; "
        "print([m for m in sys.modules if m.partition('.')[0] in ('pulumi', 'twilio', 'phonenumbers', 'yaml')])"
    )
    package = str(Path(sys.modules[Sandbox.__module__].__file__ or "").parent)
    done = subprocess.run([sys.executable, "-c", code, package], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# The state file


def test_a_state_file_is_one_account_over_many_runs(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with Sandbox(state=state, numbers={NUMBER: "Desk"}, delays=AT_ONCE) as sandbox:
        place(sandbox, "+14155550102")
        known = sandbox.caller_ids
        calls = sandbox.calls
    with Sandbox(state=state, numbers={NUMBER: "Other name"}) as sandbox:
        assert (sandbox.caller_ids, sandbox.calls) == (known, calls)
        sandbox.rename(known[0].sid, "Reception")
        sandbox.remove(known[1].sid)
    assert [record.friendly_name for record in Sandbox(state=str(state)).caller_ids] == ["Reception"]
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_state_file_holds_no_secret(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    subaccount = "AC" + "1" * 32
    with Sandbox(state=state, numbers={NUMBER: None}, subaccounts={subaccount: "subtoken"}) as sandbox:
        content = json.loads(state.read_text())
        assert (content["format"], content["version"]) == ("pulumi-twilio-caller-id/sandbox", 1)
        assert content["accounts"] == [sandbox.account_sid, subaccount]
        for secret in (sandbox.auth_token, sandbox.api_secret, "subtoken"):
            assert secret not in state.read_text()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "it is damaged, or not JSON at all"),
        ('{"format": "pulumi-twilio-caller-id/sandbox", "ver', "it is damaged, or not JSON at all"),
        ("\xff", "it is damaged, or not JSON at all"),
        ("[]", "it was not written by the sandbox"),
        ('{"version": 3, "deployment": {}}', "it was not written by the sandbox"),
        (
            '{"format": "pulumi-twilio-caller-id/sandbox", "version": 2}',
            "it has version 2, this program reads version 1",
        ),
        (
            '{"format": "pulumi-twilio-caller-id/sandbox", "version": 1, "calls": [{"sid": "CA1"}]}',
            "calls.0.sid is wrong",
        ),
        (
            '{"format": "pulumi-twilio-caller-id/sandbox", "version": 1, "more": 1}',
            "more is wrong: Extra inputs are not permitted",
        ),
    ],
)
def test_a_file_that_is_no_state_is_left_alone(tmp_path: Path, content: str, reason: str) -> None:
    state = tmp_path / "state.json"
    state.write_text(content, encoding="latin-1")
    with pytest.raises(StateFileError) as refusal:
        Sandbox(state=state)
    assert str(refusal.value).startswith(f"{state} cannot be used as the sandbox's state: {reason}")
    assert "move it away to start with an empty account" in str(refusal.value)
    assert state.read_text(encoding="latin-1") == content


def test_a_state_file_needs_a_folder(tmp_path: Path) -> None:
    with pytest.raises(StateFileError, match="make it first"):
        Sandbox(state=tmp_path / "missing" / "state.json")


def test_a_write_that_fails_leaves_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "state.json"
    sandbox = Sandbox(state=state, numbers={NUMBER: None})
    before = state.read_text()

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StateFileError, match="No space left"):
        sandbox.add_caller_id("+14155550102")
    assert state.read_text() == before
    assert list(tmp_path.iterdir()) == [state]

"""The code reaches whoever holds the phone, and nothing that goes wrong on the way reaches the verification."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
import warnings

import pytest

from pulumi_twilio_caller_id.progress.notifications import NOT_INSTALLED, THREAD_NAME, UNUSABLE, Notifier
from tests.support.machine import free_port
from tests.support.notify_service import CANARY, Service
from tests.support.waiting import PATIENCE

NUMBER = "+14155550101"
SID = "PN" + "1" * 32

pytestmark = pytest.mark.usefixtures("plugins")


@pytest.fixture
def warned() -> list[str]:
    return []


def tell_all(notifier: Notifier) -> None:
    notifier.send_code(NUMBER, "483920", 300)
    notifier.send_verified(NUMBER, SID)
    notifier.close()


def refusing() -> str:
    """A URL at which nobody listens."""
    return f"json://127.0.0.1:{free_port()}/{CANARY}"


def failed(name: str) -> str:
    return (
        f"A message to {name} could not be sent.\nGive the code to whoever holds the phone yourself, and check the URL"
        " in twilio:notify and that the service can be reached from here."
    )


def test_code_then_outcome(service: Service, warned: list[str]) -> None:
    tell_all(Notifier([service.url()], warned.append))
    assert [
        (
            "483920: enter on +1 415-555-0101",
            (
                "Twilio calls +1 415-555-0101 from +1 415-723-4000, in English.\n"
                "Answer, and enter 483920. Time left: 5 min."
            ),
            "info",
        ),
        (
            "+1 415-555-0101 is verified",
            f"Twilio took the code. The number is caller ID {SID} now.",
            "success",
        ),
    ] == service.messages()
    assert [] == warned


def test_failure_says_why_without_saying_twice_what(service: Service, warned: list[str]) -> None:
    notifier = Notifier([service.url()], warned.append)
    notifier.send_failed(NUMBER, "+1 415-555-0101 was not verified: nobody answered (call CA1,\nno-answer after 32 s).")
    notifier.close()
    title, body = "+1 415-555-0101 was not verified", "nobody answered (call CA1, no-answer after 32 s)."
    assert [(title, body, "failure")] == service.messages()
    assert [] == warned


def test_a_number_that_awaits_is_no_failure(service: Service, warned: list[str]) -> None:
    notifier = Notifier([service.url()], warned.append)
    reason = "+1 415-555-0101 was not verified: nobody answered (call CA1,\nno-answer after 32 s)."
    notifier.send_failed(NUMBER, reason, awaiting=True)
    notifier.close()
    body = "nobody answered (call CA1, no-answer after 32 s).\nRun `pulumi up` again."
    assert [("+1 415-555-0101 still waits", body, "warning")] == service.messages()
    assert [] == warned


@pytest.mark.parametrize(
    ("timeout", "left"), [(300.0, "5 min"), (119.0, "1 min"), (510.0, "8 min"), (45.4, "45 s"), (-1.0, "0 s")]
)
def test_time_left_is_never_overstated(service: Service, warned: list[str], timeout: float, left: str) -> None:
    notifier = Notifier([service.url()], warned.append)
    notifier.send_code(NUMBER, "483920", timeout)
    notifier.close()
    assert (
        f"Twilio calls +1 415-555-0101 from +1 415-723-4000, in English.\nAnswer, and enter 483920. Time left: {left}."
    ) == service.messages()[0][1]


def test_a_slow_service_gets_messages_in_order(service: Service, warned: list[str]) -> None:
    notifier = Notifier([service.url("/slow")], warned.append)
    for code in "1234":
        notifier.send_code(NUMBER, code, 300)
    notifier.close()
    assert [f"{code}: enter on +1 415-555-0101" for code in "1234"] == [title for title, *_ in service.messages()]


def test_one_that_fails_takes_nothing_from_the_other(service: Service, warned: list[str]) -> None:
    """A failing service is warned of once, however often it fails."""
    for broken in (service.url("/fail"), refusing()):
        service.received.clear()
        warned.clear()
        tell_all(Notifier([broken, service.url("/good")], warned.append))
        assert ["483920: enter on +1 415-555-0101", "+1 415-555-0101 is verified"] == [
            body["title"] for path, body in service.received if path.endswith("/good")
        ]
        assert [failed("json://*** (URL 1 of 2)")] == warned


@pytest.mark.parametrize("url", [f"nonesuch://{CANARY}", f"slack://{CANARY}", f"json://:{CANARY}"])
def test_unusable_url(service: Service, warned: list[str], url: str) -> None:
    tell_all(Notifier([service.url(), url], warned.append))
    assert 2 == len(service.received)
    assert [UNUSABLE.format(f"{url.partition(':')[0]}://*** (URL 2 of 2)")] == warned


def test_what_is_no_url_is_not_shown_at_all(warned: list[str]) -> None:
    tell_all(Notifier([CANARY], warned.append))
    assert [UNUSABLE.format("***")] == warned


def test_an_outcome_that_cannot_be_sent_asks_for_no_code(service: Service, warned: list[str]) -> None:
    notifier = Notifier([service.url("/fail")], warned.append)
    notifier.send_verified(NUMBER, SID)
    notifier.close()
    what, todo = "A message to json://*** could not be sent.", "Check the URL in twilio:notify and that the service"
    assert [f"{what}\n{todo} can be reached from here."] == warned


def test_hanging_service_holds_up_nobody(service: Service, warned: list[str]) -> None:
    """Telling returns at once, the other service gets everything, and close gives up in time, once for all."""
    urls = [service.url("/hang"), service.url("/good"), service.url("/hang")]
    notifier = Notifier(urls, warned.append, close_timeout=0.3)
    started = time.monotonic()
    notifier.send_code(NUMBER, "483920", 300)
    notifier.send_verified(NUMBER, SID)
    assert time.monotonic() - started < PATIENCE / 2
    service.wait_for("/good", 2)
    started = time.monotonic()
    notifier.close()
    assert 0.25 < time.monotonic() - started < PATIENCE / 2
    assert [
        f"json://*** (URL {place} of 3) did not answer within 0.3 s, so messages to it may be lost.\n"
        "Check that it can be reached from here."
        for place in (1, 3)
    ] == [text for text in warned if "URL 2" not in text]  # a busy machine may not get to its thread in 0.3 s


def test_after_close_nothing_is_sent_or_warned(service: Service, warned: list[str]) -> None:
    notifier = Notifier([service.url("/hang")], warned.append, close_timeout=0.3)
    notifier.send_code(NUMBER, "483920", 300)
    notifier.send_verified(NUMBER, SID)
    service.wait_for("/hang", 1)
    workers = [thread for thread in threading.enumerate() if thread.name == THREAD_NAME]
    notifier.close()
    warned.clear()
    service.answer.set()
    for worker in workers:
        worker.join(PATIENCE)
    tell_all(notifier)
    assert ["483920: enter on +1 415-555-0101"] == [title for title, *_ in service.messages()]
    assert [] == warned


def test_apprise_missing(monkeypatch: pytest.MonkeyPatch, warned: list[str]) -> None:
    """One warning, whatever the number of services and messages."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    tell_all(Notifier([f"json://{CANARY}", f"slack://{CANARY}"], warned.append))
    assert [NOT_INSTALLED] == warned
    assert 'pip install "pulumi-twilio-caller-id[notify]"' in NOT_INSTALLED


def test_a_plugin_that_raises(service: Service, monkeypatch: pytest.MonkeyPatch, warned: list[str]) -> None:
    """Its error is named, not quoted: the text of an error may hold the URL."""

    def send(*_: object, **__: object) -> bool:
        raise KeyError(CANARY)

    monkeypatch.setattr("apprise.plugins.custom_json.NotifyJSON.send", send)
    tell_all(Notifier([service.url()], warned.append))
    assert 1 == len(warned)
    assert warned[0].startswith("A message to json://*** could not be sent (KeyError).\n")


def test_apprise_that_raises(monkeypatch: pytest.MonkeyPatch, warned: list[str]) -> None:
    def instantiate(*_: object, **__: object) -> None:
        raise TypeError(CANARY)

    monkeypatch.setattr("apprise.Apprise.instantiate", instantiate)
    tell_all(Notifier([f"json://{CANARY}"], warned.append))
    assert [UNUSABLE.format("json://***")] == warned


def test_a_system_without_more_threads_fails_nothing(monkeypatch: pytest.MonkeyPatch, warned: list[str]) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", start)
    tell_all(Notifier([f"json://{CANARY}"], warned.append))
    assert [] == warned


def test_a_warning_that_fails_is_no_failure(service: Service) -> None:
    def warn(_: str) -> None:
        raise OSError

    tell_all(Notifier([service.url("/fail")], warn))
    assert 2 == len(service.received)


def test_no_secret_in_any_output(
    service: Service, warned: list[str], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not in warnings, not in logs at their most talkative, not on the terminal."""
    caplog.set_level(logging.NOTSET)
    urls = [service.url(), service.url("/fail"), refusing(), f"nonesuch://{CANARY}", f"slack://{CANARY}", CANARY]
    tell_all(Notifier(urls, warned.append))
    notifier = Notifier([service.url("/hang")], warned.append, close_timeout=0.05)
    notifier.send_code(NUMBER, "483920", 300)
    notifier.close()
    assert 6 == len(warned)
    texts = "\n".join([*warned, caplog.text, *capfd.readouterr()])
    for secret in (CANARY, "127.0.0.1", "483920"):
        assert secret not in texts


def test_others_still_hear_urllib3(caplog: pytest.LogCaptureFixture, service: Service, warned: list[str]) -> None:
    tell_all(Notifier([service.url()], warned.append))
    logging.getLogger("urllib3.connectionpool").warning("of Twilio")
    assert ["of Twilio"] == [record.getMessage() for record in caplog.records]


def test_unverified_hosts_are_not_printed(service: Service, warned: list[str]) -> None:
    tell_all(Notifier([service.url() + "&verify=no"], warned.append))
    warnings.warn(f"Unverified HTTPS request is being made to host '{CANARY}'", stacklevel=1)
    assert [] == warned


def test_without_urls_nothing_happens(warned: list[str]) -> None:
    """No thread is started, and Apprise is never imported."""
    code = (
        "import sys, threading\nfrom pulumi_twilio_caller_id.progress.notifications import Notifier\n"
        "n = Notifier([], print)\n"
        "n.send_code('+14155550101', '483920', 300); n.send_verified('+14155550101', 'PN'); n.send_failed('+1', 'x')\n"
        "print(threading.active_count(), 'apprise' in sys.modules); n.close()"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ("1 False\n", "") == (ran.stdout, ran.stderr)


def test_a_hanging_service_does_not_keep_the_interpreter(service: Service) -> None:
    code = (
        "import sys; from pulumi_twilio_caller_id.progress.notifications import Notifier\n"
        "n = Notifier(sys.argv[1:], print, close_timeout=1); n.send_code('+14155550101', '483920', 300); n.close()"
    )
    command = [sys.executable, "-c", code, service.url("/hang")]
    started = time.monotonic()
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert time.monotonic() - started < PATIENCE / 2
    assert ran.stdout.startswith("json://*** did not answer within 1 s")
    assert "" == ran.stderr


def test_several_waits_at_once(service: Service, warned: list[str]) -> None:
    def wait(place: int) -> None:
        notifier = Notifier([service.url(f"/{place}")], warned.append)
        notifier.send_code(NUMBER, f"{place}", 300)
        notifier.send_verified(NUMBER, SID)
        notifier.close()

    threads = [threading.Thread(target=wait, args=(place,), daemon=True) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == warned
    for place in range(8):
        assert [f"{place}: enter on +1 415-555-0101", "+1 415-555-0101 is verified"] == [
            body["title"] for path, body in service.received if path.endswith(f"/{place}")
        ]

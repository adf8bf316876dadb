"""Send the code and the outcome to whoever holds the phone, through Apprise, which is an optional extra.

A verification never waits for a message or fails because of one: every fault becomes a warning. Each service has its
own thread and queue, so a service that hangs delays no other. An Apprise URL is secret: only its scheme is shown.
"""

from __future__ import annotations

import logging
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Literal

from pulumi_twilio_caller_id.phone_number import VALIDATION_CALL_FROM, international_format
from pulumi_twilio_caller_id.settings.model import APPRISE_SCHEME
from pulumi_twilio_caller_id.shadowing import shadowing_error
from pulumi_twilio_caller_id.text import one_line, sanitize

from .terminal_line import instruction

if TYPE_CHECKING:
    from apprise import NotifyBase

THREAD_NAME = "twilio-notify"

NOT_INSTALLED = """\
Nobody was sent the code: twilio:notify is set, but Apprise, which sends it, is not installed.
Install it beside this package (`pip install "pulumi-twilio-caller-id[notify]"`), or unset twilio:notify."""
UNUSABLE = """\
Nothing was sent to {}: Apprise can't use this URL, or lacks a library for it.
Correct it in twilio:notify; https://github.com/caronc/apprise/wiki shows how to write each service's URL."""


class _Service:
    """One service: its name in warnings, and the thread that sends it messages."""

    def __init__(self, url: str, position: int, count: int) -> None:
        scheme = APPRISE_SCHEME.match(url)
        self.url = url
        self.name = (f"{scheme[1]}://***" if scheme else "***") + (f" (URL {position} of {count})" if count > 1 else "")
        self.messages: SimpleQueue[dict[str, str] | None] = SimpleQueue()
        """Each message is the arguments for Apprise's `notify`. None ends the thread."""
        self.thread: threading.Thread | None = None


class Notifier:
    """Sends messages about one verification to the services at `urls`.

    warn: shows a warning; called in any thread, but not after `close`. close_timeout: how many seconds `close` waits.
    """

    def __init__(self, urls: Sequence[str], warn: Callable[[str], None], *, close_timeout: float = 10.0) -> None:
        self._services = [_Service(url, position, len(urls)) for position, url in enumerate(urls, 1)]
        self._warn = warn
        self._close_timeout = close_timeout
        self._warned: set[str] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def send_code(self, phone_number: str, code: str, timeout: float) -> None:
        """Send the code. Somebody must enter it within `timeout` seconds, on the phone that is about to ring."""
        number, caller = international_format(phone_number), international_format(VALIDATION_CALL_FROM)
        left = f"{timeout // 60:.0f} min" if timeout >= 60 else f"{max(0.0, timeout):.0f} s"
        body = f"Twilio calls {number} from {caller}, in English.\nAnswer, and enter {code}. Time left: {left}."
        self._send(instruction(code, number), body, "info")

    def send_verified(self, phone_number: str, sid: str) -> None:
        """Send that the number is verified."""
        body = f"Twilio took the code. The number is caller ID {sid} now."
        self._send(f"{international_format(phone_number)} is verified", body, "success")

    def send_failed(self, phone_number: str, reason: str, *, awaiting: bool = False) -> None:
        """Send that the number was not verified.

        reason: the error's text. If it begins with the message's title, that part is not sent twice.
        awaiting: whether the number is left to the next `pulumi up`, because `twilio:unverified` is `await`.
        """
        title = f"{international_format(phone_number)} was not verified"
        body = one_line(reason).removeprefix(f"{title}: ")
        if awaiting:
            title, body = f"{international_format(phone_number)} still waits", f"{body}\nRun `pulumi up` again."
        self._send(title, body, "warning" if awaiting else "failure")

    def close(self) -> None:
        """Wait until all messages are sent, at most `close_timeout` seconds. Then nothing is sent or shown any more."""
        deadline = time.monotonic() + self._close_timeout
        for service in self._services:
            service.messages.put(None)
        for service in self._services:
            if service.thread is not None:
                service.thread.join(max(0.0, deadline - time.monotonic()))
                if service.thread.is_alive():
                    late = f"{service.name} did not answer within {self._close_timeout:g} s"
                    todo = "Check that it can be reached from here."
                    self._warn_once(service.name, f"{late}, so messages to it may be lost.\n{todo}")
        with self._lock:
            self._is_closed = True

    def _send(self, title: str, body: str, notify_type: Literal["info", "success", "warning", "failure"]) -> None:
        for service in self._services:
            service.messages.put({"title": one_line(title), "body": sanitize(body), "notify_type": notify_type})
            if service.thread is None:
                # A daemon, because the interpreter waits for other threads before it ends.
                thread = threading.Thread(
                    target=self._send_queued_messages, args=(service,), name=THREAD_NAME, daemon=True
                )
                with suppress(RuntimeError):  # no more threads: the code is still on the row and in the log
                    thread.start()
                    service.thread = thread

    def _send_queued_messages(self, service: _Service) -> None:
        """Send the messages of one service, in its thread."""
        apprise_service = self._apprise_service(service)
        if apprise_service is None:
            return
        while (message := service.messages.get()) is not None and not self._is_closed:
            failure_type = ""
            try:
                is_sent = apprise_service.notify(**message, body_format="text")
            except Exception as error:  # noqa: BLE001  each service has its own errors
                is_sent, failure_type = False, f" ({type(error).__name__})"  # its text may quote the URL
            if not is_sent:
                is_code = message["notify_type"] == "info"  # see `send_code`
                todo = "Give the code to whoever holds the phone yourself, and check" if is_code else "Check"
                todo += " the URL in twilio:notify and that the service can be reached from here."
                self._warn_once(service.name, f"A message to {service.name} could not be sent{failure_type}.\n{todo}")

    def _apprise_service(self, service: _Service) -> NotifyBase | None:
        """Return Apprise's object for the service. If it can't make one, warn and return None."""
        _keep_secrets_out_of_logs()
        try:
            from apprise import Apprise, AppriseAsset  # late: it is optional, and slow to import

            # Not Apprise.notify(): it uses threads that the interpreter waits for before it ends.
            asset = AppriseAsset(app_id="Pulumi", app_desc="Twilio caller IDs by Pulumi")
            apprise_service = Apprise.instantiate(service.url, asset=asset)
        except ImportError as error:
            shadowed = shadowing_error(error)  # such as a file apprise.py beside the program
            self._warn_once("apprise", f"Nobody was sent the code: {shadowed}" if shadowed else NOT_INSTALLED)
            return None
        except Exception:  # noqa: BLE001  its text may quote the URL
            apprise_service = None
        if apprise_service is None:
            self._warn_once(service.name, UNUSABLE.format(service.name))
        elif not apprise_service.verify_certificate:
            # If the URL says verify=no, urllib3 prints the host at each request.
            warnings.filterwarnings("ignore", "Unverified HTTPS request")
        return apprise_service

    def _warn_once(self, name: str, text: str) -> None:
        """Show a warning about the service with this name, unless there was one before."""
        with self._lock, suppress(Exception):
            if not (self._is_closed or name in self._warned):
                self._warned.add(name)
                self._warn(text)


def _keep_secrets_out_of_logs() -> None:
    """Silence Apprise, which logs hosts. In our threads, silence urllib3 too: it logs paths with tokens."""
    logging.getLogger("apprise").disabled = True
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_is_from_another_thread)


def _is_from_another_thread(_: logging.LogRecord) -> bool:
    return threading.current_thread().name != THREAD_NAME

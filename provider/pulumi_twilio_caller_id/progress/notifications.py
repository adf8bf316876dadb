"""Sends the code to whoever holds the phone, through Apprise (an optional extra).

The verification neither waits for it nor fails because of it: each service has a daemon thread and a queue of its own,
so one that hangs holds up no other, and whatever goes wrong becomes a warning. An Apprise URL is a secret: of one,
nothing but its scheme is ever shown.
"""

from __future__ import annotations

import json
import logging
import queue
import re
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pulumi_twilio_caller_id.phone_number import VALIDATION_CALL_FROM, readable
from pulumi_twilio_caller_id.shadowing import explanation
from pulumi_twilio_caller_id.text import is_secret, one_line, sanitize

if TYPE_CHECKING:
    from apprise import NotifyBase

SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
BETWEEN = re.compile(r"\s+|,(?=[a-z][a-z0-9+.-]*://)", re.IGNORECASE)
THREAD = "twilio-notify"

NOT_INSTALLED = """\
Nobody was sent the code: twilio:notify is set, but Apprise, which does the sending, is not installed.
Install it beside this package (`pip install "pulumi-twilio-caller-id[notify]"`), or unset twilio:notify."""
UNUSABLE = """\
Nothing was sent to {}: Apprise can't use this URL, or lacks a library for it.
Correct it in twilio:notify; https://github.com/caronc/apprise/wiki shows how each service's is written."""


def parse_urls(value: object) -> tuple[str, ...]:
    """The Apprise URLs in a config value: a list, a list as JSON, or text with white space or commas between them.

    A comma is part of a URL (`?to=a@b.c,d@e.f`) unless a scheme follows it. Raises ValueError, never with the value.
    """
    items: object = () if value is None else value
    if isinstance(value, str):
        items = [item.strip(",") for item in BETWEEN.split(value)]
        if value.lstrip().startswith("["):
            with suppress(ValueError, RecursionError):
                items = json.loads(value)
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise ValueError("must be Apprise URLs, as a list or with spaces between them")
    urls = tuple(item.strip() for item in items if item.strip())
    for place, url in enumerate(urls, 1):
        if not SCHEME.match(url):
            raise ValueError(f"must be Apprise URLs, such as slack://..., and its entry {place} begins with no scheme")
    return urls


@dataclass(frozen=True)
class _Message:
    title: str
    body: str
    kind: Literal["info", "success", "failure"]


@dataclass(frozen=True)
class _Service:
    name: str
    url: str = field(repr=False)
    messages: queue.SimpleQueue[_Message | None] = field(default_factory=queue.SimpleQueue)


class Notifier:
    """Tells the services at `urls` of one verification. `warn` is called from other threads, until `close` returns."""

    def __init__(self, urls: Sequence[str], warn: Callable[[str], None], *, seconds: float = 10.0) -> None:
        self._services = [_Service(_name(url, place, len(urls)), url) for place, url in enumerate(urls, 1)]
        self._warn = warn
        self._seconds = seconds
        self._threads: list[tuple[threading.Thread, _Service]] = []
        self._warned: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def calling(self, phone_number: str, friendly_name: str | None, code: str, timeout: float) -> None:
        """The phone is about to ring: the code to key in there within `timeout` seconds."""
        number = readable(phone_number)
        whom = f"{friendly_name} ({number})" if friendly_name and not is_secret(friendly_name) else number
        left = f"{timeout // 60:.0f} min" if timeout >= 60 else f"{max(0.0, timeout):.0f} s"
        caller = readable(VALIDATION_CALL_FROM)
        body = f"Twilio calls {whom} from {caller}, in English.\nAnswer, and key in {code}. Time left: {left}."
        self._send(_Message(f"Key in {code} on {number}", body, "info"))

    def verified(self, phone_number: str, sid: str) -> None:
        """The code was keyed in."""
        title = f"{readable(phone_number)} is verified"
        self._send(_Message(title, f"Twilio took the code. The number is caller ID {sid} now.", "success"))

    def failed(self, phone_number: str, reason: str) -> None:
        """The number was not verified."""
        title = f"{readable(phone_number)} was not verified"
        self._send(_Message(title, one_line(reason).removeprefix(f"{title}: ") or "No reason is known.", "failure"))

    def close(self) -> None:
        """Wait for what is under way, at most `seconds`, then give up. What is told afterwards is not sent."""
        give_up = time.monotonic() + self._seconds
        threads, self._threads, self._services = self._threads, [], []
        for _, service in threads:
            service.messages.put(None)
        try:
            for thread, service in threads:
                thread.join(max(0.0, give_up - time.monotonic()))
                if thread.is_alive():
                    slow = f"{service.name} did not answer within {self._seconds:g} s, so messages to it may be lost."
                    self._warn_once(service.name, "slow", f"{slow}\nCheck that it can be reached from here.")
        finally:
            self._closed.set()

    def _send(self, message: _Message) -> None:
        message = _Message(one_line(message.title), sanitize(message.body), message.kind)
        for service in self._services:
            service.messages.put(message)
        for service in [] if self._threads else self._services:
            thread = threading.Thread(target=self._work, args=(service,), name=THREAD, daemon=True)
            try:
                thread.start()
                self._threads.append((thread, service))
            except RuntimeError:  # no more threads to be had
                self._warn_once(service.name, "failed", _failed(service.name, message, "no thread to send it in"))

    def _work(self, service: _Service) -> None:
        """What a service's thread does, from the first message to `close`."""
        plugin = self._plugin(service)
        for message in iter(service.messages.get, None):
            if plugin is None or self._closed.is_set():
                return
            why = ""
            try:
                sent = plugin.notify(message.body, message.title, notify_type=message.kind, body_format="text")
            except Exception as failed:  # noqa: BLE001  plugins are many, and an error's text may hold the URL
                sent, why = False, type(failed).__name__
            if not sent:
                self._warn_once(service.name, "failed", _failed(service.name, message, why))

    def _plugin(self, service: _Service) -> NotifyBase | None:
        """Apprise's plugin for the service, None after a warning where there is none."""
        _silence()
        try:
            from apprise import Apprise, AppriseAsset  # late: an optional extra, and slow to import

            # Not Apprise.notify(): its pool of threads would be waited for when the interpreter ends.
            asset = AppriseAsset(app_id="Pulumi", app_desc="Twilio caller IDs by Pulumi")
            plugin = Apprise.instantiate(service.url, asset=asset)
        except ImportError as failed:
            hidden = explanation(failed)
            self._warn_once("apprise", "missing", f"Nobody was sent the code: {hidden}" if hidden else NOT_INSTALLED)
            return None
        except Exception:  # noqa: BLE001  its text may hold the URL
            plugin = None
        if plugin is None:
            self._warn_once(service.name, "unusable", UNUSABLE.format(service.name))
        elif not plugin.verify_certificate:
            # urllib3 would print the host at each request; who wrote verify=no knows
            warnings.filterwarnings("ignore", "Unverified HTTPS request")
        return plugin

    def _warn_once(self, name: str, cause: str, text: str) -> None:
        with self._lock:
            if (name, cause) in self._warned or self._closed.is_set():
                return
            self._warned.add((name, cause))
        with suppress(Exception):
            self._warn(text)


def _name(url: str, place: int, count: int) -> str:
    scheme = SCHEME.match(url)
    return (f"{scheme[1]}://***" if scheme else "***") + (f" (URL {place} of {count})" if count > 1 else "")


def _failed(name: str, message: _Message, why: str) -> str:
    what = f"A message to {name} could not be sent" + (f" ({why})" if why else "")
    todo = "Give the code to whoever holds the phone yourself, and check" if message.kind == "info" else "Check"
    return f"{what}.\n{todo} the URL in twilio:notify and that the service can be reached from here."


def _not_ours(_: logging.LogRecord) -> bool:
    return threading.current_thread().name != THREAD


def _silence() -> None:
    """Apprise logs hosts, urllib3 paths, which hold tokens. urllib3 is others' too, so only our threads are silent."""
    logging.getLogger("apprise").disabled = True
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_not_ours)

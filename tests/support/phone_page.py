"""The sandbox's phone page in a real browser: Chromium without a window, which reaches nothing but this machine."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from pulumi_twilio_caller_id.phone_number import international_format
from pulumi_twilio_caller_id.testing import PlacedCall, Sandbox
from tests.support.machine import ROOT
from tests.support.rest import place
from tests.support.waiting import PATIENCE

WIDE = (1280, 900)
MILLISECONDS = PATIENCE * 1000  # until something that does not show up fails a test

OPTIONS = (
    "--no-sandbox",  # without it Chromium refuses to be run by root, as in a container
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--disable-dev-shm-usage",
)


def chromium_path() -> str:
    """The Chromium that is there; `RuntimeError`, with what to do, where there is none."""
    command = [sys.executable, str(ROOT / "tools" / "browser.py"), "--find"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        raise RuntimeError(found.stderr.strip())
    return found.stdout.strip()


@contextmanager
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class PhonePage:
    """The page of a sandbox, open in a browser, and whatever in it went wrong."""

    page: Page
    sandbox: Sandbox
    trouble: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(MILLISECONDS)
        self.page.on("pageerror", lambda error: self.trouble.append(f"error: {error}"))
        self.page.on("console", lambda told: self._heard(told.type, told.text))
        self.page.on("request", lambda request: self._asked(request.url))

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.trouble.append(f"console {kind}: {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith(f"{self.sandbox.url}/"):
            self.trouble.append(f"asked for {url}")

    def open(self) -> PhonePage:
        self.page.goto(self.sandbox.url)
        expect(self.page.get_by_text("live", exact=True)).to_be_visible()
        return self

    def card(self, number: str) -> Locator:
        """The card of the call to a number in E.164."""
        return self.page.get_by_role("article", name=f"Call to {international_format(number)}")

    def press(self, number: str, *buttons: str) -> None:
        """Presses buttons on a card, by what stands on them."""
        for button in buttons:
            self.card(number).get_by_role("button", name=re.compile(rf"^{re.escape(button)}( |$)")).click()

    def keyed(self, number: str) -> Locator:
        """The field of a call that is answered, with the digits so far."""
        field = self.card(number).get_by_label("Keyed so far")
        expect(field).to_be_visible()
        return field

    def rows(self, table: str) -> Locator:
        """The rows of a table, without its head."""
        return self.page.get_by_role("table", name=table).locator("tbody").get_by_role("row")

    def violations(self) -> list[str]:
        """What axe-core finds against accessibility in the page as it is now."""
        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return [f"{it['id']}: {node['target']} {node['failureSummary']}" for it in found for node in it["nodes"]]


@contextmanager
def opened(
    browser: Browser, sandbox: Sandbox, *, size: tuple[int, int] = WIDE, script: str = "", **options: Any
) -> Iterator[PhonePage]:
    """The page in a window of its own; fails if anything in it went wrong. `script` is run before the page's own."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, timezone_id="UTC", **options)
    try:
        if script:
            context.add_init_script(script)
        page = PhonePage(context.new_page(), sandbox).open()
        yield page
        assert [] == page.trouble
    finally:
        with suppress(Exception):  # a browser that is gone has been told of already
            context.close()


def phone(sandbox: Sandbox, number: str, friendly_name: str | None = None, **fields: str) -> PlacedCall:
    """Asks for the validation of a number, as a program does; the call that comes of it."""
    named = {} if friendly_name is None else {"FriendlyName": friendly_name}
    answer = place(sandbox, number, **named, **fields)
    answer.raise_for_status()
    return call(sandbox, answer.json()["call_sid"])


def call(sandbox: Sandbox, sid: str) -> PlacedCall:
    return next(call for call in sandbox.calls if call.sid == sid)

"""The sandbox's phone page in a real browser: Chromium without a window, which reaches nothing but this machine.

Run as a script it draws the pictures of the page in docs/images/: `make screenshots`.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from pulumi_twilio_caller_id.phone_number import readable
from pulumi_twilio_caller_id.testing import Delays, PlacedCall, Sandbox
from tests.support.rest import Clock, place
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
WIDE = (1280, 900)
MILLISECONDS = PATIENCE * 1000  # until something that does not show up fails a test

OPTIONS = (
    "--no-sandbox",  # without it Chromium refuses to be run by root, as in a container
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--disable-dev-shm-usage",
)


def chromium_path() -> str:
    """The Chromium that is there; `RuntimeError`, with what to do, where there is none."""
    command = [sys.executable, str(ROOT / "engine" / "browser.py"), "--find"]
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
        return self.page.get_by_role("article", name=f"Call to {readable(number)}")

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


# The pictures

DESK, SUPPORT, BERLIN, SALES = "+14155550101", "+14155550102", "+493090182000", "+14155550103"


def a_busy_morning() -> tuple[Sandbox, Clock]:
    """A sandbox with a number that is verified and one that is busy; more is phoned once it runs."""
    clock = Clock()
    manual = {number: {"behaviour": "manual", "validation_code": "481592"} for number in (DESK, SUPPORT, BERLIN)}
    sandbox = Sandbox(phones={**manual, SALES: "busy"}, delays=Delays(1, 2, 4), clock=clock, port=port())
    return sandbox, clock


def port() -> int:
    """That of the command line where it is free, so that the pictures show what people see."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", 8484))
        except OSError:
            return 0
        return 8484


def draw(folder: Path) -> None:
    """Draws both pictures: phones that ring, and what becomes of them."""
    folder.mkdir(parents=True, exist_ok=True)
    sandbox, clock = a_busy_morning()
    with sandbox, chromium() as browser, opened(browser, sandbox, size=(1200, 800), reduced_motion="reduce") as page:
        phone(sandbox, SALES, "Sales")
        clock.now += 12
        desk = phone(sandbox, DESK, "Front desk")
        clock.now += 1
        support = phone(sandbox, SUPPORT, "Support", Extension="12")
        phone(sandbox, BERLIN, "Berlin")
        clock.now += 2
        page.press(SUPPORT, "Answer")
        page.keyed(SUPPORT).press_sequentially(support.validation_code[:3])
        expect(page.rows("Calls")).to_have_count(4)
        page.press(BERLIN, "Ignore")
        page.page.screenshot(path=folder / "phone-ringing.png")
        page.press(DESK, "Answer")
        clock.now += 5
        page.keyed(DESK).press_sequentially(desk.validation_code)
        page.keyed(SUPPORT).press_sequentially("000")
        page.card(SUPPORT).get_by_role("button", name="Hang up").click()
        page.press(BERLIN, "Decline")
        expect(page.card(BERLIN)).to_contain_text("Declined")
        expect(page.card(DESK)).to_contain_text("Verified")
        page.page.mouse.move(0, 0)
        page.page.screenshot(path=folder / "phone-verified.png")


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
    sys.stdout.write(f"drawn into {os.path.relpath(IMAGES if len(sys.argv) < 2 else sys.argv[1])}\n")

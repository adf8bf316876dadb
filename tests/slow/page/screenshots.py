"""Draw the pictures of the phone page in docs/images/: `make screenshots`."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from playwright.sync_api import expect

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.machine import ROOT
from tests.support.phone_page import chromium, opened, phone
from tests.support.rest import Clock

IMAGES = ROOT / "docs" / "images"

DESK, SUPPORT, BERLIN, SALES = "+14155550101", "+14155550102", "+493090182000", "+14155550103"


def a_busy_morning() -> tuple[Sandbox, Clock]:
    """A sandbox with a number that is verified and one that is busy; more is phoned once it runs."""
    clock = Clock()
    manual = {
        number: {"behaviour": "manual", "rings": 300, "validation_code": "481592"} for number in (DESK, SUPPORT, BERLIN)
    }
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
        expect(page.card(SUPPORT)).to_contain_text("2 tries left")
        page.card(SUPPORT).get_by_role("button", name="Hang up").click()
        expect(page.card(SUPPORT)).to_contain_text("Not verified")
        page.press(BERLIN, "Decline")
        expect(page.card(BERLIN)).to_contain_text("Declined")
        expect(page.card(DESK)).to_contain_text("Verified")
        page.page.mouse.move(0, 0)
        page.page.screenshot(path=folder / "phone-verified.png")


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
    sys.stdout.write(f"drawn into {os.path.relpath(IMAGES if len(sys.argv) < 2 else sys.argv[1])}\n")

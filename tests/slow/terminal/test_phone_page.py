"""The demo, on the real engine: `pulumi up` waits, phones ring on the sandbox's page, and a person answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from pulumi_twilio_caller_id.phone_number import international_format
from pulumi_twilio_caller_id.sandbox.phones import RING_TIMEOUT
from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import Running, Stack
from tests.support.phone_page import chromium, opened
from tests.support.rest import Clock

DESK, SUPPORT, SALES, BERLIN = "+14155550101", "+14155550102", "+14155550103", "+493090182000"
NAMES = {DESK: "desk", SUPPORT: "support", SALES: "sales", BERLIN: "berlin"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def code_for(running: Running, number: str) -> str:
    """The code as `pulumi up` shows it on the number's row."""
    row = re.compile(rf"(\d{{6}}): enter on {re.escape(international_format(number))}")
    running.until(lambda: row.search(running.output))
    found = row.search(running.output)
    assert found is not None
    return found[1]


def failure(output: str, name: str) -> str:
    """What the diagnostics say of a caller ID, from `error:` to the end of that line."""
    found = re.search(
        rf"OutgoingCallerId \({name}\):.*?error: (.*?)\n", output.partition("Diagnostics:\n")[2], re.DOTALL
    )
    return found[1] if found else output


def test_whoever_reads_the_code_in_the_terminal_keys_it_in_on_the_page(
    make_stack: Callable[..., Stack], browser: Browser
) -> None:
    """Four phones ring at once: one is answered and keys the code in, one declines, one is wrong thrice, one is left
    to ring.
    """
    clock = Clock()
    sandbox = Sandbox(phones=dict.fromkeys(NAMES, "manual"), delays=Delays(0, 0, 0), clock=clock)
    with sandbox, opened(browser, sandbox) as page:
        stack = make_stack(environment=sandbox.environment)
        stack.program(
            "".join(f'OutgoingCallerId("{name}", phone_number="{number}")\n' for number, name in NAMES.items())
        )
        up = stack.start("up", "--yes", "--skip-preview", "--parallel", "32")
        try:
            up.until(lambda: len(sandbox.calls) == len(NAMES))
            expect(page.page).to_have_title("☎ 4 phones ring - Twilio sandbox")
            page.press(BERLIN, "Ignore")
            page.press(SUPPORT, "Decline")
            page.press(DESK, "Answer")
            code = code_for(up, DESK)
            assert code not in page.page.content()
            page.keyed(DESK).press_sequentially(code)
            expect(page.card(DESK)).to_contain_text("Verified.")
            page.press(SALES, "Answer")
            wrong = "000000" if code_for(up, SALES) != "000000" else "111111"
            for _ in range(3):
                page.keyed(SALES).press_sequentially(wrong)
            expect(page.card(SALES)).to_contain_text("three wrong codes")
            clock.now += RING_TIMEOUT
            expect(page.card(BERLIN)).to_contain_text("Nobody answered")
            up.until(up.ended)
        finally:
            up.kill()

        assert 0 != up.process.returncode
        [record] = sandbox.caller_ids
        expect(page.card(DESK)).to_contain_text(record.sid)
        assert {"desk": record.sid} == {name: resource["id"] for name, resource in stack.resources().items()}
        reasons = {
            SUPPORT: "the line was busy",
            SALES: "no correct code was entered",
            BERLIN: "nobody answered",
        }
        assert {
            number: f"{international_format(number)} was not verified: {reason}" for number, reason in reasons.items()
        } == {number: failure(up.output, NAMES[number]).partition(" (call")[0] for number in reasons}
        assert len(NAMES) == len(sandbox.calls)

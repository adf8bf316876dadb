"""The phone page as a person sees and works it, in a real browser; and that it leaves nobody out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Locator, Route, expect

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.machine import free_port
from tests.support.phone_page import PhonePage, call, chromium, opened, phone
from tests.support.rest import Clock

DESK, SUPPORT, SALES = "+14155550101", "+14155550102", "+14155550103"
CODE = "481592"
SUBACCOUNT = "AC" + "5" * 32
EVIL = "<img src=x onerror=\"document.title='owned'\"><b>&amp;'`${1}"

Open = Callable[..., PhonePage]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def twilio_sandbox_options(clock: Clock) -> dict[str, Any]:
    """Two phones that somebody has to answer, all others busy people; calls ring at once."""
    manual = {"behaviour": "manual", "validation_code": CODE}
    phones = {DESK: manual, SUPPORT: manual, SALES: "busy"}
    return {"phones": phones, "delays": Delays(0, 30, 30), "clock": clock, "port": free_port()}


@pytest.fixture
def open_page(browser: Browser, sandbox: Sandbox) -> Iterator[Open]:
    with ExitStack() as windows:
        yield lambda **options: windows.enter_context(opened(browser, sandbox, **options))


@pytest.fixture
def page(open_page: Open) -> PhonePage:
    return open_page()


def height(element: Locator) -> float:
    """In pixels."""
    box = element.bounding_box()
    assert box is not None
    return box["height"]


# A call


def test_a_phone_rings_is_answered_and_the_code_keyed_in_by_mouse(page: PhonePage, sandbox: Sandbox) -> None:
    sid = phone(sandbox, DESK, "Front desk", Extension="12w3#", CallDelay="0").sid
    expect(page.page).to_have_title("☎ +1 415-555-0101 rings - Twilio sandbox")
    card = page.card(DESK)
    for shown in ("Incoming call", "+1 415-555-0101", "Front desk", "From+1 415-723-4000", "Extension12w3#"):
        expect(card).to_contain_text(shown)
    expect(page.page.get_by_role("alert").filter(has_text="A phone rings")).to_contain_text("Front desk")

    page.press(DESK, "Answer")
    expect(card).to_contain_text("key in the six digits")
    expect(page.page).to_have_title("Twilio sandbox")
    assert "in-progress" == call(sandbox, sid).status

    page.press(DESK, *CODE[:3])
    expect(page.keyed(DESK)).to_have_value(CODE[:3])
    page.press(DESK, *CODE[3:])
    expect(card).to_contain_text("Verified. The number is a caller ID now.")
    [record] = sandbox.caller_ids
    expect(card).to_contain_text(record.sid)
    expect(page.page.get_by_role("status").filter(has_text="Verified")).to_contain_text(record.sid)

    page.press(DESK, "Close")
    expect(card).to_have_count(0)
    expect(page.page.get_by_text("No phone rings.")).to_be_visible()


def test_the_keyboard_alone_will_do(page: PhonePage, sandbox: Sandbox) -> None:
    """From the address bar to the verified number, and the focus is never lost on the way."""
    phone(sandbox, DESK, "Front desk")
    keyboard = page.page.keyboard
    answer = page.card(DESK).get_by_role("button", name="Answer")
    expect(answer).to_be_visible()
    for _ in range(10):
        if answer.evaluate("it => it === document.activeElement"):
            break
        keyboard.press("Tab")
    keyboard.press("Enter")
    expect(page.keyed(DESK)).to_be_focused()
    for key in (*"489", "Backspace", *"1592"):
        keyboard.press(key)
    expect(page.card(DESK)).to_contain_text("Verified.")
    expect(page.card(DESK)).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(page.card(DESK)).to_have_count(0)
    expect(page.page.get_by_role("heading", name="Phones")).to_be_focused()


def test_keys_go_to_the_only_call_that_is_answered_wherever_the_focus_is(page: PhonePage, sandbox: Sandbox) -> None:
    phone(sandbox, DESK)
    phone(sandbox, SUPPORT)
    page.press(DESK, "Answer")
    field = page.keyed(DESK)
    page.page.get_by_role("heading", name="Calls").click()
    expect(field).not_to_be_focused()
    page.page.keyboard.type("489a")
    page.page.get_by_label("Read the prompt aloud").click()
    for key in ("Backspace", *"1592"):
        page.page.keyboard.press(key)
    expect(page.card(DESK)).to_contain_text("Verified.")
    assert "ringing" == sandbox.calls[-1].status


@pytest.mark.parametrize("sending", ["#", "Enter"])
def test_fewer_digits_are_sent_by_a_key(page: PhonePage, sandbox: Sandbox, sending: str) -> None:
    sid = phone(sandbox, DESK).sid
    page.press(DESK, "Answer")
    page.keyed(DESK).press_sequentially("12")
    assert 3 == call(sandbox, sid).tries_left
    page.page.keyboard.press(sending)
    expect(page.card(DESK)).to_contain_text("That was not the code. 2 tries left.")
    expect(page.keyed(DESK)).to_have_value("")
    page.page.keyboard.press(sending)  # nothing is keyed in: nothing is sent
    page.keyed(DESK).press_sequentially(CODE)
    expect(page.card(DESK)).to_contain_text("Verified.")
    assert 2 == call(sandbox, sid).tries_left


def test_the_third_wrong_code_ends_the_call(page: PhonePage, sandbox: Sandbox) -> None:
    sid = phone(sandbox, DESK).sid
    page.press(DESK, "Answer")
    for left in ("2 tries left", "1 try left"):
        page.keyed(DESK).press_sequentially("000000")
        expect(page.card(DESK)).to_contain_text(f"That was not the code. {left}.")
    page.keyed(DESK).press_sequentially("000000")
    expect(page.card(DESK)).to_contain_text("Not verified: three wrong codes, and the call is over.")
    assert ("completed", None) == (call(sandbox, sid).status, call(sandbox, sid).caller_id_sid)
    expect(page.rows("Calls")).to_contain_text("not verified")


def test_a_call_that_is_declined_is_busy(page: PhonePage, sandbox: Sandbox) -> None:
    sid = phone(sandbox, DESK).sid
    page.press(DESK, "Decline")
    expect(page.card(DESK)).to_contain_text("Declined: the call ended as busy.")
    assert "busy" == call(sandbox, sid).status


def test_a_call_that_is_ignored_rings_on_in_a_line_until_nobody_has_answered(
    page: PhonePage, sandbox: Sandbox, clock: Clock
) -> None:
    sid = phone(sandbox, DESK, "Front desk").sid
    card = page.card(DESK)
    expect(card).to_be_visible()
    before = height(card)
    page.press(DESK, "Ignore")
    expect(card).to_contain_text("Rings, silenced")
    expect(page.page).to_have_title("Twilio sandbox")
    assert height(card) < before * 0.7
    assert "ringing" == call(sandbox, sid).status
    clock.now += 61
    expect(card).to_contain_text("Nobody answered: the call ended as no-answer.")
    assert "no-answer" == call(sandbox, sid).status


def test_a_call_that_is_ignored_can_be_answered_still(page: PhonePage, sandbox: Sandbox) -> None:
    phone(sandbox, DESK)
    page.press(DESK, "Ignore", "Answer")
    page.keyed(DESK).press_sequentially(CODE)
    expect(page.card(DESK)).to_contain_text("Verified.")


def test_hanging_up_ends_the_call(page: PhonePage, sandbox: Sandbox) -> None:
    sid = phone(sandbox, DESK).sid
    page.press(DESK, "Answer", "Hang up")
    expect(page.card(DESK)).to_contain_text("Not verified: no correct code was entered.")
    assert "completed" == call(sandbox, sid).status


def test_two_calls_at_once_have_a_card_and_keys_of_their_own(page: PhonePage, sandbox: Sandbox) -> None:
    desk, support = phone(sandbox, DESK), phone(sandbox, SUPPORT)
    expect(page.page).to_have_title("☎ 2 phones ring - Twilio sandbox")
    page.press(DESK, "Answer")
    page.press(SUPPORT, "Answer")
    page.keyed(SUPPORT).press_sequentially("77")
    page.keyed(DESK).press_sequentially(CODE)
    expect(page.card(DESK)).to_contain_text("Verified.")
    expect(page.keyed(SUPPORT)).to_have_value("77")
    assert [3, 3] == [call(sandbox, sid).tries_left for sid in (desk.sid, support.sid)]
    page.page.keyboard.press("Tab")  # to "Close", on a card that takes no digits any more
    page.page.keyboard.press("1")
    expect(page.keyed(SUPPORT)).to_have_value("77")


def test_what_is_keyed_and_focused_outlives_what_else_happens(page: PhonePage, sandbox: Sandbox) -> None:
    phone(sandbox, DESK, "Front desk")
    page.press(DESK, "Answer")
    page.keyed(DESK).press_sequentially("481")
    page.page.evaluate("window.before = [document.activeElement, document.querySelector('tbody tr')]")
    phone(sandbox, SUPPORT, "Support")
    sandbox.add_caller_id("+14155550199", "Desk")
    expect(page.card(SUPPORT)).to_be_visible()
    expect(page.rows("Calls")).to_have_count(2)
    expect(page.keyed(DESK)).to_have_value("481")
    assert page.page.evaluate(
        "before[0] === document.activeElement && before[1] === document.querySelector('tbody tr:last-child')"
    )


def test_what_cannot_be_done_is_said(page: PhonePage, sandbox: Sandbox) -> None:
    """Somebody else hung up at the same moment: the page learns it from the answer."""
    sid = phone(sandbox, DESK).sid
    answer = page.card(DESK).get_by_role("button", name="Answer")
    expect(answer).to_be_visible()

    def later(route: Route) -> None:
        sandbox.hang_up(sid)
        route.continue_()

    page.page.route("**/answer", later)
    answer.click()
    told = page.page.get_by_role("status").filter(has_text="Not possible")
    expect(told).to_contain_text("Not possible: the call is busy; it can be answered while it is ringing.")
    assert ["409"] == [number for text in page.trouble for number in re.findall(r"\b\d{3}\b", text)]
    page.trouble.clear()


# The tables


def test_the_tables_tell_of_requests_calls_callbacks_and_caller_ids(
    page: PhonePage, sandbox: Sandbox, clock: Clock
) -> None:
    called = phone(sandbox, SALES, "Sales", StatusCallback="http://127.0.0.1:9/hook")
    with pytest.raises(requests.HTTPError):
        phone(sandbox, "12", "Nobody")
    clock.now += 30
    record = sandbox.add_caller_id("+14155550199", "Desk")
    expect(page.rows("Validation requests")).to_have_count(2)
    refused, placed = page.rows("Validation requests").all()
    for text in ("12", "Nobody", "400 · 13224 · "):
        expect(refused).to_contain_text(text)
    for text in ("10:00:00", "+1 415-555-0103", "Sales", "200", called.sid):
        expect(placed).to_contain_text(text)
    for text in ("+1 415-555-0103", "Sales", "busy", "10:00:00", "10:00:30", "not verified"):
        expect(page.rows("Calls")).to_contain_text(text)
    for text in ("10:00:30", "POST http://127.0.0.1:9/hook", "failed", "Cannot connect"):
        expect(page.rows("Callbacks").first).to_contain_text(text)
    for text in ("+1 415-555-0199", "Desk", record.sid):
        expect(page.rows("Caller IDs")).to_contain_text(text)
    expect(page.page.get_by_role("columnheader", name="Account")).to_have_count(0)
    sandbox.fail("create", drop="before")
    with pytest.raises(requests.ConnectionError):
        phone(sandbox, DESK)
    expect(page.rows("Validation requests").first.get_by_role("cell", name="none", exact=True)).to_be_visible()
    sandbox.remove(record.sid)
    expect(page.page.get_by_text("No number is verified.")).to_be_visible()


def test_a_call_to_any_phone_can_be_taken_over_while_it_rings(page: PhonePage, sandbox: Sandbox) -> None:
    sid = phone(sandbox, SALES).sid
    page.rows("Calls").get_by_role("button", name="Answer").click()
    page.keyed(SALES).press_sequentially(call(sandbox, sid).validation_code)
    expect(page.card(SALES)).to_contain_text("Verified.")
    expect(page.rows("Calls").get_by_role("button")).to_have_count(0)


def test_a_call_that_waits_can_be_canceled(page: PhonePage, sandbox: Sandbox) -> None:
    sid = phone(sandbox, DESK, CallDelay="60").sid
    page.rows("Calls").get_by_role("button", name="Cancel").click()
    expect(page.rows("Calls")).to_contain_text("canceled")
    assert "canceled" == call(sandbox, sid).status


def test_the_account_is_told_where_there_are_several(browser: Browser) -> None:
    sandbox = Sandbox(phones={DESK: "manual"}, delays=Delays(0, 30, 30), subaccounts=[SUBACCOUNT])
    with sandbox, opened(browser, sandbox) as page:
        phone(sandbox, DESK)
        expect(page.card(DESK)).to_contain_text(f"Account{sandbox.account_sid}")
        calls = page.page.get_by_role("table", name="Calls")
        expect(calls.get_by_role("columnheader", name="Account")).to_be_visible()
        expect(calls.get_by_role("cell", name=sandbox.account_sid)).to_be_visible()


def test_an_empty_page_says_what_to_do_and_keeps_the_token(page: PhonePage, sandbox: Sandbox) -> None:
    lines = f"export TWILIO_ACCOUNT_SID={sandbox.account_sid}\nexport TWILIO_API_URL={sandbox.url}"
    expect(page.page.get_by_label("Variables that lead to this sandbox")).to_have_text(lines)
    for text in ("No call yet.", "Nobody has asked", "No number is verified.", "None was sent."):
        expect(page.page.get_by_text(text)).to_be_visible()
    assert sandbox.auth_token not in page.page.content()


def test_after_a_restart_it_says_since_when_requests_and_callbacks_are_counted(
    browser: Browser, clock: Clock, tmp_path: Path
) -> None:
    """The state file keeps calls, and no requests: two numbers that do not match would look like a fault."""
    options: dict[str, Any] = {"clock": clock, "delays": Delays(0, 0, 0), "state": tmp_path / "state.json"}
    with Sandbox(**options) as before:
        phone(before, DESK, StatusCallback="http://127.0.0.1:9/hook")
        with opened(browser, before) as page:
            expect(page.page.get_by_role("heading", name="Validation requests")).to_have_text("Validation requests 1")
    clock.now += 60
    with Sandbox(**options) as sandbox, opened(browser, sandbox) as page:
        expect(page.page.get_by_role("heading", name="Calls")).to_have_text("Calls 1")
        for name in ("Validation requests", "Callbacks"):
            heading = page.page.get_by_role("heading", name=name)
            expect(heading).to_have_text(f"{name} none since the sandbox started at 10:01:00")
        for text in ("Nobody has asked", "None was sent."):
            expect(page.page.get_by_text(text)).to_be_hidden()
        phone(sandbox, SUPPORT)
        heading = page.page.get_by_role("heading", name="Validation requests")
        expect(heading).to_have_text("Validation requests 1 since the sandbox started at 10:01:00")
        expect(page.page.get_by_role("heading", name="Calls")).to_have_text("Calls 2")
        expect(page.page.get_by_role("heading", name="Caller IDs")).to_have_text("Caller IDs 2")


# What it withstands


def test_names_are_text_whatever_is_in_them(page: PhonePage, sandbox: Sandbox) -> None:
    phone(sandbox, DESK, EVIL)
    sandbox.add_caller_id("+14155550199", EVIL)
    expect(page.card(DESK)).to_contain_text(EVIL)
    for table in ("Calls", "Validation requests", "Caller IDs"):
        expect(page.rows(table)).to_contain_text(EVIL)
    assert 0 == page.page.locator("img, tbody b, article b").count()


def test_no_code_is_anywhere_in_the_page(page: PhonePage, sandbox: Sandbox) -> None:
    phone(sandbox, DESK, "Front desk")
    page.press(DESK, "Answer")
    page.keyed(DESK).press_sequentially("000000")
    expect(page.card(DESK)).to_contain_text("2 tries left")
    assert CODE not in page.page.content()
    page.keyed(DESK).press_sequentially(CODE)
    expect(page.card(DESK)).to_contain_text("Verified.")
    assert CODE not in page.page.content()


def test_it_says_when_the_sandbox_is_away_and_goes_on_when_it_is_back(page: PhonePage, sandbox: Sandbox) -> None:
    phone(sandbox, DESK)
    page.press(DESK, "Answer")
    page.keyed(DESK).press_sequentially("481")
    sandbox.stop()
    away = page.page.get_by_role("alert").filter(has_text="does not answer")
    expect(away).to_contain_text(f"The sandbox at {sandbox.url} does not answer.")
    hang_up = page.card(DESK).get_by_role("button", name="Hang up")
    expect(hang_up).to_be_disabled()
    sandbox.start()
    expect(away).to_have_count(0)
    expect(hang_up).to_be_enabled()
    expect(page.page.get_by_text("live", exact=True)).to_be_visible()
    assert [] == [text for text in page.trouble if "ERR_CONNECTION_REFUSED" not in text and "ERR_EMPTY" not in text]
    page.trouble.clear()
    page.keyed(DESK).focus()
    page.page.keyboard.press("End")
    page.page.keyboard.type("592")
    expect(page.card(DESK)).to_contain_text("Verified.")


def test_while_the_sandbox_is_away_nothing_rings_and_no_button_asks_it_anything(
    page: PhonePage, sandbox: Sandbox
) -> None:
    """What needs no sandbox still works, and what is keyed in meanwhile is kept."""
    phone(sandbox, DESK)
    phone(sandbox, SUPPORT)
    phone(sandbox, SALES)
    page.press(DESK, "Answer")
    page.keyed(DESK).press_sequentially("481")
    expect(page.page).to_have_title("☎ +1 415-555-0102 rings - Twilio sandbox")
    sandbox.stop()
    expect(page.page).to_have_title("Twilio sandbox (away)")
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.method))
    buttons = page.page.get_by_role("main").get_by_role("button", disabled=True)
    assert {"Answer", "Decline", "Hang up", "1", "#"} <= set(buttons.all_text_contents())
    for button in buttons.all():
        button.click(force=True)
    page.keyed(DESK).press("End")
    page.page.keyboard.type("592")
    page.page.keyboard.press("Enter")
    page.press(SUPPORT, "Ignore")
    expect(page.card(SUPPORT)).to_contain_text("Rings, silenced")
    assert ("481592", []) == (page.keyed(DESK).input_value(), [method for method in asked if method == "POST"])
    assert [] == [text for text in page.page.get_by_text("ends in").all() if text.is_visible()]
    assert 0 == page.page.evaluate("document.getAnimations().length")
    page.trouble.clear()
    sandbox.start()
    expect(page.page).to_have_title("Twilio sandbox")
    page.keyed(DESK).press("Enter")
    expect(page.card(DESK)).to_contain_text("Verified.")
    page.trouble.clear()


def test_it_says_when_the_call_ends(page: PhonePage, sandbox: Sandbox, clock: Clock) -> None:
    """What the call has left, and not `pulumi up`: the sandbox can't know the resource's `custom_timeouts`."""
    sandbox.set_phone(DESK, {"behaviour": "manual", "rings": 300, "validation_code": CODE})
    phone(sandbox, DESK)
    left = page.card(DESK).get_by_text(re.compile(r"^ends in \d+:\d\d$"))
    expect(left).to_have_text("ends in 5:00")
    clock.now += 61
    expect(left).to_have_text("ends in 3:59")
    page.press(DESK, "Answer")
    clock.now += 234
    expect(left).to_have_text("ends in 0:05")
    page.keyed(DESK).press_sequentially(CODE)
    expect(left).to_have_count(0)


def test_two_cards_of_one_number_say_which_is_the_older(page: PhonePage, sandbox: Sandbox, clock: Clock) -> None:
    """As after ^C in the terminal, and another `pulumi up`: the code that is shown there is the newest call's."""
    phone(sandbox, DESK)
    phone(sandbox, SUPPORT)
    expect(page.card(DESK)).not_to_contain_text("call to this number")
    clock.now += 5
    phone(sandbox, DESK)
    articles = page.page.get_by_role("article")
    expect(articles).to_have_count(3)
    expect(articles.nth(0)).to_contain_text("Older call to this number, 10:00:00")
    expect(articles.nth(1)).not_to_contain_text("call to this number")
    expect(articles.nth(2)).to_contain_text("Newest call to this number, 10:00:05")
    older = page.page.get_by_role("article", name="Older call to +1 415-555-0101")
    before = height(older)
    older.get_by_role("button", name="Decline").click()
    expect(articles.nth(2)).to_contain_text("Older call to this number")  # below those that ring
    assert height(older) < before * 0.7
    older.get_by_role("button", name="Close").click()
    expect(page.card(DESK)).to_have_count(1)
    expect(page.card(DESK)).not_to_contain_text("call to this number")


def test_phones_that_ring_come_before_calls_that_are_over(page: PhonePage, sandbox: Sandbox) -> None:
    """And what has the focus is not moved: it would lose it."""
    phone(sandbox, DESK)
    page.press(DESK, "Answer")
    phone(sandbox, SUPPORT)
    articles = page.page.get_by_role("article")
    expect(articles).to_have_count(2)
    page.keyed(DESK).press_sequentially(CODE)
    expect(articles.nth(1)).to_contain_text("Verified.")
    expect(articles.nth(1)).to_be_focused()
    page.press(SUPPORT, "Decline")
    expect(articles.nth(0)).to_contain_text("Declined")
    sandbox.set_phone(SALES, "manual")
    phone(sandbox, SALES)
    expect(articles.nth(0)).to_contain_text("Incoming call")
    expect(articles).to_have_count(3)


def test_a_new_call_takes_the_place_of_those_to_its_number_that_are_over(page: PhonePage, sandbox: Sandbox) -> None:
    """As after `make destroy up`. The focus goes to the phone that rings."""
    phone(sandbox, DESK)
    page.press(DESK, "Answer")
    page.keyed(DESK).press_sequentially(CODE)
    expect(page.card(DESK)).to_contain_text("Verified.")
    sandbox.remove(sandbox.caller_ids[0].sid)
    phone(sandbox, DESK)
    expect(page.card(DESK)).to_contain_text("Incoming call")
    expect(page.page.get_by_role("article")).to_have_count(1)
    expect(page.card(DESK)).to_be_focused()


def test_it_asks_again_where_the_browser_would_not(page: PhonePage, sandbox: Sandbox) -> None:
    """As where something else has answered at the address for a while."""
    answers = [503, 503]

    def busy(route: Route) -> None:
        if answers:
            route.fulfill(status=answers.pop())
        else:
            route.continue_()

    page.page.route("**/sandbox/events", busy)
    page.page.reload()
    expect(page.page.get_by_text("away", exact=True)).to_be_visible()
    expect(page.page.get_by_text("live", exact=True)).to_be_visible()
    assert [] == answers
    page.trouble.clear()


def test_calls_that_the_sandbox_has_forgotten_ring_no_more(browser: Browser) -> None:
    """Another one runs at its address now."""
    port = free_port()
    with Sandbox(phones={DESK: "manual"}, delays=Delays(0, 0, 0), port=port) as first, opened(browser, first) as page:
        phone(first, DESK)
        expect(page.card(DESK)).to_be_visible()
        first.stop()
        with Sandbox(port=port):
            expect(page.card(DESK)).to_have_count(0)
            expect(page.page).to_have_title("Twilio sandbox")
        page.trouble.clear()


# For everybody


def show_everything(page: PhonePage, sandbox: Sandbox) -> None:
    """A call that rings, one that is answered, with a wrong code, and one that is verified; tables with long texts."""
    phone(sandbox, SALES, "W" * 64, StatusCallback=f"http://127.0.0.1:9/{'long' * 50}")
    sandbox.hang_up(sandbox.calls[-1].sid)
    phone(sandbox, DESK, "Front desk", Extension="12")
    page.press(DESK, "Answer")
    page.keyed(DESK).press_sequentially(CODE)
    expect(page.card(DESK)).to_contain_text("Verified.")
    phone(sandbox, SUPPORT, "W" * 64)
    page.press(SUPPORT, "Answer")
    page.keyed(SUPPORT).press_sequentially("000000")
    expect(page.card(SUPPORT)).to_contain_text("2 tries left")
    sandbox.set_phone("+493090182000", "manual")
    phone(sandbox, "+493090182000", "Berlin")
    expect(page.card("+493090182000")).to_be_visible()
    phone(sandbox, "+14155550104", "rings in the table")
    expect(page.rows("Calls").get_by_role("button", name="Decline")).to_be_visible()
    expect(page.rows("Callbacks").first).to_contain_text("Cannot connect")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_about(open_page: Open, sandbox: Sandbox, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    show_everything(page, sandbox)
    assert [] == page.violations()


def test_axe_finds_nothing_to_complain_about_in_an_empty_and_a_narrow_page(open_page: Open, sandbox: Sandbox) -> None:
    page = open_page(size=(360, 740))
    assert [] == page.violations(), "empty"
    phone(sandbox, DESK, "Front desk")
    phone(sandbox, SUPPORT, "Support")
    page.press(DESK, "Ignore")
    sandbox.hang_up(sandbox.calls[-1].sid)
    expect(page.card(SUPPORT)).to_contain_text("Declined")
    assert [] == page.violations(), "narrow"


def test_nothing_is_wider_than_the_window_and_everything_can_be_hit(open_page: Open, sandbox: Sandbox) -> None:
    page = open_page(size=(360, 740), has_touch=True)
    show_everything(page, sandbox)
    small = """() => [...document.querySelectorAll("button, label.toggle, article input")]
        .map((it) => [it.textContent, it.getBoundingClientRect()])
        .filter(([, box]) => box.width && (box.width < 44 || box.height < 44)).map(([text]) => text)"""
    for width in (360, 800, 1181, 1280):
        page.page.set_viewport_size({"width": width, "height": 740})
        assert width == page.page.evaluate("document.documentElement.scrollWidth")
        assert [] == page.page.evaluate(small)


def test_nothing_moves_for_those_who_do_not_want_it(open_page: Open, sandbox: Sandbox) -> None:
    moving = "document.getAnimations().length"
    phone(sandbox, DESK)
    for motion, expected in (("no-preference", 1), ("reduce", 0)):
        page = open_page(reduced_motion=motion)
        expect(page.card(DESK)).to_be_visible()
        assert expected == page.page.evaluate(moving)


SPEECH = """
window.said = [];
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
Object.defineProperty(window, "speechSynthesis", { value: { cancel() {}, speak: (it) => said.push(it.text) } });
"""


def test_the_prompt_is_read_aloud_where_that_is_wanted(open_page: Open, sandbox: Sandbox) -> None:
    page = open_page(script=SPEECH)
    aloud = page.page.get_by_label("Read the prompt aloud")
    expect(aloud).not_to_be_checked()
    phone(sandbox, DESK)
    page.press(DESK, "Answer")
    expect(page.keyed(DESK)).to_be_visible()
    assert [] == page.page.evaluate("said")
    aloud.check()
    phone(sandbox, SUPPORT)
    page.press(SUPPORT, "Answer")
    page.keyed(SUPPORT).press_sequentially("000000")
    expect(page.card(SUPPORT)).to_contain_text("2 tries left")
    prompt, wrong = page.page.evaluate("said")
    assert "key in the six digits" in prompt
    assert "That was not the code. 2 tries left." == wrong


def test_a_browser_that_cannot_speak_has_no_switch_for_it(open_page: Open) -> None:
    page = open_page(script="delete window.speechSynthesis; delete Window.prototype.speechSynthesis;")
    expect(page.page.get_by_label("Read the prompt aloud")).to_be_hidden()

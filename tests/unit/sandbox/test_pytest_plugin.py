"""The fixture `twilio_sandbox` in the tests of users: each test here runs pytest on tests like theirs."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent
from typing import get_args

import pytest
import requests  # noqa: F401  here too: each run forgets what it imported, and half of it would be loaded twice

from pulumi_twilio_caller_id.sandbox.access import FOREIGN_VARIABLES
from pulumi_twilio_caller_id.sandbox.faults import Endpoint
from pulumi_twilio_caller_id.testing import CallbackRecord, CallerId, PlacedCall, RequestRecord, Sandbox

pytest_plugins = ["pytester"]

# What their tests do: ask for a call as the environment says, by the library that the provider uses.
HEADER = """
import asyncio, os, threading
import pytest, requests
from pulumi_twilio_caller_id.testing import Delays, Sandbox

DESK, SUPPORT = "+14155550101", "+14155550102"

def place(number=DESK, **form):
    url, sid = os.environ["TWILIO_API_URL"], os.environ["TWILIO_ACCOUNT_SID"]
    return requests.post(
        f"{url}/2010-04-01/Accounts/{sid}/OutgoingCallerIds.json",
        data={"PhoneNumber": number, **form},
        auth=(sid, os.environ["TWILIO_AUTH_TOKEN"]),
        timeout=60,
    ).status_code
"""


class Run:
    """A run of pytest on one module: its outcomes, and what it printed."""

    def __init__(self, result: pytest.RunResult) -> None:
        self.outcomes = {name: count for name, count in result.parseoutcomes().items() if name != "warnings"}
        self.output = result.stdout.str() + result.stderr.str()

    @property
    def told(self) -> list[str]:
        """The lines of each section about the sandbox."""
        found = re.findall(r"^-+ Twilio sandbox -+\n(.*?)(?=^[-=_]{3}|\Z)", self.output, re.MULTILINE | re.DOTALL)
        return [section.rstrip("\n") for section in found]


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No options of the run around, and no plugin that is installed here: some take seconds."""
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


class Project:
    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        pytester.makeini("[pytest]\naddopts = --strict-markers -p no:cacheprovider")
        pytester.makeconftest('pytest_plugins = ["pulumi_twilio_caller_id.pytest_plugin"]')

    def run(self, tests: str, *args: str, subprocess: bool = False) -> Run:
        self.pytester.makepyfile(HEADER + dedent(tests))
        run = self.pytester.runpytest_subprocess if subprocess else self.pytester.runpytest_inprocess
        return Run(run(*args))


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    return Project(pytester)


# The fixture


def test_a_test_has_a_sandbox_that_the_environment_leads_to_and_whose_calls_are_over_at_once(project: Project) -> None:
    ran = project.run("""
        def test_it(twilio_sandbox):
            assert isinstance(twilio_sandbox, Sandbox)
            assert 200 == place()
            assert ["completed"] == [call.status for call in twilio_sandbox.calls]
            assert [DESK] == [record.phone_number for record in twilio_sandbox.caller_ids]
    """)
    assert {"passed": 1} == ran.outcomes, ran.output


def test_each_test_has_one_of_its_own_and_none_is_left_running(project: Project) -> None:
    ran = project.run("""
        from tests.support.machine import free_port

        seen = []

        @pytest.mark.twilio_sandbox(port=free_port())  # not one that another test may get once it is free
        @pytest.mark.parametrize("which", [1, 2])
        def test_it(twilio_sandbox, which):
            assert [] == twilio_sandbox.requests
            assert 200 == place()
            seen.append(twilio_sandbox)

        def test_after():
            assert 2 == len(set(seen))
            assert [] == [thread for thread in threading.enumerate() if thread.name == "twilio-sandbox"]
            for sandbox in seen:
                with pytest.raises(requests.ConnectionError):
                    requests.get(sandbox.url, timeout=60)
            assert [] == [name for name in os.environ if name.startswith("TWILIO_")]
    """)
    assert {"passed": 3} == ran.outcomes, ran.output
    assert [] == [thread for thread in threading.enumerate() if thread.name == "twilio-sandbox"]


def test_what_would_lead_to_the_real_twilio_is_out_of_the_way_and_back_afterwards(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = {
        "TWILIO_ACCOUNT_SID": "AC" + "f" * 32,
        "TWILIO_AUTH_TOKEN": "a real token",
        "TWILIO_API_KEY": "SK" + "f" * 32,
        "TWILIO_API_SECRET": "a real secret",
        "TWILIO_REGION": "ie1",
        "TWILIO_EDGE": "dublin",
        "TWILIO_API_URL": "https://api.twilio.com",
        "TWILIO_OF_THEIRS": "kept",
    }
    for name, value in real.items():
        monkeypatch.setenv(name, value)
    ran = project.run("""
        def test_it(twilio_sandbox, monkeypatch):
            here = {name: value for name, value in os.environ.items() if name.startswith("TWILIO_")}
            assert {**twilio_sandbox.environment, "TWILIO_OF_THEIRS": "kept"} == here
            monkeypatch.setenv("TWILIO_API_URL", "http://127.0.0.1:9")
            monkeypatch.undo()
            assert twilio_sandbox.url == os.environ["TWILIO_API_URL"]
    """)
    assert {"passed": 1} == ran.outcomes, ran.output
    assert real == {name: value for name, value in os.environ.items() if name.startswith("TWILIO_")}


@pytest.mark.parametrize(("given", "then"), [(None, "127.0.0.1"), ("example.com", "example.com,127.0.0.1"), ("*", "*")])
def test_a_proxy_is_not_asked_for_the_sandbox(
    project: Project, monkeypatch: pytest.MonkeyPatch, given: str | None, then: str
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    if given:
        monkeypatch.setenv("NO_PROXY", given)
    ran = project.run(f"""
        def test_it(twilio_sandbox):
            assert 200 == place()
            assert {then!r} == os.environ["no_proxy"] == os.environ["NO_PROXY"]
    """)
    assert {"passed": 1} == ran.outcomes, ran.output


def test_asynchronous_tests_can_use_it(project: Project) -> None:
    ran = project.run(
        """
        import unittest

        async def ask():
            return [await asyncio.to_thread(place, number) for number in (DESK, SUPPORT)]

        def test_in_a_loop_of_its_own(twilio_sandbox):
            assert [200, 200] == asyncio.run(ask())
            assert 2 == len(twilio_sandbox.calls)

        @pytest.mark.usefixtures("twilio_sandbox")
        class TestOfUnittest(unittest.IsolatedAsyncioTestCase):
            async def test_it(self):
                self.assertEqual([200, 200], await ask())
        """,
        subprocess=True,  # a loop that ends leaves its thread without one, which others here count on
    )
    assert {"passed": 2} == ran.outcomes, ran.output


def test_it_works_in_a_worker_of_xdist(project: Project) -> None:
    ran = project.run(
        """
        @pytest.mark.twilio_sandbox(phones={DESK: "busy"})
        @pytest.mark.parametrize("right", [True, False, True, False])
        def test_it(twilio_sandbox, right):
            assert 200 == place()
            assert right
        """,
        "-p",
        "xdist.plugin",
        "-n",
        "1",
        subprocess=True,
    )
    assert {"passed": 2, "failed": 2} == ran.outcomes, ran.output
    assert 2 == "\n".join(ran.told).count(f"  {'+14155550101'} busy")


# Its arguments


def test_the_nearest_marker_decides_on_an_argument_and_the_fixture_where_no_marker_has_it(project: Project) -> None:
    ran = project.run("""
        pytestmark = pytest.mark.twilio_sandbox(phones={DESK: "busy"}, numbers={SUPPORT: "of the module"})

        @pytest.fixture
        def twilio_sandbox_options():
            return {"numbers": {SUPPORT: "of the fixture"}, "subaccounts": {"AC" + "1" * 32: "token"}}

        def seen(sandbox):
            place()
            names = [record.friendly_name for record in sandbox.caller_ids if record.phone_number == SUPPORT]
            return [call.status for call in sandbox.calls], names, list(sandbox.subaccounts)

        def test_module(twilio_sandbox):
            assert (["busy"], ["of the module"], ["AC" + "1" * 32]) == seen(twilio_sandbox)

        @pytest.mark.twilio_sandbox(numbers={SUPPORT: "of the class"})
        class TestClass:
            def test_class(self, twilio_sandbox):
                assert (["busy"], ["of the class"], ["AC" + "1" * 32]) == seen(twilio_sandbox)

            @pytest.mark.twilio_sandbox(phones={DESK: "hangs-up"}, subaccounts=["AC" + "2" * 32])
            @pytest.mark.twilio_sandbox(phones={DESK: "no-answer"})
            def test_function(self, twilio_sandbox):
                assert (["no-answer"], ["of the class"], ["AC" + "2" * 32]) == seen(twilio_sandbox)
    """)
    assert {"passed": 3} == ran.outcomes, ran.output


def test_an_override_may_build_on_the_one_outside_and_on_other_fixtures(project: Project) -> None:
    project.pytester.makeconftest("""
        import pytest
        pytest_plugins = ["pulumi_twilio_caller_id.pytest_plugin"]

        @pytest.fixture
        def twilio_sandbox_options():
            return {"numbers": {"+14155550102": "Support"}}
    """)
    ran = project.run("""
        @pytest.fixture
        def now():
            return [1000.0]

        @pytest.fixture
        def twilio_sandbox_options(twilio_sandbox_options, now):
            return {**twilio_sandbox_options, "clock": lambda: now[0], "delays": Delays(queued=5)}

        def test_it(twilio_sandbox, now):
            assert ["Support"] == [record.friendly_name for record in twilio_sandbox.caller_ids]
            place()
            assert ["queued"] == [call.status for call in twilio_sandbox.calls]
            now[0] += 5
            assert ["ringing"] == [call.status for call in twilio_sandbox.calls]
    """)
    assert {"passed": 1} == ran.outcomes, ran.output


def test_a_marked_test_has_the_sandbox_even_if_it_does_not_name_the_fixture(project: Project) -> None:
    ran = project.run("""
        @pytest.mark.twilio_sandbox(numbers={DESK: "Desk"})
        def test_marked():
            assert 400 == place()

        def test_not_marked():
            assert "TWILIO_API_URL" not in os.environ
    """)
    assert {"passed": 2} == ran.outcomes, ran.output


def marked(arguments: str) -> str:
    return f"@pytest.mark.twilio_sandbox({arguments})\ndef test_it(twilio_sandbox):\n    pass\n"


def with_options(given: str) -> str:
    fixture = f"@pytest.fixture\ndef twilio_sandbox_options():\n    return {given}\n"
    return f"{fixture}\ndef test_it(twilio_sandbox):\n    pass\n"


def complaint(ran: Run) -> str:
    """What is said of the one test, which did not come about."""
    assert {"errors": 1} == ran.outcomes, ran.output
    [block] = re.findall(r"ERROR at setup of test_it _+\n(.*?)\n=", ran.output, re.DOTALL)
    return str(block)


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        (marked('phone={DESK: "busy"}'), "the marker twilio_sandbox: Sandbox has no argument 'phone', it has call"),
        (
            marked('{DESK: "busy"}'),
            "the marker twilio_sandbox takes arguments by name alone, as in phones=..., not {'+14155550101': 'busy'}",
        ),
        (
            marked('phones={DESK: "bussy"}'),
            "Sandbox cannot be started: phones: +14155550101: behaviour 'bussy' is not one of keys-code, wrong-code, ",
        ),
        (
            marked("phones=[DESK]"),
            "Sandbox cannot be started: phones must be a mapping of phone number to behaviour, not ['+14155550101']",
        ),
        (marked('state="none/state.json"'), "Sandbox cannot be started: none/state.json: there is no folder "),
        (
            with_options('{"phone": {}}'),
            "the fixture twilio_sandbox_options: Sandbox has no argument 'phone', it has call",
        ),
        (
            with_options('["phones"]'),
            "the fixture twilio_sandbox_options gives a dict of Sandbox's arguments, not ['phones']",
        ),
    ],
)
def test_arguments_that_make_no_sense_are_one_message_and_no_traceback(
    project: Project, tests: str, message: str
) -> None:
    said = complaint(project.run(tests))
    assert [message] == [said[: len(message)]]
    assert 1 == len(said.splitlines()), said


def test_a_port_that_is_taken_is_told(project: Project) -> None:
    with Sandbox() as other:
        port = other.url.rpartition(":")[2]
        said = complaint(project.run(marked(f"port={port}")))
    assert re.fullmatch(rf"Sandbox cannot be started: .*Address already in use.*'127\.0\.0\.1', {port}.*", said), said


# The report


def test_the_report_of_a_test_that_fails_tells_what_happened(project: Project) -> None:
    ran = project.run("""
        @pytest.mark.twilio_sandbox(phones={SUPPORT: "busy"}, numbers={"+14155550199": "Old \\x1b[2J"})
        def test_fails(twilio_sandbox):
            place(FriendlyName="Front desk")
            place(SUPPORT)
            place("nonsense")
            twilio_sandbox.fail("list", drop="before", times=1)
            with pytest.raises(requests.ConnectionError):
                requests.get(f"{twilio_sandbox.url}/2010-04-01/Accounts/{twilio_sandbox.account_sid}"
                             "/OutgoingCallerIds.json", params={"PhoneNumber": DESK}, timeout=60)
            assert False

        def test_passes(twilio_sandbox):
            place()

        def test_fails_without():
            assert False
    """)
    assert {"passed": 1, "failed": 2} == ran.outcomes, ran.output
    [section] = ran.told
    path = re.escape(f"/2010-04-01/Accounts/{Sandbox().account_sid}/OutgoingCallerIds.json")
    sid = "PN[0-9a-f]{32}"
    assert re.fullmatch(
        rf"""requests \(4\):
  POST {path} 200
  POST {path} 200
  POST {path} 400
  GET {path}\?PhoneNumber=%2B14155550101 no answer
calls \(2\):
  \+14155550101 completed
  \+14155550102 busy
callbacks \(0\)
caller IDs \(2\):
  \+14155550199 'Old \\x1b\[2J' {sid}
  \+14155550101 'Front desk' {sid}""",
        section,
    ), section


def test_callbacks_are_in_the_report_but_nothing_that_is_secret(project: Project) -> None:
    ran = project.run("""
        from http.server import BaseHTTPRequestHandler, HTTPServer
        from tests.support.machine import free_port

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(204)
                self.end_headers()
            def log_message(self, *args):
                pass

        @pytest.mark.twilio_sandbox(
            phones={number: {"validation_code": "314159"} for number in (DESK, SUPPORT)},
            subaccounts={"AC" + "1" * 32: "token-of-the-subaccount"},
        )
        def test_it(twilio_sandbox):
            hook = HTTPServer(("127.0.0.1", 0), Hook)
            threading.Thread(target=hook.handle_request, daemon=True).start()
            there = f"127.0.0.1:{hook.server_port}"
            place(StatusCallback=f"http://{there}/hook/{twilio_sandbox.auth_token}?key=key-of-theirs")
            place(SUPPORT, StatusCallback=f"http://127.0.0.1:{free_port()}/gone")
            requests.get(f"{twilio_sandbox.url}/{twilio_sandbox.api_secret}/token-of-the-subaccount", timeout=60)
            for _ in range(6000):
                ended = [record for record in twilio_sandbox.callbacks if record.status or record.error]
                if 2 == len({record.call_sid for record in ended}):
                    break
                threading.Event().wait(0.01)
            hook.server_close()
            raise AssertionError
    """)
    assert {"failed": 1} == ran.outcomes, ran.output
    [section] = ran.told
    assert re.search(r"^  POST http://127\.0\.0\.1:\d+/hook/\[secret\] 204$", section, re.MULTILINE), section
    assert re.search(r"^  POST http://127\.0\.0\.1:\d+/gone Cannot connect to host ", section, re.MULTILINE), section
    assert "  GET /[secret]/[secret] 404" in section.splitlines()
    secrets = (Sandbox().auth_token, Sandbox().api_secret, "314159", "key-of-theirs", "token-of-the-subaccount")
    assert [] == [secret for secret in secrets if secret in section]


def test_of_many_requests_the_report_has_the_last(project: Project) -> None:
    ran = project.run("""
        def test_it(twilio_sandbox):
            for number in range(45):
                requests.get(f"{twilio_sandbox.url}/{number}", timeout=60)
            assert False
    """)
    [section] = ran.told
    assert ["requests (45, the last 40):", "  GET /5 404"] == section.splitlines()[:2]
    assert "  GET /44 404\ncalls (0)" in section


def test_so_has_that_of_a_test_that_fails_before_it_begins_or_after_its_end(project: Project) -> None:
    ran = project.run("""
        @pytest.fixture
        def trouble_before(twilio_sandbox):
            place()
            assert False

        @pytest.fixture
        def trouble_after(twilio_sandbox):
            yield
            place(SUPPORT)
            assert False

        def test_before(trouble_before):
            pass

        def test_after(trouble_after):
            pass
    """)
    assert {"passed": 1, "errors": 2} == ran.outcomes, ran.output
    assert [["  +14155550101 completed"], ["  +14155550102 completed"]] == [
        [line for line in section.splitlines() if line.endswith(" completed")] for section in ran.told
    ]


def test_a_sandbox_that_cannot_be_read_any_more_does_not_end_the_run(project: Project) -> None:
    ran = project.run("""
        @pytest.fixture
        def twilio_sandbox_options():
            def clock():
                if trouble:
                    raise OSError("no clock")
                return 1000.0
            trouble = []
            yield {"clock": clock}
            trouble.append(1)

        @pytest.fixture
        def fails_after(twilio_sandbox_options):
            yield
            twilio_sandbox_options["clock"].__closure__[0].cell_contents.append(1)
            assert False

        def test_it(twilio_sandbox, fails_after):
            pass

        def test_another():
            pass
    """)
    assert {"passed": 2, "errors": 1} == ran.outcomes, ran.output
    assert ["cannot be read: no clock"] == ran.told


# Nobody gets it unasked


def test_without_asking_for_it_there_is_no_fixture(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(twilio_sandbox):\n    pass\n")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(["*fixture 'twilio_sandbox' not found"])


def test_it_can_be_asked_for_on_the_command_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(twilio_sandbox):\n    pass\n")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "pulumi_twilio_caller_id.pytest_plugin")
    assert {"passed": 1} == result.parseoutcomes()


def test_nothing_else_of_the_package_imports_pytest(tmp_path: Path) -> None:
    """As where it is not installed."""
    (tmp_path / "pytest.py").write_text("raise ImportError('there is no pytest')")
    program = """
        import importlib, pkgutil
        import pulumi_twilio_caller_id as package

        missing = []
        for module in pkgutil.walk_packages(package.__path__, "pulumi_twilio_caller_id."):
            if not module.name.endswith("__main__"):
                try:
                    importlib.import_module(module.name)
                except ImportError as failed:
                    missing.append(module.name)
        print(missing)
    """
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", dedent(program)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "['pulumi_twilio_caller_id.pytest_plugin']" == done.stdout.strip()


# The page about it

PAGE = (Path(__file__).parents[3] / "docs" / "testing.md").read_text(encoding="utf-8")


def table(head: str) -> dict[str, str]:
    """A table of the page: first cell -> second."""
    rows = PAGE.split(f"\n{head}\n", 1)[1].split("\n\n", 1)[0]
    return dict(re.findall(r"^\| (`[^|]+) \| (.+) \|$", rows, re.MULTILINE))


def names(text: str) -> list[str]:
    return re.findall(r"`(?:sandbox\.)?(\w+)`", text)


def test_the_page_has_the_fixtures_and_the_marker(project: Project) -> None:
    fixtures = re.findall(r"^(twilio_\w+)", project.run("", "--fixtures").output, re.MULTILINE)
    described = project.pytester.runpytest_inprocess("--markers").stdout.str()
    markers = re.findall(r"^@pytest\.mark\.(twilio_\w+)\(", described, re.MULTILINE)
    assert (["twilio_sandbox", "twilio_sandbox_options"], ["twilio_sandbox"]) == (sorted(fixtures), markers)
    assert [] == [name for name in [*fixtures, *(f"marker `{name}" for name in markers)] if f"{name}`" not in PAGE]


def test_the_page_has_every_argument_of_a_sandbox() -> None:
    named = [name for cell in table("| argument | what |") for name in names(cell)]
    assert sorted(inspect.signature(Sandbox).parameters) == sorted(named)


def test_the_page_has_what_a_sandbox_tells_and_does() -> None:
    records = {"calls": PlacedCall, "caller_ids": CallerId, "requests": RequestRecord, "callbacks": CallbackRecord}
    told = {names(cell)[0]: names(each.partition(":")[0]) for cell, each in table("| | each has |").items()}
    assert records.keys() == told.keys()
    known = {kind: set(inspect.get_annotations(record)) | set(get_args(Endpoint)) for kind, record in records.items()}
    assert {kind: set() for kind in told} == {kind: set(fields) - known[kind] for kind, fields in told.items()}
    public = {name for name in dir(Sandbox) if not name.startswith("_")}
    assert set() == {name for name in public if not re.search(rf"(`|sandbox\.){name}\b", PAGE)}


def test_the_page_has_every_variable_that_is_set_or_taken_away() -> None:
    assert [] == [name for name in (*Sandbox().environment, *FOREIGN_VARIABLES) if f"`{name}`" not in PAGE]

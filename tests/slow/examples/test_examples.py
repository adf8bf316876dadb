"""The projects in `examples/`, each run as its README says, and what it promises looked at on both ends."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from twilio.request_validator import RequestValidator

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.examples import change, copy
from tests.support.harness import Running, Stack
from tests.support.machine import ROOT, free_port
from tests.support.stored import occurrences
from tests.support.waiting import PATIENCE

QUICK = Delays(queued=0, rings=0.1, talks=0.1)
DESK, SUPPORT, BERLIN = "+14155550101", "+14155550102", "+493090182000"


@pytest.fixture
def make_example(stack: Stack) -> Callable[..., Stack]:
    """Makes a stack of the sandbox's account an example's: with its program and a stack `test`, unless named."""

    def make(example: str, name: str = "test") -> Stack:
        copy(example, stack)
        stack.pulumi("stack", "init", name)
        return stack

    return make


def verified(sandbox: Sandbox) -> dict[str, str]:
    """What is verified at Twilio: number -> friendly name."""
    return {record.phone_number: record.friendly_name for record in sandbox.caller_ids}


def sandbox_commands(readme: Path) -> str:
    [commands] = re.findall(
        r"^Against (?:the|a) sandbox.*:\n\n```\n([^`]*)```", readme.read_text(encoding="utf-8"), re.MULTILINE
    )
    return str(commands)


@pytest.mark.parametrize(("example", "calls"), [("other-resources", 1), ("two-accounts", 3), ("automation-api", 2)])
def test_the_commands_of_the_readme(example: str, calls: int, make_stack: Callable[..., Stack]) -> None:
    """Those for the sandbox, which they start themselves; its people are quicker here."""
    stack = make_stack()
    copy(example, stack)
    commands = sandbox_commands(stack.project / "README.md")
    commands = commands.replace("sandbox --state", "sandbox --queued 0 --rings 0.1 --talks 0.1 --state")
    if example == "two-accounts":
        quick = "subaccounts=ACCOUNTS, delays=Delays(0, 0.1, 0.1)"
        change(stack.project / "sandbox.py", "subaccounts=ACCOUNTS", quick)
        change(stack.project / "sandbox.py", "import Sandbox", "import Delays, Sandbox")

    done = stack.run("sh", "-ec", commands)
    assert 0 == done.code, done.output
    account = json.loads((stack.project / "sandbox.json").read_text())
    assert (0, calls) == (len(account["caller_ids"]), len(account["calls"]))


def test_the_component_is_run_by_the_same_commands() -> None:
    ran = sandbox_commands(ROOT / "examples" / "other-resources" / "README.md").splitlines()
    assert [line for line in ran if not line.startswith("cat ")] == sandbox_commands(
        ROOT / "examples" / "component" / "README.md"
    ).splitlines()


def test_other_resources(make_example: Callable[..., Stack], sandbox: Sandbox) -> None:
    """The number is not known at preview. The softphone waits for the code, and follows another number."""
    stack = make_example("other-resources")
    settings = stack.project / "softphone.json"
    assert {"line": "create", "front-desk": "create", "softphone": "create"} == stack.planned()
    assert [] == sandbox.requests

    stack.up()
    [record] = sandbox.caller_ids
    assert (DESK, "Front desk") == (record.phone_number, record.friendly_name)
    assert {"caller_id": DESK, "sid": record.sid, "softphone": "softphone.json"} == stack.outputs()
    assert {"caller_id": DESK, "caller_id_sid": record.sid} == json.loads(settings.read_text())

    stack.destroy()
    assert ({}, False) == (verified(sandbox), settings.exists())


def test_two_accounts(make_stack: Callable[..., Stack]) -> None:
    """Each number is in its account, each account opened by what the README says."""
    eu, lab, token = "AC" + "1" * 32, "AC" + "2" * 32, "eu-token-canary"
    with Sandbox(delays=QUICK, subaccounts={eu: token, lab: "never-used"}) as sandbox:
        stack = make_stack(environment=sandbox.environment)
        copy("two-accounts", stack)
        stack.pulumi("stack", "init", "test")
        stack.pulumi("config", "set", "euAccountSid", eu)
        stack.pulumi("config", "set", "--secret", "euAuthToken", token)
        stack.pulumi("config", "set", "labAccountSid", lab)
        assert {"eu": "create", "front-desk": "create", "berlin": "create", "lab": "create"} == stack.planned()
        stack.up()

        main = sandbox.account_sid
        accounts = {record.phone_number: record.account_sid for record in sandbox.caller_ids}
        assert {DESK: main, BERLIN: eu, SUPPORT: lab} == accounts
        sids = {record.phone_number: record.sid for record in sandbox.caller_ids}
        assert {
            "front-desk": {"account": main, "sid": sids[DESK]},
            "berlin": {"account": eu, "sid": sids[BERLIN]},
            "lab": {"account": lab, "sid": sids[SUPPORT]},
        } == stack.outputs()
        asked = {r.path.split("/")[3]: r.username for r in sandbox.requests if r.endpoint == "create"}
        assert {main: main, eu: eu, lab: main} == asked
        assert [] == occurrences(token, stack)

        stack.destroy()
        assert {} == verified(sandbox)


def test_an_office_that_is_renamed_keeps_its_numbers(make_example: Callable[..., Stack], sandbox: Sandbox) -> None:
    stack = make_example("component")
    program = stack.project / "__main__.py"
    change(program, '    "san-francisco",\n', '    "office",\n')
    stack.up()
    before = stack.outputs()
    sids = {record.phone_number: record.sid for record in sandbox.caller_ids}
    assert {
        "san-francisco": {"front desk": sids[DESK], "support": sids[SUPPORT]},
        "berlin": {"front desk": sids[BERLIN]},
    } == before

    change(program, '    "office",\n', '    "san-francisco",\n')
    assert {} == stack.planned()
    stack.up()
    assert before == stack.outputs()
    assert {"san-francisco-front-desk", "san-francisco-support", "berlin-front-desk"} == set(stack.resources())
    assert 3 == len(sandbox.calls)
    assert {
        DESK: "San Francisco: front desk",
        SUPPORT: "San Francisco: support",
        BERLIN: "Berlin: front desk",
    } == verified(sandbox)


def test_an_offices_options_hold_for_its_numbers(make_example: Callable[..., Stack], sandbox: Sandbox) -> None:
    stack = make_example("component", "production")
    stack.up()
    numbers = stack.resources()
    protected = {name for name, number in numbers.items() if number.get("protect")}
    assert {"san-francisco-front-desk", "san-francisco-support"} == protected
    assert {"berlin-front-desk"} == {name for name, number in numbers.items() if "germany" in number["provider"]}

    assert 'san-francisco-support" cannot be deleted' in stack.destroy(ok=False).output
    assert {DESK, SUPPORT} <= set(verified(sandbox))
    stack.pulumi("state", "unprotect", "--all", "--yes")
    stack.destroy()
    assert {} == verified(sandbox)


VARIES = re.compile(r" after \d+ s\b|\b(?:\d{6}|\d+(?:\.\d+)?s|(?:CA|PN)[0-9a-f]{32})\b")
"""What differs between two runs: codes, seconds and sids. A message leaves out less than one second."""

PLACEHOLDER = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def shown(output: str) -> set[str]:
    return {VARIES.sub("", line.rstrip()) for line in output.splitlines()}


def test_awaiting(make_stack: Callable[..., Stack]) -> None:
    """Each command of the README prints the lines that are there, and ends with the exit code that is there."""
    stack = make_stack()
    copy("awaiting", stack)
    readme = (stack.project / "README.md").read_text(encoding="utf-8")
    sessions = re.findall(r"^```\n(\$ .*?)^```$", readme, re.MULTILINE | re.DOTALL)
    runs = [run.partition("\n") for session in sessions for run in session[2:].split("\n$ ")]
    numbers, states = [], []
    code: int | None = None
    for command, _, lines in runs:
        if command == "echo $?":
            assert int(lines) == code
            continue
        quick = command.replace("sandbox --state", "sandbox --queued 0 --rings 0.1 --talks 0.1 --state")
        done = stack.run(*shlex.split(quick))
        code = done.code
        assert set() == shown(lines) - shown(done.output), done.output
        if "pulumi up" in command:
            numbers.append(len(json.loads((stack.project / "sandbox.json").read_text())["caller_ids"]))
            state = json.loads(stack.pulumi("stack", "export").stdout)["deployment"]["resources"]
            states.append(
                {it["urn"].rpartition("::")[2] for it in state} & {"front-desk", "softphone", "opening-hours"}
            )
            if code == 10:
                assert PLACEHOLDER in readme
                assert PLACEHOLDER == stack.pulumi("stack", "output", "sid").stdout.strip()

    assert [0, 1] == numbers
    assert [{"opening-hours"}, {"front-desk", "softphone", "opening-hours"}] == states
    assert 0 == code
    assert 2 == len(json.loads((stack.project / "sandbox.json").read_text())["calls"])


class Script:
    """A run of the Automation API's example; its lines, and those of Pulumi."""

    def __init__(self, stack: Stack, command: str) -> None:
        self._lines, self._pulumi = stack.folder / "lines", stack.folder / "pulumi"
        with self._lines.open("w") as lines, self._pulumi.open("w") as pulumi:
            process = subprocess.Popen(
                [sys.executable, "verify.py", command],
                cwd=stack.project,
                env=stack.variables(),
                stdin=subprocess.DEVNULL,
                stdout=lines,
                stderr=pulumi,
                start_new_session=True,
            )
        self.running = Running(process, self._lines)

    def ends(self) -> int:
        try:
            self.running.until(self.running.ended)
        finally:
            self.running.kill()
        return self.running.process.wait()

    @property
    def lines(self) -> list[str]:
        return self._lines.read_text().splitlines()

    @property
    def pulumi(self) -> str:
        return self._pulumi.read_text()


def test_automation_api(make_stack: Callable[..., Stack]) -> None:
    """The code is told while the phone rings: this test has it from nowhere else. Who was busy is called again."""
    with Sandbox(delays=QUICK, phones={DESK: "manual", SUPPORT: "busy"}) as sandbox:
        stack = make_stack(environment=sandbox.environment)
        copy("automation-api", stack)
        change(stack.project / "verify.py", "PAUSE = 60.0", "PAUSE = 0.1")
        script = Script(stack, "up")
        try:
            script.running.until(lambda: 3 == len(script.lines))
            told = dict(re.findall(r"^(\S+): enter (\d{6}) on ", "\n".join(script.lines), re.MULTILINE))
            desk, support = sorted(sandbox.calls, key=lambda call: call.to)
            assert {"front-desk": desk.validation_code, "support": support.validation_code} == told
            script.running.until(lambda: "busy" in [call.status for call in sandbox.calls])
            sandbox.set_phone(SUPPORT, "keys-code")
            assert sandbox.key_in(desk.sid, told["front-desk"])
        finally:
            code = script.ends()

        sids = {record.phone_number: record.sid for record in sandbox.caller_ids}
        again = sandbox.calls[2]
        assert (0, SUPPORT, 3) == (code, again.to, len(sandbox.calls)), script.pulumi
        assert 'preview: {"create": 3}' == script.lines[0]
        assert [
            "calling again in 0.1 s: support",
            f"support: enter {again.validation_code} on +1 415-555-0102",
            f"sids: {json.dumps({'front-desk': sids[DESK], 'support': sids[SUPPORT]})}",
        ] == script.lines[3:]

        destroyed = Script(stack, "destroy")
        assert (0, ['{"delete": 3}']) == (destroyed.ends(), destroyed.lines), destroyed.pulumi
        assert {} == verified(sandbox)


def test_automation_api_where_nobody_ever_answers(make_stack: Callable[..., Stack]) -> None:
    """The script ends as Pulumi does, with 10. The other number is verified by the first call."""
    with Sandbox(delays=QUICK, phones={SUPPORT: "no-answer"}) as sandbox:
        stack = make_stack(environment=sandbox.environment)
        copy("automation-api", stack)
        change(stack.project / "verify.py", "PAUSE = 60.0", "PAUSE = 0.1")
        script = Script(stack, "up")
        assert 10 == script.ends(), script.pulumi
        assert ["calling again in 0.1 s: support"] * 2 == [line for line in script.lines if "again" in line]
        assert "awaiting: +1 415-555-0102 was not verified: nobody answered" in script.pulumi
        assert [DESK, SUPPORT, SUPPORT, SUPPORT] == sorted(call.to for call in sandbox.calls)
        assert [DESK] == list(verified(sandbox))


def test_automation_api_where_calling_again_is_no_use(make_stack: Callable[..., Stack]) -> None:
    """A failure counts more than a number that awaits: nobody is called again."""
    with Sandbox(delays=QUICK, phones={DESK: "busy", SUPPORT: "refused"}) as sandbox:
        stack = make_stack(environment=sandbox.environment)
        copy("automation-api", stack)
        script = Script(stack, "up")
        assert 1 == script.ends()
        assert [] == [line for line in script.lines if "again" in line]
        message = script.pulumi.rpartition("\nerror: ")[2]
        assert "Twilio refused to" in message
        assert "+1 415-555-0101 was not verified: the line was busy" in message
        assert [DESK] == [call.to for call in sandbox.calls]


URL = "https://phone.example.com/"
TOKEN = "phone-token-canary"
VERIFIER = "+14157234000"


class SelfAnswering:
    """The example's phone, and what its account's Twilio does when the number is called."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.calls, self.codes = (f"127.0.0.1:{free_port()}" for _ in range(2))
        addresses = ("--calls", self.calls, "--codes", self.codes)
        errors = folder / "phone.stderr"
        with errors.open("w") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "phone.py", DESK, URL, *addresses, "--seconds", str(seconds)],
                cwd=ROOT / "examples" / "self-answering",
                env={"PHONE_AUTH_TOKEN": TOKEN, "PYTHONDONTWRITEBYTECODE": "1"},
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        assert self._process.stdout is not None
        assert f"{DESK} answers: " in self._process.stdout.readline(), errors.read_text()

    def stop(self) -> int:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.communicate(timeout=PATIENCE)
        finally:
            self._process.kill()
        return self._process.returncode

    def told(self, title: str) -> None:
        self._post(self.codes, json.dumps({"title": title}).encode(), {"Content-Type": "application/json"})

    def called(self, *, caller: str = VERIFIER, number: str = DESK, token: str = TOKEN) -> list[tuple[str, str | None]]:
        """What it does on a call: verb and digits of each step. Raises HTTPError where it refuses to say."""
        form = {"From": caller, "To": number, "CallSid": "CA" + "0" * 32}
        signature = RequestValidator(token).compute_signature(URL, form)
        twiml = self._post(self.calls, urlencode(form).encode(), {"X-Twilio-Signature": signature})
        return [(step.tag, step.get("digits")) for step in ElementTree.fromstring(twiml)]  # noqa: S314  our own

    def _post(self, address: str, body: bytes, headers: Mapping[str, str]) -> str:
        request = urllib.request.Request(f"http://{address}/", body, dict(headers))
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  http
            text: str = answer.read().decode()
        return text


@pytest.fixture
def make_phone(tmp_path: Path) -> Iterator[Callable[..., SelfAnswering]]:
    made: list[SelfAnswering] = []

    def make(seconds: float) -> SelfAnswering:
        made.append(SelfAnswering(tmp_path, seconds))
        return made[-1]

    yield make
    assert [0] * len(made) == [phone.stop() for phone in made]


KEYED = [("Pause", None), ("Play", "483920"), ("Pause", None)]
REJECTED = [("Reject", None)]


def test_self_answering(
    make_example: Callable[..., Stack], sandbox: Sandbox, make_phone: Callable[..., SelfAnswering]
) -> None:
    """The code goes from `up` to the phone, and from there, by TwiML, into Twilio's call."""
    sandbox.set_phone(DESK, "manual")
    phone = make_phone(seconds=30)
    stack = make_example("self-answering")
    stack.pulumi("config", "set", "codes", f"json://{phone.codes}/")
    assert {"answered": "create", "self-answering": "create"} == stack.planned()

    up = stack.start("up", "--yes", "--skip-preview")
    try:
        up.until(lambda: ["ringing"] == [call.status for call in sandbox.calls])
        [call] = sandbox.calls
        [(_, digits)] = [step for step in phone.called() if step[0] == "Play"]
        assert call.validation_code == digits
        assert sandbox.key_in(call.sid, digits)
        up.until(up.ended)
    finally:
        up.kill()
    assert 0 == up.process.returncode, up.output

    [record] = sandbox.caller_ids
    assert {"sid": record.sid} == stack.outputs()
    assert {DESK: "Answers by itself"} == verified(sandbox)
    stack.destroy()
    assert {} == verified(sandbox)


def test_a_phone_gives_its_code_once_and_to_nobody_else(make_phone: Callable[..., SelfAnswering]) -> None:
    phone = make_phone(seconds=0.1)
    assert REJECTED == phone.called()

    phone.told("483920: enter on +1 415-555-0101")
    assert REJECTED == phone.called(caller="+14155550199")
    assert REJECTED == phone.called(number=SUPPORT)
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        phone.called(token="another")
    assert b"483920" not in refused.value.read()
    refused.value.close()
    assert KEYED == phone.called()
    assert REJECTED == phone.called()


@pytest.mark.parametrize(
    ("titles", "expected"),
    [
        pytest.param(["111111: enter on +1 415-555-0101", "483920: enter on +1 415-555-0101"], KEYED, id="newer"),
        pytest.param(["483920: enter on +1 415-555-0101", "222222: enter on +1 415-555-0102"], KEYED, id="another's"),
        pytest.param(["483920: enter on +1 415-555-0101", "+1 415-555-0102 is verified"], KEYED, id="another's end"),
        pytest.param(["483920: enter on +1 415-555-0101", "+1 415-555-0101 is verified"], REJECTED, id="verified"),
        pytest.param(
            ["483920: enter on +1 415-555-0101", "+1 415-555-0101 was not verified"], REJECTED, id="not verified"
        ),
    ],
)
def test_a_phone_knows_the_code_that_is_waited_for(
    titles: list[str], expected: list[tuple[str, str | None]], make_phone: Callable[..., SelfAnswering]
) -> None:
    phone = make_phone(seconds=0.1)
    for title in titles:
        phone.told(title)
    assert expected == phone.called()

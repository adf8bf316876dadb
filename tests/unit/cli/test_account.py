"""Whose caller IDs a command is about: the config of a stack, as `pulumi` tells it, then the environment."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pulumi_twilio_caller_id.cli import main
from pulumi_twilio_caller_id.testing import Sandbox

NAME = "pulumi-twilio-caller-id: "

Pulumi = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, the working directory."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: shop\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pulumi:
    """Puts a `pulumi` on PATH that prints what is given, and notes its arguments in the file that it gives."""

    def install(stdout: str = "", stderr: str = "", status: int = 0) -> Path:
        bin_, arguments = tmp_path / "bin", tmp_path / "arguments"
        bin_.mkdir(exist_ok=True)
        script = bin_ / "pulumi"
        script.write_text(
            f"#!{sys.executable}\nimport sys\nopen({str(arguments)!r}, 'w').write(' '.join(sys.argv[1:]))\n"
            f"sys.stdout.write({stdout!r})\nsys.stderr.write({stderr!r})\nsys.exit({status})\n"
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(bin_))
        return arguments

    return install


def config_of(sandbox: Sandbox) -> str:
    values = {
        "twilio:accountSid": {"value": sandbox.account_sid, "secret": False},
        "twilio:apiUrl": {"value": sandbox.url, "secret": False},
        "twilio:authToken": {"value": sandbox.auth_token, "secret": True},
        "twilio:defaultRegion": {"value": "DE", "secret": False},
        "shop:broken": {"secret": False},
    }
    return json.dumps(values)


def setenv(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_the_selected_stack_in_a_project(
    project: Path, pulumi: Pulumi, sandbox: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its config comes before the environment, from a folder of the project too."""
    arguments = pulumi(config_of(sandbox))
    setenv(monkeypatch, {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "0" * 32})
    (project / "deeper").mkdir()
    monkeypatch.chdir(project / "deeper")
    assert 0 == main(["list", "--json"])
    assert "config --json --show-secrets --non-interactive" == arguments.read_text()
    assert [sandbox.account_sid] == [record["account_sid"] for record in json.loads(capsys.readouterr().out)]


def test_a_stack_by_name(project: Path, pulumi: Pulumi, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """It is in the command to run next, too."""
    arguments = pulumi(config_of(sandbox))
    assert 0 == main(["import-file", "--all", "--stack", "acme/prod"])
    assert "config --json --show-secrets --non-interactive --stack acme/prod" == arguments.read_text()
    assert "--generate-code=false --stack acme/prod\n" in capsys.readouterr().err
    assert 0 == main(["import-file", "--all", "--config", "more.yaml", "--stack", "acme/prod"])
    assert "the text of more.yaml goes into Pulumi.prod.yaml.\n" in capsys.readouterr().err


def test_numbers_are_read_in_the_stacks_region(project: Path, pulumi: Pulumi, sandbox: Sandbox) -> None:
    pulumi(config_of(sandbox))
    sandbox.add_caller_id("+493090182000", "Berlin")
    assert 0 == main(["import-file", "--phone-number", "030 90182000"])


def test_the_native_providers_keys_count_if_there_are_no_others(
    project: Path, pulumi: Pulumi, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Keys of both are never mixed: they may be of different accounts."""
    native = config_of(sandbox).replace('"twilio:', '"twilio-caller-id:')
    pulumi(native)
    assert 0 == main(["list"])
    pulumi(json.dumps({**json.loads(native), "twilio:accountSid": {"value": "AC" + "0" * 32}}))
    assert 1 == main(["list"])
    assert "Twilio credentials are missing" in capsys.readouterr().err


def test_no_pulumi_is_asked_outside_of_a_project(
    tmp_path: Path, pulumi: Pulumi, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = pulumi(config_of(sandbox))
    monkeypatch.chdir(tmp_path)
    setenv(monkeypatch, sandbox.environment)
    assert 0 == main(["list"])
    assert not arguments.exists()


@pytest.mark.parametrize("installed", [True, False])
def test_the_environment_alone_will_do(
    installed: bool, project: Path, pulumi: Pulumi, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no stack is selected, no passphrase is there, or no Pulumi."""
    if installed:
        pulumi(stderr="error: no stack selected\n", status=255)
    else:
        monkeypatch.setenv("PATH", str(project))
    setenv(monkeypatch, sandbox.environment)
    assert 0 == main(["list"])


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ({"stderr": "warning: old\nerror: no stack selected.\n\n", "status": 255}, "no stack selected."),
        ({"status": 3}, "pulumi exited with 3."),
        ({"stdout": "hello"}, "`pulumi config --json` gave something else than a config."),
        ({"stdout": "[]"}, "`pulumi config --json` gave something else than a config."),
    ],
)
def test_missing_credentials_tell_of_a_config_that_could_not_be_read(
    printed: dict[str, object], why: str, project: Path, pulumi: Pulumi, capsys: pytest.CaptureFixture[str]
) -> None:
    pulumi(**printed)
    assert 1 == main(["list"])
    assert capsys.readouterr().err.splitlines()[:2] == [
        f"{NAME}Twilio credentials are missing: no account sid and no auth token (or API key).",
        f"The stack's config could not be read: {why}",
    ]


def test_missing_credentials_of_a_readable_config(
    project: Path, pulumi: Pulumi, capsys: pytest.CaptureFixture[str]
) -> None:
    pulumi("{}")
    assert 1 == main(["list"])
    told = f"{NAME}Twilio credentials are missing: no account sid and no auth token (or API key)."
    assert told == capsys.readouterr().err.splitlines()[0]


def test_a_stack_by_name_must_be_readable(
    project: Path,
    pulumi: Pulumi,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The environment might be another account's."""
    setenv(monkeypatch, sandbox.environment)
    pulumi(stderr="error: no stack named 'prod' found\n", status=255)
    assert 1 == main(["list", "--stack", "prod"])
    told = f"{NAME}the config of stack prod could not be read: no stack named 'prod' found\n"
    assert ("", told) == capsys.readouterr()


def test_a_stack_by_name_needs_pulumi(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(project))
    assert 1 == main(["list", "--stack", "prod"])
    told = f"{NAME}the config of stack prod could not be read: pulumi is not on PATH\n"
    assert ("", told) == capsys.readouterr()


def test_a_refused_token_of_the_config_is_not_shown(
    project: Path, pulumi: Pulumi, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    pulumi(config_of(sandbox))
    token = sandbox.auth_token
    sandbox.set_auth_token("d" * 32)
    assert 1 == main(["list"])
    printed = capsys.readouterr()
    assert printed.err.startswith(f"{NAME}Twilio refused to list the caller IDs")
    assert token not in printed.out + printed.err
    assert token not in os.environ.values()

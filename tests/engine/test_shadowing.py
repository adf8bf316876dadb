"""Files beside the program that have the name of a library: one message names the file, in place of a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

DESK = 'OutgoingCallerId("desk", phone_number="{}", friendly_name="Desk")\n'


def told(file: str, stack: Stack) -> str:
    name = file.partition(".")[0]
    return f"{file} in {stack.project.resolve()} has the name of the Python library {name}, so Python loads it instead."


def put(stack: Stack, file: str, text: str = "number = 1\n") -> Path:
    path = stack.project / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("library", ["twilio", "phonenumbers", "pydantic", "requests", "urllib3", "pydantic_core"])
def test_a_file_is_named_and_to_be_renamed(stack: Stack, sandbox: Sandbox, library: str) -> None:
    file = put(stack, f"{library}.py")
    stack.program(DESK.format("415-555-0101"))
    output = stack.preview(ok=False).output
    assert f"error: {told(file.name, stack)}\n" in output
    assert f"Rename {file.name}, and run the same command again." in output
    assert "Traceback" not in output
    assert [] == sandbox.requests

    file.rename(stack.project / "mine.py")
    assert "`pulumi up` will call +1 415-555-0101" in stack.preview().output


def test_a_folder_and_each_method_of_the_provider(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(DESK.format("+14155550101"))
    stack.up()
    folder = put(stack, "twilio/__init__.py").parent
    for program, command in (
        (DESK.format("+14155550101"), stack.refresh),
        (DESK.format("+14155550101").replace("Desk", "Front"), stack.up),
        ("", stack.destroy),
        (DESK.format("+14155550102"), stack.up),
    ):
        stack.program(program)
        output = command(ok=False).output
        assert f"error: {told('twilio', stack)}\n" in output
        assert "Traceback" not in output
    assert 1 == len(sandbox.calls)
    assert folder.is_dir()


def test_the_receiver_of_callbacks(stack: Stack, sandbox: Sandbox) -> None:
    """No call is placed before the library is there."""
    stack.pulumi("config", "set", "twilio:callbackUrl", "https://example.com/hooks")
    put(stack, "aiohttp.py")
    stack.program(DESK.format("+14155550101"))
    output = stack.up(ok=False).output
    assert f"error: {told('aiohttp.py', stack)}\n" in output
    assert "Traceback" not in output
    assert [] == sandbox.calls


def test_what_sends_the_code(stack: Stack, sandbox: Sandbox) -> None:
    """The number is verified all the same."""
    stack.pulumi("config", "set", "--secret", "twilio:notify", "json://127.0.0.1:9/hook")
    put(stack, "apprise.py")
    stack.program(DESK.format("+14155550101"))
    output = stack.up().output
    assert f"warning: Nobody was sent the code: {told('apprise.py', stack)}" in output
    assert "is not installed" not in output


@pytest.mark.parametrize("library", ["twilio", "phonenumbers", "pydantic", "requests"])
def test_while_the_program_runs(stack: Stack, sandbox: Sandbox, library: str) -> None:
    put(stack, f"{library}.py", "import os\nraise RuntimeError(os.sep)\n")
    stack.program(
        'from pulumi_twilio_caller_id import get_outgoing_caller_ids\nget_outgoing_caller_ids("415-555-0101")'
    )
    output = stack.preview(ok=False).output
    assert f"error: get_outgoing_caller_ids: {told(f'{library}.py', stack)}\n" in output
    assert "Traceback" not in output


def test_a_provider_and_the_command_line(stack: Stack) -> None:
    put(stack, "pydantic.py")
    stack.program('Provider("branch", account_sid="AC" + "1" * 32)\n')
    output = stack.preview(ok=False).output
    assert f"error: {told('pydantic.py', stack)}\n" in output
    assert "Traceback" not in output

    command = [sys.executable, "-m", "pulumi_twilio_caller_id", "list"]
    listed = subprocess.run(
        command, cwd=stack.project, env=stack.variables(), capture_output=True, text=True, check=False
    )
    assert listed.stderr.startswith(f"pulumi-twilio-caller-id: {told('pydantic.py', stack)}\n")
    assert (1, "") == (listed.returncode, listed.stdout)


def test_a_program_in_a_folder_of_its_own(stack: Stack, sandbox: Sandbox) -> None:
    with (stack.project / "Pulumi.yaml").open("a") as settings:
        settings.write("main: src\n")
    (stack.project / "src").mkdir()
    stack.program(DESK.format("415-555-0101"))
    (stack.project / "__main__.py").rename(stack.project / "src" / "__main__.py")
    put(stack, "src/pydantic.py")
    output = stack.preview(ok=False).output
    assert f"error: pydantic.py in {stack.project.resolve() / 'src'} has the name of the Python library" in output
    assert "Traceback" not in output


def test_files_that_hide_nothing_are_not_blamed(stack: Stack, sandbox: Sandbox) -> None:
    """An error of another cause keeps what it says: a library that is missing, or one that is installed right there."""
    put(stack, "desk.py")
    put(stack, "apprise.py")
    stack.program("import no_such_library\n")
    output = stack.preview(ok=False).output
    assert "No module named 'no_such_library'" in output
    assert "has the name of" not in output
    stack.program(DESK.format("415-555-0101"))
    stack.preview()

"""Files beside the program that have the name of a library: one message names the file, in place of a traceback.

On the engine, in each process and method; each library: unit/provider/test_shadowing.py.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

DESK = 'OutgoingCallerId("desk", phone_number="+14155550101", friendly_name="{}")\n'
OTHER = 'OutgoingCallerId("other", phone_number="+14155550102")\n'


def told(file: str, stack: Stack) -> str:
    name = file.partition(".")[0]
    return f"{file} in {stack.project.resolve()} has the name of the Python library {name}, so Python loads it instead."


def put(stack: Stack, file: str) -> Path:
    path = stack.project / file
    path.parent.mkdir(exist_ok=True)
    path.write_text("number = 1\n")
    return path


def test_a_file_is_named_by_each_method_of_the_provider(stack: Stack, sandbox: Sandbox) -> None:
    """The message says to rename it. A file that hides nothing, or a library that is not needed, changes nothing."""
    file = put(stack, "pydantic_core.py")
    stack.program(DESK.format("Desk"))
    output = stack.preview(ok=False).output
    assert f"error: {told(file.name, stack)}\n" in output
    assert f"Rename {file.name}, and run the same command again." in output
    assert "Traceback" not in output
    assert [] == sandbox.requests

    file.rename(stack.project / "mine.py")
    put(stack, "apprise.py")
    stack.up()
    put(stack, "twilio/__init__.py")
    refreshed = stack.refresh(ok=False)
    stack.program(DESK.format("Front desk") + OTHER)
    changed = stack.up("--continue-on-error", ok=False)
    destroyed = stack.destroy(ok=False)
    for result, names in ((refreshed, {"desk"}), (changed, {"desk", "other"}), (destroyed, {"desk"})):
        assert names == result.errors.keys()
        assert all(error.startswith(f"error: {told('twilio', stack)}\n") for error in result.errors.values())
        assert "Traceback" not in result.output
    assert 1 == len(sandbox.calls)


def test_the_receiver_of_callbacks_and_what_sends_the_code(stack: Stack, sandbox: Sandbox) -> None:
    """No call is placed before there can be callbacks. If nobody can be told, the number is verified all the same."""
    stack.configure({"twilio:callbackUrl": "https://example.com/hooks"})
    file = put(stack, "aiohttp.py")
    stack.program(DESK.format("Desk"))
    output = stack.up(ok=False).output
    assert f"error: {told('aiohttp.py', stack)}\n" in output
    assert "Traceback" not in output
    assert [] == sandbox.calls

    stack.configure({"twilio:callbackUrl": ""})
    stack.pulumi("config", "set", "--secret", "twilio:notify", "json://127.0.0.1:9/hook")
    file.rename(stack.project / "apprise.py")
    output = stack.up().output
    assert f"warning: Nobody was sent the code: {told('apprise.py', stack)}" in output
    assert "is not installed" not in output
    assert 1 == len(sandbox.calls)


def test_the_program_and_the_command_line(stack: Stack) -> None:
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
    stack.program(DESK.format("Desk"))
    (stack.project / "__main__.py").rename(stack.project / "src" / "__main__.py")
    put(stack, "src/pydantic.py")
    output = stack.preview(ok=False).output
    assert f"error: pydantic.py in {stack.project.resolve() / 'src'} has the name of the Python library" in output
    assert "Traceback" not in output

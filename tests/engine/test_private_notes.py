"""Where plugin processes note what their resources own: in a private folder, and no number is deleted without notes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pulumi_twilio_caller_id.handover import FOLDER
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

NUMBER = "+14155550101"

ACCOUNT = """
import os
{0} = Provider("{0}", account_sid=os.environ["TWILIO_ACCOUNT_SID"], auth_token=os.environ["TWILIO_AUTH_TOKEN"])
"""
BEFORE = ACCOUNT.format("p") + f'OutgoingCallerId("a", phone_number="{NUMBER}", opts=ResourceOptions(provider=p))\n'
AFTER = (
    ACCOUNT.format("p")
    + ACCOUNT.format("q")
    + (f'OutgoingCallerId("b", phone_number="{NUMBER}", adopt=True, opts=ResourceOptions(provider=q))\n')
)


def make_victim(folder: Path) -> dict[str, bytes]:
    """A folder that is somebody's own, with files and folders such as a clean-up might take for its own."""
    for name in ("papers/letter", "papers/12345678", "mail/99999999", "old.notes", "127.0.0.1_40123/99999999"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name} is dear to somebody")
    (folder / "empty").mkdir()
    return content(folder)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder for temporary files that others can write to."""
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


def test_a_link_in_the_temporary_folder_is_not_followed(
    make_stack: Callable[..., Stack], sandbox: Sandbox, shared: Path, tmp_path: Path
) -> None:
    before = make_victim(tmp_path / "victim")
    (shared / f"pulumi-twilio-caller-id-{os.getuid()}").symlink_to(tmp_path / "victim")
    stack = make_stack(environment=sandbox.environment | {"TMPDIR": str(shared)})
    stack.program(BEFORE)
    stack.up()
    stack.destroy()
    assert before == content(tmp_path / "victim")


@pytest.mark.parametrize("taken", ["a file", "a folder"])
def test_a_name_that_is_taken_in_the_temporary_folder_costs_no_number(
    make_stack: Callable[..., Stack], sandbox: Sandbox, shared: Path, taken: str
) -> None:
    """The number moves to another Provider: one process adopts it, another one deletes the old resource."""
    name = shared / f"pulumi-twilio-caller-id-{os.getuid()}"
    if taken == "a file":
        name.touch()
    else:
        name.mkdir(mode=0o500)
        if os.getuid() == 0:  # whom no mode keeps out
            os.chown(name, 12345, -1)
    stack = make_stack(environment=sandbox.environment | {"TMPDIR": str(shared)})
    stack.program(BEFORE)
    stack.up()
    [record] = sandbox.caller_ids
    stack.program(AFTER)
    stack.up()
    assert [record.sid] == [known.sid for known in sandbox.caller_ids]
    assert {"b": record.sid} == {name: state["id"] for name, state in stack.resources().items()}
    assert {} == stack.planned()


@pytest.mark.parametrize("planted", ["a link", "a file"])
def test_without_notes_nothing_is_adopted_called_or_deleted(
    stack: Stack, sandbox: Sandbox, planted: str, tmp_path: Path
) -> None:
    """A preview warns. What needs notes stops before anything, and names the folder."""
    stack.program(BEFORE)
    stack.up()
    [record] = sandbox.caller_ids
    before = make_victim(tmp_path / "victim")
    folder = stack.home / FOLDER
    folder.rename(tmp_path / "put away")
    if planted == "a link":
        folder.symlink_to(tmp_path / "victim")
    else:
        folder.touch()
    why = "it is a symbolic link" if planted == "a link" else "it is not a folder"
    told = f"the folder {folder} can't be used ({why}). Nothing was changed at Twilio."

    stack.program(AFTER)
    preview = stack.preview().output
    assert f"warning: `pulumi up` will stop: Pulumi can't note which resource owns which caller ID: {told}" in preview
    writes = len([r for r in sandbox.requests if r.method != "GET"])
    for result in (stack.up(ok=False), stack.destroy(ok=False)):
        assert told in result.output
        assert "Traceback" not in result.output
    stack.program('OutgoingCallerId("c", phone_number="+14155550102")\n')
    assert told in stack.up(ok=False).output

    assert writes == len([r for r in sandbox.requests if r.method != "GET"])
    assert {"a": record.sid} == {name: state["id"] for name, state in stack.resources().items()}
    assert before == content(tmp_path / "victim")

    folder.unlink()
    stack.program(AFTER)
    stack.up()
    assert [record.sid] == [known.sid for known in sandbox.caller_ids]


def test_notes_are_the_users_alone_and_old_ones_go(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(BEFORE)
    stack.up()
    folder = stack.home / FOLDER
    assert 0o700 == folder.stat().st_mode & 0o777
    (folder / "dear.notes").write_text("somebody's own")
    for _ in range(3):
        stack.up()
    notes = {path.name for path in folder.iterdir()}
    assert "dear.notes" in notes
    assert len(notes) <= 3, "one of the last preview, one of the last update"
    assert all(0o600 == path.stat().st_mode & 0o777 for path in folder.iterdir() if path.name != "dear.notes")

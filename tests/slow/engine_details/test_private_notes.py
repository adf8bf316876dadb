"""Where plugin processes note what their resources own: in a private folder, and no number is deleted without notes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from pulumi_twilio_caller_id.ownership_notes import FOLDER
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

ACCOUNT = """
import os
{0} = Provider("{0}", account_sid=os.environ["TWILIO_ACCOUNT_SID"], auth_token=os.environ["TWILIO_AUTH_TOKEN"])
"""
BEFORE = ACCOUNT.format("p") + 'OutgoingCallerId("a", phone_number="+14155550101", opts=ResourceOptions(provider=p))\n'
AFTER = (
    ACCOUNT.format("p")
    + ACCOUNT.format("q")
    + 'OutgoingCallerId("b", phone_number="+14155550101", adopt=True, opts=ResourceOptions(provider=q))\n'
)
NEW = 'OutgoingCallerId("c", phone_number="+14155550102")\n'


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


def test_without_notes_nothing_is_adopted_called_or_deleted(
    make_stack: Callable[..., Stack], sandbox: Sandbox, tmp_path: Path
) -> None:
    """A preview warns. What needs notes stops before anything, and names the folder. No link is followed, in Pulumi's
    folder or that for temporary files. With notes, the number moves to another Provider: one process adopts it, another
    one deletes the old resource.
    """
    before = make_victim(tmp_path / "victim")
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / f"pulumi-twilio-caller-id-{os.getuid()}").symlink_to(tmp_path / "victim")
    stack = make_stack(environment=sandbox.environment | {"TMPDIR": str(shared)})
    stack.program(BEFORE)
    stack.up()
    [record] = sandbox.caller_ids
    folder = stack.home / FOLDER
    assert 0o700 == folder.stat().st_mode & 0o777
    (folder / "dear.notes").write_text("somebody's own")
    folder.rename(tmp_path / "put away")
    folder.symlink_to(tmp_path / "victim")
    reason = "it is a symbolic link"
    told = (
        f"The notes in folder {folder} can't be used ({reason})."
        " They say which resource manages which number, so nothing was changed at Twilio."
    )

    stack.program(AFTER)
    preview = stack.preview().output
    assert f"warning: `pulumi up` will stop: {told}" in preview
    writes = len([r for r in sandbox.requests if r.method != "GET"])
    adopted = stack.up(ok=False)
    stack.program(NEW)
    called = stack.up(ok=False)
    destroyed = stack.destroy(ok=False)
    for result, name in ((adopted, "b"), (called, "c"), (destroyed, "a")):
        assert told in result.errors[name]
        assert "Traceback" not in result.output
    assert writes == len([r for r in sandbox.requests if r.method != "GET"])
    assert {"a": record.sid} == {name: state["id"] for name, state in stack.resources().items()}
    assert before == content(tmp_path / "victim")

    folder.unlink()
    (tmp_path / "put away").rename(folder)
    stack.program(AFTER)
    stack.up()
    assert [record.sid] == [known.sid for known in sandbox.caller_ids]
    assert {"b": record.sid} == {name: state["id"] for name, state in stack.resources().items()}
    assert 1 == len(sandbox.calls)
    assert before == content(tmp_path / "victim")
    notes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    del notes["dear.notes"]
    assert {0o600} == set(notes.values())
    assert len(notes) <= 2, "of the last preview and of the last update"

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pulumi_twilio_caller_id import handover
from pulumi_twilio_caller_id.handover import Handover
from pulumi_twilio_caller_id.memory import Memory

ENGINE = "127.0.0.1:40123"
SID = "PN" + "1" * 32
DESK = "urn:pulumi:test::project::type::front desk"

OTHER_PROCESS = """
import sys
from pathlib import Path
from pulumi_twilio_caller_id.handover import Handover
from pulumi_twilio_caller_id.memory import Memory
Memory(Handover(sys.argv[1], base=Path(sys.argv[2]))).hold(sys.argv[3], sys.argv[4])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process of the same engine, whose resource has the caller ID."""
    command = [sys.executable, "-c", OTHER_PROCESS, ENGINE, str(tmp_path / "notes"), SID, DESK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "held\n" == process.stdout.readline()
        yield process
        process.kill()


def holder(base: Path, engine: str | None = ENGINE) -> str | None:
    return Memory(Handover(engine, base=base / "notes")).holder(SID)


def test_a_process_knows_what_another_of_its_engine_has(other: subprocess.Popen[str], tmp_path: Path) -> None:
    assert DESK == holder(tmp_path)
    assert holder(tmp_path, "127.0.0.1:40124") is None
    assert holder(tmp_path, None) is None
    assert Handover(ENGINE, base=tmp_path / "notes").find("PN" + "2" * 32) is None


def test_a_note_counts_while_its_process_runs(other: subprocess.Popen[str], tmp_path: Path) -> None:
    """The next engine at the same address has nothing to do with it; what it left is cleared away."""
    other.kill()
    other.wait()
    assert holder(tmp_path) is None
    [left] = (tmp_path / "notes").iterdir()

    Handover("127.0.0.1:40999", base=tmp_path / "notes").post(SID, DESK)
    assert not left.exists()


def test_a_process_does_not_read_its_own_notes(tmp_path: Path) -> None:
    """It knows better: it may have released the caller ID since."""
    memory = Memory(Handover(ENGINE, base=tmp_path))
    memory.hold(SID, DESK)
    memory.release(SID, DESK)
    assert memory.holder(SID) is None


def test_what_is_not_a_note_is_passed_over(other: subprocess.Popen[str], tmp_path: Path) -> None:
    [folder] = (tmp_path / "notes").iterdir()
    (folder / "not a pid").write_text(f"{SID} {DESK}\n")
    (folder / "99999999999999999999").write_text(f"{SID} {DESK}\n")
    other.kill()
    other.wait()
    assert holder(tmp_path) is None


def test_without_a_folder_to_write_to_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("a file")
    unable = Handover(ENGINE, base=tmp_path / "notes")
    unable.post(SID, DESK)
    assert unable.find(SID) is None


@pytest.mark.parametrize("left", ["a file", "a folder that is gone"])
def test_what_can_not_be_cleared_away_costs_no_note(tmp_path: Path, left: str) -> None:
    """Another process may clear the same away: then it is gone between two looks."""
    if left == "a file":
        (tmp_path / "stray").write_text("")
    else:
        (tmp_path / "stray").symlink_to(tmp_path / "nowhere")
    Handover(ENGINE, base=tmp_path).post(SID, DESK)
    assert f"{SID} {DESK}\n" == (tmp_path / ENGINE.replace(":", "_") / str(os.getpid())).read_text()


def test_a_folder_that_is_cleared_away_before_the_note_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def late(path: Path, *args: int) -> int:
        monkeypatch.undo()
        path.parent.rmdir()
        return opened(path, *args)

    monkeypatch.setattr(os, "open", late)
    Handover(ENGINE, base=tmp_path).post(SID, DESK)
    assert f"{SID} {DESK}\n" == (tmp_path / ENGINE.replace(":", "_") / str(os.getpid())).read_text()


def test_a_note_that_is_made_while_an_older_one_is_cleared_away_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next engine may have the address of an older one."""
    folder = tmp_path / "127.0.0.1_40999"
    folder.mkdir()
    old, new = folder / "99999998", folder / "99999999"
    old.write_text(f"{SID} {DESK}\n")

    def runs(pid: str) -> bool:
        new.write_text(f"{SID} {DESK}\n")
        return pid == new.name

    monkeypatch.setattr(handover, "_runs", runs)
    Handover(ENGINE, base=tmp_path).post(SID, DESK)
    assert (False, f"{SID} {DESK}\n") == (old.exists(), new.read_text())


def test_a_note_that_vanishes_does_not_hide_the_others(other: subprocess.Popen[str], tmp_path: Path) -> None:
    [folder] = (tmp_path / "notes").iterdir()
    for pid in range(50):
        (folder / f"gone {pid}").symlink_to(tmp_path / "nowhere")
    assert DESK == holder(tmp_path)


def test_the_folder_is_the_users_alone(other: subprocess.Popen[str], tmp_path: Path) -> None:
    assert 0o700 == (tmp_path / "notes").stat().st_mode & 0o777
    assert os.getuid() == (tmp_path / "notes").stat().st_uid

"""`make setup`: which engine is taken, in which order, and what is said meanwhile."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.machine import ROOT
from tests.support.waiting import until
from tools import ensure
from tools.engine import Unavailable, cache, modules, release
from tools.engine.progress import progress_line


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty `.engine`, an empty cache, and no `pulumi` on PATH."""
    folder = tmp_path / ".engine"
    monkeypatch.setattr(ensure, "HOME", folder)
    monkeypatch.setattr(ensure, "MADE", folder / "bin")
    monkeypatch.setattr(ensure, "LOG", folder / "build.log")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return folder


def an_engine(folder: Path) -> None:
    """A program that answers `pulumi version`."""
    (folder / "pulumi").write_text("#!/bin/sh\necho v3.274.1\n")
    (folder / "pulumi").chmod(0o755)


def unavailable(why: str) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise Unavailable(why)

    return fail


def never(*_: object) -> None:
    raise AssertionError("this way was not to be tried")


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[..., None]]:
    """What the release and the build do; a test sets them."""
    chosen: dict[str, Callable[..., None]] = {"release": never, "build": never}
    monkeypatch.setattr(release, "download", lambda _version, folder: chosen["release"](folder))
    monkeypatch.setattr(modules, "build", lambda folder, _log: chosen["build"](folder))
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/go" if name == "go" else None)
    return chosen


Ways = dict[str, Callable[..., None]]


def test_the_release_is_taken_and_asked_for_once(ways: Ways, capsys: pytest.CaptureFixture[str]) -> None:
    ways["release"] = an_engine
    assert ensure.MADE == ensure.ensure()
    assert "ready after 0 s, the official release\n" in capsys.readouterr().err

    ways["release"] = never
    assert ensure.MADE == ensure.ensure()
    assert "" == capsys.readouterr().err


def test_without_the_release_it_is_built_and_says_what_it_lacks(ways: Ways, capsys: pytest.CaptureFixture[str]) -> None:
    ways["release"], ways["build"] = unavailable("no answer from get.pulumi.com within 30 s"), an_engine
    ensure.ensure()
    said = capsys.readouterr().err
    assert "engine: it can't be had: no answer from get.pulumi.com within 30 s\n" in said
    assert "built from its Go modules\n" in said
    assert modules.LACKS in said
    assert [] == [line for line in said.splitlines() if len(line) > 80]

    ways["build"] = never
    ensure.ensure()
    assert "" == capsys.readouterr().err


def test_a_release_that_does_not_run_here_is_not_taken(ways: Ways, capsys: pytest.CaptureFixture[str]) -> None:
    ways["release"], ways["build"] = (lambda folder: (folder / "pulumi").write_text("")), an_engine
    ensure.ensure()
    assert "it can't be had: it does not run on this machine\n" in capsys.readouterr().err


def test_where_no_way_leads_to_one_the_message_says_what_to_install(
    ways: Ways, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    ways["release"], ways["build"] = unavailable("no way out"), unavailable("building it failed")
    with pytest.raises(SystemExit, match=r"^error: no Pulumi engine: .* failed \(see above\)\.\n"):
        ensure.ensure()
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(SystemExit, match=r"and Go is not there to build it\.\n *Install Pulumi 3\.254 or newer"):
        ensure.ensure()
    assert [] == list(home.iterdir())


def test_the_help_names_the_oldest_engine_that_is_used() -> None:
    assert f"Install Pulumi {ensure.dotted(ensure.MINIMUM)} or newer" in ensure.HELP


def test_an_interrupt_leaves_nothing_half_made(ways: Ways, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(folder: Path) -> None:
        an_engine(folder)
        raise KeyboardInterrupt

    ways["release"], ways["build"] = unavailable("no way out"), interrupted
    assert 130 == ensure.main()
    assert capsys.readouterr().err.endswith(
        "\nengine: interrupted. The next `make` goes on: Go keeps what it has compiled.\n"
    )
    assert [] == list(home.iterdir())


def test_what_a_killed_process_left_is_removed_by_the_next(ways: Ways, home: Path) -> None:
    """In both places. What belongs to a process that runs stays: it may be making an engine at this moment."""
    copies = cache.cache_folder()
    assert copies
    with subprocess.Popen(["true"]) as ended:
        pass
    runs, places = os.getppid(), (home / "bin", copies / ensure.fingerprint())
    for place in places:
        for process in (ended.pid, runs):
            an_engine_in = place.with_name(f"{place.name}.{process}")
            an_engine_in.mkdir(parents=True)
            an_engine(an_engine_in)
    ways["release"] = an_engine
    ensure.ensure()

    for place in places:
        assert {place.name, f"{place.name}.{runs}"} == {path.name for path in place.parent.iterdir()}


# The cache


def test_a_second_checkout_takes_the_copy_of_the_first(
    ways: Ways, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ways["release"] = an_engine
    ensure.ensure()
    shutil.rmtree(home)
    ways["release"] = never
    ensure.ensure()

    assert "copied from another checkout's\n" in capsys.readouterr().err
    assert {"pulumi", "fingerprint"} == {path.name for path in ensure.MADE.iterdir()}
    assert os.access(ensure.MADE / "pulumi", os.X_OK)


@pytest.mark.parametrize("damage", ["changed", "lost", "no sums"])
def test_a_damaged_copy_is_made_anew(ways: Ways, home: Path, capsys: pytest.CaptureFixture[str], damage: str) -> None:
    ways["release"] = an_engine
    ensure.ensure()
    kept = cache.find(ensure.fingerprint())
    assert kept
    if damage == "changed":
        (kept / "pulumi").write_text("#!/bin/sh\necho v3.999.0\n")
    else:
        (kept / {"lost": "pulumi", "no sums": cache.SUMS}[damage]).unlink()
    shutil.rmtree(home)
    capsys.readouterr()
    ensure.ensure()

    assert f"engine: the copy in {kept} was damaged, and is removed\n" in capsys.readouterr().err
    assert "the copy" not in (ensure.MADE / "pulumi").read_text()
    shutil.rmtree(home)
    ways["release"] = never
    ensure.ensure()  # a whole copy is kept again


def test_a_copy_is_complete_or_not_there(ways: Ways, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    ways["release"] = an_engine
    with monkeypatch.context() as disk:
        disk.setattr(cache, "checksums", full)
        ensure.ensure()
    folder = cache.cache_folder()
    assert folder
    assert [] == list(folder.iterdir())
    assert (home / "bin" / "pulumi").exists()


def test_a_cache_that_cannot_be_written_is_no_matter(ways: Ways, tmp_path: Path, home: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    ways["release"] = an_engine
    assert home / "bin" == ensure.ensure()


def test_copies_that_nobody_uses_are_removed(ways: Ways) -> None:
    folder = cache.cache_folder()
    assert folder
    for name, days in (("old", cache.UNUSED_DAYS + 1), ("newer", cache.UNUSED_DAYS - 1)):
        (folder / name).mkdir(parents=True)
        then = folder.stat().st_mtime - days * 24 * 60 * 60
        os.utime(folder / name, (then, then))
    ways["release"] = an_engine
    ensure.ensure()
    assert {"newer", ensure.fingerprint()} == {path.name for path in folder.iterdir()}


def test_where_the_copies_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    for given in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", given)
        assert Path("/home/me/.cache/pulumi-twilio-caller-id/engines") == cache.cache_folder()


def test_the_fingerprint_changes_with_all_that_the_engine_depends_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(ensure, "HERE", tmp_path / "tools")
    seen = {ensure.fingerprint()}
    for file in modules.MODULE_FILES:
        with (tmp_path / "tools" / file).open("a") as module:
            module.write("// changed\n")
        seen.add(ensure.fingerprint())
    monkeypatch.setattr(modules, "COMPILER", ("-gcflags=-N",))
    seen.add(ensure.fingerprint())
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    seen.add(ensure.fingerprint())
    assert len(modules.MODULE_FILES) + 3 == len(seen)


# The build


def test_a_build_that_fails_shows_its_last_lines_and_names_the_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Here, of a `go` that only complains."""
    (tmp_path / "go").write_text("#!/bin/sh\nfor n in 1 2 3 4 5 6 7 8; do echo go: line $n; done\nexit 3\n")
    (tmp_path / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    log = tmp_path / "build.log"
    with pytest.raises(Unavailable) as failed:
        modules.build(tmp_path, log)
    assert str(failed.value).startswith("building it failed: `go list` ended with 3\n  go: line 4\n")
    assert f"  go: line 7\n  go: line 8\nThe whole log: {log}" in str(failed.value)
    assert "line 3" not in str(failed.value)
    assert re.match(r"\$ cd tools/cli && go list -deps .* github\.com/pulumi/.*\ngo: line 1\n", log.read_text())


def test_the_line_counts_what_go_tells() -> None:
    counts = modules.Counts("engine")
    assert "engine: 0 modules downloaded, 3 s" == counts.line(3.2)
    for line in ("go: downloading example.org/a v1.0.0\n", "a\n", "\n", "a/b\n"):
        counts.listed(line)
    for line in ("a\n", "# a\n", "go: warning\n"):
        counts.built(line)
    assert "engine: 1 modules downloaded, 1 of 2 packages compiled, 83 s" == counts.line(83)


def test_the_version_is_the_one_that_go_mod_pins() -> None:
    assert f"github.com/pulumi/pulumi/pkg/v3 v{modules.pinned_version()}\n" in (ROOT / "tools/cli/go.mod").read_text()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_repaints_one_line_and_is_left_empty() -> None:
    out = Terminal()
    with progress_line(lambda _seconds: "engine: " + 200 * "x", out, 0.001):
        until(lambda: out.getvalue().count("\r") > 3)
    *painted, last = out.getvalue().split("\r\x1b[K")
    assert "" == last
    assert {79} == {len(line) for line in painted if line}
    assert "\n" not in out.getvalue()


def test_without_a_terminal_there_is_a_line_now_and_then() -> None:
    out = io.StringIO()
    with progress_line(lambda _seconds: "engine: 1", out, 0.001):
        until(lambda: out.getvalue().count("\n") > 2)
    assert {"engine: 1"} == set(out.getvalue().splitlines())


def test_run_without_an_engine_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "run", tmp_path / "tools" / "run")
    done = subprocess.run(["tools/run", sys.executable], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (1, "error: no Pulumi engine yet: run `make setup` first\n") == (done.returncode, done.stderr)

"""`python -m tools.languages`: what is built for programs in other languages, where it goes, and what is said."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.machine import ROOT
from tools import ensure, languages
from tools.engine import Unavailable, modules, npm

HOSTS = {"pulumi-language-yaml", "pulumi-language-nodejs", "pulumi-language-go"}


def a_program(path: Path, script: str = "exit 0") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


class Builds:
    """What was built. A test sets what happens instead of a build."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.instead: Callable[[], None] | None = None

    def build(self, folder: Path, _log: Path, _what: str, programs: Sequence[tuple[str, str]]) -> None:
        for _, package in programs:
            name = package.rpartition("/")[2]
            a_program(folder / name, f"echo built; echo error: {name} $* >&2; exit 1")
            self.names.append(name)
        if self.instead is not None:
            self.instead()


@pytest.fixture(autouse=True)
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builds:
    """An engine of ours without hosts, an empty cache, and Go."""
    home = tmp_path / ".engine"
    monkeypatch.setattr(ensure, "HOME", home)
    monkeypatch.setattr(ensure, "MADE", home / "bin")
    monkeypatch.setattr(languages, "NODE_PACKAGES", home / "nodejs" / "node_modules")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    a_program(tmp_path / "path" / "go")
    monkeypatch.setenv("PATH", f"{tmp_path}/path:/bin")
    use_engine(home / "bin", monkeypatch)
    made = Builds()
    monkeypatch.setattr(modules, "build", made.build)
    return made


def use_engine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_program(folder / "pulumi")
    monkeypatch.setattr(ensure, "ensure", lambda: folder)


def test_hosts_are_put_beside_our_engine_once(builds: Builds, capsys: pytest.CaptureFixture[str]) -> None:
    assert ensure.MADE == languages.ensure_programs()
    assert set(languages.PROGRAMS) == set(builds.names)
    assert all(os.access(ensure.MADE / name, os.X_OK) for name in languages.PROGRAMS)
    said = capsys.readouterr().err
    assert "languages: 4 programs are ready after 0 s, built from their Go modules\n" in said
    assert [] == [line for line in said.splitlines() if len(line) > 80]

    assert ensure.MADE == languages.ensure_programs()
    assert len(languages.PROGRAMS) == len(builds.names)
    assert "" == capsys.readouterr().err
    assert {"bin"} == {path.name for path in ensure.HOME.iterdir()}


def test_what_came_with_the_engine_is_used_as_it_is(builds: Builds) -> None:
    for host in HOSTS:
        a_program(ensure.MADE / host, "echo theirs")
    for _ in range(2):
        languages.ensure_programs()
        assert ["pulumi-write-sdk"] == builds.names
        assert all("theirs" in (ensure.MADE / host).read_text() for host in HOSTS)


def test_nothing_is_put_into_an_installation_of_pulumi(
    builds: Builds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "usr" / "bin"
    use_engine(theirs, monkeypatch)
    a_program(theirs / "pulumi-language-go")
    place = languages.ensure_programs()
    assert {"pulumi", "pulumi-language-go"} == {path.name for path in theirs.iterdir()}
    assert set(languages.PROGRAMS) - {"pulumi-language-go"} == {path.name for path in place.iterdir()} - {"languages"}
    assert f":$top/.engine/{place.name}:" in (ROOT / "tools" / "run").read_text()


def test_a_second_checkout_takes_the_copy_of_the_first(
    builds: Builds, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    languages.ensure_programs()
    shutil.rmtree(ensure.HOME)
    use_engine(ensure.MADE, monkeypatch)
    place = languages.ensure_programs()
    assert len(languages.PROGRAMS) == len(builds.names)
    assert "ready after 0 s, copied from another checkout's\n" in capsys.readouterr().err
    assert {"pulumi", "languages", *languages.PROGRAMS} == {path.name for path in place.iterdir()}


def test_they_are_made_anew_when_a_module_changes(
    builds: Builds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(ensure, "HERE", tmp_path / "tools")
    languages.ensure_programs()
    for file in ("yaml-host/go.sum", "go-host/go.mod", "language-host/go.mod", "cli/pulumi-write-sdk/main.go"):
        with (tmp_path / "tools" / file).open("a") as module:
            module.write("// changed\n")
        builds.names.clear()
        languages.ensure_programs()
        assert set(languages.PROGRAMS) == set(builds.names)


def test_a_damaged_copy_is_built_anew(
    builds: Builds, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    languages.ensure_programs()
    kept = next((tmp_path / "cache").rglob("pulumi-write-sdk"))
    kept.write_text("damaged")
    shutil.rmtree(ensure.HOME)
    use_engine(ensure.MADE, monkeypatch)
    place = languages.ensure_programs()
    assert f"languages: the copy in {kept.parent} was damaged, and is removed\n" in capsys.readouterr().err
    assert "built" in (place / "pulumi-write-sdk").read_text()


def test_what_cannot_be_had_is_said_and_make_goes_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert 0 == languages.main([])
    said = capsys.readouterr().err
    assert "can pass: Go is not there to build pulumi-language-yaml, pulumi-language-nodejs, " in said
    assert "can pass: node and npm not found; install Node.js" in said
    assert {"bin"} == {path.name for path in ensure.HOME.iterdir()}


def test_an_interrupt_leaves_nothing_half_made(builds: Builds, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    builds.instead = interrupt
    assert 130 == languages.main([])
    assert capsys.readouterr().err.endswith("interrupted. The next run goes on: Go keeps what it has compiled.\n")
    assert {"pulumi"} == {path.name for path in ensure.MADE.iterdir()}
    assert {"bin"} == {path.name for path in ensure.HOME.iterdir()}


def test_the_writer_of_sdks_gets_the_arguments_and_its_error_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == languages.main(["sdk", "go", "schema.json", "out"])
    assert "error: pulumi-write-sdk go schema.json out " in capsys.readouterr().err


def test_other_arguments_are_answered_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == languages.main(["sdk", "go"])
    assert "    python -m tools.languages sdk LANGUAGE SCHEMA FOLDER " in capsys.readouterr().err


# npm


@pytest.fixture
def pinned(tmp_path: Path) -> Path:
    folder = tmp_path / "pinned"
    folder.mkdir()
    (folder / "package.json").write_text("{}")
    (folder / "package-lock.json").write_text("{}")
    return folder


def test_npm_installs_what_is_locked_until_the_lock_changes(pinned: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    a_program(tmp_path / "path" / "node")
    a_program(tmp_path / "path" / "npm", 'mkdir -p node_modules; echo "$*" >> calls; cp package-lock.json node_modules')
    npm.install(pinned, place)
    npm.install(pinned, place)
    assert ["ci --ignore-scripts --no-audit --no-fund --loglevel error"] == (place / "calls").read_text().splitlines()

    (pinned / "package-lock.json").write_text('{"name": "changed"}')
    npm.install(pinned, place)
    assert "changed" in (place / "node_modules" / "package-lock.json").read_text()


def test_where_npm_fails_its_words_are_shown_and_it_is_asked_again(pinned: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    a_program(tmp_path / "path" / "node")
    a_program(tmp_path / "path" / "npm", "mkdir -p node_modules; echo no way out >&2; exit 1")
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"^`npm ci` in place/ failed:\nno way out$"):
            npm.install(pinned, place)

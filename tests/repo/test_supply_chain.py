"""`make lint` on what gets installed: exact versions, licences, known vulnerabilities."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tests.support.machine import free_port
from tools import supply_chain

RUN = subprocess.run
INSTALLED = supply_chain.installed
PINS = ["alpha==1.0", "beta==2.0"]
BUG = {
    "id": "PYSEC-2026-1",
    "aliases": ["CVE-2026-1"],
    "affected": [
        {
            "package": {"name": "beta", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.1"}]}],
        }
    ],
}

Serve = Callable[..., None]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """A database of vulnerabilities on this machine, as pip-audit asks OSV's: package -> status and body."""
    answers: dict[str, tuple[int, str]] = {}

    class Database(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = answers.get(asked["package"]["name"], (200, "{}"))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    def known(**bugs: Any) -> None:
        for name, bug in bugs.items():
            answers[name] = bug if isinstance(bug, tuple) else (200, json.dumps({"vulns": [bug]}))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Database)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    use_database(monkeypatch, server.server_port)
    yield known
    server.shutdown()
    server.server_close()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Requirement files of another project: nothing else of it is looked at."""
    (tmp_path / "requirements.txt").write_text("\n".join(PINS))
    (tmp_path / "requirements-dev.txt").write_text("-r requirements.txt\n")
    monkeypatch.setattr(supply_chain, "ROOT", tmp_path)
    monkeypatch.setattr(supply_chain, "needed", lambda *_: set())
    monkeypatch.setattr(supply_chain, "installed", lambda _: set())
    return tmp_path


@pytest.fixture
def not_vulnerable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supply_chain, "audit", lambda _: ([], []))


def use_database(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setenv("PIP_AUDIT_VULNERABILITY_SERVICE", "osv")
    monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"http://127.0.0.1:{port}/v1/query")


# Vulnerabilities, by the real pip-audit


def test_none_is_known(project: Path, serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert (0, "") == (supply_chain.main(), capsys.readouterr().err)


def test_one_fails_lint_with_what_to_do(project: Path, serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve(beta=BUG)
    assert 1 == supply_chain.main()
    assert (
        "error: beta 2.0: PYSEC-2026-1, CVE-2026-1\n"
        "    Raise its version in requirements.txt or requirements-dev.txt to 2.1, or newer, and run the tests.\n"
    ) == capsys.readouterr().err


def test_those_without_a_fix_may_be_accepted_by_any_of_their_names(
    project: Path, serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    unfixed = {"affected": [{"package": {"name": "beta", "ecosystem": "PyPI"}}]}
    serve(alpha={**BUG, **unfixed}, beta={**BUG, **unfixed, "id": "PYSEC-2026-2", "aliases": ["CVE-2026-2"]})
    monkeypatch.setattr(supply_chain, "ACCEPTED", {"PYSEC-2026-1": "we never call it"})
    assert 1 == supply_chain.main()
    assert (
        "error: beta 2.0: PYSEC-2026-2, CVE-2026-2\n"
        "    No version is fixed yet: do without the package, or say in ACCEPTED why it does not matter here.\n"
    ) == capsys.readouterr().err

    monkeypatch.setattr(supply_chain, "ACCEPTED", {"PYSEC-2026-1": "never called", "CVE-2026-2": "nor is this"})
    assert (0, "") == (supply_chain.main(), capsys.readouterr().err)


def test_a_database_that_is_not_there_is_said_and_lint_goes_on(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_database(monkeypatch, free_port())
    assert 0 == supply_chain.main()
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("lint: vulnerabilities were NOT checked: HTTPConnectionPool(host='127.0.0.1'")


@pytest.mark.parametrize("answer", [(403, "<html>"), (200, "<html>")], ids=["403", "no JSON"])
def test_so_is_one_that_gives_no_answer(
    project: Path, serve: Serve, capsys: pytest.CaptureFixture[str], answer: tuple[int, str]
) -> None:
    serve(alpha=answer)
    assert 0 == supply_chain.main()
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("lint: vulnerabilities were NOT checked: ")


def test_one_that_lacks_packages_is_said(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As PyPI's does with a 404, whose address pip-audit has fixed: so its answer is given here."""
    found = [{"name": "alpha", "skip_reason": "not found"}, {"name": "beta", "version": "2.0", "vulns": []}]
    for packages, told in (
        (found, "lint: vulnerabilities were NOT checked of alpha: the database does not have it\n"),
        (found[:1], "lint: vulnerabilities were NOT checked: the database has none of the 1 packages\n"),
    ):
        pip_audit(monkeypatch, f"print({json.dumps(json.dumps({'dependencies': packages}))})")
        assert (0, told) == (supply_chain.main(), capsys.readouterr().err)


def pip_audit(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Another program in its place."""
    command = [sys.executable, "-c", program]
    monkeypatch.setattr(subprocess, "run", lambda _, **options: RUN(command, **options))


def test_a_failure_of_pip_audit_itself_fails(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip_audit(monkeypatch, "raise SystemExit('pip-audit: error: unrecognized arguments')")
    with pytest.raises(RuntimeError, match="unrecognized arguments"):
        supply_chain.main()


def test_one_that_never_ends_is_given_up(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pip_audit(monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(supply_chain, "SECONDS", 0.2)
    assert 0 == supply_chain.main()
    assert "lint: vulnerabilities were NOT checked: no answer within 0.2 s\n" == capsys.readouterr().err


# Versions


def test_what_is_no_exact_version_fails(
    project: Path, not_vulnerable: None, capsys: pytest.CaptureFixture[str]
) -> None:
    open_ended = ["gamma>=1", "delta", "epsilon==1.*", "zeta @ https://example.com/z.whl"]
    (project / "requirements-dev.txt").write_text("# tools\n" + "\n".join(open_ended) + "\neta[x]==1.0.post1  # why\n")
    assert 1 == supply_chain.main()
    told = "".join(f"error: {line}: not an exact version.\n    Write NAME==VERSION.\n" for line in open_ended)
    assert told == capsys.readouterr().err


def test_what_is_needed_at_run_time_must_be_in_requirements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Down to what a dependency of a dependency needs; names in any spelling."""
    assert {"pydantic-core", "pyjwt", "packaging"} <= supply_chain.needed(supply_chain.PROJECT)
    assert "apprise" not in supply_chain.needed(supply_chain.PROJECT)
    assert {"apprise", "markdown"} <= supply_chain.needed(supply_chain.PROJECT, ["notify"])
    wanted = {"alpha", "typing-extensions", "gamma"}
    assert ["gamma"] == supply_chain.missing_pins(["Alpha[x]==1", "typing_extensions==4"], wanted)


def test_what_a_tool_brings_along_must_be_pinned_too(
    project: Path, not_vulnerable: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    brings = {"beta": {"gamma"}, "tool": {"gamma", "delta", "pip"}, supply_chain.PROJECT: {"alpha", "epsilon"}}
    monkeypatch.setattr(supply_chain, "needed", lambda name, *_: brings.get(name, set()))
    monkeypatch.setattr(supply_chain, "installed", INSTALLED)
    monkeypatch.setattr(supply_chain, "refused_licences", lambda _: [])
    (project / "requirements-dev.txt").write_text("tool==1.0\ngamma==1.0\n")

    assert 1 == supply_chain.main()
    told = [
        f"error: {name}: gets installed, but is not in {file}."
        for name, file in (("epsilon", "requirements.txt"), ("delta", "requirements-dev.txt"))
    ]
    assert told == capsys.readouterr().err.splitlines()[::2]


# Licences


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("Apache 2.0", True),
        ("Mozilla Public License 2.0 (MPL 2.0)", True),
        ("Apache-2.0 AND MIT", True),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND (GPL-2.0-only OR (BSD-3-Clause AND ISC))", True),
        ("GPL-3.0-only", False),
        ("LGPL-2.1-or-later", False),
        ("AGPL-3.0-or-later AND MIT", False),
        ("MIT AND (GPL-2.0-only OR LicenseRef-Ours)", False),
        ("Apache-2.0 WITH Made-up-exception", False),
        ("Other/Proprietary License", False),
        ("MIT)", False),
        ("", False),
    ],
)
def test_which_licences_are_allowed(licence: str, allowed: bool) -> None:
    assert allowed == supply_chain.is_allowed(licence)


@pytest.mark.parametrize(
    ("about", "classifiers", "licence"),
    [
        ({"License-Expression": "ISC", "License": "GPL"}, ["License :: OSI Approved :: MIT License"], "ISC"),
        ({"License": "MIT"}, [], "MIT"),
        ({"License": "Copyright ...\nall of the text"}, ["License :: OSI Approved :: BSD License"], "BSD-3-Clause"),
        ({}, ["License :: OSI Approved :: MIT License", "License :: Other/Proprietary License"], "MIT AND Other/Pro"),
        ({}, ["Topic :: Communications"], ""),
    ],
)
def test_where_a_licence_is_read(about: dict[str, str], classifiers: list[str], licence: str) -> None:
    assert supply_chain.licence_of("alpha", about, classifiers).startswith(licence)
    assert bool(licence) == bool(supply_chain.licence_of("alpha", about, classifiers))


def test_a_licence_that_is_not_allowed_fails_with_the_packages_name(
    project: Path, not_vulnerable: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until somebody has read it."""
    site = project / "site-packages"
    for name, licence in (
        ("gamma", "License: GPL-3.0-only"),
        ("delta", "Summary: tells none"),
        ("eta", "License: MIT"),
    ):
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{licence}\n")
    monkeypatch.syspath_prepend(str(site))
    assert "GPL-3.0-only" == metadata.metadata("gamma")["License"]
    monkeypatch.setattr(supply_chain, "missing_pins", lambda *_: [])
    monkeypatch.setattr(supply_chain, "needed", lambda *_: {"gamma", "delta", "eta"})

    assert 1 == supply_chain.main()
    told = capsys.readouterr().err
    assert ["delta 1.0", "gamma 1.0"] == [line[7:16] for line in told.splitlines() if line.startswith("error: ")]
    assert "gamma 1.0: its licence 'GPL-3.0-only' is not one of ALLOWED.\n    Take another package" in told
    assert "delta 1.0: its licence '(none told)'" in told

    monkeypatch.setattr(supply_chain, "LOOKED_AT", {"gamma": "MIT", "delta": "ISC"})
    assert (0, "") == (supply_chain.main(), capsys.readouterr().err)

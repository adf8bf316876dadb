"""`make conformance` around prism: what it reads in prism's log, and when it fails."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.slow.conformance import run as conformance
from tests.support.openapi import prism

LOG = """\
[7:12:58 PM] › [CLI] ▶  start     Prism is listening on http://127.0.0.1:4711
[7:12:58 PM] › [HTTP SERVER] get /a ℹ  info      Request received
[7:12:58 PM] ›     [PROXY] ℹ  info      < Received forward response
[7:12:58 PM] ›     [VALIDATOR] ⚠  warning   Violation: response Unable to match the returned status code with those defined in the document: 200
[7:12:58 PM] › [HTTP SERVER] get /b ℹ  info      Request received
[7:12:58 PM] ›     [PROXY] ℹ  info      < Received forward response
[7:12:58 PM] ›     [VALIDATOR] ⚠  warning   Violation: response.body.sid Response body property sid must be string
[7:12:58 PM] › [HTTP SERVER] get /c ℹ  info      Request received
[7:12:58 PM] › [HTTP SERVER] get /c ✖  error     Request terminated with error: https://stoplight.io/prism/errors#UNAUTHORIZED
"""  # noqa: E501 RUF001 - as prism writes it


def test_what_prism_saw_is_read_in_its_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(LOG, encoding="utf-8")
    seen = prism.Prism(tmp_path / "api.yaml", tmp_path / "log", "http://127.0.0.1:1")
    assert (3, 2) == (seen.requests, seen.answers)
    assert [
        "[VALIDATOR] ⚠  warning   Violation: response.body.sid Response body property sid must be string",
        "[HTTP SERVER] get /c ✖  error     Request terminated with error: https://stoplight.io/prism/errors#UNAUTHORIZED",
    ] == seen.violations


def test_without_node_one_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "npm" else f"/usr/bin/{name}")
    monkeypatch.setattr(conformance, "heed_interrupts", lambda: None)
    assert 2 == conformance.main()
    assert "error: prism is needed: npm not found; install Node.js 20 or newer, which comes with npm\n" == (
        capsys.readouterr().err
    )


def test_a_prism_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Here: a program that is no JavaScript, run by whatever `node` is."""
    fake = tmp_path / "node"
    fake.write_text("#!/bin/sh\necho out of order\nexit 3\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(prism.PrismMissing, match="prism mock does not listen:\nout of order"):
        prism.Prism(tmp_path / "api.yaml", tmp_path / "log").__enter__()


def test_nothing_that_was_looked_at_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(conformance, "install", lambda: None)
    monkeypatch.setattr(conformance, "heed_interrupts", lambda: None)
    monkeypatch.setattr(conformance.Round, "run", lambda _: None)
    assert 1 == conformance.main()
    assert "wrong: nothing was looked at: requests by JSON Schema (extract), " in capsys.readouterr().out


def test_what_is_wrong_is_told_once_for_all_sids(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(self: conformance.Round) -> None:
        for kind in ("requests", "answers"):
            for judge in ("JSON Schema", "prism"):
                self.counts["extract", judge, kind] = self.counts["official", judge, kind] = 1
        self.wrong = [f"GET /{prefix}{digit * 32}.json: no" for prefix in ("PN", "CA") for digit in "ab"]

    monkeypatch.setattr(conformance, "install", lambda: None)
    monkeypatch.setattr(conformance, "heed_interrupts", lambda: None)
    monkeypatch.setattr(conformance.Round, "run", run)
    assert 1 == conformance.main()
    told = capsys.readouterr().out
    assert "wrong: GET /PN....json: no [2 times]\nwrong: GET /CA....json: no [2 times]\n" in told
    assert "nothing was looked at" not in told

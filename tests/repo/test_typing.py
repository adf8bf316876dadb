"""What mypy --strict says of programs that use the package: nothing of right ones, each mistake of wrong ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "tests" / "repo" / "typing"


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy says of both programs: one run, as most of it is reading the packages that they import.

    From another folder and without our settings, it finds the package as users' mypy does: installed, by its py.typed.
    """
    cache = tmp_path_factory.mktemp("mypy")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cache)
        options = ["--strict", "--config-file=", "--no-error-summary", "--cache-dir", str(cache)]
        told, trouble, _ = api.run([*options, *(str(path) for path in sorted(PROGRAMS.glob("*.py")))])
    assert "" == trouble
    return told


def said(program: str, output: str) -> dict[int, list[str]]:
    """Line -> the codes of its errors."""
    errors: dict[int, list[str]] = {}
    for line, code in re.findall(rf"^.*{program}:(\d+): error: .*\[([\w-]+)\]$", output, re.MULTILINE):
        errors.setdefault(int(line), []).append(code)
    return errors


def expected(program: str) -> dict[int, list[str]]:
    lines = (PROGRAMS / program).read_text(encoding="utf-8").splitlines()
    return {n: line.partition("# E: ")[2].split(", ") for n, line in enumerate(lines, 1) if "# E: " in line}


@pytest.mark.parametrize("program", ["accepted.py", "refused.py"])
def test_what_a_type_checker_says_of_a_program(program: str, output: str) -> None:
    assert expected(program) == said(program, output)


def test_it_says_nothing_else(output: str) -> None:
    assert output.count(": error: ") == sum(map(len, said("refused.py", output).values()))


def test_the_wrong_program_is_wrong_in_every_statement_that_says_so() -> None:
    assert 15 == sum(map(len, expected("refused.py").values()))
    assert {} == expected("accepted.py")

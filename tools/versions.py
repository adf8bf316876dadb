"""Run the tests with the oldest and the newest dependencies that pyproject.toml allows.

    versions.py [oldest] [newest]      both, where none is named

Each has a virtual environment of its own in `.engine/`. What pyproject.toml does not name is borrowed from `.venv`, so
that pip fetches a few packages, not all. Run by `tools/run`, which has the Pulumi engine at hand.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
import tomllib
import venv
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = ROOT / ".engine"
KINDS = ("oldest", "newest")

SMOKE = {
    "engine/test_create.py": "three_numbers_are_verified_with_one_call_each",
    "engine/test_update.py": "a_number_and_its_name_change",
    "engine/test_refresh.py": "drift_is_shown_and_corrected",
    "engine/test_import.py": "import_takes_over_exactly_that_sid",
    "engine/test_get.py": "get_reads_without_managing",
    "engine/test_preview.py": "a_preview_needs_no_credentials_and_places_no_call",
    "engine/test_provider.py": "two_accounts_in_one_stack",
    "engine/test_callbacks.py": "a_callback_ends_the_wait_at_once",
    "engine/test_interrupts.py": "once_ends_six_waits",
    "slow/upgrade/test_upgrade.py": "an_upgrade_changes_nothing",
}
"""File in `tests/`, and test: together they use everything that engine, SDK and Twilio's library do for us."""


def wanted(kind: str, ranges: Sequence[str]) -> list[str]:
    """What pip is asked for: of `name>=1.2,<3` exactly 1.2, or the newest of it."""
    if kind == "newest":
        return ["--upgrade", "--upgrade-strategy=eager", *ranges]
    return [f"{requirement.name}=={lower_bound(requirement)}" for requirement in map(Requirement, ranges)]


def lower_bound(requirement: Requirement) -> str:
    """Raises `ValueError` unless there is one: without, nobody knows what still works."""
    [lowest] = [part.version for part in requirement.specifier if part.operator == ">="]
    return lowest


def ranges_of(project: Path) -> list[str]:
    """The dependencies of a pyproject.toml, those of its extras too."""
    table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    return [*table["dependencies"], *(text for extra in table["optional-dependencies"].values() for text in extra)]


def environment(kind: str) -> Path:
    """The Python of an environment with these versions; made where it is not there, brought up to date where it is."""
    folder = ENVIRONMENTS / kind
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=False)  # pip is borrowed too
        site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
        (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    ranges = ranges_of(ROOT / "pyproject.toml")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    install = [*pip, "install", "--quiet", "--no-compile"]  # of the thousands of files, few are ever imported
    done = subprocess.run([*install, *wanted(kind, ranges)], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stderr}error: the {kind} dependencies can't be installed here.")
    if "yanked version" in done.stderr:  # which nobody gets who does not ask for exactly that one
        sys.exit(f"{done.stderr}error: a lower bound in pyproject.toml is a release that was withdrawn. Raise it.")
    subprocess.run([*install, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], check=True)
    subprocess.run([*pip, "check"], check=True, stdout=subprocess.DEVNULL)
    names = [Requirement(text).name for text in ranges]
    listed = subprocess.run([*pip, "list", "--format=freeze"], check=True, stdout=subprocess.PIPE, text=True).stdout
    print(f"{kind}:", *(line for line in listed.splitlines() if line.partition("==")[0] in names), flush=True)
    return python


def run_tests(python: Path) -> int:
    smoke = [f"tests/{file}::test_{name}" for file, name in SMOKE.items()]
    command = [str(python), "-m", "pytest", "-q", "-n", "4", "--dist", "worksteal", *smoke, "tests/unit"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def main(kinds: Sequence[str]) -> int:
    unknown = set(kinds) - set(KINDS)
    if unknown:
        sys.exit(f"error: {', '.join(sorted(unknown))}: it is {' or '.join(KINDS)}, or both where none is named")
    for kind in kinds or KINDS:
        began = time.monotonic()
        failed = run_tests(environment(kind))
        print(f"{kind}: {'FAILED' if failed else 'passed'} after {time.monotonic() - began:.0f} s", flush=True)
        if failed:
            return failed
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

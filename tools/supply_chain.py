"""Check what gets installed: that each version is exact, each licence one that we may use, and no vulnerability known.

What the project and its tools need, all the way down, is looked up among what is installed, so the licences are those
of the very versions that are pinned. Vulnerabilities are looked up by pip-audit, in PyPI's database or where its
variables PIP_AUDIT_VULNERABILITY_SERVICE and PIP_AUDIT_OSV_URL say. Where that can't be reached, one line says so.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "pulumi-twilio-caller-id"
RUN_TIME = "requirements.txt"
FILES = (RUN_TIME, "requirements-dev.txt")
SECONDS = 300

ALLOWED = frozenset(
    {
        *("MIT", "MIT-0", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "PSF-2.0", "Python-2.0", "Zlib"),
        "MPL-2.0",  # copyleft for its own files alone, which we do not change
    }
)
SPELLINGS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
LOOKED_AT: Mapping[str, str] = {
    "axe-playwright-python": "MIT AND MPL-2.0",  # it has axe-core in it
    "defusedxml": "PSF-2.0",
    "docutils": "BSD-2-Clause",  # or in the public domain; a mode for Emacs that is GPL does not get installed
}
"""Package -> licence, where its metadata tells none or in words of its own, and somebody has read the file."""

TOOLS_ALONE: Mapping[str, str] = {"pyte": "LGPL-3.0-only"}
"""Package -> licence: those that the tests run beside the project, and nobody who uses it gets."""

INSTALLER = "pip"
"""Comes with each virtual environment, and installs the rest."""

ACCEPTED: Mapping[str, str] = {}
"""Vulnerability -> why it does not matter here. For those without a fixed version."""


class NotChecked(Exception):
    """The vulnerability database gave no answer; the message says why, in a few words."""


# Versions


def lines_of(text: str) -> list[str]:
    """The requirements of a file, without comments, options (`-r`, `-e`) and markers."""
    bare = (line.partition("#")[0].partition(";")[0].strip() for line in text.splitlines())
    return [line for line in bare if line and not line.startswith("-")]


def unpinned(lines: Iterable[str]) -> list[str]:
    """What does not say exactly one version."""
    return [line for line in lines if not re.fullmatch(r"[\w.-]+(\[[\w.,-]+\])?==[\w.!+-]+", line)]


def needed(project: str, extras: Iterable[str] = ()) -> set[str]:
    """What a package brings along, all the way down, as it is installed here. Names are canonical.

    Raises `metadata.PackageNotFoundError` for what is not installed.
    """
    found: set[str] = set()
    todo = [(project, frozenset(extras))]
    seen = set(todo)
    while todo:
        name, wanted = todo.pop()
        for text in metadata.requires(name) or ():
            requirement = Requirement(text)
            marker = requirement.marker
            if marker and not any(marker.evaluate({"extra": extra}) for extra in wanted | {""}):
                continue
            found.add(canonicalize_name(requirement.name))
            entry = (requirement.name, frozenset(requirement.extras))
            if entry not in seen:
                seen.add(entry)
                todo.append(entry)
    return found


def installed(lines: Iterable[str]) -> set[str]:
    """What these requirements install: themselves and what each brings along."""
    found: set[str] = set()
    for line in lines:
        requirement = Requirement(line)
        found |= {canonicalize_name(requirement.name)} | needed(requirement.name, requirement.extras)
    return found - {INSTALLER}


def missing_pins(lines: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """What is wanted, and these requirements leave open."""
    return sorted(set(wanted) - {canonicalize_name(Requirement(line).name) for line in lines})


# Licences


def licence_of(package: str, about: Mapping[str, str], classifiers: Iterable[str] = ()) -> str:
    """As the package declares it: SPDX expression, else the old field where that is a name, else classifiers."""
    named = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License :: ")]
    field = about.get("License") or ""
    told = [LOOKED_AT.get(package), about.get("License-Expression"), field if len(field.splitlines()) == 1 else None]
    return next(filter(None, told), "") or " AND ".join(SPELLINGS.get(name, name) for name in named)


def is_allowed(licence: str) -> bool:
    """Whether an SPDX expression leaves us a way: one alternative of which all parts are allowed."""
    if licence in SPELLINGS:
        return True
    inner = re.search(r"\(([^()]*)\)", licence)
    if inner:
        return is_allowed(licence.replace(inner[0], "MIT" if is_allowed(inner[1]) else "refused"))
    ways = [re.split(r"\s+AND\s+", way.strip()) for way in re.split(r"\s+OR\s+", licence)]
    return any(all(SPELLINGS.get(part, part) in ALLOWED for part in way) for way in ways)


def refused_licences(packages: Iterable[str]) -> list[str]:
    refused = []
    for package in sorted(packages):
        about = metadata.metadata(package)
        known = {key: about[key] for key in ("License", "License-Expression") if key in about}
        licence = licence_of(package, known, about.get_all("Classifier") or ())
        if not is_allowed(licence):
            refused.append(
                f"{package} {about['Version']}: its licence {licence[:80] or '(none told)'!r} is not one of ALLOWED."
                "\n    Take another package; or read its licence and, if we may use it, add it to LOOKED_AT or ALLOWED."
            )
    return refused


# Vulnerabilities


def audit(lines: Iterable[str]) -> tuple[list[str], list[str]]:
    """What is known to be vulnerable, with what to do; and the names of which the database knows nothing.

    Raises `NotChecked` where it can't be asked, `RuntimeError` where pip-audit fails otherwise.
    """
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder, "pins.txt")
        pins.write_text("\n".join(lines), encoding="utf-8")
        command = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner=off"]
        command += ["--format=json", "--desc=off", "--requirement", str(pins)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise NotChecked(f"no answer within {SECONDS} s") from None
    try:
        found = json.loads(done.stdout)["dependencies"]
    except ValueError:
        raise failure(done.stderr) from None
    vulnerable = [
        f"{package['name']} {package['version']}: {', '.join([bug['id'], *bug.get('aliases', ())])}\n    {advice(bug)}"
        for package in found
        for bug in package.get("vulns", ())
        if not {bug["id"], *bug.get("aliases", ())} & ACCEPTED.keys()
    ]
    unknown = [package["name"] for package in found if "skip_reason" in package]
    if len(unknown) == len(found):  # as with a mirror of PyPI that has the packages alone
        raise NotChecked(f"the database has none of the {len(found)} packages")
    return vulnerable, unknown


def advice(bug: Mapping[str, list[str]]) -> str:
    fixed = bug.get("fix_versions") or []
    if not fixed:
        return "No version is fixed yet: do without the package, or say in ACCEPTED why it does not matter here."
    return f"Raise its version in {' or '.join(FILES)} to {' or '.join(fixed)}, or newer, and run the tests."


def failure(stderr: str) -> Exception:
    """Of pip-audit's traceback: whether it is the network's or the service's, with the reason that is nearest to it."""
    http = re.findall(r"^requests\.exceptions\.\w+: (.+)$", stderr, re.MULTILINE)
    if http or "pip_audit._service.interface." in stderr:
        # Without the addresses of objects, and what was tried on the way.
        return NotChecked(re.sub(r" \(Caused by .*$", "", http[-1]) if http else "the service failed")
    return RuntimeError(f"pip-audit failed:\n{stderr.strip()}")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in FILES}
    lines = [line for text in texts.values() for line in lines_of(text)]
    problems = [f"{line}: not an exact version.\n    Write NAME==VERSION." for line in unpinned(lines)]
    pinned = [line for line in lines if not unpinned([line])]
    run_time, shipped = needed(PROJECT), needed(PROJECT, ["notify", "completion"])
    tools = installed(pinned) - shipped
    open_ended = missing_pins(lines_of(texts[RUN_TIME]), run_time), missing_pins(pinned, (shipped | tools) - run_time)
    problems += [
        f"{name}: gets installed, but is not in {file}.\n    Pin it there, with the version that is tested."
        for file, names in zip(FILES, open_ended, strict=True)
        for name in names
    ]
    problems += refused_licences(shipped) + refused_licences(tools - TOOLS_ALONE.keys())
    try:
        vulnerable, unknown = audit(pinned)
    except NotChecked as reason:
        say(f"lint: vulnerabilities were NOT checked: {reason}")
    else:
        problems += vulnerable
        if unknown:
            say(f"lint: vulnerabilities were NOT checked of {', '.join(unknown)}: the database does not have it")
    for problem in problems:
        say(f"error: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""`make dist`, and what others get of it: the wheel, in a virtual environment and a project of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Callable
from email import message_from_bytes
from importlib.metadata import version
from pathlib import Path

import pytest
from readme_renderer.markdown import render

from pulumi_twilio_caller_id.sandbox.page import FILES
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.checkout import OFFLINE, copy_project, lend_packages
from tests.support.engine_setup import engine_path
from tests.support.harness import Stack
from tests.support.machine import ROOT
from tools import languages

PROGRAM = """\
import pulumi
from pulumi_twilio_caller_id import OutgoingCallerId

desk = OutgoingCallerId("front-desk", phone_number="+14155550101", friendly_name="Front desk")
pulumi.export("desk", desk.sid)
"""


def run(*command: str, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True)  # noqa: PLW1510
    assert done.returncode == 0, f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive and the wheel that is built from it, as `make dist` builds them."""
    checkout = copy_project(tmp_path_factory.mktemp("wheel") / "checkout")
    run(sys.executable, "-m", "build", "--no-isolation", cwd=checkout)
    return checkout / "dist"


@pytest.fixture(scope="module")
def environment(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(folder, with_pip=True)
    lend_packages(folder)
    [wheel] = dist.glob("*.whl")
    python = str(folder / "bin" / "python")
    run(
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--ignore-installed",
        "--no-deps",
        str(wheel),
        cwd=folder,
        env=OFFLINE,
    )
    run(python, "-m", "pip", "check", cwd=folder, env=OFFLINE)
    return folder


def test_the_wheel_holds_the_package_and_nothing_else(dist: Path) -> None:
    [wheel] = dist.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.partition("/")[0] for name in names}

    assert {"pulumi_twilio_caller_id", f"pulumi_twilio_caller_id-{version('pulumi-twilio-caller-id')}.dist-info"} == top
    assert {"pulumi_twilio_caller_id/py.typed", "pulumi_twilio_caller_id/lifecycle.py"} <= set(names)
    page = {f"pulumi_twilio_caller_id/sandbox/page_files/{path.name}" for path in FILES.iterdir()}
    rest = {name for name in names if "dist-info" not in name} - page
    assert page <= set(names)
    assert {".py", ".typed", ".json"} == {Path(name).suffix for name in rest}


def test_the_source_archive_holds_what_the_wheel_is_built_from(dist: Path) -> None:
    [archive] = dist.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        tops = {name.split("/")[1] for name in opened.getnames() if "/" in name}
    files = {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "PKG-INFO"}
    assert {"provider", "tools", *files} == tops - {".gitignore"}


def test_the_source_archive_and_the_checkout_build_the_same_wheel(dist: Path, tmp_path: Path) -> None:
    """Of the archive is the one that `make dist` makes."""
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(tmp_path), cwd=dist.parent)
    [ours], [theirs] = tmp_path.glob("*.whl"), dist.glob("*.whl")
    assert ours.read_bytes() == theirs.read_bytes()


def test_twine_has_nothing_to_say(dist: Path) -> None:
    output = run(sys.executable, "-m", "twine", "check", "--strict", *map(str, dist.iterdir()), cwd=dist)
    assert 2 == output.count("PASSED")


def test_the_packages_page_has_whole_addresses(dist: Path) -> None:
    """A package index shows README.md, and has none of the files that it links to."""
    [wheel] = dist.glob("*.whl")
    [name] = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("dist-info/METADATA")]
    metadata = message_from_bytes(zipfile.ZipFile(wheel).read(name))
    urls = dict(line.split(", ") for line in metadata.get_all("Project-URL", []))
    page = render(str(metadata.get_payload())) or ""
    pictures, links = (re.findall(f'{attribute}="(.*?)"', page) for attribute in ("src", "href"))
    tag = f"v{version('pulumi-twilio-caller-id')}"

    assert {"Repository", "Changelog", "Issues"} == urls.keys()
    assert [f"{urls['Repository']}/raw/{tag}/docs/images/{name}" for name in ("terminal.svg", "phone-ringing.png")] == (
        pictures
    )
    assert f"{urls['Repository']}/blob/{tag}/docs/reference.md" in links
    assert [] == [link for link in links if not link.startswith(("https://", "http://", "#"))]


def test_up_with_the_installed_wheel(
    make_stack: Callable[..., Stack], sandbox: Sandbox, environment: Path, tmp_path: Path
) -> None:
    where = "import pulumi_twilio_caller_id as p; print(p.__file__)"
    installed = run(str(environment / "bin" / "python"), "-c", where, cwd=tmp_path)
    assert installed.startswith(str(environment))

    path = os.pathsep.join([str(environment / "bin"), engine_path(), os.environ["PATH"]])
    stack = make_stack(environment={**sandbox.environment, "PATH": path})
    settings = stack.project / "Pulumi.yaml"
    settings.write_text(settings.read_text().replace(sys.prefix, str(environment)))
    (stack.project / "__main__.py").write_text(PROGRAM)
    stack.pulumi("install", "--no-dependencies")  # fails where Pulumi takes the package for one that needs a plugin
    stack.up()
    assert {"desk": sandbox.caller_ids[0].sid} == stack.outputs()
    stack.destroy()
    assert [] == sandbox.caller_ids


def test_a_yaml_program_by_the_commands_of_the_readme(
    make_stack: Callable[..., Stack], environment: Path, tmp_path: Path
) -> None:
    """Word for word, but for what installs the package: its environment is on PATH already. The phones are quicker."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Other languages\n", 1)[1].split("\n## ")[0]
    [program], [commands] = (re.findall(f"```{kind}\n(.*?)```", section, re.DOTALL) for kind in ("yaml", "sh"))
    install, _, commands = commands.partition("\n")
    assert install.startswith("uv tool install ")
    commands = commands.replace("sandbox --state", "sandbox --queued 0 --rings 0.1 --talks 0.1 --state")

    engine = [engine_path(), str(languages.ensure_programs())]
    path = os.pathsep.join([str(environment / "bin"), *engine, *os.get_exec_path()])
    stack = make_stack(environment={"PATH": path, "PYTHONPATH": ""})
    project = tmp_path / "empty"
    project.mkdir()
    (project / "Pulumi.yaml").write_text(program)
    printed = run("sh", "-ec", f"{commands.rstrip()} --yes", cwd=project, env=stack.variables())
    [record] = json.loads((project / "sandbox.json").read_text())["caller_ids"]
    assert "+14155550101" == record["phone_number"]
    assert f"using pulumi-resource-twilio-caller-id from $PATH at {environment}" in printed


WHERE = """\
import sys
from pathlib import Path

import pulumi_twilio_caller_id.testing


def test_the_package_is_the_one_that_is_installed(request):
    loaded = request.config.pluginmanager.get_plugin("pulumi_twilio_caller_id.pytest_plugin")
    for module in (pulumi_twilio_caller_id.testing, loaded):
        assert Path(module.__file__).is_relative_to(sys.prefix)
"""


def test_the_example_of_a_stacks_tests_passes_with_the_installed_wheel(environment: Path, tmp_path: Path) -> None:
    project, python = tmp_path / "project", str(environment / "bin" / "python")
    shutil.copytree(
        ROOT / "examples" / "testing", project, ignore=shutil.ignore_patterns(".venv", "__pycache__", "Pulumi.*.yaml")
    )
    (project / "tests" / "test_where.py").write_text(WHERE)
    outside = dict.fromkeys(("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"), "of somebody's real account")
    ran = run(
        python,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        cwd=project,
        env={
            **outside,
            "PATH": os.pathsep.join([str(environment / "bin"), engine_path(), os.environ["PATH"]]),
            "PULUMI_HOME": str(tmp_path / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
    )
    assert "5 passed" in ran, ran

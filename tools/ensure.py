"""Find a Pulumi engine, or make one, and write down in `.engine/path` the folder it is in.

Uses nothing but the standard library (and, as the last way, the Pulumi SDK). The ways, in order:

1. a `pulumi` of at least MINIMUM on PATH with its Python language host: used as it is
2. the one an earlier run made here
3. Go is there: the engine is built from the Go modules pinned in `cli/` and `language-host/`
4. the SDK's own installer fetches the official release
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

MINIMUM = (3, 254)  # the first whose import file takes a resource's inputs and outputs
HERE = Path(__file__).resolve().parent
HOME = (HERE.parent / ".engine").resolve()  # where it is a link, as in copies that tests make, it outlives the copy
BUILT = HOME / "bin"
CLI = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
LANGUAGE_HOST = "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
SDK = "github.com/pulumi/pulumi/sdk/v3"

HELP = """\
error: no Pulumi engine: {why}.
       Install Pulumi {minimum} or newer (https://www.pulumi.com/docs/install/), or Go 1.25 or newer
       (https://go.dev/doc/install) so that it can be built here, then run the same command again."""


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def version_of(pulumi: str) -> tuple[int, ...]:
    """The version of a pulumi binary, () where it can't be run or says something else."""
    quiet = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        told = subprocess.run([pulumi, "version"], capture_output=True, text=True, timeout=60, env=quiet, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", told.stdout.strip())
    return tuple(map(int, found.groups())) if found and told.returncode == 0 else ()


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def installed() -> Path | None:
    """The folder of a usable engine on PATH."""
    pulumi = shutil.which("pulumi")
    if pulumi is None or Path(pulumi).parent == BUILT:
        return None
    version = version_of(pulumi)
    if version < MINIMUM:
        say(f"engine: leaving {pulumi} alone: {dotted(version) or 'unknown version'} is older than {dotted(MINIMUM)}")
        return None
    folder = Path(pulumi).resolve().parent
    if not (folder / "pulumi-language-python").exists() and shutil.which("pulumi-language-python") is None:
        say(f"engine: leaving {pulumi} alone: its Python language host (pulumi-language-python) is missing")
        return None
    return Path(pulumi).parent


def fingerprint() -> str:
    """Changes with anything the built engine depends on, so that it is rebuilt then."""
    digest = hashlib.sha256()
    for part in ("cli/go.mod", "cli/go.sum", "language-host/go.mod", "language-host/go.sum"):
        digest.update((HERE / part).read_bytes())
    return digest.hexdigest()


def made_before() -> Path | None:
    stamp = BUILT / "fingerprint"
    if stamp.exists() and stamp.read_text() == fingerprint() and version_of(str(BUILT / "pulumi")) >= MINIMUM:
        return BUILT
    return None


def go(module: str, *args: str) -> str:
    """Run Go in one of the two modules; the module files are never written."""
    env = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-mod=readonly -buildvcs=false"}
    done = subprocess.run(["go", *args], cwd=HERE / module, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def build() -> Path:
    """Build CLI and language host into a folder beside the final one, then move it there in one step."""
    raw = HOME / f"bin.{os.getpid()}"
    shutil.rmtree(raw, ignore_errors=True)
    raw.mkdir(parents=True)
    try:
        sdk = go("cli", "list", "-m", "-f", "{{.Version}} {{.Dir}}", SDK)
        if len(sdk.split()) < 2:
            go("cli", "mod", "download", SDK)
            sdk = go("cli", "list", "-m", "-f", "{{.Version}} {{.Dir}}", SDK)
        version, source = sdk.split(maxsplit=1)
        flags = f"-s -w -X {SDK}/go/common/version.Version={version.removeprefix('v')}"
        go("cli", "build", "-o", str(raw / "pulumi"), "-ldflags", flags, CLI)
        go("language-host", "build", "-o", str(raw / "pulumi-language-python"), "-ldflags", "-s -w", LANGUAGE_HOST)
        for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
            shutil.copyfile(Path(source) / "python" / script, raw / Path(script).name)
            (raw / Path(script).name).chmod(0o755)
        (raw / "fingerprint").write_text(fingerprint())
        shutil.rmtree(BUILT, ignore_errors=True)
        raw.rename(BUILT)
    finally:
        shutil.rmtree(raw, ignore_errors=True)
    return BUILT


def fetch() -> Path:
    from pulumi.automation import PulumiCommand

    PulumiCommand.install(root=str(HOME))
    return BUILT


def ensure() -> Path:
    folder = installed()
    if folder is not None:
        return folder
    folder = made_before()
    if folder is not None:
        return folder
    why = "none is on PATH, Go is not there to build it, and the Pulumi SDK could not fetch it"
    started = time.monotonic()
    if shutil.which("go"):
        say("engine: building Pulumi from its Go modules into .engine/, as no usable `pulumi` is installed;")
        say("engine: once per checkout, about 4 minutes the first time on 2 cores, then seconds")
        try:
            folder = build()
        except (OSError, subprocess.CalledProcessError) as failed:
            why = "none is on PATH, building it with Go failed (see above), and the Pulumi SDK could not fetch it"
            say(f"engine: the build failed: {failed}")
    if folder is None:
        say("engine: fetching the official Pulumi release into .engine/, about a minute on a usual line")
        try:
            folder = fetch()
        except Exception as failed:  # the installer raises whatever its shell script or the network does
            say(f"engine: fetching failed: {str(failed).strip().splitlines()[-1] if str(failed).strip() else failed!r}")
            say(HELP.format(why=why, minimum=dotted(MINIMUM)))
            raise SystemExit(1) from None
    say(f"engine: Pulumi {dotted(version_of(str(folder / 'pulumi')))} ready after {time.monotonic() - started:.0f} s")
    return folder


if __name__ == "__main__":
    place = ensure()
    HOME.mkdir(exist_ok=True)
    (HOME / "path").write_text(str(place))

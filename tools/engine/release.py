"""Download the official release of Pulumi, and verify it by the checksum that its publisher names."""

from __future__ import annotations

import hashlib
import platform
import queue
import shutil
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from tools.engine import Unavailable
from tools.engine.progress import progress_line

RELEASES = "https://get.pulumi.com/releases/sdk"

PATIENCE = 30.0
"""Seconds for the server to begin an answer, name look-up and connection included."""

LONGEST = 600.0
"""Seconds for the whole download. On a slower line, building takes less."""

CHUNK = 1 << 18
SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
MACHINES = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}
LANGUAGES = {"python", "yaml", "nodejs", "go"}
"""Those that our programs and tests are written in."""

T = TypeVar("T")


def archive_name(version: str) -> str:
    """The name of the release's archive for this machine."""
    system, machine = SYSTEMS.get(platform.system()), MACHINES.get(platform.machine().lower())
    if system is None or machine is None:
        raise Unavailable(f"there is none for {platform.system()} on {platform.machine()}")
    return f"pulumi-v{version}-{system}-{machine}.tar.gz"


def download(version: str, folder: Path, releases: str = RELEASES, patience: float = PATIENCE) -> None:
    """Put the programs of the release that we need into `folder`. Raises Unavailable.

    The checksum comes from the same server as the archive: it finds damage on the way, TLS vouches for the server.
    """
    archive, started = archive_name(version), time.monotonic()
    host = urlsplit(releases).hostname or releases
    silence = f"no answer from {host} within {patience:g} s"
    try:
        published = within(patience, lambda: read(f"{releases}/pulumi-{version}-checksums.txt", patience))
        expected = checksum_of(archive, published)
        left = max(1.0, patience - (time.monotonic() - started))
        with within(left, lambda: open_url(f"{releases}/{archive}", patience)) as answer:
            file = folder / archive
            actual = save(answer, file, started + LONGEST)
    except TimeoutError as late:
        raise Unavailable(str(late) if "too slow" in str(late) else silence) from late
    except HTTPError as refused:
        refused.close()
        raise Unavailable(f"{host} answered {refused.code}") from refused
    except (OSError, ValueError) as failed:
        why = failed.reason if isinstance(failed, URLError) else failed
        raise Unavailable(silence if isinstance(why, TimeoutError) else f"{host}: {why}") from failed
    if actual != expected:
        raise Unavailable(f"the checksum of {archive} is wrong")
    unpack(file, folder)
    file.unlink()


def open_url(url: str, patience: float) -> IO[bytes]:
    """Request a URL. `patience` is for each step of it; `within` limits them together."""
    answer: IO[bytes] = urlopen(url, timeout=patience)  # noqa: S310 - an address of ours
    return answer


def read(url: str, patience: float) -> str:
    with open_url(url, patience) as answer:
        return answer.read().decode()


def within(seconds: float, ask: Callable[[], T]) -> T:
    """Return what `ask` returns, or raise what it raises. Raises TimeoutError if that takes too long.

    A name look-up knows no timeout. Hence the thread: it is left behind, and ends with the process.
    """
    answers: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((ask(), None))
        except BaseException as failed:
            answers.put((None, failed))

    threading.Thread(target=run, daemon=True).start()
    try:
        answer, failed = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if failed is not None:
        raise failed
    return answer  # type: ignore[return-value] # None only if T allows it


def checksum_of(archive: str, checksums: str) -> str:
    """Find an archive's SHA-256 in a file of lines `digest  name`."""
    for line in checksums.splitlines():
        digest, _, name = line.partition(" ")
        if name.strip().removeprefix("*") == archive:
            return digest.lower()
    raise ValueError(f"no checksum of {archive} is published")


def save(answer: IO[bytes], file: Path, until: float) -> str:
    """Write the answer to a file, and return its SHA-256. Raises TimeoutError if it is not complete in time."""
    digest, size = hashlib.sha256(), 0
    length = int(getattr(answer, "headers", {}).get("Content-Length") or 0)
    total = f" of {length / 1e6:.0f}" if length else ""
    with file.open("wb") as out, progress_line(lambda s: f"engine: downloaded {size / 1e6:.0f}{total} MB, {s:.0f} s"):
        while chunk := answer.read(CHUNK):
            out.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            if time.monotonic() > until:
                raise TimeoutError(f"too slow: {size / 1e6:.0f}{total} MB in {LONGEST / 60:.0f} minutes")
    return digest.hexdigest()


def unpack(archive: Path, folder: Path) -> None:
    """Take the CLI and the hosts of the LANGUAGES out of the archive, with the scripts that belong to them.

    Only the last part of a member's name counts, so none can get out of the folder.
    """
    try:
        with tarfile.open(archive) as members:
            for member in members:
                name = Path(member.name).name
                content = members.extractfile(member) if member.isfile() else None
                if content is not None and (name == "pulumi" or LANGUAGES & set(name.split("-"))):
                    with (folder / name).open("wb") as out:
                        shutil.copyfileobj(content, out)
                    (folder / name).chmod(0o755)
    except (tarfile.TarError, EOFError, OSError) as damaged:
        raise Unavailable(f"{archive.name} can't be unpacked: {damaged}") from damaged

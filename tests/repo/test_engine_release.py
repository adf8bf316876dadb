"""The official release of Pulumi, from a server on this machine: what is taken, and what is refused in time."""

from __future__ import annotations

import hashlib
import io
import socket
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.machine import free_port
from tests.support.waiting import PATIENCE
from tools.engine import Unavailable, release

VERSION = "3.274.1"
PROGRAMS = {
    "pulumi": b"#!/bin/sh\necho v3.274.1\n",
    "pulumi-language-python": b"host",
    "pulumi-language-python-exec": b"script",
    "pulumi-resource-pulumi-python": b"plugin",
    "pulumi-language-go": b"host",
    "pulumi-language-nodejs": b"host",
    "pulumi-language-yaml": b"host",
}
SHORT = 0.2  # seconds; a server that hangs never answers, however long


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


OTHERS = {"pulumi/pulumi-language-dotnet": b"", "pulumi/pulumi-watch": b""}
ARCHIVE = packed({f"pulumi/{name}": content for name, content in PROGRAMS.items()} | OTHERS)


def published(archive: bytes, digest: str | None = None) -> dict[str, bytes]:
    """What a server of releases has: the archive for this machine, and the checksums."""
    name = release.archive_name(VERSION)
    sums = f"{'0' * 64}  pulumi-v{VERSION}-plan9.tar.gz\n{digest or hashlib.sha256(archive).hexdigest()}  {name}\n"
    return {f"/{name}": archive, f"/pulumi-{VERSION}-checksums.txt": sums.encode()}


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, bytes]], str]]:
    servers = []

    def start(files: dict[str, bytes]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = files.get(self.path)
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_the_hosts_of_our_languages_are_unpacked(serve: Callable[[dict[str, bytes]], str], tmp_path: Path) -> None:
    release.download(VERSION, tmp_path, serve(published(ARCHIVE)))

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == PROGRAMS
    assert all(path.stat().st_mode & 0o111 for path in tmp_path.iterdir())


def test_a_wrong_checksum_is_refused_and_nothing_unpacked(
    serve: Callable[[dict[str, bytes]], str], tmp_path: Path
) -> None:
    with pytest.raises(Unavailable, match=r"^the checksum of pulumi-v3\.274\.1-.* is wrong$"):
        release.download(VERSION, tmp_path, serve(published(ARCHIVE, digest="f" * 64)))
    assert not (tmp_path / "pulumi").exists()


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "127.0.0.1 answered 404"),
        ({f"/pulumi-{VERSION}-checksums.txt": b"<html>Please log in</html>"}, "no checksum of pulumi-v3.274.1-"),
        ({f"/pulumi-{VERSION}-checksums.txt": b"\xff\xfe"}, "127.0.0.1: 'utf-8' codec can't decode"),
        (published(b"no archive"), "can't be unpacked"),
        (published(ARCHIVE[:-20]), "can't be unpacked"),
    ],
)
def test_an_unusable_answer_is_refused(
    serve: Callable[[dict[str, bytes]], str], tmp_path: Path, files: dict[str, bytes], why: str
) -> None:
    with pytest.raises(Unavailable) as refused:
        release.download(VERSION, tmp_path, serve(files))
    assert why in str(refused.value)


def test_a_server_that_hangs_costs_no_more_than_the_patience(silent: str, tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable, match=r"^no answer from 127\.0\.0\.1 within 0\.2 s$"):
        release.download(VERSION, tmp_path, silent, SHORT)
    assert time.monotonic() - started < PATIENCE / 2


def test_a_name_look_up_that_hangs_is_no_different(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The system's resolver takes no timeout."""
    never = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kw: never.wait())
    try:
        with pytest.raises(Unavailable, match=r"no answer from releases\.invalid within 0\.2 s"):
            release.download(VERSION, tmp_path, "http://releases.invalid", SHORT)
    finally:
        never.set()


def test_a_server_that_refuses_says_so_at_once(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"^127\.0\.0\.1: .*Connection refused"):
        release.download(VERSION, tmp_path, f"http://127.0.0.1:{free_port()}")


def test_a_line_that_is_too_slow_is_given_up(
    serve: Callable[[dict[str, bytes]], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "LONGEST", 0.0)
    with pytest.raises(Unavailable, match=r"^too slow: 0 of 0 MB in 0 minutes"):
        release.download(VERSION, tmp_path, serve(published(ARCHIVE)))


def test_no_member_of_the_archive_gets_out_of_the_folder(
    serve: Callable[[dict[str, bytes]], str], tmp_path: Path
) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    release.download(VERSION, folder, serve(published(packed({"../../pulumi": b"", "/tmp/python-absolute": b""}))))
    assert {"pulumi", "python-absolute"} == {path.name for path in folder.iterdir()}
    assert [folder] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [("Linux", "x86_64", "linux-x64"), ("Darwin", "arm64", "darwin-arm64"), ("Linux", "aarch64", "linux-arm64")],
)
def test_the_archive_is_that_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, name: str
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert f"pulumi-v{VERSION}-{name}.tar.gz" == release.archive_name(VERSION)


def test_a_machine_without_release_asks_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(Unavailable, match=r"^there is none for .* on riscv64$"):
        release.download(VERSION, tmp_path, "http://127.0.0.1:1")

"""Secrets that can be told from anything else, stacks that have them, and the search for them in all that comes out."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import sys
import threading
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Result, Stack
from tests.support.machine import free_port
from tests.support.plugin_code import IN_PLUGIN


def canary(name: str) -> str:
    """A secret of 32 hexadecimal digits, as Twilio's have: always the same one for a name."""
    return hashlib.sha256(f"canary {name}".encode()).hexdigest()[:32]


def forms(secret: str) -> dict[str, bytes]:
    """How a secret may look. Letters are compared regardless of their case, except in base64."""
    plain = secret.encode()
    looks = {
        "plain": plain,
        "in a URL": quote(secret, safe="").encode(),
        "in a form": quote_plus(secret).encode(),
        "in JSON": json.dumps(secret)[1:-1].encode(),
        "in Go's JSON": secret.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e").encode(),
        "in Python": repr(secret)[1:-1].encode(),
        "in hex": plain.hex().encode(),
    }
    # Wherever it begins in what is encoded, user name before it and all: less the characters that its neighbours share.
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + plain)
        looks[f"in base64, from byte {offset}"] = encoded[-(-offset * 8 // 6) : len(plain + b"\0" * offset) * 8 // 6]
    for name, form in list(looks.items()):
        if "base64" in name:
            looks[f"{name}, of URLs"] = form.translate(bytes.maketrans(b"+/", b"-_"))
    return looks


@dataclass(frozen=True)
class Leak:
    output: str
    canary: str
    form: str


@dataclass
class Search:
    """secrets: by name. Whatever was looked at is counted, so that a search of nothing can be told from a clean one."""

    secrets: Mapping[str, str]
    searched: dict[str, int] = field(default_factory=dict)
    leaks: list[Leak] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Most look the same in several forms: the first of them names the leak.
        self._forms = {
            (name, looks if "base64" in form else looks.lower()): form
            for name, secret in self.secrets.items()
            for form, looks in reversed(forms(secret).items())
        }

    def look(self, output: str, content: str | bytes, *, but: Iterable[str] = ()) -> None:
        """Search an output. but: the names of those that are there by right."""
        found = content.encode(errors="surrogateescape") if isinstance(content, str) else content
        self.searched[output] = self.searched.get(output, 0) + len(found)
        for part in unpacked(found):
            lower, allowed = part.lower(), set(but)
            for (name, looks), form in self._forms.items():
                if name not in allowed and looks in (part if "base64" in form else lower):
                    leak = Leak(output, name, form)
                    self.leaks += [] if leak in self.leaks else [leak]

    def look_at_files(self, output: str, folder: Path, *, but: Iterable[str] = (), besides: Iterable[Path] = ()) -> int:
        """Search all files of a folder, and their names; how many there are."""
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path not in set(besides)]
        for path in files:
            self.look(output, str(path.relative_to(folder)), but=but)
            self.look(output, path.read_bytes(), but=but)
        return len(files)

    def table(self) -> str:
        width = max(map(len, self.searched))
        lines = [f"{'output':{width}}  {'bytes searched':>14}  found"]
        for output, count in self.searched.items():
            found = sorted(f"{leak.canary} {leak.form}" for leak in self.leaks if leak.output == output)
            lines.append(f"{output:{width}}  {count:14,}  {', '.join(found) or '-'}")
        total = f"{len(self.secrets)} canaries, {len(self._forms)} forms, {sum(self.searched.values()):,} bytes"
        return "\n".join([*lines, f"{total}, {len(self.leaks)} found", ""])


def unpacked(content: bytes) -> Iterator[bytes]:
    """Bytes as they are, and what they are a gzip or a zip of."""
    yield content
    if content.startswith(b"\x1f\x8b"):
        yield gzip.decompress(content)
    elif zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from map(archive.read, archive.namelist())


@contextmanager
def command_lines(marker: str) -> Iterator[set[bytes]]:
    """Notes the command line of each process that is started meanwhile with `marker` in its environment."""
    seen: set[bytes] = set()
    ended = threading.Event()
    others = {entry.name for entry in Path("/proc").glob("[0-9]*")}

    def watch() -> None:
        while not ended.wait(0.03):
            for entry in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):  # ended meanwhile
                    if entry.name not in others and marker.encode() in (entry / "environ").read_bytes():
                        seen.add((entry / "cmdline").read_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


# Stacks

EU = "AC" + "1" * 32
NUMBER = "+14155550142"
STATE, HOME, EVENTS, TEMPORARY = "state, history, backups", "PULUMI_HOME", "--event-log", "temporary files"

SECRETS = {
    name: canary(name)
    for name in (
        "auth token", "eu token", "API secret", "callback token", "other token",
        "notify user", "notify password", "notify path", "notify query", "misspelled notify", "eu notify",
        "secret name", "status_callback password", "API password", "callback password", "proxy password",
        "other proxy password",
    )
}  # fmt: skip
PRINTED = ("secret number",)
"""A number is printed, for the person who is to hear the phone ring; kept in the clear it is not."""

GIVEN = """\
import json, os, pathlib
secrets = json.loads(pathlib.Path(os.environ["CANARIES"]).read_text())
"""


@dataclass(frozen=True)
class Watched:
    """A stack all of whose output is searched."""

    stack: Stack
    search: Search

    def __post_init__(self) -> None:
        given = self.stack.folder.parent / "canaries.json"
        given.write_text(json.dumps(SECRETS))
        self.temporary.mkdir()
        self.stack.environment |= {"CANARIES": str(given), "TMPDIR": str(self.temporary), "PULUMI_DEBUG_COMMANDS": "1"}

    @property
    def temporary(self) -> Path:
        return self.stack.folder / "temporary"

    def program(self, text: str) -> None:
        self.stack.program(GIVEN + text)

    def plugin(self, code: str, *, every: bool = False) -> None:
        """What each process of the provider, or of Python, runs before anything else."""
        folder = self.stack.folder.parent / "site"
        folder.mkdir(exist_ok=True)
        lines = "".join(f"    {line}\n" for line in (GIVEN + code).splitlines())
        where = "True" if every else IN_PLUGIN
        (folder / "sitecustomize.py").write_text(f"import sys\nif {where}:\n{lines}")
        others = os.environ.get("PYTHONPATH", "")
        self.stack.environment["PYTHONPATH"] = os.pathsep.join([str(folder), *filter(None, [others])])

    def look(self, output: str, run: Callable[..., Result], *args: str, ok: bool = True) -> str:
        """Run a command and search what it prints."""
        result = run(*args, ok=ok)
        self.search.look(output, result.untranslated or result.output, but=PRINTED)
        assert ok or result.code != 0, f"{output} did not fail:\n{result.output}"
        return result.output

    def events(self) -> tuple[str, str]:
        """The option that has a command log its events."""
        return "--event-log", str(self.stack.folder / f"events{len(self.search.searched)}")

    def look_at_files(self, but: Collection[str] = ()) -> None:
        self.search.look_at_files(STATE, self.stack.folder / "backend", but=but)
        self.search.look_at_files(HOME, self.stack.home, but=PRINTED)
        self.search.look_at_files(TEMPORARY, self.temporary)
        for log in self.stack.folder.glob("events*"):
            self.search.look(EVENTS, log.read_bytes(), but=(*PRINTED, *but))


def clean(search: Search, outputs: int) -> None:
    """Shows the table; all that was looked at had something in it, and no secret."""
    sys.stdout.write(search.table())
    assert [] == search.leaks
    assert outputs == len(search.searched)
    assert [] == [output for output, count in search.searched.items() if count == 0]


def notify_urls() -> list[str]:
    """One that Apprise sends to, where nobody listens, and one that it does not know."""
    user, password, path, query = (SECRETS[f"notify {part}"] for part in ("user", "password", "path", "query"))
    misspelled = SECRETS["misspelled notify"]
    return [
        f"json://{user}:{password}@127.0.0.1:{free_port()}/{path}?+token={query}",
        f"jsn://{misspelled}:{misspelled}@127.0.0.1/{misspelled}",
    ]


def settings(sandbox: Sandbox, kind: str) -> list[str]:
    """The arguments that set all there is in a stack's config. kind: that of the secrets."""
    plain = {"accountSid": sandbox.account_sid, "apiUrl": sandbox.url}
    secret = {
        "authToken": SECRETS["auth token"],
        "callbackAuthTokens": f"{SECRETS['callback token']},{SECRETS['other token']}",
        "notify": json.dumps(notify_urls()),
    }
    given = [("--plaintext", *item) for item in plain.items()] + [(kind, *item) for item in secret.items()]
    return [word for kind, key, value in given for word in (kind, f"twilio:{key}={value}")]


def echoing(username: str, password: str) -> str:
    """What a debugging proxy may make of a request: it shows the client what it was sent, in forms of its own."""
    basic = base64.b64encode(f"{username}:{password}".encode()).decode()
    looks = [basic, quote(basic, safe=""), {"Authorization": f"Basic {basic}", "X-Token": password}]
    return json.dumps({"code": 20003, "message": f"you sent {looks}", "status": 500})

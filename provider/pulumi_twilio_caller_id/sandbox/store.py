"""What a sandbox remembers, and the file it may keep that in.

The file is replaced as a whole, after each change, so it is never half written. It holds no auth token or API secret:
those are given anew at each start. One sandbox at a time has it: the others are refused, or, where the system has no
locks, find at their next change that somebody else wrote, and write nothing.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import re
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pulumi_twilio_caller_id.text import one_line

from .calls import Call
from .file_lock import FileLock, Owner, Taken

logger = logging.getLogger(__name__)

Format = Literal["pulumi-twilio-caller-id/sandbox"]
FORMAT: Format = "pulumi-twilio-caller-id/sandbox"
VERSION: Literal[1] = 1
BEGINNING = f'{{\n "format": "{FORMAT}"'.encode()
LARGEST = 64 * 1024 * 1024
"""Bytes of a file. A call takes some 800."""


class CallerId(BaseModel):
    """A phone number verified in an account. Times are seconds since the epoch.

    Source: Twilio docs: voice/api/outgoing-caller-ids.
    """

    model_config = ConfigDict(extra="forbid")

    sid: str = Field(pattern=r"^PN[0-9a-f]{32}$")
    account_sid: str
    phone_number: str
    friendly_name: str
    created: float
    updated: float


class State(BaseModel):
    """Everything a sandbox remembers. Lists are in the order in which things came about."""

    model_config = ConfigDict(extra="forbid")

    format: Format = FORMAT
    version: Literal[1] = VERSION
    accounts: list[str] = []
    caller_ids: list[CallerId] = []
    calls: list[Call] = []


class StateFileError(Exception):
    """A state file that cannot be used, or a state that could not be saved. The file is left as it is; the message, of
    one line, says what to do.
    """


class StateFileInUse(StateFileError):
    """Another sandbox has the file; `owner` says which, as far as it is known."""

    def __init__(self, message: str, owner: Owner) -> None:
        super().__init__(message)
        self.owner = owner


class Store:
    """A state file. `path` need not exist yet; its folder must. Several threads may use it."""

    def __init__(self, path: Path) -> None:
        self._shown = one_line(path)
        # A link stays one, and whoever comes by another name meets the same lock.
        self._file = Path(os.path.realpath(path))
        self._lock = FileLock(self._file.with_name(f".{self._file.name}.lock"))
        self._mutex = threading.RLock()
        self._content: bytes | None = None  # what we read or wrote last; None: there was no file
        self._attempt: bytes | None = None  # what we tried to write since
        self._failing = False

    def hold(self) -> None:
        """From now until `release` it is ours alone. Raises `StateFileInUse` where another sandbox has it."""
        with self._mutex:
            try:
                self._lock.acquire()
            except Taken as taken:
                raise StateFileInUse(
                    f"{self._shown} is in use by another sandbox{taken}: stop that one first, or name another file.",
                    taken.owner,
                ) from None
            except OSError as failed:
                self._check_folder()
                raise StateFileError(
                    f"{self._shown}: no file can be written in its folder ({failed.strerror}): "
                    "name a file in a folder that can be written to."
                ) from failed
            if self._lock.held:
                self._clear_up()

    def announce(self, url: str) -> None:
        """Tells whoever finds it in use where. Does nothing where it is not held."""
        with self._mutex:
            self._lock.announce(url)

    def release(self) -> None:
        """Lets others have it. Does nothing where it is not held."""
        with self._mutex:
            self._lock.release()

    def load(self) -> State:
        """The state in the file, an empty one if there is no file; raises `StateFileError`."""
        with self._mutex:
            try:
                content = self._read()
            except OSError as unreadable:
                raise StateFileError(
                    f"{self._shown} cannot be read ({unreadable.strerror}): make it readable, or name another file."
                ) from unreadable
            if content is None:
                self._check_folder()
            state = self._parse(content)
            self._content = content
            return state

    def last(self) -> State:
        """The state as it was read or saved last, whatever became of the file since."""
        with self._mutex:
            return self._parse(self._content)

    def save(self, state: State) -> None:
        """Replaces the file; after a crash either the old or the new content is there, whole.

        Raises `StateFileError` where it cannot, and then the file is as it was; of a row of failures the first is
        logged.
        """
        with self._mutex:
            try:
                with self._held():
                    self._replace(self._encoded(state))
            except StateFileError as failed:
                if not self._failing:
                    logger.error("%s", failed)  # noqa: TRY400 - a line for a person
                self._failing = True
                raise
            self._failing = False

    def _encoded(self, state: State) -> bytes:
        try:
            return f"{state.model_dump_json(indent=1)}\n".encode()
        except ValueError as unwritable:  # half of a character beyond U+FFFF, which JSON can spell
            raise self._unsaved("a text in it is not Unicode", "give another") from unwritable

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        if self._lock.held:
            yield
            return
        self.hold()
        try:
            yield
        finally:
            self.release()

    def _replace(self, content: bytes) -> None:
        if len(content) > LARGEST:
            raise self._unsaved(f"it would be larger than {LARGEST} bytes", "move it away to start anew")
        temporary = None
        try:
            if self._read() not in (None, self._content, self._attempt):
                raise self._unsaved(
                    "another program has written to it", "let one sandbox at a time use it, and start this one again"
                )
            self._attempt = content  # may be there although we are interrupted
            # In the same folder, because a rename is atomic only within one file system.
            descriptor, temporary = tempfile.mkstemp(".tmp", f".{self._file.name}.", self._file.parent)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._file)
        except OSError as failed:
            raise self._unsaved(
                failed.strerror or str(failed), f"see that {one_line(self._file.parent)} can be written to and has room"
            ) from failed
        else:
            self._content, temporary = content, None
        finally:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    Path(temporary).unlink()

    def _read(self) -> bytes | None:
        """None: there is no file. Raises `OSError`, and `StateFileError` for what is never read."""
        try:
            found = self._file.stat()
            if not stat.S_ISREG(found.st_mode):  # a pipe would keep us waiting
                raise self._unusable("it is not a file")
            with self._file.open("rb") as file:
                content = file.read(LARGEST + 1)
        except FileNotFoundError:
            return None
        if len(content) > LARGEST:
            raise self._unusable(f"it is larger than {LARGEST} bytes")
        return content

    def _parse(self, encoded: bytes | None) -> State:
        if encoded is None:
            return State()
        try:
            content = json.loads(encoded.decode("utf-8"), parse_float=_finite, parse_constant=_finite)
        except (ValueError, RecursionError) as damaged:
            raise self._unusable("it is damaged, or not JSON at all") from damaged
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise self._unusable("it was not written by the sandbox")
        if content.get("version") != VERSION:
            version = one_line(repr(content.get("version")), 40)
            raise self._unusable(f"it has version {version}, this program reads version {VERSION}")
        try:
            state = State.model_validate(content)
        except (ValidationError, RecursionError) as damaged:
            raise self._unusable(_first_fault(damaged)) from damaged
        for sids in ([record.sid for record in state.caller_ids], [call.sid for call in state.calls]):
            if len(set(sids)) < len(sids):  # one of the two would be forgotten
                raise self._unusable("it has a sid twice")
        try:
            self._encoded(state)
        except StateFileError as unwritable:
            raise self._unusable("a text in it is not Unicode") from unwritable
        return state

    def _clear_up(self) -> None:
        """Removes what a sandbox that was killed had not yet renamed; with the lock, as others may be about to."""
        ours = re.compile(re.escape(f".{self._file.name}.") + r"[a-z0-9_]{8}\.tmp")
        with contextlib.suppress(OSError):  # they do no harm
            for path in self._file.parent.iterdir():
                if ours.fullmatch(path.name) and self._has_our_beginning(path):
                    path.unlink(missing_ok=True)

    @staticmethod
    def _has_our_beginning(path: Path) -> bool:
        """Whether a file holds the beginning of a state: the name alone may be somebody else's file too."""
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as file:
            return BEGINNING.startswith(file.read(len(BEGINNING)))

    def _check_folder(self) -> None:
        # Said at the start, rather than as a failure of the first request that changes something.
        if not self._file.parent.is_dir():
            raise StateFileError(f"{self._shown}: there is no folder {one_line(self._file.parent)}; make it first")

    def _unsaved(self, reason: str, todo: str) -> StateFileError:
        return StateFileError(
            f"The sandbox's state could not be saved in {self._shown}: {reason}. Nothing was changed; {todo}."
        )

    def _unusable(self, reason: str) -> StateFileError:
        return StateFileError(
            f"{self._shown} cannot be used as the sandbox's state: {reason}. It was left untouched: "
            "move it away to start with an empty account, or name another file."
        )


def _finite(number: str) -> float:
    """JSON has no others; they would not survive the next save."""
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(number)
    return value


def _first_fault(damaged: ValidationError | RecursionError) -> str:
    if isinstance(damaged, RecursionError):
        return "it is nested too deeply"
    fault = damaged.errors(include_url=False, include_input=False)[0]
    where = one_line(".".join(str(step) for step in fault["loc"]), 80)
    return f"{where} is wrong: {one_line(fault['msg'], 120)}"

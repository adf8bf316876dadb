"""What a sandbox remembers, and the file it may keep that in.

The file is replaced as a whole, after each change, so it is never half written. It holds no auth token or API secret:
those are given anew at each start.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .calls import Call

Format = Literal["pulumi-twilio-caller-id/sandbox"]
FORMAT: Format = "pulumi-twilio-caller-id/sandbox"
VERSION: Literal[1] = 1


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
    """A state file that cannot be used. It is left as it is; the message says what to do."""


class Store:
    """A state file. `path` need not exist yet; its folder must."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> State:
        """The state in the file, an empty one if there is no file; raises `StateFileError`."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self._check_folder()
            return State()
        except OSError as unreadable:
            raise StateFileError(f"{self.path}: cannot be read ({unreadable.strerror})") from unreadable
        except (ValueError, RecursionError) as damaged:
            raise self._unusable("it is damaged, or not JSON at all") from damaged
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise self._unusable("it was not written by the sandbox")
        if content.get("version") != VERSION:
            raise self._unusable(f"it has version {content.get('version')!r}, this program reads version {VERSION}")
        try:
            return State.model_validate(content)
        except ValidationError as damaged:
            where = ".".join(str(step) for step in damaged.errors()[0]["loc"])
            raise self._unusable(f"{where} is wrong: {damaged.errors()[0]['msg']}") from damaged

    def save(self, state: State) -> None:
        """Replaces the file; after a crash either the old or the new content is there, whole."""
        # In the same folder, because a rename is atomic only within one file system.
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=self.path.parent, prefix=f".{self.path.name}.", delete=False
        ) as file:
            try:
                file.write(state.model_dump_json(indent=1))
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(self.path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise

    def _check_folder(self) -> None:
        # Said at the start, rather than as a failure of the first request that changes something.
        if not self.path.parent.is_dir():
            raise StateFileError(f"{self.path}: there is no folder {self.path.parent}; make it first")

    def _unusable(self, reason: str) -> StateFileError:
        return StateFileError(
            f"{self.path} cannot be used as the sandbox's state: {reason}. It was left untouched: "
            "move it away to start with an empty account, or name another file."
        )

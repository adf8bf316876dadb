"""What was asked of the sandbox: a list of requests, for tests to look at and for the log."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace


@dataclass
class RequestRecord:
    """One request to the API, without its credentials.

    endpoint  "create", "list", "fetch", "update", "delete", "call" or "account"; "" for anything else.
    params    the query, decoded; `form` likewise, the body of a POST. A name given twice has its last value.
    username  the AccountSid or API key it came with; "" for none.
    at        when it came, in seconds since the epoch, by the sandbox's clock.
    status    HTTP status of the answer; None while there is none, and for ever where it was dropped.
    dropped   whether the connection was closed without an answer, by a fault or as the sandbox was stopped.
    """

    method: str
    path: str
    endpoint: str
    params: dict[str, str]
    form: dict[str, str]
    username: str
    at: float
    status: int | None = None
    dropped: bool = False


class Recording:
    """All requests so far, in the order in which they came. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[RequestRecord] = []

    def arrived(self, record: RequestRecord) -> None:
        """Kept from the moment it comes: a client that gave up waiting has asked all the same."""
        with self._lock:
            self._records.append(record)

    def answered(self, record: RequestRecord, status: int) -> None:
        with self._lock:
            record.status = status

    def dropped(self, record: RequestRecord) -> None:
        with self._lock:
            record.dropped = True

    def copy(self) -> list[RequestRecord]:
        """As it is now; later requests and answers do not show in it."""
        with self._lock:
            return [replace(record, params=dict(record.params), form=dict(record.form)) for record in self._records]

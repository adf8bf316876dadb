"""How a running sandbox is made to go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .callback_plan import How, Plan
from .callbacks import Callbacks
from .faults import Endpoint, Fault
from .server import Server


class Trouble:
    """The part of `testing.Sandbox` that brings trouble about."""

    _server: Server
    _callbacks: Callbacks

    def fail(
        self,
        endpoint: Endpoint,
        *,
        status: int | None = None,
        code: int | None = None,
        message: str | None = None,
        times: int | None = None,
        retry_after: int | None = None,
        delay: float = 0.0,
        drop: Literal["before", "after"] | None = None,
        body: str | None = None,
        processed: bool = False,
        location: str | None = None,
        about: str | None = None,
        hang: bool = False,
    ) -> None:
        """The next `times` requests to an endpoint go wrong, or all of them until `heal`. See `Fault` for the rest."""
        fault = Fault(
            endpoint,
            status=status,
            code=code,
            message=message,
            times=times,
            retry_after=retry_after,
            delay=delay,
            drop=drop,
            body=body,
            processed=processed,
            location=location,
            about=about,
            hang=hang,
        )
        self._server.faults.add(fault)

    def heal(self) -> None:
        """Nothing goes wrong any more; answers that are held back go out."""
        self._server.faults.clear()

    def callbacks_go(self, how: How, *, delay: float | None = None) -> None:
        """For calls that end from now on: badly-signed with another token; late by `delay` seconds of real time, or as
        much of `advance`; early: a call that succeeds is over at once, and called back before the create is answered;
        shared-key: signed with a Webhook Rule's key instead of the auth token. `ValueError` for what makes no sense.
        """
        self._callbacks.go(Plan(how, delay))

    def send_callback(
        self, url: str, fields: Mapping[str, str], *, token: str | None = None, method: str = "POST"
    ) -> int:
        """Sends a callback made by hand, genuine or forged; gives the HTTP status of the answer. It is not recorded.

        `token` signs it, by default that of the account in the fields; "" leaves it unsigned. `ConnectionError` for no
        answer, `RuntimeError` unless the sandbox is running.
        """
        return self._callbacks.send(url, method, fields, token)

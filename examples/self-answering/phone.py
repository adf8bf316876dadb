"""A phone that answers by itself: it is told the code, and when Twilio calls the number, keys it in.

    PHONE_AUTH_TOKEN=... python phone.py +14155550101 https://phone.example.com/

The token is that of the account the number belongs to; the URL is what that account requests when the number is
called, and leads to --calls. It takes codes at --codes, which nobody but this machine should reach.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import time
from collections.abc import Mapping

from aiohttp import web
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import VoiceResponse

VERIFIER = "+14157234000"  # Twilio's calls to verify a number come from there
TITLE = re.compile(r"(?:(?P<code>\d{6}): enter on )?(?P<number>\+[\d -]*\d)")
VALID = 300.0  # seconds until a code is forgotten whose outcome nobody told
GREETING, GOODBYE = 5, 10  # seconds: what Twilio says before it listens, and until it hangs up


class Phone:
    """The phone at one number. It knows a code from when it is told until it is used, or not needed any more."""

    def __init__(self, number: str, seconds: float) -> None:
        self._number = e164(number)
        self._seconds = seconds
        self._codes: asyncio.Queue[tuple[str, float]] = asyncio.Queue()

    def told(self, title: str) -> None:
        """A notification: the code to enter, or what became of it."""
        message = TITLE.match(title)
        if message is None or e164(message["number"]) != self._number:
            return
        while not self._codes.empty():
            self._codes.get_nowait()  # of an earlier call, or not needed any more
        print("told a code" if message["code"] else "no code is waited for any more", flush=True)
        if message["code"]:
            self._codes.put_nowait((message["code"], time.monotonic() + VALID))

    async def ring(self, call: Mapping[str, str]) -> VoiceResponse:
        """A call: what the phone does."""
        response = VoiceResponse()
        expected = (call.get("From"), call.get("To")) == (VERIFIER, self._number)
        code = await self._take_code() if expected else None
        if code is None:
            response.reject()
        else:
            response.pause(length=GREETING)
            response.play(digits=code)
            response.pause(length=GOODBYE)
        print(f"{call.get('From')} called: {'rejected' if code is None else 'keyed the code in'}", flush=True)
        return response

    async def _take_code(self) -> str | None:
        """The code, once. Twilio calls at once, so the phone may ring before the code is told."""
        try:
            code, until = await asyncio.wait_for(self._codes.get(), self._seconds)
        except TimeoutError:
            return None
        return code if time.monotonic() < until else None


def e164(number: str) -> str:
    return f"+{re.sub('[^0-9]', '', number)}"


def calls(phone: Phone, url: str, auth_token: str) -> web.Application:
    """What Twilio requests when the number is called. Everybody can reach it, so only Twilio is answered."""
    validator = RequestValidator(auth_token)

    async def called(request: web.Request) -> web.Response:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        if not validator.validate(url, form, request.headers.get("X-Twilio-Signature", "")):
            raise web.HTTPForbidden(text="not signed by Twilio for this URL with this account's auth token\n")
        return web.Response(text=str(await phone.ring(form)), content_type="application/xml")

    app = web.Application()
    app.router.add_post("/{any:.*}", called)
    return app


def codes(phone: Phone) -> web.Application:
    """What Apprise's json:// sends notifications to."""

    async def notified(request: web.Request) -> web.Response:
        phone.told((await request.json())["title"])
        return web.Response()

    app = web.Application()
    app.router.add_post("/{any:.*}", notified)
    return app


async def serve(options: argparse.Namespace, auth_token: str) -> None:
    phone = Phone(options.number, options.seconds)
    for app, address in (calls(phone, options.url, auth_token), options.calls), (codes(phone), options.codes):
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        host, _, port = address.rpartition(":")
        await web.TCPSite(runner, host, int(port)).start()
    print(f"{options.number} answers: calls at {options.calls}, codes at {options.codes}", flush=True)
    await asyncio.Event().wait()  # until ^C


def main() -> None:
    parser = argparse.ArgumentParser(description="A phone that answers Twilio's verification calls by itself.")
    parser.add_argument("number", help="the number that is called, in E.164")
    parser.add_argument("url", help="the public URL of --calls: the number's voice webhook")
    parser.add_argument("--calls", default="127.0.0.1:8686", metavar="HOST:PORT", help="default %(default)s")
    parser.add_argument("--codes", default="127.0.0.1:8687", metavar="HOST:PORT", help="default %(default)s")
    parser.add_argument(
        "--seconds",
        type=float,
        default=10.0,
        help="how long it rings without a code; Twilio gives up after 15 (default 10)",
    )
    options = parser.parse_args()
    auth_token = os.environ.get("PHONE_AUTH_TOKEN", "")
    if not auth_token:  # anybody can sign with an empty one
        parser.error("PHONE_AUTH_TOKEN is not set: it is the auth token of the account that the number belongs to")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(options, auth_token))


if __name__ == "__main__":
    main()

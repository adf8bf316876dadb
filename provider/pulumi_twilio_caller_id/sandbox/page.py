"""The page on which phones ring: files of the package, served as they are, and what a browser may do with them.

The page asks nobody but the sandbox: its events are `live.py`, its buttons are the end points of `control.py`.
"""

from __future__ import annotations

import functools
from pathlib import Path

from aiohttp import web

PATH = "/"
FILES = Path(__file__).parent / "page_files"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # the next version of the package may be served at the same address
}


def add_to(app: web.Application) -> None:
    """Has the application serve the page, and its parts."""
    app.router.add_get(PATH, _page)
    app.router.add_get("/sandbox/page/{name}", _part)


async def _page(_request: web.Request) -> web.Response:
    return _file("index.html")


async def _part(request: web.Request) -> web.Response:
    if request.match_info["name"] not in _contents():
        raise web.HTTPNotFound
    return _file(request.match_info["name"])


def _file(name: str) -> web.Response:
    content_type = TYPES[Path(name).suffix]
    charset = None if content_type == "image/svg+xml" else "utf-8"
    return web.Response(body=_contents()[name], content_type=content_type, charset=charset, headers=HEADERS)


@functools.cache
def _contents() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in FILES.iterdir() if path.suffix in TYPES}

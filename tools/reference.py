"""Make the tables of docs/reference.md, and the native provider's schema, from the code: `make reference`.

The page has a pair of comments for each table, `<!-- made: NAME -->` and `<!-- end -->`. What is between them is made
here; the rest is written by hand. A test fails if the page is not what this makes.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from pulumi_twilio_caller_id import OutgoingCallerId, functions
from pulumi_twilio_caller_id.docstrings import attributes, parameters
from pulumi_twilio_caller_id.inputs import camel_case
from pulumi_twilio_caller_id.models import CallerId, OutgoingCallerIdInputs, parse_input
from pulumi_twilio_caller_id.phone_number import DEFAULT_REGION
from pulumi_twilio_caller_id.settings.sources import SETTINGS
from tools import schema

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"
MADE = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

MORE = {
    "account_sid": "accounts.md",
    "callback_url": "callbacks.md",
    "notify": "callbacks.md",
    "adopt": "importing.md",
    "unverified": "awaiting.md",
    "api_url": "sandbox.md",
}
"""The page that tells more about a setting."""

WRITTEN: list[tuple[str, object]] = [
    ("phone_number", "+1 (415) 555-0101"),
    ("phone_number", "415.555.0101"),
    ("phone_number", "1-800-FLOWERS"),
    ("phone_number", "415-555-0101 ext. 7"),
    ("phone_number", "0049 30 90182000"),
    ("friendly_name", " Zürich ☎ "),
    ("friendly_name", "Front\ndesk"),
    ("friendly_name", "Front\u202edesk"),
    ("friendly_name", "n" * 65),
    ("call_delay", 61),
    ("extension", "12,3"),
    ("status_callback", "http://localhost:8000/"),
    ("status_callback", "example.com/ended"),
    ("status_callback_method", "get"),
    ("account_sid", "SK" + "0" * 32),
]
"""Inputs with values that people write. The page shows what becomes of each."""


def table(*rows: Iterable[str]) -> str:
    """A table in Markdown. The first row has its headings."""
    head, *body = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join([head, "|---" * head.count(" | ") + "|---|", *body])


def inputs() -> str:
    told, fields = parameters(OutgoingCallerId.__init__), OutgoingCallerIdInputs.model_fields
    types = {name: str(p.annotation) for name, p in inspect.signature(OutgoingCallerId).parameters.items()}
    rows = [
        (
            f"`{name}`" + (" (required)" if field.is_required() else ""),
            f"`{camel_case(name)}`",
            f"`{re.findall('str|int|bool', types[name])[0]}`",
            told[name],
        )
        for name, field in fields.items()
    ]
    return table(("argument", "key in the template's config", "type", "what"), *rows)


def outputs() -> str:
    told = attributes(functions.CallerIdResult)
    return table(("output", "what"), *((f"`{name}`", told[name]) for name in CallerId.model_fields))


def settings() -> str:
    rows = []
    for name, setting in SETTINGS.items():
        default = str(setting.default).lower() if isinstance(setting.default, bool) else setting.default
        doc = setting.doc + (f" Default: `{default}`." if default is not None else "")
        doc += f" [More]({MORE[name]})" if name in MORE else ""
        secret = " (secret)" if setting.secret else ""
        rows.append((f"`{setting.key}`{secret}", f"`{name}`", f"`{setting.variable}`" if setting.variable else "", doc))
    return table(("in the stack's config", "argument of `Provider`", "in the environment", "what"), *rows)


def values() -> str:
    rows = []
    for name, value in WRITTEN:
        try:
            parsed = parse_input(name, value, DEFAULT_REGION, None)
            outcome = "sent as it is" if parsed == value else f"becomes `{parsed}`"
        except ValueError as refused:
            outcome = f"refused: {refused}"
        rows.append((f"`{name}`", f"`{shown(value)}`", outcome))
    return table(("input", "you write", "what becomes of it"), *rows)


def shown(value: object) -> str:
    """A value as a program writes it, with invisible characters as escapes."""
    if not isinstance(value, str):
        return str(value)
    if len(value) > 60 and len(set(value)) == 1:
        return f'"{value[0]}" * {len(value)}'
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in value) + '"'


TABLES = {function.__name__: function for function in (inputs, outputs, settings, values)}


def made(page: str) -> str:
    """The page, with each table made anew."""
    return MADE.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}\n{found[3]}", page)


def main() -> int:
    PAGE.write_text(made(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    schema.FILE.write_text(schema.made(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

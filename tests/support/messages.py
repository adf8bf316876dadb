"""The texts that the package shows to its users, as its source has them: what documentation has to cover.

Read from the syntax trees, so that a new text is found without anybody listing it.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pulumi_twilio_caller_id import errors
from tests.support.machine import PROGRAM, ROOT

PACKAGE = ROOT / "provider" / "pulumi_twilio_caller_id"
ANY = "\N{LOZENGE}"  # stands for what is known only when it happens
SHORTEST = 10  # characters of a text that can be told from others

RAISED = {
    *(name for name, it in vars(errors).items() if inspect.isclass(it) and issubclass(it, Exception)),
    *("ArgumentTypeError", "Mistake", "RunError", "ValueError"),
}
WARNED = {"_warn", "_warn_once", "warn"}


def sources() -> list[Path]:
    """The modules whose texts users see, and the project's own program. The sandbox speaks for itself."""
    return [PROGRAM, *(p for p in sorted(PACKAGE.rglob("*.py")) if p.parent.name != "sandbox")]


def messages(source: str) -> set[str]:
    """The texts of errors, refusals, warnings and of the lines on a resource's row; of each the first line."""
    texts = {_text(shown).partition("\n")[0] for shown in _shown(ast.parse(source))}
    return {text for text in texts if len(text.replace(ANY, "").strip()) >= SHORTEST}


def _shown(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in RAISED:
                yield node.args[0]
            elif name in WARNED:
                yield from node.args
            elif name in ("log", "log_once") and getattr(node.args[0], "value", None) in ("info", "warning"):
                yield node.args[1]
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and _is_property(node.elts[0]):
            yield node.elts[1]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            if getattr(node.targets[0], "id", "").endswith(("_REASONS", "_TAKES")):
                yield from node.value.values
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in (
            "AWAITING_TEXT",
            "NOT_INSTALLED",
            "UNUSABLE",
        ):
            yield node.value


def _is_property(node: ast.expr) -> bool:
    """Failures are pairs of a property and the reason."""
    return getattr(node, "value", None) in ("phone_number", "friendly_name", "import_") or (
        isinstance(node, ast.Name) and node.id == "name"
    )


def _text(node: ast.expr) -> str:
    """As far as it is known from the source."""
    if isinstance(node, ast.Constant):
        text = node.value if isinstance(node.value, str) else ANY
    elif isinstance(node, ast.JoinedStr):
        text = "".join(map(_text, node.values))
    elif isinstance(node, ast.BinOp):
        text = _text(node.left) + _text(node.right)
    else:
        text = ANY
    return text.replace("{}", ANY)


def of_error_classes() -> dict[str, str]:
    """What the errors that word themselves say, by class."""
    samples: dict[str, Any] = {"str": ANY, "int": 400}
    said = {}
    for name, kind in vars(errors).items():
        if inspect.isclass(kind) and issubclass(kind, errors.CallerIdError) and kind is not errors.CallerIdError:
            taken = [p for p in inspect.signature(kind).parameters.values() if p.default is p.empty]
            said[name] = kind(*(samples[p.annotation] for p in taken)).what
    return {name: re.sub(r"[ ']*(\N{LOZENGE}|400)[ ']*", ANY, text) for name, text in said.items()}


def pattern(text: str) -> str:
    """A regular expression for the text in a documentation that leaves out or makes up what is not known."""
    parts = [re.escape(re.sub(r"[`']", "", part).strip()) for part in text.rstrip(".").split(ANY)]
    return ".{0,150}?".join(part for part in parts if re.search(r"\w", part))

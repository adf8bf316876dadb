"""Extract the texts of docstrings, from which the schema and docs/reference.md are generated."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any


def first_paragraph(documented: object) -> str:
    """Return the first paragraph of a docstring, as one line."""
    return " ".join((inspect.getdoc(documented) or "").partition("\n\n")[0].split())


def parameters(function: Callable[..., Any]) -> dict[str, str]:
    """Return what a docstring says of each parameter, in its form `:param NAME: TEXT`."""
    found = re.findall(r"^:param (\w+): (.*?)(?=^:param|\n\n|\Z)", inspect.getdoc(function) or "", re.M | re.S)
    return {name: " ".join(text.split()) for name, text in found}


def attributes(kind: type) -> dict[str, str]:
    """Return the docstring below each attribute of a class."""
    [body] = [node.body for node in ast.parse(inspect.getsource(kind)).body if isinstance(node, ast.ClassDef)]
    return {
        attribute.target.id: " ".join(docstring.value.value.split())
        for attribute, docstring in pairwise(body)
        if isinstance(attribute, ast.AnnAssign)
        and isinstance(attribute.target, ast.Name)
        and isinstance(docstring, ast.Expr)
        and isinstance(docstring.value, ast.Constant)
        and isinstance(docstring.value.value, str)
    }

"""Check the imports within the core: none closes a circle, and none goes from a lower layer to a higher one.

The core is the package without the sandbox, the commands and what tests use. A module's floor is the length of the
longest chain of imports that begins there. Only imports that run when a module is loaded count: late imports, in a
function, are counted at the end, and those for type checking are ignored.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = "pulumi_twilio_caller_id"
FOLDER = Path(__file__).resolve().parents[1] / "provider" / PACKAGE
OUTSIDE = {"sandbox", "cli", "testing", "pytest_plugin", "__main__"}
LAYERS = (
    ("text", "errors", "cancellation"),
    ("phone_number", "shadowing", "docstrings"),
    ("inputs", "models"),
    ("settings",),
    ("api",),
    ("verification",),
    ("progress",),
    ("ownership_notes", "ownership"),
    ("context",),
    ("operations", "await_protocol", "engine", "pulumi_sdk"),
    ("lifecycle", "resource", "provider", "functions", "__init__"),
    ("native",),
)
"""Modules and folders, the lowest layer first. Each may import from its own layer and from lower ones."""


def room_of(module: str) -> str:
    """A module's folder, or the module itself if it is in none."""
    return module.partition(".")[0]


def imports(node: ast.AST, *, late: bool = False) -> Iterator[tuple[ast.ImportFrom | ast.Import, bool]]:
    """Each import statement beneath a node, and whether it is in a function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom | ast.Import):
            yield child, late
        elif not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield from imports(child, late=late or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))


def names_in(statement: ast.ImportFrom | ast.Import, module: str) -> set[str]:
    """The full names that a statement in this module imports, and those of the modules that have them."""
    if isinstance(statement, ast.Import):
        return {alias.name for alias in statement.names}
    above = f"{PACKAGE}.{module}".split(".")[: -statement.level] if statement.level else []
    source = ".".join([*above, *filter(None, [statement.module])])
    return {source} | {f"{source}.{alias.name}" for alias in statement.names}


def main(folder: Path = FOLDER) -> int:
    """Print the floors, or which imports are wrong. Returns the exit code."""
    files = {".".join(path.relative_to(folder).with_suffix("").parts): path for path in sorted(folder.rglob("*.py"))}
    core = {name: path.read_text() for name, path in files.items() if room_of(name) not in OUTSIDE}
    imported: dict[str, set[str]] = {name: set() for name in core}
    late_imports = 0
    for name, text in core.items():
        for statement, late in imports(ast.parse(text)):
            others = {other for other in files if f"{PACKAGE}.{other}" in names_in(statement, name)}
            late_imports += late and bool(others)
            imported[name] |= set() if late else others
    floors: dict[str, int] = {}
    wrong = out_of_order(imported)
    try:
        for name in TopologicalSorter(imported).static_order():
            floors[name] = 1 + max((floors[other] for other in imported.get(name, ())), default=0)
    except CycleError as failed:
        wrong.append(f"imports in a circle: {' <- '.join(failed.args[1])}")
    if wrong:
        print("\n".join(wrong))
        return 1
    for floor in sorted(set(floors.values())):
        print(f"floor {floor}: {', '.join(name for name in core if floors[name] == floor)}")
    lines = sum(text.count("\n") for text in core.values())
    print(f"{len(core)} modules in {len({*map(room_of, core)})} rooms, {lines} lines, {late_imports} late imports")
    return 0


def out_of_order(imported: Mapping[str, set[str]]) -> list[str]:
    """What is wrong with the layers of modules and of what each of them imports."""
    layer_of = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}
    unknown = [name for name in imported if room_of(name) not in layer_of]
    if unknown:
        return [f"{name} is in none of the LAYERS of tools/imports.py" for name in unknown]
    return [
        f"{name} imports {other}, which is in a higher layer"
        for name, others in imported.items()
        for other in sorted(others)
        if layer_of.get(room_of(other), len(LAYERS)) > layer_of[room_of(name)]
    ]


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))

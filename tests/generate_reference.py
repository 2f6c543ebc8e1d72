"""Write the reference of the core's public names, `docs/core-reference.md`, from their docstrings.

    PYTHONPATH=. python tests/generate_reference.py

A test holds that the page in the tree is what this script writes.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, NamedTuple

from examples import DOCS
from house import CORE, FOLDERS, dotted, folder_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["PAGE", "reference"]

COLOURS: Final = ("tasks", "threads")
"""The modules that are faces of their own: an adapter needs one of them."""

PAGE: Final = DOCS / "core-reference.md"

HEAD: Final = """\
# The core's public names

<!-- Written by tests/generate_reference.py; a test compares. -->

Every public name of `resp_sansio` and of its folders, where it is imported from, and the first words of its docstring; `help` shows
the rest. The functions of `resp_sansio.commands` are on [a page of their own](commands.md).
"""


class Name(NamedTuple):
    """A public name: how it is written, where it is defined, its docstring."""

    shown: str
    module: str
    text: str


def reference() -> str:
    """Return the page."""
    rooms: dict[Name, list[str]] = {}
    faces = sorted({*CORE.rglob("__init__.py")} - {CORE / "commands" / "__init__.py"})
    for face in [*faces, *[CORE / "surface" / f"{name}.py" for name in COLOURS]]:
        room = dotted(face.relative_to(CORE.parent))
        for name in public(face):
            rooms.setdefault(found(face, name), []).append(f"`{room}`")
    page = [HEAD]
    for folder, title in {**FOLDERS, "testing": "for tests of programs that embed the core"}.items():
        rows = [
            f"| `{name.shown}` | {', '.join(places)} | {name.text} |"
            for name, places in sorted(rooms.items(), key=lambda item: (item[0].module, item[0].shown.lower()))
            if folder_of(name.module) == folder
        ]
        if rows:
            page.append(
                f"## {title[0].upper()}{title[1:]}\n\n| Name | From | |\n|---|---|---|\n" + "\n".join(rows) + "\n"
            )
    return "\n".join(page)


def body(path: Path) -> list[ast.stmt]:
    """Return the statements of a module, and those under a condition after them."""
    statements = ast.parse(path.read_text(encoding="utf-8")).body
    conditions = [node for node in statements if isinstance(node, ast.If)]
    return [*statements, *(node for condition in conditions for node in (*condition.body, *condition.orelse))]


def public(face: Path) -> list[str]:
    """Return the names that a folder's face declares, none if it declares none."""
    declared = [node for node in body(face) if isinstance(node, ast.Assign) and names_of(node) == ["__all__"]]
    return [name for node in declared for name in ast.literal_eval(node.value) if name != "__version__"]


def names_of(node: ast.stmt) -> list[str]:
    """Return the names that a statement defines."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def found(path: Path, name: str) -> Name:
    """Return a name from where it is defined, however many faces pass it on."""
    statements = body(path)
    for place, node in enumerate(statements):
        if name in names_of(node):
            module = dotted(path.relative_to(CORE))
            return Name(shown(node, name), module, text_of(node, statements[place + 1 : place + 2], name))
    for passed in imports(statements):
        for alias in passed.names:
            if name == (alias.asname or alias.name):
                return passed_on(path, passed, alias.name)
    raise LookupError(f"{name} is not defined in {path}")


def passed_on(path: Path, node: ast.ImportFrom, name: str) -> Name:
    """Follow an import of the core's own to where the name comes from."""
    folder = path.parent
    for _ in range(node.level - 1):
        folder = folder.parent
    target = folder.joinpath(*(node.module or name).split("."))
    if target.is_dir():
        face = target / "__init__.py"
        return found(face, name) if node.module else Name(name, dotted(face.relative_to(CORE)), first(body(face)))
    return found(target.with_suffix(".py"), name)


def imports(statements: list[ast.stmt]) -> Iterator[ast.ImportFrom]:
    """Every import of the core's own."""
    return (node for node in statements if isinstance(node, ast.ImportFrom) and node.level)


def shown(node: ast.stmt, name: str) -> str:
    """Return a function with its parameters, and anything else by its name."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return name
    parameters = node.args
    star = [f"*{parameters.vararg.arg}"] if parameters.vararg else ["*"] if parameters.kwonlyargs else []
    alone = [argument.arg for argument in parameters.kwonlyargs]
    return f"{name}({', '.join([*(one.arg for one in (*parameters.posonlyargs, *parameters.args)), *star, *alone])})"


def text_of(node: ast.stmt, behind: list[ast.stmt], name: str) -> str:
    """Return the first words that are said of a definition: its docstring, or the string behind a constant; else its value."""
    words = first(node.body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) else behind)
    if not words and isinstance(node, ast.AnnAssign | ast.Assign) and node.value is not None:
        return f"`{ast.unparse(node.value)}`".replace("|", "\\|")
    if not words:
        raise LookupError(f"{name} has no docstring")
    return words


def first(statements: list[ast.stmt]) -> str:
    """Return the first paragraph of a docstring as one line, empty if there is none."""
    text = ast.get_docstring(ast.Module(body=statements, type_ignores=[])) or ""
    return " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")

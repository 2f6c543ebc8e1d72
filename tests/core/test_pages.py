"""Two pages that speak of the core's source: the reference, and the table of places. The code has what they say."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

import pytest

from examples import DOCS, ROOT, read
from generate_reference import PAGE, reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def rows(page: str) -> Iterator[list[str]]:
    """The rows of a page's tables, each as its cells."""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] != "Question":
            yield cells


ROWS: Final = [*rows(read(DOCS / "where-is-what.md"))]


def test_the_reference_is_current() -> None:
    assert read(PAGE) == reference(), "run PYTHONPATH=. python tests/generate_reference.py"


def defined(path: Path) -> Iterator[str]:
    """The names that a module defines, and those of its classes' methods as `Class.method`."""
    for node in ast.parse(read(path)).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
            yield from (f"{node.name}.{method.name}" for method in node.body if isinstance(method, ast.FunctionDef))
        elif isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def test_the_table_of_places_is_read() -> None:
    assert len(ROWS) > 40


@pytest.mark.parametrize(("files", "names"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_things_are_where_the_table_says(files: str, names: str) -> None:
    paths = [ROOT / name for name in re.findall("`(.*?)`", files)]
    assert paths
    there = {name for path in paths for name in defined(path)}
    assert set(re.findall("`(.*?)`", names)) <= there

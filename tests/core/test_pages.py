"""Pages that speak of source: the reference, the table of places, redis-py's methods. The code has what they say."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

import pytest
import redis

import generate_from_redis_py
import redis_py
import resp_sync
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


of_its_version = pytest.mark.skipif(
    redis.__version__ != redis_py.VERSION, reason=f"docs/from-redis-py.md is for redis-py {redis_py.VERSION}"
)


@of_its_version
def test_the_page_for_users_of_redis_py_is_current() -> None:
    page = read(generate_from_redis_py.PAGE)
    assert page.endswith(generate_from_redis_py.written()), "run PYTHONPATH=. python tests/generate_from_redis_py.py"


@of_its_version
def test_every_method_of_redis_py_has_a_line() -> None:
    titles = {method.title for method in generate_from_redis_py.methods()}
    client = {name for name in dir(redis.Redis) if not name.startswith("_") and callable(getattr(redis.Redis, name))}
    assert client - {*generate_from_redis_py.MODULES, "himport_registry"} <= titles
    assert len(titles) > 500


@of_its_version
def test_what_is_said_of_methods_by_hand_is_said_of_methods_that_are_there() -> None:
    titles = {method.title for method in generate_from_redis_py.methods()}
    said = redis_py.COMMANDS, redis_py.OTHERWISE, redis_py.SAID
    assert {name for table in said for name in table} <= titles


def test_a_method_without_a_word_here_is_an_error() -> None:
    new = generate_from_redis_py.Method("brand_new", "brand_new", "Redis", lambda self: self.execute_command("NEW"))
    with pytest.raises(LookupError, match="does not say what does the same as redis-py's brand_new"):
        generate_from_redis_py.counterpart(new)
    assert [title for title in redis_py.OTHERWISE if generate_from_redis_py.functions_named(title)] == []


def test_functions_that_the_page_names_are_there() -> None:
    names = {each.name for each in generate_from_redis_py.functions()}
    there = names | {*dir(resp_sync), *dir(resp_sync.Client), *dir(resp_sync.Connection)} | {"Command", "with", "retry"}
    named = {name for text in redis_py.OTHERWISE.values() for name in re.findall(r"`(\w+)", text)}
    assert named - there <= {"cluster_", "sentinel_"}
    gone = [name for name, text in redis_py.OTHERWISE.items() if text.startswith("none") and "()." not in name]
    assert [name for name in gone if hasattr(resp_sync.Client, name)] == []

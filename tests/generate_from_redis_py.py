"""Write the end of `docs/from-redis-py.md`: each command method of the installed redis-py, and what does the same here.

    PYTHONPATH=. python tests/generate_from_redis_py.py

A method's command stands in its source: its counterparts are the builders of that command, and those of the same name. `redis_py`
says what cannot be found out so. A test holds that the page is what this script writes.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from functools import cache
from math import inf
from textwrap import dedent
from typing import Any, Final, NamedTuple

import redis
from redis.commands.cluster import ClusterManagementCommands, ClusterMultiKeyCommands

import redis_py
from examples import DOCS
from generate_commands_page import all_builders, command_of, reasons
from generate_methods import Builder
from resp_sansio import LocalProtocolError, Needs
from resp_sansio.client.lanes import route
from resp_sansio.commands.knowledge import command_info
from resp_sansio.commands.table import TABLE
from resp_sansio.connection.stateful import new_slot

PAGE: Final = DOCS / "from-redis-py.md"
START: Final = "## Method by method\n"

MODULES: Final = ("json", "ft", "ts", "bf", "cf", "cms", "topk", "tdigest", "vset")
"""Methods of a client that return an object with the commands of a module."""

HOMES: Final = ("redis.client", "redis.commands.core", "redis.commands.sentinel")
OF_CLUSTERS: Final = (ClusterManagementCommands, ClusterMultiKeyCommands)

IS_COMMAND: Final = re.compile(r"[A-Z0-9_.]+(?: [A-Z0-9_-]+)*")


class Method(NamedTuple):
    """A method of redis-py: how it is called (`json().get`), and the function."""

    title: str
    name: str
    group: str
    function: Callable[..., Any]


def methods() -> list[Method]:
    """Return every command method of a client, of a cluster's, and of modules, in redis-py's order; a name stands once."""
    kinds = [kind for kind in redis.Redis.__mro__ if kind.__module__ in HOMES]
    found = [Method(name, name, kind.__name__, each) for kind in [*kinds, *OF_CLUSTERS] for name, each in own(kind)]
    client = redis.Redis()
    for module in MODULES:
        for kind in type(getattr(client, module)()).__mro__:
            if kind.__module__.startswith("redis.commands") and kind.__name__ != "AbstractBloom":
                found += [Method(f"{module}().{name}", name, module, each) for name, each in own(kind)]
    once = dict.fromkeys(method.title for method in found)
    return [next(method for method in found if method.title == title) for title in once]


def own(kind: type) -> list[tuple[str, Callable[..., Any]]]:
    """Return the public methods that a class defines itself, in its order."""
    return [
        (name, inspect.unwrap(getattr(kind, name)))
        for name, found in vars(kind).items()
        if not name.startswith("_") and (inspect.isfunction(found) or isinstance(found, classmethod | staticmethod))
    ]


def command_in(method: Method) -> str:
    """Return the command that a method sends, as its source says, empty if it does not."""
    if method.title in redis_py.COMMANDS:
        return redis_py.COMMANDS[method.title]
    tree = ast.parse(dedent(inspect.getsource(method.function)))
    known = getattr(method.function, "__globals__", {})
    found: list[tuple[bool, int, str]] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call | ast.List):
            continue
        words = node.args if isinstance(node, ast.Call) else node.elts
        if words and (word := text(words[0], known)) and IS_COMMAND.fullmatch(word):
            called = isinstance(node, ast.Call) and "execute" in ast.unparse(node.func)
            found.append((not called, node.lineno, word))
    commands = [name for word in [word for *_, word in sorted(found)] if (name := sent(word))]
    return commands[0] if commands else ""


def is_refused(method: Method) -> bool:
    """Tell whether redis-py has the method only to say that it has not."""
    (function,) = ast.parse(dedent(inspect.getsource(method.function))).body
    return isinstance(function, ast.FunctionDef) and any(isinstance(line, ast.Raise) for line in function.body)


def text(node: ast.expr, known: dict[str, Any]) -> str:
    """Return the text that an expression stands for: a literal, or a constant of the module."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    value = known.get(node.id) if isinstance(node, ast.Name) else None
    return value if isinstance(value, str) else ""


def sent(word: str) -> str:
    """Return the name of a command as the table has it, empty if it has none."""
    return next((name for name in (word, word.replace("_", "-")) if name in TABLE), "")


@cache
def functions() -> list[Builder]:
    """Return all builders."""
    return all_builders()


def functions_of(command: str) -> list[Builder]:
    """Return the builders of a command; of one that has subcommands, those of all of them."""
    many = TABLE.get(command, "").startswith("c") and command != "COMMAND"
    return [
        each
        for each in functions()
        if command_of(each) == command or (many and command_of(each).startswith(f"{command} "))
    ]


def functions_named(name: str) -> list[Builder]:
    """Return the builder of this name, if it is there."""
    return [each for each in functions() if each.name == name]


def counterpart(method: Method) -> tuple[str, str]:
    """Return what does the same as a method, and how it differs: functions, or why there is none.

    Raises `LookupError` if neither is known.
    """
    said = [redis_py.SAID.get(method.title, "")]
    if is_refused(method):
        said.append("redis-py raises `NotImplementedError`")
    named = functions_named(method.name) if method.name == method.title else []
    if method.title in redis_py.OTHERWISE and not named:
        return redis_py.OTHERWISE[method.title], "; ".join(filter(None, said))
    command = command_in(method)
    if found := list({each.name: each for each in [*named, *functions_of(command)]}.values()):
        said.append(where(found))
        if method.title not in redis_py.OBJECTS:
            said.append(options(method, found, said[0] + redis_py.NOTES.get(method.group, "")))
        return ", ".join([f"`{each.name}`" for each in found]), "; ".join(filter(None, said))
    if command not in reasons():
        raise LookupError(f"tests/redis_py.py does not say what does the same as redis-py's {method.title}")
    return reasons()[command], "; ".join(filter(None, said))


def where(builders: list[Builder]) -> str:
    """Say so of a command that a client and a pool do not take alone, for it belongs to one connection."""
    for each in builders:
        words = (*command_of(each).split(), "1", "1")
        try:
            route(new_slot(words, None, inf))
        except LocalProtocolError:
            piped = "in a pipeline, or " if command_info(words).needs is Needs.NEIGHBOURS else ""
            return f"{piped}on [one connection](#clients-pools-connections)"
    return ""


def options(method: Method, builders: list[Builder], said: str) -> str:
    """Return the options that one side alone has, and of which nothing is said. A part of a function's name is one, too."""
    parameters = inspect.signature(method.function).parameters
    theirs = {plain(name): each.default is not each.empty for name, each in parameters.items()}
    ours = {plain(each.name): each.by_keyword for builder in builders for each in builder.parameters}
    parts = {part for builder in builders for part in builder.name.split("_")[1:]}
    spoken = {
        plain(name) for code in re.findall(r"`(.*?)`", said) for name in re.findall(r"\w+", code)
    } | redis_py.DROPPED
    known = {*ours, *spoken}
    there = [
        f"`{name}`"
        for name, option in theirs.items()
        if option and name not in known and name.replace("_", "") not in parts
    ]
    here = [f"`{name}`" for name, option in ours.items() if option and name not in {*theirs, *spoken}]
    return "; ".join([f"{side}: {', '.join(names)}" for side, names in (("there", there), ("here", here)) if names])


def plain(name: str) -> str:
    """Return an option's name as both sides could have it."""
    return redis_py.OPTIONS.get(name, name)


def written() -> str:
    """Return the end of the page."""
    page = START + redis_py.ABOUT.format(version=redis_py.VERSION)
    group = ""
    for method in methods():
        if method.group != group:
            group = method.group
            page += f"\n### {redis_py.TITLES[group]}\n\n"
            page += f"{redis_py.NOTES[group]}\n\n" if group in redis_py.NOTES else ""
            page += "| redis-py | Here | Difference |\n|---|---|---|\n"
        here, difference = counterpart(method)
        page += f"| `{method.title}` | {here} | {difference} |\n"
    return page


def main() -> None:
    """Write it."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page[: page.index(START)] + written(), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Families of commands, a module of this folder for each group of builders, and how one is run on a real server.

A family is commands in their order, each with what it returns on a server that was empty before the first of them: a value, whose
type counts as well, `Like` for what is not the same each time, or `Refused` for an error. A third thing in a row is what redis-py
makes of that command, as a function of its client: it must return an equal value.

    Family(
        "fields that expire",
        [
            (commands.hset("h", "f", "v"), 1),
            (commands.hgetall("h"), {b"f": b"v"}, lambda redis: redis.hgetall("h")),
        ],
        needs=("Redis 7.4 or Valkey 9.0",),
    )

`needs` are those of the mark `needs`: where a server lacks one, the family counts as not run.
"""

from __future__ import annotations

import contextlib
from importlib import import_module
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import pytest

from resp_sansio import Command, ReplyError, commands

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from resp_sync import Connection

__all__ = ["FAMILIES", "SOURCES", "Family", "Like", "Refused", "Step", "check", "check_redis_py", "check_text", "each"]

Step: TypeAlias = "tuple[Command[Any], object] | tuple[Command[Any], object, Callable[[Any], object]]"


NO_TEXT: Final = {"DUMP", "FUNCTION DUMP", "VEMB"}
"""Commands whose result is binary data."""


class Like:
    """What is not the same each time: a value of this type of which something holds."""

    def __init__(self, kind: type, holds: Callable[[Any], object] = bool) -> None:
        self.kind, self.holds = kind, holds


class Refused(NamedTuple):
    """In place of a result: the server answers with an error of this code."""

    code: str


class Family(NamedTuple):
    """Commands that are run one after the other, on servers that offer what they need."""

    name: str
    steps: Sequence[Step]
    needs: tuple[str, ...] = ()

    @property
    def compares(self) -> bool:
        """Whether a row has something to do for redis-py."""
        return any(len(step) == 3 for step in self.steps)


def check(connection: Connection, family: Family) -> None:
    """Run a family: each result is what is expected, with the same types."""
    run(connection, family.steps)


def check_text(connection: Connection, family: Family) -> None:
    """Run a family as a client of text would: all data in what is expected is text, but for what is none."""
    run(
        connection,
        [
            (command, expected)
            if command.info.name in NO_TEXT
            else (commands.text(command, errors="surrogateescape"), in_text(expected))
            for command, expected, *_ in family.steps
        ],
    )


def run(connection: Connection, steps: Sequence[Step]) -> None:
    for command, expected, *_ in steps:
        if isinstance(expected, Refused):
            with pytest.raises(ReplyError) as caught:
                connection.execute(command)
            assert caught.value.code == expected.code, command
            continue
        result = connection.execute(command)
        if isinstance(expected, Like):
            assert type(result) is expected.kind, command
            assert expected.holds(result), command
        else:
            assert exact(result) == exact(expected), command


def check_redis_py(connection: Connection, redis_py: object, family: Family) -> None:
    """Run a family; where a row says how, redis-py executes the command in our place, and returns what is expected."""
    for command, expected, *theirs in family.steps:
        if theirs:
            result = theirs[0](redis_py)
            assert expected.holds(result) if isinstance(expected, Like) else result == expected, command
        else:
            with contextlib.suppress(*[ReplyError] * isinstance(expected, Refused)):
                connection.execute(command)


def in_text(value: Any) -> Any:
    """The same with text for all data. Of what is not the same each time, only the type is known then."""
    match value:
        case Like():
            return Like(str if value.kind is bytes else value.kind, lambda _: True)
        case bytes():
            return value.decode("utf-8", "surrogateescape")
        case dict():
            return {in_text(key): in_text(item) for key, item in value.items()}
        case tuple() if hasattr(value, "_make"):
            return type(value)._make(map(in_text, value))
        case list() | tuple() | set():
            return type(value)(map(in_text, value))
        case _:
            return value


def exact(value: object) -> object:
    """A value with its types: `True == 1` proves nothing."""
    match value:
        case dict():
            return dict, frozenset((exact(key), exact(item)) for key, item in value.items())
        case list() | tuple():
            return type(value), tuple(map(exact, value))
        case set():
            return set, frozenset(map(exact, value))
        case float() if isnan(value):
            return float, "NaN"
        case _:
            return type(value), value


SOURCES: Final = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted(Path(__file__).parent.glob("*.py"))
    if path.stem != "families"
}
"""The modules' sources, by their groups."""

FAMILIES: Final[list[Family]] = [
    family for group in SOURCES for family in getattr(import_module(f"adapters.typed.{group}"), "FAMILIES", [])
]


def each(families: Sequence[Family]) -> Any:
    """Return the families as what a test goes through, which counts as not run where a server lacks what one needs."""
    return [pytest.param(family, id=family.name, marks=pytest.mark.needs(*family.needs)) for family in families]

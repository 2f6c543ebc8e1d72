"""Builders as methods: the same list everywhere, with the builder's parameters and docstring, one call in front of `execute`."""

from __future__ import annotations

import inspect
from math import inf
from typing import Any

import pytest

from resp_sansio import Command, CommandBatch, Config, Methods, commands

BUILDERS = sorted(
    name
    for name, build in inspect.getmembers(commands, inspect.isfunction)
    if build.__module__ == commands.__name__ and not name.startswith("_") and name != "text"
)


class Surface(Methods):
    """Executes nothing, and says what it was given."""

    __slots__ = ()

    def execute(self, command: Command[Any], /) -> Any:
        return command


class Pipeline(CommandBatch, Methods):
    """A pipeline as adapters make them."""


def test_there_is_a_method_for_each_builder_and_no_other() -> None:
    assert sorted(name for name in vars(Methods) if not name.startswith("_")) == BUILDERS


def test_nothing_is_in_the_way_of_a_batch() -> None:
    assert not [name for name in BUILDERS if hasattr(CommandBatch, name)]


@pytest.mark.parametrize("name", BUILDERS)
def test_a_method_shows_itself_as_its_builder_does(name: str) -> None:
    build, method = getattr(commands, name), getattr(Surface(), name)
    parameters = inspect.signature(build).parameters
    assert [*inspect.signature(method).parameters.items()] == [*parameters.items()]
    assert [*inspect.signature(getattr(Surface, name)).parameters] == ["self", *parameters]
    assert inspect.getdoc(method) == inspect.getdoc(build)
    assert (method.__name__, method.__qualname__) == (name, f"Methods.{name}")


def test_a_method_executes_what_its_builder_makes() -> None:
    made: Any = Surface().set("k", "v", ex=5, nx=True)
    assert made.args == ("SET", "k", "v", "NX", "EX", 5)
    assert made.read is commands.set("k", "v").read
    assert Surface().mget("k", "l") == commands.mget("k", "l")
    with pytest.raises(TypeError, match=r"get\(\) missing 1 required positional argument: 'key'"):
        Surface().get()  # type: ignore[call-arg]


def test_a_pipeline_gives_results() -> None:
    pipe = Pipeline(Config(decode=True))
    first, second = pipe.incr("n"), pipe.hgetall("h")
    slot = pipe.slot(inf)
    assert slot
    slot.replies += [7, [b"f", b"v"]]
    pipe.answered(slot, 2)
    assert (first.result(), second.result()) == (7, {b"f": b"v"})

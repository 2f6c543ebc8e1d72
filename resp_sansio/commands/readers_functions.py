"""What the server says of functions and their libraries."""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

from ..wire.values import Reply
from .decoding import RAW, Binary
from .readers import bulk
from .readers_own import Record, own, pairs_of

__all__ = ["EngineStats", "FunctionInfo", "FunctionStats", "Library", "RunningScript"]


class FunctionInfo(TypedDict):
    """A function. A field that this version does not know is kept as it came."""

    name: str
    description: str | None
    flags: set[str]


class Library(TypedDict):
    """A library of functions. A field that this version does not know is kept as it came."""

    library_name: str
    engine: str
    functions: list[FunctionInfo]
    library_code: NotRequired[str]


class RunningScript(TypedDict):
    """A function or script that runs: its name, its words, and for how many milliseconds it has run."""

    name: str
    command: list[str]
    duration_ms: int


class EngineStats(TypedDict):
    """How much there is of an engine's."""

    libraries_count: int
    functions_count: int


class FunctionStats(TypedDict):
    """What runs now, None if nothing does, and how much there is, by engine."""

    running_script: RunningScript | None
    engines: dict[str, EngineStats]


def _functions(reply: Reply, _text: object = None) -> list[FunctionInfo]:
    """Functions by name: the server has no order of them."""
    return sorted(FUNCTION.each(reply), key=lambda function: function["name"])


def _running(reply: Reply, _text: object = None) -> RunningScript | None:
    return None if reply is None else RUNNING(reply)


def _engines(reply: Reply, _text: object = None) -> dict[str, EngineStats]:
    return {own(name): ENGINE(found) for name, found in pairs_of(reply)}


FUNCTION: Final = Record(FunctionInfo)
LIBRARY: Final = Record(Library, functions=_functions)
RUNNING: Final = Record(RunningScript)
ENGINE: Final = Record(EngineStats)
STATS: Final = Record(FunctionStats, running_script=_running, engines=_engines)


def libraries(reply: Reply, _text: object = None) -> list[Library]:
    """The libraries."""
    return LIBRARY.each(reply)


def function_statistics(reply: Reply, _text: object = None) -> FunctionStats:
    """What runs, and how much there is."""
    return STATS(reply)


def binary(reply: Reply, _text: object = None) -> Binary:
    """Bytes that are never text."""
    return bulk(reply, RAW)

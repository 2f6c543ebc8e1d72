"""The arguments of commands about the server: options that are a name with a value each."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..wire.encoder import Argument
from .arguments import Fields, in_turn, is_int, require
from .words import text_of

__all__ = [
    "Logged",
    "Restoring",
    "configured",
    "counted",
    "excluded",
    "followed",
    "on_or_off",
    "skipping",
    "sooner_or_later",
    "valued",
    "yes_no",
]

Logged: TypeAlias = Literal["slow", "large-request", "large-reply"]
"""Why a command is in the log of commands."""

Restoring: TypeAlias = Literal["APPEND", "FLUSH", "REPLACE"]
"""What is done with libraries that there are, when others are restored."""


def valued(**options: Argument | None) -> list[Argument]:
    """Return name and value of the options that are given: `lib_name="x"` is LIB-NAME x."""
    return [
        word for name, value in options.items() if value is not None for word in (name.upper().replace("_", "-"), value)
    ]


def followed(name: str, values: tuple[Argument, ...]) -> tuple[Argument, ...]:
    """Return an option with all its values, nothing if there are none."""
    return (name, *values) if values else ()


def counted(command: str, /, **options: int | None) -> list[Argument]:
    """As `valued`, for those that must be ints. The encoder would take text as well, which might be read as an option."""
    for name, value in options.items():
        require(value is None or is_int(value), command, name, "an int", value)
    return valued(**options)


def flag(command: str, name: str, value: bool) -> bool:
    """Return a flag that is one of True and False."""
    require(value is True or value is False, command, name, "True or False", value)
    return value


def on_or_off(command: str, enabled: bool) -> str:
    """Return the word for a flag that must be given."""
    return "ON" if flag(command, "enabled", enabled) else "OFF"


def yes_no(command: str, name: str, value: bool) -> str:
    """Return the other word for one."""
    return "YES" if flag(command, name, value) else "NO"


def skipping(command: str, skipme: bool | None) -> list[Argument]:
    """Return the words for whether this connection is to be left out."""
    return [] if skipme is None else ["SKIPME", yes_no(command, "skipme", skipme)]


def sooner_or_later(command: str, asynchronous: bool, sync: bool) -> tuple[str, ...]:
    """Return the word for when to free what was deleted: later, now, or as the server is set."""
    if flag(command, "asynchronous", asynchronous) and flag(command, "sync", sync):
        raise ValueError("asynchronous and sync exclude each other")
    return ("ASYNC",) if asynchronous else ("SYNC",) if flag(command, "sync", sync) else ()


def excluded(command: str, but_not: Fields) -> list[Argument]:
    """Return the words of filters turned round: `{"name": "x"}` is NOT-NAME x."""
    parts = in_turn(command, "but_not", but_not)
    for index in range(0, len(parts), 2):
        if isinstance(name := parts[index], (str, bytes)):  # all else is the encoder's to refuse
            parts[index] = f"NOT-{text_of(name).upper().replace('_', '-')}"
    return parts


def configured(command: str, config: Fields) -> list[Argument]:
    """Return the words of a module's settings: CONFIG, name and value of each."""
    parts = in_turn(command, "config", config)
    return [word for name, value in zip(parts[::2], parts[1::2], strict=True) for word in ("CONFIG", name, value)]

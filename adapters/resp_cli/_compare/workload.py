"""The load: a mix of commands over keys of the comparison's own, with values of one size or several.

All of it is drawn beforehand and from a seed, so that each run of a comparison asks the same, and drawing costs no run anything.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple, Protocol, TypeAlias

__all__ = ["COMMANDS", "Drawn", "Load", "Operation", "Weighted", "words_of_size", "workload"]

Weighted: TypeAlias = tuple[tuple[str, int], ...]
"""Things that are drawn, each with its weight."""

STREAM: Final = 5000
"""Operations that are drawn. The callers repeat them, each from another place on."""


class Operation(NamedTuple):
    """What a caller asks at a time: the words of a command, and whether it carries one of the small values."""

    words: tuple[bytes, ...]
    small: bool


class Load(Protocol):
    """What is to be compared: a workload that is drawn, or a recording."""

    def before(self) -> Iterator[tuple[bytes, ...]]:
        """Return the commands that prepare the keys."""

    def operations(self) -> list[Operation]:
        """Return what callers ask, again and again, each from another place on."""

    def describe(self) -> str:
        """Say in a line what it is."""

    @property
    def spread(self) -> float:
        """How many times as large as the smallest value the largest is."""


class Known(NamedTuple):
    """A command of the mix: the type of its key, and its words, in which `key` and `value` stand for what is drawn."""

    type: str
    words: tuple[str, ...]


COMMANDS: Final = {
    "get": Known("string", ("GET", "key")),
    "set": Known("string", ("SET", "key", "value")),
    "mget": Known("string", ("MGET", *["key"] * 10)),
    "incr": Known("counter", ("INCR", "key")),
    "hget": Known("hash", ("HGET", "key", "field")),
    "hset": Known("hash", ("HSET", "key", "field", "value")),
    "sadd": Known("set", ("SADD", "key", "value")),
    "zadd": Known("zset", ("ZADD", "key", "1", "value")),
    "ping": Known("", ("PING",)),
}
"""All of them leave the number of keys and their sizes as they are, however often they run."""

PREPARED: Final = {"string": ("SET", "key", "value"), "hash": ("HSET", "key", "field", "value")}
"""Keys of these types have their values from the beginning, so that reading commands find some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A workload: commands with their weights, sizes of values in bytes with theirs, and the number of keys of each type."""

    prefix: str
    mix: Weighted
    sizes: Weighted
    keys: int

    def before(self) -> Iterator[tuple[bytes, ...]]:
        """Return the commands that prepare the keys."""
        sizes = self._sizes()
        for kind, words in PREPARED.items():
            if any(COMMANDS[name].type == kind for name, _ in self.mix):
                for number in range(self.keys):
                    yield self._words(words, kind, [number], sizes[number])

    def operations(self) -> list[Operation]:
        """Return what callers ask, again and again, each from another place on."""
        draw, sizes = random.Random("operations"), self._sizes()
        smallest = min(sizes)
        names, weights = zip(*self.mix, strict=True)
        drawn = []
        for name in draw.choices(names, weights, k=STREAM):
            known = COMMANDS[name]
            numbers = [draw.randrange(self.keys) for word in known.words if word == "key"] or [0]
            size = max(sizes[number] for number in numbers)
            small = size == smallest or known.type not in PREPARED
            drawn.append(Operation(self._words(known.words, known.type, numbers, size), small))
        return drawn

    def describe(self) -> str:
        """Say in a line what it is: `get:80,set:20, values of 100 bytes, 1,000 keys`."""
        mix = ",".join(f"{name}:{weight}" for name, weight in self.mix)
        sizes = " and ".join(
            f"{int(size):,} bytes" + (f" ({weight / sum(one for _, one in self.sizes):.0%})" if self.spread > 1 else "")
            for size, weight in self.sizes
        )
        return f"{mix}; values of {sizes}; {self.keys:,} keys"

    @property
    def spread(self) -> float:
        """How many times as large as the smallest value the largest is."""
        sizes = [int(size) for size, _ in self.sizes]
        return max(sizes) / max(1, min(sizes))

    def _sizes(self) -> list[int]:
        """Return the size of each key's value: always the same, and each size where there are keys enough."""
        names, weights = zip(*self.sizes, strict=True)
        return [int(size) for size in random.Random("sizes").choices(names, weights, k=self.keys)]

    def _words(self, words: tuple[str, ...], kind: str, numbers: list[int], size: int) -> tuple[bytes, ...]:
        left = iter(numbers)
        value, keys = _value(size), f"{self.prefix}{kind}:"
        return tuple(
            f"{keys}{next(left)}".encode() if word == "key" else value if word == "value" else word.encode()
            for word in words
        )


@cache
def _value(size: int) -> bytes:
    """Return a value of this size: one for all operations, of which there are thousands."""
    return b"x" * size


def workload(text: str) -> Weighted:
    """Read `get:80,set:20`; a weight that is not said is 1. `ValueError` if it makes no sense."""
    mix = _weighted(text)
    for name, _ in mix:
        if name not in COMMANDS:
            raise ValueError(f"no command {name!r} here; there are {', '.join(COMMANDS)}")
    return mix


def words_of_size(text: str) -> Weighted:
    """Read sizes in bytes, `100` or `100:99,100000:1`. `ValueError` if they make no sense."""
    sizes = _weighted(text)
    for size, _ in sizes:
        if not size.isascii() or not size.isdigit() or int(size) > 512 * 1024 * 1024:
            raise ValueError(f"{size!r} is no size in bytes, from 0 to 512 MiB")
    return sizes


def _weighted(text: str) -> Weighted:
    found = []
    for part in text.lower().split(","):
        name, _, weight = part.strip().partition(":")
        if not name or (weight and not (weight.isascii() and weight.isdigit() and int(weight))):
            raise ValueError(f"{part!r} is neither NAME nor NAME:WEIGHT with a weight above 0")
        found.append((name, int(weight or 1)))
    return tuple(found)

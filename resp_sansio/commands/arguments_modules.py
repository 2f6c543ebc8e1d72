"""The arguments of commands on vector sets, and on what remembers items only roughly, as words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from ..wire.encoder import Argument
from .arguments import given, in_turn, integers, is_int, is_number, named, numbers, require

__all__ = ["Counts", "Vector", "counts_in_turn", "dimensions", "filling", "similar_to", "similarity", "vector_words"]

Vector: TypeAlias = Sequence[float] | bytes
"""A vector: numbers, or the bytes of 32-bit floats, the lowest byte first."""

Counts: TypeAlias = Mapping[Any, int]
"""Items with how often each is to be counted."""


def vector_words(command: str, vector: Vector) -> list[Argument]:
    """Return the words of a vector."""
    if isinstance(vector, (bytes, bytearray, memoryview)):
        return ["FP32", vector]
    numbers: object = vector
    right = isinstance(numbers, Sequence) and not isinstance(numbers, str) and all(map(is_number, numbers))
    require(right, command, "vector", "a sequence of numbers, or bytes", vector)
    return ["VALUES", len(vector), *vector]


def similar_to(command: str, vector: Vector | None, ele: Argument | None) -> list[Argument]:
    """Return the words for what to look for: what resembles a vector, or an element."""
    if (vector is None) == (ele is None):
        raise ValueError(f"give {command} either a vector or ele")
    if ele is not None:
        return ["ELE", ele]
    return vector_words(command, vector) if vector is not None else []


def similarity(
    command: str,
    count: int | None,
    epsilon: float | None,
    ef: int | None,
    filter: Argument | None,
    filter_ef: int | None,
    truth: bool,
    nothread: bool,
) -> list[Argument]:
    """Return the words for how many elements to find, and how to look for them."""
    limits = *integers(command, count=count), *numbers(command, epsilon=epsilon), *integers(command, ef=ef)
    filters = *named(filter=filter), *integers(command, **{"FILTER-EF": filter_ef})
    return [*limits, *filters, *given(command, truth=truth, nothread=nothread)]


def filling(
    command: str,
    capacity: int | None,
    error: float | None,
    expansion: int | None,
    nocreate: bool,
    nonscaling: bool,
) -> list[Argument]:
    """Return the words for how to make a filter if there is none, and how it grows."""
    made = integers(command, capacity=capacity) + numbers(command, error=error)
    once = given(command, nocreate=nocreate)
    if made and once:
        raise ValueError(f"nocreate of {command} and how to create a filter exclude each other")
    grows = integers(command, expansion=expansion)
    never = given(command, nonscaling=nonscaling)
    if grows and never:
        raise ValueError("expansion and nonscaling exclude each other")
    return made + grows + once + never


def counts_in_turn(command: str, counts: Counts, most: int | None = None) -> list[Argument]:
    """Return items and counts in turn. If there is a `most`, no count may be above it, or below 0."""
    words = in_turn(command, "counts", counts)
    for count in counts.values():
        one: object = count
        require(is_int(one), command, "every count", "an int", count)
        if most is not None and not 0 <= count <= most:
            raise ValueError(f"every count of {command} must be from 0 to {most:,}")
    return words


def dimensions(command: str, width: int | None, depth: int | None, decay: float | None) -> list[Argument]:
    """Return the size of a top list, and how fast it forgets: all of it or nothing."""
    words = integers(command, width=width) + integers(command, depth=depth) + numbers(command, decay=decay)
    if len(words) not in (0, 6):
        raise ValueError(f"width, depth and decay of {command} go together")
    return words[1::2]

"""The arguments of commands on vector sets, time series and sketches as words, checked as those of `arguments` are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ..wire.encoder import Argument
from .arguments import given, integers, is_number, named, numbers, require

__all__ = ["Vector", "similar_to", "similarity", "vector_words"]

Vector: TypeAlias = Sequence[float] | bytes
"""A vector: numbers, or the bytes of 32-bit floats, the lowest byte first."""


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

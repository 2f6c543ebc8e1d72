"""Accelerators for elements that all have one layout: bulks of one length, and rows made of such bulks.

The bytes around the bodies are then the same in each, and stand at one distance: a slice with a stride has one of them from every
element, and `struct` cuts out the bodies of all. As in `fastpath`, what can't be proven is left to others.
"""

from __future__ import annotations

from itertools import chain
from struct import iter_unpack
from typing import Any, Final, NamedTuple, TypeAlias

from .fastpath import COSTS, COUNTS, LENGTHS, MAKERS
from .values import Reply

__all__ = ["even", "rows"]

_LONGEST_HEADER: Final = 16  # bytes, line break included
_WORTH_A_RUN: Final = 6  # pairs of bulks; fewer are read faster one by one
_AT_ONCE: Final = 32  # pairs of bulks that one call of struct's cuts out: each makes a tuple
_WORTH_ROWS: Final = 8
_DEEPEST: Final = 8  # aggregates in a row inside each other
_MOST_BULKS: Final = 64  # of a row; looking at the first one takes time

_Shape: TypeAlias = "int | tuple[bytes, list[_Shape]]"
"""Which of a row's bulks it is; or the sign of an aggregate, and the shapes of its parts."""


class _Layout(NamedTuple):
    """Bulks, and headers around them, that follow each other: how to cut the bodies out, and what stands where around them."""

    size: int
    form: str
    frame: list[tuple[int, bytes]]
    bulks: int
    cost: int = 0


_EMPTY: Final = _Layout(0, "", [], 0)


def even(data: bytes, at: int, items: list[Reply], left: int) -> tuple[int, int]:
    """Read bulks from `data[at]` into `items`, at most `left` (negative: all), as long as every second one has the same length.

    Returns the index of what comes after them, and what is left.
    """
    first = _bulk(data, at, _EMPTY)
    pair = None if first is None else _bulk(data, at, first)
    if pair is None:
        return at, left
    pairs = _WORTH_A_RUN
    while True:
        pairs = min(pairs, (len(data) - at) // pair.size)
        if left >= 0:
            pairs = min(pairs, left // 2)
        if pairs < _WORTH_A_RUN:
            return at, left
        times = 1 if pairs < 2 * _AT_ONCE else _AT_ONCE
        pairs -= pairs % times
        part = data[at : at + pairs * pair.size]
        if not _framed(part, pair):
            return at, left
        items += chain.from_iterable(iter_unpack(pair.form * times, part))
        at += len(part)
        left -= 2 * pairs
        pairs *= 4


def rows(data: bytes, at: int, items: list[Reply], left: int, depth: int) -> tuple[int, int, int]:
    """Read aggregates from `data[at]` into `items`, at most `left` (negative: all), as long as they have the layout of the first.

    Returns the index of what comes after them, what is left, and how many bytes the aggregates took, see `COSTS`. None is read
    that nests deeper than `depth`.
    """
    read = _row(data, at, _EMPTY, min(depth, _DEEPEST))
    if read is None:
        return at, left, 0
    shape, row = read
    number, cost = _WORTH_ROWS, 0
    while True:
        number = min(number, (len(data) - at) // row.size)
        if left >= 0:
            number = min(number, left)
        part = data[at : at + number * row.size]
        if number < _WORTH_ROWS or not _framed(part, row):
            return at, left, cost
        bodies = list(chain.from_iterable(iter_unpack(row.form, part)))
        items += _made(shape, bodies, row.bulks)
        at += len(part)
        left -= number
        cost += number * row.cost
        number *= 8


def _framed(part: bytes, layout: _Layout) -> bool:
    """Whether what stands around the bodies is the same everywhere."""
    number, size = len(part) // layout.size, layout.size
    return all([part[place::size] == byte * number for place, byte in layout.frame])


def _bulk(data: bytes, at: int, before: _Layout) -> _Layout | None:
    """Return the layout with the bulk behind it, if one is there; None if its header is not in the table."""
    start = at + before.size
    end = data.find(b"\r\n", start, start + _LONGEST_HEADER) + 2
    head = data[start:end]
    length = LENGTHS.get(head[:-2])
    if length is None:
        return None
    size = before.size + len(head) + length + 2
    frame = [*before.frame, *_places(head, before.size), (size - 2, b"\r"), (size - 1, b"\n")]
    return _Layout(size, f"{before.form}{len(head)}x{length}s2x", frame, before.bulks + 1, before.cost)


def _places(text: bytes, at: int) -> list[tuple[int, bytes]]:
    return [(at + place, text[place : place + 1]) for place in range(len(text))]


def _row(data: bytes, at: int, before: _Layout, depth: int) -> tuple[_Shape, _Layout] | None:
    """Return the shape of the element that stands behind a layout, and the layout with it; None if it can't be part of a row."""
    start = at + before.size
    sign = data[start : start + 1]
    if sign == b"$":
        layout = _bulk(data, at, before)
        return None if layout is None or layout.bulks > _MOST_BULKS else (before.bulks, layout)
    end = data.find(b"\r\n", start, start + _LONGEST_HEADER) + 2
    head = data[start:end]
    count = COUNTS.get(b"*" + head[1:-2], 0)
    if sign not in MAKERS or not 0 < count <= _MOST_BULKS or depth == 0:
        return None
    size, frame = before.size + len(head), [*before.frame, *_places(head, before.size)]
    layout = _Layout(size, f"{before.form}{len(head)}x", frame, before.bulks, before.cost + COSTS[sign])
    parts: list[_Shape] = []
    for _ in range(2 * count if sign == b"%" else count):
        read = _row(data, at, layout, depth - 1)
        if read is None:
            return None
        part, layout = read
        parts.append(part)
    return (sign, parts), layout


def _made(shape: Any, bodies: list[bytes], bulks: int) -> list[Any]:
    """Return what stands in one place of each row."""
    if isinstance(shape, int):
        return bodies[shape::bulks]
    sign, parts = shape
    return list(map(MAKERS[sign], zip(*[_made(part, bodies, bulks) for part in parts], strict=True)))

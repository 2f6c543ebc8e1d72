"""Accelerators for elements that all have one layout: bulks of one length, and rows made of such bulks.

The bytes around the bodies are then the same in each, and stand at one distance: a slice with a stride has one of them from every
element, and `struct` cuts out the bodies of all. As in `fastpath`, what can't be proven is left to others.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from struct import iter_unpack
from typing import Any, Final, TypeAlias

from .fastpath import COSTS, COUNTS, LENGTHS, MAKERS
from .values import Reply

__all__ = ["Layout", "even", "rows"]

_LONGEST_HEADER: Final = 16  # bytes, line break included
_FEWEST: Final = 12  # bulks; fewer are read faster one by one
_AT_ONCE: Final = 64  # bulks that one call of struct's cuts out: each makes a tuple
_FIRST_RUN: Final = 4096  # bytes of such bulks that are looked at once; then more
_WORTH_ROWS: Final = 8
_WORTH_THE_REST: Final = 3  # rows, of a layout that is known
_DEEPEST: Final = 8  # aggregates in a row inside each other
_MOST_BULKS: Final = 64  # of a row; looking at the first one takes time

_Shape: TypeAlias = "int | tuple[bytes, list[_Shape]]"
"""Which of a row's bulks it is; or the sign of an aggregate, and the shapes of its parts."""


class Layout:
    """Bulks, and headers around them, that follow each other: how to cut the bodies out, and what stands where around them."""

    __slots__ = ("bulks", "cost", "depth", "form", "frame", "shape", "size")

    def __init__(self, depth: int = 0) -> None:
        self.depth: int = depth
        self.shape: _Shape | None = None
        self.size: int = 0
        self.form: str = ""
        self.frame: list[tuple[int, bytes]] = []
        self.bulks: int = 0
        self.cost: int = 0

    def add(self, head: bytes) -> None:
        """Put this header behind it."""
        size = self.size
        self.frame += [(size + place, head[place : place + 1]) for place in range(len(head))]
        self.form += f"{len(head)}x"
        self.size = size + len(head)

    def add_bulk(self, head: bytes) -> None:
        """Put a bulk behind it that has this header."""
        self.add(head)
        end = self.size + LENGTHS[head[:-2]]
        self.form += f"{end - self.size}s2x"
        self.frame += (end, b"\r"), (end + 1, b"\n")
        self.size = end + 2
        self.bulks += 1


def even(data: bytes, at: int, items: list[Reply], left: int) -> tuple[int, int]:
    """Read bulks from `data[at]` into `items`, at most `left` (negative: all), as long as every second one has the same length.

    Returns the index of what comes after them, and what is left.
    """
    first = _head(data, at)
    after = at + _bulk_size(first)
    second = _head(data, after) if first else b""
    if not second or not data.startswith(first, after + _bulk_size(second)):
        return at, left
    layout = _layout(first) if first == second else _layout(first, second)
    size, bulks = layout.size, layout.bulks
    times = _AT_ONCE // bulks
    number, fewest = max(_FEWEST, _FIRST_RUN // size), _FEWEST // bulks
    while True:
        number = min(number, (len(data) - at) // size)
        if left >= 0:
            number = min(number, left // bulks)
        if number < fewest:
            return at, left
        part = data[at : at + number * size]
        if not _framed(part, layout):
            return at, left
        most = number // times * times * size
        for form, some in ((layout.form * times, part[:most]), (layout.form, part[most:])):
            for bodies in iter_unpack(form, some):
                items += bodies
        at += len(part)
        left -= bulks * number
        number, fewest = number * 8, 1


def rows(
    data: bytes, at: int, items: list[Reply], left: int, depth: int, known: Layout | None = None
) -> tuple[int, int, int, Layout | None]:
    """Read aggregates from `data[at]` into `items`, at most `left` (negative: all), as long as they have the layout of the first.

    Returns the index of what comes after them, what is left, how many bytes the aggregates took, see `COSTS`, and the layout, with
    which those behind them may be read. None is read that nests deeper than `depth`.
    """
    number = fewest = _WORTH_ROWS
    row = known
    if row is not None and row.depth == depth and _framed(data[at : at + row.size], row):
        number *= 8
    else:
        row = Layout(depth)
        row.shape = _row(data, at, row, min(depth, _DEEPEST))
        if row.shape is None:
            return at, left, 0, None
    cost = 0
    while True:
        number = min(number, (len(data) - at) // row.size)
        if left >= 0:
            number = min(number, left)
        part = data[at : at + number * row.size]
        if number < fewest or not _framed(part, row):
            return at, left, cost, row
        bodies = list(chain.from_iterable(iter_unpack(row.form, part)))
        items += _made(row.shape, bodies, row.bulks)
        at += len(part)
        left -= number
        cost += number * row.cost
        number, fewest = number * 8, _WORTH_THE_REST


def _framed(part: bytes, layout: Layout) -> bool:
    """Whether what stands around the bodies is the same everywhere."""
    number, size = len(part) // layout.size, layout.size
    return all(part[place::size] == byte * number for place, byte in layout.frame)


def _head(data: bytes, at: int) -> bytes:
    """Return the header at `at`, with its line break, of a bulk whose length is in the table; nothing if none is there."""
    head = data[at : data.find(b"\r\n", at, at + _LONGEST_HEADER) + 2]
    return head if head[:-2] in LENGTHS else b""


def _bulk_size(head: bytes) -> int:
    """Return how many bytes a bulk has with this header, all included."""
    return len(head) + LENGTHS.get(head[:-2], 0) + 2


@lru_cache(maxsize=64)
def _layout(*heads: bytes) -> Layout:
    """Return the layout of bulks with these headers."""
    layout = Layout()
    for head in heads:
        layout.add_bulk(head)
    return layout


def _row(data: bytes, at: int, layout: Layout, depth: int) -> _Shape | None:
    """Put the element that stands behind a layout into it; return its shape, or None if it can't be part of a row."""
    start = at + layout.size
    sign = data[start : start + 1]
    if sign == b"$":
        head = _head(data, start)
        if not head or layout.bulks == _MOST_BULKS:
            return None
        layout.add_bulk(head)
        return layout.bulks - 1
    head = data[start : data.find(b"\r\n", start, start + _LONGEST_HEADER) + 2]
    count = COUNTS.get(b"*" + head[1:-2], 0)
    if sign not in MAKERS or not 0 < count <= _MOST_BULKS or depth == 0:
        return None
    layout.add(head)
    layout.cost += COSTS[sign]
    parts: list[_Shape] = []
    for _ in range(2 * count if sign == b"%" else count):
        part = _row(data, at, layout, depth - 1)
        if part is None:
            return None
        parts.append(part)
    return sign, parts


def _made(shape: Any, bodies: list[bytes], bulks: int) -> list[Any]:
    """Return what stands in one place of each row."""
    if isinstance(shape, int):
        return bodies[shape::bulks]
    sign, parts = shape
    return list(map(MAKERS[sign], zip(*[_made(part, bodies, bulks) for part in parts], strict=True)))

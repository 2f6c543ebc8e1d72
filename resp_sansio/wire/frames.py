"""Frames: what is open while a reply is read.

An aggregate that has not come whole is a frame: a flat list of what it holds so far, and a count of what is missing. The open ones
are a stack, so nothing recurses. An aggregate is made once, when its frame closes, and goes into the one around it. The top level
is a frame too, whose count is how many replies the caller still wants (-1: all), so no loop asks whether it is nested. An attribute
is a frame that turns, when it closes, into a frame for the one value that it describes.

What is dropped has frames as well, which hold nothing. All that is made is counted, and refused where it is too much.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import getsizeof
from typing import Final, NoReturn, Self, TypeAlias

from .._errors import InvalidReplyError, ReplyError
from .fastpath import COSTS, HEAVY
from .limits import Limits, refused
from .values import Attributed, Pairs, Push, Reply, Verbatim, make_map, make_set, merge

__all__ = [
    "ARRAY",
    "ARRAY_COST",
    "ATTRIBUTE",
    "DESCRIBED",
    "MAKERS",
    "MAP",
    "NOTHING",
    "PUSH",
    "SET",
    "STREAMED",
    "STRING",
    "TOP",
    "Attributes",
    "Frames",
]

TOP, ARRAY, SET, MAP, PUSH, ATTRIBUTE, DESCRIBED, STRING = range(8)
"""What a frame collects for."""

STREAMED: Final = -1
"""The count of a frame that ends with a dot; the top level's if the caller wants all."""

MAKERS: Final[dict[int, Callable[[list[Reply]], Reply]]] = {MAP: make_map, SET: make_set}
ARRAY_COST: Final = COSTS[b"*"]
# Of what takes far more than the bytes that it came as; other values take at most 16 for each of those.
_SCALAR_COSTS: Final[dict[type, int]] = {ReplyError: HEAVY, InvalidReplyError: HEAVY, Verbatim: 256}

Attributes: TypeAlias = dict[Reply, Reply] | Pairs
_Frame: TypeAlias = tuple[list[Reply], int, int, Attributes | None]


class _Nothing(list[Reply]):
    """Where the values of a skipped reply go: nowhere."""

    __slots__ = ()

    def append(self, value: Reply, /) -> None:
        """Drop `value`."""

    def __iadd__(self, values: object, /) -> Self:  # type: ignore[override, misc]  # takes anything, as append does
        """Drop `values`."""
        return self


NOTHING: Final = _Nothing()


class Frames:
    """The open frames, the replies that are whole, and how large the open one is.

    `_fail` raises `RemoteProtocolError`; everything complete before that is in `_out` by then.
    """

    __slots__ = (
        "_base", "_built", "_chunks", "_described", "_dropping", "_items", "_kind", "_left", "_limits", "_nested", "_out",
        "_outlines", "_stack", "_start", "_width", "_window",
        "attributes", "lenient_push", "pushes",
    )  # fmt: skip

    def __init__(self, limits: Limits, *, lenient_push: bool, nested_attributes: bool) -> None:
        self._limits = limits
        self.lenient_push: bool = lenient_push
        self._nested = nested_attributes
        # What came of the input so far, and of what kinds.
        self._out: list[Reply] = []
        self.pushes: int = 0
        self.attributes: dict[int, Attributes] = {}
        # The window that is being read (empty: none), where in the stream it starts, and the pieces of an unfinished bulk.
        self._window = b""
        self._base = 0
        self._chunks: list[bytes | bytearray | memoryview] = []
        # The open frame (its items, how many are missing, its kind, attributes for its one item), and those around it.
        self._items: list[Reply] = self._out
        self._left = STREAMED
        self._kind = TOP
        self._described: Attributes | None = None
        self._stack: list[_Frame] = []
        self._built = 0  # bytes of the objects that the open reply is made of, see `Limits.reply`
        self._start = 0  # where in the stream the reply began that these are part of
        self._dropping = False  # whether what is read goes nowhere
        self._outlines = False  # and yet the number of elements of an array is wanted
        self._width = 0  # how many elements an aggregate has that goes nowhere and stands in nothing

    def _value(self, value: Reply) -> None:
        """Take a value that is complete into the open frame."""
        if self._items is not NOTHING:
            self._built += _SCALAR_COSTS.get(type(value), 0)
        self._items.append(value)
        self._left -= 1

    @property
    def _outermost(self) -> bool:
        """Does what comes next stand in nothing, but for an attribute that describes it?"""
        return not self._stack or (len(self._stack) == 1 and self._kind == DESCRIBED)

    def _push_frame(self, kind: int, left: int, i: int) -> None:
        """Open a frame, in which what is skipped goes nowhere; a push is not skipped."""
        stack, outer = self._stack, self._items
        if len(stack) == self._limits.depth and kind != STRING:
            self._fail(f"at most {self._limits.depth} aggregates inside each other (Limits.depth)", i)
        if not stack:
            self._start, self._built = self._base + i, 0
        items = self._collector(kind, left, outer, self._outermost) if self._dropping else []
        stack.append((outer, self._left, self._kind, self._described))
        self._items, self._left, self._kind = items, left, kind

    def _collector(self, kind: int, count: int, outer: list[Reply], outermost: bool) -> list[Reply]:
        """Return what a frame collects into that opens in `outer`, while replies are dropped; a push is not."""
        if kind == PUSH:
            return []
        if outermost:
            self._width = count
        return NOTHING if outermost or outer is NOTHING else []

    def _empty_frames(self) -> None:
        """Let go of what came of the open reply, and of what describes it; what follows of it goes nowhere. Pushes stay."""
        frames = [*self._stack, (self._items, self._left, self._kind, self._described)]
        outermost = True
        for index, (items, left, kind, described) in enumerate(frames):
            if kind == PUSH:
                break
            if kind == DESCRIBED and index == 1:
                frames[index] = (items, left, kind, {})
            elif index:
                if outermost and items is not NOTHING:
                    self._width = len(items) + left
                outermost = False
                frames[index] = (NOTHING, left, kind, described)
        else:
            self._chunks = []
        *self._stack, (self._items, self._left, self._kind, self._described) = frames

    def _close(self, i: int) -> None:
        """Make the value of the open frame, which is complete, and hand it to the one around it."""
        items, kind, described = self._items, self._kind, self._described
        if kind == ATTRIBUTE:
            described = make_map(items)
            self._built += getsizeof(described)
            self._describe(described)
            return
        if kind == PUSH:
            self._close_push(items, i)
            return
        value: Reply = items
        if items is not NOTHING:
            self._built += ARRAY_COST
        if kind == DESCRIBED:
            value = items[0] if items else None
        elif kind in MAKERS:
            value = MAKERS[kind](items)
            self._built += getsizeof(value)
        self._items, self._left, self._kind, self._described = self._stack.pop()
        if self._outlines and kind == ARRAY and self._outermost:
            value = [None] * self._width
        if kind == DESCRIBED:
            assert described is not None
            if not self._stack:
                if not self._dropping:
                    self.attributes[len(self._out)] = described
            elif self._nested:
                value = Attributed(value, described)
        self._value(value)

    def _describe(self, attributes: Attributes) -> None:
        """Turn the attribute's frame into one for the value that it describes; attributes in a row are merged, the last wins."""
        if self._stack[-1][2] == DESCRIBED:
            self._items, self._left, self._kind, before = self._stack.pop()
            assert before is not None
            attributes = merge(before, attributes)
        else:
            lost = self._dropping and self._stack[-1][0] is NOTHING
            self._items, self._left, self._kind = NOTHING if lost else [], 1, DESCRIBED
        self._described = attributes

    def _close_push(self, items: list[Reply], i: int) -> None:
        """Return the push, which is no element of anything, ahead of what it may stand in."""
        kind = items[0]
        if type(kind) is bytes:
            kind = kind.decode("utf-8", "surrogateescape")
        if type(kind) is not str:
            self._fail(f"a string as the kind of a push, not {type(kind).__name__}, before this", i)
        self._items, self._left, self._kind, self._described = self._stack.pop()
        if self._kind == DESCRIBED and len(self._stack) == 1:
            assert self._described is not None
            if not self._dropping:
                self.attributes[len(self._out)] = self._described
            self._items, self._left, self._kind, self._described = self._stack.pop()
        self._out.append(Push(kind, tuple(items[1:])))
        self.pushes += 1

    def _check_size(self, i: int) -> None:
        """Refuse a reply that is too large by index `i`."""
        if self._base + i - self._start + self._built > self._limits.reply:
            where = self._start - self._base
            self._fail(f"a reply of at most {self._limits.reply} bytes (Limits.reply)", where)

    def _fail(self, expected: str, i: int, *, shown: bool = True) -> NoReturn:
        """Give up the stream, see `refused`; `shown` is false amid data."""
        raise refused(expected, self._window if shown else b"", i, self._base)

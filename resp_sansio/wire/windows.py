"""Windows of the stream, which accelerators read where they can, and the strict grammar where they can't.

A window is what came at one time. What stands at its start says which accelerator is tried first; most windows are split at their
line breaks, and read in rows of tokens. Accelerators only ever take what is right, so what they leave is the grammar's. The work
that is done in vain stays in proportion to what is read, whatever a peer sends.
"""

from __future__ import annotations

import re
from sys import getsizeof
from typing import Final

from .fastpath import COUNTS, HEAVY, LARGE, SHORT, SPAN, columns, flat, large
from .frames import ARRAY, ARRAY_COST, ATTRIBUTE, DESCRIBED, MAKERS, MAP, NOTHING, PUSH, SET, STREAMED, STRING, TOP
from .grammar import AGGREGATES, Grammar
from .integers import integers
from .limits import Limits
from .strides import Layout, even, rows
from .values import Reply

__all__ = ["Windows"]

_DOLLAR, _COLON, _GREATER, _CR, _TWO = b"$:>\r2"
_ROWS: Final = b"*%~"

_OPENS_RUN: Final = re.compile(
    rb"[*%~](?:[0-9]{4,10}\r\n[:$]|[0-9]{3,10}\r\n[*%~])"
).match  # behind such a header splitting may not be the fastest

_LONGEST_COUNT: Final = 20  # digits: zeros before a count, as the grammar allows them
_WORTH_SPLITTING: Final = 24  # bytes: below that there is nothing to gain
_SMALLEST_SPAN: Final = 4096
_WORTH_STRIDES: Final = 2048  # bytes: below that splitting costs less than to look whether bulks are alike
_WORTH_ROWS: Final = 4096  # the same of rows, whose layout takes longer to look at
_ROW: Final = 2048  # bytes: what is split for the rest of a row
_WIDE: Final = 64  # elements: what is wider than that is no row of columns


def _header(line: bytes) -> tuple[int, int] | None:
    """Return what a frame with this header collects for, and how many elements; None for what is read elsewhere."""
    kind = AGGREGATES.get(line[0]) if line else None
    digits = line[1:]
    if digits[:1] == b"0" and digits.isdigit() and len(digits) < _LONGEST_COUNT:
        digits = b"%d" % int(digits)
    count = None if kind is None else COUNTS.get(b"*" + digits)
    if kind is None or count is None or (kind == PUSH and not count):
        return None
    return kind, count * 2 if kind in (MAP, ATTRIBUTE) else count


_HEADERS: Final = {
    **{b"%c%d" % (sign, count): _header(b"%c%d" % (sign, count)) for sign in AGGREGATES for count in range(_WIDE)},
    **{b"%c?" % sign: (kind, STREAMED) for sign, kind in AGGREGATES.items() if kind in (ARRAY, SET, MAP)},
}


def _length(tokens: list[bytes], start: int, stop: int) -> int:
    """Return how many bytes of the stream these tokens were, with their line breaks."""
    if stop - start == 1:
        return len(tokens[start]) + 2
    return sum(map(len, tokens[start:stop])) + 2 * (stop - start)


def _place(tokens: list[bytes], at: int, where: int, known: int, stop: int) -> int:
    """Return the index in the window of `tokens[at]`; `tokens[known]` is at `where`, and the last one ends at `stop`."""
    last = len(tokens) - 1
    if at - known > last - at:  # count from the nearer end
        return stop - len(tokens[last]) - _length(tokens, at, last)
    return where + _length(tokens, known, at)


def _is_large(head: bytes) -> bool:
    """Whether this is the header of a bulk that is cut out faster."""
    return head[1:].isdigit() and (len(head) > 9 or int(head[1:]) >= LARGE)


class Windows(Grammar):
    """The window that is being read, and what came later."""

    __slots__ = ("_at", "_fast", "_later", "_row", "_span")

    pushes: int

    def __init__(self, limits: Limits, *, lenient_push: bool, nested_attributes: bool, fast: bool) -> None:
        super().__init__(limits, lenient_push=lenient_push, nested_attributes=nested_attributes)
        self._fast = fast  # whether there is room for the largest that the accelerators read
        self._span = SPAN
        self._row: Layout | None = None  # of the rows that were read last, if more of them may come
        self._at = 0  # how far the window has been read
        self._later: list[bytes | bytearray | memoryview] = []

    def _read_windows(self) -> None:
        """Read what is there until it ends or enough replies came."""
        while self._window:
            at = self._run(self._resume())
            if at < len(self._window):
                self._at = at
                break
            if self._stack:
                self._check_size(at)
            else:
                self._row = None
            self._base += at
            self._window, self._at = b"", 0
            if self._later:
                self._window = b"".join(self._later)
                self._later.clear()

    def _resume(self) -> int:
        """Go on with what the last window left unfinished; return where the next element starts in this one."""
        if self._need:
            return self._read_bulk(self._at)
        if self._line:
            if b"\n" not in self._window:
                return self._keep_line(self._at)
            kept = sum(map(len, self._line))
            if kept < self._line_size:
                self._check_short(b"".join(self._line))
            self._base -= kept
            self._window = b"".join([*self._line, self._window])
            self._line, self._line_size = [], 0
        return self._at

    def _run(self, i: int) -> int:
        """Read elements from index `i` of the window on; return where it ended: before its end only if enough replies came."""
        if self._kind == STRING:
            i = self._read_string(i)
        data, size = self._window, len(self._window)
        split = False  # whether the rest of the window has been split, and what stands at its start was declined
        # Whether it begins amid what may be one of many rows.
        amid = 0 < self._left < _WIDE and bool(self._stack) and size - i > _WORTH_ROWS
        while True:
            while self._left == 0 and self._stack:
                if len(self._stack) == 1:
                    self._check_size(i)
                self._close(i)
            if i >= size or (self._left == 0 and data[i] != _GREATER):  # pushes may pass when enough replies came
                return i
            if size - i > _WORTH_SPLITTING and self._fast:
                start, sign = i, data[i]
                # A length of four digits, or of three that begin with 3 to 9, is a large one.
                if sign == _DOLLAR and data[i + 3] > _CR and (data[i + 4] > _CR or data[i + 1] > _TWO):
                    i, self._left = large(data, i, self._items, self._left, self._limits.bulk)
                elif not (split or (sign in _ROWS and _OPENS_RUN(data, i))):
                    if sign == _COLON:
                        i, self._left = integers(data, i, self._items, self._left)
                    elif sign == _DOLLAR and size - i > _WORTH_STRIDES:
                        i, self._left = even(data, i, self._items, self._left)
                    elif sign in _ROWS and size - i > _WORTH_ROWS and self._kind <= MAP and not amid:
                        i = self._run_rows(i)
                    if i == start:
                        split = not amid and size - i <= self._span
                        i = self._run_tokens(i, amid)
                        amid = False
                if i > start:
                    continue
            split = False
            end = data.find(b"\n", i)
            i = self._element(self._whole_line(i, end), i) if end >= 0 else self._keep_line(i)

    def _run_rows(self, i: int) -> int:
        """Read aggregates of one layout from index `i` on; return where it ended."""
        depth = self._limits.depth - len(self._stack)
        i, self._left, cost, self._row = rows(self._window, i, self._items, self._left, depth, self._row)
        if cost:
            self._built += cost
            if self._stack:
                self._check_size(i)
        return i

    def _run_tokens(self, i: int, amid: bool) -> int:
        """Read elements from index `i` on out of a window split at its line breaks; return where it ended.

        Where that is `amid` a row, up to the next one, because splitting is not the fastest way to read those behind it.
        """
        data, stack, headers = self._window, self._stack, _HEADERS.get
        stop = min(len(data), i + (_ROW if amid else self._span))
        row = len(stack) if amid else 0
        tokens = data[i:stop].split(b"\r\n")
        at, last = 0, len(tokens) - 1
        where, known = i, 0  # the index in the window of tokens[known]
        opened = -1  # the token that opened the reply, if it is one of these
        end = 0  # where the element ends that was read last by the grammar, which may be behind these tokens
        shy, pause = 1, 0  # after columns were tried in vain: how many aggregates to open one by one
        made_here = TOP if self._outlines else MAP  # kinds of frames up to this one
        items, left, kind = self._items, self._left, self._kind
        while True:
            while left == 0 and stack:
                if opened < 0 and len(stack) == 1:
                    self._check_size(_place(tokens, at, where, known, stop))
                if kind <= made_here:
                    value: Reply = items
                    if kind == ARRAY:
                        self._built += ARRAY_COST
                    elif items is not NOTHING:
                        value = MAKERS[kind](items)
                        self._built += getsizeof(value)
                    items, left, kind, self._described = stack.pop()
                    items.append(value)
                    left -= 1
                else:
                    if kind == PUSH:
                        where, known = where + _length(tokens, known, at), at
                    self._items, self._left, self._kind = items, left, kind
                    self._close(where)
                    items, left, kind = self._items, self._left, self._kind
                if not stack:
                    opened = -1
            if left == 0 or at >= last:
                break
            head = tokens[at]
            header = headers(head)
            if header is None and head[:1] not in b">|.!=*%~":
                at, left, heavy = flat(tokens, at, last, [] if items is NOTHING else items, left)
                if heavy and items is not NOTHING:
                    self._built += heavy * HEAVY
                if left == 0 or at >= last:
                    continue
                head = tokens[at]
                header = headers(head)
            if header is not None or (header := _header(head)) is not None:
                inner, count = header
                if len(stack) < row:
                    break
                at_top = not stack
                if pause == 0 and not 0 < left < 3 and 0 < count < _WIDE and inner <= (PUSH if at_top else MAP):
                    start = at
                    at, left = self._run_columns(tokens, at, last, items, left, inner)
                    if at > start:
                        shy = 1
                        continue
                    pause = shy = min(shy * 2, 64)
                pause = max(0, pause - 1)
                if len(stack) < self._limits.depth and (inner != PUSH or at_top or self.lenient_push):
                    if at_top:
                        opened, self._built = at, 0
                    outermost = at_top or (kind == DESCRIBED and len(stack) == 1)
                    stack.append((items, left, kind, self._described))
                    items = self._collector(inner, count, items, outermost) if self._dropping else []
                    left, kind = count, inner
                    at += 1
                    continue
            if head[:1] == b"$" and (last - at <= 2 or _is_large(head)):
                break  # it may go on behind these tokens, or is cut out faster
            if opened >= 0:
                self._start, opened = self._base + where + _length(tokens, known, opened), -1
            where, known = where + _length(tokens, known, at), at
            self._items, self._left, self._kind = items, left, kind
            clean = 0 < len(head) < SHORT and b"\r" not in head and b"\n" not in head
            end = self._element(head if clean else self._whole_line(where, where + len(head) + 1), where)
            items, left, kind = self._items, self._left, self._kind
            while where < end and at < last:
                where += len(tokens[at]) + 2
                at += 1
            known = at
            if where != end:
                break
        self._items, self._left, self._kind = items, left, kind
        if opened >= 0:
            self._start = self._base + where + _length(tokens, known, opened)
        if stack and self._built:
            self._check_size(where)
        if where < end:
            return end
        if not amid:
            self._choose_span(last - at)
        return _place(tokens, at, where, known, stop)

    def _run_columns(
        self, tokens: list[bytes], at: int, last: int, items: list[Reply], left: int, kind: int
    ) -> tuple[int, int]:
        """Read aggregates of one shape from `tokens[at]` on into `items`; return the index of the next token, and what is left."""
        read = columns(tokens, at, last, left if left > 0 else last, self._limits.depth - len(self._stack))
        if read is None:
            return at, left
        found, at, cost = read
        self._built += cost * len(found)
        items += found
        if kind == PUSH:
            self.pushes += len(found)
            return at, left
        return at, left - len(found)

    def _choose_span(self, unread: int) -> None:
        """Choose how much is split next: where so many tokens were left unread, splitting more would be in vain.

        So that stays in proportion to what is read: a window with something in it that has to be looked at otherwise makes the next
        one small.
        """
        self._span = min(self._span * 2, SPAN) if unread <= 2 else _SMALLEST_SPAN

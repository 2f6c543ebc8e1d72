"""RESP's grammar as a machine: it reads a window of the stream as far as it goes, and knows how to go on in the next.

It is one resumable state: an unfinished line (its pieces), an unfinished bulk (its pieces and how much is missing), and a stack of
open frames, each a flat list of what it holds so far and a count of what is missing. An aggregate is made once, when its
frame closes; nothing completed is ever read again, and nothing recurses. The top level is a frame too, whose count is how
many replies the caller still wants (-1: all), so the loop never asks whether it is nested. An attribute is a frame that
turns, when it closes, into a frame for the one value that it describes.

Strict in everything: the accelerators that it runs first only ever take what is right.
"""

from __future__ import annotations

import re
from sys import getsizeof
from typing import Final, NoReturn, Self, TypeAlias

from .._errors import InvalidReplyError, RemoteProtocolError, ReplyError
from .._record import Record
from .fastpath import COSTS, COUNTS, HEAVY, LARGE, SHORT, SPAN, columns, flat, integers, large
from .scalars import LINES, gather, verbatim
from .strides import even, rows
from .values import Attributed, Pairs, Push, Reply, Verbatim, make_map, make_set, merge

__all__ = ["Grammar", "Limits", "refused"]


class Limits(Record):
    """What a peer may make us read and hold. Beyond any of these: `RemoteProtocolError`."""

    depth: int = 128
    """How many aggregates may be open at a time (an attribute counts as one). redis-rs stops at 100, Lua replies at about 190."""

    bulk: int = 512 * 1024 * 1024
    """Bytes of one bulk, verbatim or error string, streamed ones included, and of a line that carries text (simple strings, errors;
    a script may say anything in one): Redis' own `proto-max-bulk-len`."""

    line: int = 64 * 1024
    """Bytes of any other line (numbers, headers): Redis' `PROTO_INLINE_MAX_SIZE`."""

    elements: int = 2**32 - 1
    """Elements of one aggregate (keys and values count singly): hiredis' `REDIS_READER_MAX_ARRAY_ELEMENTS`."""

    reply: int = 1024 * 1024 * 1024
    """Bytes of one top-level aggregate with all that it holds, and of the objects that it is made of as far as these take much
    more than came (a set of one byte takes 200): what Redis takes from its clients (`client-query-buffer-limit`)."""


# What a frame collects for.
TOP, ARRAY, SET, MAP, PUSH, ATTRIBUTE, DESCRIBED, STRING = range(8)
_AGGREGATES: Final = {42: ARRAY, 126: SET, 37: MAP, 62: PUSH, 124: ATTRIBUTE}  # * ~ % > |
_TYPES: Final = frozenset(b"+-:$*_#,(!=~%|")  # what may stand anywhere
_DOLLAR, _COLON, _STAR, _GREATER, _DOT, _SEMICOLON, _BANG, _EQUALS, _CR, _TWO = b"$:*>.;!=\r2"
_TEXTS: Final = frozenset(b"+-")  # types whose line may be as long as a bulk
STREAMED: Final = -1  # the count of a frame that ends with a dot; the top level's if the caller wants all

_OPENS_RUN: Final = re.compile(
    rb"[*%~](?:[0-9]{4,10}\r\n[:$]|[0-9]{3,10}\r\n[*%~])"
).match  # behind such a header splitting may not be the fastest

_SHOWN: Final = re.compile(
    rb"[$*%~>|!=;][0-9?+-]{0,20}|[\x00-\xff]"
).match  # of what came: the type byte and the length, never data

_MAKERS: Final = {MAP: make_map, SET: make_set}
_ARRAY_COST: Final = COSTS[b"*"]
# Of what takes far more than the bytes that it came as; other values take at most 16 for each of those.
_SCALAR_COSTS: Final[dict[type, int]] = {ReplyError: HEAVY, InvalidReplyError: HEAVY, Verbatim: 256}

_WORTH_SPLITTING: Final = 24  # bytes: below that there is nothing to gain
_SMALLEST_SPAN: Final = 4096
_WORTH_ROWS: Final = 4096  # bytes: below that splitting costs less than to look at the layout of a row
_WORTH_A_VIEW: Final = 16 * 1024  # bytes: copying fewer costs less than a view of them
_WORTH_DROPPING: Final = 16 * 1024  # bytes: a shorter text is kept, though it goes nowhere
_WIDE: Final = 64  # elements: what is wider than that is no row of columns

Attributes: TypeAlias = dict[Reply, Reply] | Pairs
_Frame: TypeAlias = tuple[list[Reply], int, int, Attributes | None]


def _header(line: bytes) -> tuple[int, int] | None:
    """Return what a frame with this header collects for, and how many elements; None for what is read elsewhere."""
    kind = _AGGREGATES.get(line[0]) if line else None
    count = None if kind is None else COUNTS.get(b"*" + line[1:])
    if kind is None or count is None or (kind == PUSH and not count):
        return None
    return kind, count * 2 if kind in (MAP, ATTRIBUTE) else count


_HEADERS: Final = {
    **{b"%c%d" % (sign, count): _header(b"%c%d" % (sign, count)) for sign in _AGGREGATES for count in range(_WIDE)},
    **{b"%c?" % sign: (kind, STREAMED) for sign, kind in _AGGREGATES.items() if kind in (ARRAY, SET, MAP)},
}


class _Nothing(list[Reply]):
    """Where the values of a skipped reply go: nowhere."""

    __slots__ = ()

    def append(self, value: Reply, /) -> None:
        """Drop `value`."""

    def __iadd__(self, values: object, /) -> Self:  # type: ignore[override, misc]  # takes anything, as append does
        """Drop `values`."""
        return self


_NOTHING: Final = _Nothing()


def refused(expected: str, data: bytes, i: int, base: int) -> RemoteProtocolError:
    """Return the error for a stream in which at index `i` of `data` stands something else than what was `expected`.

    Only a type byte and a length are shown of what came, because messages go to logs; nothing if it came before `data`.
    """
    came = _SHOWN(data, i) if i >= 0 else None
    got = "something else" if came is None else repr(came[0])
    return RemoteProtocolError(f"expected {expected}, got {got} at byte {base + i} of the stream")


MAPPED: Final = 128 * 1024
ROOMY: Final = 4 * 1024 * 1024
"""Before bulks from more than the one to the other, a block of twice the size is taken and given back, untouched.

glibc then keeps the memory of a reply and of its parts for the next one. It would give both back after each reply, and take them
anew page by page: measured with 1 MiB in a program of many modules, that costs six times as much.
"""


def _length(tokens: list[bytes], start: int, stop: int) -> int:
    """Return how many bytes of the stream these tokens were, with their line breaks."""
    if stop - start == 1:
        return len(tokens[start]) + 2
    return sum(map(len, tokens[start:stop])) + 2 * (stop - start)


def _part(data: bytes, start: int, stop: int) -> bytes | memoryview:
    """Return a piece of a bulk; a large one is copied only when all are joined."""
    return data[start:stop] if stop - start < _WORTH_A_VIEW else memoryview(data)[start:stop]


class Grammar:
    """The state of reading one direction of one connection, and the grammar that moves it.

    `_fail` raises `RemoteProtocolError`; everything complete before that is in `_out` by then.
    """

    __slots__ = (
        "_at", "_base", "_built", "_bulk", "_chunks", "_described", "_dropping", "_fast", "_items", "_kind", "_later", "_left",
        "_limits", "_line", "_line_size", "_need", "_nested", "_out", "_outlines", "_room", "_span", "_stack", "_start", "_width",
        "_window",
        "attributes", "lenient_push", "pushes",
    )  # fmt: skip

    def __init__(self, limits: Limits, *, lenient_push: bool, nested_attributes: bool) -> None:
        self._limits = limits
        self.lenient_push: bool = lenient_push
        self._nested = nested_attributes
        # The accelerators know nothing of limits, so they need room for the largest that they read.
        self._fast = min(limits.bulk, limits.line, limits.elements // 2) >= SHORT and limits.reply >= SPAN
        self._span = SPAN
        # What came of the input so far, and of what kinds.
        self._out: list[Reply] = []
        self.pushes: int = 0
        self.attributes: dict[int, Attributes] = {}
        # The input: the window that is being read (empty: none), how far, where in the stream it starts, and what came later.
        self._window = b""
        self._at = 0
        self._base = 0
        self._later: list[bytes | bytearray | memoryview] = []
        # An unfinished line; an unfinished bulk (its type byte, its pieces, and how much is missing with its line break).
        self._line: list[bytes | bytearray | memoryview] = []
        self._line_size = 0
        self._bulk = 0
        self._chunks: list[bytes | bytearray | memoryview] = []
        self._room = MAPPED
        self._need = 0
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

    def _read_windows(self) -> None:
        """Read what is there until it ends or enough replies came."""
        while self._window:
            at = self._run(self._resume())
            if at < len(self._window):
                self._at = at
                break
            if self._stack:
                self._check_size(at)
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
                elif not (split or _OPENS_RUN(data, i)):
                    if sign == _COLON:
                        i, self._left = integers(data, i, self._items, self._left)
                    elif sign == _DOLLAR:
                        i, self._left = even(data, i, self._items, self._left)
                    elif sign in b"*%~" and self._kind <= MAP and size - i > _WORTH_ROWS:
                        depth = self._limits.depth - len(self._stack)
                        i, self._left, cost = rows(data, i, self._items, self._left, depth)
                        self._built += cost
                        if cost and self._stack:
                            self._check_size(i)
                    if i == start:
                        split = size - i <= self._span
                        i = self._run_tokens(i)
                if i > start:
                    continue
            split = False
            end = data.find(b"\n", i)
            i = self._element(self._whole_line(i, end), i) if end >= 0 else self._keep_line(i)

    def _run_tokens(self, i: int) -> int:
        """Read elements from index `i` on out of a window split at its line breaks; return where it ended.

        Splitting in vain stays in proportion to what is read: a window with something in it that has to be looked at otherwise
        makes the next one small.
        """
        data, stack, dropping, headers = self._window, self._stack, self._dropping, _HEADERS.get
        stop = min(len(data), i + self._span)
        tokens = data[i:stop].split(b"\r\n")
        at, last = 0, len(tokens) - 1
        where, known = i, 0  # the index in the window of tokens[known]
        opened = -1  # the token that opened the reply, if it is one of these
        behind = 0  # where an element ends that goes on behind these tokens
        shy, pause = 1, 0  # after columns were tried in vain: how many aggregates to open one by one
        made_here = TOP if self._outlines else MAP  # kinds of frames up to this one
        items, left, kind = self._items, self._left, self._kind
        while True:
            while left == 0 and stack:
                if opened < 0 and len(stack) == 1:
                    nearly = at - known > last - at  # count from the nearer end
                    behind_it = len(tokens[last]) + _length(tokens, at, last) if nearly else 0
                    self._check_size(stop - behind_it if nearly else where + _length(tokens, known, at))
                if kind <= made_here:
                    value: Reply = items
                    if kind == ARRAY:
                        self._built += _ARRAY_COST
                    elif items is not _NOTHING:
                        value = _MAKERS[kind](items)
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
                at, left, heavy = flat(tokens, at, last, [] if items is _NOTHING else items, left)
                if heavy and items is not _NOTHING:
                    self._built += heavy * HEAVY
                if left == 0 or at >= last:
                    continue
                head = tokens[at]
                header = headers(head)
            if header is not None or (header := _header(head)) is not None:
                inner, count = header
                at_top = not stack
                if (
                    pause == 0
                    and not 0 < left < 3
                    and 0 < count < _WIDE
                    and (inner <= MAP or (inner == PUSH and at_top))
                ):
                    read = columns(tokens, at, last, left if left > 0 else last, self._limits.depth - len(stack))
                    if read is not None:
                        rows, at, cost = read
                        self._built += cost * len(rows)
                        items += rows
                        if inner == PUSH:
                            self.pushes += len(rows)
                        else:
                            left -= len(rows)
                        shy = 1
                        continue
                    pause = shy = min(shy * 2, 64)
                pause = max(0, pause - 1)
                if len(stack) < self._limits.depth and (inner != PUSH or at_top or self.lenient_push):
                    if at_top:
                        opened, self._built = at, 0
                    lost = dropping
                    if dropping and items is not _NOTHING:
                        lost = at_top or (kind == DESCRIBED and len(stack) == 1)
                        if lost:
                            self._width = count
                    stack.append((items, left, kind, self._described))
                    items, left, kind = _NOTHING if lost and inner != PUSH else [], count, inner
                    at += 1
                    continue
            if head[:1] == b"$" and (
                last - at <= 2 or (head[1:].isdigit() and (len(head) > 9 or int(head[1:]) >= LARGE))
            ):
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
                behind = end
                break
        self._items, self._left, self._kind = items, left, kind
        if opened >= 0:
            self._start = self._base + where + _length(tokens, known, opened)
        if stack and self._built:
            self._check_size(where)
        if behind:
            return behind
        if last - at <= 2:
            self._span = min(self._span * 2, SPAN)
            return stop - _length(tokens, at, last) - len(tokens[last])
        self._span = _SMALLEST_SPAN
        return where + _length(tokens, known, at)

    def _element(self, line: bytes, i: int) -> int:
        """Read the element (or the header of one) at index `i` whose line is whole; return where the next one starts."""
        sign, start = line[0], i + len(line) + 2
        read = LINES.get(line[:1])
        if read is not None:
            self._check_type(sign, i)
            self._value(value := read(line))
            if type(value) is str and not line.isascii() and self._items is not _NOTHING:
                self._built += HEAVY
            return start
        line = line[1:]
        if sign in (_DOLLAR, _BANG, _EQUALS):
            if line == b"-1" and sign == _DOLLAR:
                self._value(None)
            elif line == b"?" and sign == _DOLLAR:
                self._push_frame(STRING, self._limits.bulk + 1, i)
                return self._read_string(start)
            else:
                return self._begin_bulk(sign, line, i, start)
        elif sign in _AGGREGATES:
            if line == b"-1" and sign == _STAR:
                self._value(None)
            else:
                self._open(sign, line, i)
        else:
            self._check_type(sign, i)
            self._end_streamed(line, i)
        return start

    def _value(self, value: Reply) -> None:
        """Take a value that is complete into the open frame."""
        if self._items is not _NOTHING:
            self._built += _SCALAR_COSTS.get(type(value), 0)
        self._items.append(value)
        self._left -= 1

    def _count(self, line: bytes, most: int, i: int, limit: str) -> int:
        """Return the length or count that a header announces."""
        if not line.isdigit() or len(line) > 20:
            self._fail("a length in decimal digits", i)
        length = int(line)
        if length > most:
            self._fail(f"a length of at most {most} (Limits.{limit})", i)
        return length

    # Frames

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
        lost = False
        if self._dropping:
            lost = outer is _NOTHING
            if self._outermost and kind != PUSH:
                lost, self._width = True, left
        stack.append((outer, self._left, self._kind, self._described))
        self._items, self._left, self._kind = _NOTHING if lost and kind != PUSH else [], left, kind

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
                if outermost and items is not _NOTHING:
                    self._width = len(items) + left
                outermost = False
                frames[index] = (_NOTHING, left, kind, described)
        else:
            self._chunks = []
        *self._stack, (self._items, self._left, self._kind, self._described) = frames

    def _open(self, sign: int, line: bytes, i: int) -> None:
        """Open the aggregate whose header is `line`."""
        self._check_type(sign, i)
        kind = _AGGREGATES[sign]
        if line == b"?" and kind in (ARRAY, SET, MAP):
            count = STREAMED
        else:
            count = self._count(line, self._limits.elements, i, "elements")
            if kind in (MAP, ATTRIBUTE):
                count *= 2
                if count > self._limits.elements:
                    self._fail(f"at most {self._limits.elements} elements (Limits.elements)", i)
            if kind == PUSH and count == 0:
                self._fail("a push with a kind", i)
        self._push_frame(kind, count, i)

    def _end_streamed(self, line: bytes, i: int) -> None:
        """Close the streamed aggregate that a dot ends."""
        if line:
            self._fail("nothing after the dot", i)
        if self._kind == MAP and not self._left % 2:  # -1 when empty
            self._fail("a value for the last key of a streamed map", i)
        if self._outlines and not (len(self._stack) > 1 and self._stack[1][2] != DESCRIBED):
            self._width = STREAMED - self._left
        if STREAMED - self._left > self._limits.elements:
            self._fail(f"at most {self._limits.elements} elements (Limits.elements)", i)
        self._left = 0

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
        if items is not _NOTHING:
            self._built += _ARRAY_COST
        if kind == DESCRIBED:
            value = items[0] if items else None
        elif kind == MAP:
            value = make_map(items)
            self._built += getsizeof(value)
        elif kind == SET:
            value = make_set(items)
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
            lost = self._dropping and self._stack[-1][0] is _NOTHING
            self._items, self._left, self._kind = _NOTHING if lost else [], 1, DESCRIBED
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

    # Bulks

    def _begin_bulk(self, sign: int, line: bytes, i: int, start: int) -> int:
        """Read a bulk whose header is at `i` and whose bytes start at `start`, as far as it has come."""
        length = self._count(line, self._limits.bulk, i, "bulk")
        if self._room < length <= ROOMY:
            self._room = 2 * length
            bytes(self._room)  # see `ROOMY`
        self._bulk, self._need = sign, length + 2
        return self._read_bulk(start)

    def _read_bulk(self, i: int) -> int:
        """Read what the bulk still needs from index `i` on."""
        data, need = self._window, self._need
        end = i + need
        if end > len(data):
            part = _part(data, i, len(data))
            self._need = need = need - len(part)
            if need == 1:
                if data[-1] != _CR:
                    self._fail("the line break that ends a bulk", len(data) - 1, shown=False)
                part = part[:-1]
            if part and not (self._dropping and (self._items is _NOTHING or self._outermost)):
                gather(self._chunks, part)
            if self._stack:
                self._check_size(end)
            return len(data)
        last = max(end - 2, i)
        if data[last:end] != b"\r\n"[-need:]:
            self._fail("the line break that ends a bulk", last + (need > 1 and data[last] == _CR), shown=False)
        self._chunks.append(_part(data, i, last))
        body, self._chunks, self._need = b"".join(self._chunks), [], 0
        if self._bulk == _DOLLAR:
            self._value(body)
        elif self._bulk == _SEMICOLON:
            self._items.append(body)
        elif self._bulk == _BANG:
            self._value(ReplyError(body.decode("utf-8", "surrogateescape")))
        else:
            self._value(verbatim(body))
        return end

    def _read_string(self, i: int) -> int:
        """Read the chunks of a streamed string, whose frame counts down from one more byte than the limit."""
        data = self._window
        while i < len(data):
            end = data.find(b"\n", i)
            if end < 0:
                return self._keep_line(i)
            self._check_type(data[i], i)
            line = self._whole_line(i, end)[1:]
            length = self._count(line, self._left - 1, i, "bulk")
            if length == 0:
                body = b"".join([part for part in self._items if type(part) is bytes])
                self._items, self._left, self._kind, self._described = self._stack.pop()
                self._value(body)
                return end + 1
            self._left -= length
            self._bulk, self._need = _SEMICOLON, length + 2
            i = self._read_bulk(end + 1)
        return i

    # Lines, limits and complaints

    def _keep_line(self, i: int) -> int:
        """Keep the line that the window leaves unfinished at index `i`."""
        part = self._window[i:]
        if not self._line:
            self._check_type(part[0], i)
        gather(self._line, part)
        self._line_size += len(part)
        self._check_line(self._line[0][0], self._line_size - 2, i - self._line_size + len(part))
        if self._dropping:
            self._shorten_line()
        return len(self._window)

    def _shorten_line(self) -> None:
        """Of a text that goes nowhere keep its type, its last byte, and whether a carriage return stood before that."""
        if self._line_size > _WORTH_DROPPING and (self._items is _NOTHING or self._outermost):
            line = b"".join(self._line)
            if line[0] in _TEXTS:
                self._line = [line[:1] + (b"\r." if b"\r" in line[:-1] else b"") + line[-1:]]

    def _check_short(self, line: bytes) -> None:
        """Refuse a line of which no more was kept than this, as if it had been kept whole."""
        end = self._window.index(b"\n")
        whole = line + self._window[:end]
        window, base = self._window, self._base
        self._window, self._base = whole, base - self._line_size
        self._check_line(line[0], self._line_size + end - 2, 0)
        if whole[-1:] != b"\r" or b"\r" in whole[:-1]:
            self._fail("a line with its line break at its end and nowhere else", 0)
        self._window, self._base = window, base

    def _whole_line(self, i: int, end: int) -> bytes:
        """Return what stands from the type byte at `i` to the line break whose line feed is at `end`."""
        line = self._window[i : end - 1] if end - i > 1 else b"\n"  # not even a type byte
        self._check_line(line[0], len(line) - 1, i)
        if self._window[end - 1] != _CR or b"\r" in line or b"\n" in line:
            self._check_type(self._window[i], i)
            self._fail("a line with its line break at its end and nowhere else", i)
        return line

    def _check_line(self, sign: int, size: int, i: int) -> None:
        """Refuse a line of `size` bytes if it is too long."""
        if size > self._limits.line:
            limit = "bulk" if sign in _TEXTS else "line"
            most: int = getattr(self._limits, limit)
            if size > most:
                self._fail(f"a line of at most {most} bytes (Limits.{limit})", i)

    def _check_type(self, sign: int, i: int) -> None:
        """Refuse a type byte that may not stand here."""
        stack, kind = self._stack, self._kind
        if kind == STRING:
            if sign != _SEMICOLON:
                self._fail("a chunk of a streamed string (;)", i)
        elif sign == _GREATER:
            if not (self.lenient_push or not stack or (kind == DESCRIBED and len(stack) == 1)):
                self._fail("an element (a push may not stand inside another reply)", i)
        elif sign == _DOT:
            if not stack or self._left >= 0:
                self._fail("an element (there is no streamed aggregate to end)", i)
        elif sign not in _TYPES:
            self._fail("a RESP type byte", i)

    def _check_size(self, i: int) -> None:
        """Refuse a reply that is too large by index `i`."""
        if self._base + i - self._start + self._built > self._limits.reply:
            where = self._start - self._base
            self._fail(f"a reply of at most {self._limits.reply} bytes (Limits.reply)", where)

    def _fail(self, expected: str, i: int, *, shown: bool = True) -> NoReturn:
        """Give up the stream, see `refused`; `shown` is false amid data."""
        raise refused(expected, self._window if shown else b"", i, self._base)

"""Bytes to values: incremental at every byte, strict, limited, and iterative.

The parser is one resumable state: an unfinished line (its pieces), an unfinished bulk (its pieces and how much is missing), and a
stack of open frames, each a flat list of what it holds so far and a count of what is missing. An aggregate is made once,
when its frame closes; nothing completed is ever read again. The top level is a frame too, whose count is how many replies
the caller still wants (-1: all), so the loop never asks whether it is nested. An attribute is a frame that turns, when it
closes, into a frame for the one value that it describes.

What the peer sends can't raise: the replies before a bad byte are returned, and the error is kept for whoever asks.
"""

from __future__ import annotations

import re
import sys
from typing import Final, NamedTuple, NoReturn, Self

from ._errors import LocalProtocolError, RemoteProtocolError, ReplyError
from ._fastpath import COUNTS, LENGTHS, SCALARS, SHORT, SPAN, alone, columns, flat, large
from ._record import Record
from ._values import Attributed, Pairs, Push, Reply, Verbatim, make_map, make_set

__all__ = ["Chunk", "Limits", "Parser"]


class Limits(Record):
    """What a peer may make us read and hold. Beyond any of these: `RemoteProtocolError`."""

    depth: int = 128
    """How many aggregates may be open at a time (an attribute counts as one). redis-rs stops at 100, Lua replies at about 190."""

    bulk: int = 512 * 1024 * 1024
    """Bytes of one bulk, verbatim or error string, streamed ones included: Redis' own `proto-max-bulk-len`."""

    line: int = 64 * 1024
    """Bytes of one line (simple strings, errors, numbers): Redis' `PROTO_INLINE_MAX_SIZE`."""

    elements: int = 2**32 - 1
    """Elements of one aggregate (keys and values count singly): hiredis' `REDIS_READER_MAX_ARRAY_ELEMENTS`."""

    reply: int = 1024 * 1024 * 1024
    """Bytes of one top-level aggregate with all that it holds: what Redis takes from its clients (`client-query-buffer-limit`)."""


class Chunk(NamedTuple):
    """A part of a top-level bulk string, and whether it was the last one (which may be empty)."""

    data: bytes
    last: bool


# What a frame collects for.
_TOP, _ARRAY, _SET, _MAP, _PUSH, _ATTRIBUTE, _DESCRIBED, _STRING = range(8)
_AGGREGATES: Final = {42: _ARRAY, 126: _SET, 37: _MAP, 62: _PUSH, 124: _ATTRIBUTE}  # * ~ % > |
_TYPES: Final = frozenset(b"+-:$*_#,(!=~%|")  # what may stand anywhere
_DOLLAR, _PLUS, _MINUS, _COLON, _OPENING, _STAR, _GREATER, _DOT, _SEMICOLON, _BANG, _EQUALS, _CR = b"$+-:(*>.;!=\r"
_UNDERSCORE, _HASH, _COMMA, _TWO = b"_#,2"
_STREAMED: Final = -1  # the count of a frame that ends with a dot; the top level's if the caller wants all

_MOST_DIGITS: Final = (
    4300  # of a big number: CPython's default limit for int(), against quadratic conversion (CVE-2020-10735)
)
_DOUBLE: Final = re.compile(rb"-?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|inf)").fullmatch
_NAN: Final = re.compile(rb"-?(?:nan|NAN)(?:\([0-9A-Za-z_]*\))?").fullmatch  # as C's printf() may write it
_SHOWN: Final = 40  # how many of the peer's bytes an error message shows

_WORTH_SPLITTING: Final = 24  # bytes: below that there is nothing to gain
_SMALLEST_SPAN: Final = 4096
_WIDE: Final = 64  # elements: what is wider than that is no row of columns
_ALONE: Final = SHORT + 16  # bytes of a feed that may be one small reply

_Attributes = dict[Reply, Reply] | Pairs
_Frame = tuple[list[Reply], int, int, _Attributes | None]


class _Nothing(list[Reply]):
    """Where the values of a skipped reply go: nowhere."""

    __slots__ = ()

    def append(self, value: Reply, /) -> None:
        """Drop `value`."""

    def __iadd__(self, values: object, /) -> Self:  # type: ignore[override, misc]  # takes anything, as append does
        """Drop `values`."""
        return self


_NOTHING: Final = _Nothing()


def _length(tokens: list[bytes], start: int, stop: int) -> int:
    """Return how many bytes of the stream these tokens were, with their line breaks."""
    return sum(map(len, tokens[start:stop])) + 2 * (stop - start)


class Parser:
    """One direction of one connection's bytes, as values.

    `lenient_push` lets a push stand inside an aggregate (Redis 6 with CLIENT TRACKING sent some); it is returned before the reply
    that it interrupts. `nested_attributes` has values inside an aggregate that an attribute describes returned as `Attributed`;
    otherwise such attributes are read and left out. Those of top-level replies are always in `attributes`.
    """

    __slots__ = (
        "_at", "_base", "_counted", "_bulk", "_chunks", "_described", "_dropping", "_held", "_held_attributes", "_items", "_kind", "_left",
        "_fast", "_quiet", "_span", "_lenient", "_limits", "_line", "_line_size", "_need", "_nested", "_out", "_stack", "_start", "_unfinished", "_window", "_later",
        "attributes", "error", "errors", "pushes",
    )  # fmt: skip

    def __init__(
        self, limits: Limits = Limits(), *, lenient_push: bool = False, nested_attributes: bool = False
    ) -> None:
        self._limits = limits
        # The accelerators know nothing of limits, so they need room for the largest that they read.
        self._fast = min(limits.bulk, limits.line, limits.elements) >= SHORT and limits.reply >= SPAN
        self._span = _SMALLEST_SPAN
        self._lenient = lenient_push
        self._nested = nested_attributes
        self.error: RemoteProtocolError | None = None
        """Set when the stream is broken. What was complete before the bad byte is still returned; after that, nothing ever."""
        self._quiet = self._fast
        self._counted = False
        self.pushes = 0
        """How many `Push` values are in the list that was returned last."""
        self.errors = 0
        """How many top-level `ReplyError` values are in the list that was returned last."""
        self.attributes: dict[int, _Attributes] = {}
        """The attributes of top-level replies in the list that was returned last, by index in it."""
        # The input: the window that is being read (empty: none), how far, where in the stream it starts, and what came later.
        self._window = b""
        self._at = 0
        self._base = 0
        self._later: list[bytes] = []
        # An unfinished line; an unfinished bulk (its type byte, its pieces, and how much is missing with its line break).
        self._line: list[bytes] = []
        self._line_size = 0
        self._bulk = 0
        self._chunks: list[bytes] = []
        self._need = 0
        # The open frame (its items, how many are missing, its kind, attributes for its one item), and those around it.
        self._out: list[Reply] = []
        self._items: list[Reply] = self._out
        self._left = _STREAMED
        self._kind = _TOP
        self._described: _Attributes | None = None
        self._stack: list[_Frame] = []
        self._start = 0
        # Skipping: whether values are dropped; what skip() or chunks() began and must end; pushes met meanwhile.
        self._dropping = False
        self._unfinished = ""
        self._held: list[Reply] = []
        self._held_attributes: dict[int, _Attributes] = {}

    def feed(self, data: bytes, most: int = -1) -> list[Reply]:
        """Return the replies that `data` completes, in order, pushes in their place among them.

        At most `most` of them are not pushes (-1: no such limit). What follows stays unread, except pushes: `feed(b"", n)` goes
        on with it. Never raises on what the peer sent: see `error`. `data` must be `bytes`, which is kept, not copied.

        Raises `LocalProtocolError` if `skip` or `chunks` has begun a reply that it has not ended; `feed(b"", 0)`, which reads none,
        may be called even then.
        """
        size = len(data)
        if self._quiet and most and size < _ALONE:
            if self._counted:
                self._counted = False
                self.pushes, self.errors, self.attributes = 0, 0, {}
            tokens = data.split(b"\r\n")
            head, parts = tokens[0], len(tokens)
            if parts == 3:
                if LENGTHS.get(head) == len(tokens[1]) and not tokens[2]:
                    return [tokens[1]]
            elif parts == 2:
                if not tokens[1]:
                    if head in SCALARS:
                        return [SCALARS[head]]
                    digits = head[1:]
                    if digits.isdigit() and head[0] == _COLON and size < 22:
                        return [int(digits)]
            elif (count := COUNTS.get(head)) is not None:
                if parts == 2 * count + 2 and not tokens[-1]:
                    bodies = tokens[2:-1:2]
                    at = 1
                    for body in bodies:
                        if LENGTHS.get(tokens[at]) != len(body):
                            break
                        at += 2
                    else:
                        return [bodies]  # type: ignore[list-item]  # bytes are replies
            else:
                reply = alone(tokens, head)
                if reply is not None:
                    if type(reply) is Push:
                        self.pushes, self._counted = 1, True
                    return [reply]
        if self._unfinished and (data or most):
            raise LocalProtocolError(
                f"feed() in the middle of a reply that {self._unfinished} has begun: go on with that"
            )
        self._read(data, most)
        return self._out

    def skip(self, data: bytes, count: int) -> int:
        """Read and drop `count` replies without building them; return how many of them were completed now.

        As long as that is fewer than asked for, go on with `skip`. Pushes are not dropped and do not count: those met meanwhile are
        returned by the next `feed` or `chunks`, before what these read (`feed(b"", 0)` returns them without reading a reply).
        """
        if self._unfinished == "chunks()":
            self._unfinished = "skip()"
        self._dropping = True
        self._read(data, count)
        self._dropping = False
        out, attributes = self._out, self.attributes
        pushes = [index for index, value in enumerate(out) if type(value) is Push]
        self._held_attributes = {new: attributes[old] for new, old in enumerate(pushes) if old in attributes}
        self._held = [out[index] for index in pushes]
        self._out, self.pushes, self.errors, self.attributes = [], 0, 0, {}
        self._counted, self._quiet = False, self._quiet and not pushes
        completed = len(out) - len(pushes)
        self._unfinished = "skip()" if completed < count and (self._stack or self._need) else ""
        return completed

    def chunks(self, data: bytes) -> list[Chunk | Reply]:
        """Read one reply: a bulk string in the parts that have come, anything else whole. Pushes stand before it.

        A part is a `Chunk`; go on until one says that it is the last (or another value came). What follows stays unread.

        Raises `LocalProtocolError` if `skip` has begun a reply that it has not ended.
        """
        if self._unfinished == "skip()":
            raise LocalProtocolError("chunks() in the middle of a reply that skip() has begun: go on with that")
        self._read(data, 1)
        result: list[Chunk | Reply] = list(self._out)
        if result and type(result[-1]) is not Push:
            if type(result[-1]) is bytes:
                result[-1] = Chunk(result[-1], True)
            self._unfinished = ""
        elif {self._kind, *[kind for _, _, kind, _ in self._stack]} <= {_TOP, _DESCRIBED, _STRING}:
            parts = [part for part in self._items if type(part) is bytes] if self._kind == _STRING else []
            self._items.clear() if self._kind == _STRING else None
            if self._bulk in (_DOLLAR, _SEMICOLON):
                parts += self._chunks
                self._chunks.clear()
            if parts:
                result += [Chunk(part, False) for part in parts]
                self._unfinished = "chunks()"
        return result

    @property
    def needed(self) -> int:
        """How many more bytes complete the bulk that is being read, its line break included; 0 if none is."""
        return self._need

    @property
    def idle(self) -> bool:
        """Whether everything that came was read and returned: nothing is unread, incomplete, or held back."""
        return not (self._window or self._line or self._need or self._stack or self._held)

    def _read(self, data: bytes, most: int) -> None:
        """Read `data`, after what is still unread, into a new `_out`."""
        out, self._held = self._held, []
        self._out = out
        if self._counted:
            self.pushes, self.errors, self.attributes = 0, 0, {}
        if out:
            self.pushes = len(out)
            self.attributes, self._held_attributes = self._held_attributes, {}
        if self.error is not None:
            return
        if self._window:
            self._later.append(data)
        else:
            self._window = data
        if self._stack:
            self._stack[0] = (out, most, _TOP, None)
        else:
            self._items, self._left = out, most
        if most != 0 or not (self._stack or self._need) or self._in_push():
            try:
                self._read_windows()
            except RemoteProtocolError as error:
                self.error = error
                self._window, self._later, self._line, self._chunks, self._stack = b"", [], [], [], []
                self._need, self._unfinished = 0, ""
        self._counted = bool(self.pushes or self.errors or self.attributes)
        self._quiet = (
            self._fast and self.error is None and not (self._window or self._stack or self._need or self._line)
        )

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

    def _in_push(self) -> bool:
        return (self._stack[1][2] if len(self._stack) > 1 else self._kind) == _PUSH

    def _resume(self) -> int:
        """Go on with what the last window left unfinished; return where the next element starts in this one."""
        if self._need:
            return self._read_bulk(self._at)
        if self._line:
            if b"\n" not in self._window:
                return self._keep_line(self._at)
            self._base -= self._line_size
            self._window = b"".join([*self._line, self._window])
            self._line, self._line_size = [], 0
        return self._at

    def _run(self, i: int) -> int:
        """Read elements from index `i` of the window on; return where it ended: before its end only if enough replies came."""
        if self._kind == _STRING:
            i = self._read_string(i)
        data, size = self._window, len(self._window)
        split = False  # whether the rest of the window has been split, and what stands at its start was declined
        while True:
            while self._left == 0 and self._stack:
                self._close(i)
                if not self._stack:
                    self._check_size(i)
            if i >= size or (self._left == 0 and data[i] != _GREATER):  # pushes may pass when enough replies came
                return i
            if size - i > _WORTH_SPLITTING and self._fast:
                start = i
                # A length of four digits, or of three that begin with 3 to 9, is a large one.
                if data[i] == _DOLLAR and data[i + 3] > _CR and (data[i + 4] > _CR or data[i + 1] > _TWO):
                    i, self._left = large(data, i, self._items, self._left, self._limits.bulk)
                elif not split:
                    split = size - i <= self._span
                    i = self._run_tokens(i)
                if i > start:
                    continue
            split = False
            end = data.find(b"\n", i)
            i = self._element(data[i], self._whole_line(i, end), i) if end >= 0 else self._keep_line(i)

    def _run_tokens(self, i: int) -> int:
        """Read elements from index `i` on out of a window split at its line breaks; return where it ended.

        What is split in vain stays in proportion to what is read: a window with something in it that has to be looked at otherwise
        makes the next one small.
        """
        data, stack, dropping = self._window, self._stack, self._dropping
        stop = min(len(data), i + self._span)
        tokens = data[i:stop].split(b"\r\n")
        at, last = 0, len(tokens) - 1
        where, known = i, 0  # the index in the window of tokens[known]
        opened = -1  # the token that opened the reply, if it is one of these
        shy, pause = 1, 0  # after columns were tried in vain: how many aggregates to open one by one
        items, left, kind = self._items, self._left, self._kind
        while True:
            while left == 0 and stack:
                if kind == _ARRAY:
                    value = items
                    items, left, kind, self._described = stack.pop()
                    items.append(value)
                    left -= 1
                else:
                    where, known = where + _length(tokens, known, at), at
                    self._items, self._left, self._kind = items, left, kind
                    self._close(where)
                    items, left, kind = self._items, self._left, self._kind
                if not stack:
                    if opened < 0:
                        self._check_size(where + _length(tokens, known, at))
                    opened = -1
            if left == 0 or at >= last:
                break
            head = tokens[at]
            count = COUNTS.get(head)
            if count is None and head[:1] not in b"%~>":
                at, left = flat(tokens, at, last, [] if items is _NOTHING else items, left)
                if left == 0 or at >= last:
                    continue
                head = tokens[at]
                count = COUNTS.get(head)
            if count is not None or head[:1] in b"%~" or (head[:1] == b">" and not stack):
                if pause == 0 and not 0 < left < 3 and (count is None or count < _WIDE):
                    read = columns(tokens, at, last, left if left > 0 else last, self._limits.depth - len(stack))
                    if read is not None:
                        rows, at = read
                        items += rows
                        if head[:1] == b">":
                            self.pushes += len(rows)
                        else:
                            left -= len(rows)
                        shy = 1
                        continue
                    pause = shy = min(shy * 2, 64)
                pause = max(0, pause - 1)
                if count is not None and not dropping and len(stack) < self._limits.depth:
                    if not stack:
                        opened = at
                    stack.append((items, left, kind, self._described))
                    items, left, kind = [], count, _ARRAY
                    at += 1
                    continue
            if head[:1] == b"$":
                break
            where, known = where + _length(tokens, known, at), at
            self._items, self._left, self._kind = items, left, kind
            end = self._element(data[where], self._whole_line(where, where + len(head) + 1), where)
            items, left, kind = self._items, self._left, self._kind
            while where < end and at < last:
                where += len(tokens[at]) + 2
                at += 1
            known = at
            if where != end:
                return end
        self._items, self._left, self._kind = items, left, kind
        if stack and opened >= 0:
            self._start = self._base + i + _length(tokens, 0, opened)
        if last - at <= 2:
            self._span = min(self._span * 2, SPAN)
            return stop - _length(tokens, at, last) - len(tokens[last])
        self._span = _SMALLEST_SPAN
        return where + _length(tokens, known, at)

    def _element(self, sign: int, line: bytes, i: int) -> int:
        """Read the element (or the header of one) at index `i` whose line is whole; return where the next one starts."""
        start = i + len(line) + 3
        if sign in (_DOLLAR, _BANG, _EQUALS):
            if line == b"-1" and sign == _DOLLAR:
                self._value(None)
            elif line == b"?" and sign == _DOLLAR:
                self._push_frame(_STRING, self._limits.bulk, i)
                return self._read_string(start)
            else:
                return self._begin_bulk(sign, line, i, start)
        elif sign in _AGGREGATES:
            if line == b"-1" and sign == _STAR:
                self._value(None)
            else:
                self._open(sign, line, i)
        elif sign == _DOT:
            self._end_streamed(line, i)
        else:
            self._value(self._scalar(sign, line, i))
        return start

    def _value(self, value: Reply) -> None:
        """Take a value that is complete into the open frame."""
        if type(value) is ReplyError and not self._stack:
            self.errors += 1
        self._items.append(value)
        self._left -= 1

    def _scalar(self, sign: int, line: bytes, i: int) -> Reply:
        """Return the value of a line that is a whole element."""
        self._check_type(sign, i)
        if sign == _PLUS:
            return line.decode("utf-8", "surrogateescape")
        if sign == _MINUS:
            return ReplyError(line.decode("utf-8", "surrogateescape"))
        if sign in (_COLON, _OPENING):
            return self._integer(sign, line, i)
        if sign == _UNDERSCORE and not line:
            return None
        if sign == _HASH and line in (b"t", b"f"):
            return line == b"t"
        if sign == _COMMA and _DOUBLE(line):
            return float(line)
        if sign == _COMMA and _NAN(line):
            return float("nan")
        self._fail({_UNDERSCORE: "nothing after _", _HASH: "#t or #f"}.get(sign, "a double"), i)

    def _integer(self, sign: int, line: bytes, i: int) -> int:
        digits = line[1:] if line[:1] == b"-" else line
        most = 19 if sign == _COLON else _MOST_DIGITS
        if not digits.isdigit():
            self._fail("an integer in decimal digits", i)
        try:
            value = int(line) if len(digits) <= most else 2**63
        except ValueError:  # sys.set_int_max_str_digits() allows fewer
            value, most = 2**63, sys.get_int_max_str_digits()
        if sign == _COLON and not -(2**63) <= value < 2**63:
            self._fail("an integer of 64 bits", i)
        if len(digits) > most:
            self._fail(f"a big number of at most {most} digits", i)
        return value

    def _count(self, line: bytes, most: int, i: int, limit: str) -> int:
        """Return the length or count that a header announces."""
        if not line.isdigit() or len(line) > 20:
            self._fail("a length in decimal digits", i)
        length = int(line)
        if length > most:
            self._fail(f"a length of at most {most} (Limits.{limit})", i)
        return length

    # Frames

    def _push_frame(self, kind: int, left: int, i: int) -> None:
        """Open a frame, in which what is skipped goes nowhere; a push is not skipped, nor what describes a top-level value."""
        stack, outer = self._stack, self._items
        if len(stack) == self._limits.depth:
            self._fail(f"at most {self._limits.depth} aggregates inside each other (Limits.depth)", i)
        if not stack:
            self._start = self._base + i
        lost = self._dropping and (outer is _NOTHING or (not stack and kind not in (_PUSH, _ATTRIBUTE)))
        stack.append((outer, self._left, self._kind, self._described))
        self._items, self._left, self._kind = _NOTHING if lost and kind != _PUSH else [], left, kind

    def _open(self, sign: int, line: bytes, i: int) -> None:
        """Open the aggregate whose header is `line`."""
        self._check_type(sign, i)
        kind = _AGGREGATES[sign]
        if line == b"?" and kind in (_ARRAY, _SET, _MAP):
            count = _STREAMED
        else:
            count = self._count(line, self._limits.elements, i, "elements")
            if kind in (_MAP, _ATTRIBUTE):
                count *= 2
                if count > self._limits.elements:
                    self._fail(f"at most {self._limits.elements} elements (Limits.elements)", i)
            if kind == _PUSH and count == 0:
                self._fail("a push with a kind", i)
        self._push_frame(kind, count, i)

    def _end_streamed(self, line: bytes, i: int) -> None:
        """Close the streamed aggregate that a dot ends."""
        self._check_type(_DOT, i)
        if line:
            self._fail("nothing after the dot", i)
        if self._kind == _MAP and not self._left % 2:  # -1 when empty
            self._fail("a value for the last key of a streamed map", i)
        self._left = 0

    def _close(self, i: int) -> None:
        """Make the value of the open frame, which is complete, and hand it to the one around it."""
        items, kind, described = self._items, self._kind, self._described
        if kind == _ATTRIBUTE:
            self._describe(make_map(items))
            return
        if kind == _PUSH:
            self._close_push(items, i)
            return
        value: Reply = items
        if kind == _DESCRIBED:
            value = items[0] if items else None
        elif kind == _MAP:
            value = make_map(items)
        elif kind == _SET:
            value = make_set(items)
        self._items, self._left, self._kind, self._described = self._stack.pop()
        if kind == _DESCRIBED and described is not None:
            if not self._stack:
                self.attributes[len(self._out)] = described
            elif self._nested:
                value = Attributed(value, described)
        self._value(value)

    def _describe(self, attributes: _Attributes) -> None:
        """Turn the attribute's frame into one for the value that it describes; attributes in a row are merged, the last wins."""
        if self._stack[-1][2] == _DESCRIBED:
            self._items, self._left, self._kind, before = self._stack.pop()
            if isinstance(attributes, dict) and isinstance(before, dict):
                attributes = before | attributes
            elif before is not None:
                pairs = [before.items() if isinstance(before, dict) else before]
                pairs.append(attributes.items() if isinstance(attributes, dict) else attributes)
                attributes = Pairs(pair for some in pairs for pair in some)
        else:
            lost = self._dropping and (len(self._stack) == 1 or self._stack[-1][0] is _NOTHING)
            self._items, self._left, self._kind = _NOTHING if lost else [], 1, _DESCRIBED
        self._described = attributes

    def _close_push(self, items: list[Reply], i: int) -> None:
        """Return the push, which is nobody's element, ahead of what it may stand in."""
        kind = items[0]
        if type(kind) is bytes:
            kind = kind.decode("utf-8", "surrogateescape")
        if type(kind) is not str:
            self._fail(f"a string as the kind of a push, not {type(kind).__name__}, before this", i)
        self._items, self._left, self._kind, self._described = self._stack.pop()
        if self._kind == _DESCRIBED and len(self._stack) == 1:
            assert self._described is not None
            self.attributes[len(self._out)] = self._described
            self._items, self._left, self._kind, self._described = self._stack.pop()
        self._out.append(Push(kind, tuple(items[1:])))
        self.pushes += 1

    # Bulks

    def _begin_bulk(self, sign: int, line: bytes, i: int, start: int) -> int:
        """Read a bulk whose header is at `i` and whose bytes start at `start`, as far as it has come."""
        length = self._count(line, self._limits.bulk, i, "bulk")
        if sign == _EQUALS and length < 4:
            self._fail("a verbatim string of at least 4 bytes", i)
        self._bulk, self._need = sign, length + 2
        return self._read_bulk(start)

    def _read_bulk(self, i: int) -> int:
        """Read what the bulk still needs from index `i` on."""
        data, need = self._window, self._need
        end = i + need
        if end > len(data):
            part = data[i:]
            self._need = need = need - len(part)
            if need == 1:
                if not part.endswith(b"\r"):
                    self._fail("the line break that ends a bulk", len(data) - 1)
                part = part[:-1]
            if part and not (self._dropping and self._bulk != _EQUALS and (self._items is _NOTHING or not self._stack)):
                self._chunks.append(part)
            if self._stack:
                self._check_size(end)
            return len(data)
        last = max(end - 2, i)
        if data[last:end] != b"\r\n"[-need:]:
            self._fail("the line break that ends a bulk", last)
        self._chunks.append(data[i:last])
        body, self._chunks, self._need = b"".join(self._chunks), [], 0
        if self._bulk == _DOLLAR:
            self._value(body)
        elif self._bulk == _SEMICOLON:
            self._items.append(body)
        elif self._bulk == _BANG:
            self._value(ReplyError(body.decode("utf-8", "surrogateescape")))
        else:
            self._value(self._verbatim(body, i))
        return end

    def _verbatim(self, body: bytes, i: int) -> Verbatim:
        if body[3:4] != b":":
            self._fail(
                f"three letters and a colon before the text of a verbatim string, not {body[:4]!r}, before this", i
            )
        return Verbatim(body[4:], body[:3].decode("utf-8", "surrogateescape"))

    def _read_string(self, i: int) -> int:
        """Read the chunks of a streamed string, whose frame counts the bytes that the limit leaves."""
        data = self._window
        while i < len(data):
            end = data.find(b"\n", i)
            if end < 0:
                return self._keep_line(i)
            self._check_type(data[i], i)
            line = self._whole_line(i, end)
            length = self._count(line, self._left, i, "bulk")
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
        self._line.append(part)
        self._line_size += len(part)
        if self._line_size - 2 > self._limits.line:
            self._fail(f"a line of at most {self._limits.line} bytes (Limits.line)", i)
        return len(self._window)

    def _whole_line(self, i: int, end: int) -> bytes:
        """Return what stands between the type byte at `i` and the line feed at `end`."""
        line = self._window[i + 1 : end - 1]
        if len(line) > self._limits.line:
            self._fail(f"a line of at most {self._limits.line} bytes (Limits.line)", i)
        if self._window[end - 1] != _CR or b"\r" in line or b"\n" in line:
            self._check_type(self._window[i], i)
            self._fail("a line with its line break at its end and nowhere else", i)
        return line

    def _check_type(self, sign: int, i: int) -> None:
        """Refuse a type byte that may not stand here."""
        stack, kind = self._stack, self._kind
        if kind == _STRING:
            if sign != _SEMICOLON:
                self._fail("a chunk of a streamed string (;)", i)
        elif sign == _GREATER:
            if not (self._lenient or not stack or (kind == _DESCRIBED and len(stack) == 1)):
                self._fail("an element (a push may not stand inside another reply)", i)
        elif sign == _DOT:
            if not stack or self._left >= 0:
                self._fail("an element (there is no streamed aggregate to end)", i)
        elif sign not in _TYPES:
            self._fail("a RESP type byte", i)

    def _check_size(self, i: int) -> None:
        """Refuse a reply that is too large by index `i`."""
        if self._base + i - self._start > self._limits.reply:
            where = self._start - self._base
            self._fail(f"a reply of at most {self._limits.reply} bytes (Limits.reply)", where)

    def _fail(self, expected: str, i: int) -> NoReturn:
        """Give up the stream: at index `i` of the window stands something else than what was `expected`."""
        got = self._window[max(i, 0) : max(i, 0) + _SHOWN]
        raise RemoteProtocolError(f"expected {expected}, got {got!r} at byte {self._base + i} of the stream")

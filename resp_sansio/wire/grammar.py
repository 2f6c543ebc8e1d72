"""RESP's grammar, strict in everything: it reads one element at a time, as far as it has come.

What is unfinished is kept, and can be gone on with in the next window: a line (its pieces), or a bulk (its pieces and how much is
missing). Nothing completed is ever read again. This alone would read any stream right; everything else here is for speed.
"""

from __future__ import annotations

from typing import ClassVar, Final

from .._errors import ReplyError
from .fastpath import HEAVY, LENGTHS
from .frames import ARRAY, ATTRIBUTE, DESCRIBED, MAP, NOTHING, PUSH, SET, STREAMED, STRING, Frames
from .limits import Limits
from .scalars import LINES, gather, verbatim

__all__ = ["AGGREGATES", "Grammar"]

AGGREGATES: Final = {42: ARRAY, 126: SET, 37: MAP, 62: PUSH, 124: ATTRIBUTE}  # * ~ % > |
"""What an aggregate with this type byte is collected as."""

_TYPES: Final = frozenset(b"+-:$*_#,(!=~%|")  # what may stand anywhere
_DOLLAR, _STAR, _GREATER, _DOT, _SEMICOLON, _BANG, _EQUALS, _CR = b"$*>.;!=\r"
_TEXTS: Final = frozenset(b"+-")  # types whose line may be as long as a bulk

_WORTH_A_VIEW: Final = 16 * 1024  # bytes: copying fewer costs less than a view of them
_WORTH_DROPPING: Final = 16 * 1024  # bytes: a shorter text is kept, though it goes nowhere

MAPPED: Final = 128 * 1024
ROOMY: Final = 4 * 1024 * 1024
"""Before the first bulks from more than the one to the other, a block of twice the size is taken and given back, untouched.

glibc then keeps the memory of a reply and of its parts for the next one. It would give both back after each reply, and take them
anew page by page: measured with 1 MiB in a program of many modules, that costs six times as much.
"""


def _part(data: bytes, start: int, stop: int) -> bytes | memoryview:
    """Return a piece of a bulk; a large one is copied only when all are joined."""
    return data[start:stop] if stop - start < _WORTH_A_VIEW else memoryview(data)[start:stop]


class Grammar(Frames):
    """Elements, bulks and lines, of which some may be unfinished."""

    __slots__ = ("_bulk", "_line", "_line_size", "_need")
    _room: ClassVar[int] = MAPPED  # see `ROOMY`; a process has one allocator for all connections

    def __init__(self, limits: Limits, *, lenient_push: bool, nested_attributes: bool) -> None:
        super().__init__(limits, lenient_push=lenient_push, nested_attributes=nested_attributes)
        # An unfinished line; an unfinished bulk: its type byte, and how much is missing with its line break.
        self._line: list[bytes | bytearray | memoryview] = []
        self._line_size = 0
        self._bulk = 0
        self._need = 0

    def _element(self, line: bytes, i: int) -> int:
        """Read the element (or the header of one) at index `i` whose line is whole; return where the next one starts."""
        sign, start = line[0], i + len(line) + 2
        length = LENGTHS.get(line)
        if length is not None and length <= self._limits.bulk:  # what a window ends in, mostly
            self._bulk, self._need = _DOLLAR, length + 2
            return self._read_bulk(start)
        read = LINES.get(line[:1])
        if read is not None:
            self._check_type(sign, i)
            self._value(value := read(line))
            if type(value) is str and not line.isascii() and self._items is not NOTHING:
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
        elif sign in AGGREGATES:
            if line == b"-1" and sign == _STAR:
                self._value(None)
            else:
                self._open(sign, line, i)
        else:
            self._check_type(sign, i)
            self._end_streamed(line, i)
        return start

    def _count(self, line: bytes, most: int, i: int, limit: str) -> int:
        """Return the length or count that a header announces."""
        if not line.isdigit() or len(line) > 20:
            self._fail("a length in decimal digits", i)
        length = int(line)
        if length > most:
            self._fail(f"a length of at most {most} (Limits.{limit})", i)
        return length

    def _open(self, sign: int, line: bytes, i: int) -> None:
        """Open the aggregate whose header is `line`."""
        self._check_type(sign, i)
        kind = AGGREGATES[sign]
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

    # Bulks

    def _begin_bulk(self, sign: int, line: bytes, i: int, start: int) -> int:
        """Read a bulk whose header is at `i` and whose bytes start at `start`, as far as it has come."""
        length = self._count(line, self._limits.bulk, i, "bulk")
        if Grammar._room < length <= ROOMY:
            Grammar._room = 2 * length
            bytes(Grammar._room)
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
            if part and not (self._dropping and (self._items is NOTHING or self._outermost)):
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

    # Lines and type bytes

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
        if self._line_size > _WORTH_DROPPING and (self._items is NOTHING or self._outermost):
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
        if end - i > self._limits.line:
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

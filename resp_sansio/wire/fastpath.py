"""Accelerators for the parser: they prove, at the speed of C, that a whole run of elements is what RESP allows.

A window of the stream is split at its line breaks once. In what comes out, a run of bulks is a header, a body, a header, a
body ...: if the lengths that the headers announce equal those of the bodies, every one of them is right, line breaks and
all. A run of scalars is a run of keys of a table; aggregates of one shape are columns, each a run of one kind.

Nothing here raises on what a peer sent, and nothing here has the last word: what can't be proven is left to the strict
parser, which reads it again and says what is wrong. So a mistake here may cost time, but must never change a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Final, TypeAlias

from .._errors import InvalidReplyError, ReplyError
from .scalars import LINES
from .values import Push, Reply, make_map, make_set

__all__ = [
    "COSTS",
    "COUNTS",
    "HEAVY",
    "LENGTHS",
    "MAKERS",
    "SCALARS",
    "SHORT",
    "SPAN",
    "alone",
    "columns",
    "few",
    "flat",
    "large",
    "scalar",
    "several",
    "whole",
]

SHORT: Final = 1024
"""Lengths and counts below this are in tables."""

LARGE: Final = 300
"""Bulks from here on are cut out by their length; searching them for line breaks costs more."""

_LONGEST_HEADER: Final = 16  # bytes, line break included: so few digits are no burden for int(), which refuses 4301

SPAN: Final = 128 * 1024
"""The largest window: splitting takes memory (some 40 bytes for each line) for everything in it at once."""

LENGTHS: Final = {b"$%d" % length: length for length in range(SHORT)}
_HEADS: Final = [*LENGTHS]
COUNTS: Final = {b"*%d" % count: count for count in range(SHORT)}
SCALARS: Final[dict[bytes, Reply]] = {
    b"+OK": "OK",
    b"+QUEUED": "QUEUED",
    b"+PONG": "PONG",
    b"$-1": None,
    b"*-1": None,
    b"_": None,
    b"#t": True,
    b"#f": False,
    **{b":%d" % number: number for number in range(-1, SHORT)},
    **{b"+%c" % byte: chr(0xDC00 + byte) for byte in range(128, 256)},  # each took 80 bytes, for four that came
}


def _push(items: Sequence[Reply]) -> Push | None:
    kind = items[0]
    if isinstance(kind, bytes):
        kind = kind.decode("utf-8", "surrogateescape")
    return Push(kind, tuple(items[1:])) if isinstance(kind, str) else None


_Make: TypeAlias = Callable[[Sequence[Reply]], Reply]
MAKERS: Final[dict[bytes, _Make]] = {b"*": list, b"%": make_map, b"~": make_set}
_PUSHES: Final[dict[bytes, _Make]] = {**MAKERS, b">": _push}

COSTS: Final = {b"*": 96, b"%": 256, b"~": 256}
"""Bytes of a small aggregate, of CPython, its place in another included."""

HEAVY: Final = 176
"""The same of an error, and more than that of text that is no ASCII: of what takes far more than the line that it came as."""

_ERRORS: Final = frozenset({ReplyError, InvalidReplyError})
_NO_COLUMN: Final = _ERRORS | {type(None)}
_HALF: Final = SHORT // 2
_WORTH_A_RUN: Final = 6  # fewer are read faster one by one
_UNUSUAL: Final = re.compile(rb"[^0-9.,eE+-]|[^0-9]\.|\.[^0-9]").search  # in ",1,2.5,": what float() reads otherwise
_RARE_BULKS: Final = (b"$?", b"$0")  # a streamed string; a length that begins with a zero
_LONGEST_TURN: Final = 16  # tokens of which several kinds of elements that take turns have one each
_WORTH_TURNS: Final = 4
_PATIENCE: Final = 8  # elements that are read one by one where no run is found; then more
_WIDEST: Final = 128  # tokens in an aggregate that may become a row of columns


def several(tokens: list[bytes], most: int, depth: int) -> tuple[list[Reply], int] | None:
    """Return the replies that a small feed consists of, split at its line breaks, and how many are pushes.

    None to decline, if there are more than `most` (negative: any number) or something is incomplete, too deep or unusual.
    """
    out: list[Reply] = []
    items, left, make = out, -1, MAKERS[b"*"]
    stack: list[tuple[list[Reply], int, _Make]] = []
    at, last = 0, len(tokens) - 1
    pushes = 0
    if tokens[last]:
        return None
    while True:
        while left == 0:
            value: Reply = items if make is list else make(items)
            pushes += make is _push
            if value is None:
                return None
            items, left, make = stack.pop()
            items.append(value)
            left -= 1
        if at == last:
            break
        head = tokens[at]
        inner = _PUSHES.get(head[:1])
        if inner is not None:
            count = COUNTS.get(b"*" + head[1:])
            if count is None or len(stack) == depth or (inner is _push and (stack or not count)):
                return None
            stack.append((items, left, make))
            items, left, make = [], 2 * count if inner is make_map else count, inner
            at += 1
            continue
        start = at
        at, left, _ = flat(tokens, at, last, items, left)
        if at == start:
            return None
    if stack or -1 < most < len(out) - pushes:
        return None
    return out, pushes


def alone(data: bytes) -> bool:
    """Return whether this is one short reply and nothing else; false to decline."""
    tokens = data.split(b"\r\n", 3)
    if tokens[-1]:
        return False
    if len(tokens) == 3:
        return LENGTHS.get(tokens[0]) == len(tokens[1])
    return len(tokens) == 2 and tokens[0] in SCALARS


def few(tokens: list[bytes], most: int) -> list[Reply] | None:
    """Return the replies that a feed consists of, if these are few bulks and scalars; None to decline."""
    last = len(tokens) - 1
    if last > _WORTH_A_RUN or tokens[last]:
        return None
    out: list[Reply] = []
    at, _ = _singly(tokens, 0, last, out, last)
    return out if at == last and not -1 < most < len(out) else None


def whole(data: bytes, limit: int) -> bytes | None:
    """Return the one large bulk string that a feed consists of; None to decline."""
    end = data.find(b"\r\n", 0, _LONGEST_HEADER)
    digits = data[1:end] if end > 0 else b""  # not even a whole header has come
    if digits.isdigit() and len(data) == end + 4 + int(digits) and int(digits) <= limit and data.endswith(b"\r\n"):
        return data[end + 2 : -2]
    return None


def flat(tokens: list[bytes], at: int, last: int, items: list[Reply], left: int) -> tuple[int, int, int]:
    """Read bulks and scalars from `tokens[at]` into `items`, at most `left` (negative: all), until something else comes.

    `tokens[last]` is what no line break follows yet. Returns the index of the next token, what is left, and how many of the
    elements are heavy, see `HEAVY`.
    """
    most = left if 0 < left < last - at else last - at
    if most <= _WORTH_A_RUN and left:
        before = len(items)
        at, heavy = _singly(tokens, at, last, items, most)
        return at, left + before - len(items), heavy
    run, patience = 32, _PATIENCE  # try runs of growing length; after a failure read ever more elements one by one
    heavy = 0
    while left and at < last:
        most = min(run, left) if left > 0 else run
        found = _run(tokens, at, last, most) if most > _WORTH_A_RUN else None
        if found is None and most > patience > _PATIENCE:  # several were read one by one
            found = _turns(tokens, at, last, most)
        if found is not None:
            values, at = found
            items += values
            left -= len(values)
            run *= 4
            continue
        most = min(patience, left) if left > 0 else patience
        before = len(items)
        at, more = _singly(tokens, at, last, items, most)
        got = len(items) - before
        heavy += more
        left -= got
        if got < most:
            break
        run = 32
        patience *= 2
    return at, left, heavy


def _run(tokens: list[bytes], at: int, last: int, most: int) -> tuple[Sequence[Reply], int] | None:
    """Return at most `most` elements that are all bulks or all scalars of the table, and the next index; None to decline."""
    head = tokens[at]
    if head in LENGTHS:
        end = min(at + 2 * most, last - (last - at) % 2)
        if end - at <= _WORTH_A_RUN or tokens[at + 2] not in LENGTHS:
            return None
        bodies = tokens[at + 1 : end : 2]
        return (bodies, end) if _proven(tokens[at:end:2], bodies) else None
    if head in SCALARS or head[:1] in b":,":
        end = min(at + most, last)
        if end - at <= _WORTH_A_RUN or tokens[at + 1] in LENGTHS:
            return None
        values = _values(tokens[at:end])
        return None if values is None else (values, end)
    return None


def _proven(heads: list[bytes], bodies: list[bytes]) -> bool:
    """Whether the bodies (at least two) are as long as their headers say."""
    # Most quickly said of lengths that are all alike, or alternate as those of fields and values do.
    if heads[:2] == heads[-2:] and _alike(heads[::2], bodies[::2]) and _alike(heads[1::2], bodies[1::2]):
        return True
    try:
        return heads == [_HEADS[len(body)] for body in bodies]  # two thirds of the time that lengths looked up take
    except IndexError:
        return False


def _alike(heads: list[bytes], bodies: list[bytes]) -> bool:
    length = LENGTHS.get(heads[0], -1)
    return heads.count(heads[0]) == len(heads) and list(map(len, bodies)).count(length) == len(bodies)


def _values(lines: list[bytes]) -> Sequence[Reply] | None:
    """Return the values of these lines (at least two) if all are in the table of scalars, or all integers, or all doubles."""
    first = lines[0]
    if first in SCALARS:
        if lines[-1] == first and lines.count(first) == len(lines):
            return [SCALARS[first]] * len(lines)
        try:
            values: tuple[Reply, ...] = itemgetter(*lines)(SCALARS)
        except KeyError:
            pass
        else:
            return values
    sign = first[:1]
    return _numbers(lines, sign) if sign in b":," else None  # "+OK" among bulks, as a pipeline of SET and GET brings it


def _numbers(lines: list[bytes], sign: bytes) -> Sequence[Reply] | None:
    """Return the values of integers of 64 bits, or of doubles; None for anything else, and for what is no number (nan)."""
    text = b"\r\n" + b"\r\n".join(lines)
    parts = text.split(b"\r\n" + sign)[1:]
    if len(parts) != len(lines):  # some line has another type
        return None
    try:
        if sign == b":":
            digits, longest = b"".join(parts), max(map(len, parts))
            if longest < 21 and (digits.isdigit() or digits.translate(None, b"+-").isdigit()):
                numbers = list(map(int, parts))  # refuses an empty one, and a sign amid digits
                return numbers if longest < 19 or -(2**63) <= min(numbers) <= max(numbers) < 2**63 else None
            return None
        for start in range(0, len(text) - _HALF, _HALF):
            if text.find(sign, start, start + _HALF) < 0:  # a line of more than SHORT bytes
                return None
        if sign == b"," and _are_plain(b",%b," % b",".join(parts)):
            return list(map(float, parts))
    except ValueError:
        pass
    return None


def _are_plain(doubles: bytes) -> bool:
    """Whether of these, with commas around each, `float()` reads nothing that is no double of RESP (or refuses it)."""
    if doubles.translate(None, b"0123456789+-.,"):
        return not _UNUSUAL(doubles.replace(b"inf,", b"0,"))
    return not (b",." in doubles or b".," in doubles or b"+." in doubles or b"-." in doubles)


def _singly(tokens: list[bytes], at: int, last: int, items: list[Reply], most: int) -> tuple[int, int]:
    """Read at most `most` elements one by one; return the index of the next token, and how many are heavy, see `HEAVY`."""
    append, lengths, scalars = items.append, LENGTHS.get, SCALARS
    heavy = 0
    for _ in range(most):
        if at >= last:
            break
        head = tokens[at]
        length = lengths(head)
        if length is not None:
            end = at + 2
            if end > last or len(tokens[at + 1]) != length:
                end = _broken(tokens, at + 1, last, length)
                if not end:
                    break
                append(b"\r\n".join(tokens[at + 1 : end]))
            else:
                append(tokens[at + 1])
            at = end
        elif head in scalars:
            append(scalars[head])
            at += 1
        else:
            digits = head[1:]
            if digits.isdigit() and head[0] == 58 and len(digits) < 19:  # ":"
                append(int(digits))
            elif head[:2] in _RARE_BULKS:
                bulk = _streamed(tokens, at + 1, last) if head == b"$?" else _padded(tokens, at, last)
                if bulk is None:
                    break
                append(bulk[0])
                at = bulk[1]
                continue
            else:
                value = scalar(head)
                if value is None:
                    break
                append(value)
                heavy += type(value) in _ERRORS or not head.isascii()
            at += 1
    return at, heavy


def _broken(tokens: list[bytes], at: int, last: int, length: int) -> int:
    """Return the index after a body that itself has line breaks, and so is several tokens; 0 if it does not end in place."""
    size = -2
    while at < last and size < length:
        size += len(tokens[at]) + 2
        at += 1
    return at if size == length else 0


def _streamed(tokens: list[bytes], at: int, last: int) -> tuple[bytes, int] | None:
    """Return the streamed string whose first chunk is at `at`, and the index of what follows.

    None to decline, if it isn't all there, or isn't short, or has line breaks in it.
    """
    parts: list[bytes] = []
    size = 0
    while at < last and tokens[at][:1] == b";" and size < SHORT:
        length = LENGTHS.get(b"$" + tokens[at][1:])
        if length == 0:
            return b"".join(parts), at + 1
        body = tokens[at + 1]
        if length != len(body):
            break
        parts.append(body)
        size += length
        at += 2
    return None


def _padded(tokens: list[bytes], at: int, last: int) -> tuple[bytes, int] | None:
    """Return the short bulk at `at` whose length has zeros before it, and the index of what follows; None to decline."""
    digits = tokens[at][1:]
    if len(digits) > _LONGEST_HEADER or not digits.isdigit() or at + 2 > last:
        return None
    body = tokens[at + 1]
    return (body, at + 2) if len(body) == int(digits) < SHORT else None


def scalar(line: bytes) -> Reply:
    """Return the value of a line that is a whole element; None for any other line, a null, and what is too long to be sure of."""
    read = LINES.get(line[:1])
    return None if read is None or len(line) > SHORT or b"\r" in line or b"\n" in line else read(line)


def large(data: bytes, at: int, items: list[Reply], left: int, limit: int) -> tuple[int, int]:
    """Read large bulks from `data[at]` into `items`, at most `left` (negative: all), until something else comes.

    Returns the index of what comes after them, and what is left. Bodies are not looked at: they are cut out by their length.
    """
    append, known, find = items.append, LENGTHS.get, data.find
    size = len(data)
    while left:
        end = find(b"\r\n", at, at + _LONGEST_HEADER)
        if end < 0:  # the rest of the header is still to come
            break
        head = data[at:end]
        length = known(head)
        if length is None:
            digits = head[1:]
            if head[:1] != b"$" or not digits.isdigit():
                break
            length = int(digits)
        start = end + 2
        end = start + length
        if length < LARGE or end + 2 > size or data[end : end + 2] != b"\r\n" or length > limit:
            break
        append(data[start:end])
        at = end + 2
        left -= 1
    return at, left


# Aggregates of one shape

_Shape: TypeAlias = tuple[int, bytes, _Make | None, list["_Shape"]]
"""How far into the row an element starts, its first line, what makes it of its parts (None: it has none), and those."""


def columns(tokens: list[bytes], at: int, last: int, most: int, depth: int) -> tuple[list[Reply], int, int] | None:
    """Read at most `most` aggregates shaped like the one at `tokens[at]`, as columns.

    Returns them, the next index, and how many bytes each took beyond those of its elements, see `COSTS`.

    None if there are not several, or if they nest deeper than `depth`.
    """
    read = _shape(tokens, at, 0, min(last - at, _WIDEST), depth, _PUSHES)
    if read is None:
        return None
    shape, stride = read
    found: list[Reply] = []
    rows = 16
    while True:
        rows = min(rows, most - len(found), (last - at) // stride)
        if rows < 2:
            break
        values = _column(shape, tokens, at, at + rows * stride, stride)
        if values is None:
            break
        found += values
        at += rows * stride
        rows *= 4
    return (found, at, _cost(shape)) if found else None


def _cost(shape: _Shape) -> int:
    _, head, make, parts = shape
    return 0 if make is None else COSTS.get(head[:1], 0) + sum(map(_cost, parts))


def _shape(
    tokens: list[bytes], row: int, offset: int, width: int, depth: int, makers: dict[bytes, _Make] = MAKERS
) -> tuple[_Shape, int] | None:
    """Return the shape of the element at `offset` in the row, and the offset of the next; None if it can't be a column."""
    if offset >= width:
        return None
    head = tokens[row + offset]
    make = makers.get(head[:1])
    if make is None:
        return (offset, head, None, []), offset + (2 if head in LENGTHS else 1)
    count = COUNTS.get(b"*" + head[1:], 0)
    if depth == 0 or not 0 < count <= width:
        return None
    parts: list[_Shape] = []
    next_offset = offset + 1
    for _ in range(count * 2 if make is make_map else count):
        read = _shape(tokens, row, next_offset, width, depth - 1)
        if read is None:
            return None
        parts.append(read[0])
        next_offset = read[1]
    return (offset, head, make, parts), next_offset


def _column(shape: _Shape, tokens: list[bytes], at: int, end: int, stride: int) -> Sequence[Reply] | None:
    """Return the values that stand in one place of each row; None if they are not all of that shape."""
    offset, head, make, parts = shape
    heads = tokens[at + offset : end : stride]
    if make is not None:
        if heads.count(head) != len(heads):
            return None
        columns = []
        for part in parts:
            column = _column(part, tokens, at, end, stride)
            if column is None:
                return None
            columns.append(column)
        made = list(map(make, zip(*columns, strict=True)))
        return None if make is _push and None in made else made  # a push without a kind
    if head in LENGTHS:
        bodies = tokens[at + offset + 1 : end : stride]
        return bodies if _proven(heads, bodies) else None
    return _values(heads) or _each(heads)


def _turns(tokens: list[bytes], at: int, last: int, most: int) -> tuple[list[Reply], int] | None:
    """Return at most `most` elements of several kinds that take turns, and the next index; None to decline.

    So a pipeline is answered that repeats some commands: they are rows of which no header says so.
    """
    turn = tokens[at : min(last, at + _LONGEST_TURN)]
    if turn.count(turn[0]) < 2:
        return None
    stride = turn.index(turn[0], 1)
    shapes: list[_Shape] = []
    offset = 0
    while offset < stride:
        read = _shape(tokens, at, offset, stride, 0)
        if read is None:
            return None
        shapes.append(read[0])
        offset = read[1]
    width = len(shapes)
    rows = min((last - at) // stride, most // width)
    if offset > stride or width == 1 or rows < _WORTH_TURNS:
        return None
    end = at + rows * stride
    found: list[Reply] = [None] * (rows * width)
    for place, shape in enumerate(shapes):
        values = _column(shape, tokens, at, end, stride)
        if values is None:
            return None
        found[place::width] = values
    return found, end


def _each(lines: list[bytes]) -> list[Reply] | None:
    """Return the values of lines that are not in the table; None if one is no scalar, or is heavy, which only `flat` counts."""
    if type(scalar(lines[0])) in _NO_COLUMN:
        return None
    values = list(map(scalar, lines))
    return values if _NO_COLUMN.isdisjoint(map(type, values)) and all(map(bytes.isascii, lines)) else None

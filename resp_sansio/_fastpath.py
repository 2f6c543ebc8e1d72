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
from typing import Final, TypeAlias

from ._values import Reply, make_map, make_set

__all__ = ["COUNTS", "LENGTHS", "SCALARS", "SHORT", "SPAN", "alone", "columns", "flat", "large", "scalar"]

SHORT: Final = 1024
"""Lengths and counts below this are in tables; larger bulks are better looked for one by one than split."""

SPAN: Final = 128 * 1024
"""The largest window: splitting takes memory (some 40 bytes for each line) for everything in it at once."""

LENGTHS: Final = {b"$%d" % length: length for length in range(SHORT)}
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
}
_DOUBLE: Final = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?").fullmatch
_WIDEST: Final = 128  # tokens in an aggregate that may become a row of columns


def alone(tokens: list[bytes]) -> list[Reply] | None:
    """Return the one small reply that a feed consists of, as a list, from the feed split at its line breaks; None to decline."""
    end = len(tokens) - 1
    head = tokens[0]
    count = COUNTS.get(head)
    if count is None:
        value = scalar(head) if end == 1 and not tokens[1] else None
        return None if value is None else [value]
    if end == 2 * count + 1 and not tokens[end]:
        bodies = tokens[2:end:2]
        if [LENGTHS.get(head) for head in tokens[1:end:2]] == [len(body) for body in bodies]:
            return [[*bodies]]
    return None


def flat(tokens: list[bytes], at: int, last: int, items: list[Reply], left: int) -> tuple[int, int]:
    """Read bulks and scalars from `tokens[at]` into `items`, at most `left` (negative: all), until something else comes.

    `tokens[last]` is what no line break follows yet. Returns the index of the next token, and what is left.
    """
    run, patience = 16, 8  # try runs of growing length; after a failure read ever more elements one by one
    while left and at < last:
        start = len(items)
        at = _run(tokens, at, last, items, min(run, left if left > 0 else run))
        got = len(items) - start
        left -= got
        if got >= run or not left:
            run *= 4
            continue
        run = 16
        start = len(items)
        at = _singly(tokens, at, last, items, min(patience, left if left > 0 else patience))
        got = len(items) - start
        left -= got
        if got < patience:
            break
        patience *= 2
    return at, left


def _run(tokens: list[bytes], at: int, last: int, items: list[Reply], most: int) -> int:
    """Read at most `most` elements that are proven at once, if the first of them says that this may be tried."""
    head = tokens[at]
    if head in LENGTHS:
        end = min(at + 2 * most, last - (last - at) % 2)
        heads, bodies = tokens[at:end:2], tokens[at + 1 : end : 2]
        try:
            if list(map(LENGTHS.__getitem__, heads)) == list(map(len, bodies)):
                items += bodies
                return end
        except KeyError:
            pass
    elif head in SCALARS:
        start = len(items)
        try:
            items += map(SCALARS.__getitem__, tokens[at : min(at + most, last)])
        except KeyError:  # those before it have been taken
            pass
        return at + len(items) - start
    return at


def _singly(tokens: list[bytes], at: int, last: int, items: list[Reply], most: int) -> int:
    """Read at most `most` elements one by one."""
    append, lengths, scalars = items.append, LENGTHS, SCALARS
    for _ in range(most):
        if at >= last:
            break
        head = tokens[at]
        length = lengths.get(head)
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
            value = scalar(head)
            if value is None:
                break
            append(value)
            at += 1
    return at


def _broken(tokens: list[bytes], at: int, last: int, length: int) -> int:
    """Return the index after a body that itself has line breaks, and so is several tokens; 0 if it does not end in place."""
    size = -2
    while at < last and size < length:
        size += len(tokens[at]) + 2
        at += 1
    return at if size == length else 0


def scalar(line: bytes) -> Reply:
    """Return the integer, double or simple string that `line` is; None if it is something else, or wrong, or too long."""
    sign, rest = line[:1], line[1:]
    if sign == b":":
        if len(rest) < 19 and (rest.isdigit() or (rest[:1] == b"-" and rest[1:].isdigit())):
            return int(rest)
    elif sign == b",":
        if _DOUBLE(rest):
            return float(rest)
    elif sign == b"+" and len(rest) < SHORT and b"\r" not in rest and b"\n" not in rest:
        return rest.decode("utf-8", "surrogateescape")
    return None


def large(data: bytes, at: int, items: list[Reply], left: int, limit: int) -> tuple[int, int]:
    """Read large bulks from `data[at]` into `items`, at most `left` (negative: all), until something else comes.

    Returns the index of what comes after them, and what is left.
    """
    size = len(data)
    while left and data[at : at + 1] == b"$":
        end = data.find(b"\r\n", at, at + 16)
        digits = data[at + 1 : end]
        if not digits.isdigit() or len(digits) < 4:
            break
        start = end + 2
        end = start + int(digits)
        if end + 2 > size or data[end : end + 2] != b"\r\n" or end - start > limit:
            break
        items.append(data[start:end])
        at = end + 2
        left -= 1
    return at, left


# Aggregates of one shape

_Make: TypeAlias = Callable[[Sequence[Reply]], Reply]
_Shape: TypeAlias = tuple[int, _Make | None, list["_Shape"]]
"""How far into the row an element starts, what makes it of its parts (None: it has none), and those."""

_MAKERS: Final[dict[bytes, _Make]] = {b"*": list, b"%": make_map, b"~": make_set}


def columns(tokens: list[bytes], at: int, last: int, most: int, depth: int) -> tuple[list[Reply], int] | None:
    """Read at most `most` aggregates shaped like the one at `tokens[at]`, as columns; return them and the next index.

    None if there are not several, or if they nest deeper than `depth`.
    """
    read = _shape(tokens, at, 0, min(last - at, _WIDEST), depth)
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
    return (found, at) if found else None


def _shape(tokens: list[bytes], row: int, offset: int, width: int, depth: int) -> tuple[_Shape, int] | None:
    """Return the shape of the element at `offset` in the row, and the offset of the next; None if it can't be a column."""
    if offset >= width:
        return None
    head = tokens[row + offset]
    make = _MAKERS.get(head[:1])
    if make is None:
        return (offset, None, []), offset + (2 if head in LENGTHS else 1)
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
    return (offset, make, parts), next_offset


def _column(shape: _Shape, tokens: list[bytes], at: int, end: int, stride: int) -> list[Reply] | None:
    """Return the values that stand in one place of each row; None if they are not all of that shape."""
    offset, make, parts = shape
    heads = tokens[at + offset : end : stride]
    if make is not None:
        if heads.count(heads[0]) != len(heads):
            return None
        columns = []
        for part in parts:
            column = _column(part, tokens, at, end, stride)
            if column is None:
                return None
            columns.append(column)
        return list(map(make, zip(*columns, strict=True)))
    try:
        if heads[0] in LENGTHS:
            bodies: list[Reply] = tokens[at + offset + 1 : end : stride]  # type: ignore[assignment]  # bytes are replies
            return bodies if list(map(LENGTHS.__getitem__, heads)) == list(map(len, bodies)) else None  # type: ignore[arg-type]
        return list(map(SCALARS.__getitem__, heads))
    except KeyError:
        values = list(map(scalar, heads))
        return None if None in values else values

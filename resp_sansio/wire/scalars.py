"""Values of one line: all types that announce no length, as the grammar and the accelerators read them.

A line that is framed rightly and makes no sense as its type is a value, too: an `InvalidReplyError` in its place. A script can
make a real Redis send such a line, and what follows it is where it should be.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from .._errors import InvalidReplyError, ReplyError
from .values import Reply, Verbatim

__all__ = ["LINES", "gather", "verbatim"]

_INTEGER: Final = re.compile(rb"[+-]?[0-9]+").fullmatch
_DOUBLE: Final = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|inf)").fullmatch
_NAN: Final = re.compile(rb"[+-]?(?:nan|NAN)(?:\([0-9A-Za-z_]*\))?").fullmatch  # as C's printf() may write it

_LONGEST: Final = 4301
"""Characters of a number: a sign, and CPython's default limit for int(), which is quadratic in its digits (CVE-2020-10735)."""


def _text(line: bytes) -> Reply:
    return line[1:].decode("utf-8", "surrogateescape")


def _error(line: bytes) -> Reply:
    return ReplyError(line[1:].decode("utf-8", "surrogateescape"))


def _big(line: bytes) -> Reply:
    number = line[1:]
    if _INTEGER(number) and len(number) <= _LONGEST:
        try:
            return int(number)
        except ValueError:  # sys.set_int_max_str_digits() allows fewer
            pass
    return InvalidReplyError(line)


def _integer(line: bytes) -> Reply:
    value = _big(line)
    return InvalidReplyError(line) if type(value) is int and not -(2**63) <= value < 2**63 else value


def _double(line: bytes) -> Reply:
    number = line[1:]
    if _DOUBLE(number):
        return float(number)
    return float("nan") if number and _NAN(number) else InvalidReplyError(line)


def _boolean(line: bytes) -> Reply:
    return line == b"#t" if line in (b"#t", b"#f") else InvalidReplyError(line)


def _null(line: bytes) -> Reply:
    return None if line == b"_" else InvalidReplyError(line)


LINES: Final[dict[bytes, Callable[[bytes], Reply]]] = {
    b"+": _text,
    b"-": _error,
    b":": _integer,
    b"(": _big,
    b",": _double,
    b"#": _boolean,
    b"_": _null,
}
"""What makes a value of a whole line, its type byte included and its line break not, by type byte. None of these raises."""


_SMALL_PIECE: Final = 1024  # bytes: smaller ones are copied together, because each object costs some 50
_GATHERED: Final = 64 * 1024


def gather(pieces: list[bytes | bytearray | memoryview], piece: bytes | memoryview) -> None:
    """Append to the pieces of something unfinished, so that they cost little more than their bytes, however small they come."""
    if len(piece) >= _SMALL_PIECE or not pieces:
        pieces.append(piece)
    elif type(pieces[-1]) is bytearray and len(pieces[-1]) < _GATHERED:
        pieces[-1] += piece
    else:
        pieces.append(bytearray(piece))


def verbatim(body: bytes) -> Reply:
    """Return the verbatim string whose format, colon and text are `body`."""
    if body[3:4] != b":":
        return InvalidReplyError(b"=%d\r\n%b" % (len(body), body))
    return Verbatim(body[4:], body[:3].decode("utf-8", "surrogateescape"))

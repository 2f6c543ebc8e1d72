"""RESP read a third time: slowly, recursively, whole, written from the specification alone.

The tests hold the parser against this. It shares no line with the library, so it shares no mistake: it sees all the bytes at
once, reads one element after another with `find` and slices, and builds tuples that name each type. `plain` turns the
library's values into such tuples. Where RESP leaves something open, the rule of this library is stated here, once.

Source: https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md and, for inline commands, Redis' sds.c.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Final, NamedTuple

__all__ = ["Command", "Item", "Stream", "plain", "read", "read_commands", "split_words"]

# The library's limits, see `resp_sansio.Limits`.
DEPTH: Final = 128
BULK: Final = 512 * 1024 * 1024
LINE: Final = 64 * 1024
ELEMENTS: Final = 2**32 - 1
DIGITS: Final = 4300

DOUBLE: Final = re.compile(rb"[+-]?([0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|inf)")
NAN: Final = re.compile(rb"[+-]?(nan|NAN)(\([0-9A-Za-z_]*\))?")
INTEGER: Final = re.compile(rb"[+-]?[0-9]+")


class Item(NamedTuple):
    """A reply or push: the offset behind its last byte, its value, and the attributes in front of it (None: none)."""

    end: int
    value: Any
    attributes: Any

    @property
    def is_push(self) -> bool:
        """Whether it answers nothing."""
        return bool(self.value[0] == "push")


class Stream(NamedTuple):
    """What a stream of bytes says: its items, the offset of the first wrong byte (None: none), and whether it ends between replies.

    `marks` holds the first and the last offset of each header, each line and each line break behind a bulk.
    """

    items: list[Item]
    wrong: int | None
    complete: bool
    marks: list[tuple[int, int]]


class Wrong(Exception):  # noqa: N818  # what is wrong is the stream
    """This is not RESP, from byte `at` on."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class MoreNeeded(Exception):  # noqa: N818
    """The stream ends here, and might go on."""


def plain(value: Any) -> Any:
    """Return a value of the library as tuples that name its type, all the way down; equal only for what is the same in RESP."""
    match type(value).__name__:
        case "NoneType":
            return ("null",)
        case "float":
            return ("float", repr(value))
        case "Verbatim":
            return ("verbatim", value.format, bytes(value))
        case "ReplyError":
            return ("error", str(value))
        case "InvalidReplyError":
            return ("invalid", value.raw)
        case "Push":
            return ("push", value.kind, tuple(map(plain, value.items)))
        case "Attributed":
            return ("attributed", plain(value.value), plain(value.attributes))
        case "dict":
            return ("map", tuple((plain(key), plain(item)) for key, item in value.items()))
        case "Pairs" | "MapKey":
            return ("map", tuple((plain(key), plain(item)) for key, item in value))
        case "set" | "Items" | "SetKey":
            return ("set", tuple(sorted(map(plain, value), key=repr)))
        case "list" | "ArrayKey":
            return ("list", tuple(map(plain, value)))
        case name:
            return (name, value)


class Reader:
    """One stream, from its first byte on."""

    def __init__(
        self, data: bytes, *, lenient: bool, nested: bool, depth: int, bulk: int, line: int, elements: int
    ) -> None:
        self.data = data
        self.lenient = lenient
        self.nested = nested
        self.depth = depth
        self.bulk = bulk
        self.line_limit = line
        self.elements = elements
        self.digits = min(DIGITS, sys.get_int_max_str_digits())
        self.items: list[Item] = []
        self.marks: list[tuple[int, int]] = []

    def line(self, at: int, allowed: bytes) -> tuple[bytes, bytes, int]:
        """Return the type byte at `at`, the rest of its line, and where the next one begins."""
        data = self.data
        if at >= len(data):
            raise MoreNeeded
        sign, end = data[at : at + 1], data.find(b"\n", at)
        if sign not in allowed:
            raise Wrong(at)
        longest = max(self.line_limit, self.bulk) if sign in b"+-" else self.line_limit
        if end < 0:
            self.marks.append((at, len(data)))
            if len(data) - at - 2 > longest:
                raise Wrong(at)
            raise MoreNeeded
        text = data[at + 1 : end - 1]
        if end == at + 1 or data[end - 1 : end] != b"\r" or b"\r" in text or len(text) > longest:
            raise Wrong(at)
        self.marks.append((at, end + 1))
        return sign, text, end + 1

    def count(self, text: bytes, most: int, at: int) -> int:
        """Return the length that a header announces."""
        if not text.isdigit() or len(text) > 20 or int(text) > most:
            raise Wrong(at)
        return int(text)

    def body(self, start: int, length: int) -> tuple[bytes, int]:
        """Return the bytes of a bulk, and where its line break ends."""
        end = start + length
        for offset, byte in enumerate(b"\r\n"):
            if end + offset < len(self.data) and self.data[end + offset] != byte:
                raise Wrong(end + offset)
        self.marks.append((end, min(end + 2, len(self.data))))
        if end + 2 > len(self.data):
            raise MoreNeeded
        return self.data[start:end], end + 2

    def streamed_string(self, at: int) -> tuple[bytes, int]:
        whole = b""
        while True:
            start = at
            _, text, at = self.line(at, b";")
            length = self.count(text, self.bulk - len(whole), start)
            if length == 0:
                return whole, at
            part, at = self.body(at, length)
            whole += part

    def top_level(self, at: int) -> int:
        """Read and deliver the reply or push at `at`; return where it ends."""
        attributes: tuple[Any, ...] | None = None
        open_frames = 0
        while True:
            value, at = self.element(at, open_frames, b">", top=True)
            if value[0] != "attribute":
                break
            attributes, open_frames = merged(attributes, value[1]), 1
        self.items.append(Item(at, value, None if attributes is None else ("map", attributes)))
        return at

    def member(self, at: int, open_frames: int, allowed: bytes) -> tuple[Any, int]:
        """Return the element of an aggregate at `at`, past the pushes and attributes before it, and where it ends."""
        attributes: tuple[Any, ...] | None = None
        while True:
            described = attributes is not None
            value, at = self.element(at, open_frames + described, b"" if described else allowed)
            if value[0] == "push":
                self.items.append(Item(at, value, None))
            elif value[0] == "attribute":
                attributes = merged(attributes, value[1])
            elif described and self.nested:
                return ("attributed", value, ("map", attributes)), at
            else:
                return value, at

    def element(self, at: int, open_frames: int, allowed: bytes, *, top: bool = False) -> tuple[Any, int]:
        """Return whatever stands at `at`, `open_frames` deep, and where it ends."""
        start = at
        if self.lenient and not top:
            allowed += b">"
        sign, text, at = self.line(at, b"+-:$*_#,(!=~%|" + allowed)
        if sign in b"$*" and text == b"-1":
            return ("null",), at
        if sign in b"*~%>|":
            return self.aggregate(sign, text, start, at, open_frames)
        if sign == b".":
            if text:
                raise Wrong(start)
            return ("dot",), at
        if sign == b"$" and text == b"?":
            string, at = self.streamed_string(at)
            return ("bytes", string), at
        if sign in b"$!=":
            length = self.count(text, self.bulk, start)
            body, end = self.body(at, length)
            return self.bulk_value(sign, text, body), end
        return self.scalar(sign, text), at

    def bulk_value(self, sign: bytes, text: bytes, body: bytes) -> Any:
        if sign == b"$":
            return "bytes", body
        if sign == b"!":
            return "error", body.decode("utf-8", "surrogateescape")
        if body[3:4] != b":":
            return "invalid", b"=%d\r\n%b" % (int(text), body)
        return "verbatim", body[:3].decode("utf-8", "surrogateescape"), body[4:]

    def scalar(self, sign: bytes, text: bytes) -> Any:
        """Return the value of a line; what makes no sense as its type is one, too."""
        if sign in b"+-":
            return "str" if sign == b"+" else "error", text.decode("utf-8", "surrogateescape")
        if sign in b":(" and INTEGER.fullmatch(text) and len(text.lstrip(b"+-")) <= self.digits:
            if sign == b"(" or -(2**63) <= int(text) < 2**63:
                return "int", int(text)
        elif sign == b"," and DOUBLE.fullmatch(text):
            return "float", repr(float(text))
        elif sign == b"," and NAN.fullmatch(text):
            return "float", "nan"
        elif sign == b"#" and text in (b"t", b"f"):
            return "bool", text == b"t"
        elif sign == b"_" and not text:
            return ("null",)
        return "invalid", sign + text

    def aggregate(self, sign: bytes, text: bytes, start: int, at: int, open_frames: int) -> tuple[Any, int]:
        streamed = text == b"?" and sign in b"*~%"
        size = -1 if streamed else self.count(text, self.elements // 2 if sign in b"%|" else self.elements, start)
        if open_frames == self.depth or (sign == b">" and size == 0):
            raise Wrong(start)
        if sign in b"%|" and not streamed:
            size *= 2
        members: list[Any] = []
        while len(members) != size:
            value, at = self.member(at, open_frames + 1, b"." if streamed else b"")
            if value[0] == "dot":
                if sign == b"%" and len(members) % 2:
                    raise Wrong(at - 3)
                if len(members) > self.elements:
                    raise Wrong(at - 3)
                break
            members.append(value)
        pairs = tuple(zip(members[::2], members[1::2], strict=False))
        match sign:
            case b"*":
                return ("list", tuple(members)), at
            case b"~":
                return ("set", tuple(sorted(members, key=repr))), at
            case b"%":
                return ("map", pairs), at
            case b"|":
                return ("attribute", pairs), at
        if members[0][0] not in ("str", "bytes"):
            raise Wrong(at)
        kind = members[0][1]
        if isinstance(kind, bytes):
            kind = kind.decode("utf-8", "surrogateescape")
        return ("push", kind, tuple(members[1:])), at


def merged(before: tuple[Any, ...] | None, after: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the pairs of both; of one key, in the place of the first, the last value."""
    if before is None:
        return after
    return tuple({**dict(before), **dict(after)}.items())


def read(
    data: bytes,
    *,
    lenient: bool = False,
    nested: bool = False,
    depth: int = DEPTH,
    bulk: int = BULK,
    line: int = LINE,
    elements: int = ELEMENTS,
) -> Stream:
    """Read a stream that is all there."""
    reader = Reader(data, lenient=lenient, nested=nested, depth=depth, bulk=bulk, line=line, elements=elements)
    at, wrong = 0, None
    try:
        while at < len(data):
            at = reader.top_level(at)
    except MoreNeeded:
        pass
    except Wrong as error:
        wrong = error.at
    return Stream(reader.items, wrong, at == len(data), reader.marks)


class Command(NamedTuple):
    """A command as a server reads it: the offset behind its last byte, and its words."""

    end: int
    words: list[bytes]


def read_commands(data: bytes, line_limit: int = LINE) -> tuple[list[Command], bool, bool]:
    """Return the commands in a stream that is all there, whether what comes behind them can't be one, and whether nothing does."""
    found: list[Command] = []
    at = 0

    def line(start: int) -> int:
        end = data.find(b"\n", start)
        if end < 0:
            if len(data) - start > line_limit + 1:
                raise Wrong(start)
            raise MoreNeeded
        if end - start > line_limit + 1:
            raise Wrong(start)
        return end

    def header(start: int, sign: bytes, most: int) -> tuple[int, int]:
        end = line(start)
        text = data[start + 1 : end - 1]
        if end == start or data[start : start + 1] != sign or data[end - 1 : end] != b"\r":
            raise Wrong(start)
        if sign == b"*" and text == b"-1":
            return 0, end + 1
        if not text.isdigit() or len(text) > 19 or int(text) > most:
            raise Wrong(start)
        return int(text), end + 1

    try:
        while at < len(data):
            if data[at : at + 1] != b"*":
                end = line(at)
                words = split_words(data[at:end])
                if words is None:
                    raise Wrong(at)
                at = end + 1
            else:
                count, at = header(at, b"*", 1024 * 1024)
                words = []
                for _ in range(count):
                    if at >= len(data):
                        raise MoreNeeded
                    length, at = header(at, b"$", BULK)
                    body, at = data[at : at + length], at + length + 2
                    if at > len(data):
                        raise MoreNeeded
                    if data[at - 2 : at] != b"\r\n":
                        raise Wrong(at - 2)
                    words.append(body)
            if words:
                found.append(Command(at, words))
    except MoreNeeded:
        return found, False, False
    except Wrong:
        return found, True, False
    return found, False, True


ESCAPES: Final = dict(zip(b"nrtba", b"\n\r\t\b\a", strict=True))


def split_words(line: bytes) -> list[bytes] | None:
    """Return the words of an inline command as `sdssplitargs` of Redis' sds.c does; None if quotes are not balanced."""
    text = line.split(b"\0")[0] + b"\0"
    spaces = b" \t\n\v\f\r"
    words: list[bytes] = []
    at = 0
    while True:
        while text[at] in spaces:
            at += 1
        if text[at] == 0:
            return words
        word = bytearray()
        quote = 0
        while quote or text[at] not in b" \n\r\t\0":
            byte = text[at]
            if byte == 0:
                return None
            if quote == ord('"') and byte == ord("\\"):
                if re.match(rb"x[0-9a-fA-F]{2}", text[at + 1 :]):
                    word.append(int(text[at + 2 : at + 4], 16))
                    at += 3
                elif text[at + 1]:
                    at += 1
                    word.append(ESCAPES.get(text[at], text[at]))
                else:
                    word.append(byte)
            elif quote == ord("'") and text[at : at + 2] == b"\\'":
                at += 1
                word.append(text[at])
            elif quote and byte == quote:
                if text[at + 1] and text[at + 1] not in spaces:
                    return None
                at += 1
                break
            elif not quote and byte in b"\"'":
                quote = byte
            else:
                word.append(byte)
            at += 1
        words.append(bytes(word))

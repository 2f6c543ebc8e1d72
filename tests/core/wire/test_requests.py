"""Commands as a server reads them: arrays of bulks, and lines that people type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio._errors import RemoteProtocolError
from resp_sansio.testing import mutations, splits
from resp_sansio.wire.encoder import encode_command
from resp_sansio.wire.limits import Limits
from resp_sansio.wire.requests import CommandParser, split_inline

words = st.binary(max_size=20) | st.sampled_from([b"\r\n", b"*1", b"$1", b"x" * 300])
commands = st.lists(st.tuples(st.sampled_from([b"GET", b"SET", b"PING"]), st.lists(words, max_size=4)), max_size=6)


def inline(words: list[bytes]) -> bytes:
    """Words as one line: in double quotes, everything but letters escaped."""
    quoted = [
        b'"' + b"".join(b"\\x%02x" % byte if not 64 < byte < 91 else bytes([byte]) for byte in word) + b'"'
        for word in words
    ]
    return b" ".join(quoted) + b"\r\n"


def fed(parts: list[bytes], limits: Limits | None = None) -> tuple[list[list[bytes]], bool, bool]:
    parser = CommandParser(limits) if limits else CommandParser()
    seen = [command for part in parts for command in parser.feed(part)]
    assert type(parser.error) in (RemoteProtocolError, type(None))
    return seen, parser.error is None, parser.idle


@given(commands, st.lists(st.booleans(), min_size=6, max_size=6), st.data())
def test_at_every_split(expected: list[tuple[bytes, list[bytes]]], typed: list[bool], data: st.DataObject) -> None:
    lists = [[name, *args] for name, args in expected]
    blocks = [inline(args) if line else encode_command(args) for args, line in zip(lists, typed, strict=False)]
    wire = b"".join(block for block in blocks if isinstance(block, bytes))
    whole = fed([wire])
    assert whole == (lists, True, True)
    assert fed([wire[at : at + 1] for at in range(len(wire))]) == whole
    assert fed(data.draw(splits(wire))) == whole


@given(commands, st.data())
def test_mutated_at_every_split(expected: list[tuple[bytes, list[bytes]]], data: st.DataObject) -> None:
    blocks = [encode_command([name, *args]) for name, args in expected]
    wire = data.draw(mutations(b"".join(block for block in blocks if isinstance(block, bytes))))
    whole = fed([wire])
    assert fed([wire[at : at + 1] for at in range(len(wire))]) == whole
    assert fed(data.draw(splits(wire))) == whole


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"GET k", [b"GET", b"k"]),
        (b"  SET\tk  v \r", [b"SET", b"k", b"v"]),
        (b"", []),
        (b" \v ", []),
        (b'SET k ""', [b"SET", b"k", b""]),
        (b"SET k ''", [b"SET", b"k", b""]),
        (rb'"a b" "\x41\n\r\t\b\a\"\\\q"', [b"a b", b'A\n\r\t\b\a"\\q']),
        (rb'"\x4"', [b"x4"]),
        (rb"'a b' 'it\'s' '\n\x'", [b"a b", b"it's", rb"\n\x"]),
        (rb"'\\'", None),
        (b'foo"bar baz"', [b"foobar baz"]),
        (b"GET k\0junk", [b"GET", b"k"]),
        (b'"a"b', None),
        (b"'a'b", None),
        (b'"a', None),
        (b"'a", None),
        (rb"'a\'", None),
        (rb'"a\"', None),
        (b'a "', None),
    ],
)
def test_quotes_as_redis_reads_them(line: bytes, expected: list[bytes] | None) -> None:
    assert split_inline(line) == expected


@pytest.mark.parametrize("nothing", [b"\r\n", b"\n", b"*0\r\n", b"*-1\r\n", b"  \r\n"])
def test_some_lines_are_no_command(nothing: bytes) -> None:
    assert fed([nothing + b"PING\n" + nothing]) == ([[b"PING"]], True, True)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"*x\r\n", "a length in decimal digits"),
        (b"*-2\r\n", "a length in decimal digits"),
        (b"*1\n", "a length in decimal digits"),
        (b"*" + b"1" * 20 + b"\r\n", "a length in decimal digits"),
        (b"*1\r\n:1\r\n", "a bulk string ($)"),
        (b"*1\r\n$-1\r\n", "a length in decimal digits"),
        (b"*1\r\n$1\r\nxyz", "the line break that ends a bulk, got something else at byte 15"),
        (b"GET 'x\r\n", "an inline command with balanced quotes"),
        (b"*1048577\r\n", "at most 1048576 arguments (Limits.elements)"),
        (b"*1\r\n$536870913\r\n", "a bulk of at most 536870912 bytes (Limits.bulk)"),
        (b"x" * 70_000 + b"\r\n", "a line of at most 65536 bytes (Limits.line)"),
        (b"x" * 70_000, "a line of at most 65536 bytes (Limits.line)"),
    ],
)
def test_refused(data: bytes, said: str) -> None:
    parser = CommandParser()
    assert parser.feed(b"PING\r\n" + data + b"\r\nPING\r\n") == [[b"PING"]]
    assert said in str(parser.error)
    assert parser.idle
    assert parser.feed(b"PING\r\n") == []


def test_limits() -> None:
    limits = Limits(elements=2, bulk=3, line=4)
    right = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n"
    for size in (1, 2, len(right)):
        parts = [right[at : at + size] for at in range(0, len(right), size)]
        assert fed(parts, limits) == ([[b"GET", b"k"], [b"PING"]], True, True)
        for wrong in (b"*3\r\n", b"*1\r\n$4\r\n", b"PINGS\r\n", b"PINGPONG"):
            assert fed([wrong[at : at + size] for at in range(0, len(wrong), size)], limits)[1] is False


def test_an_unfinished_command_is_not_idle() -> None:
    parser = CommandParser()
    for part in (b"*2", b"\r\n", b"$3\r", b"\n", b"GE", b"T\r\n", b"$1\r\nk\r"):
        assert parser.feed(part) == []
        assert not parser.idle
    assert parser.feed(b"\n") == [[b"GET", b"k"]]
    assert parser.idle

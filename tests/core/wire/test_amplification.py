"""Replies cost in proportion to their bytes, whatever they are: memory held, and steps taken.

The shapes are all that RESP has in their smallest forms; they are tried alone and in chosen mixtures, because an accelerator that
gives up on one kind of element may do so again and again.
"""

from __future__ import annotations

import gc
import random
import sys
import tracemalloc

import pytest

from resp_sansio.wire.fastpath import SPAN
from resp_sansio.wire.limits import Limits
from resp_sansio.wire.parser import Parser
from resp_sansio.wire.requests import CommandParser

P = 2**61 - 1  # its multiples hash alike

UNITS: dict[str, bytes] = {
    "bulk": b"$1\r\nx\r\n",
    "empty bulk": b"$0\r\n\r\n",
    "bulk of 2": b"$2\r\nab\r\n",
    "length with a zero": b"$01\r\nx\r\n",
    "bulk that is a line break": b"$2\r\n\r\n\r\n",
    "large bulk": b"$301\r\n" + b"x" * 301 + b"\r\n",
    "large bulk of line breaks": b"$300\r\n" + b"\r\n" * 151,
    "length of a large one with zeros": b"$0001\r\nx\r\n",
    "integer": b":5000\r\n",
    "integer of 19 digits": b":1234567890123456789\r\n",
    "signed": b":+5\r\n",
    "no integer": b":\r\n",
    "big number": b"(9\r\n",
    "double": b",1\r\n",
    "infinity": b",inf\r\n",
    "no number": b",nan\r\n",
    "no double": b",x\r\n",
    "true": b"#t\r\n",
    "null": b"_\r\n",
    "verbatim": b"=4\r\ntxt:\r\n",
    "no verbatim": b"=0\r\n\r\n",
    "bulk error": b"!0\r\n\r\n",
    "error": b"-\r\n",
    "empty string": b"+\r\n",
    "string": b"+ab\r\n",
    "bytes that are no text": b"+\xff\r\n",
    "two bytes that are no text": b"+\xff\xff\r\n",
    "array of bytes that are no text": b"*60\r\n" + b"+\xff\xff\r\n" * 60,
    "text that is no ASCII": b"+\xc3\xa9x\r\n",
    "map of doubles": b"%5\r\n" + b",1\r\n,1\r\n" * 5,
    "set of strings": b"~500\r\n" + b"".join(b"+%x\r\n" % n for n in range(500)),
    "empty array": b"*0\r\n",
    "empty set": b"~0\r\n",
    "empty map": b"%0\r\n",
    "array": b"*1\r\n_\r\n",
    "array with a zero": b"*01\r\n_\r\n",
    "set": b"~1\r\n:1\r\n",
    "map": b"%1\r\n_\r\n_\r\n",
    "streamed string": b"$?\r\n;1\r\nx\r\n;0\r\n",
    "streamed array": b"*?\r\n.\r\n",
    "streamed map": b"%?\r\n.\r\n",
    "streamed set": b"~?\r\n.\r\n",
    "empty streamed string": b"$?\r\n;0\r\n",
    "no integer and no double": b":\r\n,\r\n",
    "no number of any kind": b",\r\n(\r\n#\r\n",
    "no integer and a string": b":\r\n$?\r\n;0\r\n",
    "error and no integer": b"-\r\n:\r\n",
    "set of no double": b"~1\r\n,\r\n",
    "map of no doubles": b"%1\r\n,\r\n,\r\n",
    "array of no integer": b"*1\r\n:\r\n",
    "push": b">1\r\n+\r\n",
    "attribute of errors": b"|1\r\n-\r\n-\r\n-\r\n",
    "attribute inside": b"*1\r\n|1\r\n+\r\n_\r\n_\r\n",
    "attribute": b"|0\r\n_\r\n",
    "attributes in a row": b"|1\r\n+a\r\n_\r\n" * 5 + b"_\r\n",
    "set of set": b"~1\r\n~0\r\n",
    "set of array": b"~1\r\n*1\r\n_\r\n",
    "map of set": b"%1\r\n~0\r\n~0\r\n",
    "keys in keys": b"~1\r\n" * 30 + b"_\r\n",
    "a wide key in keys": b"~1\r\n" * 30 + b"*50\r\n" + b"_\r\n" * 50,
    "deep": b"*1\r\n" * 100 + b"_\r\n",
    "nearly a column": b"*60\r\n" + b":1\r\n" * 59 + b"(1\r\n",
    "keys that hash alike": b"~100\r\n" + b"".join(b"*1\r\n(%d\r\n" % (P * n) for n in range(16, 116)),
}


MOST_HELD = 16
"""Bytes of memory inside one reply, for each that `Limits.reply` allows. The most are 12, for text of two letters."""

MOST_ALONE = 64
"""The same for each byte of replies that stand alone, which count for nothing but the commands that they answer. CPython
takes 216 for `~0`, of four bytes; 88 and 48 for `-`, of three; 56 for `*0`, of four; and 8 for the place of each."""


@pytest.mark.parametrize("name", [name for name in UNITS if name != "push"])  # which is part of no reply
def test_what_a_reply_takes_in_memory_is_bounded_by_its_limit(name: str) -> None:
    limits = Limits(reply=SPAN)
    part = UNITS[name] * max(1, 3000 // len(UNITS[name]))
    parser = Parser(limits, nested_attributes=True)
    parser.feed(part)  # what is made once
    parser.feed(b"*4294967295\r\n")
    gc.collect()
    tracemalloc.start()
    try:
        fed, most = 0, 0
        while parser.error is None:
            most = tracemalloc.get_traced_memory()[0]
            parser.feed(bytes(bytearray(part)))
            fed += len(part)
    finally:
        tracemalloc.stop()
    assert "Limits.reply" in str(parser.error)
    assert fed < limits.reply + 2 * len(part)
    assert most < MOST_HELD * limits.reply


@pytest.mark.parametrize("name", UNITS)
def test_what_replies_alone_take_in_memory_is_in_proportion(name: str) -> None:
    data = UNITS[name] * max(1, 10_000 // len(UNITS[name]))
    parser = Parser(nested_attributes=True)
    parser.feed(data)
    gc.collect()
    tracemalloc.start()
    try:
        kept = parser.feed(bytes(bytearray(data)))
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert kept
    assert held < MOST_ALONE * len(data)


@pytest.mark.parametrize("size", [1, 2, 3, 50])
@pytest.mark.parametrize(
    "begin",
    [b"$10000000\r\n", b"*1\r\n$10000000\r\n", b"+", b"*2\r\n-", b"*1\r\n=10000000\r\ntxt:", b"$?\r\n;10000000\r\n"],
)
def test_small_pieces_take_little_more_than_their_bytes(begin: bytes, size: int) -> None:
    tracemalloc.start()
    try:
        parsers: list[Parser | CommandParser] = (
            [Parser(), CommandParser()] if begin[:2] == b"*1" and b"$" in begin else [Parser()]
        )
        for parser in parsers:
            parser.feed(begin)
            before = tracemalloc.get_traced_memory()[0]
            for at in range(0, 100_000, size):
                parser.feed(b"%d" % (10 ** (size - 1) + at % 7))
            assert tracemalloc.get_traced_memory()[0] - before < 2 * 100_000
            assert parser.error is None
    finally:
        tracemalloc.stop()


def calls(data: bytes, *, skip: bool = False) -> int:
    """How many functions are called to read this, of Python's and C's: a measure of time that is the same each time."""
    count = 0

    def counted(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    parser = Parser(lenient_push=True)
    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        parser.skip(data, len(data)) if skip else parser.feed(data)
    finally:
        sys.setprofile(before)
    assert parser.error is None
    return count


MOST_CALLS = 6.0
"""Calls for a byte. The most are 5, for a length with a zero in front; elements of six bytes usually take one each, or two."""


@pytest.mark.parametrize("name", UNITS)
def test_steps_are_in_proportion_to_bytes(name: str) -> None:
    unit = UNITS[name]
    for before in (b"", b"*?\r\n"):
        data = before + unit * (3000 // len(unit))
        assert calls(data) < MOST_CALLS * len(data)
        assert calls(data, skip=True) < MOST_CALLS * len(data)


def test_steps_are_in_proportion_to_bytes_in_any_mixture() -> None:
    source = random.Random(1)
    names = [*UNITS]
    for _ in range(40):
        chosen = [(name, source.choice([1, 1, 2, 40])) for name in source.choices(names, k=source.randrange(2, 6))]
        unit = b"".join(UNITS[name] * times for name, times in chosen)
        data = source.choice([b"", b"*?\r\n"]) + unit * (5000 // len(unit) + 1)
        assert calls(data) < MOST_CALLS * len(data), chosen

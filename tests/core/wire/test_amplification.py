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
from resp_sansio.wire.grammar import Limits
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


@pytest.mark.parametrize(
    "name",
    [
        "bulk of 2", "integer", "no integer", "double", "verbatim", "no verbatim", "bulk error", "error", "string",
        "bytes that are no text", "empty array", "empty set", "empty map", "array", "set", "map", "streamed set", "attribute",
        "set of set", "set of array", "map of set", "deep",
    ],
)  # fmt: skip
def test_what_a_reply_takes_in_memory_is_bounded_by_its_limit(name: str) -> None:
    """Objects that take far more than came count as what they take. Of the rest, no byte takes more than 18."""
    limits = Limits(reply=SPAN)
    part = UNITS[name] * (16 * 1024 // len(UNITS[name]))
    parser = Parser(limits, nested_attributes=True)
    gc.collect()
    tracemalloc.start()
    try:
        parser.feed(b"*4294967295\r\n")
        fed, most = 0, 0
        while parser.error is None:
            parser.feed(bytes(bytearray(part)))
            fed += len(part)
            if parser.error is None:
                most = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert "Limits.reply" in str(parser.error)
    assert fed < limits.reply + 2 * len(part)
    assert most < 18 * limits.reply


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


def calls(data: bytes) -> int:
    """How many functions are called to read this, of Python's and C's: a measure of time that is the same each time."""
    count = 0

    def counted(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    parser = Parser()
    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        parser.feed(data)
    finally:
        sys.setprofile(before)
    assert parser.error is None
    return count


MOST_CALLS = 15.0
"""Calls for a byte. The most are 13, for integers of no digits; ordinary elements of six bytes take two calls each, or one."""


@pytest.mark.parametrize("name", UNITS)
def test_steps_are_in_proportion_to_bytes(name: str) -> None:
    unit = UNITS[name]
    for before in (b"", b"*?\r\n"):
        data = before + unit * (8000 // len(unit))
        assert calls(data) < MOST_CALLS * len(data)


def test_steps_are_in_proportion_to_bytes_in_any_mixture() -> None:
    source = random.Random(1)
    names = [*UNITS]
    for _ in range(40):
        chosen = [(name, source.choice([1, 1, 2, 40])) for name in source.choices(names, k=source.randrange(2, 6))]
        unit = b"".join(UNITS[name] * times for name, times in chosen)
        data = source.choice([b"", b"*?\r\n"]) + unit * (5000 // len(unit) + 1)
        assert calls(data) < MOST_CALLS * len(data), chosen

"""The parser, as connections use it: whole == byte by byte == any split, as many replies as wanted, skipped, in parts."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio._errors import LocalProtocolError, RemoteProtocolError, ReplyError
from resp_sansio.testing import encodings, exact, mutations, pushes, replies, splits
from resp_sansio.wire.encoder import encode_reply
from resp_sansio.wire.parser import Chunk, Limits, Parser
from resp_sansio.wire.values import Push, Reply, Verbatim

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

values = st.lists(replies(max_leaves=12) | pushes(max_leaves=4), max_size=6)


def outcome(feeds: Iterable[bytes], parser: Parser | None = None) -> tuple[object, ...]:
    """All that can be seen of a parser that is fed this: values, attributes, whether the stream broke, what is pending."""
    parser = parser or Parser()
    seen: list[Reply] = []
    attributes: dict[int, object] = {}
    for data in feeds:
        got = parser.feed(data)
        assert parser.pushes == sum(type(value) is Push for value in got)
        attributes |= {len(seen) + index: exact(about) for index, about in parser.attributes.items()}
        seen += got
        assert type(parser.error) in (RemoteProtocolError, type(None))
    return [exact(value) for value in seen], attributes, parser.error is None, parser.idle, parser.needed


def one_by_one(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


@given(st.data(), values)
def test_type_exact_at_every_split(data: st.DataObject, expected: list[Reply]) -> None:
    wire = b"".join(data.draw(encodings(value)) for value in expected)
    whole = outcome([wire])
    assert whole[0] == [exact(value) for value in expected]
    assert whole[2:] == (True, True, 0)
    assert outcome(one_by_one(wire)) == whole
    assert outcome(data.draw(splits(wire))) == whole


@given(st.data(), values, st.booleans(), st.booleans())
def test_what_is_not_resp_breaks_the_stream_at_every_split(
    data: st.DataObject, expected: list[Reply], lenient: bool, nested: bool
) -> None:
    """A right value or `RemoteProtocolError`: never another exception, and the same replies before it."""
    wire = data.draw(mutations(b"".join(data.draw(encodings(value)) for value in expected)))
    whole, single, split = (
        outcome(feeds, Parser(lenient_push=lenient, nested_attributes=nested))
        for feeds in ([wire], one_by_one(wire), data.draw(splits(wire)))
    )
    assert whole == single == split


@given(st.lists(replies(2, max_leaves=12), max_size=6), st.data())
def test_resp2_at_every_split(expected: list[Reply], data: st.DataObject) -> None:
    wire = b"".join(encode_reply(value, 2) for value in expected)
    assert outcome(data.draw(splits(wire)))[0] == [exact(value) for value in expected]


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    assert outcome([data]) == outcome(one_by_one(data))


@given(values, st.lists(st.integers(0, 3), min_size=1, max_size=10), st.data())
def test_as_many_as_wanted(expected: list[Reply], wanted: list[int], data: st.DataObject) -> None:
    """Pushes do not count, are not waited for, and do not overtake replies."""
    wire = b"".join(data.draw(encodings(value, attributes=False)) for value in expected)
    parser = Parser()
    seen: list[Reply] = []
    for index, part in enumerate(data.draw(splits(wire))):
        most = wanted[index % len(wanted)]
        got = parser.feed(part, most)
        assert len(got) - parser.pushes <= most
        seen += got
    while got := parser.feed(b"", 1):
        seen += got
    assert [exact(value) for value in seen] == [exact(value) for value in expected]
    assert parser.idle


def test_pushes_pass_when_no_reply_is_wanted() -> None:
    parser = Parser()
    assert parser.feed(b">1\r\n+p\r\n>1\r\n", 0) == [Push("p", ())]
    assert parser.feed(b"+q\r\n+OK\r\n>1\r\n+r\r\n", 0) == [Push("q", ())]
    assert not parser.idle
    assert parser.feed(b"", 1) == ["OK", Push("r", ())]
    assert parser.idle


def test_a_reply_is_left_alone_when_none_is_wanted() -> None:
    parser = Parser()
    assert parser.feed(b"$5\r\nhe") == []
    assert parser.feed(b"llo\r\n*1\r\n", 0) == []
    assert parser.feed(b"", 1) == [b"hello"]
    assert parser.feed(b"") == []
    assert parser.feed(b":1\r\n", 0) == []
    assert parser.feed(b":2\r\n") == [[1], 2]


def skipping(feeds: list[bytes], count: int) -> tuple[list[Reply], int]:
    """Skip `count` replies, then read the rest; return what was read, and how many remained to be skipped."""
    parser = Parser()
    seen: list[Reply] = []
    for data in feeds:
        if count:
            count -= parser.skip(data, count)
            assert parser.pushes == 0
            seen += parser.feed(b"", 0)
            assert len(seen) == 0 or parser.pushes <= len(seen)
            data = b""
        if not count:
            seen += parser.feed(data)
    return seen, count


@given(values, st.integers(0, 5), st.data(), st.booleans())
def test_to_skip_is_to_parse_and_drop(expected: list[Reply], count: int, data: st.DataObject, broken: bool) -> None:
    wire = b"".join(data.draw(encodings(value)) for value in expected)
    if broken:
        wire = data.draw(mutations(wire))
    reference = Parser()
    kept, left = [], count
    for value in reference.feed(wire):
        if left and type(value) is not Push:
            left -= 1
        else:
            kept.append(exact(value))
    seen, missing = skipping(data.draw(splits(wire)), count)
    assert ([exact(value) for value in seen], missing) == (kept, left)


def lines(count: int) -> int:
    """How many lines run while so many replies are skipped, each behind a push that is not taken."""
    parser, seen = Parser(), 0

    def see(_frame: FrameType, event: str, _: object) -> Any:
        nonlocal seen
        seen += event == "line"
        return see

    before = sys.gettrace()
    sys.settrace(see)
    try:
        for _ in range(count):
            parser.skip(b">2\r\n+news\r\n+x\r\n:1\r\n", 1)
    finally:
        sys.settrace(before)
    assert len(parser.feed(b"", 0)) == count
    return seen


def test_to_skip_costs_no_more_because_pushes_wait() -> None:
    assert lines(800) < 5 * lines(200)


def test_what_is_skipped_is_not_held() -> None:
    """A reply of gigabytes may be skipped: only what has come in one feed is ever in memory."""
    parser = Parser()
    assert parser.skip(b"*3\r\n$1000000\r\n", 1) == 0
    for _ in range(1000):
        assert parser.skip(b"x" * 1000, 1) == 0
        assert parser._stream is not None
        assert parser._stream._chunks == []
    assert parser.skip(b"\r\n*2\r\n:1\r\n" + b":2\r\n" * 50 + b"+OK\r\n", 1) == 1


@given(st.lists(st.sampled_from([1, [1, [b"x" * 30]], b"y" * 400, {b"k": {1, 2}}]), max_size=5), st.integers(1, 40))
def test_pushes_amid_skipped_replies(expected: list[Reply], size: int) -> None:
    push = b"|1\r\n+ttl\r\n:9\r\n>2\r\n+message\r\n*1\r\n:1\r\n"
    wire = push + b"".join(b"|1\r\n+a\r\n:1\r\n" + encode_reply(value) + push for value in expected)
    parser = Parser()
    left = len(expected)
    met: list[Reply] = []
    for at in range(0, len(wire), size):
        if left:
            left -= parser.skip(wire[at : at + size], left)
            met += parser.feed(b"", 0)
        else:
            met += parser.feed(wire[at : at + size])
        assert not (left and parser.attributes), "kept of what is skipped"
    assert left == 0
    met += parser.feed(b"")  # a push that is described is not seen to be one before it is read
    assert met == [Push("message", ([1],))] * (len(expected) + 1)


@given(values, st.data())
def test_a_bulk_in_parts(expected: list[Reply], data: st.DataObject) -> None:
    wire = b"".join(data.draw(encodings(value)) for value in expected)
    parser = Parser()
    seen: list[Reply] = []
    parts: list[bytes] = []
    for part in data.draw(splits(wire)):
        while part or not parser.idle:
            got = parser.chunks(part)
            part = b""
            for value in got:
                if isinstance(value, Chunk):
                    parts.append(value.data)
                    if value.last:
                        seen.append(b"".join(parts))
                        parts = []
                else:
                    assert type(value) is not bytes
                    seen.append(value)
            if not got or (type(got[-1]) is Chunk and not got[-1].last):
                break
    assert [exact(value) for value in seen] == [exact(value) for value in expected]


def test_parts_come_as_they_come() -> None:
    parser = Parser()
    assert parser.chunks(b"$10\r\n") == []
    assert parser.chunks(b"abc") == [Chunk(b"abc", False)]
    assert parser.needed == 9
    assert parser.chunks(b"") == []
    assert parser.chunks(b"defghij\r") == [Chunk(b"defghij", False)]
    assert parser.chunks(b"\n>1\r\n+p\r\n:1\r\n") == [Chunk(b"", True), Push("p", ())]
    assert parser.chunks(b"") == [1]
    assert parser.chunks(b"$?\r\n;2\r\nab\r\n;3\r\ncd") == [Chunk(b"ab", False), Chunk(b"cd", False)]
    assert parser.chunks(b"e\r\n;0\r\n") == [Chunk(b"e", True)]
    assert parser.chunks(b"*1\r\n$3\r\nab") == []
    assert parser.chunks(b"c\r\n") == [[b"abc"]]
    assert parser.chunks(b"=5\r\ntxt:") == []
    assert parser.chunks(b"x\r\n") == [Verbatim(b"x")]
    assert parser.chunks(b"|1\r\n+ttl\r\n:1\r\n$2\r\na") == [Chunk(b"a", False)]
    assert parser.chunks(b"b\r\n$1\r\nx\r\n") == [Chunk(b"b", True)]
    assert parser.attributes == {0: {"ttl": 1}}
    assert parser.chunks(b"") == [Chunk(b"x", True)]
    assert parser.idle


def test_what_was_begun_one_way_is_not_ended_another() -> None:
    parser = Parser()
    assert parser.skip(b"*2\r\n:1\r\n", 1) == 0
    with pytest.raises(LocalProtocolError, match=r"feed\(\) in the middle of a reply that skip\(\) has begun"):
        parser.feed(b":2\r\n")
    with pytest.raises(LocalProtocolError, match=r"chunks\(\) in the middle of a reply that skip\(\) has begun"):
        parser.chunks(b":2\r\n")
    assert parser.feed(b"", 0) == []
    assert parser.skip(b":2\r\n", 1) == 1
    assert parser.chunks(b"$5\r\nab") == [Chunk(b"ab", False)]
    with pytest.raises(LocalProtocolError, match=r"feed\(\) in the middle of a reply that chunks\(\) has begun"):
        parser.feed(b"cde\r\n")
    assert parser.skip(b"cde\r\n+OK\r\n", 1) == 1
    assert parser.feed(b"") == ["OK"]


def test_replies_before_a_bad_byte_are_returned_and_nothing_after_it() -> None:
    parser = Parser()
    assert parser.feed(b"+OK\r\n>1\r\n+p\r\n*1\r\n$x\r\n+no\r\n") == ["OK", Push("p", ())]
    assert (parser.pushes, str(parser.error)) == (
        1,
        "expected a length in decimal digits, got b'$' at byte 17 of the stream",
    )
    assert parser.idle
    assert parser.feed(b"+OK\r\n") == []
    assert parser.pushes == 0
    assert parser.skip(b"+OK\r\n", 1) == 0
    assert parser.chunks(b"+OK\r\n") == []


def test_the_count_of_pushes_is_of_one_feed() -> None:
    parser = Parser()
    parser.feed(b"-ERR\r\n+OK\r\n|0\r\n-ERR\r\n")
    assert (parser.pushes, parser.attributes) == (0, {2: {}})
    assert parser.feed(b"+OK\r\n") == ["OK"]
    assert parser.attributes == {}
    assert parser.feed(b">2\r\n$7\r\nmessage\r\n$1\r\nx\r\n") == [Push("message", (b"x",))]
    assert parser.pushes == 1
    assert parser.feed(b"$1\r\nx\r\n") == [b"x"]
    assert parser.pushes == 0


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"+OK\r\n", "OK"),
        (b":1\r\n", 1),
        (b":-1\r\n", -1),
        (b":1234567\r\n", 1234567),
        (b":9223372036854775807\r\n", 2**63 - 1),
        (b"$0\r\n\r\n", b""),
        (b"$2\r\n\r\n\r\n", b"\r\n"),
        (b"$1030\r\n" + b"x" * 1030 + b"\r\n", b"x" * 1030),
        (b"$-1\r\n", None),
        (b"*-1\r\n", None),
        (b"$9000\r\n" + b"x" * 9000 + b"\r\n", b"x" * 9000),
        (b"*0\r\n", []),
        (b"*1\r\n$1\r\nx\r\n", [b"x"]),
        (b"*2\r\n$1\r\nx\r\n:1\r\n", [b"x", 1]),
        (b"*1\r\n$2\r\n\r\n\r\n", [b"\r\n"]),
        (b"*2\r\n$1\r\nx\r\n$2\r\n\r\n\r\n", [b"x", b"\r\n"]),
        (b"%1\r\n$1\r\nx\r\n$1\r\ny\r\n", {b"x": b"y"}),
        (b"%1\r\n$1\r\nx\r\n:1\r\n", {b"x": 1}),
        (b"%0\r\n", {}),
        (b"~1\r\n$1\r\nx\r\n", {b"x"}),
        (b"+\r\n", ""),
        (b"=5\r\ntxt:a\r\n", Verbatim(b"a")),
    ],
)
def test_a_feed_of_one_reply(data: bytes, expected: Reply) -> None:
    """The short cut of request and response, and what must not take it."""
    parser = Parser()
    assert [exact(value) for value in parser.feed(data)] == [exact(expected)]
    assert parser.idle
    for cut in range(1, len(data) if len(data) < 100 else 1):
        assert parser.feed(data[:cut]) == []
        assert [exact(value) for value in parser.feed(data[cut:])] == [exact(expected)]
    assert parser.error is None


@pytest.mark.parametrize(
    "data",
    [
        b"$1\r\nxy\r\n",
        b"$2000\r\n" + bytes(2000) + b"\r\r",
        b"$3\r\nx\r\n\r\r",
        b"\r\n",
        b"$\r\n",
        b"$1x\r\n",
        b"*1\r\n$1\r\nxy\r\n",
        b">1\r\n:1\r\n",
    ],
)
def test_a_feed_of_one_mistake(data: bytes) -> None:
    parser = Parser()
    assert parser.feed(data) == []
    assert parser.error is not None


def test_a_smaller_limit_holds_on_the_short_cut_too() -> None:
    flat_map = b"%600\r\n" + b"$0\r\n\r\n" * 1200
    assert len(Parser(Limits(elements=1200)).feed(flat_map)) == 1
    assert Parser(Limits(elements=1199)).feed(flat_map) == []
    assert Parser(Limits(bulk=3)).feed(b"$3\r\nabc\r\n") == [b"abc"]
    parser = Parser(Limits(bulk=3))
    assert parser.feed(b"$4\r\nabcd\r\n") == []
    assert "at most 3 (Limits.bulk)" in str(parser.error)


@pytest.mark.parametrize(
    "before",
    [b"+OK\r\n", b"$1\r\nx\r\n", b"$2000\r\n" + b"x" * 2000 + b"\r\n", b"*1\r\n$1\r\nx\r\n", b"%1\r\n+a\r\n:1\r\n"],
)
def test_where_in_the_stream(before: bytes) -> None:
    """The offset counts what took the short cut, too."""
    for feeds in ([before, b"x"], [before * 3, before, b"+OK\r\n$", b"1\r\nab\r\n"], [before, b"+", b"a", b"\n"]):
        parser = Parser()
        for data in feeds:
            parser.feed(data)
        whole = Parser()
        whole.feed(b"".join(feeds))
        assert str(parser.error).rpartition(" at ")[2] == str(whole.error).rpartition(" at ")[2]


def test_what_comes_whole_and_small_needs_no_stream() -> None:
    parser = Parser()
    for value in ("OK", None, 7, b"x" * 1000, [b"a", [1]], {b"k": b"v"}, Push("message", (b"c", b"hi"))):
        assert len(parser.feed(encode_reply(value))) == 1
    assert parser._stream is None
    assert parser.idle
    assert parser.feed(b"+") == []
    assert parser._stream is not None


def test_an_idle_parser_holds_nothing_of_what_it_read() -> None:
    parser = Parser()
    parser.feed(b"+OK\r\n" * 10_000)
    parser.feed(b"$100000\r\n" + b"x" * 50_000)
    parser.feed(b"x" * 50_000 + b"\r\n")
    stream = parser._stream
    assert stream is not None
    assert (stream._window, stream._chunks, stream._line, stream._later) == (b"", [], [], [])


@given(st.data(), replies(max_leaves=12), st.integers(1, 1000), st.booleans())
def test_what_is_dropped_half_way_leaves_what_follows_as_it_is(
    data: st.DataObject, value: Reply, cut: int, lenient: bool
) -> None:
    wire = data.draw(encodings(value)) + b"+OK\r\n"
    parser = Parser(lenient_push=lenient)
    cut = min(cut, len(wire) - 5)
    if parser.feed(wire[:cut]):
        return
    parser.drop()
    feeds = data.draw(splits(wire[cut:]))
    seen: list[Reply] = []
    missing = 1
    for part in feeds:
        if missing:
            missing -= parser.skip(part, 1)
            seen += parser.feed(b"") if not missing else []
        else:
            seen += parser.feed(part)
    assert seen == ["OK"]
    assert parser.idle


def test_a_dropped_reply_holds_nothing() -> None:
    row = b"*2\r\n$3\r\nabc\r\n~1\r\n:1\r\n"
    for begin, more in (
        (b"*9\r\n*900000\r\n" + row * 2000, row),
        (b"$9000000\r\n", b"x" * 25),
        (b"*1\r\n$9000000\r\n", b"x" * 25),
        (b"|900000\r\n", b"$3\r\nabc\r\n"),
        (b"|1\r\n+k\r\n*900000\r\n", row),
        (b"|1\r\n+k\r\n$50000\r\n" + b"x" * 50000 + b"\r\n*9000000\r\n", row),
    ):
        parser = Parser()
        tracemalloc.start()
        try:
            parser.feed(begin + more * 2000)
            parser.drop()
            assert parser.idle is False
            for _ in range(10):
                assert parser.skip(more * 1000, 1) == 0
            assert tracemalloc.get_traced_memory()[0] < 100_000
        finally:
            tracemalloc.stop()
        with pytest.raises(LocalProtocolError):
            parser.feed(b"x")


LONG: Final = b"y" * 20_000  # of a text, whose rest comes later


@pytest.mark.parametrize("before", [b"", b"*2\r\n", b"|1\r\n+k\r\n:1\r\n"])
@pytest.mark.parametrize("sign", [b"+", b"-"])
@pytest.mark.parametrize("drops", [False, True])
def test_a_text_that_is_dropped_half_way_is_not_held(before: bytes, sign: bytes, drops: bool) -> None:
    parser = Parser()
    tracemalloc.start()
    try:
        if drops:
            assert parser.feed(before + sign + LONG) == []
            parser.drop()
        else:
            assert parser.skip(before + sign + LONG, 1) == 0
        for _ in range(100):
            assert parser.skip(LONG, 1) == 0
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()
    with pytest.raises(LocalProtocolError, match="go on with that"):
        parser.feed(b"yy\r\n")
    rest = b"+OK\r\n" if before[:1] == b"*" else b""
    assert parser.skip(b"yy\r", 1) == 0
    assert parser.skip(b"\n" + rest, 1) == 1
    assert parser.idle
    assert parser.feed(b"+OK\r\n") == ["OK"]


@pytest.mark.parametrize(
    "parts",
    [
        [b"\r", b"y\r\n"],
        [LONG + b"\ry", LONG, LONG + b"\r\n"],
        [LONG, b"y\n"],
        [LONG + b"\r", LONG + b"\r\n"],
        [LONG * 3 + b"\r\n"],
    ],
)
def test_a_text_that_is_dropped_is_looked_at_all_the_same(parts: list[bytes]) -> None:
    """The same error, about the same place of the stream, as if it were kept."""
    told = []
    for drops in (False, True):
        parser = Parser(Limits(bulk=3 * len(LONG)))
        assert parser.feed(b":1\r\n+" + LONG) == [1]
        if drops:
            parser.drop()
        for part in parts:
            if drops:
                parser.skip(part, 1)
            else:
                parser.feed(part)
        told.append(str(parser.error))
    assert told[0] == told[1] != "None"


def test_a_number_that_is_dropped_half_way_is_as_long_as_it_may_be() -> None:
    parser = Parser()
    assert parser.skip(b"*2\r\n:" + b"1" * 20_000, 1) == 0
    assert parser.skip(b"1" * 20_000, 1) == 0
    assert parser.skip(b"\r\n:1\r\n", 1) == 1
    assert parser.feed(b"+OK\r\n") == ["OK"]


def test_what_an_outline_has_of_a_reply() -> None:
    """The number of an array's elements; scalars as they are; pushes whole."""
    push = b">2\r\n+news\r\n$1\r\nx\r\n"
    for wire, expected in (
        (b"*3\r\n:1\r\n*2\r\n$1\r\na\r\n+b\r\n%1\r\n+k\r\n:5\r\n", [None] * 3),
        (b"*?\r\n:1\r\n*1\r\n:1\r\n.\r\n", [None] * 2),
        (b"*0\r\n", []),
        (b"|1\r\n+k\r\n:1\r\n*1\r\n:1\r\n", [None]),
        (b"|1\r\n+key\r\n+value\r\n*3\r\n:1\r\n:2\r\n:3\r\n", [None] * 3),
        (b"*-1\r\n", None),
        (b"+QUEUED\r\n", "QUEUED"),
        (b"-ERR no\r\n", ReplyError("ERR no")),
    ):
        for size in (1, 3, len(wire)):
            for dropped in range(len(wire)):
                parser = Parser()
                if parser.feed(wire[:dropped]):
                    continue
                parser.drop()
                seen: list[Reply] = []
                for at in range(dropped, len(wire), size):
                    seen += parser.outline(wire[at : at + size])
                assert seen == [expected], (wire, size, dropped)
                assert parser.outline(push + b"+OK\r\n+next\r\n") == [Push("news", (b"x",)), "OK"]
                assert parser.feed(b"") == ["next"]


def test_behind_an_outline_a_push_may_have_begun() -> None:
    parser = Parser()
    assert parser.outline(b"*1\r\n:1\r\n>2\r\n+news\r\n") == [[None]]
    assert parser.feed(b"$1\r\nx\r\n+OK\r\n") == [Push("news", (b"x",)), "OK"]


def test_an_outline_holds_nothing() -> None:
    parser = Parser()
    tracemalloc.start()
    try:
        assert parser.feed(b"*2\r\n*900000\r\n" + b"$3\r\nabc\r\n" * 2000) == []
        parser.drop()
        for _ in range(100):
            assert parser.outline(b"$3\r\nabc\r\n" * 2000) == []
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()
    with pytest.raises(LocalProtocolError):
        parser.feed(b"x")


def test_pushes_are_not_dropped() -> None:
    push = b">2\r\n+p\r\n$3\r\nabc\r\n"
    for before, cut, value in (
        (b"", 12, b":1\r\n"),
        (b"|1\r\n+k\r\n:1\r\n", 8, b""),
        (b"*2\r\n*1\r\n", 24, b":1\r\n:2\r\n"),
    ):
        parser = Parser(lenient_push=True)
        wire = before + push + value
        assert parser.feed(wire[:cut]) == []
        parser.drop()
        parser.skip(wire[cut:], 1)
        assert parser.feed(b"", 0) == [Push("p", (b"abc",))]
    parser = Parser()
    parser.drop()
    assert parser.feed(b"+OK\r\n") == ["OK"]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="how memory is kept is a matter of glibc's")
def test_memory_that_a_large_reply_took_is_kept_for_the_next_one() -> None:
    tests = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(tests.parent)}
    program = [sys.executable, str(tests / "programs" / "read_large_bulks.py")]
    printed = subprocess.run(program, env=environment, check=True, timeout=60, capture_output=True, text=True).stdout
    assert int(printed) < 50  # pages for each reply: without it nearly all of them, 450


@pytest.mark.parametrize(
    ("wire", "begins"),
    [
        (b":12\r\n", True),
        (b"$3\r\nabc\r\n", True),
        (b"*2\r\n$1\r\na\r\n*1\r\n:2\r\n", True),
        (b"%1\r\n+a\r\n~1\r\n:2\r\n", True),
        (b"$?\r\n;1\r\na\r\n;0\r\n", True),
        (b">2\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n", False),
        (b"|1\r\n+a\r\n*1\r\n:1\r\n>2\r\n+b\r\n:2\r\n", False),  # it may be a push that is described
        (b"|1\r\n+a\r\n:1\r\n*2\r\n$1\r\nb\r\n:2\r\n", False),
    ],
)
def test_a_reply_has_begun_with_its_first_byte_and_a_push_is_none(wire: bytes, begins: bool) -> None:
    for cut in range(1, len(wire)):
        parser = Parser()
        assert parser.feed(wire[:cut]) == []
        assert parser.begins_reply is begins
        assert len(parser.feed(wire[cut:])) == 1
        assert not parser.begins_reply

"""The accelerators: what they take is what the strict grammar makes of it, and they never raise."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio._errors import ReplyError
from resp_sansio.testing import exact, mutations, pushes, replies, scalars, splits
from resp_sansio.wire.encoder import encode_reply
from resp_sansio.wire.fastpath import (
    COSTS,
    COUNTS,
    LARGE,
    LENGTHS,
    SCALARS,
    SHORT,
    alone,
    columns,
    flat,
    large,
    scalar,
    several,
    whole,
)
from resp_sansio.wire.parser import Limits, Parser
from resp_sansio.wire.scalars import LINES
from resp_sansio.wire.strides import even
from resp_sansio.wire.strides import rows as strided
from resp_sansio.wire.values import Push, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator


def strictly(data: bytes) -> tuple[list[object], bool]:
    """What the strict grammar makes of it, without any accelerator."""
    parser = Parser()
    parser._fast = parser.quiet = False
    return [exact(value) for value in parser.feed(data)], parser.error is None


def quickly(data: bytes) -> tuple[list[object], bool]:
    parser = Parser()
    assert parser._fast
    return [exact(value) for value in parser.feed(data)], parser.error is None


rows = st.one_of(
    st.lists(scalars(), min_size=1, max_size=4),
    st.tuples(st.binary(max_size=5), st.floats(0, 100)).map(list),
    st.tuples(st.binary(max_size=5), st.lists(st.binary(max_size=3), max_size=4)).map(list),
    st.dictionaries(st.binary(max_size=3), st.binary(max_size=3), max_size=3),
    st.sets(st.binary(max_size=3), max_size=3),
    st.integers(-(10**18), 10**18),
    st.binary(min_size=LARGE - 2, max_size=LARGE + 2),
)


@st.composite
def runs(draw: st.DrawFn) -> bytes:
    """Streams with much alike in them: what accelerators look for, now and then with something else in between."""
    alike = draw(st.lists(st.tuples(rows | replies(max_leaves=5), st.integers(1, 60)), min_size=1, max_size=4))
    parts = [encode_reply(value) * times for value, times in alike]
    if draw(st.booleans()):
        return b"".join(parts)
    counts = sum(times for _, times in alike)
    return draw(st.sampled_from([b"*", b"~"])) + b"%d\r\n" % counts + b"".join(parts)


@given(runs(), st.booleans(), st.data())
def test_fast_is_strict(data: bytes, broken: bool, more: st.DataObject) -> None:
    if broken:
        data = more.draw(mutations(data))
    expected = strictly(data)
    assert quickly(data) == expected
    parser = Parser()
    seen = [exact(value) for part in more.draw(splits(data)) for value in parser.feed(part)]
    assert (seen, parser.error is None) == expected


@pytest.mark.parametrize(
    "data", [b"$0\r\n\r\n", b"$3\r\nabc\r\n", b"$1023\r\n%b\r\n" % bytes(1023), b"+OK\r\n", b":-1\r\n", b"$-1\r\n"]
)
def test_a_short_reply_alone_is_known(data: bytes) -> None:
    assert alone(data)
    assert not any([alone(data[:cut]) for cut in range(len(data))])
    assert not any([alone(data + more) for more in (b"+", b"\r", b"\r\n", b"+OK\r\n", data, data * 3)])


@pytest.mark.parametrize(
    "data", [b"$2\r\nabc\r\n", b"$4\r\nabc\r\n", b"$2\r\n\r\n\r\n", b":01\r\n", b"*0\r\n", b"x\r\n", b"\r\n"]
)
def test_what_is_no_short_reply_alone_is_left_to_the_grammar(data: bytes) -> None:
    assert not alone(data)


line = st.one_of(
    st.sampled_from([*list(LENGTHS)[:5], *list(SCALARS)[:9], *list(COUNTS)[:4], b"%1", b"~1", b">1", b"*9", b"$1024"]),
    st.binary(max_size=6),
    st.sampled_from(
        [
            b":1",
            b":-7",
            b":",
            b",1.5",
            b",1e5",
            b",.5",
            b",-",
            b",1_0",
            b",1\r",
            b",\n1",
            b":1_0",
            b":1\r",
            b"+a\rb",
            b"+" + b"x" * SHORT,
        ]
    ),
)


@given(st.lists(line, min_size=1, max_size=40), st.integers(-1, 12), st.integers(0, 3))
def test_no_tokens_make_them_raise_or_take_what_is_wrong(tokens: list[bytes], left: int, repeat: int) -> None:
    tokens = tokens * (repeat + 1)
    last = len(tokens) - 1
    items: list[Reply] = []
    at, still, _ = flat(tokens, 0, last, items, left)
    assert at <= last
    assert still == left - len(items)
    expected, _ = strictly(b"\r\n".join(tokens[:at]) + b"\r\n" if at else b"")
    assert [exact(item) for item in items] == expected
    if last and (read := columns(tokens, 0, last, last, 5)) is not None:
        found, at, _cost = read
        assert at <= last
        expected, right = strictly(b"\r\n".join(tokens[:at]) + b"\r\n")
        assert ([exact(row) for row in found], True) == (expected, right)
    for most, depth in ((-1, 5), (2, 1)):
        if (several_at_once := several(tokens, most, depth)) is not None:
            got, pushes = several_at_once
            assert strictly(b"\r\n".join(tokens)) == ([exact(value) for value in got], True)
            assert pushes == sum(type(value) is Push for value in got)
            assert most < 0 or len(got) - pushes <= most
    for one in tokens:
        if (value := scalar(one)) is not None:
            assert strictly(one + b"\r\n") == ([exact(value)], True)


@given(st.lists(st.integers(0, 2 * LARGE), max_size=5), st.data(), st.integers(-1, 6), st.booleans())
def test_large_bulks_are_cut_out(lengths: list[int], more: st.DataObject, left: int, broken: bool) -> None:
    data = b"".join(b"$%d\r\n%b\r\n" % (length, b"\r\n" * (length // 2) + b"x" * (length % 2)) for length in lengths)
    if broken:
        data = more.draw(mutations(data))
    items: list[Reply] = []
    at, still = large(data, 0, items, left, 2 * LARGE - 1)
    assert still == left - len(items)
    assert strictly(data[:at])[0] == [exact(item) for item in items]
    assert all(isinstance(item, bytes) and LARGE <= len(item) < 2 * LARGE for item in items)


@pytest.mark.parametrize("size", [LARGE - 1, LARGE, 310, 3000])
@pytest.mark.parametrize("next_size", [0, LARGE, 303, 3000])
def test_a_large_bulk_behind_half_a_header(size: int, next_size: int) -> None:
    """A read that ends inside a header says nothing yet of the bulk behind it: cut at every byte around each header."""
    values = [bytes([letter]) * size for letter in b"abc"] + [b"d" * next_size]
    wire = b"".join(map(encode_reply, values))
    header = wire.rindex(b"$")
    for first in (12, 13, size + 12):
        for second in range(header, header + 12):
            parser = Parser()
            seen = [value for part in (wire[:first], wire[first:second], wire[second:]) for value in parser.feed(part)]
            assert seen == values
            assert parser.error is None


@pytest.mark.parametrize(
    "header",
    [b"", b"$", b"$3", b"$300", b"$300\r", b"$" + b"0" * 30 + b"300\r", b"$" + b"1" * 5000, b"$000000000300\r"],
)
def test_half_a_header_is_no_header(header: bytes) -> None:
    items: list[Reply] = []
    for body in (b"", b"x" * 300, b"\r\n" * 200):
        before = b"$%d\r\n%b\r\n" % (len(body), body) if len(body) >= LARGE else b""
        assert large(before + header, 0, items, -1, 10**9)[0] == len(before)
        if len(header) > 1:
            assert whole(header, 10**9) is None
            assert whole(header + body, 10**9) is None or header.endswith(b"\r")


@pytest.mark.parametrize("before", [b"", b"+OK\r\n", b"*2\r\n$300\r\n" + b"b" * 300 + b"\r\n"])
@pytest.mark.parametrize("sign", list(b"$*%~>|!=:,(;"))
def test_more_digits_than_int_takes_are_no_danger(before: bytes, sign: int) -> None:
    """CPython's `int()` raises ValueError for more than 4300."""
    for end in (b"", b"\r", b"\r\n", b"\r\n" + b"x" * 3000 + b"\r\n"):
        data = before + bytes([sign]) + b"1" * 5000 + end
        whole, single = Parser(), Parser()
        assert whole.feed(data) == [value for at in range(len(data)) for value in single.feed(data[at : at + 1])]
        assert (whole.error is None) == (single.error is None)


@given(st.lists(replies(max_leaves=5) | pushes(max_leaves=3), max_size=4), st.booleans(), st.data())
def test_a_small_feed_of_whole_replies(values: list[Reply], broken: bool, more: st.DataObject) -> None:
    data = b"".join(map(encode_reply, values))
    if broken:
        data = more.draw(mutations(data))
    read = several(data.split(b"\r\n"), -1, 128)
    if read is not None:
        assert strictly(data) == ([exact(value) for value in read[0]], True)


@pytest.mark.parametrize(
    "data",
    [
        b"*2\r\n:1\r\n",
        b"+OK\r\n+O",
        b"*1\r\n>1\r\n+p\r\n",
        b">0\r\n",
        b">1\r\n:1\r\n",
        b"-E\rRR\r\n",
        b"-" + b"x" * SHORT + b"\r\n",
        b"*2000\r\n",
        b"*?\r\n.\r\n",
        b"=5\r\ntxt:x\r\n",
        b"*1\r\n*1\r\n*1\r\n:1\r\n",
        b":1\r\n:2\r\n:3\r\n",
    ],
)
def test_what_a_small_feed_declines(data: bytes) -> None:
    assert several(data.split(b"\r\n"), 2, 2) is None


@pytest.mark.parametrize(("inside", "behind"), list(product(range(6), range(6))))
def test_an_array_takes_none_of_the_bulks_behind_it(inside: int, behind: int) -> None:
    values = [b"%d" % number for number in range(inside + behind)]
    parser = Parser()
    expected: list[Reply] = [values[:inside], *values[inside:]]
    assert parser.feed(b"".join([encode_reply(value) for value in expected])) == expected
    assert parser.error is None
    assert parser.idle


def test_what_a_small_feed_takes() -> None:
    data = b"*2\r\n-ERR a\r\n%1\r\n+k\r\n~1\r\n$2\r\n\r\n\r\n-ERR b\r\n>2\r\n$1\r\np\r\n*0\r\n:5000\r\n"
    expected = [[ReplyError("ERR a"), {"k": {b"\r\n"}}], ReplyError("ERR b"), Push("p", ([],)), 5000]
    assert several(data.split(b"\r\n"), 3, 3) == (expected, 1)


@given(st.integers(0, 3000), st.sampled_from([b"", b"\r", b"\n", b"x"]), st.sampled_from([100, 3000]))
def test_a_feed_that_is_one_bulk(length: int, more: bytes, limit: int) -> None:
    for data in (b"$%d\r\n%b\r\n" % (length, bytes(length)), b"$%d\r\n%b\n\r" % (length, bytes(length))):
        body = whole(data + more, limit)
        right = not more and data.endswith(b"\r\n") and length <= limit
        assert body == (bytes(length) if right else None)


def arrays(*elements: bytes) -> Iterator[tuple[bytes, int]]:
    for element in elements:
        for times in (1, 2, 7, 100):
            yield b"*%d\r\n" % times + element * times, times


@pytest.mark.parametrize(
    ("data", "times"),
    [
        *arrays(
            b"$1\r\nx\r\n",
            b"$2\r\n\r\n\r\n",
            b":5\r\n",
            b":1234567\r\n",
            b":-1234567\r\n",
            b",1.25\r\n",
            b",1e5\r\n",
            b",nan\r\n",
            b",inf\r\n",
            b",-inf\r\n",
            b",+1e-05\r\n",
            b":1764308000123456789\r\n",
            b":-9223372036854775808\r\n",
            b":+5\r\n",
            b"-ERR\r\n",
            b":x\r\n",
            b"+x\r\n",
            b"$-1\r\n$1\r\nx\r\n"[:5],
            b"*2\r\n$1\r\nx\r\n,1.5\r\n",
            b"*2\r\n$1\r\nx\r\n*2\r\n:1\r\n#t\r\n",
            b"%1\r\n$1\r\nx\r\n:10000\r\n",
            b"~2\r\n$1\r\nx\r\n:1\r\n",
            b"*1\r\n*0\r\n",
            b"*1\r\n-ERR\r\n",
            b"*1\r\n$1030\r\n" + b"x" * 1030 + b"\r\n",
            b"*100\r\n" + b":1\r\n" * 100,
        )
    ],
)
def test_arrays_of_one_kind(data: bytes, times: int) -> None:
    assert quickly(data) == strictly(data)
    (value,) = Parser().feed(data)
    assert isinstance(value, list)
    assert len(value) == times


@pytest.mark.parametrize(
    "other", [b":2", b"$-1", b":1000000", b"+x", b",1.5", b"$1\r\nx", b"$2\r\n\r\n", b"-ERR", b"*0"]
)
def test_unlike_elements(other: bytes) -> None:
    data = b"*40\r\n" + (b":1\r\n" + other + b"\r\n") * 20
    assert quickly(data) == strictly(data)
    assert len(quickly(data)[0]) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        b":",
        b":1\r",
        b":+1",
        b":1_0",
        b",",
        b",1\r",
        b",.5",
        b",5.",
        b",-.5",
        b",1_0",
        b",1-1",
        b"x",
        b"",
        b":9223372036854775808",
        b":-9223372036854775809",
        b":5-3",
        b":+-5",
        b",inf1",
        b",1inf",
        b",infinf",
        b",1.e5",
        b",1e",
        b",e5",
        b",1e5.5",
        b",++1",
        b"$2\r\nx",
    ],
)
@pytest.mark.parametrize("right", [b":1000000", b",1.5", b":1", b"+OK", b"$1\r\nx"])
def test_one_wrong_line_among_many(right: bytes, wrong: bytes) -> None:
    for place in (0, 20, 39):
        lines = [right] * 40
        lines[place] = wrong
        data = b"\r\n".join(lines) + b"\r\n"
        assert quickly(data) == strictly(data)
        assert quickly(data)[1] is (wrong[:1] in LINES and b"\r" not in wrong)
        rows = b"".join(b"*1\r\n" + line + b"\r\n" for line in lines)
        assert quickly(rows) == strictly(rows)


def test_a_digit_amid_the_line_breaks_of_integers_is_of_none_of_them() -> None:
    """Found by fuzzing: the first of the two was read as 92233122."""
    right = b":922331\r\n"
    parser = Parser()
    assert parser.feed(right * 50 + b":922331\r\n22:9312\r\n" + right * 50) == [922331] * 51
    assert parser.error is not None


@pytest.mark.parametrize(
    "row", [b"*2\r\n$1\r\na\r\n:1\r\n", b"%1\r\n+a\r\n:1\r\n", b"~1\r\n:1\r\n", b"*1\r\n*1\r\n,1.5\r\n"]
)
@pytest.mark.parametrize("number", [2, 3, 15, 16, 17, 18, 79, 80, 82, 300])
def test_rows_of_one_shape_are_read_as_columns(row: bytes, number: int) -> None:
    """All of them, but for a last one that would be alone."""
    tokens = (row * number).split(b"\r\n")
    last = len(tokens) - 1
    read = columns(tokens, 0, last, number, 5)
    assert read is not None
    found, at, _ = read
    assert number - 1 <= len(found) <= number
    assert at == last // number * len(found)
    assert ([exact(one) for one in found], True) == strictly(row * len(found))


def test_pushes_are_rows_too() -> None:
    message = b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\nx\r\n"
    parser = Parser()
    assert parser.feed(message * 100 + b"+OK\r\n") == [Push("message", (b"news", b"x"))] * 100 + ["OK"]
    assert parser.pushes == 100
    assert quickly(b">1\r\n+p\r\n" * 20) == strictly(b">1\r\n+p\r\n" * 20)
    for one in (b"*1\r\n$1\r\nx\r\n", b">2\r\n$1\r\np\r\n$1\r\nx\r\n", b"~1\r\n$1\r\nx\r\n", b">1\r\n$1\r\nxy\r\n"):
        assert quickly(one) == strictly(one)
    parser = Parser()
    assert parser.feed(b">1\r\n:1\r\n" * 20) == []
    assert "a string as the kind of a push" in str(parser.error)


@pytest.mark.parametrize("row", [b"*2\r\n$1\r\nx\r\n*1\r\n:1\r\n", b"*1\r\n:1\r\n", b"%1\r\n+a\r\n$1\r\nb\r\n"])
@pytest.mark.parametrize("other", [b":0\r\n", b"+OK\r\n", b"$1\r\ny\r\n", b"*1\r\n:1\r\n", b"~2\r\n:1\r\n:2\r\n"])
def test_rows_that_end_where_a_batch_of_them_does(row: bytes, other: bytes) -> None:
    for rows in (2, 15, 16, 17, 79, 80, 81):
        data = b"*%d\r\n" % (rows + 300) + row * rows + other * 300
        assert quickly(data) == strictly(data)


def test_rows_are_not_deeper_than_the_limit() -> None:
    data = b"*50\r\n" + b"*1\r\n*1\r\n:1\r\n" * 50
    assert len(Parser(Limits(depth=3)).feed(data)) == 1
    parser = Parser(Limits(depth=2))
    assert parser.feed(data) == []
    assert "Limits.depth" in str(parser.error)


def test_a_window_that_ends_anywhere() -> None:
    data = b"*3\r\n$5\r\nhello\r\n:123456\r\n*2\r\n$1\r\nx\r\n,1.5\r\n" * 8
    for cut in range(len(data)):
        parser = Parser()
        assert parser.feed(data[:cut]) + parser.feed(data[cut:]) == [[b"hello", 123456, [b"x", 1.5]]] * 8


@pytest.mark.parametrize("at", [0, 7, 16])
@pytest.mark.parametrize("pairs", [6, 7, 31, 32, 65, 500])
@pytest.mark.parametrize(("first", "second"), [(3, 3), (3, 5), (0, 100)])
def test_bulks_of_one_length_are_all_taken(at: int, pairs: int, first: int, second: int) -> None:
    """A stride that declines would cost time, which no comparison of values shows."""
    pair = [b"a" * first, b"b" * second]
    data = b"x" * at + b"".join(map(encode_reply, pair)) * pairs
    items: list[Reply] = []
    assert even(data, at, items, -1) == (len(data), -1 - 2 * pairs)
    assert items == pair * pairs


@pytest.mark.parametrize("at", [0, 7, 16])
@pytest.mark.parametrize("number", [8, 11, 72, 75, 600])
def test_rows_of_one_layout_are_all_taken(at: int, number: int) -> None:
    row: list[Reply] = [b"one", {b"two": b"3"}, [b"", [b"four"]]]
    data = b"x" * at + encode_reply(row) * number
    items: list[Reply] = []
    end, left, cost, layout = strided(data, at, items, number, 8)
    assert (end, left, cost) == (len(data), 0, number * (3 * COSTS[b"*"] + COSTS[b"%"]))
    assert items == [row] * number

    assert layout is not None
    assert strided(data, at, items, -1, 8, layout)[3] is layout
    assert items == [row] * (2 * number)
    assert strided(data, at, items, -1, 7, layout)[3] is not layout  # what may nest elsewhere is another question
    assert strided(b"*1\r\n$1\r\na\r\n" * 12, 0, items, -1, 8, layout)[:3] == (132, -13, 12 * COSTS[b"*"])

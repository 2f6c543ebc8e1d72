"""RESP's grammar: what is accepted, what is refused and how that is said, limits, and work in proportion to input."""

from __future__ import annotations

import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio._errors import InvalidReplyError, ReplyError
from resp_sansio.testing import encodings, exact, mutations, pushes, replies, splits
from resp_sansio.wire import windows
from resp_sansio.wire.encoder import encode_reply
from resp_sansio.wire.fastpath import SPAN
from resp_sansio.wire.frames import NOTHING
from resp_sansio.wire.limits import refused
from resp_sansio.wire.parser import Limits, Parser
from resp_sansio.wire.values import ArrayKey, Attributed, Items, Pairs, Push, Reply, Verbatim
from resp_sansio.wire.windows import Windows

NAN = float("nan")


def read(data: bytes, parser: Parser) -> list[Reply]:
    """What the strict grammar alone makes of it: byte by byte, no accelerator has anything to work on."""
    return [value for at in range(len(data)) for value in parser.feed(data[at : at + 1])]


def complaint(data: bytes, parser: Parser | None = None) -> str:
    """What is said of a stream that breaks, whole and byte by byte; the values before that are the same."""
    whole, single = parser or Parser(), Parser((parser or Parser())._limits)
    single.lenient_push = whole.lenient_push
    assert [exact(value) for value in whole.feed(data)] == [exact(value) for value in read(data, single)]
    assert whole.error is not None
    assert single.error is not None
    expected, _, got = str(whole.error).partition(", got ")
    assert str(single.error).startswith(expected)
    assert str(single.error).endswith(got[got.index(" at byte ") :])
    return str(whole.error)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"+\xff\xfe\r\n", "\udcff\udcfe"),
        (b"+caf\xc3\xa9\r\n", "café"),
        (b"-\r\n", ReplyError("")),
        (b"-WRONGTYPE no\r\n", ReplyError("WRONGTYPE no")),
        (b"!8\r\nERR a\r\nb\r\n", ReplyError("ERR a\r\nb")),
        (b":-0\r\n", 0),
        (b":007\r\n", 7),
        (b":+5\r\n", 5),
        (b":" + b"0" * 30 + b"5\r\n", 5),
        (b":+9223372036854775807\r\n", 2**63 - 1),
        (b"(+5\r\n", 5),
        (b",+1.5\r\n", 1.5),
        (b",+inf\r\n", float("inf")),
        (b",+nan\r\n", NAN),
        (b":-9223372036854775808\r\n", -(2**63)),
        (b"(12345678901234567890123\r\n", 12345678901234567890123),
        (b"(-1\r\n", -1),
        (b",10\r\n", 10.0),
        (b",-1.5e-3\r\n", -0.0015),
        (b",1E5\r\n", 1e5),
        (b",inf\r\n", float("inf")),
        (b",-inf\r\n", float("-inf")),
        (b",nan\r\n", NAN),
        (b",-nan\r\n", NAN),
        (b",NAN\r\n", NAN),
        (b",nan(0x7ff)\r\n", NAN),
        (b"#t\r\n", True),
        (b"#f\r\n", False),
        (b"_\r\n", None),
        (b"$-1\r\n", None),
        (b"*-1\r\n", None),
        (b"=4\r\ntxt:\r\n", Verbatim(b"", "txt")),
        (b"=7\r\n\xff\xfe\xfd:x:y\r\n", Verbatim(b"x:y", "\udcff\udcfe\udcfd")),
        (b"$0\r\n\r\n", b""),
        (b"$?\r\n;0\r\n", b""),
        (b"$?\r\n;4\r\nHell\r\n;1\r\no\r\n;0\r\n", b"Hello"),
        (b"*?\r\n.\r\n", []),
        (b"*?\r\n:1\r\n*?\r\n:2\r\n.\r\n.\r\n", [1, [2]]),
        (b"%?\r\n+a\r\n:1\r\n.\r\n", {"a": 1}),
        (b"~?\r\n:1\r\n.\r\n", {1}),
        (b"%2\r\n:1\r\n+a\r\n#t\r\n+b\r\n", Pairs([(1, "a"), (True, "b")])),
        (b"~2\r\n:1\r\n,1\r\n", Items([1, 1.0])),
        (b">1\r\n+invalidate\r\n", Push("invalidate", ())),
        (b">2\r\n$7\r\nmessage\r\n_\r\n", Push("message", (None,))),
        (b"*1\r\n-ERR inner\r\n", [ReplyError("ERR inner")]),
    ],
)
def test_accepted(data: bytes, value: Reply) -> None:
    assert [exact(one) for one in Parser().feed(data)] == [exact(value)]
    assert [exact(one) for one in read(data, Parser())] == [exact(value)]


@pytest.mark.parametrize(
    ("data", "expected", "at"),
    [
        (b"x", "a RESP type byte", 0),
        (b"\r\n", "a RESP type byte", 0),
        (b"\n", "a RESP type byte", 0),
        (b"HTTP/1.1 400 Bad Request\r\n", "a RESP type byte", 0),
        (b";1\r\n", "a RESP type byte", 0),
        (b"*1\r\n;", "a RESP type byte", 4),
        (b"+a\rb\r\n", "a line with its line break at its end", 0),
        (b"+a\n", "a line with its line break at its end", 0),
        (b"*1\r\n+" + b"a" * 40 + b"\n\r\n", "a line with its line break at its end", 4),
        (b"$-2\r\n", "a length in decimal digits", 0),
        (b"$+1\r\n", "a length in decimal digits", 0),
        (b"$\r\n", "a length in decimal digits", 0),
        (b"$" + b"0" * 21 + b"\r\n", "a length in decimal digits", 0),
        (b"*-2\r\n", "a length in decimal digits", 0),
        (b"%-1\r\n", "a length in decimal digits", 0),
        (b"!-1\r\n", "a length in decimal digits", 0),
        (b"=?\r\n", "a length in decimal digits", 0),
        (b">?\r\n", "a length in decimal digits", 0),
        (b"|?\r\n", "a length in decimal digits", 0),
        (b"$3\r\nabcd\r\n", "the line break that ends a bulk", 7),
        (b"$3\r\nabc\r\r", "the line break that ends a bulk", 8),
        (b"$1500\r\n" + b"x" * 1501 + b"\r\n", "the line break that ends a bulk", 1507),
        (b">0\r\n", "a push with a kind", 0),
        (b"*1\r\n>1\r\n+a\r\n", "an element (a push may not stand inside another reply)", 4),
        (b"|1\r\n>1\r\n+a\r\n", "an element (a push may not stand inside another reply)", 4),
        (b".\r\n", "an element (there is no streamed aggregate to end)", 0),
        (b"*1\r\n.\r\n", "an element (there is no streamed aggregate to end)", 4),
        (b"*?\r\n|0\r\n.\r\n", "an element (there is no streamed aggregate to end)", 8),
        (b"*?\r\n.x\r\n", "nothing after the dot", 4),
        (b"%?\r\n:1\r\n.\r\n", "a value for the last key of a streamed map", 8),
        (b"$?\r\n+a\r\n", "a chunk of a streamed string", 4),
        (b"$?\r\n;1\r\na\r\n$", "a chunk of a streamed string", 11),
        (b"$?\r\n;x\r\n", "a length in decimal digits", 4),
    ],
)
def test_refused(data: bytes, expected: str, at: int) -> None:
    for before in (b"", b"+OK\r\n", b"$1\r\nx\r\n" * 10):
        said = complaint(before + data)
        assert said.startswith(f"expected {expected}")
        assert said.endswith(f" at byte {at + len(before)} of the stream")
        assert len(said) < 300


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b">1\r\n:1\r\n", "a string as the kind of a push, not int"),
        (b">1\r\n=5\r\ntxt:a\r\n", "a string as the kind of a push, not Verbatim"),
        (b"|0\r\n>1\r\n_\r\n", "a string as the kind of a push, not NoneType"),
    ],
)
def test_refused_once_it_is_whole(data: bytes, expected: str) -> None:
    for feeds in ([data], [data[at : at + 1] for at in range(len(data))]):
        parser = Parser()
        assert [value for part in feeds for value in parser.feed(part)] == []
        assert str(parser.error).startswith(f"expected {expected}")


@pytest.mark.parametrize(
    "line",
    [
        b":", b":1_0", b": 1", b":12x", b":--1", b":+-1", b":9223372036854775808", b":-9223372036854775809", b":" + b"1" * 30,
        b":" + b"1" * 5000, b"(", b"(abc", b"(1.5", b"(" + b"1" * 4302, b"(-" + b"1" * 60_000, b",", b",.5", b",1.", b",x", b",++1",
        b",1_0.5", b",infinity", b",Nan", b",1,5", b"#", b"#true", b"#T", b"_x", b"=3\r\nabc", b"=2\r\n\r\n", b"=0\r\n",
        b"=5\r\nabcde",
    ],
)  # fmt: skip
def test_what_makes_no_sense_as_its_type_is_a_value_in_its_place(line: bytes) -> None:
    for data, place in ((b"%b\r\n", []), (b"*2\r\n%b\r\n+x\r\n", [0]), (b"%%1\r\n+k\r\n%b\r\n", ["k"])):
        wire = data % line + b"+OK\r\n"
        for parser, got in ((whole := Parser(), whole.feed(wire)), (single := Parser(), read(wire, single))):
            assert parser.error is None
            value, last = got
            for key in place:
                value = value[key]  # type: ignore[index]
            assert type(value) is InvalidReplyError
            assert value.raw == line
            assert value == InvalidReplyError(line)
            assert last == "OK"
    for aggregate in (b"~2\r\n%b\r\n:1\r\n", b"%%1\r\n%b\r\n:1\r\n"):
        (keyed,) = Parser().feed(aggregate % line)
        assert InvalidReplyError(line) in keyed  # type: ignore[operator]
    assert encode_reply(InvalidReplyError(line)) == encode_reply(InvalidReplyError(line), 2) == line + b"\r\n"


def test_a_big_number_is_bounded_by_the_interpreter_too() -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert Parser().feed(b"(" + b"1" * 641 + b"\r\n") == [InvalidReplyError(b"(" + b"1" * 641)]
        assert Parser().feed(b"(" + b"1" * 640 + b"\r\n") == [int("1" * 640)]
    finally:
        sys.set_int_max_str_digits(before)


def test_a_number_may_have_so_many_digits_even_where_python_takes_any() -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        assert read(b"(-%b\r\n" % (b"9" * 4300), Parser()) == [1 - 10**4300]
        for digits in (4302, 5000):
            (value,) = read(b"(%b\r\n" % (b"9" * digits), Parser())
            assert type(value) is InvalidReplyError
    finally:
        sys.set_int_max_str_digits(before)


@pytest.mark.parametrize("sign", ["+", "-"])
def test_a_line_of_text_may_be_as_long_as_a_bulk(sign: str) -> None:
    text = "ERR " + "x" * 200_000
    wire = f"{sign}{text}\r\n".encode()
    expected = text if sign == "+" else ReplyError(text)
    for size in (1, 65_536, len(wire)):
        for before, after in ((b"", []), (b"*2\r\n:1\r\n", [1])):
            data = before + wire
            parser = Parser()
            seen = [value for at in range(0, len(data), size) for value in parser.feed(data[at : at + size])]
            assert seen == ([[*after, expected]] if before else [expected])
            assert parser.error is None


@pytest.mark.parametrize(
    ("wire", "said"),
    [
        (b"$2000\r\ntoken=SECRET\r\n", "a length of at most 1000 (Limits.bulk), got b'$2000' at byte 0"),
        (b"$3\r\nSECRET\r\n", "the line break that ends a bulk, got something else at byte 7"),
        (b"-ERR bad 'SECRET'\n", "a line with its line break at its end and nowhere else, got b'-' at byte 0"),
        (b"+SECRET\rSECRET\r\n", "a line with its line break at its end and nowhere else, got b'+' at byte 0"),
        (b"(" + b"SECRET" * 20_000, "a line of at most 65536 bytes (Limits.line), got b'(' at byte 0"),
        (b"*1\r\nSECRET\r\n", "a RESP type byte, got b'S' at byte 4"),
        (b"$SECRET\r\n", "a length in decimal digits, got b'$' at byte 0"),
        (b">1\r\n=10\r\ntxt:SECRET\r\n", "a string as the kind of a push, not Verbatim, before this"),
    ],
)
def test_an_error_shows_a_type_byte_and_a_length_and_no_data(wire: bytes, said: str) -> None:
    for size in (1, 100, len(wire)):
        parser = Parser(Limits(bulk=1000))
        for at in range(0, len(wire), size):
            parser.feed(wire[at : at + size])
        assert "SECRET" not in str(parser.error)
        assert size < len(wire) or said in str(parser.error)


# Attributes and pushes


@pytest.mark.parametrize("nested", [False, True])
def test_an_attribute_never_changes_what_follows_it(nested: bool) -> None:
    data = (
        b"|1\r\n+ttl\r\n:3600\r\n:1\r\n"
        b"|1\r\n+a\r\n:1\r\n|2\r\n+a\r\n:2\r\n+b\r\n:3\r\n*2\r\n|1\r\n+k\r\n*1\r\n:0\r\n:1\r\n:2\r\n"
        b"+OK\r\n"
    )
    inner: Reply = Attributed(1, {"k": [0]}) if nested else 1
    for size in (1, 3, len(data)):
        parser = Parser(nested_attributes=nested)
        seen: list[Reply] = []
        about: dict[int, Reply] = {}
        for at in range(0, len(data), size):
            got = parser.feed(data[at : at + size])
            about |= {len(seen) + index: attributes for index, attributes in parser.attributes.items()}
            seen += got
        assert seen == [1, [inner, 2], "OK"]
        assert about == {0: {"ttl": 3600}, 1: {"a": 2, "b": 3}}


def test_attributes_that_collide_are_merged_all_the_same() -> None:
    parser = Parser()
    assert parser.feed(b"|2\r\n:1\r\n+a\r\n#t\r\n+b\r\n|1\r\n+k\r\n:1\r\n:5\r\n") == [5]
    assert parser.attributes == {0: Pairs([(1, "a"), (True, "b"), ("k", 1)])}
    assert parser.feed(b"|1\r\n+k\r\n:1\r\n|2\r\n:1\r\n+a\r\n#t\r\n+b\r\n:5\r\n") == [5]
    assert parser.attributes == {0: Pairs([("k", 1), (1, "a"), (True, "b")])}


def test_attributes_in_a_row_keep_both_of_two_keys_that_only_python_takes_for_equal() -> None:
    parser = Parser()
    assert parser.feed(b"|1\r\n:1\r\n+int\r\n|1\r\n#t\r\n+bool\r\n|1\r\n+k\r\n:2\r\n+OK\r\n") == ["OK"]
    assert parser.attributes == {0: Pairs([(1, "int"), (True, "bool"), ("k", 2)])}


def test_many_attributes_in_a_row_are_merged_in_place() -> None:
    parser = Parser()
    assert parser.feed(b"".join(b"|1\r\n+%d\r\n+v\r\n" % key for key in range(50_000)) + b"+OK\r\n") == ["OK"]
    assert parser.attributes == {0: dict.fromkeys(map(str, range(50_000)), "v")}
    assert parser.feed(b"".join(b"|1\r\n:%d\r\n+v\r\n" % key for key in range(50_000)) + b"+OK\r\n") == ["OK"]
    assert parser.attributes == {0: Pairs((key, "v") for key in range(50_000))}


def test_thousands_of_numbers_that_hash_alike_are_no_dict_and_no_set() -> None:
    numbers = [(2**61 - 1) * (n + 16) for n in range(10_000)]
    assert Parser().feed(b"~10000\r\n" + b"".join(b"(%d\r\n" % n for n in numbers)) == [Items(numbers)]
    pairs = Pairs((n, 1) for n in numbers)
    assert Parser().feed(b"%10000\r\n" + b"".join(b"(%d\r\n:1\r\n" % n for n in numbers)) == [pairs]
    parser = Parser()
    assert parser.feed(b"|10000\r\n" + b"".join(b"(%d\r\n:1\r\n" % n for n in numbers) + b"+OK\r\n") == ["OK"]
    assert parser.attributes == {0: pairs}
    assert parser.feed(b"".join(b"|1\r\n(%d\r\n:1\r\n" % n for n in numbers) + b"+OK\r\n") == ["OK"]
    assert parser.attributes == {0: pairs}
    assert parser.feed(b"".join(b"|1\r\n*1\r\n(%d\r\n:1\r\n" % n for n in numbers) + b"+OK\r\n") == ["OK"]
    assert parser.attributes == {0: Pairs((ArrayKey([n]), 1) for n in numbers)}


def test_an_attribute_may_itself_be_described() -> None:
    parser = Parser(nested_attributes=True)
    assert parser.feed(b"|1\r\n+k\r\n|1\r\n+about\r\n+k\r\n:1\r\n:5\r\n") == [5]
    assert parser.attributes == {0: {"k": Attributed(1, {"about": "k"})}}


def test_a_push_may_be_described() -> None:
    parser = Parser()
    data = b"|1\r\n+k\r\n:1\r\n>1\r\n+p\r\n:5\r\n"
    assert parser.feed(data) == [Push("p", ()), 5]
    assert parser.attributes == {0: {"k": 1}}


def test_many_messages() -> None:
    message = b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\nx\r\n"
    parser = Parser()
    assert parser.feed(b"+OK\r\n" + message * 100 + b"+OK\r\n") == [
        "OK",
        *[Push("message", (b"news", b"x"))] * 100,
        "OK",
    ]
    assert parser.pushes == 100


def test_a_push_inside_an_aggregate_if_lenient() -> None:
    """Redis 6 with CLIENT TRACKING: the push comes first, and is no element."""
    data = b"*2\r\n:1\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n:2\r\n*1\r\n|1\r\n+a\r\n:1\r\n>1\r\n+p\r\n:3\r\n"
    for size in (1, 7, len(data)):
        parser = Parser(lenient_push=True)
        seen = [value for at in range(0, len(data), size) for value in parser.feed(data[at : at + size])]
        assert seen == [Push("invalidate", ([b"k"],)), [1, 2], Push("p", ()), [3]]
    parser = Parser(lenient_push=True)
    assert parser.skip(data, 2) == 2
    assert parser.feed(b"") == [Push("invalidate", ([b"k"],)), Push("p", ())]


# Limits


def deep(depth: int) -> bytes:
    return b"*1\r\n" * depth + b":1\r\n"


@pytest.mark.parametrize(
    ("limits", "right", "wrong", "said"),
    [
        (Limits(depth=2), deep(2), deep(3), "at most 2 aggregates inside each other (Limits.depth)"),
        (Limits(depth=1), b"|0\r\n:1\r\n", b"*1\r\n|0\r\n", "at most 1 aggregates inside each other (Limits.depth)"),
        (Limits(bulk=5), b"$5\r\nabcde\r\n", b"$6\r\n", "a length of at most 5 (Limits.bulk)"),
        (Limits(bulk=5), b"!5\r\nabcde\r\n", b"!6\r\n", "a length of at most 5 (Limits.bulk)"),
        (
            Limits(bulk=2000),
            b"$2000\r\n" + bytes(2000) + b"\r\n",
            b"$2001\r\n" + bytes(2001),
            "at most 2000 (Limits.bulk)",
        ),
        (
            Limits(bulk=5),
            b"$?\r\n;3\r\nabc\r\n;2\r\nab\r\n;0\r\n",
            b"$?\r\n;3\r\nabc\r\n;3\r\n",
            "at most 2 (Limits.bulk)",
        ),
        (Limits(line=5), b":12345\r\n", b":123456\r\n", "a line of at most 5 bytes (Limits.line)"),
        (Limits(line=5), b":12345\r\n", b"(12345678", "a line of at most 5 bytes (Limits.line)"),
        (Limits(line=3, bulk=5), b"+abcde\r\n", b"-abcdef\r\n", "a line of at most 5 bytes (Limits.bulk)"),
        (Limits(line=3, bulk=5), b"-abcde\r\n", b"+abcdefgh", "a line of at most 5 bytes (Limits.bulk)"),
        (Limits(elements=4), b"*4\r\n" + b":1\r\n" * 4, b"*5\r\n", "at most 4 (Limits.elements)"),
        (Limits(elements=4), b"%2\r\n" + b":1\r\n" * 4, b"%3\r\n", "at most 4 elements (Limits.elements)"),
        (
            Limits(elements=4),
            b"~?\r\n" + b":1\r\n" * 4 + b".\r\n",
            b"~?\r\n" + b":1\r\n" * 5 + b".\r\n",
            "at most 4 elements",
        ),
        (
            Limits(reply=20),
            b"*4\r\n" + b":1\r\n" * 4,
            b"*5\r\n" + b":1\r\n" * 5,
            "a reply of at most 20 bytes (Limits.reply)",
        ),
        (
            Limits(reply=20),
            b"$50\r\n" + b"x" * 50 + b"\r\n",
            b"*1\r\n$20\r\nx",
            "a reply of at most 20 bytes (Limits.reply)",
        ),
        (Limits(reply=20), b"*0\r\n", b"*?\r\n" + b":1\r\n" * 5, "a reply of at most 20 bytes (Limits.reply)"),
    ],
)
def test_limits(limits: Limits, right: bytes, wrong: bytes, said: str) -> None:
    assert len(Parser(limits).feed(right * 2)) == 2
    parser = Parser(limits)
    assert len(read(right * 2, parser)) == 2
    assert parser.error is None
    assert said in complaint(right + wrong, Parser(limits))


@given(st.binary(max_size=8), st.integers(-4, 12))
def test_an_error_shows_nothing_of_what_came_before_or_is_still_to_come(data: bytes, at: int) -> None:
    said = str(refused("a length", data, at, 100))
    assert said.endswith(f" at byte {100 + at} of the stream")
    assert ("got something else" in said) is (not 0 <= at < len(data))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b"$536870912\r\n", b"$536870913\r\n"),
        (b"*4294967295\r\n", b"*4294967296\r\n"),
        (b"%2147483647\r\n", b"%2147483648\r\n"),
        (b"*1\r\n" * 128, b"*1\r\n" * 129),
        (b":" + b"1" * 65536, b":" + b"1" * 65537 + b"\r\n"),
    ],
    ids=["bulk", "elements", "pairs", "depth", "line"],
)
def test_limits_that_no_one_has_set(right: bytes, wrong: bytes) -> None:
    assert read(right, parser := Parser()) == []
    assert parser.error is None
    assert "at most" in complaint(wrong, Parser())


def test_a_reply_over_many_windows_is_bounded() -> None:
    limits = Limits(reply=SPAN + 40)
    parts = [b"*100000\r\n"] + [b"$1\r\nx\r\n" * 10] * 10_000
    parser = Parser(limits)
    fed = 0
    for part in parts:
        if parser.error is not None:
            break
        parser.feed(part)
        fed += len(part)
    assert "a reply of at most" in str(parser.error)
    assert fed < limits.reply + 100
    whole = Parser(limits)
    assert whole.feed(b"".join(parts)) == []
    assert "at byte 0" in str(whole.error)
    closed = Parser(limits)
    assert closed.feed(b"*19000\r\n" + b"$1\r\nx\r\n" * 19_000 + b"+OK\r\n") == []
    assert "a reply of at most" in str(closed.error)


@pytest.mark.parametrize("header", [b"*1000000000\r\n", b"%1000000000\r\n", b">1000000000\r\n", b"$500000000\r\n"])
def test_what_is_announced_allocates_nothing(header: bytes) -> None:
    parser = Parser()
    tracemalloc.start()
    try:
        parser.feed(header + b"+x")
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()
    assert parser.error is None


def test_nesting_is_no_danger() -> None:
    parser = Parser(Limits(depth=100_000))
    for sign in (b"*1", b"~1", b"*?"):
        data = (sign + b"\r\n") * 100_000 + b":1\r\n" + (b".\r\n" * 100_000 if sign == b"*?" else b"")
        (value,) = parser.feed(data)
        assert parser.skip(data, 1) == 1
        depth = 0
        while not isinstance(value, int):
            assert isinstance(value, (list, set, frozenset, Items))
            value = next(iter(value))
            depth += 1
        assert depth == 100_000
        assert parser.error is None


# Work


class Work:
    """Counts how many bytes are looked at or copied: every window that a step gets, and every line and body it makes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bytes = 0
        for name in ("_run_tokens", "_keep_line", "_read_bulk", "_resume"):
            step = getattr(Windows, name)

            def counted(machine: Windows, *args: int, step: object = step, name: str = name) -> object:
                before = args[0] if args else machine._at
                result = step(machine, *args)  # type: ignore[operator]
                if name == "_run_tokens":
                    self.bytes += min(len(machine._window) - before, machine._span)
                elif name == "_resume":
                    self.bytes += len(machine._window)
                else:
                    self.bytes += result - before
                return result

            monkeypatch.setattr(Windows, name, counted)


streams = {
    "a long line": b"+" + b"x" * 60_000 + b"\r\n",
    "an array": b"*3000\r\n" + b"$20\r\n" + b"x" * 20 + b"\r\n" + (b"$20\r\n" + b"x" * 20 + b"\r\n") * 2999,
    "a large bulk": b"$100000\r\n" + b"x" * 100_000 + b"\r\n",
    "deep nesting": b"*1\r\n" * 100 + b"*500\r\n" + b"*1\r\n:1\r\n" * 500,
    "small among large": (b"$1500\r\n" + b"x" * 1500 + b"\r\n" + b":1\r\n" * 10) * 50,
    "unlike elements": (b"*2\r\n%1\r\n+a\r\n,1.5\r\n*3\r\n$-1\r\n+x\r\n=5\r\ntxt:a\r\n") * 500,
    "streamed": b"$?\r\n" + b";3\r\nabc\r\n" * 3000 + b";0\r\n",
    "lengths with zeros": (b"$01\r\nx\r\n$1\r\nx\r\n" + b"%01\r\n+a\r\n$0003\r\nabc\r\n") * 1000,
    "streamed ones among others": b"$?\r\n;1\r\nx\r\n;0\r\n:1\r\n*?\r\n.\r\n" * 1000,
    "attributes and pushes": b"|0\r\n>1\r\n+p\r\n|1\r\n+k\r\n_\r\n:1\r\n" * 1000,
    "errors and verbatim strings": b"*3\r\n-\r\n!1\r\nx\r\n=4\r\ntxt:\r\n" * 1000,
}


@pytest.mark.parametrize("name", streams)
@pytest.mark.parametrize("size", [1, 10, 1000, 200_000])
def test_work_is_in_proportion_to_input(name: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = streams[name]
    work = Work(monkeypatch)
    parser = Parser()
    replies = [value for at in range(0, len(data), size) for value in parser.feed(data[at : at + size])]
    assert replies
    assert parser.idle
    assert work.bytes < 12 * len(data)


# Windows


def test_what_comes_while_nothing_is_wanted_is_read_later() -> None:
    parser = Parser()
    for number in range(1000):
        assert parser.feed(b":%d\r\n" % number, 0) == []
    assert parser.feed(b"", 10) == list(range(10))
    assert parser.feed(b":1000\r\n") == list(range(10, 1001))
    assert parser.idle


def test_nothing_of_a_skipped_aggregate_is_built() -> None:
    parser = Parser()
    row = b"*2\r\n$3\r\nabc\r\n*1\r\n:1\r\n"
    for data in (
        b"*300\r\n" + row * 300,
        b"*10\r\n" + b"%1\r\n:1\r\n~1\r\n+x\r\n" * 10,
        b"*2\r\n|1\r\n+k\r\n*1\r\n:1\r\n:1\r\n:2\r\n",
    ):
        for size in (1, 100, len(data)):
            counts = [parser.skip(data[at : at + size], 1) for at in range(0, len(data), size)]
            assert counts == [0] * (len(counts) - 1) + [1]
            assert list(NOTHING) == []
    assert parser.idle


@given(st.data(), st.lists(replies(max_leaves=12) | pushes(max_leaves=4), max_size=5), st.integers(1, 8), st.booleans())
def test_windows_of_any_size(data: st.DataObject, values: list[Reply], span: int, broken: bool) -> None:
    """Where a window is cut into spans to split, and where it ends, changes nothing."""
    wire = b"".join(data.draw(encodings(value)) for value in values) * 3
    if broken:
        wire = data.draw(mutations(wire))
    small, whole = Parser(nested_attributes=True), Parser(nested_attributes=True)
    expected = [exact(value) for value in whole.feed(wire)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "_SMALLEST_SPAN", span * 8)
        patch.setattr(windows, "SPAN", span * 16)
        patch.setattr(windows, "_WORTH_SPLITTING", 4)
        small._go_on()._span = span * 8
        seen = [exact(value) for part in data.draw(splits(wire)) for value in small.feed(part)]
    assert seen == expected
    assert (small.error is None, small.idle) == (whole.error is None, whole.idle)

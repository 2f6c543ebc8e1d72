"""The encoder: commands are arrays of bulk strings, replies are what a parser reads back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio._errors import ReplyError
from resp_sansio.testing import exact, pushes, replies
from resp_sansio.wire.encoder import (
    _HEADS,
    _LONGEST_NAME,
    _MOST_HEADS,
    UNCOPIED,
    Argument,
    encode_command,
    encode_reply,
)
from resp_sansio.wire.parser import Limits, Parser
from resp_sansio.wire.requests import CommandParser
from resp_sansio.wire.values import ArrayKey, Attributed, Items, MapKey, Pairs, Push, Reply, SetKey, Verbatim

arguments = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=30),
    st.integers(),
    st.floats(),
    st.binary(max_size=10).map(bytearray),
    st.binary(max_size=10).map(lambda data: memoryview(data)[::-1][::-1]),
    st.binary(min_size=1, max_size=2).map(lambda data: data * 700),
)


def plain(argument: Argument) -> bytes:
    """An argument as the server sees it."""
    match argument:
        case str():
            return argument.encode("utf-8", "surrogateescape")
        case int():
            return str(argument).encode()
        case float():
            return repr(argument).removesuffix(".0").encode()
        case _:
            return bytes(argument)


def joined(encoded: bytes | list[bytes]) -> bytes:
    return encoded if isinstance(encoded, bytes) else b"".join(encoded)


@given(
    st.sampled_from(["GET", b"SET", "set", "CONFIG GET", " CLIENT  NO-EVICT ", "x" * 100]),
    st.lists(arguments, max_size=20),
)
def test_a_server_reads_what_was_meant(name: str | bytes, args: list[Argument]) -> None:
    words = (name.encode() if isinstance(name, str) else name).split()
    for _ in range(2):  # the second time with the name in the cache
        encoded = encode_command([name, *args])
        assert CommandParser().feed(joined(encoded)) == [[*words, *map(plain, args)]]


@given(st.text(max_size=5), st.floats(allow_nan=False))
def test_what_was_received_can_be_sent(text: str, number: float) -> None:
    received = b"\xff\xfe" + text.encode()
    sent = joined(encode_command(["ECHO", received.decode("utf-8", "surrogateescape"), number]))
    command = CommandParser().feed(sent)[0]
    assert command[1] == received
    assert float(command[2]) == number


def test_large_bytes_travel_uncopied() -> None:
    large, larger, copied = bytes(UNCOPIED), bytes(UNCOPIED + 1), bytearray(UNCOPIED)
    encoded = encode_command(["MSET", "a", large, "b", larger, "c", copied])
    assert isinstance(encoded, list)
    assert encoded[1] is large
    assert encoded[3] is larger
    assert len(encoded) == 5
    assert joined(encoded) == joined(
        encode_command(["MSET", "a", bytearray(large), "b", bytearray(larger), "c", bytes(copied)[:]])
    )
    assert isinstance(encode_command(["SET", "a", bytes(UNCOPIED - 1)]), bytes)
    assert isinstance(encode_command(["SET", "a", bytes(32_767)]), bytes)
    assert isinstance(encode_command(["SET", "a", bytes(32_768)]), list)


def test_buffers_are_measured_in_bytes_and_snapshotted() -> None:
    words = memoryview(bytearray(b"abcdefgh")).cast("I")
    assert len(words) == 2
    assert encode_command(["ECHO", words]) == b"*2\r\n$4\r\nECHO\r\n$8\r\nabcdefgh\r\n"
    changing = bytearray(b"before")
    encoded = encode_command(["ECHO", changing])
    changing[:] = b"after!"
    assert encoded == b"*2\r\n$4\r\nECHO\r\n$6\r\nbefore\r\n"


@pytest.mark.parametrize("wrong", [None, True, [1], {}, 1j, object()])
@pytest.mark.parametrize("before", [0, 1, 5])
def test_another_type_is_refused_by_command_and_position(wrong: object, before: int) -> None:
    args = ["SET", *["x"] * before, wrong]
    with pytest.raises(TypeError, match=f"argument {before + 1} of 'SET' must be bytes.*not {type(wrong).__name__}"):
        encode_command(args)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [["a"], ("a",), {"a"}, frozenset("a")])
def test_a_list_is_no_argument_and_its_elements_are(wrong: list[str]) -> None:
    with pytest.raises(TypeError, match=r"not \w+; give its elements one by one$"):
        encode_command(["MGET", wrong])  # type: ignore[list-item]
    assert encode_command(["MGET", *wrong]) == b"*2\r\n$4\r\nMGET\r\n$1\r\na\r\n"


def test_text_that_is_no_utf8_is_refused_by_position() -> None:
    with pytest.raises(TypeError, match="argument 1 of 'GET' cannot be sent as UTF-8"):
        encode_command(["GET", "\ud800"])


@pytest.mark.parametrize("args", [[], [""], ["  "], [b""]])
def test_a_command_needs_a_name(args: list[Argument]) -> None:
    with pytest.raises(ValueError, match="needs a name"):
        encode_command(args)


@pytest.mark.parametrize("name", [1, 1.5, bytearray(b"GET"), None])
def test_a_name_is_text(name: object) -> None:
    with pytest.raises(TypeError, match="name must be str or bytes"):
        encode_command([name, "k"])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "args",
    [
        [["AUTH", "user", "hunter2"]],
        ["AUTH", ("user", "hunter2")],
        ["AUTH", "hunter2\ud800"],
        ["AUTH user hunter2", None],
        [b"AUTH user hunter2", "\ud800"],
        ["AUTH hunter2\ud800"],
    ],
)
def test_no_error_repeats_what_could_be_a_secret(args: list[Any]) -> None:
    with pytest.raises(TypeError) as caught:
        encode_command(args)
    assert "hunter2" not in str(caught.value)
    assert "user" not in str(caught.value)
    assert caught.value.__context__ is None  # an encoding error in there would hold the text


def test_the_cache_of_names_is_bounded() -> None:
    for number in range(3 * _MOST_HEADS):
        assert encode_command([f"NAME{number}", "k"]) == b"*2\r\n$%d\r\nNAME%d\r\n$1\r\nk\r\n" % (
            4 + len(str(number)),
            number,
        )
        assert len(_HEADS[2]) <= _MOST_HEADS
    encode_command(["x" * (_LONGEST_NAME + 1), "k"])
    assert "x" * (_LONGEST_NAME + 1) not in _HEADS[2]


@pytest.mark.parametrize("key", ["k", b"k", bytearray(b"k"), "\udcff", b"k" * 1100])
@pytest.mark.parametrize("value", ["v", b"v", 5, 2.5, memoryview(b"v"), True])
@pytest.mark.parametrize("more", [0, 1, 3, 15])
def test_one_way_or_another(key: Argument, value: Argument, more: int) -> None:
    """Short commands, longer ones and unusual arguments are encoded by different code; what comes of it is not different."""
    args: list[Argument] = ["SET", key, value, *["x"] * more]
    if value is True:
        with pytest.raises(TypeError, match="argument 2 of 'SET'"):
            encode_command(args)
    else:
        for _ in range(2):
            assert CommandParser().feed(joined(encode_command(args))) == [[b"SET", *map(plain, args[1:])]]


def test_an_argument_that_is_a_name_elsewhere_is_no_name_here() -> None:
    encode_command(["GET", "a", "b", "c"])
    assert encode_command(["SET", "k", "v", "GET"]) == b"*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n$3\r\nGET\r\n"


def test_the_words_of_a_name_count_singly() -> None:
    assert encode_command(["CONFIG GET", "x"]) == encode_command([b"CONFIG", "GET", b"x"])
    assert encode_command(["PING"]) == b"*1\r\n$4\r\nPING\r\n"


# Replies


@given(replies() | pushes())
def test_resp3_round_trip(value: Reply) -> None:
    parsed = Parser().feed(encode_reply(value))
    assert [exact(one) for one in parsed] == [exact(value)]


@given(replies(2))
def test_resp2_round_trip(value: Reply) -> None:
    parsed = Parser().feed(encode_reply(value, 2))
    assert [exact(one) for one in parsed] == [exact(value)]


@given(replies() | pushes())
def test_resp2_is_always_said_somehow(value: Reply) -> None:
    """Whatever RESP3 can say is converted to something that RESP2 can, and that converts to itself."""
    encoded = encode_reply(value, 2)
    (converted,) = Parser().feed(encoded)
    assert encode_reply(converted, 2) == encoded


@pytest.mark.parametrize(
    ("value", "resp3", "resp2"),
    [
        ("OK", b"+OK\r\n", b"+OK\r\n"),
        (b"x", b"$1\r\nx\r\n", b"$1\r\nx\r\n"),
        (1, b":1\r\n", b":1\r\n"),
        (2**63 - 1, b":9223372036854775807\r\n", b":9223372036854775807\r\n"),
        (-(2**63), b":-9223372036854775808\r\n", b":-9223372036854775808\r\n"),
        (-(2**63) - 1, b"(-9223372036854775809\r\n", b"$20\r\n-9223372036854775809\r\n"),
        (2**63, b"(9223372036854775808\r\n", b"$19\r\n9223372036854775808\r\n"),
        (1.5, b",1.5\r\n", b"$3\r\n1.5\r\n"),
        (10.0, b",10\r\n", b"$2\r\n10\r\n"),
        (float("-inf"), b",-inf\r\n", b"$4\r\n-inf\r\n"),
        (float("nan"), b",nan\r\n", b"$3\r\nnan\r\n"),
        (True, b"#t\r\n", b":1\r\n"),
        (False, b"#f\r\n", b":0\r\n"),
        (None, b"_\r\n", b"$-1\r\n"),
        (Verbatim(b"hi", "mkd"), b"=6\r\nmkd:hi\r\n", b"$2\r\nhi\r\n"),
        (ReplyError("ERR no"), b"-ERR no\r\n", b"-ERR no\r\n"),
        (ReplyError("ERR\r\nno"), b"!7\r\nERR\r\nno\r\n", b"-ERR  no\r\n"),
        ([1, []], b"*2\r\n:1\r\n*0\r\n", b"*2\r\n:1\r\n*0\r\n"),
        ({"a": 1}, b"%1\r\n+a\r\n:1\r\n", b"*2\r\n+a\r\n:1\r\n"),
        (Pairs([(1, 2), (1, 3)]), b"%2\r\n:1\r\n:2\r\n:1\r\n:3\r\n", b"*4\r\n:1\r\n:2\r\n:1\r\n:3\r\n"),
        ({1}, b"~1\r\n:1\r\n", b"*1\r\n:1\r\n"),
        (Items([1, 1]), b"~2\r\n:1\r\n:1\r\n", b"*2\r\n:1\r\n:1\r\n"),
        ({ArrayKey((1,)): 2}, b"%1\r\n*1\r\n:1\r\n:2\r\n", b"*2\r\n*1\r\n:1\r\n:2\r\n"),
        ({MapKey(((1, 2),))}, b"~1\r\n%1\r\n:1\r\n:2\r\n", b"*1\r\n*2\r\n:1\r\n:2\r\n"),
        ({SetKey({1})}, b"~1\r\n~1\r\n:1\r\n", b"*1\r\n*1\r\n:1\r\n"),
        (Push("message", (b"x",)), b">2\r\n$7\r\nmessage\r\n$1\r\nx\r\n", b"*2\r\n$7\r\nmessage\r\n$1\r\nx\r\n"),
        (Attributed(1, {"ttl": 2}), b"|1\r\n+ttl\r\n:2\r\n:1\r\n", b":1\r\n"),
    ],
)
def test_what_is_said_for_each_type(value: Reply, resp3: bytes, resp2: bytes) -> None:
    assert encode_reply(value) == resp3
    assert encode_reply(value, 2) == resp2


def test_nesting_is_no_danger() -> None:
    nested: Reply = 1
    for _ in range(100_000):
        nested = [nested]
    encoded = encode_reply(nested)
    parser = Parser(Limits(depth=100_000))
    assert encode_reply(parser.feed(encoded)[0]) == encoded


def test_an_empty_attribute_and_nested_ones() -> None:
    value: Reply = [Attributed([Attributed(b"x", {})], {"k": [1]})]
    (parsed,) = Parser(nested_attributes=True).feed(encode_reply(value))
    assert exact(parsed) == exact(value)


@pytest.mark.parametrize("text", ["a\rb", "a\nb"])
def test_a_simple_string_is_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="cannot hold a line break"):
        encode_reply(text)


def test_a_format_is_three_bytes() -> None:
    with pytest.raises(ValueError, match="three bytes long, not 'text'"):
        encode_reply(Verbatim(b"", "text"))


def test_what_is_no_reply() -> None:
    with pytest.raises(TypeError, match="object is not a reply"):
        encode_reply(object())  # type: ignore[arg-type]

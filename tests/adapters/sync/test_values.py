"""What a real server says arrives, in both protocols, as the value that stands for it; attributes and pushes disturb nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import pytest

from adapters.peers import Faults, Proxy, together
from resp_sansio import Command, Push, ReplyError, Verbatim
from resp_sync import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resp_sync import Connection
    from servers import Server

# DEBUG PROTOCOL's answers: on RESP3, and what RESP2 makes of them.
SAID: dict[str, tuple[object, object]] = {
    "string": (b"Hello World", b"Hello World"),
    "integer": (12345, 12345),
    "double": (3.141, b"3.141"),
    "null": (None, None),
    "array": ([0, 1, 2], [0, 1, 2]),
    "set": ({0, 1, 2}, [0, 1, 2]),
    "map": ({0: False, 1: True, 2: False}, [0, 0, 1, 1, 2, 0]),
    "attrib": (b"Some real reply following the attribute", b"Some real reply following the attribute"),
    "verbatim": (Verbatim(b"This is a verbatim\nstring", "txt"), b"This is a verbatim\nstring"),
    "true": (True, 1),
    "false": (False, 0),
    "bignum": (1234567999999999999999999999999999999, b"1234567999999999999999999999999999999"),
}


def said(server: Server, protocol: int, kind: str) -> object:
    if kind == "double" and server.version < (7,) and server.product == "redis":
        return 3.14159265359 if protocol == 3 else b"3.1415926535900001"
    return SAID[kind][0 if protocol == 3 else 1]


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def protocol(request: pytest.FixtureRequest) -> Literal[2, 3]:
    spoken: Literal[2, 3] = request.param
    return spoken


@pytest.fixture
def connection(server: Server, protocol: Literal[2, 3]) -> Iterator[Connection]:
    with connect(server.url, protocol=protocol) as connection:
        yield connection


def exact(value: object) -> object:
    """A value with its types: `True == 1` proves nothing."""
    match value:
        case dict():
            return dict, {(exact(key), exact(item)) for key, item in value.items()}
        case list():
            return list, [exact(item) for item in value]
        case set():
            return set, {exact(item) for item in value}
        case Verbatim():
            return Verbatim, bytes(value), value.format
        case _:
            return type(value), value


@pytest.mark.parametrize("kind", SAID)
def test_every_type_a_server_can_say(
    server: Server, connection: Connection, protocol: Literal[2, 3], kind: str
) -> None:
    assert exact(connection.execute("DEBUG", "PROTOCOL", kind)) == exact(said(server, protocol, kind))
    assert connection.execute("ECHO", "and the next reply is its own") == b"and the next reply is its own"


@pytest.mark.parametrize("split", [1, 2, 7])
def test_every_type_in_one_pipeline_however_the_network_cuts_it(
    server: Server, protocol: Literal[2, 3], split: int
) -> None:
    with (
        Proxy(server.port, down=Faults(split=split)) as proxy,
        connect(proxy.url, protocol=protocol) as connection,
        connection.pipeline() as pipe,
    ):
        results = [(kind, pipe.execute("DEBUG", "PROTOCOL", kind)) for kind in SAID]
        told = [pipe.execute("ECHO", index) for index in range(3)]
    for kind, result in results:
        assert exact(result.result()) == exact(said(server, protocol, kind)), kind
    assert [result.result() for result in told] == [b"0", b"1", b"2"]


def test_pushes_between_pipelined_replies_answer_nobody(server: Server) -> None:
    with connect(server.url) as connection:
        with connection.pipeline() as pipe:
            results = [
                (index, pipe.execute("DEBUG", "PROTOCOL", "push"), pipe.execute("ECHO", index)) for index in range(50)
            ]
        for index, answer, echo in results:
            assert answer.result() == b"Some real reply following the push reply"
            assert echo.result() == str(index).encode()
        pushes = [connection.next_push() for _ in range(50)]
    assert pushes == [Push("server-cpu-usage", (42,))] * 50


def test_pushes_attributes_and_big_numbers_beside_other_threads(server: Server) -> None:
    with connect(server.url) as connection:

        def odd() -> None:
            for _ in range(50):
                for kind in ("attrib", "bignum", "push", "map"):
                    reply = connection.execute("DEBUG", "PROTOCOL", kind)
                    assert kind == "push" or exact(reply) == exact(SAID[kind][0])

        def ask(name: int) -> None:
            for index in range(200):
                token = f"{name}:{index}"
                assert connection.execute("ECHO", token) == token.encode()

        together(odd, odd, *(lambda name=name: ask(name) for name in range(4)))


@pytest.mark.needs("CLIENT TRACKING")
def test_invalidations_come_as_pushes(server: Server) -> None:
    with connect(server.url) as connection:
        connection.execute("CLIENT", "TRACKING", "ON")
        connection.execute("GET", "watched")
        server.call("SET", "watched", "changed")
        assert connection.next_push() == Push("invalidate", ([b"watched"],))
        server.call("FLUSHALL")
        connection.execute("GET", "watched")
        assert connection.next_push() == Push("invalidate", (None,))


def test_replies_are_as_the_server_said_them_and_readers_normalise(
    connection: Connection, protocol: Literal[2, 3]
) -> None:
    connection.execute("HSET", "h", "a", 1, "b", 2)
    raw = connection.execute("HGETALL", "h")
    assert raw == ({b"a": b"1", b"b": b"2"} if protocol == 3 else [b"a", b"1", b"b", b"2"])

    def pairs(reply: Any, _text: object) -> dict[bytes, int]:
        flat = reply if isinstance(reply, list) else [part for pair in reply.items() for part in pair]
        return {flat[index]: int(flat[index + 1]) for index in range(0, len(flat), 2)}

    command = Command("HGETALL", "h", read=pairs)
    assert connection.execute(command) == {b"a": 1, b"b": 2}
    with connection.pipeline() as pipe:
        result = pipe.execute(command)
    assert result.result() == {b"a": 1, b"b": 2}


def test_doubles_of_all_kinds(server: Server) -> None:
    with connect(server.url) as connection:
        connection.execute("ZADD", "z", "inf", "most", "-inf", "least", 0.1, "some")
        assert [connection.execute("ZSCORE", "z", member) for member in ("most", "least", "some", "none")] == [
            math.inf,
            -math.inf,
            0.1,
            None,
        ]


def test_bytes_that_are_no_text_survive_in_status_and_error_lines(connection: Connection) -> None:
    odd = b"\xff\xfe \x00 tail"
    assert connection.execute("ECHO", odd) == odd
    status = connection.execute("EVAL", "return redis.status_reply(ARGV[1])", 0, b"\xff\xfe")
    assert isinstance(status, str)
    assert status.encode("utf-8", "surrogateescape") == b"\xff\xfe"
    with pytest.raises(ReplyError) as caught:
        connection.execute("EVAL", "return redis.error_reply(ARGV[1])", 0, b"ODD \xff\xfe")
    assert (caught.value.code, caught.value.message.encode("utf-8", "surrogateescape")) == ("ODD", b"\xff\xfe")


def test_an_error_inside_an_array_stays_in_place(connection: Connection) -> None:
    script = "return {1, redis.error_reply('ODD one'), {'two', false}}"
    assert connection.execute("EVAL", script, 0) == [1, ReplyError("ODD one"), [b"two", None]]


def test_text_is_an_option_of_the_connection_and_of_each_call(server: Server, protocol: Literal[2, 3]) -> None:
    with connect(server.url, protocol=protocol, decode=True) as connection:
        connection.execute("HSET", "h", "ä", "ö")
        assert connection.execute("HGET", "h", "ä") == "ö"
        assert connection.execute("HGETALL", "h") == ({"ä": "ö"} if protocol == 3 else ["ä", "ö"])
        assert connection.execute("HGET", "h", "ä", decode=False) == "ö".encode()
        with connection.pipeline(decode=False) as pipe:
            result = pipe.execute("HGET", "h", "ä")
        assert result.result() == "ö".encode()


def test_every_argument_type_arrives_as_documented(connection: Connection) -> None:
    large = b"x" * 40_000
    sent: list[tuple[Any, bytes]] = [
        ("ä", "ä".encode()),
        (b"\x00\r\n", b"\x00\r\n"),
        (bytearray(b"array"), b"array"),
        (memoryview(b"a view")[2:], b"view"),
        (-1, b"-1"),
        (2**70, b"1180591620717411303424"),
        (0.1, b"0.1"),
        (1e22, b"1e+22"),
        (large, large),
        ("", b""),
    ]
    for argument, expected in sent:
        assert connection.execute("ECHO", argument) == expected
    with connection.pipeline() as pipe:
        results = [pipe.execute("ECHO", argument) for argument, _ in sent]
    assert [result.result() for result in results] == [expected for _, expected in sent]


def test_a_name_of_two_words_can_be_written_as_one(connection: Connection) -> None:
    connection.execute("CLIENT SETNAME", "me")
    assert connection.execute(b"client getname") == b"me"

"""The contract of single calls: what comes back, what is refused and how, how long it may take, and what is left behind.

A text that a test compares is the same on all adapters.
"""

from __future__ import annotations

import math
import time
import traceback
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import Backend, contract, told
from adapters.loops import open_sockets
from adapters.peers import Faults, Peer, Proxy, Wire, calls, statistic
from resp_sansio import (
    Command,
    CommandTimeoutError,
    ConnectionClosedError,
    InvalidReplyError,
    LocalProtocolError,
    Outcome,
    ReplyError,
    UnexpectedReplyError,
    Verbatim,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import Server

PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])
MIB = 1024 * 1024

# DEBUG PROTOCOL's answers: on RESP3, and what RESP2 makes of them. The double differs with the server's version.
SAID: dict[str, tuple[object, object]] = {
    "string": (b"Hello World", b"Hello World"),
    "integer": (12345, 12345),
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


def number(reply: object, _text: object) -> int:
    """How the Commands here read their replies."""
    assert isinstance(reply, int)
    return reply


# -- Values -------------------------------------------------------------------------------------------------------------------

TOO_MUCH = "string.rep('x', 70000)"  # more than a line of Redis' own may have

# What a script can make a real server say: on RESP3, and how its caller is told; the same on RESP2 unless that is named.
ODD: dict[str, tuple[object, object]] = {
    f"return redis.error_reply('ERR ' .. {TOO_MUCH})": (ReplyError, ReplyError),
    f"return {{ok={TOO_MUCH}}}": (str, str),
    f"error({TOO_MUCH})": (ReplyError, ReplyError),
    f"return {{{{err={TOO_MUCH}}}}}": (list, list),
    "redis.setresp(3); return {big_number='abc'}": (InvalidReplyError, bytes),
    "redis.setresp(3); return {big_number='1.5'}": (InvalidReplyError, bytes),
    "redis.setresp(3); return {big_number='+5'}": (int, bytes),
    "redis.setresp(3); return {big_number=string.rep('7', 5000)}": (InvalidReplyError, bytes),
    "redis.setresp(3); return {double=0/0}": (float, bytes),
    "redis.setresp(3); return {{big_number='abc'}, 1}": (list, list),
}


@PROTOCOLS
@contract
async def test_an_odd_reply_is_its_own_callers_alone(backend: Backend, server: Server, protocol: int) -> None:
    """However long or senseless: the others on the lane have their answers, and the connection lives on."""
    async with backend.client(server.url, protocol=protocol, max_connections=1) as client:
        before: Any = await client.execute("INCRBY", "n", 0)
        for script, expected in ODD.items():
            others = [partial(client.execute, "INCR", "n")] * 25
            answers = await backend.together(*others, partial(client.execute, "EVAL", script, 0), *others)
            odd = answers.pop(25)
            assert type(odd) is expected[3 - protocol], script
            assert sorted(answers) == list(range(before + 1, before + 51))
            before += 50
        assert [lane.created for lane in client.stats().lanes] == [1]


@contract
async def test_a_reply_that_makes_no_sense_is_raised_or_stays_in_its_place(backend: Backend, server: Server) -> None:
    script = "redis.setresp(3); return {big_number='SECRET'}"
    nested = "redis.setresp(3); return {1, {big_number='SECRET'}}"
    async with backend.connect(server.url) as connection:
        with pytest.raises(InvalidReplyError) as caught:
            await connection.execute("EVAL", script, 0)
        assert caught.value.raw == b"(SECRET"
        assert caught.value.outcome is Outcome.REPLY
        assert "SECRET" not in f"{caught.value!s} {caught.value!r}"
        assert await connection.execute("EVAL", nested, 0, decode=True) == [1, InvalidReplyError(b"(SECRET")]
        async with connection.pipeline() as pipeline:
            results = [
                pipeline.execute("EVAL", script, 0),
                pipeline.execute("EVAL", nested, 0),
                pipeline.execute("PING"),
            ]
        with pytest.raises(InvalidReplyError):
            results[0].result()
        assert [one.result() for one in results[1:]] == [[1, InvalidReplyError(b"(SECRET")], "PONG"]
        async with connection.transaction() as transaction:
            results = [transaction.execute("EVAL", script, 0), transaction.execute("PING")]
        with pytest.raises(InvalidReplyError):
            results[0].result()
        assert results[1].result() == "PONG"
        with pytest.raises(InvalidReplyError):
            await connection.execute(Command("EVAL", script, 0, read=number))


@PROTOCOLS
@contract
async def test_every_type_a_server_can_say(backend: Backend, server: Server, protocol: int) -> None:
    async with backend.connect(server.url, protocol=protocol) as connection:
        assert connection.protocol == protocol
        for kind, said in SAID.items():
            assert exact(await connection.execute("DEBUG", "PROTOCOL", kind)) == exact(said[3 - protocol]), kind
            assert await connection.execute("ECHO", kind) == kind.encode(), "and the next reply is its own"


@contract
async def test_doubles_of_all_kinds(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        await connection.execute("ZADD", "z", "inf", "most", "-inf", "least", 0.1, "some")
        scores = [await connection.execute("ZSCORE", "z", member) for member in ("most", "least", "some", "none")]
    assert scores == [math.inf, -math.inf, 0.1, None]


@contract
async def test_every_argument_type_arrives_as_documented(backend: Backend, address: str, server: Server) -> None:
    sent: list[tuple[Any, bytes]] = [
        ("ä", "ä".encode()),
        (b"\x00\r\n", b"\x00\r\n"),
        (bytearray(b"array"), b"array"),
        (memoryview(b"a view")[2:], b"view"),
        (-1, b"-1"),
        (2**70, b"1180591620717411303424"),
        (0.1, b"0.1"),
        (1e22, b"1e+22"),
        ("", b""),
        *((b"x" * size, b"x" * size) for size in (32 * 1024, 256 * 1024, 3 * MIB + 1)),
    ]
    async with backend.connect(address) as connection:
        for argument, expected in sent:
            assert await connection.execute("ECHO", argument) == expected
        async with connection.pipeline() as pipe:
            results = [pipe.execute("ECHO", argument) for argument, _ in sent]
        assert [result.result() for result in results] == [expected for _, expected in sent]
        await connection.execute("RPUSH", "l", *range(10_000))
        assert await connection.execute("LRANGE", "l", 0, -1) == [b"%d" % index for index in range(10_000)]


@contract
async def test_a_name_of_two_words_can_be_written_as_one(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        await connection.execute("CLIENT SETNAME", "me")
        assert await connection.execute(b"client getname") == b"me"


@PROTOCOLS
@contract
async def test_replies_are_as_they_were_said_and_readers_normalise(
    backend: Backend, server: Server, protocol: int
) -> None:
    def pairs(reply: Any, _text: object) -> dict[bytes, bytes]:
        return dict(zip(reply[::2], reply[1::2], strict=True)) if isinstance(reply, list) else reply

    async with backend.connect(server.url, protocol=protocol) as connection:
        assert await connection.execute("HSET", "h", "a", 1, "b", 2) == 2
        raw = await connection.execute("HGETALL", "h")
        assert raw == ({b"a": b"1", b"b": b"2"} if protocol == 3 else [b"a", b"1", b"b", b"2"])
        assert await connection.execute(Command("HGETALL", "h", read=pairs)) == {b"a": b"1", b"b": b"2"}
        assert await connection.execute(Command("INCR", "n", read=number)) == 1


@PROTOCOLS
@contract
async def test_text_is_an_option_of_the_connection_and_of_each_call(
    backend: Backend, server: Server, protocol: int
) -> None:
    async with backend.connect(server.url, protocol=protocol, decode=True) as connection:
        await connection.execute("HSET", "h", "ä", "ö")
        assert await connection.execute("HGET", "h", "ä") == "ö"
        assert await connection.execute("HGETALL", "h") == ({"ä": "ö"} if protocol == 3 else ["ä", "ö"])
        assert await connection.execute("HGET", "h", "ä", decode=False) == "ö".encode()
        async with connection.pipeline(decode=False) as pipe:
            result = pipe.execute("HGET", "h", "ä")
        assert result.result() == "ö".encode()


@PROTOCOLS
@contract
async def test_bytes_that_are_no_text_are_sent_again_as_they_came(
    backend: Backend, server: Server, protocol: int
) -> None:
    """If that is asked for: no value raises where it is read as text, and a key that was listed is found."""
    odd = b"caf\xe9 \x1b$B\xff"
    text: dict[str, Any] = {"decode": True, "decode_errors": "surrogateescape"}
    async with (
        backend.connect(server.url, protocol=protocol, **text) as connection,
        backend.connect(server.url, protocol=protocol) as speaker,
    ):
        await connection.execute("SET", odd, odd)
        key = odd.decode("utf-8", "surrogateescape")
        assert await connection.execute("KEYS", "*") == [key]
        assert await connection.execute("GET", key) == key
        async with connection.pipeline() as pipe:
            value, number = pipe.execute("GET", key), pipe.execute("INCR", "n")
        assert (value.result(), number.result()) == (key, 1)
        async with connection.transaction() as both:
            value = both.execute("GET", key)
        assert value.result() == key
        await connection.execute("SUBSCRIBE", key)
        assert await speaker.execute("PUBLISH", odd, odd) == 1
        assert (await connection.next_push()).items == (key, key)


@contract
async def test_other_encodings_are_refused_before_anything_is_sent(backend: Backend, server: Server) -> None:
    """Text is sent as UTF-8: what is read as anything else is not what would be sent."""
    for name in ("latin-1", "iso2022_jp", "utf-16", "nope"):
        with pytest.raises(ValueError, match="a name of UTF-8 or ASCII, because text is sent as UTF-8"):
            async with backend.connect(server.url, decode=name):
                pytest.fail("it was let in")
        async with backend.connect(server.url) as connection:
            with pytest.raises(ValueError, match="a name of UTF-8 or ASCII"):
                await connection.execute("PING", decode=name)
            with pytest.raises(ValueError, match="a name of UTF-8 or ASCII"):
                connection.pipeline(decode=name)
            assert await connection.execute("PING") == "PONG"


@contract
async def test_a_url_cannot_ask_for_text(backend: Backend, server: Server) -> None:
    """A type checker knows what comes back by the keyword, and reads no URL."""
    for opened in (backend.connect, backend.pool, backend.client):
        with pytest.raises(ValueError, match="decode cannot be given in a URL; give it as a keyword"):
            async with opened(f"{server.url}?decode=true"):
                pytest.fail("it was let in")


@contract
async def test_a_push_that_is_no_text_is_an_error_and_the_next_comes(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url, decode=True) as connection, backend.connect(server.url) as speaker:
        await connection.execute("SUBSCRIBE", "news")
        for message in (b"\xff", "é"):
            assert await speaker.execute("PUBLISH", "news", message) == 1
        with pytest.raises(UnexpectedReplyError, match="^message: the data is no utf-8 text"):
            await connection.next_push()
        assert (await connection.next_push()).items == ("news", "é")


@PROTOCOLS
@contract
async def test_a_ping_is_answered_alike_with_subscriptions(backend: Backend, server: Server, protocol: int) -> None:
    async with backend.connect(server.url, protocol=protocol) as connection:
        assert await connection.ping() == "PONG"
        await connection.execute("SUBSCRIBE", "news")
        assert await connection.ping() == "PONG"


@contract
async def test_bytes_that_are_no_text_survive_in_status_and_error_lines(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        status = await connection.execute("EVAL", "return redis.status_reply(ARGV[1])", 0, b"\xff\xfe")
        assert isinstance(status, str)
        assert status.encode("utf-8", "surrogateescape") == b"\xff\xfe"
        with pytest.raises(ReplyError) as caught:
            await connection.execute("EVAL", "return redis.error_reply(ARGV[1])", 0, b"ODD \xff\xfe")
        assert (caught.value.code, caught.value.message.encode("utf-8", "surrogateescape")) == ("ODD", b"\xff\xfe")


@contract
async def test_what_the_server_refuses_is_an_error_with_its_code(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        await connection.execute("SET", "k", "v")
        with pytest.raises(ReplyError) as caught:
            await connection.execute("LPUSH", "k", "x")
        error = caught.value
        assert str(error) == "WRONGTYPE Operation against a key holding the wrong kind of value"
        assert (error.code, error.outcome) == ("WRONGTYPE", Outcome.REPLY)
        assert error.message == "Operation against a key holding the wrong kind of value"
        for args, code in ((("NO-SUCH-COMMAND",), "ERR"), (("GET",), "ERR"), (("EVALSHA", "0" * 40, 0), "NOSCRIPT")):
            with pytest.raises(ReplyError, match=f"^{code} "):
                await connection.execute(*args)
        inside = await connection.execute("EVAL", "return {1, redis.error_reply('ODD one'), {'two', false}}", 0)
        assert inside == [1, ReplyError("ODD one"), [b"two", None]]
        assert await connection.execute("GET", "k") == b"v"


@PROTOCOLS
@contract
async def test_however_the_network_cuts_it(backend: Backend, server: Server, protocol: int) -> None:
    for split in (1, 7):
        faults = Faults(split=split)
        with Proxy(server.port, up=faults, down=faults) as proxy:
            async with backend.connect(f"{proxy.url}/1", protocol=protocol) as connection:
                async with connection.pipeline() as pipe:
                    results = [(kind, pipe.execute("DEBUG", "PROTOCOL", kind)) for kind in SAID]
                    echoes = [pipe.execute("ECHO", index) for index in range(3)]
                for kind, result in results:
                    assert exact(result.result()) == exact(SAID[kind][3 - protocol]), kind
                assert [echo.result() for echo in echoes] == [b"0", b"1", b"2"]


# -- Side by side ---------------------------------------------------------------------------------------------------------------


@contract
async def test_each_gets_its_own(backend: Backend, address: str, server: Server) -> None:
    async with backend.connect(address) as connection:
        names = [b"%d" % name for name in range(2 * backend.many)]
        assert await backend.together(*[partial(connection.execute, "ECHO", name) for name in names]) == names


@contract
async def test_each_command_runs_once(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        counts = await backend.together(*[partial(connection.execute, "INCR", "n") for _ in range(backend.many)])
    assert sorted(counts) == list(range(1, backend.many + 1))


# -- Mistakes -------------------------------------------------------------------------------------------------------------------

WORDS = "must be bytes, bytearray, memoryview, str, int or float"
WRONG: list[tuple[tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
    ((), {}, ValueError, "a command needs a name"),
    (("  ",), {}, ValueError, "a command needs a name"),
    (("SET", "k", None), {}, TypeError, f"argument 2 of 'SET' {WORDS}, not NoneType"),
    (("SET", "k", True), {}, TypeError, f"argument 2 of 'SET' {WORDS}, not bool"),
    (("MSET", "a", 1, "b", [2]), {}, TypeError, f"argument 4 of 'MSET' {WORDS}, not list"),
    ((Command("GET", "k"), "more"), {}, TypeError, "nothing beside it"),
    (("GET", "k"), {"timeout": "5"}, TypeError, "timeout must be a number of seconds or None, not str"),
    (("GET", "k"), {"timeout": -1}, ValueError, "timeout must not be negative"),
    (("GET", "k"), {"decode": "hex"}, ValueError, "decode must be .* 'hex'"),
    (("CLIENT", "REPLY", "OFF"), {}, LocalProtocolError, "CLIENT REPLY is refused"),
    (("MULTI",), {}, LocalProtocolError, r"MULTI without EXEC.*use transaction\(\)"),
    (("EXEC",), {}, LocalProtocolError, r"EXEC without MULTI.*use transaction\(\)"),
]


@contract
async def test_mistakes_are_told_before_anything_is_sent(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        before = statistic(server, "total_commands_processed")
        for args, options, error, why in WRONG:
            with pytest.raises(error, match=why):
                await connection.execute(*args, **options)
            for batch in (connection.pipeline, connection.transaction):
                with pytest.raises(error if error is not LocalProtocolError else LocalProtocolError):  # noqa: PT012
                    async with batch(**options) as pipe:
                        pipe.execute("INCR", "n")
                        pipe.execute(*args)
        assert statistic(server, "total_commands_processed") == before + 1  # the question before
        assert await connection.execute("GET", "n") is None


# -- Time -------------------------------------------------------------------------------------------------------------------------


@contract
async def test_a_timeout_costs_one_reply(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server()
    late = f"127.0.0.1:{server.port} did not answer in time; it may have been executed: its reply was not seen"
    async with backend.connect(server.url) as connection:

        async def times_out(timeout: float) -> None:
            with pytest.raises(CommandTimeoutError) as caught:
                await connection.execute("ECHO", timeout, timeout=timeout)
            assert (caught.value.outcome, told(caught.value)) == (Outcome.MAYBE_EXECUTED, f"ECHO: {late}")

        with server.paused():
            await times_out(0)
            await backend.together(*[partial(times_out, 0.02)] * 10, partial(times_out, 0.05))
        assert await connection.execute("ECHO", "mine") == b"mine"


@contract
async def test_each_call_has_its_own_time(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server()
    ended: set[float] = set()
    async with backend.connect(server.url, timeout=3600) as connection:

        async def times_out(timeout: float) -> None:
            with pytest.raises(CommandTimeoutError):
                await connection.execute("ECHO", timeout, timeout=timeout)
            assert time.monotonic() >= begun + timeout
            ended.add(timeout)  # before the others, by the clock; a loop that was held up may wake them in any order

        async def waits(timeout: float | None) -> None:
            assert await connection.execute("ECHO", "patient", timeout=timeout) == b"patient"

        async def goes_on() -> None:
            await backend.until(lambda: len(ended) == 3)
            paused.close()

        paused = ExitStack()
        paused.enter_context(server.paused())
        begun = time.monotonic()
        await backend.together(
            *[partial(times_out, timeout) for timeout in (0.3, 0.2, 0.1)],
            *[partial(waits, timeout) for timeout in (60.0, None, math.inf, 1e300)],
            goes_on,
        )
        assert ended == {0.1, 0.2, 0.3}


@contract
async def test_the_default_is_extended_by_what_a_command_asks_for(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url, timeout=0.2) as connection:
        async with connection.pipeline() as pipe:
            results = [pipe.execute("BLPOP", "k", 0.15) for _ in range(2)]
        assert [result.result() for result in results] == [None, None]

        async def push() -> None:
            await backend.until(lambda: statistic(server, "blocked_clients") == 1)
            await backend.sleep(0.3)
            server.call("RPUSH", "k", "item")

        popped, _ = await backend.together(partial(connection.execute, "BLPOP", "k", 0), push)
        assert popped == [b"k", b"item"]


# -- The end, and what is left ------------------------------------------------------------------------------------------------


@contract
async def test_a_closed_connection_says_so_whatever_is_tried(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        assert repr(connection) == f"<Connection to 127.0.0.1:{server.port}: READY>"
        assert not connection.closed
        pipe = connection.pipeline()
        result = pipe.execute("INCR", "n")
        await connection.close()
        await connection.close()
        assert connection.closed
        assert repr(connection) == f"<Connection to 127.0.0.1:{server.port}: LOST>"

        async def update(transaction: Any) -> None:
            transaction.execute("INCR", "n")

        ended = f"the connection to 127.0.0.1:{server.port} has ended: the connection was closed"
        tries: list[tuple[Callable[[], Any], str]] = [
            (partial(connection.execute, "INCR", "n"), f"INCR was not sent: {ended}"),
            (pipe.run, f"INCR was not sent: {ended}"),
            (partial(connection.transact, update, "n"), f"WATCH was not sent: {ended}"),
            (connection.next_push, "next_push: the connection has ended: the connection was closed"),
        ]
        for attempt, expected in tries:
            with pytest.raises(ConnectionClosedError) as caught:
                await attempt()
            assert (caught.value.outcome, told(caught.value)) == (Outcome.NOT_SENT, expected)
        with pytest.raises(ConnectionClosedError, match="^INCR was not sent: "):
            result.result()
    assert server.call("GET", "n") is None


@contract
async def test_quit_ends_after_what_came_before_it(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        async with connection.pipeline() as pipe:
            first, last = pipe.execute("INCR", "n"), pipe.execute("QUIT")
        assert (first.result(), last.result()) == (1, "OK")
        with pytest.raises(ConnectionClosedError, match="^INCR was not sent: "):
            await connection.execute("INCR", "n")
    assert server.call("GET", "n") == b"1"


def everything(error: BaseException | None) -> str:
    """All that a log could show of an error, its causes and contexts."""
    shown = "".join(traceback.format_exception(error))
    while error is not None:
        shown += f"{error!s}{error!r}{error.args!r}"
        error = error.__cause__ or error.__context__
    return shown


@contract
async def test_secret_arguments_show_in_no_error(backend: Backend, server: Server) -> None:
    secret = "hunter2-very-secret"
    lines = [("AUTH", secret), ("ACL", "SETUSER", "bob", f">{secret}", "no-such-rule")]

    def silent(wire: Wire) -> None:
        wire.welcome()
        wire.drain()

    with Peer(silent) as peer:
        for line in lines:
            # An AUTH that is given up ends its connection, so each has its own.
            async with backend.connect(server.url) as connection, backend.connect(peer.url) as deaf:
                with pytest.raises(ReplyError) as refused:
                    await connection.execute(*line)
                with pytest.raises(CommandTimeoutError) as late:
                    await deaf.execute(*line, timeout=0)
                assert secret not in everything(refused.value) + everything(late.value)


@contract
async def test_connections_leave_nothing_behind(backend: Backend, address: str, server: Server) -> None:
    before = open_sockets()
    for _ in range(5):
        async with backend.connect(address) as connection:
            assert await connection.execute("PING") == "PONG"
        with pytest.raises(CommandTimeoutError):
            async with backend.connect(address) as connection:
                await connection.next_push(timeout=0)
        with pytest.raises(LookupError):
            async with backend.connect(address) as connection:
                raise LookupError
    await backend.until(lambda: open_sockets() <= before)
    assert calls(server, "hello") > 0

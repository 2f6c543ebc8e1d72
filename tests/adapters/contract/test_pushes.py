"""The contract of what a connection says unasked: subscriptions, invalidations, MONITOR, and the modes that come with them."""

from __future__ import annotations

import math
import threading
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest

from adapters.backends import CANCELLED, Backend, contract, contract_of_tasks, told
from adapters.peers import Peer, Wire, statistic
from resp_sansio import (
    CommandTimeoutError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    Push,
    RemoteProtocolError,
    ReplyError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import Server

PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])


@PROTOCOLS
@contract
async def test_messages_arrive_in_order_after_the_confirmation(backend: Backend, server: Server, protocol: int) -> None:
    async with backend.connect(server.url, protocol=protocol) as connection:
        assert await connection.execute("SUBSCRIBE", "news") == [Push("subscribe", (b"news", 1))]
        for index in range(20):
            assert server.call("PUBLISH", "news", index) == 1
        heard = [await connection.next_push() for _ in range(20)]
        assert heard == [Push("message", (b"news", b"%d" % index)) for index in range(20)]
        assert await connection.execute("PSUBSCRIBE", "n*") == [Push("psubscribe", (b"n*", 2))]
        server.call("PUBLISH", "news", "x")
        assert {await connection.next_push(), await connection.next_push()} == {
            Push("message", (b"news", b"x")),
            Push("pmessage", (b"n*", b"news", b"x")),
        }
        assert await connection.execute("UNSUBSCRIBE") == [Push("unsubscribe", (b"news", 1))]
        assert await connection.execute("PUNSUBSCRIBE") == [Push("punsubscribe", (b"n*", 0))]
        assert await connection.execute("GET", "k") is None  # on RESP2, too: it is an ordinary connection again


@contract
async def test_on_resp3_a_subscribed_connection_takes_every_command(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        await connection.execute("SUBSCRIBE", "news")
        for index in range(20):
            server.call("PUBLISH", "news", index)
            assert await connection.execute("ECHO", index) == b"%d" % index
        assert [(await connection.next_push()).items[1] for _ in range(20)] == [b"%d" % index for index in range(20)]


@contract
async def test_on_resp2_only_what_the_server_would_take(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url, protocol=2) as connection:
        await connection.execute("SUBSCRIBE", "news")
        before = statistic(server, "total_commands_processed")
        why = "GET was not sent: on RESP2 a subscribed connection takes only .*; unsubscribe first, or use RESP3"
        with pytest.raises(LocalProtocolError, match=why) as caught:
            await connection.execute("GET", "k")
        assert caught.value.outcome is Outcome.NOT_SENT
        pipe = connection.pipeline()
        pipe.execute("PING")
        pipe.execute("GET", "k")
        with pytest.raises(LocalProtocolError, match="GET was not sent"):
            await pipe.run()
        assert statistic(server, "total_commands_processed") == before + 1
        assert await connection.execute("PING", "me") == [b"pong", b"me"]
        await connection.execute("UNSUBSCRIBE", "news")
        assert await connection.execute("PING") == "PONG"


@PROTOCOLS
@contract
async def test_a_subscription_that_is_refused_changes_nothing(
    backend: Backend, start_server: Callable[..., Server], protocol: int
) -> None:
    server = start_server()
    server.call("ACL", "SETUSER", "bob", "on", "nopass", "~*", "+@all", "resetchannels", "&mine")
    async with backend.connect(f"{server.url}?username=bob&protocol={protocol}") as connection:
        with pytest.raises(ReplyError, match="^NOPERM"):
            await connection.execute("SUBSCRIBE", "mine", "theirs")
        assert await connection.execute("ECHO", "usable") == b"usable"
        assert await connection.execute("SUBSCRIBE", "mine") == [Push("subscribe", (b"mine", 1))]


@PROTOCOLS
@contract
async def test_who_waits_gets_the_next_one(backend: Backend, server: Server, protocol: int) -> None:
    async with backend.connect(server.url, protocol=protocol, decode=True) as connection:
        with pytest.raises(CommandTimeoutError) as caught:
            await connection.next_push(timeout=0.02)
        assert (str(caught.value), caught.value.outcome) == ("next_push: nothing came in time", Outcome.NOT_SENT)
        with pytest.raises(CommandTimeoutError):
            await connection.next_push(timeout=0)
        for wrong in ("1", True, -1, math.nan):
            with pytest.raises((TypeError, ValueError), match="^timeout must"):
                await connection.next_push(timeout=wrong)  # type: ignore[arg-type]
        await connection.execute("SUBSCRIBE", "nachrichten")

        async def publish() -> None:
            await backend.sleep(0.02)
            for word in ("schön", "gut"):
                server.call("PUBLISH", "nachrichten", word.encode())

        first, second, _ = await backend.together(
            connection.next_push, partial(connection.next_push, timeout=None), publish
        )
        assert {first, second} == {Push("message", ("nachrichten", word)) for word in ("schön", "gut")}


@contract
async def test_pushes_between_pipelined_replies_answer_nobody(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:

        async def ask(name: int) -> None:
            async with connection.pipeline() as pipe:
                answer, echo = pipe.execute("DEBUG", "PROTOCOL", "push"), pipe.execute("ECHO", name)
            assert answer.result() == b"Some real reply following the push reply"
            assert echo.result() == b"%d" % name

        await backend.together(*[partial(ask, name) for name in range(50)])
        assert [await connection.next_push() for _ in range(50)] == [Push("server-cpu-usage", (42,))] * 50


@pytest.mark.needs("CLIENT TRACKING")
@contract
async def test_invalidations_come_as_pushes(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        await connection.execute("CLIENT", "TRACKING", "ON")
        await connection.execute("GET", "watched")
        server.call("SET", "watched", "changed")
        assert await connection.next_push() == Push("invalidate", ([b"watched"],))


@PROTOCOLS
@contract
async def test_monitor_makes_a_connection_listen_for_ever(backend: Backend, server: Server, protocol: int) -> None:
    async with backend.connect(server.url, protocol=protocol) as connection:
        assert await connection.execute("MONITOR") == "OK"
        server.call("SET", "k", "v")
        push = await connection.next_push()
        assert push.kind == "monitor"
        assert '"SET" "k" "v"' in str(push.items[0])
        server.call("SET", "k", b"x" * 100_000)
        assert len(str((await connection.next_push()).items[0])) > 100_000
        with pytest.raises(LocalProtocolError, match="^GET was not sent: after MONITOR a connection only listens"):
            await connection.execute("GET", "k")


@contract
async def test_reset_ends_everything(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        await connection.execute("SUBSCRIBE", "news")
        assert await connection.execute("RESET") == "RESET"
        assert connection.protocol == 2
        assert server.call("PUBLISH", "news", "x") == 0
        await connection.execute("HELLO", 3)
        assert await connection.execute("HGETALL", "h") == {}


# -- The end ------------------------------------------------------------------------------------------------------------------


@contract
async def test_pushes_that_came_before_the_end_can_still_be_had(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        await connection.execute("SUBSCRIBE", "news")
        server.call("PUBLISH", "news", "last words")
        assert await connection.execute("PING") == "PONG"  # behind the message
        await connection.close()
        assert await connection.next_push() == Push("message", (b"news", b"last words"))
        with pytest.raises(
            ConnectionClosedError, match="^next_push: the connection has ended: the connection was closed$"
        ):
            await connection.next_push()


@contract
async def test_who_waits_is_told_of_the_end(backend: Backend, server: Server) -> None:
    async def end(after: float) -> object:
        async with backend.connect(server.url) as connection:
            mine = await connection.execute("CLIENT", "ID")
            assert isinstance(mine, int)

            async def kill() -> None:
                await backend.sleep(after)
                server.call("CLIENT", "KILL", "ID", mine)

            error, _ = await backend.together(partial(connection.next_push, timeout=None), kill)
            return error

    error = await end(0)
    while isinstance(error, ConnectionClosedError):  # the server was there first: no one waited yet
        error = await end(0.02)
    assert type(error) is ConnectionLostError
    assert (told(error), error.outcome) == ("next_push: the server closed the connection", Outcome.NOT_SENT)


@PROTOCOLS
@contract
async def test_more_pushes_than_anybody_takes_make_the_server_wait(
    backend: Backend, server: Server, protocol: int
) -> None:
    async with backend.connect(server.url, protocol=protocol, max_pushes=10) as connection:
        await connection.execute("SUBSCRIBE", "news")
        for _ in range(3):
            for index in range(30):
                server.call("PUBLISH", "news", index)
            assert [(await connection.next_push()).items[1] for _ in range(30)] == [
                b"%d" % index for index in range(30)
            ]
        server.call("EVAL", "for index = 1, 20 do redis.call('PUBLISH', 'news', index) end", 0)  # in one write
        assert [(await connection.next_push()).items[1] for _ in range(20)] == [b"%d" % index for index in range(1, 21)]


BACKLOG: Final = 2_000


def publish(server: Server, count: int) -> None:
    """Publish the numbers up to this one, each with 200 zeros in front, faster than they are read."""
    script = "for index = ARGV[1], ARGV[2] do redis.call('PUBLISH', 'news', string.rep('0', 200) .. index) end"
    for start in range(1, count, 1000):
        server.call("EVAL", script, 0, start, start + 999)


@PROTOCOLS
@pytest.mark.parametrize("tls", [False, pytest.param(True, marks=pytest.mark.needs("tls"))], ids=["plain", "TLS"])
@contract
async def test_a_backlog_is_read_without_loss_by_a_reader_that_comes_late(
    backend: Backend, server: Server, protocol: int, tls: bool
) -> None:
    url = (
        f"{server.tls_url}?tls_ca_file={quote(str(server.certificates.ca))}"
        if server.certificates and tls
        else server.url
    )
    async with backend.connect(url, protocol=protocol, max_pushes=250) as connection:
        await connection.execute("SUBSCRIBE", "news")
        publish(server, BACKLOG)
        await backend.sleep(0.1)
        assert connection.stats().unread_pushes < 1_500  # what else there is waits outside
        for index in range(1, BACKLOG + 1):
            push = await connection.next_push()
            assert push.items[1] == b"0" * 200 + b"%d" % index
            if index == 1_250:
                await backend.sleep(0.05)
        assert connection.stats().unread_pushes == 0
        await connection.execute("UNSUBSCRIBE")
        assert await connection.execute("PING") == "PONG"


@contract
async def test_a_reply_behind_many_pushes_comes_though_none_of_them_is_taken(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        await connection.execute("SUBSCRIBE", "news")
        publish(server, BACKLOG)
        for number in range(3):
            assert await connection.execute("ECHO", number, timeout=60) == b"%d" % number
        assert connection.stats().unread_pushes == BACKLOG
        for index in range(1, BACKLOG + 1):
            assert (await connection.next_push()).items[1] == b"0" * 200 + b"%d" % index


@contract
async def test_a_reply_behind_a_backlog_comes_once_the_reader_has_made_room(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url, max_pushes=250) as connection:
        await connection.execute("SUBSCRIBE", "news")
        publish(server, BACKLOG)
        with pytest.raises(CommandTimeoutError, match="pushes wait to be taken before more is read"):
            await connection.execute("ECHO", "late", timeout=0.3)

        async def read() -> None:
            for index in range(1, BACKLOG + 1):
                assert (await connection.next_push()).items[1] == b"0" * 200 + b"%d" % index

        _, reply = await backend.together(read, partial(connection.execute, "ECHO", "behind them", timeout=60))
        assert reply == b"behind them"


@contract
async def test_where_nobody_can_listen_pushes_are_dropped_and_counted(backend: Backend) -> None:
    """On the connection that a client's calls share, such as invalidations that a proxy has asked for."""
    invalidation = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"

    def script(wire: Wire) -> None:
        wire.welcome()
        for words in wire.commands():
            wire.send(invalidation * 10_001 + b"+%s\r\n" % words[-1])

    with Peer(script) as peer:
        async with backend.client(peer.url) as client:
            for number in range(3):
                assert await client.execute("ECHO", number) == str(number)
            connection = client.stats().lanes[0].connection
            assert connection is not None
            assert (connection.dropped_pushes, connection.unread_pushes) == (30_003, 0)
        assert peer.connections == 1


@contract
async def test_a_confirmation_of_something_else_ends_the_connection(backend: Backend) -> None:
    said = [
        b">3\r\n$11\r\nunsubscribe\r\n$4\r\nnews\r\n:0\r\n",
        b">3\r\n$9\r\nsubscribe\r\n$5\r\nother\r\n:1\r\n>3\r\n$9\r\nsubscribe\r\n$5\r\nother\r\n:1\r\n",
        b">1\r\n$9\r\nsubscribe\r\n",
        b"+OK\r\n",
    ]

    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.send(said[peer.connections - 1])
        wire.drain()

    with Peer(script) as peer:
        for _ in said:
            async with backend.connect(peer.url) as connection:
                with pytest.raises(RemoteProtocolError):
                    await connection.execute("SUBSCRIBE", "news")


# -- Cancelled ----------------------------------------------------------------------------------------------------------------


@contract
async def test_a_subscription_stays_when_nobody_waits_for_its_confirmation(backend: Backend) -> None:
    heard = threading.Event()

    def script(wire: Wire) -> None:
        wire.welcome()
        assert wire.command() == [b"SUBSCRIBE", b"news"]
        heard.set()
        assert wire.command() == [b"PING"]
        wire.send(b">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n+PONG\r\n")
        wire.send(b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n")
        wire.drain()

    with Peer(script) as peer:
        async with backend.connect(peer.url) as connection:
            async with backend.cancelled(partial(connection.execute, "SUBSCRIBE", "news")) as ended:
                await backend.until(heard.is_set)
            assert ended.outcome is CANCELLED
            assert await connection.execute("PING") == "PONG"
            assert await connection.next_push() == Push("message", (b"news", b"hello"))


@contract_of_tasks
async def test_no_push_is_lost_with_one_who_no_longer_waits_for_it(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url, decode=True) as connection:
        await connection.execute("SUBSCRIBE", "news")
        for turns in range(10):
            async with backend.cancelled(partial(connection.next_push, timeout=None)) as ended:
                await backend.sleep(0)
                server.call("PUBLISH", "news", turns)
                for _ in range(turns):  # at some of them the push is the waiter's, who does not run yet
                    await backend.sleep(0)
            got = await connection.next_push() if ended.outcome is CANCELLED else ended.outcome
            assert got == Push("message", ("news", str(turns)))

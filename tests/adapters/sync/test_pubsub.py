"""What a connection says unasked: subscriptions, MONITOR, and the modes that come with them, in both protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from adapters.peers import PATIENCE, Peer, Wire, statistic, together
from resp_sansio import (
    CommandTimeoutError,
    ConnectionClosedError,
    LocalProtocolError,
    Outcome,
    Push,
    RemoteProtocolError,
    ReplyError,
)
from resp_sync import Connection, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from servers import Server


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def protocol(request: pytest.FixtureRequest) -> Literal[2, 3]:
    spoken: Literal[2, 3] = request.param
    return spoken


@pytest.fixture
def connection(server: Server, protocol: Literal[2, 3]) -> Iterator[Connection]:
    with connect(server.url, protocol=protocol) as connection:
        yield connection


def test_messages_arrive_in_order_after_the_confirmation(connection: Connection, server: Server) -> None:
    assert connection.execute("SUBSCRIBE", "news") == [Push("subscribe", (b"news", 1))]
    for index in range(100):
        assert server.call("PUBLISH", "news", index) == 1
    assert [connection.next_push() for _ in range(100)] == [
        Push("message", (b"news", b"%d" % index)) for index in range(100)
    ]


def test_several_channels_patterns_and_leaving_them(connection: Connection, server: Server) -> None:
    assert connection.execute("SUBSCRIBE", "a", "b", "c") == [
        Push("subscribe", (name, count)) for name, count in ((b"a", 1), (b"b", 2), (b"c", 3))
    ]
    assert connection.execute("PSUBSCRIBE", "a*", "?") == [
        Push("psubscribe", (b"a*", 4)),
        Push("psubscribe", (b"?", 5)),
    ]
    server.call("PUBLISH", "a", "x")
    heard = {connection.next_push() for _ in range(3)}
    assert heard == {
        Push("message", (b"a", b"x")),
        Push("pmessage", (b"a*", b"a", b"x")),
        Push("pmessage", (b"?", b"a", b"x")),
    }
    assert connection.execute("UNSUBSCRIBE", "b") == [Push("unsubscribe", (b"b", 4))]
    left = connection.execute("UNSUBSCRIBE")
    assert isinstance(left, list)
    assert len(left) == 2
    assert len(names(connection.execute("PUNSUBSCRIBE"))) == 2
    if server.product == "valkey" and server.version[:2] == (8, 0):  # the versions before and after it take it
        with pytest.raises(ReplyError, match="NOSUB"):
            connection.execute("UNSUBSCRIBE")
    else:
        assert connection.execute("UNSUBSCRIBE") == [Push("unsubscribe", (None, 0))]
    assert connection.execute("GET", "k") is None  # on RESP2, too: it is an ordinary connection again


def names(confirmations: object) -> list[object]:
    assert isinstance(confirmations, list)
    return [push.items[0] for push in confirmations]


@pytest.mark.needs("SSUBSCRIBE")
def test_sharded_channels(connection: Connection, server: Server) -> None:
    assert connection.execute("SSUBSCRIBE", "s") == [Push("ssubscribe", (b"s", 1))]
    server.call("SPUBLISH", "s", "x")
    assert connection.next_push() == Push("smessage", (b"s", b"x"))
    assert connection.execute("SUNSUBSCRIBE") == [Push("sunsubscribe", (b"s", 0))]


def test_the_same_channel_twice(connection: Connection, server: Server) -> None:
    assert connection.execute("SUBSCRIBE", "a", "a") == [Push("subscribe", (b"a", 1))] * 2
    assert connection.execute("SUBSCRIBE", "a") == [Push("subscribe", (b"a", 1))]
    server.call("PUBLISH", "a", "once")
    assert connection.next_push() == Push("message", (b"a", b"once"))
    assert connection.execute("UNSUBSCRIBE") == [Push("unsubscribe", (b"a", 0))]


def test_on_resp3_a_subscribed_connection_takes_every_command(server: Server) -> None:
    with connect(server.url) as connection:
        connection.execute("SUBSCRIBE", "news")
        for index in range(20):
            server.call("PUBLISH", "news", index)
            assert connection.execute("ECHO", index) == b"%d" % index
        assert connection.execute("PUBLISH", "news", "own") == 1
        heard = [connection.next_push().items[1] for _ in range(21)]
        assert heard == [*(b"%d" % index for index in range(20)), b"own"]


def test_on_resp2_only_what_the_server_would_take(server: Server) -> None:
    with connect(server.url, protocol=2) as connection:
        connection.execute("SUBSCRIBE", "news")
        before = statistic(server, "total_commands_processed")
        told = "GET was not sent: on RESP2 a subscribed connection takes only .*; unsubscribe first, or use RESP3"
        with pytest.raises(LocalProtocolError, match=told) as caught:
            connection.execute("GET", "k")
        assert caught.value.outcome is Outcome.NOT_SENT
        pipe = connection.pipeline()
        pipe.execute("PING")
        pipe.execute("GET", "k")
        with pytest.raises(LocalProtocolError, match="GET was not sent"):
            pipe.run()
        assert statistic(server, "total_commands_processed") == before + 1
        assert connection.execute("PING") == [b"pong", b""]
        assert connection.execute("PING", "me") == [b"pong", b"me"]
        connection.execute("UNSUBSCRIBE", "news")
        assert connection.execute("PING") == "PONG"


def test_replies_that_look_like_messages_are_replies(connection: Connection) -> None:
    connection.execute("RPUSH", "list", "message", "news", "hello")
    assert connection.execute("LRANGE", "list", 0, -1) == [b"message", b"news", b"hello"]
    connection.execute("SUBSCRIBE", "news")
    connection.execute("UNSUBSCRIBE")
    assert connection.execute("LRANGE", "list", 0, -1) == [b"message", b"news", b"hello"]


def test_a_subscription_that_is_refused_changes_nothing(start_server: Callable[..., Server], protocol: int) -> None:
    server = start_server()
    server.call("ACL", "SETUSER", "bob", "on", "nopass", "~*", "+@all", "resetchannels", "&mine")
    with connect(f"{server.url}?username=bob&protocol={protocol}") as connection:
        with pytest.raises(ReplyError, match="^NOPERM"):
            connection.execute("SUBSCRIBE", "mine", "theirs")
        assert connection.execute("ECHO", "usable") == b"usable"
        assert connection.execute("SUBSCRIBE", "mine") == [Push("subscribe", (b"mine", 1))]


def test_waiting_for_what_does_not_come(connection: Connection, server: Server) -> None:
    with pytest.raises(CommandTimeoutError, match="^next_push: nothing came in time$") as caught:
        connection.next_push(timeout=0.02)
    assert caught.value.outcome is Outcome.NOT_SENT
    connection.execute("SUBSCRIBE", "news")
    with pytest.raises(CommandTimeoutError):
        connection.next_push(timeout=0)
    server.call("PUBLISH", "news", "late")
    assert connection.next_push() == Push("message", (b"news", b"late"))


@pytest.mark.parametrize("timeout", ["1", True, -1, float("nan")])
def test_waiting_for_nonsense(connection: Connection, timeout: float) -> None:
    with pytest.raises((TypeError, ValueError), match="timeout must"):
        connection.next_push(timeout=timeout)


def test_text_on_request(server: Server, protocol: Literal[2, 3]) -> None:
    with connect(server.url, protocol=protocol, decode=True) as connection:
        connection.execute("SUBSCRIBE", "nachrichten")
        server.call("PUBLISH", "nachrichten", "schön".encode())
        assert connection.next_push() == Push("message", ("nachrichten", "schön"))


def test_pushes_that_came_before_the_end_can_still_be_had(connection: Connection, server: Server) -> None:
    connection.execute("SUBSCRIBE", "news")
    server.call("PUBLISH", "news", "last words")
    assert connection.execute("PING") is not None  # behind the message
    connection.close()
    assert connection.next_push() == Push("message", (b"news", b"last words"))
    with pytest.raises(ConnectionClosedError, match="next_push"):
        connection.next_push()


def test_a_subscriber_is_told_when_its_connection_ends(connection: Connection, server: Server) -> None:
    mine = connection.execute("CLIENT", "ID")
    assert isinstance(mine, int)
    connection.execute("SUBSCRIBE", "news")

    def listen() -> None:
        with pytest.raises(ConnectionError, match="next_push: .*the server closed the connection"):
            connection.next_push(timeout=PATIENCE)

    together(listen, lambda: server.call("CLIENT", "KILL", "ID", mine))


def test_reset_ends_everything(server: Server) -> None:
    with connect(server.url) as connection:
        connection.execute("SUBSCRIBE", "news")
        spoken = [connection.protocol]
        assert connection.execute("RESET") == "RESET"
        assert [*spoken, connection.protocol] == [3, 2]
        assert server.call("PUBLISH", "news", "x") == 0
        connection.execute("HSET", "h", "f", "v")
        assert connection.execute("HGETALL", "h") == [b"f", b"v"]
        hello = connection.execute("HELLO", 3)
        assert isinstance(hello, dict)
        assert connection.execute("HGETALL", "h") == {b"f": b"v"}


def take(connection: Connection, count: int) -> list[Push]:
    return [connection.next_push() for _ in range(count)]


def test_monitor_makes_a_connection_listen_for_ever(connection: Connection, server: Server) -> None:
    assert connection.execute("MONITOR") == "OK"
    server.call("SET", "k", "v")
    push = connection.next_push()
    assert push.kind == "monitor"
    assert '"SET" "k" "v"' in str(push.items[0])
    with pytest.raises(LocalProtocolError, match="GET was not sent: after MONITOR a connection only listens"):
        connection.execute("GET", "k")
    server.call("GET", "k")
    assert '"GET" "k"' in str(connection.next_push().items[0])


def test_monitor_stands_alone(connection: Connection) -> None:
    pipe = connection.pipeline()
    pipe.execute("PING")
    pipe.execute("MONITOR")
    with pytest.raises(LocalProtocolError, match="MONITOR must be sent alone"):
        pipe.run()
    assert connection.execute("PING") == "PONG"


@pytest.mark.parametrize(
    "said",
    [
        b">3\r\n$11\r\nunsubscribe\r\n$4\r\nnews\r\n:0\r\n",
        b">3\r\n$9\r\nsubscribe\r\n$5\r\nother\r\n:1\r\n>3\r\n$9\r\nsubscribe\r\n$5\r\nother\r\n:1\r\n",
        b">1\r\n$9\r\nsubscribe\r\n",
        b"+OK\r\n",
    ],
)
def test_a_confirmation_of_something_else_ends_the_connection(said: bytes) -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.send(said)
        wire.drain()

    with Peer(script) as peer, connect(peer.url) as connection, pytest.raises(RemoteProtocolError):
        connection.execute("SUBSCRIBE", "news")

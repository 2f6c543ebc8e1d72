"""What a connection says unasked: subscriptions, MONITOR, and the modes that come with them, in both protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from resp_sansio import (
    LocalProtocolError,
    Push,
    ReplyError,
)
from resp_sync import Connection, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers import Server


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def protocol(request: pytest.FixtureRequest) -> Literal[2, 3]:
    spoken: Literal[2, 3] = request.param
    return spoken


@pytest.fixture
def connection(server: Server, protocol: Literal[2, 3]) -> Iterator[Connection]:
    with connect(server.url, protocol=protocol) as connection:
        yield connection


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


def test_replies_that_look_like_messages_are_replies(connection: Connection) -> None:
    connection.execute("RPUSH", "list", "message", "news", "hello")
    assert connection.execute("LRANGE", "list", 0, -1) == [b"message", b"news", b"hello"]
    connection.execute("SUBSCRIBE", "news")
    connection.execute("UNSUBSCRIBE")
    assert connection.execute("LRANGE", "list", 0, -1) == [b"message", b"news", b"hello"]


def take(connection: Connection, count: int) -> list[Push]:
    return [connection.next_push() for _ in range(count)]


def test_monitor_stands_alone(connection: Connection) -> None:
    pipe = connection.pipeline()
    pipe.execute("PING")
    pipe.execute("MONITOR")
    with pytest.raises(LocalProtocolError, match="MONITOR must be sent alone"):
        pipe.run()
    assert connection.execute("PING") == "PONG"

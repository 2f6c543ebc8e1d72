"""The contract of subscriptions: in order, whatever becomes of the connection, and where messages may be missing, that is said."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from adapters.backends import CANCELLED, Backend, contract, contract_of_tasks
from adapters.peers import Faults, Proxy
from resp_sansio import (
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    Gap,
    LocalProtocolError,
    Message,
    ReplyError,
    Retry,
    SubscriberTooSlowError,
    UnexpectedReplyError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from servers import Server

PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])
PUBLISH = "for number = 0, ARGV[1] - 1 do redis.call('PUBLISH', 'news', string.format('%064d', number)) end"
SOON = Retry(base=0.001, cap=0.01)


def publish(server: Server, *numbers: int, channel: str = "news") -> None:
    """Publish these; a message that no server hands on is a hole."""
    for number in numbers:
        server.call("PUBLISH", channel, number)


def told(server: Server, channel: str = "news") -> int:
    """How many are subscribed to a channel?"""
    answer: Any = server.call("PUBSUB", "NUMSUB", channel)
    return int(answer[1])


def numbers(items: list[Any]) -> list[int]:
    """What these messages say."""
    return [int(item.data) for item in items]


def kill(server: Server) -> None:
    """End all connections of subscribers."""
    server.call("CLIENT", "KILL", "TYPE", "pubsub")


@asynccontextmanager
async def opened(backend: Backend, kind: str, server: Server, **options: Any) -> AsyncIterator[Any]:
    async with getattr(backend, kind)(server.url, **options) as redis:
        yield redis


@PROTOCOLS
@pytest.mark.parametrize("kind", ["client", "pool", "connect"])
@contract
async def test_messages_come_in_order_and_say_what_they_are_of(
    backend: Backend, server: Server, kind: str, protocol: int
) -> None:
    async with opened(backend, kind, server, protocol=protocol) as redis:
        async with redis.subscribe("news", b"more", patterns=["n*"], shards=["here"]) as messages:
            publish(server, 0)
            both = [await messages.next(), await messages.next()]
            assert sorted(both, key=str) == [Message(b"news", b"0"), Message(b"news", b"0", b"n*")]
            server.call("SPUBLISH", "here", "x")
            assert await messages.next() == Message(b"here", b"x", None, sharded=True)
            for number in range(20):
                server.call("PUBLISH", "more", number)
            assert [await messages.next() for _ in range(20)] == [Message(b"more", b"%d" % one) for one in range(20)]
        assert await redis.execute("ECHO", "x") == b"x"  # on RESP2, too
    await backend.until(lambda: told(server) == 0)


@contract
async def test_text_comes_as_text(backend: Backend, server: Server) -> None:
    async with (
        opened(backend, "client", server, decode=True) as client,
        client.subscribe("schön", patterns=["sch*"]) as messages,
    ):
        server.call("PUBLISH", "schön", b"gut")
        assert {await messages.next(), await messages.next()} == {
            Message("schön", "gut"),
            Message("schön", "gut", "sch*"),
        }
        await messages.unsubscribe(patterns=["sch*"])
        server.call("PUBLISH", "schön", b"\xff")
        server.call("PUBLISH", "schön", "ok")
        with pytest.raises(UnexpectedReplyError, match="^message: the data is no utf-8 text"):
            await messages.next()
        assert await messages.next() == Message("schön", "ok")


@pytest.mark.parametrize("kind", ["client", "pool", "connect"])
@contract
async def test_views_have_messages_entries_and_lines_as_they_are_asked_for(
    backend: Backend, server: Server, kind: str
) -> None:
    async with opened(backend, kind, server) as redis, redis.text.monitor() as lines:
        async with redis.text.subscribe("schön") as messages:
            server.call("PUBLISH", "schön", "gut")
            assert await messages.next() == Message("schön", "gut")
        async for line in lines:
            if line.words[0] == "PUBLISH":
                assert line.words == ("PUBLISH", "schön", "gut")
                break
        server.call("XADD", "s", "1-0", "a", "ä")
        server.call("RPUSH", "q", "ä")
        async with redis.text.consume("s", group="g", consumer="c", block=None) as entries:
            assert [(entry.id, entry.fields) async for entry in entries] == [("1-0", {"a": "ä"})]
        async with redis.raw.consume_list("q", working="w", block=None) as items:
            assert [item.value async for item in items] == ["ä".encode()]


@PROTOCOLS
@contract
async def test_what_is_subscribed_to_can_be_changed(backend: Backend, server: Server, protocol: int) -> None:
    async with backend.client(server.url, protocol=protocol) as client, client.subscribe("a") as messages:
        await messages.subscribe("b", "a", patterns=["p*"])
        assert (told(server, "a"), told(server, "b"), server.call("PUBSUB", "NUMPAT")) == (1, 1, 1)
        await messages.unsubscribe("a", "never")
        assert (told(server, "a"), told(server, "b")) == (0, 1)
        async with client.subscribe("b") as others:
            await messages.unsubscribe()
            assert (told(server, "b"), server.call("PUBSUB", "NUMPAT")) == (1, 0)
            server.call("PUBLISH", "b", "x")
            assert await others.next() == Message(b"b", b"x")
            with pytest.raises(CommandTimeoutError, match="^no message came in time"):
                await messages.next(timeout=0.01)
            await messages.subscribe("c")
            server.call("PUBLISH", "c", "y")
            assert await messages.next() == Message(b"c", b"y")


@PROTOCOLS
@contract
async def test_all_of_a_clients_subscriptions_have_one_connection_which_ends_with_the_last(
    backend: Backend, start_server: Callable[..., Server], protocol: int
) -> None:
    server = start_server()

    def subscribers() -> int:
        listed: Any = server.call("CLIENT", "LIST", "TYPE", "pubsub")
        return int(listed.count(b"id="))

    async with opened(backend, "client", server, protocol=protocol) as client:
        async with client.subscribe("a") as first, client.subscribe("a", "b") as second:
            assert subscribers() == 1
            assert client.stats().subscriptions.created == 1
            server.call("PUBLISH", "a", "x")
            assert await first.next() == await second.next() == Message(b"a", b"x")
        await backend.until(lambda: subscribers() == 0)
        assert client.stats().subscriptions.connection is None
        async with client.subscribe("c") as third:
            server.call("PUBLISH", "c", "x")
            assert await third.next() == Message(b"c", b"x")


@PROTOCOLS
@pytest.mark.parametrize("kind", ["client", "pool"])
@contract
async def test_a_loss_is_told_once_where_it_was(backend: Backend, server: Server, kind: str, protocol: int) -> None:
    async with (
        opened(backend, kind, server, protocol=protocol) as redis,
        redis.subscribe("news", patterns=["l*"]) as messages,
        redis.subscribe("other") as others,
    ):
        publish(server, 0, 1)
        for turn in range(3):
            assert [await messages.next(), await messages.next()] == [
                Message(b"news", b"%d" % number) for number in (2 * turn, 2 * turn + 1)
            ]
            kill(server)
            gap = await messages.next()
            assert (gap.channels, gap.lost) == ((b"news", b"l*"), None)
            assert "closed" in gap.why
            assert (await others.next()).channels == (b"other",)
            assert (told(server), told(server, "other")) == (1, 1)
            publish(server, 2 * turn + 2, 2 * turn + 3)
        assert not messages.lost


@PROTOCOLS
@pytest.mark.parametrize("kind", ["client", "pool"])
@contract
async def test_a_reader_that_never_waits_gets_what_has_come_and_is_subscribed_again(
    backend: Backend, server: Server, kind: str, protocol: int
) -> None:
    """All that there is to do for a subscription goes on, though no caller ever has any time for it."""
    async with (
        opened(backend, kind, server, protocol=protocol, retry=SOON) as redis,
        redis.subscribe("news") as messages,
    ):

        async def look() -> Any:
            while True:
                try:
                    return await messages.next(timeout=0)
                except CommandTimeoutError:
                    await backend.sleep(0.001)

        publish(server, 1, 2)
        assert numbers([await look(), await look()]) == [1, 2]
        for number in (3, 4):
            kill(server)
            assert isinstance(await look(), Gap)
            publish(server, number)
            assert numbers([await look()]) == [number]


@PROTOCOLS
@contract
async def test_a_server_that_is_killed_and_started_again_is_one_gap_for_each_subscriber(
    backend: Backend, start_server: Callable[..., Server], protocol: int
) -> None:
    server = start_server()
    async with (
        backend.client(server.url, protocol=protocol, retry=SOON) as client,
        client.subscribe("news", patterns=["l*"]) as messages,
        client.subscribe(patterns=["o*"]) as others,
    ):
        for turn in range(2):
            publish(server, turn)
            publish(server, turn, channel="last")
            publish(server, turn, channel="other")
            assert [await messages.next(), await messages.next(), await others.next()] == [
                Message(b"news", b"%d" % turn),
                Message(b"last", b"%d" % turn, b"l*"),
                Message(b"other", b"%d" % turn, b"o*"),
            ]
            server.kill()
            with pytest.raises(CommandTimeoutError, match="^no message came in time"):
                await messages.next(timeout=0.05)
            assert messages.lost
            server.start()
            gap, other_gap = await messages.next(), await others.next()
            assert isinstance(gap, Gap)
            assert isinstance(other_gap, Gap)
            assert (gap.channels, gap.lost) == ((b"news", b"l*"), None)
            assert (other_gap.channels, other_gap.lost) == ((b"o*",), None)
            assert not messages.lost
            assert (told(server), server.call("PUBSUB", "NUMPAT")) == (1, 2)
        publish(server, 2)
        publish(server, 2, channel="other")
        assert await messages.next() == Message(b"news", b"2")
        assert await others.next() == Message(b"other", b"2", b"o*")
    await backend.until(lambda: (told(server), server.call("PUBSUB", "NUMPAT")) == (0, 0))


@pytest.mark.needs("tls")
@PROTOCOLS
@pytest.mark.parametrize("kind", ["client", "pool", "connect"])
@contract
async def test_subscriptions_go_through_tls(backend: Backend, server: Server, kind: str, protocol: int) -> None:
    """Messages that fill many records come whole; what is lost with the connection is one gap, as it is without TLS."""
    assert server.certificates
    url = f"{server.tls_url}?tls_ca_file={quote(str(server.certificates.ca))}"
    large = b"x" * 100_000
    async with getattr(backend, kind)(url, protocol=protocol) as redis:
        async with redis.subscribe("news", patterns=["l*"]) as messages:
            server.call("EVAL", PUBLISH, 0, 1000)
            server.call("PUBLISH", "large", large)
            seen: list[Any] = []
            while len(seen) < 1001:
                seen += await messages.next_batch()
            assert (numbers(seen[:-1]), seen[-1]) == ([*range(1000)], Message(b"large", large, b"l*"))
            await messages.subscribe("more")
            publish(server, 1, channel="more")
            assert await messages.next() == Message(b"more", b"1")
            kill(server)
            if kind == "connect":
                with pytest.raises(ConnectionLostError, match="^the connection of the subscription has ended"):
                    await messages.next()
                return
            gap = await messages.next()
            assert (gap.channels, gap.lost) == ((b"news", b"l*", b"more"), None)
            publish(server, 2)
            assert await messages.next() == Message(b"news", b"2")
        assert await redis.execute("ECHO", "x") == b"x"
    await backend.until(lambda: told(server) == 0)


@contract
async def test_a_subscriber_of_a_connection_ends_with_it(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection, connection.subscribe("news") as messages:
        publish(server, 0)
        assert await messages.next() == Message(b"news", b"0")
        publish(server, 1)
        kill(server)
        assert await messages.next() == Message(b"news", b"1")  # what had come is still to be had
        with pytest.raises(ConnectionLostError, match="^the connection of the subscription has ended"):
            await messages.next()
        with pytest.raises(ConnectionClosedError):
            await messages.subscribe("more")


@contract
async def test_a_borrowed_connection_is_not_lent_again_with_a_subscription(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, max_size=1) as pool:
        async with pool.acquire() as connection:
            messages = connection.subscribe("news")
            await messages.__aenter__()
            publish(server, 0)
            assert await messages.next() == Message(b"news", b"0")
        with pytest.raises(ConnectionClosedError, match="was given back"):
            await messages.next()
        await messages.__aexit__(None, None, None)
        assert await pool.execute("ECHO", "x") == b"x"
        assert told(server) == 0


@PROTOCOLS
@contract
async def test_a_refusal_is_told_to_the_caller_who_asked(
    backend: Backend, start_server: Callable[..., Server], protocol: int
) -> None:
    server = start_server()
    server.call("ACL", "SETUSER", "bob", "on", "nopass", "~*", "+@all", "resetchannels", "&mine*")
    async with backend.client(f"{server.url}?username=bob&protocol={protocol}") as client:
        with pytest.raises(ReplyError, match="^NOPERM"):
            async with client.subscribe("theirs"):
                raise AssertionError("it was refused")
        async with client.subscribe("mine") as messages:
            with pytest.raises(ReplyError, match="^NOPERM"):
                await messages.subscribe("mine2", "theirs", "mine3")
            server.call("PUBLISH", "mine", "x")
            assert await messages.next() == Message(b"mine", b"x")
            await backend.until(lambda: (told(server, "mine2"), told(server, "mine3")) == (0, 0))
            server.call("ACL", "SETUSER", "bob", "resetchannels", "&mine2")
            with pytest.raises(ReplyError, match="^NOPERM"):
                await messages.next()
            with pytest.raises(ConnectionClosedError):
                await messages.subscribe("mine2")


@contract
async def test_a_server_that_is_away_is_told_at_the_beginning_and_awaited_later(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    server = start_server()
    with Proxy(server.port) as proxy:
        async with backend.client(proxy.url, retry=Retry(attempts=3, base=0.001, cap=0.01)) as client:
            proxy.arm(up=Faults(after=0))
            with pytest.raises(ConnectError, match="3 attempts were made"):
                async with client.subscribe("news"):
                    raise AssertionError("there is none")
            proxy.arm(up=Faults(after=0, then="stall"))
            with pytest.raises(CommandTimeoutError):
                async with client.subscribe("news", timeout=0.05):
                    raise AssertionError("there is none")
            proxy.arm()
            async with client.subscribe("news") as messages:
                proxy.arm(up=Faults(after=0))
                kill(server)
                with pytest.raises(CommandTimeoutError, match="^no message came in time"):
                    await messages.next(timeout=0.2)
                assert messages.lost
                proxy.arm()
                assert isinstance(await messages.next(), Gap)
                publish(server, 1)
                assert await messages.next() == Message(b"news", b"1")


@PROTOCOLS
@contract
async def test_each_hole_has_a_gap_wherever_the_connection_is_cut(
    backend: Backend, server: Server, protocol: int
) -> None:
    with Proxy(server.port) as proxy:
        async with (
            backend.client(proxy.url, protocol=protocol, retry=SOON) as client,
            client.subscribe("news", patterns=["x*"]) as messages,
        ):
            number, seen, gap = 0, -1, False
            for cut in range(1, 240, 7):
                proxy.arm(down=Faults(after=cut, then="close", once=True))
                publish(server, *range(number, number + 4))
                number += 4
                while seen < number - 1:
                    try:
                        item = await messages.next(timeout=0.005)
                    except CommandTimeoutError:
                        break
                    if isinstance(item, Gap):
                        gap = True
                        continue
                    assert int(item.data) == seen + 1 or (gap and int(item.data) > seen), (cut, seen, item)
                    seen, gap = int(item.data), False
            proxy.arm()
            while told(server) != 1 or server.call("PUBSUB", "NUMPAT") != 1:
                with suppress(CommandTimeoutError):  # with threads, a caller dials, and no other is there
                    await messages.next(timeout=0.005)


@contract_of_tasks
async def test_a_cancelled_wait_takes_no_message(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client, client.subscribe("news") as messages:
        seen = []
        for number in range(40):
            async with backend.cancelled(messages.next) as ended:
                publish(server, number)
                await backend.sleep(0 if number % 2 else 0.001)
            if ended.outcome is not CANCELLED:
                seen.append(ended.outcome)
        while len(seen) < 40:
            seen.append(await messages.next(timeout=1))
        assert seen == [Message(b"news", b"%d" % number) for number in range(40)]


@PROTOCOLS
@contract
async def test_a_change_that_is_given_up_leaves_all_as_it_was(backend: Backend, server: Server, protocol: int) -> None:
    with Proxy(server.port) as proxy:
        async with backend.client(proxy.url, protocol=protocol) as client, client.subscribe("news") as messages:
            proxy.arm(down=Faults(after=0, then="stall"))
            async with backend.cancelled(partial(messages.subscribe, "more")) as ended:
                await backend.until(lambda: told(server, "more") == 1)
            assert ended.outcome == CANCELLED
            async with backend.cancelled(client.subscribe("other").__aenter__) as ended:
                await backend.until(lambda: told(server, "other") == 1)
            assert ended.outcome == CANCELLED
            await backend.until(lambda: (told(server, "more"), told(server, "other")) == (0, 0))
            proxy.arm()
            publish(server, 1)
            assert await messages.next() == Message(b"news", b"1")


@contract
async def test_a_subscription_ends_with_its_client_and_with_its_block(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:
        block = client.subscribe("news")
        with pytest.raises(LocalProtocolError, match="enter the block"):
            await block.next()
        async with block as messages:
            publish(server, 1)
        with pytest.raises(ConnectionClosedError, match="the block of this subscription has ended"):
            await messages.next()
        with pytest.raises(LocalProtocolError, match="entered before"):
            await block.__aenter__()
        async with client.subscribe("news") as messages:

            async def close() -> None:
                await backend.sleep(0.02)
                await client.close(timeout=1)

            ended, _ = await backend.together(messages.next, close)
            assert str(ended) == "the client was closed"
            assert type(ended) is ConnectionClosedError
        with pytest.raises(ConnectionClosedError):
            await client.subscribe("news").__aenter__()
    assert told(server) == 0


@contract
async def test_wrong_arguments_are_refused_before_anything_is_done(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:
        for wrong in (
            {"patterns": "x"},
            {"shards": [1]},
            {"buffer": 0},
            {"buffer": True},
            {"buffer_bytes": 1.5},
            {"overflow": "wait"},
            {"timeout": -1},
        ):
            with pytest.raises((TypeError, ValueError)):
                client.subscribe("news", **wrong)
        with pytest.raises(ValueError, match="^subscribe: name at least one"):
            client.subscribe()
        assert client.stats().subscriptions is None


@PROTOCOLS
@contract
async def test_a_buffer_that_is_full_loses_as_it_was_told_and_says_how_many(
    backend: Backend, server: Server, protocol: int
) -> None:
    async with opened(backend, "client", server, protocol=protocol) as client, client.subscribe("last") as fast:

        async def all_of_them() -> None:
            server.call("PUBLISH", "last", "x")
            assert await fast.next() == Message(b"last", b"x")  # so all before it have come

        async with (
            client.subscribe("news", buffer=10) as oldest,
            client.subscribe("news", buffer=10, overflow="drop_newest") as newest,
            client.subscribe("news", buffer=10, overflow="error") as ends,
        ):
            for start in range(0, 30, 5):
                publish(server, *range(start, start + 5))
                await all_of_them()
            gap, *kept = await oldest.next_batch()
            assert (gap.channels, gap.lost) == ((b"news",), 30 - len(kept))
            assert numbers(kept) == [*range(30 - len(kept), 30)]
            assert 5 <= len(kept) <= 10
            *kept, gap = await newest.next_batch()
            assert (gap.channels, gap.lost) == ((b"news",), 30 - len(kept))
            assert numbers(kept) == [*range(len(kept))]
            got = await ends.next_batch()
            assert numbers(got) == [*range(len(got))]
            with pytest.raises(SubscriberTooSlowError, match="its buffer was full"):
                await ends.next()


@PROTOCOLS
@contract
async def test_a_lone_subscriber_loses_nothing_to_a_backlog(
    backend: Backend, start_server: Callable[..., Server], protocol: int
) -> None:
    """TCP holds it, and the server what TCP does not."""
    server = start_server("--client-output-buffer-limit", "pubsub 0 0 0")
    many = 30_000
    async with (
        opened(backend, "client", server, protocol=protocol) as client,
        client.subscribe("news", buffer=100) as messages,
    ):
        await backend.sleep(0)
        server.call("EVAL", PUBLISH, 0, many)
        seen = 0
        while seen < many:
            for item in await messages.next_batch():
                assert int(item.data) == seen
                seen += 1

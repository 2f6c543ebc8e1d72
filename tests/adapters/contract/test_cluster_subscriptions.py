"""The contract of subscriptions in a real cluster: what they survive, and that each gap is told where it is."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import Backend, contract, contract_of_tasks
from clusters import Cluster, key_in, slot_of, text
from resp_sansio import CommandTimeoutError, Gap, Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PATIENCE = 45.0


numbers = count()


def channels(cluster: Cluster) -> list[str]:
    """A channel of each shard, which no other test has: a server may not have noticed the end of that one yet."""
    prefix = f"channel {next(numbers)} "
    return [key_in(slots, prefix) for slots in cluster.ranges]


@asynccontextmanager
async def subscribed(backend: Backend, url: str, *names: str, **options: Any) -> AsyncIterator[tuple[Any, Any]]:
    kinds = {kind: options.pop(kind, ()) for kind in ("shards", "patterns")}
    async with (
        backend.client(url, timeout=PATIENCE, **options) as client,
        client.subscribe(*names, **kinds) as messages,
    ):
        yield client, messages


async def gap_of(messages: Any, name: str) -> None:
    """Skip what comes until there is a gap of this channel. A map that is behind may lead to more than one."""
    while not isinstance(item := await messages.next(timeout=PATIENCE), Gap) or name.encode() not in item.channels:
        pass


async def is_left(backend: Backend, client: Any, name: str) -> None:
    """See that a channel is left: a server may notice a moment later that a connection has ended."""
    while await client.execute("SPUBLISH", name, "x"):
        await backend.sleep(0.01)


def listeners(cluster: Cluster) -> list[int]:
    """The nodes to which a link for channels and patterns leads."""
    running = [(index, node) for index, node in enumerate(cluster.nodes) if node.running]
    return [index for index, node in running if "sub=1" in text(node.call("CLIENT", "LIST"))]


@pytest.mark.parametrize("protocol", [2, 3])
@contract
async def test_one_block_has_channels_patterns_and_channels_of_all_shards(
    backend: Backend, cluster: Cluster, protocol: int
) -> None:
    shards = channels(cluster)
    news = f"news {next(numbers)}"  # servers may pass on late what was published for another test
    async with subscribed(backend, cluster.url, news, shards=shards, patterns=[f"{news}*"], protocol=protocol) as (
        client,
        messages,
    ):
        for number in range(3):
            await client.execute("PUBLISH", news, f"{number}")
            for name in shards:
                assert await client.execute("SPUBLISH", name, f"{number}") == 1
        heard = [await messages.next() for _ in range(3 * 5)]
        stats = client.stats()
        assert stats.subscriptions.created == 4  # for channels and patterns, and for each shard
        assert [node.subscriptions.created for node in stats.nodes.values() if node.subscriptions] == [1, 1, 1]
        for pattern, channel in [(None, news), (f"{news}*".encode(), news), *[(None, name) for name in shards]]:
            mine = [item.data for item in heard if (item.pattern, item.channel) == (pattern, channel.encode())]
            assert mine == [b"0", b"1", b"2"]
        await messages.unsubscribe(shards=shards[:1])
        await is_left(backend, client, shards[0])
        await messages.subscribe(shards=shards[:1])
        assert await client.execute("SPUBLISH", shards[0], "y") == 1
        assert await messages.next() == Message(shards[0].encode(), b"y", None, True)
        with pytest.raises(CommandTimeoutError, match="no message came in time"):
            await messages.next(timeout=0.01)


@contract
async def test_what_is_left_while_the_cluster_is_down_is_left_once_it_is_up(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    cluster = start_cluster(replicas=0, cluster_allow_pubsubshard_when_down="no")
    node, slots = cluster.nodes[0], cluster.ranges[0]
    name, other = [key_in(slots, prefix) for prefix in ("a ", "b ")]
    spare = next(slot for slot in slots if slot not in {slot_of(name), slot_of(other)})
    async with subscribed(backend, cluster.url, shards=[name, other]) as (_, messages):
        assert node.call("CLUSTER", "DELSLOTS", spare) == b"OK"
        while not str(node.call("SPUBLISH", other, "x")).startswith("CLUSTERDOWN"):
            await backend.sleep(0.01)
        refuses = str(node.call("SUNSUBSCRIBE", other)).startswith("CLUSTERDOWN")  # Redis 8.6 does not
        await messages.unsubscribe(shards=[name])
        assert node.call("PUBSUB", "SHARDNUMSUB", name, other) == [name.encode(), int(refuses), other.encode(), 1]
        assert node.call("CLUSTER", "ADDSLOTS", spare) == b"OK"
        while node.call("PUBSUB", "SHARDNUMSUB", name, other) != [name.encode(), 0, other.encode(), 1]:
            with pytest.raises(CommandTimeoutError, match="no message came in time"):
                await messages.next(timeout=0.05)


@contract
async def test_several_read_at_once_and_each_gets_its_own(backend: Backend, cluster: Cluster) -> None:
    shards = channels(cluster)

    async def reads(name: str) -> list[bytes]:
        async with client.subscribe(shards=[name]) as messages:
            await ready(messages)
            items: list[Any] = [await messages.next(timeout=PATIENCE) for _ in range(20)]
            return [item.data for item in items]

    async def ready(messages: Any) -> None:
        entered.append(messages)

    async def publishes() -> None:
        while len(entered) < len(shards):
            await backend.sleep(0.01)
        for number in range(20):
            for name in shards:
                await client.execute("SPUBLISH", name, f"{name} {number}")

    entered: list[Any] = []
    async with backend.client(cluster.url, timeout=PATIENCE) as client:
        *heard, _ = await backend.together(*[partial(reads, name) for name in shards], publishes)
    assert heard == [[f"{name} {number}".encode() for number in range(20)] for name in shards]


@contract
async def test_a_reader_that_never_waits_is_subscribed_again_at_each_server(backend: Backend, cluster: Cluster) -> None:
    shards = channels(cluster)
    news = f"news {next(numbers)}"
    async with subscribed(backend, cluster.url, news, shards=shards) as (client, messages):

        async def look() -> Any:
            while True:
                try:
                    return await messages.next(timeout=0)
                except CommandTimeoutError:
                    await backend.sleep(0.001)

        for node in cluster.nodes:
            node.call("CLIENT", "KILL", "TYPE", "pubsub")
        told: set[bytes] = set()
        while len(told) < 4:
            told |= {*(await look()).channels}
        await client.execute("PUBLISH", news, "x")
        for name in shards:
            assert await client.execute("SPUBLISH", name, "x") == 1
        heard: set[bytes] = set()
        while heard != told:
            if isinstance(item := await look(), Message):  # a map that is behind may lead to more than one gap
                heard.add(item.channel)


@contract
async def test_a_slot_moves_under_a_subscriber(backend: Backend, start_cluster: Callable[..., Cluster]) -> None:
    with start_cluster(2, 0) as cluster:
        moved, other = (key_in(cluster.ranges[0], prefix) for prefix in "ab")
        assert slot_of(moved) == slot_of(other)
        stays = key_in(range(slot_of(moved) + 1, cluster.ranges[0].stop), "stays")
        async with subscribed(backend, cluster.url, shards=[moved, other, stays]) as (client, messages):
            cluster.move(slot_of(moved), 1)
            gap = await messages.next()
            assert isinstance(gap, Gap)
            channels = {*gap.channels}
            if len(channels) == 1:
                channels |= {*(await messages.next()).channels}
            assert channels == {moved.encode(), other.encode()}
            assert not messages.lost
            for name in (stays, moved, other):
                assert await client.execute("SPUBLISH", name, "x") == 1
            heard = {(await messages.next()).channel for _ in range(3)}
            assert heard == {name.encode() for name in (stays, moved, other)}


@contract
async def test_a_master_fails_over_and_another_dies(backend: Backend, start_cluster: Callable[..., Cluster]) -> None:
    with start_cluster() as cluster:
        first, second, _ = channels(cluster)
        async with subscribed(backend, cluster.url, shards=[first, second]) as (client, messages):
            cluster.take_over(3)  # the replica of the first
            await gap_of(messages, first)
            assert await _published(backend, client, messages, first)
            cluster.nodes[1].kill()
            await gap_of(messages, second)
            assert await _published(backend, client, messages, second)


async def _published(backend: Backend, client: Any, messages: Any, name: str) -> bool:
    """Publish until one gets it: the servers may not all know yet who is master."""
    while True:
        await client.execute("SPUBLISH", name, "x")
        try:
            item = await messages.next(timeout=0.1)
        except CommandTimeoutError:
            continue
        if isinstance(item, Message):
            return bool(item.channel == name.encode())


@contract
async def test_the_server_of_channels_and_patterns_dies(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    with start_cluster() as cluster:
        async with subscribed(backend, cluster.url, "news", patterns=["n*"]) as (_, messages):
            (index,) = listeners(cluster)
            cluster.nodes[index].kill()
            gap = await messages.next()
            assert gap.channels == (b"news", b"n*")
            assert listeners(cluster) not in ([], [index])
            cluster.live[0].call("PUBLISH", "news", "x")
            assert [(await messages.next()).data for _ in range(2)] == [b"x", b"x"]


@contract
async def test_the_server_of_channels_and_patterns_becomes_a_replica(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    with start_cluster() as cluster:
        masters = ",".join([f"{host}:{port}" for host, port in cluster.places[:3]])
        async with subscribed(backend, f"redis+cluster://{masters}", "news") as (client, messages):
            (index,) = listeners(cluster)
            cluster.take_over(index + 3)
            await client.execute("PUBLISH", "news", "x")
            assert await messages.next() == Message(b"news", b"x")
            assert listeners(cluster) == [index]


@contract
async def test_the_servers_of_subscriptions_are_frozen(backend: Backend, start_cluster: Callable[..., Cluster]) -> None:
    with start_cluster() as cluster:
        first, *_ = channels(cluster)
        quick = {"ping_interval": 0.2, "silence_timeout": 0.4}
        async with subscribed(backend, cluster.url, "news", shards=[first], **quick) as (client, messages):
            cluster.nodes[0].freeze()
            try:
                await gap_of(messages, first)
                assert await _published(backend, client, messages, first)
            finally:
                cluster.nodes[0].thaw()


@contract_of_tasks  # a thread has the map before it subscribes, and asks a master
async def test_a_server_that_leaves_the_cluster_is_left(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    with start_cluster(2, 1, listed=True) as cluster:
        host, port = cluster.places[3]
        url = f"redis+cluster://{host}:{port}"  # all that is known before there is a map
        async with subscribed(backend, url, "news", refresh_interval=0.2) as (client, messages):
            assert listeners(cluster) == [3]
            for node in cluster.nodes[:3]:
                node.call("CLUSTER", "FORGET", cluster.nodes[3].id)
            while listeners(cluster) == [3]:
                await client.execute("GET", "key")  # maps are asked for while calls are made
                await backend.sleep(0.02)
            assert (await messages.next()).channels == (b"news",)
            assert listeners(cluster)[0] < 3
            await client.execute("PUBLISH", "news", "x")
            assert await messages.next() == Message(b"news", b"x")


@contract
async def test_what_can_not_be_entered_in_time_leaves_nothing(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    with start_cluster(node_timeout=60_000) as cluster:
        first, second, _ = channels(cluster)
        async with subscribed(backend, cluster.url, shards=[second]) as (client, messages):
            cluster.nodes[0].freeze()
            try:
                for _ in range(2):
                    with pytest.raises(CommandTimeoutError):
                        async with client.subscribe(shards=[first], timeout=0.1):
                            pass
                with pytest.raises(CommandTimeoutError):
                    await messages.subscribe(shards=[first], timeout=0.1)
            finally:
                cluster.nodes[0].thaw()
            await client.execute("SPUBLISH", second, "x")
            assert await messages.next() == Message(second.encode(), b"x", None, True)
            await is_left(backend, client, first)
            await messages.subscribe(shards=[first])
            assert await client.execute("SPUBLISH", first, "y") == 1
            assert await messages.next() == Message(first.encode(), b"y", None, True)


@contract_of_tasks
async def test_a_block_can_be_given_up_at_each_checkpoint(backend: Backend, cluster: Cluster) -> None:
    shards = channels(cluster)

    async def enters() -> None:
        async with client.subscribe("news", shards=shards) as messages:
            await messages.unsubscribe(shards=shards[:1])
            await messages.subscribe(shards=shards[:1])

    async with backend.client(cluster.url, timeout=PATIENCE) as client:
        checkpoint = 1
        while await backend.cancelled_at(enters, checkpoint):
            checkpoint += 1
            async with client.subscribe(shards=shards[1:2]) as messages:
                await client.execute("SPUBLISH", shards[1], "x")
                assert await messages.next() == Message(shards[1].encode(), b"x", None, True)
        assert checkpoint >= 3
        await backend.until(lambda: not client._driver.machine._subscriptions.registry.links)
        for name in shards:
            await is_left(backend, client, name)

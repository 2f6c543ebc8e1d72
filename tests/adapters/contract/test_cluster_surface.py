"""The contract of what callers hold, over a real cluster: connections by key, nodes, and what is meant for one of them."""

from __future__ import annotations

from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import Backend, contract, contract_of_tasks
from clusters import SLOTS, Cluster, key_in, slot_of, text
from resp_sansio import (
    CommandTimeoutError,
    ConnectionClosedError,
    CrossSlotError,
    Gap,
    LocalProtocolError,
    Outcome,
    PartialFailureError,
    ReplyError,
    RespError,
    Script,
    TornValueError,
    as_int,
    commands,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")

KEYS = [key_in(range(SLOTS * index // 3, SLOTS * (index + 1) // 3)) for index in range(3)]
"""A key of each master's."""


async def port_of(commands: Any) -> int:
    """The port of the server that a connection, or a node, leads to."""
    info = await commands.execute("INFO", "server")
    return int(next(line[9:] for line in info.split(b"\r\n") if line.startswith(b"tcp_port:")))


# -- connections of one's own ----------------------------------------------------------------------------------------------------


@contract
async def test_a_connection_is_lent_to_the_server_of_a_key_or_to_a_node(backend: Backend, cluster: Cluster) -> None:
    async with backend.client(cluster.url) as client:
        for key in KEYS:
            node = cluster.node_of(key)
            async with client.acquire(key=key) as connection, client.acquire(key=key.encode()) as other:
                assert await port_of(other) == node.port
                assert await port_of(connection) == node.port
                assert await connection.execute("SET", key, "here") == "OK"
                assert f"127.0.0.1:{node.port}" in repr(connection)
        for node in cluster.nodes:
            address = f"127.0.0.1:{node.port}"
            for name in (address, ("127.0.0.1", node.port), client.node(address)):
                async with client.acquire(node=name) as connection:
                    assert await port_of(connection) == node.port


@contract
async def test_a_connection_to_no_server_in_particular_is_refused(backend: Backend, cluster: Cluster) -> None:
    async with backend.client(cluster.url) as client:
        with pytest.raises(LocalProtocolError, match="several servers; give a key, or a node"):
            async with client.acquire():
                pass
        await client.execute("PING")  # the map is known
        with pytest.raises(LocalProtocolError, match=r"^127.0.0.1:1 is no server of this cluster; it has 127.0.0.1:"):
            await enter(client.acquire(node="127.0.0.1:1"))
        with pytest.raises(ValueError, match="named by host:port, not by '::'"):
            await enter(client.acquire(node="::"))
        with pytest.raises(ValueError, match="a key, or a node; a connection leads to one server"):
            await enter(client.acquire(node="127.0.0.1:1", key="k"))


async def enter(block: Any) -> None:
    async with block:
        pass


@contract
async def test_a_client_of_one_server_takes_the_same(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:
        async with client.acquire(key="k") as connection:
            assert await connection.execute("PING") == "PONG"
        (node,) = await client.nodes()
        async with client.acquire(node=node) as connection, client.acquire(node=node.address) as other:
            assert await port_of(connection) == await port_of(other) == server.port
        with pytest.raises(LocalProtocolError, match="one server, 127.0.0.1:.*, and no other one"):
            client.node("127.0.0.1:1")
        assert (node.is_master, node.id, node.slots) == (True, "", (range(SLOTS),))
        assert await node.execute("SET", "k", "v") == "OK"
        assert [key async for key in node.scan_iter()] == [b"k"]
        async with node.monitor():
            pass


# -- nodes -----------------------------------------------------------------------------------------------------------------------


@contract
async def test_each_server_has_all_commands(backend: Backend, cluster: Cluster) -> None:
    async with backend.client(cluster.url) as client:
        for key in KEYS:
            await client.set(key, "v")
        nodes = await client.nodes()
        known = {node.address: node for node in nodes}
        assert known.keys() == {f"127.0.0.1:{node.port}" for node in cluster.nodes}
        for index, server in enumerate(cluster.nodes):
            node = known[f"127.0.0.1:{server.port}"]
            assert (node.id, node.is_master) == (server.id, index < 3)
            assert node.slots == ((cluster.ranges[index],) if index < 3 else ())
            assert repr(node) == f"<Node at {node.address}>"
            assert await port_of(node) == server.port
            assert await node.config_get("port") == {"port": str(server.port)}
            assert await node.dbsize() == 1
            assert [key async for key in node.scan_iter()] == [KEYS[index % 3].encode()]
            async with node.pipeline() as pipe:
                ports, size = pipe.config_get("port"), pipe.dbsize()
            assert (ports.result(), size.result()) == ({"port": str(server.port)}, 1)
            again = client.node(node.address)
            assert (again.id, again.address) == (node.id, node.address)
            async with node.acquire() as connection:
                assert await port_of(connection) == server.port
        assert [node.is_master for node in nodes] == [True] * 3 + [False] * 3


@contract
async def test_a_node_answers_for_itself(backend: Backend, cluster: Cluster) -> None:
    async with backend.client(cluster.url) as client:
        owner, other = (client.node(f"127.0.0.1:{cluster.node_of(key).port}") for key in KEYS[:2])
        assert await owner.set(KEYS[0], "v") is True
        assert await owner.text.get(KEYS[0]) == "v"
        with pytest.raises(ReplyError, match=f"^MOVED {slot_of(KEYS[0])} "):
            await other.get(KEYS[0])
        pipe = other.pipeline()
        moved, size = pipe.get(KEYS[0]), pipe.dbsize()
        await pipe.run()
        assert size.result() == 0
        with pytest.raises(ReplyError, match="^MOVED"):
            moved.result()


@contract
async def test_changes_to_keys_are_heard_of_each_server(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    """Each tells of its own alone. The connection is the block's, and is opened again when it is lost."""
    cluster = start_cluster(3, 0)
    cluster.on_all("CONFIG", "SET", "notify-keyspace-events", "K$")
    async with backend.client(cluster.url, timeout=15.0) as client:
        nodes = {node.address: node for node in await client.nodes()}
        one, other = (nodes[f"127.0.0.1:{cluster.node_of(key).port}"] for key in KEYS[:2])
        async with one.text.subscribe(patterns=["__keyspace@0__:*"]) as messages:
            await client.set(KEYS[1], "v")
            await client.set(KEYS[0], "v")
            heard: Any = await messages.next(timeout=15.0)
            assert (heard.channel, heard.data) == (f"__keyspace@0__:{KEYS[0]}", "set")
            cluster.node_of(KEYS[0]).call("CLIENT", "KILL", "TYPE", "pubsub")
            assert type(await messages.next(timeout=15.0)) is Gap
            async with other.subscribe(f"__keyspace@0__:{KEYS[1]}") as others:
                await client.set(KEYS[0], "w")
                await client.set(KEYS[1], "w")
                heard = await others.next(timeout=15.0)
                assert heard.channel == f"__keyspace@0__:{KEYS[1]}".encode()
            heard = await messages.next(timeout=15.0)
            assert (heard.channel, heard.data) == (f"__keyspace@0__:{KEYS[0]}", "set")
        await backend.until(lambda: all("sub=1" not in text(node.call("CLIENT", "LIST")) for node in cluster.nodes))
        with pytest.raises(ReplyError, match="^MOVED"):
            await enter(one.subscribe(shards=[KEYS[1]]))
        assert client.stats().subscriptions is None
    with pytest.raises(ConnectionClosedError):
        one.subscribe("news")


@contract
async def test_what_is_refused_says_that_nodes_take_it(backend: Backend, cluster: Cluster) -> None:
    async with backend.client(cluster.url) as client:
        with pytest.raises(
            LocalProtocolError, match=r"^INFO was not sent to a cluster: .*; `client.nodes\(\)` has each"
        ):
            await client.info()


@contract
async def test_a_node_that_does_not_answer_costs_its_own_calls_only(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    cluster = start_cluster(3, 0, node_timeout=60_000)
    async with backend.client(cluster.url, timeout=30) as client:
        frozen, *others = [client.node(f"127.0.0.1:{node.port}") for node in cluster.nodes]
        cluster.nodes[0].freeze()
        try:
            asks: list[Any] = [partial(frozen.execute, "DBSIZE", timeout=0.3), *[node.dbsize for node in others]]
            late, *answers = await backend.together(*asks)
        finally:
            cluster.nodes[0].thaw()
    assert type(late) is CommandTimeoutError
    assert answers == [0, 0]


# -- watched transactions --------------------------------------------------------------------------------------------------------


def increment(key: str, *, first: Callable[[], object] | None = None) -> Any:
    """An update that adds one; `first` is done once, between its read and its write."""
    once = [first] if first is not None else []

    async def update(transaction: Any) -> int:
        count = int(await transaction.read("GET", key) or 0) + 1
        while once:
            once.pop()()
        transaction.execute("SET", key, count)
        return count

    return update


@contract
async def test_what_is_watched_is_at_the_server_of_its_keys(backend: Backend, cluster: Cluster) -> None:
    async with backend.client(cluster.url) as client:
        for key in KEYS:
            assert await client.transact(increment(key), key) == 1
            results = await backend.together(*[partial(client.transact, increment(key), key) for _ in range(4)])
            assert sorted(results) == [2, 3, 4, 5]
            assert cluster.node_of(key).call("GET", key) == b"5"
        with pytest.raises(CrossSlotError):
            await client.transact(increment(KEYS[0]), *KEYS)
        with pytest.raises(CrossSlotError):
            await client.transact(increment(KEYS[0]), KEYS[1])


@contract
async def test_a_slot_that_moves_under_a_watch_costs_no_attempt(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    cluster = start_cluster(3, 0)
    async with backend.client(cluster.url) as client:
        before, meanwhile = (key_in(range(first, first + 100)) for first in (0, 100))
        assert await client.transact(increment(before), before) == 1
        cluster.move(slot_of(before), 1)  # the client does not know
        assert await client.transact(increment(before), before, attempts=1) == 2
        moves = increment(meanwhile, first=lambda: cluster.move(slot_of(meanwhile), 1))
        assert await client.transact(moves, meanwhile, attempts=1) == 1
        assert cluster.nodes[1].call("MGET", before) == [b"2"]
        assert cluster.nodes[1].call("GET", meanwhile) == b"1"


@contract
async def test_what_is_watched_is_followed_to_where_it_is_while_its_slot_moves(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    """Keys that have left, and keys that never were; another caller's write there is noticed. The other way, nothing moves back."""
    cluster = start_cluster(3, 0)
    source, target = cluster.nodes[:2]
    tag = key_in(cluster.ranges[0])
    slot, gone, new, late = slot_of(tag), f"gone{tag}", f"new{tag}", f"late{tag}"
    async with backend.client(cluster.url) as client:
        for key in (gone, late):
            await client.set(key, 1)
        cluster.begin_move(slot, 1)
        assert cluster.move_keys(slot, 1, most=1) == 1
        gone, late = (gone, late) if source.call("EXISTS", late) == 1 else (late, gone)
        assert await client.transact(increment(gone), gone, attempts=1) == 2
        assert await client.transact(increment(new), new, attempts=1) == 1
        assert await client.transact(increment(late), late, attempts=1) == 2
        assert source.call("GET", late) == b"2"

        def meanwhile() -> None:
            assert target.calls(["ASKING"], ["SET", gone, 10])[1] == b"OK"

        assert await client.transact(increment(gone, first=meanwhile), gone, attempts=2) == 11

        async def both(transaction: Any) -> list[Any]:
            values = await transaction.read("MGET", gone, new)
            await transaction.read("PING")
            transaction.execute("INCR", gone)
            transaction.execute("INCR", new)
            return list(values)

        assert await client.transact(both, gone, new, attempts=1) == [b"11", b"1"]

        async def all_at_once(transaction: Any) -> None:
            reads = await backend.together(*[partial(transaction.read, "GET", gone)] * 5)
            assert reads == [b"12"] * 5

        await client.transact(all_at_once, gone, attempts=1)
        leaves = increment(late, first=lambda: cluster.move_keys(slot, 1))  # between its read and its write
        assert await client.transact(leaves, late, attempts=2) == 3
        arrives = increment(gone, first=lambda: cluster.end_move(slot, 1))
        assert await client.transact(arrives, gone, attempts=1) == 13
        assert target.call("MGET", gone, new, late) == [b"13", b"2", b"3"]
        assert await client.dbsize() == 3
        leases: Any = client.stats().leases
        assert (leases.created, leases.size, leases.leased) == (2, 2, 0)


@contract
async def test_what_is_not_watched_is_waited_for_while_its_slot_moves(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    """Of such a key, the server behind ASKING would say that there is none, though it has not come yet."""
    cluster = start_cluster(3, 0)
    source, target = cluster.nodes[:2]
    tag = key_in(cluster.ranges[0])
    slot, keys = slot_of(tag), [f"a{tag}", f"b{tag}"]
    async with backend.client(cluster.url, timeout=50.0) as client:
        for key in keys:
            await client.set(key, 1)
        cluster.begin_move(slot, 1)
        cluster.move_keys(slot, 1, most=1)
        here, there = keys if source.call("EXISTS", keys[0]) == 1 else keys[::-1]  # it says ASK of the other
        calls = 0

        async def reads(transaction: Any) -> Any:
            nonlocal calls
            calls += 1
            value = await transaction.read("GET", here)
            transaction.execute("SET", there, value + b"!")
            return value

        async def writes(transaction: Any) -> None:
            transaction.execute("INCR", here)

        tries = 0
        for update in (reads, writes):
            error = None
            while not isinstance(error, ReplyError):  # else its time was over in the middle of an attempt
                tries += 1
                (error,) = await backend.together(partial(client.transact, update, there, timeout=0.3))
                assert isinstance(error, (ReplyError, CommandTimeoutError))
            assert str(error).startswith(f"ASK {slot} ")
            assert "was to wait until the slot had arrived" in str(error.__notes__)
        assert 1 <= calls < tries
        assert target.calls(["ASKING"], ["EXISTS", here])[1] == 0

        async def arrive() -> None:
            asked = source.facts("commandstats")["cmdstat_watch"]
            await backend.until(lambda: source.facts("commandstats")["cmdstat_watch"] != asked)
            cluster.move_keys(slot, 1)
            cluster.end_move(slot, 1)

        values = await backend.together(
            partial(client.transact, reads, there), partial(client.transact, writes, there), arrive
        )
        assert values[0] in (b"1", b"2")
    assert target.call("GET", here) == b"2"


@contract
async def test_a_master_that_dies_under_a_watch_is_followed(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    cluster = start_cluster(3, 1)
    key = key_in(cluster.ranges[0])
    async with backend.client(cluster.url, timeout=50.0) as client:
        async with client.pipeline() as pipe:
            pipe.set(key, 1)
            replicated = pipe.wait(1, 5000)
        assert replicated.result() == 1
        assert await client.transact(increment(key, first=cluster.nodes[0].kill), key, attempts=1) == 2
    assert cluster.nodes[3].call("GET", key) == b"2"


# -- iterations ------------------------------------------------------------------------------------------------------------------


@contract
async def test_an_iteration_is_over_the_keys_of_all_masters(backend: Backend, cluster: Cluster) -> None:
    names = {f"key {number}" for number in range(300)}
    async with backend.client(cluster.url) as client:
        async with client.pipeline() as pipe:
            for name in names:
                pipe.set(name, 1)
        found = [key async for key in client.text.scan_iter(count=20)]
        assert sorted(found) == sorted(names)
        assert sorted(await client.text.keys("*")) == sorted(names)
        assert await client.dbsize() == 300
        await client.hset("h", mapping=dict.fromkeys(names, 1))
        assert {field async for field, _ in client.text.hscan_iter("h", count=20)} == names
        assert [key async for key in client.scan_iter(_type="hash")] == [b"h"]


@contract
async def test_no_key_is_left_out_when_a_replica_takes_over(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    cluster = start_cluster(3, 1, listed=True)
    names = {f"key {number}" for number in range(300)}
    async with backend.client(cluster.url, timeout=50.0) as client:
        async with client.pipeline() as pipe:
            for name in names:
                pipe.set(name, 1)
        async with client.pipeline() as pipe:
            for own in KEYS:
                pipe.delete(own)
                pipe.wait(1, 5000)
        found = set()
        async with client.scan_iter(count=10) as scan:
            async for key in scan:
                found.add(name := key.decode())
                if len(found) == 20:
                    index = cluster.owner(slot_of(name)) or 0
                    replica = client.node(f"127.0.0.1:{cluster.nodes[index + 3].port}")
                    cluster.take_over(index + 3)
                    cluster.nodes[index].kill()
                    assert await client.get(name) == b"1"
                    await backend.until(lambda: bool(replica.slots))  # noqa: B023
        assert found == names
        assert scan.restarts == 1


# -- what is in several slots, scripts, queues, values ---------------------------------------------------------------------------


@contract
async def test_a_command_on_keys_of_several_slots_is_sent_in_parts(backend: Backend, cluster: Cluster) -> None:
    names = [f"key {number}" for number in range(50)]
    async with backend.client(cluster.url) as client:
        with pytest.raises(CrossSlotError):
            await client.mset(dict.fromkeys(names, 1))
        await client.across_slots(commands.mset({name: name for name in names}))
        assert await client.across_slots(commands.mget(*names, "none")) == [*[name.encode() for name in names], None]
        assert await client.across_slots(commands.exists(*names, "none", names[0])) == 51
        assert await client.across_slots(commands.touch(*names)) == 50
        assert await client.across_slots(commands.unlink(*names[:10])) == 10
        assert await client.across_slots(commands.delete(*names)) == 40
        with pytest.raises(LocalProtocolError, match="it sets all of its keys or none"):
            await client.across_slots(commands.msetnx({"a": 1, "b": 2}))


@contract
async def test_of_a_command_in_parts_each_part_says_what_it_did(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    cluster = start_cluster(3, 0, node_timeout=60_000)
    async with backend.client(cluster.url, timeout=30) as client:
        await client.node(f"127.0.0.1:{cluster.nodes[1].port}").config_set("maxmemory", 1)
        with pytest.raises(PartialFailureError, match="1 of the 3 parts of MSET failed, the first with OOM") as caught:
            await client.across_slots(commands.mset(dict.fromkeys(KEYS, 1)))
        assert [part.result for part in caught.value.parts if part.positions != (1,)] == ["OK", "OK"]
        assert [cluster.nodes[index].call("DBSIZE") for index in range(3)] == [1, 0, 1]
        cluster.nodes[1].freeze()
        try:
            late: Any = None
            for seconds in (0.2, 2.0, 20.0):
                (late,) = await backend.together(partial(client.across_slots, commands.delete(*KEYS), timeout=seconds))
                assert isinstance(late, RespError)
                if [type(part.result) for part in getattr(late, "parts", [])] == [int, CommandTimeoutError, int]:
                    break  # else the time was too short for the others, too
        finally:
            cluster.nodes[1].thaw()
        assert isinstance(late, PartialFailureError)
        assert [type(part.result) for part in late.parts] == [int, CommandTimeoutError, int]
        assert late.outcome is Outcome.MAYBE_EXECUTED


@contract
async def test_a_command_in_parts_does_the_same_on_one_server(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client, client.acquire() as connection:
        await client.across_slots(commands.mset({"a": 1, "b": 2}))
        assert await connection.across_slots(commands.mget("b", "a", "c")) == [b"2", b"1", None]


@contract
async def test_scripts_run_where_their_keys_are_and_are_loaded_there(backend: Backend, cluster: Cluster) -> None:
    for_key = Script("return {KEYS[1], redis.call('INCR', KEYS[1])}")
    keyless = Script("return ARGV[1]")
    cluster.on_all("SCRIPT", "FLUSH")
    async with backend.client(cluster.url) as client:
        for _ in range(2):
            for key in KEYS:
                result: Any = await client.run(for_key, keys=[key])
                assert result[0] == key.encode()
            assert await client.run(keyless, args=["here"]) == b"here"
        for index in range(3):
            assert cluster.nodes[index].call("SCRIPT", "EXISTS", for_key.digest) == [1]
        assert [cluster.node_of(key).call("GET", key) for key in KEYS] == [b"2"] * 3
        cluster.on_all("SCRIPT", "FLUSH")
        async with client.pipeline() as pipe:
            results = [pipe.execute(for_key.command(keys=[key])) for key in KEYS]
            results.append(pipe.execute(keyless.command(args=["there"])))
        assert [result.result() for result in results] == [*[[key.encode(), 3] for key in KEYS], b"there"]


@contract
async def test_a_script_goes_on_with_a_slot_that_has_moved(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    cluster = start_cluster(3, 0)
    script = Script("return redis.call('INCR', KEYS[1])", read=as_int)
    key = key_in(cluster.ranges[0])
    async with backend.client(cluster.url) as client:
        assert await client.run(script, keys=[key]) == 1
        cluster.move(slot_of(key), 1)
        assert await client.run(script, keys=[key]) == 2  # MOVED, and NOSCRIPT there
        assert await client.run(script, keys=[key]) == 3


@contract
async def test_queues_are_consumed_where_they_are(backend: Backend, cluster: Cluster) -> None:
    async with backend.client(cluster.url) as client:
        for key in KEYS:
            await client.xadd(key, {"n": 1})
            handled: list[Any] = []
            async with client.consume(key, group="g", consumer="c", block=None) as entries:
                async for entry in entries:
                    with entry:
                        handled.append(entry.fields)
            assert handled == [{b"n": b"1"}]
            jobs = f"jobs:{key}"
            await client.rpush(jobs, "a", "b")
            async with client.consume_list(jobs, working=f"working:{key}", block=None) as items:
                async for item in items:
                    with item:
                        handled.append(item.value)
            assert handled[1:] == [b"a", b"b"]
            assert cluster.node_of(key).call("XPENDING", key, "g") == [0, None, None, None]
        async with client.consume_list("from", working="to", block=None) as apart:
            with pytest.raises(CrossSlotError):
                await apart.__anext__()


@contract
async def test_values_are_read_and_written_where_their_key_is(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    cluster = start_cluster(3, 0)
    data = bytes(range(256)) * 400
    keys = [key_in(slots) for slots in cluster.ranges]
    async with backend.client(cluster.url) as client:
        for key in keys:
            assert await client.write_value(key, data, chunk_size=10_000)
            async with client.read_value(key, chunk_size=10_000) as value:
                assert b"".join([chunk async for chunk in value]) == data
            assert cluster.node_of(key).call("STRLEN", key) == len(data)
        cluster.move(slot_of(keys[0]), 2)  # the client does not know
        async with client.read_value(keys[0], chunk_size=10_000) as value:
            assert b"".join([chunk async for chunk in value]) == data
        cluster.move(slot_of(keys[1]), 2)
        assert await client.write_value(keys[1], b"other")
        assert cluster.nodes[2].call("GET", keys[1]) == b"other"


@contract
async def test_a_value_whose_slot_moves_meanwhile_is_told_or_begun_anew(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    """It is told that nothing was written. What is left there under another name is removed."""
    cluster = start_cluster(3, 0)
    data = bytes(range(256)) * 400
    keys = [key_in(slot) for slot in range(2)]
    moves = iter(range(2))

    def move() -> None:
        cluster.move(next(moves), 1, 0)

    def pieces() -> Iterator[bytes]:
        for at in range(0, len(data), 10_000):
            yield data[at : at + 10_000]
            if at == 50_000:
                move()

    async with backend.client(cluster.url, timeout=15.0) as client:
        with pytest.raises(TornValueError, match="write it again") as torn:
            await client.write_value(keys[0], pieces(), chunk_size=10_000)
        assert torn.value.outcome is Outcome.NOT_SENT
        assert await client.dbsize() == 0
        assert await client.write_value(keys[1], data, chunk_size=10_000)
        async with client.read_value(keys[1], chunk_size=10_000) as value:
            while value.position < 50_000:
                await anext(value)
            move()
            with pytest.raises(TornValueError, match="went to another server while it was read: .* of 102400 bytes"):
                await read_on(value)
        assert await client.dbsize() == 1


async def read_on(value: Any) -> None:
    async for _ in value:
        pass


@contract
async def test_one_server_is_monitored_and_no_cluster(backend: Backend, cluster: Cluster) -> None:
    async with backend.client(cluster.url) as client:
        with pytest.raises(LocalProtocolError, match="^monitor: one server shows what it is asked"):
            await enter(client.monitor())
        async with client.node(f"127.0.0.1:{cluster.node_of(KEYS[0]).port}").monitor() as lines:
            await client.set(KEYS[0], "v")
            line = await lines.next(timeout=5.0)
            while line.words[0].upper() != b"SET":
                line = await lines.next(timeout=5.0)
            assert line.words == (b"SET", KEYS[0].encode(), b"v")


# -- while much happens ----------------------------------------------------------------------------------------------------------


@contract
async def test_no_update_is_lost_or_made_twice_while_slots_move(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    cluster = start_cluster(3, 0)
    keys = [key_in(slot) for slot in range(12)]

    def move() -> None:
        for slot in range(12):
            cluster.move(slot, 1 + slot % 2)

    mover = Thread(target=move)
    async with backend.client(cluster.url, timeout=50.0) as client:
        await client.nodes()

        async def update_all(rounds: int) -> int:
            for _ in range(rounds):
                for key in keys:
                    await client.transact(increment(key), key, attempts=100)
            return rounds

        mover.start()
        try:
            rounds = await backend.together(*[partial(update_all, 5) for _ in range(3)])
        finally:
            mover.join()
        assert rounds == [5, 5, 5]
        assert await client.across_slots(commands.mget(*keys)) == [b"15"] * 12


def leased(client: Any) -> int:
    """How many connections are lent."""
    count: int = client.stats().leases.leased
    return count


@contract_of_tasks
async def test_whichever_step_is_cancelled_nothing_is_left_behind(backend: Backend, cluster: Cluster) -> None:
    """Each connection that is lent can be lent again, and the calls of others get their own replies."""
    async with backend.client(cluster.url) as client:
        await client.nodes()
        node = client.node(f"127.0.0.1:{cluster.node_of(KEYS[0]).port}")

        async def borrow() -> None:
            async with client.acquire(key=KEYS[0]) as connection:
                await connection.execute("GET", KEYS[0])

        async def iterate() -> None:
            async with client.scan_iter(count=10) as scan:
                async for _ in scan:
                    pass

        async def listen() -> None:
            async with node.subscribe("news") as messages:
                await messages.unsubscribe()

        calls: list[Callable[[], Any]] = [
            client.nodes,
            borrow,
            iterate,
            listen,
            node.dbsize,
            partial(client.transact, increment(KEYS[0]), KEYS[0]),
            partial(client.across_slots, commands.mset(dict.fromkeys(KEYS, 0))),
        ]
        for call in calls:
            checkpoint = 1
            while await backend.cancelled_at(call, checkpoint):
                checkpoint += 1
                echoed = await backend.together(*[partial(client.execute, "ECHO", name) for name in "abc"])
                assert echoed == [b"a", b"b", b"c"]
                await backend.until(lambda: leased(client) == 0)
            assert call in (client.nodes, node.dbsize) or checkpoint > 1
        await client.across_slots(commands.delete(*KEYS))
        assert await client.transact(increment(KEYS[0]), KEYS[0], attempts=1) == 1

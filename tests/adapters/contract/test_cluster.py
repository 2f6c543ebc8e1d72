"""The contract of a client of a cluster, on real servers, while slots and masters move, die, freeze and change their addresses.

Of each call that was answered by MOVED, ASK, TRYAGAIN or CLUSTERDOWN nothing was executed: it goes on, and is executed once.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import Backend, contract, contract_of_tasks
from adapters.load import Load, keys_of, said
from adapters.peers import PROGRAMS, Proxy, calls, listed, run_program, statistic
from adapters.scripted_nodes import ScriptedNodes, ask, echo, moved
from clusters import SLOTS, Cluster, Node, key_in, slot_of, wait_until
from resp_sansio import (
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    CrossSlotError,
    Outcome,
    ReplyError,
    Retry,
    TransactionDiscardedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")

HERE, THERE = key_in(range(10), "here"), key_in(range(SLOTS // 3, SLOTS // 2), "there")
"""Keys of the first master and of the second."""

REHASHING = "Multiple keys request during rehashing of slot"


def connections_of(node: Server, name: str) -> set[str]:
    """Return which connections of that name a server has."""
    return {line["id"] for line in listed(node) if line["name"] == name}


# -- slots that move -------------------------------------------------------------------------------------------------------------


@contract
async def test_slots_that_move_under_load_cost_no_call(backend: Backend, start_cluster: Callable[..., Cluster]) -> None:
    """Each call is executed once, and each connection goes on."""
    cluster = start_cluster(replicas=0)
    keys = keys_of(cluster, 0, 18)

    def move_all() -> None:
        for number, slot in enumerate(map(slot_of, keys)):
            target = 1 + number % 2
            cluster.begin_move(slot, target, 0)
            cluster.move_keys(slot, target, 0)
            asked = said(cluster, "ASK")
            wait_until(lambda asked=asked: said(cluster, "ASK") > asked)  # type: ignore[misc]
            cluster.end_move(slot, target, 0)

    async with backend.client(cluster.url, client_name="load", timeout=30) as client:
        await client.execute("PING")
        load = Load(backend, client, keys)
        await load.during(lambda: None)
        before = [connections_of(node, "load") for node in cluster.nodes]
        await load.during(move_all)
        for node, had in zip(cluster.nodes, before, strict=True):
            assert had <= connections_of(node, "load")
    assert load.failed == {}
    assert load.executed(cluster) == dict.fromkeys(load.acknowledged, 1)
    assert said(cluster, "MOVED")
    assert sum(calls(node, "asking") for node in cluster.nodes) >= len(keys)


@contract
async def test_a_key_that_is_half_way_is_asked_for_and_no_other_is(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    """ASKING stands before each call that was sent there, among many callers; ASK changes nothing for the others."""
    cluster = start_cluster(2, 0)
    old, new = cluster.nodes
    tag = key_in(0)
    keys = [f"{number}{tag}" for number in range(20)]
    async with backend.client(cluster.url) as client:
        for key in keys:
            await client.execute("SET", key, key)
        cluster.begin_move(0, 1)
        cluster.move_keys(0, 1, most=10)
        read = [partial(client.execute, "GET", key) for key in keys * 5]
        assert await backend.together(*read) == [key.encode() for key in keys * 5]
        async with client.pipeline() as pipe:
            results = [pipe.execute("GET", key) for key in keys]
        assert [result.result() for result in results] == [key.encode() for key in keys]
        assert said(cluster, "ASK") == calls(new, "asking") == 60
        assert said(cluster, "MOVED") == 0

        async def finish() -> None:
            await backend.until(lambda: said(cluster, "TRYAGAIN") > 0)
            cluster.move_keys(0, 1)
            cluster.end_move(0, 1)

        values, _ = await backend.together(partial(client.execute, "MGET", *keys, timeout=30), finish)
        assert values == [key.encode() for key in keys]
    assert calls(old, "get") >= 100


@contract
async def test_what_one_caller_sends_for_a_key_is_executed_in_its_order(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    cluster = start_cluster(2, 0)
    moved = threading.Event()

    def move_all() -> None:
        for slot in range(5):
            cluster.begin_move(slot, 1)
            asked = said(cluster, "ASK")
            cluster.move_keys(slot, 1)
            wait_until(lambda asked=asked: said(cluster, "ASK") > asked)  # type: ignore[misc]
            cluster.end_move(slot, 1)
        moved.set()

    keys = keys_of(cluster, 0, 5)
    sent = 0
    async with backend.client(cluster.url, timeout=30) as client:
        mover = threading.Thread(target=move_all)
        mover.start()
        while not moved.is_set() or not said(cluster, "MOVED"):
            async with client.pipeline() as pipe:
                for number in range(sent, sent + 10):
                    for key in keys:
                        pipe.execute("APPEND", key, f"{number} ")
            sent += 10
            for key in keys:
                await client.execute("APPEND", key, f"{sent} ")
            sent += 1
        mover.join()
        written = "".join(f"{number} " for number in range(sent)).encode()
        assert [await client.execute("GET", key) for key in keys] == [written] * 5


@contract
async def test_a_transaction_finds_its_slot_elsewhere_and_is_executed_there_whole(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    """It is refused as a whole: MOVED or ASK where its commands are queued; by TRYAGAIN at EXEC while it is half way."""
    cluster = start_cluster(2, 0)
    other = f"other{HERE}"

    async def both(second: str = other) -> list[Any]:
        async with client.transaction(timeout=30) as transaction:
            results = [transaction.execute("INCR", key) for key in (HERE, second)]
        return [result.result() for result in results]

    async with backend.client(cluster.url) as client:
        assert await both() == [1, 1]
        slot = slot_of(HERE)
        cluster.begin_move(slot, 1)
        cluster.move_keys(slot, 1, most=1)

        async def finish() -> None:
            await backend.until(lambda: said(cluster, "TRYAGAIN") > 1)
            cluster.move_keys(slot, 1)

        values, _ = await backend.together(both, finish)
        assert values == [2, 2]
        cluster.end_move(slot, 1)
        assert await both() == [3, 3]
        with pytest.raises(CrossSlotError, match="hash slot"):
            await both(THERE)
        assert cluster.node_of(HERE).call("GET", HERE) == b"3"


@contract
@pytest.mark.parametrize("of", [moved, ask])
@pytest.mark.parametrize("what", ["call", "pipeline", "transaction", "transact"])
async def test_two_servers_that_name_each_other_cost_a_call_its_time_and_few_requests(
    backend: Backend, what: str, of: Callable[[int], Any]
) -> None:
    """Each says that the slot is the other's, or that the other is to be asked. A watched transaction is no exception."""

    def names(port: int) -> Callable[[list[bytes]], Any]:
        sends_on = of(port)
        said: dict[bytes, Any] = {
            b"MULTI": "OK",
            b"UNWATCH": "OK",
            b"EXEC": ReplyError("EXECABORT Transaction discarded"),
        }
        return lambda words: said[words[0]] if words[0] in said else sends_on(words)

    async def update(transaction: Any) -> None:
        transaction.execute("INCR", HERE)

    async def make(client: Any) -> None:
        if what == "call":
            await client.execute("INCR", HERE, timeout=0.2)
        elif what == "transact":
            await client.transact(update, HERE, timeout=0.2)
        else:
            batch = client.pipeline(timeout=0.2) if what == "pipeline" else client.transaction(timeout=0.2)
            batch.execute("INCR", HERE)
            for reply in await batch.run():
                raise reply

    counted = b"WATCH" if what == "transact" else b"INCR"
    with ScriptedNodes() as nodes:
        async with backend.client(nodes.url, retry=Retry(base=0.05, cap=0.05)) as client:
            assert await client.execute("GET", HERE) == HERE.encode()
            for number in range(2):
                nodes.answer(names(nodes.nodes[1 - number].port), by=number)
            with pytest.raises((CommandTimeoutError, ReplyError, TransactionDiscardedError)):
                await make(client)
            assert 1 <= sum(len(node.asked(counted)) for node in nodes.nodes) <= 30
            nodes.answer(echo)
            assert await client.execute("GET", HERE) == HERE.encode()


# -- masters that move, die and freeze -------------------------------------------------------------------------------------------


@contract
async def test_a_fail_over_that_was_asked_for_costs_no_call_and_no_connection_elsewhere(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    cluster = start_cluster()
    keys = [key for index in range(3) for key in keys_of(cluster, index, 2)]

    def fail_over() -> None:
        cluster.fail_over(3)
        wait_until(lambda: cluster.nodes[3].is_master)

    async with backend.client(cluster.url, client_name="load", timeout=30) as client:
        load = Load(backend, client, keys)
        await load.during(lambda: None)
        before = [connections_of(node, "load") for node in cluster.nodes[1:3]]
        await load.during(fail_over)
        for node, had in zip(cluster.nodes[1:3], before, strict=True):
            assert had == connections_of(node, "load")
    assert load.failed == {}
    assert load.executed(cluster) == Counter(load.acknowledged)


@contract
async def test_a_master_that_dies_costs_only_calls_that_may_have_been_executed(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    """The others wait for the next master. Nothing is executed twice, and the map is asked for now and then, not once a call."""
    cluster = start_cluster()
    dies, *others = cluster.nodes
    keys = [key for index in range(3) for key in keys_of(cluster, index, 4)]

    def die() -> None:
        dies.kill()
        wait_until(lambda: cluster.nodes[3].is_master)

    async with backend.client(cluster.url, timeout=30) as client:
        load = Load(backend, client, keys)
        await load.during(lambda: None)
        asked, began = sum(calls(node, "cluster|slots") for node in others), time.monotonic()
        await load.during(die)
        asked = sum(calls(node, "cluster|slots") for node in others) - asked
        seconds = time.monotonic() - began
    assert {error.outcome for error in load.failed.values()} <= {Outcome.MAYBE_EXECUTED}
    assert len(load.failed) <= 6  # one of each caller
    executed = load.executed(cluster)
    assert set(executed.values()) == {1}
    assert set(executed) <= {*load.acknowledged, *load.failed}
    assert 1 <= asked <= 8 + 2 * seconds


@contract
async def test_what_goes_to_all_masters_goes_to_the_next_one_where_one_has_died(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    """Its part for the one that has died waits, and is made by the one that has its slots then."""
    cluster = start_cluster()
    keys = [key for index in range(3) for key in keys_of(cluster, index, 2)]
    async with backend.client(cluster.url, timeout=60) as client:
        for key in keys:
            assert cluster.node_of(key).calls(["SET", key, 1], ["WAIT", 1, 5000]) == [b"OK", 1]
        await client.execute("PING")
        cluster.nodes[0].kill()
        assert await client.execute("DBSIZE") == 6
        loaded: Any = await client.execute("SCRIPT LOAD", "return 1")
        cluster.nodes[1].kill()
        assert await client.execute("FLUSHALL") == "OK"
        assert await client.execute("SCRIPT EXISTS", loaded) == [0]
        assert [cluster.nodes[index].call("DBSIZE") for index in (2, 3, 4)] == [0, 0, 0]


@contract
async def test_what_is_meant_for_a_server_that_has_died_and_left_says_so(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    """As soon as two maps lack it, not at the deadline, which is far away."""
    cluster = start_cluster()
    dies = cluster.nodes[0]
    gone = f"127.0.0.1:{dies.port} can't be reached, and is none of the cluster's any more; it has 127.0.0.1:"
    async with backend.client(cluster.url, timeout=600) as client:
        (node,) = [node for node in await client.nodes() if node.address == f"127.0.0.1:{dies.port}"]
        assert await node.execute("PING") == "PONG"

        async def borrow() -> None:
            async with node.acquire():
                pass

        async def pipeline() -> None:
            async with node.pipeline() as pipe:
                pipe.execute("INCR", HERE)

        dies.kill()
        for _ in range(2):  # the map knows it still, and then it does not
            errors = await backend.together(partial(node.execute, "INCR", HERE), borrow, pipeline)
            for error in errors:
                with pytest.raises(ConnectError, match=gone) as told:
                    raise error
                assert told.value.outcome is Outcome.NOT_SENT
                assert isinstance(told.value.__cause__, ConnectError)
        dies.start()
        await backend.until(lambda: f"127.0.0.1:{dies.port}" in {f"127.0.0.1:{one.port}" for one in cluster.live})
        assert await node.execute("PING") == "PONG"


@contract
async def test_what_blocks_goes_on_where_its_slot_is(backend: Backend, start_cluster: Callable[..., Cluster]) -> None:
    """The slot is moved (MOVED), and then the new master is deposed (UNBLOCKED): it waits on, and has its element once."""
    cluster = start_cluster()

    async def blocked_at(index: int) -> None:
        await backend.until(lambda: statistic(cluster.nodes[index], "blocked_clients") == 1)

    async def change() -> None:
        await blocked_at(0)
        cluster.move(slot_of(HERE), 1)
        await blocked_at(1)
        cluster.wait_until_owned(slot_of(HERE), 1)  # a replica takes over what it knows to be its master's
        cluster.take_over(4)
        await blocked_at(4)
        cluster.nodes[4].call("RPUSH", HERE, "first", "second")

    async with backend.client(cluster.url) as client:
        element, _ = await backend.together(partial(client.execute, "BLPOP", HERE, 0, timeout=30), change)
        assert element == [HERE.encode(), b"first"]
        assert await client.execute("LRANGE", HERE, 0, -1) == [b"second"]


@contract
async def test_what_an_administrator_unblocks_with_an_error_is_told(backend: Backend, cluster: Cluster) -> None:
    """It has the code of what a deposed master says, and is no reason to go on."""
    node = cluster.node_of(HERE)

    async def unblock() -> None:
        await backend.until(lambda: statistic(node, "blocked_clients") == 1)
        (blocked,) = [line["id"] for line in listed(node) if "b" in line["flags"]]
        assert node.call("CLIENT", "UNBLOCK", blocked, "ERROR") == 1

    async with backend.client(cluster.url) as client:
        error, _ = await backend.together(partial(client.execute, "BLPOP", HERE, 0, timeout=30), unblock)
    assert isinstance(error, ReplyError)
    assert error.code == "UNBLOCKED"


@contract
async def test_a_frozen_server_keeps_none_but_its_own_calls_waiting(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    cluster = start_cluster(3, 0, node_timeout=60_000)
    node = cluster.node_of(HERE)
    answered: list[Any] = []

    async def wait() -> None:
        answered.append(await client.execute("INCR", HERE, timeout=60))

    async def others() -> None:
        for number in range(100):
            assert await client.execute("INCR", THERE) == number + 1
        async with client.pipeline() as pipe:
            results = [pipe.execute("INCR", THERE) for _ in range(100)]
        assert results[-1].result() == 200
        assert answered == []
        with pytest.raises(CommandTimeoutError) as late:
            await client.execute("INCR", HERE, timeout=0.1)
        assert late.value.outcome is Outcome.MAYBE_EXECUTED
        node.thaw()

    async with backend.client(cluster.url) as client:
        assert await client.execute("INCR", HERE) == 1
        node.freeze()
        await backend.together(wait, others)
        assert answered == [2]
        assert await client.execute("GET", HERE) == b"3"


# -- addresses -------------------------------------------------------------------------------------------------------------------


@contract
async def test_all_addresses_may_change_but_those_of_the_seeds(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    """They lead to another cluster now, of which no server is where one was before; two of its servers say so."""
    old, new = start_cluster(2, 0), start_cluster(2, 0)
    with Proxy(old.nodes[0].port) as first, Proxy(old.nodes[1].port) as second:
        url = f"redis+cluster://127.0.0.1:{first.port},127.0.0.1:{second.port}"
        async with backend.client(url, timeout=30) as client:
            assert [await client.execute("INCR", key) for key in (HERE, THERE)] == [1, 1]
            first.leads_to(new.nodes[0].port)
            second.leads_to(new.nodes[1].port)
            old.close()
            assert [await client.execute("SET", key, "new") for key in (HERE, THERE)] == ["OK", "OK"]
            assert [new.node_of(key).call("GET", key) for key in (HERE, THERE)] == [b"new", b"new"]


@contract
async def test_announced_names_and_ports_are_dialled_where_the_address_map_says(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    """In the map that servers tell as well as where they send a call."""
    cluster = start_cluster(2, 0, names=True)
    real = {
        (f"node{number}.example", 7000 + number): ("127.0.0.1", node.port) for number, node in enumerate(cluster.nodes)
    }
    for number, node in enumerate(cluster.nodes):
        node.call("CONFIG", "SET", "cluster-announce-port", 7000 + number)
    for node in cluster.nodes:
        wait_until(lambda node=node: told_places(node) == set(real))  # type: ignore[misc]
    url = f"redis+cluster://127.0.0.1:{cluster.nodes[0].port}"
    async with backend.client(url, address_map=lambda place: real.get(place, place)) as client:
        assert [await client.execute("INCR", key) for key in (HERE, THERE)] == [1, 1]
        cluster.move(slot_of(HERE), 1)
        assert await client.execute("INCR", HERE) == 2
        assert said(cluster, "MOVED")


def told_places(node: Any) -> set[tuple[str, int]]:
    return {(row[2][0].decode(), row[2][1]) for row in node.call("CLUSTER", "SLOTS")}


@contract
async def test_an_address_map_that_raises_is_told(backend: Backend) -> None:
    with ScriptedNodes() as nodes:
        nowhere: dict[Any, tuple[str, int]] = {}
        known = {("127.0.0.1", node.port): ("127.0.0.1", node.port) for node in nodes.nodes}
        async with backend.client(nodes.url, address_map=lambda place: nowhere[place]) as client:
            with pytest.raises(ConnectError, match=r"address_map raised KeyError for 127\.0\.0\.1:\d+") as caught:
                await client.execute("GET", HERE)
            assert not caught.value.transient
        async with backend.client(nodes.url, address_map=lambda place: known[place]) as client:
            assert await client.execute("GET", HERE) == HERE.encode()
            nodes.answer(moved(1))
            with pytest.raises(ReplyError, match="MOVED"):
                await client.execute("GET", HERE)


@pytest.mark.needs("tls")
@contract
async def test_servers_speak_tls(backend: Backend, start_cluster: Callable[..., Cluster]) -> None:
    """Each names the TLS ports of the others."""
    cluster = start_cluster(2, 0, tls=True)
    assert cluster.certificates
    async with backend.client(cluster.url, tls_ca_file=str(cluster.certificates.ca)) as client:
        assert [await client.execute("INCR", key) for key in (HERE, THERE)] == [1, 1]
        cluster.move(slot_of(HERE), 1)
        assert await client.execute("INCR", HERE) == 2


def told_by(node: Node) -> str:
    """Read all that a server tells of the others, both ports of each. What one announces takes a while to go round."""
    return repr(node.call("CLUSTER", "SHARDS"))


@pytest.mark.needs("tls")
@contract
async def test_a_cluster_that_names_its_ports_without_tls_is_told(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    """Its server that was dialled first speaks TLS, and those that it names do not: they wait for more, and say nothing."""
    cluster = start_cluster(2, 0, tls=True)
    assert cluster.certificates
    for node in cluster.nodes:
        assert node.call("CONFIG", "SET", "cluster-announce-tls-port", node.port) == b"OK"
    wait_until(lambda: not any(str(one.tls_port) in told_by(node) for one in cluster.nodes for node in cluster.nodes))
    url, first = f"rediss+cluster://127.0.0.1:{cluster.nodes[0].tls_port}", cluster.nodes[0].port
    async with backend.client(url, tls_ca_file=str(cluster.certificates.ca), timeout=1) as client:
        for call in (
            partial(client.execute, "INCR", HERE),
            partial(client.execute, "BLPOP", HERE, 0, timeout=1),
            partial(client.execute, "DBSIZE"),
        ):
            with pytest.raises(
                CommandTimeoutError, match=f"127.0.0.1:{first}: TLS failed: timed out; does the server speak TLS"
            ):
                await call()
        with pytest.raises(
            CommandTimeoutError, match="its cluster names this port, and .* if its servers have `tls-cluster yes`"
        ):
            await client.execute("INCR", HERE)


@pytest.mark.needs("tls")
@contract
async def test_a_cluster_that_names_ports_with_tls_is_told(
    backend: Backend, start_cluster: Callable[..., Cluster], start_server: Callable[..., Server]
) -> None:
    cluster, port = start_cluster(2, 0), start_server(tls=True).tls_port
    assert cluster.nodes[0].call("CONFIG", "SET", "cluster-announce-port", port) == b"OK"
    wait_until(lambda: all(str(port) in told_by(node) for node in cluster.nodes))
    async with backend.client(f"redis+cluster://127.0.0.1:{cluster.nodes[0].port}", timeout=1) as client:
        with pytest.raises((CommandTimeoutError, ConnectError), match="does the server expect TLS on this port?"):
            await client.execute("INCR", HERE)


# -- users -----------------------------------------------------------------------------------------------------------------------


@contract
async def test_each_server_has_a_password_of_its_own(backend: Backend, start_cluster: Callable[..., Cluster]) -> None:
    cluster = start_cluster(3, 0)
    passwords = {}
    for number, node in enumerate(cluster.nodes):
        passwords["127.0.0.1", node.port] = f"secret{number}"
        assert node.call("ACL", "SETUSER", "app", "on", f">secret{number}", "~*", "+@all") == b"OK"
    asked = set()

    def credentials(place: tuple[str, int]) -> tuple[str, str]:
        asked.add(place)
        return "app", passwords[place]

    async with backend.client(cluster.url, credentials=credentials) as client:
        for slots in cluster.ranges:
            await client.execute("INCR", key_in(slots))
        assert asked == set(passwords)
        for node in cluster.nodes:
            assert "app" in {line["user"] for line in listed(node)}
    async with backend.client(cluster.url, username="app", password="secret0", timeout=5) as client:
        assert await client.execute("INCR", key_in(cluster.ranges[0])) == 2
        with pytest.raises(ConnectError, match="WRONGPASS") as refused:
            await client.execute("INCR", key_in(cluster.ranges[1]))
        assert "secret" not in f"{refused.value}{refused.value.__cause__!r}{client!r}"


@contract
async def test_one_password_is_given_to_all_servers(backend: Backend, start_cluster: Callable[..., Cluster]) -> None:
    cluster = start_cluster(2, 0, password="hunter2")
    async with backend.client(cluster.url.replace("://", "://:hunter2@")) as client:
        assert [await client.execute("INCR", key) for key in (HERE, THERE)] == [1, 1]
    async with backend.client(cluster.url) as client:
        with pytest.raises(ConnectError, match="NOAUTH|`password`"):
            await client.execute("INCR", HERE)


# -- replicas --------------------------------------------------------------------------------------------------------------------


@contract
async def test_replicas_are_read_from_and_nothing_is_written_there(backend: Backend, cluster: Cluster) -> None:
    """Each connection to one says READONLY first, those that follow a loss as well."""
    master = cluster.node_of(HERE)
    replica = cluster.nodes[cluster.replicas_of(cluster.nodes.index(master))[0]]
    async with backend.client(cluster.url, read_from="replica", client_name="reader") as client:
        assert await client.execute("SET", HERE, "v") == "OK"
        wait_until(lambda: replica.calls(["READONLY"], ["GET", HERE])[1] == b"v")
        for _ in range(3):
            refused = said(cluster, "MOVED"), said(cluster, "READONLY")
            before = calls(replica, "get"), calls(master, "get")
            assert await backend.together(*[partial(client.execute, "GET", HERE)] * 10) == [b"v"] * 10
            async with client.pipeline() as pipe:
                results = [pipe.execute("GET", HERE) for _ in range(10)]
            assert [result.result() for result in results] == [b"v"] * 10
            assert (calls(replica, "get"), calls(master, "get")) == (before[0] + 20, before[1])
            assert await client.execute("SET", HERE, "v") == "OK"
            assert (said(cluster, "MOVED"), said(cluster, "READONLY")) == refused
            for connection in connections_of(replica, "reader"):
                replica.call("CLIENT", "KILL", "ID", connection)


@contract
async def test_what_is_half_way_is_read_from_no_replica(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    """One would say that there is no such key. What the master has said for the slot keeps calls from asking it."""
    cluster = start_cluster(2, 1, listed=True)
    slot = slot_of(HERE)
    async with backend.client(cluster.url, read_from="replica") as client:
        assert await client.execute("SET", HERE, "v") == "OK"
        cluster.begin_move(slot, 1)
        cluster.move_keys(slot, 1)
        assert await client.execute("APPEND", HERE, "w") == 2
        for _ in range(20):
            assert await client.execute("GET", HERE) == b"vw"
            await backend.sleep(0.01)  # maps come meanwhile, which say that nothing has changed
        cluster.end_move(slot, 1)
        assert await client.execute("APPEND", HERE, "x") == 3


# -- ends ------------------------------------------------------------------------------------------------------------------------


@contract
async def test_calls_that_wait_end_with_the_client_and_no_server_is_dialled_after_that(
    backend: Backend, start_cluster: Callable[..., Cluster]
) -> None:
    cluster = start_cluster(3, 0, cluster_require_full_coverage="no")
    alive = cluster.node_of(THERE)
    async with backend.client(cluster.url, timeout=60) as client:
        assert [await client.execute("INCR", key) for key in (HERE, THERE)] == [1, 1]
        cluster.node_of(HERE).kill()

        async def close() -> None:
            assert await client.execute("INCR", THERE) == 2
            await backend.sleep(0.05)
            await client.close()

        *errors, _ = await backend.together(*[partial(client.execute, "INCR", HERE)] * 3, close)
        assert {type(error) for error in errors} <= {ConnectionClosedError, ConnectionLostError}
        connections = statistic(alive, "total_connections_received")
        await backend.sleep(0.1)
        assert statistic(alive, "total_connections_received") == connections + 1  # the one that asked
        with pytest.raises(ConnectionClosedError):
            await client.execute("INCR", THERE)


@contract
async def test_a_server_that_says_nothing_keeps_no_caller_from_the_one_that_has_its_slots_now(backend: Backend) -> None:
    """Not one that is alone either, with a thread that also reads and dials all else."""
    with ScriptedNodes(3) as nodes:
        nodes.nodes[0].mute = True
        url = f"redis+cluster://127.0.0.1:{nodes.nodes[1].port}"
        async with backend.client(url, timeout=20, connect_timeout=60) as client:
            assert await client.execute("GET", THERE) == THERE.encode()
            nodes.tell(nodes.all_by(1))
            assert await client.execute("GET", HERE) == HERE.encode()


@contract
async def test_one_server_that_answers_is_enough_to_begin_with(backend: Backend) -> None:
    """Two are asked at first. If neither says anything, the next ones are asked beside them."""
    with ScriptedNodes(4) as nodes:
        nodes.tell(nodes.all_by(3))
        for silent in nodes.nodes[:3]:
            silent.mute = True
        async with backend.client(nodes.url, timeout=20, connect_timeout=3600) as client:
            assert await client.execute("GET", HERE) == HERE.encode()


@contract
async def test_a_client_is_entered_whatever_its_servers_do(backend: Backend) -> None:
    with ScriptedNodes(1) as nodes:
        nodes.nodes[0].mute = True
        async with backend.client(nodes.url, connect_timeout=3600) as client:
            with pytest.raises(CommandTimeoutError, match="could not be reached in time"):
                await client.execute("GET", HERE, timeout=0.01)


@pytest.mark.parametrize(
    "words",
    [("EVALSHA", "0" * 40, "1", HERE), ("FCALL", "f", "1", HERE), ("JSON.SET", HERE, "$", HERE)],
    ids=lambda words: words[0],
)
@contract
async def test_what_a_cluster_refuses_while_it_is_down_goes_on_whatever_it_is(
    backend: Backend, words: tuple[str, ...]
) -> None:
    """By the server's own words. A script that says the same in others has run."""
    with ScriptedNodes() as nodes:
        said = iter([ReplyError("CLUSTERDOWN The cluster is down"), ReplyError("TRYAGAIN " + REHASHING)])
        nodes.answer(lambda came: next(said, came[-1]))
        async with backend.client(nodes.url, timeout=20) as client:
            assert await client.execute(*words) == HERE.encode()
            assert sum(len(node.asked(words[0].encode())) for node in nodes.nodes) == 3
            async with client.pipeline() as pipe:
                said = iter([ReplyError("CLUSTERDOWN Hash slot not served")])
                result = pipe.execute(*words)
            assert result.result() == HERE.encode()
            nodes.answer(lambda _: ReplyError("CLUSTERDOWN says the script"))
            with pytest.raises(ReplyError, match="says the script"):
                await client.execute(*words)


@contract
async def test_a_call_that_is_given_up_while_servers_send_it_about_leaves_nothing(backend: Backend) -> None:
    with ScriptedNodes() as nodes:
        async with backend.client(nodes.url, timeout=60) as client:
            assert await client.execute("GET", HERE) == HERE.encode()
            for count in range(5):
                nodes.move_in_circles()
                sent = sum(len(node.asked(b"INCR")) for node in nodes.nodes)
                async with backend.cancelled(partial(client.execute, "INCR", HERE)):
                    await backend.until(
                        lambda: sum(len(node.asked(b"INCR")) for node in nodes.nodes) > sent + count  # noqa: B023
                    )
                nodes.answer(echo)
                assert await client.execute("GET", HERE) == HERE.encode()
            assert "0 waiting" in str(client.stats())


@contract_of_tasks
async def test_a_call_can_be_given_up_at_each_step_of_its_way(backend: Backend) -> None:
    with ScriptedNodes() as nodes:
        async with backend.client(nodes.url, timeout=60) as client:
            for step in range(1, 12):
                nodes.answer(moved(nodes.nodes[1].port), by=0)
                nodes.answer(ask(nodes.nodes[0].port), by=1)
                await backend.cancelled_at(partial(client.execute, "GET", HERE, timeout=0.05), step)
                nodes.answer(echo)
                assert await client.execute("GET", HERE) == HERE.encode()


@pytest.mark.parametrize("library", ["asyncio", "uvloop", "trio", "threads"])
def test_forks_in_mid_call(cluster: Cluster, library: str) -> None:
    """The child begins without a map and without connections; the parent goes on."""
    assert run_program(PROGRAMS / "fork_amid_calls.py", library, cluster.url, "Client") == "b'8'\n"


def test_interrupts_in_mid_call_while_slots_move(start_cluster: Callable[..., Cluster]) -> None:
    """They strike one thread anywhere, beside others: no wrong reply, and none waits for ever."""
    cluster = start_cluster(3, 0)

    def move_all() -> None:
        wait_until(lambda: calls(cluster.nodes[0], "set") > 0)
        slots = [slot for tag in range(20) if (slot := slot_of(f"{{{tag}}}")) in cluster.ranges[0]]
        for number, slot in enumerate(slots):
            cluster.move(slot, 1 + number % 2, 0)

    mover = threading.Thread(target=move_all)
    mover.start()
    assert run_program(PROGRAMS / "interrupts_in_a_cluster.py", cluster.url, 0.5) == "done\n"
    mover.join()
    assert said(cluster, "MOVED") > 0

"""The contract of a client that reads from replicas behind sentinels, which die, freeze or lag, and whose master is deposed.

Each set-up is real: a master, its replicas, three sentinels. What is written goes to the master alone.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import Backend, contract
from adapters.peers import PROGRAMS, Peer, Wire, calls, listed, run_program
from resp_sansio import (
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Message,
    Outcome,
    ReplyError,
)
from sentinels import Sentinels, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from resp_asyncio import Client
    from servers import Server

pytestmark = [
    pytest.mark.usefixtures("nothing_is_left"),
    pytest.mark.needs("Redis 7.0 or Valkey 7.2"),
]  # SENTINEL DEBUG


@pytest.fixture(scope="module")
def quiet() -> Iterator[Sentinels]:
    """A set-up whose servers stay what they are."""
    with Sentinels(replicas=2) as sentinels:
        yield sentinels


@pytest.fixture(scope="module")
def locked() -> Iterator[Sentinels]:
    with Sentinels(replicas=2, password="data-secret", sentinel_password="their-secret") as sentinels:
        yield sentinels


@pytest.fixture
def sentinels() -> Iterator[Sentinels]:
    with Sentinels(replicas=2) as sentinels:
        yield sentinels


async def settled(backend: Backend, client: Client, *servers: Server, key: str = "k") -> None:
    """Wait until the client knows of these servers alone, the master first."""
    wanted = {f"127.0.0.1:{server.port}" for server in servers}
    nodes: list[Any] = []
    while {node.address for node in nodes} != wanted or nodes[0].address != f"127.0.0.1:{servers[0].port}":
        with suppress(CommandTimeoutError):  # at one that is frozen
            await client.execute("GET", key, timeout=1.0)
        await backend.sleep(0.01)
        nodes = await client.nodes()


def reads(*servers: Server) -> list[int]:
    return [calls(server, "get") for server in servers]


# -- which server --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3])
@contract
async def test_what_only_reads_goes_to_replicas_in_turn_and_all_else_to_the_master(
    backend: Backend, quiet: Sentinels, protocol: int
) -> None:
    master, *replicas = quiet.data
    async with backend.client(quiet.url, read_from="replica", protocol=protocol, client_name="reader") as client:
        assert await client.execute("MSET", "k", "v", "in another slot", "w") == "OK"
        for replica in replicas:
            wait_until(lambda replica=replica: replica.call("MGET", "k", "in another slot") == [b"v", b"w"])  # type: ignore[misc]
        before = reads(master, *replicas)
        assert await backend.together(*[partial(client.execute, "GET", "k")] * 10) == [b"v"] * 10
        async with client.pipeline() as pipe:
            results = [pipe.execute("GET", "k"), pipe.execute("PING"), pipe.execute("GET", "in another slot")]
        assert [result.result() for result in results] == [b"v", "PONG", b"w"]
        assert [now - then for now, then in zip(reads(master, *replicas), before, strict=True)] in (
            [0, 5, 7],
            [0, 7, 5],
        )
        assert await client.execute("MGET", "k", "in another slot") == [b"v", b"w"]  # no keys are apart
        assert await client.execute("EVAL_RO", "return redis.call('GET', KEYS[1])", 1, "k") == b"v"
        assert calls(master, "mget") == 0
        before = reads(master, *replicas)
        async with client.pipeline() as pipe:
            pipe.execute("SET", "k", "v")
            got = pipe.execute("GET", "k")
        assert got.result() == b"v"
        async with client.transaction() as transaction:
            got = transaction.execute("GET", "k")
        assert got.result() == b"v"
        role: Any = await client.execute("ROLE")
        assert role[0] == b"master"  # a command without a key is not said to be the same everywhere
        async with client.acquire() as connection:
            assert await connection.execute("GET", "k") == b"v"
        assert [now - then for now, then in zip(reads(master, *replicas), before, strict=True)] == [3, 0, 0]
        assert [calls(replica, "readonly") for replica in replicas] == [0, 0]
        assert [len([one for one in listed(replica) if one["name"] == "reader"]) for replica in replicas] == [1, 1]


@contract
async def test_with_any_the_master_has_its_turn(backend: Backend, quiet: Sentinels) -> None:
    async with backend.client(quiet.url, read_from="any") as client:
        await client.execute("SET", "k", "v")
        for replica in quiet.data[1:]:
            wait_until(lambda replica=replica: replica.call("GET", "k") == b"v")  # type: ignore[misc]
        before = reads(*quiet.data)
        for _ in range(12):
            assert await client.execute("GET", "k") == b"v"
        assert [now - then for now, then in zip(reads(*quiet.data), before, strict=True)] == [4, 4, 4]


@contract
async def test_the_servers_are_told_and_each_can_be_asked(backend: Backend, quiet: Sentinels) -> None:
    async with backend.client(quiet.url, read_from="replica") as client:
        first, *others = await client.nodes()
        assert first.address == f"127.0.0.1:{quiet.data[0].port}"
        assert {node.address for node in others} == {f"127.0.0.1:{replica.port}" for replica in quiet.data[1:]}
        assert (first.is_master, first.slots) == (True, (range(16384),))
        for node in others:
            assert (node.is_master, node.slots, node.id) == (False, (), "")
            role: Any = await node.execute("ROLE")
            assert role[0] == b"slave"
            with pytest.raises(ReplyError, match="READONLY"):
                await node.execute("SET", "k", "v")
            async with client.acquire(node=node.address) as connection:
                role = await connection.execute("ROLE")
                assert role[0] == b"slave"
        assert await client.node(first.address).execute("SET", "k", "v") == "OK"
        stats = client.stats()
        assert {address: node.role for address, node in stats.nodes.items()} == {
            first.address: "master",
            **{node.address: "replica" for node in others},
        }
        assert stats.refreshes >= 1
        with pytest.raises(LocalProtocolError, match=r"^127.0.0.1:1 is no server of this client; it has 127.0.0.1:"):
            client.node("127.0.0.1:1")


@contract
async def test_an_iteration_stays_at_one_server_and_a_subscription_at_the_master(
    backend: Backend, quiet: Sentinels
) -> None:
    names = {f"page {number}".encode() for number in range(200)}
    async with backend.client(quiet.url, read_from="replica") as client:
        await client.execute("SADD", "pages", *names)
        async with client.pipeline() as pipe:
            for name in names:
                pipe.execute("SET", name, "v")
        assert {member async for member in client.sscan_iter("pages", count=10)} == names
        assert {key async for key in client.scan_iter("page *", count=10)} == names
        assert [calls(replica, "sscan") + calls(replica, "scan") for replica in quiet.data[1:]] == [0, 0]
        async with client.subscribe("news", shards=["shard"]) as messages:
            await client.execute("PUBLISH", "news", "here")
            assert await messages.next() == Message(b"news", b"here")
            await client.execute("SPUBLISH", "shard", "there")
            assert await messages.next() == Message(b"shard", b"there", sharded=True)


@contract
async def test_what_is_watched_is_changed_at_the_master(backend: Backend, quiet: Sentinels) -> None:
    async def more(transaction: Any) -> Any:
        value = await transaction.read("GET", "count")
        transaction.execute("SET", "count", int(value or 0) + 1)
        return None

    async with backend.client(quiet.url, read_from="replica") as client:
        await client.execute("DEL", "count")
        await backend.together(*[partial(client.transact, more, "count", attempts=100)] * 5)
    assert quiet.data[0].call("GET", "count") == b"5"


@contract
async def test_sentinels_and_servers_have_passwords_of_their_own(backend: Backend, locked: Sentinels) -> None:
    url = locked.url.replace("://", "://:data-secret@")
    async with backend.client(url, sentinel_password="their-secret", read_from="replica") as client:
        await client.execute("SET", "k", "v")
        assert len(await client.nodes()) == 3
        before = calls(locked.data[0], "get")
        assert await client.execute("GET", "k") in (b"v", None)
    for given, options in (
        (url, {}),
        (url, {"sentinel_password": "data-secret"}),
        (locked.url, {"sentinel_password": "their-secret"}),
    ):
        async with backend.client(given, read_from="replica", **options) as client:
            with pytest.raises(ConnectError, match="sentinel_password|WRONGPASS|`password`") as caught:
                await client.execute("GET", "k")
        assert not caught.value.transient
        assert "secret" not in f"{caught.value}{caught.value.__cause__}{client!r}"
    assert [call for call in [calls(locked.data[0], "get")] if call != before] == []


def says(master: int, *replicas: int) -> Any:
    """The script of a sentinel that names a master and replicas at these ports, all of them well. It speaks RESP2."""

    def bulks(*words: object) -> bytes:
        texts = [str(word).encode() for word in words]
        return b"*%d\r\n" % len(texts) + b"".join([b"$%d\r\n%b\r\n" % (len(text), text) for text in texts])

    def script(wire: Wire) -> None:
        while command := wire.command():
            match command[:2]:
                case [b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME"]:
                    wire.send(bulks("127.0.0.1", master))
                case [b"SENTINEL", b"REPLICAS"]:
                    wire.send(b"*%d\r\n" % len(replicas))
                    for port in replicas:
                        wire.send(bulks("ip", "127.0.0.1", "port", port, "flags", "slave", "master-link-status", "ok"))
                case [b"SUBSCRIBE", *_]:
                    for number, channel in enumerate(command[1:], 1):
                        wire.send(b"*3\r\n$9\r\nsubscribe\r\n$%d\r\n%b\r\n:%d\r\n" % (len(channel), channel, number))
                case [b"SENTINEL", _]:
                    wire.send(b"*0\r\n")
                case _:
                    wire.send(b"-ERR unknown command\r\n" if command[0] == b"HELLO" else b"+PONG\r\n")

    return script


@pytest.mark.needs("tls")
@contract
async def test_replicas_are_spoken_to_by_tls_as_the_master_is(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    master = start_server(tls=True)
    replica = start_server("--replicaof", f"127.0.0.1 {master.port}", tls=master.certificates)
    wait_until(lambda: b"master_link_status:up" in (replica.call("INFO", "replication") or b""))  # type: ignore[operator]
    assert master.certificates is not None
    with Peer(says(master.tls_port, replica.tls_port)) as sentinel:
        url = f"rediss+sentinel://127.0.0.1:{sentinel.port}/mymaster"
        tls = {"tls_ca_file": str(master.certificates.ca), "sentinel_tls": False}
        async with backend.client(url, read_from="replica", **tls) as client:
            await client.execute("SET", "k", "v")
            wait_until(lambda: replica.call("GET", "k") == b"v")
            assert await client.execute("GET", "k") == b"v"
    assert reads(master) == [0]


# -- replicas that can not be read from ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3])
@contract
async def test_a_server_has_to_say_itself_that_it_is_a_replica_whose_link_is_up(
    backend: Backend, quiet: Sentinels, start_server: Callable[..., Server], protocol: int
) -> None:
    """A sentinel may be behind: one that names a master, and a replica that has lost its own."""
    master = quiet.data[0]
    other, lost = start_server(), start_server("--replicaof", "127.0.0.1 1")
    with Peer(says(master.port, other.port, lost.port)) as behind:
        only = {"sentinels": [("127.0.0.1", behind.port)], "master_name": quiet.name, "protocol": protocol}
        async with backend.client("redis://", read_from="replica", **only) as client:
            await client.execute("SET", "k", "v")
            for _ in range(5):
                assert await client.execute("GET", "k") == b"v"
            with pytest.raises(ConnectError, match=f"127.0.0.1:{other.port}: the server is no replica"):
                await client.node(f"127.0.0.1:{other.port}").execute("SET", "k", "v", timeout=None)
            with pytest.raises(ConnectError, match=f"127.0.0.1:{lost.port}: the replica's link to its master is down"):
                await client.node(f"127.0.0.1:{lost.port}").execute("GET", "k", timeout=None)
    assert calls(other, "get") == calls(other, "set") == calls(lost, "get") == 0


@contract
async def test_a_replica_that_dies_costs_no_read_and_is_read_from_when_it_is_back(
    backend: Backend, sentinels: Sentinels
) -> None:
    master, replica, other = sentinels.data
    async with backend.client(sentinels.url, read_from="replica", timeout=20.0) as client:
        await client.execute("SET", "k", "v")
        wait_until(lambda: replica.call("GET", "k") == other.call("GET", "k") == b"v")
        await settled(backend, client, *sentinels.data)
        before = calls(master, "get")
        replica.kill()
        for _ in range(20):
            assert await client.execute("GET", "k") == b"v"
        await settled(backend, client, master, other)
        other.kill()
        for _ in range(20):
            assert await client.execute("GET", "k") == b"v"  # by the master: there is no replica
        assert calls(master, "get") >= before + 20
        await settled(backend, client, master)
        replica.start()
        await settled(backend, client, master, replica)
        before = calls(master, "get")
        for _ in range(20):
            assert await client.execute("GET", "k") == b"v"
        assert calls(master, "get") == before
        assert calls(replica, "get") >= 20


@contract
async def test_a_replica_that_is_frozen_is_left_once_a_sentinel_says_so(backend: Backend, sentinels: Sentinels) -> None:
    master, replica, other = sentinels.data
    options: Any = {"read_from": "replica", "timeout": 30.0, "silence_timeout": 4.0}
    async with backend.client(sentinels.url, **options) as client:
        await client.execute("SET", "k", "v")
        wait_until(lambda: replica.call("GET", "k") == other.call("GET", "k") == b"v")
        await settled(backend, client, *sentinels.data)
        with replica.paused():
            # Those that are on their way to it end, too, at the other one, while others come by.
            *answers, _ = await backend.together(
                *[partial(client.execute, "GET", "k")] * 6, partial(settled, backend, client, master, other)
            )
            assert answers == [b"v"] * 6
            before = calls(other, "get")
            for _ in range(10):
                assert await client.execute("GET", "k", timeout=10.0) == b"v"
            assert calls(other, "get") == before + 10
        await settled(backend, client, *sentinels.data)


@contract
async def test_a_replica_that_has_lost_its_master_is_left_at_the_next_look(backend: Backend, locked: Sentinels) -> None:
    master, replica, other = locked.data
    url = locked.url.replace("://", "://:data-secret@")
    async with backend.client(
        url, sentinel_password="their-secret", read_from="replica", refresh_interval=0.2
    ) as client:
        await settled(backend, client, *locked.data)
        replica.call("CONFIG", "SET", "masterauth", "wrong")
        master.call("CLIENT", "KILL", "TYPE", "replica")
        try:
            await settled(backend, client, master, other)
            before = calls(replica, "get")
            for _ in range(10):
                await client.execute("GET", "k")
            assert calls(replica, "get") == before
        finally:
            replica.call("CONFIG", "SET", "masterauth", "data-secret")
        await settled(backend, client, *locked.data)


@contract
async def test_when_no_server_is_left_a_read_says_why(backend: Backend, sentinels: Sentinels) -> None:
    async with backend.client(sentinels.url, read_from="replica") as client:
        await settled(backend, client, *sentinels.data)
        for server in sentinels.data:
            server.kill()
        with pytest.raises((CommandTimeoutError, ConnectError), match="mymaster"):
            await client.execute("GET", "k", timeout=1.0)
        for sentinel in sentinels.sentinels:
            sentinel.kill()
        with pytest.raises((CommandTimeoutError, ConnectError), match="no master 'mymaster' was found: "):
            await client.execute("GET", "k", timeout=1.0)
    async with backend.client(sentinels.url, read_from="replica") as client:
        with pytest.raises((CommandTimeoutError, ConnectError), match="cannot connect to sentinel"):
            await client.execute("GET", "k", timeout=1.0)


# -- fail-over -----------------------------------------------------------------------------------------------------------------


async def write(client: Client, name: str, count: int, ended: dict[str, Any]) -> None:
    """Push names of one's own, one after the other, and note how each call ended."""
    for number in range(count):
        value = f"{name}:{number}"
        try:
            await client.execute("RPUSH", "written", value)
        except (ConnectionLostError, ConnectError, CommandTimeoutError) as error:
            ended[value] = error
        else:
            ended[value] = None


async def read(client: Client, count: int) -> None:
    """Read, one after the other: none may fail."""
    for _ in range(count):
        await client.execute("LLEN", "written")


@contract
async def test_a_master_that_dies_under_load_costs_no_read_and_nothing_is_written_twice(
    backend: Backend, sentinels: Sentinels
) -> None:
    old, *replicas = sentinels.data
    ended: dict[str, Any] = {}
    async with backend.client(sentinels.url, read_from="any", timeout=20.0) as client:
        await write(client, "before", 50, ended)
        wait_until(lambda: all(replica.call("LLEN", "written") == 50 for replica in replicas))
        await settled(backend, client, *sentinels.data)
        old.kill()
        await backend.together(
            *[partial(write, client, f"caller {number}", 5, ended) for number in range(6)],
            *[partial(read, client, 50) for _ in range(3)],
        )
        wait_until(lambda: any(sentinels.is_master(replica) for replica in replicas))  # all sentinels say so
        new = next(replica for replica in replicas if sentinels.is_master(replica))
        stored: Any = new.call("LRANGE", "written", 0, -1)
        assert len(set(stored)) == len(stored)
        for value, error in ended.items():
            if error is None:
                assert value.encode() in stored
            else:
                assert isinstance(error, ConnectionLostError)
                assert error.outcome is Outcome.MAYBE_EXECUTED
        old.start()  # with the role of a master, until a sentinel makes a replica of it
        other = next(replica for replica in replicas if replica is not new)
        await settled(backend, client, new, other, old)
        nodes = await client.nodes()
        assert [node.is_master for node in nodes] == [True, False, False]
        await client.execute("RPUSH", "written", "at last")
        stored = new.call("LRANGE", "written", -1, -1)
        assert stored == [b"at last"]


@contract
async def test_no_read_goes_to_a_deposed_master_once_the_client_has_heard_of_it(
    backend: Backend, sentinels: Sentinels
) -> None:
    old, *replicas = sentinels.data
    for sentinel in sentinels.sentinels:
        # It makes no replica of the old master, which would cut its connections, before it has published several times.
        assert sentinel.call("SENTINEL", "DEBUG", "publish-period", 3_600_000) == b"OK"
    async with backend.client(sentinels.url, read_from="any", timeout=20.0) as client:
        await client.execute("SET", "k", "v")
        await settled(backend, client, *sentinels.data)
        sentinels.fail_over()
        master = f"127.0.0.1:{old.port}"
        while master == f"127.0.0.1:{old.port}":
            assert await client.execute("SET", "k", "v") == "OK"
            await client.execute("GET", "k")
            await backend.sleep(0.005)
            master = (await client.nodes())[0].address
        new = next(replica for replica in replicas if master == f"127.0.0.1:{replica.port}")
        before = calls(old, "get"), calls(old, "set")
        for number in range(30):
            assert await client.execute("SET", "k", number) == "OK"
            await client.execute("GET", "k")
            await backend.sleep(0.005)
        assert (calls(old, "get"), calls(old, "set")) == before
        assert new.call("GET", "k") == b"29"
        role: Any = old.call("ROLE")
        assert role[0] == b"master"


# -- the end -------------------------------------------------------------------------------------------------------------------


@contract
async def test_what_is_under_way_is_answered_before_a_client_is_closed(backend: Backend, quiet: Sentinels) -> None:
    async with backend.client(quiet.url, read_from="any") as client:
        await client.execute("SET", "k", "v")
        for replica in quiet.data[1:]:
            wait_until(lambda replica=replica: replica.call("GET", "k") == b"v")  # type: ignore[misc]
        for _ in range(6):
            assert await client.execute("GET", "k") == b"v"  # a link to each is open

        async def close() -> None:
            await client.close(timeout=20.0)

        *answers, _ = await backend.together(*[partial(client.execute, "GET", "k")] * 12, close)
        assert all(answer == b"v" or answer.outcome is Outcome.NOT_SENT for answer in answers)
        with pytest.raises(ConnectionClosedError):
            await client.execute("GET", "k")


@pytest.mark.parametrize("library", ["asyncio", "uvloop", "trio", "threads"])
def test_forks_in_mid_call(quiet: Sentinels, library: str) -> None:
    """The child begins without a map and without connections; the parent goes on."""
    quiet.data[0].call("FLUSHALL")
    url = f"{quiet.url}?read_from=any"
    assert run_program(PROGRAMS / "fork_amid_calls.py", library, url, "Client") == "b'8'\n"


@contract
async def test_a_read_that_is_given_up_while_it_waits_for_the_sentinels_leaves_nothing(
    backend: Backend, quiet: Sentinels
) -> None:
    for turns in range(0, 36, 3):
        async with backend.client(quiet.url, read_from="replica") as client:
            async with backend.cancelled(partial(client.execute, "GET", "k")):
                for _ in range(turns):
                    await backend.sleep(0)
            with suppress(CommandTimeoutError):
                await client.execute("GET", "k", timeout=0.0005)
            await client.execute("GET", "k")


@contract
async def test_what_leads_to_one_server_takes_no_such_option(backend: Backend, quiet: Sentinels) -> None:
    with pytest.raises(ValueError, match="read_from is no option of Pool, which leads to the master; use Client"):
        backend.pool(quiet.url, read_from="replica")
    async with backend.client(quiet.url, read_from="replica") as client:
        with pytest.raises(LocalProtocolError, match="this client has several"):
            async with client.monitor():
                pass
        (master, *_) = await client.nodes()
        async with master.monitor() as lines:
            await client.execute("SET", "k", "v")
            while (await lines.next()).words != (b"SET", b"k", b"v"):
                pass  # the client has opened a connection for it

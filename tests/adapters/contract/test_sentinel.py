"""The contract behind sentinels: a master that dies, one that is deposed, sentinels that are behind, wrong, silent or locked.

Each set-up is real: a master, its replica, three sentinels.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import pytest

from adapters.backends import CANCELLED, Backend, contract, told
from adapters.peers import Faults, Peer, Proxy, Wire, run_program
from examples import DOCS, read
from resp_sansio import CommandTimeoutError, ConnectError, ConnectionLostError, Gap, Message, Outcome
from sentinels import Sentinels, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resp_asyncio import Client
    from servers import Server

pytestmark = [
    pytest.mark.usefixtures("nothing_is_left"),
    pytest.mark.needs("Redis 7.0 or Valkey 7.2"),
]  # SENTINEL DEBUG


@pytest.fixture(scope="module")
def quiet() -> Iterator[Sentinels]:
    """A set-up whose master stays."""
    with Sentinels() as sentinels:
        yield sentinels


@pytest.fixture
def sentinels() -> Iterator[Sentinels]:
    with Sentinels() as sentinels:
        yield sentinels


def says(master: int | None, epoch: int | None = None) -> Any:
    """The script of a sentinel that names a server at this port, and knows of no other sentinel. It speaks RESP2."""
    facts = b"*0\r\n" if epoch is None else b"*2\r\n$12\r\nconfig-epoch\r\n$%d\r\n%d\r\n" % (len(str(epoch)), epoch)

    def script(wire: Wire) -> None:
        while command := wire.command():
            match command[:2]:
                case [b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME"]:
                    port = str(master).encode()
                    wire.send(b"*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%b\r\n" % (len(port), port) if master else b"*-1\r\n")
                case [b"SENTINEL", b"MASTER"]:
                    wire.send(facts)
                case [b"SUBSCRIBE", *_]:
                    for number, channel in enumerate(command[1:], 1):
                        wire.send(b"*3\r\n$9\r\nsubscribe\r\n$%d\r\n%b\r\n:%d\r\n" % (len(channel), channel, number))
                case [b"SENTINEL", _]:
                    wire.send(b"*0\r\n")
                case _:
                    wire.send(b"-ERR unknown command\r\n" if command[0] == b"HELLO" else b"+PONG\r\n")

    return script


# -- where the master is -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3])
@contract
async def test_every_kind_of_client_finds_the_master(backend: Backend, quiet: Sentinels, protocol: int) -> None:
    master, replica = quiet.data
    by_keywords = {"sentinels": [f"127.0.0.1:{quiet.sentinels[0].port}"], "master_name": quiet.name}
    async with (
        backend.client(quiet.url, protocol=protocol) as client,
        backend.pool("redis://", protocol=protocol, **by_keywords) as pool,
        backend.connect(f"{quiet.url}/3", protocol=protocol) as connection,
    ):
        assert repr(client).startswith(f"<Client to mymaster (sentinels 127.0.0.1:{quiet.sentinels[0].port}, ")
        for commands, database in ((client, 0), (pool, 0), (connection, 3)):
            assert await commands.execute("SET", "here", database) == "OK"
            role: Any = await commands.execute("ROLE")
            info: Any = await commands.execute("CLIENT", "INFO")
            assert role[0] == b"master"
            assert re.search(rb"laddr=127.0.0.1:(\d+) .*db=(\d+) .*resp=(\d)", info).groups() == (  # type: ignore[union-attr]
                str(master.port).encode(),
                str(database).encode(),
                str(protocol).encode(),
            )
        assert repr(connection) == f"<Connection to mymaster at 127.0.0.1:{master.port}: READY>"
    wait_until(lambda: replica.call("GET", "here") == b"0")


@pytest.mark.parametrize("protocol", [2, 3])
@contract
async def test_sentinels_and_servers_have_passwords_of_their_own(
    backend: Backend, locked: Sentinels, protocol: int
) -> None:
    url = locked.url.replace("://", "://:data-secret@")
    async with backend.client(url, sentinel_password="their-secret", protocol=protocol) as client:
        assert await client.execute("PING") == "PONG"
    for given, options in (
        (url, {}),
        (url, {"sentinel_password": "data-secret"}),
        (locked.url, {"sentinel_password": "their-secret"}),
    ):
        async with backend.client(given, protocol=protocol, **options) as client:
            with pytest.raises(ConnectError, match="sentinel_password|WRONGPASS|`password`") as caught:
                await client.execute("PING")
        assert not caught.value.transient
        assert "secret" not in f"{caught.value}{caught.value.__cause__}{client!r}"


@pytest.fixture(scope="module")
def locked() -> Iterator[Sentinels]:
    with Sentinels(password="data-secret", sentinel_password="their-secret") as sentinels:
        yield sentinels


@contract
async def test_a_name_that_no_sentinel_knows_is_told_as_such(backend: Backend, quiet: Sentinels) -> None:
    async with backend.client(quiet.url.replace("mymaster", "nobody")) as client:
        with pytest.raises(
            ConnectError, match="no master 'nobody' was found: sentinel 127.0.0.1:.* knows no master 'nobody'"
        ) as caught:
            await client.execute("PING")
    assert not caught.value.transient


@contract
async def test_a_server_is_no_sentinel_and_says_so(backend: Backend, quiet: Sentinels) -> None:
    with pytest.raises(ConnectError, match="refused SENTINEL GET-MASTER-ADDR-BY-NAME: ERR unknown command"):
        async with backend.connect(f"redis+sentinel://127.0.0.1:{quiet.data[0].port}/mymaster"):
            pass


@pytest.mark.needs("tls")
@contract
async def test_servers_and_sentinels_may_each_speak_tls_or_not(backend: Backend, server: Server) -> None:
    assert server.certificates is not None
    ca = str(server.certificates.ca)
    with Peer(says(server.tls_port)) as sentinel:
        url = f"rediss+sentinel://127.0.0.1:{sentinel.port}/mymaster"
        async with backend.connect(url, tls_ca_file=ca, sentinel_tls=False) as connection:
            assert await connection.execute("PING") == "PONG"
        with pytest.raises(ConnectError, match=f"127.0.0.1:{sentinel.port}: TLS failed"):
            async with backend.connect(url, tls_ca_file=ca, connect_timeout=1.0):
                pass
    # A server that is no sentinel says so, which shows that it was asked by TLS.
    with pytest.raises(ConnectError, match="unknown command"):
        async with backend.connect(
            f"redis+sentinel://127.0.0.1:{server.tls_port}/mymaster", tls_ca_file=ca, sentinel_tls=True
        ):
            pass


@contract
async def test_a_sentinel_that_is_behind_leads_to_a_replica_and_then_the_next_one_is_asked(
    backend: Backend, quiet: Sentinels
) -> None:
    master, replica = quiet.data
    with Peer(says(replica.port)) as behind, Peer(says(None)) as ignorant:
        places = [("127.0.0.1", behind.port), ("127.0.0.1", ignorant.port), *quiet.places]
        async with backend.connect("redis://", sentinels=places, master_name=quiet.name) as connection:
            assert f"at 127.0.0.1:{master.port}:" in repr(connection)
        with pytest.raises(
            ConnectError, match=rf"mymaster at 127.0.0.1:{replica.port}: the server is a replica"
        ) as caught:
            async with backend.connect("redis://", sentinels=places[:2], master_name=quiet.name):
                pass
    assert caught.value.transient


@contract
async def test_a_sentinel_that_is_cut_off_together_with_an_old_master_leads_no_client_there(
    backend: Backend, quiet: Sentinels, server: Server
) -> None:
    master, _ = quiet.data
    with Peer(says(master.port, epoch=1), says(None)) as first, Peer(says(server.port, epoch=0)) as behind:
        places = [("127.0.0.1", first.port), ("127.0.0.1", behind.port), *quiet.places]
        async with backend.client("redis://", sentinels=places, master_name=quiet.name, timeout=20.0) as client:
            for _ in range(4):
                for _ in range(5):
                    assert await client.execute("CONFIG", "GET", "port") == {b"port": str(master.port).encode()}
                    await backend.sleep(0.01)
                master.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        assert behind.connections >= 2  # it was heard, and asked


@contract
async def test_a_sentinel_that_is_silent_or_away_costs_a_share_of_the_time(backend: Backend, quiet: Sentinels) -> None:
    with quiet.sentinels[0].paused():
        places = [("127.0.0.1", 1), *quiet.places]
        async with backend.client("redis://", sentinels=places, master_name=quiet.name, connect_timeout=1.0) as client:
            assert await client.execute("PING") == "PONG"


@contract
async def test_a_call_that_is_given_up_while_a_sentinel_is_silent_leaves_nothing(
    backend: Backend, quiet: Sentinels
) -> None:
    with quiet.sentinels[0].paused():
        only = {"sentinels": quiet.places[:1], "master_name": quiet.name, "connect_timeout": 30.0}
        async with backend.client("redis://", **only) as client:
            async with backend.cancelled(partial(client.execute, "PING")) as ended:
                await backend.sleep(0.05)
            assert ended.outcome is CANCELLED
            with pytest.raises(CommandTimeoutError) as caught:
                await client.execute("PING", timeout=0.05)
            assert caught.value.outcome is Outcome.NOT_SENT
            assert "mymaster (sentinels 127.0.0.1" in told(caught.value)


@pytest.mark.parametrize("then", ["close", "reset", "garbage"])
@contract
async def test_a_sentinel_whose_answer_breaks_off_anywhere_is_passed_over(
    backend: Backend, quiet: Sentinels, then: Literal["close", "reset", "garbage"]
) -> None:
    for after in (0, 1, 40, 120, 200, 280):
        with Proxy(quiet.sentinels[0].port, down=Faults(after=after, then=then)) as proxy:
            places = [("127.0.0.1", proxy.port), *quiet.places[1:]]
            async with backend.connect("redis://", sentinels=places, master_name=quiet.name) as connection:
                assert await connection.execute("PING") == "PONG"


@contract
async def test_a_call_that_is_cancelled_at_any_moment_of_a_search_leaves_a_client_that_searches_again(
    backend: Backend, quiet: Sentinels
) -> None:
    for turns in range(0, 36, 3):
        async with backend.client(quiet.url) as client:
            async with backend.cancelled(partial(client.execute, "PING")):
                for _ in range(turns):
                    await backend.sleep(0)
            assert await client.execute("PING") == "PONG"


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


def check(ended: dict[str, Any], stored: Any) -> None:
    """What was acknowledged is there, once; what failed may be there, once, and says so."""
    assert len(set(stored)) == len(stored)
    for value, error in ended.items():
        if error is None:
            assert value.encode() in stored
        else:
            assert isinstance(error, ConnectionLostError)  # no call was late, and none was refused
            assert error.outcome is Outcome.MAYBE_EXECUTED


@contract
async def test_a_master_that_dies_costs_only_what_was_on_its_way_and_is_not_believed_when_it_is_back(
    backend: Backend, sentinels: Sentinels
) -> None:
    old, new = sentinels.data
    ended: dict[str, Any] = {}
    async with backend.client(sentinels.url, timeout=20.0) as client:
        await write(client, "before", 50, ended)
        wait_until(lambda: new.call("LLEN", "written") == 50)
        old.kill()
        await backend.together(*[partial(write, client, f"caller {number}", 5, ended) for number in range(8)])
        assert len(ended) == 90
        check(ended, new.call("LRANGE", "written", 0, -1))
        assert [value for value, error in ended.items() if error is None and not value.startswith("before")]
        wait_until(lambda: sentinels.is_master(new))
        old.start()  # with the role of a master, until a sentinel makes a replica of it
        for number in range(5):
            async with backend.connect(sentinels.url) as connection:
                assert await connection.execute("SET", f"late {number}", "here") == "OK"
            assert new.call("GET", f"late {number}") == b"here"
        assert await client.execute("LLEN", "written") == new.call("LLEN", "written")


@contract
async def test_a_fail_over_that_was_asked_for_fails_no_call_and_the_old_master_is_left_while_it_takes_writes(
    backend: Backend, sentinels: Sentinels
) -> None:
    old, new = sentinels.data
    for sentinel in sentinels.sentinels:
        # It makes no replica of the old master, which would cut its connections, before it has published several times.
        assert sentinel.call("SENTINEL", "DEBUG", "publish-period", 3_600_000) == b"OK"
    async with backend.client(sentinels.url, timeout=20.0) as client, backend.pool(sentinels.url, timeout=20.0) as pool:
        await pool.execute("PING")
        sentinels.fail_over()
        while sentinels.master_of(sentinels.sentinels[0]) != new.port:
            assert await client.execute("SET", "k", "v") == "OK"
            await backend.sleep(0.005)
        while not new.call("GET", "left"):  # no replica any more, so this client has set it there
            assert await client.execute("SET", "left", "yes") == "OK"
            await backend.sleep(0.005)
        while not new.call("GET", "left by a pool"):
            assert await pool.execute("SET", "left by a pool", "yes") == "OK"
            await backend.sleep(0.005)
        assert await client.execute("SET", "k", "at last") == "OK"
        assert await pool.execute("GET", "k") == b"at last"
        assert new.call("GET", "k") == b"at last"
        role: Any = old.call("ROLE")
        assert role[0] == b"master"  # it would have taken them all, and lost them


@contract
async def test_a_client_that_knows_the_new_master_does_not_go_to_the_old_one_when_that_thaws_with_a_sentinel(
    backend: Backend, sentinels: Sentinels
) -> None:
    old, new = sentinels.data
    frozen, *others = sentinels.sentinels
    written: Any
    async with backend.client(sentinels.url, timeout=20.0) as client:
        assert await client.execute("PING") == "PONG"
        with frozen.paused(), old.paused():
            wait_until(lambda: all(sentinels.master_of(sentinel) == new.port for sentinel in others))
            while not new.call("GET", "here"):  # on the link to the old one a call waits until it is late
                with suppress(CommandTimeoutError):
                    await client.execute("SET", "here", "yes", timeout=0.3)
        for number in range(20):
            with suppress(ConnectionLostError):
                written = await client.execute("INCR", "written")
                assert new.call("GET", "written") == str(written).encode()
            if number % 4 == 3:
                new.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


@contract
async def test_a_subscription_goes_on_at_the_new_master_and_is_told_that_messages_may_be_missing(
    backend: Backend, sentinels: Sentinels
) -> None:
    old, new = sentinels.data
    async with backend.client(sentinels.url, timeout=20.0) as client, client.subscribe("news") as messages:
        await client.publish("news", "before")
        told = [await messages.next()]
        old.kill()
        while not told[1:] or not isinstance(told[-1], Message):
            with suppress(CommandTimeoutError, ConnectionLostError):  # PUBLISH is not sent twice
                await client.publish("news", "after")  # by the new master, when there is one
                told.append(await messages.next(timeout=0.05))
        before, *gaps, after = told
        assert (before, after) == (Message(b"news", b"before"), Message(b"news", b"after"))
        assert {type(gap) for gap in gaps} == {Gap}
        assert new.call("PUBSUB", "NUMSUB", "news") == [b"news", 1]


# -- what the page says ----------------------------------------------------------------------------------------------------------


def test_the_page_says_what_happens(quiet: Sentinels) -> None:
    page = read(DOCS / "sentinel.md").replace(
        "sentinel1,sentinel2,sentinel3", ",".join([f"{host}:{port}" for host, port in quiet.places])
    )
    first, second = re.findall(r"^```py\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)  # no examples that run alone
    assert run_program(first) == "b'hello'\n"
    master, replica = quiet.data
    wait_until(lambda: replica.call("GET", "greeting") == b"hello")
    assert run_program(second) == f"b'hello'\n127.0.0.1:{master.port} True\n127.0.0.1:{replica.port} False\n"

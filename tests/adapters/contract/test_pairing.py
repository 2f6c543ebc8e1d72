"""The contract of whose reply is whose where servers say less than they were asked, or more: AUTH, and slots that move."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import Backend, contract
from adapters.peers import Peer, Wire, listed
from resp_sansio import CommandTimeoutError, ConnectionLostError, LocalProtocolError, Outcome, Push, ReplyError
from servers import Cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from servers import Server

PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])


# -- a refused AUTH that is not answered -----------------------------------------------------------------------------------------


def mute(wire: Wire) -> None:
    """Leave a refused AUTH unanswered if anything came with it, as Redis 7.2 to 8.6 do."""
    wire.welcome()
    data = b""
    while more := wire.socket.recv(65536):
        data += more
        commands = []
        while data.count(b"\r\n") >= (lines := 1 + 2 * int((data[1:].partition(b"\r\n")[0]) or 0)) > 1:
            parts = data.split(b"\r\n", lines)
            commands.append(parts[2:lines:2])
            data = parts[lines]
        said = [b"+" + words[1] for words in commands if words[0] == b"ECHO"]
        if commands and not said:
            said = [b"-WRONGPASS invalid username-password pair or user is disabled."]
        wire.send(b"".join([line + b"\r\n" for line in said]))


async def crosstalk(backend: Backend, url: str, **options: Any) -> None:
    async with backend.connect(url, **options) as connection:
        calls: list[Callable[..., Any]] = [partial(connection.execute, "ECHO", f"{index}") for index in range(8)]
        calls.insert(3, partial(connection.execute, "AUTH", "ann", "stale"))
        calls.insert(6, partial(connection.execute, "HELLO", connection.protocol, "AUTH", "ann", "stale"))
        for _ in range(5):
            replies = await backend.together(*calls)
            refused = [replies.pop(6), replies.pop(3)]
            assert [getattr(error, "code", error) for error in refused] == ["WRONGPASS"] * 2
            assert [reply if isinstance(reply, bytes) else reply.encode() for reply in replies] == [
                b"%d" % index for index in range(8)
            ]
        pipe = connection.pipeline()
        pipe.execute("ECHO", "x")
        pipe.execute("AUTH", "ann", "stale")
        with pytest.raises(LocalProtocolError, match="AUTH with a password must be sent alone"):
            await pipe.run()


@contract
async def test_a_refused_auth_moves_up_no_reply(backend: Backend) -> None:
    with Peer(mute) as peer:
        await crosstalk(backend, peer.url)


@PROTOCOLS
@contract
async def test_nor_with_the_server_at_hand(
    backend: Backend, start_server: Callable[..., Server], protocol: int
) -> None:
    server = start_server()
    server.call("ACL", "SETUSER", "ann", "on", ">good", "~*", "+@all")
    await crosstalk(backend, server.url, protocol=protocol)


@contract
async def test_an_auth_without_an_answer_ends_the_connection_for_all_who_wait(backend: Backend) -> None:
    heard = threading.Event()

    def script(wire: Wire) -> None:
        wire.welcome()
        assert wire.command() == [b"AUTH", b"stale"]
        heard.set()
        assert wire.drain() == b""

    with Peer(script) as peer:
        async with backend.connect(peer.url) as connection:

            async def behind() -> None:
                await backend.until(heard.is_set)
                await connection.execute("PING", timeout=30.0)

            auth, ping = await backend.together(partial(connection.execute, "AUTH", "stale", timeout=0.2), behind)
            assert isinstance(auth, CommandTimeoutError)
            assert isinstance(ping, ConnectionLostError)
            assert ping.outcome is Outcome.NOT_SENT
            assert connection.closed


@contract
async def test_reset_and_its_like_are_answered_in_line(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection, connection.pipeline() as pipe:
        results = [
            pipe.execute(*line.split())
            for line in ("ECHO a", "RESET", "ECHO b", "HELLO 3", "ECHO c", "SELECT 1", "QUIT")
        ]
        await pipe.run()
    replies = [result.result() for result in results]
    assert [*replies[:3], *replies[4:]] == [b"a", "RESET", b"b", b"c", "OK", "OK"]


# -- a transaction that is given up ------------------------------------------------------------------------------------------------


@contract
async def test_a_transaction_with_blpop_that_is_given_up_ends_no_lane(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    server = start_server()
    async with backend.client(server.url) as client:
        await client.execute("PING")
        lanes = [one["id"] for one in listed(server)[:-1]]
        with server.paused():

            async def give_up() -> None:
                async with client.transaction(timeout=0.05) as transaction:
                    transaction.execute("BLPOP", "jobs", 0)
                    transaction.execute("INCR", "n")

            given_up, *others = await backend.together(
                give_up, *[partial(client.execute, "INCR", "n", timeout=0.05)] * 3
            )
        assert isinstance(given_up, CommandTimeoutError)
        assert all(isinstance(other, CommandTimeoutError) for other in others)
        # The ones given up were not lost: the server runs it, and the lane is the same.
        assert await client.execute("INCR", "n") == 5
        assert [one["id"] for one in listed(server)[:-1]] == lanes


# -- slots that move -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as two:
        yield two


@pytest.mark.needs("SSUBSCRIBE")
@PROTOCOLS
@pytest.mark.parametrize(
    "names", [(b"{a}1",), (b"{a}1", b"{a}2"), (b"{a}2", b"{a}3"), ()], ids=["1", "12", "23", "all"]
)
@contract
async def test_a_sunsubscribe_that_crosses_the_moving_of_its_slot_moves_up_no_reply(
    backend: Backend, cluster: Cluster, protocol: int, names: tuple[bytes, ...]
) -> None:
    async with backend.connect(cluster.nodes[0].url, protocol=protocol) as connection:
        for name in (b"{a}1", b"{a}2"):
            assert await connection.execute("SSUBSCRIBE", name) == [Push("ssubscribe", (name, int(name[-1:])))]
        # Nothing is awaited between the moving and the pipeline, so what the server says of it was not read yet.
        with cluster.moved(b"{a}1"):
            pipe = connection.pipeline()
            pipe.execute("SUNSUBSCRIBE", *names)
            for index in range(5):
                pipe.execute("PING", str(index))
            left, *replies = await pipe.run()
            assert [reply[1] if isinstance(reply, list) else reply for reply in replies] == [
                b"0",
                b"1",
                b"2",
                b"3",
                b"4",
            ]
            # Redis 7 and Valkey refuse it, behind what they told unasked; Redis 8 confirms it besides.
            if isinstance(left, ReplyError):
                assert names
                assert left.code == "MOVED"
            else:
                assert left == [Push("sunsubscribe", (name, 0)) for name in names or [None]]
            told = {(await connection.next_push()).items[0] for _ in range(2)}
            assert told == {b"{a}1", b"{a}2"}
        assert await connection.execute("PING", "usable") == b"usable"


@pytest.mark.needs("SSUBSCRIBE")
@PROTOCOLS
@contract
async def test_slots_move_while_many_leave(backend: Backend, cluster: Cluster, protocol: int) -> None:
    """Freeze the server while the moving and the calls arrive, so that one turn of its loop sees both."""
    node = cluster.nodes[0]
    async with backend.connect(node.url, protocol=protocol) as connection:
        await connection.execute("SSUBSCRIBE", b"{b}1")
        with socket.create_connection(("127.0.0.1", node.port)) as other, ExitStack() as frozen:
            move = cluster.move_request(b"{b}1", 1)
            frozen.enter_context(node.paused())
            other.sendall(move)

            async def thaw() -> None:
                await backend.sleep(0.05)
                frozen.close()

            leave = partial(connection.execute, "SUNSUBSCRIBE", b"{b}1")
            pings = [partial(connection.execute, "PING", str(index)) for index in range(8)]
            left, *replies, _ = await backend.together(leave, *pings, thaw)
            assert other.recv(5) == b"+OK\r\n"
            other.sendall(cluster.move_request(b"{b}1", 0))
            assert other.recv(5) == b"+OK\r\n"
    assert left == [Push("sunsubscribe", (b"{b}1", 0))] or (isinstance(left, ReplyError) and left.code == "MOVED")
    assert [reply[1] if isinstance(reply, list) else reply for reply in replies] == [
        b"%d" % index for index in range(8)
    ]

"""The contract of what stands at the other end: proxies that hang up, servers that answer HELLO oddly, and what they are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import Backend, contract, told
from adapters.peers import Peer, Wire
from resp_sansio import ConnectError, Push, ReplyError, ServerInfo

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from servers import Server

HANDLES = pytest.mark.parametrize("handle", ["connect", "pool", "client"])
KNOWN = {b"GET": b"$1\r\nv\r\n", b"PING": b"+PONG\r\n", b"AUTH": b"+OK\r\n", b"SELECT": b"+OK\r\n"}


def hangs_up(wire: Wire) -> None:
    """A proxy that closes the connection on a command that it does not know, as twemproxy does."""
    for words in wire.commands():
        if words[0] not in KNOWN:
            break
        wire.send(KNOWN[words[0]])


def hangs_up_at_once(wire: Wire) -> None:
    """A balancer with nothing behind it."""


def opened(backend: Backend, handle: str, url: str, **options: Any) -> AbstractAsyncContextManager[Any]:
    made: AbstractAsyncContextManager[Any] = getattr(backend, handle)(url, **options)
    return made


@HANDLES
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"protocol": 2},
        {"protocol": 2, "client_name": "me", "lib_name": None, "lib_version": None},
        {"password": "secret", "db": 3},
    ],
    ids=["RESP3", "RESP2", "name", "password"],
)
@contract
async def test_a_proxy_that_hangs_up_on_a_handshake_gets_a_plain_one(
    backend: Backend, handle: str, options: dict[str, Any]
) -> None:
    with Peer(hangs_up) as peer:
        async with opened(backend, handle, peer.url, **options) as caller:
            assert await caller.execute("GET", "k") == b"v"
            if handle == "connect":
                assert (caller.protocol, caller.server) == (2, ServerInfo())
        assert peer.connections == 2


@contract
async def test_a_client_keeps_in_mind_what_a_proxy_does_not_know(backend: Backend) -> None:
    with Peer(hangs_up) as peer:
        async with backend.pool(peer.url, max_size=9) as pool:
            for index, dials in enumerate((2, 4, 5, 6)):
                connections = [pool.acquire() for _ in range(index + 1)]
                for connection in connections:
                    await connection.__aenter__()
                assert peer.connections == dials
                for connection in connections:
                    await connection.__aexit__(None, None, None)


@contract
async def test_the_leases_of_a_client_learn_from_its_lanes(backend: Backend) -> None:
    with Peer(hangs_up) as peer:
        async with backend.client(peer.url) as client:
            await client.execute("GET", "k")
            async with client.acquire() as first, client.acquire() as second:
                await first.execute("GET", "k")
                await second.execute("GET", "k")
        assert peer.connections == 5


@pytest.mark.parametrize("handle", ["connect", "pool"])
@contract
async def test_what_hangs_up_on_everything_is_told_so(backend: Backend, handle: str) -> None:
    with Peer(hangs_up_at_once) as peer:
        with pytest.raises(ConnectError) as caught:
            async with opened(backend, handle, peer.url, timeout=5.0) as caller:
                await caller.execute("GET", "k")
        assert caught.value.transient
        assert "during the handshake" in str(caught.value)
        assert peer.connections >= 2


def serves(wire: Wire) -> None:
    """A server that knows both handshakes."""
    for words in wire.commands():
        wire.send(b"%1\r\n$5\r\nproto\r\n:3\r\n" if words[0] == b"HELLO" else KNOWN.get(words[0], b"+OK\r\n"))


@contract
async def test_after_an_outage_the_full_handshake_comes_back(backend: Backend) -> None:
    with Peer(hangs_up_at_once, serves) as peer:
        async with backend.pool(peer.url) as pool, pool.acquire() as first, pool.acquire() as second:
            assert [first.protocol, second.protocol] == [2, 3]
        assert peer.connections == 3


@contract
async def test_a_network_that_cuts_now_and_then_costs_a_client_no_protocol(backend: Backend) -> None:
    with Peer(serves, hangs_up_at_once, serves, hangs_up_at_once, serves) as peer:
        async with (
            backend.pool(peer.url) as pool,
            pool.acquire() as first,
            pool.acquire() as second,
            pool.acquire() as third,
        ):
            assert [first.protocol, second.protocol, third.protocol] == [3, 3, 3]
        assert peer.connections == 5


@contract
async def test_a_client_that_began_amid_cuts_comes_back_to_the_full_handshake(backend: Backend) -> None:
    with Peer(hangs_up_at_once, serves, hangs_up_at_once, serves) as peer:
        async with backend.pool(peer.url) as pool:
            protocols = []
            while 3 not in protocols:
                async with pool.acquire() as connection:
                    protocols.append(connection.protocol)
                    await connection.execute("SELECT", 1)  # so that it is closed
        assert set(protocols[:-1]) == {2}
        assert peer.connections == len(protocols) + 2


@pytest.mark.parametrize("hello", [b"+OK\r\n", b":1\r\n", b"$-1\r\n", b"*0\r\n", b"*1\r\n+x\r\n"])
@contract
async def test_an_odd_answer_to_hello_means_resp2(backend: Backend, hello: bytes) -> None:
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        for words in wire.commands():
            heard.append(words[0])
            wire.send(hello if words[0] == b"HELLO" else KNOWN.get(words[0], b"+OK\r\n"))

    with Peer(script) as peer:
        async with backend.connect(peer.url, password="secret", lib_name=None, lib_version=None) as connection:
            assert connection.protocol == 2
            assert await connection.execute("GET", "k") == b"v"
    assert heard == [b"HELLO", b"AUTH", b"GET"]


@contract
async def test_noauth_in_answer_to_hello_with_a_password_is_followed_by_auth(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    def script(wire: Wire) -> None:
        authenticated = False
        for words in wire.commands():
            authenticated = authenticated or words == [b"AUTH", b"secret"]
            wire.send(KNOWN.get(words[0], b"+OK\r\n") if authenticated else b"-NOAUTH Authentication required.\r\n")

    with Peer(script) as peer:
        async with backend.connect(peer.url, password="secret") as connection:
            assert await connection.execute("GET", "k") == b"v"
    # However the server at hand says that there is no HELLO.
    server = start_server("--rename-command", "HELLO", "", "--requirepass", "secret")
    async with backend.connect(server.url, password="secret", db=3) as connection:
        assert connection.protocol == 2
        assert await connection.execute("SET", "k", "v") == "OK"


@contract
async def test_the_text_of_a_refusal_is_told(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server("--databases", "4")
    for protocol in (2, 3):
        with pytest.raises(ConnectError) as caught:
            async with backend.connect(server.url + "/9", protocol=protocol):
                pass
        where = f"cannot open a connection to 127.0.0.1:{server.port}"
        assert told(caught.value) == f"{where}: the server refused database 9: ERR DB index is out of range"


# -- what the server is --------------------------------------------------------------------------------------------------------


@contract
async def test_a_connection_knows_its_server(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        known = connection.server
        assert (known.name, known.mode, known.role) == (server.product, "standalone", "master")
        assert known.version == ".".join(map(str, server.version))
        assert known.zone is None
    async with backend.connect(server.url, protocol=2) as connection:
        assert connection.server == ServerInfo()
        await connection.execute("HELLO", 3)
        assert connection.server == known


@contract
async def test_a_push_inside_a_reply(backend: Backend) -> None:
    """Redis before 7.2 writes one, of a key that expires amid an MGET."""

    def script(wire: Wire, version: bytes) -> None:
        assert wire.command()[0] == b"HELLO"
        wire.send(b"%%2\r\n$7\r\nversion\r\n$%d\r\n%b\r\n$5\r\nproto\r\n:3\r\n" % (len(version), version))
        assert wire.command() == [b"MGET", b"a", b"b"]
        wire.send(b"*2\r\n$1\r\n1\r\n>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nb\r\n_\r\n")
        wire.drain()

    options: dict[str, Any] = {"lib_name": None, "lib_version": None}
    for version, force in ((b"7.0.15", False), (b"7.2.0", True)):
        with Peer(partial(script, version=version)) as peer:
            async with backend.connect(peer.url, lenient_push=force, **options) as connection:
                assert await connection.execute("MGET", "a", "b") == [b"1", None]
                assert await connection.next_push() == Push("message", (b"c", b"b"))


@contract
async def test_keys_that_expire_amid_a_reply_break_no_connection(backend: Backend, server: Server) -> None:
    server.call("CONFIG", "SET", "notify-keyspace-events", "KEx")
    server.call("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    try:
        async with backend.connect(server.url) as connection:
            await connection.execute("SUBSCRIBE", "__keyevent@0__:expired")
            await connection.execute("SET", "b", "1", "PX", 1)
            await backend.sleep(0.01)
            assert await connection.execute("MGET", "a", "b", "c") == [None, None, None]
            assert await connection.next_push() == Push("message", (b"__keyevent@0__:expired", b"b"))
    finally:
        server.call("CONFIG", "SET", "notify-keyspace-events", "")
        server.call("DEBUG", "SET-ACTIVE-EXPIRE", "1")


@contract
async def test_an_error_that_answers_a_secret_keeps_its_code_only(backend: Backend) -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        for _ in wire.commands():
            wire.send(b"-ERR bad 'requirepass' 'hunter2'\r\n")

    with Peer(script) as peer:
        async with backend.connect(peer.url) as connection:
            with pytest.raises(ReplyError, match="^ERR") as caught:
                await connection.execute("CONFIG", "SET", "requirepass", "hunter2")
    assert "hunter2" not in str(caught.value)

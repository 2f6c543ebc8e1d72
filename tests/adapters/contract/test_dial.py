"""The contract of opening: over what, as whom, to which database; and how each refusal is told, without any secret.

A dial that fails says whether the same may succeed later (`transient`), and leaves nothing behind; after a refusal the server
is asked for nothing more.
"""

from __future__ import annotations

import errno
import socket
import ssl
import threading
import time
import traceback
from contextlib import AsyncExitStack, ExitStack
from threading import get_ident
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from adapters.backends import Backend, contract
from adapters.loops import open_sockets
from adapters.peers import ALLOWED, Peer, Wire, statistic
from resp_sansio import Config, ConnectError, Outcome, ReplyError
from resp_sansio.client.forks import GATE
from servers import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from resp_sansio import Credentials
    from servers import Server

PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])
HANDSHAKE = {"hello", "auth", "select", "ping", "client", "client|setinfo", "client|setname"}


async def refused(backend: Backend, url: str, **options: Any) -> ConnectError:
    """The error of a dial that must fail."""
    with pytest.raises(ConnectError) as caught:
        async with backend.connect(url, **options):
            pass
    assert caught.value.outcome is Outcome.NOT_SENT
    return caught.value


async def late(backend: Backend, url: str, told: str, **options: Any) -> ConnectError:
    """The error of a dial that ends by its timeout, when it has come as far as these words say."""
    for seconds in ALLOWED:
        error = await refused(backend, url, connect_timeout=seconds, **options)
        if told in str(error):
            return error
    raise AssertionError(f"it never came as far as {told!r}")


def asked_for(server: Server) -> set[str]:
    """The names of the commands that the server was asked for since CONFIG RESETSTAT."""
    information = server.call("INFO", "commandstats")
    assert isinstance(information, bytes)
    names = {line.partition(":")[0].removeprefix("cmdstat_") for line in information.decode().splitlines()[1:]}
    return names - {"config|resetstat", "config", "info"}


@pytest.fixture
def black_hole() -> Iterator[tuple[str, int]]:
    """An address that answers no attempt to connect: its queue of connections is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()


# -- Over what ----------------------------------------------------------------------------------------------------------------


@contract
async def test_names_addresses_and_parts_as_options(backend: Backend, server: Server) -> None:
    ways: list[tuple[str, dict[str, Any]]] = [
        (f"redis://localhost:{server.port}", {}),
        (f"valkey://127.0.0.1:{server.port}/5", {}),
        ("redis://", {"host": "127.0.0.1", "port": server.port}),
        (f"{server.unix_url}?db=3", {}),
    ]
    for url, options in ways:
        async with backend.connect(url, **options) as connection:
            assert await connection.execute("PING") == "PONG"


@contract
async def test_what_nobody_listens_on_says_so_and_may_come_back(backend: Backend, socket_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = await refused(backend, f"redis://127.0.0.1:{port}")
    assert (str(error), error.transient) == (f"cannot connect to 127.0.0.1:{port}: Connection refused", True)
    error = await refused(backend, f"unix://{quote(str(socket_folder))}/missing")
    assert (str(error), error.transient) == (
        f"cannot connect to unix:{socket_folder}/missing: No such file or directory",
        True,
    )
    error = await refused(backend, "redis://no-such-host.invalid")
    assert str(error).startswith("cannot resolve 'no-such-host.invalid': ")
    assert error.transient


@contract
async def test_every_resolved_address_is_tried(
    backend: Backend, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, alive = ("127.0.0.1", 1), ("127.0.0.1", server.port)
    found: list[tuple[str, int]] = [dead, dead, alive]
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)
    async with backend.connect("redis://several.example") as connection:
        assert await connection.execute("PING") == "PONG"
    resolved.pop()
    error = await refused(backend, "redis://several.example")
    assert str(error) == "cannot connect to several.example:6379: Connection refused"


@contract
async def test_forks_wait_for_the_look_up_of_a_name(
    backend: Backend, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resolver's own locks would be locked in the child for ever, if another thread held them then."""
    awaited: list[bool] = []

    def resolve(*_: object, flags: int = 0, **__: object) -> list[object]:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        awaited.append(get_ident() in GATE.inside.values())
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    async with backend.connect("redis://cache.example") as connection:
        assert await connection.execute("PING") == "PONG"
    assert awaited == [True]
    assert get_ident() not in GATE.inside.values()


@contract
async def test_an_address_that_swallows_everything_delays_no_dial(
    backend: Backend, server: Server, black_hole: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its share of the time would be half a minute."""
    found = [black_hole, ("127.0.0.1", server.port)]
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)
    begun = time.monotonic()
    async with backend.connect("redis://several.example", connect_timeout=60.0) as connection:
        assert await connection.execute("PING") == "PONG"
    assert time.monotonic() - begun < 20


@contract
async def test_the_address_that_worked_is_tried_first(
    backend: Backend, server: Server, black_hole: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [black_hole, ("127.0.0.1", server.port)]
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)
    async with backend.pool("redis://several.example", connect_timeout=60.0, max_size=50) as pool:
        begun = time.monotonic()
        async with AsyncExitStack() as stack:
            for _ in range(50):
                connection = await stack.enter_async_context(pool.acquire())
                assert await connection.execute("PING") == "PONG"
        assert time.monotonic() - begun < 10  # a quarter of a second for each would be more


@contract
async def test_an_address_of_a_kind_that_the_system_lacks_is_passed_over(
    backend: Backend, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system without IPv6 may have ::1 in its list of hosts all the same."""
    found = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", server.port, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port)),
    ]
    real = socket.socket

    class Socket(real):  # type: ignore[misc, valid-type]
        def __init__(self, family: int = -1, *arguments: Any, **options: Any) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
            super().__init__(family, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "socket", Socket)
    async with backend.connect("redis://several.example") as connection:
        assert await connection.execute("PING") == "PONG"


@contract
async def test_addresses_that_swallow_everything_are_given_up_in_time(
    backend: Backend, black_hole: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = ("127.0.0.1", 1)
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in (refusing, black_hole)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)
    before = open_sockets()
    error = await late(backend, "redis://several.example", "refused")
    told = "cannot connect to several.example:6379: Connection refused; timed out"
    assert (str(error), error.transient) == (told, True)
    await backend.until(lambda: open_sockets() == before)


@contract
async def test_one_that_does_not_answer_costs_no_more_than_the_connect_timeout(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    server = start_server()
    with server.paused():
        error = await late(backend, server.url, "handshake")
        address = f"127.0.0.1:{server.port}"
        told = f"cannot open a connection to {address}: the handshake did not finish in time"
        assert (str(error), error.transient) == (told, True)
        error = await late(backend, f"rediss://{address}", "TLS failed")
        told = f"{address}: TLS failed: timed out; does the server speak TLS on this port? (redis:// is without)"
        assert (str(error), error.transient) == (told, True)


@contract
async def test_a_wrong_url_or_option_is_told_before_anything_is_dialled(backend: Backend) -> None:
    wrong: list[tuple[Any, dict[str, Any], str]] = [
        ("redis://localhost", {"timeuot": 1}, "did you mean 'timeout'"),
        ("redis://localhost?timeuot=1", {}, "did you mean 'timeout'"),
        ("redis://localhost", {"timeout": "1"}, "timeout must be"),
        ("redis://localhost/one", {}, "db in a URL must be"),
        ("localhost:6379", {}, "redis://"),
        ("rediss://localhost", {"ssl_context": object()}, "ssl_context must be an ssl.SSLContext, or None; got object"),
        (b"redis://localhost", {}, "a URL must be str"),
    ]
    for url, options, told in wrong:
        with pytest.raises((TypeError, ValueError), match=told):
            async with backend.connect(url, **options):
                pass


@contract
async def test_refused_dials_leave_no_socket(backend: Backend, server: Server, socket_folder: Path) -> None:
    before = open_sockets()
    for _ in range(3):
        await refused(backend, server.url + "/99")
        await refused(backend, f"unix://{quote(str(socket_folder))}/missing")
        await refused(backend, "redis://127.0.0.1:1")
        await refused(backend, f"rediss://localhost:{server.port}", connect_timeout=0.02)
    await backend.until(lambda: open_sockets() <= before)


# -- As whom, and where to ----------------------------------------------------------------------------------------------------


@PROTOCOLS
@contract
async def test_user_password_name_and_database_in_one_go(
    backend: Backend, start_server: Callable[..., Server], protocol: int
) -> None:
    server = start_server()
    server.call("ACL", "SETUSER", "bob", "on", ">p@ss:w/rd", "~*", "+@all")
    before = statistic(server, "total_connections_received")
    url = f"redis://bob:p%40ss%3Aw%2Frd@127.0.0.1:{server.port}/7?client_name=me&protocol={protocol}"
    async with backend.connect(url) as connection:
        await connection.execute("SET", "k", "v")
        assert await connection.execute("ACL", "WHOAMI") == b"bob"
        assert await connection.execute("CLIENT", "GETNAME") == b"me"
    assert statistic(server, "total_connections_received") == before + 1 + 1
    assert server.call("GET", "k") is None  # it was set in database 7


@contract
async def test_credentials_are_asked_for_at_each_dial(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server()
    server.call("ACL", "SETUSER", "bob", "on", ">one", ">two", "~*", "+@all")
    given: Iterator[Credentials] = iter([("bob", "one"), ("bob", b"two")])
    for _ in range(2):
        async with backend.connect(server.url, credentials=lambda: next(given)) as connection:
            assert await connection.execute("ACL", "WHOAMI") == b"bob"

    def shut() -> str:
        raise LookupError("the vault is shut")

    with pytest.raises(LookupError, match="the vault is shut"):
        async with backend.connect(server.url, credentials=shut):
            pass
    with pytest.raises(TypeError, match="credentials"):
        async with backend.connect(server.url, credentials=lambda: None):
            pass


@contract
async def test_a_provider_of_credentials_may_want_to_know_which_server(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    server = start_server("--requirepass", "one")
    asked: list[tuple[str, int]] = []

    def provider(place: tuple[str, int]) -> str:
        asked.append(place)
        return "one"

    for url in server.url, server.unix_url:
        async with backend.client(url, credentials=provider) as client:
            assert await client.execute("PING") == "PONG"
    assert asked == [("127.0.0.1", server.port), (Config.from_url(server.unix_url).path, 0)]


@contract
async def test_a_cluster_is_refused_by_what_leads_to_one_server(backend: Backend) -> None:
    told = "connect is for one server, not for a cluster of a.example:6379: give it the URL of one of them"
    with pytest.raises(ValueError, match=told):
        async with backend.connect("redis+cluster://a.example"):
            pass
    with pytest.raises(ValueError, match=told.replace("connect", "Pool")):
        async with backend.pool("redis://", cluster=["a.example"]):
            pass


@PROTOCOLS
@contract
async def test_a_wrong_password_shows_nowhere_and_nothing_runs_after_it(
    backend: Backend, start_server: Callable[..., Server], protocol: int
) -> None:
    server = start_server("--requirepass", "right")
    server.call("CONFIG", "RESETSTAT")
    secret = "hunter2-very-secret"
    address = f"127.0.0.1:{server.port}"
    dials: list[tuple[str, dict[str, Any]]] = [
        (f"redis://:{secret}@{address}/3?protocol={protocol}", {}),
        (f"redis://{address}", {"password": secret, "username": "bob", "protocol": protocol}),
        (f"redis://{address}", {"credentials": lambda: secret, "protocol": protocol}),
    ]
    for url, options in dials:
        error = await refused(backend, url, **options)
        assert not error.transient
        assert "(WRONGPASS)" in str(error)
        shown = "".join(traceback.format_exception(error)) + repr(error) + repr(error.args)
        assert secret not in shown
    error = await refused(backend, f"redis://{address}", protocol=protocol)
    told = f"cannot open a connection to {address}: the server requires a password (NOAUTH); configure `password`"
    assert (str(error), error.transient) == (told, False)
    # AUTH is this test's own, too.
    assert asked_for(server) <= HANDSHAKE


@PROTOCOLS
@contract
async def test_a_database_out_of_range_and_nothing_runs_after_the_refusal(
    backend: Backend, start_server: Callable[..., Server], protocol: int
) -> None:
    server = start_server("--databases", "4")
    server.call("CONFIG", "RESETSTAT")
    error = await refused(backend, server.url + "/4", protocol=protocol)
    assert not error.transient
    assert str(error).startswith(
        f"cannot open a connection to 127.0.0.1:{server.port}: the server refused database 4: ERR DB index is out of range"
    )
    assert asked_for(server) <= HANDSHAKE
    async with backend.connect(f"{server.url}/3?protocol={protocol}") as connection:
        await connection.execute("SET", "k", "v")
    assert server.call("DBSIZE") == 0


@contract
async def test_after_a_refusal_not_one_byte_follows(backend: Backend) -> None:
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        wire.welcome()
        assert wire.command() == [b"SELECT", b"9"]
        wire.send(b"-NOPERM this user has no permissions\r\n")
        heard.append(wire.drain())

    with Peer(script) as peer:
        error = await refused(backend, peer.url + "/9")
        await backend.until(lambda: bool(heard))
    assert not error.transient
    assert heard == [b""]


@contract
async def test_a_server_without_hello(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server("--rename-command", "HELLO", "", "--requirepass", "right")
    before = statistic(server, "total_connections_received")
    async with backend.connect(server.url + "/2", client_name="me", password="right") as connection:
        assert connection.protocol == 2
        assert await connection.execute("CLIENT", "GETNAME") == b"me"
    assert statistic(server, "total_connections_received") == before + 2
    error = await refused(backend, server.url, password="s3cret")
    assert not error.transient
    assert "(WRONGPASS)" in str(error)
    assert "s3cret" not in str(error)


# -- Not now --------------------------------------------------------------------------------------------------------------------


def is_busy(answer: object) -> bool:
    return isinstance(answer, ServerError) and str(answer).startswith("BUSY")


@contract
async def test_a_script_that_keeps_the_server_busy(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server("--lua-time-limit", "10")
    endless = threading.Thread(target=lambda: server.call("EVAL", "while true do end", 0))
    endless.start()
    try:
        await backend.until(lambda: is_busy(server.call("GET", "k")))
        if is_busy(server.call("SELECT", 1)):
            error = await refused(backend, server.url + "/1")
            assert error.transient
            assert "BUSY" in str(error)
        else:  # Valkey since 9.0 takes a new connection's handshake, and refuses what follows
            async with backend.connect(server.url + "/1") as connection:
                with pytest.raises(ReplyError, match="BUSY"):
                    await connection.execute("PING")
    finally:
        server.call("SCRIPT", "KILL")
        endless.join()


@PROTOCOLS
@contract
async def test_a_server_that_is_full(backend: Backend, start_server: Callable[..., Server], protocol: int) -> None:
    server = start_server()
    server.call("CONFIG", "SET", "maxclients", 1)
    first = socket.create_connection(("127.0.0.1", server.port))
    with first, first.makefile("rb") as reader:
        while True:  # until those who asked whether it runs have gone
            first.sendall(b"PING\r\n")
            if reader.readline() == b"+PONG\r\n":
                break
        error = await refused(backend, server.url, protocol=protocol)
    assert error.transient
    assert "max number of clients" in str(error)


@PROTOCOLS
@pytest.mark.parametrize("over", ["TCP", "unix"])
@contract
async def test_what_servers_say_before_they_close(
    backend: Backend, socket_folder: Path, over: str, protocol: int
) -> None:
    """They say it without reading, so it comes before anything was asked, and the connection may be reset after it."""
    ends: list[tuple[bytes, bool, str]] = [
        (b"-LOADING Redis is loading the dataset in memory\r\n", True, "LOADING"),
        (b"-ERR max number of clients reached\r\n", True, "max number of clients"),
        (b"-MASTERDOWN Link with MASTER is down\r\n", True, "MASTERDOWN"),
        (b"-DENIED Redis is running in protected mode because protected mode is enabled\r\n", False, "DENIED"),
        (b"", True, "during the handshake"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False, "expected"),
    ]

    # A close without a word gets a second try, see test_servers.py.
    scripts = [said for said, *_ in ends for _ in range(1 if said else 2)]

    def script(wire: Wire) -> None:
        said = scripts[peer.connections - 1]
        wire.send(said)
        if said.startswith(b"-LOADING"):
            for _ in range(2):  # with the one before anything was asked: one for each command of the first batch
                wire.send(said)
            wire.drain()

    with Peer(script, path=socket_folder / "peer" if over == "unix" else None) as peer:
        for _, transient, told in ends:
            error = await refused(backend, peer.url, protocol=protocol)
            assert told in str(error)
            assert error.transient is transient


# -- TLS ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.needs("tls")
@contract
async def test_tls_is_verified_unless_told_otherwise(backend: Backend, server: Server) -> None:
    assert server.certificates
    trusted = str(server.certificates.ca)
    before = statistic(server, "total_commands_processed")
    error = await refused(backend, server.tls_url)
    told = f"localhost:{server.tls_port}: the server's certificate was not accepted: "
    assert (str(error).startswith(told), error.transient) == (True, False)
    assert statistic(server, "total_commands_processed") == before + 1  # the INFO before
    ways: list[dict[str, Any]] = [
        {"tls_verify": False},
        {"tls_ca_file": trusted},
        {"ssl_context": ssl.create_default_context(cafile=trusted)},
    ]
    for options in ways:
        async with backend.connect(server.tls_url, **options) as connection:
            assert await connection.execute("PING") == "PONG"
    error = await late(backend, f"rediss://localhost:{server.port}", "TLS failed", tls_ca_file=trusted)
    assert str(error).startswith(f"localhost:{server.port}: TLS failed: ")
    error = await refused(backend, server.tls_url, tls_ca_file="missing.pem")
    assert str(error) == "cannot use the configured certificates: No such file or directory"
    assert not error.transient


@pytest.mark.needs("tls")
@contract
async def test_tls_checks_the_name(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server(tls=True, tls_names=["redis.example"])
    assert server.certificates
    trusted = str(server.certificates.ca)
    error = await refused(backend, server.tls_url, tls_ca_file=trusted)
    assert not error.transient
    assert "certificate was not accepted" in str(error)
    ways: list[dict[str, Any]] = [{"tls_server_name": "redis.example"}, {"tls_check_hostname": False}]
    for options in ways:
        async with backend.connect(server.tls_url, tls_ca_file=trusted, **options) as connection:
            assert await connection.execute("PING") == "PONG"


@pytest.mark.needs("tls")
@contract
async def test_tls_client_certificates(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server("--tls-auth-clients", "yes", tls=True)
    assert server.certificates
    mine = server.certificates
    shown = {"tls_cert_file": str(mine.client_certificate), "tls_key_file": str(mine.client_key)}
    async with backend.connect(server.tls_url, tls_ca_file=str(mine.ca), **shown) as connection:
        assert await connection.execute("PING") == "PONG"
    error = await refused(backend, server.tls_url, tls_ca_file=str(mine.ca))
    # The server says so after its own side of TLS is up, and may reset the connection then.
    assert "certificate required" in str(error).lower()
    assert not error.transient


@contract
async def test_tls_to_one_that_speaks_none(backend: Backend) -> None:
    with Peer(lambda wire: wire.send(b"-ERR Protocol error: unbalanced quotes in request\r\n")) as peer:
        error = await refused(backend, f"rediss://127.0.0.1:{peer.port}")
    assert str(error).startswith(f"127.0.0.1:{peer.port}: TLS failed: ")
    assert str(error).endswith("does the server speak TLS on this port? (redis:// is without)")
    assert not error.transient


def alert(wire: Wire) -> None:
    """What OpenSSL says to what is no TLS: a record (21) with the alert protocol_version (70)."""
    wire.send(b"\x15\x03\x01\x00\x02\x02\x46")


@contract
@pytest.mark.parametrize("end", [alert, Wire.close, Wire.reset])
async def test_without_tls_to_one_that_expects_it(backend: Backend, end: Callable[[Wire], object]) -> None:
    def script(wire: Wire) -> None:
        wire.command()
        end(wire)

    with Peer(script) as peer:
        error = await refused(backend, peer.url)
        assert "does the server expect TLS on this port? (rediss:// is with)" in str(error)


@pytest.mark.needs("tls")
@contract
async def test_without_tls_to_a_server_that_expects_it(backend: Backend, server: Server) -> None:
    error = await refused(backend, f"redis://localhost:{server.tls_port}")
    assert str(error).endswith("does the server expect TLS on this port? (rediss:// is with)")


@pytest.mark.needs("tls")
@contract
async def test_a_full_domain_name_has_its_certificate(
    backend: Backend, start_server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dot at its end is for the resolver: no certificate has it."""
    server = start_server(tls=True, tls_names=["redis.example"])
    assert server.certificates
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.tls_port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    ways: list[tuple[str, dict[str, Any]]] = [
        ("redis.example.", {}),
        ("redis.example", {}),
        ("other.example", {"tls_server_name": "redis.example."}),
    ]
    for host, options in ways:
        url = f"rediss://{host}:{server.tls_port}"
        async with backend.connect(url, tls_ca_file=str(server.certificates.ca), **options) as connection:
            assert await connection.execute("PING") == "PONG"
    error = await refused(
        backend, f"rediss://other.example.:{server.tls_port}", tls_ca_file=str(server.certificates.ca)
    )
    assert "certificate was not accepted" in str(error)


@contract
@pytest.mark.parametrize("kind", ["connect", "pool", "client"])
async def test_a_unix_path_that_is_too_long_stays_so(backend: Backend, tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("x" * 200)
    with pytest.raises(ConnectError, match="too long") as caught:
        async with getattr(backend, kind)(f"unix://{path}") as connection:
            await connection.execute("PING")
    assert not caught.value.transient

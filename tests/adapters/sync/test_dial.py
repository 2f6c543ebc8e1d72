"""Opening connections: over what, as whom, to which database; and every way in which that is refused.

A dial that fails says what was tried, whether the same may succeed later (`transient`), and leaves nothing behind; after a refusal
the server is asked for nothing more.
"""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import serialization  # trustme brings it

from adapters.peers import ALLOWED, Peer, Wire, calls, eventually, statistic, together
from resp_sansio import ConnectError, ReplyError
from resp_sync import Connection, connect
from servers import Certificates, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from resp_sansio import Credentials
    from servers import Server

HANDSHAKE = {"hello", "auth", "select", "ping", "client", "client|setinfo", "client|setname"}
MIB = 1024 * 1024


def refused(url: str, **options: Any) -> ConnectError:
    """The error of a dial that must fail."""
    with pytest.raises(ConnectError) as caught:
        connect(url, **options)
    return caught.value


def late(url: str, told: str, **options: Any) -> ConnectError:
    """The error of a dial that ends by its timeout, when it has come as far as these words say."""
    for seconds in ALLOWED:
        error = refused(url, connect_timeout=seconds, **options)
        if told in str(error):
            return error
    raise AssertionError(f"it never came as far as {told!r}")


def asked_for(server: Server) -> set[str]:
    """The names of the commands that the server was asked for since CONFIG RESETSTAT."""
    information = server.call("INFO", "commandstats")
    assert isinstance(information, bytes)
    names = {line.partition(":")[0].removeprefix("cmdstat_") for line in information.decode().splitlines()[1:]}
    return names - {"config|resetstat", "config", "info"}


# -- Over what ----------------------------------------------------------------------------------------------------------------


def test_tcp_with_a_name_an_address_and_the_parts_as_options(server: Server) -> None:
    ways: list[tuple[str, Any]] = [
        (f"redis://localhost:{server.port}", {}),
        (f"valkey://127.0.0.1:{server.port}/5", {}),
        ("redis://", {"host": "127.0.0.1", "port": server.port}),
    ]
    for url, options in ways:
        with connect(url, **options) as connection:
            assert connection.execute("PING") == "PONG"


def test_unix_socket(server: Server) -> None:
    with connect(f"{server.unix_url}?db=3") as connection:
        assert b"db=3" in as_bytes(connection.execute("CLIENT", "LIST"))
        assert connection.execute("PING") == "PONG"


def as_bytes(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value


def test_what_nobody_listens_on_says_so_and_may_come_back(socket_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = refused(f"redis://127.0.0.1:{port}")
    assert error.transient
    assert str(error) == f"cannot connect to 127.0.0.1:{port}: Connection refused"
    error = refused(f"unix://{quote(str(socket_folder))}/missing")
    assert error.transient
    assert f"{socket_folder}/missing" in str(error)


def test_a_name_that_does_not_resolve_is_told() -> None:
    assert "cannot resolve 'no-such-host.invalid'" in str(refused("redis://no-such-host.invalid"))


def test_every_resolved_address_is_tried(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    dead, alive = ("127.0.0.1", 1), ("127.0.0.1", server.port)
    found: list[tuple[str, int]] = [dead, dead, alive]
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)
    with connect("redis://several.example") as connection:
        assert connection.execute("PING") == "PONG"
    resolved.pop()
    error = refused("redis://several.example")
    assert str(error) == "cannot connect to several.example:6379: Connection refused"


def test_a_server_that_does_not_answer_costs_no_more_than_the_connect_timeout(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    with server.paused():
        error = late(server.url, "handshake")
    assert error.transient
    assert "did not finish in time" in str(error)


def test_refused_dials_leave_no_descriptor(server: Server, socket_folder: Path) -> None:
    def dial_in_vain() -> None:
        refused(server.url + "/99")
        refused(f"unix://{quote(str(socket_folder))}/missing")
        refused("redis://127.0.0.1:1")

    dial_in_vain()
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        dial_in_vain()
    assert len(os.listdir("/proc/self/fd")) == before


# -- As whom, and where to ----------------------------------------------------------------------------------------------------


def test_user_password_name_and_database_in_one_go(start_server: Callable[..., Server]) -> None:
    server = start_server()
    assert server.call("ACL", "SETUSER", "bob", "on", ">p@ss:w/rd", "~*", "+@all") == b"OK"
    before = statistic(server, "total_connections_received")
    for protocol in (2, 3):
        url = f"redis://bob:p%40ss%3Aw%2Frd@127.0.0.1:{server.port}/7?client_name=me&protocol={protocol}"
        with connect(url) as connection:
            connection.execute("SET", "k", "v")
            assert connection.execute("ACL", "WHOAMI") == b"bob"
            assert connection.execute("CLIENT", "GETNAME") == b"me"
    assert statistic(server, "total_connections_received") == before + 2 + 1
    assert server.call("GET", "k") is None  # it was set in database 7
    with connect(server.url, username="bob", password=b"p@ss:w/rd") as connection:
        assert connection.execute("ACL", "WHOAMI") == b"bob"


def test_a_bare_password(start_server: Callable[..., Server]) -> None:
    server = start_server("--requirepass", "opensesame")
    for protocol in (2, 3):
        with connect(f"redis://:opensesame@127.0.0.1:{server.port}?protocol={protocol}") as connection:
            assert connection.execute("ACL", "WHOAMI") == b"default"


def test_credentials_are_asked_for_at_each_dial(start_server: Callable[..., Server]) -> None:
    server = start_server()
    server.call("ACL", "SETUSER", "bob", "on", ">one", ">two", "~*", "+@all")
    given: Iterator[Credentials] = iter([("bob", "one"), ("bob", b"two")])
    for _ in range(2):
        with connect(server.url, credentials=lambda: next(given)) as connection:
            assert connection.execute("ACL", "WHOAMI") == b"bob"
    before = statistic(server, "total_connections_received")
    with pytest.raises(TypeError, match="credentials"):
        connect(server.url, credentials=lambda: None)  # type: ignore[arg-type]
    with pytest.raises(LookupError, match="the vault is shut"):
        connect(server.url, credentials=raise_lookup_error)
    assert statistic(server, "total_connections_received") == before + 1


def raise_lookup_error() -> str:
    raise LookupError("the vault is shut")


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_wrong_password_is_no_secret_and_nothing_runs_after_it(
    start_server: Callable[..., Server], protocol: int
) -> None:
    server = start_server()
    server.call("ACL", "SETUSER", "bob", "on", ">right", "~*", "+@all")
    server.call("CONFIG", "RESETSTAT")
    error = refused(f"redis://bob:wr0ng@127.0.0.1:{server.port}/3?protocol={protocol}")
    assert not error.transient
    assert "(WRONGPASS)" in str(error)
    assert "wr0ng" not in str(error)
    assert "bob" not in str(error)
    assert asked_for(server) <= HANDSHAKE
    assert calls(server, "get") == 0


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_server_that_wants_a_password_says_so(start_server: Callable[..., Server], protocol: int) -> None:
    error = refused(start_server("--requirepass", "x").url, protocol=protocol)
    assert not error.transient
    assert "the server requires a password (NOAUTH)" in str(error)


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_database_out_of_range_and_nothing_runs_after_the_refusal(
    start_server: Callable[..., Server], protocol: int
) -> None:
    server = start_server("--databases", "4")
    server.call("CONFIG", "RESETSTAT")
    error = refused(server.url + "/4", protocol=protocol)
    assert not error.transient
    assert "refused database 4: ERR DB index" in str(error)
    assert asked_for(server) <= HANDSHAKE
    with connect(f"{server.url}/3?protocol={protocol}") as connection:
        connection.execute("SET", "k", "v")
    assert server.call("DBSIZE") == 0


@pytest.mark.parametrize("refusal", [b"-ERR DB index is out of range\r\n", b"-NOPERM this user has no permissions\r\n"])
def test_after_a_refusal_not_one_byte_follows(refusal: bytes) -> None:
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        wire.welcome()
        assert wire.command() == [b"SELECT", b"9"]
        wire.send(refusal)
        heard.append(wire.drain())

    with Peer(script) as peer:
        error = refused(peer.url + "/9")
    assert not error.transient
    assert heard == [b""]


@pytest.mark.parametrize("options", [{}, {"password": "pw", "username": "bob"}, {"password": "pw"}])
def test_a_server_without_hello(start_server: Callable[..., Server], options: dict[str, Any]) -> None:
    password = options.get("password")
    server = start_server("--rename-command", "HELLO", "", *(("--requirepass", password) if password else ()))
    if "username" in options:
        server.call("ACL", "SETUSER", "bob", "on", ">pw", "~*", "+@all")
    before = statistic(server, "total_connections_received")
    with connect(server.url + "/2", client_name="me", **options) as connection:
        connection.execute("HSET", "h", "f", "v")
        assert connection.execute("HGETALL", "h") == [b"f", b"v"]  # RESP2
        assert connection.execute("ACL", "WHOAMI") == options.get("username", "default").encode()
        assert connection.execute("CLIENT", "GETNAME") == b"me"
    assert statistic(server, "total_connections_received") == before + 2
    assert server.call("DBSIZE") == 0


def test_a_server_without_hello_still_refuses_a_wrong_password(start_server: Callable[..., Server]) -> None:
    server = start_server("--rename-command", "HELLO", "", "--requirepass", "right")
    error = refused(server.url, password="s3cret")
    assert not error.transient
    assert "(WRONGPASS)" in str(error)
    assert "s3cret" not in str(error)
    assert "requires a password" in str(refused(server.url))


def test_an_old_server_of_resp2_alone() -> None:
    """A server from before ACL, HELLO and SETINFO: it echoes arguments in its errors."""
    heard: list[list[bytes]] = []

    def script(wire: Wire) -> None:
        for words in wire.commands():
            heard.append(words)
            match words:
                case [b"AUTH", b"s3cret"] | [b"SELECT", _]:
                    wire.send(b"+OK\r\n")
                case [b"GET", _]:
                    wire.send(b"$1\r\nv\r\n")
                case _:
                    wire.send(b"-ERR unknown command '%s', with args beginning with: 's3cret'\r\n" % words[0])

    with Peer(script) as peer, connect(peer.url + "/1", password="s3cret") as connection:
        assert connection.execute("GET", "k") == b"v"
    names = [b" ".join(words[:2]) for words in heard]
    assert names.index(b"AUTH s3cret") < len(names) - 1
    assert names[-1] == b"GET k"
    assert peer.connections == 1


# -- Not now --------------------------------------------------------------------------------------------------------------------


def test_a_script_that_keeps_the_server_busy(start_server: Callable[..., Server]) -> None:
    server = start_server("--lua-time-limit", "10")
    killed: list[object] = []
    endless = threading.Thread(target=lambda: killed.append(server.call("EVAL", "while true do end", 0)))
    endless.start()
    try:
        eventually(lambda: is_busy(server.call("GET", "k")))
        if is_busy(server.call("SELECT", 1)):
            error = refused(server.url + "/1")
            assert error.transient
            assert "BUSY" in str(error)
        else:  # Valkey since 9.0 takes a new connection's handshake, and refuses what follows
            with connect(server.url + "/1") as connection, pytest.raises(ReplyError, match="BUSY"):
                connection.execute("PING")
    finally:
        server.call("SCRIPT", "KILL")
        endless.join()
    assert isinstance(killed[0], ServerError)
    with connect(server.url + "/1") as connection:
        assert connection.execute("PING") == "PONG"


def is_busy(answer: object) -> bool:
    return isinstance(answer, ServerError) and str(answer).startswith("BUSY")


def first(url: str, **options: Any) -> Connection:
    """A connection to a server that takes one: those who asked whether it runs must have gone."""
    dialled: list[Connection] = []

    def is_free() -> bool:
        with contextlib.suppress(ConnectError):
            dialled.append(connect(url, **options))
        return bool(dialled)

    eventually(is_free)
    return dialled[0]


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_server_that_is_full(start_server: Callable[..., Server], protocol: int) -> None:
    server = start_server("--maxclients", "1")
    with first(f"{server.url}?protocol={protocol}") as only:
        error = refused(server.url, protocol=protocol)
        assert only.execute("PING") == "PONG"
    assert error.transient
    assert "max number of clients" in str(error)


@pytest.mark.parametrize(
    ("said", "transient", "told"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", True, "LOADING"),
        (b"-ERR max number of clients reached\r\n", True, "max number of clients"),
        (b"-MASTERDOWN Link with MASTER is down\r\n", True, "MASTERDOWN"),
        (b"-DENIED Redis is running in protected mode because protected mode is enabled\r\n", False, "DENIED"),
        (b"", True, "during the handshake"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False, "expected"),
    ],
    ids=lambda value: value.split()[0].decode() if isinstance(value, bytes) and value else None,
)
@pytest.mark.parametrize("protocol", [2, 3])
def test_what_servers_say_before_they_close(said: bytes, transient: bool, told: str, protocol: int) -> None:
    """They say it without reading, so it comes before anything was asked, and the connection may be reset after it."""

    def script(wire: Wire) -> None:
        wire.send(said)
        if said.startswith(b"-LOADING"):
            for _ in range(2):  # with the one before anything was asked: one for each command of the first batch
                wire.send(said)
            wire.drain()

    with Peer(script) as peer:
        error = refused(peer.url, protocol=protocol)
    assert told in str(error)
    assert error.transient is transient


# -- TLS ------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates of an authority that no server here has heard of."""
    return Certificates.make(tmp_path_factory.mktemp("strangers"), ["localhost"])


def files(server: Server) -> Certificates:
    assert server.certificates is not None
    return server.certificates


@pytest.mark.needs("tls")
def test_tls_with_the_right_authority(server: Server) -> None:
    trusted = str(files(server).ca)
    with connect(server.tls_url, tls_ca_file=trusted) as connection:
        assert connection.execute("SET", "k", b"x" * 100_000) == "OK"
        assert connection.execute("GET", "k") == b"x" * 100_000
    context = ssl.create_default_context(cafile=trusted)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with connect(f"{server.tls_url}/2", ssl_context=context) as connection:
        assert connection.execute("PING") == "PONG"


@pytest.mark.needs("tls")
def test_tls_refuses_authorities_that_it_was_not_told_to_trust(server: Server, strangers: Certificates) -> None:
    for options in ({}, {"tls_ca_file": str(strangers.ca)}):
        before = statistic(server, "total_commands_processed")
        error = refused(server.tls_url, **options)
        assert not error.transient
        assert "certificate was not accepted" in str(error)
        assert statistic(server, "total_commands_processed") == before + 1  # the INFO before
    with connect(server.tls_url, tls_verify=False) as connection:
        assert connection.execute("PING") == "PONG"


@pytest.mark.needs("tls")
def test_tls_checks_the_name(start_server: Callable[..., Server]) -> None:
    server = start_server(tls=True, tls_names=["redis.example"])
    trusted = str(files(server).ca)
    error = refused(server.tls_url, tls_ca_file=trusted)
    assert not error.transient
    assert "certificate was not accepted" in str(error)
    ways: list[Any] = [{"tls_server_name": "redis.example"}, {"tls_check_hostname": False}]
    for options in ways:
        with connect(server.tls_url, tls_ca_file=trusted, **options) as connection:
            assert connection.execute("PING") == "PONG"


@pytest.mark.needs("tls")
def test_tls_client_certificates(start_server: Callable[..., Server], strangers: Certificates) -> None:
    server = start_server("--tls-auth-clients", "yes", tls=True)
    mine = files(server)
    shown: Any = {"tls_cert_file": str(mine.client_certificate), "tls_key_file": str(mine.client_key)}
    with connect(server.tls_url, tls_ca_file=str(mine.ca), **shown) as connection:
        assert connection.execute("PING") == "PONG"
    strange = {"tls_cert_file": str(strangers.client_certificate), "tls_key_file": str(strangers.client_key)}
    older = ssl.create_default_context(cafile=mine.ca)
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    for options in ({"tls_ca_file": str(mine.ca)}, {"tls_ca_file": str(mine.ca), **strange}, {"ssl_context": older}):
        error = refused(server.tls_url, **options)
        assert not error.transient
        assert "ssl" in str(error).lower()
    mixed = {"tls_cert_file": str(mine.client_certificate), "tls_key_file": str(strangers.client_key)}
    for options in (mixed, {"tls_ca_file": str(mine.ca.parent / "missing.pem")}):
        error = refused(server.tls_url, **options)
        assert not error.transient
        assert "cannot use the configured certificates" in str(error)


@pytest.mark.needs("tls")
def test_tls_with_a_key_that_has_a_password(server: Server, tmp_path: Path) -> None:
    mine = files(server)
    key = serialization.load_pem_private_key(mine.client_key.read_bytes(), None)
    locked = tmp_path / "locked.key"
    encryption = serialization.BestAvailableEncryption(b"opensesame")
    locked.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
    options: Any = {
        "tls_ca_file": str(mine.ca),
        "tls_cert_file": str(mine.client_certificate),
        "tls_key_file": str(locked),
    }
    with connect(server.tls_url, tls_key_password="opensesame", **options) as connection:
        assert connection.execute("PING") == "PONG"
    wrong: list[Any] = [{"tls_key_password": "wr0ng"}, {}]  # without one nobody is asked at the terminal
    for password in wrong:
        error = refused(server.tls_url, **options, **password)
        assert not error.transient
        assert "cannot use the configured certificates" in str(error)
        assert "wr0ng" not in str(error)


@pytest.mark.needs("tls")
def test_tls_to_a_server_that_speaks_none_and_the_other_way_round(server: Server) -> None:
    trusted = str(files(server).ca)
    error = late(f"rediss://localhost:{server.port}", "TLS failed", tls_ca_file=trusted)
    assert "TLS failed" in str(error)
    with Peer(lambda wire: wire.send(b"-ERR Protocol error: unbalanced quotes in request\r\n")) as peer:
        error = refused(f"rediss://127.0.0.1:{peer.port}", tls_ca_file=trusted)
    assert "TLS failed" in str(error)
    assert not error.transient
    assert "during the handshake" in str(refused(f"redis://localhost:{server.tls_port}"))


@pytest.mark.needs("tls")
def test_tls_to_a_server_that_is_full_may_succeed_later(start_server: Callable[..., Server]) -> None:
    server = start_server("--maxclients", "1", tls=True)
    options: Any = {"tls_ca_file": str(files(server).ca)}
    with first(server.tls_url, **options):
        assert refused(server.tls_url, **options).transient


@pytest.mark.needs("tls")
def test_tls_by_many_threads(server: Server) -> None:
    with connect(server.tls_url, tls_ca_file=str(files(server).ca)) as connection:

        def ask(name: int) -> None:
            for index in range(100):
                token = f"{name}:{index}:" + "x" * (index * 100)
                assert connection.execute("ECHO", token) == token.encode()

        together(*(lambda name=name: ask(name) for name in range(8)))


@pytest.mark.needs("tls")
def test_tls_64_mib_both_ways_at_once(server: Server) -> None:
    large = os.urandom(MIB) * 64
    with connect(server.tls_url, tls_ca_file=str(files(server).ca), timeout=60.0) as connection:
        assert connection.execute("SET", "there", large) == "OK"

        def get() -> None:
            assert connection.execute("GET", "there") == large

        def put() -> None:
            assert connection.execute("SET", "here", large) == "OK"

        together(get, put)
        assert connection.execute("STRLEN", "here") == len(large)

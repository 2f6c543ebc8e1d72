"""The throw-away servers themselves: what the other tests stand on."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest

from servers import Server, ServerError, ServerNotFoundError, find_server, understands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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
    with pytest.raises(ValueError, match="in capitals"):
        server.has("tsl")


def test_restart_keeps_the_address_and_a_password_is_used(start_server: Callable[..., Server]) -> None:
    server = start_server("--requirepass", "secret")
    port, pid = server.port, server.pid
    server.restart()
    assert (server.port, server.call("PING")) == (port, b"PONG")
    assert server.pid != pid


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
    assert understands(find_server(), "maxclients 10")
    assert not understands(find_server(), "minclients 10")


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
    program = textwrap.dedent("""
        import os, signal
        from servers import Server
        server = Server()
        print(server.port, server.folder, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(__file__)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    port, folder = done.stdout.split()
    give_up = time.monotonic() + 30
    while os.path.exists(folder) and time.monotonic() < give_up:
        time.sleep(0.01)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(port)))


def test_no_server_is_an_error_that_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REDIS_SERVER", str(tmp_path / "missing"))
    with pytest.raises(ServerNotFoundError, match="apt-get install redis-server"):
        find_server.__wrapped__()

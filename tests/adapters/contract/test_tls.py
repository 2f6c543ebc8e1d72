"""The contract of TLS where it fails: each side is told why by the other, whatever else happens to the connection then."""

from __future__ import annotations

import socket
import ssl
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import BACKENDS, Backend, contract, contract_of_tasks
from adapters.peers import Peer, Wire
from resp_sansio import ConnectError, ConnectionClosedError, RespError
from resp_sansio.testing import Peer as Redis
from servers import Certificates

if TYPE_CHECKING:
    from pathlib import Path

FORGED = b"\x17\x03\x03\x00\x20" + bytes(32)
"""A record that no side has encrypted."""

ENDS = pytest.mark.parametrize("end", ["close", "reset"])


class Guarded:
    """The server's side of one TLS connection, by memory buffers: it may say at any time what it has to say."""

    def __init__(self, wire: Wire, certificates: Certificates) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.server_certificate, certificates.server_key)
        self.wire = wire
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.redis = Redis(answer=lambda _: 1)
        self._do(self.tls.do_handshake)

    def _do(self, step: Any) -> Any:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.flush()
                records = self.wire.socket.recv(65536)
                assert records, "the other side has closed the connection"
                self.incoming.write(records)

    def flush(self) -> None:
        self.wire.send(self.outgoing.read())

    def serve_until(self, *last: bytes) -> None:
        """Answer commands, those of this name included, whose answer is not sent yet."""
        while not any(words[0] in last for words in self.redis.executed):
            for reply in self.redis.receive(self._do(partial(self.tls.read, 65536))):
                self.tls.write(reply)

    def alert(self) -> None:
        """Meet a record that the other side has not encrypted, and say so."""
        self.incoming.write(FORGED)
        with pytest.raises(ssl.SSLError, match="(?i)bad.record.mac|record.layer.failure"):
            self._read_all()
        self.flush()

    def _read_all(self) -> None:
        while True:
            self.tls.read(65536)


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates.make(tmp_path, ["127.0.0.1"])


def url(peer: Peer, certificates: Certificates) -> str:
    return f"rediss://127.0.0.1:{peer.port}?tls_ca_file={certificates.ca}"


@ENDS
@contract
async def test_an_alert_that_came_meanwhile_is_why_the_connection_has_ended(
    backend: Backend, end: str, certificates: Certificates
) -> None:
    done = threading.Event()

    def script(wire: Wire) -> None:
        guarded = Guarded(wire, certificates)
        guarded.serve_until(b"INCR")
        guarded.flush()
        guarded.alert()
        getattr(wire, end)()
        done.set()

    with Peer(script) as peer:
        async with backend.connect(url(peer, certificates), timeout=5) as connection:
            assert await connection.execute("INCR", "n") == 1
            assert done.wait(5)
            with pytest.raises((ConnectionClosedError, RespError)) as caught:
                await connection.execute("INCR", "n")
    assert "bad record mac" in str(caught.value).lower()


@ENDS
@contract_of_tasks
async def test_an_alert_that_came_before_a_write_failed_is_told(
    backend: Backend, end: str, certificates: Certificates
) -> None:
    """The server answers, says why it ends, and ends; nothing of it is read before the next command is written."""

    def script(wire: Wire) -> None:
        guarded = Guarded(wire, certificates)
        guarded.serve_until(b"INCR")
        guarded.alert()
        getattr(wire, end)()

    with Peer(script) as peer:
        async with backend.connect(url(peer, certificates), timeout=5) as asked:
            await asked.execute("PING")

            async def block() -> None:
                await backend.sleep(0)
                threading.Event().wait(0.05)

            one, _, other, _ = await backend.together(
                partial(asked.execute, "INCR", "n"), block, partial(asked.execute, "INCR", "m"), block
            )
    replies = [told for told in (one, other) if not isinstance(told, Exception)]
    errors = [str(told).lower() for told in (one, other) if isinstance(told, Exception)]
    assert replies == [1]  # whichever was sent first
    assert "bad record mac" in errors[0]


@pytest.mark.parametrize("backend", [each for each in BACKENDS if each.name != "uvloop"], ids=lambda each: each.name)
@ENDS
def test_an_alert_that_comes_as_a_call_is_written_is_told(
    backend: Backend, end: str, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There was nothing to read just before. (uvloop sends where no test can come in between.)"""
    armed, writing, ended = threading.Event(), threading.Event(), threading.Event()

    class Late(socket.socket):
        def send(self, data: Any, *flags: int) -> int:
            if armed.is_set() and not writing.is_set():
                writing.set()
                assert ended.wait(5)
            return super().send(data, *flags)

    def script(wire: Wire) -> None:
        guarded = Guarded(wire, certificates)
        guarded.serve_until(b"INCR")
        guarded.flush()
        assert writing.wait(5)
        guarded.alert()
        getattr(wire, end)()
        ended.set()

    async def test() -> None:
        async with backend.connect(url(peer, certificates), timeout=5) as connection:
            assert await connection.execute("INCR", "n") == 1
            armed.set()
            with pytest.raises(RespError) as caught:
                await connection.execute("INCR", "n")
        assert "bad record mac" in str(caught.value).lower()

    with Peer(script) as peer:
        monkeypatch.setattr(socket, "socket", Late)
        backend.run(test)


@ENDS
@contract
async def test_an_alert_right_behind_the_handshake_is_why_there_is_no_connection(
    backend: Backend, end: str, certificates: Certificates
) -> None:
    def script(wire: Wire) -> None:
        guarded = Guarded(wire, certificates)
        guarded.alert()
        getattr(wire, end)()

    with Peer(script) as peer, pytest.raises(ConnectError) as caught:
        async with backend.connect(url(peer, certificates)):
            pass
    assert "bad record mac" in str(caught.value).lower()
    assert not caught.value.transient


@contract
async def test_a_server_whose_certificate_is_not_accepted_is_told_so(
    backend: Backend, certificates: Certificates
) -> None:
    said = []

    def script(wire: Wire) -> None:
        with pytest.raises(ssl.SSLError) as raised:
            Guarded(wire, certificates)
        said.append(str(raised.value).lower())

    with Peer(script) as peer, pytest.raises(ConnectError, match="the server's certificate was not accepted"):
        async with backend.connect(f"rediss://127.0.0.1:{peer.port}"):
            pass
    assert "unknown ca" in said[0]


class Unable(ssl.SSLContext):
    """A context whose connections can encrypt no INCR."""

    def wrap_bio(self, *arguments: Any, **options: Any) -> Any:
        wrapped = super().wrap_bio(*arguments, **options)

        class Object:
            def __getattr__(self, name: str) -> Any:
                return getattr(wrapped, name)

            def write(self, data: Any) -> int:
                if b"INCR" in bytes(data):
                    raise ssl.SSLError(1, "out of keys")
                return wrapped.write(data)

        return Object()


@contract
async def test_where_tls_itself_fails_a_write_has_failed(backend: Backend, certificates: Certificates) -> None:
    context = Unable(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificates.ca)

    def script(wire: Wire) -> None:
        guarded = Guarded(wire, certificates)
        guarded.serve_until(b"ECHO")
        guarded.flush()
        wire.drain()

    with Peer(script) as peer:
        async with backend.connect(f"rediss://127.0.0.1:{peer.port}", ssl_context=context, timeout=5) as connection:
            assert await connection.execute("ECHO", "a") == 1
            with pytest.raises(RespError, match="sending failed: .*out of keys"):
                await connection.execute("INCR", "n")

"""Sockets: open TCP, unix and TLS connections, and move bytes without ever waiting.

`send` and `recv` do what can be done now and raise `BlockingIOError` if that is nothing; waiting is trio's, apart from them.
So there is no checkpoint between the moving of bytes and the machine's learning of it, and no cancellation in between.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import trio
from trio.lowlevel import wait_readable, wait_writable

from resp_sansio import Config, ConnectError, is_transient, reason_of

if TYPE_CHECKING:
    import ssl

__all__ = ["PlainTransport", "TLSTransport", "Transport", "dial", "until"]

RECORDS: Final = 64 * 1024
"""Bytes given to TLS at a time: what it has taken counts as sent, so it gets no more than a few records (16 KiB each)."""


class PlainTransport:
    """A connected TCP or unix socket."""

    __slots__ = ("recv", "send", "socket")

    pending: Final = False
    """Is something there to receive, or left to send, that the socket does not show?"""
    unsent: Final = False

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        # Bound once: these are called for every command.
        self.send = connected.send
        self.recv = connected.recv

    def flush(self) -> None:
        """There is nothing between this and the socket."""


class TLSTransport:
    """TLS between two memory buffers over a socket: one `SSLSocket` can't serve a waiting reader and writers at a time."""

    __slots__ = ("_incoming", "_outgoing", "_rest", "_tls", "pending", "socket")

    def __init__(self, connected: socket.socket, context: ssl.SSLContext, server_name: str | None) -> None:
        import ssl

        self.socket = connected
        self.pending = False
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._rest = memoryview(b"")
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)

    @property
    def unsent(self) -> bool:
        """Encrypted bytes wait for the socket to take them."""
        return bool(self._rest) or self._outgoing.pending > 0

    async def handshake(self) -> None:
        """Raises `ssl.SSLError` or `OSError`."""
        import ssl

        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush_whole()
                await wait_readable(self.socket)
                self._take_records(RECORDS)
            else:
                await self._flush_whole()
                return

    def send(self, data: bytes | memoryview) -> int:
        """Encrypt and send some of `data`; what was encrypted counts as sent. Raises `BlockingIOError` if nothing was."""
        self.flush()
        count = self._tls.write(memoryview(data)[:RECORDS])
        try:
            self.flush()
        except OSError:
            pass  # taken all the same: what is left, or what went wrong, shows at the next flush
        return count

    def flush(self) -> None:
        """Send encrypted bytes that the socket did not take before. Raises `BlockingIOError` if some are left."""
        while self.unsent:
            if not self._rest:
                self._rest = memoryview(self._outgoing.read())
            self._rest = self._rest[self.socket.send(self._rest) :]

    def recv(self, size: int) -> bytes:
        """Return up to `size` decrypted bytes, b"" at the end. Raises `BlockingIOError` if there are none yet."""
        import ssl

        while True:
            try:
                data = self._tls.read(size)
            except ssl.SSLWantReadError:
                self.pending = False
                self._take_records(size)
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                # A missing close_notify changes nothing: RESP has its own lengths, and a cut reply is an error in any case.
                return b""
            else:
                self.pending = self._tls.pending() > 0 or self._incoming.pending > 0
                return data

    def _take_records(self, size: int) -> None:
        records = self.socket.recv(max(size, RECORDS))
        if records:
            self._incoming.write(records)
        else:
            self._incoming.write_eof()

    async def _flush_whole(self) -> None:
        while True:
            try:
                self.flush()
            except BlockingIOError:
                await wait_writable(self.socket)
            else:
                return


Transport: TypeAlias = PlainTransport | TLSTransport


async def dial(config: Config, deadline: float) -> Transport:
    """Open a connection to the configured server before `deadline` (on `trio.current_time`).

    Every resolved address is tried in turn, within what is left of the time. Raises `ConnectError` naming what was tried and
    how it failed.
    """
    context = _context(config) if config.tls else None
    connected = await (
        _connect_unix(config.path, deadline) if config.path is not None else _connect_tcp(config, deadline)
    )
    if context is None:
        return PlainTransport(connected)
    try:
        return await _start_tls(connected, context, config, deadline)
    except BaseException:
        connected.close()
        raise


async def _connect_unix(path: str, deadline: float) -> socket.socket:
    try:
        return await _connect(socket.AF_UNIX, path, deadline)
    except OSError as error:
        raise ConnectError(
            f"cannot connect to unix:{path}: {reason_of(error)}", transient=is_transient(error)
        ) from error


async def _connect_tcp(config: Config, deadline: float) -> socket.socket:
    try:
        with until(deadline):
            found = await trio.socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConnectError(f"cannot resolve {config.host!r}: {reason_of(error)}", transient=True) from error
    failures: list[OSError] = []
    for index, (family, _, _, _, address) in enumerate(found):
        # Each gets its share of what is left of the time, so that a dead one can't use up all of it.
        now = trio.current_time()
        try:
            connected = await _connect(family, address, now + (deadline - now) / (len(found) - index))
        except OSError as error:
            failures.append(error)
            continue
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if config.keepalive is not None:
            _keep_alive(connected, config.keepalive)
        return connected
    told = "; ".join(dict.fromkeys(reason_of(error) for error in failures)) or "no address to try"
    transient = any(is_transient(error) for error in failures)
    raise ConnectError(f"cannot connect to {config.address}: {told}", transient=transient) from (
        failures[-1] if failures else None
    )


async def _connect(family: int, address: Any, deadline: float) -> socket.socket:
    with trio.socket.socket(family, socket.SOCK_STREAM) as connecting:
        try:
            with until(deadline):
                await connecting.connect(address)
        except OSError as error:
            if error.errno is not None:
                # trio puts the address before what the system says.
                raise OSError(error.errno, os.strerror(error.errno)) from error
            raise
        connected = socket.socket(family, socket.SOCK_STREAM, fileno=connecting.detach())
    connected.setblocking(False)
    return connected


def _keep_alive(connected: socket.socket, seconds: int) -> None:
    """TCP's own probes: the first after `seconds` of silence, then three more, a third of that apart."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", seconds), ("TCP_KEEPINTVL", max(seconds // 3, 1)), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _start_tls(
    connected: socket.socket, context: ssl.SSLContext, config: Config, deadline: float
) -> TLSTransport:
    import ssl

    name = config.tls_server_name or (config.host if config.path is None else None)
    try:
        transport = TLSTransport(connected, context, name)
        with until(deadline):
            await transport.handshake()
    except ssl.SSLCertVerificationError as error:
        message = f"{config.address}: the server's certificate was not accepted: {error.verify_message}"
        raise ConnectError(message, transient=False) from error
    except (OSError, ValueError) as error:
        message = f"{config.address}: TLS failed: {reason_of(error)}"
        raise ConnectError(message, transient=isinstance(error, OSError) and is_transient(error)) from error
    return transport


def _context(config: Config) -> ssl.SSLContext:
    """Certificates and names are checked, unless the configuration says in so many words that they are not to be."""
    import ssl

    if config.ssl_context is not None:
        if not isinstance(config.ssl_context, ssl.SSLContext):
            raise TypeError(f"ssl_context must be an ssl.SSLContext, not {type(config.ssl_context).__name__}")
        return config.ssl_context
    try:
        context = ssl.create_default_context(cafile=config.tls_ca_file, capath=config.tls_ca_path)
        if config.tls_cert_file is not None:
            # Never None: OpenSSL would then ask for the password of an encrypted key on the terminal.
            password = config.tls_key_password if config.tls_key_password is not None else ""
            context.load_cert_chain(config.tls_cert_file, config.tls_key_file, password)
    except OSError as error:
        raise ConnectError(f"cannot use the configured certificates: {reason_of(error)}", transient=False) from error
    if not (config.tls_verify and config.tls_check_hostname):
        context.check_hostname = False
    if not config.tls_verify:
        context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Raise `TimeoutError` in the block at this time."""
    with trio.CancelScope(deadline=deadline) as scope:
        yield
    if scope.cancelled_caught:
        raise TimeoutError

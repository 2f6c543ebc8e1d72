"""Sockets: open TCP, unix and TLS connections, and move bytes without ever blocking.

Sockets stay non-blocking for life. `send` and `recv` do what can be done now and raise `BlockingIOError` if that is nothing;
waiting is a `wait` of its own, with the time left. That is what lets threads share a connection without holding a lock
while they wait, and what keeps deadlines exact when signals arrive (SO_RCVTIMEO starts anew with each of them).
"""

from __future__ import annotations

import select
import socket
from math import ceil, inf
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeAlias

from resp_sansio import Config, ConnectError, is_transient, reason_of

if TYPE_CHECKING:
    import ssl

__all__ = ["PlainTransport", "TLSTransport", "Transport", "dial", "is_transient", "wait"]

RECORDS: Final = 64 * 1024
"""Bytes given to TLS at a time: what it has taken counts as sent, so it gets no more than a few records (16 KiB each)."""


class PlainTransport:
    """A connected TCP or unix socket."""

    __slots__ = ("__weakref__", "fileno", "recv", "send", "socket")

    pending: Final = False
    """Is something there to receive, or left to send, that the socket does not show?"""
    unsent: Final = False

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        # Bound once: these are called for every command.
        self.send = connected.send
        self.recv = connected.recv
        self.fileno = connected.fileno()

    def flush(self) -> None:
        """There is nothing between this and the socket."""

    def shut_down(self) -> None:
        """End the connection under those who wait for it, without giving up the descriptor. Idempotent."""
        _shut_down(self.socket)

    def close(self) -> None:
        """Close the socket. Idempotent."""
        self.socket.close()

    def forget(self) -> None:
        """Close this process's descriptor and nothing else: after a fork, the connection belongs to the parent."""
        _forget(self.socket)


class TLSTransport:
    """TLS between two memory buffers over a socket: one `SSLSocket` can't serve a waiting reader and writers at a time.

    `send` and `recv` must not run at the same time (they don't: the connection's lock is held).
    """

    __slots__ = ("__weakref__", "_incoming", "_outgoing", "_rest", "_tls", "fileno", "pending", "socket")

    def __init__(self, connected: socket.socket, context: ssl.SSLContext, server_name: str | None) -> None:
        import ssl

        self.socket = connected
        self.fileno = connected.fileno()
        self.pending = False
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._rest = memoryview(b"")
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)

    @property
    def unsent(self) -> bool:
        """Encrypted bytes wait for the socket to take them."""
        return bool(self._rest) or self._outgoing.pending > 0

    def handshake(self, deadline: float) -> None:
        """Raises `ssl.SSLError`, `OSError` or `TimeoutError`."""
        import ssl

        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush_until(deadline)
                self._wait_for_records(deadline)
            else:
                self._flush_until(deadline)
                return

    def send(self, data: bytes | memoryview) -> int:
        """Encrypt and send some of `data`; what was encrypted counts as sent. Raises `BlockingIOError` if nothing was."""
        self._flush()
        count = self._tls.write(memoryview(data)[:RECORDS])
        try:
            self._flush()
        except OSError:
            pass  # taken all the same: what is left, or what went wrong, shows at the next flush
        return count

    def flush(self) -> None:
        """Send encrypted bytes that the socket did not take before. Raises `BlockingIOError` if some are left."""
        self._flush()

    def recv(self, size: int) -> bytes:
        """Return up to `size` decrypted bytes, b"" at the end. Raises `BlockingIOError` if there are none yet."""
        import ssl

        while True:
            try:
                data = self._tls.read(size)
            except ssl.SSLWantReadError:
                self.pending = False
                records = self.socket.recv(max(size, RECORDS))
                if records:
                    self._incoming.write(records)
                else:
                    self._incoming.write_eof()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                # A missing close_notify changes nothing: RESP has its own lengths, and a cut reply is an error in any case.
                return b""
            else:
                self.pending = self._tls.pending() > 0 or self._incoming.pending > 0
                return data

    def shut_down(self) -> None:
        """As `PlainTransport.shut_down`."""
        _shut_down(self.socket)

    def close(self) -> None:
        """Close the socket without waiting for the peer's close_notify. Idempotent."""
        self.socket.close()

    def forget(self) -> None:
        """As `PlainTransport.forget`."""
        _forget(self.socket)

    def _flush(self) -> None:
        while self.unsent:
            if not self._rest:
                self._rest = memoryview(self._outgoing.read())
            self._rest = self._rest[self.socket.send(self._rest) :]

    def _flush_until(self, deadline: float) -> None:
        while True:
            try:
                self._flush()
            except BlockingIOError:
                _wait_until(self.fileno, deadline, write=True)
            else:
                return

    def _wait_for_records(self, deadline: float) -> None:
        while True:
            try:
                records = self.socket.recv(RECORDS)
            except BlockingIOError:
                _wait_until(self.fileno, deadline, read=True)
            else:
                if records:
                    self._incoming.write(records)
                else:
                    self._incoming.write_eof()
                return


LONGEST: Final = 24 * 3600.0
"""Seconds that one wait lasts at most; whoever wants to wait longer waits again. poll(2) takes a C int of milliseconds: 24 days."""

Transport: TypeAlias = PlainTransport | TLSTransport


def wait(descriptor: int, timeout: float, *, read: bool = False, write: bool = False) -> bool:
    """Wait until the descriptor is readable or writable as asked, or `timeout` seconds, but no more than `LONGEST`, have passed."""
    timeout = min(max(timeout, 0.0), LONGEST)
    if hasattr(select, "poll"):
        poller = select.poll()
        poller.register(descriptor, (select.POLLIN if read else 0) | (select.POLLOUT if write else 0))
        return bool(poller.poll(ceil(timeout * 1000)))
    reads, writes = [descriptor] * read, [descriptor] * write
    return any(select.select(reads, writes, reads + writes, timeout))


def dial(config: Config, deadline: float) -> Transport:
    """Open a connection to the configured server before `deadline` (on `time.monotonic`).

    Name resolution is the system's and can't be bounded. Every resolved address is tried in turn, within what is left of the
    time. Raises `ConnectError` naming what was tried and how it failed.
    """
    connected = _connect_unix(config.path, deadline) if config.path is not None else _connect_tcp(config, deadline)
    if not config.tls:
        return PlainTransport(connected)
    try:
        return _start_tls(connected, config, deadline)
    except BaseException:
        connected.close()
        raise


def _connect_unix(path: str, deadline: float) -> socket.socket:
    try:
        return _connect(socket.AF_UNIX, path, deadline)
    except OSError as error:
        raise ConnectError(
            f"cannot connect to unix:{path}: {reason_of(error)}", transient=is_transient(error)
        ) from error


def _connect_tcp(config: Config, deadline: float) -> socket.socket:
    try:
        found = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConnectError(f"cannot resolve {config.host!r}: {reason_of(error)}", transient=True) from error
    failures: list[OSError] = []
    for index, (family, _, _, _, address) in enumerate(found):
        # Each gets its share of what is left of the time, so that a dead one can't use up all of it.
        now = monotonic()
        try:
            connected = _connect(family, address, now + (deadline - now) / (len(found) - index))
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


def _connect(family: int, address: str | tuple[object, ...], deadline: float) -> socket.socket:
    connecting = socket.socket(family, socket.SOCK_STREAM)
    try:
        connecting.settimeout(None if deadline == inf else max(deadline - monotonic(), 0.001))
        connecting.connect(address)
        connecting.setblocking(False)
    except BaseException:
        connecting.close()
        raise
    return connecting


def _keep_alive(connected: socket.socket, seconds: int) -> None:
    """TCP's own probes: the first after `seconds` of silence, then three more, a third of that apart."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", seconds), ("TCP_KEEPINTVL", max(seconds // 3, 1)), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _start_tls(connected: socket.socket, config: Config, deadline: float) -> TLSTransport:
    import ssl

    context = _context(config) if config.ssl_context is None else config.ssl_context
    if not isinstance(context, ssl.SSLContext):
        raise TypeError(f"ssl_context must be an ssl.SSLContext, not {type(context).__name__}")
    name = config.tls_server_name or (config.host if config.path is None else None)
    try:
        transport = TLSTransport(connected, context, name)
        transport.handshake(deadline)
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


def _shut_down(connected: socket.socket) -> None:
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it has ended already


def _forget(connected: socket.socket) -> None:
    descriptor = connected.detach()
    if descriptor >= 0:  # it may have been closed before
        socket.close(descriptor)


def _wait_until(descriptor: int, deadline: float, *, read: bool = False, write: bool = False) -> None:
    if not wait(descriptor, deadline - monotonic(), read=read, write=write):
        raise TimeoutError("timed out")

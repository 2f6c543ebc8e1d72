"""Sockets: open TCP, unix and TLS connections, and move bytes without ever blocking.

Sockets stay non-blocking for life. `send` and `recv` do what can be done now and raise `BlockingIOError` if that is nothing;
waiting is a `wait` of its own, with the time left. That is what lets threads share a connection without holding a lock
while they wait, and what keeps deadlines exact when signals arrive (SO_RCVTIMEO starts anew with each of them).
"""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Callable
from math import ceil, inf
from time import monotonic
from typing import Any, Final, TypeAlias

from resp_sansio import (
    RECORDS,
    Addresses,
    Config,
    Race,
    TLSLayer,
    is_transient,
    not_connected,
    not_resolved,
    socket_options,
    tls_context,
    tls_failure,
    tls_server_name,
)

__all__ = ["PlainTransport", "TLSTransport", "Transport", "dial", "is_transient", "wait"]


class PlainTransport:
    """A connected TCP or unix socket."""

    __slots__ = ("__weakref__", "fileno", "recv", "send", "socket")

    pending: Final = False
    """Is something there to receive, or left to send, that the socket does not show?"""
    unsent: Final = False

    def __init__(self, connected: socket.socket) -> None:
        self.socket: socket.socket = connected
        # Bound once: these are called for every command.
        self.send: Callable[[bytes | memoryview], int] = connected.send
        self.recv: Callable[[int], bytes] = connected.recv
        self.fileno: int = connected.fileno()

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
    """A connected socket with TLS on it. `send` and `recv` must not run at the same time (they don't: the lock is held)."""

    __slots__ = ("__weakref__", "_layer", "fileno", "socket")

    def __init__(self, connected: socket.socket, layer: TLSLayer) -> None:
        self.socket: socket.socket = connected
        self.fileno: int = connected.fileno()
        self._layer = layer

    @property
    def pending(self) -> bool:
        """As of `PlainTransport`."""
        return self._layer.pending

    @property
    def unsent(self) -> bool:
        """As of `PlainTransport`."""
        return self._layer.unsent

    def shake_hands(self, deadline: float) -> None:
        """Raises `ssl.SSLError`, `OSError` or `TimeoutError`."""
        while not self._layer.shake_hands():
            self._flush_until(deadline)
            self._take_until(deadline)
        self._flush_until(deadline)

    def _flush_until(self, deadline: float) -> None:
        while True:
            try:
                self.flush()
            except BlockingIOError:
                _wait_until(self.fileno, deadline, write=True)
            else:
                return

    def _take_until(self, deadline: float) -> None:
        while True:
            try:
                records = self.socket.recv(RECORDS)
            except BlockingIOError:
                _wait_until(self.fileno, deadline, read=True)
            else:
                self._layer.take(records)
                return

    def send(self, data: bytes | memoryview) -> int:
        """Encrypt and send some of `data`; what was encrypted counts as sent. Raises `BlockingIOError` if nothing was."""
        self.flush()
        count = self._layer.write(data)
        try:
            self.flush()
        except OSError:
            pass  # taken all the same: what is left, or what went wrong, shows at the next flush
        return count

    def flush(self) -> None:
        """Send encrypted bytes that the socket did not take before. Raises `BlockingIOError` if some are left."""
        while output := self._layer.output():
            self._layer.sent(self.socket.send(output))

    def recv(self, size: int) -> bytes:
        """Return up to `size` decrypted bytes, b"" at the end. Raises `BlockingIOError` if there are none yet."""
        while (data := self._layer.read(size)) is None:
            self._layer.take(self.socket.recv(max(size, RECORDS)))
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


UNDER_WAY: Final = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK})
"""What `connect_ex` says of a connection that is to be waited for."""

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


def dial(config: Config, deadline: float, addresses: Addresses | None = None) -> Transport:
    """Open a connection to the configured server before `deadline` (on `time.monotonic`).

    Name resolution is the system's and can't be bounded. Raises `ConnectError`, which says how each address failed that was tried.
    """
    connected = (
        _connect_unix(config, config.path, deadline)
        if config.path is not None
        else _connect_tcp(config, addresses or Addresses(config), deadline)
    )
    if not config.tls:
        return PlainTransport(connected)
    try:
        return _start_tls(connected, config, deadline)
    except BaseException:
        connected.close()
        raise


def _connect_unix(config: Config, path: str, deadline: float) -> socket.socket:
    try:
        connecting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connecting.settimeout(None if deadline == inf else max(deadline - monotonic(), 0.001))
            connecting.connect(path)
            connecting.setblocking(False)
        except BaseException:
            connecting.close()
            raise
    except OSError as error:
        raise not_connected(config, error) from error
    return connecting


def _connect_tcp(config: Config, addresses: Addresses, deadline: float) -> socket.socket:
    try:
        found = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise not_resolved(config, error) from error
    race = addresses.race(found, deadline)
    attempts: dict[int, tuple[socket.socket, Any]] = {}
    try:
        while True:
            while (address := race.next(monotonic())) is not None:
                connecting = socket.socket(address[0], socket.SOCK_STREAM)
                attempts[connecting.fileno()] = connecting, address
                connecting.setblocking(False)
                if (number := connecting.connect_ex(address[4])) not in UNDER_WAY:
                    _fail(race, attempts, connecting, number)
            for descriptor in _connected(list(attempts), race.wake - monotonic()) if attempts else ():
                connecting, address = attempts[descriptor]
                if number := connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    _fail(race, attempts, connecting, number)
                    continue
                for level, name, value in socket_options(config):
                    if hasattr(socket, name):
                        connecting.setsockopt(getattr(socket, level), getattr(socket, name), value)
                race.connected(address)
                del attempts[descriptor]
                return connecting
    finally:
        for connecting, _ in attempts.values():
            connecting.close()


def _fail(race: Race, attempts: dict[int, tuple[socket.socket, Any]], connecting: socket.socket, number: int) -> None:
    del attempts[connecting.fileno()]
    connecting.close()
    race.failed(OSError(number, os.strerror(number)))


def _connected(descriptors: list[int], timeout: float) -> list[int]:
    """Wait until connecting has ended for some of them, well or not, or `timeout` seconds have passed; return those."""
    timeout = min(max(timeout, 0.0), LONGEST)
    if not hasattr(select, "poll"):
        _, connected, failed = select.select([], descriptors, descriptors, timeout)
        return list({*connected, *failed})
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLOUT)
    return [descriptor for descriptor, _ in poller.poll(ceil(timeout * 1000))]


def _start_tls(connected: socket.socket, config: Config, deadline: float) -> TLSTransport:
    import ssl

    context = tls_context(config, ssl)
    try:
        transport = TLSTransport(connected, TLSLayer(ssl, context, tls_server_name(config)))
        transport.shake_hands(deadline)
    except (OSError, ValueError) as error:
        raise tls_failure(config, error) from error
    return transport


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

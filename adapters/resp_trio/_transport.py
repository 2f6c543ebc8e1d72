"""Sockets: open TCP, unix and TLS connections, and move bytes without ever waiting.

`send` and `recv` do what can be done now and raise `BlockingIOError` if that is nothing; waiting is trio's, apart from them.
So there is no checkpoint between the moving of bytes and the machine's learning of it, and no cancellation in between.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias
from weakref import WeakSet

import trio
from trio.lowlevel import enable_ki_protection, wait_readable, wait_writable

from resp_sansio import Config, ConnectError, TLSContext
from resp_sansio.config import (
    RECORDS,
    Addresses,
    Race,
    TLSLayer,
    not_connected,
    not_resolved,
    socket_options,
    tls_context,
    tls_failure,
    tls_server_name,
)

__all__ = ["PlainTransport", "TLSTransport", "Transport", "close_after_fork", "dial", "until"]

_sockets: Final[WeakSet[socket.socket]] = WeakSet()
"""All that were opened here, those included that do not belong to a transport yet."""


class PlainTransport:
    """A connected TCP or unix socket."""

    __slots__ = ("recv", "send", "socket")

    pending: Final = False
    """Is something there to receive, or left to send, that the socket does not show?"""
    unsent: Final = False

    def __init__(self, connected: socket.socket) -> None:
        self.socket: socket.socket = connected
        # Bound once: these are called for every command.
        self.send: Callable[[bytes | memoryview], int] = connected.send
        self.recv: Callable[[int], bytes] = connected.recv

    def flush(self) -> None:
        """There is nothing between this and the socket."""

    def close(self) -> None:
        """Close the socket, see `shut`."""
        shut(self.socket)


class TLSTransport:
    """A connected socket with TLS on it."""

    __slots__ = ("_layer", "socket")

    def __init__(self, connected: socket.socket, layer: TLSLayer) -> None:
        self.socket: socket.socket = connected
        self._layer = layer

    @property
    def pending(self) -> bool:
        """As of `PlainTransport`."""
        return self._layer.pending

    @property
    def unsent(self) -> bool:
        """As of `PlainTransport`."""
        return self._layer.unsent

    async def shake_hands(self) -> None:
        """Raises `ssl.SSLError` or `OSError`."""
        while not self._layer.shake_hands():
            await self._flush_whole()
            await wait_readable(self.socket)
            self._layer.take(self.socket.recv(RECORDS))
        await self._flush_whole()

    async def _flush_whole(self) -> None:
        while True:
            try:
                self.flush()
            except BlockingIOError:
                await wait_writable(self.socket)
            else:
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

    def close(self) -> None:
        """Close the socket, see `shut`."""
        shut(self.socket)


Transport: TypeAlias = PlainTransport | TLSTransport


async def dial(config: Config, addresses: Addresses, deadline: float) -> Transport:
    """Open a connection to the configured server before `deadline` (on `trio.current_time`).

    Raises `ConnectError`, which says how each address failed that was tried.
    """
    context = None
    if config.tls:
        import ssl

        context = tls_context(config, ssl)
    connected = await (
        _connect_unix(config, config.path, deadline)
        if config.path is not None
        else _connect_tcp(config, addresses, deadline)
    )
    if context is None:
        return PlainTransport(connected)
    try:
        return await _start_tls(connected, context, config, deadline)
    except BaseException:
        shut(connected)
        raise


async def _connect_unix(config: Config, path: str, deadline: float) -> socket.socket:
    try:
        return await _connect(socket.AF_UNIX, path, deadline)
    except OSError as error:
        raise not_connected(config, error) from error


async def _connect_tcp(config: Config, addresses: Addresses, deadline: float) -> socket.socket:
    try:
        with until(deadline):
            found = await trio.socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise not_resolved(config, error) from error
    connected = await _Attempts(addresses.race(found, deadline), deadline).run()
    for level, name, value in socket_options(config):
        if hasattr(socket, name):
            connected.setsockopt(getattr(socket, level), getattr(socket, name), value)
    return connected


class _Attempts:
    """Attempts to connect, side by side."""

    def __init__(self, race: Race, deadline: float) -> None:
        self._race = race
        self._deadline = deadline
        self._connected: list[socket.socket] = []
        self._failure: ConnectError | None = None
        self._ended = trio.Event()  # one of them

    @enable_ki_protection
    async def run(self) -> socket.socket:
        try:
            async with trio.open_nursery() as nursery:
                while not self._connected and self._failure is None:
                    self._ended = trio.Event()
                    self._begin(nursery)
                    with trio.move_on_at(self._race.wake):
                        await self._ended.wait()
                nursery.cancel_scope.cancel()
            if self._failure is not None:
                raise self._failure
            return self._connected.pop()
        finally:
            for connected in self._connected:
                shut(connected)

    def _begin(self, nursery: trio.Nursery) -> None:
        try:
            while (address := self._race.next(trio.current_time())) is not None:
                nursery.start_soon(self._connect, address)
        except ConnectError as error:
            self._failure = error
            self._ended.set()

    @enable_ki_protection
    async def _connect(self, address: Any) -> None:
        try:
            connected = await _connect(address[0], address[4], self._deadline)
        except OSError as error:
            self._race.failed(error)
        else:
            self._race.connected(address)
            self._connected.append(connected)
        self._ended.set()


async def _connect(family: int, address: Any, deadline: float) -> socket.socket:
    connecting = socket.socket(family, socket.SOCK_STREAM)
    _sockets.add(connecting)
    try:
        connecting.setblocking(False)
        with until(deadline):
            await trio.socket.from_stdlib_socket(connecting).connect(address)
    except BaseException as error:
        connecting.close()
        if isinstance(error, OSError) and error.errno is not None:
            # trio puts the address before what the system says.
            raise OSError(error.errno, os.strerror(error.errno)) from error
        raise
    return connecting


async def _start_tls(connected: socket.socket, context: TLSContext, config: Config, deadline: float) -> TLSTransport:
    import ssl

    try:
        transport = TLSTransport(connected, TLSLayer(ssl, context, tls_server_name(config)))
        with until(deadline):
            await transport.shake_hands()
    except (OSError, ValueError) as error:
        raise tls_failure(config, error) from error
    return transport


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Raise `TimeoutError` in the block at this time."""
    with trio.CancelScope(deadline=deadline) as scope:
        yield
    if scope.cancelled_caught:
        raise TimeoutError


def shut(connected: socket.socket) -> None:
    """Close a socket; first tell the server that nothing more will come, whatever other process holds it since a fork."""
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is not connected any more
    connected.close()


def close_after_fork() -> None:
    """In the child of a fork: close what the parent had open, without a word to the server or to the parent's run of trio."""
    for opened in list(_sockets):
        descriptor = opened.detach()
        if descriptor >= 0:  # it may have been closed before
            os.close(descriptor)

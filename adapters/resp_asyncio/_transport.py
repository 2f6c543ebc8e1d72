"""Sockets: open TCP and unix connections, and hand them over to a protocol of asyncio's.

A socket is connected first, so that every address gets its share of the time, and what failed (name, connection) can be told.
"""

from __future__ import annotations

import asyncio
import errno
import os
import select
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from math import inf
from time import monotonic
from typing import Any, Final
from weakref import WeakKeyDictionary

from resp_sansio import Config
from resp_sansio.client import TLSWire
from resp_sansio.config import Addresses, not_resolved, socket_options

__all__ = ["dial", "hand_over", "last_words", "poll_of", "receive_buffer", "shut_down", "tls_of", "until"]

RECEIVE: Final = 120 * 1024
"""Bytes received at a time at most, into a buffer that all links of a loop share: it is empty again before the next turn.

Parts that are larger than 128 KiB glibc takes from the kernel and gives back, page by page, each time: measured with replies of
1 MiB, that costs up to seven times as much.
"""

_buffers: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview]] = WeakKeyDictionary()


def tls_of(config: Config) -> TLSWire | None:
    """Return the TLS of a new link, None if it has none. Raises as `TLSWire`."""
    if not config.tls:
        return None
    import ssl

    return TLSWire(config, ssl)


async def dial(config: Config, addresses: Addresses, deadline: float) -> socket.socket:
    """Return a socket that is connected to the configured server, before `deadline` (on `time.monotonic`).

    Raises `ConnectError`, which says how each address failed that was tried.
    """
    race = addresses.race(await _resolve(config, deadline), deadline)
    attempts: dict[socket.socket, Any] = {}  # no tasks, which would outlive one that is cancelled
    connecting: socket.socket | None
    try:
        while True:
            number = errno.EINPROGRESS
            if (address := race.next(monotonic())) is None:
                connecting = await _writable(attempts, race.wake)
            else:
                try:
                    connecting, number = _begin(address)
                except OSError as error:  # a system without IPv6, a path that is too long
                    race.failed(error)
                    continue
                attempts[connecting] = address
            if connecting is not None and (number := _ended(connecting, number)) != errno.EINPROGRESS:
                address = attempts.pop(connecting)
                if not number:
                    race.connected(address)
                    return _with_options(connecting, config)
                connecting.close()
                race.failed(OSError(number, os.strerror(number)))
    finally:
        for connecting in attempts:
            connecting.close()


def _begin(address: Any) -> tuple[socket.socket, int]:
    """Begin an attempt, and return what `connect_ex` says of it."""
    connecting = socket.socket(address[0], socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        return connecting, connecting.connect_ex(address[4])
    except BaseException:
        connecting.close()
        raise


async def _resolve(config: Config, deadline: float) -> list[Any]:
    """Addresses as `socket.getaddrinfo` gives them; for a name it runs in a thread, since it may take its time."""
    if config.path is not None:
        return [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", config.path)]
    try:
        return socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        pass
    try:
        async with until(deadline):
            return await asyncio.get_running_loop().getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise not_resolved(config, error) from error


async def _writable(attempts: Iterable[socket.socket], until_when: float) -> socket.socket | None:
    """Wait until one of them has something to say, and return it; None if none has in time."""
    loop = asyncio.get_running_loop()
    writable: asyncio.Future[socket.socket] = loop.create_future()
    for connecting in attempts:
        loop.add_writer(connecting, _set, writable, connecting)
    try:
        async with until(until_when):
            return await writable
    except TimeoutError:
        return None
    finally:
        for connecting in attempts:
            loop.remove_writer(connecting)


def _set(writable: asyncio.Future[socket.socket], connecting: socket.socket) -> None:
    if not writable.done():
        writable.set_result(connecting)


def _ended(connecting: socket.socket, number: int) -> int:
    """Return how an attempt has ended, as `connect_ex` does, which said `number` at first."""
    if number == errno.EINPROGRESS and not (number := connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
        try:
            connecting.getpeername()
        except OSError:
            return errno.EINPROGRESS
    return number


def _with_options(connected: socket.socket, config: Config) -> socket.socket:
    for level, name, value in socket_options(config) if config.path is None else ():
        if hasattr(socket, name):
            connected.setsockopt(getattr(socket, level), getattr(socket, name), value)
    return connected


async def hand_over(connected: socket.socket, protocol: asyncio.BaseProtocol) -> None:
    """Give a connected socket to the loop, for this protocol."""
    loop = asyncio.get_running_loop()
    unix = connected.family == getattr(socket, "AF_UNIX", None)
    await (loop.create_unix_connection if unix else loop.create_connection)(lambda: protocol, sock=connected)


def receive_buffer(loop: asyncio.AbstractEventLoop) -> memoryview:
    """Return the buffer of this loop."""
    if loop not in _buffers:
        _buffers[loop] = memoryview(bytearray(RECEIVE))
    return _buffers[loop]


def until(deadline: float) -> AbstractAsyncContextManager[object]:
    """Raise `TimeoutError` in the block at this time."""
    return asyncio.timeout(None if deadline == inf else deadline - monotonic())


def poll_of(transport: asyncio.Transport, what: int) -> Callable[[float], list[tuple[int, int]]] | None:
    """Return a function that asks whether bytes have come that were not read; None on systems without poll."""
    if not hasattr(select, "poll"):
        return None
    poller = select.poll()
    poller.register(transport.get_extra_info("socket").fileno(), what)
    return poller.poll


def shut_down(transport: asyncio.Transport, last: bytes | memoryview = b"") -> None:
    """Send what fits of these last bytes, and tell the server that no more will come, whatever other process holds the socket."""
    try:
        with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as connected:  # uvloop's can't
            if last:
                connected.send(last)
            connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is not connected any more


def last_words(transport: asyncio.Transport) -> Iterator[bytes]:
    """Read what had come when writing failed, from a socket that is about to be closed."""
    connected = transport.get_extra_info("socket")
    if connected is None or connected.fileno() < 0:
        return
    while True:
        try:
            data = os.read(connected.fileno(), RECEIVE)
        except OSError:
            return
        if not data:
            return
        yield data

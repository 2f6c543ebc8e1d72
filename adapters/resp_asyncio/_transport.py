"""Sockets: open TCP and unix connections, for a protocol of asyncio's.

The socket is connected first and given to the loop then, so that every address gets its share of the time, and what failed
(name, connection) can be told.
"""

from __future__ import annotations

import asyncio
import errno
import os
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from math import inf
from time import monotonic
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from resp_sansio import Config
from resp_sansio.client import TLSWire
from resp_sansio.config import Addresses, Race, not_connected, not_resolved, socket_options

__all__ = ["dial", "last_words", "poll_of", "receive_buffer", "shut_down", "tls_of", "until"]

RECEIVE: Final = 120 * 1024
"""Bytes received at a time at most, into a buffer that all links of a loop share: it is empty again before the next turn.

Parts that are larger than 128 KiB glibc takes from the kernel and gives back, page by page, each time: measured with replies of
1 MiB, that costs up to seven times as much.
"""

UNDER_WAY: Final = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK})
"""What `connect_ex` says of a connection that is to be waited for."""

MakeProtocol: TypeAlias = Callable[[], asyncio.BufferedProtocol]
Attempts: TypeAlias = dict[asyncio.Future[None], tuple[socket.socket, Any]]

_buffers: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview]] = WeakKeyDictionary()


def tls_of(config: Config) -> TLSWire | None:
    """Return the TLS of a new link, None if it has none. Raises as `TLSWire`."""
    if not config.tls:
        return None
    import ssl

    return TLSWire(config, ssl)


async def dial(config: Config, addresses: Addresses, protocol: MakeProtocol, deadline: float) -> None:
    """Open a connection to the configured server, for `protocol()`, before `deadline` (on `time.monotonic`).

    Raises `ConnectError`, which says how each address failed that was tried.
    """
    connected = await (
        _connect_unix(config, config.path, deadline)
        if config.path is not None
        else _connect_tcp(config, addresses, deadline)
    )
    loop = asyncio.get_running_loop()
    try:
        if config.path is not None:
            await loop.create_unix_connection(protocol, sock=connected)
        else:
            await loop.create_connection(protocol, sock=connected)
    except BaseException:
        connected.close()
        raise


async def _connect_unix(config: Config, path: str, deadline: float) -> socket.socket:
    try:
        return await _connect(socket.AF_UNIX, path, deadline)
    except OSError as error:
        raise not_connected(config, error) from error


async def _connect_tcp(config: Config, addresses: Addresses, deadline: float) -> socket.socket:
    try:
        found = await _resolve(config, deadline)
    except OSError as error:
        raise not_resolved(config, error) from error
    loop = asyncio.get_running_loop()
    race = addresses.race(found, deadline)
    attempts: dict[
        asyncio.Future[None], tuple[socket.socket, Any]
    ] = {}  # no tasks, which would outlive one that is cancelled
    try:
        while True:
            while (address := race.next(monotonic())) is not None:
                connecting = socket.socket(address[0], socket.SOCK_STREAM)
                ended = loop.create_future()
                attempts[ended] = connecting, address
                connecting.setblocking(False)
                if (number := connecting.connect_ex(address[4])) in UNDER_WAY:
                    loop.add_writer(connecting, _set, ended)
                else:
                    _fail(race, attempts, ended, number)
            if not attempts:
                continue
            time = None if race.wake == inf else max(race.wake - monotonic(), 0.0)
            for ended in (await asyncio.wait(attempts, timeout=time, return_when=asyncio.FIRST_COMPLETED))[0]:
                connecting, address = attempts[ended]
                if number := connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    _fail(race, attempts, ended, number)
                    continue
                loop.remove_writer(connecting)
                _set_options(connecting, config)
                race.connected(address)
                del attempts[ended]
                return connecting
    finally:
        for connecting, _ in attempts.values():
            _give_up(connecting)


def _fail(race: Race, attempts: Attempts, ended: asyncio.Future[None], number: int) -> None:
    _give_up(attempts.pop(ended)[0])
    race.failed(OSError(number, os.strerror(number)))


def _set(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)


def _give_up(connecting: socket.socket) -> None:
    asyncio.get_running_loop().remove_writer(connecting)
    connecting.close()


def _set_options(connected: socket.socket, config: Config) -> None:
    for level, name, value in socket_options(config):
        if hasattr(socket, name):
            connected.setsockopt(getattr(socket, level), getattr(socket, name), value)


async def _resolve(config: Config, deadline: float) -> list[Any]:
    """Addresses as `socket.getaddrinfo` gives them; for a name it runs in a thread, since it may take its time."""
    try:
        return socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        async with until(deadline):
            return await asyncio.get_running_loop().getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)


async def _connect(family: int, address: Any, deadline: float) -> socket.socket:
    connecting = socket.socket(family, socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        async with until(deadline):
            await asyncio.get_running_loop().sock_connect(connecting, address)
    except BaseException as error:
        connecting.close()
        if isinstance(error, OSError) and error.errno is not None:
            # asyncio's own loop puts the address in the place of what the system says.
            raise OSError(error.errno, os.strerror(error.errno)) from error
        raise
    return connecting


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

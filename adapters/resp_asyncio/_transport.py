"""Sockets: open TCP, unix and TLS connections, for a protocol of asyncio's.

The socket is connected first and given to the loop then, so that every address gets its share of the time, and what failed
(name, connection, TLS) can be told.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from math import inf
from time import monotonic
from typing import Any, Final

from resp_sansio import (
    Addresses,
    Config,
    TLSContext,
    not_connected,
    not_resolved,
    socket_options,
    tls_context,
    tls_failure,
    tls_server_name,
)

__all__ = ["dial", "last_words", "poll_of", "until"]

LONGEST: Final = 24 * 3600.0
"""Seconds that one timer lasts at most; whoever wants to wait longer waits again. Loops differ in what they take."""


async def dial(
    config: Config, addresses: Addresses, protocol: Callable[[], asyncio.BaseProtocol], deadline: float
) -> None:
    """Open a connection to the configured server, for `protocol()`, before `deadline` (on `time.monotonic`).

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
    loop = asyncio.get_running_loop()
    try:
        if context is not None:
            await _start_tls(connected, context, config, protocol, deadline)
        elif config.path is not None:
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
    race = addresses.race(found, deadline)
    attempts: dict[asyncio.Task[socket.socket], Any] = {}
    try:
        while True:
            while (address := race.next(monotonic())) is not None:
                attempts[asyncio.create_task(_connect(address[0], address[4], deadline))] = address
            time = None if race.wake == inf else max(race.wake - monotonic(), 0.0)
            for attempt in (await asyncio.wait(attempts, timeout=time, return_when=asyncio.FIRST_COMPLETED))[0]:
                address = attempts[attempt]
                if isinstance(failure := attempt.exception(), OSError):
                    del attempts[attempt]
                    race.failed(failure)
                    continue
                connected = attempt.result()
                _set_options(connected, config)
                race.connected(address)
                del attempts[attempt]
                return connected
    finally:
        await _give_up(attempts)


async def _give_up(attempts: Iterable[asyncio.Task[socket.socket]]) -> None:
    """Leave nothing of them."""
    for attempt in attempts:
        attempt.cancel()
    for ended in await asyncio.gather(*attempts, return_exceptions=True):
        if isinstance(ended, socket.socket):
            ended.close()


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


async def _start_tls(
    connected: socket.socket,
    context: TLSContext,
    config: Config,
    protocol: Callable[[], asyncio.BaseProtocol],
    deadline: float,
) -> None:
    import ssl

    assert isinstance(context, ssl.SSLContext)
    try:
        async with until(deadline):
            await asyncio.get_running_loop().create_connection(
                # The loop's own limit is of no use: it is told in another way.
                protocol, sock=connected, ssl=context, server_hostname=tls_server_name(config), ssl_handshake_timeout=LONGEST
            )  # fmt: skip
    except (OSError, ValueError) as error:
        raise tls_failure(config, error) from error


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


def last_words(transport: asyncio.Transport) -> Iterator[bytes]:
    """Read what had come when writing failed, from a socket that is about to be closed. Under TLS it can't be read here."""
    connected = transport.get_extra_info("socket")
    if connected is None or connected.fileno() < 0 or transport.get_extra_info("ssl_object") is not None:
        return
    while True:
        try:
            data = os.read(connected.fileno(), 64 * 1024)
        except OSError:
            return
        if not data:
            return
        yield data

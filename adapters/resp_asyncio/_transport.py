"""Sockets: open TCP, unix and TLS connections, for a protocol of asyncio's.

The socket is connected first and given to the loop then, so that every address gets its share of the time, and what failed
(name, connection, TLS) can be told.
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
from typing import Any, Final, TypeAlias, cast
from weakref import WeakKeyDictionary

from resp_sansio import Config, TLSContext
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

__all__ = ["dial", "last_words", "poll_of", "receive_buffer", "shut_down", "until"]

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


async def dial(config: Config, addresses: Addresses, protocol: MakeProtocol, deadline: float) -> None:
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
            await _start_tls(connected, config, context, protocol, deadline)
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


async def _start_tls(
    connected: socket.socket, config: Config, context: TLSContext, protocol: MakeProtocol, deadline: float
) -> None:
    import ssl

    try:
        tls = TLSTransport(TLSLayer(ssl, context, tls_server_name(config)))
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: tls, sock=connected)
        try:
            async with until(deadline):
                await tls.ended
            tls.serve(protocol)
        except BaseException:
            shut_down(transport)
            transport.abort()
            raise
    except (OSError, ValueError) as error:
        raise tls_failure(config, error) from error


class TLSTransport(asyncio.BufferedProtocol):
    """TLS between the loop's transport, whose protocol this is, and a protocol, whose transport it is.

    The loop's own TLS forgets what has come when a write fails.
    """

    abort: Callable[[], None]
    is_closing: Callable[[], bool]
    get_extra_info: Callable[[str], Any]
    pause_reading: Callable[[], None]
    resume_reading: Callable[[], None]
    set_write_buffer_limits: Callable[[int, int], None]

    def __init__(self, layer: TLSLayer) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()  # of the handshake, well or not
        self._buffer = receive_buffer(asyncio.get_running_loop())
        self._layer = layer
        self._protocol: asyncio.BufferedProtocol | None = None
        self._failure: Exception | None = None

    def serve(self, make: MakeProtocol) -> None:
        """Go on for this protocol, now that the handshake has ended. Raises how, `OSError` or `ValueError`, if not well."""
        if self._failure is not None:
            raise self._failure
        self._protocol = protocol = make()
        protocol.connection_made(cast("asyncio.Transport", self))
        self._read(protocol)

    def write(self, data: bytes | memoryview) -> None:
        """Encrypt and send all of it."""
        try:
            while data:
                data = data[self._layer.write(data) :]
        except OSError as error:
            self._fail(error)
        self._flush()

    # -- for the loop --------------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._transport = transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self.abort, self.is_closing = transport.abort, transport.is_closing
        self.pause_reading, self.resume_reading = transport.pause_reading, transport.resume_reading
        self.get_extra_info, self.set_write_buffer_limits = transport.get_extra_info, transport.set_write_buffer_limits
        self._shake_hands()

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Where to put records."""
        return self._buffer

    def buffer_updated(self, count: int) -> None:
        """Records have come."""
        self._take(self._buffer[:count])

    def _take(self, records: bytes | memoryview) -> None:
        self._layer.take(records)
        if self._protocol is not None:
            self._read(self._protocol)
        else:
            self._shake_hands()

    def eof_received(self) -> None:
        """There are no more."""
        self._take(b"")

    def connection_lost(self, error: Exception | None) -> None:
        """The transport has ended."""
        if error is not None:
            for data in _unread(self._transport):
                self._take(data)
        self._failure = self._failure or error
        if self._protocol is not None:
            self._protocol.connection_lost(self._failure)
            return
        self._failure = self._failure or ConnectionResetError("the connection has ended")
        _set(self.ended)

    def pause_writing(self) -> None:
        """The transport keeps records that the socket does not take."""
        if self._protocol is not None:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """The socket has taken them all."""
        if self._protocol is not None:
            self._protocol.resume_writing()

    # -- records -------------------------------------------------------------------------------------------------------------

    def _shake_hands(self) -> None:
        if self.ended.done():
            return
        try:
            over = self._layer.shake_hands()
        except (OSError, ValueError) as error:
            self._failure, over = error, True
        self._flush()
        if over:
            _set(self.ended)

    def _flush(self) -> None:
        while records := self._layer.output():
            self._transport.write(records)
            self._layer.sent(len(records))

    def _read(self, protocol: asyncio.BufferedProtocol) -> None:
        """Hand over what can be decrypted."""
        buffer, filled = cast("memoryview", protocol.get_buffer(-1)), 0
        failure: Exception | None = None
        data: bytes | None = None
        more = True
        while more:
            try:
                data = self._layer.read(RECORDS)
            except OSError as error:
                failure, data = error, None
            more = bool(data) and self._layer.pending
            if data:
                buffer[filled : filled + len(data)] = data
                filled += len(data)
            if filled and (not more or filled > len(buffer) - RECORDS):
                protocol.buffer_updated(filled)
                filled = 0
        self._flush()
        if failure is not None:
            self._fail(failure)
        elif data == b"":
            protocol.eof_received()

    def _fail(self, error: Exception) -> None:
        self._failure = error
        self._transport.abort()


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


def shut_down(transport: asyncio.Transport) -> None:
    """Tell the server that nothing more will come, whatever other process holds the socket."""
    try:
        with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as connected:  # uvloop's can't
            connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is not connected any more


def last_words(transport: asyncio.Transport) -> Iterator[bytes]:
    """Read what had come when writing failed, from a socket that is about to be closed. With TLS that was done before."""
    return iter(()) if isinstance(transport, TLSTransport) else _unread(transport)


def _unread(transport: asyncio.Transport) -> Iterator[bytes]:
    connected = transport.get_extra_info("socket")
    if connected is None or connected.fileno() < 0:
        return
    while True:
        try:
            data = os.read(connected.fileno(), RECORDS)
        except OSError:
            return
        if not data:
            return
        yield data

"""Sockets: open TCP and unix connections, and move the bytes of links.

A socket is connected first and handed over to the loop then, so that every address gets its share of the time, and what failed
(name, connection) can be told.
"""

from __future__ import annotations

import asyncio
import errno
import os
import select
import socket
from collections.abc import Iterable, Iterator
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import WeakKeyDictionary

from resp_sansio import Config
from resp_sansio.client import Client, Dial, Lease, Link, Share
from resp_sansio.config import socket_options
from resp_sansio.connection import Slot
from resp_sansio.surface.tasks import Poll, Polls, find_addresses

if TYPE_CHECKING:
    from ._driver import Driver

__all__ = ["Socket", "dial", "hand_over", "until"]

RECEIVE: Final = 120 * 1024
"""Bytes received at a time at most, into a buffer that all links of a loop share: it is empty again before the next turn.

Parts that are larger than 128 KiB glibc takes from the kernel and gives back, page by page, each time: measured with replies of
1 MiB, that costs up to seven times as much.
"""

HAND_OVER: Final = 64 * 1024
"""Bytes given to the transport at a time. The bytes that it keeps count as sent, so it gets no more before those have gone."""

CAN_POLL: Final = hasattr(select, "poll")

_shared: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[memoryview, Polls]]] = WeakKeyDictionary()


async def dial(wanted: Dial) -> socket.socket:
    """Return a socket that is connected to the dial's server, before the deadline (on `time.monotonic`).

    Raises `ConnectError`, which says how each address failed that was tried.
    """
    wanted.begin(monotonic())
    look_up = partial(asyncio.get_running_loop().run_in_executor, None)
    race = wanted.begin_race(await find_addresses(wanted, socket, until(wanted.deadline), look_up))
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
                    return _with_options(connecting, wanted.config)
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
    for option in socket_options(config, socket):
        connected.setsockopt(*option)
    return connected


async def hand_over(connected: socket.socket, link_socket: Socket) -> None:
    """Give a connected socket to the loop, for a link."""
    loop = asyncio.get_running_loop()
    unix = connected.family == getattr(socket, "AF_UNIX", None)
    await (loop.create_unix_connection if unix else loop.create_connection)(lambda: link_socket, sock=connected)
    if link_socket.lost:
        connected.detach()  # uvloop has closed it, but this object would do so again, though its number may be another's by now


class Socket(asyncio.BufferedProtocol):
    """A link's socket, as the loop sees it."""

    __slots__ = (
        "_buffer", "_closed", "_core", "_driver", "_loop", "_machine", "_paused", "_polls", "_reading", "_scheduled",
        "_transport", "_wire", "link", "poll",
    )  # fmt: skip

    def __init__(self, link: Link, driver: Driver) -> None:
        self._loop = asyncio.get_running_loop()
        self.link: Link = link
        self._machine: Client = link.home
        self._driver = driver
        self._core, self._wire = link.core, link.wire
        self._buffer, self._polls = _shared_of(self._loop)
        self._transport: asyncio.Transport | None = None
        self.poll: Poll | None = None  # has something come that was not read yet?
        self._paused = True  # the transport takes no more for now
        self._reading = True  # and gives what it has; else pushes are to be taken first
        self._scheduled = False  # `flush` will be called in this turn of the loop
        self._closed: asyncio.Future[None] | None = None  # what `close` waits for

    # -- for the loop --------------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        if self.link.ended:
            self._transport.abort()
            return
        self._paused = False
        # It tells of every byte that it has to keep, and when there are none.
        self._transport.set_write_buffer_limits(high=0, low=0)
        self.flush()

    @property
    def lost(self) -> bool:
        """Is there no transport any more?"""
        return self._transport is None

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Where to put what comes."""
        return self._buffer

    def buffer_updated(self, count: int) -> None:
        """Bytes have come."""
        answered = self._machine.receive_replies(self.link, bytes(self._buffer[:count]), monotonic())
        if answered is None:
            events = self._machine.events()
            self._driver.carry_out(events)
            several = len(events) > 1
            self._pause_reading()
        else:
            for slot in answered:
                waiter: Any = slot.token
                if waiter is not None and not waiter.done():  # None: it was begun ahead, and no task waits yet
                    waiter.set_result(None)
            several = len(answered) > 1
        # Several wake up now, and may well have more to ask: what they send goes out behind the last of them.
        if not self._scheduled and (several or self._wire.wants_to_send):
            self._scheduled = True
            self._loop.call_soon(self.flush)

    def eof_received(self) -> None:
        """The server sends no more."""
        self._machine.receive_eof(self.link, monotonic())
        self._driver.carry_out()

    def connection_lost(self, error: Exception | None) -> None:
        """The transport has ended; the socket is closed when this returns."""
        link, transport, self._transport = self.link, self._transport, None
        self._polls.drop(self)
        if not link.ended:
            if error is not None and transport is not None:
                for data in _last_words(transport):  # a server says why, and then closes
                    self._driver.carry_out(self._machine.receive_data(link, data, monotonic()))
            self._machine.receive_eof(link, monotonic(), error)
            self._driver.carry_out()
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    def pause_writing(self) -> None:
        """The transport keeps bytes that the socket does not take."""
        self._paused = True

    def resume_writing(self) -> None:
        """The socket has taken them all."""
        if not self.link.ended:
            self._paused = False
            self.flush()

    def flush(self) -> None:
        """Hand over what is queued. Bytes that no command asked for must not answer it: they are read first."""
        if self._core.in_flight or not (self._reading and self._wire.wants_to_send and self.has_more()):
            self._hand_over()
        else:
            self._scheduled = True
            self._loop.call_soon(
                self._loop.call_soon, self._hand_over
            )  # the turn after the next one is behind their reading

    def _hand_over(self) -> None:
        """As far as it goes."""
        self._scheduled = False
        wire, transport = self._wire, self._transport
        try:
            while not self._paused and transport is not None and (block := wire.data_to_send()):
                if len(block) > HAND_OVER:
                    if transport.is_closing():
                        break
                    block = memoryview(block)[:HAND_OVER]
                wire.sent(len(block))  # before, because `write` may call `resume_writing`
                transport.write(block)
        except OSError as error:  # of TLS: the transport tells of its own otherwise
            self._machine.send_failed(self.link, error, monotonic())
            self._driver.carry_out()
        self._read_on()  # a reply is behind what was left unread

    def _pause_reading(self) -> None:
        """While too many pushes wait to be taken, what follows is left to TCP."""
        transport = self._transport
        if self._reading and not self._core.wants_to_receive and transport is not None and not transport.is_closing():
            self._reading = False
            transport.pause_reading()

    def _read_on(self) -> None:
        transport = self._transport
        if not self._reading and self._core.wants_to_receive and transport is not None and not transport.is_closing():
            self._reading = True
            transport.resume_reading()

    # -- for the driver --------------------------------------------------------------------------------------------------------

    def start(self, slot: Slot, now: float, lease: Lease[Link] | Share | None) -> bool:
        """Begin a call on this link, at once if nothing else is under way; False to decline, and then nothing has changed."""
        transport = self._transport
        if not self._reading:
            return False
        scheduled = self._scheduled
        if not scheduled and not self._core.in_flight and (self._paused or (self.poll or self._new_poll())(0)):
            return False
        payload = self._machine.start(slot, now, lease, scheduled)
        if payload:
            assert transport is not None
            transport.write(payload)
        elif payload is None:
            return False
        elif not scheduled:
            self._scheduled = True
            self._loop.call_soon(self.flush)
        return True

    def wants_to_send(self) -> None:
        """A call has put something on the link, or it may be read on."""
        self._read_on()
        if not self._scheduled:
            if self._core.in_flight:
                self._scheduled = True
                self._loop.call_soon(self.flush)
            else:
                self.flush()

    def has_more(self) -> bool:
        """Is there something to read that has not been read yet?"""
        return CAN_POLL and self._transport is not None and bool((self.poll or self._new_poll())(0))

    def _new_poll(self) -> Poll:
        transport = self._transport
        return self._polls.new(self, -1 if transport is None else transport.get_extra_info("socket").fileno())

    def answer_look(self) -> None:
        """Say `looked` once what has come is read."""
        if self.has_more():
            self._loop.call_soon(self._loop.call_soon, self._looked)
        else:
            self._looked()

    def _looked(self) -> None:
        self._machine.looked(self.link, monotonic())
        self._driver.carry_out()

    def close(self) -> None:
        """End now. The connection is shut down first, since the child of a fork may hold the socket."""
        if self._transport is not None:
            _shut_down(self._transport, b"" if self._paused else self._wire.data_to_send())
            self._transport.abort()
        self._paused = True

    def closed(self) -> asyncio.Future[None] | None:
        """Return the future of the transport's end, None if it has ended."""
        if self._transport is not None and self._closed is None:
            self._closed = asyncio.get_running_loop().create_future()
        return self._closed

    def detach_after_fork(self) -> None:
        """In the child the socket is the parent's: to end it would tell the loop's selector, which both share."""
        self._transport = None
        self._polls.drop(self)


def _shared_of(loop: asyncio.AbstractEventLoop) -> tuple[memoryview, Polls]:
    """Return what all sockets of this loop share: the buffer into which they receive, and who has a poll object."""
    if loop not in _shared:
        _shared[loop] = memoryview(bytearray(RECEIVE)), Polls(select)
    return _shared[loop]


def until(deadline: float) -> AbstractAsyncContextManager[object]:
    """Raise `TimeoutError` in the block at this time."""
    return asyncio.timeout(None if deadline == inf else deadline - monotonic())


def _shut_down(transport: asyncio.Transport, last: bytes | memoryview = b"") -> None:
    """Send what fits of these last bytes, and tell the server that no more will come, whatever other process holds the socket."""
    with suppress(OSError), socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as connected:
        with suppress(OSError):  # it takes no more, or is not connected any more
            if last:
                connected.send(last)
        connected.shutdown(socket.SHUT_RDWR)  # uvloop's own object can't


def _last_words(transport: asyncio.Transport) -> Iterator[bytes]:
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

"""Sockets: open TCP and unix connections.

What is moved over them is moved without waiting, which is trio's, apart from that: so there is no checkpoint between the moving of
bytes and the machine's learning of it, and no cancellation in between.
"""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final
from weakref import WeakSet

import trio
from trio.lowlevel import enable_ki_protection

from resp_sansio import ConnectError
from resp_sansio.client import Dial
from resp_sansio.config import Race, socket_options
from resp_sansio.surface.tasks import find_addresses

__all__ = ["close_after_fork", "dial", "shut", "until"]

_sockets: Final[WeakSet[socket.socket]] = WeakSet()
"""All that were opened here, those included that do not belong to a link yet."""


async def dial(wanted: Dial) -> socket.socket:
    """Open a connection to the dial's server before the deadline (on `trio.current_time`).

    Raises `ConnectError`, which says how each address failed that was tried.
    """
    wanted.begin(trio.current_time())
    look_up = partial(trio.to_thread.run_sync, abandon_on_cancel=True)
    race = wanted.begin_race(await find_addresses(wanted, socket, until(wanted.deadline), look_up))
    connected = await (_connect_only if race.is_alone else _connect_first)(race)
    for option in socket_options(wanted.config, socket):
        connected.setsockopt(*option)
    return connected


@enable_ki_protection
async def _connect_only(race: Race) -> socket.socket:
    """Attempt the only address there is, without a task beside this one."""
    while True:
        address = race.next(trio.current_time())  # once it has failed, this raises
        assert address is not None
        try:
            async with until(race.wake):
                connected = await _connect(address[0], address[4])
        except OSError as error:  # or its time is up
            race.failed(error)
        else:
            race.connected(address)
            return connected


@enable_ki_protection
async def _connect_first(race: Race) -> socket.socket:
    """Attempt addresses side by side, as the race says."""
    connected: list[socket.socket] = []
    failure: ConnectError | None = None

    @enable_ki_protection
    async def attempt(address: Any) -> None:
        try:
            connected.append(await _connect(address[0], address[4]))
            race.connected(address)
        except OSError as error:
            race.failed(error)
        ended.set()

    try:
        async with trio.open_nursery() as nursery:
            try:
                while not connected:
                    ended = trio.Event()
                    while (address := race.next(trio.current_time())) is not None:
                        nursery.start_soon(attempt, address)
                    with trio.move_on_at(race.wake):
                        await ended.wait()
            except ConnectError as error:
                failure = error  # out of here it would be in a group
            nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return connected.pop()
    finally:
        for unused in connected:
            shut(unused)


async def _connect(family: int, address: Any) -> socket.socket:
    connecting = socket.socket(family, socket.SOCK_STREAM)
    _sockets.add(connecting)
    try:
        connecting.setblocking(False)
        await trio.socket.from_stdlib_socket(connecting).connect(address)
    except BaseException as error:
        connecting.close()
        if isinstance(error, OSError) and error.errno is not None:
            # trio puts the address before what the system says.
            raise OSError(error.errno, os.strerror(error.errno)) from error
        raise
    return connecting


@asynccontextmanager
async def until(deadline: float) -> AsyncGenerator[None, None]:
    """Raise `TimeoutError` in the block at this time."""
    with trio.CancelScope(deadline=deadline) as scope:
        yield
    if scope.cancelled_caught:
        raise TimeoutError


def shut(connected: socket.socket, last: bytes | memoryview = b"") -> None:
    """Close a socket; first tell the server that nothing more will come, whatever other process holds it since a fork.

    Of these last bytes as much is sent as the network takes.
    """
    with suppress(OSError):  # it takes no more, or is not connected any more
        if last:
            connected.send(last)
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
    connected.close()


def close_after_fork() -> None:
    """In the child of a fork: close what the parent had open, without a word to the server or to the parent's run of trio."""
    for opened in list(_sockets):
        descriptor = opened.detach()
        if descriptor >= 0:  # it may have been closed before
            os.close(descriptor)

"""Sockets: open TCP and unix connections, and move bytes without ever blocking.

Sockets stay non-blocking for life. `send` and `recv` do what can be done now and raise `BlockingIOError` if that is nothing;
waiting is a step of its own, with the time left. That is what lets threads share a connection without holding a lock
while they wait, and what keeps deadlines exact when signals arrive (SO_RCVTIMEO starts anew with each of them).
"""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Callable, Generator
from math import ceil
from time import monotonic
from typing import Any, Final, TypeAlias

from resp_sansio.client import Dial, TLSWire
from resp_sansio.config import Race, read_credentials, socket_options

__all__ = ["LONGEST", "Opening", "poll_of", "shut_down", "wait_for"]

LONGEST: Final = 24 * 3600.0
"""Seconds that one wait lasts at most; longer waits are several. poll(2) takes a C int of milliseconds: 24 days."""


def shut_down(connected: socket.socket, last: bytes | memoryview = b"") -> None:
    """Send what fits of these last bytes, and end the connection, although a thread waits for it or a child of a fork holds it.

    The descriptor is kept. Idempotent.
    """
    try:
        if last:
            connected.send(last)
    except OSError:
        pass  # it may have ended already
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def poll_of(descriptor: int) -> Callable[[float], Any]:
    """Return what waits so many milliseconds until this one is readable, and returns something true if it is."""
    if not hasattr(select, "poll"):
        return lambda milliseconds: wait_for([descriptor], milliseconds / 1000, read=True)
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return poller.poll


def wait_for(descriptors: list[int], timeout: float, *, read: bool = False, write: bool = False) -> list[int]:
    """Wait until one of them is readable or writable as asked, or `timeout` seconds, but no more than `LONGEST`, have passed.

    Returns those that are ready.
    """
    timeout = min(max(timeout, 0.0), LONGEST)
    if hasattr(select, "poll"):
        poller = select.poll()
        for descriptor in descriptors:
            poller.register(descriptor, (select.POLLIN if read else 0) | (select.POLLOUT if write else 0))
        return [descriptor for descriptor, _ in poller.poll(ceil(timeout * 1000))]
    ready = select.select(descriptors * read, descriptors * write, descriptors, timeout)
    return list({descriptor for kind in ready for descriptor in kind})


Steps: TypeAlias = Generator[tuple[list[int], float], list[int], None]
"""Yields the descriptors to wait for, until one is writable, and until when; gets those that are."""

UNDER_WAY: Final = frozenset({0, errno.EINPROGRESS})
"""What `connect_ex` says of a connection that is to be waited for."""


class Opening:
    """A connection to a dial's server that is being opened, step by step: if one thread does not go on, another can.

    Name resolution is the system's and can't be bounded; all else ends at the dial's deadline (on `time.monotonic`). Making one
    asks the provider of credentials, if there is one, and makes the link's TLS; it raises what these raise. `connected` is its
    socket, once it is open.
    """

    __slots__ = ("_attempts", "_config", "_steps", "_wants", "connected", "credentials", "tls")

    def __init__(self, dial: Dial) -> None:
        self._config = config = dial.config
        self.credentials: tuple[str | None, str | bytes] | None = None
        if config.credentials is not None:
            self.credentials = read_credentials(config.ask_for_credentials())
        self.tls: TLSWire | None = None
        if config.tls:
            import ssl

            self.tls = TLSWire(config, ssl)
        self.connected: socket.socket | None = None
        self._attempts: dict[int, tuple[socket.socket, Any]] = {}
        self._steps = self._open(dial)
        self._wants: tuple[list[int], float] | None = None

    def go_on(self, until: float) -> bool:
        """Go on until it is open, or that time has come: is it open?

        Raises `ConnectError`, which says how each address failed that was tried.
        """
        while True:
            ready = None
            if self._wants is not None:
                descriptors, deadline = self._wants
                ready = wait_for(descriptors, min(until, deadline) - monotonic(), write=True)
                if not ready and monotonic() < deadline:
                    return False
            try:
                self._wants = self._steps.send(ready)  # type: ignore[arg-type]  # None the first time, as it has to be
            except StopIteration:
                return True

    @property
    def sockets(self) -> list[socket.socket]:
        """All that are open for it now."""
        return [attempt for attempt, _ in self._attempts.values()]

    def close(self) -> None:
        """Give it up. Idempotent."""
        for each in self.sockets:
            shut_down(each)  # first: the child of a fork may hold it
            each.close()
        try:
            self._steps.close()  # not left to the end of its last reference: an interrupt that strikes there is lost
        except ValueError:
            pass  # another thread takes a step, and finds its sockets closed

    def _open(self, dial: Dial) -> Steps:
        dial.begin(monotonic())
        found = dial.addresses(socket)
        race = dial.begin_race(dial.look_up(socket) if found is None else found)
        connected: socket.socket | None = None
        while connected is None:
            while (address := race.next(monotonic())) is not None:
                self._begin(race, address)
            for descriptor in (yield list(self._attempts), race.wake) if self._attempts else ():
                attempt, address = self._attempts[descriptor]
                if number := attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    self._failed(race, attempt, OSError(number, os.strerror(number)))
                elif connected is None:
                    connected = attempt
                    race.connected(address)
        for each in self.sockets:
            if each is not connected:
                each.close()
        for option in socket_options(self._config, socket):
            connected.setsockopt(*option)
        self.connected = connected

    def _begin(self, race: Race, address: Any) -> None:
        attempt = None
        try:
            attempt = socket.socket(address[0], socket.SOCK_STREAM)
            self._attempts[attempt.fileno()] = attempt, address
            attempt.setblocking(False)
            if (number := attempt.connect_ex(address[4])) not in UNDER_WAY:
                raise OSError(number, os.strerror(number))
        except OSError as error:  # or there are no sockets of this kind, or Python itself finds the path too long
            self._failed(race, attempt, error)

    def _failed(self, race: Race, attempt: socket.socket | None, error: OSError) -> None:
        if attempt is not None:
            del self._attempts[attempt.fileno()]
            attempt.close()
        race.failed(error)

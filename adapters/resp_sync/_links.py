"""The state of a driver, and its sockets: move the bytes of links between these and the machine.

All of it is done under the lock, and nothing of it waits. While bytes move, `_moving` is their link: if an interrupt strikes before
the machine knows, that link ends, since it could not be said any more whose reply is next.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from random import random
from threading import Lock, RLock
from time import monotonic
from typing import Final

from resp_sansio.client import DONE, Client, Dial, Link, Post, Steps, TLSWire
from resp_sansio.config import of_the_system
from resp_sansio.connection import Connection
from resp_sansio.surface.threads import Make

from ._transport import Opening, poll_of, shut_down

__all__ = ["Links", "Socket"]

RECEIVE: Final = 64 * 1024
"""Bytes asked of the socket at a time: enough for a thousand small replies. In a fresh process, blocks of more than 128 KiB are
mapped and unmapped by the C library each time, at more than they save on large values."""


class Socket(Post):
    """A link's socket."""

    __slots__ = ("core", "fileno", "recv", "send", "socket", "wire")

    def __init__(self, link: Link, connected: socket.socket) -> None:
        super().__init__(link)
        self.core: Connection = link.core
        self.wire: Connection | TLSWire = link.wire
        self.socket: socket.socket = connected
        self.fileno: int = connected.fileno()
        # Bound once: these are called for every command.
        self.send: Callable[[bytes | memoryview], int] = connected.send
        self.recv: Callable[[int], bytes] = connected.recv
        self.poll = poll_of(self.fileno)


class Links(Steps):
    """The state of a driver, and its sockets. `make` makes the machine, anew in the child of a fork."""

    __slots__ = ("__weakref__", "_forked", "_inside", "_lock", "_make", "_moving", "_openings", "_reporting")

    def __init__(self, make: Make, whose: str) -> None:
        self.whose = whose
        self._make = make
        self.begin()

    def begin(self) -> None:
        """Begin, or begin anew in the child of a fork."""
        super().__init__(self._make(random), monotonic)
        self._lock = RLock()
        self._inside = False  # true on entering the lock means that this very thread was interrupted in there
        self._forked = False  # all that is open is another process's
        self._moving: Link | None = None  # its bytes move, and the machine does not know yet
        self._openings: dict[Dial, Opening] = {}
        self._reporting = Lock()  # held by the thread that tells of what there is to report

    # -- bytes ---------------------------------------------------------------------------------------------------------------------

    def _send(self, io: Socket) -> None:
        link, wire, send = io.link, io.wire, io.send
        io.deferred = 0.0
        if link.dial is None and (io.reader is None or not io.core.in_flight):
            self._catch_up(io)  # what came unasked must not answer this
        if link.ended:
            return
        failure = None
        self._moving = link
        io.stuck = False
        try:
            while block := wire.data_to_send():
                wire.sent(send(block))
        except (BlockingIOError, InterruptedError):
            io.stuck = True
        except OSError as error:
            failure = of_the_system(error)
        self._moving = None
        if not io.reads:
            io.reads = io.core.wants_to_receive  # a reply is behind what was left unread
        if failure is not None:
            self._not_sent(io, failure)

    def _not_sent(self, io: Socket, failure: OSError) -> None:
        """Writing failed. What has come is read first: a server says why, and then closes."""
        while not io.link.ended and self._receive(io):
            pass
        io.link.home.send_failed(io.link, failure, monotonic())
        self._carry_out()

    def _receive(self, io: Socket) -> bool:
        """As asked. If there is more, the next turn finds it, after a look at the clock."""
        link = io.link
        machine: Client = link.home
        answered = None
        self._moving = link
        try:
            data = io.recv(RECEIVE)
        except (BlockingIOError, InterruptedError):
            self._moving = None
            return False
        except OSError as error:
            machine.receive_eof(link, monotonic(), of_the_system(error))
        else:
            if data:
                answered = machine.receive_replies(link, data, monotonic())
            else:
                machine.receive_eof(link, monotonic())
        self._moving = None
        if answered is None:
            io.reads = io.core.wants_to_receive  # else pushes are to be taken first, which will be told
            if not self._telling:
                self._carry_out()
        elif self.crew.sleepers:
            self.crew.answered(io, answered)
        else:
            for slot in answered:
                if slot.token is not None:
                    slot.token = DONE
        return True

    # -- the end of a socket -----------------------------------------------------------------------------------------------------

    def _close(self, io: Socket) -> None:
        """As asked: the socket's number could be given anew under a thread that waits for it."""
        self.crew.lost(io)
        try:
            last = b"" if io.stuck else io.wire.data_to_send()  # TLS may say why
        except OSError:
            last = b""
        shut_down(io.socket, last)  # first: the child of a fork may hold it
        if not io.used:
            io.socket.close()
            self.crew.forget(io)

    def _drop_opening(self, dial: Dial) -> None:
        opening = self._openings.get(dial)
        if opening is not None:
            opening.close()
            self._forget_opening(dial)  # only now: if closing is cut short, the next to mend closes it

    def _forget_opening(self, dial: Dial) -> None:
        self._openings.pop(dial, None)
        if not self._openings:
            self._openings = {}  # an idle client need not keep the room of a full one

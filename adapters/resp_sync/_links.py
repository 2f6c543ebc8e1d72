"""Bytes and events: move the bytes of links between their sockets and the machine, and carry out what the machine says.

All of it is done under the lock, and nothing of it waits. While bytes move, `_moving` is their link: if an interrupt strikes before
the machine knows, that link ends, since it could not be said any more whose reply is next.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from random import random
from threading import Lock, RLock
from time import monotonic
from typing import Any, Final

from resp_sansio.client import (
    DONE,
    Client,
    ClientEvent,
    Close,
    Crew,
    Dial,
    Leaked,
    Link,
    Look,
    Post,
    Report,
    TLSWire,
)
from resp_sansio.connection import Connection
from resp_sansio.surface.threads import Make

from ._transport import Opening, of_the_system, poll_of, shut_down

__all__ = ["Links", "Socket"]

RECEIVE: Final = 64 * 1024
"""Bytes asked of the socket at a time: enough for a thousand small replies. In a fresh process, blocks of more than 128 KiB are
mapped and unmapped by the C library each time, at more than they save on large values."""


PIECES: Final = 16
"""How many of them are taken in before a command is sent, at most: a server may never stop."""


class Socket(Post):
    """A link's socket. `poll` waits so many milliseconds for something to receive."""

    __slots__ = ("core", "fileno", "poll", "recv", "send", "socket", "wire")

    def __init__(self, link: Link, connected: socket.socket) -> None:
        super().__init__(link)
        self.core: Connection = link.core
        self.wire: Connection | TLSWire = link.wire
        self.socket: socket.socket = connected
        self.fileno: int = connected.fileno()
        # Bound once: these are called for every command.
        self.send: Callable[[bytes | memoryview], int] = connected.send
        self.recv: Callable[[int], bytes] = connected.recv
        self.poll: Callable[[float], Any] = poll_of(self.fileno)


class Links:
    """The state of a driver, and its sockets. `make` makes the machine, anew in the child of a fork."""

    __slots__ = (
        "__weakref__", "_forked", "_inside", "_lock", "_look_at", "_make", "_moves", "_moving", "_openings", "_reporting",
        "_reports", "_telling", "_todo", "_torn", "crew", "machine", "now", "whose",
    )  # fmt: skip

    def __init__(self, make: Make, whose: str) -> None:
        self.whose: str = whose
        self._make = make
        self.begin()

    def begin(self) -> None:
        """Begin, or begin anew in the child of a fork."""
        self.machine: Client = self._make(random)
        self.crew: Crew = Crew()
        self.now: Callable[[], float] = monotonic
        self._lock = RLock()
        self._inside = False  # true on entering the lock means that this very thread was interrupted in there
        self._torn: list[object] = []  # not empty: something was left half-done; threads add to it without the lock
        self._forked = False  # all that is open is another process's
        self._moving: Link | None = None  # its bytes move, and the machine does not know yet
        self._telling = False
        self._todo: list[ClientEvent] = []  # what the machine said, and is not carried out; the last one goes first
        self._openings: dict[Dial, Opening] = {}
        self._reports: list[Callable[[], None]] = []  # what is to be told without the lock, in this order
        self._reporting = Lock()  # held by the thread that does so
        self._look_at = 0.0
        self._moves = 0

    # -- bytes ---------------------------------------------------------------------------------------------------------------------

    def _send(self, io: Socket) -> None:
        """Send what is queued, as far as it goes."""
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
        """Take in one piece of what has come, if any has. If there is more, the next turn finds it, after a look at the clock."""
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

    def _catch_up(self, io: Socket) -> None:
        """Take in what has come, and no thread has read it."""
        for _ in range(PIECES):
            # A reader that waits for it has the poll object, which is for one thread at a time.
            readable = io.reads and not io.link.ended and (io.reader is not None or io.poll(0))
            if not readable or not self._receive(io):
                break

    def _take_in(self, posts: Iterable[Post]) -> None:
        """Take in what has come where no thread reads: it came in time, and what it answers need not be held any longer."""
        for io in posts:
            assert isinstance(io, Socket)
            if io.reader is None:
                self._catch_up(io)
            self.crew.attend(io)
        self._carry_out()

    # -- the end of a socket -----------------------------------------------------------------------------------------------------

    def _close(self, io: Socket) -> None:
        """End a socket, but never close it under a thread that waits for it: its number could be given anew."""
        self.crew.lost(io)
        try:
            last = b"" if io.stuck else io.wire.data_to_send()  # TLS may say why
        except OSError:
            last = b""
        shut_down(io.socket, last)  # first: the child of a fork may hold it
        if not io.used:
            io.socket.close()
            self.crew.forget(io)

    # -- what the machine says ---------------------------------------------------------------------------------------------------

    def _carry_out(self) -> None:
        """Carry out all that the machine has said, and what follows. Safe to be cut short."""
        if self._telling:
            return  # it is being done
        self._telling = True
        machine, todo = self.machine, self._todo
        todo[:0] = machine.events()[::-1]
        while todo:
            self._tell(todo[-1])
            todo.pop()
            if machine.has_events:
                todo[:0] = machine.events()[::-1]
        self._telling = False

    def _tell(self, event: ClientEvent) -> None:
        crew = self.crew
        match event:
            case Link(io=Socket() as io):
                if not event.ended:
                    crew.attend(io)
                    self._send(io)
                    io.reads = io.core.wants_to_receive
                    crew.look_after(io)
            case Dial():
                if event not in crew.dials and event not in crew.dialling:
                    self._drop_opening(event)  # an interrupt may have left it, used up
                    crew.wanted(event)
            case Look(link):
                self._catch_up(link.io)
                link.home.looked(link, monotonic())
            case Close(link):
                if link.io is not None:
                    self._close(link.io)
            case Leaked(lease):
                self._reports.append(lease.report)
            case Report(report):
                self._reports.append(report)
            case _:
                crew.told(event)

    def _drop_opening(self, dial: Dial) -> None:
        opening = self._openings.get(dial)
        if opening is not None:
            opening.close()
            self._forget_opening(dial)  # only now: if closing is cut short, the next to mend closes it

    def _forget_opening(self, dial: Dial) -> None:
        self._openings.pop(dial, None)
        if not self._openings:
            self._openings = {}  # an idle client need not keep the room of a full one

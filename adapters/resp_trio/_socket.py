"""Who moves the bytes of one link: of the callers that wait there, one leads.

It waits for the socket, receives for all, and wakes those whom it concerns; when it leaves, it appoints another. The others are
parked. (Measured: with a reader task for each link a lone caller's GET takes 24 us instead of 20, for two tasks are woken.) A link
that owes replies to no caller is read by a task of the client's.

Bytes move between socket and machine without a checkpoint in between: nothing is cancelled there, and no KeyboardInterrupt
strikes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from socket import socket
from typing import TYPE_CHECKING, Any, Final

from trio import ClosedResourceError, current_time, open_nursery
from trio.lowlevel import (
    Task,
    checkpoint,
    checkpoint_if_cancelled,
    notify_closing,
    reschedule,
    wait_readable,
    wait_writable,
)

from resp_sansio import ConnectionLostError
from resp_sansio.client import Client, Link, Listener
from resp_sansio.connection import Slot
from resp_sansio.surface.tasks import Caller, Loan, Poll

from ._clock import clock_of_the_run
from ._guarded import guarded
from ._transport import shut
from ._work import alone

if TYPE_CHECKING:
    from ._driver import Driver

__all__ = ["Socket", "socket_of", "wake"]

RECEIVE: Final = 64 * 1024
"""Bytes asked of the socket at a time: enough for a thousand small replies. In a fresh process, blocks of more than 128 KiB are
mapped and unmapped by the C library each time, at more than they save on large values."""

PIECES: Final = 16
"""How many of them are received before others get their turn: 1 MiB takes about as long as a hundred turns of trio's loop."""


def wake(caller: Caller) -> None:
    """Wake this caller: what it waits for has come, or it is to lead. Its `token` is where it waits.

    That is the dictionary that holds the parked task, or the socket at which it leads.
    """
    place: Any = caller.token
    if isinstance(place, dict):
        caller.token = None
        reschedule(place.pop(caller))
    elif place is not None:
        place.rouse()


@guarded
class Socket:
    """A link's socket, and the callers at it."""

    __slots__ = (
        "_driver", "_machine", "_polls", "_recv", "_send", "_waits", "_wire", "connected", "core", "crowd", "due", "leader",
        "link", "parked", "poll", "stuck",
    )  # fmt: skip

    def __init__(self, driver: Driver, link: Link, connected: socket) -> None:
        self._driver = driver
        self._machine: Client = link.home
        self.core, self._wire = link.core, link.wire
        # Bound once: these are called for every command.
        self._send: Callable[[bytes | memoryview], int] = connected.send
        self._recv: Callable[[int], bytes] = connected.recv
        self.link, self.connected = link, connected
        self.leader: Caller | Socket | None = None  # it waits for the socket; this itself: a task of the client's does
        self.parked: dict[Caller, Task] = {}
        self.due: bool = False  # a caller that has given the others a turn will send
        self.crowd: bool = False  # several were woken together, and may well have more to ask
        self.stuck: bool = False  # the socket takes no more for now
        self._waits = False  # the leader does, and is not on its way
        self.poll: Poll | None = None  # has something come that was not read?
        self._polls = clock_of_the_run().polls

    # -- who reads -----------------------------------------------------------------------------------------------------------

    async def lead(self) -> None:
        """Wait for the socket once, and do what is to be done then."""
        wait: Callable[[socket], Awaitable[None]] = wait_readable
        if self.stuck:
            wait = wait_both_ways if self.core.wants_to_receive else wait_writable
        self._waits = True
        try:
            await wait(self.connected)
        except ClosedResourceError:
            pass  # roused, or closed
        finally:
            self._waits = False
        if not self.link.ended:
            self.receive()
            if not self.due and self._wire.wants_to_send:
                self.flush()

    async def keep(self) -> None:
        """Read, in a task of the client's: while the link opens, whenever it owes replies that no caller waits for; and news."""
        try:
            while not self.link.ended:
                owed = (self.core.in_flight or self.link.awaited) and self.core.wants_to_receive
                asked = owed or self.stuck or self.link.news_from is not None
                if self.link.dial is None and (not asked or self._successor() is not None):
                    break
                await self.lead()
        finally:
            self.leader = None
            self.appoint()

    def appoint(self) -> None:
        """See that what comes is read, if a caller waits for it or it is owed."""
        if self.leader is not None or self.link.ended:
            return
        if self._driver.parked and self.link.registry is not None:
            self._adopt()
        if not (self.parked or self.core.in_flight or self.stuck or self.link.awaited):
            return
        if not (self.stuck or self.core.wants_to_receive):
            return  # pushes are to be taken before more is read
        successor = self._successor()
        if successor is not None:
            self.leader = successor
            wake(successor)
            successor.token = self  # where it is to lead, and to step down if its call has ended before it is here
        elif self._driver.work.start(self.keep):
            self.leader = self

    def _adopt(self) -> None:
        """Callers that waited for a link to listen on have this one now."""
        parked = self._driver.parked
        for caller in [caller for caller in parked if isinstance(caller, Listener) and caller.link is self.link]:
            self.parked[caller] = parked.pop(caller)
            caller.token = self.parked

    def _successor(self) -> Caller | None:
        """Return the parked caller that came last: its reply comes last, too, so it leads for longest."""
        if self.parked:
            return next(reversed(self.parked))
        slot: Slot | None = self.link.slot  # it was parked when the link was not its yet
        return slot if slot is not None and slot.link is self.link and isinstance(slot.token, dict) else None

    def rouse(self) -> None:
        """Have the leader look again at what it waits for."""
        if self._waits:
            notify_closing(self.connected)

    # -- bytes ---------------------------------------------------------------------------------------------------------------

    async def give_others_a_turn(self) -> None:
        """Let them add their commands, so that all go out together."""
        self.due = True
        try:
            await checkpoint()
            if self.crowd:
                await checkpoint()  # trio runs those of a turn in any order: now all that were woken have been here
        finally:
            self.due = self.crowd = False

    def start(self, slot: Slot, now: float, loan: Loan | None) -> bool | None:
        """Begin a call on this link, and say whether it was sent; None to decline, and then nothing has changed.

        It is sent at once if nothing else is under way, and no others are about to ask; what has come was read just before.
        """
        payload = self._machine.start(slot, now, loan, self.due or self.crowd)
        if not payload:
            return None if payload is None else False
        try:
            count = self._send(payload)
        except OSError:
            count = 0  # `flush` meets it again
        if count < len(payload):
            self.core.unsent(payload[count:])
            self.flush()
        return True

    def wants_to_send(self) -> None:
        """The machine has put something on the link, or it may be read on."""
        if not self.due:
            self.look_first()
            self.flush()
        self.appoint()

    def flush(self) -> None:
        """Send what is queued, as far as it goes."""
        if self.link.ended:
            return
        wire, send = self._wire, self._send
        try:
            while block := wire.data_to_send():
                wire.sent(send(block))
            self.stuck = False
        except (BlockingIOError, InterruptedError):
            if not self.stuck:
                self.stuck = True
                self.rouse()
        except OSError as error:
            self.receive()  # the server may have said why, before it closed
            self._machine.send_failed(self.link, error, current_time())
            self._driver.carry_out()
        except BaseException:
            self._break()
            raise

    def look_first(self) -> None:
        """Before something is sent: take in what has come, for it must not answer that. Where replies are due, the leader does."""
        if self.leader is None or not self.core.in_flight:
            self.look()

    def look(self) -> None:
        """Take in what has come."""
        if not self.link.ended and (self.poll or self._polls.new(self, self.connected.fileno()))(0):
            self.receive()

    def has_more(self) -> bool:
        """May there be something that was not read?"""
        return bool((self.poll or self._polls.new(self, self.connected.fileno()))(0))

    def answer_look(self) -> None:
        """Take in what has come, and say so."""
        self.look()
        self._machine.looked(self.link, current_time())

    def receive(self) -> None:
        """Receive what is there."""
        core, driver, link, machine, recv = self.core, self._driver, self.link, self._machine, self._recv
        try:
            for _ in range(PIECES):
                if not core.wants_to_receive:
                    break
                data = recv(RECEIVE)
                if not data:
                    machine.receive_eof(link, current_time())
                    driver.carry_out()
                    break
                answered = machine.receive_replies(link, data, current_time())
                if answered is None:
                    events = machine.events()
                    self.crowd = self.crowd or len(events) > 1
                    driver.carry_out(events)
                else:
                    self.crowd = self.crowd or len(answered) > 1
                    for slot in answered:
                        if slot.token is not self or self._waits:
                            wake(slot)
                if link.ended or len(data) < RECEIVE:
                    break
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            machine.receive_eof(link, current_time(), error)
            driver.carry_out()
        except BaseException:
            self._break()
            raise

    def _break(self) -> None:
        """Bytes may have moved that the machine does not know of."""
        error = ConnectionLostError("a call was interrupted while bytes were moving")
        self._machine.abort(self.link, error, current_time(), uncertain=True)
        self._driver.carry_out()

    def close(self) -> None:
        """End now."""
        self.rouse()
        for caller in [caller for caller in self.parked if isinstance(caller, Listener)]:
            wake(caller)  # it may go on listening on the next one
        self.shut(b"" if self.stuck else self._wire.data_to_send())

    def shut(self, last: bytes | memoryview = b"") -> None:
        """Close the socket itself, behind these last bytes."""
        self._polls.drop(self)
        shut(self.connected, last)


def socket_of(listener: Listener) -> Socket | None:
    """Return the socket at which this listener waits, None if there is none now."""
    link: Link | None = listener.link
    return None if link is None else link.io


async def wait_both_ways(connected: socket) -> None:
    """Wait until the socket can be read from or written to: rare, so it may cost two tasks."""

    async def wait(for_one: Callable[[socket], Awaitable[None]]) -> None:
        try:
            await for_one(connected)
        except ClosedResourceError:
            pass  # it shows in what is done next
        nursery.cancel_scope.cancel()

    try:
        async with open_nursery() as nursery:
            nursery.start_soon(wait, wait_readable)
            nursery.start_soon(wait, wait_writable)
    except BaseExceptionGroup as group:
        await checkpoint_if_cancelled()  # cancelled from outside, or interrupted: say so as without a nursery
        raise alone(group) from None

"""Drive one `resp_sansio.Connection` with a socket, from any number of threads and without one of its own.

A caller who is alone encodes, sends and receives on its own thread. Where several share the connection, one of those who wait
reads for all, and wakes whom it concerns. While some of these are still on their way, commands are left for the last of them
to send: under one interpreter lock, a system call for each would cost more than it hastens.

The lock is the law, and is never held while anything waits: bytes move between socket and machine only under it, so they can't
get out of order, whoever moves them. The roles of reader and writer are hints about who waits for the socket while the others
sleep; a role whose holder has gone is free.

Interrupts may strike anywhere. Between a byte's move and the machine's learning of it they end the connection, since nobody
could say any more whose reply is next; everywhere else they cost the interrupted call its reply, and nothing else.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from math import inf
from threading import Lock, RLock, get_ident
from time import monotonic
from typing import Any, Final, Self
from weakref import WeakSet

from resp_sansio import (
    Command,
    Config,
    ConnectError,
    ConnectionClosedError,
    ConnectionLost,
    ConnectionLostError,
    Fallback,
    Lease,
    LocalProtocolError,
    Push,
    PushReceived,
    Reply,
    RespError,
    Slot,
    SlotState,
    State,
    command_info,
    not_opened,
    read_credentials,
)
from resp_sansio import Connection as Machine

from ._transport import LONGEST, Transport, dial, is_transient, wait

__all__ = ["Driver", "check_not_patched"]

READY: Final = State.READY
CLOSING: Final = State.CLOSING
QUEUED: Final = SlotState.QUEUED
HANDED: Final = SlotState.HANDED
ANSWERED: Final = SlotState.ANSWERED
LOST: Final = SlotState.LOST
LISTENING: Final = command_info(("next_push",))

# What a caller waits for: to be woken, or the socket.
SLEEP: Final = 0
READ: Final = 1
WRITE: Final = 2

RECEIVE: Final = 64 * 1024
"""Bytes asked of the socket at a time: enough for a thousand small replies. In a fresh process, blocks of more than 128 KiB are
mapped and unmapped by the C library each time, at more than they save on large values."""

NAP: Final = 0.25
"""Seconds after which a sleeping caller looks whether its waker still exists: a second interrupt can catch the first one's
cleaning up, and then nobody wakes anybody."""


PATIENCE: Final = 100e-6
"""Seconds for which commands may be left for the last one to wake up; after that the next one to wake sends them. Eight
threads that do nothing else take 50 microseconds for a round."""


class Driver:
    """What callers' threads know of a connection: they move its bytes between socket and machine, and wake each other.

    Waiters are the slots themselves. Somebody is there for a slot as long as its token says so.
    """

    __slots__ = (
        "__weakref__", "_config", "_deferred", "_inside", "_late", "_listeners", "_lock", "_parked", "_pings", "_poller", "_pushes",
        "_reader", "_silence", "_stuck", "_transport", "_waking", "_writer", "core",
    )  # fmt: skip

    def __init__(self, config: Config, core: Machine, transport: Transport) -> None:
        self.core: Machine = core
        self._config = config
        self._transport = transport
        self._lock = RLock()
        self._inside = False  # true on entering the lock means that this very thread was interrupted in there
        self._reader: Slot | None = None
        self._writer: Slot | None = None
        self._pings = config.ping_interval is not None
        self._silence = inf if config.silence_timeout is None else config.silence_timeout
        self._late = (
            False  # a reply did not come in time, and nothing since: whoever comes has the machine look at the time
        )
        self._stuck = False  # the socket takes no more for now
        self._deferred = 0.0  # since when something queued was left for another to send; 0.0 if nothing is
        self._parked: dict[Slot, Lock] = {}  # who sleeps until woken, in the order of going to sleep
        self._waking: dict[Slot, None] = {}  # who was woken and does not run yet
        self._pushes: deque[Push] | None = None  # made for the first one, as most connections see none
        self._listeners: list[Slot] = []  # who waits for a push: slots that were never submitted
        self._poller = select.poll() if hasattr(select, "poll") else None
        if self._poller is not None:
            self._poller.register(transport.fileno, select.POLLIN)
        _drivers.add(self)

    @classmethod
    def open(
        cls,
        config: Config,
        fallback: Fallback,
        deadline: float = inf,
        opening: set[Transport] | None = None,
        *,
        keep_pushes: bool = True,
    ) -> Self:
        """Dial, and drive the handshake, within `connect_timeout` and before the deadline. Raises `ConnectError`.

        Meanwhile the transport is among those that are `opening`: who shuts it down ends the handshake. Without `keep_pushes`
        nobody will ask for a push.
        """
        check_not_patched()
        if config.connect_timeout is not None:
            deadline = min(deadline, monotonic() + config.connect_timeout)
        credentials = None if config.credentials is None else read_credentials(config.credentials())
        opening = set() if opening is None else opening
        how = fallback.opening()
        while True:
            transport = dial(config, deadline)
            opening.add(transport)
            try:
                core = Machine.configured(
                    config, credentials, now=monotonic(), open_by=deadline, plain=how.plain, keep_pushes=keep_pushes
                )
                driver = cls(config, core, transport)
                driver._shake_hands()
                if (failure := core.not_opened()) is None:
                    how.opened()
                    return driver
                transport.close()
            except BaseException:
                transport.close()
                raise
            finally:
                opening.discard(transport)
            if not how.again(failure):
                raise not_opened(config, failure, core.error)

    # -- for calls ---------------------------------------------------------------------------------------------------------

    def listen(self, call: Callable[..., RespError | None], deadline: float) -> Push | RespError:
        """Wait for the next push by this `call`, and return it, or why there was none. Raises what `call` raises."""
        listener = Slot(b"", LISTENING, None, inf)  # never submitted
        failure = call(listener, deadline, self._listen)
        if failure is not None:
            return failure
        push = listener.reply
        assert isinstance(push, Push)
        return push

    def close(self, deadline: float = -inf) -> None:
        """End when all is answered, at the deadline at the latest. The last one to leave closes the socket."""
        if deadline > monotonic():
            # Waits as callers do: it reads, if nobody else does.
            self.call(Slot(b"", LISTENING, None, inf), deadline, self._close_behind)
        with self._lock:
            if self._inside:
                raise _reentered()
            self.core.abort()
            self._report()
            self._close_if_unused()

    def _close_behind(self, closer: Slot) -> None:
        """Enter a slot that is never sent, and waits for the end."""
        closer.state = HANDED
        self.core.close()
        self._report()

    def finish(self) -> None:
        """Take no more commands, and end when those under way are answered."""
        with self._lock:
            if self._inside:
                raise _reentered()
            self.core.close()
            self._end_if_forsaken()
            self._report()
            if self.core.error is not None:
                self._close_if_unused()

    def _end_if_forsaken(self) -> None:
        """A connection that takes no more commands ends when all who wait for replies have gone: nobody reads any more."""
        stats = self.core.stats()
        if not stats.queued and stats.in_flight == stats.abandoned:
            self.core.abort()

    def check(self) -> bool:
        """Look whether something has come, or ended, while nobody was here; can the connection be used?"""
        with self._lock:
            if self._inside:
                raise _reentered()
            self._inside = True
            try:
                return self._catch_up() if self._reader is None else self.core.error is None
            finally:
                self._inside = False

    # -- how a call goes ---------------------------------------------------------------------------------------------------

    def call(self, slot: Slot, deadline: float, enter: Callable[[Slot], None] | None = None) -> RespError | None:
        """Submit the slot (or `enter` it otherwise), wait for its end, and return why it was not answered: None if it was.

        What `enter` raises is raised, as are interrupts. In every case neither a role nor a waiting slot is left behind.
        """
        slot.token = get_ident()  # somebody is here for this slot
        entered = False
        try:
            role = self._turn(slot, enter or self.core.submit)
            entered = True
            if slot.state is HANDED or slot.state is QUEUED:
                self._await(slot, role, deadline)
        except ConnectionClosedError:
            # Refused, and as good as new for another connection; unless this comes from the handler of a signal.
            self._give_up(slot, entered=entered or self.core.state is READY)
            raise
        except BaseException:
            self._give_up(slot)
            raise
        finally:
            # One store, which no interrupt can split: from here on, roles that this slot still holds are free.
            slot.token = None
        if self._reader is slot or self._writer is slot:
            self._give_up(slot)  # it ended by another thread's hand, between two turns: nobody else closes the socket
        if slot.state is ANSWERED:
            return None
        if slot.state is LOST:
            return self.core.error
        return self.core.timed_out()

    def _await(self, slot: Slot, role: int, deadline: float) -> None:
        """Wait for the slot's end, or give it up at its deadline.

        A function of its own: CPython 3.12 and 3.13 look for signals where a loop turns, and no `try` around it sees what comes.
        """
        while slot.state is HANDED or slot.state is QUEUED:
            left = deadline - monotonic()
            if left <= 0:
                self._late = True
                self._give_up(slot)
                return
            if role != SLEEP:
                role = self._turn(slot, None, self._wait(role, left))
            elif not self._sleep(slot, left):
                role = self._turn(slot)

    def _turn(self, slot: Slot, enter: Callable[[Slot], None] | None = None, readable: bool = False) -> int:
        """Move what can be moved now, and return what this caller is to wait for next."""
        with self._lock:
            if self._inside:
                raise _reentered()
            self._inside = True
            try:
                if enter is None:
                    self._move(readable)
                else:
                    self._look(slot)
                    enter(slot)
                    if self._waking and not self._deferred:
                        # Said before it is asked, so that the last of those who wake sees it, or is seen to have gone.
                        self._deferred = monotonic()
                    if not self._deferred or not self._others_wake():
                        self._move(False)
                if slot.state is HANDED or slot.state is QUEUED:
                    if self.core.error is None:
                        return self._take_role(slot)
                    # An interrupt caught it between the machine's queues, so the connection ended without it.
                    slot.end = 0
                    slot.settle(LOST, 0)
                self._leave(slot)
                return SLEEP
            finally:
                self._inside = False

    def _look(self, slot: Slot) -> None:
        """Before a new slot: is this thread beneath itself, and has something come, or ended, while nobody was here?

        What nobody asked for must not answer the next command. Raises `LocalProtocolError` in a handler of a signal that came
        while this very thread was waiting for others: they, and the handler, would wait for ever.
        """
        reader, writer = self._reader, self._writer
        if (reader is not None and reader.token == slot.token) or (writer is not None and writer.token == slot.token):
            raise _reentered()
        if reader is None:
            self._catch_up()

    def _catch_up(self) -> bool:
        """Take in what has come while nobody waited for it; has the connection not ended?"""
        core, transport, poller = self.core, self._transport, self._poller
        # Not once the connection has ended: after a fork, a thread of the parent's may still seem to be in the poller.
        while (alive := core.error is None) and poller is not None and (transport.pending or poller.poll(0)):
            if not core.wants_to_receive:
                break  # pushes are to be taken first
            self._move(True)
        return alive

    def _give_up(self, slot: Slot, *, entered: bool = True) -> None:
        """Nobody waits for this slot any more. Safe to repeat."""
        with self._lock:
            if self._inside:
                return  # a call that was refused at the door
            self._inside = True
            try:
                if slot.info is LISTENING:
                    self._listeners = [listener for listener in self._listeners if listener is not slot]
                elif entered and (slot.state is HANDED or slot.state is QUEUED):
                    self.core.abandon(slot)
                    if self.core.state is CLOSING:
                        self._end_if_forsaken()
                    self._report()
                self._leave(slot)
                if self._deferred:
                    self._move(False)
            finally:
                self._inside = False

    def give_back(self, lease: Lease[Any]) -> list[Slot]:
        """The block of a loan ends; return who still waits for a push, and would take the next borrower's.

        A call of another thread is entered before, and then the core knows of it, or refused: `_inside` is set before the lease is
        looked at, so that one which has looked already is waited for.
        """
        lease.end()
        if self._inside:
            with self._lock:
                pass
        return self._listeners

    def submit_and_forget(self, command: Command[Reply]) -> None:
        """Send a command whose reply nobody needs; what fails here fails for those who come after, too."""
        with self._lock:
            if self._inside or self.core.error is not None:
                return
            self._inside = True
            try:
                self.core.send(command)
                self._move(False)
            finally:
                self._inside = False

    def _take_role(self, slot: Slot) -> int:
        """Decide who waits for the socket: this caller, for what nobody else waits for; otherwise it sleeps until woken."""
        role = SLEEP
        if self._pushes and not self.core.wants_to_receive:
            # Nobody reads, until somebody has taken a push and, on leaving, wakes one of those who sleep.
            if self._reader is slot:
                self._reader = None
        elif self._reader is None or self._reader is slot or self._reader.token is None:
            self._reader = slot
            role |= READ
        if self._stuck and (self._writer is None or self._writer is slot or self._writer.token is None):
            self._writer = slot
            role |= WRITE
        elif self._stuck and role == READ:
            role |= WRITE  # nobody could wake a reader if the writer left before this caller's own bytes
        if role == SLEEP:
            self._parked[slot] = bed = Lock()
            bed.acquire()
        return role

    def _leave(self, slot: Slot) -> None:
        """Give up roles, and wake one sleeper if there is one to be taken. The last one out of an ended connection closes it."""
        if self._parked:
            self._parked.pop(slot, None)
        if self._waking:
            self._waking.pop(slot, None)
        if self._reader is slot:
            self._reader = None
        if self._writer is slot:
            self._writer = None
        if self._parked and (self._reader is None or (self._stuck and self._writer is None)):
            self._wake(next(iter(self._parked)))
        if self.core.error is not None:
            self._close_if_unused()

    def _wake(self, slot: Slot) -> None:
        bed = self._parked.pop(slot, None)
        if bed is not None:
            self._waking[slot] = None
            bed.release()

    def _sleep(self, slot: Slot, left: float) -> bool:
        """Sleep until woken; is the slot answered, and nothing left to do for this caller?"""
        bed = self._parked.get(slot)
        if bed is not None:
            bed.acquire(timeout=min(left, NAP))
        self._waking.pop(slot, None)
        if self._deferred and (not self._waking or monotonic() > self._deferred + PATIENCE):
            return False  # what others left unsent is for this caller to send
        return slot.state is ANSWERED

    def _others_wake(self) -> bool:
        """Is a caller about to come by here, woken and not yet running? Those who were interrupted on the way never will."""
        return any(slot.token is not None for slot in list(self._waking))

    def _wait(self, role: int, left: float) -> bool:
        """Wait, without the lock, for the socket; is there something to receive?"""
        if self._transport.pending:
            return True
        if self._deferred:
            left = min(left, NAP)
        if self._pings:
            left = min(left, max(self.core.next_deadline() - monotonic(), 0.0))
        if left > LONGEST:
            left = LONGEST
            if left > self._silence:
                left = self._silence
        if role == READ and self._poller is not None:
            came = bool(self._poller.poll(int(left * 1000) + 1))
        else:
            came = wait(self._transport.fileno, left, read=bool(role & READ), write=bool(role & WRITE))
        if not came:
            self._late = True
        return bool(came and role & READ)

    # -- under the lock: bytes, and what they mean -------------------------------------------------------------------------

    def _move(self, readable: bool) -> None:
        """Receive what is there, and send what is queued: by those who submit, or what others could not send."""
        core = self.core
        try:
            if readable:
                self._receive()
                if not self._stuck and not core.wants_to_send and not self._transport.unsent:
                    return
            elif self._pings or self._late:
                core.handle_timeout(monotonic())
                self._report()
            self._send()
        except BaseException:
            # Bytes may have moved that the machine does not know of.
            core.abort(ConnectionLostError("a call was interrupted while bytes were moving"), uncertain=True)
            self._report()
            raise

    def _receive(self) -> None:
        """Take in one piece of what has come. If there is more, the next turn finds it, after a look at the clock."""
        core = self.core
        if not core.wants_to_receive:
            return
        try:
            data = self._transport.recv(RECEIVE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            if core.state is State.OPENING and not is_transient(error):
                core.abort(ConnectError(f"reading failed: {error}", transient=False))
            core.receive_eof(f"reading failed: {error}")
        else:
            self._late = False
            if data:
                core.receive_data(data)
            else:
                core.receive_eof()
        self._report()

    def _send(self) -> None:
        core, transport = self.core, self._transport
        self._stuck = False
        self._deferred = 0.0
        try:
            while block := core.data_to_send():
                core.sent(transport.send(block))
            if transport.unsent:
                transport.flush()
        except (BlockingIOError, InterruptedError):
            self._stuck = True
        except OSError as error:
            self._receive()  # the server may have said why, before it closed
            core.send_failed(error)
            self._report()

    def _report(self) -> None:
        """Hand out the machine's events."""
        parked = self._parked
        for event in self.core.events():
            if isinstance(event, Slot):
                if parked:
                    self._wake(event)
            elif isinstance(event, PushReceived):
                self._pushes = self._pushes or deque()
                self._pushes.append(event.push)
                self._hand_out_pushes()
            elif isinstance(event, ConnectionLost):
                for listener in self._listeners:
                    listener.state = LOST
                self._listeners = []
                for slot in list(parked):
                    self._wake(slot)

    def _listen(self, listener: Slot) -> None:
        """Enter a slot that waits for a push: it is never sent."""
        listener.state = HANDED
        if self.core.error is not None and not self._pushes:
            listener.state = LOST
            raise ConnectionClosedError(f"next_push: the connection has ended: {self.core.error}")
        self._listeners.append(listener)
        self._hand_out_pushes()

    def _hand_out_pushes(self) -> None:
        while self._pushes and self._listeners:
            listener = self._listeners[0]
            if listener.token is None:
                del self._listeners[0]  # it went without a word: an interrupt caught the cleaning up of another
                continue
            listener.reply = self._pushes[0]
            listener.state = ANSWERED
            del self._listeners[0]
            del self._pushes[0]
            self.core.push_taken()
            self._wake(listener)

    def _close_if_unused(self) -> None:
        """Close the socket of an ended connection, but never under somebody who waits for it: its number could be given anew."""
        for role in (self._reader, self._writer):
            if role is not None and role.token is not None:
                self._transport.shut_down()
                return
        self._transport.close()

    # -- beginning and end -------------------------------------------------------------------------------------------------

    def _shake_hands(self) -> None:
        """Drive the handshake to its end."""
        core = self.core
        self._move(False)
        while core.state is State.OPENING:
            left = core.next_deadline() - monotonic()
            if not self._transport.pending and not wait(self._transport.fileno, left, read=True, write=self._stuck):
                core.handle_timeout(monotonic())
            self._move(True)
            self._move(False)

    def forget(self) -> None:
        """In the child of a fork: the connection is the parent's, and its locks may be held by threads that do not exist here."""
        self._lock = RLock()
        self._inside = False
        self._parked.clear()
        self.core.abort(ConnectionClosedError("it was opened before a fork, and belongs to the parent process"))
        self._transport.forget()


_drivers: Final[WeakSet[Driver]] = WeakSet()


def _after_fork() -> None:
    for driver in list(_drivers):
        driver.forget()
    _drivers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def check_not_patched() -> None:
    """Raise `RuntimeError` if a lock is not any more what it was when this module was imported.

    gevent and eventlet put their own in its place. A greenlet that waits for one of the old stops all others.
    """
    if threading.Lock is not Lock:
        raise RuntimeError(
            "resp_sync was imported before gevent or eventlet patched the standard library, and would hang: patch first, then"
            " import"
        )


def _reentered() -> LocalProtocolError:
    return LocalProtocolError(
        "this thread is already inside a call on this connection: a signal handler or finaliser must not use it"
    )

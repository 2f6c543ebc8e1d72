"""A whole client in one thread, over non-blocking sockets: lanes, leases, TLS, retries and pushes, by the core's client machine."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import sys
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from math import inf
from random import random
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from time import monotonic
from typing import Any, TypeAlias, TypeVar

from resp_sansio.client import (
    Client,
    ClientEvent,
    Close,
    Dial,
    Drained,
    Leaked,
    Link,
    Listener,
    Look,
    Report,
    TLSWire,
)
from resp_sansio.config import Race, read_credentials, socket_options
from resp_sansio.connection import Slot, SlotState
from resp_sansio.surface import threads
from resp_sansio.surface.threads import Heardable, Loan, Make

RECEIVE = 64 * 1024
UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)  # `connect_ex` says so of what is to be waited for
LONGEST = 3600.0  # seconds; a longer wait is several

T = TypeVar("T")
Steps: TypeAlias = Generator[tuple[list[socket.socket], int, float], None, T]  # sockets, their direction, until when
Credentials: TypeAlias = tuple[str | None, str | bytes]
Opened: TypeAlias = tuple[socket.socket, Credentials | None, TLSWire | None]


class Call:
    """A call that was begun: the token of its slot."""

    def __init__(self) -> None:
        self.ended = False  # for good, which a slot between two attempts does not show


class Driver:
    """Carries out one machine in one thread: bytes, time, waiting."""

    now = staticmethod(monotonic)

    def __init__(self, make: Make, whose: str) -> None:
        self.whose = whose
        self._make = make
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.machine = self._make(random)
        self.selector = DefaultSelector()
        self.dials: set[Dialling] = set()
        self.unsent: dict[Wire, None] = {}
        self._events: deque[ClientEvent] = deque()
        self._reports: deque[Callable[[], None]] = deque()
        self._drained = False
        self._process = os.getpid()

    def call(self, slot: Slot, loan: Loan | None = None, epoch: int | None = None) -> None:
        """Make a call, and wait for its end."""
        self.until_ended(slot, self.begin(slot, loan, epoch))

    def ahead(self, slot: Slot, loan: Loan | None = None) -> None:
        """Begin a call, for whose end the caller may wait later."""
        self.begin(slot, loan)

    def finish(self, slot: Slot) -> None:
        """Wait for the end of a call that was begun ahead."""
        call: Any = slot.token
        self.until_ended(slot, call)

    def begin(self, slot: Slot, loan: Loan | None = None, epoch: int | None = None) -> Call:
        self._check_process()
        slot.token = call = Call()
        link = self.machine.submit(slot, monotonic(), lease=loan, epoch=epoch)
        if link is not None:
            link.io.wants_to_send()
        self.carry_out()
        return call

    def until_ended(self, slot: Slot, call: Call) -> None:
        self._check_process()
        try:
            while not call.ended:
                self.turn()
        except BaseException:
            self.give_up(slot)
            raise

    def give_up(self, slot: Slot) -> None:
        self.machine.abandon(slot, monotonic())
        self.carry_out()

    def turn(self, until: float = inf) -> None:
        """Send what was put off; or else wait until a socket is ready, or something is due, and see to that."""
        if self.unsent:
            unsent, self.unsent = self.unsent, {}
            for wire in unsent:
                wire.write()
            self.carry_out()
            return
        due = min(self.machine.next_deadline(), until, *[dialling.deadline for dialling in self.dials])
        for key, events in self.selector.select(min(max(due - monotonic(), 0), LONGEST)):
            key.data.ready(events)
        now = monotonic()
        for dialling in [dialling for dialling in self.dials if dialling.deadline <= now]:
            dialling.go_on(TimeoutError("timed out"))
        self.machine.handle_timeout(now)
        self.carry_out()

    def take(self, events: list[ClientEvent]) -> None:
        """These are to be carried out behind those that were told before."""
        self._events.extend(events)

    def carry_out(self) -> None:
        """Do what the machine says, in its order, until it says no more."""
        self.take(self.machine.events())
        while self._events:
            match self._events.popleft():
                case Slot(token=Call() as call):
                    call.ended = True
                case Link() as link:
                    link.io.wants_to_send()
                case Dial() as dial:
                    Dialling(self, dial).go_on()
                case Look(link):
                    link.io.read()
                    self.machine.looked(link, monotonic())
                case Close(link):
                    link.io.close()
                case Leaked(lease):
                    self._reports.append(lease.report)
                case Report(report):
                    self._reports.append(report)
                case Drained():
                    self._drained = True
                case _:
                    pass  # Granted, Refused, Heard: callers look at what they wait for after each turn
            self.take(self.machine.events())
        while self._reports:  # work first, then tell
            self._reports.popleft()()

    def acquire(self, deadline: float, stack: str | None = None, *_more: object) -> Loan:
        """Wait for a link of one's own."""
        self._check_process()
        machine = self.machine
        waiter = machine.acquire(None, monotonic(), deadline=deadline, borrower=stack)
        try:
            self.carry_out()
            while waiter.state is SlotState.QUEUED:
                self.turn()
        except BaseException:
            machine.withdraw(waiter, monotonic())
            self.carry_out()
            raise
        return waiter.result()

    def release(self, loan: Loan) -> None:
        """Give it back."""
        self.change("release", lambda machine, now: machine.release(loan, now))

    def listen(self, what: Heardable, deadline: float) -> Any:
        """Wait for what comes unasked: of a link the next push."""
        self._check_process()
        listener = Listener(what, deadline=deadline)
        self.machine.listen(listener)
        try:
            self.carry_out()
            while listener.state is SlotState.QUEUED:
                self.turn()
        except BaseException:
            self.machine.stop_listening(listener)
            raise
        return listener.result()

    def catch_up(self) -> None:
        """Take in what has come: what is kept may be given only to those who have looked lately."""
        self._check_process()
        self.turn(until=0.0)

    def pause(self, seconds: float) -> None:
        """Let this time pass."""
        until = monotonic() + seconds
        while monotonic() < until:
            self.turn(until)

    def change(self, _name: str, what: Callable[[Client, float], object]) -> None:
        """Have something done to the machine, and carry out what follows."""
        self._check_process()
        what(self.machine, monotonic())
        self.carry_out()

    def open(self) -> None:
        """Dial what is to be open before it is needed."""
        self.change("open", Client.open)

    def close(self, deadline: float) -> None:
        """Take no new calls, wait for those under way, and end what is left."""
        self._check_process()
        if deadline > monotonic() and self.machine.closed is None:
            self.change("close", Client.drain)
            while not self._drained and monotonic() < deadline:
                self.turn(deadline)
        self.end()

    def end(self) -> None:
        """End everything now."""
        self.machine.close(monotonic())
        for dialling in list(self.dials):
            dialling.give_up()
        self.carry_out()
        self.selector.close()

    def drop(self) -> None:
        """What callers held was thrown away without being closed: its sockets end with it."""
        for link in self.machine.links:
            link.io.forget()

    def _check_process(self) -> None:
        """All that is open belongs to the process that opened it: the child of a fork begins anew."""
        if os.getpid() == self._process:
            return
        for link in self.machine.links:
            link.io.forget()
        for dialling in self.dials:
            dialling.forget()
        self.selector.close()
        self.machine.close(monotonic(), "it was opened before a fork, and belongs to the parent process")
        for event in self.machine.events():
            if isinstance(event, Slot) and isinstance(event.token, Call):
                event.token.ended = True
        self._begin_anew()


class Dialling:
    """A dial under way: its steps, and what the next one waits for."""

    def __init__(self, driver: Driver, dial: Dial) -> None:
        self._driver = driver
        self._dial = dial
        self._steps = opened(dial)
        self._waits_for: list[socket.socket] = []
        self.deadline = inf

    def go_on(self, error: Exception | None = None) -> None:
        """Take the next step, or let it fail."""
        machine = self._driver.machine
        self._wait_for([])
        try:
            waits_for = next(self._steps) if error is None else self._steps.throw(error)
        except StopIteration as done:
            connecting, credentials, tls = done.value
            try:
                link = machine.connected(self._dial, monotonic(), credentials, tls)
            except Exception as unfit:  # noqa: BLE001  # credentials that can't be sent
                connecting.close()
                machine.dial_failed(self._dial, unfit, monotonic())
            else:
                link.io = Wire(self._driver, link, connecting)
                link.io.write()
        except Exception as failed:  # noqa: BLE001  # a provider of credentials may raise anything
            machine.dial_failed(self._dial, failed, monotonic())
        else:
            self._wait_for(*waits_for)

    def ready(self, _events: int) -> None:
        self.go_on()

    def give_up(self) -> None:
        self._wait_for([])
        self._steps.close()
        self._driver.machine.dial_failed(self._dial, None, monotonic())

    def forget(self) -> None:
        self._steps.close()

    def _wait_for(self, waits_for: list[socket.socket], events: int = 0, deadline: float = inf) -> None:
        for waited in self._waits_for:
            self._driver.selector.unregister(waited)
        for waiting in waits_for:
            self._driver.selector.register(waiting, events, self)
        self._driver.dials.discard(self)
        if waits_for:
            self._driver.dials.add(self)
        self._waits_for, self.deadline = waits_for, deadline


def opened(dial: Dial) -> Steps[Opened]:
    config = dial.config
    credentials = None if config.credentials is None else read_credentials(config.ask_for_credentials())
    tls = TLSWire(config, ssl) if config.tls else None
    connecting = yield from connected(dial)
    return connecting, credentials, tls


def connected(dial: Dial) -> Steps[socket.socket]:
    dial.begin(monotonic())
    found = dial.addresses(socket)
    race = dial.begin_race(dial.look_up(socket) if found is None else found)
    attempts: dict[socket.socket, Any] = {}
    try:
        while True:
            while (address := race.next(monotonic())) is not None:
                connecting = socket.socket(address[0], socket.SOCK_STREAM)
                attempts[connecting] = address
                connecting.setblocking(False)
                try:
                    if (number := connecting.connect_ex(address[4])) not in UNDER_WAY:
                        raise OSError(number, os.strerror(number))
                except OSError as error:  # a path that is too long, say
                    give_up(race, attempts, connecting, error)
            if attempts:
                with suppress(TimeoutError):  # then another address is tried as well
                    yield list(attempts), EVENT_WRITE, race.wake
            for connecting, address in list(attempts.items()):
                if number := connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    give_up(race, attempts, connecting, OSError(number, os.strerror(number)))
                elif has_connected(connecting):
                    for option in socket_options(dial.config, socket):
                        connecting.setsockopt(*option)
                    race.connected(address)
                    del attempts[connecting]
                    return connecting
    finally:
        for connecting in attempts:
            connecting.close()


def give_up(race: Race, attempts: dict[socket.socket, Any], connecting: socket.socket, error: OSError) -> None:
    del attempts[connecting]
    connecting.close()
    race.failed(error)


def has_connected(connecting: socket.socket) -> bool:
    try:
        connecting.getpeername()
    except OSError:
        return False
    return True


class Wire:
    """A link's socket: it moves the link's bytes, as far as they go now."""

    def __init__(self, driver: Driver, link: Link, connected: socket.socket) -> None:
        self._driver = driver
        self._link = link
        self._socket = connected
        self._looked_for = 0  # by the selector
        self._full = False  # the network takes no more for now
        self._closed = False

    def ready(self, events: int) -> None:
        if events & EVENT_READ:
            self.read()
        self.write()  # what came may have something to send in return

    def wants_to_send(self) -> None:
        if self._link.core.in_flight:
            self._driver.unsent[self] = None  # it goes out with what else is asked for until the next turn
        else:
            self.ready(EVENT_READ)  # what came unasked is read first: it must not answer this

    def write(self) -> None:
        self._full = False
        try:
            self._send()
        except BlockingIOError:
            self._full = True
        except OSError as error:
            self.read()  # the server may have said why
            self._driver.machine.send_failed(self._link, error, monotonic())
        except BaseException:
            self._interrupted()
            raise
        self._look()

    def _send(self) -> None:
        wire = self._link.wire
        while block := wire.data_to_send():
            wire.sent(self._socket.send(block))

    def read(self) -> None:
        machine, link = self._driver.machine, self._link
        try:
            while not link.ended and link.core.wants_to_receive:
                if data := self._socket.recv(RECEIVE):
                    self._driver.take(machine.receive_data(link, data, monotonic()))
                else:
                    machine.receive_eof(link, monotonic())
        except BlockingIOError:
            pass  # that was all
        except OSError as error:
            machine.receive_eof(link, monotonic(), error)
        except BaseException:
            self._interrupted()
            raise

    def _look(self) -> None:
        """Have the selector look for what is wanted now."""
        core = self._link.core
        wanted = 0 if self._closed else EVENT_READ * core.wants_to_receive | EVENT_WRITE * self._full
        selector, connected = self._driver.selector, self._socket
        if wanted and self._looked_for:
            selector.modify(connected, wanted, self)
        elif wanted:
            selector.register(connected, wanted, self)
        elif self._looked_for:
            selector.unregister(connected)
        self._looked_for = wanted

    def close(self) -> None:
        self._closed = True
        self._look()
        with suppress(OSError):
            self._send()  # TLS may say why
        with suppress(OSError):  # it is not connected any more
            self._socket.shutdown(socket.SHUT_RDWR)  # the child of a fork may hold it open
        self._socket.close()

    def forget(self) -> None:
        """In the child of a fork: close the descriptor and nothing else."""
        self._closed = True
        self._socket.close()

    def _interrupted(self) -> None:
        """It is not known how far the bytes got: end the link, and take for sent what may have been."""
        self._driver.machine.abort(self._link, None, monotonic(), uncertain=True)


class FullConnection(threads.Connection):
    """A connection on loan, or one of one's own."""

    _driver_type = Driver


class FullClient(threads.Client[FullConnection, bytes]):
    """A client for one thread."""

    _connection_type = FullConnection


def main() -> None:
    with FullClient(*sys.argv[1:]) as client:
        print(client.execute("SET", "greeting", "hello"))  # OK
        print(client.get("greeting"))  # b'hello'

        with client.transaction() as pipe:
            first, second = pipe.execute("INCR", "n"), pipe.incr("n")
        print(first.result(), second.result())  # 1 2

        with client.acquire() as connection:
            print(connection.execute("SUBSCRIBE", "news"))  # [Push(kind='subscribe', items=(b'news', 1))]
            client.execute("PUBLISH", "news", "it rains")
            print(connection.next_push())  # Push(kind='message', items=(b'news', b'it rains'))

        client.execute("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")  # every connection
        print(client.execute("GET", "greeting"))  # b'hello'


if __name__ == "__main__":
    main()

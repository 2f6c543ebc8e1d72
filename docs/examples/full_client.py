"""A whole client in one thread, over non-blocking sockets: lanes, leases, TLS, retries and pushes, by the core's client machine."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import sys
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from math import inf
from random import random
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from time import monotonic
from typing import Any, Self, TypeAlias, TypeVar, Unpack
from warnings import warn

from resp_sansio import (
    DEFAULT,
    Argument,
    ClientOptions,
    ClientStats,
    Config,
    ConnectionLostError,
    Default,
    Push,
    Reply,
    RespError,
)
from resp_sansio.client import (
    Client,
    ClientEvent,
    Close,
    CommandBatch,
    Dial,
    Drained,
    Leaked,
    Lease,
    Link,
    Listener,
    Look,
    Share,
    TLSWire,
    encoding_of,
    error_of,
    push_as_text,
    read_reply,
    read_typed,
    seconds_allowed,
)
from resp_sansio.config import (
    Addresses,
    Race,
    not_resolved,
    read_client_options,
    read_credentials,
    socket_options,
)
from resp_sansio.connection import Batch, Slot, SlotState, block_time, new_slot
from resp_sansio.methods import BatchMethods, Reader, SyncMethods, Words

RECEIVE = 64 * 1024
UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)  # `connect_ex` says so of what is to be waited for
LONGEST = 3600.0  # seconds; a longer wait is several

T = TypeVar("T")
Steps: TypeAlias = Generator[tuple[list[socket.socket], int, float], None, T]  # sockets, their direction, until when
Loan: TypeAlias = Lease[Link] | Share
Timeout: TypeAlias = float | None | Default
Decode: TypeAlias = bool | str | Default
Credentials: TypeAlias = tuple[str | None, str | bytes]
Opened: TypeAlias = tuple[socket.socket, Credentials | None, TLSWire | None]


class Call:
    """A call that was begun: the token of its slot."""

    def __init__(self, slot: Slot, encoding: str | None) -> None:
        self.slot = slot
        self.encoding = encoding
        self.ended = False  # for good, which a slot between two attempts does not show


class FullClient(SyncMethods):
    """For one thread: `begin` any number of calls, and take their `result` in any order."""

    def __init__(self, url: str = "redis://localhost", **options: Unpack[ClientOptions]) -> None:
        self.config, self._settings, self._pool = read_client_options(url, options, "FullClient")
        self._begin_anew()

    def _begin_anew(self) -> None:
        leases = self._pool if self._settings.leases else None
        self.machine = Client(self.config, self._settings, leases, random=random)
        self.selector = DefaultSelector()
        self.dials: set[Dialling] = set()
        self.unsent: dict[Wire, None] = {}
        self._events: deque[ClientEvent] = deque()
        self._leaked: list[Leaked] = []
        self._drained = False
        self._process = os.getpid()

    def begin(
        self, *args: Argument, timeout: Timeout = DEFAULT, decode: Decode = DEFAULT, lease: Loan | None = None
    ) -> Call:
        encoding = encoding_of(self.config, decode)
        slot = new_slot(args)
        slot.deadline = monotonic() + seconds_allowed(self.config, timeout, block_time(args, slot.info))
        return self.submit(slot, encoding, lease)

    def submit(self, slot: Slot, encoding: str | None = None, lease: Loan | None = None) -> Call:
        self._check_process()
        slot.token = call = Call(slot, encoding)
        link = self.machine.submit(slot, monotonic(), lease=lease)
        if link is not None:
            link.io.wants_to_send()
        self.carry_out()
        return call

    def result(self, call: Call) -> Reply:
        slot = self.answered(call)
        reply: Reply = read_reply(slot.reply, None, slot.link.core.protocol, call.encoding)
        return reply

    def _do(self, words: Words, read: Reader[T]) -> T:
        """Execute a typed method."""
        slot = self.answered(self.begin(*words))
        return read_typed(slot.reply, read, slot.info, slot.link.core.protocol)

    def answered(self, call: Call) -> Slot:
        self.until_ended(call)
        if call.slot.state is not SlotState.ANSWERED:
            raise error_of(call.slot)
        return call.slot

    def until_ended(self, call: Call) -> None:
        self._check_process()
        try:
            while not call.ended:
                self.turn()
        except BaseException:
            self.give_up(call)
            raise

    def give_up(self, call: Call) -> None:
        self.machine.abandon(call.slot, monotonic())
        self.carry_out()

    def execute(self, *args: Argument, timeout: Timeout = DEFAULT, decode: Decode = DEFAULT) -> Reply:
        return self.result(self.begin(*args, timeout=timeout, decode=decode))

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
                case Leaked() as leaked:
                    self._leaked.append(leaked)
                case Drained():
                    self._drained = True
                case _:
                    pass  # Granted, Refused, Heard: callers look at what they wait for after each turn
            self.take(self.machine.events())
        while self._leaked:  # work first, then tell: a warning may be an error
            borrower = self._leaked.pop().lease.borrower
            warn(f"a connection is out for long; it was borrowed by {borrower}", ResourceWarning, stacklevel=2)

    @contextmanager
    def acquire(self, *, timeout: Timeout = DEFAULT, borrower: str | None = None) -> Iterator[Borrowed]:
        self._check_process()
        machine = self.machine  # the child of a fork has another one
        deadline = monotonic() + seconds_allowed(self.config, timeout)
        waiter = machine.acquire(None, monotonic(), deadline=deadline, borrower=borrower)
        try:
            self.carry_out()
            while waiter.lease is None and waiter.error is None:
                self.turn()
            if waiter.lease is None:
                assert waiter.error is not None
                raise waiter.error
            yield Borrowed(self, waiter.lease)
        finally:
            machine.withdraw(waiter, monotonic())  # its place in the queue, or its lease
            self.carry_out()

    def pipeline(self, *, transaction: bool = False, timeout: Timeout = DEFAULT, decode: Decode = DEFAULT) -> Pipeline:
        return Pipeline(self, transaction, timeout, decode)

    def stats(self) -> ClientStats:
        stats = self.machine.stats()
        assert isinstance(stats, ClientStats)
        return stats

    def close(self, timeout: float = 0.0) -> None:
        """Take no new calls, wait so many seconds for those under way, and end what is left."""
        self._check_process()
        until = monotonic() + timeout
        if timeout and self.machine.closed is None:
            self.machine.drain(monotonic())
            self.carry_out()
            while not self._drained and monotonic() < until:
                self.turn(until)
        self.machine.close(monotonic())
        for dialling in list(self.dials):
            dialling.give_up()
        self.carry_out()
        self.selector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

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

    def __init__(self, client: FullClient, dial: Dial) -> None:
        self._client = client
        self._dial = dial
        self._steps = opened(client.config, client.machine.addresses, dial.deadline)
        self._waits_for: list[socket.socket] = []
        self.deadline = inf

    def go_on(self, error: Exception | None = None) -> None:
        """Take the next step, or let it fail."""
        machine = self._client.machine
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
                link.io = Wire(self._client, link, connecting)
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
        self._client.machine.dial_failed(self._dial, None, monotonic())

    def forget(self) -> None:
        self._steps.close()

    def _wait_for(self, waits_for: list[socket.socket], events: int = 0, deadline: float = inf) -> None:
        for waited in self._waits_for:
            self._client.selector.unregister(waited)
        for waiting in waits_for:
            self._client.selector.register(waiting, events, self)
        self._client.dials.discard(self)
        if waits_for:
            self._client.dials.add(self)
        self._waits_for, self.deadline = waits_for, deadline


def opened(config: Config, addresses: Addresses, deadline: float) -> Steps[Opened]:
    credentials = None if config.credentials is None else read_credentials(config.credentials())
    tls = TLSWire(config, ssl) if config.tls else None
    connecting = yield from connected(config, addresses, deadline)
    return connecting, credentials, tls


def connected(config: Config, addresses: Addresses, deadline: float) -> Steps[socket.socket]:
    race = addresses.race(resolved(config), deadline)
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
                    set_options(config, connecting)
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


def set_options(config: Config, connecting: socket.socket) -> None:
    if config.path is None:
        for level, name, value in socket_options(config):
            if hasattr(socket, name):
                connecting.setsockopt(getattr(socket, level), getattr(socket, name), value)


def resolved(config: Config) -> list[Any]:
    if config.path is not None:
        return [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", config.path)]
    try:
        return socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise not_resolved(config, error) from error


class Wire:
    """A link's socket: it moves the link's bytes, as far as they go now."""

    def __init__(self, client: FullClient, link: Link, connected: socket.socket) -> None:
        self._client = client
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
            self._client.unsent[self] = None  # it goes out with what else is asked for until the next turn
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
            self._client.machine.send_failed(self._link, error, monotonic())
        except BaseException:
            self._interrupted()
            raise
        self._look()

    def _send(self) -> None:
        wire = self._link.wire
        while block := wire.data_to_send():
            wire.sent(self._socket.send(block))

    def read(self) -> None:
        machine, link = self._client.machine, self._link
        try:
            while not link.ended and link.core.wants_to_receive:
                if data := self._socket.recv(RECEIVE):
                    self._client.take(machine.receive_data(link, data, monotonic()))
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
        selector, connected = self._client.selector, self._socket
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
        self._client.machine.abort(self._link, None, monotonic(), uncertain=True)


class Borrowed:
    """A connection on loan. Once its block has ended it refuses every call."""

    def __init__(self, client: FullClient, lease: Loan) -> None:
        self._client = client
        self._lease = lease

    def execute(self, *args: Argument, timeout: Timeout = DEFAULT, decode: Decode = DEFAULT) -> Reply:
        call = self._client.begin(*args, timeout=timeout, decode=decode, lease=self._lease)
        return self._client.result(call)

    def next_push(self, *, timeout: Timeout = DEFAULT) -> Push:
        client, machine = self._client, self._client.machine
        deadline = monotonic() + seconds_allowed(client.config, timeout)
        listener = Listener(self._lease, deadline=deadline)
        machine.listen(listener)
        try:
            client.carry_out()
            while listener.state is SlotState.QUEUED:
                client.turn()
        except BaseException:
            machine.stop_listening(listener)
            raise
        return push_as_text(listener.result(), client.config.encoding)


class Pipeline(CommandBatch, BatchMethods):
    """Commands in one slot, sent when the block is left."""

    def __init__(self, client: FullClient, transaction: bool, timeout: Timeout, decode: Decode) -> None:
        super().__init__(client.config, transaction=transaction, timeout=timeout, decode=decode)
        self._client = client

    def run(self) -> list[object]:
        call = self.begin()
        return [] if call is None else self.results(call)

    def begin(self) -> Call | None:
        slot = self.slot(monotonic() + self.seconds_allowed)
        try:
            return None if slot is None else self._client.submit(slot)
        except RespError as error:
            self.refused(error)
            raise

    def results(self, call: Call) -> list[object]:
        self._client.until_ended(call)
        slot, protocol = call.slot, self._client.machine.protocol
        assert isinstance(slot, Batch)
        if slot.state is SlotState.ANSWERED:
            return self.answered(slot, protocol)
        cause = slot.cause if isinstance(slot.cause, RespError) else ConnectionLostError(str(slot.cause))
        raise self.lost(slot, cause, protocol) from cause.__cause__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if kind is None and self.replies is None:
            self.run()


def main() -> None:
    with FullClient(*sys.argv[1:]) as client:
        print(client.execute("SET", "greeting", "hello"))  # OK
        print(client.get("greeting"))  # b'hello'

        job = client.begin("BLPOP", "jobs", 5)  # it blocks, so it goes by a connection of its own
        print(client.execute("RPUSH", "jobs", "one"))  # 1
        print(client.result(job))  # [b'jobs', b'one']

        with client.pipeline(transaction=True) as pipe:
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

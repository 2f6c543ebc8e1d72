"""A pool: the commands, each on a connection of its own while it lasts, and at most so many of them.

`resp_sansio.Pool` decides who gets which connection, what to open and what to close. Callers carry it out on their own threads:
one lock keeps the machine, and is never held while anything waits; who has to wait sleeps on a bed of its own. What is to be
done in time is done by those who pass by, so nothing happens while nobody calls.

Interrupts may strike anywhere. A caller that holds something has a token; once that says it has gone, whatever it held is
taken back: by itself as it leaves, and if another interrupt catches that, by the next who passes by.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from math import inf
from random import random
from threading import Lock, RLock
from time import monotonic
from typing import Final, Self, Unpack
from warnings import warn
from weakref import WeakSet

from resp_sansio import (
    DEFAULT,
    Breaker,
    Close,
    CloseReason,
    Command,
    CommandTimeoutError,
    Config,
    ConnectError,
    ConnectionClosedError,
    Default,
    Dial,
    Fallback,
    Granted,
    Leaked,
    Lease,
    LocalProtocolError,
    Needs,
    Outcome,
    PoolEvent,
    PoolOptions,
    PoolSettings,
    PoolState,
    PoolStats,
    Refused,
    ReplyError,
    RespError,
    Slot,
    SlotState,
    Spoken,
    Waiter,
    WaiterState,
    WatchLoop,
    read_pool_options,
    route,
    seconds_allowed,
)
from resp_sansio import Pool as Machine

from ._commands import Retrying
from ._connection import Connection, Leased
from ._driver import NAP, Driver
from ._transport import Transport

__all__ = ["Pool"]

PING: Final = Command("PING")
LANE: Final = Needs.LANE
QUEUED: Final = SlotState.QUEUED
WAITING: Final = WaiterState.WAITING
DIALLING: Final = WaiterState.DIALLING

LOOK: Final = 0.1
"""Seconds between looks at what is due, by whoever passes by."""


class Caller:
    """Somebody who wants a connection, for as long as `here` says so: the token of its lease, or of its place in the queue.

    That is one store, which no interrupt can split. Without an `__init__`, for one is made for each command.
    """

    here = True
    missed = inf  # when it was first found to have gone
    bed: Lock | None = None  # what it sleeps on
    lease: Lease[Connection] | None = None
    waiter: Waiter[Connection] | None = None
    machine: Machine[Connection]  # whose they are: after a fork, the pool has a new one
    dials: tuple[Dial[Connection], ...] = ()  # those for `min_size` that it has taken on


def _is_here(caller: Caller) -> bool:
    """Is it, or might it be about to give back what it has?"""
    if caller.here:
        return True
    now = monotonic()
    caller.missed = min(caller.missed, now)
    return now < caller.missed + NAP


class Pool(Retrying):
    """Connections for any number of threads, `max_size` of them at most: `Pool("redis://localhost", max_size=20)`.

    `execute`, `pipeline` and `transaction` borrow one for as long as they take; `acquire` lends one for longer. Nothing is opened
    before it is needed, `min_size` excepted, which `with` opens. For the options see `resp_sansio.Config` and
    `resp_sansio.PoolSettings`. After a fork, the child's pool is empty.
    """

    __slots__ = (
        "__weakref__", "_breaker", "_closers", "_due", "_ended", "_fallback", "_inside", "_leaked", "_lock", "_machine", "_opening",
        "_pre_ping", "_protocol", "_settings", "_todo",
    )  # fmt: skip

    def __init__(self, url: str = "redis://localhost", **options: Unpack[PoolOptions]) -> None:
        """Raises `ValueError` or `TypeError` for a wrong URL or option."""
        config, settings = read_pool_options(url, options)
        self._begin(config, settings, settings.breaker(), Fallback())

    @classmethod
    def _of(cls, config: Config, settings: PoolSettings, breaker: Breaker | None, fallback: Fallback) -> Self:
        pool = cls.__new__(cls)
        pool._begin(config, settings, breaker, fallback)
        return pool

    def _begin(self, config: Config, settings: PoolSettings, breaker: Breaker | None, fallback: Fallback) -> None:
        super().__init__(config, settings.retry)
        self._settings = settings
        self._pre_ping = settings.pre_ping
        self._breaker = breaker
        self._fallback = fallback
        self._protocol: Spoken = config.protocol
        self._forget()
        _pools.add(self)

    def _forget(self) -> None:
        """Begin, or begin anew in the child of a fork."""
        self._machine = Machine[Connection](
            self._settings,
            callers_dial=True,
            breaker=self._breaker,
            peer=self._config.address,
            owed=_owed,
        )
        self._lock = RLock()
        self._inside = False  # true on entering the lock means that this very thread was interrupted in there
        self._due = 0.0  # when somebody is to look at what is due
        self._ended: dict[Connection, None] = {}  # what is to be closed, once the lock is free
        self._leaked: list[Lease[Connection]] = []  # what is to be reported then
        self._closers: list[Lock] = []  # who sleeps until the last connection is back
        self._opening: set[Transport] = set()
        self._todo: list[PoolEvent[Connection]] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._config.address}: {self._machine!r}>"

    def __enter__(self) -> Self:
        while self._machine.next_deadline() <= monotonic():
            self._pass_by()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # -- for callers -------------------------------------------------------------------------------------------------------

    def acquire(self, *, timeout: float | None | Default = DEFAULT) -> AbstractContextManager[Connection]:
        """Borrow a connection for a `with` block; `timeout` is for getting one. First come, first served.

        What is done to it stays: one that was changed (by SELECT, SUBSCRIBE ...) is closed when it comes back, a WATCH is ended.

        Raises `CommandTimeoutError`, `ConnectError`, `PoolFullError`, `ConnectionClosedError`.
        """
        borrower = None if self._settings.leak_after is None else _stack()
        seconds = self._timeout if timeout is DEFAULT else seconds_allowed(self._config, timeout)
        return Borrowed(self, seconds, borrower)

    def stats(self) -> PoolStats:
        """Return what the pool has counted."""
        with self._lock:
            return self._machine.stats(self._retries)

    @property
    def protocol(self) -> Spoken:
        """As of a `Connection`; as configured before one was opened."""
        return self._protocol

    @property
    def closed(self) -> bool:
        """Is it closed, or closing?"""
        return self._machine.state is not PoolState.OPEN

    def resize(self, max_size: int, min_size: int | None = None) -> None:
        """Change the bounds. What is too much is closed, borrowed connections when they come back."""
        self._change(lambda now: self._machine.resize(now, max_size=max_size, min_size=min_size))

    def retire(self) -> None:
        """Let all connections go that are open now, borrowed ones when they come back."""
        self._change(self._machine.retire)

    def close(self, timeout: float | None = 0.0) -> None:
        """Take no new callers, wait so many seconds (None: any time) for the borrowed connections, and end what is left.

        Idempotent.
        """
        deadline = monotonic() + seconds_allowed(self._config, timeout)
        if timeout != 0.0:
            bed = Lock()
            bed.acquire()
            self._closers.append(bed)
            self._change(self._machine.drain)
            while self._machine.state is not PoolState.CLOSED and (left := deadline - monotonic()) > 0:
                bed.acquire(timeout=min(left, NAP))
                if monotonic() >= self._due:
                    self._pass_by(-inf)
        self._change(self._machine.close)
        for transport in list(self._opening):
            transport.shut_down()

    # -- how a call goes ---------------------------------------------------------------------------------------------------

    def _attempt(
        self, slot: Slot, deadline: float, enter: Callable[[Slot], None] | None = None, *, again: bool = False
    ) -> RespError | None:
        if slot.info.needs is not LANE or slot.count > 1:
            route(slot)  # refuses what a borrowed connection would forget
        caller = Caller()
        try:
            lease = self._lease(caller, deadline, first=again)
            if isinstance(lease, RespError):
                return lease
            try:
                return lease.connection._driver.call(slot, deadline, enter)
            except ConnectionClosedError as error:
                if slot.state is not QUEUED:
                    raise  # not because it had ended
                if lease.fresh:
                    return ConnectError(str(error), transient=True)
                return self._go_on(caller, slot, deadline, enter)
        finally:
            caller.here = False
            self._leave(caller, deadline)

    def _go_on(
        self, caller: Caller, slot: Slot, deadline: float, enter: Callable[[Slot], None] | None
    ) -> RespError | None:
        """The connection had ended before anything was sent; the next one may not have."""
        while True:
            self._leave(caller, deadline)
            lease = self._lease(caller, deadline, first=True)
            if isinstance(lease, RespError):
                return lease
            try:
                return lease.connection._driver.call(slot, deadline, enter)
            except ConnectionClosedError as error:
                if slot.state is not QUEUED:
                    raise  # not because it had ended
                if lease.fresh:
                    return ConnectError(str(error), transient=True)

    def _alone(self, deadline: float) -> AbstractContextManager[Connection]:
        borrower = None if self._settings.leak_after is None else _stack()
        return Borrowed(self, deadline - monotonic(), borrower)

    def _borrow(self, caller: Caller, deadline: float, borrower: str | None) -> Lease[Connection]:
        """Lease a connection that has not ended; it is the caller's to `_leave` in any case."""
        first = False
        while True:
            lease = self._lease(caller, deadline, borrower=borrower, first=first)
            if isinstance(lease, RespError):
                raise lease.counted() if isinstance(lease, CommandTimeoutError) else lease
            if lease.connection._driver.check():
                return lease
            self._leave(caller)
            first = True

    def _lease(
        self, caller: Caller, deadline: float, *, borrower: str | None = None, first: bool = False
    ) -> Lease[Connection] | RespError:
        """Return a lease, or why there is none. Raises what is not for trying again."""
        caller.machine = machine = self._machine
        while True:
            with self._lock:
                if self._inside:
                    raise _reentered()
                self._inside = True
                try:
                    found = machine.acquire(monotonic(), caller, borrower=borrower, first=first)
                    if isinstance(found, Lease):
                        caller.lease = found
                    else:
                        caller.waiter = found
                        caller.bed = Lock()
                        caller.bed.acquire()
                    if events := machine.events():
                        self._todo += events
                    if self._todo:
                        self._carry_out()
                except ConnectError as error:
                    return error
                except RespError:
                    raise
                except BaseException:
                    caller.here, caller.missed = False, -inf
                    self._mend(monotonic())
                    raise
                finally:
                    self._inside = False
            lease = found if isinstance(found, Lease) else self._wait(caller, found, deadline)
            if not self._pre_ping or isinstance(lease, RespError) or self._answers(caller, lease, deadline):
                return lease
            if lease.fresh:
                return ConnectError("a new connection did not answer a PING", transient=True)
            first = True

    def _answers(self, caller: Caller, lease: Lease[Connection], deadline: float) -> bool:
        """Does the connection answer a PING, in the time that opening another may take? Else it is given back for good."""
        patience = inf if self._config.connect_timeout is None else self._config.connect_timeout
        try:
            lease.connection.execute(PING, timeout=max(min(deadline - monotonic(), patience), 0.0))
        except ReplyError:
            return True  # an answer
        except BaseException as error:
            self._leave(caller, reason=CloseReason.FAILED_CHECK)
            if not isinstance(error, RespError):
                raise
            return False
        return True

    def _wait(self, caller: Caller, waiter: Waiter[Connection], deadline: float) -> Lease[Connection] | RespError:
        """Wait for a lease, and return it, or why there is none. Raises what a dial raised that no `RespError` is."""
        assert caller.bed is not None
        nap = NAP
        while (waiter.state is WAITING or waiter.state is DIALLING) and (left := deadline - monotonic()) > 0:
            if waiter.dial is not None:
                self._dial(waiter.dial, deadline)
                continue
            if not caller.bed.acquire(timeout=min(left, nap)):
                nap *= 2  # or a thousand that wait would do nothing but wake up
            if monotonic() >= self._due:
                self._pass_by(-inf)  # there is no time for a dial: its turn may come
        if waiter.lease is not None:
            caller.lease = waiter.lease
            return waiter.lease
        if waiter.error is None:
            stats = self.stats()
            self._leave(caller)
            return CommandTimeoutError(
                f"no connection to {self._config.address} became free in time", outcome=Outcome.NOT_SENT, stats=stats
            )
        caller.waiter = None
        if not isinstance(waiter.error, ConnectError):
            raise waiter.error
        return waiter.error

    def _leave(self, caller: Caller, deadline: float = inf, *, reason: CloseReason | None = None) -> None:
        """Give back what the caller has: a lease, or its place in the queue."""
        if (lease := caller.lease) is None:
            if (waiter := caller.waiter) is not None:
                self._change(lambda now: caller.machine.withdraw(waiter, now))
                caller.waiter = None
            return
        driver = lease.connection._driver
        core = driver.core
        reason = reason or core.unfit
        owes = core.oldest
        if reason is None and core.watching:
            driver.submit_and_forget(WatchLoop.unwatch)  # which is answered at once, so it counts for nothing
        now = monotonic()
        machine = caller.machine
        with self._lock:
            if self._inside:
                raise _reentered()
            self._inside = True
            try:
                machine.release(lease, now, reason=reason, owes=owes)
                if events := machine.events():
                    self._todo += events
                if self._todo:
                    self._carry_out()
            except BaseException:
                self._mend(now)
                raise
            finally:
                self._inside = False
        caller.lease = caller.waiter = None
        if self._ended:
            self._close_ended()
        if now >= self._due:
            self._pass_by(deadline)

    def _elsewhere(self) -> None:
        self.retire()

    # -- what the machine decides ------------------------------------------------------------------------------------------

    def _change(self, what: Callable[[float], object]) -> None:
        """Change something of the machine's, and carry out what follows."""
        with self._lock:
            if self._inside:
                raise _reentered()
            self._inside = True
            try:
                what(monotonic())
                self._todo += self._machine.events()
                self._carry_out()
            except BaseException:
                self._mend(monotonic())
                raise
            finally:
                self._inside = False
        if self._ended:
            self._close_ended()

    def _mend(self, now: float) -> None:
        """Put in order what an interrupt has left, of this caller or another."""
        self._machine.mend(now, _is_here)
        self._todo += self._machine.events()
        self._carry_out()

    def _carry_out(self) -> None:
        """Do what the machine says is to be done, under the lock; what takes longer is only noted. Safe to be cut short."""
        todo = self._todo
        while todo:
            match todo[0]:
                case Granted(waiter) | Refused(waiter) | Dial(waiter=Waiter() as waiter):
                    assert isinstance(waiter.token, Caller)
                    if waiter.token.bed is not None and waiter.token.bed.locked():
                        waiter.token.bed.release()
                case Close(connection):
                    self._ended[connection] = None
                case Dial(token=Caller() as caller) as dial:
                    caller.dials = (*caller.dials, dial)
                case Leaked(lease):
                    self._leaked.append(lease)
            del todo[0]
        if self._closers and self._machine.state is PoolState.CLOSED:
            for bed in self._closers:
                if bed.locked():
                    bed.release()

    def _close_ended(self) -> None:
        for connection in list(self._ended):
            connection.close()
            self._ended.pop(connection, None)

    def _pass_by(self, deadline: float = inf) -> None:
        """Do what is due: take back what was left behind, close what is out of date, report leaks, dial for `min_size`."""
        caller = Caller()
        try:
            self._change(lambda now: self._look(caller, now))
            for dial in caller.dials:
                self._dial(dial, deadline)
        finally:
            caller.here = False
        while self._leaked:
            lease = self._leaked.pop()
            warn(f"{lease!r} is out for long; it was borrowed here:\n{lease.borrower}", ResourceWarning, stacklevel=2)

    def _look(self, caller: Caller, now: float) -> None:
        self._due = now + LOOK
        self._machine.mend(now, _is_here)
        self._machine.handle_timeout(now, caller)

    def _dial(self, dial: Dial[Connection], deadline: float) -> None:
        """Open a connection on this thread, as far as there is time, and tell the machine how that ended."""
        machine, connection = self._machine, None
        failure: Exception | None = None
        try:
            try:
                if deadline > monotonic():
                    connection = Connection(
                        self._config, Driver.open(self._config, self._fallback, deadline, self._opening)
                    )
            except Exception as error:  # noqa: BLE001  # a provider of credentials may raise anything: whoever waits is to know
                # What this caller's own deadline cut short says nothing of the server.
                short = dial.waiter is not None and isinstance(error, ConnectError) and monotonic() >= deadline
                failure = None if short else error
            if connection is None:
                self._change(lambda now: machine.dial_failed(dial, failure, now))
            else:
                self._protocol = connection.protocol
                self._change(lambda now: machine.opened(dial, connection, now, random()))
        except BaseException:
            if connection is not None:
                connection.close()
            raise


class Borrowed:
    """A connection on loan, for a `with` block."""

    __slots__ = ("_borrower", "_caller", "_pool", "_seconds")

    def __init__(self, pool: Pool, seconds: float, borrower: str | None) -> None:
        self._caller: Caller | None = None
        self._pool = pool
        self._seconds = seconds
        self._borrower = borrower

    def __enter__(self) -> Connection:
        if self._caller is not None:
            raise LocalProtocolError("acquire: this block has been entered before; ask for another connection")
        self._caller = caller = Caller()
        try:
            return Leased(self._pool._borrow(caller, monotonic() + self._seconds, self._borrower))
        except BaseException:
            caller.here = False
            self._pool._leave(caller)
            raise

    def __exit__(self, *exception: object) -> None:
        caller = self._caller
        if caller is not None:
            reason = None
            if (lease := caller.lease) is not None and lease.connection._driver.give_back(lease):
                reason = CloseReason.BROKEN
            caller.here = False
            self._pool._leave(caller, reason=reason)

    def __del__(self) -> None:
        # An interrupt may have kept it from leaving, or `__init__` from beginning.
        caller = getattr(self, "_caller", None)
        if caller is not None:
            caller.here = False


def _reentered() -> LocalProtocolError:
    return LocalProtocolError(
        "this thread is already inside a call on this pool: a signal handler or finaliser must not use it"
    )


def _owed(connection: Connection) -> object:
    driver = connection._driver
    driver.check()
    return driver.core.oldest


def _stack() -> str:
    """Return where the caller of `acquire` stands."""
    from traceback import format_stack  # rarely needed, and slow to import

    return "".join(format_stack()[:-2])


_pools: Final[WeakSet[Pool]] = WeakSet()


def _after_fork() -> None:
    for pool in list(_pools):
        pool._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

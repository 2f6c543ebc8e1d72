"""Who gets which connection; what to open and close, and why.

A pool keeps places, each with a connection, at most `max_size`. A place is idle or leased to one caller. A caller that finds
none idle waits in a queue, strictly first come, first served; what comes back, or is newly opened, goes to the first of them.
Idle ones are reused last in, first out, so that those not needed grow old and are closed.

Each method changes the facts, then `_advance` draws the conclusions (hand over, dial, close) as events for the adapter to carry
out. Nothing here waits, reads a clock or locks: an adapter calls one method at a time, and carries out `events()` after each.

A dial is for the caller that is first in the queue when it is done. With waiters in the queue there is always a lease out or a
dial under way, so no caller waits in vain.
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import takewhile
from math import inf
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from .._errors import CommandTimeoutError, ConnectError, ConnectionClosedError, Outcome, PoolFullError
from .._record import replace
from .._stats import CloseReason, PoolStats
from ..config.retry import Breaker
from ..config.settings import PoolSettings
from ..connection.deadlines import Deadlines
from .pace import Pace

__all__ = [
    "Close", "Dial", "Granted", "Leaked", "Lease", "Pool", "PoolEvent", "PoolState", "Refused", "Waiter", "WaiterState",
]  # fmt: skip

C = TypeVar("C")

# psycopg_pool doubles from 1 s as well; its last is 5 minutes, too long for a cache.
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
REPLY_GRACE: Final = 0.1
"""Seconds for which a connection may owe a reply to a caller who has gone, and be lent as if it did not: a prompt server answers
sooner, so that fifty cancelled calls cost no dial."""
LIFETIME_JITTER: Final = 0.05  # psycopg_pool's


# -- What callers hold -----------------------------------------------------------------------------------------------------


class PoolState(enum.Enum):
    """What a pool does for callers."""

    OPEN = "it serves"
    DRAINING = "it serves those who wait, and no others"
    CLOSED = "it has no connections, and never will"


class WaiterState(enum.Enum):
    """WAITING is under way; the others are ends."""

    WAITING = "in the queue"
    GRANTED = "it has its lease"
    REFUSED = "it has its error"
    WITHDRAWN = "it has gone"


class _Place(Generic[C]):
    """A connection of the pool's. Idle until `deadline`; not used any more from `expires`, which is -inf once it is retired.

    `noted`: when the pool looks at it next: too early perhaps, but not too late. `owes`: the oldest reply that it owed when it
    was last asked, and `owes_since` when, at the earliest.
    """

    __slots__ = ("connection", "deadline", "expires", "fresh", "lease", "noted", "owes", "owes_since")

    def __init__(self, connection: C, expires: float) -> None:
        self.connection: Final = connection
        self.expires: float = expires
        self.deadline: float = expires
        self.fresh: bool = True
        self.lease: Lease[C] | None = None
        self.noted: float = inf
        self.owes: object = None
        self.owes_since: float = -inf

    @property
    def due(self) -> float:
        """When there is something to close or to report."""
        return self.deadline if self.lease is None else self.lease._report_at


class Lease(Generic[C]):
    """Exclusive use of a connection, since a time. Over once released, or once the connection left the pool.

    `fresh`: no caller had it before. `token` is the adapter's own; see `Pool.reconcile`. `ended`: the borrower's block is over,
    so a handle that the borrower kept refuses every call (`check`); the connection may be another borrower's by now.
    """

    __slots__ = ("_place", "_report_at", "borrower", "connection", "ended", "fresh", "since", "token")

    def __init__(self, place: _Place[C], since: float, borrower: str | None, token: object) -> None:
        self.connection: C = place.connection
        self.fresh: bool = place.fresh
        self.since: float = since
        self.borrower: str | None = borrower
        self.token: object = token
        self.ended: bool = False
        self._place = place
        self._report_at = inf

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.connection!r}{'' if self.active else ', over'}>"

    @property
    def active(self) -> bool:
        """Is the connection still this caller's?"""
        return self._place.lease is self

    def end(self) -> None:
        """Refuse every call from now on: an adapter says so when the block ends, before it looks at what was done in there.

        `Pool.release` says so as well. Idempotent.
        """
        self.ended = True

    def check(self, name: str) -> None:
        """Raise `ConnectionClosedError` if the block has ended. `name` is what was called, for the message.

        A connection that ended while the block lasts is not refused here: it says itself why it has ended.
        """
        if self.ended:
            raise ConnectionClosedError(
                f"{name} was not sent: this connection was given back when its acquire() block ended; call acquire() again"
            )


class Waiter(Generic[C]):
    """A caller that waits. `token` is the adapter's own, to wake it by; `lease` or `error` tells what it was woken for."""

    __slots__ = ("_noted", "borrower", "deadline", "error", "lease", "state", "token")

    def __init__(self, token: object, borrower: str | None, deadline: float) -> None:
        self.token: object = token
        self.borrower: str | None = borrower
        self.deadline: float = deadline
        self._noted = False  # has the pool taken note of the deadline?
        self.state: WaiterState = WaiterState.WAITING
        self.lease: Lease[C] | None = None
        self.error: Exception | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.state.name}>"


# -- What the adapter is to do ---------------------------------------------------------------------------------------------


class Dial(Generic[C]):
    """Open a connection, and say how that ended with `opened` or `dial_failed`. It is for the first in the queue by then."""

    __slots__ = ("_generation",)

    def __init__(self, generation: int) -> None:
        self._generation: Final = generation

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of generation {self._generation}>"


class Granted(NamedTuple, Generic[C]):
    """Wake this waiter: it has its lease."""

    waiter: Waiter[C]


class Refused(NamedTuple, Generic[C]):
    """Wake this waiter: it has its error."""

    waiter: Waiter[C]


class Close(NamedTuple, Generic[C]):
    """Close this connection, which is not the pool's any more. Each that was opened is told so exactly once."""

    connection: C
    reason: CloseReason


class Leaked(NamedTuple, Generic[C]):
    """Report that this lease is out for longer than `leak_after`. Told once."""

    lease: Lease[C]


PoolEvent: TypeAlias = Dial[C] | Granted[C] | Refused[C] | Close[C] | Leaked[C]


def _nothing(_: object) -> None:
    """Nothing is owed."""


def _is_noted(place: _Place[C], deadline: float) -> bool:
    return place.noted == deadline


def _is_waiting(waiter: Waiter[C], _deadline: float) -> bool:
    return waiter.state is WaiterState.WAITING


# -- The pool --------------------------------------------------------------------------------------------------------------


class Pool(Generic[C]):
    """The state of a pool of connections `C`: see the module's page for how to drive it.

    All times are seconds of one monotonic clock, whichever. A `breaker` given is shared with others; else the settings say. A
    `pace` given is that of an owner who dials for other reasons, too: it says when a dial may begin, and the owner calls `advance`
    when that has changed. `peer` names the server in messages. `owed` is asked what a connection owes that came back with replies
    owed (see `release`), before another one is dialled instead; without it, such a connection owes nothing any more.
    """

    __slots__ = (
        "_breaker", "_closed", "_created", "_dial_failures", "_dials", "_generation", "_granted",
        "_idle", "_late", "_late_at", "_look_at", "_looks", "_max_idle", "_most_leased", "_most_size", "_most_waiting",
        "_owed", "_owing", "_pace", "_pause", "_places", "_queue", "_refill_at", "_refused", "_room", "_waited", "_withdrawn",
        "peer", "settings", "state", "untold",
    )  # fmt: skip

    def __init__(
        self,
        settings: PoolSettings | None = None,
        *,
        breaker: Breaker | None = None,
        pace: Pace | None = None,
        peer: str = "the server",
        owed: Callable[[C], object] = _nothing,
    ) -> None:
        self._pace = pace
        self.peer: Final = peer
        self._owed: Final = owed
        self.settings: PoolSettings = settings or PoolSettings()
        self.state: PoolState = PoolState.OPEN
        self._breaker = breaker or self.settings.breaker()
        # By the id of the connection, which need not be hashable: a place keeps it alive.
        self._places: dict[int, _Place[C]] = {}
        self._idle: OrderedDict[int, _Place[C]] = OrderedDict()  # the last one goes first
        # Idle as well, but they owe replies: the first one goes first.
        self._owing: OrderedDict[int, _Place[C]] = OrderedDict()
        # An OrderedDict alone is O(1) at both ends and in between.
        self._queue: OrderedDict[Waiter[C], None] = OrderedDict()
        self._dials: dict[Dial[C], None] = {}
        self.untold: list[PoolEvent[C]] = []  # what `events` returns next
        self._generation = 0
        self._room = self.settings.max_size  # how many may be kept
        self._max_idle = inf if self.settings.max_idle is None else self.settings.max_idle
        # When something is to be done: for places, and for waiters; nothing is before the two times.
        self._looks: Deadlines[_Place[C]] = Deadlines(_is_noted)
        self._look_at = inf
        self._late: Deadlines[Waiter[C]] = Deadlines(_is_waiting)
        self._late_at = inf
        self._refill_at = -inf
        self._pause = 0.0
        self._created = self._dial_failures = 0
        self._closed = dict.fromkeys(CloseReason, 0)
        self._waited = self._granted = self._refused = self._withdrawn = 0
        self._most_size = self._most_leased = self._most_waiting = 0

    def __repr__(self) -> str:
        places, idle = len(self._places), len(self._idle) + len(self._owing)
        return (
            f"<{type(self).__name__} {self.state.name}: {places} of {self.settings.max_size}, {idle} idle, {places - idle} leased,"
            f" {len(self._dials)} dialling, {len(self._queue)} waiting>"
        )

    def events(self) -> Sequence[PoolEvent[C]]:
        """Return what is to be done, in this order, and forget it."""
        if not self.untold:
            return ()
        events, self.untold = self.untold, []
        return events

    @property
    def connections(self) -> list[C]:
        """All that are the pool's, idle or leased."""
        return [place.connection for place in self._places.values()]

    @property
    def dials(self) -> list[Dial[C]]:
        """Those under way."""
        return list(self._dials)

    def holds(self, waiter: Waiter[C]) -> bool:
        """Is it in the queue?"""
        return waiter in self._queue

    # -- Callers -----------------------------------------------------------------------------------------------------------

    def acquire(
        self,
        now: float,
        token: object = None,
        *,
        deadline: float = inf,
        borrower: str | None = None,
        first: bool = False,
    ) -> Lease[C] | Waiter[C]:
        """Ask for a connection: a lease if one is idle, else a place in the queue.

        Who is still in the queue at the `deadline` is refused, with a `CommandTimeoutError`: by `handle_timeout`, so that a
        thousand waiters need one timer. `borrower` (its stack, say) is for the report if it keeps the connection for too long.
        `first` is for a caller whose turn it was already, and who gave back a lease that was of no use: it goes to the head of
        the queue. Raises `ConnectionClosedError` if the pool is closed or draining, `PoolFullError` if too many wait already,
        `CircuitOpenError` if a dial is needed and the breaker allows none.
        """
        lease = self.lend(now, token, borrower)
        return self._wait(Waiter(token, borrower, deadline), now, first=first) if lease is None else lease

    def lend(self, now: float, token: object = None, borrower: str | None = None) -> Lease[C] | None:
        """Return a lease if a connection is idle; else None, and `acquire` is to be asked."""
        idle = self._idle
        while idle:
            place = idle.popitem()[1]
            if now < place.deadline or (reason := self._outdated(place, now)) is None:
                return self._lend(place, now, borrower, token)
            self._close(place, reason)
        if self._owing and not self._queue and (owing := self._take_owing(now)) is not None:
            return self._lend(owing, now, borrower, token)
        return None

    def release(self, lease: Lease[C], now: float, *, reason: CloseReason | None = None, owes: object = None) -> None:
        """Give a connection back; with a reason if it is not to be used again. A lease that is over, or another pool's (after a
        fork), changes nothing of the pool's; it refuses calls from now on in any case.

        `owes` is what stands for the oldest reply that it owes, to a caller who has gone: anything, None if there is none. Such a
        connection is lent last; and once it has owed that for `REPLY_GRACE`, only where no more may be dialled, for the next
        borrower would wait behind it.
        """
        lease.ended = True
        place = lease._place
        if place.lease is not lease or id(place.connection) not in self._places:
            return
        if owes is not place.owes:
            place.owes, place.owes_since = owes, lease.since
        place.lease = None
        if reason is None and now < place.expires and not self._queue and len(self._places) <= self._room:
            self._rest(place, now)
        else:
            self._give_back(place, now, reason)

    def withdraw(self, waiter: Waiter[C], now: float) -> None:
        """The caller has gone, at any moment: its turn passes on, and a lease that it was handed goes back. Idempotent."""
        if waiter.state is WaiterState.WAITING:
            del self._queue[waiter]
            waiter.state = WaiterState.WITHDRAWN
            self._withdrawn += 1
            self._advance(now)
        elif waiter.lease is not None:
            self.release(waiter.lease, now)

    # -- Connections -------------------------------------------------------------------------------------------------------

    def opened(self, dial: Dial[C], connection: C, now: float, jitter: float = 0.0) -> None:
        """A dial succeeded. `jitter`, from [0, 1), shortens the connection's life at random, so that not all end at once."""
        lifetime = self.settings.max_lifetime
        expires = inf if lifetime is None else now + lifetime * (1 - LIFETIME_JITTER * jitter)
        place = _Place(connection, expires)
        self._places[id(connection)] = place
        self._created += 1
        self._pause, self._refill_at = 0.0, -inf
        if self._breaker is not None:
            self._breaker.succeeded()
        if dial not in self._dials:  # given up meanwhile
            self._close(place, CloseReason.CLOSED if self.state is PoolState.CLOSED else CloseReason.SURPLUS)
            return
        del self._dials[dial]
        self._most_size = max(self._most_size, len(self._places))
        retired = dial._generation != self._generation
        if retired:  # begun before: good for one use, if a caller waits for it
            place.expires = -inf
        if retired and not self._queue:
            self._close(place, CloseReason.RETIRED)
        else:
            self._rest(place, now)
        self._advance(now)

    def dial_failed(self, dial: Dial[C], error: Exception | None, now: float) -> None:
        """A dial failed with this error, or was given up (None).

        The error is told to the first in the queue, unless there is a connection left that owes replies: that is better than none.
        One that is not transient is told to all in the queue, for the next dial would end so too.
        """
        if dial not in self._dials:
            return
        del self._dials[dial]
        if error is None:
            self._gave_up(now)
        else:
            self._dial_failures += 1
            if self._pace is None:
                self._pause = min(max(FIRST_PAUSE, 2 * self._pause), LONGEST_PAUSE)
                self._refill_at = now + self._pause
            if self._breaker is not None:
                self._breaker.failed(now)
            self._tell(error, now)
        self._advance(now)

    def _tell(self, error: Exception, now: float) -> None:
        """Refuse those whom a failed dial concerns."""
        waiter = next(iter(self._queue), None)
        if waiter is None:
            return
        if isinstance(error, ConnectError) and not error.transient:
            self._refuse(waiter, error)
            self._refuse_beyond(0, error)
        elif (place := self._take_owing(now, at_once=True)) is not None:
            self._grant(waiter, place, now)
        elif self._pace is None:
            self._refuse(waiter, error)
        if self._pace is not None and not self._places:
            for each in list(self._queue):  # no connection will come back to them, and their owner may ask again
                self._refuse(each, error)

    def advance(self, now: float) -> None:
        """Dial if that may be now: for an owner that gave its `pace`."""
        self._advance(now)

    def lost(self, connection: C, now: float, reason: CloseReason = CloseReason.LOST) -> None:
        """A connection ended by itself, idle or leased: its place is free. One that is not the pool's changes nothing."""
        place = self._places.get(id(connection))
        if place is not None:
            self._close(place, reason)
            self._advance(now)

    # -- The pool as a whole -----------------------------------------------------------------------------------------------

    def retire(self, now: float) -> None:
        """Let everything go that was opened before: idle connections now, leased ones when they come back.

        For when credentials have changed, or a server went away and what remains of its connections cannot be trusted.
        """
        self._generation += 1
        for place in list(self._places.values()):
            place.expires = -inf
            if place.lease is None:
                self._close(place, CloseReason.RETIRED)
        self._advance(now)

    def resize(self, now: float, *, max_size: int, min_size: int | None = None) -> None:
        """Change the bounds. Those too many go: idle connections now, leased ones as they come back.

        Raises as `PoolSettings` does.
        """
        least = self.settings.min_size if min_size is None else min_size
        self.settings = replace(self.settings, max_size=max_size, min_size=least)
        if self.state is PoolState.OPEN:
            self._room = max_size
        self._advance(now)

    def drain(self, now: float) -> None:
        """Take no new callers. Those who wait are served; the pool is CLOSED when the last connection is back."""
        if self.state is PoolState.OPEN:
            self.state = PoolState.DRAINING
            self._room = 0
            self._advance(now)

    def close(self, now: float) -> None:
        """End everything at once: all connections, leased or not, all dials; who waits is refused."""
        self.state = PoolState.CLOSED
        self._room = 0
        for dial in list(self._dials):
            del self._dials[dial]
            self._gave_up(now)
        while self._queue:
            self._refuse(next(iter(self._queue)), ConnectionClosedError("the pool was closed"))
        for place in list(self._places.values()):
            self._close(place, CloseReason.CLOSED)
        self._forget_deadlines()

    def next_deadline(self) -> float:
        """When to call `handle_timeout`, `math.inf` for never; it may find nothing to do."""
        refills = (self._pace is None or self._refill_at > -inf) and self._lacks()
        return min(self._look_at, self._late_at, self._refill_at if refills else inf)

    def handle_timeout(self, now: float) -> None:
        """Close what is out of date, report leaks, and dial for `min_size`."""
        if now >= self._look_at:
            # In the order in which they were used: what is kept is what was used last.
            # Each once, though it may have been noted twice for one time.
            for place in sorted(dict.fromkeys(self._looks.take(now)), key=lambda place: place.deadline):
                place.noted = inf
                self._look(place, now)
            self._looks.trim(len(self._places))
            self._look_at = self._looks.next()
        if now >= self._late_at:
            self._refuse_late(now)
        self._refill(now)

    def _refill(self, now: float) -> None:
        """Dial for `min_size`."""
        while now >= self._refill_at and self._lacks():
            if self._pace is not None and not self._pace.ready(now):
                self._refill_at = -inf  # the owner of the pace says when
                return
            if self._breaker is not None and not self._breaker.allows(now):
                self._refill_at = self._breaker.until
                return
            self._announce()

    def _look(self, place: _Place[C], now: float) -> None:
        """Close what is out of date, report what is lent for too long; else look again later."""
        lease = place.lease
        if lease is None:
            if now >= place.deadline:
                if (reason := self._outdated(place, now)) is not None:
                    self._close(place, reason)
                    return
                place.deadline = place.expires
        elif now >= lease._report_at:
            lease._report_at = inf
            self.untold.append(Leaked(lease))
        self._note(place)

    def _note(self, place: _Place[C]) -> None:
        """See that the place is looked at when it is due, at the latest."""
        due = place.due
        if due < place.noted:
            place.noted = due
            self._looks.add(place, due)
            if due < self._look_at:
                self._look_at = due

    def _note_waiters(self) -> None:
        """Take note of the deadlines of those in the queue. New ones are at its end, so each is looked at once."""
        new = list(takewhile(lambda waiter: not waiter._noted, reversed(self._queue)))
        for waiter in reversed(new):
            waiter._noted = True
            self._late.add(waiter, waiter.deadline)

    def reconcile(self, now: float, is_alive: Callable[[Any], bool]) -> None:
        """Put everything in order after a method was cut short, wherever it was, or after a caller has gone without a word.

        For adapters whose callers can be interrupted anywhere, as threads by signals. `is_alive` says by its token whether a
        caller is there: what was lent to one that is not is closed. May be cut short itself, and repeated; then counts can be
        wrong by one. A dial of `dials` may have been told of by no event.
        """
        for waiter in list(self._queue):
            self._reconcile_waiter(waiter, is_alive)
        told = {id(event.connection) for event in self.untold if isinstance(event, Close)}
        for key, place in list(self._places.items()):
            if key in told:
                del self._places[key]
            elif key in self._idle or key in self._owing:
                continue
            elif place.lease is None or not is_alive(place.lease.token):
                self._close(place, CloseReason.INTERRUPTED)
        self._created = len(self._places) + sum(self._closed.values())
        self._room = self.settings.max_size if self.state is PoolState.OPEN else 0
        self._note_anew()
        if self.state is PoolState.CLOSED:
            self.close(now)
        else:
            self._advance(now)

    def _note_anew(self) -> None:
        """Have everything looked at."""
        self._looks.entries.clear()
        self._late.entries.clear()
        self._late_at = -inf
        for waiter in self._queue:
            waiter._noted = False
        for place in self._places.values():
            place.noted = inf
            self._note(place)

    def _reconcile_waiter(self, waiter: Waiter[C], is_alive: Callable[[Any], bool]) -> None:
        """One in the queue, from which it would have been taken last: finish what was begun, or undo it."""
        if not is_alive(waiter.token):
            waiter.state = WaiterState.WITHDRAWN
            self._withdrawn += 1
        elif waiter.error is not None:
            waiter.state = WaiterState.REFUSED
            self.untold.append(Refused(waiter))
        elif waiter.lease is not None and waiter.lease.active:
            waiter.state = WaiterState.GRANTED
            self.untold.append(Granted(waiter))
        else:
            waiter.lease = None
            waiter.state = WaiterState.WAITING
            return
        del self._queue[waiter]

    def stats(self, retries: int = 0) -> PoolStats:
        """Return a snapshot of all counts, among them how many attempts its owner has repeated."""
        size, idle = len(self._places), len(self._idle) + len(self._owing)
        return PoolStats(
            size=size,
            idle=idle,
            leased=size - idle,
            dialling=len(self._dials),
            waiting=len(self._queue),
            created=self._created,
            dial_failures=self._dial_failures,
            closed=dict(self._closed),
            waited=self._waited,
            granted=self._granted,
            refused=self._refused,
            withdrawn=self._withdrawn,
            most_size=self._most_size,
            most_leased=self._most_leased,
            most_waiting=self._most_waiting,
            retries=retries,
        )

    # -- Conclusions -------------------------------------------------------------------------------------------------------

    def _advance(self, now: float) -> None:
        """Bring the pool in order after the facts have changed."""
        while len(self._places) > self.settings.max_size and (idle := self._owing or self._idle):
            self._close(next(iter(idle.values())), CloseReason.SURPLUS)
        while self._idle and self._queue:
            self._grant(next(iter(self._queue)), self._idle.popitem()[1], now)
        self._lend_owing(now)
        self._dial(now)
        if self._pace is not None:
            self._refill(now)
        self._lend_owing(now)
        if self.state is PoolState.DRAINING:
            # No caller is in the queue for them, and no other comes.
            for place in [*self._idle.values(), *self._owing.values()]:
                self._close(place, CloseReason.DRAINED)
            if not self._queue:
                self._end_drain(now)

    def _lend_owing(self, now: float) -> None:
        """Hand out connections that owe replies, or did, to those in the queue for whom no dial is under way."""
        while self._owing and len(self._queue) > len(self._dials) and (place := self._take_owing(now)) is not None:
            self._grant(next(iter(self._queue)), place, now)

    def _take_owing(self, now: float, *, at_once: bool = False) -> _Place[C] | None:
        """Take out a connection that owes no replies any more, or not for long; or any if none may be dialled instead.

        Only the one that has waited for longest is asked, and then it is behind the others: so each has its turn, at a question or
        two for a call.
        """
        owing = self._owing
        at_once = at_once or not self._may_dial(now)
        while owing:
            key, place = next(iter(owing.items()))
            if now >= place.deadline and (reason := self._outdated(place, now)) is not None:
                self._close(place, reason)
            elif at_once or self._owes_little(place, now):
                if owing.pop(key, None) is not None:  # else it has ended, as asking showed
                    return place
            else:
                owing.move_to_end(key)
                break
        return None

    def _owes_little(self, place: _Place[C], now: float) -> bool:
        owes = self._owed(place.connection)
        if owes is not place.owes:
            place.owes, place.owes_since = owes, now  # the server has answered meanwhile
        return owes is None or now < place.owes_since + REPLY_GRACE

    def _may_dial(self, now: float) -> bool:
        """Is there room for another connection, and may it be dialled, now or when another dial has ended?"""
        breaker = self._breaker
        return (
            self.state is PoolState.OPEN
            and len(self._places) + len(self._dials) < self.settings.max_size
            and (breaker is None or not breaker.broken or now >= breaker.until)
        )

    def _end_drain(self, now: float) -> None:
        for dial in list(self._dials):
            del self._dials[dial]
            self._gave_up(now)
        if not self._places:
            self.state = PoolState.CLOSED
            self._forget_deadlines()

    def _forget_deadlines(self) -> None:
        """A closed pool has nothing to look at, and keeps no connection for the sake of it."""
        self._looks.entries.clear()
        self._late.entries.clear()
        self._look_at = self._late_at = inf

    def _dial(self, now: float) -> None:
        """Announce a dial for each in the queue for whom none is under way, where there is room."""
        settings, dials = self.settings, self._dials
        while (
            len(self._queue) > len(self._dials)
            and len(self._places) + len(dials) < settings.max_size
            and len(dials) < settings.max_dials
        ):
            if self._breaker is not None and self._breaker.refuses(now):
                self._refuse_beyond(len(self._dials), self._breaker.refusal())
                return
            if self._pace is not None and not self._pace.ready(now):
                return
            if self._breaker is not None:
                self._breaker.allows(now)
            self._announce()

    def _announce(self) -> None:
        dial: Dial[C] = Dial(self._generation)
        self._dials[dial] = None
        self.untold.append(dial)
        if self._pace is not None:
            self._pace.begun()

    def _gave_up(self, now: float) -> None:
        if self._breaker is not None:
            self._breaker.gave_up(now)

    def _lacks(self) -> bool:
        """Is a dial missing for `min_size`?"""
        return (
            self.state is PoolState.OPEN
            and len(self._places) + len(self._dials) < self.settings.min_size
            and len(self._dials) < self.settings.max_dials
        )

    # -- Transitions -------------------------------------------------------------------------------------------------------

    def _wait(self, waiter: Waiter[C], now: float, *, first: bool) -> Waiter[C]:
        settings, pending = self.settings, len(self._queue)
        if self.state is not PoolState.OPEN:
            self._refused += 1
            raise ConnectionClosedError(f"the pool is {self.state.name}: {self.state.value}; open another")
        room = max(0, settings.max_size - len(self._places))  # for so many there is or will be a dial
        if settings.max_waiting is not None and pending >= settings.max_waiting + room and not first:
            self._refused += 1
            raise PoolFullError(
                f"{pending} callers wait for a connection already (max_waiting={settings.max_waiting}); {self!r}"
            )
        self._queue[waiter] = None
        if waiter.deadline < self._late_at:
            self._late_at = waiter.deadline
        if first:
            self._queue.move_to_end(waiter, last=False)
            waiter._noted = True
            self._late.add(waiter, waiter.deadline)
        self._waited += 1
        self._most_waiting = max(self._most_waiting, pending + 1)
        self._advance(now)
        if waiter.error is not None:  # told here and now, so no caller is to be woken
            self.untold = [
                event for event in self.untold if not (isinstance(event, Refused) and event.waiter is waiter)
            ]
            raise waiter.error
        return waiter

    def _lend(
        self, place: _Place[C], now: float, borrower: str | None, token: object, waiter: Waiter[C] | None = None
    ) -> Lease[C]:
        """Lease a place that was just taken from the idle ones, or is new."""
        lease = Lease(place, now, borrower, token)
        place.fresh = False
        if waiter is not None:
            waiter.lease = lease  # first, so that a lease always has an owner who knows of it
        place.lease = lease
        self._granted += 1
        leased = len(self._places) - len(self._idle) - len(self._owing)
        if leased > self._most_leased:
            self._most_leased = leased
        if borrower is not None and self.settings.leak_after is not None:
            lease._report_at = now + self.settings.leak_after
            self._note(place)
        return lease

    def _grant(self, waiter: Waiter[C], place: _Place[C], now: float) -> None:
        self._lend(place, now, waiter.borrower, waiter.token, waiter)
        waiter.state = WaiterState.GRANTED
        self.untold.append(Granted(waiter))
        self._queue.pop(waiter, None)

    def _refuse(self, waiter: Waiter[C], error: Exception) -> None:
        waiter.error = error
        waiter.state = WaiterState.REFUSED
        self._refused += 1
        self.untold.append(Refused(waiter))
        self._queue.pop(waiter, None)

    def _refuse_late(self, now: float) -> None:
        self._note_waiters()
        late = list(self._late.take(now))
        stats = self.stats() if late else None
        for waiter in late:
            why = f"no connection to {self.peer} became free in time"
            self._refuse(waiter, CommandTimeoutError(why, outcome=Outcome.NOT_SENT, stats=stats))
        self._late.trim(len(self._queue))
        self._late_at = self._late.next()
        if late and self.state is PoolState.DRAINING:
            self._advance(now)  # they may have been the last

    def _refuse_beyond(self, count: int, why: ConnectError) -> None:
        """Refuse all but so many in the queue, each with an error of its own, for a traceback belongs to one caller."""
        for waiter in list(self._queue)[count:]:
            self._refuse(waiter, type(why)(str(why), transient=why.transient))

    def _rest(self, place: _Place[C], now: float) -> None:
        """A place is idle from now on."""
        (self._idle if place.owes is None else self._owing)[id(place.connection)] = place
        deadline = now + self._max_idle
        if deadline > place.expires:
            deadline = place.expires
        place.deadline = deadline
        if deadline < place.noted:
            self._note(place)

    def _give_back(self, place: _Place[C], now: float, reason: CloseReason | None) -> None:
        if reason is None and now >= place.expires:
            reason = CloseReason.RETIRED if place.expires == -inf else CloseReason.MAX_LIFETIME
        if reason is None:
            self._rest(place, now)
        else:
            self._close(place, reason)
        self._advance(now)

    def _outdated(self, place: _Place[C], now: float) -> CloseReason | None:
        """Why a place whose deadline has passed is to be closed, None if it is to be kept."""
        if now >= place.expires:
            return CloseReason.MAX_LIFETIME
        return CloseReason.IDLE if len(self._places) > self.settings.min_size else None

    def _close(self, place: _Place[C], reason: CloseReason) -> None:
        """A connection leaves the pool, from wherever it is."""
        key = id(place.connection)
        self._idle.pop(key, None)
        self._owing.pop(key, None)
        place.lease = None
        place.noted = inf
        self.untold.append(Close(place.connection, reason))
        self._closed[reason] += 1
        del self._places[key]

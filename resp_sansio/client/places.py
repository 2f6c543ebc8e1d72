"""The books of a pool: which connections it has, which of them are idle, owe replies or are lent, and who waits.

A place is idle or lent to one caller. Of the idle ones the last that came back is lent first, so that those not needed grow old
and are closed. One that owes replies to callers who have gone is idle, too, but lent last, and in turn.

The moves stand here: lend, grant, refuse, rest, close; and when each place is to be looked at. `Pool` says which is made when.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from itertools import takewhile
from math import inf
from typing import Any, Final, Generic, TypeVar

from .._errors import CommandTimeoutError, ConnectError, Outcome
from .._stats import CloseReason, PoolStats
from ..config.retry import Breaker
from ..config.settings import PoolSettings
from ..connection.deadlines import Deadlines
from .leases import Close, Dial, Granted, Leaked, Lease, Place, PoolEvent, PoolState, Refused, Waiter, WaiterState
from .pace import Pace
from .timers import Soonest, Timers

__all__ = ["Places"]

C = TypeVar("C")

REPLY_GRACE: Final = 0.1
"""Seconds for which a connection may owe a reply to a caller who has gone, and be lent as if it did not: a prompt server answers
sooner, so that fifty cancelled calls cost no dial."""


def nothing(_: object) -> None:
    """Nothing is owed, and nothing is wrong."""


def _is_waiting(waiter: Waiter[C]) -> bool:
    return waiter.state is WaiterState.WAITING


class Places(Generic[C]):
    """The connections of a pool, its callers in their queue, and what is counted of both."""

    __slots__ = (
        "_breaker", "_closed", "_created", "_dial_failures", "_dials", "_generation", "_granted",
        "_idle", "_late", "_late_at", "_look_at", "_looks", "_max_idle", "_most_leased", "_most_size", "_most_waiting",
        "_owed", "_owing", "_pace", "_places", "_queue", "_refill_at", "_refused", "_room", "_soonest", "_unfit", "_waited",
        "_withdrawn", "peer", "settings", "state", "untold",
    )  # fmt: skip

    def __init__(
        self,
        settings: PoolSettings | None = None,
        *,
        pace: Pace,
        breaker: Breaker | None = None,
        peer: str = "the server",
        owed: Callable[[C], object] = nothing,
        unfit: Callable[[C], CloseReason | None] = nothing,
        soonest: Soonest | None = None,
    ) -> None:
        self._pace = pace
        self._soonest = soonest or Soonest()  # of this pool and others; it knows nothing of breakers
        self.peer: Final = peer
        self._owed: Final = owed
        self._unfit: Final = unfit  # why the next borrower can't have it, now that replies to the last one have come
        self.settings: PoolSettings = settings or PoolSettings()
        self.state: PoolState = PoolState.OPEN
        self._breaker = breaker or self.settings.breaker()
        # By the id of the connection, which need not be hashable: a place keeps it alive.
        self._places: dict[int, Place[C]] = {}
        self._idle: dict[int, Place[C]] = {}  # the last one goes first
        # Idle as well, but they owe replies: the first one goes first.
        self._owing: OrderedDict[int, Place[C]] = OrderedDict()
        # Only an OrderedDict is O(1) at both ends and in between.
        self._queue: OrderedDict[Waiter[C], None] = OrderedDict()
        self._dials: dict[Dial[C], None] = {}
        self.untold: list[PoolEvent[C]] = []  # what `events` returns next
        self._generation = 0
        self._room = self.settings.max_size  # how many may be kept
        self._max_idle = inf if self.settings.max_idle is None else self.settings.max_idle
        # When something is to be done: for places, and for waiters; nothing is before the two times.
        self._looks = Timers()
        self._look_at = inf
        self._late: Deadlines[Waiter[C]] = Deadlines(_is_waiting)
        self._late_at = inf
        self._refill_at = -inf
        self._created = self._dial_failures = 0
        self._closed: dict[CloseReason, int] = {}
        self._waited = self._granted = self._refused = self._withdrawn = 0
        self._most_size = self._most_leased = self._most_waiting = 0

    def __repr__(self) -> str:
        places, idle = len(self._places), len(self._idle) + len(self._owing)
        return (
            f"<{type(self).__name__} {self.state.name}: {places} of {self.settings.max_size}, {idle} idle, {places - idle} leased,"
            f" {len(self._dials)} dialling, {len(self._queue)} waiting>"
        )

    @property
    def connections(self) -> list[C]:
        """All that are the pool's, idle or leased."""
        return [place.connection for place in self._places.values()]

    @property
    def dials(self) -> list[Dial[C]]:
        """Those under way."""
        return list(self._dials)

    @property
    def owners(self) -> list[Any]:
        """The tokens of all that are in the queue, in its order."""
        return [waiter.token for waiter in self._queue]

    def holds(self, waiter: Waiter[C]) -> bool:
        """Is it in the queue?"""
        return waiter in self._queue

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
            closed={reason: self._closed.get(reason, 0) for reason in CloseReason},
            waited=self._waited,
            granted=self._granted,
            refused=self._refused,
            withdrawn=self._withdrawn,
            most_size=self._most_size,
            most_leased=self._most_leased,
            most_waiting=self._most_waiting,
            retries=retries,
            max_size=self.settings.max_size,
            min_size=self.settings.min_size,
        )

    # -- moves -----------------------------------------------------------------------------------------------------------

    def _lend(
        self, place: Place[C], now: float, borrower: str | None, token: object, waiter: Waiter[C] | None = None
    ) -> Lease[C]:
        """Lease a place that was just taken from the idle ones, or is new."""
        lease = Lease(place, now, borrower, token)
        place.fresh = False
        if waiter is not None:
            waiter.lease = lease  # first, so that a lease always has an owner who knows of it
        place.lease = lease
        self._granted += 1
        lease.turn = self._granted if waiter is None or waiter.turn == inf else waiter.turn
        leased = len(self._places) - len(self._idle) - len(self._owing)
        if leased > self._most_leased:
            self._most_leased = leased
        if borrower is not None and self.settings.leak_after is not None:
            lease._report_at = now + self.settings.leak_after
            self._note(place)
        return lease

    def _grant(self, waiter: Waiter[C], place: Place[C], now: float) -> None:
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

    def _refuse_beyond(self, count: int, why: ConnectError) -> None:
        """Refuse all but so many in the queue, each with an error of its own, for a traceback belongs to one caller."""
        for waiter in list(self._queue)[count:]:
            self._refuse(waiter, type(why)(str(why), transient=why.transient))

    def _rest(self, place: Place[C], now: float) -> None:
        """A place is idle from now on."""
        (self._idle if place.owes is None else self._owing)[id(place.connection)] = place
        deadline = now + self._max_idle
        if deadline > place.expires:
            deadline = place.expires
        place.deadline = deadline
        if deadline < place.noted:
            self._note(place)

    def _outdated(self, place: Place[C], now: float) -> CloseReason | None:
        """Why a place whose deadline has passed is to be closed, None if it is to be kept."""
        if now >= place.expires:
            return CloseReason.MAX_LIFETIME
        return CloseReason.IDLE if len(self._places) > self.settings.min_size else None

    def _close(self, place: Place[C], reason: CloseReason) -> None:
        """A connection leaves the pool, from wherever it is."""
        key = id(place.connection)
        self._idle.pop(key, None)
        self._owing.pop(key, None)
        place.lease = None
        self._looks.cancel(place.timer)
        self.untold.append(Close(place.connection, reason))
        self._closed[reason] = self._closed.get(reason, 0) + 1
        del self._places[key]

    # -- connections that owe replies ------------------------------------------------------------------------------------

    def _take_owing(self, now: float, *, at_once: bool = False) -> Place[C] | None:
        """Take out a connection that owes no replies any more, or not for long; or any if none may be dialled instead.

        Only the one that has waited for longest is asked, and then it is behind the others: so each has its turn, at a question or
        two for a call.
        """
        owing = self._owing
        at_once = at_once or not self._may_dial(now)
        while owing:
            key, place = next(iter(owing.items()))
            reason = self._outdated(place, now) if now >= place.deadline else None
            if (reason := reason or self._unfit(place.connection)) is not None:
                self._close(place, reason)
            elif at_once or self._owes_little(place, now):
                if owing.pop(key, None) is not None:  # else it has ended, as asking showed
                    return place
            else:
                owing.move_to_end(key)
                break
        return None

    def _owes_little(self, place: Place[C], now: float) -> bool:
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

    # -- time ------------------------------------------------------------------------------------------------------------

    def _note(self, place: Place[C]) -> None:
        """See that the place is looked at when it is due, at the latest."""
        due = place.due
        if due < place.noted:
            place.noted = due
            self._looks.cancel(place.timer)
            place.timer = self._looks.set(due, place)
            if due < self._look_at:
                self._look_at = due
                if due < self._soonest.due:
                    self._soonest.due = due

    def _note_waiters(self) -> None:
        """Take note of the deadlines of those in the queue. New ones are at its end, so each is looked at once."""
        new = list(takewhile(lambda waiter: not waiter._noted, reversed(self._queue)))
        for waiter in reversed(new):
            waiter._noted = True
            self._late.add(waiter, waiter.deadline)

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

    def _look(self, place: Place[C], now: float) -> None:
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

    def _refuse_late(self, now: float) -> bool:
        """Refuse each whose deadline has passed; were there any?"""
        self._note_waiters()
        late = list(self._late.take(now))
        stats = self.stats() if late else None
        for waiter in late:
            why = f"no connection to {self.peer} became free in time"
            self._refuse(waiter, CommandTimeoutError(why, outcome=Outcome.NOT_SENT, stats=stats))
        self._late.trim(len(self._queue))
        self._late_at = self._late.next()
        return bool(late)

    def _forget_deadlines(self) -> None:
        """A closed pool has nothing to look at, and keeps no connection for the sake of it."""
        self._looks.entries.clear()
        self._late.entries.clear()
        self._look_at = self._late_at = inf

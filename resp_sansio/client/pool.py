"""Who gets which connection; what to open and close, and why.

A pool keeps at most `max_size` places, each with a connection. A caller that finds none idle waits in a queue, strictly first
come, first served; what comes back, or is newly opened, goes to the first of them.

Each method changes the facts, then `_advance` draws the conclusions (hand over, dial, close) as events for the adapter to carry
out. Nothing here waits, reads a clock or locks: an adapter calls one method at a time, and carries out `events()` after each.

A dial is for the caller that is first in the queue when it is done. With waiters in the queue there is always a lease out or a
dial under way, so no caller waits in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile
from math import inf
from typing import Any, Final, TypeVar

from .._errors import ConnectError, ConnectionClosedError, PoolFullError
from .._record import replace
from .._stats import CloseReason
from ..config.settings import PoolSettings
from .leases import Close, Dial, Granted, Lease, Place, PoolEvent, PoolState, Refused, Waiter, WaiterState
from .places import Places

__all__ = ["Pool"]

C = TypeVar("C")

LIFETIME_JITTER: Final = 0.05  # psycopg_pool's


class Pool(Places[C]):
    """The state of a pool of connections `C`: see the module's page for how to drive it.

    All times are seconds of one monotonic clock, whichever. The `pace` is that of the owner, who dials for other reasons, too: it
    says when a dial may begin, and the owner calls `advance` when that has changed. A `breaker` given is shared with others; else
    the settings say. `peer` names the server in messages. `owed` is asked what a connection owes that came back with replies
    owed (see `release`), before another one is dialled instead; without it, such a connection owes nothing any more.
    """

    __slots__ = ()

    def events(self) -> Sequence[PoolEvent[C]]:
        """Return what is to be done, in this order, and forget it."""
        if not self.untold:
            return ()
        events, self.untold = self.untold, []
        for event in events:
            if isinstance(event, (Granted, Refused)):
                self._queue.pop(event.waiter, None)  # where an interrupt has left it: it is not to be told again
        return events

    # -- callers ---------------------------------------------------------------------------------------------------------

    def acquire(
        self,
        now: float,
        token: object = None,
        *,
        deadline: float = inf,
        borrower: str | None = None,
        turn: float = inf,
    ) -> Lease[C] | Waiter[C]:
        """Ask for a connection: a lease if one is idle, else a place in the queue.

        Who is still in the queue at the `deadline` is refused, with a `CommandTimeoutError`: by `handle_timeout`, so that a
        thousand waiters need one timer. `borrower` (its stack, say) is for the report if it keeps the connection for too long.
        `turn` is that of a lease that the caller had already, and that was of no use: it waits ahead of all that had none yet,
        and behind those only whose turn came before its own. Raises `ConnectionClosedError` if the pool is closed or draining,
        `PoolFullError` if too many wait already, `CircuitOpenError` if a dial is needed and the breaker allows none.
        """
        lease = self.lend(now, token, borrower)
        if lease is None:
            return self._wait(Waiter(token, borrower, deadline, turn), now)
        if turn < lease.turn:
            lease.turn = turn  # it keeps its turn though this one, too, may be of no use
        return lease

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

    def uncount(self, lease: Lease[C]) -> None:
        """A lease is about to come back of which no use was made; its caller asks again, and is to be counted once."""
        self._granted -= 1
        lease._place.fresh = lease.fresh

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
            self._queue.pop(waiter, None)  # where one is not that was begun ahead of a fork
            waiter.state = WaiterState.WITHDRAWN
            self._withdrawn += 1
            self._advance(now)
        elif waiter.lease is not None:
            self.release(waiter.lease, now)

    def _wait(self, waiter: Waiter[C], now: float) -> Waiter[C]:
        settings, pending = self.settings, len(self._queue)
        if self.state is not PoolState.OPEN:
            self._refused += 1
            raise ConnectionClosedError(f"the pool is {self.state.name}: {self.state.value}; open another")
        room = max(0, settings.max_size - len(self._places))  # for so many there is or will be a dial
        if settings.max_waiting is not None and pending >= settings.max_waiting + room and waiter.turn == inf:
            self._refused += 1
            raise PoolFullError(
                f"{pending} callers wait for a connection already (max_waiting={settings.max_waiting}); {self!r}"
            )
        self._queue[waiter] = None
        if waiter.deadline < self._late_at:
            self._late_at = waiter.deadline
            if waiter.deadline < self._soonest.due:
                self._soonest.due = waiter.deadline
        if waiter.turn < inf:
            ahead = [*takewhile(lambda other: other.turn <= waiter.turn, self._queue)]
            for each in (waiter, *reversed(ahead)):
                self._queue.move_to_end(each, last=False)
            waiter._noted = True
            self._late.add(waiter, waiter.deadline)
        self._waited += 1
        self._most_waiting = max(self._most_waiting, pending + 1)
        self._advance(now)
        if waiter.error is not None:  # told here and now, so no caller is to be woken
            self.untold: list[PoolEvent[C]] = [
                event for event in self.untold if not (isinstance(event, Refused) and event.waiter is waiter)
            ]
            raise waiter.error
        return waiter

    def _give_back(self, place: Place[C], now: float, reason: CloseReason | None) -> None:
        if reason is None and now >= place.expires:
            reason = CloseReason.RETIRED if place.expires == -inf else CloseReason.MAX_LIFETIME
        if reason is None:
            self._rest(place, now)
        else:
            self._close(place, reason)
        self._advance(now)

    # -- connections -----------------------------------------------------------------------------------------------------

    def opened(self, dial: Dial[C], connection: C, now: float, jitter: float = 0.0) -> None:
        """A dial succeeded. `jitter`, from [0, 1), shortens the connection's life at random, so that not all end at once."""
        lifetime = self.settings.max_lifetime
        expires = inf if lifetime is None else now + lifetime * (1 - LIFETIME_JITTER * jitter)
        place = Place(connection, expires)
        self._places[id(connection)] = place
        self._created += 1
        self._refill_at = -inf
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

        If a connection is left that owes replies, the first in the queue gets that: it is better than none. The error is told to
        all in the queue if no connection is left that may come back to them, or if it is not transient, for the next dial would end
        so too.
        """
        if dial not in self._dials:
            return
        del self._dials[dial]
        if error is None:
            self._gave_up(now)
        else:
            self._dial_failures += 1
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
        elif not self._places:
            for each in list(self._queue):  # no connection will come back to them, and their owner may ask again
                self._refuse(each, error)

    def lost(self, connection: C, now: float, reason: CloseReason = CloseReason.LOST) -> None:
        """A connection ended by itself, idle or leased: its place is free. One that is not the pool's changes nothing."""
        place = self._places.get(id(connection))
        if place is not None:
            self._close(place, reason)
            self._advance(now)

    def advance(self, now: float) -> None:
        """Dial if that may be now: the owner says that the pace has changed."""
        self._advance(now)

    # -- the pool as a whole ---------------------------------------------------------------------------------------------

    def retire(self, now: float, keep: Dial[C] | None = None) -> None:
        """Let everything go that was opened before: idle connections now, leased ones when they come back. Not what `keep` opens.

        For when credentials have changed, or a server went away and what remains of its connections cannot be trusted.
        """
        self._generation += 1
        if keep is not None:
            keep._generation = self._generation
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
        self.settings: PoolSettings = replace(self.settings, max_size=max_size, min_size=least)
        if self.state is PoolState.OPEN:
            self._room = max_size
        self._advance(now)

    def drain(self, now: float) -> None:
        """Take no new callers. Those who wait are served; the pool is CLOSED when the last connection is back."""
        if self.state is PoolState.OPEN:
            self.state = PoolState.DRAINING
            self._room = 0
            self._advance(now)

    def _end_drain(self, now: float) -> None:
        for dial in list(self._dials):
            del self._dials[dial]
            self._gave_up(now)
        if not self._places:
            self.state: PoolState = PoolState.CLOSED
            self._forget_deadlines()

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
        refills = self._refill_at > -inf and self._lacks()
        return min(self._look_at, self._late_at, self._refill_at if refills else inf)

    def handle_timeout(self, now: float) -> None:
        """Close what is out of date, report leaks, and dial for `min_size`."""
        if now >= self._look_at:
            # In the order in which they were used: what is kept is what was used last.
            due = [timer.thing for timer in self._looks.take(now)]
            for place in sorted(due, key=lambda place: place.deadline):
                place.noted = inf
                self._look(place, now)
            self._look_at = self._looks.next()
        if now >= self._late_at and self._refuse_late(now) and self.state is PoolState.DRAINING:
            self._advance(now)  # they may have been the last
        self._refill(now)

    # -- conclusions -----------------------------------------------------------------------------------------------------

    def _advance(self, now: float) -> None:
        """Bring the pool in order after the facts have changed."""
        while len(self._places) > self.settings.max_size and (idle := self._owing or self._idle):
            self._close(next(iter(idle.values())), CloseReason.SURPLUS)
        while self._idle and self._queue:
            self._grant(next(iter(self._queue)), self._idle.popitem()[1], now)
        if self._owing:
            self._lend_owing(now)
        if self._queue:
            self._dial(now)
        if len(self._places) < self.settings.min_size:
            self._refill(now)
        if self._owing:
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
            if not self._pace.ready(now):
                return
            if self._breaker is not None:
                self._breaker.allows(now)
            self._announce()

    def _lacks(self) -> bool:
        """Is a dial missing for `min_size`?"""
        return (
            self.state is PoolState.OPEN
            and len(self._places) + len(self._dials) < self.settings.min_size
            and len(self._dials) < self.settings.max_dials
        )

    def _refill(self, now: float) -> None:
        """Dial for `min_size`."""
        while now >= self._refill_at and self._lacks():
            if not self._pace.ready(now):
                self._refill_at = -inf  # the owner of the pace says when
                return
            if self._breaker is not None and not self._breaker.allows(now):
                self._refill_at = self._breaker.until
                return
            self._announce()

    def _announce(self) -> None:
        dial: Dial[C] = Dial(self._generation)
        self._dials[dial] = None
        self.untold.append(dial)
        self._pace.begun()

    def _gave_up(self, now: float) -> None:
        if self._breaker is not None:
            self._breaker.gave_up(now)

    # -- after an interrupt ----------------------------------------------------------------------------------------------

    def reconcile(self, now: float, is_alive: Callable[[Any], bool]) -> None:
        """Put everything in order after a method was cut short, wherever it was, or after a caller has gone without a word.

        For adapters whose callers can be interrupted anywhere, as threads by signals. `is_alive` says by its token whether a
        caller is there: what was lent to one that is not is closed. May be cut short itself, and repeated; then counts can be
        wrong by one. A dial of `dials` may have been told of by no event.
        """
        answered = {event.waiter for event in self.untold if isinstance(event, (Granted, Refused))}
        for waiter in list(self._queue):
            self._reconcile_waiter(waiter, is_alive, told=waiter in answered)
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

    def _reconcile_waiter(self, waiter: Waiter[C], is_alive: Callable[[Any], bool], *, told: bool) -> None:
        """One in the queue, from which it would have been taken last: finish what was begun, or undo it.

        `told`: an event says already what it has.
        """
        if not is_alive(waiter.token):
            waiter.state = WaiterState.WITHDRAWN
            self._withdrawn += 1
        elif waiter.error is not None:
            waiter.state = WaiterState.REFUSED
            self.untold += () if told else (Refused(waiter),)
        elif waiter.lease is not None and waiter.lease.active:
            waiter.state = WaiterState.GRANTED
            self.untold += () if told else (Granted(waiter),)
        else:
            waiter.lease = None
            waiter.state = WaiterState.WAITING
            return
        del self._queue[waiter]

"""How an attempt ends, and whether there is another.

An attempt that fails, or is answered with an error that says so, may be followed by another; only the last one's end is told. Where
several want to read the same, the one that is under way is answered for all of them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import inf
from operator import attrgetter
from typing import Final

from .._errors import CommandTimeoutError, ConnectError, Outcome, ReplyError, RespError
from .._stats import ClientStats, ConnectionStats, PoolStats
from ..connection.events import Event
from ..connection.slot import Slot, SlotState
from .cache import CachedRead
from .links import Call, Dial, Link, Waiter
from .retry import Attempts, error_reply, points_to_replica, reworded
from .submitting import ASKS, OWN, PINNED, Check, Submitting

__all__ = ["Calls"]

QUEUED: Final = SlotState.QUEUED
LOST: Final = SlotState.LOST
WITHDRAWN: Final = SlotState.WITHDRAWN
NEVER: Final = frozenset({Outcome.NOT_SENT})
DEADLINE: Final = attrgetter("deadline")


class Calls(Submitting):
    """The calls of a client, each from its beginning to its end. `Client` is this and what it drives."""

    __slots__ = ()

    moves: int
    retries: int

    @abstractmethod
    def _follow(self, link: Link, events: Sequence[Event], now: float) -> None:
        """Draw the conclusions from what a connection says."""

    @abstractmethod
    def _asked(self, slot: Slot, failure: RespError | None, now: float) -> None:
        """A command of the machine's own about subscriptions has ended."""

    @abstractmethod
    def _news_told(self, slot: Slot, now: float) -> None:
        """A sentinel that is heard has said where the master is."""

    @abstractmethod
    def _proved(self, link: Link, now: float) -> None:
        """A call was answered on this link."""

    @abstractmethod
    def _leave_replica(self, link: Link, now: float) -> None:
        """An answer says that this link leads to a replica."""

    @abstractmethod
    def stats(self) -> ClientStats | PoolStats | ConnectionStats:
        """Return what was counted."""

    # -- how an attempt ends, and whether there is another ---------------------------------------------------------------

    def _settle(self, slot: Slot, failure: RespError | None, now: float) -> None:
        """An attempt has ended: with a failure, or None if it was answered."""
        if isinstance(slot.token, Check):
            self._checked(slot.token, now, answered=failure is None)
            return
        if slot.call is OWN:
            if slot.token is not None and failure is None:
                self._news_told(slot, now)
            return
        if slot.call is ASKS:
            self._asked(slot, failure, now)
            return
        if type(slot) is CachedRead and failure is None and slot.link is not None:
            assert self.cache is not None
            self.cache.answered(slot, slot.link.core, now)
        plain = failure is None and type(slot) is Slot and type(slot.reply) is not ReplyError
        cause = None if plain else failure or error_reply(slot)
        link = slot.link
        replica = failure is None and not plain and points_to_replica(slot)
        if replica:
            assert link is not None
            self._leave_replica(link, now)
        elif failure is None and link is not None and not link.trusted:
            self._proved(link, now)
        call = slot.call
        if cause is None or call is PINNED or isinstance(cause, CommandTimeoutError):
            self._finish(slot, failure, now)
            return
        turn = inf  # that of a lease that was of no use
        if call is None:
            slot.call = call = self._new_call()
            call.lane = None if link is None else link.lane
        elif call.lease is not None:
            lease, call.lease = call.lease, None
            turn = inf if lease.fresh else lease.turn
            self.release(lease, now)
        if turn < inf and slot.state is LOST and NEVER.issuperset(slot.outcomes):
            slot.renew()  # it had ended before anything was sent, and the next one may not have
            self._go(slot, now, turn=turn)
            return
        self._try_again(slot, call, failure, cause, now)

    def _try_again(self, slot: Slot, call: Call, failure: RespError | None, cause: RespError, now: float) -> None:
        if call.attempts is None:
            call.attempts = Attempts(self._retry)
        # A dial has a pace of its own, and a lane sends again what it lost; but not again and again.
        at_once = isinstance(cause, ConnectError) or (
            call.lane is not None and call.attempts.made == 1 and not isinstance(cause, ReplyError)
        )
        left = self._dial_fits(slot.deadline, now) if at_once else slot.deadline - now
        counts = self._counts(cause, slot.deadline)
        pause = call.attempts.after(cause, self._random(), slot, left=left, counts=counts)
        if pause is None:
            self._finish(slot, failure, now)
            return
        self.retries += 1  # here, where no interrupt comes between the attempt and its count
        self.moves += 1
        slot.renew()
        slot.link = None
        self._repeats(slot, cause, 0.0 if at_once else pause, now)
        self._timers.cancel(call.timer)
        if at_once:
            self._go(slot, now)
        else:
            call.timer = self._timers.set(now + pause, slot)
            self._pausing = self._pausing or {}
            self._pausing[slot] = None

    def _repeats(self, slot: Slot, cause: RespError, pause: float, now: float) -> None:  # most need no account
        """Another attempt follows, after a pause: for a client that keeps account of it."""

    def _counts(self, cause: Exception, deadline: float) -> bool:
        """Is the next attempt one of those that the policy allows? Not while a master is searched for, if the call has a deadline.

        A fail-over takes as long as servers or sentinels wait before they begin it, which may be longer than all pauses together.
        """
        return not (self._searches(cause) and deadline < inf and self._retry.attempts > 1)

    def _searches(self, cause: Exception) -> bool:
        """Was nothing executed, and may the next attempt lead to another server?"""
        return self.directory is not None and isinstance(cause, ConnectError)

    def _dial_fits(self, deadline: float, now: float) -> float:
        """Return any time if the next dial may begin before the deadline, else none."""
        return inf if max(now, self._pace.not_before) < deadline else -inf

    def _go(self, slot: Slot, now: float, *, turn: float = inf) -> None:
        """Begin another attempt."""
        if self.closed is not None:
            self._finish(slot, self.closed, now)
        elif slot.call.lane is not None:
            self._events += self._one(self._enter(slot, slot.call.lane, now, again=True))
        else:
            self._events += self._one(self._borrow(slot, now, again=True, turn=turn))

    def _slot_due(self, slot: Slot, now: float) -> None:
        """A slot on no link: its pause is over, or its deadline has come while it waited for a lane."""
        if slot in self._pausing:
            del self._pausing[slot]
            self._go(slot, now)
        elif slot in self._joined:
            del self._joined[slot]
            self._finish(
                slot, CommandTimeoutError(f"{self.config.address} did not answer in time", stats=self.stats()), now
            )
        else:
            for lane in self._lanes:
                lane.leave(slot)
            self._finish(slot, self._late(), now)

    def expire(self, slot: Slot, now: float) -> None:
        """The time of a call is up whose reply is due on a link: it ends as by `handle_timeout`, and nothing else is looked at."""
        link = slot.link
        link.core.abandon(slot)
        self._settle(slot, link.core.timed_out(), now)
        if link.core.error is not None:  # as the server could still act on it
            self._follow(link, link.core.events(), now)

    def _late(self, last: Exception | None = None) -> CommandTimeoutError:
        """Why no link came in time; `last` is why the last attempt failed, if that is known better than by the last dial."""
        why = f"{self.config.address} could not be reached in time"
        return self._with_reason(CommandTimeoutError(why, outcome=Outcome.NOT_SENT, stats=self.stats()), last)

    def _with_reason(self, error: CommandTimeoutError, last: Exception | None = None) -> CommandTimeoutError:
        """Return the same error with the reason why the last dial failed, if it did: else that would be lost.

        Or why one does not come about that is under way: what speaks no TLS keeps its clients waiting.
        """
        last = last or self._pace.last_error or next(filter(None, map(self._tls_awaited, self.links)), None)
        if last is None:
            if self._is_away:
                error.__cause__ = ConnectError(f"no connection to {self.config.address} has come about", transient=True)
            return error
        why = f"{error.args[0]}; the last attempt failed: {last}"
        told = CommandTimeoutError(why, outcome=error.outcome, stats=error.stats)
        told.__cause__ = last
        return told

    @property
    def _is_away(self) -> bool:
        """Does what waits for a connection wait for the server, not for other callers?"""
        return self._pace.is_awaited

    @staticmethod
    def _tls_awaited(link: Link) -> ConnectError | None:
        """Return why this link does not open, if it waits for the handshake of TLS."""
        waits = link.tls is not None and link.dial is not None and not link.tls.open
        failure: ConnectError | None = link.home._tls_failed(link, link.dial) if waits else None
        return failure

    def _tls_failed(self, link: Link, dial: Dial) -> ConnectError:
        """Return why the handshake of TLS has come to nothing."""
        assert link.tls is not None
        return link.tls.failure(dial.config)

    def _finish(self, slot: Slot, failure: Exception | None, now: float) -> None:
        """The call has ended for good."""
        self._pausing.pop(slot, None)
        if slot.state is QUEUED:
            slot.settle(WITHDRAWN, 0)
        call = slot.call
        if call is not None and isinstance(failure, RespError):
            if call.trail:
                failure = reworded(failure, f"{failure}; {call.way}")
            if call.attempts is not None:
                failure = call.attempts.told(failure)
        slot.cause = failure
        self._tell_end(slot, now)  # before the events of those whose turn it is now
        if slot.call is not None:
            self._end_call(slot.call, now)
        if type(slot) is CachedRead and slot.cell is not None:
            self._end_read(slot, failure, now)

    def _tell_end(self, slot: Slot, now: float) -> None:  # noqa: ARG002  # of use to a part of a call
        """A call has ended for good: its caller is to know."""
        self._events.append(slot)

    # -- reads of the same -----------------------------------------------------------------------------------------------

    def _join(self, slot: CachedRead) -> bool:
        """Wait for the reply to the same command, if one is under way; else this is the call that reads it."""
        assert self.cache is not None
        cell = self.cache.begin(slot)
        if cell is None:
            return False
        self.cache.joined += 1
        slot.link = None
        self._joined = self._joined or {}
        self._joined[slot] = cell
        if cell.readers is None:
            cell.readers = []
        cell.readers.append(slot)
        slot.call.timer = self._timers.set(slot.deadline, slot)
        return True

    def _end_read(self, slot: CachedRead, failure: Exception | None, now: float) -> None:
        """A call has ended that others waited for: they are answered as it was, or fail as it did.

        Where it ran out of time, or its caller has gone, one of them reads, the one that waits for longest, and the others join it.
        """
        assert self.cache is not None
        cell, waiting = slot.cell, self.cache.ended(slot)
        # After an interrupt it may be another cell.
        readers = [reader for reader in waiting if self._machine_of(reader)._joined.get(reader) is cell]
        gone = slot.state is not SlotState.ANSWERED and (failure is None or isinstance(failure, CommandTimeoutError))
        for reader in sorted(readers, key=DEADLINE, reverse=True) if gone else readers:
            holder = self._machine_of(reader)
            del holder._joined[reader]
            holder._timers.cancel(reader.call.timer)
            if gone:
                holder._go(reader, now)
            else:
                if failure is None:
                    reader.answer_as(slot)
                holder._finish(reader, failure, now)

    def _machine_of(self, slot: Slot) -> Calls:  # noqa: ARG002  # of use where several servers have one cache
        """Return the machine at which this read waits."""
        return self

    def _tell(self, entry: Slot | Waiter, error: Exception, now: float) -> None:
        """End what waited."""
        if isinstance(entry, Waiter):
            self._refuse(entry, error)
        else:
            self._finish(entry, error, now)

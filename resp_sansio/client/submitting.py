"""How a call gets onto a link.

A call goes by a lane, by a lease, or by the link that its caller was lent. While no link is there for it, it waits in a queue: of
its lane, or of the pool.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from copy import copy
from math import inf
from operator import attrgetter
from typing import Any, Final, Literal, TypeAlias

from .._errors import (
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    RespError,
)
from .._stats import CloseReason
from ..config.addresses import Addresses
from ..config.config import Config
from ..config.retry import Retry
from ..config.settings import ClientSettings, PoolSettings
from ..connection.handshake import Fallback
from ..connection.slot import Slot
from ..connection.state import State
from ..connection.stateful import new_slot
from .cache import CachedRead, Cell, ReadCache
from .lanes import Lanes
from .leases import Lease
from .links import (
    NO_CALLERS,
    Call,
    Close,
    Dial,
    Drained,
    Granted,
    Heard,
    Lane,
    Leaked,
    Link,
    Look,
    Refused,
    Report,
    Share,
    Waiter,
)
from .observers import Observers
from .pace import Pace
from .pool import Pool
from .sentinel import Directory
from .timers import Soonest, Timer, Timers

__all__ = ["ASKS", "OWN", "PINNED", "Check", "ClientEvent", "Submitting", "link_of"]

READY: Final = State.READY
PING: Final = ("PING",)
PINNED: Final = Call(pinned=True)
OWN: Final = Call(pinned=True)  # the machine's own: no caller waits for it
ASKS: Final = Call(pinned=True)  # the machine's own, about subscriptions
CHECKS: Final = Call(pinned=True)  # the machine's own, whose end decides over a lease
ONCE: Final = Retry(attempts=1)
LOAD: Final = attrgetter("load")
ALONE: Final[Lanes[Lane]] = Lanes((), LOAD)  # for who has one lane or none, and so nothing to share

ClientEvent: TypeAlias = Slot | Link | Dial | Close | Look | Granted | Refused | Heard | Leaked | Report | Drained


def link_of(entry: Slot | Waiter) -> Link | None:
    """Return the link on which something is to come for this caller: its reply, or that to the PING before. None if on none."""
    check: Slot | None
    if isinstance(entry, Waiter):
        check = entry.check
    elif entry.link is not None:
        link: Link = entry.link
        return link
    else:
        check = None if entry.call is None else entry.call.check
    return None if check is None else check.link


def _anew(error: Exception) -> Exception:
    """Return an error of ours once more, for another caller; any other one as it is."""
    if not isinstance(error, RespError):
        return error
    told = copy(error)
    told.__cause__ = error.__cause__
    return told


def oldest_of(link: Link) -> object:
    """Return what stands for the oldest reply that this link owes, None if it owes none."""
    return link.core.oldest


def fault_of(link: Link) -> CloseReason | None:
    """Return why no other caller may have this link, None if one may."""
    return link.core.close_reason


class Check:
    """The token of a PING that a lease has to answer before its owner gets it."""

    __slots__ = ("lease", "owner")

    def __init__(self, lease: Lease[Link], owner: Slot | Waiter) -> None:
        self.lease: Final[Lease[Link]] = lease
        self.owner: Final[Slot | Waiter] = owner


class Submitting(ABC):
    """The calls of a client that are on no link, and the rules by which they get onto one."""

    __slots__ = (
        "__weakref__", "_breaker", "_dial_time", "_dial_timer", "_draining", "_events", "_fallback", "_generation", "_joined",
        "_lanes", "_links", "_news", "_news_timer", "_news_tries", "_only", "_pace", "_pausing", "_pool", "_pre_ping",
        "_quiet", "_random", "_retry", "_shares", "_since_replica", "_soonest", "_subscriptions", "_timers", "addresses", "cache",
        "closed", "config", "directory", "lane", "moves", "observers", "once", "protocol", "retries",
    )  # fmt: skip

    closed: ConnectionClosedError | None
    protocol: Literal[2, 3]

    def __init__(
        self,
        config: Config,
        settings: ClientSettings | None = None,
        pool: PoolSettings | None = None,
        *,
        random: Callable[[], float],
        once: bool = False,
        observers: Observers | None = None,
        cache: ReadCache | None = None,
    ) -> None:
        self.config: Final[Config] = config
        self.addresses: Final[Addresses] = Addresses(config)
        self.once: Final[bool] = once
        self.observers: Observers | None = observers
        self.cache: ReadCache | None = cache
        if cache is not None:
            cache.begin_anew()  # in the child of a fork it has what its parent read
        self.closed = None
        self.protocol = config.protocol  # of the newest link
        self.retries: int = 0
        self.moves: int = 0  # how often a call may have left its link for another
        self._random = random
        self._retry = ONCE if once else settings.retry if settings is not None else (pool or PoolSettings()).retry
        self._pace = Pace(self._retry)
        self._fallback = Fallback()
        self.directory: Directory | None = self._new_directory()
        self._breaker = None if pool is None else pool.breaker()
        self._soonest = self._new_soonest()
        self._pool = (
            None
            if pool is None
            else Pool[Link](
                pool,
                breaker=self._breaker,
                pace=self._pace,
                peer=config.address,
                owed=oldest_of,
                unfit=fault_of,
                soonest=self._soonest,
            )
        )
        self._pre_ping = pool is not None and pool.pre_ping
        self._lanes = [Lane() for _ in range(1 if once else 0 if settings is None else settings.lanes)]
        self.lane: Final[Lane | None] = self._lanes[0] if len(self._lanes) == 1 else None  # the only one
        self._shares = Lanes(self._lanes, LOAD) if len(self._lanes) > 1 else ALONE
        self._subscriptions: Any = None  # their lane, once there are any
        self._links: list[Link] = []
        self._only: Link | None = None  # of a single connection: its link, and after the end its counts
        self._events: list[ClientEvent] = []
        self._timers = Timers(self._soonest)
        self._dial_timer: Timer | None = None
        self._news: Sequence[Dial | Link] = ()  # behind sentinels, see `News`
        self._news_timer: Timer | None = None
        self._news_tries = 0
        self._pausing: dict[Slot, None] = NO_CALLERS
        self._joined: dict[Slot, Cell] = NO_CALLERS  # reads that wait for the reply to another
        self._generation = 0  # how often the links were left for new ones
        self._since_replica = 0  # the generation that began when the client last left a replica
        self._draining = False
        self._dial_time = inf if config.connect_timeout is None else config.connect_timeout
        # The shorter of the two times after which a quiet link is looked at; which one counts changes with every call.
        self._quiet = min(
            inf if config.ping_interval is None else config.ping_interval,
            inf if config.silence_timeout is None else config.silence_timeout,
        )

    def _new_directory(self) -> Directory | None:
        """Return what is known of sentinels, None if there are none."""
        return Directory(self.config, self._fallback) if self.config.sentinels else None

    def _new_soonest(self) -> Soonest:
        """Return what is told of everything that is to be looked at."""
        return Soonest()

    def _new_call(self) -> Call:
        """Return what is to be known of a call."""
        return Call()

    @property
    @abstractmethod
    def links(self) -> list[Link]:
        """All links that have not ended."""

    @abstractmethod
    def _see_to(self, lane: Lane, now: float) -> None:
        """Dial for a lane that has none, if the pace allows it."""

    @abstractmethod
    def _carry_out(self, now: float) -> None:
        """Do what the pool says."""

    @abstractmethod
    def _watch(self, link: Link, due: float) -> None:
        """Look at this link at that time."""

    @abstractmethod
    def abandon(self, slot: Slot, now: float) -> None:
        """The caller has gone."""

    @abstractmethod
    def withdraw(self, waiter: Waiter, now: float) -> None:
        """The caller does not wait for a link any more."""

    @abstractmethod
    def release(self, lease: Lease[Link] | Share, now: float) -> bool:
        """Give a link back. Is a reply still to come on it?"""

    @abstractmethod
    def _go(self, slot: Slot, now: float, *, turn: float = inf) -> None:
        """Begin another attempt."""

    @abstractmethod
    def _join(self, slot: CachedRead) -> bool:
        """Wait for the reply to the same command, if one is under way; else this is the call that reads it."""

    @abstractmethod
    def _late(self, last: Exception | None = None) -> CommandTimeoutError:
        """Why no link came in time; `last` is why the last attempt failed, if that is known better than by the last dial."""

    @abstractmethod
    def _settle(self, slot: Slot, failure: RespError | None, now: float) -> None:
        """An attempt has ended: with a failure, or None if it was answered."""

    @abstractmethod
    def _tell(self, entry: Slot | Waiter, error: Exception, now: float) -> None:
        """End what waited."""

    # -- how a call gets onto a link -------------------------------------------------------------------------------------

    def _submit_leased(self, slot: Slot, lease: Lease[Link] | Share, epoch: int | None, now: float) -> Link:
        link = lease.connection
        lease.check(slot.name)
        if epoch is None:
            link.core.submit(slot)
        else:
            link.core.submit_watched(slot, epoch)
        slot.call = PINNED
        self._on(link, slot, now)
        return link

    @staticmethod
    def _send_own(link: Link, slot: Slot) -> None:
        """Send what no caller waits for. The slot says so before it is queued, for an interrupt may strike just then."""
        slot.call = OWN
        link.core.submit(slot)

    def _on(self, link: Link, slot: Slot, now: float) -> None:
        """The slot was submitted to this link."""
        slot.link = link
        due = min(slot.deadline, now + self._quiet)
        if due < link.due:
            self._watch(link, due)

    def _enter(self, slot: Slot, lane: Lane, now: float, *, again: bool = False) -> Link | None:
        """Go by a lane: on its link, or in the queue for its next one."""
        if type(slot) is CachedRead and self._join(slot):
            return None
        link = lane.link
        if link is not None and (self.once or link.core.state is READY):
            link.core.submit(slot)
            self._on(link, slot, now)
            return link
        slot.link = None
        lane.enter(slot, again=again)
        slot.call.timer = self._timers.set(slot.deadline, slot)
        self._see_to(lane, now)
        return None

    def _await_lane(self, waiter: Waiter, now: float, *, again: bool = False) -> None:
        lane = self._lanes[0]
        if lane.link is not None and (self.once or lane.link.core.state is READY):
            self._grant(waiter, Share(lane.link))
            return
        lane.enter(waiter, again=again)
        waiter.timer = self._timers.set(waiter.deadline, waiter)
        self._see_to(lane, now)

    def _borrow(self, slot: Slot, now: float, *, again: bool = False, turn: float = inf) -> Link | None:
        """Go by a lease: on an idle link, or in the pool's queue. `again`: not the first attempt, so nothing is raised."""
        pool = self._pool
        assert pool is not None
        call = slot.call
        if call is None:
            slot.call = call = self._new_call()
        slot.link = None
        try:
            found = pool.acquire(now, slot, deadline=slot.deadline, turn=turn)
        except RespError as error:
            self._carry_out(now)
            if not again and not isinstance(error, ConnectError):
                slot.call = None
                raise
            self._settle(slot, error, now)
            return None
        if isinstance(found, Lease):
            link = self._lend(slot, found, now)
        else:
            call.waiter = found
            link = None
        self._carry_out(now)
        return link

    def _lend(self, slot: Slot, lease: Lease[Link], now: float, *, checked: bool = False) -> Link | None:
        """Put the slot on the link that it was lent."""
        call, link = slot.call, lease.connection
        call.lease = lease
        link.slot = slot
        if self._pre_ping and not checked:
            call.check = self._check(lease, slot, slot.deadline, now)
            return None
        link.core.submit(slot)
        self._on(link, slot, now)
        return link

    def _acquire(self, waiter: Waiter, now: float, *, turn: float = inf, again: bool = False) -> None:
        pool = self._pool
        assert pool is not None
        try:
            found = pool.acquire(now, waiter, deadline=waiter.deadline, borrower=waiter.borrower, turn=turn)
        except RespError as error:
            self._carry_out(now)
            if isinstance(error, ConnectError) or turn < inf or again:
                self._refuse(waiter, error)
                return
            raise
        if isinstance(found, Lease):
            self._hold(waiter, found)
        else:
            waiter.place = found
        self._carry_out(now)

    def _hold(self, waiter: Waiter, lease: Lease[Link]) -> None:
        """Hand a lease over once what its link has to say has been read: its server may have closed it long ago."""
        if lease.fresh and not self._pre_ping:
            self._grant(waiter, lease)
        else:
            self._look(waiter, lease)

    def _look(self, waiter: Waiter, lease: Lease[Link]) -> None:
        waiter.held, waiter.turn = lease, lease.turn
        lease.connection.looking = waiter
        self._events.append(Look(lease.connection))

    def _grant(self, waiter: Waiter, lease: Lease[Link] | Share) -> None:
        self._timers.cancel(waiter.timer)
        waiter.lease = lease
        self._events.append(Granted(waiter))

    def _refuse(self, waiter: Waiter, error: Exception) -> None:
        self._timers.cancel(waiter.timer)
        waiter.error = error.counted() if isinstance(error, CommandTimeoutError) else _anew(error)
        self._events.append(Refused(waiter))

    def _check(self, lease: Lease[Link], owner: Slot | Waiter, deadline: float, now: float) -> Slot:
        """Ask the link of a lease for an answer, in the time that opening another may take."""
        ping = new_slot(PING, Check(lease, owner), min(deadline, now + self._dial_time))
        ping.call = CHECKS
        lease.connection.core.submit(ping)
        self._on(lease.connection, ping, now)
        self._events.append(lease.connection)
        return ping

    def _checked(self, check: Check, now: float, *, answered: bool) -> None:
        owner, lease = check.owner, check.lease
        answered = answered and lease.connection.core.error is None  # what came behind the answer may have ended it
        if isinstance(owner, Waiter):
            owner.check = owner.held = None
        else:
            owner.call.check = owner.call.lease = None
        if not answered and now >= owner.deadline:  # the caller's own time is up, which says little of the link
            self.release(lease, now)
            self._tell(owner, self._late(), now)
            return
        if not answered and lease.active:
            assert self._pool is not None
            self._pool.release(lease, now, reason=CloseReason.FAILED_CHECK)
            self._carry_out(now)
        if isinstance(owner, Waiter):
            if answered and lease.active:
                self._grant(owner, lease)
            else:
                self._acquire(owner, now, turn=lease.turn)
        elif answered and lease.active:
            self._events += self._one(self._lend(owner, lease, now, checked=True))
        else:
            self._go(owner, now, turn=lease.turn)

    @staticmethod
    def _one(link: Link | None) -> tuple[Link, ...]:
        return () if link is None else (link,)

    def _leave(self, slot: Slot, now: float) -> None:
        """A slot that is on no link does not wait any more."""
        for lane in self._lanes:
            lane.leave(slot)
        self._pausing.pop(slot, None)
        self._joined.pop(slot, None)
        call = slot.call
        if call.check is not None:
            check, call.check = call.check, None
            self.abandon(check, now)
        if call.waiter is not None:
            assert self._pool is not None
            waiter, call.waiter = call.waiter, None
            self._pool.withdraw(waiter, now)
            self._carry_out(now)

    def _end_call(self, call: Call, now: float) -> None:
        """The call has ended: nothing of it is left."""
        if call.timer is not None:
            self._timers.cancel(call.timer)
        if call.lease is not None:
            lease, call.lease = call.lease, None
            self.release(lease, now)
        if call.caller is not None:
            caller, call.caller = call.caller[0], None
            self._shares.leave(caller)

"""What must hold, in every history: written down once, and asked wherever it can be seen.

Each check knows of the client only what its callers and sockets see, and of the server what it really did. An `AssertionError`
says which promise was broken, and by which call.
"""

from __future__ import annotations

import gc
from math import inf
from typing import TYPE_CHECKING, Any, Final, cast

from resp_sansio import (
    CommandTimeoutError,
    ConnectionClosedError,
    LocalProtocolError,
    Outcome,
    PoolStats,
    ReplyError,
    testing,
)
from resp_sansio.client import Client, Link, Waiter, error_of
from resp_sansio.connection import Slot, SlotState, new_slot
from resp_sansio.connection.slot import Batch
from resp_sansio.testing import Told
from simulation.watching import Raises, Watching

if TYPE_CHECKING:
    from resp_sansio.testing import Session
    from resp_sansio.testing.server import Words
    from simulation.callers import Caller
    from simulation.world import World

__all__ = ["ENDS", "Call", "Checks", "outcomes"]

ENDS: Final = frozenset({SlotState.ANSWERED, SlotState.LOST, SlotState.ABANDONED, SlotState.WITHDRAWN})
ATTEMPTS: Final = 2  # a call that was tried more often has paused, and others have overtaken it
HEARD: Final = 0.5  # seconds in which the word of a change has come, where nothing is wrong
HELD: Final = 1.2  # seconds for which a caller may keep a link that leads to a replica


def outcomes(slot: Slot) -> list[tuple[str, Outcome, Any]]:
    """How each command of a slot that is over has ended: its name, its outcome, and its reply if there is one."""
    infos = slot.infos if isinstance(slot, Batch) else (slot.info,)
    replies = list(slot.replies) if isinstance(slot, Batch) else []
    if slot.state is SlotState.ANSWERED:
        replies = replies or [slot.reply]
        return [(info.name, Outcome.REPLY, reply) for info, reply in zip(infos, replies, strict=True)]
    padded = [*replies, *[None] * (len(infos) - len(replies))]
    return [(info.name, how, reply) for info, how, reply in zip(infos, slot.outcomes, padded, strict=True)]


class Call:
    """One slot that a caller submitted (None: not yet), and the numbers of those of its commands that count."""

    __slots__ = ("caller", "foreign", "left", "numbers", "since", "slot")

    def __init__(self, slot: Any, caller: Caller | None, numbers: tuple[int, ...], since: float) -> None:
        self.slot: Any = slot
        self.caller = caller
        self.numbers = numbers
        self.since = since
        self.left = inf  # when its caller went
        self.foreign = False  # the parent's, in the child of a fork


class Checks(testing.Checks):
    """The promises, for one history."""

    world: World

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.calls: list[Call] = []
        self.by_number: dict[int, Call] = {}
        self.queue: dict[
            Slot | Waiter, Any
        ] = {}  # who waits for a lease, in order, and the first place in the pool's queue
        self.came: dict[Slot | Waiter, int] = {}  # in which order calls and waiters came
        self.arrived: dict[bytes, int] = {}  # how often a number has come to the server
        self.last: dict[tuple[Session, int], int] = {}
        self.written: int = 0  # the last value of "w" that a caller has written, and been told so
        self.values: list[tuple[float, int]] = []  # of "w", and since when
        self.readonly: dict[int, float] = {}  # when a caller first heard of it, by fail-over

    # -- 1: no caller gets another's reply ----------------------------------------------------------------------------------------

    def own(self, who: object, reply: Any, expected: Any) -> None:
        """The reply is that caller's own, or the server's word that it is not well."""
        super().own(who, reply, expected)
        if isinstance(reply, ReplyError) and reply.code == "READONLY":
            self._left(cast("Caller", who))

    def _left(self, caller: Caller) -> None:
        """A client leaves a replica as soon as it has heard of it; a single connection stays."""
        world = self.world
        known = world.server.generation in self.readonly
        first = self.readonly.setdefault(world.server.generation, world.clock.now)
        kept = (
            world.clock.now < max(first, world.troubled) + HELD
        )  # a caller may have kept its link, or its answer was late
        stays = world.script.mode == "once" or (kept and not (known and caller.late))
        assert stays, f"{caller} was led to a replica long after that was known"

    # -- 2: nothing outlives its deadline or waits in vain ------------------------------------------------------------------------

    def ended(self, call: Call) -> None:
        """A slot is over: once, in time, and for a reason that can be told."""
        slot, now = call.slot, self.world.clock.now
        assert call.left == inf, f"{slot} ended after it was abandoned"
        assert slot.state in ENDS, f"{slot} ended, and is {slot.state}"
        assert now <= max(slot.deadline, call.since) + 0.001, f"{slot} of {call.caller} outlived its deadline"
        if slot.state is not SlotState.ANSWERED:
            assert str(error_of(slot))
        self._in_turn(slot, now)
        self.punctual(call.caller, call.since)

    def excused(self, caller: Caller, error: BaseException) -> None:
        """A caller that comes when all is well is served."""
        refused = isinstance(error, LocalProtocolError) and not isinstance(error, ConnectionClosedError)
        assert not refused, f"{caller} is refused: {error!r}"
        ended = self.world.client.closed is not None
        assert not caller.late or ended or isinstance(error, ReplyError), f"{caller} is told {error!r}, and all is well"

    def refused(self, waiter: Waiter, who: Caller, since: float) -> None:
        """A waiter has its error."""
        assert waiter.error is not None
        assert str(waiter.error)
        self.queue.pop(waiter, None)
        if isinstance(waiter.error, CommandTimeoutError):
            self.punctual(who, since)

    # -- 3: what ran, and what callers were told ----------------------------------------------------------------------------------

    def agree(self) -> None:
        """At the end: what each caller was told agrees with what the server did."""
        for call in self.calls:
            if not call.foreign:
                self._was_told(call)
        super().agree()
        watched = sum(self.world.server.ran[b"n%d" % number] for number in self.world.watched)
        value = self.world.server.data[b"w"]
        assert value == watched + self.world.touched, f"an update was lost: {value} of {watched + self.world.touched}"

    def observed(self) -> None:
        """What observers were told is what callers were told, and what was counted."""
        world = self.world
        for observer in world.watching:
            if isinstance(observer, Watching):
                observer.agree(self.told, torn=world.torn)
                if not (
                    world.torn or world.forked
                ):  # both may cost the telling of a link, and a fork begins to count anew
                    observer.counts(world.client.stats())
            elif isinstance(observer, Raises):
                assert observer.left >= 0 or world.torn, "an observer that had raised was told more"

    def _was_told(self, call: Call) -> None:
        told = outcomes(call.slot)
        if call.slot.info.name == "MULTI":
            told = self._inside(told)
        acts = [one for one in told if one[0] in ("INCRBY", "RPUSH", "GET", "BLPOP")]
        for (name, outcome, reply), number in zip(acts, call.numbers, strict=False):
            self.told[number] = Told(name, outcome, reply, call.caller, call.left)

    @staticmethod
    def _inside(told: list[tuple[str, Outcome, Any]]) -> list[tuple[str, Outcome, Any]]:
        """What EXEC said of the commands before it; the errors that were said instead of QUEUED stay."""
        *queued, (_, outcome, executed) = told
        if outcome is not Outcome.REPLY or isinstance(queued[0][2], ReplyError):
            return queued  # a MULTI that was refused holds back nothing
        results = iter(executed if isinstance(executed, list) else [])
        return [
            (name, how, next(results, None)) if reply == "QUEUED" else (name, how, reply)
            for name, how, reply in queued[1:]
        ]

    # -- order, turns, capacity ---------------------------------------------------------------------------------------------------

    def arrives(self, session: Session, words: Words) -> None:
        """A command has come to the server: where it may be, and in its caller's order."""
        name = words[0]
        if name in (b"INCRBY", b"GET", b"RPUSH"):
            self._in_its_database(session, words)
        if name != b"INCRBY" or words[1] == b"w":
            return
        number = int(words[2])
        again = self.arrived.get(words[1], 0)
        self.arrived[words[1]] = again + 1
        call = self.by_number[number]
        caller = call.caller
        attempts = getattr(call.slot.call, "attempts", None)
        if (
            caller is None
            or again
            or session not in self.world.shared
            or (attempts is not None and attempts.made > ATTEMPTS)
            or self.world.paused
        ):
            return
        key = session, caller.act.number
        assert number > self.last.get(key, -1), f"{number} of {caller} came behind {self.last.get(key)}"
        self.last[key] = number

    def keeps_its_lane(self, call: Call) -> None:
        """A caller that has calls under way keeps to their lane."""
        if call.slot.call is None or call.slot.call.lane is None or call.caller is None:
            return
        for other in self.world.live.values():
            theirs = None if other.slot.state in ENDS else other.slot.call  # its end is still to be told
            if other.caller is not None and other.caller.act.caller == call.caller.act.caller and theirs is not None:
                assert theirs.lane in (None, call.slot.call.lane), f"{call.caller} has calls on two lanes"

    def _in_its_database(self, session: Session, words: Words) -> None:
        assert session.authenticated
        key = words[2] if words[0] == b"RPUSH" else words[1].rpartition(b":")[2].lstrip(b"en")
        if key == b"w":
            return
        call = self.by_number.get(int(key))
        if session.database != self.world.server.database:
            whose = session.database - 100
            mine = call is not None and call.caller is not None and call.caller.act.number == whose
            assert mine, f"{words!r} went to the database of caller {whose}"

    def granted(self, waiter: Waiter) -> None:
        """A waiter has its lease: those before it have had their turns."""
        self._in_turn(waiter, self.world.clock.now)

    def _in_turn(self, served: Slot | Waiter, now: float) -> None:
        if served not in self.queue:
            return
        lent = isinstance(served, Waiter) or (served.call is not None and served.state is SlotState.ANSWERED)
        for earlier in self.queue:
            if earlier is served:
                break
            if not lent or now >= earlier.deadline:
                continue
            waits, attempts = (
                (earlier.place, earlier.attempts)
                if isinstance(earlier, Waiter)
                else (earlier.call and earlier.call.waiter, earlier.call and earlier.call.attempts)
            )
            # Whether one waits in its order whose link was of no use, `in_order` sees.
            passed_over = waits is not None and waits is self.queue[earlier] and attempts is None
            assert not passed_over, f"{served} was served before {earlier}"
        del self.queue[served]

    def comes(self, entry: Slot | Waiter) -> None:
        """A call or a waiter is there from now on."""
        self.came[entry] = len(self.came)

    def in_order(self) -> None:
        """Those who wait for a lease do so in the order in which they came, also after a link that was of no use.

        Those that have failed, and try again, are behind the others.
        """
        pool = self.world.client.pool
        if pool is not None and len(pool._queue) > 1:
            waiting: list[Any] = [place.token for place in pool._queue]
            again = [(entry if isinstance(entry, Waiter) else entry.call).attempts is not None for entry in waiting]
            order = [self.came[entry] for entry, failed in zip(waiting, again, strict=True) if not failed]
            assert order == sorted(order), f"out of turn: {waiting}"

    def capacity(self) -> None:
        """No more sockets are open for leases than the pool may have."""
        world = self.world
        assert world.lent_sockets <= world.capacity, f"{world.lent_sockets} sockets of {world.capacity}"

    def refuses(self, caller: Caller, lease: Any) -> None:
        """A handle that was kept beyond its block refuses, and nothing is sent."""
        slot = new_slot(("GET", "e0"), None, inf)
        try:
            self.world.client.submit(slot, self.world.clock.now, lease=lease)
        except (ConnectionClosedError, LocalProtocolError):
            return
        raise AssertionError(f"{caller} sent a command on a lease that it had given back")

    def fresh(self, caller: Caller, value: int) -> None:
        """What was kept is no older than the word of its change and the network."""
        assert value >= self.written, f"{caller} was given {value}, and {self.written} had been written"
        before = self.world.clock.now - HEARD
        if before > self.world.troubled:
            known = max([0, *(one for since, one in self.values if since <= before)])
            assert value >= known, f"{caller} was given {value}, and {known} was there {HEARD} s before"

    # -- the end ------------------------------------------------------------------------------------------------------------------

    def quiet(self) -> None:
        """Long after the last call and the last trouble, no call is left, and no link is lent."""
        world = self.world
        assert not world.live, f"still under way: {[(call.caller, slot) for slot, call in world.live.items()]}"
        assert not world.waiting, f"still waiting: {world.waiting}"
        assert world.kept() in (None, world.server.data[b"w"]), "what is kept is not what the server has"
        pool = world.client.pool
        if pool is not None:
            assert (pool.stats().leased, pool.stats().waiting) == (0, 0), pool

    def rest(self) -> None:
        """The client was closed, and everything has come to an end."""
        world, client = self.world, self.world.client
        assert not world.live, f"never ended: {world.live}"
        assert not world.waiting, f"never woken: {world.waiting}"
        assert not client.links, f"links are left: {client.links}"
        assert client.next_deadline() == inf
        assert client._timers.next() == inf, "timers are left"
        assert not client._pausing
        assert world.torn or not client._shares._kept, "callers are left"
        super().rest()
        retries = sum(slot.call.attempts.made - 1 for slot in world.tried if getattr(slot.call, "attempts", None))
        assert client.retries == retries, f"{client.retries} retries were counted, and {retries} made"
        pool = client.pool
        if pool is not None:
            self._adds_up(pool.stats())
        for lane in client._lanes:
            assert (lane.link, lane.dial) == (None, None)
            assert lane.created == sum(lane._closed.values()), lane.stats()
        for link in world.wires:
            stats = link.core.stats()
            assert stats.in_flight >= stats.abandoned >= 0
            assert stats.sent >= stats.answered >= 0

    @staticmethod
    def _adds_up(stats: PoolStats) -> None:
        assert stats.leased == stats.waiting == stats.dialling == stats.size == 0, stats
        assert stats.created == sum(stats.closed.values()), stats
        assert stats.granted + stats.refused + stats.withdrawn >= stats.waited, stats

    @staticmethod
    def let_go(client: Client) -> None:
        """Nothing that was is kept: from the client no slot, waiter or link can be reached, its only one excepted."""
        seen: set[int] = set()
        reached: list[Any] = [client]
        kept = client._only
        while reached:
            one = reached.pop()
            if id(one) in seen or isinstance(one, type) or type(one).__name__ in ("module", "function", "frame"):
                continue
            seen.add(id(one))
            assert not isinstance(one, (Slot, Waiter)), f"the closed client keeps {one}"
            assert not isinstance(one, Link) or one is kept, f"the closed client keeps {one}"
            if one is not kept:
                reached += gc.get_referents(one)

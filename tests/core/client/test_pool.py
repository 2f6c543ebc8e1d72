"""The pool: capacity is never lost or exceeded, order never broken, every waiter ends, and the counters add up."""

from __future__ import annotations

import sys
import warnings
from collections import deque
from functools import partial
from itertools import permutations
from math import inf
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from machines import opcodes
from resp_sansio import (
    CloseReason,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    Outcome,
    PoolFullError,
    PoolSettings,
    RespError,
    Retry,
)
from resp_sansio.client import Lease
from resp_sansio.client.leases import Close, Dial, Granted, Leaked, PoolState, Refused, Waiter, WaiterState
from resp_sansio.client.pace import Pace
from resp_sansio.client.places import REPLY_GRACE, Places
from resp_sansio.client.pool import Pool
from resp_sansio.config import Breaker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

Wire: TypeAlias = list[int]  # stands for a connection: neither hashable nor known to the pool

OPEN, DRAINING, CLOSED = PoolState
WAITING, GRANTED, REFUSED, WITHDRAWN = WaiterState
AWAY: Final = ConnectError("connection refused", transient=True)
WRONG: Final = ConnectError("wrong password", transient=False)
RARELY: Final = st.sampled_from([False] * 9 + [True])


def any_time() -> Pace:
    """A pace that no dial has failed at: the next may begin at once."""
    return Pace(Retry())


class PoolModel(RuleBasedStateMachine):
    """Any number of callers, a server that may be away, and time."""

    @initialize(
        max_size=st.integers(1, 4),
        min_size=st.integers(0, 2),
        max_dials=st.integers(1, 3),
        max_waiting=st.none() | st.integers(0, 3),
        max_idle=st.sampled_from([None, 10.0]),
        max_lifetime=st.sampled_from([None, 30.0]),
        breaker=st.sampled_from([None, None, 2]),
        now=st.sampled_from([0.0, 0.1, 1e9 + 0.7]) | st.floats(0, 1e12),
    )
    def begin(self, breaker: int | None, now: float, **options: Any) -> None:
        options["min_size"] = min(options["min_size"], options["max_size"])
        options["leak_after"] = 20.0
        self.pool: Pool[Wire] = Pool(PoolSettings(breaker_failures=breaker, **options), pace=any_time(), owed=self.owed)
        self.now = now
        self.asked = self.made = 0
        self.total = 0
        self.queue: list[Waiter[Wire]] = []  # in the order in which they are to be served
        self.waiters: list[Waiter[Wire]] = []  # all there ever were
        self.told: list[Waiter[Wire]] = []
        self.dials: list[Dial[Wire]] = []  # announced, and not carried out
        self.leases: list[Lease[Wire]] = []  # all there ever were
        self.open: dict[int, Wire] = {}
        self.idle: list[Wire] = []  # the last is the one used last
        self.owing: list[Wire] = []  # idle as well, but they owed replies when they came back
        self.debtors: dict[int, tuple[object, float]] = {}  # those that do: what, and since when
        self.failing = False  # a dial has just failed
        self.old: list[Wire] = []  # opened before the last retire()
        self.born: dict[int, float] = {}
        self.rested: dict[int, float] = {}
        self.pool.advance(now)  # its owner warms it up
        self.carry_out()

    def owed(self, wire: Wire) -> object:
        assert wire in self.owing, "asked of one that is not idle, or never owed"
        return self.debtors.get(wire[0], (None, 0))[0]

    # -- what the pool asks for --------------------------------------------------------------------------------------------

    def carry_out(self) -> None:
        for event in self.pool.events():
            match event:
                case Dial():
                    self.dials.append(event)
                case Granted(waiter):
                    assert waiter is self.queue.pop(0), "out of turn"
                    self.tell(waiter, GRANTED)
                    assert waiter.lease is not None
                    self.begin_lease(waiter.lease)
                case Refused(waiter):
                    if waiter in self.queue:
                        self.queue.remove(waiter)
                    self.tell(waiter, REFUSED)
                    assert isinstance(waiter.error, RespError)
                case Close(wire, _):
                    assert self.open.pop(wire[0]) is wire, "closed twice"
                    self.forget(wire)
                case Leaked(lease):
                    assert lease.since + 20 <= self.now
                    assert lease.borrower == "me"

    def tell(self, waiter: Waiter[Wire], state: WaiterState) -> None:
        assert waiter.state is state
        assert waiter not in self.told, "told twice"
        self.told.append(waiter)

    def begin_lease(self, lease: Lease[Wire]) -> None:
        # Whether it is over already, because the pool was closed, shows in the events that follow.
        if lease.connection in self.owing and lease.connection[0] in self.debtors:
            stats, settings, breaker = self.pool.stats(), self.pool.settings, self.pool._breaker
            assert not self.idle
            assert (
                self.failing
                or self.now < self.debtors[lease.connection[0]][1] + REPLY_GRACE
                or self.pool.state is not OPEN
                or stats.size + stats.dialling >= settings.max_size
                or (breaker is not None and breaker.broken)
            ), "lent to wait for others' replies, though another could be dialled"
        self.forget(lease.connection)
        self.leases.append(lease)

    def forget(self, wire: Wire) -> None:
        self.idle = [one for one in self.idle if one is not wire]
        self.owing = [one for one in self.owing if one is not wire]

    # -- callers -----------------------------------------------------------------------------------------------------------

    @rule(
        again=st.sampled_from([None] * 9 + [0, 1, 2, 3]),
        borrower=st.sampled_from([None, "me"]),
        allowed=st.sampled_from([inf, inf, 0.3, 7.0]),
    )
    def acquire(self, again: int | None, borrower: str | None, allowed: float = inf) -> None:
        turn = inf if again is None else self.turn(again)
        pool, before = self.pool, self.pool.stats()
        self.asked += 1
        try:
            answer = pool.acquire(self.now, "token", deadline=self.now + allowed, borrower=borrower, turn=turn)
        except ConnectionClosedError:
            assert pool.state is not OPEN
        except PoolFullError:
            assert turn == inf
            assert pool.settings.max_waiting is not None
            # Those for whom there is room do not count.
            room = max(0, pool.settings.max_size - before.size)
            assert before.waiting >= pool.settings.max_waiting + room
        except ConnectError:
            assert pool.settings.breaker_failures is not None
        else:
            assert pool.state is OPEN
            if isinstance(answer, Waiter):
                self.waiters.append(answer)
                self.queue.append(answer)
                self.queue.sort(key=lambda waiter: waiter.turn)
                assert answer.token == "token"
                self.carry_out()
                assert not self.idle
                return
            self.carry_out()
            self.check_reuse(answer)
            self.begin_lease(answer)
        self.carry_out()

    def turn(self, number: int) -> float:
        """That of a lease which is over, if there is one."""
        turns = [lease.turn for lease in self.leases if not lease.active]
        return turns[number % len(turns)] if turns else inf

    @rule(callers=st.integers(1, 6), leaving=st.integers(0, 3))
    def come_and_go(self, callers: int, leaving: int) -> None:
        """What a pool mostly sees: some come, the server is there, some have what they wanted."""
        for _ in range(callers):
            self.acquire(again=None, borrower=None)
        while self.dials:
            self.open_one(self.dials.pop(0))
        for lease in [lease for lease in self.leases if lease.active][:leaving]:
            self.give_back(lease, None)

    def check_reuse(self, lease: Lease[Wire]) -> None:
        wire, limits = lease.connection, self.pool.settings
        assert lease.active
        assert wire in self.owing if not self.idle else wire is self.idle[-1], "not the one used last"
        assert wire not in self.old
        assert self.now - self.born[wire[0]] < (limits.max_lifetime or inf)
        # One that was kept for `min_size` when its time came may owe replies, and is lent when others are out.
        if self.pool.stats().size > limits.min_size and wire not in self.owing:
            assert self.now < self.rested[wire[0]] + (limits.max_idle or inf)

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), reason=st.sampled_from([None, None, None, CloseReason.BROKEN]), owes=st.booleans())
    def release(self, data: st.DataObject, reason: CloseReason | None, owes: bool) -> None:
        self.give_back(data.draw(st.sampled_from(self.leases)), reason, owes)  # one that is over, perhaps

    @precondition(lambda self: self.debtors)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        """The server answers what it owed."""
        del self.debtors[data.draw(st.sampled_from(sorted(self.debtors)))]

    def give_back(self, lease: Lease[Wire], reason: CloseReason | None, owes: bool = False) -> None:
        active, wire = lease.active, lease.connection
        if active and owes:
            self.debtors.setdefault(wire[0], (object(), lease.since))
            self.owing.append(wire)
        debt = self.debtors.get(wire[0], (None, 0))[0] if owes else None
        self.pool.release(lease, self.now, reason=reason, owes=debt)
        assert not lease.active
        assert lease.ended
        if active and owes:
            self.rested[wire[0]] = self.now
        elif active:
            self.rest(wire)
        self.carry_out()
        too_old = self.now - self.born[wire[0]] >= (self.pool.settings.max_lifetime or inf)
        if active and (reason is not None or wire in self.old or too_old):
            assert wire[0] not in self.open, "kept, though it is of no use"

    def rest(self, wire: Wire) -> None:
        self.idle.append(wire)
        self.rested[wire[0]] = self.now

    @precondition(lambda self: self.waiters)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        waiter = data.draw(st.sampled_from(self.waiters))
        state = waiter.state
        if state is GRANTED and waiter.lease is not None and waiter.lease.active:
            self.rest(waiter.lease.connection)
        if state is WAITING:
            self.queue.remove(waiter)
        self.pool.withdraw(waiter, self.now)
        self.carry_out()
        assert waiter.state is (WITHDRAWN if state is WAITING else state)
        assert waiter.lease is None or not waiter.lease.active

    # -- connections -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.dials)
    @rule(data=st.data(), how=st.sampled_from(["opened"] * 3 + ["away", "wrong", "given up", "bug"]))
    def dial(self, data: st.DataObject, how: str) -> None:
        dial = data.draw(st.sampled_from(self.dials))
        self.dials.remove(dial)
        waiting, first = list(self.queue), next(iter(self.queue), None)
        if how == "opened":
            self.open_one(dial)
            return
        error = {"away": AWAY, "wrong": WRONG, "bug": ConnectionClosedError("bug")}.get(how)
        at_hand = len(self.owing) if error not in (None, WRONG) else 0
        self.failing = True
        self.pool.dial_failed(dial, error, self.now)
        self.carry_out()
        self.failing = False
        if first is not None and error is not None:
            assert first.error is error or (at_hand and first.lease is not None) or (error is not WRONG and self.open)
        if error is not None and not self.open:
            assert all(one.error is not None for one in waiting), "no connection will come back to them"
        if error is WRONG:
            assert all(one.error is not None for one in waiting)

    def open_one(self, dial: Dial[Wire]) -> None:
        self.made += 1
        self.open[self.made] = wire = [self.made]
        self.born[self.made] = self.now
        self.rest(wire)
        self.pool.opened(dial, wire, self.now, jitter=0.5)
        self.carry_out()

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        wire = data.draw(st.sampled_from(list(self.open.values())))
        self.pool.lost(wire, self.now)
        self.carry_out()
        assert wire[0] not in self.open
        self.pool.lost(wire, self.now)
        assert not self.pool.events()

    @rule(seconds=st.sampled_from([0, 0.07, 1, 5, 11, 31]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        deadline = self.pool.next_deadline()
        self.pool.handle_timeout(self.now)
        if deadline > self.now:
            assert not self.pool.events()
        self.carry_out()
        assert all(waiter.deadline > self.now for waiter in self.queue)
        self.pool.handle_timeout(self.now)
        assert not self.pool.events()
        assert self.pool.next_deadline() > self.now

    @precondition(lambda self: self.pool.next_deadline() < inf)
    @rule()
    def come_to_the_deadline(self) -> None:
        """Not later: what is due is dealt with, or moves."""
        due = self.pool.next_deadline()
        self.now = max(self.now, due)
        self.pool.handle_timeout(due)
        assert self.pool.next_deadline() > due
        self.carry_out()

    # -- the pool as a whole -----------------------------------------------------------------------------------------------

    @rule(really=RARELY)
    def retire(self, really: bool) -> None:
        if not really:
            return
        self.old = list(self.open.values())
        self.pool.retire(self.now)
        self.carry_out()
        assert not self.idle
        assert not self.owing

    @rule(max_size=st.integers(1, 5))
    def resize(self, max_size: int) -> None:
        self.pool.resize(self.now, max_size=max_size, min_size=min(max_size, self.pool.settings.min_size))
        self.carry_out()

    @rule(really=RARELY, abruptly=st.booleans())
    def end(self, really: bool, abruptly: bool) -> None:
        if not really:
            return
        if abruptly:
            self.pool.close(self.now)
            self.carry_out()
            assert self.pool.state is CLOSED
        else:
            self.pool.drain(self.now)
            self.carry_out()
            assert self.pool.state is not OPEN

    # -- what always holds -------------------------------------------------------------------------------------------------

    @invariant()
    def capacity_is_neither_exceeded_nor_lost(self) -> None:
        stats, limits = self.pool.stats(), self.pool.settings
        total = stats.size + stats.dialling
        assert total <= max(limits.max_size, self.total), "more than before, and more than allowed"
        self.total = total
        assert stats.size == len(self.open)
        assert stats.leased == sum(lease.active for lease in self.leases)
        assert stats.idle == len(self.idle) + len(self.owing) <= limits.max_size
        busy = [lease.connection[0] for lease in self.leases if lease.active]
        assert len(busy) == len(set(busy)), "two callers on one connection"
        assert set(busy) <= set(self.open)

    @invariant()
    def nobody_waits_for_nothing(self) -> None:
        stats, limits = self.pool.stats(), self.pool.settings
        if self.queue:
            assert not self.idle
            assert stats.leased or stats.dialling
            room = stats.size + stats.dialling < limits.max_size and stats.dialling < limits.max_dials
            assert not room or len(self.queue) <= stats.dialling
            full = stats.size + stats.dialling >= limits.max_size
            assert not full or not self.owing or len(self.queue) <= stats.dialling
        if self.pool.state is DRAINING:
            assert stats.leased or stats.waiting
            assert stats.idle == 0, "kept for nobody, and there to be taken"
        if self.pool.state is CLOSED:
            assert (stats.size, stats.dialling, stats.waiting) == (0, 0, 0)

    @invariant()
    def counters_add_up(self) -> None:
        stats = self.pool.stats()
        assert stats.created == self.made == sum(stats.closed.values()) + stats.size
        assert stats.size == stats.idle + stats.leased
        assert self.asked == stats.granted + stats.refused + stats.withdrawn + stats.waiting
        assert stats.granted == len(self.leases)
        assert stats.waiting == sum(waiter.state is WAITING for waiter in self.waiters)
        assert [waiter for waiter in self.waiters if waiter.state is WAITING] == sorted(
            self.queue, key=self.waiters.index
        )
        assert stats.withdrawn == sum(waiter.state is WITHDRAWN for waiter in self.waiters)
        assert stats.most_size >= stats.size
        assert stats.most_leased >= stats.leased
        assert stats.most_waiting >= stats.waiting
        assert f"{stats.idle} idle, {stats.leased} leased, {stats.dialling} dialling" in repr(self.pool)

    def teardown(self) -> None:
        """If callers give back what they got and dials end, every waiter ends."""
        if not hasattr(self, "pool"):
            return
        for _ in range(1000):
            unfinished = [waiter for waiter in self.waiters if waiter.state is WAITING]
            if not unfinished:
                break
            active = [lease for lease in self.leases if lease.active]
            self.failing = not active
            if active:
                self.pool.release(active[0], self.now)
            else:
                self.pool.dial_failed(self.dials.pop(0), AWAY, self.now)
            self.carry_out()
        else:
            pytest.fail("some waiters wait for ever")


TestPoolModel = PoolModel.TestCase
TestPoolModel.settings = settings(max_examples=200, stateful_step_count=50)


# -- by example ------------------------------------------------------------------------------------------------------------


class Driven:
    """A pool whose dials are carried out when told to; connections are numbered from 1."""

    def __init__(self, *, breaker: Breaker | None = None, **options: Any) -> None:
        self.pace = any_time()
        self.pool: Pool[Wire] = Pool(PoolSettings(**options), pace=self.pace, breaker=breaker)
        self.now = 0.0
        self.made = 0
        self.dials: list[Dial[Wire]] = []
        self.closed: list[tuple[int, CloseReason]] = []
        self.leaked: list[Lease[Wire]] = []

    def look(self) -> None:
        for event in self.pool.events():
            match event:
                case Dial():
                    self.dials.append(event)
                case Close(wire, reason):
                    self.closed.append((wire[0], reason))
                case Leaked(lease):
                    self.leaked.append(lease)

    def dial(self, jitter: float = 0.0) -> None:
        self.made += 1
        self.pool.opened(self.dials.pop(0), [self.made], self.now, jitter)
        self.look()

    def fail(self, error: Exception | None = AWAY) -> None:
        self.pool.dial_failed(self.dials.pop(0), error, self.now)
        self.look()

    def ask(self, **how: Any) -> Waiter[Wire]:
        waiter = self.pool.acquire(self.now, **how)
        assert isinstance(waiter, Waiter)
        self.look()
        return waiter

    def take(self, **how: Any) -> Lease[Wire]:
        """A lease, of a new connection if need be."""
        answer = self.pool.acquire(self.now, **how)
        self.look()
        if isinstance(answer, Waiter):
            self.dial()
            assert answer.lease is not None
            return answer.lease
        return answer

    def give(self, lease: Lease[Wire], reason: CloseReason | None = None) -> None:
        self.pool.release(lease, self.now, reason=reason)
        self.look()

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.pool.handle_timeout(self.now)
        self.look()


def states(waiters: Sequence[Waiter[Wire]]) -> list[WaiterState]:
    return [waiter.state for waiter in waiters]


def test_first_come_first_served_and_last_in_first_out() -> None:
    it = Driven(max_size=2)
    one, two = it.take(), it.take()
    waiters = [it.ask(token=name) for name in "abc"]
    assert repr(it.pool) == "<Pool OPEN: 2 of 2, 0 idle, 2 leased, 0 dialling, 3 waiting>"
    it.give(two)
    assert states(waiters) == [GRANTED, WAITING, WAITING]
    it.pool.withdraw(waiters[1], it.now)  # has gone, and delays no other
    it.give(one)
    assert states(waiters) == [GRANTED, WITHDRAWN, GRANTED]
    assert waiters[2].lease is not None
    assert waiters[2].lease.connection == [1]
    it.give(waiters[2].lease)
    assert waiters[0].lease is not None
    it.give(waiters[0].lease)
    assert it.take().connection == [2]


def test_a_connection_that_owes_replies_to_those_who_have_gone_is_lent_last() -> None:
    it = Driven(max_size=3)
    one, two, three = it.take(), it.take(), it.take()
    it.give(one)
    it.give(three)
    it.pool.release(two, it.now, owes=object())
    assert [it.take().connection for _ in range(3)] == [three.connection, one.connection, two.connection]


class Debtors(Driven):
    """Of these connections, some owe replies to callers who have gone: each is asked whether it still does."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.owe: dict[int, object] = {}
        self.asked: list[int] = []
        self.pool = Pool(self.pool.settings, pace=self.pace, owed=self.owed)

    def owed(self, wire: Wire) -> object:
        self.asked.append(wire[0])
        return self.owe.get(wire[0])

    def time_out(self, lease: Lease[Wire], seconds: float = 1.0) -> None:
        """A call takes so long that its caller goes."""
        self.now += seconds
        owes = self.owe.setdefault(lease.connection[0], object())
        self.pool.release(lease, self.now, owes=owes)
        self.look()


def test_rather_than_wait_behind_a_late_reply_another_connection_is_dialled() -> None:
    it = Debtors(max_size=2)
    it.time_out(it.take())
    waiter = it.ask()
    assert len(it.dials) == 1
    it.dial()
    assert waiter.lease is not None
    assert waiter.lease.connection == [2]
    late = it.take()  # no more may be dialled
    assert late.connection == [1]
    assert not it.dials


def test_what_owes_nothing_any_more_is_used_before_another_is_dialled() -> None:
    it = Debtors(max_size=9)
    it.time_out(it.take())
    it.owe.clear()
    assert it.take().connection == [1]
    assert not it.dials


def test_a_reply_that_is_likely_to_be_on_its_way_costs_no_dial() -> None:
    """As where calls are cancelled again and again, and the server is prompt: each time it is another reply that is owed."""
    it = Debtors(max_size=9)
    lease = it.take()
    for _ in range(100):
        it.owe.clear()
        it.time_out(lease, seconds=0.01)
        lease = it.take()
        assert lease.connection == [1]
    assert it.pool.stats().created == 1


def test_a_reply_that_is_owed_for_long_costs_one_however_short_the_calls_are() -> None:
    it = Debtors(max_size=9)
    lease = it.take()
    while lease.connection == [1]:
        it.time_out(lease, seconds=0.03)
        lease = it.take()
    assert it.now == pytest.approx(0.12)


def test_an_answer_that_comes_while_others_are_owed_says_that_more_will() -> None:
    it = Debtors(max_size=9)
    it.time_out(it.take(), seconds=5)
    it.owe[1] = object()
    assert it.take().connection == [1]


def test_each_connection_that_owes_is_asked_in_its_turn_and_one_for_a_call() -> None:
    it = Debtors(max_size=100)
    for lease in [it.take() for _ in range(3)]:
        it.time_out(lease)
    it.asked.clear()
    del it.owe[3]
    waiters = [it.ask(), it.ask()]
    assert it.asked == [1, 2, 3]  # of these the third is lent, and the other caller dials
    assert [waiter.lease.connection for waiter in waiters if waiter.lease is not None] == [[3]]


def test_if_no_other_can_be_dialled_a_late_reply_is_waited_for() -> None:
    it = Debtors(max_size=9)
    it.time_out(it.take())
    waiter = it.ask()
    it.fail()
    assert waiter.error is None
    assert waiter.lease is not None
    assert waiter.lease.connection == [1]
    assert it.pool.stats().dial_failures == 1


def test_where_dialling_is_of_no_use_a_late_reply_is_not_waited_for() -> None:
    it = Debtors(max_size=9)
    it.time_out(it.take())
    waiter = it.ask()
    it.fail(WRONG)
    assert waiter.error is not None


def test_while_the_server_is_known_to_be_away_a_late_reply_is_waited_for() -> None:
    it = Debtors(max_size=9, breaker_failures=1)
    lease = it.take()
    it.ask()
    it.fail()
    it.time_out(lease)
    assert it.take().connection == [1]


def test_one_that_owes_is_closed_in_its_time_like_any_other() -> None:
    it = Debtors(max_size=2, max_idle=10)
    it.time_out(it.take())
    it.pass_time(10.0)
    assert it.closed == [(1, CloseReason.IDLE)]
    it.time_out(it.take())
    it.now += 10
    it.ask()  # before the timer
    assert it.closed == [(1, CloseReason.IDLE), (2, CloseReason.IDLE)]


def test_one_that_has_ended_by_the_time_it_is_asked_is_not_lent() -> None:
    it = Driven(max_size=9)

    def ended(wire: Wire) -> None:
        it.pool.lost(wire, it.now)

    it.pool = Pool(it.pool.settings, pace=it.pace, owed=ended)
    it.pool.release(it.take(), it.now, owes=object())
    assert it.take().connection == [2]
    assert it.closed == [(1, CloseReason.LOST)]


def test_what_is_too_much_owes_first() -> None:
    it = Debtors(max_size=2)
    one, two = it.take(), it.take()
    it.time_out(two)
    it.give(one)
    it.pool.resize(it.now, max_size=1)
    it.look()
    assert it.closed == [(2, CloseReason.SURPLUS)]


def test_draining_closes_what_owes() -> None:
    it = Debtors(max_size=2)
    it.time_out(it.take())
    it.pool.drain(it.now)
    it.look()
    assert it.closed == [(1, CloseReason.DRAINED)]
    assert it.pool.state is CLOSED


def test_a_waiter_that_leaves_with_its_lease_in_the_hand_passes_it_on() -> None:
    it = Driven(max_size=1)
    lease = it.take()
    first, second = it.ask(), it.ask()
    it.give(lease)
    it.pool.withdraw(first, it.now)
    assert states([first, second]) == [GRANTED, GRANTED]
    it.pool.withdraw(first, it.now)
    assert second.lease is not None
    assert second.lease.active


def test_a_handle_that_is_kept_past_its_block_is_refused() -> None:
    it = Driven(max_size=1)
    lease = it.take()
    lease.check("GET")  # while the block lasts, nothing is refused
    it.give(lease)
    again = it.take()
    assert again.connection is lease.connection
    again.check("GET")
    with pytest.raises(ConnectionClosedError, match=r"SELECT was not sent: .* call acquire\(\) again") as caught:
        lease.check("SELECT")
    assert caught.value.outcome is Outcome.NOT_SENT


def test_a_lease_whose_connection_is_lost_ends_with_its_block() -> None:
    """Within the block it is the connection that says why it has ended."""
    it = Driven(max_size=1)
    lease = it.take()
    it.pool.lost(lease.connection, it.now)
    assert not lease.active
    lease.check("GET")
    it.give(lease)
    with pytest.raises(ConnectionClosedError):
        lease.check("GET")


def test_a_lease_that_is_out_for_long_says_where_it_was_borrowed(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    it = Driven(max_size=1)
    lease = it.take()
    lease.borrower = "line 7 of the program"
    shown: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _kind, error, _traceback: shown.append(error))
    warnings.simplefilter("always")
    lease.report()
    assert [warning.category for warning in recwarn] == [ResourceWarning]
    assert "is out for long" in str(recwarn[0].message)
    assert str(recwarn[0].message).endswith("line 7 of the program")
    assert not shown
    warnings.simplefilter("error")
    lease.report()  # it is another caller's, and does not concern this one
    assert [type(error) for error in shown] == [ResourceWarning]


def test_an_adapter_ends_a_lease_before_it_is_given_back() -> None:
    """So that nothing is done to the connection between a look at what was done to it and its return."""
    it = Driven(max_size=1)
    lease = it.take()
    for _ in range(2):
        lease.end()
        assert lease.active
        with pytest.raises(ConnectionClosedError):
            lease.check("GET")
    it.give(lease)
    assert it.take().connection is lease.connection


def test_a_waiter_that_withdraws_ends_the_lease_that_it_was_handed() -> None:
    it = Driven(max_size=1)
    lease = it.take()
    waiter = it.ask()
    it.give(lease)
    assert waiter.lease is not None
    it.pool.withdraw(waiter, it.now)
    with pytest.raises(ConnectionClosedError):
        waiter.lease.check("GET")


def test_connections_that_die_while_leased_do_not_shrink_the_pool() -> None:
    it = Driven(max_size=2)
    leases = [it.take(), it.take()]
    waiter = it.ask()
    it.pool.lost([1], it.now)  # another list: not the pool's
    it.pool.lost(leases[0].connection, it.now)
    it.look()
    assert len(it.dials) == 1
    it.give(leases[0])  # over already
    it.give(leases[1], CloseReason.BROKEN)
    it.dial()
    assert waiter.state is GRANTED
    assert it.take().connection == [4]
    assert it.closed == [(1, CloseReason.LOST), (2, CloseReason.BROKEN)]


def test_a_lease_says_whether_nobody_had_the_connection_before() -> None:
    it = Driven(max_size=1)
    lease = it.take()
    assert lease.fresh
    it.give(lease)
    assert not it.take().fresh


def test_a_lease_of_another_pool_changes_nothing() -> None:
    other = Driven(max_size=1)
    for reason in (None, CloseReason.LOST):
        other.pool.release(Driven(max_size=1).take(), other.now, reason=reason)
    assert (other.pool.stats().size, other.pool.stats().closed[CloseReason.LOST]) == (0, 0)


def test_a_lease_says_whether_it_is_over() -> None:
    it = Driven()
    lease = it.take()
    assert repr(lease) == "<Lease of [1]>"
    it.give(lease)
    assert repr(lease) == "<Lease of [1], over>"
    again = it.take()
    it.give(lease)  # a second time: it must not end another's
    assert again.active


def test_dials_are_bounded_and_there_are_no_more_than_callers() -> None:
    it = Driven(max_size=10, max_dials=3)
    waiters = [it.ask() for _ in range(5)]
    assert len(it.dials) == 3
    assert repr(it.dials[0]) == "<Dial of generation 0>"
    it.dial()
    assert states(waiters) == [GRANTED, *[WAITING] * 4]
    assert len(it.dials) == 3
    # A caller that leaves does not end the dial; what it opens is there for the next.
    for waiter in waiters[1:]:
        it.pool.withdraw(waiter, it.now)
    for _ in range(3):
        it.dial()
    assert not it.dials
    assert it.pool.stats().idle == 3


def test_a_dial_that_is_given_up_is_made_again_for_those_who_wait() -> None:
    it = Driven(max_size=1)
    one, two = it.ask(), it.ask()
    it.pool.withdraw(one, it.now)
    it.fail(None)
    assert states([one, two]) == [WITHDRAWN, WAITING]
    it.dial()
    assert two.state is GRANTED


def test_what_was_opened_for_a_dial_that_had_been_given_up_is_closed() -> None:
    it = Driven(max_size=1)
    it.ask()
    (dial,) = it.dials
    it.fail(None)
    it.pool.opened(dial, [9], it.now)
    it.look()
    assert it.closed == [(9, CloseReason.SURPLUS)]


def test_a_failed_dial_is_the_error_of_those_to_whom_no_connection_may_come_back() -> None:
    it = Driven(max_size=4)
    lease = it.take()
    waiters = [it.ask() for _ in range(5)]
    it.fail()
    assert states(waiters) == [WAITING] * 5
    assert len(it.dials) == 3  # it is tried again
    it.fail(None)  # it was given up
    assert len(it.dials) == 3
    it.fail(WRONG)
    assert states(waiters) == [REFUSED] * 5
    errors = [waiter.error for waiter in waiters]
    assert [str(error) for error in errors] == ["wrong password"] * 5
    assert len({id(error) for error in errors}) == 5
    it.give(lease, CloseReason.BROKEN)
    waiters = [it.ask(), it.ask()]
    it.fail()
    assert [waiter.error for waiter in waiters] == [AWAY] * 2
    it.pool.dial_failed(Dial(0), AWAY, it.now)  # not the pool's
    assert it.pool.stats().dial_failures == 3


def test_who_gave_back_a_useless_lease_is_first_again() -> None:
    it = Driven(max_size=1)
    lease = it.take()
    waiters = [it.ask(), it.ask()]
    it.give(lease, CloseReason.FAILED_CHECK)
    again = it.ask(turn=lease.turn)
    it.dial()
    assert states([again, *waiters]) == [GRANTED, WAITING, WAITING]


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_those_who_gave_back_useless_leases_are_served_in_the_order_of_their_turns(order: tuple[int, ...]) -> None:
    it = Driven(max_size=3, max_dials=1)
    useless = [it.take() for _ in range(3)]
    later = it.ask()
    again: dict[int, Waiter[Wire]] = {}
    for number in order:
        it.give(useless[number], CloseReason.LOST)
        again[number] = it.ask(turn=useless[number].turn)
    for number in range(3):
        assert again[number].state is WAITING
        it.dial()
        lease = again[number].lease
        assert lease is not None
        assert lease.turn == useless[number].turn
    assert later.state is WAITING


def test_a_turn_is_kept_though_the_second_lease_is_of_no_use_either() -> None:
    it = Driven(max_size=2)
    for lease in [it.take(), it.take()]:
        it.give(lease)
    first = it.take()
    it.give(first, CloseReason.LOST)
    second = it.take(turn=first.turn)
    assert second.connection != first.connection
    assert second.turn == first.turn


def test_who_has_waited_too_long_is_told_what_the_pool_was_doing() -> None:
    it = Driven(max_size=1)
    lease = it.take()
    waiters = [it.pool.acquire(it.now, deadline=it.now + seconds) for seconds in (5.0, 2.0, 9.0)]
    patient, hasty, last = [waiter for waiter in waiters if isinstance(waiter, Waiter)]
    assert it.pool.next_deadline() == it.now + 2.0
    it.pool.handle_timeout(it.now + 2.0)
    assert states([patient, hasty, last]) == [WAITING, REFUSED, WAITING]
    assert isinstance(hasty.error, CommandTimeoutError)
    assert hasty.error.outcome is Outcome.NOT_SENT
    assert str(hasty.error.counted()) == (
        "no connection to the server became free in time [1 connections, 0 idle, 1 leased, 0 dialling, 3 waiting]"
    )
    assert it.pool.next_deadline() == it.now + 5.0
    it.give(lease)
    it.pool.handle_timeout(it.now + 5.0)
    assert states([patient, hasty, last]) == [GRANTED, REFUSED, WAITING]
    assert it.pool.next_deadline() == it.now + 9.0


def test_no_more_callers_wait_than_may() -> None:
    it = Driven(max_size=2, max_waiting=1)
    waiters = [it.ask(), it.ask(), it.ask()]  # two of them for dials
    with pytest.raises(PoolFullError, match=r"3 callers wait .*max_waiting=1.*0 of 2, 0 idle, 0 leased, 2 dialling"):
        it.ask()
    it.pool.withdraw(waiters[0], it.now)
    it.ask()


def test_of_those_who_may_wait_only_they_are_not_counted_for_whom_there_is_room() -> None:
    it = Driven(max_size=2, max_waiting=1)
    it.take()
    it.ask()  # for the second connection
    it.ask()
    with pytest.raises(PoolFullError):
        it.ask()


def test_what_owes_a_reply_is_not_counted_as_lent() -> None:
    it = Driven(max_size=3)
    it.pool = Pool(it.pool.settings, pace=it.pace, owed=lambda _: it)  # the server does not answer
    first = it.take()
    it.now += 1.0
    it.pool.release(first, it.now, owes=it)
    it.take()
    it.take()
    stats = it.pool.stats()
    assert (stats.size, stats.idle, stats.leased, stats.most_leased, stats.retries) == (3, 1, 2, 2, 0)


def test_a_pool_keeps_itself_warm() -> None:
    it = Driven(min_size=2, max_size=3, max_idle=10)
    it.pass_time(0)
    assert len(it.dials) == 2
    assert it.pool.next_deadline() == inf
    it.pace.failed(AWAY, it.now, 0.5)
    it.fail()
    assert len(it.dials) == 1
    assert it.pool.next_deadline() == inf  # the owner of the pace says when
    it.now = it.pace.not_before
    it.pool.advance(it.now)
    it.look()
    assert len(it.dials) == 1  # while dials fail, one at a time
    it.pace.opened()
    it.dial()
    assert len(it.dials) == 1
    it.pace.opened()
    it.dial()
    leases = [it.take(), it.take(), it.take()]
    for lease in leases:
        it.give(lease)
        it.pass_time(0.001)
    it.pass_time(10)  # down to what is always kept, and no further
    assert it.closed == [(2, CloseReason.IDLE)]
    assert it.pool.next_deadline() == inf
    assert it.take().connection == [3]


def test_nobody_gets_what_is_too_old() -> None:
    it = Driven(max_idle=10, max_lifetime=100)
    lease, other = it.take(), it.take()
    it.now = 95
    it.give(lease)
    it.give(other)
    it.pass_time(0)
    assert it.pool.next_deadline() == 100
    it.now = 100
    assert it.take().connection == [3]  # although no timer was looked at
    assert it.closed == [(2, CloseReason.MAX_LIFETIME), (1, CloseReason.MAX_LIFETIME)]
    young = it.take()
    it.give(young)
    it.now = 110
    assert it.take().connection == [5]
    assert it.closed[2:] == [(4, CloseReason.IDLE)]


def test_what_is_always_kept_may_be_idle_for_long() -> None:
    it = Driven(min_size=1, max_idle=10)
    it.give(it.take())
    it.now = 50
    assert it.take().connection == [1]


def test_connections_of_one_moment_end_at_different_ones() -> None:
    it = Driven(max_lifetime=100)
    one, two = it.take(), it.ask()
    it.dial(jitter=0.5)
    assert two.lease is not None
    it.now = 98
    it.give(one)
    it.give(two.lease)
    assert it.closed == [(2, CloseReason.MAX_LIFETIME)]


def test_retiring_lets_all_go_that_was_opened_before() -> None:
    it = Driven(max_size=4)
    idle, leased = it.take(), it.take()
    it.give(idle)
    it.pool.retire(it.now)
    it.look()
    assert it.closed == [(1, CloseReason.RETIRED)]
    it.give(leased)
    assert it.closed[1:] == [(2, CloseReason.RETIRED)]
    # Dials that had begun: for one use if somebody waits, for none otherwise.
    one, two = it.ask(), it.ask()
    it.pool.retire(it.now)
    it.pool.withdraw(two, it.now)
    it.dial()
    it.dial()
    assert one.lease is not None
    it.give(one.lease)
    assert it.closed[2:] == [(4, CloseReason.RETIRED), (3, CloseReason.RETIRED)]
    it.give(it.take())
    assert it.take().connection == [5]


def test_a_pool_grows_and_shrinks() -> None:
    it = Driven(max_size=1)
    lease, waiter = it.take(), it.ask()
    it.pool.resize(it.now, max_size=3)
    it.look()
    it.dial()
    assert waiter.lease is not None
    third = it.take()
    it.give(third)
    it.pool.resize(it.now, max_size=1, min_size=1)
    it.look()
    assert it.closed == [(3, CloseReason.SURPLUS)]
    later = it.ask()
    it.give(lease)
    assert it.closed[1:] == [(1, CloseReason.SURPLUS)]
    assert later.state is WAITING
    it.give(waiter.lease)
    assert later.state is GRANTED
    with pytest.raises(ValueError, match="max_size"):
        it.pool.resize(it.now, max_size=0)


def test_draining_serves_who_waits_and_ends_with_the_last_lease() -> None:
    it = Driven(max_size=2)
    leased, idle = it.take(), it.take()
    waiter = it.ask()
    it.give(idle)
    it.pool.drain(it.now)
    it.pool.drain(it.now)
    with pytest.raises(ConnectionClosedError, match="DRAINING"):
        it.ask()
    assert waiter.lease is not None
    it.give(waiter.lease)
    assert it.pool.state is DRAINING
    it.give(leased)
    assert it.pool.state is CLOSED
    assert it.closed == [(2, CloseReason.DRAINED), (1, CloseReason.DRAINED)]
    it.pool.resize(it.now, max_size=5)  # changes nothing any more
    with pytest.raises(ConnectionClosedError, match="CLOSED"):
        it.ask()


def test_draining_ends_when_the_last_that_waits_is_out_of_time() -> None:
    it = Driven()
    waiter = it.ask(deadline=5.0)
    assert repr(waiter) == "<Waiter WAITING>"
    it.pool.drain(it.now)
    assert it.pool.state is DRAINING
    it.pass_time(5.0)
    assert waiter.state is REFUSED
    assert it.pool.state is CLOSED


def test_draining_ends_dials_that_nobody_waits_for() -> None:
    it = Driven(min_size=1)
    it.pass_time(0)
    it.pool.drain(it.now)
    assert it.pool.state is CLOSED
    it.dial()
    assert it.closed == [(1, CloseReason.CLOSED)]


def test_closing_ends_everything_at_once() -> None:
    it = Driven(max_size=3, breaker=Breaker(1, 10))
    leased, idle = it.take(), it.take()
    it.give(idle)
    taken = it.take()
    waiters = [it.ask(), it.ask()]
    it.pool.close(it.now)
    it.look()
    assert it.closed == [(1, CloseReason.CLOSED), (2, CloseReason.CLOSED)]
    assert states(waiters) == [REFUSED, REFUSED]
    assert isinstance(waiters[0].error, ConnectionClosedError)
    for lease in (leased, taken):
        assert not lease.active
        it.give(lease)
    it.dial()
    assert it.closed[2:] == [(3, CloseReason.CLOSED)]
    it.pool.close(it.now)
    assert not it.pool.events()


def test_who_keeps_a_connection_is_reported_once() -> None:
    it = Driven(leak_after=5)
    it.take()  # nobody said who
    lease = it.take(borrower="my stack")
    assert it.pool.next_deadline() == 5
    it.pass_time(4)
    assert not it.leaked
    it.pass_time(1)
    it.pass_time(5)
    assert it.leaked == [lease]
    assert lease.borrower == "my stack"
    assert lease.since == 0


def test_while_the_server_is_known_to_be_away_nobody_waits_for_a_dial() -> None:
    it = Driven(max_size=3, min_size=2, breaker_failures=2, breaker_seconds=10)
    waiters = [it.ask() for _ in range(5)]
    it.fail()
    assert states(waiters) == [REFUSED] * 5  # there is no connection that might come back to them
    assert waiters[4].error is AWAY
    it.fail()
    one = it.ask()  # a third dial is still under way
    it.fail()
    assert one.error is AWAY
    assert not it.dials
    with pytest.raises(ConnectError, match="no dial was tried") as caught:
        it.ask()
    assert caught.value.transient
    assert not it.pool.events()
    it.pass_time(9)  # nor is the pool warmed
    assert not it.dials
    assert it.pool.next_deadline() == 10
    it.now = 10
    one = it.ask()  # is let through
    with pytest.raises(ConnectError):
        it.ask()
    it.fail(None)  # it was given up: the next may
    assert one.state is WAITING
    it.dial()
    assert one.state is GRANTED
    it.ask()


def test_a_breaker_can_be_shared_by_pools() -> None:
    breaker = Breaker(1, 10)
    it, other = Driven(breaker=breaker), Driven(breaker=breaker)
    it.ask()
    it.fail()
    with pytest.raises(ConnectError, match="the last 1"):
        other.ask()
    other.now = 10
    other.ask()
    other.fail(None)  # a dial that was given up says nothing of the server: the next may be the one that is let through
    assert len(other.dials) == 1


class Crowded(Driven):
    """A pool in full use: all of its connections are out, or idle, and others wait."""

    def __init__(self, size: int, waiting: int, **options: Any) -> None:
        super().__init__(max_size=size, max_dials=size, leak_after=1e6, **options)
        for _ in range(size):
            self.ask(borrower="me")
        while self.dials:
            self.dial()
        self.leases: list[Lease[Wire]] = [
            place.lease for place in self.pool._places.values() if place.lease is not None
        ]
        self.waiting = deque(self.ask(deadline=self.now + 1e5 + number) for number in range(waiting))

    def wait_in_vain(self, _: int) -> None:
        """The one that came last is the first to give up."""
        waiter = self.ask(deadline=self.now + 0.5)
        self.now = self.pool.next_deadline()
        self.pool.handle_timeout(self.now)
        self.look()
        assert (waiter.error is not None) == (self.now >= waiter.deadline)
        str(self.pool.stats())

    def go(self, _: int) -> None:
        self.pool.withdraw(self.ask(deadline=self.now + 50), self.now)
        self.look()

    def hand_on(self, number: int) -> None:
        lease = self.leases[number % len(self.leases)]
        waiter = self.waiting.popleft()
        self.give(lease)
        assert waiter.lease is not None
        self.leases[number % len(self.leases)] = waiter.lease
        self.waiting.append(self.ask(deadline=self.now + 1e5))
        self.now += 0.001


@pytest.mark.parametrize("what", ["wait_in_vain", "go", "hand_on"])
def test_a_caller_costs_no_more_because_many_wait_or_have_gone(what: str) -> None:
    def each(size: int, waiting: int, *, before: int) -> float:
        it = Crowded(size, waiting)
        it.pool.handle_timeout(it.now)
        one = getattr(it, what)
        for number in range(before):
            one(number)
        return opcodes(lambda: [one(number) for number in range(before, before + 100)]) / 100

    few = each(2, 10, before=1)
    assert each(1000, 10, before=1) < 1.2 * few
    assert each(2, 10_000, before=1_000) < 1.2 * few


def test_idle_connections_are_closed_at_the_same_cost_each() -> None:
    def each(size: int) -> float:
        it = Crowded(size, 0, max_idle=10.0)
        for lease in it.leases:
            it.now += 0.01
            it.give(lease)

        def close() -> None:
            while (due := it.pool.next_deadline()) < inf:
                it.now = due
                it.pool.handle_timeout(due)
                it.look()

        cost = opcodes(close) / size
        assert it.pool.stats().size == 0
        return cost

    assert each(1000) < 1.2 * each(100)


def test_counts_are_a_snapshot() -> None:
    it = Driven(max_size=1)
    lease = it.take()
    it.ask()
    stats = it.pool.stats()
    it.give(lease, CloseReason.INTERRUPTED)
    assert (stats.size, stats.leased, stats.waiting, stats.waited, stats.granted) == (1, 1, 1, 2, 1)
    assert not any(stats.closed.values())
    assert str(stats) == "1 connections, 0 idle, 1 leased, 0 dialling, 1 waiting"
    assert it.pool.stats().closed[CloseReason.INTERRUPTED] == 1


# -- interrupted -----------------------------------------------------------------------------------------------------------


def test_a_refusal_that_was_cut_short_is_finished() -> None:
    it = Driven(max_size=1)
    it.take()
    waiter, other = it.ask(), it.ask()
    waiter.error = AWAY  # so far it came
    it.pool.reconcile(it.now, lambda _: True)
    assert [*it.pool.events()] == [Refused(waiter)]
    assert states([waiter, other]) == [REFUSED, WAITING]


class Interrupt(BaseException):
    """What a signal raises, wherever it strikes."""


def interrupted(function: Callable[[], object], after: int) -> bool:
    """Run, and raise once so many bytecodes of the pool's own have run; false if there were fewer."""
    code, left = {method.__code__.co_filename for method in (Pool.release, Places.stats)}, after

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in code:
            return None
        frame.f_trace_opcodes = True
        left -= event == "opcode"
        if left < 0:
            raise Interrupt
        return trace

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # since 3.12 `settrace` asks whether any frame wants them
    sys.settrace(trace)
    try:
        function()
    except Interrupt:
        return True
    finally:
        sys.settrace(before)
    return False


class Person:
    """A caller whom an interrupt may send away."""

    def __init__(self) -> None:
        self.here = True
        self.held: Lease[Wire] | Waiter[Wire] | None = None

    @property
    def lease(self) -> Lease[Wire] | None:
        return self.held.lease if isinstance(self.held, Waiter) else self.held


class Stricken:
    """A pool whose callers give back, go, and carry out its dials at random, and are interrupted at any bytecode of it."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        settings = PoolSettings(
            max_size=chance.randint(1, 3), min_size=chance.randint(0, 1), max_dials=chance.randint(1, 2), max_idle=3.0
        )
        self.pool: Pool[Wire] = Pool(settings, pace=any_time())
        self.now = 0.0
        self.people: list[Person] = []
        self.opened: dict[int, Wire] = {}
        self.closed: set[int] = set()

    def do(self, person: Person, function: Callable[[], object], *, strike: bool) -> None:
        if strike and interrupted(function, self.chance.randint(0, 300)):
            person.here = False
            while self.chance.random() < 0.4 and interrupted(self.mend, self.chance.randint(0, 1000)):
                pass
            self.mend()
        elif not strike:
            function()
        self.look()

    def mend(self) -> None:
        self.pool.reconcile(self.now, lambda person: person.here)

    def look(self) -> None:
        for event in self.pool.events():
            if isinstance(event, Close):
                self.closed.add(event.connection[0])

    def ask(self, person: Person) -> None:
        self.people.append(person)
        try:
            person.held = self.pool.acquire(self.now, person)
        except ConnectionClosedError:
            person.here = False

    def give(self, person: Person) -> None:
        assert person.lease is not None
        self.pool.release(person.lease, self.now, reason=self.chance.choice([None, None, CloseReason.BROKEN]))
        person.here = False

    def leave(self, person: Person) -> None:
        assert isinstance(person.held, Waiter)
        self.pool.withdraw(person.held, self.now)
        person.here = False

    def dial(self, dial: Dial[Wire], how: str) -> None:
        if how == "opened":
            number = len(self.opened) + 1
            self.opened[number] = [number]
            self.pool.opened(dial, self.opened[number], self.now)
        else:
            self.pool.dial_failed(dial, {"away": AWAY, "wrong": WRONG, "given up": None}[how], self.now)

    def step(self, *, strike: bool) -> None:
        chance = self.chance
        here = [person for person in self.people if person.here]
        having = chance.choice([person for person in here if person.lease is not None] or [None])
        waiting = chance.choice([person for person in here if person.lease is None] or [None])
        dial = chance.choice(self.pool.dials or [None])
        match chance.randint(0, 11):
            case 0 | 1:
                person = Person()
                self.do(person, partial(self.ask, person), strike=strike)
            case 2 | 3 | 4 | 5 | 6 if having is not None:
                self.do(having, partial(self.give, having), strike=strike)
            case 7 if waiting is not None:
                self.do(waiting, partial(self.leave, waiting), strike=strike)
            case 8 | 9 | 10 if dial is not None:
                how = chance.choice(["opened", "opened", "away", "wrong", "given up"])
                self.do(waiting or Person(), partial(self.dial, dial, how), strike=strike)
            case 11:
                self.now += chance.choice([0, 1, 5])
                rare = chance.choice(
                    [lambda: self.pool.retire(self.now), lambda: self.pool.resize(self.now, max_size=2)]
                    + [lambda: self.pool.handle_timeout(self.now)] * 5
                )
                self.do(Person(), rare, strike=strike)

    def check(self) -> None:
        places, idle = self.pool._places, self.pool._idle
        assert set(idle) <= set(places)
        known = {id(person.lease): person for person in self.people if person.here and person.lease is not None}
        for key, place in places.items():
            assert (place.lease is None) == (key in idle)
            assert place.lease is None or id(place.lease) in known, "nobody would ever give this back"
        for person in self.people:
            if person.here and isinstance(waiter := person.held, Waiter):
                assert (waiter.state is WAITING) == (waiter in self.pool._queue)
                assert waiter.state is not WITHDRAWN
        assert not self.pool._queue or self.pool.stats().leased or self.pool.dials, "they wait for nothing"
        stats = self.pool.stats()
        assert stats.created == stats.size + sum(stats.closed.values())

    def wind_down(self) -> None:
        """Everybody who is still here gets a connection or an error, and what is left is idle."""
        while people := [one for one in self.people if one.here]:
            for person in people:
                if person.lease is not None:
                    self.do(person, partial(self.give, person), strike=False)
                elif isinstance(person.held, Waiter) and person.held.error is not None:
                    person.here = False
            for dial in self.pool.dials:
                self.do(Person(), partial(self.dial, dial, "opened"), strike=False)
            left = [one for one in self.people if one.here]
            assert left != people or self.pool.dials or any(one.lease for one in left), "nothing moves any more"
        stats = self.pool.stats()
        assert (stats.leased, stats.waiting) == (0, 0)
        assert stats.size <= self.pool.settings.max_size


@given(seed=st.integers(0, 2**32), strikes=st.booleans(), ending=st.sampled_from(["", "drain", "close"]))
@settings(max_examples=400)
def test_whoever_is_interrupted_wherever_no_place_is_lost_and_nobody_forgotten(
    seed: int, strikes: bool, ending: str
) -> None:
    chance = Random(seed)  # a strategy's own draws small numbers, and so would strike early
    it = Stricken(chance)
    for _ in range(chance.randint(1, 40)):
        it.step(strike=strikes and chance.random() < 0.4)
        it.check()
    if ending:
        way = it.pool.drain if ending == "drain" else it.pool.close
        it.do(Person(), lambda: way(it.now), strike=strikes)
        if ending == "drain":
            it.check()
    it.wind_down()


@pytest.mark.parametrize("reason", [None, CloseReason.BROKEN])
def test_the_next_is_served_wherever_giving_back_was_cut_short(reason: CloseReason | None) -> None:
    after, cut = 0, True
    while cut:
        it = Driven(max_size=1)
        giver = Person()
        lease, waiter = it.take(token=giver), it.ask(token=Person())
        cut = interrupted(lambda: it.pool.release(lease, it.now, reason=reason), after)  # noqa: B023  # it is over by then
        giver.here = False
        it.pool.reconcile(it.now, lambda person: person.here)
        assert len([event for event in it.pool.untold if isinstance(event, Granted)]) <= 1  # told once
        it.look()
        it.dials = it.pool.dials  # of one that no event told of, the owner learns so
        if waiter.state is WAITING:
            it.dial()
        assert waiter.lease is not None
        assert waiter.lease.active
        assert it.pool.stats().size == 1
        after += 1


def test_a_caller_that_was_told_does_not_wait_any_more_wherever_that_was_cut_short() -> None:
    after, cut = 0, True
    while cut:
        it = Driven(max_size=1)
        lease, waiter = it.take(token=Person()), it.ask(token=Person())
        cut = interrupted(lambda: it.pool.release(lease, it.now), after)  # noqa: B023  # it is over by then
        told = [event for event in it.pool.events() if isinstance(event, Granted)]
        it.pool.reconcile(it.now, lambda _: True)
        told += [event for event in it.pool.events() if isinstance(event, Granted)]
        assert len(told) <= 1
        assert not (told and it.pool.holds(waiter))
        after += 1


def test_closing_is_finished_wherever_it_was_cut_short() -> None:
    after, cut = 0, True
    while cut:
        it = Driven(max_size=2)
        it.take()
        it.give(it.take())
        it.take()
        waiters = [it.ask(), it.ask()]
        cut = interrupted(lambda: it.pool.close(it.now), after)  # noqa: B023  # it is over before the next one
        if cut and it.pool.state is CLOSED:
            it.pool.reconcile(it.now, lambda _: True)
        elif cut:
            it.pool.close(it.now)
        told = [event.waiter for event in it.pool.untold if isinstance(event, Refused)]
        assert len(told) == len(set(told))
        it.look()
        assert states(waiters) == [REFUSED, REFUSED]
        assert sorted(number for number, _ in it.closed) == [1, 2]
        after += 1


def test_a_place_that_was_noted_twice_for_one_time_is_closed_once() -> None:
    """Its lease was to be reported, then it was idle, and both times its age was noted."""
    pool: Pool[str] = Pool(PoolSettings(max_size=1, leak_after=20.0, max_lifetime=30.0, max_idle=None), pace=any_time())
    waiter = pool.acquire(0.0, borrower="me")
    assert isinstance(waiter, Waiter)
    pool.resize(0.0, max_size=2)
    pool.acquire(0.0)
    for dial, name in zip([event for event in pool.events() if isinstance(event, Dial)], ("one", "two"), strict=True):
        pool.opened(dial, name, 0.0)
    assert waiter.lease is not None
    pool.release(waiter.lease, 0.0)
    pool.events()
    while (due := pool.next_deadline()) < inf:
        pool.handle_timeout(due)
    assert [event.reason for event in pool.events() if isinstance(event, Close)] == [CloseReason.MAX_LIFETIME]

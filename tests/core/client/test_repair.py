"""An interrupt anywhere in the client machine: what it leaves is put in order, and each caller that is there gets its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from inspect import CO_GENERATOR
from math import inf
from typing import Any

import pytest

from core.client.stage import LANES, LOADING, Stage
from resp_sansio import (
    ClientSettings,
    CloseReason,
    CommandTimeoutError,
    Config,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    PoolFullError,
    PoolSettings,
    Retry,
    client,
    connection,
)
from resp_sansio.client import (
    Client,
    Close,
    Dial,
    Drained,
    Granted,
    Lease,
    Link,
    Listener,
    Look,
    Refused,
    Waiter,
    link_of,
)
from resp_sansio.client.links import Call
from resp_sansio.client.submitting import Check
from resp_sansio.connection import PushReceived, Slot, SlotState, new_slot
from resp_sansio.testing import Peer

FOLDERS = tuple(f"{folder}{os.sep}" for package in (client, connection) for folder in package.__path__)


class Interrupt(BaseException):
    """What a signal's handler raises."""


class Strike:
    """Raises an `Interrupt` where the so-many-th function of the machine begins or returns, or one of C's has returned."""

    def __init__(self, after: int) -> None:
        self.left = after
        self.struck = False

    def __call__(self, frame: Any, event: str, _: Any) -> None:
        code = frame.f_code
        generates = code.co_flags & CO_GENERATOR  # what is raised where one is thrown away is lost
        if event in ("call", "return", "c_return") and code.co_filename.startswith(FOLDERS) and not generates:
            self.left -= 1
            if self.left == 0:
                self.struck = True
                raise Interrupt


def sentinel(words: tuple[bytes, ...]) -> Any:
    return [] if words[1] == b"SENTINELS" else [b"10.0.1.1", b"6379"]


class Torn(Stage):
    """A stage whose steps may be cut short by an interrupt, once; then it does what an adapter has to."""

    def __init__(self, strike: Strike, **options: Any) -> None:
        self.strike = strike
        self.callers: dict[Slot | Waiter, bool] = {}  # is it there?
        self.todo: list[Any] = []
        self.moving: Link | None = None
        super().__init__(dials_at_once=False, **options)

    def peer_for(self, dial: Dial) -> Peer:
        asks = dial.way.master_name is not None
        return Peer(answer=sentinel if asks else self.answer, role="master")

    def step(self, what: Callable[[], Any], caller: Slot | None = None) -> Any:
        """Take a step that may be cut short; the caller then has gone."""
        result = None
        sys.setprofile(None if self.strike.struck else self.strike)
        try:
            result = what()
            self.run()
        except Interrupt:
            sys.setprofile(None)
            self.recover(caller)
        finally:
            sys.setprofile(None)
        return None if self.strike.struck else result

    def recover(self, caller: Slot | None) -> None:
        link, self.moving = self.moving, None
        if link is not None:
            link.core.abort(ConnectionLostError("interrupted"), uncertain=True)
        if caller is not None:
            self.callers[caller] = False
        for _ in range(2):  # it may be repeated
            dials = [*self.dials, *[event for event in self.todo if isinstance(event, Dial)]]
            self.client.reconcile(self.now, self.is_alive, dials)
            self.run()
        if caller is not None:
            self.client.abandon(caller, self.now)
            self.run()
        for entry, alive in list(self.callers.items()):
            if alive and not self.has_ended(entry):
                self.client.resume(entry, self.now)
                self.run()

    def is_alive(self, entry: Slot | Waiter) -> bool:
        return self.callers.get(entry, False)

    def has_ended(self, entry: Slot | Waiter) -> bool:
        return entry in self.ended or entry in self.woken

    def run(self) -> None:
        self.todo += self.client.events()
        while self.todo:
            self.carry_out(self.todo[0])
            del self.todo[0]
            self.todo += self.client.events()

    def carry_out(self, event: Any) -> None:
        match event:
            case Slot():
                if event not in self.ended:
                    self.ended.append(event)
            case Link():
                self.flush(event)
            case Dial():
                if event not in self.dials:
                    self.dials.append(event)
            case Look(link):
                self.client.looked(link, self.now)
            case Granted(waiter) | Refused(waiter):
                if waiter not in self.woken:
                    self.woken.append(waiter)
            case Close(link):
                self.closed.append(link)

    def submits(self, *words: Any, deadline: float = inf) -> Slot:
        return self.submits_slot(new_slot(words, None, deadline))

    def submits_slot(self, slot: Slot) -> Slot:
        self.callers[slot] = True

        def submit() -> None:
            link = self.client.submit(slot, self.now)
            if link is not None:
                self.flush(link)

        self.step(submit, slot)
        return slot

    def acquires(self, **options: Any) -> list[Waiter]:
        """Ask for a link: the waiter, if that was not cut short."""
        waiters: list[Waiter] = []

        def acquire() -> None:
            token = object()
            waiter = self.client.acquire(token, self.now, deadline=self.now + 50, **options)
            self.callers[waiter] = True
            waiters.append(waiter)

        self.step(acquire)
        return waiters

    def releases(self, waiters: list[Waiter]) -> None:
        for waiter in waiters:
            if waiter.lease is not None:
                self.step(partial(self.client.release, waiter.lease, self.now))
                self.callers[waiter] = False
                if self.strike.struck:  # and again, as when its holder is thrown away
                    self.client.reconcile(self.now, self.is_alive, self.dials)
                    self.run()

    def flush(self, link: Link) -> None:
        if link in self.peers:
            before, self.moving = self.moving, link
            super().flush(link)
            self.moving = before

    def connects(self) -> None:
        if self.dials:

            def connect() -> None:
                dial = self.dials[0]
                link = self.client.connected(dial, self.now)
                self.peers[link] = self.peer_for(dial)
                del self.dials[0]
                self.flush(link)

            before = list(self.dials)
            self.step(connect)
            if self.strike.struck and before and before[0] in self.dials and self.is_known(before[0]):
                self.dials.remove(before[0])
            if before and before[0] in self.dials:  # told again: by a sentinel it has learnt where it leads
                self.dials.remove(before[0])
                self.dials.insert(0, before[0])
                self.connects()

    def is_known(self, dial: Dial) -> bool:
        return any(link.dial is dial for link in self.client.links)

    def fails(self, error: Exception | None) -> None:
        if self.dials:
            self.step(lambda: self.client.dial_failed(self.dials.pop(0), error, self.now))

    def cuts(self, link: Link) -> None:
        self.step(lambda: self.client.receive_eof(link, self.now))

    def passes(self, seconds: float) -> None:
        self.now += seconds
        self.step(lambda: self.client.handle_timeout(self.now))

    def settles(self) -> None:
        """Let everything come to its end."""
        for _ in range(200):
            while self.dials:
                self.connects()
            self.wake()
            due = self.client.next_deadline()
            if all(self.has_ended(entry) or not alive for entry, alive in self.callers.items()) or due == inf:
                break
            self.passes(max(due - self.now, 0.0) + 0.001)
        assert all(self.has_ended(entry) for entry, alive in self.callers.items() if alive), self.client


def much(stage: Torn) -> None:
    """Calls by a lane and by leases, waiters, errors that are tried again, dials that fail, links that end."""
    stage.submits("GET", "a")
    stage.submits("BLPOP", "q", 0)
    waiters = stage.acquires()
    stage.submits("GET", "late", deadline=stage.now + 1)
    stage.fails(ConnectError("refused", transient=True))
    stage.passes(2)
    for _ in range(3):
        stage.connects()
    replies = iter([LOADING, b"b"])
    stage.answer = lambda words: next(replies, words[-1])
    stage.submits("GET", "b")
    stage.passes(3)
    stage.submits("BLPOP", "q", 0)
    stage.passes(3)
    waiters += stage.acquires()
    waiters += stage.acquires()
    stage.connects()
    stage.releases(waiters)
    if stage.client.links:
        stage.deaf.update(stage.client.links)
        waiting = stage.submits("GET", "lost")
        stage.submits("INCR", "lost")
        for link in [waiting.link, *stage.client.links][:1]:
            if link is not None and not link.ended:
                stage.cuts(link)
        stage.deaf.clear()
    gone = stage.submits("GET", "gone")
    stage.callers[gone] = False
    stage.step(lambda: stage.client.abandon(gone, stage.now))
    stage.fails(None)
    stage.settles()
    stage.releases(waiters)


def leases(stage: Torn) -> None:
    """The same without lanes, and with a PING ahead of each lease."""
    much(stage)
    stage.step(lambda: stage.client.retire(stage.now))
    stage.submits("GET", "c")
    stage.settles()


SETTINGS: dict[str, dict[str, Any]] = {
    "client": {"settings": LANES, "pool": PoolSettings(max_size=2)},
    "lanes": {"settings": LANES},
    "pool": {"settings": None, "pool": PoolSettings(max_size=2, retry=Retry())},
    "pre_ping": {"settings": None, "pool": PoolSettings(max_size=2, min_size=1, pre_ping=True)},
    "sentinels": {"settings": LANES, "pool": PoolSettings(max_size=2), "url": "redis+sentinel://10.0.0.1,10.0.0.2/m"},
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("history", [much, leases])
def test_an_interrupt_anywhere_costs_nothing_but_its_call(name: str, history: Callable[[Torn], None]) -> None:
    after = 0
    struck = True
    while struck:
        after += 23  # each place is met in one history or another
        strike = Strike(after)
        stage = Torn(strike, **SETTINGS[name])
        try:
            history(stage)
        finally:
            sys.setprofile(None)
        struck = strike.struck
        strike.struck = True  # no more of them
        for words in (("GET", "again"), ("BLPOP", "again", 0)):
            stage.submits(*words)
            stage.settles()
        for entry in stage.woken:
            if entry.lease is not None:
                stage.client.release(entry.lease, stage.now)
        stage.run()
        stats: Any = stage.client.stats()
        leased = getattr(stats, "leases", stats)
        if leased is not None:
            assert (leased.leased, leased.waiting) == (0, 0), (after, leased)
            assert leased.created == leased.size + sum(leased.closed.values()), after
        for lane in getattr(stats, "lanes", ()):
            assert lane.waiting == 0
    assert after > 200


# -- What is left in the middle of a method, place by place ------------------------------------------------------------------


def always(_: Slot | Waiter) -> bool:
    return True


def never(_: Slot | Waiter) -> bool:
    return False


def test_a_link_that_was_lent_at_once_stays_its_borrowers() -> None:
    """The machine knows no owner: the block that has it gives it back."""
    stage = Stage(None, PoolSettings(max_size=1))
    stage.release(stage.lease())
    lease = stage.client.lend(stage.now)
    assert lease is not None
    stage.client.reconcile(stage.now, always, [])
    assert lease.active
    stage.release(lease)
    assert not lease.active


def test_a_link_that_ended_and_was_not_told_leaves_the_pool() -> None:
    stage = Stage(None, PoolSettings(max_size=1))
    stage.call("GET", "a")
    stage.link.ended = True
    stage.client._links.remove(stage.link)
    stage.client.reconcile(stage.now, always, [])
    assert stage.client.pool is not None
    assert stage.client.pool.stats().size == 0


def test_a_link_that_no_pool_keeps_is_ended() -> None:
    stage = Stage(None, PoolSettings(max_size=1))
    stage.call("GET", "a")
    assert stage.client.pool is not None
    stage.client.pool._idle.clear()
    stage.client.pool._places.clear()
    stage.client.reconcile(stage.now, always, [])
    stage.run()
    assert stage.closed == [stage.link]


def test_a_link_that_is_not_among_the_others_any_more_ends_all_the_same() -> None:
    """An interrupt struck as it was taken out, and it had not ended yet."""
    stage = Stage()
    stage.call("GET", "a")
    link = stage.link
    stage.client._links.remove(link)
    stage.cut(link)
    assert link.ended
    assert link in stage.closed
    assert stage.told(stage.call("GET", "b")) == b"b"


def test_a_lane_whose_link_ended_is_dialled_again() -> None:
    stage = Stage()
    stage.call("GET", "a")
    stage.link.ended = True
    stage.client._links.remove(stage.link)
    stage.client.reconcile(stage.now, always, [])
    assert stage.told(stage.call("GET", "b")) == b"b"
    assert stage.dialled == 2


@pytest.mark.parametrize("how", ["told by its link", "on an ended link", "on no queue of its link", "withdrawn"])
def test_a_call_whose_end_was_not_told_is_told(how: str) -> None:
    stage = Stage()
    stage.call("GET", "a")
    stage.deaf.add(stage.link)
    slot = stage.call("INCR", "n")
    match how:
        case "told by its link":
            slot.link.core.abort(ConnectionLostError("it ended"))
        case "on an ended link":
            slot.link.ended = True
        case "on no queue of its link":
            slot.link.core._flying.clear()
        case "withdrawn":
            slot.link = None
            slot.settle(SlotState.WITHDRAWN, 0)
    stage.client.resume(slot, stage.now)
    stage.run()
    assert slot in stage.ended
    stage.client.resume(slot, stage.now)  # an adapter that tells twice tells the same


def test_a_call_whose_loss_was_not_told_is_told_why() -> None:
    stage = Stage(ClientSettings(retry=Retry(attempts=1)))
    stage.call("GET", "a")
    stage.deaf.add(stage.link)
    slot = stage.call("INCR", "n")
    stage.link.core.receive_eof("it is gone")
    stage.link.core.events()  # an interrupt has lost what they say
    stage.client.resume(slot, stage.now)
    stage.run()
    assert "it is gone" in stage.told(slot)[1]


def test_a_caller_that_an_interrupt_took_out_of_a_lane_goes_ahead() -> None:
    stage = Stage(dials_at_once=False)
    waiter, slot = stage.acquire(), stage.call("GET", "a")
    (lane,) = stage.client._lanes
    lane.leave(waiter)
    stage.client.resume(waiter, stage.now)
    assert lane.entries == [waiter, slot]


def test_links_are_looked_at_in_time_after_an_interrupt() -> None:
    stage = Stage(ping_interval=30.0, silence_timeout=2.0)
    stage.call("GET", "a")
    stage.now = 5.0
    stage.client.reconcile(stage.now, always, [])
    assert stage.link.due == 7.0  # by then a call may have begun that the clock was not asked for


def waiting_for_a_lease() -> tuple[Stage, Slot, Waiter, Any]:
    """A call and a caller wait; the only link is out."""
    stage = Stage(None, PoolSettings(max_size=1))
    lease = stage.lease()
    return stage, stage.call("GET", "a"), stage.acquire(), lease


def test_a_lease_that_was_granted_and_not_told_is_told() -> None:
    stage, slot, waiter, lease = waiting_for_a_lease()
    pool = stage.client.pool
    assert pool is not None
    pool.release(lease, stage.now)
    pool.events()
    stage.client.resume(slot, stage.now)
    stage.run()
    assert stage.told(slot) == b"a"
    assert waiter in stage.woken


def test_a_lease_that_ended_before_it_was_told_is_asked_for_again() -> None:
    stage, slot, waiter, lease = waiting_for_a_lease()
    pool = stage.client.pool
    assert pool is not None
    pool.release(lease, stage.now)
    stage.cut(lease.connection)
    stage.pass_time(10)
    assert stage.told(slot) == b"a"
    second, third = waiter.lease, stage.acquire()
    assert isinstance(second, Lease)
    pool.release(second, stage.now)
    stage.cut(second.connection)
    stage.pass_time(10)
    assert third.lease is not None


def test_a_refusal_that_was_not_told_is_told() -> None:
    stage, slot, waiter, _ = waiting_for_a_lease()
    pool = stage.client.pool
    assert pool is not None
    assert waiter.place is not None
    for place in (slot.call.waiter, waiter.place):
        pool._refuse(place, PoolFullError("no room"))
    pool.events()
    stage.client.resume(slot, stage.now)
    stage.client.resume(waiter, stage.now)
    stage.run()
    assert slot in stage.ended
    assert isinstance(waiter.error, PoolFullError)
    stage.woken.clear()
    stage.client.resume(waiter, stage.now)
    stage.run()
    assert stage.woken == [waiter]


def test_a_listener_gets_what_came_and_is_told_again() -> None:
    stage = Stage(None, PoolSettings())
    lease = stage.lease()
    stage.call("SUBSCRIBE", "news", lease=lease)
    first, second, third = stage.listen(lease), stage.listen(lease), stage.listen(lease, deadline=1.0)
    link = lease.connection
    link.core.receive_data(b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n")
    for event in link.core.events():
        assert isinstance(event, PushReceived)
        link.pushes.put(event.push)  # so far it came
    stage.client.reconcile(stage.now, lambda _: True, [])
    stage.run()
    assert stage.heard == [first]
    for waiting in (first, second, third):
        stage.client.resume(waiting, stage.now)
    stage.run()
    assert stage.heard == [first, first]
    assert first.result().items == (b"news", b"hi")
    stage.client.resume(third, 1.0)  # its time has come, and the machine was not told
    stage.run()
    assert stage.heard == [first, first, third]
    with pytest.raises(CommandTimeoutError):
        third.result()
    stage.pass_time(2.0)
    assert stage.heard == [first, first, third]


def test_a_listener_waits_no_longer_than_it_would_have() -> None:
    stage = Stage(None, PoolSettings())
    listener = stage.listen(stage.lease(), deadline=1.0)
    stage.client.reconcile(stage.now, lambda _: True, [])
    stage.pass_time(1.0)
    assert stage.heard == [listener]


def test_a_caller_that_was_granted_its_lease_is_told_so() -> None:
    stage, slot, waiter, lease = waiting_for_a_lease()
    stage.abandon(slot)
    pool = stage.client.pool
    assert pool is not None
    pool.release(lease, stage.now)
    pool.events()
    stage.looks_at_once = False
    stage.client.resume(waiter, stage.now)
    assert waiter.held is not None
    waiter.held.connection.looking = None
    stage.client.resume(waiter, stage.now)
    stage.run()
    stage.client.looked(stage.link, stage.now)
    stage.run()
    assert waiter.lease is not None
    stage.woken.clear()
    stage.client.resume(waiter, stage.now)
    stage.run()
    assert stage.woken == [waiter]


def test_a_caller_in_no_queue_is_put_in_again() -> None:
    stage, slot, waiter, lease = waiting_for_a_lease()
    pool = stage.client.pool
    assert pool is not None
    pool._queue.clear()
    slot.call.waiter = waiter.place = None
    stage.client.resume(slot, stage.now)
    stage.client.resume(waiter, stage.now)
    stage.client.resume(slot, stage.now)  # they wait again
    stage.client.resume(waiter, stage.now)
    stage.release(lease)
    assert waiter.lease is not None
    stage.release(waiter.lease)
    assert stage.told(slot) == b"a"


def test_a_caller_of_a_lane_in_no_queue_is_put_in_again() -> None:
    stage = Stage(dials_at_once=False)
    slot, waiter = stage.call("GET", "a"), stage.acquire()
    for lane in stage.client._lanes:
        lane.empty()
    slot.call = None
    stage.client.resume(slot, stage.now)
    stage.client.resume(waiter, stage.now)
    stage.run()
    stage.client.resume(waiter, stage.now)
    stage.connect()
    assert stage.told(slot) == b"a"
    assert waiter.lease is not None


@pytest.mark.parametrize("lends", [False, True])
@pytest.mark.parametrize("end", [Client.drain, Client.close])
def test_a_caller_in_no_queue_is_told_that_the_client_was_closed(lends: bool, end: Callable[..., None]) -> None:
    stage = Stage(None, PoolSettings()) if lends else Stage(dials_at_once=False)
    waiter = Waiter("whose refusal was cut short", inf, None)
    end(stage.client, stage.now)
    stage.client.resume(waiter, stage.now)
    stage.run()
    assert isinstance(waiter.error, ConnectionClosedError)
    assert stage.woken == [waiter]


def test_a_call_that_holds_a_lease_in_vain_gives_it_back() -> None:
    stage = Stage(None, PoolSettings(max_size=1))
    lease = stage.lease()
    slot = stage.call("GET", "a")
    pool = stage.client.pool
    assert pool is not None
    pool.withdraw(slot.call.waiter, stage.now)
    slot.call.waiter, slot.call.lease = None, lease
    stage.client.resume(slot, stage.now)
    stage.run()
    assert stage.told(slot) == b"a"


def test_a_caller_that_has_gone_waits_for_nothing() -> None:
    stage = Stage(LANES, PoolSettings(max_size=1), dials_at_once=False)
    stage.call("GET", "a")
    stage.call("BLPOP", "q", 0)
    stage.client.reconcile(stage.now, never, stage.dials)
    stats: Any = stage.client.stats()
    assert (stats.lanes[0].waiting, stats.leases.waiting) == (0, 0)


@pytest.mark.parametrize("pre_ping", [False, True])
def test_a_caller_that_has_gone_gets_no_other_lease(pre_ping: bool) -> None:
    """The link that it was to have is still looked at, or asked for an answer, when that ends."""
    stage = Stage(None, PoolSettings(max_size=1, pre_ping=pre_ping))
    stage.call("GET", "a")
    stage.deaf.add(stage.link)
    waiter = stage.client.acquire(object(), stage.now)
    assert waiter.held is not None
    if pre_ping:
        stage.client.looked(stage.link, stage.now)
        assert waiter.check is not None
    stage.client.reconcile(stage.now, never, [])
    stage.client.looked(stage.link, stage.now)
    stage.run()
    assert waiter.lease is None
    assert waiter.place is None
    pool = stage.client.pool
    assert pool is not None
    assert (pool.stats().leased, pool.stats().dialling) == (0, 0)


def test_a_link_whose_bytes_were_moving_ends_and_no_other() -> None:
    stage = Stage(None, PoolSettings(max_size=2), ping_interval=10.0)
    stage.call("GET", "a")
    stage.deaf.add(stage.link)
    stage.call("GET", "b")
    stage.call("GET", "c")
    first, second = stage.client.links
    stage.client.reconcile(stage.now, always, [], [first])
    assert [first.ended, second.ended] == [True, False]
    second.due = inf  # an interrupt struck while it was looked at, and may have begun a PING
    stage.client.reconcile(stage.now, always, [])
    assert second.ended


def test_a_pausing_call_pauses_on_unless_its_caller_has_gone() -> None:
    stage = Stage(dials_at_once=True)
    stage.answer = lambda _: LOADING
    first, second = stage.call("GET", "a"), stage.call("GET", "b")
    third = stage.call("GET", "c")
    third.call.timer = None
    stage.client.reconcile(stage.now, lambda entry: entry is not second, stage.dials)
    stage.run()
    stage.answer = lambda words: words[-1]
    stage.peers[stage.link].answer = stage.answer
    stage.pass_time(100)
    assert first in stage.ended
    assert third in stage.ended
    assert second not in stage.ended


def test_dials_that_no_event_has_told_of_are_told() -> None:
    stage = Stage(LANES, PoolSettings(max_size=1), dials_at_once=False)
    lane, lease = stage.call("GET", "a"), stage.call("BLPOP", "q", 0)
    stage.dials.clear()
    stage.client.reconcile(stage.now, always, [])
    stage.run()
    assert len(stage.dials) == 2
    stage.client.reconcile(stage.now, always, stage.dials)
    stage.run()
    assert len(stage.dials) == 2
    stage.answer = lambda _: None
    stage.connect()
    stage.connect()
    assert stage.told(lane) is stage.told(lease) is None


def test_a_timer_that_an_interrupt_has_left_behind_does_nothing() -> None:
    stage = Stage()
    stage.call("GET", "a")
    stage.deaf.add(stage.link)
    slot = stage.call("GET", "b")
    slot.call = Call()
    stage.client._timers.set(stage.now + 1, slot)
    stage.pass_time(2)
    assert slot not in stage.ended


def test_where_a_reply_is_to_come() -> None:
    stage = Stage(None, PoolSettings(max_size=1, pre_ping=True))
    assert link_of(stage.call("GET", "a")) is stage.link
    assert not stage.client.untold
    stage.deaf.add(stage.link)
    slot = stage.call("GET", "b")
    assert slot.link is None
    assert link_of(slot) is stage.link
    stage.client.resume(slot, stage.now)
    waiter = stage.acquire()
    assert link_of(waiter) is None
    assert link_of(new_slot(("PING",))) is None
    stage.abandon(slot)
    assert link_of(waiter) is stage.link
    stage.client.resume(waiter, stage.now)
    stage.wake()
    assert waiter.lease is not None


def test_a_slot_that_was_never_submitted_may_be_given_up() -> None:
    stage = Stage()
    slot = new_slot(("PING",))
    stage.client.abandon(slot, stage.now)
    assert slot.state is SlotState.WITHDRAWN


def test_a_dial_whose_time_has_come_is_told_of_once() -> None:
    client = Client(Config(), None, PoolSettings(max_size=1), random=lambda: 0.5)
    client.acquire("a caller", 0.0)
    (dial,) = client.events()
    assert isinstance(dial, Dial)
    client.dial_failed(dial, ConnectError("refused", transient=True), 0.0)
    assert client.events() == []
    client.reconcile(client.next_deadline(), lambda _: True, ())
    assert len([event for event in client.events() if isinstance(event, Dial)]) == 1


@pytest.mark.parametrize("borrows", [False, True])
def test_a_caller_knows_of_the_check_that_is_made_for_it(borrows: bool) -> None:
    """Else the answer would come when it has gone."""
    stage = Stage(None, PoolSettings(max_size=1, pre_ping=True))
    stage.call("GET", "a")
    stage.deaf.add(stage.link)
    known: Any
    if borrows:
        stage.acquire()
        check = stage.link.core.slots[0].token
        assert isinstance(check, Check)
        known = check.owner
    else:
        known = stage.call("GET", "b").call
    ping, known.check = known.check, None
    assert isinstance(ping, Slot)
    stage.client.reconcile(stage.now, lambda _: True, ())
    assert known.check is ping


def test_a_caller_goes_on_when_the_end_of_its_check_was_not_told() -> None:
    """Found by history 95276 of the simulation: it waited for ever."""
    stage = Stage(None, PoolSettings(max_size=1, pre_ping=True))
    stage.call("GET", "a")
    old = stage.link
    stage.deaf.add(old)
    waiter = stage.acquire(deadline=9.0)
    assert waiter.check is not None
    stage.now = waiter.check.deadline
    old.core.handle_timeout(stage.now)
    old.core.events()  # an interrupt has lost what they say
    assert waiter.check.state is SlotState.ABANDONED
    stage.client.reconcile(stage.now, always, [])
    stage.client.resume(waiter, stage.now)
    stage.run()
    assert waiter.lease is not None
    assert waiter.lease.connection is not old


@pytest.mark.parametrize("calls", [False, True])
def test_turns_are_kept_wherever_an_interrupt_strikes_as_one_comes(calls: bool) -> None:
    """Found by history 70236 of the simulation: one went ahead of another that had come before it."""
    strike = Strike(0)
    for after in range(1, 2000):
        stage = Stage(None, PoolSettings(max_size=1))
        stage.release(stage.lease())
        stage.dials_at_once = stage.looks_at_once = False
        first = stage.acquire()
        stage.cut(stage.link)  # an interrupt has lost the end of its look
        second = stage.call("BLPOP", "q", 0) if calls else stage.acquire()
        stage.pass_time(1.0)  # until a dial may be made
        strike = Strike(after)
        sys.setprofile(strike)
        try:
            stage.connect()
        except Interrupt:
            pass
        finally:
            sys.setprofile(None)
        stage.client.reconcile(stage.now, always, stage.dials, stage.client.links)
        stage.looks_at_once = True
        stage.run()
        for entry in (first, second):
            if entry not in (*stage.ended, *stage.woken):
                stage.client.resume(entry, stage.now)
        stage.run()
        pool = stage.client.pool
        assert pool is not None
        queue = [place.token for place in pool._queue]
        assert queue in ([first, second], [first]), f"struck at moment {after}: {queue} of {[first, second]}"
        if not strike.struck:
            break
    assert not strike.struck


def test_the_end_of_a_drain_that_was_not_told_is_told() -> None:
    client = Client(Config(), LANES, random=lambda: 0.5)
    client._draining = True  # and its last link has ended
    client.reconcile(0.0, lambda _: True, ())
    assert [type(event) for event in client.events()] == [Drained]


def test_whoever_has_gone_waits_for_nothing() -> None:
    stage = Stage(None, PoolSettings(max_size=1))
    lease = stage.lease()
    slot, waiter, listener = stage.call("GET", "a"), stage.acquire(), Listener(lease)
    stage.client.listen(listener)
    for entry in (slot, waiter, listener, slot, waiter, listener):
        stage.client.gone(entry, stage.now)
    assert slot.state is SlotState.WITHDRAWN
    assert listener.state is SlotState.WITHDRAWN
    assert not lease.connection.pushes.listeners
    pool = stage.client.pool
    assert pool is not None
    assert pool.stats().waiting == 0


def test_a_link_that_its_lane_has_left_ends() -> None:
    stage = Stage()
    stage.call("GET", "open")
    link = stage.link
    assert link.lane is not None
    link.lane.left(CloseReason.RETIRED)  # and an interrupt has kept the link from being closed
    stage.client.reconcile(stage.now, always, [])
    stage.run()
    assert stage.closed == [link]
    assert stage.told(stage.call("GET", "a")) == b"a"

"""The steps of threads, without threads: each goes as far as it can, and waits where a test leaves it. Time stands still."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from core.client.stage import LANES
from resp_sansio import (
    ClientSettings,
    CommandTimeoutError,
    Config,
    ConnectError,
    ConnectionClosedError,
    LocalProtocolError,
    PoolSettings,
)
from resp_sansio.client import Client, Kind, Lease, Link, Share
from resp_sansio.client.links import Close, Dial, Leaked, Look, Report
from resp_sansio.client.posts import AHEAD, DONE, SLEEP, Job, Party, Passer, Post, Several, Write, posts_of
from resp_sansio.client.steps import LOOK, PIECES, Caller, Steps
from resp_sansio.connection import Slot, SlotState, new_slot
from resp_sansio.testing import Peer


class Wire(Post):
    """A post with its server. What that says comes at once; while `mute`, when the test says `speak`."""

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self.peer = Peer()
        self.come: list[bytes] = []  # empty: that is the end
        self.unsaid: list[bytes] = []
        self.mute = self.blocked = False
        self.poll = lambda _: bool(self.come)

    def speak(self) -> None:
        self.come += [b"".join(self.unsaid)] if self.unsaid else []
        self.unsaid.clear()


class Bench(Steps):
    """What threads do of one client."""

    def __init__(
        self,
        settings: ClientSettings | None = LANES,
        pool: PoolSettings | None = None,
        *,
        once: bool = False,
        **more: Any,
    ) -> None:
        self.whose = "client"
        self.time = 1.0
        given = {"timeout": None, "ping_interval": None, "silence_timeout": None, "connect_timeout": 5.0, **more}
        config = Config.from_url("redis://bench", **given)
        super().__init__(Client(config, settings, pool, random=lambda: 0.5, once=once), lambda: self.time)
        self.closed: list[Wire] = []
        self.dropped: list[Dial] = []
        self.received = 0

    # -- what an adapter says --------------------------------------------------------------------------------------------------

    def _receive(self, io: Wire) -> bool:
        if not io.come:
            return False
        self.received += 1
        data, answered = io.come.pop(0), None
        if data:
            answered = self.machine.receive_replies(io.link, data, self.time)
        else:
            self.machine.receive_eof(io.link, self.time)
        if answered is None:
            io.reads = io.link.core.wants_to_receive
            self._carry_out()
        else:
            self.crew.answered(io, answered)
        return True

    def _send(self, io: Wire) -> None:
        io.deferred = 0.0
        io.stuck = io.blocked
        while not io.blocked and (block := io.link.wire.data_to_send()):
            io.link.wire.sent(len(block))
            io.unsaid += io.peer.receive(bytes(block))
        if not io.mute:
            io.speak()

    def _close(self, io: Wire) -> None:
        self.crew.lost(io)
        self.closed.append(io)
        if not io.used:
            self.crew.forget(io)

    def _drop_opening(self, dial: Dial) -> None:
        self.dropped.append(dial)

    def _park(self, caller: Caller) -> Job:
        self.crew.sleepers[caller] = caller
        return SLEEP

    # -- threads ---------------------------------------------------------------------------------------------------------------

    def connect(self, caller: Caller, dial: Dial) -> Job | None:
        """This thread has opened a socket."""
        self.crew.dialled(dial)
        link = self.machine.connected(dial, self.time)
        link.io = Wire(link)
        self.crew.opens(link.io)
        self._send(link.io)
        self._carry_out()
        return self._next(caller, SLEEP)

    def settle(self) -> None:
        """Those who are woken can run."""
        if self.crew.unsettled:
            self.crew.settle(self.machine.next_deadline)

    def go(self, caller: Caller, job: Job | None) -> Job | None:
        """Let a thread go on with this job for as long as it need not wait; return the one it waits with then."""
        while job is not None:
            self.settle()
            if isinstance(job, Dial):
                job = self.connect(caller, job)
            elif job is SLEEP and caller in self.crew.sleepers:
                return job
            else:
                ready = [io for io in posts_of(job) if cast("Wire", io).come]
                if job is not SLEEP and not ready:
                    return job
                job = self._turn(caller, job, ready)
        return None

    def call(self, *words: str, thread: int = 1, deadline: float = inf, lease: Any = None) -> tuple[Slot, Job | None]:
        """This thread makes a call; return the job that it waits with."""
        slot = new_slot(words, None, deadline)
        slot.token = thread
        return slot, self.go(slot, self._begin(slot, lease, None, thread))

    def ahead(self, *words: str, thread: int = 1, lease: Any = None) -> Slot:
        """This thread begins a call ahead."""
        slot = new_slot(words)
        slot.token = AHEAD
        assert self._begin(slot, lease, None, thread) is None
        return slot

    def lease(self, thread: int = 1) -> tuple[Party, Any]:
        """This thread borrows a link."""
        party = Party(inf, thread)
        assert self.go(party, self._acquire(party, None, None)) is None
        waiter: Any = party.waiter
        return party, waiter.lease

    @property
    def wires(self) -> list[Wire]:
        return [link.io for link in self.machine.links]

    @property
    def wire(self) -> Wire:
        (wire,) = self.wires
        return wire


def open_bench(*args: Any, **options: Any) -> Bench:
    """Return a bench with one link, and nothing under way."""
    bench = Bench(*args, **options)
    slot, job = bench.call("ECHO", "first")
    assert (slot.reply, job) == (b"first", None)
    return bench


def waiting(bench: Bench, *words: str, thread: int = 1) -> tuple[Slot, Job]:
    """A call that waits for its reply."""
    bench.wire.mute = True
    slot, job = bench.call(*words, thread=thread)
    assert job is not None
    assert slot.token == thread
    return slot, job


# -- how callers begin ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(LANES, None), (ClientSettings(lanes=2), None), (None, PoolSettings(max_size=1))])
def test_a_call_is_answered(options: tuple[Any, Any]) -> None:
    bench = open_bench(*options)
    for word in ("a", "b"):
        slot, job = bench.call("ECHO", word)
        assert job is None
        assert slot.token == DONE
        assert slot.reply == word.encode()
    assert len(bench.wires) == 1
    assert not bench.crew.sleepers
    assert bench.wire.reader is None


def test_what_came_unasked_is_read_before_a_call_goes_out() -> None:
    bench = open_bench()
    old = bench.wire
    old.come.append(b"")
    slot, job = bench.call("ECHO", "a")
    assert (slot.reply, job) == (b"a", None)
    assert bench.closed == [old]
    assert old.peer.executed == [(b"ECHO", b"first")]
    assert bench.wire is not old


def test_two_threads_share_a_link_and_one_reads_for_both() -> None:
    bench = open_bench()
    first, reads = waiting(bench, "ECHO", "a")
    assert reads is bench.wire
    second, sleeps = waiting(bench, "ECHO", "b", thread=2)
    assert sleeps is SLEEP
    bench.wire.speak()
    assert bench.go(first, reads) is None
    assert bench.go(second, sleeps) is None
    assert (first.reply, second.reply) == (b"a", b"b")


def test_a_call_on_a_link_where_another_thread_listens_leaves_the_reading_to_it() -> None:
    bench = open_bench(once=True)
    party, lease = bench.lease()
    assert isinstance(lease, Share)
    listener = Party(inf, 2)
    reads = bench.go(listener, bench._listen(listener, lease))
    assert reads is bench.wire
    slot, job = bench.call("ECHO", "a")
    assert job is SLEEP
    assert bench.go(listener, reads) is reads
    assert bench.go(slot, job) is None
    bench.wire.come.append(b">2\r\n+what\r\n+came\r\n")
    assert bench.go(listener, reads) is None
    heard: Any = listener.waiter
    assert heard.result().items == ("came",)
    bench._release(lease)
    assert lease.ended
    assert party.token == DONE


def test_a_call_by_a_lease() -> None:
    bench = Bench(None, PoolSettings(max_size=1))
    party, lease = bench.lease()
    slot, job = bench.call("WATCH", "k", lease=lease)
    assert (slot.reply, job) == ("OK", None)
    bench.wire.mute = True
    bench.ahead("ECHO", "a", lease=lease)
    bench._release(lease)
    assert lease.token.token is None
    assert list(bench.crew.owing) == [bench.wire]
    assert party.token == DONE
    bench.wire.speak()
    bench._look(bench.time)
    assert not bench.crew.owing
    assert bench.lease()[1] is not lease


def test_a_call_that_is_begun_ahead_is_taken_up_later() -> None:
    bench = Bench()
    slot = bench.ahead("ECHO", "a")
    assert slot.link is None
    job = bench._take_up(slot, 1)
    assert isinstance(job, Dial)
    assert bench.go(slot, job) is None
    assert slot.reply == b"a"
    slot = bench.ahead("ECHO", "b")
    assert bench._take_up(slot, 1) is None  # its reply had come
    assert slot.token == DONE
    slot = bench.ahead("ECHO", "c")
    bench._take_in([bench.wire])
    assert slot.token == DONE
    assert bench._take_up(slot, 1) is None


def test_a_call_begun_ahead_that_has_its_link_for_itself_is_read_by_any() -> None:
    bench = open_bench(None, PoolSettings(max_size=1))
    slot = bench.ahead("ECHO", "b")
    assert bench.wire in bench.crew.common
    second, job = bench.call("ECHO", "c", thread=2)
    assert job is None
    assert (slot.reply, second.reply) == (b"b", b"c")


def test_idle_links_are_lent_at_once_and_those_that_have_something_to_say_are_read_first() -> None:
    bench = Bench(None, PoolSettings(max_size=2, max_idle=10.0))
    _, first = bench.lease()
    _, second = bench.lease()
    bench._release(first)
    bench.time += 6
    bench._release(second)
    bench.time += 5  # the first has been idle for too long
    party = Party(inf, 1)
    assert bench._acquire(party, None, None) is None
    assert party.token == DONE
    lease: Any = party.waiter
    assert lease.lease.connection is second.connection
    assert bench.closed == [first.connection.io]
    bench._release(lease.lease)
    second.connection.io.come.append(b"")
    party = Party(inf, 1)
    assert bench._acquire(party, None, None) is SLEEP  # until another link may be dialled
    assert second.connection.io in bench.closed


def test_a_link_that_has_grown_too_old_is_closed_as_another_is_lent() -> None:
    bench = Bench(None, PoolSettings(max_size=2, max_lifetime=10.0))
    _, old = bench.lease()
    bench.time += 8
    _, young = bench.lease()
    bench._release(young)
    bench._release(old)
    bench._look_at = inf
    bench.time += 3
    party = Party(inf, 1)
    assert bench._acquire(party, None, None) is None
    waiter: Any = party.waiter
    assert waiter.lease.connection is young.connection
    assert bench.closed == [old.connection.io]


# -- a thread that would wait for itself -------------------------------------------------------------------------------------------


def test_a_thread_that_reads_is_not_to_wait_for_itself() -> None:
    bench = open_bench(once=True)
    _, lease = bench.lease()
    waiting(bench, "ECHO", "a")
    inside = "already inside a call on this client"
    with pytest.raises(LocalProtocolError, match=inside):
        bench.call("ECHO", "b")
    ahead = bench.ahead("ECHO", "c")
    with pytest.raises(LocalProtocolError, match=inside):
        bench._take_up(ahead, 1)
    with pytest.raises(LocalProtocolError, match=inside):
        bench._listen(Party(inf, 1), lease)
    assert ahead.state is SlotState.ABANDONED
    assert bench.call("ECHO", "d", thread=2)[1] is SLEEP


def test_a_thread_that_dials_is_not_to_wait_for_itself() -> None:
    bench = Bench(LANES, PoolSettings())
    slot = new_slot(("ECHO", "a"))
    slot.token = 1
    assert isinstance(bench._begin(slot, None, None, 1), Dial)
    dials = "already opening a connection of this client"
    with pytest.raises(LocalProtocolError, match=dials):
        bench.call("ECHO", "b")
    with pytest.raises(LocalProtocolError, match=dials):
        bench._acquire(Party(inf, 1), None, None)
    pool = bench.machine.pool
    assert pool is not None
    assert pool.stats().waiting == 0


def test_a_call_that_has_ended_as_it_is_taken_up_waits_for_no_thread() -> None:
    parent, bench = open_bench(), Bench()
    ahead = parent.ahead("ECHO", "a")
    for link in parent.machine.links:  # there was a fork
        link.core.abort(ConnectionClosedError("it was opened before a fork"))
        link.ended = True
    dials = new_slot(("ECHO", "b"), None, 2.0)
    dials.token = 1
    assert isinstance(bench._begin(dials, None, None, 1), Dial)
    bench.time = 2.0
    bench._change(lambda machine, now: machine.handle_timeout(now))
    assert dials.token == DONE  # and its thread does not know yet
    assert bench._take_up(ahead, 2) is None
    assert (ahead.token, ahead.state) == (DONE, SlotState.LOST)


# -- how they go on --------------------------------------------------------------------------------------------------------------


def test_commands_are_left_to_a_thread_that_is_about_to_come_by() -> None:
    bench = open_bench()
    first, reads = waiting(bench, "ECHO", "a")
    second, sleeps = waiting(bench, "ECHO", "b", thread=2)
    bench.wire.speak()
    bench.wire.mute = False
    assert bench.go(first, reads) is None
    third, job = bench.call("ECHO", "c", thread=3)
    assert bench.wire.deferred
    assert job is bench.wire
    assert bench.go(second, sleeps) is None
    assert not bench.wire.deferred
    assert bench.go(third, job) is None
    assert third.reply == b"c"


def test_a_caller_that_goes_sends_what_was_left_to_it() -> None:
    bench = open_bench()
    first, _ = waiting(bench, "ECHO", "a")
    bench.wire.mute = False
    bench.wire.deferred = bench.time
    bench.wire.link.core.submit(new_slot(("ECHO", "b")))
    first.token = None
    bench._give_up(first)
    assert not bench.wire.deferred
    assert bench.wire.peer.executed[-1] == (b"ECHO", b"b")
    assert bench.wire in bench.crew.owing


def test_what_a_socket_does_not_take_is_written_by_a_thread_that_waits_for_that() -> None:
    bench = open_bench()
    first, reads = waiting(bench, "ECHO", "a")
    bench.wire.blocked = True
    second, writes = waiting(bench, "ECHO", "b", thread=2)
    assert writes == Write(bench.wire)
    bench.wire.blocked = bench.wire.mute = False
    bench.received = 0
    bench.wire.come.append(b"")
    job = bench._turn(second, writes, [bench.wire])
    assert job is SLEEP
    assert bench.received == 0
    bench.wire.come.reverse()  # first the replies
    assert bench.go(first, reads) is None
    assert bench.go(second, job) is None
    assert (first.reply, second.reply) == (b"a", b"b")


def test_a_link_that_ends_behind_a_reply_is_closed_by_the_last_one_there() -> None:
    bench = open_bench()
    slot, reads = waiting(bench, "ECHO", "a")
    other, sleeps = waiting(bench, "ECHO", "b", thread=2)
    wire = bench.wire
    wire.come.append(b"$1\r\na\r\n?")  # no RESP
    assert bench.go(slot, reads) is None
    assert slot.reply == b"a"
    assert wire in bench.closed
    assert wire not in bench.crew.posts
    assert bench.go(other, sleeps) is None
    assert other.token == DONE


def test_pushes_are_to_be_taken_before_more_is_read() -> None:
    bench = open_bench(once=True)
    slot, reads = waiting(bench, "ECHO", "a")
    bench.wire.reads = False
    bench.wire.speak()
    assert bench._turn(slot, reads, [bench.wire]) is SLEEP
    assert slot.token == 1


def test_a_call_whose_time_is_up_leaves_a_link_that_owes_its_reply() -> None:
    bench = open_bench()
    bench.wire.mute = True
    slot, reads = bench.call("ECHO", "a", deadline=3.0)
    assert reads is bench.wire
    bench.time = 2.0
    assert bench._turn(slot, reads, ()) is reads
    bench.time = 3.0
    assert bench._turn(slot, reads, ()) is None
    assert slot.state is SlotState.ABANDONED
    assert list(bench.crew.owing) == [bench.wire]


def test_a_call_whose_time_is_up_ends_alone_and_what_else_is_due_is_seen_to_by_the_next() -> None:
    bench = open_bench()
    bench.wire.mute = True
    begun = bench.ahead("ECHO", "a")
    bench.machine.limit(begun, 3.0, bench.time)
    slot, reads = bench.call("ECHO", "b", deadline=3.0)
    assert reads is bench.wire
    bench.time = 3.0
    assert bench._turn(slot, reads, ()) is None
    assert (begun.token, begun.state) == (AHEAD, SlotState.HANDED)
    assert bench.machine.next_deadline() <= bench.time
    other, reads = bench.call("ECHO", "c", deadline=9.0)
    assert reads is bench.wire
    assert bench._turn(other, reads, ()) is reads  # the time of its link had come
    assert (begun.token, begun.state) == (DONE, SlotState.ABANDONED)
    assert bench.machine.next_deadline() == 9.0
    bench.wire.speak()
    assert bench.go(other, reads) is None
    assert other.reply == b"c"


def test_late_replies_are_taken_in_where_no_thread_reads() -> None:
    bench = open_bench()
    bench.wire.mute = True
    slot, reads = bench.call("ECHO", "a", deadline=3.0)
    bench.time = 3.0
    assert reads is not None
    assert bench._turn(slot, reads, ()) is None
    bench._take_in_late()
    assert list(bench.crew.owing) == [bench.wire]  # it has not come
    bench.wire.speak()
    bench.wire.reader = Party(inf, 2)
    bench._take_in_late()
    assert list(bench.crew.owing) == [bench.wire]
    bench.wire.reader = None
    bench._take_in_late()
    assert not bench.crew.owing
    assert bench.machine.links[0].core.in_flight == 0


def test_a_call_that_blocks_ends_its_link_when_its_time_is_up() -> None:
    bench = open_bench(None, PoolSettings(max_size=1))
    wire = bench.wire
    wire.mute = True
    slot, reads = bench.call("BLPOP", "l", "0", deadline=3.0)
    assert reads is wire
    bench.time = 3.0
    assert bench._turn(slot, reads, ()) is None
    assert isinstance(slot.cause, CommandTimeoutError)
    assert bench.closed
    assert wire not in bench.crew.posts


def test_what_has_come_by_the_deadline_counts() -> None:
    bench = open_bench()
    bench.wire.mute = True
    slot, reads = bench.call("ECHO", "a", deadline=3.0)
    bench.wire.reader = None  # it was interrupted
    bench.wire.speak()
    bench.time = 3.0
    assert reads is bench.wire
    bench._see_to_time(bench.time)
    assert slot.token == DONE
    assert slot.reply == b"a"


def test_several_links_that_open_are_read_at_once() -> None:
    bench = Bench(None, PoolSettings(max_size=3))
    callers = [new_slot(("ECHO", word)) for word in "ab"]
    for slot in callers:
        slot.token = 1
        dial = bench._begin(slot, None, None, 1)
        slot.token = 2
        assert isinstance(dial, Dial)
        bench.crew.dialled(dial)
        link = bench.machine.connected(dial, bench.time)
        link.io = Wire(link)
        bench.crew.opens(link.io)
    first, second = bench.wires
    job = bench._next(callers[0], None)
    assert job == Several((first, second))
    bench._send(first)
    following = bench._turn(callers[0], job, [first])
    assert following is not None
    assert first not in bench.crew.common
    assert second in bench.crew.common
    assert bench.go(callers[0], following) is None
    assert callers[0].reply == b"a"


def test_a_caller_that_goes_from_a_link_that_ends_closes_its_socket() -> None:
    bench = open_bench()
    slot, _ = waiting(bench, "ECHO", "a")
    wire = bench.wire
    bench.crew.where = lambda _: wire  # an interrupt strikes as the link ends
    wire.link.ended = True
    slot.token = None
    bench._give_up(slot)
    assert bench.closed == [wire]


def test_one_that_waits_for_nothing_goes_as_it_came() -> None:
    bench = open_bench()
    bench._give_up(Passer(inf, 1))
    party = Party(inf, 1)
    bench._give_up(party)
    assert bench.call("ECHO", "a")[0].reply == b"a"


def test_threads_hear_of_calls_that_may_have_left_a_link() -> None:
    bench = open_bench()
    bench.settle()
    assert not bench.crew.unsettled
    bench.machine.moves += 1
    slot, _ = waiting(bench, "ECHO", "a")
    bench.crew.unsettled = False
    bench.machine.moves += 1
    assert bench._next(slot, bench.wire) is bench.wire
    assert bench.crew.unsettled


# -- what has come where no thread reads, and what is due -------------------------------------------------------------------------


def test_no_more_than_some_pieces_are_taken_in_at_once() -> None:
    bench = open_bench(once=True)
    bench.received = 0
    bench.wire.come += [b">1\r\n+push\r\n"] * (2 * PIECES)
    bench._look_at_lanes()
    assert bench.received == PIECES
    bench.wire.reader = Passer(inf, 2)  # which has the poll object
    bench.wire.poll = None  # type: ignore[assignment]
    bench._look_at_lanes()
    assert bench.received == PIECES
    bench._catch_up(bench.wire)
    bench._catch_up(bench.wire)
    assert bench.received == 2 * PIECES


def test_a_listener_finds_what_has_come_already() -> None:
    bench = open_bench(once=True)
    _, lease = bench.lease()
    bench.wire.come.append(b">1\r\n+push\r\n")
    party = Party(inf, 1)
    assert bench._listen(party, lease) is None
    assert party.token == DONE


def test_those_who_listen_to_a_client_read_its_link_of_subscriptions() -> None:
    bench = open_bench()
    subscriber = bench.machine.subscriber(None, 10, 1 << 20, "drop_oldest")
    change = bench.machine.subscribe(subscriber, ((Kind.CHANNEL, b"news"),), bench.time)
    bench._carry_out()
    party = Party(inf, 1)
    assert bench.go(party, bench._listen(party, change)) is None
    assert party.token == DONE
    first, second = Party(inf, 1), Party(inf, 2)
    wire = bench.go(first, bench._listen(first, subscriber))
    assert wire is bench.wires[-1]
    assert isinstance(wire, Wire)
    bench._give_up(first)
    wire.come.append(b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\n!\r\n")
    assert bench._listen(second, subscriber) is None  # it had come
    assert second.token == DONE


def test_those_who_come_by_look_at_what_is_due_from_time_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = open_bench()
    dial = cast("Dial", SimpleNamespace(deadline=bench.time))
    told: list[Dial] = []
    monkeypatch.setattr(Client, "dial_failed", lambda _, dial, *__: told.append(dial))
    bench.dropped.clear()
    bench.crew.wanted(dial)
    bench._look(bench.time)  # not yet: it has just looked
    assert not told
    bench._look(bench.time + LOOK)
    assert told == bench.dropped == [dial]
    assert not bench.crew.dials


def test_a_dial_whose_thread_has_gone_is_begun_anew_by_another() -> None:
    bench = Bench()
    slot = new_slot(("ECHO", "a"))
    slot.token = 1
    dial = bench._begin(slot, None, None, 1)
    assert isinstance(dial, Dial)
    other, job = bench.call("ECHO", "b", thread=2)
    assert job is SLEEP
    bench.dropped.clear()
    slot.token = None
    bench._look_around(other)
    assert bench.dropped == [dial]
    assert bench.crew.dials == [dial]
    assert bench.go(other, bench._next(other, None)) is None
    assert other.reply == b"b"


def test_one_that_waits_for_nothing_of_the_machines_has_its_time() -> None:
    bench = open_bench()
    passer = Passer(2.0, 1)
    bench._pass_time(passer, 1.5)
    assert passer.token == 1
    bench._pass_time(passer, 2.0)
    assert passer.token == DONE


def test_a_client_is_drained() -> None:
    bench = open_bench()
    slot, reads = waiting(bench, "ECHO", "a")
    slot.token = None
    bench._give_up(slot)
    party = Party(inf, 2)
    job = bench.go(party, bench._drain(party))
    assert job is reads
    bench.wire.speak()
    assert bench.go(party, job) is None
    assert party.token == DONE
    assert not bench.machine.links


# -- what the machine says ---------------------------------------------------------------------------------------------------------


def test_what_the_machine_says_is_carried_out() -> None:
    bench = open_bench()
    wire = bench.wire
    told: list[str] = []
    bench._tell(Report(lambda: told.append("report")))
    bench._tell(Leaked(cast("Lease[Link]", SimpleNamespace(report=lambda: told.append("leaked")))))
    for report in bench._reports:
        report()
    assert told == ["report", "leaked"]
    wire.come.append(b"")
    bench._tell(Look(wire.link))
    assert wire.link.ended
    assert bench.closed == [wire]
    bench._tell(wire.link)  # there is nothing to send any more
    bench._tell(Close(cast("Link", SimpleNamespace(io=None))))  # an interrupt has struck as it was made
    bench._tell(cast("Link", SimpleNamespace(io=None, ended=False)))
    assert bench.closed == [wire]


def test_a_dial_is_told_of_twice_and_made_once() -> None:
    bench = Bench()
    slot = new_slot(("ECHO", "a"))
    slot.token = AHEAD
    bench._begin(slot, None, None, 1)
    (dial,) = bench.crew.dials
    bench._tell(dial)
    assert bench.crew.dials == [dial]
    assert bench._take_up(slot, 1) is dial
    bench._tell(dial)
    assert not bench.crew.dials
    assert bench.dropped == [dial]


def test_what_is_said_while_that_is_carried_out_is_carried_out_behind_it() -> None:
    bench = open_bench()
    said: list[int] = []

    def more() -> None:
        said.append(len(said))
        bench._carry_out()  # it is being done

    class Told(Bench):
        def _tell(self, event: Any) -> None:
            if len(said) < 2:
                more()
                bench.machine._events.append(bench.wire.link)
            super()._tell(event)

    bench.__class__ = Told
    bench.machine._events.append(bench.wire.link)
    bench._carry_out()
    assert said == [0, 1]
    assert not bench.machine.untold


# -- whatever the order ------------------------------------------------------------------------------------------------------------


class Person:
    """A thread that makes one call after the other, and has to have its own replies."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.calls = 0
        self.slot: Slot | None = None
        self.job: Job | None = None

    def step(self, bench: Bench, random: Random) -> None:
        if self.slot is None:
            self.calls += 1
            words = ("ECHO", f"{self.number}.{self.calls}")
            self.slot = slot = new_slot(words, None, bench.time + random.choice([0.5, 50.0]))
            slot.token = self.number
            self.job = bench._begin(slot, None, None, self.number)
        elif isinstance(self.job, Dial):
            self.dials(bench, self.job, random)
        elif self.job is not None:
            ready = [io for io in posts_of(self.job) if cast("Wire", io).come]
            self.job = bench._turn(self.slot, self.job, ready)
        bench.settle()
        if self.job is None:
            self.ended(bench)

    def dials(self, bench: Bench, dial: Dial, random: Random) -> None:
        assert self.slot is not None
        if random.random() < 0.6:
            self.job = bench.connect(self.slot, dial)
            return
        bench.crew.dialled(dial)
        if random.random() < 0.5:  # it leaves it to another
            bench.crew.wanted(dial)
        else:
            bench.machine.dial_failed(dial, ConnectError("refused", transient=True), bench.time)
            bench._carry_out()
        self.job = bench._next(self.slot, SLEEP)

    def ended(self, bench: Bench) -> None:
        slot = self.slot
        assert slot is not None
        assert slot.token == DONE
        if slot.state is SlotState.ANSWERED:
            assert slot.reply == f"{self.number}.{self.calls}".encode()
        slot.token = None
        self.slot = None
        assert slot not in bench.crew.sleepers


@pytest.mark.parametrize("options", [(LANES, None), (ClientSettings(lanes=2), None), (None, PoolSettings(max_size=2))])
@pytest.mark.parametrize("seed", range(20))
def test_each_thread_has_its_own_replies_and_none_waits_for_ever(options: tuple[Any, Any], seed: int) -> None:
    random = Random(seed)
    bench = Bench(*options)
    people = [Person(number) for number in range(1, 5)]
    for _ in range(600):
        happens(bench, people, random)
    for _ in range(200):
        bench.time += 1.0
        for person in people:
            if person.slot is not None:
                person.step(bench, random)
    assert all(person.slot is None for person in people), "a call outlives its deadline"
    assert sum(person.calls for person in people) > 20
    assert not bench.crew.sleepers
    assert not bench.crew.dialling


def happens(bench: Bench, people: Sequence[Person], random: Random) -> None:
    """Something happens: to a thread, to a server, or to one that is interrupted."""
    wire = random.choice([*bench.wires, None])
    match random.randrange(12):
        case 0:
            bench.time += random.choice([0.01, 0.3, 2.0])
        case 1 if wire is not None:
            wire.mute = not wire.mute
            wire.speak()
        case 2 if wire is not None:
            wire.blocked = not wire.blocked
        case 3 if wire is not None and random.random() < 0.2:
            wire.come.append(b"")
        case 4 if random.random() < 0.3:
            person = random.choice(people)
            if person.slot is not None and not isinstance(person.job, Dial):
                person.slot.token = None  # it is interrupted
                bench._give_up(person.slot)
                bench.settle()
                person.slot = person.job = None
        case _:
            person = random.choice(people)
            waits = person.job is SLEEP and person.slot in bench.crew.sleepers
            if not waits or random.random() < 0.2:
                person.step(bench, random)

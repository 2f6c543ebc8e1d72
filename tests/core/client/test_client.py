"""The client machine: which link a call goes by, what it waits for, what is tried again, what is opened and closed."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from core.client.stage import LANES, LOADING, READONLY, Stage
from resp_sansio import (
    CircuitOpenError,
    ClientSettings,
    ClientStats,
    CloseReason,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    ConnectionStats,
    LocalProtocolError,
    Outcome,
    PoolFullError,
    PoolSettings,
    PoolStats,
    ReplyError,
    Retry,
)
from resp_sansio.client import Share, error_of
from resp_sansio.connection import SlotState, sending
from resp_sansio.connection.stateful import new_slot
from resp_sansio.testing import Peer

POOL = PoolSettings(max_size=2)


@pytest.fixture(autouse=True, params=[True, False], ids=["short", "long"])
def short_path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test once with the short path of a connection at rest, once without."""
    monkeypatch.setattr(sending, "SHORT_PATH", request.param)


NEVER_AGAIN = ClientSettings(retry=Retry(attempts=1))


def pool_stats(stage: Stage) -> PoolStats:
    stats = stage.client.stats()
    found = stats.leases if isinstance(stats, ClientStats) else stats
    assert isinstance(found, PoolStats)
    return found


# -- lanes -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_caller_waits_in_a_lane_if_there_is_one_alone(lanes: int) -> None:
    stage = Stage(ClientSettings(lanes=lanes), dials_at_once=False)
    slot = stage.call("GET", "a")
    assert stage.client.lane_of(slot) is stage.client.lane
    assert (stage.client.lane is None) == (lanes > 1)


def test_a_call_waits_for_its_lane_and_goes_out_when_it_opens() -> None:
    stage = Stage(dials_at_once=False)
    first, second = stage.call("GET", "a"), stage.call("GET", "b")
    assert len(stage.dials) == 1
    assert not stage.ended
    stage.connect()
    assert [stage.told(first), stage.told(second)] == [b"a", b"b"]
    assert stage.told(stage.call("GET", "c")) == b"c"
    assert stage.dialled == 1
    assert stage.client.next_deadline() == inf


def test_calls_that_were_not_sent_go_ahead_on_the_next_link_in_their_order() -> None:
    stage = Stage()
    stage.call("GET", "open")
    stage.stuck.add(stage.link)
    calls = [stage.call("GET", name) for name in "abc"]
    stage.dials_at_once = False
    stage.cut(stage.link)
    late = stage.call("GET", "late")
    stage.connect()
    assert stage.ended[-4:] == [*calls, late]
    assert [words[1] for words in stage.executed()] == [b"open", b"a", b"b", b"c", b"late"]


def test_what_may_have_run_is_not_sent_again() -> None:
    stage = Stage()
    stage.call("GET", "open")
    stage.peers[stage.link].answer = lambda words: b"" if words[0] == b"GET" else words[-1]
    stage.deaf.add(stage.link)
    write, read = stage.call("INCR", "n"), stage.call("GET", "n")
    stage.cut(stage.link)
    kind, text = stage.told(write)
    assert kind is ConnectionLostError
    assert "may have been executed" in text
    assert write.outcomes[0] is Outcome.MAYBE_EXECUTED
    assert stage.told(read) == b"n"
    assert stage.client.stats() == stage.client.stats()
    assert stage.client.retries == 1


def test_a_deadline_that_comes_while_a_call_waits_for_its_lane_names_the_reason() -> None:
    stage = Stage(dials_at_once=False)
    slot = stage.call("GET", "a", deadline=1.0)
    stage.refuse()
    stage.pass_time(0.5)  # the next dial is under way
    stage.pass_time(1.0)
    kind, text = stage.told(slot)
    assert kind is CommandTimeoutError
    assert "could not be reached in time; the last attempt failed: connection refused" in text
    assert isinstance(slot.cause, CommandTimeoutError)
    assert isinstance(slot.cause.__cause__, ConnectError)


@pytest.mark.parametrize("words", [("GET", "a"), ("BLPOP", "a", 0)])
def test_a_deadline_that_comes_while_the_first_dial_is_under_way_is_told_from_one_of_a_busy_client(
    words: tuple[Any, ...],
) -> None:
    """A queue then goes on: see `survives`."""
    stage = Stage(dials_at_once=False)
    slot = stage.call(*words, deadline=1.0)
    stage.pass_time(1.0)
    kind, text = stage.told(slot)
    assert kind is CommandTimeoutError
    assert "attempt" not in text
    assert slot.cause is not None
    reason = slot.cause.__cause__
    assert isinstance(reason, ConnectError)
    assert reason.transient
    assert str(reason) == "no connection to stage:6379 has come about"


def test_each_deadline_is_kept_however_close_they_are() -> None:
    stage = Stage(dials_at_once=False)
    waits = stage.call("GET", "a", deadline=0.5)
    dial = stage.dials.pop()
    link = stage.client.connected(dial, stage.now)
    stage.peers[link] = Peer(answer=stage.answer)
    stage.stuck.add(link)
    while link.dial is not None:  # up to the end of the handshake
        block = link.core.data_to_send()
        link.core.sent(len(block))
        for said in stage.peers[link].receive(bytes(block)):
            stage.take(stage.client.receive_data(link, said, stage.now))
    assert not stage.ended
    stage.pass_time(0.501)
    assert stage.ended == [waits]
    more = [stage.call("GET", "b", deadline=0.6 + 0.01 * number) for number in range(3)]
    for number, slot in enumerate(more):
        stage.pass_time(0.601 + 0.01 * number - stage.now)
        assert stage.ended == [waits, *more[: number + 1]], slot


def test_those_who_wait_on_after_a_dial_that_failed_keep_their_order() -> None:
    stage = Stage(ClientSettings(retry=Retry(attempts=3)), dials_at_once=False)
    waiting = [stage.acquire(), stage.call("GET", "a"), stage.acquire()]
    stage.refuse()
    lane = stage.client._lanes[0]
    assert lane.entries == waiting
    later = stage.acquire()
    assert lane.entries == [*waiting, later]


def test_one_that_waits_on_where_too_many_wait_is_told() -> None:
    retry = Retry(attempts=3)
    stage = Stage(None, PoolSettings(max_size=3, max_waiting=0, retry=retry), dials_at_once=False)
    waiters = [stage.acquire() for _ in range(3)]
    stage.client.resize(stage.now, max_size=1)
    stage.refuse()
    assert [type(waiter.error) for waiter in waiters] == [type(None), PoolFullError, PoolFullError]


def test_a_dial_that_fails_uses_up_attempts_and_then_its_reason_is_told() -> None:
    stage = Stage(ClientSettings(retry=Retry(attempts=3)), dials_at_once=True)
    stage.away = True
    slot = stage.call("GET", "a")
    stage.pass_time(10.0)
    kind, text = stage.told(slot)
    assert (kind, stage.dialled) == (ConnectError, 3)
    assert "connection refused" in text


def test_a_pause_that_would_pass_the_deadline_is_not_waited_for() -> None:
    stage = Stage(ClientSettings(retry=Retry(base=10.0, cap=10.0)))
    stage.away = True
    slot = stage.call("GET", "a", deadline=1.0)
    assert stage.now == 0.0
    assert stage.told(slot)[0] is ConnectError


def test_a_provider_that_raises_is_heard_by_all_who_wait() -> None:
    stage = Stage(dials_at_once=False)
    slot = stage.call("GET", "a")
    error = KeyError("no password today")
    stage.refuse(error)
    assert slot in stage.ended
    assert error_of(slot) is error


def test_callers_keep_to_a_lane_while_they_have_calls_under_way() -> None:
    stage = Stage(ClientSettings(lanes=2))
    stage.call("GET", "a", caller="one")
    stage.deaf.add(stage.link)
    mine = [stage.call("GET", "c", caller="one"), stage.call("GET", "d", caller="one")]
    other = stage.call("GET", "e", caller="two")
    assert stage.told(other) == b"e"
    assert {slot.link for slot in mine} == {next(iter(stage.peers))}
    stage.abandon(mine[0])
    stage.wake()
    assert stage.told(mine[1]) == b"d"
    assert not stage.client._shares._kept


@pytest.mark.parametrize("lanes", [1, 2])
def test_the_link_that_a_call_would_go_by_is_known_before(lanes: int) -> None:
    stage = Stage(ClientSettings(lanes=lanes))
    assert stage.client.idle_link("one") is None  # nothing is open
    stage.call("GET", "a", caller="one")
    link = stage.link
    if lanes == 1:
        assert stage.client.idle_link("one") is link
    stage.deaf.add(link)
    slot = stage.call("GET", "c", caller="one")
    assert slot.link is link
    assert stage.client.idle_link("one") is None  # a reply is due there
    stage.cut(link)
    assert stage.client.idle_link("one") is not link


def test_a_pool_has_no_lanes_to_look_at() -> None:
    assert Stage(None, PoolSettings()).client.idle_link() is None


def test_a_client_of_one_connection_sends_all_by_its_lane() -> None:
    stage = Stage(ClientSettings(max_connections=1))
    assert stage.told(stage.call("BLPOP", "list", 0)) == b"0"
    with pytest.raises(LocalProtocolError, match="changes"):
        stage.call("SELECT", "1")
    lease = stage.lease()
    assert isinstance(lease, Share)
    assert stage.told(stage.call("WATCH", "k", lease=lease)) == "OK"
    stage.release(lease)
    with pytest.raises(ConnectionClosedError, match="given back"):
        stage.call("GET", "k", lease=lease)


# -- retries -----------------------------------------------------------------------------------------------------------------


def test_a_server_that_loads_its_data_is_asked_again() -> None:
    stage = Stage()
    replies: list[Any] = [LOADING, LOADING, 7]
    stage.answer = lambda _: replies.pop(0)
    slot = stage.call("INCR", "n")
    assert not stage.ended
    stage.pass_time(1.0)
    assert stage.told(slot) == 7
    assert stage.dialled == 1


def test_a_call_is_tried_again_behind_its_pause_and_not_before() -> None:
    stage = Stage(ClientSettings(retry=Retry(attempts=2, base=1.0, cap=1.0)))
    stage.call("GET", "k")
    stage.answer = lambda _: LOADING
    stage.peers[stage.link].answer = stage.answer
    before = len(stage.executed())
    slot = stage.call("INCR", "n")
    paused = stage.client.next_deadline() - stage.now
    assert 0.0 < paused <= 1.0
    stage.pass_time(paused * 0.9)
    assert len(stage.executed()) == before + 1
    stage.pass_time(paused * 0.2)
    assert len(stage.executed()) == before + 2
    assert stage.told(slot) == LOADING


def test_one_that_goes_on_loading_is_told_as_it_says() -> None:
    stage = Stage(ClientSettings(retry=Retry(attempts=3)))
    stage.answer = lambda _: LOADING
    slot = stage.call("INCR", "n")
    stage.pass_time(10.0)
    assert stage.told(slot) == LOADING
    assert len(stage.executed()) == 3


@pytest.mark.parametrize("pool", [None, POOL])
def test_a_call_that_pauses_can_be_abandoned(pool: PoolSettings | None) -> None:
    stage = Stage(None if pool else LANES, pool)
    stage.answer = lambda _: LOADING
    slot = stage.call("INCR", "n")
    stage.abandon(slot)
    stage.pass_time(10.0)
    assert not stage.ended
    assert slot.state is SlotState.WITHDRAWN
    assert slot.outcomes == (Outcome.NOT_SENT,)
    assert len(stage.executed()) == 1


def test_a_replica_is_left_once_for_all_that_hear_of_it() -> None:
    stage = Stage(LANES, POOL)
    stage.lease()  # out while it happens
    stage.call("GET", "a")
    first = stage.link
    stage.deaf.add(first)
    stage.answer = lambda words: READONLY if words[0] == b"SET" else words[-1]
    stage.peers[first].answer = stage.answer
    writes = [stage.call("SET", "k", "v") for _ in range(20)]
    dialled = stage.dialled
    stage.answer = lambda words: words[-1]
    stage.wake()
    stage.pass_time(5.0)
    assert {stage.told(slot) for slot in writes} == {b"v"}
    assert stage.dialled == dialled + 1


def test_a_replica_is_left_by_links_that_were_opened_behind_a_retirement_too() -> None:
    """Found by simulation: the links of callers that come after `retire()` lead to the same server."""
    stage = Stage(LANES, POOL)
    old = stage.lease()
    stage.client.retire(stage.now)
    stage.call("GET", "a")
    new = stage.link
    stage.peers[old.connection].answer = lambda _: READONLY
    assert stage.told(stage.call("SET", "k", "v", lease=old)) == READONLY
    assert new in stage.closed
    stage.call("GET", "a")
    stage.pass_time(5.0)
    newer = stage.link
    assert newer is not new
    stage.call("SET", "k", "v", lease=old)
    assert newer not in stage.closed


def test_scripts_that_go_on_speaking_of_a_replica_make_no_storm() -> None:
    """Their words may be their own, so nothing but the pace can bound what they cost."""
    stage = Stage()
    stage.answer = lambda words: READONLY if words[0] == b"EVAL" else words[-1]
    for _ in range(500):
        stage.call("EVAL", "return redis.error_reply('READONLY no')", "0")
        stage.call("GET", "a")
        stage.pass_time(0.01)
    assert stage.dialled < 30


# -- leases ------------------------------------------------------------------------------------------------------------------


def test_what_blocks_gets_a_link_of_its_own() -> None:
    stage = Stage(LANES, POOL)
    stage.call("GET", "a")
    lane = stage.link
    stage.call("BLPOP", "list", 0)
    assert stage.link is not lane
    stats = stage.client.stats()
    assert isinstance(stats, ClientStats)
    assert (pool_stats(stage).idle, stats.lanes[0].created) == (1, 1)


def test_a_pool_serves_first_come_first_served() -> None:
    stage = Stage(None, PoolSettings(max_size=1))
    stage.call("GET", "open")
    stage.deaf.add(stage.link)
    calls = [stage.call("GET", name) for name in "abcd"]
    stage.abandon(calls[2])
    stage.wake()
    assert stage.ended[1:] == [calls[0], calls[1], calls[3]]
    assert (stage.dialled, pool_stats(stage).most_size) == (1, 1)


def test_who_waits_too_long_for_a_lease_is_refused_with_the_reason_of_the_last_dial() -> None:
    stage = Stage(None, POOL, dials_at_once=False)
    call, waiter = stage.call("GET", "a", deadline=1.0), stage.acquire(deadline=1.0)
    stage.refuse()
    stage.pass_time(2.0)
    assert stage.told(call)[0] is CommandTimeoutError
    assert waiter.state is SlotState.LOST
    with pytest.raises(CommandTimeoutError) as caught:
        waiter.result()
    for error in (call.cause, caught.value):
        assert "connection refused" in str(error)
        assert error is not None
        assert isinstance(error.__cause__, ConnectError)
    assert pool_stats(stage).withdrawn == 0


def test_a_handle_is_of_no_use_once_it_was_given_back() -> None:
    stage = Stage(None, POOL)
    lease = stage.lease()
    assert stage.told(stage.call("SELECT", "1", lease=lease)) == "OK"
    stage.release(lease)
    with pytest.raises(ConnectionClosedError, match="given back"):
        stage.call("GET", "a", lease=lease)
    assert pool_stats(stage).closed[CloseReason.BROKEN] == 1


def test_a_link_that_its_caller_still_listens_on_is_not_lent_again() -> None:
    stage = Stage(None, POOL)
    lease = stage.lease()
    listener = stage.listen(lease)
    stage.release(lease)
    assert pool_stats(stage).closed[CloseReason.BROKEN] == 1
    assert stage.heard == [listener]
    with pytest.raises(ConnectionLostError, match="^next_push: "):
        listener.result()


def test_a_link_on_which_its_caller_has_left_pushes_is_not_lent_again() -> None:
    stage = Stage(None, POOL)
    lease = stage.lease()
    stage.call("SUBSCRIBE", "news", lease=lease)
    stage.say(stage.link, b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n")
    stage.call("UNSUBSCRIBE", "news", lease=lease)
    stage.release(lease)
    assert pool_stats(stage).closed[CloseReason.BROKEN] == 1


def test_a_watch_that_was_left_behind_is_ended() -> None:
    stage = Stage(None, POOL)
    lease = stage.lease()
    epoch = lease.connection.core.watch_epoch
    stage.call("WATCH", "k", lease=lease)
    stage.release(lease)
    assert [answer.words for answer in stage.peers[stage.link].received][-1] == (b"UNWATCH",)
    assert len(stage.ended) == 1
    again = stage.lease()
    stage.call("WATCH", "k", lease=again)
    stage.batch(("MULTI",), ("INCR", "k"), ("EXEC",), lease=again, epoch=again.connection.core.watch_epoch)
    assert epoch < again.connection.core.watch_epoch


@pytest.mark.parametrize("lent", [False, True])
def test_a_watch_that_the_server_does_not_end_ends_with_its_link(lent: bool) -> None:
    stage = Stage(None, POOL)
    stage.refused["UNWATCH"] = ReplyError("NOPERM no")
    lease = stage.lease()
    stage.call("WATCH", "k", lease=lease)
    stage.deaf.add(stage.link)
    stage.release(lease)
    again = stage.lease() if lent else None
    stage.wake()
    if again is not None:  # before the answer was there
        assert again.connection is lease.connection
        stage.release(again)
    assert stage.lease().connection is not lease.connection
    assert pool_stats(stage).closed[CloseReason.BROKEN] == 1


def test_calls_on_a_link_of_ones_own_end_with_it() -> None:
    stage = Stage(None, POOL)
    lease = stage.lease()
    stage.deaf.add(lease.connection)
    slot = stage.call("GET", "a", lease=lease)
    stage.cut(lease.connection)
    assert stage.told(slot)[0] is ConnectionLostError
    stage.release(lease)
    assert pool_stats(stage).closed[CloseReason.LOST] == 1


def test_a_link_that_had_ended_before_anything_was_sent_costs_no_attempt() -> None:
    stage = Stage(None, PoolSettings(max_size=1, retry=Retry(attempts=1)))
    stage.call("GET", "a")
    stage.stuck.add(stage.link)
    slot = stage.call("INCR", "n")
    stage.cut(stage.link)
    stage.pass_time(1.0)
    assert stage.told(slot) == b"n"


def test_acquire_waits_until_what_the_link_has_to_say_was_read() -> None:
    stage = Stage(None, POOL)
    stage.release(stage.lease())
    stage.looks_at_once = False
    waiter = stage.acquire()
    link = stage.looks.pop()
    assert waiter.lease is None
    stage.cut(link)  # its server had closed it long ago
    stage.client.looked(link, stage.now)
    stage.run()
    stage.pass_time(1.0)
    assert waiter.lease is not None
    assert waiter.lease.connection is not link
    stage.client.looked(link, stage.now)  # no caller waits for that any more


def test_acquire_is_tried_again_when_no_connection_came_about() -> None:
    stage = Stage(None, POOL, dials_at_once=False)
    waiter = stage.acquire()
    stage.refuse()
    stage.pass_time(1.0)
    stage.connect()
    assert waiter.lease is not None


def test_acquire_is_refused_when_trying_again_is_of_no_use() -> None:
    stage = Stage(None, PoolSettings(retry=Retry(attempts=2)), dials_at_once=False)
    waiter, other = stage.acquire(), stage.acquire()
    stage.refuse(ConnectError("wrong password", transient=False))
    assert str(waiter.error) == "wrong password"
    assert isinstance(other.error, ConnectError)
    once_more = stage.acquire()
    stage.pass_time(1.0)
    stage.refuse()
    stage.pass_time(1.0)
    stage.refuse()
    assert str(once_more.error) == "connection refused; 2 attempts were made"


def test_waiters_of_a_lane_are_told_and_time_out_like_others() -> None:
    stage = Stage(NEVER_AGAIN, dials_at_once=False)
    told, late, gone = stage.acquire(), stage.acquire(deadline=3.0), stage.acquire()
    stage.client.withdraw(gone, stage.now)
    stage.refuse()
    assert isinstance(told.error, ConnectError)
    assert isinstance(late.error, ConnectError)
    later = stage.acquire(deadline=3.0)
    stage.pass_time(4.0)
    assert isinstance(later.error, CommandTimeoutError)
    assert gone not in stage.woken


def test_what_a_waiter_was_handed_goes_back_when_it_has_gone() -> None:
    stage = Stage(None, POOL, dials_at_once=False)
    waiting = stage.acquire()
    stage.client.withdraw(waiting, stage.now)
    stage.connect()
    stage.release(stage.lease())
    stage.looks_at_once = False
    held = stage.acquire()
    assert stage.looks
    stage.client.withdraw(held, stage.now)
    stage.client.looked(stage.looks.pop(), stage.now)
    stage.looks_at_once = True
    granted = stage.acquire()
    assert granted.lease is not None
    stage.client.withdraw(granted, stage.now)
    stage.client.withdraw(granted, stage.now)
    assert (pool_stats(stage).leased, pool_stats(stage).idle) == (0, 1)


def test_no_more_wait_than_may() -> None:
    stage = Stage(None, PoolSettings(max_size=1, max_waiting=0))
    stage.lease()
    with pytest.raises(PoolFullError):
        stage.call("GET", "a")
    with pytest.raises(PoolFullError):
        stage.acquire()


# -- checks before use ---------------------------------------------------------------------------------------------------------


def test_a_lease_answers_a_ping_before_its_caller_has_it() -> None:
    stage = Stage(None, PoolSettings(pre_ping=True))
    assert stage.told(stage.call("GET", "a")) == b"a"
    assert isinstance(stage.lease(), object)
    names = [answer.words[0] for answer in stage.peers[stage.link].received]
    assert names[-3:] == [b"PING", b"GET", b"PING"]


def test_one_that_does_not_answer_is_replaced() -> None:
    stage = Stage(None, PoolSettings(max_size=1, pre_ping=True), connect_timeout=1.0)
    stage.call("GET", "a")
    stage.deaf.add(stage.link)
    slot = stage.call("GET", "b")
    stage.pass_time(2.0)
    assert stage.told(slot) == b"b"
    stage.deaf.add(stage.link)
    waiter = stage.acquire()
    stage.pass_time(2.0)
    assert waiter.lease is not None
    assert pool_stats(stage).closed[CloseReason.FAILED_CHECK] == 2


@pytest.mark.parametrize("wants", ["call", "lease"])
def test_a_check_that_outlasts_its_caller_costs_no_link(wants: str) -> None:
    stage = Stage(None, PoolSettings(max_size=3, pre_ping=True))
    leases = [stage.lease() for _ in range(3)]
    for lease in leases:
        stage.release(lease)
    stage.deaf.update(stage.peers)
    told: type[Exception]
    if wants == "call":
        slot = stage.call("GET", "a", deadline=0.05)
        stage.pass_time(0.1)
        told = stage.told(slot)[0]
    else:
        waiter = stage.acquire(deadline=0.05)
        stage.pass_time(0.1)
        told = type(waiter.error)  # type: ignore[assignment]
    assert told is CommandTimeoutError
    assert (pool_stats(stage).size, pool_stats(stage).leased) == (3, 0)
    assert pool_stats(stage).closed[CloseReason.FAILED_CHECK] == 0


def test_a_caller_may_go_while_its_lease_is_checked() -> None:
    stage = Stage(None, PoolSettings(max_size=1, pre_ping=True))
    stage.call("GET", "a")
    stage.deaf.add(stage.link)
    slot = stage.call("GET", "b")
    stage.abandon(slot)
    waiter = stage.acquire()
    stage.client.withdraw(waiter, stage.now)
    stage.run()
    assert (pool_stats(stage).leased, pool_stats(stage).waiting) == (0, 0)
    assert stage.ended[1:] == []


def test_a_link_that_ends_while_it_is_checked_is_replaced() -> None:
    stage = Stage(None, PoolSettings(max_size=1, pre_ping=True))
    stage.call("GET", "a")
    stage.deaf.add(stage.link)
    slot = stage.call("GET", "b")
    stage.cut(stage.link)
    stage.pass_time(1.0)
    assert stage.told(slot) == b"b"


@pytest.mark.parametrize("wants", ["call", "lease"])
def test_a_link_that_ends_with_its_answer_to_a_check_is_replaced(wants: str) -> None:
    stage = Stage(None, PoolSettings(max_size=1, pre_ping=True))
    stage.call("GET", "a")
    link = stage.link
    stage.deaf.add(link)
    waiter = stage.acquire() if wants == "lease" else None
    slot = stage.call("GET", "b") if wants == "call" else None
    stage.say(link, b"+PONG\r\n+a reply too many\r\n")
    stage.pass_time(1.0)
    assert link.ended
    if slot is not None:
        assert stage.told(slot) == b"b"
    if waiter is not None:
        assert waiter.lease is not None
        assert waiter.lease.connection is not link


# -- the pace of dials ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["client", "pool"])
def test_however_many_wait_one_dial_at_a_time_is_tried_while_they_fail(kind: str) -> None:
    stage = Stage(LANES if kind == "client" else None, None if kind == "client" else PoolSettings(max_size=50))
    stage.away = True
    slots = [stage.call("GET", "a", deadline=5.0) for _ in range(300)]
    stage.pass_time(5.0)
    assert all(slot in stage.ended for slot in slots)
    assert stage.dialled <= 25


def test_connections_that_end_at_once_are_not_dialled_without_a_pause() -> None:
    stage = Stage(None, PoolSettings(min_size=1))
    stage.client.open(stage.now)
    stage.run()
    for _ in range(200):
        if not stage.link.ended:
            stage.cut(stage.link)
        stage.pass_time(0.01)
    assert stage.dialled < 20


def test_a_dial_that_was_given_up_is_followed_by_another_after_a_pause() -> None:
    stage = Stage(dials_at_once=False)
    slot = stage.call("GET", "a")
    stage.give_up()
    assert not stage.dials
    stage.pass_time(0.1)
    stage.connect()
    assert stage.told(slot) == b"a"


def test_a_breaker_tells_at_once() -> None:
    pool = PoolSettings(breaker_failures=2, breaker_seconds=5.0, retry=Retry(attempts=1))
    stage = Stage(NEVER_AGAIN, pool, dials_at_once=False)
    for _ in range(2):
        stage.call("GET", "a")
        stage.pass_time(1.0)
        stage.refuse()
    assert stage.told(stage.call("GET", "b"))[0] is CircuitOpenError
    assert isinstance(stage.acquire().error, CircuitOpenError)
    assert stage.told(stage.call("BLPOP", "list", 0))[0] is CircuitOpenError
    stage.pass_time(5.0)
    slot = stage.call("GET", "c")
    stage.give_up()  # the one that was let through
    stage.pass_time(1.0)
    stage.connect()
    assert stage.told(slot) == b"c"


def test_a_refused_handshake_fails_the_dial_with_its_reason() -> None:
    stage = Stage(NEVER_AGAIN, username="user", password="wrong", dials_at_once=False)
    slot = stage.call("GET", "a")
    dial = stage.dials[0]
    link = stage.client.connected(dial, stage.now)
    stage.say(link, b"-WRONGPASS invalid username-password pair\r\n" + b"-NOAUTH Authentication required.\r\n" * 2)
    kind, text = stage.told(slot)
    assert kind is ConnectError
    assert "cannot open a connection to stage" in text
    assert "wrong" not in text.split("WRONGPASS")[0].split("user name or password")[0][-10:]
    assert stage.closed == [link]


# -- the client as a whole -------------------------------------------------------------------------------------------------------


def test_retire_lets_all_links_go_when_their_calls_are_answered() -> None:
    stage = Stage(LANES, POOL)
    stage.call("GET", "a")
    lane = stage.link
    stage.deaf.add(lane)
    under_way = stage.call("GET", "b")
    lease = stage.lease()
    stage.client.retire(stage.now)
    stage.run()
    assert lane not in stage.closed
    stage.wake()
    assert stage.told(under_way) == b"b"
    assert lane in stage.closed
    stage.release(lease)
    assert pool_stats(stage).closed[CloseReason.RETIRED] == 1
    assert stage.told(stage.call("GET", "c")) == b"c"


def test_a_link_that_was_being_opened_when_all_were_retired_serves_those_who_waited_for_it() -> None:
    stage = Stage(dials_at_once=False)
    slot = stage.call("GET", "a")
    stage.client.retire(stage.now)
    link = stage.connect()
    assert stage.told(slot) == b"a"
    assert link in stage.closed


def test_a_borrower_is_not_lent_what_was_retired_while_it_opened() -> None:
    stage = Stage(dials_at_once=False)
    slot, waiter = stage.call("GET", "a"), stage.acquire()
    stage.client.retire(stage.now)
    first = stage.connect()
    assert (stage.told(slot), waiter.lease) == (b"a", None)
    second = stage.connect()
    assert waiter.lease is not None
    assert waiter.lease.connection is second
    assert stage.closed == [first]


def test_a_pool_can_be_resized() -> None:
    stage = Stage(None, POOL)
    leases = [stage.lease(), stage.lease()]
    stage.client.resize(stage.now, max_size=1)
    for lease in leases:
        stage.release(lease)
    assert pool_stats(stage).closed[CloseReason.SURPLUS] == 1


@pytest.mark.parametrize("kind", ["client", "pool", "both"])
def test_draining_answers_what_is_under_way(kind: str) -> None:
    stage = Stage(None if kind == "pool" else LANES, None if kind == "client" else POOL)
    stage.call("GET", "a")
    stage.deaf.add(stage.link)
    slot = stage.call("GET", "b")
    stage.client.drain(stage.now)
    stage.run()
    assert not stage.drained
    with pytest.raises(ConnectionClosedError):
        stage.call("GET", "c")
    with pytest.raises(ConnectionClosedError):
        stage.acquire()
    stage.wake()
    assert stage.told(slot) == b"b"
    assert stage.drained
    assert not stage.client.links


def test_draining_serves_a_waiter_whose_dial_is_under_way() -> None:
    stage = Stage(None, PoolSettings(max_size=1), dials_at_once=False)
    waiter, slot = stage.acquire(), stage.call("GET", "a")
    stage.client.drain(stage.now)
    stage.run()
    stage.connect()
    assert waiter.lease is not None
    stage.release(waiter.lease)
    assert stage.told(slot) == b"a"
    assert stage.drained


def test_draining_dials_again_after_a_dial_that_was_given_up() -> None:
    stage = Stage(None, PoolSettings(max_size=1), dials_at_once=False)
    slot = stage.call("GET", "a")
    stage.client.drain(stage.now)
    stage.run()
    stage.give_up()
    stage.pass_time(1.0)
    stage.connect()
    assert stage.told(slot) == b"a"
    assert stage.drained


def test_draining_ends_behind_a_waiter_that_is_refused_at_its_deadline() -> None:
    stage = Stage(None, PoolSettings(max_size=1), dials_at_once=False)
    waiter = stage.acquire(deadline=0.001)
    stage.client.drain(stage.now)
    stage.run()
    stage.give_up()
    stage.pass_time(1.0)
    assert waiter.error is not None
    assert stage.drained


@pytest.mark.parametrize("connected", [False, True])
def test_draining_lets_go_of_a_lane_that_is_being_opened(connected: bool) -> None:
    stage = Stage(dials_at_once=False)
    slot = stage.call("GET", "a")
    if connected:
        dial = stage.dials[0]
        link = stage.client.connected(dial, stage.now)
        stage.client.drain(stage.now)
        stage.run()
        assert link.ended
    else:
        stage.client.drain(stage.now)
        stage.run()
        assert stage.connect().ended
    assert "the client was closed" in stage.told(slot)[1]
    assert stage.drained
    assert not stage.client.links
    with pytest.raises(ConnectionClosedError):
        stage.call("GET", "b")


def test_closing_ends_everything_at_once() -> None:
    stage = Stage(LANES, POOL, dials_at_once=False)
    waiting, waiter = stage.call("GET", "a"), stage.acquire()
    stage.client.close(stage.now)
    stage.run()
    assert stage.told(waiting) == (
        ConnectionLostError,
        "GET: the client was closed; the server cannot have executed it",
    )
    assert isinstance(waiter.error, ConnectionClosedError)
    opened = [stage.client.connected(dial, stage.now) for dial in stage.dials]
    stage.run()
    assert stage.closed == opened
    stage.client.close(stage.now)
    assert stage.client.next_deadline() == inf


def test_closing_ends_calls_that_pause_and_those_under_way() -> None:
    stage = Stage()
    stage.answer = lambda words: LOADING if words[0] == b"INCR" else words[-1]
    pausing = stage.call("INCR", "n")
    stage.deaf.add(stage.link)
    under_way = stage.call("GET", "a")
    stage.client.close(stage.now, "the program ends")
    stage.run()
    assert "the program ends" in stage.told(pausing)[1]
    assert "the program ends" in stage.told(under_way)[1]
    with pytest.raises(ConnectionClosedError, match="the program ends"):
        stage.call("GET", "b")


def test_a_retry_that_comes_after_closing_is_the_end() -> None:
    stage = Stage(None, POOL)
    stage.answer = lambda _: LOADING
    slot = stage.call("INCR", "n")
    stage.client.drain(stage.now)
    stage.run()
    assert stage.told(slot)[0] is ConnectionLostError


# -- one connection --------------------------------------------------------------------------------------------------------------


def test_connect_opens_one_link_and_ends_with_it() -> None:
    stage = Stage(None, once=True)
    assert stage.client.stats() == ConnectionStats(**vars(stage.client.stats()))
    lease = stage.lease()
    assert stage.told(stage.call("GET", "a", lease=lease)) == b"a"
    assert stage.told(stage.call("GET", "a")) == b"a"
    assert isinstance(stage.client.stats(), ConnectionStats)
    stage.cut(stage.link)
    assert stage.dialled == 1
    with pytest.raises(ConnectionClosedError, match="the connection to stage:6379 has ended"):
        stage.call("GET", "b")


def test_connect_is_tried_once() -> None:
    stage = Stage(None, once=True, dials_at_once=False)
    waiter = stage.acquire()
    stage.refuse()
    assert str(waiter.error) == "connection refused"
    assert stage.dialled == 1


def test_one_connection_is_not_left_for_another_server() -> None:
    stage = Stage(None, once=True)
    lease = stage.lease()
    stage.answer = lambda _: READONLY
    stage.peers[stage.link].answer = stage.answer
    assert stage.told(stage.call("SET", "k", "v", lease=lease)) == READONLY
    assert stage.told(stage.call("SET", "k", "v")) == READONLY
    assert not stage.closed


# -- links -----------------------------------------------------------------------------------------------------------------------


def test_a_link_that_is_silent_while_it_owes_a_reply_is_left() -> None:
    stage = Stage(silence_timeout=2.0)
    stage.call("GET", "a")
    stage.deaf.add(stage.link)
    slot = stage.call("GET", "b")
    stage.pass_time(5.0)
    assert stage.told(slot) == b"b"
    assert stage.dialled == 2


def test_a_quiet_link_is_asked_whether_it_is_there() -> None:
    stage = Stage(ping_interval=2.0)
    stage.call("GET", "a")
    stage.pass_time(9.0)
    names = [answer.words[0] for answer in stage.peers[stage.link].received]
    assert names[-2:] == [b"PING", b"PING"]


def test_what_ends_a_link() -> None:
    stage = Stage()
    for end in ("send_failed", "abort", "reading failed"):
        stage.call("GET", "a")
        match end:
            case "send_failed":
                stage.client.send_failed(stage.link, BrokenPipeError("broken pipe"), stage.now)
            case "abort":
                stage.client.abort(stage.link, None, stage.now, uncertain=True)
            case _:
                stage.client.receive_eof(stage.link, stage.now, ConnectionResetError(104, "reset by peer"))
        stage.run()
    assert stage.told(stage.call("GET", "b")) == b"b"
    assert len(stage.closed) == 3


def test_a_dial_whose_tls_is_refused_is_not_tried_again() -> None:
    stage = Stage(dials_at_once=False)
    slot = stage.call("GET", "a")
    link = stage.client.connected(stage.dials.pop(), stage.now)
    stage.client.receive_eof(link, stage.now, PermissionError(13, "no"))
    stage.run()
    assert stage.told(slot)[0] is ConnectError
    assert not stage.dials


def test_leaks_are_told() -> None:
    stage = Stage(None, PoolSettings(leak_after=1.0))
    lease = stage.lease(borrower="here")
    stage.pass_time(2.0)
    assert stage.leaked == [lease]


def test_what_is_shown() -> None:
    stage = Stage(LANES, POOL)
    stage.call("GET", "a")
    lane = stage.client._lanes[0]
    waiter = stage.acquire()
    shown = [repr(thing) for thing in (stage.client, lane, stage.link, waiter, waiter.lease, stage.client._pace)]
    assert all("0x" not in text for text in shown)
    assert (stage.client.kind, stage.client.several_lanes, stage.client.pool is not None) == ("client", False, True)
    assert lane.load == 0
    stage.dials_at_once = False
    slot = stage.call("BLPOP", "list", 0)
    assert repr(slot.call) == "<Call waiting>"
    assert repr(stage.dials[0]) == "<Dial for a lease until 5.0>"


def test_an_end_is_told_once() -> None:
    stage = Stage()
    stage.call("GET", "a")
    link = stage.link
    stage.cut(link)
    stage.cut(link)
    assert stage.closed == [link]


def test_waiting_too_long_for_a_busy_pool_has_no_other_reason() -> None:
    stage = Stage(None, PoolSettings(max_size=1))
    stage.lease()
    waiter = stage.acquire(deadline=1.0)
    stage.pass_time(1.0)
    assert str(waiter.error).startswith("no connection to stage:6379 became free in time [1 connections, 0 idle")
    assert waiter.error is not None
    assert waiter.error.__cause__ is None


# -- moments that meet -------------------------------------------------------------------------------------------------------------


def test_a_reply_and_a_deadline_on_a_link_are_told_apart() -> None:
    stage = Stage()
    stage.call("GET", "open")
    stage.deaf.add(stage.link)
    late, later = stage.call("GET", "a", deadline=2.0), stage.call("GET", "b", deadline=1.0)
    stage.pass_time(1.0)
    assert stage.told(later)[0] is CommandTimeoutError
    stage.wake()
    assert stage.told(late) == b"a"


def test_a_dial_timer_that_another_end_has_moved() -> None:
    """A link without use ends just when the next dial was due: the pace begins anew."""
    retry = Retry(base=2.0, cap=2.0)
    stage = Stage(ClientSettings(retry=retry), PoolSettings(retry=retry), silence_timeout=2.0, dials_at_once=False)
    waiter = stage.acquire()
    stage.connect()
    lease = waiter.lease
    assert lease is not None
    stage.deaf.add(lease.connection)
    mine = stage.call("GET", "a", lease=lease)
    stage.pass_time(2.0)
    slot = stage.call("GET", "b")
    stage.give_up()
    stage.pass_time(2.0)
    assert stage.told(mine)[0] is ConnectionLostError
    assert not stage.dials
    stage.pass_time(2.0)
    stage.connect()
    assert stage.told(slot) == b"b"


def test_abandoning_is_harmless_at_any_time() -> None:
    stage = Stage(LANES, PoolSettings(max_size=1), dials_at_once=False)
    waiting, queued = stage.call("GET", "a"), stage.call("BLPOP", "list", 0)
    stage.abandon(waiting)
    stage.abandon(queued)
    stage.abandon(queued)
    assert not stage.ended
    stage.connect()
    stage.connect()
    answered = stage.call("GET", "b")
    stage.abandon(answered)
    assert stage.told(answered) == b"b"
    stage.deaf.add(stage.client._lanes[0].link)  # type: ignore[arg-type]
    handed = stage.call("GET", "c")
    stage.abandon(handed)
    assert handed.outcomes == (Outcome.MAYBE_EXECUTED,)


def test_an_attempt_whose_turn_comes_after_the_end_tells_of_the_end() -> None:
    stage = Stage(None, PoolSettings(max_size=1, pre_ping=True))
    stage.call("GET", "a")
    stage.stuck.add(stage.link)
    slot = stage.call("GET", "b")
    stage.client.drain(stage.now)
    stage.cut(stage.link)
    assert "the pool was closed" in stage.told(slot)[1]


def test_waiters_of_a_lane_are_tried_again_and_end_with_the_client() -> None:
    stage = Stage(dials_at_once=False)
    waiter = stage.acquire()
    stage.refuse()
    assert waiter.error is None
    stage.client.close(stage.now)
    stage.run()
    assert isinstance(waiter.error, ConnectionClosedError)


def test_what_came_with_a_lease_does_not_disturb_the_events_before_it() -> None:
    """`receive_data` returns all there is, in order."""
    stage = Stage()
    stage.call("GET", "open")
    stage.deaf.add(stage.link)
    slot = stage.call("GET", "a")
    stage.client._events.append(stage.link)
    assert stage.client.receive_data(stage.link, b"$1\r\na\r\n", stage.now) == [stage.link, slot]


def test_a_link_is_trusted_once_it_was_of_use_for_a_while() -> None:
    stage = Stage(dials_at_once=False)
    slot = stage.call("GET", "a")
    stage.refuse()
    stage.pass_time(1.0)
    link = stage.connect()
    assert stage.told(slot) == b"a"
    assert (link.of_use, link.trusted) == (True, False)
    stage.pass_time(1.0)
    stage.call("GET", "b")
    assert link.trusted
    assert stage.client._pace.failures == 0


def test_lanes_without_a_link_when_a_client_is_drained() -> None:
    stage = Stage(ClientSettings(lanes=2))
    stage.call("GET", "a", caller="one")
    stage.client.drain(stage.now)
    stage.run()
    assert stage.drained


def test_a_lease_that_is_over_ends_no_watch_of_the_next_borrower() -> None:
    stage = Stage(None, PoolSettings(max_size=1))
    first = stage.lease()
    stage.release(first)
    second = stage.lease()
    stage.call("WATCH", "k", lease=second)
    epoch = stage.link.core.watch_epoch
    stage.release(first)
    assert stage.link.core.watching
    assert stage.link.core.watch_epoch == epoch


def test_each_waiter_gets_an_error_of_its_own() -> None:
    stage = Stage(dials_at_once=False)
    waiters = [stage.acquire() for _ in range(2)]
    stage.refuse(ConnectError("no", transient=False))
    one, other = [waiter.error for waiter in waiters]
    assert (str(one), type(one)) == (str(other), type(other))
    assert one is not other
    assert one is not None
    assert isinstance(one.__cause__, ConnectionRefusedError)


def test_a_provider_s_error_is_told_as_it_is() -> None:
    stage = Stage(dials_at_once=False)
    waiter, error = stage.acquire(), KeyError("provider")
    stage.refuse(error)
    assert waiter.error is error


def test_min_size_is_dialled_for_once_the_breaker_allows_it() -> None:
    stage = Stage(None, PoolSettings(max_size=2, min_size=1, breaker_failures=2, breaker_seconds=5.0))
    stage.away = True
    stage.client.open(stage.now)
    stage.run()
    stage.pass_time(4.0)
    assert stage.dialled == 2
    stage.away = False
    stage.pass_time(4.0)
    assert stage.dialled == 3
    assert pool_stats(stage).size == 1


def test_a_single_connection_keeps_its_counts_when_it_has_ended() -> None:
    stage = Stage(None, once=True)
    stage.call("GET", "a", lease=stage.lease())
    stage.cut(stage.link)
    stats = stage.client.stats()
    assert isinstance(stats, ConnectionStats)
    assert (stats.sent, stats.answered) == (1, 1)


def test_a_proxy_that_hangs_up_on_a_full_handshake_gets_a_plain_one_at_once() -> None:
    stage = Stage(dials_at_once=False)
    slot = stage.call("GET", "a")
    full = stage.client.connected(stage.dials[0], stage.now)
    assert b"HELLO" in full.core.data_to_send()
    stage.client.receive_eof(full, stage.now)
    stage.run()
    assert stage.dials == [stage.dials[0]] * 2  # the same dial again, with what is left of its time
    stage.dials.pop()
    plain = stage.connect()
    assert stage.told(slot) == b"a"
    assert plain.core.protocol == 2


def test_a_client_that_is_closed_while_it_opens_dials_no_more() -> None:
    stage = Stage(dials_at_once=False)
    stage.call("GET", "a")
    link = stage.client.connected(stage.dials.pop(), stage.now)
    stage.client.close(stage.now)
    stage.run()
    assert stage.closed == [link]
    assert not stage.dials


def test_a_provider_that_raises_is_heard_by_those_who_wait_for_a_lease() -> None:
    stage = Stage(None, POOL, dials_at_once=False)
    waiter = stage.acquire()
    error = KeyError("no password today")
    stage.refuse(error)
    assert waiter.error is error


def test_no_call_waits_behind_a_late_reply_while_another_link_may_be_dialled() -> None:
    stage = Stage(None, POOL)
    stage.call("GET", "a")
    stage.deaf.add(stage.link)
    stage.abandon(stage.call("GET", "b"))
    stage.pass_time(1.0)
    assert stage.told(stage.call("GET", "c")) == b"c"
    assert stage.dialled == 2


def test_a_slot_that_is_refused_leaves_nothing_behind() -> None:
    stage = Stage(ClientSettings(lanes=2))
    slot = stage.call("GET", "a", caller="one")
    for _ in range(2):
        with pytest.raises(LocalProtocolError, match="submitted once"):
            stage.submit(slot, caller="one")
    assert not stage.client._shares._kept
    assert stage.told(slot) == b"a"


@pytest.mark.parametrize("settings", [LANES, None])
@pytest.mark.parametrize("wants", ["call", "lease"])
def test_a_reply_too_many_behind_a_handshake_fails_the_dial(settings: ClientSettings | None, wants: str) -> None:
    stage = Stage(settings, None if settings else POOL, protocol=2, client_name=None, lib_name=None, lib_version=None)
    stage.dials_at_once = False
    slot = stage.call("GET", "a") if wants == "call" else None
    waiter = stage.acquire() if wants == "lease" else None
    dial = stage.dials.pop(0)
    link = stage.client.connected(dial, stage.now)
    link.core.sent(len(link.core.data_to_send()))
    stage.say(link, b"+PONG\r\n+a reply too many\r\n")
    assert link.ended
    if slot is not None:
        assert stage.told(slot)[0] is ConnectError
    if waiter is not None:
        assert isinstance(waiter.error, ConnectError)


@pytest.mark.parametrize("end", ["close", "drain"])
def test_what_has_ended_looks_at_nothing_and_keeps_nothing(end: str) -> None:
    stage = Stage(None, PoolSettings(max_idle=600.0))
    stage.call("GET", "a")
    getattr(stage.client, end)(stage.now)
    stage.run()
    assert stage.client.next_deadline() == inf
    pool = stage.client.pool
    assert pool is not None
    assert not pool._looks.entries


def test_a_client_that_is_closed_while_it_opens_waits_for_no_dial() -> None:
    stage = Stage(dials_at_once=False)
    stage.call("GET", "a")
    dial = stage.dials.pop(0)
    link = stage.client.connected(dial, stage.now)
    stage.client.close(stage.now)
    stage.run()
    assert link.ended
    assert stage.client.next_deadline() == inf


def test_an_idle_link_is_lent_at_once() -> None:
    stage = Stage(None, PoolSettings(max_size=1, leak_after=1.0))
    assert stage.client.lend(stage.now) is None  # nothing is open
    link = stage.lease().connection
    assert stage.client.lend(stage.now) is None
    stage.release(next(iter(stage.woken)).lease or pytest.fail("it was not lent"))
    lease = stage.client.lend(stage.now, "here")
    assert lease is not None
    assert lease.connection is link
    stage.run()
    assert len(stage.woken) == 1
    stage.pass_time(2.0)
    assert stage.leaked == [lease]
    stage.release(lease)
    stage.client.close(stage.now)
    assert stage.client.lend(stage.now) is None


def test_a_link_that_is_to_show_that_it_is_alive_is_not_lent_at_once() -> None:
    stage = Stage(None, PoolSettings(pre_ping=True))
    stage.release(stage.lease())
    assert stage.client.lend(stage.now) is None
    assert Stage().client.lend(0.0) is None  # which has no links to lend


def test_a_link_that_was_lent_is_looked_at_where_there_is_something_to_read() -> None:
    stage = Stage(None, POOL)
    stage.release(stage.lease())
    lease = stage.client.lend(stage.now)
    assert lease is not None
    stage.looks_at_once = False
    waiter = stage.acquire(held=lease)
    assert stage.looks == [lease.connection]
    assert waiter.lease is None
    stage.client.looked(lease.connection, stage.now)
    assert waiter.lease is lease


def test_calls_by_a_lease_are_started_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SHORT_PATH", True)
    stage = Stage(None, POOL)
    lease = stage.lease()
    slot = new_slot(("GET", "a"), None, inf)
    assert stage.client.start(slot, stage.now, lease)
    assert stage.client.receive_replies(lease.connection, b"$1\r\nx\r\n", stage.now) == [slot]
    stage.release(lease)
    assert stage.client.start(new_slot(("GET", "a"), None, inf), stage.now, lease) is None


def test_an_idle_link_is_lent_to_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SHORT_PATH", True)
    stage = Stage(None, POOL)
    slot = new_slot(("GET", "a"), None, inf)
    assert stage.client.lend_to(slot, stage.now) is None  # nothing is open
    stage.release(stage.lease())
    granted = pool_stats(stage).granted
    lease = stage.client.lend_to(slot, stage.now)
    assert lease is not None
    stage.client.take_back(slot, stage.now)
    assert not lease.active
    assert pool_stats(stage).granted == granted  # the call asks again
    lease = stage.client.lend_to(slot, stage.now)
    assert lease is not None
    assert stage.client.start(slot, stage.now, lease)
    assert stage.client.receive_replies(lease.connection, b"$1\r\nx\r\n", stage.now) == [slot]
    assert not stage.client.untold
    assert not lease.active
    assert pool_stats(stage).leased == 0
    assert pool_stats(stage).granted == granted + 1
    assert stage.client.lend_to(new_slot(("BLPOP", "a", 0), None, inf), stage.now) is None
    assert Stage().client.lend_to(new_slot(("GET", "a"), None, inf), 0.0) is None


def test_what_is_out_of_date_is_closed_where_a_link_is_asked_for() -> None:
    stage = Stage(None, PoolSettings(max_size=1, max_idle=1.0))
    stage.release(lease := stage.lease())
    assert stage.client.lend(stage.now + 5.0) is None
    stage.run()
    assert stage.closed == [lease.connection]


def test_a_call_that_gives_back_its_lease_is_told_before_what_follows() -> None:
    stage = Stage(None, PoolSettings(max_size=1))
    lease = stage.lease()
    stage.deaf.add(lease.connection)
    stage.release(lease)
    slot = stage.call("GET", "a")
    waiting = stage.client.acquire(object(), stage.now)
    assert stage.client.receive_replies(lease.connection, b"$1\r\nx\r\n", stage.now) is None
    assert stage.client.events()[0] is slot
    stage.client.looked(lease.connection, stage.now)
    assert waiting.lease is not None


def test_a_lease_that_is_given_back_may_be_the_next_thing_to_look_at() -> None:
    """An adapter is to ask when, so it is not told the short way."""
    stage = Stage(None, PoolSettings(max_size=1, max_idle=5.0), dials_at_once=False)
    slot = stage.call("GET", "a")
    stage.connect()
    assert stage.told(slot) == b"a"
    assert stage.client.next_deadline() == stage.now + 5.0


def test_a_call_may_be_held_though_its_link_is_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are about to come by, and all are sent at once."""
    monkeypatch.setattr(sending, "SHORT_PATH", True)
    stage = Stage()
    stage.call("GET", "a")
    slot = new_slot(("GET", "b"), None, inf)
    assert stage.client.start(slot, stage.now, None, True) == b""
    stage.flush(stage.link)
    assert stage.told(slot) == b"b"


def test_an_error_in_a_pipeline_by_a_lease_says_that_its_link_leads_to_a_replica() -> None:
    stage = Stage(None, POOL)
    stage.answer = lambda words: READONLY if words[0] == b"SET" else b"ok"
    lease = stage.lease()
    stage.batch(("GET", "a"), ("SET", "a", "1"), lease=lease)
    stage.release(lease)
    assert lease.connection in stage.closed


def test_a_link_that_is_not_wanted_any_more_when_it_opens_is_not_looked_at() -> None:
    stage = Stage(None, PoolSettings(min_size=1, max_idle=None), ping_interval=5.0)
    stage.dials_at_once = False
    stage.client.open(stage.now)
    stage.run()
    waiter = stage.acquire()
    link = stage.client.connected(stage.dials.pop(0), stage.now)
    block = bytes(link.core.data_to_send())
    link.core.sent(len(block))
    stage.client.withdraw(waiter, stage.now)
    stage.client.retire(stage.now)
    for said in Peer().receive(block):
        stage.say(link, said)
    assert link.ended
    assert stage.client._timers.next() == inf


def test_a_caller_that_waits_for_the_pace_is_served_while_the_client_is_drained() -> None:
    stage = Stage(LANES, POOL, dials_at_once=False)
    waiter = stage.acquire()
    stage.refuse()
    stage.call("GET", "a")
    stage.pass_time(0.001)
    stage.dials_at_once = True
    stage.client.drain(stage.now)
    stage.run()
    stage.pass_time(1.0)
    assert waiter.lease is not None
    stage.release(waiter.lease)
    assert stage.drained


# -- begun ahead -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noted", [False, True])
def test_a_call_that_was_begun_ahead_has_its_time_from_when_it_is_waited_for(noted: bool) -> None:
    stage = Stage(pool=POOL)
    lease = stage.lease()
    stage.deaf.add(lease.connection)
    slot = stage.call("GET", "a", lease=lease)
    if noted:
        hurried = stage.call("GET", "b", deadline=1.0, lease=lease)
        stage.pass_time(2.0)
        assert stage.told(hurried)[0] is CommandTimeoutError
    stage.now = 50.0
    stage.client.limit(slot, 53.0, stage.now)
    stage.run()
    assert stage.client.next_deadline() == 53.0
    stage.pass_time(2.9)
    assert slot not in stage.ended
    stage.pass_time(0.2)
    assert stage.told(slot)[0] is CommandTimeoutError


def test_one_that_has_ended_or_is_on_no_link_keeps_what_it_had() -> None:
    stage = Stage(pool=POOL)
    lease = stage.lease()
    slot = stage.call("GET", "a", lease=lease)
    stage.client.limit(slot, 1.0, stage.now)
    assert (stage.told(slot), slot.deadline) == (b"a", inf)
    waits = new_slot(("GET", "a"))
    stage.client.limit(waits, 1.0, stage.now)
    assert waits.deadline == inf


def test_a_token_is_made_of_chance() -> None:
    assert Stage().client.token() == "8000000000000" * 2
    assert len(Stage(half=0.0).client.token()) == 26

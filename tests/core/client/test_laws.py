"""The laws between the client machine and an adapter, one by one, as `docs/write-a-full-adapter.md` states them."""

from __future__ import annotations

from typing import Any

import pytest

from core.client.stage import LANES, Stage
from resp_sansio import (
    CommandTimeoutError,
    Config,
    ConnectError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    PoolSettings,
    Push,
    ReplyError,
)
from resp_sansio.client import Client, Close, Dial, Heard, Listener, Look, error_of
from resp_sansio.connection import SlotState, new_slot, sending

POOL = PoolSettings()


def half() -> float:
    return 0.5


def without_events(stage: Stage) -> bool:
    return stage.client.events() == []


# -- calls --------------------------------------------------------------------------------------------------------------------


def test_law_submit_returns_the_link_that_has_something_to_send() -> None:
    stage = Stage(dials_at_once=False)
    assert stage.client.submit(new_slot(("GET", "a")), stage.now) is None  # it waits
    stage.run()
    link = stage.connect()
    slot = new_slot(("GET", "b"))
    assert stage.client.submit(slot, stage.now) is link
    states = [slot.state]
    assert bytes(link.core.data_to_send()).endswith(b"$1\r\nb\r\n")
    assert [*states, slot.state] == [SlotState.QUEUED, SlotState.HANDED]
    assert without_events(stage)


def test_law_a_mistake_raises_and_changes_nothing() -> None:
    stage = Stage()
    slot = new_slot(("SUBSCRIBE", "news"))
    with pytest.raises(LocalProtocolError):
        stage.client.submit(slot, stage.now)
    assert without_events(stage)
    assert slot.state is SlotState.QUEUED
    assert stage.client.links == []


def test_law_an_event_is_the_end_of_a_call_and_nothing_else_is() -> None:
    stage = Stage()
    replies: list[Any] = [ReplyError("LOADING"), b"v"]
    stage.answer = lambda _: replies.pop(0)
    slot = stage.call("GET", "k")
    assert slot.reply == ReplyError("LOADING")  # the attempt has ended, the call has not
    assert (slot.state, stage.ended) == (SlotState.QUEUED, [])
    stage.pass_time(1.0)
    assert (slot.state, stage.ended, slot.reply) == (SlotState.ANSWERED, [slot], b"v")


def test_law_error_of_is_for_slots_that_are_not_answered_and_new_each_time() -> None:
    stage = Stage()
    stage.call("GET", "k")
    stage.deaf.add(stage.link)
    slot = stage.call("INCR", "n")
    stage.cut(stage.link)
    assert slot.state is SlotState.LOST
    first, second = error_of(slot), error_of(slot)
    assert isinstance(first, ConnectionLostError)
    assert first is not second
    assert first.outcome is Outcome.MAYBE_EXECUTED


def test_law_nothing_follows_an_abandoned_call() -> None:
    stage = Stage()
    stage.call("GET", "k")
    stage.deaf.add(stage.link)
    slot = stage.call("INCR", "n")
    stage.abandon(slot)
    assert list(slot.outcomes) == [Outcome.MAYBE_EXECUTED]
    stage.wake()
    stage.abandon(slot)
    assert slot not in stage.ended


# -- bytes --------------------------------------------------------------------------------------------------------------------


def test_law_receive_data_returns_what_is_to_be_carried_out_and_it_is_told_nowhere_else() -> None:
    stage = Stage()
    stage.call("GET", "k")
    stage.stuck.add(stage.link)
    slot = new_slot(("GET", "k"))
    stage.client.submit(slot, stage.now)
    stage.link.core.sent(len(stage.link.core.data_to_send()))
    assert stage.client.receive_data(stage.link, b"$1\r\nv\r\n", stage.now) == [slot]
    assert without_events(stage)


def test_law_a_link_that_was_read_from_is_asked_whether_it_has_something_to_send() -> None:
    client = Client(Config.from_url("redis://stage"), LANES, random=half)
    client.submit(new_slot(("GET", "k")), 0.0)
    (dial,) = client.events()
    assert isinstance(dial, Dial)
    link = client.connected(dial, 0.0)
    link.core.sent(len(link.core.data_to_send()))
    client.receive_data(link, b"-ERR unknown command\r\n+OK\r\n+OK\r\n", 0.0)
    assert link not in client.events()  # the second batch of the handshake
    assert link.core.data_to_send()


def test_law_nothing_of_a_callers_goes_out_before_the_handshake_is_accepted() -> None:
    client = Client(Config.from_url("redis://stage"), LANES, random=half)
    client.submit(new_slot(("SET", "secret", "v")), 0.0)
    (dial,) = client.events()
    assert isinstance(dial, Dial)
    link = client.connected(dial, 0.0)
    block = bytes(link.core.data_to_send())
    assert b"HELLO" in block
    assert b"secret" not in block


def test_law_a_server_that_sends_anything_raises_nothing_and_costs_one_link() -> None:
    stage = Stage()
    stage.call("GET", "k")
    for said in (b"\x00\xff\r\n", b"+no command asked for this\r\n", b"$-5\r\n"):
        link = stage.link
        stage.say(link, said)
        assert link.ended
        assert stage.told(stage.call("GET", "k")) == b"k"
        assert stage.link is not link


def test_law_an_end_is_told_by_close_once_and_the_link_is_silent_then() -> None:
    stage = Stage()
    stage.call("GET", "k")
    link = stage.link
    stage.deaf.add(link)
    stage.call("GET", "late")
    stage.dials_at_once = False
    stage.cut(link)
    assert (stage.closed, link.ended, link.core.data_to_send()) == ([link], True, b"")
    stage.client.receive_eof(link, stage.now)
    stage.client.send_failed(link, BrokenPipeError("broken pipe"), stage.now)
    stage.client.abort(link, None, stage.now)
    assert without_events(stage)


def test_law_what_counts_as_sent_decides_the_outcome() -> None:
    for sent, outcome in ((3, Outcome.NOT_SENT), (None, Outcome.MAYBE_EXECUTED)):
        stage = Stage(dials_at_once=False)
        stage.call("PING")
        link = stage.connect()
        slot = new_slot(("INCR", "n"))
        stage.client.submit(slot, stage.now)
        block = link.core.data_to_send()
        link.core.sent(len(block) if sent is None else sent)
        link.core.abort()
        assert list(slot.outcomes) == [outcome]


def test_law_short_ways_decline_where_they_would_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SHORT_PATH", True)
    stage = Stage(dials_at_once=False)
    first = new_slot(("GET", "a"))
    assert stage.client.start(first, stage.now) is None  # there is no link
    stage.submit(first)
    link = stage.connect()
    stage.stuck.add(link)
    second, third = new_slot(("GET", "b")), new_slot(("GET", "c"))
    block = stage.client.start(second, stage.now)
    assert block is not None
    assert block.endswith(b"b\r\n")
    assert link.core.data_to_send() == b""  # it counts as sent
    link.core.unsent(block[-1:])
    assert link.core.data_to_send() == b"\n"
    link.core.sent(1)
    assert stage.client.start(third, stage.now) == b""  # it waits, and comes with `data_to_send`
    assert link.core.data_to_send()
    assert stage.client.receive_replies(link, b"+b\r\n", stage.now) == [second]
    assert stage.client.receive_replies(link, b"+c\r\n+unasked\r\n", stage.now) is None
    assert third in stage.client.events()
    assert link.ended


# -- links --------------------------------------------------------------------------------------------------------------------


def test_law_a_dial_ends_with_one_of_two_calls_and_may_be_asked_for_again() -> None:
    stage = Stage(dials_at_once=False)
    slot = stage.call("GET", "k")
    (dial,) = stage.dials
    assert dial.config is stage.client.config
    assert dial.deadline == stage.client.config.connect_timeout
    link = stage.client.connected(stage.dials.pop(), stage.now)
    stage.cut(link)  # before any answer, as proxies do that do not know HELLO
    assert stage.closed == [link]
    assert stage.dials == [dial]  # the same, with what is left of its time
    stage.refuse(ConnectError("refused", transient=False))
    assert stage.told(slot)[0] is ConnectError


def test_law_a_dial_that_is_not_wanted_any_more_gives_a_link_that_has_ended() -> None:
    stage = Stage(dials_at_once=False)
    slot = stage.call("GET", "k")
    stage.client.close(stage.now)
    stage.run()
    assert list(slot.outcomes) == [Outcome.NOT_SENT]
    assert slot in stage.ended
    link = stage.client.connected(stage.dials.pop(), stage.now)
    assert link.ended
    assert stage.client.events() == [Close(link)]


def test_law_look_is_answered_by_looked_and_until_then_the_waiter_waits() -> None:
    stage = Stage(None, POOL)
    stage.release(stage.lease())
    stage.looks_at_once = False
    waiter = stage.client.acquire(None, stage.now)
    assert stage.client.events() == [Look(stage.link)]
    assert waiter.lease is None
    stage.client.looked(stage.link, stage.now)
    stage.run()
    assert stage.woken[-1] is waiter
    assert waiter.lease is not None


def test_law_a_waiter_has_its_lease_or_its_error_when_it_is_told_and_withdraw_gives_either_back() -> None:
    stage = Stage(None, PoolSettings(max_size=1))
    first, second = stage.acquire(), stage.acquire(deadline=1.0)
    assert stage.woken == [first]
    assert (first.state, second.state) == (SlotState.ANSWERED, SlotState.QUEUED)
    assert first.result() is first.lease
    stage.client.withdraw(first, stage.now)
    stage.run()
    assert stage.woken == [first, second]
    stage.client.withdraw(second, stage.now)
    stage.client.withdraw(second, stage.now)
    late = stage.acquire()
    assert late.lease is not None


def test_law_while_pushes_wait_to_be_taken_nothing_is_read() -> None:
    stage = Stage(None, POOL)
    lease = stage.lease()
    stage.call("SUBSCRIBE", "news", lease=lease)
    said = b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"
    stage.say(stage.link, said * 1000)
    assert not stage.link.core.wants_to_receive
    listener = Listener(lease)
    stage.client.listen(listener)
    assert listener.result() == Push("message", (b"news", b"hi"))
    assert stage.link.core.wants_to_receive
    assert stage.client.events() == [Heard(listener), stage.link]


def test_law_a_listener_has_its_push_or_its_error_when_it_is_told_and_leaves_the_push_to_the_next() -> None:
    stage = Stage(None, POOL)
    lease = stage.lease()
    stage.call("SUBSCRIBE", "news", lease=lease)
    first, second, third = stage.listen(lease), stage.listen(lease), stage.listen(lease, deadline=1.0)
    stage.say(stage.link, b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n")
    assert stage.heard == [first]
    stage.stop_listening(first)
    stage.stop_listening(first)
    assert stage.heard == [first, second]
    assert second.result() == Push("message", (b"news", b"hi"))
    stage.pass_time(1.0)
    assert stage.heard == [first, second, third]
    with pytest.raises(CommandTimeoutError, match="^next_push: nothing came in time$"):
        third.result()


# -- time, and the end ---------------------------------------------------------------------------------------------------------


def test_law_at_its_time_a_deadline_is_dealt_with_or_moves_and_early_is_harmless() -> None:
    stage = Stage(silence_timeout=10.0)
    stage.call("GET", "k")
    stage.deaf.add(stage.link)
    slot = stage.call("GET", "late", deadline=stage.now + 3.0)
    for _ in range(3):
        stage.client.handle_timeout(stage.now)
    assert without_events(stage)
    for _ in range(100):
        due = stage.client.next_deadline()
        if slot in stage.ended:
            break
        stage.now = due
        stage.client.handle_timeout(due)
        stage.run()
        assert stage.client.next_deadline() > due
    assert stage.now == 3.0


def test_law_a_timer_may_make_a_link_want_to_send() -> None:
    stage = Stage(ping_interval=1.0)
    stage.call("GET", "k")
    stage.stuck.add(stage.link)
    while not (events := stage.client.events()):
        stage.client.handle_timeout(stage.client.next_deadline())
    assert events == [stage.link]  # a PING of the connection's own
    assert stage.link.core.data_to_send()


@pytest.mark.parametrize("kind", ["lanes", "pool"])
def test_law_drained_is_told_when_nothing_is_left(kind: str) -> None:
    stage = Stage(LANES) if kind == "lanes" else Stage(None, POOL)
    stage.call("GET", "k")
    stage.deaf.add(stage.link)
    slot = stage.call("GET", "late")
    stage.client.drain(stage.now)
    stage.run()
    assert not stage.drained
    stage.wake()
    assert stage.told(slot) == b"late"
    assert stage.drained
    assert stage.client.links == []

"""Subscriptions: the connection has what is wanted, each message reaches those who want it, and each loss is told."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from resp_sansio import (
    CommandTimeoutError,
    ConnectionClosedError,
    Gap,
    Message,
    Push,
    RemoteProtocolError,
    ReplyError,
    SubscriberTooSlowError,
)
from resp_sansio.client import Kind, Listener, Subscriber
from resp_sansio.client.feeds import MOST_NAMES, Asked, Change
from resp_sansio.client.messages import Overflow, as_data
from resp_sansio.client.subscriptions import Registry
from resp_sansio.commands.decoding import decoded
from resp_sansio.connection import SlotState

CHANNEL, PATTERN, SHARD = Kind
A, B = (CHANNEL, b"a"), (CHANNEL, b"b")
NOPERM = ReplyError("NOPERM this user has no permissions to access one of the channels used as arguments")
BUSY = ReplyError("BUSY Redis is busy running a script.")


def message(channel: bytes, data: object = b"x") -> Push:
    return Push("message", (channel, data))  # type: ignore[arg-type]


class Wire:
    """A registry, and a server that answers what it is told to answer, in the order of the commands."""

    def __init__(self, *, lasting: bool = True) -> None:
        self.registry = Registry(lasting=lasting)
        self.link: Any = None
        self.sent: list[Asked] = []
        self.log: list[tuple[str | bytes, ...]] = []
        self.forbidden: set[bytes] = set()
        self.has: set[tuple[Kind, bytes]] = set()
        self.reason: ReplyError = NOPERM

    def open(self) -> None:
        self.link = SimpleNamespace(ended=False)
        self.registry.opened(self.link)
        self.send()

    def lose(self) -> None:
        self.sent.clear()
        self.has.clear()
        self.registry.ended("lost")

    def send(self) -> None:
        if self.registry.link is not None:
            for asked in self.registry.asks():
                self.sent.append(asked)
                self.log.append(asked.words)

    def answer(self) -> bool:
        """The server takes the next command, and answers it."""
        asked = self.sent.pop(0)
        names = {(name.kind, name.word) for name in asked.names}
        error = self.reason if asked.joins and self.forbidden & {word for _, word in names} else None
        if error is None:
            self.has = self.has | names if asked.joins else self.has - names
        useless = self.registry.answered(asked, error)
        self.send()
        return useless

    def settle(self) -> None:
        while self.sent:
            self.answer()

    def subscriber(self, most: int = 1000, most_bytes: int = 1 << 20, overflow: Overflow = "drop_oldest") -> Subscriber:
        return self.registry.subscriber(most, most_bytes, overflow)

    def want(self, subscriber: Subscriber, *names: tuple[Kind, bytes]) -> Change:
        change = self.registry.want(subscriber, names)
        self.send()
        return change

    def unwant(self, subscriber: Subscriber, *names: tuple[Kind, bytes]) -> Change:
        change = self.registry.unwant(subscriber, names or None)
        self.send()
        return change


def taken(subscriber: Subscriber) -> list[Any]:
    """What its caller gets."""
    listener = Listener(subscriber)
    subscriber.listen(listener)
    subscriber.hand_out()
    subscriber.leave(listener)
    items = [*subscriber.ready]
    subscriber.ready.clear()
    return items


def live(*names: tuple[Kind, bytes], wire: Wire | None = None, **bounds: Any) -> tuple[Wire, Subscriber]:
    """A subscriber whose names are confirmed."""
    wire = wire or Wire()
    if wire.registry.link is None:
        wire.open()
    subscriber = wire.subscriber(**bounds)
    change = wire.want(subscriber, *names)
    wire.settle()
    assert change.over
    return wire, subscriber


# -- names ----------------------------------------------------------------------------------------------------------------------


def test_the_first_asks_for_a_name_and_the_last_leaves_it() -> None:
    wire, first = live(A, (PATTERN, b"p*"), (SHARD, b"s"))
    assert wire.log == [("SUBSCRIBE", b"a"), ("PSUBSCRIBE", b"p*"), ("SSUBSCRIBE", b"s")]
    second = wire.subscriber()
    assert wire.want(second, A).over  # at once
    leaving = wire.unwant(first)
    assert {name.word for name in leaving.pending} == {b"p*", b"s"}
    wire.settle()
    assert leaving.over
    assert wire.log[3:] == [("PUNSUBSCRIBE", b"p*"), ("SUNSUBSCRIBE", b"s")]
    assert wire.has == {A}
    wire.registry.end(second, ConnectionClosedError("left"))
    wire.send()
    wire.settle()
    assert wire.log[5:] == [("UNSUBSCRIBE", b"a")]
    assert not wire.registry.wanted
    assert not any(wire.registry._names.values())


def test_a_name_that_is_wanted_again_while_it_is_left_is_asked_for_behind_that() -> None:
    wire, subscriber = live(A)
    leaving = wire.unwant(subscriber, A, B)  # the other one was never there
    change = wire.want(subscriber, A)
    assert wire.log[1:] == [("UNSUBSCRIBE", b"a")]
    wire.answer()
    assert (leaving.over, change.over) == (True, False)
    assert wire.log[2:] == [("SUBSCRIBE", b"a")]
    wire.answer()
    assert change.over
    assert wire.has == {A}


def test_what_comes_of_a_subscription_that_is_being_left_is_none_of_the_next_ones() -> None:
    wire, first = live(A)
    wire.unwant(first)
    second = wire.subscriber()
    wire.want(second, A)
    wire.registry.heard([message(b"a", b"1")])
    wire.answer()  # it was left: 2 goes by
    wire.answer()
    wire.registry.heard([message(b"a", b"3")])
    assert taken(first) == []
    assert taken(second) == [Message(b"a", b"3")]


def test_a_name_that_is_wanted_again_while_it_is_left_and_given_up_is_forgotten() -> None:
    wire, first = live(A)
    wire.unwant(first)
    wire.registry.cancel(wire.want(first, A))
    wire.send()
    wire.settle()
    assert wire.log[1:] == [("UNSUBSCRIBE", b"a")]
    assert not any(wire.registry._names.values())


def test_a_name_that_is_left_before_it_is_confirmed() -> None:
    wire = Wire()
    wire.open()
    subscriber = wire.subscriber()
    change = wire.want(subscriber, A)
    wire.registry.cancel(change)
    wire.registry.cancel(change)  # again: nothing happens
    wire.send()
    assert wire.log == [("SUBSCRIBE", b"a"), ("UNSUBSCRIBE", b"a")]
    wire.settle()
    assert not wire.has
    assert not subscriber.names
    wire = Wire()  # without a connection nothing is to be left
    subscriber = wire.subscriber()
    wire.registry.cancel(wire.want(subscriber, A))
    assert not wire.registry.wanted
    wire.open()
    assert wire.log == []


def test_two_changes_wait_for_the_same_name_and_one_is_given_up() -> None:
    wire = Wire()
    wire.open()
    first, second = wire.subscriber(), wire.subscriber()
    one, two, three = wire.want(first, A), wire.want(second, A), wire.want(first, A)
    wire.registry.cancel(one)  # which asked for it; the third has added nothing
    wire.settle()
    assert two.over
    assert three.error is None
    assert wire.has == {A}
    assert [*second.names.values()] == [True]
    assert not first.names


def test_commands_are_of_so_many_names() -> None:
    wire = Wire()
    subscriber = wire.subscriber()
    names = [(CHANNEL, b"%d" % number) for number in range(2 * MOST_NAMES + 1)]
    wire.want(subscriber, *names)
    wire.open()
    assert [len(words) - 1 for words in wire.log] == [MOST_NAMES, MOST_NAMES, 1]
    wire.settle()
    assert wire.has == {*names}


# -- refusals -------------------------------------------------------------------------------------------------------------------


def test_of_a_refused_command_each_name_is_asked_for_again_until_one_is_found() -> None:
    wire, subscriber = live(A)
    wire.forbidden = {b"4"}
    change = wire.want(subscriber, *[(CHANNEL, b"%d" % number) for number in range(7)])
    wire.settle()
    assert change.error is NOPERM
    assert wire.has == {A}
    assert [name.word for name in subscriber.names] == [b"a"]
    listener = Listener(change)
    change.listen(listener)
    assert change.hand_out() is listener
    with pytest.raises(ReplyError, match="NOPERM"):
        listener.result()


def test_a_name_that_is_refused_after_a_loss_ends_those_who_had_it() -> None:
    wire, first = live(A, B)
    _, second = live(B, wire=wire)
    wire.lose()
    third = wire.subscriber()
    wire.forbidden = {b"a"}
    change = wire.want(third, A)
    wire.open()
    wire.settle()
    assert (first.error, second.error, change.error) == (NOPERM, None, NOPERM)
    assert wire.has == {B}
    assert taken(first) == []  # no gap: it has ended
    with pytest.raises(ConnectionClosedError, match="the subscription has ended: NOPERM"):
        wire.want(first, A)
    assert taken(second) == [Gap((b"b",), "lost")]


def test_a_server_that_is_busy_is_asked_again_on_another_connection() -> None:
    wire, subscriber = live(A)
    wire.lose()
    wire.forbidden, wire.reason = {b"a"}, BUSY
    wire.open()
    assert wire.answer()
    wire.lose()
    wire.forbidden.clear()
    wire.open()
    wire.settle()
    assert taken(subscriber) == [Gap((b"a",), "lost")]
    wire = Wire(lasting=False)  # there is no other one
    wire.forbidden, wire.reason = {b"a"}, BUSY
    wire.open()
    change = wire.want(wire.subscriber(), A)
    assert not wire.answer()
    assert change.error is BUSY


def test_halves_of_a_command_that_are_not_wanted_any_more_are_not_asked_for() -> None:
    wire = Wire()
    wire.open()
    wire.forbidden = {b"a"}
    subscriber = wire.subscriber()
    wire.want(subscriber, A, B)
    asked = wire.sent.pop()
    wire.registry.answered(asked, NOPERM)
    wire.unwant(subscriber)
    wire.send()
    assert wire.log == [("SUBSCRIBE", b"a", b"b")]
    wire.want(subscriber, A)
    wire.unwant(subscriber, A)
    refused = wire.sent.pop(0)
    assert not wire.registry.answered(refused, NOPERM)  # a later command counts


def test_what_is_refused_to_be_left_is_told() -> None:
    wire, subscriber = live(A)
    change = wire.unwant(subscriber)
    wire.registry.answered(wire.sent.pop(), NOPERM)
    assert change.error is NOPERM
    assert change.over
    assert not any(wire.registry._names.values())


# -- losses ---------------------------------------------------------------------------------------------------------------------


def test_a_gap_is_told_once_all_names_are_confirmed_and_before_what_came_meanwhile() -> None:
    wire, subscriber = live(A, (PATTERN, b"p*"))
    wire.registry.heard([message(b"a", b"1")])
    wire.lose()
    wire.open()
    wire.lose()  # twice in a row is one gap
    wire.open()
    wire.answer()
    wire.registry.heard([message(b"a", b"3")])
    assert taken(subscriber) == [Message(b"a", b"1")]
    assert "away" in repr(subscriber)
    wire.answer()
    assert taken(subscriber) == [Gap((b"a", b"p*"), "lost"), Message(b"a", b"3")]
    assert "subscribed" in repr(subscriber)
    wire.registry.heard([Push("pmessage", (b"p*", b"px", b"4"))])
    assert taken(subscriber) == [Message(b"px", b"4", b"p*")]


def test_a_loss_behind_what_came_meanwhile_is_another_gap() -> None:
    wire, subscriber = live(A, B)
    wire.lose()
    wire.open()
    wire.registry.answered(wire.sent.pop(), None)  # both at once, and then one is lost again
    wire.registry.ended("lost again")
    wire.forbidden = {b"b"}
    wire.open()
    wire.answer()  # refused as a whole: each is asked for by itself
    wire.answer()
    wire.registry.heard([message(b"a", b"2")])
    wire.registry.ended("lost once more")
    wire.registry.ended("and more")  # with nothing between
    wire.forbidden = set()
    wire.sent.clear()
    wire.open()
    wire.settle()
    wire.registry.heard([message(b"a", b"4")])
    assert taken(subscriber) == [
        Gap((b"a", b"b"), "lost"),
        Gap((b"a", b"b"), "lost again"),
        Message(b"a", b"2"),
        Gap((b"a", b"b"), "lost once more"),
        Message(b"a", b"4"),
    ]


def test_what_came_after_a_loss_has_a_gap_in_front_though_the_subscription_ends() -> None:
    wire, subscriber = live(A, (PATTERN, b"p*"))
    wire.registry.heard([message(b"a", b"1")])
    wire.lose()
    wire.open()
    wire.answer()
    wire.registry.heard([message(b"a", b"3")])
    wire.registry.end(subscriber, NOPERM)
    assert taken(subscriber) == [Message(b"a", b"1"), Gap((b"a", b"p*"), "lost"), Message(b"a", b"3")]


def test_a_name_that_was_never_confirmed_makes_no_gap() -> None:
    wire = Wire()
    subscriber = wire.subscriber()
    change = wire.want(subscriber, A)
    wire.open()
    wire.lose()
    wire.open()
    wire.settle()
    assert change.over
    wire.registry.heard([message(b"a")])
    assert taken(subscriber) == [Message(b"a", b"x")]


def test_the_last_missing_name_may_be_one_that_is_left() -> None:
    wire, subscriber = live(A, B)
    wire.lose()
    wire.open()
    wire.registry.answered(wire.sent.pop(), None)
    wire, subscriber = live(A, B)
    wire.lose()
    wire.unwant(subscriber, A, B)
    assert taken(subscriber) == [Gap((), "lost")]
    wire, subscriber = live(A)
    leaving = wire.unwant(subscriber)
    wire.lose()
    assert leaving.over  # there is nothing to be left any more


def test_a_shard_that_moves_makes_a_gap_and_is_asked_for_again() -> None:
    wire, subscriber = live((SHARD, b"s"), A)
    for _ in range(2):  # the second one finds it asked for
        wire.registry.heard([Push("sunsubscribe", (b"s", 0)), Push("sunsubscribe", (b"other", 0))])
    wire.registry.heard([Push("invalidate", ([b"k"],))])
    wire.send()
    assert wire.log[2:] == [("SSUBSCRIBE", b"s")]
    wire.settle()
    (gap,) = taken(subscriber)
    assert "moved" in gap.why


# -- messages -------------------------------------------------------------------------------------------------------------------


def test_messages_of_both_protocols_reach_those_who_want_them() -> None:
    wire, first = live(A, (PATTERN, b"*"), (SHARD, b"s"))
    _, second = live(A, wire=wire)
    wire.registry.heard(
        [
            message(b"a", b"1"),
            [b"message", b"a", b"2"],
            [b"pmessage", b"*", b"c", b"3"],
            [b"smessage", b"s", b"4"],
            Push("smessage", (b"s", b"5")),
            message(b"nobody", b"6"),
        ]
    )
    assert taken(first) == [
        Message(b"a", b"1"),
        Message(b"a", b"2"),
        Message(b"c", b"3", b"*"),
        Message(b"s", b"4", None, sharded=True),
        Message(b"s", b"5", None, sharded=True),
    ]
    assert [type(one) for one in taken(second)] == [Message, Message]


@pytest.mark.parametrize(
    "odd",
    [
        Push("message", ()),
        Push("message", (b"a",)),
        Push("message", (b"a", 1)),
        Push("message", ([b"a"], b"x")),
        Push("pmessage", (b"a", 1, b"x")),
        Push("pmessage", (b"a", b"b", True)),
        [b"message"],
        [b"pmessage", b"a", b"x"],
        Push("sunsubscribe", ()),
    ],
)
@pytest.mark.parametrize("away", [False, True])
def test_what_is_no_message_ends_the_connection(odd: Any, *, away: bool) -> None:
    wire, subscriber = live(A, (PATTERN, b"a"))
    if away:  # it has come back, by half
        wire.lose()
        wire.open()
        wire.answer()
    wire.registry.told()
    with pytest.raises(RemoteProtocolError, match="^a message came that has no channel, or no data$"):
        wire.registry.heard([message(b"a"), odd])
    assert wire.registry.told() == [subscriber]  # of what came before it
    wire.lose()
    wire.open()
    wire.settle()
    assert [one.data for one in taken(subscriber) if isinstance(one, Message)] == [b"x"]


def test_a_message_may_have_nothing_to_say() -> None:
    """As `__redis__:invalidate` has where all keys are gone."""
    wire, subscriber = live(A)
    wire.registry.heard([message(b"a", None), message(b"a", [b"k"])])
    assert [(one.channel, one.data) for one in taken(subscriber)] == [(b"a", None), (b"a", [b"k"])]
    wire.registry.heard([message(b"a", None)] * 3)
    subscriber.trim()
    assert subscriber.size == 0


def test_what_a_connection_is_told_is_a_subscribers_or_not() -> None:
    wire, _ = live(A, (SHARD, b"s"))
    takes = wire.registry.takes
    assert takes(message(b"a"))
    assert takes(Push("sunsubscribe", (b"s", 0)))
    for push in (message(b"b"), Push("invalidate", (b"a",)), Push("message", ()), Push("message", (1, b""))):
        assert not takes(push)


# -- buffers --------------------------------------------------------------------------------------------------------------------


def test_while_all_have_enough_nothing_is_dropped() -> None:
    wire, first = live(A, most=4)
    assert not first.full
    wire.registry.heard([message(b"a", b"%d" % one) for one in range(20)])
    assert wire.registry.has_enough
    wire.registry.heard([message(b"a", b"20")])  # it was read on all the same
    gap, *kept = taken(first)
    assert (gap.channels, gap.lost) == ((b"a",), 17)
    assert [one.data for one in kept] == [b"17", b"18", b"19", b"20"]
    assert not wire.registry.has_enough
    assert not Registry(lasting=True).has_enough


@pytest.mark.parametrize("held", [False, True])
def test_the_oldest_are_dropped_and_counted(held: bool) -> None:
    wire, slow = live(A, (PATTERN, b"*"), most=4)
    _, other = live(B, wire=wire)
    if held:
        wire.registry.heard([message(b"a", b"0")])
        wire.lose()
        wire.open()
    for one in range(1, 11):
        wire.registry.heard([Push("pmessage", (b"*", b"z", b"%d" % one))])
    if held:
        wire.settle()
        gap, lost, *kept = taken(slow)
        assert (gap.channels, gap.lost) == ((b"a",), 1)
        assert (lost.why, lost.lost) == ("lost", None)
        dropped, *kept = kept
        assert (dropped.channels, dropped.lost) == ((b"*",), 6)
        assert taken(other) == [Gap((b"b",), "lost")]
    else:
        gap, *kept = taken(slow)
        assert (gap.channels, gap.lost) == ((b"*",), 6)
    assert [one.data for one in kept] == [b"7", b"8", b"9", b"10"]


def test_what_came_and_what_was_dropped_is_counted() -> None:
    wire, slow = live(A, (PATTERN, b"*"), most=4)
    _, other = live(B, wire=wire)
    for one in range(1, 11):
        wire.registry.heard([Push("pmessage", (b"*", b"z", b"%d" % one))])
    counted = wire.registry.stats()
    assert (counted.subscribers, counted.names) == (2, 3)
    assert str(counted) == "10 messages, 5 wait to be taken, 6 dropped, 0 gaps"
    taken(slow)
    wire.registry.heard([message(b"b", b"11")])
    assert str(wire.registry.stats()) == "11 messages, 1 wait to be taken, 6 dropped, 1 gaps"
    assert len(taken(other)) == 1


def test_a_gap_that_is_dropped_makes_the_number_unknown() -> None:
    wire, slow = live(A, most=2)
    live(B, wire=wire)
    wire.registry.heard([message(b"a", b"1")])
    wire.lose()
    wire.open()
    wire.settle()
    for one in range(2, 6):
        wire.registry.heard([message(b"a", b"%d" % one)])
    gap, *kept = taken(slow)
    assert gap.lost is None
    assert [one.data for one in kept] == [b"4", b"5"]


def test_the_newest_are_dropped_and_counted() -> None:
    wire, slow = live(A, most=4, overflow="drop_newest")
    live(B, wire=wire)
    for one in range(10):
        wire.registry.heard([message(b"a", b"%d" % one)])
    *kept, gap = taken(slow)
    assert (gap.channels, gap.lost) == ((b"a",), 6)
    assert [one.data for one in kept] == [b"0", b"1", b"2", b"3"]
    wire.registry.heard([message(b"a", b"11")])
    assert taken(slow) == [Message(b"a", b"11")]


def test_a_gap_of_a_loss_is_not_that_of_the_newest() -> None:
    wire, slow = live(A, most=1, overflow="drop_newest")
    live(B, wire=wire)
    wire.lose()
    wire.open()
    wire.settle()
    wire.registry.heard([message(b"a", b"1" * (1 << 21))])  # more than it takes by itself
    first, second = taken(slow)
    assert (first.lost, second.lost) == (None, 1)


def test_a_subscriber_that_is_to_end_when_it_is_too_slow() -> None:
    wire, slow = live(A, most=4, overflow="error")
    _, other = live(A, wire=wire)
    wire.registry.heard([message(b"a", b"%d" % one) for one in range(6)])
    assert len(taken(slow)) == 6  # it has what came
    assert len(taken(other)) == 6
    with pytest.raises(ConnectionClosedError, match="its buffer was full"):
        wire.want(slow, B)
    listener = Listener(slow)
    slow.listen(listener)
    slow.hand_out()
    with pytest.raises(SubscriberTooSlowError):
        listener.result()


def test_bytes_are_bounded_too() -> None:
    wire, slow = live(A, most_bytes=100)
    live(B, wire=wire)
    for one in range(10):
        wire.registry.heard([message(b"a", b"%d" % one * 30)])
    gap, *kept = taken(slow)
    assert (gap.lost, len(kept)) == (7, 3)
    assert slow.size == 0


def test_a_subscriber_without_names_is_no_reason_to_read() -> None:
    wire, slow = live(A, most=2)
    idle = wire.subscriber()
    wire.registry.heard([message(b"a")])
    assert not idle.full
    assert wire.registry.has_enough
    assert slow.full


# -- who waits ------------------------------------------------------------------------------------------------------------------


def test_who_waits_is_told_of_what_is_ready() -> None:
    wire, subscriber = live(A)
    subscriber.registry.told()
    first, second = Listener(subscriber), Listener(subscriber)
    wire.registry.listens(first)
    wire.registry.listens(second)
    assert wire.registry.listeners == [first, second]
    assert subscriber.hand_out() is None
    wire.registry.heard([message(b"a")])
    assert wire.registry.told() == [subscriber]
    assert subscriber.hand_out() is first
    assert first.result() is None
    assert subscriber.hand_out() is second  # it finds it, or what is left of it
    assert subscriber.hand_out() is None
    wire.registry.leaves(second)
    third = Listener(subscriber)
    subscriber.ready.clear()
    wire.registry.listens(third)
    subscriber.late(third)
    with pytest.raises(CommandTimeoutError, match="^no message came in time$"):
        third.result()
    change = wire.want(subscriber, B)
    fourth = Listener(change)
    wire.registry.listens(fourth)
    assert change.hand_out() is None
    change.late(fourth)
    with pytest.raises(CommandTimeoutError, match="did not confirm"):
        fourth.result()
    wire.settle()
    wire.registry.listens(fifth := Listener(change))
    assert change.hand_out() is fifth
    assert fifth.state is SlotState.ANSWERED
    assert change.hand_out() is None


def test_a_listener_that_an_interrupt_left_in_the_list_is_told_again() -> None:
    wire, subscriber = live(A)
    wire.registry.listens(listener := Listener(subscriber))
    listener.state = SlotState.ANSWERED
    assert subscriber.hand_out() is listener


def test_what_was_left_meanwhile_is_nothing_to_give_up() -> None:
    wire = Wire()
    wire.open()
    subscriber = wire.subscriber()
    change = wire.want(subscriber, A)
    wire.unwant(subscriber, A)
    assert change.over
    wire.registry.cancel(change)
    wire.send()
    wire.settle()
    assert not wire.has


def test_what_another_wants_is_not_left() -> None:
    wire, _ = live(A)
    _, second = live(B, wire=wire)
    assert wire.unwant(second, A).over
    assert wire.has == {A, B}


def test_the_end_of_a_registry_is_told_to_all() -> None:
    wire, subscriber = live(A)
    change = wire.want(subscriber, B)
    wire.registry.heard([message(b"a")])
    wire.registry.end_all(ConnectionClosedError("the client was closed"))
    assert str(change.error) == "the client was closed"
    assert taken(subscriber) == [Message(b"a", b"x")]
    listener = Listener(subscriber)
    subscriber.listen(listener)
    subscriber.hand_out()
    with pytest.raises(ConnectionClosedError, match="^the client was closed$"):
        listener.result()
    with pytest.raises(ConnectionClosedError, match="^the client was closed$"):
        wire.unwant(subscriber)
    assert "ended" in repr(subscriber)
    assert repr(wire.registry) == "<Registry: 0 subscribers of 0 names>"
    wire.registry.end(subscriber, ConnectionClosedError("again"))
    assert str(subscriber.error) == "the client was closed"


def test_what_there_is_can_be_seen() -> None:
    wire, subscriber = live(A)
    (name,) = subscriber.names
    assert repr(name) == "<Name of a CHANNEL LIVE: 1 subscribers>"
    assert wire.link is subscriber.connection
    assert wire.want(subscriber, B).connection is wire.link


def test_text_is_made_of_all_data() -> None:
    text = decoded("utf-8")
    assert as_data(Message(b"a", b"x", b"p", sharded=False), text) == Message("a", "x", "p")
    assert as_data(Message(b"a", b"x"), text) == Message("a", "x")
    keys: Any = [b"k", None, [b"l"]]  # as `__redis__:invalidate` has them
    told: Any = ["k", None, ["l"]]
    assert as_data(Message(b"a", keys), text) == Message("a", told)
    assert as_data(Gap((b"a",), "why", 1), text) == Gap(("a",), "why", 1)


# -- any history ----------------------------------------------------------------------------------------------------------------

NAMES = [(kind, word) for kind in Kind for word in (b"a", b"b", b"c")]
PUSHES = {CHANNEL: "message", PATTERN: "pmessage", SHARD: "smessage"}
BOUNDS: st.SearchStrategy[tuple[int, Overflow]] = st.tuples(
    st.sampled_from([3, 1000]), st.sampled_from(["drop_oldest", "drop_newest", "error"])
)


class History(RuleBasedStateMachine):
    """Subscribers come, change their minds and go; the connection comes and goes; the server refuses, and publishes numbers."""

    @initialize(
        bounds=st.lists(BOUNDS, min_size=1, max_size=3), names=st.lists(st.sampled_from(NAMES), min_size=1, unique=True)
    )
    def begin(self, bounds: list[tuple[int, Overflow]], names: list[tuple[Kind, bytes]]) -> None:
        """Most beginnings are subscribed to something: else hardly any message would come."""
        self.wire = Wire()
        self.subscribers: list[Subscriber] = []
        self.changes: list[tuple[Change, set[tuple[Kind, bytes]]]] = []
        self.numbers: Counter[tuple[Kind, bytes]] = Counter()
        self.seen: dict[tuple[Subscriber, tuple[Kind, bytes]], int] = {}
        self.left: dict[tuple[Subscriber, tuple[Kind, bytes]], int] = {}
        self.excused: dict[Subscriber, set[tuple[Kind, bytes]]] = {}
        self.messages = self.gaps = 0  # that were taken
        self.wire.open()
        for index, each in enumerate(bounds):
            self.comes(each)
            self.wants(index, names[index:] or names)
        self.wire.settle()

    @rule(bounds=BOUNDS)
    def comes(self, bounds: tuple[int, Overflow]) -> None:
        most, overflow = bounds
        self.subscribers.append(self.wire.subscriber(most=most, overflow=overflow))

    def _one(self, index: int) -> Subscriber | None:
        there = [one for one in self.subscribers if one.error is None]
        return there[index % len(there)] if there else None

    @rule(index=st.integers(0, 9), names=st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    def wants(self, index: int, names: list[tuple[Kind, bytes]]) -> None:
        if (subscriber := self._one(index)) is not None:
            before = {(name.kind, name.word) for name in subscriber.names}
            self.changes.append((self.wire.want(subscriber, *names), {*names} - before))

    @rule(index=st.integers(0, 9), names=st.none() | st.lists(st.sampled_from(NAMES), unique=True))
    def unwants(self, index: int, names: list[tuple[Kind, bytes]] | None) -> None:
        if (subscriber := self._one(index)) is not None:
            self._take(subscriber)
            left = {(name.kind, name.word) for name in subscriber.names} if names is None else {*names}
            self.changes.append((self.wire.registry.unwant(subscriber, names), set()))
            self.wire.send()
            self._forget(subscriber, left)

    @precondition(lambda self: self.changes)
    @rule(index=st.integers(0, 9))
    def gives_up(self, index: int) -> None:
        change, added = self.changes.pop(index % len(self.changes))
        if not change.over:
            self.wire.registry.cancel(change)
            self.wire.send()
            self._forget(change.subscriber, added)

    def _forget(self, subscriber: Subscriber, names: set[tuple[Kind, bytes]]) -> None:
        """What comes from here on is of another time: also behind what is held, and was published before."""
        for name in names:
            self.seen.pop((subscriber, name), None)
            self.left[subscriber, name] = self.numbers[name]

    @rule(index=st.integers(0, 9))
    def goes(self, index: int) -> None:
        if (subscriber := self._one(index)) is not None:
            self.wire.registry.end(subscriber, ConnectionClosedError("left"))
            self.wire.send()

    @precondition(lambda self: self.wire.registry.link is None)
    @rule()
    def opens(self) -> None:
        self.wire.open()

    @precondition(lambda self: self.wire.registry.link is not None)
    @rule()
    def is_lost(self) -> None:
        self.wire.lose()

    @precondition(lambda self: self.wire.registry.link is not None)
    @rule(index=st.integers(0, 9))
    def is_back_in_part(self, index: int) -> None:
        """There is another connection, and messages come by it though some names are still asked for."""
        self.publishes(index, 1)
        self.wire.lose()
        self.wire.open()
        if self.wire.sent:
            self.wire.answer()
        self.publishes(index, 1)

    @precondition(lambda self: self.wire.sent)
    @rule(all_of_them=st.booleans())
    def answers(self, all_of_them: bool) -> None:
        self.wire.answer()
        if all_of_them:
            self.wire.settle()

    @rule(name=st.sampled_from(NAMES))
    def forbids(self, name: tuple[Kind, bytes]) -> None:
        self.wire.forbidden ^= {name[1]}

    @rule(index=st.integers(0, 9), count=st.integers(1, 4))
    def publishes(self, index: int, count: int) -> None:
        there = sorted(self.wire.has, key=repr) or NAMES
        kind, word = name = there[index % len(there)]
        pushes = []
        for _ in range(count):
            self.numbers[name] += 1
            data = b"%d" % self.numbers[name]
            if name in self.wire.has:
                pushes.append(Push(PUSHES[kind], (word, word, data) if kind is PATTERN else (word, data)))
        self.wire.registry.heard(pushes)
        self.wire.send()  # one that is too slow has ended

    @rule(index=st.integers(0, 9))
    def takes(self, index: int) -> None:
        if (subscriber := self._one(index)) is not None:
            self._take(subscriber)

    def _take(self, subscriber: Subscriber) -> None:
        """Each hole in the numbers of a name has a gap, and none comes twice."""
        for item in taken(subscriber):
            if isinstance(item, Gap):
                self.excused[subscriber] = {*NAMES}
                self.gaps += 1
                continue
            self.messages += 1
            kind = SHARD if item.sharded else CHANNEL if item.pattern is None else PATTERN
            name, number = (kind, item.channel), int(item.data)
            last = self.seen.get((subscriber, name))
            excused = self.excused.setdefault(subscriber, set())
            assert last is None or number == last + 1 or (name in excused and number > last), (name, last, number)
            if number > self.left.get((subscriber, name), 0):
                self.seen[subscriber, name] = number
            excused.discard(name)

    @invariant()
    def keeps_account(self) -> None:
        registry = self.wire.registry
        wanted = {(name.kind, name.word) for one in registry.subscribers for name in one.names}
        assert {(name.kind, name.word) for name in registry.wanted} == wanted
        for subscriber in registry.subscribers:
            assert subscriber.missing >= 0
            assert (subscriber.broken is not None) == bool(subscriber.missing)
            items = [*subscriber.incoming, *subscriber.held]
            data = sum([len(item.data) for item in items if isinstance(item, Message)])
            assert subscriber.waiting == len(subscriber.ready) + len(items)
            assert subscriber._gaps == len([item for item in items if isinstance(item, Gap)])
            assert subscriber.full == (2 * len(items) >= subscriber.most or 2 * data >= subscriber.most_bytes)

    def teardown(self) -> None:
        """In the end the server has what is wanted, and no caller waits."""
        if not hasattr(self, "wire"):
            return
        self.wire.forbidden.clear()
        if self.wire.registry.link is None:
            self.wire.open()
        self.wire.settle()
        assert self.wire.has == {(name.kind, name.word) for name in self.wire.registry.wanted}
        waiting = [(change.joins, [*change.pending]) for change, _ in self.changes if not change.over]
        assert not waiting
        assert not self.wire.registry.changes
        for subscriber in self.subscribers:
            self._take(subscriber)
            assert all(subscriber.names.values())
        counted = self.wire.registry.stats()
        assert (counted.messages, counted.gaps, counted.waiting) == (self.messages + counted.dropped, self.gaps, 0)


TestHistory = History.TestCase

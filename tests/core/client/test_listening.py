"""A client's subscriptions: when their link is dialled, asked, lost and closed, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.client.stage import LANES, Stage
from resp_sansio import (
    ClientSettings,
    CloseReason,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    Gap,
    LocalProtocolError,
    Message,
    PoolSettings,
    Push,
    ReplyError,
    Retry,
)
from resp_sansio.client import Kind, Listener, Subscriber
from resp_sansio.client.feeds import Change
from resp_sansio.client.listening import KEEP_ALIVE
from resp_sansio.client.subscriptions import Registry
from resp_sansio.connection import SlotState
from resp_sansio.testing import Peer

CHANNEL, PATTERN, SHARD = Kind
A, B = (CHANNEL, b"a"), (CHANNEL, b"b")
POOL = PoolSettings()


def done(listener: Listener) -> bool:
    """Has it what it waited for?"""
    return listener.state is SlotState.ANSWERED and listener.result() is None


class Subscribed(Stage):
    """A stage with subscribers; the newest link is theirs."""

    def subscriber(self, loan: Any = None) -> Subscriber:
        return self.client.subscriber(loan, 1000, 1 << 20, "drop_oldest")

    def want(self, subscriber: Subscriber, *names: tuple[Kind, bytes], deadline: float = 1e9) -> Listener:
        return self._begin(self.client.subscribe(subscriber, names, self.now), deadline)

    def unwant(self, subscriber: Subscriber, *names: tuple[Kind, bytes]) -> Listener:
        return self._begin(self.client.unsubscribe(subscriber, names or None, self.now), 1e9)

    def _begin(self, change: Change, deadline: float) -> Listener:
        self.run()
        return self.listen(change, deadline)

    def leave(self, subscriber: Subscriber) -> None:
        self.client.leave(subscriber, self.now)
        self.run()

    def subscribed(self, *names: tuple[Kind, bytes], loan: Any = None) -> Subscriber:
        subscriber = self.subscriber(loan)
        assert done(self.want(subscriber, *names))
        return subscriber

    def publish(self, channel: bytes, data: bytes) -> None:
        for push in self.peers[self.link].publish(channel, data):
            parts: list[Any] = [push.kind.encode(), *push.items]
            sign = b">" if self.link.core.protocol == 3 else b"*"
            said = b"".join([b"$%d\r\n%b\r\n" % (len(one), one) for one in parts])
            self.say(self.link, b"%b%d\r\n" % (sign, len(parts)) + said)

    def hear(self, subscriber: Subscriber) -> list[Any]:
        listener = self.listen(subscriber)
        if listener.state is SlotState.QUEUED:
            self.stop_listening(listener)
        items = [*subscriber.ready]
        subscriber.ready.clear()
        return items

    def asked(self) -> list[tuple[bytes, ...]]:
        """The commands on subscriptions that the newest link's server got."""
        return [one.words for one in self.peers[self.link].received if b"SUBSCRIBE" in one.words[0]]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize(("settings", "pool"), [(LANES, None), (None, POOL), (LANES, POOL)])
def test_their_link_is_dialled_when_a_name_is_wanted_and_closed_when_none_is(
    settings: Any, pool: Any, protocol: int
) -> None:
    stage = Subscribed(settings, pool, protocol=protocol)
    assert stage.dialled == 0
    subscriber = stage.subscribed(A, (PATTERN, b"p*"))
    other = stage.subscribed(A)
    assert stage.dialled == 1
    stats: Any = stage.client.stats()
    assert stats.subscriptions.created == 1
    assert stage.asked() == [(b"SUBSCRIBE", b"a"), (b"PSUBSCRIBE", b"p*")]
    stage.publish(b"a", b"1")
    assert stage.hear(subscriber) == [Message(b"a", b"1"), Message(b"a", b"1", b"p*")]
    assert stage.hear(other) == [Message(b"a", b"1")]
    link = stage.link
    stage.leave(other)
    stage.leave(other)
    stage.unwant(subscriber, A)
    assert stage.asked()[2:] == [(b"UNSUBSCRIBE", b"a")]
    assert not link.ended
    assert done(stage.unwant(subscriber))
    assert stage.closed == [link]
    assert link.reason is CloseReason.SURPLUS
    assert stage.client.links == []
    stage.want(subscriber, B)  # it may want again
    assert stage.dialled == 2


def test_a_lost_link_is_dialled_again_at_the_pace_of_all_dials() -> None:
    stage = Subscribed(ClientSettings(retry=Retry(base=1.0, cap=8.0)))
    subscriber = stage.subscribed(A)
    stage.cut(stage.link)
    assert stage.dialled == 1  # it had not lasted for long
    assert "away" in repr(subscriber)
    waits = stage.listen(subscriber)
    stage.away = True
    stage.pass_time(1.0)
    assert stage.dialled == 2
    stage.away = False
    stage.pass_time(10.0)
    assert stage.dialled == 3
    assert done(waits)
    assert [*subscriber.ready] == [Gap((b"a",), "the server closed the connection")]
    subscriber.ready.clear()
    stage.pass_time(10.0)
    stage.cut(stage.link)
    assert stage.dialled == 4  # at once
    assert len(stage.hear(subscriber)) == 1


def test_the_first_dials_are_as_many_as_a_call_has_attempts() -> None:
    stage = Subscribed(ClientSettings(retry=Retry(attempts=3, base=0.1, cap=0.1)))
    stage.away = True
    waits = stage.want(stage.subscriber(), A)
    stage.pass_time(10.0)
    assert stage.dialled == 3
    with pytest.raises(ConnectError, match="connection refused; 3 attempts were made"):
        waits.result()
    assert stage.client.next_deadline() == float("inf")


def test_a_dial_that_can_not_succeed_ends_all_and_is_told() -> None:
    stage = Subscribed(dials_at_once=False)
    first = stage.subscriber()
    change = stage.want(first, A)
    stage.connect()
    assert done(change)
    stage.cut(stage.link)
    stage.pass_time(10.0)
    second = stage.want(stage.subscriber(), B)
    stage.refuse(KeyError("no such secret"))
    for listener in (second, stage.listen(first)):
        with pytest.raises(ConnectError, match="^no connection for subscriptions came about: KeyError$") as caught:
            listener.result()
        assert isinstance(caught.value.__cause__, KeyError)
    assert stage.dials == []


def test_a_dial_that_was_given_up_is_made_again() -> None:
    stage = Subscribed(dials_at_once=False)
    change = stage.want(stage.subscriber(), A)
    stage.give_up()
    stage.pass_time(1.0)
    stage.connect()
    assert done(change)


def test_a_change_that_is_late_says_whether_the_server_was_there() -> None:
    stage = Subscribed(dials_at_once=False)
    subscriber = stage.subscriber()
    late = stage.want(subscriber, A, deadline=1.0)
    stage.pass_time(2.0)
    with pytest.raises(CommandTimeoutError, match="could not be reached in time"):
        late.result()
    stage.client.cancel(late.what, stage.now)
    stage.connect()  # it is not wanted any more
    assert stage.client.links == []
    stage.want(subscriber, B)
    stage.connect()
    stage.deaf.add(stage.link)
    late = stage.want(subscriber, A, deadline=stage.now + 1)
    stage.pass_time(2.0)
    with pytest.raises(CommandTimeoutError, match="did not confirm"):
        late.result()
    waits = stage.listen(subscriber, stage.now + 1)
    stage.pass_time(2.0)
    with pytest.raises(CommandTimeoutError, match="no message came in time"):
        waits.result()


def test_a_refusal_is_told_and_the_link_closed_that_serves_nothing() -> None:
    stage = Subscribed()
    stage.dials_at_once = False
    waits = stage.want(stage.subscriber(), A)
    link = stage.client.connected(stage.dials.pop(), stage.now)
    stage.peers[link] = Peer(refused={"SUBSCRIBE": ReplyError("NOPERM no")})
    stage.flush(link)
    stage.run()
    with pytest.raises(ReplyError, match="NOPERM"):
        waits.result()
    assert stage.client.links == []


def test_a_server_that_is_busy_when_it_is_asked_again_is_left() -> None:
    stage = Subscribed()
    subscriber = stage.subscribed(A)
    stage.pass_time(5.0)
    stage.dials_at_once = False
    stage.cut(stage.link)
    link = stage.client.connected(stage.dials.pop(), stage.now)
    stage.peers[link] = Peer(refused={"SUBSCRIBE": ReplyError("BUSY Redis is\n\x1b[31mbusy")})
    stage.flush(link)
    stage.run()
    assert link.ended
    assert str(link.core.error) == "subscribing again was refused: BUSY Redis is??[31mbusy"
    stage.pass_time(5.0)
    stage.connect()
    assert [type(item) for item in stage.hear(subscriber)] == [Gap]


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_link_that_is_silent_is_asked_whether_it_is_there(protocol: int) -> None:
    stage = Subscribed(protocol=protocol, silence_timeout=10.0)
    subscriber = stage.subscribed(A)
    stage.pass_time(2 * KEEP_ALIVE + 11)
    assert stage.link.core.stats().pings >= 1
    assert stage.dialled == 1
    stage.publish(b"a", b"1")
    assert stage.hear(subscriber) == [Message(b"a", b"1")]
    stage.deaf.add(stage.link)
    stage.pass_time(2 * KEEP_ALIVE + 25)
    assert stage.dialled == 2
    assert [type(item) for item in stage.hear(subscriber)] == [Gap]
    quick = Subscribed(ping_interval=1.0)
    quick.subscribed(A)
    quick.pass_time(5.0)
    assert quick.link.core.stats().pings >= 2


def test_messages_and_confirmations_are_told_apart_in_one_read() -> None:
    stage = Subscribed(protocol=2)
    subscriber = stage.subscribed(A)
    said = b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n%d\r\n"
    stage.deaf.add(stage.link)
    change = stage.want(subscriber, B)
    stage.say(stage.link, said % 1 + b"*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n" + said % 2)
    assert done(change)
    stage.say(stage.link, said % 3 + said % 4)
    assert [item.data for item in stage.hear(subscriber)] == [b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize("odd", [b"*0\r\n", b"*1\r\n*1\r\n:1\r\n", b"*1\r\n$5\r\nother\r\n", b":1\r\n"])
def test_what_comes_unasked_and_is_no_message_ends_the_link(odd: bytes) -> None:
    stage = Subscribed(protocol=2)
    subscriber = stage.subscribed(A)
    stage.pass_time(5.0)
    stage.say(stage.link, odd)
    assert stage.dialled == 2
    (gap,) = stage.hear(subscriber)
    assert "a reply came that no command asked for" in gap.why


def test_a_message_without_data_ends_the_link() -> None:
    stage = Subscribed()
    subscriber = stage.subscribed(A)
    stage.pass_time(5.0)
    stage.say(stage.link, b">2\r\n$7\r\nmessage\r\n$1\r\na\r\n")
    (gap,) = stage.hear(subscriber)
    assert gap.why == "a message came that has no channel, or no data"
    unasked = Subscribed(dials_at_once=False)
    unasked.want(unasked.subscriber(), A)
    link = unasked.connect()
    unasked.leave(next(iter(unasked.client._subscriptions.registry.subscribers)))
    assert link.ended


def test_a_push_that_no_one_asked_for_is_dropped() -> None:
    stage = Subscribed()
    subscriber = stage.subscribed(A)
    stage.say(stage.link, b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n")
    stage.say(stage.link, b"|1\r\n+a\r\n+b\r\n>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n1\r\n")
    assert stage.hear(subscriber) == [Message(b"a", b"1")]


def test_while_all_have_enough_the_link_is_not_read() -> None:
    stage = Subscribed()
    subscriber = stage.client.subscriber(None, 4, 1 << 20, "drop_oldest")
    assert done(stage.want(subscriber, A))
    stage.publish(b"a", b"1")
    assert stage.link.core.wants_to_receive
    stage.publish(b"a", b"2")
    assert not stage.link.core.wants_to_receive
    stage.deaf.add(stage.link)
    change = stage.want(subscriber, B)
    assert stage.link.core.wants_to_receive  # a caller waits for the reply
    stage.wake()
    assert done(change)
    assert not stage.link.core.wants_to_receive
    assert len(stage.hear(subscriber)) == 2
    assert stage.link.core.wants_to_receive


def test_who_leaves_is_followed_by_the_next() -> None:
    stage = Subscribed()
    subscriber = stage.subscribed(A)
    first, second = stage.listen(subscriber), stage.listen(subscriber)
    stage.publish(b"a", b"1")
    assert (first.state, second.state) == (SlotState.ANSWERED, SlotState.ANSWERED)
    third = stage.listen(subscriber)
    assert third.state is SlotState.ANSWERED  # at once
    stage.stop_listening(third)
    assert [*subscriber.ready] == [Message(b"a", b"1")]  # nothing was taken


def test_a_link_that_ends_with_what_it_says_is_asked_nothing_more() -> None:
    stage = Subscribed()
    shard = (SHARD, b"s")
    subscriber = stage.subscribed(shard)
    stage.pass_time(5.0)
    stage.say(stage.link, b">3\r\n$12\r\nsunsubscribe\r\n$1\r\ns\r\n:0\r\n" + b"?\r\n")
    assert stage.dialled == 2
    assert [type(item) for item in stage.hear(subscriber)] == [Gap]


def test_a_push_behind_the_handshake_is_of_no_subscriber() -> None:
    stage = Subscribed(dials_at_once=False)
    subscriber = stage.subscriber()
    change = stage.want(subscriber, A)
    link = stage.client.connected(stage.dials.pop(), stage.now)
    stage.peers[link] = peer = Peer()
    block = bytes(link.core.data_to_send())
    link.core.sent(len(block))
    stage.say(link, b"".join(peer.receive(block)) + b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n0\r\n")
    assert done(change)
    assert stage.hear(subscriber) == []


# -- a connection of one's own --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3])
def test_on_a_connection_subscriptions_use_it_and_end_with_it(protocol: int) -> None:
    stage = Subscribed(None, None, once=True, protocol=protocol)
    share = stage.lease()
    subscriber = stage.subscribed(A, loan=share)
    assert stage.dialled == 1
    stage.publish(b"a", b"1")
    stage.publish(b"other", b"2")
    assert stage.hear(subscriber) == [Message(b"a", b"1")]
    stage.leave(stage.subscribed(B, loan=share))
    stage.say(stage.link, b"%b3\r\n$7\r\nmessage\r\n$1\r\nb\r\n$1\r\n1\r\n" % (b">" if protocol == 3 else b"*"))
    assert stage.listen(share).result() == Push("message", (b"b", b"1"))
    stage.cut(stage.link)
    with pytest.raises(ConnectionLostError, match="^the connection of the subscription has ended: the server closed"):
        stage.listen(subscriber).result()
    with pytest.raises(ConnectionClosedError):
        stage.subscriber(share)
    with pytest.raises(ConnectionClosedError):
        stage.client.subscribe(subscriber, [B], stage.now)


def test_what_a_connection_says_before_it_ends_is_had() -> None:
    stage = Subscribed(None, None, once=True)
    share = stage.lease()
    subscriber = stage.subscribed(A, loan=share)
    stage.say(stage.link, b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n1\r\n" + b"?\r\n")
    assert stage.link.ended
    assert stage.hear(subscriber) == [Message(b"a", b"1")]


def test_leaving_a_connections_subscription_leaves_the_connection() -> None:
    stage = Subscribed(None, None, once=True, protocol=2)
    share = stage.lease()
    subscriber = stage.subscribed(A, loan=share)
    change = stage.client.leave(subscriber, stage.now)
    stage.run()
    assert change is not None
    assert done(stage.listen(change))
    assert stage.told(stage.call("ECHO", "x")) == b"x"
    assert stage.client.leave(subscriber, stage.now) is None


def test_a_connection_that_is_closing_takes_no_subscription() -> None:
    stage = Subscribed(None, None, once=True)
    share = stage.lease()
    subscriber = stage.subscriber(share)
    stage.deaf.add(stage.link)
    stage.call("QUIT", lease=share)
    waits = stage.want(subscriber, A)
    with pytest.raises(LocalProtocolError, match="closing"):
        waits.result()


def test_a_connection_that_is_given_back_ends_its_subscriptions() -> None:
    stage = Subscribed(None, POOL)
    lease = stage.lease()
    subscriber = stage.subscribed(A, loan=lease)
    waits = stage.listen(subscriber)
    link = stage.link
    stage.release(lease)
    with pytest.raises(ConnectionClosedError, match="given back"):
        waits.result()
    assert link.ended


# -- the client as a whole ------------------------------------------------------------------------------------------------------


def test_closing_and_draining_end_them() -> None:
    for ends in ("close", "drain"):
        stage = Subscribed(LANES, POOL)
        subscriber = stage.subscribed(A)
        waits = stage.listen(subscriber)
        getattr(stage.client, ends)(stage.now)
        stage.run()
        with pytest.raises(ConnectionClosedError, match="^the client was closed$"):
            waits.result()
        with pytest.raises(ConnectionClosedError, match="the client was closed"):
            stage.subscriber()
        assert stage.client.links == []
        assert stage.drained is (ends == "drain")
        stage.leave(subscriber)
        opening = Subscribed(dials_at_once=False)
        waits = opening.want(opening.subscriber(), A)
        getattr(opening.client, ends)(opening.now)
        opening.run()
        with pytest.raises(ConnectionClosedError):
            waits.result()
        opening.connect()
        assert opening.client.links == []


def test_retiring_leaves_their_link_for_another() -> None:
    stage = Subscribed()
    subscriber = stage.subscribed(A)
    first = stage.link
    stage.deaf.add(first)
    stage.want(subscriber, B)
    stage.client.retire(stage.now)
    stage.run()
    assert first.ended
    assert first.reason is CloseReason.RETIRED
    assert stage.dialled == 2
    assert [type(item) for item in stage.hear(subscriber)] == [Gap]
    opening = Subscribed(dials_at_once=False)
    waits = opening.want(opening.subscriber(), A)
    opening.client.retire(opening.now)
    opening.connect()
    opening.connect()
    assert done(waits)


def test_a_breaker_is_for_callers_and_not_for_subscriptions() -> None:
    stage = Subscribed(
        ClientSettings(retry=Retry(base=0.1, cap=0.1)), PoolSettings(breaker_failures=1, breaker_seconds=60.0)
    )
    subscriber = stage.subscribed(A)
    stage.pass_time(5.0)
    stage.away = True
    slot = stage.call("GET", "a", deadline=stage.now + 0.05)
    stage.cut(stage.link)
    stage.pass_time(1.0)
    assert slot in stage.ended
    stage.away = False
    stage.pass_time(1.0)
    assert [type(item) for item in stage.hear(subscriber)] == [Gap]


def test_a_subscriber_of_another_process_is_told_so() -> None:
    parent, child = Subscribed(), Subscribed()
    subscriber = parent.subscribed(A)
    with pytest.raises(ConnectionClosedError, match="before a fork"):
        child.client.subscribe(subscriber, [B], child.now)
    with pytest.raises(ConnectionClosedError, match="before a fork"):
        child.listen(subscriber)
    parent.client.close(parent.now)
    with pytest.raises(ConnectionClosedError, match="the client was closed"):
        child.client.unsubscribe(subscriber, None, child.now)


# -- interrupts -----------------------------------------------------------------------------------------------------------------


def test_a_change_that_was_cut_short_is_done_anew_on_another_link() -> None:
    stage = Subscribed()
    subscriber = stage.subscribed(A)
    stage.pass_time(5.0)
    registry = subscriber.registry
    registry.busy = True
    registry.want(subscriber, [B])  # and no more: an interrupt
    stage.client.reconcile(stage.now, lambda _: True, [])
    stage.run()
    stage.pass_time(5.0)
    assert stage.dialled == 2
    assert stage.asked() == [(b"SUBSCRIBE", b"a", b"b")]
    assert [type(item) for item in stage.hear(subscriber)] == [Gap]
    waits = stage.listen(subscriber, stage.now + 1)
    stage.client.reconcile(stage.now, lambda _: True, [])
    stage.pass_time(2.0)
    assert waits.state is SlotState.LOST  # its time is looked after


def test_a_loss_that_an_interrupt_has_kept_from_subscribers_is_told_to_them() -> None:
    stage = Subscribed()
    subscriber = stage.subscribed(A)
    lost = subscriber.registry.link
    lost.ended = True  # and no more
    stage.client._links.remove(lost)
    stage.client.reconcile(stage.now, lambda _: True, [])
    stage.pass_time(5.0)
    assert stage.dialled == 2
    assert stage.asked() == [(b"SUBSCRIBE", b"a")]
    assert [type(item) for item in stage.hear(subscriber)] == [Gap]


@pytest.mark.parametrize("struck", ["want", "unwant", "cancel", "end"])
def test_an_interrupt_in_a_change_of_any_kind_is_made_good(struck: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Subscribed()
    subscriber = stage.subscribed(A)
    client, now, link = stage.client, stage.now, subscriber.connection
    change = client.subscribe(subscriber, [B], now)
    stage.run()

    def strike(*_: object) -> None:
        raise KeyboardInterrupt

    changes: dict[str, Callable[[], object]] = {
        "want": lambda: client.subscribe(subscriber, [(CHANNEL, b"c")], now),
        "unwant": lambda: client.unsubscribe(subscriber, [A], now),
        "cancel": lambda: client.cancel(change, now),
        "end": lambda: client.leave(subscriber, now),
    }
    monkeypatch.setattr(Registry, struck, strike)
    with pytest.raises(KeyboardInterrupt):
        changes[struck]()
    monkeypatch.undo()
    client.reconcile(now, lambda _: True, [])
    stage.run()
    assert link.ended  # on another one all is asked for anew


@pytest.mark.parametrize("step", ["mends", "ends"])
def test_an_interrupt_gives_no_message_twice_that_was_held(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """CPython looks for signals behind each call: also behind that of a class, which no profiler sees."""
    subscriber = Subscribed().subscribed(A)
    subscriber.breaks("lost", 1)
    held = Message(b"a", b"x")
    subscriber.held.append(held)
    subscriber.missing = 0
    steps: dict[str, Callable[[], object]] = {
        "mends": subscriber.mends,
        "ends": lambda: subscriber.ends(ConnectionClosedError("closed")),
    }
    go_on = steps[step]

    def strike() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("resp_sansio.client.subscriber.deque", strike)
    with pytest.raises(KeyboardInterrupt):
        go_on()
    monkeypatch.undo()
    go_on()
    assert [item for item in (*subscriber.incoming, *subscriber.held) if item is held] == [held]


def test_a_change_that_was_cut_short_without_a_link() -> None:
    stage = Subscribed(dials_at_once=False)
    subscriber = stage.subscriber()
    registry = subscriber.registry
    registry.busy = True
    change = registry.want(subscriber, [A])
    stage.client.reconcile(stage.now, lambda _: True, [])
    stage.run()
    stage.connect()
    assert done(stage.listen(change))


def test_a_listener_that_was_cut_short_is_resumed() -> None:
    stage = Subscribed()
    subscriber = stage.subscribed(A)
    lost = Listener(subscriber)  # an interrupt has struck before it was in the list
    stage.client.resume(lost, stage.now)
    stage.publish(b"a", b"1")
    assert stage.heard[-1] is lost
    stage.client.resume(lost, stage.now)
    stage.run()
    assert stage.heard[-1] is lost  # told again: it may not have heard


def test_what_came_as_an_interrupt_struck_is_told() -> None:
    """Of a change and of messages, before it was noted that there is something to be told."""
    stage = Subscribed(dials_at_once=False)
    subscriber = stage.subscriber()
    waits = stage.want(subscriber, A)
    waits.what.confirmed(*waits.what.pending)
    stage.client.resume(waits, stage.now)
    stage.run()
    assert stage.heard[-1] is waits
    waits = stage.listen(subscriber)
    subscriber.incoming.append(Message(b"a", b"1"))
    stage.client.resume(waits, stage.now)
    stage.run()
    assert stage.heard[-1] is waits


def test_a_dial_for_subscriptions_that_no_event_told_of_is_told() -> None:
    stage = Subscribed(dials_at_once=False)
    stage.want(stage.subscriber(), A)
    dial = stage.dials.pop()
    stage.client.reconcile(stage.now, lambda _: True, [])
    stage.run()
    assert stage.dials == [dial]
    link = stage.connect()
    stage.client.reconcile(stage.now, lambda _: True, [])
    stage.run()
    assert not link.ended
    link.ended = True  # about to be told
    stage.client.links.clear()


def test_what_waits_for_a_reader_is_none_of_a_forks_childs() -> None:
    made = Subscribed(None, POOL)
    own = made.subscribed(A, loan=made.lease())
    made.publish(b"a", b"1")
    own.ready.append(Message(b"a", b"0"))
    assert own.incoming
    made.client.disown()
    assert not own.ready
    assert not own.incoming
    made = Subscribed(LANES)
    shared = made.subscribed(A)
    made.publish(b"a", b"1")
    assert shared.incoming
    made.cut(made.link)
    made.client.disown()
    assert not shared.incoming
    Subscribed(LANES).client.disown()  # none subscribes

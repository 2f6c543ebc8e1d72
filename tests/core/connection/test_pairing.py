"""Whose reply is this, by example: runs of replies, skipped ones, pushes, subscriptions, modes, transactions."""

from __future__ import annotations

import pickle
import sys
from types import FrameType
from typing import Any, Final, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machines import lost, opened, protocol_of, pushes, state, write_all
from resp_sansio import Command, ConnectionClosedError, Limits, Outcome, Push, RemoteProtocolError, Reply, ReplyError
from resp_sansio.connection import (
    Batch,
    Connection,
    ConnectionLost,
    Handshake,
    PushReceived,
    Slot,
    SlotState,
    State,
    StatefulBatch,
)
from resp_sansio.testing import Peer, exact, replies, splits, talk
from resp_sansio.wire import encode_command, encode_reply

REPLY, NOT_SENT, MAYBE = Outcome.REPLY, Outcome.NOT_SENT, Outcome.MAYBE_EXECUTED
GET = Command("GET", "key")


TRANSACTION = [Command("MULTI"), Command("ECHO", "1"), Command("ECHO", "2"), Command("EXEC")]


def test_it_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="a Connection cannot be pickled"):
        pickle.dumps(opened()[0])


def test_a_second_batch_is_not_answered_by_what_came_with_the_answers_to_the_first() -> None:
    connection = Connection(Handshake())
    write_all(connection)
    connection.receive_data(b"-ERR unknown command 'HELLO'\r\n+PONG\r\n")
    assert "no command asked for" in str(lost(connection).error)


@pytest.mark.parametrize("commands", [[GET, GET], [Command("MULTI"), Command("ECHO", "1"), Command("EXEC")]])
def test_an_interrupt_as_a_reply_is_put_in_leaves_as_many_missing_as_are_not_there(
    commands: list[Command[Any]],
) -> None:
    """A pipeline that goes on elsewhere sends those that are missing: it would have had one reply too many."""
    connection, _ = opened()
    slot = connection.send_many(commands)
    assert isinstance(slot, Batch)
    connection.send(Command("CONFIG", "SET", "requirepass", "x"))  # behind it is a command that is watched
    write_all(connection)

    def strike(frame: FrameType, event: str, what: Any) -> None:
        if event == "c_return" and what.__name__ == "append" and what.__self__ is slot.replies:
            sys.setprofile(None)
            raise KeyboardInterrupt

    sys.setprofile(strike)
    try:
        with pytest.raises(KeyboardInterrupt):
            connection.receive_data(encode_reply("OK"))
    finally:
        sys.setprofile(None)
    assert slot.replies == ["OK"]
    assert slot.missing == len(commands) - 1


# -- however the bytes are cut ---------------------------------------------------------------------------------------------------

COMMANDS: Final = (
    *[Command("GET", "k")] * 6,
    Command("SUBSCRIBE", "a", "b"),
    Command("PSUBSCRIBE", "p"),
    Command("UNSUBSCRIBE"),
    Command("CONFIG", "SET", "requirepass", "secret"),
    Command("RESET"),
    Command("HELLO", 3),
    Command("PING"),
)


@st.composite
def streams(draw: st.DrawFn, sent: list[list[Command[Reply]]], protocol: Literal[2, 3], close: bool) -> bytes:
    """What a server says to these commands: values of any kind, pushes between them, and perhaps something mad in the end."""
    peer = Peer(answer=lambda _: draw(replies(protocol)))
    peer.receive(payload(Command("HELLO", protocol)))
    stream = b""
    for command in [command for one in sent for command in one]:
        if draw(st.booleans()):
            for push in peer.publish(b"a", b"hi"):
                stream += peer.push(push.kind, *push.items)
        if peer.protocol == 3 and draw(st.booleans()):
            stream += peer.push("invalidate", [b"k"])
        if peer.protocol == 3 and draw(st.booleans()):
            stream += b"|1\r\n+ttl\r\n:1\r\n"
        stream += b"".join(peer.receive(payload(command)))
    # (A push behind the last reply of a closing connection may be told or not: it comes when all is over.)
    return stream + draw(st.sampled_from([b"", b"", b"@", b"+surplus\r\n", *([] if close else [b">1\r\n+x\r\n"])]))


def payload(command: Command[Reply]) -> bytes:
    encoded = encode_command(command.args)
    assert isinstance(encoded, bytes)
    return encoded


def play(
    chunks: list[bytes], sent: list[list[Command[Reply]]], abandoned: set[int], protocol: Literal[2, 3], close: bool
) -> tuple[list[object], str]:
    """Send, abandon some, receive these chunks, and tell all that happened."""
    connection, _ = opened(protocol)
    slots = [connection.send_many(commands) if len(commands) > 1 else connection.send(commands[0]) for commands in sent]
    write_all(connection)
    for index in abandoned & set(range(len(slots))):
        connection.abandon(slots[index])
    if close:
        connection.close()
    told: list[object] = []
    for chunk in chunks:
        connection.receive_data(chunk)
        for event in connection.events():
            if isinstance(event, Slot):
                told.append((slots.index(event), exact(event.reply), exact(event.attributes)))
            elif isinstance(event, PushReceived):
                told.append(exact(event.push))
            elif isinstance(event, ConnectionLost):
                told.append(
                    (type(event.error), [(slots.index(slot), list(slot.outcomes)) for slot in event.unanswered])
                )
    # The end comes again at every later call.
    return [one for index, one in enumerate(told) if index == 0 or one != told[index - 1]], repr(connection)


@given(
    sent=st.lists(st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=4), min_size=1, max_size=5),
    abandoned=st.sets(st.integers(0, 4)),
    protocol=st.sampled_from([2, 3]),
    close=st.booleans(),
    data=st.data(),
)
def test_a_conversation_is_the_same_whole_byte_by_byte_and_however_it_is_split(
    sent: list[list[Command[Reply]]], abandoned: set[int], protocol: Literal[2, 3], close: bool, data: st.DataObject
) -> None:
    stream = data.draw(streams(sent, protocol, close))
    whole = play([stream], sent, abandoned, protocol, close)
    bytewise = [stream[index : index + 1] for index in range(len(stream))]
    assert play(bytewise, sent, abandoned, protocol, close) == whole
    assert play(data.draw(splits(stream)), sent, abandoned, protocol, close) == whole


# -- replies and slots ---------------------------------------------------------------------------------------------------------


def test_a_reply_belongs_to_the_first_slot_in_flight_and_brings_back_its_token() -> None:
    connection, peer = opened()
    token = object()
    slots = [connection.send(Command("ECHO", str(number)), token) for number in range(3)]
    assert talk(connection, peer) == slots
    assert [slot.reply for slot in slots] == [b"0", b"1", b"2"]
    assert all(slot.state is SlotState.ANSWERED and slot.token is token for slot in slots)


def test_a_pipeline_is_one_slot_with_all_replies_errors_among_them() -> None:
    connection, peer = opened()
    answers: dict[bytes, Reply] = {b"a": 1, b"b": ReplyError("ERR no"), b"c": None}
    peer.answer = lambda words: answers[words[-1]]
    slot = connection.send_many([Command("GET", key) for key in "abc"], "token")
    other = connection.send(Command("GET", "a"))
    assert talk(connection, peer) == [slot, other]
    assert slot.reply == [1, ReplyError("ERR no"), None]
    assert (slot.token, slot.name, other.reply) == ("token", "pipeline of 3 commands", 1)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_may_bring_replies(kind: type[bytes]) -> None:
    connection, _ = opened()
    slot = connection.send(GET)
    write_all(connection)
    connection.receive_data(kind(b"+1\r\n"))
    assert connection.events() == [slot]


def test_a_pipeline_waits_for_its_last_reply() -> None:
    connection, _ = opened()
    slot = connection.send_many([GET, GET, GET])
    write_all(connection)
    connection.receive_data(b"+1\r\n")
    connection.receive_data(b"+2\r\n")
    assert connection.events() == []
    connection.receive_data(b"+3\r\n")
    assert connection.events() == [slot]
    assert slot.reply == ["1", "2", "3"]


def test_attributes_ride_on_their_reply() -> None:
    connection, _ = opened()
    plain, batch = connection.send(GET), connection.send_many([GET])
    write_all(connection)
    connection.receive_data(b"|1\r\n+ttl\r\n:3\r\n+1\r\n")
    assert connection.events() == [plain]
    assert (plain.reply, plain.attributes) == ("1", {"ttl": 3})
    connection.receive_data(b"|1\r\n+ttl\r\n:4\r\n+2\r\n")
    assert connection.events() == [batch]
    assert (batch.reply, batch.attributes) == (["2"], {0: {"ttl": 4}})


def test_pushes_between_replies_answer_nobody() -> None:
    connection, _ = opened()
    slot = connection.send_many([GET, GET])
    write_all(connection)
    connection.receive_data(b"+1\r\n>2\r\n+invalidate\r\n*1\r\n$1\r\nx\r\n+2\r\n")
    assert connection.events() == [PushReceived(push=Push("invalidate", ([b"x"],))), slot]


@pytest.mark.parametrize("care", [False, True])
def test_a_reply_that_nobody_asked_for_ends_the_connection_and_is_not_shown(care: bool) -> None:
    connection, _ = opened()
    slot = connection.send(GET)
    write_all(connection)
    connection.receive_data((b">1\r\n+x\r\n" if care else b"") + b"+1\r\n$6\r\nsecret\r\n+3\r\n")
    end = lost(connection)
    assert slot.reply == "1"
    assert isinstance(end.error, RemoteProtocolError)
    assert "secret" not in str(end.error)
    assert end.unanswered == []


def test_replies_before_a_malformed_byte_are_delivered() -> None:
    connection, _ = opened()
    first, second = connection.send(GET), connection.send(GET)
    write_all(connection)
    connection.receive_data(b"+1\r\n@\r\n")
    *before, last = connection.events()
    assert before == [first]
    assert isinstance(last, ConnectionLost)
    assert last.unanswered == [second]
    assert isinstance(second.failure(last.error), RemoteProtocolError)


# -- abandoning ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("commands", [[GET], [GET, GET], [Command("UNWATCH"), GET]])
@given(data=st.data())
def test_a_handed_slot_keeps_its_place_and_its_reply_is_skipped(
    commands: list[Command[Reply]], data: st.DataObject
) -> None:
    connection, _ = opened()
    before, gone, after = connection.send(GET), connection.send_many(commands), connection.send(GET)
    write_all(connection)
    stream = b"+before\r\n" + b"*2\r\n$5\r\nabcde\r\n+\r\n" * len(commands) + b"+after\r\n"
    where = data.draw(st.integers(0, len(stream)))
    connection.receive_data(stream[:where])
    events = connection.events()
    if gone.state is SlotState.HANDED:
        answered = len(gone.replies) if isinstance(gone, Batch) else 0
        assert connection.abandon(gone) == [REPLY] * answered + [MAYBE] * (len(commands) - answered)
    else:
        assert connection.abandon(gone) == (REPLY,) * len(commands)
    for cut in range(where, len(stream)):
        connection.receive_data(stream[cut : cut + 1])
    events += connection.events()
    assert [event for event in events if event is not gone] == [before, after]
    assert (before.reply, after.reply) == ("before", "after")
    assert "(0 abandoned)" in repr(connection)


def test_pushes_amid_a_reply_that_is_skipped_come_at_once() -> None:
    connection, _ = opened()
    gone = connection.send_many([GET, GET])
    write_all(connection)
    connection.abandon(gone)
    connection.receive_data(b"+1\r\n>1\r\n+ping\r\n")
    assert pushes(connection.events()) == [Push("ping", ())]
    connection.receive_data(b"*2\r\n+2\r\n")
    connection.receive_data(b"+3\r\n>1\r\n+pong\r\n@")
    assert pushes(connection.events()) == [Push("pong", ())]


@pytest.mark.parametrize("full", [False, True])
def test_pushes_amid_the_last_skipped_reply_come_before_the_end(full: bool) -> None:
    connection, _ = opened(max_pushes=1)
    connection.receive_data(encode_reply(Push("x", ())) * full)
    connection.events()
    gone = connection.send_many([GET, GET])
    write_all(connection)
    connection.abandon(gone)
    connection.close()
    connection.receive_data(b"+1\r\n>1\r\n+ping\r\n+2\r\n")
    *events, end = connection.events()
    assert pushes(events) == ([] if full else [Push("ping", ())])
    assert isinstance(end, ConnectionLost)


def test_pushes_before_an_unfinished_reply_that_is_skipped_come_at_once() -> None:
    connection, _ = opened()
    gone = connection.send(GET)
    write_all(connection)
    connection.abandon(gone)
    connection.receive_data(b">1\r\n+ping\r\n$10\r\nabc")
    assert pushes(connection.events()) == [Push("ping", ())]
    connection.receive_data(b"defghij\r\n")
    after = connection.send(GET)
    write_all(connection)
    connection.receive_data(b"+ok\r\n")
    assert connection.events() == [after]


@pytest.mark.parametrize("more", [b"", b"+surplus\r\n"])
def test_a_closing_connection_ends_with_the_last_reply_even_if_it_is_skipped(more: bytes) -> None:
    connection, _ = opened()
    gone = connection.send(GET)
    write_all(connection)
    connection.abandon(gone)
    connection.close()
    assert state(connection) is State.CLOSING
    connection.receive_data(b"+gone\r\n" + more)
    assert isinstance(lost(connection).error, ConnectionClosedError)


def test_closing_in_the_middle_of_a_skipped_reply() -> None:
    connection, _ = opened()
    gone, after = connection.send(GET), connection.send(GET)
    write_all(connection)
    connection.abandon(gone)
    connection.receive_data(b"$10\r\nabc")
    connection.close()
    connection.receive_data(b"defghij\r\n+after\r\n")
    events = connection.events()
    assert events[0] is after
    assert after.reply == "after"
    assert isinstance(events[1], ConnectionLost)


# -- the end -------------------------------------------------------------------------------------------------------------------


@given(cut=st.integers(0, 14))
def test_what_comes_after_the_last_reply_of_a_closing_connection_is_ignored(cut: int) -> None:
    connection, _ = opened()
    slot = connection.send(GET)
    connection.close()
    write_all(connection)
    stream = b"+last\r\n+more\r\n"
    connection.receive_data(stream[:cut])
    connection.receive_data(stream[cut:])
    assert connection.events()[0] is slot
    assert isinstance(lost(connection).error, ConnectionClosedError)


# -- subscriptions -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_subscription_is_answered_by_its_confirmations(protocol: Literal[2, 3]) -> None:
    connection, peer = opened(protocol)
    both = connection.send(Command("SUBSCRIBE", "a", "b"))
    pattern = connection.send(Command("PSUBSCRIBE", "p*"))
    assert talk(connection, peer) == [both, pattern]
    assert both.reply == [Push("subscribe", (b"a", 1)), Push("subscribe", (b"b", 2))]
    for push in peer.publish(b"a", b"hi"):
        connection.receive_data(peer.push(push.kind, *push.items))
    assert pushes(connection.events()) == [Push("message", (b"a", b"hi")), Push("pmessage", (b"p*", b"a", b"hi"))]
    ends = [connection.send(Command(name)) for name in ("UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE")]
    assert talk(connection, peer) == ends
    assert ends[0].reply == [Push("unsubscribe", (b"a", 2)), Push("unsubscribe", (b"b", 1))]
    assert ends[2].reply == [Push("sunsubscribe", (None, 0))]
    assert state(connection) is State.READY
    assert not connection.subscriptions


def test_on_resp2_messages_come_between_replies_and_are_told_apart() -> None:
    connection, _ = opened(2)
    connection.send(Command("SUBSCRIBE", "a"))
    gone, ping = connection.send(Command("PING")), connection.send(Command("PING"))
    connection.abandon(connection.send(Command("PING")))
    write_all(connection)
    connection.abandon(gone)
    message = encode_reply([b"message", b"a", b"hi"])
    connection.receive_data(encode_reply([b"subscribe", b"a", 1]) + message + encode_reply([b"pong", b""]) + message)
    connection.receive_data(encode_reply([b"pong", b""]) + message)
    events = connection.events()
    assert pushes(events) == [Push("message", (b"a", b"hi"))] * 3
    assert events[3] is ping


def test_a_push_on_resp2_shows_nothing_of_what_came() -> None:
    connection, _ = opened(2)
    connection.receive_data(b">1\r\n$100000\r\n%b\r\n" % (b"s" * 100_000))
    assert str(lost(connection).error) == "a push came on a connection that speaks RESP2"


def test_on_resp2_a_reply_that_looks_like_a_message_is_a_reply() -> None:
    connection, peer = opened(2)
    peer.answer = lambda words: [b"message", b"a", words[-1]]
    slots = [connection.send(Command("LRANGE", str(number))) for number in range(2)]
    slots.append(connection.send(Command("SUBSCRIBE", "a")))
    assert talk(connection, peer) == slots
    assert slots[1].reply == [b"message", b"a", b"1"]


def test_an_error_refuses_a_whole_subscription() -> None:
    connection, peer = opened()
    peer.refused = {"SUBSCRIBE": ReplyError("NOPERM no such channel for you")}
    slot = connection.send(Command("SUBSCRIBE", "a", "b"))
    assert talk(connection, peer) == [slot]
    assert slot.reply == ReplyError("NOPERM no such channel for you")
    assert state(connection) is State.READY


@pytest.mark.parametrize(
    ("protocol", "stream"),
    [
        (3, b">3\r\n+subscribe\r\n+a\r\n:1\r\n-ERR no\r\n"),  # an error between confirmations
        (3, b"+OK\r\n"),  # not a confirmation
        (3, b">3\r\n+psubscribe\r\n+a\r\n:1\r\n"),  # of something else
        (3, b">3\r\n+subscribe\r\n:1\r\n:1\r\n"),  # not a channel
        (3, b">3\r\n+subscribe\r\n_\r\n:1\r\n"),  # no channel
        (3, b">3\r\n+subscribe\r\n*0\r\n:1\r\n"),  # nothing that could be kept in a set
        (3, b">2\r\n+subscribe\r\n+a\r\n"),  # without a count
        (3, b">1\r\n+subscribe\r\n"),
        (2, b">3\r\n+subscribe\r\n+a\r\n:1\r\n"),  # a push where there are none
        (2, b"*2\r\n$9\r\nsubscribe\r\n$1\r\na\r\n"),
        (2, b"*0\r\n"),
        (2, b"*1\r\n:1\r\n"),
        (2, b"*1\r\n$7\r\nmessage\r\n"),
    ],
)
def test_what_confirms_nothing_that_was_asked_for_ends_the_connection(protocol: Literal[2, 3], stream: bytes) -> None:
    connection, _ = opened(protocol)
    slot = connection.send(Command("SUBSCRIBE", "a", "b"))
    write_all(connection)
    connection.receive_data(stream)
    end = lost(connection)
    assert isinstance(end.error, RemoteProtocolError)
    assert end.unanswered == [slot]


def test_only_the_end_of_a_shard_subscription_may_come_unasked() -> None:
    connection, peer = opened(2)
    slot = connection.send(Command("SSUBSCRIBE", "a"))
    assert talk(connection, peer) == [slot]
    assert state(connection) is State.SUBSCRIBED
    connection.receive_data(encode_reply([b"sunsubscribe", b"a", 0]))
    assert pushes(connection.events()) == [Push("sunsubscribe", (b"a", 0))]
    assert state(connection) is State.READY
    connection, _ = opened()
    connection.receive_data(encode_reply(Push("unsubscribe", (b"a", 0))))
    assert isinstance(lost(connection).error, RemoteProtocolError)


def test_a_subscription_behind_a_skipped_reply_is_confirmed() -> None:
    connection, peer = opened()
    gone, slot = connection.send(GET), connection.send(Command("SUBSCRIBE", "a", "b"))
    said = b"".join(peer.receive(write_all(connection)))
    connection.abandon(gone)
    connection.receive_data(said)
    assert connection.events() == [slot]


@pytest.mark.parametrize("protocol", [2, 3])
def test_an_abandoned_subscription_still_subscribes(protocol: Literal[2, 3]) -> None:
    connection, peer = opened(protocol)
    gone = connection.send(Command("SUBSCRIBE", "a", "b"))
    after = connection.send(Command("PING", "x"))
    block = connection.data_to_send()
    connection.sent(len(block))
    connection.abandon(gone)
    for said in peer.receive(bytes(block)):
        connection.receive_data(said)
    assert connection.events() == [after]
    assert connection.subscriptions.count("subscribe") == 2
    assert "(0 abandoned)" in repr(connection)


def test_pushes_that_nobody_takes_are_bounded() -> None:
    connection, _ = opened(max_pushes=2)
    push = encode_reply(Push("x", ()))
    connection.receive_data(push * 5)  # what came together is told together
    assert not connection.wants_to_receive
    for _ in range(4):
        connection.push_taken()
    assert connection.wants_to_receive
    connection.receive_data(push)
    assert not connection.wants_to_receive
    connection.send(GET)
    write_all(connection)
    connection.receive_data(b"+a reply is none of them\r\n")
    assert len(connection.events()) == 7
    connection.receive_data(push)  # by a driver that reads on all the same
    assert "wants_to_receive" in str(lost(connection).error)
    assert "`max_pushes` (2)" in str(lost(connection).error)


@pytest.mark.parametrize("protocol", [2, 3])
def test_reading_pauses_for_readers_that_are_late_and_goes_on_while_replies_are_owed(protocol: Literal[2, 3]) -> None:
    connection, _ = opened(protocol, max_pushes=3000)
    subscribed = connection.send(Command("SUBSCRIBE", "a"))
    write_all(connection)
    kind = b"*" if protocol == 2 else b">"
    connection.receive_data(kind + b"3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n")
    assert connection.events() == [subscribed]
    push = kind + b"3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nm\r\n"
    connection.receive_data(push * 999)
    assert connection.wants_to_receive
    connection.receive_data(push)
    assert not connection.wants_to_receive
    ping = connection.send(Command("PING"))
    assert not connection.wants_to_receive
    write_all(connection)
    assert connection.wants_to_receive  # its reply is behind them
    connection.receive_data(push * 2000)
    assert not connection.wants_to_receive
    assert "3000 pushes wait to be taken" in str(connection.timed_out())
    connection.push_taken()
    assert connection.wants_to_receive
    connection.abandon(ping)
    assert not connection.wants_to_receive  # no caller waits for it any more
    for _ in range(2000):
        connection.push_taken()
    assert connection.wants_to_receive
    assert len(pushes(connection.events())) == 3000
    assert connection.stats().unread_pushes == 999


def test_while_reading_pauses_silence_is_not_the_servers() -> None:
    connection, _ = opened(max_pushes=1, silence=5.0, ping_interval=5.0)
    connection.receive_data(encode_reply(Push("x", ())))
    connection.send(GET)
    write_all(connection)
    for now in range(1, 100):
        connection.handle_timeout(float(now))
    connection.push_taken()
    connection.handle_timeout(103.0)
    assert connection.error is None
    connection.handle_timeout(104.0)
    assert "has been silent" in str(lost(connection).error)


def test_where_nobody_listens_pushes_are_dropped_and_counted() -> None:
    connection, _ = opened(keep_pushes=False, max_pushes=1)
    slot = connection.send(GET)
    write_all(connection)
    invalidate = encode_reply(Push("invalidate", ([b"k"],)))
    for _ in range(3):
        connection.receive_data(invalidate * 10_001)
    connection.receive_data(b"+reply\r\n")
    assert connection.events() == [slot]
    assert connection.wants_to_receive
    assert (connection.stats().unread_pushes, connection.stats().dropped_pushes) == (0, 30_003)


# -- commands that change what the connection is ---------------------------------------------------------------------------------


def test_hello_changes_the_protocol_and_with_it_what_a_subscription_means() -> None:
    connection, peer = opened(2)
    hello = connection.send(Command("HELLO", 3))
    assert talk(connection, peer) == [hello]
    assert protocol_of(connection) == 3
    subscribed = connection.send(Command("SUBSCRIBE", "a"))
    back = connection.send(Command("HELLO", 2))
    assert talk(connection, peer) == [subscribed, back]
    assert protocol_of(connection) == 2
    assert state(connection) is State.SUBSCRIBED


def test_a_refused_hello_changes_nothing_and_repeats_no_secret() -> None:
    connection, peer = opened()
    peer.refused = {
        "HELLO": ReplyError("ERR unknown command 'HELLO', with args beginning with: 'AUTH' 'user' 'secret'")
    }
    slot = connection.send(Command("HELLO", 3, "AUTH", "user", "secret"))
    assert talk(connection, peer) == [slot]
    assert isinstance(slot.reply, ReplyError)
    assert "secret'" not in str(slot.reply)
    assert protocol_of(connection) == 3


def test_reset_is_back_to_resp2_without_subscriptions() -> None:
    connection, peer = opened()
    talk(connection, peer)
    slots = [connection.send(Command("SUBSCRIBE", "a")), connection.send(Command("RESET")), connection.send(GET)]
    assert talk(connection, peer) == slots
    assert protocol_of(connection) == 2
    assert not connection.subscriptions


def test_a_refused_monitor_leaves_the_connection_as_it_was() -> None:
    connection, peer = opened(2)
    peer.refused = {"MONITOR": ReplyError("NOPERM not you")}
    slots = [connection.send(Command("MONITOR"))]
    assert talk(connection, peer) == slots
    assert state(connection) is State.READY
    slots = [connection.send(Command("SUBSCRIBE", "a")), connection.send(Command("MONITOR"))]
    assert talk(connection, peer) == slots
    assert state(connection) is State.SUBSCRIBED


def test_a_monitor_that_is_abandoned_still_listens() -> None:
    connection, _ = opened()
    slot = connection.send(Command("MONITOR"))
    write_all(connection)
    connection.abandon(slot)
    connection.receive_data(b"+OK\r\n+line\r\n")
    assert pushes(connection.events()) == [Push("monitor", ("line",))]


@pytest.mark.parametrize("refused", [{}, {"MONITOR": ReplyError("NOPERM not you")}])
def test_closing_while_monitor_is_under_way(refused: dict[str, ReplyError]) -> None:
    connection, peer = opened()
    peer.refused = refused
    slot = connection.send(Command("MONITOR"))
    connection.close()
    assert talk(connection, peer)[0] is slot
    lost(connection)


# -- transactions ----------------------------------------------------------------------------------------------------------------


def test_a_transaction_is_one_slot() -> None:
    connection, peer = opened()
    slot = connection.send_many(TRANSACTION)
    assert talk(connection, peer) == [slot]
    assert isinstance(slot, StatefulBatch)
    assert slot.reply == ["OK", "QUEUED", "QUEUED", [b"1", b"2"]]


def test_a_transaction_that_does_not_add_up_ends_the_connection() -> None:
    connection, _ = opened()
    slot = connection.send_many(TRANSACTION)
    write_all(connection)
    connection.receive_data(b"+OK\r\n+QUEUED\r\n+QUEUED\r\n*1\r\n+1\r\n+drift\r\n")
    end = lost(connection)
    assert isinstance(end.error, RemoteProtocolError)
    assert end.unanswered == [slot]


@pytest.mark.parametrize("said", [b"+NO\r\n", b"+YES\r\n", b"$-1\r\n"])
def test_a_transaction_that_does_not_begin_ends_the_connection(said: bytes) -> None:
    connection, _ = opened(2)
    connection.send_many(TRANSACTION)
    write_all(connection)
    connection.receive_data(said)
    assert "expected OK for MULTI" in str(lost(connection).error)


# -- time ------------------------------------------------------------------------------------------------------------------------


def test_limits_bind_the_server() -> None:
    connection, _ = opened(limits=Limits(bulk=10))
    connection.send(GET)
    write_all(connection)
    connection.receive_data(b"$11\r\n")
    assert "Limits.bulk" in str(lost(connection).error)


def test_a_reader_is_told_how_much_is_missing() -> None:
    connection, _ = opened()
    connection.send(GET)
    write_all(connection)
    connection.receive_data(b"$100000\r\n")
    assert connection.needed == 100_002


def test_an_exec_that_was_refused_may_have_left_the_watch() -> None:
    connection, _ = opened()
    connection.send_many([Command("MULTI"), Command("GET", "k"), Command("EXEC")])
    write_all(connection)
    connection.receive_data(b"+OK\r\n+QUEUED\r\n-BUSY no\r\n")
    assert connection.watching


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize(
    "begun", [b"*2\r\n", b"%1\r\n", b"$", b"$5\r\nab", b"+O", b"*1\r\n>", b"-ERR", b"*1\r\n*2\r\n:1\r\n", b":"]
)
def test_the_beginning_of_a_reply_that_nobody_asked_for_ends_it(protocol: Literal[2, 3], begun: bytes) -> None:
    """Else the next reply would end up inside it, and each later one at the wrong caller."""
    connection, _ = opened(protocol)
    connection.receive_data(begun)
    assert "no command asked for" in str(lost(connection).error)


@pytest.mark.parametrize("begun", [b">", b">2\r\n", b">2\r\n*1\r\n", b"|1\r\n", b"|1\r\n+a\r\n+b\r\n>"])
def test_a_push_may_begin_at_any_time(begun: bytes) -> None:
    connection, _ = opened(3)
    connection.receive_data(begun)
    connection.send(Command("PING"))
    assert connection.error is None


def test_a_message_may_begin_at_any_time_on_a_subscribed_connection() -> None:
    connection, peer = opened(2)
    connection.send(Command("SUBSCRIBE", "news"))
    talk(connection, peer)
    connection.receive_data(b"*3\r\n$7\r\nmess")
    assert connection.error is None


@given(st.data())
def test_replies_that_were_asked_for_may_be_cut_anywhere(data: st.DataObject) -> None:
    connection, _ = opened(3)
    value = data.draw(replies())
    slot = connection.send(Command("GET", "a"))
    write_all(connection)
    for part in data.draw(splits(encode_reply(value, 3))):
        connection.receive_data(part)
    assert connection.error is None
    assert slot.state is SlotState.ANSWERED

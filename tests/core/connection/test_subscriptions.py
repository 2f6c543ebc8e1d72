"""How (un)subscriptions are answered: counted pushes, errors, and what a cluster tells unasked while a slot moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machines import lost, opened, pushes, state, write_all
from resp_sansio import Command, Push, RemoteProtocolError, Reply, ReplyError
from resp_sansio.connection import (
    Connection,
    ConnectionLost,
    PushReceived,
    Slot,
    SlotState,
    State,
    StatefulBatch,
    new_batch,
    prepare,
)
from resp_sansio.connection.subscriptions import Subscriptions
from resp_sansio.testing import Peer, splits, talk
from resp_sansio.wire import Parser, encode_command, encode_reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resp_sansio import Argument

MOVED: Final = ReplyError("MOVED 0 127.0.0.1:7000")
LEFT: Final = Push("sunsubscribe", (b"a", 0))


def script(*words: Argument) -> StatefulBatch:
    payload, info = prepare(words)
    made = new_batch([payload], [info])
    assert isinstance(made, StatefulBatch)
    return made


def confirm(slot: StatefulBatch, subscriptions: Subscriptions, push: Push) -> bool:
    slot.confirm(push, subscriptions)
    return not slot.missing


def test_a_command_that_names_no_channel_may_be_refused() -> None:
    slot, refusal = script("SUNSUBSCRIBE"), ReplyError("ERR unknown command 'SUNSUBSCRIBE'")
    slot.answer(refusal)
    slot.answer("PONG")
    assert slot.reply == [refusal]


# -- confirmations ---------------------------------------------------------------------------------------------------------------


@given(channels=st.lists(st.binary(max_size=3), min_size=1, max_size=6))
def test_a_subscription_ends_with_as_many_confirmations_as_it_names_channels(channels: list[bytes]) -> None:
    slot, subscriptions = script("SUBSCRIBE", *channels), Subscriptions()
    assert slot.awaits("subscribe")
    assert not slot.awaits("psubscribe")
    told = [Push("subscribe", (channel, index)) for index, channel in enumerate(channels)]
    assert all(slot.names(channel) for channel in channels)
    assert [confirm(slot, subscriptions, push) for push in told] == [False] * (len(channels) - 1) + [True]
    assert slot.reply == [told]
    assert subscriptions
    assert subscriptions.count("unsubscribe") == len(set(channels))


@given(channels=st.lists(st.binary(max_size=3), max_size=6, unique=True), kind=st.sampled_from(["", "p", "s"]))
def test_leaving_all_ends_with_the_last_subscription_of_that_kind(channels: list[bytes], kind: str) -> None:
    subscriptions = Subscriptions()
    for channel in channels:
        subscriptions.take_in(Push(f"{kind}subscribe", (channel, 1)))
    other = "psubscribe" if kind != "p" else "subscribe"
    subscriptions.take_in(Push(other, (b"x", 1)))
    slot = script(f"{kind}unsubscribe")
    left: list[bytes | None] = [*channels] or [None]
    told = [Push(f"{kind}unsubscribe", (channel, 1)) for channel in left]
    # Behind SUNSUBSCRIBE comes a PING, and its reply says that this was all.
    assert [confirm(slot, subscriptions, push) for push in told] == [False] * (len(told) - 1) + [kind != "s"]
    if kind == "s":
        slot.answer("PONG")
    assert slot.reply == [told]
    assert subscriptions.count(other) == 1
    subscriptions.clear()
    assert not subscriptions


def test_a_confirmation_has_to_be_of_a_channel_that_was_named() -> None:
    slot = script("SUNSUBSCRIBE", "mine", "other")
    assert slot.names(b"mine")
    assert slot.names("other")
    assert not slot.names(b"min")
    assert not slot.names(b"PING")
    assert not slot.names(b"SUNSUBSCRIBE\r\n$4\r\nmine")
    assert not slot.names(None)
    assert script("SUNSUBSCRIBE").names(None)
    assert not script("UNWATCH").names(b"mine")
    large = b"c" * 40_000
    assert script("SSUBSCRIBE", large).names(large)
    assert script("SUNSUBSCRIBE", large).names(large)


@pytest.mark.parametrize(
    ("push", "well_formed"),
    [
        (Push("subscribe", (b"a", 1)), True),
        (Push("subscribe", ("a", 1)), True),
        (Push("subscribe", (None, 1)), False),
        (Push("unsubscribe", (None, 0)), True),
        (Push("subscribe", ()), False),
        (Push("subscribe", (b"a",)), False),
        (Push("subscribe", (b"a", b"1")), False),
        (Push("subscribe", (b"a", 1, 2)), False),
        (Push("subscribe", ([b"a"], 1)), False),
    ],
)
def test_a_confirmation_is_a_channel_and_a_count(push: Push, well_formed: bool) -> None:
    assert Subscriptions.well_formed(push) is well_formed


def test_a_subscription_reads_its_names_once() -> None:
    """Each of thousands of channels is confirmed, so nothing may look through all of them each time."""
    slot = script("SUBSCRIBE", "a", "b")
    assert slot.names("b")
    assert not slot.names(b"c")
    with patch("resp_sansio.connection.stateful.sent_words", side_effect=AssertionError):
        assert slot.names(b"a")
        assert not slot.names(None)


def test_a_client_without_subscriptions_can_leave() -> None:
    subscriptions = Subscriptions()
    subscriptions.take_in(Push("unsubscribe", (None, 0)))
    assert not subscriptions
    assert subscriptions.count("unsubscribe") == 0


def test_an_error_is_the_whole_answer_to_a_subscription_or_none() -> None:
    slot = script("SUBSCRIBE", "a", "b")
    slot.answer(ReplyError("NOPERM"))
    assert slot.reply == [ReplyError("NOPERM")]
    slot = script("SUBSCRIBE", "a", "b")
    confirm(slot, Subscriptions(), Push("subscribe", (b"a", 1)))
    with pytest.raises(RemoteProtocolError, match="between the confirmations of SUBSCRIBE"):
        slot.answer(ReplyError("NOPERM"))
    with pytest.raises(RemoteProtocolError, match="expected the confirmation of SUBSCRIBE, got a str"):
        script("SUBSCRIBE", "a").answer("OK")


# -- SUNSUBSCRIBE, and the PING behind it ------------------------------------------------------------------------------------------

PING: Final = encode_command(("PING",))
PONG_OF: Final[dict[int, Reply]] = {2: [b"pong", b""], 3: "PONG"}


@pytest.mark.parametrize("words", [("SUNSUBSCRIBE",), ("sunsubscribe", "a"), ("SUNSUBSCRIBE", b"c" * 40_000)])
def test_a_ping_follows_each_sunsubscribe(words: tuple[Argument, ...]) -> None:
    connection, _ = opened()
    connection.send(Command(*words))
    connection.send_many([Command("GET", "k"), Command(*words)])
    sent = Parser().feed(write_all(connection))
    assert [command == [b"PING"] for command in sent] == [False, True, False, False, True]


def left(channels: Sequence[bytes], protocol: Literal[2, 3] = 3) -> bytes:
    return b"".join([encode_reply(Push("sunsubscribe", (channel, 0)), protocol) for channel in channels])


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize(
    ("named", "stream", "reply", "told"),
    [
        # Confirmed, refused, unsubscribed by the server and then refused or, by a replica, confirmed.
        (b"a", b"%(a)b %(pong)b", [LEFT], []),
        (b"a", b"-MOVED x %(pong)b", ReplyError("MOVED x"), []),
        (b"a", b"%(a)b -MOVED x %(pong)b", ReplyError("MOVED x"), [LEFT]),
        (b"a", b"%(a)b -CLUSTERDOWN x %(pong)b", ReplyError("CLUSTERDOWN x"), [LEFT]),
        (b"a", b"%(a)b %(a)b %(pong)b", [LEFT], [LEFT]),
        # Told between the refusal and the reply to the PING.
        (b"a", b"-CLUSTERDOWN x %(a)b %(pong)b", ReplyError("CLUSTERDOWN x"), [LEFT]),
        # Fewer pushes than names are no confirmation, whatever the error says.
        (b"a b", b"%(a)b -ERR odd %(pong)b", ReplyError("ERR odd"), [LEFT]),
        (b"a a", b"%(a)b %(a)b %(pong)b", [LEFT, LEFT], []),
        # The PING is refused.
        (b"a", b"%(a)b -NOPERM this user has no permissions to run the 'ping' command", [LEFT], []),
        (b"a", b"%(a)b -ERR unknown command 'PING', with args beginning with: ", [LEFT], []),
        (b"a", b"%(a)b -LOADING x", [LEFT], []),
        (b"a", b"-MOVED x -BUSY y", ReplyError("MOVED x"), []),
        # Without names: all of them, or a null behind what the server told before.
        (b"", b"%(a)b %(a)b %(pong)b", [LEFT, LEFT], []),
        (b"", b"%(a)b %(null)b %(pong)b", [Push("sunsubscribe", (None, 0))], [LEFT]),
    ],
)
def test_what_answers_a_sunsubscribe(
    protocol: Literal[2, 3], named: bytes, stream: bytes, reply: Reply, told: list[Push]
) -> None:
    connection, peer = opened(protocol)
    # On RESP2 the client stays subscribed, so the PING is answered with an array.
    start = [connection.send(Command("SSUBSCRIBE", name)) for name in ("a", "b")]
    assert talk(connection, peer) == start
    slot = connection.send(Command("SUNSUBSCRIBE", *named.split()))
    after = connection.send(Command("PING", "x"))
    write_all(connection)
    words = {
        b"a": left([b"a"], protocol),
        b"null": encode_reply(Push("sunsubscribe", (None, 0)), protocol),
        b"pong": encode_reply(PONG_OF[protocol]),
    }
    for part in stream.replace(b" %", b"\n%").replace(b" -", b"\n-").split(b"\n"):
        connection.receive_data(part % words if part.startswith(b"%") else part + b"\r\n")
    connection.receive_data(b"+x\r\n")
    events = connection.events()
    assert [event for event in events if not isinstance(event, PushReceived)] == [slot, after]
    assert (slot.reply, pushes(events), after.reply) == (reply, told, "x")


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (left([b"a"]) + b"-BUSY Redis is busy\r\n", "which, is unknown"),
        (left([b"a"]) + b"+OK\r\n", "expected the answer to a PING behind SUNSUBSCRIBE, got a str"),
        (left([b"a"]) + b"$1\r\nx\r\n", "got a bytes"),
        (b"+PONG\r\n", "neither confirmed nor refused"),
        (b"-MOVED x\r\n+OK\r\n", "expected the answer to a PING"),
    ],
)
def test_what_cannot_answer_a_sunsubscribe_ends_the_connection(stream: bytes, why: str) -> None:
    connection, _ = opened()
    slot, after = connection.send(Command("SUNSUBSCRIBE", "a")), connection.send(Command("GET", "k"))
    write_all(connection)
    connection.receive_data(stream)
    end = lost(connection)
    assert isinstance(end.error, RemoteProtocolError)
    assert why in str(end.error)
    assert end.unanswered == [slot, after]


@pytest.mark.parametrize(
    ("words", "kind", "idle"),
    [
        (("SUNSUBSCRIBE", "a"), "sunsubscribe", [b"a"]),
        (("SUNSUBSCRIBE", "a", "b", "a"), "sunsubscribe", [b"a", b"b", b"a"]),
        (("SUNSUBSCRIBE",), "sunsubscribe", [None]),
        (("UNSUBSCRIBE",), "unsubscribe", [None]),
        (("PUNSUBSCRIBE",), "punsubscribe", [b"x"]),
    ],
)
@pytest.mark.parametrize("given_up", [False, True])
def test_confirmations_without_end_end_the_connection(
    words: tuple[str, ...], kind: str, idle: list[Reply], *, given_up: bool
) -> None:
    connection = Connection()
    connection.protocol = 3
    for name in ("SUBSCRIBE", "PSUBSCRIBE"):
        connection.send(Command(name, "c"))
        write_all(connection)
        connection.receive_data(encode_reply(Push(name.lower(), (b"c", 1)), 3))
    slot = connection.send(Command(*words))
    write_all(connection)
    if given_up:
        connection.abandon(slot)
    connection.receive_data(b"".join([encode_reply(Push(kind, (channel, 0)), 3) for channel in idle]))
    assert connection.error is None
    connection.receive_data(encode_reply(Push(kind, (idle[0], 0)), 3))
    assert str(connection.error) == f"more confirmations of {words[0]} came than it asks for"


def test_an_abandoned_sunsubscribe_keeps_its_place_and_what_came_unasked_is_told() -> None:
    connection, peer = opened()
    talk(connection, peer)
    start = connection.send(Command("SSUBSCRIBE", "a"))
    assert talk(connection, peer) == [start]
    gone, after = connection.send(Command("SUNSUBSCRIBE", "a")), connection.send(Command("GET", "k"))
    write_all(connection)
    connection.abandon(gone)
    connection.receive_data(left([b"a"]) + b"-MOVED x\r\n+PONG\r\n+value\r\n")
    assert connection.events() == [PushReceived(push=LEFT), after]
    assert after.reply == "value"
    assert not connection.subscriptions


def test_a_sunsubscribe_that_goes_out_again_begins_anew() -> None:
    slot = script("SUNSUBSCRIBE", "a")
    slot.answer(MOVED)
    slot.end, slot.state = len(slot.payload), SlotState.HANDED
    slot.settle(SlotState.LOST, 0)
    slot.renew()
    confirm(slot, Subscriptions(), LEFT)
    slot.answer("PONG")
    assert slot.reply == [[LEFT]]
    assert isinstance(slot.payload, bytes)
    assert slot.payload.count(b"PING") == 1


# -- a cluster that moves slots at any moment ----------------------------------------------------------------------------

CHANNELS: Final = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3)
COMMANDS: Final = st.one_of(
    CHANNELS.map(lambda names: Command("SSUBSCRIBE", *names)),
    CHANNELS.map(lambda names: Command("SUNSUBSCRIBE", *names)),
    st.just(Command("SUNSUBSCRIBE")),
    st.sampled_from([Command("SUBSCRIBE", "x", "y"), Command("UNSUBSCRIBE"), Command("PSUBSCRIBE", "p")]),
    st.just(Command("PING", "word")),
)
PIPELINES: Final = st.lists(st.lists(COMMANDS, min_size=1, max_size=4), min_size=1, max_size=5)


@given(
    protocol=st.sampled_from([2, 3]),
    pipelines=PIPELINES,
    abandoned=st.sets(st.integers(0, 4)),
    moments=st.lists(st.sampled_from(["", "", "move", "back", "both", "hi"]), min_size=60, max_size=60),
    data=st.data(),
)
def test_whenever_slots_move_each_command_gets_its_own_answer(
    protocol: Literal[2, 3],
    pipelines: list[list[Command[Reply]]],
    abandoned: set[int],
    moments: list[str],
    data: st.DataObject,
) -> None:
    connection, peer = opened(protocol)
    start = connection.send(Command("SSUBSCRIBE", "a", "b"))
    assert talk(connection, peer) == [start]
    peer.received.clear()
    slots: list[Slot] = [connection.send_many(commands) for commands in pipelines]
    stream, unasked = serve(peer, write_all(connection), moments)
    for index in abandoned & set(range(len(slots))):
        connection.abandon(slots[index])
    told: list[Push] = []
    for chunk in data.draw(splits(stream)):
        connection.receive_data(chunk)
        for event in connection.events():
            assert not isinstance(event, ConnectionLost), event.error
            if isinstance(event, PushReceived):
                told.append(event.push)
    said = [list(answer.parts) for answer in peer.received if answer.words != (b"PING",)]
    for index, slot in enumerate(slots):
        assert slot.state is (SlotState.ABANDONED if index in abandoned else SlotState.ANSWERED)
        assert isinstance(slot, StatefulBatch) or not [
            command for command in pipelines[index] if command.args[0] != "PING"
        ]
        for command in pipelines[index]:
            parts = said.pop(0)
            reply = (
                slot.replies.pop(0) if isinstance(slot, StatefulBatch) else parts
            )  # (an abandoned plain one is skipped)
            if command.args == ("SUNSUBSCRIBE",) and isinstance(reply, list):
                # It leaves all, so what the server left before it may be among its confirmations.
                told += [push for push in reply[: len(reply) - len(parts)] if isinstance(push, Push)]
                reply = reply[len(reply) - len(parts) :]
            if index in abandoned and isinstance(parts[0], bytes) and isinstance(reply, bytes):
                continue  # of a bulk for which no caller waits nothing more is kept
            assert reply == (parts if isinstance(parts[0], Push) or parts == reply else parts[0])
    assert not said
    assert sorted(told, key=repr) == sorted(unasked, key=repr)
    expected = {name for names in peer.subscriptions.values() for name in names}
    assert {name for names in connection.subscriptions.values() for name in names} == expected
    assert state(connection) is (State.SUBSCRIBED if protocol == 2 and expected else State.READY)


def serve(peer: Peer, written: bytes, moments: list[str]) -> tuple[bytes, list[Push]]:
    """Let the server run what was written, and slots move, or messages come, before any of it."""
    stream, unasked = b"", list[Push]()
    for index, words in enumerate(Parser().feed(written)):
        assert isinstance(words, list)
        moment = moments[index]
        events: list[Push] = []
        if moment in ("move", "both"):
            events = peer.move_slots()
        elif moment == "hi":
            events = peer.publish(b"x", b"hi")
        if moment in ("back", "both"):
            peer.moved = False
        stream += b"".join([peer.push(push.kind, *push.items) for push in events])
        unasked += events
        encoded = encode_command([word for word in words if isinstance(word, bytes)])
        assert isinstance(encoded, bytes)
        stream += b"".join(peer.receive(encoded))
    return stream, unasked


def test_a_push_that_nobody_asked_for_is_told_amid_other_channels() -> None:
    connection = Connection()
    connection.protocol = 3
    both = connection.send(Command("SSUBSCRIBE", "a", "b"))
    write_all(connection)
    for channel in (b"a", b"b"):
        connection.receive_data(encode_reply(Push("ssubscribe", (channel, 1))))
    assert connection.events() == [both]
    slot = connection.send(Command("SUNSUBSCRIBE", "b"))
    write_all(connection)
    connection.receive_data(left([b"a", b"b"]) + b"+PONG\r\n")
    assert connection.events() == [PushReceived(push=LEFT), slot]
    assert slot.reply == [Push("sunsubscribe", (b"b", 0))]

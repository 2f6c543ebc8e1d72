"""The connection machine by example: one test for each thing that it promises. `test_connection_model.py` has the conversations
that nobody would think of.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import (
    Batch,
    Command,
    Config,
    ConnectError,
    Connection,
    ConnectionClosedError,
    ConnectionLost,
    ConnectionLostError,
    Handshake,
    Limits,
    LocalProtocolError,
    Opened,
    Outcome,
    Push,
    PushReceived,
    RemoteProtocolError,
    Reply,
    ReplyError,
    Script,
    Slot,
    SlotState,
    State,
    TimedOut,
    TransactionAbortedError,
    encode_reply,
    new_slot,
)
from resp_sansio.testing import Peer, talk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from resp_sansio import Event

REPLY, NOT_SENT, MAYBE = Outcome.REPLY, Outcome.NOT_SENT, Outcome.MAYBE_EXECUTED
GET = Command("GET", "key")


def opened(protocol: Literal[2, 3] = 3, **options: Any) -> tuple[Connection, Peer]:
    """A connection that is READY, and the server it is connected to."""
    connection, peer = Connection(Handshake(protocol=protocol), **options), Peer()
    assert [type(event) for event in talk(connection, peer)] == [Opened]
    return connection, peer


def write_all(connection: Connection) -> bytes:
    """Take everything that can be sent, and say that it was."""
    written = b""
    while block := connection.data_to_send():
        connection.sent(len(block))
        written += block
    return written


def lost(connection: Connection) -> ConnectionLost:
    """How the connection ended; it says so for ever."""
    last = connection.events()[-1]
    assert isinstance(last, ConnectionLost)
    assert connection.events() == [last]
    assert connection.state is State.LOST
    assert connection.error is last.error
    assert connection.next_deadline() == inf
    return last


def pushes(events: Sequence[Event]) -> list[Push]:
    return [event.push for event in events if isinstance(event, PushReceived)]


# -- replies and slots ---------------------------------------------------------------------------------------------------------


def test_a_reply_belongs_to_the_first_slot_in_flight_and_brings_back_its_token() -> None:
    connection, peer = opened()
    token = object()
    slots = [connection.send(Command("ECHO", str(number)), token) for number in range(3)]
    assert talk(connection, peer) == slots
    assert [slot.reply for slot in slots] == [b"0", b"1", b"2"]
    assert all(slot.state is SlotState.ANSWERED and slot.token is token for slot in slots)


def test_commands_queued_together_are_sent_together() -> None:
    connection, _ = opened()
    for _ in range(100):
        connection.send(GET)
    assert connection.data_to_send() == b"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n" * 100
    connection.sent(100 * 22)
    assert connection.data_to_send() == b""


def test_a_pipeline_is_one_slot_with_all_replies_errors_among_them() -> None:
    connection, peer = opened()
    peer.answer = {b"a": 1, b"b": ReplyError("ERR no"), b"c": None}.__getitem__  # type: ignore[assignment]
    peer.answer = lambda words: {b"a": 1, b"b": ReplyError("ERR no"), b"c": None}[words[-1]]
    slot = connection.send_many([Command("GET", key) for key in "abc"], "token")
    other = connection.send(Command("GET", "a"))
    assert talk(connection, peer) == [slot, other]
    assert slot.reply == [1, ReplyError("ERR no"), None]
    assert (slot.token, slot.name, other.reply) == ("token", "pipeline of 3 commands", 1)


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
    assert (batch.reply, batch.attributes) == (["2"], {"ttl": 4})


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


def test_nothing_is_heard_from_a_connection_that_has_ended() -> None:
    connection, _ = opened()
    connection.abort()
    end = lost(connection)
    connection.receive_data(b"+1\r\n")
    connection.receive_eof()
    connection.send_failed("broken pipe")
    connection.handle_timeout(1e9)
    connection.close()
    connection.abort()
    connection.sent(0)
    assert connection.data_to_send() == b""
    assert connection.events() == [end]
    with pytest.raises(ConnectionClosedError, match=r"GET was not sent: .* has ended: the connection was closed"):
        connection.send(GET)


# -- bytes out -----------------------------------------------------------------------------------------------------------------


@given(
    cuts=st.lists(st.integers(1, 40)),
    sizes=st.lists(st.sampled_from([0, 5, 20_000, 32_768, 70_000]), min_size=1, max_size=6),
)
def test_what_the_network_does_not_take_comes_again_first(cuts: list[int], sizes: list[int]) -> None:
    connection, peer = opened()
    slots = [
        connection.send(Command("ECHO", *[b"x" * size] * 3))
        if size
        else connection.send_many([GET, Command("ECHO", b"y" * 40_000)])
        for size in sizes
    ]
    written = b""
    for cut in cuts:
        block = bytes(connection.data_to_send()[:cut])
        written += block
        connection.sent(len(block))
    written += write_all(connection)
    for said in peer.receive(written):
        connection.receive_data(said)
    assert connection.events() == slots


def test_a_block_is_never_empty_while_something_waits() -> None:
    # Small arguments that make a large buffer together, in front of one that is large by itself.
    connection, peer = opened()
    slot = connection.send(Command("MSET", "a", b"x" * 20_000, "b", b"y" * 20_000, "c", b"z" * 40_000))
    assert talk(connection, peer) == [slot]


def test_large_arguments_travel_uncopied() -> None:
    connection, _ = opened()
    value = b"x" * 40_000
    connection.send(Command("SET", "k", value))
    blocks = []
    while block := connection.data_to_send():
        blocks.append(block)
        connection.sent(len(block))
    assert any(block is value for block in blocks)


@pytest.mark.parametrize("count", [1, 23, -1])
def test_telling_of_more_than_was_handed_over_is_a_mistake_that_changes_nothing(count: int) -> None:
    connection, peer = opened()
    slot = connection.send(GET)
    if count != 1:
        connection.data_to_send()
    with pytest.raises(LocalProtocolError, match="sent"):
        connection.sent(count)
    assert talk(connection, peer) == [slot]


def test_a_writer_may_tell_of_its_success_after_the_reader_saw_the_end() -> None:
    connection, _ = opened()
    connection.send(GET)
    block = connection.data_to_send()
    connection.receive_eof()
    connection.sent(len(block))
    assert lost(connection)


# -- abandoning ----------------------------------------------------------------------------------------------------------------


def test_a_queued_slot_is_withdrawn_and_never_sent() -> None:
    connection, peer = opened()
    first, second = connection.send(Command("ECHO", "1")), connection.send(Command("ECHO", "2"))
    assert connection.abandon(first) == connection.abandon(first) == (NOT_SENT,)
    assert talk(connection, peer) == [second]
    assert peer.executed == [(b"ECHO", b"2")]


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


def test_the_rest_of_an_abandoned_slot_is_still_sent() -> None:
    connection, peer = opened()
    gone = connection.send(Command("ECHO", "x" * 100))
    head = bytes(connection.data_to_send()[:50])
    connection.sent(50)
    assert connection.abandon(gone) == (MAYBE,)
    after = connection.send(Command("ECHO", "after"))
    assert peer.receive(head) == []
    assert talk(connection, peer) == [after]


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


def test_abandoning_a_stranger_or_an_ended_slot() -> None:
    connection, _ = opened()
    stranger = new_slot(("GET", "k"))
    assert connection.abandon(stranger) == (NOT_SENT,)
    slot = connection.send(GET)
    write_all(connection)
    connection.receive_eof()
    assert connection.abandon(slot) == (MAYBE,)
    assert slot.state is SlotState.LOST


def test_a_slot_is_submitted_once() -> None:
    connection, peer = opened()
    slot = connection.send(GET)
    talk(connection, peer)
    with pytest.raises(LocalProtocolError, match="GET was not sent: .* once"):
        connection.submit(slot)
    assert talk(connection, peer) == []


# -- the end -------------------------------------------------------------------------------------------------------------------


def test_the_end_tells_what_may_have_run() -> None:
    connection, _ = opened()
    sent, cut, waiting = (connection.send(Command("ECHO", "x" * 30), number) for number in range(3))
    connection.abandon(connection.send(GET))
    size = len(connection.data_to_send()) // 3
    connection.sent(size + 10)
    connection.receive_eof()
    end = lost(connection)
    assert end.unanswered == [sent, cut, waiting]
    assert [slot.outcomes for slot in (sent, cut, waiting)] == [(MAYBE,), (NOT_SENT,), (NOT_SENT,)]
    assert [slot.failure(end.error).outcome for slot in (sent, cut, waiting)] == [MAYBE, NOT_SENT, NOT_SENT]


def test_a_pipeline_is_told_of_each_command_by_itself() -> None:
    connection, _ = opened()
    slot = connection.send_many([Command("GET", str(number)) for number in range(4)])
    size = len(connection.data_to_send()) // 4
    connection.sent(3 * size)
    connection.receive_data(b"+0\r\n")
    connection.receive_eof()
    assert lost(connection).unanswered == [slot]
    assert slot.outcomes == [REPLY, MAYBE, MAYBE, NOT_SENT]


def test_end_of_file_in_the_middle_of_a_reply_is_told() -> None:
    connection, _ = opened()
    connection.send(GET)
    write_all(connection)
    connection.receive_data(b"$5\r\nab")
    connection.receive_eof()
    assert str(lost(connection).error) == "the server closed the connection in the middle of a reply"


def test_a_failed_write_ends_the_connection() -> None:
    connection, _ = opened()
    slot = connection.send(GET)
    connection.data_to_send()
    connection.send_failed(BrokenPipeError("broken pipe"))
    end = lost(connection)
    assert str(end.error) == "sending failed: broken pipe"
    assert slot.outcomes == (NOT_SENT,)


def test_closing_answers_what_was_accepted_and_takes_no_more() -> None:
    connection, peer = opened()
    slot = connection.send(GET)
    connection.close()
    with pytest.raises(ConnectionClosedError, match="GET was not sent: .* is closing"):
        connection.send(GET)
    assert connection.state is State.CLOSING
    connection.close()
    events = talk(connection, peer)
    assert events[0] is slot
    assert isinstance(lost(connection).error, ConnectionClosedError)


def test_an_idle_connection_closes_at_once() -> None:
    connection, _ = opened()
    connection.abandon(connection.send(GET))
    connection.close()
    assert str(lost(connection).error) == "the connection was closed"


def test_closing_ends_when_the_last_one_waiting_gives_up() -> None:
    connection, _ = opened()
    first, second = connection.send(GET), connection.send(GET, deadline=5.0)
    connection.close()
    connection.abandon(first)
    assert connection.state is State.CLOSING
    connection.handle_timeout(5.0)
    events = connection.events()
    assert events[0] == TimedOut(slot=second)
    assert isinstance(events[1], ConnectionLost)


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


def test_quit_closes() -> None:
    connection, peer = opened()
    first, last = connection.send(GET), connection.send(Command("QUIT"))
    with pytest.raises(ConnectionClosedError):
        connection.send(GET)
    assert talk(connection, peer)[:2] == [first, last]
    assert isinstance(lost(connection).error, ConnectionClosedError)


def test_aborting_says_why() -> None:
    connection, _ = opened()
    error = ConnectionLostError("enough")
    connection.abort(error)
    assert lost(connection).error is error


# -- opening -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3])
def test_commands_wait_for_the_handshake(protocol: Literal[2, 3]) -> None:
    peer = Peer(password=b"pw")
    connection = Connection(Handshake(protocol=protocol, password="pw", client_name="me", database=3))
    slot = connection.send(GET)
    gone = connection.send(GET)
    assert connection.state is State.OPENING
    assert b"GET" not in write_all(connection)
    connection.abandon(gone)
    connection = Connection(Handshake(protocol=protocol, password="pw", client_name="me", database=3))
    slot = connection.send(GET)
    first, *rest = talk(connection, peer)
    assert isinstance(first, Opened)
    assert rest == [slot]
    assert first.protocol == connection.protocol == protocol
    assert (peer.database, peer.name, peer.authenticated) == (3, b"me", True)


@pytest.mark.parametrize("password", [None, b"pw"])
def test_a_server_without_hello_is_asked_again_in_resp2(password: bytes | None) -> None:
    peer = Peer(hello=False, password=password)
    connection = Connection(Handshake(password=password, client_name="me", library_name="it", database=3))
    slot = connection.send(GET)
    first, second = talk(connection, peer)
    assert first == Opened(protocol=2, server={})
    assert second is slot
    assert (peer.database, peer.name) == (3, b"me")
    assert connection.protocol == 2


def test_a_refused_handshake_fails_those_who_waited() -> None:
    connection, peer = Connection(Handshake(password="wrong")), Peer(password=b"pw")
    slot = connection.send(GET)
    talk(connection, peer)
    end = lost(connection)
    assert isinstance(end.error, ConnectError)
    assert not end.error.transient
    assert end.unanswered == [slot]
    failure = slot.failure(end.error)
    assert isinstance(failure, ConnectError)
    assert failure.outcome is NOT_SENT
    assert peer.executed == []


def test_a_server_that_is_full_says_so_and_goes() -> None:
    connection = Connection(Handshake(library_name="it"))
    write_all(connection)
    connection.receive_data(b"-ERR max number of clients reached\r\n")
    connection.receive_eof()
    end = lost(connection)
    assert isinstance(end.error, ConnectError)
    assert end.error.transient
    assert "max number of clients" in str(end.error)


@pytest.mark.parametrize(
    "end",
    [
        lambda connection: connection.receive_eof("reading failed: reset"),
        lambda connection: connection.send_failed("reset"),
        lambda connection: connection.handle_timeout(3.0),
        lambda connection: connection.handle_timeout(7.0),
    ],
)
def test_a_handshake_that_ends_early_is_a_transient_failure(end: Callable[[Connection], None]) -> None:
    connection = Connection(Handshake(), open_by=7.0, silence=3.0)
    assert connection.next_deadline() == 3.0
    write_all(connection)
    end(connection)
    error = lost(connection).error
    assert isinstance(error, ConnectError)
    assert error.transient


def test_closing_before_the_opening_is_over_ends_it() -> None:
    connection = Connection(Handshake())
    slot = connection.send(GET)
    connection.close()
    end = lost(connection)
    assert end.unanswered == [slot]
    assert slot.outcomes == (NOT_SENT,)
    assert str(end.error) == "the connection was closed before it opened"


def test_a_reply_too_many_after_the_handshake_ends_the_connection() -> None:
    connection = Connection(Handshake(protocol=2))
    write_all(connection)
    connection.receive_data(b"+PONG\r\n+PONG\r\n")
    first, last = connection.events()
    assert isinstance(first, Opened)
    assert isinstance(last, ConnectionLost)


def test_large_credentials_are_sent_like_any() -> None:
    token = b"t" * 40_000
    connection, peer = Connection(Handshake(password=token)), Peer(password=token)
    assert isinstance(talk(connection, peer)[0], Opened)


def test_without_a_handshake_commands_go_out_at_once_in_resp2() -> None:
    connection, peer = Connection(), Peer()
    slot = connection.send(Command("SUBSCRIBE", "a"))
    assert connection.protocol == 2
    assert talk(connection, peer) == [slot]
    assert connection.state is State.SUBSCRIBED


def test_a_configuration_makes_the_connection_it_describes() -> None:
    config = Config.from_url("redis://server:7000/2?protocol=2&ping_interval=5&silence_timeout=7&client_name=me")
    connection = Connection.configured(config, ("user", "pw"), now=100.0)
    peer = Peer(user=b"user", password=b"pw")
    talk(connection, peer)
    assert repr(connection) == "<Connection to server:7000: READY, RESP2, 0 queued, 0 in flight (0 abandoned)>"
    assert (peer.database, peer.name) == (2, b"me")
    assert connection.next_deadline() == 105.0
    plain = Connection.configured(Config(ping_interval=None, silence_timeout=None), now=0.0, open_by=9.0)
    assert plain.next_deadline() == 9.0


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
    assert connection.state is State.READY
    assert not connection.subscriptions


def test_on_resp2_a_subscriber_may_not_do_anything_else() -> None:
    connection, peer = opened(2)
    talk_first = connection.send(Command("SUBSCRIBE", "a"))
    assert talk(connection, peer) == [talk_first]
    for commands in ([GET], [Command("PING"), GET]):
        with pytest.raises(LocalProtocolError, match="GET was not sent: on RESP2 a subscribed connection takes only"):
            connection.send_many(commands)
    with pytest.raises(LocalProtocolError, match="GET was not sent"):
        connection.send(GET)
    ping = connection.send(Command("PING"))
    reset = connection.send(Command("RESET"))
    assert talk(connection, peer) == [ping, reset]
    assert ping.reply == [b"pong", b""]
    assert connection.state is State.READY
    assert connection.send(GET)


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
    assert connection.state is State.READY


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
    talk(connection, peer) == connection.send(Command("SSUBSCRIBE", "a"))
    talk(connection, peer)
    assert connection.state is State.SUBSCRIBED
    connection.receive_data(encode_reply([b"sunsubscribe", b"a", 0]))
    assert pushes(connection.events()) == [Push("sunsubscribe", (b"a", 0))]
    assert connection.state is State.READY
    connection, _ = opened()
    connection.receive_data(encode_reply(Push("unsubscribe", (b"a", 0))))
    assert isinstance(lost(connection).error, RemoteProtocolError)


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
    connection.receive_data(push * 2)
    connection.push_taken()
    connection.receive_data(push)
    assert len(connection.events()) == 3
    connection.receive_data(push)
    assert "max_pushes" in str(lost(connection).error)


def test_a_push_is_taken_once() -> None:
    connection, _ = opened()
    connection.receive_data(encode_reply(Push("x", ())))
    connection.push_taken()
    with pytest.raises(LocalProtocolError, match="push_taken"):
        connection.push_taken()


# -- commands that change what the connection is ---------------------------------------------------------------------------------


def test_hello_changes_the_protocol_and_with_it_what_a_subscription_means() -> None:
    connection, peer = opened(2)
    hello = connection.send(Command("HELLO", 3))
    assert talk(connection, peer) == [hello]
    assert connection.protocol == 3
    subscribed = connection.send(Command("SUBSCRIBE", "a"))
    back = connection.send(Command("HELLO", 2))
    assert talk(connection, peer) == [subscribed, back]
    assert connection.protocol == 2
    assert connection.state is State.SUBSCRIBED


def test_a_refused_hello_changes_nothing_and_repeats_no_secret() -> None:
    connection, peer = opened()
    peer.refused = {
        "HELLO": ReplyError("ERR unknown command 'HELLO', with args beginning with: 'AUTH' 'user' 'secret'")
    }
    slot = connection.send(Command("HELLO", 3, "AUTH", "user", "secret"))
    assert talk(connection, peer) == [slot]
    assert isinstance(slot.reply, ReplyError)
    assert "secret'" not in str(slot.reply)
    assert connection.protocol == 3


def test_reset_is_back_to_resp2_without_subscriptions() -> None:
    connection, peer = opened()
    talk(connection, peer)
    slots = [connection.send(Command("SUBSCRIBE", "a")), connection.send(Command("RESET")), connection.send(GET)]
    assert talk(connection, peer) == slots
    assert connection.protocol == 2
    assert not connection.subscriptions


def test_after_monitor_a_connection_only_listens() -> None:
    connection, peer = opened()
    before, monitor = connection.send(GET), connection.send(Command("MONITOR"))
    with pytest.raises(LocalProtocolError, match="GET was not sent: after MONITOR"):
        connection.send(GET)
    assert talk(connection, peer) == [before, monitor]
    assert connection.state is State.MONITORING
    connection.receive_data(b'+1.0 [0 x] "GET" "k"\r\n:1\r\n')
    assert pushes(connection.events()) == [Push("monitor", ('1.0 [0 x] "GET" "k"',)), Push("monitor", (1,))]
    connection.close()
    assert lost(connection)


def test_a_refused_monitor_leaves_the_connection_as_it_was() -> None:
    connection, peer = opened(2)
    peer.refused = {"MONITOR": ReplyError("NOPERM not you")}
    slots = [connection.send(Command("MONITOR"))]
    assert talk(connection, peer) == slots
    assert connection.state is State.READY
    slots = [connection.send(Command("SUBSCRIBE", "a")), connection.send(Command("MONITOR"))]
    assert talk(connection, peer) == slots
    assert connection.state is State.SUBSCRIBED


def test_a_monitor_that_is_withdrawn_never_was() -> None:
    connection, peer = opened()
    connection.abandon(connection.send(Command("MONITOR")))
    assert connection.state is State.READY
    slot = connection.send(GET)
    assert talk(connection, peer) == [slot]


def test_a_monitor_that_is_abandoned_still_listens() -> None:
    connection, _ = opened()
    slot = connection.send(Command("MONITOR"))
    write_all(connection)
    connection.abandon(slot)
    connection.receive_data(b"+OK\r\n+line\r\n")
    assert pushes(connection.events()) == [Push("monitor", ("line",))]


def test_monitor_waits_for_the_handshake_by_itself() -> None:
    connection = Connection(Handshake())
    with pytest.raises(LocalProtocolError, match="MONITOR was not sent"):
        connection.send(Command("MONITOR"))


def test_closing_while_monitor_is_under_way() -> None:
    connection, peer = opened()
    slot = connection.send(Command("MONITOR"))
    connection.close()
    assert talk(connection, peer)[0] is slot
    assert lost(connection)


# -- transactions ----------------------------------------------------------------------------------------------------------------

TRANSACTION = [Command("MULTI"), Command("ECHO", "1"), Command("ECHO", "2"), Command("EXEC")]


def test_a_transaction_is_one_slot() -> None:
    connection, peer = opened()
    slot = connection.send_many(TRANSACTION)
    assert talk(connection, peer) == [slot]
    assert isinstance(slot, Script)
    assert slot.reply == ["OK", "QUEUED", "QUEUED", [b"1", b"2"]]


def test_a_transaction_that_does_not_add_up_ends_the_connection() -> None:
    connection, _ = opened()
    slot = connection.send_many(TRANSACTION)
    write_all(connection)
    connection.receive_data(b"+OK\r\n+QUEUED\r\n+QUEUED\r\n*1\r\n+1\r\n+drift\r\n")
    end = lost(connection)
    assert isinstance(end.error, RemoteProtocolError)
    assert end.unanswered == [slot]


@pytest.mark.parametrize("ending", ["EXEC", "DISCARD", "UNWATCH", "RESET"])
def test_somebody_elses_end_of_a_watch_is_noticed(ending: str) -> None:
    connection, peer = opened()
    epoch = connection.watch_epoch
    connection.send(Command("WATCH", "k"))
    connection.send_many([Command("MULTI"), Command(ending)] if ending in ("EXEC", "DISCARD") else [Command(ending)])
    talk(connection, peer)
    slot = new_slot(("GET", "k"))
    with pytest.raises(TransactionAbortedError):
        connection.submit_watched(slot, epoch)
    connection.submit_watched(slot, connection.watch_epoch)
    assert talk(connection, peer) == [slot]


@pytest.mark.parametrize(
    "send",
    [
        lambda connection: connection.send(Command("GET", None)),
        lambda connection: connection.send_many([GET, Command("SET", "k", True)]),
        lambda connection: connection.send_many([]),
        lambda connection: connection.send(Command("MULTI")),
        lambda connection: connection.send(Command("EXEC")),
        lambda connection: connection.send_many([Command("MULTI"), Command("SUBSCRIBE", "a"), Command("EXEC")]),
        lambda connection: connection.send(Command("CLIENT", "REPLY", "OFF")),
        lambda connection: connection.send(Command("REPLCONF", "ACK", 0)),
    ],
)
def test_a_local_mistake_raises_and_changes_nothing(send: Callable[[Connection], Slot]) -> None:
    connection, peer = opened()
    before, epoch = repr(connection), connection.watch_epoch
    with pytest.raises((TypeError, ValueError, LocalProtocolError)):
        send(connection)
    assert (repr(connection), connection.watch_epoch) == (before, epoch)
    assert talk(connection, peer) == []


# -- time ------------------------------------------------------------------------------------------------------------------------


def test_deadlines_abandon_slots_whether_they_were_sent_or_not() -> None:
    connection, peer = opened()
    sent = connection.send(Command("ECHO", "a"), deadline=2.0)
    write_all(connection)
    queued, later, never = (connection.send(Command("ECHO", "b"), deadline=at) for at in (1.0, 3.0, inf))
    gone = connection.send(GET, deadline=0.5)
    connection.abandon(gone)
    assert connection.next_deadline() == 0.5
    connection.handle_timeout(0.4)
    assert connection.events() == []
    connection.handle_timeout(2.0)
    assert connection.events() == [TimedOut(slot=sent), TimedOut(slot=queued)]
    assert (sent.outcomes, queued.outcomes) == ((MAYBE,), (NOT_SENT,))
    assert connection.next_deadline() == 3.0
    connection.receive_data(b"+a\r\n")
    assert talk(connection, peer) == [later, never]
    connection.handle_timeout(3.0)
    assert connection.next_deadline() == inf
    assert connection.events() == []


@pytest.mark.parametrize("protocol", [2, 3])
def test_an_idle_connection_pings(protocol: Literal[2, 3]) -> None:
    connection, peer = opened(protocol, ping_interval=10.0)
    talk(connection, peer)
    connection.handle_timeout(1.0)
    assert connection.next_deadline() == 11.0
    slot = connection.send(Command("SUBSCRIBE", "a"))
    assert talk(connection, peer) == [slot]
    connection.handle_timeout(11.0)
    assert connection.data_to_send() == b""
    connection.handle_timeout(21.0)
    assert connection.data_to_send() == b"*1\r\n$4\r\nPING\r\n"
    assert connection.next_deadline() == inf  # it has told nobody how long silence may last
    assert talk(connection, peer) == []
    assert connection.next_deadline() == 31.0
    assert "0 in flight (0 abandoned)" in repr(connection)


def test_a_connection_that_only_listens_or_closes_does_not_ping() -> None:
    connection, peer = opened(ping_interval=10.0)
    connection.send(Command("MONITOR"))
    talk(connection, peer)
    connection.handle_timeout(1.0)
    connection.handle_timeout(100.0)
    assert connection.data_to_send() == b""


def test_a_server_that_owes_a_reply_and_is_silent_counts_as_dead() -> None:
    connection, _ = opened(silence=10.0)
    slot = connection.send(GET)
    write_all(connection)
    connection.handle_timeout(1.0)
    connection.receive_data(b"$5\r\nab")
    connection.handle_timeout(9.0)
    assert connection.next_deadline() == 19.0
    connection.handle_timeout(18.9)
    assert connection.error is None
    connection.handle_timeout(19.0)
    end = lost(connection)
    assert "owes a reply and has been silent for 10 s" in str(end.error)
    assert end.unanswered == [slot]


def test_silence_counts_from_when_a_reply_is_owed() -> None:
    connection, peer = opened(silence=10.0)
    connection.handle_timeout(1.0)
    connection.handle_timeout(90.0)
    slot = connection.send(GET)
    block = connection.data_to_send()
    connection.handle_timeout(100.0)
    connection.handle_timeout(109.0)
    connection.sent(len(block))
    for said in peer.receive(bytes(block)):
        connection.receive_data(said)
    assert connection.events() == [slot]


@pytest.mark.parametrize("commands", [[Command("BLPOP", "k", 0)], [GET, Command("BLPOP", "k", 0), GET]])
@pytest.mark.parametrize("abandoned", [False, True])
def test_a_command_that_blocks_may_be_silent(commands: list[Command[Reply]], abandoned: bool) -> None:
    connection, _ = opened(silence=10.0)
    slot = connection.send_many(commands) if len(commands) > 1 else connection.send(commands[0])
    write_all(connection)
    if abandoned:
        connection.abandon(slot)
    connection.receive_data(b"+1\r\n" * (len(commands) // 2))
    connection.handle_timeout(1.0)
    connection.handle_timeout(50.0)
    assert connection.error is None
    connection.receive_data(b"+2\r\n")
    connection.handle_timeout(51.0)
    if len(commands) > 1:
        connection.handle_timeout(90.0)
        assert connection.error is not None


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


def test_what_is_in_flight_is_bounded_and_the_rest_can_be_withdrawn() -> None:
    connection, peer = opened(max_in_flight=2)
    slots = [connection.send(GET, token) for token in range(4)]
    assert write_all(connection).count(b"GET") == 2
    assert connection.wants_to_send
    assert connection.abandon(slots[2]) == (Outcome.NOT_SENT,)
    connection.receive_data(b"_\r\n")
    assert write_all(connection).count(b"GET") == 1
    assert not connection.wants_to_send
    connection.receive_data(b"_\r\n_\r\n")
    assert connection.events() == [slots[0], slots[1], slots[3]]


@pytest.mark.parametrize("size", [100, 40_000])
def test_a_slot_that_is_larger_than_what_may_be_in_flight_goes_alone(size: int) -> None:
    connection, _ = opened(max_in_flight_bytes=64)
    small, large = connection.send(GET), connection.send(Command("SET", "k", b"x" * size))
    assert write_all(connection).count(b"*") == 1
    assert large.state is SlotState.QUEUED
    connection.receive_data(b"_\r\n")
    assert len(write_all(connection)) > size
    last = connection.send(GET)
    assert write_all(connection) == b""
    connection.receive_data(b"+OK\r\n")
    assert write_all(connection).count(b"*") == 1
    connection.receive_data(b"_\r\n")
    assert connection.events() == [small, large, last]

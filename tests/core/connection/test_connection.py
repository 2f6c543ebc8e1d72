"""The side of a connection that speaks, by example: what it sends and when, how it opens and ends, what it refuses, and time.

Replies are in `test_pairing.py`, conversations that no author would think of in `test_connection_model.py`.
"""

from __future__ import annotations

import gc
import pickle
from math import inf
from typing import TYPE_CHECKING, Any, Final, Literal
from weakref import ref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machines import lost, opened, protocol_of, pushes, state, write_all
from resp_sansio import (
    CloseReason,
    Command,
    Config,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    Push,
    Reply,
    ReplyError,
    ServerInfo,
    TransactionAbortedError,
)
from resp_sansio.connection import (
    Connection,
    ConnectionLost,
    Handshake,
    Opened,
    PushReceived,
    Slot,
    SlotState,
    State,
    TimedOut,
    new_slot,
)
from resp_sansio.connection.pairing import SlotDeadlines
from resp_sansio.connection.slot import Batch
from resp_sansio.connection.state import Input
from resp_sansio.testing import Peer, talk
from resp_sansio.wire import Parser, encode_command, encode_reply

if TYPE_CHECKING:
    from collections.abc import Callable


REPLY, NOT_SENT, MAYBE = Outcome.REPLY, Outcome.NOT_SENT, Outcome.MAYBE_EXECUTED
GET = Command("GET", "key")
BLPOP = Command("BLPOP", "k", 0)


# -- replies and slots ---------------------------------------------------------------------------------------------------------


def test_commands_queued_together_are_sent_together() -> None:
    connection, _ = opened()
    for _ in range(100):
        connection.send(GET)
    assert connection.data_to_send() == b"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n" * 100
    connection.sent(100 * 22)
    assert connection.data_to_send() == b""


def test_it_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="a Connection cannot be pickled"):
        pickle.dumps(opened()[0])


def test_what_is_in_flight_is_what_the_peer_owes() -> None:
    connection, peer = opened()
    slots = [connection.send(GET), connection.send_many([GET, GET])]
    assert connection.in_flight == 0
    written = write_all(connection)
    connection.abandon(slots[0])
    assert connection.in_flight == 2
    for said in peer.receive(written):
        connection.receive_data(said)
    assert connection.in_flight == 0


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
    lost(connection)


# -- abandoning ----------------------------------------------------------------------------------------------------------------


def test_a_queued_slot_is_withdrawn_and_never_sent() -> None:
    connection, peer = opened()
    first, second = connection.send(Command("ECHO", "1")), connection.send(Command("ECHO", "2"))
    assert connection.abandon(first) == connection.abandon(first) == (NOT_SENT,)
    assert talk(connection, peer) == [second]
    assert peer.executed == [(b"ECHO", b"2")]


@pytest.mark.parametrize("commands", [[BLPOP], [GET, BLPOP]])
def test_giving_up_what_the_server_could_still_act_on_ends_the_connection(commands: list[Command[Reply]]) -> None:
    connection, _ = opened()
    slot, behind = connection.send_many(commands), connection.send(GET)
    write_all(connection)
    assert connection.abandon(slot) == [MAYBE] * len(commands)
    assert "given up while the server could still act on it" in str(lost(connection).error)
    assert lost(connection).unanswered == [behind]


HELD_BACK: Final = [Command("MULTI"), BLPOP, Command("EXEC")]


@pytest.mark.parametrize("commands", [HELD_BACK, [GET, *HELD_BACK, GET], [*HELD_BACK[:2], Command("DISCARD")]])
@pytest.mark.parametrize("answered", [0, 1, 2])
def test_what_multi_holds_back_neither_blocks_nor_lingers(commands: list[Command[Reply]], answered: int) -> None:
    connection, peer = opened(silence=10.0)
    peer.answer = lambda _: None
    slot, behind = connection.send_many(commands), connection.send(GET)
    said = peer.receive(write_all(connection))
    connection.receive_data(b"".join(said[:answered]))
    assert not slot.blocks
    assert not slot.may_act_later
    connection.abandon(slot)
    connection.receive_data(b"".join(said[answered:]))
    assert connection.events() == [behind]


def test_an_abandoned_transaction_whose_multi_is_refused_ends_the_connection_if_it_may_block() -> None:
    refused = b"-NOPERM no\r\n"
    connection, _ = opened()
    gone, behind = connection.send_many(HELD_BACK), connection.send(GET)
    write_all(connection)
    connection.abandon(gone)
    connection.receive_data(refused)
    assert "given up while the server could still act on it" in str(lost(connection).error)
    assert lost(connection).unanswered == [behind]
    connection, _ = opened()
    gone, behind = connection.send_many([HELD_BACK[0], GET, HELD_BACK[-1]]), connection.send(GET)
    write_all(connection)
    connection.abandon(gone)
    connection.receive_data(refused + b"+1\r\n" + refused + b"+2\r\n")
    assert connection.events() == [behind]


def test_a_transaction_whose_multi_was_refused_is_given_up_as_its_commands_would_be() -> None:
    connection, _ = opened()
    slot = connection.send_many([*HELD_BACK, BLPOP])
    write_all(connection)
    assert slot.may_act_later
    connection.receive_data(b"-NOPERM no\r\n")
    assert slot.blocks
    connection.abandon(slot)
    assert "given up while" in str(lost(connection).error)


# -- alone in flight -----------------------------------------------------------------------------------------------------------

AUTH: Final = Command("AUTH", "ann", "stale")
ALONE: Final = [AUTH, Command("HELLO", 3, "AUTH", "ann", "stale")]


@pytest.mark.parametrize("auth", ALONE)
def test_auth_waits_for_what_is_in_flight_and_what_follows_waits_for_its_answer(auth: Command[Reply]) -> None:
    """A server that leaves a refused AUTH unanswered behind others would give each later caller the reply of another."""
    connection, peer = opened()
    peer.mute, peer.password, peer.authenticated = True, b"right", True
    slots = [connection.send(command) for command in (GET, GET, auth, auth, GET, GET)]
    groups = []
    while block := bytes(connection.data_to_send()):
        connection.sent(len(block))
        groups.append(len(Parser().feed(block)))
        for said in peer.receive(block):
            connection.receive_data(said)
    assert groups == [2, 1, 1, 2]
    assert connection.events() == slots
    assert [slot.reply for slot in slots if slot.name == "GET"] == [b"key"] * 4
    assert isinstance(slots[2].reply, ReplyError)
    assert slots[2].reply.code == "WRONGPASS"


def test_hello_without_a_password_waits_for_nothing() -> None:
    connection, _ = opened()
    for command in (GET, Command("HELLO", 3), GET):
        connection.send(command)
    assert connection.data_to_send()
    assert connection.in_flight == 3


def test_a_pipeline_of_one_auth_is_alone_in_flight_too() -> None:
    connection, _ = opened()
    connection.send(GET)
    slot = connection.send_many([AUTH])
    write_all(connection)
    assert connection.in_flight == 1
    connection.receive_data(b"+1\r\n")
    write_all(connection)
    connection.receive_data(b"+OK\r\n")
    assert slot.reply == ["OK"]


@pytest.mark.parametrize("auth", ALONE)
@pytest.mark.parametrize("how", ["given up", "timed out", "silent"])
def test_an_auth_without_an_answer_ends_the_connection(auth: Command[Reply], how: str) -> None:
    connection, _ = opened(silence=10.0 if how == "silent" else inf)
    slot, behind = connection.send(auth, deadline=5.0 if how == "timed out" else inf), connection.send(GET)
    write_all(connection)
    if how == "given up":
        assert connection.abandon(slot) == [MAYBE]
    connection.handle_timeout(1.0)
    connection.handle_timeout(20.0)
    end = lost(connection)
    assert end.unanswered == ([slot, behind] if how == "silent" else [behind])
    assert list(behind.outcomes) == [NOT_SENT]
    assert ("silent for" if how == "silent" else "was given up, and a server may leave it unanswered") in str(end.error)


def test_an_auth_that_was_not_sent_may_be_given_up() -> None:
    connection, peer = opened()
    first, auth, last = (connection.send(command) for command in (GET, AUTH, GET))
    written = write_all(connection)
    assert connection.abandon(auth) == [NOT_SENT]
    for said in peer.receive(written):
        connection.receive_data(said)
    assert [*connection.events(), *talk(connection, peer)] == [first, last]


def test_a_command_that_blocks_may_time_out_unsent_and_ends_nothing() -> None:
    connection, _ = opened()
    queued = connection.send(BLPOP, deadline=1.0)
    connection.handle_timeout(1.0)
    assert connection.events() == [TimedOut(slot=queued)]
    assert connection.error is None
    assert queued.failure(connection.timed_out()).outcome is NOT_SENT


def test_a_timeout_of_what_the_server_could_still_act_on_ends_the_connection() -> None:
    connection, _ = opened()
    slots = [connection.send(command, deadline=1.0) for command in (BLPOP, GET)]
    write_all(connection)
    connection.handle_timeout(1.0)
    timed_out, end = connection.events()
    assert timed_out == TimedOut(slot=slots[0])
    assert isinstance(end, ConnectionLost)
    assert end.unanswered == slots[1:]


def test_the_rest_of_an_abandoned_slot_is_still_sent() -> None:
    connection, peer = opened()
    gone = connection.send(Command("ECHO", "x" * 100))
    head = bytes(connection.data_to_send()[:50])
    connection.sent(50)
    assert connection.abandon(gone) == (MAYBE,)
    after = connection.send(Command("ECHO", "after"))
    assert peer.receive(head) == []
    assert talk(connection, peer) == [after]


def test_abandoning_a_stranger_or_an_ended_slot() -> None:
    connection, _ = opened()
    stranger = new_slot(("GET", "k"))
    assert connection.abandon(stranger) == (NOT_SENT,)
    slot = connection.send(GET)
    write_all(connection)
    connection.receive_eof()
    assert connection.abandon(slot) == (MAYBE,)
    assert slot.state is SlotState.LOST


def test_what_an_interrupt_took_out_of_flight_can_be_abandoned() -> None:
    """An interrupt may strike when a slot has left the queue and is not marked as answered yet."""
    connection, _ = opened()
    slot = connection.send(GET)
    write_all(connection)
    connection._flying.clear()
    assert connection.abandon(slot) == (MAYBE,)


def test_what_was_answered_needs_no_abandoning() -> None:
    connection, peer = opened()
    slots = [connection.send(GET), connection.send_many([GET, GET])]
    assert talk(connection, peer) == slots
    assert [connection.abandon(slot) for slot in slots] == [(REPLY,), (REPLY, REPLY)]


def test_only_a_command_can_be_sent() -> None:
    connection, _ = opened()
    with pytest.raises(TypeError, match=r"send\(\) takes a Command, not str"):
        connection.send("GET")  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [["GET"], [("GET", "k")], [None], [Command("GET", "k"), "GET"]], ids=str)
def test_many_are_commands_each(wrong: Any) -> None:
    connection = Connection()
    with pytest.raises(TypeError, match=r"send_many\(\) takes Commands, not (str|tuple|NoneType): send_many"):
        connection.send_many(wrong)
    assert connection.data_to_send() == b""


def test_a_slot_is_submitted_once() -> None:
    connection, peer = opened()
    slot = connection.send(GET)
    talk(connection, peer)
    with pytest.raises(LocalProtocolError, match=r"GET was not sent: .* once"):
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
    with pytest.raises(ConnectionClosedError, match=r"GET was not sent: .* is closing"):
        connection.send(GET)
    assert state(connection) is State.CLOSING
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
    assert state(connection) is State.CLOSING
    connection.handle_timeout(5.0)
    events = connection.events()
    assert events[0] == TimedOut(slot=second)
    assert isinstance(events[1], ConnectionLost)


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
    assert state(connection) is State.OPENING
    assert b"GET" not in write_all(connection)
    connection.abandon(gone)
    connection = Connection(Handshake(protocol=protocol, password="pw", client_name="me", database=3))
    slot = connection.send(GET)
    first, *rest = talk(connection, peer)
    assert isinstance(first, Opened)
    assert rest == [slot]
    assert first.protocol == connection.protocol == protocol
    assert (peer.database, peer.name, peer.authenticated) == (3, b"me", True)


def test_before_the_handshake_is_accepted_nothing_is_known_of_the_server() -> None:
    assert Connection(Handshake(protocol=3)).server == Connection().server == ServerInfo()


def test_the_server_is_what_hello_said_last() -> None:
    connection, peer = opened()
    assert connection.server == ServerInfo(name="redis", version="7.0.0")
    slot = connection.send(Command("HELLO", 3))
    write_all(connection)
    connection.receive_data(b"%2\r\n+server\r\n+valkey\r\n+version\r\n+9.1.2\r\n")
    assert connection.events() == [slot]
    assert connection.server == ServerInfo(name="valkey", version="9.1.2")
    plain = Connection.configured(Config(client_name="me", password="pw"), now=0.0, plain=True)
    assert [type(event) for event in talk(plain, Peer(password=b"pw"))] == [Opened]
    assert plain.server == ServerInfo()
    assert peer.protocol == 3


def test_an_idle_connection_keeps_nothing_of_what_it_has_been_through() -> None:
    connection, _ = opened()
    late = connection.send(GET, deadline=1.0)
    write_all(connection)
    connection.handle_timeout(2.0)
    lasting = connection.send(Command("SUBSCRIBE", "news"))
    assert {Slot, SlotDeadlines} <= kinds_held(connection)
    write_all(connection)
    connection.receive_data(b"$-1\r\n>3\r\n+subscribe\r\n+news\r\n:1\r\n")
    assert (late.state, lasting.state) == (SlotState.ABANDONED, SlotState.ANSWERED)
    connection.send(Command("RESET"))
    write_all(connection)
    connection.receive_data(b"+RESET\r\n")
    assert len(connection.events()) == 3
    connection.handle_timeout(9.0)
    another, _ = opened()
    assert kinds_held(connection) == kinds_held(another)
    assert not {Handshake, Slot, Batch, SlotDeadlines, dict} & kinds_held(another)
    assert another._parser._stream is None
    assert gc.get_referents(connection.subscriptions) == gc.get_referents(another.subscriptions)


def kinds_held(connection: Connection) -> set[type]:
    """What a connection refers to, and the lists that it has for what is under way."""
    held = gc.get_referents(connection)
    return {type(each) for kept in held for each in (kept, *(kept if isinstance(kept, list) else ()))}


NESTED = b"*2\r\n>3\r\n+message\r\n$1\r\na\r\n$2\r\nhi\r\n$1\r\nx\r\n_\r\n"


@pytest.mark.parametrize(
    ("said", "forced", "accepted"),
    [
        (b"%3\r\n+server\r\n+redis\r\n+version\r\n+7.0.15\r\n+proto\r\n:3\r\n", False, True),
        (b"%1\r\n+proto\r\n:3\r\n", False, True),
        (b"%3\r\n+server\r\n+redis\r\n+version\r\n+7.2.0\r\n+proto\r\n:3\r\n", False, False),
        (b"%3\r\n+server\r\n+redis\r\n+version\r\n+8.6.3\r\n+proto\r\n:3\r\n", True, True),
        (b"%3\r\n+server\r\n+valkey\r\n+version\r\n+8.0.1\r\n+proto\r\n:3\r\n", False, False),
    ],
)
def test_a_push_inside_a_reply_is_taken_from_servers_that_write_them(said: bytes, forced: bool, accepted: bool) -> None:
    connection = Connection.configured(
        Config(lib_name=None, lib_version=None, lenient_push=forced), now=0.0, open_by=9.0
    )
    slot = connection.send(Command("MGET", "a", "b"))
    write_all(connection)
    connection.receive_data(said)
    write_all(connection)
    connection.receive_data(NESTED)
    events = connection.events()[1:]
    if accepted:
        assert events == [PushReceived(push=Push("message", (b"a", b"hi"))), slot]
        assert slot.reply == [b"x", None]
    else:
        assert "a push may not stand inside another reply" in str(lost(connection).error)


def test_a_handshake_that_failed_says_where_and_whether_a_plain_one_may_work() -> None:
    connection = Connection.configured(Config(host="there", password="pw"), now=0.0)
    assert connection.not_opened() is None
    write_all(connection)
    connection.receive_eof()
    error = connection.not_opened()
    assert isinstance(error, ConnectError)
    assert "cannot open a connection to there:6379: the server closed the connection during the handshake" in str(error)
    assert error.plain_may_work
    assert error.transient
    plain = Connection.configured(Config(client_name="me", db=3), now=0.0, plain=True)
    assert write_all(plain) == encode_command(("SELECT", 3))
    plain.receive_eof()
    error = plain.not_opened()
    assert isinstance(error, ConnectError)
    assert not error.plain_may_work
    malformed = Connection(Handshake(), peer="x")
    malformed.receive_data(b"HTTP/1.1 400 Bad Request\r\n")
    error = malformed.not_opened()
    assert isinstance(error, ConnectError)
    assert not error.transient
    assert str(error).startswith("cannot open a connection to x: expected")


@pytest.mark.parametrize("password", [None, b"pw"])
def test_a_server_without_hello_is_asked_again_in_resp2(password: bytes | None) -> None:
    peer = Peer(hello=False, password=password)
    connection = Connection(Handshake(password=password, client_name="me", library_name="it", database=3))
    slot = connection.send(GET)
    first, second = talk(connection, peer)
    assert first == Opened(protocol=2, server=ServerInfo())
    assert connection.server == ServerInfo()
    assert second is slot
    assert (peer.database, peer.name) == (3, b"me")
    assert protocol_of(connection) == 2


@pytest.mark.parametrize("protocol", [2, 3])
def test_no_password_outlives_its_connection(protocol: Literal[2, 3]) -> None:
    class Password(str):
        """A text to which there can be a weak reference."""

        __slots__ = ("__weakref__",)

    password = Password("secret")
    kept = ref(password)
    connection = Connection(Handshake(protocol=protocol, password=password, library_name="it"))
    assert b"secret" in connection.data_to_send()
    del connection, password
    gc.collect()
    assert kept() is None


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
    connection.handle_timeout(2.9)
    assert connection.state is State.OPENING
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
    assert protocol_of(connection) == 2
    assert talk(connection, peer) == [slot]
    assert state(connection) is State.SUBSCRIBED


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
    assert state(connection) is State.READY
    connection.send(GET)


def test_a_push_is_taken_once() -> None:
    connection, _ = opened()
    connection.receive_data(encode_reply(Push("x", ())))
    connection.push_taken()
    with pytest.raises(LocalProtocolError, match="push_taken"):
        connection.push_taken()


# -- commands that change what the connection is ---------------------------------------------------------------------------------


def test_after_monitor_a_connection_only_listens() -> None:
    connection, peer = opened()
    before, monitor = connection.send(GET), connection.send(Command("MONITOR"))
    with pytest.raises(LocalProtocolError, match="GET was not sent: after MONITOR"):
        connection.send(GET)
    assert talk(connection, peer) == [before, monitor]
    assert state(connection) is State.MONITORING
    connection.receive_data(b'+1.0 [0 x] "GET" "k"\r\n:1\r\n')
    assert pushes(connection.events()) == [Push("monitor", ('1.0 [0 x] "GET" "k"',)), Push("monitor", (1,))]
    connection.close()
    lost(connection)


def test_a_monitor_that_is_withdrawn_never_was() -> None:
    connection, peer = opened()
    connection.abandon(connection.send(Command("MONITOR")))
    assert state(connection) is State.READY
    slot = connection.send(GET)
    assert talk(connection, peer) == [slot]


def test_monitor_waits_for_the_handshake_by_itself() -> None:
    connection = Connection(Handshake())
    with pytest.raises(LocalProtocolError, match="MONITOR was not sent"):
        connection.send(Command("MONITOR"))


# -- transactions ----------------------------------------------------------------------------------------------------------------


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
        lambda connection: connection.send(Command("GET", None)),  # type: ignore[call-overload]
        lambda connection: connection.send_many([GET, Command("SET", "k", True)]),
        lambda connection: connection.send_many([]),
        lambda connection: connection.send(Command("MULTI")),
        lambda connection: connection.send(Command("EXEC")),
        lambda connection: connection.send_many([Command("MULTI"), Command("SUBSCRIBE", "a"), Command("EXEC")]),
        lambda connection: connection.send(Command("CLIENT", "REPLY", "OFF")),
        lambda connection: connection.send(Command("REPLCONF", "ACK", 0)),
        lambda connection: connection.send(Command("TOPK.INCRBY", "k", "a", -1, "b", 1)),
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
    assert connection.events() == [TimedOut(slot=queued), TimedOut(slot=sent)]  # the earliest first
    assert (sent.outcomes, queued.outcomes) == ((MAYBE,), (NOT_SENT,))
    assert connection.next_deadline() == 3.0
    connection.receive_data(b"+a\r\n")
    assert talk(connection, peer) == [later, never]
    connection.handle_timeout(3.0)
    assert connection.next_deadline() == inf
    assert connection.events() == []


# -- interrupts ----------------------------------------------------------------------------------------------------------------


def test_what_is_under_way_is_counted_anew_after_an_interrupt() -> None:
    connection, _ = opened()
    sent, given_up = connection.send(GET), connection.send(GET)
    write_all(connection)
    queued = connection.send(GET)
    for slot in (given_up, queued):  # and the counts were not changed
        slot.settle(SlotState.ABANDONED if slot is given_up else SlotState.WITHDRAWN, inf)
    connection.reconcile()
    stats = connection.stats()
    assert (stats.in_flight, stats.abandoned, stats.queued, stats.given_up) == (2, 1, 0, 1)
    connection.receive_data(b"+a\r\n+b\r\n")
    assert connection.events() == [sent]
    assert (sent.reply, connection.stats().answered) == ("a", 1)


def test_a_ping_that_an_interrupt_has_sent_is_no_callers() -> None:
    connection, peer = opened(ping_interval=10.0)
    talk(connection, peer)
    connection.handle_timeout(1.0)
    connection.handle_timeout(11.0)
    assert connection._ping is not None
    connection._ping.state, connection._abandoned = SlotState.HANDED, 0  # as it left, and was not given up yet
    connection.reconcile()
    assert talk(connection, peer) == []
    assert connection.stats().abandoned == 0


def test_a_connection_that_was_about_to_end_ends() -> None:
    connection, _ = opened()
    slot = connection.send(GET)
    connection._final = connection.stats()
    connection._move(Input.ENDED)
    connection.reconcile()
    assert lost(connection).unanswered == [slot]
    closing, _ = opened()
    closing._move(Input.CLOSE)
    closing.reconcile()
    assert isinstance(lost(closing).error, ConnectionClosedError)


@pytest.mark.parametrize(("command", "ends"), [(Command("BLPOP", "k", 0), True), (GET, False)])
def test_a_connection_that_what_was_given_up_is_to_end_ends(command: Command[Any], ends: bool) -> None:
    """An interrupt struck when the slot had been given up, and the connection had not ended yet."""
    connection, _ = opened(protocol=2)
    slot = connection.send(command)
    write_all(connection)
    slot.settle(SlotState.ABANDONED, inf)
    connection.reconcile()
    assert (connection.error is not None) is ends


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
    assert connection.next_deadline() == inf  # it was not told how long silence may last
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


def test_a_server_that_takes_a_large_command_slowly_is_not_silent() -> None:
    connection, _ = opened(silence=10.0)
    slot = connection.send(Command("SET", "k", bytes(1_000_000)))
    behind = connection.send(GET)
    connection.data_to_send()
    connection.sent(1)
    connection.handle_timeout(1.0)
    for now in (10.0, 19.0, 28.0):
        connection.sent(100_000)
        connection.handle_timeout(now)
        assert connection.owes_for(now) == 0
    write_all(connection)
    connection.handle_timeout(37.0)
    assert connection.next_deadline() == 47.0, "it has all since then, and owes a reply"
    assert connection.owes_for(40.0) == 3.0
    connection.handle_timeout(47.0)
    assert lost(connection).unanswered == [slot, behind]


def test_a_server_that_takes_no_more_of_a_large_command_is_silent() -> None:
    connection, _ = opened(silence=10.0)
    slot = connection.send(Command("SET", "k", bytes(1_000_000)))
    connection.data_to_send()
    connection.sent(1)
    connection.handle_timeout(1.0)
    connection.handle_timeout(11.0)
    assert lost(connection).unanswered == [slot]


def test_what_is_sent_behind_a_command_does_not_break_the_silence() -> None:
    connection, _ = opened(silence=10.0)
    connection.send(GET)
    write_all(connection)
    connection.handle_timeout(1.0)
    for now in (5.0, 10.9):
        connection.send(GET)
        write_all(connection)
        connection.handle_timeout(now)
    connection.handle_timeout(11.0)
    assert len(lost(connection).unanswered) == 3


def test_for_how_long_a_server_has_been_silent_that_owes_a_reply() -> None:
    connection, peer = opened(silence=10.0)
    connection.handle_timeout(1.0)
    assert connection.owes_for(5.0) == 0
    connection.send(GET)
    write_all(connection)
    connection.handle_timeout(6.0)
    assert connection.owes_for(7.5) == 1.5, "since the first look behind the command"
    connection.receive_data(b"$5\r\nab")
    connection.handle_timeout(8.0)
    assert connection.owes_for(8.5) == 0.5
    connection.receive_data(b"cde\r\n")
    connection.send(Command("BLPOP", "q", 0))
    talk(connection, peer)
    assert connection.owes_for(90.0) == 0, "it may hold that back on purpose"


def test_a_caller_that_gave_a_longer_deadline_is_left_to_wait_and_the_silence_is_noticed_behind_it() -> None:
    connection, _ = opened(silence=10.0)
    slow = connection.send(GET, deadline=35.0)
    behind = connection.send(GET)
    write_all(connection)
    times: list[float] = []
    connection.handle_timeout(0.0)
    while (deadline := connection.next_deadline()) < inf:
        assert not times or deadline > times[-1]  # it moves, or there would be no end
        times.append(deadline)
        connection.handle_timeout(deadline)
        if slow.state is SlotState.HANDED:
            assert connection.events() == []
    assert times == [10.0, 20.0, 30.0, 35.0, 40.0]
    assert slow.state is SlotState.ABANDONED
    assert lost(connection).unanswered == [behind]


def test_the_default_leaves_a_server_that_has_vanished() -> None:
    default = Config().silence_timeout
    assert default is not None
    connection, _ = opened(silence=default)
    now, calls = 0.0, 0
    while connection.error is None:
        slot = connection.send(GET, deadline=now + 5.0)
        write_all(connection)
        while slot.state is SlotState.HANDED:
            now = max(now, connection.next_deadline())
            connection.handle_timeout(now)
            connection.events()
        calls += 1
    assert now <= 15.0
    assert calls <= 3


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


@pytest.mark.parametrize("commands", [[BLPOP], [GET, BLPOP, GET]])
def test_a_command_that_blocks_may_be_silent(commands: list[Command[Reply]]) -> None:
    connection, _ = opened(silence=10.0)
    if len(commands) > 1:
        connection.send_many(commands)
    else:
        connection.send(commands[0])
    write_all(connection)
    connection.receive_data(b"+1\r\n" * (len(commands) // 2))
    connection.handle_timeout(1.0)
    connection.handle_timeout(50.0)
    assert connection.error is None
    connection.receive_data(b"+2\r\n")
    connection.handle_timeout(51.0)
    if len(commands) > 1:
        connection.handle_timeout(90.0)
        assert connection.error is not None


def test_what_is_in_flight_is_bounded_and_the_rest_can_be_withdrawn() -> None:
    connection, _peer = opened(max_in_flight=2)
    slots = [connection.send(GET, token) for token in range(4)]
    assert write_all(connection).count(b"GET") == 2
    assert connection.wants_to_send
    assert connection.abandon(slots[2]) == (Outcome.NOT_SENT,)
    connection.receive_data(b"_\r\n")
    assert write_all(connection).count(b"GET") == 1
    assert not connection.wants_to_send
    connection.receive_data(b"_\r\n_\r\n")
    assert connection.events() == [slots[0], slots[1], slots[3]]


def test_what_was_answered_makes_room_whatever_it_was() -> None:
    two = 2 * len(b"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n")
    connection, peer = opened(max_in_flight_bytes=two)
    unwatched = connection.send(Command("UNWATCH"))
    assert talk(connection, peer) == [unwatched]
    slots = [connection.send(GET) for _ in range(3)]
    assert len(write_all(connection)) == two
    connection.abandon(slots[0])
    connection.receive_data(b"+1\r\n+2\r\n")
    assert connection.events() == [slots[1]]
    more = connection.send(GET)
    assert len(write_all(connection)) == two
    connection.receive_data(b"+3\r\n+4\r\n")
    assert connection.events() == [slots[2], more]


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


def test_where_a_driver_cannot_tell_what_it_sent_all_that_was_handed_over_is_uncertain() -> None:
    connection, _ = opened()
    handed = connection.send(GET)
    connection.data_to_send()
    queued = connection.send(GET)
    connection.abort(uncertain=True)
    assert handed.outcomes == (Outcome.MAYBE_EXECUTED,)
    assert queued.outcomes == (Outcome.NOT_SENT,)


def test_attributes_of_a_pipeline_are_kept_by_the_index_of_the_command() -> None:
    connection, _ = opened()
    plain = connection.send_many([GET, GET, GET])
    script = connection.send_many([Command("UNWATCH"), GET])
    alone = connection.send(Command("UNWATCH"))
    write_all(connection)
    one, two = b"|1\r\n+ttl\r\n:1\r\n", b"|1\r\n+ttl\r\n:2\r\n"
    connection.receive_data(one + b"+a\r\n+b\r\n" + two + b"+c\r\n" + b"+OK\r\n" + two + b"+d\r\n" + one + b"+OK\r\n")
    assert connection.events() == [plain, script, alone]
    assert plain.attributes == {0: {"ttl": 1}, 2: {"ttl": 2}}
    assert script.attributes == {1: {"ttl": 2}}
    assert alone.attributes == {"ttl": 1}
    plain.renew()
    assert plain.attributes is None


# -- what a borrower leaves behind -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "session_changed", "watching"),
    [
        (["GET k"], False, False),
        (["CONFIG SET requirepass x"], False, False),
        (["SELECT 1"], True, False),
        (["SUBSCRIBE a"], True, False),
        (["CLIENT NO-EVICT ON"], True, False),
        (["WATCH k"], False, True),
        (["WATCH k", "UNWATCH"], False, False),
        (["WATCH k", "MULTI", "SET k v", "EXEC"], False, False),
    ],
)
def test_a_connection_knows_what_its_commands_have_changed_of_it(
    sent: list[str], session_changed: bool, watching: bool
) -> None:
    connection, _ = opened()
    commands = [Command(*words.split()) for words in sent]
    if len(commands) > 2:
        connection.send(commands.pop(0))
        connection.send_many(commands)
    else:
        for command in commands:
            connection.send(command)
    assert (connection.session_changed, connection.watching) == (session_changed, watching)
    write_all(connection)
    assert (connection.session_changed, connection.watching) == (session_changed, watching)
    assert connection.close_reason is (CloseReason.BROKEN if session_changed else None)


def test_a_watch_that_the_server_does_not_end_stays() -> None:
    connection, _ = opened()
    connection.send(Command("WATCH", "k"))
    connection.send(Command("UNWATCH"))
    write_all(connection)
    assert connection.close_reason is None
    connection.receive_data(b"+OK\r\n-NOPERM no\r\n")
    assert connection.close_reason is CloseReason.BROKEN
    assert not connection.is_as_new


def test_only_what_serves_everybody_can_be_used_again() -> None:
    connection, _ = opened()
    assert connection.close_reason is None
    connection.close()
    assert connection.close_reason is CloseReason.LOST
    assert opened_monitor().close_reason is CloseReason.BROKEN


def opened_monitor() -> Connection:
    connection, _ = opened()
    connection.send(Command("MONITOR"))
    return connection


def test_a_watch_that_may_not_have_ended_is_ended_before_the_next_borrower() -> None:
    connection, peer = opened()
    connection.send(Command("WATCH", "k"))
    write_all(connection)
    transaction = [Command("MULTI"), Command("SET", "k", "v"), Command("EXEC")]
    connection.abandon(connection.send_many(transaction))  # withdrawn: the server still watches
    assert connection.watching
    connection.send_many(transaction)
    assert not connection.watching
    written = write_all(connection)
    assert peer is not None
    assert written
    connection.receive_data(b"+OK\r\n-BUSY no\r\n-BUSY no\r\n-BUSY no\r\n")
    assert connection.watching


def test_a_watch_that_was_never_sent_watches_nothing() -> None:
    connection, _ = opened()
    gone = connection.send(Command("WATCH", "k"))
    assert connection.watching
    connection.abandon(gone)
    assert not connection.watching
    for _ in range(3):
        connection.send(Command("PING"))
    connection.abandon(connection.send(Command("WATCH", "k")))  # among others, it keeps its place for a while
    assert not connection.watching
    connection.send(Command("WATCH", "k"))
    connection.send(Command("UNWATCH"))
    assert not connection.watching
    write_all(connection)
    assert not connection.watching


@pytest.mark.parametrize("command", [Command("SELECT", 1), Command("CLIENT", "SETNAME", "me"), Command("AUTH", "x")])
def test_what_was_never_sent_has_changed_nothing(command: Command[Reply]) -> None:
    connection, peer = opened()
    assert connection.is_as_new
    gone = connection.send(command)
    assert connection.close_reason is CloseReason.BROKEN
    assert not connection.is_as_new
    connection.abandon(gone)
    assert not connection.session_changed
    assert connection.close_reason is None
    kept, gone = connection.send(command), connection.send(command)
    connection.abandon(gone)
    assert connection.session_changed
    assert talk(connection, peer) == [kept]
    assert connection.close_reason is CloseReason.BROKEN


def test_a_slot_that_goes_out_again_keeps_its_deadline() -> None:
    """As after LOADING: the connection has taken note of its deadline before, and forgotten it with the answer."""
    connection, _ = opened()
    early = connection.send(Command("GET", "a"), deadline=1.0)
    again = connection.send(Command("GET", "b"), deadline=5.0)
    write_all(connection)
    connection.handle_timeout(1.0)  # notes all deadlines
    assert [event.slot for event in connection.events() if isinstance(event, TimedOut)] == [early]
    connection.receive_data(b"$-1\r\n-LOADING wait\r\n")
    connection.events()
    again.renew()
    connection.submit(again)
    write_all(connection)
    connection.handle_timeout(5.0)
    assert [event.slot for event in connection.events() if isinstance(event, TimedOut)] == [again]


@pytest.mark.parametrize("sent", [True, False])
def test_a_slot_that_goes_out_elsewhere_is_due_there_alone(sent: bool) -> None:
    """As after MOVED: the connection that has answered it has nothing more to do with it, though it had noted its deadline."""
    first, _ = opened()
    second, _ = opened()
    early = first.send(Command("GET", "a"), deadline=1.0)
    slot = first.send(Command("INCR", "b"), deadline=5.0)
    other = first.send(Command("GET", "c"), deadline=4.0)
    write_all(first)
    first.handle_timeout(1.0)  # notes all deadlines
    assert [event.slot for event in first.events() if isinstance(event, TimedOut)] == [early]
    first.receive_data(b"$-1\r\n-MOVED 1 elsewhere:6379\r\n")
    first.events()
    slot.renew()
    second.submit(slot)
    if sent:
        write_all(second)
    first.handle_timeout(5.0)
    assert [event.slot for event in first.events() if isinstance(event, TimedOut)] == [other]
    assert slot.state is (SlotState.HANDED if sent else SlotState.QUEUED)
    second.handle_timeout(5.0)
    assert [event.slot for event in second.events() if isinstance(event, TimedOut)] == [slot]
    assert slot.outcomes == ((Outcome.MAYBE_EXECUTED,) if sent else (Outcome.NOT_SENT,))
    assert (first.stats().abandoned, second.stats().abandoned) == (1, int(sent))

"""A reply that no caller waits for any more is read to its end, counted as one, and not built."""

from __future__ import annotations

import sys
import tracemalloc
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machines import opened, write_all
from resp_sansio import Command
from resp_sansio.connection import Connection, ConnectionLost, Slot
from resp_sansio.testing import splits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

GET: Final = Command("GET", "key")
TRANSACTION: Final = [Command("MULTI"), Command("LRANGE", "l", 0, -1), GET, Command("EXEC")]
QUEUED: Final = b"+OK\r\n+QUEUED\r\n+QUEUED\r\n"
ROW: Final = b"$100\r\n" + b"x" * 100 + b"\r\n"

# What is sent, and how its reply begins, goes on and ends.
LARGE: Final[dict[str, tuple[Sequence[Command[object]], bytes, bytes, bytes]]] = {
    "array": ([GET], b"*600000\r\n", ROW, b""),
    "text": ([GET], b"+" + b"y" * 20_000, b"y" * 100, b"\r\n"),
    "error": ([GET], b"-ERR " + b"y" * 20_000, b"y" * 100, b"\r\n"),
    "text in an array": ([GET], b"*2\r\n+" + b"y" * 20_000, b"y" * 100, b"\r\n:1\r\n"),
    "transaction": (TRANSACTION, QUEUED + b"*2\r\n*600000\r\n", ROW, b""),
    "text in a transaction": (TRANSACTION, QUEUED + b"*2\r\n+" + b"y" * 20_000, b"y" * 100, b"\r\n:1\r\n"),
    "attribute": ([GET], b"|300000\r\n", ROW, b""),
    "attribute in a transaction": (TRANSACTION, QUEUED + b"|300000\r\n", ROW, b""),
    "pipeline": ([GET, Command("SELECT", 0)], b"*600000\r\n", ROW, b""),
}


def sent(connection: Connection, commands: Sequence[Command[object]]) -> Slot:
    slot = connection.send(commands[0]) if len(commands) == 1 else connection.send_many(commands)
    write_all(connection)
    return slot


@pytest.mark.parametrize("before", [0, 10], ids=["before its first byte", "half-way"])
@pytest.mark.parametrize("what", LARGE)
def test_nothing_is_held_of_a_reply_that_was_given_up(what: str, before: int) -> None:
    commands, begin, more, _ = LARGE[what]
    connection, _ = opened()
    slot = sent(connection, commands)
    tracemalloc.start()
    try:
        if not before:
            connection.abandon(slot)
        connection.receive_data(begin + more * before)
        if before:
            connection.abandon(slot)
        for _ in range(100):
            connection.receive_data(more * 500)
        assert tracemalloc.get_traced_memory()[0] < 200_000
    finally:
        tracemalloc.stop()


def test_what_had_come_is_let_go_at_once() -> None:
    connection, _ = opened()
    slot = sent(connection, [GET])
    tracemalloc.start()
    try:
        connection.receive_data(b"*600000\r\n" + ROW * 20_000)
        assert tracemalloc.get_traced_memory()[0] > 1_000_000
        connection.abandon(slot)
        assert tracemalloc.get_traced_memory()[0] < 200_000
    finally:
        tracemalloc.stop()
    assert connection.events() == []


@given(st.data(), st.sampled_from([name for name in LARGE if LARGE[name][2] is not ROW]), st.integers(0, 21_000))
def test_what_follows_a_reply_that_was_given_up_is_the_next_callers(data: st.DataObject, what: str, cut: int) -> None:
    commands, begin, more, end = LARGE[what]
    connection, _ = opened()
    gone = sent(connection, commands)
    after = sent(connection, [GET])
    wire = begin + more + end
    connection.receive_data(wire[:cut])
    connection.abandon(gone)
    for part in data.draw(splits(wire[cut:] + b"$2\r\nhi\r\n")):
        connection.receive_data(part)
    assert connection.events()[-1] is after
    assert after.reply == b"hi"


@pytest.mark.parametrize(
    ("exec_reply", "fits"),
    [
        (b"*2\r\n*1\r\n:1\r\n$1\r\nx\r\n", True),
        (b"*-1\r\n", True),
        (b"-EXECABORT no\r\n", True),
        (b"*3\r\n:1\r\n:2\r\n:3\r\n", False),
        (b"*1\r\n*2\r\n:1\r\n:2\r\n", False),
        (b"%1\r\n:1\r\n:2\r\n", False),
        (b":2\r\n", False),
    ],
)
@pytest.mark.parametrize("size", [1, 4, 100])
@pytest.mark.parametrize("cut", [0, 3, 7])
def test_a_transaction_that_was_given_up_must_add_up_all_the_same(
    exec_reply: bytes, fits: bool, size: int, cut: int
) -> None:
    connection, _ = opened()
    gone, after = sent(connection, TRANSACTION), sent(connection, [GET])
    wire = QUEUED + exec_reply
    cut += len(QUEUED)
    connection.receive_data(wire[:cut])
    connection.abandon(gone)
    rest = wire[cut:] + b"$2\r\nhi\r\n"
    for at in range(0, len(rest), size):
        connection.receive_data(rest[at : at + size])
    if fits:
        assert connection.events()[-1] is after
        assert after.reply == b"hi"
    else:
        assert isinstance(connection.events()[-1], ConnectionLost)


@pytest.mark.parametrize("size", [10**9, 1000, 7])
def test_replies_of_a_crowd_that_has_gone_are_skipped_by_the_run(size: int) -> None:
    connection, _ = opened()
    crowd = [connection.send(GET) if number % 5 else connection.send_many([GET, GET]) for number in range(500)]
    after = connection.send(GET)
    write_all(connection)
    for slot in crowd:
        connection.abandon(slot)
    replies = b"$3\r\nabc\r\n" * 600 + b"+after\r\n"
    pieces = [replies[at : at + size] for at in range(0, len(replies), size)]
    calls = 0

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        answered = [connection.receive_replies(piece) for piece in pieces]
    finally:
        sys.setprofile(before)
    assert answered[:-1] == [[]] * (len(pieces) - 1)  # there is nothing to tell
    assert (answered[-1] or connection.events()) == [after]
    assert connection.stats().abandoned == 0
    assert calls < 1000 + 40 * len(pieces)  # that is no more for each reply, as long as few pieces come


@pytest.mark.parametrize("stateful", [False, True])
def test_one_that_waits_for_a_push_has_its_turn_behind_those_who_have_gone(stateful: bool) -> None:
    connection, _ = opened()
    gone = [connection.send(GET), connection.send(GET)]
    last = connection.send(Command("SUBSCRIBE", "c")) if stateful else connection.send(GET)
    write_all(connection)
    for slot in gone:
        connection.abandon(slot)
    confirmed = b">3\r\n+subscribe\r\n+c\r\n:1\r\n"
    connection.receive_data(b"+1\r\n" + confirmed + b"+2\r\n")
    (end,) = connection.events()  # no command has asked for that
    assert isinstance(end, ConnectionLost)
    assert end.unanswered == [last]

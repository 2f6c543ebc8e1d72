"""Snapshots of what a machine has counted."""

from __future__ import annotations

import json
import pickle

from hypothesis import given, settings
from hypothesis import strategies as st

from machines import opened, write_all
from resp_sansio import (
    ClientStats,
    CloseReason,
    Command,
    CommandTimeoutError,
    ConnectionStats,
    LaneStats,
    Outcome,
    PoolSettings,
    Push,
    Retry,
)
from resp_sansio.client.pace import Pace
from resp_sansio.client.pool import Pool
from resp_sansio.connection import Connection, Handshake, PushReceived, Slot, State
from resp_sansio.testing import Peer, talk
from resp_sansio.wire import encode_reply

GET = Command("GET", "key")


def test_a_connection_counts_what_is_under_way_and_what_has_been() -> None:
    connection, peer = opened()
    slots = [connection.send(GET) for _ in range(3)]
    written = write_all(connection)
    connection.abandon(slots[0])
    queued = [connection.send(GET), connection.send_many([GET, GET])]
    connection.abandon(queued[0])
    assert connection.stats() == ConnectionStats(
        queued=1,
        in_flight=3,
        abandoned=1,
        most_in_flight=3,
        sent=3,
        answered=0,
        batches=1,
        given_up=2,
        pings=0,
        unread_pushes=0,
        dropped_pushes=0,
    )
    for said in peer.receive(written):
        connection.receive_data(said)
    after = connection.stats()
    assert (after.queued, after.in_flight, after.abandoned, after.most_in_flight) == (1, 0, 0, 3)


def test_what_was_under_way_when_it_ended_is_still_told() -> None:
    connection, _ = opened()
    connection.send(GET)
    blocked = connection.send(Command("BLPOP", "k", 0))
    write_all(connection)
    connection.send(GET)
    connection.abandon(blocked)
    assert connection.error is not None
    assert str(connection.stats()) == "1 queued, 2 in flight, 1 of them abandoned"


def test_one_line_says_what_a_caller_waits_behind() -> None:
    connection, _ = opened()
    connection.send(GET)
    assert str(connection.stats()) == "1 queued, 0 in flight, 0 of them abandoned"


def test_a_timeout_carries_the_counts_of_its_moment_and_survives_a_pickle() -> None:
    connection, _ = opened()
    slot, _ = connection.send(GET), connection.send(GET)
    write_all(connection)
    cause = connection.timed_out()
    connection.abandon(slot)
    error = slot.failure(cause)
    assert isinstance(error, CommandTimeoutError)
    assert str(error) == (
        "GET: the server did not answer in time; it may have been executed: its reply was not seen "
        "[0 queued, 2 in flight, 0 of them abandoned]"
    )
    for one in (error, pickle.loads(pickle.dumps(error))):
        assert (one.outcome, one.stats) == (Outcome.MAYBE_EXECUTED, cause.stats)


def test_one_line_says_what_a_client_is_doing() -> None:
    counts = ConnectionStats(
        queued=1,
        in_flight=2,
        abandoned=0,
        most_in_flight=2,
        sent=9,
        answered=7,
        batches=3,
        given_up=0,
        pings=0,
        unread_pushes=0,
        dropped_pushes=0,
    )
    lanes = [
        LaneStats(created=1, closed={}, dial_failures=0, waiting=0, connection=counts),
        LaneStats(created=1, closed={}, dial_failures=2, waiting=7, connection=None),
    ]
    assert str(ClientStats(lanes=lanes, leases=None, retries=0)) == (
        "lanes: 1 queued, 2 in flight, 0 of them abandoned, 0 waiting for one; no connection, 7 waiting for one"
    )


def test_one_line_says_what_a_pool_is_doing() -> None:
    pool: Pool[str] = Pool(PoolSettings(max_size=2), pace=Pace(Retry()))
    pool.acquire(0.0)
    assert str(pool.stats()) == "0 connections, 0 idle, 0 leased, 1 dialling, 1 waiting"
    client = ClientStats(lanes=[], leases=pool.stats(), retries=0)
    assert str(client) == "lanes: ; leases: 0 connections, 0 idle, 0 leased, 1 dialling, 1 waiting"


STEPS = st.sampled_from(
    ["open", "send", "send", "pipeline", "large", "write", "write", "read", "read", "abandon", "time", "push", "take"]
)


@given(
    opening=st.booleans(),
    most=st.integers(1, 4),
    keep_pushes=st.booleans(),
    steps=st.lists(STEPS, max_size=40),
    end=st.sampled_from(["", "close", "eof", "abort"]),
)
@settings(max_examples=150)
def test_the_counts_add_up_after_any_history(
    opening: bool, most: int, keep_pushes: bool, steps: list[str], end: str
) -> None:
    """Each slot that was accepted is queued, in flight, answered, or given up; what the connection sends itself is not one."""
    connection = Connection(Handshake(), max_in_flight=most, ping_interval=1.5, max_pushes=100, keep_pushes=keep_pushes)
    peer = Peer()
    events = [] if opening else talk(connection, peer)
    now, written, told = 0.0, b"", 0
    slots: list[Slot] = []
    answered: list[Slot] = []
    pushed = taken = 0
    for step in [*steps, end]:
        match step:
            case "open" if connection.state is State.OPENING:
                events = talk(connection, peer)
            case "send":
                slots.append(connection.send(GET, deadline=now + 2))
            case "pipeline":
                slots.append(connection.send_many([GET, GET]))
            case "large":
                slots.append(connection.send(Command("SET", "k", b"x" * 100_000)))
            case "write":
                written += write_all(connection)
            case "read" if connection.state is not State.OPENING:
                for said in peer.receive(written):
                    connection.receive_data(said)
                written = b""
            case "abandon" if slots:
                connection.abandon(slots[len(slots) // 2])
            case "time":
                now += 1
                connection.handle_timeout(now)
            case "push" if connection.state is State.READY:
                connection.receive_data(encode_reply(Push("x", ())))
                pushed += 1
            case "take" if taken < told:
                connection.push_taken()
                taken += 1
            case "close":
                connection.close()
            case "eof":
                connection.receive_eof()
            case "abort":
                connection.abort()
            case _:
                pass
        for event in [*events, *connection.events()]:
            answered += [event] if isinstance(event, Slot) else []
            told += isinstance(event, PushReceived)
        events = []
        stats = connection.stats()
        assert stats.queued + stats.in_flight - stats.abandoned + stats.answered + stats.given_up == len(slots)
        assert stats.answered == len(answered)
        assert stats.in_flight >= stats.abandoned >= 0
        assert stats.sent >= stats.in_flight + stats.answered
        assert stats.most_in_flight >= stats.in_flight
        assert stats.most_in_flight <= most
        assert (stats.unread_pushes, stats.dropped_pushes) == ((told - taken, 0) if keep_pushes else (0, pushed))
        assert (stats.pings == 0) or "time" in steps


def test_an_idle_connections_own_pings_count_as_nobodys_commands() -> None:
    connection, peer = opened(ping_interval=10.0)
    for turn in range(1, 7):
        connection.handle_timeout(11.0 * turn)
        assert str(connection.stats()) == "0 queued, 0 in flight, 0 of them abandoned"
        for said in peer.receive(write_all(connection)):
            connection.receive_data(said)
        connection.handle_timeout(11.0 * turn)
    stats = connection.stats()
    assert (stats.pings, stats.sent, stats.given_up, stats.answered, stats.most_in_flight) == (5, 0, 0, 0, 0)


def test_what_was_counted_can_be_sent_to_a_monitor() -> None:
    connection, _ = opened()
    pool: Pool[str] = Pool(PoolSettings(max_size=2), pace=Pace(Retry()))
    lanes = [
        LaneStats(created=2, closed={CloseReason.LOST: 1}, dial_failures=0, waiting=0, connection=connection.stats()),
        LaneStats(created=0, closed={}, dial_failures=3, waiting=1, connection=None),
    ]
    told = ClientStats(lanes=lanes, leases=pool.stats(), retries=4).as_dict()
    assert json.loads(json.dumps(told)) == told
    assert told["lanes"][0]["closed"] == {"LOST": 1}
    assert told["lanes"][0]["connection"]["sent"] == 0
    assert told["lanes"][1]["connection"] is None
    assert told["leases"]["closed"] == dict.fromkeys(CloseReason.__members__, 0)
    assert told["retries"] == 4
    empty: dict[str, object] = {"lanes": [], "leases": None, "retries": 0, "cache": None, "subscriptions": None}
    empty["messages"] = None
    empty |= {"nodes": {}, "moved": 0, "asked": 0, "refreshes": 0, "refresh_failures": 0}
    assert ClientStats(lanes=(), leases=None, retries=0).as_dict() == empty

"""Snapshots of what a machine has counted."""

from __future__ import annotations

import pickle

from machines import opened, write_all
from resp_sansio import (
    ClientStats,
    Command,
    CommandTimeoutError,
    ConnectionStats,
    LaneStats,
    Outcome,
    Pool,
    PoolSettings,
)

GET = Command("GET", "key")


def test_a_connection_counts_what_is_under_way_and_what_has_been() -> None:
    connection, peer = opened()
    before = connection.stats()
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
        sent=before.sent + 3,
        batches=before.batches + 1,
        given_up=2,
        unread_pushes=0,
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
        queued=1, in_flight=2, abandoned=0, most_in_flight=2, sent=9, batches=3, given_up=0, unread_pushes=0
    )
    lanes = [
        LaneStats(created=1, closed={}, dial_failures=0, waiting=0, connection=counts),
        LaneStats(created=1, closed={}, dial_failures=2, waiting=7, connection=None),
    ]
    assert str(ClientStats(lanes=lanes, leases=None, retries=0)) == (
        "lanes: 1 queued, 2 in flight, 0 of them abandoned, 0 waiting for one; no connection, 7 waiting for one"
    )


def test_one_line_says_what_a_pool_is_doing() -> None:
    pool: Pool[str] = Pool(PoolSettings(max_size=2))
    pool.acquire(0.0)
    assert str(pool.stats()) == "0 connections, 0 idle, 0 leased, 1 dialling, 1 waiting"
    client = ClientStats(lanes=[], leases=pool.stats(), retries=0)
    assert str(client) == "lanes: ; leases: 0 connections, 0 idle, 0 leased, 1 dialling, 1 waiting"

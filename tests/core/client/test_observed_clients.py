"""What observers are told of a client itself, and of calls that are handed over together."""

from __future__ import annotations

from typing import Any

from core.client.notes import Notes
from resp_sansio import (
    CallEnded,
    ClientMade,
    ClientSettings,
    ClientStats,
    Config,
    ConnectionStats,
    PoolSettings,
    PoolStats,
)
from resp_sansio.client.observed import ObservedClient
from resp_sansio.client.observers import Observers


class Made(Notes):
    def client_made(self, client: ClientMade) -> None:
        self.all.append(client)


def made(notes: Notes, **options: Any) -> ObservedClient:
    config = Config(observers=[notes])
    return ObservedClient(config, random=lambda: 0.5, observers=Observers(config), **options)


def test_an_observer_is_told_how_to_ask_a_client_for_its_counts_and_does_not_keep_it() -> None:
    notes = Made()
    client = made(notes, settings=ClientSettings(), pool=PoolSettings(max_size=3))
    pool = made(notes, pool=PoolSettings(max_size=4, min_size=1))
    facts = notes.of(ClientMade)
    assert [(fact.address, fact.database) for fact in facts] == [("localhost:6379", 0)] * 2
    of_client, of_pool = [fact.stats() for fact in facts]
    assert isinstance(of_client, ClientStats)
    assert of_client.leases is not None
    assert of_client.leases.max_size == 3
    assert isinstance(of_pool, PoolStats)
    assert (of_pool.max_size, of_pool.min_size) == (4, 1)
    client.close(0.0)
    assert facts[0].stats() is not None
    del client, pool
    assert [fact.stats() for fact in facts] == [None, None]


def test_a_connection_that_has_ended_has_no_counts_to_ask_for() -> None:
    notes = Made()
    connection = made(notes, once=True)
    (fact,) = notes.of(ClientMade)
    assert isinstance(fact.stats(), ConnectionStats)
    connection.close(0.0)
    assert fact.stats() is None


def test_a_fact_of_a_call_begins_as_the_fact_of_its_beginning() -> None:
    assert CallEnded._fields[:5] == ("address", "database", "command", "commands", "batch_size")

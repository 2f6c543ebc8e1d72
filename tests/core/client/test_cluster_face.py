"""A cluster's machine as adapters and the surface see it: the face of a client, with servers."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from core.client.stage import LANES
from core.client.test_cluster import LEASES, TWICE, opened
from core.client.town import A, B, C, D, Town, key
from resp_sansio import ClientStats, ConnectError, ConnectionLostError, LocalProtocolError, Outcome, PoolSettings
from resp_sansio.client import Waiter, error_of
from resp_sansio.client.cluster import ranges_of
from resp_sansio.client.hash_slots import SLOTS, slot_of
from resp_sansio.connection import new_slot

NAME = key(A)
SLOT = slot_of(NAME.encode())


# -- its servers -----------------------------------------------------------------------------------------------------------------


def test_a_server_is_found_by_its_names() -> None:
    town = Town()
    assert town.client.place_of("10.0.0.9:1") == ("10.0.0.9", 1)  # nothing is known yet
    told = town.slots()
    told[1][2][3] = {b"hostname": b"b.example"}
    for server in town.servers.values():
        server.view = told
    town.call("GET", NAME)
    assert town.client.place_of("b.example:7000") == B
    assert town.client.place_of(A) == A
    with pytest.raises(LocalProtocolError, match=r"10.0.0.9:1 is no server of this cluster; it has 10.0.0.1:7000, "):
        town.client.place_of("10.0.0.9:1")
    with pytest.raises(ValueError, match="named by host:port"):
        town.client.place_of(7)


def test_a_server_that_only_moved_has_named_is_one_of_the_clusters() -> None:
    town = opened()
    town.move(NAME, D)
    town.call("GET", NAME)
    assert town.client.place_of(D) == D


def test_what_is_known_of_a_server() -> None:
    town = Town()
    told = town.slots()
    for server in town.servers.values():
        server.view = [[*told[0], [D[0].encode(), D[1], b"id of D", {}]], *told[1:]]
    town.call("GET", NAME)
    facts = town.client.server_at(A)
    assert (facts.id, facts.replica, facts.slots) == ("id of 10.0.0.1", False, (range(5462),))
    replica = town.client.server_at(D)
    assert (replica.id, replica.replica, replica.slots) == ("id of D", True, ())
    unknown = town.client.server_at(("10.0.0.9", 1))
    assert (unknown.id, unknown.replica, unknown.slots) == ("", False, ())


def test_slots_are_told_in_ranges() -> None:
    assert ranges_of([]) == ()
    assert ranges_of([0, 1, 2, 5, 7, 8]) == (range(3), range(5, 6), range(7, 9))
    assert ranges_of([SLOTS - 1]) == (range(SLOTS - 1, SLOTS),)


def test_each_server_is_dialled_as_its_own() -> None:
    """What a provider of credentials is asked for is of the server that is dialled."""

    def provider(place: tuple[str, int]) -> str:
        return place[0]

    town = Town(dials_at_once=False, credentials=provider)
    town.call("GET", key(C))
    seen = []
    while town.dials:
        config = town.dials[0].config
        assert config.credentials is provider
        assert not config.cluster
        seen.append((config.host, config.port))
        town.connect()
    assert seen[-1] == C
    assert {*seen} <= {A, B, C}


# -- the face ------------------------------------------------------------------------------------------------------------------


def test_what_a_client_of_a_cluster_is_for_adapters() -> None:
    town = opened(settings=TWICE, pool=LEASES)
    client = town.client
    assert (client.kind, client.lends, client.several_lanes, client.tries_again) == ("client", True, True, True)
    assert client.pool is None
    assert {link.home.place for link in client.lane_links} == {A, B, C}
    assert {*client.lane_links} <= {*client.links}
    stats = client.stats()
    assert isinstance(stats, ClientStats)
    assert sum(lane.created for lane in stats.lanes) == len(client.lane_links)
    assert stats.leases is not None
    client.lend_to(new_slot(("GET", NAME), None, inf), town.now)
    assert "3 servers, 0 calls wait for a map" in repr(client)
    assert not opened(settings=LANES).client.lends


def test_a_link_that_fails_in_any_way_is_its_servers() -> None:
    town = opened()
    for place, fail in ((A, "send"), (B, "read"), (C, "abort")):
        town[place].deaf = True
        slot = town.call("INCR", key(place))
        other = town.call("GET", key(place))
        link = town.link_to(place)
        match fail:
            case "send":
                town.client.send_failed(link, BrokenPipeError(32, "broken pipe"), town.now)
            case "read":
                town.client.receive_eof(link, town.now, ConnectionResetError(104, "reset"))
            case _:
                town.client.abort(link, None, town.now, uncertain=True)
        town[place].deaf = False
        town.run()
        town.pass_time(1)
        assert isinstance(error_of(slot), ConnectionLostError)
        assert [*slot.outcomes] == [Outcome.MAYBE_EXECUTED]
        if fail != "abort":  # that was the client's own wish
            assert town.told(other) == key(place).encode()
    town.is_at_rest()


def test_who_waits_for_a_map_waits_for_it_again_after_an_interrupt() -> None:
    town = Town(pool=LEASES, dials_at_once=False)
    waiter, call = town.acquire(at=SLOT), town.call("GET", NAME)
    assert waiter in town.client._unplaced
    town.client._unplaced.clear()
    for entry in (waiter, call):
        town.client.resume(entry, town.now)
    assert [*town.client._unplaced] == [waiter, call]
    while town.dials:
        town.connect()
    assert waiter.lease is not None
    town.release(waiter.lease)
    assert town.told(call) == NAME.encode()
    town.is_at_rest()


def test_a_lease_of_a_caller_that_has_gone_is_closed() -> None:
    town = opened(pool=PoolSettings(max_size=1))
    town.lease(at=SLOT)
    waiter = town.acquire(at=SLOT)
    town.client.reconcile(town.now, lambda entry: entry is waiter, town.dials)
    town.run()
    town.client.resume(waiter, town.now)
    town.run()
    assert isinstance(waiter, Waiter)
    assert waiter.lease is not None
    town.release(waiter.lease)
    town.is_at_rest()


def test_nothing_waits_for_a_map_of_a_client_that_ends() -> None:
    town = opened()
    town[A].deaf = True
    slot = town.batch(("INCR", NAME), ("INCR", key(A, 1)))
    other = slot_of(key(A, 1).encode())
    town.client.map._owners[other], town.client._homes[other] = None, None
    town.client.drain(town.now)
    town.run()
    town.say(town.link_to(A), f"-MOVED {SLOT} 10.0.0.2:7000\r\n-TRYAGAIN x\r\n".encode())
    town.pass_time(3)
    assert slot in town.ended
    assert [*slot.outcomes] == [Outcome.NOT_SENT] * 2
    assert town.drained
    town.is_at_rest()


def test_a_read_that_waits_for_a_replica_stays_when_a_map_comes() -> None:
    town = Town(read_from="replica")
    told = town.slots()
    for server in town.servers.values():
        server.view = [[*told[0], [D[0].encode(), D[1], b"id of D", {}]], *told[1:]]
    town[D].belief = {SLOT: D}
    town.call("GET", key(B))
    town.dials_at_once = False
    slot = town.call("GET", NAME)
    assert town.dials
    town.client.want_map(town.now)
    town.pass_time(3)
    while town.dials:
        town.connect()
    assert town.told(slot) == NAME.encode()
    assert len(town.at(D)) == 1
    town.is_at_rest()


def test_the_error_of_a_server_that_is_away_names_it() -> None:
    town = opened()
    town.kill(B)
    slot = town.call("GET", key(B))
    town.pass_time(100)
    kind, text = town.told(slot)
    assert kind is ConnectError
    assert "attempts were made" in text
    told: Any = slot.cause
    assert told is not None

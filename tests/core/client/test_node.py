"""The machine of one server of a cluster."""

from __future__ import annotations

from math import inf

from core.client.test_cluster import LEASES, opened
from core.client.test_cluster_servers import asked_for_map
from core.client.town import A, B, C, Town, key
from resp_sansio import ClientSettings, ConnectionClosedError
from resp_sansio.client.hash_slots import slot_of
from resp_sansio.client.node import tells_of_change
from resp_sansio.connection import SlotState, new_slot

NAME = key(A)
SLOT = slot_of(NAME.encode())


def test_a_call_of_the_machines_own_needs_nothing_but_its_slot() -> None:
    town = opened()
    slot = new_slot(("GET", NAME), None, inf)
    town.client.node_at(A).begin(slot, town.now)
    town.run()
    assert town.told(slot) == NAME.encode()
    town.is_at_rest()


def test_a_server_that_is_left_takes_no_calls() -> None:
    town = opened(pool=LEASES)
    node = town.client.node_at(A)
    town.client.node_at(B)
    node.close(town.now)
    town.run()
    for words in (("GET", NAME), ("BLPOP", NAME, "0")):
        slot = new_slot(words, None, inf)
        node.begin(slot, town.now)
        town.run()
        assert town.told(slot)[0] is ConnectionClosedError or slot.state is SlotState.WITHDRAWN


def test_a_call_on_a_link_of_its_callers_gets_its_time_when_it_is_awaited() -> None:
    town = opened(pool=LEASES)
    lease = town.lease(at=SLOT)
    town[A].deaf = True
    slot = town.call("GET", NAME, lease=lease)
    town.client.limit(slot, town.now + 1, town.now)
    town.pass_time(2)
    assert slot in town.ended
    waits = new_slot(("GET", NAME), None, inf)
    town.client.limit(waits, town.now + 1, town.now)  # on no link: nothing to do
    assert waits.deadline == inf


def test_callers_of_several_lanes_are_one_caller_at_each_server() -> None:
    town = Town(ClientSettings(lanes=2))
    for place in (A, B, C):
        town.call("GET", key(place), caller="me")
    for place in (A, B, C):
        town[place].deaf = True
    mine = [town.call("APPEND", NAME, str(at), caller="me") for at in range(4)]
    other = town.call("APPEND", NAME, "x", caller="other")
    assert len({slot.link for slot in mine}) == 1
    assert other.link is None or other.link is not mine[0].link
    for place in (A, B, C):
        town[place].deaf = False
    town.wake()
    assert [words[2] for words in town.at(A) if words[0] == b"APPEND" and words[2] != b"x"] == [b"0", b"1", b"2", b"3"]
    town.is_at_rest()


def test_an_answer_that_is_no_error_tells_of_no_change() -> None:
    slot = new_slot(("GET", NAME), None, inf)
    slot.reply = b"READONLY is what was stored"
    assert not tells_of_change(slot)


def test_a_probe_whose_end_comes_twice_counts_once() -> None:
    town = Town(dials_at_once=False)
    town.call("GET", NAME)
    probe, node = next(iter(town.client._probes.items()))
    while town.dials:
        town.connect()
    version = town.client.map.version
    town.client.probe_ended(node, probe, town.now)
    assert town.client.map.version == version


def test_a_lost_link_and_a_second_of_silence_are_reasons_to_ask_for_the_map() -> None:
    """Another server may have taken its place."""
    town = opened()
    town.pass_time(10.0)
    before = asked_for_map(town)
    town.pass_time(5.0)
    assert asked_for_map(town) == before
    town.cut(town.link_to(A))
    town.pass_time(0.5)
    assert asked_for_map(town) > before
    town.pass_time(9.5)
    before = asked_for_map(town)
    town[B].deaf = True
    town.call("GET", key(B), deadline=town.now + 20.0)
    town.pass_time(0.99)
    assert asked_for_map(town) == before
    town.pass_time(0.1)
    assert asked_for_map(town) > before

"""Which server of a cluster is read from, with `read_from`: not a replica, where its master is giving keys away."""

from __future__ import annotations

from core.client.town import A, B, Town, key
from resp_sansio.client.hash_slots import slot_of

REPLICA = ("10.0.0.4", 7000)


def read_from_replica() -> Town:
    """A client that has read a key of A's from the replica of A."""
    town = Town(read_from="replica")
    tell_with_replica(town)
    town[REPLICA].belief = {slot_of(key(A, number).encode()): REPLICA for number in range(2)}
    town.call("GET", key(A))
    assert read_there(town) == [key(A).encode()]
    return town


def read_there(town: Town) -> list[bytes]:
    """Which keys the replica was asked for."""
    return [words[1] for words in town.at(REPLICA) if words[0] == b"GET"]


def tell_with_replica(town: Town) -> None:
    """All tell the map as it is now, with a replica of A."""
    for place in (A, B, REPLICA):
        view = town.slots()
        for row in view:
            if row[2][2] == b"id of 10.0.0.1":
                row.append([b"10.0.0.4", 7000, b"id of 10.0.0.4", {}])
        town[place].view = view
    for server in town.servers.values():
        server.view = town[A].view


def test_what_is_being_given_away_is_read_from_the_master_until_another_has_it() -> None:
    """Each map that comes meanwhile says that nothing has changed."""
    town = read_from_replica()
    slot = town.begin_move(key(A), B)
    town.call("APPEND", key(A), "x")  # ASK
    for _ in range(3):
        town.pass_time(6.0)
        town.call("GET", key(A))
    assert read_there(town) == [key(A).encode()]
    town[A].migrating.clear()
    town.move(slot, B)
    tell_with_replica(town)
    town.call("APPEND", key(A), "x")  # MOVED
    town.pass_time(6.0)
    assert slot not in town.client._moving
    town.is_at_rest()


def test_other_slots_are_read_from_replicas_meanwhile() -> None:
    town = read_from_replica()
    town.begin_move(key(A), B)
    town.call("APPEND", key(A), "x")
    town.call("GET", key(A, 1))
    assert read_there(town) == [key(A).encode(), key(A, 1).encode()]

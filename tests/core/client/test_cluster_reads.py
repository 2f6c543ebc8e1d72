"""Reads of a cluster's client that are kept, or that replicas answer."""

from __future__ import annotations

from typing import Any

import pytest

from core.client.stage import LANES
from core.client.test_cache import find, read
from core.client.test_cluster import opened
from core.client.town import A, B, C, D, NodePeer, Server, Town, key
from resp_sansio import Cache, ClientSettings, ReplyError
from resp_sansio.client.hash_slots import slot_of
from resp_sansio.connection import SlotState

NAME = key(A)
SLOT = slot_of(NAME.encode())
TWO = ClientSettings(lanes=2)


@pytest.mark.parametrize("settings", [LANES, TWO])
@pytest.mark.parametrize("how", ["moved", "lost", "late", "given up"])
def test_reads_of_the_same_end_together_wherever_the_one_that_reads_goes(how: str, settings: ClientSettings) -> None:
    town = opened(settings=settings, cache=Cache())
    town[A].deaf = town[B].deaf = True
    first = read(town, "GET", NAME, deadline=1.0)
    others = [read(town, "GET", NAME, deadline=9.0 + number, caller=number) for number in range(3)]
    town.give_all(A, B)
    town[A].deaf = False
    if how == "lost":
        town.kill(A)
    town.wake()
    town.pass_time(0.3)
    if how == "late":
        town.pass_time(1)
    if how == "given up":
        town.abandon(first)
    assert not {*others} & {*town.ended}
    town[B].deaf = False
    town.wake()
    town.pass_time(3)
    for slot in others:
        assert town.told(slot) == NAME.encode()
    assert how in ("late", "given up") or town.told(first) == NAME.encode()
    town.is_at_rest()


@pytest.mark.parametrize("settings", [LANES, TWO])
@pytest.mark.parametrize("how", ["late", "given up"])
def test_reads_of_the_same_go_on_when_the_one_that_reads_ends_without_a_server(
    how: str, settings: ClientSettings
) -> None:
    town = opened(settings=settings, cache=Cache())
    town[A].deaf = True
    first = read(town, "GET", NAME, deadline=1.0)
    others = [read(town, "GET", NAME, deadline=9.0 + number, caller=number) for number in range(3)]
    town.move(NAME, None)
    town.client.want_map(town.now, at_once=True)
    town.run()
    town.pass_time(0.5)
    town.kill(A)
    town.pass_time(0.1)
    assert first in town.client._unplaced
    if how == "late":
        town.pass_time(0.5)
        assert first in town.ended
    else:
        town.abandon(first)
    town.move(NAME, C)
    town.pass_time(3)
    for slot in others:
        assert town.told(slot) == NAME.encode()
    town.is_at_rest()


def test_a_kept_read_is_asked_for_behind_asking_alone() -> None:
    town = opened(cache=Cache())
    town.begin_move(NAME, D)
    slot = read(town, "GET", NAME)
    assert town.told(slot) == NAME.encode()
    peer = town.peers[town.link_to(D)]
    assert isinstance(peer, NodePeer)
    assert b"ASKING\r\n*2\r\n$3\r\nGET\r\n" in peer.bytes
    again = read(town, "GET", NAME)  # it was not kept
    assert again.state is SlotState.ANSWERED
    assert len(town.at(D)) == 2
    town.is_at_rest()


def test_a_kept_read_behind_asking_is_no_other_when_it_is_looked_after() -> None:
    """As threads look that wait: what was told of the asking for changes is not the answer."""
    town = opened(cache=Cache())
    town.begin_move(NAME, D)
    town[D].deaf = True
    slot = read(town, "GET", NAME)
    split = slot.call.split
    assert (split.whole, split.lost) == (True, [])
    town.client.resume(slot, town.now)
    town.run()
    assert slot.call.split is split
    town[D].deaf = False
    town.wake()
    assert town.told(slot) == NAME.encode()
    town.is_at_rest()


def test_reads_of_the_same_go_on_when_the_one_that_asks_is_given_up_behind_asking() -> None:
    town = opened(cache=Cache())
    town[A].deaf = town[D].deaf = True
    first = read(town, "GET", NAME)
    others = [read(town, "GET", NAME, caller=number) for number in range(2)]
    town.begin_move(NAME, D)
    town[A].deaf = False
    town.wake()
    town.pass_time(0.3)
    assert first.call.split.whole
    town.abandon(first)
    town[D].deaf = False
    town.wake()
    town.pass_time(1)
    for slot in others:
        assert town.told(slot) == NAME.encode()
    town.is_at_rest()


def test_what_was_read_falls_when_its_slot_changes_hands() -> None:
    town = opened(cache=Cache())
    read(town, "GET", key(B))
    assert find(town, "GET", key(B)) == key(B).encode()
    town.move(NAME, B)
    town.call("GET", NAME)
    assert find(town, "GET", key(B)) is None
    read(town, "GET", key(B))
    town.move(key(B), C)
    town.client.want_map(town.now, at_once=True)
    town.pass_time(3)
    assert find(town, "GET", key(B)) is None


# -- replicas ------------------------------------------------------------------------------------------------------------------


def spread(read_from: str = "replica", **options: Any) -> Town:
    """D is a replica of A."""
    town = Town(read_from=read_from, **options)
    told = town.slots()
    for server in town.servers.values():
        server.view = [[*told[0], [D[0].encode(), D[1], b"id of D", {}]], *told[1:]]
    town[D].belief = {SLOT: D}
    town[D].refuses_with = lambda words: ReplyError(f"MOVED {SLOT} {A[0]}:{A[1]}") if words[0] == b"SET" else None
    return town


def test_reads_go_to_replicas_and_writes_to_masters() -> None:
    town = spread()
    for _ in range(3):
        assert town.told(town.call("GET", NAME)) == NAME.encode()
    town.call("SET", NAME, "x")
    town.batch(("GET", NAME), ("GET", key(B)))
    town.batch(("GET", NAME), ("SET", NAME, "x"))
    town.batch(("MULTI",), ("GET", NAME), ("EXEC",))
    assert [words[0] for words in town.at(D)] == [b"GET"] * 4
    assert [words[0] for words in town.at(A)] == [b"SET", b"GET", b"SET", b"GET"]
    town.is_at_rest()


def test_any_server_of_a_shard_is_read_in_turn() -> None:
    town = spread("any")
    for _ in range(6):
        town.call("GET", NAME)
    assert [words[0] for words in town.at(A)] == [b"GET"] * 3
    assert town.told(town.call("GET", key(B))) == key(B).encode()  # it has no replica


@pytest.mark.parametrize("said", ["LOADING it", "MASTERDOWN x", f"MOVED {SLOT} 10.0.0.1:7000"])
def test_a_replica_that_can_not_be_read_from_is_passed_by(said: str) -> None:
    town = spread()
    town.call("GET", key(B))
    refused: list[bytes] = []

    def refuses(words: tuple[bytes, ...]) -> ReplyError | None:
        if words[0] == b"GET":
            refused.append(words[0])
            return ReplyError(said)
        return None

    town[D].refuses_with = refuses
    for _ in range(2):
        assert town.told(town.call("GET", NAME)) == NAME.encode()
    server = town.client.map.owner(SLOT)
    assert server is not None
    assert server.place == A
    assert len(refused) == (2 if said.startswith("MOVED") else 1)
    town.is_at_rest()


def test_a_replica_that_sends_a_read_to_its_master_is_no_reason_to_ask_for_the_map() -> None:
    """Its connection may lack READONLY, and the master is known."""
    town = spread()
    town.call("GET", key(B))
    town.pass_time(10)
    asked = [server.asked_for_map for server in town.servers.values()]
    sends_on = ReplyError(f"MOVED {SLOT} {A[0]}:{A[1]}")
    town[D].refuses_with = lambda words: sends_on if words[0] == b"GET" else None
    for _ in range(5):
        assert town.told(town.call("GET", NAME)) == NAME.encode()
        town.pass_time(2)
    assert [server.asked_for_map for server in town.servers.values()] == asked


def test_a_replica_that_is_behind_does_not_undo_what_its_master_has_said() -> None:
    """Else the read would come to that master, which had sent another call on."""
    town = spread()
    came: list[bytes] = []
    town[A].refuses_with = lambda words: came.append(words[0])
    town.call("GET", NAME)
    town.stuck.add(town.link_to(D))
    read = town.call("GET", NAME)
    town.move(NAME, C)
    assert town.told(town.call("SET", NAME, "x")) == b"x"
    sends_on = ReplyError(f"MOVED {SLOT} {A[0]}:{A[1]}")
    town[D].refuses_with = lambda words: sends_on if words[0] == b"GET" else None
    town.wake()
    assert town.told(read) == NAME.encode()
    owner = town.client.map.owner(SLOT)
    assert owner is not None
    assert owner.place == C
    assert [words[0] for words in town.at(C)] == [b"SET", b"GET"]
    assert b"GET" not in came
    town.is_at_rest()


def test_a_replica_that_is_away_costs_no_read() -> None:
    town = spread()
    town.call("GET", NAME)
    town.kill(D)
    for _ in range(3):
        assert town.told(town.call("GET", NAME, deadline=town.now + 5)) == NAME.encode()
    town.is_at_rest()


def test_a_slot_that_moves_away_is_read_at_its_master() -> None:
    """A replica says nil for a key that has moved."""
    town = spread()
    town.call("SET", key(A, 1), "x")
    town.begin_move(NAME, C)
    town.call("SET", NAME, "x")  # is told ASK
    town.call("GET", NAME)
    assert (b"GET", NAME.encode()) in town.at(C)
    town.is_at_rest()


@pytest.mark.parametrize("promoted", [("10.0.0.0", 7000), ("10.0.0.5", 7000)])
def test_a_replica_that_moved_names_as_the_owner_is_read_alone_until_a_map_tells_of_its_own_replicas(
    promoted: tuple[str, int],
) -> None:
    town = spread()
    town.servers[promoted] = Server(town, promoted)
    for server in town.servers.values():
        view = town[A].view
        assert view is not None
        server.view = [[*view[0], [promoted[0].encode(), promoted[1], b"id", {}]], *view[1:]]
    town.call("SET", key(A, 1), "x")
    town.move(NAME, promoted)
    town.call("SET", NAME, "x")
    for _ in range(4):
        assert town.told(town.call("GET", NAME)) == NAME.encode()
    assert [words[0] for words in town.at(promoted)] == [b"SET"] + [b"GET"] * 4
    assert town.at(D) == []
    town.is_at_rest()


@pytest.mark.parametrize("read_from", ["replica", "master"])
def test_what_each_server_has_for_itself_is_set_at_the_replicas_that_are_read_from_too(read_from: str) -> None:
    town = spread(read_from)
    for words in [("SCRIPT", "FLUSH"), ("FLUSHALL",)]:
        town.call(*words)
    town.pass_time(0.1)
    executed = {place: [words[0] for words in town.at(place)] for place in (A, B, C, D)}
    assert executed[A] == executed[B] == executed[C] == [b"SCRIPT", b"FLUSHALL"]
    assert executed[D] == ([b"SCRIPT"] if read_from == "replica" else [])


def test_a_page_of_an_iteration_comes_from_the_master() -> None:
    """Its cursor means nothing at the replica that has the next turn."""
    town = spread("any")
    for cursor in range(4):
        town.call("HSCAN", NAME, cursor)
    town.batch(("SSCAN", NAME, "0"), ("GET", NAME))
    assert [words[0] for words in town.at(A)] == [b"HSCAN"] * 4 + [b"SSCAN", b"GET"]
    assert town.at(D) == []


def test_a_replica_that_was_away_for_a_moment_is_read_from_again() -> None:
    """No view was without it."""
    town = spread()
    town.call("GET", NAME)
    town.kill(D)
    town.call("GET", NAME, deadline=town.now + 5)
    town[D].away = False
    for _ in range(100):
        town.pass_time(1.0)
        town.call("GET", NAME)
    assert len(town.at(D)) > 50

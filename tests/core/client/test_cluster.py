"""The machine of a cluster's client: where calls go, what they wait for, and where they go on. No sockets, no clock."""

from __future__ import annotations

from typing import Any

import pytest

from core.client.stage import LANES
from core.client.town import A, B, C, D, Town, key
from resp_sansio import (
    ClientSettings,
    CommandTimeoutError,
    ConnectionClosedError,
    LocalProtocolError,
    PoolSettings,
    ReplyError,
)
from resp_sansio.client.hash_slots import slot_of

TWICE = ClientSettings(lanes=2)
LEASES = PoolSettings(max_size=2)


def opened(*places: Any, settings: ClientSettings | None = LANES, **options: Any) -> Town:
    """A client that knows the map, with a link to each of these servers."""
    town = Town(settings, **options)
    for place in places or (A, B, C):
        assert town.told(town.call("GET", key(place))) == key(place).encode()
    for server in town.servers.values():
        server.executed.clear()
    return town


# -- where calls go ----------------------------------------------------------------------------------------------------------


def test_a_call_goes_to_the_server_of_its_slot() -> None:
    town = Town()
    for place in (A, B, C):
        town.call("SET", key(place), "x")
        assert town.at(place) == [(b"SET", key(place).encode(), b"x")]
    assert town.servers[A].asked_for_map + town.servers[B].asked_for_map <= 2
    town.is_at_rest()


def test_calls_wait_for_the_first_map_in_their_order() -> None:
    town = Town(dials_at_once=False)
    calls = [town.call("INCR", key(A)), town.call("APPEND", key(B), "x"), town.call("GET", key(A))]
    assert not town.ended
    while town.dials:
        town.connect()
    assert [words[0] for words in town.at(A)] == [b"INCR", b"GET"]
    assert set(town.ended) == {*calls}


@pytest.mark.parametrize("words", [("WAIT", "1", "0"), ("SUBSCRIBE", "x"), ("WATCH", key(A))])
def test_what_no_client_can_send_is_refused_before_the_map_is_known(words: tuple[str, ...]) -> None:
    """Its caller is there to be told; once the map has come, no caller is."""
    town = Town(dials_at_once=False)
    with pytest.raises(LocalProtocolError, match=f"{words[0]} was not sent"):
        town.call(*words)
    town.is_at_rest()


def test_what_waits_for_the_first_map_is_no_reason_for_another() -> None:
    """The open of a client asks for it: what comes before the answer waits for that one."""
    town = Town(dials_at_once=False, pool=LEASES)
    town.client.open(town.now)
    town.call("GET", key(A))
    town.acquire(at=0)
    while town.dials:
        town.connect()
    town.pass_time(10)
    assert (len(town.ended), len(town.woken)) == (1, 1)
    assert town.client.refreshes == 1


def test_a_pipeline_is_split_and_its_replies_are_in_order() -> None:
    town = opened()
    slot = town.batch(("GET", key(C)), ("GET", key(A)), ("PING", "x"), ("GET", key(B)), ("GET", key(A, 1)))
    assert town.told(slot) == [key(C).encode(), key(A).encode(), b"x", key(B).encode(), key(A, 1).encode()]
    assert town.at(A) == [(b"GET", key(A).encode()), (b"GET", key(A, 1).encode())]
    town.is_at_rest()


def test_connections_that_a_pool_keeps_are_dialled_anew_when_the_breaker_allows_it() -> None:
    """Nothing else is due at that moment."""
    town = opened(A, settings=None, pool=PoolSettings(max_size=2, min_size=1, breaker_failures=1, breaker_seconds=10.0))
    town.pass_time(1.3)
    town.kill(A)
    town.pass_time(2.0)
    assert not town.links_to(A)
    town[A].away = False
    town.pass_time(12.0)
    assert len(town.links_to(A)) == 1
    town.is_at_rest()


# -- what the first hostile reading found ------------------------------------------------------------------------------------


def test_an_unplaced_waiter_whose_time_is_up_gets_nothing_later() -> None:
    town = Town(pool=LEASES, dials_at_once=False)
    waiter = town.acquire(at=0, deadline=0.5)
    town.pass_time(0.6)
    assert isinstance(waiter.error, CommandTimeoutError)
    while town.dials:
        town.connect()
    town.pass_time(1)
    assert town.woken == [waiter]
    assert waiter.lease is None
    town.is_at_rest()


@pytest.mark.parametrize("pool", [None, LEASES])
def test_a_part_goes_again_by_a_lane_after_a_pause(pool: PoolSettings | None) -> None:
    town = opened(settings=TWICE, pool=pool)
    names = key(A), key(B)
    replies = [ReplyError("TRYAGAIN later"), b"1"]
    town[A].says = lambda words: replies.pop(0) if words[0] == b"INCR" else None
    slot = town.batch(*[("INCR", name) for name in names], deadline=5.0, caller="me")
    town.pass_time(1)
    assert town.told(slot) == [b"1", names[1].encode()]
    assert len(town.links_to(A)) <= 2
    assert all(link.lane is not None for link in town.client.links)
    town.is_at_rest()


def test_a_pipeline_that_blocks_goes_by_leases_after_a_pause_too() -> None:
    town = opened(pool=LEASES)
    replies = [ReplyError("TRYAGAIN later"), b"1"]
    town[A].says = lambda words: replies.pop(0) if words[0] == b"BLPOP" else None
    slot = town.batch(("BLPOP", key(A), "0"), ("BLPOP", key(B), "0"), deadline=5.0)
    lane = next(link for link in town.links_to(A) if link.lane is not None)
    before = lane.core.stats().sent
    town.pass_time(1)
    assert town.told(slot) == [b"1", b"0"]
    assert lane.core.stats().sent == before
    town.is_at_rest()


def test_a_lease_that_was_of_no_use_is_given_back() -> None:
    """A server that says of itself that it is elsewhere, under another name."""
    town = opened(pool=LEASES)
    name, count = key(A), [0]

    def refuses(words: Any) -> Any:
        count[0] += words[0] == b"BLPOP"
        return (
            ReplyError(f"MOVED {slot_of(name.encode())} {A[0]}:{A[1]}")
            if words[0] == b"BLPOP" and count[0] < 9
            else None
        )

    town[A].refuses_with = refuses
    slot = town.call("BLPOP", name, "0", deadline=5.0)
    town.pass_time(4)
    assert town.told(slot) == b"0"
    town.is_at_rest()


def test_nothing_goes_out_again_after_the_deadline() -> None:
    town = opened(half=0.99)
    town[A].refuses_with = lambda words: ReplyError("TRYAGAIN later") if words[0] == b"INCR" else None
    slot = town.batch(("INCR", key(A)), ("INCR", key(B)), deadline=town.now + 0.001)
    town[A].refuses_with = lambda _: None
    town.pass_time(0.002)
    assert slot in town.ended
    town.pass_time(1)
    assert town.at(A) == []


def test_a_script_that_makes_up_an_error_runs_once() -> None:
    town = opened()
    town[A].says = lambda words: ReplyError("TRYAGAIN made up") if words[0] == b"EVAL" else None
    runs: list[Any] = []
    says = town[A].says

    def count(words: Any) -> Any:
        runs.append(words[0])
        return says(words)

    town[A].says = count
    slot = town.batch(("EVAL", "x", "1", key(A)), ("GET", key(B)), deadline=5.0)
    town.pass_time(6)
    assert runs.count(b"EVAL") == 1
    assert town.told(slot)[0].code == "TRYAGAIN"


def test_a_link_is_of_the_client_that_opened_it_and_of_no_other() -> None:
    town = opened(pool=LEASES)
    link = town.lease(at=slot_of(key(A).encode())).connection
    assert town.client.has(link)
    assert not opened(pool=LEASES).client.has(link)


def test_what_a_leased_pipeline_is_told_is_learnt_and_handed_over() -> None:
    town = opened(pool=LEASES)
    lease = town.lease(at=slot_of(key(A).encode()))
    town.move(key(A), B)
    slot = town.batch(("GET", key(A)), ("GET", key(A, 1)), lease=lease)
    assert [type(reply) for reply in town.told(slot)] == [ReplyError, bytes]
    assert town.client.map.owner(slot_of(key(A).encode())).place == B  # type: ignore[union-attr]
    town.release(lease)
    town.is_at_rest()


def test_a_client_that_drains_ends_whatever_is_asked_of_it() -> None:
    town = opened(A)
    town[A].deaf = True
    slot = town.call("GET", key(A))
    town.client.drain(town.now)
    town.run()
    assert not town.drained
    town[A].deaf = False
    other = key(C)
    with pytest.raises(ConnectionClosedError):
        town.call("GET", other)
    town.wake()
    assert town.told(slot) == key(A).encode()
    assert town.drained
    assert C not in town.dialled_at


def test_no_server_is_dialled_while_a_client_drains() -> None:
    town = opened(A)
    town[A].deaf = True
    slot = town.call("GET", key(A))
    town.begin_move(key(A), D)
    town.client.drain(town.now)
    town.run()
    town[A].deaf = False
    town.wake()
    town.pass_time(1)
    assert slot in town.ended
    assert D not in town.dialled_at
    assert town.drained


def test_what_a_provider_of_credentials_raises_is_told_at_once() -> None:
    town = Town(dials_at_once=False)
    slot = town.call("GET", "a", deadline=5.0)
    for _ in range(8):
        while town.dials:
            town.client.dial_failed(town.dials.pop(0), KeyError("vault"), town.now)
            town.run()
    assert town.told(slot)[0] is KeyError
    assert town.now == 0


def test_a_link_is_awaited_no_more_once_the_map_is_there() -> None:
    town = Town(dials_at_once=False)
    town.call("GET", key(C))
    town.connect()  # one of two
    while town.dials:
        town.connect()
    town.pass_time(1)
    assert not any(link.awaited for link in town.client.links)


def test_what_ran_beside_a_transaction_does_not_run_again() -> None:
    town = opened()
    name = key(A)
    refused = [ReplyError(f"MOVED {slot_of(name.encode())} {B[0]}:{B[1]}")]
    link = town.link_to(A)
    town[A].deaf = True
    slot = town.batch(("INCR", name), ("MULTI",), ("SET", name, "x"), ("EXEC",), deadline=5.0)
    town.move(name, B)
    town.say(link, b":1\r\n+OK\r\n+QUEUED\r\n-" + str(refused[0]).encode() + b"\r\n")
    town.pass_time(6)
    assert (b"INCR", name.encode()) not in town.at(B)
    assert town.told(slot)[0] == 1


@pytest.mark.parametrize("last", [["GET"], ["MULTI", "GET", "EXEC"]])
def test_a_transaction_that_ran_does_not_run_again_for_what_stands_behind_it(last: list[str]) -> None:
    """Although the pipeline begins with MULTI, and its last answer is MOVED, as of one transaction that goes on as a whole."""
    town = opened()
    name = key(A)
    link = town.link_to(A)
    town[A].deaf = True
    behind = [(word, name) if word == "GET" else (word,) for word in last]
    slot = town.batch(("MULTI",), ("INCR", name), ("EXEC",), *behind, deadline=5.0)
    moved = f"-MOVED {town.move(name, B)} {B[0]}:{B[1]}\r\n".encode()
    before = b"" if len(last) == 1 else b"+OK\r\n+QUEUED\r\n"
    town.say(link, b"+OK\r\n+QUEUED\r\n*1\r\n:1\r\n" + before + moved)
    town.pass_time(6)
    assert (b"INCR", name.encode()) not in town.at(B)
    assert town.told(slot)[2] == [1]


def test_an_idle_client_whose_link_was_closed_asks_for_no_map_for_ever() -> None:
    town = opened()
    before = sum(server.asked_for_map for server in town.servers.values())
    town.cut(town.link_to(C))
    town.pass_time(120)
    assert sum(server.asked_for_map for server in town.servers.values()) - before <= 4


def test_a_client_in_use_asks_for_the_map_at_intervals() -> None:
    town = opened()
    before = sum(server.asked_for_map for server in town.servers.values())
    for _ in range(200):
        town.call("GET", key(A))
        town.pass_time(1.0)
    assert 2 <= sum(server.asked_for_map for server in town.servers.values()) - before <= 12


def test_an_asked_command_of_a_pipeline_outlives_a_lost_dial() -> None:
    town = opened()
    town.begin_move(key(A), D)
    town[D].away = True
    slot = town.batch(("INCR", key(A)), ("INCR", key(B)), deadline=5.0)
    town.pass_time(0.5)
    assert slot not in town.ended
    town[D].away = False
    town.pass_time(3)
    assert town.told(slot) == [key(A).encode(), key(B).encode()]
    town.is_at_rest()


def test_asked_commands_that_wait_are_moved_by_a_new_map() -> None:
    town = opened()
    town.dials_at_once = False
    for name in (key(A), key(A, 1)):
        town.begin_move(name, D)
    slot = town.batch(("INCR", key(A)), ("INCR", key(A, 1)), ("INCR", key(B)), deadline=5.0)
    town.move(key(A), D)
    town[A].migrating.pop(slot_of(key(A).encode()))
    town[A].absent.discard(key(A, 1).encode())
    town[A].migrating.pop(slot_of(key(A, 1).encode()))
    town.client.want_map(town.now, at_once=True)
    town.run()
    town.pass_time(0.5)
    town.dials_at_once = True
    while town.dials:
        town.connect()
    town.pass_time(3)
    assert town.told(slot) == [key(A).encode(), key(A, 1).encode(), key(B).encode()]
    town.is_at_rest()

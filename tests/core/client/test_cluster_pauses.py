"""Calls of a cluster's client that pause: for how long, where, and what is of them when a server or a caller goes meanwhile."""

from __future__ import annotations

from functools import partial
from itertools import accumulate
from math import inf
from typing import Any

import pytest

from core.client.stage import LANES
from core.client.town import A, B, D, Town, key
from resp_sansio import CommandTimeoutError, PoolSettings, ReplyError
from resp_sansio.client.cluster_redirects import AT_ONCE, MOST_HOPS
from resp_sansio.client.hash_slots import slot_of

DOWN = ReplyError("CLUSTERDOWN The cluster is down")
LEASES = PoolSettings(max_size=2)


def opened(**options: Any) -> Town:
    """A client that knows the map, with a link to A and to B."""
    town = Town(LANES, **options)
    for place in (A, B):
        assert town.told(town.call("GET", key(place))) == key(place).encode()
    return town


@pytest.mark.parametrize("pipeline", [False, True])
def test_pauses_grow_while_a_server_loads_its_data(pipeline: bool) -> None:
    town, asked = opened(), [0]

    def refuses(words: Any) -> ReplyError | None:
        asked[0] += words[0] == b"INCR"
        return ReplyError("LOADING it") if words[0] == b"INCR" else None

    town[A].refuses_with = refuses
    slot = town.batch(("INCR", key(A)), deadline=9.0) if pipeline else town.call("INCR", key(A), deadline=9.0)
    town.pass_time(3.0)
    assert slot not in town.ended
    assert 5 < asked[0] < 20
    town[A].refuses_with = lambda _: None
    town.pass_time(0.6)
    assert slot in town.ended
    town.is_at_rest()


def test_a_caller_that_goes_while_its_call_pauses_is_told_nothing() -> None:
    town = opened()
    town[A].refuses_with = lambda words: DOWN if words[0] == b"INCR" else None
    slot = town.call("INCR", key(A), deadline=9.0)
    town.pass_time(0.1)
    town.abandon(slot)
    town[A].refuses_with = lambda _: None
    town.pass_time(1.0)
    town.client.close(town.now)
    town.run()
    assert slot not in town.ended
    assert (b"INCR", key(A).encode()) not in town.at(A)


def test_the_same_behind_a_server_that_was_asked_once() -> None:
    town = opened(pool=LEASES)
    town.begin_move(key(A), D)
    town[D].refuses_with = lambda words: ReplyError("TRYAGAIN later") if words[0] == b"BLPOP" else None
    slot = town.call("BLPOP", key(A), "0", deadline=9.0)
    town.pass_time(0.1)
    town.abandon(slot)
    town.pass_time(1.0)
    town.client.close(town.now)
    town.run()
    assert slot not in town.ended


@pytest.mark.parametrize("code", ["LOADING", "TRYAGAIN", "MOVED"])
def test_what_is_refused_behind_asking_in_a_pipeline_goes_on(code: str) -> None:
    town = opened()
    slot = town.begin_move(key(A), D)
    to = f"{slot} {A[0]}:{A[1]}" if code == "MOVED" else "not now"
    refusals = [ReplyError(f"{code} {to}")]
    town[D].refuses_with = lambda words: refusals.pop() if refusals and words[0] == b"INCR" else None
    call = town.batch(("INCR", key(A)), ("INCR", key(B)), deadline=9.0)
    town.pass_time(1.0)
    assert town.told(call) == [key(A).encode(), key(B).encode()]
    assert (b"INCR", key(A).encode()) in town.at(D)
    town.is_at_rest()


def test_a_master_that_another_was_for_a_moment_is_found_again_at_once() -> None:
    """What the replica says that had its place is not taken for a reader's way to the master."""
    town = opened()
    view = [[first, last, node, [b"10.0.0.4", 7000, b"id of 10.0.0.4", {}]] for first, last, node in town.slots()[:1]]
    for server in town.servers.values():
        server.view = [*view, *town.slots()[1:]]
    town.client.want_map(town.now, at_once=True)
    town.pass_time(1.5)
    assert town.client.map.find(D) is not None
    town.move(key(A), D)
    town.call("GET", key(A))
    town.move(key(A), A)
    asked = [0]

    def counts(words: Any) -> None:
        asked[0] += words[0] == b"INCR"

    town[D].refuses_with = counts
    assert town.told(town.call("INCR", key(A), deadline=9.0)) == key(A).encode()
    assert asked[0] == 1
    town.is_at_rest()


@pytest.mark.parametrize("words", [("INCR",), ("BLPOP", "0")])
def test_a_call_does_not_wait_for_a_dial_that_no_server_answers(words: Any) -> None:
    """Another server may have taken the place of the one that is dialled."""
    town = opened(pool=LEASES)
    for link in town.links_to(A):
        town.cut(link)
    town.pass_time(0.5)
    town.dials_at_once = False
    slot = town.call(words[0], key(A), *words[1:], deadline=30.0)
    town.give_all(A, B)
    town.pass_time(1.2)
    for dial in [dial for dial in town.dials if dial.home.place == B]:
        town.dials.remove(dial)
        town.dials.insert(0, dial)
        town.connect()
    assert slot in town.ended
    assert town.at(B)[-1][0] == words[0].encode()


@pytest.mark.parametrize("words", [("INCR",), ("BLPOP", "0")])
def test_a_call_whose_server_leaves_the_cluster_while_it_pauses_goes_on_elsewhere(words: Any) -> None:
    town = opened(pool=LEASES)
    name = words[0].encode()
    if name == b"BLPOP":
        town.call("BLPOP", key(A), "0")  # which opens a link for it
    town[A].deaf = True
    slot = town.call(words[0], key(A), *words[1:], deadline=9.0)
    link = slot.link
    town.give_all(A, B)
    for _ in range(3):
        town.client.want_map(town.now, at_once=True)
        town.run()
        town.pass_time(1.5 if town.now < 1 else 0.3)
    assert A not in [node.place for node in town.client.nodes]
    town[A].refuses_with = lambda words: DOWN if words[0] == name else None
    town[A].deaf = False
    town._serve(link)
    town.run()
    assert slot not in town.ended
    town.pass_time(1.0)
    assert town.told(slot) == [key(A).encode(), *[word.encode() for word in words[1:]]][-1]
    assert town.at(B)[-1][0] == name
    assert not town.client._leaving
    town.is_at_rest()


def test_the_end_of_a_call_that_waited_for_a_map_is_told_though_an_interrupt_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    town = Town(dials_at_once=False)
    slot = town.call("GET", key(A), deadline=0.5)

    def struck(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(town.client, "_tell_end", struck)
        with pytest.raises(KeyboardInterrupt):
            town.client.handle_timeout(0.5)
    town.now = 0.5
    town.client.reconcile(town.now, lambda _: True, town.dials)
    town.client.resume(slot, town.now)
    town.run()
    assert slot in town.ended
    assert isinstance(slot.cause, CommandTimeoutError)


@pytest.mark.parametrize("tried", range(1, 7))
def test_a_transaction_that_watches_waits_longer_each_time_and_follows_at_once_at_first(tried: int) -> None:
    town = opened()
    client = town.client

    def pause(code: str, *, follows: bool) -> float | None:
        slot = slot_of(key(A).encode())
        error = ReplyError(f"{code} {slot} 10.0.0.2:7000")
        return client.watched_at(
            slot, error, tried, harmless=True, follows=follows, deadline=town.now + 1000, now=town.now
        )

    at_once = 0.0 if tried <= AT_ONCE else client._retry.pause(tried - AT_ONCE, town.half)
    assert pause("MOVED", follows=False) == at_once
    assert pause("ASK", follows=True) == at_once
    for code in ("ASK", "TRYAGAIN", "CLUSTERDOWN"):
        assert pause(code, follows=False) == client._retry.pause(tried, town.half)


@pytest.mark.parametrize("deadline", [2.0, inf])
@pytest.mark.parametrize("says", ["MOVED MOVED", "ASK ASK", "ASK MOVED", "MOVED ASK"])
@pytest.mark.parametrize("what", ["INCR", "BLPOP", "transaction", "pipeline"])
def test_servers_that_disagree_are_asked_at_once_at_first_and_then_with_pauses_whatever_they_say(
    what: str, says: str, deadline: float
) -> None:
    town, slot = opened(pool=LEASES), slot_of(key(A).encode())
    seen: list[float] = []

    def disagree(here: Any, code: str, there: Any) -> None:
        def refuses(words: Any) -> ReplyError | None:
            if words[0] not in (b"INCR", b"BLPOP") or slot_of(words[1]) != slot:
                return None
            seen.append(town.now)
            assert len(seen) < 100, "it goes on without a pause"
            return ReplyError(f"{code} {slot} {there[0]}:{there[1]}")

        town[here].refuses_with = refuses

    for here, code, there in zip((A, B), says.split(), (B, A), strict=True):
        disagree(here, code, there)
    call = {
        "INCR": lambda: town.call("INCR", key(A), deadline=deadline),
        "BLPOP": lambda: town.call("BLPOP", key(A), "0", deadline=deadline),
        "transaction": lambda: town.batch(("MULTI",), ("INCR", key(A)), ("EXEC",), deadline=deadline),
        "pipeline": lambda: town.batch(("INCR", key(A)), ("INCR", key(B)), deadline=deadline),
    }[what]()
    town.pass_time(10.0)
    assert call in town.ended
    pauses = [
        0.0 if hop <= AT_ONCE else town.client._retry.pause(hop - AT_ONCE, town.half) for hop in range(1, MOST_HOPS + 8)
    ]
    due = [0.0, *[at for at in accumulate(pauses) if at < deadline]]
    assert seen == pytest.approx(due if deadline < inf else due[: 1 + MOST_HOPS])
    town.is_at_rest()


def test_a_caller_that_goes_while_its_call_pauses_in_front_of_an_asking_leaves_nothing() -> None:
    town, slot = opened(), slot_of(key(A).encode())
    for here, there in ((A, B), (B, A)):
        refusal = ReplyError(f"ASK {slot} {there[0]}:{there[1]}")
        town[here].refuses_with = partial(lambda refusal, words: refusal if words[0] == b"INCR" else None, refusal)
    call = town.call("INCR", key(A), deadline=9.0)
    town.pass_time(0.3)
    assert call not in town.ended
    town.abandon(call)
    town.is_at_rest()
    town.pass_time(1.0)
    assert call not in town.ended
    assert (b"INCR", key(A).encode()) not in town.executed()

"""When the machine of a cluster, which has one for each server, is due: no server's machine is asked for that behind a call."""

from __future__ import annotations

from math import inf
from random import Random
from typing import Any

import pytest

from core.client.stage import LANES
from core.client.town import A, B, C, Town, key
from resp_sansio import PoolSettings, ReplyError
from resp_sansio.client.node import NodeBase

DOWN = ReplyError("CLUSTERDOWN The cluster is down")


def exact(town: Town) -> float:
    return min([node.next_deadline() for node in town.client._machines], default=inf)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[NodeBase]:
    """The machines that are asked when they are due."""
    found: list[NodeBase] = []
    true = NodeBase.next_deadline

    def next_deadline(node: NodeBase) -> float:
        found.append(node)
        return true(node)

    monkeypatch.setattr(NodeBase, "next_deadline", next_deadline)
    return found


@pytest.mark.parametrize("pool", [None, PoolSettings(max_size=2, max_idle=3.0, max_lifetime=9.0)])
@pytest.mark.parametrize("seed", range(12))
def test_it_is_due_when_the_first_of_its_servers_machines_is(seed: int, pool: PoolSettings | None) -> None:
    """It may be too early, for what has ended meanwhile; once it has looked it is not."""
    random, town = Random(seed), Town(LANES, pool, ping_interval=5.0, silence_timeout=3.0, refresh_interval=None)
    slots: list[Any] = []
    for _ in range(150):
        place = random.choice((A, B, C))
        deadline = town.now + random.choice([0.5, 2.0, 7.0, inf])
        match random.choice(["call"] * 4 + ["block"] * 2 + ["time"] * 3 + ["abandon", "down", "deaf", "well", "cut"]):
            case "call":
                slots.append(town.call("INCR", key(place), deadline=deadline))
            case "block" if pool is not None:
                slots.append(town.call("BLPOP", key(place), "0", deadline=deadline))
            case "abandon" if slots:
                town.abandon(slots.pop(random.randrange(len(slots))))
            case "down":
                town[place].refuses_with = lambda words: DOWN if len(words) > 1 and words[0] == b"INCR" else None
            case "deaf":
                town[place].deaf = True
            case "well":
                town[place].deaf, town[place].refuses_with = False, lambda _: None
            case "cut" if links := town.links_to(place):
                town.cut(random.choice(links))
            case "time":
                town.pass_time(random.choice([0.01, 0.3, 2.0]))
                town.client.handle_timeout(town.now)
                town.run()
                assert town.client.soonest.due <= exact(town)
                town.client.handle_timeout(town.now)
                assert town.client.soonest.due == exact(town)
        assert town.client.soonest.due <= exact(town)


def test_the_machines_of_servers_are_not_asked_when_they_are_due(asked: list[NodeBase]) -> None:
    town = Town(LANES, PoolSettings(max_size=2))
    for place in (A, B, C):
        town.call("GET", key(place))
    asked.clear()
    assert town.client.next_deadline() > town.now
    assert asked == []


def test_those_with_a_breaker_are(asked: list[NodeBase]) -> None:
    """It says itself when it allows the next dial, and tells no machine beside it."""
    town = Town(LANES, PoolSettings(max_size=2, breaker_failures=2))
    town.call("GET", key(A))
    asked.clear()
    town.client.next_deadline()
    assert {*asked} == {*town.client._machines}


def test_behind_an_interrupt_all_are_looked_at() -> None:
    town = Town(LANES, PoolSettings(max_size=2))
    town.call("GET", key(A))
    town.client.soonest.due = inf  # it was cut short in `handle_timeout`
    town.client.reconcile(town.now, lambda _: True, [])
    assert town.client.next_deadline() <= town.now
    town.client.handle_timeout(town.now)
    assert town.client.soonest.due == exact(town)

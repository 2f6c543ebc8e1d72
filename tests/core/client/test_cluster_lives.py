"""Random lives of a cluster's client: whatever moves, dies and is given up, each command runs once, and each caller has its end."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from core.client.notes import Notes
from core.client.stage import LANES
from core.client.town import A, B, C, D, Town, key
from resp_sansio import ClientSettings, LinkOpened, Outcome, PoolFullError, PoolSettings, ReplyError
from resp_sansio.client import Waiter, error_of
from resp_sansio.client.hash_slots import slot_of
from resp_sansio.connection import Slot, SlotState

PLACES = [A, B, C, D]
NAMES = [key(place, number) for place in (A, B, C) for number in range(2)]
SETTINGS = [LANES, ClientSettings(lanes=2), ClientSettings(lanes=3)]
POOLS = [None, PoolSettings(max_size=1), PoolSettings(max_size=3), PoolSettings(max_size=2, pre_ping=True)]
NOT_SAID = {b"CLUSTER", b"DBSIZE", b"MULTI", b"EXEC", b"ASKING", b"PING"}
"""Commands that are not refused for what state a server is in, as far as a life goes."""


class Life:
    """A client, its callers and its servers. Each APPEND has a word that no other has."""

    def __init__(self, seed: int) -> None:
        self.random = random = Random(seed)
        self.notes = Notes()
        options: dict[str, Any] = {"observers": [self.notes]} if random.random() < 0.5 else {}
        half = random.choice([0.3, 0.5, 0.9])
        self.town = Town(random.choice(SETTINGS), random.choice(POOLS), half=half, **options)
        self.words: dict[Slot, list[str]] = {}
        self.calls: list[Slot] = []
        self.waiters: list[Waiter] = []
        self.count = 0

    def step(self) -> None:
        """Let one thing happen."""
        what = self.random.choices(
            [
                self.calls_begin,
                self.links_are_lent,
                self.slots_move,
                self.servers_change,
                self.time_passes,
                self.callers_go,
            ],
            [45, 8, 12, 18, 10, 4],
        )
        what[0]()

    def name(self) -> str:
        return self.random.choice(NAMES)

    def append(self, name: str) -> tuple[str, str, str]:
        self.count += 1
        return "APPEND", name, f"w{self.count}"

    def calls_begin(self) -> None:
        town, random = self.town, self.random
        options: dict[str, Any] = {
            "deadline": town.now + random.choice([0.05, 1, 5, 20]),
            "caller": random.randrange(3),
        }
        shape = random.choice(["one", "pipeline", "pipeline", "transaction", "blocking", "everywhere"])
        commands = [self.append(self.name()) for _ in range(random.randrange(1, 6))]
        match shape:
            case "one":
                slot = town.call(*commands[0], **options)
                self.words[slot] = [commands[0][2]]
            case "pipeline":
                slot = town.batch(*commands, **options)
                self.words[slot] = [words[2] for words in commands]
            case "transaction":
                commands = [(words[0], commands[0][1], words[2]) for words in commands]
                slot = town.batch(("MULTI",), *commands, ("EXEC",), **options)
                self.words[slot] = [words[2] for words in commands]
            case "blocking":
                try:
                    slot = town.call("BLPOP", self.name(), "0", **options)
                except PoolFullError:
                    return
            case _:
                slot = town.call("DBSIZE", **options)
        self.calls.append(slot)

    def links_are_lent(self) -> None:
        town, random = self.town, self.random
        if self.waiters and random.random() < 0.5:
            self.give_back(self.waiters.pop(random.randrange(len(self.waiters))))
        else:
            at = random.choice([slot_of(self.name().encode()), random.choice(PLACES)])
            self.waiters.append(town.acquire(at=at, deadline=town.now + random.choice([0.05, 5])))

    def give_back(self, waiter: Waiter) -> None:
        if waiter.lease is not None:
            self.town.release(waiter.lease)
        else:
            self.town.client.withdraw(waiter, self.town.now)
            self.town.run()

    def slots_move(self) -> None:
        town, random, name = self.town, self.random, self.name()
        slot = slot_of(name.encode())
        owner = town.owner(slot)
        to = random.choice([place for place in PLACES if place != owner])
        if random.random() < 0.4 and owner is not None:
            town.begin_move(name, to)
            return
        for server in town.servers.values():
            server.migrating.pop(slot, None)
            server.importing.pop(slot, None)
            server.absent.discard(name.encode())
        town.move(name, None if random.random() < 0.1 else to)

    def servers_change(self) -> None:
        town, random = self.town, self.random
        server = town[random.choice(PLACES)]
        match random.choice(["dies", "lives", "is silent", "speaks", "speaks", "hangs up", "refuses"]):
            case "dies":
                town.kill(server.place)
            case "lives":
                server.away = False
            case "is silent":
                server.deaf = True
            case "speaks":
                server.deaf = False
                town.wake()
            case "hangs up":
                for link in town.links_to(server.place):
                    town.cut(link)
            case _:
                said = random.choice(["TRYAGAIN x", "CLUSTERDOWN x", "LOADING x", "READONLY x"])
                left = [ReplyError(said)] * random.randrange(1, 4)
                server.refuses_with = lambda words: None if words[0] in NOT_SAID or not left else left.pop()

    def time_passes(self) -> None:
        self.town.pass_time(self.random.choice([0.001, 0.01, 0.1, 1, 7]))
        if self.random.random() < 0.2:
            self.town.client.retire(self.town.now)
            self.town.run()

    def callers_go(self) -> None:
        there = [slot for slot in self.calls if slot not in self.town.ended]
        if there:
            slot = self.random.choice(there)
            self.calls.remove(slot)
            self.town.abandon(slot)

    def settles(self) -> None:
        """All is well again, and the time of all calls passes."""
        town = self.town
        for server in town.servers.values():
            server.deaf = server.away = False
            server.refuses_with = lambda _: None
        town.owners = [owner or A for owner in town.owners]
        town.wake()
        town.pass_time(1)
        for waiter in self.waiters:
            self.give_back(waiter)
        town.pass_time(60)

    def check(self) -> None:
        """Each caller that is there was told the truth."""
        town = self.town
        runs = Counter(words[2].decode() for words in town.executed() if words[0] == b"APPEND")
        assert all(count == 1 for count in runs.values())
        assert not [slot for slot in self.calls if slot not in town.ended]
        for slot, words in self.words.items():
            if slot.state is SlotState.ANSWERED:
                told: Any = slot.reply if isinstance(slot.reply, list) else [slot.reply]
                if len(told) == len(words) + 2:
                    told = told[-1] if isinstance(told[-1], list) else [told[-1]] * len(words)
                for one, word in zip(told, words, strict=True):
                    assert (word not in runs) if isinstance(one, ReplyError) else one == word.encode()
                continue
            outcomes = [*slot.outcomes]
            for outcome, word in zip(outcomes[1:-1] if len(outcomes) > len(words) else outcomes, words, strict=True):
                assert outcome is not Outcome.NOT_SENT or word not in runs
            if slot in town.ended:
                error_of(slot)
        town.is_at_rest()
        last = town.call("GET", NAMES[0], deadline=town.now + 9)
        town.pass_time(9)
        assert town.told(last) == NAMES[0].encode()
        assert not self.notes.under_way
        opened = [fact.number for fact in self.notes.of(LinkOpened)]
        assert len({*opened}) == len(opened)


@pytest.mark.parametrize("seed", range(24))
def test_each_command_runs_once_and_each_caller_has_its_end(seed: int) -> None:
    life = Life(seed)
    for _ in range(80):
        life.step()
    life.settles()
    life.check()
    life.town.client.drain(life.town.now)
    life.town.run()
    assert life.town.drained
    assert not life.town.client.links

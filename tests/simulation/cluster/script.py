"""What a history of a cluster's client is made of: as for one server, with what may happen to a cluster."""

from __future__ import annotations

from math import inf
from random import Random
from typing import Final

from resp_sansio import Cache, Config, PoolSettings, Retry
from resp_sansio.testing.members import PARTS, part_of, slot_of
from simulation.script import SPANS, TIMES, Act, Script

__all__ = ["ELSE", "FOLLOWED_TAGS", "OF_CLUSTERS", "TAGS", "ClusterScript", "basis", "draw", "on_adapters"]

CALLS: Final = (
    "get", "get", "large", "add", "add", "add", "push", "pop", "pop", "pipeline", "pipeline", "letters", "letters", "transaction",
    "transaction", "burst", "borrow", "borrow", "watch", "watch", "keep", "pair", "pair", "size", "spell",
)  # fmt: skip
OF_CLUSTERS: Final = (
    "move", "move", "move", "move", "die", "die", "freeze", "freeze", "fail_over", "fail_over", "quarrel", "behind", "empty",
    "partial", "load", "join", "leave",
)  # fmt: skip
"""What may happen to a cluster."""
TAGS: Final = 12
"""Hash slots that callers use."""
READ_FROM: Final = ("master", "master", "master", "replica", "any")
ELSE: Final = (
    "cut", "half_close", "reset", "stall", "midway", "garbage", "retire", "drain", "close", "idle_out", "fork", "interrupt",
    "struck",
)  # fmt: skip
"""What may happen besides: to one connection, or by the client's own methods."""
MORE: Final = ("transact", "transact", "transact", "node", "node", "visit")
"""What callers want in histories of the machine alone, beside the others."""
FOLLOWED: Final = 3  # in one of so many histories there are subscribers, too
FOLLOWED_TAGS: Final = (0, 4, 7)
"""Those of channels of shards that they want."""
KEPT: Final = ("reread", "reread", "reread", "rewrite", "touch")
"""And in histories of clients that keep what they read."""
ON_ADAPTERS: Final = ("transact", "transact", "node", "node", "visit", "follow", "follow")
"""What callers want in every second of the adapters' histories, beside the others."""
STRIKES: Final = ("struck", "struck", "struck", "interrupt")


class ClusterScript(Script):
    """A history before it is lived. `pool.max_size` counts for each server."""

    @property
    def masters(self) -> int:
        """How many there are at the beginning."""
        return 2 + self.seed % 3

    @property
    def replicas(self) -> int:
        """How many each of them has."""
        return 1 + self.seed // 3 % 2

    @property
    def patterns(self) -> bool:
        """Do its subscribers want patterns as well, and come while slots of their channels are on their way?"""
        return self.seed % FOLLOWED == 0 and self.seed % 4 in (1, 2)

    @property
    def deaf(self) -> bool:
        """Do servers refuse commands on channels of shards while the cluster is down?"""
        return self.seed // FOLLOWED % 3 == 2

    @property
    def config(self) -> Config:
        """How the client is to connect."""
        return Config(
            cluster=[("10.0.0.0", 7000), ("10.0.0.1", 7001), ("10.0.0.99", 7099)],
            protocol=self.protocol,
            password="secret" if self.password else None,
            ping_interval=3.0,
            silence_timeout=4.0,
            connect_timeout=4.0,
            refresh_interval=3.0,
            read_from=READ_FROM[self.seed % len(READ_FROM)],
            cache=Cache() if self.cached else None,
        )


def draw(seed: int) -> ClusterScript:
    """Draw a history: that which adapters live through as well, and more."""
    script = basis(seed)
    random = Random(~seed)
    chance, choice = random.random, random.choice
    span = choice(SPANS)
    kinds = [choice(MORE) for _ in range(int(chance() * 6))]
    kinds += [choice(STRIKES) for _ in range(1 + int(chance() * 4) if chance() < 0.25 else 0)]
    kinds += ["follow"] * (1 + int(chance() * 4) if seed % FOLLOWED == 0 else 0)
    if script.cached:
        kinds += [choice(KEPT) for _ in range(4 + int(chance() * 8))]
        kinds += ["move"] * int(chance() * 3)
    more = [caller(random, span, kind, number) for number, kind in enumerate(kinds, len(script.acts))]
    more = [act._replace(seconds=min(act.seconds, 8.0)) if act.kind == "move" else act for act in more]
    if script.patterns:
        more += followed_moves(seed, span, len(script.acts) + len(more))
    return script._replace(acts=tuple(sorted([*script.acts, *more])))


def on_adapters(seed: int) -> ClusterScript:
    """Draw a history that adapters live through."""
    script = basis(seed)
    if seed % 2 == 0:
        return script
    random = Random(f"{seed} on adapters")
    span = random.choice(SPANS)
    kinds = [random.choice(ON_ADAPTERS) for _ in range(1 + int(random.random() * 6))]
    if script.cached:
        kinds += [random.choice(KEPT) for _ in range(4 + int(random.random() * 8))]
    kinds += ["move"] * int(random.random() * 4)
    more = [caller(random, span, kind, number) for number, kind in enumerate(kinds, len(script.acts))]
    more = [act._replace(seconds=0.1 + act.chance) if act.kind == "move" else act for act in more]
    for act in [act for act in more if act.kind == "transact"]:  # while its slot is on its way, and behind that
        seconds, part = 0.2 + random.random(), part_of(slot_of(b"{%d}" % int(act.chance * TAGS)))
        at, number = max(act.at - seconds * random.random(), 0.0), len(script.acts) + len(more)
        more.append(Act(at, "move", number, 0, seconds, inf, (part + random.random()) / PARTS))
    return script._replace(acts=tuple(sorted([*script.acts, *more])))


def caller(random: Random, span: float, kind: str, number: int) -> Act:
    """Draw a caller who wants this."""
    chance = random.random
    return Act(
        at=chance() * span,
        kind=kind,
        number=number,
        caller=random.randrange(4),
        seconds=random.choice(TIMES),
        leaves=chance() * 0.2 if chance() < 0.2 else inf,
        chance=chance(),
    )


def followed_moves(seed: int, span: float, number: int) -> list[Act]:
    """Draw moves of slots that have channels of shards, and for each a subscriber that comes meanwhile, or just behind it.

    Of half of these moves the server that gives the slots away knows first, and sends on what the other one sends back.
    """
    random = Random(f"{seed} followed")
    acts: list[Act] = []
    for tag in random.sample(FOLLOWED_TAGS, random.randint(1, len(FOLLOWED_TAGS))):
        source_first, chance = random.random() < 0.5, 0.5
        while (chance * 10 % 1 < 0.2) is not source_first or part_of(slot_of(b"{%d}" % tag)) != int(chance * PARTS):
            chance = random.random()
        at, seconds = random.random() * span, 0.1 + random.random()
        acts.append(Act(at, "move", number + len(acts), 0, seconds, inf, chance))
        at += seconds * (0.3 + random.random())
        acts.append(Act(at, "follow", number + len(acts), 0, 8.0, inf, random.random()))
    return acts


def basis(seed: int) -> ClusterScript:
    """Draw the history that is lived through on adapters, too."""
    random = Random(seed)
    chance, choice = random.random, random.choice
    retry, span = Retry(attempts=choice((1, 3, 10))), choice(SPANS)
    callers = 4 + int(chance() * 14)
    acts = [
        Act(
            at=chance() * span,
            kind=choice(CALLS),
            number=number,
            caller=random.randrange(4),
            seconds=choice(TIMES),
            leaves=chance() * 0.2 if chance() < 0.2 else inf,
            chance=chance(),
        )
        for number in range(callers)
    ]
    happens = choice(((), OF_CLUSTERS, OF_CLUSTERS, (*OF_CLUSTERS, *ELSE)))
    acts += [
        Act(
            at=chance() * span,
            kind=choice(happens),
            number=number,
            caller=0,
            seconds=chance() ** 2 * 2,
            leaves=inf,
            chance=chance(),
        )
        for number in range(callers, callers + (1 + int(chance() * 6) if happens else 0))
    ]
    pool = PoolSettings(
        max_size=choice((1, 2, 4)),
        min_size=choice((0, 0, 1)),
        max_idle=choice((None, 0.5)),
        pre_ping=chance() < 0.2,
        retry=retry,
        leak_after=0.5,
    )
    return ClusterScript(
        seed=seed,
        mode=choice(("client", "client", "lanes", "single")),
        protocol=choice((2, 3, 3)),
        server=choice(("new", "new", "old")),
        password=chance() < 0.3,
        database=0,
        noise=choice((0.0, 0.1, 0.3)),
        short=chance() < 0.5,
        retry=retry,
        pool=pool,
        acts=tuple(sorted(acts)),
    )

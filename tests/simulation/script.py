"""What a history is made of, as plain data that one seed draws: settings, callers and what goes wrong.

Nothing is drawn later but the network's noise, which has a random source of its own. So an act can be left out, and the others
stay what they were: that is how a history that fails is made smaller.
"""

from __future__ import annotations

from math import inf
from random import Random
from typing import Final, Literal, NamedTuple

from resp_sansio import Cache, ClientSettings, Config, PoolSettings, Retry
from resp_sansio.testing import PHASES

__all__ = ["FAULTS", "OWN", "Act", "Script", "draw"]

CALLS: Final = (
    "get", "get", "large", "odd", "add", "add", "add", "push", "pop", "pop", "pipeline", "pipeline", "transaction", "burst",
    "burst", "borrow", "borrow", "watch", "watch", "subscribe", "shard", "change", "keep",
)  # fmt: skip
KEPT: Final = {"get": "reread", "large": "reread", "push": "rewrite", "cut": "touch", "stall": "touch"}
"""What callers want, and what happens, instead of this in histories of clients that keep what they read."""
OWN: Final = (  # what happens to the client
    "surplus", "surplus_behind", "begun", "interrupt", "struck", "struck", "retire", "resize", "drain", "close", "fork", "idle_out",
    "idle_out",
)  # fmt: skip
FAULTS: Final = (
    *PHASES, "failover", "cut", "cut", "half_close", "reset", "reset", "stall", "stall", "garbage", *OWN, "publish", "publish",
    "touch", "supply", "midway", "midway",
)  # fmt: skip
SPANS: Final = (0.02, 0.3, 2.0)  # seconds in which all of it begins
SPAN: Final = max(SPANS)
TIMES: Final = (0.05, 0.5, 8.0, 8.0, inf)  # how long callers wait at most


class Act(NamedTuple):
    """One caller or one fault: when it begins, how long it may take or lasts, and after how long its caller leaves."""

    at: float
    kind: str
    number: int
    caller: int
    seconds: float
    leaves: float
    chance: float


class Script(NamedTuple):
    """A history before it is lived. `noise` is how much the network makes of each message; `server` what it is like.

    `short`: the adapter starts calls at rest, and takes their replies, in one step each.
    """

    seed: int
    mode: Literal["client", "lanes", "pool", "single", "once"]
    protocol: Literal[2, 3]
    server: Literal["new", "old", "proxy"]
    password: bool
    database: int
    noise: float
    short: bool
    retry: Retry
    pool: PoolSettings
    acts: tuple[Act, ...]

    @property
    def cached(self) -> bool:
        """Does the client keep what it reads?"""
        return keeps(self.seed) and self.mode != "pool" and self.protocol == 3

    @property
    def config(self) -> Config:
        """How the client is to connect."""
        return Config(
            host="simulated",
            protocol=self.protocol,
            password="secret" if self.password else None,
            db=self.database,
            ping_interval=3.0,
            silence_timeout=1.0,
            connect_timeout=1.0,
            cache=Cache() if self.cached else None,
        )

    @property
    def settings(self) -> ClientSettings:
        """What the client may do."""
        return ClientSettings(max_connections=8, lanes=2 if self.mode == "lanes" else 1, retry=self.retry)

    def without(self, acts: set[int]) -> Script:
        """The same without these acts."""
        return self._replace(acts=tuple(act for act in self.acts if act.number not in acts))


def keeps(seed: int) -> bool:
    """May the client of this history keep what it reads?"""
    return seed % 5 == 2


def draw(seed: int) -> Script:
    """Draw a history."""
    random = Random(seed)
    chance, choice = random.random, random.choice
    retry, span = Retry(attempts=choice((1, 3, 10))), choice(SPANS)
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
        for number in range(4 + int(chance() * 14))
    ]
    wrong = 0 if chance() < 0.1 else 1 + int(chance() * 4)
    acts += [
        Act(
            at=chance() * span,
            kind=choice(FAULTS),
            number=number,
            caller=0,
            seconds=chance() ** 2 * 2,
            leaves=inf,
            chance=chance(),
        )
        for number in range(len(acts), len(acts) + wrong)
    ]
    pool = PoolSettings(
        max_size=choice((1, 2, 4)),
        min_size=choice((0, 0, 1)),
        max_idle=choice((None, 0.5)),
        max_waiting=choice((None, None, 5)),
        max_lifetime=choice((None, None, 1.0)),
        pre_ping=chance() < 0.2,
        retry=retry,
        leak_after=0.5,
        breaker_failures=choice((None, None, None, 3)),
        breaker_seconds=0.3,
    )
    if keeps(seed):
        acts = [act._replace(kind=KEPT.get(act.kind, act.kind)) for act in acts]
    return Script(
        seed=seed,
        mode=choice(("client", "client", "lanes", "pool", "pool", "single", "once")),
        protocol=choice((2, 3, 3)),
        server=choice(("new", "new", "new", "old", "proxy")),
        password=chance() < 0.3,
        database=choice((0, 0, 3)),
        noise=choice((0.0, 0.1, 0.3)),
        short=chance() < 0.5,
        retry=retry,
        pool=pool,
        acts=tuple(sorted(acts)),
    )

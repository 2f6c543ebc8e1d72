"""Histories of an adapter whose client is a cluster's: the scripts, the servers and the promises of `simulation.cluster`."""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Final

from resp_sansio import Cache
from resp_sansio.testing import Socket
from simulation.adapters.conversations import Talker
from simulation.adapters.history import History
from simulation.adapters.on_asyncio import OnAsyncio
from simulation.adapters.on_threads import OnThreads
from simulation.adapters.on_trio import OnTrio
from simulation.adapters.townsfolk import ClusterTalker
from simulation.cluster.promises import FORGETS, TownChecks
from simulation.cluster.script import OF_CLUSTERS, TAGS, ClusterScript
from simulation.cluster.trouble import LONG, SEEN, TownTrouble
from simulation.script import Act
from simulation.watching import Raises, Watching

if TYPE_CHECKING:
    from resp_sansio.testing import Clock, Session
    from resp_sansio.testing.server import Words
    from simulation.adapters.programs import Caller

__all__ = ["OF_CLUSTERS_ON", "ClusterHistory"]

URL: Final = "redis+cluster://10.0.0.0:7000,10.0.0.1:7001,10.0.0.99:7099"


class Routed(Socket):
    """A socket that leads where it is told to connect."""

    world: ClusterHistory

    def connect_ex(self, address: Any = None) -> int:
        """As of a socket."""
        self.server = self.world.server_at(address[:2])
        self.session = self.server.session(self._say, self.hang_up)
        return super().connect_ex(address)


class ClusterHistory(TownTrouble, History):
    """A script of a cluster's client on an adapter."""

    url = URL
    caller_type: ClassVar[type[Talker]] = ClusterTalker
    script: ClusterScript
    checks: TownChecks

    def __init__(self, script: ClusterScript, trace: list[str] | None = None) -> None:
        super().__init__(script, trace)
        self.checks = TownChecks(self)
        self.built()
        for member in self.cluster.members:
            member.refuses = script.noise * 0.1 if any(act.kind in OF_CLUSTERS for act in script.acts) else 0.0
        self.updates: Counter[str] = (
            Counter()
        )  # by WATCH: how many are known to be done, and of how many it is not known

    def options(self) -> dict[str, Any]:
        config = self.script.config
        names = (
            "protocol",
            "password",
            "ping_interval",
            "silence_timeout",
            "connect_timeout",
            "refresh_interval",
            "read_from",
        )
        options: dict[str, Any] = {name: getattr(config, name) for name in names}
        if self.script.cached:
            options["cache"] = Cache()
        return options | {"timeout": None, "observers": self.observers}

    def keep_time_by(self, clock: Clock) -> None:
        super().keep_time_by(clock)
        self.cluster.clock = self.nowhere.clock = clock
        for member in self.cluster.members:
            member.clock = clock

    def socket(self) -> Socket:
        made = Routed(self.nowhere, self.random, self.noise, len(self.sockets))
        made.world = self
        self.sockets.append(made)
        return made

    # -- the history --------------------------------------------------------------------------------------------------------------

    def act(self, act: Act) -> None:
        if act.kind in OF_CLUSTERS:
            self.calm = False
            self.happens_to_town(act)
        elif act.kind == "touch":
            self.touch(range(0, TAGS, 2))
        else:
            super().act(act)

    def come(self, act: Act) -> None:
        if act.kind == "visit" and self.script.mode == "single":
            act = act._replace(kind="node")
        self.comes(act)

    def lent(self, caller: Caller, to: Any) -> Any:
        if self.script.mode == "single":
            return super().lent(caller, to)
        return to.acquire(key=caller.key(""), timeout=caller.left)

    def crosses(self, to: Any) -> bool:
        """May what is sent there have keys of several slots?"""
        return to is self.client

    @property
    def last(self) -> tuple[str, ...]:
        kinds = {act.kind for act in self.script.acts}
        more = [kind for kind in ("transact", "node", "reread", "follow") if kind in kinds]
        return "add", "borrow", "add", "pipeline", *more, "unsubscribed"

    async def recovers(self) -> None:
        """All is well with the cluster; and calls go on for long enough for the client to see how it is now."""
        for member in self.cluster.members:
            member.refuses = 0.0
        while not self.cluster.is_well and self.clock.now < LONG:
            await self.sleep(1.0)
        if not self.keeps_time and any([socket.dark and not socket.closed for socket in self.sockets]):
            self.trouble(SEEN + 8.0)  # that is met by the next call there, which waits for as long as it may
        for number in range(SEEN):
            self.act(Act(self.clock.now, "get", 20_000 + number, 0, 8.0, inf, number / SEEN))
            await self.sleep(1.0)
        for member, since in self.cluster.left.items():
            asked = [when for when in self.checks.asked_for_map if since + 1.0 < when < self.clock.now - 1.0]
            if len(asked) > FORGETS and not self.ended:
                open_to = [socket for socket in self.sockets if socket.server is member and socket.alive]
                assert not open_to, f"{member} has left, and is connected to by {open_to}"

    # -- what must hold -----------------------------------------------------------------------------------------------------------

    def arrives(self, session: Session, words: Words) -> None:
        super().arrives(session, words)
        if words[:1] != (b"INCRBY",) or words[1][:2] != b"r{":  # which adds no number
            self._arrived(session, words)

    def check_capacity(self) -> None:
        """To no server are more connections open than may be. One that has left, and comes again, counts twice."""
        most = 1 if self.script.mode == "single" else 8
        most += 2 * any(
            act.kind == "follow" for act in self.script.acts
        )  # one for channels, and one for those of its shard
        most *= 1 + any(act.kind == "leave" for act in self.script.acts)
        opened = Counter(one.server for one in self.sockets if one.opened and not (one.closed or one.shut))
        for server, number in opened.items():
            assert number <= most, f"{number} connections of {most} to {server}"

    def check_data(self) -> None:
        """No update was lost, but those that a master made which had been replaced; and all were made that are told to be."""
        self.checks.no_set_is_lost()
        made, done, unsure = self.checks.set.total(), self.updates["done"], self.updates["unsure"]
        assert done <= made <= done + unsure, f"{made} updates, told: {done}, and {unsure} unsure"

    def check_observer(self, observer: object) -> None:
        strikes = self.strikes if self.interrupts else 0
        if isinstance(observer, Watching):
            observer.agree(self.checks.told, strikes=strikes, torn=strikes > 0, uncounted=True)
        elif isinstance(observer, Raises):
            assert observer.left >= -strikes, "an observer that had raised was told more"


class ClusterOnAsyncio(OnAsyncio, ClusterHistory):
    """On resp_asyncio."""


class ClusterOnTrio(OnTrio, ClusterHistory):
    """On resp_trio."""


class ClusterOnThreads(OnThreads, ClusterHistory):
    """On resp_sync."""


OF_CLUSTERS_ON: Final[dict[str, type[ClusterHistory]]] = {
    "asyncio": ClusterOnAsyncio,
    "trio": ClusterOnTrio,
    "threads": ClusterOnThreads,
}

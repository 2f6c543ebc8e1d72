"""One history of a cluster's client: as of a client of one server, in a world that has a cluster."""

from __future__ import annotations

from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Final

from resp_sansio.client import Client, Dial
from resp_sansio.client.cluster import Cluster
from resp_sansio.client.observed_cluster import ObservedCluster
from resp_sansio.testing import Server
from simulation.cluster.callers import ClusterCaller
from simulation.cluster.checks import ClusterChecks, WatchedMap, WatchedRefresher
from simulation.cluster.script import OF_CLUSTERS, ClusterScript
from simulation.cluster.servers import PARTS, Member, Town, slot_of
from simulation.script import FAULTS, Act
from simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Collection

    from resp_sansio.connection import Slot
    from simulation.callers import Caller
    from simulation.checks import Checks

__all__ = ["ClusterWorld"]

LONG: Final = 30.0  # seconds
SEEN: Final = 12  # callers, one a second, who let the client see how its cluster is now
MORNING: Final = 20_000


class ClusterWorld(World):
    """A history under way."""

    checks_type: ClassVar[type[Checks]] = ClusterChecks
    caller_type: ClassVar[type[Caller]] = ClusterCaller
    faults: ClassVar[Collection[str]] = (*OF_CLUSTERS, *FAULTS)
    script: ClusterScript
    client: Any  # a `Cluster`, with a `WatchedMap` and a `WatchedRefresher`
    checks: ClusterChecks

    def __init__(self, script: ClusterScript, *, trace: list[str] | None = None) -> None:
        super().__init__(script, trace=trace)
        self.town = town = Town(
            self.clock,
            self.random,
            kind=script.server,
            password=script.password,
            masters=script.masters,
            replicas=script.replicas,
        )
        town.tell = self.tell
        town.takes = self.checks.takes
        self.seen = False
        self.nowhere = Server(self.clock)
        self.nowhere.wrong["away"] += 1
        self._listen()

    def _listen(self) -> None:
        for member in self.town.members:
            member.arrived = self.checks.arrives

    def _make(self) -> Client:
        script, random = self.script, self.random.random
        pool = None if script.mode == "single" else script.pool
        if self.observers is None:
            made: Cluster | ObservedCluster = Cluster(script.config, script.settings, pool, random=random)
        else:
            made = ObservedCluster(script.config, script.settings, pool, random=random, observers=self.observers)
        made.refresher = WatchedRefresher(self.clock, script.config.refresh_interval)
        made.map = WatchedMap(self)
        return made

    def server_of(self, dial: Dial) -> Server:
        return self.town.at((dial.config.host, dial.config.port)) or self.nowhere

    def where(self, caller: Caller) -> dict[str, Any]:
        return {"at": slot_of(caller.key("").encode())}

    def starts(self, slot: Slot, lease: Any = None) -> bool:
        """As of a client: by the lane of its server."""
        if not self.script.short:
            return False
        lane = None if lease is not None else self.client.lane_of(slot)
        link = lease.connection if lease is not None else None if lane is None else lane.link
        if link is None or link not in self.wires or self.wires[link].unread:
            return False
        return self._starts(link.home, slot, lease)

    # -- what happens ------------------------------------------------------------------------------------------------------------

    def happens(self, act: Act) -> None:
        if act.kind not in OF_CLUSTERS:
            super().happens(act)
            return
        self.tell("fault {}: {} for {} s", act.number, act.kind, act.seconds)
        self.paused = True
        getattr(self, f"_{act.kind}")(act)

    def _master(self, act: Act) -> Member:
        shards = self.town.shards
        return shards[int(act.chance * len(shards))].master

    def _member(self, act: Act) -> Member:
        members = self.town.members
        return members[int(act.chance * len(members))]

    def _part(self, act: Act) -> int:
        return int(act.chance * PARTS)

    def _move(self, act: Act) -> None:
        shards = self.town.shards
        to = shards[int(act.chance * 97) % len(shards)]
        self.town.move(self._part(act), to, act.seconds, source_first=act.chance * 10 % 1 < 0.2)

    def _die(self, act: Act) -> None:
        self.town.stop(self._master(act), self.sockets, frozen=False, seconds=act.seconds)

    def _freeze(self, act: Act) -> None:
        self.town.stop(self._master(act), self.sockets, frozen=True, seconds=3.0 * act.seconds)

    def _fail_over(self, act: Act) -> None:
        self.town.fail_over(self._master(act), act.seconds * 0.2)

    def _quarrel(self, act: Act) -> None:
        self.town.quarrel(self._part(act), act.seconds)

    def _behind(self, act: Act) -> None:
        self.town.phase(self._member(act), "behind", act.seconds)

    def _empty(self, act: Act) -> None:
        self.town.phase(self._member(act), "empty", act.seconds)

    def _partial(self, act: Act) -> None:
        self.town.phase(self._member(act), "partial", act.seconds)

    def _load(self, act: Act) -> None:
        self.town.phase(self._member(act), "loading", act.seconds)

    def _join(self, act: Act) -> None:
        """A new shard, which gets some slots."""
        shard = self.town.found(self.script.replicas)
        self._listen()
        self.town.spread(shard.master)
        for member in (shard.master, *shard.replicas):
            member.hear()
        self.town.move(self._part(act), shard, act.seconds, source_first=False)

    def _leave(self, act: Act) -> None:
        """A shard gives all of its slots to another one, and goes."""
        town = self.town
        shard = self._master(act).shard
        others = [other for other in town.shards if other is not shard]
        if len(others) < 2 or shard.number == 0:  # by that one the cluster is found
            return
        for part in [part for part in range(PARTS) if town.parts[part] is shard]:
            town.move(part, others[part % len(others)], act.seconds * 0.5, source_first=False)
        stays = act.chance * 10 % 1 < 0.5
        self.clock.after(act.seconds * 0.5 + 0.5, partial(town.remove, shard, self.sockets, stays=stays))

    def _finish(self) -> None:
        """All is well with the cluster first; and calls go on for long enough for the client to see how it is now."""
        now = self.clock.now
        if not self.late and not self.town.is_well and now < LONG:
            self.clock.after(1.0, self._finish)
        elif not self.late and not self.seen:
            self.seen = True
            for number in range(SEEN):
                act = Act(now + number, "get", MORNING + number, 0, 8.0, inf, number / SEEN)
                self.clock.at(act.at, self._act, act)
            self.clock.after(SEEN + 1.0, self._finish)
        else:
            super()._finish()

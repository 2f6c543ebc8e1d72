"""One history of a cluster's client: as of a client of one server, in a world that has a cluster."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Final

from resp_sansio.client import Client, Dial
from resp_sansio.client.cluster import Cluster
from resp_sansio.client.observed_cluster import ObservedCluster
from simulation.cluster.callers import ClusterCaller
from simulation.cluster.checks import ClusterChecks, WatchedMap, WatchedRefresher
from simulation.cluster.script import OF_CLUSTERS, ClusterScript
from simulation.cluster.servers import slot_of
from simulation.cluster.trouble import LONG, SEEN, TownTrouble
from simulation.script import FAULTS, Act
from simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Collection

    from resp_sansio.connection import Slot
    from resp_sansio.testing import Server
    from simulation.callers import Caller
    from simulation.checks import Checks

__all__ = ["ClusterWorld"]

MORNING: Final = 20_000


class ClusterWorld(TownTrouble, World):
    """A history under way."""

    checks_type: ClassVar[type[Checks]] = ClusterChecks
    caller_type: ClassVar[type[Caller]] = ClusterCaller
    faults: ClassVar[Collection[str]] = (*OF_CLUSTERS, *FAULTS)
    script: ClusterScript
    client: Any  # a `Cluster`, with a `WatchedMap` and a `WatchedRefresher`
    checks: ClusterChecks

    def __init__(self, script: ClusterScript, *, trace: list[str] | None = None) -> None:
        super().__init__(script, trace=trace)
        self.seen = False
        self.found()

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
        return self.server_at((dial.config.host, dial.config.port))

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
        if act.kind in OF_CLUSTERS:
            self.happens_to_town(act)
        else:
            super().happens(act)

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

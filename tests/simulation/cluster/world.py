"""One history of a cluster's client: as of a client of one server, in a world that has a cluster."""

from __future__ import annotations

from math import inf
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from resp_sansio.client import Client, Dial
from resp_sansio.client.cluster import Cluster
from resp_sansio.client.observed_cluster import ObservedCluster
from resp_sansio.testing.members import slot_of
from simulation.cluster.callers import ClusterCaller
from simulation.cluster.checks import ClusterChecks, WatchedMap, WatchedRefresher
from simulation.cluster.script import OF_CLUSTERS, TAGS, ClusterScript
from simulation.cluster.trouble import LONG, SEEN, TownTrouble
from simulation.followers import Follower, Following
from simulation.script import FAULTS, SPAN, Act

if TYPE_CHECKING:
    from collections.abc import Collection

    from resp_sansio.client.sentinel import Place
    from resp_sansio.connection import Slot
    from resp_sansio.testing import Server
    from simulation.callers import Caller
    from simulation.checks import Checks

__all__ = ["ClusterWorld"]

MORNING: Final = 20_000


class ClusterWorld(TownTrouble, Following):
    """A history under way."""

    struck_anywhere = True
    checks_type: ClassVar[type[Checks]] = ClusterChecks
    caller_type: ClassVar[type[Caller]] = ClusterCaller
    faults: ClassVar[Collection[str]] = (*OF_CLUSTERS, *FAULTS)
    script: ClusterScript
    client: Any  # a `Cluster`, with a `WatchedMap` and a `WatchedRefresher`
    checks: ClusterChecks

    def __init__(self, script: ClusterScript, *, trace: list[str] | None = None) -> None:
        super().__init__(script, trace=trace)
        self.seen = False
        self.built()
        if any(act.kind == "follow" for act in script.acts):
            random = Random(script.seed)
            for _ in range(80):
                self.clock.at(random.random() * 2 * SPAN, self.publish, *random.choice(self.channels))

    def _make(self) -> Client:
        script, random = self.script, self.random.random
        pool = None if script.mode == "single" else script.pool
        if self.observers is None:
            made: Cluster | ObservedCluster = Cluster(
                script.config, script.settings, pool, random=random, cache=self.cache
            )
        else:
            made = ObservedCluster(
                script.config, script.settings, pool, random=random, observers=self.observers, cache=self.cache
            )
        made.refresher = WatchedRefresher(self.clock, script.config.refresh_interval)
        made.map = WatchedMap(self)
        return made

    def server_of(self, dial: Dial) -> Server:
        return self.server_at((dial.config.host, dial.config.port))

    def where(self, caller: Caller) -> dict[str, Any]:
        assert isinstance(caller, ClusterCaller)
        return {"at": slot_of(caller.key("").encode()) if caller.place is None else caller.place}

    def granted(self, caller: Caller, lease: Any) -> None:
        super().granted(caller, lease)
        assert isinstance(caller, ClusterCaller)
        leads = getattr(self.wires[lease.connection].server, "place", None)
        assert caller.place in (None, leads), f"{caller} has a link to {leads}, and wanted one to {caller.place}"

    def pick_server(self, caller: ClusterCaller) -> Place:
        """Return where one of the servers is that the client knows: mostly the one that has the caller's keys."""
        owner, chance = self.client.map.owner(slot_of(caller.key("").encode())), caller.act.chance
        if owner is not None and chance * 10 % 1 > 0.4:
            return cast("Place", owner.place)
        places = self.client.places or self.script.config.cluster
        return cast("Place", places[int(chance * 97) % len(places)])

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

    def _act(self, act: Act) -> None:
        if act.kind == "follow":
            random = Random(f"{self.script.seed}.{act.number}")
            follower = Follower(self, random, random.sample(self.names, random.randint(1, len(self.names))))
            self.followers.append(follower)
            follower.comes()
        else:
            super()._act(act)

    def happens(self, act: Act) -> None:
        if act.kind == "touch":
            self.touch(range(0, TAGS, 2))
        elif act.kind in OF_CLUSTERS:
            self.happens_to_town(act)
            if act.kind == "leave":
                dark = any(
                    [one.kind == "cut" for one in self.script.acts]
                )  # a long deadline keeps others waiting behind it
                late = act._replace(kind="stray", number=MORNING + SEEN + act.number, seconds=inf if dark else 60.0)
                self.clock.after(act.seconds * 0.5 + 0.6, self._act, late)
        else:
            super().happens(act)

    def _finish(self) -> None:
        """All is well with the cluster first; and calls go on for long enough for the client to see how it is now."""
        now = self.clock.now
        if not self.late and not self.cluster.is_well and now < LONG:
            self.clock.after(1.0, self._finish)
        elif not self.late and not self.seen:
            self.seen = True
            for number in range(SEEN):
                act = Act(now + number, "get", MORNING + number, 0, 8.0, inf, number / SEEN)
                self.clock.at(act.at, self._act, act)
            if self.cache is not None:
                self.clock.after(1.0, self.touch, range(TAGS))
            for kind, channel in self.channels:
                self.clock.after(SEEN, self.publish, kind, channel)
            self.clock.after(SEEN + 1.0, self._finish)
        else:
            if not self.late:
                self.checks.all_is_followed()
            super()._finish()

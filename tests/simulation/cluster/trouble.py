"""A cluster in a world, and what goes wrong with it: the faults by their names in a script."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from resp_sansio.testing import Server, World
from simulation.cluster.servers import PARTS, Member, Town

if TYPE_CHECKING:
    from simulation.cluster.promises import TownChecks
    from simulation.cluster.script import ClusterScript
    from simulation.script import Act

__all__ = ["LONG", "SEEN", "TownTrouble"]

LONG: Final = 30.0  # seconds in which a cluster is well again
SEEN: Final = 12  # callers, one a second, who let the client see how its cluster is now


class TownTrouble(World):
    """A world that has a cluster: `found` builds it."""

    script: ClusterScript
    checks: TownChecks
    town: Town
    nowhere: Server
    """What refuses to be dialled."""

    def found(self) -> None:
        """The cluster is there from now on."""
        script = self.script
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
        self.nowhere = Server(self.clock)
        self.nowhere.wrong["away"] += 1
        self._listen()

    def _listen(self) -> None:
        for member in self.town.members:
            member.arrived = self.arrives

    def arrives(self, session: Any, words: Any) -> None:
        """A command has come to a server."""
        self.checks.arrives(session, words)

    def server_at(self, place: tuple[str, int]) -> Server:
        """Return the server that is dialled there."""
        return self.town.at(place) or self.nowhere

    # -- what happens ------------------------------------------------------------------------------------------------------------

    def happens_to_town(self, act: Act) -> None:
        """This fault happens."""
        self.tell("fault {}: {} for {} s", act.number, act.kind, act.seconds)
        self.paused = True
        getattr(self, f"_town_{act.kind}")(act)

    def _master(self, act: Act) -> Member:
        shards = self.town.shards
        return shards[int(act.chance * len(shards))].master

    def _member(self, act: Act) -> Member:
        members = self.town.members
        return members[int(act.chance * len(members))]

    def _part(self, act: Act) -> int:
        return int(act.chance * PARTS)

    def _town_move(self, act: Act) -> None:
        shards = self.town.shards
        to = shards[int(act.chance * 97) % len(shards)]
        self.town.move(self._part(act), to, act.seconds, source_first=act.chance * 10 % 1 < 0.2)

    def _town_die(self, act: Act) -> None:
        self.town.stop(self._master(act), self.sockets, frozen=False, seconds=act.seconds)

    def _town_freeze(self, act: Act) -> None:
        self.town.stop(self._master(act), self.sockets, frozen=True, seconds=3.0 * act.seconds)

    def _town_fail_over(self, act: Act) -> None:
        self.town.fail_over(self._master(act), act.seconds * 0.2)

    def _town_quarrel(self, act: Act) -> None:
        self.town.quarrel(self._part(act), act.seconds)

    def _town_behind(self, act: Act) -> None:
        self.town.phase(self._member(act), "behind", act.seconds)

    def _town_empty(self, act: Act) -> None:
        self.town.phase(self._member(act), "empty", act.seconds)

    def _town_partial(self, act: Act) -> None:
        self.town.phase(self._member(act), "partial", act.seconds)

    def _town_load(self, act: Act) -> None:
        self.town.phase(self._member(act), "loading", act.seconds)

    def _town_join(self, act: Act) -> None:
        """A new shard, which gets some slots."""
        shard = self.town.found(self.script.replicas)
        self._listen()
        self.town.spread(shard.master)
        for member in (shard.master, *shard.replicas):
            member.hear()
        self.town.move(self._part(act), shard, act.seconds, source_first=False)

    def _town_leave(self, act: Act) -> None:
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

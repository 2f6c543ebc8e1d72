"""A cluster in a world, and what goes wrong with it: the faults by their names in a script."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from resp_sansio.testing.cluster_world import ClusterFaults

if TYPE_CHECKING:
    from resp_sansio.testing import ClusterFault
    from simulation.cluster.promises import TownChecks
    from simulation.cluster.script import ClusterScript
    from simulation.script import Act

__all__ = ["LONG", "SEEN", "TownTrouble"]

LONG: Final = 30.0  # seconds in which a cluster is well again
SEEN: Final = 12  # callers, one a second, who let the client see how its cluster is now


class TownTrouble(ClusterFaults):
    """A world that has a cluster: `built` says when."""

    script: ClusterScript
    checks: TownChecks

    def built(self) -> None:
        """The cluster is there from now on."""
        script = self.script
        self.found(masters=script.masters, replicas=script.replicas, kind=script.server, password=script.password)
        self.cluster.takes = self.checks.takes
        self._listen()

    def _listen(self) -> None:
        for member in self.cluster.members:
            member.arrived = self.arrives
            member.changed = partial(self.checks.changes, member)

    def arrives(self, session: Any, words: Any) -> None:
        """A command has come to a server."""
        self.checks.arrives(session, words)

    def happens_to_town(self, act: Act) -> None:
        """This fault happens."""
        self.tell("fault {}: {} for {} s", act.number, act.kind, act.seconds)
        self.happens_to_cluster(cast("ClusterFault", act.kind), act.seconds, act.chance)
        self._listen()

"""A world that has a cluster: what goes wrong with it, and what must hold for any client of it."""

from __future__ import annotations

from functools import partial
from math import inf
from typing import Any, ClassVar, Final, Literal, TypeAlias, cast, get_args

from resp_sansio import Outcome, ReplyError

from . import checks
from .checks import Told
from .cluster import SimulatedCluster
from .members import PARTS, Member, Place
from .network import Socket
from .server import Server
from .world import Fault, Phase, World

__all__ = ["CLUSTER_FAULTS", "ClusterChecks", "ClusterFault", "ClusterFaults", "ClusterWorld"]

ClusterFault: TypeAlias = Literal[
    "move", "die", "freeze", "fail_over", "quarrel", "behind", "empty", "partial", "load", "join", "leave"
]
"""What may happen to a cluster."""

CLUSTER_FAULTS: Final[tuple[ClusterFault, ...]] = get_args(ClusterFault)
"""All of that, to draw from."""

ERRORS: Final = frozenset({"LOADING", "EXECABORT", "UNBLOCKED", "MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN"})
ONCE: Final = frozenset({"INCRBY", "RPUSH", "MSET"})


class ClusterChecks(checks.Checks):
    """The promises, for one history of a cluster's client: of any of its servers, what `Checks` asks of one."""

    errors: ClassVar[frozenset[str]] = ERRORS
    world: ClusterFaults

    def popped(self, who: object, reply: Any, number: int) -> None:
        """What BLPOP got is what a server took out for it."""
        if isinstance(reply, list):
            cluster = self.world.cluster
            taken = [one.get(reply[1], (b"", 0.0))[0] for one in (cluster.taken, cluster.lost_taken)]
            assert b"b%d" % number in taken, f"{who} got {reply[1]!r}, which was taken out for {taken!r}"
        else:
            self.own(who, reply, None)

    def punctual(self, who: object, since: float) -> None:
        """A caller that comes while all is well with the cluster does not wait for long."""
        cluster = self.world.cluster
        super().punctual(who, max(since, *[cluster.well_since(part) for part in range(PARTS)], *cluster.stuck.values()))

    def agree(self) -> None:
        """At the end: what each caller was told agrees with what the servers did."""
        for number, told in self.told.items():
            self._agrees(number, told)
        for element, (whose, when) in self.world.cluster.taken.items():
            told_of_it = self.told.get(int(whose[1:]))
            if told_of_it is not None:
                self._took(element, when, told_of_it)

    def _agrees(self, number: int, told: Told) -> None:
        cluster, name, outcome, reply, who = self.world.cluster, told.name, told.outcome, told.reply, told.who
        if name == "GET":
            keys = [b"e%d" % number, b"large:%d" % number]
            times = sum([ran[key] for ran in (cluster.ran, cluster.lost) for key in keys])
            assert outcome is not Outcome.NOT_SENT or times == 0, f"GET {number} was NOT_SENT, and ran"
            return
        if name not in ONCE:
            return
        key = (b"m%d" if name == "MSET" else checks.RAN[name]) % number
        ran, lost = cluster.ran[key], cluster.lost[key]
        self.answers["unknown" if outcome is None else outcome.name] += 1
        assert ran + lost <= 1, f"{name} {number} of {who} ran {ran + lost} times"
        if outcome is Outcome.REPLY:
            right = 0 if isinstance(reply, ReplyError) or reply is None else 1
            assert ran + lost == right, f"{name} {number} of {who} was answered {reply!r}, and ran {ran + lost} times"
        elif outcome is Outcome.NOT_SENT:
            assert ran + lost == 0, f"{name} {number} of {who} was NOT_SENT, and ran"


class ClusterFaults(World):
    """What a world has and does that has a cluster. `found` builds it."""

    cluster: SimulatedCluster
    nowhere: Server  # which refuses to be dialled
    replicas: int

    def found(self, *, masters: int = 3, replicas: int = 1, kind: str = "new", password: bool = False) -> None:
        """The cluster is there from now on, and each of its masters has so many replicas."""
        self.replicas = replicas
        self.cluster = SimulatedCluster(
            self.clock, self.random, kind=kind, password=password, masters=masters, replicas=replicas
        )
        self.cluster.tell = self.tell
        self.nowhere = Server(self.clock)
        self.nowhere.wrong["away"] += 1

    def server_at(self, place: Place) -> Server:
        """Return the server that is dialled there."""
        return self.cluster.at(place) or self.nowhere

    # -- what happens ------------------------------------------------------------------------------------------------------------

    def happens_to_cluster(self, what: ClusterFault, seconds: float, chance: float) -> None:
        """This happens now, for so long; `chance`, from 0.0 to 1.0, says to which server, or slots."""
        self.paused = True
        getattr(self, f"_cluster_{what}")(seconds, chance)

    def _master(self, chance: float) -> Member:
        shards = self.cluster.shards
        return shards[int(chance * len(shards))].master

    def _member(self, chance: float) -> Member:
        members = self.cluster.members
        return members[int(chance * len(members))]

    def _cluster_move(self, seconds: float, chance: float) -> None:
        """Some slots go to another shard, key by key."""
        shards = self.cluster.shards
        to = shards[int(chance * 97) % len(shards)]
        self.cluster.move(int(chance * PARTS), to, seconds, source_first=chance * 10 % 1 < 0.2)

    def _cluster_die(self, seconds: float, chance: float) -> None:
        self.cluster.stop(self._master(chance), self.sockets, frozen=False, seconds=seconds)

    def _cluster_freeze(self, seconds: float, chance: float) -> None:
        self.cluster.stop(self._master(chance), self.sockets, frozen=True, seconds=3.0 * seconds)

    def _cluster_fail_over(self, seconds: float, chance: float) -> None:
        self.cluster.fail_over(self._master(chance), seconds * 0.2)

    def _cluster_quarrel(self, seconds: float, chance: float) -> None:
        self.cluster.quarrel(int(chance * PARTS), seconds)

    def _cluster_behind(self, seconds: float, chance: float) -> None:
        self.cluster.phase(self._member(chance), "behind", seconds)

    def _cluster_empty(self, seconds: float, chance: float) -> None:
        self.cluster.phase(self._member(chance), "empty", seconds)

    def _cluster_partial(self, seconds: float, chance: float) -> None:
        self.cluster.phase(self._member(chance), "partial", seconds)

    def _cluster_load(self, seconds: float, chance: float) -> None:
        self.cluster.phase(self._member(chance), "loading", seconds)

    def _cluster_join(self, seconds: float, chance: float) -> None:
        """A new shard comes, and gets some slots."""
        shard = self.cluster.found(self.replicas)
        self.cluster.spread(shard.master)
        for member in (shard.master, *shard.replicas):
            member.hear()
        self.cluster.move(int(chance * PARTS), shard, seconds, source_first=False)

    def _cluster_leave(self, seconds: float, chance: float) -> None:
        """A shard gives all of its slots to others, and goes."""
        cluster = self.cluster
        shard = self._master(chance).shard
        others = [other for other in cluster.shards if other is not shard]
        if len(others) < 2 or shard.number == 0:  # by that one the cluster is found
            return
        for part in cluster.parts_of(shard):
            cluster.move(part, others[part % len(others)], seconds * 0.5, source_first=False)
        stays = chance * 10 % 1 < 0.5
        self.clock.after(seconds * 0.5 + 0.5, partial(cluster.remove, shard, self.sockets, stays=stays))


class _Routed(Socket):
    """A socket that leads where it is told to connect."""

    world: ClusterWorld

    def connect_ex(self, address: Any = None) -> int:
        self.server = self.world.server_at((address[0], int(address[1])))
        self.session = self.server.session(self._say, self.hang_up)
        return super().connect_ex(address)


class ClusterWorld(ClusterFaults):
    """Time, a cluster and network for one history: as `World`, where sockets lead to the servers whose addresses they are given.

    Its first servers are at `seeds`. Of what may go wrong with one server, only what befalls connections does here; what
    may with a cluster, `CLUSTER_FAULTS` has.
    """

    def __init__(
        self,
        seed: int,
        *,
        masters: int = 3,
        replicas: int = 1,
        server: str = "new",
        password: bool = False,
        noise: float = 0.0,
        trace: list[str] | None = None,
    ) -> None:
        super().__init__(seed, noise=noise, trace=trace)
        self.found(masters=masters, replicas=replicas, kind=server, password=password)
        self.server: Server = self.nowhere
        self.checks: ClusterChecks = ClusterChecks(self)

    @property
    def seeds(self) -> list[Place]:
        """Where the first masters are: by these a client finds the others. The very first never leaves the cluster."""
        return [shard.master.place for shard in self.cluster.shards]

    def socket(self) -> Socket:
        """Return a socket that is not connected yet."""
        made = _Routed(self.nowhere, self.random, self.noise, len(self.sockets))
        made.world = self
        self.sockets.append(made)
        return made

    def go_wrong(self, what: ClusterFault | Phase | Fault, seconds: float = 0.0, chance: float = 0.0) -> None:
        """This happens now, for so long; `chance`, from 0.0 to 1.0, says to which connection, server or slots."""
        if what in CLUSTER_FAULTS:
            self.tell("fault: {} for {} s", what, seconds)
            self.happens_to_cluster(what, seconds, chance)
        else:
            super().go_wrong(cast("Phase | Fault", what), seconds, chance)

    def rest(self, until: float = inf) -> None:
        """Go on until all is well with the cluster, and all servers have heard so."""
        while not self.cluster.is_well and self.clock.now < until:
            self.step(self.clock.now + 0.1)

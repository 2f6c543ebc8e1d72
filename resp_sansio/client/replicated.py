"""The machine of a client behind sentinels that reads from replicas.

It is the machine of several servers, that of a cluster, with another map. The map has one shard with all hash slots, and a
sentinel tells it, in answer to SENTINEL REPLICAS. So all that is known of reads at replicas stands in one place: which calls are
reads, which replica has its turn, when the master answers instead, where a call goes on whose server is gone. What only a cluster
has is left out: no keys are apart here, no server sends a call elsewhere, and no replica is told READONLY.

The master is no place of that map, but a name. It has one machine, whichever server it is, and each dial of that machine is a
search, as of any client behind sentinels. So what holds for such a client holds here for all that is no read, by the same code: a
sentinel is asked before each dial, the server has to say that it is a master, the higher epoch is right. A map with the master's
address in it would have been a second rule for that, and one that is behind more often.

Two lanes in one client, for the master and for a replica, would need no map. But a lane leads to one server, and replicas come
and go: what is known of several servers would have had to be written once more, for lanes.

Replicas have a machine each. A dial to one succeeds if the server says that it is a replica, and that its link to its master is
up; else reads go elsewhere until a sentinel tells of it anew. Which replicas there are is asked when it is needed first, when a
sentinel tells of a replica or of a fail-over, when a server can't be reached or is silent, at intervals, and as long as a replica
is on its way.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from typing import Any, ClassVar, Final

from .._errors import ConnectError
from ..commands.command import Command
from ..commands.knowledge import CommandInfo
from ..config.config import Config
from ..config.url import address_of
from ..connection.events import Opened
from ..connection.slot import Batch, Payload, Slot
from ..wire.values import Push, Reply
from .client import Client
from .cluster import ClusterBase
from .cluster_map import Redirect, Server, Shard, View
from .cluster_servers import PROBE_TIME
from .hash_slots import SLOTS
from .leases import Dial as PlaceDial
from .links import Dial, Lane, Link, ServerFacts
from .news import CHANNELS, place_of
from .node import NodeBase
from .routing import names_key
from .sentinel import REPLICAS_CHANGED, Directory, Place, Way, is_lower, read_epoch, read_pair, read_replicas
from .sentinel import tells_of_replicas as tells_of

__all__ = ["MasterBase", "ReplicaBase", "Replicated", "ReplicatedBase"]

SUBSCRIBE: Final = Command("SUBSCRIBE", *CHANNELS, *REPLICAS_CHANGED)


class MemberBase(NodeBase):
    """The machine of a server behind sentinels."""

    def _searches(self, cause: Exception) -> bool:
        return isinstance(cause, ConnectError)  # as of one server: an error reply uses up an attempt

    def _open_news(self, now: float) -> None:
        self.cluster._open_news(now)

    def _tls_failed(self, link: Link, dial: Dial) -> ConnectError:
        return Client._tls_failed(self, link, dial)  # no cluster has named its port


class ReplicaBase(MemberBase):
    """The machine of a replica."""

    def _way(self) -> Way:
        return super()._way()._replace(reads_replica=False, needs_replica=True)


class MasterBase(MemberBase):
    """The machine of the master, whichever server that is."""

    def _config_of_server(self) -> Config:
        config: Config = self.cluster.config
        return config

    def _new_directory(self) -> Directory:
        directory: Directory = self.cluster.directory
        return directory

    def _mend_news(self, told: Collection[Dial], now: float) -> None:
        """The news are the client's."""

    def _leave_replica(self, link: Link, now: float) -> None:
        Client._leave_replica(self, link, now)  # the next dial searches
        super()._leave_replica(link, now)

    def _master_moved(self, dial: Dial, now: float) -> None:
        self.cluster.retire(now, keep=dial)

    def _master_found(self, now: float) -> None:
        self.cluster._master_found(now)


class ReplicatedBase(ClusterBase):
    """What makes a client's machine that of a master and its replicas, of which sentinels tell."""

    _master_type: ClassVar[type[NodeBase]]
    whole: ClassVar[str] = "client"
    anywhere: ClassVar[int | None] = 0  # the master's
    _master: Place  # by what the master is known here: its name, at no port
    _named: Place | None  # the master, as the sentinel has said that has told of the replicas
    _coming: bool  # is there a replica that can be reached, and is not to be read from yet?
    _surveys: dict[Dial, float]  # the dials to sentinels that are asked for replicas, and since when

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._master = self._told_by.name, 0
        self._named = None
        self._coming = False
        self._surveys = {}

    @property
    def _told_by(self) -> Directory:
        assert self.directory is not None
        return self.directory

    # -- its servers ---------------------------------------------------------------------------------------------------------

    @property
    def master_at(self) -> Place | None:
        """Where the master is, as far as that is known."""
        return self._told_by.master or self._named

    @property
    def places(self) -> list[Place]:
        """As of a cluster."""
        if not self.map.masters:
            return []
        master = self.master_at
        replicas = [server.place for server in self.map.servers if server.place not in (self._master, master)]
        return replicas if master is None else [master, *replicas]

    @property
    def nodes(self) -> list[NodeBase]:
        """As of a cluster, the master last: in the counts it stands for its address, where a replica was before."""
        return sorted(super().nodes, key=lambda node: node.place == self._master)

    def server_at(self, place: Place) -> ServerFacts:
        """As of a cluster."""
        is_master = place == self.master_at
        return ServerFacts("", replica=not is_master, slots=(range(SLOTS),) if is_master else ())

    def _new_node(self, place: Place) -> NodeBase:
        return self._master_type(self, place) if place == self._master else super()._new_node(place)

    def _owner(self, number: int) -> NodeBase:  # noqa: ARG002  # all are the master's
        return self.node_at(self._master)

    def _any_node(self) -> NodeBase:
        return self.node_at(self._master)

    def _reader(self, number: int) -> NodeBase | None:
        return super()._reader(number) if self.map.masters else None  # it is not known yet which replicas there are

    def node_for(self, at: int | Place | None) -> NodeBase:
        """As of a cluster, and what may go anywhere goes to the master."""
        if at is None or isinstance(at, int) or at == self.master_at:
            return self.node_at(self._master)
        return self.node_at(at)

    def _is_gone(self, place: Place) -> bool:
        return place == self.master_at or super()._is_gone(place)

    def knows(self, node: NodeBase) -> bool:
        """As of a cluster."""
        return node.place == self._master or super().knows(node)

    def _master_found(self, now: float) -> None:
        """What waits for the master and was meant for another server goes on at that one."""
        node, at = self.node_at(self._master), self.master_at
        assert at is not None
        node.address = address_of(at)
        for entry in node.waiting(pausing=False):
            if self.is_for_it_alone(entry) and not self.belongs(entry, node):
                node.let_go(entry, now)
                self.place_anew(entry, None, now)

    # -- calls: all slots are one server's -----------------------------------------------------------------------------------

    @staticmethod
    def _slot_of(payload: Payload, info: CommandInfo) -> int | None:
        return 0 if names_key(payload, info) else None

    @staticmethod
    def _number_of(slot: Slot) -> int | None:
        pairs = zip(slot.payloads, slot.infos, strict=True) if isinstance(slot, Batch) else ((slot.payload, slot.info),)
        return 0 if any(names_key(*pair) for pair in pairs) else None

    @staticmethod
    def _goes_everywhere(slot: Slot) -> bool:  # noqa: ARG004  # nor is any refused
        return False

    @staticmethod
    def _check_pipeline(slot: Batch) -> None:
        """Any command may be part of a pipeline."""

    def _read(self, node: NodeBase, error: Any) -> Redirect | None:  # noqa: ARG002  # no server sends a call elsewhere
        return None

    def idle_link(self, caller: Hashable = None, slot: Slot | None = None) -> Link | None:
        """As of a client; of a read it is not known yet where that goes."""
        return None if slot is None or self.closed is not None else self._any_node().idle_link(caller)

    def _new_dial(self, lane: Lane | None, place: PlaceDial[Link] | None, now: float) -> Dial:
        return Client._new_dial(self, lane, place, now)  # it searches for the master

    # -- the map: which replicas there are -----------------------------------------------------------------------------------

    @property
    def _know_the_map(self) -> Iterable[Place]:
        return self._told_by.sentinels

    @property
    def _asked_for_map(self) -> Collection[Place]:
        return [place_of(dial) for dial in self._surveys]

    @property
    def _seeds(self) -> Sequence[Place]:
        return ()

    @property
    def _is_settled(self) -> bool:
        return super()._is_settled and not self._coming

    def _probe(self, places: Iterable[Place], now: float) -> None:
        for place in places:
            time = min(self._dial_time, PROBE_TIME) if self.map.masters else self._dial_time
            way = self._told_by.way_to_sentinel(place)._replace(lists_replicas=True)
            dial = Dial(None, None, now, now + time, self._generation, way, home=self)
            self._surveys[dial] = now
            self._round = self._round[0], self._round[1] + 1
            self._events.append(dial)

    def _is_wanted(self, dial: Dial) -> bool:
        return dial in self._surveys if dial.way.lists_replicas else super()._is_wanted(dial)

    def _news_opened(self, link: Link, event: Opened, now: float) -> None:
        dial = link.dial
        assert dial is not None
        if dial.way.lists_replicas:
            self._survey_ended(self._open_no_more(link), self._view_of(dial, event.answers, now), now)
        else:
            super()._news_opened(link, event, now)

    def _dial_over(self, dial: Dial, error: Exception | None, now: float) -> None:
        if dial.way.lists_replicas:
            given_up = ConnectError(f"the dial to {dial.way.addresses.peer} was given up", transient=True)
            self._survey_ended(dial, error or given_up, now)
        else:
            super()._dial_over(dial, error, now)

    def _survey_ended(self, dial: Dial, said: View | Exception, now: float) -> None:
        asked_at = self._surveys.pop(dial, None)
        if asked_at is not None:  # else another has answered first
            view = said if isinstance(said, View) else None
            failure = said if isinstance(said, Exception) else ConnectError("it was not believed", transient=True)
            self._map_came(place_of(dial), view, asked_at, failure, now)

    def _view_of(self, dial: Dial, answers: Sequence[Reply], now: float) -> View | Exception:
        """Read what a sentinel has told. Where the master is, is what one has said that is heard: see `News`."""
        peer, directory, sentinel = dial.way.addresses.peer, self._told_by, place_of(dial)
        epoch, master, _, replicas = answers
        found = read_replicas(replicas)
        if master is None:
            return ConnectError(f"{peer} knows no master {directory.name!r}", transient=False)
        named = read_pair(master)
        if named is None or found is None:
            return ConnectError(f"{peer} does not tell which replicas {directory.name!r} has", transient=False)
        if directory.answered(sentinel, answers):
            self.retire(now)
        if is_lower(read_epoch(epoch), directory.epoch):
            return ConnectError(f"{peer} is behind: it names {address_of(named)}", transient=True)
        places, self._coming = found
        self._named = named
        known = tuple([Server(place, "", frozenset()) for place in dict.fromkeys(places) if place != named])
        shard = Shard(Server(self._master, "", frozenset()), known)
        return View(((0, SLOTS - 1, shard),), SLOTS, sentinel)

    def _end_probes(self, now: float) -> None:
        self._surveys.clear()
        for link in [*self._links]:
            if link.dial is not None and link.dial.way.lists_replicas:
                link.left = True
                self.abort(link, self.closed, now)

    # -- news ----------------------------------------------------------------------------------------------------------------

    @property
    def _leads_to_a_server(self) -> bool:
        return any([link.dial is None and link.news_from is None for link in self.links])

    @property
    def _channels(self) -> Command[Any]:
        return SUBSCRIBE

    def _heard(self, link: Link, push: Push, now: float) -> None:
        directory = self._told_by
        before = directory.switches
        super()._heard(link, push, now)
        if directory.switches != before or tells_of(push, directory.name):
            self.want_map(now)

    def _mend_news(self, told: Collection[Dial], now: float) -> None:
        super()._mend_news(told, now)
        self._surveys = {dial: asked_at for dial, asked_at in self._surveys.items() if dial in told}


class Master(MasterBase):
    """The machine of the master."""


class Replica(ReplicaBase):
    """The machine of a replica."""


class Replicated(ReplicatedBase):
    """The machine of a client that reads from replicas behind sentinels."""

    _node_type: ClassVar[type[NodeBase]] = Replica
    _master_type: ClassVar[type[NodeBase]] = Master

"""The servers of a cluster, each with its machine, and the map that says which of them has which hash slot.

The map is asked for when it is needed first, and again as soon as something says that it is not right any more. What is learnt in
between (MOVED) counts at once, for that slot. It is asked for by the links that calls go by. A new map moves the calls that wait
for a server which is not theirs any more; and servers that are gone are left, once the calls there are answered.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from typing import Any, ClassVar, Final, cast

from .._errors import ConnectError, ReplyError, RespError, in_one_line
from ..commands.knowledge import prepare
from ..config.config import Config
from ..config.settings import ClientSettings, PoolSettings
from ..config.url import address_of
from ..connection.slot import Batch, Slot, SlotState
from ..connection.stateful import new_batch
from .cache import ReadCache
from .client import Client
from .cluster_map import ClusterMap, NotMappedError, Server, View, read_view
from .hash_slots import SLOTS
from .links import Call, Waiter
from .node import NodeBase, Probe
from .observers import Observers
from .pace import Pace
from .refresher import Refresher
from .retry import Attempts
from .sentinel import Place
from .submitting import ClientEvent
from .timers import Soonest

__all__ = ["NOT_NOW", "ClusterServers"]

ASK_FOR_MAP: Final = prepare(("CLUSTER", "SLOTS"))
PING: Final = prepare(("PING",))
PROBE_TIME: Final = 1.0
"""Seconds that a server has which is asked for the map. One by which the cluster is to be found has those of a dial."""

NOT_NOW: Final = frozenset({"TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN"})
"""Codes of errors that say nothing was executed, and may be later."""


class ClusterServers(Client):
    """What a cluster's machine knows of its servers. (With slots it could not be observed as well.)"""

    _node_type: ClassVar[type[NodeBase]]
    whole: ClassVar[str] = "cluster"  # what its servers are together, for messages
    # The hash slot to which a link leads that may lead anywhere; None: that is refused.
    anywhere: ClassVar[int | None] = None
    settings: ClientSettings | None
    leases: PoolSettings | None
    spreads: bool  # may replicas be read from?
    map: ClusterMap
    refresher: Refresher
    soonest: Soonest  # before which no server's machine is to be looked at
    _nodes: dict[Place, NodeBase]
    _homes: list[NodeBase | None]  # of the slots, as far as they were looked up
    _unplaced: dict[Slot | Waiter, Hashable]  # what waits for a map, and by which caller
    _probes: dict[Slot, NodeBase]
    _any: Place | None  # where calls go that may go anywhere
    _leaving: dict[NodeBase, None]
    _moving: dict[int, Server | None]  # the owners of slots that are being given away, as ASK has said
    _turn: int  # of the replicas
    _last: Exception | None  # why the last round came to nothing
    _round: tuple[float, int]  # when it began, and how many servers were asked in it
    moved: int  # answers that sent a command elsewhere, for good
    asked: int  # and for once
    refreshes: int  # maps that have come
    refresh_failures: int  # rounds that came to nothing

    def __init__(
        self,
        config: Config,
        settings: ClientSettings | None = None,
        pool: PoolSettings | None = None,
        *,
        random: Callable[[], float],
        observers: Observers | None = None,
        cache: ReadCache | None = None,
    ) -> None:
        more: Any = {} if observers is None else {"observers": observers}
        super().__init__(config, None, None, random=random, cache=cache, **more)
        self.settings = settings
        self.leases = pool
        self.spreads = config.read_from != "master"
        self._retry = settings.retry if settings is not None else (pool or PoolSettings()).retry
        self._pace = Pace(self._retry)
        self.map = ClusterMap()
        self.refresher = Refresher(config.refresh_interval)
        self.soonest = Soonest()
        self._nodes = {}
        self._homes = [None] * SLOTS
        self._unplaced = {}
        self._probes = {}
        self._any = None
        self._leaving = {}
        self._last = None
        self._moving = {}
        self._turn = 0
        self._round = 0.0, 0
        self.moved = self.asked = self.refreshes = self.refresh_failures = 0

    @property
    def random(self) -> Callable[[], float]:
        """The source of chance, for the machines of servers."""
        return self._random

    @property
    def shared_events(self) -> list[ClientEvent]:
        """The list on which all machines put their events."""
        return self._events

    @property
    @abstractmethod
    def places(self) -> list[Place]:
        """Where all its servers are, masters first; empty as long as no map has come."""

    @property
    def nodes(self) -> list[NodeBase]:
        """The machines of all servers that calls went to, or are to go to."""
        return [*self._nodes.values()]

    @property
    def _machines(self) -> list[NodeBase]:
        return [*self._nodes.values(), *self._leaving]

    # -- the servers ---------------------------------------------------------------------------------------------------------

    def node_at(self, place: Place) -> NodeBase:
        """Return the machine of the server at this place, a new one if there is none."""
        node = self._nodes.get(place)
        if node is None:
            self._nodes[place] = node = self._new_node(place)
            node.closed = self.closed  # nothing is dialled any more
        return node

    def _new_node(self, place: Place) -> NodeBase:
        return self._node_type(self, place)

    def _owner(self, number: int) -> NodeBase | None:
        """Return the machine of the server of this slot, None if the map does not say."""
        node = self._homes[number]
        if node is None and (server := self.map.owner(number)) is not None:
            self._homes[number] = node = self.node_at(server.place)
        return node

    def _reader(self, number: int) -> NodeBase | None:
        """Return the machine of a server that may be read from: replicas in turn, the master where there is none that can."""
        owner = self._owner(number)
        shard = None if owner is None else self.map.shard_of(owner.place)
        if owner is None or shard is None or owner.place != shard.master.place or number in self._moving:
            return owner
        readers = [self.node_at(server.place) for server in shard.replicas]
        if self.config.read_from == "any":
            readers.append(owner)
        well = [node for node in readers if not (node.suspect or node.rests)]
        self._turn += 1
        return well[self._turn % len(well)] if well else owner

    def forget_read(self) -> None:
        """Slots have another owner now: the server that was asked before need not tell of changes to what is in them."""
        if self.cache is not None:
            self.cache.clear()

    def is_replica(self, node: NodeBase) -> bool:
        """Is this server a replica, by the last view?"""
        shard = self.map.shard_of(node.place)
        return shard is not None and shard.master.place != node.place

    def _any_node(self) -> NodeBase | None:
        """Return a machine for what may go to any master: the same one, as long as that can be reached."""
        node = None if self._any is None else self._nodes.get(self._any)
        if node is None or node.suspect:
            masters = [server.place for server in self.map.masters]
            well = [place for place in masters if place not in self._nodes or not self._nodes[place].suspect]
            self._any = self._pick(well or masters)
            node = None if self._any is None else self.node_at(self._any)
        return node

    def _pick(self, places: Sequence[Place]) -> Place | None:
        return places[int(self._random() * len(places))] if places else None

    @abstractmethod
    def place_anew(self, entry: Slot | Waiter, caller: Hashable, now: float) -> None:
        """Begin with a call, or with a caller that wants a link, where the map says."""

    @abstractmethod
    def place_waiter(self, waiter: Waiter, now: float) -> None:
        """Begin with a caller that wants a link."""

    def node_for(self, at: int | Place | None) -> NodeBase | None:
        """Return the machine for this hash slot, or at this place; None if the map does not say."""
        return self._owner(at) if isinstance(at, int) else None if at is None else self.node_at(at)

    @abstractmethod
    def belongs(self, entry: Slot | Waiter, node: NodeBase) -> bool:
        """Is this the server of what waits there, as far as the map says?"""

    @abstractmethod
    def is_for_it_alone(self, entry: Slot | Waiter) -> bool:
        """Is what waits at a server meant for this one, so that it goes to no other?"""

    def knows(self, node: NodeBase) -> bool:
        """Is this server one of the cluster's, by the last view or by what MOVED has said since?"""
        return self.map.find(node.place) is not None or self.map.sizes[node.place] > 0

    # -- the map -------------------------------------------------------------------------------------------------------------

    def want_map(self, now: float, *, at_once: bool = False) -> None:
        """The map may not be what it was. `at_once`: there is none yet, so the one that is asked for already will do."""
        if self.closed is None and not (at_once and self.refresher.asking):
            self.refresher.wanted(now, 0.0 if at_once else self._random())
            if at_once:
                self._ask_for_map(now)

    def _ask_for_map(self, now: float) -> None:
        """Ask for the map if it is time to; or ask others as well, beside those that are silent."""
        refresher = self.refresher
        if self.closed is not None or refresher.next_deadline() > now:
            return
        if not refresher.asking:
            self._round = now, 0
        begun = refresher.begin(now, self._know_the_map, self._seeds, self._random)
        self._probe(begun or refresher.more(now), now)

    @property
    def _know_the_map(self) -> Iterable[Place]:
        """Whom to ask for the map."""
        known = [server.place for server in self.map.servers]
        return [place for place in known if place not in self._nodes or not self._nodes[place].suspect]

    @property
    def _asked_for_map(self) -> Collection[Place]:
        """Who is asked for it now."""
        return [node.place for node in self._probes.values()]

    @property
    def _seeds(self) -> Sequence[Place]:
        return cast("Sequence[Place]", self.config.cluster)

    def _probe(self, places: Iterable[Place], now: float) -> None:
        for place in places:
            node = self.node_at(place)
            time = self._dial_time if self.map.find(place) is None else PROBE_TIME
            slot = new_batch([ASK_FOR_MAP[0]], [ASK_FOR_MAP[1]], Probe(now), now + time)
            slot.call = Call()
            slot.call.fixed = True
            self._probes[slot] = node
            self._round = self._round[0], self._round[1] + 1
            node.begin(slot, now)

    def probe_ended(self, node: NodeBase, slot: Slot, now: float) -> None:
        """A server has answered the question for the map, or has not."""
        if slot.link is not None:
            slot.link.awaited = False
        if self._probes.pop(slot, None) is None:
            return
        reply = cast("Batch", slot).replies[0] if slot.state is SlotState.ANSWERED else None
        failure = not_told(node, slot, reply)
        try:
            view = read_view(reply, node.place, self.config.address_map)
        except NotMappedError as error:
            view, failure = None, ConnectError(str(error), transient=False)
            failure.__cause__ = error.__cause__
        self._map_came(node.place, view, cast("Probe", slot.token).asked_at, failure, now)

    def _map_came(self, by: Place, view: View | None, asked_at: float, failure: Exception, now: float) -> None:
        """This one has told the map, or has failed to."""
        before = self.map.version
        if view is not None:
            self.map.install(view, asked_at)
        if view is None or self.map.in_doubt:
            self._last = self._pace.last_error = failure
            self._probe(self.refresher.failed(by, now), now)
            if not self.refresher.asking:
                self.refresh_failures += 1
                self._round_ended(None, now)
                self._not_found(now)
        else:
            changed = self.map.version != before
            self._pace.last_error = None
            self.refreshes += 1
            self._round_ended(by, now, changed=changed)
            self._end_probes(now)
            self._installed(now, changed=changed)

    @property
    def _is_away(self) -> bool:
        return bool(self._probes)  # what waits here waits for the map

    def _searches(self, cause: Exception) -> bool:
        return isinstance(cause, (ConnectError, ReplyError))  # the map may be another one then

    def _round_ended(self, by: Place | None, now: float, *, changed: bool = False) -> None:
        """The map has come, from this server; None: from none. For a client that keeps account of it."""

    def _installed(self, now: float, *, changed: bool) -> None:
        """There is a map that is believed."""
        self._moving = {slot: owner for slot, owner in self._moving.items() if self.map.owner(slot) == owner}
        for node in self.nodes:
            node.rests = False
            if node.suspect and self.spreads and self.is_replica(node):
                self._try_anew(node, now)
        if changed:
            self.forget_read()
            self._homes = [None] * SLOTS
            if self._any is not None and self.map.find(self._any) is None:
                self._any = None
        self._move_waiting(now)
        self._place_unplaced(now)
        self._end_lost(now)
        self._leave_gone(now)
        servers = len(self.map.servers)
        self.refresher.answered(now, self._random(), changed=changed, settled=self._is_settled, nodes=servers)

    def _try_anew(self, node: NodeBase, now: float) -> None:
        """See whether a replica can be reached again that could not: for no caller, who would wait for as long as that takes."""
        if not node.waiting(pausing=False):
            slot = new_batch([PING[0]], [PING[1]], Probe(now), now + self._dial_time)
            slot.call = Call()
            slot.call.fixed = True
            node.begin(slot, now)

    @property
    def _is_settled(self) -> bool:
        """Is no reason left to ask for the map again?"""
        return not self._unplaced and not any([node.suspect for node in self._masters()])

    def _masters(self) -> list[NodeBase]:
        return [node for server in self.map.masters if (node := self._nodes.get(server.place)) is not None]

    def _move_waiting(self, now: float) -> None:
        """What waits for a link to a server that it does not belong to any more goes where it does."""
        for node in self.nodes:
            for entry in node.waiting(pausing=self._is_gone(node.place)):
                if not self.belongs(entry, node):
                    node.let_go(entry, now)
                    self.place_anew(entry, None, now)

    def _place_unplaced(self, now: float) -> None:
        """There is a new map: calls have waited for it."""
        unplaced, self._unplaced = self._unplaced, {}
        for entry, caller in unplaced.items():
            self._timers.cancel(timed(entry).timer)
            self.place_anew(entry, caller, now)

    def _end_lost(self, now: float) -> None:
        """What is meant for a server that can't be reached, and that has left the cluster, would wait in vain."""
        for node in self.nodes:
            if node.suspect and self.map.lacks(node.place):
                has = ", ".join(map(address_of, self.places))
                why = f"{node.address} can't be reached, and is none of the {self.whole}'s any more; it has {has}"
                for entry in [entry for entry in node.waiting(pausing=True) if self.is_for_it_alone(entry)]:
                    node.let_go(entry, now)
                    node.end(entry, ConnectError(why, transient=False), now)

    def _is_gone(self, place: Place) -> bool:
        """Is it none of the cluster's any more, or another name of a server by which the cluster was found?"""
        is_seed = place in self._seeds and self.map.find(place) is None
        return is_seed or place in self.map.gone or self.map.lacks(place)  # which a caller has named

    def _leave_gone(self, now: float) -> None:
        """Servers that are none of the cluster's any more are left: when the calls there are answered."""
        for place, node in [*self._nodes.items()]:
            if self._is_gone(place) and not node.waiting(pausing=True):
                del self._nodes[place]
                self._leaving[node] = None
                node.drain(now)

    def _not_found(self, now: float) -> None:
        """No server has told the map: what waits for it waits on, as long as that may help."""
        error = self._last
        assert error is not None
        for entry in [*self._unplaced]:
            call = timed(entry)
            if call.attempts is None:
                call.attempts = Attempts(self._retry)
            left, counts = entry.deadline - now, self._counts(error, entry.deadline)
            again = isinstance(error, RespError) and (  # a provider of credentials may raise anything
                call.attempts.after(error, self._random(), left=left, counts=counts) is not None
            )
            if not again:
                del self._unplaced[entry]
                self._tell(entry, error, now)

    def _end_probes(self, now: float) -> None:
        for slot, node in [*self._probes.items()]:
            del self._probes[slot]
            if slot.link is not None:
                slot.link.awaited = False
            node.abandon(slot, now)

    def node_stays(self, node: NodeBase) -> None:
        """A call pauses at this server that has left: its time is still to come."""
        self._leaving[node] = None

    def node_drained(self, node: NodeBase) -> None:
        """Nothing is left of this server's machine."""
        self._leaving.pop(node, None)
        self._end_drain()


def timed(entry: Slot | Waiter) -> Call | Waiter:
    """Return what has the timer, and the attempts, of what waits."""
    if isinstance(entry, Waiter):
        return entry
    call: Call = entry.call
    return call


def not_told(node: NodeBase, slot: Slot, reply: object) -> Exception:
    """Return why a server has not told the map."""
    where = f"{node.config.address} did not tell the map of the cluster"
    if slot.cause is not None:
        return slot.cause
    if isinstance(reply, ReplyError):
        return ConnectError(f"{where}: {in_one_line(str(reply))}", transient=reply.code in NOT_NOW)
    why = "it knows of no server that has hash slots" if reply == [] else "its answer makes no sense"
    return ConnectError(f"{where}: {why}", transient=True)

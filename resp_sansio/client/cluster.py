"""The machine of a client of a cluster.

It has no links for calls. It has a `Node` for each server, which is the whole machine of a client, and to which it hands each
call. For an adapter it is a `Client`: what it does to a link, it does to the machine of that link's server, `link.home`. Its own
link is that of subscriptions, which may lead to any server.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from math import inf
from typing import ClassVar, cast

from .._errors import ConnectionClosedError, ConnectionLostError, LocalProtocolError, ReplyError, RespError
from .._stats import ClientStats, lane_of_all, sum_of
from ..config.options import read_place, shown
from ..config.url import address_of
from ..connection.slot import Slot, SlotState
from .client import Client
from .cluster_redirects import AT_ONCE
from .cluster_servers import timed
from .cluster_subscriptions import ClusterSubscriptions
from .hash_slots import SLOTS
from .leases import Lease
from .links import Dial, Lane, Link, ServerFacts, Share, Waiter
from .node import Node, NodeBase, Probe
from .pushes import Listener
from .sentinel import Place
from .splits import Part, Split, under_way
from .tls import TLSWire
from .watching import LATER, tried_anew

__all__ = ["Cluster"]


class ClusterBase(ClusterSubscriptions):
    """What makes a client's machine that of a cluster."""

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"{len(self._nodes)} servers, {len(self._unplaced)} calls wait for a map"
        return f"<{type(self).__name__} {self.config.address}: {state}>"

    def way_of(self, slot: Slot, now: float) -> tuple[None, Lane | None]:  # noqa: ARG002  # no link is lent to a call
        return None, self.lane_of(slot)

    @property
    def kind(self) -> str:
        return "pool" if self.settings is None else "client"

    @property
    def lends(self) -> bool:
        return self.leases is not None

    @property
    def several_lanes(self) -> bool:
        return self.settings is not None and self.settings.lanes > 1

    @property
    def links(self) -> list[Link]:
        return [*self._links, *[link for node in self._machines for link in node.links]]

    @property
    def lane_links(self) -> list[Link]:
        return [link for node in self._machines for link in node.lane_links]

    def stats(self) -> ClientStats:
        nodes = [(node.address, node.node_stats()) for node in [*self._leaving, *self.nodes]]
        lanes = [lane for _, node in nodes for lane in node.lanes]
        leases = None if self.leases is None else sum_of([node.leases for _, node in nodes], self.retries)
        own = [] if self._subscriptions is None else [self._subscriptions.stats()]
        shards = [node.subscriptions for _, node in nodes if node.subscriptions is not None]
        return ClientStats(
            lanes=lanes,
            leases=leases,
            retries=self.retries,
            cache=None if self.cache is None else self.cache.stats(),
            subscriptions=lane_of_all([*own, *shards]),
            messages=None if self._subscriptions is None else self._subscriptions.registry.stats(),
            nodes=dict(nodes),
            moved=self.moved,
            asked=self.asked,
            refreshes=self.refreshes,
            refresh_failures=self.refresh_failures,
        )

    # -- its servers ---------------------------------------------------------------------------------------------------------

    @property
    def places(self) -> list[Place]:
        """See `ClusterServers`."""
        return [server.place for server in self.map.servers]

    def place_of(self, node: object) -> Place:
        """Return where a server is that a caller has named: by `host:port`, or by a pair of both. It may have other names.

        Raises `ValueError` for what is no such thing, `LocalProtocolError` for none of the cluster's, as far as that is known.
        """
        place = read_place(node)
        if place is None:
            raise ValueError(f"a server is named by host:port, not by {shown(node)}")
        found = self.map.find(place)
        known = self.places
        if found is not None:
            return found.place
        if known and place not in known:
            told = ", ".join(map(address_of, known))
            raise LocalProtocolError(f"{address_of(place)} is no server of this {self.whole}; it has {told}")
        return place

    def server_at(self, place: Place) -> ServerFacts:
        """Return what the map says of the server at this place."""
        server, shard, slots = self.map.find(place), self.map.shard_of(place), self.map.slots_of(place)
        replica = not slots and shard is not None and shard.master.place != place
        return ServerFacts("" if server is None else server.id, replica, ranges_of(slots))

    def watched_at(
        self, slot: int, error: RespError, moves: int, *, harmless: bool, follows: bool, deadline: float, now: float
    ) -> float | None:
        """A watched transaction has failed so at the server of this slot, or before it got there: see `tried_anew`.

        Return how long it waits before it is tried anew, at the server of then, or where `sent_to` says, if it `follows`; None if
        it is not.
        """
        when = None if self.closed is not None else tried_anew(error, slot, harmless=harmless)
        if when is None:
            return None
        if when is LATER:
            self.want_map(now)
        return self._pause(moves + AT_ONCE if when is LATER and not follows else moves, deadline, now)

    def sent_to(self, node: NodeBase, slot: int, error: RespError) -> Place | None:
        """Return where keys of this slot are to be watched behind ASKING, if this server has said so for those keys."""
        redirect = self._read(node, error) if isinstance(error, ReplyError) else None
        if redirect is None or not redirect.asks or redirect.slot != slot:
            return None
        return self.map.visit(redirect.place)

    # -- links of one's own --------------------------------------------------------------------------------------------------

    def acquire(
        self,
        token: object,
        now: float,
        *,
        deadline: float = inf,
        borrower: str | None = None,
        held: Lease[Link] | None = None,
        at: int | Place | None = None,
    ) -> Waiter:
        """As of a client: a link to the server of this hash slot, or at this place. Raises `LocalProtocolError` for neither."""
        at = self.anywhere if at is None else at
        if at is None:
            raise LocalProtocolError("acquire: a cluster has several servers; give a key, or a node")
        if self.closed is not None:
            raise ConnectionClosedError(f"acquire: {self.closed}")
        if held is not None:
            home: NodeBase = held.connection.home
            waiter = home.acquire(token, now, deadline=deadline, borrower=borrower, held=held)
            waiter.at, waiter.home = at, home
            return waiter
        waiter = Waiter(token, deadline, borrower)
        waiter.at = at
        self.place_waiter(waiter, now)
        return waiter

    def lend(
        self, now: float, borrower: str | None = None, owner: Slot | Waiter | None = None, at: int | Place | None = None
    ) -> Lease[Link] | None:
        node = self.node_for(at)
        return None if node is None else node.lend(now, borrower, owner)

    def place_waiter(self, waiter: Waiter, now: float) -> None:
        node = self.node_for(waiter.at)
        if node is None:
            self._await_map(waiter, None, now)
        else:
            node.wants(waiter, now)

    def withdraw(self, waiter: Waiter, now: float) -> None:
        self._unplaced.pop(waiter, None)
        if waiter.home is self or waiter.home is None:
            super().withdraw(waiter, now)
        else:
            waiter.home.withdraw(waiter, now)

    def _refuse(self, waiter: Waiter, error: Exception) -> None:
        self._unplaced.pop(waiter, None)
        super()._refuse(waiter, error)

    def lend_to(self, slot: Slot, now: float) -> None:  # noqa: ARG002  # a client has lanes
        return None

    def has(self, link: Link) -> bool:
        """As of a client."""
        return link.home is self or getattr(link.home, "cluster", None) is self

    def release(self, lease: Lease[Link] | Share, now: float) -> bool:
        return cast("Client", lease.connection.home).release(lease, now)

    # -- links: what the adapter says of them ----------------------------------------------------------------------------------

    def connected(
        self,
        dial: Dial,
        now: float,
        credentials: tuple[str | None, str | bytes] | None = None,
        tls: TLSWire | None = None,
    ) -> Link:
        if dial.home is self:
            return super().connected(dial, now, credentials, tls)
        return cast("Client", dial.home).connected(dial, now, credentials, tls)

    def dial_failed(self, dial: Dial, error: Exception | None, now: float) -> None:
        if dial.home is self:
            super().dial_failed(dial, error, now)
        else:
            cast("Client", dial.home).dial_failed(dial, error, now)

    def looked(self, link: Link, now: float) -> None:
        cast("Client", link.home).looked(link, now)

    def receive_replies(self, link: Link, data: bytes, now: float) -> list[Slot] | None:
        if link.home is self:
            return super().receive_replies(link, data, now)
        return cast("Client", link.home).receive_replies(link, data, now)

    def receive_eof(self, link: Link, now: float, error: Exception | None = None) -> None:
        if link.home is self:
            super().receive_eof(link, now, error)
        else:
            cast("Client", link.home).receive_eof(link, now, error)

    def send_failed(self, link: Link, error: Exception, now: float) -> None:
        if link.home is self:
            super().send_failed(link, error, now)
        else:
            cast("Client", link.home).send_failed(link, error, now)

    def abort(self, link: Link, error: RespError | None, now: float, *, uncertain: bool = False) -> None:
        if link.home is self:
            super().abort(link, error, now, uncertain=uncertain)
        else:
            cast("Client", link.home).abort(link, error, now, uncertain=uncertain)

    # -- time ------------------------------------------------------------------------------------------------------------------

    def next_deadline(self) -> float:
        due = super().next_deadline()
        if self.closed is None:
            due = min(due, self.refresher.next_deadline())
        tells = self.leases is None or self.leases.breaker_failures is None  # a breaker does not
        if not tells or self.closed is not None:
            return min([due, *[node.next_deadline() for node in self._machines]])
        # This is asked for behind many calls, and there may be a hundred servers.
        return min(due, self.soonest.due)

    def handle_timeout(self, now: float) -> None:
        super().handle_timeout(now)
        soonest = self.soonest
        soonest.due = inf  # what one machine does to another from here on is noted in it, too
        for node in self._machines:
            due = node.next_deadline()
            if due <= now:
                node.handle_timeout(now)
                due = node.next_deadline()
            soonest.due = min(soonest.due, due)
        self._ask_for_map(now)

    # -- the client as a whole -------------------------------------------------------------------------------------------------

    def open(self, now: float) -> None:
        self.want_map(now, at_once=True)

    def retire(self, now: float, keep: Dial | None = None) -> None:
        home = None if keep is None else keep.home
        super().retire(now, keep if home is self else None)
        for node in self.nodes:
            node.retire(now, keep if home is node else None)

    def drain(self, now: float) -> None:
        self._end_probes(now)
        for node in self.nodes:
            node.drain(now)
        super().drain(now)

    def close(self, now: float, reason: str | None = None) -> None:
        self._end_probes(now)
        for node in self._machines:
            node.close(now, reason or f"the {self.kind} was closed")
        super().close(now, reason)

    def _end_waiting(self, now: float, reason: str | None) -> None:
        super()._end_waiting(now, reason)
        unplaced, self._unplaced = self._unplaced, {}
        for entry in unplaced:
            assert self.closed is not None
            self._tell(entry, self.closed, now)

    def _end_drain(self) -> None:
        if not any([node.links or node.closed is None for node in self._machines]):
            super()._end_drain()

    # -- after interrupts ----------------------------------------------------------------------------------------------------------

    def reconcile(
        self,
        now: float,
        is_alive: Callable[[Slot | Waiter], bool],
        dials: Collection[Dial],
        torn: Collection[Link] = (),
    ) -> None:
        def alive(entry: Slot | Waiter) -> bool:
            token = entry.token
            if type(token) is Part:
                return is_alive(token.split.slot)
            return type(token) is Probe or is_alive(entry)

        self.soonest.due = -inf  # all are to be looked at: it may be wrong
        super().reconcile(now, alive, [dial for dial in dials if dial.home is self], torn)
        for node in self._machines:
            node.reconcile(now, alive, [dial for dial in dials if dial.home is node], torn)
        for slot, node in [*self._probes.items()]:
            node.resume(slot, now)
        self._probe(self.refresher.reconcile(self._asked_for_map, now), now)
        self._place_names(now)

    def _set_timers_anew(self, now: float, is_alive: Callable[[Slot | Waiter], bool]) -> None:
        super()._set_timers_anew(now, is_alive)
        for entry in [*self._unplaced]:
            if is_alive(entry):
                timed(entry).timer = self._timers.set(entry.deadline, entry)
            else:
                del self._unplaced[entry]

    def resume(self, entry: Slot | Waiter | Listener, now: float) -> None:
        if isinstance(entry, Waiter):
            if entry.home is self and entry not in self._unplaced:
                self.place_anew(entry, None, now)
            elif entry.home is not self:
                entry.home.resume(entry, now)
            return
        if not isinstance(entry, Slot):
            super().resume(entry, now)
            return
        split: Split | None = None if entry.call is None else entry.call.split
        if split is not None and self.mend(split, now):
            for part in split.under_way:
                self._resume(part, now)
            self._complete(split, now)
        elif split is None or under_way(entry):
            self._resume(entry, now)

    def _resume(self, slot: Slot, now: float) -> None:
        machine = self._machine_of(slot)
        if machine is not self:
            machine.resume(slot, now)
        elif slot.state is not SlotState.QUEUED:
            why = slot.cause or ConnectionLostError("the call was interrupted")
            self._finish(slot, why, now)  # its end was not told
        elif slot not in self._unplaced:
            self.place_anew(slot, None, now)


def ranges_of(slots: Sequence[int]) -> tuple[range, ...]:
    """Return the ranges that these slots make, which stand in their order."""
    ranges: list[range] = []
    begin = end = -1
    for slot in [*slots, SLOTS + 1]:
        if slot != end:
            if begin >= 0:
                ranges.append(range(begin, end))
            begin = slot
        end = slot + 1
    return tuple(ranges)


class Cluster(ClusterBase):
    """The machine of a client of a cluster."""

    _node_type: ClassVar[type[NodeBase]] = Node

"""To which server of a cluster a call goes.

A call goes where the map says that the hash slot of its keys is; while that does not say, it waits for a map. The commands of a
pipeline go each to its server, and a command without keys goes with its neighbours; what goes to all masters is made in parts, too.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import inf
from typing import Final, cast

from .._errors import ConnectionClosedError, LocalProtocolError, RespError
from ..commands.cluster_policy import Where, combine, policy_of, refusal
from ..commands.knowledge import CommandInfo, Needs
from ..config.url import address_of
from ..connection.slot import Batch, Payload, Slot
from ..connection.stateful import StatefulBatch
from .cache import CachedRead
from .client import Client
from .cluster_servers import ClusterServers, timed
from .lanes import route
from .leases import Lease
from .links import Call, Lane, Link, Share, Waiter
from .node import NodeBase
from .routing import slot_of_payload, slot_of_transaction
from .splits import Part, Split, is_pipeline, part_of, under_way

__all__ = ["ClusterCalls", "number_of"]

LANE: Final = Needs.LANE
PAGES: Final = frozenset({"HSCAN", "SCAN", "SSCAN", "ZSCAN"})
BESIDE: Final = frozenset({"SCRIPT LOAD"})


class ClusterCalls(ClusterServers):
    """What a cluster's machine does with calls."""

    moves: int

    @staticmethod
    def _slot_of(payload: Payload, info: CommandInfo) -> int | None:
        """Return the hash slot of one command, None if it names no key."""
        return slot_of_payload(payload, info)

    @staticmethod
    def _number_of(slot: Slot) -> int | None:
        """Return the hash slot of a call that goes to one server as a whole, None if it names no key."""
        return number_of(slot)

    @staticmethod
    def _goes_everywhere(slot: Slot) -> bool:
        """Does this call, which names no key, go to all masters? Raises `LocalProtocolError` if it is meant for one server."""
        return goes_everywhere(slot)

    @staticmethod
    def _check_pipeline(slot: Batch) -> None:
        """Raise `LocalProtocolError` for a command that can be no part of a pipeline."""
        for info in slot.infos:
            check_alone(info)

    def _home_of(self, slot: Slot) -> NodeBase | None:
        """Return the machine for a call that goes to one server as a whole, None if the map does not say."""
        number = self._number_of(slot)
        if number is None:
            return self._any_node()
        return self._reader(number) if self.spreads and reads(slot) else self._owner(number)

    def _homes_of(self, slot: Batch) -> list[NodeBase | None]:
        """Return the machine for each command of a pipeline that was not answered: one without a key goes with its neighbours."""
        numbers = [
            self._slot_of(payload, info)
            for payload, info in zip(slot.payloads[slot.begin :], slot.infos[slot.begin :], strict=True)
        ]
        number = next((number for number in numbers if number is not None), None)
        if number is None:
            return [self._any_node()] * len(numbers)
        find = self._reader if self.spreads and reads(slot) else self._owner
        found: dict[int, NodeBase | None] = {}  # those of one slot go together
        homes = []
        for one in numbers:
            number = number if one is None else one
            if number not in found:
                found[number] = find(number)
            homes.append(found[number])
        return homes

    # -- calls ---------------------------------------------------------------------------------------------------------------

    def lane_of(self, slot: Slot) -> Lane | None:
        """As of a client."""
        self.refresher.in_use = True
        if type(slot) is not Slot or self.spreads or slot.call is not None:
            return None
        number = slot_of_payload(slot.payload, slot.info)
        node = None if number is None else self._homes[number]  # None as well if no call has looked for its owner yet
        return None if node is None else node.lane

    def idle_link(self, caller: Hashable = None, slot: Slot | None = None) -> Link | None:
        """As of a client."""
        if slot is None or self.closed is not None:
            return None
        number = first_number(slot)
        node = self._any_node() if number is None else self._homes[number]
        return None if node is None else node.idle_link(caller)

    def submit(
        self,
        slot: Slot,
        now: float,
        *,
        caller: Hashable = None,
        lease: Lease[Link] | Share | None = None,
        epoch: int | None = None,
    ) -> Link | None:
        """As of a client. Raises `CrossSlotError` as well, for keys of several slots in what goes to one server."""
        if lease is not None:
            return cast("Client", lease.connection.home).submit(slot, now, caller=caller, lease=lease, epoch=epoch)
        if self.closed is not None:
            raise ConnectionClosedError(f"{slot.name} was not sent: {self.closed}")
        self.refresher.in_use = True
        if slot.info.needs is not LANE or isinstance(slot, Batch):
            route(slot, leases=self.lends)  # told now: later, no caller is there to raise it for
        if slot.call is not None and slot.call.fixed:
            meant = self.node_for(slot.call.at)
            if meant is not None:
                return self._submit_to(meant, slot, now, caller)
            self._await_map(slot, caller, now)
            return None
        if is_pipeline(slot):
            return self._submit_pipeline(cast("Batch", slot), now, caller)
        number = self._number_of(slot)
        if number is None and self._goes_everywhere(slot):
            self._submit_everywhere(slot, now)
            return None
        node = self._home_of(slot) if self.spreads or number is None else self._owner(number)
        if node is None:
            self._await_map(slot, caller, now)
            return None
        return self._submit_to(node, slot, now, caller)

    @staticmethod
    def _submit_to(node: NodeBase, slot: Slot, now: float, caller: Hashable) -> Link | None:
        before = slot.call
        link = node.submit(slot, now, caller=caller)
        call = slot.call
        if call is not None:
            call.home = node
            if before is not None:
                call.fixed, call.at = before.fixed, before.at
            if link is not None and call.lease is None:
                call.lane = link.lane
        return link

    def _submit_pipeline(self, slot: Batch, now: float, caller: Hashable) -> Link | None:
        homes = self._homes_of(slot)
        self._check_pipeline(slot)
        first = homes[0]
        if None in homes:
            self._await_map(slot, caller, now)
        elif first is not None and homes.count(first) == len(homes):
            return self._submit_to(first, slot, now, caller)
        else:
            slot.call = Call()
            self._split(slot, slot, homes, now, caller)
        return None

    def _submit_everywhere(self, slot: Slot, now: float) -> None:
        """A command goes to all masters, or to all servers that are used, and their replies become one."""
        policy = policy_of(slot.info)
        asked = self.map.servers if self._goes_to_replicas(slot.info) else self.map.masters
        if not asked:
            self._await_map(slot, None, now)
            return
        servers = [address_of(server.place) for server in asked]
        slot.call = slot.call or Call()
        slot.call.home = self
        split = Split(slot, combine=lambda replies: combine(policy, replies, servers), count=len(asked))
        slot.call.split = split
        for part in [split.for_a_master(self.node_at(server.place), self.map.slot_near(server)) for server in asked]:
            part.call.home.begin(part, now)
        self._complete(split, now)

    def _split(
        self, slot: Batch, of: Batch, homes: Sequence[NodeBase | None], now: float, caller: Hashable = None
    ) -> None:
        """Make parts of the commands of a pipeline, or of a part of it, that were not answered: one for each of these servers."""
        call = of.call
        split, indices = (Split(slot), range(slot.count)) if slot is of else (part_of(of).split, part_of(of).indices)
        for at, reply in enumerate(of.replies):
            split.heard(indices[at], reply)
        if slot is of:
            call.home, call.split = self, split
        else:
            part_of(of).ended = True
        groups: dict[NodeBase | None, list[int]] = {}
        for at, home in enumerate(homes, of.begin):
            groups.setdefault(home, []).append(at)
        made = []
        for home, places in groups.items():
            part = split.part([indices[at] for at in places], home)
            part.uncertain = [new for new, at in enumerate(places) if at in of.uncertain]
            part.call.hops, part.call.trail = call.hops, call.trail
            part.call.attempts = call.attempts
            made.append((home, part))
        for home, part in made:
            if home is None:
                self._await_map(part, caller, now)
            else:
                home.begin(part, now, caller)
        self._complete(split, now)

    def place(
        self, slot: Slot, now: float, caller: Hashable = None, *, at: NodeBase | None = None, turn: float = inf
    ) -> None:
        """Begin with a call where the map says. `at`: it is at this server, where an attempt was made, and another is to be."""
        homes = self._machines_for(slot, at)
        home = homes[0] if homes else None
        several = homes.count(home) < len(homes)
        if at is not None:
            if self.closed is not None or (home is at and not several):
                at.go_here(slot, now, turn=turn)
                return
            at.let_go(slot, now)
        if several:
            batch = cast("Batch", slot)
            self._split(whole_of(batch), batch, homes, now, caller)
        elif not homes:
            self._submit_everywhere(slot, now)
        elif home is None:
            self._await_map(slot, caller, now)
        elif at is None:
            home.begin(slot, now, caller)
        else:
            home.take_in(slot, now)

    def _machines_for(self, slot: Slot, at: NodeBase | None) -> Sequence[NodeBase | None]:
        """Return the machine for a call, several for the commands of a pipeline, and none for what goes to all masters."""
        if slot.call is not None and slot.call.fixed:
            return [self._meant(slot, at)]
        if is_pipeline(slot):
            return self._homes_of(cast("Batch", slot))
        everywhere = self._number_of(slot) is None and self._goes_everywhere(slot)
        return [] if everywhere else [self._home_of(slot)]

    def _meant(self, slot: Slot, at: NodeBase | None) -> NodeBase | None:
        """Return the machine for a call that is meant for one server: for that, or for what has taken its place."""
        call, token = slot.call, slot.token
        if call.at is not None:
            return self.node_for(call.at)
        home: NodeBase = call.home if at is None else at
        if type(token) is not Part or token.split.combine is None or not self._has_lost(home, slot.info):
            return home
        successor = None if token.number is None else self._owner(token.number)
        asked = [part.call.home for part in token.split.parts if part is not slot]
        twice = successor in asked and not self._goes_to_replicas(slot.info)
        return home if successor is None or twice else successor

    def _has_lost(self, node: NodeBase, info: CommandInfo) -> bool:
        """Is this server none of those any more to which this command goes?"""
        return not (self.knows(node) if self._goes_to_replicas(info) else self.map.sizes[node.place])

    def _goes_to_replicas(self, info: CommandInfo) -> bool:
        """Does a command that goes to all masters go to replicas as well?"""
        return self.spreads and policy_of(info).where is Where.SERVERS

    def _await_map(self, entry: Slot | Waiter, caller: Hashable, now: float) -> None:
        """No server is known for this call, or this caller: it waits until one is."""
        if self.closed is not None:
            self._tell(entry, self.closed, now)
            return
        if isinstance(entry, Waiter):
            entry.home = self
        else:
            if entry.call is None:
                entry.call = Call()
            entry.call.home = self
            entry.link = None
        self._unplaced[entry] = caller
        timed(entry).timer = self._timers.set(entry.deadline, entry)
        self.want_map(now, at_once=not self.map.masters)

    def place_anew(self, entry: Slot | Waiter, caller: Hashable, now: float) -> None:
        """See `ClusterServers`."""
        if isinstance(entry, Waiter):
            self.place_waiter(entry, now)
        else:
            self.place(entry, now, caller)

    def belongs(self, entry: Slot | Waiter, node: NodeBase) -> bool:
        """See `ClusterServers`."""
        if isinstance(entry, Waiter):
            return self.node_for(entry.at) in (node, None)
        if not entry.call.fixed and self.spreads and reads(entry) and self.is_replica(node) and not node.suspect:
            return True
        homes = self._machines_for(entry, node)
        return None in homes or homes.count(node) == len(homes)

    def is_for_it_alone(self, entry: Slot | Waiter) -> bool:
        """See `ClusterServers`."""
        if isinstance(entry, Waiter):
            return type(entry.at) is not int
        if type(entry.token) is Part and entry.token.split.combine is not None:
            return True
        return entry.call.at is not None and type(entry.call.at) is not int

    def _slot_due(self, slot: Slot, now: float) -> None:
        self._unplaced.pop(slot, None)
        self._finish(slot, self._late(), now)

    def _tell_end(self, slot: Slot, now: float) -> None:
        if type(slot.token) is Part:
            self.part_ended(None, slot, now)
        else:
            super()._tell_end(slot, now)

    def abandon(self, slot: Slot, now: float) -> None:
        """As of a client."""
        call = slot.call
        split: Split | None = None if call is None else call.split
        if split is not None:
            for part in split.under_way:
                self._machine_of(part).abandon(part, now)
                self._unplaced.pop(part, None)
            split.give_up()
            call.split = None
            self._end_call(call, now)
            if type(slot) is CachedRead and slot.cell is not None:
                self._end_read(slot, None, now)
            return
        machine = self._machine_of(slot)
        if machine is self:
            super().abandon(slot, now)
        else:
            machine.abandon(slot, now)

    def _machine_of(self, slot: Slot) -> Client:
        """Return the machine that a call is at."""
        if slot.link is not None:
            return cast("Client", slot.link.home)
        return self if slot.call is None or slot.call.home is None else cast("Client", slot.call.home)

    def _leave(self, slot: Slot, now: float) -> None:
        self._unplaced.pop(slot, None)
        super()._leave(slot, now)

    def limit(self, slot: Slot, deadline: float, now: float) -> None:
        """As of a client."""
        if slot.link is not None:
            self._machine_of(slot).limit(slot, deadline, now)

    # -- parts -----------------------------------------------------------------------------------------------------------------

    def part_ended(self, node: NodeBase | None, part: Slot, now: float) -> None:
        """No attempt of this part follows."""
        token = part_of(part)
        split = token.split
        if token.ended:
            return
        split.take(cast("Batch", part), part.cause)
        if split.whole:
            self._end_whole(split, node if node is not None else cast("NodeBase", split.slot.call.home), now)
        else:
            self._complete(split, now)

    @staticmethod
    def _end_whole(split: Split, home: NodeBase, now: float) -> None:
        """An attempt of a call that has one part has ended: see whether there is another."""
        split.end()
        slot = split.slot
        slot.call.split = None
        slot.link = split.parts[-1].link
        home.have(slot)  # if it goes on, then from there
        cause = slot.cause
        if cause is None or isinstance(cause, RespError):
            home._settle(slot, cause, now)
        else:
            home._finish(slot, cause, now)

    def _complete(self, split: Split, now: float) -> None:
        """See whether a call in parts has ended."""
        slot = split.slot
        if slot.call is None or slot.call.split is not split:
            return
        if split.under_way or split.lost:
            self.relink(split)
            return
        split.end()
        slot.call.split = None
        self._finish(slot, split.failure, now)

    def mend(self, split: Split, now: float) -> bool:
        """An interrupt may have come before there were parts of all of a call, or before its end. Is it still in parts?"""
        slot, lost = split.slot, split.lost
        if lost and not split.whole and split.combine is None:
            self.place_anew(split.part(lost), None, now)
        elif lost:  # nothing of it was begun
            slot.call.split = None
        elif split.whole and not split.under_way:
            self._end_whole(split, slot.call.home, now)
        return slot.call.split is split

    def relink(self, split: Split) -> None:
        """A call in parts waits where the first of them does that is on a link."""
        link = next((part.link for part in split.under_way if part.link is not None and under_way(part)), None)
        if split.slot.link is not link:
            split.slot.link = link
            self.moves += 1


def reads(slot: Slot) -> bool:
    """May a replica answer this call? It only reads, and no server has sent it elsewhere yet.

    A page of an iteration is no such call: the next one must come from the same server, as its cursor means nothing elsewhere.
    """
    if slot.call is not None and slot.call.hops:
        return False
    if isinstance(slot, Batch) and not is_pipeline(slot):
        return False
    infos = slot.infos if isinstance(slot, Batch) else (slot.info,)
    return all([info.readonly and info.name not in PAGES for info in infos])


def whole_of(slot: Batch) -> Batch:
    """Return the call of which this is a part, or that it is."""
    return cast("Batch", slot.token.split.slot) if type(slot.token) is Part else slot


def number_of(slot: Slot) -> int | None:
    """Return the hash slot of a call that goes to one server as a whole, None if it names no key."""
    if type(slot) is CachedRead:
        return slot_of_payload(slot.read, slot.info)
    if isinstance(slot, Batch):
        return slot_of_transaction(slot.payloads, slot.infos)
    return slot_of_payload(slot.payload, slot.info)


def first_number(slot: Slot) -> int | None:
    """Return the hash slot of the first key that a call names, None if it names none."""
    if not isinstance(slot, Batch):
        return slot_of_payload(slot.payload, slot.info)
    numbers = map(slot_of_payload, slot.payloads, slot.infos)
    return next((number for number in numbers if number is not None), None)


def goes_everywhere(slot: Slot) -> bool:
    """Does this call, which names no key, go to all masters? Raises `LocalProtocolError` if it is meant for one server."""
    if isinstance(slot, StatefulBatch) and not slot.alone:
        return False
    where = policy_of(slot.info).where
    if where is Where.REFUSED:
        raise refusal(slot.info)
    return where in (Where.MASTERS, Where.SERVERS)


def check_alone(info: CommandInfo) -> None:
    """Raise `LocalProtocolError` for a command that can be no part of a pipeline: meant for one server, or for all."""
    where = policy_of(info).where
    if where is Where.REFUSED:
        raise refusal(info)
    if where in (Where.MASTERS, Where.SERVERS) and info.name not in BESIDE:
        raise LocalProtocolError(
            f"{info.name} was not sent: it goes to all masters, so it can be in no pipeline; send it alone"
        )

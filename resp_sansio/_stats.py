"""What the machines have counted: snapshots, for a caller who wonders, for a monitor, and for the text of a timeout.

Everything here is a count that a machine keeps anyway or adds up where it costs nothing; no clock is read for it. Counts that
end in a noun say how many there are now, `most_...` how many there were at the worst moment, the others how many there have
been since the beginning.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from ._record import Record, fields

__all__ = [
    "CacheStats",
    "ClientStats",
    "CloseReason",
    "ConnectionStats",
    "LaneStats",
    "MessageStats",
    "NodeStats",
    "PoolStats",
    "Stats",
]


class Stats(Record):
    """The base of all snapshots; `str` is one line that fits into a message."""

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as new dicts, lists, numbers and None, which `json.dumps` takes; reasons by their names."""
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self)}


class ConnectionStats(Stats):
    """One connection. A slot is a command, or a pipeline; only those of callers count, not the connection's own.

    `queued`: slots that wait to be sent. `in_flight`: sent, and not answered yet; `abandoned`: those of them whose callers have
    gone. `sent`: slots sent so far, in `batches` blocks; `answered`: to callers that waited; `given_up`: by their callers, or at
    their deadlines. So each that was accepted is queued, in flight and not abandoned, answered, or given up. `pings`: the
    connection's own, to see that the peer is there. `unread_pushes`: those that no reader has taken; `dropped_pushes`: those that
    came to a connection without readers. `cache`: of one that `connect` has opened with a cache, what that has counted; `messages`:
    of one that `connect` has opened, what its subscriptions have brought, None if it had none.
    """

    queued: int
    in_flight: int
    abandoned: int
    most_in_flight: int
    sent: int
    answered: int
    batches: int
    given_up: int
    pings: int
    unread_pushes: int
    dropped_pushes: int
    cache: CacheStats | None = None
    messages: MessageStats | None = None

    def __str__(self) -> str:
        return f"{self.queued} queued, {self.in_flight} in flight, {self.abandoned} of them abandoned"


class CloseReason(enum.Enum):
    """Why a connection left the pool."""

    LOST = "it ended"
    BROKEN = "its user found it unusable"
    INTERRUPTED = "its user was interrupted in the middle of a conversation"
    FAILED_CHECK = "it did not answer a check before use"
    IDLE = "it had not been used for max_idle"
    MAX_LIFETIME = "it was older than max_lifetime"
    RETIRED = "it was older than retire()"
    SURPLUS = "there were more than max_size, or no caller wanted it any more"
    DRAINED = "the pool was being drained"
    CLOSED = "the pool was closed"


class LaneStats(Stats):
    """One lane: how many connections it has had, and why each of them went; how many callers wait for the next one."""

    created: int
    closed: Mapping[CloseReason, int]
    dial_failures: int
    waiting: int
    connection: ConnectionStats | None

    def __str__(self) -> str:
        now = "no connection" if self.connection is None else str(self.connection)
        return f"{now}, {self.waiting} waiting for one"


class MessageStats(Stats):
    """What the subscriptions of a client, a pool or a connection have brought.

    `subscribers`: blocks that are subscribed; `names`: channels and patterns that they want. `messages`: how many came, each
    counted for every subscriber of it; `dropped`: those of them for which a subscriber had no room; `gaps`: places where messages
    may be missing, as subscribers were told. `waiting`: messages and gaps that no caller has taken yet.

    Subscriptions on a connection that is on loan are not counted.
    """

    subscribers: int
    names: int
    waiting: int
    messages: int
    dropped: int
    gaps: int

    def __str__(self) -> str:
        return f"{self.messages} messages, {self.waiting} wait to be taken, {self.dropped} dropped, {self.gaps} gaps"


class PoolStats(Stats):
    """What a pool knows of itself, at one moment; counts are since it was made.

    `created` is all `closed` by reason, and `size`. `waited`: had to queue. `granted`: leases, waited for or not. `withdrawn`:
    went before they got anything. A caller that asked is waiting, or counts in one of `granted`, `refused`, `withdrawn`. `most_`:
    the highest ever. `retries`: attempts of calls that were repeated. `max_size`, `min_size`: the bounds that hold now.
    `subscriptions`: the connection of all subscriptions, which is none of the pool's places; `messages`: what came by it. Both are
    None if there never was one.
    """

    size: int
    idle: int
    leased: int
    dialling: int
    waiting: int
    created: int
    dial_failures: int
    closed: Mapping[CloseReason, int]
    waited: int
    granted: int
    refused: int
    withdrawn: int
    most_size: int
    most_leased: int
    most_waiting: int
    retries: int = 0
    max_size: int = 0
    min_size: int = 0
    subscriptions: LaneStats | None = None
    messages: MessageStats | None = None

    def __str__(self) -> str:
        return f"{self.size} connections, {self.idle} idle, {self.leased} leased, {self.dialling} dialling, {self.waiting} waiting"


class CacheStats(Stats):
    """What a client keeps of what it has read. `active`: does its server tell of changes? If not, nothing is kept.

    `entries`: replies that are kept, or on their way; `size`: the bytes of memory that they take. `hits`: reads that were answered
    by what was kept; `misses`: those that asked the server; `joined`: those that waited for one that had asked the same.
    `invalidations`: keys that the server has told of, a flush being one; `evictions`: replies given up to make room.
    """

    active: bool
    entries: int
    size: int
    hits: int
    misses: int
    joined: int
    invalidations: int
    evictions: int

    def __str__(self) -> str:
        state = f"{self.entries} entries of {self.size} bytes" if self.active else "not active"
        return f"{state}, {self.hits} hits, {self.misses} misses"


def sum_of(pools: Iterable[PoolStats | None], retries: int) -> PoolStats:
    """Return the counts of several pools as those of one."""
    each = [pool for pool in pools if pool is not None]
    sums: dict[str, Any] = {
        one.name: sum([getattr(pool, one.name) for pool in each])
        for one in fields(PoolStats)
        if one.name not in ("closed", "subscriptions", "messages")
    }
    closed = {reason: sum([pool.closed.get(reason, 0) for pool in each]) for reason in CloseReason}
    return PoolStats(**{**sums, "closed": closed, "retries": retries})


def lane_of_all(lanes: Sequence[LaneStats]) -> LaneStats | None:
    """Return the counts of several lanes as those of one, None if there are none; of the connections, too."""
    if len(lanes) < 2:
        return lanes[0] if lanes else None
    connections = [lane.connection for lane in lanes if lane.connection is not None]
    counts = [one.name for one in fields(ConnectionStats) if one.name not in ("cache", "messages")]
    connection = ConnectionStats(**{name: sum([getattr(one, name) for one in connections]) for name in counts})
    return LaneStats(
        created=sum([lane.created for lane in lanes]),
        closed={
            reason: sum([lane.closed.get(reason, 0) for lane in lanes])
            for reason in CloseReason
            if any([reason in lane.closed for lane in lanes])
        },
        dial_failures=sum([lane.dial_failures for lane in lanes]),
        waiting=sum([lane.waiting for lane in lanes]),
        connection=connection if connections else None,
    )


class NodeStats(Stats):
    """One server of a cluster, as a client sees it and uses it. `lanes`, `leases` and `retries` are as of a client.

    `subscriptions`: the connection of the channels of shards that come from here, None if there never was one.

    `role` and `slots`, which says how many hash slots are its own, are by the map that the client has; `role` is None for a server
    that is not in it. `moved` and `asked`: its answers that sent a command elsewhere, MOVED and ASK.
    """

    role: Literal["master", "replica"] | None
    slots: int
    lanes: Sequence[LaneStats]
    leases: PoolStats | None
    retries: int
    moved: int
    asked: int
    subscriptions: LaneStats | None = None

    def __str__(self) -> str:
        role = "not in the map" if self.role is None else f"{self.role} of {self.slots} slots"
        return f"{role}; {_shown(self.lanes, self.leases)}"


NO_NODES: Final[Mapping[str, NodeStats]] = {}


class ClientStats(Stats):
    """A client: its lanes, the pool of its leases (None if it has none), how many attempts were repeated, its cache (or None).

    `subscriptions`: the connection of all subscriptions, for which names wait; `messages`: what came by it. Both are None if there
    never was one.

    Of a client of a cluster: `nodes` are its servers, by their addresses, as far as calls went to them; for one server it is empty.
    `lanes` are those of all, and `leases` has the sums, the sums of the highest counts included. So has `subscriptions`, of the
    connection for channels and patterns and of that to each server from which channels of shards come. `moved` and `asked`: answers
    that sent a command elsewhere, MOVED and ASK. `refreshes`: how often the map has come that says which server has which slot;
    `refresh_failures`: how often all servers that were asked for it were asked in vain.
    """

    lanes: Sequence[LaneStats]
    leases: PoolStats | None
    retries: int
    cache: CacheStats | None = None
    subscriptions: LaneStats | None = None
    messages: MessageStats | None = None
    nodes: Mapping[str, NodeStats] = NO_NODES
    moved: int = 0
    asked: int = 0
    refreshes: int = 0
    refresh_failures: int = 0

    def __str__(self) -> str:
        cache = "" if self.cache is None else f"; cache: {self.cache}"
        if not self.nodes:
            return f"{_shown(self.lanes, self.leases)}{cache}"
        connections = [lane.connection for lane in self.lanes if lane.connection is not None]
        queued, in_flight = sum([one.queued for one in connections]), sum([one.in_flight for one in connections])
        waiting = sum([lane.waiting for lane in self.lanes])
        leases = "" if self.leases is None else f"; leases: {self.leases}"
        lanes = f"{len(connections)} lanes open, {queued} queued, {in_flight} in flight, {waiting} waiting for one"
        return f"{len(self.nodes)} servers; {lanes}{leases}{cache}"


def _shown(lanes: Sequence[LaneStats], leases: PoolStats | None) -> str:
    return f"lanes: {'; '.join(map(str, lanes))}" + ("" if leases is None else f"; leases: {leases}")


def _plain(value: object) -> object:
    if isinstance(value, Stats):
        return value.as_dict()
    if isinstance(value, Mapping):
        return {key.name if isinstance(key, enum.Enum) else str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value

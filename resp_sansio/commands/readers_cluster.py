"""What a node says of its cluster: its nodes, its slots, and what moves between them."""

from __future__ import annotations

import re
from typing import Final, NamedTuple, NotRequired, TypedDict

from ..wire.values import Reply
from .decoding import S, Text
from .readers import bulks, facts, items, unexpected, whole
from .readers_own import Record, integer, maybe_own, own, own_text, owns, pairs_of

__all__ = [
    "ClusterInfo",
    "ClusterLink",
    "ClusterNode",
    "ClusterShard",
    "MigrationTask",
    "ShardNode",
    "SlotMigration",
    "SlotNode",
    "SlotRange",
    "SlotStats",
]


class ClusterInfo(TypedDict):
    """The state of a cluster, as a node sees it.

    A message that was never sent or received has no field. A field that this version does not know is kept as it came.
    """

    cluster_state: str
    cluster_slots_assigned: int
    cluster_slots_ok: int
    cluster_slots_pfail: int
    cluster_slots_fail: int
    cluster_nodes_pfail: NotRequired[int]
    cluster_nodes_fail: NotRequired[int]
    cluster_voting_nodes_pfail: NotRequired[int]
    cluster_voting_nodes_fail: NotRequired[int]
    cluster_known_nodes: int
    cluster_size: int
    cluster_current_epoch: int
    cluster_my_epoch: int
    cluster_stats_messages_sent: int
    cluster_stats_messages_received: int
    cluster_stats_messages_ping_sent: NotRequired[int]
    cluster_stats_messages_ping_received: NotRequired[int]
    cluster_stats_messages_pong_sent: NotRequired[int]
    cluster_stats_messages_pong_received: NotRequired[int]
    cluster_stats_messages_meet_sent: NotRequired[int]
    cluster_stats_messages_meet_received: NotRequired[int]
    cluster_stats_messages_fail_sent: NotRequired[int]
    cluster_stats_messages_fail_received: NotRequired[int]
    cluster_stats_messages_publish_sent: NotRequired[int]
    cluster_stats_messages_publish_received: NotRequired[int]
    cluster_stats_messages_update_sent: NotRequired[int]
    cluster_stats_messages_update_received: NotRequired[int]
    cluster_stats_bytes_sent: NotRequired[int]
    cluster_stats_bytes_received: NotRequired[int]
    total_cluster_links_buffer_limit_exceeded: NotRequired[int]


class ClusterNode(NamedTuple):
    """A node, as another one sees it. `ping_sent` and `pong_received` are Unix times in milliseconds.

    `importing` and `migrating` are the slots that are on their way, with the ID of the node that they come from, or go to.
    """

    id: str
    host: str
    port: int
    bus_port: int
    hostname: str
    flags: set[str]
    master_id: str | None
    ping_sent: int
    pong_received: int
    config_epoch: int
    link_state: str
    slots: list[tuple[int, int]]
    importing: dict[int, str]
    migrating: dict[int, str]


class SlotNode(NamedTuple):
    """A node that has a range of slots. `host` is None if it is not known: it is where the question was sent then."""

    host: str | None
    port: int
    id: str
    metadata: dict[str, str]


class SlotRange(NamedTuple):
    """Slots from a first to a last, and the nodes that have them, the master first."""

    start: int
    end: int
    nodes: list[SlotNode]


class ShardNode(TypedDict):
    """A node of a shard. A field that this version does not know is kept as it came."""

    id: str
    port: NotRequired[int]
    tls_port: NotRequired[int]
    ip: str
    endpoint: str | None
    hostname: NotRequired[str]
    role: str
    replication_offset: int
    health: str
    availability_zone: NotRequired[str]


class ClusterShard(TypedDict):
    """Slots, and the nodes that have them all. A field that this version does not know is kept as it came."""

    slots: list[tuple[int, int]]
    nodes: list[ShardNode]
    id: NotRequired[str]
    """(Valkey 8.1)"""


class ClusterLink(TypedDict):
    """A connection to or from another node. A field that this version does not know is kept as it came."""

    direction: str
    node: str
    create_time: int
    events: str
    send_buffer_allocated: int
    send_buffer_used: int


class SlotStats(TypedDict):
    """How much is in a slot, and how much it is used. A field that this version does not know is kept as it came."""

    key_count: int
    cpu_usec: NotRequired[int]
    memory_bytes: NotRequired[int]
    network_bytes_in: NotRequired[int]
    network_bytes_out: NotRequired[int]


class MigrationTask(TypedDict):
    """A task of CLUSTER MIGRATION; times are Unix times in milliseconds. Fields that are not known are kept as they came."""

    id: str
    slots: str
    source: str
    dest: str
    operation: str
    state: str
    last_error: str
    retries: int
    create_time: int
    start_time: int
    end_time: int
    write_pause_ms: int


class SlotMigration(TypedDict):
    """Slots that CLUSTER MIGRATESLOTS moves; times are Unix times. Fields that are not known are kept as they came."""

    name: str
    operation: str
    slot_ranges: str
    target_node: NotRequired[str]
    source_node: NotRequired[str]
    create_time: int
    last_update_time: int
    last_ack_time: int
    state: str
    message: str
    cow_size: int
    remaining_repl_size: NotRequired[int]


def _ranges(reply: Reply, _text: object = None) -> list[tuple[int, int]]:
    """Ranges as first and last slots in turn."""
    ends = [*map(whole, items(reply))]
    if len(ends) % 2:
        raise unexpected("ranges of slots", reply)
    return [*zip(ends[::2], ends[1::2], strict=True)]


INFO: Final = Record(ClusterInfo)
NODE: Final = Record(ShardNode)
SHARD: Final = Record(ClusterShard, slots=_ranges, nodes=NODE.each)
LINK: Final = Record(ClusterLink)
SLOT: Final = Record(SlotStats)
TASK: Final = Record(MigrationTask)
MIGRATION: Final = Record(SlotMigration)


def cluster_facts(reply: Reply, _text: object = None) -> ClusterInfo:
    """Lines of names and values."""
    return INFO.read([*facts(reply).items()])


def shards(reply: Reply, _text: object = None) -> list[ClusterShard]:
    """Shards."""
    return SHARD.each(reply)


def cluster_links_of(reply: Reply, _text: object = None) -> list[ClusterLink]:
    """Connections."""
    return LINK.each(reply)


def migration_tasks(reply: Reply, _text: object = None) -> list[MigrationTask]:
    """Tasks."""
    return TASK.each(reply)


def slot_migrations(reply: Reply, _text: object = None) -> list[SlotMigration]:
    """What moves."""
    return MIGRATION.each(reply)


def slot_statistics(reply: Reply, _text: object = None) -> dict[int, SlotStats]:
    """Slots by number, in the order in which they came."""
    return {whole(slot): SLOT(found) for slot, found in (items(each, 2) for each in items(reply))}


def scanned_cluster(reply: Reply, text: Text[S]) -> tuple[str, list[S]]:
    """The next cursor, and keys."""
    cursor, found = items(reply, 2)
    return own_text(cursor), bulks(found, text)


# -- CLUSTER SLOTS -----------------------------------------------------------------------------------------------------------------


def slot_ranges(reply: Reply, _text: object = None) -> list[SlotRange]:
    """Ranges with their nodes."""
    return [_slot_range(items(each)) for each in items(reply)]


def _slot_range(parts: list[Reply]) -> SlotRange:
    if len(parts) < 3:
        raise unexpected("a range of slots with its nodes", parts)
    return SlotRange(whole(parts[0]), whole(parts[1]), [_slot_node(items(each)) for each in parts[2:]])


def _slot_node(parts: list[Reply]) -> SlotNode:
    if len(parts) < 3:
        raise unexpected("host, port and ID of a node", parts)
    metadata = {own(name): own(value) for part in parts[3:4] for name, value in pairs_of(part)}
    return SlotNode(maybe_own(parts[0]) or None, whole(parts[1]), own(parts[2]), metadata)


# -- CLUSTER NODES -----------------------------------------------------------------------------------------------------------------

# Not compiled here: most programs never ask, and `re` keeps what it has compiled.
LINE: Final = (
    r"(?P<id>\S+) (?P<host>[^\s,@]*):(?P<port>\d{1,5})(?:@(?P<bus>\d{1,5}))?(?:,(?P<hostname>[^,\s]*+)\S*+)?+"
    r" (?P<flags>\S+)"
    r" (?P<master>\S+) (?P<ping>\d{1,20}) (?P<pong>\d{1,20}) (?P<epoch>\d{1,20}) (?P<link>\S+)(?P<slots>(?: \S+)*)"
)
SLOTS: Final = r"(?P<first>\d{1,5})(?:-(?P<last>\d{1,5}))?|\[(?P<moves>\d{1,5})-(?P<way>[<>])-(?P<node>\w+)\]"


def nodes_text(reply: Reply, _text: object = None) -> list[ClusterNode]:
    """A line for each node, in one text."""
    return [_node(line, reply) for line in own_text(reply).split("\n") if line]


def node_lines(reply: Reply, _text: object = None) -> list[ClusterNode]:
    """A line for each node, in a text of its own."""
    return [_node(line, reply) for line in owns(reply)]


def _node(line: str, reply: Reply) -> ClusterNode:
    found = re.fullmatch(LINE, line.strip(), re.ASCII)
    places = [re.fullmatch(SLOTS, word, re.ASCII) for word in found["slots"].split()] if found else [None]
    if found is None or None in places:
        raise unexpected("a line about a node", reply)
    slots: list[tuple[int, int]] = []
    importing: dict[int, str] = {}
    migrating: dict[int, str] = {}
    for place in filter(None, places):
        if place["first"]:
            slots.append((int(place["first"]), int(place["last"] or place["first"])))
        else:
            (importing if place["way"] == "<" else migrating)[int(place["moves"])] = place["node"]
    return ClusterNode(
        found["id"], found["host"], int(found["port"]), int(found["bus"] or 0), found["hostname"] or "",
        {*found["flags"].split(",")} - {"noflags"}, None if found["master"] == "-" else found["master"],
        int(found["ping"]), int(found["pong"]), integer(found["epoch"]), found["link"], slots, importing, migrating,
    )  # fmt: skip

"""Commands on a cluster: what a node knows of it, which slots are whose, and how that is changed."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import given
from .arguments_server import counted, sooner_or_later
from .command import Command
from .readers import bulks, done, whole, word
from .readers_cluster import (
    ClusterInfo,
    ClusterLink,
    ClusterNode,
    ClusterShard,
    MigrationTask,
    SlotMigration,
    SlotRange,
    SlotStats,
    cluster_facts,
    cluster_links_of,
    migration_tasks,
    node_lines,
    nodes_text,
    scanned_cluster,
    shards,
    slot_migrations,
    slot_ranges,
    slot_statistics,
)
from .readers_own import own_text

# -- what a node knows ---------------------------------------------------------------------------------------------------------


def cluster_info() -> Command[ClusterInfo]:
    """Return what the node knows of the cluster's state."""
    return Command("CLUSTER INFO", read=cluster_facts)


def cluster_nodes() -> Command[list[ClusterNode]]:
    """Return the nodes that the node knows."""
    return Command("CLUSTER NODES", read=nodes_text)


def cluster_replicas(node_id: Argument) -> Command[list[ClusterNode]]:
    """Return the replicas of a node."""
    return Command("CLUSTER REPLICAS", node_id, read=node_lines)


def cluster_shards() -> Command[list[ClusterShard]]:
    """Return the slots of each group of nodes that hold the same, and these nodes (Redis 7.0)."""
    return Command("CLUSTER SHARDS", read=shards)


def cluster_slots() -> Command[list[SlotRange]]:
    """Return ranges of slots, each with its nodes, the master first."""
    return Command("CLUSTER SLOTS", read=slot_ranges)


def cluster_links() -> Command[list[ClusterLink]]:
    """Return the connections between the node and the others (Redis 7.0)."""
    return Command("CLUSTER LINKS", read=cluster_links_of)


def cluster_myid() -> Command[str]:
    """Return the node's ID."""
    return Command("CLUSTER MYID", read=own_text)


def cluster_myshardid() -> Command[str]:
    """Return the ID of the group of nodes that hold what the node holds (Redis 7.2)."""
    return Command("CLUSTER MYSHARDID", read=own_text)


def cluster_count_failure_reports(node_id: Argument) -> Command[int]:
    """Return how many nodes say that this one has failed."""
    return Command("CLUSTER COUNT-FAILURE-REPORTS", node_id, read=whole)


# -- slots ---------------------------------------------------------------------------------------------------------------------


def cluster_keyslot(key: Argument) -> Command[int]:
    """Return the slot of a key."""
    return Command("CLUSTER KEYSLOT", key, read=whole)


def cluster_countkeysinslot(slot: int) -> Command[int]:
    """Return how many keys of a slot the node has."""
    return Command("CLUSTER COUNTKEYSINSLOT", slot, read=whole)


def cluster_getkeysinslot(slot: int, count: int) -> Command[list[bytes]]:
    """Return keys of a slot that the node has, at most so many."""
    return Command("CLUSTER GETKEYSINSLOT", slot, count, read=bulks)


def cluster_slot_stats(start_slot: int, end_slot: int) -> Command[dict[int, SlotStats]]:
    """Return how much is in these slots, and how much they are used (Redis 8.2; Valkey 8.0)."""
    return Command("CLUSTER SLOT-STATS", "SLOTSRANGE", start_slot, end_slot, read=slot_statistics)


def cluster_slot_stats_orderby(
    metric: Argument, *, limit: int | None = None, asc: bool = False
) -> Command[dict[int, SlotStats]]:
    """Return the slots that come first by a metric such as `key-count`: the largest, or the smallest.

    (Redis 8.2; Valkey 8.0)
    """
    options = [*counted("CLUSTER SLOT-STATS", limit=limit), *given("CLUSTER SLOT-STATS", asc=asc)]
    return Command("CLUSTER SLOT-STATS", "ORDERBY", metric, *options, read=slot_statistics)


def cluster_addslots(slot: int, *slots: int) -> Command[None]:
    """Let the node have slots that no node has."""
    return Command("CLUSTER ADDSLOTS", slot, *slots, read=done)


def cluster_addslotsrange(start_slot: int, end_slot: int, *slots: int) -> Command[None]:
    """Let the node have ranges of slots that no node has, each from a first to a last (Redis 7.0)."""
    return Command("CLUSTER ADDSLOTSRANGE", start_slot, end_slot, *slots, read=done)


def cluster_delslots(slot: int, *slots: int) -> Command[None]:
    """Have the node forget whose these slots are."""
    return Command("CLUSTER DELSLOTS", slot, *slots, read=done)


def cluster_delslotsrange(start_slot: int, end_slot: int, *slots: int) -> Command[None]:
    """Have the node forget whose these ranges of slots are, each from a first to a last (Redis 7.0)."""
    return Command("CLUSTER DELSLOTSRANGE", start_slot, end_slot, *slots, read=done)


def cluster_flushslots() -> Command[None]:
    """Have the node, which must be empty, forget whose its slots are."""
    return Command("CLUSTER FLUSHSLOTS", read=done)


def cluster_flushslot(slot: int, *, asynchronous: bool = False, sync: bool = False) -> Command[None]:
    """Delete all keys of a slot; free their memory later, or at once (Valkey 9.0)."""
    return Command("CLUSTER FLUSHSLOT", slot, *sooner_or_later("CLUSTER FLUSHSLOT", asynchronous, sync), read=done)


def cluster_setslot_importing(slot: int, node_id: Argument, *, timeout: int | None = None) -> Command[None]:
    """Let the node take over keys of a slot from another one; `timeout` is of Valkey 8.0."""
    limit = counted("CLUSTER SETSLOT", timeout=timeout)
    return Command("CLUSTER SETSLOT", slot, "IMPORTING", node_id, *limit, read=done)


def cluster_setslot_migrating(slot: int, node_id: Argument, *, timeout: int | None = None) -> Command[None]:
    """Let the node hand keys of a slot over to another one; `timeout` is of Valkey 8.0."""
    limit = counted("CLUSTER SETSLOT", timeout=timeout)
    return Command("CLUSTER SETSLOT", slot, "MIGRATING", node_id, *limit, read=done)


def cluster_setslot_node(slot: int, node_id: Argument, *, timeout: int | None = None) -> Command[None]:
    """Tell the node whose a slot is; `timeout` is of Valkey 8.0."""
    limit = counted("CLUSTER SETSLOT", timeout=timeout)
    return Command("CLUSTER SETSLOT", slot, "NODE", node_id, *limit, read=done)


def cluster_setslot_stable(slot: int, *, timeout: int | None = None) -> Command[None]:
    """End the moving of a slot; `timeout` is of Valkey 8.0."""
    return Command("CLUSTER SETSLOT", slot, "STABLE", *counted("CLUSTER SETSLOT", timeout=timeout), read=done)


def clusterscan(
    cursor: Argument = "0",
    *,
    match: Argument | None = None,
    count: int | None = None,
    type: Argument | None = None,
    slot: int | None = None,
) -> Command[tuple[str, list[bytes]]]:
    """Return the next cursor, "0" at the end, and some keys of the cluster, or of one slot (Valkey 9.1)."""
    options = [*given("CLUSTERSCAN", match=match, count=count, type=type), *counted("CLUSTERSCAN", slot=slot)]
    return Command("CLUSTERSCAN", cursor, *options, read=scanned_cluster)


# -- slots on their way from node to node --------------------------------------------------------------------------------------


def cluster_migration_import(start_slot: int, end_slot: int, *slots: int) -> Command[str]:
    """Begin to move ranges of slots to the node, each from a first to a last; return the task's ID (Redis 8.4)."""
    return Command("CLUSTER MIGRATION", "IMPORT", start_slot, end_slot, *slots, read=own_text)


def cluster_migration_status(task_id: Argument | None = None) -> Command[list[MigrationTask]]:
    """Return how far a task has come, or all (Redis 8.4)."""
    chosen = ("ALL",) if task_id is None else ("ID", task_id)
    return Command("CLUSTER MIGRATION", "STATUS", *chosen, read=migration_tasks)


def cluster_migration_cancel(task_id: Argument | None = None) -> Command[int]:
    """Give up a task, or all; return how many there were (Redis 8.4)."""
    chosen = ("ALL",) if task_id is None else ("ID", task_id)
    return Command("CLUSTER MIGRATION", "CANCEL", *chosen, read=whole)


def cluster_migrateslots(node_id: Argument, start_slot: int, end_slot: int, *slots: int) -> Command[None]:
    """Begin to move ranges of slots to another node, each from a first to a last (Valkey 9.0)."""
    return Command("CLUSTER MIGRATESLOTS", "SLOTSRANGE", start_slot, end_slot, *slots, "NODE", node_id, read=done)


def cluster_getslotmigrations() -> Command[list[SlotMigration]]:
    """Return how far slots have come that move, or have moved lately (Valkey 9.0)."""
    return Command("CLUSTER GETSLOTMIGRATIONS", read=slot_migrations)


def cluster_cancelslotmigrations() -> Command[None]:
    """Give up all moving of slots (Valkey 9.0)."""
    return Command("CLUSTER CANCELSLOTMIGRATIONS", read=done)


# -- nodes ---------------------------------------------------------------------------------------------------------------------


def cluster_meet(ip: Argument, port: int, cluster_bus_port: int | None = None) -> Command[None]:
    """Make the node and another one members of the same cluster."""
    bus = counted("CLUSTER MEET", cluster_bus_port=cluster_bus_port)[1:]
    return Command("CLUSTER MEET", ip, port, *bus, read=done)


def cluster_forget(node_id: Argument) -> Command[None]:
    """Have the node forget another one, and not listen to what others say of it for a minute."""
    return Command("CLUSTER FORGET", node_id, read=done)


def cluster_replicate(node_id: Argument) -> Command[None]:
    """Make the node a replica of another one."""
    return Command("CLUSTER REPLICATE", node_id, read=done)


def cluster_replicate_no_one() -> Command[None]:
    """Make the node a replica of none: it is empty then, and has no slots (Valkey 9.0)."""
    return Command("CLUSTER REPLICATE", "NO", "ONE", read=done)


def cluster_failover(*, force: bool = False, takeover: bool = False) -> Command[None]:
    """Begin to make the node, a replica, its master's successor; without asking it (`force`), nor any other (`takeover`)."""
    options = given("CLUSTER FAILOVER", force=force, takeover=takeover)
    if len(options) > 1:
        raise ValueError("force and takeover exclude each other")
    return Command("CLUSTER FAILOVER", *options, read=done)


def cluster_reset(*, hard: bool = False) -> Command[None]:
    """Have the node forget all others and its slots, and its own ID as well (`hard`)."""
    return Command("CLUSTER RESET", *given("CLUSTER RESET", hard=hard), read=done)


def cluster_saveconfig() -> Command[None]:
    """Write what the node knows to disk."""
    return Command("CLUSTER SAVECONFIG", read=done)


def cluster_set_config_epoch(config_epoch: int) -> Command[None]:
    """Give a new node its configuration's epoch."""
    return Command("CLUSTER SET-CONFIG-EPOCH", config_epoch, read=done)


def cluster_bumpepoch() -> Command[str]:
    """Make the epoch of the node's configuration the greatest; return `BUMPED` or `STILL`, and the epoch."""
    return Command("CLUSTER BUMPEPOCH", read=word)

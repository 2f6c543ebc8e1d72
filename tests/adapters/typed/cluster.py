"""What commands on a cluster return on a node that has all slots, and knows another one that has none."""

from __future__ import annotations

from adapters.typed.families import Family, Like, Refused
from resp_sansio import ClusterNode, ClusterShard, SlotNode, SlotRange, commands


def families(mine: str, other: str, port: int) -> list[Family]:
    """Return the families for a node of this ID and port, which knows the other one."""

    def are_nodes(found: list[ClusterNode]) -> bool:
        me = {node.id: node for node in found}[mine]
        return (
            {node.id for node in found} == {mine, other}
            and (me.host, me.port, me.flags, me.master_id) == ("127.0.0.1", port, {"myself", "master"}, None)
            and me.slots == [(0, 16383)]
        )

    def are_shards(found: list[ClusterShard]) -> bool:
        slots = {shard["nodes"][0]["id"]: shard["slots"] for shard in found}
        return slots == {mine: [(0, 16383)], other: []} and type(found[0]["nodes"][0]["port"]) is int

    return [
        Family(
            "clusters",
            [
                (commands.cluster_info(), Like(dict, lambda found: found["cluster_known_nodes"] == 2)),
                (commands.cluster_nodes(), Like(list, are_nodes)),
                (commands.cluster_slots(), [SlotRange(0, 16383, [SlotNode("127.0.0.1", port, mine, {})])]),
                (commands.cluster_shards(), Like(list, are_shards)),
                (commands.cluster_links(), Like(list, lambda found: {link["node"] for link in found} == {other})),
                (commands.cluster_myid(), mine),
                (commands.cluster_keyslot("k"), 7629),
                (commands.cluster_countkeysinslot(5), 0),
                (commands.cluster_getkeysinslot(5, 10), []),
                (commands.cluster_count_failure_reports(mine), 0),
                (commands.cluster_replicas(mine), []),
                (commands.cluster_bumpepoch(), Like(str, lambda said: said.split()[0] in {"BUMPED", "STILL"})),
                (commands.cluster_saveconfig(), None),
                (commands.readonly(), None),
                (commands.readwrite(), None),
                (commands.asking(), None),
            ],
        ),
        Family(
            "slots",
            [
                (commands.cluster_setslot_migrating(5, other), None),
                (commands.cluster_nodes(), Like(list, lambda found: {5: other} in [node.migrating for node in found])),
                (commands.cluster_setslot_stable(5), None),
                (commands.cluster_setslot_importing(5, other), Refused("ERR")),  # it is this node's
                (commands.cluster_setslot_node(5, mine), None),
                (commands.cluster_delslots(5, 6), None),
                (commands.cluster_setslot_importing(5, other), None),
                (commands.cluster_nodes(), Like(list, lambda found: {5: other} in [node.importing for node in found])),
                (commands.cluster_addslots(5, 6), None),
                (commands.cluster_delslotsrange(5, 6, 8, 9), None),
                (commands.cluster_addslotsrange(5, 6, 8, 9), None),
                (commands.cluster_flushslots(), None),
                (commands.cluster_slots(), []),
                (commands.cluster_addslotsrange(0, 16383), None),
            ],
        ),
        Family(
            "nodes",
            [
                (commands.cluster_meet("no address", 1, 2), Refused("ERR")),
                (commands.cluster_forget(mine), Refused("ERR")),
                (commands.cluster_replicate(mine), Refused("ERR")),
                (commands.cluster_failover(), Refused("ERR")),  # this is a master
                (commands.cluster_failover(force=True), Refused("ERR")),
                (commands.cluster_failover(takeover=True), Refused("ERR")),
                (commands.cluster_set_config_epoch(5), Refused("ERR")),  # it knows other nodes
            ],
        ),
        Family("shards", [(commands.cluster_myshardid(), Like(str))], needs=("Redis 7.2",)),
        Family(
            "statistics of slots",
            [
                (commands.cluster_slot_stats(0, 1), {0: {"key_count": 0}, 1: {"key_count": 0}}),
                (commands.cluster_slot_stats_orderby("key-count", limit=1, asc=True), {0: {"key_count": 0}}),
            ],
            needs=("Redis 8.2 or Valkey 8.0",),
        ),
        Family(
            "migrations of Redis 8.4",
            [
                (commands.cluster_migration_status(), []),
                (commands.cluster_migration_status("0" * 40), []),
                (commands.cluster_migration_import(0, 9), Refused("ERR")),  # they are this node's
                (commands.cluster_migration_cancel(), 0),
                (commands.cluster_migration_cancel("0" * 40), 0),
            ],
            needs=("Redis 8.4",),
        ),
        Family(
            "migrations of Valkey 9.0",
            [
                (commands.cluster_migrateslots(mine, 0, 9), Refused("ERR")),  # they are that node's
                (commands.cluster_getslotmigrations(), []),
                (commands.cluster_cancelslotmigrations(), Refused("ERR")),  # there are none
                (commands.cluster_flushslot(5), None),
                (commands.cluster_flushslot(5, sync=True), None),
                (commands.cluster_setslot_stable(5, timeout=1000), None),
                (commands.cluster_replicate_no_one(), None),
            ],
            needs=("Valkey 9.0",),
        ),
        SCANNED,
    ]


SCANNED = Family(
    "the keys of a cluster",
    [(commands.clusterscan(), Like(tuple, lambda found: type(found[0]) is str and found[1] == []))],
    needs=("CLUSTERSCAN",),
)

NEW = Family(
    "a node that knows no other",
    [
        (commands.cluster_set_config_epoch(5), None),
        (commands.cluster_reset(), None),
        (commands.cluster_reset(hard=True), None),
        (commands.cluster_slots(), []),
        (commands.cluster_meet("127.0.0.1", 1), None),
    ],
)
NAMES = [(family.name, family.needs) for family in families("", "", 0)]

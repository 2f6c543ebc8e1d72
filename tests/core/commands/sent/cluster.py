"""What the builders of commands on a cluster send."""

from __future__ import annotations

from core.commands.rows import Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.cluster_info(), "CLUSTER INFO"),
    (commands.cluster_nodes(), "CLUSTER NODES"),
    (commands.cluster_replicas("id"), "CLUSTER REPLICAS id"),
    (commands.cluster_shards(), "CLUSTER SHARDS"),
    (commands.cluster_slots(), "CLUSTER SLOTS"),
    (commands.cluster_links(), "CLUSTER LINKS"),
    (commands.cluster_myid(), "CLUSTER MYID"),
    (commands.cluster_myshardid(), "CLUSTER MYSHARDID"),
    (commands.cluster_count_failure_reports("id"), "CLUSTER COUNT-FAILURE-REPORTS id"),
    (commands.cluster_keyslot("k"), "CLUSTER KEYSLOT k"),
    (commands.cluster_countkeysinslot(5), "CLUSTER COUNTKEYSINSLOT 5"),
    (commands.cluster_getkeysinslot(5, 10), "CLUSTER GETKEYSINSLOT 5 10"),
    (commands.cluster_slot_stats(0, 9), "CLUSTER SLOT-STATS SLOTSRANGE 0 9"),
    (commands.cluster_slot_stats_orderby("key-count"), "CLUSTER SLOT-STATS ORDERBY key-count"),
    (
        commands.cluster_slot_stats_orderby("key-count", limit=5, asc=True),
        "CLUSTER SLOT-STATS ORDERBY key-count LIMIT 5 ASC",
    ),
    (commands.cluster_addslots(5, 6), "CLUSTER ADDSLOTS 5 6"),
    (commands.cluster_addslotsrange(0, 9, 20, 29), "CLUSTER ADDSLOTSRANGE 0 9 20 29"),
    (commands.cluster_delslots(5, 6), "CLUSTER DELSLOTS 5 6"),
    (commands.cluster_delslotsrange(0, 9, 20, 29), "CLUSTER DELSLOTSRANGE 0 9 20 29"),
    (commands.cluster_flushslots(), "CLUSTER FLUSHSLOTS"),
    (commands.cluster_flushslot(5), "CLUSTER FLUSHSLOT 5"),
    (commands.cluster_flushslot(5, asynchronous=True), "CLUSTER FLUSHSLOT 5 ASYNC"),
    (commands.cluster_setslot_importing(5, "id"), "CLUSTER SETSLOT 5 IMPORTING id"),
    (commands.cluster_setslot_migrating(5, "id", timeout=100), "CLUSTER SETSLOT 5 MIGRATING id TIMEOUT 100"),
    (commands.cluster_setslot_node(5, "id"), "CLUSTER SETSLOT 5 NODE id"),
    (commands.cluster_setslot_stable(5), "CLUSTER SETSLOT 5 STABLE"),
    (commands.clusterscan(), "CLUSTERSCAN 0"),
    (
        commands.clusterscan("0-{k}-0", match="a*", count=5, type="hash", slot=7),
        "CLUSTERSCAN 0-{k}-0 MATCH a* COUNT 5 TYPE hash SLOT 7",
    ),
    (commands.cluster_migration_import(0, 9, 20, 29), "CLUSTER MIGRATION IMPORT 0 9 20 29"),
    (commands.cluster_migration_status(), "CLUSTER MIGRATION STATUS ALL"),
    (commands.cluster_migration_status("id"), "CLUSTER MIGRATION STATUS ID id"),
    (commands.cluster_migration_cancel(), "CLUSTER MIGRATION CANCEL ALL"),
    (commands.cluster_migration_cancel("id"), "CLUSTER MIGRATION CANCEL ID id"),
    (commands.cluster_migrateslots("id", 0, 9, 20, 29), "CLUSTER MIGRATESLOTS SLOTSRANGE 0 9 20 29 NODE id"),
    (commands.cluster_getslotmigrations(), "CLUSTER GETSLOTMIGRATIONS"),
    (commands.cluster_cancelslotmigrations(), "CLUSTER CANCELSLOTMIGRATIONS"),
    (commands.cluster_meet("::1", 7000), "CLUSTER MEET ::1 7000"),
    (commands.cluster_meet("::1", 7000, 17000), "CLUSTER MEET ::1 7000 17000"),
    (commands.cluster_forget("id"), "CLUSTER FORGET id"),
    (commands.cluster_replicate("id"), "CLUSTER REPLICATE id"),
    (commands.cluster_replicate_no_one(), "CLUSTER REPLICATE NO ONE"),
    (commands.cluster_failover(), "CLUSTER FAILOVER"),
    (commands.cluster_failover(force=True), "CLUSTER FAILOVER FORCE"),
    (commands.cluster_failover(takeover=True), "CLUSTER FAILOVER TAKEOVER"),
    (commands.cluster_reset(), "CLUSTER RESET"),
    (commands.cluster_reset(hard=True), "CLUSTER RESET HARD"),
    (commands.cluster_saveconfig(), "CLUSTER SAVECONFIG"),
    (commands.cluster_set_config_epoch(5), "CLUSTER SET-CONFIG-EPOCH 5"),
    (commands.cluster_bumpepoch(), "CLUSTER BUMPEPOCH"),
]

REFUSED: Refused = [
    (lambda: commands.cluster_failover(force=True, takeover=True), "force and takeover exclude each other"),
]

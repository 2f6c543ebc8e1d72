"""What the builders of commands for a Sentinel send."""

from __future__ import annotations

from core.commands.rows import Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.sentinel_masters(), "SENTINEL MASTERS"),
    (commands.sentinel_primaries(), "SENTINEL PRIMARIES"),
    (commands.sentinel_master("m"), "SENTINEL MASTER m"),
    (commands.sentinel_primary("m"), "SENTINEL PRIMARY m"),
    (commands.sentinel_replicas("m"), "SENTINEL REPLICAS m"),
    (commands.sentinel_sentinels("m"), "SENTINEL SENTINELS m"),
    (commands.sentinel_get_master_addr_by_name("m"), "SENTINEL GET-MASTER-ADDR-BY-NAME m"),
    (commands.sentinel_get_primary_addr_by_name("m"), "SENTINEL GET-PRIMARY-ADDR-BY-NAME m"),
    (commands.sentinel_is_master_down_by_addr("h", 1, 2), "SENTINEL IS-MASTER-DOWN-BY-ADDR h 1 2 *"),
    (commands.sentinel_is_primary_down_by_addr("h", 1, 2, "id"), "SENTINEL IS-PRIMARY-DOWN-BY-ADDR h 1 2 id"),
    (commands.sentinel_myid(), "SENTINEL MYID"),
    (commands.sentinel_ckquorum("m"), "SENTINEL CKQUORUM m"),
    (commands.sentinel_info_cache("m", "n"), "SENTINEL INFO-CACHE m n"),
    (commands.sentinel_pending_scripts(), "SENTINEL PENDING-SCRIPTS"),
    (commands.sentinel_monitor("m", "h", 1, 2), "SENTINEL MONITOR m h 1 2"),
    (commands.sentinel_set("m", {"quorum": 2, "auth-pass": "secret"}), "SENTINEL SET m quorum 2 auth-pass secret"),
    (commands.sentinel_remove("m"), "SENTINEL REMOVE m"),
    (commands.sentinel_reset("m*"), "SENTINEL RESET m*"),
    (commands.sentinel_failover("m"), "SENTINEL FAILOVER m"),
    (commands.sentinel_config_get("*", "loglevel"), "SENTINEL CONFIG GET * loglevel"),
    (commands.sentinel_config_set("loglevel", "notice"), "SENTINEL CONFIG SET loglevel notice"),
    (commands.sentinel_flushconfig(), "SENTINEL FLUSHCONFIG"),
]

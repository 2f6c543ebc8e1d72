"""What commands for a Sentinel return on one that watches a master of no replicas."""

from __future__ import annotations

from adapters.typed.families import Family, Like, Refused
from resp_sansio import CachedInfo, MasterDown, SentinelInstance, SentinelRole, commands


def families(port: int) -> list[Family]:
    """Return the families for a Sentinel of a master at this port."""

    def is_master(found: SentinelInstance) -> bool:
        return (found["name"], found["ip"], found["port"], found["quorum"]) == ("main", "127.0.0.1", port, 1) and (
            "master" in found["flags"] and type(found["num_slaves"]) is int
        )

    return [
        Family(
            "sentinels",
            [
                (commands.role(), SentinelRole("sentinel", ["main"])),
                (commands.sentinel_masters(), Like(list, lambda found: [*map(is_master, found)] == [True])),
                (commands.sentinel_master("main"), Like(dict, is_master)),
                (commands.sentinel_master("none"), Refused("ERR")),
                (commands.sentinel_replicas("main"), []),
                (commands.sentinel_sentinels("main"), []),
                (commands.sentinel_get_master_addr_by_name("main"), ("127.0.0.1", port)),
                (commands.sentinel_get_master_addr_by_name("none"), None),
                (commands.sentinel_is_master_down_by_addr("127.0.0.1", port, 0), MasterDown(False, "*", 0)),
                (commands.sentinel_myid(), Like(str)),
                (commands.sentinel_ckquorum("main"), Like(str, lambda said: said.startswith("OK 1 usable"))),
                (
                    commands.sentinel_info_cache("main"),
                    Like(dict, lambda found: [type(each) for each in found["main"]] == [CachedInfo]),
                ),
                (commands.sentinel_pending_scripts(), []),
                (commands.sentinel_monitor("other", "127.0.0.1", 1, 2), None),
                (commands.sentinel_set("other", {"quorum": 3, "down-after-milliseconds": 1000}), None),
                (commands.sentinel_remove("other"), None),
                (commands.sentinel_reset("none*"), 0),
                (commands.sentinel_failover("main"), Refused("NOGOODSLAVE")),
                (commands.sentinel_config_set("announce-port", 5), None),
                (commands.sentinel_config_get("announce-port"), {"announce-port": "5"}),
                (commands.sentinel_flushconfig(), None),
            ],
        ),
        Family(
            "sentinels of Valkey 8.0",
            [
                (commands.sentinel_primaries(), Like(list, lambda found: [*map(is_master, found)] == [True])),
                (commands.sentinel_primary("main"), Like(dict, is_master)),
                (commands.sentinel_get_primary_addr_by_name("main"), ("127.0.0.1", port)),
                (commands.sentinel_is_primary_down_by_addr("127.0.0.1", port, 0), MasterDown(False, "*", 0)),
            ],
            needs=("Valkey 8.0",),
        ),
    ]


NAMES = [(family.name, family.needs) for family in families(0)]

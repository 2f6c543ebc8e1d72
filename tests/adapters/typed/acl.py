"""What commands on users return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family, Like, Refused
from resp_sansio import commands

HASH = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"  # of "secret"

FAMILIES = [
    Family(
        "users",
        [
            (commands.acl_whoami(), "default", lambda redis: redis.acl_whoami()),
            (commands.acl_cat(), Like(list, lambda found: {"read", "write", "keyspace"} < {*found})),
            (commands.acl_cat("hash"), Like(list, lambda found: {"hget", "hset"} < {*found})),
            (commands.acl_genpass(), Like(str, lambda found: len(found) == 64)),
            (commands.acl_genpass(32), Like(str, lambda found: len(found) == 8)),
            (commands.acl_setuser("ada", "reset", "on", ">secret", "~k:*", "+get", "+acl|log"), None),
            (commands.acl_users(), ["ada", "default"]),
            (commands.acl_list(), Like(list, lambda found: f"#{HASH}" in found[0])),
            (
                commands.acl_getuser("ada"),
                Like(
                    dict,
                    lambda user: "on" in user["flags"] and type(user["flags"]) is set and user["passwords"] == [HASH],
                ),
            ),
            (commands.acl_getuser("nobody"), None, lambda redis: redis.acl_getuser("nobody")),
            (commands.acl_log_reset(), None),
            (commands.acl_log(), []),
            (commands.auth("wrong", username="ada"), Refused("WRONGPASS")),
            (commands.acl_log(1), Like(list, lambda found: type(found[0]["age_seconds"]) is float)),
            (
                commands.acl_log(),
                Like(list, lambda found: [(each["reason"], each["count"]) for each in found] == [("auth", 1)]),
            ),
            (commands.acl_deluser("ada", "nobody"), 1),
            (commands.acl_save(), Refused("ERR")),  # there is no file
            (commands.acl_load(), Refused("ERR")),
        ],
        needs=("ACL LOG",),
    ),
    Family(
        "users since Redis 7.0",
        [
            (commands.acl_setuser("ada", "reset", "on", "~k:*", "&c", "+get", "(~other +set)"), None),
            (commands.acl_dryrun("ada", "GET", "k:1"), None),
            (commands.acl_dryrun("ada", "SET", "k:1", 1), Like(str, lambda why: "no permissions" in why)),
            (
                commands.acl_getuser("ada"),
                Like(
                    dict,
                    lambda user: (
                        (user["commands"], user["keys"], user["channels"]) == ("-@all +get", "~k:*", "&c")
                        and user["selectors"][0]["keys"] == "~other"
                    ),
                ),
            ),
            (commands.acl_deluser("ada"), 1),
        ],
        needs=("Redis 7.0",),
    ),
]

"""What commands on keys of any type return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family, Like
from resp_sansio import commands

FAMILIES = [
    Family(
        "keys",
        [
            (commands.set("k", "v"), True),
            (commands.ttl("k"), -1),
            (commands.pttl("none"), -2),
            (commands.expire("k", 100), True),
            (commands.expire("none", 100), False),
            (commands.ttl("k"), 100),
            (commands.pexpire("k", 100_000), True),
            (commands.expireat("k", 2**33), True),
            (commands.pexpireat("k", 2**43), True),
            (commands.pttl("k"), Like(int, lambda left: left > 2**42)),
            (commands.persist("k"), True),
            (commands.persist("k"), False),
            (commands.type("k"), "string"),
            (commands.type("none"), "none"),
            (commands.exists("k", "k", "none"), 2),
            (commands.touch("k", "none"), 1),
            (commands.rename("k", "l"), None),
            (commands.set("k", "v"), True),
            (commands.renamenx("k", "l"), False),
            (commands.renamenx("k", "m"), True),
            (commands.keys("[lm]"), Like(list, lambda keys: sorted(keys) == [b"l", b"m"])),
            (commands.scan(0, match="l", count=100, type="string"), (0, [b"l"])),
            (commands.delete("l", "none"), 1),
            (commands.unlink("m"), 1),
            (commands.scan(), (0, [])),
        ],
    ),
    Family(
        "keys since Redis 7.0",
        [
            (commands.set("k", "v"), True),
            (commands.expire("k", 100, xx=True), False),
            (commands.expire("k", 100, nx=True), True),
            (commands.pexpire("k", 1, gt=True), False),
            (commands.expireat("k", 2**33, xx=True, gt=True), True),
            (commands.pexpireat("k", 2**43, lt=True), False),
        ],
        needs=("Redis 7.0",),
    ),
]

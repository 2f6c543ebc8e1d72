"""What commands on strings return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family
from resp_sansio import LcsMatch, LcsMatches, commands

DIGEST_OF_V = "f7042be43fb80714"

FAMILIES = [
    Family(
        "strings",
        [
            (commands.get("k"), None),
            (commands.set("k", "v", nx=True, ex=100), True),
            (commands.set("k", "w", nx=True), False),
            (commands.get("k"), b"v"),
            (commands.append("k", "w"), 2),
            (commands.strlen("k"), 2),
            (commands.setrange("k", 1, "xyz"), 4),
            (commands.getrange("k", 0, 1), b"vx"),
            (commands.getrange("none", 0, 1), b""),
            (commands.mset({"a": 1, b"b": b"\xff", "c": 1.5}), None),
            (commands.mget("a", "none", "b", "c"), [b"1", None, b"\xff", b"1.5"]),
            (commands.msetnx({"d": 1, "a": 2}), False),
            (commands.msetnx({"d": 1}), True),
            (commands.incr("a"), 2),
            (commands.incrby("a", 5), 7),
            (commands.decr("a"), 6),
            (commands.decrby("a", 8), -2),
            (commands.incrbyfloat("a", 0.5), -1.5),
            (commands.incrbyfloat("a", 1.5), 0.0),
            (commands.setnx("e", "v"), True, lambda redis: redis.setnx("e", "v")),
            (commands.setnx("e", "w"), False, lambda redis: redis.setnx("e", "w")),
            (commands.getset("e", "w"), b"v", lambda redis: redis.getset("e", "w")),
            (commands.getset("f", "w"), None),
            (commands.setex("e", 100, "xyz"), None),
            (commands.ttl("e"), 100),
            (commands.psetex("e", 200_000, "xyz"), None),
            (commands.ttl("e"), 200),
            (commands.substr("e", 1, -1), b"yz", lambda redis: redis.substr("e", 1, -1)),
        ],
    ),
    Family(
        "strings since Redis 6.2",
        [
            (commands.set_get("k", "v"), None),
            (commands.set_get("k", "w", ex=100), b"v"),
            (commands.getex("k", persist=True), b"w"),
            (commands.ttl("k"), -1),
            (commands.getex("k", px=100_000), b"w"),
            (commands.set("k", "x", keepttl=True), True),
            (commands.ttl("k"), 100),
            (commands.getdel("k"), b"x"),
            (commands.getdel("k"), None),
        ],
        needs=("Redis 6.2",),
    ),
    Family(
        "strings since Redis 7.0",
        [
            (commands.set_get("k", "v", nx=True), None),
            (commands.mset({"a": "ohmytext", "b": "mynewtext"}), None),
            (commands.lcs("a", "b"), b"mytext", lambda redis: redis.lcs("a", "b")),
            (commands.lcs("a", "none"), b""),
            (commands.lcs_len("a", "b"), 6, lambda redis: redis.lcs("a", "b", len=True)),
            (
                commands.lcs_idx("a", "b"),
                LcsMatches([LcsMatch((4, 7), (5, 8)), LcsMatch((2, 3), (0, 1))], 6),
            ),
            (commands.lcs_idx("a", "b", minmatchlen=4), LcsMatches([LcsMatch((4, 7), (5, 8))], 6)),
            (commands.lcs_idx("a", "none"), LcsMatches([], 0)),
        ],
        needs=("Redis 7.0",),
    ),
    Family(
        "strings set if they are equal",
        [
            (commands.set("k", "w", ifeq="v"), False),
            (commands.set("k", "v"), True),
            (commands.set("k", "w", ifeq="x"), False),
            (commands.set("k", "w", ifeq="v", ex=100), True),
            (commands.set_get("k", "x", ifeq="v"), b"w"),
            (commands.set_get("k", "x", ifeq="w"), b"w"),
            (commands.get("k"), b"x"),
        ],
        needs=("Redis 8.4 or Valkey 8.1",),
    ),
    Family(
        "strings set or deleted if they are equal or not, or their digests are",
        [
            (commands.set("k", "v", ifne="v"), True),
            (commands.set("k", "v", ifne="v"), False),
            (commands.digest("k"), DIGEST_OF_V),
            (commands.digest("none"), None),
            (commands.set("k", "w", ifdeq=DIGEST_OF_V), True),
            (commands.set("k", "v", ifdeq=DIGEST_OF_V), False),
            (commands.set_get("k", "v", ifdne=DIGEST_OF_V), b"w"),
            (commands.delex("k", ifeq="x"), False),
            (commands.delex("k", ifne="v"), False),
            (commands.delex("k", ifdne=DIGEST_OF_V), False),
            (commands.delex("k", ifdeq=DIGEST_OF_V), True),
            (commands.delex("k"), False),
        ],
        needs=("Redis 8.4",),
    ),
    Family(
        "several strings that expire",
        [
            (commands.msetex({"k": 1, "l": 2}, xx=True), False),
            (commands.msetex({"k": 1, "l": 2}, nx=True, ex=100), True),
            (commands.ttl("l"), 100),
            (commands.msetex({"k": 3, "m": 2}, nx=True), False),
            (commands.msetex({"k": 3}, keepttl=True), True),
            (commands.ttl("k"), 100),
            (commands.msetex({"k": 3}), True),
            (commands.ttl("k"), -1),
        ],
        needs=("Redis 8.4 or Valkey 9.1",),
    ),
    Family(
        "strings deleted if they are equal",
        [
            (commands.set("k", "v"), True),
            (commands.delifeq("k", "w"), False),
            (commands.delifeq("k", "v"), True),
            (commands.delifeq("k", "v"), False),
        ],
        needs=("Valkey 9.0",),
    ),
]

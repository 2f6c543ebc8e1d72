"""What commands on hashes return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family, Like
from resp_sansio import commands


def left(*seconds: int) -> Like:
    """So many seconds for each field, of which some may be over; or that the server says why there are none."""
    return Like(
        list,
        lambda found: all(
            left <= one and (left == one < 0 or left > one / 2) for left, one in zip(found, seconds, strict=True)
        ),
    )


FAMILIES = [
    Family(
        "hashes",
        [
            (commands.hset("h", "a", 1), 1),
            (commands.hset("h", "a", 2, mapping={"b": b"\x00"}), 1),
            (commands.hsetnx("h", "a", 3), False),
            (commands.hget("h", "a"), b"2"),
            (commands.hget("h", "none"), None),
            (commands.hgetall("h"), {b"a": b"2", b"b": b"\x00"}, lambda redis: redis.hgetall("h")),
            (commands.hgetall("none"), {}),
            (commands.hmget("h", "b", "none"), [b"\x00", None]),
            (commands.hexists("h", "b"), True),
            (commands.hdel("h", "b", "none"), 1),
            (commands.hincrby("h", "a", 3), 5),
            (commands.hincrbyfloat("h", "a", 0.25), 5.25),
            (commands.hlen("h"), 1),
            (commands.hkeys("h"), [b"a"]),
            (commands.hvals("h"), [b"5.25"]),
            (commands.hscan("h"), (0, {b"a": b"5.25"})),
            (commands.hmset("h", {"b": b"\xff", "c": 3}), None),
            (commands.hstrlen("h", "a"), 4, lambda redis: redis.hstrlen("h", "a")),
            (commands.hstrlen("h", "none"), 0),
        ],
    ),
    Family(
        "hashes since Redis 6.2",
        [
            (commands.hrandfield("h"), None, lambda redis: redis.hrandfield("h")),
            (commands.hrandfield_count("h", 2), []),
            (commands.hrandfield_withvalues("h", 2), []),
            (commands.hset("h", "a", b"\xff"), 1),
            (commands.hrandfield("h"), b"a", lambda redis: redis.hrandfield("h")),
            (commands.hrandfield_count("h", 5), [b"a"], lambda redis: redis.hrandfield("h", 5)),
            (commands.hrandfield_count("h", -2), [b"a", b"a"], lambda redis: redis.hrandfield("h", -2)),
            (commands.hrandfield_withvalues("h", 5), [(b"a", b"\xff")]),
            (commands.hrandfield_withvalues("h", -2), [(b"a", b"\xff"), (b"a", b"\xff")]),
            (commands.hset("h", "b", "c"), 1),
            (
                commands.hrandfield_withvalues("h", 5),
                Like(list, lambda found: sorted(found) == [(b"a", b"\xff"), (b"b", b"c")]),
            ),
        ],
        needs=("Redis 6.2",),
    ),
    Family(
        "hashes without values",
        [
            (commands.hset("h", "a", 1), 1),
            (commands.hscan_novalues("h"), (0, [b"a"]), lambda redis: redis.hscan("h", no_values=True)),
            (commands.hscan_novalues("h", 0, match="b*", count=9), (0, [])),
            (commands.hscan_novalues("none"), (0, [])),
        ],
        needs=("Redis 7.4 or Valkey 8.0",),
    ),
    Family(
        "hashes whose fields expire",
        [
            (commands.hset("h", mapping={"a": 1, "b": 2, "c": 3}), 3),
            (
                commands.hexpire("h", 1000, "a", "b", "none"),
                [1, 1, -2],
                lambda redis: redis.hexpire("h", 1000, "a", "b", "none"),
            ),
            (
                commands.hexpire("h", 2000, "a", "c", nx=True),
                [0, 1],
                lambda redis: redis.hexpire("h", 2000, "a", "c", nx=True),
            ),
            (commands.hexpire("h", 500, "a", gt=True), [0]),
            (commands.hexpire("h", 500, "a", xx=True), [1]),
            (commands.hexpire("none", 50, "a"), [-2]),
            (
                commands.httl("h", "a", "b", "none"),
                left(500, 1000, -2),
                lambda redis: redis.httl("h", "a", "b", "none"),
            ),
            (commands.httl("none", "a"), [-2]),
            (
                commands.hpexpire("h", 900_000, "a", "b", lt=True),
                [0, 1],
                lambda redis: redis.hpexpire("h", 900_000, "a", "b", lt=True),
            ),
            (commands.hpttl("h", "b"), Like(list, lambda left: 800_000 < left[0] <= 900_000)),
            (commands.hexpireat("h", 2**33, "a", "b"), [1, 1], lambda redis: redis.hexpireat("h", 2**33, "a", "b")),
            (
                commands.hexpiretime("h", "a", "b", "none"),
                [2**33, 2**33, -2],
                lambda redis: redis.hexpiretime("h", "a", "b", "none"),
            ),
            (
                commands.hpexpireat("h", 2**43, "a", gt=True),
                [1],
                lambda redis: redis.hpexpireat("h", 2**43, "a", gt=True),
            ),
            (commands.hpexpiretime("h", "a", "none"), [2**43, -2], lambda redis: redis.hpexpiretime("h", "a", "none")),
            (commands.hpersist("h", "a", "none"), [1, -2], lambda redis: redis.hpersist("h", "a", "none")),
            (commands.hpersist("h", "a"), [-1]),
            (commands.httl("h", "a"), [-1]),
            (commands.hexpiretime("h", "a"), [-1]),
            (commands.hexpire("h", 0, "a", "b"), [2, 2]),
            (commands.hexpireat("h", 1, "c"), [2], lambda redis: redis.hexpireat("h", 1, "c")),
            (commands.hgetall("h"), {}),
        ],
        needs=("Redis 7.4 or Valkey 9.0",),
    ),
    Family(
        "hashes whose fields are set with an expiry",
        [
            (commands.hsetex("h", {"a": 1, "b": b"\xff"}, ex=1000), True),
            (commands.hsetex("h", {"b": 1, "c": 1}, fnx=True), False),
            (commands.hsetex("h", {"c": 1}, fxx=True), False),
            (commands.hsetex("h", {"a": 2}, fxx=True, keepttl=True), True),
            (
                commands.hgetex("h", "a", "none", "b"),
                [b"2", None, b"\xff"],
                lambda redis: redis.hgetex("h", "a", "none", "b"),
            ),
            (commands.httl("h", "a", "b"), left(1000, 1000)),
            (commands.hgetex("h", "a", persist=True), [b"2"], lambda redis: redis.hgetex("h", "a", persist=True)),
            (commands.hgetex("h", "b", px=2_000_000), [b"\xff"]),
            (commands.httl("h", "a", "b"), left(-1, 2000)),
            (commands.hgetex("h", "a", exat=2**33), [b"2"]),
            (commands.hexpiretime("h", "a"), [2**33]),
            (commands.hgetex("none", "a", "b"), [None, None], lambda redis: redis.hgetex("none", "a", "b")),
            (commands.hsetex("h", {"a": 3}), True),
            (commands.httl("h", "a"), [-1]),
        ],
        needs=("Redis 8.0 or Valkey 9.0",),
    ),
    Family(
        "hashes that are set only where there is one",
        [
            (commands.hsetex("h", {"a": 1}, xx=True), False),
            (commands.hsetex("h", {"a": 1}, nx=True), True),
            (commands.hsetex("h", {"a": 2}, nx=True), False),
            (commands.hsetex("h", {"a": 3}, xx=True, fxx=True, pxat=2**43), True),
            (commands.hpexpiretime("h", "a"), [2**43]),
        ],
        needs=("Valkey 9.0",),
    ),
    Family(
        "hashes whose fields are taken",
        [
            (commands.hset("h", mapping={"a": 1, "b": b"\xff"}), 2),
            (commands.hgetdel("h", "b", "none"), [b"\xff", None], lambda redis: redis.hgetdel("h", "b", "none")),
            (commands.hgetdel("h", "a", "b"), [b"1", None]),
            (commands.exists("h"), 0),
            (commands.hgetdel("h", "a"), [None], lambda redis: redis.hgetdel("h", "a")),
        ],
        needs=("Redis 8.0 or Valkey 9.1",),
    ),
]

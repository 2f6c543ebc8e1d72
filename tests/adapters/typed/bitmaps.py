"""What commands on bits return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family
from resp_sansio import commands

FAMILIES = [
    Family(
        "bits",
        [
            (commands.setbit("k", 7, 1), 0, lambda redis: redis.setbit("k", 7, 1)),
            (commands.setbit("k", 7, 1), 1),
            (commands.setbit("k", 22, 1), 0),
            (commands.get("k"), b"\x01\x00\x02"),
            (commands.getbit("k", 22), 1, lambda redis: redis.getbit("k", 22)),
            (commands.getbit("k", 1000), 0),
            (commands.bitcount("k"), 2, lambda redis: redis.bitcount("k")),
            (commands.bitcount("k", 1), 1),
            (commands.bitcount("k", end=1), 1, lambda redis: redis.bitcount("k", 0, 1)),
            (commands.bitcount("none"), 0),
            (commands.bitpos("k", 1), 7, lambda redis: redis.bitpos("k", 1)),
            (commands.bitpos("k", 1, 1), 22, lambda redis: redis.bitpos("k", 1, 1)),
            (commands.bitpos("k", 1, 1, 1), -1, lambda redis: redis.bitpos("k", 1, 1, 1)),
            (commands.set("l", b"\xff"), True),
            (commands.bitpos("l", 0), 8),
            (commands.bitpos("l", 0, end=-1), -1),
            (commands.bitop("AND", "d", "k", "l"), 3, lambda redis: redis.bitop("AND", "d", "k", "l")),
            (commands.get("d"), b"\x01\x00\x00"),
            (commands.bitop("OR", "d", "k", "l"), 3),
            (commands.bitop("XOR", "d", "k", "l"), 3),
            (commands.get("d"), b"\xfe\x00\x02"),
            (commands.bitop("NOT", "d", "l"), 1),
            (commands.get("d"), b"\x00"),
            (commands.bitop("NOT", "d", "none"), 0),
        ],
    ),
    Family(
        "bits as integers",
        [
            (
                commands.bitfield(
                    "k",
                    ("SET", "u8", "#0", 255),
                    ("INCRBY", "u8", 0, 10),
                    ("OVERFLOW", "SAT"),
                    ("INCRBY", "i5", 100, 99),
                    ("OVERFLOW", "FAIL"),
                    ("INCRBY", "i5", 100, 1),
                    ("GET", "i5", 100),
                ),
                [0, 9, 15, None, 15],
            ),
            (commands.bitfield("k", ("GET", "u8", 0)), [9], lambda redis: redis.bitfield("k").get("u8", 0).execute()),
            (commands.bitfield("k", ("OVERFLOW", "WRAP")), []),
            (commands.bitfield("none", ("GET", "i64", 0)), [0]),
            (commands.bitfield("none"), []),
            (
                commands.bitfield_ro("k", ("GET", "u8", "#0"), ("GET", "i5", 100)),
                [9, 15],
                lambda redis: redis.bitfield_ro("k", "u8", "#0", [("i5", 100)]),
            ),
            (commands.bitfield_ro("none"), []),
        ],
    ),
    Family(
        "bits since Redis 7.0",
        [
            (commands.set("k", b"\x01\x00\x02"), True),
            (commands.bitcount("k", 7, unit="BIT"), 2),
            (commands.bitcount("k", 8, -1, unit="BIT"), 1, lambda redis: redis.bitcount("k", 8, -1, "BIT")),
            (commands.bitpos("k", 1, 8, -1, unit="BIT"), 22, lambda redis: redis.bitpos("k", 1, 8, -1, "BIT")),
            (commands.bitpos("k", 0, 7, 7, unit="BIT"), -1),
        ],
        needs=("Redis 7.0",),
    ),
    Family(
        "bits since Redis 8.2",
        [
            (commands.mset({"k": b"\x0f", "l": b"\x05", "m": b"\x36"}), None),
            (commands.bitop("DIFF", "d", "k", "l", "m"), 1),
            (commands.get("d"), b"\x08"),
            (commands.bitop("DIFF1", "d", "k", "l", "m"), 1),
            (commands.get("d"), b"\x30"),
            (commands.bitop("ANDOR", "d", "k", "l", "m"), 1),
            (commands.get("d"), b"\x07"),
            (commands.bitop("ONE", "d", "k", "l", "m"), 1),
            (commands.get("d"), b"\x38"),
        ],
        needs=("Redis 8.2",),
    ),
]

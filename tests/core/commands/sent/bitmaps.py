"""What the builders of commands on bits send, and what they refuse."""

from __future__ import annotations

from typing import Any

from core.commands.rows import Beside, Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.getbit("k", 7), "GETBIT k 7"),
    (commands.setbit("k", 7, 1), "SETBIT k 7 1"),
    (commands.bitcount("k"), "BITCOUNT k"),
    (commands.bitcount("k", unit="BIT"), "BITCOUNT k"),  # all bits are as many
    (commands.bitcount("k", 1), "BITCOUNT k 1 -1"),
    (commands.bitcount("k", end=5), "BITCOUNT k 0 5"),
    (commands.bitcount("k", 5, -2, unit="BIT"), "BITCOUNT k 5 -2 BIT"),
    (commands.bitcount("k", 5, unit="BIT"), "BITCOUNT k 5 -1 BIT"),
    (commands.bitpos("k", 1), "BITPOS k 1"),
    (commands.bitpos("k", 0, 2), "BITPOS k 0 2"),
    (commands.bitpos("k", 0, end=2), "BITPOS k 0 0 2"),
    (commands.bitpos("k", 0, 2, -1), "BITPOS k 0 2 -1"),
    (commands.bitpos("k", 0, 2, -1, unit="BIT"), "BITPOS k 0 2 -1 BIT"),
    (commands.bitop("AND", "d", "k", "l"), "BITOP AND d k l"),
    (commands.bitop("NOT", "d", "k"), "BITOP NOT d k"),
    (commands.bitop("DIFF1", "d", "k", "l"), "BITOP DIFF1 d k l"),
    (commands.bitfield("k"), "BITFIELD k"),
    (commands.bitfield("k", ("GET", "u8", 0)), "BITFIELD k GET u8 0"),
    (
        commands.bitfield("k", ("OVERFLOW", "FAIL"), ("SET", "i5", "#2", -1), ("INCRBY", "u2", 100, 1)),
        "BITFIELD k OVERFLOW FAIL SET i5 #2 -1 INCRBY u2 100 1",
    ),
    (commands.bitfield_ro("k", ("GET", "u8", 0), ("GET", "i4", "#1")), "BITFIELD_RO k GET u8 0 GET i4 #1"),
]

build: Any = commands
NO_OPERATION = r"an operation of BITFIELD is \('GET', type, offset\)"

REFUSED: Refused = [
    (lambda: commands.bitpos("k", 0, 5, unit="BIT"), "unit says what start and end count: give end, too"),
    (lambda: build.bitfield("k", ("GET", "u8")), NO_OPERATION),
    (lambda: build.bitfield("k", ("GET", "u8", 0, 1)), NO_OPERATION),
    (lambda: build.bitfield("k", ("OVERFLOW", "FAIL", "GET")), NO_OPERATION),
    (lambda: build.bitfield("k", ("get", "u8", 0)), NO_OPERATION),
    (lambda: build.bitfield("k", ("INCR", "u8", 0, 1)), NO_OPERATION),
    (lambda: build.bitfield("k", (["GET"], "u8", 0)), NO_OPERATION),
    (lambda: build.bitfield("k", ()), NO_OPERATION),
]

BESIDE: Beside = {
    commands.bitcount: {"end": 7},
    commands.bitpos: {"end": 7},
}

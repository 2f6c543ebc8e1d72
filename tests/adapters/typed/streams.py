"""What commands on streams return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family, Like
from resp_sansio import Command, Entry, commands

FAMILIES = [
    Family(
        "streams",
        [
            (commands.xadd("x", {"f": 1}, id="1-1"), b"1-1"),
            (Command("XADD", "x", "2-0", "f", 1, "f", 2, read=commands.xadd("x", {}).read), b"2-0"),
            (commands.xadd("x", {"f": 3}, maxlen=100), Like(bytes, lambda id: b"-" in id)),
            (commands.xlen("x"), 3),
            (commands.xrange("x", count=1), [Entry(b"1-1", [(b"f", b"1")])]),
            (commands.xrange("x", 2, 2), [Entry(b"2-0", [(b"f", b"1"), (b"f", b"2")])]),
            (commands.xrevrange("x", 1), [Entry(b"1-1", [(b"f", b"1")])]),
            (commands.xrange("none"), []),
            (commands.xread({"x": 0, "none": 0}, count=1), {b"x": [Entry(b"1-1", [(b"f", b"1")])]}),
            (commands.xread({"x": "$"}, block=1), {}),
            (commands.xgroup_create("x", "g", 0), None),
            (commands.xgroup_create("y", "g", mkstream=True), None),
            (commands.xreadgroup("g", "c", {"x": ">"}, count=1), {b"x": [Entry(b"1-1", [(b"f", b"1")])]}),
            (commands.xreadgroup("g", "c", {"y": ">"}), {}),
            (commands.xdel("x", "1-1", "9-9"), 1),
            (commands.xreadgroup("g", "c", {"x": 0}), {b"x": [Entry(b"1-1", [])]}),  # deleted while it was pending
            (commands.xack("x", "g", "1-1", "9-9"), 1),
            (commands.xtrim("x", maxlen=1, approximate=False), 1),
            (commands.xgroup_destroy("x", "g"), True),
            (commands.xgroup_destroy("x", "g"), False),
        ],
    ),
    Family(
        "streams since Redis 6.2",
        [
            (commands.xadd("x", {"f": 1}, id="1-0"), b"1-0"),
            (commands.xtrim("x", minid=5, approximate=False), 1),
            (commands.xtrim("x", maxlen=5, limit=10), 0),
        ],
        needs=("Redis 6.2",),
    ),
]

"""What commands on vector sets return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family, Like
from resp_sansio import RawVector, Similar, VectorSetInfo, commands

ONE = b"\xab\xaa\xaa>\xab\xaa*?\xab\xaa*?"  # (1, 2, 2) / 3 as 32-bit floats
WIDE = 0.800000011920929  # 4/5 as such a float

# On how many levels an element stands is chance; on the lowest it is linked to the other one.
LEVELS = Like(list, lambda levels: b"away" in levels[-1])
SCORED = Like(list, lambda levels: (b"away", 0.0) in levels[-1])


def as_made(found: VectorSetInfo) -> bool:
    """What is said of a set, but for what is chance or counts all of the server's."""
    same = found["vector_dim"], found["projection_input_dim"], found["size"], found["attributes_count"]
    return (found["quant_type"], found["hnsw_m"], *same) == ("f32", 8, 3, 0, 2, 1) and found["max_level"] >= 0


FAMILIES = [
    Family(
        "vector sets",
        [
            (commands.vadd("v", [1, 2.0, 2], "one", noquant=True, m=8), True),
            (commands.vadd("v", [1, 2, 2], "one", noquant=True, m=8), False),
            (commands.vadd("v", [-1, -2, -2], "away", noquant=True, ef=50, m=8, setattr='{"x":1}'), True),
            (commands.vadd("f", b"\0\0\x80?\0\0\0@", "e", cas=True), True),
            (commands.vadd("r", [1, 2, 3], "e", reduce=2), True),
            (commands.vadd("b", [3, -4], "e", bin=True), True),
            (commands.vadd("q", [3, 4], "e", q8=True), True),
            (commands.vcard("v"), 2, lambda redis: redis.vset().vcard("v")),
            (commands.vcard("none"), 0, lambda redis: redis.vset().vcard("none")),
            (commands.vdim("r"), 2, lambda redis: redis.vset().vdim("r")),
            (commands.vemb("v", "one"), [1.0, 2.0, 2.0], lambda redis: redis.vset().vemb("v", "one")),
            (commands.vemb("b", "e"), [1.0, -1.0], lambda redis: redis.vset().vemb("b", "e")),
            (commands.vemb("v", "none"), None, lambda redis: redis.vset().vemb("v", "none")),
            (commands.vemb("none", "e"), None),
            (commands.vemb_raw("v", "one"), RawVector("f32", ONE, 3.0, None)),
            (commands.vemb_raw("q", "e"), RawVector("int8", b"_\x7f", 5.0, WIDE)),
            (commands.vemb_raw("b", "e"), RawVector("bin", b"\1\0\0\0\0\0\0\0", 5.0)),
            (commands.vemb_raw("v", "none"), None),
            (commands.vgetattr("v", "away"), b'{"x":1}'),
            (commands.vgetattr("v", "one"), None),
            (commands.vgetattr("none", "e"), None),
            (commands.vsetattr("v", "none", "{}"), False),
            (commands.vsetattr("v", "one", "{}"), True),
            (commands.vsetattr("v", "one", ""), True),
            (commands.vgetattr("v", "one"), None),
            (commands.vinfo("v"), Like(dict, as_made)),
            (commands.vinfo("none"), None),
            (commands.vlinks("v", "one"), LEVELS),
            (commands.vlinks("v", "none"), None),
            (commands.vlinks_withscores("v", "one"), SCORED),
            (commands.vlinks_withscores("none", "one"), None),
            (commands.vrandmember("f"), b"e"),
            (commands.vrandmember("none"), None),
            (commands.vrandmember_count("v", -5), Like(list, lambda found: len(found) == 5)),
            (commands.vrandmember_count("v", 5), Like(list, lambda found: sorted(found) == [b"away", b"one"])),
            (commands.vrandmember_count("none", 5), []),
            (commands.vsim("v", [1, 2, 2]), [b"one", b"away"]),
            (commands.vsim("v", ele="away", count=1), [b"away"]),
            (commands.vsim("v", [1, 2, 2], ef=5, truth=True, nothread=True), [b"one", b"away"]),
            (commands.vsim("v", ele="one", filter=".x == 1", filter_ef=9), [b"away"]),
            (commands.vsim("none", [1, 2, 2]), []),
            (commands.vsim_withscores("v", ele="one"), [(b"one", 1.0), (b"away", 0.0)]),
            (commands.vsim_withscores("none", [1, 2, 2]), []),
            (commands.vrem("v", "one"), True),
            (commands.vrem("v", "one"), False),
            (commands.vrem("none", "one"), False),
        ],
        needs=("Redis 8.0",),
    ),
    Family(
        "vector sets since Redis 8.4",
        [
            (commands.vadd("v", [1, 0], "a", setattr=b'{"x":1}'), True),
            (commands.vadd("v", [-1, 0], "b"), True),
            (commands.vismember("v", "a"), True),
            (commands.vismember("v", "none"), False),
            (commands.vismember("none", "a"), False),
            (commands.vrange("v"), [b"a", b"b"], lambda redis: redis.vset().vrange("v", "-", "+")),
            (commands.vrange("v", "(a", "[b"), [b"b"]),
            (commands.vrange("v", count=1), [b"a"]),
            (commands.vrange("none"), []),
            (commands.vsim("v", ele="a", epsilon=0.5), [b"a"]),
            (commands.vsim_withattribs("v", ele="a"), [(b"a", b'{"x":1}'), (b"b", None)]),
            (commands.vsim_withattribs("none", [1, 0]), []),
            (
                commands.vsim_withscores_withattribs("v", ele="a"),
                [Similar(b"a", 1.0, b'{"x":1}'), Similar(b"b", 0.0, None)],
            ),
            (commands.vsim_withscores_withattribs("none", [1, 0]), []),
        ],
        needs=("Redis 8.4",),
    ),
]

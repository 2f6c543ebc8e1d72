"""Commands on cuckoo filters, with what each returns."""

from __future__ import annotations

from core.commands.recorded import Like, Specified, Steps
from resp_sansio import commands

MADE = {
    "number_of_buckets": 64,
    "number_of_filters": 1,
    "number_of_items_inserted": 5,
    "number_of_items_deleted": 1,
    "bucket_size": 2,
    "expansion_rate": 1,
    "max_iterations": 20,
}

STEPS: Steps = [
    (commands.cf_reserve("c", 100, bucketsize=2, maxiterations=20, expansion=1), None),
    (commands.cf_reserve("small", 2, bucketsize=1, maxiterations=1, expansion=0), None),
    (commands.cf_add("c", "x"), True),
    (commands.cf_add("c", "x"), True),
    (commands.cf_addnx("c", "x"), False),
    (commands.cf_addnx("c", "y"), True),
    (commands.cf_insert("c", "x", "z"), [True, True]),
    (commands.cf_insert("i", "x", capacity=50), [True]),
    (commands.cf_insertnx("c", "x", "v"), [0, 1]),
    (commands.cf_insert("small", "a", "b", "c"), [True, False, True]),
    (commands.cf_insertnx("small", "a", "b", nocreate=True), [0, -1]),
    (commands.cf_exists("c", "x"), True),
    (commands.cf_exists("none", "x"), False),
    (commands.cf_mexists("c", "x", "none"), [True, False]),
    (commands.cf_count("c", "x"), 3),
    (commands.cf_count("none", "x"), 0),
    (commands.cf_del("c", "x"), True),
    (commands.cf_del("c", "none"), False),
    (commands.cf_info("c"), Like(dict, lambda found: type(found.pop("size")) is int and found == MADE)),
    (commands.cf_scandump("small", 0), Like(tuple, lambda found: found[0] == 1 and type(found[1]) is bytes)),
    (commands.cf_scandump("small", 10_000), (0, b"")),
]

SPECIFIED: Specified = [(commands.cf_loadchunk("c", 1, b"data"), "OK", "OK", None)]

"""Commands on Bloom filters, with what each returns."""

from __future__ import annotations

from typing import Any

from core.commands.recorded import Like, Specified, Steps
from resp_sansio import ReplyError, commands

FULL = Like(list, lambda found: found[:2] == [True, True] and len(found) == 3 and type(found[2]) is ReplyError)
HEADER = Like(tuple, lambda found: found[0] == 1 and type(found[1]) is bytes and len(found[1]) > 8)

STEPS: Steps = [
    (commands.bf_reserve("b", 0.01, 100, expansion=2), None),
    (commands.bf_reserve("n", 0.01, 2, nonscaling=True), None),
    (commands.bf_add("b", "x"), True),
    (commands.bf_add("b", "x"), False),
    (commands.bf_madd("b", "x", "y"), [False, True]),
    (commands.bf_madd("n", "a", "b", "c", "d"), FULL),
    (commands.bf_insert("i", "x", "x", capacity=50, error=0.001, expansion=4), [True, False]),
    (commands.bf_insert("i", "x", nocreate=True), [False]),
    (commands.bf_exists("b", "x"), True),
    (commands.bf_exists("none", "x"), False),
    (commands.bf_mexists("b", "x", "none"), [True, False]),
    (commands.bf_card("b"), 2),
    (commands.bf_card("none"), 0),
    (
        commands.bf_info("b"),
        Like(
            dict,
            lambda found: (
                type(found.pop("size")) is int
                and found
                == {"capacity": 100, "number_of_filters": 1, "number_of_items_inserted": 2, "expansion_rate": 2}
            ),
        ),
    ),
    (commands.bf_info("n"), Like(dict, lambda found: found["expansion_rate"] is None)),
    (commands.bf_scandump("n", 0), HEADER),
    (commands.bf_scandump("n", 10_000), (0, b"")),
]

SAID: Any = [
    "Capacity", 100, "Size", 240, "Number of filters", 1, "Number of items inserted", 2, "Expansion rate", 2,
]  # fmt: skip
OWN = {"capacity": 100, "size": 240, "number_of_filters": 1, "number_of_items_inserted": 2, "expansion_rate": 2}

SPECIFIED: Specified = [
    (commands.bf_loadchunk("b", 1, b"data"), "OK", "OK", None),
    # Valkey's module says more, on RESP3 also in an array; and what a newer one may say.
    (
        commands.bf_info("b"),
        [*SAID, "Error rate", b"0.01", "Tightening ratio", b"0.5", "Max scaled capacity", 1000],
        [*SAID, "Error rate", 0.01, "Tightening ratio", 0.5, "Max scaled capacity", 1000],
        {**OWN, "error_rate": 0.01, "tightening_ratio": 0.5, "max_scaled_capacity": 1000},
    ),
    (commands.bf_info("b"), [*SAID, "New field", b"x"], [*SAID, "New field", b"x"], {**OWN, "new_field": b"x"}),
]

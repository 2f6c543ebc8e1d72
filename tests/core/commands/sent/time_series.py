"""What the builders of commands on time series send."""

from __future__ import annotations

from core.commands.rows import Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.ts_create("t"), "TS.CREATE t"),
    (
        commands.ts_create("t", retention=0, encoding="UNCOMPRESSED", chunk_size=128, duplicate_policy="LAST"),
        "TS.CREATE t RETENTION 0 ENCODING UNCOMPRESSED CHUNK_SIZE 128 DUPLICATE_POLICY LAST",
    ),
    (commands.ts_create("t", ignore=(5, 0.5), labels={"a": 1, "b": "c"}), "TS.CREATE t IGNORE 5 0.5 LABELS a 1 b c"),
    (
        commands.ts_alter("t", retention=9, chunk_size=128, duplicate_policy="SUM", ignore=(0, 0), labels={}),
        "TS.ALTER t RETENTION 9 CHUNK_SIZE 128 DUPLICATE_POLICY SUM IGNORE 0 0 LABELS",
    ),
    (commands.ts_add("t", "*", 1.5), "TS.ADD t * 1.5"),
    (
        commands.ts_add("t", 7, 1, retention=9, encoding="COMPRESSED", on_duplicate="MAX", labels={"a": 1}),
        "TS.ADD t 7 1 RETENTION 9 ENCODING COMPRESSED ON_DUPLICATE MAX LABELS a 1",
    ),
    (commands.ts_madd(("t", 1, 2.5), ("u", "*", 3)), "TS.MADD t 1 2.5 u * 3"),
    (commands.ts_incrby("t", 2), "TS.INCRBY t 2"),
    (
        commands.ts_incrby("t", 0.5, timestamp=7, retention=9, ignore=(1, 2), labels={"a": 1}),
        "TS.INCRBY t 0.5 TIMESTAMP 7 RETENTION 9 IGNORE 1 2 LABELS a 1",
    ),
    (commands.ts_decrby("t", 0.5, timestamp="*", chunk_size=64), "TS.DECRBY t 0.5 TIMESTAMP * CHUNK_SIZE 64"),
    (commands.ts_del("t", 1, 2), "TS.DEL t 1 2"),
    (commands.ts_createrule("t", "u", ("std.p", 1000)), "TS.CREATERULE t u AGGREGATION std.p 1000"),
    (commands.ts_createrule("t", "u", ("avg", 9), align_timestamp=4), "TS.CREATERULE t u AGGREGATION avg 9 4"),
    (commands.ts_deleterule("t", "u"), "TS.DELETERULE t u"),
    (commands.ts_get("t"), "TS.GET t"),
    (commands.ts_get("t", latest=True), "TS.GET t LATEST"),
    (commands.ts_mget("a=1", "b!="), "TS.MGET FILTER a=1 b!="),
    (commands.ts_mget("a=1", latest=True, withlabels=True), "TS.MGET LATEST WITHLABELS FILTER a=1"),
    (commands.ts_mget("a=1", selected_labels=["a", "b"]), "TS.MGET SELECTED_LABELS a b FILTER a=1"),
    (commands.ts_range("t"), "TS.RANGE t - +"),
    (
        commands.ts_range("t", 1, 9, latest=True, filter_by_ts=[2, 3], filter_by_value=(1, 2.5), count=4),
        "TS.RANGE t 1 9 LATEST FILTER_BY_TS 2 3 FILTER_BY_VALUE 1 2.5 COUNT 4",
    ),
    (
        commands.ts_range("t", aggregation=("twa", 10), align=5, buckettimestamp="mid", empty=True),
        "TS.RANGE t - + ALIGN 5 AGGREGATION twa 10 BUCKETTIMESTAMP mid EMPTY",
    ),
    (commands.ts_revrange("t", 1, "+", count=1, aggregation=("min", 5)), "TS.REVRANGE t 1 + COUNT 1 AGGREGATION min 5"),
    (commands.ts_mrange("-", "+", "a=1"), "TS.MRANGE - + FILTER a=1"),
    (
        commands.ts_mrange(1, 9, "a=1", "b=", latest=True, count=2, withlabels=True, groupby=("a", "sum")),
        "TS.MRANGE 1 9 LATEST COUNT 2 WITHLABELS FILTER a=1 b= GROUPBY a REDUCE sum",
    ),
    (
        commands.ts_mrevrange("-", "+", "a=1", aggregation=("avg", 9), align="start", selected_labels=("b",)),
        "TS.MREVRANGE - + ALIGN start AGGREGATION avg 9 SELECTED_LABELS b FILTER a=1",
    ),
    (commands.ts_queryindex("a=1", "b!="), "TS.QUERYINDEX a=1 b!="),
    (
        commands.ts_range_aggregators("t", 1, aggregation=(["min", "max"], 9), count=2, align=0, empty=True),
        "TS.RANGE t 1 + COUNT 2 ALIGN 0 AGGREGATION min,max 9 EMPTY",
    ),
    (commands.ts_revrange_aggregators("t", aggregation=(["avg"], 9)), "TS.REVRANGE t - + AGGREGATION avg 9"),
    (
        commands.ts_mrange_aggregators("-", "+", "a=1", aggregation=(("min", "max"), 9), withlabels=True, latest=True),
        "TS.MRANGE - + LATEST AGGREGATION min,max 9 WITHLABELS FILTER a=1",
    ),
    (
        commands.ts_mrevrange_aggregators(1, 2, "a=1", "b=", aggregation=(["sum"], 9), buckettimestamp="-"),
        "TS.MREVRANGE 1 2 AGGREGATION sum 9 BUCKETTIMESTAMP - FILTER a=1 b=",
    ),
    (commands.ts_querylabels_labels(), "TS.QUERYLABELS LABELS"),
    (commands.ts_querylabels_labels("a=1", "b!="), "TS.QUERYLABELS LABELS FILTER a=1 b!="),
    (commands.ts_querylabels_values("a"), "TS.QUERYLABELS VALUES a"),
    (commands.ts_querylabels_values("a", "b=1"), "TS.QUERYLABELS VALUES a FILTER b=1"),
    (commands.ts_nrange("t", "u"), "TS.NRANGE 2 t u - +"),
    (
        commands.ts_nrange(
            "t", "u", from_timestamp=1, latest=True, aggregation=(["min", "max"], 9), align=0, empty=True
        ),
        "TS.NRANGE 2 t u 1 + LATEST ALIGN 0 AGGREGATION min max 9 EMPTY",
    ),
    (
        commands.ts_nrevrange("t", filter_by_value=(1, 2), count=3, aggregation=(("avg",), 9), buckettimestamp="+"),
        "TS.NREVRANGE 1 t - + FILTER_BY_VALUE 1 2 COUNT 3 AGGREGATION avg 9 BUCKETTIMESTAMP +",
    ),
    (commands.ts_read("t", "-"), "TS.READ t -"),
    (commands.ts_read("t", 5, max_count=2), "TS.READ t 5 MAX_COUNT 2"),
    (commands.ts_read("t", "$", block=0), "TS.READ t $ BLOCK 0 1"),
    (commands.ts_read("t", "$", block=9, min_count=2, max_count=3), "TS.READ t $ BLOCK 9 2 MAX_COUNT 3"),
    (commands.ts_info("t"), "TS.INFO t"),
    (commands.ts_info("t", debug=True), "TS.INFO t DEBUG"),
]

TOGETHER = "align, buckettimestamp and empty of TS.M?RANGE go together with aggregation"

REFUSED: Refused = [
    (lambda: commands.ts_read("t", "$", min_count=2), "min_count of TS.READ says what to wait for: give block, too"),
    (
        lambda: commands.ts_nrange("t", "u", aggregation=(["avg"], 9)),
        "TS.NRANGE has 2 keys and 1 aggregators: give one for each",
    ),
    (lambda: commands.ts_nrevrange("t", empty=True), "align, buckettimestamp and empty of TS.NREVRANGE go together"),
    (lambda: commands.ts_range("t", align=5), TOGETHER),
    (lambda: commands.ts_range("t", buckettimestamp="~"), TOGETHER),
    (lambda: commands.ts_mrange("-", "+", "a=1", empty=True), TOGETHER),
    (
        lambda: commands.ts_mget("a=1", withlabels=True, selected_labels=["a"]),
        "withlabels and selected_labels exclude each other",
    ),
]

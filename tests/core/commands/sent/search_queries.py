"""What the builders of commands that ask indexes send, and what they refuse."""

from __future__ import annotations

from core.commands.rows import Refused, Sent
from resp_sansio import Apply, Filter, GroupBy, Highlight, Limit, Load, Reduce, SortBy, Summarize, commands

SENT: Sent = [
    (commands.ft_search("i", "hello|world"), "FT.SEARCH i hello|world"),
    (
        commands.ft_search(
            "i", "q", verbatim=True, inkeys=["a", "b"], infields=["t"], returns=["t", ("$.n", "n")], slop=1, timeout=500
        ),
        "FT.SEARCH i q VERBATIM INKEYS 2 a b INFIELDS 1 t RETURN 4 t $.n AS n SLOP 1 TIMEOUT 500",
    ),
    (
        commands.ft_search(
            "i",
            "q",
            inorder=True,
            language="english",
            expander="e",
            scorer="BM25",
            payload="p",
            sortby="n",
            limit=(0, 5),
        ),
        "FT.SEARCH i q INORDER LANGUAGE english EXPANDER e SCORER BM25 PAYLOAD p SORTBY n LIMIT 0 5",
    ),
    (
        commands.ft_search("i", "@n:[$a,$b]", sortby=("n", "DESC"), params={"a": 1, "b": 2}, dialect=2),
        "FT.SEARCH i @n:[$a,$b] SORTBY n DESC PARAMS 4 a 1 b 2 DIALECT 2",
    ),
    (commands.ft_search("i", "q", summarize=Summarize(), highlight=Highlight()), "FT.SEARCH i q SUMMARIZE HIGHLIGHT"),
    (
        commands.ft_search(
            "i", "q", summarize=Summarize(["t"], 1, 2, "|"), highlight=Highlight(["t", "u"], ("<b>", "</b>"))
        ),
        "FT.SEARCH i q SUMMARIZE FIELDS 1 t FRAGS 1 LEN 2 SEPARATOR | HIGHLIGHT FIELDS 2 t u TAGS <b> </b>",
    ),
    (commands.ft_search_nocontent("i", "q", limit=(0, 0)), "FT.SEARCH i q NOCONTENT LIMIT 0 0"),
    (commands.ft_search_withscores("i", "q"), "FT.SEARCH i q WITHSCORES"),
    (commands.ft_search_explainscore("i", "q"), "FT.SEARCH i q WITHSCORES EXPLAINSCORE"),
    (commands.ft_search_withpayloads("i", "q"), "FT.SEARCH i q WITHSCORES WITHPAYLOADS"),
    (commands.ft_profile_search("i", "q", dialect=2), "FT.PROFILE i SEARCH QUERY q DIALECT 2"),
    (commands.ft_aggregate("i", "*"), "FT.AGGREGATE i *"),
    (
        commands.ft_aggregate(
            "i",
            "*",
            Load(["@t", ("$.n", "n")]),
            GroupBy(["@t"], [Reduce("COUNT", alias="c"), Reduce("TOLIST", ["@n"])]),
            SortBy([("@c", "DESC"), "@t"], max=9),
            Apply("@c*2", "twice"),
            Filter("@c>1"),
            Limit(0, 5),
            verbatim=True,
            addscores=True,
            scorer="BM25",
            timeout=100,
            params={"a": 1},
            dialect=2,
        ),
        (
            "FT.AGGREGATE i * VERBATIM ADDSCORES SCORER BM25 TIMEOUT 100 LOAD 4 @t $.n AS n "
            "GROUPBY 1 @t REDUCE COUNT 0 AS c REDUCE TOLIST 1 @n SORTBY 3 @c DESC @t MAX 9 APPLY @c*2 AS twice FILTER @c>1 "
            "LIMIT 0 5 PARAMS 2 a 1 DIALECT 2"
        ),
    ),
    (commands.ft_aggregate("i", "*", Load(), GroupBy([])), "FT.AGGREGATE i * LOAD * GROUPBY 0"),
    (commands.ft_aggregate_withcursor("i", "*"), "FT.AGGREGATE i * WITHCURSOR"),
    (
        commands.ft_aggregate_withcursor("i", "*", Limit(0, 9), count=5, maxidle=1000),
        "FT.AGGREGATE i * LIMIT 0 9 WITHCURSOR COUNT 5 MAXIDLE 1000",
    ),
    (commands.ft_profile_aggregate("i", "*", Load(["t"])), "FT.PROFILE i AGGREGATE QUERY * LOAD 1 t"),
    (commands.ft_cursor_read("i", 7), "FT.CURSOR READ i 7"),
    (commands.ft_cursor_read("i", 7, count=2), "FT.CURSOR READ i 7 COUNT 2"),
    (commands.ft_cursor_del("i", 7), "FT.CURSOR DEL i 7"),
    (commands.ft_hybrid("i", "q", "@v", "$v"), "FT.HYBRID i SEARCH q VSIM @v $v"),
    (
        commands.ft_hybrid(
            "i",
            "q",
            "@v",
            "$v",
            Load(["@t"]),
            Limit(0, 3),
            scorer="BM25",
            search_score_as="s",
            k=5,
            ef_runtime=50,
            filter="@n:[1,2]",
            vector_score_as="w",
            combine="RRF",
            constant=60,
            window=20,
            score_as="c",
            params={"v": b"\x00"},
            timeout=100,
        ),
        (
            "FT.HYBRID i SEARCH q SCORER BM25 YIELD_SCORE_AS s VSIM @v $v KNN 4 K 5 EF_RUNTIME 50 FILTER @n:[1,2] "
            "YIELD_SCORE_AS w COMBINE RRF 4 CONSTANT 60 WINDOW 20 YIELD_SCORE_AS c LOAD 1 @t LIMIT 0 3 PARAMS 2 v \x00 TIMEOUT 100"
        ),
    ),
    (
        commands.ft_hybrid("i", "q", "@v", "$v", radius=0.5, epsilon=0.1, combine="LINEAR", alpha=0.7, beta=0.3),
        "FT.HYBRID i SEARCH q VSIM @v $v RANGE 4 RADIUS 0.5 EPSILON 0.1 COMBINE LINEAR 4 ALPHA 0.7 BETA 0.3",
    ),
    (commands.ft_hybrid("i", "q", "@v", "$v", combine="RRF"), "FT.HYBRID i SEARCH q VSIM @v $v COMBINE RRF"),
]

REFUSED: Refused = [
    (lambda: commands.ft_search("i", "q", returns=[]), "^returns of FT.SEARCH must name a field$"),
    (lambda: commands.ft_hybrid("i", "q", "@v", "$v", k=1, radius=1), "k and ef_runtime of FT.HYBRID exclude radius"),
    (lambda: commands.ft_hybrid("i", "q", "@v", "$v", ef_runtime=1), "ef_runtime of FT.HYBRID goes with k"),
    (lambda: commands.ft_hybrid("i", "q", "@v", "$v", epsilon=1), "epsilon with radius"),
    (lambda: commands.ft_hybrid("i", "q", "@v", "$v", window=1), "go with combine"),
]

"""Commands that ask indexes, with what each returns."""

from __future__ import annotations

from typing import Any, Final

from core.commands.recorded import Like, Specified, Steps
from resp_sansio import (
    AggregateResult,
    Apply,
    Document,
    ExplainedDocument,
    Filter,
    GroupBy,
    Highlight,
    Limit,
    Load,
    NumericField,
    PayloadDocument,
    Profiled,
    Reduce,
    ScoredDocument,
    SearchResult,
    SortBy,
    Summarize,
    TagField,
    TextField,
    VectorField,
    commands,
)

ONE: Final = {b"t": b"hello world", b"g": b"x", b"n": b"1"}
TWO: Final = {b"t": b"hello there hello", b"g": b"y", b"n": b"2"}
VECTOR: Final = b"\x00\x00\x80?\x00\x00\x00\x00"


def documents(*found: Document[bytes]) -> SearchResult[Document[bytes]]:
    return SearchResult(len(found), [*found], [])


def rows(total: int, *found: Any) -> AggregateResult[bytes]:
    return AggregateResult(total, [*found], [])


def is_profiled(found: Profiled[Any]) -> bool:
    return found.result.total == 2 and bool(found.profile)


STEPS: Steps = [
    (
        commands.ft_create(
            "i",
            TextField("t", sortable=True),
            TagField("g", sortable=True),
            NumericField("n", sortable=True),
            VectorField("v", "FLAT", "FLOAT32", 2, "L2"),
            prefix=["d:"],
            payload_field="p",
        ),
        None,
    ),
    (
        commands.ft_create(
            "j", TextField("$.t", "t"), NumericField("$.n", "n", sortable=True), on="JSON", prefix=["j:"]
        ),
        None,
    ),
    (commands.hset("d:1", mapping=ONE), 3),
    (commands.hset("d:2", "p", b"\xff", mapping=TWO), 4),
    (commands.hset("d:3", "v", VECTOR), 1),
    (commands.json_set("j:1", "$", '{"t":"hello","n":null}'), True),
    (commands.ft_search("i", "hello"), documents(Document(b"d:1", {**ONE}), Document(b"d:2", {**TWO}))),
    (commands.ft_search("i", "nothing"), documents()),
    (commands.ft_search("i", "hello", limit=(0, 0)), SearchResult(2, [], [])),
    (commands.ft_search("i", "hello", limit=(1, 5)), SearchResult(2, [Document(b"d:2", {**TWO})], [])),
    (
        commands.ft_search("i", "hello", returns=["n", ("t", "text"), "none"], sortby=("n", "ASC")),
        documents(
            Document(b"d:1", {b"n": b"1", b"text": b"hello world"}),
            Document(b"d:2", {b"n": b"2", b"text": b"hello there hello"}),
        ),
    ),
    (commands.ft_search("i", "hello", returns=["none"], inkeys=["d:1"]), documents(Document(b"d:1", {}))),
    (
        commands.ft_search(
            "i",
            "@n:[$low $high]",
            params={"low": 2, "high": "+inf"},
            returns=["g"],
            dialect=2,
            infields=["t"],
            slop=1,
            inorder=True,
            verbatim=True,
            timeout=500,
            language="english",
            scorer="TFIDF",
            payload="p",
        ),
        documents(Document(b"d:2", {b"g": b"y"})),
    ),
    (
        commands.ft_search("i", "*=>[KNN 1 @v $vector AS far]", params={"vector": VECTOR}, returns=["far"], dialect=2),
        documents(Document(b"d:3", {b"far": b"0"})),
    ),
    (
        commands.ft_search(
            "i", "world", returns=["t"], summarize=Summarize(["t"], 1, 1, "|"), highlight=Highlight(["t"], ("<", ">"))
        ),
        documents(Document(b"d:1", {b"t": b"<world>|"})),
    ),
    (commands.ft_search("j", "hello", returns=["t", "n"]), documents(Document(b"j:1", {b"t": b"hello", b"n": None}))),
    (commands.ft_search("j", "*"), documents(Document(b"j:1", {b"$": b'{"t":"hello","n":null}'}))),
    (commands.ft_search_nocontent("i", "hello"), SearchResult(2, [b"d:1", b"d:2"], [])),
    (
        commands.ft_search_withscores("i", "hello", returns=["n"]),
        SearchResult(2, [ScoredDocument(b"d:1", 1.0, {b"n": b"1"}), ScoredDocument(b"d:2", 1.0, {b"n": b"2"})], []),
    ),
    (
        commands.ft_search_explainscore("i", "hello", returns=["n"], limit=(0, 1)),
        Like(
            SearchResult,
            lambda found: (
                type(found.documents[0]) is ExplainedDocument
                and found.documents[0].score == 1.0
                and found.documents[0].fields == {b"n": b"1"}
                and [line.startswith("  ") for line in found.documents[0].explanation] == [False, True]
            ),
        ),
    ),
    (
        commands.ft_search_withpayloads("i", "hello", returns=["n"]),
        SearchResult(
            2,
            [PayloadDocument(b"d:1", 1.0, None, {b"n": b"1"}), PayloadDocument(b"d:2", 1.0, b"\xff", {b"n": b"2"})],
            [],
        ),
    ),
    (commands.ft_profile_search("i", "hello", returns=["n"]), Like(Profiled, is_profiled)),
    (commands.ft_aggregate("i", "nothing"), rows(0)),
    (commands.ft_aggregate("i", "hello", SortBy(["@n"])), rows(2, {b"n": b"1"}, {b"n": b"2"})),
    (
        commands.ft_aggregate("i", "hello", Load(["@t", ("@g", "tag")]), SortBy([("@n", "DESC")], max=1), timeout=500),
        rows(2, {b"t": b"hello there hello", b"tag": b"y", b"n": b"2"}),
    ),
    (
        commands.ft_aggregate("j", "*", Load(["t", "n"]), scorer="TFIDF", verbatim=True),
        rows(1, {b"t": b"hello", b"n": None}),
    ),
    (commands.ft_aggregate("j", "*", Load()), rows(1, {b"$": b'{"t":"hello","n":null}'})),
    (
        commands.ft_aggregate(
            "i",
            "hello",
            GroupBy([], [Reduce("COUNT", alias="count"), Reduce("TOLIST", ["@g"], "tags"), Reduce("SUM", ["@n"])]),
            Apply("@count * 2", "more"),
            Filter("@count > 1"),
            Limit(0, 5),
            params={"by": 2},
            dialect=2,
        ),
        Like(
            AggregateResult,
            lambda found: (
                found.total == 1
                and sorted(found.rows[0].pop(b"tags")) == [b"x", b"y"]
                and found.rows == [{b"count": b"2", b"__generated_aliassumn": b"3", b"more": b"4"}]
            ),
        ),
    ),
    (
        commands.ft_aggregate_withcursor("i", "hello", SortBy(["@n"]), count=9, maxidle=1000),
        (0, rows(2, {b"n": b"1"}, {b"n": b"2"})),
    ),
    (
        commands.ft_aggregate_withcursor("i", "hello", SortBy(["@n"]), count=1, params={"a": 1}, dialect=2),
        Like(tuple, lambda found: found[0] > 0 and found[1].rows == [{b"n": b"1"}]),
    ),
    (commands.ft_profile_aggregate("i", "hello", SortBy(["@n"])), Like(Profiled, is_profiled)),
]

HYBRID: Final[dict[Any, Any]] = {
    "total_results": 1,
    "results": [{b"__key": b"d:1", b"__score": b"0.5"}],
    "warnings": [],
    "execution_time": 0.25,
}
RESULTS: Final[dict[Any, Any]] = {
    "attributes": [],
    "total_results": 1,
    "format": "STRING",
    "results": [{"id": b"d:1", "extra_attributes": {b"n": b"1"}, "values": []}],
    "warning": ["Timeout limit was reached"],
}

SPECIFIED: Specified = [
    (
        commands.ft_cursor_read("i", 7),
        [[1, [b"n", b"1"]], 0],
        [{"total_results": 1, "results": [{"extra_attributes": {b"n": b"1"}, "values": []}], "warning": []}, 0],
        (0, rows(1, {b"n": b"1"})),
    ),
    (commands.ft_cursor_del("i", 7), "OK", "OK", None),
    (
        commands.ft_hybrid("i", "hello", "@v", "$v"),
        [
            "total_results",
            1,
            "results",
            [[b"__key", b"d:1", b"__score", b"0.5"]],
            "warnings",
            [],
            "execution_time",
            b"0.25",
        ],
        HYBRID,
        rows(1, {b"__key": b"d:1", b"__score": b"0.5"}),
    ),
    # A document that expired while the search was under way.
    (
        commands.ft_search("i", "hello"),
        [1, b"d:1", None],
        {"total_results": 1, "results": [{"id": b"d:1", "extra_attributes": None, "values": []}], "warning": []},
        documents(Document(b"d:1", {})),
    ),
    # Redis 8 has the profile beside the result.
    (
        commands.ft_profile_search("i", "hello"),
        [[1, b"d:1", [b"n", b"1"]], ["Shards", []]],
        {"Results": {**RESULTS, "warning": []}, "Profile": ["Shards", []]},
        Profiled(documents(Document(b"d:1", {b"n": b"1"})), ["Shards", []]),
    ),
]

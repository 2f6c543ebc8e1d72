"""Commands on indexes and what belongs to them, with what each returns."""

from __future__ import annotations

from core.commands.recorded import Like, Specified, Steps
from resp_sansio import (
    GeoField,
    GeoShapeField,
    IndexInfo,
    NumericField,
    Suggestion,
    TagField,
    TextField,
    VectorField,
    commands,
)


def words_of(found: dict[bytes, list[tuple[bytes, float]]]) -> dict[bytes, list[bytes]]:
    """Corrections without scores, which hang on how far the server has come with indexing."""
    assert all(type(score) is float for meant in found.values() for _, score in meant)
    return {term: [word for word, _ in meant] for term, meant in found.items()}


def is_described(found: IndexInfo) -> bool:
    definition = {
        "key_type": "HASH",
        "prefixes": ["d:", "e:"],
        "filter": "@n>=0",
        "default_language": "german",
        "language_field": "l",
        "default_score": 0.5,
        "score_field": "r",
        "payload_field": "y",
    }
    assert {name: found["index_definition"][name] for name in definition} == definition  # type: ignore[literal-required]
    text, tag, *_, hnsw, flat, more, most = found["attributes"]
    assert text == {
        "identifier": "t",
        "attribute": "text",
        "type": "TEXT",
        "WEIGHT": 2.5,
        "flags": ["SORTABLE", "UNF", "NOSTEM"],
    }
    assert (tag["SEPARATOR"], {*tag["flags"]}) == (
        ";",
        {"CASESENSITIVE", "INDEXEMPTY", "SORTABLE", "UNF", "WITHSUFFIXTRIE"},
    )
    assert (hnsw["algorithm"], hnsw["dim"], hnsw["M"], hnsw["ef_construction"]) == ("HNSW", 2, 16, 100)
    assert (flat["data_type"], flat["distance_metric"], flat["flags"]) == ("FLOAT64", "L2", [])
    assert (more["type"], most["identifier"]) == ("TAG", "most")
    assert (found["stopwords_list"], found["index_options"]) == (["a", "the"], ["MAXTEXTFIELDS"])
    assert (type(found["num_docs"]), type(found["indexing"]), type(found["percent_indexed"])) == (int, bool, float)
    assert type(found["gc_stats"]["bytes_collected"]) is float
    assert found["cursor_stats"]["global_total"] == found["dialect_stats"]["dialect_4"] == 0
    assert found["Index_Errors"]["last_indexing_error"] == "N/A"
    assert found["field_statistics"][0]["Index_Errors"]["indexing_failures"] == 0
    return found["index_name"] == "i"


STEPS: Steps = [
    (commands.ft_list(), set()),
    (
        commands.ft_create(
            "i",
            TextField("t", "text", 2.5, nostem=True, phonetic="dm:en", sortable=True, unf=True),
            TagField("g", separator=";", casesensitive=True, withsuffixtrie=True, indexempty=True, sortable=True),
            NumericField("n", sortable=True, noindex=True),
            GeoField("p"),
            GeoShapeField("s", system="FLAT", indexmissing=True),
            VectorField("v", "HNSW", "FLOAT32", 2, "COSINE", "w", {"M": 16, "EF_CONSTRUCTION": 100}, indexmissing=True),
            VectorField("u", "FLAT", "FLOAT64", 2, "L2"),
            prefix=["d:", "e:"],
            filter="@n>=0",
            language="german",
            language_field="l",
            score=0.5,
            score_field="r",
            payload_field="y",
            maxtextfields=True,
            stopwords=["a", "the"],
        ),
        None,
    ),
    (
        commands.ft_create(
            "j",
            TextField("$.t", "t", withsuffixtrie=True, indexmissing=True),
            on="JSON",
            temporary=600,
            nooffsets=True,
            nohl=True,
            nofields=True,
            nofreqs=True,
            stopwords=[],
            skipinitialscan=True,
        ),
        None,
    ),
    (commands.ft_create("hällo", TextField("t")), None),
    (commands.ft_list(), {b"i", b"j", "hällo".encode()}),
    (commands.ft_alter("i", TagField("more"), NumericField("most"), skipinitialscan=True), None),
    (commands.hset("d:1", "t", "hello world", mapping={"g": "x;Y", "n": 1}), 3),
    (commands.hset("d:2", "t", "hello there", mapping={"g": "x", "n": 2}), 3),
    (commands.ft_info("i"), Like(dict, is_described)),
    (commands.ft_info("j"), Like(dict, lambda found: found["stopwords_list"] == [] and found["num_docs"] == 0)),
    (commands.ft_tagvals("i", "g"), {b"x", b"Y"}),
    (commands.ft_tagvals("i", "more"), set()),
    (commands.ft_aliasadd("k", "i"), None),
    (commands.ft_aliasupdate("k", "j"), None),
    (commands.ft_aliasdel("k"), None),
    (commands.ft_synupdate("i", "group", "boy", "child"), None),
    (commands.ft_synupdate("i", "other", "boy", skipinitialscan=True), None),
    (
        commands.ft_syndump("i"),
        Like(dict, lambda found: sorted(found[b"boy"]) == [b"group", b"other"] and found[b"child"] == [b"group"]),
    ),
    (commands.ft_dictadd("d", "hallo", "hullo", "x"), 3),
    (commands.ft_dictadd("d", "x"), 0),
    (commands.ft_dictdel("d", "x", "none"), 1),
    (commands.ft_dictdump("d"), {b"hallo", b"hullo"}),
    (commands.ft_spellcheck("i", "hello wurld"), Like(dict, lambda found: words_of(found) == {b"wurld": [b"world"]})),
    (
        commands.ft_spellcheck("i", "hollo zzzz", distance=1, include=["d"], dialect=2),
        Like(dict, lambda found: words_of(found) == {b"hollo": [b"hello", b"hallo", b"hullo"], b"zzzz": []}),
    ),
    (
        commands.ft_spellcheck("i", "hollo", exclude=["d"]),
        Like(dict, lambda found: words_of(found) == {b"hollo": [b"hello"]}),
    ),
    (
        commands.ft_spellcheck("i", "wurld wurld"),  # of which RESP3 has two keys that are the same
        Like(dict, lambda found: words_of(found) == {b"wurld": [b"world"]}),
    ),
    (commands.ft_spellcheck("i", "hello"), {}),
    (commands.ft_sugadd("s", "hello", 1), 1),
    (commands.ft_sugadd("s", "help", 2.5, payload=b"\xff"), 2),
    (commands.ft_sugadd("s", "help", 1, incr=True, payload="p"), 2),
    (commands.ft_sugget("s", "hel"), [b"help", b"hello"]),
    (commands.ft_sugget("s", "zzz"), []),
    (commands.ft_sugget("none", "h"), []),
    (commands.ft_sugget("s", "hxl", fuzzy=True, max=1), [b"help"]),
    (commands.ft_sugget_withscores("s", "hello"), [(b"hello", 2147483648.0)]),
    (commands.ft_sugget_withscores("none", "h"), []),
    (
        commands.ft_sugget_withpayloads("s", "hel"),
        Like(
            list, lambda found: [(each.string, each.payload) for each in found] == [(b"help", b"p"), (b"hello", None)]
        ),
    ),
    (commands.ft_sugget_withpayloads("s", "hello"), [Suggestion(b"hello", 2147483648.0, None)]),
    (commands.ft_sugget_withpayloads("none", "h"), []),
    (commands.ft_suglen("s"), 2),
    (commands.ft_sugdel("s", "help"), True),
    (commands.ft_sugdel("s", "help"), False),
    (commands.ft_explain("i", "hello", dialect=2), Like(bytes, lambda plan: plan.startswith(b"UNION {\n  hello\n"))),
    (commands.ft_explaincli("i", "hello"), Like(list, lambda plan: plan[:2] == ["UNION {", "  hello"])),
    (commands.ft_config_get("TIMEOUT"), {"TIMEOUT": "500"}),
    (commands.ft_config_get("*"), Like(dict, lambda found: found["EXTLOAD"] is None and found["NOGC"] == "false")),
    (commands.ft_config_set("TIMEOUT", 500), None),
    (commands.ft_dropindex("hällo"), None),
    (commands.ft_dropindex("i", dd=True), None),
    (commands.exists("d:1"), 0),
]

SPECIFIED: Specified = [
    (commands.ft_aliaslist("i"), [b"a", b"b"], {b"a", b"b"}, {b"a", b"b"}),
    (commands.ft_aliaslist("i"), [], set(), set()),
    (commands.ft_list(), [b"i"], {b"i"}, {b"i"}),
    (
        commands.ft_spellcheck("i", "wurld"),
        [["TERM", b"wurld", [[b"0.5", b"world"]]]],
        {"results": {b"wurld": [{b"world": 0.5}]}},
        {b"wurld": [(b"world", 0.5)]},
    ),
]

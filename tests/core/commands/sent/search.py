"""What the builders of commands on indexes send, and what they refuse."""

from __future__ import annotations

from core.commands.rows import Refused, Sent
from resp_sansio import GeoField, GeoShapeField, NumericField, TagField, TextField, VectorField, commands

SENT: Sent = [
    (commands.ft_create("i", TextField("t")), "FT.CREATE i ON HASH SCHEMA t TEXT"),
    (
        commands.ft_create(
            "i", NumericField("$.n", "n", sortable=True, unf=True), on="JSON", prefix=["a:", b"b:"], score=0.5
        ),
        "FT.CREATE i ON JSON PREFIX 2 a: b: SCORE 0.5 SCHEMA $.n AS n NUMERIC SORTABLE UNF",
    ),
    (
        commands.ft_create(
            "i",
            TextField("t", "u", 2.5, True, "dm:en", True, True, True, True, True, True),
            temporary=60,
            filter="@a>1",
        ),
        (
            "FT.CREATE i ON HASH FILTER @a>1 TEMPORARY 60 SCHEMA "
            "t AS u TEXT NOSTEM WEIGHT 2.5 PHONETIC dm:en WITHSUFFIXTRIE INDEXEMPTY INDEXMISSING SORTABLE UNF NOINDEX"
        ),
    ),
    (
        commands.ft_create(
            "i",
            TagField("t", separator=";", casesensitive=True, withsuffixtrie=True, indexempty=True, sortable=True),
            GeoField("g", sortable=True, noindex=True),
            GeoShapeField("s", system="FLAT", indexmissing=True),
            language="english",
            language_field="l",
            score_field="s",
            payload_field="p",
            stopwords=[],
            indexall="ENABLE",
        ),
        (
            "FT.CREATE i ON HASH INDEXALL ENABLE LANGUAGE english LANGUAGE_FIELD l SCORE_FIELD s PAYLOAD_FIELD p STOPWORDS 0 "
            "SCHEMA t TAG SEPARATOR ; CASESENSITIVE WITHSUFFIXTRIE INDEXEMPTY SORTABLE g GEO SORTABLE NOINDEX "
            "s GEOSHAPE FLAT INDEXMISSING"
        ),
    ),
    (
        commands.ft_create(
            "i",
            VectorField("v", "HNSW", "FLOAT32", 2, "COSINE", "w", {"M": 16}, True),
            maxtextfields=True,
            nooffsets=True,
            nohl=True,
            nofields=True,
            nofreqs=True,
            skipinitialscan=True,
        ),
        (
            "FT.CREATE i ON HASH MAXTEXTFIELDS NOOFFSETS NOHL NOFIELDS NOFREQS SKIPINITIALSCAN SCHEMA "
            "v AS w VECTOR HNSW 8 TYPE FLOAT32 DIM 2 DISTANCE_METRIC COSINE M 16 INDEXMISSING"
        ),
    ),
    (commands.ft_alter("i", TextField("t"), NumericField("n")), "FT.ALTER i SCHEMA ADD t TEXT n NUMERIC"),
    (commands.ft_alter("i", TagField("t"), skipinitialscan=True), "FT.ALTER i SKIPINITIALSCAN SCHEMA ADD t TAG"),
    (commands.ft_dropindex("i"), "FT.DROPINDEX i"),
    (commands.ft_dropindex("i", dd=True), "FT.DROPINDEX i DD"),
    (commands.ft_list(), "FT._LIST"),
    (commands.ft_info("i"), "FT.INFO i"),
    (commands.ft_tagvals("i", "f"), "FT.TAGVALS i f"),
    (commands.ft_aliasadd("a", "i"), "FT.ALIASADD a i"),
    (commands.ft_aliasupdate("a", "i"), "FT.ALIASUPDATE a i"),
    (commands.ft_aliasdel("a"), "FT.ALIASDEL a"),
    (commands.ft_aliaslist("i"), "FT.ALIASLIST i"),
    (commands.ft_synupdate("i", "g", "a", "b", skipinitialscan=True), "FT.SYNUPDATE i g SKIPINITIALSCAN a b"),
    (commands.ft_syndump("i"), "FT.SYNDUMP i"),
    (commands.ft_dictadd("d", "a", "b"), "FT.DICTADD d a b"),
    (commands.ft_dictdel("d", "a"), "FT.DICTDEL d a"),
    (commands.ft_dictdump("d"), "FT.DICTDUMP d"),
    (commands.ft_spellcheck("i", "q"), "FT.SPELLCHECK i q"),
    (
        commands.ft_spellcheck("i", "q", distance=2, include=["a", "b"], exclude=("c",), dialect=2),
        "FT.SPELLCHECK i q DISTANCE 2 TERMS INCLUDE a TERMS INCLUDE b TERMS EXCLUDE c DIALECT 2",
    ),
    (commands.ft_sugadd("k", "s", 1.5, incr=True, payload="p"), "FT.SUGADD k s 1.5 INCR PAYLOAD p"),
    (commands.ft_sugget("k", "p", fuzzy=True, max=3), "FT.SUGGET k p FUZZY MAX 3"),
    (commands.ft_sugget_withscores("k", "p"), "FT.SUGGET k p WITHSCORES"),
    (commands.ft_sugget_withpayloads("k", "p", max=1), "FT.SUGGET k p WITHSCORES WITHPAYLOADS MAX 1"),
    (commands.ft_sugdel("k", "s"), "FT.SUGDEL k s"),
    (commands.ft_suglen("k"), "FT.SUGLEN k"),
    (commands.ft_explain("i", "q", dialect=2), "FT.EXPLAIN i q DIALECT 2"),
    (commands.ft_explaincli("i", "q"), "FT.EXPLAINCLI i q"),
    (commands.ft_config_get("*"), "FT.CONFIG GET *"),
    (commands.ft_config_set("TIMEOUT", 500), "FT.CONFIG SET TIMEOUT 500"),
]

REFUSED: Refused = [
    (lambda: commands.ft_create("i", TextField("t", unf=True)), "^unf of FT.CREATE says how a field is sorted"),
]

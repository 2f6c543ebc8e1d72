"""Arguments of searches, by the annotations of the builders' parameters: a right one of each kind, and wrong ones."""

from __future__ import annotations

from typing import Any, Final

from resp_sansio import (
    Apply,
    Filter,
    GeoField,
    GeoShapeField,
    GroupBy,
    Highlight,
    Limit,
    Load,
    NumericField,
    Reduce,
    SortBy,
    Summarize,
    TagField,
    TextField,
    VectorField,
)

RIGHT: Final[dict[str, Any]] = {
    "DataType": "JSON",
    "Fusion | None": "RRF",
    "Highlight | None": Highlight(),
    "ReturnFields | None": ["data", ("data", "name")],
    "SchemaField": TextField("data"),
    "SearchSortBy | None": ("data", "DESC"),
    "Step": GroupBy(["@data"]),
    "Summarize | None": Summarize(),
    "Switch | None": "ENABLE",
    "WordList": ["data"],
    "WordList | None": ["data"],
}

WRONG: Final[Any] = "text"
NO_WORD: Final[list[Any]] = [True, False, object(), ["a"]]
NO_WORDS: Final[list[Any]] = [True, 5, "data", b"data", {"data"}, iter(["data"]), [True], ["data", None], "LIMIT"]
VECTOR: Final = VectorField("t", "FLAT", "FLOAT32", 2, "L2")

REFUSED: Final[dict[str, list[Any]]] = {
    "DataType": [None, *NO_WORD],
    "Fusion | None": NO_WORD,
    "Highlight | None": [
        *(True, "data", ["data"], Summarize(), Highlight(WRONG), Highlight([True])),
        *(Highlight(tags=WRONG), Highlight(tags=("<", True))),
    ],
    "ReturnFields | None": [
        *(True, "data", b"data", 5, {"data"}, [], [True], ["data", None], [("a", "b", "c")], [("a", True)]),
    ],
    "SchemaField": [
        *(*NO_WORD, None, "data", ("data", "TEXT"), GroupBy(["@data"])),
        *(TextField(True), TextField("t", alias=True), TextField("t", weight=WRONG), TextField("t", nostem=WRONG)),
        *(TextField("t", sortable=WRONG), TextField("t", unf=True), TextField("t", phonetic=True)),
        *(TagField("t", separator=True), TagField("t", unf=True), TagField("t", casesensitive=WRONG)),
        *(NumericField("t", indexmissing=WRONG), NumericField("t", sortable=WRONG), GeoField("t", noindex=WRONG)),
        *(GeoField("t", unf=True), GeoShapeField("t", noindex=WRONG), GeoShapeField("t", system=True)),  # type: ignore[arg-type]
        *(VECTOR._replace(dim=WRONG), VECTOR._replace(attributes=WRONG), VECTOR._replace(indexmissing=WRONG)),
    ],
    "SearchSortBy | None": [
        *(*NO_WORD, ["a", "ASC"], ("a",), ("a", "UP"), ("a", True), (None, "ASC"), (True, "ASC")),
    ],
    "Step": [
        *(*NO_WORD, None, "GROUPBY", ("LIMIT", 0, 1), TextField("data"), Load(WRONG), Load([])),
        *(GroupBy(WRONG), GroupBy(["@a"], [WRONG]), GroupBy(["@a"], WRONG), GroupBy(["@a"], [Reduce("COUNT", WRONG)])),
        *(GroupBy(["@a"], [Reduce("COUNT", alias=True)]), SortBy(WRONG), SortBy([("@a", WRONG)])),
        *(SortBy(["@a"], max=WRONG), Apply(True, "a"), Apply("1", True), Filter(True), Limit(WRONG, 1), Limit(0, True)),
    ],
    "Summarize | None": [
        *(True, "data", Highlight(), Summarize(WRONG), Summarize(frags=WRONG), Summarize(len=True)),
        Summarize(separator=True),
    ],
    "Switch | None": NO_WORD,
    "WordList": [None, *NO_WORDS],
    "WordList | None": NO_WORDS,
}

"""The arguments of searches: the fields of an index, the steps of an aggregation, and how matches are shown.

Each is a value of named parts that `words` makes words of. Where a server looks for a number, a number is required, and where it
counts what follows, a sequence, of which text is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from ..wire.encoder import Argument
from .arguments import NONE, Fields, given, in_turn, integers, limiting, named, numbers, require

__all__ = [
    "Apply",
    "DataType",
    "Filter",
    "GeoField",
    "GeoShapeField",
    "GroupBy",
    "Highlight",
    "Limit",
    "Load",
    "NumericField",
    "Reduce",
    "ReturnFields",
    "SchemaField",
    "SearchSortBy",
    "SortBy",
    "Step",
    "Summarize",
    "Switch",
    "TagField",
    "TextField",
    "VectorField",
    "WordList",
    "dictionaries",
    "fields_in_turn",
    "query_params",
    "returned",
    "shown",
    "sized",
    "sorting_by",
    "steps_in_turn",
]

DataType: TypeAlias = Literal["HASH", "JSON"]

Switch: TypeAlias = Literal["ENABLE", "DISABLE"]

WordList: TypeAlias = Sequence[Argument]
"""Any number of words: a list or a tuple of them."""

ReturnFields: TypeAlias = Sequence[Argument | tuple[Argument, Argument]]
"""Fields, or paths in a JSON document; a pair of one and the name that it is to have in the result."""

SearchSortBy: TypeAlias = Argument | tuple[Argument, Literal["ASC", "DESC"]]
"""A field to sort by, or a pair of it and the direction."""


def _sequence(command: str, name: str, value: object) -> None:
    text = isinstance(value, (str, bytes, bytearray, memoryview))
    require(isinstance(value, Sequence) and not text, command, name, "a list or tuple", value)


def sized(command: str, /, **options: WordList | None) -> list[Argument]:
    """Return the words of the options that are given: of each the name, how many words it has, and these."""
    words: list[Argument] = []
    for name, value in options.items():
        if value is not None:
            _sequence(command, name, value)
            words += name.upper(), len(value), *value
    return words


def query_params(command: str, params: Fields) -> list[Argument]:
    """Return the words for the values of a query's query_params."""
    words = in_turn(command, "params", params)
    return ["PARAMS", len(words), *words] if words else []


def returned(command: str, name: str, word: str, fields: ReturnFields | None) -> list[Argument]:
    """Return the words for which fields to return or load, some of them under other names."""
    if fields is None:
        return []
    _sequence(command, name, fields)
    words: list[Argument] = []
    for field in fields:
        if not isinstance(field, tuple):
            words.append(field)
        else:
            require(len(field) == 2, command, name, "fields, or pairs of a field and its name", field)
            words += field[0], "AS", field[1]
    if not words:
        raise ValueError(f"{name} of {command} must name a field")
    return [word, len(words), *words]


def sorting_by(command: str, sortby: SearchSortBy | None) -> list[Argument]:
    """Return the words for the field that results are sorted by."""
    return [] if sortby is None else ["SORTBY", *_sort_key(command, sortby)]


def _sort_key(command: str, key: SearchSortBy) -> list[Argument]:
    if not isinstance(key, tuple):
        return [key]
    words: tuple[object, ...] = key
    if len(words) != 2 or words[1] not in ("ASC", "DESC"):
        raise ValueError(f"sortby of {command} must be a field, or a pair of it and ASC or DESC")
    return [*key]


def dictionaries(include: WordList, exclude: WordList) -> list[Argument]:
    """Return the words for dictionaries of FT.SPELLCHECK."""
    _sequence("FT.SPELLCHECK", "include", include)
    _sequence("FT.SPELLCHECK", "exclude", exclude)
    return [
        word
        for way, names in (("INCLUDE", include), ("EXCLUDE", exclude))
        for name in names
        for word in ("TERMS", way, name)
    ]


# -- how matches are shown ----------------------------------------------------------------------------------------------------


class Highlight(NamedTuple):
    """Mark what matched, in these fields or in all, by the text that is to stand before and behind it."""

    fields: WordList | None = None
    tags: tuple[Argument, Argument] | None = None

    def words(self, command: str) -> list[Argument]:
        """Return it as words."""
        tags: object = self.tags
        right = tags is None or (isinstance(tags, tuple) and len(tags) == 2)
        require(right, command, "tags", "two texts", tags)
        return ["HIGHLIGHT", *sized(command, fields=self.fields), *(("TAGS", *self.tags) if self.tags else ())]


class Summarize(NamedTuple):
    """Return of these fields, or of all, only passages around what matched: how many, of how many words, and what parts them."""

    fields: WordList | None = None
    frags: int | None = None
    len: int | None = None
    separator: Argument | None = None

    def words(self, command: str) -> list[Argument]:
        """Return it as words."""
        sizes = integers(command, frags=self.frags, len=self.len)
        return ["SUMMARIZE", *sized(command, fields=self.fields), *sizes, *named(separator=self.separator)]


def shown(
    command: str, name: str, kind: type[Highlight | Summarize], value: Highlight | Summarize | None
) -> list[Argument]:
    """Return the words for how matches are shown."""
    if value is None:
        return []
    require(isinstance(value, kind), command, name, f"a {kind.__name__}", value)
    return value.words(command)


# -- the fields of an index ---------------------------------------------------------------------------------------------------


class TextField(NamedTuple):
    """A field for words of text. `name` is that of a hash's field, or a path in a JSON document; `alias` what queries call it."""

    name: Argument
    alias: Argument | None = None
    weight: float | None = None
    nostem: bool = False
    phonetic: Argument | None = None
    withsuffixtrie: bool = False
    indexempty: bool = False
    indexmissing: bool = False
    sortable: bool = False
    unf: bool = False
    noindex: bool = False

    def words(self, command: str) -> list[Argument]:
        """Return it as words."""
        options = [
            *given(command, nostem=self.nostem),
            *numbers(command, weight=self.weight),
            *named(phonetic=self.phonetic),
            *given(command, withsuffixtrie=self.withsuffixtrie),
            *given(command, indexempty=self.indexempty, indexmissing=self.indexmissing),
        ]
        return [*_called(self.name, self.alias), "TEXT", *options, *_sortable(command, self)]


class TagField(NamedTuple):
    """A field for tags, which are found as they are, such as categories. `separator` is one character."""

    name: Argument
    alias: Argument | None = None
    separator: Argument | None = None
    casesensitive: bool = False
    withsuffixtrie: bool = False
    indexempty: bool = False
    indexmissing: bool = False
    sortable: bool = False
    unf: bool = False
    noindex: bool = False

    def words(self, command: str) -> list[Argument]:
        """Return it as words."""
        options = [
            *named(separator=self.separator),
            *given(command, casesensitive=self.casesensitive, withsuffixtrie=self.withsuffixtrie),
            *given(command, indexempty=self.indexempty, indexmissing=self.indexmissing),
        ]
        return [*_called(self.name, self.alias), "TAG", *options, *_sortable(command, self)]


class NumericField(NamedTuple):
    """A field for numbers."""

    name: Argument
    alias: Argument | None = None
    indexmissing: bool = False
    sortable: bool = False
    unf: bool = False
    noindex: bool = False

    def words(self, command: str) -> list[Argument]:
        """Return it as words."""
        options = given(command, indexmissing=self.indexmissing)
        return [*_called(self.name, self.alias), "NUMERIC", *options, *_sortable(command, self)]


class GeoField(NamedTuple):
    """A field for points on earth: longitude and latitude, with a comma between them."""

    name: Argument
    alias: Argument | None = None
    indexmissing: bool = False
    sortable: bool = False
    unf: bool = False
    noindex: bool = False

    def words(self, command: str) -> list[Argument]:
        """Return it as words."""
        options = given(command, indexmissing=self.indexmissing)
        return [*_called(self.name, self.alias), "GEO", *options, *_sortable(command, self)]


class GeoShapeField(NamedTuple):
    """A field for polygons and points in the notation WKT."""

    name: Argument
    alias: Argument | None = None
    system: Literal["SPHERICAL", "FLAT"] = "SPHERICAL"
    indexmissing: bool = False
    noindex: bool = False

    def words(self, command: str) -> list[Argument]:
        """Return it as words."""
        options = given(command, indexmissing=self.indexmissing, noindex=self.noindex)
        return [*_called(self.name, self.alias), "GEOSHAPE", self.system, *options]


class VectorField(NamedTuple):
    """A field for vectors of `dim` numbers of a type. `attributes` are those of the algorithm, such as `{"M": 16}` for HNSW."""

    name: Argument
    algorithm: Literal["FLAT", "HNSW", "SVS-VAMANA"]
    type: Literal["BFLOAT16", "FLOAT16", "FLOAT32", "FLOAT64", "INT8", "UINT8"]
    dim: int
    distance_metric: Literal["L2", "IP", "COSINE"]
    alias: Argument | None = None
    attributes: Fields = NONE
    indexmissing: bool = False

    def words(self, command: str) -> list[Argument]:
        """Return it as words."""
        size = integers(command, dim=self.dim)
        more = in_turn(command, "attributes", self.attributes)
        made = ["TYPE", self.type, *size, "DISTANCE_METRIC", self.distance_metric, *more]
        options = given(command, indexmissing=self.indexmissing)
        return [*_called(self.name, self.alias), "VECTOR", self.algorithm, len(made), *made, *options]


SchemaField: TypeAlias = TextField | TagField | NumericField | GeoField | GeoShapeField | VectorField

FIELDS: Final = (TextField, TagField, NumericField, GeoField, GeoShapeField, VectorField)


def _called(name: Argument, alias: Argument | None) -> list[Argument]:
    return [name] if alias is None else [name, "AS", alias]


def _sortable(command: str, field: TextField | TagField | NumericField | GeoField) -> list[Argument]:
    if field.unf is True and field.sortable is False:
        raise ValueError(f"unf of {command} says how a field is sorted: it must be sortable, too")
    return given(command, sortable=field.sortable, unf=field.unf, noindex=field.noindex)


def fields_in_turn(command: str, *fields: SchemaField) -> list[Argument]:
    """Return the words of a schema's fields."""
    return _all_words(command, "every field", "a TextField or its like", FIELDS, fields)


# -- the steps of an aggregation ----------------------------------------------------------------------------------------------


class Load(NamedTuple):
    """Load these fields of each document; None stands for all of them."""

    fields: ReturnFields | None = None

    def words(self, command: str) -> list[Argument]:
        """Return it as words."""
        return returned(command, "fields", "LOAD", self.fields) or ["LOAD", "*"]


class Reduce(NamedTuple):
    """What to make of the rows of a group: a function's name such as `COUNT` or `TOLIST`, and its arguments."""

    function: Argument
    arguments: WordList = ()
    alias: Argument | None = None

    def words(self, command: str) -> list[Argument]:
        """Return it as words."""
        _sequence(command, "arguments", self.arguments)
        alias = () if self.alias is None else ("AS", self.alias)
        return ["REDUCE", self.function, len(self.arguments), *self.arguments, *alias]


class GroupBy(NamedTuple):
    """Make one row of all that are alike in these properties, such as `@city`; without any, of all rows."""

    properties: WordList
    reducers: Sequence[Reduce] = ()

    def words(self, command: str) -> list[Argument]:
        """Return it as words."""
        _sequence(command, "reducers", self.reducers)
        reducers = _all_words(command, "every reducer", "a Reduce", (Reduce,), self.reducers)
        return [*sized(command, groupby=self.properties), *reducers]


class SortBy(NamedTuple):
    """Sort rows by these properties, and keep no more than `max`, if given."""

    properties: Sequence[SearchSortBy]
    max: int | None = None

    def words(self, command: str) -> list[Argument]:
        """Return it as words."""
        _sequence(command, "properties", self.properties)
        keys = [word for key in self.properties for word in _sort_key(command, key)]
        return [*sized(command, sortby=keys), *integers(command, max=self.max)]


class Apply(NamedTuple):
    """Compute a property of each row, such as `@price * 2`, and call it `alias`."""

    expression: Argument
    alias: Argument

    def words(self, _command: str) -> list[Argument]:
        """Return it as words."""
        return ["APPLY", self.expression, "AS", self.alias]


class Filter(NamedTuple):
    """Keep the rows of which an expression is true."""

    expression: Argument

    def words(self, _command: str) -> list[Argument]:
        """Return it as words."""
        return ["FILTER", self.expression]


class Limit(NamedTuple):
    """Keep up to `num` rows from the one at `offset` on."""

    offset: int
    num: int

    def words(self, command: str) -> list[Argument]:
        """Return it as words."""
        return [*limiting(command, (self.offset, self.num))]


Step: TypeAlias = Load | GroupBy | SortBy | Apply | Filter | Limit

STEPS: Final = (Load, GroupBy, SortBy, Apply, Filter, Limit)


def steps_in_turn(command: str, *steps: Step) -> list[Argument]:
    """Return the words of an aggregation's steps."""
    return _all_words(command, "every step", "a GroupBy or its like", STEPS, steps)


def _all_words(
    command: str,
    name: str,
    wanted: str,
    kinds: tuple[type, ...],
    values: Iterable[SchemaField | Step | Reduce],
) -> list[Argument]:
    words: list[Argument] = []
    for value in values:
        require(isinstance(value, kinds), command, name, wanted, value)
        words += value.words(command)
    return words

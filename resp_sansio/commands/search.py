"""Commands on indexes: to make them, and what belongs to them, such as aliases, dictionaries and suggestions.

Redis 8 has them, and the module RediSearch brings them to older servers. `search_queries` asks the indexes.
"""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import given, integers, named, numbers
from .arguments_search import (
    DataType,
    SchemaField,
    Switch,
    WordList,
    dictionaries,
    fields_in_turn,
    sized,
)
from .command import Command
from .readers import Members, bulk, bulks, done, truth, whole
from .readers_index import IndexInfo, index_info
from .readers_search import (
    Suggestion,
    corrections,
    full_suggestions,
    plan_lines,
    scored_suggestions,
    search_names,
    search_settings,
    synonyms,
)

# -- indexes ------------------------------------------------------------------------------------------------------------------


def ft_create(
    index: Argument,
    field: SchemaField,
    *fields: SchemaField,
    on: DataType = "HASH",
    indexall: Switch | None = None,
    prefix: WordList | None = None,
    filter: Argument | None = None,
    language: Argument | None = None,
    language_field: Argument | None = None,
    score: float | None = None,
    score_field: Argument | None = None,
    payload_field: Argument | None = None,
    maxtextfields: bool = False,
    temporary: int | None = None,
    nooffsets: bool = False,
    nohl: bool = False,
    nofields: bool = False,
    nofreqs: bool = False,
    stopwords: WordList | None = None,
    skipinitialscan: bool = False,
) -> Command[None]:
    """Create an index of these fields, such as `TextField("title")`, over the keys that begin with a `prefix`.

    `temporary` is after how many seconds without use it goes, and its documents with it. `indexall` (Redis 8.0).
    """
    options = [
        *("ON", on),
        *named(indexall=indexall),
        *sized("FT.CREATE", prefix=prefix),
        *named(filter=filter, language=language, language_field=language_field),
        *numbers("FT.CREATE", score=score),
        *named(score_field=score_field, payload_field=payload_field),
        *given("FT.CREATE", maxtextfields=maxtextfields),
        *integers("FT.CREATE", temporary=temporary),
        *given("FT.CREATE", nooffsets=nooffsets, nohl=nohl, nofields=nofields, nofreqs=nofreqs),
        *sized("FT.CREATE", stopwords=stopwords),
        *given("FT.CREATE", skipinitialscan=skipinitialscan),
    ]
    schema = fields_in_turn("FT.CREATE", field, *fields)
    return Command("FT.CREATE", index, *options, "SCHEMA", *schema, read=done)


def ft_alter(index: Argument, field: SchemaField, *fields: SchemaField, skipinitialscan: bool = False) -> Command[None]:
    """Add fields to an index, and index what there is unless `skipinitialscan` says not to."""
    schema = fields_in_turn("FT.ALTER", field, *fields)
    return Command(
        "FT.ALTER", index, *given("FT.ALTER", skipinitialscan=skipinitialscan), "SCHEMA", "ADD", *schema, read=done
    )


def ft_dropindex(index: Argument, *, dd: bool = False) -> Command[None]:
    """Delete an index, and with `dd` its documents, too."""
    return Command("FT.DROPINDEX", index, *given("FT.DROPINDEX", dd=dd), read=done)


def ft_list() -> Command[Members[bytes]]:
    """Return the names of all indexes."""
    return Command("FT._LIST", read=search_names)


def ft_info(index: Argument) -> Command[IndexInfo]:
    """Return how an index is made, and what is in it."""
    return Command("FT.INFO", index, read=index_info)


def ft_tagvals(index: Argument, field_name: Argument) -> Command[Members[bytes]]:
    """Return all tags that are in a field."""
    return Command("FT.TAGVALS", index, field_name, read=search_names)


# -- aliases ------------------------------------------------------------------------------------------------------------------


def ft_aliasadd(alias: Argument, index: Argument) -> Command[None]:
    """Give an index one more name."""
    return Command("FT.ALIASADD", alias, index, read=done)


def ft_aliasupdate(alias: Argument, index: Argument) -> Command[None]:
    """Give an index one more name, and take it from the index that has it."""
    return Command("FT.ALIASUPDATE", alias, index, read=done)


def ft_aliasdel(alias: Argument) -> Command[None]:
    """Take a name from an index."""
    return Command("FT.ALIASDEL", alias, read=done)


def ft_aliaslist(index: Argument) -> Command[Members[bytes]]:
    """Return the other names of an index (Redis 8.10)."""
    return Command("FT.ALIASLIST", index, read=search_names)


# -- synonyms, dictionaries, spelling -----------------------------------------------------------------------------------------


def ft_synupdate(
    index: Argument, synonym_group_id: Argument, term: Argument, *terms: Argument, skipinitialscan: bool = False
) -> Command[None]:
    """Add terms to a group of those that mean the same."""
    scan = given("FT.SYNUPDATE", skipinitialscan=skipinitialscan)
    return Command("FT.SYNUPDATE", index, synonym_group_id, *scan, term, *terms, read=done)


def ft_syndump(index: Argument) -> Command[dict[bytes, list[bytes]]]:
    """Return for each term the groups that it belongs to."""
    return Command("FT.SYNDUMP", index, read=synonyms)


def ft_dictadd(dict: Argument, term: Argument, *terms: Argument) -> Command[int]:
    """Add terms to a dictionary; return how many are new."""
    return Command("FT.DICTADD", dict, term, *terms, read=whole)


def ft_dictdel(dict: Argument, term: Argument, *terms: Argument) -> Command[int]:
    """Delete terms of a dictionary; return how many there were."""
    return Command("FT.DICTDEL", dict, term, *terms, read=whole)


def ft_dictdump(dict: Argument) -> Command[Members[bytes]]:
    """Return the terms of a dictionary."""
    return Command("FT.DICTDUMP", dict, read=search_names)


def ft_spellcheck(
    index: Argument,
    query: Argument,
    *,
    distance: int | None = None,
    include: WordList = (),
    exclude: WordList = (),
    dialect: int | None = None,
) -> Command[dict[bytes, list[tuple[bytes, float]]]]:
    """Return for each term that the index does not know what may have been meant, with scores, best first.

    `include` and `exclude` are dictionaries of terms to suggest, too, or never. `distance` is how many letters may be wrong.
    """
    options = [
        *integers("FT.SPELLCHECK", distance=distance),
        *dictionaries(include, exclude),
        *integers("FT.SPELLCHECK", dialect=dialect),
    ]
    return Command("FT.SPELLCHECK", index, query, *options, read=corrections)


# -- suggestions --------------------------------------------------------------------------------------------------------------


def ft_sugadd(
    key: Argument, string: Argument, score: float, *, incr: bool = False, payload: Argument | None = None
) -> Command[int]:
    """Add a string to what may be suggested, or with `incr` add to its score; return how many there are."""
    options = [*given("FT.SUGADD", incr=incr), *named(payload=payload)]
    return Command("FT.SUGADD", key, string, score, *options, read=whole)


def ft_sugget(key: Argument, prefix: Argument, *, fuzzy: bool = False, max: int | None = None) -> Command[list[bytes]]:
    """Return up to `max` strings (5 by default) that begin so, best first. With `fuzzy` one letter may be wrong."""
    options = [*given("FT.SUGGET", fuzzy=fuzzy), *integers("FT.SUGGET", max=max)]
    return Command("FT.SUGGET", key, prefix, *options, read=bulks)


def ft_sugget_withscores(
    key: Argument, prefix: Argument, *, fuzzy: bool = False, max: int | None = None
) -> Command[list[tuple[bytes, float]]]:
    """As `ft_sugget`, with scores."""
    options = [*given("FT.SUGGET", fuzzy=fuzzy), "WITHSCORES", *integers("FT.SUGGET", max=max)]
    return Command("FT.SUGGET", key, prefix, *options, read=scored_suggestions)


def ft_sugget_withpayloads(
    key: Argument, prefix: Argument, *, fuzzy: bool = False, max: int | None = None
) -> Command[list[Suggestion[bytes]]]:
    """As `ft_sugget`, with scores and payloads."""
    options = [*given("FT.SUGGET", fuzzy=fuzzy), "WITHSCORES", "WITHPAYLOADS", *integers("FT.SUGGET", max=max)]
    return Command("FT.SUGGET", key, prefix, *options, read=full_suggestions)


def ft_sugdel(key: Argument, string: Argument) -> Command[bool]:
    """Delete a string of what may be suggested; return whether it was there."""
    return Command("FT.SUGDEL", key, string, read=truth)


def ft_suglen(key: Argument) -> Command[int]:
    """Return how many strings may be suggested."""
    return Command("FT.SUGLEN", key, read=whole)


# -- plans and settings -------------------------------------------------------------------------------------------------------


def ft_explain(index: Argument, query: Argument, *, dialect: int | None = None) -> Command[bytes]:
    """Return how the server understands a query, as one text."""
    return Command("FT.EXPLAIN", index, query, *integers("FT.EXPLAIN", dialect=dialect), read=bulk)


def ft_explaincli(index: Argument, query: Argument, *, dialect: int | None = None) -> Command[list[str]]:
    """Return how the server understands a query, line by line."""
    return Command("FT.EXPLAINCLI", index, query, *integers("FT.EXPLAINCLI", dialect=dialect), read=plan_lines)


def ft_config_get(option: Argument) -> Command[dict[str, str | None]]:
    """Return settings of searches, `*` for all of them. (Since Redis 8.0 they are among those of `config_get`.)"""
    return Command("FT.CONFIG GET", option, read=search_settings)


def ft_config_set(option: Argument, value: Argument) -> Command[None]:
    """Change a setting of searches."""
    return Command("FT.CONFIG SET", option, value, read=done)

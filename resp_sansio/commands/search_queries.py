"""Commands that ask indexes: searches, aggregations, cursors over their rows, hybrid searches, profiles.

Conditions on numbers, places and tags are a part of the query (`@price:[10 20]`). A value from elsewhere belongs in `params`, with
`dialect=2` or more: in the query it could be read as a part of it. Options that Redis 8 calls deprecated are left out.
"""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import NONE, Fields, integers, named
from .arguments_queries import Fusion, aggregate_words, cursor_words, hybrid_fusion, hybrid_nearness, search_words
from .arguments_search import (
    Highlight,
    ReturnFields,
    SearchSortBy,
    Step,
    Summarize,
    WordList,
    query_params,
    steps_in_turn,
)
from .command import Command
from .readers import done
from .readers_search import (
    AggregateResult,
    Document,
    ExplainedDocument,
    PayloadDocument,
    Profiled,
    ScoredDocument,
    SearchResult,
    aggregate_rows,
    cursor_rows,
    found_documents,
    found_explained,
    found_ids,
    found_payloads,
    found_scored,
    hybrid_rows,
    profiled_documents,
    profiled_rows,
)

# -- searches -----------------------------------------------------------------------------------------------------------------


def ft_search(
    index: Argument,
    query: Argument,
    *,
    verbatim: bool = False,
    inkeys: WordList | None = None,
    infields: WordList | None = None,
    returns: ReturnFields | None = None,
    summarize: Summarize | None = None,
    highlight: Highlight | None = None,
    slop: int | None = None,
    timeout: int | None = None,
    inorder: bool = False,
    language: Argument | None = None,
    expander: Argument | None = None,
    scorer: Argument | None = None,
    payload: Argument | None = None,
    sortby: SearchSortBy | None = None,
    limit: tuple[int, int] | None = None,
    params: Fields = NONE,
    dialect: int | None = None,
) -> Command[SearchResult[Document[bytes]]]:
    """Return how many documents match, and up to ten of them, or those that `limit` says, with their fields.

    `returns` names the fields to return. Values for `$name` in the query are in `params`. `timeout` is in milliseconds.
    """
    options = search_words(
        "FT.SEARCH", verbatim, inkeys, infields, slop, timeout, inorder, language, expander, scorer, payload, sortby,
        limit, params, dialect, returns, summarize, highlight,
    )  # fmt: skip
    return Command("FT.SEARCH", index, query, *options, read=found_documents)


def ft_search_nocontent(
    index: Argument,
    query: Argument,
    *,
    verbatim: bool = False,
    inkeys: WordList | None = None,
    infields: WordList | None = None,
    slop: int | None = None,
    timeout: int | None = None,
    inorder: bool = False,
    language: Argument | None = None,
    expander: Argument | None = None,
    scorer: Argument | None = None,
    payload: Argument | None = None,
    sortby: SearchSortBy | None = None,
    limit: tuple[int, int] | None = None,
    params: Fields = NONE,
    dialect: int | None = None,
) -> Command[SearchResult[bytes]]:
    """As `ft_search`, with no more than the IDs of the documents."""
    options = search_words(
        "FT.SEARCH", verbatim, inkeys, infields, slop, timeout, inorder, language, expander, scorer, payload, sortby,
        limit, params, dialect,
    )  # fmt: skip
    return Command("FT.SEARCH", index, query, "NOCONTENT", *options, read=found_ids)


def ft_search_withscores(
    index: Argument,
    query: Argument,
    *,
    verbatim: bool = False,
    inkeys: WordList | None = None,
    infields: WordList | None = None,
    returns: ReturnFields | None = None,
    summarize: Summarize | None = None,
    highlight: Highlight | None = None,
    slop: int | None = None,
    timeout: int | None = None,
    inorder: bool = False,
    language: Argument | None = None,
    expander: Argument | None = None,
    scorer: Argument | None = None,
    payload: Argument | None = None,
    sortby: SearchSortBy | None = None,
    limit: tuple[int, int] | None = None,
    params: Fields = NONE,
    dialect: int | None = None,
) -> Command[SearchResult[ScoredDocument[bytes]]]:
    """As `ft_search`, with scores."""
    options = search_words(
        "FT.SEARCH", verbatim, inkeys, infields, slop, timeout, inorder, language, expander, scorer, payload, sortby,
        limit, params, dialect, returns, summarize, highlight,
    )  # fmt: skip
    return Command("FT.SEARCH", index, query, "WITHSCORES", *options, read=found_scored)


def ft_search_explainscore(
    index: Argument,
    query: Argument,
    *,
    verbatim: bool = False,
    inkeys: WordList | None = None,
    infields: WordList | None = None,
    returns: ReturnFields | None = None,
    summarize: Summarize | None = None,
    highlight: Highlight | None = None,
    slop: int | None = None,
    timeout: int | None = None,
    inorder: bool = False,
    language: Argument | None = None,
    expander: Argument | None = None,
    scorer: Argument | None = None,
    payload: Argument | None = None,
    sortby: SearchSortBy | None = None,
    limit: tuple[int, int] | None = None,
    params: Fields = NONE,
    dialect: int | None = None,
) -> Command[SearchResult[ExplainedDocument[bytes]]]:
    """As `ft_search`, with scores, and how each was made."""
    options = search_words(
        "FT.SEARCH", verbatim, inkeys, infields, slop, timeout, inorder, language, expander, scorer, payload, sortby,
        limit, params, dialect, returns, summarize, highlight,
    )  # fmt: skip
    return Command("FT.SEARCH", index, query, "WITHSCORES", "EXPLAINSCORE", *options, read=found_explained)


def ft_search_withpayloads(
    index: Argument,
    query: Argument,
    *,
    verbatim: bool = False,
    inkeys: WordList | None = None,
    infields: WordList | None = None,
    returns: ReturnFields | None = None,
    summarize: Summarize | None = None,
    highlight: Highlight | None = None,
    slop: int | None = None,
    timeout: int | None = None,
    inorder: bool = False,
    language: Argument | None = None,
    expander: Argument | None = None,
    scorer: Argument | None = None,
    payload: Argument | None = None,
    sortby: SearchSortBy | None = None,
    limit: tuple[int, int] | None = None,
    params: Fields = NONE,
    dialect: int | None = None,
) -> Command[SearchResult[PayloadDocument[bytes]]]:
    """As `ft_search`, with scores and payloads: see `payload_field` of `ft_create`."""
    options = search_words(
        "FT.SEARCH", verbatim, inkeys, infields, slop, timeout, inorder, language, expander, scorer, payload, sortby,
        limit, params, dialect, returns, summarize, highlight,
    )  # fmt: skip
    return Command("FT.SEARCH", index, query, "WITHSCORES", "WITHPAYLOADS", *options, read=found_payloads)


def ft_profile_search(
    index: Argument,
    query: Argument,
    *,
    verbatim: bool = False,
    inkeys: WordList | None = None,
    infields: WordList | None = None,
    returns: ReturnFields | None = None,
    summarize: Summarize | None = None,
    highlight: Highlight | None = None,
    slop: int | None = None,
    timeout: int | None = None,
    inorder: bool = False,
    language: Argument | None = None,
    expander: Argument | None = None,
    scorer: Argument | None = None,
    payload: Argument | None = None,
    sortby: SearchSortBy | None = None,
    limit: tuple[int, int] | None = None,
    params: Fields = NONE,
    dialect: int | None = None,
) -> Command[Profiled[SearchResult[Document[bytes]]]]:
    """As `ft_search`, with where the time went."""
    options = search_words(
        "FT.PROFILE", verbatim, inkeys, infields, slop, timeout, inorder, language, expander, scorer, payload, sortby,
        limit, params, dialect, returns, summarize, highlight,
    )  # fmt: skip
    return Command("FT.PROFILE", index, "SEARCH", "QUERY", query, *options, read=profiled_documents)


# -- aggregations -------------------------------------------------------------------------------------------------------------


def ft_aggregate(
    index: Argument,
    query: Argument,
    *steps: Step,
    verbatim: bool = False,
    timeout: int | None = None,
    scorer: Argument | None = None,
    addscores: bool = False,
    params: Fields = NONE,
    dialect: int | None = None,
) -> Command[AggregateResult[bytes]]:
    """Return what the steps make of the documents that match: `Load`, `GroupBy`, `SortBy`, `Apply`, `Filter`, `Limit`.

    `addscores` gives each row a property `__score` (Redis 8.0).
    """
    options = aggregate_words("FT.AGGREGATE", steps, verbatim, timeout, scorer, addscores, params, dialect)
    return Command("FT.AGGREGATE", index, query, *options, read=aggregate_rows)


def ft_aggregate_withcursor(
    index: Argument,
    query: Argument,
    *steps: Step,
    count: int | None = None,
    maxidle: int | None = None,
    verbatim: bool = False,
    timeout: int | None = None,
    scorer: Argument | None = None,
    addscores: bool = False,
    params: Fields = NONE,
    dialect: int | None = None,
) -> Command[tuple[int, AggregateResult[bytes]]]:
    """As `ft_aggregate`; return a cursor for `ft_cursor_read`, 0 if that was all, and up to `count` rows (1000 by default).

    The server deletes a cursor that was not read for `maxidle` milliseconds.
    """
    options = aggregate_words("FT.AGGREGATE", steps, verbatim, timeout, scorer, addscores, params, dialect)
    cursor = cursor_words(count, maxidle)
    return Command("FT.AGGREGATE", index, query, *options, *cursor, read=cursor_rows)


def ft_profile_aggregate(
    index: Argument,
    query: Argument,
    *steps: Step,
    verbatim: bool = False,
    timeout: int | None = None,
    scorer: Argument | None = None,
    addscores: bool = False,
    params: Fields = NONE,
    dialect: int | None = None,
) -> Command[Profiled[AggregateResult[bytes]]]:
    """As `ft_aggregate`, with where the time went."""
    options = aggregate_words("FT.PROFILE", steps, verbatim, timeout, scorer, addscores, params, dialect)
    return Command("FT.PROFILE", index, "AGGREGATE", "QUERY", query, *options, read=profiled_rows)


def ft_cursor_read(
    index: Argument, cursor_id: int, *, count: int | None = None
) -> Command[tuple[int, AggregateResult[bytes]]]:
    """Return the cursor, 0 if there are no more rows, and the next rows. The server moves on, so it is never sent twice."""
    return Command("FT.CURSOR READ", index, cursor_id, *integers("FT.CURSOR READ", count=count), read=cursor_rows)


def ft_cursor_del(index: Argument, cursor_id: int) -> Command[None]:
    """Delete a cursor that is not read to the end."""
    return Command("FT.CURSOR DEL", index, cursor_id, read=done)


# -- text and vectors together ------------------------------------------------------------------------------------------------


def ft_hybrid(
    index: Argument,
    search: Argument,
    field: Argument,
    vector: Argument,
    *steps: Step,
    scorer: Argument | None = None,
    search_score_as: Argument | None = None,
    k: int | None = None,
    ef_runtime: int | None = None,
    radius: float | None = None,
    epsilon: float | None = None,
    filter: Argument | None = None,
    vector_score_as: Argument | None = None,
    combine: Fusion | None = None,
    constant: float | None = None,
    window: int | None = None,
    alpha: float | None = None,
    beta: float | None = None,
    score_as: Argument | None = None,
    params: Fields = NONE,
    timeout: int | None = None,
) -> Command[AggregateResult[bytes]]:
    """Find by a text query and by likeness to a vector at once; return what the steps make of the best (Redis 8.4).

    `field` is one of vectors, such as `@embedding`, and `vector` the name of a value in `params`, such as `$query`. Its `k`
    nearest count, or all within a `radius`, of those that `filter` finds. Without steps a row has `__key` and `__score`.
    """
    options = [
        *("SEARCH", search, *named(scorer=scorer, yield_score_as=search_score_as)),
        *("VSIM", field, vector, *hybrid_nearness(k, ef_runtime, radius, epsilon, filter)),
        *named(yield_score_as=vector_score_as),
        *hybrid_fusion(combine, constant, window, alpha, beta, score_as),
        *steps_in_turn("FT.HYBRID", *steps),
        *query_params("FT.HYBRID", params),
        *integers("FT.HYBRID", timeout=timeout),
    ]
    return Command("FT.HYBRID", index, *options, read=hybrid_rows)

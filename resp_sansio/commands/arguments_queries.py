"""The options of commands that ask indexes, as words: what FT.SEARCH, FT.AGGREGATE and FT.HYBRID take."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..wire.encoder import Argument
from .arguments import Fields, given, integers, limiting, named, numbers
from .arguments_search import (
    Highlight,
    ReturnFields,
    SearchSortBy,
    Step,
    Summarize,
    WordList,
    query_params,
    returned,
    shown,
    sized,
    sorting_by,
    steps_in_turn,
)

__all__ = ["Fusion", "aggregate_words", "cursor_words", "hybrid_fusion", "hybrid_nearness", "search_words"]

Fusion: TypeAlias = Literal["RRF", "LINEAR"]


def search_words(
    command: str,
    verbatim: bool,
    inkeys: WordList | None,
    infields: WordList | None,
    slop: int | None,
    timeout: int | None,
    inorder: bool,
    language: Argument | None,
    expander: Argument | None,
    scorer: Argument | None,
    payload: Argument | None,
    sortby: SearchSortBy | None,
    limit: tuple[int, int] | None,
    params: Fields,
    dialect: int | None,
    returns: ReturnFields | None = None,
    summarize: Summarize | None = None,
    highlight: Highlight | None = None,
) -> list[Argument]:
    """Return the words for what to find, in which order, and what to show of it."""
    return [
        *given(command, verbatim=verbatim),
        *sized(command, inkeys=inkeys, infields=infields),
        *returned(command, "returns", "RETURN", returns),
        *shown(command, "summarize", Summarize, summarize),
        *shown(command, "highlight", Highlight, highlight),
        *integers(command, slop=slop, timeout=timeout),
        *given(command, inorder=inorder),
        *named(language=language, expander=expander, scorer=scorer, payload=payload),
        *sorting_by(command, sortby),
        *limiting(command, limit),
        *query_params(command, params),
        *integers(command, dialect=dialect),
    ]


def aggregate_words(
    command: str,
    steps: tuple[Step, ...],
    verbatim: bool,
    timeout: int | None,
    scorer: Argument | None,
    addscores: bool,
    params: Fields,
    dialect: int | None,
) -> list[Argument]:
    """Return the words for what to find, and what to make of it step by step."""
    return [
        *given(command, verbatim=verbatim, addscores=addscores),
        *named(scorer=scorer),
        *integers(command, timeout=timeout),
        *steps_in_turn(command, *steps),
        *query_params(command, params),
        *integers(command, dialect=dialect),
    ]


def cursor_words(count: int | None, maxidle: int | None) -> list[Argument]:
    """Return the words for a cursor."""
    return ["WITHCURSOR", *integers("FT.AGGREGATE", count=count, maxidle=maxidle)]


def hybrid_nearness(
    k: int | None, ef_runtime: int | None, radius: float | None, epsilon: float | None, filter: Argument | None
) -> list[Argument]:
    """Return the words for which vectors count as similar."""
    nearest = integers("FT.HYBRID", k=k, ef_runtime=ef_runtime)
    near = numbers("FT.HYBRID", radius=radius, epsilon=epsilon)
    if nearest and near:
        raise ValueError("k and ef_runtime of FT.HYBRID exclude radius and epsilon")
    if (nearest and k is None) or (near and radius is None):
        raise ValueError("ef_runtime of FT.HYBRID goes with k, and epsilon with radius")
    method = ("KNN" if nearest else "RANGE", len(nearest or near), *nearest, *near) if nearest or near else ()
    return [*method, *named(filter=filter)]


def hybrid_fusion(
    combine: Fusion | None,
    constant: float | None,
    window: int | None,
    alpha: float | None,
    beta: float | None,
    yield_score_as: Argument | None,
) -> list[Argument]:
    """Return the words for how two ranks become one."""
    more = [
        *numbers("FT.HYBRID", constant=constant, alpha=alpha, beta=beta),
        *integers("FT.HYBRID", window=window),
    ]
    alias = named(yield_score_as=yield_score_as)
    if combine is None:
        if more or alias:
            raise ValueError("constant, window, alpha, beta and score_as of FT.HYBRID go with combine")
        return []
    return ["COMBINE", combine, *((len(more), *more) if more else ()), *alias]

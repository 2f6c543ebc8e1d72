"""What the replies of FT.* are to their caller: records that are the same on RESP2 and RESP3.

RESP3 names each part in a map. RESP2 puts the parts in a row, and which ones there are hangs on the options of the command: so
each combination has a reader of its own. RESP2 says nothing of warnings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from ..wire.values import Reply
from .decoding import RAW, S, Text
from .readers import (
    bulk,
    bulks,
    by_data,
    flat,
    items,
    maybe_bulk,
    number,
    pairs_in_rows,
    pairs_in_turn,
    unexpected,
    whole,
)
from .readers_own import maybe_own, own, pairs_of

__all__ = [
    "AggregateResult",
    "Document",
    "ExplainedDocument",
    "PayloadDocument",
    "Profiled",
    "ScoredDocument",
    "SearchResult",
    "Suggestion",
]

D = TypeVar("D")
T = TypeVar("T")


class Document(NamedTuple, Generic[S]):
    """A document that was found. A field without a value has None; a document that expired meanwhile has no fields."""

    id: S
    fields: dict[S, S | None]


class ScoredDocument(NamedTuple, Generic[S]):
    """A document that was found, and how well it matches."""

    id: S
    score: float
    fields: dict[S, S | None]


class ExplainedDocument(NamedTuple, Generic[S]):
    """As `ScoredDocument`, with lines of text that say how its score was made."""

    id: S
    score: float
    explanation: list[str]
    fields: dict[S, S | None]


class PayloadDocument(NamedTuple, Generic[S]):
    """As `ScoredDocument`, with what the index keeps as the document's payload, if it has one."""

    id: S
    score: float
    payload: S | None
    fields: dict[S, S | None]


class SearchResult(NamedTuple, Generic[D]):
    """What a search found: how many in all, those that were asked for, and on RESP3 the server's warnings.

    A warning says that the result is not complete, because the time was up, for example.
    """

    total: int
    documents: list[D]
    warnings: list[str]


class AggregateResult(NamedTuple, Generic[S]):
    """The rows of an aggregation: of each, properties with their values, which are data, lists of data, or None.

    `total` is what the server says of their number, which need not be it. There are warnings on RESP3 alone.
    """

    total: int
    rows: list[dict[S, S | list[S | None] | None]]
    warnings: list[str]


class Profiled(NamedTuple, Generic[T]):
    """A result, and where the time went: as the server says it, which differs by its version and by the protocol."""

    result: T
    profile: Reply


class Suggestion(NamedTuple, Generic[S]):
    """A suggestion, its score, and its payload, if it has one."""

    string: S
    score: float
    payload: S | None


# -- parts --------------------------------------------------------------------------------------------------------------------


def name(reply: Reply, text: Text[S]) -> S:
    """A name that a caller gave, which some servers say in a simple string."""
    return text.one(reply.encode("utf-8", "surrogateescape") if type(reply) is str else bulk(reply, RAW))


def by_name(reply: Reply) -> dict[str, Reply]:
    """A map from the server's own words: RESP3's, or one in turn."""
    return {own(key): value for key, value in pairs_in_turn(reply)}


def part(found: dict[str, Reply], key: str) -> Reply:
    """Return a part that must be there."""
    if key not in found:
        raise unexpected(f"a map with {key}", None)
    return found[key]


def plan_lines(reply: Reply, _text: object = None) -> list[str]:
    """Lines of text."""
    return [own(item) for item in items(reply)]


def fields_of(reply: Reply, text: Text[S]) -> dict[S, S | None]:
    """A document's fields; null if it is no longer there."""
    return {} if reply is None else by_key(reply, text, maybe_bulk)


def by_key(reply: Reply, text: Text[S], read: Callable[[Reply, Text[S]], T]) -> dict[S, T]:
    """What is read of each value, by its key: a map's, or one in turn. Of a key that came twice, the last."""
    return by_data([(key, read(value, text)) for key, value in pairs_of(reply)], text)


def search_names(reply: Reply, text: Text[S]) -> set[S]:
    """Names or terms without an order."""
    if type(reply) is not set and type(reply) is not list:
        raise unexpected("a set of names", reply)
    return text.members({name(item, RAW) for item in reply})


# -- searches -----------------------------------------------------------------------------------------------------------------

Found: TypeAlias = dict[str, Reply]


def _search(reply: Reply, parts: tuple[str, ...], make: Callable[[Found], D]) -> SearchResult[D]:
    """Read what was found: maps by name, or these parts of each document in a row behind the total."""
    if isinstance(reply, dict):
        found = by_name(reply)
        documents = [make(by_name(each)) for each in items(part(found, "results"))]
        return SearchResult(whole(part(found, "total_results")), documents, plan_lines(found.get("warning", [])))
    total, *row = items(reply) or [None]
    step = len(parts)
    if len(row) % step:
        raise unexpected(f"a total and {step} parts of each document", reply)
    each_row = [dict(zip(parts, row[at : at + step], strict=True)) for at in range(0, len(row), step)]
    return SearchResult(whole(total), [make(each) for each in each_row], [])


def found_documents(reply: Reply, text: Text[S]) -> SearchResult[Document[S]]:
    """Documents with their fields."""
    return _search(
        reply,
        ("id", "extra_attributes"),
        lambda each: Document(name(part(each, "id"), text), fields_of(each.get("extra_attributes"), text)),
    )


def found_ids(reply: Reply, text: Text[S]) -> SearchResult[S]:
    """The IDs of documents."""
    return _search(reply, ("id",), lambda each: name(part(each, "id"), text))


def found_scored(reply: Reply, text: Text[S]) -> SearchResult[ScoredDocument[S]]:
    """Documents with scores and fields."""

    def make(each: Found) -> ScoredDocument[S]:
        fields = fields_of(each.get("extra_attributes"), text)
        return ScoredDocument(name(part(each, "id"), text), number(part(each, "score")), fields)

    return _search(reply, ("id", "score", "extra_attributes"), make)


def found_explained(reply: Reply, text: Text[S]) -> SearchResult[ExplainedDocument[S]]:
    """Documents with scores, how these were made, and fields."""

    def make(each: Found) -> ExplainedDocument[S]:
        score, why = items(part(each, "score"), 2)
        fields = fields_of(each.get("extra_attributes"), text)
        return ExplainedDocument(name(part(each, "id"), text), number(score), explanation(why), fields)

    return _search(reply, ("id", "score", "extra_attributes"), make)


def explanation(reply: Reply) -> list[str]:
    """Return the lines of a text in lists in lists, two spaces before each for each list that it is in."""
    found: list[str] = []
    waiting: list[tuple[int, Reply]] = [(0, reply)]
    while waiting:
        depth, one = waiting.pop()
        if type(one) is list:
            waiting += [(depth + (type(each) is list), each) for each in reversed(one)]
        else:
            found.append(f"{'  ' * min(depth, 20)}{own(one)}")
    return found


def found_payloads(reply: Reply, text: Text[S]) -> SearchResult[PayloadDocument[S]]:
    """Documents with scores, payloads and fields."""

    def make(each: Found) -> PayloadDocument[S]:
        payload, fields = each.get("payload"), fields_of(each.get("extra_attributes"), text)
        score = number(part(each, "score"))
        return PayloadDocument(name(part(each, "id"), text), score, maybe_bulk(payload, text), fields)

    return _search(reply, ("id", "score", "payload", "extra_attributes"), make)


# -- aggregations -------------------------------------------------------------------------------------------------------------


def aggregate_rows(reply: Reply, text: Text[S]) -> AggregateResult[S]:
    """The rows of an aggregation."""
    if isinstance(reply, dict):
        found = by_name(reply)
        rows = [_row(part(by_name(each), "extra_attributes"), text) for each in items(part(found, "results"))]
        return AggregateResult(whole(part(found, "total_results")), rows, plan_lines(found.get("warning", [])))
    total, *rest = items(reply) or [None]
    return AggregateResult(whole(total), [_row(each, text) for each in rest], [])


def _row(reply: Reply, text: Text[S]) -> dict[S, S | list[S | None] | None]:
    return {} if reply is None else by_key(reply, text, _value)


def _value(reply: Reply, text: Text[S]) -> S | list[S | None] | None:
    if type(reply) is list:
        return [maybe_bulk(each, text) for each in reply]
    return maybe_bulk(reply, text)


def cursor_rows(reply: Reply, text: Text[S]) -> tuple[int, AggregateResult[S]]:
    """Where to go on, 0 if that was all, and some rows."""
    found, cursor = items(reply, 2)
    return whole(cursor), aggregate_rows(found, text)


def hybrid_rows(reply: Reply, text: Text[S]) -> AggregateResult[S]:
    """The rows of a hybrid search, on both protocols by name."""
    found = by_name(reply)
    rows = [_row(each, text) for each in items(part(found, "results"))]
    return AggregateResult(whole(part(found, "total_results")), rows, plan_lines(found.get("warnings", [])))


# -- profiles -----------------------------------------------------------------------------------------------------------------


def _profile(reply: Reply, text: Text[S], read: Callable[[Reply, Text[S]], T]) -> Profiled[T]:
    """Read a pair, a map with both, or a map of the result in which the profile is a part more (before Redis 8)."""
    if not isinstance(reply, dict):
        result, profile = items(reply, 2)
    elif "Results" in (found := by_name(reply)):
        result, profile = found["Results"], part(found, "Profile")
    else:
        result, profile = reply, part(found, "profile")
    return Profiled(read(result, text), text.anywhere(profile))


def profiled_documents(reply: Reply, text: Text[S]) -> Profiled[SearchResult[Document[S]]]:
    """Documents with their fields, and where the time went."""
    return _profile(reply, text, found_documents)


def profiled_rows(reply: Reply, text: Text[S]) -> Profiled[AggregateResult[S]]:
    """Rows, and where the time went."""
    return _profile(reply, text, aggregate_rows)


# -- suggestions, synonyms, spelling, settings --------------------------------------------------------------------------------


def scored_suggestions(reply: Reply, text: Text[S]) -> list[tuple[S, float]]:
    """Suggestions and scores in turn."""
    return [] if reply is None else [(bulk(one, text), number(score)) for one, score in pairs_in_turn(items(reply))]


def full_suggestions(reply: Reply, text: Text[S]) -> list[Suggestion[S]]:
    """Suggestions, scores and payloads in turn."""
    parts = [] if reply is None else items(reply)
    if len(parts) % 3:
        raise unexpected("suggestions with scores and payloads", reply)
    each = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    return [Suggestion(bulk(string, text), number(score), maybe_bulk(payload, text)) for string, score, payload in each]


def synonyms(reply: Reply, text: Text[S]) -> dict[S, list[S]]:
    """The groups of each term."""
    return by_key(reply, text, bulks)


def corrections(reply: Reply, text: Text[S]) -> dict[S, list[tuple[S, float]]]:
    """Of each term that is not known, what may have been meant, with scores."""
    if isinstance(reply, dict):
        return by_key(part(by_name(reply), "results"), text, _meant)
    entries = [items(each, 3) for each in items(reply)]
    return by_key([part for _, term, meant in entries for part in (term, meant)], text, _meant)


def _meant(reply: Reply, text: Text[S]) -> list[tuple[S, float]]:
    """Read scores and terms in pairs, or maps of one term and its score."""
    found: list[tuple[S, float]] = []
    for each in items(reply):
        score, term = reversed(items(flat(each), 2)) if isinstance(each, dict) else items(each, 2)
        found.append((bulk(term, text), number(score)))
    return found


def search_settings(reply: Reply, _text: object = None) -> dict[str, str | None]:
    """Settings by name, None for each that is not set."""
    return {own(key): maybe_own(value) for key, value in pairs_in_rows(reply)}

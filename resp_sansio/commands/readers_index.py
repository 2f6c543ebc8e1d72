"""What the server says of an index.

The names are the server's, with `_` for a space. RESP3 has each field of the schema as a map, with its flags in an array; on
RESP2 the flags stand behind the map's parts, without values.
"""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

from ..wire.values import Reply
from .readers import items, number
from .readers_own import Record, integer, own, pairs_of

__all__ = ["FieldStatistics", "IndexAttribute", "IndexDefinition", "IndexErrors", "IndexInfo"]


class IndexDefinition(TypedDict):
    """Which documents an index is of. A field that this version does not know is kept as it came."""

    key_type: str
    prefixes: list[str]
    filter: NotRequired[str]
    default_language: NotRequired[str]
    language_field: NotRequired[str]
    default_score: float
    score_field: NotRequired[str]
    payload_field: NotRequired[str]
    indexes_all: NotRequired[str]
    """(Redis 8.0)"""


class IndexAttribute(TypedDict):
    """A field of an index. A part that this version does not know is kept as it came."""

    identifier: str
    attribute: str
    type: str
    flags: list[str]
    WEIGHT: NotRequired[float]
    SEPARATOR: NotRequired[str]
    coord_system: NotRequired[str]
    algorithm: NotRequired[str]
    data_type: NotRequired[str]
    dim: NotRequired[int]
    distance_metric: NotRequired[str]
    M: NotRequired[int]
    ef_construction: NotRequired[int]
    ef_runtime: NotRequired[int]
    graph_max_degree: NotRequired[int]
    construction_window_size: NotRequired[int]
    compression: NotRequired[str]
    training_threshold: NotRequired[int]
    reduced_dim: NotRequired[int]


class IndexErrors(TypedDict):
    """What could not be indexed. A field that this version does not know is kept as it came."""

    indexing_failures: int
    last_indexing_error: str
    last_indexing_error_key: str
    background_indexing_status: NotRequired[str]
    """(Redis 8.0)"""


class FieldStatistics(TypedDict):
    """What could not be indexed of a field. A part that this version does not know is kept as it came."""

    identifier: str
    attribute: str
    Index_Errors: IndexErrors


class IndexInfo(TypedDict):
    """How an index is made, and what is in it. A field that this version does not know is kept as it came."""

    index_name: str
    index_options: list[str]
    index_definition: IndexDefinition
    attributes: list[IndexAttribute]
    num_docs: int
    max_doc_id: NotRequired[int]
    num_terms: int
    num_records: int
    inverted_sz_mb: NotRequired[float]
    vector_index_sz_mb: NotRequired[float]
    total_inverted_index_blocks: NotRequired[int]
    offset_vectors_sz_mb: NotRequired[float]
    doc_table_size_mb: NotRequired[float]
    sortable_values_size_mb: NotRequired[float]
    key_table_size_mb: NotRequired[float]
    tag_overhead_sz_mb: NotRequired[float]
    text_overhead_sz_mb: NotRequired[float]
    total_index_memory_sz_mb: NotRequired[float]
    geoshapes_sz_mb: NotRequired[float]
    records_per_doc_avg: NotRequired[float]
    bytes_per_record_avg: NotRequired[float]
    offsets_per_term_avg: NotRequired[float]
    offset_bits_per_record_avg: NotRequired[float]
    hash_indexing_failures: int
    total_indexing_time: NotRequired[float]
    indexing: NotRequired[bool]
    percent_indexed: NotRequired[float]
    number_of_uses: NotRequired[int]
    number_of_admin_ops: NotRequired[int]
    """(Redis 8.4)"""
    cleaning: NotRequired[bool]
    gc_stats: NotRequired[dict[str, float]]
    cursor_stats: NotRequired[dict[str, int]]
    stopwords_list: NotRequired[list[str]]
    dialect_stats: NotRequired[dict[str, int]]
    Index_Errors: NotRequired[IndexErrors]
    field_statistics: NotRequired[list[FieldStatistics]]


def _attribute(reply: Reply) -> IndexAttribute:
    if isinstance(reply, dict):
        return ATTRIBUTE(reply)
    pairs: list[tuple[Reply, Reply]] = []
    flags: list[Reply] = []
    parts = iter(items(reply))
    for name in parts:
        # Those with a value are known, or in lower case.
        if own(name) in IndexAttribute.__annotations__ or own(name).islower():
            pairs.append((name, next(parts, None)))
        else:
            flags.append(name)
    return ATTRIBUTE.read([*pairs, ("flags", flags)])


def _attributes(reply: Reply, _text: object = None) -> list[IndexAttribute]:
    return [_attribute(each) for each in items(reply)]


def _measures(reply: Reply, _text: object = None) -> dict[str, float]:
    return {own(name): number(value) for name, value in pairs_of(reply)}


def _counts(reply: Reply, _text: object = None) -> dict[str, int]:
    return {own(name): integer(value) for name, value in pairs_of(reply)}


ATTRIBUTE: Final = Record(IndexAttribute)
ERRORS: Final = Record(IndexErrors)
DEFINITION: Final = Record(IndexDefinition)
FIELD: Final = Record(FieldStatistics, Index_Errors=ERRORS)
INFO: Final = Record(
    IndexInfo,
    index_definition=DEFINITION,
    attributes=_attributes,
    gc_stats=_measures,
    cursor_stats=_counts,
    dialect_stats=_counts,
    Index_Errors=ERRORS,
    field_statistics=FIELD.each,
)


def index_info(reply: Reply, _text: object = None) -> IndexInfo:
    """What is known of an index."""
    return INFO(reply)

"""What the server says of an index.

The names are the server's, with `_` for a space. RESP3 has each field of the schema as a map, with its flags in an array; on
RESP2 the flags stand behind the map's parts, without values.
"""

from __future__ import annotations

from typing import Final, TypedDict

from ..wire.values import Reply
from .readers import items, number
from .readers_own import Record, integer, own, pairs_of

__all__ = ["FieldStatistics", "IndexAttribute", "IndexDefinition", "IndexErrors", "IndexInfo"]


class IndexDefinition(TypedDict, total=False):
    """Which documents an index is of. A field that this version does not know is kept as it came."""

    key_type: str
    prefixes: list[str]
    filter: str
    default_language: str
    language_field: str
    default_score: float
    score_field: str
    payload_field: str
    indexes_all: str
    """(Redis 8.0)"""


class IndexAttribute(TypedDict, total=False):
    """A field of an index. A part that this version does not know is kept as it came."""

    identifier: str
    attribute: str
    type: str
    flags: list[str]
    WEIGHT: float
    SEPARATOR: str
    coord_system: str
    algorithm: str
    data_type: str
    dim: int
    distance_metric: str
    M: int
    ef_construction: int
    ef_runtime: int
    graph_max_degree: int
    construction_window_size: int
    compression: str
    training_threshold: int
    reduced_dim: int


class IndexErrors(TypedDict, total=False):
    """What could not be indexed. A field that this version does not know is kept as it came."""

    indexing_failures: int
    last_indexing_error: str
    last_indexing_error_key: str
    background_indexing_status: str
    """(Redis 8.0)"""


class FieldStatistics(TypedDict, total=False):
    """What could not be indexed of a field. A part that this version does not know is kept as it came."""

    identifier: str
    attribute: str
    Index_Errors: IndexErrors


class IndexInfo(TypedDict, total=False):
    """How an index is made, and what is in it. A field that this version does not know is kept as it came."""

    index_name: str
    index_options: list[str]
    index_definition: IndexDefinition
    attributes: list[IndexAttribute]
    num_docs: int
    max_doc_id: int
    num_terms: int
    num_records: int
    inverted_sz_mb: float
    vector_index_sz_mb: float
    total_inverted_index_blocks: int
    offset_vectors_sz_mb: float
    doc_table_size_mb: float
    sortable_values_size_mb: float
    key_table_size_mb: float
    tag_overhead_sz_mb: float
    text_overhead_sz_mb: float
    total_index_memory_sz_mb: float
    geoshapes_sz_mb: float
    records_per_doc_avg: float
    bytes_per_record_avg: float
    offsets_per_term_avg: float
    offset_bits_per_record_avg: float
    hash_indexing_failures: int
    total_indexing_time: float
    indexing: bool
    percent_indexed: float
    number_of_uses: int
    number_of_admin_ops: int
    """(Redis 8.4)"""
    cleaning: bool
    gc_stats: dict[str, float]
    cursor_stats: dict[str, int]
    stopwords_list: list[str]
    dialect_stats: dict[str, int]
    Index_Errors: IndexErrors
    field_statistics: list[FieldStatistics]


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


def _attributes(reply: Reply) -> list[IndexAttribute]:
    return [_attribute(each) for each in items(reply)]


def _measures(reply: Reply) -> dict[str, float]:
    return {own(name): number(value) for name, value in pairs_of(reply)}


def _counts(reply: Reply) -> dict[str, int]:
    return {own(name): integer(value) for name, value in pairs_of(reply)}


ATTRIBUTE: Final = Record(IndexAttribute)
ERRORS: Final = Record(IndexErrors)
INFO: Final = Record(
    IndexInfo,
    index_definition=Record(IndexDefinition),
    attributes=_attributes,
    gc_stats=_measures,
    cursor_stats=_counts,
    dialect_stats=_counts,
    Index_Errors=ERRORS,
    field_statistics=Record(FieldStatistics, Index_Errors=ERRORS).each,
)


def index_info(reply: Reply, _text: object = None) -> IndexInfo:
    """What is known of an index."""
    return INFO(reply)

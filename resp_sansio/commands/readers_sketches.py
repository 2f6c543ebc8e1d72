"""What is said of what remembers items only roughly: filters, counts, top lists and digests."""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

from .._errors import ReplyError
from ..wire.values import Reply
from .decoding import Binary, S, Text
from .readers import bulk, items, number, pairs_in_turn, truth, unexpected, whole
from .readers_own import Record, in_lower_case

__all__ = ["BloomInfo", "CountMinInfo", "CuckooInfo", "TDigestInfo", "TopKInfo"]


class BloomInfo(TypedDict):
    """BF.INFO's fields, `Number of filters` as `number_of_filters`. What another server says beyond them is there as it came.

    A filter that does not grow has no expansion rate. The last three are Valkey's.
    """

    capacity: int
    size: int
    number_of_filters: int
    number_of_items_inserted: int
    expansion_rate: int | None
    error_rate: NotRequired[float]
    tightening_ratio: NotRequired[float]
    max_scaled_capacity: NotRequired[int]


class CuckooInfo(TypedDict):
    """CF.INFO's fields, `Bucket size` as `bucket_size`. What a newer server says beyond them is there as it came."""

    size: int
    number_of_buckets: int
    number_of_filters: int
    number_of_items_inserted: int
    number_of_items_deleted: int
    bucket_size: int
    expansion_rate: int
    max_iterations: int


class CountMinInfo(TypedDict):
    """CMS.INFO's fields. What a newer server says beyond them is there as it came."""

    width: int
    depth: int
    count: int


class TopKInfo(TypedDict):
    """TOPK.INFO's fields. What a newer server says beyond them is there as it came."""

    k: int
    width: int
    depth: int
    decay: float


class TDigestInfo(TypedDict):
    """TDIGEST.INFO's fields, `Merged nodes` as `merged_nodes`. What a newer server says beyond them is there as it came."""

    compression: int
    capacity: int
    merged_nodes: int
    unmerged_nodes: int
    merged_weight: int
    unmerged_weight: int
    observations: int
    total_compressions: int
    memory_usage: int


BLOOM: Final = Record(BloomInfo, in_lower_case)
CUCKOO: Final = Record(CuckooInfo, in_lower_case)
COUNT_MIN: Final = Record(CountMinInfo, in_lower_case)
TOP_K: Final = Record(TopKInfo, in_lower_case)
T_DIGEST: Final = Record(TDigestInfo, in_lower_case)


def bloom_info(reply: Reply, text: Text[S]) -> BloomInfo:
    """A map of what is known of a Bloom filter."""
    return BLOOM(reply, text)


def cuckoo_info(reply: Reply, text: Text[S]) -> CuckooInfo:
    """A map of what is known of a cuckoo filter."""
    return CUCKOO(reply, text)


def count_min_info(reply: Reply, text: Text[S]) -> CountMinInfo:
    """A map of what is known of a count-min sketch."""
    return COUNT_MIN(reply, text)


def top_k_info(reply: Reply, text: Text[S]) -> TopKInfo:
    """A map of what is known of a top list."""
    return TOP_K(reply, text)


def t_digest_info(reply: Reply, text: Text[S]) -> TDigestInfo:
    """A map of what is known of a digest."""
    return T_DIGEST(reply, text)


def added(reply: Reply, _text: object = None) -> list[bool | ReplyError]:
    """Was it added? One for each item, up to the first that there was no room for, of which it is an error."""
    return [item if isinstance(item, ReplyError) else truth(item) for item in items(reply)]


def inserted(reply: Reply, _text: object = None) -> list[bool]:
    """Was there room for it? One for each item: RESP2 says -1 where RESP3 says false."""
    return [truth(0 if type(item) is int and item == -1 else item) for item in items(reply)]


def items_counted(reply: Reply, text: Text[S]) -> list[tuple[S, int]]:
    """Items with their counts."""
    return [(bulk(item, text), whole(count)) for item, count in pairs_in_turn(reply)]


def doubles(reply: Reply, _text: object = None) -> list[float]:
    """Doubles in their order."""
    return [*map(number, items(reply))]


def dumped(reply: Reply, _text: object = None) -> tuple[int, Binary]:
    """Where to go on, and bytes; 0 and none at the end, which may be a null."""
    iterator, data = items(reply, 2)
    if data is None:
        data = b""
    if type(data) is not bytes:
        raise unexpected("a bulk string or null", data)
    return whole(iterator), data

"""What is said of vector sets: vectors, what is similar to one, and how a set is made."""

from __future__ import annotations

from typing import Final, Generic, NamedTuple, TypedDict

from ..wire.values import Reply
from .decoding import Binary, S, Text
from .readers import bulk, bulks, items, maybe_bulk, number, pairs_in_turn, unexpected
from .readers_own import Record, own

__all__ = ["RawVector", "Similar", "VectorSetInfo"]


class RawVector(NamedTuple):
    """A vector as a set keeps it: how (`f32`, `int8` or `bin`), and the bytes.

    `norm` is its length, which was made 1. `range` is what 127 stands for in an `int8` one, None in others.
    """

    quantization: str
    data: Binary
    norm: float
    range: float | None = None


class Similar(NamedTuple, Generic[S]):
    """An element that was found, how similar it is, and its attributes as JSON, None if it has none."""

    element: S
    score: float
    attributes: S | None


class VectorSetInfo(TypedDict):
    """VINFO's fields, with `_` for `-`. What a newer server says beyond them is there as it came."""

    quant_type: str
    hnsw_m: int
    vector_dim: int
    projection_input_dim: int
    size: int
    max_level: int
    attributes_count: int
    vset_uid: int
    hnsw_max_node_uid: int


VECTOR_SET: Final = Record(VectorSetInfo)


def maybe_vector(reply: Reply, _text: object = None) -> list[float] | None:
    """Numbers, or null."""
    return None if reply is None else [*map(number, items(reply))]


def maybe_raw_vector(reply: Reply, _text: object = None) -> RawVector | None:
    """How a vector is kept, its bytes, its norm, and its range if it was scaled; or null."""
    if reply is None:
        return None
    parts = items(reply)
    if not 3 <= len(parts) <= 4 or type(parts[1]) is not bytes:
        raise unexpected("an array of a kind, bytes and one or two doubles", reply)
    return RawVector(own(parts[0]), parts[1], *map(number, parts[2:]))


def maybe_vector_set(reply: Reply, text: Text[S]) -> VectorSetInfo | None:
    """A map of what is known of a vector set, or null."""
    return None if reply is None else VECTOR_SET(reply, text)


def maybe_levels(reply: Reply, text: Text[S]) -> list[list[S]] | None:
    """Elements for each level of a graph, or null."""
    return None if reply is None else [bulks(level, text) for level in items(reply)]


def maybe_levels_scored(reply: Reply, text: Text[S]) -> list[list[tuple[S, float]]] | None:
    """Elements with scores for each level of a graph, or null."""
    return None if reply is None else [similar_scored(level, text) for level in items(reply)]


def similar_scored(reply: Reply, text: Text[S]) -> list[tuple[S, float]]:
    """Elements with scores."""
    return [(bulk(one, text), number(score)) for one, score in pairs_in_turn(reply)]


def similar_attributed(reply: Reply, text: Text[S]) -> list[tuple[S, S | None]]:
    """Elements with attributes, or with a null for these."""
    return [(bulk(one, text), maybe_bulk(known, text)) for one, known in pairs_in_turn(reply)]


def similar(reply: Reply, text: Text[S]) -> list[Similar[S]]:
    """Elements with scores and attributes: in turn on RESP2, a map of pairs on RESP3."""
    if isinstance(reply, dict):
        rows = [(one, *items(known, 2)) for one, known in reply.items()]
    elif type(reply) is list and len(reply) % 3 == 0:
        rows = [*zip(reply[::3], reply[1::3], reply[2::3], strict=True)]
    else:
        raise unexpected("elements with scores and attributes", reply)
    return [Similar(bulk(one, text), number(score), maybe_bulk(known, text)) for one, score, known in rows]

"""The results that only commands on arrays have."""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

from ..wire.values import Reply
from .decoding import S, Text
from .readers import bulk, pairs_in_turn, unpaired, whole
from .readers_own import Record

__all__ = ["ArrayInfo"]


class ArrayInfo(TypedDict):
    """How an array is stored; what follows `slice_size` is told if `full` is asked for.

    A field that this version does not know is kept as it came.
    """

    count: int
    len: int
    next_insert_index: int
    slices: int
    directory_size: int
    super_dir_entries: int
    slice_size: int
    dense_slices: NotRequired[int]
    sparse_slices: NotRequired[int]
    avg_dense_size: NotRequired[float]
    avg_dense_fill: NotRequired[float]
    avg_sparse_size: NotRequired[float]


INFO: Final = Record(ArrayInfo)


def array_information(reply: Reply, _text: object = None) -> ArrayInfo:
    """How an array is stored."""
    return INFO(reply)


def indexed(reply: Reply, text: Text[S]) -> list[tuple[int, S]]:
    """Values behind their indices: in pairs, or in turn as servers did before the first release."""
    return [(whole(index), bulk(value, text)) for index, value in pairs_in_turn(unpaired(reply))]

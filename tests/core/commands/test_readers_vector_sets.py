"""What is said of vector sets, as both protocols say it: as Redis 8.6 said it, but for what is newer than that."""

from __future__ import annotations

from typing import Any, Final

import pytest

from core.commands.replies import hostile, reads
from resp_sansio import RawVector, Similar, UnexpectedReplyError
from resp_sansio.commands import readers_vector_sets as readers
from resp_sansio.commands.decoding import RAW

MADE: Final[dict[Any, Any]] = {
    "quant-type": "int8",
    "hnsw-m": 16,
    "vector-dim": 2,
    "projection-input-dim": 3,
    "size": 1,
    "max-level": 0,
    "attributes-count": 0,
    "vset-uid": 3,
    "hnsw-max-node-uid": 2,
}
TOLD: Final = {name.replace("-", "_"): value for name, value in MADE.items()}


def turns(table: dict[Any, Any]) -> list[Any]:
    """RESP2's way with a map."""
    return [part for pair in table.items() for part in pair]


# By reader: a reply on RESP2, the same on RESP3, and what it is to its caller.
REPLIES: Final[list[tuple[Any, Any, Any, Any]]] = [
    (readers.maybe_vector, None, None, None),
    (readers.maybe_vector, [b"0.992125928401947", b"-3"], [0.992125928401947, -3.0], [0.992125928401947, -3.0]),
    (readers.maybe_raw_vector, None, None, None),
    (
        readers.maybe_raw_vector,
        ["int8", b"_", b"5", b"0.8"],
        ["int8", b"_", 5.0, 0.8],
        RawVector("int8", b"_", 5.0, 0.8),
    ),
    (readers.maybe_raw_vector, ["bin", b"\1\0", b"5"], ["bin", b"\1\0", 5.0], RawVector("bin", b"\1\0", 5.0, None)),
    (readers.maybe_vector_set, None, None, None),
    (readers.maybe_vector_set, turns(MADE), MADE, TOLD),
    (
        readers.maybe_vector_set,
        turns({**MADE, "new-field": b"x"}),
        {**MADE, "new-field": b"x"},
        {**TOLD, "new_field": b"x"},
    ),
    (readers.maybe_levels, None, None, None),
    (readers.maybe_levels, [[b"a"], []], [[b"a"], []], [[b"a"], []]),
    (readers.maybe_levels_scored, None, None, None),
    (readers.maybe_levels_scored, [[], [b"a", b"0.5"]], [{}, {b"a": 0.5}], [[], [(b"a", 0.5)]]),
    (readers.similar_scored, [], {}, []),
    (readers.similar_scored, [b"b", b"1", b"a", b"0"], {b"b": 1.0, b"a": 0.0}, [(b"b", 1.0), (b"a", 0.0)]),
    (readers.similar_attributed, [b"a", None, b"b", b"{}"], {b"a": None, b"b": b"{}"}, [(b"a", None), (b"b", b"{}")]),
    (readers.similar, [], {}, []),
    (
        readers.similar,
        [b"a", b"1", None, b"b", b"0.5", b"{}"],
        {b"a": [1.0, None], b"b": [0.5, b"{}"]},
        [Similar(b"a", 1.0, None), Similar(b"b", 0.5, b"{}")],
    ),
]


@pytest.mark.parametrize(("read", "resp2", "resp3", "result"), REPLIES)
def test_both_protocols_give_the_same_value(read: Any, resp2: Any, resp3: Any, result: Any) -> None:
    if read is readers.maybe_raw_vector:  # its bytes are no text
        assert repr(read(resp2, RAW)) == repr(read(resp3, RAW)) == repr(result)
    else:
        reads(read, resp2, resp3, result)


@pytest.mark.parametrize(("read", "resp2", "resp3", "_result"), REPLIES)
def test_no_other_reply_raises_anything_else(read: Any, resp2: Any, resp3: Any, _result: Any) -> None:
    hostile(read, resp2, resp3)


def test_what_is_known_has_its_type() -> None:
    with pytest.raises(UnexpectedReplyError, match="an integer or its integer was expected, and bytes came"):
        readers.maybe_vector_set({"size": b"one"}, RAW)
    with pytest.raises(UnexpectedReplyError, match="elements with scores and attributes"):
        readers.similar([b"a", b"1"], RAW)

"""What is said of sorted sets alone, as both protocols say it."""

from __future__ import annotations

import math
from typing import Any, Final

import pytest

from core.commands.replies import hostile, reads
from resp_sansio.commands import readers_sorted_sets as readers

# By reader: a reply on RESP2, the same on RESP3, and what it is to its caller.
REPLIES: Final[list[tuple[Any, Any, Any, Any]]] = [
    (readers.maybe_numbers, [], [], []),
    (readers.maybe_numbers, [b"1", None, b"-inf"], [1.0, None, -math.inf], [1.0, None, -math.inf]),
    (readers.place_and_score, None, None, None),
    (readers.place_and_score, [3, b"1.5"], [3, 1.5], (3, 1.5)),
    (readers.taken, None, None, None),
    (readers.taken, [b"z", b"m", b"1.5"], [b"z", b"m", 1.5], (b"z", b"m", 1.5)),
    (readers.taken_some, None, None, None),
    (
        readers.taken_some,
        [b"z", [[b"m", b"1"], [b"n", b"inf"]]],
        [b"z", [[b"m", 1.0], [b"n", math.inf]]],
        (b"z", [(b"m", 1.0), (b"n", math.inf)]),
    ),
]


@pytest.mark.parametrize(("read", "resp2", "resp3", "result"), REPLIES)
def test_both_protocols_give_the_same_value(read: Any, resp2: Any, resp3: Any, result: Any) -> None:
    reads(read, resp2, resp3, result)


@pytest.mark.parametrize(("read", "resp2", "resp3", "_result"), REPLIES)
def test_no_other_reply_raises_anything_else(read: Any, resp2: Any, resp3: Any, _result: Any) -> None:
    hostile(read, resp2, resp3)

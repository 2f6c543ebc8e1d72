"""Values of one line, and the pieces of what is unfinished. What each type of line is: see `test_grammar.py`."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from resp_sansio.wire.scalars import gather

SMALL = 1024
GATHERED = 64 * 1024
SIZES = st.one_of(
    st.integers(1, 8), st.sampled_from([SMALL - 1, SMALL, SMALL + 1, GATHERED]), st.integers(1, 3 * SMALL)
)


@given(st.lists(SIZES, max_size=200))
@example([1] * 100)
@example([SMALL - 1] * 200)
@example([SMALL, *[1] * 9, SMALL, *[1] * 9])
def test_small_pieces_are_copied_together_and_large_ones_are_kept_as_they_are(sizes: list[int]) -> None:
    pieces = [bytes([n % 256]) * size for n, size in enumerate(sizes)]
    gathered: list[bytes | bytearray | memoryview] = []
    for piece in pieces:
        gather(gathered, piece)
    assert b"".join(gathered) == b"".join(pieces)
    # Copied at most once, and only with small ones.
    assert [id(piece) for piece in gathered if len(piece) >= SMALL and type(piece) is bytes] == [
        id(piece) for piece in pieces if len(piece) >= SMALL
    ]
    together = [len(piece) for piece in gathered if type(piece) is bytearray]
    assert all(size < GATHERED + SMALL for size in together)
    # Of two that stand side by side, one is large, or as much as is copied together, or the very first.
    for before, after in pairwise(gathered[1:]):
        assert type(before) is bytes or type(after) is bytes or len(before) >= GATHERED

"""Which hash slot a key has, and other names in the same one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio.client.hash_slots import beside, slot_of

KEYS = st.lists(st.sampled_from([b"{", b"}", b"a", b"key", b"\x00", b"\xff"]), max_size=8).map(b"".join)


@pytest.mark.parametrize(
    ("key", "slot"),
    [(b"foo", 12182), (b"123456789", 12739), (b"{user1000}.following", 3443), (b"foo{}{bar}", 8363), (b"", 0)],
)
def test_a_key_has_the_slot_that_redis_says(key: bytes, slot: int) -> None:
    """As CLUSTER KEYSLOT answers."""
    assert slot_of(key) == slot


def test_what_stands_in_the_first_braces_counts_alone() -> None:
    assert slot_of(b"foo{{bar}}zap") == slot_of(b"{bar")
    assert slot_of(b"foo{bar}{zap}") == slot_of(b"bar")
    assert slot_of(b"foo{bar") != slot_of(b"bar")


@given(key=KEYS, suffix=st.sampled_from([b"", b".", b".unfinished-0123456789abcdef"]))
def test_another_name_in_the_same_slot_begins_with_what_was_asked_for(key: bytes, suffix: bytes) -> None:
    name = beside(key, suffix)
    assert name.startswith(key + suffix)
    assert slot_of(name) == slot_of(key)


def test_a_name_that_is_in_the_slot_stays_as_it_is() -> None:
    assert beside(b"{a}b", b".unfinished") == b"{a}b.unfinished"

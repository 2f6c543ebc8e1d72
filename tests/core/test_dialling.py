"""Where to connect, in which order, for how long each, and what is told if nothing came of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import Addresses, Config, keepalive_options, not_connected, not_resolved

CONFIG = Config(host="db.example", port=7000)


@given(count=st.integers(1, 9), time=st.floats(0.01, 1e6), used=st.lists(st.floats(0, 1), min_size=9, max_size=9))
def test_each_address_gets_its_share_of_what_is_left(count: int, time: float, used: list[float]) -> None:
    addresses = Addresses(CONFIG, range(count), time)
    now, seen = 0.0, []
    for part in used[:count]:
        seen.append(addresses.next(now))
        share = (time - now) / (count - len(seen) + 1)
        assert addresses.deadline == pytest.approx(now + share)
        addresses.failed(TimeoutError())
        now += share * part
    assert seen == list(range(count))
    assert addresses.next(now) is None
    assert addresses.deadline <= time * 1.000001


def test_without_a_limit_no_address_has_one() -> None:
    addresses = Addresses(CONFIG, "ab", float("inf"))
    assert (addresses.next(3.0), addresses.deadline) == ("a", float("inf"))


def test_what_failed_is_told_once_for_each_way_in_which_it_did() -> None:
    addresses = Addresses(CONFIG, "abc", 1.0)
    refused = ConnectionRefusedError(111, "Connection refused")
    for error in (refused, TimeoutError(), refused):
        addresses.failed(error)
    told = addresses.error()
    assert str(told) == "cannot connect to db.example:7000: Connection refused; timed out"
    assert told.transient
    assert told.__cause__ is refused


def test_a_missing_permission_does_not_pass() -> None:
    told = not_connected(Config(path="/run/redis.sock"), PermissionError(13, "Permission denied"))
    assert (str(told), told.transient) == ("cannot connect to unix:/run/redis.sock: Permission denied", False)


def test_a_name_may_have_no_address() -> None:
    told = Addresses(CONFIG, (), 1.0).error()
    assert (str(told), told.__cause__) == ("cannot connect to db.example:7000: no address to try", None)
    told = not_resolved(CONFIG, OSError(-2, "Name or service not known"))
    assert (str(told), told.transient) == ("cannot resolve 'db.example': Name or service not known", True)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, []),
        (300, [("TCP_KEEPIDLE", 300), ("TCP_KEEPINTVL", 100), ("TCP_KEEPCNT", 3)]),
        (1, [("TCP_KEEPIDLE", 1), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 3)]),
    ],
)
def test_probes_begin_after_the_silence_that_was_asked_for(
    seconds: int | None, expected: list[tuple[str, int]]
) -> None:
    assert list(keepalive_options(Config(keepalive=seconds))) == expected

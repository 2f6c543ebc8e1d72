"""The options of a client-side cache."""

from __future__ import annotations

from typing import Any

import pytest

from resp_sansio import Cache, Config
from resp_sansio.config import read_client_options, read_pool_options


def test_prefixes_are_bytes_however_they_are_given() -> None:
    cache = Cache(prefixes=["user:", b"page:"])
    assert cache == Cache(prefixes=(b"user:", "page:"))
    assert cache.tracking == ("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", b"user:", "PREFIX", b"page:")
    assert Cache().tracking == ("CLIENT", "TRACKING", "ON", "OPTIN")
    assert hash(Config(cache=cache)) == hash(Config(cache=cache))


@pytest.mark.parametrize(
    "options",
    [
        {"max_bytes": 0},
        {"max_bytes": True},
        {"ttl": 0},
        {"prefixes": "user:"},
        {"prefixes": [""]},
        {"prefixes": [5]},
        {"prefixes": ["user:", "user:1:"]},
        {"prefixes": ["user:1:", b"user:"]},
        {"prefixes": ["\ud800"]},
    ],
)
def test_what_makes_no_sense_is_refused(options: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        Cache(**options)


@pytest.mark.parametrize("text", ["0", "01", "-1", "1e6", "1_000", "9" * 20, "99999999999999", "yes"])
def test_what_makes_no_sense_in_a_url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cache"):
        Config.from_url(f"redis://?cache={text}")


def test_a_client_takes_it_and_a_pool_says_why_it_does_not() -> None:
    assert read_client_options("redis://?cache=100000", {})[0].cache == Cache(max_bytes=100_000)
    with pytest.raises(
        ValueError, match="cache is no option of Pool: its connections are read only while they are lent"
    ):
        read_pool_options("redis://", {"cache": Cache()})


def test_resp2_has_no_word_for_changes() -> None:
    with pytest.raises(ValueError, match="cache excludes protocol: servers tell of changes by RESP3 alone"):
        Config(cache=Cache(), protocol=2)

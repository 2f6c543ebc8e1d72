"""The soak itself, for some seconds on each adapter; `nox -s soak` takes its time."""

from __future__ import annotations

from typing import Any

import pytest

from soak import ADAPTERS, soak, wrongs


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_short_soak(name: str) -> None:
    came, wrong = soak(name, 3.0)
    assert wrong == []
    assert came["calls"] > 0


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({}, []),
        ({"said": {"a warning": 1}}, []),
        ({"said": {"a warning": 2}}, ["said 2 times: a warning"]),
        ({"memory": [30.0, 40.0]}, ["memory rose from 30.0 to 40.0"]),
        ({"descriptors": [10, 30]}, ["descriptors rose from 10 to 30"]),
        ({"tasks": [10, 30]}, ["tasks rose from 10 to 30"]),
        ({"surely": {"0": 8}}, ["8 to 8 increments were told, and 7 made"]),
        ({"surely": {"0": 6}, "perhaps": {"0": 1}}, []),
        ({"surely": {"0": 5}, "perhaps": {"0": 1}}, ["5 to 6 increments were told, and 7 made"]),
    ],
)
def test_what_is_wrong_is_found(changed: dict[str, Any], wrong: list[str]) -> None:
    flat = {
        "said": {},
        "surely": {"0": 7},
        "perhaps": {},
        "memory": [30.0, 31.0],
        "descriptors": [9, 9],
        "tasks": [9, 9],
    }
    assert wrongs(flat | changed, {"0": 7}) == wrong

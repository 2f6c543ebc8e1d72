"""The soak itself, for some seconds on each adapter; `nox -s soak` takes its time."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

import resp_sync
from simulation.adapters.on_threads import drive
from soak import ADAPTERS, Rest, soak, wrongs

if TYPE_CHECKING:
    from servers import Server


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
        ({"descriptors": [9, 10, 9]}, ["10 descriptors where there were 9 at first, with the clients open"]),
        ({"tasks": [9, 9, 10]}, ["10 tasks where there were 9 at first, with the clients closed"]),
        ({"tasks": [9, 9, 8]}, []),
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
        "descriptors": [9, 9, 9],
        "tasks": [9, 9, 9],
    }
    assert wrongs(flat | changed, {"0": 7}) == wrong


def test_a_descriptor_that_is_no_connections_is_seen(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async def pause() -> None:
        pass

    monkeypatch.setattr("soak.REST", 0.0)
    with resp_sync.Client(server.url) as client, resp_sync.Pool(server.url) as pool:
        rest = Rest(client, pool, lambda: 1)
        assert pool.execute("PING") == "PONG"
        drive(rest.look(pause))
        with socket.socket():
            drive(rest.look(pause))
    drive(rest.look(pause))
    (before, _), *later = rest.seen
    assert [count - before for count, _ in later] == [0, 1, 0]

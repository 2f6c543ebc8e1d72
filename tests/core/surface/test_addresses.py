"""The addresses of a dial are there at once, or looked up in a thread for as long as there is time."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any, Final

import pytest

from core.surface.driver import Tasks
from resp_sansio import Config, ConnectError
from resp_sansio.client import Dial
from resp_sansio.client.sentinel import Way
from resp_sansio.config import Addresses
from resp_sansio.connection import Fallback
from resp_sansio.surface.tasks import find_addresses

FOUND: Final[list[Any]] = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 6379))]
LATE: Final = TimeoutError()

entered: list[object] = []


@asynccontextmanager
async def in_time() -> AsyncGenerator[None, None]:
    entered.append("in time")
    yield


async def in_a_thread(look_up: Callable[[ModuleType], list[Any]], module: ModuleType) -> list[Any]:
    entered.append("a thread")
    return look_up(module)


async def in_vain(*_: object) -> list[Any]:
    raise LATE


@pytest.fixture(autouse=True)
def nothing_entered() -> None:
    entered.clear()


def find(config: Config, thread: Any = in_a_thread) -> object:
    dial = Dial(None, None, 0.0, 5.0, 0, Way(config, Addresses(config), Fallback().opening()))
    return Tasks().do(find_addresses(dial, socket, in_time(), thread))


def test_a_path_takes_no_thread() -> None:
    assert find(Config(path="/run/redis.sock")) == [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", "/run/redis.sock")]
    assert entered == []


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a resolver that knows all names."""

    def resolve(*_: object, flags: int = 0, **__: object) -> list[Any]:
        if flags:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return FOUND

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.usefixtures("names")
def test_a_name_is_looked_up_in_a_thread_in_time() -> None:
    assert find(Config(host="cache.example")) == FOUND
    assert entered == ["in time", "a thread"]


@pytest.mark.usefixtures("names")
def test_a_look_up_that_is_late_is_told_as_such() -> None:
    with pytest.raises(ConnectError, match=r"cannot resolve 'cache\.example'") as caught:
        find(Config(host="cache.example"), in_vain)
    assert caught.value.transient
    assert caught.value.__cause__ is LATE

"""The typed methods: on every surface of every adapter the same, each gives what the command of its name gives by `execute`."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Literal

import pytest

import resp_asyncio
import resp_sync
import resp_trio
from adapters.contract import contract_of_tasks
from resp_sansio import Result, commands
from resp_sansio.methods import AsyncMethods, BatchMethods, SyncMethods

if TYPE_CHECKING:
    from adapters.contract import Backend
    from servers import Server

BUILDERS = sorted({*dir(commands)} - {"text"})
SURFACES = [
    surface
    for adapter in (resp_sync, resp_asyncio, resp_trio)
    for surface in vars(adapter).values()
    if inspect.isclass(surface) and hasattr(surface, "execute")
]


@pytest.mark.parametrize("surface", SURFACES, ids=[f"{surface.__module__}.{surface.__name__}" for surface in SURFACES])
def test_every_surface_has_every_method_and_none_of_its_own_in_the_way(surface: Any) -> None:
    (kind,) = [each for each in (SyncMethods, AsyncMethods, BatchMethods) if issubclass(surface, each)]
    assert [name for name in BUILDERS if getattr(surface, name) is not vars(kind)[name]] == []


@contract_of_tasks
async def test_a_method_returns_what_the_command_of_its_name_does(backend: Backend, server: Server) -> None:
    for protocol in (2, 3):
        async with backend.connect(server.url, protocol=protocol) as connection:
            await connection.flushdb()
            assert await connection.hset("h", mapping={"a": 1, "b": 2}) == 2
            assert await connection.hgetall("h") == {b"a": b"1", b"b": b"2"}
            assert await connection.execute(commands.hgetall("h"), timeout=1) == {b"a": b"1", b"b": b"2"}
            async with connection.pipeline() as pipe:
                found, missing = pipe.hget("h", "a"), pipe.get("none")
            assert (found.result(), missing.result()) == (b"1", None)
            async with connection.transaction() as transaction:
                count = transaction.incr("n")
            assert count.result() == 1


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_blocking_method_returns_what_the_command_of_its_name_does(server: Server, protocol: Literal[2, 3]) -> None:
    with resp_sync.connect(server.url, protocol=protocol) as connection:
        assert connection.hset("h", mapping={"a": 1, "b": 2}) == 2
        assert connection.hgetall("h") == {b"a": b"1", b"b": b"2"}
        with connection.pipeline() as pipe:
            found, missing = pipe.hget("h", "a"), pipe.get("none")
        assert (found.result(), missing.result()) == (b"1", None)

        def add(transaction: resp_sync.WatchedTransaction) -> Result[int]:
            count = int(transaction.read(commands.get("n")) or 0)
            return transaction.incrby("n", count + 1)

        assert [connection.transact(add, "n").result() for _ in range(3)] == [1, 3, 7]

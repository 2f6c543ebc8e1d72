"""One command surface, whatever the strategy: what is written against it takes a connection, a pool or a client.

Never run: mypy --strict and pyright read it.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol, assert_type

import resp_asyncio
import resp_sync
import resp_trio
from resp_sansio import Command, Reply, commands
from resp_sansio.client import CommandBatch


class Surface(Protocol):
    """What code that does not care for the strategy asks for, whichever library of tasks it is written for."""

    @property
    def protocol(self) -> Literal[2, 3]: ...

    async def execute(self, command: Command[int], /, *, timeout: float | None = ...) -> int: ...

    def pipeline(self, *, timeout: float | None = ...) -> Batch: ...

    def transaction(self, *, timeout: float | None = ...) -> Batch: ...

    async def close(self) -> None: ...


class Batch(Protocol):
    """A pipeline of either."""

    def execute(self, name: str, /, *args: str) -> object: ...

    async def run(self) -> list[object]: ...


async def increment(commands: Surface) -> int:
    """Written once."""
    return await commands.execute(Command("INCR", "n", read=lambda reply, _: int(str(reply))), timeout=1.0)


async def any_asyncio(
    connection: resp_asyncio.Connection, pool: resp_asyncio.Pool, client: resp_asyncio.Client
) -> None:
    strategies: list[Surface] = [connection, pool, client]
    for each in strategies:
        assert_type(await increment(each), int)
    nominal: list[resp_asyncio.Commands] = [connection, pool, client]
    for one in nominal:
        assert_type(await one.execute("GET", "k"), Reply)
    borrowing: list[resp_asyncio.Pool | resp_asyncio.Client] = [pool, client]
    for lender in borrowing:
        acquired: AbstractAsyncContextManager[resp_asyncio.Connection] = lender.acquire(timeout=1.0)
        async with acquired as borrowed:
            assert_type(borrowed, resp_asyncio.Connection)


async def nodes_of_a_cluster(text: resp_asyncio.Client[str], blocking: resp_sync.Client) -> None:
    for node in await text.nodes():
        assert_type(node, resp_asyncio.Node[resp_asyncio.Connection[str], str])
        assert_type(await node.get("k"), str | None)
        assert_type(node.address, str)
        assert_type(node.slots, tuple[range, ...])
        async with node.acquire() as own:
            assert_type(own, resp_asyncio.Connection[str])
    async with text.acquire(key="k", timeout=1.0) as connection:
        assert_type(connection, resp_asyncio.Connection[str])
    with blocking.acquire(node=("10.0.0.1", 7000)) as lent:
        assert_type(lent, resp_sync.Connection)
    assert_type(blocking.node("10.0.0.1:7000").dbsize(), int)
    assert_type(await text.across_slots(commands.mget("a", "b")), list[bytes | None])
    assert_type(blocking.across_slots(commands.delete("a", "b"), timeout=1.0), int)


async def any_trio(connection: resp_trio.Connection, pool: resp_trio.Pool, client: resp_trio.Client) -> None:
    strategies: list[Surface] = [connection, pool, client]
    for each in strategies:
        assert_type(await increment(each), int)
    nominal: list[resp_trio.Commands] = [connection, pool, client]
    for one in nominal:
        assert_type(one.pipeline(), resp_trio.Pipeline)


def batches(pipe: resp_asyncio.Pipeline) -> CommandBatch:
    return pipe

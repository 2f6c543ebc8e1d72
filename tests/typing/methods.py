"""What a type checker knows of the adapters' methods. Never run: mypy --strict and pyright read it; an unneeded ignore fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeAlias, TypeVar, assert_type

import trio

import resp_asyncio
import resp_sync
import resp_trio
from resp_sansio import Command, Reply, Result, Spoken, commands

T = TypeVar("T")
AsyncioSurface: TypeAlias = resp_asyncio.Connection | resp_asyncio.Pool | resp_asyncio.Client
TrioSurface: TypeAlias = resp_trio.Connection | resp_trio.Pool | resp_trio.Client


def blocking(connection: resp_sync.Connection) -> None:
    assert_type(connection.get("k"), bytes | None)
    assert_type(connection.hgetall("h"), dict[bytes, bytes])
    with connection.pipeline() as pipe:
        assert_type(pipe.get("k"), Result[bytes | None])
        assert_type(pipe.incr("n").result(), int)

    def update(transaction: resp_sync.WatchedTransaction) -> int:
        return transaction.incr("n").result()

    assert_type(connection.transact(update, "k"), int)
    connection.get()  # type: ignore[call-arg]
    connection.get(None)  # type: ignore[arg-type]


async def with_asyncio(connection: resp_asyncio.Connection) -> None:
    assert_type(await connection.get("k"), bytes | None)
    assert_type(await connection.set("k", "v", nx=True), bool)
    async with connection.transaction() as pipe:
        assert_type(pipe.get("k"), Result[bytes | None])
    await connection.set("k")  # type: ignore[call-arg]
    await connection.set("k", "v", ex="1")  # type: ignore[arg-type]


async def any_strategy(client: resp_asyncio.Client, pool: resp_asyncio.Pool) -> None:
    assert_type(await client.mget("k", "l"), list[bytes | None])
    assert_type(await pool.blpop("l", timeout=1), tuple[bytes, bytes] | None)


async def with_trio(connection: resp_trio.Connection) -> None:
    assert_type(await connection.get("k"), bytes | None)
    assert_type(await connection.zscore("z", "m"), float | None)
    async with connection.pipeline() as pipe:
        assert_type(pipe.get("k"), Result[bytes | None])
    await connection.gte("k")  # type: ignore[attr-defined]


async def side_by_side_under_asyncio(redis: AsyncioSurface) -> None:
    assert_type(await asyncio.gather(redis.get("a"), redis.incr("b")), tuple[bytes | None, int])
    assert_type(
        await asyncio.gather(redis.get("a"), redis.incr("b"), return_exceptions=True),
        tuple[bytes | None | BaseException, int | BaseException],
    )
    assert_type(await asyncio.gather(*(redis.get(str(number)) for number in range(3))), list[bytes | None])
    assert_type(
        await asyncio.gather(redis.execute(commands.ttl("a")), redis.hgetall("h")), tuple[int, dict[bytes, bytes]]
    )
    assert_type(await asyncio.gather(redis.execute("GET", "a"), redis.zscore("z", "m")), tuple[Reply, float | None])
    assert_type(await asyncio.wait_for(redis.get("a"), 1), bytes | None)
    async with asyncio.TaskGroup() as group:
        counted = group.create_task(redis.incr("n"))
        read = group.create_task(redis.execute(commands.lrange("l", 0, -1)))
        untyped = group.create_task(redis.execute("GET", "k"))
    assert_type(counted, asyncio.Task[int])
    assert_type(read.result(), list[bytes])
    assert_type(untyped.result(), Reply)
    assert_type(await asyncio.shield(redis.get("a")), bytes | None)
    redis.get("a")  # type: ignore[unused-coroutine]


async def inside(call: Callable[[], Awaitable[T]], results: list[T]) -> None:
    results.append(await call())


async def side_by_side_under_trio(redis: TrioSurface) -> None:
    found: list[bytes | None] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(redis.incr, "n")
        nursery.start_soon(inside, lambda: redis.get("k"), found)
        nursery.start_soon(redis.execute, "BLPOP", "jobs", 5)
    with trio.move_on_after(1):
        assert_type(await redis.hgetall("h"), dict[bytes, bytes])
    assert_type(redis.get("k"), Coroutine[Any, Any, bytes | None])  # type: ignore[unused-coroutine]


def side_by_side_in_threads(redis: resp_sync.Connection | resp_sync.Pool | resp_sync.Client) -> None:
    with ThreadPoolExecutor() as threads:
        assert_type(threads.submit(redis.incr, "n"), Future[int])
        assert_type(threads.submit(redis.get, "n").result(), bytes | None)
        assert_type(list(threads.map(redis.get, ["a", "b"])), list[bytes | None])


def every_strategy_of_threads(connection: resp_sync.Connection, pool: resp_sync.Pool, client: resp_sync.Client) -> None:
    for redis in (connection, pool, client):
        assert_type(redis.get("k"), bytes | None)
        assert_type(redis.execute(commands.incr("n"), timeout=1), int)
        assert_type(redis.execute("GET", "k"), Reply)
        assert_type(redis.protocol, Spoken)
        with redis.pipeline() as pipe:
            assert_type(pipe, resp_sync.Pipeline)
            assert_type(pipe.execute(Command("GET", "k")), Result[Reply])
            assert_type(pipe.zrange_withscores("z", 0, -1), Result[list[tuple[bytes, float]]])
    with pool.acquire() as borrowed, client.acquire() as lent:
        assert_type(borrowed, resp_sync.Connection)
        assert_type(lent.incr("n"), int)


async def every_strategy_of_trio(
    connection: resp_trio.Connection, pool: resp_trio.Pool, client: resp_trio.Client
) -> None:
    async with pool, client:
        for redis in (connection, pool, client):
            assert_type(await redis.get("k"), bytes | None)
            async with redis.transaction() as pipe:
                assert_type(pipe, resp_trio.Pipeline)
                assert_type(pipe.smembers("s"), Result[set[bytes]])
        async with pool.acquire() as borrowed, client.acquire() as lent:
            assert_type(await borrowed.incr("n"), int)
            assert_type(await lent.execute(commands.get("k")), bytes | None)


async def batches_of_asyncio(connection: resp_asyncio.Connection, client: resp_asyncio.Client) -> None:
    async def update(transaction: resp_asyncio.WatchedTransaction) -> Result[int]:
        assert_type(await transaction.read(commands.get("k")), bytes | None)
        return transaction.incr("n")

    assert_type((await client.transact(update, "k")).result(), int)
    async with client.pipeline() as pipe:
        assert_type(pipe.execute(commands.hgetall("h")).result(), dict[bytes, bytes])
        assert_type(pipe.execute("HGETALL", "h"), Result[Reply])
    async with resp_asyncio.connect("redis://localhost") as entered:
        assert_type(entered, resp_asyncio.Connection)
    assert_type(await resp_asyncio.connect("redis://localhost"), resp_asyncio.Connection)
    async with client.acquire() as lent:
        assert_type(await asyncio.gather(lent.get("k"), connection.get("k")), tuple[bytes | None, bytes | None])

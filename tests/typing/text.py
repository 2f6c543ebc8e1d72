"""What a type checker knows of clients of bytes and of text. Never run: mypy --strict and pyright read it."""

from __future__ import annotations

import asyncio
from typing import Any, assert_type

import resp_asyncio
import resp_sync
import resp_trio
from resp_sansio import MonitorLine, Result, commands
from resp_sansio.methods import S


def made_for_threads(wanted: bool) -> None:
    assert_type(resp_sync.Client("redis://h"), resp_sync.Client[bytes])
    assert_type(resp_sync.Client("redis+sentinel://s1,s2/m", sentinel_password="p"), resp_sync.Client[bytes])
    assert_type(resp_sync.Client(sentinels=["s1", ("s2", 26379)], master_name="m", decode=True), resp_sync.Client[str])
    assert_type(resp_sync.Client("redis://h", decode=False, lanes=2), resp_sync.Client[bytes])
    assert_type(resp_sync.Client("redis://h", decode=True, lanes=2), resp_sync.Client[str])
    assert_type(resp_sync.Client(decode="ascii"), resp_sync.Client[str])
    assert_type(resp_sync.Client(decode=wanted), resp_sync.Client[Any])
    assert_type(resp_sync.Pool(decode=True, max_size=3), resp_sync.Pool[str])
    assert_type(resp_sync.Pool(max_size=3), resp_sync.Pool[bytes])
    assert_type(resp_sync.connect(decode=True), resp_sync.Connection[str])
    assert_type(resp_sync.connect(timeout=1), resp_sync.Connection[bytes])


async def made_for_tasks() -> None:
    assert_type(resp_asyncio.Client(decode=True), resp_asyncio.Client[str])
    assert_type(resp_asyncio.Client(sentinels=["s1"], master_name="m", decode=True), resp_asyncio.Client[str])
    assert_type(resp_asyncio.Pool(), resp_asyncio.Pool[bytes])
    assert_type(await resp_asyncio.connect(decode=True), resp_asyncio.Connection[str])
    async with resp_asyncio.connect() as connection:
        assert_type(connection, resp_asyncio.Connection[bytes])
    assert_type(resp_trio.Client(), resp_trio.Client[bytes])
    assert_type(resp_trio.Pool(decode=True), resp_trio.Pool[str])
    async with resp_trio.connect(decode=True) as other, resp_trio.Client(decode=True) as client:
        assert_type(other, resp_trio.Connection[str])
        assert_type(client, resp_trio.Client[str])


def an_annotation_without_it_means_bytes(client: resp_sync.Client) -> resp_sync.Client[bytes]:
    return client


def of_text(client: resp_sync.Client[str]) -> None:
    assert_type(client.get("k"), str | None)
    assert_type(client.raw.get("k"), bytes | None)
    assert_type(client.execute(commands.get("k")), bytes | None)
    with client.acquire() as connection:
        assert_type(connection, resp_sync.Connection[str])
    with client.pipeline() as pipe:
        assert_type(pipe.hgetall("h"), Result[dict[str, str]])
        assert_type(pipe.raw.hgetall("h"), Result[dict[bytes, bytes]])
    with client.pipeline(decode=False) as raw:
        assert_type(raw.get("k"), Result[bytes | None])

    def update(transaction: resp_sync.WatchedTransaction[str]) -> str | None:
        return transaction.get("k").result()

    assert_type(client.transact(update, "k"), str | None)


async def of_bytes(client: resp_asyncio.Client) -> None:
    assert_type(await client.get("k"), bytes | None)
    assert_type(await client.text.get("k"), str | None)
    assert_type(await asyncio.gather(client.text.get("k"), client.incr("n")), tuple[str | None, int])
    async with client.transaction(decode=True) as both:
        assert_type(both.smembers("s"), Result[set[str]])
    async with client.acquire() as connection:
        assert_type(connection, resp_asyncio.Connection[bytes])


def of_either(client: resp_sync.Client[S], keys: list[str]) -> list[S | None]:
    return client.mget(*keys)


def lines_of_monitor_for_threads(client: resp_sync.Client[str], pool: resp_sync.Pool) -> None:
    with client.monitor() as lines:
        assert_type(lines, resp_sync.Monitor[str])
        for line in lines:
            assert_type(line, MonitorLine[str])
            assert_type(line.words, tuple[str, ...])
    with pool.monitor() as others:
        assert_type(others.next(timeout=1), MonitorLine[bytes])


async def lines_of_monitor_for_tasks(client: resp_asyncio.Client[str], connection: resp_trio.Connection) -> None:
    async with client.monitor() as lines, connection.monitor() as others:
        assert_type([line.words async for line in lines], list[tuple[str, ...]])
        async for line in others:
            assert_type(line, MonitorLine[bytes])


def iterators_for_threads(client: resp_sync.Client[str], connection: resp_sync.Connection) -> None:
    with client.scan_iter("user:*", _type="hash") as keys:
        assert_type(keys, resp_sync.Scan[str])
        for key in keys:
            assert_type(key, str)
    assert_type(connection.scan_iter(distinct=True), resp_sync.Scan[bytes])
    assert_type(list(connection.text.sscan_iter("s", "a*", None)), list[str])
    assert_type(dict(client.hscan_iter("h")), dict[str, str])
    assert_type(client.raw.hscan_iter("h", no_values=True), resp_sync.Scan[bytes])
    assert_type(dict(client.zscan_iter("z")), dict[str, float])
    assert_type(next(client.zscan_iter("z", count=10)), tuple[str, float])
    assert_type(keys.restarts, int)


async def iterators_for_tasks(client: resp_asyncio.Client[str], pool: resp_trio.Pool) -> None:
    async with client.scan_iter() as keys:
        assert_type([key async for key in keys], list[str])
    assert_type(await anext(pool.hscan_iter("h")), tuple[bytes, bytes])
    async for member in pool.text.zscan_iter("z"):
        assert_type(member, tuple[str, float])
    assert_type(pool.text.hscan_iter("h", no_values=True), resp_trio.Scan[str])

"""A client with a cache has the types of one without; what it counts is a record or None. Read by type checkers, never run."""

from __future__ import annotations

from typing import assert_type

import resp_asyncio
import resp_sync
import resp_trio
from resp_sansio import Cache, CacheStats, Reply

CACHE = Cache(max_bytes=1_000_000, prefixes=["user:", b"page:"], ttl=2.5)

assert_type(CACHE.max_bytes, int)
assert_type(CACHE.ttl, float | None)


def of_threads() -> None:
    with resp_sync.Client("redis://localhost", cache=CACHE) as client:
        assert_type(client.get("k"), bytes | None)
        assert_type(client.execute("GET", "k"), Reply)
        cached = client.stats().cache
        assert_type(cached, CacheStats | None)
        if cached is not None:
            assert_type(cached.hits, int)
            assert_type(cached.active, bool)
    with resp_sync.connect("redis://localhost", cache=resp_sync.Cache(), decode=True) as connection:
        assert_type(connection.get("k"), str | None)


async def of_tasks() -> None:
    async with resp_asyncio.Client("redis://localhost", cache=resp_asyncio.Cache(), decode=True) as client:
        assert_type(await client.hgetall("h"), dict[str, str])
    async with resp_trio.Client("redis://localhost", cache=resp_trio.Cache()) as other:
        assert_type(await other.mget("a", "b"), list[bytes | None])
    async with resp_asyncio.connect("redis://localhost", cache=None) as connection:
        assert_type(await connection.get("k"), bytes | None)

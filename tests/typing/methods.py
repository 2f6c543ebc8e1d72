"""What a type checker knows of the adapters' methods. Never run: mypy --strict and pyright read it; an unneeded ignore fails."""

from __future__ import annotations

from typing import assert_type

import resp_asyncio
import resp_sync
import resp_trio
from resp_sansio import Result


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


async def asyncio(connection: resp_asyncio.Connection) -> None:
    assert_type(await connection.get("k"), bytes | None)
    assert_type(await connection.set("k", "v", nx=True), bool)
    async with connection.transaction() as pipe:
        assert_type(pipe.get("k"), Result[bytes | None])
    await connection.set("k")  # type: ignore[call-arg]
    await connection.set("k", "v", ex="1")  # type: ignore[arg-type]


async def any_strategy(client: resp_asyncio.Client, pool: resp_asyncio.Pool) -> None:
    assert_type(await client.mget("k", "l"), list[bytes | None])
    assert_type(await pool.blpop("l", timeout=1), tuple[bytes, bytes] | None)


async def trio(connection: resp_trio.Connection) -> None:
    assert_type(await connection.get("k"), bytes | None)
    assert_type(await connection.zscore("z", "m"), float | None)
    async with connection.pipeline() as pipe:
        assert_type(pipe.get("k"), Result[bytes | None])
    await connection.gte("k")  # type: ignore[attr-defined]

"""What a type checker knows of resp_asyncio. Never run: mypy --strict reads it, and an ignore that is not needed fails."""

from __future__ import annotations

import asyncio
from typing import Any, assert_type

from resp_asyncio import Connecting, Connection, Pipeline, WatchedTransaction, connect
from resp_sansio import Command, Push, Reply, Result


async def calls(command: Command[int]) -> None:
    assert_type(connect("redis://localhost", timeout=None), Connecting)
    assert_type(await connect(), Connection)
    async with connect() as connection:
        assert_type(connection, Connection)
        assert_type(await connection.execute("GET", "k", timeout=1, decode="utf-8"), Reply)
        assert_type(await connection.execute(command, timeout=None), int)
        assert_type(await connection.next_push(), Push)
        async with connection.pipeline() as pipe:
            assert_type(pipe, Pipeline)
            assert_type(pipe.execute(command), Result[int])
            assert_type(pipe.execute("GET", "k").result(), Reply)
        assert_type(await pipe.run(), list[Any])
        async with asyncio.TaskGroup() as group:
            assert_type(group.create_task(connection.execute(command)), asyncio.Task[int])

        async def update(transaction: WatchedTransaction) -> str:
            assert_type(await transaction.read(command), int)
            assert_type(transaction.execute(command), Result[int])
            return "done"

        assert_type(await connection.transact(update, "k"), str)


async def misuse(connection: Connection) -> None:
    await connection.execute("SET", "k", None)  # type: ignore[call-overload]
    await connection.execute(["GET", "k"])  # type: ignore[call-overload]
    await connection.execute("GET", "k", timeout="1")  # type: ignore[call-overload]
    connect(tiemout=1)  # type: ignore[call-overload]

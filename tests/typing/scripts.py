"""What a type checker knows of scripts. Never run: mypy --strict and pyright read it; an unneeded ignore fails."""

from __future__ import annotations

from typing import assert_type

import resp_asyncio
import resp_sync
from resp_sansio import Command, Reply, Result, Script, as_int


def a_script_returns_what_its_reader_does(client: resp_sync.Client) -> None:
    assert_type(Script("return 1"), Script[Reply])
    assert_type(Script(b"return 1", read=as_int, readonly=True), Script[int])
    assert_type(client.run(Script("return 1", read=as_int), ["k"], ["v", 1]), int)
    assert_type(client.run(Script("return 1")), Reply)
    assert_type(Script("return 1", read=as_int).command(["k"]), Command[int])
    client.run("return 1")  # type: ignore[arg-type]


async def so_it_does_with_tasks(pool: resp_asyncio.Pool[str], script: Script[int]) -> None:
    assert_type(await pool.run(script, keys=["k"], timeout=1.0), int)
    async with pool.pipeline() as pipe:
        assert_type(pipe.execute(script.command(["k"])), Result[int])

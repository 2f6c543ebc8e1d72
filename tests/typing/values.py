"""What a type checker knows of large values, and of transactions that did not run. Never run: mypy --strict and pyright read it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_type

import resp_asyncio
import resp_sync
import resp_trio
from resp_sansio import CommandFailure, ReplyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class AwaitedFile:
    """A file whose `read` is awaited, as trio's and aiofiles' are."""

    async def read(self, size: int = -1, /) -> bytes:
        return bytes(size)


async def generated() -> AsyncIterator[bytes]:
    yield b"piece"


def values_are_bytes_whatever_the_client_is_of(raw: resp_sync.Client, text: resp_sync.Pool[str]) -> None:
    for client in (raw, text):
        assert_type(client.read_value("k"), AbstractContextManager[resp_sync.ValueStream])
        with client.read_value(b"k", chunk_size=1, ahead=3, timeout=None) as value:
            assert_type((value.size, value.position), tuple[int, int])
            for chunk in value:
                assert_type(chunk, bytes)
        assert_type(client.write_value("k", b"value"), bool)
        client.write_value("k", bytearray(), ex=1, nx=True)
        client.write_value("k", memoryview(b""), px=1, xx=True)
        client.write_value("k", BytesIO(), keepttl=True, unfinished=1.5)
        client.write_value("k", [b"", bytearray(), memoryview(b"")], chunk_size=1, ahead=1, timeout=1)
        with Path("file").open("rb") as file:
            client.write_value("k", file)
    raw.write_value("k", "text")  # type: ignore[arg-type]
    raw.write_value("k", generated())  # type: ignore[arg-type]
    raw.write_value("k", b"", ex=1.5)  # type: ignore[arg-type]


async def so_they_are_with_tasks(
    one: resp_asyncio.Connection[str], other: resp_trio.Client, any_of_them: resp_asyncio.Client[Any]
) -> None:
    assert_type(one.read_value("k"), AbstractAsyncContextManager[resp_asyncio.ValueStream])
    async with other.read_value("k") as value:
        assert_type(await anext(value), bytes)
        async for chunk in value:
            assert_type(chunk, bytes)
    assert_type(await any_of_them.write_value("k", b"value"), bool)
    await one.write_value("k", AwaitedFile())
    await one.write_value("k", generated())
    await one.write_value("k", BytesIO())
    await one.write_value("k", iter([b""]))
    await one.write_value("k", [""])  # type: ignore[list-item]


def what_did_not_run_is_told_by_command(
    discarded: resp_sync.TransactionDiscardedError, refused: resp_sync.TransactionRefusedError, pipe: resp_sync.Pipeline
) -> None:
    assert_type(discarded.failures, tuple[CommandFailure, ...])
    assert_type(refused.failures, tuple[CommandFailure, ...])
    assert_type(discarded.reason, ReplyError)
    for position, name, error in pipe.failures:
        assert_type((position, name, error), tuple[int, str, Exception])

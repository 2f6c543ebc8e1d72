"""What a type checker knows of queues. Never run: mypy --strict and pyright read it; an unneeded ignore fails."""

from __future__ import annotations

from typing import Any, assert_type

import resp_asyncio
import resp_sync
import resp_trio
from resp_sansio import ListItem, StreamEntry


def entries_are_of_what_the_client_is_of(raw: resp_sync.Client, text: resp_sync.Pool[str]) -> None:
    assert_type(raw.consume("s", group="g", consumer="c"), resp_sync.Consuming[StreamEntry[bytes]])
    with text.consume("s", b"t", group="g", consumer=b"c", count=1, block=None, min_idle=5, create=False) as entries:
        for entry in entries:
            with entry as same:
                assert_type(same, StreamEntry[str])
            assert_type(entry.fields, dict[str, str])
            assert_type(entry.pairs, list[tuple[str, str]])
            assert_type((entry.stream, entry.id, entry.deliveries, entry.again), tuple[str, str, int, bool])
        assert_type(next(entries), StreamEntry[str])
    with raw.consume_list("q", working="w") as items:
        assert_type(next(items), ListItem[bytes])
        assert_type(next(items).value, bytes)
    assert_type(raw.text.consume("s", group="g", consumer="c"), resp_sync.Consuming[StreamEntry[str]])
    assert_type(text.raw.consume_list("q", working="w"), resp_sync.Consuming[ListItem[bytes]])
    raw.consume(group="g", consumer="c", count="1")  # type: ignore[arg-type]
    raw.consume("s")  # type: ignore[call-arg]


async def so_they_are_with_tasks(
    one: resp_asyncio.Connection[str], other: resp_trio.Client, any_of_them: resp_asyncio.Client[Any]
) -> None:
    async with one.consume("s", group="g", consumer="c") as entries:
        async for entry in entries:
            with entry:
                assert_type(entry, StreamEntry[str])
        await entries.flush()
    async with other.consume_list("q", working="w", block=0) as items:
        assert_type(await anext(items), ListItem[bytes])
        assert_type(items, resp_trio.Consuming[ListItem[bytes]])
    assert_type(other.text.consume("s", group="g", consumer="c"), resp_trio.Consuming[StreamEntry[str]])
    assert_type(one.raw.consume_list("q", working="w"), resp_asyncio.Consuming[ListItem[bytes]])
    assert_type(any_of_them.consume("s", group="g", consumer="c"), resp_asyncio.Consuming[StreamEntry[Any]])

"""What a type checker knows of subscriptions. Never run: mypy --strict and pyright read it; an unneeded ignore fails."""

from __future__ import annotations

from typing import Any, assert_type

import resp_asyncio
import resp_sync
import resp_trio
from resp_sansio import ClientStats, Gap, LaneStats, Message


def messages_are_of_what_the_client_is_of(
    raw: resp_sync.Client, text: resp_sync.Pool[str], one: resp_sync.Connection
) -> None:
    assert_type(raw.subscribe("a", b"b", patterns=["p*"], shards=(b"s",)), resp_sync.Messages[bytes])
    with text.subscribe("a", buffer=1, buffer_bytes=2, overflow="error", timeout=None) as messages:
        assert_type(messages, resp_sync.Messages[str])
        for item in messages:
            assert_type(item, Message[str] | Gap[str])
            if isinstance(item, Gap):
                assert_type((item.why, item.lost), tuple[str, int | None])
            else:
                assert_type(item, Message[str])
                assert_type((item.channel, item.data, item.pattern, item.sharded), tuple[str, str, str | None, bool])
        assert_type(messages.next(timeout=1), Message[str] | Gap[str])
        assert_type(messages.next_batch(), list[Message[str] | Gap[str]])
        messages.subscribe("b", patterns=["c"])
        messages.unsubscribe()
        assert_type(messages.lost, bool)
    assert_type(raw.text.subscribe("a"), resp_sync.Messages[str])
    assert_type(text.raw.subscribe("a", patterns=["p*"]), resp_sync.Messages[bytes])
    one.subscribe("a", overflow="wait")  # type: ignore[arg-type]
    one.subscribe(1)  # type: ignore[arg-type]


async def so_they_are_with_tasks(
    one: resp_asyncio.Connection[str], other: resp_trio.Client, stats: ClientStats, any_of_them: resp_asyncio.Pool[Any]
) -> None:
    async with one.subscribe("a") as messages:
        async for item in messages:
            assert_type(item, Message[str] | Gap[str])
        await messages.subscribe("b")
        assert_type(await messages.next(), Message[str] | Gap[str])
    async with other.subscribe("a") as raw:
        assert_type(raw, resp_trio.Messages[bytes])
        assert_type(await anext(raw), Message[bytes] | Gap[bytes])
    assert_type(other.text.subscribe("a"), resp_trio.Messages[str])
    assert_type(one.raw.subscribe("a"), resp_asyncio.Messages[bytes])
    assert_type(any_of_them.subscribe("a"), resp_asyncio.Messages[Any])
    assert_type(stats.subscriptions, LaneStats | None)

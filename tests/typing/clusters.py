"""What a type checker knows of clusters. Never run: mypy --strict and pyright read it; an unneeded ignore fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Literal, assert_type

import resp_asyncio
import resp_sync
import resp_trio
from resp_sansio import CallRedirected, ClientStats, LaneStats, NodeStats, Observer, PoolStats, SlotPart, commands


def each_server_has_the_commands_of_its_client(raw: resp_sync.Client, text: resp_sync.Client[str]) -> None:
    for node in raw.nodes(timeout=1.0):
        assert_type(node, resp_sync.Node[resp_sync.Connection[bytes], bytes])
        assert_type((node.address, node.id, node.is_master, node.closed), tuple[str, str, bool, bool])
        assert_type(node.slots, tuple[range, ...])
        assert_type(node.dbsize(), int)
        assert_type(node.get("k"), bytes | None)
        assert_type(node.text.get("k"), str | None)
        assert_type(node.acquire(timeout=None), AbstractContextManager[resp_sync.Connection[bytes]])
        assert_type(node.subscribe("a", shards=["s"]), resp_sync.Messages[bytes])
    one = text.node(("localhost", 7000))
    assert_type(one, resp_sync.Node[resp_sync.Connection[str], str])
    assert_type(one.get("k"), str | None)
    for named in (text.node("localhost:7000"), "localhost:7000", ("localhost", 7000), None):
        assert_type(text.acquire(node=named), AbstractContextManager[resp_sync.Connection[str]])
    assert_type(raw.acquire(node=one), AbstractContextManager[resp_sync.Connection[bytes]])
    assert_type(raw.acquire(key=b"k"), AbstractContextManager[resp_sync.Connection[bytes]])
    raw.acquire(node=7000)  # type: ignore[arg-type]
    raw.node(one)  # type: ignore[arg-type]


async def so_has_it_with_tasks(one: resp_asyncio.Client[str], other: resp_trio.Client) -> None:
    assert_type(await one.nodes(), list[resp_asyncio.Node[resp_asyncio.Connection[str], str]])
    assert_type(await other.nodes(), list[resp_trio.Node[resp_trio.Connection[bytes], bytes]])
    node = other.node("localhost:7000")
    assert_type(await node.get("k"), bytes | None)
    assert_type(node.acquire(), AbstractAsyncContextManager[resp_trio.Connection[bytes]])
    assert_type(other.acquire(node=node), AbstractAsyncContextManager[resp_trio.Connection[bytes]])
    assert_type(node.text.subscribe("a"), resp_trio.Messages[str])


async def a_command_across_slots_returns_what_it_returns(
    one: resp_asyncio.Client, other: resp_sync.Client[str]
) -> None:
    assert_type(await one.across_slots(commands.mget("a", "b")), list[bytes | None])
    assert_type(other.across_slots(commands.mget("a", "b"), timeout=1.0), list[bytes | None])
    assert_type(other.across_slots(commands.delete("a", "b")), int)
    other.across_slots("MGET", "a", "b")  # type: ignore[call-arg,arg-type]


def what_was_counted(stats: ClientStats, node: NodeStats, part: SlotPart) -> None:
    assert_type(stats.nodes, Mapping[str, NodeStats])
    assert_type((stats.moved, stats.asked, stats.refreshes, stats.refresh_failures), tuple[int, int, int, int])
    assert_type(stats.subscriptions, LaneStats | None)
    assert_type(node.role, Literal["master", "replica"] | None)
    assert_type(node.lanes, Sequence[LaneStats])
    assert_type(node.leases, PoolStats | None)
    assert_type(node.subscriptions, LaneStats | None)
    assert_type((node.slots, node.retries, node.moved, node.asked), tuple[int, int, int, int])
    assert_type((part.slot, part.positions), tuple[int, tuple[int, ...]])


class Redirects(Observer):
    """Is told of each."""

    def call_redirected(self, redirect: CallRedirected, token: object) -> None:
        assert_type(token, object)
        assert_type(redirect.kind, Literal["MOVED", "ASK"])
        assert_type((redirect.address, redirect.command, redirect.to), tuple[str, str, str])
        assert_type((redirect.slot, redirect.pause, redirect.after), tuple[int, float, float])

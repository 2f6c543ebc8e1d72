"""The contract of what a cluster's client counts, tells and raises, on real servers: each names the server."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import pytest

from adapters.backends import Backend, contract
from clusters import SLOTS, Cluster, key_in, slot_of
from core.client.notes import Notes
from resp_sansio import CallEnded, CallRedirected, LinkOpened, MapRefreshed, ReplyError

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("nothing_is_left")

numbers = count(1)
"""No slot is moved twice: nodes may name each other for a while then."""


@pytest.fixture(scope="module")
def moving() -> Iterator[Cluster]:
    """A cluster whose slots are moved: two masters alone."""
    with Cluster(masters=2, replicas=0) as cluster:
        yield cluster


def address(cluster: Cluster, index: int) -> str:
    return f"127.0.0.1:{cluster.nodes[index].port}"


@contract
async def test_counts_are_told_by_server(backend: Backend, moving: Cluster) -> None:
    async with backend.client(moving.url) as client:
        for index in range(2):
            await client.set(key_in(moving.ranges[index]), "v")
        nodes = client.stats().nodes
        assert {*nodes} == {address(moving, 0), address(moving, 1)}
        assert {node.role for node in nodes.values()} == {"master"}
        assert sum([node.slots for node in nodes.values()]) == SLOTS
        connections = [lane.connection for node in nodes.values() for lane in node.lanes]
        assert all([connection is not None and connection.answered >= 1 for connection in connections])
        assert client.stats().refreshes >= 1
        rest = "2 servers; 2 lanes open, 0 queued, 0 in flight, 0 waiting"
        # Both were asked for the map: one answers when that of the other has come.
        await backend.until(lambda: str(client.stats()).startswith(rest))


@contract
async def test_facts_of_calls_and_links_name_the_server(backend: Backend, moving: Cluster) -> None:
    notes = Notes()
    async with backend.client(moving.url, observers=[notes]) as client:
        keys = [key_in(moving.ranges[index], "own") for index in range(2)]
        for key in keys:
            await client.get(key)
        await backend.together(*[partial(client.get, key) for key in keys * 5])
        async with client.pipeline() as pipe:
            for key in keys:
                pipe.get(key)
    alone = [call.address for call in notes.of(CallEnded) if call.command == "GET"]
    assert alone[:2] == [address(moving, 0), address(moving, 1)]
    assert {at: alone.count(at) for at in alone} == {address(moving, 0): 6, address(moving, 1): 6}
    assert (
        notes.of(CallEnded)[-1].address == f"cluster of {', '.join(f'{host}:{port}' for host, port in moving.places)}"
    )
    assert {link.address for link in notes.of(LinkOpened)} == {*alone}
    assert {refresh.error for refresh in notes.of(MapRefreshed)} == {None}
    assert not notes.under_way


@contract
async def test_redirects_are_told_and_counted(backend: Backend, moving: Cluster) -> None:
    notes = Notes()
    key = key_in(moving.ranges[0][next(numbers)])
    async with backend.client(moving.url, observers=[notes]) as client:
        await client.set(key, "v")
        source = moving.begin_move(slot_of(key), 1)
        moving.move_keys(slot_of(key), 1, source)
        assert await client.get(key) == b"v"
        moving.end_move(slot_of(key), 1, source)
        assert await client.get(key) == b"v"
        asked, moved = notes.of(CallRedirected)[0], notes.of(CallRedirected)[-1]
        stats = client.stats()
    assert (asked.kind, asked.address, asked.to) == ("ASK", address(moving, 0), address(moving, 1))
    assert (moved.kind, moved.command, moved.slot) == ("MOVED", "GET", slot_of(key))
    assert [call.address for call in notes.of(CallEnded)] == [address(moving, at) for at in (0, 1, 1)]
    assert [call.attempts for call in notes.of(CallEnded)] == [1, 1, 1]
    assert (stats.asked, stats.moved) == (1, 1)
    assert (stats.nodes[address(moving, 0)].asked, stats.nodes[address(moving, 0)].moved) == (1, 1)


@contract
async def test_an_error_reply_names_its_server_and_the_way_there(backend: Backend, moving: Cluster) -> None:
    key = key_in(moving.ranges[0][next(numbers)])
    async with backend.client(moving.url) as client:
        await client.set(key, "v")
        with pytest.raises(ReplyError, match="WRONGTYPE") as caught:
            await client.lpush(key, "v")
        assert caught.value.__notes__ == [f"answered by {address(moving, 0)}"]
        moving.move(slot_of(key), 1)
        with pytest.raises(ReplyError, match="WRONGTYPE") as caught:
            await client.lpush(key, "v")
    way = f"sent to {address(moving, 0)}, MOVED to {address(moving, 1)}"
    assert caught.value.__notes__ == [f"answered by {address(moving, 1)}: {way}"]

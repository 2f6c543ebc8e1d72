"""The contract of observers: what they are told, where, and in which order; and that nothing they do harms a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import Backend, contract
from core.client.notes import Notes
from resp_sansio import (
    CallBegan,
    CallEnded,
    CloseReason,
    LinkClosed,
    LinkOpened,
    Observer,
    Outcome,
    ReplyError,
    WaitEnded,
)

if TYPE_CHECKING:
    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")

PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])


@PROTOCOLS
@contract
async def test_calls_of_a_client_are_told_with_what_they_took(
    backend: Backend, server: Server, address: str, protocol: Any
) -> None:
    notes = Notes()
    async with backend.client(address, observers=[notes], protocol=protocol) as client:
        await client.set("k", "v")
        assert await client.get("k") == b"v"
        with pytest.raises(ReplyError):
            await client.lpush("k", "v")
        async with client.pipeline() as pipe:
            pipe.get("k")
            pipe.get("missing")
        async with client.transaction() as both:
            both.get("k")
            both.lpush("k", "v")
        await client.execute("BLPOP", "nothing", 0.01)
        async with client.acquire() as own:
            await own.get("k")
    ended = notes.of(CallEnded)
    assert not notes.under_way
    assert [(call.command, call.commands, call.batch_size, call.route, call.error_code) for call in ended] == [
        ("SET", ("SET",), 1, "lane", None),
        ("GET", ("GET",), 1, "lane", None),
        ("LPUSH", ("LPUSH",), 1, "lane", "WRONGTYPE"),
        ("PIPELINE", ("GET", "GET"), 2, "lane", None),
        ("MULTI", ("GET", "LPUSH"), 2, "lane", "WRONGTYPE"),
        ("BLPOP", ("BLPOP",), 1, "lease", None),
        ("GET", ("GET",), 1, "connection", None),
    ]
    for call in ended:
        assert (call.outcome, call.attempts, call.abandoned) == (Outcome.REPLY, 1, False)
        assert call.network is not None
        assert call.database == 0
    tls = address.startswith("rediss")
    assert [call.bytes_received for call in ended[1:3]] == ([None, None] if tls else [7, 68])
    assert ended[1].bytes_sent == len(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n")
    assert [(wait.ended, wait.error) for wait in notes.of(WaitEnded)] == [("granted", None)]
    await backend.until(lambda: len(notes.of(LinkClosed)) == 2)  # it is told in a later turn
    opened = notes.of(LinkOpened)
    assert [(link.number, link.route, link.protocol) for link in opened] == [
        (1, "lane", protocol),
        (2, "lease", protocol),
    ]
    for link in opened:
        assert (link.tls is not None) == tls
        assert link.name is not None
        assert link.dial is not None
        assert link.peer is not None
    closed = sorted(notes.of(LinkClosed), key=lambda link: link.number)
    assert [(link.number, link.reason, link.commands) for link in closed] == [
        (1, CloseReason.CLOSED, 5),
        (2, CloseReason.CLOSED, 2),
    ]


@contract
async def test_calls_of_a_pool_and_of_a_connection_are_told(backend: Backend, server: Server) -> None:
    notes = Notes()
    async with backend.pool(server.url, observers=[notes]) as pool:
        await pool.set("k", "v")
        await backend.together(*[lambda: pool.get("k")] * 5)
    assert {call.route for call in notes.of(CallEnded)} == {"lease"}
    assert len(notes.of(CallEnded)) == 6
    await backend.until(lambda: len(notes.of(LinkOpened)) == len(notes.of(LinkClosed)))
    notes = Notes()
    async with backend.connect(server.url, observers=[notes]) as connection:
        await backend.together(*[lambda: connection.get("k")] * 5)
    assert [call.route for call in notes.of(CallEnded)] == ["connection"] * 5
    await backend.until(lambda: [link.reason for link in notes.of(LinkClosed)] == [CloseReason.CLOSED])
    assert not notes.under_way


class Raises(Observer):
    """It raises at the call of this number."""

    def __init__(self, method: str) -> None:
        self.told = 0
        self.method = method

    def call_began(self, call: CallBegan) -> object:  # noqa: ARG002
        self._tell("began")
        return None

    def call_ended(self, call: CallEnded, token: object) -> None:  # noqa: ARG002
        self._tell("ended")

    def link_closed(self, link: LinkClosed) -> None:  # noqa: ARG002
        self._tell("closed")

    def _tell(self, method: str) -> None:
        self.told += 1
        if method == self.method:
            raise ValueError(f"from {method}")


@pytest.mark.parametrize("method", ["began", "ended", "closed"])
@contract
async def test_an_observer_that_raises_is_dropped_and_harms_no_call(
    backend: Backend, server: Server, method: str
) -> None:
    raises, notes = Raises(method), Notes()

    async def use() -> None:
        async with backend.client(server.url, observers=[raises, notes]) as client:
            await client.set("k", "v")
            assert await client.get("k") == b"v"
        await backend.until(lambda: len(notes.of(LinkClosed)) == 1)

    with pytest.warns(RuntimeWarning, match=f"Raises raised ValueError .*nothing more: from {method}"):
        await use()
    assert raises.told == {"began": 1, "ended": 2, "closed": 5}[method]
    assert [call.command for call in notes.of(CallEnded)] == ["SET", "GET"]

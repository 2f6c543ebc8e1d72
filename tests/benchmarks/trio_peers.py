"""The clients of trio, for the same comparison.

What was opened in one run of trio can't be used in the next, so each peer's run goes on to the end, on a thread of its own.
`trio floor` sends what was encoded beforehand and counts the bytes that come back: what trio itself costs for a task that sleeps
and is woken, and for a wait for the socket.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import trio

from benchmarks.async_peers import OPERATIONS, RECEIVE, AsyncOurs, AsyncPeer, Glide
from benchmarks.peers import KEY, encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine


class TrioPeer(AsyncPeer):
    """One client on trio."""

    def __init__(self) -> None:
        self.answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=trio.run, args=(self.serve,), daemon=True).start()
        self.token = self.answers.get()

    async def serve(self) -> None:
        """Run what it is sent, all in one task: what is entered there stays open."""
        self.orders, orders = trio.open_memory_channel[tuple[Any, ...]](1)
        self.answers.put(trio.lowlevel.current_trio_token())
        async for function, *arguments in orders:
            self.answers.put(await function(*arguments))

    def run(self, function: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any) -> Any:
        trio.from_thread.run_sync(self.orders.send_nowait, (function, *arguments), trio_token=self.token)
        return self.answers.get()

    async def run_many(self, work: Callable[[], Coroutine[Any, Any, None]], count: int) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(count):
                nursery.start_soon(work)


class TrioFloor(TrioPeer):
    """Requests encoded beforehand, replies counted; the first who waits reads for the others, and writes for them a turn later."""

    imports = "import trio"

    async def open(self, url: str) -> socket.socket:
        parts = urlsplit(url)
        client = socket.create_connection((parts.hostname or "localhost", parts.port or 6379))  # noqa: ASYNC251, RUF100
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.setblocking(False)
        self.size = len(encode("x" * 64)) - len("*1\r\n")  # a bulk of 64 bytes
        self.waiting: deque[trio.lowlevel.Task] = deque()
        self.queued: list[bytes] = []
        self.reading = False
        self.received = 0
        return client

    async def exchange(self, client: socket.socket, data: bytes, size: int) -> None:
        client.send(data)
        while size > 0:
            await trio.lowlevel.wait_readable(client)
            size -= len(client.recv(RECEIVE))

    async def ask(self, client: socket.socket, request: bytes) -> None:
        self.queued.append(request)
        if self.reading:
            self.waiting.append(trio.lowlevel.current_task())
            await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)
            return
        self.reading = True
        await trio.lowlevel.checkpoint()
        await trio.lowlevel.checkpoint()
        count = len(self.queued)
        data = b"".join(self.queued)
        self.queued.clear()
        await self.exchange(client, data, count * self.size)
        self.reading = False
        for _ in range(count - 1):
            trio.lowlevel.reschedule(self.waiting.popleft())

    def get(self, client: socket.socket) -> Callable[[], Awaitable[object]]:
        request = encode("GET", KEY)
        return lambda: self.ask(client, request)

    async def run_tasks(self, client: socket.socket, count: int) -> None:
        if count > 1:
            await super().run_tasks(client, count)
            return
        request = encode("GET", KEY)
        for _ in range(OPERATIONS):
            await self.exchange(client, request, self.size)

    async def pipeline(self, client: socket.socket, count: int) -> None:
        await self.exchange(client, encode("GET", KEY) * count, self.size * count)


class Coredis(TrioPeer):
    """coredis: a pool of connections that commands in flight share, by anyio on trio."""

    imports = "import coredis"

    async def open(self, url: str) -> Any:
        import coredis

        client = coredis.Redis.from_url(url)
        await client.__aenter__()
        return client

    def get(self, client: Any) -> Callable[[], Awaitable[object]]:
        return lambda: client.get(KEY)

    async def pipeline(self, client: Any, count: int) -> None:
        async with client.pipeline(transaction=False) as pipe:
            replies = [pipe.get(KEY) for _ in range(count)]
        assert len([await reply for reply in replies]) == count


class TrioGlide(TrioPeer, Glide):
    """valkey-glide on trio."""


class TrioOurs(TrioPeer, AsyncOurs):
    """resp_trio: as resp_asyncio."""

    imports = "import resp_trio"

    async def open(self, url: str) -> Any:
        from resp_trio import connect

        return await connect(url)


TRIO_PEERS: Final[dict[str, type[AsyncPeer]]] = {
    "trio floor": TrioFloor,
    "trio coredis": Coredis,
    "trio valkey-glide": TrioGlide,
    "trio resp-sansio": TrioOurs,
}

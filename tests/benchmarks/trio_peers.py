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

from benchmarks.async_peers import (
    POOL,
    RECEIVE,
    AsyncOurConnection,
    AsyncOurPool,
    AsyncOurs,
    AsyncOurWords,
    AsyncPeer,
    Glide,
    by_method,
    size_at,
)
from benchmarks.peers import KEY, SCRATCH, VALUE, collect, encode

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
            try:
                self.answers.put(await function(*arguments))
            except Exception as error:
                self.answers.put(error)
                raise

    def run(self, function: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any) -> Any:
        trio.from_thread.run_sync(self.orders.send_nowait, (function, *arguments), trio_token=self.token)
        answer = self.answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def run_many(self, work: Callable[[], Coroutine[Any, Any, None]], count: int) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(count):
                nursery.start_soon(work)


class TrioFloor(TrioPeer):
    """Requests encoded beforehand, replies counted; the first who waits reads for the others, and writes for them a turn later."""

    imports = "import trio"

    async def open(self, url: str) -> Any:
        self.url = url
        parts = urlsplit(url)
        client = socket.create_connection((parts.hostname or "localhost", parts.port or 6379))  # noqa: ASYNC251, RUF100
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.setblocking(False)
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

    async def ask(self, client: socket.socket, request: bytes, size: int) -> None:
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
        await self.exchange(client, data, count * size)
        self.reading = False
        for _ in range(count - 1):
            trio.lowlevel.reschedule(self.waiting.popleft())

    def command(self, client: Any, *words: str) -> Callable[[], Awaitable[object]]:
        request = encode(*words)
        size = size_at(self.url, request)
        return lambda: self.ask(client, request, size)

    async def run_tasks(self, client: Any, count: int, operations: int) -> None:
        if count > 1:
            await super().run_tasks(client, count, operations)
            return
        request = encode("GET", KEY)
        size = size_at(self.url, request)
        for _ in range(operations):
            await self.exchange(client, request, size)

    async def pipeline(self, client: socket.socket, count: int, *, writes: bool = False) -> None:
        requests = [encode("SET", SCRATCH, VALUE), encode("GET", KEY)] if writes else [encode("GET", KEY)]
        rounds, size = count // len(requests), sum(size_at(self.url, request) for request in requests)
        await self.exchange(client, b"".join(requests) * rounds, size * rounds)

    async def idle(self, url: str, count: int) -> object:
        clients = [await self.open(url) for _ in range(count)]
        for client in clients:
            await self.exchange(client, encode("PING"), len("+PONG\r\n"))
        return clients


class TrioFloorPool(TrioFloor):
    """As many such connections as the pool has, handed out by trio's own channel."""

    async def open(self, url: str) -> Any:
        give, take = trio.open_memory_channel[socket.socket](POOL)
        for _ in range(POOL):
            give.send_nowait(await super().open(url))
        return give, take

    def command(self, client: Any, *words: str) -> Callable[[], Awaitable[object]]:
        request = encode(*words)
        size = size_at(self.url, request)
        give, take = client

        async def command() -> None:
            connection = await take.receive()
            try:
                await self.exchange(connection, request, size)
            finally:
                give.send_nowait(connection)

        return command


class Coredis(TrioPeer):
    """coredis: a pool of connections that commands in flight share, by anyio on trio."""

    imports = "import coredis"

    async def open(self, url: str) -> Any:
        import coredis

        client = coredis.Redis.from_url(url)
        await client.__aenter__()
        return client

    def command(self, client: Any, *words: str) -> Callable[[], Awaitable[object]]:
        return by_method(client, *words)

    def words(self, client: Any, *words: str) -> Callable[[], Awaitable[object]]:
        name, *rest = words
        return lambda: client.create_request(name.encode(), *rest, callback=lambda reply: reply)

    async def pipeline(self, client: Any, count: int, *, writes: bool = False) -> None:
        async with client.pipeline(transaction=False) as pipe:
            replies = collect(pipe, count, writes=writes)
        assert len([await reply for reply in replies]) == count

    async def idle(self, url: str, count: int) -> object:
        import coredis

        client = coredis.Redis.from_url(url, max_connections=count)
        await client.__aenter__()
        pool = client.connection_pool
        connections = [await pool.get_connection() for _ in range(count)]
        for connection in connections:
            await connection.create_request(b"PING")
        for connection in connections:
            pool.release(connection)
        return client


class TrioGlide(TrioPeer, Glide):
    """valkey-glide on trio."""


class TrioOurs(TrioPeer, AsyncOurs):
    """resp_trio: as resp_asyncio."""

    imports = "import resp_trio"


class TrioOurWords(TrioPeer, AsyncOurWords):
    """The same client by words."""

    imports = "import resp_trio"


class TrioOurConnection(TrioPeer, AsyncOurConnection):
    """One connection for all tasks."""

    imports = "import resp_trio"


class TrioOurPool(TrioPeer, AsyncOurPool):
    """A pool of not many connections."""

    imports = "import resp_trio"


TRIO_PEERS: Final[dict[str, type[AsyncPeer]]] = {
    "trio floor": TrioFloor,
    "trio floor, pooled": TrioFloorPool,
    "trio coredis": Coredis,
    "trio valkey-glide": TrioGlide,
    "trio resp-sansio": TrioOurs,
    "trio resp-sansio words": TrioOurWords,
    "trio resp-sansio Connection": TrioOurConnection,
    "trio resp-sansio Pool": TrioOurPool,
}

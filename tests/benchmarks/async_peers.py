"""The clients of asyncio, for the same comparison: one client each, used by one task, a hundred, a thousand, and by a pipeline.

Each peer has an event loop of its own that runs as long as a workload does. `asyncio floor` writes what was encoded
beforehand and counts the bytes that come back: what asyncio itself costs for a future, a task's turn and a callback.
"""

from __future__ import annotations

import abc
import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import urlsplit

from benchmarks.peers import KEY, Work, encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

OPERATIONS: Final = 5000  # in one run of the loop, so that starting it does not matter
RECEIVE: Final = 256 * 1024


class AsyncPeer(abc.ABC):
    """One client, on asyncio if nothing else is said. `open` returns what the other methods take as `client`."""

    imports: ClassVar[str]
    hidden: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def run(self, function: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any) -> Any:
        """Run it on the loop, to its end."""
        return self.loop.run_until_complete(function(*arguments))

    async def run_many(self, work: Callable[[], Coroutine[Any, Any, None]], count: int) -> None:
        """Run it in so many tasks."""
        await asyncio.gather(*[work() for _ in range(count)])

    @abc.abstractmethod
    async def open(self, url: str) -> Any:
        """A client at `url`, as its documentation makes one, ready to be used by a thousand tasks."""

    @abc.abstractmethod
    def get(self, client: Any) -> Callable[[], Awaitable[object]]:
        """One GET, as a function whose result is awaited."""

    @abc.abstractmethod
    async def pipeline(self, client: Any, count: int) -> None:
        """`count` GETs at once, every reply looked at."""

    def make_work(self, workload: str, url: str) -> tuple[Work, int]:
        """The callable for a workload, and how many operations one call of it is."""
        kind, number = workload.split()
        client = self.run(self.open, url)
        run = self.run_tasks if kind == "tasks" else self.run_pipelines
        return lambda: self.run(run, client, int(number)), OPERATIONS

    async def run_tasks(self, client: Any, count: int) -> None:
        get = self.get(client)

        async def work() -> None:
            for _ in range(OPERATIONS // count):
                await get()

        if count == 1:
            await work()
        else:
            await self.run_many(work, count)

    async def run_pipelines(self, client: Any, count: int) -> None:
        for _ in range(OPERATIONS // count):
            await self.pipeline(client, count)


class Counter(asyncio.BufferedProtocol):
    """Resolves futures in order, one for so many bytes as its request said."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.buffer = memoryview(bytearray(RECEIVE))
        self.waiting: list[tuple[asyncio.Future[None], int]] = []
        self.queued: list[bytes] = []
        self.received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def get_buffer(self, _sizehint: int) -> memoryview:
        return self.buffer

    def buffer_updated(self, count: int) -> None:
        self.received += count
        done = 0
        for future, size in self.waiting:
            if self.received < size:
                break
            self.received -= size
            done += 1
            future.set_result(None)
        del self.waiting[:done]

    def ask(self, request: bytes, size: int) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.Future(loop=self.loop)
        self.waiting.append((future, size))
        if not self.queued:
            self.loop.call_soon(self.flush)
        self.queued.append(request)
        return future

    def flush(self) -> None:
        self.transport.write(b"".join(self.queued))
        self.queued.clear()


class AsyncFloor(AsyncPeer):
    """Requests encoded beforehand, replies counted: the price of the event loop."""

    imports = "import asyncio"

    async def open(self, url: str) -> Counter:
        parts = urlsplit(url)
        _, counter = await self.loop.create_connection(Counter, parts.hostname or "localhost", parts.port or 6379)
        self.size = len(encode("x" * 64)) - len("*1\r\n")  # a bulk of 64 bytes
        return counter

    def get(self, client: Counter) -> Callable[[], Awaitable[object]]:
        request, size = encode("GET", KEY), self.size
        return lambda: client.ask(request, size)

    async def pipeline(self, client: Counter, count: int) -> None:
        await client.ask(encode("GET", KEY) * count, self.size * count)


class AsyncRedisPy(AsyncPeer):
    """redis-py with hiredis: a pool of connections, one for each command in flight; its maximum is 100, too few for the tasks."""

    imports = "import redis.asyncio"

    async def open(self, url: str) -> Any:
        import redis.asyncio

        return redis.asyncio.from_url(url, max_connections=OPERATIONS)

    def get(self, client: Any) -> Callable[[], Awaitable[object]]:
        return lambda: client.get(KEY)

    async def pipeline(self, client: Any, count: int) -> None:
        pipe = client.pipeline(transaction=False)
        for _ in range(count):
            pipe.get(KEY)
        assert len(await pipe.execute()) == count


class Glide(AsyncPeer):
    """valkey-glide: one multiplexed connection, in Rust."""

    imports = "import glide"

    async def open(self, url: str) -> Any:
        from glide import GlideClient, GlideClientConfiguration, NodeAddress

        parts = urlsplit(url)
        address = NodeAddress(parts.hostname or "localhost", parts.port or 6379)
        # Its default is 250 ms, which a machine that is busy otherwise may miss.
        return await GlideClient.create(GlideClientConfiguration([address], request_timeout=5000))

    def get(self, client: Any) -> Callable[[], Awaitable[object]]:
        return lambda: client.get(KEY)

    async def pipeline(self, client: Any, count: int) -> None:
        from glide import Batch

        batch = Batch(is_atomic=False)
        for _ in range(count):
            batch.get(KEY)
        replies = await client.exec(batch, raise_on_error=True)
        assert len(replies) == count


class AsyncOurs(AsyncPeer):
    """resp_asyncio: one connection for all tasks, a deadline of 5 s for each call."""

    imports = "import resp_asyncio"

    async def open(self, url: str) -> Any:
        from resp_asyncio import connect

        return await connect(url)

    def get(self, client: Any) -> Callable[[], Awaitable[object]]:
        execute = client.execute
        return lambda: execute("GET", KEY)

    async def pipeline(self, client: Any, count: int) -> None:
        async with client.pipeline() as pipe:
            replies = [pipe.execute("GET", KEY) for _ in range(count)]
        assert len([reply.result() for reply in replies]) == count


ASYNC_PEERS: Final[dict[str, type[AsyncPeer]]] = {
    "asyncio floor": AsyncFloor,
    "asyncio redis-py+hiredis": AsyncRedisPy,
    "asyncio valkey-glide": Glide,
    "asyncio resp-sansio": AsyncOurs,
}

"""The clients of asyncio, for the same comparison: one each, by one task, a hundred, a thousand, by a pipeline, for large replies.

Each peer has an event loop of its own that runs as long as a workload does. `asyncio floor` writes what was encoded
beforehand and counts the bytes that come back: what asyncio itself costs for a future, a task's turn and a callback.
"""

from __future__ import annotations

import abc
import asyncio
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import urlsplit

from benchmarks.peers import KEY, SCRATCH, VALUE, Work, collect, collect_words, encode, open_socket, reply_size

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

OPERATIONS: Final = 5000  # in one run of the loop, so that starting it does not matter
WAITS: Final = 10_000  # the same where a thousand tasks are to do more than start
COMMANDS: Final = 5  # the same where each takes milliseconds
POOL: Final = 4  # connections, for however many tasks
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
    def command(self, client: Any, *words: str) -> Callable[[], Awaitable[object]]:
        """One command by its method, one reply, as a function whose result is awaited."""

    def words(self, client: Any, *words: str) -> Callable[[], Awaitable[object]]:
        """One command by its words."""
        return self.command(client, *words)

    @abc.abstractmethod
    async def pipeline(self, client: Any, count: int, *, writes: bool = False) -> None:
        """`count` GETs at once, every reply looked at; every other one is a SET, if it also `writes`."""

    @abc.abstractmethod
    async def idle(self, url: str, count: int) -> object:
        """Open `count` connections, use each once, and return what keeps them open."""

    def make_work(self, workload: str, url: str) -> tuple[Work, int]:
        """The callable for a workload, and how many operations one call of it is."""
        kind, *words = workload.split()
        client = self.run(self.open, url)
        match kind:
            case "tasks":
                return lambda: self.run(self.run_tasks, client, int(words[0]), OPERATIONS), OPERATIONS
            case "waits":
                return lambda: self.run(self.run_tasks, client, int(words[0]), WAITS), WAITS
            case "pipeline" | "writes":
                return lambda: self.run(self.run_pipelines, client, int(words[0]), kind == "writes"), OPERATIONS
            case "command" | "words":
                command = (self.command if kind == "command" else self.words)(client, *words)
                return lambda: self.run(self.run_commands, command), COMMANDS
        raise ValueError(f"no such workload: {workload!r}")

    async def run_commands(self, command: Callable[[], Awaitable[object]]) -> None:
        for _ in range(COMMANDS):
            await command()

    async def run_tasks(self, client: Any, count: int, operations: int) -> None:
        get = self.command(client, "GET", KEY)

        async def work() -> None:
            for _ in range(operations // count):
                await get()

        if count == 1:
            await work()
        else:
            await self.run_many(work, count)

    async def run_pipelines(self, client: Any, count: int, writes: bool) -> None:
        for _ in range(OPERATIONS // count):
            await self.pipeline(client, count, writes=writes)


class Counter(asyncio.BufferedProtocol):
    """Resolves futures in order, one for so many bytes as its request said."""

    buffer = memoryview(bytearray(RECEIVE))  # its content is not looked at

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
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


@cache
def size_at(url: str, request: bytes) -> int:
    with open_socket(url) as client:
        return reply_size(client, request)


class AsyncFloor(AsyncPeer):
    """Requests encoded beforehand, replies counted: the price of the event loop."""

    imports = "import asyncio"

    async def open(self, url: str) -> Any:
        self.url = url
        parts = urlsplit(url)
        _, counter = await self.loop.create_connection(Counter, parts.hostname or "localhost", parts.port or 6379)
        return counter

    def command(self, client: Any, *words: str) -> Callable[[], Awaitable[object]]:
        request = encode(*words)
        size = size_at(self.url, request)
        return lambda: client.ask(request, size)

    async def pipeline(self, client: Any, count: int, *, writes: bool = False) -> None:
        requests = [encode("SET", SCRATCH, VALUE), encode("GET", KEY)] if writes else [encode("GET", KEY)]
        rounds = count // len(requests)
        await client.ask(b"".join(requests) * rounds, sum(size_at(self.url, request) for request in requests) * rounds)

    async def idle(self, url: str, count: int) -> object:
        clients = [await self.open(url) for _ in range(count)]
        for client in clients:
            await client.ask(encode("PING"), len("+PONG\r\n"))
        return clients


class AsyncFloorPool(AsyncFloor):
    """As many such connections as the pool has, handed out by asyncio's own queue."""

    async def open(self, url: str) -> Any:
        counters: asyncio.LifoQueue[Counter] = asyncio.LifoQueue()
        for _ in range(POOL):
            counters.put_nowait(await super().open(url))
        return counters

    def command(self, client: Any, *words: str) -> Callable[[], Awaitable[object]]:
        request = encode(*words)
        size = size_at(self.url, request)

        async def command() -> None:
            counter = await client.get()
            try:
                await counter.ask(request, size)
            finally:
                client.put_nowait(counter)

        return command


def by_method(client: Any, *words: str) -> Callable[[], Awaitable[object]]:
    """A command by its own method, because that is what users call."""
    name, *rest = words
    call = getattr(client, name.lower())
    return lambda: call(*rest)


class AsyncRedisPy(AsyncPeer):
    """redis-py with hiredis: a pool of connections, one for each command in flight; its maximum is 100, too few for the tasks."""

    imports = "import redis.asyncio"

    async def open(self, url: str) -> Any:
        import redis.asyncio

        return redis.asyncio.from_url(url, max_connections=OPERATIONS)

    def command(self, client: Any, *words: str) -> Callable[[], Awaitable[object]]:
        return by_method(client, *words)

    def words(self, client: Any, *words: str) -> Callable[[], Awaitable[object]]:
        return lambda: client.execute_command(*words)

    async def pipeline(self, client: Any, count: int, *, writes: bool = False) -> None:
        pipe = client.pipeline(transaction=False)
        for _ in range(count // 2 if writes else count):
            if writes:
                pipe.set(SCRATCH, VALUE)
            pipe.get(KEY)
        assert len(await pipe.execute()) == count

    async def idle(self, url: str, count: int) -> object:
        pool = (await self.open(url)).connection_pool
        connections = [await pool.get_connection() for _ in range(count)]
        for connection in connections:
            await connection.send_command("PING")
            await connection.read_response()
        for connection in connections:
            await pool.release(connection)
        return pool


class AsyncRedisPyPure(AsyncRedisPy):
    """The same without hiredis: what users have who did not ask for it."""

    hidden = ("hiredis",)


class Glide(AsyncPeer):
    """valkey-glide: one multiplexed connection, in Rust."""

    imports = "import glide"

    async def open(self, url: str) -> Any:
        from glide import GlideClient, GlideClientConfiguration, NodeAddress

        parts = urlsplit(url)
        address = NodeAddress(parts.hostname or "localhost", parts.port or 6379)
        # Its default is 250 ms, which a machine that is busy otherwise may miss.
        return await GlideClient.create(GlideClientConfiguration([address], request_timeout=5000))

    def command(self, client: Any, *words: str) -> Callable[[], Awaitable[object]]:
        return by_method(client, *words)

    async def pipeline(self, client: Any, count: int, *, writes: bool = False) -> None:
        from glide import Batch

        batch = Batch(is_atomic=False)
        for _ in range(count // 2 if writes else count):
            if writes:
                batch.set(SCRATCH, VALUE)
            batch.get(KEY)
        replies = await client.exec(batch, raise_on_error=True)
        assert len(replies) == count

    async def idle(self, url: str, count: int) -> object:
        clients = [await self.open(url) for _ in range(count)]
        for client in clients:
            await client.ping()
        return clients


class AsyncOurs(AsyncPeer):
    """resp_asyncio as most take it: a client, and its methods; one lane for all commands here, a deadline of 5 s for each."""

    imports = "import resp_asyncio"
    kind = "Client"
    options: ClassVar[dict[str, Any]] = {}

    async def open(self, url: str) -> Any:
        make = getattr(import_module(self.imports.removeprefix("import ")), self.kind)
        return await make(url, **self.options).__aenter__()

    def command(self, client: Any, *words: str) -> Callable[[], Awaitable[object]]:
        return by_method(client, *words)

    def words(self, client: Any, *words: str) -> Callable[[], Awaitable[object]]:
        execute = client.execute
        return lambda: execute(*words)

    async def pipeline(self, client: Any, count: int, *, writes: bool = False) -> None:
        async with client.pipeline() as pipe:
            replies = collect(pipe, count, writes=writes)
        assert len([reply.result() for reply in replies]) == count

    async def idle(self, url: str, count: int) -> object:
        clients = [await self.open(url) for _ in range(count)]
        for client in clients:
            await client.ping()
        return clients


class AsyncOurWords(AsyncOurs):
    """The same client by words: what the methods cost, or spare."""

    def command(self, client: Any, *words: str) -> Callable[[], Awaitable[object]]:
        return self.words(client, *words)

    async def pipeline(self, client: Any, count: int, *, writes: bool = False) -> None:
        async with client.pipeline() as pipe:
            replies = collect_words(pipe, count, writes=writes)
        assert len([reply.result() for reply in replies]) == count


class AsyncOurConnection(AsyncOurs):
    """One connection for all tasks, which ends when it ends."""

    kind = "connect"


class AsyncOurPool(AsyncOurs):
    """A pool: a connection for each command in flight, and not many of them."""

    kind = "Pool"
    options: ClassVar = {"max_size": POOL}


ASYNC_PEERS: Final[dict[str, type[AsyncPeer]]] = {
    "asyncio floor": AsyncFloor,
    "asyncio floor, pooled": AsyncFloorPool,
    "asyncio redis-py": AsyncRedisPyPure,
    "asyncio redis-py+hiredis": AsyncRedisPy,
    "asyncio valkey-glide": Glide,
    "asyncio resp-sansio": AsyncOurs,
    "asyncio resp-sansio words": AsyncOurWords,
    "asyncio resp-sansio Connection": AsyncOurConnection,
    "asyncio resp-sansio Pool": AsyncOurPool,
}

"""resp_sync as if it were asynchronous: each call that blocks runs on a thread of its own, and is awaited under asyncio.

A call that is to be cancelled runs on the main thread instead, one at a time: only there can a signal strike it. A
`KeyboardInterrupt` is to a thread what cancelling is to a task.
"""

from __future__ import annotations

import asyncio
import contextvars
import signal
import sys
import threading
from concurrent.futures import Future
from contextlib import asynccontextmanager
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Self
from weakref import WeakSet

import resp_sync
from resp_sansio import commands

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine

__all__ = ["Connecting", "Entering", "Workers", "can_be_struck", "drive", "inline"]

can_be_struck: Final = contextvars.ContextVar("can_be_struck", default=False)
"""Is the running task one that is to be cancelled?"""


TYPED: Final = {*dir(commands)} - {"text"}

MAIN: Final = threading.main_thread().ident or 0


async def main_thread_waits() -> None:
    """Return when the main thread waits for something.

    An interrupt between the moving of bytes and their being accounted for ends a connection: that has tests of its own.
    """
    before = None
    for _ in range(20):
        frame = sys._current_frames()[MAIN]
        place = id(frame), frame.f_lasti
        if place == before:
            return
        before = place
        await asyncio.sleep(0.005)


class Job:
    """A call that blocks, on its way to a thread and back."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.done: Future[Any] = Future()
        self.running = False
        self.struck = False
        self._call = call

    def run(self) -> None:
        try:
            self.running = True
            if self.struck:
                raise KeyboardInterrupt
            result = self._call()
            self.running = False
        except BaseException as error:  # noqa: BLE001 (raised where it is awaited)
            self.running = False
            self.done.set_exception(error)
        else:
            self.done.set_result(result)


class Workers:
    """Who makes the calls that block."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._job: Job | None = None
        self._to_strike: WeakSet[asyncio.Task[Any]] = WeakSet()

    async def call(self, function: Callable[..., Any], /, *args: Any, **options: Any) -> Any:
        """Call what blocks, and wait for it. What is cancelled too late has its result, and the next call is cancelled instead."""
        task = asyncio.current_task()
        assert task is not None
        if task in self._to_strike:
            self._to_strike.remove(task)
            raise asyncio.CancelledError
        job = Job(partial(function, *args, **options))
        if can_be_struck.get():
            self._jobs.put(job)
        else:
            threading.Thread(target=job.run, daemon=True).start()
        waiting = asyncio.wrap_future(job.done)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            if can_be_struck.get():
                await main_thread_waits()
                job.struck = True
                signal.pthread_kill(MAIN, signal.SIGUSR1)
                await asyncio.wait([waiting])
                if not isinstance(waiting.exception(), KeyboardInterrupt):  # it had ended before it was struck
                    self._to_strike.add(task)
                    return waiting.result()
            raise

    def blocking(self, function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        """The same as a function: the thread that calls it waits for the coroutine, which runs here and calls on other threads."""
        loop = asyncio.get_running_loop()

        def wait(*args: Any) -> Any:
            running = asyncio.run_coroutine_threadsafe(function(*args), loop)
            try:
                return running.result()
            except BaseException:
                running.cancel()
                raise

        return wait

    def serve(self, test: Callable[[], None]) -> None:
        """On the main thread: make the calls that are to be struck, while a test runs elsewhere."""
        before = signal.signal(signal.SIGUSR1, self._strike)
        try:
            running = Job(test)
            running.done.add_done_callback(lambda _: self._jobs.put(None))
            threading.Thread(target=running.run, daemon=True).start()
            while (job := self._jobs.get()) is not None:
                self._job = job
                job.run()
            self._job = None
            running.done.result()
        finally:
            signal.signal(signal.SIGUSR1, before)

    def _strike(self, *_: object) -> None:
        if self._job is not None and self._job.running:
            raise KeyboardInterrupt


class Inline:
    """The thread that drives a conversation of many calls makes them itself: see `drive`."""

    async def call(self, function: Callable[..., Any], /, *args: Any, **options: Any) -> Any:
        return function(*args, **options)

    def blocking(self, function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        return lambda *args: drive(function(*args))


def drive(conversation: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that waits for nothing but calls that are `Inline`: as if it were a function that blocks."""
    try:
        conversation.send(None)
    except StopIteration as done:
        return done.value
    finally:
        conversation.close()
    raise AssertionError("it waits for something else than a call")


class Connecting:
    """Stands for `connect(url, **options)`: `async with` opens and closes."""

    def __init__(self, workers: Workers | Inline, url: str, options: dict[str, Any]) -> None:
        self._workers = workers
        self._connect = partial(resp_sync.connect, url, **options)

    async def __aenter__(self) -> Connection:
        self._connection = Connection(self._workers, await self._workers.call(self._connect))
        return self._connection

    async def __aexit__(self, *exception: object) -> None:
        await self._connection.close()


class Entering:
    """Stands for `resp_sync.Pool(url, **options)` and `resp_sync.Client(...)`: `async with` opens and closes."""

    def __init__(self, workers: Workers | Inline, blocking: Any) -> None:
        self._workers = workers
        self._blocking = blocking

    async def __aenter__(self) -> Lending:
        return Lending(self._workers, await self._workers.call(self._blocking.__enter__))

    async def __aexit__(self, *exception: object) -> None:
        await self._workers.call(self._blocking.__exit__, *exception)


class Typed:
    """Stands for a view of a client: data comes as it is asked for."""

    def __init__(self, workers: Workers | Inline, blocking: Any) -> None:
        self._workers = workers
        self._blocking = blocking

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._blocking, name)
        stands = {"subscribe": Messages, "consume": Consuming, "consume_list": Consuming, "monitor": Monitor}.get(name)
        if stands is not None:
            return lambda *args, **options: stands(self._workers, found(*args, **options))
        return scanning(self._workers, found) if name.endswith("scan_iter") else partial(self._workers.call, found)


class Commands:
    """Stands for a `resp_sync.Commands`."""

    def __init__(self, workers: Workers | Inline, blocking: Any) -> None:
        self._workers = workers
        self._blocking = blocking
        self.execute = partial(workers.call, blocking.execute)
        self.run = partial(workers.call, blocking.run)
        self.across_slots = partial(workers.call, blocking.across_slots)
        self.write_value = partial(workers.call, blocking.write_value)
        if hasattr(blocking, "close"):
            self.close = partial(workers.call, blocking.close)

    def __getattr__(self, name: str) -> Any:
        """A typed method is a call; anything else is what the one that blocks has."""
        found = getattr(self._blocking, name)
        if name in ("raw", "text"):
            return Typed(self._workers, found)
        if name.endswith("scan_iter"):
            return scanning(self._workers, found)
        return partial(self._workers.call, found) if name in TYPED else found

    def __repr__(self) -> str:
        return repr(self._blocking)

    @property
    def closed(self) -> bool:
        return bool(self._blocking.closed)

    @property
    def protocol(self) -> int:
        return int(self._blocking.protocol)

    @property
    def server(self) -> Any:
        return self._blocking.server

    def subscribe(self, *channels: Any, **options: Any) -> Messages:
        return Messages(self._workers, self._blocking.subscribe(*channels, **options))

    def pipeline(self, **options: Any) -> Pipeline:
        return Pipeline(self._workers, self._blocking.pipeline(**options))

    def transaction(self, **options: Any) -> Pipeline:
        return Pipeline(self._workers, self._blocking.transaction(**options))

    def read_value(self, *args: Any, **options: Any) -> Reading:
        return Reading(self._workers, self._blocking.read_value(*args, **options))

    def consume(self, *streams: Any, **options: Any) -> Consuming:
        return Consuming(self._workers, self._blocking.consume(*streams, **options))

    def consume_list(self, *names: Any, **options: Any) -> Consuming:
        return Consuming(self._workers, self._blocking.consume_list(*names, **options))

    def monitor(self) -> Monitor:
        return Monitor(self._workers, self._blocking.monitor())

    async def transact(self, update: Callable[[Any], Coroutine[Any, Any, Any]], *keys: Any, **options: Any) -> Any:
        blocking_update = self._workers.blocking(
            lambda transaction: update(WatchedTransaction(self._workers, transaction))
        )
        return await self._workers.call(self._blocking.transact, blocking_update, *keys, **options)


class Messages:
    """Stands for a `resp_sync.Messages`."""

    def __init__(self, workers: Workers | Inline, blocking: Any) -> None:
        self._workers = workers
        self._blocking = blocking
        for name in ("next", "next_batch", "subscribe", "unsubscribe"):
            setattr(self, name, partial(workers.call, getattr(blocking, name)))

    async def __aenter__(self) -> Self:
        await self._workers.call(self._blocking.__enter__)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._workers.call(self._blocking.__exit__, *exception)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        return await self._workers.call(self._blocking.__next__)

    def __repr__(self) -> str:
        return repr(self._blocking)

    @property
    def lost(self) -> bool:
        return bool(self._blocking.lost)


class Connection(Commands):
    """Stands for a `resp_sync.Connection`."""

    def __init__(self, workers: Workers | Inline, blocking: resp_sync.Connection) -> None:
        super().__init__(workers, blocking)
        self.next_push = partial(workers.call, blocking.next_push)
        self.stats = blocking.stats


class Lending(Commands):
    """Stands for a `resp_sync.Pool` or `resp_sync.Client`."""

    def __init__(self, workers: Workers | Inline, blocking: Any) -> None:
        super().__init__(workers, blocking)
        self.stats = blocking.stats

    @asynccontextmanager
    async def acquire(self, **options: Any) -> AsyncGenerator[Connection]:
        if isinstance(options.get("node"), Node):
            options["node"] = options["node"]._blocking
        lent = self._blocking.acquire(**options)
        connection = Connection(self._workers, await self._workers.call(lent.__enter__))
        try:
            yield connection
        finally:
            await self._workers.call(lent.__exit__, *sys.exc_info())

    async def nodes(self, **options: Any) -> list[Lending]:
        return [Node(self._workers, node) for node in await self._workers.call(self._blocking.nodes, **options)]

    def node(self, address: Any) -> Lending:
        return Node(self._workers, self._blocking.node(address))


class Node(Lending):
    """Stands for a `resp_sync.Node`."""

    def __init__(self, workers: Workers | Inline, blocking: Any) -> None:
        Commands.__init__(self, workers, blocking)


class Pipeline:
    """Stands for a `resp_sync.Pipeline`."""

    def __init__(self, workers: Workers | Inline, blocking: resp_sync.Pipeline) -> None:
        self._blocking = blocking
        self._workers = workers
        self.execute = blocking.execute
        self.run = partial(workers.call, blocking.run)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blocking, name)

    async def __aenter__(self) -> Self:
        self._blocking.__enter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._workers.call(self._blocking.__exit__, *exception)

    def __len__(self) -> int:
        return len(self._blocking)

    def __repr__(self) -> str:
        return repr(self._blocking)

    @property
    def replies(self) -> Any:
        return self._blocking.replies


class Reading:
    """Stands for what `read_value` returns, and for the `resp_sync.ValueStream` that this gives."""

    def __init__(self, workers: Workers | Inline, blocking: Any) -> None:
        self._workers = workers
        self._block = blocking

    async def __aenter__(self) -> Self:
        self._blocking = await self._workers.call(self._block.__enter__)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._workers.call(self._block.__exit__, *exception)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blocking, name)

    def __repr__(self) -> str:
        return repr(self._blocking)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        chunk = await self._workers.call(next, self._blocking, None)
        if chunk is None:
            raise StopAsyncIteration
        return chunk


class Consuming:
    """Stands for a `resp_sync.Consuming`."""

    def __init__(self, workers: Workers | Inline, blocking: Any) -> None:
        self._workers = workers
        self._blocking = blocking
        self.flush = partial(workers.call, blocking.flush)
        self.stop = blocking.stop

    async def __aenter__(self) -> Self:
        await self._workers.call(self._blocking.__enter__)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._workers.call(self._blocking.__exit__, *exception)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        found = await self._workers.call(next, self._blocking, None)
        if found is None:
            raise StopAsyncIteration
        return found


class Monitor:
    """Stands for a `resp_sync.Monitor`."""

    def __init__(self, workers: Workers | Inline, blocking: resp_sync.Monitor) -> None:
        self._workers = workers
        self._blocking = blocking
        self.next = partial(workers.call, blocking.next)

    async def __aenter__(self) -> Self:
        await self._workers.call(self._blocking.__enter__)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._workers.call(self._blocking.__exit__, *exception)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        return await self._workers.call(self._blocking.__next__)


class Scan:
    """Stands for a `resp_sync.Scan`."""

    def __init__(self, workers: Workers | Inline, blocking: Any) -> None:
        self._workers = workers
        self._blocking = blocking
        self.close = partial(workers.call, blocking.close)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blocking, name)

    async def __aenter__(self) -> Self:
        self._blocking.__enter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._workers.call(self._blocking.__exit__, *exception)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        item = await self._workers.call(next, self._blocking, self)  # a future can't raise StopIteration
        if item is self:
            raise StopAsyncIteration
        return item

    async def rest(self) -> list[Any]:
        """Return all that is left, had by one thread."""
        found: list[Any] = await self._workers.call(list, self._blocking)
        return found


def scanning(workers: Workers | Inline, found: Callable[..., Any]) -> Callable[..., Scan]:
    """Return what stands for a method that makes an iteration."""
    return lambda *args, **options: Scan(workers, found(*args, **options))


class WatchedTransaction(Pipeline):
    """Stands for a `resp_sync.WatchedTransaction`."""

    def __init__(self, workers: Workers | Inline, blocking: resp_sync.WatchedTransaction) -> None:
        super().__init__(workers, blocking)
        self.read = partial(workers.call, blocking.read)


def inline(standing: Any) -> Any:
    """Return what stands for the same client, pool or connection where one thread drives the whole conversation."""
    return type(standing)(Inline(), standing._blocking)

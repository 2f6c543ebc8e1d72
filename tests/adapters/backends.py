"""One contract for all adapters: tests written once, as coroutines, and run on each library that there is an adapter for.

A test of the contract takes a `backend` and speaks of nothing but the public surface:

    @contract
    async def test_each_gets_their_own(backend: Backend, server: Server) -> None:
        async with backend.connect(server.url) as connection:
            replies = await backend.together(*[partial(connection.execute, "ECHO", name) for name in "abc"])
        assert replies == [b"a", b"b", b"c"]

A backend is the little that the libraries spell differently: to start calls side by side, to wait, to cancel one. resp_sync
takes part through a facade, by calls in threads; a KeyboardInterrupt stands for cancellation there.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import random
import re
from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pytest
import trio

import resp_asyncio
import resp_sync
import resp_trio
from adapters.facade import Connecting, Entering, Workers, can_be_struck, drive, inline
from adapters.loops import LOOPS, bounded
from adapters.peers import PATIENCE
from resp_sansio import RespError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
    from contextlib import AbstractAsyncContextManager

    from resp_asyncio import Client, Connection, Pool

__all__ = ["BACKENDS", "CANCELLED", "TASKS", "Backend", "Ended", "contract", "contract_of_tasks", "seeded", "told"]

Call: TypeAlias = "Callable[[], Awaitable[Any]]"
CANCELLED: Final = "cancelled"


class Ended:
    """How a call ended that was to be cancelled: CANCELLED, or, if it was faster, what it returned or its `RespError`."""

    outcome: Any = CANCELLED


class Backend(ABC):
    """What a test asks of the library that it runs on."""

    name: str
    many: int = 1000
    """Calls at a time that are no burden."""
    ways_out: tuple[str, ...] = ("timeout", "cancel")
    """How calls that run side by side can be stopped."""
    late: tuple[bool, ...] = (False, True)
    """Is one cancelled as it is about to wait, or also as that has come for which it waits?"""

    @abstractmethod
    def run(self, test: Call) -> None:
        """Run a test, within a bound; what it leaves behind fails it."""

    @abstractmethod
    def connect(self, url: str, **options: Any) -> AbstractAsyncContextManager[Connection]:
        """The adapter's own. All connections have the shape of resp_asyncio's: see contract/test_surface.py."""

    @abstractmethod
    def pool(self, url: str, **options: Any) -> AbstractAsyncContextManager[Pool]:
        """The same."""

    @abstractmethod
    def client(self, url: str, **options: Any) -> AbstractAsyncContextManager[Client]:
        """The same."""

    @abstractmethod
    async def sleep(self, seconds: float) -> None:
        """With 0, the others have their turn."""

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds; the test's own bound applies."""
        while not condition():
            await self.sleep(0.002)

    @abstractmethod
    async def together(self, *calls: Call) -> list[Any]:
        """Start calls together; return what each returned, a `RespError` as a value. Anything else that is raised is raised."""

    @abstractmethod
    def cancelled(self, call: Call) -> AbstractAsyncContextManager[Ended]:
        """Start a call; on leaving the block cancel it, and wait until it has ended."""

    async def cancelled_at(self, call: Call, checkpoint: int, *, late: bool = False) -> bool:
        """Make a call and cancel it at its so-many-th checkpoint; was there one? Where callers are tasks.

        It is about to wait there; or, `late`, that for which it has waited is here.
        """
        steps = Steps(call, checkpoint, late=late)
        async with self.cancelled(lambda: steps):
            await self.until(lambda: steps.ended)
        return steps.reached

    def driven(self, redis: Any, conversation: Callable[[Any], Coroutine[Any, Any, Any]]) -> Call:
        """Return a call that has a whole conversation with a client: with threads, one thread makes all the calls of it."""
        return partial(conversation, redis)


class Steps:
    """A call that cancels itself at its so-many-th checkpoint: as it is about to wait there."""

    def __init__(self, call: Call, checkpoint: int, *, late: bool = False) -> None:
        self.reached = self.ended = False
        self._call = call
        self._left = checkpoint
        self._late = late

    def __await__(self) -> Generator[Any, Any, Any]:
        inner: Any = self._call().__await__()
        step = partial(inner.send, None)
        try:
            while True:
                try:
                    waits = step()
                except StopIteration as done:
                    return done.value
                self._left -= 1
                if not self._left:
                    self.reached = True
                    self._cancel(waits)
                try:
                    step = partial(inner.send, (yield waits))
                except BaseException as error:  # noqa: BLE001  # it is thrown where it belongs
                    step = partial(inner.throw, error)
        finally:
            self.ended = True

    def _cancel(self, waits: Any) -> None:
        try:
            nursery = trio.lowlevel.current_task().parent_nursery
        except RuntimeError:  # it is a task of asyncio
            task = asyncio.current_task()
            assert task is not None
            if self._late and waits is not None:
                waits.add_done_callback(lambda _: task.cancel())  # before the one that wakes it
            else:
                task.cancel()
        else:
            assert nursery is not None
            nursery.cancel_scope.cancel()


async def outcome(call: Call) -> Any:
    try:
        return await call()
    except RespError as error:
        return error


class Asyncio(Backend):
    """asyncio, on whichever event loop."""

    def __init__(self, name: str, new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self.name = name
        self._new_loop = new_loop

    def run(self, test: Call) -> None:
        with asyncio.Runner(loop_factory=self._new_loop) as runner:
            runner.run(bounded(test))

    def connect(self, url: str, **options: Any) -> AbstractAsyncContextManager[Connection]:
        return resp_asyncio.connect(url, **options)

    def pool(self, url: str, **options: Any) -> AbstractAsyncContextManager[Pool]:
        return resp_asyncio.Pool(url, **options)

    def client(self, url: str, **options: Any) -> AbstractAsyncContextManager[Client]:
        return resp_asyncio.Client(url, **options)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def together(self, *calls: Call) -> list[Any]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(outcome(call)) for call in calls]
        return [task.result() for task in tasks]

    @asynccontextmanager
    async def cancelled(self, call: Call) -> AsyncIterator[Ended]:
        ended = Ended()
        task = self._start(outcome(call))
        try:
            yield ended
        finally:
            task.cancel()
            await asyncio.wait([task])
        if not task.cancelled():
            ended.outcome = task.result()

    def _start(self, call: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return asyncio.create_task(call)


class Threads(Asyncio):
    """Calls of resp_sync in threads, awaited under asyncio, which has a thread of its own as well."""

    many = 100
    ways_out = ("timeout",)

    def __init__(self) -> None:
        super().__init__("threads", asyncio.new_event_loop)
        self._workers = Workers()

    def run(self, test: Call) -> None:
        self._workers.serve(lambda: super(Threads, self).run(test))

    def connect(self, url: str, **options: Any) -> AbstractAsyncContextManager[Connection]:
        connecting: Any = Connecting(self._workers, url, options)
        return connecting  # type: ignore[no-any-return]

    def pool(self, url: str, **options: Any) -> AbstractAsyncContextManager[Pool]:
        entering: Any = Entering(self._workers, resp_sync.Pool(url, **options))
        return entering  # type: ignore[no-any-return]

    def client(self, url: str, **options: Any) -> AbstractAsyncContextManager[Client]:
        entering: Any = Entering(self._workers, resp_sync.Client(url, **options))
        return entering  # type: ignore[no-any-return]

    def driven(self, redis: Any, conversation: Callable[[Any], Coroutine[Any, Any, Any]]) -> Call:
        return lambda: self._workers.call(lambda: drive(conversation(inline(redis))))

    def _start(self, call: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        context = contextvars.copy_context()
        context.run(can_be_struck.set, True)
        return asyncio.create_task(call, context=context)


class Trio(Backend):
    """trio."""

    name = "trio"
    late = (False,)  # what has come is had, and the next checkpoint cancels

    def run(self, test: Call) -> None:
        async def bounded() -> None:
            with trio.fail_after(PATIENCE):
                await test()

        trio.run(bounded)

    def connect(self, url: str, **options: Any) -> AbstractAsyncContextManager[Connection]:
        connecting: Any = resp_trio.connect(url, **options)
        return connecting  # type: ignore[no-any-return]

    def pool(self, url: str, **options: Any) -> AbstractAsyncContextManager[Pool]:
        pool: Any = resp_trio.Pool(url, **options)
        return pool  # type: ignore[no-any-return]

    def client(self, url: str, **options: Any) -> AbstractAsyncContextManager[Client]:
        client: Any = resp_trio.Client(url, **options)
        return client  # type: ignore[no-any-return]

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds)

    async def together(self, *calls: Call) -> list[Any]:
        outcomes: list[Any] = [None] * len(calls)

        async def run(index: int, call: Call) -> None:
            outcomes[index] = await outcome(call)

        async with trio.open_nursery() as nursery:
            for index, call in enumerate(calls):
                nursery.start_soon(run, index, call)
        return outcomes

    @asynccontextmanager
    async def cancelled(self, call: Call) -> AsyncIterator[Ended]:
        ended = Ended()

        async def run() -> None:
            ended.outcome = await outcome(call)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(run)
            try:
                yield ended
            finally:
                nursery.cancel_scope.cancel()


TASKS: Final[tuple[Backend, ...]] = (*(Asyncio(name, new_loop) for name, new_loop in LOOPS.items()), Trio())
BACKENDS: Final[tuple[Backend, ...]] = (*TASKS, Threads())


def contract(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test of a coroutine function that takes a `backend`: once for each."""
    return _on(BACKENDS, test)


def contract_of_tasks(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """As `contract`, of what is promised only where callers are tasks of one thread."""
    return _on(TASKS, test)


def _on(backends: tuple[Backend, ...], test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(backend: Backend, **arguments: Any) -> None:
        backend.run(functools.partial(test, backend, **arguments))

    run.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]
    del run.__wrapped__
    parametrize = pytest.mark.parametrize("backend", backends, ids=[backend.name for backend in backends])
    marked: Callable[..., None] = parametrize(run)
    return marked


def told(error: BaseException) -> str:
    """What an error says, without the counts in brackets that may stand at its end."""
    return re.sub(r" \[[^]]*\]$", "", str(error))


def seeded() -> random.Random:
    """Chance, whose seed is told if the test fails."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    return random.Random(seed)

"""What `docs/recipes.md` shows, on a real server: many at once, holders that die, connections that are lost in the middle.

Each test is written once: `everywhere` runs it on the recipes for asyncio, for threads and for trio, as files that were copied.
"""

from __future__ import annotations

import asyncio
import re
import runpy
import threading
import time
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import redis.asyncio
import trio

import redis_py
import resp_asyncio
import resp_sync
import resp_trio
from adapters.loops import bounded
from adapters.peers import Faults, Proxy, run_program
from examples import DOCS, blocks, read
from forms_of_recipes import RECIPES, files
from resp_sansio import ConnectionLostError, RespError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from pathlib import Path

    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")


class Tasks:
    """The recipes for asyncio."""

    suffix = ""
    library: Any = resp_asyncio

    def __repr__(self) -> str:
        return type(self).__name__

    def __getattr__(self, name: str) -> Any:
        """Something of a recipe's."""
        for recipe in RECIPES:
            vars(self).update(runpy.run_path(str(recipe.with_name(f"{recipe.stem}{self.suffix}.py"))))
        return vars(self)[name]

    def running(self) -> AbstractContextManager[object]:
        """A block in which they can be called."""
        return nullcontext()

    def client(self, url: str, **options: Any) -> AbstractAsyncContextManager[Any]:
        """A client."""
        made: AbstractAsyncContextManager[Any] = self.library.Client(url, **options)
        return made

    def block(self, entered: Any) -> Any:
        """A block of a recipe's."""
        return entered

    async def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call what is awaited."""
        return await function(*args, **options)

    def loader(self, load: Callable[[], Awaitable[bytes]]) -> Any:
        """What `cached` is given."""
        return load


class Threads(Tasks):
    """The recipes for threads: each call on a thread of its own."""

    suffix = "_threads"
    library = resp_sync

    @asynccontextmanager
    async def client(self, url: str, **options: Any) -> AsyncIterator[Any]:
        with self.library.Client(url, **options) as client:
            yield client

    def block(self, entered: Any) -> Any:
        return self.entered(entered.__enter__, entered.__exit__)

    @asynccontextmanager
    async def entered(self, enter: Callable[[], Any], leave: Callable[..., Any]) -> AsyncIterator[Any]:
        """A block that is entered and left by these."""
        held = await self.call(enter)
        try:
            yield held
        except BaseException as error:
            if not await self.call(leave, type(error), error, error.__traceback__):
                raise
        else:
            await self.call(leave, None, None, None)

    async def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return await on_a_thread(function, *args, **options)

    def loader(self, load: Callable[[], Awaitable[bytes]]) -> Any:
        loop = asyncio.get_running_loop()
        return lambda: asyncio.run_coroutine_threadsafe(load(), loop).result()  # type: ignore[arg-type]


class OnTrio(Threads):
    """The recipes for trio: each call in a task of one run, which has a thread of its own."""

    suffix = "_trio"
    library = resp_trio
    token: trio.lowlevel.TrioToken

    @contextmanager
    def running(self) -> Iterator[None]:
        begun: Future[tuple[trio.lowlevel.TrioToken, trio.Event]] = Future()

        async def stay() -> None:
            over = trio.Event()
            begun.set_result((trio.lowlevel.current_trio_token(), over))
            await over.wait()

        thread = threading.Thread(target=trio.run, args=(stay,))
        thread.start()
        self.token, over = begun.result()
        try:
            yield
        finally:
            self.token.run_sync_soon(over.set)
            thread.join()

    @asynccontextmanager
    async def client(self, url: str, **options: Any) -> AsyncIterator[Any]:
        opened: Future[tuple[Any, trio.Event]] = Future()

        async def stay() -> None:  # one task enters and leaves
            over = trio.Event()
            async with self.library.Client(url, **options) as client:
                opened.set_result((client, over))
                await over.wait()

        staying = asyncio.create_task(self.call(stay))
        client, over = await asyncio.wrap_future(opened)
        try:
            yield client
        finally:
            self.token.run_sync_soon(over.set)
            await staying

    def block(self, entered: Any) -> Any:
        return self.entered(entered.__aenter__, entered.__aexit__)

    async def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        there = partial(trio.from_thread.run, partial(function, **options), *args, trio_token=self.token)
        return await on_a_thread(there)

    def loader(self, load: Callable[[], Awaitable[bytes]]) -> Any:
        return partial(trio.to_thread.run_sync, super().loader(load))


def everywhere(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test of a coroutine function that takes `recipes`."""
    return _on([Tasks(), Threads(), OnTrio()], test)


def on_asyncio(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """As `everywhere`, of what is of asyncio alone."""
    return _on([Tasks()], test)


def _on(kinds: list[Tasks], test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    def run(recipes: Tasks, server: Server) -> None:
        with recipes.running():
            asyncio.run(bounded(partial(test, recipes, server)))

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    marked: Callable[..., None] = pytest.mark.parametrize("recipes", kinds, ids=repr)(run)
    return marked


async def together(*calls: Callable[[], Coroutine[Any, Any, Any]]) -> list[Any]:
    """Run them at once."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(call()) for call in calls]
    return [task.result() for task in tasks]


async def on_a_thread(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Call it on a thread of its own: those of a pool might all be waiting for one that has none."""
    done: Future[Any] = Future()

    def run() -> None:
        try:
            done.set_result(function(*args, **options))
        except BaseException as error:  # noqa: BLE001 (raised where it is awaited)
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(done)


# -- The files -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("beside", "text"), [each[1:] for each in files()], ids=[each[1].stem for each in files()])
def test_a_recipe_for_threads_or_trio_is_that_for_asyncio(beside: Path, text: str) -> None:
    assert read(beside) == text, "run PYTHONPATH=. python tests/forms_of_recipes.py"


def test_the_page_shows_pieces_of_the_recipes() -> None:
    def lines(text: str) -> str:
        return "\n".join(line.strip() for line in text.strip().splitlines())

    whole = [lines(read(recipe)) for recipe in RECIPES]
    shown = blocks(read(DOCS / "recipes.md"))
    assert len(shown) >= 2 * len(RECIPES)
    assert [block for block in shown if not any(lines(block) in text for text in whole)] == []


@pytest.mark.parametrize("recipe", [*RECIPES, *[each[1] for each in files()]], ids=lambda path: path.stem)
def test_a_recipe_prints_what_it_says(recipe: Path, server: Server) -> None:
    said = re.findall(r"^ *print\(.*\)  # (.*)$", read(recipe), re.MULTILINE)
    assert run_program(recipe, server.url).splitlines() == said


# -- The lock ------------------------------------------------------------------------------------------------------------------


@everywhere
async def test_a_lock_has_one_holder(recipes: Tasks, server: Server) -> None:
    async with recipes.client(server.url) as one, recipes.client(server.url) as other:
        inside: list[int] = []
        most = 0

        async def work(client: Any) -> None:
            nonlocal most
            for _ in range(3):
                async with recipes.block(recipes.lock(client, "lock")):
                    inside.append(1)
                    most = max(most, len(inside))
                    seen = int(server.call("GET", "count") or 0)  # type: ignore[arg-type]
                    await asyncio.sleep(0.001)
                    server.call("SET", "count", seen + 1)
                    inside.pop()

        await together(*[partial(work, client) for client in (one, other) for _ in range(4)])
    assert (most, server.call("GET", "count"), server.call("EXISTS", "lock")) == (1, b"24", 0)


@everywhere
async def test_a_lock_of_a_holder_that_died_is_anothers_when_its_time_is_over(recipes: Tasks, server: Server) -> None:
    async with recipes.client(server.url) as client:
        dead = recipes.block(recipes.lock(client, "lock", seconds=0.2))
        held = await dead.__aenter__()
        began = time.monotonic()
        async with recipes.block(recipes.lock(client, "lock", patience=5.0)):
            assert time.monotonic() - began > 0.1
            assert time.monotonic() > held.until - 0.01
            with pytest.raises(recipes.LockLostError):
                await recipes.call(held.extend)
            with pytest.raises(recipes.LockLostError):
                await dead.__aexit__(None, None, None)
            assert server.call("EXISTS", "lock") == 1  # it is not the dead one's to give back


@everywhere
async def test_a_lock_is_held_for_longer_if_that_is_said(recipes: Tasks, server: Server) -> None:
    async with recipes.client(server.url) as client:
        async with recipes.block(recipes.lock(client, "lock", seconds=0.3)) as held:
            for _ in range(4):
                await asyncio.sleep(0.1)
                await recipes.call(held.extend)
            assert 0.0 < held.until - time.monotonic() <= 0.3
            with pytest.raises(TimeoutError, match="^lock is held by another$"):
                async with recipes.block(recipes.lock(client, "lock", patience=0.0)):
                    pass
        assert server.call("EXISTS", "lock") == 0


@everywhere
async def test_a_lock_whose_work_fails_is_given_back(recipes: Tasks, server: Server) -> None:
    async with recipes.client(server.url) as client:
        with pytest.raises(ZeroDivisionError):
            async with recipes.block(recipes.lock(client, "lock")):
                raise ZeroDivisionError
        assert server.call("EXISTS", "lock") == 0


@everywhere
async def test_a_lock_that_was_taken_by_a_call_whose_reply_was_lost_is_held(recipes: Tasks, server: Server) -> None:
    with Proxy(server.port) as proxy:
        async with recipes.client(proxy.url, protocol=2) as client:
            await recipes.call(client.ping)
            async with recipes.block(recipes.lock(client, "lock", seconds=30.0)):
                pass  # the scripts are known now
            proxy.arm(down=Faults(after=0, once=True))
            async with recipes.block(recipes.lock(client, "lock", seconds=30.0, patience=5.0)):
                assert 29_000 < int(server.call("PTTL", "lock")) <= 30_000  # type: ignore[arg-type]
                proxy.arm(down=Faults(after=0, once=True))
            assert server.call("EXISTS", "lock") == 0  # that reply was lost, too


@everywhere
async def test_while_no_server_answers_there_is_no_lock(recipes: Tasks, server: Server) -> None:
    with Proxy(server.port) as proxy:
        async with recipes.client(proxy.url, protocol=2, timeout=0.5) as client:
            async with recipes.block(recipes.lock(client, "lock", seconds=0.2)) as held:
                proxy.arm(down=Faults(after=0), up=Faults(after=0))
                with pytest.raises(RespError):
                    await recipes.call(held.extend)
            with pytest.raises(RespError):
                async with recipes.block(recipes.lock(client, "lock")):
                    pass
        await asyncio.sleep(0.25)
        assert server.call("EXISTS", "lock") == 0


@on_asyncio
async def test_a_task_that_is_cancelled_as_it_takes_a_lock_leaves_none(recipes: Tasks, server: Server) -> None:
    async with recipes.client(server.url) as client:

        async def hold() -> None:
            async with recipes.lock(client, "lock"):
                await asyncio.sleep(10)

        async with recipes.lock(client, "lock"):
            pass
        for turns in range(12):
            task = asyncio.create_task(hold())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            assert server.call("EXISTS", "lock") == 0, turns


def test_a_task_of_trio_that_is_cancelled_leaves_nothing(server: Server) -> None:
    """Wherever it waits, and where its block ends as it is cancelled."""
    recipes = OnTrio()

    async def hold(client: Any) -> None:
        async with recipes.lock(client, "lock"), recipes.semaphore(client, "sem", 1):
            await recipes.cached(client, "k", load, seconds=30.0)

    async def load() -> bytes:
        await trio.sleep(10)
        return b""

    async def leave(client: Any) -> None:
        with trio.CancelScope() as scope:
            async with recipes.lock(client, "lock"), recipes.semaphore(client, "sem", 1):
                scope.cancel()

    async def main() -> None:
        async with resp_trio.Client(server.url) as client:
            await leave(client)
            assert server.call("EXISTS", "lock", "sem") == 0
            for checkpoints in range(0, 60, 2):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(hold, client)
                    for _ in range(checkpoints):
                        await trio.lowlevel.checkpoint()
                    nursery.cancel_scope.cancel()
                assert server.call("EXISTS", "lock", "sem", "k:loading") == 0, checkpoints

    trio.run(main)


# -- What the page says of redis-py's lock -----------------------------------------------------------------------------------

of_its_version = pytest.mark.skipif(
    redis.__version__ != redis_py.VERSION, reason=f"docs/recipes.md speaks of redis-py {redis_py.VERSION}"
)


@of_its_version
def test_the_lock_of_redis_py_waits_for_itself_when_a_reply_was_lost(server: Server) -> None:
    with Proxy(server.port) as proxy, redis.Redis(host="127.0.0.1", port=proxy.port) as client:
        client.ping()
        proxy.arm(down=Faults(after=0, once=True))
        began = time.monotonic()
        assert client.lock("lock", timeout=0.4).acquire()
        assert time.monotonic() - began > 0.3
        client.delete("lock")
        proxy.arm(down=Faults(after=0, once=True))
        assert not client.lock("lock").acquire(blocking_timeout=0.3)
        assert server.call("TTL", "lock") == -1


@of_its_version
def test_the_lock_of_redis_py_forgets_its_token_when_giving_back_fails(server: Server) -> None:
    with Proxy(server.port) as proxy, redis.Redis.from_url(proxy.url) as client:
        lock = client.lock("lock", timeout=30)
        assert lock.acquire()
        proxy.arm(down=Faults(after=0), up=Faults(after=0))
        with pytest.raises(redis.ConnectionError):
            lock.release()
        proxy.arm()
        with pytest.raises(redis.exceptions.LockError):
            lock.release()
        assert server.call("EXISTS", "lock") == 1


@of_its_version
def test_the_lock_of_redis_py_is_left_by_a_cancelled_task_and_shared_by_two(server: Server) -> None:
    async def left_taken(client: redis.asyncio.Redis, turns: int) -> bool:
        async def hold() -> None:
            async with client.lock(f"lock:{turns}", timeout=30):
                await asyncio.sleep(0.01)  # redis-py may miss that it was cancelled

        task = asyncio.create_task(hold())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await client.ping()
        return server.call("EXISTS", f"lock:{turns}") == 1

    async def main() -> None:
        async with redis.asyncio.Redis.from_url(server.url) as client:
            await client.ping()
            assert any([await left_taken(client, turns) for turns in range(40)])
            lock = client.lock("lock", timeout=0.1)
            await lock.acquire()
            await asyncio.sleep(0.15)
            await asyncio.create_task(lock.acquire())
            await lock.release()
            assert server.call("EXISTS", "lock") == 0

    asyncio.run(main())


# -- The rate limit ------------------------------------------------------------------------------------------------------------


@everywhere
async def test_many_at_once_get_no_more_than_the_rate(recipes: Tasks, server: Server) -> None:
    async with recipes.client(server.url) as client:
        began = time.monotonic()
        made = 0

        async def ask() -> None:
            nonlocal made
            for _ in range(10):
                wait = await recipes.call(recipes.must_wait, client, "rate", rate=50.0, burst=5)
                made += wait == 0.0
                await asyncio.sleep(0.005)

        await together(*[ask for _ in range(8)])
        most = 5 + 50 * (time.monotonic() - began)
    assert 5 <= made <= most + 1


@everywhere
async def test_a_call_may_be_made_when_it_was_said(recipes: Tasks, server: Server) -> None:
    async with recipes.client(server.url) as client:
        may = partial(recipes.call, recipes.must_wait, client, "rate", rate=10.0, burst=2)
        assert [await may() for _ in range(2)] == [0.0, 0.0]
        wait = await may()
        assert 0.0 < wait <= 0.1
        assert 0 < int(server.call("PTTL", "rate")) <= 200  # type: ignore[arg-type]
        await asyncio.sleep(wait)
        assert await may() == 0.0
        await asyncio.sleep(0.25)
        assert server.call("EXISTS", "rate") == 0
        assert [await may() for _ in range(2)] == [0.0, 0.0]


# -- The semaphore -------------------------------------------------------------------------------------------------------------


@everywhere
async def test_a_semaphore_has_so_many_holders(recipes: Tasks, server: Server) -> None:
    async with recipes.client(server.url) as one, recipes.client(server.url) as other:
        inside: list[int] = []
        most = 0

        async def work(client: Any) -> None:
            nonlocal most
            async with recipes.block(recipes.semaphore(client, "sem", 3)):
                inside.append(1)
                most = max(most, len(inside))
                await asyncio.sleep(0.03)
                inside.pop()

        await together(*[partial(work, client) for client in (one, other) for _ in range(5)])
    assert (most, server.call("EXISTS", "sem")) == (3, 0)


@everywhere
async def test_a_holder_that_died_gives_way_when_its_time_is_over(recipes: Tasks, server: Server) -> None:
    async with recipes.client(server.url) as client:
        dead = recipes.block(recipes.semaphore(client, "sem", 2, seconds=0.2))
        await dead.__aenter__()
        async with recipes.block(recipes.semaphore(client, "sem", 2, seconds=30.0)):
            assert int(server.call("PTTL", "sem")) > 29_000  # type: ignore[arg-type]
            with pytest.raises(TimeoutError, match="^sem is held by 2 others$"):
                async with recipes.block(recipes.semaphore(client, "sem", 2, patience=0.0)):
                    pass
            async with recipes.block(recipes.semaphore(client, "sem", 2, seconds=0.2, patience=5.0)):
                assert int(server.call("PTTL", "sem")) > 29_000  # type: ignore[arg-type]
                await dead.__aexit__(None, None, None)
                assert server.call("ZCARD", "sem") == 2


@everywhere
async def test_a_place_taken_by_a_call_whose_reply_was_lost_is_taken_once(recipes: Tasks, server: Server) -> None:
    with Proxy(server.port) as proxy:
        async with recipes.client(proxy.url, protocol=2) as client:
            async with recipes.block(recipes.semaphore(client, "sem", 1)):
                pass
            proxy.arm(down=Faults(after=0, once=True))
            async with recipes.block(recipes.semaphore(client, "sem", 1, patience=5.0)):
                assert server.call("ZCARD", "sem") == 1
                proxy.arm(down=Faults(after=0, once=True))
            assert server.call("EXISTS", "sem") == 0


# -- The cache -----------------------------------------------------------------------------------------------------------------


@everywhere
async def test_many_that_miss_load_once(recipes: Tasks, server: Server) -> None:
    loads = 0

    async def load() -> bytes:
        nonlocal loads
        loads += 1
        await asyncio.sleep(0.05)
        return b"loaded"

    async with recipes.client(server.url) as client:
        get = partial(recipes.call, recipes.cached, client, "k", recipes.loader(load), seconds=30.0)
        assert await together(*[get for _ in range(8)]) == [b"loaded"] * 8
        assert await get() == b"loaded"
    assert (loads, server.call("EXISTS", "k:loading")) == (1, 0)
    assert 29_000 < int(server.call("PTTL", "k")) <= 30_000  # type: ignore[arg-type]


@everywhere
async def test_a_load_that_fails_is_told_to_its_caller_and_another_loads(recipes: Tasks, server: Server) -> None:
    loads = 0

    async def load() -> bytes:
        nonlocal loads
        loads += 1
        await asyncio.sleep(0.02)
        if loads == 1:
            raise ZeroDivisionError
        return b"loaded"

    async def get(client: Any) -> Any:
        try:
            return await recipes.call(recipes.cached, client, "k", recipes.loader(load), seconds=30.0)
        except ZeroDivisionError as error:
            return error

    async with recipes.client(server.url) as client:
        found = await together(*[partial(get, client) for _ in range(5)])
    assert sorted(map(repr, found)) == ["ZeroDivisionError()", *["b'loaded'"] * 4]
    assert loads == 2


@everywhere
async def test_a_loader_that_died_is_one_no_more_when_its_time_is_over(recipes: Tasks, server: Server) -> None:
    async def load() -> bytes:
        return b"loaded"

    server.call("SET", "k:loading", "the dead one's", "PX", 150)
    async with recipes.client(server.url) as client:
        get = partial(recipes.call, recipes.cached, client, "k", recipes.loader(load), seconds=30.0)
        assert await get() == b"loaded"


@on_asyncio
async def test_what_was_loaded_between_two_looks_is_not_loaded_again(recipes: Tasks, server: Server) -> None:
    async def load() -> bytes:
        return b"loaded again"

    async with recipes.client(server.url) as client:
        look = client.get
        looks = 0

        async def late(key: str) -> bytes | None:
            nonlocal looks
            looks += 1
            found: bytes | None = await look(key)
            if looks == 1:
                server.call("SET", key, "loaded")
            return found

        beside = SimpleNamespace(get=late, set=client.set, run=client.run)
        assert await recipes.cached(beside, "k", load, seconds=30.0) == b"loaded"


@on_asyncio
async def test_a_loader_that_is_cancelled_gives_way(recipes: Tasks, server: Server) -> None:
    loading = asyncio.Event()

    async def load() -> bytes:
        if not loading.is_set():
            loading.set()
            await asyncio.sleep(10)
        return b"loaded"

    async with recipes.client(server.url) as client:
        first = asyncio.create_task(recipes.cached(client, "k", load, seconds=30.0))
        await loading.wait()
        second = asyncio.create_task(recipes.cached(client, "k", load, seconds=30.0))
        await asyncio.sleep(0.01)
        first.cancel()
        assert await second == b"loaded"


@everywhere
async def test_a_cache_that_is_lost_says_so_and_leaves_no_loader(recipes: Tasks, server: Server) -> None:
    async def load() -> bytes:
        return b"loaded"

    with Proxy(server.port) as proxy:
        async with recipes.client(proxy.url, protocol=2) as client:
            get = partial(recipes.call, recipes.cached, client, "k", recipes.loader(load), seconds=30.0)
            await get()
            server.call("DEL", "k")
            for passed in (
                len(b"$-1\r\n"),
                len(b"$-1\r\n+OK\r\n$-1\r\n"),
            ):  # the reply to SET, of the loader and of the value
                proxy.arm(down=Faults(after=passed, once=True))
                with suppress(ConnectionLostError):
                    await get()
                assert server.call("EXISTS", "k:loading") == 0
                server.call("DEL", "k")
            assert await get() == b"loaded"

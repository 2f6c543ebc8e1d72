"""The contract when servers are away, full or wrong ones: how often they are dialled, what callers are told, who tries again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from adapters.backends import Backend, contract, contract_of_tasks
from adapters.peers import Peer, Wire, run_program
from resp_sansio import CommandTimeoutError, ConnectError, ReplyError, RespError, Retry

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from servers import Server

on_both = pytest.mark.parametrize("strategy", ["client", "pool"])
CALLERS: Final = 100


def opened(backend: Backend, strategy: str, url: str, **options: Any) -> AbstractAsyncContextManager[Any]:
    return backend.client(url, **options) if strategy == "client" else backend.pool(url, **options)


async def insist(backend: Backend, call: Callable[[], Any], kinds: set[type[RespError]]) -> None:
    """Call again and again for half a second, whatever it says."""
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        try:
            await call()
        except RespError as error:
            kinds.add(type(error))
        await backend.sleep(0.001)


# -- One pace ---------------------------------------------------------------------------------------------------------------------


@on_both
@contract
async def test_a_server_that_refuses_is_dialled_by_all_callers_at_one_pace(backend: Backend, strategy: str) -> None:
    """Each dial answers all who wait; 100 callers made 2,800 a second."""

    def refuse(wire: Wire) -> None:
        wire.send(b"-ERR max number of clients reached\r\n")

    kinds: set[type[RespError]] = set()
    with Peer(refuse) as peer:
        async with opened(backend, strategy, peer.url, timeout=0.3) as asked:
            await backend.together(*[partial(insist, backend, partial(asked.execute, "PING"), kinds)] * CALLERS)
        assert 0 < peer.connections <= 40
    assert kinds <= {ConnectError, CommandTimeoutError}


@on_both
@contract
async def test_a_replica_is_left_for_new_connections_at_one_pace(backend: Backend, strategy: str) -> None:
    """Each error says so of the same server: connections to it that turn out no better are made ever more rarely."""

    def refuse(wire: Wire) -> None:
        wire.welcome()
        for _ in wire.commands():
            wire.send(b"-READONLY You can't write against a read only replica.\r\n")

    kinds: set[type[RespError]] = set()
    with Peer(refuse) as peer:
        async with opened(backend, strategy, peer.url, timeout=0.3) as asked:
            await backend.together(*[partial(insist, backend, partial(asked.execute, "SET", "k", "v"), kinds)] * 20)
        assert 0 < peer.connections <= 60
    assert kinds <= {ReplyError, CommandTimeoutError}


@contract
async def test_what_is_kept_warm_is_no_storm(backend: Backend) -> None:
    """The server ends each connection as soon as it is open."""

    def hang_up(wire: Wire) -> None:
        with suppress(AssertionError):  # the pool may be closed amid a dial
            wire.welcome()

    with Peer(hang_up) as peer:
        async with backend.pool(peer.url, min_size=1):
            await backend.sleep(0.5)
        assert 0 < peer.connections <= 40


# -- What callers are told --------------------------------------------------------------------------------------------------------


async def borrow(asked: Any) -> None:
    async with asked.acquire():
        pass


async def pipe(asked: Any) -> None:
    async with asked.pipeline() as pipeline:
        pipeline.execute("ECHO", "x")


async def nothing(_: Any) -> None:
    """Decide for no change."""


ASK: Final[dict[str, Callable[[Any], Any]]] = {
    "execute": lambda asked: asked.execute("ECHO", "x"),
    "BLPOP": lambda asked: asked.execute("BLPOP", "list", 0.1, timeout=1.0),
    "pipeline": pipe,
    "acquire": borrow,
    "transact": lambda asked: asked.transact(nothing, "k"),
}


@on_both
@pytest.mark.parametrize("way", ASK)
@contract
async def test_a_caller_whose_time_is_up_is_told_why_the_last_dial_failed(
    backend: Backend, strategy: str, way: str
) -> None:
    def refuse(wire: Wire) -> None:
        wire.send(b"-ERR max number of clients reached\r\n")

    with Peer(refuse) as peer:

        async def call() -> tuple[RespError, int]:
            async with opened(backend, strategy, peer.url, timeout=1.0) as asked:
                with pytest.raises((ConnectError, CommandTimeoutError)) as caught:
                    await ASK[way](asked)
                stats = asked.stats()
                pool = getattr(stats, "leases", stats)
                dialled = stats.lanes[0] if strategy == "client" and way in ("execute", "pipeline") else pool
                return caught.value, dialled.dial_failures

        answers = await backend.together(*[call] * 5)
    refused = [
        error for error, failures in answers if failures > 1
    ]  # on a busy machine, one may be a dial whose time was up
    assert refused
    for error in refused:
        assert "max number of clients" in str(error)
        assert isinstance(error, ConnectError) or "max number of clients" in str(error.__cause__)


# -- Borrowers --------------------------------------------------------------------------------------------------------------------


@on_both
@pytest.mark.parametrize("way", ["execute", "BLPOP", "acquire", "transact"])
@contract
async def test_whoever_needs_a_connection_waits_for_the_server_to_come_back(
    backend: Backend, start_server: Callable[..., Server], strategy: str, way: str
) -> None:
    server = start_server()

    async def call(asked: Any) -> Any:
        if way == "execute":
            return await asked.execute("ECHO", "mine")
        if way == "BLPOP":
            return await asked.execute("BLPOP", "list", 10)
        if way == "acquire":
            async with asked.acquire() as connection:
                return await connection.execute("ECHO", "mine")

        async def update(transaction: Any) -> Any:
            return transaction.execute("ECHO", "mine")

        return (await asked.transact(update, "k")).result()

    def start() -> None:
        time.sleep(0.3)
        server.start()
        server.call("RPUSH", "list", "mine")

    patient = Retry(attempts=1000)  # a busy machine takes long to start a server
    async with opened(backend, strategy, server.url, timeout=20, retry=patient) as asked:
        server.kill()
        starting = threading.Thread(target=start)
        starting.start()
        try:
            reply = await call(asked)
        finally:
            starting.join()
    assert reply == [b"list", b"mine"] if way == "BLPOP" else reply == b"mine"


@on_both
@pytest.mark.parametrize("way", ["acquire", "transact"])
@contract
async def test_no_connection_is_lent_that_the_server_has_closed(
    backend: Backend, server: Server, strategy: str, way: str
) -> None:
    async def add(transaction: Any) -> Any:
        return transaction.execute("INCR", "n")

    async with opened(backend, strategy, server.url) as asked:
        for turn in range(10):
            async with asked.acquire() as connection:  # and it is idle then
                await connection.execute("PING")
            server.call("CLIENT", "KILL", "TYPE", "normal")  # all in one turn: what has come was read by none
            if way == "transact":
                assert (await asked.transact(add, "k")).result() == turn + 1
                continue
            async with asked.acquire() as connection:
                assert await connection.execute("INCR", "n") == turn + 1


@on_both
@contract
async def test_a_borrower_whose_time_is_up_counts_as_refused(backend: Backend, server: Server, strategy: str) -> None:
    limit = {"max_connections": 2} if strategy == "client" else {"max_size": 1}  # a lane and one to lend
    async with opened(backend, strategy, server.url, **limit) as asked, asked.acquire():
        with pytest.raises(CommandTimeoutError):
            async with asked.acquire(timeout=0.02):
                pass
        with pytest.raises(CommandTimeoutError):
            await asked.execute("BLPOP", "nothing", 0.01, timeout=0.02)
        stats = asked.stats()
        pool = getattr(stats, "leases", stats)
        assert (pool.granted, pool.refused, pool.withdrawn, pool.waiting) == (1, 2, 0, 0)


# -- Reports ----------------------------------------------------------------------------------------------------------------------


@on_both
@contract_of_tasks  # in threads the borrower stands behind the facade: see sync/test_pool.py
async def test_a_report_of_a_leak_ends_where_the_borrower_stands(
    backend: Backend, server: Server, strategy: str
) -> None:
    async with opened(backend, strategy, server.url, leak_after=0.02) as asked:
        with pytest.warns(ResourceWarning, match="is out for long") as warned:
            async with asked.acquire():
                await backend.until(lambda: bool(warned.list))
    *_, place, line = str(warned.list[0].message).rstrip().splitlines()
    assert __file__ in place
    assert "asked.acquire()" in line


@pytest.mark.parametrize("adapter", ["asyncio", "trio", "sync"])
def test_a_report_of_a_leak_harms_none_where_warnings_are_errors(server: Server, adapter: str) -> None:
    program = """
    import asyncio, sys, time, trio
    import resp_asyncio, resp_sync, resp_trio

    url, adapter = sys.argv[1:]

    async def main(library, sleep):
        async with library.Pool(url, max_size=2, leak_after=0.02) as pool:
            async with pool.acquire() as connection:
                for _ in range(10):
                    await sleep(0.02)
                    print(await connection.execute("PING"), await pool.execute("PING"))

    def in_threads():
        with resp_sync.Pool(url, max_size=2, leak_after=0.02) as pool:
            with pool.acquire() as connection:
                for _ in range(10):
                    time.sleep(0.02)
                    print(connection.execute("PING"), pool.execute("PING"))

    sys.excepthook = lambda kind, *_: print("told:", kind.__name__)
    if adapter == "asyncio":
        asyncio.run(main(resp_asyncio, asyncio.sleep))
    elif adapter == "sync":
        in_threads()
    else:
        trio.run(main, resp_trio, trio.sleep)
    """
    printed = run_program(program, server.url, adapter).splitlines()
    assert printed.count("PONG PONG") == 10
    assert printed.count("told: ResourceWarning") == 1
    assert len(printed) == 11


@pytest.mark.parametrize("adapter", ["asyncio", "trio", "sync"])
def test_a_report_of_a_leak_is_in_the_log_where_the_program_asks_for_that(server: Server, adapter: str) -> None:
    """As the page on pools has it: Python ignores such warnings by default."""
    program = """
    import asyncio, logging, sys, time, trio, warnings
    import resp_asyncio, resp_sync, resp_trio

    url, adapter = sys.argv[1:]
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    logging.basicConfig(stream=sys.stdout, format="%(name)s %(levelname)s %(message)s")
    logging.captureWarnings(True)
    warnings.filterwarnings("always", "a connection is out for long", ResourceWarning)

    async def main(library, sleep):
        async with library.Pool(url, leak_after=0.02) as pool, pool.acquire():
            await sleep(0.1)
            await pool.execute("PING")

    def in_threads():
        with resp_sync.Pool(url, leak_after=0.02) as pool, pool.acquire():
            time.sleep(0.2)
            pool.execute("PING")

    if adapter == "asyncio":
        asyncio.run(main(resp_asyncio, asyncio.sleep))
    elif adapter == "sync":
        in_threads()
    else:
        trio.run(main, resp_trio, trio.sleep)
    """
    printed = run_program(program, server.url, adapter)
    assert printed.count("py.warnings WARNING") == 1
    assert "a connection is out for long; it was borrowed here:" in printed

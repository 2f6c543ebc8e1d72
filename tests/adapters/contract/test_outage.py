"""The contract of the worst: a server killed under load, callers torn down in mid-call, forks, and what is thrown away unclosed.

Whatever happens, each call ends in time and knows how; what the server has is what was said to whom; and nothing is left.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import stat
import threading
import time
import warnings
from collections import Counter
from contextlib import AsyncExitStack, suppress
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

import pytest
import trio

import resp_asyncio
import resp_sync
import resp_trio
from adapters.backends import CANCELLED, Backend, contract, contract_of_tasks, seeded
from adapters.loops import everywhere, open_sockets, until
from adapters.peers import PATIENCE, PROGRAMS, eventually, listed, run_program, statistic
from resp_sansio import (
    CloseReason,
    CommandTimeoutError,
    ConnectError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    RespError,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from resp_asyncio import Client, Pool
    from servers import Server

    Asked: TypeAlias = Client | Pool

pytestmark = pytest.mark.usefixtures("nothing_is_left")
on_both = pytest.mark.parametrize("strategy", ["client", "pool"])


def opened(backend: Backend, strategy: str, url: str, **options: Any) -> AbstractAsyncContextManager[Asked]:
    return backend.client(url, **options) if strategy == "client" else backend.pool(url, **options)


# -- The server is killed -------------------------------------------------------------------------------------------------------


class Load:
    """Callers that write tokens of their own into a list, each once, and note what they are told of each."""

    def __init__(self, backend: Backend, asked: Asked, chance: random.Random) -> None:
        self.told: dict[str, Outcome] = {}
        self.acknowledged = 0
        self.kinds: Counter[type[BaseException]] = Counter()
        self.over = False
        self._backend = backend
        self._asked = asked
        self._chance = chance

    async def write(self, name: int) -> None:
        """Write until it is over."""
        turn = 0
        while not self.over:
            turn += 1
            begun = time.monotonic()
            tokens = [f"{name}:{turn}:{part}" for part in range(self._chance.choice([1, 1, 3]))]
            if len(tokens) == 1:
                await self._write_one(tokens[0])
            else:
                await self._write_batch(tokens)
            assert time.monotonic() - begun < 2 + PATIENCE / 2
            await self._backend.sleep(0.002)

    async def read(self) -> None:
        """Read, block and wait for nothing until it is over."""
        while not self.over:
            for call in (
                partial(self._asked.execute, "LLEN", "log", timeout=2),
                partial(self._asked.execute, "BLPOP", "nothing", 0.02, timeout=2),
            ):
                try:
                    await call()
                except RespError as error:
                    self._note(error)
            await self._backend.sleep(0.002)

    def _note(self, error: RespError) -> Outcome:
        self.kinds[type(error)] += 1
        assert isinstance(error, ConnectionLostError | ConnectError | CommandTimeoutError), error
        assert error.outcome is not Outcome.REPLY
        return error.outcome

    async def _write_one(self, token: str) -> None:
        try:
            assert isinstance(await self._asked.execute("RPUSH", "log", token, timeout=2), int)
            self.told[token] = Outcome.REPLY
            self.acknowledged += 1
        except RespError as error:
            self.told[token] = self._note(error)

    async def _write_batch(self, tokens: list[str]) -> None:
        batch = self._asked.pipeline if self._chance.random() < 0.5 else self._asked.transaction
        pipe = batch(timeout=2)
        results = [pipe.execute("RPUSH", "log", token) for token in tokens]
        try:
            await pipe.run()
        except RespError as error:
            self._note(error)
        for token, result in zip(tokens, results, strict=True):
            try:
                assert isinstance(result.result(), int)
                self.told[token] = Outcome.REPLY
            except RespError as error:
                self.told[token] = error.outcome


@on_both
@contract
async def test_a_server_that_is_killed_and_started_again_under_load(
    backend: Backend, start_server: Callable[..., Server], strategy: str
) -> None:
    """It writes down each command before it answers, so what was acknowledged is there, once, and what was not sent is not."""
    server = start_server("--appendonly", "yes", "--appendfsync", "always")

    async with opened(backend, strategy, server.url, timeout=2) as asked:
        load = Load(backend, asked, seeded())

        def pools() -> list[Any]:
            stats: Any = asked.stats()
            return [stats] if strategy == "pool" else [stats.leases, *stats.lanes]

        def failed_dials() -> int:
            return sum(pool.dial_failures for pool in pools())

        def grows(count: Callable[[], int], by: int) -> None:
            before = count()
            eventually(lambda: count() >= before + by)

        def kill_it() -> None:
            for _ in range(3):
                grows(lambda: load.acknowledged, 31)
                server.kill()
                grows(failed_dials, 1)
                server.start()
            grows(lambda: load.acknowledged, 31)

        killer = threading.Thread(target=kill_it)

        async def watch() -> None:
            assert await asked.execute("PING") == "PONG"
            killer.start()
            await backend.until(lambda: not killer.is_alive())
            load.over = True

        await backend.together(*[partial(load.write, name) for name in range(20)], *[load.read] * 4, watch)
        log = await asked.execute("LRANGE", "log", 0, -1, decode=True)
        assert isinstance(log, list)
        written = Counter(map(str, log))
        by_outcome = Counter(load.told.values())
        print(
            by_outcome,
            load.kinds,
            *[(one.created, one.closed, one.dial_failures) for one in pools()],
            asked.stats().retries,
        )
        assert max(written.values()) == 1
        for token, outcome in load.told.items():
            assert outcome is Outcome.MAYBE_EXECUTED or (token in written) == (outcome is Outcome.REPLY), token
        assert written.keys() <= load.told.keys()
        assert by_outcome[Outcome.REPLY] > 90

        assert pools()[-1].closed[CloseReason.LOST] >= 3
        assert not any(pool.waiting for pool in pools())
        assert (
            strategy == "pool" or asked.stats().retries > 0
        )  # those that wait for a pool's dial have not been tried yet
        for pool in pools():
            left = pool.size if hasattr(pool, "size") else pool.connection is not None
            assert pool.created == sum(pool.closed.values()) + left


# -- Callers are torn down ------------------------------------------------------------------------------------------------------


async def ask_for_everything(asked: Asked, name: int) -> None:
    """One caller, who does a little of everything, for ever."""
    while True:
        token = f"{name}"
        assert await asked.execute("ECHO", token, decode=True) == token
        async with asked.pipeline(decode=True) as pipe:
            results = [pipe.execute("ECHO", f"{name}:{part}") for part in range(3)]
        assert [result.result() for result in results] == [f"{name}:{part}" for part in range(3)]
        await asked.execute("BLPOP", f"nothing:{name}", 0.01)
        async with asked.acquire() as connection:
            assert await connection.execute("ECHO", token, decode=True) == token

        async def add(transaction: Any) -> None:
            transaction.execute("SET", f"n:{name}", await transaction.read("INCR", "reads"))

        await asked.transact(add, f"n:{name}")


@on_both
@contract_of_tasks
async def test_callers_torn_down_in_mid_call_leave_nothing(backend: Backend, server: Server, strategy: str) -> None:
    chance = seeded()
    limit: dict[str, Any] = {"max_connections": 6} if strategy == "client" else {"max_size": 5}
    async with opened(backend, strategy, server.url, **limit) as asked:
        for _ in range(8):
            everyone = partial(backend.together, *[partial(ask_for_everything, asked, name) for name in range(30)])
            async with backend.cancelled(everyone) as ended:
                await backend.sleep(chance.choice([0, 0.001, 0.01, 0.05]))
            assert ended.outcome is CANCELLED
            assert await asked.execute("ECHO", "after") == b"after"
            assert await asked.execute("BLPOP", "nothing", 0.01) is None
            stats: Any = asked.stats()
            pool = getattr(stats, "leases", stats)
            assert (pool.leased, pool.waiting) == (0, 0)
            assert pool.most_size <= 5
            assert pool.created == sum(pool.closed.values()) + pool.size
            assert len(listed(server)) <= 6 + 1 + 5  # what was ended is gone, or about to be


@on_both
@contract_of_tasks
async def test_torn_down_with_all_its_callers(
    backend: Backend, server: Server, start_server: Callable[..., Server], strategy: str
) -> None:
    """Wherever it is: nothing is left, and no caller is told what another was to be told."""

    async def live(url: str) -> None:
        async with opened(backend, strategy, url) as asked:
            await backend.together(*[partial(ask_for_everything, asked, name) for name in range(30)])

    for seconds in (0, 0.002, 0.02, 0.05):
        async with backend.cancelled(partial(live, server.url)) as ended:
            await backend.sleep(seconds)
        assert ended.outcome is CANCELLED
    silent = start_server()
    with silent.paused():
        async with backend.cancelled(partial(live, silent.url)) as ended:
            await backend.sleep(0.02)
        assert ended.outcome is CANCELLED


@on_both
@contract
async def test_what_the_block_raises_comes_out_as_it_is(backend: Backend, server: Server, strategy: str) -> None:
    async def fail(*, borrow: bool) -> None:
        async with opened(backend, strategy, server.url) as asked, AsyncExitStack() as borrowed:
            await borrowed.enter_async_context(asked.acquire()) if borrow else await asked.execute("PING")
            raise LookupError("mine")

    for borrow in (False, True):
        with pytest.raises(LookupError, match="mine"):
            await fail(borrow=borrow)


# -- Forks ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", ["asyncio", "uvloop", "trio", "threads"])
@pytest.mark.parametrize("strategy", ["Client", "Pool"])
def test_forks_in_mid_call(server: Server, strategy: str, library: str) -> None:
    """The child begins with nothing, and makes connections of its own; the parent goes on, and neither gets what is the other's."""
    assert run_program(PROGRAMS / "fork_amid_calls.py", library, server.url, strategy) == "b'8'\n"


@pytest.mark.needs("tls")
@pytest.mark.parametrize("library", ["asyncio", "uvloop", "trio", "threads"])
def test_forks_in_mid_call_over_tls(server: Server, library: str) -> None:
    assert server.certificates
    url = f"{server.tls_url}?tls_ca_file={quote(str(server.certificates.ca))}"
    assert run_program(PROGRAMS / "fork_amid_calls.py", library, url, "Client") == "b'8'\n"


@pytest.mark.needs("tls")
@pytest.mark.parametrize("library", ["asyncio", "trio", "threads"])
def test_forks_while_other_threads_shake_hands(server: Server, library: str) -> None:
    """The child shakes hands, too: no lock of OpenSSL's was taken by a thread that it does not have."""
    assert server.certificates
    url = f"{server.tls_url}?tls_ca_file={quote(str(server.certificates.ca))}"
    assert run_program(PROGRAMS / "fork_amid_handshakes.py", library, url) == "each child was answered\n"


def held_by_another(port: int) -> list[socket.socket]:
    """Hold all of this process' sockets that lead to this port, as a child does that C code has forked: it tells Python nothing."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            copy = os.dup(int(name))
        except OSError:
            continue  # the listing's own
        if stat.S_ISSOCK(os.fstat(copy).st_mode):
            one = socket.socket(fileno=copy)
            with suppress(OSError):
                if one.family == socket.AF_INET and one.getpeername()[1] == port:
                    found.append(one)
                    continue
            one.close()
        else:
            os.close(copy)
    return found


@pytest.mark.parametrize("kind", ["client", "pool", "connect"])
@contract
async def test_what_is_given_up_takes_no_element_though_another_holds_the_socket(
    backend: Backend, server: Server, kind: str
) -> None:
    """So its closing alone tells the server nothing."""
    held: list[socket.socket] = []

    async def hold() -> None:
        await backend.until(lambda: statistic(server, "blocked_clients") > 0)
        held.extend(held_by_another(server.port))

    async with getattr(backend, kind)(server.url) as asked:
        late, _ = await backend.together(partial(asked.execute, "BLPOP", "jobs", 0, timeout=0.5), hold)
    assert isinstance(late, CommandTimeoutError)
    assert held
    await backend.until(lambda: statistic(server, "blocked_clients") == 0)
    server.call("RPUSH", "jobs", "precious")
    assert server.call("LRANGE", "jobs", 0, -1) == [b"precious"]
    for one in held:
        one.close()


def shut_transport(connected: socket.socket, last: bytes) -> None:
    transport: Any = SimpleNamespace(get_extra_info=lambda _: connected)
    resp_asyncio._transport._shut_down(transport, last)


@pytest.mark.parametrize(
    "shut",
    [resp_sync._transport.shut_down, resp_trio._transport.shut, shut_transport],
    ids=["threads", "trio", "asyncio"],
)
def test_a_socket_that_takes_no_more_is_shut_down_all_the_same(shut: Callable[[socket.socket, bytes], None]) -> None:
    """The child of a fork holds it, too, and would keep it open."""
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.dup():
        ours.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                ours.send(bytes(65536))
        shut(ours, b"the last words")
        theirs.settimeout(5)
        while theirs.recv(65536):
            pass


# -- Thrown away ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["Client", "Pool"])
@everywhere
async def test_what_is_thrown_away_open_warns_and_lets_its_sockets_go(server: Server, strategy: str) -> None:
    """(trio has none: there a block owns them.)"""
    before = open_sockets()
    asked = getattr(resp_asyncio, strategy)(server.url)
    await asked.execute("PING")
    await asked.execute("BLPOP", "nothing", 0.01)
    with pytest.warns(ResourceWarning, match="<(Connection|Client|Pool) to .*> was not closed"):  # noqa: PT031
        del asked
        gc.collect()
    await until(lambda: open_sockets() <= before)


@pytest.mark.parametrize("strategy", ["Client", "Pool"])
def test_what_threads_throw_away_open_warns_as_well(server: Server, strategy: str) -> None:
    before = open_sockets()
    asked = getattr(resp_sync, strategy)(server.url)
    asked.execute("PING")
    asked.execute("BLPOP", "nothing", 0.01)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del asked
        gc.collect()
        assert [warning for warning in caught if f"<{strategy} to " in str(warning.message)]
        caught.clear()  # a warning holds what it is about
    gc.collect()
    assert open_sockets() <= before


@on_both
@contract
async def test_what_was_closed_does_not_warn(backend: Backend, server: Server, strategy: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with opened(backend, strategy, server.url) as asked:
            await asked.execute("PING")
            await asked.execute("BLPOP", "nothing", 0.01)
            async with backend.cancelled(partial(asked.execute, "BLPOP", "nothing", 0)):
                await backend.sleep(0.01)
        del asked
        gc.collect()


# -- In the wrong place -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["Client", "Pool"])
def test_in_another_event_loop_it_says_so(server: Server, strategy: str) -> None:
    async def elsewhere(asked: Asked) -> None:
        for call in (partial(asked.execute, "PING"), partial(asked.execute, "BLPOP", "nothing", 1)):
            with pytest.raises(LocalProtocolError, match="event loop") as refused:
                await call()
            assert refused.value.outcome is Outcome.NOT_SENT

    async def main() -> None:
        async with getattr(resp_asyncio, strategy)(server.url) as asked:
            await asked.execute("PING")
            await asked.execute("BLPOP", "nothing", 0.01)
            await asyncio.to_thread(asyncio.run, elsewhere(asked))
            assert await asked.execute("PING") == "PONG"

    asyncio.run(main())


@pytest.mark.parametrize("strategy", ["Client", "Pool"])
def test_in_another_run_of_trio_or_outside_of_its_block_it_says_so(server: Server, strategy: str) -> None:
    async def elsewhere(asked: Any) -> None:
        for call in (partial(asked.execute, "PING"), partial(asked.execute, "BLPOP", "nothing", 1)):
            with pytest.raises(LocalProtocolError) as refused:
                await call()
            assert refused.value.outcome is Outcome.NOT_SENT

    async def main() -> None:
        unopened = getattr(resp_trio, strategy)(server.url)
        await elsewhere(unopened)
        async with unopened as asked:
            await asked.execute("PING")
            await asked.execute("BLPOP", "nothing", 0.01)
            await trio.to_thread.run_sync(trio.run, elsewhere, asked)
            assert await asked.execute("PING") == "PONG"

    trio.run(main)

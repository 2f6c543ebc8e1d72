"""The contract of conversations: lost, given up, cancelled, or their server restarted anywhere, they tell the truth.

They are cancelled at each checkpoint, and for the rest it is at each step. A step is a request on its way to the server, or a reply
or push on its way back: the proxy counts them, and a test goes on by one until the conversation runs through. After each, what the
caller was told is true of what the server holds, nothing is left there or here, and the client works.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from random import Random
from threading import Timer
from typing import TYPE_CHECKING, Any, Final, Literal

import pytest

from adapters.backends import CANCELLED, Backend, contract, contract_of_tasks, outcome
from adapters.conversations import CONVERSATIONS, Conversation
from adapters.peers import Faults, Proxy, Restarting
from resp_sansio import ConnectionClosedError, ConnectionLostError, Retry
from servers import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytestmark = pytest.mark.usefixtures("nothing_is_left")

WAYS: Final = pytest.mark.parametrize("way", ["up", "down"])
SOON: Final = Retry(base=0.001, cap=0.01, attempts=1000)  # for as long as a server takes to start


@pytest.fixture(scope="module")
def restarting() -> Iterator[Restarting]:
    with Server(*Restarting.OPTIONS) as server:
        yield Restarting(server)


@asynccontextmanager
async def had(backend: Backend, conversation: Conversation, kind: str, url: str, **given: Any) -> AsyncIterator[Any]:
    """A client that is ready for it. Behind the block: nothing is left, and the client, if it outlives a connection, works."""
    conversation.said("FLUSHALL")
    conversation.prepare()
    options = {"lib_name": None, **conversation.options, **given}
    if kind != "connect":
        options["retry"] = SOON
    async with getattr(backend, kind)(url, **options) as redis:
        await redis.ping()
        await backend.driven(redis, conversation.begin)()
        yield redis
        if kind != "connect":
            await redis.ping()
        if not redis.closed:
            try:
                await backend.driven(redis, conversation.go_on)()
            except (ConnectionLostError, ConnectionClosedError):
                if kind != "connect":  # which may be lost by what comes behind the conversation's end
                    raise
        if kind != "connect":
            # Of threads, one that waits for a reply reads what others have left: here, what a queue acknowledged as it ended.
            while not nothing_is_lent(redis, kind):
                await (backend.sleep(0.002) if redis.closed else redis.ping())
        await backend.until(conversation.nothing_is_left)


def nothing_is_lent(redis: Any, kind: str) -> bool:
    stats = redis.stats() if kind == "pool" else redis.stats().leases
    return bool((stats.leased, stats.waiting) == (0, 0))


def judge(told: Any, kind: str, end: BaseException | None, *, struck: bool) -> None:
    """Is its end the truth? One that was spared goes well, and so does one of a kind that survives."""
    told.check(end)
    assert struck or end is None
    if kind in told.survives:
        assert end is None


@WAYS
@CONVERSATIONS
@contract
async def test_lost_at_each_step_it_tells_the_truth(
    backend: Backend, server: Server, conversation: type[Conversation], way: str
) -> None:
    with Proxy(server.port, counts=True) as proxy:
        for kinds in (conversation.kinds[:1], conversation.kinds[1:]):
            step, struck = 0, True
            while struck:
                told, kind = conversation(backend, server), kinds[step % len(kinds)]
                async with had(backend, told, kind, proxy.url) as redis:
                    then: Literal["reset", "close"] = "reset" if step % 2 else "close"
                    faults = Faults(values=step, then=then, once=True, first=told.meanwhile)
                    proxy.arm(**{way: faults})
                    end = await outcome(backend.driven(redis, told.talk))
                    struck = proxy.struck
                    proxy.arm()
                    judge(told, kind, end, struck=struck)
                step += 1
            assert step > 1


@WAYS
@CONVERSATIONS
@contract
async def test_given_up_at_each_step_it_tells_the_truth(
    backend: Backend, server: Server, conversation: type[Conversation], way: str
) -> None:
    """While the network stands still there: it ends at once, and does not wait for that to end."""
    with Proxy(server.port, counts=True) as proxy:
        step, struck = 0, True
        while struck:
            told = conversation(backend, server)
            kind = told.kinds[step % len(told.kinds)]
            async with had(backend, told, kind, proxy.url, timeout=None, silence_timeout=None) as redis:
                proxy.arm(**{way: Faults(values=step, then="stall")})
                over: list[object] = []

                async def talk(told: Conversation = told, redis: Any = redis, over: list[object] = over) -> None:
                    await backend.driven(redis, told.talk)()
                    over.append(None)

                def is_reached(over: list[object] = over) -> bool:
                    return bool(proxy.struck or over)

                async with backend.cancelled(talk) as ended:
                    await backend.until(is_reached)
                    struck = proxy.struck
                    if told.gives_back:
                        Timer(0.05, proxy.arm).start()
                proxy.arm()
                await backend.until(lambda: not proxy.holds)
                told.check(ended.outcome)
            step += 1
        assert step > 1


@CONVERSATIONS
@contract_of_tasks
async def test_cancelled_at_each_checkpoint_it_tells_the_truth(
    backend: Backend, server: Server, conversation: type[Conversation]
) -> None:
    for kind in conversation.kinds:
        for late in backend.late:
            checkpoint, reached = 0, True
            while reached:
                checkpoint += 1
                told = conversation(backend, server)
                async with had(backend, told, kind, server.url) as redis:
                    reached = await backend.cancelled_at(partial(told.talk, redis), checkpoint, late=late)
                    if not redis.closed:
                        await redis.ping()
                    told.check(CANCELLED if reached else None)
            assert checkpoint > 1


@WAYS
@CONVERSATIONS
@contract
async def test_the_server_restarted_at_each_step_it_tells_the_truth(
    backend: Backend, restarting: Restarting, conversation: type[Conversation], way: str
) -> None:
    """With all that it had, or with nothing; it is ended, or killed. Which it is, at which step of which kind, is drawn by lot."""
    lot = Random(f"{conversation.__name__} {way} {backend.name}")
    with Proxy(restarting.port, counts=True) as proxy:
        step, struck, kind = 0, True, ""
        while struck or kind != "client":
            told = conversation(backend, restarting)
            kind, forgets = lot.choice(("client", *told.kinds)), not conversation.needs_memory and lot.random() < 0.5
            async with had(backend, told, kind, proxy.url) as redis:
                restarting.arm()
                restart = partial(
                    restarting.restart, lot.choice(("kill", "stop")), forgets=forgets, then=told.meanwhile
                )
                proxy.arm(**{way: Faults(values=step, once=True, first=restart)})
                end = await outcome(backend.driven(redis, told.talk))
                proxy.arm()
                restarting.spare()
                struck = bool(restarting.restarts)
                judge(told, kind, end, struck=struck)
            step += 1
        assert step > 1

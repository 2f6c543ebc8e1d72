"""Histories of resp_sync: threads that take turns, in virtual time, with the world's sockets in place of the operating system's.

A caller that leaves is interrupted, wherever in the adapter or the core it is.
"""

from __future__ import annotations

import select
import socket
import threading
from contextlib import contextmanager
from math import ceil, inf
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final, Self

import resp_sansio
import resp_sync
from simulation.adapters.history import History
from simulation.adapters.on_asyncio import Poll
from simulation.adapters.seams import Instead, exchanged
from simulation.adapters.turns import MOMENTS, Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from resp_sansio.testing import Socket
    from simulation.adapters.conversations import Talker
    from simulation.script import Script

__all__ = ["OnThreads"]

CORE: Final = Path(resp_sansio.__file__).parent
TRACED: Final = (
    str(Path(resp_sync.__file__).parent),
    str(CORE / "client"),
    str(CORE / "connection"),
    str(CORE / "surface"),
)


class BlockingPoll(Poll):
    """What `select.poll` returns. To wait is to let other threads run."""

    _world: OnThreads

    def poll(self, milliseconds: float) -> list[tuple[int, int]]:
        now = super().poll(0)
        if not now and milliseconds > 0:
            self._world.turns.wait(lambda: bool(super(BlockingPoll, self).poll(0)), self._until(milliseconds))
            now = super().poll(0)
        return now

    def _until(self, milliseconds: float) -> float:
        return self._world.clock.now + ceil(milliseconds) / 1000


class Handle:
    """A socket as the adapter has it: closed when it is thrown away, as an interrupt may leave it."""

    def __init__(self, of: Socket) -> None:
        self._of = of

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)

    def __del__(self) -> None:
        self._of.close()


def drive(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end: nothing in it waits but the thread itself."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("a program waited for something that is no call")


class Blocking:
    """An object of resp_sync's, of which what blocks can be awaited: by the thread that does so."""

    def __init__(self, of: Any) -> None:
        self._of = of

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._of, name)
        if name == "nodes":
            return self._awaited(lambda **options: [Blocking(node) for node in found(**options)])
        if name in ("close", "next", "next_push", "transact", "run", "read", "write_value"):
            return self._awaited(found)
        if name == "execute":
            return found if isinstance(self._of, resp_sync.Pipeline) else self._awaited(found)
        if name in ("pipeline", "transaction"):
            return lambda **options: Blocking(found(**options))
        if name in ("acquire", "consume", "consume_list", "read_value", "scan_iter", "subscribe"):
            return lambda *args, **options: Entered(found(*args, **options))
        return found

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self._of)
        except StopIteration:
            raise StopAsyncIteration from None

    @staticmethod
    def _awaited(call: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
        async def awaited(*args: Any, **options: Any) -> Any:
            return call(*args, **options)

        return awaited


class Entered:
    """A context manager of resp_sync's."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    async def __aenter__(self) -> Blocking:
        return Blocking(self._manager.__enter__())

    async def __aexit__(self, *exception: object) -> None:
        self._manager.__exit__(*exception)


class Connected:
    """The same for what `connect` does."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect

    async def __aenter__(self) -> Blocking:
        self._connection = self._connect()
        return Blocking(self._connection)

    async def __aexit__(self, *exception: object) -> None:
        self._connection.close()


class OnThreads(History):
    """A script on resp_sync."""

    module = resp_sync
    keeps_time = in_order = False
    interrupts = True

    def __init__(self, script: Script, trace: list[str] | None = None) -> None:
        super().__init__(script, trace)
        self.turns = Turns(self, Random(script.seed))

    def live_through(self) -> None:
        with self._exchanged():
            main = self.turns.begin(lambda: drive(self.live()))
            self.turns.run()
        for turn in (main, *[caller.handle for caller in self.callers]):
            if turn.failure is not None:
                raise turn.failure
        self.check_end()

    @contextmanager
    def _exchanged(self) -> Iterator[None]:
        turns = self.turns
        lock = turns.lock
        names = {
            "monotonic": turns.time,
            "sleep": lambda seconds: turns.wait(lambda: False, self.clock.now + seconds),
            "random": Random(self.script.seed).random,
            "socket": Instead(socket, socket=lambda *_: Handle(self.socket())),
            "select": Instead(select, poll=lambda: BlockingPoll(self)),
            "threading": Instead(threading, Lock=lock),  # the adapter looks whether gevent has changed it
            "Lock": lock,
            "RLock": turns.rlock,
        }
        with exchanged("resp_sync", names):
            yield

    def make(self) -> Any:
        if self.script.mode == "once":
            return Connected(super().make)
        return Entered(super().make())

    # -- as History has it --------------------------------------------------------------------------------------------------------

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.turns.wait(lambda: False, self.clock.now + seconds)

    def begin(self, caller: Talker) -> None:
        leaves = caller.act.leaves < inf or any(act.kind in ("interrupt", "struck") for act in self.script.acts)
        caller.handle = self.turns.begin(lambda: drive(caller.run()), TRACED if leaves else ())

    def strike(self, caller: Talker) -> None:
        caller.handle.strike(self.random.randint(1, MOMENTS))

    async def at_once(self, calls: list[Callable[[Any], Any]], to: Any) -> None:
        for call in calls:
            await call(to)

    def function(self, update: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda transaction: drive(update(Blocking(transaction)))

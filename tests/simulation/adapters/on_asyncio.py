"""Histories of resp_asyncio: an event loop of the world's, and the world's sockets in place of the operating system's."""

from __future__ import annotations

import asyncio
import select
import socket
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

import resp_asyncio
from resp_sansio.testing import SimulatedLoop
from simulation.adapters.history import History
from simulation.adapters.seams import Instead, exchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulation.adapters.conversations import Talker

__all__ = ["OnAsyncio"]


class Poll:
    """What `select.poll` returns, for sockets of the world's."""

    def __init__(self, world: History) -> None:
        self._world = world
        self._watched: list[tuple[Any, int]] = []

    def register(self, what: Any, events: int) -> None:
        self._watched.append((self._world.find(what) if isinstance(what, int) else what, events))

    def poll(self, _milliseconds: float) -> list[tuple[int, int]]:
        """Return what is ready now."""
        ready = [
            (one.fileno(), (select.POLLIN * one.readable | select.POLLOUT * one.writable) & events)
            for one, events in self._watched
        ]
        return [each for each in ready if each[1]]


class OnAsyncio(History):
    """A script on resp_asyncio."""

    module = resp_asyncio

    def live_through(self) -> None:
        loop = SimulatedLoop(self)
        loop.set_exception_handler(self._failed)
        self.failed: list[dict[str, Any]] = []
        with self._exchanged():
            try:
                loop.run_until_complete(self.live())
                assert not asyncio.all_tasks(loop), f"tasks are left: {asyncio.all_tasks(loop)}"
            finally:
                for task in asyncio.all_tasks(loop):
                    task.cancel()
                loop.run_until_complete(asyncio.sleep(0))
                loop.close()
        for caller in self.callers:
            if not caller.handle.cancelled() and caller.handle.exception() is not None:
                raise caller.handle.exception()
        assert not self.failed, self.failed
        self.check_end()

    def _failed(self, _loop: Any, context: dict[str, Any]) -> None:
        self.failed.append(context)

    @contextmanager
    def _exchanged(self) -> Iterator[None]:
        names = {
            "monotonic": lambda: self.clock.now,
            "random": Random(self.script.seed).random,
            "socket": Instead(socket, socket=lambda *_: self.socket()),
            "select": Instead(select, poll=lambda: Poll(self)),
            "_shut_down": self._shut_down,
            "_last_words": self._last_words,
        }
        with exchanged("resp_asyncio", names):
            yield

    def _shut_down(self, transport: Any, _last: bytes | memoryview = b"") -> None:
        one = self.find(transport.get_extra_info("socket").fileno())
        if one is not None and one.opened:
            one.shutdown(socket.SHUT_RDWR)

    def _last_words(self, transport: Any) -> Iterator[bytes]:
        one = self.find(transport.get_extra_info("socket").fileno())
        while one is not None and one.unread and isinstance(one.unread[0], bytes):
            yield one.recv(1 << 20)

    # -- as History has it --------------------------------------------------------------------------------------------------------

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0))

    def begin(self, caller: Talker) -> None:
        caller.handle = asyncio.get_running_loop().create_task(caller.run())

    def strike(self, caller: Talker) -> None:
        caller.handle.cancel()

    async def at_once(self, calls: list[Callable[[Any], Any]], to: Any) -> None:
        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(call(to))

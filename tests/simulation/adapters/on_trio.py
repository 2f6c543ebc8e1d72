"""Histories of resp_trio: trio's mock clock is the world's, and the world's sockets stand for the operating system's.

trio runs the tasks of a turn in an order of its own, which is drawn from the seed, too.
"""

from __future__ import annotations

import select
import socket
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final

import trio
import trio.testing
from outcome import Error

import resp_trio
from resp_sansio.testing import Clock, Socket
from simulation.adapters.history import History
from simulation.adapters.on_asyncio import Poll
from simulation.adapters.seams import Instead, exchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulation.adapters.conversations import Talker

__all__ = ["OnTrio"]

FOREVER: Final = 1000.0
"""Seconds after which a history is known to wait for something that never happens."""


class TrioClock(Clock):
    """The time of a run of trio's; a task of the world's goes by what is to happen in it."""

    __slots__ = ("_apart", "scope")

    def __init__(self) -> None:
        self.scope: trio.CancelScope | None = None
        self._apart = 0.0
        super().__init__()

    @property
    def now(self) -> float:
        """What trio says, while it runs."""
        return trio.current_time() if self.scope is not None else self._apart

    @now.setter
    def now(self, when: float) -> None:
        """While trio runs, it goes on by itself."""
        self._apart = when

    def at(self, when: float, what: Callable[..., object], *arguments: Any) -> None:
        """As of a clock."""
        super().at(when, what, *arguments)
        if self.scope is not None and self.next < self.scope.deadline:
            self.scope.deadline = self.next

    async def go_by(self, step: Callable[[], object]) -> None:
        """Have happen what is due, for as long as the run lasts."""
        while True:
            with trio.CancelScope(deadline=self.next) as self.scope:
                await trio.sleep_forever()
            if self.next > trio.current_time():
                await trio.lowlevel.checkpoint()  # cancelled from outside
            while self.next <= trio.current_time():
                step()


class Waiting:
    """Tasks that wait for a socket of the world's, as trio has them wait for the system's."""

    def __init__(self) -> None:
        self.tasks: dict[tuple[Socket, str], trio.lowlevel.Task] = {}

    async def wait(self, what: str, one: Socket) -> None:
        """Wait until the socket is `what`. Raises `ClosedResourceError` once it is closed."""
        if one.closed:
            await trio.lowlevel.checkpoint()
            raise trio.ClosedResourceError
        if getattr(one, what):
            await trio.lowlevel.checkpoint()
            return
        assert (one, what) not in self.tasks, "two tasks wait for the same"
        one.on_readable = partial(self.wake, one, "readable")
        one.on_writable = partial(self.wake, one, "writable")
        self.tasks[one, what] = trio.lowlevel.current_task()

        def give_up(_: Any) -> trio.lowlevel.Abort:
            del self.tasks[one, what]
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(give_up)

    def wake(self, one: Socket, what: str) -> None:
        """Something is so now."""
        for kind in ("readable", "writable") if one.reset or one.refused else (what,):
            if (one, kind) in self.tasks and getattr(one, kind):
                trio.lowlevel.reschedule(self.tasks.pop((one, kind)))

    def notify_closing(self, one: Socket) -> None:
        """Those who wait are told to look again."""
        for kind in ("readable", "writable"):
            if (one, kind) in self.tasks:
                trio.lowlevel.reschedule(self.tasks.pop((one, kind)), Error(trio.ClosedResourceError()))

    def of_trio(self, one: Socket) -> Any:
        """What `trio.socket.from_stdlib_socket` returns."""
        return Connecting(self, one)


class Connecting:
    """A socket that is connected by trio."""

    def __init__(self, waiting: Waiting, one: Socket) -> None:
        self._waiting = waiting
        self._socket = one

    async def connect(self, address: Any) -> None:
        """Raises `ConnectionRefusedError`."""
        self._socket.connect_ex(address)
        await self._waiting.wait("writable", self._socket)
        if self._socket.refused:
            raise ConnectionRefusedError(111, "refused")


class OnTrio(History):
    """A script on resp_trio."""

    module = resp_trio
    clock: TrioClock

    def live_through(self) -> None:
        clock = TrioClock()
        self.clock._events, clock._events = clock._events, self.clock._events
        self.keep_time_by(clock)
        core: Any = trio._core._run
        core._ALLOW_DETERMINISTIC_SCHEDULING = True
        core._r.seed(self.script.seed)
        with self._exchanged():
            trio.run(self._main, clock=trio.testing.MockClock(autojump_threshold=0))
        clock.scope = None
        self.check_end()

    @contextmanager
    def _exchanged(self) -> Iterator[None]:
        waiting = Waiting()
        sockets = Instead(trio.socket, from_stdlib_socket=waiting.of_trio)
        names = {
            "random": Random(self.script.seed).random,
            "socket": Instead(socket, socket=lambda *_: self.socket()),
            "select": Instead(select, poll=lambda: Poll(self)),
            "wait_readable": partial(waiting.wait, "readable"),
            "wait_writable": partial(waiting.wait, "writable"),
            "notify_closing": waiting.notify_closing,
            "trio": Instead(trio, socket=sockets),
        }
        with exchanged("resp_trio", names):
            yield

    async def _main(self) -> None:
        async with trio.open_nursery() as self.nursery:
            self.nursery.start_soon(self.clock.go_by, self.step)
            await trio.testing.wait_all_tasks_blocked()
            with trio.fail_after(FOREVER):
                await self.live()
            self.nursery.cancel_scope.cancel()

    # -- as History has it --------------------------------------------------------------------------------------------------------

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(max(seconds, 0.0))

    def begin(self, caller: Talker) -> None:
        caller.handle = trio.CancelScope()
        self.nursery.start_soon(self._runs, caller)

    @staticmethod
    async def _runs(caller: Talker) -> None:
        with caller.handle:
            await caller.run()

    def strike(self, caller: Talker) -> None:
        caller.handle.cancel()

    async def at_once(self, calls: list[Callable[[Any], Any]], to: Any) -> None:
        async with trio.open_nursery() as nursery:
            for call in calls:
                nursery.start_soon(call, to)

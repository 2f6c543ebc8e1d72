"""Drivers of both colours over a stage, where nothing ever waits: a call ends at once, or what strikes its caller does.

So a coroutine is run by one step, and a test for both colours is written once: `Colour` says how each is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import ref

from core.client.stage import Stage
from resp_sansio import Config
from resp_sansio.client import Client as Machine
from resp_sansio.client import Link, Party
from resp_sansio.connection import Slot, SlotState
from resp_sansio.methods import S
from resp_sansio.surface import tasks, threads
from resp_sansio.surface.base import Heardable, Loan
from resp_sansio.surface.machines import Make

__all__ = ["COLOURS", "Colour", "Driver"]


class Driver:
    """What both drivers do."""

    def __init__(self, make: Make, whose: str) -> None:
        self.whose = whose
        self.make = make
        self.stage = Stage()
        self.stage.client = self.machine = make(lambda: 0.5)
        self.strikes: BaseException = AssertionError("a call did not end")  # a caller whose call does not end at once
        self.done: list[str] = []
        self.gone: list[float] = []  # the deadlines of borrowers who have gone
        self.dropped = 0
        self.catches: Callable[[], object] = list  # what comes when it catches up

    def now(self) -> float:
        return self.stage.now

    def ahead(self, slot: Slot, loan: Loan | None = None, /) -> None:
        if loan is None:
            self.stage.submit(slot)
        else:
            self.stage.submit(slot, lease=loan)

    def give_up(self, slot: Slot, /) -> None:
        self.stage.abandon(slot)

    def wait_for_end(self, slot: Slot) -> None:
        if slot not in self.stage.ended:
            self.stage.abandon(slot)
            raise self.strikes

    def release(self, loan: Loan, /) -> None:
        self.done.append("release")
        self.stage.release(loan)

    def change(self, name: str, what: Callable[[Machine, float], object], /) -> None:
        self.done.append(name)
        what(self.machine, self.now())
        self.stage.run()

    def end(self) -> None:
        self.change("end", lambda machine, now: machine.close(now))

    def drop(self) -> None:
        self.dropped += 1

    @property
    def link(self) -> Link:
        """The newest link."""
        return self.stage.link

    def make_call(self, slot: Slot, loan: Loan | None, epoch: int | None) -> None:
        if loan is None:
            self.stage.submit(slot)
        else:
            self.stage.submit(slot, lease=loan, epoch=epoch)
        if slot not in self.stage.ended:
            self.stage.abandon(slot)
            raise self.strikes

    def wait_for_link(self, deadline: float, stack: str | None, at: Any) -> Loan:
        waiter = self.stage.acquire(deadline=deadline, borrower=stack, at=at)
        while waiter.state is SlotState.QUEUED:
            self.stage.pass_time(0.1)  # until another dial is due
        if waiter.lease is None:
            assert waiter.error is not None
            raise waiter.error
        return waiter.lease

    def hear(self, what: Heardable, deadline: float) -> Any:
        listener = self.stage.listen(what, deadline)
        if listener.state is SlotState.QUEUED:
            self.stage.pass_time(deadline - self.now())
        return listener.result()


class TaskDriver(Driver):
    """The driver of tasks."""

    async def call(self, slot: Slot, loan: Loan | None = None, epoch: int | None = None, /) -> None:
        self.make_call(slot, loan, epoch)

    async def finish(self, slot: Slot, /) -> None:
        self.wait_for_end(slot)

    async def acquire(self, deadline: float, borrower: str | None = None, at: Any = None, /) -> Loan:
        return self.wait_for_link(deadline, borrower, at)

    async def listen(self, what: Heardable, deadline: float, /) -> Any:
        return self.hear(what, deadline)

    async def catch_up(self) -> None:
        self.done.append("catch up")
        self.catches()

    async def pause(self, seconds: float, /) -> None:
        self.stage.pass_time(seconds)

    async def open(self) -> None:
        self.change("open", lambda machine, now: machine.open(now))

    async def leave(self) -> None:
        self.done.append("leave")

    async def close(self, deadline: float, /) -> None:
        self.change(f"close {deadline:g}", lambda machine, now: machine.close(now))

    async def checkpoint(self) -> None:
        self.done.append("checkpoint")


class ThreadDriver(Driver):
    """The driver of threads."""

    known: ref[Party] | None  # who asked last

    def call(self, slot: Slot, loan: Loan | None = None, epoch: int | None = None, /) -> None:
        self.make_call(slot, loan, epoch)

    def finish(self, slot: Slot, /) -> None:
        self.wait_for_end(slot)

    def acquire(
        self, deadline: float, stack: str | None = None, borrower: Party | None = None, at: Any = None, /
    ) -> Loan:
        self.known = None if borrower is None else ref(borrower, lambda _: self.gone.append(deadline))
        return self.wait_for_link(deadline, stack, at)

    def listen(self, what: Heardable, deadline: float, /) -> Any:
        return self.hear(what, deadline)

    def catch_up(self) -> None:
        self.done.append("catch up")
        self.catches()

    def pause(self, seconds: float, /) -> None:
        self.stage.pass_time(seconds)

    def open(self) -> None:
        self.change("open", lambda machine, now: machine.open(now))

    def close(self, deadline: float, /) -> None:
        self.change(f"close {deadline:g}", lambda machine, now: machine.close(now))


class TaskConnection(tasks.Connection[S]):
    _driver_type = TaskDriver


class TaskConnecting(tasks.Connecting[TaskConnection[bytes]]):
    _connection_type = TaskConnection


class TaskClient(tasks.Client[TaskConnection[S], S]):
    _connection_type = TaskConnection


class TaskPool(tasks.Pool[TaskConnection[S], S]):
    _connection_type = TaskConnection


class ThreadConnection(threads.Connection[S]):
    _driver_type = ThreadDriver


class ThreadClient(threads.Client[ThreadConnection[S], S]):
    _connection_type = ThreadConnection


class ThreadPool(threads.Pool[ThreadConnection[S], S]):
    _connection_type = ThreadConnection


class Colour:
    """How threads call. A test takes whatever it gets for `Any`: the types are another test's."""

    client: Callable[..., Any] = ThreadClient
    pool: Callable[..., Any] = ThreadPool

    def __repr__(self) -> str:
        return type(self).__name__

    def connect(self, **options: Any) -> Any:
        """Open a connection."""
        return threads.open_connection(ThreadConnection, Config(host="stage", **options))

    def do(self, called: Any) -> Any:
        """Return what a call has given."""
        return called

    def update(self, work: Callable[[Any], Any]) -> Any:
        """Return the function that `transact` takes."""
        return work

    def enter(self, block: Any) -> Any:
        """Enter a block."""
        return block.__enter__()

    def leave(self, block: Any, *exception: Any) -> Any:
        """Leave it."""
        return block.__exit__(*exception or (None, None, None))

    @contextmanager
    def block(self, block: Any) -> Iterator[Any]:
        """A block, left as `with` does."""
        entered = self.enter(block)
        try:
            yield entered
        except BaseException as error:
            self.leave(block, type(error), error, None)
            raise
        self.leave(block)


class Tasks(Colour):
    """How tasks do, and what they alone have."""

    @staticmethod
    def connecting(**options: Any) -> Any:
        """What is to be awaited, or entered."""
        return TaskConnecting(Config(host="stage", **options))

    client = TaskClient
    pool = TaskPool

    def connect(self, **options: Any) -> Any:
        return self.do(self.connecting(**options).__await__())

    def do(self, called: Any) -> Any:
        try:
            called.send(None)
        except StopIteration as done:
            return done.value
        raise AssertionError("it waits")

    def update(self, work: Callable[[Any], Any]) -> Any:
        async def update(transaction: Any) -> Any:
            return work(transaction)

        return update

    def enter(self, block: Any) -> Any:
        return self.do(block.__aenter__())

    def leave(self, block: Any, *exception: Any) -> Any:
        return self.do(block.__aexit__(*exception or (None, None, None)))


class Threads(Colour):
    """As they stand above."""


COLOURS = (Tasks(), Threads())

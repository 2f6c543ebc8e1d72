"""Each run is a process of its own: its CPU seconds are those of the run alone, and no run warms up the next."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import socket
import sys
import threading
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Final

from .arrivals import pace
from .keys import ENDINGS
from .meter import Job, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.process import BaseProcess

__all__ = ["RunFailedError", "run_apart"]

SPAWN: Final = multiprocessing.get_context("spawn")
"""A new interpreter: a fork would begin with all that this process has in memory."""


class RunFailedError(Exception):
    """A run came to no end; the message says which, and why."""


def run_apart(job: Job) -> Run:
    """Do the job in a process of its own, and return what has come out. Both of its processes are gone then, or on any error."""
    answers, answer = SPAWN.Pipe(duplex=False)
    with answers, contextlib.ExitStack() as stack:
        arrivals = None
        if job.rate:
            far, arrivals = socket.socketpair()
            with far:
                stack.enter_context(_started(_pace, job, far))
        with answer, arrivals or contextlib.nullcontext():
            stack.enter_context(_started(_work, job, arrivals, answer))
        try:
            outcome = answers.recv()
        except EOFError:
            outcome = "its process ended without an answer"
    if isinstance(outcome, Run):
        return outcome
    library, strategy, callers = job.case
    raise RunFailedError(f"{library}, {strategy}, {callers} callers: {outcome}")


@contextlib.contextmanager
def _started(target: Callable[..., None], *arguments: object) -> Iterator[BaseProcess]:
    process = SPAWN.Process(target=target, args=arguments, daemon=True)
    try:
        with _held_back():
            process.start()
        yield process
    finally:
        if process.pid is not None:
            process.kill()
            process.join()
        process.close()


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """Hold back Ctrl-C and the like to the end of the block. A process started in there never hears of them: this one ends it."""
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handlers = {each: signal.signal(each, lambda number, _: came.append(number)) for each in ENDINGS}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)  # which a process inherits
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for each, handler in handlers.items():
            signal.signal(each, handler)
    for number in came:
        signal.raise_signal(number)


def _pace(job: Job, arrivals: socket.socket) -> None:
    """Run in the other process that writes the arrivals."""
    pace(arrivals, job.rate, job.seconds, job.seed)


def _work(job: Job, arrivals: socket.socket | None, answer: Connection) -> None:
    """Run in the other process. Only the text of an error goes back: no error's text holds a secret."""
    try:
        answer.send(_runner(job.case.library)(job, arrivals))
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent says it
        answer.send(_text(error))


def _text(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__


def _runner(library: str) -> Callable[[Job, socket.socket | None], Run]:
    """Return what runs with this library, of which no other is imported."""
    match library:
        case "threads":
            from .by_threads import run
        case "asyncio":
            from .by_asyncio import run
        case _:
            from .by_trio import run
    return run

"""Tests that are coroutines: run on asyncio's own event loop and on uvloop, within a bound, and nothing left behind."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from typing import TYPE_CHECKING, Any, Final

import pytest
import uvloop

from adapters.peers import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

__all__ = ["LOOPS", "bounded", "everywhere", "open_sockets", "until"]

LOOPS: Final[dict[str, Callable[[], asyncio.AbstractEventLoop]]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


async def bounded(test: Callable[[], Awaitable[None]]) -> None:
    """Run a test for no longer than a while. Errors that the loop could only log, and tasks that are left behind, fail it."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    async with asyncio.timeout(PATIENCE):
        await test()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not others, "tasks were left behind"
    assert not complaints


def everywhere(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test of a coroutine function: once for each kind of loop."""

    @functools.wraps(test)
    def run(loop_kind: str, **arguments: Any) -> None:
        with asyncio.Runner(loop_factory=LOOPS[loop_kind]) as runner:
            runner.run(bounded(functools.partial(test, **arguments)))

    wanted = inspect.signature(test)
    kind = inspect.Parameter("loop_kind", inspect.Parameter.KEYWORD_ONLY, annotation="str")
    run.__signature__ = wanted.replace(parameters=[*wanted.parameters.values(), kind])  # type: ignore[attr-defined]
    del run.__wrapped__
    parametrize: Callable[[Callable[..., None]], Callable[..., None]] = pytest.mark.parametrize("loop_kind", LOOPS)
    return parametrize(run)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds; the test's own bound applies."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.002)


def open_sockets() -> int:
    """How many sockets this process has open (Linux)."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
        except OSError:
            pass  # the listing's own
    return found

"""Tests that are coroutines of trio's: each in a run of its own, within a bound."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

import trio

from adapters.peers import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["in_a_run", "until"]


def in_a_run(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test of a coroutine function. If it takes a `clock`, that is a `MockClock`, and the run goes by it."""
    timed = "clock" in inspect.signature(test).parameters

    @functools.wraps(test)
    def run(**arguments: Any) -> None:
        clock = trio.testing.MockClock() if timed else None
        if timed:
            arguments["clock"] = clock

        async def bounded() -> None:
            with trio.fail_after(trio_bound):
                await test(**arguments)

        trio_bound = 1e9 if timed else PATIENCE
        trio.run(bounded, clock=clock)

    wanted = inspect.signature(test)
    fixtures = [parameter for name, parameter in wanted.parameters.items() if name != "clock"]
    run.__signature__ = wanted.replace(parameters=fixtures)  # type: ignore[attr-defined]
    del run.__wrapped__
    return run


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds; the test's own bound applies."""
    while not condition():  # noqa: ASYNC110
        await trio.sleep(0.002)

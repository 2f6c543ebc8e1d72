"""Histories that fail, made small (fewer callers and faults, less noise) for as long as they fail; and told step by step."""

from __future__ import annotations

import traceback
from functools import partial
from typing import TYPE_CHECKING

from simulation.script import draw
from simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulation.script import Script

__all__ = ["explain", "failure", "shrunk"]


def failure(script: Script, world: type[World] = World) -> Exception | None:
    """Live through this history, and return what does not hold in it."""
    try:
        world(script).run()
    except Exception as error:  # noqa: BLE001  # a fault of the client may show in any way
        return error
    return None


def shrunk(script: Script, failure: Callable[[Script], Exception | None] = failure) -> Script:
    """Return a part of this history that still fails, of which nothing can be left out."""
    kind = type(failure(script))
    quiet = script._replace(noise=0.0)
    if type(failure(quiet)) is kind:
        script = quiet
    size = max(1, len(script.acts) // 2)
    while size:
        at = 0
        while at < len(script.acts):
            smaller = script.without({act.number for act in script.acts[at : at + size]})
            if type(failure(smaller)) is kind:
                script = smaller
            else:
                at += size
        size //= 2
    return script


def explain(seed: int, draw: Callable[[int], Script] = draw, world: type[World] = World) -> str:
    """Tell how the history of this seed fails, in its smallest form; "" if it does not."""
    fails = partial(failure, world=world)
    if fails(draw(seed)) is None:
        return ""
    script = shrunk(draw(seed), fails)
    trace: list[str] = []
    try:
        world(script, trace=trace).run()
    except Exception as error:  # noqa: BLE001
        where = traceback.extract_tb(error.__traceback__)[-1]
        trace.append(f"{type(error).__name__} in {where.name}: {error}")
    acts = [f"  {act.at:.4f} {act.kind} {act.number} for {act.seconds} s" for act in script.acts]
    head = f"seed {seed}: {script.mode}, RESP{script.protocol}, {script.server} server, noise {script.noise}"
    return "\n".join([head, f"  {script.retry}", f"  {script.pool}", *acts, "what happens:", *trace])


if __name__ == "__main__":
    import sys

    for given in sys.argv[1:]:
        print(explain(int(given)) or f"seed {given} keeps the promises")

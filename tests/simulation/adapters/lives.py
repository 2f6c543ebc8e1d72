"""Histories of the adapters: lived through, made small where they fail, and told; `python -m simulation.adapters.lives trio 7`."""

from __future__ import annotations

import sys
import time
import traceback
from functools import partial
from typing import TYPE_CHECKING, Final

from simulation.adapters.on_asyncio import OnAsyncio
from simulation.adapters.on_threads import OnThreads
from simulation.adapters.on_trio import OnTrio
from simulation.script import draw
from simulation.shrink import shrunk

if TYPE_CHECKING:
    from simulation.adapters.history import History
    from simulation.script import Script

__all__ = ["ADAPTERS", "explain", "failure", "lives"]

ADAPTERS: Final[dict[str, type[History]]] = {"asyncio": OnAsyncio, "trio": OnTrio, "threads": OnThreads}


def failure(name: str, script: Script, trace: list[str] | None = None) -> Exception | None:
    """Live through this history on that adapter, and return what does not hold in it."""
    try:
        ADAPTERS[name](script, trace).run()
    except Exception as error:  # noqa: BLE001  # a fault may show in any way
        return error
    return None


def explain(name: str, seed: int) -> str:
    """Tell how the history of this seed fails, in its smallest form; "" if it does not."""
    if failure(name, draw(seed)) is None:
        return ""
    script = shrunk(draw(seed), partial(failure, name))
    trace: list[str] = []
    error = failure(name, script, trace)
    acts = [f"  {act.at:.4f} {act.kind} {act.number} for {act.seconds} s" for act in script.acts]
    head = f"seed {seed} of {name}: {script.mode}, RESP{script.protocol}, {script.server} server, noise {script.noise}"
    return "\n".join([head, *acts, "what happens:", *trace, *traceback.format_exception(error)])


def lives(name: str, first: int, last: int) -> tuple[int, float, list[int]]:
    """Live through the histories of these seeds; return how many callers that were, the seconds it took, and what failed."""
    callers, failed, begun = 0, [], time.process_time()
    for seed in range(first, last):
        history = ADAPTERS[name](draw(seed))
        try:
            history.run()
        except Exception:  # noqa: BLE001
            failed.append(seed)
        callers += len(history.callers)
    return callers, time.process_time() - begun, failed


if __name__ == "__main__":
    for given in sys.argv[2:]:
        print(explain(sys.argv[1], int(given)) or f"seed {given} of {sys.argv[1]} keeps the promises")

"""Histories of the adapters: lived through, made small where they fail, and told; `python -m simulation.adapters.lives trio 7`.

"trio" is an adapter whose client has one server; that of "cluster-trio" has a cluster.
"""

from __future__ import annotations

import sys
import time
import traceback
from functools import partial
from typing import TYPE_CHECKING, Final

from simulation.adapters.clusters import OF_CLUSTERS_ON
from simulation.adapters.on_asyncio import OnAsyncio
from simulation.adapters.on_threads import OnThreads
from simulation.adapters.on_trio import OnTrio
from simulation.cluster.script import ClusterScript, on_adapters
from simulation.script import draw
from simulation.shrink import shrunk

if TYPE_CHECKING:
    from simulation.adapters.clusters import ClusterHistory
    from simulation.adapters.history import History
    from simulation.script import Script

__all__ = ["ADAPTERS", "OF_CLUSTERS", "drawn", "explain", "failure", "history", "lives"]

ADAPTERS: Final[dict[str, type[History]]] = {"asyncio": OnAsyncio, "trio": OnTrio, "threads": OnThreads}
OF_CLUSTERS: Final[dict[str, type[ClusterHistory]]] = {f"cluster-{name}": of for name, of in OF_CLUSTERS_ON.items()}


def drawn(name: str, seed: int) -> Script:
    """Draw the history of this seed."""
    return on_adapters(seed) if name in OF_CLUSTERS else draw(seed)


def history(name: str, script: Script, trace: list[str] | None = None) -> History:
    """Return a history that is still to be lived through."""
    return OF_CLUSTERS[name](script, trace) if isinstance(script, ClusterScript) else ADAPTERS[name](script, trace)


def failure(name: str, script: Script, trace: list[str] | None = None) -> Exception | None:
    """Live through this history on that adapter, and return what does not hold in it."""
    try:
        history(name, script, trace).run()
    except Exception as error:  # noqa: BLE001  # a fault may show in any way
        return error
    return None


def explain(name: str, seed: int) -> str:
    """Tell how the history of this seed fails, in its smallest form; "" if it does not."""
    if failure(name, drawn(name, seed)) is None:
        return ""
    script = shrunk(drawn(name, seed), partial(failure, name))
    trace: list[str] = []
    error = failure(name, script, trace)
    acts = [f"  {act.at:.4f} {act.kind} {act.number} for {act.seconds} s" for act in script.acts]
    head = f"seed {seed} of {name}: {script.mode}, RESP{script.protocol}, {script.server} server, noise {script.noise}"
    return "\n".join([head, *acts, "what happens:", *trace, *traceback.format_exception(error)])


def lives(name: str, first: int, last: int) -> tuple[int, float, list[int]]:
    """Live through the histories of these seeds; return how many callers that were, the seconds it took, and what failed."""
    callers, failed, begun = 0, [], time.process_time()
    for seed in range(first, last):
        lived = history(name, drawn(name, seed))
        try:
            lived.run()
        except Exception:  # noqa: BLE001
            failed.append(seed)
        callers += len(lived.callers)
    return callers, time.process_time() - begun, failed


if __name__ == "__main__":
    for given in sys.argv[2:]:
        print(explain(sys.argv[1], int(given)) or f"seed {given} of {sys.argv[1]} keeps the promises")

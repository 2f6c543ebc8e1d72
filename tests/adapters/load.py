"""Callers that write to a cluster without end while it is changed, so that afterwards each call can be accounted for.

Each call pushes an element of its own. Found once, it was executed once; found twice, it was executed twice.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from clusters import key_in, wait_until
from resp_sansio import RespError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adapters.backends import Backend
    from clusters import Cluster
    from resp_asyncio import Client

__all__ = ["Load", "keys_of", "said"]

CALLERS: Final = 6
PAUSE: Final = 0.003
"""Seconds between two calls of a caller: the servers are to have time for their change."""


class Load:
    """Callers that push to lists. `failed`: the elements of calls that raised, with their errors."""

    def __init__(self, backend: Backend, client: Client, keys: Sequence[str]) -> None:
        self.acknowledged: list[str] = []
        self.failed: dict[str, RespError] = {}
        self._backend: Final = backend
        self._client: Final = client
        self._keys: Final = keys
        self._numbers: Final = itertools.count()

    async def during(self, change: Callable[[], None]) -> None:
        """Push while `change`, which blocks, runs on a thread of its own, and to each list once more when it has ended."""
        ended: Future[None] = Future()

        def run() -> None:
            try:
                change()
            except BaseException as error:  # noqa: BLE001  # raised below
                ended.set_exception(error)
            else:
                ended.set_result(None)

        threading.Thread(target=run, daemon=True).start()
        await self._backend.together(*[partial(self._push_on, caller, ended) for caller in range(CALLERS)])
        ended.result()

    async def _push_on(self, caller: int, ended: Future[None]) -> None:
        last = False
        while not last:
            last = ended.done()
            for key in self._keys[caller::CALLERS]:
                await self._push(key, f"element {next(self._numbers)}")
                await self._backend.sleep(PAUSE)

    async def _push(self, key: str, element: str) -> None:
        try:
            await self._client.execute("RPUSH", key, element)
        except RespError as error:
            self.failed[element] = error
        else:
            self.acknowledged.append(element)

    def executed(self, cluster: Cluster) -> Counter[str]:
        """How often each call was executed, as the lists say."""
        found: Counter[str] = Counter()
        for key in self._keys:
            found.update([element.decode() for element in elements_of(cluster, key)])
        return found


def elements_of(cluster: Cluster, key: str) -> list[bytes]:
    """Ask the node that the others call the key's master: for a while after a fail-over it may not be one yet."""
    answers: list[Any] = []

    def answered() -> bool:
        answers.append(cluster.node_of(key).call("LRANGE", key, 0, -1))
        return isinstance(answers[-1], list)

    wait_until(answered)
    return cast("list[bytes]", answers[-1])


def keys_of(cluster: Cluster, index: int, count: int) -> list[str]:
    """Make keys of the first so many slots that a master had at first: one of each."""
    return [key_in(slot) for slot in cluster.ranges[index][:count]]


def said(cluster: Cluster, code: str) -> int:
    """How often servers that live have said an error of this code."""
    counts = [node.facts("errorstats").get(f"errorstat_{code}", "count=0") for node in cluster.live]
    return sum(int(count.removeprefix("count=")) for count in counts)

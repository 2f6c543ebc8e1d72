"""Faults of adapters, and of what only they drive: planted one at a time, for the histories of one adapter to find.

`python -m simulation.adapters.faults` prints how many seeds each took.
"""

from __future__ import annotations

from functools import partial
from itertools import count, islice
from typing import TYPE_CHECKING, Final, NamedTuple

import resp_asyncio._driver as on_asyncio
import resp_trio._socket as trios
from resp_sansio.client.cache import ReadCache
from resp_sansio.client.cluster import ClusterBase
from resp_sansio.client.cluster_redirects import ClusterRedirects
from resp_sansio.client.crew import Crew
from resp_sansio.client.dials import Dials
from resp_sansio.client.feeds import Feed
from resp_sansio.client.list_queues import ListQueue
from resp_sansio.client.repair import Repair
from resp_sansio.client.scanning import ScanCursor
from resp_sansio.client.shards import ShardedRegistry
from resp_sansio.client.stream_queues import StreamQueue
from resp_sansio.client.subscriber import Subscriber
from resp_sansio.client.values import ValueReader
from resp_sansio.surface.driver import DriverBase
from resp_sansio.surface.messages import MessagesBase
from resp_sansio.surface.tasks_values import Upload
from simulation.adapters.history import follows, talks
from simulation.adapters.lives import drawn, failure
from simulation.faults import OURS, Fault, planted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulation.script import Script

__all__ = ["FAULTS", "MOST", "OfAdapter", "seeds_needed"]

MOST: Final = 500  # histories in which each fault must be found


class OfAdapter(NamedTuple):
    """A fault, and the adapter whose histories are to find it; `of`: which of them may show it."""

    adapter: str
    fault: Fault
    of: Callable[[Script], bool] = lambda _: True

    def scripts(self) -> Iterator[Script]:
        """Draw the histories that may show it."""
        return filter(self.of, map(partial(drawn, self.adapter), count()))


def keeps(script: Script) -> bool:
    """Does its client keep what it reads?"""
    return script.cached


def wants(kind: str) -> Callable[[Script], bool]:
    """Return whether a caller of such a history wants this."""
    return lambda script: any(act.kind == kind for act in script.acts)


FAULTS: Final = (
    OfAdapter("asyncio", Fault(
        "what a consumer had when it ended is not handed over again", "redis-py's lists as queues", ListQueue, "__init__",
        "self._left_over = True", "self._left_over = False",
    ), of=talks),
    OfAdapter("trio", Fault(
        "what others leave unhandled is not claimed", "many a consumer", StreamQueue, "__init__",
        "self._claim_at = inf if min_idle is None else -inf", "self._claim_at = inf",
    ), of=talks),
    OfAdapter("asyncio", Fault(
        "a value whose publishing was lost is told to be NOT_SENT", OURS, Upload, "_publish",
        "answer_of(slot)", "self._answer(slot)",
    ), of=talks),
    OfAdapter("trio", Fault(
        "a cursor is taken to another server", "redis-py's scan_iter", ScanCursor, "_is_of",
        "if before in (None, run) or self._cursor == START:", "if True:",
    ), of=talks),
    OfAdapter("trio", Fault(
        "a value that was changed as it was read is handed out", "many a program", ValueReader, "checked",
        "torn = self.torn()", "return",
    ), of=talks),
    OfAdapter("threads", Fault(
        "what comes again is handed over as if it were new", OURS, ListQueue, "_own",
        "again=True", "again=False",
    ), of=talks),
    OfAdapter("asyncio", Fault(
        "a cancelled call is not given up", OURS, DriverBase, "give_up",
        "self.machine.abandon(slot, self.now())", "pass",
    )),
    OfAdapter("asyncio", Fault(
        "a timer that has gone off is not set again", OURS, on_asyncio.Driver, "_look_at_the_time",
        "self.armed = inf", "pass",
    )),
    OfAdapter("trio", Fault(
        "no other caller reads where the one that did has left", OURS, trios.Socket, "appoint",
        "wake(successor)\n        successor.token = self", "pass",
    )),
    OfAdapter("trio", Fault(
        "a caller that leaves as it waits for a link keeps it", "coredis's lost slot", DriverBase, "acquire",
        "machine.withdraw(waiter, self.now())", "pass",
    )),
    OfAdapter("asyncio", Fault(
        "what is kept outlives the connection that was to tell of its changes", "many a cache", Dials, "_end_link",
        "self.cache.clear()", "pass",
    ), of=keeps),
    OfAdapter("trio", Fault(
        "a hit never looks whether the server has told of a change", OURS, ReadCache, "find",
        "if now >= self._look_at:", "if False:",
    ), of=keeps),
    OfAdapter("threads", Fault(
        "one's own writes leave what is kept of their keys", "many a cache", ReadCache, "wrote",
        "cell.stands = False", "pass",
    ), of=keeps),
    OfAdapter("threads", Fault(
        "a thread that is to do what another has left is not woken", OURS, Crew, "_call_for",
        "self._call(caller, post)", "pass",
    )),
    OfAdapter("threads", Fault(
        "those who sleep are not told that a dial is to be made", OURS, Crew, "settle",
        "if free > 0:", "if False:",
    )),
    OfAdapter("cluster-threads", Fault(
        "a thread reads one of the links that open, and leaves the other servers' unread", OURS, Crew, "_next_common",
        "Several(tuple(posts)) if listens or len(posts) > 1 else posts[0]", "Several(tuple(posts)) if listens else posts[0]",
    )),
    OfAdapter("cluster-trio", Fault(
        "a call for one server goes on where MOVED says", OURS, ClusterRedirects, "leads_elsewhere",
        "if slot.call is not None and slot.call.fixed", "if False and slot.call.fixed",
    ), of=wants("node")),
    OfAdapter("cluster-asyncio", Fault(
        "a link to one server leads to any", OURS, ClusterBase, "place_waiter",
        "self.node_for(waiter.at)", "self._any_node()",
    ), of=wants("visit")),
    OfAdapter("cluster-asyncio", Fault(
        "a server's word that a key has changed is passed over", "many a client", ReadCache, "invalidated",
        "table.drop(cell)", "pass",
    ), of=keeps),
    OfAdapter("cluster-trio", Fault(
        "patterns are not subscribed to again after a loss", "many a client", Feed, "opened",
        "dict(self.wanted)", "{name: None for name in self.wanted if name.kind.name != 'PATTERN'}",
    ), of=wants("follow")),
    OfAdapter("cluster-threads", Fault(
        "what is missed while a channel's master is away is told by no gap", "many a client", ShardedRegistry, "lost",
        "if feed is not self:", "if False:",
    ), of=wants("follow")),
    OfAdapter("cluster-threads", Fault(
        "a block that ends leaves its subscriptions behind", "many a client", MessagesBase, "_leave",
        "if subscriber is None:", "if True:",
    ), of=wants("follow")),
    OfAdapter("asyncio", Fault(
        "what is missed while the connection is away is told by no gap", "many a client", Subscriber, "mends",
        "self._lost(self.incoming, self.broken)", "pass",
    ), of=follows),
    OfAdapter("trio", Fault(
        "a block that is left leaves its names to the server", "many a client", MessagesBase, "_leave",
        "if subscriber is None:", "if True:",
    ), of=follows),
    OfAdapter("threads", Fault(
        "what a lost connection was subscribed to is not subscribed to again", "many a client", Feed, "opened",
        "dict(self.wanted)", "{}",
    ), of=follows),
    OfAdapter("threads", Fault(
        "an interrupt as bytes move costs no link", OURS, Repair, "reconcile",
        "if link in torn or", "if",
    )),
)  # fmt: skip


def seeds_needed(planned: OfAdapter, most: int = MOST) -> int | None:
    """Return in the how manieth history the fault is found, None if it is not."""
    with planted(planned.fault):
        lived = enumerate(islice(planned.scripts(), most), 1)
        return next((number for number, script in lived if failure(planned.adapter, script) is not None), None)


if __name__ == "__main__":
    for one in FAULTS:
        print(f"| {one.fault.name} | {one.adapter} | {seeds_needed(one)} |", flush=True)

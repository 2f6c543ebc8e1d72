"""Faults of a cluster's client, each as a small change of one function; to be planted one at a time, see `simulation.faults`."""

from __future__ import annotations

from typing import Final

from resp_sansio.client import cluster
from resp_sansio.client.cache import ReadCache
from resp_sansio.client.cluster import ClusterBase
from resp_sansio.client.cluster_calls import ClusterCalls
from resp_sansio.client.cluster_map import ClusterMap
from resp_sansio.client.cluster_redirects import ClusterRedirects
from resp_sansio.client.cluster_servers import ClusterServers
from resp_sansio.client.cluster_subscriptions import ClusterSubscriptions
from resp_sansio.client.dials import Dials
from resp_sansio.client.feeds import Feed
from resp_sansio.client.node import NodeBase
from resp_sansio.client.refresher import Refresher
from resp_sansio.client.repair import Repair
from resp_sansio.client.retry import Attempts
from resp_sansio.client.shards import ShardedRegistry
from resp_sansio.client.splits import Split
from resp_sansio.surface.batches import WatchedBase
from simulation.cluster.lives import failure
from simulation.cluster.script import draw
from simulation.faults import OURS, Fault, planted

__all__ = ["FAULTS", "MOST", "is_found", "seeds_needed"]

MOST: Final = 450  # histories in which each fault must be found

FAULTS: Final = (
    Fault(
        "what MOVED says is not learnt", "many a client",
        ClusterRedirects, "_learn", "self.map.learn(redirect.slot, redirect.place, now)", "False",
    ),
    Fault(
        "ASK teaches the map", "many a client",
        ClusterRedirects, "_learn", "if redirect.asks:", "if False:",
    ),
    Fault(
        "a pipeline that was sent elsewhere in part goes out again as a whole", "ioredis #2075, redis-py asyncio",
        ClusterRedirects, "_goes_on_in_parts", "    call = node.call_of(slot)\n",
        "    own = range(slot.count) if token is None else token.indices\n"
        "    for its in again.values():\n        its.update(dict.fromkeys(own, next(iter(its.values()))))\n"
        "    call = node.call_of(slot)\n",
    ),
    Fault(
        "commands of one slot lose their order as they go on", "ered #38, sage #236",
        ClusterRedirects, "_ways", "sorted(indices)", "sorted(indices, reverse=True)",
    ),
    Fault(
        "calls are sent elsewhere without end", "Redis #7116",
        ClusterRedirects, "_pause", "if hops <= AT_ONCE:", "if True:",
    ),
    Fault(
        "all calls ask a server that is down, each for itself", "many a client",
        NodeBase, "_due", "self._let_go_on(1, now)", "[self._slot_due(slot, now) for slot in [*self._pausing]]",
    ),
    Fault(
        "a call pauses beyond its deadline", OURS,
        ClusterRedirects, "_goes_on_in_parts", "if wait >= slot.deadline - now:", "if False:",
    ),
    Fault(
        "the end of the last part is not that of the call", OURS,
        ClusterCalls, "part_ended", "else:\n        self._complete(split, now)", "",
    ),
    Fault(
        "the parts of a call go on after its caller has gone", OURS,
        ClusterCalls, "abandon", "self._machine_of(part).abandon(part, now)", "pass",
    ),
    Fault(
        "one ASKING is sent for several commands", "many a client",
        Split, "_make", "if token.asking and not (self.whole and sent):", "if token.asking and not sent:",
    ),
    Fault(
        "what was lost behind ASKING counts as not sent", OURS,
        Split, "without_asking", "left[index] = part.outcomes[at]", "left[index] = Outcome.NOT_SENT",
    ),
    Fault(
        "a lease is not given back behind MOVED", OURS,
        NodeBase, "answered", "if lease is not None:", "if False:",
    ),
    Fault(
        "a lane's share is not given back by a call that goes on elsewhere", OURS,
        NodeBase, "let_go", "self._end_call(call, now)", "pass",
    ),
    Fault(
        "replicas are read from without READONLY", "many a client",
        NodeBase, "_way", "super()._way()._replace(reads_replica=self.cluster.spreads)", "super()._way()",
    ),
    Fault(
        "a new map changes nothing for slots that were looked up", OURS,
        ClusterServers, "_installed", "self._homes = [None] * SLOTS", "pass",
    ),
    Fault(
        "what waits for a map is forgotten when it comes", OURS,
        ClusterServers, "_place_unplaced", "for entry, caller in unplaced.items():", "for entry, caller in ():",
    ),
    Fault(
        "a server that has left is used again", OURS,
        ClusterServers, "_leave_gone", "del self._nodes[place]", "pass",
    ),
    Fault(
        "servers that have left are kept", "rueidis #1358, jedis #1946",
        ClusterServers, "_leave_gone", "self._is_gone(place)", "False",
    ),
    Fault(
        "connections are cut when the map has changed", "redis-py asyncio",
        ClusterServers, "_installed", "    self._move_waiting(now)\n",
        "    for node in self.nodes:\n        for link in node.links:\n            node.abort(link, None, now)\n"
        "    self._move_waiting(now)\n",
    ),
    Fault(
        "no other server is asked when one has no map", "many a client",
        ClusterServers, "_map_came",
        "self._probe(self.refresher.failed(by, now), now)", "self.refresher.failed(by, now)",
    ),
    Fault(
        "a map that was asked for before undoes what MOVED has said", "many a client",
        ClusterMap, "install", "if at >= asked_at", "if False",
    ),
    Fault(
        "the map is asked for again and again", "redis-py, #4074",
        Refresher, "_end", "self._not_before = max(now + gap, self._begun[0] + self._scale)", "self._not_before = now",
    ),
    Fault(
        "pauses do not grow while a cluster is down", OURS,
        Attempts, "another", "tried = self.made + self._free", "tried = self.made",
    ),
    Fault(
        "a call for one server goes on where MOVED says", OURS,
        ClusterRedirects, "leads_elsewhere", "if slot.call is not None and slot.call.fixed", "if False and slot.call.fixed",
    ),
    Fault(
        "a link to one server leads to any", OURS,
        ClusterBase, "place_waiter", "self.node_for(waiter.at)", "self._any_node()",
    ),
    Fault(
        "what is meant for a server that has gone waits for ever", OURS,
        ClusterServers, "_end_lost", "if node.suspect and self.map.lacks(node.place):", "if False:",
    ),
    Fault(
        "ASKING is left out of what goes on behind ASK", "many a client",
        Split, "_make", "if token.asking and not (self.whole and sent):", "if False:",
    ),
    Fault(
        "a watched transaction is tried anew that may have been executed", "redis-py's WATCH loop",
        cluster, "tried_anew", "if harmless or error.outcome is Outcome.NOT_SENT else None", "",
    ),
    Fault(
        "ASKING is left out of a watched transaction's EXEC", OURS,
        WatchedBase, "_executes", "self._ask(self._payloads, self._infos)", "pass",
    ),
    Fault(
        "the servers' machines are not put in order after an interrupt", OURS,
        ClusterBase, "reconcile", "node.reconcile(now, alive, [dial for dial in dials if dial.home is node], torn)", "pass",
    ),
    Fault(
        "what an interrupt has cost of a question for the map is not asked anew", OURS,
        ClusterBase, "reconcile", "self._probe(self.refresher.reconcile(self._asked_for_map, now), now)", "pass",
    ),
    Fault(
        "a channel is not asked for again at its slot's new owner", "many a client",
        ShardedRegistry, "move", "feed.wants(name)", "pass",
    ),
    Fault(
        "what is missed while a slot moves is told by no gap", OURS,
        ShardedRegistry, "move", "self._misses(name, MOVED)", "name.state, name.asked = State.WANTED, None",
    ),
    Fault(
        "channels that can't be had now are not asked for later", OURS,
        ClusterSubscriptions, "handle_timeout", "if self._names_due <= now:", "if False:",
    ),
    Fault(
        "a channel that a server does not leave while the cluster is down is never left", OURS,
        ShardedRegistry, "place", "or self._is_left_over(name)", "",
    ),
    Fault(
        "what is missed while a channel's master is away is told by no gap", "many a client",
        ShardedRegistry, "lost", "if feed is not self:", "if False:",
    ),
    Fault(
        "a channel that servers send to and fro is asked for without a pause", "Redis #7116",
        ClusterSubscriptions, "puts_off", "hops -= AT_ONCE", "hops = 0",
    ),
    Fault(
        "patterns are not subscribed to again after a loss", "many a client",
        Feed, "opened", "dict(self.wanted)", "{name: None for name in self.wanted if name.kind.name != 'PATTERN'}",
    ),
    Fault(
        "what an interrupt has kept from a subscriber is not told", OURS,
        Repair, "_resume_listener", "if listener.state is SlotState.QUEUED:",
        "if listener.state is SlotState.QUEUED and listener not in listener.source.listeners:",
    ),
    Fault(
        "what is kept outlives its slot's move", "many a client",
        ClusterServers, "forget_read", "if self.cache is not None:", "if False:",
    ),
    Fault(
        "what is read behind ASK is kept", OURS,
        ClusterRedirects, "leads_elsewhere", "slot.give_up_keeping()", "pass",
    ),
    Fault(
        "what is kept outlives the connection that was to tell of its changes", "many a client",
        Dials, "_end_link", "self.cache.clear()", "pass",
    ),
    Fault(
        "a server's word that a key has changed is passed over", "many a client",
        ReadCache, "invalidated", "table.drop(cell)", "pass",
    ),
)  # fmt: skip


SHOWN_BY: Final = {
    "a pipeline that was sent elsewhere in part goes out again as a whole": 30,
    "what was lost behind ASKING counts as not sent": 61,
    "ASKING is left out of a watched transaction's EXEC": 100,
    "what an interrupt has cost of a question for the map is not asked anew": 198,
    "what is missed while a slot moves is told by no gap": 99,
    "a channel that a server does not leave while the cluster is down is never left": 1032,
    "what is missed while a channel's master is away is told by no gap": 162,
    "a channel that servers send to and fro is asked for without a pause": 594,
    "what an interrupt has kept from a subscriber is not told": 6348,
    "what is kept outlives its slot's move": 222,
    "what is read behind ASK is kept": 57,
    "what is kept outlives the connection that was to tell of its changes": 77,
}
"""A history that shows a fault, where those before it do not, and there are many."""


def is_found(fault: Fault) -> bool:
    """Does a history show it?"""
    with planted(fault):
        shown = failure(draw(SHOWN_BY.get(fault.name, 0))) is not None
    return shown or seeds_needed(fault) is not None


def seeds_needed(fault: Fault, most: int = MOST) -> int | None:
    """Return in the how manieth history the fault is found, None if it is not."""
    with planted(fault):
        return next((seed + 1 for seed in range(most) if failure(draw(seed)) is not None), None)


if __name__ == "__main__":
    import sys

    for one in FAULTS[int(sys.argv[1]) if len(sys.argv) > 1 else 0 :]:
        print(f"| {one.name} | {one.where} | {seeds_needed(one)} |", flush=True)

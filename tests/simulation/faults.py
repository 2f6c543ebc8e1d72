"""Faults that were made before, here or elsewhere, each as a small change of one function; to be planted one at a time.

A change is made in the function's source, so it fails where the source has moved on, instead of proving nothing.
"""

from __future__ import annotations

import inspect
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from resp_sansio.client import retry
from resp_sansio.client.calls import Calls
from resp_sansio.client.client import Client
from resp_sansio.client.dials import Dials
from resp_sansio.client.lanes import Lanes
from resp_sansio.client.leases import Lease
from resp_sansio.client.links import Lane
from resp_sansio.client.pace import Pace
from resp_sansio.client.places import Places
from resp_sansio.client.pool import Pool
from resp_sansio.client.repair import Repair
from resp_sansio.client.submitting import Submitting
from resp_sansio.config.retry import Breaker
from resp_sansio.connection import sending, stateful, subscriptions
from resp_sansio.connection.connection import Connection
from resp_sansio.connection.handshake import Handshake
from resp_sansio.connection.pairing import Pairing
from resp_sansio.connection.sending import Sending
from resp_sansio.connection.slot import Batch, Slot
from resp_sansio.connection.timing import Timing
from simulation.driver import Driver
from simulation.script import draw
from simulation.shrink import failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["FAULTS", "MOST", "Fault", "planted", "seeds_needed"]

MOST: Final = 2500  # histories in which each fault must be found


class Fault(NamedTuple):
    """A change of one function: what is there, and what is to be there instead. `where` it was made before."""

    name: str
    where: str
    owner: Any
    function: str
    old: str
    new: str


OURS: Final = "this library"
FAULTS: Final = (
    Fault(
        "the next caller gets a cancelled one's reply", "redis-py #2624 and #2665, CVE-2023-28858 and 28859",
        Connection, "abandon",
        "slot.settle(ABANDONED, inf)\n        self._given_up += 1\n        self._abandoned += 1\n",
        "slot.settle(ABANDONED, inf)\n        self._flying.remove(slot)\n        return slot.outcomes\n",
    ),
    Fault(
        "what may have run is sent again", "redis-py's replay of INCR",
        retry, "may_resend", "return False\n    return True", "return True\n    return True",
    ),
    Fault(
        "the retry forgets MAYBE_EXECUTED", OURS,
        Slot, "renew", "self.uncertain = {*self.uncertain, *sent}", "pass",
    ),
    Fault(
        "a lease is lost with a caller that goes as it is handed over", "coredis's lost slot",
        Client, "withdraw", "if lease is not None:\n        self.release(lease, now)", "if lease is not None:\n        pass",
    ),
    Fault(
        "a caller that has gone stays in the queue", "coredis's lost wake-up",
        Pool, "withdraw", "self._queue.pop(waiter, None)", "pass",
    ),
    Fault(
        "one connection is given to two callers", "httpcore's double assignment",
        Pool, "lend", "place = idle.popitem()[1]", "place = next(reversed(idle.values()))",
    ),
    Fault(
        "a handle is of use beyond its block", OURS,
        Lease, "check", "if self.ended:", "if False:",
    ),
    Fault(
        "no dial follows one that was given up", OURS,
        Dials, "_await_pace", "self._dial_timer = self._timers.set(self._pace.not_before, self)", "pass",
    ),
    Fault(
        "a fork keeps a socket", "many a client",
        Client, "close", "for link in list(self._links):\n        self.abort(link, self.closed, now)\n", "",
    ),
    Fault(
        "an interrupt between recv and receive_data is passed over", OURS,
        Driver, "read", "client.abort(link, None, self.clock.now, uncertain=True)\n                return", "return",
    ),
    Fault(
        "an interrupt between send and sent is taken for nothing sent", OURS,
        Connection, "abort", "self._sent = self._handed", "pass",
    ),
    Fault(
        "a call that pauses is tried again after its caller has gone", OURS,
        Submitting, "_leave", "self._pausing.pop(slot, None)", "pass",
    ),
    Fault(
        "of those who wait for a lane, the fourth is forgotten", OURS,
        Lane, "empty", "return entries", "return entries[:3]",
    ),
    Fault(
        "a call keeps its lease when its time is up", OURS,
        Submitting, "_end_call", "if call.lease is not None:", "if False:",
    ),
    Fault(
        "a call's timer outlives it", OURS,
        Submitting, "_end_call", "self._timers.cancel(call.timer)", "pass",
    ),
    Fault(
        "a link's deadlines are not looked at", OURS,
        Dials, "_watch", "link.timer = self._timers.set(due, link)", "pass",
    ),
    Fault(
        "a pause does not end", OURS,
        Calls, "_slot_due", "del self._pausing[slot]\n        self._go(slot, now)", "pass",
    ),
    Fault(
        "a reply that no command asked for is passed over", "many a client",
        Pairing, "_surplus", "self._lose(", "str(",
    ),
    Fault(
        "half a reply that no command asked for is kept for the next", OURS,
        Pairing, "receive_replies", "parser.begins_reply:", "False:",
    ),
    Fault(
        "a reply too many behind a handshake raises", OURS,
        Dials, "_follow", "if link.core.error is not None:", "if False:",
    ),
    Fault(
        "a reply too many behind the answer to a check raises", OURS,
        Submitting, "_checked", "answered = answered and lease.connection.core.error is None", "pass",
    ),
    Fault(
        "a closed pool keeps its connections", OURS,
        Pool, "close", "self._forget_deadlines()", "pass",
    ),
    Fault(
        "a pipeline that goes on begins anew", OURS,
        Batch, "renew", "self.payloads[begin:]", "self.payloads",
    ),
    Fault(
        "the last in the queue is served first", "pools with a stack of waiters",
        Pool, "_advance", "self._grant(next(iter(self._queue)), self._idle", "self._grant(next(reversed(self._queue)), self._idle",
    ),
    Fault(
        "two whose links were dead change places", OURS,
        Pool, "_wait", "takewhile(lambda other: other.turn <= waiter.turn, self._queue)", "()",
    ),
    Fault(
        "at a repair a dial whose time has come is told of twice", OURS,
        Repair, "reconcile", "self._carry_out(now)  # first", "pass  # first",
    ),
    Fault(
        "what an interrupt has torn is passed over at the repair", OURS,
        Repair, "reconcile", "if link in torn or", "if",
    ),
    Fault(
        "the rest of a write that was taken in part is dropped", "many a client",
        Sending, "sent", "blocks[-1] = memoryview(blocks[-1])[count:]", "blocks.pop()",
    ),
    Fault(
        "commands overtake others in a lane", OURS,
        Connection, "submit", "self._waiting.append(slot)", "self._waiting.appendleft(slot)",
    ),
    Fault(
        "a WATCH that another caller has ended counts", OURS,
        Connection, "submit_watched", "if epoch != self.watch_epoch:", "if False:",
    ),
    Fault(
        "a WATCH is the next borrower's", "pools that reset nothing",
        Client, "release", "core.watching and lease.active", "False",
    ),
    Fault(
        "a caller with calls under way changes its lane", OURS,
        Lanes, "take", "self._kept.get(caller) or", "",
    ),
    Fault(
        "more connections are opened than there may be", "many a pool",
        Pool, "_dial", "and len(self._places) + len(dials) < settings.max_size", "",
    ),
    Fault(
        "a refused password is passed over", "many a client",
        Handshake, "answered", "elif (step not in optional or _code(reply) == \"NOAUTH\") and not again:", "elif False:",
    ),
    Fault(
        "a replica is not left", "many a client",
        Dials, "_leave_replica", "self.retire(now)", "pass",
    ),
    Fault(
        "a given-up BLPOP takes an element", "many a client",
        Connection, "_follow_abandonment", "elif slot.may_act_later:", "elif False:",
    ),
    Fault(
        "those who wait for another's reply wait for ever once that caller has gone", "many a cache",
        Calls, "_end_read", "for reader in sorted(readers, key=DEADLINE, reverse=True) if gone else readers:",
        "for reader in () if gone else readers:",
    ),
    Fault(
        "a connection that listens is lent again", "many a pool",
        Connection, "close_reason", "if changed or self.state is not READY", "if False",
    ),
    Fault(
        "a connection that was changed is lent again", "many a pool",
        sending, "changes_session", "return isinstance(slot, StatefulBatch) and", "return False and",
    ),
    Fault(
        "deadlines of those in the queue are not looked at", OURS,
        Places, "_refuse_late", "self._note_waiters()", "self._late_at = float('inf')\n    return False",
    ),
    Fault(
        "a dial that has ended counts as under way", OURS,
        Pace, "failed", "self._under_way -= 1", "pass",
    ),
    Fault(
        "a breaker lets none through", OURS,
        Breaker, "refuses", "return self.broken and now < self.until", "return self.broken",
    ),
    Fault(
        "what was sent is told to be NOT_SENT", "many a client",
        Slot, "settle", "self.end <= accepted", "False",
    ),
    Fault(
        "the end of a drain is not told", OURS,
        Client, "_end_drain", "self._drained()", "True",
    ),
    Fault(
        "a server that has vanished is not left", "many a client",
        Timing, "_listen", "if self._flying:", "if False:",
    ),
    Fault(
        "an idle link is not asked whether it is there", OURS,
        Timing, "_listen", "self._send_first(self._ping)", "pass",
    ),
    Fault(
        "an abandoned reply is not skipped", OURS,
        Pairing, "_skip", "del flying[:done]", "pass",
    ),
    Fault(
        "a borrower that keeps its link is reported again and again", OURS,
        Places, "_look", "lease._report_at = inf", "pass",
    ),
    Fault(
        "the rest of a call that was started at rest is lost", OURS,
        Sending, "unsent", "self._blocks.append(rest)", "pass",
    ),
    Fault(
        "a SUNSUBSCRIBE that crosses the moving of its slot shifts the replies", "Redis and Valkey, valkey #1066",
        (stateful, subscriptions), "FENCED", "SUNSUBSCRIBE", "nothing",
    ),
    Fault(
        "a link that has ended keeps its place in the pool", OURS,
        Dials, "_lost", "self._pool.lost(link, now)", "pass",
    ),
)  # fmt: skip


def changed(fault: Fault, function: Any) -> Any:
    """Make the function anew, with the fault in it."""
    plain: Any = function.fget if isinstance(function, property) else inspect.unwrap(function)
    source = textwrap.dedent(inspect.getsource(plain))
    assert source.count(fault.old) == 1, f"{fault.function} has {source.count(fault.old)} times: {fault.old}"
    source = source.replace(fault.old, fault.new)
    # Within a function that knows `__class__`, as methods do that call `super()`.
    wrapped = f"def made(__class__):\n{textwrap.indent(source, '    ')}\n    return {plain.__name__}"
    found: dict[str, Any] = {}
    exec(compile(f"from __future__ import annotations\n{wrapped}", f"<{fault.name}>", "exec"), plain.__globals__, found)
    made = found["made"](fault.owner)
    return staticmethod(made) if isinstance(function, staticmethod) else made


@contextmanager
def constant(fault: Fault) -> Iterator[None]:
    """In the block, a name means something else in all of these modules."""
    for module in fault.owner:
        assert getattr(module, fault.function) == fault.old
        setattr(module, fault.function, fault.new)
    try:
        yield
    finally:
        for module in fault.owner:
            setattr(module, fault.function, fault.old)


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    """In the block, the fault is there."""
    if fault.function.isupper():
        with constant(fault):
            yield
        return
    before = vars(fault.owner)[fault.function]
    made: Callable[..., Any] = changed(fault, before)
    setattr(fault.owner, fault.function, made)
    try:
        yield
    finally:
        setattr(fault.owner, fault.function, before)


def seeds_needed(fault: Fault, most: int = MOST) -> int | None:
    """Return in the how manieth history the fault is found, None if it is not."""
    with planted(fault):
        return next((seed + 1 for seed in range(most) if failure(draw(seed)) is not None), None)


if __name__ == "__main__":
    for one in FAULTS:
        print(f"| {one.name} | {one.where} | {seeds_needed(one)} |", flush=True)

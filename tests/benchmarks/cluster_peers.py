"""What happens to calls while something happens to a cluster: failed, executed twice, lost; seconds without an answer.

    PYTHONPATH=.:adapters:tests python -m benchmarks.cluster_peers [-s kill freeze manual reshard] [-c resp_sync redis-py ...]

Some workers each call once in ten milliseconds: the load is light, for what counts is what becomes of each call. A call is RPUSH
of an id of its own, so afterwards the lists tell what was executed: twice, though it failed, or not though it was acknowledged.
One master of three dies, or is frozen for three seconds, or hands over to its replica, or gives 300 slots with their keys to
another. A call that takes 15 s counts as hung. Each worker has the keys of one shard, so the other shards' outage is what their own
workers see; beside it stands for how long those servers refused everything themselves (CLUSTERDOWN), as plain connections saw.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import random
import re
import sys
import threading
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import resp_sync
from benchmarks.cluster_clients import CLIENTS, OF_TASKS, OF_THREADS, TaskClient, ThreadClient
from benchmarks.peers_bench import table
from clusters import Cluster, Node, as_list, key_in, slot_of, text
from resp_sansio import RespError

if TYPE_CHECKING:
    from collections.abc import Callable

SCENARIOS: Final = ("kill", "freeze", "manual", "reshard")
MOVED: Final = range(300)
KEYS: Final = 20  # of each worker in each range of slots
PACE: Final = 0.01
BEFORE: Final = 1.0  # seconds of calls until it happens
PATIENCE: Final = 15.0
FROZEN: Final = 3.0
COLUMNS: Final = (
    *("answered", "failed", "twice", "lost", "failed but ran", "hung"),
    *("s without, its shard", "s, others", "s, others refuse", "slowest s", "SLOTS", "connections", "MOVED", "ASK"),
)


@dataclass(slots=True)
class Call:
    """One call; `error` is empty if it was acknowledged."""

    key: str
    began: float
    ended: float = 0.0
    error: str = ""


@dataclass(slots=True)
class Run:
    """One client's run: its calls by their ids, when it happened, and what servers counted from then on."""

    keys: list[list[str]]
    calls: dict[str, Call] = field(default_factory=dict)
    hung: int = 0
    happened: float = 0.0
    over: bool = False
    refused: float = 0.0  # seconds
    seen: Counter[str] = field(default_factory=Counter)

    def note(self, name: str, call: Call, error: BaseException | None = None) -> None:
        """A call has ended."""
        call.ended = time.monotonic()
        call.error = "" if error is None else kind_of(error)
        self.calls[name] = call


def kind_of(error: BaseException) -> str:
    """Say what kind of failure it is: of this library's also with what the caller may conclude; numbers are left out."""
    outcome = getattr(error, "outcome", None)
    said = re.sub(r"\d+", "N", str(error))[:70]
    return f"{type(error).__name__}{f' [{outcome.name}]' if outcome else ''}: {said}"


def keys_of(cluster: Cluster, worker: int) -> list[str]:
    """Return keys of one master; of the first one as many in the slots that reshard moves as in others."""
    first, *others = cluster.ranges
    found: list[str] = []
    for slots in ((MOVED, first[len(MOVED) :]), *[(one,) for one in others])[worker % len(cluster.ranges)]:
        named = (key for number in itertools.count() if slot_of(key := f"w{worker}:{number}") in slots)
        found += itertools.islice(named, KEYS)
    return found


def happen(cluster: Cluster, scenario: str) -> None:
    """Do it to the first master."""
    match scenario:
        case "kill":
            cluster.nodes[0].kill()
        case "freeze":
            cluster.nodes[0].freeze()
            time.sleep(FROZEN)
            cluster.nodes[0].thaw()
        case "manual":
            cluster.nodes[3].call("CLUSTER", "FAILOVER")
        case "reshard":
            for slot in MOVED:
                cluster.move(slot, 1, 0)


def counted(node: Node) -> Counter[str]:
    """Return what a server has counted since it was started."""
    facts = node.facts("all")
    found = Counter({"connections": int(facts["total_connections_received"])})
    if (slots := facts.get("cmdstat_cluster|slots")) is not None:
        found["SLOTS"] = int(slots.removeprefix("calls=").split(",")[0])
    for error in ("MOVED", "ASK"):
        found[error] = int(facts.get(f"errorstat_{error}", "count=0").removeprefix("count="))
    return found


def watch(node: Node, key: str, run: Run) -> None:
    """Note for how long this server refuses what is its own, once it has happened."""
    with resp_sync.connect(node.url) as connection:
        began: float | None = None
        while not run.over:
            try:
                connection.execute("GET", key)
            except RespError:
                began = began or time.monotonic()
            else:
                run.refused = max(run.refused, 0.0 if began is None else time.monotonic() - began)
                began = None
            time.sleep(PACE)


def direct(cluster: Cluster, scenario: str, run: Run, tail: float) -> None:
    """Let it happen while the workers call, and end them."""
    time.sleep(BEFORE / 2)
    for node, slots in zip(cluster.nodes[1:], cluster.ranges[1:], strict=False):
        threading.Thread(target=watch, args=(node, key_in(slots), run), daemon=True).start()
    time.sleep(BEFORE / 2)
    before = {node.id: counted(node) for node in cluster.live}
    run.happened = time.monotonic()
    happen(cluster, scenario)
    time.sleep(tail)
    for node in cluster.live:
        after = counted(node)
        run.seen += after - before[node.id] - Counter(connections=1)  # by which it is asked
    run.over = True


def by_threads(client: ThreadClient, cluster: Cluster, run: Run, director: Callable[[], None]) -> None:
    """Call by threads."""
    client.open(cluster.url)

    def work(worker: int) -> None:
        choose = random.Random(worker).choice
        for number in itertools.count():
            if run.over:
                break
            name, call = f"{worker}-{number}", Call(choose(run.keys[worker]), time.monotonic())
            try:
                client.push(call.key, name)
            except Exception as error:  # noqa: BLE001 (what fails is counted)
                run.note(name, call, error)
            else:
                run.note(name, call)
            time.sleep(PACE)

    workers = [threading.Thread(target=work, args=(worker,), daemon=True) for worker in range(len(run.keys))]
    for one in workers:
        one.start()
    director()
    for one in workers:
        one.join(PATIENCE)
    run.hung = sum(one.is_alive() for one in workers)
    client.close()


async def by_tasks(client: TaskClient, cluster: Cluster, run: Run, director: Callable[[], None]) -> None:
    """Call by tasks of asyncio."""
    await client.open(cluster.url)

    async def work(worker: int) -> None:
        choose = random.Random(worker).choice
        for number in itertools.count():
            if run.over:
                break
            name, call = f"{worker}-{number}", Call(choose(run.keys[worker]), time.monotonic())
            limit = asyncio.timeout(PATIENCE)
            try:
                async with limit:
                    await client.push(call.key, name)
            except Exception as error:  # noqa: BLE001 (what fails is counted)
                run.hung += limit.expired()
                run.note(name, call, error)
            else:
                run.note(name, call)
            await asyncio.sleep(PACE)

    async with asyncio.TaskGroup() as group:
        for worker in range(len(run.keys)):
            group.create_task(work(worker))
        await asyncio.to_thread(director)
    await client.close()


def executed(cluster: Cluster, run: Run) -> Counter[str]:
    """Count how often each id is in the lists."""
    found: Counter[str] = Counter()
    owners = {slot_of(key): cluster.node_of(key) for keys in run.keys for key in keys}
    for key in {key for keys in run.keys for key in keys}:
        found.update(map(text, as_list(owners[slot_of(key)].call("LRANGE", key, 0, -1))))
    return found


def without_answer(run: Run, concerns: Callable[[Call], bool]) -> float:
    """Return the longest time without an answer since shortly before it happened, in seconds."""
    ends = sorted(call.ended for call in run.calls.values() if not call.error and concerns(call))
    ends = [end for end in ends if end > run.happened - 0.2]
    return max((later - sooner for sooner, later in itertools.pairwise(ends)), default=-1.0)


def measure(scenario: str, name: str, workers: int, tail: float) -> tuple[dict[str, str], Counter[str]]:
    """Let it happen to one client; return its row, and its failures by kind."""
    with Cluster() as cluster:
        run = Run([keys_of(cluster, worker) for worker in range(workers)])

        def director() -> None:
            direct(cluster, scenario, run, tail)

        if name in OF_TASKS:
            asyncio.run(by_tasks(OF_TASKS[name](), cluster, run, director))
        else:
            by_threads(OF_THREADS[name](), cluster, run, director)
        cluster.wait_until_settled()
        ran = executed(cluster, run)
        hit = MOVED if scenario == "reshard" else cluster.ranges[0]
    failed = {id_: call for id_, call in run.calls.items() if call.error}
    answered = run.calls.keys() - failed
    counts = {
        "answered": len(answered),
        "failed": len(failed),
        "twice": sum(times > 1 for times in ran.values()),
        "lost": len(answered - ran.keys()),
        "failed but ran": len(failed.keys() & ran.keys()),
        "hung": run.hung,
        **{what: run.seen[what] for what in ("SLOTS", "connections", "MOVED", "ASK")},
    }
    seconds = {
        "s without, its shard": without_answer(run, lambda call: slot_of(call.key) in hit),
        "s, others": without_answer(run, lambda call: slot_of(call.key) not in hit),
        "s, others refuse": run.refused,
        "slowest s": max(run.calls[id_].ended - run.calls[id_].began for id_ in answered),
    }
    row = {what: str(count) for what, count in counts.items()}
    row |= {what: f"{taken:.2f}" for what, taken in seconds.items()}
    if scenario == "reshard":  # the mover has a connection for each of its commands, to count with them
        row["connections"] = "-"
    return row, Counter(call.error for call in failed.values())


def main() -> None:
    """Measure, and print a table for each scenario."""
    parser = argparse.ArgumentParser(
        prog="cluster_peers", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("-s", "--scenarios", nargs="+", choices=SCENARIOS, default=SCENARIOS)
    parser.add_argument("-c", "--clients", nargs="+", choices=CLIENTS, default=CLIENTS)
    parser.add_argument("-w", "--workers", type=int, default=6)
    parser.add_argument("-t", "--tail", type=float, default=4.0, help="seconds of calls from then on")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    for scenario in options.scenarios:
        rows: dict[str, dict[str, str]] = {}
        kinds: list[str] = []
        for name in options.clients:
            try:
                rows[name], failures = measure(scenario, name, options.workers, options.tail)
            except Exception as error:  # noqa: BLE001 (the others are measured all the same)
                print(f"{scenario}: {name}: {error!r}", file=sys.stderr)
                continue
            kinds += [f"{name}: {times} times {kind}" for kind, times in failures.most_common(4)]
        table(scenario, rows, COLUMNS)
        print(*kinds, sep="\n", end="\n\n", flush=True)


if __name__ == "__main__":
    main()

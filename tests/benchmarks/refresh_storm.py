"""What a cluster is asked for when a master dies and thousands of clients look for the new one: a simulation in virtual time.

Each client drives a refresher and a map as the client machine does. At 0.0 a master dies, and all its clients see their connections
end; calls to its slots have no server to go to. After a while the others elect its replica, and within some milliseconds of each
other all servers say so. From then on a refresh brings the new map, and the reason is gone. No server is asked that has died.

    python -m benchmarks.refresh_storm [--clients 10000] [--nodes 100] [--outage 2.0] [--seed 1]
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from heapq import heapify, heappop, heappush
from math import inf
from typing import Final, NamedTuple

from resp_sansio.client.refresher import Refresher

__all__ = ["Storm", "storm"]

Place = tuple[str, int]

AGREEMENT: Final = 0.045  # seconds within which servers hear of a change
ANSWER: Final = (0.001, 0.005)  # seconds that an answer takes
DIES: Final = 1000.0  # the moment, long after the first map
FOUND: Final = 0.01  # seconds within which all clients see that their connections are gone


class Storm(NamedTuple):
    """`asked`: when, and which server. `rounds`: refreshes of each client. `seen`: when each client knew the new master."""

    asked: list[tuple[float, int]]
    rounds: list[int]
    seen: list[float]


def storm(clients: int, nodes: int, outage: float, seed: int) -> Storm:
    """Simulate it. Server 0 dies."""
    chance = random.Random(seed)
    places = [("10.0.0.1", 7000 + number) for number in range(nodes)]
    alive, seeds = places[1:], places[:3]
    knows = dict(zip(alive, [outage + chance.random() * AGREEMENT for _ in alive], strict=True))
    refreshers = [Refresher(None) for _ in range(clients)]
    found = Storm([], [0] * clients, [0.0] * clients)
    # when, which client, and which server answers it
    queue: list[tuple[float, int, Place | None]] = []
    for number, refresher in enumerate(refreshers):
        refresher.wanted(0.0, 0.0)  # the first map, long ago
        refresher.begin(0.0, [], seeds, chance.random)
        refresher.answered(0.0, chance.random(), changed=True, settled=True, nodes=nodes)
        queue.append((DIES + chance.random() * FOUND, number, None))
    heapify(queue)
    while queue:
        now, number, place = heappop(queue)
        refresher = refreshers[number]
        if place is not None:
            if place not in refresher.out:
                continue  # the other one has answered before
            new = now - DIES >= knows[place]  # what it knew a moment ago makes no difference here
            refresher.answered(now, chance.random(), changed=new, settled=new, nodes=nodes)
            if new:
                found.seen[number] = now - DIES
        elif now >= refresher.next_deadline():
            found.rounds[number] += 1
            for one in refresher.begin(now, alive, seeds, chance.random):
                found.asked.append((now - DIES, places.index(one)))
                heappush(queue, (now + chance.uniform(*ANSWER), number, one))
        else:
            refresher.wanted(now, chance.random())
        if not refresher.asking and refresher.next_deadline() < inf:
            heappush(queue, (refresher.next_deadline(), number, None))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="What a cluster is asked for when a master dies.")
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--outage", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = storm(given.clients, given.nodes, given.outage, given.seed)
    print(f"{given.clients} clients, {given.nodes} servers, a master is away for {given.outage} s\n")
    print("from s   questions/s   most of one server's, per s")
    tenths: dict[int, Counter[int]] = {}
    for at, server in found.asked:
        tenths.setdefault(int(at * 10), Counter())[server] += 1
    for tenth in range(max(tenths) + 1):
        by = tenths.get(tenth, Counter())
        print(f"{tenth / 10:6.1f} {by.total() * 10:13} {max(by.values(), default=0) * 10:13}")
    totals = Counter([server for _, server in found.asked])
    hundredths = Counter([(int(at * 100), server) for at, server in found.asked])
    late = sorted(seen - given.outage for seen in found.seen)
    mean = len(found.asked) / (given.nodes - 1)
    print(f"\nquestions in all {len(found.asked)}; of one server at most {max(totals.values())}, mean {mean:.0f}")
    print(f"of one server within 10 ms at most {max(hundredths.values())}")
    print(f"refreshes of a client: mean {sum(found.rounds) / given.clients:.1f}, most {max(found.rounds)}")
    print(f"the new master is known after: median {late[len(late) // 2]:.2f} s, last {late[-1]:.2f} s")


if __name__ == "__main__":
    main()

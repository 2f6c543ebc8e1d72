"""What is measured, who takes turns at it, and what is to be reached: the tables that `peers_bench` fills."""

from __future__ import annotations

from typing import Final, NamedTuple

from benchmarks.async_peers import POOL
from benchmarks.peers import KEY, PEERS, THREADS

Workloads = dict[str, tuple[str, str]]  # label -> (what a worker is told, over which socket)

OURS: Final = "resp-sansio"
ASYNC_OURS: Final = "asyncio resp-sansio"
TRIO_OURS: Final = "trio resp-sansio"
SYNC_PEERS: Final = tuple(name for name in PEERS if not name.startswith(f"{OURS} "))
ASYNC_PEERS: Final = ("asyncio floor", "asyncio redis-py+hiredis", "asyncio valkey-glide", ASYNC_OURS)
TRIO_PEERS: Final = ("trio floor", "trio coredis", "trio valkey-glide", TRIO_OURS)

SPEED: Final = {
    "GET 64 B, TCP": (f"command GET {KEY}", "tcp"),
    "GET 64 B, unix socket": (f"command GET {KEY}", "unix"),
    "pipeline of 100 GET": ("pipeline 100", "tcp"),
    "pipeline of 1000 GET": ("pipeline 1000", "tcp"),
    f"{THREADS} threads, one client, GET": ("threads", "tcp"),
    "connect, PING, close": ("visit", "tcp"),
}
STRATEGIES: Final = {"strategies, GET 64 B": (f"command GET {KEY}", "tcp")}
BORROW: Final = {"acquire and release": ("borrow", "tcp")}
ASYNC: Final = {
    "GET 64 B, 1 task": ("tasks 1", "tcp"),
    "GET 64 B, 100 tasks": ("tasks 100", "tcp"),
    "GET 64 B, 1000 tasks": ("tasks 1000", "tcp"),
    "asyncio, pipeline of 100 GET": ("pipeline 100", "tcp"),
    "asyncio, pipeline of 1000 GET": ("pipeline 1000", "tcp"),
}
TRIO: Final = {
    "trio, GET 64 B, 1 task": ("tasks 1", "tcp"),
    "trio, GET 64 B, 100 tasks": ("tasks 100", "tcp"),
    "trio, GET 64 B, 1000 tasks": ("tasks 1000", "tcp"),
    "trio, pipeline of 100 GET": ("pipeline 100", "tcp"),
}
NESTED: Final = {
    "LRANGE, 10k of 32 B": ("command LRANGE bench:list 0 -1", "tcp"),
    "HGETALL, 10k fields": ("command HGETALL bench:hash", "tcp"),
    "XRANGE, 1000 of 5 fields": ("command XRANGE bench:stream - +", "tcp"),
}
LARGE: Final = {
    **NESTED,
    "GET 1 MiB": ("command GET bench:1", "tcp"),
    "GET 16 MiB": ("command GET bench:16", "tcp"),
    "GET 64 MiB": ("command GET bench:64M", "tcp"),
}


def alone(library: str) -> Workloads:
    """The same commands by one connection, by a pool, and by a client."""
    return {f"{library} strategies, 1 task": ("tasks 1", "tcp")}


def shared(library: str) -> Workloads:
    """The same commands by those of them that many tasks share."""
    return {f"{library} strategies, {count} tasks": (f"tasks {count}", "tcp") for count in (100, 1000)}


def waiting(library: str) -> Workloads:
    """So many tasks that most wait for one of the pool's few connections: each operation hands one on."""
    return {f"{library}, pool of {POOL}, {count} tasks": (f"waits {count}", "tcp") for count in (10, 1000)}


def nested(library: str) -> Workloads:
    return {f"{library}, {label}": work for label, work in NESTED.items()}


def strategies(ours: str) -> tuple[str, str, str]:
    return ours, f"{ours} Pool", f"{ours} Client"


class Table(NamedTuple):
    """Workloads, and the peers that take turns at them."""

    name: str
    workloads: Workloads
    peers: tuple[str, ...]
    ours: str = ""  # who is compared with each of the others
    slow: bool = False  # shown in milliseconds rather than in operations per second


TABLES: Final = (
    Table("sync", SPEED, SYNC_PEERS, OURS),
    Table("sync strategies", STRATEGIES, ("floor", "redis-py+hiredis", *strategies(OURS))),
    Table("sync acquire", BORROW, ("floor", "redis-py+hiredis", f"{OURS} Pool")),
    Table("asyncio", ASYNC, ASYNC_PEERS, ASYNC_OURS),
    Table("asyncio alone", alone("asyncio"), ("asyncio floor", "asyncio redis-py+hiredis", *strategies(ASYNC_OURS))),
    Table("asyncio shared", shared("asyncio"), ("asyncio floor", ASYNC_OURS, f"{ASYNC_OURS} Client")),
    Table("asyncio waiters", waiting("asyncio"), ("asyncio floor, pooled", f"{ASYNC_OURS} Pool")),
    Table("trio", TRIO, TRIO_PEERS, TRIO_OURS),
    Table("trio alone", alone("trio"), ("trio floor", "trio coredis", *strategies(TRIO_OURS))),
    Table("trio shared", shared("trio"), ("trio floor", TRIO_OURS, f"{TRIO_OURS} Client")),
    Table("trio waiters", waiting("trio"), ("trio floor, pooled", f"{TRIO_OURS} Pool")),
    Table("large", LARGE, SYNC_PEERS, OURS, slow=True),
    Table("asyncio large", nested("asyncio"), ("asyncio floor", "asyncio redis-py", ASYNC_OURS), ASYNC_OURS, slow=True),
    # redis-py knows no trio: its column is asyncio's.
    Table(
        "trio large",
        nested("trio"),
        ("trio floor", "asyncio redis-py", "trio coredis", TRIO_OURS),
        TRIO_OURS,
        slow=True,
    ),
)
FOOTPRINTS: Final = (
    Table("footprint", {}, SYNC_PEERS, OURS),
    Table("asyncio footprint", {}, ASYNC_PEERS, ASYNC_OURS),
    Table("trio footprint", {}, TRIO_PEERS, TRIO_OURS),
)


class Goal(NamedTuple):
    """How many times better a peer at a workload is to be than another, or than itself at another; without one, how good."""

    ours: tuple[str, str]
    than: tuple[str, str] | None
    goal: str
    measure: str = "wall"


def faster(workload: str, ours: str, than: str, least: float) -> Goal:
    return Goal((workload, ours), (workload, than), f"≥ {least:g}")


def same_for_all(library: str, ours: str) -> Goal:
    """A hand-off to one of a thousand waiters takes as long as to one of ten."""
    few, many = (f"{library}, pool of {POOL}, {count} tasks" for count in (10, 1000))
    return Goal((many, f"{ours} Pool"), (few, f"{ours} Pool"), "about 1", "cpu")


GOALS: Final = (
    faster("GET 64 B, TCP", OURS, "redis-py+hiredis", 1.5),
    faster("GET 64 B, TCP", OURS, "valkey-py+libvalkey", 1.1),
    faster("pipeline of 100 GET", OURS, "redis-py+hiredis", 3),
    faster("pipeline of 1000 GET", OURS, "redis-py+hiredis", 3),
    faster(f"{THREADS} threads, one client, GET", OURS, "redis-py+hiredis", 1.5),
    faster("strategies, GET 64 B", f"{OURS} Pool", "redis-py+hiredis", 1.4),
    faster("strategies, GET 64 B", f"{OURS} Client", OURS, 0.85),
    Goal(("acquire and release", f"{OURS} Pool"), None, "≤ 5 µs of CPU", "cpu"),
    faster("GET 64 B, 1 task", ASYNC_OURS, "asyncio redis-py+hiredis", 2),
    faster("GET 64 B, 100 tasks", ASYNC_OURS, "asyncio redis-py+hiredis", 10),
    faster("GET 64 B, 100 tasks", ASYNC_OURS, "asyncio valkey-glide", 4),
    faster("GET 64 B, 1000 tasks", ASYNC_OURS, "asyncio redis-py+hiredis", 10),
    faster("GET 64 B, 1000 tasks", ASYNC_OURS, "asyncio valkey-glide", 4),
    faster("asyncio, pipeline of 100 GET", ASYNC_OURS, "asyncio redis-py+hiredis", 4),
    faster("asyncio, pipeline of 100 GET", ASYNC_OURS, "asyncio valkey-glide", 1.8),
    faster("asyncio strategies, 1 task", f"{ASYNC_OURS} Pool", "asyncio redis-py+hiredis", 2),
    faster("asyncio strategies, 100 tasks", f"{ASYNC_OURS} Client", ASYNC_OURS, 0.85),
    faster("asyncio strategies, 1000 tasks", f"{ASYNC_OURS} Client", ASYNC_OURS, 0.85),
    same_for_all("asyncio", ASYNC_OURS),
    faster("trio, GET 64 B, 1 task", TRIO_OURS, "trio valkey-glide", 1.6),
    faster("trio, GET 64 B, 1 task", TRIO_OURS, "trio coredis", 3),
    faster("trio, GET 64 B, 100 tasks", TRIO_OURS, "trio valkey-glide", 4),
    faster("trio, GET 64 B, 100 tasks", TRIO_OURS, "trio coredis", 8),
    faster("trio, pipeline of 100 GET", TRIO_OURS, "trio valkey-glide", 1.8),
    faster("trio strategies, 100 tasks", f"{TRIO_OURS} Client", TRIO_OURS, 0.85),
    faster("trio strategies, 1000 tasks", f"{TRIO_OURS} Client", TRIO_OURS, 0.85),
    same_for_all("trio", TRIO_OURS),
    *[faster(label, OURS, "redis-py", 3) for label in NESTED],
    *[faster(label, ASYNC_OURS, "asyncio redis-py", 3) for label in nested("asyncio")],
    *[faster(label, TRIO_OURS, "asyncio redis-py", 3) for label in nested("trio")],
)

"""What is measured, who takes turns at it, and what is to be reached: the tables that `peers_bench` fills."""

from __future__ import annotations

from typing import Final, NamedTuple

from benchmarks.async_peers import POOL
from benchmarks.peers import KEY, PEERS, THREADS

Workloads = dict[str, tuple[str, str]]  # label -> (what a worker is told, over which socket)

OURS: Final = "resp-sansio"  # a client by its methods, which most take
ASYNC_OURS: Final = "asyncio resp-sansio"
TRIO_OURS: Final = "trio resp-sansio"
OTHERS: Final = tuple(name for name in PEERS if not name.startswith(OURS))
ASYNC_OTHERS: Final = ("asyncio floor", "asyncio redis-py+hiredis", "asyncio valkey-glide")
TRIO_OTHERS: Final = ("trio floor", "trio coredis", "trio valkey-glide")

SPEED: Final = {
    "GET 64 B, TCP": (f"command GET {KEY}", "tcp"),
    "GET 64 B, unix socket": (f"command GET {KEY}", "unix"),
    "pipeline of 100 GET": ("pipeline 100", "tcp"),
    "pipeline of 1000 GET": ("pipeline 1000", "tcp"),
    "pipeline of 100, SET and GET": ("writes 100", "tcp"),
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
    "asyncio, pipeline of 100, SET and GET": ("writes 100", "tcp"),
}
TRIO: Final = {
    "trio, GET 64 B, 1 task": ("tasks 1", "tcp"),
    "trio, GET 64 B, 100 tasks": ("tasks 100", "tcp"),
    "trio, GET 64 B, 1000 tasks": ("tasks 1000", "tcp"),
    "trio, pipeline of 100 GET": ("pipeline 100", "tcp"),
    "trio, pipeline of 100, SET and GET": ("writes 100", "tcp"),
}
NESTED: Final = {
    "LRANGE, 10k of 32 B": ("command LRANGE bench:list 0 -1", "tcp"),
    "HGETALL, 10k fields": ("command HGETALL bench:hash", "tcp"),
    "XRANGE, 1000 of 5 fields": ("command XRANGE bench:stream - +", "tcp"),
    "LPOS, 100k integers": ("words LPOS bench:same x COUNT 0", "tcp"),
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


def bare(ours: str) -> tuple[str, str, str]:
    """What most take, and beside it words without methods, and a connection without a client."""
    return ours, f"{ours} words", f"{ours} Connection"


def strategies(ours: str) -> tuple[str, str, str]:
    return f"{ours} Connection", f"{ours} Pool", ours


class Table(NamedTuple):
    """Workloads, and the peers that take turns at them."""

    name: str
    workloads: Workloads
    peers: tuple[str, ...]
    ours: str = ""  # who is compared with each of the others
    slow: bool = False  # shown in milliseconds rather than in operations per second


TABLES: Final = (
    Table("sync", SPEED, (*OTHERS, *bare(OURS)), OURS),
    Table("sync strategies", STRATEGIES, ("floor", "redis-py+hiredis", *strategies(OURS))),
    Table("sync acquire", BORROW, ("floor", "redis-py+hiredis", f"{OURS} Pool")),
    Table("asyncio", ASYNC, (*ASYNC_OTHERS, *bare(ASYNC_OURS)), ASYNC_OURS),
    Table("asyncio alone", alone("asyncio"), ("asyncio floor", "asyncio redis-py+hiredis", *strategies(ASYNC_OURS))),
    Table("asyncio shared", shared("asyncio"), ("asyncio floor", f"{ASYNC_OURS} Connection", ASYNC_OURS)),
    Table("asyncio waiters", waiting("asyncio"), ("asyncio floor, pooled", f"{ASYNC_OURS} Pool")),
    Table("trio", TRIO, (*TRIO_OTHERS, *bare(TRIO_OURS)), TRIO_OURS),
    Table("trio alone", alone("trio"), ("trio floor", "trio coredis", *strategies(TRIO_OURS))),
    Table("trio shared", shared("trio"), ("trio floor", f"{TRIO_OURS} Connection", TRIO_OURS)),
    Table("trio waiters", waiting("trio"), ("trio floor, pooled", f"{TRIO_OURS} Pool")),
    Table("large", LARGE, (*OTHERS, *bare(OURS)[:2]), OURS, slow=True),
    Table(
        "asyncio large",
        nested("asyncio"),
        ("asyncio floor", "asyncio redis-py", "asyncio redis-py+hiredis", *bare(ASYNC_OURS)[:2]),
        ASYNC_OURS,
        slow=True,
    ),
    # redis-py knows no trio: its columns are asyncio's.
    Table(
        "trio large",
        nested("trio"),
        ("trio floor", "asyncio redis-py", "asyncio redis-py+hiredis", "trio coredis", *bare(TRIO_OURS)[:2]),
        TRIO_OURS,
        slow=True,
    ),
)
FOOTPRINTS: Final = (
    Table("footprint", {}, (*OTHERS, OURS, f"{OURS} Connection"), OURS),
    Table("asyncio footprint", {}, (*ASYNC_OTHERS, ASYNC_OURS, f"{ASYNC_OURS} Connection"), ASYNC_OURS),
    Table("trio footprint", {}, (*TRIO_OTHERS, TRIO_OURS, f"{TRIO_OURS} Connection"), TRIO_OURS),
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


def memory(table: str, ours: str) -> tuple[Goal, Goal]:
    """An idle connection, and an idle client with one, in KiB."""
    label = f"{table}KiB per idle connection, as Python counts"
    return (
        Goal((label, f"{ours} Connection"), None, "≤ 4", "value"),
        Goal((label, ours), None, "≤ 7", "value"),
    )


GOALS: Final = (
    faster("GET 64 B, TCP", OURS, "redis-py+hiredis", 2.5),
    faster("GET 64 B, TCP", OURS, "valkey-py+libvalkey", 1.5),
    faster("GET 64 B, TCP", f"{OURS} Connection", "valkey-py+libvalkey", 1.2),
    faster("GET 64 B, TCP", OURS, f"{OURS} words", 0.97),
    faster("pipeline of 100 GET", OURS, "redis-py+hiredis", 3.3),
    faster("pipeline of 100 GET", OURS, "valkey-py+libvalkey", 2.1),
    faster("pipeline of 100, SET and GET", OURS, "redis-py+hiredis", 3.5),
    faster(f"{THREADS} threads, one client, GET", OURS, "redis-py+hiredis", 2.2),
    faster("strategies, GET 64 B", f"{OURS} Pool", "redis-py+hiredis", 2),
    Goal(("acquire and release", f"{OURS} Pool"), None, "≤ 5 µs of CPU", "cpu"),
    faster("GET 64 B, 1 task", ASYNC_OURS, "asyncio redis-py+hiredis", 2.7),
    faster("GET 64 B, 100 tasks", ASYNC_OURS, "asyncio redis-py+hiredis", 15),
    faster("GET 64 B, 100 tasks", ASYNC_OURS, "asyncio valkey-glide", 4.2),
    faster("GET 64 B, 1000 tasks", ASYNC_OURS, "asyncio redis-py+hiredis", 10),
    faster("GET 64 B, 1000 tasks", ASYNC_OURS, "asyncio valkey-glide", 4),
    faster("asyncio, pipeline of 100 GET", ASYNC_OURS, "asyncio redis-py+hiredis", 4),
    faster("asyncio, pipeline of 100 GET", ASYNC_OURS, "asyncio valkey-glide", 2.4),
    faster("asyncio strategies, 1 task", f"{ASYNC_OURS} Pool", "asyncio redis-py+hiredis", 2),
    same_for_all("asyncio", ASYNC_OURS),
    faster("trio, GET 64 B, 1 task", TRIO_OURS, "trio valkey-glide", 2.1),
    faster("trio, GET 64 B, 1 task", TRIO_OURS, "trio coredis", 3),
    faster("trio, GET 64 B, 100 tasks", TRIO_OURS, "trio valkey-glide", 4),
    faster("trio, GET 64 B, 100 tasks", TRIO_OURS, "trio coredis", 8),
    faster("trio, pipeline of 100 GET", TRIO_OURS, "trio valkey-glide", 2.4),
    same_for_all("trio", TRIO_OURS),
    faster("LRANGE, 10k of 32 B", OURS, "redis-py+hiredis", 0.8),
    faster("XRANGE, 1000 of 5 fields", OURS, "redis-py+hiredis", 0.6),
    faster("LPOS, 100k integers", OURS, "redis-py+hiredis", 0.6),
    faster("GET 1 MiB", OURS, "redis-py+hiredis", 1.2),
    *[faster(label, OURS, "redis-py", 3) for label in NESTED],
    *[faster(label, ASYNC_OURS, "asyncio redis-py", 3) for label in nested("asyncio")],
    *[faster(label, TRIO_OURS, "asyncio redis-py", 3) for label in nested("trio")],
    *memory("asyncio, ", ASYNC_OURS),
    *memory("trio, ", TRIO_OURS),
)

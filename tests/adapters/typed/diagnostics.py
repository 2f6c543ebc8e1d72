"""What commands that tell what takes a server's time and memory return on a real server."""

from __future__ import annotations

from typing import Any

from adapters.typed.families import Family, Like, Refused
from resp_sansio import Command, LatencyEvent, LatencyHistogram, LatencySample, LoggedCommand, commands


def is_echo(found: list[LoggedCommand[Any]]) -> bool:
    """Whether the last but one that was logged is an ECHO of this connection's."""
    entry = found[0]
    return (type(entry), entry.arguments, entry.client_name) == (LoggedCommand, [b"ECHO", b"\xff"], "me") and (
        type(entry.amount) is int
    )


def adds_up(found: dict[str, Any]) -> bool:
    """Whether the report on memory has the types that are promised."""
    return (
        type(found["total_allocated"]) is int
        and type(found["dataset_percentage"]) is float
        and type(found["fragmentation"]) is float
        and found["keys_count"] == 1
        and type(found["db"][0]["overhead_hashtable_main"]) is int
    )


def ranks(found: dict[str, Any]) -> bool:
    """Whether one key was counted."""
    return (
        found["tracking_active"] is True
        and found["selected_slots"] == [(0, 16383)]
        and [key for key, _ in found["by_cpu_time_us"]] == [b"hot"]
        and found["by_net_bytes"][0] > (b"hot", 0)
    )


FAMILIES = [
    Family(
        "memory",
        [
            (commands.set("k", "v"), True),
            (commands.memory_usage("k"), Like(int), lambda redis: redis.memory_usage("k")),
            (commands.memory_usage("k", samples=0), Like(int)),
            (commands.memory_usage("none"), None, lambda redis: redis.memory_usage("none")),
            (commands.memory_stats(), Like(dict, adds_up)),
            (commands.memory_doctor(), Like(str)),
            (commands.memory_malloc_stats(), Like(str)),
            (commands.memory_purge(), None),
        ],
    ),
]

ALONE = [
    Family(
        "the log of slow commands",
        [
            (commands.client_setname("me"), None),
            (commands.slowlog_reset(), None),
            (commands.slowlog_get(), []),
            (commands.config_set("slowlog-log-slower-than", 0), None),
            (commands.echo(b"\xff"), b"\xff"),
            (commands.slowlog_get(1), Like(list, is_echo)),
            (commands.slowlog_len(), 3),
        ],
    ),
    Family(
        "the log of commands",
        [
            (commands.client_setname("me"), None),
            (commands.config_set("commandlog-execution-slower-than", 0), None),
            (commands.echo(b"\xff"), b"\xff"),
            (commands.commandlog_get(1, "slow"), Like(list, is_echo)),
            (commands.commandlog_get(-1, "large-reply"), []),
            (commands.commandlog_len("large-request"), 0),
            (commands.commandlog_reset("slow"), None),
            (commands.commandlog_len("slow"), 1),  # the one before this
        ],
        needs=("COMMANDLOG",),
    ),
    Family(
        "pauses",
        [
            (commands.latency_latest(), []),
            (commands.latency_history("command"), []),
            (commands.latency_graph("command"), Refused("ERR")),  # there was none
            (commands.config_set("latency-monitor-threshold", 1), None),
            (Command("DEBUG", "SLEEP", "0.01", read=commands.config_set("a", "b").read), None),
            (commands.latency_history("command"), Like(list, lambda found: type(found[0]) is LatencySample)),
            (
                commands.latency_latest(),
                Like(list, lambda found: (type(found[0]), found[0].event) == (LatencyEvent, "command")),
            ),
            (commands.latency_graph("command"), Like(str, lambda text: text.startswith("command - high"))),
            (commands.latency_doctor(), Like(str)),
            (commands.latency_reset("command", "none"), 1),
            (commands.latency_reset(), 0),
        ],
    ),
    Family(
        "histograms",
        [
            (commands.config_resetstat(), None),
            (commands.echo("m"), b"m"),
            (
                commands.latency_histogram("echo", "get"),
                Like(dict, lambda found: [*found] == ["echo"] and sum(found["echo"].histogram_usec.values()) == 1),
            ),
            (commands.latency_histogram(), Like(dict, lambda found: type(found["echo"]) is LatencyHistogram)),
        ],
        needs=("Redis 7.0",),
    ),
    Family(
        "hot keys",
        [
            (commands.hotkeys_get(), None),
            (commands.hotkeys_stop(), False),
            (commands.hotkeys_start(cpu=True, net=True, count=5, duration=60, sample=1), None),
            (commands.set("hot", "v"), True),
            (commands.hotkeys_get(), Like(dict, ranks)),
            (commands.hotkeys_stop(), True),
            (commands.hotkeys_reset(), None),
            (commands.hotkeys_get(), None),
        ],
        needs=("HOTKEYS",),
    ),
]
"""What no server may be asked that other tests use."""

"""Commands that tell what takes a server's time and memory."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import given
from .arguments_server import Logged, counted, followed
from .command import Command
from .readers import done, maybe_whole, stored, whole
from .readers_diagnostics import (
    HotKeys,
    LatencyEvent,
    LatencyHistogram,
    LatencySample,
    LoggedCommand,
    MemoryStats,
    hot_keys,
    latency_events,
    latency_histograms,
    latency_samples,
    logged_commands,
    memory_report,
)
from .readers_own import own_text

# -- time ------------------------------------------------------------------------------------------------------------------------


def slowlog_get(count: int | None = None) -> Command[list[LoggedCommand[bytes]]]:
    """Return the slowest commands of late, the last one first: 10 if not told otherwise, all for -1 (Redis 7.0)."""
    return Command("SLOWLOG GET", *counted("SLOWLOG GET", count=count)[1:], read=logged_commands)


def slowlog_len() -> Command[int]:
    """Return how many commands `slowlog_get` could return."""
    return Command("SLOWLOG LEN", read=whole)


def slowlog_reset() -> Command[None]:
    """Forget the slow commands."""
    return Command("SLOWLOG RESET", read=done)


def commandlog_get(count: int, type: Logged) -> Command[list[LoggedCommand[bytes]]]:
    """Return commands that were slow, or whose request or reply was large, the last one first; all for -1 (Valkey 8.1)."""
    return Command("COMMANDLOG GET", count, type, read=logged_commands)


def commandlog_len(type: Logged) -> Command[int]:
    """Return how many commands `commandlog_get` could return (Valkey 8.1)."""
    return Command("COMMANDLOG LEN", type, read=whole)


def commandlog_reset(type: Logged) -> Command[None]:
    """Forget the commands of this kind (Valkey 8.1)."""
    return Command("COMMANDLOG RESET", type, read=done)


def latency_doctor() -> Command[str]:
    """Return what the server makes of its pauses, in prose."""
    return Command("LATENCY DOCTOR", read=own_text)


def latency_graph(event: Argument) -> Command[str]:
    """Return a drawing of how long an event took lately."""
    return Command("LATENCY GRAPH", event, read=own_text)


def latency_histogram(*commands: Argument) -> Command[dict[str, LatencyHistogram]]:
    """Return how often these commands, or all, took how long, by name (Redis 7.0)."""
    return Command("LATENCY HISTOGRAM", *commands, read=latency_histograms)


def latency_history(event: Argument) -> Command[list[LatencySample]]:
    """Return how long an event took lately."""
    return Command("LATENCY HISTORY", event, read=latency_samples)


def latency_latest() -> Command[list[LatencyEvent]]:
    """Return for each kind of event how long the last one took, and the longest."""
    return Command("LATENCY LATEST", read=latency_events)


def latency_reset(*events: Argument) -> Command[int]:
    """Forget how long these events took, or all; return how many kinds that were."""
    return Command("LATENCY RESET", *events, read=whole)


# -- memory ----------------------------------------------------------------------------------------------------------------------


def memory_doctor() -> Command[str]:
    """Return what the server makes of its use of memory, in prose."""
    return Command("MEMORY DOCTOR", read=own_text)


def memory_malloc_stats() -> Command[str]:
    """Return what the allocator says of itself, in prose."""
    return Command("MEMORY MALLOC-STATS", read=own_text)


def memory_purge() -> Command[None]:
    """Give memory that is free back to the system."""
    return Command("MEMORY PURGE", read=done)


def memory_stats() -> Command[MemoryStats]:
    """Return what the server's memory is used for."""
    return Command("MEMORY STATS", read=memory_report)


def memory_usage(key: Argument, *, samples: int | None = None) -> Command[int | None]:
    """Return how many bytes a key takes, None if there is none; it looks at so many of its elements (0: all)."""
    return Command("MEMORY USAGE", key, *counted("MEMORY USAGE", samples=samples), read=maybe_whole)


# -- keys that are asked for most ----------------------------------------------------------------------------------------------


def hotkeys_start(
    *slots: int,
    cpu: bool = False,
    net: bool = False,
    count: int | None = None,
    duration: int | None = None,
    sample: int | None = None,
) -> Command[None]:
    """Begin to count which keys take most time (`cpu`) or most of the network (`net`), in these slots alone (Redis 8.6).

    Tell the first `count`; end by itself after `duration` seconds; look at one command of `sample`.
    """
    metrics = given("HOTKEYS START", cpu=cpu, net=net)
    if not metrics:
        raise ValueError("hotkeys_start must be told what to count: cpu or net")
    options = counted("HOTKEYS START", count=count, duration=duration, sample=sample)
    chosen = followed("SLOTS", (len(slots), *slots)) if slots else ()
    return Command("HOTKEYS START", "METRICS", len(metrics), *metrics, *options, *chosen, read=done)


def hotkeys_stop() -> Command[bool]:
    """End the counting, and keep what was counted; had it begun? (Redis 8.6)"""
    return Command("HOTKEYS STOP", read=stored)


def hotkeys_get() -> Command[HotKeys[bytes] | None]:
    """Return which keys take most, None if none were counted (Redis 8.6)."""
    return Command("HOTKEYS GET", read=hot_keys)


def hotkeys_reset() -> Command[None]:
    """Forget what was counted (Redis 8.6)."""
    return Command("HOTKEYS RESET", read=done)

"""What the builders of commands that tell what takes a server's time and memory send."""

from __future__ import annotations

from core.commands.rows import Beside, Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.slowlog_get(), "SLOWLOG GET"),
    (commands.slowlog_get(-1), "SLOWLOG GET -1"),
    (commands.slowlog_len(), "SLOWLOG LEN"),
    (commands.slowlog_reset(), "SLOWLOG RESET"),
    (commands.commandlog_get(5, "large-reply"), "COMMANDLOG GET 5 large-reply"),
    (commands.commandlog_len("slow"), "COMMANDLOG LEN slow"),
    (commands.commandlog_reset("large-request"), "COMMANDLOG RESET large-request"),
    (commands.latency_doctor(), "LATENCY DOCTOR"),
    (commands.latency_graph("command"), "LATENCY GRAPH command"),
    (commands.latency_histogram(), "LATENCY HISTOGRAM"),
    (commands.latency_histogram("get", "set"), "LATENCY HISTOGRAM get set"),
    (commands.latency_history("command"), "LATENCY HISTORY command"),
    (commands.latency_latest(), "LATENCY LATEST"),
    (commands.latency_reset(), "LATENCY RESET"),
    (commands.latency_reset("command", "fork"), "LATENCY RESET command fork"),
    (commands.memory_doctor(), "MEMORY DOCTOR"),
    (commands.memory_malloc_stats(), "MEMORY MALLOC-STATS"),
    (commands.memory_purge(), "MEMORY PURGE"),
    (commands.memory_stats(), "MEMORY STATS"),
    (commands.memory_usage("k"), "MEMORY USAGE k"),
    (commands.memory_usage("k", samples=0), "MEMORY USAGE k SAMPLES 0"),
    (commands.hotkeys_start(cpu=True), "HOTKEYS START METRICS 1 CPU"),
    (
        commands.hotkeys_start(5, 7, cpu=True, net=True, count=10, duration=60, sample=100),
        "HOTKEYS START METRICS 2 CPU NET COUNT 10 DURATION 60 SAMPLE 100 SLOTS 2 5 7",
    ),
    (commands.hotkeys_stop(), "HOTKEYS STOP"),
    (commands.hotkeys_get(), "HOTKEYS GET"),
    (commands.hotkeys_reset(), "HOTKEYS RESET"),
]

REFUSED: Refused = [(commands.hotkeys_start, "hotkeys_start must be told what to count: cpu or net")]

BESIDE: Beside = {commands.hotkeys_start: {"cpu": True}}

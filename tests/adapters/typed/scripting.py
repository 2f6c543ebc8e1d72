"""What commands that run scripts return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family, Refused
from resp_sansio import commands

DIGEST = b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db"  # of "return 1"

FAMILIES = [
    Family(
        "scripting",
        [
            (
                commands.eval("return {KEYS[1], ARGV[1], 1, redis.status_reply('fine')}", 1, "k", "a"),
                [b"k", b"a", 1, "fine"],
            ),
            (commands.script_exists(DIGEST, "0" * 40), [False, False]),
            (commands.script_load("return 1"), DIGEST),
            (commands.script_exists(DIGEST), [True]),
            (commands.evalsha(DIGEST, 0), 1),
        ],
    ),
    Family(
        "scripting since Redis 7.0",
        [
            (
                commands.eval_ro("return {KEYS[1], 1}", 1, "k"),
                [b"k", 1],
                lambda redis: redis.eval_ro("return {KEYS[1], 1}", 1, "k"),
            ),
            (commands.script_load("return 1"), DIGEST),
            (commands.evalsha_ro(DIGEST, 0), 1),
            (commands.script_kill(), Refused("NOTBUSY")),
            (commands.script_flush(), None),
            (commands.script_flush(asynchronous=True), None),
            (commands.script_flush(sync=True), None),
            (commands.script_exists(DIGEST), [False]),
        ],
        needs=("Redis 7.0",),
    ),
    Family(
        "scripting of Valkey 8.0",
        [(commands.script_load("return 1"), DIGEST), (commands.script_show(DIGEST), b"return 1")],
        needs=("SCRIPT SHOW",),
    ),
]

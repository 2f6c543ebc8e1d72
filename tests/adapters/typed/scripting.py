"""What commands that run scripts return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family
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
]

"""Commands on count-min sketches, with what each returns."""

from __future__ import annotations

from core.commands.recorded import Like, Steps
from resp_sansio import ReplyError, commands

MOST = 2**32 - 1

STEPS: Steps = [
    (commands.cms_initbydim("m", 100, 3), None),
    (commands.cms_initbydim("n", 100, 3), None),
    (commands.cms_initbyprob("p", 0.01, 0.25), None),
    (commands.cms_incrby("m", {"a": 5, "b": 3}), [5, 3]),
    (commands.cms_incrby("m", {"a": 1}), [6]),
    (commands.cms_incrby("n", {"a": 10}), [10]),
    (commands.cms_query("m", "a", "b", "none"), [6, 3, 0]),
    (commands.cms_info("m"), {"width": 100, "depth": 3, "count": 9}),
    (commands.cms_info("p"), {"width": 200, "depth": 2, "count": 0}),
    (commands.cms_merge("n", "m", "n", weights=[2, 1]), None),
    (commands.cms_query("n", "a", "b"), [22, 6]),
    (commands.cms_merge("n", "m"), None),
    (commands.cms_query("n", "a", "b"), [6, 3]),
    (
        commands.cms_incrby("m", {"a": MOST, "b": 1}),
        Like(list, lambda found: type(found[0]) is ReplyError and found[1] == 4),
    ),
]

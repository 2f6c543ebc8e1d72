"""Commands on top lists, with what each returns."""

from __future__ import annotations

from core.commands.recorded import Steps
from resp_sansio import commands

STEPS: Steps = [
    (commands.topk_reserve("t", 2, width=1000, depth=7, decay=0.9), None),
    (commands.topk_reserve("u", 3), None),
    (commands.topk_add("t", "a", "b", "a"), [None, None, None]),
    (commands.topk_incrby("t", {"c": 10}), [b"b"]),
    (commands.topk_incrby("t", {"a": 5, "b": 1}), [None, None]),
    (commands.topk_query("t", "a", "b", "c"), [True, False, True]),
    (commands.topk_count("t", "a", "c", "none"), [7, 10, 0]),
    (commands.topk_list("t"), [b"c", b"a"]),
    (commands.topk_list("u"), []),
    (commands.topk_list_withcount("t"), [(b"c", 10), (b"a", 7)]),
    (commands.topk_list_withcount("u"), []),
    (commands.topk_info("t"), {"k": 2, "width": 1000, "depth": 7, "decay": 0.9}),
]

"""What commands about commands return on a real server."""

from __future__ import annotations

from typing import Any

from adapters.typed.families import Family, Like
from resp_sansio import CommandDetails, KeyWithFlags, commands


def is_config(found: list[CommandDetails]) -> bool:
    """Whether it is CONFIG, with its subcommands in an order."""
    names = [each.name for each in found[0].subcommands]
    return (
        "config|get" in names
        and names == sorted(names)
        and {type(each) for each in found[0].subcommands} == {CommandDetails}
    )


def is_lmove(found: list[CommandDetails]) -> bool:
    """Whether it is LMOVE, with its two keys."""
    return [each["begin_search"] for each in found[0].key_specifications] == [
        {"type": "index", "spec": {"index": 1}},
        {"type": "index", "spec": {"index": 2}},
    ]


def is_expire(found: dict[str, Any]) -> bool:
    """Whether it is EXPIRE, with what was changed, and its arguments down to the last."""
    docs = found["expire"]
    condition = docs["arguments"][2]
    return (
        (docs["since"], docs["group"], [version for version, _ in docs["history"]]) == ("1.0.0", "generic", ["7.0.0"])
        and (docs["arguments"][0]["name"], docs["arguments"][0]["key_spec_index"]) == ("key", 0)
        and (condition["flags"], [each["token"] for each in condition["arguments"]])
        == ({"optional"}, ["NX", "XX", "GT", "LT"])
    )


FAMILIES = [
    Family(
        "commands",
        [
            (commands.command_count(), Like(int), lambda redis: redis.command_count()),
            (commands.command_info("get", "none"), Like(list, lambda found: (found[0].arity, found[1]) == (2, None))),
            (
                commands.command_info("get"),
                Like(list, lambda found: found[0][2:6] == ({"readonly", "fast"}, 1, 1, 1)),
            ),
            (commands.command_info(), Like(list, lambda found: {type(each) for each in found} == {CommandDetails})),
            (
                commands.command_getkeys("MSET", "a", 1, "b", 2),
                [b"a", b"b"],
                lambda redis: [*map(str.encode, redis.command_getkeys("MSET", "a", 1, "b", 2))],
            ),
        ],
    ),
    Family(
        "commands since Redis 7.0",
        [
            (commands.command_info("config"), Like(list, is_config)),
            (commands.command_info("lmove"), Like(list, is_lmove)),
            (commands.command_docs("none"), {}),
            (commands.command_docs("expire"), Like(dict, is_expire)),
            (commands.command_docs(), Like(dict, lambda found: "config|get" in found["config"]["subcommands"])),
            (
                commands.command_getkeysandflags("LMOVE", "a", "b", "LEFT", "RIGHT"),
                [KeyWithFlags(b"a", {"RW", "access", "delete"}), KeyWithFlags(b"b", {"RW", "insert"})],
            ),
            (commands.command_list(), Like(list, lambda found: "get" in found)),
            (commands.command_list(module="none"), []),
            (commands.command_list(aclcat="geo"), Like(list, lambda found: "geoadd" in found)),
            (commands.command_list(pattern="xrev*"), ["xrevrange"]),
        ],
        needs=("COMMAND DOCS",),
    ),
]

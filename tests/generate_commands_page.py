"""Write the end of `docs/commands.md`: every command that servers know, with its function, or why it has none.

    PYTHONPATH=. python tests/generate_commands_page.py

The end of `docs/from-redis-py.md` is written along with it, because it lists the same functions.
Commands are those of `resp_sansio/commands/table.py`, functions are the builders; both are read, neither is run. A command without
a function has a reason in `REASONS`. A test holds that there is no third kind, and that the page is what this script writes.
"""

from __future__ import annotations

import ast
from typing import Final

from generate_methods import BUILDERS, ROOT, Builder, Source, read_builders, read_groups
from resp_sansio.commands.table import TABLE

PAGE: Final = ROOT / "docs" / "commands.md"
START: Final = "## All of them\n"

TITLES: Final = {
    "generic": "Keys",
    "hyperloglog": "HyperLogLog",
    "acl": "ACL",
    "json": "JSON",
    "search": "Indexes",
    "search_queries": "Searches",
    "pubsub": "Pub/sub",
    "bloom": "Bloom filters",
    "cuckoo": "Cuckoo filters",
    "count_min": "Count-min sketches",
    "top_k": "Top lists",
    "t_digest": "T-digests",
}
"""What a group is called where its module's name does not say it."""

REASONS: Final = {
    "the handshake sends it: `protocol`, `username`, `password` and `client_name` are options": "HELLO",
    "`transaction()` sends it": "MULTI, EXEC, DISCARD",
    "`transact()` sends it: it watches, reads and writes in one go": "WATCH, UNWATCH",
    "its answers are [pushes](sync.md#pushes-messages-invalidations-monitor): `execute` it on a connection": (
        "SUBSCRIBE, UNSUBSCRIBE, PSUBSCRIBE, PUNSUBSCRIBE, SSUBSCRIBE, SUNSUBSCRIBE"
    ),
    "[`monitor()`](monitor.md) reads its answers, which have no end": "MONITOR",
    "refused: after it no caller could say whose reply comes next": "CLIENT REPLY, PSYNC, REPLCONF, SYNC",
    "servers send it to each other": "CLUSTER SYNCSLOTS, RESTORE-ASKING, TRIMSLOTS",
    "for work on the server itself": (
        "DEBUG, PFDEBUG, PFSELFTEST, SCRIPT DEBUG, SENTINEL DEBUG, SENTINEL SIMULATE-FAILURE"
    ),
    "of Redis Software and Redis Cloud alone": "CLIENT MAINT_NOTIFICATIONS",
    "`command_info()` gives the same": "COMMAND",
    "`replicaof` is its newer name": "SLAVEOF",
    "`cluster_replicas` is its newer name": "CLUSTER SLAVES",
    "`sentinel_replicas` is its newer name": "SENTINEL SLAVES",
}
"""Commands that have no function, by the reason. Every HELP has the same one: see `HELP`."""

HELP: Final = "a text for people: `execute` shows it"


def names_in(text: str) -> list[str]:
    """Return the names of a list of them."""
    return [name for part in text.split(",") if (name := " ".join(part.split()))]


def all_builders() -> list[Builder]:
    """Return the builders, group by group, in the order of the methods."""
    return [
        builder
        for group, text in read_groups(ROOT / BUILDERS).items()
        for builder in read_builders(Source(text), group)
    ]


def command_of(builder: Builder) -> str:
    """Return the name of the command that a builder makes."""
    name = ast.literal_eval(builder.words[0])
    if not isinstance(name, str):
        raise TypeError(f"{builder.name} does not begin with its command's name")
    return name


def is_command(name: str) -> bool:
    """Tell whether a name of the table can be sent: of those with subcommands, COMMAND alone means something by itself."""
    return not TABLE[name].startswith("c") or name == "COMMAND"


def reasons() -> dict[str, str]:
    """Return why a command has no function, by its name."""
    found = {name: reason for reason, names in REASONS.items() for name in names_in(names)}
    return found | {name: HELP for name in TABLE if name.endswith(" HELP")}


def since(name: str) -> str:
    """Return what brought a command."""
    return TABLE[name].split(" ", 2)[2]


def title(group: str) -> str:
    """Return what a group is called."""
    return TITLES.get(group) or group.replace("_", " ").capitalize()


def row(builder: Builder) -> str:
    """Return the line of a builder: its command, since when there is one, how it is called, what it returns."""
    shown: list[str] = []
    for parameter in builder.parameters:
        if parameter.by_keyword and not any([each.startswith("*") for each in shown]):
            shown.append("*")
        shown.append(parameter.star + parameter.name)
    call = f"{builder.name}({', '.join(shown)})"
    result = builder.result.replace("Members[", "set[").replace("|", "\\|")
    name = command_of(builder)
    return f"| {name} | {since(name)} | `{call}` | `{result}` |\n"


def written() -> str:
    """Return the end of the page."""
    builders, without = all_builders(), reasons()
    groups: dict[str, list[Builder]] = {}
    for builder in builders:
        groups.setdefault(builder.group, []).append(builder)
    covered = {command_of(builder) for builder in builders}
    known = [name for name in TABLE if is_command(name)]
    page = (
        f"{START}\nOf the {len(known)} commands and subcommands of Redis up to 8.10, its modules, and Valkey up to 9.2,"
        f" {len(covered)} have a function.\n"
        f"{len(without)} have none for a reason, which [stands at the end](#without-a-function).\n\n"
    )
    page += "| Group | Commands | Functions |\n|---|--:|--:|\n"
    for group, members in groups.items():
        page += f"| {title(group)} | {len({command_of(builder) for builder in members})} | {len(members)} |\n"
    page += "\nParameters behind `*` are given by keyword. A parameter with a `*` of its own takes any number of arguments.\n"
    page += '"Since" is the version that brought the command; an option may be younger, as its function\'s docstring says.\n'
    for group, members in groups.items():
        page += f"\n### {title(group)}\n\n| Command | Since | Function | Result |\n|---|---|---|---|\n"
        page += "".join(map(row, members))
    page += "\n### Without a function\n\n`execute` sends them where they are not refused.\n"
    page += "\n| Command | Since | Why |\n|---|---|---|\n"
    page += "".join([f"| {name} | {since(name)} | {without[name]} |\n" for name in known if name in without])
    return page


def main() -> None:
    """Write it."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text[: text.index(START)] + written(), encoding="utf-8")


if __name__ == "__main__":
    main()
    import generate_from_redis_py  # it lists functions by what stands above

    generate_from_redis_py.main()

"""How figures of a server are drawn: one frame, in two columns where there is room for them, else in one.

What does not fit is left out from the end of each table, and the table says how many lines it lacks.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from .._info import size
from .._words import NOTHING, age, duration, per_second, rate, share, traffic

if TYPE_CHECKING:
    from rich.console import RenderableType

    from .figures import Figures

__all__ = ["TWO_COLUMNS", "columns", "frame", "named", "servers", "table"]

TWO_COLUMNS: Final = 160
"""Characters from which on there is room for two columns."""

RIGHT: Final = 5
"""Rows that the tables beside that of the commands are given where one column is cut."""


def frame(figures: Figures, title: str, width: int, height: int | None, more: Sequence[RenderableType] = ()) -> Group:
    """Draw a server's figures for a screen of this size; without a height, all rows. `more` stands behind the tables."""
    head: list[RenderableType] = [heading(figures, title), overview(figures)]
    if width >= TWO_COLUMNS:
        rows = None if height is None else max(height - 12, 3)
        left = [commands(figures, rows), errors(figures)]
        right = [libraries(figures, RIGHT), slow_log(figures, RIGHT), events(figures), *more]
        return Group(*head, columns(left, right))
    # Heading, overview, titles and heads of three tables: what is left is for rows.
    rows = None if height is None else max(height - 8 - 3 * 3 - 2 * RIGHT, 3)
    few = None if height is None else RIGHT
    return Group(
        *head,
        commands(figures, rows),
        errors(figures),
        libraries(figures, few),
        slow_log(figures, few),
        events(figures),
        *more,
    )


def servers(found: Mapping[str, Figures | str], title: str, most: int | None) -> RenderableType:
    """Draw the servers of a cluster, a line for each."""
    heads = ["server", "role", "cmds/s", "hits", "clients", "memory", "cpu", "trip"]
    rows = [
        [
            address,
            one.role,
            rate(one.operations),
            share(one.hit_rate),
            f"{one.clients:,}",
            size(one.memory),
            share(one.cpu),
            duration(one.round_trip),
        ]
        if not isinstance(one, str)
        else [address, "no answer", *[NOTHING] * 6]
        for address, one in found.items()
    ]
    silent = [f"{address}: {one}" for address, one in found.items() if isinstance(one, str)]
    return Group(table(title, heads, rows, most, "none", texts=2), *[Text(line, "red") for line in silent[:RIGHT]])


def columns(left: Sequence[RenderableType], right: Sequence[RenderableType]) -> Table:
    """Draw two columns side by side."""
    both = Table.grid(expand=True, padding=(0, 2, 0, 0))
    both.add_column(ratio=1)
    both.add_column(ratio=1)
    both.add_row(Group(*left), Group(*right))
    return both


def heading(figures: Figures, title: str) -> Text:
    """Draw what the server is, in one line."""
    line = Text(f"{figures.server} {figures.version}", "bold", overflow="ellipsis", no_wrap=True)
    words = [figures.mode, figures.role, title, f"up {age(figures.uptime)}"]
    return line.append(" · " + " · ".join(words), "not bold")


def overview(figures: Figures) -> Table:
    """Draw the figures of the server as a whole."""
    limit = f" of {size(figures.memory_limit)}" if figures.memory_limit else ""
    cells = [
        ("commands", per_second(figures.operations)),
        ("hit rate", share(figures.hit_rate)),
        ("clients", f"{figures.clients:,} of {figures.max_clients:,}, {figures.blocked:,} blocked"),
        ("opened", per_second(figures.opened)),
        ("keys", f"{figures.keys:,}"),
        ("memory", size(figures.memory) + limit),
        ("received", traffic(figures.received)),
        ("cpu", share(figures.cpu)),
        ("evicted", f"{per_second(figures.evicted)}, expired {per_second(figures.expired)}"),
        ("sent", traffic(figures.sent)),
        ("round trip", duration(figures.round_trip)),
        ("refused", f"{per_second(figures.rejected)} connections"),
    ]
    return named(cells, 3)


def named(cells: Sequence[tuple[str, str]], across: int) -> Table:
    """Draw names and values, so many side by side."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    for _ in range(across):
        grid.add_column(style="cyan", no_wrap=True)
        grid.add_column(min_width=12, no_wrap=True)
    for start in range(0, len(cells), across):
        row = cells[start : start + across]
        grid.add_row(*(part for name, value in row for part in (Text(name), Text(value, "bold"))))
    return grid


def table(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], most: int | None, empty: str, texts: int = 1
) -> RenderableType:
    """Draw a table; nothing but a line if there are no rows. The first columns, so many, are texts, and shortened if need be.

    The others are figures, which are never shortened: a figure that lacks its end is another.
    """
    if not rows:
        return Text.assemble("\n", (title, "bold"), f": {empty}")
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    for number, head in enumerate(heads):
        is_text = number < texts
        # rich takes room from the columns that may wrap; the cells of texts then don't, and end in an ellipsis.
        drawn.add_column(
            head, justify="left" if is_text else "right", no_wrap=not is_text, max_width=40, header_style="cyan"
        )
    shown = rows if most is None or len(rows) <= most else rows[: max(most - 1, 1)]
    for row in shown:
        cells = [Text(cell, no_wrap=True, overflow="ellipsis") for cell in row]
        drawn.add_row(*cells)
    left_out = len(rows) - len(shown)
    parts: list[RenderableType] = [Text.assemble("\n", (title, "bold")), drawn]
    return Group(*parts, *([Text(f"and {left_out} more", "dim")] if left_out else []))


def commands(figures: Figures, most: int | None) -> RenderableType:
    """Draw what each command costs."""
    heads = ["command", "calls/s", "each", "time", "failed/s", "p50", "p99"]
    rows = [
        [
            one.name,
            rate(one.calls),
            _microseconds(one.microseconds),
            share(one.share),
            rate(one.failed),
            _microseconds(one.p50),
            _microseconds(one.p99),
        ]
        for one in figures.commands
    ]
    empty = "nothing to compare with yet" if figures.seconds is None else "none"
    return table(
        "Commands (p50 and p99 since the server began to count)", heads, rows, most, _refused(figures, "info") or empty
    )


def errors(figures: Figures) -> RenderableType:
    """Draw which errors were answered."""
    told = ", ".join(f"{name} {per_second(count)}" for name, count in figures.errors.items())
    return Text.assemble("\n", ("Errors", "bold"), f": {told or 'none'}")


def libraries(figures: Figures, most: int | None) -> RenderableType:
    """Draw whose the connections are."""
    heads = ["library", "open", "opened/s", "blocked", "listen", "memory", "idle"]
    rows = [
        [
            one.name,
            f"{one.connections:,}",
            rate(one.opened),
            f"{one.blocked:,}",
            f"{one.subscribed:,}",
            size(one.memory),
            age(one.idle),
        ]
        for one in figures.libraries or ()
    ]
    return table("Connections by library", heads, rows, most, _refused(figures, "clients") or "none but this one")


def slow_log(figures: Figures, most: int | None) -> RenderableType:
    """Draw the newest entries of the slow log."""
    rows = [
        [
            one.command,
            duration(one.seconds),
            f"{one.arguments:,}",
            _moment(one.at),
            one.client or NOTHING,
        ]
        for one in figures.slow or ()
    ]
    heads = ["slow command", "took", "arguments", "at", "client"]
    return table("Slow log, newest first", heads, rows, most, _refused(figures, "slow") or "empty")


def events(figures: Figures) -> RenderableType:
    """Draw what the latency monitor has seen."""
    told = ", ".join(
        f"{one.name} {duration(one.latest)} (longest {duration(one.longest)})" for one in figures.events or ()
    )
    return Text.assemble("\n", ("Latency events", "bold"), f": {_refused(figures, 'latency') or told or 'none'}")


def _moment(at: int) -> str:
    """Return a time of the server's by the clock here; a dash if there is none such."""
    try:
        return f"{datetime.datetime.fromtimestamp(at, datetime.UTC).astimezone():%m-%d %H:%M:%S}"
    except (OSError, OverflowError, ValueError):
        return NOTHING


def _microseconds(value: float | None) -> str:
    return duration(None if value is None else value / 1e6)


def _refused(figures: Figures, name: str) -> str:
    """Say that a question was refused, and what allows it if it is the user's rights that do not."""
    allowed: dict[str, str] = {
        "info": "+info",
        "clients": "+client|list",
        "slow": "+slowlog|get",
        "latency": "+latency|latest",
    }
    match code := figures.refused.get(name, ""):
        case "":
            return ""
        case "NOPERM":
            return f"refused ({code}); ACL SETUSER <user> {allowed[name]} allows it"
        case "ERR":  # a Sentinel, a proxy, or a command that was renamed
            return f"not offered by this server ({code})"
        case _:
            return f"refused ({code})"

"""How the figures of a client in this process are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from .._watch.frames import named, table
from .._words import duration, per_second, rate

if TYPE_CHECKING:
    from .watcher import ClientFigures

__all__ = ["client_frame"]


def client_frame(found: ClientFigures, most: int | None) -> Group:
    """Draw it, with so many commands at most."""
    closed = ", ".join(f"{count} {reason.lower().replace('_', ' ')}" for reason, count in found.closed.items())
    opening = ", ".join(f"{name} {duration(value)}" for name, value in found.opening.items())
    cells = [
        ("calls", per_second(found.calls)),
        ("errors", per_second(found.errors)),
        ("retries", per_second(found.retries)),
        ("opened", f"{per_second(found.opened)}, {found.opened_total:,} in all"),
        ("failed dials", per_second(found.failed_dials)),
        ("late replies", per_second(found.late_replies)),
    ]
    rows = [
        [
            one.command,
            rate(one.calls),
            duration(one.p50),
            duration(one.p99),
            duration(one.queued),
            duration(one.network),
            rate(one.errors),
            rate(one.retries),
        ]
        for one in found.commands
    ]
    heads = ["command", "calls/s", "p50", "p99", "queued", "network", "errs/s", "retry/s"]
    lines = [
        ("Last connection", opening or "none yet"),
        ("Closed", closed or "none"),
        *((f"Shared {number}", line) for number, line in enumerate(found.shared, 1)),
    ]
    if found.lent is not None:
        waited = f"; waited {per_second(found.waits)}, p99 {duration(found.wait_p99)}" if found.waits else ""
        lines.append(("Lent", found.lent + waited))
    return Group(
        Text(f"Client, in {duration(found.seconds)}", "bold"),
        named(cells, 3),
        *(Text.assemble((f"{name}: ", "cyan"), line) for name, line in lines),
        table("Calls (queued and network are means)", heads, rows, most, "none that a Watcher was told"),
    )

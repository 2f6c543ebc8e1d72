"""The figures as tables, and the advice as text: for a terminal of 80 columns or more, or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .advice import advise, chosen
from .figures import PERCENTILES, Comparison, Figures

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["method", "show"]

WIDE: int = 100
"""From so many columns on there is room for how much the rounds differed."""


def show(found: Comparison, console: Console) -> None:
    """Print all of it."""
    advised = chosen(found)
    console.print(f"{found.load}\n{found.server}; {found.client}\n", markup=False, style="dim")
    for library, callers in found.groups:
        figures = found.of(library, callers)
        console.print(_title(library, callers, next(iter(figures.values())).rate))
        console.print(_table(figures, advised.get((library, callers)), wide=console.width >= WIDE))
        console.print()
    console.print(method(found), markup=False, style="dim")
    for one in advise(found):
        console.print()
        console.print(Text(one.text, style="bold"))
        console.print(_reasons(one.reason, one.change))


def method(found: Comparison) -> str:
    """Say in a paragraph how it was measured."""
    share = f", {found.share:.0%} of what the slowest strategy did" if found.share else ""
    noise = max((figures.noise for figures in found.figures), default=0.0)
    rounds = "1 round" if found.rounds == 1 else f"{found.rounds} interleaved rounds"
    steady = f", whose ops/s differ by up to {noise:.0%} from them" if found.rounds > 1 else ""
    return (
        f"ops/s: each caller asks again when it is answered (a pipeline: {found.batch} commands at a time; a pool: up to"
        f" {found.pool_size} connections). Latencies: operations arrive at random at the stated rate{share}, and each counts from"
        f" when it was due. Every run in a process of its own, for some {found.seconds:.1f} s; medians of"
        f" {rounds}{steady}."
    )


def _title(library: str, callers: int, rate: float) -> Text:
    number = "1 caller" if callers == 1 else f"{callers:,} callers"
    return Text.assemble((f"{library}, {number}", "bold"), f"; latencies at {rate:,.0f} operations/s")


def _table(figures: dict[str, Figures], advised: str | None, *, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1 + wide, 0, 0), header_style="dim")
    table.add_column("strategy", no_wrap=True, min_width=10)
    small = any(one.small for one in figures.values())
    columns = [("", "ops/s", 7)]
    columns += [("", "±", 4)] if wide else []
    columns += [(name, "ms", 6) for name in PERCENTILES]
    columns += [("small", "p99 ms", 6)] if small else []
    columns += [("conn-", "ections", 7)] if wide else [("", "conn.", 5)]
    columns += [("client", "µs/op", 6), ("server", "µs/op", 6), ("cmds/", "write", 5)]
    for above, below, width in columns:
        table.add_column(f"{above}\n{below}", justify="right", no_wrap=True, min_width=width)
    for strategy, one in figures.items():
        cells = [f"{one.throughput:,.0f}"]
        cells += [f"{one.noise:.0%}"] if wide else []
        cells += [_ms(one.latency.get(name)) for name in PERCENTILES]
        cells += [_ms(one.small.get("p99"))] if small else []
        cells += [
            f"{one.connections}",
            _number(_micro(one.client_cpu)),
            _number(_micro(one.server_cpu)),
            _number(one.per_write),
        ]
        table.add_row(strategy, *cells, style="bold" if strategy == advised else "")
    return table


def _reasons(reason: str, change: str) -> Padding:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column()
    grid.add_row("why:", Text(reason))
    grid.add_row("changes with:", Text(change))
    return Padding(grid, (0, 0, 0, 2))


def _ms(seconds: float | None) -> str:
    return _number(None if seconds is None else seconds * 1e3)


def _micro(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e6


def _number(value: float | None) -> str:
    """Return three digits of it, a dash where there is none."""
    return (
        "-" if value is None else f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"
    )

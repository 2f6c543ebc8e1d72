"""The figures as a chart: throughput and latency against the number of callers, a line for each strategy.

The background is transparent and all colours are of middle brightness, so that it can be read on a light page and on a dark one.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

from .figures import Comparison
from .meter import STRATEGIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PlotMissingError", "draw"]

INK: Final = "#808080"
LINES: Final = {
    "pool": ("#d9730d", "o"),
    "connection": ("#8f6fd8", "s"),
    "pipeline": ("#2f9e6e", "^"),
    "client": ("#2f81f7", "D"),
}
LATENCIES: Final = {"p50": ":", "p99": "-"}


class PlotMissingError(Exception):
    """matplotlib is not installed; the message says how to get it."""


def draw(found: Comparison, path: Path, kind: str) -> None:
    """Write the chart to a file, of this kind: `svg` or `png`. Raises `PlotMissingError`, or `OSError` if it cannot be written."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise PlotMissingError("A chart needs matplotlib: python -m pip install 'resp-sansio[plot]'") from None
    libraries = list(dict.fromkeys(library for library, _ in found.groups))
    style: Any = {
        "font.size": 9,
        "svg.fonttype": "none",
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": INK,
    }
    style |= {"xtick.color": INK, "ytick.color": INK, "svg.hashsalt": "resp-sansio"}
    with rc_context(style):
        # Of one library the two stand side by side, of several one library beside the other.
        alone = len(libraries) == 1
        figure = Figure(figsize=(8, 3.8) if alone else (1.6 + 3.1 * len(libraries), 6.2), layout="constrained")
        above, below = (
            ([axes] for axes in figure.subplots(1, 2))
            if alone
            else figure.subplots(2, len(libraries), sharex=True, sharey="row")
        )
        for library, throughput, latency in zip(libraries, above, below, strict=True):
            _throughput(found, library, throughput)
            _latency(found, library, latency)
            for axes in (throughput, latency) if alone else (throughput,):
                axes.set_title(library, color=INK)
            for axes in (throughput, latency) if alone else (latency,):
                axes.set_xlabel("callers")
        above[0].set_ylabel("operations per second, bars: rounds")
        below[0].set_ylabel("latency in ms: p99, dotted p50")
        handles, labels = above[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, labelcolor=INK)
        title = [
            wrap(line, 100 if alone else 34 * (1 + len(libraries)))
            for line in (found.load, f"{found.server}; {found.client}")
        ]
        figure.suptitle("\n".join(itertools.chain(*title)), fontsize=8, color=INK, parse_math=False)
        figure.savefig(path, format=kind, transparent=True, dpi=150, metadata={"Date": None} if kind == "svg" else None)


def _throughput(found: Comparison, library: str, axes: Axes) -> None:
    """Draw the medians, and as bars how far a round lay from them."""
    _prepare(found, library, axes)
    for strategy in STRATEGIES:
        colour, marker = LINES[strategy]
        mine = [one for one in found.figures if (one.library, one.strategy) == (library, strategy)]
        callers, medians = [one.callers for one in mine], [one.throughput for one in mine]
        axes.plot(callers, medians, color=colour, marker=marker, markersize=4, label=strategy)
        bars = [one.throughput * min(1.0, one.noise) for one in mine]
        axes.errorbar(callers, medians, bars, color=colour, alpha=0.35, linestyle="none", capsize=2)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def _latency(found: Comparison, library: str, axes: Axes) -> None:
    _prepare(found, library, axes)
    for strategy in STRATEGIES:
        colour, marker = LINES[strategy]
        for name, line in LATENCIES.items():
            points = [
                (one.callers, value * 1e3)
                for one in found.figures
                if (one.library, one.strategy) == (library, strategy) and (value := one.latency.get(name)) is not None
            ]
            if points:
                axes.plot(*zip(*points, strict=True), color=colour, marker=marker, markersize=4, linestyle=line)
    from matplotlib.ticker import LogLocator

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.minorticks_off()


def _prepare(found: Comparison, library: str, axes: Axes) -> None:
    """Callers by their numbers, on a scale on which ten times as many are as far away everywhere; one number in its middle."""
    callers = sorted({callers for one, callers in found.groups if one == library})
    axes.set_xscale("log")
    axes.set_xlim(callers[0] / 1.25, callers[-1] * 1.25)
    axes.set_xticks(callers, [f"{number:,}" for number in callers])
    axes.minorticks_off()
    axes.grid(visible=True, color=INK, alpha=0.25, linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)

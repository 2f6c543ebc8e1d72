"""Figures as people read them: rates, times, shares, ages. What is not known is a dash."""

from __future__ import annotations

from typing import Final

from ._info import size

__all__ = ["NOTHING", "age", "duration", "per_second", "rate", "share", "traffic"]

NOTHING: Final = "-"


def rate(value: float | None) -> str:
    """Return a number of things per second, with as many digits as say something."""
    if value is None:
        return NOTHING
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 0.1 else f"{value:.2g}"


def per_second(value: float | None) -> str:
    """Return the same with its unit."""
    return NOTHING if value is None else f"{rate(value)}/s"


def traffic(value: float | None) -> str:
    """Return bytes per second."""
    return NOTHING if value is None else f"{size(value)}/s"


def share(value: float | None) -> str:
    """Return a share of 1 in percent."""
    return NOTHING if value is None else f"{value * 100:.1f} %"


def duration(seconds: float | None) -> str:
    """Return a short time, in the unit in which it has one to three digits before the point."""
    if seconds is None:
        return NOTHING
    for factor, unit in ((1e6, "µs"), (1e3, "ms")):
        if seconds * factor < 999.5:
            value = seconds * factor
            return f"{value:.0f} {unit}" if value >= 99.5 or value == 0 else f"{value:.1f} {unit}"
    return f"{seconds:.1f} s"


def age(seconds: float) -> str:
    """Return a long time in its two largest units."""
    days, rest = divmod(int(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

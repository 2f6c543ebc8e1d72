"""The arguments of commands on places as words: where they are, where to look for them, how many of them to return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from ..wire.encoder import Argument
from .arguments import exclusive, given, in_turn, is_number, require, wrong_type

__all__ = ["Places", "Unit", "Vertices", "nearest", "places_in_turn", "searching", "storing"]

Unit: TypeAlias = Literal["m", "km", "ft", "mi"]

Places: TypeAlias = Mapping[Any, tuple[float, float]]
"""Members with longitude and latitude: numbers, because text could be read as an option."""

Vertices: TypeAlias = Sequence[tuple[float, float]]
"""The corners of a polygon: longitude and latitude of each."""


def _two(command: str, name: str, value: object) -> tuple[float, float]:
    if not isinstance(value, tuple) or [*map(is_number, value)] != [True, True]:
        raise wrong_type(command, name, "two numbers", value)
    return value


def _one(command: str, name: str, value: float) -> float:
    require(is_number(value), command, name, "a number", value)
    return value


def places_in_turn(places: Places) -> list[Argument]:
    """Return longitude, latitude and member in turn. GEOADD takes text in front of the first longitude for an option."""
    parts: list[Any] = in_turn("GEOADD", "places", places)  # type: ignore[arg-type]  # positions are no arguments yet
    words: list[Argument] = []
    for member, position in zip(parts[::2], parts[1::2], strict=True):
        words += *_two("GEOADD", "every position", position), member
    return words


def searching(
    command: str,
    frommember: Argument | None,
    fromlonlat: tuple[float, float] | None,
    byradius: float | None,
    bybox: tuple[float, float] | None,
    bypolygon: Vertices | None,
    unit: Unit,
    asc: bool,
    desc: bool,
    count: int | None,
    any: bool,
) -> list[Argument]:
    """Return the words for which places to find: in which area, in which order, and how many."""
    words = _area(command, frommember, fromlonlat, byradius, bybox, bypolygon, unit)
    return [*words, *exclusive(command, asc=asc, desc=desc), *nearest(command, count, any)]


def _area(
    command: str,
    frommember: Argument | None,
    fromlonlat: tuple[float, float] | None,
    byradius: float | None,
    bybox: tuple[float, float] | None,
    bypolygon: Vertices | None,
    unit: Unit,
) -> list[Argument]:
    """Return the words for an area: a circle or a box around a place or a point, or a polygon, which is where it is."""
    shape = _the_one("byradius, bybox or bypolygon", byradius=byradius, bybox=bybox, bypolygon=bypolygon)
    if bypolygon is not None:
        _the_one("", bypolygon=bypolygon, frommember=frommember, fromlonlat=fromlonlat)
        if unit != "m":
            raise ValueError("unit and bypolygon exclude each other: distances from a polygon's center are in m")
        return ["BYPOLYGON", *_corners(command, bypolygon)]
    center = _the_one("frommember or fromlonlat", frommember=frommember, fromlonlat=fromlonlat)
    words: list[Argument] = [center.upper()]
    words += [frommember] if frommember is not None else _two(command, center, fromlonlat)
    words.append(shape.upper())
    words += [_one(command, shape, byradius)] if byradius is not None else _two(command, shape, bybox)
    return [*words, unit]


def _corners(command: str, polygon: object) -> list[Argument]:
    if not isinstance(polygon, Sequence) or isinstance(polygon, (str, bytes)):
        raise wrong_type(command, "bypolygon", "a sequence", polygon)
    return [len(polygon), *[part for corner in polygon for part in _two(command, "every corner", corner)]]


def _the_one(all: str, **options: object) -> str:
    """Return the name of the option that is given. Raise `ValueError` if several are, or none."""
    names = [name for name, value in options.items() if value is not None]
    if len(names) > 1:
        raise ValueError(f"{' and '.join(names)} exclude each other")
    if not names:
        raise ValueError(f"give {all}")
    return names[0]


def nearest(command: str, count: int | None, any: bool) -> list[Argument]:
    """Return the words for how many places to return: the nearest, or any, which are found sooner."""
    words = given(command, count=count, any=any)
    if words == ["ANY"]:
        raise ValueError("any says which of them to return: give count, too")
    return words


def storing(store: Argument | None, storedist: Argument | None) -> list[Argument]:
    """Return the words for where to put what was found, as places or with distances as scores."""
    _the_one("store or storedist", store=store, storedist=storedist)
    return ["STORE", store] if store is not None else ["STOREDIST", storedist]  # type: ignore[list-item]  # one is given

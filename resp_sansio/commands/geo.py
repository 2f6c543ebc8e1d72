"""Commands on places: members of a sorted set that have a longitude and a latitude."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import condition, exclusive, given
from .arguments_geo import Places, Unit, Vertices, nearest, places_in_turn, searching, storing
from .command import Command
from .readers import bulks, maybe_number, whole
from .readers_geo import (
    GeoMember,
    GeoPosition,
    geo_distances,
    geo_hashes,
    geo_members,
    geo_numbers,
    geo_places,
    geo_positions,
)


def geoadd(key: Argument, places: Places, *, nx: bool = False, xx: bool = False, ch: bool = False) -> Command[int]:
    """Set where members are, each to its longitude and latitude; return how many are new, with `ch` how many changed.

    Only those that are new (`nx`) or there already (`xx`): Redis 6.2.
    """
    words = [*condition("GEOADD", nx, xx), *given("GEOADD", ch=ch)]
    return Command("GEOADD", key, *words, *places_in_turn(places), read=whole)


def geodist(key: Argument, member1: Argument, member2: Argument, unit: Unit = "m") -> Command[float | None]:
    """Return how far two members are from each other, None if one is not there."""
    return Command("GEODIST", key, member1, member2, unit, read=maybe_number)


def geohash(key: Argument, member: Argument, *members: Argument) -> Command[list[str | None]]:
    """Return the geohash of each member, None for each that is not there."""
    return Command("GEOHASH", key, member, *members, read=geo_hashes)


def geopos(key: Argument, member: Argument, *members: Argument) -> Command[list[GeoPosition | None]]:
    """Return longitude and latitude of each member, None for each that is not there.

    They differ a little from what was added, because the server keeps 52 bits of both.
    """
    return Command("GEOPOS", key, member, *members, read=geo_positions)


def geosearch(
    key: Argument,
    *,
    frommember: Argument | None = None,
    fromlonlat: tuple[float, float] | None = None,
    byradius: float | None = None,
    bybox: tuple[float, float] | None = None,
    bypolygon: Vertices | None = None,
    unit: Unit = "m",
    asc: bool = False,
    desc: bool = False,
    count: int | None = None,
    any: bool = False,
) -> Command[list[bytes]]:
    """Return the members in an area (Redis 6.2).

    Around a member (`frommember`) or a longitude and latitude (`fromlonlat`), within a radius (`byradius`) or a box of
    this width and height (`bybox`), in `unit`; or within a polygon of longitudes and latitudes (`bypolygon`: Valkey 9.0).
    The nearest first (`asc`) or last (`desc`). Up to `count`: the nearest, or `any`, which are found sooner.
    """
    words = searching("GEOSEARCH", frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any)
    return Command("GEOSEARCH", key, *words, read=bulks)


def geosearch_withdist(
    key: Argument,
    *,
    frommember: Argument | None = None,
    fromlonlat: tuple[float, float] | None = None,
    byradius: float | None = None,
    bybox: tuple[float, float] | None = None,
    bypolygon: Vertices | None = None,
    unit: Unit = "m",
    asc: bool = False,
    desc: bool = False,
    count: int | None = None,
    any: bool = False,
) -> Command[list[tuple[bytes, float]]]:
    """As `geosearch`; return members with their distances from the center, in `unit` (of a polygon, in meters)."""
    words = searching("GEOSEARCH", frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any)
    return Command("GEOSEARCH", key, *words, "WITHDIST", read=geo_distances)


def geosearch_withcoord(
    key: Argument,
    *,
    frommember: Argument | None = None,
    fromlonlat: tuple[float, float] | None = None,
    byradius: float | None = None,
    bybox: tuple[float, float] | None = None,
    bypolygon: Vertices | None = None,
    unit: Unit = "m",
    asc: bool = False,
    desc: bool = False,
    count: int | None = None,
    any: bool = False,
) -> Command[list[tuple[bytes, GeoPosition]]]:
    """As `geosearch`; return members with their positions."""
    words = searching("GEOSEARCH", frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any)
    return Command("GEOSEARCH", key, *words, "WITHCOORD", read=geo_places)


def geosearch_withhash(
    key: Argument,
    *,
    frommember: Argument | None = None,
    fromlonlat: tuple[float, float] | None = None,
    byradius: float | None = None,
    bybox: tuple[float, float] | None = None,
    bypolygon: Vertices | None = None,
    unit: Unit = "m",
    asc: bool = False,
    desc: bool = False,
    count: int | None = None,
    any: bool = False,
) -> Command[list[tuple[bytes, int]]]:
    """As `geosearch`; return members with their places as numbers, which are the scores in the sorted set."""
    words = searching("GEOSEARCH", frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any)
    return Command("GEOSEARCH", key, *words, "WITHHASH", read=geo_numbers)


def geosearch_withall(
    key: Argument,
    *,
    frommember: Argument | None = None,
    fromlonlat: tuple[float, float] | None = None,
    byradius: float | None = None,
    bybox: tuple[float, float] | None = None,
    bypolygon: Vertices | None = None,
    unit: Unit = "m",
    asc: bool = False,
    desc: bool = False,
    count: int | None = None,
    any: bool = False,
) -> Command[list[GeoMember[bytes]]]:
    """As `geosearch`; return members with distance, place as a number, and position."""
    words = searching("GEOSEARCH", frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any)
    return Command("GEOSEARCH", key, *words, "WITHDIST", "WITHHASH", "WITHCOORD", read=geo_members)


def geosearchstore(
    destination: Argument,
    source: Argument,
    *,
    frommember: Argument | None = None,
    fromlonlat: tuple[float, float] | None = None,
    byradius: float | None = None,
    bybox: tuple[float, float] | None = None,
    bypolygon: Vertices | None = None,
    unit: Unit = "m",
    asc: bool = False,
    desc: bool = False,
    count: int | None = None,
    any: bool = False,
    storedist: bool = False,
) -> Command[int]:
    """Put what `geosearch` would return in place of `destination`; return how many members that are (Redis 6.2).

    With `storedist` the scores are distances, and the members no longer places.
    """
    words = searching("GEOSEARCHSTORE", frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any)
    words += given("GEOSEARCHSTORE", storedist=storedist)
    return Command("GEOSEARCHSTORE", destination, source, *words, read=whole)


def georadius(
    key: Argument,
    longitude: float,
    latitude: float,
    radius: float,
    unit: Unit,
    *,
    count: int | None = None,
    any: bool = False,
    asc: bool = False,
    desc: bool = False,
) -> Command[list[bytes]]:
    """Return the members within a radius around a longitude and latitude. It is an old command: `geosearch` does the same."""
    words = [*nearest("GEORADIUS", count, any), *exclusive("GEORADIUS", asc=asc, desc=desc)]
    return Command("GEORADIUS", key, longitude, latitude, radius, unit, *words, read=bulks)


def georadius_withall(
    key: Argument,
    longitude: float,
    latitude: float,
    radius: float,
    unit: Unit,
    *,
    count: int | None = None,
    any: bool = False,
    asc: bool = False,
    desc: bool = False,
) -> Command[list[GeoMember[bytes]]]:
    """As `georadius`; return members with distance, place as a number, and position."""
    words = [*nearest("GEORADIUS", count, any), *exclusive("GEORADIUS", asc=asc, desc=desc)]
    words += "WITHDIST", "WITHHASH", "WITHCOORD"
    return Command("GEORADIUS", key, longitude, latitude, radius, unit, *words, read=geo_members)


def georadius_store(
    key: Argument,
    longitude: float,
    latitude: float,
    radius: float,
    unit: Unit,
    *,
    count: int | None = None,
    any: bool = False,
    asc: bool = False,
    desc: bool = False,
    store: Argument | None = None,
    storedist: Argument | None = None,
) -> Command[int]:
    """As `georadius`; put the members in place of `store`, or with distances as scores of `storedist`.

    Return how many members that are. It is an old command: `geosearchstore` does the same.
    """
    words = [*nearest("GEORADIUS", count, any), *exclusive("GEORADIUS", asc=asc, desc=desc)]
    words += storing(store, storedist)
    return Command("GEORADIUS", key, longitude, latitude, radius, unit, *words, read=whole)


def georadius_ro(
    key: Argument,
    longitude: float,
    latitude: float,
    radius: float,
    unit: Unit,
    *,
    count: int | None = None,
    any: bool = False,
    asc: bool = False,
    desc: bool = False,
) -> Command[list[bytes]]:
    """As `georadius`, of which a server knows that it changes nothing."""
    words = [*nearest("GEORADIUS_RO", count, any), *exclusive("GEORADIUS_RO", asc=asc, desc=desc)]
    return Command("GEORADIUS_RO", key, longitude, latitude, radius, unit, *words, read=bulks)


def georadius_ro_withall(
    key: Argument,
    longitude: float,
    latitude: float,
    radius: float,
    unit: Unit,
    *,
    count: int | None = None,
    any: bool = False,
    asc: bool = False,
    desc: bool = False,
) -> Command[list[GeoMember[bytes]]]:
    """As `georadius_withall`, of which a server knows that it changes nothing."""
    words = [*nearest("GEORADIUS_RO", count, any), *exclusive("GEORADIUS_RO", asc=asc, desc=desc)]
    words += "WITHDIST", "WITHHASH", "WITHCOORD"
    return Command("GEORADIUS_RO", key, longitude, latitude, radius, unit, *words, read=geo_members)


def georadiusbymember(
    key: Argument,
    member: Argument,
    radius: float,
    unit: Unit,
    *,
    count: int | None = None,
    any: bool = False,
    asc: bool = False,
    desc: bool = False,
) -> Command[list[bytes]]:
    """Return the members within a radius around a member. It is an old command: `geosearch` does the same."""
    words = [*nearest("GEORADIUSBYMEMBER", count, any), *exclusive("GEORADIUSBYMEMBER", asc=asc, desc=desc)]
    return Command("GEORADIUSBYMEMBER", key, member, radius, unit, *words, read=bulks)


def georadiusbymember_withall(
    key: Argument,
    member: Argument,
    radius: float,
    unit: Unit,
    *,
    count: int | None = None,
    any: bool = False,
    asc: bool = False,
    desc: bool = False,
) -> Command[list[GeoMember[bytes]]]:
    """As `georadiusbymember`; return members with distance, place as a number, and position."""
    words = [*nearest("GEORADIUSBYMEMBER", count, any), *exclusive("GEORADIUSBYMEMBER", asc=asc, desc=desc)]
    words += "WITHDIST", "WITHHASH", "WITHCOORD"
    return Command("GEORADIUSBYMEMBER", key, member, radius, unit, *words, read=geo_members)


def georadiusbymember_store(
    key: Argument,
    member: Argument,
    radius: float,
    unit: Unit,
    *,
    count: int | None = None,
    any: bool = False,
    asc: bool = False,
    desc: bool = False,
    store: Argument | None = None,
    storedist: Argument | None = None,
) -> Command[int]:
    """As `georadiusbymember`; put the members in place of `store`, or with distances as scores of `storedist`.

    Return how many members that are. It is an old command: `geosearchstore` does the same.
    """
    words = [*nearest("GEORADIUSBYMEMBER", count, any), *exclusive("GEORADIUSBYMEMBER", asc=asc, desc=desc)]
    words += storing(store, storedist)
    return Command("GEORADIUSBYMEMBER", key, member, radius, unit, *words, read=whole)


def georadiusbymember_ro(
    key: Argument,
    member: Argument,
    radius: float,
    unit: Unit,
    *,
    count: int | None = None,
    any: bool = False,
    asc: bool = False,
    desc: bool = False,
) -> Command[list[bytes]]:
    """As `georadiusbymember`, of which a server knows that it changes nothing."""
    words = [*nearest("GEORADIUSBYMEMBER_RO", count, any), *exclusive("GEORADIUSBYMEMBER_RO", asc=asc, desc=desc)]
    return Command("GEORADIUSBYMEMBER_RO", key, member, radius, unit, *words, read=bulks)


def georadiusbymember_ro_withall(
    key: Argument,
    member: Argument,
    radius: float,
    unit: Unit,
    *,
    count: int | None = None,
    any: bool = False,
    asc: bool = False,
    desc: bool = False,
) -> Command[list[GeoMember[bytes]]]:
    """As `georadiusbymember_withall`, of which a server knows that it changes nothing."""
    words = [*nearest("GEORADIUSBYMEMBER_RO", count, any), *exclusive("GEORADIUSBYMEMBER_RO", asc=asc, desc=desc)]
    words += "WITHDIST", "WITHHASH", "WITHCOORD"
    return Command("GEORADIUSBYMEMBER_RO", key, member, radius, unit, *words, read=geo_members)

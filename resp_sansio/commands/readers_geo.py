"""What commands on places return, where no other group has it: positions, and members with what is known of each."""

from __future__ import annotations

from typing import Generic, NamedTuple

from ..wire.values import Reply
from .decoding import RAW, S, Text, own_words
from .readers import bulk, items, maybe_bulks, number, whole

__all__ = ["GeoMember", "GeoPosition"]


class GeoPosition(NamedTuple):
    """Where something is, in degrees."""

    longitude: float
    latitude: float


class GeoMember(NamedTuple, Generic[S]):
    """A member that was found: its distance in the unit that was asked for, its place as a number, and its position."""

    member: S
    distance: float
    hash: int
    position: GeoPosition


def geo_position(reply: Reply) -> GeoPosition:
    """Return longitude and latitude: text on RESP2, doubles on RESP3."""
    longitude, latitude = items(reply, 2)
    return GeoPosition(number(longitude), number(latitude))


def geo_positions(reply: Reply, _text: object = None) -> list[GeoPosition | None]:
    """Positions, with a null for each that is not there."""
    return [None if item is None else geo_position(item) for item in items(reply)]


def geo_hashes(reply: Reply, _text: object = None) -> list[str | None]:
    """Geohashes, which the server computes, with a null for each that is not there."""
    return [None if item is None else own_words(item) for item in maybe_bulks(reply, RAW)]


def geo_distances(reply: Reply, text: Text[S]) -> list[tuple[S, float]]:
    """Members with their distances."""
    found = [items(item, 2) for item in items(reply)]
    return [(bulk(member, text), number(distance)) for member, distance in found]


def geo_numbers(reply: Reply, text: Text[S]) -> list[tuple[S, int]]:
    """Members with their places as numbers."""
    found = [items(item, 2) for item in items(reply)]
    return [(bulk(member, text), whole(place)) for member, place in found]


def geo_places(reply: Reply, text: Text[S]) -> list[tuple[S, GeoPosition]]:
    """Members with their positions."""
    found = [items(item, 2) for item in items(reply)]
    return [(bulk(member, text), geo_position(position)) for member, position in found]


def geo_members(reply: Reply, text: Text[S]) -> list[GeoMember[S]]:
    """Members with all three."""
    found = [items(item, 4) for item in items(reply)]
    return [
        GeoMember(bulk(member, text), number(distance), whole(place), geo_position(position))
        for member, distance, place, position in found
    ]

"""What commands on places return: one value of both protocols' replies, an error for any other reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from resp_sansio import GeoMember, GeoPosition, UnexpectedReplyError
from resp_sansio.commands import readers_geo
from resp_sansio.commands.decoding import RAW, decoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from resp_sansio import Reply

# By reader: the reply on RESP2 and on RESP3, and the result.
SAID: dict[str, list[tuple[Any, Any, object]]] = {
    "geo_positions": [
        ([], [], []),
        ([[b"1.5", b"-2"], None], [[1.5, -2.0], None], [GeoPosition(1.5, -2.0), None]),
    ],
    "geo_hashes": [([], [], []), ([b"sqc8b49rny0", None], [b"sqc8b49rny0", None], ["sqc8b49rny0", None])],
    "geo_distances": [([], [], []), ([[b"a", b"1.5"]], [[b"a", 1.5]], [(b"a", 1.5)])],
    "geo_numbers": [([], [], []), ([[b"a", 7]], [[b"a", 7]], [(b"a", 7)])],
    "geo_places": [([], [], []), ([[b"a", [b"1", b"2"]]], [[b"a", [1.0, 2.0]]], [(b"a", GeoPosition(1.0, 2.0))])],
    "geo_members": [
        ([], [], []),
        (
            [[b"a", b"1.5", 7, [b"1", b"2"]]],
            [[b"a", b"1.5", 7, [1.0, 2.0]]],
            [GeoMember(b"a", 1.5, 7, GeoPosition(1.0, 2.0))],
        ),
    ],
}

STRANGE: list[Any] = [
    "QUEUED",
    None,
    1,
    b"a",
    {b"a": b"1"},
    [1],
    ["a"],
    [b"a", b"1"] * 2 + [1],
    [[]],
    [[b"a"]],
    [[b"a", None]],
    [[None, b"1"]],
    [["a", 7]],
    [[b"a", b"x"]],
    [[b"a", b"1", b"2"]],
    [[b"a", [b"1"]]],
    [[b"a", [b"1", b"x"]]],
    [[b"a", b"1", 7, None]],
    [[b"a", b"1", b"7", [b"1", b"2"]]],
    [[b"a", None, 7, [b"1", b"2"]]],
    [{b"a": b"1"}],
]


def reader(name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(readers_geo, name)
    return found


@pytest.mark.parametrize("name", SAID)
def test_both_protocols_say_the_same(name: str) -> None:
    for resp2, resp3, result in SAID[name]:
        for reply in resp2, resp3:
            found = reader(name)(reply, RAW)
            assert found == result
            assert [*map(type, found)] == [*map(type, result)]  # type: ignore[call-overload]


@pytest.mark.parametrize("name", SAID)
@pytest.mark.parametrize("reply", STRANGE, ids=repr)
def test_anything_else_is_an_error(name: str, reply: Reply) -> None:
    with pytest.raises(UnexpectedReplyError):
        reader(name)(reply, RAW)


def test_members_are_text_where_it_is_asked_for() -> None:
    text = decoded("utf-8")
    assert readers_geo.geo_distances([["ü".encode(), b"1"]], text) == [("ü", 1.0)]
    assert readers_geo.geo_numbers([[b"a", 7]], text) == [("a", 7)]
    assert readers_geo.geo_places([[b"a", [1.0, 2.0]]], text) == [("a", (1.0, 2.0))]
    assert readers_geo.geo_members([[b"a", b"1", 7, [1.0, 2.0]]], text)[0].member == "a"

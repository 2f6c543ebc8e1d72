"""Records: immutable, compared by value, checked when made."""

from __future__ import annotations

from typing import Any

import pytest

from resp_sansio._record import MISSING, Field, Record, field, fields, replace


class Point(Record):
    x: int
    y: int = 0


class Named(Point):
    name: str = field("origin", meaning="what it is called")

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a name is needed")


def test_fields_are_set_by_keyword_and_defaults_stand_in() -> None:
    assert (Point(x=1).x, Point(x=1).y, Named(x=1).name) == (1, 0, "origin")


def test_what_is_missing_or_unknown_is_named() -> None:
    with pytest.raises(TypeError, match="Point needs 'x'"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Point has no field 'z'"):
        Point(x=1, z=2)  # type: ignore[call-arg]


def test_fields_are_checked_when_all_are_set() -> None:
    with pytest.raises(ValueError, match="a name is needed"):
        Named(x=1, name="")


def test_records_are_equal_by_class_and_value() -> None:
    assert Point(x=1) == Point(x=1, y=0)
    assert hash(Point(x=1)) == hash(Point(x=1, y=0))
    assert Point(x=1) != Point(x=2)
    assert Point(x=1) != Named(x=1)
    other: Any = (1, 0)
    assert Point(x=1) != other


def test_records_cannot_be_changed_only_replaced() -> None:
    point = Point(x=1)
    with pytest.raises(AttributeError, match=r"Point\.x cannot be changed"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError, match=r"Point\.x cannot be deleted"):
        del point.x
    assert replace(point, y=5) == Point(x=1, y=5)
    assert repr(point) == "Point(x=1, y=0)"


def test_fields_tell_what_is_known_of_them() -> None:
    assert (
        fields(Named)
        == fields(Named(x=1))
        == [
            Field("x", MISSING, {}),
            Field("y", 0, {}),
            Field("name", "origin", {"meaning": "what it is called"}),
        ]
    )

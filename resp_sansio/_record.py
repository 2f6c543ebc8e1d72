"""Immutable values with named fields.

A `Record` is what a frozen, keyword-only dataclass is to its users and to type checkers. `dataclasses` itself is not used:
importing it (with `inspect`, and code compiled for each class) took a third of the time that importing this library takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, TypeVar, dataclass_transform

__all__ = ["MISSING", "Field", "Record", "field", "fields", "replace"]

T = TypeVar("T")
R = TypeVar("R", bound="Record")
NOTHING: Final[Mapping[str, Any]] = {}


class Missing:
    """The default of a field that has none."""


MISSING: Final = Missing()


class Field(NamedTuple):
    """A field of a record."""

    name: str
    default: Any
    metadata: Mapping[str, Any]


def field(default: T, **metadata: object) -> T:
    """Give a field a default and more to know of it; `Record` takes it apart, so the declared type is the default's."""
    return Field("", default, metadata)  # type: ignore[return-value]


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record:
    """The base of immutable values: each annotated name of a subclass is a field, its value the default.

    Two are equal if they are of one class and all fields are. After all fields are set, `__post_init__` may check them.
    """

    __fields__: ClassVar[Mapping[str, Field]] = NOTHING
    __needed__: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        made = dict(cls.__fields__)
        # Only this class's own; `inspect` would know a better way, and costs 5 ms.
        for name in cls.__dict__.get("__annotations__", NOTHING):  # noqa: RUF063
            default = cls.__dict__.get(name, MISSING)
            made[name] = Field(name, default, NOTHING) if type(default) is not Field else default._replace(name=name)
            if default is not MISSING:
                setattr(cls, name, made[name].default)
        cls.__fields__ = made
        cls.__needed__ = frozenset([name for name, one in made.items() if one.default is MISSING])

    def __init__(self, **values: Any) -> None:
        if not self.__fields__.keys() >= values.keys():
            unknown = next(name for name in values if name not in self.__fields__)
            raise TypeError(f"{type(self).__name__} has no field {unknown!r}")
        if not values.keys() >= self.__needed__:
            missing = next(name for name in self.__fields__ if name in self.__needed__ and name not in values)
            raise TypeError(f"{type(self).__name__} needs {missing!r}")
        own = self.__dict__
        for name, value in values.items():  # one by one: `update` takes more memory for each record
            own[name] = value
        self.__post_init__()

    def __post_init__(self) -> None:
        """Check the fields: raise what is to be raised."""

    # Type checkers know that fields are frozen, and would take these for leave to set any name.
    if not TYPE_CHECKING:  # pragma: no branch

        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(f"{type(self).__name__}.{name} cannot be changed")

        def __delattr__(self, name: str) -> None:
            raise AttributeError(f"{type(self).__name__}.{name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return (
            _values(self) == _values(other)
            if isinstance(other, Record) and type(other) is type(self)
            else NotImplemented
        )

    def __hash__(self) -> int:
        return hash((type(self), *_values(self)))

    def __repr__(self) -> str:
        shown = [f"{name}={getattr(self, name)!r}" for name in self.__fields__]
        return f"{type(self).__name__}({', '.join(shown)})"


def fields(record: Record | type[Record]) -> list[Field]:
    """Return the fields of a record or of its class, in the order of declaration."""
    return list(record.__fields__.values())


def replace(record: R, **changes: Any) -> R:
    """Return a copy in which these fields differ."""
    return type(record)(**{**vars(record), **changes})


def _values(record: Record) -> list[Any]:
    return [getattr(record, name) for name in record.__fields__]

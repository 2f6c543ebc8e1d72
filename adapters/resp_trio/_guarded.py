"""No KeyboardInterrupt strikes in here: trio raises it where the task waits next, or once the call has returned."""

from __future__ import annotations

from types import FunctionType
from typing import TypeVar

from trio.lowlevel import enable_ki_protection

__all__ = ["guarded"]

T = TypeVar("T")


def guarded(kind: type[T]) -> type[T]:
    """Keep KeyboardInterrupt away from the methods of this class, those that it inherits included, and from what they call."""
    for each in kind.__mro__:
        for method in vars(each).values():
            if isinstance(method, FunctionType):
                enable_ki_protection(method)
    return kind

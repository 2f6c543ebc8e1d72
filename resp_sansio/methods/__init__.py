"""The commands as methods, to be had by inheriting: for what returns results, for what is awaited, for what collects.

Each class needs one method, `_do(words, read)`: how a command is executed, and its reply read, where the class is inherited. What
`read` makes of data is said by a `Text`: `RAW` leaves it bytes, `decoded("utf-8")` makes text of it.
All else in this folder is written by `tests/generate_methods.py` from the builders of `resp_sansio.commands`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..commands.command import Reader
from ..commands.decoding import RAW, S, Text, decoded
from ..commands.words import Words

if TYPE_CHECKING:
    from .batch import BatchMethods
    from .sync import SyncMethods
    from .tasks import AsyncMethods
else:

    def __getattr__(name: str) -> object:
        """Load a class when it is asked for: an adapter needs two of the three."""
        from importlib import import_module

        module = {"AsyncMethods": ".tasks", "BatchMethods": ".batch", "SyncMethods": ".sync"}.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(module, __name__), name)


__all__ = ["RAW", "AsyncMethods", "BatchMethods", "Reader", "S", "SyncMethods", "Text", "Words", "decoded"]


def __dir__() -> list[str]:
    """Name what is loaded late, too."""
    return __all__

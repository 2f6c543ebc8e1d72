"""An interrupt somewhere in the core: it cuts a step of the client machine's short where CPython looks for signals.

That is as a function begins, and as one of C's has returned: `append` has done its work then, and what follows it is not done.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

from resp_sansio import client, connection

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Interrupt", "Struck"]

# Where a state is changed step by step. Elsewhere what is kept for the next time makes the moments differ from run to run.
FOLDERS: Final = tuple(f"{folder}{os.sep}" for package in (client, connection) for folder in package.__path__)
MOMENTS: Final = 400  # a step of the machine's has fewer, most of them a few dozen
MARKS: Final = ("call", "c_return")


class Struck(BaseException):
    """What a signal's handler raises."""


class Interrupt:
    """Comes after so many moments in the core, the next time that it is let `into` a step; if that has fewer, in the one after."""

    def __init__(self) -> None:
        self.left = 0
        self.place = ""  # where it has struck

    def comes(self, chance: float) -> None:
        """From now on it may strike."""
        self.left = 1 + int(chance**2 * MOMENTS)

    def into(self, step: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Take a step, which may be cut short. Raises `Struck`."""
        if not self.left:
            return step(*arguments, **options)
        sys.setprofile(self._strike)
        try:
            return step(*arguments, **options)
        finally:
            sys.setprofile(None)

    def _strike(self, frame: Any, event: str, _: Any) -> None:
        code = frame.f_code
        if event in MARKS and code.co_filename.startswith(FOLDERS) and code.co_name != "<genexpr>":
            self.left -= 1
            if not self.left:
                self.place = f"{code.co_qualname}, line {frame.f_lineno}"
                raise Struck

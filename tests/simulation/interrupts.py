"""An interrupt somewhere in the client machine: it cuts a step short where CPython looks for signals, as a function begins."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import resp_sansio.client

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Interrupt", "Struck"]

FOLDER: Final = str(Path(resp_sansio.client.__file__).parent)
MOMENTS: Final = 60  # a step of the machine's has fewer


class Struck(BaseException):
    """What a signal's handler raises."""


class Interrupt:
    """Comes after so many calls in the machine, the next time that it is let `into` a step; if that has fewer, in the one after."""

    def __init__(self) -> None:
        self.left = 0
        self.place = ""  # where it has struck

    def comes(self, chance: float) -> None:
        """From now on it may strike."""
        self.left = 1 + int(chance * MOMENTS)

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
        if event == "call" and frame.f_code.co_filename.startswith(FOLDER) and frame.f_code.co_name != "<genexpr>":
            self.left -= 1
            if not self.left:
                self.place = frame.f_code.co_qualname
                raise Struck

"""A console on which one thread at a time writes: a program prints on its own threads while another one draws.

rich works out where the cursor goes back to, and writes that, in two steps. What another thread wrote in between would stand in the
wrong line. So a thread has its turn from the first step to the last.
"""

from __future__ import annotations

from threading import RLock
from types import TracebackType
from typing import Self

from rich.console import Console

__all__ = ["TurnConsole"]


class TurnConsole(Console):
    """One that writes on the standard error. A thread that enters it has its turn; it does so before it takes a lock of rich's."""

    def __init__(self) -> None:
        self._turn = RLock()
        super().__init__(stderr=True, highlight=False)

    def __enter__(self) -> Self:
        self._turn.acquire()
        super().__enter__()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            super().__exit__(exc_type, exc_value, traceback)
        finally:
            self._turn.release()

"""The log of Python's `logging`: what happens to connections, and what is tried again, in loggers by area.

    client = Client("redis://localhost", observers=[LoggingObserver()])

The loggers are `resp_sansio.connection`, `.pool`, `.retry`, `.cluster`, `.push` and `.reply`, below `resp_sansio`, which is quiet
until a program sets up a handler. What a line says, and on which level, the core decides: see `LogObserver`.
"""

from __future__ import annotations

from logging import NullHandler, getLogger

from resp_sansio import LogObserver

__all__ = ["LoggingObserver"]

getLogger("resp_sansio").addHandler(NullHandler())


class LoggingObserver(LogObserver):
    """Writes to the loggers below `resp_sansio`. One may serve any number of clients, in any threads."""

    def __init__(self) -> None:
        super().__init__(_log)


def _log(level: int, area: str, text: str, /, *values: object) -> None:
    getLogger(f"resp_sansio.{area}").log(level, text, *values)

"""Watch a client inside the process that uses it: its calls, its connections and its queues, while the program runs.

A thread of its own draws; what it draws was counted where the calls are. It is a daemon, so it never keeps a program alive.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from resp_sansio import Stats

from .watcher import ClientFigures, Counted, Watcher, client_figures, counted_by_itself

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["Watchable", "watch"]


class Watchable(Protocol):
    """What can be watched: a `Client`, a `Pool` or a `Connection`, of any adapter."""

    def stats(self) -> Stats:
        """Return what it has counted."""


@contextmanager
def watch(
    client: Watchable, watcher: Watcher | None = None, *, every: float = 1.0, console: Console | None = None
) -> Iterator[None]:
    """Show what a client does while the block runs, anew every so many seconds.

    Calls and times are those that a `Watcher` was told, which the client must have in `observers`; without one, only what the
    client itself counts is shown (`stats`). It is drawn on the standard error, or on the `console`: in place if that is a
    terminal, where what the program prints appears above it; else once, when the block ends. Works in a coroutine as well.

    Raises `ModuleNotFoundError` if rich is not installed (the extra `cli`), `ValueError` if `every` is not positive.
    """
    if not every > 0:
        raise ValueError(f"every must be positive, not {every}")
    from .console import TurnConsole

    shown_on = console if console is not None else TurnConsole()
    looks = Looks(client, watcher)
    if not shown_on.is_terminal:
        try:
            yield
        finally:
            _print(shown_on, looks.whole())
        return
    from rich.live import Live

    over = threading.Event()
    live = Live(console=shown_on, auto_refresh=False, transient=True)

    def draw() -> None:
        while not over.wait(every):
            figures = looks.next()
            with shown_on:  # first: a thread that prints takes its turn, and then a lock of `live`
                live.update(drawn(figures, shown_on.height), refresh=True)

    with shown_on:
        live.start()
    drawing = threading.Thread(target=draw, name="resp_cli.watch", daemon=True)
    drawing.start()
    try:
        yield
    finally:
        over.set()
        drawing.join()
        with shown_on:
            live.stop()
    _print(shown_on, looks.whole())


class Looks:
    """Compares what a client has counted with what it had counted before."""

    def __init__(self, client: Watchable, watcher: Watcher | None) -> None:
        self._client = client
        self._watcher = watcher
        self._first = self._before = self._counted(self._stats())
        self._began = self._at = time.monotonic()

    def next(self) -> ClientFigures:
        """Return what was since the last time."""
        now, stats = time.monotonic(), self._stats()
        counted = self._counted(stats)
        found = client_figures(self._before, counted, max(now - self._at, 1e-9), stats)
        self._before, self._at = counted, now
        return found

    def whole(self) -> ClientFigures:
        """Return what was since the beginning."""
        seconds, stats = max(time.monotonic() - self._began, 1e-9), self._stats()
        return client_figures(self._first, self._counted(stats), seconds, stats)

    def _counted(self, stats: Stats | None) -> Counted:
        return self._watcher.counted() if self._watcher is not None else counted_by_itself(stats)

    def _stats(self) -> Stats | None:
        try:
            return self._client.stats()
        except RuntimeError:  # another thread changes it at this moment; the next time will tell
            return None


def _print(console: Console, found: ClientFigures) -> None:
    console.print(drawn(found, None))


def drawn(found: ClientFigures, height: int | None) -> RenderableType:
    """Draw a client's figures for a screen of this height; without one, all of it."""
    from .frame import client_frame

    return client_frame(found, None if height is None else max(height - 12, 3))

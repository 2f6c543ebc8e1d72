"""What a server is asked, by whichever client, line by line: MONITOR, for tasks.

After MONITOR a connection only listens, so it is one of the block's own: opened as the block begins, closed as it ends.
"""

from __future__ import annotations

from typing import Any, Generic, Protocol, Self

from .._errors import ConnectionClosedError, ConnectionLostError, LocalProtocolError, Outcome
from ..client.call import DEFAULT, Default
from ..client.monitor import MonitorLine, line_of
from ..commands.decoding import S, Text
from ..wire.values import Push
from .base import Viewed
from .tasks_driver import Driver

__all__ = ["Monitor", "Monitors"]


class Listening(Protocol):
    """A connection, as far as it takes part here."""

    async def execute(self, name: str, /) -> object:
        """Send a command."""

    async def next_push(self, *, timeout: float | None | Default = ...) -> Push:
        """Wait for a push."""

    async def close(self) -> None:
        """End it now."""


class Monitors(Viewed[Driver, S]):
    """What can show all that its server is asked."""

    __slots__ = ()

    def monitor(self) -> Monitor[S]:
        """Read what the server is asked, by whichever client: an `async with` block, in which an `async for` gets the lines.

        It has a connection of its own. Of a cluster, ask one of its `nodes`. Entering it raises as `connect` and `execute`, and
        `LocalProtocolError` for a cluster.
        """
        return Monitor(*self._view)


class Monitor(Generic[S]):
    """What a server is asked, as lines to iterate over, within an `async with` block: made by `monitor`.

    They end with the connection: by `ConnectionLostError` if that is lost, for then nothing tells what was missed.
    """

    __slots__ = ("_connection", "_left", "_of", "_text")

    def __init__(self, of: Any, text: Text[S]) -> None:  # a client, a pool or a connection
        self._of = of
        self._text = text
        self._connection: Listening | None = None
        self._left = False

    async def __aenter__(self) -> Self:
        if self._connection is not None:
            raise LocalProtocolError("monitor: this block has been entered before; ask for another one")
        if self._of.closed:
            raise ConnectionClosedError("monitor: what was to be monitored by has been closed")
        connection: Listening = await self._of._another()
        try:
            await connection.execute("MONITOR")
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        return self

    async def __aexit__(self, *exception: object) -> None:
        connection = self._entered()
        self._left = True
        await connection.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> MonitorLine[S]:
        return await self.next(timeout=None)

    async def next(self, *, timeout: float | None | Default = DEFAULT) -> MonitorLine[S]:
        """Wait for the next line: as an iteration does, and not for ever.

        Raises `CommandTimeoutError`, `ConnectionLostError` and, once the block has ended, `ConnectionClosedError`;
        `UnexpectedReplyError` for words that are no text where text was asked for: the next line can be had then.
        """
        try:
            push = await self._entered().next_push(timeout=timeout)
        except ConnectionClosedError as error:
            if self._left:
                raise
            raise ConnectionLostError("monitor: the connection is lost", outcome=Outcome.NOT_SENT) from error
        return line_of(push, self._text)

    def _entered(self) -> Listening:
        if self._connection is None:
            raise LocalProtocolError("monitor: its connection is opened by a block; enter that first")
        return self._connection

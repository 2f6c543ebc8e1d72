"""What is worth a line in a program's log, in which area and on which level; where the log is kept is for others to say.

A line tells where and why, never an argument or a reply. What servers say in errors may repeat arguments, so an error reply is
shown by its first word.
"""

from __future__ import annotations

from typing import Final, Protocol

from ._errors import ReplyError, RespError, UnexpectedReplyError, shown_code
from ._facts import (
    CallRedirected,
    CallRetried,
    DialFailed,
    LinkClosed,
    LinkOpened,
    MapRefreshed,
    Observer,
    PushesDropped,
    ReplyDropped,
    WaitEnded,
)
from ._stats import CloseReason

__all__ = ["Log", "LogObserver"]

# The numbers of `logging`.
DEBUG: Final = 10
INFO: Final = 20
WARNING: Final = 30

UNASKED: Final = frozenset({CloseReason.LOST, CloseReason.BROKEN, CloseReason.FAILED_CHECK, CloseReason.INTERRUPTED})
"""Reasons that are no decision of the client's."""


class Log(Protocol):
    """Takes a line. `level` is a number as `logging` has them; `text` has a place for each of the values, as `%` fills them."""

    def __call__(self, level: int, area: str, text: str, /, *values: object) -> None:
        """Write the line, or not."""


class LogObserver(Observer):
    """Tells what happens to connections, and what is tried again, line by line.

    | area | level | of what |
    |---|---|---|
    | `connection` | WARNING | could not be opened; has ended, and not by the client's own decision |
    | `connection` | DEBUG | was opened; was closed; a dial was given up |
    | `pool` | WARNING | a caller did not get a connection of its own |
    | `retry` | INFO | an attempt of a call failed, and another follows |
    | `cluster` | WARNING | no server told the map |
    | `cluster` | INFO | the map has changed |
    | `cluster` | DEBUG | a call was sent on to another server; the map has come, and is the one that was known |
    | `push` | WARNING | pushes came where no caller can listen |
    | `reply` | DEBUG | a reply came whose caller had left |
    """

    def __init__(self, log: Log) -> None:
        self._log: Final[Log] = log

    def link_opened(self, link: LinkOpened) -> None:
        """Tell which server it leads to, and how long it took."""
        text = "%s: connection %d for a %s was opened in %.1f ms, by RESP%d%s"
        tls = "" if link.tls is None else " over TLS"
        self._log(
            DEBUG, "connection", text, link.address, link.number, link.route, link.total * 1e3, link.protocol, tls
        )

    def dial_failed(self, dial: DialFailed) -> None:
        """Tell at which step, and why."""
        if dial.error is None:
            self._log(DEBUG, "connection", "%s: a dial was given up after %.1f ms", dial.address, dial.total * 1e3)
            return
        text = "%s: no connection after %.1f ms, at the step %s: %s"
        self._log(WARNING, "connection", text, dial.address, dial.total * 1e3, dial.step, shown(dial.error))

    def link_closed(self, link: LinkClosed) -> None:
        """Tell why, and how old it was."""
        text = "%s: connection %d, %.1f s old and used by %d calls, was left: %s"
        about = link.address, link.number, link.age, link.commands, link.reason.value
        if link.reason in UNASKED:
            self._log(WARNING, "connection", f"{text} (%s)", *about, shown(link.error))
        else:
            self._log(DEBUG, "connection", text, *about)

    def wait_ended(self, wait: WaitEnded) -> None:
        """Tell of a caller that was refused."""
        if wait.ended == "refused" and wait.error is not None:
            text = "%s: no connection for a caller that waited %.1f ms: %s"
            self._log(WARNING, "pool", text, wait.address, wait.waited * 1e3, shown(wait.error))

    def call_retried(self, retry: CallRetried, token: object) -> None:  # noqa: ARG002
        """Tell which attempt failed, and why."""
        text = "%s: attempt %d of %s failed after %.1f ms, and another followed in %.1f ms: %s"
        about = retry.address, retry.attempt, retry.command, retry.after * 1e3, retry.pause * 1e3
        self._log(INFO, "retry", text, *about, shown(retry.cause))

    def call_redirected(self, redirect: CallRedirected, token: object) -> None:  # noqa: ARG002
        """Tell from where to where."""
        about = redirect.address, redirect.command, redirect.to, redirect.kind, redirect.slot
        self._log(DEBUG, "cluster", "%s: %s was sent on to %s (%s, slot %d)", *about)

    def map_refreshed(self, refresh: MapRefreshed) -> None:
        """Tell whether it has changed, or why there is none."""
        about = refresh.address, refresh.total * 1e3, refresh.asked
        if refresh.error is not None:
            text = "%s: no map of the cluster after %.1f ms, of %d servers: %s"
            self._log(WARNING, "cluster", text, *about, shown(refresh.error))
        elif refresh.changed:
            self._log(
                INFO, "cluster", "%s: another map of the cluster came after %.1f ms, %d servers were asked", *about
            )
        else:
            self._log(
                DEBUG, "cluster", "%s: the same map of the cluster came after %.1f ms, %d servers were asked", *about
            )

    def pushes_dropped(self, pushes: PushesDropped) -> None:
        """Tell how many."""
        text = "%s: %d pushes came on a connection on which no caller can listen"
        self._log(WARNING, "push", text, pushes.address, pushes.pushes)

    def reply_dropped(self, reply: ReplyDropped) -> None:
        """Tell how late it was."""
        text = "%s: a reply to %s came %.1f ms after its caller had left"
        self._log(DEBUG, "reply", text, reply.address, reply.command, reply.late * 1e3)


def shown(error: BaseException) -> str:
    """Return what a log may say of an error: of our own its text, of a server's its first word, of others the name."""
    if isinstance(error, ReplyError):
        return f"the server said {shown_code(error)}"
    if isinstance(error, RespError) and not isinstance(error, UnexpectedReplyError):
        return str(error)
    return type(error).__name__

"""SCAN and its like, page by page: what to ask next, and whether a page goes on where the one before it ended.

A cursor means something to the server that gave it, as it runs now: it speaks of the order of its hash table. Another server, or
the same one restarted, answers it all the same, and skips keys. So a page counts only if it came from the server that gave the
cursor, as its `run_id` tells; else all begins again, and keys come once more. A server is asked for that once on a connection, in
the write of a page. One that does not tell it, or not to this user, is taken to be the same for as long as it is asked.

A cursor is bytes: there are servers that use more than 64 bits of it. Only "0" is the end; a page may be empty before that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Generic, TypeVar

from .._errors import UnexpectedReplyError
from ..commands.command import Command, Reader
from ..commands.decoding import RAW, Text
from ..commands.knowledge import prepare
from ..commands.readers import bulk, items
from ..connection.slot import Batch, Slot, SlotState
from ..connection.stateful import new_batch, new_slot
from ..wire.encoder import Argument
from .call import error_of, unreadable
from .links import Link

__all__ = ["ScanCursor"]

T = TypeVar("T")

START: Final = b"0"
WHO_WORDS: Final = ("INFO", "server")
WHO: Final = prepare(WHO_WORDS)

MOST: Final = 10
"""How often an iteration begins again. Connections that lead to servers in turn would never let it end."""


class ScanCursor(Generic[T]):
    """Where one iteration is. `page`: what it has found and not handed out; `restarts`: how often it began again.

    `command` asks for the first page, with the cursor at the index `at`; `read` makes a list of what is found. `fixed`: all of it
    goes by one connection. `distinct`: nothing comes twice, by its name alone if `named`: a field, or a member with its score.
    Raises `TypeError` or `ValueError` for a command that can't be sent.
    """

    __slots__ = (
        "_at", "_command", "_cursor", "_fixed", "_link", "_named", "_read", "_run", "_seen", "_text", "ended", "page",
        "restarts",
    )  # fmt: skip

    def __init__(
        self,
        command: Command[Any],
        at: int,
        read: Reader[list[T], Any],
        text: Text[Any],
        *,
        fixed: bool = False,
        distinct: bool = False,
        named: bool = False,
    ) -> None:
        prepare(command.args)  # what can't be sent is told where it is given
        self._command: Final = command
        self._at: Final = at
        self._read: Final = read
        self._text: Final = text
        self._fixed: Final = fixed
        self._named: Final = named
        self._seen: Final[set[Any] | None] = set() if distinct else None
        self._cursor = START
        self._link: Link | None = None  # by which the last page came
        self._run: object = None  # of the server whose cursor it is
        self.page: Iterator[T] = iter(())
        self.ended: bool = False
        self.restarts: int = 0

    def __repr__(self) -> str:
        where = "ended" if self.ended else "under way"
        return f"<{type(self).__name__} of {self._command.info.name}: {where}, {self.restarts} restarts>"

    def ask(self, deadline: float, link: Link | None = None) -> Slot:
        """Return the call for the next page. `link` is the one by which it will go, if that is known."""
        words, info = self._words(), self._command.info
        likely = link or self._link
        if self._fixed or (likely is not None and likely.run_id is not None):
            return new_slot(words, None, deadline, info)
        payload, _ = prepare(words)
        return new_batch([payload, WHO[0]], [info, WHO[1]], None, deadline)

    def _words(self) -> Sequence[Argument]:
        args, at = self._command.args, self._at
        return (*args[:at], self._cursor, *args[at + 1 :])

    def take(self, slot: Slot) -> None:
        """Take in what a call has brought that has ended: a page, or that all begins again.

        Raises as a call does, and then the same page can be asked for once more.
        """
        if slot.state is not SlotState.ANSWERED:
            raise error_of(slot)
        reply: Any = slot.replies[0] if isinstance(slot, Batch) else slot.reply
        if isinstance(reply, Exception):
            raise reply
        if self._goes_on(slot):
            self._read_page(reply, slot)

    def _read_page(self, reply: Any, slot: Slot) -> None:
        try:
            cursor, found = self._parsed(reply)
        except (UnexpectedReplyError, UnicodeDecodeError) as error:
            told = unreadable(error, slot.info)
        else:
            self._hand_out(found)
            self.ended = cursor == START
            self._cursor = cursor  # last: an interrupt before that makes a page come twice, and loses none
            return
        raise told  # here, where no data is in the context

    def close(self) -> None:
        """There is no more."""
        self.ended = True
        self.page = iter(())

    def _goes_on(self, slot: Slot) -> bool:
        """Is this page from the server whose cursor it is? Else it is asked for again, or all is."""
        if self._fixed:
            return True
        link: Link = slot.link
        self._link = link
        if isinstance(slot, Batch) and not slot.begin:  # else one of them was answered on a connection before
            link.run_id = run_id_of(slot.replies[1])
        # Another link than was expected is asked, too.
        return link.run_id is not None and self._is_of(link.run_id, slot)

    def _is_of(self, run: object, slot: Slot) -> bool:
        """Is this the run whose cursor it is, or the page the first one? Else all begins again."""
        before, self._run = self._run, run
        if before in (None, run) or self._cursor == START:
            return True
        self._cursor = START
        self._restarted(slot)
        return False

    def _restarted(self, slot: Slot) -> None:
        self.restarts += 1
        if self.restarts > MOST:
            raise UnexpectedReplyError(
                f"{slot.info.name}: its pages come from different servers; use acquire() or connect() for one of them"
            )

    def _parsed(self, reply: Any) -> tuple[bytes, list[T]]:
        cursor, found = items(reply, 2)
        return bulk(cursor, RAW), self._read(found, self._text)

    def _hand_out(self, found: list[T]) -> None:
        seen = self._seen
        if seen is None:
            self.page = iter(found)
            return
        fresh: dict[Any, T] = {}
        for item in found:
            name: Any = item[0] if self._named else item  # type: ignore[index]
            if name not in seen:
                fresh.setdefault(name, item)
        self.page = iter(fresh.values())
        seen.update(fresh)


def run_id_of(reply: Any) -> bytes:
    """Return the `run_id` in the reply to INFO; empty if there is none, or the server does not say."""
    if isinstance(reply, bytes):
        for line in reply.split(b"\r\n"):
            if line.startswith(b"run_id:"):
                return line[7:]
    return b""

"""A list as a queue: each element waits in a list of this consumer's own while it is handled, and is removed from there when done.

What is in that list and in no handler's hands was handed over before: by this consumer before it ended, or in a reply that was
lost. It is handed over again, first of all and whenever a reply may have been lost. Elements have no IDs, so equal ones are one and
the same work: they are counted, and it does not matter which of them is removed.
"""

from __future__ import annotations

from collections import Counter, deque
from functools import partial
from typing import Any, Final

from ..commands.command import Command
from ..commands.decoding import S, Text
from ..commands.lists import blmove, lmove, lrange, lrem
from .call import unreadable
from .queues import ListItem, Queue, Step, name_of

__all__ = ["ListQueue"]


class ListQueue(Queue[ListItem[S]]):
    """The state of a consumer of a list. Raises `TypeError` and `ValueError` for wrong options."""

    def __init__(
        self,
        source: str | bytes,
        working: str | bytes,
        *,
        text: Text[S],
        block: int | None = 5000,
        patient: bool = True,
    ) -> None:
        super().__init__(text, block, patient=patient)
        self._source = name_of("the list", source)
        self._working = name_of("working", working)
        if self._source == self._working:
            raise ValueError("working must be another list")
        self._ready: deque[tuple[bytes, bool]] = deque()
        self._held: Counter[bytes] = Counter()  # ready, in a handler's hands, or done and not yet removed
        self._left_over = True  # is there anything in the working list that is to be handed over again?

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._ready)} ready, {self._held.total()} in hands>"

    def take(self, now: float) -> ListItem[S] | None:
        """See `Queue.take`."""
        if not self._ready or now >= self._acks_due:
            return None
        value, again = self._ready[0]
        try:
            made = ListItem(self, value, again, self._text.one(value))
        except UnicodeDecodeError as error:
            told = unreadable(error, READ)
        else:
            self._ready.popleft()
            return made
        self._ready.popleft()
        self._forget(value)  # it stays in the working list
        raise told  # here, where no data is in the context

    def _take_note(self) -> None:
        """Take note of what handlers have said."""
        while self._failed:
            self._forget(self._failed.popleft())

    def _forget(self, value: bytes) -> None:
        self._held[value] -= 1
        if self._held[value] <= 0:
            del self._held[value]

    def _found(self, value: bytes, *, again: bool) -> None:
        self._held[value] += 1
        self._ready.append((value, again))

    def _acknowledge(self, step: Step, *, apart: bool) -> None:  # noqa: ARG002
        self._take_note()
        while self._done:
            value = self._done.popleft()
            step.append((lrem(self._working, 1, value), partial(self._removed, value)))

    def _removed(self, value: bytes, _count: int, _now: float) -> None:
        self._forget(value)

    def lost(self, step: Step, now: float) -> None:
        """What was to be removed is not removed once more: that might remove an equal one, which no handler has had."""
        for command, _ in step:
            if command.info.name == "LREM":
                self._forget(_element(command))
        super().lost(step, now)

    def _begin(self) -> None:
        self._left_over = True

    def _ask(self, step: Step, now: float) -> None:
        if self._ready:
            return
        if self._left_over:
            step.append((lrange(self._working, 0, -1), self._own))
        elif self._block is None:
            step.append((lmove(self._source, self._working, "LEFT", "RIGHT"), self._new))
        else:
            seconds = min(self._block / 1000, max(self._again_at - now, 0.001))
            command = blmove(self._source, self._working, "LEFT", "RIGHT", timeout=seconds)
            step.append((command, self._new))

    def _own(self, values: list[bytes], _now: float) -> None:
        held = self._held.copy()
        for value in values:
            if held[value] > 0:
                held[value] -= 1
            else:
                self._found(value, again=True)
        self._left_over = False

    def _new(self, value: bytes | None, _now: float) -> None:
        if value is not None:
            self._found(value, again=False)
        self.over: bool = self._block is None and value is None and not self._anew

    def _helped(self, error: Exception, command: Command[Any]) -> bool:
        if command.info.name == "LREM":
            self._done.append(_element(command))  # it is not removed, for certain
        return super()._helped(error, command)


def _element(command: Command[Any]) -> bytes:
    element = command.args[-1]
    assert isinstance(element, bytes)
    return element


READ: Final = lmove("s", "w", "LEFT", "RIGHT").info

"""Commands that are sent at once, as far as it neither awaits nor waits: pipelines, and the attempts of `transact`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from math import inf
from typing import Any, Generic, TypeVar

from .._errors import CommandTimeoutError, ConnectionLostError, Outcome, ReplyError, RespError
from ..client.batch import CommandBatch, Result, WatchLoop
from ..client.call import DEFAULT, Default, error_of
from ..client.leases import Lease
from ..commands.command import Command, Reader, read_as
from ..commands.decoding import RAW, S, Text
from ..commands.knowledge import CommandInfo, prepare
from ..commands.words import Words
from ..connection.slot import Batch, Payload
from ..connection.stateful import new_slot
from ..methods.batch import BatchMethods
from .base import ANSWERED, CommandsBase

__all__ = ["PipelineBase", "WatchedBase"]

T = TypeVar("T")
C = TypeVar("C", bound=CommandsBase[Any, Any])


class PipelineBase(CommandBatch[S], Generic[C, S]):
    """Commands to be sent at once, and by what."""

    __slots__ = ("_by",)

    def __init__(
        self,
        commands: C,
        *,
        transaction: bool = False,
        timeout: float | None | Default = DEFAULT,
        decode: bool | str | Default = DEFAULT,
    ) -> None:
        super().__init__(commands._config, transaction=transaction, timeout=timeout, decode=decode)
        self._by = commands

    @property
    def text(self) -> BatchMethods[str]:
        """The same commands, whose data comes as text: `pipe.text.get("k")` is a `Result[str | None]`."""
        return _Typed(self, self._config.as_text)

    @property
    def raw(self) -> BatchMethods[bytes]:
        """The same commands, whose data comes as bytes: `pipe.raw.get("k")` is a `Result[bytes | None]`."""
        return _Typed(self, RAW)

    def _left(self, slot: Batch, error: BaseException, why: str) -> None:
        """The caller has given the slot up, for this error: each result says how its own command ended."""
        if slot.state is ANSWERED:
            with suppress(RespError):
                self.answered(slot)
        else:
            if not hasattr(slot, "outcomes"):  # the giving up was cut short, too
                slot.outcomes = [Outcome.MAYBE_EXECUTED] * slot.count
            told = type(error).__name__ if isinstance(error, Exception) else why
            self.lost(slot, ConnectionLostError(told))

    def _ended(self, slot: Batch) -> list[Any]:
        """Return what each command gave; raise why not all were answered."""
        if slot.state is ANSWERED:
            return self.answered(slot)
        cause = slot.cause
        if isinstance(cause, RespError):
            raise self.lost(slot, cause) from cause.__cause__
        self.lost(slot, ConnectionLostError(str(cause)))
        raise error_of(slot)


class WatchedBase(PipelineBase[C, S]):
    """One attempt of `transact`, at the server of this hash slot, if `at` is one.

    While the slot is moved, its server sends those elsewhere, by ASK, who watch keys that it has not any more. These are at the
    other server, whole, and stay there: so is the attempt, each of its steps behind an ASKING. Of other keys that server can't say
    whether there are any.
    """

    __slots__ = ("_at", "_deadline", "_failed", "_harmless", "_loop", "_turn", "_watched")

    def __init__(self, commands: C, loop: WatchLoop, deadline: float, decode: bool | str | Default, at: Any) -> None:
        super().__init__(commands, transaction=True, decode=decode)
        self._loop = loop
        self._deadline = deadline
        self._at = at
        self._failed: RespError | None = None  # how the last command of its own ended
        self._harmless = True  # it changes nothing
        self._watched = False  # something was sent behind WATCH
        self._turn: AbstractContextManager[object] = (
            nullcontext()
        )  # no other reads between an ASKING and what it is for

    def _reads(self, words: Any) -> None:
        """A command is about to be sent. Raises `CrossSlotError` for a key that is not where those are that are watched.

        `CommandTimeoutError` if the time for all is up: what was sent now might be executed, though nobody waits for it.
        """
        self._check_time()
        if type(self._at) is int and words:
            payload, info = prepare(words[0].args if isinstance(words[0], Command) else words)
            self._harmless = info.readonly or info.name == "WATCH"
            self._watched = info.name != "WATCH"
            self._check_slots([payload], [info])
            self._ask([payload], [info])

    def _executes(self) -> None:
        """So is the transaction."""
        self._check_time()
        if type(self._at) is int:
            self._harmless = False
            self._watched = True
            self._check_slots(self._payloads, self._infos)
            self._ask(self._payloads, self._infos)

    def _check_time(self) -> None:
        if self._by._driver.now() >= self._deadline:
            raise CommandTimeoutError("transact: its time is up; its commands were not sent", outcome=Outcome.NOT_SENT)

    def _check_slots(self, payloads: Sequence[Payload], infos: Sequence[CommandInfo]) -> None:
        from ..client.routing import slot_of_transaction  # most programs have one server

        payload, info = prepare(self._loop.watch.args)
        slot_of_transaction([payload, *payloads], [info, *infos])

    def _ask(self, payloads: Sequence[Payload], infos: Sequence[CommandInfo]) -> None:
        """Say ASKING to a server to which the slot is being moved, directly in front of what is sent next on this connection.

        Raises the ASK that led here for keys that are not watched; the next attempt waits until the slot has arrived.
        """
        if self._loop.asks is None:
            return
        from ..client.routing import names_only
        from ..client.splits import ASKING

        watch, _ = prepare(self._loop.watch.args)
        for payload, info in zip(payloads, infos, strict=True):
            if not names_only(watch, payload, info):
                self._loop.unwatched = info.name
                self._failed = ReplyError(*self._loop.asks[0].args)  # the ASK
                raise self._failed
        with suppress(RespError):  # what is sent next says why
            self._by._driver.ahead(new_slot(("ASKING",), None, inf, ASKING[1]), self._by._own_link)

    def pause_after(self, error: RespError) -> float | None:
        """It has failed so. Return how long to wait before another attempt that does not count; None: there is none."""
        if type(self._at) is not int or error is not self._failed:
            return None
        at, loop, loan = self._at, self._loop, self._by._own_link
        pauses: list[float | None] = []
        loop.moves += 1
        # On a link that others share, theirs could come between ASKING and what it is for.
        may_ask = isinstance(loan, Lease) and not (loop.unwatched or loop.asks or self._watched)
        loop.asks = None

        def ask(machine: Any, now: float) -> None:
            place = machine.sent_to(loan.connection.home, at, error) if loan is not None and may_ask else None
            loop.asks = None if place is None else (error, place)
            pauses.append(
                machine.watched_at(
                    at,
                    error,
                    loop.moves,
                    harmless=self._harmless,
                    follows=place is not None,
                    deadline=self._deadline,
                    now=now,
                )
            )

        self._by._driver.change("transact", ask)
        if pauses[0] is None and loop.unwatched:
            error.add_note(
                f"{loop.unwatched} was to wait until the slot had arrived: it is about more keys than are watched"
            )
        return pauses[0]

    def _time_left(self) -> float | None:
        return None if self._deadline == inf else max(self._deadline - self._by._driver.now(), 0.0)


class _Typed(BatchMethods[S]):
    """The methods of a pipeline, with data as it is asked for."""

    __slots__ = ("_of", "_text")

    def __init__(self, of: CommandBatch[Any], text: Text[S]) -> None:
        self._of = of
        self._text = text

    def _do(self, words: Words, read: Reader[T, S]) -> Result[T]:
        return self._of._do(words, read_as(self._text, read))

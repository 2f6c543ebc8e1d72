"""An observer that notes all that it is told, and what tells it of calls where there is no caller to do so."""

from __future__ import annotations

from typing import Any, TypeVar

from resp_sansio import (
    CallBegan,
    CallEnded,
    CallRedirected,
    CallRetried,
    DialFailed,
    KeysInvalidated,
    LinkClosed,
    LinkOpened,
    MapRefreshed,
    Observer,
    PushesDropped,
    ReplyDropped,
    UseEnded,
    WaitEnded,
)
from resp_sansio.client import Observers, Watch
from resp_sansio.connection import Slot

__all__ = ["Notes", "begin", "end"]

F = TypeVar("F")


class Notes(Observer):
    """Its token for a call is the call's number. `under_way`: what has begun, and not ended."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self.under_way: dict[object, CallBegan] = {}
        self._number = 0

    def of(self, kind: type[F]) -> list[F]:
        """What was noted of one kind."""
        return [fact for fact in self.all if type(fact) is kind]

    def call_began(self, call: CallBegan) -> object:
        self._number += 1
        self.under_way[self._number] = call
        self.all.append(call)
        return self._number

    def call_retried(self, retry: CallRetried, token: object) -> None:
        assert self.under_way[token].command == retry.command
        assert retry.pause >= 0 <= retry.after
        self.all.append(retry)

    def call_redirected(self, redirect: CallRedirected, token: object) -> None:
        assert self.under_way[token].command == redirect.command
        assert redirect.pause >= 0 <= redirect.after
        self.all.append(redirect)

    def call_ended(self, call: CallEnded, token: object) -> None:
        began = self.under_way.pop(token)
        assert (began.command, began.commands, began.batch_size) == (call.command, call.commands, call.batch_size)
        network = call.network or 0.0
        assert call.queued >= 0 <= network
        assert call.queued + network <= call.total + 1e-6
        assert (call.network is None) == (call.bytes_sent is None)
        self.all.append(call)

    def wait_ended(self, wait: WaitEnded) -> None:
        assert wait.waited >= 0
        assert (wait.error is None) == (wait.ended == "granted")
        self.all.append(wait)

    def use_ended(self, use: UseEnded) -> None:
        assert use.used >= 0
        self.all.append(use)

    def link_opened(self, link: LinkOpened) -> None:
        steps = [link.name, link.dial, link.tls, link.handshake]
        assert all([step is None or step >= 0 for step in steps])
        assert sum([step or 0.0 for step in steps]) <= link.total + 1e-6
        self.all.append(link)

    def dial_failed(self, dial: DialFailed) -> None:
        assert dial.total >= 0
        self.all.append(dial)

    def link_closed(self, link: LinkClosed) -> None:
        assert link.number in [opened.number for opened in self.of(LinkOpened)]
        assert link.number not in [closed.number for closed in self.of(LinkClosed)]
        assert link.age >= 0
        self.all.append(link)

    def reply_dropped(self, reply: ReplyDropped) -> None:
        assert reply.late >= 0
        self.all.append(reply)

    def pushes_dropped(self, pushes: PushesDropped) -> None:
        assert pushes.pushes > 0
        self.all.append(pushes)

    def map_refreshed(self, refresh: MapRefreshed) -> None:
        assert refresh.total >= 0 < refresh.asked
        assert refresh.error is None or not refresh.changed
        self.all.append(refresh)

    def keys_invalidated(self, told: KeysInvalidated) -> None:
        assert told.keys > 0
        self.all.append(told)


def begin(observers: Observers | None, slot: Slot) -> None:
    """A caller is about to make a call."""
    if observers is not None:
        slot.watch = watch = Watch()
        watch.began_at = observers.now()
        if observers.begins:
            observers.began(slot, watch)


def end(observers: Observers | None, slot: Slot, error: BaseException | None = None, *, held: bool = False) -> None:
    """It has ended, or was given up."""
    if observers is not None:
        observers.ended(slot, slot.watch, error, held=held)

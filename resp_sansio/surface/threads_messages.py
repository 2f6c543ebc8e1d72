"""Subscriptions, for threads. The text of `tasks_messages` in another colour."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from math import inf
from typing import Generic, Self

from .._errors import RespError
from ..client.call import DEFAULT, Default, seconds_allowed
from ..client.messages import Gap, Message, Overflow
from ..client.subscriber import Wanted
from ..commands.decoding import S
from .base import Viewed
from .messages import BUFFER, BUFFER_BYTES, Channel, MessagesBase, names_of
from .threads_driver import Driver

__all__ = ["Messages", "Subscribing"]


class Messages(MessagesBase[Driver, S], Generic[S]):
    """The messages of a `with` block, and where some may be missing: made by `subscribe`.

    What one read brought is handed over without waiting: only the first message of it awaits anything.
    """

    __slots__ = ()

    def __enter__(self) -> Self:
        if self._apart and self._subscriber is None:
            self._driver.open()
        self._enter()
        try:
            self._change(self._names, self._driver.now() + self._seconds, joins=True)
        except BaseException:
            self._leave()
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        change = self._leave()
        if change is not None and (kind is None or issubclass(kind, Exception)):  # else it is not to wait for anything
            with suppress(RespError):
                self._driver.listen(change, self._driver.now() + self._seconds)
        self._end()

    def _end(self) -> None:
        if self._apart:
            self._driver.close(0.0)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Message[S] | Gap[S]:
        while (item := self._take()) is None:
            self._driver.listen(self._entered, inf)
        return item

    def next(self, *, timeout: float | None | Default = DEFAULT) -> Message[S] | Gap[S]:
        """Wait for the next message, or the next `Gap`.

        Raises `CommandTimeoutError` if nothing comes in time, and once the subscription has ended, why.
        """
        deadline = self._deadline(timeout)
        while (item := self._take()) is None:
            self._driver.listen(self._entered, deadline)
        return item

    def next_batch(self, *, timeout: float | None | Default = DEFAULT) -> list[Message[S] | Gap[S]]:
        """Wait as `next` does, and return all that is there: most often what one read of the connection brought."""
        deadline = self._deadline(timeout)
        while not (items := self._take_all()):
            self._driver.listen(self._entered, deadline)
        return items

    def subscribe(
        self,
        *channels: Channel,
        patterns: Sequence[Channel] = (),
        shards: Sequence[Channel] = (),
        timeout: float | None | Default = DEFAULT,
    ) -> None:
        """Subscribe to these as well; when this returns, the server has confirmed all of them.

        Raises the server's `ReplyError` if it refuses one, `CommandTimeoutError`, `ConnectError`, and why the subscription has
        ended. Then, and if it is cancelled, the subscription is what it was before.
        """
        names = names_of(channels, patterns, shards, some=True)
        self._change(names, self._deadline(timeout), joins=True)

    def unsubscribe(
        self,
        *channels: Channel,
        patterns: Sequence[Channel] = (),
        shards: Sequence[Channel] = (),
        timeout: float | None | Default = DEFAULT,
    ) -> None:
        """Subscribe to these no more, without arguments to none; when this returns, the server has confirmed it.

        Messages that came before are still handed over. Raises as `subscribe`, and the names are left all the same.
        """
        names = names_of(channels, patterns, shards, some=False)
        self._change(names or None, self._deadline(timeout), joins=False)

    def _change(self, names: list[Wanted] | None, deadline: float, *, joins: bool) -> None:
        change = self._begin(names, joins=joins)
        try:
            self._driver.listen(change, deadline)
        except BaseException:
            self._cancel(change)
            raise


class Subscribing(Viewed[Driver, S]):
    """Subscriptions of a client, a pool or a connection."""

    __slots__ = ()

    def subscribe(
        self,
        *channels: Channel,
        patterns: Sequence[Channel] = (),
        shards: Sequence[Channel] = (),
        buffer: int = BUFFER,
        buffer_bytes: int = BUFFER_BYTES,
        overflow: Overflow = "drop_oldest",
        timeout: float | None | Default = DEFAULT,
    ) -> Messages[S]:
        """Subscribe for a `with` block: to channels, to `patterns`, and to `shards` (channels of SPUBLISH).

        The block gets its messages from the object that it is given: by `for`, `next` or `next_batch`. They come as
        `Message`, and as a `Gap` where some may be missing. Entering waits until the server has confirmed all names, for as long
        as `timeout`. A client or a pool has one connection for its subscriptions (of a cluster, one more to each master that has
        any of the `shards`), and subscribes anew when that is lost; on a connection, the subscription ends with it. One of a
        cluster's `nodes` opens a connection for the block, as to a single server: for what is told by that server alone, such as
        changes to its keys.

        At most `buffer` messages, with `buffer_bytes` of data, wait to be taken. What becomes of more, `overflow` says:
        "drop_oldest" or "drop_newest", with a `Gap` in their place, or "error", which ends this subscription. While no
        subscription of the client has room, the connection is not read, and nothing is dropped.

        Entering raises the server's `ReplyError` if it refuses a name, `CommandTimeoutError`, `ConnectError`.
        """
        by, text = self._view
        names = names_of(channels, patterns, shards, some=True)
        seconds = seconds_allowed(by._config, timeout)
        return Messages(by, text, names, buffer, buffer_bytes, overflow, seconds)

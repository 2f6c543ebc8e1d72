"""Subscribers of a client's own in a history: each hole in the numbers that they get has a gap."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from resp_sansio import Gap, Message, RespError
from resp_sansio.client import Heard, Listener, Subscriber
from resp_sansio.connection import SlotState
from simulation.interrupts import Struck
from simulation.world import World

if TYPE_CHECKING:
    from random import Random

    from resp_sansio.client import Client, Link
    from resp_sansio.client.subscriber import Wanted
    from simulation.script import Act, Script

__all__ = ["Follower", "Following", "Seen"]


class Seen:
    """What a subscriber has seen of each of its channels."""

    def __init__(self, wanted: list[Wanted]) -> None:
        self.wanted = wanted
        self.names = [name for _, name in wanted]
        self.last: dict[tuple[bytes, bytes], int] = {}  # by the name that it comes by, and its channel
        self.excused: Counter[bytes] = Counter()  # gaps of each name
        self._excused: dict[tuple[bytes, bytes], int] = {}  # and how many there were at the last message
        self.gaps = 0

    def sees(self, item: Message[bytes] | Gap[bytes]) -> None:
        """Each number follows the one before, unless a gap is between."""
        if isinstance(item, Gap):
            self.gaps += 1
            assert set(item.channels) <= {*self.names}, item
            self.excused.update(item.channels)
            return
        name, number = item.channel if item.pattern is None else item.pattern, int(item.data)
        by = name, item.channel
        assert name in self.names
        last = self.last.get(by, number - 1)
        excused = self.excused[name] > self._excused.get(by, 0)
        assert number == last + 1 or (excused and number > last), (by, last, number)
        self.last[by], self._excused[by] = number, self.excused[name]


class Follower(Seen):
    """One subscriber."""

    def __init__(self, world: Following, random: Random, wanted: list[Wanted]) -> None:
        super().__init__(wanted)
        self.world = world
        self.random = random
        self.client = world.client
        self.subscriber: Subscriber | None = None
        self.listener: Listener | None = None
        self.gone = False
        self.follows = False  # was all that it wanted confirmed?

    def comes(self) -> None:
        """It subscribes."""
        world, now = self.world, self.world.clock.now
        self.client = client = world.client
        try:
            self.subscriber = client.subscriber(None, 50, 1 << 20, "drop_oldest")
            change = world.strike.into(client.subscribe, self.subscriber, self.wanted, now)
            self._listens(change)
        except Struck:
            world.mend()
            self.leaves()
        except RespError:
            self.gone = True

    def _listens(self, what: Any) -> None:
        self.listener = Listener(what)
        try:
            self.world.strike.into(self.client.listen, self.listener)
        except Struck:
            self.world.mend()
            self.leaves()

    def told(self) -> None:
        """It is woken: all of it was confirmed, or messages have come."""
        listener, self.listener = self.listener, None
        assert listener is not None
        assert self.subscriber is not None
        if self.gone or self.world.client is not self.client:
            return
        try:
            listener.result()
        except RespError:
            self.leaves()
            return
        if isinstance(listener.what, Subscriber):
            assert listener.state is SlotState.ANSWERED
            self.takes()
        else:
            self.follows = True
        if self.random.random() < 0.05:
            self.leaves()
        else:
            self._listens(self.subscriber)

    def takes(self) -> None:
        """It has what has come."""
        assert self.subscriber is not None
        while self.subscriber.ready:
            self.sees(self.subscriber.ready.popleft())

    def leaves(self) -> None:
        """Its block ends."""
        self.gone = True
        listener, self.listener = self.listener, None
        if self.subscriber is None or self.world.client is not self.client:
            return
        if listener is not None:
            self.client.stop_listening(listener)
        while True:  # as a block does that is left: an interrupt only delays it
            try:
                self.world.strike.into(self.client.leave, self.subscriber, self.world.clock.now)
            except Struck:
                self.world.mend()
            else:
                break


class Following(World):
    """A history with followers."""

    def __init__(self, script: Script, *, trace: list[str] | None = None) -> None:
        super().__init__(script, trace=trace)
        self.followers: list[Follower] = []

    def carry_out(self, event: Any) -> None:
        """Wake a follower."""
        if isinstance(event, Heard):
            for follower in self.followers:
                if follower.listener is event.listener:
                    follower.told()
                    return
            if event.listener.what.__class__.__name__ in ("Subscriber", "Change"):
                return  # it has gone
        super().carry_out(event)

    def is_there(self, entry: Any) -> bool:
        """Does a caller, or a follower, wait for this?"""
        return any(follower.listener is entry for follower in self.followers) or super().is_there(entry)

    def resume(self, client: Client) -> None:
        """Followers look again, too."""
        super().resume(client)
        for follower in self.followers:
            if follower.listener is not None and follower.client is client is self.client:
                client.resume(follower.listener, self.clock.now)

    def mend(self, *torn: Link) -> None:
        """Those who wait without a deadline look again soon."""
        super().mend(*torn)
        self.clock.after(0.01, self.resume, self.client)

    def _fork(self, act: Act) -> None:
        before = self.client
        super()._fork(act)
        if self.client is not before:
            for follower in self.followers:
                follower.gone, follower.listener = True, None

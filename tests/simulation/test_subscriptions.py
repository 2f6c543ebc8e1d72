"""Subscribers in simulated worlds: whatever happens to the client, each hole in the numbers that they get has a gap.

A history is one of the others, with subscribers of the client's own beside its callers.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from resp_sansio import Gap, RespError
from resp_sansio.client import Heard, Kind, Listener, Subscriber
from resp_sansio.connection import SlotState
from simulation.interrupts import Struck
from simulation.script import SPAN, draw
from simulation.world import World

if TYPE_CHECKING:
    from resp_sansio.client import Client, Link
    from simulation.script import Act, Script

HISTORIES = 400
PART = 100
CHANNELS: Final = (b"f1", b"f2", b"f3")


class Follower:
    """One subscriber, and what it has seen of each of its channels."""

    def __init__(self, world: Followed, random: Random) -> None:
        self.world = world
        self.random = random
        self.names = random.sample(CHANNELS, random.randint(1, len(CHANNELS)))
        self.client = world.client
        self.subscriber: Subscriber | None = None
        self.listener: Listener | None = None
        self.last: dict[bytes, int] = {}
        self.excused: set[bytes] = set()
        self.gaps = 0
        self.gone = False
        self.follows = False  # was all that it wanted confirmed?

    def comes(self) -> None:
        """It subscribes."""
        world, now = self.world, self.world.clock.now
        self.client = client = world.client
        wanted = [(Kind.CHANNEL, name) for name in self.names]
        try:
            self.subscriber = client.subscriber(None, 50, 1 << 20, "drop_oldest")
            change = world.strike.into(client.subscribe, self.subscriber, wanted, now)
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
        """Each number follows the one before, unless a gap is between."""
        assert self.subscriber is not None
        ready = self.subscriber.ready
        while ready:
            item = ready.popleft()
            if isinstance(item, Gap):
                self.gaps += 1
                self.excused |= {*self.names}
                continue
            channel, number = item.channel, int(item.data)
            assert channel in self.names
            last = self.last.get(channel, number - 1)
            assert number == last + 1 or (channel in self.excused and number > last), (channel, last, number)
            self.last[channel] = number
            self.excused.discard(channel)

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


class Followed(World):
    """A history with followers."""

    def __init__(self, script: Script, *, trace: list[str] | None = None) -> None:
        super().__init__(script, trace=trace)
        self.losses = 0
        random = Random(script.seed)
        self.followers = [Follower(self, random) for _ in range(random.randint(1, 4))]
        for follower in self.followers:
            self.clock.at(random.random() * SPAN, follower.comes)
        for _ in range(60):
            self.clock.at(random.random() * 2 * SPAN, self.server.publish, random.choice(CHANNELS))

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

    def _closed(self, link: Link) -> None:
        if link.registry is not None:
            self.losses += 1
        super()._closed(link)

    def _end(self) -> None:
        """At rest, the server has what is wanted, and no more."""
        lane = self.client._subscriptions
        if lane is not None and self.client.closed is None:
            has = set() if lane.link is None else {*self.wires[lane.link].session._channels}
            wanted = {name.word for name in lane.registry.wanted}
            busy = any(
                act.kind == "busy" for act in self.script.acts
            )  # an UNSUBSCRIBE that was refused is not sent again
            assert has == wanted or (busy and has > wanted), (has, wanted)
            assert (lane.link is None) == (not wanted)
        super()._end()

    def _fork(self, act: Act) -> None:
        before = self.client
        super()._fork(act)
        if self.client is not before:
            for follower in self.followers:
                follower.gone, follower.listener = True, None

    def run(self) -> None:
        """Live through it."""
        super().run()
        for follower in self.followers:
            assert follower.gaps <= self.losses + 1, "a gap was told, and nothing was lost"


@pytest.mark.parametrize("first", range(0, HISTORIES, PART))
def test_each_hole_has_a_gap_and_all_is_subscribed_to_in_the_end(first: int) -> None:
    followed = 0
    for seed in range(first, first + PART):
        script = draw(seed)
        if script.mode == "once" or script.server == "proxy":
            continue
        world = Followed(script)
        try:
            world.run()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        followed += sum(bool(follower.last) for follower in world.followers)
    assert followed > PART

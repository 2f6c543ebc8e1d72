"""Subscribers in simulated worlds: whatever happens to the client, each hole in the numbers that they get has a gap.

A history is one of the others, with subscribers of the client's own beside its callers.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from resp_sansio.client import Kind
from simulation.followers import Follower, Following
from simulation.script import SPAN, draw

if TYPE_CHECKING:
    from resp_sansio.client import Link
    from resp_sansio.client.subscriber import Wanted
    from simulation.script import Script

HISTORIES = 400
PART = 100
CHANNELS: Final = (b"f1", b"f2", b"f3")
NAMES: Final = (*[(Kind.CHANNEL, name) for name in CHANNELS], (Kind.PATTERN, b"f*"), (Kind.PATTERN, b"?2"))


class Followed(Following):
    """A history with followers."""

    def __init__(self, script: Script, *, trace: list[str] | None = None) -> None:
        super().__init__(script, trace=trace)
        self.losses = 0
        random = Random(script.seed)
        self.followers = [Follower(self, random, self.wanted(random)) for _ in range(random.randint(1, 4))]
        for follower in self.followers:
            self.clock.at(random.random() * SPAN, follower.comes)
        for _ in range(60):
            self.clock.at(random.random() * 2 * SPAN, self.server.publish, random.choice(CHANNELS))

    @staticmethod
    def wanted(random: Random) -> list[Wanted]:
        """What a subscriber wants."""
        return random.sample(NAMES, random.randint(1, len(NAMES)))

    def _closed(self, link: Link) -> None:
        if link.registry is not None:
            self.losses += 1
        super()._closed(link)

    def _end(self) -> None:
        """At rest, the server has what is wanted, and no more."""
        lane = self.client._subscriptions
        if lane is not None and self.client.closed is None:
            has = set() if lane.link is None else self.wires[lane.link].session.names
            wanted = {(name.kind.name, name.word) for name in lane.registry.wanted}
            busy = any(
                act.kind == "busy" for act in self.script.acts
            )  # an UNSUBSCRIBE that was refused is not sent again
            assert has == wanted or (busy and has > wanted), (has, wanted)
            assert (lane.link is None) == (not wanted)
        super()._end()

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

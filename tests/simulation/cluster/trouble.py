"""A cluster in a world, and what goes wrong with it: the faults by their names in a script."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from resp_sansio.client import Kind
from resp_sansio.testing.cluster_world import ClusterFaults
from resp_sansio.testing.members import part_of, slot_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from resp_sansio.client.subscriber import Wanted
    from resp_sansio.testing import ClusterFault
    from simulation.cluster.promises import TownChecks
    from simulation.cluster.script import ClusterScript
    from simulation.followers import Seen
    from simulation.script import Act

__all__ = ["LONG", "SEEN", "TownTrouble"]

LONG: Final = 30.0  # seconds in which a cluster is well again
SEEN: Final = 12  # callers, one a second, who let the client see how its cluster is now
CHANNELS: Final = (
    (Kind.CHANNEL, b"f1"), (Kind.CHANNEL, b"f2"), (Kind.SHARD, b"h1{0}"), (Kind.SHARD, b"h2{0}"), (Kind.SHARD, b"h{4}"),
    (Kind.SHARD, b"h{7}"),
)  # fmt: skip
"""What followers subscribe to: channels whose messages all servers pass on, and those of shards."""
PATTERNS: Final = ((Kind.PATTERN, b"f*"), (Kind.PATTERN, b"?2"))
"""And patterns, in some histories."""
BY_PATTERN: Final = ((Kind.CHANNEL, b"f3"), (Kind.CHANNEL, b"g2"))
"""Channels that only patterns match."""


class TownTrouble(ClusterFaults):
    """A world that has a cluster: `built` says when."""

    script: ClusterScript
    checks: TownChecks

    def built(self) -> None:
        """The cluster is there from now on."""
        script = self.script
        self.found(masters=script.masters, replicas=script.replicas, kind=script.server, password=script.password)
        self.cluster.deaf = script.deaf
        self.cluster.takes, self.cluster.runs = self.checks.takes, self.checks.runs
        self._listen()

    def _listen(self) -> None:
        for member in self.cluster.members:
            member.arrived = self.arrives
            member.changed = partial(self.checks.changes, member)

    def arrives(self, session: Any, words: Any) -> None:
        """A command has come to a server."""
        self.checks.arrives(session, words)

    @property
    def names(self) -> tuple[Wanted, ...]:
        """What subscribers may want."""
        return (*CHANNELS, *PATTERNS) if self.script.patterns else CHANNELS

    @property
    def channels(self) -> tuple[Wanted, ...]:
        """Those to which others publish."""
        return (*CHANNELS, *BY_PATTERN) if self.script.patterns else CHANNELS

    def publish(self, kind: Kind, channel: bytes) -> None:
        """Another client sends a message."""
        self.cluster.publish(channel, sharded=kind is Kind.SHARD)

    def messages_by(self, seen: Seen) -> Iterator[tuple[tuple[bytes, bytes], int]]:
        """How many messages there were by each name of a subscriber, and of each channel."""
        for kind, name in seen.wanted:
            for _, channel in self.channels:
                if channel == name or (kind is Kind.PATTERN and fnmatchcase(channel.decode(), name.decode())):
                    yield (name, channel), self.cluster.messages[channel]

    def touch(self, tags: Iterable[int]) -> None:
        """Another client changes what callers read again and again, as far as there is a server for it."""
        for tag in tags:
            key = b"r{%d}" % tag
            part = part_of(slot_of(key))
            master = self.cluster.parts[part].master
            if not (master.stopped or self.cluster.down or part in master.migrating):
                master.change(key, master.data[key] + 1)
                master.tell_changes()

    def happens_to_town(self, act: Act) -> None:
        """This fault happens."""
        self.tell("fault {}: {} for {} s", act.number, act.kind, act.seconds)
        self.happens_to_cluster(cast("ClusterFault", act.kind), act.seconds, act.chance)
        self._listen()

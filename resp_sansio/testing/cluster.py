"""A small Redis Cluster: servers that share the hash slots, hear of changes late, die, are replaced, and hand slots to each other.

The slots are cut into a few parts, each of which has one shard at a time: a master, which has the data, and replicas. What is true
is known here. Each server acts by what it has heard, see `members`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import inf
from random import Random
from typing import Final

from resp_sansio import ReplyError

from .clock import Clock
from .members import PARTS, Member, MemberSession, Place, Ran, Shard, part_of, slot_of
from .network import Socket
from .server import Words

__all__ = ["SimulatedCluster"]

HEARS: Final = 0.3  # seconds within which a server hears of a change
FAILS: Final = (0.1, 0.4)  # seconds after which all say that the cluster is down, once a master does not answer
ELECTS: Final = (0.05, 0.4)  # and after which a replica has its place


class SimulatedCluster:
    """The whole cluster: what is true, and what happens to it."""

    def __init__(self, clock: Clock, random: Random, *, kind: str, password: bool, masters: int, replicas: int) -> None:
        self.clock = clock
        self.random = random
        self.kind = kind
        self.password = password
        self.down: int = 0  # how many masters are missed: while one is, no server carries out anything
        self.deaf: bool = False  # nor do they as to channels of shards: `cluster-allow-pubsubshard-when-down no`
        self.ran: Ran = Ran()
        self.taken: dict[bytes, tuple[bytes, float]] = {}
        self.lost: Ran = Ran()  # what was carried out by a master that had been replaced
        self.lost_taken: dict[bytes, tuple[bytes, float]] = {}
        self.given: list[float] = [-inf] * PARTS  # when a part was last given to another server
        self.named: set[tuple[str, int, Place]] = set()  # what redirects have said
        self.shards: list[Shard] = []
        self.members: list[Member] = []
        self.stuck: dict[int, float] = {}  # until when commands lay in frozen servers, by slot
        self.went_on: float = 0.0  # when a server last did that had been stopped
        self.left: dict[Member, float] = {}  # servers that are none of its any more, and since when
        self.takes: Callable[[MemberSession, Words, ReplyError | None, bool], None] = lambda *_: None
        self.runs: Callable[[MemberSession, Words], None] = lambda *_: None
        self.tell: Callable[..., None] = lambda *_: None
        self.messages: Counter[bytes] = Counter()  # how many there were in each channel
        for _ in range(masters):
            self.found(replicas)
        self.parts: list[Shard] = [self.shards[part * masters // PARTS] for part in range(PARTS)]
        self.since: list[float] = [0.0] * (PARTS + 1)  # when something was last wrong with a part
        for member in self.members:
            member.hear()

    def found(self, replicas: int) -> Shard:
        """A master and its replicas are there from now on, without slots."""
        shard = Shard(len(self.shards))
        ever = len(self.members) + len(self.left)
        made = [Member(self, ever + number, shard) for number in range(1 + replicas)]
        shard.master, *shard.replicas = made
        self.shards.append(shard)
        self.members += made
        return shard

    def touch(self, *parts: int) -> None:
        """Something changes for these parts, or for all."""
        for part in parts or range(PARTS):  # -1: none
            self.since[part] = self.clock.now

    def parts_of(self, shard: Shard) -> list[int]:
        """Return the parts that a shard has."""
        return [part for part in range(PARTS) if self.parts[part] is shard]

    def well_since(self, part: int) -> float:
        """Return since when nothing is wrong with a part; `math.inf` if something is."""
        master = self.parts[part].master
        wrong = master.stopped or master.wrong["loading"] or part in master.migrating or part in master.denies
        led_astray = any([one.wrong["behind"] or one.wrong["empty"] or one.wrong["partial"] for one in self.members])
        return inf if wrong or led_astray or self.down else self.since[part]

    def server_well_since(self, place: Place) -> float:
        """The same of one server, whatever it has."""
        member = self.at(place)
        gone = member is None or member in self.left or member.stopped or member.wrong["loading"]
        return inf if gone else max(self.went_on, *self.since)

    def at(self, place: Place) -> Member | None:
        """Return the server at this place."""
        return next((member for member in (*self.members, *self.left) if member.place == place), None)

    def spread(self, *at_once: Member) -> None:
        """Something has changed: these know of it, and the others hear of it."""
        for member in at_once:
            member.hear(surely=True)
        for member in self.members:
            if member not in at_once:
                self.clock.after(self.random.random() * HEARS, member.hear)

    # -- what happens ------------------------------------------------------------------------------------------------------------

    def stop(self, member: Member, sockets: list[Socket], *, frozen: bool, seconds: float) -> None:
        """A server dies, or stands still, for so long. If it is a master that is missed, a replica takes its place."""
        phase = "frozen" if frozen else "crashed"
        member.wrong[phase] += 1
        if not frozen:
            member.restarts += 1
            for socket in sockets:
                if socket.server is member and socket.opened:
                    socket.hang_up()
        self.clock.after(seconds, self._goes_on, member, phase)
        self.clock.after(self._between(FAILS), self._missed, member)

    def _between(self, bounds: tuple[float, float]) -> float:
        return bounds[0] + self.random.random() * (bounds[1] - bounds[0])

    def _missed(self, member: Member) -> None:
        if member.stopped and member.shard.master is member and self.has_slots(member.shard):
            self.tell("the cluster is down: {} is missed", member)
            self.down += 1
            self.touch()
            self._unblock_all(ReplyError("CLUSTERDOWN The cluster is down"))
            self.clock.after(self._between(ELECTS), self._elect, member)

    def has_slots(self, shard: Shard) -> bool:
        """Has it any?"""
        return shard in self.parts

    def _unblock_all(self, error: ReplyError) -> None:
        for member in self.members:
            if not member.stopped:
                for session in [session for session in member.sessions if session.waits]:
                    session.unblock(error)

    def _elect(self, member: Member) -> None:
        shard = member.shard
        if not member.stopped or shard.master is not member:
            self._found_again()
            return
        able = [replica for replica in shard.replicas if not replica.stopped]
        if able:
            self.replace(shard, able[int(self.random.random() * len(able))])
            self._found_again()
        else:
            self.clock.after(0.1, self._elect, member)

    def _found_again(self) -> None:
        self.down -= 1
        self.touch()
        if not self.down:
            self.tell("the cluster is up")

    def replace(self, shard: Shard, new: Member, *more: Member) -> None:
        """A replica takes the place of its master, and has all that was acknowledged until now."""
        old = shard.master
        self.tell("{} replaces {}", new, old)
        new.copy(old)
        for part in self.parts_of(shard):
            self.given[part] = self.clock.now
        new.migrating, new.importing = dict(old.migrating), dict(old.importing)
        shard.replicas.remove(new)
        shard.replicas.append(old)
        shard.master = new
        old.ran, old.taken = self.lost, self.lost_taken
        self.spread(new, *more)

    def fail_over(self, member: Member, seconds: float) -> None:
        """A replica takes over by request: the master carries out nothing meanwhile, and knows at once."""
        shard = member.shard
        able = [replica for replica in shard.replicas if not replica.stopped]
        if able and shard.master is member and not member.stopped:
            member.wrong["frozen"] += 1
            self.clock.after(seconds, self._failed_over, member, able[0])

    def _failed_over(self, old: Member, new: Member) -> None:
        old.wrong["frozen"] -= 1
        self.touch(*self.parts_of(old.shard), -1)
        if not old.wrong["frozen"] and old.shard.master is old and not new.stopped and not old.stopped:
            self.replace(old.shard, new, old)
        self._thaw(old)

    def _goes_on(self, member: Member, phase: str) -> None:
        member.wrong[phase] -= 1
        self.touch(*self.parts_of(member.shard), -1)
        if not member.stopped:
            self.tell("{} goes on", member)
            self.went_on = self.clock.now
            if phase == "crashed":
                member.become_replica() if member.shard.master is not member else None
                member.hear()
                self.phase(member, "loading", self.random.random() * 0.3)
            else:
                self.clock.after(self.random.random() * HEARS, member.hear)
                self._thaw(member)

    @staticmethod
    def _thaw(member: Member) -> None:
        member.thaw()

    def publish(self, channel: bytes, *, sharded: bool = False) -> None:
        """Another client sends a message, its number in this channel: to all servers, or to those of the channel's shard."""
        master = self.parts[part_of(slot_of(channel))].master
        if sharded and master.stopped:
            return  # it waits
        self.messages[channel] += 1
        for member in (master, *master.shard.replicas) if sharded else self.members:
            if not member.wrong["crashed"]:
                member.passes_on(channel, b"%d" % self.messages[channel], sharded=sharded)

    def move(self, part: int, to: Shard, seconds: float, *, source_first: bool) -> None:
        """These slots go to another shard, key by key."""
        source = self.parts[part]
        if to is source or self.is_moving(part) or to.master.owner_before(part) is not source.master:
            return  # the target is to know whose they are
        to.master.migrating.pop(part, None)
        source.master.migrating[part] = to
        to.master.importing[part] = source
        for at in (0.3, 0.6):
            self.clock.after(seconds * at, self._move_keys, part, to, 0.5)
        self.clock.after(seconds, self._moved, part, to, source_first)

    def is_moving(self, part: int) -> bool:
        """Is this part on its way?"""
        return part in self.parts[part].master.migrating

    def _move_keys(self, part: int, to: Shard, share: float) -> None:
        source, target = self.parts[part].master, to.master
        if source.stopped or target.stopped:
            return
        keys = {*source.data, *source.strings, *[key for key in source.lists if source.lists[key]]}
        for key in sorted(keys):
            if part_of(slot_of(key)) == part and self.random.random() < share:
                self._move_key(key, source, target)
        source.tell_changes()

    @staticmethod
    def _move_key(key: bytes, source: Member, target: Member) -> None:
        if key in source.data:
            target.data[key] = source.data.pop(key)
        if key in source.strings:
            target.strings[key] = source.strings.pop(key)
        source.version[key] += 1
        target.version[key] += 1
        source._changed.append(key)
        if source.lists.get(key):
            for element in source.lists.pop(key):
                target.push(key, element)

    def _moved(self, part: int, to: Shard, source_first: bool) -> None:
        source, target = self.parts[part].master, to.master
        if source.stopped or target.stopped or self.down:
            self.clock.after(0.1, self._moved, part, to, source_first)
            return
        self._move_keys(part, to, 1.0)
        self.tell("slots of part {} are {}'s", part, target)
        self.parts[part] = to
        self.given[part] = self.clock.now
        self.touch(part)
        self.spread(source if source_first else target)

    def remove(self, shard: Shard, sockets: list[Socket], *, stays: bool) -> None:
        """A shard that has no slots any more is no part of the cluster; its servers are stopped for good, or know of no other."""
        if self.has_slots(shard) or shard.master.importing or shard not in self.shards:
            return
        self.tell("{} is removed", shard)
        self.shards.remove(shard)
        for member in (shard.master, *shard.replicas):
            self.members.remove(member)
            self.left[member] = self.clock.now
            if stays:
                member.wrong["empty"] += 1
                continue
            member.wrong["crashed"] += 1
            for socket in sockets:
                if socket.server is member and socket.opened:
                    socket.hang_up()

    @property
    def is_well(self) -> bool:
        """Is nothing wrong with it?"""
        wrong = any([any(member.wrong.values()) or member.denies or member.migrating for member in self.members])
        return not (wrong or self.down)

    def quarrel(self, part: int, seconds: float) -> None:
        """Two servers say of each other that these slots are the other's. One had them, and ends what is subscribed there."""
        one = self.parts[part].master
        others = [shard.master for shard in self.shards if shard.master is not one]
        if others and not (one.denies or one.stopped):
            other = others[int(self.random.random() * len(others))]
            one.denies[part], other.denies[part] = other, one
            one.end_channels(part)
            self.clock.after(seconds, self._agree, one, other)

    @staticmethod
    def _agree(*members: Member) -> None:
        for member in members:
            member.cluster.touch(*member.denies, -1)
            member.denies.clear()

    def phase(self, member: Member, what: str, seconds: float) -> None:
        """One server is behind, has no map, or a part of it, for so long."""
        member.wrong[what] += 1
        self.clock.after(seconds, self._phase_over, member, what)

    def _phase_over(self, member: Member, what: str) -> None:
        member.wrong[what] -= 1
        self.touch()
        member.hear()

"""What must hold for any client of a cluster: asked of what its callers were told, and of what the servers really did."""

from __future__ import annotations

from collections import Counter, deque
from math import inf
from typing import TYPE_CHECKING, Any, Final, cast

from resp_sansio.testing import ClusterChecks
from resp_sansio.testing.members import keys_of, part_of, slot_of
from simulation.checks import HEARD

if TYPE_CHECKING:
    from resp_sansio import ReplyError
    from resp_sansio.client.sentinel import Place
    from resp_sansio.testing import Session
    from resp_sansio.testing.members import Member, MemberSession
    from resp_sansio.testing.server import Words
    from simulation.cluster.trouble import TownTrouble
    from simulation.script import Act

__all__ = ["FORGETS", "ROUNDS", "OfSlots", "TownChecks"]

AT_ONCE: Final = 5
ROUNDS: Final = 4  # a second
TOLD_OF_MOVES: Final = 5.0  # seconds after which a client has heard that a slot has another owner
TURNED_AWAY: Final = 30  # times a second that a channel of a shard may be refused
FORGETS: Final = 6  # questions for the map behind which a server that has left is known to have
PATIENCE: Final = 4.0
"""Seconds in which a caller is served whose slots have their servers: those after which silence is the end."""


class OfSlots:
    """A caller of a cluster's client. `tags`: of its keys. `place`: of the server that its calls are for, if they are for one."""

    act: Act
    tags: set[int]
    place: Place | None = None

    @property
    def parts(self) -> set[int]:
        """The parts of the cluster that it needs."""
        return {part_of(slot) for slot in self.slots}

    @property
    def slots(self) -> set[int]:
        """The hash slots of its keys."""
        return {slot_of(b"{%d}" % tag) for tag in self.tags}

    @property
    def everywhere(self) -> bool:
        """Does it ask all masters?"""
        return self.act.kind == "size"


class TownChecks(ClusterChecks):
    """The promises, for one history."""

    world: TownTrouble

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.asked: set[Words] = set()  # commands that were answered with ASK
        self.redirected: Counter[Words] = Counter()
        self.waited: set[bytes] = set()  # keys of which a server has said that it is not the time
        self.passes: dict[bytes, list[tuple[MemberSession, bytes, bool]]] = {}
        self.meant: dict[Words, Place] = {}  # commands that are for one server
        self.set: Counter[bytes] = Counter()  # how often each key was set
        self.last_written: Counter[bytes] = Counter()  # by a caller that was told so
        self.history: dict[bytes, list[tuple[float, int]]] = {}  # which value each key had, and since when
        self.undone: set[bytes] = set()  # keys that were changed or read at a master that had been replaced
        self.turned_away: dict[bytes, deque[float]] = {}  # when channels of shards were refused in the last second
        self.maps: deque[float] = deque()
        self.asked_for_map: list[float] = []
        self.longest = 0.0

    # -- where commands come ---------------------------------------------------------------------------------------------------

    def arrives(self, session: Session, words: Words) -> None:  # noqa: ARG002
        """The map is seldom asked for. The rest is seen by `takes`."""
        if words[0] == b"CLUSTER":
            now = self.world.clock.now
            self.asked_for_map.append(now)
            self.maps.append(now)
            while self.maps[0] < now - 1.0:
                self.maps.popleft()
            most = ROUNDS * (len(self.world.cluster.members) + 3)
            assert len(self.maps) <= most, f"the map was asked for {len(self.maps)} times in a second"

    def takes(self, session: MemberSession, words: Words, refusal: ReplyError | None, asked: bool) -> None:
        """A server takes up a command, and refuses it or not."""
        code = None if refusal is None else refusal.code
        name = words[0]
        if name == b"SSUBSCRIBE":
            self._subscribes(words[1:], refused=refusal is not None)
        if not keys_of(words):
            return
        reads = self.world.script.config.read_from != "master"
        assert session.readonly or not reads, f"{words!r} came by a connection without READONLY"
        self.redirected[words] += code in ("ASK", "MOVED")
        place = session.server.place
        assert self.meant.get(words, place) == place, f"{words!r} came to {session.server}, and was for another"
        self.taken_up(session, words, refusal)
        if asked and session._queued is None:
            assert self.was_asked_for(words), f"{words!r} was sent behind ASKING, and no server had asked for that"
        if code == "ASK":
            self.asked.add(words)
        elif code not in (None, "MOVED"):
            self.waited.update(keys_of(words))
        if name == b"APPEND":
            self._in_order(session, words, refused=refusal is not None)

    def _subscribes(self, channels: Words, *, refused: bool) -> None:
        """A channel that servers send to and fro is asked for a few times at once, and then with pauses, as a call is."""
        now = self.world.clock.now
        for channel in channels:
            times = self.turned_away.setdefault(channel, deque())
            if refused:
                times.append(now)
            else:
                times.clear()
            while times and times[0] < now - 1.0:
                times.popleft()
            assert len(times) <= TURNED_AWAY, f"{channel!r} was asked for {len(times)} times in a second"

    def was_asked_for(self, words: Words) -> bool:
        """Has a server answered ASK to this command, or to a WATCH of all its keys?"""
        watched = [set(keys_of(one)) for one in self.asked if one[0] == b"WATCH"]
        return words in self.asked or any(set(keys_of(words)) <= keys for keys in watched)

    def taken_up(self, session: MemberSession, words: Words, refusal: ReplyError | None) -> None:
        """What else must hold of a command that a server takes up, or refuses."""

    def _in_order(self, session: MemberSession, words: Words, *, refused: bool) -> None:
        """The steps of one string come in their order; one that was refused comes again before those behind it."""
        _, key, letter = words
        before = self.passes.setdefault(key, [])
        before.append((session, letter, refused))
        if refused:
            return
        last = {one: where if was_refused else None for where, one, was_refused in before}
        if key[:1] == b"a" and any([one < letter and where is session for one, where in last.items()]):
            self.waited.add(key)  # its server changed its mind in the midst, and what it had refused may not come again
        for at, (where, other, was_refused) in enumerate(before[:-1]):
            if was_refused or other < letter:
                continue
            assert other != letter, f"{words!r} ran twice"
            if key[:1] == b"s" and (key in self.waited or self.redirected[words] > AT_ONCE or self.world.troubled):
                continue  # each call has paused for itself
            missed = [one for one in before[:at] if one[1] == letter]
            same = bool(missed) and missed[-1][0] is where
            assert same, f"{words!r} ran behind {other!r}"
            self.waited.add(key)  # its server changed its mind in the midst

    def runs(self, session: MemberSession, words: Words) -> None:
        """A server carries out a command."""
        if words[0] == b"SET":
            lost = session.server.ran is self.world.cluster.lost
            self.set[b"lost" if lost else words[1]] += 1
        elif words[0] == b"GET" and session.server.ran is self.world.cluster.lost:
            self.undone.add(words[1])  # read at a master that has been replaced, and has not heard of it

    def no_set_is_lost(self) -> None:
        """Each transaction that set a counter behind a WATCH has added one, but for those of a master that had been replaced."""
        cluster = self.world.cluster
        for key, times in self.set.items():
            if key != b"lost":
                value = cluster.parts[part_of(slot_of(key))].master.data[key]
                assert value == times, f"an update was lost: {key!r} is {value} of {times}"

    # -- what is kept is no older than it may be ---------------------------------------------------------------------------------

    def changes(self, member: Member, key: bytes, value: int) -> None:
        """A key of this server has another value."""
        if member.ran is self.world.cluster.lost:
            self.undone.add(key)
        elif key[:2] == b"r{":
            self.history.setdefault(key, []).append((self.world.clock.now, value))

    def is_no_older(self, caller: object, key: bytes, value: int, than: int) -> None:
        """A caller has read this."""
        assert value >= than or key in self.undone, f"{caller} has {value} of {key!r}, and {than} was written"

    def is_fresh(self, caller: object, key: bytes, value: int, written: int, since: float) -> None:
        """A caller that asked then is given what may have been kept: no older than one's own writes, and the word of others'."""
        cluster = self.world.cluster
        self.is_no_older(caller, key, value, written)
        part = part_of(slot_of(key))
        well = max(self.world.troubled, cluster.well_since(part), cluster.went_on, cluster.given[part] + TOLD_OF_MOVES)
        if since - HEARD > well:
            known = max([0, *[one for when, one in self.history.get(key, ()) if when <= since - HEARD]])
            self.is_no_older(caller, key, value, known)

    # -- nothing waits in vain -------------------------------------------------------------------------------------------------

    def punctual(self, who: object, since: float) -> None:
        """A caller whose slots had their servers all the time does not wait for long."""
        world, caller, cluster = self.world, cast("OfSlots", who), self.world.cluster
        well = max(since, world.troubled, *[cluster.well_since(part) for part in caller.parts])
        well = max(well, *[cluster.stuck.get(slot, 0.0) for slot in caller.slots])
        if caller.everywhere:  # it waits for each master that there was as it asked
            gone = any(when > since for when in cluster.left.values()) or any(one.stopped for one in cluster.members)
            well = max(well, inf if gone else cluster.went_on)
        if caller.place is not None:
            well = max(well, cluster.server_well_since(caller.place))
        waited = world.clock.now - well
        self.longest = max(self.longest, waited)
        assert waited < PATIENCE, f"{who} waited for {waited} s, and all was well"

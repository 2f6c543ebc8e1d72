"""A small Redis Cluster: servers that share the hash slots, hear of changes late, die, are replaced, and hand slots to each other.

The slots are cut into a few parts, each of which has one shard at a time: a master, which has the data, and replicas. What is true
is known here. Each server acts by what it has heard: that decides which commands it carries out, and where it sends the others.
At most one server carries out a command on a key, but for a master that was frozen and has been replaced meanwhile: once it thaws,
it goes on until it hears of that, and what it does then is lost.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections import Counter, deque
from math import inf
from typing import TYPE_CHECKING, Any, Final

from resp_sansio import Push, ReplyError
from resp_sansio.testing import Server, Session, Socket

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from resp_sansio.testing import Clock
    from resp_sansio.testing.server import Words

__all__ = ["SLOTS", "Member", "MemberSession", "Shard", "Town", "slot_of"]

SLOTS: Final = 16384
PARTS: Final = 8
HEARS: Final = 0.3  # seconds within which a server hears of a change
FAILS: Final = (0.1, 0.4)  # seconds after which all say that the cluster is down, once a master does not answer
ELECTS: Final = (0.05, 0.4)  # and after which a replica has its place
BEHIND_ASKING: Final = frozenset({b"MULTI", b"EXEC", b"UNWATCH"})  # which takes it back, where no more follows
KEYED: Final = frozenset({b"GET", b"INCRBY", b"SET", b"APPEND", b"RPUSH"})
UNBLOCKED: Final = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"


def slot_of(key: bytes) -> int:
    """Return the hash slot of a key: of what is in its first braces, if anything is. Not by the library."""
    _, brace, rest = key.partition(b"{")
    tag, end, _ = rest.partition(b"}")
    return crc_hqx(tag if brace and end and tag else key, 0) % SLOTS


def part_of(slot: int) -> int:
    """Return the part of the slots that this one is in."""
    return slot * PARTS // SLOTS


def keys_of(words: Words) -> tuple[bytes, ...]:
    """Return the keys of a command."""
    name = words[0]
    if name in KEYED:
        return words[1:2]
    if name == b"BLPOP":
        return words[1:-1]
    if name == b"MSET":
        return words[1::2]
    return words[1:] if name == b"WATCH" else ()


class Ran(Counter[bytes]):
    """What ran, without the tags of keys."""

    def __getitem__(self, key: bytes) -> int:
        return super().__getitem__(key.partition(b"{")[0])

    def __setitem__(self, key: bytes, value: int) -> None:
        super().__setitem__(key.partition(b"{")[0], value)


class Shard:
    """Servers that have the same slots: the master, which acts, and its replicas."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.master: Member
        self.replicas: list[Member] = []

    def __repr__(self) -> str:
        return f"shard {self.number}"


class Member(Server):
    """One server, and what it has heard of the others. `wrong` has more phases: frozen, down, behind, empty, partial."""

    def __init__(self, town: Town, number: int, shard: Shard) -> None:
        super().__init__(town.clock, kind=town.kind, password=town.password)
        self.town = town
        self.shard = shard
        self.number = number
        self.place = f"10.0.0.{number}", 7000 + number
        self.sessions: list[MemberSession] = []
        self.parts: list[Shard] = []  # who has which, as it has heard
        self.masters: dict[Shard, Member] = {}
        self.migrating: dict[int, Shard] = {}
        self.importing: dict[int, Shard] = {}
        self.denies: dict[int, Member] = {}  # it says that these are others', though they are its own, or none's
        self.late: list[tuple[bytes, bytes]] = []  # messages that have come while it was frozen
        self.removed = False
        self.ran = town.ran
        self.taken = town.taken

    def __repr__(self) -> str:
        return f"server {self.number}"

    def session(self, send: Callable[[bytes], None], hang_up: Callable[[], None]) -> Session:
        made = MemberSession(self, send, hang_up)
        self.sessions.append(made)
        return made

    @property
    def stopped(self) -> bool:
        """Does nothing happen in it?"""
        return bool(self.wrong["frozen"] or self.wrong["crashed"])

    def take(self, key: bytes, words: Words) -> list[bytes]:
        name = words[-2].partition(b"{")[0]
        return super().take(key, (*words[:-2], name, words[-1]))

    # -- what it has heard -----------------------------------------------------------------------------------------------------

    def owner(self, part: int) -> Member:
        """Return the server to which it sends commands for this part."""
        return self.denies.get(part) or self.masters[self.parts[part]]

    def hear(self, *, surely: bool = False) -> None:
        """Hear how all is now. What it has done itself it knows `surely`."""
        if self.stopped or (self.wrong["behind"] and not surely):
            return  # it will, later
        town = self.town
        demoted = self.masters.get(self.shard) is self and self.shard.master is not self
        had = [*self.parts]
        before = [self.owner_before(part) for part in range(PARTS)]
        lost = [part for part in range(PARTS) if self.owner_before(part) is self and town.parts[part] is not self.shard]
        self.parts, self.masters = [*town.parts], {shard: shard.master for shard in town.shards}
        if changed := [part for part in range(PARTS) if before[part] is not self.masters[self.parts[part]]]:
            town.touch(*changed)
        for part in [part for part in self.migrating if self.parts[part] is not self.shard]:
            del self.migrating[part]
        for part in [part for part in self.importing if self.parts[part] is self.shard]:
            del self.importing[part]
        if demoted:
            self.become_replica()
        for channel in [channel for channel in self.channels if channel[:1] == b"h"]:
            part = part_of(slot_of(channel))
            if demoted or (had and had[part] is self.shard and self.parts[part] is not self.shard):
                for session in [*self.channels[channel]]:
                    session.leave(b"SUNSUBSCRIBE", channel)
        for session in [session for session in self.sessions if session.waits]:
            part = part_of(slot_of(session.waits[1]))
            if demoted:
                session.unblock(ReplyError(UNBLOCKED))
            elif part in lost:
                session.unblock(self.sends_on(session.waits[1]))

    def owner_before(self, part: int) -> Member | None:
        return self.masters.get(self.parts[part]) if self.parts else None

    def become_replica(self) -> None:
        """What it has done since another took its place is lost."""
        self.migrating, self.importing = {}, {}
        self.ran, self.taken = self.town.ran, self.town.taken
        self.copy(self.shard.master)

    def copy(self, other: Member) -> None:
        """Have the data that the other one has."""
        self.data.clear()
        self.data.update(other.data)
        self.strings = dict(other.strings)
        self.lists.clear()
        self.lists.update({key: deque(elements) for key, elements in other.lists.items()})
        self.version = Counter(other.version)

    def passes_on(self, channel: bytes, message: bytes) -> None:
        """A message has come: subscribers have it, once it does anything."""
        if self.wrong["frozen"]:
            self.late.append((channel, message))
            return
        for session in [*self.channels[channel]]:
            session.say(Push("smessage" if channel[:1] == b"h" else "message", (channel, message)))

    def thaw(self) -> None:
        """Go on with what has come meanwhile."""
        for session in [*self.sessions]:
            session.thaw()
        if not self.wrong["frozen"]:
            late, self.late = self.late, []
            for channel, message in late:
                self.passes_on(channel, message)

    # -- what it says ----------------------------------------------------------------------------------------------------------

    def refuses_channels(self, channels: tuple[bytes, ...]) -> ReplyError | None:
        """Return why it does not listen to, or leave, these channels of shards, if it does not. Replicas do as their master."""
        part = part_of(slot_of(channels[0]))
        assert {slot_of(channel) for channel in channels} == {slot_of(channels[0])}, f"{channels!r} were sent together"
        return None if self.owner(part).shard is self.shard else self.sends_on(channels[0])

    def sends_on(self, key: bytes) -> ReplyError:
        slot = slot_of(key)
        return self.redirect("MOVED", slot, self.owner(part_of(slot)))

    def redirect(self, code: str, slot: int, to: Member) -> ReplyError:
        host, port = to.place
        self.town.named.add((code, slot, to.place))
        return ReplyError(f"{code} {slot} {host}:{port}")

    def refusal(self, keys: tuple[bytes, ...], *, asking: bool, reads: bool) -> ReplyError | None:
        """Return why it does not carry out a command on these keys, if it does not."""
        slot = slot_of(keys[0])
        assert {slot_of(key) for key in keys} == {slot}, f"{keys!r} were sent together"
        if self.town.down:
            return ReplyError("CLUSTERDOWN The cluster is down")
        part = part_of(slot)
        there = [self.has(key) for key in keys]
        if part in self.importing and asking and part not in self.denies:
            return (
                None
                if len(set(keys)) == 1 or all(there)
                else ReplyError("TRYAGAIN Multiple keys request during rehashing of slot")
            )
        owner = self.owner(part)
        if reads and owner.shard is self.shard:
            return None
        if owner is not self:
            return self.redirect("MOVED", slot, owner)
        if part in self.migrating and not all(there):
            if any(there):
                return ReplyError("TRYAGAIN Multiple keys request during rehashing of slot")
            target = self.migrating[part]
            return self.redirect("ASK", slot, self.masters.get(target, target.master))
        return None

    def has(self, key: bytes) -> bool:
        """Is there such a key?"""
        return key in self.data or key in self.strings or bool(self.lists.get(key))

    def all_slots(self) -> Any:
        """Answer CLUSTER SLOTS."""
        if self.wrong["empty"]:
            return []
        ranges: list[list[Any]] = []
        for part in range(PARTS):
            master = self.masters[self.parts[part]]
            first, last = -(-part * SLOTS // PARTS), -(-(part + 1) * SLOTS // PARTS) - 1
            if part % 3 == 1 and self.wrong["partial"]:
                continue
            servers = [one.node() for one in (master, *[one for one in master.shard.replicas if one is not master])]
            if ranges and ranges[-1][2:] == servers and ranges[-1][1] == first - 1:
                ranges[-1][1] = last
            else:
                ranges.append([first, last, *servers])
        return ranges

    def node(self) -> list[Any]:
        host, port = self.place
        return [host.encode(), port, b"id%d" % self.number, []]


class MemberSession(Session):
    """A server's end of one connection."""

    server: Member

    def __init__(self, server: Member, send: Callable[[bytes], None], hang_up: Callable[[], None]) -> None:
        super().__init__(server, send, hang_up)
        self.asking = False
        self.readonly = False
        self.closing = False  # the client has gone, and the server does not know yet

    def _work(self) -> None:
        if not self.server.wrong["frozen"]:
            super()._work()

    def receive(self, data: bytes) -> None:
        super().receive(data)
        if self.server.wrong["frozen"]:
            self._note_held(inf)

    def _note_held(self, until: float) -> None:
        """What lies here can be answered by no other server."""
        for words in self.held:
            for key in keys_of(words):
                self.server.town.stuck[slot_of(key)] = until

    def thaw(self) -> None:
        """Go on with what has come meanwhile; also if the client has gone since."""
        self._note_held(self.server.clock.now)
        self._work()
        if self.closing:
            self.end()

    def _time_is_up(self, turn: int) -> None:
        if self.server.wrong["frozen"]:
            self.server.clock.after(0.1, self._time_is_up, turn)
        else:
            super()._time_is_up(turn)

    def end(self) -> None:
        if self.server.wrong["frozen"] and not self.server.wrong["crashed"]:
            self.closing = True
            self._note_held(self.server.clock.now)
            return
        super().end()
        if self in self.server.sessions:
            self.server.sessions.remove(self)

    def _take(self, words: Words) -> None:
        server, name = self.server, words[0]
        asked = self.asking
        if self._queued is None:
            self.asking = False
        if name == b"ASKING":
            server.arrived(self, words)
            self.asking = True
            self.say("OK")
            return
        assert not asked or keys_of(words) or name in BEHIND_ASKING, f"{name!r} was sent behind ASKING"
        keys = keys_of(words)
        if name == b"EXEC" and self._queued:
            keys = tuple([key for one in self._queued for key in keys_of(one)])
        refusal = None
        if name in (b"SSUBSCRIBE", b"SUNSUBSCRIBE") and self.authenticated and len(words) > 1:
            refusal = server.refuses_channels(words[1:])
        if keys and self.authenticated and not (name == b"EXEC" and self._refused):
            reads = self.readonly and name == b"GET" and self._queued is None and server.shard.master is not server
            refusal = server.refusal(keys, asking=asked, reads=reads)
        server.town.takes(self, words, refusal or self._refusal(name), asked)
        if refusal is None:
            super()._take(words)
            return
        server.arrived(self, words)
        if name == b"EXEC":
            self._queued, self._watched = None, {}
        self._refused = True
        self.say(refusal)

    def _run(self, name: bytes, words: Words) -> Any:
        server = self.server
        server.town.runs(self, words)
        match name:
            case b"READONLY":
                self.readonly = True
                return "OK"
            case b"CLUSTER":
                return server.all_slots()
            case b"MSET":
                for key in words[1::2]:
                    server.ran[key] += 1
                    server.change(key, int(words[2]))
                return "OK"
            case b"APPEND":
                server.version[words[1]] += 1
                server.strings[words[1]] = server.strings.get(words[1], b"") + words[2]
                return len(server.strings[words[1]])
            case b"DBSIZE":
                return len(server.data)
        return super()._run(name, words)

    def _get(self, key: bytes) -> Any:
        return b"0" if key[:2] == b"w{" and key not in self.server.data else super()._get(key)


class Town:
    """The whole cluster: what is true, and what happens to it."""

    def __init__(self, clock: Clock, random: Random, *, kind: str, password: bool, masters: int, replicas: int) -> None:
        self.clock = clock
        self.random = random
        self.kind = kind
        self.password = password
        self.down = 0  # how many masters are missed: while one is, no server carries out anything
        self.ran = Ran()
        self.taken: dict[bytes, tuple[bytes, float]] = {}
        self.lost = Ran()  # what was carried out by a master that had been replaced
        self.lost_taken: dict[bytes, tuple[bytes, float]] = {}
        self.named: set[tuple[str, int, tuple[str, int]]] = set()  # what redirects have said
        self.shards: list[Shard] = []
        self.members: list[Member] = []
        self.stuck: dict[int, float] = {}  # until when commands lay in frozen servers, by slot
        self.went_on = 0.0  # when a server last did that had been stopped
        self.left: dict[Member, float] = {}  # servers that are none of its any more, and since when
        self.takes: Callable[[MemberSession, Words, ReplyError | None, bool], None] = lambda *_: None
        self.runs: Callable[[MemberSession, Words], None] = lambda *_: None
        self.tell: Callable[..., None] = lambda *_: None
        self.messages: Counter[bytes] = Counter()  # how many there were in each channel
        for _ in range(masters):
            self.found(replicas)
        self.parts: list[Shard] = [self.shards[part * masters // PARTS] for part in range(PARTS)]
        self.since = [0.0] * (PARTS + 1)  # when something was last wrong with a part
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

    def server_well_since(self, place: tuple[str, int]) -> float:
        """The same of one server, whatever it has."""
        member = self.at(place)
        gone = member is None or member in self.left or member.stopped or member.wrong["loading"]
        return inf if gone else max(self.went_on, *self.since)

    def at(self, place: tuple[str, int]) -> Member | None:
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

    def publish(self, channel: bytes) -> None:
        """Another client sends a message, its number in this channel: to all servers, or to those of the channel's shard."""
        master = self.parts[part_of(slot_of(channel))].master
        sharded = channel[:1] == b"h"
        if sharded and master.stopped:
            return  # it waits
        self.messages[channel] += 1
        for member in (master, *master.shard.replicas) if sharded else self.members:
            if not member.wrong["crashed"]:
                member.passes_on(channel, b"%d" % self.messages[channel])

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

    @staticmethod
    def _move_key(key: bytes, source: Member, target: Member) -> None:
        if key in source.data:
            target.data[key] = source.data.pop(key)
        if key in source.strings:
            target.strings[key] = source.strings.pop(key)
        source.version[key] += 1
        target.version[key] += 1
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
        """Two servers say of each other that these slots are the other's."""
        one = self.parts[part].master
        others = [shard.master for shard in self.shards if shard.master is not one]
        if others and not one.denies:
            other = others[int(self.random.random() * len(others))]
            one.denies[part], other.denies[part] = other, one
            self.clock.after(seconds, self._agree, one, other)

    @staticmethod
    def _agree(*members: Member) -> None:
        for member in members:
            member.town.touch(*member.denies, -1)
            member.denies.clear()

    def phase(self, member: Member, what: str, seconds: float) -> None:
        """One server is behind, has no map, or a part of it, for so long."""
        member.wrong[what] += 1
        self.clock.after(seconds, self._phase_over, member, what)

    def _phase_over(self, member: Member, what: str) -> None:
        member.wrong[what] -= 1
        self.touch()
        member.hear()

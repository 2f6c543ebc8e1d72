"""Servers of a small cluster: each acts by what it has heard, carries out commands, or says which server does.

At most one server carries out a command on a key, but for a master that was frozen and has been replaced meanwhile: once it thaws,
it goes on until it hears of that, and what it does then is lost.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections import Counter, deque
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any, Final

from resp_sansio import Push, ReplyError

from .server import Server, Session, Words

if TYPE_CHECKING:
    from .cluster import SimulatedCluster

__all__ = ["PARTS", "SLOTS", "Member", "MemberSession", "Place", "Ran", "Shard", "keys_of", "part_of", "slot_of"]

Place = tuple[str, int]
SLOTS: Final = 16384
"""Hash slots of a cluster."""
PARTS: Final = 8
"""Parts that the slots are cut into. Each has one shard at a time."""
BEHIND_ASKING: Final = frozenset(
    {b"MULTI", b"EXEC", b"SSUBSCRIBE", b"SUNSUBSCRIBE", b"UNWATCH"}  # the last takes it back, where no more follows
)
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

    def __init__(self, cluster: SimulatedCluster, number: int, shard: Shard) -> None:
        super().__init__(cluster.clock, kind=cluster.kind, password=cluster.password)
        self.cluster = cluster
        self.shard = shard
        self.number = number
        self.place: Place = f"10.0.0.{number}", 7000 + number
        self.sessions: list[MemberSession] = []
        self.parts: list[Shard] = []  # who has which, as it has heard
        self.masters: dict[Shard, Member] = {}
        self.migrating: dict[int, Shard] = {}
        self.importing: dict[int, Shard] = {}
        self.denies: dict[int, Member] = {}  # it says that these are others', though they are its own, or none's
        self.late: list[tuple[bytes, bytes, bool]] = []  # messages that have come while it was frozen
        self.removed: bool = False
        self.ran: Ran = cluster.ran
        self.taken: dict[bytes, tuple[bytes, float]] = cluster.taken

    def __repr__(self) -> str:
        return f"server {self.number}"

    def session(self, send: Callable[[bytes], None], hang_up: Callable[[], None]) -> Session:
        """As of any server."""
        made = MemberSession(self, send, hang_up)
        self.sessions.append(made)
        return made

    @property
    def stopped(self) -> bool:
        """Does nothing happen in it?"""
        return bool(self.wrong["frozen"] or self.wrong["crashed"])

    def take(self, key: bytes, words: Words) -> list[bytes]:
        """As of any server."""
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
        cluster = self.cluster
        demoted = self.masters.get(self.shard) is self and self.shard.master is not self
        had = [*self.parts]
        before = [self.owner_before(part) for part in range(PARTS)]
        lost = [
            part for part in range(PARTS) if self.owner_before(part) is self and cluster.parts[part] is not self.shard
        ]
        self.parts, self.masters = [*cluster.parts], {shard: shard.master for shard in cluster.shards}
        if changed := [part for part in range(PARTS) if before[part] is not self.masters[self.parts[part]]]:
            cluster.touch(*changed)
        for part in [part for part in self.migrating if self.parts[part] is not self.shard]:
            del self.migrating[part]
        for part in [part for part in self.importing if self.parts[part] is self.shard]:
            del self.importing[part]
        if demoted:
            self.become_replica()
        self.end_channels(
            *[
                part
                for part in range(PARTS)
                if demoted or (had and had[part] is self.shard and self.parts[part] is not self.shard)
            ]
        )
        for session in [session for session in self.sessions if session.waits]:
            part = part_of(slot_of(session.waits[1]))
            if demoted:
                session.unblock(ReplyError(UNBLOCKED))
            elif part in lost:
                session.unblock(self.sends_on(session.waits[1]))

    def end_channels(self, *parts: int) -> None:
        """These are another's now: those who listen to channels of shards in them are told that they do no more."""
        for channel, sessions in [*self.channels.items()]:
            if part_of(slot_of(channel)) in parts:
                for session in [session for session in sessions if session.shards(channel)]:
                    session.leave(b"SUNSUBSCRIBE", channel)

    def owner_before(self, part: int) -> Member | None:
        """Return the server that has this part, as far as it has heard."""
        return self.masters.get(self.parts[part]) if self.parts else None

    def tell_changes(self) -> None:
        """As of any server; the replicas of a master hear of its changes, and tell those who track what they have read there."""
        if self.wrong["frozen"]:
            return  # later
        changed = [*self._changed]
        super().tell_changes()
        if changed and self.shard.master is self:
            for replica in self.shard.replicas:
                replica._changed += changed
                replica.tell_changes()

    def forget_all(self) -> None:
        """Its data are others now: those who track anything are told so."""
        tracking = dict.fromkeys([session for sessions in self.trackers.values() for session in sessions])
        self.trackers.clear()
        for session in tracking:
            if session.protocol == 3:
                session.say(Push("invalidate", (None,)))

    def become_replica(self) -> None:
        """What it has done since another took its place is lost."""
        self.migrating, self.importing = {}, {}
        self.ran, self.taken = self.cluster.ran, self.cluster.taken
        self.copy(self.shard.master)
        self.forget_all()

    def copy(self, other: Member) -> None:
        """Have the data that the other one has."""
        self.data.clear()
        self.data.update(other.data)
        self.strings: dict[bytes, bytes] = dict(other.strings)
        self.lists.clear()
        self.lists.update({key: deque(elements) for key, elements in other.lists.items()})
        self.version: Counter[bytes] = Counter(other.version)

    def passes_on(self, channel: bytes, message: bytes, *, sharded: bool) -> None:
        """A message has come: subscribers have it, once it does anything."""
        if self.wrong["frozen"]:
            self.late.append((channel, message, sharded))
            return
        self.deliver(channel, message, sharded=sharded)

    def thaw(self) -> None:
        """Go on with what has come meanwhile."""
        for session in [*self.sessions]:
            session.thaw()
        if not self.wrong["frozen"]:
            late, self.late = self.late, []
            for channel, message, sharded in late:
                self.passes_on(channel, message, sharded=sharded)
            self.tell_changes()

    # -- what it says ----------------------------------------------------------------------------------------------------------

    def refuses_channels(self, channels: tuple[bytes, ...], *, asking: bool = False) -> ReplyError | None:
        """Return why it does not listen to, or leave, these channels of shards, if it does not. Replicas do as their master.

        While a slot is on its way its channels are those of the server that gives it away, whatever keys that has left: none says
        ASK of a channel. (The other one would take them behind ASKING.)
        """
        part = part_of(slot_of(channels[0]))
        assert {slot_of(channel) for channel in channels} == {slot_of(channels[0])}, f"{channels!r} were sent together"
        if self.cluster.down and self.cluster.deaf:
            return ReplyError("CLUSTERDOWN The cluster is down")
        here = self.owner(part).shard is self.shard or (asking and part in self.importing and part not in self.denies)
        return None if here else self.sends_on(channels[0])

    def sends_on(self, key: bytes) -> ReplyError:
        """Return its word that a key is another's."""
        slot = slot_of(key)
        return self.redirect("MOVED", slot, self.owner(part_of(slot)))

    def redirect(self, code: str, slot: int, to: Member) -> ReplyError:
        """Return its word, MOVED or ASK, that leads there."""
        host, port = to.place
        self.cluster.named.add((code, slot, to.place))
        return ReplyError(f"{code} {slot} {host}:{port}")

    def refusal(self, keys: tuple[bytes, ...], *, asking: bool, reads: bool) -> ReplyError | None:
        """Return why it does not carry out a command on these keys, if it does not."""
        slot = slot_of(keys[0])
        assert {slot_of(key) for key in keys} == {slot}, f"{keys!r} were sent together"
        if self.cluster.down:
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
        """Return what is said of it in CLUSTER SLOTS."""
        host, port = self.place
        return [host.encode(), port, b"id%d" % self.number, []]


class MemberSession(Session):
    """A server's end of one connection."""

    server: Member

    def __init__(self, server: Member, send: Callable[[bytes], None], hang_up: Callable[[], None]) -> None:
        super().__init__(server, send, hang_up)
        self.asking: bool = False
        self.readonly: bool = False
        self.closing: bool = False  # the client has gone, and the server does not know yet

    def _work(self) -> None:
        if not self.server.wrong["frozen"]:
            super()._work()

    def receive(self, data: bytes) -> None:
        """As of any session."""
        super().receive(data)
        if self.server.wrong["frozen"]:
            self._note_held(inf)

    def _note_held(self, until: float) -> None:
        """What lies here can be answered by no other server."""
        for words in self.held:
            for key in keys_of(words):
                self.server.cluster.stuck[slot_of(key)] = until

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
        """As of any session; a server that is frozen hears of it later."""
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
        if (self._queued is None and name != b"MULTI") or name == b"EXEC":
            self.asking = False  # else it holds for the whole transaction
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
            refusal = server.refuses_channels(words[1:], asking=asked)
        if keys and self.authenticated and not (name == b"EXEC" and self._refused):
            reads = self.readonly and name == b"GET" and self._queued is None and server.shard.master is not server
            refusal = server.refusal(keys, asking=asked, reads=reads)
        server.cluster.takes(self, words, refusal or self._refusal(name), asked)
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
        server.cluster.runs(self, words)
        match name:
            case b"READONLY":
                self.readonly = True
                return "OK"
            case b"CLUSTER" if words[1:2] == (b"SLOTS",):
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
        return b"0" if key[:2] in (b"r{", b"w{") and key not in self.server.data else super()._get(key)

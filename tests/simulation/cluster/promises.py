"""What must hold for any client of a cluster: asked of what its callers were told, and of what the servers really did."""

from __future__ import annotations

from collections import Counter, deque
from math import inf
from typing import TYPE_CHECKING, Any, Final, cast

from resp_sansio import Outcome, ReplyError
from resp_sansio.testing import Told, checks
from simulation.cluster.servers import keys_of, part_of, slot_of

if TYPE_CHECKING:
    from resp_sansio.client.sentinel import Place
    from resp_sansio.testing import Session
    from resp_sansio.testing.server import Words
    from simulation.cluster.servers import Member, MemberSession
    from simulation.cluster.trouble import TownTrouble
    from simulation.script import Act

__all__ = ["FORGETS", "ROUNDS", "OfSlots", "TownChecks"]

ERRORS: Final = frozenset({"LOADING", "EXECABORT", "UNBLOCKED", "MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN"})
ONCE: Final = frozenset({"INCRBY", "RPUSH", "MSET"})
AT_ONCE: Final = 5
ROUNDS: Final = 4  # a second
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


class TownChecks(checks.Checks):
    """The promises, for one history."""

    errors = ERRORS
    world: TownTrouble

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.asked: set[Words] = set()  # commands that were answered with ASK
        self.redirected: Counter[Words] = Counter()
        self.waited: set[bytes] = set()  # keys of which a server has said that it is not the time
        self.passes: dict[bytes, list[tuple[MemberSession, bytes, bool]]] = {}
        self.maps: deque[float] = deque()
        self.asked_for_map: list[float] = []
        self.longest = 0.0

    # -- no caller gets another's reply ----------------------------------------------------------------------------------------

    def popped(self, who: object, reply: Any, number: int) -> None:
        """What BLPOP got is what a server took out for it."""
        if isinstance(reply, list):
            taken = [one.get(reply[1], (b"", 0.0))[0] for one in (self.world.town.taken, self.world.town.lost_taken)]
            assert b"b%d" % number in taken, f"{who} got {reply[1]!r}, which was taken out for {taken!r}"
        else:
            self.own(who, reply, None)

    # -- where commands come ---------------------------------------------------------------------------------------------------

    def arrives(self, session: Session, words: Words) -> None:  # noqa: ARG002
        """The map is seldom asked for. The rest is seen by `takes`."""
        if words[0] == b"CLUSTER":
            now = self.world.clock.now
            self.asked_for_map.append(now)
            self.maps.append(now)
            while self.maps[0] < now - 1.0:
                self.maps.popleft()
            most = ROUNDS * (len(self.world.town.members) + 3)
            assert len(self.maps) <= most, f"the map was asked for {len(self.maps)} times in a second"

    def takes(self, session: MemberSession, words: Words, refusal: ReplyError | None, asked: bool) -> None:
        """A server takes up a command, and refuses it or not."""
        code = None if refusal is None else refusal.code
        name = words[0]
        if not keys_of(words):
            return
        reads = self.world.script.config.read_from != "master"
        assert session.readonly or not reads, f"{words!r} came by a connection without READONLY"
        self.redirected[words] += code in ("ASK", "MOVED")
        self.taken_up(session.server, words, refusal)
        if asked and session._queued is None:
            assert self.was_asked_for(words), f"{words!r} was sent behind ASKING, and no server had asked for that"
        if code == "ASK":
            self.asked.add(words)
        elif code not in (None, "MOVED"):
            self.waited.update(keys_of(words))
        if name == b"APPEND":
            self._in_order(session, words, refused=refusal is not None)

    def was_asked_for(self, words: Words) -> bool:
        """Has a server answered ASK to this command, or to a WATCH of all its keys?"""
        watched = [set(keys_of(one)) for one in self.asked if one[0] == b"WATCH"]
        return words in self.asked or any(set(keys_of(words)) <= keys for keys in watched)

    def taken_up(self, member: Member, words: Words, refusal: ReplyError | None) -> None:
        """What else must hold of a command that a server takes up, or refuses."""

    def _in_order(self, session: MemberSession, words: Words, *, refused: bool) -> None:
        """The steps of one string come in their order; one that was refused comes again before those behind it."""
        _, key, letter = words
        before = self.passes.setdefault(key, [])
        before.append((session, letter, refused))
        if refused:
            return
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

    # -- nothing waits in vain -------------------------------------------------------------------------------------------------

    def punctual(self, who: object, since: float) -> None:
        """A caller whose slots had their servers all the time does not wait for long."""
        world, caller, town = self.world, cast("OfSlots", who), self.world.town
        well = max(since, world.troubled, *[town.well_since(part) for part in caller.parts])
        well = max(well, *[town.stuck.get(slot, 0.0) for slot in caller.slots])
        if caller.everywhere:  # it waits for each master that there was as it asked
            gone = any(when > since for when in town.left.values()) or any(one.stopped for one in town.members)
            well = max(well, inf if gone else town.went_on)
        if caller.place is not None:
            well = max(well, town.server_well_since(caller.place))
        waited = world.clock.now - well
        self.longest = max(self.longest, waited)
        assert waited < PATIENCE, f"{who} waited for {waited} s, and all was well"

    # -- what ran, and what callers were told ----------------------------------------------------------------------------------

    def agree(self) -> None:
        """At the end: what each caller was told agrees with what the servers did."""
        for number, told in self.told.items():
            self._agrees(number, told)
        for element, (whose, when) in self.world.town.taken.items():
            told_of_it = self.told.get(int(whose[1:]))
            if told_of_it is not None:
                self._took(element, when, told_of_it)

    def _agrees(self, number: int, told: Told) -> None:
        town, name, outcome, reply, who = self.world.town, told.name, told.outcome, told.reply, told.who
        if name == "GET":
            keys = [b"e%d" % number, b"large:%d" % number]
            times = sum([ran[key] for ran in (town.ran, town.lost) for key in keys])
            assert outcome is not Outcome.NOT_SENT or times == 0, f"GET {number} was NOT_SENT, and ran"
            return
        if name not in ONCE:
            return
        key = (b"m%d" if name == "MSET" else checks.RAN[name]) % number
        ran, lost = town.ran[key], town.lost[key]
        self.answers["unknown" if outcome is None else outcome.name] += 1
        assert ran + lost <= 1, f"{name} {number} of {who} ran {ran + lost} times"
        if outcome is Outcome.REPLY:
            right = 0 if isinstance(reply, ReplyError) or reply is None else 1
            assert ran + lost == right, f"{name} {number} of {who} was answered {reply!r}, and ran {ran + lost} times"
        elif outcome is Outcome.NOT_SENT:
            assert ran + lost == 0, f"{name} {number} of {who} was NOT_SENT, and ran"

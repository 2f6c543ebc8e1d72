"""What must hold in every history of a cluster's client."""

from __future__ import annotations

from collections import Counter, deque
from math import inf
from typing import TYPE_CHECKING, Any, Final, cast

from resp_sansio import ConnectionClosedError, ConnectionLostError, Outcome, ReplyError
from resp_sansio.client.cluster_map import ClusterMap, View
from resp_sansio.client.outage import LEAST, NEXT, tells_down
from resp_sansio.client.refresher import Refresher
from resp_sansio.client.submitting import PINNED
from resp_sansio.connection import SlotState
from resp_sansio.connection.slot import Batch
from resp_sansio.testing import Told, checks
from resp_sansio.testing.members import keys_of, part_of, slot_of
from simulation.checks import Call, Checks, outcomes
from simulation.cluster.promises import FORGETS, ROUNDS, TownChecks
from simulation.cluster.script import ELSE, TAGS
from simulation.watching import Watching

if TYPE_CHECKING:
    from resp_sansio.client import Waiter
    from resp_sansio.client.sentinel import Place
    from resp_sansio.connection import Slot
    from resp_sansio.testing import Clock
    from resp_sansio.testing.members import Member, MemberSession
    from resp_sansio.testing.server import Words
    from simulation.cluster.callers import ClusterCaller
    from simulation.cluster.world import ClusterWorld

__all__ = ["ClusterChecks", "WatchedMap", "WatchedRefresher"]

HOPS: Final = 17  # times that a call is sent elsewhere that has no deadline
MOST: Final = 15  # and times that one is that has one, before its pauses are long
PAUSE: Final = 0.1  # seconds that are short for such a pause
LAST: Final = 0.6  # seconds before its deadline in which a call may be left without another attempt
HARMFUL: Final = frozenset({*ELSE, "die", "freeze", "leave"}) - {"retire"}
"""What may cost connections."""
WINDOW: Final = 0.25
"""Seconds in which is counted how often servers are asked that say that the cluster is down."""
GOES_ON: Final = frozenset({"MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "LOADING"})


class ClusterChecks(TownChecks, Checks):
    """The promises, for one history."""

    world: ClusterWorld

    def __init__(self, world: ClusterWorld) -> None:
        super().__init__(world)
        self.sent_on: dict[Words, tuple[MemberSession, float]] = {}  # by MOVED, and when
        self.put_off: Counter[Words] = Counter()
        self.down: set[tuple[Member, Words]] = set()  # what was refused while the cluster was down, and by which server
        self.turns: dict[Member, deque[float]] = {}  # when calls came again that were
        self.through: deque[float] = deque()  # when commands were carried out
        self.transactions: list[int] = []  # the numbers of those that go on by themselves

    # -- what is kept is no older than it may be ---------------------------------------------------------------------------------

    def _nothing_stale_is_kept(self) -> None:
        for tag in range(TAGS):
            key = b"r{%d}" % tag
            kept, has = self.world.kept(key.decode()), self.world.cluster.parts[part_of(slot_of(key))].master.data[key]
            assert kept in (None, has), f"{kept} is kept of {key!r}, and the server has {has}"

    # -- where commands come ---------------------------------------------------------------------------------------------------

    def taken_up(self, session: MemberSession, words: Words, refusal: ReplyError | None) -> None:
        self._goes_where_it_was_sent(session, words, refusal)
        if refusal is None:
            self.through.append(self.world.clock.now)
        elif tells_down(refusal):
            self._comes_in_turn(session.server, words)
        else:
            self._refused(words, elsewhere=refusal.code in ("ASK", "MOVED"))

    def _comes_in_turn(self, member: Member, words: Words) -> None:
        """A server that is down is asked by one call now and then, for all that wait. One that gets through lets others try."""
        number = words[2] if words[0] in (b"INCRBY", b"MSET") else b""
        call, now = self.by_number.get(int(number)) if number.isdigit() else None, self.world.clock.now
        if call is None or call.slot is None or self.world.torn or call.slot.deadline - now < LAST:
            return
        if (member, words) not in self.down or call.slot.deadline == inf:
            self.down.add((member, words))  # one that has no deadline pauses for itself
            return
        turns = self.turns.setdefault(member, deque())
        if not turns or turns[-1] != now:  # commands of one pipeline come together
            turns.append(now)
        for times in (turns, self.through):
            while times and times[0] < now - WINDOW:
                times.popleft()
        most = WINDOW / (LEAST / 2) + NEXT * (1 + len(self.through))
        assert len(turns) <= most, f"{member} is down, and was asked {len(turns)} times in {WINDOW} s"

    def _goes_where_it_was_sent(self, session: MemberSession, words: Words, refusal: ReplyError | None) -> None:
        """No command comes again to a server that has just sent it on, unless another, or a new map, says that it belongs there.

        By another connection it may: the one before may have been lost with that answer.
        """
        member = session.server
        if words[1][:2] in (b"r{", b"w{") or words in self.meant or self.world.torn:
            return  # several callers say the same; it is for that server; an interrupt has cost the answer
        now, slot = self.world.clock.now, slot_of(keys_of(words)[0])
        by, then = self.sent_on.pop(words, (None, 0.0))
        quarrels = any([act.kind == "quarrel" for act in self.world.script.acts])  # then the words of both cross
        if by is session and not quarrels and self.world.client.map.installed_at < then:
            at = self.world.client.map.named_at.get((slot, member.place), 0.0)  # others may have learnt more since
            assert at > then, f"{words!r} came again to {member}, which had sent it on"
        if refusal is not None and refusal.code == "MOVED":
            self.sent_on[words] = session, now

    def _refused(self, words: Words, *, elsewhere: bool) -> None:
        """A command is sent from one server to the other a few times at once, and then, as with any other, after longer pauses."""
        times = self.redirected if elsewhere else self.put_off
        self.put_off[words] += not elsewhere
        number = words[2] if words[0] in (b"INCRBY", b"MSET") else b""
        call = self.by_number.get(int(number)) if number.isdigit() else None
        if call is None or words[1][:2] in (b"r{", b"w{") or call.slot is None:
            return
        left = HOPS if elsewhere and call.slot.deadline == inf else MOST + (self.world.clock.now - call.since) / PAUSE
        assert times[words] <= left, f"{words!r} was sent again {times[words]} times"

    # -- 2: nothing waits in vain ----------------------------------------------------------------------------------------------

    def ended(self, call: Call) -> None:
        super().ended(call)
        slot, now = call.slot, self.world.clock.now
        if isinstance(slot.cause, (ConnectionLostError, ConnectionClosedError)):
            script = self.world.script
            pops = script.mode == "single"  # one that is given up ends the link that all share
            harm = any([act.kind in HARMFUL or (pops and act.kind == "pop") for act in script.acts])
            assert harm, f"{slot} of {call.caller} was told {slot.cause!r}, and no connection was lost"
        if slot.state is not SlotState.ANSWERED or self.world.script.retry.attempts == 1 or slot.call is PINNED:
            return
        if cast("ClusterCaller", call.caller).place is not None:
            return  # it is answered what that server says
        if call.slot.deadline == inf or self.world.client.closed is not None:
            return
        replies = slot.replies if isinstance(slot, Batch) else [slot.reply]
        told = [one for one in replies if isinstance(one, ReplyError) and one.code in GOES_ON]
        assert not told or now > slot.deadline - LAST, f"{slot} of {call.caller} was answered {told}, and had time"

    # -- 3: what ran, and what callers were told -------------------------------------------------------------------------------

    def agree(self) -> None:
        for call in self.calls:
            if not call.foreign:
                self._was_told(call)
        super().agree()
        self._no_update_is_lost()

    def _was_told(self, call: Call) -> None:
        super()._was_told(call)
        for name, outcome, reply in outcomes(call.slot):
            if name == "MSET":
                self.told[call.numbers[0]] = Told(name, outcome, reply, call.caller, call.left)
        if call.left < inf and call.slot.count > 1:  # of what was answered meanwhile, nothing is left
            for number in call.numbers:
                if (told := self.told.get(number)) and (told.outcome, told.reply) == (Outcome.REPLY, None):
                    self.told[number] = told._replace(outcome=None)

    def _no_update_is_lost(self) -> None:
        """Each transaction that set a counter behind a WATCH has added one, but for those of a master that had been replaced."""
        cluster = self.world.cluster
        self.no_set_is_lost()
        for number in self.transactions:
            times = cluster.ran[b"n%d" % number] + cluster.lost[b"n%d" % number]
            assert times <= 1, f"transaction {number} was executed {times} times"
        done = unsure = 0
        for call in self.calls:
            told = outcomes(call.slot)
            if any(name == "SET" for name, *_ in told):
                _, outcome, executed = told[-1]
                done += isinstance(executed, list)
                unsure += outcome is Outcome.MAYBE_EXECUTED or call.foreign
        assert done <= self.set.total() <= done + unsure, (
            f"{self.set.total()} updates, told: {done}, and {unsure} unsure"
        )

    def all_is_followed(self) -> None:
        """All has been well for a while: each subscriber that is there has had the last message of each of its channels.

        And servers have subscriptions to what these want, each once and at the right one, and to no more.
        """
        cluster = self.world.cluster
        if self.world.client.closed is not None or not cluster.is_well:
            return
        for follower in self.world.followers:
            if not follower.gone:
                assert follower.follows, f"a subscriber still waits for {follower.names}"
                now = dict(self.world.messages_by(follower))
                last = {by: follower.last.get(by) for by in now}
                assert last == now, f"a subscriber has had {last}, and there were {now}"
        self._nothing_else_is_subscribed_to()

    def _nothing_else_is_subscribed_to(self) -> None:
        """What servers have of this client is what its subscribers want, each name once, and of a shard at a server of it."""
        world = self.world
        sessions = [world.wires[link].session for link in world.client.links]
        has = [(name, session.server) for session in sessions for name in session.names]
        wanted = {(kind.name, name) for one in world.followers if not one.gone for kind, name in one.wanted}
        assert sorted([name for name, _ in has]) == sorted(wanted), f"{has} are subscribed to, and {wanted} wanted"
        for (kind, name), server in has:
            right = world.cluster.parts[part_of(slot_of(name))]
            assert kind != "SHARD" or cast("Member", server).shard is right, f"{name!r} comes from {server}"

    def observed(self) -> None:
        """What observers were told is what callers were told."""
        for observer in self.world.watching:
            if isinstance(observer, Watching):
                observer.agree(self.told, torn=self.world.torn, uncounted=True)

    # -- order, turns, capacity ------------------------------------------------------------------------------------------------

    def _in_turn(self, served: Slot | Waiter, now: float) -> None:  # noqa: ARG002
        """Servers have their callers each for themselves."""
        self.queue.pop(served, None)

    def in_order(self) -> None:
        pass

    def capacity(self) -> None:
        pass

    def keeps_its_lane(self, call: Call) -> None:
        pass

    # -- the end ---------------------------------------------------------------------------------------------------------------

    def quiet(self) -> None:
        world = self.world
        assert not world.live, f"still under way: {[(call.caller, slot) for slot, call in world.live.items()]}"
        assert not world.waiting, f"still waiting: {world.waiting}"
        self._nothing_stale_is_kept()
        client = world.client
        for member, since in world.cluster.left.items():
            seen = len([asked for asked in self.asked_for_map if since + 1.0 < asked < world.clock.now - 1.0])
            if seen > FORGETS:
                assert all([node.place != member.place for node in client.nodes]), f"{member} has left, and is kept"
                open_to = [socket for socket in world.sockets if socket.server is member and socket.alive]
                assert not open_to, f"{member} has left, and is connected to by {open_to}"
        assert not client._unplaced
        for node in client.nodes:
            if node.pool is not None:
                assert (node.pool.stats().leased, node.pool.stats().waiting) == (0, 0), node

    def rest(self) -> None:
        """The client was closed, and everything has come to an end."""
        world, client = self.world, self.world.client
        assert not world.live, f"never ended: {world.live}"
        assert not world.waiting, f"never woken: {world.waiting}"
        assert not client.links, f"links are left: {client.links}"
        assert client.next_deadline() == inf
        for machine in (client, *client._machines):
            assert machine._timers.next() == inf, f"timers of {machine} are left"
            assert not machine._pausing, machine
            assert world.torn or not machine._shares._kept, f"callers of {machine} are left"
            for lane in machine._lanes:
                assert (lane.link, lane.dial) == (None, None)
                assert lane.created == sum(lane._closed.values()), lane.stats()
            if machine.pool is not None:
                self._adds_up(machine.pool.stats())
        assert not client._unplaced, client
        assert not client._probes, client
        checks.Checks.rest(self)
        client.map.world = cast("ClusterWorld", None)  # which has everything
        client.refresher.clock = cast("Clock", None)


class WatchedMap(ClusterMap):
    """A client's map, which sees to it that only MOVED teaches it, and that no older view undoes that."""

    __slots__ = ("installed_at", "named_at", "said", "world")

    def __init__(self, world: ClusterWorld) -> None:
        super().__init__()
        self.world = world
        self.installed_at = -1.0
        self.said: dict[int, tuple[Place, float]] = {}
        self.named_at: dict[tuple[int, Place], float] = {}  # when MOVED last named this server, whatever was said since

    def learn(self, slot: int, place: Place, now: float) -> bool:
        assert ("MOVED", slot, place) in self.world.cluster.named, (
            f"no server has said that slot {slot} is that of {place}"
        )
        self.said[slot] = place, now
        self.named_at[slot, place] = now
        return super().learn(slot, place, now)

    def install(self, view: View, asked_at: float) -> bool:
        changed = super().install(view, asked_at)
        self.installed_at = self.world.clock.now
        for slot, (place, at) in self.said.items():
            owner = self.owner(slot)
            assert at < self._asked_at or (owner is not None and owner.place == place), (
                f"what MOVED had said of slot {slot} was undone by an older view"
            )
        return changed


class WatchedRefresher(Refresher):
    """When a client asks for the map: seldom."""

    __slots__ = ("clock", "rounds")

    def __init__(self, clock: Clock, interval: float | None) -> None:
        super().__init__(interval)
        self.clock = clock
        self.rounds: deque[float] = deque([-inf] * ROUNDS, ROUNDS)

    def begin(self, now: float, *arguments: Any) -> list[Place]:
        asking, asked = self.asking, super().begin(now, *arguments)
        if asked:
            assert not asking, "two rounds at one time"
            assert self.rounds[0] <= now - 0.999, f"{ROUNDS + 1} rounds in a second"
            self.rounds.append(now)
        return asked

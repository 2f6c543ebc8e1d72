"""One history of a client behind sentinels: fail-overs, masters that live on, sentinels that are behind, words that are late.

Nothing moves on its own: at each step one dial, one server or one link goes on, or time passes. So what sentinels and servers
say is late by as much as may be, and calls, searches and news pass each other. The same seed is the same history for ever.
"""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core.client.stage import Stage
from resp_sansio import ClientSettings, ConnectError, PoolSettings, Push, ReplyError
from resp_sansio.client.replicated import Replicated
from resp_sansio.testing import Peer
from resp_sansio.wire import encode_reply
from simulation.interrupts import Interrupt, Struck

if TYPE_CHECKING:
    from resp_sansio import Config, Reply
    from resp_sansio.client import Client, Dial, Link
    from resp_sansio.connection import Slot

__all__ = ["History", "explain", "failure", "live", "lives"]

STEPS: Final = 250
STRUCK: Final = 4  # one of so many histories has interrupts
SERVERS: Final = [(f"10.0.1.{number}", 6379) for number in range(1, 4)]
SENTINELS: Final = [(f"10.0.0.{number}", 26379) for number in range(1, 4)]
URL: Final = f"redis+sentinel://{','.join([host for host, _ in SENTINELS])}/m"
OVER: Final = 15.0  # seconds after which all is as it should be, once all is well
READ_FROM: Final = ("master", "replica", "any")
Place = tuple[str, int]


class Said(NamedTuple):
    """What a sentinel has told the client. `epoch`: None for news that came unasked. `heard`: by a link for news that was open.

    `known`: the highest epoch of which the client had been told before.
    """

    sentinel: Place
    server: Place
    epoch: int | None
    at: int = 0
    heard: bool = False
    known: int = 0


class Opened(NamedTuple):
    """A link to a server: when its handshake had arrived, and what the client had been told by then."""

    at: int
    epoch: int
    master: Place
    answers: tuple[Said, ...]


class Machine:
    """A server or a sentinel. `view` is what a sentinel knows: the epoch, and the master."""

    def __init__(self, place: Place) -> None:
        self.place: Final = place
        self.away = False
        self.cut_off = False  # from the other sentinels
        self.master = place == SERVERS[0]
        self.view = 1, SERVERS[0]


class History(Stage):
    """The client, the machines, and what has come to pass."""

    def __init__(self, seed: int, read_from: str = "master") -> None:
        self.random: Final = Random(seed)
        self.spreads: Final = read_from != "master"
        self.strike: Final = Interrupt()
        self.strikes: Final = seed % STRUCK == 0
        self.machines: Final = {place: Machine(place) for place in (*SERVERS, *SENTINELS)}
        self.truth: tuple[int, Place] = (1, SERVERS[0])  # what most of the sentinels have decided
        self.step = 0
        self.coming: Final[dict[Link, list[tuple[list[bytes], Said | None]]]] = {}
        self.places: Final[dict[Link, Place]] = {}
        self.answers: Final[dict[Dial, list[Said]]] = {}
        self.tried: Final[dict[Dial, set[Place]]] = {}
        self.dial_of: Final[dict[Link, Dial]] = {}
        self.opened: Final[dict[Link, Opened]] = {}
        self.told_of: Final[list[Said]] = []
        self.calls: Final[dict[bytes, tuple[Slot, int, float]]] = {}
        self.ran: Final[dict[bytes, list[Place]]] = {}
        self.known = self.truth  # of what the client was told
        self._note: Said | None = None
        lanes = self.random.choice((1, 1, 3))
        super().__init__(
            ClientSettings(lanes=lanes),
            PoolSettings(max_size=2),
            url=f"{URL}?read_from={read_from}&refresh_interval=3" if self.spreads else URL,
            dials_at_once=False,
            protocol=self.random.choice((2, 3)),
            connect_timeout=1.0,
        )

    def make(self, config: Config, settings: ClientSettings | None, pool: PoolSettings | None, *, once: bool) -> Client:
        if not config.has_replicas:
            return super().make(config, settings, pool, once=once)
        return Replicated(config, settings, pool, random=lambda: self.half)

    # -- the world -------------------------------------------------------------------------------------------------------------

    def _goes_on(self, dial: Dial) -> None:
        """A dial is carried out."""
        self.dials.remove(dial)
        dial.begin(self.now)
        place = dial.config.host, dial.config.port
        self.tried.setdefault(dial, set()).add(place)
        if self.machines[place].away:
            self.client.dial_failed(dial, ConnectError("refused", transient=True), self.now)
        else:
            link = self.client.connected(dial, self.now)
            self.places[link], self.dial_of[link], self.coming[link] = place, dial, []
            self.peers[link] = Peer(answer=lambda words: self._answer(place, link, words))
            self.deaf.add(link)
            self.flush(link)
        self.run()

    def _reads(self, link: Link) -> None:
        """A server reads what has come, and answers."""
        peer, machine = self.peers[link], self.machines[self.places[link]]
        peer.role = "master" if machine.master else "replica"
        self._note = None
        said = peer.receive(self.unread.pop(link))
        self.coming[link].append((said, self._note))

    def _answer(self, place: Place, link: Link, words: tuple[bytes, ...]) -> Reply:
        machine = self.machines[place]
        if words[0] == b"SENTINEL":
            epoch, master = machine.view
            if words[1] == b"MASTER":
                return {b"config-epoch": b"%d" % epoch}
            if words[1] == b"SENTINELS":
                return [{b"ip": host.encode(), b"port": b"%d" % port} for host, port in SENTINELS if host != place[0]]
            if words[1] == b"REPLICAS":
                return [self._listed(server) for server in SERVERS if server != master]
            self._note = Said(place, master, epoch)
            return [master[0].encode(), b"%d" % master[1]]
        value = words[-1]
        if words[0] == b"SET" and not machine.master:
            assert not self.spreads or self.answers.get(self.dial_of[link]), f"{value!r} was to be written at a replica"
            return ReplyError("READONLY You can't write against a read only replica.")
        self.ran.setdefault(value, []).append(place)
        if machine.master:
            self._may_go_to(place, link, value)
        return value

    def _listed(self, place: Place) -> dict[Reply, Reply]:
        """What a sentinel says of a replica, which it can't take for a master."""
        machine = self.machines[place]
        flags = b"s_down,slave" if machine.away else b"slave"
        link = b"err" if machine.master else b"ok"
        host, port = place
        return {b"ip": host.encode(), b"port": b"%d" % port, b"flags": flags, b"master-link-status": link}

    def _arrives(self, link: Link) -> None:
        """What a server has said arrives."""
        said, note = self.coming[link].pop(0)
        before = self.known
        if note is not None:
            note = note._replace(at=self.step, heard=link.dial is None, known=self.known[0])
            self.told_of.append(note)
            if note.epoch is not None and note.epoch > self.known[0]:
                self.known = note.epoch, note.server
            self.answers.setdefault(self.dial_of[link], []).append(note)
        opens = link.dial is not None
        try:
            for data in said:
                if not link.ended:
                    self.take(self.strike.into(self.client.receive_data, link, data, self.now))
                    self.run()
        except Struck:
            self._mend(link)
            if note is not None:  # it may have been lost with the link
                self.told_of.remove(note)
            self.known = before
            believed, place = tuple(self.answers.get(self.dial_of[link], ())), self.places[link]
            if opens and agreeing(believed, place) > 1:  # the link is lost, but what most say was believed
                self.known = newest(believed, place), place
        if opens and link.dial is None and not link.ended and self.places[link] in SERVERS:
            answers, place = tuple(self.answers.get(self.dial_of[link], ())), self.places[link]
            self.opened[link] = Opened(self.step, *self.known, answers)
            assert answers or self.spreads, f"a link to {place} was opened, and no sentinel had been asked"
            if agreeing(answers, place) > 1:  # what most of the sentinels say is believed
                self.known = newest(answers, place), place

    def _mend(self, torn: Link) -> None:
        """An interrupt has cut a step of the client's short. Nobody has gone, but what came by that link may be lost."""
        self.client.reconcile(self.now, lambda _: True, list(self.dials), [torn])
        self.run()
        for slot, *_ in self.calls.values():
            if slot not in self.ended:
                self.client.resume(slot, self.now)
        self.run()

    def _end(self, place: Place) -> None:
        """All connections to this machine end."""
        for link in [link for link in self.client.links if self.places[link] == place]:
            self.coming[link].clear()
            self.cut(link)

    def _tell(self, machine: Machine, channel: bytes, message: str) -> None:
        """A sentinel tells those that have subscribed."""
        for link in self.client.links:
            peer = self.peers[link]
            if self.places[link] == machine.place and channel in peer.subscriptions["channels"]:
                news = encode_reply(Push("message", (channel, message.encode())), peer.protocol)
                self.coming[link].append(([news], Said(machine.place, machine.view[1], None)))

    # -- what happens ----------------------------------------------------------------------------------------------------------

    def _fail_over(self) -> None:
        """Most of the sentinels make another server the master. The old one lives on, or is away for a while."""
        epoch, old = self.truth
        new = self.random.choice(
            [place for place in SERVERS if place != old and not self.machines[place].away] or [old]
        )
        leader = self.machines[self.random.choice([place for place in SENTINELS if not self.machines[place].cut_off])]
        if new == old or leader.view != self.truth:
            return
        self.truth = leader.view = epoch + self.random.choice((1, 2)), new
        self._end(new)
        self.machines[new].master = True
        self._tell(leader, b"+promoted-slave", f"slave x {new[0]} {new[1]} @ m {old[0]} {old[1]}")
        if self.random.random() < 0.4:
            self.machines[old].away = True
            self._end(old)

    def _hear(self, machine: Machine) -> None:
        """A sentinel hears of the last fail-over."""
        if machine.view != self.truth:
            old, machine.view = machine.view[1], self.truth
            new = machine.view[1]
            self._tell(machine, b"+switch-master", f"m {old[0]} {old[1]} {new[0]} {new[1]}")

    def _hears(self) -> None:
        machine = self.machines[self.random.choice(SENTINELS)]
        if not machine.cut_off:
            self._hear(machine)

    def _cut_off(self) -> None:
        """One sentinel, a minority, hears nothing of the others."""
        for place in SENTINELS:
            self.machines[place].cut_off = False
        self.machines[self.random.choice(SENTINELS)].cut_off = self.random.random() < 0.7

    def _vanish(self) -> None:
        machine = self.random.choice(list(self.machines.values()))
        machine.away = not machine.away
        if machine.away:
            self._end(machine.place)

    def _demote(self) -> None:
        """A sentinel has made a replica of what was a master."""
        for place in SERVERS:
            machine = self.machines[place]
            if machine.master and place != self.truth[1] and self.random.random() < 0.5:
                machine.master = False
                self._end(place)

    def _lose(self) -> None:
        if self.client.links:
            link = self.random.choice(self.client.links)
            self.coming[link].clear()
            self.cut(link)

    def _interrupt(self) -> None:
        self.strike.comes(self.random.random())

    # -- callers ---------------------------------------------------------------------------------------------------------------

    def _call(self, seconds: float, *, reads: bool = False) -> bytes:
        value = b"v%d" % len(self.calls)
        words = ("GET", value.decode()) if self.spreads and reads else ("SET", "k", value.decode())
        slot = self.call(*words, deadline=self.now + seconds)
        self.calls[value] = slot, self.step, self.now + seconds
        return value

    def _may_go_to(self, place: Place, link: Link, value: bytes) -> None:
        """A write has come to a server: was the client told before that this is not the master?"""
        opened = self.opened[link]
        named = newest(opened.answers, place)
        if named < opened.epoch and place != opened.master:
            asked = self.tried[self.dial_of[link]]
            assert asked.issuperset(SENTINELS), f"{value!r} went to {place}, and not all sentinels had been asked"
            contradicted = any(said.epoch is not None and said.epoch > named for said in opened.answers)
            assert not contradicted or agreeing(opened.answers, place) > 1, (
                f"{value!r} went to {place} although one knew"
            )
        _, came, _ = self.calls[value]
        for said in self.told_of:
            newer = said.epoch is None or said.epoch >= max(said.known, opened.epoch + 1)
            news = said.heard and newer and said.server != place
            assert not (news and opened.at < said.at < came), f"{value!r} came after {said}, and went to {place}"

    def _check_calls(self) -> None:
        ended = set(self.ended)
        assert len(ended) == len(self.ended), "a call has ended twice"
        for value, (slot, _, deadline) in self.calls.items():
            assert slot in ended or self.now <= deadline + 0.001, f"{slot} outlived its deadline"
            if slot in ended:
                told = self.told(slot)
                assert told == value or isinstance(told, (tuple, ReplyError)), f"{slot} was told {told!r}"
                assert told != value or value in self.ran, f"{slot} was acknowledged, and nothing ran"

    @property
    def went(self) -> list[Place]:
        """Where its links led."""
        return list(self.places.values())

    # -- the course of time ----------------------------------------------------------------------------------------------------

    def _moves(self) -> list[tuple[Any, Any]]:
        """What can go on."""
        links = self.client.links
        return [
            *[(self._goes_on, dial) for dial in self.dials],
            *[(self._reads, link) for link in links if self.unread.get(link)],
            *[(self._arrives, link) for link in links if self.coming[link]],
        ]

    def _wait(self, seconds: float) -> None:
        """Time passes, and dials may be late."""
        self.pass_time(seconds)
        for dial in [dial for dial in self.dials if dial.deadline <= self.now]:
            self.dials.remove(dial)
            self.client.dial_failed(dial, ConnectError("nothing came in time", transient=True), self.now)
        self.run()

    def run_through(self) -> None:
        """Live through it. Raises `AssertionError` where something does not hold."""
        random = self.random
        happens = [
            self._fail_over,
            self._hears,
            self._hears,
            self._hears,
            self._cut_off,
            self._vanish,
            self._demote,
            self._lose,
            *[self._interrupt] * (3 if self.strikes else 0),
        ]
        for _ in range(STEPS):
            self._next()
            moves, chance = self._moves(), random.random()
            if chance < 0.1:
                random.choice(happens)()
            elif chance < 0.25:
                self._call(random.choice((0.5, 5.0)), reads=chance < 0.2)
            elif chance < 0.4 or not moves:
                self._wait(random.random() * 0.2)
            else:
                move, what = random.choice(moves)
                move(what)
            self._check_calls()
        self._rest()

    def _next(self) -> None:
        self.step += 1
        self.half = self.random.random()

    def _rest(self) -> None:
        """All is well again, but that old masters live on: calls go to the master that there is."""
        self.strike.left = 0
        for machine in self.machines.values():
            machine.away = machine.cut_off = False
            if machine.place in SENTINELS:
                self._hear(machine)
        until, last = self.now + OVER, b""
        while self.now < until:
            self._next()
            last = self._call(5.0)
            while moves := self._moves():
                self._next()
                move, what = moves[0]
                move(what)
            self._wait(0.5)
            self._check_calls()
        slot, *_ = self.calls[last]
        assert self.told(slot) == last
        assert self.ran[last] == [self.truth[1]], (
            f"{last!r} went to {self.ran[last]}, and the master is {self.truth[1]}"
        )
        leads = {self.places[link] for link in self.client.links if self.places[link] in SERVERS}
        masters = {place for place in leads if not self.spreads or self.machines[place].master}
        assert masters == {self.truth[1]}, f"links lead to {leads}"
        if self.spreads:
            self._rest_of_reads()
        assert len(self.client.news) == 2
        self.client.close(self.now)
        self.run()
        assert self.client.links == []

    def _rest_of_reads(self) -> None:
        """Those are read from that there are, and no deposed master is."""
        places = {self.truth[1], *[place for place in SERVERS if not self.machines[place].master]}
        read = [self._call(5.0, reads=True) for _ in range(6)]
        while moves := self._moves():
            self._next()
            move, what = moves[0]
            move(what)
        assert [self.told(self.calls[value][0]) for value in read] == read
        went = {place for value in read for place in self.ran[value]}
        assert went <= places, f"reads went to {went}"
        assert went != {self.truth[1]} or places == went, f"reads went to {went}, and there are {places}"


def newest(answers: tuple[Said, ...], place: Place) -> int:
    """The highest epoch by which this server was named."""
    return max([said.epoch for said in answers if said.server == place and said.epoch is not None])


def agreeing(answers: tuple[Said, ...], place: Place) -> int:
    """How many sentinels have named this server."""
    return len({said.sentinel for said in answers if said.server == place})


def live(seed: int, read_from: str = "master") -> History:
    """Live through the history of this seed."""
    history = History(seed, read_from)
    history.run_through()
    return history


def failure(seed: int) -> Exception | None:
    """Live through the history of this seed, with reads where it says, and return what does not hold in it."""
    try:
        live(seed, READ_FROM[seed % len(READ_FROM)])
    except Exception as error:  # noqa: BLE001  # a fault of the client may show in any way
        return error
    return None


def lives(first: int, last: int) -> tuple[float, list[int]]:
    """Live through these histories. Return how many seconds of the processor that took, and which seeds fail."""
    begun = time.process_time()
    failed = [seed for seed in range(first, last) if failure(seed) is not None]
    return time.process_time() - begun, failed


def explain(seed: int) -> str:
    """Tell how the history of this seed fails."""
    return f"sentinels, seed {seed}, read_from={READ_FROM[seed % len(READ_FROM)]}: {failure(seed)!r}"

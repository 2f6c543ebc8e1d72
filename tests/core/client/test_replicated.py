"""The machine of a client that reads from replicas behind sentinels. No sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from types import SimpleNamespace
from typing import Any, Final

import pytest

from core.client.notes import Notes
from core.client.stage import LANES, Stage
from resp_sansio import (
    CallEnded,
    ClientSettings,
    ClientStats,
    CommandTimeoutError,
    Config,
    ConnectError,
    ConnectionClosedError,
    LocalProtocolError,
    MapRefreshed,
    PoolSettings,
    Push,
    Reply,
    ReplyError,
)
from resp_sansio.client import Client, Dial, Kind, Link, Waiter
from resp_sansio.client.links import meant_for
from resp_sansio.client.observed_replicated import ObservedReplicated
from resp_sansio.client.replicated import Replicated
from resp_sansio.client.sentinel import read_replicas, tells_of_replicas
from resp_sansio.config.tls import tls_failure
from resp_sansio.connection import Slot, SlotState, new_slot
from resp_sansio.testing import Peer

Place = tuple[str, int]
Words = tuple[bytes, ...]

A, B = ("10.0.0.1", 26379), ("10.0.0.2", 26379)
M, R, S = ("10.0.1.1", 6379), ("10.0.1.2", 6379), ("10.0.1.3", 6379)
URL: Final = "redis+sentinel://10.0.0.1,10.0.0.2/m?read_from=replica"
POOL: Final = PoolSettings(max_size=3)
CHANNEL, _, SHARD = Kind


@dataclass
class View:
    """What a sentinel says: the master, its epoch, and each replica with its flags and the state of its link."""

    master: Place | None = M
    replicas: dict[Place, tuple[str, str]] = field(default_factory=lambda: {R: ("slave", "ok"), S: ("slave", "ok")})
    epoch: int = 1
    refuses: bool = False  # to tell of replicas


class ServerPeer(Peer):
    """One connection of a server, which says whether its link to its master is up."""

    def __init__(self, town: Town, place: Place) -> None:
        super().__init__(answer=lambda words: town.answers(place, words), role=town.roles[place], refused=town.refuses)
        self.up = place not in town.down

    def _reply(self, name: str, words: Words) -> Reply:
        said = super()._reply(name, words)
        if name == "ROLE" and isinstance(said, list) and not self.up:
            return [*said[:3], b"connecting", 0]
        return said


class Town(Stage):
    """A client behind two sentinels, a master and two replicas. `away`: what refuses dials."""

    client: Replicated

    def __init__(self, *arguments: Any, url: str = URL, **options: Any) -> None:
        self.views: dict[Place, View] = {A: View(), B: View()}
        self.roles: dict[Place, Any] = {M: "master", R: "replica", S: "replica"}
        self.gone: set[Place] = set()
        self.down: set[Place] = set()
        self.refuses: dict[str, ReplyError] = {}
        self.at: dict[Place, list[Words]] = {M: [], R: [], S: []}
        self.says: dict[Place, Reply] = {}
        self.places: dict[Link, Place] = {}
        self.went: list[Place] = []
        super().__init__(*(arguments or (LANES,)), url=url, **options)

    def make(self, config: Config, settings: ClientSettings | None, pool: PoolSettings | None, *, once: bool) -> Client:
        assert not once
        if self.observers is None:
            return Replicated(config, settings, pool, random=lambda: self.half)
        return ObservedReplicated(config, settings, pool, random=lambda: self.half, observers=self.observers)

    def start(self, slot: Slot) -> bytes | None:
        assert self.client.lane is None
        assert self.client.lane_of(slot) is None  # which server reads is not known before
        return None

    def is_away(self, dial: Dial) -> bool:
        return (dial.config.host, dial.config.port) in self.gone

    def connect(self) -> Link:
        dial = self.dials.pop(0)
        dial.begin(self.now)
        place = dial.config.host, dial.config.port
        self.went.append(place)
        link = self.client.connected(dial, self.now)
        self.places[link] = place
        self.peers[link] = ServerPeer(self, place) if place in self.roles else Peer(answer=self.sentinel(place))
        self.flush(link)
        self.run()
        return link

    def sentinel(self, place: Place) -> Any:
        def answer(words: Words) -> Reply:
            view = self.views[place]
            if view.master is None:
                return (
                    None if words[1] == b"GET-MASTER-ADDR-BY-NAME" else ReplyError("ERR No such master with that name")
                )
            match words[1]:
                case b"MASTER":
                    return {b"config-epoch": b"%d" % view.epoch}
                case b"SENTINELS":
                    return []
                case b"REPLICAS":
                    return ReplyError("NOPERM no") if view.refuses else [listed(*one) for one in view.replicas.items()]
                case _:
                    return [view.master[0].encode(), b"%d" % view.master[1]]

        return answer

    def answers(self, place: Place, words: Words) -> Reply:
        self.at[place].append(words)
        return self.says.get(place, place[0].encode())

    def links_to(self, place: Place) -> list[Link]:
        """Return the links to a server that have not ended."""
        return [link for link in self.client.links if self.places[link] == place]

    def subscribed_to(self, place: Place) -> list[bytes]:
        """Return the channels that a server tells of."""
        names = [self.peers[link].subscriptions for link in self.links_to(place)]
        return [name for kinds in names for channels in kinds.values() for name in channels]

    def end(self, *places: Place) -> None:
        """These cut all who are connected to them."""
        for link in [link for place in places for link in self.links_to(place)]:
            self.cut(link)

    def kill(self, *places: Place) -> None:
        """These die."""
        self.gone.update(places)
        self.end(*places)

    def all_say(self, **said: Any) -> None:
        """Both sentinels say so from now on."""
        self.views = {A: View(**said), B: View(**said)}

    def tell(self, channel: bytes, message: bytes) -> None:
        """The first sentinel that is heard says this."""
        news = self.client.news[0]
        self.say(news, self.peers[news].push("message", channel, message))

    def read(self, count: int = 1) -> list[Any]:
        """Read so often, and return by which server each read was answered."""
        return [self.told(self.call("GET", "k", deadline=self.now + 5.0)) for _ in range(count)]

    def counts(self) -> tuple[int, int, int]:
        """Return how many commands each server has executed."""
        return len(self.at[M]), len(self.at[R]), len(self.at[S])


def listed(place: Place, said: tuple[str, str]) -> dict[Reply, Reply]:
    """As SENTINEL REPLICAS does."""
    flags, link = said
    return {
        b"ip": place[0].encode(),
        b"port": b"%d" % place[1],
        b"flags": flags.encode(),
        b"master-link-status": link.encode(),
    }


def named(*places: Place) -> list[bytes]:
    return [place[0].encode() for place in places]


# -- what sentinels say --------------------------------------------------------------------------------------------------------


def test_a_replica_is_read_from_if_nothing_is_said_against_it() -> None:
    well = listed(R, ("slave", "ok"))
    flat = [part for pair in listed(S, ("slave", "ok")).items() for part in pair]
    assert read_replicas([well, flat]) == ([R, S], False)
    for flags, link, coming in [
        ("s_down,slave,disconnected", "ok", False),
        ("s_down,o_down,slave", "ok", False),
        ("slave,disconnected", "ok", True),
        ("slave,reconf_sent", "ok", True),
        ("slave", "err", True),
    ]:
        assert read_replicas([listed(R, (flags, link))]) == ([], coming)
    assert read_replicas([{**well, b"role-reported": b"master"}]) == ([], True)
    assert read_replicas([{**well, b"role-reported": b"slave"}]) == ([R], False)


@pytest.mark.parametrize("said", [None, 7, b"x", ReplyError("ERR no")])
def test_what_is_no_list_says_nothing(said: Any) -> None:
    assert read_replicas(said) is None
    assert read_replicas([]) == ([], False)
    assert read_replicas([1, {b"ip": b"10.0.1.2"}, {**listed(R, ("slave", "ok")), b"flags": None}]) == ([], False)
    assert read_replicas([listed(("10.0.1.2", port), ("slave", "ok")) for port in range(1, 1001)]) == (
        [("10.0.1.2", port) for port in range(1, 101)],
        False,
    )


def test_only_news_of_the_own_masters_replicas_count() -> None:
    def push(channel: str, said: str) -> Push:
        return Push("message", (channel.encode(), said.encode()))

    about = "slave 10.0.1.2:6379 10.0.1.2 6379 @ m 10.0.1.1 6379"
    for channel in ("+slave", "+sdown", "-sdown", "+reboot"):
        assert tells_of_replicas(push(channel, about), "m")
        assert not tells_of_replicas(push(channel, about), "other")
        assert not tells_of_replicas(push(channel, "master m 10.0.1.1 6379"), "m")
    assert not tells_of_replicas(push("+switch-master", about), "m")
    assert not tells_of_replicas(Push("subscribe", (b"+slave", 1)), "m")


# -- which server --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3])
def test_reads_go_to_replicas_in_turn_and_all_else_to_the_master(protocol: int) -> None:
    town = Town(LANES, POOL, protocol=protocol)
    assert sorted(town.read(4)) == sorted(named(R, S, R, S))
    for words in [
        ("SET", "k", "v"),
        ("PING", "x"),
        ("INFO",),
        ("DBSIZE",),
        ("HSCAN", "k", "0"),
        ("MSET", "a", "1", "b", "2"),
    ]:
        town.call(*words)
    town.batch(("GET", "a"), ("SET", "b", "c"))
    town.batch(("PING", "x"), ("TIME",))
    town.batch(("MULTI",), ("GET", "a"), ("EXEC",))
    assert town.counts() == (9, 2, 2)  # PING is told by no peer
    town.call("MGET", "a", "b")  # which are in two slots of a cluster
    town.batch(("GET", "a"), ("PING", "x"), ("GET", "b"))
    town.call("OBJECT", "ENCODING", "k")
    assert town.counts()[0] == 9
    assert sum(town.counts()[1:]) == 4 + 1 + 2 + 1
    assert all(words[0] not in (b"READONLY", b"ROLE") for words in town.at[R] + town.at[S])


def test_with_any_the_master_has_its_turn() -> None:
    town = Town(url=URL.replace("=replica", "=any"))
    assert sorted(town.read(6)) == sorted(named(M, R, S) * 2)


def test_writes_need_not_wait_until_it_is_known_which_replicas_there_are() -> None:
    town = Town()
    town.call("SET", "k", "v")
    assert (A in town.went, town.client.map.masters, town.client.places) == (True, [], [])
    assert town.client.server_at(M) == ("", False, (range(16384),))
    assert [len(town.links_to(place)) for place in (R, S)] == [0, 0]
    assert town.client.place_of("10.0.9.9:1") == ("10.0.9.9", 1)
    assert len(town.client.news) == 2
    assert list(town.peers[town.client.news[0]].subscriptions["channels"]) == [
        b"+switch-master", b"+promoted-slave", b"+slave", b"+sdown", b"-sdown", b"+reboot",
    ]  # fmt: skip


def test_the_servers_are_told() -> None:
    town = Town(LANES, POOL)
    town.client.open(town.now)
    town.run()
    assert town.client.places == [M, R, S]  # as a sentinel has named the master
    town.read(2)
    town.call("SET", "k", "v")
    stats = town.client.stats()
    assert isinstance(stats, ClientStats)
    assert {name: (node.role, node.slots) for name, node in stats.nodes.items()} == {
        "10.0.1.1:6379": ("master", 16384), "10.0.1.2:6379": ("replica", 0), "10.0.1.3:6379": ("replica", 0),
    }  # fmt: skip
    assert [town.client.server_at(place).replica for place in (M, R, S)] == [False, True, True]
    assert town.client.place_of("10.0.1.2:6379") == R
    with pytest.raises(
        LocalProtocolError, match=r"^10.0.9.9:1 is no server of this client; it has 10.0.1.1:6379, 10.0.1.2"
    ):
        town.client.place_of("10.0.9.9:1")
    assert repr(town.client).startswith("<Replicated m (sentinels ")


def test_a_link_of_ones_own_leads_to_the_master_or_to_a_server_that_is_named() -> None:
    town = Town(LANES, POOL)
    town.read()
    for at, place in [(None, M), (0, M), (M, M), (R, R), (S, S)]:
        lease: Any = town.lease(at=at)
        assert town.places[lease.connection] == place
        town.release(lease)
    lent = town.client.lend(town.now)
    assert lent is not None
    assert town.places[lent.connection] == M
    held = town.acquire(held=lent)
    assert held.lease is not None
    town.release(held.lease)
    town.client.close(town.now)
    assert town.client.idle_link(None, new_slot(("GET", "k"))) is None
    with pytest.raises(ConnectionClosedError):
        town.client.acquire(None, town.now)


def test_what_is_on_the_masters_link_is_read_before_a_call_is_submitted() -> None:
    town = Town()
    town.call("SET", "k", "v")
    (link,) = town.links_to(M)
    assert town.client.idle_link(None, new_slot(("SET", "k", "v"))) is link
    assert town.client.idle_link(None, None) is None


def test_channels_come_from_the_master_those_of_shards_too() -> None:
    town = Town(LANES, POOL)
    town.read()
    subscriber = town.client.subscriber(None, 10, 10_000, "drop_oldest")
    change = town.client.subscribe(subscriber, [(CHANNEL, b"news"), (SHARD, b"shard")], town.now)
    assert town.listen(change).result() is None
    assert sorted(town.subscribed_to(M)) == [b"news", b"shard"]
    town.all_say(**AFTER)
    town.roles.update({R: "master"})
    town.tell(b"+switch-master", SWITCH)
    town.pass_time(1.0)
    assert sorted(town.subscribed_to(R)) == [b"news", b"shard"]
    assert town.subscribed_to(M) == []


# -- replicas that come and go -------------------------------------------------------------------------------------------------


def test_a_replica_that_is_away_costs_no_read_and_is_read_from_when_it_is_back() -> None:
    town = Town()
    town.read(2)
    town.kill(R)
    assert town.read(4) == named(S) * 4
    town.gone.clear()
    town.pass_time(6.0)
    assert sorted(town.read(2)) == sorted(named(R, S))
    town.kill(R, S)
    assert town.read(2) == named(M) * 2
    town.all_say(replicas={})
    town.pass_time(6.0)
    assert town.client.places == [M]
    assert town.read(2) == named(M) * 2


def test_a_replica_that_is_away_is_tried_for_no_caller_and_once_at_a_time() -> None:
    town = Town()
    town.read(2)
    town.kill(R)
    town.read(2)
    (node,) = [node for node in town.client.nodes if node.place == R]
    town.dials_at_once = False
    for _ in range(3):
        town.client.want_map(town.now)
        town.pass_time(1.0)
        for dial in [dial for dial in town.dials if dial.config.port == A[1]]:
            town.dials.remove(dial)
            town.dials.insert(0, dial)
            town.connect()
        assert len(node.waiting(pausing=False)) == len([dial for dial in town.dials if dial.config.host == R[0]]) == 1
    assert node.suspect
    assert town.client.refreshes > 2
    assert set(town.read(2)) == {*named(S)}


def test_a_server_that_never_answers_tls_is_told_without_a_word_of_clusters() -> None:
    town = Town(dials_at_once=False)
    slot = town.call("GET", "k", deadline=1.0)
    while not any(dial.config.port == R[1] for dial in town.dials):
        town.connect()
    link = town.client.connected(town.dials.pop(), town.now)
    late = TimeoutError("timed out")
    link.tls = SimpleNamespace(open=False, failure=lambda config: tls_failure(config, late))  # type: ignore[misc,assignment]
    town.pass_time(1.0)
    told = str(town.told(slot))
    assert "does the server speak TLS on this port?" in told
    assert "tls-cluster" not in told


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("is_down", [True, False])
def test_a_server_has_to_say_that_it_is_a_replica_whose_link_is_up(protocol: int, is_down: bool) -> None:
    town = Town(protocol=protocol)
    if is_down:
        town.down.add(R)
    else:
        town.roles[R] = "master"
    assert set(town.read(4)) <= {*named(S), *named(M)}
    assert town.at[R] == []
    town.down.clear()
    town.roles[R] = "replica"
    town.pass_time(6.0)
    assert named(R)[0] in town.read(2)


@pytest.mark.parametrize("code", ["LOADING it", "MASTERDOWN x"])
def test_a_replica_that_can_not_answer_now_is_passed_by(code: str) -> None:
    town = Town()
    town.says[R] = ReplyError(code)
    assert town.read(6) == named(S) * 6 or set(town.read(6)) == {*named(S)}
    assert len(town.at[R]) == 1
    town.batch(("GET", "a"), ("GET", "b"))
    town.says.clear()


def test_a_pipeline_that_a_replica_can_not_answer_goes_on_at_the_master() -> None:
    town = Town()
    town.says[R] = town.says[S] = ReplyError("LOADING it")
    slot = town.batch(("GET", "a"), ("GET", "b"), ("PING", "x"), deadline=5.0)
    town.pass_time(1.0)
    assert town.told(slot)[:2] == named(M) * 2


def test_moved_is_an_answer_as_any_other() -> None:
    town = Town()
    town.says[R] = town.says[S] = ReplyError("MOVED 1 10.0.1.9:6379")
    assert [str(told) for told in town.read()] == ["MOVED 1 10.0.1.9:6379"]


def test_a_sentinel_tells_of_a_replica_and_the_others_are_asked_for() -> None:
    town = Town()
    town.read(2)
    town.all_say(replicas={R: ("slave", "ok"), S: ("s_down,slave,disconnected", "ok")})
    town.tell(b"+sdown", b"slave 10.0.1.3:6379 10.0.1.3 6379 @ m 10.0.1.1 6379")
    town.pass_time(0.1)
    assert town.client.places == [M, R]
    assert town.read(4) == named(R) * 4
    town.tell(b"+sdown", b"slave 10.0.1.3:6379 10.0.1.3 6379 @ other 10.0.1.1 6379")
    refreshes = town.client.refreshes
    town.pass_time(0.1)
    assert town.client.refreshes == refreshes


def test_as_long_as_a_replica_is_on_its_way_the_sentinels_are_asked_again() -> None:
    town = Town()
    town.all_say(replicas={R: ("slave", "ok"), S: ("slave", "err")})
    assert town.read(2) == named(R) * 2
    town.all_say()
    town.pass_time(1.0)
    assert sorted(town.read(2)) == sorted(named(R, S))
    refreshes = town.client.refreshes
    town.pass_time(30.0)
    assert town.client.refreshes == refreshes  # none is wanted


def test_while_calls_are_made_the_sentinels_are_asked_at_intervals() -> None:
    town = Town(refresh_interval=2.0)
    town.read()
    town.all_say(replicas={R: ("slave", "ok")})
    for _ in range(4):
        town.pass_time(1.0)
        town.read()
    assert town.client.places == [M, R]


def test_a_silent_replica_is_left_once_the_sentinels_list_it_no_more() -> None:
    town = Town(silence_timeout=4.0)
    town.read(2)
    (link,) = town.links_to(R)
    town.deaf.add(link)
    slots = [town.call("GET", "k", deadline=20.0) for _ in range(2)]
    assert len([slot for slot in slots if slot in town.ended]) == 1
    town.all_say(replicas={S: ("slave", "ok")})
    town.pass_time(3.0)
    assert [town.told(slot) for slot in slots] == named(S) * 2
    assert town.links_to(R) == []


def test_the_masters_link_is_not_left_for_its_silence_before_replicas_are_known() -> None:
    town = Town(silence_timeout=4.0)
    town.all_say(refuses=True)
    town.call("SET", "k", "v")
    (link,) = town.links_to(M)
    town.deaf.add(link)
    slot = town.call("SET", "k", "v", deadline=20.0)
    town.pass_time(3.0)
    assert slot not in town.ended
    town.wake()
    assert town.told(slot) == M[0].encode()


# -- sentinels -----------------------------------------------------------------------------------------------------------------


def test_a_sentinel_that_is_away_is_passed_over_and_without_any_a_read_says_why() -> None:
    town = Town()
    town.gone.add(A)
    assert town.read() != []
    town.gone.add(B)
    town.end(A, B)
    town.client.want_map(town.now)
    town.pass_time(3.0)
    assert town.read() != []  # the replicas are known
    town = Town()
    town.gone.update((A, B))
    slot = town.call("GET", "k")
    town.pass_time(60.0)
    kind, why = town.told(slot)
    assert kind is ConnectError
    assert "connection refused" in why
    assert town.client.refresh_failures > 0


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"master": None}, "knows no master 'm'"),
        ({"refuses": True}, "does not tell which replicas 'm' has"),
    ],
)
def test_a_sentinel_that_does_not_tell_is_told_as_such(said: dict[str, Any], why: str) -> None:
    town = Town()
    town.all_say(**said)
    slot = town.call("GET", "k", deadline=5.0)
    kind, text = town.told(slot)
    assert kind is ConnectError
    assert why in text


def test_a_survey_that_its_adapter_gives_up_is_a_failure_like_others() -> None:
    town = Town(dials_at_once=False)
    slot = town.call("GET", "k", deadline=9.0)
    assert len(town.dials) == 2
    town.give_up()
    town.give_up()
    assert town.dials == []
    town.pass_time(1.0)
    assert slot not in town.ended
    while town.dials:
        town.connect()
    assert town.told(slot) in named(R, S)


def test_the_answer_that_comes_second_changes_nothing() -> None:
    town = Town(dials_at_once=False)
    town.call("GET", "k")
    first, second = town.dials
    town.dials = [first]
    town.connect()
    assert town.client.map.masters != []
    link = town.client.connected(second, town.now)
    assert link.ended
    town.client.dial_failed(second, ConnectError("late", transient=True), town.now)
    assert town.client.refresh_failures == 0


def test_a_survey_that_is_under_way_ends_with_the_first_answer() -> None:
    town = Town(dials_at_once=False)
    slot = town.call("GET", "k")
    dials, town.dials = town.dials, []
    town.dials = [dials[0]]
    link = town.client.connected(dials[1], town.now)
    town.places[link], town.peers[link] = B, Peer(answer=town.sentinel(B))
    town.connect()
    assert link.ended
    while town.dials:
        town.connect()
    assert town.told(slot) in named(R, S)


def test_a_sentinel_that_is_behind_is_not_believed() -> None:
    town = Town()
    town.read(2)
    town.call("SET", "k", "v")
    town.views = {A: View(epoch=0, replicas={}), B: View(epoch=5)}
    town.end(*[town.places[link] for link in town.client.news])
    town.pass_time(2.0)  # both are heard again, and so the epoch is known
    town.client.want_map(town.now)
    town.pass_time(2.0)
    assert town.client.places == [M, R, S]
    town.views[B] = View(epoch=0, replicas={})
    failures = town.client.refresh_failures
    town.client.want_map(town.now)
    town.pass_time(3.0)
    assert town.client.places == [M, R, S]
    assert town.client.refresh_failures > failures


# -- fail-over -----------------------------------------------------------------------------------------------------------------

SWITCH: Final = b"m 10.0.1.1 6379 10.0.1.2 6379"
AFTER: Final[dict[str, Any]] = {"master": R, "replicas": {S: ("slave", "ok"), M: ("s_down,slave", "ok")}, "epoch": 2}


def test_a_replica_that_has_become_the_master_counts_as_that() -> None:
    """Though it is in the last list of replicas, and what was at it as a replica is not left yet."""
    town = Town(LANES, POOL, url=URL.replace("=replica", "=any"))
    town.read(3)
    town.call("SET", "k", "v")
    town.all_say(master=R, epoch=2)
    town.roles[R] = "master"
    town.tell(b"+switch-master", SWITCH)
    town.call("SET", "k", "v")
    assert [node.address for node in town.client.nodes].count("10.0.1.2:6379") == 2
    stats = town.client.stats()
    assert isinstance(stats, ClientStats)
    assert {name: node.role for name, node in stats.nodes.items()} == {
        "10.0.1.2:6379": "master",
        "10.0.1.3:6379": "replica",
    }


def test_a_deposed_master_is_left_by_reads_and_writes_once_that_is_heard() -> None:
    town = Town(LANES, POOL, url=URL.replace("=replica", "=any"))
    town.read(3)
    town.call("SET", "k", "v")
    lease = town.lease()
    town.all_say(**AFTER)
    town.roles[R] = "master"  # and M still says so, too
    town.end(R)
    before = len(town.at[M])
    town.tell(b"+switch-master", SWITCH)
    assert set(town.read(6)) <= {*named(R, S)}
    assert town.told(town.call("SET", "k", "v")) == R[0].encode()
    town.release(lease)
    assert len(town.at[M]) == before
    assert town.links_to(M) == []
    town.pass_time(1.0)
    assert town.client.places == [R, S]
    stats = town.client.stats()
    assert isinstance(stats, ClientStats)
    assert stats.nodes["10.0.1.2:6379"].role == "master"
    town.all_say(**{**AFTER, "replicas": {S: ("slave", "ok"), M: ("slave", "ok")}})
    town.roles[M] = "replica"
    town.tell(b"-sdown", b"slave 10.0.1.1:6379 10.0.1.1 6379 @ m 10.0.1.2 6379")
    town.pass_time(1.0)
    assert town.client.places[0] == R
    assert set(town.read(6)) == {*named(R, S, M)}


def test_a_sentinel_that_is_asked_for_replicas_and_names_another_master_is_heard() -> None:
    town = Town(LANES, POOL)
    town.read(2)
    town.call("SET", "k", "v")
    town.all_say(**AFTER)
    town.roles.update({R: "master"})
    town.client.want_map(town.now)
    town.pass_time(0.2)
    assert town.links_to(M) == []
    assert town.told(town.call("SET", "k", "v")) == R[0].encode()


def test_readonly_makes_the_next_dial_to_the_master_ask() -> None:
    town = Town()
    town.call("SET", "k", "v")
    town.all_say(**AFTER)
    town.roles.update({R: "master", M: "replica"})
    town.says[M] = ReplyError("READONLY You can't write against a read only replica.")
    slot = town.call("SET", "k", "v", deadline=5.0)
    town.pass_time(1.0)
    assert town.told(slot) == R[0].encode()


def test_while_no_master_is_there_writes_wait_and_reads_go_on() -> None:
    town = Town()
    town.read(2)
    town.call("SET", "k", "v")
    town.kill(M)
    write = town.call("SET", "k", "v", deadline=20.0)
    assert set(town.read(4)) == {*named(R, S)}
    town.pass_time(3.0)
    assert write not in town.ended
    town.all_say(**AFTER)
    town.roles[R] = "master"
    town.end(R)
    town.pass_time(2.0)
    assert town.told(write) == R[0].encode()
    assert set(town.read(4)) == {*named(S)}


def test_what_is_meant_for_a_server_that_dies_goes_to_no_other() -> None:
    town = Town(LANES, POOL)
    town.read()
    town.call("SET", "k", "v")
    slot = new_slot(("GET", "k"), None, 20.0)
    meant_for(slot, M)
    assert town.told(town.submit(slot)) == M[0].encode()  # by the master's machine
    town.kill(M)
    slots = [new_slot(("GET", "k"), None, 20.0), new_slot(("SET", "k", "v"), None, 20.0)]
    for one in slots:
        meant_for(one, M)
        town.submit(one)
    waiter = town.acquire(at=M, deadline=20.0)
    other = town.call("SET", "k", "v", deadline=20.0)
    town.all_say(**AFTER)
    town.roles.update({R: "master", M: "replica"})
    town.end(R)
    town.pass_time(2.0)
    assert town.told(other) == R[0].encode()
    why = r"10.0.1.1:6379 can't be reached, and is none of the client's any more; it has 10.0.1.2:6379, 10.0.1.3:6379"
    for one in slots:
        kind, text = town.told(one)
        assert (kind, why in text) == (ConnectError, True)
    assert why in str(waiter.error)
    assert town.at[R] == [(b"SET", b"k", b"v")]
    later = new_slot(("GET", "k"), None, 20.0)
    meant_for(later, 0)
    town.end(R)
    town.submit(later)
    town.pass_time(1.0)
    assert town.told(later) == R[0].encode()


def test_what_is_meant_for_a_server_whose_link_is_lost_goes_on_there() -> None:
    town = Town()
    town.read()
    town.call("SET", "k", "v")
    (link,) = town.links_to(M)
    town.deaf.add(link)
    slot = new_slot(("GET", "k"), None, 20.0)
    meant_for(slot, M)
    town.submit(slot)
    town.all_say(**AFTER)
    town.roles.update({R: "master", M: "replica"})
    town.tell(b"+switch-master", SWITCH)
    town.pass_time(1.0)
    town.call("SET", "k", "v", deadline=9.0)
    assert slot not in town.ended
    town.cut(link)
    town.pass_time(1.0)
    assert town.told(slot) == M[0].encode()
    assert town.links_to(M) != []


# -- the end, and interrupts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["close", "drain"])
def test_what_waits_ends_with_the_client(how: str) -> None:
    for steps in range(6):
        town = Town(LANES, POOL, dials_at_once=False)
        slots = [town.call("GET", "k"), town.call("SET", "k", "v")]
        for _ in range(steps):
            if town.dials:
                town.connect()
        (town.client.close if how == "close" else town.client.drain)(town.now)
        town.run()
        while town.dials:
            town.connect() if how == "close" else town.refuse()
        town.pass_time(10.0)
        assert {*slots} <= {*town.ended}
        assert town.client.links == []
        assert how == "close" or town.drained
        town.client.want_map(town.now)
        assert town.client.next_deadline() == inf


def test_after_an_interrupt_the_sentinels_are_asked_that_no_event_told_of() -> None:
    town = Town(dials_at_once=False)
    slot = town.call("GET", "k", deadline=9.0)
    known, lost = town.dials
    town.dials = [known]
    town.client.reconcile(town.now, lambda _: True, [known])
    town.client.resume(slot, town.now)
    town.run()
    assert town.dials == [known]
    town.dials = []
    town.client.reconcile(town.now, lambda _: True, [])
    town.client.resume(slot, town.now)
    town.run()
    town.pass_time(0.5)
    assert lost not in town.dials
    while town.dials:
        town.connect()
    assert town.told(slot) in named(R, S)


def test_after_an_interrupt_links_and_news_are_there() -> None:
    town = Town(LANES, POOL)
    town.read(2)
    town.call("SET", "k", "v")
    links = {*town.client.links}
    town.client.reconcile(town.now, lambda _: True, [])
    town.run()
    assert {*town.client.links} == links
    assert len(town.client.news) == 2
    assert town.read(2) != []


# -- observers -----------------------------------------------------------------------------------------------------------------


def test_observers_are_told_which_server_it_was() -> None:
    notes = Notes()
    town = Town(LANES, POOL, observers=[notes])
    town.read(2)
    town.call("SET", "k", "v")
    ended = notes.of(CallEnded)
    assert {fact.address for fact in ended} == {f"{host}:{port}" for host, port in (M, R, S)}
    (refreshed,) = notes.of(MapRefreshed)
    assert (refreshed.address, refreshed.asked, refreshed.changed) == ("10.0.0.2:26379", 2, True)
    town.all_say(**AFTER)
    town.roles.update({R: "master"})
    town.end(R)
    town.tell(b"+switch-master", SWITCH)
    town.pass_time(1.0)
    town.call("SET", "k", "v")
    last = notes.of(CallEnded)[-1]
    assert last.address == "10.0.1.2:6379"


def test_a_late_read_says_what_it_waited_for() -> None:
    town = Town(dials_at_once=False)
    slot = town.call("GET", "k", deadline=1.0)
    town.pass_time(2.0)
    assert town.told(slot)[0] is CommandTimeoutError
    assert slot.state is SlotState.WITHDRAWN
    assert isinstance(town.client.acquire(None, town.now), Waiter)

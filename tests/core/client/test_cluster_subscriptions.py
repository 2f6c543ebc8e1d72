"""A client's subscriptions in a cluster: which server is asked for which channel, and what follows when one is another's."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count, pairwise
from math import inf
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.client.stage import LANES, Stage
from resp_sansio import (
    ClientSettings,
    CloseReason,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    Gap,
    Message,
    Observer,
    PoolSettings,
    ReplyError,
    Retry,
)
from resp_sansio.client import Kind, Link, Listener, Subscriber
from resp_sansio.client.cluster import Cluster
from resp_sansio.client.cluster_subscriptions import TIME_FOR_A_MAP
from resp_sansio.client.hash_slots import slot_of
from resp_sansio.client.observed_cluster import ObservedCluster
from resp_sansio.client.shards import ShardedRegistry
from resp_sansio.client.subscriptions import MOVED
from resp_sansio.connection import SlotState
from resp_sansio.testing import Peer

CHANNEL, PATTERN, SHARD = Kind
HOSTS = ("a", "b", "c")
THIRD = 16384 // 3 + 1
MIGRATING = ReplyError("TRYAGAIN Multiple keys request during rehashing of slot")
DOWN = ReplyError("CLUSTERDOWN The cluster is down")


def shard(host: str, number: int = 0) -> tuple[Kind, bytes]:
    """A channel of a shard that is this server's at first."""
    at = HOSTS.index(host)
    names = (b"%b{%d}" % (host.encode(), one) for one in count())
    found = (name for name in names if slot_of(name) // THIRD == at)
    return SHARD, next(name for index, name in enumerate(found) if index == number)


A0, A1, B0, C0 = shard("a"), shard("a", 1), shard("b"), shard("c")
NEWS = (CHANNEL, b"news")


@dataclass
class Server(Peer):
    """One connection's end at a server of the cluster."""

    world: Any = None
    host: str = ""
    wrong: ReplyError | None = None

    def _take(self, words: Any) -> list[bytes]:
        name = words[0].decode()
        if name in ("SSUBSCRIBE", "SUNSUBSCRIBE"):
            assert len({slot_of(word) for word in words[1:]}) == 1, "a server would say CROSSSLOT"
            self.wrong = self.world.refusal(self.host, name, words[1])
        return super()._take(words)

    def _refusal(self, name: str, words: Any) -> ReplyError | None:
        if name in ("SSUBSCRIBE", "SUNSUBSCRIBE") and self.wrong is not None:
            return self.wrong
        return super()._refusal(name, words)


class World(Stage):
    """A client of a cluster, whose three masters are here."""

    def __init__(self, settings: Any = LANES, pool: Any = None, *, seeds: str = "a,b,c", **options: Any) -> None:
        super().__init__(settings, pool, url=f"redis+cluster://{seeds}", **options)
        machine: Any = {} if self.observers is None else {"observers": self.observers}
        made = Cluster if self.observers is None else ObservedCluster
        self.client = self.cluster = made(self.client.config, settings, pool, random=lambda: 0.5, **machine)
        self.owners: dict[int, str] = {}  # of slots that were moved
        self.masters: list[str] = list(HOSTS)
        self.dead: set[str] = set()
        self.ids = {host: host.encode() * 40 for host in "abcdef"}
        self.says: dict[tuple[str, str], list[ReplyError]] = {}  # by host and command, what is refused, once each
        self.stale: dict[str, list[Any]] = {}  # what a server still says of the map
        self.no_map: ReplyError | None = None
        self.hosts: dict[Link, str] = {}

    def owner(self, name: bytes) -> str:
        slot = slot_of(name)
        return self.owners.get(slot, self.masters[slot // THIRD])

    def refusal(self, host: str, name: str, word: bytes) -> ReplyError | None:
        if said := self.says.get((host, name)):
            return said.pop(0)
        owner = self.owner(word)
        return None if owner == host else ReplyError(f"MOVED {slot_of(word)} {owner}:6379")

    def map(self) -> list[Any]:
        rows: list[Any] = []
        cuts = sorted({0, THIRD, 2 * THIRD, 16384, *self.owners, *[slot + 1 for slot in self.owners]})
        for first, end in pairwise(cuts):
            host = self.owners.get(first, self.masters[first // THIRD])
            if host:
                rows.append([first, end - 1, [host.encode(), 6379, self.ids[host]]])
        return rows

    def connect(self) -> Link:
        dial = self.dials[0]
        host = dial.config.host
        if host in self.dead:
            self.refuse()
            return None  # type: ignore[return-value]
        self.dials.pop(0)
        link = self.client.connected(dial, self.now)

        def answer(words: tuple[bytes, ...]) -> Any:
            if words[:2] == (b"CLUSTER", b"SLOTS"):
                return self.no_map or self.stale.get(host) or self.map()
            return words[-1]

        self.peers[link] = Server(answer=answer, world=self, host=host)
        self.hosts[link] = host
        self.flush(link)
        self.run()
        return link

    # -- callers -------------------------------------------------------------------------------------------------------------

    def subscriber(self, loan: Any = None, most: int = 1000, overflow: Any = "drop_oldest") -> Subscriber:
        return self.client.subscriber(loan, most, 1 << 20, overflow)

    def want(self, subscriber: Subscriber, *names: tuple[Kind, bytes], deadline: float = 1e9) -> Listener:
        change = self.client.subscribe(subscriber, names, self.now)
        self.run()
        return self.listen(change, deadline)

    def unwant(self, subscriber: Subscriber, *names: tuple[Kind, bytes]) -> Listener:
        change = self.client.unsubscribe(subscriber, names or None, self.now)
        self.run()
        return self.listen(change, 1e9)

    def leave(self, subscriber: Subscriber) -> None:
        self.client.leave(subscriber, self.now)
        self.run()

    def subscribed(self, *names: tuple[Kind, bytes], loan: Any = None, **bounds: Any) -> Subscriber:
        subscriber = self.subscriber(loan, **bounds)
        assert done(self.want(subscriber, *names))
        return subscriber

    def hear(self, subscriber: Subscriber) -> list[Any]:
        gaps = [item for item in (*subscriber.incoming, *subscriber.held) if isinstance(item, Gap)]
        assert subscriber._gaps == len(gaps)
        listener = self.listen(subscriber)
        if listener.state is SlotState.QUEUED:
            self.stop_listening(listener)
        items = [*subscriber.ready]
        subscriber.ready.clear()
        return items

    # -- the cluster -----------------------------------------------------------------------------------------------------------

    def links_of(self, host: str) -> list[Link]:
        """Those by which something is subscribed to at this server."""
        return [link for link, at in self.hosts.items() if at == host and link.registry and not link.ended]

    def publish(self, name: tuple[Kind, bytes], data: bytes) -> int:
        """Publish at the right server; return how many links have it."""
        kind, word = name
        if kind is SHARD:
            links = [
                link
                for link in self.links_of(self.owner(word))
                if word in self.peers[link].subscriptions["shard channels"]
            ]
        else:
            links = [
                link
                for host in HOSTS
                for link in self.links_of(host)
                if word in self.peers[link].subscriptions["channels"]
            ]
        for link in links:
            self.say(link, self.peers[link].push("smessage" if kind is SHARD else "message", word, data))
        return len(links)

    def move(self, name: tuple[Kind, bytes], host: str, *, quiet: bool = False) -> None:
        """Give a slot to another server. The one that had it says so to those that are subscribed, unless it is `quiet`."""
        before = self.owner(name[1])
        self.owners[slot_of(name[1])] = host
        for link in [] if quiet else self.links_of(before):
            mine = self.peers[link].subscriptions["shard channels"]
            for word in [word for word in mine if slot_of(word) == slot_of(name[1])]:
                del mine[word]
                if not link.ended:
                    self.say(link, self.peers[link].push("sunsubscribe", word, len(mine)))

    def kill(self, host: str) -> None:
        self.dead.add(host)
        for link in [link for link, at in self.hosts.items() if at == host and not link.ended]:
            self.cut(link)

    def promote(self, old: str, new: str) -> None:
        self.masters = [new if host == old else host for host in self.masters]

    def asked(self, host: str) -> list[tuple[bytes, ...]]:
        """The commands on subscriptions that this server got, link by link."""
        peers = [self.peers[link] for link, at in self.hosts.items() if at == host]
        return [one.words for peer in peers for one in peer.received if b"SUBSCRIBE" in one.words[0]]


def done(listener: Listener) -> bool:
    """Has it what it waited for?"""
    return listener.state is SlotState.ANSWERED and listener.result() is None


def refused(listener: Listener) -> str:
    with pytest.raises((ReplyError, ConnectError, CommandTimeoutError, ConnectionClosedError)) as caught:
        listener.result()
    return str(caught.value)


# -- which server --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("made", [(LANES, None), (LANES, PoolSettings()), (None, PoolSettings())])
def test_each_channel_of_a_shard_comes_from_its_master_and_all_others_from_any_server(made: Any, protocol: int) -> None:
    world = World(*made, protocol=protocol)
    subscriber = world.subscribed(NEWS, A0, A1, B0, (PATTERN, b"p*"))
    assert [words[0] for words in world.asked("a") if words[0] == b"SSUBSCRIBE"] == [b"SSUBSCRIBE"] * 2
    assert (b"SSUBSCRIBE", B0[1]) in world.asked("b")
    assert sum(len(world.links_of(host)) for host in HOSTS) == 3
    for name in (NEWS, A0, A1, B0):
        assert world.publish(name, b"1") == 1
    heard = {(message.channel, message.sharded) for message in world.hear(subscriber)}
    assert heard == {(b"news", False), (A0[1], True), (A1[1], True), (B0[1], True)}
    other = world.subscribed(A0)
    assert world.asked("a").count((b"SSUBSCRIBE", A0[1])) == 1
    world.publish(A0, b"2")
    assert world.hear(other) == world.hear(subscriber) == [Message(A0[1], b"2", None, True)]
    world.leave(other)
    assert (b"SUNSUBSCRIBE", A0[1]) not in world.asked("a")
    assert done(world.unwant(subscriber, B0))
    assert world.links_of("b") == [] or NEWS[1] in world.peers[world.links_of("b")[0]].subscriptions["channels"]
    assert done(world.unwant(subscriber))
    assert all(world.links_of(host) == [] for host in HOSTS)
    assert done(world.want(subscriber, C0))  # it may want again
    assert repr(world.cluster._nodes["c", 6379]._subscriptions.feed) == "<ShardFeed: 1 names>"


def test_all_links_are_counted_as_one_and_each_for_its_server() -> None:
    world = World()
    assert world.cluster.stats().subscriptions is None
    world.subscribed(NEWS, A0, B0)
    stats = world.cluster.stats()
    assert stats.subscriptions is not None
    assert stats.subscriptions.connection is not None
    assert (stats.subscriptions.created, stats.subscriptions.waiting) == (3, 3)
    lanes = [node.subscriptions for node in stats.nodes.values() if node.subscriptions is not None]
    assert [lane.created for lane in lanes] == [1, 1]
    world.kill("a")
    stats = world.cluster.stats()
    assert stats.subscriptions is not None
    assert stats.subscriptions.closed == {CloseReason.LOST: 1}
    world.cluster.close(world.now)
    stats = world.cluster.stats()
    assert stats.subscriptions is not None
    assert stats.subscriptions.connection is None


def test_channels_of_one_slot_go_together_and_of_several_never() -> None:
    world = World()
    one, other = (SHARD, A0[1] + b"1"), (SHARD, A0[1] + b"2")
    assert slot_of(one[1]) == slot_of(other[1])
    world.subscribed(one, A1, other)
    assert sorted(world.asked("a"), key=len)[-2:] == [(b"SSUBSCRIBE", A1[1]), (b"SSUBSCRIBE", one[1], other[1])]


def test_before_there_is_a_map_channels_of_shards_wait_for_it() -> None:
    world = World(dials_at_once=False, settings=ClientSettings(retry=Retry(attempts=2)))
    subscriber = world.subscriber()
    listener = world.want(subscriber, A0, deadline=5.0)
    assert listener.state is SlotState.QUEUED
    unsure = world.want(subscriber, B0, deadline=inf)  # without a deadline, as many attempts count as a call has
    while world.dials:
        world.refuse()
    for _ in range(3):
        world.pass_time(0.3)
        while world.dials:
            world.refuse()
    assert "refused" in refused(unsure)
    assert listener.state is SlotState.QUEUED
    world.dials_at_once = True
    world.pass_time(1.5)
    assert done(listener)


def test_a_channel_that_waits_for_the_first_map_is_no_reason_for_another() -> None:
    world = World(dials_at_once=False)
    world.client.open(world.now)
    listener = world.want(world.subscriber(), A0)
    while world.dials:
        world.connect()
    world.pass_time(10)
    assert done(listener)
    assert world.cluster.refreshes == 1


def test_a_name_that_no_server_has_ends_with_its_deadline() -> None:
    world = World()
    world.masters[0] = ""
    subscriber = world.subscribed(B0)
    listener = world.want(subscriber, A0, deadline=world.now + 2.0)
    world.pass_time(3.0)
    told = refused(listener)
    assert told.startswith("cluster of a:6379, b:6379, c:6379 could not be reached in time; the last attempt failed: ")
    assert told.endswith(f"no server has hash slot {slot_of(A0[1])} by the map")
    world.client.cancel(listener.what, world.now)
    assert world.publish(B0, b"1") == 1
    assert world.hear(subscriber) == [Message(B0[1], b"1", None, True)]


# -- what servers refuse -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [MIGRATING, DOWN, ReplyError("LOADING Redis is loading"), ReplyError("ASK 1 b:6379")])
def test_what_can_not_be_had_now_is_asked_for_again(said: ReplyError) -> None:
    world = World()
    world.says["a", "SSUBSCRIBE"] = [said] * 4
    subscriber = world.subscriber()
    listener = world.want(subscriber, A0, deadline=10.0)
    assert listener.state is SlotState.QUEUED
    world.pass_time(3.0)
    assert done(listener)
    assert len(world.asked("a")) == 5


def test_what_could_not_be_had_in_time_says_why() -> None:
    world = World()
    world.says["a", "SSUBSCRIBE"] = [DOWN] * 99
    subscriber = world.subscribed(B0)
    listener = world.want(subscriber, A0, deadline=world.now + 3.0)
    world.pass_time(4.0)
    assert refused(listener).endswith(f"could not be reached in time; the last attempt failed: {DOWN}")
    world.dead = {"c"}
    listener = world.want(subscriber, C0, deadline=world.now + 3.0)
    world.pass_time(4.0)
    assert "could not be reached in time; the last attempt failed: " in refused(listener)


def test_without_a_deadline_attempts_count() -> None:
    world = World(ClientSettings(retry=Retry(attempts=3)))
    world.says["a", "SSUBSCRIBE"] = [DOWN] * 20
    subscriber = world.subscribed(B0)
    change = world.client.subscribe(subscriber, [A0], world.now)
    world.run()
    listener = world.listen(change)
    world.pass_time(3.0)
    assert "CLUSTERDOWN" in refused(listener)
    assert world.publish(B0, b"1") == 1
    assert len(world.hear(subscriber)) == 1


def test_a_name_that_is_given_up_meanwhile_is_not_asked_for_again() -> None:
    world = World()
    world.says["a", "SSUBSCRIBE"] = [DOWN] * 2
    subscriber = world.subscribed(B0)
    listener = world.want(subscriber, A0, A1)
    assert done(world.unwant(subscriber, A0, A1))
    assert done(listener)
    world.pass_time(1.0)
    assert len(world.asked("a")) == 2
    world.says["b", "SSUBSCRIBE"] = [DOWN]
    other = shard("b", 1)
    change = world.client.subscribe(subscriber, [other], world.now)
    world.client.unsubscribe(subscriber, [other], world.now)  # before that was answered
    world.run()
    assert change.over
    world.pass_time(1.0)
    assert not world.client._subscriptions.registry.later


def test_a_user_that_may_not_is_told() -> None:
    world = World()
    world.says["a", "SSUBSCRIBE"] = [ReplyError("NOPERM No permissions to access a channel")]
    subscriber = world.subscribed(B0)
    assert "NOPERM" in refused(world.want(subscriber, A0))
    assert list(subscriber.names) == [name for name in subscriber.names if name.word == B0[1]]


def test_what_a_server_says_of_a_move_is_followed_at_once() -> None:
    world = World()
    subscriber = world.subscribed(B0)
    world.owners[slot_of(A0[1])] = "c"  # no map has said so
    assert done(world.want(subscriber, A0))
    assert world.asked("c")[-1] == (b"SSUBSCRIBE", A0[1])
    assert world.publish(A0, b"1") == 1
    assert world.hear(subscriber) == [Message(A0[1], b"1", None, True)]


@pytest.mark.parametrize("beside", [-1, 1])
def test_a_moved_that_names_another_slot_than_the_channels_teaches_nothing(beside: int) -> None:
    world = World()
    subscriber = world.subscribed(C0)
    other = slot_of(A0[1]) + beside
    owner = world.cluster.map.owner(other)
    world.says["a", "SSUBSCRIBE"] = [ReplyError(f"MOVED {other} b:6379")]
    listener = world.want(subscriber, A0)
    assert not world.says["a", "SSUBSCRIBE"]
    assert world.cluster.map.owner(other) == owner
    world.pass_time(1.0)
    assert done(listener)
    assert "b" not in [world.hosts[link] for link in world.hosts if world.peers[link].subscriptions["shard channels"]]


def test_two_servers_that_name_each_other_are_asked_with_pauses() -> None:
    world = World()
    slot = slot_of(A0[1])
    world.says["a", "SSUBSCRIBE"] = [ReplyError(f"MOVED {slot} b:6379")] * 50
    world.says["b", "SSUBSCRIBE"] = [ReplyError(f"MOVED {slot} a:6379")] * 50
    subscriber = world.subscribed(C0)
    listener = world.want(subscriber, A0, deadline=2.0)
    assert len(world.asked("a")) + len(world.asked("b")) <= 7
    world.pass_time(1.9)
    assert listener.state is SlotState.QUEUED
    assert len(world.asked("a")) + len(world.asked("b")) < 40
    world.says.clear()
    world.pass_time(5.0)
    assert done(listener) or "in time" in refused(listener)


@pytest.mark.parametrize("code", ["MOVED", "ASK", "TRYAGAIN"])
@pytest.mark.parametrize("busy", [False, True])
def test_a_channel_of_which_servers_disagree_keeps_its_pace_whatever_becomes_of_others(code: str, busy: bool) -> None:
    """In two seconds it is asked for about as often as a call would be, though another is confirmed again and again."""
    world, slot = World(), slot_of(A0[1])
    for here, there in ("ab", "ba"):
        world.says[here, "SSUBSCRIBE"] = [ReplyError(f"{code} {slot} {there}:6379")] * 500
    subscriber, other = world.subscribed(C0), world.subscriber()
    world.want(subscriber, A0, deadline=1e9)
    for _ in range(100):
        if busy:
            world.want(other, shard("c", 1))
            world.unwant(other, shard("c", 1))
        world.pass_time(0.02)
    asked = len(world.asked("a")) + len(world.asked("b"))
    assert 10 <= asked <= 25


def test_without_a_map_the_old_server_says_soon_where_a_channel_has_gone() -> None:
    """No other channel, and no map, is a reason to ask."""
    world = World()
    subscriber = world.subscribed(A0)
    assert world.cluster._names_due == inf  # nothing is to be asked again
    asked = len(world.asked("a"))
    world.no_map = ReplyError("LOADING Redis is loading the dataset in memory")
    world.move(A0, "b")
    world.pass_time(0.9 * TIME_FOR_A_MAP)
    assert len(world.asked("a")) == asked
    world.pass_time(0.2 * TIME_FOR_A_MAP)
    assert [words[0] for words in world.asked("a")[asked:]] == [b"SSUBSCRIBE"]
    assert [words[0] for words in world.asked("b")] == [b"SSUBSCRIBE"]
    assert not subscriber.misses
    world.publish(A0, b"1")
    assert world.hear(subscriber) == [Gap((A0[1],), MOVED), Message(A0[1], b"1", None, True)]


# -- moves -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_slot_that_moves_is_followed_and_a_gap_says_so(protocol: int) -> None:
    world = World(protocol=protocol)
    subscriber = world.subscribed(NEWS, A0, A1)
    bystander = world.subscribed(A1)
    world.publish(A0, b"1")
    world.move(A0, "b")
    assert subscriber.misses
    world.publish(A1, b"2")  # which is not held back
    assert world.hear(subscriber) == [Message(A0[1], b"1", None, True), Message(A1[1], b"2", None, True)]
    world.pass_time(1.0)
    assert not subscriber.misses
    world.publish(A0, b"3")
    assert world.hear(subscriber) == [Gap((A0[1],), MOVED), Message(A0[1], b"3", None, True)]
    assert world.hear(bystander) == [Message(A1[1], b"2", None, True)]


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_gap_is_in_front_of_a_message_that_comes_with_the_confirmation(protocol: int) -> None:
    world = World(protocol=protocol)
    subscriber = world.subscribed(A0, A1)
    bystander = world.subscriber()
    (link,) = world.links_of("a")
    peer = world.peers[link]
    peer.subscriptions["shard channels"].clear()
    world.say(link, peer.push("sunsubscribe", A0[1], 1))
    world.deaf.add(link)
    world.want(bystander, A0)
    world.pass_time(1.0)
    (said,) = peer.receive(world.unread.pop(link))
    world.deaf.clear()
    world.say(link, said + peer.push("smessage", A0[1], b"1"))
    assert world.hear(subscriber) == [Gap((A0[1],), MOVED), Message(A0[1], b"1", None, True)]
    assert world.hear(bystander) == [Message(A0[1], b"1", None, True)]


def test_a_map_that_is_new_moves_names_though_no_server_says_anything() -> None:
    """A replica that changes its shard is silent, and so is a server that is frozen."""
    world = World()
    one, other = (SHARD, A0[1] + b"1"), (SHARD, A0[1] + b"2")
    subscriber = world.subscribed(one, other, A1)
    old = world.links_of("a")[0]
    world.move(A0, "b", quiet=True)
    world.cluster.want_map(world.now, at_once=True)
    world.run()
    world.pass_time(0.5)
    assert world.asked("a")[-1] == (b"SUNSUBSCRIBE", one[1], other[1])
    assert world.asked("b")[-1] == (b"SSUBSCRIBE", one[1], other[1])
    world.say(old, world.peers[old].push("smessage", one[1], b"late"))  # it comes by the other link now
    world.say(old, world.peers[old].push("sunsubscribe", one[1], 0))
    world.publish(one, b"1")
    assert world.hear(subscriber) == [Gap((one[1], other[1]), MOVED), Message(one[1], b"1", None, True)]
    world.move(A0, "a", quiet=True)
    world.cluster.want_map(world.now, at_once=True)
    world.pass_time(1.0)
    world.publish(one, b"2")
    assert world.hear(subscriber)[-1] == Message(one[1], b"2", None, True)


@pytest.mark.parametrize("back", [False, True])
def test_of_two_channels_that_change_places_each_is_left_where_it_was(back: bool) -> None:
    world = World()
    names = [B0, A0] if back else [A0, B0]
    subscriber = world.subscribed(*names)
    world.move(A0, "b", quiet=True)
    world.move(B0, "a", quiet=True)
    world.cluster.want_map(world.now, at_once=True)
    world.run()
    world.pass_time(0.5)
    assert {*world.asked("a")} == {(b"SSUBSCRIBE", A0[1]), (b"SUNSUBSCRIBE", A0[1]), (b"SSUBSCRIBE", B0[1])}
    assert {*world.asked("b")} == {(b"SSUBSCRIBE", B0[1]), (b"SUNSUBSCRIBE", B0[1]), (b"SSUBSCRIBE", A0[1])}
    assert not subscriber.misses


def test_a_name_that_moves_back_before_it_was_left_is_not_left() -> None:
    world = World()
    subscriber = world.subscribed(A0, A1)
    registry: Any = world.client._subscriptions.registry
    (name,) = [name for name in subscriber.names if name.word == A0[1]]
    feeds = [world.cluster._nodes[host, 6379].feed(registry) for host in ("a", "b")]
    registry.move(name, feeds[1])
    registry.move(name, feeds[0])
    world.client._advance(registry, world.now)
    world.run()
    assert (b"SUNSUBSCRIBE", A0[1]) not in world.asked("a")
    world.publish(A0, b"1")
    assert world.hear(subscriber) == [Gap((A0[1],), MOVED), Message(A0[1], b"1", None, True)]


def test_leaving_a_name_whose_slot_moves_is_no_error() -> None:
    world = World()
    subscriber = world.subscribed(A0, A1)
    world.says["a", "SUNSUBSCRIBE"] = [ReplyError(f"MOVED {slot_of(A0[1])} b:6379")]
    assert done(world.unwant(subscriber, A0))
    assert not subscriber.misses
    world.pass_time(5.0)
    assert world.asked("a").count((b"SUNSUBSCRIBE", A0[1])) == 1  # the server had ended it


# -- what servers keep, for now ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [DOWN, MIGRATING, ReplyError("LOADING Redis is loading"), ReplyError("MASTERDOWN")])
@pytest.mark.parametrize("protocol", [2, 3])
def test_what_a_server_does_not_leave_now_is_left_later(said: ReplyError, protocol: int) -> None:
    """The caller does not wait for that, and gets none of what comes meanwhile."""
    world = World(protocol=protocol)
    subscriber = world.subscribed(A0, A1)
    world.says["a", "SUNSUBSCRIBE"] = [said] * 3
    assert done(world.unwant(subscriber, A0))
    assert world.publish(A0, b"1") == 1
    assert world.hear(subscriber) == []
    world.pass_time(3.0)
    assert world.publish(A0, b"2") == 0
    assert world.asked("a").count((b"SUNSUBSCRIBE", A0[1])) == 4
    assert world.client._subscriptions.registry.stats().names == 1
    assert not world.client._subscriptions.registry.later


def test_a_name_that_a_server_did_not_leave_is_there_when_it_is_wanted_again() -> None:
    world = World()
    subscriber, other = world.subscribed(A0, A1), world.subscriber()
    world.says["a", "SUNSUBSCRIBE"] = [DOWN]
    world.unwant(subscriber, A0)
    world.says["a", "SSUBSCRIBE"] = [DOWN] * 99
    assert done(world.want(other, A0))
    world.pass_time(3.0)
    assert world.publish(A0, b"1") == 1
    assert world.hear(other) == [Message(A0[1], b"1", None, True)]
    assert world.asked("a").count((b"SUNSUBSCRIBE", A0[1])) == 1
    assert done(world.unwant(other, A0))
    assert world.publish(A0, b"2") == 0


def test_a_name_that_is_wanted_again_before_it_was_refused_to_leave_it_is_there() -> None:
    world = World()
    subscriber, other = world.subscribed(A0, A1), world.subscriber()
    world.says["a", "SUNSUBSCRIBE"] = [DOWN]
    leaving = world.client.unsubscribe(subscriber, [A0], world.now)
    joining = world.client.subscribe(other, [A0], world.now)
    world.run()
    assert leaving.over
    assert joining.over
    world.pass_time(3.0)
    assert world.publish(A0, b"1") == 1
    assert (world.hear(subscriber), world.hear(other)) == ([], [Message(A0[1], b"1", None, True)])
    assert world.asked("a").count((b"SUNSUBSCRIBE", A0[1])) == 1


def test_a_link_that_ends_leaves_what_its_server_did_not() -> None:
    world = World()
    subscriber = world.subscribed(A0, A1)
    world.says["a", "SUNSUBSCRIBE"] = [DOWN]
    world.unwant(subscriber, A0)
    world.cut(world.links_of("a")[0])
    world.pass_time(3.0)
    assert world.asked("a").count((b"SUNSUBSCRIBE", A0[1])) == 1
    assert world.publish(A0, b"1") == 0
    assert world.publish(A1, b"1") == 1
    assert world.client._subscriptions.registry.stats().names == 1
    assert not world.client._subscriptions.registry.later


def test_what_a_server_did_not_leave_ends_as_its_slot_moves() -> None:
    world = World()
    subscriber = world.subscribed(A0, A1)
    world.says["a", "SUNSUBSCRIBE"] = [DOWN]
    world.unwant(subscriber, A0)
    world.move(A0, "b")
    assert world.client._subscriptions.registry.stats().names == 1
    world.pass_time(3.0)
    assert world.asked("a").count((b"SUNSUBSCRIBE", A0[1])) == 1
    assert world.asked("b") == []
    assert world.hear(subscriber) == []


@pytest.mark.parametrize("back", ["never", "before it was refused", "before it is left"])
def test_what_a_name_is_to_leave_as_it_moves_is_left_later_unless_it_has_come_back(back: str) -> None:
    world = World()
    subscriber = world.subscribed(A0, A1)
    registry: Any = world.client._subscriptions.registry
    (name,) = [name for name in subscriber.names if name.word == A0[1]]
    feeds = [world.cluster._nodes[host, 6379].feed(registry) for host in ("a", "b")]
    world.says["a", "SUNSUBSCRIBE"] = [DOWN] * (2 if back == "never" else 1)
    world.owners[slot_of(A0[1])] = "b"
    if back == "never":
        world.cluster.want_map(world.now, at_once=True)
    else:
        registry.move(name, feeds[1])
        world.client._advance(registry, world.now)
    if back != "before it was refused":
        world.pass_time(0.05 if back == "never" else 0.0)
        world.run()
        assert world.asked("a")[-1] == (b"SUNSUBSCRIBE", A0[1])
    if back != "never":
        world.owners.clear()
        registry.move(name, feeds[0])
        world.client._advance(registry, world.now)
        world.run()
    world.pass_time(3.0)
    assert world.asked("a").count((b"SUNSUBSCRIBE", A0[1])) == (3 if back == "never" else 1)
    assert world.publish(A0, b"1") == 1
    assert world.hear(subscriber)[-1] == Message(A0[1], b"1", None, True)


def test_a_name_that_is_wanted_again_elsewhere_is_left_later_where_it_was_to_be_left() -> None:
    world = World()
    subscriber, other = world.subscribed(A0, A1), world.subscriber()
    world.says["a", "SUNSUBSCRIBE"] = [DOWN] * 2
    registry: Any = world.client._subscriptions.registry
    leaving = world.client.unsubscribe(subscriber, [A0], world.now)
    joining = world.client.subscribe(other, [A0], world.now)
    (name,) = other.names
    world.owners[slot_of(A0[1])] = "b"
    world.cluster.map.learn(slot_of(A0[1]), ("b", 6379), world.now)
    world.cluster._homes[slot_of(A0[1])] = None
    registry.move(name, world.cluster._nodes["b", 6379].feed(registry))
    world.client._advance(registry, world.now)
    world.run()
    assert leaving.over
    world.pass_time(3.0)
    assert joining.over
    assert world.asked("a").count((b"SUNSUBSCRIBE", A0[1])) == 3
    assert world.asked("b") == [(b"SSUBSCRIBE", A0[1])]
    assert world.publish(A0, b"1") == 1
    assert world.hear(other) == [Message(A0[1], b"1", None, True)]
    assert not registry.later


def test_a_name_that_is_wanted_again_and_moves_there_and_back_is_not_left() -> None:
    world = World()
    subscriber, other = world.subscribed(A0, A1), world.subscriber()
    world.says["a", "SUNSUBSCRIBE"] = [DOWN]
    registry: Any = world.client._subscriptions.registry
    leaving = world.client.unsubscribe(subscriber, [A0], world.now)
    joining = world.client.subscribe(other, [A0], world.now)
    (name,) = other.names
    for host in "ba":
        registry.move(name, world.cluster._nodes[host, 6379].feed(registry))
    world.client._advance(registry, world.now)
    world.run()
    assert leaving.over
    assert joining.over
    world.pass_time(3.0)
    assert world.asked("a").count((b"SUNSUBSCRIBE", A0[1])) == 1
    assert world.publish(A0, b"1") == 1
    assert world.hear(other) == [Message(A0[1], b"1", None, True)]


# -- masters that go ---------------------------------------------------------------------------------------------------------------


def test_a_demoted_master_is_left_for_the_new_one() -> None:
    world = World()
    subscriber = world.subscribed(A0)
    link = world.links_of("a")[0]
    world.promote("a", "d")
    world.says["a", "SSUBSCRIBE"] = []
    peer = world.peers[link]
    peer.subscriptions["shard channels"].clear()
    world.say(link, peer.push("sunsubscribe", A0[1], 0))
    world.pass_time(2.0)
    assert world.asked("d") == [(b"SSUBSCRIBE", A0[1])]
    world.publish(A0, b"1")
    assert world.hear(subscriber)[-1] == Message(A0[1], b"1", None, True)
    assert world.links_of("a") == []


# -- losses ------------------------------------------------------------------------------------------------------------------------


def test_a_master_that_dies_is_followed_by_its_replica() -> None:
    world = World()
    subscriber = world.subscribed(A0, A1, B0)
    leaving = world.client.unsubscribe(subscriber, [A1], world.now)  # which is not answered
    world.kill("a")
    assert leaving.over
    world.pass_time(1.5)
    assert subscriber.misses
    world.publish(B0, b"1")
    assert world.hear(subscriber) == [Message(B0[1], b"1", None, True)]
    world.promote("a", "d")
    world.pass_time(6.0)
    assert [gap.channels for gap in world.hear(subscriber)] == [(A0[1],)]
    assert world.asked("d") == [(b"SSUBSCRIBE", A0[1])]
    assert world.publish(A0, b"2") == 1


def test_names_that_are_lost_and_not_wanted_any_more_have_no_gap() -> None:
    world = World()
    subscriber = world.subscribed(A0, B0)
    world.kill("a")
    assert subscriber.misses
    assert done(world.unwant(subscriber, A0))
    assert not subscriber.misses
    world.pass_time(1.0)
    assert world.hear(subscriber) == []


def test_entering_fails_as_a_call_does_if_no_server_can_be_reached() -> None:
    world = World(ClientSettings(retry=Retry(attempts=2)))
    other = world.subscribed(B0)
    world.kill("a")
    subscriber = world.subscriber()
    unbounded = world.want(subscriber, A0, deadline=inf)
    world.pass_time(5.0)
    assert "refused" in refused(unbounded)
    bounded = world.want(subscriber, A0, deadline=world.now + 3.0)
    world.pass_time(2.0)
    assert bounded.state is SlotState.QUEUED
    world.pass_time(2.0)
    assert "in time" in refused(bounded)
    assert world.publish(B0, b"1") == 1
    assert len(world.hear(other)) == 1


def test_a_server_that_lets_no_one_in_ends_those_that_are_subscribed_there() -> None:
    world = World()
    subscriber, other = world.subscribed(A0, B0), world.subscribed(B0)
    world.dials_at_once = False
    world.cut(world.links_of("a")[0])
    while not world.dials:
        world.pass_time(0.1)
    while world.dials:
        world.refuse(ConnectError("wrong password", transient=False))
    assert "wrong password" in str(subscriber.error)
    assert other.error is None
    assert len(world.links_of("b")) == 1


def test_channels_come_from_another_server_when_theirs_is_lost() -> None:
    world = World()
    subscriber = world.subscribed(NEWS)
    for _ in range(2):
        (host,) = [host for host in HOSTS if world.links_of(host)]
        world.kill(host)
        world.pass_time(6.0)
        (other,) = [host for host in HOSTS if world.links_of(host)]
        assert other != host
        assert world.hear(subscriber) == [Gap((b"news",), "the server closed the connection")]
        assert world.publish(NEWS, b"1") == 1
        assert len(world.hear(subscriber)) == 1
        world.dead.clear()


def test_a_gap_of_channels_names_no_channel_of_a_shard() -> None:
    world = World()
    subscriber = world.subscribed(NEWS, A0, B0, C0)
    plain: Any = world.client._subscriptions.link
    world.cut(plain)
    world.pass_time(3.0)
    assert [item.channels for item in world.hear(subscriber)] == [(b"news",)]


def test_channels_leave_a_server_that_is_none_of_the_cluster_s_any_more() -> None:
    world = World()
    subscriber = world.subscribed(NEWS, A0)
    lane: Any = world.client._subscriptions
    (host,) = [at for link, at in world.hosts.items() if link is lane.link]
    world.promote(host, "d")
    for _ in range(3):
        world.cluster.want_map(world.now, at_once=True)
        world.pass_time(6.0)
    assert world.hosts[lane.link] != host
    assert world.links_of(host) == []
    assert {name for gap in world.hear(subscriber) for name in gap.channels} >= {b"news"}
    assert lane.stats().closed == {CloseReason.RETIRED: 1}


def test_a_server_that_is_known_by_no_map_any_more_keeps_no_names() -> None:
    world = World()
    subscriber = world.subscribed(A0)
    world.promote("a", "")  # no server has its slots
    for _ in range(3):
        world.cluster.want_map(world.now, at_once=True)
        world.pass_time(6.0)
    assert ("a", 6379) not in world.cluster._nodes or world.cluster._nodes["a", 6379]._subscriptions.feed.wanted == {}
    assert subscriber.misses
    world.promote("", "d")
    world.pass_time(12.0)
    assert [gap.channels for gap in world.hear(subscriber)] == [(A0[1],)]


# -- bounds, the end, interrupts ---------------------------------------------------------------------------------------------------


def test_a_subscriber_that_is_full_leaves_the_rest_of_all_links_to_tcp() -> None:
    world = World()
    subscriber = world.subscribed(NEWS, A0, B0, most=4)
    links = [link for host in HOSTS for link in world.links_of(host)]
    for number in range(2):
        world.publish(A0, b"%d" % number)
    assert all(link.core.held_back for link in links)
    assert len(world.hear(subscriber)) == 2
    assert not any(link.core.held_back for link in links)
    other = world.subscribed(C0)
    for number in range(6):
        world.publish((A0, B0)[number % 2], b"%d" % number)
    gap, *messages = world.hear(subscriber)
    assert gap.lost == 2
    assert [message.data for message in messages] == [b"2", b"3", b"4", b"5"]
    assert world.hear(other) == []


def test_a_subscriber_that_ends_leaves_all_links() -> None:
    world = World()
    subscriber = world.subscribed(NEWS, A0, B0, most=2, overflow="error")
    world.subscribed(C0)
    for number in range(4):
        world.publish(A0, b"%d" % number)
    assert subscriber.error is not None
    world.run()
    assert sum(len(world.links_of(host)) for host in HOSTS) == 1


def test_what_is_no_message_ends_its_link_alone() -> None:
    world = World(protocol=2)
    subscriber = world.subscribed(A0, B0)
    world.say(world.links_of("a")[0], b"*1\r\n$8\r\nsmessage\r\n")
    world.pass_time(1.0)
    assert [gap.channels for gap in world.hear(subscriber)] == [(A0[1],)]


def test_a_client_that_is_closed_ends_all() -> None:
    for way in ("close", "drain"):
        world = World()
        subscriber = world.subscribed(NEWS, A0)
        waiting = world.listen(subscriber)
        getattr(world.client, way)(world.now)
        world.run()
        assert "closed" in refused(waiting)
        assert world.client.links == []
        world.pass_time(10.0)
        assert not world.dials


def test_links_that_are_retired_are_replaced() -> None:
    world = World()
    subscriber = world.subscribed(NEWS, A0)
    world.client.retire(world.now)
    world.run()
    world.pass_time(2.0)
    assert {name for gap in world.hear(subscriber) for name in gap.channels} == {b"news", A0[1]}


def test_subscriptions_of_a_connection_on_loan_are_its_own() -> None:
    world = World(pool=PoolSettings())
    lease: Any = world.lease(at=("a", 6379))
    subscriber = world.subscribed(NEWS, loan=lease)
    assert world.publish(NEWS, b"1") == 1
    assert world.hear(subscriber) == [Message(b"news", b"1")]
    assert done(world.unwant(subscriber, NEWS))
    assert done(world.want(subscriber, NEWS))
    world.cut(lease.connection)
    assert "ended" in str(subscriber.error)
    world.leave(subscriber)


def test_a_child_of_a_fork_has_none() -> None:
    world = World()
    subscriber = world.subscribed(NEWS, A0)
    world.publish(A0, b"1")
    world.client.disown()
    assert world.hear(subscriber) == []
    with pytest.raises(ConnectionClosedError, match="parent"):
        World().client.subscribe(subscriber, [B0], 0.0)


def test_an_interrupt_in_a_change_begins_anew_on_other_links() -> None:
    world = World()
    subscriber = world.subscribed(NEWS, A0, B0)
    unconfirmed = world.client.subscribe(subscriber, [C0], world.now)
    world.client.unsubscribe(subscriber, [B0], world.now)
    leaving = world.client.subscriber(None, 10, 1000, "drop_oldest")
    registry: Any = subscriber.registry
    registry.busy = True  # it was cut short
    world.client.reconcile(world.now, lambda _: True, [])
    world.run()
    world.listen(unconfirmed)
    world.pass_time(3.0)
    assert unconfirmed.over
    assert {name for gap in world.hear(subscriber) for name in gap.channels} == {b"news", A0[1]}
    for name in (NEWS, A0, C0):
        assert world.publish(name, b"1") == 1
    assert len(world.hear(subscriber)) == 3
    assert world.publish(B0, b"1") == 0
    world.leave(leaving)
    world.client.reconcile(world.now, lambda _: True, [])  # nothing was cut short
    world.run()
    assert world.publish(A0, b"2") == 1
    assert world.hear(subscriber) == [Message(A0[1], b"2", None, True)]
    World().client.reconcile(0.0, lambda _: True, [])  # of a client that is subscribed to nothing


def test_an_interrupt_as_a_refusal_is_put_off_begins_anew_on_other_links(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    subscriber = world.subscribed(C0)
    world.says["a", "SSUBSCRIBE"] = [MIGRATING]

    def strike(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ShardedRegistry, "put_off", strike)
    with pytest.raises(KeyboardInterrupt):
        world.want(subscriber, A0)
    monkeypatch.undo()
    world.client.reconcile(world.now, lambda _: True, [])
    world.run()
    world.pass_time(3.0)
    assert [gap.channels for gap in world.hear(subscriber)] == [(C0[1],)]
    assert world.publish(A0, b"1") == 1
    assert world.hear(subscriber) == [Message(A0[1], b"1", None, True)]


def test_observers_hear_of_these_links() -> None:
    class Heard(Observer):
        def link_opened(self, link: Any) -> None:
            opened.append(link)

    opened: list[Any] = []
    world = World(observers=[Heard()])
    world.subscribed(NEWS, A0)
    assert len(opened) >= 2


def test_what_a_half_done_loss_leaves_is_put_in_order() -> None:
    world = World()
    subscriber = world.subscribed(NEWS, A0, A1)
    leaving = world.client.unsubscribe(subscriber, [A1], world.now)
    assert not leaving.over
    registry: Any = subscriber.registry
    registry.begin_anew("cut short")
    assert leaving.over
    assert registry.links == []
    assert subscriber.misses
    assert sorted(name.word for feed in (registry, *registry.feeds) for name in feed.wanted) == [A0[1], b"news"]


def test_who_reads_is_not_one_link_s_affair() -> None:
    world = World()
    subscriber = world.subscribed(NEWS, A0)
    assert subscriber.connection is None
    change = world.client.subscribe(subscriber, [B0], world.now)
    assert change.connection is None
    assert all(link.awaited for host in HOSTS for link in world.links_of(host))


def test_a_user_that_is_let_in_nowhere_loses_channels_as_well() -> None:
    world = World()
    subscriber, other = world.subscribed(NEWS), world.subscribed(A0)
    plain: Any = world.client._subscriptions.link
    world.dials_at_once = False
    world.cut(plain)
    while not world.dials:
        world.pass_time(0.1)
    world.give_up()
    while not world.dials:
        world.pass_time(0.1)
    world.refuse(ConnectError("wrong password", transient=False))
    assert "wrong password" in str(subscriber.error)
    assert other.error is None


def test_a_server_that_says_twice_that_a_channel_is_gone() -> None:
    world = World()
    subscriber = world.subscribed(A0, A1)
    link = world.links_of("a")[0]
    peer = world.peers[link]
    del peer.subscriptions["shard channels"][A0[1]]
    for _ in range(2):
        world.say(link, peer.push("sunsubscribe", A0[1], 1))
    world.pass_time(1.0)
    assert world.hear(subscriber) == [Gap((A0[1],), MOVED)]
    assert world.publish(A0, b"1") == 1


# -- any order ---------------------------------------------------------------------------------------------------------------------

WORDS = [A0, A1, B0, C0, NEWS]


class Moves(RuleBasedStateMachine):
    """Whatever moves, dies and is wanted: in the end each name is subscribed to once, at its owner, and no message is another's."""

    @initialize(protocol=st.sampled_from([2, 3]))
    def begin(self, protocol: int) -> None:
        self.world = World(protocol=protocol)
        self.number = 0
        self.subscribers = [self.world.subscriber() for _ in range(2)]
        self.wants: dict[Subscriber, set[tuple[Kind, bytes]]] = {one: set() for one in self.subscribers}
        self.last: dict[tuple[Subscriber, bytes], int] = {}

    @rule(who=st.integers(0, 1), name=st.sampled_from(WORDS))
    def wants_one(self, who: int, name: Any) -> None:
        subscriber = self.subscribers[who]
        self.world.want(subscriber, name)
        self.wants[subscriber].add(name)

    @rule(who=st.integers(0, 1), name=st.sampled_from(WORDS))
    def leaves_one(self, who: int, name: Any) -> None:
        subscriber = self.subscribers[who]
        self.world.unwant(subscriber, name)
        self.wants[subscriber].discard(name)

    @rule(name=st.sampled_from(WORDS[:4]), host=st.sampled_from(HOSTS), quiet=st.booleans())
    def a_slot_moves(self, name: Any, host: str, quiet: bool) -> None:
        if self.world.owner(name[1]) != host:
            self.world.move(name, host, quiet=quiet)
            self.world.cluster.want_map(self.world.now)

    @rule(host=st.sampled_from(HOSTS))
    def links_are_cut(self, host: str) -> None:
        for link in self.world.links_of(host):
            self.world.cut(link)

    @rule(
        host=st.sampled_from(HOSTS),
        name=st.sampled_from(["SSUBSCRIBE", "SUNSUBSCRIBE"]),
        said=st.sampled_from([DOWN, MIGRATING]),
    )
    def a_server_refuses(self, host: str, name: str, said: ReplyError) -> None:
        self.world.says[host, name] = [said]

    @rule(name=st.sampled_from(WORDS))
    def one_publishes(self, name: Any) -> None:
        self.number += 1
        self.world.publish(name, b"%d" % self.number)

    @rule(seconds=st.sampled_from([0.001, 0.1, 1.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @precondition(lambda self: hasattr(self, "world"))
    @invariant()
    def none_gets_what_it_does_not_want_and_each_channel_is_in_order(self) -> None:
        for subscriber in self.subscribers:
            for item in self.world.hear(subscriber):
                if isinstance(item, Message):
                    assert int(item.data) > self.last.get((subscriber, item.channel), 0)
                    self.last[subscriber, item.channel] = int(item.data)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        world.says.clear()
        world.cluster.want_map(world.now)
        world.pass_time(20.0)
        for subscriber in self.subscribers:
            world.hear(subscriber)
            assert not subscriber.misses
            assert {(name.kind, name.word) for name in subscriber.names} == self.wants[subscriber]
        for name in WORDS:
            wanted = any(name in wants for wants in self.wants.values())
            assert world.publish(name, b"9999") == wanted
        for subscriber in self.subscribers:
            heard = [(item.channel, type(item)) for item in world.hear(subscriber)]
            assert sorted(channel for channel, _ in heard) == sorted(word for _, word in self.wants[subscriber])


Moves.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestMoves = Moves.TestCase


# -- what an adapter says of the cluster's own link ------------------------------------------------------------------------------


def test_the_end_of_the_link_for_channels_is_told_to_the_cluster_and_a_caller_that_listens_waits_on() -> None:
    world = World()
    subscriber = world.subscribed(NEWS)
    listener = world.listen(subscriber)
    world.client.resume(listener, world.now)  # an interrupt has struck the thread that waits
    (link,) = [link for link in world.client.links if link.home is world.client]
    world.client.send_failed(link, ConnectionResetError(), world.now)  # an adapter need not ask whose link it is
    world.run()
    assert link.ended
    world.pass_time(2.0)
    assert world.publish(NEWS, b"1") == 1
    assert listener.result() is None  # there is something to hear
    heard = [*world.hear(subscriber), *world.hear(subscriber)]
    assert [type(item).__name__ for item in heard] == ["Gap", "Message"]

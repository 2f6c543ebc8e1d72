"""Sentinels: which is asked next, what is believed, and how a client finds its master by them. No sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.client.notes import Notes
from core.client.stage import LANES, Stage
from resp_sansio import (
    Cache,
    CallEnded,
    ClientStats,
    CommandTimeoutError,
    Config,
    ConnectError,
    DialFailed,
    LinkClosed,
    LinkOpened,
    PoolSettings,
    Reply,
    ReplyError,
)
from resp_sansio.client import Client, Dial, Link
from resp_sansio.client.leases import Lease
from resp_sansio.client.sentinel import Directory, Search, config_of_sentinel, read_epoch, read_sentinels
from resp_sansio.client.submitting import OWN
from resp_sansio.connection import Connection, Fallback, Slot, new_slot
from resp_sansio.testing import Peer

Place = tuple[str, int]

A: Final = ("10.0.0.1", 26379)
B: Final = ("10.0.0.2", 26379)
C: Final = ("10.0.0.3", 26379)
OLD: Final = ("10.0.1.1", 6379)
NEW: Final = ("10.0.1.2", 6379)
URL: Final = "redis+sentinel://10.0.0.1,10.0.0.2/m"
AWAY: Final = ConnectError("away", transient=True)


def directory(url: str = URL, **options: Any) -> Directory:
    return Directory(Config.from_url(url, **options), Fallback())


def pair(place: Place) -> Reply:
    return [place[0].encode(), str(place[1]).encode()]


def epoch(number: int) -> Reply:
    """As SENTINEL MASTER does."""
    return {b"name": b"m", b"config-epoch": str(number).encode(), b"quorum": b"2"}


def listed(*places: Place) -> Reply:
    """As SENTINEL SENTINELS does."""
    return [{b"name": b"x", b"ip": host.encode(), b"port": str(port).encode()} for host, port in places]


def leads_to(search: Search) -> Place:
    return search.way.config.host, search.way.config.port


# -- the search ------------------------------------------------------------------------------------------------------------


def test_a_search_leads_to_a_sentinel_and_from_there_to_the_server_that_it_names() -> None:
    known = directory()
    search = known.search()
    assert leads_to(search) == A
    assert (search.way.master_name, search.way.needs_master) == ("m", False)
    assert search.way.addresses.peer == "sentinel 10.0.0.1:26379"
    assert search.answered([None, pair(NEW), listed(C)]) is None
    assert leads_to(search) == NEW
    assert (search.way.master_name, search.way.needs_master) == (None, True)
    assert search.way.addresses.peer == "m at 10.0.1.2:6379"
    assert not known.found(search)  # there was none before
    assert known.master == NEW
    assert known.sentinels == [A, B, C]


def test_the_sentinel_that_was_right_is_asked_first_from_then_on() -> None:
    known = directory()
    search = known.search()
    assert search.failed(AWAY, late=False) is None
    assert leads_to(search) == B
    assert search.answered([None, pair(OLD), listed(A)]) is None
    assert known.sentinels == [A, B]  # not yet: the server has not said that it is a master
    known.found(search)
    assert known.sentinels == [B, A]
    assert leads_to(known.search()) == B


@pytest.mark.parametrize("turn", ["way_to_sentinel", "way_to_server"])
def test_an_interrupt_as_a_search_turns_to_the_next_leaves_none_out_and_takes_none_for_another(
    monkeypatch: pytest.MonkeyPatch, turn: str
) -> None:
    """It had taken out the next sentinel, and still led to the last one, whose second answer it took for the next one's."""
    known = directory("redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/m")
    search = known.search()

    def step() -> object:
        if turn == "way_to_sentinel":
            return search.failed(AWAY, late=False)
        return search.answered([epoch(3), pair(OLD), listed(B, C)])

    with monkeypatch.context() as patch:
        patch.setattr(Directory, turn, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            step()
    assert leads_to(search) == A
    assert step() is None
    assert leads_to(search) == (B if turn == "way_to_sentinel" else OLD)
    if turn == "way_to_sentinel":
        assert search.failed(AWAY, late=False) is None
        assert leads_to(search) == C


def test_a_server_that_is_no_master_makes_the_next_sentinel_speak_and_no_server_is_dialled_twice() -> None:
    known = directory("redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/m")
    search = known.search()
    assert search.answered([None, pair(OLD), []]) is None
    assert search.failed(ConnectError("m at 10.0.1.1:6379 is a replica", transient=True), late=False) is None
    assert leads_to(search) == B
    assert search.answered([None, pair(OLD), []]) is None
    assert leads_to(search) == C  # B says the same
    assert search.answered([None, pair(NEW), []]) is None
    assert leads_to(search) == NEW


def test_when_all_have_failed_the_error_says_how_each_did() -> None:
    search = directory().search()
    assert (
        search.failed(ConnectError("cannot connect to sentinel 10.0.0.1:26379: timed out", transient=True), late=False)
        is None
    )
    assert search.answered([None, pair(OLD), []]) is None
    over = search.failed(ConnectError("cannot connect to m at 10.0.1.1:6379: refused", transient=True), late=False)
    assert isinstance(over, ConnectError)
    assert over.transient
    assert str(over) == (
        "no master 'm' was found: cannot connect to sentinel 10.0.0.1:26379: timed out;"
        " cannot connect to m at 10.0.1.1:6379: refused"
    )


def test_a_name_that_no_sentinel_knows_is_told_as_such_and_for_good() -> None:
    search = directory().search()
    assert search.answered([None, None, None]) is None
    over = search.answered([None, None, None])
    assert isinstance(over, ConnectError)
    assert not over.transient
    assert "sentinel 10.0.0.1:26379 knows no master 'm'; sentinel 10.0.0.2:26379 knows no master 'm'" in str(over)


def test_as_long_as_one_may_come_back_that_may_know_it_is_for_now() -> None:
    search = directory().search()
    assert search.answered([None, None, None]) is None
    over = search.failed(AWAY, late=False)
    assert isinstance(over, ConnectError)
    assert over.transient


def test_what_a_server_refuses_for_good_no_other_sentinel_would_change() -> None:
    search = directory().search()
    assert search.answered([None, pair(NEW), []]) is None
    refused = ConnectError("WRONGPASS", transient=False)
    assert search.failed(refused, late=False) is refused
    search = directory().search()
    wrong = TypeError("a provider's")
    assert search.failed(wrong, late=False) is wrong


def test_a_sentinel_that_refuses_for_good_does_not_end_the_search() -> None:
    search = directory().search()
    assert search.failed(ConnectError("WRONGPASS", transient=False), late=False) is None
    over = search.failed(ConnectError("WRONGPASS", transient=False), late=False)
    assert isinstance(over, ConnectError)
    assert not over.transient


def test_without_time_no_other_sentinel_is_asked() -> None:
    search = directory().search()
    assert isinstance(search.failed(AWAY, late=True), ConnectError)


def test_each_sentinel_leaves_time_for_those_behind_it_and_for_the_server() -> None:
    search = directory().search()
    assert search.share(3.0) == 1.0
    assert search.share(inf) == 5.0 / 3
    search.failed(AWAY, late=False)
    assert search.share(2.0) == 1.0
    search.answered([None, pair(NEW), []])
    assert search.share(1.0) == 1.0
    assert search.share(inf) == inf


@pytest.mark.parametrize(
    "said",
    [
        [],
        [b"10.0.0.1"],
        [b"10.0.0.1", b"0"],
        [b"10.0.0.1", b"x"],
        [b"10.0.0.1", b"123456"],
        [b"10.0.0.1", 6379],
        [b"", b"6379"],
        [b"\xff/", b"6379"],
        b"10.0.0.1:6379",
        7,
    ],
)
def test_an_answer_that_makes_no_sense_is_that_sentinels_failure(said: Reply) -> None:
    search = directory().search()
    assert search.answered([None, said, 1]) is None
    assert leads_to(search) == B
    over = search.failed(AWAY, late=False)
    assert "the answer of sentinel 10.0.0.1:26379 makes no sense" in str(over)


def test_other_sentinels_are_read_as_far_as_they_make_sense() -> None:
    flat: Reply = [b"ip", b"10.0.0.3", b"port", b"26379", [b"no key"], b"x"]
    many = listed(*[("10.0.0.9", port) for port in range(1, 1001)])
    assert read_sentinels([flat, 1, {b"ip": b"10.0.0.4"}, {7: 8, b"ip": b"s4", b"port": b"1"}]) == [C, ("s4", 1)]
    assert read_sentinels(None) == []
    assert len(read_sentinels(many)) == 100


def test_what_is_learnt_is_replaced_and_what_was_configured_stays() -> None:
    known = directory()
    for others in ([C], [("10.0.0.4", 1)]):
        search = known.search()
        search.answered([None, pair(NEW), listed(*others)])
        known.found(search)
    assert known.sentinels == [A, B, ("10.0.0.4", 1)]
    assert repr(known) == "<Directory of 'm': 3 sentinels>"
    assert repr(known.search()) == "<Search of 'm', 2 sentinels left>"


def test_places_are_kept_in_mind_for_the_addresses_that_worked_and_not_without_end() -> None:
    known = directory()
    assert known.way_to_server(NEW).addresses is known.way_to_server(NEW).addresses
    first = known.way_to_server(NEW).addresses
    known.way_to_sentinel(known.sentinels[0])
    assert known.way_to_server(NEW).addresses is first  # whatever else was dialled since
    for port in range(1, 200):
        known.way_to_server(("10.0.1.3", port))
    assert known.way_to_server(NEW).addresses is not first


answers = st.one_of(
    st.just("away"),
    st.just("unknown"),
    st.just("nonsense"),
    st.tuples(st.sampled_from([OLD, NEW]), st.sampled_from(["master", "replica", "away"])),
)


@given(st.lists(answers, min_size=1, max_size=6), st.lists(answers, max_size=6))
def test_a_search_ends_and_asks_each_once_and_believes_only_a_master(first: list[Any], second: list[Any]) -> None:
    places = [("10.0.0.9", port) for port in range(1, len(first) + 1)]
    known = directory("redis://", sentinels=places, master_name="m")
    for says in (first, second):
        search = known.search()
        asked: list[Place] = []
        dialled: list[Place] = []
        over: Exception | None = None
        while over is None and search.said is None:
            asked.append(leads_to(search))
            said: Any = says[places.index(leads_to(search)) % len(says)] if says else "away"
            match said:
                case "away":
                    over = search.failed(AWAY, late=False)
                case "unknown":
                    over = search.answered([None, None, None])
                case "nonsense":
                    over = search.answered([None, b"", None])
                case _:
                    place, role = said
                    over = search.answered([None, pair(place), None])
                    if over is None and search.said is not None:
                        dialled.append(search.said.server)
                        if role == "master":
                            break
                        over = search.failed(AWAY, late=False)
        assert len(set(asked)) == len(asked) <= len(places)
        assert len(set(dialled)) == len(dialled)
        if over is None:
            if known.found(search):
                known.settle(search)
            assert known.master == dialled[-1]
            assert known.sentinels[0] == asked[-1]
        else:
            assert set(asked) == set(places)


# -- whose secrets go where --------------------------------------------------------------------------------------------------


def test_a_sentinel_gets_nothing_that_is_the_servers_and_the_other_way_round() -> None:
    config = Config.from_url(
        "rediss+sentinel://app:data@10.0.0.1/m/3",
        sentinel_username="watcher",
        sentinel_password="theirs",
        tls_ca_file="ca.pem",
    )
    sentinel, server = config_of_sentinel(config, A), config.at(NEW)
    assert (sentinel.username, sentinel.password, sentinel.db, sentinel.lib_name) == ("watcher", "theirs", 0, None)
    assert (sentinel.host, sentinel.port, sentinel.tls, sentinel.tls_ca_file) == (*A, True, "ca.pem")
    assert server == Config(
        host=NEW[0], port=NEW[1], tls=True, tls_ca_file="ca.pem", username="app", password="data", db=3
    )
    assert sentinel.sentinels == server.sentinels == ()
    assert sentinel.sentinel_password is server.sentinel_password is None
    plain = config_of_sentinel(config.replace(sentinel_tls=False), A)
    assert (plain.tls, plain.tls_ca_file) == (False, None)


def test_sentinels_alone_may_speak_tls() -> None:
    config = Config.from_url(URL, sentinel_tls=True, tls_verify=False)
    assert config.at(NEW) == Config(host=NEW[0], port=NEW[1])
    assert not config_of_sentinel(config, A).tls_verify


def test_a_provider_of_credentials_is_for_the_server() -> None:
    config = Config.from_url(URL, credentials=lambda: "token")
    assert config_of_sentinel(config, A).credentials is None
    assert config.at(NEW).credentials is config.credentials


# -- the client --------------------------------------------------------------------------------------------------------------


@dataclass
class World:
    """Who is there: masters, replicas, and what each sentinel says. A place that is not in it refuses.

    A sentinel that is not in `epochs` does not let its user ask for them.
    """

    says: dict[Place, Place | None]
    roles: dict[Place, Any] = field(default_factory=dict)
    passwords: dict[Place, bytes] = field(default_factory=dict)
    epochs: dict[Place, int] = field(default_factory=dict)


class Town(Stage):
    """A client behind sentinels. `went` is where its dials led, those for news not counted, which go to `heard_at`."""

    def __init__(self, world: World, *arguments: Any, url: str = URL, **options: Any) -> None:
        super().__init__(*(arguments or (LANES,)), url=url, **options)
        self.world = world
        self.went: list[Place] = []
        self.heard_at: list[Place] = []
        self.places: dict[Link, Place] = {}

    def connect(self) -> Link:
        dial = self.dials.pop(0)
        dial.begin(self.now)
        place = dial.config.host, dial.config.port
        (self.heard_at if dial.brings_news else self.went).append(place)
        if place not in self.world.says and place not in self.world.roles:
            self.client.dial_failed(
                dial, ConnectError(f"cannot connect to {dial.way.addresses.peer}", transient=True), self.now
            )
            self.run()
            return next(iter(self.places), None)  # type: ignore[return-value]
        link = self.client.connected(dial, self.now)
        self.places[link] = place
        self.peers[link] = Peer(
            answer=lambda words: self._answer(place, words),
            role=self.world.roles.get(place),
            password=self.world.passwords.get(place),
        )
        self.flush(link)
        self.run()
        return link

    def _answer(self, place: Place, words: tuple[bytes, ...]) -> Reply:
        if words[0] != b"SENTINEL":
            return place[0].encode()
        if place not in self.world.says:
            return ReplyError("ERR unknown command 'SENTINEL'")
        master = self.world.says[place]
        if words[1] == b"MASTER":
            if place in self.world.epochs and master is not None:
                return epoch(self.world.epochs[place])
            return ReplyError("NOPERM this user has no permissions to run the 'sentinel|master' command")
        if words[1] == b"SENTINELS":
            return [] if master is not None else ReplyError("ERR No such master with that name")
        return None if master is None else pair(master)

    @property
    def server(self) -> Link:
        """The newest link to a server."""
        return [link for link, place in self.places.items() if place in self.world.roles][-1]

    @property
    def news(self) -> Link:
        """The first link that brings news."""
        return self.client.news[0]

    def tell(self, channel: bytes, message: bytes) -> None:
        """The sentinel that is heard says this."""
        self.say(self.news, self.peers[self.news].push("message", channel, message))

    def end(self, place: Place) -> None:
        """This server cuts all who are connected to it, as a demoted or a dead one does."""
        for link in [link for link in self.client.links if self.places[link] == place]:
            self.cut(link)


def quiet(**says: Any) -> World:
    return World({A: OLD, B: OLD}, {OLD: "master", NEW: "replica"}, **says)


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_call_goes_to_the_master_that_a_sentinel_has_named(protocol: int) -> None:
    town = Town(quiet(), protocol=protocol)
    slot = town.call("GET", "k")
    assert town.told(slot) == OLD[0].encode()
    assert town.went == [A, OLD]
    sentinel, server, *news = town.places
    assert [words[0] for words in (answer.words for answer in town.peers[sentinel].received)] == [
        b"HELLO" if protocol == 3 else b"PING",
        b"SENTINEL",
        b"SENTINEL",
        b"SENTINEL",
    ]
    assert sentinel.ended
    assert town.closed == [sentinel]
    assert town.client.links == [server, *news]
    assert repr(server).startswith("<Link over <Connection to m at 10.0.1.1:6379: READY")
    stats = town.client.stats()
    assert isinstance(stats, ClientStats)
    assert (stats.lanes[0].created, stats.lanes[0].dial_failures) == (1, 0)


def test_the_lane_of_a_dead_master_asks_anew_and_its_calls_go_to_the_new_one() -> None:
    town = Town(quiet())
    town.call("GET", "k")
    town.world = World({A: NEW, B: NEW}, {NEW: "master"})
    town.end(OLD)
    slot = town.call("SET", "k", "v")
    town.pass_time(1.0)
    assert town.told(slot) == NEW[0].encode()
    assert town.went == [A, OLD, A, NEW]


def test_while_no_master_is_there_calls_wait_until_their_deadline_and_not_for_so_many_attempts() -> None:
    town = Town(World({A: OLD, B: OLD}))
    patient = town.call("GET", "k", deadline=8.0)
    short = town.call("GET", "k", deadline=3.0)
    town.pass_time(2.5)
    assert town.ended == []
    town.pass_time(2.5)
    assert "no master 'm' was found: cannot connect to m at 10.0.1.1:6379" in town.told(short)[1]
    assert patient not in town.ended
    assert len(town.went) > 3 * 10
    town.world = World({A: NEW, B: NEW}, {NEW: "master"})
    town.pass_time(2.0)
    assert town.told(patient) == NEW[0].encode()


def test_only_the_server_is_asked_to_tell_of_changes_to_what_is_cached() -> None:
    town = Town(quiet(), cache=Cache())
    assert [town.told(town.call("GET", "k")) for _ in range(2)] == [OLD[0].encode()] * 2
    tracks = [
        any(answer.words[:2] == (b"CLIENT", b"TRACKING") for answer in town.peers[link].received)
        for link in town.places
    ]
    assert tracks == [False, True, False, False]


def test_a_call_without_a_deadline_has_its_attempts_and_no_more() -> None:
    town = Town(World({A: OLD, B: OLD}))
    slot = town.call("GET", "k")
    town.pass_time(60.0)
    kind, why = town.told(slot)
    assert kind is ConnectError
    assert "no master 'm' was found" in why
    assert "10 attempts were made" in why


def test_a_stale_sentinel_leads_to_a_replica_which_is_not_written_to() -> None:
    town = Town(World({A: OLD, B: NEW}, {OLD: "replica", NEW: "master"}))
    slot = town.call("SET", "k", "v")
    assert town.told(slot) == NEW[0].encode()
    assert town.went == [A, OLD, B, NEW]
    town.end(NEW)
    town.call("SET", "k", "v")
    town.pass_time(1.0)
    assert town.went[4:] == [B, NEW]  # it was right


def test_a_master_that_comes_back_with_its_role_is_not_dialled_because_it_was_right_before() -> None:
    town = Town(quiet())
    town.call("GET", "k")
    town.end(OLD)
    town.world = World({A: NEW, B: NEW}, {OLD: "master", NEW: "master"})
    slot = town.call("SET", "k", "v")
    town.pass_time(1.0)
    assert town.told(slot) == NEW[0].encode()
    assert OLD not in town.went[2:]


def test_readonly_from_a_demoted_master_makes_the_next_dial_ask_anew() -> None:
    town = Town(quiet())
    town.call("GET", "k")
    town.world = World({A: NEW, B: NEW}, {OLD: "replica", NEW: "master"})
    town.peers[town.server].answer = lambda _: ReplyError("READONLY You can't write against a read only replica.")
    slot = town.call("SET", "k", "v")
    town.pass_time(1.0)
    assert town.told(slot) == NEW[0].encode()
    assert town.went == [A, OLD, A, NEW]


def test_a_wrong_name_is_told_at_once() -> None:
    town = Town(World({A: None, B: None}))
    slot = town.call("GET", "k", deadline=5.0)
    kind, why = town.told(slot)
    assert kind is ConnectError
    assert "knows no master 'm'" in why
    assert town.went == [A, B]


def test_a_sentinels_password_is_its_own_and_in_no_message() -> None:
    world = quiet(passwords={A: b"theirs", B: b"theirs", OLD: b"data"})
    town = Town(world, sentinel_password="theirs", password="data")
    assert town.told(town.call("GET", "k")) == OLD[0].encode()
    sentinel, server, *_ = (town.peers[link].received[0].words for link in town.places)
    assert b"theirs" in sentinel
    assert b"data" not in sentinel
    assert b"theirs" not in server
    for options in ({"password": "data"}, {"password": "data", "sentinel_password": "wrong"}):
        town = Town(world, **options)
        kind, why = town.told(town.call("GET", "k"))
        assert kind is ConnectError
        assert "sentinel 10.0.0.1:26379: the server re" in why
        assert not any(secret in why for secret in ("data", "theirs", "wrong;"))


def test_a_server_that_refuses_the_password_is_named_and_no_other_sentinel_is_asked() -> None:
    town = Town(quiet(passwords={OLD: b"data"}))
    kind, why = town.told(town.call("GET", "k"))
    assert kind is ConnectError
    assert "cannot open a connection to m at 10.0.1.1:6379: the server requires a password" in why
    assert town.went == [A, OLD]


def test_a_silent_sentinel_costs_its_share_of_a_dials_time() -> None:
    town = Town(quiet(), dials_at_once=False)
    slot = town.call("GET", "k", deadline=4.0)
    dial = town.dials.pop()
    assert dial.deadline == 5.0
    dial.begin(town.now)
    assert dial.deadline == 5.0 / 3
    town.client.connected(dial, town.now)
    town.pass_time(2.0)
    assert (dial.config.host, dial.config.port) == B
    assert dial.deadline == 5.0
    town.connect()
    town.connect()
    assert town.told(slot) == OLD[0].encode()


def test_when_a_dials_time_is_up_no_other_sentinel_is_asked() -> None:
    town = Town(quiet(), dials_at_once=False)
    slot = town.call("GET", "k", deadline=6.0)
    town.now = 5.0
    town.refuse()
    assert town.dials == []
    town.pass_time(2.0)
    assert town.told(slot)[0] is CommandTimeoutError


def test_a_search_ends_with_its_client() -> None:
    for close_at in range(3):
        town = Town(quiet(), dials_at_once=False)
        slot = town.call("GET", "k")
        for _ in range(close_at):
            town.connect()
        town.client.close(town.now)
        town.run()
        assert slot in town.ended
        if close_at < 2:
            (dial,) = town.dials
            town.refuse()
            assert town.dials == []  # although there is another sentinel
            assert isinstance(dial, Dial)
        assert town.client.links == []


def test_a_dial_that_its_caller_gave_up_does_not_go_on() -> None:
    town = Town(quiet(), dials_at_once=False)
    slot = town.call("GET", "k", deadline=1.0)
    town.give_up()
    assert town.dials == []
    town.pass_time(0.5)  # then another
    assert len(town.dials) == 1
    town.connect()
    town.connect()
    assert town.told(slot) == OLD[0].encode()


# -- a master that has moved -------------------------------------------------------------------------------------------------


def test_links_to_the_old_master_are_left_when_a_dial_has_led_to_another() -> None:
    town = Town(quiet(), LANES, PoolSettings(max_size=3))
    town.call("GET", "k")
    idle, out = town.lease(), town.lease()
    town.release(idle)
    lane, *_ = [link for link in town.client.links if link.lane is not None]
    town.world = World({A: NEW, B: NEW}, {OLD: "master", NEW: "master"})  # cut off, it still says that it is one
    third = town.lease()
    assert third.connection is idle.connection
    fourth = town.lease()
    assert town.places[fourth.connection] == NEW
    town.release(third)
    town.release(out)
    assert lane.ended
    assert town.told(town.call("GET", "k")) == NEW[0].encode()
    assert {town.places[link] for link in town.client.links} == {NEW, A, B}
    town.release(fourth)
    assert town.lease().connection is fourth.connection  # it was not retired with the others
    town.pass_time(1.0)


def test_a_lane_that_finds_another_master_keeps_the_link_that_it_has_found() -> None:
    town = Town(quiet(), LANES, PoolSettings(max_size=2))
    leased = town.lease()
    town.call("GET", "k")
    town.release(leased)
    town.world = World({A: NEW, B: NEW}, {NEW: "master"})
    (lane,) = [link for link in town.client.links if link.lane is not None]
    town.cut(lane)
    first = town.call("GET", "k")
    town.pass_time(1.0)
    second = town.call("GET", "k")
    assert [town.told(slot) for slot in (first, second)] == [NEW[0].encode()] * 2
    assert town.went == [A, OLD, A, OLD, A, NEW]
    assert leased.connection.ended


def test_a_single_connection_leads_to_the_master_and_ends_with_it() -> None:
    town = Town(quiet(), None, once=True)
    share = town.lease()
    town.end(OLD)
    assert str(town.client.closed).startswith(
        "the connection to m (sentinels 10.0.0.1:26379, 10.0.0.2:26379) has ended"
    )
    assert share.connection.ended


# -- news --------------------------------------------------------------------------------------------------------------------

SWITCH: Final = b"m 10.0.1.1 6379 10.0.1.2 6379"
PROMOTED: Final = b"slave 10.0.1.2:6379 10.0.1.2 6379 @ m 10.0.1.1 6379"


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize(("channel", "message"), [(b"+switch-master", SWITCH), (b"+promoted-slave", PROMOTED)])
def test_a_client_leaves_a_master_that_lives_on_once_it_hears_of_another(
    protocol: int, channel: bytes, message: bytes
) -> None:
    town = Town(quiet(), LANES, PoolSettings(max_size=2), protocol=protocol)
    town.call("GET", "k")
    town.release(town.lease())
    assert town.heard_at == [A, B]
    assert list(town.peers[town.news].subscriptions["channels"]) == [b"+switch-master", b"+promoted-slave"]
    town.world = World({A: NEW, B: OLD}, {OLD: "master", NEW: "master"})
    town.tell(channel, message)
    assert [town.places[link] for link in town.client.links] == [A, B]  # nothing leads to the old one
    assert town.told(town.call("SET", "k", "v")) == NEW[0].encode()
    assert town.places[town.lease().connection] == NEW
    assert town.heard_at == [A, B]


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        (b"+switch-master", b"other 10.0.1.1 6379 10.0.1.2 6379"),
        (b"+switch-master", b"m 10.0.1.2 6379 10.0.1.1 6379"),  # it is there
        (b"+switch-master", b"m 10.0.1.1 6379 10.0.1.2"),
        (b"+switch-master", b"m 10.0.1.1 6379 10.0.1.2 x"),
        (b"+promoted-slave", b"slave 10.0.1.2:6379 10.0.1.2 6379 @ other 10.0.1.1 6379"),
        (b"+promoted-slave", b""),
        (b"+sdown", SWITCH),
    ],
)
def test_other_news_is_none(channel: bytes, message: bytes) -> None:
    town = Town(quiet())
    town.call("GET", "k")
    town.tell(channel, message)
    town.call("GET", "k")
    assert town.went == [A, OLD]
    assert town.news.core.stats().unread_pushes == 0


@pytest.mark.parametrize("protocol", [2, 3])
def test_what_the_machine_asks_is_never_taken_for_a_call(protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt that strikes once it was submitted must not leave a call without a caller, which would get a lease."""
    submitted: list[tuple[str, object]] = []
    submit = Connection.submit

    def noted(connection: Connection, slot: Slot) -> None:
        submitted.append((slot.name, slot.call))
        submit(connection, slot)

    monkeypatch.setattr(Connection, "submit", noted)
    town = Town(quiet(), LANES, PoolSettings(max_size=2), protocol=protocol)
    lease = town.lease()
    town.submit(new_slot(("WATCH", "k")), lease=lease)
    town.release(lease)
    assert {name for name, call in submitted if call is OWN} == {"SUBSCRIBE", "pipeline of 2 commands", "UNWATCH"}
    assert [name for name, call in submitted if call is None] == ["WATCH"]


def test_a_fail_over_that_an_interrupt_cut_short_leaves_no_link_to_the_old_master() -> None:
    """What was told of it is known, and is not told again."""
    town = Town(quiet())
    town.call("GET", "k")
    old = next(link for link, place in town.places.items() if place == OLD)
    assert town.client.directory is not None
    assert town.client.directory.switched(A, NEW)
    town.world = World({A: NEW, B: NEW}, {OLD: "master", NEW: "master"}, epochs={A: 5, B: 5})
    town.client.reconcile(town.now, lambda _: True, town.dials)
    town.run()
    assert old.ended
    assert town.told(town.call("GET", "k")) == NEW[0].encode()


def test_a_sentinel_that_knows_already_is_heard_at_once_and_asked_first() -> None:
    town = Town(World({A: OLD, B: NEW}, {OLD: "master", NEW: "master"}, epochs={A: 4, B: 5}))
    town.call("GET", "k")
    assert town.heard_at == [A, B]
    assert town.told(town.call("GET", "k")) == NEW[0].encode()
    assert town.went == [A, OLD, B, NEW]


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_fail_over_is_not_missed_that_happens_before_a_sentinel_is_subscribed_to(protocol: int) -> None:
    town = Town(World({A: OLD, B: OLD}, {OLD: "master"}, epochs={A: 4, B: 4}), dials_at_once=False, protocol=protocol)
    town.call("GET", "k")
    town.connect()
    town.connect()
    town.connect()  # A is heard
    answer, told = town._answer, []

    def fails_over(place: Place, words: tuple[bytes, ...]) -> Reply:
        if place == B and words[1] == b"GET-MASTER-ADDR-BY-NAME":
            told.append(answer(place, words))
            town.world = World({A: NEW, B: NEW}, {OLD: "master", NEW: "master"}, epochs={A: 5, B: 5})
            return told[-1]
        return answer(place, words)

    town._answer = fails_over  # type: ignore[method-assign]
    town.connect()
    assert told == [pair(OLD), pair(NEW)]
    slot = town.call("GET", "k")
    town.connect()
    town.connect()
    assert town.told(slot) == NEW[0].encode()


def test_a_sentinel_that_names_another_master_than_it_did_is_believed_although_it_tells_of_no_epoch() -> None:
    town = Town(quiet())
    town.call("GET", "k")
    town.world = World({A: NEW, B: OLD}, {OLD: "master", NEW: "master"})
    town.cut(town.news)
    town.pass_time(1.0)
    town.cut(town.news)
    town.pass_time(1.0)
    assert town.told(town.call("GET", "k")) == NEW[0].encode()
    assert town.went == [A, OLD, A, NEW]


# -- sentinels that are behind -------------------------------------------------------------------------------------------------

THREE: Final = URL.replace("/m", ",10.0.0.3/m")
"""With C. The master was another one before: OLD is, and A is cut off together with it."""


def cut_off(**says: Any) -> World:
    return World({A: OLD, B: NEW, C: NEW}, {OLD: "master", NEW: "master"}, epochs={A: 4, B: 5, C: 5}, **says)


def searched(search: Search, **says: tuple[int | None, Place]) -> list[Place]:
    """Lead a search on by what A, B and C say, until it has led to a server. Return where it went."""
    went = []
    while True:
        went.append(leads_to(search))
        if went[-1] not in (A, B, C):
            return went
        number, server = says["abc"[(A, B, C).index(went[-1])]]
        over = search.answered([None if number is None else epoch(number), pair(server), listed()])
        if over is not None:
            return [*went, ("over", 0)]


def test_a_sentinel_with_a_lower_epoch_than_is_known_is_passed_over() -> None:
    known = directory(THREE)
    search = known.search()
    assert searched(search, a=(5, NEW)) == [A, NEW]
    known.found(search)
    assert searched(known.search(), a=(4, OLD), b=(None, NEW)) == [A, B, NEW]  # B's user may not ask
    assert searched(known.search(), a=(4, OLD), b=(6, OLD)) == [A, B, OLD]


def test_if_all_are_behind_what_was_known_the_latest_of_them_is_believed() -> None:
    known = directory(THREE)
    search = known.search()
    searched(search, a=(5, NEW))
    known.found(search)
    search = known.search()
    assert searched(search, a=(0, NEW), b=(1, OLD), c=(0, NEW)) == [A, B, C, OLD]
    assert not search.is_outdated
    assert known.found(search)
    assert known.sentinels == [B, A, C]
    search = known.search()
    assert searched(search, a=(0, OLD), b=(1, OLD), c=(0, OLD)) == [B, A, C, OLD]  # one may have been mistaken
    known.found(search)
    assert searched(known.search(), b=(1, OLD)) == [B, OLD]  # most are not: epochs have begun anew


def test_a_sentinel_that_another_contradicts_is_not_believed_although_the_new_master_is_away() -> None:
    known = directory(THREE)
    search = known.search()
    assert searched(search, a=(5, NEW)) == [A, NEW]
    assert search.failed(AWAY, late=False) is None
    assert searched(search, b=(4, OLD), c=(5, NEW)) == [B, C, ("over", 0)]
    search = known.search()
    searched(search, a=(5, NEW))
    search.failed(AWAY, late=False)
    assert leads_to(search) == B
    search.answered([epoch(4), pair(OLD), None])
    over = search.failed(ConnectError("C is away", transient=True), late=False)
    assert str(over) == (
        "no master 'm' was found: away; sentinel 10.0.0.2:26379 is behind: it names 10.0.1.1:6379; C is away"
    )


def test_most_of_all_sentinels_outvote_one_with_a_higher_epoch_whose_master_is_away() -> None:
    known = directory(THREE)
    search = known.search()
    assert searched(search, a=(9, NEW)) == [A, NEW]  # it was not told of what the others were
    assert search.failed(AWAY, late=False) is None
    assert searched(search, b=(0, OLD), c=(0, OLD)) == [B, C, OLD]
    assert search.failed(AWAY, late=False) is not None
    search = known.search()
    searched(search, a=(9, NEW))
    search.failed(AWAY, late=False)
    searched(search, b=(0, OLD), c=(0, OLD))
    assert not known.found(search)
    assert (known.master, known.epoch) == (OLD, 0)


def test_when_there_is_no_time_left_nothing_is_believed_that_was_put_aside() -> None:
    known = directory()
    search = known.search()
    searched(search, a=(5, NEW))
    known.found(search)
    search = known.search()
    search.answered([epoch(4), pair(OLD), None])
    assert isinstance(search.failed(AWAY, late=True), ConnectError)


@pytest.mark.parametrize(
    "said", [None, 7, b"5", [b"config-epoch"], [b"config-epoch", b"x"], {b"config-epoch": b"9" * 21}, {b"name": b"m"}]
)
def test_an_epoch_that_makes_no_sense_is_none(said: Reply) -> None:
    assert read_epoch(said) is None
    assert read_epoch([b"name", b"m", b"config-epoch", b"18446744073709551615"]) == 2**64 - 1


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_sentinel_that_is_cut_off_together_with_the_old_master_leads_no_client_there(protocol: int) -> None:
    for first in ((A, B, C), (B, A, C), (B, C, A)):
        town = Town(World({A: OLD, B: OLD, C: OLD}, {OLD: "master"}, epochs={A: 4, B: 4, C: 4}), url="redis://",
            sentinels=first, master_name="m", protocol=protocol)  # fmt: skip
        assert town.told(town.call("SET", "k", "v")) == OLD[0].encode()
        town.world = cut_off()
        for link in town.client.news:
            if town.places[link] != A:
                town.say(link, town.peers[link].push("message", b"+switch-master", SWITCH))
        for _ in range(4):
            assert town.told(town.call("SET", "k", "v")) == NEW[0].encode()
            for link in town.client.news:  # each is heard anew, A among them
                town.cut(link)
            town.pass_time(1.0)
        assert A in town.heard_at
        went = len(town.went)
        assert town.told(town.call("SET", "k", "v")) == NEW[0].encode()
        assert len(town.went) == went  # no link to the master was left for what A says
        town.end(NEW)  # which also A's word does not lead away from
        town.call("SET", "k", "v")
        town.pass_time(1.0)
        assert town.told(town.call("SET", "k", "v")) == NEW[0].encode()
        assert OLD not in town.went[2:]


def test_while_the_new_master_is_away_calls_wait_and_do_not_go_to_the_old_one() -> None:
    town = Town(cut_off(), url="redis://", sentinels=(B, A, C), master_name="m")
    town.call("SET", "k", "v")
    del town.world.roles[NEW]
    town.end(NEW)
    slot = town.call("SET", "k", "v", deadline=20.0)
    town.pass_time(3.0)
    assert slot not in town.ended
    assert OLD not in town.went
    town.world.roles[NEW] = "master"
    town.pass_time(2.0)
    assert town.told(slot) == NEW[0].encode()


def test_a_dial_that_a_sentinel_has_led_to_a_master_which_was_deposed_meanwhile_goes_on() -> None:
    town = Town(
        World({A: OLD, B: OLD}, {OLD: "master"}, epochs={A: 4, B: 4}),
        LANES,
        PoolSettings(max_size=2),
        dials_at_once=False,
    )
    town.call("SET", "k", "v")
    while town.dials:
        town.connect()
    waiter = town.acquire()
    town.connect()  # A says OLD
    town.world = World({A: OLD, B: NEW}, {OLD: "master", NEW: "master"}, epochs={A: 4, B: 5})
    second = town.client.news[1]
    town.say(second, town.peers[second].push("message", b"+switch-master", SWITCH))
    while town.dials:
        town.connect()
    assert isinstance(waiter.lease, Lease)
    assert town.places[waiter.lease.connection] == NEW
    assert town.went == [A, OLD, A, OLD, B, NEW]
    assert all(link.ended for link, place in town.places.items() if place == OLD)


def test_what_a_sentinel_answers_while_a_dial_is_under_way_may_outdate_it() -> None:
    known = directory(THREE)
    search, other = known.search(), known.search()
    assert searched(search, a=(4, OLD)) == [A, OLD]
    assert searched(other, a=(4, OLD)) == [A, OLD]
    assert not search.is_outdated
    assert other.failed(AWAY, late=False) is None
    assert searched(other, b=(5, NEW)) == [B, NEW]
    assert search.is_outdated
    assert not other.is_outdated
    assert search.failed(AWAY, late=False) is None
    assert searched(search, b=(4, OLD), c=(5, NEW)) == [B, C, NEW]


def test_news_that_is_older_than_what_is_known_costs_new_links_to_the_same_master() -> None:
    """A sentinel that was behind by two fail-overs may tell of both."""
    town = Town(World({A: NEW, B: NEW}, {OLD: "master", NEW: "master"}, epochs={A: 6, B: 6}))
    town.call("GET", "k")
    town.tell(b"+switch-master", b"m 10.0.1.3 6379 10.0.1.1 6379")
    assert town.told(town.call("GET", "k")) == NEW[0].encode()
    town.tell(b"+switch-master", SWITCH)
    assert town.told(town.call("GET", "k")) == NEW[0].encode()
    assert town.went == [A, NEW, A, B, NEW]
    assert town.client.directory is not None
    assert town.client.directory.epoch == 6


def test_news_is_taken_once_until_the_new_master_was_found() -> None:
    known = directory()
    search = known.search()
    searched(search, a=(4, OLD))
    known.found(search)
    assert known.switched(B, NEW)
    assert not known.switched(B, NEW)
    assert not known.answered(A, [epoch(5), pair(NEW), None])
    assert known.epoch == 5
    assert known.sentinels == [B, A]
    search = known.search()
    searched(search, b=(7, NEW))
    assert not known.found(search)
    assert not known.answered(A, [epoch(8), pair(NEW), None])
    assert known.epoch == 8
    assert not known.answered(A, [epoch(8), None, None])
    assert known.answered(A, [epoch(8), pair(OLD), None])  # it is later than the one by which the master was named
    known.found(search)
    assert not known.answered(B, [epoch(6), pair(OLD), None])  # the one that was right is behind now
    assert (known.master, known.epoch) == (NEW, 8)


def test_a_sentinel_that_hears_of_nothing_is_not_the_only_one_that_is_heard() -> None:
    town = Town(World({A: OLD, B: OLD}, {OLD: "master", NEW: "master"}))
    town.call("GET", "k")
    town.world.says[B] = NEW  # the other one is cut off together with the old master
    second = town.client.news[1]
    town.say(second, town.peers[second].push("message", b"+switch-master", SWITCH))
    assert town.told(town.call("GET", "k")) == NEW[0].encode()
    assert town.went == [A, OLD, B, NEW]


def test_when_a_sentinel_is_lost_another_is_heard_after_a_pause() -> None:
    third = ("10.0.0.3", 26379)
    town = Town(
        World({A: OLD, B: OLD, third: OLD}, {OLD: "master"}), sentinels=[A, B, third], url="redis://", master_name="m"
    )
    town.call("GET", "k")
    assert town.heard_at == [A, B]
    town.cut(town.news)
    assert [town.places[link] for link in town.client.news] == [B]
    town.pass_time(0.7)
    assert town.heard_at == [A, B]
    town.pass_time(0.1)
    assert town.heard_at == [A, B, third]
    del town.world.says[A]
    town.cut(town.news)
    town.pass_time(1.0)
    assert town.heard_at == [A, B, third, A]
    assert [town.places[link] for link in town.client.news] == [third]
    town.pass_time(1.0)
    assert town.heard_at == [A, B, third, A, B]
    assert [town.places[link] for link in town.client.news] == [third, B]


def test_no_sentinel_is_heard_while_nothing_leads_to_a_server() -> None:
    town = Town(quiet())
    town.call("GET", "k")
    town.world = World({A: NEW, B: NEW})
    town.end(OLD)
    for link in town.client.news:
        town.cut(link)
    town.pass_time(5.0)
    assert town.heard_at == [A, B]
    town.world = World({A: NEW, B: NEW}, {NEW: "master"})
    town.call("GET", "k")
    town.pass_time(1.0)
    assert len(town.heard_at) == 4


def test_a_single_connection_hears_of_nothing_for_it_would_end_in_any_case() -> None:
    town = Town(quiet(), None, once=True)
    town.lease()
    assert town.heard_at == []


def test_a_link_that_opens_while_the_client_drains_hears_of_nothing() -> None:
    """A caller that waited for it is served, and the drain ends with it: nobody is left to be told of a fail-over."""
    town = Town(quiet(), None, PoolSettings(max_size=1), dials_at_once=False)
    waiter = town.acquire()
    town.connect()
    town.client.drain(town.now)
    town.run()
    town.connect()
    assert town.went == [A, OLD]
    assert town.dials == []
    assert waiter.lease is not None
    town.release(waiter.lease)
    assert town.drained
    assert (town.heard_at, town.client.links) == ([], [])


@pytest.mark.parametrize("end", [Client.close, Client.drain])
def test_what_brings_news_ends_with_the_client(end: Any) -> None:
    for state in range(3):
        town = Town(quiet(), dials_at_once=False)
        town.call("GET", "k")
        town.connect()
        town.connect()
        dial, other = town.dials
        assert dial.brings_news
        assert other.brings_news
        if state:
            town.dials.clear()
            link = town.client.connected(dial, town.now)  # which says nothing yet
            town.places[link], town.peers[link] = B, Peer(answer=lambda _: None)
            if state == 2:
                town.flush(link)
        end(town.client, town.now)
        town.run()
        assert town.client.links == []
        while town.dials:
            town.give_up()
        assert town.drained is (end is Client.drain)
        town.pass_time(10.0)
        assert town.dials == []


# -- what observers are told -------------------------------------------------------------------------------------------------


def test_observers_are_told_the_address_that_was_dialled() -> None:
    notes = Notes()
    town = Town(quiet(), LANES, PoolSettings(max_size=1), observers=[notes])
    town.call("GET", "k")
    town.world = World({A: NEW, B: NEW}, {NEW: "master"})
    town.end(OLD)
    town.call("GET", "k")
    town.pass_time(1.0)
    told = [(type(fact), fact.address) for fact in notes.of(LinkOpened) + notes.of(LinkClosed) + notes.of(CallEnded)]
    assert told == [
        (LinkOpened, "10.0.1.1:6379"),
        (LinkOpened, "10.0.1.2:6379"),
        (LinkClosed, "10.0.1.1:6379"),
        (CallEnded, "10.0.1.1:6379"),
        (CallEnded, "10.0.1.2:6379"),
    ]
    town.cut(town.news)
    town.world.says.clear()
    town.pass_time(1.0)
    assert town.heard_at == [A, B, A]
    assert notes.of(DialFailed) == []
    assert len(notes.of(LinkClosed)) == 1


def test_one_search_that_fails_is_one_dial_that_failed() -> None:
    notes = Notes()
    town = Town(World({A: None, B: None}), observers=[notes])
    town.call("GET", "k")
    assert [(fact.address, fact.step) for fact in notes.of(DialFailed)] == [
        ("m (sentinels 10.0.0.1:26379, 10.0.0.2:26379)", "handshake")
    ]

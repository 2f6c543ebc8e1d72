"""Which servers a cluster's client dials, as whom, when it asks for the map, and what it makes of what it is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from core.client.stage import LANES
from core.client.test_cluster import LEASES, opened
from core.client.town import A, B, C, D, Town, key
from resp_sansio import (
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    PoolSettings,
    ReplyError,
    RespError,
)
from resp_sansio.client import Waiter
from resp_sansio.client.hash_slots import SLOTS, slot_of
from resp_sansio.client.links import meant_for
from resp_sansio.config.tls import tls_failure
from resp_sansio.connection import Slot, SlotState, new_batch, new_slot, prepare

NAME = key(A)
SLOT = slot_of(NAME.encode())


def asked_for_map(town: Town) -> int:
    return sum(server.asked_for_map for server in town.servers.values())


def refresh(town: Town) -> None:
    """Have the map asked for, and wait until it has come."""
    for _ in range(2):
        town.client.want_map(town.now)
        town.pass_time(6)


def one(host: Any, port: int = 7000, **more: str) -> list[Any]:
    """A view in which one server has all."""
    meta = {name.encode(): value.encode() for name, value in more.items()}
    return [[0, SLOTS - 1, [host, port, b"id", meta]]]


# -- how servers are called --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", [None, b"", b"?"])
def test_a_server_without_a_host_is_where_the_question_was_sent(host: Any) -> None:
    town = Town(url="redis+cluster://10.0.0.2:7000")
    town[B].view = one(host)
    town.owners = [B] * SLOTS
    assert town.told(town.call("GET", NAME)) == NAME.encode()
    assert {*town.dialled_at} == {B}


@pytest.mark.parametrize("ip", ["10.0.0.3", ""])
def test_a_nameless_server_is_dialled_by_its_ip(ip: str) -> None:
    town = Town(url="redis+cluster://10.0.0.2:7000")
    town[B].view = one(b"?", ip=ip)
    town.owners = [C if ip else B] * SLOTS
    assert town.told(town.call("GET", NAME)) == NAME.encode()


def test_moved_to_no_host_is_the_host_of_the_server_that_says_so() -> None:
    town = opened()
    other = (A[0], 7001)
    town.servers[other] = type(town[A])(town, other)
    town.move(NAME, other)
    town[A].refuses_with = lambda words: ReplyError(f"MOVED {SLOT} :7001") if words[0] == b"INCR" else None
    assert town.told(town.call("INCR", NAME)) == NAME.encode()
    assert town.dialled_at[-1] == other


def test_an_ipv6_address_is_dialled_as_it_is() -> None:
    town = opened()
    other = ("::1", 7001)
    town.servers[other] = type(town[A])(town, other)
    town.move(NAME, other)
    town[A].refuses_with = lambda words: ReplyError(f"MOVED {SLOT} ::1:7001") if words[0] == b"INCR" else None
    assert town.told(town.call("INCR", NAME)) == NAME.encode()
    assert town.dialled_at[-1] == other


def test_a_name_in_moved_is_the_server_that_has_it() -> None:
    town = Town()
    told = town.slots()
    told[1][2][3] = {b"hostname": b"b.example"}
    for server in town.servers.values():
        server.view = told
    town.call("GET", NAME)
    town.move(NAME, B)
    town[A].refuses_with = lambda words: ReplyError(f"MOVED {SLOT} b.example:7000") if words[0] == b"INCR" else None
    assert town.told(town.call("INCR", NAME)) == NAME.encode()
    assert {*town.dialled_at} <= {A, B, C}


def test_what_servers_announce_is_dialled_where_the_map_of_addresses_says() -> None:
    outside = {A: ("10.9.9.9", 1), B: ("10.9.9.9", 2)}
    town = Town(
        url="redis+cluster://10.0.0.1:7000",
        address_map=lambda place: {b: a for a, b in outside.items()}.get(place, place),
    )
    told = one(b"10.9.9.9", 1)
    town[A].view = told
    town.owners = [A] * SLOTS
    assert town.told(town.call("GET", NAME)) == NAME.encode()
    town.owners = [B] * SLOTS
    town[A].refuses_with = lambda words: ReplyError(f"MOVED {SLOT} 10.9.9.9:2") if words[0] == b"INCR" else None
    assert town.told(town.call("INCR", NAME)) == NAME.encode()
    assert {*town.dialled_at} == {A, B}


# -- views -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", [[], [[0, 100, [b"10.0.0.4", 7000, b"id of 10.0.0.4", {}]]], "nonsense"])
def test_a_view_that_is_worse_is_not_believed(view: Any) -> None:
    town = opened()
    town[A].view = town[B].view = view
    before = town.client.map.coverage
    refresh(town)
    assert town.client.map.coverage == before
    for place in (A, B, C):
        assert town.told(town.call("GET", key(place))) == key(place).encode()
    assert D not in town.dialled_at


@pytest.mark.parametrize(
    ("view", "why"),
    [
        ([], "it knows of no server that has hash slots"),
        ("nonsense", "its answer makes no sense"),
        (ReplyError("LOADING not\nyet"), "LOADING not?yet"),
    ],
)
def test_a_first_view_of_nothing_is_told(view: Any, why: str) -> None:
    town = Town()
    for server in town.servers.values():
        server.view = view
    slot = town.call("GET", NAME)
    late = town.call("GET", NAME, deadline=1.0)
    town.pass_time(120)
    kind, text = town.told(slot)
    assert kind is ConnectError
    assert f"did not tell the map of the cluster: {why};" in text
    assert town.told(late)[0] in (CommandTimeoutError, ConnectError)
    town.is_at_rest()


def test_an_address_map_that_raises_is_told_at_once() -> None:
    nowhere: dict[Any, Any] = {}
    town = Town(address_map=lambda place: nowhere[place])
    kind, text = town.told(town.call("GET", NAME, deadline=60.0))
    assert kind is ConnectError
    assert "address_map raised KeyError for 10.0.0." in text
    assert town.now == 0.0


def test_where_an_address_map_raises_for_it_no_redirect_leads() -> None:
    places = {place: place for place in (A, B, C)}
    town = Town(address_map=lambda place: places[place])
    assert town.told(town.call("GET", NAME)) == NAME.encode()
    town.move(NAME, D)
    assert town.told(town.call("GET", NAME)).code == "MOVED"


def test_a_server_that_is_no_cluster_is_told_at_once() -> None:
    town = Town()
    for server in town.servers.values():
        server.says = lambda words: (
            ReplyError("ERR This instance has cluster support disabled") if words[0] == b"CLUSTER" else None
        )
    kind, text = town.told(town.call("GET", NAME, deadline=60.0))
    assert kind is ConnectError
    assert "cluster support disabled" in text
    assert town.now == 0.0


def test_a_wrong_password_is_told_at_once_and_is_in_no_message() -> None:
    town = Town(password="open sesame")
    for server in town.servers.values():
        server.password = b"other"
    kind, text = town.told(town.call("GET", NAME, deadline=60.0))
    assert issubclass(kind, RespError)
    assert "WRONGPASS" in text
    assert "sesame" not in text + repr(town.client) + repr(town.client.nodes)


def test_each_server_is_told_the_password() -> None:
    town = Town(password="open sesame")
    for server in town.servers.values():
        server.password = b"open sesame"
    for place in (A, B, C):
        assert town.told(town.call("GET", key(place))) == key(place).encode()
    assert all(peer.authenticated for peer in town.peers.values())


def test_the_seeds_are_asked_again_when_all_addresses_have_changed() -> None:
    town = Town(url="redis+cluster://seed.example:7000")
    seed = ("seed.example", 7000)
    town.servers[seed] = type(town[A])(town, seed)
    town.call("GET", NAME)
    assert town.dialled_at[0] == seed
    new = [(f"10.0.1.{number}", 7000) for number in range(3)]
    for place in new:
        town.servers[place] = type(town[A])(town, place)
    for old, place in zip((A, B, C), new, strict=True):
        town.give_all(old, place)
        town.kill(old)
    slot = town.call("GET", NAME, deadline=town.now + 20)
    town.pass_time(15)
    assert town.told(slot) == NAME.encode()
    assert town.dialled_at.count(seed) >= 2
    town.is_at_rest()


def test_masters_that_are_away_are_asked_of_only_as_long_as_that_may_help() -> None:
    """And the link of a seed that has another name in the map is left."""
    town = Town(url="redis+cluster://a.example:7000")
    seed = ("a.example", 7000)
    town.servers[seed] = type(town[A])(town, seed)
    town.owners = [A] * SLOTS
    town.call("GET", NAME)
    town.pass_time(10)
    assert {(link.home.place) for link in town.client.links} == {A}
    assert seed not in town.client._nodes


# -- when the map is asked for -----------------------------------------------------------------------------------------------


def test_many_calls_that_are_sent_elsewhere_cost_few_questions() -> None:
    town = opened()
    before = asked_for_map(town)
    town.owners = [B if owner == A else owner for owner in town.owners]
    for number in range(200):
        town.call("GET", f"k{number}")
        town.pass_time(0.005)
    assert asked_for_map(town) - before <= 8


def test_an_open_client_has_its_map_before_its_first_call() -> None:
    town = Town()
    town.client.open(town.now)
    town.run()
    assert town.client.map.coverage == SLOTS
    assert sorted(town.client.places) == [A, B, C]


def test_a_server_that_does_not_answer_costs_no_more_than_its_time() -> None:
    town = Town()
    town[A].deaf = True
    assert town.told(town.call("GET", key(B))) == key(B).encode()
    assert town.now == 0


def test_a_master_that_dies_is_asked_for_until_it_has_a_successor() -> None:
    town = opened()
    town.kill(A)
    before = asked_for_map(town)
    slot = town.call("INCR", NAME, deadline=town.now + 10)
    town.pass_time(3)
    town.give_all(A, D)
    town.pass_time(3)
    assert town.told(slot) == NAME.encode()
    assert asked_for_map(town) - before <= 16
    town.is_at_rest()


# -- what goes anywhere, and what goes nowhere -------------------------------------------------------------------------------


def test_what_has_no_key_goes_to_one_server_as_long_as_that_is_there() -> None:
    town = opened()
    for _ in range(3):
        town.call("ECHO", "x")
    (place,) = [place for place in (A, B, C) if town.at(place)]
    town.kill(place)
    assert town.told(town.call("ECHO", "y", deadline=town.now + 5)) == b"y"
    assert town.told(town.batch(("ECHO", "x"), ("ECHO", "y"))) == [b"x", b"y"]
    assert town.told(town.batch(("MULTI",), ("ECHO", "x"), ("EXEC",)))[-1] == [b"x"]
    town.pass_time(1)
    town.is_at_rest()


def test_any_server_that_has_left_the_cluster_is_asked_no_more() -> None:
    town = opened()
    town.call("ECHO", "x")
    (place,) = [place for place in (A, B, C) if town.at(place)]
    town.give_all(place, D)
    refresh(town)
    refresh(town)
    town.call("ECHO", "y")
    assert (b"ECHO", b"y") not in town.at(place)


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(
    ("commands", "match"),
    [
        ([("INFO",)], "one server"),
        ([("SCAN", "0")], "cursor"),
        ([("SELECT", "1")], "SELECT was not sent"),
        ([("WATCH", NAME)], "transact"),
        ([("SUBSCRIBE", "a")], "next_push"),
        ([("GET", NAME), ("INFO",)], "one server"),
        ([("GET", NAME), ("DBSIZE",)], "send it alone"),
    ],
)
def test_what_can_not_be_sent_to_a_cluster_is_refused(commands: list[tuple[str, ...]], match: str, known: bool) -> None:
    town = opened() if known else Town(dials_at_once=False)
    with pytest.raises(LocalProtocolError, match=match):
        town.call(*commands[0]) if len(commands) == 1 else town.batch(*commands)
    assert not town.client._unplaced
    assert not any(words[0] == b"GET" for words in town.executed())


def test_a_script_is_loaded_wherever_its_pipeline_goes() -> None:
    town = opened()
    slot = town.batch(("SCRIPT", "LOAD", "x"), ("EVALSHA", "x", "1", NAME))
    assert town.told(slot) == [b"x", NAME.encode()]
    assert len(town.at(A)) == 2


# -- what is meant for one server --------------------------------------------------------------------------------------------


def fixed(town: Town, at: Any, *words: str, **options: Any) -> Slot:
    slot = new_slot(words, None, options.pop("deadline", float("inf")))
    meant_for(slot, at)
    return town.submit(slot, **options)


def test_what_is_meant_for_one_server_goes_there_and_nowhere_else() -> None:
    town = opened()
    assert town.told(fixed(town, B, "INFO")) == b"INFO"
    assert town.told(fixed(town, D, "DBSIZE")) == b"DBSIZE"
    assert town.at(B) == [(b"INFO",)]
    slot = fixed(town, B, "GET", NAME, deadline=town.now + 9)
    assert town.told(slot).code == "MOVED"
    assert town.now == 0
    town.is_at_rest()


def test_a_pipeline_that_is_meant_for_one_server_stays_there() -> None:
    town = opened()
    commands = [prepare(words) for words in (("INFO",), ("GET", NAME))]
    slot: Slot = new_batch([one[0] for one in commands], [one[1] for one in commands], None, float("inf"))
    meant_for(slot, B)
    town.submit(slot)
    replies = town.told(slot)
    assert (replies[0], replies[1].code) == (b"INFO", "MOVED")
    assert town.at(A) == []


def test_what_is_meant_for_a_slots_owner_follows_the_slot() -> None:
    town = opened()
    assert town.told(fixed(town, SLOT, "ECHO", "x")) == b"x"
    assert town.at(A) == [(b"ECHO", b"x")]
    town.kill(A)
    slot = fixed(town, SLOT, "ECHO", "y", deadline=town.now + 9)
    town.give_all(A, C)
    town.pass_time(4)
    assert town.told(slot) == b"y"
    assert town.at(C) == [(b"ECHO", b"y")]
    town.is_at_rest()


def test_what_is_meant_for_a_slot_leaves_the_server_that_has_it_no_more_and_no_other_call_does() -> None:
    town = opened(B)
    town.dials_at_once = False
    for link in town.links_to(A):
        town.cut(link)
    by_slot = fixed(town, SLOT, "ECHO", "x", deadline=9.0)
    by_name = fixed(town, A, "ECHO", "y", deadline=9.0)
    town.move(NAME, B)
    town.pass_time(2)
    assert town.told(by_slot) == b"x"
    assert town.at(B) == [(b"ECHO", b"x")]
    assert by_name not in town.ended
    while town.dials:
        town.connect()
    assert town.told(by_name) == b"y"
    assert town.at(A) == [(b"ECHO", b"y")]
    town.is_at_rest()


def test_what_is_meant_for_a_slot_waits_for_a_map() -> None:
    town = Town(dials_at_once=False)
    slot = fixed(town, SLOT, "ECHO", "x")
    assert slot in town.client._unplaced
    while town.dials:
        town.connect()
    assert town.told(slot) == b"x"
    assert town.at(A) == [(b"ECHO", b"x")]


def test_what_has_waited_in_vain_for_the_first_map_says_that_the_servers_are_away() -> None:
    town = Town(dials_at_once=False)
    slot = fixed(town, SLOT, "ECHO", "x", deadline=1.0)
    town.pass_time(1.0)
    assert isinstance(slot.cause, CommandTimeoutError)
    assert isinstance(slot.cause.__cause__, ConnectError)
    assert slot.cause.__cause__.transient


# -- idle links --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("place", "error"), [(A, TimeoutError()), (D, TimeoutError()), (D, ConnectionResetError("x"))])
def test_a_call_whose_server_never_answers_tls_is_told_so(place: Any, error: Exception) -> None:
    """And that clusters name such ports, unless it is one by which the cluster was to be found."""
    town = opened()
    town[place].deaf = True
    for link in town.links_to(place):
        town.cut(link)
    call = fixed(town, place, "GET", NAME, deadline=town.now + 1)
    for link in town.client.links:
        if link.dial is not None:
            link.tls = SimpleNamespace(open=False, failure=lambda config: tls_failure(config, error))  # type: ignore[misc,assignment]
    town.pass_time(1)
    told = str(call.cause)
    assert f"could not be reached in time; the last attempt failed: {place[0]}:7000: TLS failed: " in told
    assert ("does the server speak TLS on this port?" in told) is isinstance(error, TimeoutError)
    assert ("if its servers have `tls-cluster yes`" in told) is (place == D and isinstance(error, TimeoutError))


def leave(town: Town, place: Any, to: Any) -> None:
    """A server dies, another has its slots, and all know."""
    town.kill(place)
    town.give_all(place, to)


def told_gone(town: Town, slot: Any) -> None:
    for _ in range(20):
        if slot in town.ended or getattr(slot, "error", None) is not None:
            break
        town.pass_time(0.5)
    error = slot.error if isinstance(slot, Waiter) else slot.cause
    assert isinstance(error, ConnectError), error
    assert f"{A[0]}:{A[1]} can't be reached, and is none of the cluster's any more; it has 10.0.0." in str(error)
    assert not error.transient
    assert isinstance(error.__cause__, ConnectError)


@pytest.mark.parametrize("settings", [LANES, None])
def test_what_is_meant_for_a_server_that_has_left_is_told_so(settings: Any) -> None:
    """What is under way, what comes later, and callers that want a link; not what has a slot, and no part behind ASKING."""
    town = opened(settings=settings, pool=LEASES)
    town.told(fixed(town, A, "GET", NAME))
    leave(town, A, D)
    calls = [fixed(town, A, "GET", NAME), town.acquire(at=A)]
    followed, borrower = [town.call("GET", NAME), fixed(town, SLOT, "GET", NAME)], town.acquire(at=SLOT)
    for slot in calls:
        told_gone(town, slot)
    told_gone(town, fixed(town, A, "GET", NAME))
    assert [town.told(slot) for slot in followed] == [NAME.encode()] * 2
    assert borrower.lease is not None
    town.release(borrower.lease)
    town[A].away = False
    assert town.told(fixed(town, A, "PING", deadline=town.now + 10)) == "PONG"
    town.is_at_rest()


def test_a_server_that_two_maps_were_not_asked_for_may_be_one() -> None:
    town = Town()
    call = fixed(town, ("10.0.0.9", 1), "GET", NAME, deadline=town.now + 0.01)
    town.pass_time(0.01)
    assert "none of the cluster's" not in str(call.cause)
    assert not town.client.map.lacks(A)


@pytest.mark.parametrize("there", [False, True])
def test_a_server_that_a_caller_has_named_and_no_map_has_is_left(there: bool) -> None:
    """Else it is dialled for ever, for as many links as are to be open."""
    town = opened(pool=PoolSettings(max_size=2, min_size=1))
    place = ("10.0.0.9", 1)
    if there:
        town.servers[place] = town[A]
    call = fixed(town, place, "PING", deadline=town.now + 0.5)
    town.pass_time(1)
    assert (call.state is SlotState.ANSWERED) is there
    for _ in range(3):
        refresh(town)
        town.pass_time(6)
    assert all(node.place != place for node in town.client.nodes)
    town.is_at_rest()


@pytest.mark.parametrize("words", [("FLUSHALL",), ("SCRIPT", "FLUSH")])
def test_what_goes_to_all_masters_goes_to_the_successor_of_one(words: Any) -> None:
    town = opened()
    town.call("GET", NAME)
    leave(town, A, D)
    slot = town.call(*words, deadline=town.now + 20)
    for _ in range(20):
        town.pass_time(0.5)
    assert town.told(slot) == words[-1].encode()
    assert [words[0].encode() in [said[0] for said in town.at(place)] for place in (A, B, C, D)] == [
        False,
        True,
        True,
        True,
    ]
    town.is_at_rest()


def test_what_goes_to_all_masters_goes_to_none_of_them_twice() -> None:
    """The slots of one that has left are another's, which has its own part."""
    town = opened()
    town.call("GET", NAME)
    leave(town, A, B)
    slot = town.call("DBSIZE", deadline=town.now + 20)
    told_gone(town, slot)
    assert town.at(B) == [(b"DBSIZE",)]


def test_the_link_of_a_call_is_looked_at_before_it_is_sent() -> None:
    town = opened()
    client = town.client
    assert client.idle_link(None, new_slot(("GET", NAME), None, float("inf"))) is town.link_to(A)
    assert client.idle_link() is None
    anywhere = client.idle_link(None, new_slot(("ECHO", "x"), None, float("inf")))
    assert anywhere in client.lane_links
    client.close(town.now)
    assert client.idle_link(None, new_slot(("GET", NAME), None, float("inf"))) is None


# -- a client that ends ------------------------------------------------------------------------------------------------------


def test_a_link_that_was_being_dialled_is_closed() -> None:
    town = opened(B)
    town.dials_at_once = False
    slot = town.call("INCR", NAME) if not town.links_to(A) else town.call("INCR", key(C))
    assert town.dials
    dials = [*town.dials]
    town.client.drain(town.now)
    town.run()
    assert slot.state is SlotState.WITHDRAWN
    for _ in dials:
        link = town.connect()
        assert link.ended
    assert town.drained


def test_redirects_that_come_while_a_client_drains_end_the_call() -> None:
    town = opened()
    town[A].deaf = True
    calls = [town.call("INCR", NAME), town.batch(("INCR", NAME), ("INCR", key(A, 1)))]
    town.client.drain(town.now)
    town.run()
    town.move(NAME, B)
    town.move(key(A, 1), D)
    town[A].deaf = False
    town.wake()
    for slot in calls:
        assert slot in town.ended
        assert Outcome.MAYBE_EXECUTED not in slot.outcomes
    assert town.drained
    town.is_at_rest()


def test_a_waiter_whose_server_is_given_up_is_refused() -> None:
    town = opened(pool=PoolSettings(max_size=1))
    node = town.client.node_at(D)
    node.close(town.now)
    waiter = Waiter(None, float("inf"), None)
    node.wants(waiter, town.now)
    assert isinstance(waiter.error, ConnectionClosedError)


def test_a_part_of_a_pipeline_that_no_server_has_ends_with_the_client() -> None:
    town = opened(settings=LANES, pool=LEASES)
    town[A].deaf = True
    slot = town.batch(("INCR", NAME), ("INCR", key(A, 1)))
    town.client.map._owners[slot_of(key(A, 1).encode())] = None
    town.client._homes[slot_of(key(A, 1).encode())] = None
    town[A].refuses_with = lambda words: ReplyError("TRYAGAIN x") if words[0] == b"INCR" else None
    town[A].deaf = False
    town.wake()
    assert len(town.client._unplaced) == 1
    town.client.close(town.now)
    town.run()
    assert slot in town.ended


def test_a_call_whose_time_is_up_before_there_is_a_map_is_told_why_there_is_none() -> None:
    town = Town(dials_at_once=False)
    slot = town.call("GET", NAME, deadline=1.0)
    while town.dials:
        town.refuse(ConnectError("cannot connect: Connection refused", transient=True))
    town.pass_time(1)
    error = slot.cause
    assert isinstance(error, CommandTimeoutError)
    assert "could not be reached in time; the last attempt failed: cannot connect: Connection refused" in str(error)
    assert error.outcome is Outcome.NOT_SENT


# -- servers that are silent -------------------------------------------------------------------------------------------------


def test_seeds_that_are_silent_cost_a_second_and_not_the_time_of_a_dial() -> None:
    town = Town(url="redis+cluster://10.0.0.1:7000,10.0.0.2:7000,10.0.0.3:7000", connect_timeout=60.0)
    town.half = 0.0  # the first one by chance is A, then C
    town[A].deaf = town[C].deaf = True
    slot = town.call("GET", key(B), deadline=5.0)
    town.pass_time(0.9)
    assert town.dialled_at == [A, C]
    town.pass_time(0.2)
    assert town.dialled_at == [A, C, B]
    assert town.told(slot) == key(B).encode()


def in_flight(**options: Any) -> tuple[Town, Slot, Slot]:
    """A read and a write are at A, which is frozen."""
    town = opened(silence_timeout=10.0, **options)
    town[A].deaf = True
    return town, town.call("GET", NAME, deadline=20.0), town.call("INCR", NAME, deadline=20.0)


def test_calls_at_a_server_that_is_silent_and_was_replaced_do_not_wait_for_their_deadlines() -> None:
    town, read, write = in_flight()
    town.give_all(A, D)
    town.pass_time(6)
    assert town.told(read) == NAME.encode()
    assert town.at(D) == [(b"GET", NAME.encode())]
    error = write.cause
    assert isinstance(error, ConnectionLostError)
    assert error.outcome is Outcome.MAYBE_EXECUTED
    assert "is none of the cluster's any more" in str(error)
    assert not town.links_to(A)


def test_a_server_that_was_replaced_has_the_time_for_a_slow_command() -> None:
    town, read, write = in_flight()
    town.give_all(A, D)
    town.pass_time(4)
    town[A].deaf = False
    town.wake()
    town.pass_time(1)
    assert town.told(read) == NAME.encode()
    assert town.told(write) == NAME.encode()


def test_a_server_that_is_silent_and_still_the_clusters_has_until_the_deadline() -> None:
    town, read, write = in_flight()
    town.pass_time(19)
    assert not {read, write} & {*town.ended}
    town.pass_time(2)
    assert isinstance(read.cause, CommandTimeoutError)


def test_a_server_that_is_known_by_moved_alone_has_until_the_deadline() -> None:
    town = opened(silence_timeout=10.0)
    town.move(NAME, D)
    town.told(town.call("GET", NAME))
    link = town.link_to(D)
    for server in town.servers.values():
        server.deaf = True  # so there is no newer map
    read = town.call("GET", NAME, deadline=20.0)
    town.pass_time(9)
    assert read not in town.ended
    assert town.link_to(D) is link

"""The map of a cluster: how answers are read, which are believed, and what a MOVED changes. No sockets."""

from __future__ import annotations

from math import inf
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import ReplyError
from resp_sansio.client.cluster_map import (
    AGAIN,
    ClusterMap,
    Redirect,
    Server,
    Shard,
    View,
    better,
    read_redirect,
    read_view,
)
from resp_sansio.client.hash_slots import SLOTS
from resp_sansio.testing import replies

Place = tuple[str, int]

HERE: Final = ("seed", 7000)
LAST: Final = SLOTS - 1


def node(number: int, host: bytes | None = b"", **names: bytes) -> list[Any]:
    """As a server says it on RESP2: number 1 is 10.0.0.1:7001, with the id 1."""
    flat = [part for name, said in names.items() for part in (name.encode(), said)]
    return [host if host != b"" else b"10.0.0.%d" % number, 7000 + number, b"%d" % number, flat]


def server(number: int) -> Server:
    return Server((f"10.0.0.{number}", 7000 + number), str(number), frozenset())


def place(number: int) -> Place:
    return server(number).place


def view(*ranges: tuple[int, ...], by: Place = HERE) -> View:
    """Of first slot, last slot, the master's number, and those of its replicas."""
    found = read_view([[first, last, *[node(each) for each in nodes]] for first, last, *nodes in ranges], by)
    assert found is not None
    return found


WHOLE: Final = ((0, 8191, 1, 3), (8192, LAST, 2, 4))
SWAPPED: Final = ((0, 8191, 2, 4), (8192, LAST, 1, 3))


def known(*ranges: tuple[int, ...]) -> ClusterMap:
    """A map of two shards, or of these ranges, as of 0.0."""
    found = ClusterMap()
    assert found.install(view(*(ranges or WHOLE)), 0.0)
    return found


def owner(known: ClusterMap, slot: int) -> str | None:
    found = known.owner(slot)
    return None if found is None else found.id


# -- CLUSTER SLOTS is read ---------------------------------------------------------------------------------------------------


def test_a_view_has_ranges_in_order_with_masters_and_replicas() -> None:
    said = [[8192, LAST, node(2), node(4), node(3)], [0, 8191, node(1)]]
    shards = Shard(server(1), ()), Shard(server(2), (server(3), server(4)))
    assert read_view(said, HERE) == View(((0, 8191, shards[0]), (8192, LAST, shards[1])), SLOTS, HERE)


@given(
    st.lists(st.integers(1, 3), min_size=2, max_size=8).flatmap(lambda layout: st.permutations(list(enumerate(layout))))
)
def test_ranges_may_come_in_any_order(ranges: list[tuple[int, int]]) -> None:
    """Of two slots each, the first of which is odd here and there."""
    said = [(5 * number, 5 * number + 1, master) for number, master in ranges]
    assert view(*said) == view(*sorted(said))
    assert view(*[(first, first + 4, master) for first, _, master in said]).coverage == 5 * len(said)


def test_ranges_of_one_master_have_one_shard() -> None:
    (_, _, one), _, (_, _, same) = view((0, 1, 1, 3), (2, 2, 2), (3, 4, 1, 3)).ranges
    assert one is same


# As Redis 7.0 says it with each of its settings, and as it was before.
SAID: Final = {
    "ip": ([b"127.0.0.1", 7001, b"1", [b"hostname", b"node0.example"]], "127.0.0.1", ["node0.example"]),
    "ip alone": ([b"127.0.0.1", 7001, b"1", []], "127.0.0.1", []),
    "ip, RESP3": ([b"127.0.0.1", 7001, b"1", {b"hostname": b"node0.example"}], "127.0.0.1", ["node0.example"]),
    "hostname": ([b"node0.example", 7001, b"1", [b"ip", b"127.0.0.1"]], "node0.example", ["127.0.0.1"]),
    "hostname, not announced": ([b"?", 7001, b"1", [b"ip", b"127.0.0.1"]], "127.0.0.1", ["seed"]),
    "hostname, not announced, no IP": ([b"?", 7001, b"1", []], "seed", []),
    "unknown-endpoint": (
        [None, 7001, b"1", [b"ip", b"127.0.0.1", b"hostname", b"n.example"]],
        "seed",
        ["127.0.0.1", "n.example"],
    ),
    "met no other": ([b"", 7001, b"1", []], "seed", []),
    "IPv6": ([b"2001:db8::1", 7001, b"1", {}], "2001:db8::1", []),
    "before 7.0": ([b"127.0.0.1", 7001, b"1"], "127.0.0.1", []),
    "names that make no sense": ([b"127.0.0.1", 7001, b"1", [b"ip", 4, [], b"x"]], "127.0.0.1", []),
    "a name without an end": ([b"127.0.0.1", 7001, b"1", [b"hostname"]], "127.0.0.1", []),
    "more names that make no sense": ([b"127.0.0.1", 7001, b"1", {b"ip": b"a b", b"hostname": None}], "127.0.0.1", []),
    "names of no kind": ([b"127.0.0.1", 7001, b"1", 7], "127.0.0.1", []),
}


@pytest.mark.parametrize(("said", "host", "also"), SAID.values(), ids=SAID)
def test_a_server_is_dialled_by_the_host_that_is_preferred_and_known_by_the_others(
    said: list[Any], host: str, also: list[str]
) -> None:
    found = read_view([[0, LAST, said]], HERE)
    assert found is not None
    assert found.ranges[0][2].master == Server((host, 7001), "1", frozenset([(name, 7001) for name in also]))


def test_before_redis_4_a_server_has_no_id() -> None:
    found = read_view([[0, LAST, [b"127.0.0.1", 7001]]], HERE)
    assert found is not None
    assert found.ranges[0][2].master == Server(("127.0.0.1", 7001), "", frozenset())


def test_a_nat_changes_every_name_of_a_server() -> None:
    def remap(place: Place) -> Place:
        host, port = place
        return host.replace("10.0", "192.168"), port + 10

    found = read_view([[0, LAST, node(1, hostname=b"one.example"), node(2)]], HERE, remap)
    assert found is not None
    assert found.ranges[0][2] == Shard(
        Server(("192.168.0.1", 7011), "1", frozenset([("one.example", 7011)])),
        (Server(("192.168.0.2", 7012), "2", frozenset()),),
    )


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        b"slots",
        ReplyError("LOADING Redis is loading the dataset in memory"),
        {b"slots": []},
        [7],
        [[0, 1]],
        [[1, 0, node(1)]],
        [[0, SLOTS, node(1)]],
        [[-1, 0, node(1)]],
        [[b"0", 1, node(1)]],
        [[0, 5, node(1)], [5, 9, node(2)]],  # they overlap
        [[0, 5, node(1)], [0, 5, node(1)]],
        [[0, 5, [b"a", 0, b"1", []]]],
        [[0, 5, [b"a", 65536, b"1", []]]],
        [[0, 5, [b"a", b"7000", b"1", []]]],
        [[0, 5, [b"a b", 7000, b"1", []]]],
        [[0, 5, [b"a." * 128, 7000, b"1", []]]],
        [[0, 5, [7, 7000, b"1", []]]],
        [[0, 5, []]],
        [[0, 5, b"a:7000"]],
    ],
)
def test_what_makes_no_sense_is_no_view(said: Any) -> None:
    assert read_view(said, HERE) is None


def test_a_server_that_makes_no_sense_is_left_out() -> None:
    wrong = [b"a", 0, b"9", []]
    found = read_view([[0, 5, node(1), wrong, node(1), node(3)], [6, 9, wrong, node(4)]], HERE)
    assert found == View(((0, 5, Shard(server(1), (server(3),))),), 6, HERE)


def test_a_master_has_a_hundred_replicas_at_most() -> None:
    found = read_view([[0, 5, *[node(number) for number in range(1, 200)]]], HERE)
    assert found is not None
    assert len(found.ranges[0][2].replicas) < 101


WILD: Final = replies(max_leaves=6)
NODES: Final = st.tuples(
    st.sampled_from([b"h", b"?", b"", None, b"::1", b" "]) | WILD,
    st.sampled_from([1, 7000, 65535, 65536]) | WILD,
    st.sampled_from([b"1", b"2", b""]) | WILD,
    st.sampled_from([[], {}, [b"ip", b"1.1.1.1"], {b"hostname": b"x"}]) | WILD,
).map(list)
HOSTILE: Final = st.lists(
    st.tuples(st.integers(-1, SLOTS) | WILD, st.integers(-1, SLOTS) | WILD, st.lists(NODES | WILD, max_size=3)).map(
        lambda parts: [parts[0], parts[1], *parts[2]]
    )
    | WILD,
    max_size=4,
)


@given(HOSTILE | WILD)
def test_a_server_can_say_anything(said: Any) -> None:
    found = read_view(said, HERE)
    if found is None:
        return
    end = -1
    for first, last, shard in found.ranges:
        assert end < first <= last < SLOTS
        end = last
        for each in (shard.master, *shard.replicas):
            assert each.place not in each.also
            assert all(host and 1 <= port <= 65535 for host, port in {each.place, *each.also})
    assert found.coverage == sum(last + 1 - first for first, last, _ in found.ranges) > 0
    assert ClusterMap().install(found, 0.0)


# -- MOVED and ASK are read --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "redirect"),
    [
        ("MOVED 5461 127.0.0.1:40861", Redirect(False, 5461, ("127.0.0.1", 40861))),
        ("ASK 0 node1.example:1", Redirect(True, 0, ("node1.example", 1))),
        ("MOVED 16383 ::1:65535", Redirect(False, 16383, ("::1", 65535))),
        ("MOVED 1 [2001:db8::1]:7000", Redirect(False, 1, ("2001:db8::1", 7000))),
        ("MOVED 1 :7001", Redirect(False, 1, ("seed", 7001))),
        ("MOVED 1 ?:7001", Redirect(False, 1, ("seed", 7001))),
        ("MOVED 1 seed:7000", Redirect(False, 1, HERE)),
        ("MOVED 1 :7000", None),  # to where it came from
        ("MOVED 1 ?:7000", None),
        ("MOVED 16384 a:7000", None),
        ("MOVED 16385 a:7000", None),
        ("MOVED -1 a:7000", None),
        ("MOVED x a:7000", None),
        ("MOVED ² a:7000", None),
        ("MOVED 000001 a:7000", None),
        ("MOVED 1 a:0", None),
        ("MOVED 1 a:65536", None),
        ("MOVED 1 a:0000007000", None),
        ("MOVED 1 a:", None),
        ("MOVED 1 7000", None),
        ("MOVED 1 a b:7000", None),
        ("MOVED 1 a:7000 b", None),
        ("MOVED 1", None),
        ("MOVED", None),
        ("ERR 1 a:7000", None),
        ("moved 1 a:7000", None),
    ],
)
def test_a_redirect_names_a_slot_and_a_place(said: str, redirect: Redirect | None) -> None:
    assert read_redirect(ReplyError(said), HERE) == redirect


def test_a_nat_changes_where_a_redirect_leads() -> None:
    found = read_redirect(ReplyError("MOVED 1 10.1.2.3:7777"), HERE, lambda _: ("outside", 7))
    assert found == Redirect(False, 1, ("outside", 7))


@given(st.text() | st.tuples(st.text(), st.text()).map(lambda parts: f"MOVED {parts[0]} {parts[1]}"))
def test_a_redirect_can_say_anything(said: str) -> None:
    found = read_redirect(ReplyError(said), HERE)
    assert found is None or 0 <= found.slot < SLOTS


# -- the map -----------------------------------------------------------------------------------------------------------------


def test_a_new_map_knows_nothing() -> None:
    new = ClusterMap()
    assert (new.owner(0), new.coverage, new.version, new.masters, new.servers, new.gone) == (
        None,
        0,
        0,
        [],
        [],
        frozenset(),
    )
    assert new.shard_of(HERE) is None
    assert new.find(HERE) is None
    assert not new.in_doubt
    assert repr(new) == "<ClusterMap version 0: 0 slots, 0 masters>"


def test_a_view_says_which_server_has_which_slot() -> None:
    found = known()
    assert [owner(found, slot) for slot in (0, 8191, 8192, LAST)] == ["1", "1", "2", "2"]
    assert found.masters == [server(1), server(2)]
    assert found.servers == [server(1), server(2), server(3), server(4)]
    assert found.shard_of(server(3)) == found.shard_of(place(1)) == Shard(server(1), (server(3),))
    assert found.find(place(4)) == server(4)
    assert (found.coverage, found.version) == (SLOTS, 1)


def test_the_same_view_changes_nothing_whichever_server_says_it() -> None:
    found = known()
    before = found.owner(0)
    assert not found.install(view(*reversed(WHOLE), by=("other", 1)), 1.0)
    assert found.version == 1
    assert found.owner(0) is before


def test_moved_changes_one_slot_at_once() -> None:
    found = known()
    assert found.learn(5, place(2), 1.0)
    assert [owner(found, slot) for slot in (4, 5, 6)] == ["1", "2", "1"]
    assert found.version == 2


def test_moved_to_the_present_owner_changes_nothing() -> None:
    found = known()
    assert not found.learn(5, place(1), 1.0)
    assert found.version == 1


def test_moved_can_name_a_server_that_is_in_no_view() -> None:
    found = known()
    assert found.learn(5, ("new", 7000), 1.0)
    assert found.owner(5) == Server(("new", 7000), "", frozenset())
    assert not found.learn(5, ("new", 7000), 2.0)
    assert found.masters == [server(1), Server(("new", 7000), "", frozenset()), server(2)]
    assert found.shard_of(("new", 7000)) is None
    assert len(found.servers) == 5


def test_moved_before_the_first_view_gives_a_slot_an_owner() -> None:
    found = ClusterMap()
    assert found.learn(5, place(1), 1.0)
    assert (found.coverage, owner(found, 5)) == (1, "")
    assert found.install(view((0, 9, 2)), 2.0)  # whatever it was before: it is the first
    assert owner(found, 5) == "2"


def test_a_server_that_moved_calls_by_another_name_is_the_same_one() -> None:
    found = ClusterMap()
    said = [[0, 8191, node(1, hostname=b"one")], [8192, LAST, node(2, hostname=b"two")]]
    whole = read_view(said, HERE)
    assert whole is not None
    found.install(whole, 0.0)
    assert not found.learn(5, ("one", 7001), 1.0)
    assert found.learn(5, ("two", 7002), 2.0)
    assert found.owner(5) is found.owner(LAST)
    assert found.visit(("two", 7002)) == place(2)


def test_a_name_that_two_servers_share_names_neither() -> None:
    found = ClusterMap()
    both = [b"hostname", b"cluster"]
    whole = read_view([[0, 1, [b"10.0.0.1", 1, b"1", both]], [2, 3, [b"10.0.0.2", 1, b"2", both]]], HERE)
    assert whole is not None
    found.install(whole, 0.0)
    assert found.find(("cluster", 1)) is None
    assert found.find(("10.0.0.2", 1)) is not None


def test_a_server_that_has_moved_to_another_place_is_dialled_there() -> None:
    found = known()
    found.learn(8192, place(1), 0.5)
    moved = read_view([[0, 8192, node(1, b"10.9.9.9")], [8193, LAST, node(2)]], HERE)
    assert moved is not None
    assert found.install(moved, 0.4)  # asked before the MOVED, which named its old place
    assert [found.owner(slot) for slot in (0, 8192)] == [Server(("10.9.9.9", 7001), "1", frozenset())] * 2


# -- a view that comes late, or is worse -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "order", [("moved", "asked", "arrives"), ("asked", "moved", "arrives"), ("asked", "arrives", "moved")]
)
def test_a_stale_view_never_undoes_a_newer_moved(order: tuple[str, ...]) -> None:
    found, at = known(), {step: float(moment) for moment, step in enumerate(order, 1)}
    for step in order:
        if step == "moved":
            found.learn(5, place(2), at["moved"])
        elif step == "arrives":
            for by in (("a", 1), ("b", 1)):  # a second server says the same, which ends all doubt
                found.install(view(*WHOLE, by=by), at["asked"])
    assert owner(found, 5) == ("1" if at["asked"] > at["moved"] else "2")


def test_a_moved_of_the_very_moment_of_the_question_stays() -> None:
    found = known()
    found.learn(5, place(2), 1.0)
    assert not found.install(view(*WHOLE), 1.0)
    assert not found.in_doubt
    assert owner(found, 5) == "2"
    assert found.install(view((0, 4, 1, 3), (5, 5, 2, 4), (6, 8191, 1, 3), (8192, LAST, 2, 4)), 2.0)
    assert not found.install(view((0, 4, 1, 3), (5, 5, 2, 4), (6, 8191, 1, 3), (8192, LAST, 2, 4)), 3.0)


WORSE: Final = {
    "holes": ((0, 8000, 1, 3), (8192, LAST, 2, 4)),
    "strangers": ((0, 8191, 11), (8192, LAST, 12)),
    "denies a MOVED": WHOLE,
}


@pytest.mark.parametrize("ranges", WORSE.values(), ids=WORSE)
def test_a_worse_view_is_not_installed_unless_another_server_says_no_better(
    ranges: tuple[tuple[int, ...], ...],
) -> None:
    found = known()
    found.learn(7, place(2), 0.5)
    before = [owner(found, slot) for slot in range(SLOTS)]
    assert not found.install(view(*ranges, by=("a", 1)), 1.0)
    assert found.in_doubt
    assert not found.install(view(*ranges, by=("a", 1)), 1.1)  # the same server
    assert found.in_doubt
    assert [owner(found, slot) for slot in range(SLOTS)] == before
    assert found.install(view(*ranges, by=("b", 1)), 1.2)
    assert not found.in_doubt
    assert [owner(found, slot) for slot in range(SLOTS)] != before


@pytest.mark.parametrize("after", [AGAIN, AGAIN + 1.0])
@pytest.mark.parametrize("ranges", WORSE.values(), ids=WORSE)
def test_a_server_alone_may_confirm_its_view_after_a_while(ranges: tuple[tuple[int, ...], ...], after: float) -> None:
    found = known()
    found.learn(7, place(2), 0.5)
    assert not found.install(view(*ranges), 1.0)
    assert not found.install(view(*ranges), 1.5)
    assert found.install(view(*ranges), 1.0 + after)
    assert not found.in_doubt


def test_a_view_that_was_asked_for_before_the_last_one_comes_too_late() -> None:
    found = known()
    assert found.install(view(*SWAPPED), 2.0)
    assert not found.install(view(*WHOLE), 1.9)
    assert (owner(found, 0), found.in_doubt, found.gone) == ("2", False, frozenset())


def test_a_good_view_ends_the_doubt() -> None:
    found = known()
    found.install(view(*WORSE["holes"], by=("a", 1)), 1.0)
    assert not found.install(view(*WHOLE, by=("b", 1)), 1.0)
    assert not found.in_doubt
    assert not found.install(view(*WORSE["holes"], by=("c", 1)), 2.0)  # it begins anew
    assert found.in_doubt


def test_of_two_worse_views_the_better_is_installed() -> None:
    found = known()
    found.install(view((0, 8190, 1, 3), (8192, LAST, 2, 4), by=("a", 1)), 1.0)
    assert found.install(view((0, 8, 1, 3), by=("b", 1)), 1.0)
    assert found.coverage == SLOTS - 1


def test_better_is_the_view_that_has_the_owners_moved_named_then_the_fuller_one() -> None:
    whole, swapped, part = view(*WHOLE), view(*SWAPPED), view((0, 8191, 2, 4))
    assert better(whole, swapped, {5: server(2)}) is better(swapped, whole, {5: server(2)}) is swapped
    assert better(whole, part, {5: server(2)}) is better(part, whole, {5: server(2)}) is part
    assert better(whole, part, {}) is better(part, whole, {}) is whole
    assert better(whole, swapped, {}) is whole
    assert better(part, whole, {9000: server(1)}) is whole  # both deny it


def test_owners_are_compared_by_place_then_by_id_then_by_other_names() -> None:
    named = read_view([[0, LAST, node(1, hostname=b"one")]], HERE)
    other = view((0, LAST, 2))
    assert named is not None
    for same in (
        server(1),
        Server(place(1), "9", frozenset()),
        Server(("x", 1), "1", frozenset()),
        Server(("one", 7001), "", frozenset()),
        Server(("x", 1), "", frozenset([place(1)])),
    ):
        assert better(other, named, {0: same}) is named
    for different in (Server(("one", 7001), "9", frozenset()), Server(("x", 1), "", frozenset())):
        assert better(other, named, {0: different}) is other


# -- gone --------------------------------------------------------------------------------------------------------------------


def test_a_server_is_gone_once_two_views_are_without_it() -> None:
    found = known()
    found.install(view((0, 8191, 1), (8192, LAST, 2, 4)), 1.0)
    assert found.gone == frozenset()
    assert not found.install(view((0, 8191, 1), (8192, LAST, 2, 4)), 2.0)  # nothing has changed, and yet
    assert found.gone == {place(3)}
    assert not found.install(view(*WHOLE), 1.0)  # it comes too late
    assert found.gone == {place(3)}
    found.install(view((0, 8191, 1), (8192, LAST, 2)), 3.0)
    found.install(view((0, 8191, 1), (8192, LAST, 2)), 4.0)
    assert found.gone == {place(3), place(4)}


def test_a_server_that_comes_back_is_not_gone() -> None:
    found = known()
    found.install(view((0, 8191, 1), (8192, LAST, 2, 4)), 1.0)
    found.install(view(*WHOLE), 2.0)
    assert found.gone == frozenset()
    for asked_at in (3.0, 4.0):
        found.install(view((0, 8191, 1), (8192, LAST, 2)), asked_at)
    assert found.gone == {place(3), place(4)}
    found.learn(0, place(3), 5.0)
    found.visit(place(4))
    assert found.gone == frozenset()


def test_a_thousand_that_are_gone_are_kept_in_mind() -> None:
    found = known()
    for turn in range(40):
        layout = [(slot, slot, turn * 100 + slot) for slot in range(100)]
        for by in ("a", "b"):
            found.install(view(*layout, by=(by, 1)), float(turn))
        assert len(found.gone) <= 1100
    assert place(3700) in found.gone


def test_what_a_redirect_led_to_counts_as_if_the_view_of_then_had_it() -> None:
    found = known()
    found.learn(5, ("moved", 1), 1.0)
    assert found.visit(("asked", 1)) == ("asked", 1)
    for asked_at in (0.5, 1.5):
        found.install(view(*WHOLE, by=("a", 1)), asked_at)
        assert found.gone == frozenset()
    found.install(view(*WHOLE, by=("b", 1)), 1.5)
    assert found.gone == {("asked", 1)}  # the MOVED held on for one view more
    found.install(view(*WHOLE), 2.0)
    assert found.gone == {("asked", 1), ("moved", 1)}


def test_redirects_lead_to_a_hundred_servers_at_most_that_no_view_has() -> None:
    found = known((0, SLOTS - 1, 1))
    for number in range(100):
        assert found.may_lead_to(("hostile", number + 1))
        if number % 2:
            found.visit(("hostile", number + 1))
        else:
            found.learn(0, ("hostile", number + 1), 2.0)
    assert not found.may_lead_to(("hostile", 101))
    assert found.may_lead_to(("hostile", 100))
    assert found.may_lead_to(place(1))
    for number in (1, 2):
        found.install(view((0, SLOTS - 1, 1), by=place(number)), 3.0)
    assert found.may_lead_to(("hostile", 101))


def test_a_cluster_all_of_whose_addresses_have_changed_is_the_same_one() -> None:
    found = known()
    said = [[first, last, *[node(each, b"10.9.9.%d" % each) for each in nodes]] for first, last, *nodes in WHOLE]
    for asked_at in (1.0, 2.0):
        new = read_view(said, ("seed", 1))
        assert new is not None
        assert found.install(new, asked_at) is (asked_at == 1.0)  # by their ids they are no strangers
    assert found.gone == {place(1), place(2), place(3), place(4)}
    assert found.masters == [Server((f"10.9.9.{each}", 7000 + each), str(each), frozenset()) for each in (1, 2)]


# -- any history -------------------------------------------------------------------------------------------------------------

FEW: Final = 6
LAYOUTS: Final = st.lists(st.integers(1, 3), min_size=FEW, max_size=FEW)  # whose each of the first slots is
STEPS: Final = st.lists(
    st.tuples(st.just("learn"), st.integers(0, FEW - 1), st.integers(1, 4))
    | st.tuples(st.just("install"), LAYOUTS, st.integers(0, 5)),
    max_size=12,
)


@given(STEPS)
def test_each_slot_has_the_owner_of_the_newest_word(steps: list[tuple[Any, ...]]) -> None:
    """With two servers that say each view, so that none stays in doubt."""
    found, versions, latest = ClusterMap(), [0], -inf
    newest: dict[int, tuple[str, float]] = dict.fromkeys(range(FEW), ("", -inf))
    for now, step in enumerate(steps, 1):
        match step:
            case "learn", int(slot), int(number):
                expected = found.owner(slot)
                new = expected is None or expected.place != place(number)
                assert found.learn(slot, place(number), float(now)) is new
                newest[slot] = str(number), float(now)
            case _:
                _, layout, ago = step
                asked_at = now - ago - 0.5
                ranges = [(slot, slot, number) for slot, number in enumerate(layout)]
                before = [found.owner(slot) for slot in range(FEW)]
                changed = [found.install(view(*ranges, by=(by, 1)), asked_at) for by in ("a", "b")]
                if before != [found.owner(slot) for slot in range(FEW)]:
                    assert any(changed)
                for slot, number in enumerate(layout):
                    if newest[slot][1] < asked_at >= latest:
                        newest[slot] = str(number), -inf
                latest = max(latest, asked_at)
        versions.append(found.version)
        owners = [found.owner(slot) for slot in range(FEW)]
        assert [each and each.place[0][-1] for each in owners] == [number or None for number, _ in newest.values()]
        assert found.coverage == sum(each is not None for each in owners)
        assert {each.place for each in found.masters} == {each.place for each in owners if each is not None}
        assert {each.place for each in found.masters} <= {each.place for each in found.servers}
        assert not found.gone & {each.place for each in found.servers}
        for each in found.servers:
            its = [slot for slot, has in enumerate(owners) if has is not None and has.place == each.place]
            assert found.slots_of(each.place) == its
            assert found.sizes[each.place] == len(its)
            near = found.slot_near(each)
            assert near in its if its else near is None
    assert versions == sorted(versions)


def test_near_a_replica_are_the_slots_of_its_master() -> None:
    found = known()
    assert [found.slot_near(server(number)) in range(8192) for number in (1, 2, 3, 4)] == [True, False, True, False]
    found.install(view(*SWAPPED), 1.0)
    assert [found.slot_near(server(number)) in range(8192) for number in (1, 2, 3, 4)] == [False, True, False, True]
    assert found.slot_near(server(5)) is None

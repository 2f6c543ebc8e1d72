"""What the client of a cluster counts, what observers are told of it, and what its errors say: each names the server."""

from __future__ import annotations

import json
import pickle
from typing import Any

from core.client.notes import Notes
from core.client.stage import LANES
from core.client.town import A, B, C, Town, key
from resp_sansio import (
    CallBegan,
    CallEnded,
    CallRedirected,
    CallRetried,
    ClientMade,
    ClientSettings,
    ClientStats,
    CloseReason,
    CommandTimeoutError,
    ConnectionLostError,
    DialFailed,
    LinkClosed,
    LinkOpened,
    MapRefreshed,
    Outcome,
    PoolSettings,
    ReplyDropped,
    ReplyError,
)
from resp_sansio.client import Kind
from resp_sansio.client.hash_slots import SLOTS, slot_of
from resp_sansio.client.links import LAST_STEPS

AT_A, AT_B, AT_C = "10.0.0.1:7000", "10.0.0.2:7000", "10.0.0.3:7000"
WHOLE = "cluster of 10.0.0.1:7000, 10.0.0.2:7000"
LEASES = PoolSettings(max_size=2)


class Made(Notes):
    def client_made(self, client: ClientMade) -> None:
        self.all.append(client)


def opened(notes: Notes | None = None, settings: ClientSettings = LANES, **options: Any) -> Town:
    """A client that knows the map, with a link to each server."""
    town = Town(settings, observers=[] if notes is None else [notes], **options)
    for place in (A, B, C):
        assert town.told(town.call("GET", key(place))) == key(place).encode()
    town.pass_time(3.0)
    if notes is not None:
        notes.all[:] = notes.of(LinkOpened)
    return town


def counts(town: Town) -> ClientStats:
    stats = town.client.stats()
    assert isinstance(stats, ClientStats)
    return stats


def ended(notes: Notes) -> CallEnded:
    """What was told of the last call that ended."""
    return notes.of(CallEnded)[-1]


def notes_on(reply: object) -> list[str]:
    """What an error reply says beyond its text."""
    assert isinstance(reply, ReplyError)
    return reply.__notes__


# -- counts --------------------------------------------------------------------------------------------------------------------


def test_counts_are_told_by_server_and_together() -> None:
    town = opened(pool=LEASES)
    town.call("BLPOP", key(A), "0")
    town.move(key(A), B)
    town.call("INCR", key(A))
    stats = counts(town)
    assert {*stats.nodes} == {AT_A, AT_B, AT_C}
    at_a, at_b = stats.nodes[AT_A], stats.nodes[AT_B]
    assert (at_a.role, at_a.slots, at_a.moved, at_a.asked) == ("master", 5461, 1, 0)
    assert (at_b.role, at_b.slots, at_b.moved) == ("master", 5463, 0)
    assert sum([node.slots for node in stats.nodes.values()]) == SLOTS
    assert at_a.leases is not None
    assert (at_a.leases.size, at_a.leases.max_size) == (1, 2)
    assert stats.leases is not None
    assert (stats.leases.size, stats.leases.max_size, stats.leases.granted) == (1, 6, 1)
    assert stats.leases.closed == dict.fromkeys(CloseReason, 0)
    assert [lane.created for lane in stats.lanes] == [1, 1, 1]
    assert (stats.moved, stats.asked, stats.refreshes, stats.refresh_failures) == (1, 0, 1, 0)
    assert json.loads(json.dumps(stats.as_dict()))["nodes"][AT_A]["role"] == "master"
    assert pickle.loads(pickle.dumps(stats)) == stats  # our own


def test_counts_fit_into_a_line_however_many_servers_there_are() -> None:
    town = opened()
    lanes = "3 lanes open, 0 queued, 0 in flight, 0 waiting for one"
    assert str(counts(town)) == f"3 servers; {lanes}"
    assert str(counts(opened(pool=LEASES))).startswith(f"3 servers; {lanes}; leases: 0 connections")
    lane = "0 queued, 0 in flight, 0 of them abandoned, 0 waiting for one"
    assert str(counts(town).nodes[AT_C]) == f"master of 5460 slots; lanes: {lane}"


def test_a_replica_and_a_server_that_left_the_map_are_told_as_such() -> None:
    town = Town()
    slots = town.slots()
    slots[0].append([b"10.0.0.4", 7000, b"id of 10.0.0.4", {}])
    for place in (A, B):
        town[place].view = slots
    town.call("GET", key(B))
    town.client.node_at(("10.0.0.4", 7000))
    town.client.node_at(("10.0.0.9", 7000))
    nodes = counts(town).nodes
    assert [(nodes[at].role, nodes[at].slots) for at in ("10.0.0.4:7000", "10.0.0.9:7000")] == [
        ("replica", 0),
        (None, 0),
    ]
    assert str(nodes["10.0.0.9:7000"]) == "not in the map; lanes: no connection, 0 waiting for one"


def test_rounds_that_bring_no_map_are_counted() -> None:
    notes = Notes()
    town = Town(observers=(notes,))
    town.away = True
    town.call("GET", "k", deadline=1.0)
    town.pass_time(2.0)
    stats = counts(town)
    assert stats.refresh_failures == len(notes.of(MapRefreshed)) > 0 == stats.refreshes


def test_the_counts_of_one_server_have_no_servers() -> None:
    assert (
        ClientStats(lanes=(), leases=None, retries=0).nodes,
        ClientStats(lanes=(), leases=None, retries=0).moved,
    ) == ({}, 0)


# -- facts ---------------------------------------------------------------------------------------------------------------------


def test_a_cluster_is_made_once_and_its_links_are_counted_together() -> None:
    notes = Made()
    town = Town(observers=[notes])
    town.call("GET", key(A))
    town.call("GET", key(C))
    (made,) = notes.of(ClientMade)
    assert made.address == WHOLE
    stats = made.stats()
    assert isinstance(stats, ClientStats)
    assert AT_C in stats.nodes
    links = notes.of(LinkOpened)
    assert [link.number for link in links] == [*range(1, len(links) + 1)]
    assert {link.address for link in links} == {AT_A, AT_B, AT_C}


def test_a_call_says_at_which_server_it_ended() -> None:
    notes = Notes()
    town = opened(notes)
    town.call("GET", key(B))
    assert notes.of(CallBegan)[-1].address == WHOLE
    assert (ended(notes).address, ended(notes).command, ended(notes).attempts) == (AT_B, "GET", 1)
    town.batch(["GET", key(C)], ["GET", key(C, 1)])
    assert (ended(notes).address, ended(notes).batch_size) == (AT_C, 2)
    town[A].says = lambda _: ReplyError("WRONGTYPE no")
    town.call("INCR", key(A))
    assert (ended(notes).address, ended(notes).error_code) == (AT_A, "WRONGTYPE")
    assert not notes.of(CallRedirected)
    assert not notes.under_way


def test_a_call_to_several_servers_ends_at_the_cluster() -> None:
    notes = Notes()
    town = opened(notes)
    town.servers[B].deaf = True
    town.batch(["GET", key(A)], ["GET", key(B)])
    town.now += 1.0
    town.servers[B].deaf = False
    town.wake()
    told = ended(notes)
    assert (told.address, told.command, told.error) == (WHOLE, "PIPELINE", None)
    assert (told.route, told.network, told.queued, told.total) == ("lane", 1.0, 0.0, 1.0)
    town.call("DBSIZE")
    assert (ended(notes).address, ended(notes).command) == (WHOLE, "DBSIZE")


def test_a_call_to_several_servers_that_is_given_up_ends_at_the_cluster() -> None:
    notes = Notes()
    town = opened(notes)
    town.servers[B].deaf = True
    slot = town.batch(["GET", key(A)], ["GET", key(B)])
    town.abandon(slot)
    assert (ended(notes).address, ended(notes).abandoned) == (WHOLE, True)
    town.servers[B].deaf = False
    town.now += 2.0
    town.wake()
    assert notes.of(ReplyDropped) == [(AT_B, 0, "PIPELINE", 2.0)]


def test_a_redirect_is_told_before_the_end() -> None:
    notes = Notes()
    town = opened(notes)
    slot = town.move(key(A), B)
    town.call("INCR", key(A))
    moved, told = notes.all[-2:]
    assert moved == CallRedirected(AT_A, 0, "INCR", "MOVED", slot, AT_B, pause=0.0, after=0.0)
    assert (told.address, told.attempts, told.error) == (AT_B, 1, None)
    slot = town.begin_move(key(B), C)
    town.call("INCR", key(B))
    asked, told = notes.all[-2:]
    assert asked == CallRedirected(AT_B, 0, "INCR", "ASK", slot, AT_C, pause=0.0, after=0.0)
    assert (told.address, told.attempts, told.error, told.bytes_sent is None) == (AT_C, 1, None, False)
    assert not notes.under_way


def test_a_redirect_says_how_long_after_the_call_it_came() -> None:
    notes = Notes()
    town = opened(notes)
    town.move(key(C), A)
    town[C].deaf = True
    town.call("INCR", key(C))
    town.now += 4.5
    town[C].deaf = False
    town.wake()
    assert [told.after for told in notes.of(CallRedirected)] == [4.5]


def test_the_redirects_of_a_pipeline_are_told_once_for_each_server() -> None:
    notes = Notes()
    town = opened(notes)
    slot = town.move(key(A), B)
    town.batch(["INCR", key(A)], ["GET", key(A)], ["GET", key(A, 1)], ["GET", key(C)])
    assert [(told.command, told.kind, told.slot, told.to) for told in notes.of(CallRedirected)] == [
        ("PIPELINE", "MOVED", slot, AT_B)
    ]
    assert ended(notes).address == WHOLE


def test_a_retry_says_at_which_server_the_attempt_failed() -> None:
    notes = Notes()
    town = opened(notes)
    replies = [ReplyError("TRYAGAIN later"), b"1"]
    town[C].says = lambda words: replies.pop(0) if words[0] == b"INCR" else None
    town.call("INCR", key(C), deadline=5.0)
    town.pass_time(1.0)
    (retry,) = notes.of(CallRetried)
    assert (retry.address, retry.attempt, str(retry.cause)) == (AT_C, 1, "TRYAGAIN later")
    assert ended(notes).attempts == 2
    assert (counts(town).retries, counts(town).nodes[AT_C].retries) == (1, 1)


def test_a_part_that_is_tried_again_is_a_retry_of_its_call() -> None:
    notes = Notes()
    town = opened(notes)
    town.servers[B].deaf = True
    town.batch(["GET", key(A)], ["GET", key(B)])
    town.servers[B].deaf = False
    town.cut(town.link_to(B))
    (retry,) = notes.of(CallRetried)
    assert (retry.address, retry.command, retry.attempt) == (AT_B, "PIPELINE", 1)
    assert (ended(notes).attempts, ended(notes).error) == (2, None)


def test_links_that_end_and_dials_that_fail_name_their_server() -> None:
    notes = Notes()
    town = opened(notes)
    town.kill(B)
    town.call("GET", key(B), deadline=town.now + 0.5)
    town.pass_time(1.0)
    assert [link.address for link in notes.of(LinkClosed)] == [AT_B]
    assert {dial.address for dial in notes.of(DialFailed)} == {AT_B}


def test_the_link_of_subscriptions_leaves_the_address_of_the_cluster() -> None:
    notes = Notes()
    town = opened(notes)
    before = len(notes.of(LinkOpened))
    town.away = True
    subscriber = town.client.subscriber(None, 1000, 1 << 20, "drop_oldest")
    town.client.subscribe(subscriber, [(Kind.CHANNEL, b"news")], town.now)
    town.run()
    assert notes.of(DialFailed)[0].address in (AT_A, AT_B, AT_C)
    town.away = False
    town.pass_time(2.0)
    (link,) = notes.of(LinkOpened)[before:]
    assert link.address in (AT_A, AT_B, AT_C)
    assert link.number == before + 1
    assert counts(town).subscriptions is not None
    town.call("GET", key(A))
    assert notes.of(CallBegan)[-1].address == WHOLE


def test_a_refresh_of_the_map_is_told() -> None:
    notes = Notes()
    town = opened(notes)
    town.move(key(A), B)
    town.call("INCR", key(A))
    town.pass_time(2.0)
    (refresh,) = notes.of(MapRefreshed)
    assert refresh.address in (AT_A, AT_B, AT_C)
    assert (refresh.asked, refresh.changed, refresh.error, refresh.total) == (1, True, None, 0.0)
    town.client.want_map(town.now)
    town.pass_time(5.0)
    assert not notes.of(MapRefreshed)[-1].changed


def test_a_refresh_that_comes_to_nothing_says_why() -> None:
    notes = Notes()
    town = Town(observers=[notes])
    town.away = True
    town.call("GET", "k", deadline=0.5)
    town.pass_time(1.0)
    refresh = notes.of(MapRefreshed)[0]
    assert (refresh.address, refresh.asked, refresh.changed) == (WHOLE, 2, False)
    assert str(refresh.error) == "connection refused"
    assert (ended(notes).address, ended(notes).outcome) == (WHOLE, Outcome.NOT_SENT)


def test_a_call_that_waits_for_a_server_names_it() -> None:
    notes = Notes()
    town = opened(notes)
    town.dials_at_once = False
    town.kill(A)
    slot = town.call("GET", key(A))
    town.abandon(slot)
    assert ended(notes).address == AT_A


# -- errors --------------------------------------------------------------------------------------------------------------------


def test_a_call_that_fails_after_redirects_says_where_it_was_sent() -> None:
    town = opened()
    town.move(key(A), B)
    town[B].deaf = True
    slot = town.call("INCR", key(A), deadline=town.now + 1.0)
    town.pass_time(1.5)
    kind, text = town.told(slot)
    assert kind is CommandTimeoutError
    assert text.startswith(f"INCR: {AT_B} did not answer in time; sent to {AT_A}, MOVED to {AT_B}; ")
    assert key(A) not in text


def test_a_call_that_is_lost_behind_asking_says_where_it_was_sent() -> None:
    town = opened()
    town.begin_move(key(A), C)
    town[C].deaf = True
    slot = town.call("INCR", key(A))
    town[C].deaf = False
    town.cut(town.link_to(C))
    kind, text = town.told(slot)
    assert kind is ConnectionLostError
    assert f"; sent to {AT_A}, ASK to {AT_C}; " in text


def test_a_call_that_fails_where_it_was_sent_first_says_no_more_than_before() -> None:
    town = opened()
    town[A].deaf = True
    slot = town.call("INCR", key(A), deadline=town.now + 1.0)
    town.pass_time(1.5)
    assert "sent to" not in town.told(slot)[1]


def test_a_part_of_a_pipeline_that_fails_says_where_it_was_sent() -> None:
    town = opened()
    town.move(key(A), B)
    town[B].deaf = True
    slot = town.batch(["INCR", key(A)], ["GET", key(C)], deadline=town.now + 1.0)
    town.pass_time(1.5)
    assert f"; sent to {AT_A}, MOVED to {AT_B}; " in town.told(slot)[1]


def test_an_answer_names_its_server_and_the_way_there() -> None:
    town = opened()
    town[B].says = lambda _: ReplyError("WRONGTYPE no")
    assert notes_on(town.call("INCR", key(B)).reply) == [f"answered by {AT_B}"]
    town.move(key(A), B)
    assert notes_on(town.call("INCR", key(A)).reply) == [f"answered by {AT_B}: sent to {AT_A}, MOVED to {AT_B}"]
    both: Any = town.batch(["INCR", key(B)], ["GET", key(B, 1)]).reply
    assert [notes_on(reply) for reply in both] == [[f"answered by {AT_B}"]] * 2


def test_a_circle_of_redirects_is_told_in_a_few_words() -> None:
    town = opened()
    slot = slot_of(key(A).encode())
    town[A].belief[slot], town[B].belief[slot] = B, A
    told = town.call("INCR", key(A), deadline=town.now + 1.0)
    town.pass_time(2.0)
    reply = town.told(told)
    (note,) = notes_on(reply)
    way = note.partition(": ")[2].split(", ")
    assert way[0] == f"sent to {AT_A}"
    assert way[1].startswith("elsewhere ")
    assert len(way) == LAST_STEPS + 2
    assert {*way[2:]} == {f"MOVED to {AT_A}", f"MOVED to {AT_B}"}
    left_out = int(way[1].split()[1])
    assert left_out + LAST_STEPS == told.call.hops


def test_what_a_replica_can_not_answer_now_is_a_step_of_the_way() -> None:
    town = Town(read_from="replica")
    slots = town.slots()
    slots[0].append([b"10.0.0.4", 7000, b"id of 10.0.0.4", {}])
    for place in (A, B):
        town[place].view = slots
    replica = town[("10.0.0.4", 7000)]
    replica.refuses_with = lambda words: ReplyError("MASTERDOWN gone") if words[0] == b"GET" else None
    town[A].says = lambda words: ReplyError("WRONGTYPE no") if words[0] == b"GET" else None
    assert notes_on(town.call("GET", key(A)).reply) == [f"answered by {AT_A}: sent to 10.0.0.4:7000, MASTERDOWN"]


def test_a_call_that_no_observer_was_told_of_is_made_as_ever() -> None:
    notes = Notes()
    town = opened(notes)
    town.observers = None
    town.move(key(A), B)
    assert town.call("INCR", key(A)).reply == key(A).encode()
    assert town.batch(["GET", key(A)], ["GET", key(C)]).reply == [key(A).encode(), key(C).encode()]
    town[C].deaf = True
    town.abandon(town.batch(["GET", key(A)], ["GET", key(C)]))
    assert not notes.of(CallEnded)

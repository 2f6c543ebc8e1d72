"""What servers of a cluster say of where a call is to go: followed if it is true, never half-way, and not for ever."""

from __future__ import annotations

from typing import Any

import pytest

from core.client.stage import LANES
from core.client.test_cluster import LEASES, opened
from core.client.town import A, B, C, D, NodePeer, Town, key
from resp_sansio import ClientSettings, CrossSlotError, ReplyError, Retry
from resp_sansio.client.hash_slots import slot_of
from resp_sansio.client.node import Probe
from resp_sansio.connection import Slot

NAME = key(A)
SLOT = slot_of(NAME.encode())
ASKED = ReplyError(f"ASK {SLOT} {D[0]}:{D[1]}")
DOWN = ReplyError("CLUSTERDOWN The cluster is down")


def owner(town: Town, name: str = NAME) -> Any:
    server = town.client.map.owner(slot_of(name.encode()))
    return None if server is None else server.place


def asked_for_map(town: Town) -> int:
    return sum(server.asked_for_map for server in town.servers.values())


def appends(town: Town, place: Any) -> list[bytes]:
    return [words[2] for words in town.at(place) if words[0] == b"APPEND"]


def transaction(town: Town, *commands: tuple[str, ...], **options: Any) -> Slot:
    return town.batch(("MULTI",), *commands, ("EXEC",), **options)


# -- one command -------------------------------------------------------------------------------------------------------------


def test_moved_is_followed_and_learnt() -> None:
    town = opened()
    town.move(NAME, B)
    for _ in range(2):
        assert town.told(town.call("INCR", NAME)) == NAME.encode()
    assert [words[0] for words in town.at(B)] == [b"INCR"] * 2
    assert town.at(A) == []
    assert owner(town) == B
    town.is_at_rest()


def test_ask_is_followed_and_not_learnt() -> None:
    town = opened()
    town.begin_move(NAME, D)
    for _ in range(3):
        assert town.told(town.call("INCR", NAME)) == NAME.encode()
    assert len(town.at(D)) == 3
    assert owner(town) == A
    town.is_at_rest()


def test_asking_stands_directly_in_front_of_its_command() -> None:
    """Whatever else goes out by the same link at the same time."""
    town = opened(A, B, C)
    town.begin_move(NAME, B)
    town[A].deaf = town[B].deaf = True
    asked = [town.call("APPEND", NAME, f"a{number}") for number in range(20)]
    other = [town.call("APPEND", key(B), f"b{number}") for number in range(20)]
    both = [town.batch(("APPEND", NAME, f"c{number}"), ("APPEND", key(B), "x")) for number in range(5)]
    town[A].deaf = town[B].deaf = False
    town.wake()
    assert all(town.told(slot) == f"a{number}".encode() for number, slot in enumerate(asked))
    assert all(town.told(slot) == f"b{number}".encode() for number, slot in enumerate(other))
    assert all(town.told(slot) == [f"c{number}".encode(), b"x"] for number, slot in enumerate(both))
    peer = town.peers[town.link_to(B)]
    assert isinstance(peer, NodePeer)
    sent = peer.bytes.split(b"*1\r\n$6\r\nASKING\r\n")[1:]
    assert len(sent) == 25
    assert all(
        command.startswith(b"*3\r\n$6\r\nAPPEND\r\n$%d\r\n%s\r\n" % (len(NAME), NAME.encode())) for command in sent
    )
    town.is_at_rest()


def test_tryagain_pauses_and_goes_to_the_source_again() -> None:
    town = opened()
    other = "{" + NAME + "}x"
    town.begin_move(NAME, D)  # the other key is still at A
    slot = town.call("MGET", NAME, other, deadline=5.0)
    assert slot not in town.ended
    town[A].absent.add(other.encode())
    town.pass_time(1)
    assert town.told(slot) == other.encode()
    assert town.at(A) == []
    town.is_at_rest()


@pytest.mark.parametrize("code", ["CLUSTERDOWN The cluster is down", "LOADING it", "MASTERDOWN x", "TRYAGAIN later"])
def test_what_can_not_be_now_is_made_later(code: str) -> None:
    town = opened()
    town[A].refuses_with = lambda words: ReplyError(code) if words[0] == b"INCR" else None
    slot = town.call("INCR", NAME, deadline=10.0)
    town.pass_time(8)
    assert slot not in town.ended
    town[A].refuses_with = lambda _: None
    town.pass_time(1)
    assert town.told(slot) == NAME.encode()
    assert len(town.at(A)) == 1


def test_clusterdown_goes_on_by_the_map_of_then() -> None:
    town = opened()
    town[A].refuses_with = lambda words: DOWN if words[0] == b"INCR" else None
    slot = town.call("INCR", NAME, deadline=10.0)
    town.give_all(A, B)
    town.pass_time(3)
    assert town.told(slot) == NAME.encode()
    assert town.at(A) == []
    town.is_at_rest()


def test_a_replica_now_is_left_for_the_master() -> None:
    town = opened()
    town[A].refuses_with = lambda words: ReplyError("READONLY You can't write") if words[0] == b"INCR" else None
    town.give_all(A, D)
    slot = town.call("INCR", NAME, deadline=10.0)
    town.pass_time(3)
    assert town.told(slot) == NAME.encode()
    assert len(town.at(D)) == 1


# -- what scripts make up ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("EVAL", "x", "0"), "MOVED 1 10.0.0.4:7000"),
        (("EVAL", "x", "1", NAME), f"MOVED {SLOT + 1} 10.0.0.4:7000"),
        (("EVALSHA", "x", "1", NAME), f"ASK {SLOT + 1} 10.0.0.4:7000"),
        (("GET", NAME), f"MOVED {SLOT + 1} 10.0.0.4:7000"),
        (("GET", NAME), "MOVED x 10.0.0.4:7000"),
        (("GET", NAME), f"MOVED {SLOT} nowhere"),
        (("GET", NAME), f"MOVED {SLOT} :7000"),  # the very server
        (("ECHO", "x"), f"MOVED {SLOT} 10.0.0.4:7000"),
    ],
)
def test_what_a_server_can_not_have_said_is_handed_to_the_caller(words: tuple[str, ...], code: str) -> None:
    town = opened()
    for server in town.servers.values():
        server.says = lambda said: ReplyError(code) if said[0] == words[0].encode() else None
    before = town.client.map.version
    slot = town.call(*words, deadline=5.0)
    beside = town.batch(words, ("GET", key(B, 1))) if words[0] != "GET" else None
    assert str(town.told(slot)) == code
    if beside is not None:
        assert str(town.told(beside)[0]) == code
    assert town.client.map.version == before
    assert D not in town.dialled_at


# -- transactions ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True])
def test_a_transaction_that_is_elsewhere_goes_there_as_a_whole(after: bool) -> None:
    """It is told so when its commands are queued, or by EXEC."""
    town = opened()
    if after:
        count = [0]

        def refuses(words: Any) -> Any:
            count[0] += words[0] == b"APPEND"
            return ReplyError(f"MOVED {SLOT} {B[0]}:{B[1]}") if words[0] == b"APPEND" and count[0] > 2 else None

        town[A].refuses_with = refuses
        town[B].belief[SLOT] = B
    else:
        town.move(NAME, B)
    slot = transaction(town, ("APPEND", NAME, "1"), ("APPEND", NAME, "2"))
    assert town.told(slot)[-1] == [b"1", b"2"]
    assert appends(town, B) == [b"1", b"2"]
    assert appends(town, A) == []
    assert owner(town) == B
    town.is_at_rest()


@pytest.mark.parametrize("after", [False, True])
def test_a_transaction_that_is_asked_for_goes_as_a_whole_behind_one_asking(after: bool) -> None:
    town = opened()
    town.begin_move(NAME, D)
    if after:
        town[A].absent.clear()
        count = [0]

        def refuses(words: Any) -> Any:
            count[0] += words[0] == b"APPEND"
            return ASKED if words[0] == b"APPEND" and count[0] > 2 else None

        town[A].refuses_with = refuses
    slot = transaction(town, ("APPEND", NAME, "1"), ("APPEND", NAME, "2"))
    assert town.told(slot)[-1] == [b"1", b"2"]
    assert appends(town, D) == [b"1", b"2"]
    assert appends(town, A) == []
    assert owner(town) == A
    town.is_at_rest()


@pytest.mark.parametrize("code", ["TRYAGAIN later", "CLUSTERDOWN The cluster is down", "MASTERDOWN x"])
def test_a_transaction_that_can_not_be_now_is_made_later_as_a_whole(code: str) -> None:
    town = opened()
    town[A].refuses_with = lambda words: ReplyError(code) if words[0] == b"APPEND" else None
    slot = transaction(town, ("APPEND", NAME, "1"), ("APPEND", NAME, "2"), deadline=9.0)
    town.pass_time(1)
    assert slot not in town.ended
    town[A].refuses_with = lambda _: None
    town.pass_time(2)
    assert town.told(slot)[-1] == [b"1", b"2"]
    assert appends(town, A) == [b"1", b"2"]


def test_a_transaction_that_was_refused_as_a_whole_asks_for_the_map() -> None:
    town = opened()
    town[A].refuses_with = lambda words: DOWN if words[0] == b"APPEND" else None
    before = asked_for_map(town)
    town.give_all(A, C)
    town[A].belief = {SLOT: A}
    slot = transaction(town, ("APPEND", NAME, "1"), deadline=9.0)
    town.pass_time(3)
    assert asked_for_map(town) > before
    assert town.told(slot)[-1] == [b"1"]


@pytest.mark.parametrize("at_exec", [False, True])
def test_a_transaction_across_slots_is_told(at_exec: bool) -> None:
    """It is refused before it is sent; a server says it of commands that no client knows."""
    town = opened()
    with pytest.raises(CrossSlotError):
        transaction(town, ("APPEND", NAME, "1"), ("APPEND", key(A, 1), "2"))
    refusal = ReplyError("CROSSSLOT Keys in request don't hash to the same slot")
    if at_exec:
        slot = transaction(town, ("X.Y", NAME), ("X.Y", key(A, 1)))
        assert town.told(slot)[-1].code == "CROSSSLOT"
    else:
        town[A].refuses_with = lambda words: refusal if words[0] == b"APPEND" else None
        slot = transaction(town, ("APPEND", NAME, "1"))
        assert town.told(slot)[-1].code == "EXECABORT"
    assert town.at(A) == []
    town.is_at_rest()


def test_a_transaction_behind_ask_that_is_refused_there_begins_at_the_source_again() -> None:
    town = opened()
    town.begin_move(NAME, D)
    count = [0]

    def refuses(words: Any) -> Any:
        count[0] += words[0] == b"APPEND"
        return ReplyError("TRYAGAIN later") if words[0] == b"APPEND" and count[0] == 1 else None

    town[D].refuses_with = refuses
    slot = transaction(town, ("APPEND", NAME, "1"), deadline=5.0)
    town.pass_time(2)
    assert town.told(slot)[-1] == [b"1"]
    assert appends(town, D) == [b"1"]
    town.is_at_rest()


# -- calls on links of callers' own ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("framed", [False, True])
def test_a_call_on_a_lent_link_is_told_and_the_map_learns(framed: bool) -> None:
    town = opened(pool=LEASES)
    lease = town.lease(at=SLOT)
    town.move(NAME, B)
    if framed:
        slot = town.batch(("MULTI",), ("GET", NAME), ("EXEC",), lease=lease)
        assert town.told(slot)[-1].code == "EXECABORT"
    else:
        slot = town.call("GET", NAME, lease=lease)
        assert town.told(slot).code == "MOVED"
    assert owner(town) == B
    town.release(lease)
    again = town.lease(at=SLOT)
    assert again.connection in town.links_to(B)
    town.release(again)
    town.is_at_rest()


def test_what_is_watched_elsewhere_is_told_and_the_next_lease_is_there() -> None:
    town = opened(pool=LEASES)
    lease = town.lease(at=SLOT)
    assert town.told(town.call("WATCH", NAME, lease=lease)) == "OK"
    town.move(NAME, B)
    assert town.told(town.call("WATCH", NAME, lease=lease)).code == "MOVED"
    town.release(lease)
    assert owner(town) == B


# -- without end -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("INCR", NAME), ("BLPOP", NAME, "0")])
@pytest.mark.parametrize("deadline", [2.0, float("inf")])
def test_two_servers_that_name_each_other_end_a_call(deadline: float, words: tuple[str, ...]) -> None:
    town = opened(pool=LEASES)
    seen: list[Any] = []
    for here, there in ((A, B), (B, A)):
        town[here].belief[SLOT] = there
        town[here].says = lambda _: None

        def refuses(said: Any, here: Any = here) -> Any:
            if said[0] == words[0].encode():
                seen.append(here)

        town[here].refuses_with = refuses
    slot = town.call(*words, deadline=deadline)
    town.pass_time(60)
    assert town.told(slot).code == "MOVED"
    assert 6 <= len(seen) <= 40
    town.is_at_rest()


def test_a_call_is_sent_on_five_times_at_once_and_sixteen_times_in_all() -> None:
    """More than five times in a moment is no chance: servers disagree. With a deadline, that ends it, not a number."""
    town = opened()
    town[A].belief[SLOT], town[B].belief[SLOT] = B, A
    seen: list[bytes] = []
    for place in (A, B):
        town[place].refuses_with = lambda words: seen.append(words[0]) if words[0] == b"INCR" else None
    patient = town.call("INCR", NAME)
    assert len(seen) == 1 + 5
    town.pass_time(60)
    assert town.told(patient).code == "MOVED"
    assert len(seen) == 1 + 16


@pytest.mark.parametrize("deadline", [2.0, float("inf")])
def test_a_pipeline_that_is_sent_to_and_fro_ends(deadline: float) -> None:
    town = opened()
    town[A].belief[SLOT], town[B].belief[SLOT] = B, A
    slot = town.batch(("INCR", NAME), ("INCR", key(B, 1)), ("INCR", NAME), deadline=deadline)
    town.pass_time(60)
    replies = town.told(slot)
    assert [replies[0].code, replies[1], replies[2].code] == ["MOVED", key(B, 1).encode(), "MOVED"]
    assert town.at(B).count((b"INCR", key(B, 1).encode())) == 1
    town.is_at_rest()


@pytest.mark.parametrize("deadline", [2.0, float("inf")])
def test_ask_and_tryagain_in_turn_end(deadline: float) -> None:
    town = opened()
    town.begin_move(NAME, D)
    town[D].refuses_with = lambda words: ReplyError("TRYAGAIN later") if words[0] == b"INCR" else None
    alone = town.call("INCR", NAME, deadline=deadline)
    piped = town.batch(("INCR", NAME), ("INCR", key(B)), deadline=deadline)
    town.pass_time(60)
    assert town.told(alone).code in ("TRYAGAIN", "ASK")
    assert town.told(piped)[0].code in ("TRYAGAIN", "ASK")
    peers = [peer for peer in town.peers.values() if isinstance(peer, NodePeer) and peer.server is town[D]]
    assert sum(peer.bytes.count(b"ASKING") for peer in peers) <= 80
    town.is_at_rest()


# -- what blocks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "again"),
    [
        (b"UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)", True),
        (f"MOVED {SLOT} 10.0.0.2:7000".encode(), True),
        (b"CLUSTERDOWN The cluster is down", True),
        (b"UNBLOCKED client unblocked via CLIENT UNBLOCK", False),
    ],
)
def test_what_blocks_goes_on_within_its_deadline_or_is_told(said: bytes, again: bool) -> None:
    town = opened(pool=LEASES)
    lease = town.lease(at=SLOT)
    link = lease.connection
    town.release(lease)
    town[A].deaf = True
    slot = town.call("BLPOP", NAME, "0", deadline=9.0)
    assert slot.link is link
    town[A].deaf = False
    del town.unread[link]  # it was read, and is not answered yet
    town.give_all(A, B)
    town.say(link, b"-" + said + b"\r\n")
    town.pass_time(2)
    if again:
        assert town.told(slot) == b"0"
        assert len(town.at(B)) == 1
    else:
        assert town.told(slot).code == "UNBLOCKED"
    town.is_at_rest()


def test_without_links_to_lend_what_blocks_goes_by_the_lane() -> None:
    town = opened(settings=LANES, pool=None)
    town.move(NAME, B)
    assert town.told(town.call("BLPOP", NAME, "0")) == b"0"
    assert len(town.links_to(B)) == 1
    town.is_at_rest()


# -- parts of a pipeline -----------------------------------------------------------------------------------------------------


def test_what_was_answered_is_and_the_rest_goes_on_in_its_order() -> None:
    town = opened()
    town.move(NAME, C)
    names = [NAME, key(A, 1), NAME, key(B), NAME]
    slot = town.batch(*[("APPEND", name, str(at)) for at, name in enumerate(names)])
    assert town.told(slot) == [b"0", b"1", b"2", b"3", b"4"]
    assert appends(town, C) == [b"0", b"2", b"4"]
    town.is_at_rest()


def test_a_pipeline_of_one_server_becomes_one_of_several() -> None:
    town = opened()
    town.move(NAME, B)
    town.move(key(A, 1), C)
    slot = town.batch(("APPEND", NAME, "0"), ("APPEND", key(A, 1), "1"), ("APPEND", key(A, 2), "2"), ("PING", "3"))
    assert town.told(slot) == [b"0", b"1", b"2", b"3"]
    assert (appends(town, A), appends(town, B), appends(town, C)) == ([b"2"], [b"0"], [b"1"])


def test_asked_commands_of_a_pipeline_each_stand_behind_their_own_asking() -> None:
    town = opened()
    for number in range(2):
        town.begin_move(key(A, number), D)
    slot = town.batch(*[("APPEND", key(A, at % 3), str(at)) for at in range(6)])
    assert town.told(slot) == [str(at).encode() for at in range(6)]
    assert sorted(appends(town, D)) == [b"0", b"1", b"3", b"4"]
    town.is_at_rest()


def test_moved_and_tryagain_of_one_slot_pause_together() -> None:
    """Else a later command would go out first."""
    town = opened()
    replies: list[Any] = [ReplyError("TRYAGAIN later"), ReplyError(f"MOVED {SLOT} {B[0]}:{B[1]}")]
    town[A].refuses_with = lambda words: replies.pop(0) if words[0] == b"APPEND" and replies else None
    town[B].belief[SLOT] = B
    slot = town.batch(("APPEND", NAME, "0"), ("APPEND", NAME, "1"), deadline=5.0)
    town.pass_time(1)
    assert town.told(slot) == [b"0", b"1"]
    assert appends(town, B) == [b"0", b"1"]


def test_of_two_words_for_one_slot_the_last_is_followed() -> None:
    """By both commands: the first server may have ended its import, and their order holds at one server only."""
    town = opened()
    replies: list[Any] = [ReplyError(f"ASK {SLOT} {place[0]}:{place[1]}") for place in (C, D)]
    town[A].refuses_with = lambda words: replies.pop(0) if words[0] == b"APPEND" and replies else None
    town[C].importing[SLOT] = town[D].importing[SLOT] = A
    slot = town.batch(("APPEND", NAME, "0"), ("APPEND", NAME, "1"))
    assert town.told(slot) == [b"0", b"1"]
    assert (appends(town, C), appends(town, D)) == ([], [b"0", b"1"])


def test_of_a_pipeline_what_can_not_wait_fails_and_the_rest_goes_on() -> None:
    """A pause that ends behind the deadline is not begun; another slot's commands need none."""
    town = opened()
    town[A].refuses_with = lambda words: ReplyError("TRYAGAIN later") if words[:2] == (b"INCR", NAME.encode()) else None
    town.move(key(A, 1), B)
    slot = town.batch(("INCR", NAME), ("INCR", key(A, 1)), ("INCR", key(A, 2)), deadline=town.now + 0.001)
    replies = town.told(slot)
    assert [replies[0].code, *replies[1:]] == ["TRYAGAIN", key(A, 1).encode(), key(A, 2).encode()]
    assert town.at(B) == [(b"INCR", key(A, 1).encode())]
    town.is_at_rest()


def test_a_slot_that_no_server_has_is_waited_for() -> None:
    town = opened()
    town.move(NAME, None)
    town.client.want_map(town.now, at_once=True)
    town.run()
    town.pass_time(3)
    alone = town.call("INCR", NAME, deadline=town.now + 5)
    piped = town.batch(("INCR", NAME), ("INCR", key(B)), deadline=town.now + 5)
    town.pass_time(1)
    assert not {alone, piped} & {*town.ended}
    town.move(NAME, B)
    town.pass_time(3)
    assert town.told(alone) == NAME.encode()
    assert town.told(piped) == [NAME.encode(), key(B).encode()]
    town.is_at_rest()


def test_a_view_that_is_behind_does_not_undo_what_moved_has_said() -> None:
    town = opened()
    for server in town.servers.values():
        server.view = town.slots()
    town.move(NAME, B)
    town.call("INCR", NAME)
    town.pass_time(2)
    town.call("INCR", NAME)
    assert owner(town) == B
    assert len(town.at(B)) == 2


@pytest.mark.parametrize("lanes", [2, 3])
def test_callers_keep_to_a_lane_and_are_counted_wherever_their_calls_go(lanes: int) -> None:
    town = opened(settings=ClientSettings(lanes=lanes), pool=LEASES)
    town.move(NAME, B)
    town.begin_move(key(A, 1), C)
    town.move(key(A, 2), None)
    for number in range(12):
        who = f"caller {number % 3}"
        town.call("APPEND", NAME, "x", caller=who)
        town.call("APPEND", key(A, 1), "x", caller=who)
        town.call("APPEND", key(A, 2), "x", caller=who, deadline=town.now + 1)
        town.batch(("APPEND", NAME, "x"), ("APPEND", key(A, 1), "x"), ("APPEND", key(C), "x"), caller=who)
        town.batch(("MULTI",), ("APPEND", NAME, "x"), ("EXEC",), caller=who)
        if number == 6:
            town.kill(B)
            town.pass_time(0.5)
            town[B].away = False
    town.pass_time(3)
    town.is_at_rest()


def test_a_policy_of_one_attempt_holds_for_errors_and_not_for_where_a_slot_is() -> None:
    town = opened(settings=ClientSettings(retry=Retry(attempts=1)))
    town.move(NAME, B)
    assert town.told(town.call("INCR", NAME)) == NAME.encode()
    town[A].refuses_with = lambda words: DOWN if words[0] == b"INCR" else None
    assert town.told(town.call("INCR", key(A, 1), deadline=5.0)).code == "CLUSTERDOWN"


def test_a_call_that_was_given_up_behind_ask_ends_there() -> None:
    town = opened(A, B, C)
    town.begin_move(NAME, D)
    town[D].deaf = True
    slot = town.call("INCR", NAME)
    town.abandon(slot)
    town[D].deaf = False
    town.wake()
    assert slot not in town.ended
    town.is_at_rest()
    assert all(type(probe.token) is Probe for probe in town.client._probes)


def test_a_hostile_server_that_names_ever_new_places_leads_to_few_of_them() -> None:
    town = opened(A)
    places = [(f"hostile{number}", 7000) for number in range(3000)]
    town.servers.update(dict.fromkeys(places, town[A]))  # it listens at all of them
    named = iter(places)

    def moved(words: tuple[bytes, ...]) -> ReplyError | None:
        return ReplyError(f"MOVED {slot_of(words[1])} {next(named)[0]}:7000") if words[0] == b"GET" else None

    town[A].refuses_with = moved
    calls = [town.call("GET", key(A, number % 5), deadline=2.0) for number in range(200)]
    assert len(town.client.nodes) < 110
    town.pass_time(3)
    assert {*calls} <= {*town.ended}
    assert len(town.client.nodes) < 110

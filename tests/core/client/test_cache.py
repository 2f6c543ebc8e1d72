"""A client's cache: who asks, who waits, what is kept, and what makes it fall."""

from __future__ import annotations

import gc
import tracemalloc
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

from core.client.stage import LANES, Stage
from resp_sansio import (
    Cache,
    ClientSettings,
    CommandTimeoutError,
    ConnectionStats,
    PoolSettings,
    ReplyError,
    RespError,
    Verbatim,
)
from resp_sansio.client import LOOK, CachedRead, Kept, ReadCache, error_of, touched_by
from resp_sansio.commands.caching import EVERYTHING
from resp_sansio.connection import Slot, SlotState, new_slot
from resp_sansio.wire import encode_command, encode_reply

if TYPE_CHECKING:
    from resp_sansio.wire import Argument

HEAR = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
ALL = b">2\r\n$10\r\ninvalidate\r\n_\r\n"
LOADING = ReplyError("LOADING Redis is loading the dataset in memory")


def stage(cache: Cache | None = None, **options: Any) -> Stage:
    made = Stage(cache=cache or Cache(), **options)
    made.answer = lambda words: [*words[1:]] if words[0] == b"MGET" else words[-1]
    return made


def cache_of(made: Stage) -> ReadCache:
    assert made.cache is not None
    return made.cache


def find(made: Stage, *words: Argument) -> Any:
    """What is kept, as its reader gets it."""
    cache = cache_of(made)
    cache.looked(made.now)
    kept = cache.find(encode_command(words), made.now)
    assert kept is None or isinstance(kept, Kept)
    return None if kept is None else kept.reply


def slot_of(made: Stage, *words: Argument, deadline: float = inf) -> Slot:
    slot = new_slot(words, None, deadline)
    return cache_of(made).reading(encode_command(words), words, slot.info, deadline) or slot


def read(made: Stage, *words: Argument, deadline: float = inf, **options: Any) -> Slot:
    """Read what was not found."""
    return made.submit(slot_of(made, *words, deadline=deadline), **options)


def fill(made: Stage, key: str, value: bytes) -> None:
    """Have this read, with no server asked."""
    slot, cache = slot_of(made, "GET", key), cache_of(made)
    assert isinstance(slot, CachedRead)
    cache.begin(slot)
    slot.replies = ["OK", value]
    cache.answered(slot, made.link.core, made.now)
    cache.ended(slot)


def ran(made: Stage) -> list[tuple[bytes, ...]]:
    """The commands that servers have run."""
    return [words for peer in made.peers.values() for words in peer.executed]


# -- reading ---------------------------------------------------------------------------------------------------------------------


def test_what_was_read_is_given_until_the_server_says_that_it_has_changed() -> None:
    made = stage()
    slot = read(made, "GET", "k")
    assert isinstance(slot, CachedRead)
    assert (slot.state, slot.reply) == (SlotState.ANSWERED, b"k")
    assert [one.words for one in made.peers[made.link].received][-3:] == [
        (b"CLIENT", b"TRACKING", b"ON", b"OPTIN"),
        (b"CLIENT", b"CACHING", b"YES"),
        (b"GET", b"k"),
    ]
    assert find(made, "GET", b"k") == b"k"
    assert find(made, "STRLEN", b"k") is None
    made.say(made.link, HEAR)
    assert find(made, "GET", b"k") is None
    stats = cache_of(made).stats()
    assert (stats.active, stats.entries, stats.size) == (True, 0, 0)
    assert (stats.hits, stats.misses, stats.invalidations) == (1, 1, 1)
    assert made.client.stats().as_dict()["cache"] == stats.as_dict()
    assert "not active" not in str(made.client.stats())


def test_a_key_is_found_in_all_commands_that_have_read_it() -> None:
    made = stage()
    for words in (("GET", "k"), ("MGET", "k", "other"), ("GET", "other"), ("STRLEN", b"k")):
        read(made, *words)
    made.say(made.link, HEAR)
    assert [find(made, *words) for words in (("GET", "k"), ("MGET", "k", "other"), ("STRLEN", "k"))] == [None] * 3
    assert find(made, "GET", "other") == b"other"
    made.say(made.link, ALL)
    assert find(made, "GET", "other") is None


def test_what_is_kept_is_given_only_to_who_has_looked_lately() -> None:
    made = stage()
    read(made, "GET", "k")
    cache, command = cache_of(made), encode_command(("GET", "k"))
    assert cache.find(command, 5.0) is LOOK
    cache.looked(5.0)
    assert isinstance(cache.find(command, 5.0005), Kept)
    assert cache.find(command, 5.002) is LOOK
    assert cache.find([b"", b"large"], 5.0) is None


def test_readers_of_the_same_send_one_command() -> None:
    made = stage()
    read(made, "GET", "first")
    made.deaf.add(made.link)
    slots = [read(made, "GET", "k") for _ in range(4)]
    assert not made.ended[1:]
    made.wake()
    assert [slot.reply for slot in slots] == [b"k"] * 4
    assert made.ended[1:] == slots
    assert ran(made) == [(b"GET", b"first"), (b"GET", b"k")]
    assert cache_of(made).stats().joined == 3


def test_each_reader_has_a_list_of_its_own() -> None:
    made = stage()
    read(made, "GET", "first")
    made.deaf.add(made.link)
    one, other = (read(made, "MGET", "a", "b") for _ in range(2))
    made.wake()
    for slot in (one, other):
        reply: Any = slot.reply
        reply.append(b"own")
    for _ in range(2):
        kept = find(made, "MGET", "a", "b")
        assert kept == [b"a", b"b"]
        kept.append(b"own")


def test_a_caller_that_goes_leaves_the_reading_to_the_one_that_waits_longest() -> None:
    made = stage()
    read(made, "GET", "first")
    made.deaf.add(made.link)
    first = read(made, "GET", "k", deadline=9.0)
    short, long = read(made, "GET", "k", deadline=3.0), read(made, "GET", "k", deadline=20.0)
    gone = read(made, "GET", "k")
    made.abandon(gone)
    made.abandon(first)
    made.pass_time(4.0)
    assert made.ended[1:] == [short]
    assert isinstance(error_of(short), CommandTimeoutError)
    assert "stage:6379 did not answer in time" in str(error_of(short)).replace("localhost", "stage")
    made.wake()
    assert (long.state, long.reply) == (SlotState.ANSWERED, b"k")
    assert ran(made)[1:] == [(b"GET", b"k")] * 2
    assert find(made, "GET", "k") == b"k"


def test_a_call_that_runs_out_of_time_ends_for_itself() -> None:
    made = stage()
    read(made, "GET", "first")
    made.deaf.add(made.link)
    first, second = read(made, "GET", "k", deadline=1.0), read(made, "GET", "k", deadline=5.0)
    made.pass_time(2.0)
    assert isinstance(error_of(first), CommandTimeoutError)
    made.wake()
    assert second.reply == b"k"


def test_a_read_that_has_not_begun_can_be_one_that_is_not_kept() -> None:
    made = stage()
    command = encode_command(("GET", "k"))
    assert isinstance(command, bytes)
    slot = cache_of(made).reading(command, ("GET", "k"), new_slot(("GET", "k")).info, 1.0)
    assert slot is not None
    slot.give_up_keeping()
    assert (slot.count, slot.payload) == (1, command)


def test_the_counts_of_a_single_connections_machine_have_those_of_its_cache() -> None:
    made = stage(once=True, settings=None)
    for _ in range(2):  # before there is a link, and with one
        stats = made.client.stats()
        assert isinstance(stats, ConnectionStats)
        assert stats.cache is not None
        made.lease()


def containers(value: Any) -> list[Any]:
    """What of a value can be changed."""
    if type(value) not in (list, dict, set):
        return []
    parts = value.values() if type(value) is dict else value
    return [value, *[one for part in parts for one in containers(part)]]


@pytest.mark.parametrize(
    "value",
    [[b"a", [b"b", [b"c"]]], {b"a": [b"b"]}, [{b"a": [b"b"]}, {b"c"}], {b"a"}, [[b"a", 1.5], [b"b", 2.5]]],
    ids=repr,
)
def test_readers_share_nothing_that_one_of_them_may_change(value: Any) -> None:
    made = stage(protocol=3)
    made.answer = lambda words: value if words[0] == b"LRANGE" else words[-1]
    read(made, "GET", "first")
    made.deaf.add(made.link)
    slots = [read(made, "LRANGE", "k", "0", "-1") for _ in range(3)]
    made.wake()
    given = [*[slot.reply for slot in slots], *[find(made, "LRANGE", "k", "0", "-1") for _ in range(2)]]
    assert given == [value] * 5
    found = [one for reply in given for one in containers(reply)]
    assert len({id(one) for one in found}) == len(found) == 5 * len(containers(value))


def test_readers_fail_as_the_one_they_wait_for() -> None:
    made = stage(once=True, settings=None)
    read(made, "GET", "first")
    link = made.link
    made.deaf.add(link)
    slots = [read(made, "GET", "k") for _ in range(3)]
    made.cut(link)
    errors = [error_of(slot) for slot in slots]
    assert [type(error).__name__ for error in errors] == ["ConnectionLostError"] * 3
    assert len({id(error) for error in errors}) == 3
    assert "GET" in str(errors[1])
    with pytest.raises(Exception, match="was not sent"):
        read(made, "GET", "k")
    assert cache_of(made).stats().entries == 0


def test_a_read_that_is_refused_leaves_no_one_waiting() -> None:
    made = stage(once=True, settings=None)
    read(made, "GET", "first")
    assert made.client.lane_links == [made.link]
    made.deaf.add(made.link)
    made.call("QUIT")
    for _ in range(2):
        with pytest.raises(RespError, match="was not sent"):
            read(made, "GET", "k")
    assert cache_of(made).stats().joined == 0


def test_a_client_that_closes_leaves_no_reader_waiting() -> None:
    made = stage()
    read(made, "GET", "first")
    made.deaf.add(made.link)
    slots = [read(made, "GET", "k") for _ in range(3)]
    made.client.close(made.now)
    made.run()
    assert set(made.ended[1:]) == {*slots}
    assert all(slot.state is not SlotState.ANSWERED for slot in slots)


def test_a_read_goes_out_again_as_a_whole() -> None:
    made = stage()
    read(made, "GET", "first")
    link = made.link
    made.deaf.add(link)
    slots = [read(made, "GET", "k") for _ in range(2)]
    made.say(link, b"+OK\r\n")
    made.cut(link)
    made.pass_time(1.0)
    assert [slot.reply for slot in slots] == [b"k", b"k"]
    assert [one.words[0] for one in made.peers[made.link].received[-2:]] == [b"CLIENT", b"GET"]
    assert find(made, "GET", "first") is None
    assert find(made, "GET", "k") is None  # it was under way when the connection was lost
    read(made, "GET", "k")
    assert find(made, "GET", "k") == b"k"


def test_a_server_that_can_not_serve_yet_is_asked_again() -> None:
    made = stage()
    read(made, "GET", "first")
    answers: list[Any] = [LOADING, b"there"]
    made.peers[made.link].answer = lambda _: answers.pop(0)
    one = read(made, "GET", "k")
    other = read(made, "GET", "k")
    made.pass_time(1.0)
    assert (one.reply, other.reply) == (b"there", b"there")
    assert find(made, "GET", "k") == b"there"


def test_an_error_is_not_kept_and_each_reader_has_its_own() -> None:
    made = stage()
    read(made, "GET", "first")
    made.peers[made.link].answer = lambda _: ReplyError("WRONGTYPE no text")
    made.deaf.add(made.link)
    slots = [read(made, "GET", "k") for _ in range(2)]
    made.wake()
    assert [str(slot.reply) for slot in slots] == ["WRONGTYPE no text"] * 2
    assert slots[0].reply is not slots[1].reply
    assert read(made, "GET", "k") not in slots
    assert find(made, "GET", "k") is None
    assert ran(made)[1:] == [(b"GET", b"k")] * 2


# -- what is kept ----------------------------------------------------------------------------------------------------------------


def test_a_write_of_ones_own_makes_fall_what_it_changes_though_it_is_being_read() -> None:
    made = stage()
    read(made, "GET", "k")
    made.deaf.add(made.link)
    cache_of(made).wrote([b"k"])
    assert find(made, "GET", "k") is None
    before = read(made, "GET", "k")
    cache_of(made).wrote([b"k", b"unknown"])
    behind = read(made, "GET", "k")
    made.wake()
    assert (before.reply, behind.reply) == (b"k", b"k")
    assert ran(made) == [(b"GET", b"k")] * 3
    assert find(made, "GET", "k") == b"k"  # the second one's
    cache_of(made).wrote(EVERYTHING)
    assert find(made, "GET", "k") is None


def test_a_reply_that_has_raced_with_its_invalidation_is_not_kept() -> None:
    made = stage()
    read(made, "GET", "first")
    made.deaf.add(made.link)
    slot = read(made, "GET", "k")
    made.say(made.link, b"+OK\r\n" + HEAR + b"$3\r\nold\r\n")
    assert slot.reply == b"old"
    assert find(made, "GET", "k") is None


def test_a_change_right_behind_the_reply_makes_it_fall() -> None:
    made = stage()
    read(made, "GET", "first")
    made.deaf.add(made.link)
    slot = read(made, "GET", "k")
    made.say(made.link, b"+OK\r\n$3\r\nold\r\n" + HEAR)
    assert slot.reply == b"old"
    assert find(made, "GET", "k") is None


def test_a_word_that_makes_no_sense_changes_nothing() -> None:
    made = stage()
    read(made, "GET", "k")
    made.say(made.link, b">2\r\n$10\r\ninvalidate\r\n*1\r\n:5\r\n")
    assert find(made, "GET", "k") == b"k"


@pytest.mark.parametrize(
    "word", [b">1\r\n$10\r\ninvalidate\r\n", b">2\r\n$10\r\ninvalidate\r\n:5\r\n", b">2\r\n$10\r\ninvalidate\r\n~0\r\n"]
)
def test_a_word_that_names_no_keys_makes_all_fall(word: bytes) -> None:
    made = stage()
    read(made, "GET", "k")
    made.deaf.add(made.link)
    slot = read(made, "GET", "other")
    made.say(made.link, word + b"+OK\r\n$1\r\nv\r\n")
    assert slot.reply == b"v"
    assert find(made, "GET", "k") is None


def test_the_least_used_make_room() -> None:
    made = stage(Cache(max_bytes=6500))
    for index in range(5):
        read(made, "GET", f"{index}" * 200)
    assert cache_of(made).stats().evictions == 0
    assert find(made, "GET", "0" * 200)
    for index in range(5, 8):
        read(made, "GET", f"{index}" * 200)
    kept = [index for index in range(8) if find(made, "GET", f"{index}" * 200)]
    assert 0 in kept
    assert 7 in kept
    assert 1 not in kept
    stats = cache_of(made).stats()
    assert stats.evictions == 8 - len(kept)
    assert 0 < stats.size <= 6500
    assert stats.entries == len(kept)
    read(made, "GET", "x" * 6500)  # rather than all the others
    assert [index for index in range(8) if find(made, "GET", f"{index}" * 200)] == kept


def test_what_has_fallen_makes_room_first_and_what_is_being_read_stays() -> None:
    made = stage(Cache(max_bytes=5000))
    read(made, "GET", "first")
    made.deaf.add(made.link)
    slow = read(made, "GET", "k", caller="one")
    made.say(made.link, b"+OK\r\n")
    cache = cache_of(made)
    cache.wrote([b"first"])
    fill(made, "y", b"y" * 2000)
    fill(made, "z", b"z" * 3500)
    made.say(made.link, b"$1\r\nk\r\n")
    assert slow.reply == b"k"
    assert find(made, "GET", "k") == b"k"
    assert cache.stats().evictions == 1


def test_a_value_is_read_again_when_its_time_is_up() -> None:
    made = stage(Cache(ttl=2.0))
    read(made, "GET", "k")
    assert find(made, "GET", "k") == b"k"
    made.pass_time(1.75)
    assert find(made, "GET", "k") == b"k"
    made.pass_time(0.25)
    assert find(made, "GET", "k") is None
    read(made, "GET", "k")
    made.pass_time(2.5)
    assert find(made, "GET", "k") is None
    read(made, "GET", "k")
    assert find(made, "GET", "k") == b"k"
    assert cache_of(made).stats().entries == 1


def test_where_all_changes_are_told_of_only_keys_of_these_prefixes_are_kept() -> None:
    made = stage(Cache(prefixes=["user:", b"page:"]))
    slot = read(made, "MGET", "user:1", "page:2")
    assert isinstance(slot, CachedRead)
    words = [one.words for one in made.peers[made.link].received]
    assert words[-2:] == [
        (b"CLIENT", b"TRACKING", b"ON", b"BCAST", b"PREFIX", b"user:", b"PREFIX", b"page:"),
        (b"MGET", b"user:1", b"page:2"),
    ]
    assert find(made, "MGET", "user:1", "page:2") == [b"user:1", b"page:2"]
    assert type(slot_of(made, "MGET", "user:1", "other")) is Slot


@pytest.mark.parametrize(
    "words",
    [
        ("TTL", "k"),
        ("SRANDMEMBER", "k"),
        ("OBJECT", "IDLETIME", "k"),
        ("SORT", "k"),
        ("GET",),
        ("MGET",),
        ("SET", "k", "v"),
        ("GET", b"x" * 100_000),
        ("RANDOMKEY",),
    ],
)
def test_what_is_not_kept_is_read_as_ever(words: tuple[Argument, ...]) -> None:
    assert type(slot_of(stage(), *words)) is Slot


@pytest.mark.parametrize("reply", [Verbatim(b"x"), [Verbatim(b"x")], {b"a": [Verbatim(b"x")]}])
def test_values_of_rare_types_are_given_and_not_kept(reply: Any) -> None:
    made = stage()
    made.answer = lambda _: reply
    assert read(made, "GET", "k").reply == reply
    assert find(made, "GET", "k") is None
    made.deaf.add(made.link)
    slots = [read(made, "GET", "k") for _ in range(2)]
    made.wake()
    assert [(slot.reply, slot.reply is reply) for slot in slots] == [(reply, False)] * 2


@pytest.mark.parametrize("reply", [None, 5, 1.5, True, "text", b"", [b"a", None, [1, [2]]], {b"a": b"b"}, {b"a"}, []])
def test_values_of_all_usual_types_are_kept(reply: Any) -> None:
    made = stage()
    made.answer = lambda _: reply
    assert read(made, "HGETALL", "k").reply == reply
    cache_of(made).looked(made.now)
    kept = cache_of(made).find(encode_command(("HGETALL", "k")), made.now)
    assert isinstance(kept, Kept)
    assert kept.reply == reply
    assert repr(kept) if reply is None else True


def test_a_reply_with_attributes_is_not_kept() -> None:
    made = stage()
    read(made, "GET", "first")
    made.deaf.add(made.link)
    slot = read(made, "GET", "k")
    made.say(made.link, b"+OK\r\n|1\r\n+ttl\r\n:3\r\n$1\r\nk\r\n")
    assert slot.reply == b"k"
    assert find(made, "GET", "k") is None


def test_the_bound_is_one_of_memory() -> None:
    made = stage(Cache(max_bytes=1_000_000))
    read(made, "GET", "first")
    cache = cache_of(made)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for index in range(3000):
            fill(made, f"key:{index}", b"%100d" % index)
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    size = cache.stats().size
    assert 900_000 < size <= 1_000_000
    assert 0.7 * size < taken < 1.2 * size


@pytest.mark.timeout(40)
def test_a_hash_of_which_many_fields_are_kept_takes_no_quadratic_time() -> None:
    """No time is measured here: what took quadratic time would not end before the test's own limit."""
    made = stage(Cache(max_bytes=1 << 30))
    read(made, "GET", "k")
    cache = cache_of(made)
    for index in range(100_000):
        slot = slot_of(made, "HGET", "k", f"field:{index}")
        assert isinstance(slot, CachedRead)
        cache.begin(slot)
        slot.replies = ["OK", b"x"]
        cache.answered(slot, made.link.core, made.now)
        cache.ended(slot)
    assert cache.stats().entries == 100_001
    cache.invalidated([b"k"])
    assert (cache.stats().entries, cache.stats().size) == (0, 0)


# -- servers that do not tell ----------------------------------------------------------------------------------------------------


def test_where_the_server_refuses_to_tell_nothing_is_kept_and_all_else_works() -> None:
    made = stage()
    made.refused = {"CLIENT": ReplyError("NOPERM this user has no permissions to run the 'client|tracking' command")}
    assert read(made, "GET", "k").reply == b"k"  # with its question, for no server has been asked before
    assert find(made, "GET", "k") is None
    assert type(slot_of(made, "GET", "k")) is Slot
    assert str(cache_of(made).stats()).startswith("not active, 0 hits")
    made.refused = {}
    made.cut(made.link)
    made.call("PING")
    assert cache_of(made).stats().active
    read(made, "GET", "k")
    assert find(made, "GET", "k") == b"k"
    assert "1 entries" in repr(cache_of(made))


def test_where_a_server_knows_only_resp2_nothing_is_kept() -> None:
    made = stage()
    made.refused = {"HELLO": ReplyError("ERR unknown command 'HELLO'")}
    assert read(made, "GET", "k").reply == b"k"
    assert not cache_of(made).stats().active
    assert all(b"TRACKING" not in one.words for one in made.peers[made.link].received[-3:])


def test_a_reply_for_which_the_server_was_not_asked_to_tell_is_not_kept() -> None:
    made = stage()
    read(made, "GET", "first")
    made.peers[made.link].refused = {"CLIENT": ReplyError("ERR CLIENT CACHING can be called only when ...")}
    assert read(made, "GET", "k").reply == b"k"
    assert find(made, "GET", "k") is None


def test_on_a_connection_that_is_not_what_it_was_nothing_is_kept() -> None:
    made = stage(once=True, settings=None)
    read(made, "GET", "k")
    made.deaf.add(made.link)
    slot = read(made, "GET", "other")
    cache_of(made).forsake()
    made.wake()
    assert slot.reply == b"other"
    assert find(made, "GET", "k") is None
    assert find(made, "GET", "other") is None
    assert type(slot_of(made, "GET", "k")) is Slot


def test_leased_connections_do_not_ask_to_be_told() -> None:
    made = stage(settings=LANES, pool=PoolSettings())
    made.lease()
    assert all(b"TRACKING" not in one.words for one in made.peers[made.link].received)


def test_other_pushes_are_not_the_caches() -> None:
    made = stage(once=True, settings=None)
    read(made, "GET", "k")
    made.say(made.link, b">2\r\n$5\r\nother\r\n$1\r\nk\r\n" + HEAR)
    assert [push.kind for _, push in made.link.pushes.came] == ["other"]
    assert made.link.core.stats().unread_pushes == 1


# -- interrupts ------------------------------------------------------------------------------------------------------------------


def test_after_an_interrupt_nothing_is_kept_and_each_reader_reads_for_itself() -> None:
    made = stage()
    read(made, "GET", "k")
    made.deaf.add(made.link)
    slots = [read(made, "GET", "other") for _ in range(3)]
    made.client.reconcile(made.now, lambda _: True, [])
    assert find(made, "GET", "k") is None
    for slot in slots:
        made.client.resume(slot, made.now)
        made.client.resume(slot, made.now)
    made.run()
    made.wake()
    assert [slot.reply for slot in slots] == [b"other"] * 3
    made.client.reconcile(made.now, lambda _: True, [])
    assert find(made, "GET", "other") is None


def test_after_an_interrupt_one_waits_for_whom_it_has_joined_since() -> None:
    made = stage()
    read(made, "GET", "first")
    made.deaf.add(made.link)
    before, one, other = (read(made, "GET", "k") for _ in range(3))
    made.client.reconcile(made.now, lambda _: True, [])
    for slot in (one, other):
        made.client.resume(slot, made.now)
    made.run()
    made.abandon(before)
    made.wake()
    assert [slot.reply for slot in (one, other)] == [b"k", b"k"]
    assert ran(made)[1:] == [(b"GET", b"k")] * 2


def test_several_lanes_have_one_cache() -> None:
    made = stage(settings=ClientSettings(lanes=2))
    read(made, "GET", "k", caller="one")
    assert find(made, "GET", "k") == b"k"
    read(made, "GET", "other", caller="two")
    assert find(made, "GET", "other") == b"other"


# -- what writes touch -----------------------------------------------------------------------------------------------------------


def test_a_batch_touches_what_its_commands_do() -> None:
    made = stage()
    batch = made.batch(("SET", "a", "1"), ("GET", "b"), ("DEL", "c", "d"))
    assert touched_by(batch) == {b"a", b"c", b"d"}
    assert touched_by(made.batch(("GET", "b"), ("FLUSHALL",))) is EVERYTHING
    assert touched_by(new_slot(("HSET", "h", "f", "v"))) == [b"h"]
    assert touched_by(new_slot(("GET", "h"))) == ()


def test_replies_to_what_is_read_are_as_on_the_wire() -> None:
    made = stage()
    read(made, "GET", "first")
    made.deaf.add(made.link)
    slot = read(made, "HGETALL", "k")
    made.say(made.link, b"+OK\r\n" + encode_reply({b"f": b"v"}, 3))
    assert slot.reply == {b"f": b"v"}
    assert find(made, "HGETALL", "k") == {b"f": b"v"}

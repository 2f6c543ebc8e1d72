"""Values: what is hashable becomes a dict or set, what is not keeps every element all the same."""

from __future__ import annotations

import copy
import pickle
from itertools import count, islice, product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio._errors import InvalidReplyError, ReplyError
from resp_sansio.testing import exact, pushes, replies
from resp_sansio.wire.values import (
    GUESSABLE_KEYS,
    KEY_DEPTH,
    ArrayKey,
    Attributed,
    Items,
    MapKey,
    Pairs,
    Push,
    SetKey,
    Verbatim,
    as_text,
    hashable,
    make_map,
    make_set,
    merge,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from resp_sansio.wire.values import Reply


def members(value: Reply) -> object:
    """What a map or set holds, in order of arrival, twins of keys undone as far as they can be."""
    return list(value.items()) if isinstance(value, dict) else list(value)  # type: ignore[arg-type]


@given(st.lists(replies(), max_size=6))
def test_a_map_never_loses_a_pair(flat: list[Reply]) -> None:
    flat += flat[: len(flat) % 2]
    made = make_map(flat)
    assert len(made) == len(flat) // 2
    assert [exact(item) for _, item in members(made)] == [exact(item) for item in flat[1::2]]  # type: ignore[attr-defined]
    if type(made) is Pairs:
        assert [exact(key) for key, _ in made] == [exact(key) for key in flat[::2]]


@given(st.lists(replies(), max_size=6))
def test_a_set_never_loses_a_member(flat: list[Reply]) -> None:
    made = make_set(flat)
    assert len(made) == len(flat)
    if type(made) is Items:
        assert [exact(member) for member in made] == [exact(member) for member in flat]


@given(replies())
def test_a_twin_is_hashable_and_its_own_twin(value: Reply) -> None:
    try:
        twin = hashable(value)
    except ValueError:
        return
    assert hash(twin) == hash(hashable(twin))
    assert exact(hashable(twin)) == exact(twin)


def test_twins_remember_what_they_were() -> None:
    assert exact(hashable([1, [2]])) == exact(ArrayKey((1, ArrayKey((2,)))))
    assert exact(hashable({1: [2]})) == exact(MapKey(((1, ArrayKey((2,))),)))
    assert exact(hashable({1, 2})) == exact(SetKey({1, 2}))
    assert exact(hashable(Pairs([(1, "a"), (True, "b")]))) == exact(MapKey(((1, "a"), (True, "b"))))


@pytest.mark.parametrize("value", [Items([1, True]), Attributed(1, {}), Push("message", ()), [Items([])]])
def test_some_aggregates_have_no_twin(value: Reply) -> None:
    with pytest.raises(ValueError, match="cannot be a key"):
        hashable(value)


@pytest.mark.parametrize("depth", [KEY_DEPTH - 1, KEY_DEPTH, 100_000])
def test_depth_is_no_danger(depth: int) -> None:
    """Python hashes and compares tuples recursively, in C: deep ones must not become keys."""
    nested: Reply = 1
    for _ in range(depth):
        nested = [nested]
    made, several = make_map([nested, 1, "x", 2]), make_set([nested, "x"])
    if depth <= KEY_DEPTH:
        assert type(made) is dict
        assert type(several) is set
    else:
        assert type(made) is Pairs
        assert type(several) is Items
        assert made[0][0] is nested


@given(
    st.lists(
        st.sampled_from([lambda v: [v], lambda v: ArrayKey([v]), lambda v: {"k": v}, lambda v: Pairs([(v, 1)])]),
        min_size=KEY_DEPTH - 1,
        max_size=KEY_DEPTH + 2,
    )
)
def test_aggregates_of_all_kinds_may_nest_as_deep_in_a_key(nest: list[Callable[[Reply], Reply]]) -> None:
    nested: Reply = 1
    for around in nest:
        nested = around(nested)
    if len(nest) <= KEY_DEPTH:
        hash(hashable(nested))
    else:
        with pytest.raises(ValueError, match="nested too deep"):
            hashable(nested)


def test_what_collides_in_python_stays_apart() -> None:
    assert make_map([1, "a", True, "b", 1.0, "c"]) == Pairs([(1, "a"), (True, "b"), (1.0, "c")])
    assert make_set([1, True]) == Items([1, True])
    assert make_set([b"x", Verbatim(b"x")]) == Items([b"x", Verbatim(b"x")])


HASHED_ALIKE = [(2**61 - 1) * n for n in range(-4, 5)]  # all within 64 bits


def numbers_that_hash_alike() -> Iterator[int]:
    """Big numbers; ordinary ones hash alike nine at a time, or meet in a `dict` for other reasons."""
    return ((2**61 - 1) * (n + 16) for n in count())


@pytest.mark.parametrize(
    "keys",
    [
        numbers_that_hash_alike(),
        ([number] for number in numbers_that_hash_alike()),
        ({number: 1} for number in numbers_that_hash_alike()),
        ({number} for number in numbers_that_hash_alike()),
        count(),
        (float(2**61 * n) for n in count()),
        (list(chosen) for chosen in product(HASHED_ALIKE, repeat=6)),
        ([*chosen, b"a string"] for chosen in product(HASHED_ALIKE, repeat=6)),
        (SetKey([ArrayKey(chosen)]) for chosen in product(HASHED_ALIKE, repeat=6)),
    ],
)
def test_thousands_of_keys_that_a_server_could_choose_are_not_hashed(keys: Iterator[Reply]) -> None:
    """Each of these could be thousands with one hash: a `dict` of them would take seconds for a reply of one megabyte."""
    chosen = list(islice(keys, GUESSABLE_KEYS + 1))
    for some, kinds in ((chosen[:-1], (dict, set)), (chosen, (Pairs, Items))):
        flat = [part for key in some for part in (key, None)]
        safe: list[list[Reply]] = [
            [],
            [b"%d" % n for n in range(1000)],
            ["a", Verbatim(b"b"), ReplyError("c"), InvalidReplyError(b"#")],
        ]
        for strings in safe:
            made = make_map([*flat, *[part for key in strings for part in (key, None)]])
            several = make_set([*some, *strings])
            assert len(made) == len(several) == len(some) + len(strings)
            assert (type(made), type(several)) == kinds
            assert (type(as_text(made)), type(as_text(several))) == kinds


def test_any_number_of_strings_are_keys() -> None:
    strings = [b"%d" % n for n in range(10_000)]
    for keys in (strings, [as_text(key) for key in strings], [*strings, *[as_text(key) for key in strings]]):
        assert type(make_set(keys)) is set
        assert type(make_map([part for key in keys for part in (key, None)])) is dict


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (1, True),
        (True, 1.0),
        (0, False),
        (0.0, -0.0),
        (b"x", Verbatim(b"x")),
        (Verbatim(b"x", "txt"), Verbatim(b"x", "mkd")),
        (ArrayKey([1]), ArrayKey([True])),
        (ArrayKey([ArrayKey([0])]), ArrayKey([ArrayKey([0.0])])),
        (SetKey([1]), SetKey([True])),
        (MapKey([(1, b"x")]), MapKey([(True, b"x")])),
    ],
    ids=repr,
)
def test_maps_are_merged_without_losing_keys_that_only_python_takes_for_equal(first: Any, second: Any) -> None:
    for one, other in ((first, second), (second, first)):
        both = merge({b"k": 0, one: "a"}, {other: "b", b"l": 1})
        assert both == Pairs([(b"k", 0), (one, "a"), (other, "b"), (b"l", 1)])
        assert list(map(repr, both)) == list(map(repr, [(b"k", 0), (one, "a"), (other, "b"), (b"l", 1)]))
        again = merge({one: "a"}, {one: "b"})
        assert (type(again), again) == (dict, {one: "b"})


@given(st.integers(1, GUESSABLE_KEYS), st.integers(1, GUESSABLE_KEYS))
def test_maps_of_numbers_are_merged_in_a_dict_as_long_as_they_are_few(first: int, second: int) -> None:
    merged = merge(dict.fromkeys(range(first)), dict.fromkeys(range(-second, 0)))
    assert type(merged) is (dict if first + second <= GUESSABLE_KEYS else Pairs)
    keys = [key for key, _ in (merged.items() if isinstance(merged, dict) else merged)]
    assert keys == [*range(first), *range(-second, 0)]


def test_maps_are_merged_in_time_that_grows_with_their_keys() -> None:
    strings = make_map([part for n in range(1000) for part in (b"%d" % n, n)])
    assert merge(strings, {b"1": None, "x": 1}) is strings
    assert (strings[b"1"], len(strings)) == (None, 1001)  # type: ignore[call-overload]
    few = merge({1: "a", "k": "b"}, {1: "c"})
    assert (type(few), few) == (dict, {1: "c", "k": "b"})
    merged: dict[Reply, Reply] | Pairs = {}
    for n in range(GUESSABLE_KEYS):
        merged = merge(merged, {n: n})
    assert type(merged) is dict
    merged = merge(merged, {-1: -1})
    assert merged == Pairs([*[(n, n) for n in range(GUESSABLE_KEYS)], (-1, -1)])
    assert merge(merged, Pairs([(1, 2)])) is merged
    assert merged[-1] == (1, 2)
    assert merge({b"k": 1}, Pairs([(1, 2), (True, 3)])) == Pairs([(b"k", 1), (1, 2), (True, 3)])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Verbatim(b"x", "mkd"), "Verbatim(b'x', 'mkd')"),
        (ArrayKey((1,)), "ArrayKey((1,))"),
        (MapKey(((1, 2),)), "MapKey(((1, 2),))"),
        (Pairs([(1, 2)]), "Pairs([(1, 2)])"),
        (Items([1]), "Items([1])"),
        (SetKey({1}), "SetKey({1})"),
    ],
)
def test_they_say_what_they_are_and_survive_copies(value: Reply, text: str) -> None:
    assert repr(value) == text
    assert exact(pickle.loads(pickle.dumps(value))) == exact(value)
    assert exact(copy.deepcopy(value)) == exact(value)


def test_verbatim_is_bytes_with_a_format() -> None:
    assert Verbatim(b"x") == b"x"
    assert (Verbatim(b"x").format, Verbatim(b"x", "mkd").format) == ("txt", "mkd")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"caf\xc3\xa9", "café"),
        (Verbatim(b"x"), "x"),
        (b"\xff", "\udcff"),
        (1, 1),
        ([b"a", [b"b"]], ["a", ["b"]]),
        (Items([b"a", 1]), {"a", 1}),
        ({b"a": b"b"}, {"a": "b"}),
        (Pairs([(b"a", b"b")]), {"a": "b"}),
        ({b"a"}, {"a"}),
        (Push("message", (b"a",)), Push("message", ("a",))),
        (Attributed(b"a", {b"k": b"v"}), Attributed("a", {b"k": b"v"})),
        (ArrayKey((b"a",)), ArrayKey(("a",))),
        (MapKey(((b"a", b"b"),)), MapKey((("a", "b"),))),
        (SetKey({b"a"}), SetKey({"a"})),
        (SetKey({b"a", "a"}), SetKey({b"a", "a"})),
    ],
)
def test_as_text(value: Reply, text: Reply) -> None:
    assert as_text(value) == text


def recursively(value: Reply) -> Reply:
    """`as_text` as its definition reads, for what does not nest deep."""
    match value:
        case bytes():
            return value.decode("utf-8", "surrogateescape")
        case Push():
            return Push(value.kind, tuple(map(recursively, value.items)))
        case Attributed():
            return Attributed(recursively(value.value), value.attributes)
        case dict():
            return make_map([recursively(part) for pair in value.items() for part in pair])
        case Pairs():
            return make_map([recursively(part) for pair in value for part in pair])
        case MapKey():
            return MapKey((recursively(key), recursively(item)) for key, item in value)
        case ArrayKey():
            return ArrayKey(map(recursively, value))
        case SetKey():
            text = SetKey(map(recursively, value))
            return text if len(text) == len(value) else value
        case set() | Items():
            return make_set([*map(recursively, value)])
        case list():
            return [*map(recursively, value)]
        case _:
            return value


@given(replies() | pushes())
def test_text_of_anything(value: Reply) -> None:
    assert exact(as_text(value)) == exact(recursively(value))


@pytest.mark.parametrize("value", [(b"x",), frozenset({b"x"})])
def test_what_is_no_reply_is_left_alone(value: Reply) -> None:
    assert as_text(value) is value


def test_text_of_what_nests_deeper_than_python_calls_functions() -> None:
    depth = 100_000
    value: Any = b"x"
    for _ in range(depth):
        value = [value]
    text: Any = as_text(value)
    for _ in range(depth):
        (text,), (value,) = text, value  # undone step by step: Python gives up nested lists recursively
    assert (text, value) == ("x", b"x")

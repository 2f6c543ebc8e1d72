"""An argument of a wrong kind is refused by its builder, or sent as data in its place: it never turns into an option."""

from __future__ import annotations

import inspect
import pickle
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from core.commands import search_kinds
from core.commands.rows import BESIDE
from generate_methods import GROUPS
from resp_sansio import Command, commands
from resp_sansio.wire import encode_command
from resp_sansio.wire.values import Verbatim

if TYPE_CHECKING:
    from collections.abc import Callable

BUILDERS: Final = [getattr(commands, name) for name in dir(commands) if name != "text"]

# A right value for each kind of parameter, as the builders' annotations name them.
RIGHT: Final[dict[str, Any]] = {
    "Aggregate | None": "SUM",
    "Argument": "data",
    "Argument | None": "data",
    "BitGet": ("GET", "u8", 0),
    "BitOperation": ("SET", "u8", 0, 1),
    "BitUnit": "BIT",
    "Bitwise": "AND",
    "End": "MIN",
    "Fields": {"name": "value"},
    "FloatType | None": "FP32",
    "JsonPath": "$.data",
    "Ordering | None": "BULK",
    "Places": {"member": (1.5, 2)},
    "Nack": "FAIL",
    "Logged": "slow",
    "Restoring | None": "APPEND",
    "Scores": {"member": 1.5},
    "Side": "LEFT",
    "Weights | None": [2.5],
    "Triplet": ("data", "$", "1"),
    "Unit": "km",
    "Vertices | None": [(0, 0), (0, 1), (1, 0)],
    "Where": "BEFORE",
    "Aggregation": ("avg", 5),
    "Aggregation | None": ("avg", 5),
    "Aggregations": (["avg"], 5),
    "Aggregations | None": (["avg"], 5),
    "Align | None": 5,
    "Bounds | None": (0.5, 5),
    "BucketTime | None": "mid",
    "Counts": {"item": 5},
    "Encoding | None": "COMPRESSED",
    "Fields | None": {"name": "value"},
    "Grouping | None": ("label", "sum"),
    "Ignore | None": (5, 0.5),
    "Labels | None": ["label"],
    "NewSample": ("key", 5, 0.5),
    "Policy | None": "LAST",
    "Times | None": [5],
    "Vector": [0.5],
    "Vector | None": [0.5],
    "bool": True,
    "bool | None": True,
    "float | None": 0.5,
    "float": 0.5,
    "int": 7,
    "int | None": 7,
    "tuple[Argument, Argument] | None": ("name", "secret"),
    "tuple[float, float] | None": (1, 2.5),
    "tuple[int, int] | None": (1, 2),
    **search_kinds.RIGHT,
}
# Words that servers take for options where they look for some.
OPTIONS: Final = (
    "NX XX GT LT CH INCR EX GET KEEPTTL LIMIT MAXLEN NOMKSTREAM KEEPREF COUNT BLOCK STREAMS MATCH BYLEX".split()
)
NO_PAIRS: Final = [True, 5, (), (1,), (1, 2, 3), [1, 2], ("1", 2), (1, True), "12", *OPTIONS]
# Of each kind: what no builder takes, and what is sent in its place.
NO_DATA: Final = [True, False, None, object(), ["a"]]
REFUSED: Final[dict[str, list[Any]]] = {
    "Aggregate | None": [value for value in NO_DATA if value is not None],
    "Argument": NO_DATA,
    "Argument | None": [value for value in NO_DATA if value is not None],
    "BitGet": [*NO_DATA, "GET", ("GET", "u8", None)],
    "BitOperation": [*NO_DATA, "GET", ("SET", "u8", 0, True)],
    "BitUnit": NO_DATA,
    "Bitwise": NO_DATA,
    "End": NO_DATA,
    "Fields": [True, None, "text", 5, ["a"], {"name": True}, {"name": None}, {None: "value"}],
    "Ordering | None": [value for value in NO_DATA if value is not None],
    "Places": [
        True,
        None,
        "text",
        {"member": None},
        {None: (1, 2)},
        *({"member": wrong} for wrong in NO_PAIRS),
    ],
    "Nack": NO_DATA,
    "Scores": [
        True,
        "text",
        {"member": "5"},
        {"member": b"5"},
        {"member": True},
        {"member": None},
        *({"m": w} for w in OPTIONS),
    ],
    "Logged": NO_DATA,
    "Restoring | None": [value for value in NO_DATA if value is not None],
    "Side": NO_DATA,
    "Weights | None": [True, 5, "1", b"1", [], [1, 2], ["5"], [True], [None], {1}, {1: 2}, iter([1]), *OPTIONS],
    "FloatType | None": [value for value in NO_DATA if value is not None],
    "JsonPath": [*NO_DATA, "", ".", "data", "$data", b".a", 5, bytearray(b"$"), *OPTIONS],
    "Triplet": [*NO_DATA, "k$1", ("k", "$"), ["k", "$", "1"], ("k", ".", "1"), ("k", "$", True), (None, "$", "1")],
    "Unit": NO_DATA,
    "Vertices | None": [True, 5, "12", b"12", {(1, 2)}, *([wrong] for wrong in NO_PAIRS)],
    "Where": NO_DATA,
    "Aggregation": [
        None,
        5,
        "avg",
        ("avg",),
        ["avg", 5],
        ("avg", "5"),
        ("avg", True),
        (None, 5),
        (5, 5),
        ("avg", 5, 5),
    ],
    "Aggregation | None": [
        5,
        "avg",
        ("avg",),
        ["avg", 5],
        ("avg", "5"),
        ("avg", True),
        (None, 5),
        (5, 5),
        ("avg", 5, 5),
    ],
    "Aggregations": [
        None,
        5,
        "avg",
        (["avg"],),
        ([], 5),
        [["avg"], 5],
        ("avg", 5),
        (["avg"], "5"),
        (["avg"], True),
        ([None], 5),
    ],
    "Aggregations | None": [
        5,
        "avg",
        (["avg"],),
        [["avg"], 5],
        ("avg", 5),
        (["avg"], "5"),
        (["avg"], True),
        ([None], 5),
    ],
    "Align | None": [True, object(), [5], (5,)],
    "Bounds | None": [True, 5, "12", (1,), [1, 2], (1, "2"), ("1", 2), (1, True), (None, 2), (1, 2, 3)],
    "BucketTime | None": [True, object(), ["mid"]],
    "Counts": [True, None, "text", 5, ["a"], {"m": "5"}, {"m": True}, {"m": 1.5}, {"m": None}, {None: 5}],
    "Encoding | None": [True, object(), ["COMPRESSED"]],
    "Fields | None": [True, "text", 5, ["a"], {"name": True}, {"name": None}, {None: "value"}],
    "Grouping | None": [True, "ab", ("a",), ["a", "sum"], ("a", 5), (5, "sum"), (None, "sum"), ("a", "sum", "b")],
    "Ignore | None": [True, 5, "12", (1,), [1, 2], (1, "2"), (1.5, 2), (True, 2), (1, None), (1, 2, 3)],
    "Labels | None": [True, 5, "label", [], {"label": 1}, [True], [None]],
    "NewSample": [None, 5, "k15", ("k", 1), ["k", 1, 2], ("k", 1, "2"), ("k", 1, True), (None, 1, 2), ("k", None, 2)],
    "Policy | None": [True, object(), ["LAST"]],
    "Times | None": [True, 5, "5", [True], ["5"], [1.5], {5}],
    "Vector": [True, None, 5, "text", object(), {1: 2}, ["1"], [True], [None], [b"1"]],
    "Vector | None": [True, 5, "text", object(), {1: 2}, ["1"], [True], [None], [b"1"]],
    "bool": [0, 1, None, "x", b"", 0.0, *OPTIONS],
    "bool | None": [0, 1, "x", b"", 0.0, *OPTIONS],
    "float": NO_DATA,
    "float | None": [True, False, "5", b"5", [], (), *OPTIONS],
    "int": NO_DATA,
    "tuple[Argument, Argument] | None": [True, 5, (), ("a",), ("a", "b", "c"), ["a", "b"], ("a", True), "ab", *OPTIONS],
    "tuple[float, float] | None": NO_PAIRS,
    "tuple[int, int] | None": [True, 5, (), (1,), (1, 2, 3), [1, 2], ("1", 2), (1, True), (1.5, 2), "12", *OPTIONS],
    "int | None": [True, False, "5", b"5", 1.5, [], (), *OPTIONS],
    **search_kinds.REFUSED,
}
TAKEN: Final[dict[str, list[Any]]] = {
    "Argument": ["other", b"\xff", bytearray(b"b"), 3, 1.5, Verbatim(b"v", "txt"), *OPTIONS],
    "float": [1, 0, *OPTIONS],
    "int": [0, -1, *OPTIONS],
}
# Where a server would take a word for an option.
WATCHED: Final = {
    (commands.xadd, "id"),
    (commands.xadd_nomkstream, "id"),
    *[(build, name) for build in (commands.xclaim, commands.xclaim_justid) for name in ("id", "ids")],
}
# What is not given beside a parameter that stands in its place.
INSTEAD: Final[dict[str, set[str]]] = {
    "bybox": {"byradius"},
    "bypolygon": {"byradius", "frommember"},
    "exactly": {"count"},
    "fromlonlat": {"frommember"},
    "minid": {"maxlen"},
    "storedist": {"store"},
}
PARAMETERS: Final = [
    (build, parameter) for build in BUILDERS for parameter in inspect.signature(build).parameters.values()
]


def given(build: Callable[..., Command[Any]], name: str = "", value: object = None) -> Command[Any]:
    """Call a builder with a right value for each parameter that it needs, and with `value` for the one of this name."""
    others = INSTEAD.get(name, set())
    beside = {name: value for name, value in BESIDE.get(build, {}).items() if name not in others}
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for parameter in inspect.signature(build).parameters.values():
        if parameter.name == name:
            one = value
        elif parameter.name in beside:
            one = beside[parameter.name]
        elif parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL:
            one = RIGHT[parameter.annotation]
        else:
            one = parameter.default
        if parameter.kind is parameter.KEYWORD_ONLY:
            keywords[parameter.name] = one
        elif one is not parameter.empty:
            positional.append(one)
    return build(*positional, **keywords)


def words(command: Command[Any]) -> list[bytes]:
    """What is sent, as words."""
    encoded = encode_command(command.args)
    data = encoded if isinstance(encoded, bytes) else b"".join(encoded)
    return data.split(b"\r\n")[2::2]


def name_of(case: Any) -> str | None:
    return case.__name__ if inspect.isfunction(case) else case.name if isinstance(case, inspect.Parameter) else None


@pytest.mark.parametrize(("build", "parameter"), PARAMETERS, ids=name_of)
def test_a_wrong_kind_of_value_is_refused(build: Callable[..., Command[Any]], parameter: inspect.Parameter) -> None:
    """By an error that names the command, before anything is sent."""
    command = words(given(build))[0].decode()
    for wrong in REFUSED[parameter.annotation]:
        if wrong is not None or parameter.default is not None:
            with pytest.raises((TypeError, ValueError), match=f"{command}|go together"):
                encode_command(given(build, parameter.name, wrong).args)


@pytest.mark.parametrize(
    ("build", "parameter"), [case for case in PARAMETERS if case[1].annotation in TAKEN], ids=name_of
)
def test_data_stays_in_its_place(build: Callable[..., Command[Any]], parameter: inspect.Parameter) -> None:
    marked = words(given(build, parameter.name, "0-here"))
    place = marked.index(b"0-here")
    for value in TAKEN[parameter.annotation]:
        if (build, parameter.name) in WATCHED and isinstance(value, (str, bytes, bytearray)):
            with pytest.raises(ValueError, match="id of X[A-Z]* must"):
                given(build, parameter.name, value)
            continue
        sent = words(given(build, parameter.name, value))
        assert [*sent[:place], *sent[place + 1 :]] == [*marked[:place], *marked[place + 1 :]]


@pytest.mark.parametrize("id", ["*", "5", "5-1", "5-*", b"*", bytearray(b"5-1"), 5, "", "0-here"])
def test_the_id_of_an_entry(id: Any) -> None:
    assert encode_command(commands.xadd("x", {"f": 1}, id=id).args) == encode_command(("XADD", "x", id, "f", 1))


def test_a_score_may_be_of_a_type_of_ones_own() -> None:
    class Points(float):
        pass

    assert words(commands.zadd("z", {"a": Points(1.5), "b": 2})) == [b"ZADD", b"z", b"1.5", b"a", b"2", b"b"]
    with pytest.raises(TypeError, match="every score of ZADD must be an int or float, not str"):
        commands.zadd("z", {"a": Points(1.5), "b": cast("float", "2")})


def test_an_error_names_the_command_and_the_option() -> None:
    build: Any = commands
    calls: list[tuple[Callable[[], object], str]] = [
        (lambda: build.set("k", "v", ex=False), "ex of SET must be an int, not bool"),
        (lambda: build.set("k", "v", nx=0), "nx of SET must be True or False, not int"),
        (lambda: build.xadd("x", {}, maxlen=True), "maxlen of XADD must be an int, not bool"),
        (lambda: build.xadd("x", {}, approximate=1), "approximate of XADD must be True or False, not int"),
        (lambda: build.zadd("z", {"CH": "XX"}), "every score of ZADD must be an int or float, not str"),
        (lambda: build.zrange("z", 0, 1, limit=(1,)), "limit of ZRANGE must be two ints, offset and count, not tuple"),
        (lambda: build.zinter("z", weights={1: 2}), "weights of ZINTER must be a list of numbers, not dict"),
        (lambda: build.xadd("x", {}, idmp=["p", "i"]), "idmp of XADD must be two IDs, of producer and entry, not list"),
        (lambda: build.geoadd("g", {"m": ("NX", 1)}), "every position of GEOADD must be two numbers, not tuple"),
        (lambda: build.geosearch("g", frommember="m", byradius="1"), "byradius of GEOSEARCH must be a number, not str"),
        (lambda: build.geosearch("g", bypolygon="1"), "bypolygon of GEOSEARCH must be a sequence, not str"),
        (lambda: build.mset(["k", "v"]), "values of MSET must be a mapping, not list"),
        (lambda: build.flushdb(asynchronous="no"), "asynchronous of FLUSHDB must be True or False, not str"),
    ]
    for call, message in calls:
        with pytest.raises(TypeError, match=f"^{message}$"):
            call()


def test_no_secret_is_shown() -> None:
    build: Any = commands
    for command in (
        commands.migrate("host", 6379, "k", 0, 500, auth="secret"),
        commands.migrate("host", 6379, "k", 0, 500, "l", auth2=("name", "secret")),
    ):
        assert command.info.secret
        assert "secret" not in repr(command)
    for wrong in ("secret", ("name", "secret", 1), ("secret", None), (None, "secret")):
        with pytest.raises(TypeError) as caught:
            encode_command(build.migrate("host", 6379, "k", 0, 500, auth2=wrong).args)
        assert "secret" not in str(caught.value)


def test_only_builders_are_offered() -> None:
    assert [name for name in dir(commands) if name.startswith("_") or name[0].isupper()] == []
    assert {build.__module__ for build in BUILDERS} == {f"{commands.__name__}.{group}" for group in GROUPS}


def test_all_builders_of_all_groups_are_offered() -> None:
    for group in GROUPS:
        module = import_module(f"{commands.__name__}.{group}")
        made = [
            name
            for name, build in inspect.getmembers(module, inspect.isfunction)
            if build.__module__ == module.__name__
        ]
        assert {*made} - {name for name in made if name.startswith("_")} <= {*dir(commands)}


@pytest.mark.parametrize("build", BUILDERS, ids=lambda build: build.__name__)
def test_a_builder_can_be_pickled_by_its_group_and_by_its_public_name(build: Any) -> None:
    assert pickle.loads(pickle.dumps(build)) is build
    assert pickle.loads(f"c{commands.__name__}\n{build.__name__}\n.".encode()) is build

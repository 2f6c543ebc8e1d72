"""Builders as methods: of each builder one, with its parameters and docstring, that sends its words and reads with its reader."""

from __future__ import annotations

import inspect
import pydoc
import re
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import generate_methods
from resp_sansio import Command, Config, RespError, Result, commands
from resp_sansio.client import CommandBatch
from resp_sansio.methods import AsyncMethods, BatchMethods, Reader, S, SyncMethods, Words
from resp_sansio.wire import encode_command

if TYPE_CHECKING:
    from collections.abc import Callable

BUILDERS: Final = sorted({*dir(commands)} - {"text"})
KINDS: Final = (SyncMethods, AsyncMethods, BatchMethods)


class Blocking(SyncMethods[bytes]):
    """Executes nothing, and returns what it was given."""

    def _do(self, words: Words, read: Reader[Any]) -> Any:
        return encode_command(words), read


class Awaited(AsyncMethods[bytes]):
    """The same when it is awaited."""

    async def _do(self, words: Words, read: Reader[Any]) -> Any:
        return encode_command(words), read


class Pipeline(CommandBatch[S], BatchMethods[S]):
    """A pipeline as adapters make them."""


def awaited(coroutine: Any) -> Any:
    """Return what a coroutine returns that waits for nothing."""
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    return ended.value.value


# -- what is in the tree ---------------------------------------------------------------------------------------------------------


def test_what_is_in_the_tree_is_what_the_script_writes() -> None:
    """Else run `python tests/generate_methods.py`."""
    written = generate_methods.written(Path(commands.__file__).parent)
    core = Path(commands.__file__).parents[1]
    for path, text in written.items():
        place = core.parent if path.parts[0] == core.name else generate_methods.ROOT
        assert (place / path).read_text(encoding="utf-8") == text, path


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_a_method_for_each_builder_and_no_other(kind: type) -> None:
    assert sorted(name for name in vars(kind) if not name.startswith("_")) == BUILDERS


def test_nothing_is_in_the_way_of_a_batch() -> None:
    assert not [name for name in BUILDERS if hasattr(CommandBatch, name)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_inherits_says_how_commands_are_executed(kind: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="abstract method '?_do'?"):
        kind()


# -- how they show themselves ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUILDERS)
def test_a_method_shows_itself_as_its_builder_does(name: str) -> None:
    build = getattr(commands, name)
    signature = inspect.signature(build)
    result = signature.return_annotation.removeprefix("Command[").removesuffix("]")
    for kind in KINDS:
        method = getattr(kind, name)
        shown = inspect.signature(method)
        assert [*shown.parameters.values()][1:] == [*signature.parameters.values()]
        data = re.sub(r"\bbytes\b", "S", result)
        assert shown.return_annotation == (f"Result[{data}]" if kind is BatchMethods else data)
        assert inspect.getdoc(method) == inspect.getdoc(build)
        assert (method.__name__, method.__qualname__) == (name, f"{kind.__name__}.{name}")
        assert inspect.iscoroutinefunction(method) == (kind is AsyncMethods)
        inspect.signature(method, eval_str=True)  # a tool that asks for types gets them


def test_help_shows_parameters_types_and_what_it_does() -> None:
    shown = pydoc.plain(pydoc.render_doc(SyncMethods.getrange))
    assert "getrange(self, key: 'Argument', start: 'int', end: 'int') -> 'S'" in shown
    assert "Return the bytes from `start` to `end`, both included" in shown


def test_a_wrong_call_is_an_error_that_names_the_method() -> None:
    wrong: Any = Blocking()
    with pytest.raises(TypeError, match=r"^SyncMethods.get\(\) missing 1 required positional argument: 'key'$"):
        wrong.get()
    with pytest.raises(TypeError, match=r"^SyncMethods.set\(\) got an unexpected keyword argument 'exp'"):
        wrong.set("k", "v", exp=5)


# -- what they do ------------------------------------------------------------------------------------------------------------------

NO_DATA: Final = st.sampled_from([None, True, object(), ["a"]])
DATA: Final = st.one_of(
    st.sampled_from(["", "k", "ключ", b"\xff", bytearray(b"b"), "NX", "0-1", "*"]), st.integers(), st.floats(), NO_DATA
)
INTS: Final = st.one_of(st.integers(-9, 9), st.sampled_from([None, True, "5", 1.5]))
VALUES: Final[dict[str, st.SearchStrategy[Any]]] = {
    "Aggregate | None": st.sampled_from([None, "SUM", "MIN", "MAX", True]),
    "Argument": DATA,
    "Argument | None": DATA,
    "BitGet": st.one_of(st.just(("GET", "u8", 0)), DATA),
    "BitOperation": st.one_of(st.just(("OVERFLOW", "SAT")), st.just(("SET", "u8", 0, 5)), st.just(("GET",)), DATA),
    "BitUnit": st.sampled_from(["BYTE", "BIT"]),
    "Bitwise": st.sampled_from(["AND", "NOT"]),
    "End": st.sampled_from(["MIN", "MAX"]),
    "Fields": st.one_of(st.dictionaries(st.sampled_from(["f", b"g", 3]), DATA, max_size=3), DATA),
    "FloatType | None": st.sampled_from([None, "FP16", "BF16"]),
    "JsonPath": st.one_of(st.sampled_from(["$", "$.a", b"$..b", "a"]), DATA),
    "Ordering | None": st.sampled_from([None, "OBO", "BULK"]),
    "Places": st.one_of(
        st.dictionaries(st.sampled_from(["m", b"n"]), st.one_of(st.tuples(st.floats(), st.floats()), DATA), max_size=2),
        DATA,
    ),
    "Nack": st.sampled_from(["SILENT", "FAIL", "FATAL"]),
    "Scores": st.one_of(st.dictionaries(st.sampled_from(["m", b"n"]), st.one_of(st.floats(), DATA), max_size=2), DATA),
    "Side": st.sampled_from(["LEFT", "RIGHT"]),
    "Weights | None": st.one_of(st.none(), st.lists(st.one_of(st.integers(), st.floats(), DATA), max_size=3), DATA),
    "Unit": st.sampled_from(["m", "km", "ft", "mi"]),
    "Vertices | None": st.one_of(st.none(), st.lists(st.one_of(st.tuples(st.floats(), st.floats()), DATA)), DATA),
    "Where": st.sampled_from(["BEFORE", "AFTER"]),
    "Triplet": st.one_of(st.just(("k", "$", "1")), st.tuples(DATA, DATA, DATA), DATA),
    "Aggregation": st.one_of(st.just(("avg", 5)), DATA),
    "Aggregation | None": st.sampled_from([None, ("avg", 5), ("avg",)]),
    "Aggregations": st.sampled_from([(["avg"], 5), "avg"]),
    "Aggregations | None": st.sampled_from([None, (["avg"], 5), "avg"]),
    "Align | None": st.one_of(st.none(), st.integers(0), DATA),
    "Bounds | None": st.one_of(st.none(), st.tuples(st.floats(), st.floats()), DATA),
    "BucketTime | None": st.sampled_from([None, "mid"]),
    "Counts": st.one_of(
        st.dictionaries(st.sampled_from(["m", b"n"]), st.one_of(st.integers(), DATA), max_size=2), DATA
    ),
    "Encoding | None": st.sampled_from([None, "COMPRESSED"]),
    "Fields | None": st.one_of(st.none(), st.dictionaries(st.sampled_from(["f", b"g", 3]), DATA, max_size=3), DATA),
    "Grouping | None": st.one_of(st.none(), st.just(("label", "sum")), DATA),
    "Ignore | None": st.one_of(st.none(), st.tuples(st.integers(), st.floats()), DATA),
    "Labels | None": st.one_of(st.none(), st.lists(DATA, max_size=2)),
    "NewSample": st.one_of(st.tuples(DATA, st.integers(), st.floats()), DATA),
    "Policy | None": st.sampled_from([None, "LAST"]),
    "Times | None": st.one_of(st.none(), st.lists(st.integers(), max_size=2), DATA),
    "Vector": st.one_of(st.lists(st.floats(), max_size=3), DATA),
    "Vector | None": st.one_of(st.none(), st.lists(st.floats(), max_size=3), DATA),
    "bool": st.sampled_from([True, False, False, 1, None]),
    "float": st.one_of(st.floats(), DATA),
    "float | None": st.one_of(st.none(), st.floats(), DATA),
    "int": st.one_of(st.integers(), DATA),
    "int | None": INTS,
    "tuple[Argument, Argument] | None": st.one_of(st.none(), st.tuples(DATA, DATA), DATA),
    "tuple[float, float] | None": st.one_of(st.none(), st.tuples(st.floats(), st.floats()), DATA),
    "tuple[int, int] | None": st.one_of(st.none(), st.tuples(st.integers(), st.integers()), DATA),
}
"""What parameters are given, by their annotation: mostly what they take."""


@st.composite
def calls(draw: st.DrawFn, build: Callable[..., object]) -> tuple[list[Any], dict[str, Any]]:
    """A call of a builder: what must be given, and some of what may be."""
    positional: list[Any] = []
    named: dict[str, Any] = {}
    all_given = True
    for parameter in inspect.signature(build).parameters.values():
        values = VALUES.get(parameter.annotation, DATA)
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += draw(st.lists(values, max_size=3)) if all_given else []
        elif parameter.default is not parameter.empty and not draw(st.booleans()):
            all_given = False
        elif parameter.kind is parameter.KEYWORD_ONLY or not all_given:
            named[parameter.name] = draw(values)
        else:
            positional.append(draw(values))
    return positional, named


def outcome(call: Callable[[], tuple[object, object]]) -> tuple[object, object]:
    """What is sent and how its reply is read; of an error, what it is."""
    try:
        return call()
    except (TypeError, ValueError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("name", BUILDERS)
@settings(max_examples=10)  # of each of hundreds
@given(data=st.data())
def test_a_method_sends_and_reads_what_its_builder_says(name: str, data: st.DataObject) -> None:
    build = getattr(commands, name)
    positional, named = data.draw(calls(build))

    def built() -> tuple[object, object]:
        command: Command[Any] = build(*positional, **named)
        return encode_command(command.args), command.read

    def collected() -> tuple[object, object]:
        pipe = Pipeline(Config())
        assert isinstance(getattr(pipe, name)(*positional, **named), Result)
        assert [info is build(*positional, **named).info for info in pipe._infos] == [True]
        return pipe._payloads[0], pipe._readers[0]

    wanted = outcome(built)
    assert outcome(lambda: getattr(Blocking(), name)(*positional, **named)) == wanted
    assert outcome(lambda: awaited(getattr(Awaited(), name)(*positional, **named))) == wanted
    assert outcome(collected) == wanted


def test_a_pipeline_gives_results() -> None:
    pipe: Pipeline[str] = Pipeline(Config(decode=True))
    first, second, third = pipe.incr("n"), pipe.hgetall("h"), pipe.execute("GET", "k")
    wrong = pipe.get("k")
    slot = pipe.slot(inf)
    assert slot
    slot.replies += [7, [b"f", b"v"], b"text", 5]
    pipe.answered(slot)
    assert (first.result(), second.result(), third.result()) == (7, {"f": "v"}, "text")
    with pytest.raises(
        RespError, match="^GET: a bulk string or null was expected, and int came\ncommand 4 of 4 in the"
    ):
        wrong.result()


def test_a_pipeline_waits_as_long_as_its_commands_may_block() -> None:
    pipe = Pipeline(Config(timeout=5))
    pipe.blpop("l", timeout=2)
    pipe.xread({"x": "$"}, block=1000)
    assert pipe.seconds_allowed == 8

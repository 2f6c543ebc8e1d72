"""The adapters have one surface: the same names, parameters, defaults and types, and the same text on what is raised.

The only differences are those of the libraries: `await`, `async with`, and whether the callers are tasks or threads.
"""

from __future__ import annotations

import ast
import inspect
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

import resp_asyncio
import resp_sansio
import resp_sync
import resp_trio

if TYPE_CHECKING:
    from types import ModuleType

ADAPTERS: Final = (resp_sync, resp_asyncio, resp_trio)
ASYNC_ONLY: Final = {"Connecting"}
"""What can be awaited or entered: where nothing is awaited, a function does."""


def own_classes(adapter: ModuleType) -> dict[str, type]:
    """The classes that the adapter exports and that are its own, or its colour's."""
    found = {name: getattr(adapter, name) for name in adapter.__all__}
    return {
        name: each
        for name, each in found.items()
        if inspect.isclass(each) and each.__module__.startswith((adapter.__name__, "resp_sansio.surface"))
    }


def plain(text: str) -> str:
    """An annotation or a docstring without what async and await, tasks and threads make different."""
    text = re.sub(r"\b(?:Awaitable|Coroutine\[Any, Any)\b\[?,? ?(\w+)\]", r"\1", text)
    for theirs, ours in (
        ("AbstractAsyncContextManager", "AbstractContextManager"),
        ("AsyncGenerator", "Generator"),
        ("AsyncIterator", "Iterator"),
        ("AsyncMethods", "SyncMethods"),
        ("Connecting", "Connection"),
        ("async with", "with"),
        ("await ", ""),
    ):
        text = text.replace(theirs, ours)
    return text


def signature(function: Any) -> list[tuple[str, str, object, str]]:
    """Names, kinds, defaults and types of the parameters, and the type of what is returned."""
    told = inspect.signature(function)
    parameters = [
        (each.name, each.kind.name, each.default, plain(str(each.annotation))) for each in told.parameters.values()
    ]
    return [*parameters, ("return", "", None, plain(str(told.return_annotation)))]


def overloads(owner: type, name: str) -> list[str]:
    """The overloads of a method, as its source tells them."""
    (tree,) = ast.parse(inspect.cleandoc("\n" + inspect.getsource(defining(owner, name)))).body
    assert isinstance(tree, ast.ClassDef)
    return [
        plain(f"{ast.unparse(each.args)} -> {each.returns and ast.unparse(each.returns)}")
        for each in tree.body
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        and each.name == name
        and "overload" in [ast.unparse(decorator) for decorator in each.decorator_list]
    ]


def defining(owner: type, name: str) -> type:
    return next(each for each in owner.__mro__ if name in vars(each))


def raised(function: Any) -> str:
    """What the docstring says of errors, without where its lines end."""
    text = inspect.getdoc(function) or ""
    return plain(" ".join(text[text.find("Raises") :].split())) if "Raises" in text else ""


def surface(owner: type) -> dict[str, Any]:
    """The public methods and properties of a class, those left out that every adapter has of the core."""
    return {
        name: each
        for name, each in inspect.getmembers(owner)
        if not name.startswith("_") and not defining(owner, name).__module__.startswith(COMMON)
    }


COMMON: Final = ("resp_sansio.client.batch", "resp_sansio.methods")
SHARED: Final = sorted(set.intersection(*[set(own_classes(adapter)) for adapter in ADAPTERS]))


def test_the_same_names() -> None:
    names = [set(adapter.__all__) - ASYNC_ONLY for adapter in ADAPTERS]
    assert names[0] == names[1] == names[2]
    assert {"Client", "Connection", "Pipeline", "Pool", "WatchedTransaction"} <= set(SHARED)
    for adapter in ADAPTERS:
        assert list(adapter.__all__) == sorted(adapter.__all__)


@pytest.mark.parametrize("name", sorted(set(resp_sync.__all__) - set(SHARED) - {"connect"}))
def test_what_is_not_theirs_is_the_cores(name: str) -> None:
    assert len({getattr(adapter, name) for adapter in ADAPTERS} | {getattr(resp_sansio, name)}) == 1


def test_connect_takes_the_same() -> None:
    told = [signature(adapter.connect) for adapter in ADAPTERS]
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("name", SHARED)
def test_the_same_methods_with_the_same_parameters(name: str) -> None:
    ours, *others = [own_classes(adapter)[name] for adapter in ADAPTERS]
    for theirs in others:
        assert surface(theirs).keys() == surface(ours).keys()
        for method, function in surface(ours).items():
            other = surface(theirs)[method]
            if isinstance(function, property):
                assert isinstance(other, property)
                function, other = function.fget, other.fget
            assert signature(other) == signature(function), method
            assert overloads(theirs, method) == overloads(ours, method), method
            assert raised(other) == raised(function), method


@pytest.mark.parametrize("name", SHARED)
def test_the_same_methods_are_awaited(name: str) -> None:
    one, other = (own_classes(adapter)[name] for adapter in (resp_asyncio, resp_trio))
    awaited = [
        {method for method, function in surface(each).items() if inspect.iscoroutinefunction(inspect.unwrap(function))}
        for each in (one, other)
    ]
    assert awaited[0] == awaited[1]
    for kind in ("enter__", "exit__"):
        assert (
            hasattr(one, "__a" + kind)
            == hasattr(other, "__a" + kind)
            == hasattr(own_classes(resp_sync)[name], "__" + kind)
        )

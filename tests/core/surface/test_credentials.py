"""A provider of credentials is asked, and awaited where that is needed, for as long as there is time."""

from __future__ import annotations

import types
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from core.surface.driver import Tasks
from resp_sansio import Config, ConnectError
from resp_sansio.surface.tasks import ask_for_credentials

entered: list[str] = []


@asynccontextmanager
async def in_time() -> AsyncGenerator[None, None]:
    entered.append("in time")
    yield


@pytest.fixture(autouse=True)
def nothing_entered() -> None:
    entered.clear()


def ask(provider: Callable[[], object] | None) -> object:
    return Tasks().do(ask_for_credentials(Config(credentials=provider), in_time()))  # type: ignore[arg-type]


def test_without_a_provider_there_are_none() -> None:
    assert ask(None) is None


def test_an_answer_that_is_there_is_not_waited_for() -> None:
    assert ask(lambda: ("alice", "secret")) == ("alice", "secret")
    assert not entered


def test_an_answer_may_be_awaited() -> None:
    async def answer() -> str:
        return "secret"

    assert ask(answer) == (None, "secret")
    assert entered == ["in time"]


class Provider:
    """Callable, and one of its methods is."""

    async def __call__(self) -> str:
        return "secret"

    @types.coroutine
    def ask(self) -> Generator[None, None, str]:
        return "secret"
        yield


async def secret(text: str) -> str:
    return text


@types.coroutine
def generated() -> Generator[None, None, str]:
    return "secret"
    yield


@pytest.mark.parametrize("provider", [Provider(), Provider().ask, generated, partial(secret, "secret")])
def test_whatever_can_be_awaited_is(provider: Callable[[], object]) -> None:
    assert ask(provider) == (None, "secret")
    assert entered == ["in time"]


def test_a_generator_that_cannot_be_awaited_is_refused() -> None:
    def generator() -> Generator[str, None, None]:
        yield "secret"

    with pytest.raises(TypeError, match="got generator$"):
        ask(generator)


def test_an_answer_that_does_not_come_in_time_is_worth_another_attempt() -> None:
    async def answer() -> str:
        raise TimeoutError

    with pytest.raises(ConnectError, match="localhost:6379: no credentials came in time") as caught:
        ask(answer)
    assert caught.value.transient


def test_what_a_provider_raises_is_raised() -> None:
    async def answer() -> str:
        raise LookupError("no such secret")

    with pytest.raises(LookupError, match="no such secret"):
        ask(answer)


def test_an_answer_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="credentials must return a password"):
        ask(lambda: 7)

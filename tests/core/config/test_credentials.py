"""Credentials that a callable gives: what it is told, and what it may answer."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import cache, partial, wraps
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import Config
from resp_sansio.config.credentials import read_credentials

SECRET: Final = "hunter2"

texts = st.text(st.characters(exclude_categories=["Cs"]))
names = texts.filter(bool)


def shows(error: BaseException) -> str:
    """Everything that may be logged, or sent to another process, of an error."""
    assert error.__cause__ is None
    assert error.__context__ is None
    return f"{error} {error!r} {pickle.dumps(error)!r}"


# --- What it is told ---------------------------------------------------------------------------------------------------


def of_no_server() -> str:
    return "of any"


def of_server(place: tuple[str, int]) -> str:
    host, port = place
    return f"of {host} {port}"


def on(place: tuple[str, int], /, *, realm: str = "") -> str:
    return of_server(place)


def perhaps(place: tuple[str, int] | None = None) -> str:
    return of_no_server() if place is None else of_server(place)


def any_number(*given: object, **named: object) -> str:
    assert not given
    return of_no_server()


def rest(place: tuple[str, int], *more: object) -> str:
    return of_server(place)


class Vault:
    """Callable, and one of its methods is."""

    def __call__(self, place: tuple[str, int]) -> str:
        return of_server(place)

    def ask(self) -> str:
        return of_no_server()


def passing_on(function: Callable[..., str]) -> Callable[..., str]:
    @wraps(function)
    def wrapped(*args: object, **kwargs: object) -> str:
        return function(*args, **kwargs)

    return wrapped


@wraps(of_server)
def knows_the_place() -> str:
    return of_server(("a.example", 1))


class Unsigned:
    """Its signature is not to be had, as of some callables that are written in C."""

    __signature__ = "none"

    def __call__(self) -> str:
        return of_no_server()


@pytest.mark.parametrize(
    "provider",
    [
        of_server, on, rest, Vault(), Vault().__call__, passing_on(of_server), cache(of_server),
        partial(lambda prefix, place: prefix + of_server(place), ""), knows_the_place,
    ],
)  # fmt: skip
def test_a_provider_that_needs_it_is_told_which_server(provider: Any) -> None:
    assert Config(host="a.example", port=1, credentials=provider).ask_for_credentials() == "of a.example 1"


@pytest.mark.parametrize(
    "provider",
    [
        of_no_server, perhaps, any_number, Vault().ask, passing_on(of_no_server), cache(of_no_server), Unsigned(),
        partial(of_no_server), lambda told="of any": told,
    ],
)  # fmt: skip
def test_another_is_told_nothing(provider: Any) -> None:
    assert Config(credentials=provider).ask_for_credentials() == "of any"


def test_a_provider_that_needs_more_can_not_be_asked() -> None:
    def of_two(host: str, port: int) -> str:
        return host

    wrong: Any = of_two
    with pytest.raises(TypeError, match="missing 2 required positional arguments"):
        Config(credentials=wrong).ask_for_credentials()


def test_a_provider_is_told_of_the_server_that_was_found_or_of_the_socket() -> None:
    assert Config(cluster=["a"], credentials=of_server).at(("b", 7)).ask_for_credentials() == "of b 7"
    assert Config(path="/run/redis.sock", credentials=of_server).ask_for_credentials() == "of /run/redis.sock 0"
    assert Config(password="p").ask_for_credentials() is None


# --- What it may answer ------------------------------------------------------------------------------------------------


@given(username=st.none() | names, password=texts | st.binary())
def test_credentials_are_a_password_or_a_pair(username: str | None, password: str | bytes) -> None:
    assert read_credentials((username, password)) == (username, password)
    assert read_credentials(password) == (None, password)


async def later() -> str:
    return SECRET


@pytest.mark.parametrize("answer", [None, 1, (SECRET,), (1, SECRET), [None, SECRET], ("u", None), {SECRET: SECRET}])
def test_other_answers_are_refused_without_being_shown(answer: object) -> None:
    with pytest.raises(
        TypeError, match=rf"a password or \(username, password\); got {type(answer).__name__}"
    ) as caught:
        read_credentials(answer)
    assert SECRET not in shows(caught.value)


def test_an_awaitable_answer_says_so() -> None:
    """And Python does not warn that it was never awaited."""
    with pytest.raises(TypeError, match="got coroutine: await it first"):
        read_credentials(later())


@pytest.mark.parametrize("answer", [("", SECRET), (SECRET + "\udcff", "p"), SECRET + "\udcff"])
def test_answers_that_no_server_can_be_sent(answer: object) -> None:
    with pytest.raises(ValueError, match="credentials returned") as caught:
        read_credentials(answer)
    assert SECRET not in shows(caught.value)

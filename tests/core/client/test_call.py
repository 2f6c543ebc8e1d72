"""What every call has in common: the time it may take, the text it may become, the reading of its reply."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import DEFAULT, Command, Config, ConnectionLostError, LocalProtocolError, Push, UnexpectedReplyError
from resp_sansio.client import command_alone, error_of, push_as_text, seconds_allowed, text_of
from resp_sansio.connection import SlotState, new_slot


@given(configured=st.none() | st.floats(0.001, 100.0), blocking=st.floats(0.0, 1000.0) | st.just(inf))
def test_the_configured_time_is_extended_by_what_the_server_may_take(configured: float | None, blocking: float) -> None:
    expected = inf if configured is None else configured + blocking
    assert seconds_allowed(Config(timeout=configured), DEFAULT, blocking) == expected
    assert seconds_allowed(Config(timeout=configured)) == seconds_allowed(Config(timeout=configured), DEFAULT, 0.0)


@given(timeout=st.floats(0.0, 1e9) | st.integers(0, 10**9), blocking=st.floats(0.0, 1000.0))
def test_a_time_that_is_given_covers_everything(timeout: float, blocking: float) -> None:
    assert seconds_allowed(Config(), timeout, blocking) == timeout
    assert seconds_allowed(Config(), None, blocking) == inf


@pytest.mark.parametrize(
    ("timeout", "error"),
    [(-1, ValueError), (float("nan"), ValueError), (10**400, ValueError), ("1", TypeError), (True, TypeError)],
)
def test_what_is_no_length_of_time_is_refused(timeout: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="timeout must"):
        seconds_allowed(Config(), timeout)


@pytest.mark.parametrize(("decode", "encoding"), [(True, "utf-8"), (False, None), ("UTF8", "UTF8"), (DEFAULT, "ascii")])
def test_text_is_what_was_asked_for(decode: Any, encoding: str | None) -> None:
    assert text_of(Config(decode="ascii"), decode).encoding == encoding


@pytest.mark.parametrize(
    ("decode", "error"),
    [
        ("nope", ValueError),
        ("utf-16", ValueError),
        ("latin-1", ValueError),
        ("iso2022_jp", ValueError),
        ("idna", ValueError),
        (None, TypeError),
        (1, TypeError),
    ],
)
def test_what_names_no_encoding_is_refused(decode: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="decode must be True \\(UTF-8\\), False, or a name of UTF-8 or ASCII"):
        text_of(Config(), decode)


def test_an_error_about_an_encoding_is_short() -> None:
    with pytest.raises(ValueError, match="decode must be") as refused:
        text_of(Config(), "x" * 1_000_000)
    assert len(str(refused.value)) < 200


def test_a_command_stands_alone() -> None:
    command = Command("GET", "k")
    assert command_alone(command) is command
    with pytest.raises(TypeError, match="nothing beside it"):
        command_alone(command, "k")


def test_a_push_becomes_text_but_for_its_kind() -> None:
    push = Push("message", (b"channel", b"text"))
    assert push_as_text(push, Config().text) is push
    assert push_as_text(push, Config().as_text) == Push("message", ("channel", "text"))
    with pytest.raises(UnexpectedReplyError, match="^message: the data is no utf-8 text") as caught:
        push_as_text(Push("message", (b"\xff",)), Config().as_text)
    assert caught.value.__context__ is None, "which would have the data"


@pytest.mark.parametrize(
    ("cause", "itself"), [(LocalProtocolError("no"), True), (OSError("no"), True), (ConnectionLostError("gone"), False)]
)
def test_each_caller_is_told_an_error_of_its_own_but_for_those_that_concern_it_alone(
    cause: Exception, itself: bool
) -> None:
    slot = new_slot(("GET", "k"))
    slot.settle(SlotState.WITHDRAWN, 0)
    slot.cause = cause
    assert (error_of(slot) is cause) == itself
    assert type(error_of(slot)) is type(cause)

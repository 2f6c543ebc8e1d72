"""Credentials that a callable gives: it is asked at each dial, and told of which server if it wants to know."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from types import GeneratorType
from typing import Final, TypeAlias, TypeGuard, cast

from .options import is_text

__all__ = ["CredentialProvider", "Credentials", "ask", "can_be_awaited", "read_credentials"]

Credentials: TypeAlias = str | bytes | tuple[str | None, str | bytes]
"""A password, or a user name and a password. Redis takes any bytes as a password; a `str` is sent as UTF-8."""

CredentialProvider: TypeAlias = (
    Callable[[], Credentials | Awaitable[Credentials]]
    | Callable[[tuple[str, int]], Credentials | Awaitable[Credentials]]
)
"""Asked at each dial, so that tokens may change. A blocking adapter takes no awaitable.

One with a parameter that it needs is given the place of the server: `(host, port)`, or `(path, 0)` of a unix socket.
"""

ITERABLE_COROUTINE: Final = 0x100
"""`inspect.CO_ITERABLE_COROUTINE`; that module takes long to import."""


def ask(provider: CredentialProvider, place: tuple[str, int]) -> Credentials | Awaitable[Credentials]:
    """Return what a provider answers of the server at this place. Raises whatever it raises."""
    called = cast("Callable[..., Credentials | Awaitable[Credentials]]", provider)
    return called(place) if _wants_place(called) else called()


def _wants_place(provider: Callable[..., object]) -> bool:
    """Is there one parameter that it needs?"""
    from inspect import Parameter, signature  # only ever needed where there is a provider

    # One that passes on what it is given, `*args`, needs what is behind it needs.
    for behind in False, True:
        try:
            parameters = signature(provider, follow_wrapped=behind).parameters.values()
        except (TypeError, ValueError):  # of some callables that are written in C
            continue
        kinds = [one.kind for one in parameters if one.default is Parameter.empty]
        needed = kinds.count(Parameter.POSITIONAL_ONLY) + kinds.count(Parameter.POSITIONAL_OR_KEYWORD)
        if needed or Parameter.VAR_POSITIONAL not in kinds:
            return needed == 1
    return False


def can_be_awaited(answer: object) -> TypeGuard[Awaitable[object]]:
    """Is it something to await? A generator is, if its function was made a coroutine by `types.coroutine`."""
    marked = isinstance(answer, GeneratorType) and answer.gi_code.co_flags & ITERABLE_COROUTINE
    return bool(marked) or isinstance(answer, Awaitable)


def read_credentials(answer: object) -> tuple[str | None, str | bytes]:
    """Return the user name, if any, and the password that a credential provider answered with.

    Raises `TypeError` for anything else, an awaitable included, and `ValueError` for text that no AUTH can carry; neither
    says what came.
    """
    username, password = answer if isinstance(answer, tuple) and len(answer) == 2 else (None, answer)
    if not isinstance(username, str | None) or not isinstance(password, str | bytes):
        came = f"{type(answer).__name__}: await it first" if can_be_awaited(answer) else type(answer).__name__
        if isinstance(answer, Coroutine):
            answer.close()  # or Python warns that it never was
        raise TypeError(f"credentials must return a password or (username, password); got {came}")
    if username == "" or not is_text(username or "") or not is_text(password):
        raise ValueError("credentials returned an empty user name, or text that UTF-8 cannot encode")
    return username, password

"""What a type checker knows of a configuration. Never run: mypy --strict reads it, and an ignore that is not needed fails."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from typing import Literal, Unpack, assert_type

from resp_sansio.commands.decoding import Text
from resp_sansio.config.config import Config, Options, TLSContext
from resp_sansio.config.credentials import CredentialProvider, Credentials, read_credentials


def read() -> None:
    config = Config.from_url("redis://localhost", timeout=None, decode="utf-8", protocol=2)
    assert_type(config, Config)
    assert_type(config.replace(db=1), Config)
    assert_type(config.host, str)
    assert_type(config.path, str | None)
    assert_type(config.password, str | bytes | None)
    assert_type(config.protocol, Literal[2, 3])
    assert_type(config.timeout, float | None)
    assert_type(config.ssl_context, TLSContext | None)
    assert_type(config.as_text, Text[str])
    assert_type(config.ask_for_credentials(), Credentials | Awaitable[Credentials] | None)
    assert_type(read_credentials("password"), tuple[str | None, str | bytes])


def behind_sentinels() -> None:
    config = Config(sentinels=["s1", "s2:26379", ("s3", 26379)], master_name="m", sentinel_tls=None)
    assert_type(config, Config)
    assert_type(Config.from_url("redis+sentinel://s1,s2/m", sentinel_password=b"theirs"), Config)
    assert_type(config.master_name, str | None)
    assert_type(config.sentinel_password, str | bytes | None)
    assert_type(config.sentinel_tls, bool | None)
    Config(sentinels=[26379], master_name="m")  # type: ignore[list-item]
    Config(sentinels=["s1"], master_name=None, sentinel_username=7)  # type: ignore[arg-type]


def misuse(config: Config) -> None:
    config.db = 1  # type: ignore[misc]
    Config("redis://localhost")  # type: ignore[call-arg]
    Config(tiemout=1)  # type: ignore[call-arg]
    Config(timeout="1")  # type: ignore[arg-type]
    Config(protocol=4)  # type: ignore[arg-type]
    Config(host=None)  # type: ignore[arg-type]
    Config(ssl_context=True)  # type: ignore[arg-type]
    Config.from_url("redis://", tiemout=1)  # type: ignore[call-arg]
    Config.from_url("redis://", timeout="1")  # type: ignore[arg-type]
    config.replace(tiemout=1)  # type: ignore[call-arg]


def connect(url: str, **options: Unpack[Options]) -> Config:
    """How an adapter hands options on."""
    return Config.from_url(url, **options)


def password() -> str:
    return "password"


def pair() -> tuple[str, str]:
    return "user", "password"


async def token() -> tuple[str, bytes]:
    return "user", b"token"


def by_place(place: tuple[str, int]) -> str:
    return place[0]


async def token_by_place(place: tuple[str, int]) -> tuple[str, bytes]:
    return place[0], b"token"


def by_two(host: str, port: int) -> str:
    return host


def number() -> int:
    return 1


connect("redis://", credentials=password)
connect("redis://", credentials=pair)
connect("redis://", credentials=token)
connect("redis://", credentials=by_place)
connect("redis://", credentials=token_by_place)
connect("redis://", credentials=lambda: "password")
connect("redis://", credentials=lambda place: place[0])
connect("redis://", credentials=by_two)  # type: ignore[arg-type]
connect("redis://", credentials=number)  # type: ignore[arg-type]
connect("rediss://", ssl_context=ssl.create_default_context())
connect("redis://", tiemout=1)  # type: ignore[call-arg]

provider: CredentialProvider = token
narrower: Callable[[], str] = provider  # type: ignore[assignment]

"""A cache beside what is slow: where a value is missing, one caller loads it and the others wait for that."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import uniform
from secrets import token_hex

import trio

from resp_sansio import as_int
from resp_trio import Client, Commands, RespError, Script

GIVE_BACK = Script("return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0", read=as_int)


async def cached(
    client: Commands[bytes],
    key: str,
    load: Callable[[], Awaitable[bytes]],
    *,
    seconds: float,
    load_seconds: float = 30.0,
) -> bytes:
    """Return what is kept at the key, or load it and keep it for so many seconds.

    A loader that has died is one no more after `load_seconds`: then another one loads.
    """
    loading, token = f"{key}:loading", token_hex(16)
    while (value := await client.get(key)) is None:
        maybe_ours = True
        try:
            maybe_ours = await client.set(loading, token, nx=True, px=int(load_seconds * 1000))
            if maybe_ours:
                value = await client.get(key)  # another one may have loaded it just before
                if value is None:
                    value = await load()
                    await client.set(key, value, px=int(seconds * 1000))
                return value
        finally:
            if maybe_ours:
                with trio.move_on_after(1, shield=True), suppress(RespError):  # its time will end it
                    await client.run(GIVE_BACK, [loading], [token])
        await trio.sleep(uniform(0.01, 0.05))
    return value


async def main(url: str) -> None:
    async def load() -> bytes:
        print("loading")  # loading
        return b"Ada Lovelace"

    async with Client(url) as client:
        print(await cached(client, "user:1", load, seconds=60.0))  # b'Ada Lovelace'
        print(await cached(client, "user:1", load, seconds=60.0))  # b'Ada Lovelace'


if __name__ == "__main__":
    trio.run(main, sys.argv[1])

"""A semaphore that processes share: so many of them hold it at a time, each until it gives it back or its time is over."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from math import inf
from random import uniform
from secrets import token_hex
from time import monotonic
from typing import Any

import trio

from resp_sansio import as_int
from resp_trio import Client, Commands, Outcome, RespError, Script

# A sorted set of the holders' tokens, each with the time, by the server's clock, at which it ends.
TAKE = Script(
    """
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
    if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
    redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
    redis.call('PEXPIREAT', KEYS[1], redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2])
    return 1
    """,
    read=as_int,
)
GIVE_BACK = Script("return redis.call('ZREM', KEYS[1], ARGV[1])", read=as_int)


@asynccontextmanager
async def semaphore(
    client: Commands[Any], name: str, limit: int, *, seconds: float = 30.0, patience: float = inf
) -> AsyncIterator[None]:
    """Be one of `limit` holders for a block. Raises `TimeoutError` if there are as many for longer than the patience lasts."""
    token = token_hex(16)
    give_up = monotonic() + patience
    try:
        while not await take(client, name, [token, int(seconds * 1000), limit]):
            if monotonic() >= give_up:
                raise TimeoutError(f"{name} is held by {limit} others")
            await trio.sleep(uniform(0.02, 0.1))  # at random: those who wait do not come all at once
        yield
    finally:
        with trio.move_on_after(1, shield=True), suppress(RespError):  # its time will end it
            await client.run(GIVE_BACK, [name], [token])  # also if it is only maybe ours


async def take(client: Commands[Any], name: str, args: list[str | int]) -> bool:
    try:
        return await client.run(TAKE, [name], args) == 1
    except RespError as error:
        if error.outcome is not Outcome.MAYBE_EXECUTED:
            raise
        return False  # if it is ours, the next one finds that out


async def main(url: str) -> None:
    async with Client(url) as client:
        async with semaphore(client, "sem:mails", 2), semaphore(client, "sem:mails", 2):
            print(await client.zcard("sem:mails"))  # 2
            try:
                async with semaphore(client, "sem:mails", 2, patience=0.1):
                    print("never")
            except TimeoutError as error:
                print(error)  # sem:mails is held by 2 others
        print(await client.zcard("sem:mails"))  # 0


if __name__ == "__main__":
    trio.run(main, sys.argv[1])

"""A semaphore that processes share: so many of them hold it at a time, each until it gives it back or its time is over."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import inf
from random import uniform
from secrets import token_hex
from typing import Any

from resp_sansio import as_int
from resp_sync import Client, Commands, Outcome, RespError, Script

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


@contextmanager
def semaphore(
    client: Commands[Any], name: str, limit: int, *, seconds: float = 30.0, patience: float = inf
) -> Iterator[None]:
    """Be one of `limit` holders for a block. Raises `TimeoutError` if there are as many for longer than the patience lasts."""
    token = token_hex(16)
    give_up = time.monotonic() + patience
    try:
        while not take(client, name, [token, int(seconds * 1000), limit]):
            if time.monotonic() >= give_up:
                raise TimeoutError(f"{name} is held by {limit} others")
            time.sleep(uniform(0.02, 0.1))  # at random: those who wait do not come all at once
        yield
    finally:
        with suppress(RespError):  # its time will end it
            client.run(GIVE_BACK, [name], [token])  # also if it is only maybe ours


def take(client: Commands[Any], name: str, args: list[str | int]) -> bool:
    try:
        return client.run(TAKE, [name], args) == 1
    except RespError as error:
        if error.outcome is not Outcome.MAYBE_EXECUTED:
            raise
        return False  # if it is ours, the next one finds that out


def main(url: str) -> None:
    with Client(url) as client:
        with semaphore(client, "sem:mails", 2), semaphore(client, "sem:mails", 2):
            print(client.zcard("sem:mails"))  # 2
            try:
                with semaphore(client, "sem:mails", 2, patience=0.1):
                    print("never")
            except TimeoutError as error:
                print(error)  # sem:mails is held by 2 others
        print(client.zcard("sem:mails"))  # 0


if __name__ == "__main__":
    main(sys.argv[1])

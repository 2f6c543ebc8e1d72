"""A lock that processes share: one of them holds it, until it gives it back or its time is over."""

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

# Each may run twice for the same token and does the same then, so where a reply was lost it is run again.
TAKE = Script(
    """
    if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
    return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
    """,
    read=as_int,
)
KEEP = Script(
    "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0", read=as_int
)
GIVE_BACK = Script("return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0", read=as_int)


class LockLostError(Exception):
    """The lock was not held until the end: its time was over, or the server has lost it. Another may have had it."""


class Held:
    """A lock within its block: `until` is when its time is over, by `time.monotonic()`, and `extend` begins that anew."""

    def __init__(self, client: Commands[Any], name: str, seconds: float) -> None:
        self._client = client
        self._name = name
        self._seconds = seconds
        self._token = token_hex(16)  # of this block alone: what another holds is never given back
        self.until = 0.0

    async def extend(self) -> None:
        """Hold it for so many seconds from now. Raises `LockLostError` if it is not held any more."""
        if not await self._run(KEEP):
            raise LockLostError(self._name)

    async def take(self) -> bool:
        try:
            return await self._run(TAKE)
        except RespError as error:
            if error.outcome is not Outcome.MAYBE_EXECUTED:
                raise
            return False  # if it is ours, the next one finds that out

    async def give_back(self) -> bool:
        with trio.move_on_after(1, shield=True), suppress(RespError):
            return await self._run(GIVE_BACK)
        return True  # its time will end it

    async def _run(self, script: Script[int]) -> bool:
        began = monotonic()
        done = await self._client.run(script, [self._name], [self._token, int(self._seconds * 1000)]) == 1
        if done:
            self.until = began + self._seconds  # the server began to count later
        return done


@asynccontextmanager
async def lock(
    client: Commands[Any], name: str, *, seconds: float = 30.0, patience: float = inf
) -> AsyncIterator[Held]:
    """Hold the lock of this name for a block. Raises `TimeoutError` if others hold it for longer than the patience lasts."""
    held = Held(client, name, seconds)
    give_up = monotonic() + patience
    try:
        while not await held.take():
            if monotonic() >= give_up:
                raise TimeoutError(f"{name} is held by another")
            await trio.sleep(uniform(0.02, 0.1))  # at random: those who wait do not come all at once
        yield held
    except BaseException:
        await held.give_back()  # also if it is only maybe ours
        raise
    if not await held.give_back():
        raise LockLostError(name)


async def main(url: str) -> None:
    async with Client(url) as client:
        async with lock(client, "lock:report", seconds=10.0) as held:
            print(await client.exists("lock:report"))  # 1
            await held.extend()
            try:
                async with lock(client, "lock:report", patience=0.1):
                    print("never")
            except TimeoutError as error:
                print(error)  # lock:report is held by another
        print(await client.exists("lock:report"))  # 0


if __name__ == "__main__":
    trio.run(main, sys.argv[1])

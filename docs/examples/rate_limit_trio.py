"""A rate limit that processes share: so many calls a second on average, and so many at once after a pause."""

from __future__ import annotations

import sys
from typing import Any

import trio

from resp_sansio import as_int
from resp_trio import Client, Commands, Script

# The key holds the time, in microseconds of the server's clock, at which all calls so far are paid for.
PASS = Script(
    """
    local time = redis.call('TIME')
    local now, price, burst = time[1] * 1000000 + time[2], tonumber(ARGV[1]), tonumber(ARGV[2])
    local paid = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + price
    local early = paid - now - burst * price
    if early > 0 then return math.ceil(early) end
    redis.call('SET', KEYS[1], string.format('%.0f', paid), 'PX', math.ceil((paid - now) / 1000))
    return 0
    """,
    read=as_int,
)


async def must_wait(client: Commands[Any], name: str, *, rate: float, burst: int = 1) -> float:
    """Count a call and return 0.0 if it may be made now; else count nothing and return in how many seconds it may be."""
    return await client.run(PASS, [name], [round(1_000_000 / rate), burst]) / 1_000_000


async def main(url: str) -> None:
    async with Client(url) as client:
        waits = [await must_wait(client, "rate:ada", rate=0.1, burst=3) for _ in range(4)]
        print([wait == 0.0 for wait in waits])  # [True, True, True, False]
        print(0 < waits[3] <= 10)  # True


if __name__ == "__main__":
    trio.run(main, sys.argv[1])

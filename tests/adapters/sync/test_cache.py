"""Each command whose reply may be kept: the server tells of a change to any of its keys. And caches of threads at once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from resp_sansio.commands.caching import CACHEABLE
from resp_sync import Cache, Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers import Server

GEO: Final = ("g", "FROMLONLAT", "13", "38", "BYRADIUS", "100", "km")

# For each of them its arguments, the first key being what another client changes.
READS: Final[dict[str, tuple[str, ...]]] = {
    "BITCOUNT": ("s",),
    "BITFIELD_RO": ("s", "GET", "u8", "0"),
    "BITPOS": ("s", "1"),
    "EXISTS": ("s", "other"),
    "GEODIST": ("g", "a", "b"),
    "GEOHASH": ("g", "a"),
    "GEOPOS": ("g", "a"),
    "GEORADIUSBYMEMBER_RO": ("g", "a", "100", "km"),
    "GEORADIUS_RO": ("g", "13", "38", "100", "km"),
    "GEOSEARCH": GEO,
    "GET": ("s",),
    "GETBIT": ("s", "1"),
    "GETRANGE": ("s", "0", "1"),
    "HEXISTS": ("h", "f"),
    "HGET": ("h", "f"),
    "HGETALL": ("h",),
    "HKEYS": ("h",),
    "HLEN": ("h",),
    "HMGET": ("h", "f", "g"),
    "HSTRLEN": ("h", "f"),
    "HVALS": ("h",),
    "LCS": ("s", "other"),
    "LINDEX": ("l", "0"),
    "LLEN": ("l",),
    "LPOS": ("l", "a"),
    "LRANGE": ("l", "0", "-1"),
    "MGET": ("s", "other"),
    "SCARD": ("m",),
    "SDIFF": ("m", "n"),
    "SINTER": ("m", "n"),
    "SINTERCARD": ("2", "m", "n"),
    "SISMEMBER": ("m", "a"),
    "SMEMBERS": ("m",),
    "SMISMEMBER": ("m", "a", "b"),
    "STRLEN": ("s",),
    "SUBSTR": ("s", "0", "1"),
    "SUNION": ("m", "n"),
    "TYPE": ("s",),
    "XLEN": ("x",),
    "XRANGE": ("x", "-", "+"),
    "XREVRANGE": ("x", "+", "-"),
    "ZCARD": ("z",),
    "ZCOUNT": ("z", "-inf", "+inf"),
    "ZDIFF": ("2", "z", "y"),
    "ZINTER": ("2", "z", "y"),
    "ZINTERCARD": ("2", "z", "y"),
    "ZLEXCOUNT": ("z", "-", "+"),
    "ZMSCORE": ("z", "a"),
    "ZRANGE": ("z", "0", "-1"),
    "ZRANGEBYLEX": ("z", "-", "+"),
    "ZRANGEBYSCORE": ("z", "-inf", "+inf"),
    "ZRANK": ("z", "a"),
    "ZREVRANGE": ("z", "0", "-1"),
    "ZREVRANGEBYLEX": ("z", "+", "-"),
    "ZREVRANGEBYSCORE": ("z", "+inf", "-inf"),
    "ZREVRANK": ("z", "a"),
    "ZSCORE": ("z", "a"),
    "ZUNION": ("2", "z", "y"),
}
THERE: Final = (
    ("SET", "s", "abc"), ("HSET", "h", "f", "v"), ("RPUSH", "l", "a"), ("SADD", "m", "a"), ("ZADD", "z", "1", "a"),
    ("XADD", "x", "1-1", "f", "v"), ("GEOADD", "g", "13", "38", "a", "14", "39", "b"),
)  # fmt: skip
CHANGES: Final = {
    "s": ("SET", "s", "xyz"), "h": ("HSET", "h", "f", "w"), "l": ("RPUSH", "l", "b"), "m": ("SADD", "m", "b"),
    "z": ("ZADD", "z", "2", "b"), "x": ("XADD", "x", "2-1", "f", "v"), "g": ("GEOADD", "g", "15", "40", "a"),
}  # fmt: skip


@pytest.fixture
def client(server: Server) -> Iterator[Client[bytes]]:
    server.call("FLUSHALL")
    with Client(server.url, cache=Cache()) as made:
        made.execute("PING")
        yield made


def invalidations(client: Client[Any]) -> int:
    stats = client.stats().cache
    assert stats is not None
    return stats.invalidations


def hits(client: Client[Any]) -> int:
    stats = client.stats().cache
    assert stats is not None
    return stats.hits


def hear(client: Client[Any], before: int) -> None:
    until = time.monotonic() + 5
    while invalidations(client) == before and time.monotonic() < until:
        client.execute("PING")
    assert invalidations(client) > before


def test_each_command_whose_reply_may_be_kept_has_its_line() -> None:
    assert READS.keys() == CACHEABLE


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.needs(name)) for name in sorted(READS)])
def test_the_server_tells_of_a_change_to_what_was_read(client: Client[bytes], server: Server, name: str) -> None:
    words = (name, *READS[name])
    for there in THERE:
        server.call(*there)
    before = client.execute(*words)
    counted = hits(client)
    assert client.execute(*words) == before
    assert hits(client) == counted + 1
    heard = invalidations(client)
    key = next(word for word in words[1:] if word in CHANGES)
    server.call(*CHANGES[key])
    hear(client, heard)
    client.execute(*words)
    assert hits(client) == counted + 1
    heard = invalidations(client)
    server.call("DEL", key)
    hear(client, heard)
    client.execute(*words)
    assert hits(client) == counted + 1


@pytest.mark.needs("HPEXPIRE")
def test_fields_that_expire_are_told_of(client: Client[bytes], server: Server) -> None:
    server.call("HSET", "h", "f", "v", "g", "w")
    assert client.hget("h", "f") == b"v"
    heard = invalidations(client)
    client.execute("HPEXPIRE", "h", "50", "FIELDS", "1", "f")
    hear(client, heard)
    heard = invalidations(client)
    assert client.hgetall("h") == {b"f": b"v", b"g": b"w"}
    hear(client, heard)
    assert client.hgetall("h") == {b"g": b"w"}


def test_threads_read_and_write_at_once(server: Server) -> None:
    """Each sees its own writes, which no other thread makes, whatever the others do; at the end all is as the server has it."""
    server.call("FLUSHALL")
    failures: list[int] = []
    with Client(server.url, cache=Cache(max_bytes=20_000)) as client:

        def work(mine: str) -> None:
            for number in range(150):
                client.set(mine, number)
                read = [client.get(mine) for _ in range(3)]
                failures.extend(number for value in read if value != b"%d" % number)
                client.mget("a", "b", "c", "d")

        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        hear_all = invalidations(client)
        server.call("SET", "e", "1")
        client.get("e")
        server.call("SET", "e", "2")
        hear(client, hear_all)
        for name in "abcd":
            assert client.get(name) == server.call("GET", name) == b"149"
        assert hits(client)

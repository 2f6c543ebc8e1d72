"""The contract of large values: what is read is one value or an error, what is written is there whole or not at all.

Nothing is left behind: no temporary key without an expiry, no connection that is still lent, no WATCH.
"""

from __future__ import annotations

import io
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from adapters.backends import CANCELLED, Backend, contract, contract_of_tasks, seeded
from adapters.peers import PROGRAMS, Faults, Proxy, run_program
from resp_sansio import (
    CallEnded,
    CommandTimeoutError,
    ConnectionLostError,
    LocalProtocolError,
    NoSuchKeyError,
    Observer,
    Outcome,
    ReplyError,
    RespError,
    Retry,
    TornValueError,
    TransactionRefusedError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")

PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])
KINDS = pytest.mark.parametrize("kind", ["connect", "pool", "client"])

CHUNK: Final = 1000


def letters(size: int) -> bytes:
    """A value in which each part is another."""
    return b"".join(b"%07d " % number for number in range(size // 8 + 1))[:size]


VALUE: Final = letters(10 * CHUNK + 1)


async def read(redis: Any, key: str = "k", each: Callable[[int], Any] = lambda _: None, **options: Any) -> bytes:
    """Read a value, chunk by chunk; `each` is called, or awaited, with how many there have been."""
    chunks: list[bytes] = []
    async with redis.read_value(key, **{"chunk_size": CHUNK, **options}) as value:
        async for chunk in value:
            chunks.append(chunk)
            if (more := each(len(chunks))) is not None:
                await more
        assert value.position == value.size == sum(map(len, chunks))
    return b"".join(chunks)


def left(server: Server) -> list[bytes]:
    """The temporary keys that there are."""
    keys = server.call("KEYS", "*.unfinished-*")
    assert isinstance(keys, list)
    return [key for key in keys if isinstance(key, bytes)]


def there_are(server: Server, count: int) -> bool:
    """Are there so many temporary keys?"""
    return len(left(server)) == count


class Paced:
    """A source of pieces that does something before each: for tasks and for threads."""

    def __init__(self, backend: Backend, *pieces: bytes, before: Callable[[int], object], pause: float = 0.0) -> None:
        self._backend = backend
        self._pieces = pieces
        self._before = before
        self._pause = pause
        self._pauses: dict[int, float] = {}

    def pause_before(self, index: int, seconds: float) -> None:
        """Pause before this piece."""
        self._pauses[index] = seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for index, piece in enumerate(self._pieces):
            await self._backend.sleep(self._pauses.get(index, self._pause))
            self._before(index)
            yield piece

    def __iter__(self) -> Iterator[bytes]:
        for index, piece in enumerate(self._pieces):
            time.sleep(self._pauses.get(index, self._pause))
            self._before(index)
            yield piece


class Held(Paced):
    """A source that gives some pieces and then waits, until its caller is cancelled."""

    def __init__(self, backend: Backend, pieces: int) -> None:
        self.reached = False
        super().__init__(backend, *[bytes(CHUNK)] * pieces, b"", b"", before=self._reach)
        self._last = pieces
        self.pause_before(pieces + 1, 30.0)

    def _reach(self, index: int) -> None:
        self.reached = index == self._last


# -- there and back --------------------------------------------------------------------------------------------------------------


@pytest.mark.over_a_cluster
@KINDS
@PROTOCOLS
@contract
async def test_what_was_written_is_read(backend: Backend, server: Server, protocol: int, kind: str) -> None:
    async with getattr(backend, kind)(server.url, protocol=protocol, decode=True) as redis:
        for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK, 10 * CHUNK + 1):
            value = letters(size)
            for ahead in (1, 3):
                assert await redis.write_value("k", value, chunk_size=CHUNK, ahead=ahead) is True
                assert server.call("GET", "k") == value
                assert await read(redis, ahead=ahead) == value
    assert server.call("KEYS", "*") == [b"k"]
    assert server.call("TTL", "k") == -1


@pytest.mark.over_a_cluster
@contract
async def test_a_source_is_bytes_or_a_file_or_pieces_of_any_length(backend: Backend, server: Server) -> None:
    chance = seeded()

    def pieces() -> Iterator[bytes | bytearray | memoryview]:
        at = 0
        while at < len(VALUE):
            end = at + chance.randrange(3 * CHUNK)
            yield chance.choice([bytes, bytearray, memoryview])(VALUE[at:end])
            at = end

    def reused() -> Iterator[bytearray]:
        buffer = bytearray()
        for at in range(0, len(VALUE), 700):
            buffer[:] = VALUE[at : at + 700]
            yield buffer

    sources: list[Any] = [
        VALUE,
        bytearray(VALUE),
        memoryview(VALUE),
        io.BytesIO(VALUE),
        pieces(),
        [*pieces()],
        reused(),
    ]
    async with backend.client(server.url) as client:
        for source in sources:
            await client.delete("k")
            assert await client.write_value("k", source, chunk_size=CHUNK)
            assert await client.get("k") == VALUE


@pytest.mark.over_a_cluster
@contract_of_tasks
async def test_tasks_await_a_source(backend: Backend, server: Server) -> None:
    class File:
        def __init__(self) -> None:
            self._file = io.BytesIO(VALUE)

        async def read(self, size: int) -> bytes:
            await backend.sleep(0)
            return self._file.read(size)

    source: Any
    async with backend.client(server.url) as client:
        for source in (File(), Paced(backend, VALUE[:1500], VALUE[1500:], before=lambda _: None)):
            await client.delete("k")
            assert await client.write_value("k", source, chunk_size=CHUNK)
            assert await client.get("k") == VALUE


@contract
async def test_what_is_no_source_is_told(backend: Backend, server: Server) -> None:
    wrong: list[tuple[Any, str]] = [
        ("text", "a value is written as bytes, and its source gave str"),
        (["text"], "a value is written as bytes, and its source gave str"),
        (io.StringIO("text"), "a value is written as bytes, and its source gave str"),
        (7, "from bytes, a file, or an iterable of bytes, not from int"),
        ([b"x" * 2 * CHUNK, None], "a bytes-like object is required"),
    ]
    client: Any
    options: dict[str, Any]
    async with backend.client(server.url) as client:
        for source, why in wrong:
            with pytest.raises(TypeError, match=why):
                await client.write_value("k", source, chunk_size=CHUNK)
        for options, error in (
            ({"chunk_size": 0}, ValueError),
            ({"chunk_size": "1"}, TypeError),
            ({"ahead": 0}, ValueError),
            ({"ex": 0}, ValueError),
            ({"ex": 1, "px": 1}, ValueError),
            ({"nx": True, "xx": True}, ValueError),
            ({"unfinished": 0}, ValueError),
            ({"unfinished": "1"}, TypeError),
            ({"timeout": "1"}, TypeError),
        ):
            with pytest.raises(error):
                await client.write_value("k", b"", **options)
        with pytest.raises(ValueError, match="chunk_size"):
            client.read_value("k", chunk_size=0)
        assert server.call("KEYS", "*") == []


@contract
async def test_where_all_share_one_connection_they_share_it_with_a_value(backend: Backend, server: Server) -> None:
    async with backend.client(server.url, max_connections=1) as client:

        async def ask() -> None:
            for number in range(50):
                assert await client.echo(f"{number}") == b"%d" % number

        async def move() -> None:
            assert await client.write_value("k", VALUE, chunk_size=CHUNK, nx=True)
            assert await read(client) == VALUE

        assert await backend.together(ask, move, ask) == [None] * 3


@pytest.mark.over_a_cluster
@KINDS
@contract
async def test_options_are_those_of_set(backend: Backend, server: Server, kind: str) -> None:
    async with getattr(backend, kind)(server.url) as redis:
        write = partial(redis.write_value, "k", VALUE, chunk_size=CHUNK)
        assert await write(xx=True) is False
        assert await write(nx=True, ex=100) is True
        assert 0 < await redis.ttl("k") <= 100
        assert await write(nx=True) is False
        assert await redis.write_value("k", b"other", keepttl=True) is True
        assert 0 < await redis.ttl("k") <= 100
        assert await write(xx=True, px=50_000) is True
        assert 0 < await redis.pttl("k") <= 50_000
        assert await write() is True
        assert await redis.ttl("k") == -1
        assert await write(keepttl=True) is True
        assert await redis.ttl("k") == -1
        await redis.delete("k")
        await redis.lpush("k", "of another type")
        assert await write() is True
        assert await redis.get("k") == VALUE
        assert left(server) == []


@contract
async def test_what_cannot_be_read_is_told(backend: Backend, server: Server) -> None:
    server.call("LPUSH", "list", "x")
    async with backend.client(server.url) as client:
        with pytest.raises(NoSuchKeyError) as missing:
            await read(client, "none")
        assert isinstance(missing.value, LookupError)
        with pytest.raises(ReplyError, match="^WRONGTYPE"):
            await read(client, "list")
        server.call("SET", "k", VALUE)
        assert await read(client) == VALUE


# -- one value, or torn ----------------------------------------------------------------------------------------------------------


@pytest.mark.over_a_cluster
@KINDS
@pytest.mark.parametrize(
    "change", ["SET k %b", "SETRANGE k 0 x", "APPEND k x", "DEL k", "EXPIRE k 100", "list", "short"]
)
@contract
async def test_a_change_is_told_before_the_last_chunk(backend: Backend, server: Server, kind: str, change: str) -> None:
    server.call("SET", "k", VALUE)
    counted = []

    def each(count: int) -> None:
        counted.append(count)
        if count != 2:
            return
        if change == "short":
            server.call("SET", "k", VALUE[:2500])
        elif change == "list":
            server.call("DEL", "k")
            server.call("LPUSH", "k", "x")
        else:
            server.call(*[VALUE.swapcase() if word == "%b" else word for word in change.split()])

    async with getattr(backend, kind)(server.url) as redis:
        with pytest.raises(TornValueError, match=r" of 10001 bytes had come; read it again$"):
            await read(redis, each=each)
        assert await redis.ping() == "PONG"
    assert 2 <= len(counted) < 11


@contract
async def test_after_an_error_there_is_nothing_more_to_be_had(backend: Backend, server: Server) -> None:
    server.call("SET", "k", VALUE)
    async with backend.client(server.url) as client, client.read_value("k", chunk_size=6000) as value:
        assert repr(value) == "<ValueStream: 0 of 10001 bytes>"
        await anext(value)
        server.call("SET", "k", "other")
        with pytest.raises(TornValueError):
            await anext(value)
        for _ in range(2):
            with pytest.raises(LocalProtocolError, match="can't be read any further"):
                await anext(value)


@pytest.mark.over_a_cluster
@contract
async def test_while_another_replaces_it_all_the_time_a_read_is_one_value_or_torn(
    backend: Backend, server: Server
) -> None:
    values = [letter * size for letter, size in ((b"a", 20_000), (b"b", 20_000), (b"c", 15_000))]
    server.call("SET", "k", values[0])
    ended = threading.Event()

    def replace() -> None:
        index = 0
        while not ended.is_set():
            server.call("SET", "k", values[index % 3])
            index += 1
            time.sleep(0.0005 * (index % 20))

    writer = threading.Thread(target=replace)
    writer.start()
    whole, torn = 0, 0
    try:
        async with backend.client(server.url) as client:
            give_up = time.monotonic() + 30
            while (whole < 10 or torn < 10) and time.monotonic() < give_up:
                try:
                    assert await read(client, chunk_size=4000) in values
                    whole += 1
                except TornValueError:
                    torn += 1
    finally:
        ended.set()
        writer.join()
    assert whole >= 10
    assert torn >= 10


@pytest.mark.over_a_cluster
@contract
async def test_a_read_sees_a_write_whole_or_not_at_all(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:
        await client.write_value("k", b"a" * 20_000)

        async def write() -> None:
            for letter in b"bcdefgh":
                assert await client.write_value("k", bytes([letter]) * 20_000, chunk_size=CHUNK)

        async def look() -> None:
            for _ in range(20):
                try:
                    assert len(set(await read(client, chunk_size=4000))) == 1
                except TornValueError:
                    await backend.sleep(0.001)

        assert await backend.together(write, look) == [None, None]


@contract
async def test_on_a_connection_that_is_shared_another_transaction_counts_as_a_change(
    backend: Backend, server: Server
) -> None:
    server.call("SET", "k", VALUE)
    async with backend.connect(server.url) as connection:

        async def another(_: int) -> None:
            async with connection.transaction() as both:
                both.ping()

        with pytest.raises(TornValueError):
            await read(connection, each=another)
        assert await read(connection) == VALUE


# -- left early ------------------------------------------------------------------------------------------------------------------


@pytest.mark.over_a_cluster
@KINDS
@contract
async def test_a_block_may_be_left_at_any_chunk(backend: Backend, server: Server, kind: str) -> None:
    server.call("SET", "k", VALUE)
    options = {} if kind == "connect" else {"max_size" if kind == "pool" else "max_connections": 1 + (kind == "client")}
    async with getattr(backend, kind)(server.url, **options) as redis:
        for chunks in range(12):
            async with redis.read_value("k", chunk_size=CHUNK) as value:
                for _ in range(chunks):
                    await anext(value, None)
            server.call("SET", "k", VALUE)  # what was watched is not watched any more
            async with redis.transaction() as both:
                got = both.get("k")
            assert got.result() == VALUE
        reading = redis.read_value("k", chunk_size=CHUNK)
        value = await reading.__aenter__()
        assert await reading.__aexit__(ZeroDivisionError, ZeroDivisionError(), None) is not True
        with pytest.raises(LocalProtocolError):
            await anext(value)
        assert await read(redis) == VALUE


@pytest.mark.over_a_cluster
@KINDS
@contract
async def test_a_source_that_fails_changes_nothing(backend: Backend, server: Server, kind: str) -> None:
    server.call("SET", "k", "before")

    def fail(after: int) -> Iterator[bytes]:
        for _ in range(after):
            yield bytes(CHUNK)
        raise ZeroDivisionError

    async with getattr(backend, kind)(server.url) as redis:
        for chunks in range(5):
            with pytest.raises(ZeroDivisionError):
                await redis.write_value("k", fail(chunks), chunk_size=CHUNK)
            assert left(server) == []
        assert await redis.get("k") == b"before"


@KINDS
@contract
async def test_cancelled_at_any_chunk_it_leaves_nothing(backend: Backend, server: Server, kind: str) -> None:
    async with getattr(backend, kind)(server.url) as redis:
        for pieces in (0, 1, 2, 5):
            held = Held(backend, pieces)
            async with backend.cancelled(partial(redis.write_value, "k", held, chunk_size=CHUNK)) as ended:
                await backend.until(partial(getattr, held, "reached"))
                await backend.until(partial(there_are, server, min(pieces, 1)))
            assert ended.outcome == CANCELLED
            await redis.ping()
            await backend.until(lambda: not left(server))
            assert await redis.exists("k") == 0
        assert await redis.write_value("k", VALUE, chunk_size=CHUNK)


@pytest.mark.over_a_cluster
@KINDS
@contract_of_tasks
async def test_cancelled_at_each_checkpoint_it_leaves_nothing(backend: Backend, server: Server, kind: str) -> None:
    async with getattr(backend, kind)(server.url) as redis:

        async def write() -> None:
            source = Paced(backend, *[VALUE[at : at + 3000] for at in range(0, 10_001, 3000)], before=lambda _: None)
            await redis.write_value("k", source, chunk_size=CHUNK, keepttl=True)

        for call in (write, partial(read, redis)):
            at, reached = 0, True
            while reached:
                at += 1
                server.call("SET", "k", VALUE if call is not write else "before")
                reached = await backend.cancelled_at(call, at)
                assert server.call("GET", "k") in (VALUE, b"before")
                await redis.ping()
                await backend.until(lambda: not left(server))
                async with redis.transaction() as both:  # no WATCH is left
                    both.ping()
                if kind == "pool":
                    assert redis.stats().leased == 0
            assert at > 5


@pytest.mark.parametrize("way", ["up", "down"])
@contract
async def test_cancelled_while_the_network_stands_still_it_leaves_nothing_for_long(
    backend: Backend, server: Server, way: str
) -> None:
    """At whichever byte: what is asked, or what is answered."""
    steps = (0, 60, 1200, 5000, 11_800) if way == "up" else (0, 3, 10, 40, 60)
    with Proxy(server.port) as proxy:
        for step in steps:
            server.call("DEL", "k")
            async with backend.client(proxy.url, silence_timeout=None) as client:
                async with client.acquire() as connection:
                    await connection.ping()
                proxy.arm(**{way: Faults(after=step, then="stall")})
                async with backend.cancelled(partial(client.write_value, "k", VALUE, chunk_size=CHUNK)):
                    await backend.sleep(0.05)
                proxy.arm()
                assert await read_or_none(client) in (None, VALUE)
                give_up = time.monotonic() + 10
                while left(server) and time.monotonic() < give_up:
                    await backend.sleep(0.005)
                    async with client.acquire() as connection:  # a thread has to be there for what is still to be sent
                        await connection.ping()
                assert left(server) == []


async def read_or_none(client: Any) -> bytes | None:
    """The value, if there is one."""
    try:
        return await read(client)
    except NoSuchKeyError:
        return None


@contract
async def test_each_chunk_is_a_call_that_observers_are_told_of(backend: Backend, server: Server) -> None:
    told: list[str] = []

    class Notes(Observer):
        def call_ended(self, call: CallEnded, token: object) -> None:  # noqa: ARG002
            told.append(call.command if call.error is None else type(call.error).__name__)

    async with backend.client(server.url, observers=[Notes()]) as client:
        await client.write_value("k", VALUE, chunk_size=5000)
        written, told[:] = [*told], []
        assert await read(client, chunk_size=5000) == VALUE
        whole, told[:] = [*told], []
        async with client.read_value("k", chunk_size=CHUNK) as value:
            await anext(value)
    assert written == ["SET", "PIPELINE", "PIPELINE", "MULTI"]
    assert whole == ["PIPELINE", "GETRANGE", "GETRANGE", "GETRANGE", "MULTI"]
    assert told[:2] == ["PIPELINE", "GETRANGE"]  # and what was under way ended with the block
    assert len(told) == 4


# -- lost --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["up", "down"])
@contract
async def test_a_write_that_is_lost_tells_truly_what_became_of_it(backend: Backend, server: Server, way: str) -> None:
    chance = seeded()
    ends: set[object] = set()
    with Proxy(server.port) as proxy:
        async with backend.client(proxy.url) as client:
            async with client.acquire() as connection:
                await connection.ping()
            proxy.arm()
            await client.write_value("k", VALUE, chunk_size=CHUNK, ex=1000)
            whole = proxy.passed[("up", "down").index(way)]
        for step in [*chance.sample(range(whole), 12), *range(whole - 30, whole, 6), 100 * whole]:
            server.call("SET", "k", "before")
            async with backend.client(proxy.url, retry=Retry(attempts=1)) as client:
                async with client.acquire() as connection:
                    await connection.ping()
                proxy.arm(**{way: Faults(after=step, then="close")})
                end: object
                try:
                    end = await client.write_value("k", VALUE, chunk_size=CHUNK, ex=1000)
                except ConnectionLostError as error:
                    end = error.outcome
                ends.add(end)
                stands = server.call("GET", "k")
                allowed = {Outcome.NOT_SENT: [b"before"], True: [VALUE], Outcome.MAYBE_EXECUTED: [b"before", VALUE]}
                assert stands in allowed[end], (step, end)
                assert all(server.call("TTL", key) != -1 for key in left(server))
                proxy.arm()
            server.call("FLUSHALL")
    assert {Outcome.NOT_SENT, True} <= ends
    if way == "down":
        assert Outcome.MAYBE_EXECUTED in ends


@contract
async def test_a_read_that_is_lost_says_so(backend: Backend, server: Server) -> None:
    server.call("SET", "k", VALUE)
    chance = seeded()
    with Proxy(server.port) as proxy:
        async with backend.client(proxy.url, retry=Retry(base=0.001)) as client:
            for step in [*chance.sample(range(10_100), 12), 10_090]:
                async with client.acquire() as connection:
                    await connection.ping()
                proxy.arm(down=Faults(after=step, then="close"))
                with pytest.raises(ConnectionLostError):
                    await read(client)
                proxy.arm()
                assert await read(client) == VALUE


@contract
async def test_a_server_that_was_restarted_meanwhile(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server()

    def restart(index: int) -> None:
        if index == 3:
            server.restart()

    async with backend.client(server.url, retry=Retry(base=0.01)) as client:
        pieces = [bytes(CHUNK)] * 6
        with pytest.raises(RespError) as lost:
            await client.write_value("k", Paced(backend, *pieces, before=restart), chunk_size=CHUNK)
        assert lost.value.outcome is Outcome.NOT_SENT
        assert await client.write_value("k", VALUE, chunk_size=CHUNK)
        with pytest.raises(ConnectionLostError):
            await read(client, each=lambda count: restart(count + 1), ahead=1)


# -- what the server refuses or loses ----------------------------------------------------------------------------------------------


@contract
async def test_want_of_memory_is_told_and_what_was_written_is_removed(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    server = start_server("--maxmemory", "20mb", "--maxmemory-policy", "noeviction")
    async with backend.client(server.url) as client:
        with pytest.raises(ReplyError, match="^OOM"):
            await client.write_value("k", (bytes(1_000_000) for _ in range(50)))
        assert server.call("KEYS", "*") == []


@contract
async def test_what_the_server_loses_is_told(backend: Backend, server: Server) -> None:
    def lose(index: int) -> None:
        if index == 3:
            server.call("FLUSHALL")

    def lose_at_the_end(index: int) -> None:
        if index == 6:
            server.call("FLUSHALL")

    async with backend.client(server.url) as client:
        for before in (lose, lose_at_the_end):
            pieces = [*[bytes(CHUNK)] * 6, b""]
            source = Paced(backend, *pieces, before=before)
            source.pause_before(6, 0.05)  # until all have come
            with pytest.raises(TornValueError, match="its key was not touched$") as lost:
                await client.write_value("k", source, chunk_size=CHUNK)
            assert lost.value.outcome is Outcome.NOT_SENT
            assert server.call("KEYS", "*") == []


@contract
async def test_what_is_not_finished_expires(backend: Backend, server: Server) -> None:
    seen: list[Any] = []

    def look(_: int) -> None:
        seen.extend(server.call("PTTL", key) for key in left(server))

    async with backend.client(server.url) as client:
        source = Paced(backend, *[bytes(CHUNK)] * 5, before=look, pause=0.01)
        assert await client.write_value("k", source, chunk_size=CHUNK, unfinished=60)
        assert seen
        assert all(0 < pttl <= 60_000 for pttl in seen)
        slow = Paced(backend, *[bytes(CHUNK)] * 3, before=lambda _: None, pause=0.06)
        with pytest.raises(TornValueError, match=r"for 0.05 s \(see unfinished\)") as late:
            await client.write_value("other", slow, chunk_size=CHUNK, unfinished=0.05)
        assert late.value.outcome is Outcome.NOT_SENT
        assert server.call("KEYS", "*") == [b"k"]


@contract
async def test_a_cluster_has_both_keys_in_one_slot(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server("--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf")
    server.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    async with backend.client(server.url) as client:
        await backend.until(lambda: b"cluster_state:ok" in (server.call("CLUSTER", "INFO") or b""))  # type: ignore[operator]
        for key in ("k", "{tag}k", "a}b", "{}x", "a{b", "é"):
            assert await client.write_value(key, VALUE, chunk_size=CHUNK)
            assert await read(client, key) == VALUE


@contract
async def test_a_user_of_some_keys_writes_those(backend: Backend, server: Server) -> None:
    server.call("ACL", "SETUSER", "ann", "reset", "on", ">sesame", "~mine:*", "+@all")
    try:
        async with backend.client(server.url.replace("//", "//ann:sesame@")) as client:
            assert await client.write_value("mine:k", VALUE, chunk_size=CHUNK)
            assert await read(client, "mine:k") == VALUE
            with pytest.raises(ReplyError, match="^NOPERM"):
                await client.write_value("k", VALUE, chunk_size=CHUNK)
            server.call("ACL", "SETUSER", "ann", "-multi")
            with pytest.raises(TransactionRefusedError):
                await read(client, "mine:k")
            with pytest.raises(TransactionRefusedError) as refused:
                await client.write_value("mine:k", b"other", chunk_size=CHUNK)
            assert refused.value.outcome is Outcome.REPLY
            assert server.call("GET", "mine:k") == b"other"
    finally:
        server.call("ACL", "DELUSER", "ann")


# -- time --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["connect", "client"])
@contract
async def test_a_slow_reader_costs_no_call_its_time(backend: Backend, server: Server, kind: str) -> None:
    """Each chunk has its time from when it is waited for: however long the caller has had the one before."""
    value = letters(6_000_000)
    server.call("SET", "k", value)

    def slowly(count: int) -> Any:
        return backend.sleep(0.6) if count == 1 else None

    async with getattr(backend, kind)(server.url, timeout=0.5, silence_timeout=0.4) as redis:
        assert await read(redis, each=slowly, chunk_size=2_000_000) == value
        slow = Paced(backend, value[:4_000_000], value[4_000_000:], before=lambda _: None)
        slow.pause_before(1, 0.6)
        assert await redis.write_value("k", slow, chunk_size=2_000_000)


@contract
async def test_one_timeout_covers_the_whole(backend: Backend, server: Server) -> None:
    server.call("SET", "k", VALUE)
    async with backend.client(server.url) as client:
        counted: list[int] = []
        slow = Paced(backend, *[bytes(CHUNK)] * 1000, before=counted.append, pause=0.02)
        with pytest.raises(CommandTimeoutError) as late:
            await client.write_value("other", slow, chunk_size=CHUNK, timeout=0.1)
        assert late.value.outcome is Outcome.NOT_SENT
        assert len(counted) < 1000
        with pytest.raises(CommandTimeoutError):
            await read(client, each=lambda _: backend.sleep(0.02), timeout=0.1)
        await backend.until(lambda: not left(server))
        assert await read(client, timeout=10) == VALUE


@contract
async def test_a_server_that_does_not_answer_is_not_waited_for(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    server = start_server()
    server.call("SET", "k", VALUE)
    async with backend.client(server.url, timeout=0.1) as client:
        async with client.read_value("k", chunk_size=CHUNK, ahead=1) as value:
            await anext(value)
            await backend.sleep(0.02)
            with server.paused(), pytest.raises(CommandTimeoutError):
                assert [await anext(value), await anext(value)] == []
        assert await read(client) == VALUE
        with server.paused():
            with pytest.raises(CommandTimeoutError) as late:
                await client.write_value("other", VALUE, chunk_size=CHUNK)
            assert late.value.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("library", ["resp_sync", "resp_asyncio", "resp_trio"])
def test_a_value_is_never_in_memory_whole(server: Server, library: str) -> None:
    told = run_program(PROGRAMS / "large_value.py", server.url, library, 64, "both")
    assert float(told.rpartition(" ")[2]) < 24, told

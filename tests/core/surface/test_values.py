"""Large values, in both colours, over drivers where nothing waits: which steps there are, and what each leaves when it fails."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from core.surface.cluster import OF_A, URL, B, Servers
from core.surface.driver import COLOURS, Tasks
from resp_sansio import (
    CommandTimeoutError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    Reply,
    ReplyError,
    TornValueError,
    TransactionAbortedError,
)
from resp_sansio.client.hash_slots import slot_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core.surface.driver import Colour

pytestmark = pytest.mark.parametrize("colour", COLOURS, ids=repr)

VALUE = b"0123456789abcdefghijklmno"


class Store:
    """As much of a server as these conversations ask for, with a hook that sees each command first."""

    def __init__(self) -> None:
        self.data: dict[bytes, bytes] = {}
        self.expires: dict[bytes, int] = {}
        self.asked: list[str] = []
        self.before: Callable[[str], None] = lambda _: None

    def __call__(self, words: tuple[bytes, ...]) -> Reply:
        name, key, *more = words
        self.asked.append(name.decode())
        self.before(name.decode())
        data = self.data
        match name:
            case b"STRLEN" | b"GETRANGE":
                value = data.get(key, b"")
                return value[int(more[0]) : int(more[1]) + 1] if more else len(value)
            case b"EXISTS":
                return int(key in data)
            case b"SET" if b"NX" in more and key in data:
                return None
            case b"SET" | b"APPEND":
                data[key] = more[0] if name == b"SET" else data.get(key, b"") + more[0]
                return "OK" if name == b"SET" else len(data[key])
            case b"UNLINK":
                return int(data.pop(key, None) is not None)
            case b"PTTL":
                return self.expires.get(key, -1 if key in data else -2)
            case b"RENAME" if key not in data:
                return ReplyError("ERR no such key")
            case b"RENAME":
                data[more[0]] = data.pop(key)
                self.expires[more[0]] = self.expires.pop(key, -1)
                return "OK"
        self.expires[key] = -1 if name == b"PERSIST" else int(more[0])
        return int(key in data)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def client(colour: Colour, store: Store) -> Iterator[Any]:
    with colour.block(colour.client("redis://stage", timeout=3.0)) as made:
        made._driver.stage.answer = store
        yield made


def read(colour: Colour, block: Any, each: Callable[[int], None] = lambda _: None) -> bytes:
    """Read a value to its end."""
    chunks: list[bytes] = []
    with colour.block(block) as value:
        while (chunk := following(colour, value)) is not None:
            chunks.append(chunk)
            each(len(chunks))
    return b"".join(chunks)


def following(colour: Colour, value: Any) -> bytes | None:
    """The next chunk, None at the end."""
    step = iter(value).__next__ if hasattr(value, "__next__") else value.__aiter__().__anext__
    try:
        chunk: bytes = colour.do(step())
    except (StopIteration, StopAsyncIteration):
        return None
    return chunk


# -- reading -----------------------------------------------------------------------------------------------------------------------


def test_a_value_comes_in_chunks_and_is_checked_before_the_last(colour: Colour, client: Any, store: Store) -> None:
    store.data[b"k"] = VALUE
    with colour.block(client.read_value("k", chunk_size=10)) as value:
        assert (value.size, value.position, repr(value)) == (25, 0, "<ValueStream: 0 of 25 bytes>")
        assert following(colour, value) == b"0123456789"
        assert store.asked == ["STRLEN", "EXISTS", "GETRANGE", "GETRANGE", "GETRANGE"]  # two are under way
        assert [following(colour, value), following(colour, value)] == [VALUE[10:20], VALUE[20:]]
        assert [following(colour, value), following(colour, value)] == [None, None]
    assert following(colour, value) is None
    assert read(colour, client.read_value("k")) == VALUE


def test_an_empty_value_has_no_chunks(colour: Colour, client: Any, store: Store) -> None:
    store.data[b"k"] = b""
    assert read(colour, client.read_value("k")) == b""
    assert store.asked == ["STRLEN", "EXISTS"]


def test_one_that_was_changed_is_torn_and_has_no_end(colour: Colour, client: Any, store: Store) -> None:
    store.data[b"k"] = VALUE
    stage = client._driver.stage
    with colour.block(client.read_value("k", chunk_size=20)) as value:
        assert following(colour, value) == VALUE[:20]
        for peer in stage.peers.values():
            peer.touch()
        with pytest.raises(TornValueError, match="25 of 25"):
            following(colour, value)
        with pytest.raises(LocalProtocolError, match="can't be read any further"):
            following(colour, value)


def test_a_block_that_is_left_early_ends_the_watch_and_the_iteration(colour: Colour, client: Any, store: Store) -> None:
    store.data[b"k"] = VALUE
    with colour.block(client.read_value("k", chunk_size=1)) as value:
        following(colour, value)
    assert client._driver.stage.link.core.watching is False
    with pytest.raises(LocalProtocolError, match="can't be read any further"):
        following(colour, value)


def test_on_a_shared_connection_another_transaction_tears_it(colour: Colour, store: Store) -> None:
    store.data[b"k"] = VALUE
    with colour.block(colour.connect()) as connection:
        connection._driver.stage.answer = store
        for peer in connection._driver.stage.peers.values():
            peer.answer = store

        def another(count: int) -> None:
            if count == 1:
                pipe = connection.transaction()
                pipe.exists("k")
                colour.do(pipe.run())

        with pytest.raises(TornValueError) as torn:
            read(colour, connection.read_value("k", chunk_size=20), another)
        assert isinstance(torn.value.__cause__, TransactionAbortedError)
        assert read(colour, connection.read_value("k")) == VALUE


@pytest.mark.parametrize("moment", ["opening", "chunk", "check"])
def test_a_read_that_is_lost_says_so(colour: Colour, client: Any, store: Store, moment: str) -> None:
    store.data[b"k"] = VALUE
    stage = client._driver.stage
    name = {"opening": "STRLEN", "chunk": "GETRANGE", "check": "GETRANGE"}[moment]
    seen: list[str] = []

    def before(asked: str) -> None:
        seen.append(asked)
        if asked == name and len(seen) == {"opening": 1, "chunk": 3, "check": 5}[moment]:
            stage.cut(stage.link)

    store.before = before
    with pytest.raises((ConnectionLostError, ConnectionClosedError)):
        read(colour, client.read_value("k", chunk_size=9))
    store.before = lambda _: None
    stage.pass_time(1.0)  # one that was lost as it began is not dialled again at once
    assert read(colour, client.read_value("k")) == VALUE


# -- writing -----------------------------------------------------------------------------------------------------------------------


class File(io.BytesIO):
    """A file."""


def sources(colour: Colour) -> list[Any]:
    """Every kind of source."""

    class Awaited:
        """A file whose `read` is awaited."""

        def __init__(self) -> None:
            self.file = io.BytesIO(VALUE)

        async def read(self, size: int) -> bytes:
            return self.file.read(size)

    async def generated() -> Any:
        yield VALUE[:3]
        yield VALUE[3:]

    class Iterated:
        """An iterable whose iterator is no generator."""

        def __init__(self) -> None:
            self.left = [VALUE]

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop()

    found = [VALUE, bytearray(VALUE), File(VALUE), [VALUE[:3], VALUE[3:]], iter([VALUE])]
    return [*found, Awaited(), generated(), Iterated()] if isinstance(colour, Tasks) else found


def test_a_value_is_written_beside_its_key_and_moved_there(colour: Colour, client: Any, store: Store) -> None:
    for source in sources(colour):
        store.data.clear()
        assert colour.do(client.write_value("k", source, chunk_size=10)) is True
        assert store.data == {b"k": VALUE}
        assert store.expires[b"k"] == -1
    store.asked.clear()
    assert colour.do(client.write_value("k", b"", ex=7)) is True
    assert (store.data, store.expires[b"k"]) == ({b"k": b""}, 7)
    assert store.asked == ["SET", "EXPIRE", "RENAME"]


def test_options_are_those_of_set(colour: Colour, client: Any, store: Store) -> None:
    assert colour.do(client.write_value("k", VALUE, xx=True)) is False
    assert store.asked == ["PTTL"]
    assert colour.do(client.write_value("k", VALUE, nx=True, px=7)) is True
    assert store.expires[b"k"] == 7
    assert colour.do(client.write_value("k", VALUE, keepttl=True)) is True
    assert store.expires[b"k"] == 7


def test_what_a_condition_forbids_at_the_end_is_removed(colour: Colour, client: Any, store: Store) -> None:
    def before(asked: str) -> None:
        if asked == "SET":
            store.data[b"k"] = b"theirs"

    store.before = before
    assert colour.do(client.write_value("k", VALUE, nx=True)) is False
    assert store.data == {b"k": b"theirs"}


def test_a_race_is_run_again(colour: Colour, client: Any, store: Store) -> None:
    stage = client._driver.stage
    looks: list[str] = []

    def before(asked: str) -> None:
        looks.extend([asked] * (asked == "PTTL"))
        if asked == "PTTL" and len(looks) == 2:
            for peer in stage.peers.values():
                peer.touched = True

    store.before = before
    assert colour.do(client.write_value("k", VALUE, nx=True)) is True
    assert len(looks) == 3
    assert store.data == {b"k": VALUE}


def test_on_a_shared_connection_another_transaction_is_a_lost_race(colour: Colour, store: Store) -> None:
    with colour.block(colour.connect()) as connection:
        [peer] = connection._driver.stage.peers.values()
        peer.answer = store
        looks: list[str] = []

        def before(asked: str) -> None:
            looks.extend([asked] * (asked == "PTTL"))
            if looks and len(looks) == 2:
                connection._link.core.watch_epoch += 1

        store.before = before
        assert colour.do(connection.write_value("k", VALUE, nx=True)) is True
        assert len(looks) == 3


@pytest.mark.parametrize("chunks", [0, 1, 2, 3])
def test_a_source_that_fails_leaves_nothing(colour: Colour, client: Any, store: Store, chunks: int) -> None:
    def source() -> Iterator[bytes]:
        for _ in range(chunks):
            yield bytes(10)
        raise ZeroDivisionError

    store.data[b"k"] = b"before"
    with pytest.raises(ZeroDivisionError):
        colour.do(client.write_value("k", source(), chunk_size=10))
    assert store.data == {b"k": b"before"}


def test_what_removes_a_value_goes_out_again_if_it_was_withdrawn(colour: Colour, client: Any, store: Store) -> None:
    """The network took nothing until its time was up."""
    driver = client._driver

    def source() -> Iterator[bytes]:
        yield bytes(10)
        driver.stage.stuck.add(driver.link)
        driver.strikes = CommandTimeoutError("late")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        colour.do(client.write_value("k", source(), chunk_size=10))
    driver.stage.wake()
    assert store.data == {}


@pytest.mark.parametrize("chunks", [0, 1, 3])
def test_a_caller_that_is_struck_leaves_nothing(colour: Colour, client: Any, store: Store, chunks: int) -> None:
    def source() -> Iterator[bytes]:
        for _ in range(chunks):
            yield bytes(10)
        raise KeyboardInterrupt

    store.data[b"k"] = b"before"
    with pytest.raises(KeyboardInterrupt):
        colour.do(client.write_value("k", source(), chunk_size=10))
    assert store.data == {b"k": b"before"}


def test_a_caller_that_is_struck_after_it_looked_ends_the_watch(colour: Colour, store: Store) -> None:
    with colour.block(colour.connect()) as connection:
        stage = connection._driver.stage
        [peer] = stage.peers.values()
        peer.answer = store

        def before(asked: str) -> None:
            if asked == "SET":
                stage.deaf.add(stage.link)

        store.before = before
        connection._driver.strikes = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            colour.do(connection.write_value("k", VALUE, nx=True))
        stage.wake()
        assert [answer.words[0] for answer in peer.received][-2:] == [b"UNLINK", b"UNWATCH"]
        assert store.data == {}


@pytest.mark.parametrize("step", ["SET", "APPEND", "PERSIST", "RENAME"])
def test_a_write_that_is_lost_tells_truly_what_became_of_it(
    colour: Colour, client: Any, store: Store, step: str
) -> None:
    stage = client._driver.stage

    def before(asked: str) -> None:
        if asked == step:
            stage.cut(stage.link)

    store.before = before
    with pytest.raises(ConnectionLostError) as lost:
        colour.do(client.write_value("k", VALUE, chunk_size=10))
    chunk = step in ("SET", "APPEND")
    assert lost.value.outcome is (Outcome.NOT_SENT if chunk else Outcome.MAYBE_EXECUTED)
    if chunk:
        assert str(lost.value).startswith(("write_value: ", "pipeline of 3 commands was not sent: "))


def test_the_last_chunk_that_is_lost_has_written_nothing(colour: Colour, client: Any, store: Store) -> None:
    stage = client._driver.stage

    def before(asked: str) -> None:
        if asked == "SET":
            stage.cut(stage.link)

    store.before = before
    with pytest.raises(ConnectionLostError, match="^write_value: .*; nothing was written under the key$") as lost:
        colour.do(client.write_value("k", VALUE))
    assert lost.value.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("after", [b"another", b""])
def test_a_connection_that_its_owner_closed_says_so(colour: Colour, store: Store, after: bytes) -> None:
    with colour.block(colour.connect()) as connection:
        connection._driver.stage.peers[connection._driver.link].answer = store

        def source() -> Iterator[bytes]:
            yield bytes(10)
            colour.do(connection.close())
            yield after

        with pytest.raises(ConnectionClosedError):
            colour.do(connection.write_value("k", source(), chunk_size=10))


def test_what_is_refused_is_told_and_removed(colour: Colour, client: Any, store: Store) -> None:
    stage = client._driver.stage

    def refuse(asked: str) -> None:
        if asked == "SET":
            for peer in stage.peers.values():
                peer.refused = {"APPEND": ReplyError("OOM no memory")}

    store.before = refuse
    with pytest.raises(ReplyError, match="^OOM"):
        colour.do(client.write_value("k", VALUE, chunk_size=10))
    assert store.data == {}


def test_a_chunk_has_its_time_from_when_it_is_waited_for(colour: Colour, client: Any, store: Store) -> None:
    store.data[b"k"] = VALUE
    driver = client._driver
    with colour.block(client.read_value("k", chunk_size=5, ahead=1)) as value:
        assert following(colour, value) == VALUE[:5]
        driver.stage.deaf.add(driver.link)
        assert following(colour, value) == VALUE[5:10]
        driver.stage.pass_time(5.0)
        [slot] = value._talk.under_way
        driver.strikes = CommandTimeoutError("late")
        with pytest.raises(CommandTimeoutError):
            following(colour, value)
        assert slot.deadline == 8.0


def test_what_is_no_number_is_told_before_anything_is_sent(colour: Colour, client: Any, store: Store) -> None:
    for options in ({"ahead": 0}, {"chunk_size": 0}, {"ex": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            colour.do(client.write_value("k", b"", **options))
    with pytest.raises(ValueError, match="at least 1"):
        client.read_value("k", ahead=0)
    assert store.asked == []


# -- a cluster, whose slots move ---------------------------------------------------------------------------------------------------


class Moving:
    """A client of a cluster whose servers have one store, and say some times of a command that its slot has gone to B."""

    def __init__(self, colour: Colour, code: str, name: str, *, times: int = 1) -> None:
        self.client: Any = colour.client(URL, timeout=30.0)
        self.servers = Servers(self.client)
        self.store = Store()
        self.servers.says = lambda _, words: self.store(words)
        self.servers.refuses = self.refuses
        self.name, self.code, self.left = name.encode(), code, times
        self.moves = 0

    def refuses(self, _port: int, words: tuple[bytes, ...]) -> ReplyError | None:
        if words[0] != self.name or not self.left:
            return None
        self.left -= 1
        self.moves += 1
        if self.code == "MOVED":
            self.servers.owners[0] = B
        return ReplyError(f"{self.code} {slot_of(OF_A.encode())} stage:{B}")


@pytest.mark.parametrize("name", ["SET", "APPEND", "RENAME", "EXEC"])
def test_bytes_are_written_anew_where_the_slot_is(colour: Colour, name: str) -> None:
    moving = Moving(colour, "MOVED", name)
    with colour.block(moving.client):
        assert colour.do(moving.client.write_value(OF_A, VALUE, chunk_size=10)) is True
    assert moving.moves == 1
    assert moving.store.data == {OF_A.encode(): VALUE}
    assert {port for port, words in moving.servers.asked if words[0] == b"RENAME"} == {B}


def test_what_was_taken_from_its_source_is_told(colour: Colour) -> None:
    moving = Moving(colour, "MOVED", "APPEND")
    with colour.block(moving.client):
        with pytest.raises(
            TornValueError, match="went to another server while the value was written; nothing was"
        ) as torn:
            colour.do(moving.client.write_value(OF_A, io.BytesIO(VALUE), chunk_size=10))
        assert torn.value.outcome is Outcome.NOT_SENT
        assert isinstance(torn.value.__cause__, ReplyError)
    assert moving.store.data == {}


@pytest.mark.parametrize("code", ["MOVED", "ASK", "TRYAGAIN"])
def test_what_was_not_taken_yet_is_written_where_the_slot_is(colour: Colour, code: str) -> None:
    moving = Moving(colour, code, "PTTL", times=1 if code == "MOVED" else 3)
    with colour.block(moving.client):
        assert colour.do(moving.client.write_value(OF_A, io.BytesIO(VALUE), chunk_size=10, nx=True)) is True
    assert moving.store.data == {OF_A.encode(): VALUE}
    assert moving.left == 0
    assert (moving.servers.stage.now > 0) is (code != "MOVED")


def test_a_slot_that_never_arrives_is_told(colour: Colour) -> None:
    moving = Moving(colour, "ASK", "WATCH", times=100)
    with colour.block(moving.client):
        moving.store.data[OF_A.encode()] = VALUE
        with pytest.raises(TornValueError, match="write it again"):
            colour.do(moving.client.write_value(OF_A, VALUE, keepttl=True))
        assert moving.moves == 16
        with pytest.raises(ReplyError, match="^ASK"):
            colour.enter(moving.client.read_value(OF_A))
        assert moving.moves == 32


def test_a_value_is_read_where_its_slot_is(colour: Colour) -> None:
    moving = Moving(colour, "MOVED", "WATCH")
    with colour.block(moving.client):
        moving.store.data[OF_A.encode()] = VALUE
        assert read(colour, moving.client.read_value(OF_A)) == VALUE
    assert moving.moves == 1


def test_a_value_that_has_been_begun_is_told(colour: Colour) -> None:
    moving = Moving(colour, "MOVED", "GETRANGE")
    with colour.block(moving.client):
        moving.store.data[OF_A.encode()] = VALUE
        with pytest.raises(TornValueError, match="went to another server while it was read: 0 of 25 bytes had come"):
            read(colour, moving.client.read_value(OF_A, chunk_size=10))


def test_one_server_that_speaks_of_another_is_taken_at_its_word(colour: Colour, client: Any, store: Store) -> None:
    client._driver.stage.refused["SET"] = ReplyError("MOVED 7 stage:7002")
    with pytest.raises(ReplyError, match="^MOVED"):
        colour.do(client.write_value("k", VALUE))
    client._driver.stage.refused["WATCH"] = ReplyError("MOVED 7 stage:7002")
    with pytest.raises(ReplyError, match="^MOVED"):
        colour.enter(client.read_value("k"))
    assert store.data == {}

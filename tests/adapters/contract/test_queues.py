"""The contract of streams and lists as queues: each comes until it is done, whatever is lost, cancelled or killed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import CANCELLED, Backend, contract, seeded
from adapters.peers import PROGRAMS, Faults, Proxy, calls, listed
from resp_sansio import ConnectionClosedError, LocalProtocolError, ReplyError, Retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import Server

pytestmark = [pytest.mark.needs("XAUTOCLAIM"), pytest.mark.usefixtures("nothing_is_left")]

PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])
QUICK = Retry(base=0.001, cap=0.01)


def add(server: Server, count: int, first: int = 1) -> None:
    for number in range(first, first + count):
        server.call("XADD", "s", f"{number}-0", "n", number)


def pending(server: Server) -> Any:
    found: Any = server.call("XPENDING", "s", "g")
    return found[0]


def blocked(server: Server) -> list[str]:
    """The IDs of the connections that wait for entries."""
    return [each["id"] for each in listed(server) if each["cmd"] == "xreadgroup" and "b" in each["flags"]]


class Handled:
    """What came, by its number: as new, and at all; and what was done."""

    def __init__(self) -> None:
        self.came: set[int] = set()
        self.new: Counter[int] = Counter()
        self.done: Counter[int] = Counter()

    def take(self, entry: Any, *, well: bool = True) -> None:
        number = int(entry.fields[b"n"])
        self.came.add(number)
        if not entry.again:
            self.new[number] += 1
        if well:
            entry.done()
            self.done[number] += 1
        else:
            entry.failed()

    async def all(self, redis: Any, **options: Any) -> None:
        """Take what there is, and do it."""
        options = {"group": "g", "consumer": "me", "block": None, **options}
        async with redis.consume("s", **options) as entries:
            async for entry in entries:
                self.take(entry)

    def check(self, server: Server, count: int) -> None:
        assert {*self.done} == {*range(1, count + 1)}
        assert not self.new or max(self.new.values()) == 1
        assert pending(server) == 0


@pytest.mark.over_a_cluster
@PROTOCOLS
@pytest.mark.parametrize("opened", ["client", "pool", "connect"])
@contract
async def test_each_entry_comes_once_and_is_acknowledged(
    backend: Backend, server: Server, protocol: int, opened: str
) -> None:
    add(server, 25)
    handled = Handled()
    async with getattr(backend, opened)(server.url, protocol=protocol) as redis:
        await handled.all(redis)
    assert handled.new == handled.done == Counter(range(1, 26))
    handled.check(server, 25)


@contract
async def test_on_a_borrowed_connection_and_with_several_streams(backend: Backend, server: Server) -> None:
    server.call("XADD", "t", "1-0", "n", 2)
    add(server, 1)
    redis: Any
    async with backend.client(server.url, decode=True) as client, client.acquire() as redis:
        async with redis.consume("s", "t", group="g", consumer="me", block=None) as entries:
            found = [(entry.stream, entry.id, entry.fields, entry.again) async for entry in entries]
        assert sorted(found) == [("s", "1-0", {"n": "1"}, False), ("t", "1-0", {"n": "2"}, False)]
        async with redis.consume("t", "s", group="g", consumer="me", block=None, count=1) as entries:
            again = [(entry.stream, entry.deliveries, entry.again) async for entry in entries]
        assert sorted(again) == [("s", 2, True), ("t", 2, True)]


@pytest.mark.over_a_cluster
@PROTOCOLS
@contract
async def test_a_read_waits_and_none_is_lost_where_the_wait_ends(
    backend: Backend, server: Server, protocol: int
) -> None:
    """Servers answer up to 0.1 s late: that is no reason to take the connection for lost."""
    got: list[Any] = []
    async with backend.client(server.url, protocol=protocol, timeout=2) as client:

        async def wait() -> None:
            async with client.consume("s", group="g", consumer="me", block=30) as entries:
                async for entry in entries:
                    with entry:
                        got.append(entry.id)
                    if len(got) == 3:
                        break

        async def provide() -> None:
            for number in (1, 2, 3):
                await backend.sleep(0.15)
                add(server, 1, number)

        await backend.together(wait, provide)
        stats: Any = client.stats()
        assert stats.leases.created == 1
    assert got == [b"1-0", b"2-0", b"3-0"]
    assert pending(server) == 0


@pytest.mark.over_a_cluster
@contract
async def test_what_an_exception_ends_stays_pending_and_comes_again(backend: Backend, server: Server) -> None:
    add(server, 3)
    async with backend.client(server.url) as client:

        async def fail_in_the_second() -> None:
            async with client.consume("s", group="g", consumer="me") as entries:
                async for entry in entries:
                    with entry:
                        assert entry.id != b"2-0"

        with pytest.raises(AssertionError, match="2-0"):
            await fail_in_the_second()
        assert pending(server) == 2
        handled = Handled()
        await handled.all(client)
    assert (handled.new, handled.done) == (Counter(), Counter([2, 3]))


@pytest.mark.over_a_cluster
@contract
async def test_handlers_side_by_side_and_what_is_done_while_a_read_waits(backend: Backend, server: Server) -> None:
    add(server, 4)
    async with backend.client(server.url) as client:
        async with client.consume("s", group="g", consumer="me", block=0) as entries:
            found = [await anext(entries) for _ in range(4)]
            async with backend.cancelled(partial(anext, entries)) as ended:
                await backend.until(lambda: bool(blocked(server)))
                with pytest.raises(LocalProtocolError, match="another caller waits"):
                    await anext(entries)
                found[2].done()
                await entries.flush()
                assert pending(server) == 3
                found[0].done()
            assert ended.outcome is CANCELLED
            found[1].done()
            found[3].failed()
        assert pending(server) == 1


@contract
async def test_a_block_that_is_interrupted_acknowledges_and_keeps_no_connection(
    backend: Backend, server: Server
) -> None:
    class Interrupted(BaseException):
        pass

    add(server, 1)
    async with backend.pool(server.url) as pool:

        async def consume() -> None:
            async with pool.consume("s", group="g", consumer="me") as entries:
                (await anext(entries)).done()
                raise Interrupted

        with pytest.raises(Interrupted):
            await consume()
        await backend.until(lambda: pool.stats().leased == 0)
        await backend.until(lambda: pending(server) == 0)
        await pool.ping()


@pytest.mark.over_a_cluster
@contract
async def test_waits_that_are_cancelled_lose_nothing(backend: Backend, server: Server) -> None:
    chance = seeded()
    handled = Handled()
    async with backend.client(server.url, retry=QUICK) as client:
        async with client.consume("s", group="g", consumer="me", count=2) as entries:

            async def take() -> None:
                async for entry in entries:
                    handled.take(entry)

            for turn in range(15):
                async with backend.cancelled(take):
                    for step in range(2):
                        await backend.sleep(chance.random() * 0.003)
                        add(server, 1, 2 * turn + step + 1)
                    await backend.sleep(chance.random() * 0.003)
        await handled.all(client)
    handled.check(server, 30)


@pytest.mark.parametrize("way", ["up", "down"])
@contract
async def test_a_connection_lost_at_any_byte_loses_nothing(backend: Backend, server: Server, way: str) -> None:
    chance = seeded()
    handled = Handled()
    with Proxy(server.port) as proxy:
        async with backend.client(proxy.url, retry=QUICK, timeout=5) as client:
            async with client.consume("s", group="g", consumer="me", block=20, count=3) as entries:
                for turn in range(8):
                    add(server, 5, 5 * turn + 1)
                    faults = Faults(after=chance.randrange(400), then=chance.choice(["close", "reset"]), once=True)
                    proxy.arm(**{way: faults})
                    while len(handled.came) < 5 * turn + 5:
                        handled.take(await anext(entries), well=chance.random() < 0.8)
                        if not chance.randrange(5):
                            with suppress(Exception):
                                await entries.flush()
            proxy.arm()
            await handled.all(client)
    handled.check(server, 40)


@contract
async def test_a_server_that_starts_again_is_waited_for(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server("--appendonly", "yes", "--appendfsync", "always")
    handled = Handled()
    async with backend.client(server.url, retry=QUICK, timeout=2) as client:

        async def take() -> None:
            async with client.consume("s", group="g", consumer="me", block=50, count=2) as entries:
                async for entry in entries:
                    handled.take(entry)
                    if len(handled.done) == 6:
                        break

        async def restart() -> None:
            add(server, 3)
            await backend.until(lambda: len(handled.done) >= 1)
            server.kill()
            await backend.sleep(0.05)
            server.start()
            add(server, 3, 4)

        await backend.together(take, restart)
        await handled.all(client)
    handled.check(server, 6)


@pytest.mark.parametrize("kind", ["client", "pool"])
@contract
async def test_a_server_that_takes_connections_and_says_nothing_is_waited_for(
    backend: Backend, start_server: Callable[..., Server], kind: str
) -> None:
    server = start_server()
    add(server, 3)
    handled = Handled()
    with ExitStack() as paused:
        async with getattr(backend, kind)(server.url, timeout=0.2) as redis:

            async def take() -> None:
                async with redis.consume("s", group="g", consumer="me", block=50) as entries:
                    async for entry in entries:
                        handled.take(entry)
                        if len(handled.done) == 3:
                            break

            async def wait() -> None:
                await backend.sleep(0.5)  # for longer than a call may last
                paused.close()

            paused.enter_context(server.paused())
            assert await backend.together(take, wait) == [None, None]
            await handled.all(redis)
    handled.check(server, 3)


@pytest.mark.over_a_cluster
@contract
async def test_what_was_read_is_handed_over_once_it_is_stopped_and_nothing_more(
    backend: Backend, server: Server
) -> None:
    add(server, 3)
    handled = Handled()
    async with backend.client(server.url) as client:
        async with client.consume("s", group="g", consumer="me") as entries:
            handled.take(await anext(entries))
            add(server, 2, 4)
            entries.stop()
            async for entry in entries:
                handled.take(entry)
            assert [entry async for entry in entries] == []
        assert handled.done == Counter([1, 2, 3])
        assert pending(server) == 0
        await handled.all(client)
    handled.check(server, 5)


@contract
async def test_a_wait_that_is_stopped_ends_with_its_read(backend: Backend, server: Server) -> None:
    handled = Handled()
    async with backend.client(server.url) as client:
        entries = client.consume("s", group="g", consumer="me", block=400)

        async def take() -> None:
            async with entries:
                async for entry in entries:
                    handled.take(entry)

        async def stop() -> None:
            await backend.until(lambda: bool(blocked(server)))
            entries.stop()
            add(server, 1)  # if the read has not ended yet, it brings this

        await backend.together(take, stop)
        assert not blocked(server)
        await handled.all(client)
        handled.check(server, 1)

        items = client.consume_list("l", working="w", block=100)
        items.stop()
        assert [item async for item in items] == []


@contract
async def test_a_loop_that_is_stopped_does_not_wait_for_a_server_that_is_away(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    server = start_server()
    async with backend.client(server.url, retry=QUICK) as client:
        entries = client.consume("s", group="g", consumer="me", block=60_000)
        ended: list[Any] = []

        async def take() -> None:
            ended.extend([entry async for entry in entries])
            ended.append("ended")

        async def stop() -> None:
            await backend.until(lambda: bool(blocked(server)))
            server.kill()
            await backend.sleep(0.02)
            assert not ended
            entries.stop()

        await backend.together(take, stop)
        assert ended == ["ended"]


@contract
async def test_a_process_that_is_killed_in_the_middle_is_taken_over_from(backend: Backend, server: Server) -> None:
    add(server, 5)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    program = [sys.executable, str(PROGRAMS / "consume_and_hang.py"), server.url]
    with subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220
        assert process.stdout is not None
        assert [process.stdout.readline().strip() for _ in range(3)] == ["1", "2", "3"]
        process.send_signal(signal.SIGKILL)
    async with backend.client(server.url) as client:
        found = []
        async with client.consume("s", group="g", consumer="other", min_idle=100, block=1000) as entries:
            async for entry in entries:
                with entry:
                    found.append((int(entry.fields[b"n"]), entry.again, entry.deliveries))
                if found[-1][0] == 5:
                    break
    assert found[0][0] <= 3
    assert found == [(number, True, 2) for number in range(found[0][0], 6)]
    assert pending(server) == 0


@contract
async def test_what_is_in_hands_is_kept_from_others_while_one_is_slowly_handled(
    backend: Backend, server: Server
) -> None:
    add(server, 2)
    async with (
        backend.client(server.url) as client,
        client.consume("s", group="g", consumer="slow", min_idle=1500) as entries,
    ):
        server.call("CONFIG", "RESETSTAT")
        first = await anext(entries)
        await backend.sleep(0.6)
        second = await anext(entries)
        assert calls(server, "xclaim") == 1
        assert [entry.deliveries for entry in (first, second)] == [1, 1]
        rows: Any = server.call("XPENDING", "s", "g", "-", "+", 10)
        assert [each[1] for each in rows] == [b"slow", b"slow"]
        assert [each[3] for each in rows] == [1, 1]


@contract
async def test_what_was_deleted_while_it_was_pending_does_not_stop_the_loop(backend: Backend, server: Server) -> None:
    add(server, 3)
    server.call("XGROUP", "CREATE", "s", "g", "0")
    server.call("XREADGROUP", "GROUP", "g", "me", "STREAMS", "s", ">")
    server.call("XDEL", "s", "2-0")
    handled = Handled()
    async with backend.client(server.url) as client:
        await handled.all(client)
        assert (handled.done, pending(server)) == (Counter([1, 3]), 0)
        add(server, 1, 4)
        server.call("XREADGROUP", "GROUP", "g", "gone", "STREAMS", "s", ">")
        server.call("XDEL", "s", "4-0")
        await backend.sleep(0.01)
        await handled.all(client, min_idle=1)
    assert handled.done == Counter([1, 3])
    if server.version >= (7, 0):
        assert pending(server) == 0


@pytest.mark.parametrize("gone", ["XGROUP DESTROY s g", "DEL s", "FLUSHALL", "RENAME s other"])
@contract
async def test_a_group_that_is_gone_while_it_is_waited_for_is_created_again_or_told(
    backend: Backend, server: Server, gone: str
) -> None:
    async with backend.client(server.url) as client:
        for create, others in ((True, True), (True, False), (False, True)):
            server.call("DEL", "s")
            if others:
                server.call("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
            told: list[Any] = []

            async def wait(create: bool = create, told: list[Any] = told) -> None:
                try:
                    async with client.consume("s", group="g", consumer="me", create=create) as entries:
                        async for entry in entries:
                            with entry:
                                told.append(entry.id)
                            break
                except ReplyError as error:
                    told.append(error.code)

            async def end(create: bool = create) -> None:
                await backend.until(lambda: bool(blocked(server)))
                server.call(*gone.split())
                if create:
                    await backend.until(lambda: server.call("EXISTS", "s") == 1)
                    await backend.sleep(0.02)
                    server.call("XADD", "s", "9-0", "n", "9")

            await backend.together(wait, end)
            assert told == ([b"9-0"] if create else ["NOGROUP"])


@contract
async def test_a_key_of_another_type_is_told(backend: Backend, server: Server) -> None:
    server.call("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    async with backend.client(server.url) as client:
        entries = client.consume("s", group="g", consumer="me")

        async def spoil() -> None:
            await backend.until(lambda: bool(blocked(server)))
            server.call("SET", "s", "v")

        told, _ = await backend.together(partial(anext, entries), spoil)
        assert isinstance(told, ReplyError)
        assert told.code == "WRONGTYPE"


@pytest.mark.over_a_cluster
@contract
async def test_who_is_unblocked_by_another_goes_on_waiting(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:
        entries = client.consume("s", group="g", consumer="me")

        async def unblock() -> None:
            for how in ("ERROR", "TIMEOUT"):
                await backend.until(lambda: bool(blocked(server)))
                server.call("CLIENT", "UNBLOCK", blocked(server)[0], how)
                await backend.sleep(0.02)
            add(server, 1)

        entry, _ = await backend.together(partial(anext, entries), unblock)
        assert entry.id == b"1-0"


@pytest.mark.over_a_cluster
@contract
async def test_a_client_that_is_closed_ends_the_loop(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:
        entries = client.consume("s", group="g", consumer="me")

        async def close() -> None:
            await backend.until(lambda: bool(blocked(server)))
            await client.close()

        told, _ = await backend.together(partial(anext, entries), close)
        assert isinstance(told, ConnectionError | ConnectionClosedError)
        with pytest.raises(ConnectionClosedError):
            await anext(entries)


@pytest.mark.over_a_cluster
@contract
async def test_one_that_is_full_of_what_is_done_acknowledges_in_batches(backend: Backend, server: Server) -> None:
    add(server, 100)
    server.call("CONFIG", "RESETSTAT")
    handled = Handled()
    async with backend.client(server.url) as client:
        await handled.all(client, count=50)
    handled.check(server, 100)
    assert calls(server, "xack") <= 20


# -- lists -----------------------------------------------------------------------------------------------------------------------


async def take_all(redis: Any, done: Counter[bytes]) -> None:
    async with redis.consume_list("q", working="w", block=None) as items:
        async for item in items:
            with item:
                done[item.value] += 1


@PROTOCOLS
@contract
async def test_elements_of_a_list_come_once_and_are_removed(backend: Backend, server: Server, protocol: int) -> None:
    server.call("RPUSH", "q", *range(20))
    done: Counter[bytes] = Counter()
    async with backend.client(server.url, protocol=protocol) as client:
        await take_all(client, done)
    assert done == Counter(b"%d" % number for number in range(20))
    assert [server.call("EXISTS", name) for name in "qw"] == [0, 0]


@contract
async def test_elements_come_until_they_are_done_whatever_is_cancelled(backend: Backend, server: Server) -> None:
    chance = seeded()
    done: Counter[bytes] = Counter()
    async with backend.client(server.url, retry=QUICK) as client:
        async with client.consume_list("q", working="w") as items:

            async def take() -> None:
                async for item in items:
                    with item:
                        done[item.value] += 1

            for turn in range(15):
                async with backend.cancelled(take):
                    await backend.sleep(chance.random() * 0.003)
                    server.call("RPUSH", "q", turn)
                    await backend.sleep(chance.random() * 0.003)
        await take_all(client, done)
    assert {*done} == {b"%d" % number for number in range(15)}
    assert [server.call("EXISTS", name) for name in "qw"] == [0, 0]


@pytest.mark.parametrize("way", ["up", "down"])
@contract
async def test_elements_come_until_they_are_done_whatever_is_lost(backend: Backend, server: Server, way: str) -> None:
    chance = seeded()
    done: Counter[bytes] = Counter()
    with Proxy(server.port) as proxy:
        async with backend.client(proxy.url, retry=QUICK, timeout=5) as client:
            for turn in range(8):
                server.call("RPUSH", "q", *[5 * turn + number for number in range(5)])
                faults = Faults(after=chance.randrange(300), then=chance.choice(["close", "reset"]), once=True)
                proxy.arm(**{way: faults})
                with suppress(ConnectionError):
                    await take_all(client, done)
            proxy.arm()
            await take_all(client, done)
    assert {*done} == {b"%d" % number for number in range(40)}
    assert [server.call("EXISTS", name) for name in "qw"] == [0, 0]


@contract
async def test_an_element_is_waited_for(backend: Backend, server: Server) -> None:
    async with backend.client(server.url, decode=True) as client:
        items = client.consume_list("q", working="w", block=20)

        async def provide() -> None:
            await backend.sleep(0.15)
            server.call("RPUSH", "q", "é")

        item: Any
        item, _ = await backend.together(partial(anext, items), provide)
        assert (item.value, item.again) == ("é", False)
        assert server.call("LLEN", "w") == 1
        item.done()
        await items.flush()
        assert server.call("LLEN", "w") == 0

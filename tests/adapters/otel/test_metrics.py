"""What metrics say of calls, connections and waits, on every adapter."""

from __future__ import annotations

import gc
import os
from functools import partial
from typing import TYPE_CHECKING

import pytest

import resp_sync
from adapters.backends import Backend, contract
from adapters.otel.telemetry import Telemetry, attributes_of
from adapters.peers import Peer, Wire, eventually, run_program
from resp_otel import OpenTelemetryMetrics, OpenTelemetryObserver
from resp_sansio import (
    Cache,
    CallEnded,
    CallRedirected,
    CallRetried,
    ClientMade,
    ClientStats,
    CloseReason,
    CommandTimeoutError,
    ConnectError,
    ConnectionLostError,
    DialFailed,
    Gap,
    KeysInvalidated,
    LinkClosed,
    LinkOpened,
    MapRefreshed,
    NodeStats,
    Outcome,
    PushesDropped,
    ReplyDropped,
    ReplyError,
    RespError,
    Retry,
    UseEnded,
    WaitEnded,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")

DURATION = "db.client.operation.duration"
OPERATION = "db.operation.name"
POOL = "db.client.connection.pool.name"
REPLY = Outcome.REPLY


@contract
async def test_each_call_is_one_observation(backend: Backend, server: Server) -> None:
    told = Telemetry()
    async with backend.client(f"{server.url}/3", observers=[told.observer]) as client:
        await client.set("k", "v")
        await backend.together(*[partial(client.get, "k")] * 20)
        async with client.acquire() as own:
            await own.get("k")
    assert told.numbers(DURATION, OPERATION) == {"SET": 1, "GET": 21}
    assert told.numbers("redis.client.operation.calls", OPERATION) == {"SET": 1, "GET": 21}
    (gets,) = [point for point in told.points(DURATION) if attributes_of(point)[OPERATION] == "GET"]
    assert attributes_of(gets) == {
        "db.system.name": "redis",
        "db.namespace": "3",
        "db.operation.name": "GET",
        "server.address": "127.0.0.1",
        "server.port": server.port,
    }
    assert gets.explicit_bounds[0] == 0.0001
    assert sum(gets.bucket_counts) == 21
    queued = told.numbers("redis.client.operation.queue_time", OPERATION)
    network = told.numbers("redis.client.operation.network_time", OPERATION)
    assert 0 < network["GET"] <= queued["GET"] + network["GET"] <= gets.sum + 1e-6
    assert not told.points("redis.client.errors")


@contract
async def test_errors_are_counted_by_their_code_and_kind(backend: Backend, server: Server) -> None:
    told = Telemetry()
    async with backend.client(server.url, observers=[told.observer]) as client:
        await client.set("k", "v")
        with pytest.raises(ReplyError):
            await client.lpush("k", "v")
        async with client.acquire():
            pass  # the connection is there: what comes late is the reply
        with pytest.raises(CommandTimeoutError):
            await client.execute("BLPOP", "nothing", 0, timeout=0.1)
    by = (OPERATION, "error.type", "db.response.status_code")
    assert told.numbers(DURATION, *by) == {
        ("SET", None, None): 1,
        ("LPUSH", "WRONGTYPE", "WRONGTYPE"): 1,
        ("BLPOP", "CommandTimeoutError", None): 1,
    }
    by = ("error.type", "redis.client.errors.category", "redis.client.errors.internal")
    assert told.numbers("redis.client.errors", *by) == {
        ("WRONGTYPE", "server", False): 1,
        ("CommandTimeoutError", "network", False): 1,
    }
    assert told.numbers("redis.client.operation.abandoned", OPERATION) == {"BLPOP": 1}
    closed = told.numbers("redis.client.connection.closed", "redis.client.connection.close.reason")
    assert sum(closed.values()) == 2


@contract
async def test_a_batch_is_one_operation(backend: Backend, server: Server) -> None:
    told = Telemetry()
    async with backend.client(server.url, observers=[told.observer]) as client:
        for names in (["GET"], ["GET", "GET", "GET"], ["GET", "PING"]):
            async with client.pipeline() as pipe:
                for name in names:
                    pipe.execute(name, *["k"] * (name == "GET"))
        async with client.transaction() as both:
            both.get("k")
            both.incr("n")
        async with client.transaction() as one:
            one.get("k")
    assert told.numbers(DURATION, OPERATION) == {"GET": 1, "PIPELINE GET": 1, "PIPELINE": 1, "MULTI": 1, "MULTI GET": 1}
    sizes = {attributes_of(point)[OPERATION]: point.sum for point in told.points("redis.client.operation.batch.size")}
    assert sizes == {"PIPELINE GET": 3, "PIPELINE": 2, "MULTI": 2}


@contract
async def test_a_cancelled_call_is_told_of_as_such(backend: Backend, server: Server) -> None:
    told = Telemetry()
    async with backend.client(server.url, observers=[told.observer]) as client:
        await client.ping()
        async with backend.cancelled(partial(client.execute, "BLPOP", "nothing", 0)):
            await backend.until(lambda: "blocked_clients:1" in str(server.call("INFO", "clients")))
    (call,) = [point for point in told.points(DURATION) if attributes_of(point)[OPERATION] == "BLPOP"]
    assert call.count == 1
    assert attributes_of(call)["error.type"] in {"CancelledError", "Cancelled", "KeyboardInterrupt"}
    # An interrupt of a thread ends what it used, so no reply may come.
    interrupted = backend.name == "threads"
    assert told.numbers("redis.client.operation.abandoned", OPERATION) == ({} if interrupted else {"BLPOP": 1})
    assert not told.points("redis.client.errors")


@contract
async def test_retries_are_counted_and_their_errors_are_internal(backend: Backend) -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        replies = iter([b"-LOADING not now\r\n", b"-LOADING not now\r\n", b"$1\r\nv\r\n"])
        for _ in wire.commands():
            wire.send(next(replies))

    told = Telemetry()
    with Peer(script) as peer:
        async with backend.client(peer.url, retry=Retry(base=0.001, cap=0.001), observers=[told.observer]) as client:
            assert await client.get("k") == b"v"
    assert told.numbers(DURATION, OPERATION, "error.type") == {("GET", None): 1}
    assert told.numbers("redis.client.operation.retries", OPERATION, "error.type") == {("GET", "LOADING"): 2}
    assert told.numbers("redis.client.errors", "error.type", "redis.client.errors.internal") == {("LOADING", True): 2}


@contract
async def test_connections_are_counted_timed_and_their_end_has_a_reason(backend: Backend, server: Server) -> None:
    told = Telemetry(pool_name="sessions")
    async with backend.client(server.url, max_connections=5, observers=[told.observer]) as client:
        await client.ping()
        async with client.acquire() as own:
            await own.ping()
            count = told.numbers("db.client.connection.count", POOL, "db.client.connection.state")
            assert count == {("sessions", "idle"): 1, ("sessions", "used"): 1}
        assert told.numbers("db.client.connection.max", POOL) == {"sessions": 5}
        assert told.numbers("db.client.connection.pending_requests", POOL) == {"sessions": 0}
        assert told.numbers("redis.client.operation.in_flight", POOL) == {"sessions": 0}
    assert told.numbers("db.client.connection.create_time", POOL) == {"sessions": 2}
    steps = told.numbers("redis.client.connection.create_step_time", "redis.client.connection.step")
    assert steps == {"name": 2, "dial": 2, "handshake": 2}
    assert told.numbers("db.client.connection.wait_time", POOL) == {"sessions": 1}
    (use,) = told.points("db.client.connection.use_time")
    assert attributes_of(use) == {"db.system.name": "redis", POOL: "sessions"}
    (wait,) = told.points("db.client.connection.wait_time")
    assert (use.count, use.explicit_bounds) == (1, wait.explicit_bounds)
    assert use.sum > 0
    closed = told.numbers("redis.client.connection.closed", "redis.client.connection.close.reason")
    assert closed == {"application_close": 2}
    count = told.numbers("db.client.connection.count", "db.client.connection.state")
    assert count == {"idle": 0, "used": 0}


@contract
async def test_a_caller_that_gets_no_connection_in_time_is_counted(backend: Backend, server: Server) -> None:
    told = Telemetry()
    async with backend.pool(server.url, max_size=1, observers=[told.observer]) as pool, pool.acquire():
        with pytest.raises(CommandTimeoutError):
            async with pool.acquire(timeout=0.01):
                pass
    assert told.numbers("db.client.connection.timeouts", POOL) == {f"127.0.0.1:{server.port}/0": 1}
    assert told.numbers("db.client.connection.wait_time", POOL) == {f"127.0.0.1:{server.port}/0": 1}


@contract
async def test_a_dial_that_fails_is_counted_by_its_step(backend: Backend, start_server: Callable[..., Server]) -> None:
    told = Telemetry()
    server = start_server()
    server.close()
    with pytest.raises(ConnectError):
        async with backend.client(server.url, retry=Retry(attempts=1), observers=[told.observer]) as client:
            await client.ping()
    by = ("redis.client.connection.step", "error.type")
    assert told.numbers("redis.client.connection.failed", *by) == {("dial", "ConnectError"): 1}


@contract
async def test_a_connection_by_itself_is_one_until_it_ends(backend: Backend, server: Server) -> None:
    told = Telemetry()
    async with backend.connect(server.url, observers=[told.observer]) as connection:
        await connection.ping()
        assert told.numbers("db.client.connection.count", "db.client.connection.state") == {"idle": 1, "used": 0}
    assert not told.points("db.client.connection.count")


@contract
async def test_caches_are_counted_by_what_they_had_and_what_they_lost(backend: Backend, server: Server) -> None:
    told = Telemetry(pool_name="prices")
    other = Telemetry()
    cache = Cache(max_bytes=4000)
    async with (
        backend.client(server.url, cache=cache, observers=[told.observer]) as client,
        backend.client(server.url, observers=[told.observer, other.observer]) as plain,
    ):
        for _ in range(3):
            await client.get("k")
        await plain.set("k", 1)
        while not told.points("redis.client.csc.invalidations"):
            await client.ping()
        assert told.numbers("redis.client.csc.requests", POOL, "redis.client.csc.result") == {
            ("prices", "hit"): 2,
            ("prices", "miss"): 1,
            ("prices", "joined"): 0,
        }
        assert told.numbers("redis.client.csc.invalidations", POOL) == {"prices": 1}
        assert told.numbers("redis.client.csc.items", POOL) == {"prices": 0}
        for number in range(20):
            await client.get(f"k{number}")
        assert told.numbers("redis.client.csc.requests", "redis.client.csc.result")["miss"] == 21
        evicted = told.numbers("redis.client.csc.evictions", "redis.client.csc.reason")["full"]
        assert told.numbers("redis.client.csc.items", POOL) == {"prices": 20 - evicted}
        assert evicted > 0
        assert 0 < told.numbers("redis.client.csc.size", POOL)["prices"] <= 4000
        assert not [name for name in other.metrics() if "csc" in name]


@pytest.mark.parametrize("face", ["client", "pool", "connect"])
@contract
async def test_messages_are_counted_with_those_that_wait_and_those_that_are_lost(
    backend: Backend, server: Server, face: str
) -> None:
    told = Telemetry(pool_name="news")
    async with getattr(backend, face)(server.url, observers=[told.observer]) as client:
        assert not [name for name in told.metrics() if "pubsub" in name]
        async with (
            client.subscribe("a", buffer=2, overflow="drop_newest") as two,
            client.subscribe("a", "b") as all_of_them,
        ):
            for number in range(5):
                server.call("PUBLISH", "a", number)
            came = 0
            while came < 5:
                came += len(await all_of_them.next_batch())
            told_by = ("redis.client.pubsub.message.direction",)
            assert told.numbers("redis.client.pubsub.messages", *told_by) == {"receive": 10}
            dropped = told.numbers("redis.client.pubsub.dropped", POOL)["news"]
            waiting = told.numbers("redis.client.pubsub.waiting", POOL)["news"]
            left = await two.next_batch()
            gaps = sum(isinstance(item, Gap) for item in left)
            assert told.numbers("redis.client.pubsub.gaps", POOL) == {"news": gaps}
            assert (5 - (len(left) - gaps), len(left)) == (dropped, waiting)
            assert told.numbers("redis.client.pubsub.waiting", POOL) == {"news": 0}
            if face != "connect":
                server.call("CLIENT", "KILL", "TYPE", "pubsub")
                for block in (two, all_of_them):
                    assert isinstance(await block.next(), Gap)
                assert told.numbers("redis.client.pubsub.gaps", POOL) == {"news": gaps + 2}
        assert told.numbers("redis.client.pubsub.messages", POOL) == {"news": 10}


def test_what_a_cache_has_counted_stays_counted_when_its_client_was_thrown_away(server: Server) -> None:
    told = Telemetry()
    for hits in (2, 4, 6):
        with resp_sync.Client(server.url, cache=Cache(), observers=[told.observer]) as client:
            client.get("k")
            client.get("k")
            client.get("k")
            assert told.numbers("redis.client.csc.requests", "redis.client.csc.result")["hit"] == hits
        del client
        gc.collect()
        assert told.numbers("redis.client.csc.requests", "redis.client.csc.result")["hit"] == hits
        assert not told.points("redis.client.csc.items")


def test_a_client_that_was_thrown_away_is_not_counted_any_more(server: Server) -> None:
    told = Telemetry()
    with resp_sync.Client(server.url, observers=[told.observer]) as client:
        client.ping()
        assert told.numbers("db.client.connection.count", "db.client.connection.state") == {"idle": 1, "used": 0}
    assert told.points("db.client.connection.max")
    del client
    gc.collect()
    assert not told.points("db.client.connection.max")


def test_observers_of_one_provider_count_together(server: Server) -> None:
    told = Telemetry()
    with (
        resp_sync.Client(server.url, observers=[OpenTelemetryMetrics(told.meters)]) as one,
        resp_sync.Client(server.url, observers=[OpenTelemetryMetrics(told.meters, pool_name="other")]) as other,
    ):
        one.get("k")
        other.get("k")
        assert told.numbers("db.client.connection.count", POOL) == {f"127.0.0.1:{server.port}/0": 1, "other": 1}
    del one, other
    gc.collect()
    with resp_sync.Client(server.url, observers=[OpenTelemetryMetrics(told.meters)]) as one:
        one.get("k")
    assert told.numbers(DURATION, OPERATION) == {"GET": 3}
    assert told.numbers("redis.client.operation.calls", OPERATION) == {"GET": 3}


def test_clients_of_one_database_are_counted_together(server: Server) -> None:
    told = Telemetry()
    with (
        resp_sync.Client(server.url, observers=[told.observer]) as one,
        resp_sync.Pool(server.url, max_size=7, observers=[told.observer]) as other,
    ):
        one.ping()
        other.ping()
        assert told.numbers("db.client.connection.count", "db.client.connection.state") == {"idle": 2, "used": 0}
        eventually(lambda: told.numbers("db.client.connection.max", POOL) != {})
        (number,) = told.numbers("db.client.connection.max", POOL).values()
        assert number > 7


def test_made_up_commands_and_errors_do_not_make_series_without_end(server: Server) -> None:
    told = Telemetry()
    with resp_sync.Client(server.url, observers=[told.observer]) as client:
        for number in range(400):
            with pytest.raises(ReplyError):
                client.execute(f"NONE{number}")
        for number in range(100):
            code = f"E{chr(65 + number // 26)}{chr(65 + number % 26)}"
            with pytest.raises(ReplyError):
                client.execute("EVAL", f"return redis.error_reply('{code} no')", 0)
        with pytest.raises(ReplyError):
            client.execute("my secret is " + "x" * 50)
    names = told.numbers(DURATION, OPERATION)
    assert sum(names.values()) == 501
    assert len(names) == 301
    assert names["_OTHER"] == 101 + 100
    assert len(told.numbers(DURATION, "error.type")) == 51


def test_servers_without_end_do_not_make_series_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a cluster whose servers get a new address with each start, or that makes some up."""
    monkeypatch.setattr("resp_otel._measures.SERVERS", 3)
    told, lost, nodes = Telemetry(), ConnectionLostError("it ended"), ["h0:1", "h3:1", "h4:1", "[::1]:7"]
    metrics = OpenTelemetryMetrics(told.meters)
    node = NodeStats(role="master", slots=1, lanes=[], leases=None, retries=0, moved=0, asked=0)
    stats = ClientStats(lanes=[], leases=None, retries=0, nodes=dict.fromkeys(nodes, node))
    for number in range(5):
        at = f"h{number}:1", 0
        for error in (None, lost):
            call = CallEnded(*at, "GET", ("GET",), 1, REPLY, error, None, False, 1, "lane", 0.2, 0.1, 0.1, 5, 5, None)
            metrics.call_ended(call, None)
        metrics.call_retried(CallRetried(*at, "GET", 1, lost, 0.1, 0.1), None)
        metrics.call_redirected(CallRedirected(*at, "GET", "MOVED", 1, "h:1", 0.0, 0.1), None)
        metrics.map_refreshed(MapRefreshed(*at, 1, True, None, 0.1))
        metrics.reply_dropped(ReplyDropped(*at, "GET", 0.1))
        metrics.pushes_dropped(PushesDropped(*at, 1))
        metrics.keys_invalidated(KeysInvalidated(*at, 1))
        metrics.link_opened(LinkOpened(*at, 1, "lane", None, 3, 0.1, 0.1, None, 0.1, 0.3))
        metrics.link_closed(LinkClosed(*at, 1, "lane", CloseReason.LOST, lost, 1.0, 1))
        metrics.dial_failed(DialFailed(*at, "lane", ConnectError("no", transient=True), "dial", 0.1))
        metrics.wait_ended(WaitEnded(*at, 0.1, "granted", None))
        metrics.use_ended(UseEnded(*at, 1, 0.1))
        metrics.client_made(ClientMade(*at, lambda: stats))
    seen = told.metrics()
    assert len(seen) > 15
    for name, points in seen.items():
        attributes = [attributes_of(point) for point in points]
        addresses = {one.get("server.address", one.get(POOL)) for one in attributes}
        assert addresses <= {"h0", "h1", "h2", "_OTHER", "h0:1/0", "h1:1/0", "h2:1/0", "_OTHER/0"}, name
    assert told.numbers(DURATION, "server.address", "server.port") == {
        ("h0", 1): 2, ("h1", 1): 2, ("h2", 1): 2, ("_OTHER", None): 4
    }  # fmt: skip


def test_durations_may_go_to_counters_of_buckets(server: Server) -> None:
    told = Telemetry(durations="counters")
    with resp_sync.Client(server.url, observers=[told.observer]) as client:
        for _ in range(5):
            client.get("k")
        with pytest.raises(ReplyError):
            client.execute("GET")
        client.execute("DEBUG", "SLEEP", "0.06")
    assert not told.points(DURATION)
    assert told.numbers("redis.client.operation.calls", OPERATION) == {"GET": 6, "DEBUG": 1}
    assert told.numbers("redis.client.operation.network_time", OPERATION)["GET"] > 0
    buckets = told.numbers("redis.client.operation.duration_buckets", OPERATION, "le")
    slow = [buckets["DEBUG", str(bound)] for bound in (0.0001, 0.05, 2.5, "+Inf")]
    assert slow == [0, 0, 1, 1]
    assert buckets["GET", "+Inf"] == 6
    assert buckets["GET", "0.0001"] <= buckets["GET", "0.005"] <= 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_does_not_wait_for_a_lock_that_a_thread_of_its_parent_held(server: Server) -> None:
    program = f"""
        import os
        from threading import Event, Thread
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.trace import TracerProvider
        from resp_otel import OpenTelemetryObserver
        from resp_sync import Client

        observer = OpenTelemetryObserver(MeterProvider(), TracerProvider())
        held, over = Event(), Event()

        def hold():
            with observer._metrics._measures.lock, observer._traces.lock:
                held.set()
                over.wait()

        with Client("{server.url}", observers=[observer]) as client:
            client.get("k")
            thread = Thread(target=hold)
            thread.start()
            held.wait()
            child = os.fork()
            if not child:
                with client.pipeline() as pipe:
                    pipe.get("k")
                    pipe.get("k")
                print("answered", flush=True)
                os._exit(0)
            os.waitpid(child, 0)
            over.set()
            thread.join()
    """
    assert run_program(program).strip() == "answered"


def test_a_handler_of_a_signal_may_call_in_the_midst_of_a_record(server: Server) -> None:
    told = Telemetry()
    metrics = OpenTelemetryMetrics(told.meters)
    with resp_sync.Client(server.url, observers=[metrics]) as client, metrics._measures.lock:
        assert client.get("k") is None
    assert told.numbers("redis.client.operation.calls", OPERATION) == {"GET": 1}


def test_the_global_providers_serve_if_no_other_is_given(server: Server) -> None:
    with resp_sync.Client(server.url, observers=[OpenTelemetryObserver()]) as client:
        assert client.ping() is not None


@contract
async def test_no_secret_leaves_the_process(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server("--requirepass", "s3cr3t")
    told = Telemetry(query_text=True)
    url = server.url.replace("redis://", "redis://:s3cr3t@")
    async with backend.client(url, observers=[told.observer]) as client:
        await client.set("kkkk", "vvvv")
        for words in ("AUTH wr0ng", "LPUSH kkkk vvvv", "NONE kkkk vvvv", "CONFIG SET kkkk vvvv"):
            with pytest.raises(RespError):
                await client.execute(*words.split())
    with pytest.raises(ConnectError):
        async with backend.client(
            server.url.replace("redis://", "redis://:wr0ng@"), retry=Retry(attempts=1), observers=[told.observer]
        ) as client:
            await client.ping()
    texts = told.all_texts()
    assert len(texts) > 10
    assert not [text for text in texts if any(secret in text for secret in ("s3cr3t", "wr0ng", "kkkk", "vvvv"))]

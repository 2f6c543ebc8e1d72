"""TLS in front of a link's connection: the server's side is another pair of memory buffers, and there is no network in between."""

from __future__ import annotations

import ssl
from functools import cache
from itertools import cycle
from typing import Any, ClassVar

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from resp_sansio import (
    ClientSettings,
    Config,
    ConnectError,
    ConnectionLostError,
    Outcome,
    PoolSettings,
    PoolStats,
    Retry,
)
from resp_sansio.client import Client, Close, Dial, Link, ObservedClient, Observers, TLSWire, error_of, tls_of
from resp_sansio.client.forks import GATE
from resp_sansio.client.tls import RECORDS
from resp_sansio.connection import Slot, SlotState, new_slot
from resp_sansio.testing import Peer

HINT = "; does the server speak TLS on this port? (redis:// is without)"
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
NAME = "db.example"


@cache
def authority() -> trustme.CA:
    return trustme.CA()


@cache
def contexts(version: ssl.TLSVersion) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's, and the client's."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority().issue_cert(NAME).configure_cert(server)
    client = ssl.create_default_context()
    authority().configure_trust(client)
    client.minimum_version = client.maximum_version = version
    return server, client


class Server:
    """The other side: what it reads it answers, and everything waits here until a test moves it."""

    def __init__(self, version: ssl.TLSVersion) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = contexts(version)[0].wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.peer = Peer(answer=lambda words: words[-1])
        self.open = False

    def read(self, records: bytes | memoryview) -> None:
        self.incoming.write(records)
        try:
            if not self.open:
                self.tls.do_handshake()
                self.open = True
            while True:
                for reply in self.peer.receive(self.tls.read(1 << 20)):
                    self.tls.write(reply)
        except ssl.SSLWantReadError:
            pass

    def records(self) -> bytes:
        return self.outgoing.read()

    def say(self, data: bytes) -> bytes:
        """Return records that hold this."""
        self.tls.write(data)
        return self.records()


class Stage:
    """A client of one lane over TLS, its server, and the network between them."""

    def __init__(
        self,
        version: ssl.TLSVersion = VERSIONS[1],
        context: ssl.SSLContext | None = None,
        *,
        once: bool = False,
        pool: PoolSettings | None = None,
        **config: Any,
    ) -> None:
        given = {"host": NAME, "tls": True, "timeout": None, "ping_interval": None, "silence_timeout": None, **config}
        self.config = Config(**{"ssl_context": context or contexts(version)[1], **given})
        lanes = None if once or pool is not None else ClientSettings(retry=Retry(attempts=1))
        self.now = 0.0
        self.client: Client
        if self.config.observers:
            observers = Observers(self.config)
            observers.now = lambda: self.now
            self.client = ObservedClient(self.config, lanes, pool, random=lambda: 0.5, once=once, observers=observers)
        else:
            self.client = Client(self.config, lanes, pool, random=lambda: 0.5, once=once)
        self.told: list[Any] = []
        self.server = Server(version)
        self.first = new_slot(("GET", "first"))
        if once:
            self.client.acquire(None, self.now)
        else:
            self.client.submit(self.first, self.now)
        self.carry_out()
        self.dial = next(event for event in self.told if isinstance(event, Dial))
        self.link = self.client.connected(self.dial, self.now, None, TLSWire(self.config, ssl))
        self.carry_out()

    def call(self, *words: str | bytes) -> Slot:
        slot = new_slot(words)
        if self.client.start(slot, self.now) is None:
            self.client.submit(slot, self.now)
        self.carry_out()
        return slot

    def carry_out(self) -> None:
        self.told += self.client.events()

    def send(self, most: int = 1 << 30) -> int:
        """The network takes so many bytes, and gives them to the server."""
        block = self.link.wire.data_to_send()[:most]
        self.link.wire.sent(len(block))
        self.server.read(block)
        return len(block)

    def receive(self, records: bytes) -> None:
        self.told += self.client.receive_data(self.link, records, self.now)
        self.carry_out()

    def exchange(self) -> None:
        """Move everything, both ways."""
        while self.send() or self.server.outgoing.pending:
            self.receive(self.server.records())

    def end(self, error: Exception | None = None) -> None:
        self.client.receive_eof(self.link, self.now, error)
        self.carry_out()

    def has(self, event: object) -> bool:
        return any(told is event for told in self.told)

    @property
    def closed(self) -> bool:
        return Close(self.link) in [event for event in self.told if isinstance(event, Close)]

    def failure(self) -> ConnectError:
        """Why there is no link."""
        assert self.closed
        assert self.has(self.first)
        cause = self.first.cause
        assert isinstance(cause, ConnectError)
        return cause


def opened(version: ssl.TLSVersion = VERSIONS[1], **config: Any) -> Stage:
    stage = Stage(version, **config)
    stage.exchange()
    assert stage.first.reply == b"first"
    return stage


# -- what goes through -------------------------------------------------------------------------------------------------------


SIZES = st.sampled_from([1, 7, 100, 1500, 20_000, 100_000])


@pytest.mark.parametrize("version", VERSIONS)
@given(lengths=st.lists(SIZES, max_size=4), out=st.lists(SIZES, min_size=1), back=st.lists(SIZES, min_size=1))
@settings(max_examples=30, deadline=None)
def test_calls_are_answered_however_the_network_cuts_the_records(
    version: ssl.TLSVersion, lengths: list[int], out: list[int], back: list[int]
) -> None:
    stage = Stage(version)
    values = [bytes([65 + index]) * length for index, length in enumerate(lengths)]
    calls = [stage.call("ECHO", value) for value in values]
    waiting = b""
    # Single bytes are for the handshake: there are too many of them in what follows.
    takes, gives = ((max(most, turn // 10) for turn, most in enumerate(cycle(sizes))) for sizes in (out, back))
    while stage.link.wire.wants_to_send or waiting or stage.server.outgoing.pending:
        stage.send(next(takes))
        waiting += stage.server.records()
        count = next(gives)
        stage.receive(waiting[:count])
        waiting = waiting[count:]
    assert [slot.reply for slot in (stage.first, *calls)] == [b"first", *values]
    assert [stage.told.count(slot) for slot in (stage.first, *calls)] == [1] * (1 + len(calls))


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_of_a_callers_goes_out_before_the_server_is_known(version: ssl.TLSVersion) -> None:
    stage = Stage(version)
    assert stage.link.wire.wants_to_send
    while not stage.link.tls.open:  # type: ignore[union-attr]
        assert "shaking hands" in repr(stage.link.tls)
        assert not stage.server.peer.executed
        stage.send()
        stage.receive(stage.server.records())
    assert "open" in repr(stage.link.tls)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_server_says_with_the_end_of_its_handshake_is_read_with_it(version: ssl.TLSVersion) -> None:
    stage = Stage(version)
    while not stage.server.open:
        stage.receive(stage.server.records())
        stage.send()
    stage.receive(stage.server.records() + stage.server.say(b"-ERR max number of clients reached\r\n"))
    stage.end()
    assert str(stage.failure()).endswith("the server cannot serve now: max number of clients reached")


def test_one_read_of_the_network_is_one_for_the_connection() -> None:
    """Else pushes that came together could end it: it takes no more while too many wait, but what was read it takes whole."""
    stage = Stage(once=True, max_pushes=2)
    stage.exchange()
    push = b">2\r\n+message\r\n+rain\r\n"
    stage.receive(b"".join(stage.server.say(push) for _ in range(5)))
    assert len(stage.link.pushes.came) == 5
    assert not stage.link.ended
    assert not stage.link.core.wants_to_receive


def test_time_makes_a_link_want_to_send() -> None:
    stage = opened(ping_interval=1.0)
    stage.told.clear()
    while not stage.has(stage.link):
        stage.now = stage.client.next_deadline()
        stage.client.handle_timeout(stage.now)
        stage.carry_out()
    stage.exchange()
    assert stage.link.core.stats().pings == 1
    assert not stage.link.core.in_flight


# -- what counts as sent -----------------------------------------------------------------------------------------------------


def test_what_is_encrypted_counts_as_sent_and_no_more_is_before_the_network_has_taken_it() -> None:
    stage = opened()
    lost = [stage.call("ECHO", b"x" * RECORDS) for _ in range(3)]
    records = len(stage.link.wire.data_to_send())
    assert RECORDS < records < RECORDS + 1000
    stage.link.wire.sent(records - 1)
    assert len(stage.link.wire.data_to_send()) == 1
    stage.end()
    assert [slot.outcomes for slot in lost] == [(Outcome.NOT_SENT,)] * 3  # not one of them is whole
    assert stage.link.wire.data_to_send() == b""

    stage = opened()
    lost = [stage.call("ECHO", b"x") for _ in range(2)]
    assert stage.link.wire.data_to_send()
    late = stage.call("ECHO", b"y")
    stage.end()
    assert [slot.outcomes for slot in lost] == [(Outcome.MAYBE_EXECUTED,)] * 2
    assert late.outcomes == (Outcome.NOT_SENT,)


class Stubborn(ssl.SSLContext):
    """A context whose objects do not write: they raise this."""

    error: Exception

    def wrap_bio(self, *arguments: Any, **options: Any) -> Any:
        wrapped, error = super().wrap_bio(*arguments, **options), self.error

        class Object:
            def __getattr__(self, name: str) -> Any:
                return getattr(wrapped, name)

            def write(self, _: object) -> int:
                raise error

        return Object()


def stubborn(error: Exception) -> Stage:
    context = Stubborn(ssl.PROTOCOL_TLS_CLIENT)
    context.error = error
    authority().configure_trust(context)
    stage = Stage(context=context)
    stage.send()
    stage.receive(stage.server.records())
    return stage


def test_where_tls_fails_to_encrypt_a_write_has_failed() -> None:
    stage = stubborn(ssl.SSLError(1, "no more keys"))
    stage.send()
    with pytest.raises(ssl.SSLError, match="no more keys") as raised:
        stage.send()
    stage.client.send_failed(stage.link, raised.value, stage.now)
    stage.carry_out()
    assert stage.closed
    assert stage.told.count(stage.dial) == 2  # another socket is to be tried


def test_while_the_server_shakes_hands_anew_nothing_is_encrypted() -> None:
    stage = stubborn(ssl.SSLWantReadError())
    while stage.send():
        pass
    assert stage.link.wire.wants_to_send
    assert not stage.link.ended


# -- forks -------------------------------------------------------------------------------------------------------------------


class Noted(ssl.SSLObject):
    """Notes what it does while a fork would wait for it."""

    done: ClassVar[list[tuple[str, int]]] = []

    def do_handshake(self) -> None:
        self.done.append(("do_handshake", len(GATE.inside)))
        super().do_handshake()

    def read(self, *arguments: Any) -> Any:
        self.done.append(("read", len(GATE.inside)))
        return super().read(*arguments)

    def write(self, *arguments: Any) -> int:
        self.done.append(("write", len(GATE.inside)))
        return super().write(*arguments)


def test_forks_wait_for_all_that_openssl_does(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslobject_class = Noted
    authority().configure_trust(context)

    def make(**_: object) -> ssl.SSLContext:
        Noted.done.append(("make", len(GATE.inside)))
        return context

    Noted.done.clear()
    stage = Stage(context=context)
    stage.exchange()
    assert stage.first.reply == b"first"
    monkeypatch.setattr(ssl, "create_default_context", make)
    TLSWire(Config(host=NAME, tls=True), ssl)
    assert set(Noted.done) == {("make", 1), ("do_handshake", 1), ("read", 1), ("write", 1)}
    assert not GATE.inside


def test_forks_wait_for_nothing_that_has_failed() -> None:
    with pytest.raises(ConnectError, match="No such file"):
        TLSWire(Config(host=NAME, tls=True, tls_ca_file="missing.pem"), ssl)
    stage = Stage()
    stage.receive(b"no TLS at all")
    assert stage.closed
    assert not GATE.inside


# -- the end -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@given(kept=st.floats(0, 1), how=st.sampled_from(["closed", "reset", "a write failed"]))
@settings(max_examples=40, deadline=None)
def test_what_came_before_an_end_is_told_wherever_that_is(version: ssl.TLSVersion, kept: float, how: str) -> None:
    stage = opened(version)
    calls = [stage.call("ECHO", bytes([65 + index]) * 9000) for index in range(4)]
    while stage.send():
        pass
    records = stage.server.records()
    stage.receive(records[: int(kept * len(records))])
    answered = [slot for slot in calls if stage.has(slot)]
    assert answered == calls[: len(answered)]
    assert len(answered) >= int(kept * len(records)) // 9200 - 1
    if how == "a write failed":
        stage.client.send_failed(stage.link, BrokenPipeError(32, "Broken pipe"), stage.now)
        stage.carry_out()
    else:
        stage.end(None if how == "closed" else ConnectionResetError(104, "Connection reset by peer"))
    assert stage.closed
    assert all(stage.has(slot) for slot in calls)
    for slot in calls:
        if slot not in answered:
            assert slot.outcomes == (Outcome.MAYBE_EXECUTED,)
    assert stage.link.wire.data_to_send() == b""
    stage.receive(records)  # harmless
    assert [stage.told.count(slot) for slot in calls] == [1] * 4


@pytest.mark.parametrize("version", VERSIONS)
@given(kept=st.floats(0, 0.999))
@settings(max_examples=40, deadline=None)
def test_an_end_in_the_handshake_is_the_dials(version: ssl.TLSVersion, kept: float) -> None:
    stage = Stage(version)
    stage.send()
    records = stage.server.records()
    stage.receive(records[: int(kept * len(records))])
    stage.end()
    told = stage.failure()
    assert str(told) == f"{NAME}:6379: TLS failed: the server closed the connection"
    assert told.transient
    assert isinstance(told.__cause__, ConnectionResetError)


@pytest.mark.parametrize("side", ["reading", "writing"])
def test_a_failure_in_the_handshake_is_the_dials(side: str) -> None:
    stage = Stage()
    error = OSError(32, "Broken pipe")
    if side == "reading":
        stage.end(error)
    else:
        stage.client.send_failed(stage.link, error, stage.now)
        stage.carry_out()
    assert str(stage.failure()) == f"{NAME}:6379: TLS failed: Broken pipe"


def test_a_server_that_says_that_it_ends_has_ended_and_what_follows_is_ignored() -> None:
    stage = opened()
    calls = [stage.call("ECHO", "a"), stage.call("ECHO", "b")]
    assert stage.link.wire.data_to_send()
    reply = stage.server.say(b"$1\r\na\r\n")
    with pytest.raises(ssl.SSLWantReadError):
        stage.server.tls.unwrap()
    goodbye = stage.server.records()
    stage.receive(reply + goodbye + b"anything")
    assert "ended" in repr(stage.link.tls)
    assert stage.closed
    assert calls[0].reply == b"a"
    assert calls[1].state is SlotState.LOST
    assert "the server closed the connection" in str(calls[1].cause)
    stage.receive(reply)
    assert stage.link.wire.data_to_send() == b""


@pytest.mark.parametrize("version", VERSIONS)
def test_a_record_that_is_not_the_servers_ends_the_link_behind_what_came_before_it(version: ssl.TLSVersion) -> None:
    stage = opened(version)
    calls = [stage.call("ECHO", "a"), stage.call("ECHO", "b")]
    assert stage.link.wire.data_to_send()
    forged = bytearray(stage.server.say(b"$1\r\na\r\n") + stage.server.say(b"$1\r\nb\r\n"))
    forged[-1] ^= 1
    stage.receive(bytes(forged))
    assert calls[0].reply == b"a"
    assert calls[1].outcomes == (Outcome.MAYBE_EXECUTED,)
    assert isinstance(error_of(calls[1]), ConnectionLostError)
    assert "the connection failed: " in str(calls[1].cause)
    assert stage.closed
    stage.send()
    with pytest.raises(ssl.SSLError, match="(?i)bad.record.mac"):  # the server is told why
        stage.send()


# -- handshakes that fail ----------------------------------------------------------------------------------------------------


def test_a_certificate_that_is_not_trusted_fails_the_dial_and_the_server_is_told() -> None:
    stage = Stage(context=ssl.create_default_context())
    stage.send()
    stage.receive(stage.server.records())
    told = stage.failure()
    assert str(told).startswith(f"{NAME}:6379: the server's certificate was not accepted: ")
    assert not told.transient
    assert isinstance(told.__cause__, ssl.SSLCertVerificationError)
    with pytest.raises(ssl.SSLError, match="(?i)unknown.ca"):
        stage.send()


def test_what_speaks_no_tls_is_called_so() -> None:
    stage = Stage()
    stage.receive(b"-ERR Protocol error: unbalanced quotes in request\r\n")
    told = stage.failure()
    assert str(told).startswith(f"{NAME}:6379: TLS failed: ")
    assert str(told).endswith(HINT)
    assert not told.transient


def test_the_handshake_has_the_time_that_the_dial_has() -> None:
    stage = Stage(connect_timeout=3.0)
    stage.now = stage.client.next_deadline()
    assert stage.now == stage.dial.deadline
    stage.client.handle_timeout(stage.now)
    stage.carry_out()
    told = stage.failure()
    assert str(told) == f"{NAME}:6379: TLS failed: timed out{HINT}"
    assert told.transient
    assert stage.link.wire.data_to_send() == b""


def test_a_client_that_is_closed_gives_up_a_handshake() -> None:
    stage = Stage()
    stage.client.close(stage.now)
    stage.carry_out()
    assert stage.closed
    assert "the client was closed" in str(stage.first.cause)


def test_a_dial_that_is_not_wanted_any_more_sends_nothing() -> None:
    stage = Stage()
    config = stage.config
    stage.client.close(stage.now)
    client = Client(config, ClientSettings(), None, random=lambda: 0.5)
    client.submit(new_slot(("GET", "a")), 0.0)
    dial = next(event for event in client.events() if isinstance(event, Dial))
    client.close(0.0)
    link = client.connected(dial, 0.0, None, TLSWire(config, ssl))
    assert link.ended
    assert link.wire.data_to_send() == b""


def test_a_context_that_can_agree_on_nothing_fails_the_dial() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version, context.maximum_version = VERSIONS[1], VERSIONS[0]
    told = Stage(context=context).failure()
    assert str(told).startswith(f"{NAME}:6379: TLS failed: ")
    assert not told.transient


def test_a_context_for_servers_is_refused_before_anything_is_dialled() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.raises(ConnectError, match="TLS failed: Cannot create a client socket"):
        TLSWire(Config(tls=True, ssl_context=context), ssl)


def test_a_plain_link_has_nothing_in_front_of_its_connection() -> None:
    client = Client(Config(), ClientSettings(), None, random=lambda: 0.5)
    client.submit(new_slot(("GET", "a")), 0.0)
    dial = next(event for event in client.events() if isinstance(event, Dial))
    link: Link = client.connected(dial, 0.0)
    assert link.wire is link.core
    assert link.tls is None


def test_no_link_is_lent_to_a_call_that_it_could_not_start() -> None:
    stage = opened(pool=PoolSettings())
    stats = stage.client.stats()
    assert isinstance(stats, PoolStats)
    assert stats.idle == 1
    assert stage.client.lend_to(new_slot(("GET", "a")), stage.now) is None
    assert stage.client.stats() == stats


def test_the_module_is_loaded_for_those_who_want_tls() -> None:
    loaded: list[str] = []

    def load(name: str) -> Any:
        loaded.append(name)
        return ssl

    assert tls_of(Config(), load) is None
    assert not loaded
    assert isinstance(tls_of(Config(tls=True), load), TLSWire)
    assert loaded == ["ssl"]

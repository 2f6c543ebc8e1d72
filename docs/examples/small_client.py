"""A small Redis client over a plain blocking socket: one connection, for one thread at a time."""

from __future__ import annotations

import socket
import sys
from collections import deque
from concurrent.futures import Future
from math import inf
from time import monotonic
from typing import Any, Self, TypeVar

from resp_sansio import (
    Argument,
    Command,
    CommandTimeoutError,
    Config,
    ConnectError,
    ConnectionLostError,
    Push,
    Reply,
    ReplyError,
    RespError,
)
from resp_sansio.connection import Batch, Connection, ConnectionLost, Opened, PushReceived, Slot, State, TimedOut
from resp_sansio.methods import RAW, Reader, SyncMethods, Words

T = TypeVar("T")


def dial(config: Config) -> socket.socket:
    if config.tls or config.path is not None or config.sentinels or config.cluster:
        raise ValueError("this client speaks plain TCP only")
    try:
        connected = socket.create_connection((config.host, config.port), config.connect_timeout)
    except OSError as error:
        raise ConnectError(f"cannot connect to {config.address}: {error}", transient=True) from error
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


class SmallClient(SyncMethods):
    def __init__(self, url: str = "redis://localhost") -> None:
        config = Config.from_url(url)
        now = monotonic()
        open_by = inf if config.connect_timeout is None else now + config.connect_timeout
        self._machine = Connection.configured(config, now=now, open_by=open_by)
        self._pushes: deque[Push] = deque()
        self._socket = dial(config)
        try:
            while self._machine.state is State.OPENING:
                self._turn()
            if self._machine.error is not None:
                raise self._machine.error
        except BaseException:
            self.close()
            raise

    def _turn(self, until: float = inf) -> None:
        machine = self._machine
        block = machine.data_to_send()
        try:
            self._arm(until)
            if block:
                machine.sent(self._socket.send(block))
            elif data := self._socket.recv(65536):
                machine.receive_data(data)
            else:
                machine.receive_eof()
        except TimeoutError:
            machine.handle_timeout(monotonic())
        except OSError as error:
            if block:
                self._read_last_words()
                machine.send_failed(error)
            else:
                machine.receive_eof(f"reading failed: {error}")
        except BaseException:
            machine.abort(ConnectionLostError("a call was interrupted while bytes were moving"))
            raise
        finally:
            self._take_events()

    def _arm(self, until: float) -> None:
        left = min(self._machine.next_deadline(), until) - monotonic()
        self._socket.settimeout(None if left == inf else max(left, 0.001))

    def _read_last_words(self) -> None:
        self._socket.setblocking(False)
        try:
            while data := self._socket.recv(65536):
                self._machine.receive_data(data)
        except OSError:
            pass

    def _take_events(self) -> None:
        for event in self._machine.events():
            match event:
                case Slot():
                    waiter(event).set_result(event.reply)
                case TimedOut(slot=slot):
                    waiter(slot).set_exception(failure(slot, CommandTimeoutError("no reply in time")))
                case PushReceived(push=push):
                    self._pushes.append(push)
                case ConnectionLost(error=error, unanswered=slots):
                    for slot in slots:
                        if not waiter(slot).done():
                            waiter(slot).set_exception(failure(slot, error))
                case Opened():
                    pass

    def execute(self, *args: Argument, timeout: float = 5.0) -> Reply:
        future: Future[Reply] = Future()
        self._machine.send(Command(*args), future, deadline=monotonic() + timeout)
        reply = self._wait_for(future)
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    def _do(self, words: Words, read: Reader[T]) -> T:
        return read(self.execute(*words), RAW)

    def pipeline(self, *commands: Command[Reply], timeout: float = 5.0) -> list[Reply]:
        future: Future[list[Reply]] = Future()
        self._machine.send_many(commands, future, deadline=monotonic() + timeout)
        return self._wait_for(future)

    def next_push(self, timeout: float = 5.0) -> Push:
        until = monotonic() + timeout
        while not self._pushes:
            if self._machine.error is not None:
                raise self._machine.error
            if monotonic() >= until:
                raise CommandTimeoutError("no push came in time")
            self._turn(until)
        self._machine.push_taken()
        return self._pushes.popleft()

    def _wait_for(self, future: Future[T]) -> T:
        while not future.done():
            self._turn()
        return future.result()

    def close(self) -> None:
        self._machine.abort()
        self._take_events()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def waiter(slot: Slot) -> Future[Any]:
    assert isinstance(slot.token, Future)
    return slot.token


def failure(slot: Slot, cause: RespError) -> RespError:
    answered = len(slot.replies) if isinstance(slot, Batch) else 0
    return slot.failure(cause, answered)


def main() -> None:
    with SmallClient(*sys.argv[1:]) as client:
        client.execute("SET", "greeting", "hello")
        print(client.execute("GET", "greeting"), client.get("greeting"))  # b'hello' b'hello'
        print(client.pipeline(Command("INCR", "n"), Command("INCR", "n")))  # [1, 2]
        try:
            client.execute("BLPOP", "empty", 0, timeout=0.1)
        except CommandTimeoutError as error:
            print(error.outcome.name)  # MAYBE_EXECUTED


if __name__ == "__main__":
    main()

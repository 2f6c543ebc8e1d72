"""The lines of a log: one of each kind, its level, and what it must not say."""

from __future__ import annotations

import pytest

from resp_sansio import (
    CallRedirected,
    CallRetried,
    CloseReason,
    CommandTimeoutError,
    ConnectError,
    ConnectionLostError,
    DialFailed,
    InvalidReplyError,
    LinkClosed,
    LinkOpened,
    LogObserver,
    MapRefreshed,
    Observer,
    PushesDropped,
    ReplyDropped,
    ReplyError,
    WaitEnded,
)

AT = ("here:1", 0)


class Kept:
    """The lines, as they would be read."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str, str]] = []

    def __call__(self, level: int, area: str, text: str, /, *values: object) -> None:
        self.lines.append((level, area, text % values))


@pytest.fixture
def kept() -> Kept:
    return Kept()


def test_connections(kept: Kept) -> None:
    log = LogObserver(kept)
    log.link_opened(LinkOpened(*AT, 1, "lane", None, 3, 0.001, 0.002, None, 0.003, 0.0061))
    log.link_opened(LinkOpened(*AT, 2, "lease", None, 2, 0.001, 0.002, 0.003, 0.003, 0.0104))
    log.dial_failed(DialFailed(*AT, "lane", None, "dial", 0.5))
    log.dial_failed(DialFailed(*AT, "lane", ConnectError("refused", transient=True), "dial", 0.5))
    log.link_closed(LinkClosed(*AT, 1, "lane", CloseReason.IDLE, ConnectionLostError("the client closed it"), 60.04, 7))
    log.link_closed(LinkClosed(*AT, 2, "lease", CloseReason.LOST, ConnectionLostError("reset by peer"), 2.0, 7))
    assert kept.lines == [
        (10, "connection", "here:1: connection 1 for a lane was opened in 6.1 ms, by RESP3"),
        (10, "connection", "here:1: connection 2 for a lease was opened in 10.4 ms, by RESP2 over TLS"),
        (10, "connection", "here:1: a dial was given up after 500.0 ms"),
        (30, "connection", "here:1: no connection after 500.0 ms, at the step dial: refused"),
        (
            10,
            "connection",
            "here:1: connection 1, 60.0 s old and used by 7 calls, was left: it had not been used for max_idle",
        ),
        (30, "connection", "here:1: connection 2, 2.0 s old and used by 7 calls, was left: it ended (reset by peer)"),
    ]


def test_waits(kept: Kept) -> None:
    log = LogObserver(kept)
    log.wait_ended(WaitEnded(*AT, 0.1, "granted", None))
    log.wait_ended(WaitEnded(*AT, 0.1, "withdrawn", KeyboardInterrupt()))
    log.wait_ended(WaitEnded(*AT, 0.1, "refused", CommandTimeoutError("acquire timed out")))
    assert kept.lines == [(30, "pool", "here:1: no connection for a caller that waited 100.0 ms: acquire timed out")]


def test_clusters(kept: Kept) -> None:
    log = LogObserver(kept)
    log.call_redirected(CallRedirected(*AT, "GET", "MOVED", 7, "there:2", 0.0, 0.1), None)
    log.map_refreshed(MapRefreshed(*AT, 2, False, None, 0.001))
    log.map_refreshed(MapRefreshed(*AT, 2, True, None, 0.002))
    log.map_refreshed(MapRefreshed(*AT, 3, False, ConnectError("refused", transient=True), 1.0))
    assert kept.lines == [
        (10, "cluster", "here:1: GET was sent on to there:2 (MOVED, slot 7)"),
        (10, "cluster", "here:1: the same map of the cluster came after 1.0 ms, 2 servers were asked"),
        (20, "cluster", "here:1: another map of the cluster came after 2.0 ms, 2 servers were asked"),
        (30, "cluster", "here:1: no map of the cluster after 1000.0 ms, of 3 servers: refused"),
    ]


def test_retries_pushes_and_replies(kept: Kept) -> None:
    log = LogObserver(kept)
    log.call_retried(CallRetried(*AT, "GET", 1, ReplyError("LOADING dataset"), 0.05, 0.001), None)
    log.pushes_dropped(PushesDropped(*AT, 3))
    log.reply_dropped(ReplyDropped(*AT, "GET", 0.25))
    assert kept.lines == [
        (
            20,
            "retry",
            "here:1: attempt 1 of GET failed after 1.0 ms, and another followed in 50.0 ms: the server said LOADING",
        ),
        (30, "push", "here:1: 3 pushes came on a connection on which no caller can listen"),
        (10, "reply", "here:1: a reply to GET came 250.0 ms after its caller had left"),
    ]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ReplyError("ERR unknown command 'S3CR3T'"), "the server said ERR"),
        (ReplyError("s3cr3t in front"), "the server said ERR"),
        (InvalidReplyError(b",s3cr3t"), "InvalidReplyError"),
        (ValueError("s3cr3t"), "ValueError"),
    ],
)
def test_what_an_error_says_of_arguments_and_replies_is_left_out(kept: Kept, error: Exception, says: str) -> None:
    LogObserver(kept).dial_failed(DialFailed(*AT, "lane", error, "handshake", 0.5))
    ((_, _, line),) = kept.lines
    assert line.endswith(f": {says}")


def test_it_says_nothing_of_calls_that_ended_at_once() -> None:
    assert LogObserver.call_began is Observer.call_began
    assert LogObserver.call_ended is Observer.call_ended

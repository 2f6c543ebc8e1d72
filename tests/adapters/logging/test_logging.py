"""The log of `logging`, on every adapter: its loggers, its silence, and that no secret is in it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from adapters.backends import Backend, contract
from adapters.peers import Peer, Wire
from resp_logging import LoggingObserver
from resp_sansio import ConnectError, RespError, Retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")


@contract
async def test_each_line_goes_to_the_logger_of_its_area(backend: Backend, caplog: pytest.LogCaptureFixture) -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        replies = iter([b"-LOADING not now\r\n", b"$1\r\nv\r\n"])
        for _ in wire.commands():
            wire.send(next(replies))

    caplog.set_level(logging.DEBUG, "resp_sansio")
    with Peer(script) as peer:
        retry = Retry(base=0.001, cap=0.001)
        async with backend.client(peer.url, retry=retry, observers=[LoggingObserver()]) as client:
            assert await client.get("k") == b"v"
    assert [(record.name, record.levelname) for record in caplog.records if record.name.startswith("resp_sansio")] == [
        ("resp_sansio.connection", "DEBUG"),
        ("resp_sansio.retry", "INFO"),
        ("resp_sansio.connection", "DEBUG"),
    ]


@contract
async def test_no_secret_is_logged(
    backend: Backend, start_server: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    server = start_server("--requirepass", "s3cr3t")
    caplog.set_level(logging.DEBUG, "resp_sansio")
    once = Retry(attempts=1)
    for password in ("s3cr3t", "wr0ng"):
        url = server.url.replace("redis://", f"redis://:{password}@")
        try:
            async with backend.client(url, retry=once, observers=[LoggingObserver()]) as client:
                await client.set("kkkk", "vvvv")
                with pytest.raises(RespError):
                    await client.lpush("kkkk", "vvvv")
        except ConnectError:
            assert password == "wr0ng"
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("resp_sansio")]
    assert [line for line in lines if "WRONGPASS" in line]
    assert not [line for line in lines if any(secret in line for secret in ("s3cr3t", "wr0ng", "kkkk", "vvvv"))]


def test_without_a_handler_of_the_programs_nothing_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("resp_sansio")
    assert [type(handler) for handler in logger.handlers] == [logging.NullHandler]
    logger.propagate = False  # pytest has handlers of its own
    try:
        logging.getLogger("resp_sansio.connection").warning("a connection was lost")
    finally:
        logger.propagate = True
    assert capfd.readouterr() == ("", "")

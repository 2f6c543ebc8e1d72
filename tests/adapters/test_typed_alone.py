"""Builders that a server of the test's own is asked: it is told to save, to copy another one, to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from adapters.typed.connection import TRACKED
from adapters.typed.families import Family, check, each
from adapters.typed.server import ALONE, ENDED
from resp_sansio import ConnectionLostError
from resp_sync import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import Server

PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])


@PROTOCOLS
@pytest.mark.parametrize("family", each(ALONE))
def test_results_are_the_same_on_both_protocols(
    start_server: Callable[..., Server], protocol: Literal[2, 3], family: Family
) -> None:
    server = start_server("--enable-module-command", "yes") if "modules" in family.name else start_server()
    with connect(server.url, protocol=protocol) as connection:
        check(connection, family)


@pytest.mark.needs("CLIENT TRACKINGINFO")
@pytest.mark.parametrize("family", each(TRACKED))
def test_results_on_resp3_alone(server: Server, family: Family) -> None:
    with connect(server.url, protocol=3) as connection:
        check(connection, family)


@PROTOCOLS
def test_a_server_that_ends_does_not_answer(start_server: Callable[..., Server], protocol: Literal[2, 3]) -> None:
    for command in ENDED[: 1 if start_server().version < (7, 0) else 2]:
        connection = connect(start_server().url, protocol=protocol)
        with pytest.raises(ConnectionLostError):
            connection.execute(command)

"""Builders that a server of the test's own is asked: it is told to save, to copy another one, to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from adapters.typed import diagnostics, functions
from adapters.typed import server as about_server
from adapters.typed.connection import TRACKED
from adapters.typed.families import Family, check, each
from adapters.typed.server import ENDED
from resp_sansio import ConnectionLostError
from resp_sync import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import Server

PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])


@PROTOCOLS
@pytest.mark.parametrize("family", each([*about_server.ALONE, *diagnostics.ALONE]))
def test_results_are_the_same_on_both_protocols(
    start_server: Callable[..., Server], protocol: Literal[2, 3], family: Family
) -> None:
    options = ("--enable-module-command", "yes") if "modules" in family.name else ()
    with connect(start_server(*options).url, protocol=protocol) as connection:
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


@pytest.mark.needs("FUNCTION")
@PROTOCOLS
def test_a_dump_of_functions_is_bytes_for_all_and_can_be_restored(server: Server, protocol: Literal[2, 3]) -> None:
    with connect(server.url, protocol=protocol, decode=True) as connection:
        assert connection.function_load(functions.LIBRARY) == "lib"
        dump = connection.function_dump()
        assert type(dump) is bytes
        connection.function_flush()
        connection.function_restore(dump)
        connection.function_restore(dump, "REPLACE")
        assert connection.fcall("echo", 1, "k", "a") == ["k", "a"]
        connection.function_flush()

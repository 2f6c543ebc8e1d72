"""A block that monitors, in both colours: a connection of its own, which is closed however the block ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.surface.driver import COLOURS
from resp_sansio import (
    CommandTimeoutError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    MonitorLine,
    ReplyError,
    UnexpectedReplyError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.surface.driver import Colour

pytestmark = pytest.mark.parametrize("colour", COLOURS, ids=repr)

MAKERS: dict[str, Callable[[Colour], Any]] = {
    "client": lambda colour: colour.client("redis://stage", decode=True),
    "pool": lambda colour: colour.pool("redis://stage", decode=True),
    "connection": lambda colour: colour.connect(decode=True),
}


def say(lines: Any, *said: bytes) -> None:
    """The server says so."""
    driver = lines._connection._driver
    driver.stage.say(driver.link, b"".join(b"+%s\r\n" % line for line in said))


def take(colour: Colour, lines: Any) -> Any:
    """What an iteration gets next."""
    return colour.do(lines.__anext__() if hasattr(lines, "__anext__") else next(lines))


@pytest.mark.parametrize("made", MAKERS)
def test_lines_come_by_a_connection_of_their_own(colour: Colour, made: str) -> None:
    with colour.block(MAKERS[made](colour)) as commands:
        with colour.block(commands.monitor()) as lines:
            assert (lines.__aiter__() if hasattr(lines, "__aiter__") else iter(lines)) is lines
            say(lines, b'1.5 [0 lua] "GET" "k"', b'2.5 [3 [::1]:1] "SET" "k" "\\xff"', b'3.5 [0 lua] "GET" "k"')
            assert take(colour, lines) == MonitorLine(1.5, 0, "lua", ("GET", "k"))
            with pytest.raises(UnexpectedReplyError, match="the data is no utf-8 text"):
                take(colour, lines)
            assert colour.do(lines.next()).time == 3.5
            with pytest.raises(CommandTimeoutError, match="nothing came in time"):
                colour.do(lines.next(timeout=1))
            own = lines._connection
            assert own._driver is not commands._driver
            assert colour.do(commands.echo("k")) == "k"
        assert own.closed
        assert not commands.closed
        with colour.block(commands.monitor()) as lines:
            colour.do(commands.close())
            say(lines, b'1.5 [0 lua] "GET" "k"')
            assert take(colour, lines).time == 1.5


@pytest.mark.parametrize("made", MAKERS)
def test_a_view_has_lines_as_it_is_asked_for(colour: Colour, made: str) -> None:
    with colour.block(MAKERS[made](colour)) as commands:
        with colour.block(commands.raw.monitor()) as lines:
            say(lines, b'1.5 [0 lua] "GET" "\\xff"')
            assert take(colour, lines).words == (b"GET", b"\xff")
        with colour.block(commands.text.monitor()) as lines:
            say(lines, b'1.5 [0 lua] "GET" "k"')
            assert take(colour, lines).words == ("GET", "k")


def test_lines_end_with_their_connection(colour: Colour) -> None:
    with colour.block(colour.client("redis://stage")) as client, colour.block(client.monitor()) as lines:
        say(lines, b'1.5 [0 lua] "GET" "k"')
        driver = lines._connection._driver
        driver.stage.cut(driver.link)
        assert take(colour, lines).words == (b"GET", b"k")
        with pytest.raises(ConnectionLostError, match="^monitor: the connection is lost$") as caught:
            take(colour, lines)
        assert "the server closed the connection" in str(caught.value.__cause__)
    with pytest.raises(ConnectionClosedError):
        take(colour, lines)


def test_a_monitor_that_is_refused_leaves_nothing(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    with colour.block(colour.client("redis://stage")) as client:
        opened: list[Any] = []

        def strict(of: Any) -> Any:
            connection = another(of)
            if hasattr(connection, "__await__"):
                return awaited(connection)
            return refusing(connection)

        async def awaited(coming: Any) -> Any:
            return refusing(await coming)

        def refusing(connection: Any) -> Any:
            opened.append(connection)
            stage = connection._driver.stage
            stage.peers[stage.link].refused = {"MONITOR": ReplyError("NOPERM not you")}
            return connection

        another = type(client)._another
        monkeypatch.setattr(type(client), "_another", strict)
        block = client.monitor()
        with pytest.raises(ReplyError, match="NOPERM"):
            colour.enter(block)
        assert [connection.closed for connection in opened] == [True]
        with pytest.raises(LocalProtocolError, match="opened by a block"):
            colour.do(block.next())


def test_a_block_is_entered_once_and_by_what_is_open(colour: Colour) -> None:
    with colour.block(colour.client("redis://stage")) as client:
        with colour.block(client.monitor()) as lines, pytest.raises(LocalProtocolError, match="entered before"):
            colour.enter(lines)
        with pytest.raises(LocalProtocolError, match="entered before"):
            colour.enter(lines)
    with pytest.raises(ConnectionClosedError, match="^monitor: "):
        colour.enter(client.monitor())

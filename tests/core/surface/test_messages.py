"""A block of messages, in both colours: what it is asked, what it hands over, and what it leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.surface.driver import COLOURS
from resp_sansio import (
    CommandTimeoutError,
    ConnectionClosedError,
    LocalProtocolError,
    Message,
    ReplyError,
    UnexpectedReplyError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.surface.driver import Colour

pytestmark = pytest.mark.parametrize("colour", COLOURS, ids=repr)

MAKERS: dict[str, Callable[..., Any]] = {
    "client": lambda colour, **options: colour.client("redis://stage", **options),
    "pool": lambda colour, **options: colour.pool("redis://stage", **options),
    "connection": lambda colour, **options: colour.connect(**options),
}


def publish(messages: Any, *data: bytes, channel: bytes = b"a") -> None:
    """The server sends these messages at once."""
    driver = messages._driver
    said = [
        b">3\r\n$7\r\nmessage\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(channel), channel, len(one), one) for one in data
    ]
    driver.stage.say(driver.stage.link, b"".join(said))


def take(colour: Colour, messages: Any) -> Any:
    """What an iteration gets next."""
    return colour.do(messages.__anext__() if hasattr(messages, "__anext__") else next(messages))


@pytest.mark.parametrize("made", MAKERS)
def test_messages_are_handed_over_one_by_one_and_together(colour: Colour, made: str) -> None:
    with colour.block(MAKERS[made](colour)) as commands:
        block = commands.subscribe("a", patterns=[b"p*"], shards=[bytearray(b"s")])
        assert "to be entered" in repr(block)
        assert not block.lost
        with colour.block(block) as messages:
            assert (messages.__aiter__() if hasattr(messages, "__aiter__") else iter(messages)) is messages
            publish(messages, b"1", b"2", b"3", b"4")
            assert take(colour, messages) == Message(b"a", b"1")
            assert colour.do(messages.next()) == Message(b"a", b"2")
            assert colour.do(messages.next_batch()) == [Message(b"a", b"3"), Message(b"a", b"4")]
            for late in (messages.next, messages.next_batch):
                with pytest.raises(CommandTimeoutError, match="no message came in time"):
                    colour.do(late(timeout=1))
            assert "subscribed" in repr(messages)
            assert not messages.lost
        with pytest.raises(ConnectionClosedError, match="the block of this subscription has ended"):
            take(colour, messages)
        with pytest.raises(LocalProtocolError, match="entered before"):
            colour.enter(block)


def test_text_is_made_of_what_is_handed_over(colour: Colour) -> None:
    with (
        colour.block(colour.client("redis://stage", decode=True)) as client,
        colour.block(client.subscribe("ä")) as messages,
    ):
        publish(messages, b"1", b"\xff", b"2", channel="ä".encode())
        assert take(colour, messages) == Message("ä", "1")
        with pytest.raises(UnexpectedReplyError, match="^message: the data is no utf-8 text") as caught:
            take(colour, messages)
        assert caught.value.__context__ is None
        assert colour.do(messages.next_batch()) == [Message("ä", "2")]
        publish(messages, b"3", b"\xff", b"4", channel="ä".encode())
        assert colour.do(messages.next_batch()) == [Message("ä", "3")]  # which the next one's error does not take along
        with pytest.raises(UnexpectedReplyError, match="^message: the data is no utf-8 text"):
            colour.do(messages.next_batch())
        assert colour.do(messages.next_batch()) == [Message("ä", "4")]


@pytest.mark.parametrize("made", MAKERS)
def test_a_view_has_messages_as_it_is_asked_for(colour: Colour, made: str) -> None:
    with colour.block(MAKERS[made](colour)) as commands, colour.block(commands.text.subscribe("a")) as messages:
        publish(messages, b"1")
        assert take(colour, messages) == Message("a", "1")
    with colour.block(MAKERS[made](colour, decode=True)) as commands, colour.block(commands.raw.subscribe("a")) as raw:
        publish(raw, b"\xff")
        assert take(colour, raw) == Message(b"a", b"\xff")


def test_names_are_added_and_left_while_it_runs(colour: Colour) -> None:
    with colour.block(colour.client("redis://stage")) as client, colour.block(client.subscribe("a")) as messages:
        driver = messages._driver
        colour.do(messages.subscribe("b", patterns=["p"]))
        colour.do(messages.unsubscribe("a"))
        peer = driver.stage.peers[driver.stage.link]
        assert [*peer.subscriptions["channels"]] == [b"b"]
        colour.do(messages.unsubscribe())
        assert driver.stage.link.ended
        colour.do(messages.subscribe("c"))


def test_a_refusal_leaves_nothing(colour: Colour) -> None:
    with colour.block(colour.client("redis://stage")) as client:
        driver = client._driver
        with colour.block(client.subscribe("a")) as messages:
            driver.stage.peers[driver.stage.link].refused["SUBSCRIBE"] = ReplyError("NOPERM no")
            with pytest.raises(ReplyError, match="NOPERM"):
                colour.do(messages.subscribe("b"))
            with pytest.raises(ReplyError, match="NOPERM"):
                colour.enter(client.subscribe("b"))
            assert len(driver.machine._subscriptions.registry.subscribers) == 1
        assert driver.machine.links == []


def test_a_block_that_was_not_entered_refuses(colour: Colour) -> None:
    with colour.block(colour.client("redis://stage")) as client:
        messages = client.subscribe("a")
        with pytest.raises(LocalProtocolError, match="enter the block first"):
            take(colour, messages)
        with pytest.raises(LocalProtocolError, match="enter the block first"):
            colour.do(messages.subscribe("b"))
        colour.leave(messages)


def test_a_client_that_is_closed_has_no_block(colour: Colour) -> None:
    with colour.block(colour.client("redis://stage")) as client:
        colour.do(client.close())
        block = client.subscribe("a")
        with pytest.raises(ConnectionClosedError, match="the client was closed"):
            colour.enter(block)
        colour.leave(block)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"patterns": "x"}, "patterns must be a list of names"),
        ({"shards": [1]}, "a channel is named by str or bytes, not int"),
        ({"buffer": 0}, "buffer must be at least 1"),
        ({"buffer": True}, "buffer must be a whole number"),
        ({"buffer_bytes": 1.5}, "buffer_bytes must be a whole number"),
        ({"overflow": "wait"}, "overflow must be one of"),
        ({"timeout": -1}, "timeout must not be negative"),
    ],
)
def test_wrong_arguments_are_refused(colour: Colour, wrong: dict[str, Any], why: str) -> None:
    with colour.block(colour.client("redis://stage")) as client:
        with pytest.raises((TypeError, ValueError), match=why):
            client.subscribe("a", **wrong)
        with pytest.raises(ValueError, match="name at least one"):
            client.subscribe()

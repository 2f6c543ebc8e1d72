"""What callers hold, in both colours, over drivers that say what they were asked. `do` is `await` where it is to be."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from core.surface.driver import COLOURS, Tasks
from resp_sansio import (
    Command,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    ReplyError,
    Script,
    TransactionAbortedError,
    TransactionDiscardedError,
    as_int,
)
from resp_sansio.connection import SlotState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.surface.driver import Colour

pytestmark = pytest.mark.parametrize("colour", COLOURS, ids=repr)

NEWS = b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$4\r\nrain\r\n"


@pytest.fixture
def client(colour: Colour) -> Iterator[Any]:
    with colour.block(colour.client("redis://stage", timeout=3.0)) as made:
        yield made


@pytest.fixture
def connection(colour: Colour) -> Iterator[Any]:
    with colour.block(colour.connect()) as made:
        yield made


def names(opened: Any) -> list[bytes]:
    """The commands that came to its servers."""
    return [answer.words[0] for peer in opened._driver.stage.peers.values() for answer in peer.received]


# -- calls -----------------------------------------------------------------------------------------------------------------------


def test_a_command_is_given_by_its_words_or_as_a_command(colour: Colour, client: Any) -> None:
    assert colour.do(client.execute("ECHO", "k")) == b"k"
    assert colour.do(client.execute("ECHO", "k", decode=True)) == "k"
    assert colour.do(client.execute(Command("ECHO", "k", read=lambda reply, text: (reply, text.one(b"d"))))) == (
        b"k",
        b"d",
    )
    assert colour.do(client.echo("k")) == b"k"


def test_data_comes_as_it_is_asked_for(colour: Colour) -> None:
    with colour.block(colour.client("redis://stage", decode=True)) as text:
        assert (
            colour.do(text.echo("k")) == colour.do(text.text.echo("k")) == colour.do(text.execute("ECHO", "k")) == "k"
        )
        assert colour.do(text.raw.echo("k")) == b"k"
        pipe = text.pipeline()
        results = [pipe.echo("k"), pipe.text.echo("k"), pipe.raw.echo("k")]
        colour.do(pipe.run())
        assert [result.result() for result in results] == ["k", "k", b"k"]


def test_a_script_is_run_by_its_digest_or_else_by_its_source(colour: Colour, client: Any) -> None:
    stage = client._driver.stage
    script = Script("return 1", read=as_int)
    known: list[str] = []

    def answer(words: Any) -> object:
        name = bytes(words[0])
        if name == b"SCRIPT":
            known.append(script.digest)
            return script.digest.encode()
        if name == b"EVALSHA" and not known:
            return ReplyError("NOSCRIPT No matching script.")
        return 1

    stage.answer = answer
    assert [colour.do(client.run(script, ["k"], [2])), colour.do(client.run(script, timeout=7))] == [1, 1]
    assert [name for name in names(client) if name != b"HELLO"][-4:] == [b"EVALSHA", b"SCRIPT", b"EVAL", b"EVALSHA"]


def test_the_source_of_a_script_is_not_taken_for_one(colour: Colour, client: Any) -> None:
    with pytest.raises(TypeError, match=r"run takes a Script, not str; Script\(source\) makes one"):
        colour.do(client.run("return 1"))


def test_a_call_has_the_time_that_it_is_given_or_that_it_asks_the_server_for(colour: Colour, client: Any) -> None:
    stage = client._driver.stage
    stage.answer = lambda _: None
    colour.do(client.execute("GET", "k"))
    colour.do(client.execute("GET", "k", timeout=7))
    colour.do(client.execute("BLPOP", "k", 5))
    colour.do(client.get("k"))
    colour.do(client.blpop("k", timeout=5))
    assert [slot.deadline for slot in stage.ended] == [3.0, 7.0, 8.0, 3.0, 8.0]


def test_a_call_raises_what_the_server_says_or_why_there_is_no_reply(colour: Colour, connection: Any) -> None:
    stage = connection._driver.stage
    stage.peers[stage.link].answer = lambda _: ReplyError("WRONGTYPE")
    for call in (connection.execute, lambda *words: connection.get(*words[1:])):
        with pytest.raises(ReplyError, match="WRONGTYPE"):
            colour.do(call("GET", "k"))
    stage.deaf.add(stage.link)
    connection._driver.strikes = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        colour.do(connection.execute("GET", "k"))
    stage.cut(stage.link)
    for call in (connection.execute, lambda *words: connection.get(*words[1:])):
        with pytest.raises(ConnectionClosedError):
            colour.do(call("GET", "k"))


def test_a_call_that_ends_without_a_reply_says_why(colour: Colour, client: Any) -> None:
    def lose(slot: Any, *_: object) -> None:
        slot.settle(SlotState.LOST, 1)
        slot.cause = ConnectionLostError("reset")

    client._driver.make_call = lose
    with pytest.raises(ConnectionLostError, match="reset"):
        colour.do(client.execute("INCR", "n"))
    with pytest.raises(ConnectionLostError, match="reset"):
        colour.do(client.incr("n"))


# -- pipelines -------------------------------------------------------------------------------------------------------------------


def test_a_pipeline_is_run_when_its_block_is_left(colour: Colour, client: Any) -> None:
    with colour.block(client.pipeline()) as pipe:
        result = pipe.execute("ECHO", "k")
    assert result.result() == b"k"
    with colour.block(client.transaction()) as pipe:
        result = pipe.echo("k")
    assert result.result() == b"k"
    assert names(client)[-4:] == [b"ECHO", b"MULTI", b"ECHO", b"EXEC"]


def test_one_that_was_run_is_not_run_again_and_neither_is_one_whose_block_failed(colour: Colour, client: Any) -> None:
    with colour.block(client.pipeline()) as pipe:
        pipe.execute("ECHO", "k")
        assert colour.do(pipe.run()) == [b"k"]
    pipe = colour.enter(client.pipeline())
    pipe.execute("ECHO", "k")
    colour.leave(pipe, KeyError, KeyError(), None)
    assert pipe.replies is None
    assert names(client).count(b"ECHO") == 1


def test_one_of_no_commands_sends_nothing(colour: Colour, client: Any) -> None:
    assert colour.do(client.pipeline().run()) == []
    assert not client._driver.stage.peers


def test_one_that_is_refused_tells_each_result(colour: Colour, client: Any) -> None:
    pipe = client.pipeline()
    result = pipe.execute("ECHO", "k")
    client._driver.machine.close(0.0)
    with pytest.raises(ConnectionClosedError):
        colour.do(pipe.run())
    with pytest.raises(ConnectionClosedError):
        result.result()


def test_one_that_is_given_up_tells_each_result(colour: Colour, connection: Any) -> None:
    driver = connection._driver
    driver.stage.deaf.add(driver.link)
    driver.strikes = KeyboardInterrupt()
    pipe = connection.pipeline()
    result = pipe.execute("INCR", "n")
    with pytest.raises(KeyboardInterrupt):
        colour.do(pipe.run())
    with pytest.raises(ConnectionLostError) as caught:
        result.result()
    assert caught.value.outcome is Outcome.MAYBE_EXECUTED


# -- transactions around WATCH ---------------------------------------------------------------------------------------------------


def test_a_change_depends_on_what_is_there(colour: Colour, connection: Any) -> None:
    def add(transaction: Any) -> Any:
        assert colour.do(transaction.read("GET", "k")) == b"k"
        return transaction.echo("more")

    assert colour.do(connection.transact(colour.update(add), "k", timeout=None)).result() == b"more"
    assert names(connection)[-5:] == [b"WATCH", b"GET", b"MULTI", b"ECHO", b"EXEC"]


def test_one_that_decides_for_nothing_ends_its_watch(colour: Colour, client: Any) -> None:
    assert colour.do(client.transact(colour.update(lambda _: "nothing"), "k", timeout=1)) == "nothing"
    assert names(client)[-2:] == [b"WATCH", b"UNWATCH"]
    assert client._driver.done == ["open", "release"]


def test_one_that_lost_the_race_is_tried_again(colour: Colour, connection: Any) -> None:
    driver = connection._driver
    made, tried = driver.make_call, []

    def lose_the_race(slot: Any, loan: Any, epoch: int | None) -> None:
        made(slot, loan, epoch)
        if epoch is not None:
            slot.replies[-1] = None

    def change(transaction: Any) -> None:
        tried.append(1)
        transaction.echo("k")

    driver.make_call = lose_the_race
    with pytest.raises(TransactionAbortedError):
        colour.do(connection.transact(colour.update(change), "k", attempts=3))
    assert len(tried) == 3


def test_one_that_was_refused_says_why(colour: Colour, connection: Any) -> None:
    peer = connection._driver.stage.peers[connection._driver.link]
    peer.refused = {"EXEC": ReplyError("NOPERM no")}
    with pytest.raises(TransactionDiscardedError, match=r"EXEC was refused \(.*NOPERM"):
        colour.do(connection.transact(colour.update(lambda it: it.echo("k")), "k"))


def test_a_function_that_fails_changes_nothing(colour: Colour, connection: Any) -> None:
    def fail(transaction: Any) -> None:
        transaction.echo("k")
        raise KeyError

    with pytest.raises(KeyError):
        colour.do(connection.transact(colour.update(fail), "k"))
    assert names(connection)[-2:] == [b"WATCH", b"UNWATCH"]


@pytest.mark.parametrize("reads", [False, True])
def test_a_function_that_takes_too_long_changes_nothing(colour: Colour, connection: Any, reads: bool) -> None:
    def dawdle(transaction: Any) -> None:
        transaction.echo("k")
        connection._driver.stage.pass_time(1.0)
        if reads:
            colour.do(transaction.read("GET", "k"))

    with pytest.raises(CommandTimeoutError, match="its time is up") as late:
        colour.do(connection.transact(colour.update(dawdle), "k", timeout=1.0))
    assert late.value.outcome is Outcome.NOT_SENT
    assert names(connection)[-2:] == [b"WATCH", b"UNWATCH"]


def test_a_function_of_the_other_colour_is_refused(colour: Colour, connection: Any) -> None:
    other = next(each for each in COLOURS if each is not colour)
    with pytest.raises(TypeError, match=r"transact\(\) takes"):
        colour.do(connection.transact(other.update(lambda _: None), "k"))


def test_a_transaction_is_not_run_by_its_function(colour: Colour, connection: Any) -> None:
    with pytest.raises(LocalProtocolError, match="when your function returns"):
        colour.do(connection.transact(colour.update(lambda it: colour.do(it.run())), "k"))


# -- connections -----------------------------------------------------------------------------------------------------------------


def test_a_push_is_had_in_text_or_not(colour: Colour) -> None:
    for decode, rain in ((False, b"rain"), (True, "rain")):
        with colour.block(colour.connect(decode=decode)) as connection:
            connection._driver.stage.say(connection._driver.link, NEWS)
            assert colour.do(connection.next_push()).items[1] == rain


def test_a_push_that_does_not_come_is_told(colour: Colour, connection: Any) -> None:
    with pytest.raises(CommandTimeoutError, match="nothing came in time"):
        colour.do(connection.next_push(timeout=1))
    connection._driver.stage.cut(connection._driver.link)
    with pytest.raises(ConnectionClosedError):
        colour.do(connection.next_push())


def test_a_dial_that_fails_leaves_nothing(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(driver: Any, *_: object) -> None:
        made.append(driver)
        raise ConnectError("refused", transient=False)

    made: list[Any] = []
    monkeypatch.setattr("core.surface.driver.Driver.wait_for_link", fail)
    with pytest.raises(ConnectError):
        colour.connect()
    assert made[0].machine.closed is not None


# -- what lends ------------------------------------------------------------------------------------------------------------------


def test_a_block_is_lent_a_connection_and_gives_it_back(colour: Colour, client: Any) -> None:
    with colour.block(colour.pool("redis://stage", leak_after=9)) as pool:
        for lender in (pool, client):
            with colour.block(lender.acquire(timeout=1)) as connection:
                assert colour.do(connection.execute("ECHO", "k")) == b"k"
                assert not connection.closed
            assert repr(connection).endswith(": given back>")
            with pytest.raises(ConnectionClosedError):
                colour.do(connection.execute("ECHO", "k"))
            colour.do(connection.close())
            assert lender.stats().leased == 0 if lender is pool else True


def test_a_connection_that_was_lent_may_be_closed(colour: Colour, client: Any) -> None:
    with colour.block(client.acquire()) as connection:
        colour.do(connection.close())
        assert connection.closed
    assert client._driver.done == ["open", "close", *["checkpoint"] * isinstance(colour, Tasks), "release"]


def test_one_that_is_not_given_back_is_told_with_its_stack(colour: Colour) -> None:
    with colour.block(colour.pool("redis://stage", leak_after=9)) as pool:
        with colour.block(pool.acquire()):
            pool._driver.stage.pass_time(10)
        (lease,) = pool._driver.stage.leaked
    assert lease.borrower.rstrip().endswith("with colour.block(pool.acquire()):")


def test_an_interrupt_just_when_a_link_came_costs_no_place(
    colour: Colour, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strike(*_: object) -> None:
        raise KeyboardInterrupt

    block = client.acquire()
    monkeypatch.setattr("resp_sansio.surface.base.ConnectionBase.__init__", strike)
    with pytest.raises(KeyboardInterrupt):
        colour.enter(block)
    del block
    gc.collect()
    if isinstance(colour, Tasks):
        assert client._driver.done == ["open", "release"]
    else:
        assert client._driver.gone == [3.0]


def test_a_link_that_does_not_come_leaves_nothing_to_give_back(
    colour: Colour, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strike(*_: object) -> None:
        raise KeyboardInterrupt

    block = client.acquire()
    monkeypatch.setattr("core.surface.driver.Driver.wait_for_link", strike)
    with pytest.raises(KeyboardInterrupt):
        colour.enter(block)
    assert "release" not in client._driver.done


def test_it_is_closed_when_its_block_is_left(colour: Colour) -> None:
    with colour.block(colour.client("redis://stage")) as client:
        assert not client.closed
        colour.do(client.close(2.0))
        assert client.closed
    assert client._driver.done == ["open", "close 2", "close 0", *["leave"] * isinstance(colour, Tasks)]


def test_a_watch_is_not_ended_where_nothing_can_be_sent(colour: Colour, client: Any) -> None:
    with colour.block(client.acquire()) as connection:
        colour.do(connection.execute("SUBSCRIBE", "news", timeout=1))
        connection._link.core.abort()
        connection._unwatch()
    connection._unwatch()
    assert b"UNWATCH" not in names(client)

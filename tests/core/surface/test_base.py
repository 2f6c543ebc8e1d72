"""What callers hold, without an adapter: its driver carries nothing out."""

from __future__ import annotations

import gc
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from core.client.stage import Stage
from core.surface.driver import Driver, ThreadConnection
from resp_sansio import (
    ClientSettings,
    ClientStats,
    Command,
    Config,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    PoolSettings,
    PoolStats,
    ReplyError,
    UnexpectedReplyError,
    commands,
)
from resp_sansio.connection import SlotState
from resp_sansio.methods import RAW, decoded
from resp_sansio.surface.base import (
    BorrowedBase,
    ClientBase,
    CommandsBase,
    ConnectingBase,
    ConnectionBase,
    PoolBase,
    read_reply,
)
from resp_sansio.surface.batches import PipelineBase
from resp_sansio.surface.threads import open_connection

if TYPE_CHECKING:
    from resp_sansio import Reply
    from resp_sansio.connection import Slot


class Connection(ConnectionBase[Driver, bytes]):
    __slots__ = ()

    _driver_type = Driver


class Connecting(ConnectingBase[Connection]):
    __slots__ = ()

    _connection_type = Connection


class Client(ClientBase[Driver, Connection, bytes]):
    __slots__ = ()

    _connection_type = Connection


class Pool(PoolBase[Driver, Connection, bytes]):
    __slots__ = ()

    _connection_type = Connection


class Pipeline(PipelineBase[CommandsBase[Driver, bytes], bytes]):
    __slots__ = ()

    def on(self, stage: Stage) -> Slot:
        """Run it as far as the stage goes."""
        slot = self.slot(10.0)
        assert slot is not None
        return stage.submit(slot)


CONFIG = Config.from_url("redis://stage", timeout=3.0)


def driven(stage: Stage) -> Driver:
    """The driver of the machine of a stage."""
    driver = Driver(lambda _: stage.client, "connection")
    driver.stage = stage
    return driver


def connection(stage: Stage) -> Connection:
    return Connection(CONFIG, driven(stage), stage.lease())


def pipeline(stage: Stage, *, transaction: bool = False) -> Pipeline:
    made = Pipeline(CommandsBase(CONFIG, driven(stage)), transaction=transaction)
    made.execute("GET", "k")
    made.execute("INCR", "n")
    return made


# -- connections -------------------------------------------------------------------------------------------------------------


def test_a_connection_says_what_it_is() -> None:
    stage = Stage(once=True)
    made = connection(stage)
    assert repr(made) == "<Connection to stage:6379: READY>"
    assert (made.protocol, made.closed, made.server.name) == (3, False, "redis")
    assert made.stats() == stage.link.core.stats()
    stage.cut(stage.link)
    assert made.closed


def test_one_that_was_given_back_says_so() -> None:
    stage = Stage(None, PoolSettings())
    lease = stage.lease()
    lent = Connection(CONFIG, driven(stage), lease)
    assert not lent.closed
    stage.release(lease)
    assert repr(lent) == "<Connection to stage:6379: given back>"
    assert lent.closed
    stage.client.close(stage.now)


def test_one_that_is_thrown_away_open_is_ended_with_a_warning() -> None:
    stage = Stage(once=True)
    made = connection(stage)
    driver = made._driver
    with pytest.warns(ResourceWarning, match="<Connection to stage:6379: READY> was not closed"):
        del made
    assert driver.dropped == 1


def test_one_that_has_ended_or_never_began_may_be_thrown_away() -> None:
    stage = Stage(once=True)
    made = connection(stage)
    driver = made._driver
    stage.cut(stage.link)
    del made
    Connection.__new__(Connection)
    gc.collect()
    assert driver.dropped == 0


def test_one_that_is_still_to_be_opened_says_so() -> None:
    assert repr(Connecting(CONFIG)) == "<Connecting to stage:6379: to be awaited>"


def test_a_connection_leads_to_one_server_and_not_to_a_cluster() -> None:
    told = "connect is for one server, not for a cluster of a:6379, b:1: give it the URL of one of them"
    config = Config(cluster=["a", "b:1"])
    with pytest.raises(ValueError, match=told):
        Connecting(config)
    with pytest.raises(ValueError, match=told):
        open_connection(ThreadConnection, config)


def test_nothing_of_it_can_be_copied() -> None:
    with pytest.raises(TypeError, match="a CommandsBase can't be copied or pickled; open another one"):
        pickle.dumps(CommandsBase(CONFIG, driven(Stage())))


# -- clients and pools -------------------------------------------------------------------------------------------------------


def test_a_client_says_what_it_is() -> None:
    client = Client("redis://stage")
    assert isinstance(client.stats(), ClientStats)
    assert repr(client) == f"<Client to stage:6379: {client.stats()}>"
    assert (client.protocol, client.closed) == (3, False)
    client._check_lends()
    client._driver.end()
    assert client.closed
    assert repr(client) == "<Client to stage:6379: closed>"


def test_a_client_of_one_connection_has_none_to_lend() -> None:
    client = Client("redis://stage", max_connections=1)
    with pytest.raises(LocalProtocolError, match="this client keeps no connections to lend; raise max_connections"):
        client._check_lends()


def test_a_pool_says_what_it_is() -> None:
    pool = Pool("redis://stage", timeout=None)
    assert isinstance(pool.stats(), PoolStats)
    assert repr(pool) == f"<Pool to stage:6379: {pool._driver.machine.pool!r}>"


def test_a_pool_changes_its_bounds_and_its_connections() -> None:
    pool = Pool("redis://stage", max_size=3)
    pool.resize(2, min_size=1)
    assert pool._driver.stage.dialled == 1
    pool.retire()
    assert pool._driver.done == ["resize", "retire"]
    assert pool._driver.stage.dialled == 2
    pool._driver.end()


def test_options_that_are_wrong_are_refused() -> None:
    for wrong in (Client, Pool):
        with pytest.raises(TypeError, match="no option 'sise'"):
            wrong("redis://stage", sise=1)  # type: ignore[call-arg]


def test_one_with_open_connections_is_ended_with_a_warning_when_it_is_thrown_away() -> None:
    pool = Pool("redis://stage", min_size=1)
    driver = pool._driver
    driver.change("open", type(driver.machine).open)
    with pytest.warns(ResourceWarning, match="<Pool to stage:6379: .*> was not closed"):
        del pool
    assert driver.dropped == 1


def test_a_block_is_entered_once() -> None:
    block = BorrowedBase(Pool("redis://stage"), 1.0)
    block._enter()
    with pytest.raises(LocalProtocolError, match="this block has been entered before; ask for another connection"):
        block._enter()


# -- replies -----------------------------------------------------------------------------------------------------------------


def answered(reply: Reply, *words: str, **config: Any) -> Slot:
    """A call that this reply has come to."""
    stage = Stage(**config)
    stage.answer = lambda _: reply
    return stage.call(*words or ("GET", "k"))


def test_a_reply_is_read_by_its_command_or_as_text_or_left_as_it_came() -> None:
    length = Command("GET", "k", read=lambda reply, text: (len(str(reply)), text.encoding))
    assert read_reply(answered(b"ab"), length, decoded("utf-8")) == (5, None)
    assert read_reply(answered(b"ab", protocol=2), length, RAW) == (5, None)
    assert read_reply(answered(b"ab"), Command("GET", "k"), decoded("utf-8")) == "ab"
    assert read_reply(answered(b"ab"), None, RAW) == b"ab"
    for command in (length, None):
        with pytest.raises(ReplyError, match="WRONGTYPE"):
            read_reply(answered(ReplyError("WRONGTYPE")), command, decoded("utf-8"))


def test_a_script_returns_what_came_as_its_command_does() -> None:
    slot = answered([b"bytes", "OK"])
    assert read_reply(slot, commands.eval("return ...", 0), decoded("utf-8")) == [b"bytes", "OK"]


def test_a_reply_that_its_command_cannot_be_answered_with_is_an_error_that_names_it() -> None:
    with pytest.raises(UnexpectedReplyError) as caught:
        read_reply(answered("QUEUED", "INCR", "n"), commands.incr("n"), RAW)
    assert str(caught.value) == "INCR: an integer was expected, and the simple string 'QUEUED' came"


# -- pipelines ---------------------------------------------------------------------------------------------------------------


def test_a_pipeline_that_was_answered_gives_what_its_commands_gave() -> None:
    stage = Stage()
    made = pipeline(stage)
    assert made._ended(made.on(stage)) == [b"k", b"n"]  # type: ignore[arg-type]


def test_one_that_was_lost_raises_the_first_error_with_its_cause() -> None:
    stage = Stage()
    made = pipeline(stage)
    stage.call("PING")
    stage.deaf.add(stage.link)
    slot: Any = made.on(stage)
    stage.cut(stage.link)
    with pytest.raises(ConnectionLostError) as caught:
        made._ended(slot)
    assert caught.value.outcome is Outcome.MAYBE_EXECUTED
    assert made.replies is not None
    assert [type(reply) for reply in made.replies] == [ConnectionLostError] * 2


def test_one_that_failed_by_an_error_of_the_callers_own_code_raises_that() -> None:
    stage = Stage(ClientSettings(lanes=1), dials_at_once=False)
    made = pipeline(stage)
    slot: Any = made.on(stage)
    stage.client.dial_failed(stage.dials.pop(0), ZeroDivisionError("in the provider of credentials"), stage.now)
    stage.run()
    with pytest.raises(ZeroDivisionError):
        made._ended(slot)
    assert made.replies is not None
    assert "in the provider" in str(made.replies[0])


@pytest.mark.parametrize(
    ("error", "told"), [(KeyboardInterrupt(), "the task was cancelled"), (ValueError("hidden"), "ValueError")]
)
def test_one_that_is_given_up_tells_each_result_why(error: BaseException, told: str) -> None:
    stage = Stage()
    made = pipeline(stage)
    stage.call("PING")
    stage.deaf.add(stage.link)
    slot: Any = made.on(stage)
    stage.abandon(slot)
    made._left(slot, error, "the task was cancelled")
    assert made.replies is not None
    assert all(told in str(reply) for reply in made.replies)


def test_one_whose_giving_up_was_cut_short_may_have_run() -> None:
    stage = Stage()
    made = pipeline(stage)
    stage.call("PING")
    stage.deaf.add(stage.link)
    made._left(made.on(stage), KeyboardInterrupt(), "the call was interrupted")  # type: ignore[arg-type]
    assert made.replies is not None
    assert [reply.outcome for reply in made.replies] == [Outcome.MAYBE_EXECUTED] * 2  # type: ignore[attr-defined]


def test_one_that_is_given_up_when_it_was_answered_keeps_its_replies() -> None:
    stage = Stage()
    made = pipeline(stage)
    slot: Any = made.on(stage)
    made._left(slot, KeyboardInterrupt(), "the task was cancelled")
    assert made.replies == [b"k", b"n"]


def test_what_a_transaction_raises_then_is_told_by_its_results_alone() -> None:
    stage = Stage()
    made = pipeline(stage, transaction=True)
    slot: Any = made.on(stage)
    assert slot.state is SlotState.ANSWERED
    slot.replies[-1] = None  # as if a watched key had been changed
    made._left(slot, KeyboardInterrupt(), "the task was cancelled")
    assert made.replies is not None
    assert len(made.replies) == 2

"""What only one of the colours has."""

from __future__ import annotations

from core.client.stage import Stage
from core.surface.driver import Tasks
from resp_sansio import PoolSettings
from resp_sansio.client import Party


def test_a_connection_may_be_opened_by_a_block() -> None:
    tasks = Tasks()
    with tasks.block(tasks.connecting()) as connection:
        assert tasks.do(connection.ping()) == "PONG"
        driver = connection._driver
    assert connection.closed
    assert driver.done == ["open", "leave", "close 0"]


def test_a_borrower_waits_where_its_link_is_asked_whether_it_is_alive() -> None:
    borrower = Party(1.0)
    assert (borrower.link, borrower.token) == (None, None)
    stage = Stage(None, PoolSettings())
    borrower.waiter = stage.acquire()
    assert borrower.link is None
    borrower.waiter.check = stage.call("PING", lease=borrower.waiter.lease)
    assert borrower.link is stage.link

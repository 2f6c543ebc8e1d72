"""Which commands ride together, what a client may do, and who goes out first by a lane's next connection."""

from __future__ import annotations

import pytest

from resp_sansio import Command, LocalProtocolError, Needs
from resp_sansio.client import Lanes, Route, route
from resp_sansio.client.links import Lane
from resp_sansio.connection import Slot, new_batch, new_slot, prepare


def slot_of(*commands: str) -> Slot:
    """A command, or a pipeline if there are several."""
    if len(commands) == 1:
        return new_slot(commands[0].split())
    prepared = [prepare(words.split()) for words in commands]
    return new_batch([payload for payload, _ in prepared], [info for _, info in prepared])


# -- Lane or lease -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        (["GET k"], Route.LANE),
        (["NO.SUCH.COMMAND"], Route.LANE),
        (["CONFIG SET requirepass x"], Route.LANE),
        (["BLPOP k 0"], Route.LEASE),
        (["XREAD STREAMS s 0"], Route.LANE),
        (["XREAD BLOCK 0 STREAMS s 0"], Route.LEASE),
        (["GET a", "GET b"], Route.LANE),
        (["GET a", "BLPOP k 0"], Route.LEASE),
        (["SET k v", "WAIT 1 100"], Route.LEASE),
        (["SELECT 1", "GET k"], Route.LEASE),
        (["CLIENT CACHING YES", "GET k"], Route.LEASE),
        (["WATCH k", "MULTI", "SET k v", "EXEC"], Route.LEASE),
        (["MULTI", "SET k v", "EXEC"], Route.LANE),
        (["MULTI", "BLPOP k 0", "EXEC"], Route.LANE),  # inside a transaction nothing blocks
        (["MULTI", "GET k", "EXEC", "BLPOP k 0"], Route.LEASE),
    ],
)
def test_what_can_share_does_and_what_would_hold_up_or_change_the_others_does_not(
    commands: list[str], expected: Route
) -> None:
    assert route(slot_of(*commands)) is expected


@pytest.mark.parametrize("before", [[], ["SET k v"]])
@pytest.mark.parametrize("command", ["SUBSCRIBE channel", "PUNSUBSCRIBE"])
def test_what_comes_later_needs_somebody_who_listens(before: list[str], command: str) -> None:
    with pytest.raises(
        LocalProtocolError, match=rf"^{command.split(maxsplit=1)[0]} was not sent: .* use subscribe\(\)"
    ):
        route(slot_of(*before, command))


def test_monitor_needs_somebody_who_listens() -> None:
    with pytest.raises(LocalProtocolError, match=r"^MONITOR was not sent: .* use monitor\(\)"):
        route(slot_of("MONITOR"))


@pytest.mark.parametrize("commands", [["WAIT 1 100"], ["WAITAOF 1 0 100"], ["WAIT 1 100", "GET k"]])
def test_what_speaks_of_its_neighbours_is_refused_without_any(commands: list[str]) -> None:
    with pytest.raises(LocalProtocolError, match="^WAIT.* was not sent: .* put it into a pipeline behind them"):
        route(slot_of(*commands))


@pytest.mark.parametrize("command", ["SELECT 1", "AUTH x", "CLIENT SETNAME x", "CLIENT TRACKING ON"])
def test_what_the_next_command_would_not_find_is_refused(command: str) -> None:
    with pytest.raises(LocalProtocolError, match=" was not sent: it changes one connection"):
        route(slot_of(command))


def test_a_watch_without_a_connection_of_its_own_is_told_what_does_it() -> None:
    with pytest.raises(LocalProtocolError, match=r"^WATCH was not sent: .* use transact\(\)"):
        route(slot_of("WATCH k"))


@pytest.mark.parametrize("commands", [["BLPOP k 0"], ["GET k", "BLPOP k 0"], ["MULTI", "GET k", "EXEC", "BLPOP k 0"]])
def test_without_leases_what_blocks_shares_as_well(commands: list[str]) -> None:
    assert route(slot_of(*commands), leases=False) is Route.LANE


@pytest.mark.parametrize("commands", [["SELECT 1", "GET k"], ["WATCH k", "MULTI", "SET k v", "EXEC"]])
def test_without_leases_nothing_changes_what_all_share(commands: list[str]) -> None:
    with pytest.raises(LocalProtocolError, match=" was not sent: it changes a connection that all share; use connect"):
        route(slot_of(*commands), leases=False)


def test_what_is_known_of_a_command_can_be_overruled() -> None:
    script = Command("EVAL", "return 1", 0, needs=Needs.LEASE)
    assert route(new_slot(script.args, info=script.info)) is Route.LEASE
    patient = Command("BLPOP", "k", 0.01, needs=Needs.LANE)
    assert route(new_slot(patient.args, info=patient.info)) is Route.LANE


# -- Several lanes -----------------------------------------------------------------------------------------------------


def test_a_caller_keeps_its_lane_while_it_has_commands_under_way() -> None:
    load = {"a": 0, "b": 0}
    lanes = Lanes(["a", "b"], load.__getitem__)
    assert lanes.take("me") == "a"
    load["a"] = 5
    assert lanes.find("me") == lanes.take("me") == "a"
    assert lanes.find("you") == "b"
    assert repr(lanes) == "<Lanes: 2, 1 callers on them>"
    assert lanes.take("you") == "b"
    assert repr(lanes) == "<Lanes: 2, 2 callers on them>"
    lanes.leave("me")
    assert lanes.take("me") == "a"
    lanes.leave("me")
    lanes.leave("me")
    assert lanes.take("me") == "b"
    lanes.leave("me")
    lanes.leave("you")
    assert repr(lanes) == "<Lanes: 2, 0 callers on them>"


def test_a_lane_counts_those_that_were_on_its_last_link_and_those_that_were_not() -> None:
    lane = Lane()
    first, second = slot_of("GET a"), slot_of("GET b")
    lane.enter(first)
    lane.enter(second, again=True)
    assert lane.waiting == lane.load == 2
    assert lane.entries == [second, first]

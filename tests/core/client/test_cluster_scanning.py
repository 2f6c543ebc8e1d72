"""Where an iteration over a cluster's keys is: each master's part, and that no key is left out whatever moves meanwhile."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import ConnectionLostError, Outcome, ReplyError, UnexpectedReplyError, commands
from resp_sansio.client.cluster_scanning import ClusterScan
from resp_sansio.client.hash_slots import SLOTS
from resp_sansio.commands.caching import sent_words
from resp_sansio.commands.decoding import RAW
from resp_sansio.commands.readers import bulks, pairs
from resp_sansio.connection import SlotState

if TYPE_CHECKING:
    from resp_sansio.connection import Slot

Place = tuple[str, int]
A, B, C = [(name, 1) for name in "abc"]
STEP = SLOTS // 3 + 1


class Machine:
    """A cluster's machine, as far as it is asked. The servers, as they are: `truth`; as the map says: `owners`."""

    def __init__(self) -> None:
        self.owners: list[Place | None] = [[A, B, C][slot // STEP] for slot in range(SLOTS)]
        self.map = self
        self.homes = {place: SimpleNamespace(place=place) for place in (A, B, C)}
        self.runs = dict.fromkeys((A, B, C), 1)
        self.links: dict[Place, Any] = {}
        self.asked: list[Place | None] = []

    @property
    def version(self) -> int:
        return hash(tuple(self.owners))

    drawn = 0.0

    def random(self) -> float:
        return self.drawn

    def owner(self, slot: int) -> Any:
        owner = self.owners[slot]
        return None if owner is None else self.homes[owner]

    def slots_of(self, place: Place) -> list[int]:
        return [slot for slot, owner in enumerate(self.owners) if owner == place]

    def link(self, place: Place) -> Any:
        if place not in self.links or self.links[place].ended:
            self.links[place] = SimpleNamespace(home=self.homes[place], run_id=None, ended=False)
        return self.links[place]

    def restart(self, place: Place) -> None:
        """The server comes back as another run."""
        self.runs[place] += 1
        if place in self.links:
            self.links.pop(place).ended = True

    def answer(self, slot: Slot, reply: Any = None, by: Place | None = None) -> Slot:
        """The call is answered where it is meant to be."""
        at = None if slot.call is None else slot.call.at
        place = by or (at if isinstance(at, tuple) else self.owners[at] if at is not None else A)
        assert place is not None
        self.asked.append(place)
        slot.link, slot.state = self.link(place), SlotState.ANSWERED
        slot.reply = reply
        if slot.info.name == "INFO":
            slot.reply = b"run_id:%d of %b\r\n" % (self.runs[place], place[0].encode()) if reply is None else reply
        return slot


def scan(machine: Machine, **options: Any) -> ClusterScan[bytes]:
    return ClusterScan(commands.scan(), 1, bulks, RAW, lambda: machine, keyed=False, **options)


def step(machine: Machine, pages: Any, reply: Any, **options: Any) -> list[Any]:
    """One page is asked for, and what its link leads to, if that has to be."""
    before = pages.restarts
    pages.take(machine.answer(pages.ask(9.0), reply, **options))
    if pages.asks_who:
        pages.take(machine.answer(pages.ask(9.0), **options))
    assert pages.restarts - before in (0, 1)
    return [*pages.page]


def test_each_master_is_walked_once() -> None:
    machine = Machine()
    pages = scan(machine)
    found = []
    for cursor, keys in ((b"7", b"ab"), (b"0", b"c"), (b"0", b"d"), (b"8", b"e"), (b"0", b"f")):
        assert not pages.ended
        found += step(machine, pages, [cursor, [bytes([key]) for key in keys]])
    assert (found, pages.ended, pages.restarts) == ([b"a", b"b", b"c", b"d", b"e", b"f"], True, 0)
    assert machine.asked == [A, A, A, B, B, C, C, C]  # each is asked once who it is
    assert repr(pages) == "<ClusterScan of SCAN: ended, 0 restarts>"


@pytest.mark.parametrize(("drawn", "order"), [(0.0, [A, B, C]), (0.5, [B, C, A]), (0.99, [C, A, B])])
def test_clients_begin_with_different_masters(drawn: float, order: list[Place]) -> None:
    machine = Machine()
    machine.drawn = drawn
    pages = scan(machine)
    while not pages.ended:
        step(machine, pages, [b"0", []])
    assert machine.asked[::2] == order


def test_a_replica_that_has_taken_over_is_walked_from_its_first_page() -> None:
    machine = Machine()
    pages = scan(machine)
    assert step(machine, pages, [b"7", [b"a"]]) == [b"a"]
    machine.owners = [C if owner == A else owner for owner in machine.owners]
    assert step(machine, pages, [b"0", [b"not all"]]) == []
    assert pages.restarts == 1
    assert step(machine, pages, [b"0", [b"a", b"b"]]) == [b"a", b"b"]
    assert not pages.ended
    assert step(machine, pages, [b"0", [b"c"]]) == [b"c"]
    assert pages.ended  # C had the slots of two
    assert machine.asked[-1] == B


def test_a_server_that_was_restarted_is_walked_from_its_first_page() -> None:
    machine = Machine()
    pages = scan(machine)
    step(machine, pages, [b"7", [b"a"]])
    machine.restart(A)
    assert step(machine, pages, [b"0", [b"not all"]]) == []
    assert step(machine, pages, [b"0", [b"a", b"b"]]) == [b"a", b"b"]
    assert pages.restarts == 1


def test_a_slot_that_came_to_a_server_that_was_walked_is_walked_again() -> None:
    machine = Machine()
    pages = scan(machine)
    step(machine, pages, [b"0", [b"a"]])
    assert step(machine, pages, [b"7", [b"b"]]) == [b"b"]
    machine.owners[STEP + 9] = A  # from B, which is being walked
    step(machine, pages, [b"0", []])
    assert step(machine, pages, [b"0", [b"a", b"moved"]]) == [b"a", b"moved"]
    assert machine.asked[-1] == A
    step(machine, pages, [b"0", []])
    assert pages.ended
    assert machine.asked[-1] == C


def test_a_slot_that_was_elsewhere_for_a_while_is_walked_again() -> None:
    machine = Machine()
    pages = scan(machine)
    step(machine, pages, [b"7", [b"a"]])
    machine.owners[9] = B
    step(machine, pages, [b"8", []])
    machine.owners[9] = A
    step(machine, pages, [b"0", []])
    assert step(machine, pages, [b"0", [b"back"]]) == [b"back"]
    assert machine.asked[-1] == A
    for _ in range(2):
        assert not pages.ended
        step(machine, pages, [b"0", []])
    assert pages.ended


def test_the_slot_by_which_a_server_is_walked_may_leave_it() -> None:
    machine = Machine()
    pages = scan(machine)
    machine.owners[0] = B
    machine.asked.clear()
    pages = scan(machine)
    slot = pages.ask(9.0)
    machine.owners[0] = A
    pages.take(machine.answer(slot, [b"0", []]))
    pages.take(machine.answer(pages.ask(9.0)))
    assert machine.asked == [A, A]
    machine.owners[0] = B
    assert not pages.ended


def test_it_does_not_go_on_for_ever() -> None:
    machine = Machine()
    pages = scan(machine)

    def restarts() -> None:
        while True:
            step(machine, pages, [b"7", []])
            machine.restart(A)

    def leaves() -> None:
        while True:
            slot = pages.ask(9.0)
            machine.owners[0] = B if machine.owners[0] == A else A
            pages.take(machine.answer(slot, [b"0", []], by=A))

    with pytest.raises(UnexpectedReplyError, match="different servers"):
        restarts()
    machine = Machine()
    pages = scan(machine)
    with pytest.raises(UnexpectedReplyError, match="different servers"):
        leaves()


def test_slots_that_no_server_has_are_none_to_wait_for() -> None:
    machine = Machine()
    machine.owners = [None if owner == C else owner for owner in machine.owners]
    pages = scan(machine)
    step(machine, pages, [b"0", []])
    step(machine, pages, [b"0", []])
    assert pages.ended


def test_before_there_is_a_map_the_server_that_answers_is_walked() -> None:
    machine = Machine()
    owners, machine.owners = machine.owners, [None] * SLOTS
    pages = scan(machine)
    slot = pages.ask(9.0)
    machine.owners = owners
    pages.take(machine.answer(slot, [b"0", [b"a"]]))
    pages.take(machine.answer(pages.ask(9.0)))
    assert [*pages.page] == [b"a"]
    step(machine, pages, [b"0", []])
    step(machine, pages, [b"0", []])
    assert pages.ended


def test_a_page_of_a_link_that_ended_before_it_was_known_where_it_leads_does_not_count() -> None:
    machine = Machine()
    pages = scan(machine)
    pages.take(machine.answer(pages.ask(9.0), [b"7", [b"a"]]))
    assert pages.asks_who
    machine.restart(A)
    slot = pages.ask(9.0)
    assert slot.info.name == "SCAN"
    pages.take(machine.answer(slot, [b"7", [b"b"]]))
    info = machine.answer(pages.ask(9.0))
    machine.restart(A)
    pages.take(info)
    assert [*pages.page] == []
    pages.take(machine.answer(pages.ask(9.0), [b"7", [b"c"]]))
    pages.take(machine.answer(pages.ask(9.0), by=B))  # of another server
    assert [*pages.page] == []
    assert step(machine, pages, [b"0", [b"d"]]) == [b"d"]


def test_what_fails_is_asked_for_again() -> None:
    machine = Machine()
    pages = scan(machine)
    lost = pages.ask(9.0)
    lost.cause, lost.state, lost.outcomes = ConnectionLostError("lost"), SlotState.LOST, (Outcome.NOT_SENT,)
    with pytest.raises(ConnectionLostError):
        pages.take(lost)
    with pytest.raises(ReplyError, match="NOPERM"):
        pages.take(machine.answer(pages.ask(9.0), ReplyError("NOPERM no")))
    pages.take(machine.answer(pages.ask(9.0), [b"0", [b"a"]]))
    lost = pages.ask(9.0)
    lost.cause, lost.state, lost.outcomes = ConnectionLostError("lost"), SlotState.LOST, (Outcome.NOT_SENT,)
    with pytest.raises(ConnectionLostError):
        pages.take(lost)
    pages.take(
        machine.answer(pages.ask(9.0), ReplyError("NOPERM no"))
    )  # one that does not tell is taken to be the same
    assert [*pages.page] == [b"a"]
    with pytest.raises(UnexpectedReplyError):
        step(machine, pages, b"no page")
    pages.close()
    assert pages.ended


def test_what_is_in_a_key_is_read_where_the_key_is() -> None:
    machine = Machine()
    pages: ClusterScan[Any] = ClusterScan(
        commands.hscan("k"), 2, pairs, RAW, lambda: machine, keyed=True, distinct=True, named=True
    )
    slot = pages.ask(9.0)
    assert slot.call is None  # it goes by its key
    pages.take(machine.answer(slot, [b"7", [b"f", b"v"]]))
    pages.take(machine.answer(pages.ask(9.0)))
    assert [*pages.page] == [(b"f", b"v")]
    pages.take(machine.answer(pages.ask(9.0), [b"0", [b"not", b"all"]], by=B))  # it has moved
    info = pages.ask(9.0)
    assert info.call.at == B
    pages.take(machine.answer(info))
    assert pages.restarts == 1
    pages.take(machine.answer(pages.ask(9.0), [b"0", [b"f", b"v", b"g", b"w"]], by=B))
    assert [*pages.page] == [(b"g", b"w")]
    assert pages.ended


@given(st.data())
def test_no_key_is_left_out_that_was_there_all_the_time(data: st.DataObject) -> None:
    """A key is in a slot; its server gives it at a cursor that depends on the run. What moves, the map knows at once."""
    machine = Machine()
    slots = data.draw(st.lists(st.integers(0, SLOTS - 1), max_size=6, unique=True))
    pages = scan(machine)
    found: set[bytes] = set()
    troubles = data.draw(st.lists(st.sampled_from(["page", "move", "restart", "take over", "lose"]), max_size=12))

    def page() -> None:
        slot = pages.ask(9.0)
        at = slot.call.at
        place = at if isinstance(at, tuple) else machine.owners[at]
        assert isinstance(place, tuple)
        if slot.info.name == "INFO":
            pages.take(machine.answer(slot))
            return
        run, name = machine.runs[place], place[0]
        cursor = int(sent_words(slot.payload)[1])
        here = [b"%d" % n for n in slots if machine.owners[n] == place and (n + run + ord(name)) % 3 == cursor]
        pages.take(machine.answer(slot, [b"%d" % ((cursor + 1) % 3), here]))
        found.update(pages.page)

    for trouble in [*troubles, *["page"] * 60]:
        if pages.ended:
            break
        place = data.draw(st.sampled_from([A, B, C])) if trouble != "page" else A
        if trouble == "move":
            machine.owners[data.draw(st.sampled_from(slots or [0]))] = place
        elif trouble == "restart":
            machine.restart(place)
        elif trouble == "take over":
            other = data.draw(st.sampled_from([A, B, C]))
            machine.owners = [place if owner == other else owner for owner in machine.owners]
        elif trouble == "lose":
            machine.links.pop(place, SimpleNamespace()).ended = True
        else:
            try:
                page()
            except UnexpectedReplyError:
                assert pages.restarts > 10
                return
            found.update(pages.page)
    assert pages.ended
    assert found == {b"%d" % number for number in slots}

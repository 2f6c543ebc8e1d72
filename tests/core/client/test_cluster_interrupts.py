"""An interrupt anywhere in the machine of a cluster: what it leaves is put in order, and each caller that is there gets its end."""

from __future__ import annotations

import sys
from collections import Counter
from functools import partial
from math import inf
from typing import Any

import pytest

from core.client.stage import LANES
from core.client.test_repair import Interrupt, Strike, Torn
from core.client.town import A, B, C, D, Town, key
from resp_sansio import ClientSettings, CommandTimeoutError, ConnectError, PoolSettings
from resp_sansio.client import Dial
from resp_sansio.client.hash_slots import slot_of
from resp_sansio.client.splits import Part
from resp_sansio.connection import Slot, SlotState, new_batch, prepare
from resp_sansio.connection.pairing import Pairing
from resp_sansio.testing import Peer


class TornTown(Torn, Town):
    """A cluster on stage whose steps may be cut short."""

    def __init__(self, strike: Strike, **options: Any) -> None:
        self.count = 0
        self.words: dict[Slot, list[bytes]] = {}
        super().__init__(strike, **options)

    def peer_for(self, dial: Dial) -> Peer:
        return Town.peer_for(self, dial)

    def word(self) -> str:
        """Return what no other call has."""
        self.count += 1
        return f"w{self.count}"

    def appends(self, name: str, deadline: float = inf) -> Slot:
        """A call that must not run twice, and whose reply is its own."""
        word = self.word()
        slot = self.submits("APPEND", name, word, deadline=deadline)
        self.words[slot] = [word.encode()]
        return slot

    def pipelines(self, *names: str, framed: bool = False) -> Slot:
        """The same in a pipeline, or in a transaction."""
        words = [self.word() for _ in names]
        commands = [prepare(("APPEND", name, word)) for name, word in zip(names, words, strict=True)]
        if framed:
            commands = [prepare(("MULTI",)), *commands, prepare(("EXEC",))]
        slot = self.submits_slot(new_batch([one[0] for one in commands], [one[1] for one in commands], None, inf))
        self.words[slot] = [word.encode() for word in words]
        return slot

    def connects_all(self) -> None:
        for _ in range(20):
            if not self.dials:
                return
            dial = self.dials[0]
            if self.is_away(dial):
                self.fails(ConnectError("refused", transient=True))
            else:
                self.connects()

    def settles(self) -> None:
        """Let everything come to its end."""
        for _ in range(300):
            self.connects_all()
            self.wake()
            if all(self.has_ended(entry) or not alive for entry, alive in self.callers.items()):
                break
            due = self.client.next_deadline()
            if due == inf:
                break
            self.passes(max(due - self.now, 0.0) + 0.001)
        left = [entry for entry, alive in self.callers.items() if alive and not self.has_ended(entry)]
        assert not left, (left, self.client, self.client.nodes)


def calls(town: TornTown) -> None:
    """Calls, pipelines, transactions and what goes to all, while slots move."""
    town.appends(key(A))
    town.pipelines(key(A), key(B), key(C))
    town.submits("DBSIZE")
    town.connects_all()
    town.move(key(A), B)
    town.appends(key(A))
    town.pipelines(key(A), key(C), key(A, 1))
    town.pipelines(key(B), key(B), framed=True)
    town.move(key(B), A)
    town.pipelines(key(B), key(B), framed=True)
    town.submits("DBSIZE")
    town.settles()


def asked(town: TornTown) -> None:
    """Keys that are being moved, to a server that is not known."""
    town.appends(key(A))
    town.connects_all()
    for number in range(2):
        town.begin_move(key(A, number), D)
    town.appends(key(A))
    town.pipelines(key(A), key(B), key(A, 1))
    town.pipelines(key(A), key(A), framed=True)
    town.connects_all()
    town.appends(key(A))
    town.pipelines(key(A, 1), key(C), key(A))
    town.settles()


def lost(town: TornTown) -> None:
    """Servers that can't be reached, links that are lost, and no server for a slot."""
    town.appends(key(A))
    town.pipelines(key(A), key(B))
    town.connects_all()
    town.move(key(C, 1), None)
    town.appends(key(C, 1), deadline=town.now + 3)
    town.deaf.update(town.client.links)
    town.pipelines(key(A), key(B), key(C))
    town.appends(key(A))
    town[A].away = True
    for link in town.links_to(A):
        if not link.ended:
            town.cuts(link)
    town.deaf.clear()
    town.connects_all()
    town.submits("DBSIZE", deadline=town.now + 2)
    town.passes(0.3)
    town.give_all(A, C)
    town.connects_all()
    town.passes(1)
    town.move(key(C, 1), B)
    town.settles()


def borrowed(town: TornTown) -> None:
    """Links of callers' own, and calls that block."""
    waiters = town.acquires(at=slot_of(key(A).encode()))
    town.submits("BLPOP", key(A), "0")
    town.connects_all()
    waiters += town.acquires(at=slot_of(key(A).encode()))
    waiters += town.acquires(at=slot_of(key(A).encode()))
    town.move(key(A), B)
    town.submits("BLPOP", key(A), "0")
    town.appends(key(A))
    town.connects_all()
    town.passes(1)
    town.connects_all()
    town.releases(waiters)
    town.settles()
    town.releases(waiters)


def ended(town: TornTown) -> None:
    """Callers go, and links are left."""
    town.appends(key(A))
    town.pipelines(key(A), key(B))
    town.connects_all()
    for server in town.servers.values():
        server.deaf = True
    for slot in (town.appends(key(A)), town.pipelines(key(A), key(B)), town.submits("DBSIZE")):
        town.callers[slot] = False
        town.step(partial(town.client.abandon, slot, town.now))
    town.step(lambda: town.client.retire(town.now))
    for server in town.servers.values():
        server.deaf = False
    town.wake()
    town.pipelines(key(A), key(B), key(C))
    town.settles()


SETTINGS: dict[str, dict[str, Any]] = {
    "lanes": {"settings": LANES, "pool": PoolSettings(max_size=2)},
    "two lanes": {"settings": ClientSettings(lanes=2)},
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("history", [calls, asked, lost, borrowed, ended])
def test_an_interrupt_anywhere_costs_nothing_but_its_call(name: str, history: Any) -> None:
    if history is borrowed and name != "lanes":
        return
    after = 0
    struck = True
    while struck:
        after += 67  # each place is met in one history or another
        strike = Strike(after)
        town = TornTown(strike, **SETTINGS[name])
        try:
            history(town)
        except BaseException as error:
            error.add_note(f"struck after {after}")
            raise
        finally:
            sys.setprofile(None)
        struck = strike.struck
        strike.struck = True
        for server in town.servers.values():
            server.away = False
        town.pipelines(key(A), key(B), key(C))
        town.settles()
        for entry in town.woken:
            if entry.lease is not None:
                town.client.release(entry.lease, town.now)
        town.run()
        runs = Counter(words for words in town.executed() if words[0] == b"APPEND")
        assert all(count == 1 for count in runs.values()), (after, runs)
        for slot in town.ended:
            if slot in town.words and slot.state is SlotState.ANSWERED:
                told: Any = slot.reply if isinstance(slot.reply, list) else [slot.reply]
                if told[:1] == ["OK"]:
                    told = told[-1]
                assert told == town.words[slot], (after, slot)
        try:
            town.is_at_rest(torn=True)
        except BaseException as error:
            error.add_note(f"struck after {after}")
            raise
    assert after > 100


class AsItEnds(Strike):
    """Strikes as a part behind ASKING has all of its replies, and is not told so yet."""

    def __call__(self, frame: Any, event: str, _: Any) -> None:
        if event == "call" and frame.f_code is Pairing._finish.__code__:
            token = frame.f_locals["slot"].token
            if type(token) is Part and token.asking and not token.split.whole:
                self.struck = True
                raise Interrupt


def test_a_part_behind_asking_that_has_all_its_replies_has_ended() -> None:
    strike = AsItEnds(0)
    town = TornTown(strike, settings=ClientSettings(lanes=2))
    asked(town)
    assert strike.struck
    town.is_at_rest(torn=True)
    runs = Counter(words for words in town.executed() if words[0] == b"APPEND")
    assert set(runs.values()) == {1}


# -- what is left in the middle of a method, place by place --------------------------------------------------------------------


def test_a_call_whose_end_was_not_told_is_told() -> None:
    town = Town()
    town.call("GET", key(A))
    answered = town.batch(("GET", key(A)), ("GET", key(B)))
    town.away = True
    town.move(key(C), None)
    town[B].deaf = True
    lost = town.batch(("GET", key(A)), ("GET", key(B)), deadline=town.now + 1)
    town.pass_time(2)
    town.ended.clear()
    for slot in (answered, lost):
        slot.link = None
        slot.call.home = town.client
        town.client.resume(slot, town.now)
        town.run()
    assert town.ended == [answered, lost]
    assert town.told(answered) == [key(A).encode(), key(B).encode()]
    assert town.told(lost)[0] is CommandTimeoutError


def test_a_call_in_parts_of_which_no_part_was_made_begins_anew() -> None:
    town = Town()
    town.call("GET", key(A))
    for place in (A, B, C):
        town[place].deaf = True
    piped = town.batch(("APPEND", key(A), "1"), ("APPEND", key(B), "2"))
    everywhere = town.call("DBSIZE")
    for slot in (piped, everywhere):
        for part in slot.call.split.under_way:
            town.client.abandon(part, town.now)
            slot.call.split.parts.remove(part)
    for place in (A, B, C):
        town[place].deaf = False
        for link in town.links_to(place):
            town.unread.pop(link, None)
            town.cut(link)
    for slot in (piped, everywhere):
        town.client.resume(slot, town.now)
        town.run()
    town.pass_time(2)
    assert town.told(piped) == [b"1", b"2"]
    assert everywhere in town.ended
    town.is_at_rest()


def test_a_transaction_behind_ask_of_which_no_part_was_made_begins_anew() -> None:
    town = Town()
    town.call("GET", key(A))
    town.begin_move(key(A), D)
    town[D].deaf = True
    slot = town.call("APPEND", key(A), "1")
    split = slot.call.split
    (part,) = split.under_way
    town.client._machine_of(part).abandon(part, town.now)
    split.parts.clear()
    town.unread.clear()
    town.kill(D)
    town[D].away = town[D].deaf = False
    town.client.resume(slot, town.now)
    town.run()
    town.pass_time(2)
    assert town.told(slot) == b"1"
    assert len(town.at(D)) == 1
    town.is_at_rest()


def test_an_attempt_behind_ask_whose_end_was_not_seen_is_seen() -> None:
    town = Town()
    town.call("GET", key(A))
    town.begin_move(key(A), D)
    town[D].deaf = True
    slot = town.call("APPEND", key(A), "1")
    split = slot.call.split
    (part,) = split.under_way
    part.replies, part.state, part.missing = ["OK", b"1"], SlotState.ANSWERED, 0
    split.take(part, None)
    town.client.resume(slot, town.now)
    town.run()
    assert town.told(slot) == b"1"

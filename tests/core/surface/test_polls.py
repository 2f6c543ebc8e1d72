"""Poll objects: a few sockets have one, those that asked last; none is held on to once it has ended."""

from __future__ import annotations

import gc
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from hypothesis import given
from hypothesis import strategies as st

from resp_sansio.surface.polls import MOST
from resp_sansio.surface.tasks import Polls

if TYPE_CHECKING:
    from resp_sansio.surface.tasks import Poll


class Select(ModuleType):
    """The module, of which nothing is asked here."""

    POLLIN = 1

    def poll(self) -> Any:
        return SimpleNamespace(register=lambda *_: None, poll=lambda _: [])


SELECT: Final = Select("select")


class Socket:
    """One that asks."""

    poll: Poll | None = None

    def ask(self, polls: Polls, descriptor: int = 7) -> list[tuple[int, int]]:
        return (self.poll or polls.new(self, descriptor))(0)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2 * MOST)), max_size=200))
def test_those_that_asked_last_have_one(steps: list[tuple[bool, int]]) -> None:
    polls, sockets = Polls(SELECT), [Socket() for _ in range(2 * MOST + 1)]
    having: list[int] = []
    for asks, index in steps:
        if asks:
            sockets[index].ask(polls)
            having = having if index in having else [*having, index][-MOST:]
        else:
            polls.drop(sockets[index])
            having = [each for each in having if each != index]
        assert [index for index, each in enumerate(sockets) if each.poll is not None] == sorted(having)


def test_one_more_takes_that_of_the_first() -> None:
    polls, sockets = Polls(SELECT), [Socket() for _ in range(MOST + 1)]
    for each in sockets:
        each.ask(polls)
    assert [each.poll is None for each in sockets] == [True] + [False] * MOST
    sockets[0].ask(polls)
    assert sockets[1].poll is None


def test_one_that_has_ended_is_not_held_on_to() -> None:
    polls = Polls(SELECT)
    kept, ended = Socket(), Socket()
    for each in (kept, ended):
        each.ask(polls)
    gone = ref(ended)
    polls.drop(ended)
    polls.drop(ended)
    del ended, each
    gc.collect()
    assert gone() is None
    assert kept.poll is not None


def test_where_it_can_not_be_asked_something_may_have_come() -> None:
    one = Socket()
    assert one.ask(Polls(SELECT)) == []
    for polls, descriptor in ((Polls(ModuleType("select")), 7), (Polls(SELECT), -1)):
        one = Socket()
        assert one.ask(polls, descriptor)
        assert one.poll is None

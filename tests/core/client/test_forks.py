"""Forks wait for those who are inside of OpenSSL, and these for forks; nothing waits for itself, or for ever."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from resp_sansio.client import between_forks, forks, forks_wait, told_of_forks
from resp_sansio.client.forks import Gate

if TYPE_CHECKING:
    from collections.abc import Callable


class Process:
    """What `os.register_at_fork` keeps, and what a fork does with it."""

    def __init__(self) -> None:
        self.hooks: list[dict[str, Callable[[], Any]]] = []
        self.gate = Gate()
        self.gate.watch(self.register)

    def register(self, **hooks: Callable[[], Any]) -> None:
        self.hooks.append(hooks)

    def run(self, when: str) -> None:
        hooks = [each[when] for each in self.hooks if when in each]
        for hook in hooks[::-1] if when == "before" else hooks:
            hook()


def eventually(asked: Callable[[], object]) -> None:
    while not asked():
        threading.Event().wait(0.001)


def in_a_thread(function: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def in_another(function: Callable[[], object]) -> None:
    """Run it in another thread, and raise what it raises."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001  # raised again
            raised.append(error)

    in_a_thread(run).join()
    if raised:
        raise raised[0]


class Inside:
    """A thread that is inside until it is told to leave."""

    def __init__(self, gate: Gate, who: object) -> None:
        self._gate = gate
        self._who = who
        self._leaves = threading.Event()
        self.thread = in_a_thread(self._run)
        eventually(lambda: who in gate.inside)

    def _run(self) -> None:
        try:
            self._gate.enter(self._who)
            self._leaves.wait()
        finally:
            self._gate.inside.pop(self._who, None)

    def leave(self) -> None:
        self._leaves.set()
        self.thread.join()


class Impatient:
    """Stands where a thread would sleep that has to wait."""

    def acquire(self, timeout: float) -> None:  # noqa: ARG002
        raise AssertionError("it waits")


def test_a_fork_waits_until_other_threads_have_left() -> None:
    process = Process()
    first, second = Inside(process.gate, "first"), Inside(process.gate, "second")
    told: list[str] = []

    def fork() -> None:
        process.run("before")
        told.append("forks")

    forking = in_a_thread(fork)
    eventually(lambda: process.gate._forks)
    told.append("one leaves")
    first.leave()
    told.append("the other leaves")
    second.leave()
    forking.join()
    assert told == ["one leaves", "the other leaves", "forks"]


def test_a_thread_goes_in_when_the_fork_is_made() -> None:
    process = Process()
    told: list[str] = []
    process.run("before")

    def come() -> None:
        process.gate.enter("me")
        told.append("in")

    coming = in_a_thread(come)
    threading.Event().wait(0.02)  # or it might come later than the end
    told.append("made")
    process.run("after_in_parent")
    coming.join()
    assert told == ["made", "in"]
    assert list(process.gate.inside) == ["me"]


def test_one_fork_after_the_other() -> None:
    process = Process()
    told: list[str] = []
    process.run("before")

    def fork() -> None:
        process.run("before")
        told.append("the other's turn")
        process.run("after_in_parent")

    forking = in_a_thread(fork)
    threading.Event().wait(0.02)
    told.append("made")
    process.run("after_in_parent")
    forking.join()
    assert told == ["made", "the other's turn"]
    assert not process.gate._forks


def test_a_thread_does_not_wait_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may fork in a signal's handler, inside; and what is called before a fork may use TLS, or fork."""
    process = Process()
    monkeypatch.setattr(process.gate, "_never", Impatient())
    process.gate.enter("me")
    process.run("before")
    process.gate.enter("what is called before a fork")
    process.run("before")
    assert list(process.gate.inside) == ["me", "what is called before a fork"]
    with pytest.raises(AssertionError, match="it waits"):
        in_another(lambda: process.gate.enter("another"))
    assert list(process.gate.inside) == ["me", "what is called before a fork"]


def test_nothing_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who are waited for may wait for the one who waits, by a lock of the program's."""
    monkeypatch.setattr(forks, "LOOKS", 3)
    process = Process()
    inside = Inside(process.gate, "for long")
    process.run("before")
    in_another(lambda: process.gate.enter("all the same"))
    in_another(lambda: process.run("before"))
    assert list(process.gate.inside) == ["for long", "all the same"]
    inside.leave()


def test_the_child_begins_anew() -> None:
    process = Process()
    in_another(lambda: process.gate.enter("one who is not there any more"))
    in_another(lambda: process.gate._forks.append(threading.get_ident()))
    process.run("after_in_child")
    assert not process.gate.inside
    assert not process.gate._forks
    process.run("before")  # it may fork, too
    process.run("after_in_parent")
    assert not process.gate._forks


def test_a_call_into_another_library_is_inside_until_it_returns_or_raises() -> None:
    before = len(forks.GATE.inside)

    def call(*args: object, **options: object) -> object:
        assert len(forks.GATE.inside) == before + 1
        if not args:
            raise LookupError
        return args, options

    assert between_forks(call, 1, two=2) == ((1,), {"two": 2})
    with pytest.raises(LookupError):
        between_forks(call)
    assert len(forks.GATE.inside) == before


def test_several_adapters_are_one_process() -> None:
    process = Process()
    process.gate.watch(process.register)
    assert [sorted(hooks) for hooks in process.hooks] == [
        ["after_in_child", "after_in_parent", "before"],
        ["after_in_child"],
        ["after_in_child"],
    ]
    registered: list[object] = []
    forks_wait(lambda **hooks: registered.append(hooks))
    forks_wait(lambda **hooks: registered.append(hooks))
    assert len(registered) in (0, 3)  # an adapter may have been imported


class Heir:
    """It counts the forks that it was told of."""

    forks = 0

    def detach_after_fork(self) -> None:
        self.forks += 1


def test_a_child_is_told_for_as_long_as_there_is_something_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process()
    monkeypatch.setattr(forks, "GATE", process.gate)
    kept, dropped = Heir(), Heir()
    told_of_forks(kept)
    told_of_forks(dropped)
    del dropped
    process.run("before")
    process.run("after_in_child")
    assert kept.forks == 1
    assert [*process.gate.told] == [kept]

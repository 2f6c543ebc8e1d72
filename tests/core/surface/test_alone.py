"""One step at a time, whichever threads come; an interrupt keeps no lock taken."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from resp_sansio.surface.threads_driver import Alone


class Told:
    """A lock that raises what it is told to."""

    def __init__(self, at_acquire: BaseException | None = None, at_release: BaseException | None = None) -> None:
        self.raises = {"acquire": at_acquire, "release": at_release}
        self.asked: list[str] = []

    def _do(self, what: str) -> None:
        self.asked.append(what)
        if (error := self.raises[what]) is not None:
            raise error

    def acquire(self) -> None:
        self._do("acquire")

    def release(self) -> None:
        self._do("release")


def alone(lock: Any) -> Alone:
    made = Alone()
    made._lock = lock
    return made


def test_one_step_is_taken_at_a_time() -> None:
    take, counted = Alone(), [0]

    def count() -> int:
        before = counted[0]
        threading.Event().wait(0)  # let others run
        counted[0] = before + 1
        return before

    def count_on() -> None:
        for _ in range(100):
            take(count)

    threads = [threading.Thread(target=count_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert take(count) == 400


def test_what_a_step_raises_is_raised_and_the_lock_is_free() -> None:
    take = Alone()
    with pytest.raises(ValueError, match="invalid literal"):
        take(int, "no")
    others: list[int] = []
    thread = threading.Thread(target=lambda: others.append(take(int, "1")))
    thread.start()
    thread.join()
    assert others == [1]


def test_an_interrupt_that_strikes_as_the_lock_was_taken_gives_it_back() -> None:
    lock = Told(at_acquire=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        alone(lock)(int)
    assert lock.asked == ["acquire", "release"]


def test_an_interrupt_that_strikes_a_thread_that_waits_is_raised_though_there_is_nothing_to_give_back() -> None:
    lock = Told(at_acquire=KeyboardInterrupt(), at_release=RuntimeError("cannot release un-acquired lock"))
    with pytest.raises(KeyboardInterrupt):
        alone(lock)(int)


def test_an_error_that_strikes_as_the_lock_is_free_again_is_raised() -> None:
    with pytest.raises(RuntimeError, match="a signal's handler"):
        alone(Told(at_release=RuntimeError("a signal's handler")))(int)

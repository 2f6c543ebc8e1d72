"""Forks: who is told of one in the child, and what a fork waits for: that no other thread is inside of certain libraries.

OpenSSL and the C library's resolver have locks of their own, and take no care of forks: a lock that another thread holds at that
moment is locked in the child for ever, and the child's next use of TLS, or its next look for a name, hangs.

A thread says that it goes in, and looks for forks then; a fork does it the other way round. No lock is held meanwhile: an
interrupt would leave it locked. Both wait for a bounded time: what they wait for may wait for them, by a lock of the program's.
"""

from __future__ import annotations

from _thread import allocate_lock, get_ident
from collections.abc import Callable, Iterable
from typing import Final, Protocol, TypeVar
from weakref import WeakSet

__all__ = ["GATE", "Gate", "between_forks", "forks_wait", "told_of_forks"]

T = TypeVar("T")

PAUSE: Final = 0.001
"""Seconds between two looks whether the wait is over."""

LOOKS: Final = 2000
"""How many of them at most. What a thread does inside takes a few milliseconds, and so do most forks."""


class Told(Protocol):
    """What is told of forks."""

    def detach_after_fork(self) -> None:
        """In the child of a fork: what is open is the parent's."""


class Gate:
    """The way in, and who is there.

    `gate.enter(me)` stands in a `try` that ends with `finally: gate.inside.pop(me, None)`: then no interrupt leaves anything.
    """

    __slots__ = ("_forks", "_never", "_watched", "inside", "told")

    def __init__(self) -> None:
        self.inside: dict[object, int] = {}  # for whom, by which thread
        self._forks: list[int] = []  # the threads that are making one
        self._never = allocate_lock()  # it is never free: who waits for it sleeps
        self._never.acquire()
        self._watched = False
        self.told: WeakSet[Told] = WeakSet()

    def enter(self, who: object) -> None:
        """Go in; if another thread is making a fork, when that is made."""
        thread = self.inside[who] = get_ident()
        looks = LOOKS
        while self._forks and looks and _others(self._forks):
            del self.inside[who]
            self._never.acquire(timeout=PAUSE)
            self.inside[who] = thread
            looks -= 1

    def watch(self, register: Callable[..., None]) -> None:
        """Have each fork of this process wait from now on; `register` is `os.register_at_fork`."""
        if not self._watched:
            self._watched = True
            # What ends it is no function of Python's: one that an interrupt strikes as it begins does nothing.
            register(before=self._before_fork, after_in_parent=self._forks.pop, after_in_child=self._forks.clear)
            register(after_in_child=self.inside.clear)
            register(after_in_child=self._tell)

    def _before_fork(self) -> None:
        self._wait_while(lambda: _others(self._forks))
        self._forks.append(get_ident())
        self._wait_while(lambda: _others(self.inside.values()))

    def _tell(self) -> None:
        for each in list(self.told):
            each.detach_after_fork()

    def _wait_while(self, asked: Callable[[], bool]) -> None:
        for _ in range(LOOKS):
            if not asked():
                break
            self._never.acquire(timeout=PAUSE)


def _others(threads: Iterable[int]) -> bool:
    """Is one of them another than this one, which would wait for itself?"""
    own = get_ident()
    return any(thread != own for thread in list(threads))


GATE: Final = Gate()
"""The one of this process."""


def forks_wait(register: Callable[..., None]) -> None:
    """Let no fork happen while another thread is inside of OpenSSL for a `TLSWire`, or of a call by `between_forks`.

    For adapters; `register` is `os.register_at_fork`. The child could hang otherwise, when it first uses that library. From then on
    those are told of forks that `told_of_forks` names. Idempotent.
    """
    GATE.watch(register)


def told_of_forks(told: Told) -> None:
    """Have `detach_after_fork` of this called in the child of each fork, for as long as it lives, once `forks_wait` was called."""
    GATE.told.add(told)


def between_forks(call: Callable[..., T], /, *args: object, **options: object) -> T:
    """Call into a library with locks of its own, for which forks wait. Raises and returns what the call does."""
    who = object()
    try:
        GATE.enter(who)
        return call(*args, **options)
    finally:
        GATE.inside.pop(who, None)

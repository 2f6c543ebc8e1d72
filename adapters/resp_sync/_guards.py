"""What may strike in mid-call: interrupts, forks, greenlets.

The lock is the law, and is never held while anything waits: machine and crew are touched, and bytes move, only under it, one step
at a time. An interrupt that strikes elsewhere costs the interrupted call its reply, and nothing else. What it leaves half-done
inside of a step is put in order before the next step is taken.

No `with` takes the lock: in CPython 3.14 an interrupt may strike when that has taken it and is not bound to release it yet. It is
taken inside of a `try`, whose `finally` begins by releasing it: `RuntimeError` says that this thread has not got it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from threading import Lock, RLock
from time import monotonic
from typing import Any, Final, TypeVar
from weakref import WeakSet

from resp_sansio import ConnectionClosedError, RespError
from resp_sansio.client import forks_wait, is_here
from resp_sansio.surface.threads import Make

from ._links import Links, Socket

__all__ = ["Guarded", "check_not_patched"]

T = TypeVar("T")


class Guarded(Links):
    """Takes one step after the other, and puts in order what interrupts and forks leave."""

    __slots__ = ()

    def __init__(self, make: Make, whose: str) -> None:
        check_not_patched()
        super().__init__(make, whose)
        _drivers.add(self)

    def _locked(self, step: Callable[..., T], *args: Any) -> T:
        """Take a step under the lock. Raises what it raises, and `LocalProtocolError` if this thread is inside of another."""
        lock, taken = self._lock, False  # a fork may put another one in its place
        try:
            lock.acquire()
            taken = True
            if self._inside:
                raise self._reentered()
            self._inside = True
            try:
                if self._torn:
                    self._mend()
                result = step(*args)
                if self.crew.unsettled or self.crew.woken:
                    self._settle()
            except RespError:
                raise
            except BaseException:
                self._torn.append(None)
                self._mend()
                raise
            finally:
                self._inside = False
        finally:
            try:
                lock.release()
            except RuntimeError:
                if taken:
                    raise  # else an interrupt struck while this thread waited for it
        if self._reports:
            self._report()  # work first, then tell
        return result

    def _report(self) -> None:
        """Tell what is to be told, for all threads: one thing after the other, and no thread waits for another that does so."""
        try:
            while self._reports and (telling := self._reporting).acquire(blocking=False):
                try:
                    while self._reports:
                        self._reports.pop(0)()
                finally:
                    telling.release()
        except BaseException:
            self._reporting = Lock()  # an interrupt may have kept it from being released
            raise

    def _settle(self) -> None:
        """See that a thread has each job that is free, and wake those that are to run."""
        crew = self.crew
        if crew.unsettled:
            crew.settle(self.machine.next_deadline)
        for waker in crew.woken:
            if waker.locked():
                waker.release()
        crew.woken.clear()

    def _mend(self) -> None:
        """Put in order what an interrupt, or a fork, has left. May be cut short itself, and is done again then."""
        machine, crew = self.machine, self.crew
        if self._forked:
            self._begin_anew()
            self._inside = True
            return
        self._telling = False
        seen, moving = len(self._torn), self._moving
        torn = [link for link in machine.links if link is moving or link.io is None or link.io not in crew.posts]
        self._take_up_lost_dials()
        dials = [*crew.dials, *crew.dialling]
        for dial in [dial for dial in self._openings if dial not in dials]:
            self._drop_opening(dial)
        machine.reconcile(monotonic(), is_here, dials, torn)
        self._moving = None
        self._carry_out()
        for post in list(crew.posts):
            assert isinstance(post, Socket)
            if post.link.ended:
                self._close(post)
            elif post.wire.wants_to_send:
                self._send(post)
        crew.mend()
        self._settle()
        del self._torn[:seen]

    # -- forks ---------------------------------------------------------------------------------------------------------------------

    def drop(self) -> None:
        """The client was thrown away without being closed: its sockets end with it."""
        for link in self.machine.links:
            if link.io is not None:
                link.io.socket.close()

    def detach_after_fork(self) -> None:
        """In the child of a fork: what is open is the parent's, and the locks may be held by threads that do not exist here."""
        self.machine.disown()
        for opening in self._openings.values():
            for each in opening.sockets:
                each.close()  # and nothing else
        self.drop()
        if self._inside and self._lock.acquire(blocking=False):
            self._lock = RLock()
            self._forked = True  # this very thread has forked in there, and sees to the rest when it is done
            self._torn.append(None)
        else:
            self._begin_anew()

    def _begin_anew(self) -> None:
        why = "it was opened before a fork, and belongs to the parent process"
        for link in self.machine.links:
            link.core.abort(ConnectionClosedError(why))
            link.ended = True
        self.begin()
        if self.machine.once:
            self.machine.close(monotonic(), why)


_drivers: Final[WeakSet[Guarded]] = WeakSet()


def _after_fork() -> None:
    for driver in list(_drivers):
        driver.detach_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
    forks_wait(os.register_at_fork)


def check_not_patched() -> None:
    """Raise `RuntimeError` if a lock is not any more what it was when this module was imported.

    gevent and eventlet put their own in its place. A greenlet that waits for one of the old stops all others.
    """
    if threading.Lock is not Lock:
        raise RuntimeError(
            "resp_sync was imported before gevent or eventlet patched the standard library, and would hang: patch first, then"
            " import"
        )

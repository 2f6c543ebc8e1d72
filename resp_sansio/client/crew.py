"""Who does what among the threads of a client: which reads or writes which link, which dials, which keeps the time, whom to wake.

There is no thread but the callers' own. A caller's thread that has to wait takes a job that is free: it waits for the socket of the
link that its call is on; while its call is on no link it dials, reads a link that opens, or keeps the time. A caller for whom no
job is left sleeps, until its call ends or a job is free. A job belongs to its thread while that waits for a socket or for time, and
is a hint about who waits for what; bytes move only under the adapter's lock.

Nothing here waits, locks or reads a clock. The law for adapters: call one method at a time (`came_by` excepted); whenever `next`
says SLEEP put the caller among the `sleepers`, with something to wake it by; then `settle` if `unsettled`, and wake `woken`.

A job of a caller that has gone without a word, as after an interrupt, is free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from math import inf
from typing import Any, Final

from .links import Dial, Drained, Granted, Heard, Refused
from .posts import AHEAD, DONE, SLEEP, Caller, Job, Party, Passer, Post, Several, Write, party_of, post_of
from .pushes import Listener
from .submitting import ClientEvent

__all__ = ["Crew"]

PATIENCE: Final = 100e-6
"""Seconds for which commands may be left for the last one to wake up; after that the next one to wake sends them. Eight
threads that do nothing else take 50 microseconds for a round."""


class Crew:
    """The callers' threads and their jobs. `where` tells at which post a caller's call is, None if on no link."""

    __slots__ = (
        "_called", "armed", "common", "dialling", "dials", "drainers", "keeper", "listening", "owing", "posts", "sleepers",
        "unsettled", "where", "woken",
    )  # fmt: skip

    def __init__(self, where: Callable[[Any], Any] = post_of) -> None:
        self.where: Callable[[Any], Any] = where
        self._called: dict[Caller, Post | None] = {}  # woken for a job there, None: for any; and not here yet
        # In the order of going to sleep, with what wakes them. One that wakes up by itself is taken out before it does anything.
        self.sleepers: dict[Caller, Any] = {}
        self.woken: list[Any] = []  # for the adapter: what to wake
        self.posts: dict[Post, None] = {}
        self.common: dict[Post, None] = {}  # those read for all: links that open, or that a closing client waits for
        self.listening: dict[Post, None] = {}  # those that are read for callers who listen to several at once
        self.owing: dict[Post, None] = {}  # replies to those who have gone, and no thread reads them
        self.drainers: list[Party] = []  # they wait until a closing client is drained
        self.dials: list[Dial] = []  # no thread carries them out
        self.dialling: dict[Dial, Caller] = {}
        self.keeper: Caller | None = None  # of the time: it sleeps until `armed`
        self.armed: float = inf
        self.unsettled: bool = False  # a job may be free that is not at a post of a caller's own

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}: {len(self.sleepers)} asleep, {len(self.posts)} links, {len(self.dialling)} dials>"
        )

    # -- for a caller's thread -------------------------------------------------------------------------------------------

    def next(self, caller: Caller, job: Job | None = None) -> Job | None:
        """A thread is here that has done `job`: return its next one, None if its call has ended."""
        if isinstance(caller, Passer):
            return self.chore(caller, job)
        if caller.token == DONE:
            self.leave(caller, job)
            return None
        post = self.where(caller)
        if caller in self._called and (called := self._arrive(caller)) is not None and called is not post:
            self._call_for(called)
        if job is not post and job is not None and (post is not None or not self._is_common(job)):
            self._put_down(caller, job, post)
        if post is None:
            return self._next_common(caller, job)
        if self.keeper is caller:
            self._step_down(caller)
        taken: Job = SLEEP
        reader = post.reader
        if post.reads and (reader is None or reader is caller or reader.token is None):
            post.reader = caller
            taken = post
        elif post.stuck and _is_free(post.writer, caller):
            post.writer = caller
            taken = Write(post)
        elif reader is caller:
            post.reader = None  # pushes are to be taken first
        return taken

    def chore(self, caller: Caller, job: Job | None = None) -> Job | None:
        """As `next`, for a thread that waits for nothing: return a job that is done for all, None if none is free."""
        if caller.token == DONE:  # its time is up
            self.leave(caller, job)
            return None
        if job is not None and not self._is_common(job):
            self._put_down(caller, job, None)
        found = self._next_common(caller, job)
        if found is not SLEEP:
            return found
        self._step_down(caller)
        return None

    def came_by(self, caller: Caller, post: Post | None, now: Callable[[], float]) -> bool:
        """A thread runs that was woken, its call having ended: is anything left to do, for which to `leave` under the lock?

        That is a job that it was woken for, or to send what others have left to it. It needs no lock: they say that something is
        left, and look then who is still to come; this looks in the other order.
        """
        if caller in self._called:
            return True
        if post is None:
            return False
        post.waking.pop(caller, None)
        return bool(post.deferred) and (not _others_wake(post) or now() > post.deferred + PATIENCE)

    def waited(self, caller: Caller, job: Job) -> Job | None:
        """A thread has waited in vain with this job: return what it goes on with.

        A link that opens it leaves for a dial that no thread makes, or takes together with others that no thread reads: these
        may be to another server, and tell more.
        """
        if self._is_common(job) and (self.dials or len(self._free_posts(self.common, caller)) > 1):
            self._put_down(caller, job, None)
            return None
        return job

    def leave(self, caller: Caller, job: Job | None = None) -> None:
        """A thread takes no more jobs; `job` is its last one. Idempotent."""
        if self.sleepers:
            self.sleepers.pop(caller, None)
        called = self._arrive(caller) if caller in self._called else None
        if self.keeper is caller:
            self._step_down(caller)
        if job is not None:
            self._put_down(caller, job, None)
        if called is not None:
            self._call_for(called)

    def leave_all(self, caller: Caller) -> None:
        """A thread was interrupted, whatever its job was."""
        for post in self.posts:
            post.waking.pop(caller, None)
            if post.writer is caller:
                self.leave(caller, Write(post))
            if post.reader is caller:
                self.leave(caller, post)
        self.leave(caller)

    def mend(self) -> None:
        """See to it that all jobs are done after callers have gone without a word."""
        for caller in [caller for caller in self.sleepers if caller.token is None]:
            self.leave_all(caller)
        for post in self.posts:
            self.look_after(post)
        self.unsettled = True

    def is_beneath(self, caller: Caller, post: Post | None) -> bool:
        """Has this very thread, interrupted by what it does now, the job that the caller would wait for? It would wait for ever."""
        if caller.token == DONE:
            return False  # it waits for nothing; and DONE, which others may be as well, is no thread
        holders = (
            (*self.dialling.values(), *[common.reader for common in (*self.common, *self.listening)])
            if post is None
            else (post.reader, post.writer)
        )
        for holder in holders:  # noqa: SIM110  # faster than a generator
            if holder is not None and holder is not caller and holder.token == caller.token:
                return True
        return False

    # -- what has happened -----------------------------------------------------------------------------------------------

    def ended(self, caller: Caller) -> None:
        """A call has ended for good."""
        if caller.token is not None:
            caller.token = DONE
        if self.keeper is caller:
            self._step_down(caller)
        waker = self.sleepers.pop(caller, None)
        if waker is not None:
            post = self.where(caller)
            if post is not None:
                post.waking[caller] = None
            self.woken.append(waker)

    def answered(self, post: Post, callers: Sequence[Caller]) -> None:
        """As `ended`, for calls that were answered at one post."""
        sleepers, waking = self.sleepers, post.waking
        for caller in callers:
            if self.keeper is caller:
                self._step_down(caller)
            if caller.token is not None:
                caller.token = DONE
            waker = sleepers.pop(caller, None)
            if waker is not None:
                waking[caller] = None
                self.woken.append(waker)

    def told(self, event: ClientEvent) -> None:
        """The machine says this; a call has `ended`, and what is said of sockets, dials and reports is the adapter's."""
        match event:
            case Granted(waiter) | Refused(waiter):
                if (party := party_of(waiter)) is not None:
                    self.ended(party)
            case Heard(listener):
                self.ended(listener.token)
            case Drained():
                for drainer in self.drainers:
                    self.ended(drainer)

    def drain(self, party: Party) -> None:
        """It waits until the client is drained: all links are read, for replies may be owed that no caller waits for."""
        self.drainers.append(party)
        for post in self.posts:
            self.opens(post)

    def wanted(self, dial: Dial) -> None:
        """A dial is to be carried out, by any thread."""
        self.dialled(dial)
        self.dials.append(dial)
        self.unsettled = True

    def dialled(self, dial: Dial) -> None:
        """The thread that has carried out this dial is back."""
        self.dialling.pop(dial, None)
        if not self.dialling:
            self.dialling = {}  # an idle client need not keep the room of a full one

    def lost_dials(self) -> list[Dial]:
        """Return the dials whose threads have gone without a word. They are not the crew's any more."""
        lost = [dial for dial, caller in self.dialling.items() if caller.token is None]
        for dial in lost:
            del self.dialling[dial]
        return lost

    def late_dials(self, now: float) -> list[Dial]:
        """Return the dials that no thread has carried out in time. They are not the crew's any more."""
        late = [dial for dial in self.dials if now >= dial.deadline]
        for dial in late:
            self.dials.remove(dial)
        return late

    def attend(self, post: Post) -> None:
        """See who reads a link: those whose calls are on it, or any that waits if a call begun ahead has it for itself."""
        link = post.link
        slot = link.slot
        ahead = slot is not None and slot.token == AHEAD and slot.link is link
        if post in self.owing and (link.ended or not link.core.in_flight):
            del self.owing[post]
        if link.ended:
            return
        if link.awaited and link.registry is not None:
            self.hears(post)
        elif ahead or link.awaited:
            self.opens(post)
        elif post in self.common and link.dial is None and not self.drainers:
            self.opened(post)

    def left(self, post: Post) -> bool:
        """A caller has left this link, perhaps the last one: is its socket to be closed now?"""
        if post.used:
            return False
        if not post.link.ended and post.link.core.in_flight:
            self.owing[post] = None
        return post.link.ended

    @property
    def owed(self) -> list[Post]:
        """The links on which replies are due."""
        return [post for post in self.posts if post.link.core.in_flight]

    def opens(self, post: Post) -> None:
        """A link opens, or is waited for by all: whichever thread waits reads it."""
        self.posts[post] = self.common[post] = None
        self.unsettled = True

    def hears(self, post: Post) -> None:
        """What comes here is for callers who listen to several links at once: one of them reads all of these."""
        if post not in self.listening:
            self._not_common(post)
            self.posts[post] = self.listening[post] = None
            self.unsettled = True

    def opened(self, post: Post) -> None:
        """A link has calls of its own now."""
        self._not_common(post)
        self.unsettled = True  # calls may be on it, and others not
        self.look_after(post)

    def look_after(self, post: Post) -> None:
        """Something is to be read or written here: see that one of those whose calls are on it does so."""
        self.unsettled = self.unsettled or post in self.common or post in self.listening
        reader = post.reader
        reads = post.reads and (reader is None or reader.token is None)
        if self.sleepers and (reads or (post.stuck and _is_free(post.writer))):
            self._call_for(post)

    def lost(self, post: Post) -> None:
        """A link has ended. A thread may still wait for its socket: `forget` it when that is closed."""
        self._not_common(post)
        self.listening.pop(post, None)
        self.owing.pop(post, None)
        self.unsettled = True  # its calls may be on none now

    def _not_common(self, post: Post) -> None:
        self.common.pop(post, None)
        if not self.common:
            self.common = {}  # see `dialled`

    def forget(self, post: Post) -> None:
        """The socket of a link that has ended is closed."""
        self.posts.pop(post, None)

    def defers(self, post: Post, now: float) -> bool:
        """Something is to be sent: is it left to those who were woken here and do not run yet? The last of them sends it."""
        if post.waking and not post.deferred:
            post.deferred = now
        return bool(post.deferred) and _others_wake(post)

    def settle(self, due: Callable[[], float]) -> None:
        """See that a thread has each job that is free, if one sleeps whose call is on no link.

        `due` tells when to look at the time.
        """
        self.unsettled = False
        if not self.sleepers:
            return
        keeper = self.keeper
        free = len(self.dials)
        for post in self.common:
            free += post.reads and _is_free(post.reader)
        if keeper is None or keeper.token is None:
            free += 1
        elif self.armed == -inf:
            self.armed = due()
        elif keeper in self.sleepers and due() < self.armed:
            self._call(keeper, None)
        for caller, called in list(self._called.items()):
            if caller.token is None:
                del self._called[caller]
            elif called is None:
                free -= 1
        if self.listening:
            self._settle_listeners()
        if free > 0:
            idle = (who for who in list(self.sleepers) if who.token is not None and self.where(who) is None)
            for caller in islice(idle, free):
                self._call(caller, None)

    def _settle_listeners(self) -> None:
        """See that what comes for those who listen to several links is read, if one of them sleeps."""
        if any([post.reads and _is_free(post.reader) for post in self.listening]):
            coming = [caller for caller, called in self._called.items() if called is None]
            if not any(map(self._listens, coming)):
                for caller in filter(self._listens, list(self.sleepers)):
                    self._call(caller, None)
                    break

    def _listens(self, caller: Any) -> bool:
        """Is this one there, and does it listen to several links?"""
        waits = isinstance(caller, Party) and isinstance(caller.waiter, Listener)
        return waits and caller.token is not None and self.where(caller) is None

    # -- jobs --------------------------------------------------------------------------------------------------------------

    def _next_common(self, caller: Caller, job: Job | None) -> Job:
        """A job that is not at a post of the caller's own."""
        if job is not None and self._is_common(job):
            return job
        if self.dials:
            self._step_down(caller)
            dial = self.dials.pop(0)
            self.dialling[dial] = caller
            return dial
        listens = bool(self.listening) and self._listens(caller)
        posts = self._free_posts((*self.listening, *self.common) if listens else self.common, caller)
        if posts:
            self._step_down(caller)
            for post in posts:
                post.reader = caller
            return Several(tuple(posts)) if listens or len(posts) > 1 else posts[0]
        if _is_free(self.keeper, caller):
            self.keeper, self.armed = caller, -inf
            self.unsettled = True
        return SLEEP

    @staticmethod
    def _free_posts(posts: Iterable[Post], caller: Caller) -> list[Post]:
        """Return those that no other thread reads, and that are to be read."""
        return [post for post in posts if post.reads and _is_free(post.reader, caller)]

    def _is_common(self, job: Job) -> bool:
        return isinstance(job, Post) and job in self.common and job.reads

    def _step_down(self, caller: Caller) -> None:
        """If this one keeps the time, it has another job."""
        if self.keeper is caller:
            self.keeper, self.armed = None, inf
            self.unsettled = True

    def _put_down(self, caller: Caller, job: Job, post: Post | None) -> None:
        """A thread has done with a job; it goes on to this post."""
        if isinstance(job, Write):
            job.post.writer = None
            if job.post is not post:
                self.look_after(job.post)
        elif isinstance(job, Post) and job.reader is caller:
            job.reader = None
            self.look_after(job)
        elif isinstance(job, Several):
            for each in job.posts:
                if each.reader is caller:
                    each.reader = None
            self.unsettled = True

    def _arrive(self, caller: Caller) -> Post | None:
        """A caller is here that was called; return the post that it was called for."""
        post = self._called.pop(caller)
        if post is None:
            self.unsettled = True  # it may be of no use for that any more
        return post

    def _call_for(self, post: Post) -> None:
        """Wake one of those whose calls are at this post, unless one is coming."""
        for caller, there in self._called.items():
            if there is post and caller.token is not None:
                return
        sleepers, where, owner = self.sleepers, self.where, post.link.slot
        if owner in sleepers and owner.token is not None and where(owner) is post:  # of a link that is lent to one call
            self._call(owner, post)
            return
        for caller in sleepers:
            if caller.token is not None and where(caller) is post:
                self._call(caller, post)
                return

    def _call(self, caller: Caller, post: Post | None) -> None:
        self.woken.append(self.sleepers.pop(caller))
        self._called[caller] = post


def _is_free(holder: Caller | None, caller: Caller | None = None) -> bool:
    return holder is None or holder is caller or holder.token is None


def _others_wake(post: Post) -> bool:
    """Is a caller about to come by, woken and not yet running? Those that were interrupted on the way never will."""
    for caller in list(post.waking):  # noqa: SIM110  # faster than a generator
        if caller.token is not None:
            return True
    return False

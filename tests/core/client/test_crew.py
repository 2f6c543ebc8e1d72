"""The crew of threads: whatever happens, each job has a thread while a caller waits for what it would do."""

from __future__ import annotations

from functools import partial
from math import inf
from random import Random
from types import SimpleNamespace
from typing import Any, cast
from weakref import ref

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from resp_sansio.client import Close, Dial, Drained, Granted, Heard, Link, Listener, Refused, Waiter
from resp_sansio.client.crew import Crew
from resp_sansio.client.posts import (
    AHEAD,
    DONE,
    SLEEP,
    Party,
    Passer,
    Post,
    Several,
    Write,
    entry_of,
    is_here,
    party_of,
)
from resp_sansio.connection import new_slot

CHANCE = st.integers(0, 1 << 30).map(Random)


class Thread:
    """A caller and its thread. `at`: where its call is; `job`: what it does, None if it was woken and does not run yet."""

    def __init__(self, number: int, at: Post | None) -> None:
        self.token: Any = number
        self.at = at
        self.job: Any = None
        self.left = False

    def __repr__(self) -> str:
        return f"<Thread {self.token} at {self.at}: {self.job}>"

    @property
    def waits(self) -> bool:
        return self.token not in (DONE, None)


class Hearer(Thread, Party):
    """A caller that listens to several links."""

    def __init__(self, number: int) -> None:
        Party.__init__(self, inf, number)
        Thread.__init__(self, number, None)
        self.waiter = Listener(None)

    __hash__ = object.__hash__


class Threads(RuleBasedStateMachine):
    """Threads, links and dials; each rule is one thread's turn under the lock, with what a client machine may say in it."""

    def __init__(self) -> None:
        super().__init__()
        self.crew = Crew(lambda thread: thread.at)
        self.threads: list[Thread] = []
        self.posts: list[Post] = []
        self.number = 0
        self.due = inf
        self.now = 1.0

    # -- what a rule is made of ------------------------------------------------------------------------------------------

    def working(self, kind: type) -> list[Thread]:
        return [thread for thread in self.threads if isinstance(thread.job, kind)]

    @property
    def runnable(self) -> list[Thread]:
        return [thread for thread in self.threads if thread.job is None]

    def goes_on(self, thread: Thread) -> None:
        """The end of a turn: the thread has its next job, and those that were woken can run."""
        job = self.crew.next(thread, thread.job)
        thread.job = job
        if job is None:
            thread.left = True
            thread.token = None
            self.threads.remove(thread)
        elif job is SLEEP:
            self.crew.sleepers[thread] = thread
        self.settle()

    def settle(self) -> None:
        if self.crew.unsettled:
            self.crew.settle(lambda: self.due)
        for thread in self.crew.woken:
            thread.job = None
        self.crew.woken.clear()

    def sends(self, post: Post) -> None:
        post.deferred = 0.0
        post.stuck = False

    def loses(self, post: Post, chance: Any) -> None:
        """A link ends: its calls end, or wait for another."""
        self.posts.remove(post)
        post.link.ended = True
        self.crew.lost(post)
        for thread in self.threads:
            if thread.at is post:
                if chance.random() < 0.5:
                    self.crew.ended(thread)
                else:
                    thread.at = None
        if not post.used:
            self.crew.forget(post)

    # -- rules -----------------------------------------------------------------------------------------------------------

    @initialize(links=st.integers(0, 2))
    def begin(self, links: int) -> None:
        for _ in range(links):
            self.opens()
            self.crew.opened(self.posts[-1])

    def opens(self) -> None:
        post = Post(SimpleNamespace(slot=None, ended=False))  # type: ignore[arg-type]
        self.posts.append(post)
        self.crew.opens(post)

    @rule(chance=CHANCE)
    def a_call_begins(self, chance: Any) -> None:
        opened = [post for post in self.posts if post not in self.crew.common and post not in self.crew.listening]
        at = chance.choice([None, *opened, *opened])
        self.number += 1
        thread = Hearer(self.number) if at is None and chance.random() < 0.5 else Thread(self.number, at)
        assert not self.crew.is_beneath(thread, at)
        if at is None:
            if chance.random() < 0.5:
                self.crew.wanted(object())  # type: ignore[arg-type]
        elif chance.random() < 0.3:
            at.stuck = True
        elif not self.crew.defers(at, self.now):
            self.sends(at)
        if at is not None and at not in self.crew.common and chance.random() < 0.3:
            at.link.slot = thread
        self.threads.append(thread)
        self.goes_on(thread)

    @precondition(lambda self: bool(self.runnable))
    @rule(chance=CHANCE)
    def a_woken_thread_runs(self, chance: Any) -> None:
        thread = chance.choice(self.runnable)
        post = thread.at
        if thread.token == DONE:
            if self.crew.came_by(thread, post, lambda: self.now):
                if post is not None:
                    self.sends(post)
                self.goes_on(thread)
            else:  # it returns without the lock
                thread.token = None
                self.threads.remove(thread)
            return
        thread.job = SLEEP
        self.crew.sleepers.pop(thread, None)
        self.goes_on(thread)

    @precondition(lambda self: bool(self.runnable))
    @rule(chance=CHANCE)
    def all_woken_threads_run(self, chance: Any) -> None:
        while self.runnable:
            self.a_woken_thread_runs(chance)

    @precondition(lambda self: bool(self.working(Post)))
    @rule(chance=CHANCE, what=st.sampled_from(["nothing", "replies", "lost", "pushes", "moved", "opened", "time"]))
    def a_socket_is_readable(self, chance: Any, what: str) -> None:
        thread: Thread = chance.choice(self.working(Post))
        post: Post = thread.job
        assert cast(Any, post.reader) is thread
        here = [other for other in self.threads if other.at is post and other.waits]
        idle = [other for other in self.threads if other.at is None and other.waits]
        if post.link.ended:
            what = "nothing"
        match what:
            case "replies" if chance.random() < 0.5:
                self.crew.answered(post, here[: chance.randrange(3)])
            case "replies":
                for other in here[: chance.randrange(3)]:
                    if chance.random() < 0.8:
                        self.crew.ended(other)
                    else:  # tried again, behind a pause
                        other.at = None
                        self.crew.unsettled = True
            case "lost":
                self.loses(post, chance)
            case "pushes":
                post.reads = False
            case "opened" if post in self.crew.common and chance.random() < 0.5:
                self.crew.hears(post)
            case "opened" if post in self.crew.common:
                for other in idle[: chance.randrange(4)]:
                    other.at = post
                self.crew.opened(post)
            case "moved" if idle and self.posts:  # a link is lent
                lent = chance.choice(self.posts)
                if lent not in self.crew.common and lent not in self.crew.listening:
                    other = chance.choice(idle)
                    other.at = lent
                    lent.link.slot = other
                    self.crew.look_after(lent)
            case "time":
                for other in idle[: chance.randrange(3)]:
                    self.crew.ended(other)
                self.due = chance.choice([inf, 5.0, 1.0])
                self.crew.unsettled = True
        if not post.link.ended and (post.deferred == 0 or chance.random() < 0.5):
            self.sends(post)
        self.goes_on(thread)

    @precondition(lambda self: bool(self.working(Several)))
    @rule(chance=CHANCE, what=st.sampled_from(["nothing", "message", "lost", "pushes", "opened", "moved"]))
    def one_of_several_is_readable(self, chance: Any, what: str) -> None:
        thread: Thread = chance.choice(self.working(Several))
        assert all([cast(Any, post.reader) is thread for post in thread.job.posts])
        post: Post = chance.choice(thread.job.posts)
        hearers = [other for other in self.threads if isinstance(other, Hearer) and other.at is None and other.waits]
        match "nothing" if post.link.ended else what:
            case "message" if hearers:
                self.crew.ended(chance.choice(hearers))
            case "lost":
                self.loses(post, chance)
            case "pushes":
                post.reads = False
            case "opened" if post in self.crew.common:
                self.crew.hears(post)
            case "moved" if hearers:
                opened = [one for one in self.posts if one not in self.crew.common and one not in self.crew.listening]
                if opened:
                    chance.choice(hearers).at = at = chance.choice(opened)
                    self.crew.look_after(at)
        self.goes_on(thread)

    @precondition(lambda self: bool([post for post in self.posts if not post.reads]))
    @rule(chance=CHANCE)
    def a_push_is_taken(self, chance: Any) -> None:
        post = chance.choice([post for post in self.posts if not post.reads])
        post.reads = True
        self.crew.look_after(post)
        self.settle()

    @precondition(lambda self: bool(self.working(Write)))
    @rule(chance=CHANCE, stuck=st.booleans())
    def a_socket_takes_more(self, chance: Any, stuck: bool) -> None:
        thread = chance.choice(self.working(Write))
        assert thread.job.post.writer is thread
        thread.job.post.stuck = stuck
        self.goes_on(thread)

    @precondition(lambda self: bool(self.working(object) and self.crew.dialling))
    @rule(chance=CHANCE, what=st.sampled_from(["opens", "fails", "handed back"]))
    def a_dial_ends(self, chance: Any, what: str) -> None:
        dial = chance.choice(list(self.crew.dialling))
        thread: Any = self.crew.dialling[dial]
        assert thread.job is dial
        if what == "handed back" and (thread.at is not None or thread.token == DONE):
            self.crew.wanted(dial)
        else:
            del self.crew.dialling[dial]
            if what == "opens":
                self.opens()
            elif chance.random() < 0.5:
                self.crew.wanted(object())  # type: ignore[arg-type]
            self.due = chance.choice([inf, 5.0])
            self.crew.unsettled = True
        self.goes_on(thread)

    @precondition(lambda self: bool([thread for thread in self.threads if thread.job is SLEEP]))
    @rule(chance=CHANCE)
    def a_deadline_passes(self, chance: Any) -> None:
        """A sleeper looks at the time itself."""
        thread = chance.choice([thread for thread in self.threads if thread.job is SLEEP])
        self.crew.sleepers.pop(thread, None)
        if chance.random() < 0.5:
            self.crew.ended(thread)
        self.goes_on(thread)
        self.settle()

    @precondition(lambda self: bool(self.threads))
    @rule(chance=CHANCE)
    def a_thread_is_interrupted(self, chance: Any) -> None:
        thread = chance.choice(self.threads)
        self.threads.remove(thread)
        if thread.job is not None and thread.job in self.crew.dialling:
            del self.crew.dialling[thread.job]
        self.crew.leave_all(thread)
        thread.token = None
        post = thread.at
        if post is not None and post.deferred:
            self.sends(post)
        self.settle()

    @precondition(lambda self: bool(self.threads))
    @rule(chance=CHANCE)
    def a_thread_vanishes(self, chance: Any) -> None:
        """An interrupt catches the cleaning up of another: the sleepers look for themselves, now and then."""
        thread = chance.choice(self.threads)
        self.threads.remove(thread)
        thread.token = None
        for dial in self.crew.lost_dials():
            assert thread.job is dial
            self.crew.wanted(dial)
        for sleeper in [other for other in self.threads if other.job is SLEEP]:
            if sleeper.job is SLEEP:
                self.crew.sleepers.pop(sleeper, None)
                if sleeper.at is not None and sleeper.at.deferred:
                    self.sends(sleeper.at)
                self.crew.unsettled = True
                self.goes_on(sleeper)
        for post in self.posts:
            if post.deferred and not any(other.token is not None for other in post.waking):
                self.sends(post)  # by a reader, which does not wait for long then

    # -- what holds ------------------------------------------------------------------------------------------------------

    @invariant()
    def a_job_has_one_thread(self) -> None:
        jobs = [thread.job for thread in self.threads if thread.job is not None and thread.job is not SLEEP]
        assert len(set(map(id, jobs))) == len(jobs)
        assert set(self.crew.sleepers) == {thread for thread in self.threads if thread.job is SLEEP} | {
            thread for thread in self.crew.sleepers if thread.token is None
        }
        repr(self.crew)

    @invariant()
    def each_job_has_a_thread(self) -> None:
        """Once all have run that were woken."""
        if self.runnable:
            return
        sleepers = [thread for thread in self.threads if thread.job is SLEEP]
        assert all(thread.waits for thread in sleepers)
        for post in {thread.at for thread in sleepers if thread.at is not None}:
            reads = any(thread.job is post for thread in self.threads)
            writes = any(thread.job == Write(post) for thread in self.threads)
            assert reads or not post.reads
            assert reads or writes or not post.stuck
        for post in self.posts:
            assert not post.deferred, post
        if any(thread.at is None for thread in sleepers):
            assert not self.crew.dials
            for post in self.crew.common:
                assert not post.reads or any(reads_it(thread, post) for thread in self.threads)
            if any(isinstance(thread, Hearer) and thread.at is None for thread in sleepers):
                for post in self.crew.listening:
                    assert not post.reads or any(reads_it(thread, post) for thread in self.threads)
            keeper = self.crew.keeper
            assert keeper in sleepers
            assert self.crew.armed <= self.due


def reads_it(thread: Thread, post: Post) -> bool:
    """Is that this thread's job?"""
    return thread.job is post or (isinstance(thread.job, Several) and post in thread.job.posts)


def never() -> float:
    return inf


def a_post() -> Post:
    return Post(SimpleNamespace(slot=None, ended=False))  # type: ignore[arg-type]


def crew_at(*posts: Post) -> tuple[Crew, list[Thread]]:
    """A crew, and for each of these posts a thread whose call is there; the first of each reads."""
    crew = Crew(lambda thread: thread.at)
    threads = [Thread(number, post) for number, post in enumerate(posts, 1)]
    for post in posts:
        crew.posts[post] = None
    for thread in threads:
        thread.job = crew.next(thread)
        if thread.job is SLEEP:
            crew.sleepers[thread] = thread
    return crew, threads


def test_a_reader_waits_for_pushes_to_be_taken() -> None:
    post = a_post()
    crew, (thread,) = crew_at(post)
    post.reads = False
    assert crew.next(thread, post) is SLEEP
    assert post.reader is None
    crew.sleepers[thread] = "waker"
    post.reads = True
    crew.look_after(post)
    assert crew.woken == ["waker"]
    crew.look_after(post)  # one is coming
    assert crew.woken == ["waker"]
    crew.sleepers.pop(thread, None)
    assert crew.next(thread, SLEEP) is post


def test_a_reader_leaves_bytes_that_are_stuck_to_a_writer() -> None:
    post = a_post()
    post.reads, post.stuck = False, True
    _, (thread,) = crew_at(post)
    assert thread.job == Write(post)


def test_a_call_that_gets_a_link_leaves_the_time_to_another() -> None:
    crew, (first, second) = crew_at(post := a_post(), post)
    first.at = second.at = None
    assert crew.next(first, post) is SLEEP
    crew.settle(never)
    assert crew.keeper is first
    first.at = post
    assert crew.next(first, SLEEP) is post
    assert crew.keeper is None
    assert crew.unsettled


def test_one_that_keeps_the_time_is_woken_only_for_an_earlier_one() -> None:
    crew, (keeper,) = crew_at(post := a_post())
    keeper.at = None
    assert crew.next(keeper, post) is SLEEP
    crew.sleepers[keeper] = keeper
    for due, woken in ((5.0, []), (5.0, []), (4.0, [keeper])):
        crew.settle(partial(float, due))
        assert crew.woken == woken
    assert crew.keeper is keeper


def test_one_writes_while_another_reads() -> None:
    crew, (reader, second) = crew_at(post := a_post(), post)
    post.stuck = True
    crew.sleepers.pop(second, None)
    assert crew.next(second, SLEEP) == Write(post)
    assert crew.next(reader, post) is post


def test_commands_are_not_left_to_those_who_have_gone() -> None:
    crew, (_, second) = crew_at(post := a_post(), post)
    crew.ended(second)
    second.token = None
    assert not crew.defers(post, 1.0)


def test_what_is_done_for_all_is_done_by_a_thread_that_waits_for_nothing() -> None:
    crew, (keeper, passer) = crew_at(post := a_post(), post)
    keeper.at = passer.at = None
    assert crew.next(keeper, post) is SLEEP
    assert crew.chore(passer) is None
    assert crew.keeper is keeper  # not disturbed
    dial: Any = object()
    crew.wanted(dial)
    assert crew.chore(passer) is dial
    crew.dialling.clear()
    opening = a_post()
    crew.opens(opening)
    assert crew.chore(passer, dial) is opening
    assert crew.chore(passer, opening) is opening
    crew.opened(opening)
    assert crew.chore(passer, opening) is None
    assert opening.reader is None
    crew.leave(keeper, SLEEP)
    assert crew.chore(passer) is None
    assert crew.keeper is None


def test_a_call_that_ends_after_its_thread_was_woken_passes_its_job_on() -> None:
    crew, (reader, second, third) = crew_at(post := a_post(), post, post)
    crew.leave(reader, post)
    assert crew.woken == [second]
    crew.ended(second)
    assert crew.came_by(second, post, float)
    crew.leave(second, SLEEP)
    assert crew.woken == [second, third]


def test_a_call_that_moves_after_its_thread_was_woken_passes_its_job_on() -> None:
    crew, (reader, second, third) = crew_at(post := a_post(), post, post)
    crew.leave(reader, post)
    assert crew.woken == [second]
    second.at = None
    crew.sleepers.pop(second, None)
    assert crew.next(second, SLEEP) is SLEEP
    assert crew.woken == [second, third]


def test_who_comes_back_when_its_call_has_ended_leaves() -> None:
    crew, (reader, second) = crew_at(post := a_post(), post)
    crew.ended(reader)
    assert crew.next(reader, post) is None
    assert crew.woken == [second]
    crew.lost(post)
    assert not post.used
    crew.forget(post)
    assert not crew.posts


def test_commands_are_left_to_the_last_one_to_wake_up() -> None:
    crew, (reader, second, third) = crew_at(post := a_post(), post, post)
    crew.ended(second)
    crew.ended(third)
    assert crew.woken == [second, third]
    assert crew.defers(post, 1.0)
    assert crew.defers(post, 1.00005)
    assert not crew.came_by(second, post, lambda: 1.00005)
    assert crew.came_by(third, post, lambda: 1.00005)
    assert not crew.defers(post, 1.0)
    crew.ended(reader)
    assert not crew.came_by(reader, None, lambda: 1.0)


def test_it_is_not_too_late_to_send_but_no_longer_left_to_others() -> None:
    crew, (_, second, third) = crew_at(post := a_post(), post, post)
    crew.ended(second)
    crew.ended(third)
    assert crew.defers(post, 1.0)
    assert crew.came_by(second, post, lambda: 1.001)


def test_a_thread_beneath_itself_is_told_so() -> None:
    crew, (reader, second) = crew_at(post := a_post(), post)
    handler = Thread(1, post)  # of the reader's thread
    assert crew.is_beneath(handler, post)
    assert not crew.is_beneath(reader, post)
    assert not crew.is_beneath(second, post)
    assert not crew.is_beneath(handler, None)
    crew.wanted(object())  # type: ignore[arg-type]
    reader.at = None
    assert crew.next(reader, post) in crew.dialling
    assert crew.is_beneath(handler, None)


def test_a_call_on_a_link_that_is_lent_to_it_is_the_first_to_be_woken() -> None:
    crew, (_, _, third) = crew_at(post := a_post(), post, post)
    post.link.slot = third
    post.reader = None
    crew.look_after(post)
    assert crew.woken == [third]


def test_one_is_woken_for_a_job_and_no_other_until_it_is_here() -> None:
    crew, (reader, second, third) = crew_at(post := a_post(), post, post)
    crew.leave(reader, post)
    crew.look_after(post)
    assert crew.woken == [second]
    second.token = None  # it will not come
    crew.look_after(post)
    assert crew.woken == [second, third]


def test_calls_that_are_answered_together_end() -> None:
    crew, (reader, second, third) = crew_at(post := a_post(), post, post)
    third.token = None
    crew.keeper = second  # it was, before it got its link
    crew.answered(post, [reader, second, third])
    assert (reader.token, second.token, third.token) == (DONE, DONE, None)
    assert list(post.waking) == [second, third]
    assert crew.woken == [second, third]
    assert crew.keeper is None


def test_a_call_that_has_gone_is_not_done_once_more() -> None:
    crew, (reader,) = crew_at(a_post())
    reader.token = None
    crew.ended(reader)
    assert reader.token is None


Threads.TestCase.settings = settings(
    max_examples=300, stateful_step_count=60, deadline=None, report_multiple_bugs=False
)
TestThreads = Threads.TestCase


def test_a_thread_whose_time_is_up_takes_no_more_chores() -> None:
    """It would read a link that opens, without waiting for anything, until that is open."""
    crew = Crew(lambda thread: thread.at)
    post = Post(cast("Any", None))
    passer = Thread(1, None)
    crew.opens(post)
    assert crew.chore(passer) is post
    crew.ended(passer)
    assert crew.chore(passer, post) is None
    assert post.reader is None


# -- callers ----------------------------------------------------------------------------------------------------------------


def test_a_party_is_there_until_it_has_gone_or_gives_back_what_it_had() -> None:
    party = Party(inf, 1)
    assert party.link is None
    party.waiter = waiter = Waiter(ref(party), inf, None)
    assert party.link is None
    assert party_of(waiter) is party
    assert is_here(waiter)
    party.token = None
    assert not is_here(waiter)
    party.token = 1
    waiter.token = None
    assert not is_here(waiter)
    waiter.token = ref(party)
    party.waiter = None
    del party
    assert party_of(waiter) is None


def test_where_something_is_to_come_for_a_caller() -> None:
    crew, slot = Crew(), new_slot(("GET", "a"))
    link = cast("Link", SimpleNamespace(ended=False, io=Post(cast("Link", SimpleNamespace(slot=None)))))
    assert crew.where(slot) is None
    slot.link = link
    assert crew.where(slot) is link.io
    party = Party(inf, 1)
    party.waiter = Listener(SimpleNamespace(connection=link))
    assert crew.where(party) is link.io
    link.ended = True
    assert crew.where(party) is None
    assert is_here(slot) is False
    slot.token = 1
    assert is_here(slot) is True


def test_jobs_of_callers_that_have_gone_are_for_others() -> None:
    crew, (reader, sleeper, another) = crew_at(post := a_post(), post, post)
    reader.token = sleeper.token = None
    crew.posts[post] = None
    crew.mend()
    assert not crew.sleepers
    assert crew.woken == [another]
    assert crew.unsettled
    assert crew.next(another, SLEEP) is post
    assert crew.next(Passer(inf, 1), None) is None


def test_one_of_those_who_listen_to_several_links_reads_all_of_them() -> None:
    crew, _ = crew_at()
    one, other = a_post(), a_post()
    crew.hears(one)
    crew.hears(one)
    first, second, plain = Hearer(1), Hearer(2), Thread(3, None)
    assert crew.next(first) == Several((one,))
    crew.opens(other)
    job = crew.next(first, Several((one,)))
    assert isinstance(job, Several)
    assert job.posts == (one, other)
    crew.hears(other)
    assert crew.chore(Passer(inf, 9)) is None  # it would wait for ever
    for caller in (plain, second):
        assert crew.next(caller) is SLEEP
        crew.sleepers[caller] = caller
    assert crew.is_beneath(Hearer(1), None)
    crew.settle(never)
    crew.woken.clear()
    crew.ended(first)
    assert crew.next(first, job) is None
    assert (one.reader, other.reader) == (None, None)
    crew.settle(never)
    assert second in crew.woken
    crew.settle(never)  # it is coming
    assert crew.woken.count(second) == 1
    job = crew.next(second)
    assert isinstance(job, Several)
    one.reads = other.reads = False
    assert crew.next(second, job) is SLEEP
    crew.sleepers[second] = second
    one.reads = True
    crew.look_after(one)
    crew.woken.clear()
    crew.settle(never)
    assert second in crew.woken
    crew.lost(one)
    assert list(crew.listening) == [other]
    other.reader = first
    crew.leave(second, Several((one, other)))  # it has none of them any more
    assert other.reader is first


def test_what_is_listened_to_wakes_none_of_those_who_listen_to_nothing() -> None:
    crew, (_, sleeper) = crew_at(post := a_post(), post)
    crew.hears(a_post())
    crew.settle(never)
    assert list(crew.sleepers) == [sleeper]
    assert not crew.woken


def test_one_that_is_alone_reads_all_links_that_open_and_makes_the_dials_of_the_others() -> None:
    crew, _ = crew_at()
    one, other = a_post(), a_post()
    lone, second = Thread(1, None), Thread(2, None)
    crew.opens(one)
    assert crew.next(lone) is one
    assert crew.waited(lone, one) is one  # there is nothing else to do
    crew.opens(other)
    held = crew.waited(lone, one)
    assert held is None
    job = crew.next(lone, held)
    assert job == Several((one, other))
    assert crew.waited(lone, job) is job
    dial = cast("Dial", object())
    crew.wanted(dial)
    assert crew.next(lone, job) is dial
    assert (one.reader, other.reader) == (None, None)
    assert crew.next(second) == Several((one, other))
    crew.lost(other)
    crew.dialled(dial)
    crew.leave(second, job)
    assert crew.next(lone, SLEEP) is one
    crew.wanted(dial)
    assert crew.waited(lone, one) is None
    assert crew.next(lone) is dial


# -- what is read for others ------------------------------------------------------------------------------------------------


class At:
    """A link, as far as the crew looks at it."""

    def __init__(self) -> None:
        self.slot: Any = None
        self.registry: Any = None
        self.dial: Any = None
        self.ended = self.awaited = False
        self.core = SimpleNamespace(in_flight=0)
        self.io = Post(cast("Link", self))


def test_a_link_that_opens_is_read_by_any_until_it_is_open() -> None:
    crew, link = Crew(), At()
    link.dial = object()
    crew.opens(link.io)
    crew.attend(link.io)
    assert link.io in crew.common
    link.dial = None
    crew.attend(link.io)
    assert link.io not in crew.common
    crew.attend(link.io)
    assert link.io not in crew.common


def test_a_link_is_read_by_any_while_a_call_begun_ahead_has_it_for_itself() -> None:
    crew, link, slot = Crew(), At(), new_slot(("GET", "a"))
    link.slot, slot.token = slot, AHEAD
    crew.attend(link.io)
    assert link.io not in crew.common  # that call is elsewhere by now
    slot.link = link
    crew.attend(link.io)
    assert link.io in crew.common
    slot.token = 1  # its thread is here
    crew.attend(link.io)
    assert link.io not in crew.common


def test_a_link_that_the_machine_waits_for_is_read_by_any_or_by_those_who_listen() -> None:
    crew, link = Crew(), At()
    link.awaited = True
    crew.attend(link.io)
    assert link.io in crew.common
    link.registry = object()
    crew.attend(link.io)
    assert (link.io in crew.common, link.io in crew.listening) == (False, True)
    other = At()
    other.awaited = other.ended = True
    crew.attend(other.io)
    assert other.io not in crew.posts


def test_all_links_are_read_by_any_while_a_client_is_drained() -> None:
    crew, link = Crew(), At()
    crew.posts[link.io] = None
    first, second = Party(inf, 1), Party(inf, 2)
    crew.drain(first)
    assert crew.unsettled
    crew.drain(second)
    crew.attend(link.io)
    assert link.io in crew.common
    crew.told(Drained())
    assert (first.token, second.token) == (DONE, DONE)


def test_replies_to_those_who_have_gone_are_known_until_they_have_come() -> None:
    crew, link = Crew(), At()
    crew.posts[link.io] = None
    assert not crew.left(link.io)
    assert not crew.owing
    link.core.in_flight = 1
    link.io.reader = Thread(1, link.io)
    assert not crew.left(link.io)
    assert not crew.owing  # that one reads
    link.io.reader = None
    assert not crew.left(link.io)
    assert list(crew.owing) == crew.owed == [link.io]
    crew.attend(link.io)
    assert link.io in crew.owing
    link.core.in_flight = 0
    crew.attend(link.io)
    assert not crew.owing
    assert not crew.owed
    for lose in (crew.attend, crew.lost):
        link.ended, link.core.in_flight = False, 1
        crew.left(link.io)
        assert link.io in crew.owing
        link.ended = True
        lose(link.io)
        assert not crew.owing


def test_the_last_one_to_leave_a_link_that_has_ended_is_told_to_close_its_socket() -> None:
    crew, link = Crew(), At()
    link.ended, link.core.in_flight = True, 1
    link.io.writer = Thread(1, link.io)
    assert not crew.left(link.io)
    link.io.writer = None
    assert crew.left(link.io)
    assert not crew.owing


def test_dials_that_no_thread_makes_are_late_at_their_deadline() -> None:
    crew = Crew()
    dials = [cast("Dial", SimpleNamespace(deadline=deadline)) for deadline in (1.0, 2.0, 3.0)]
    for dial in dials:
        crew.wanted(dial)
    assert crew.late_dials(2.0) == dials[:2]
    assert crew.dials == dials[2:]
    assert crew.late_dials(2.0) == []


def test_callers_are_woken_by_what_the_machine_says() -> None:
    crew, slot = Crew(), new_slot(("GET", "a"))
    granted, refused, hearer = Party(inf, 1), Party(inf, 2), Party(inf, 3)
    granted.waiter, refused.waiter = Waiter(ref(granted), inf, None), Waiter(ref(refused), inf, None)
    hearer.waiter = Listener(SimpleNamespace(connection=None), hearer)
    assert [entry_of(caller) for caller in (slot, granted, hearer)] == [slot, granted.waiter, hearer.waiter]
    slot.token = 4
    for caller in (slot, granted, refused, hearer):
        crew.sleepers[caller] = caller
    crew.told(Close(cast("Link", At())))
    assert not crew.woken
    crew.ended(slot)
    for event in (Granted(granted.waiter), Refused(refused.waiter), Heard(hearer.waiter)):
        crew.told(event)
    assert crew.woken == [slot, granted, refused, hearer]
    assert {caller.token for caller in crew.woken} == {DONE}
    crew.told(Granted(Waiter(None, inf, None)))  # its party has gone
    assert len(crew.woken) == 4

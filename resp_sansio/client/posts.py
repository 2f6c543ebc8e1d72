"""Callers as threads bring them, their posts at the links of a client, and the jobs that the crew gives them.

A caller is any object with a `token`: what stands for its thread while that is there, AHEAD while it is to come, DONE once its call
has ended, None once it has gone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from ..connection.slot import Slot
from .links import Dial, Link, Waiter
from .pushes import Listener
from .submitting import link_of

__all__ = [
    "AHEAD",
    "DONE",
    "SLEEP",
    "Caller",
    "Job",
    "Party",
    "Passer",
    "Post",
    "Several",
    "Sleep",
    "Write",
    "entry_of",
    "is_here",
    "party_of",
    "post_of",
    "posts_of",
]

DONE: Final = 0
"""As the token of a caller: its call has ended."""

AHEAD: Final = -1
"""As the token of a caller: its call was begun ahead, and no thread waits for it yet."""


class Caller(Protocol):
    """A caller, as the crew sees it."""

    token: Any

    def __hash__(self) -> int: ...


class Party:
    """A caller that is no slot: it waits for a link or a push, as its `waiter` says, or for something else until its deadline.

    A waiter for a link has a weak reference to its party as its token: the party is there for as long as it has that link, and the
    reference tells when it has gone, without any code that an interrupt could keep from running.
    """

    __slots__ = ("__weakref__", "deadline", "token", "waiter")

    def __init__(self, deadline: float, token: object = None) -> None:
        self.deadline: Final[float] = deadline
        self.token: Any = token
        self.waiter: Waiter | Listener | None = None

    @property
    def link(self) -> Link | None:
        """The link that something is to come on for it."""
        waiter = self.waiter
        if isinstance(waiter, Listener):
            link: Link = waiter.link
            return link
        return None if waiter is None else link_of(waiter)


class Passer(Party):
    """It waits for nothing, and does what is to be done for all."""

    __slots__ = ()


def party_of(waiter: Waiter) -> Party | None:
    """Return the party that waits for a link; None if it has gone, or has given back what it had."""
    token: Any = waiter.token
    party: Party | None = None if token is None else token()
    return party


def is_here(entry: Slot | Waiter) -> bool:
    """Is the caller there that this is of?"""
    caller = entry if isinstance(entry, Slot) else party_of(entry)
    return caller is not None and caller.token is not None


def entry_of(caller: Slot | Party) -> Slot | Waiter | Listener | None:
    """Return what the machine knows this caller by, None if it waits for nothing of the machine's."""
    return caller.waiter if isinstance(caller, Party) else caller


def post_of(caller: Any) -> Any:
    """Return the post of the link that something is to come on for this caller, None if there is none."""
    link = caller.link
    if link is None and isinstance(caller, Slot):
        link = link_of(caller)
    return None if link is None or link.ended else link.io


class Post:
    """A link's place in the crew; as a job, to wait until its socket has something to read, or takes more if it is `stuck`.

    `reads`: is what comes to be read, or are pushes to be taken first? `stuck`: the socket takes no more for now. `deferred`: since
    when something to send has been left to those who were woken and do not run yet; 0.0 if nothing is. `poll`, which the adapter
    sets, waits so many milliseconds until there is something to receive, and returns something true if there is.
    """

    __slots__ = ("deferred", "link", "poll", "reader", "reads", "stuck", "waking", "writer")

    poll: Callable[[float], Any]

    def __init__(self, link: Link) -> None:
        self.link: Final[Link] = link
        self.reader: Caller | None = None
        self.writer: Caller | None = None
        self.reads: bool = True
        self.stuck: bool = False
        self.deferred: float = 0.0
        self.waking: dict[Caller, None] = {}  # their calls have ended, and they do not run yet

    @property
    def used(self) -> bool:
        """Does a thread wait for its socket? Then it must not be closed: its number could be given anew."""
        reader, writer = self.reader, self.writer
        return (reader is not None and reader.token is not None) or (writer is not None and writer.token is not None)


class Write(NamedTuple):
    """A job: wait until the socket of this link takes more, while another thread waits to read."""

    post: Post


class Several(NamedTuple):
    """A job: wait until one of these has something to read. They open, or bring what is listened to that comes by several links."""

    posts: tuple[Post, ...]


class Sleep:
    """What a caller does that has no job."""


SLEEP: Final = Sleep()

Job: TypeAlias = Post | Several | Write | Dial | Sleep


def posts_of(job: Job) -> tuple[Post, ...]:
    """Return the posts at whose sockets a thread waits that has this job."""
    if isinstance(job, Several):
        return job.posts
    if isinstance(job, Write):
        return (job.post,)
    return (job,) if isinstance(job, Post) else ()

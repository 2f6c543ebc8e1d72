"""What observers are told: facts of calls, links and waits, when they have happened.

An observer is a listener. It is told what was, and can change nothing: no argument, no reply, no order, no retry. No fact
holds an argument, a reply or a secret; errors are those that a caller is told. Facts are named tuples, since thousands are made
in a second; take what you need by its name, for there may be more one day.

Each has the `address` of the server (`localhost:6379`, `unix:/run/redis.sock`) and the number of the `database`. Behind sentinels
the address is that of the master that was found last; before one was found it is its name, with the sentinels. In a cluster it is
that of the server in question; of a call that begins, or that went to several, it is `cluster of a:6379, b:6379`, as it was given.

All times are lengths in seconds, by the clock that the adapter has (`time.monotonic`, or that of the run of trio).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

from ._errors import Outcome, RespError
from ._stats import ClientStats, CloseReason, ConnectionStats, PoolStats

__all__ = [
    "CallBegan", "CallEnded", "CallRedirected", "CallRetried", "ClientMade", "DialFailed", "KeysInvalidated", "LinkClosed",
    "LinkOpened", "MapRefreshed", "Observer",
    "PushesDropped", "ReplyDropped", "Route", "Step", "UseEnded", "WaitEnded",
]  # fmt: skip

Route: TypeAlias = Literal["lane", "lease", "connection"]
"""By what a call goes: a connection that all share, one that a pool lends for this call alone, or one that its caller holds."""

Step: TypeAlias = Literal["credentials", "name", "dial", "tls", "handshake"]
"""How far a dial came."""


class ClientMade(NamedTuple):
    """A client, a pool or a connection was made, or made anew in the child of a fork.

    `stats`: returns what it has counted, as its own `stats()` does; None once it is no more, or the connection has ended. An
    observer that keeps this does not keep the client. It may be called in any thread.
    """

    address: str
    database: int
    stats: Callable[[], ClientStats | PoolStats | ConnectionStats | None]


class CallBegan(NamedTuple):
    """A caller asks for something: one command, or several at once.

    `command` is the name of a command in capitals, with its subcommand (`GET`, `CONFIG SET`); of several it is `PIPELINE`, or
    `MULTI` for a transaction. `commands` are the names of all, without MULTI and EXEC around them, `batch_size` says how
    many.
    """

    address: str
    database: int
    command: str
    commands: tuple[str, ...]
    batch_size: int


class CallRetried(NamedTuple):
    """An attempt failed, and another followed. `attempt` is the number of the failed one, from 1, `cause` why it failed.

    `pause`: seconds between the failure and the next attempt, as planned; calls of a cluster that is down may wait longer, for
    their turn. `after`: seconds from the call's beginning to the failure.
    """

    address: str
    database: int
    command: str
    attempt: int
    cause: RespError
    pause: float
    after: float


class CallRedirected(NamedTuple):
    """A server of a cluster, the one at `address`, said that a command belongs to another, and it went on there.

    `kind`: MOVED for good, ASK for this one time. `to`: the address of the other server, `slot` the hash slot. Of a pipeline it is
    told once for all commands that went on to that server. `pause` and `after` are as in `CallRetried`. It is no attempt that
    failed: nothing was executed.
    """

    address: str
    database: int
    command: str
    kind: Literal["MOVED", "ASK"]
    slot: int
    to: str
    pause: float
    after: float


class CallEnded(NamedTuple):
    """A call has ended, however: its caller goes on when this is told. The first five are those of `CallBegan`.

    Only the `address` differs, in a cluster: it is that of the server at which the call ended.

    `outcome` says whether it has run; an error reply is an answer. `error`: what its caller is told instead of a reply, the
    server's `ReplyError` among that, or what interrupted it; of a pipeline or transaction that was answered, the first error
    reply in it. None: all went well. `error_code`: the first word of an error reply (`WRONGTYPE`), `ERR` if that is no code
    in capitals; else None. `abandoned`: the caller did not wait for the reply, which may still come (see `ReplyDropped`).

    `attempts`: how many were made, at least 1. `route`: by what it went, or was to go.

    `total`: seconds from the beginning to the moment before this is told. `queued`: the part of it before the last attempt
    was handed over to the network: for a connection, for its turn, for pauses and earlier attempts; if it was never handed
    over, all of it. `network`: from there until its reply was read, or it ended otherwise; None if it was never handed over.
    What is missing to the total is the time until the caller was running again.

    `bytes_sent`: of one attempt, all of its commands; None if it was never handed over. `bytes_received`: of its reply, with
    pushes that came in between; None if no reply came, if others came in the same breath, so that it is not known, and under
    TLS.

    `write`: a number that calls have in common which were handed over to the network together, in their last attempts; None of
    one that went alone.
    """

    address: str
    database: int
    command: str
    commands: tuple[str, ...]
    batch_size: int
    outcome: Outcome
    error: BaseException | None
    error_code: str | None
    abandoned: bool
    attempts: int
    route: Route
    total: float
    queued: float
    network: float | None
    bytes_sent: int | None
    bytes_received: int | None
    write: int | None


class LinkOpened(NamedTuple):
    """A connection was opened: its server has accepted the handshake.

    `number` counts the connections of one client, from 1. `route`: what it is for. `peer`: the address that it leads to, an
    IP address and a port or the path of a socket, if the adapter tells. `protocol`: the version of RESP.

    `name`, `dial`, `tls` and `handshake` are the seconds that each step took: to find the addresses, to connect, to shake
    hands by TLS (None without it) and by RESP. Of a dial that needed a second socket they are those of the last one. `total`:
    seconds since it was wanted; what is missing in it is the time until it was begun, and that for the provider of
    credentials. `name` and `dial` are None where an adapter does not tell them.
    """

    address: str
    database: int
    number: int
    route: Route
    peer: str | None
    protocol: Literal[2, 3]
    name: float | None
    dial: float | None
    tls: float | None
    handshake: float
    total: float


class DialFailed(NamedTuple):
    """No connection came of a dial. `error`: why, None if it was given up (its client was closed, say). `step`: during what.

    `total`: seconds since it was wanted.
    """

    address: str
    database: int
    route: Route
    error: Exception | None
    step: Step
    total: float


class LinkClosed(NamedTuple):
    """A connection has ended that had been opened. `number` and `route` are as in `LinkOpened`.

    `reason`: why it is not used any more, as it is counted. `error`: how it ended. `age`: seconds since it was opened.
    `commands`: calls that were sent on it, a pipeline as one.
    """

    address: str
    database: int
    number: int
    route: Route
    reason: CloseReason
    error: RespError
    age: float
    commands: int


class MapRefreshed(NamedTuple):
    """The map of a cluster was asked for, which says which server has which hash slot. `asked`: so many servers were asked.

    `address`: the server whose answer was taken; the cluster's, if there was none. `changed`: is it another map than before?
    `error`: why there is none. `total`: seconds.
    """

    address: str
    database: int
    asked: int
    changed: bool
    error: Exception | None
    total: float


class WaitEnded(NamedTuple):
    """A caller of `acquire` (or `transact`) waits no more for a connection of its own.

    `waited`: seconds, close to 0 if one was idle. `ended`: whether it was `granted` one, was `refused`, or went away by
    itself (`withdrawn`). `error`: what it was told if it was not granted one.
    """

    address: str
    database: int
    waited: float
    ended: Literal["granted", "refused", "withdrawn"]
    error: BaseException | None


class UseEnded(NamedTuple):
    """A caller of `acquire` (or `transact`) has given its connection back, whatever state that is in.

    `number`: of the connection, as in `LinkOpened`. `used`: seconds since it was granted.
    """

    address: str
    database: int
    number: int
    used: float


class ReplyDropped(NamedTuple):
    """The reply to a call came whose caller had not waited for it: `late` seconds after the caller had gone."""

    address: str
    database: int
    command: str
    late: float


class PushesDropped(NamedTuple):
    """Pushes came on a connection on which no caller can listen (invalidations, say), and were dropped: so many."""

    address: str
    database: int
    pushes: int


class KeysInvalidated(NamedTuple):
    """The server has told a client with a cache of changes: of so many `keys`, a flush being one.

    What was kept of them is kept no more. A hit is no fact: `stats().cache` counts it.
    """

    address: str
    database: int
    keys: int


class Observer:
    """The base of observers: override what you want to be told, and give instances as the option `observers`.

    ```python
    class Slow(Observer):
        def call_ended(self, call: CallEnded, token: object) -> None:
            if call.total > 0.1:
                print(call.command, call.total)
    ```

    **Where.** What is told of a call, a wait or a use is told in the caller's own thread or task, and in its context
    (`contextvars`): the beginning before anything is sent, retries and the end before the call returns or raises. What is
    told of connections, replies, pushes and keys is told by the thread or task that carries on the client's work, in no particular
    context, soon after it happened and in that order. No lock of the client is held in either case. Observers of one client
    are told one after the other, in the order in which they were given; calls of several threads are told side by side, so an
    observer for threads is safe for threads.

    **What it may not do.** Block or wait: its caller waits as long, on an event loop all do. Call the client back: the call
    would be told as well, and so on; it can't deadlock, though. Change a call: there is no way to.

    **If it raises.** An observer that raises an `Exception` is dropped, with one `RuntimeWarning`: it is told nothing more,
    and the call and the other observers go on as if it were not there. That also holds where warnings are errors: then the
    warning goes to `sys.excepthook`. What is no `Exception` (`KeyboardInterrupt`, `SystemExit`) is not the observer's: the
    other observers are told, and it goes its way through the caller. Where an event loop tells, of a connection, say, there is no
    caller: only those two end its run, and anything else drops the observer.

    **Interrupts.** A call whose beginning an observer was told is told to have ended, once, cancelled and interrupted ones
    included. Only an interrupt that strikes a thread in the midst of the telling may cost that, and one in the midst of a
    retry, a dial, a connection's end or its return the telling of it; or let an observer that is being dropped be told once more.

    **Forks.** The client of the child tells the same observers, which are copies there as all else. They are not told that what
    was under way or open in the parent has ended.
    """

    def client_made(self, client: ClientMade) -> None:
        """A client, a pool or a connection was made that tells this observer. Told where it was made."""

    def call_began(self, call: CallBegan) -> object:  # noqa: ARG002
        """A call begins. What this returns is handed to `call_retried`, `call_redirected` and `call_ended` of the same call."""
        return None

    def call_retried(self, retry: CallRetried, token: object) -> None:
        """An attempt of a call failed, and another was made. Told when the call ends, just before `call_ended`, in order."""

    def call_redirected(self, redirect: CallRedirected, token: object) -> None:
        """A call was sent on, to another server of a cluster. Told when the call ends, in order with its retries."""

    def call_ended(self, call: CallEnded, token: object) -> None:
        """A call has ended."""

    def wait_ended(self, wait: WaitEnded) -> None:
        """A caller waits no more for a connection of its own."""

    def use_ended(self, use: UseEnded) -> None:
        """A caller has given a connection of its own back."""

    def link_opened(self, link: LinkOpened) -> None:
        """A connection was opened."""

    def dial_failed(self, dial: DialFailed) -> None:
        """No connection came of a dial."""

    def link_closed(self, link: LinkClosed) -> None:
        """A connection has ended that had been opened."""

    def reply_dropped(self, reply: ReplyDropped) -> None:
        """A reply came that no caller waited for any more."""

    def pushes_dropped(self, pushes: PushesDropped) -> None:
        """Pushes came that no caller can listen for."""

    def map_refreshed(self, refresh: MapRefreshed) -> None:
        """The map of a cluster was asked for."""

    def keys_invalidated(self, told: KeysInvalidated) -> None:
        """The server has told a client with a cache that keys have changed."""

"""The observers of one client, and how each is told: one after the other, none by way of another.

What they are told is collected by the machine, and told where no lock is held: what is of a call by its caller, all else by
whichever thread or task carries out a `Report`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from math import nan
from typing import Any, Final, Literal
from warnings import warn

from .._errors import Outcome, ReplyError, shown_code
from .._facts import CallBegan, CallEnded, CallRedirected, CallRetried, Observer, Route, UseEnded, WaitEnded
from ..commands.knowledge import CommandInfo
from ..config.config import Config
from ..connection.slot import Batch, Slot, SlotState
from .cache import CachedRead
from .call import error_of
from .leases import Lease

__all__ = ["Observers", "Watch"]

ANSWERED: Final = SlotState.ANSWERED
ABANDONED: Final = SlotState.ABANDONED
REPLY: Final = Outcome.REPLY
NEW: Final = tuple.__new__  # a named tuple's own takes its fields one by one

MANY: Final = 1000
"""Kinds of calls that are kept: a program may make up any number of commands that no server knows."""


class Watch:
    """What is noted of a call, on its slot; as it is here until it is noted.

    `handed_at`: when its last attempt was handed over to the network, `heard_at`: when that had its reply, or ended otherwise.
    `received`: bytes of its reply. `write`: a number that it shares with those that were handed over together with it. `steps`:
    what came between the beginning and the end, `retried`: how many retries. `everywhere`: it went to several servers. `told`:
    those who are to be told its end, each with what it said of the beginning. `held`: it was begun ahead, by a link that its
    caller had.
    """

    began_at: float
    handed_at: float | None = None
    heard_at: float | None = None
    received: int | None = None
    write: int | None = None
    held: bool = False
    steps: tuple[CallRetried | CallRedirected, ...] = ()
    retried: int = 0
    everywhere: bool = False
    told: Iterator[tuple[Observer, object]] | None = None
    fact: CallEnded | None = None

    def anew(self) -> None:
        """Nothing of the next attempt has been handed over."""
        self.handed_at = self.heard_at = self.received = self.write = None


class Observers:
    """The observers of a client, a pool or a connection, also of the one in the child of a fork. `now` is the adapter's clock.

    `in_a_loop`: an event loop tells of what is no call, and would end of what comes out of that. `server_of`: of a cluster, what
    says at which server a call ended.
    """

    __slots__ = (
        "_dropped",
        "_forsaken",
        "_kinds",
        "_live",
        "address",
        "begins",
        "database",
        "in_a_loop",
        "now",
        "once",
        "server_of",
    )

    def __init__(self, config: Config, *, once: bool = False) -> None:
        self.address: str = config.address
        self.database: Final[int] = config.db
        self.once: Final[bool] = once  # a single connection's
        self.now: Callable[[], float] = lambda: nan
        self.in_a_loop: bool = False
        self.server_of: Callable[[Slot], str | None] | None = None
        self._live: tuple[tuple[Observer, None], ...] = tuple([(observer, None) for observer in config.observers])
        self._forsaken: list[Slot] = []
        self._dropped: dict[int, Observer] = {}
        self._kinds: dict[int, tuple[CallBegan, CommandInfo]] = {}
        # Does any of them want to know when a call begins?
        self.begins: Final[bool] = any([type(one).call_began is not Observer.call_began for one in config.observers])

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._live)}>"

    def leads_to(self, address: str) -> None:
        """The client's server is this one now, as sentinels said."""
        if address != self.address:
            self.address = address
            self._kinds.clear()

    # -- calls ---------------------------------------------------------------------------------------------------------------

    def began(self, slot: Slot, watch: Watch) -> None:
        """Tell that the call begins."""
        call, told = self.kind(slot), list[tuple[Observer, object]]()
        watch.told = iter(told)
        for observer, _ in self._live:
            try:
                told.append((observer, observer.call_began(call)))
            except Exception as error:  # noqa: BLE001  # an observer may raise anything
                self._drop(observer, "call_began", error)

    def ended(self, slot: Slot, watch: Watch, error: BaseException | None, *, held: bool) -> None:
        """Tell that the call has ended: by this error, if its caller is not told in another way.

        `held`: it went by a link that its caller had. If this is cut short, once more tells those who were not told yet.
        """
        if self._forsaken:
            self._tell_forsaken()
        fact = watch.fact
        if fact is None:
            watch.fact = fact = self._ended(slot, watch, error, held)
        told = watch.told
        if told is None:  # none was told of the beginning: none wanted to be, or it was cut short before
            watch.told = told = iter(() if self.begins else self._live)
        for observer, token in told:
            if self._dropped and id(observer) in self._dropped:
                continue
            try:
                for step in watch.steps:
                    if isinstance(step, CallRetried):
                        observer.call_retried(step, token)
                    else:
                        observer.call_redirected(step, token)
                observer.call_ended(fact, token)
            except Exception as raised:  # noqa: BLE001
                self._drop(observer, "call_retried, call_redirected or call_ended", raised)

    def forsake(self, slot: Slot) -> None:
        """Its caller was thrown away, in whichever thread, which is no time to call anyone: that is told with the next end."""
        slot.watch.fact = self._ended(slot, slot.watch, GeneratorExit(), slot.watch.held)
        self._forsaken.append(slot)

    def _tell_forsaken(self) -> None:
        while self._forsaken:
            slot = self._forsaken.pop()
            self.ended(slot, slot.watch, None, held=slot.watch.held)

    def kind(self, slot: Slot) -> CallBegan:
        """Return what there is to say of a call that begins."""
        if isinstance(slot, Batch) and slot.count > 1 and type(slot) is not CachedRead:
            names = tuple([info.name for info in slot.infos])
            framed = names[0] == "MULTI" and names[-1] == "EXEC"
            return self._call("MULTI", names[1:-1]) if framed else self._call("PIPELINE", names)
        info = slot.info
        known = self._kinds.get(id(info))
        if known is None:
            if len(self._kinds) >= MANY:
                self._kinds.clear()
            self._kinds[id(info)] = known = self._call(info.name, (info.name,)), info  # which lives as long
        return known[0]

    def _call(self, command: str, commands: tuple[str, ...]) -> CallBegan:
        return CallBegan(self.address, self.database, command, commands, len(commands))

    def _ended(self, slot: Slot, watch: Watch, error: BaseException | None, held: bool) -> CallEnded:
        total = self.now() - watch.began_at
        state, link, handed_at = slot.state, slot.link, watch.handed_at
        outcome, found, code = REPLY, error, None
        if state is not ANSWERED:
            outcome = outcome_of(slot, handed_at)
            found = error_of(slot) if error is None else error
        elif type(slot) is not Slot or isinstance(slot.reply, Exception):
            reply = error_in(slot)
            found = reply if error is None else error
            code = shown_code(reply) if isinstance(reply, ReplyError) else None
        queued, network, sent = total, None, None
        if handed_at is not None:
            queued = handed_at - watch.began_at
            heard_at, payload = watch.heard_at, slot.payload
            network = total - queued if heard_at is None else heard_at - handed_at
            sent = len(payload) if isinstance(payload, bytes) else sum([len(part) for part in payload])
        known = self._kinds.get(id(slot.info)) if type(slot) is Slot else None
        began: tuple[Any, ...] = known[0] if known is not None else self.kind(slot)
        if self.server_of is not None and (address := self.server_of(slot)) is not None:
            began = address, *began[1:]
        ended: tuple[Any, ...] = (
            outcome,
            found,
            code,
            state is ABANDONED,
            1 + watch.retried,
            "connection"
            if held or self.once
            else "lane"
            if link is not None and link.lane is not None
            else route_of(slot),
            total,
            queued,
            network,
            sent,
            watch.received,
            watch.write,
        )
        return NEW(CallEnded, began + ended)  # which takes half the time of one that another is unpacked into

    # -- all else ------------------------------------------------------------------------------------------------------------

    def waited(self, began_at: float, error: BaseException | None) -> None:
        """Tell that a caller waits no more for a link of its own: it has it, or this error."""
        ended: Literal["granted", "refused", "withdrawn"] = (
            "granted" if error is None else "refused" if isinstance(error, Exception) else "withdrawn"
        )
        self.tell("wait_ended", WaitEnded(self.address, self.database, self.now() - began_at, ended, error))

    def used(self, lease: Lease[Any]) -> None:
        """Tell that a caller has given a link of its own back."""
        core: Any = lease.connection.core
        self.tell("use_ended", UseEnded(core.address, self.database, core.number, self.now() - lease.since))

    def tell(self, name: str, fact: object) -> None:
        """Tell of anything that is no call, by the method of this name."""
        for observer, _ in self._live:
            try:
                getattr(observer, name)(fact)
            except BaseException as error:
                meant = (KeyboardInterrupt, SystemExit) if self.in_a_loop else BaseException
                if isinstance(error, meant) and not isinstance(error, Exception):
                    raise  # it goes its way
                self._drop(observer, name, error)

    def _drop(self, observer: Observer, name: str, error: BaseException) -> None:
        """Tell this one nothing more, and say so, once."""
        self._live = tuple([each for each in self._live if each[0] is not observer])
        if id(observer) not in self._dropped:
            self._dropped[id(observer)] = observer
            with suppress(Exception):  # how a warning is shown may be anyone's code
                self._warn(observer, name, error)

    @staticmethod
    def _warn(observer: Observer, name: str, error: BaseException) -> None:
        who = f"{type(observer).__module__}.{type(observer).__qualname__}"
        why = f"{who} raised {type(error).__name__} in {name}, and is told nothing more"
        with suppress(Exception):  # what an error says of itself may be anyone's code, too
            why += f": {error}"
        try:
            warn(why, RuntimeWarning, stacklevel=1)
        except RuntimeWarning as warning:
            sys.excepthook(type(warning), warning, error.__traceback__)


def error_in(slot: Slot) -> Exception | None:
    """Return the error that a call was answered with; of several commands, the first one."""
    if not isinstance(slot, Batch):
        return slot.reply if isinstance(slot.reply, Exception) else None
    found: list[Any] = [*slot.replies]
    if type(found[-1]) is list and slot.infos[-1].name == "EXEC":
        found += found[-1]
    return next((reply for reply in found if isinstance(reply, Exception)), None)


def outcome_of(slot: Slot, handed_at: float | None) -> Outcome:
    """Return how a call ended that was not answered. One that was refused, or never begun, has nothing to say of it."""
    unknown = Outcome.NOT_SENT if handed_at is None else Outcome.MAYBE_EXECUTED
    return next((outcome for outcome in getattr(slot, "outcomes", ()) if outcome is not REPLY), unknown)


def route_of(slot: Slot) -> Route:
    """Return by what a call went, or was to go, whose caller had no link of its own."""
    lane = slot.link.lane if slot.link is not None else None if slot.call is None else slot.call.lane
    return "lease" if lane is None else "lane"

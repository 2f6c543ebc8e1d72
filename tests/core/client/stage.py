"""A client machine on a stage: its links lead to scripted servers, and nothing moves but what a test moves.

Bytes are carried at once, whole; dials are carried out when the test says so, or at once (`dials_at_once`). Time stands still
until the test moves it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any

from core.client.notes import begin, end
from resp_sansio import ClientSettings, Config, ConnectError, PoolSettings, ReplyError
from resp_sansio.client import (
    Change,
    Client,
    Close,
    Dial,
    Drained,
    Granted,
    Heard,
    Leaked,
    Lease,
    Link,
    Listener,
    Look,
    ObservedClient,
    Observers,
    ReadCache,
    Refused,
    Report,
    Share,
    Subscriber,
    Waiter,
    error_of,
)
from resp_sansio.connection import Slot, SlotState, new_batch, new_slot, prepare
from resp_sansio.testing import Peer

__all__ = ["LANES", "Stage"]

LANES = ClientSettings()


class Stage:
    """One client, and what it is connected to. `half` is what it gets for every random number."""

    def __init__(
        self,
        settings: ClientSettings | None = LANES,
        pool: PoolSettings | None = None,
        *,
        once: bool = False,
        dials_at_once: bool = True,
        half: float = 0.5,
        url: str = "redis://stage",
        **config: Any,
    ) -> None:
        self.now = 0.0
        given = {"timeout": None, "ping_interval": None, "silence_timeout": None, **config}
        asked = Config.from_url(url, **given)
        self.observers = Observers(asked, once=once) if asked.observers else None
        self.cache = None if asked.cache is None else ReadCache(asked.cache)
        self.half = half
        if self.observers is not None:
            self.observers.now = lambda: self.now
        self.client: Client = self.make(asked, settings, pool, once=once)
        self.dials_at_once = dials_at_once
        self.looks_at_once = True
        self.away = False  # dials are refused
        self.answer: Callable[[tuple[bytes, ...]], Any] = lambda words: words[-1]
        self.refused: dict[str, ReplyError] = {}
        self.peers: dict[Link, Peer] = {}
        self.deaf: set[Link] = set()  # their servers read nothing
        self.unread: dict[Link, bytes] = {}
        self.stuck: set[Link] = set()  # the network takes nothing from them
        self.dials: list[Dial] = []
        self.dialled = 0
        self.looks: list[Link] = []
        self.ended: list[Slot] = []
        self.held: set[Slot] = set()  # on links of their callers' own
        self.woken: list[Waiter] = []
        self.closed: list[Link] = []
        self.heard: list[Listener] = []
        self.leaked: list[Lease[Link]] = []
        self.drained = False

    def make(self, config: Config, settings: ClientSettings | None, pool: PoolSettings | None, *, once: bool) -> Client:
        """Return the machine that is on stage."""
        more: dict[str, Any] = {"random": lambda: self.half, "once": once, "cache": self.cache}
        if self.observers is None:
            return Client(config, settings, pool, **more)
        return ObservedClient(config, settings, pool, observers=self.observers, **more)

    def peer_for(self, dial: Dial) -> Peer:  # noqa: ARG002  # of use where there are several servers
        """Return the server's end of what this dial has opened."""
        return Peer(answer=self.answer, refused=self.refused)

    def is_away(self, dial: Dial) -> bool:  # noqa: ARG002  # as above
        """Is this dial refused?"""
        return self.away

    def start(self, slot: Slot) -> bytes | None:
        """Begin a call as adapters do first; None if that declines."""
        return self.client.start(slot, self.now)

    # -- callers -------------------------------------------------------------------------------------------------------------

    def call(self, *words: str | int, deadline: float = inf, **options: Any) -> Slot:
        """Submit one command, and carry out what follows."""
        return self.submit(new_slot(words, None, deadline), **options)

    def batch(self, *commands: Sequence[str], deadline: float = inf, **options: Any) -> Slot:
        """The same with a pipeline."""
        prepared = [prepare(words) for words in commands]
        return self.submit(
            new_batch([payload for payload, _ in prepared], [info for _, info in prepared], None, deadline), **options
        )

    def submit(self, slot: Slot, **options: Any) -> Slot:
        """Submit a slot, and carry out what follows."""
        begin(self.observers, slot)
        if options.get("lease") is not None:
            self.held.add(slot)
        if not options and (payload := self.start(slot)) is not None:
            link = slot.link
            if payload and link in self.stuck:
                link.core.unsent(payload)
            elif payload:
                self._send(link, payload)
        else:
            link = self.client.submit(slot, self.now, **options)
        if link is not None:
            self.flush(link)
        self.run()
        return slot

    def abandon(self, slot: Slot) -> None:
        """The caller goes."""
        self.client.abandon(slot, self.now)
        if slot not in self.ended:
            end(self.observers, slot, KeyboardInterrupt(), held=slot in self.held)
        self.run()

    def acquire(self, **options: Any) -> Waiter:
        """Ask for a link."""
        waiter = self.client.acquire(None, self.now, **options)
        self.run()
        return waiter

    def lease(self, **options: Any) -> Lease[Link] | Share:
        """Ask for a link, and get it at once."""
        lease = self.acquire(**options).lease
        assert lease is not None
        return lease

    def release(self, lease: Lease[Link] | Share) -> None:
        """Give it back."""
        self.client.release(lease, self.now)
        self.run()

    def listen(self, what: Lease[Link] | Share | Subscriber | Change, deadline: float = inf) -> Listener:
        """Wait for what comes unasked."""
        listener = Listener(what, deadline=deadline)
        self.client.listen(listener)
        self.run()
        return listener

    def stop_listening(self, listener: Listener) -> None:
        """Wait no more."""
        self.client.stop_listening(listener)
        self.run()

    # -- the world -------------------------------------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Let time pass, from one deadline to the next."""
        end = self.now + seconds
        while (due := self.client.next_deadline()) <= end:
            self.now = max(self.now, due)
            self.client.handle_timeout(self.now)
            self.run()
        self.now = end

    def connect(self) -> Link:
        """The first dial opens a socket."""
        dial = self.dials.pop(0)
        link = self.client.connected(dial, self.now)
        self.peers[link] = self.peer_for(dial)
        self.flush(link)
        self.run()
        return link

    def refuse(self, error: Exception | None = None) -> None:
        """The first dial fails."""
        failure = error or ConnectError("connection refused", transient=True)
        failure.__cause__ = failure.__cause__ or ConnectionRefusedError(111, "connection refused")
        self.client.dial_failed(self.dials.pop(0), failure, self.now)
        self.run()

    def give_up(self) -> None:
        """The first dial is given up."""
        self.client.dial_failed(self.dials.pop(0), None, self.now)
        self.run()

    def cut(self, link: Link) -> None:
        """The server closes this link."""
        self.client.receive_eof(link, self.now)
        self.run()

    def say(self, link: Link, data: bytes) -> None:
        """The server says this."""
        self.take(self.client.receive_data(link, data, self.now))
        self.run()

    @property
    def link(self) -> Link:
        """The newest link."""
        return list(self.peers)[-1]

    # -- the adapter -----------------------------------------------------------------------------------------------------------

    def flush(self, link: Link) -> None:
        """Carry bytes both ways until neither side has any more."""
        while link not in self.stuck and not link.ended and (block := link.core.data_to_send()):
            link.core.sent(len(block))
            self._send(link, block)

    def _send(self, link: Link, block: bytes | memoryview) -> None:
        self.unread[link] = self.unread.get(link, b"") + block
        if link not in self.deaf:
            self._serve(link)

    def _serve(self, link: Link) -> None:
        for said in self.peers[link].receive(self.unread.pop(link, b"")):
            if not link.ended:
                answered: list[Any] | None = self.client.receive_replies(link, said, self.now)
                self.take(self.client.events() if answered is None else answered)

    def wake(self) -> None:
        """Servers read, and the network takes, what there is."""
        self.deaf.clear()
        self.stuck.clear()
        for link in list(self.peers):
            self._serve(link)
            self.flush(link)
        self.run()

    def run(self) -> None:
        """Carry out events until there are no more."""
        while events := self.client.events():
            self.take(events)

    def take(self, events: list[Any]) -> None:
        """Carry out these events."""
        for event in events:
            match event:
                case Slot():
                    assert event not in self.ended
                    self.ended.append(event)
                    end(self.observers, event, held=event in self.held)
                case Link():
                    self.flush(event)
                case Dial():
                    self.dialled += 1
                    self.dials.append(event)
                    if self.dials_at_once:
                        self.refuse() if self.is_away(event) else self.connect()
                case Look(link):
                    self.looks.append(link)
                    if self.looks_at_once:
                        self.client.looked(link, self.now)
                case Granted(waiter) | Refused(waiter):
                    self.woken.append(waiter)
                case Close(link):
                    self.closed.append(link)
                case Heard(listener):
                    self.heard.append(listener)
                case Leaked(lease):
                    self.leaked.append(lease)
                case Report(report):
                    report()
                case Drained():
                    self.drained = True

    # -- what is seen ------------------------------------------------------------------------------------------------------------

    def told(self, slot: Slot) -> Any:
        """What a slot that has ended tells its caller: a reply, or an error's type and text."""
        assert slot in self.ended, f"{slot} has not ended"
        if slot.state is SlotState.ANSWERED:
            return slot.reply
        error = error_of(slot)
        return type(error), str(error)

    def executed(self) -> list[tuple[bytes, ...]]:
        """The commands that all servers ran, link by link."""
        return [words for peer in self.peers.values() for words in peer.executed]


READONLY = ReplyError("READONLY You can't write against a read only replica.")
LOADING = ReplyError("LOADING Redis is loading the dataset in memory")

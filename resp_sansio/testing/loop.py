"""An event loop of asyncio's in a simulated world: its time is the world's, and its sockets are. Nothing waits for anything real.

    world = World(seed)
    loop = SimulatedLoop(world)
    loop.run_until_complete(main())

`create_connection`, and with it `asyncio.open_connection`, leads to the world's server, whatever the address; in a `ClusterWorld`,
to the server that has it. Callbacks run in the loop's own order, so the same seed is the same history.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from typing import Any

from .network import Socket
from .world import World

__all__ = ["SimulatedLoop"]


def _number(of: Any) -> int:
    number: int = of if isinstance(of, int) else of.fileno()
    return number


class _Keys(dict[Any, selectors.SelectorKey]):
    """What is waited for, by descriptors; looked up by what has one, too."""

    def get(self, of: Any, default: Any = None) -> Any:
        return super().get(_number(of), default)


class _Selector(selectors.BaseSelector):
    """Waits in virtual time, for the world's sockets. Others, as those by which loops wake themselves, are never ready."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._keys = _Keys()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        descriptor = _number(fileobj)
        if descriptor in self._keys:
            raise KeyError(descriptor)
        self._keys[descriptor] = key = selectors.SelectorKey(fileobj, descriptor, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(_number(fileobj))

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys[_number(fileobj)]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        world = self._world
        until = inf if timeout is None else world.clock.now + max(timeout, 0.0)
        if not (ready := self._ready()) and (until > world.clock.now or world.clock.next <= until):
            world.step(until)  # once: it may have called back into the loop
            ready = self._ready()
        return ready

    def _ready(self) -> list[tuple[selectors.SelectorKey, int]]:
        found = []
        for descriptor, key in self._keys.items():
            socket = self._world.find(descriptor)
            if socket is not None:
                events = selectors.EVENT_READ * socket.readable | selectors.EVENT_WRITE * socket.writable
                if events & key.events:
                    found.append((key, events & key.events))
        return found


def _end(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop of which time and sockets are the world's. Raises `AssertionError` where it would wait for ever."""

    def __init__(self, world: World) -> None:
        self.world: World = world
        super().__init__(_Selector(world))

    def time(self) -> float:
        """The world's time."""
        return self.world.clock.now

    async def create_connection(
        self, protocol_factory: Callable[[], Any], *address: Any, sock: Any = None, **_options: Any
    ) -> tuple[Any, Any]:
        """Connect to the world's server; raises `ConnectionRefusedError`. A socket that is given is one of the world's."""
        connected: Any = sock or await self.open_socket(address)
        return await super().create_connection(protocol_factory, sock=connected)

    async def open_socket(self, address: object = None) -> Socket:
        """Return a socket that is connected. Raises `ConnectionRefusedError`; waits for ever where the server has vanished.

        The address is of importance only where the world has several servers.
        """
        made = self.world.socket()
        over = self.create_future()
        made.on_writable = partial(_end, over)
        made.connect_ex(address)
        try:
            await over
            if made.refused:
                raise ConnectionRefusedError("the simulated network")
        except BaseException:
            made.close()
            raise
        made.on_writable = None
        return made

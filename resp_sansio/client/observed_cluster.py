"""A client of a cluster with observers: what they are told names the server.

A call is one call for them, whichever number of parts it is made in, and wherever it goes on: what is noted of a part is noted on
the `Watch` of the call.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .._facts import CallRedirected, MapRefreshed
from ..config.url import address_of
from ..connection.slot import Slot
from .cluster import ClusterBase
from .cluster_map import Redirect
from .links import Dial
from .node import NodeBase
from .observed import ObservedClient, watch_of
from .sentinel import Place
from .splits import Part

__all__ = ["ObservedCluster"]


class ObservedNode(NodeBase, ObservedClient):
    """The machine of one server of a cluster, with observers."""

    def _made(self) -> None:
        """The cluster is what was made."""

    @property
    def _address(self) -> str:
        return self.address

    def _leads_to(self, dial: Dial) -> str:  # noqa: ARG002  # to this server
        return self.address

    _led_to = _leads_to

    def _call_of(self, slot: Slot) -> Slot:
        token: object = slot.token
        return token.split.slot if type(token) is Part else slot

    def count_link(self) -> int:
        """All links of the cluster are counted together."""
        number: int = self.cluster.count_link()
        return number


class ObservedCluster(ClusterBase, ObservedClient):
    """The machine of a client of a cluster, with observers."""

    _node_type: ClassVar[type[NodeBase]] = ObservedNode

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._observers.server_of = server_of

    def _leads_to(self, dial: Dial) -> str:
        return dial.config.address  # of subscriptions

    _led_to = _leads_to

    def abandon(self, slot: Slot, now: float) -> None:
        """As of a client."""
        if slot.call is not None and slot.call.split is not None:
            self._went_everywhere(slot)
        super().abandon(slot, now)

    def _finish(self, slot: Slot, failure: Exception | None, now: float) -> None:
        self._went_everywhere(slot)  # or nowhere; what went to one server has ended there
        super()._finish(slot, failure, now)

    @staticmethod
    def _went_everywhere(slot: Slot) -> None:
        watch = watch_of(slot)
        if watch is not None:
            watch.everywhere = True

    def _redirected(self, node: NodeBase, slot: Slot, redirect: Redirect, pause: float, now: float) -> None:
        super()._redirected(node, slot, redirect, pause, now)
        watch, told = watch_of(slot), self._observers
        if watch is not None:
            watch.anew()
            call = slot.token.split.slot if type(slot.token) is Part else slot
            watch.steps += (
                CallRedirected(
                    node.address,
                    told.database,
                    command=told.kind(call).command,
                    kind="ASK" if redirect.asks else "MOVED",
                    slot=redirect.slot,
                    to=address_of(redirect.place),
                    pause=pause,
                    after=now - watch.began_at,
                ),
            )

    def _round_ended(self, by: Place | None, now: float, *, changed: bool = False) -> None:
        super()._round_ended(by, now, changed=changed)
        told, (began_at, asked) = self._observers, self._round
        fact = MapRefreshed(
            told.address if by is None else address_of(by),
            told.database,
            asked=asked,
            changed=changed,
            error=self._last if by is None else None,
            total=now - began_at,
        )
        self._report("map_refreshed", fact)


def server_of(slot: Slot) -> str | None:
    """Return the address of the server at which this call ended, None if it was not one."""
    if slot.watch.everywhere:
        return None
    home = slot.link.home if slot.link is not None else None if slot.call is None else slot.call.home
    return home.address if isinstance(home, NodeBase) else None

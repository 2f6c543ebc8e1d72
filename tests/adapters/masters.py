"""A healthy cluster, for tests of the contract that ask of it no more than they ask of one server."""

from __future__ import annotations

from typing import Any, Final

from clusters import Cluster, slot_of

__all__ = ["Masters"]

OF_EACH: Final = frozenset({"CLIENT", "CONFIG", "DBSIZE", "FLUSHALL", "INFO", "KEYS", "PUBSUB", "SCRIPT"})


class Masters:
    """Its masters. A command with a key is called at the one that has it, others at each: what they say is put together."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster: Final = cluster
        self.nodes: Final = cluster.nodes[: cluster.masters]

    @property
    def url(self) -> str:
        """All of them."""
        return self.cluster.url

    def call(self, *words: str | bytes | int) -> Any:
        """Run a command, and return the reply; an error reply is returned, not raised."""
        name = str(words[0]).upper()
        if name not in OF_EACH:
            return self._owner(words[3 if name in ("EVAL", "EVALSHA") else 1]).call(*words)
        said: list[Any] = [node.call(*words) for node in self.nodes]
        if name == "KEYS":
            return [key for keys in said for key in keys]
        first = said[0]
        if isinstance(first, int):
            return sum(said)
        return b"".join(said) if isinstance(first, bytes) and len(set(said)) > 1 else first

    def _owner(self, key: str | bytes | int) -> Any:
        text = key.decode("latin-1") if isinstance(key, bytes) else str(key)
        return next(node for node, slots in zip(self.nodes, self.cluster.ranges, strict=True) if slot_of(text) in slots)

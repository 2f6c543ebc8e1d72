"""Which machine a client is carried out by: that of one server, of a cluster, or of a master and its replicas."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ..client.cache import ReadCache
from ..client.client import Client
from ..client.observed import ObservedClient
from ..client.observers import Observers
from ..config.config import Config
from ..config.settings import ClientSettings, PoolSettings

__all__ = ["Make", "maker"]

Make: TypeAlias = Callable[[Callable[[], float]], Client]
"""It makes a machine, given a source of random numbers between 0 and 1."""


class Maker:
    """Makes the machine: of a connection, if that is to be opened `once`. All that it makes have the same observers and cache."""

    __slots__ = ("_cache", "_config", "_observers", "_once", "_pool", "_settings")

    def __init__(
        self, config: Config, settings: ClientSettings | None, pool: PoolSettings | None, *, once: bool
    ) -> None:
        self._config = config
        self._settings = settings
        self._pool = pool
        self._once = once
        self._observers = Observers(config, once=once) if config.observers else None
        self._cache = None if config.cache is None else ReadCache(config.cache)

    def __call__(self, random: Callable[[], float]) -> Client:
        config, settings, pool, once, observers = self._config, self._settings, self._pool, self._once, self._observers
        if config.cluster:
            return cluster_machine(config, settings, pool, random, observers, self._cache)
        if config.has_replicas:
            return replicated_machine(config, settings, pool, random, observers)
        if observers is None:
            return Client(config, settings, pool, random=random, once=once, cache=self._cache)
        return ObservedClient(config, settings, pool, random=random, once=once, observers=observers, cache=self._cache)


def cluster_machine(
    config: Config,
    settings: ClientSettings | None,
    pool: PoolSettings | None,
    random: Callable[[], float],
    observers: Observers | None,
    cache: ReadCache | None,
) -> Client:
    """Return the machine of a client of a cluster."""
    from ..client.cluster import Cluster  # most programs have one server

    if observers is None:
        return Cluster(config, settings, pool, random=random, cache=cache)
    from ..client.observed_cluster import ObservedCluster

    return ObservedCluster(config, settings, pool, random=random, observers=observers, cache=cache)


def replicated_machine(
    config: Config,
    settings: ClientSettings | None,
    pool: PoolSettings | None,
    random: Callable[[], float],
    observers: Observers | None,
) -> Client:
    """Return the machine of a client that reads from replicas behind sentinels."""
    from ..client.replicated import Replicated  # most programs have one server

    if observers is None:
        return Replicated(config, settings, pool, random=random)
    from ..client.observed_replicated import ObservedReplicated

    return ObservedReplicated(config, settings, pool, random=random, observers=observers)


def maker(
    config: Config, settings: ClientSettings | None = None, pool: PoolSettings | None = None, *, once: bool = False
) -> Make:
    """Return what makes the machine: of a connection, if that is to be opened `once`."""
    return Maker(config, settings, pool, once=once)

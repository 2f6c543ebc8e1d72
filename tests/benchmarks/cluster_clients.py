"""Clients of a Redis Cluster, each as its documentation makes one, with all that is left at its default.

Each is given the URL of a cluster, `redis+cluster://host:port,...`, of which others than ours take the first place.
"""

from __future__ import annotations

import abc
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

__all__ = ["CLIENTS", "OF_TASKS", "OF_THREADS", "TaskClient", "ThreadClient"]


def first_place(url: str) -> tuple[str, int]:
    """Return the first host and port of a URL."""
    host, _, port = urlsplit(url).netloc.split(",")[0].rpartition(":")
    return host, int(port)


class ThreadClient(abc.ABC):
    """A client whose calls block."""

    client: Any
    name: ClassVar[str]

    @abc.abstractmethod
    def open(self, url: str) -> None:
        """Be ready for calls."""

    def get(self, key: str) -> object:
        """GET it."""
        return self.client.get(key)

    def set(self, key: str, value: str) -> object:
        """SET it."""
        return self.client.set(key, value)

    def push(self, key: str, element: str) -> object:
        """RPUSH it."""
        return self.client.rpush(key, element)

    def close(self) -> None:
        """End all connections."""
        self.client.close()


class TaskClient(abc.ABC):
    """A client for asyncio."""

    client: Any
    name: ClassVar[str]

    @abc.abstractmethod
    async def open(self, url: str) -> None:
        """Be ready for calls."""

    async def get(self, key: str) -> object:
        """GET it."""
        return await self.client.get(key)

    async def set(self, key: str, value: str) -> object:
        """SET it."""
        return await self.client.set(key, value)

    async def push(self, key: str, element: str) -> object:
        """RPUSH it."""
        return await self.client.rpush(key, element)

    async def close(self) -> None:
        """End all connections."""
        await self.client.aclose()


class Ours(ThreadClient):
    """This library, for threads."""

    name = "resp_sync"

    def open(self, url: str) -> None:
        import resp_sync

        self.client = resp_sync.Client(url)


class OursOfTasks(TaskClient):
    """This library, for tasks."""

    name = "resp_asyncio"

    async def open(self, url: str) -> None:
        import resp_asyncio

        self.client = await resp_asyncio.Client(url).__aenter__()

    async def close(self) -> None:
        await self.client.__aexit__(None, None, None)


class RedisPy(ThreadClient):
    """redis-py, for threads."""

    name = "redis-py"

    def open(self, url: str) -> None:
        from redis.cluster import RedisCluster

        host, port = first_place(url)
        self.client = RedisCluster(host=host, port=port)


class RedisPyOfTasks(TaskClient):
    """redis-py, for tasks."""

    name = "redis-py asyncio"

    async def open(self, url: str) -> None:
        from redis.asyncio.cluster import RedisCluster

        host, port = first_place(url)
        self.client = await RedisCluster(host=host, port=port).initialize()


class Coredis(TaskClient):
    """coredis."""

    name = "coredis"

    async def open(self, url: str) -> None:
        import coredis

        host, port = first_place(url)
        self.client = await coredis.RedisCluster(host=host, port=port).__aenter__()

    async def push(self, key: str, element: str) -> object:
        return await self.client.rpush(key, [element])

    async def close(self) -> None:
        await self.client.__aexit__(None, None, None)


class Glide(TaskClient):
    """valkey-glide."""

    name = "valkey-glide"

    async def open(self, url: str) -> None:
        from glide import GlideClusterClient, GlideClusterClientConfiguration, NodeAddress

        self.client = await GlideClusterClient.create(GlideClusterClientConfiguration([NodeAddress(*first_place(url))]))

    async def push(self, key: str, element: str) -> object:
        return await self.client.rpush(key, [element])

    async def close(self) -> None:
        await self.client.close()


OF_THREADS: Final[dict[str, type[ThreadClient]]] = {one.name: one for one in (Ours, RedisPy)}
OF_TASKS: Final[dict[str, type[TaskClient]]] = {one.name: one for one in (OursOfTasks, RedisPyOfTasks, Coredis, Glide)}
CLIENTS: Final = (*OF_THREADS, *OF_TASKS)

"""What a server keeps of streams and their groups, as far as a queue asks for it: for tests without a server."""

from __future__ import annotations

from typing import Any

from resp_sansio import ReplyError

__all__ = ["NOGROUP", "Stream", "Streams", "number"]

NOGROUP = ReplyError("NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option")


class Pending:
    """What a group knows of an entry that is not acknowledged."""

    def __init__(self, consumer: bytes, now: float) -> None:
        self.consumer = consumer
        self.since = now
        self.deliveries = 1


class Stream:
    """A stream with one group, as the server has it."""

    def __init__(self) -> None:
        self.entries: dict[int, list[bytes]] = {}
        self.pending: dict[int, Pending] = {}
        self.last = 0
        self.read = 0


class Streams:
    """The commands that a queue sends, on a server whose time is told to it."""

    def __init__(self, *names: bytes) -> None:
        self.now = 0.0
        self.streams = {name: Stream() for name in names}
        self.sent: list[str] = []

    def add(self, name: bytes = b"s", *fields: bytes) -> int:
        stream = self.streams[name]
        stream.last += 1
        stream.entries[stream.last] = [*fields] or [b"n", b"%d" % stream.last]
        return stream.last

    def run(self, args: tuple[Any, ...]) -> Any:
        """Return the reply to a command, given by its words as a program or as the network has them."""
        name, *words = [word.encode() if isinstance(word, str) else word for word in args]
        if name == b"XGROUP":
            name += b" " + words.pop(0)
        self.sent.append(name.decode())
        return getattr(self, name.decode().lower().replace(" ", "_"))(*words)

    def xgroup_create(self, name: bytes, _group: bytes, start: bytes, option: bytes) -> Any:
        assert (start, option) == (b"0", b"MKSTREAM")
        if name in self.streams:
            return ReplyError("BUSYGROUP Consumer Group name already exists")
        self.streams[name] = Stream()
        return "OK"

    def xack(self, name: bytes, _group: bytes, *ids: bytes) -> Any:
        found = self.streams.get(name, Stream()).pending
        return sum([found.pop(number(id), None) is not None for id in ids])

    def xreadgroup(self, *words: Any) -> Any:
        consumer, rest = words[2], [*words[3:]]
        at = rest.index(b"STREAMS")
        count = int(rest[rest.index(b"COUNT") + 1])
        names = rest[at + 1 :]
        half = len(names) // 2
        if not self.streams.keys() >= {*names[:half]}:
            return NOGROUP
        replies = [self._read(name, consumer, id, count) for name, id in zip(names[:half], names[half:], strict=True)]
        found = [
            [name, reply]
            for name, id, reply in zip(names[:half], names[half:], replies, strict=True)
            if reply or id != b">"
        ]
        return found or None

    def _read(self, name: bytes, consumer: bytes, id: bytes, count: int) -> list[Any]:
        stream = self.streams[name]
        if id == b">":
            found = [each for each in sorted(stream.entries) if each > stream.read][:count]
            stream.read = max([stream.read, *found])
            stream.pending.update({each: Pending(consumer, self.now) for each in found})
        else:
            own = [each for each, pending in stream.pending.items() if pending.consumer == consumer]
            found = [each for each in sorted(own) if each > number(id)][:count]
            for each in found:
                stream.pending[each].since = self.now
                stream.pending[each].deliveries += 1
        return [self._entry(stream, each) for each in found]

    @staticmethod
    def _entry(stream: Stream, each: int) -> list[Any]:
        return [b"%d-0" % each, stream.entries.get(each)]

    def xpending(self, name: bytes, _group: bytes, start: bytes, end: bytes, count: Any, consumer: bytes) -> Any:
        if name not in self.streams:
            return NOGROUP
        low = number(start.lstrip(b"(")) + start.startswith(b"(")
        high = float("inf") if end == b"+" else number(end)
        found = [
            [b"%d-0" % each, pending.consumer, int((self.now - pending.since) * 1000), pending.deliveries]
            for each, pending in sorted(self.streams[name].pending.items())
            if low <= each <= high and pending.consumer == consumer
        ]
        return found[: int(count)]

    def xautoclaim(
        self, name: bytes, _g: bytes, consumer: bytes, idle: int, start: bytes, _c: bytes, count: int
    ) -> Any:
        if name not in self.streams:
            return NOGROUP
        stream = self.streams[name]
        old = [each for each in sorted(stream.pending) if each >= number(start)]
        page, rest = old[: int(count)], old[int(count) :]
        found, deleted = [], []
        for each in page:
            pending = stream.pending[each]
            if each not in stream.entries:
                del stream.pending[each]
                deleted.append(b"%d-0" % each)
            elif self.now - pending.since >= int(idle) / 1000:
                pending.consumer, pending.since = consumer, self.now
                pending.deliveries += 1
                found.append(self._entry(stream, each))
        return [b"%d-0" % rest[0] if rest else b"0-0", found, deleted]

    def xclaim(self, name: bytes, _group: bytes, consumer: bytes, idle: Any, *ids: bytes) -> Any:
        if name not in self.streams:
            return NOGROUP
        assert (int(idle), ids[-1]) == (0, b"JUSTID")
        for id in ids[:-1]:
            if (pending := self.streams[name].pending.get(number(id))) is not None:
                pending.consumer, pending.since = consumer, self.now
        return [*ids[:-1]]


def number(id: bytes) -> int:
    return int(id.partition(b"-")[0])

"""Streams and lists as queues, for tasks: what the machine says is sent, and waited for."""

from __future__ import annotations

from contextlib import suppress
from operator import call
from typing import Any, Generic, Self, TypeVar

from .._errors import LocalProtocolError, RespError
from ..client.queues import Delivery, ListItem, Queue, Step, StreamEntry, survives
from ..commands.decoding import S
from ..connection.slot import Batch
from .base import HANDED, CommandsBase, Viewed
from .batches import PipelineBase
from .tasks_driver import Driver

__all__ = ["Consuming", "Queues"]

E = TypeVar("E", bound=Delivery)


class Consuming(Generic[E]):
    """What a queue hands over, one by one, for an `async with` block and an `async for` loop in it: see `consume`.

    It ends once it is to `stop`, or if `block` is None. One task at a time may ask for the next; the handlers may be any.
    """

    __slots__ = ("_alone", "_asking", "_by", "_queue")

    def __init__(self, by: CommandsBase[Any, Any], queue: Queue[E]) -> None:
        self._by = by
        self._queue = queue
        self._alone = call  # no other task has its turn meanwhile
        self._asking = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._queue!r}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self._acknowledge_ahead()
            return
        try:
            await self.flush()
        except RespError:  # what was not acknowledged will come again; what ended the block counts more
            if kind is None:
                raise

    def _acknowledge_ahead(self) -> None:
        """Acknowledge what is done, and do not wait: what is cancelled or interrupted can't."""
        step = self._alone(self._queue.flush, self._by._driver.now())
        if step:
            _, slot = self._batch(step)
            driver = self._by._driver
            with suppress(RespError):
                driver.ahead(slot, self._by._lease)
                if slot.state is HANDED:
                    driver.give_up(slot)  # it is sent, and no caller waits for the answer

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        """Return the next. A server that can't be reached, or is not ready yet, is asked again for as long as it takes.

        Raises the server's `ReplyError` (a group that is not there, a key of another type), `ConnectError` if it will be of no use
        to try again, `ConnectionClosedError`, `PoolFullError`, and `CommandTimeoutError` if no connection was free.
        """
        if self._asking:
            raise LocalProtocolError(
                "another caller waits for the next of this queue; let one ask, and hand on what it gets"
            )
        self._asking = True
        try:
            await self._by._driver.checkpoint()
            while True:
                delivery, step = self._alone(self._queue.take_or_step, self._by._driver.now())
                if delivery is not None:
                    return delivery
                if step is None:
                    break
                try:
                    await self._send(step)
                except RespError as error:
                    if not survives(error):
                        raise
                    if self._queue.stopped:
                        break
            self._queue.over = False
            raise StopAsyncIteration
        finally:
            self._asking = False

    def stop(self) -> None:
        """Read no more: what was read is handed over still, and then the iteration ends. Any task or signal handler may say so.

        A read that is under way ends first: within `block`, or, where the server is away, once its call is over.
        """
        self._queue.stopped = True

    async def flush(self) -> None:
        """Acknowledge now what is done: else that goes out with the next read, or when the block ends.

        Raises as `execute`; what had no answer goes out again with the next read.
        """
        step = self._alone(self._queue.flush, self._by._driver.now())
        if step:
            await self._send(step)
        else:
            await self._by._driver.checkpoint()

    async def _send(self, step: Step) -> None:
        """Send a step, and tell the machine what came of it. Raises as `execute`."""
        by, queue = self._by, self._queue
        batch, slot = self._batch(step)
        try:
            await by._calls.call(slot, by._lease)
            replies = batch._ended(slot)
        except BaseException:
            self._alone(queue.lost, step, by._driver.now())
            raise
        self._alone(queue.answered, step, replies, by._driver.now(), bool(slot.uncertain))

    def _batch(self, step: Step) -> tuple[PipelineBase[Any, bytes], Batch]:
        batch: PipelineBase[Any, bytes] = PipelineBase(self._by, decode=False)
        for command, _ in step:
            batch.execute(command)
        slot = batch.slot(self._by._driver.now() + batch.seconds_allowed)
        assert slot is not None
        return batch, slot


class Queues(Viewed[Driver, S]):
    """Streams and lists as queues."""

    __slots__ = ()

    def consume(
        self,
        *streams: str | bytes,
        group: str | bytes,
        consumer: str | bytes,
        count: int = 10,
        block: int | None = 5000,
        min_idle: int | None = None,
        create: bool = True,
    ) -> Consuming[StreamEntry[S]]:
        """Read entries of streams as a consumer of a group, and acknowledge each once it is handled (Redis 6.2):

            async with client.consume("orders", group="billing", consumer="worker-1") as entries:
                async for entry in entries:
                    with entry:
                        await charge(entry.fields)

        An entry whose `with` block ends is acknowledged; one whose block an exception ends stays pending. Each is handled at least
        once: first comes what is pending for this consumer, so keep its name over restarts, and give each process its own.

        `count`: how many are read at a time. `block`: for how many milliseconds a read waits on the server before the next (0: for
        ever; None: it does not wait, and the loop ends when there is nothing left). `min_idle`: what was delivered to any consumer
        so many milliseconds ago, and is pending still, is claimed; let it be longer than it takes to handle an entry. `create`: a
        group that is not there is created, to begin with the first entry of its stream.

        Raises `TypeError` or `ValueError` for wrong arguments.
        """
        from ..client.stream_queues import StreamQueue  # no other call needs it

        by, text = self._view
        queue = StreamQueue(
            streams,
            group,
            consumer,
            text=text,
            count=count,
            block=block,
            min_idle=min_idle,
            create=create,
            patient=by._driver.machine.tries_again,
        )
        return Consuming(by, queue)

    def consume_list(
        self, source: str | bytes, *, working: str | bytes, block: int | None = 5000
    ) -> Consuming[ListItem[S]]:
        """Take elements from the left of a list, and keep each in another until it is handled (Redis 6.2):

            async with client.consume_list("jobs", working="jobs:worker-1") as items:
                async for item in items:
                    with item:
                        await work(item.value)

        An element whose `with` block ends is removed from the list `working`; one whose block an exception ends stays there.
        Each is handled at least once: first comes what is in `working`, so keep its name over restarts, and give each process its
        own. Equal elements are one and the same work: give each an ID of its own if they are not.

        `block`: for how many milliseconds a read waits on the server before the next (0: for ever; None: it does not wait, and the
        loop ends when there is nothing left).

        Raises `TypeError` or `ValueError` for wrong arguments.
        """
        from ..client.list_queues import ListQueue  # no other call needs it

        by, text = self._view
        patient = by._driver.machine.tries_again
        return Consuming(by, ListQueue(source, working, text=text, block=block, patient=patient))

"""What is measured: each instrument with its name, unit, meaning and buckets, as data.

Those that begin with `db.client` are of the semantic conventions. Of those that begin with `redis.client` redis-py has `errors`,
`connection.closed`, `pubsub.messages` and, of client-side caching, `csc.requests`, `csc.evictions` and `csc.items`; the others are
for questions that no convention answers yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

__all__ = ["BATCH_SIZE", "BUCKETS", "COUNTERS", "DURATIONS", "GAUGES", "OF_CALLS", "SUMS", "TOTALS", "Instrument"]

# As redis-py's: those that the conventions advise begin at a millisecond, in which a server answers ten times.
OF_CALLS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
OF_CONNECTIONS: Final = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
OF_COMMANDS: Final = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0)


class Instrument(NamedTuple):
    """An instrument. `buckets`: the upper bounds, of a histogram."""

    name: str
    unit: str
    meaning: str
    buckets: Sequence[float] | None = None


DURATIONS: Final = {
    "operation": Instrument(
        "db.client.operation.duration", "s", "From a call's beginning to its end, retries included.", OF_CALLS
    ),
    "create": Instrument(
        "db.client.connection.create_time",
        "s",
        "From the wish for a connection to the end of its handshake.",
        OF_CONNECTIONS,
    ),
    "step": Instrument(
        "redis.client.connection.create_step_time",
        "s",
        "Each step of opening a connection: name, dial, tls, handshake.",
        OF_CONNECTIONS,
    ),
    "wait": Instrument(
        "db.client.connection.wait_time",
        "s",
        "From asking for a connection of one's own to getting it.",
        OF_CONNECTIONS,
    ),
    "use": Instrument(
        "db.client.connection.use_time",
        "s",
        "From getting a connection of one's own to giving it back.",
        OF_CONNECTIONS,
    ),
}

BATCH_SIZE: Final = Instrument(
    "redis.client.operation.batch.size", "{command}", "Commands of a pipeline or transaction.", OF_COMMANDS
)

COUNTERS: Final = {
    "errors": Instrument("redis.client.errors", "{error}", "Errors, also those that a retry has mended (internal)."),
    "retries": Instrument("redis.client.operation.retries", "{retry}", "Attempts of calls that another one followed."),
    "redirects": Instrument(
        "redis.client.operation.redirects",
        "{redirect}",
        "Calls that a server of a cluster sent on to another, by kind.",
    ),
    "refreshes": Instrument(
        "redis.client.cluster.refreshes", "{refresh}", "How often servers were asked which of them has what, by result."
    ),
    "abandoned": Instrument(
        "redis.client.operation.abandoned",
        "{operation}",
        "Calls whose callers left before a reply that may still come.",
    ),
    "dropped": Instrument("redis.client.replies.dropped", "{reply}", "Replies that came when their callers had left."),
    "pushes": Instrument("redis.client.pushes.dropped", "{push}", "Pushes that came where no caller can listen."),
    "invalidated": Instrument(
        "redis.client.csc.invalidations", "{key}", "Keys of which the server has told a cache that they have changed."
    ),
    "timeouts": Instrument(
        "db.client.connection.timeouts", "{timeout}", "Callers that did not get a connection of their own in time."
    ),
    "closed": Instrument("redis.client.connection.closed", "{connection}", "Connections that have ended, by reason."),
    "failed": Instrument(
        "redis.client.connection.failed",
        "{connection}",
        "Connections that could not be opened, by the step that failed.",
    ),
}

# Asked of the clients, as those of the moment are: a hit tells no observer.
TOTALS: Final = {
    "requests": Instrument("redis.client.csc.requests", "{request}", "Reads of which a cache was asked, by result."),
    "evictions": Instrument("redis.client.csc.evictions", "{eviction}", "Replies that a cache gave up to make room."),
    "messages": Instrument(
        "redis.client.pubsub.messages", "{message}", "Messages that came, each counted for every subscriber of it."
    ),
    "dropped": Instrument(
        "redis.client.pubsub.dropped", "{message}", "Messages for which their subscriber had no room."
    ),
    "gaps": Instrument(
        "redis.client.pubsub.gaps", "{gap}", "Places where messages may be missing, as subscribers were told."
    ),
}

BUCKETS: Final = Instrument(
    "redis.client.operation.duration_buckets", "{operation}", "Calls that took no longer than `le` seconds."
)

# Sums, and not histograms: a histogram costs as much for each call as all else together.
SUMS: Final = {
    "calls": Instrument("redis.client.operation.calls", "{operation}", "Calls that have ended, in whichever way."),
    "queued": Instrument(
        "redis.client.operation.queue_time", "s", "The part of all calls' time before they were handed to the network."
    ),
    "network": Instrument(
        "redis.client.operation.network_time", "s", "The part of all calls' time between sending and the reply."
    ),
}

GAUGES: Final = {
    "count": Instrument("db.client.connection.count", "{connection}", "Connections that are open, by state."),
    "max": Instrument("db.client.connection.max", "{connection}", "Connections that may be open at a time."),
    "idle_min": Instrument(
        "db.client.connection.idle.min", "{connection}", "Connections kept if no caller needs them."
    ),
    "pending": Instrument(
        "db.client.connection.pending_requests", "{request}", "Callers that wait for a connection at this moment."
    ),
    "in_flight": Instrument(
        "redis.client.operation.in_flight", "{operation}", "Calls on shared connections that wait for their replies."
    ),
    "owed": Instrument(
        "redis.client.replies.owed", "{reply}", "Replies on shared connections whose callers have left."
    ),
    "unread": Instrument("redis.client.pubsub.waiting", "{message}", "Messages that no caller has taken yet."),
    "items": Instrument("redis.client.csc.items", "{item}", "Replies that caches keep."),
    "size": Instrument("redis.client.csc.size", "By", "Memory that these take."),
}

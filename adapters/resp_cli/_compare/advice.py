"""From figures to advice: a table of rules, each with the reason that the figures give, and with that which would change it.

A pure function of what was found. For each library and number of callers the first rule that applies chooses a strategy; where
the same rule chooses for several, it is said once. The notes behind are about the whole comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from .figures import Comparison, Figures

__all__ = ["Advice", "advise", "chosen"]

ALIKE: Final = 0.15
"""Throughputs that differ by less are called the same; where the rounds differ by more among themselves, that counts."""

UNKNOWN: Final = 1.0
"""The same where there were one or two rounds only, so that it is not known how much they differ."""

SOONER: Final = 1.5
"""So many times as late is worth a choice of its own, if it is also later by `NOTICED` seconds."""

NOTICED: Final = 0.0002
FULL: Final = 0.85
"""The part of a processor from which on it is what limits."""


class Advice(NamedTuple):
    """What to do, the reason as the figures have it, and with what else it would be otherwise. All of it plain sentences."""

    text: str
    reason: str
    change: str


class Late(NamedTuple):
    """So large a part of the operations, and the seconds within which client and pool had answered them."""

    part: str
    client: float
    pool: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The four strategies with one library and number of callers."""

    found: Comparison
    library: str
    callers: int
    pool: Figures
    connection: Figures
    pipeline: Figures
    client: Figures

    def more(self, one: Figures, other: Figures) -> bool:
        """Whether one does clearly more than the other: by more than the rounds of either, or of the others, differ."""
        noise = max(each.noise for each in (self.pool, self.connection, self.pipeline, self.client))
        return one.throughput > other.throughput * (1 + max(ALIKE, noise, UNKNOWN if self.found.rounds < 3 else 0.0))

    def late(self, name: str) -> Late | None:
        """Return the highest percentile that is known of both, of the latencies or of those of small values."""
        client, pool = getattr(self.client, name), getattr(self.pool, name)
        for highest in ("p99", "p95"):
            if client.get(highest) is not None and pool.get(highest) is not None:
                return Late(highest.replace("p", "") + " %", client[highest], pool[highest])
        return None

    def later(self, name: str) -> bool:
        """Whether the client is clearly later than the pool: by a factor and a time that count, in steady rounds."""
        late = self.late(name)
        if late is None or self.found.rounds < 3:
            return False
        unsteady = min(self.client.unsteady, self.pool.unsteady)
        return late.client > late.pool * max(SOONER, unsteady) and late.client > late.pool + NOTICED

    @property
    def times(self) -> float:
        """How many times the pool's throughput the client's is."""
        return self.client.throughput / max(1.0, self.pool.throughput)


class Rule(NamedTuple):
    """When it applies, the strategy that it chooses, what to do (behind "With asyncio and 100 callers: "), why, and unless what."""

    applies: Callable[[Group], bool]
    strategy: str
    text: str
    reason: Callable[[Group], str]
    change: str


def _why_behind_large_values(group: Group) -> str:
    return f"On a shared connection small values wait behind large ones: {_within(group, 'small')}."


def _within(group: Group, name: str) -> str:
    late = group.late(name)
    if late is None:
        return "too few came to say when"
    return f"{late.part} of them come within {_ms(late.pool)} ms by the pool and within {_ms(late.client)} ms by the client"


def _why_one(group: Group) -> str:
    return (
        f"One caller waits for each reply, so client and pool send the same by one connection: {_many(group.client.throughput)}"
        f" operations/s with the client, {_many(group.pool.throughput)} with the pool. The client needs no size, and is right for"
        f" more callers, too."
    )


def _why_client_does_more(group: Group) -> str:
    client, pool = group.client, group.pool
    return (
        f"It does {_many(client.throughput)} operations/s, {_times(group.times)} the pool's {_many(pool.throughput)}, with"
        f" {_connections(client)} instead of {pool.connections}{_server_saved(client, pool)}.{_together(client)}"
    )


def _why_pool_does_more(group: Group) -> str:
    client, pool = group.client, group.pool
    return (
        f"It does {_many(pool.throughput)} operations/s, {_times(1 / group.times)} the client's {_many(client.throughput)},"
        f" with {_connections(pool)} instead of {client.connections}."
    )


def _why_pool_is_sooner(group: Group) -> str:
    return f"Both do about {_many(group.pool.throughput)} operations/s, but {_within(group, 'latency')}."


def _why_alike(group: Group) -> str:
    client, pool = group.client, group.pool
    return (
        f"It does {_many(client.throughput)} operations/s and the pool {_many(pool.throughput)}, which is no clear difference, and"
        f" it needs {_connections(client)} instead of {pool.connections}{_server_saved(client, pool)}."
    )


RULES: Final = (
    Rule(
        lambda group: group.found.spread >= 10 and group.later("small"),
        "pool",
        "take a Pool",
        _why_behind_large_values,
        "values of about one size, or a second Client for the large ones: then nothing small waits, and a client does more",
    ),
    Rule(
        lambda group: group.callers == 1 and group.pool.connections <= group.client.connections,
        "client",
        "take a Client",
        _why_one,
        "several commands to ask at a time (a pipeline), or more callers: their commands then travel together",
    ),
    Rule(
        lambda group: group.more(group.client, group.pool),
        "client",
        "take a Client",
        _why_client_does_more,
        "values of very different sizes (small ones wait behind large ones), or a few callers only: then a pool does as well",
    ),
    Rule(
        lambda group: group.more(group.pool, group.client),
        "pool",
        "take a Pool",
        _why_pool_does_more,
        "a server that is short of connections or of CPU, or small values and more callers: sharing then saves more than it costs",
    ),
    Rule(
        lambda group: group.later("latency"),
        "pool",
        "take a Pool",
        _why_pool_is_sooner,
        "a server that is short of connections, or more callers than a pool may have connections",
    ),
    Rule(
        lambda _group: True,
        "client",
        "take a Client",
        _why_alike,
        "more callers (the client gains), or values of very different sizes (the pool gains)",
    ),
)
"""The first that applies chooses."""


def advise(found: Comparison) -> list[Advice]:
    """Return what the figures advise, the choice of a strategy first."""
    choices: dict[int, list[Group]] = {}
    for group in _groups(found):
        choices.setdefault(_rule(group), []).append(group)
    advice = []
    for number, groups in choices.items():
        rule, most = RULES[number], max(groups, key=lambda group: (group.callers, abs(1 - group.times)))
        which = _where(groups)
        example = "" if len(groups) == 1 else f"With {most.library} and {_callers(most.callers)}: "
        reason = rule.reason(most)
        advice.append(Advice(f"{which}: {rule.text}.", example + _lowered(reason, example), f"{rule.change}."))
    groups = [*_groups(found)]
    return advice + [note for rule in NOTES if (note := rule(found, groups))]


def chosen(found: Comparison) -> dict[tuple[str, int], str]:
    """Return the strategy that is advised for each library and number of callers."""
    return {(group.library, group.callers): RULES[_rule(group)].strategy for group in _groups(found)}


def _groups(found: Comparison) -> Iterator[Group]:
    for library, callers in found.groups:
        figures = found.of(library, callers)
        if len(figures) == 4:  # without all strategies there is nothing to choose from
            yield Group(found=found, library=library, callers=callers, **figures)


def _rule(group: Group) -> int:
    return next(number for number, rule in enumerate(RULES) if rule.applies(group))


# -- Notes ---------------------------------------------------------------------------------------------------------------------

Note: TypeAlias = Callable[[Comparison, list[Group]], Advice | None]


def _pipelines(found: Comparison, groups: list[Group]) -> Advice | None:
    """Whether a pipeline does more than one command at a time by the same number of callers."""
    gains = [(group.pipeline.throughput / max(1.0, group.client.throughput), group) for group in groups]
    if not gains:
        return None
    gain, group = max(gains, key=lambda one: one[0])
    if not group.more(group.pipeline, group.client):
        return None
    return Advice(
        "A caller that has several commands to ask at a time should put them into a pipeline.",
        f"Pipelines of {found.batch} do {_many(group.pipeline.throughput)} operations/s with {group.library} and"
        f" {_callers(group.callers)}, {_times(gain)} as many as the client does one by one.",
        "commands that need the reply of the one before: these cannot be sent together.",
    )


def _single_connections(_found: Comparison, groups: list[Group]) -> Advice | None:
    """Whether a single connection does as well as a client."""
    shared = [group for group in groups if RULES[_rule(group)].strategy == "client"]
    if not shared or any(group.more(group.client, group.connection) for group in shared):
        return None
    most = max(shared, key=lambda group: group.callers)
    return Advice(
        "A single connection (`connect`) does as much as a client, and is still not the first choice.",
        f"It does {_many(most.connection.throughput)} operations/s with {most.library} and {_callers(most.callers)}, the"
        f" client {_many(most.client.throughput)}; but it ends for good when it is lost, and a command that blocks holds up all.",
        "programs that are to end with their connection, and pub/sub.",
    )


def _sizes(found: Comparison, groups: list[Group]) -> Advice | None:
    """Whether there are small values beside large ones, and a shared connection is advised all the same."""
    shared = [group for group in groups if RULES[_rule(group)].strategy == "client" and group.callers > 1]
    if found.spread < 10 or not shared:
        return None
    most = max(shared, key=lambda group: group.callers)
    return Advice(
        "Small values beside large ones: measure from where the program is to run.",
        f"On a shared connection small ones wait while a large one comes. With {most.library} and {_callers(most.callers)}"
        f" {_within(most, 'small')}; the slower the network, the longer a large one takes.",
        "a network that is as fast as a machine's own loopback.",
    )


def _server_is_full(_found: Comparison, groups: list[Group]) -> Advice | None:
    """Whether the server has no CPU left with the strategy that is advised."""
    loads = [(one.throughput * (one.server_cpu or 0.0), group) for group in groups for one in [_best(group)]]
    load, group = max(loads, default=(0.0, None), key=lambda one: one[0])
    if group is None or load < FULL:
        return None
    return Advice(
        "The server is the limit.",
        f"It was busy for {load:.0%} of a processor with {group.library} and {_callers(group.callers)}: it runs commands on"
        f" one, and no strategy gives it more.",
        "commands that do more at a time (MGET, pipelines), or more servers.",
    )


def _process_is_full(_found: Comparison, groups: list[Group]) -> Advice | None:
    """Whether the client's process has no CPU left."""
    loads = [(one.throughput * one.client_cpu, group) for group in groups for one in [_best(group)]]
    load, group = max(loads, default=(0.0, None), key=lambda one: one[0])
    if group is None or load < FULL:
        return None
    return Advice(
        "The client's process is a limit.",
        f"It was busy for {load:.0%} of a processor with {group.library} and {_callers(group.callers)}; a Python process"
        f" hardly uses more than one.",
        "more processes, each with a client of its own.",
    )


def _libraries(_found: Comparison, groups: list[Group]) -> Advice | None:
    """Whether one I/O library costs clearly less than another, with the same strategy and most callers."""
    most = max((group.callers for group in groups), default=0)
    costs = sorted((_best(group).client_cpu, group.library) for group in groups if group.callers == most)
    if len(costs) < 2 or costs[-1][0] < costs[0][0] * SOONER:
        return None
    told = ", ".join(f"{_microseconds(cost)} µs with {library}" for cost, library in costs)
    return Advice(
        f"The I/O library matters: {costs[0][1]} costs least here.",
        f"An operation of {_callers(most)} takes the client's process {told}.",
        "fewer callers at a time, or a program that is written for another library anyway.",
    )


def _noise(found: Comparison, groups: list[Group]) -> Advice | None:
    """Whether the rounds differ so much that small differences say nothing, or whether that is not known."""
    noise = max((figures.noise for figures in found.figures), default=0.0)
    if not groups or (noise < 0.25 and found.rounds > 2):
        return None
    few = f"There was time for {found.rounds} round{'s' * (found.rounds > 1)} only, which hardly shows how much rounds differ"
    much = f"From round to round the throughput of a case differed by up to {noise:.0%} from its median"
    return Advice(
        "Small differences say nothing here.",
        f"{few if found.rounds < 3 else much}.",
        "a machine that does nothing else, or a longer run (--duration).",
    )


def _foreign(found: Comparison, _groups: list[Group]) -> Advice | None:
    """Whether the server worked for others as well."""
    if found.foreign < 0.1:
        return None
    return Advice(
        "Others used the server at the same time.",
        f"{found.foreign:.0%} of the commands that it ran were not the comparison's, so its CPU and the commands per write include"
        f" theirs.",
        "a server of its own: without a URL, one is started.",
    )


def _failures(found: Comparison, _groups: list[Group]) -> Advice | None:
    """Whether operations failed, or were given up."""
    errors, unserved = (sum(getattr(one, name) for one in found.figures) for name in ("errors", "unserved"))
    first = next((one.error for one in found.figures if one.error), "")
    if not errors and not unserved:
        return None
    refused = f"{errors:,} operations failed, the first with: {first}" if errors else ""
    late = (
        f"{unserved:,} operations came so late that they were given up; they count with the time until then."
        if unserved
        else ""
    )
    return Advice(
        "Not all operations were done.",
        f"{refused}{'. ' if refused and late else ''}{late}",
        "commands and keys that fit together; a lower rate." if errors else "a lower rate.",
    )


NOTES: Final[tuple[Note, ...]] = (
    _pipelines,
    _single_connections,
    _sizes,
    _server_is_full,
    _process_is_full,
    _libraries,
    _noise,
    _foreign,
    _failures,
)
"""Each of them is said if it has something to say."""


# -- Words -----------------------------------------------------------------------------------------------------------------------


def _best(group: Group) -> Figures:
    found: Figures = getattr(group, RULES[_rule(group)].strategy)
    return found


def _where(groups: list[Group]) -> str:
    """Say which groups: `With threads and asyncio (10 and 100 callers)`."""
    callers: dict[str, list[int]] = {}
    for group in groups:
        callers.setdefault(group.library, []).append(group.callers)
    libraries: dict[str, list[str]] = {}
    for library, numbers in callers.items():
        libraries.setdefault(_and([f"{number:,}" for number in numbers]), []).append(library)
    told = [
        f"{_and(names)} ({numbers} {'caller' if numbers == '1' else 'callers'})" for numbers, names in libraries.items()
    ]
    return f"With {_and(told)}"


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _lowered(sentence: str, before: str) -> str:
    return sentence[0].lower() + sentence[1:] if before else sentence


def _callers(number: int) -> str:
    return "one caller" if number == 1 else f"{number:,} callers"


def _connections(figures: Figures) -> str:
    return "1 connection" if figures.connections == 1 else f"{figures.connections} connections"


def _together(figures: Figures) -> str:
    together = figures.per_write or 1.0
    return f" Commands that wait at the same time travel together, {together:.0f} in a write." if together >= 2 else ""


def _server_saved(one: Figures, other: Figures) -> str:
    if one.server_cpu and other.server_cpu and other.server_cpu > one.server_cpu * SOONER:
        spent = f"{_microseconds(one.server_cpu)} µs of CPU on each instead of {_microseconds(other.server_cpu)}"
        return f", and the server spends {spent}"
    return ""


def _many(number: float) -> str:
    """Round to two digits: the third is noise."""
    digits = len(str(int(number))) - 2
    return f"{round(number, -digits) if digits > 0 else number:,.0f}"


def _times(factor: float) -> str:
    return f"{factor:.1f} times" if factor < 10 else f"{factor:.0f} times"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.2g}" if seconds < 0.1 else f"{seconds * 1e3:.0f}"


def _microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:.1f}" if seconds < 1e-5 else f"{seconds * 1e6:.0f}"

"""What it costs to find the hash slot of a command that is encoded already: microseconds of a call, by kind, the best of rounds.

PYTHONPATH=. python tests/benchmarks/route_cost.py
"""

from __future__ import annotations

from timeit import repeat
from typing import Final

from resp_sansio import Argument
from resp_sansio.client.across import across_slots
from resp_sansio.client.routing import slot_of_payload, slot_of_transaction
from resp_sansio.commands import mget
from resp_sansio.commands.knowledge import prepare

CALLS: Final = 20_000
ROUNDS: Final = 7

COMMANDS: Final[dict[str, tuple[Argument, ...]]] = {
    "GET": ("GET", "user:1234:name"),
    "GET, with braces": ("GET", "{user:1234}:name"),
    "SET of 100 bytes": ("SET", "user:1234:name", b"x" * 100),
    "SET of 40,000 bytes": ("SET", "user:1234:name", b"x" * 40_000),
    "HSET of 50 fields": ("HSET", "user:1234", *["field", "value"] * 50),
    "MGET of 2": ("MGET", "{user}:1", "{user}:2"),
    "MGET of 100": ("MGET", *[f"{{user}}:{index}" for index in range(100)]),
    "EVAL of 1 key": ("EVAL", "return 1", 1, "key", "argument"),
    "XREAD of 1 stream": ("XREAD", "BLOCK", 0, "STREAMS", "stream", "$"),
    "OBJECT ENCODING": ("OBJECT", "ENCODING", "key"),
    "PING": ("PING",),
    "one that is not known": ("MY.LOOKUP", "key", "argument"),
}


def show(name: str, seconds: float) -> None:
    """Print a row."""
    print(f"{name:<32}{seconds / CALLS * 1e6:8.2f} us")


def main() -> None:
    """Measure each kind."""
    nothing = min(repeat(lambda: None, number=CALLS, repeat=ROUNDS))
    for name, words in COMMANDS.items():
        payload, info = prepare(words)
        show(name, min(repeat(lambda: slot_of_payload(payload, info), number=CALLS, repeat=ROUNDS)) - nothing)  # noqa: B023
    sets: list[tuple[Argument, ...]] = [("SET", f"{{user}}:{index}", "value") for index in range(10)]
    payloads, infos = zip(*map(prepare, [("MULTI",), *sets, ("EXEC",)]), strict=True)
    show(
        "transaction of 10 SET", min(repeat(lambda: slot_of_transaction(payloads, infos), number=CALLS, repeat=ROUNDS))
    )
    many = mget(*[f"user:{index}" for index in range(10)])
    show(
        "split: MGET of 10, in 10 parts",
        min(repeat(lambda: across_slots(many), number=CALLS // 10, repeat=ROUNDS)) * 10,
    )


if __name__ == "__main__":
    main()

"""Arguments that several subcommands take, and how their values are read."""

from __future__ import annotations

import argparse
import math
import os

__all__ = ["add_timing", "add_url", "positive", "seconds"]


def add_url(parser: argparse.ArgumentParser) -> None:
    """Add the URL of the server. Other users of the machine see what is on a command line, and not what is in the environment."""
    parser.add_argument(
        "url",
        metavar="URL",
        nargs="?",
        default=os.environ.get("REDIS_URL", "redis://localhost"),
        help="where the server is, with the client's options; else what REDIS_URL says, else redis://localhost",
    )


def add_timing(parser: argparse.ArgumentParser, what: str) -> None:
    """Add how often, and how many times."""
    parser.add_argument("--every", type=seconds, default=1.0, metavar="SECONDS", help=f"between two {what} (1)")
    parser.add_argument("--count", type=positive, metavar="N", help=f"end after so many {what}")


def seconds(text: str) -> float:
    """Read a time between two things."""
    value = float(text)
    if not (math.isfinite(value) and 0 < value < 86400):
        raise argparse.ArgumentTypeError(f"must be more than 0 and less than a day, not {text}")
    return value


def positive(text: str) -> int:
    """Read how many."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {text}")
    return value

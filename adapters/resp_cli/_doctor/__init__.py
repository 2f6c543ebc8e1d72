"""Connect to a server step by step, and say what is wrong and what mends it.

Of a cluster each server is examined, and then what they say together; behind sentinels each of them is asked, and the master is
examined that they name.

The exit code is 0 if nothing is wrong (warnings and notes are no failure), else 1. Nothing on the server is changed: the key that
is read does not exist, and the write that is tried writes only if it does.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Final

from rich.text import Text

from .._findings import Finding, Step
from .._given import add_url
from .diagnosis import Diagnosis, Level, diagnose, is_fine
from .several import examine_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

__all__ = ["add_arguments", "run"]

STYLES: Final = {Level.NOTE: "cyan", Level.WARNING: "yellow", Level.WRONG: "bold red"}
MOST: Final = 6  # servers that a sentence names
WIDEST: Final = max(len(step.value) for step in Step)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `doctor` takes."""
    add_url(parser)
    parser.add_argument(
        "--read-only", action="store_true", help="try no write: on a replica, or for a user that only reads"
    )
    parser.add_argument("--key-prefix", default="", metavar="TEXT", help="how the keys begin that this user may use")
    parser.add_argument("--json", action="store_true", help="write findings and diagnoses as one JSON object")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Examine, and write what was found as it is found."""
    findings: list[Finding] = []
    for finding in examine_url(arguments.url, read_only=arguments.read_only, key_prefix=arguments.key_prefix):
        if not arguments.json:
            if finding.server != (findings[-1].server if findings else ""):
                console.print(Text(f"\n{finding.server or 'together'}", "bold cyan"), soft_wrap=True)
            console.print(drawn(finding, console), soft_wrap=True)
        findings.append(finding)
    diagnoses = diagnose(findings)
    if arguments.json:
        console.out(json.dumps(as_json(findings, diagnoses)), highlight=False)
    else:
        for diagnosis in diagnoses:
            console.print(explained(diagnosis, console), soft_wrap=True)
        console.print(summed_up(findings, diagnoses), soft_wrap=True)
    return 0 if is_fine(diagnoses) else 1


def as_json(findings: Sequence[Finding], diagnoses: Sequence[Diagnosis]) -> dict[str, object]:
    """Return all of it as `json.dumps` takes it."""
    return {
        "fine": is_fine(diagnoses),
        "url": next((finding.facts["url"] for finding in findings if "url" in finding.facts), None),
        "findings": [finding.as_dict() for finding in findings],
        "diagnoses": [diagnosis.as_dict() for diagnosis in diagnoses],
    }


def drawn(finding: Finding, console: Console) -> Text:
    """Draw one step: its name, whether it went well, how long it took, and what was found."""
    state = Text("failed", "bold red") if finding.code else Text("ok", "green")
    took = "" if finding.seconds is None else f"{finding.seconds * 1000:.1f} ms"
    head = Text(f"{finding.step.value:{WIDEST}}  ", "bold")
    head.append_text(state)
    head.append(f"{took:>{18 - len(state)}}  ", "dim")
    told = not finding.code or finding.said.startswith(finding.code)
    return hanging(head, Text(finding.said if told else f"{finding.code}: {finding.said}"), console)


def explained(diagnosis: Diagnosis, console: Console) -> Text:
    """Draw one diagnosis: what is so, and below it what mends it."""
    head = Text("\n").append(f"{diagnosis.level.value:{WIDEST}}  ", STYLES[diagnosis.level])
    says = Text(diagnosis.says, "bold")
    if diagnosis.servers:
        more = len(diagnosis.servers) - MOST
        says.append(f" ({', '.join(diagnosis.servers[:MOST])}{f' and {more} more' if more > 0 else ''})", "not bold")
    lines = [hanging(head, says, console)]
    lines += [hanging(Text(f"{'':{WIDEST}}  - "), Text(remedy), console) for remedy in diagnosis.remedies]
    return Text("\n").join(lines)


def hanging(head: Text, body: Text, console: Console) -> Text:
    """Join a head and a text that may take several lines, which are then indented; no line ends in spaces."""
    indent = len(head.plain.lstrip("\n"))
    lines = body.wrap(console, max(console.width - indent, 20)) or [Text()]
    whole = head.copy()
    for number, line in enumerate(lines):
        line.rstrip()
        if number:
            whole.append("\n" + " " * indent)
        whole.append_text(line)
    return whole


def summed_up(findings: Sequence[Finding], diagnoses: Sequence[Diagnosis]) -> Text:
    """Say how it is, in one line."""
    counts = {level: sum(one.level is level for one in diagnoses) for level in Level}
    rest = ", ".join(
        f"{count} {level.value}{'s' if count > 1 else ''}"
        for level, count in counts.items()
        if count and level is not Level.WRONG
    )
    if counts[Level.WRONG]:
        causes = ", ".join(dict.fromkeys(one.cause for one in diagnoses if one.level is Level.WRONG))
        return Text(f"\nWrong: {causes}." + (f" ({rest})" if rest else ""), "bold red")
    steps = len({finding.step for finding in findings})
    return Text(f"\nNothing is wrong: {steps} steps" + (f", {rest}." if rest else "."), "bold green")

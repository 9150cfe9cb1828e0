"""`doctor`: checks the set-up, and names the mend for each fault."""

import os
import shutil
import sys
import textwrap
from collections import Counter
from datetime import UTC, datetime

import typer

from greenstream.domain.reports.doctor import Examination, Finding, Level
from greenstream.entrypoints.cli.console import Console, ExitCode, Json, command, is_colourful, stop

COLOURS = {Level.OK: "32", Level.WARNING: "33", Level.FAULT: "1;31"}
INDENT = 30  # the widest level and name of a check, and two spaces


def register(app: typer.Typer) -> None:
    command(app, "doctor", example="greenstream doctor\ngreenstream doctor --json | jq '.checks[] | .mend'")(doctor)


def doctor(console: Console, json: Json = False) -> None:
    """Check the whole set-up (Python, database, storage, disk, clock, time zone), and name the mend for each fault.

    Starts the embedded database if it doesn't run. Exit 0 without a fault, else 1.
    """
    from greenstream.entrypoints.cli.doctor.examination import examine

    findings = []
    for finding in examine(os.environ, lambda: datetime.now(UTC), console.say):
        findings.append(finding)
        if not json:
            console.write(_text(finding), lead=_level(finding))
    counts = Counter(finding.level for finding in findings)
    if json:
        console.emit(_examination(findings, counts))
    else:
        console.write(f"\n{counts[Level.OK]} ok, {_times(counts, Level.WARNING)}, {_times(counts, Level.FAULT)}")
    if counts[Level.FAULT]:
        stop(ExitCode.TROUBLE)


def _examination(findings: list[Finding], counts: Counter[Level]) -> Examination:
    return Examination(checks=findings, warnings=counts[Level.WARNING], faults=counts[Level.FAULT])


def _level(finding: Finding) -> str:
    level = f"{finding.level.value:9}"
    return f"\x1b[{COLOURS[finding.level]}m{level}\x1b[0m" if is_colourful(sys.stdout) else level


def _text(finding: Finding) -> str:
    """One line, with a further one for the mend; wrapped on a terminal."""
    found = f"{finding.check:{INDENT - 9}}{_wrapped(finding.found)}"
    return f"{found}\n{' ' * INDENT}→ {_wrapped(finding.mend)}" if finding.mend else found


def _wrapped(text: str) -> str:
    if not sys.stdout.isatty():
        return text
    width = max(shutil.get_terminal_size().columns - INDENT - 2, 30)
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return f"\n{' ' * INDENT}".join(lines)


def _times(counts: Counter[Level], level: Level) -> str:
    return f"{counts[level]} {level.value}{'' if counts[level] == 1 else 's'}"

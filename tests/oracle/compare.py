"""Field by field, where an implementation and the oracle disagree about a file."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.oracle.reference import Evaluation, Quarantined, Reading

ABSENT = "<absent>"


def differences(
    evaluation: Evaluation,
    actual_rows: Sequence[Mapping[str, Any]],
    actual_quarantined: Sequence[Mapping[str, Any]],
    *,
    ignore: Collection[str] = (),
) -> list[str]:
    """One readable line per difference, none where both agree.

    Rows are paired by `line_number`, in whatever order they come, and carry the names of `Reading` and
    `Quarantined`; names beyond those aren't looked at. Numbers are equal by value, timestamps by instant.
    """
    found = compare("reading", evaluation.readings, actual_rows, ignore)
    found += compare("quarantined", evaluation.quarantined, actual_quarantined, ignore)
    fates = len(actual_rows) + len(actual_quarantined)
    if fates != evaluation.rows:
        found.append(f"rows: expected {evaluation.rows} fates, got {fates}")
    return found


def compare(
    kind: str,
    expected: Sequence[Reading] | Sequence[Quarantined],
    actual: Sequence[Mapping[str, Any]],
    ignore: Collection[str],
) -> list[str]:
    wanted = {each.line_number: asdict(each) for each in expected}
    got = {row["line_number"]: row for row in actual}
    times = Counter(row["line_number"] for row in actual)
    found = [f"{kind} line {line}: comes {count} times" for line, count in times.items() if count > 1]
    found += [f"{kind} line {line}: missing, expected {wanted[line]}" for line in sorted(wanted.keys() - got)]
    found += [f"{kind} line {line}: unexpected, got {dict(got[line])}" for line in sorted(got.keys() - wanted)]
    for line in sorted(wanted.keys() & got):
        found += [
            f"{kind} line {line}: {name}: expected {value!r}, got {got[line].get(name, ABSENT)!r}"
            for name, value in wanted[line].items()
            if name not in ignore and not agree(value, got[line].get(name, ABSENT))
        ]
    return found


def agree(expected: object, actual: object) -> bool:
    if isinstance(expected, tuple):
        return isinstance(actual, list | tuple) and expected == tuple(actual)
    if isinstance(expected, datetime):
        return isinstance(actual, datetime) and actual.tzinfo is not None and expected == actual
    if isinstance(expected, Decimal):
        return expected == number(actual)
    return expected == actual


def number(value: object) -> Decimal | None:
    """A float counts as the shortest decimal that names it: 3.25 is 3.25."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None

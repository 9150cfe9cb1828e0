"""Where the findings of an implementation and of the oracle disagree."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import isclose
from typing import Any

from tests.oracle.history import CODES, Finding

# Half a unit of the sixth digit, where the first five are 10000.
SIX_DIGITS = 5.001e-6
Key = tuple[str, str, datetime]


def compare_findings(expected: Sequence[Finding], actual_rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """One readable line per difference, none where both agree.

    `actual_rows` are rows of `data_quality_log` in any order; those of other rules aren't looked at. They are
    paired by rule, meter and first slot. The figures are looked up in `detail`, which may hold more.
    """
    rows = [row for row in actual_rows if row["rule_id"] in CODES]
    wanted = {(each.rule_id, each.meter_id, each.window_start): each for each in expected}
    got = {key_of(row): row for row in rows}
    found = [f"{named(key)}: comes {count} times" for key, count in Counter(map(key_of, rows)).items() if count > 1]
    found += [f"{named(key)}: missing, expected {wanted[key]}" for key in sorted(wanted.keys() - got.keys())]
    found += [f"{named(key)}: unexpected, got {dict(got[key])}" for key in sorted(got.keys() - wanted.keys())]
    for key in sorted(wanted.keys() & got.keys()):
        found += [f"{named(key)}: {difference}" for difference in differences(wanted[key], got[key])]
    return found


def key_of(row: Mapping[str, Any]) -> Key:
    return row["rule_id"], row["meter_id"], row["window_start"].astimezone(UTC)


def named(key: Key) -> str:
    return f"{key[0]} {key[1]} {key[2]:%Y-%m-%dT%H:%MZ}"


def differences(finding: Finding, row: Mapping[str, Any]) -> list[str]:
    fields = {
        "code": (finding.code, row["code"]),
        "window_end": (finding.window_end, row["window_end"]),
        "resolved": (finding.resolved, row["resolved_at"] is not None),
        "record_id": (finding.record_id, row["record_id"]),
    }
    found = [f"{name}: expected {mine!r}, got {its!r}" for name, (mine, its) in fields.items() if mine != its]
    detail = row["detail"] or {}
    found += [
        f"detail.{name}: expected {value!r}, got {detail.get(name)!r}"
        for name, value in finding.figures.items()
        if not agree(value, detail.get(name))
    ]
    return found


def agree(expected: float, actual: object) -> bool:
    try:
        return isclose(expected, Decimal(str(actual)), rel_tol=SIX_DIGITS, abs_tol=1e-12)
    except InvalidOperation:
        return False

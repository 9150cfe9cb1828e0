"""Whether every row of every file is there exactly once: against a quiet run of the same files."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

from tests.chaos.writers import Sent
from tests.support.harness import Databases, Harness

from greenstream.application.history.settle import settle

READINGS = "SELECT record_id, consumption_kw, flags, quality_score, quality_grade, reading_at FROM meter_readings"
FINDINGS = (
    "SELECT rule_id, code, meter_id, window_start, window_end FROM data_quality_log WHERE window_start IS NOT NULL"
)
RELIABILITY = "SELECT meter_id, reliability, first_seen_at FROM meter_metadata"
CONTENTS = (
    "SELECT DISTINCT encode(sha256, 'hex') AS sha256, outcome, rows, rejected FROM greenstream.source_file"
    " WHERE outcome IN ('loaded', 'rejected')"
)
QUARANTINED = (
    "SELECT encode(f.sha256, 'hex') AS sha256, line_number, code, raw_line, raw_bytes"
    " FROM greenstream.quarantined_row JOIN greenstream.source_file f USING (source_file_id)"
)
STATES: dict[str, LiteralString] = {
    "readings": READINGS,
    "findings": FINDINGS,
    "reliability": RELIABILITY,
    "contents": CONTENTS,
    "quarantined rows": QUARANTINED,
}
"""What must be the same after any course of events, once all is loaded and settled."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What was compared."""

    files: int
    deliveries: int
    rows: int
    stored: int
    rejected: int
    findings: int


def compare(harness: Harness, sent: Sequence[Sent], server_dsn: str, folder: Path) -> Tally:
    """Raise AssertionError where a harness, into which files came somehow, differs from one where all was quiet."""
    contents = {each.sha256: each for each in sent}
    ended = _check_ledger(harness, contents.keys(), {each.sha256 for each in sent if each.surely})
    with Databases(server_dsn, folder).harness(now=harness.now) as quiet:
        for number, sha256 in enumerate(sorted(ended)):
            quiet.load(f"{number}-{contents[sha256].name}", contents[sha256].content)
        for each in (harness, quiet):
            _settle(each)
        for name, query in STATES.items():
            _same(name, harness.query(query), quiet.query(query))
    rows, stored, _, rejected = harness.sums()
    return Tally(
        files=len(ended),
        deliveries=len(harness.query("SELECT FROM source_files")),
        rows=rows,
        stored=stored,
        rejected=rejected,
        findings=len(harness.query(FINDINGS)),
    )


def unfinished(harness: Harness) -> list[str]:
    """The files that lie in the landing zone and have not come to an end."""
    ended = {row["path"] for row in harness.query("SELECT path FROM source_files")}
    waiting = {row["source_file"] for row in harness.query("SELECT source_file FROM waiting_files")}
    dropped = {file.path for file in harness.store.unfiled()}
    return sorted({file.path for file in harness.store.list_landed()} - ended | waiting | dropped)


def _check_ledger(harness: Harness, known: Collection[str], surely: Collection[str]) -> set[str]:
    """The contents that came to an end: all that had to, and none that nobody sent."""
    assert harness.query("SELECT * FROM dead_letters") == []
    harness.assert_adds_up()
    on_disk = {digest(harness, file.path) for file in harness.store.list_landed()}
    ended = {str(row["sha256"]) for row in harness.query(CONTENTS)}
    assert on_disk <= ended, f"{len(on_disk - ended)} landed files have not ended"
    assert ended <= set(known), f"{len(ended - set(known))} halves of files taken"
    missing = set(surely) - ended
    assert not missing, f"{len(missing)} contents missing"
    return ended


def digest(harness: Harness, path: str) -> str:
    return hashlib.sha256(b"".join(harness.store.read(harness.store.head(path)))).hexdigest()


def _settle(harness: Harness) -> None:
    for row in harness.query("SELECT DISTINCT reading_at::date AS day FROM meter_readings ORDER BY 1"):
        with harness.database.history() as history:
            settle(history, harness.lake, harness.site, row["day"], harness.now)


def _same(name: str, got: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> None:
    found, expected = sorted(map(str, got)), sorted(map(str, wanted))
    if found == expected:
        return
    extra, missing = set(found) - set(expected), set(expected) - set(found)
    raise AssertionError(
        f"{name}: {len(found)} instead of {len(expected)}; missing {sorted(missing)[:3]}, extra {sorted(extra)[:3]}"
    )

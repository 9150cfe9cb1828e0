"""Whether every row of every file is there exactly once: against a quiet run of the same files."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

from tests.chaos.writers import Sent
from tests.support.bed import Bed, Databases

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


def compare(bed: Bed, sent: Sequence[Sent], server_dsn: str, folder: Path) -> Tally:
    """Raise AssertionError where a bed, into which files came somehow, differs from one where all was quiet."""
    contents = {each.sha256: each for each in sent}
    ended = _check_ledger(bed, contents.keys(), {each.sha256 for each in sent if each.surely})
    with Databases(server_dsn, folder).bed(now=bed.now) as quiet:
        for number, sha256 in enumerate(sorted(ended)):
            quiet.load(f"{number}-{contents[sha256].name}", contents[sha256].content)
        for each in (bed, quiet):
            _settle(each)
        for name, query in STATES.items():
            _same(name, bed.query(query), quiet.query(query))
    rows, stored, _, rejected = bed.sums()
    return Tally(
        files=len(ended),
        deliveries=len(bed.query("SELECT FROM source_files")),
        rows=rows,
        stored=stored,
        rejected=rejected,
        findings=len(bed.query(FINDINGS)),
    )


def unfinished(bed: Bed) -> list[str]:
    """The files that lie in the landing zone and have not come to an end."""
    ended = {row["path"] for row in bed.query("SELECT path FROM source_files")}
    waiting = {row["source_file"] for row in bed.query("SELECT source_file FROM waiting_files")}
    dropped = {file.path for file in bed.store.unfiled()}
    return sorted({file.path for file in bed.store.list_landed()} - ended | waiting | dropped)


def _check_ledger(bed: Bed, known: Collection[str], surely: Collection[str]) -> set[str]:
    """The contents that came to an end: all that had to, and none that nobody sent."""
    assert bed.query("SELECT * FROM dead_letters") == []
    bed.assert_adds_up()
    on_disk = {digest(bed, file.path) for file in bed.store.list_landed()}
    ended = {str(row["sha256"]) for row in bed.query(CONTENTS)}
    assert on_disk <= ended, f"{len(on_disk - ended)} landed files have not ended"
    assert ended <= set(known), f"{len(ended - set(known))} halves of files taken"
    missing = set(surely) - ended
    assert not missing, f"{len(missing)} contents missing"
    return ended


def digest(bed: Bed, path: str) -> str:
    return hashlib.sha256(b"".join(bed.store.read(bed.store.head(path)))).hexdigest()


def _settle(bed: Bed) -> None:
    for row in bed.query("SELECT DISTINCT reading_at::date AS day FROM meter_readings ORDER BY 1"):
        with bed.database.history() as history:
            settle(history, bed.lake, bed.site, row["day"], bed.now)


def _same(name: str, got: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> None:
    found, expected = sorted(map(str, got)), sorted(map(str, wanted))
    if found == expected:
        return
    extra, missing = set(found) - set(expected), set(expected) - set(found)
    raise AssertionError(
        f"{name}: {len(found)} instead of {len(expected)}; missing {sorted(missing)[:3]}, extra {sorted(extra)[:3]}"
    )

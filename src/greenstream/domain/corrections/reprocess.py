"""What a newer pipeline makes of a file, beside what is stored of it."""

from dataclasses import dataclass

import polars as pl

from greenstream.domain.corrections.rejudge import JUDGED
from greenstream.domain.limits import Limits
from greenstream.domain.readings.schema import REJECTED, STORED
from greenstream.domain.rules import b5_enrichment


@dataclass(frozen=True, kw_only=True)
class RowChanges:
    """What becomes of a file's rows.

    Attributes:
        changed: stored readings with other values now, or from another line: schema STORED, the former values as
            `old_…`, and the `line_number` of now.
        gone: stored readings (schema OF_FILE) that the file no longer gives.
        added: line numbers of rows that pass and aren't stored as this file's; they may be known from another one.
        rejected: rows (schema REJECTED) to be quarantined.
        recoded: quarantined rows (schema REJECTED) that fail for another reason now, or again.
        let_out: line numbers of quarantined rows that pass now.
    """

    changed: pl.DataFrame
    gone: pl.DataFrame
    added: pl.Series
    rejected: pl.DataFrame
    recoded: pl.DataFrame
    let_out: pl.Series


def row_changes(
    stored: pl.DataFrame, quarantine: pl.DataFrame, judged: pl.DataFrame, rejected: pl.DataFrame, limits: Limits
) -> RowChanges:
    """Compare a file's stored readings (OF_FILE) and quarantine (QUARANTINE) with what it gives now.

    `judged` is of schema READINGS, `rejected` of schema REJECTED. What a person decided stays: a row that was
    discarded, or replayed with other content or at another time, is left alone, and so is the reading that came of it.
    """
    ours = stored.filter(~pl.col("let_out"))
    by_person = pl.col("discarded") | (pl.col("replayed") & ~pl.col("line_number").is_in(ours["line_number"].implode()))
    decided = quarantine.filter(by_person)["line_number"].implode()
    kept, undecided = quarantine.filter(~by_person), ~pl.col("line_number").is_in(decided)
    now = judged.filter(undecided).unique("record_id", keep="first", maintain_order=True)
    failing = rejected.filter(undecided).join(
        kept.select("line_number", "replayed", was="code"), on="line_number", how="left"
    )
    passing = kept.filter(~pl.col("replayed") & ~pl.col("line_number").is_in(failing["line_number"].implode()))
    return RowChanges(
        changed=_changed(ours, now, limits),
        gone=ours.join(now, on="record_id", how="anti"),
        added=now.join(stored, on="record_id", how="anti")["line_number"].sort(),
        rejected=failing.filter(pl.col("was").is_null()).select(REJECTED.names()),
        recoded=failing.filter((pl.col("was") != pl.col("code")) | pl.col("replayed")).select(REJECTED.names()),
        let_out=passing["line_number"].sort(),
    )


def _changed(stored: pl.DataFrame, now: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Each meter's reliability is that which its score counts already: settling decides on that."""
    both = stored.rename({column: f"old_{column}" for column in JUDGED}).join(
        now.select("record_id", *JUDGED, reliable_now="reliable", line_now="line_number"), on="record_id"
    )
    points = limits.score_reliability
    score = pl.col("quality_score").cast(pl.Int16) + points * (
        pl.col("reliable").cast(pl.Int16) - pl.col("reliable_now").cast(pl.Int16)
    )
    judged = both.with_columns(quality_score=score.cast(pl.UInt8)).with_columns(
        grade=b5_enrichment.grade(pl.col("quality_score"), limits)
    )
    otherwise = pl.any_horizontal(
        pl.col("line_now") != pl.col("line_number"),
        *(pl.col(column).ne_missing(pl.col(f"old_{column}")) for column in JUDGED),
    )
    kept = (*STORED.names(), *(f"old_{column}" for column in JUDGED))
    return judged.filter(otherwise).select(*kept, line_number="line_now")

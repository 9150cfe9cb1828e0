"""Stored readings judged anew by the present rules. Who a reading is (meter, time, energy text) stays."""

from dataclasses import dataclass

import polars as pl

from greenstream.domain.codes import Flag
from greenstream.domain.readings.judge import judge_energies, judge_times
from greenstream.domain.rules import CATALOGUE, b5_enrichment
from greenstream.domain.site import Site

JUDGED = ("power", "flags", "quality_score", "grade", "period", "season")


@dataclass(frozen=True, kw_only=True)
class RuleReach:
    """What a rule may have done to rows: those with `flags` (0: any) when it is of stored ones; and rejected ones."""

    flags: int
    stored: bool
    rejected: bool


def reach_of(rule_id: str) -> RuleReach:
    """What to look at again after a rule was fixed.

    An inferred timestamp is part of who a reading is, so B2.2 is of rejected rows only; and so is whatever no stored
    column follows from.

    Raises:
        KeyError: there is no such rule on a row.
    """
    rules = [rule for rule in CATALOGUE if rule.id == rule_id]
    if rule_id != "parse" and not rules:
        raise KeyError(rule_id)
    flags = [rule.flag for rule in rules if rule.flag not in (None, Flag.TIMESTAMP_INFERRED)]
    return RuleReach(
        flags=sum(flag.bit for flag in flags if flag),
        stored=bool(flags) or rule_id in ("B1.1", "B1.3", "B5.1", "B5.2", "B5.3"),
        rejected=rule_id == "parse" or any(rule.rejection for rule in rules),
    )


def rejudge(stored: pl.DataFrame, site: Site, *, decimal_comma: bool) -> pl.DataFrame:
    """The readings (schema STORED) that come out otherwise now.

    Returns:
        STORED with the new values, and beside each of JUDGED the former one as `old_…`.
    """
    texts = stored["energy_value"].drop_nulls().unique()
    energies = judge_energies(texts, site.limits, decimal_comma=decimal_comma)
    times = judge_times(stored["reading_at"].unique(), site).drop("timestamp_utc", "day")
    judged = (
        stored.rename({column: f"old_{column}" for column in JUDGED})
        .join(energies, on="energy_value", how="left", nulls_equal=True, maintain_order="left")
        .join(times, on="reading_at", how="left", maintain_order="left")
        .with_columns(inferred=(pl.col("old_flags") & Flag.TIMESTAMP_INFERRED.bit) != 0)
        .with_columns(
            flags=pl.col("energy_flags") + (pl.col("old_flags") & Flag.TIMESTAMP_INFERRED.bit),
            quality_score=b5_enrichment.quality_score(
                measured=pl.col("measured"),
                inferred=pl.col("inferred"),
                valid=pl.col("valid"),
                in_range=pl.col("in_range"),
                reliable=pl.col("reliable"),
                limits=site.limits,
            ),
        )
        .with_columns(grade=b5_enrichment.grade(pl.col("quality_score"), site.limits))
    )
    otherwise = pl.any_horizontal(pl.col(column).ne_missing(pl.col(f"old_{column}")) for column in JUDGED)
    return judged.filter(otherwise).select(*stored.columns, *(f"old_{column}" for column in JUDGED))

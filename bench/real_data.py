"""The history rules on real homes: which share of their days each rule flags.

    python -m bench.real_data FOLDER

The folder holds CSV files with a row an interval of 15 minutes and a column a home: first the local time, such as
`1-1-2013 00:15`, then the Wh of the interval. What is flagged there is not known to be a fault; of meters that were
read and corrected by their operator nearly all of it is a false alarm.
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl

from greenstream.domain.codes import FindingCode
from greenstream.domain.history import stretches
from greenstream.domain.history.findings import find, lookback
from greenstream.domain.history.grid import FAR, MISSING, DayValues, Past
from greenstream.domain.history.values import Days
from greenstream.domain.limits import Limits
from greenstream.domain.readings.schema import UNITS_PER_KW
from greenstream.domain.rules import HISTORY_RULES

LIMITS = Limits()
DAY_SLOTS = 24 * 60 // LIMITS.interval_minutes
KW_PER_WH = 60 / LIMITS.interval_minutes / 1000


def homes_in(path: Path) -> pl.DataFrame:
    """Slot, and kW of each home; slots are counted as if local time had no summer."""
    wide = pl.read_csv(path, infer_schema_length=None)
    time, *homes = wide.columns
    instant = pl.col(time).str.to_datetime("%d-%m-%Y %H:%M", time_unit="us").dt.epoch("s")
    return wide.select(
        (instant // (LIMITS.interval_minutes * 60)).alias("slot"),
        *[pl.col(home).cast(pl.Float64) * KW_PER_WH for home in homes],
    ).unique("slot", keep="last")


def values_of(homes: pl.DataFrame) -> DayValues:
    """All that the homes sent, as if it were of one long day."""
    slot = homes["slot"].to_numpy()
    kw = homes.drop("slot").to_numpy().T
    values = np.full((len(kw), int(slot.max() - slot.min()) + 1), MISSING, dtype=np.int32)
    values[:, slot - slot.min()] = np.where(np.isnan(kw), MISSING, np.round(kw * UNITS_PER_KW))
    return DayValues(slots=range(int(slot.min()), int(slot.max()) + 1), meters=np.arange(len(kw)), values=values)


def past_of(homes: DayValues) -> Past:
    """A past that begins `lookback` slots before the homes do, so that the rules judge every slot."""
    return stretches.past_of(
        [homes],
        keys=homes.meters,
        begins=homes.slots.start + np.argmax(homes.values != MISSING, axis=1),
        ends=np.full(len(homes.meters), FAR),
        start=homes.slots.start - lookback(LIMITS),
        stop=homes.slots.stop,
        limits=LIMITS,
    )


def days_of(homes: DayValues) -> Days:
    """The whole days."""
    starts = np.arange(-(-homes.slots.start // DAY_SLOTS) * DAY_SLOTS, homes.slots.stop - DAY_SLOTS + 1, DAY_SLOTS)
    return Days(first=starts, last=starts + DAY_SLOTS - 1, adjoining=np.ones(len(starts), dtype=np.bool_))


def flagged_days(found: pl.DataFrame) -> pl.DataFrame:
    """Each meter and day that a finding's window touches, once a code."""
    days = pl.int_ranges(pl.col("first") // DAY_SLOTS, pl.col("last") // DAY_SLOTS + 1)
    return found.select("code", "meter_key", day=days).explode("day").unique()


def constant_days(flagged: pl.DataFrame, homes: DayValues) -> int:
    """On how many of the flagged meter-days the meter shows one value throughout."""
    start = flagged["day"].to_numpy() * DAY_SLOTS - homes.slots.start
    fits = (start >= 0) & (start + DAY_SLOTS <= len(homes.slots))
    rows, columns = flagged["meter_key"].to_numpy()[fits], start[fits, None] + np.arange(DAY_SLOTS)
    values = homes.values[rows[:, None], columns]
    return int((values.min(axis=1) == values.max(axis=1)).sum())


def report(path: Path) -> None:
    sent = values_of(homes_in(path))
    days = days_of(sent)
    found = find(past_of(sent), sent.slots.start, days, LIMITS)
    flagged = flagged_days(found)
    meters, meter_days = len(sent.meters), len(sent.meters) * len(days.first)
    print(f"{path.name}: {meters} homes, {len(days.first)} days, {meter_days:,} meter-days")
    for rule in HISTORY_RULES:
        of_rule = flagged.filter(code=rule.finding)
        findings, homes = found.filter(code=rule.finding).height, of_rule["meter_key"].n_unique()
        print(
            f"  {rule.id}  {rule.finding:<22}{of_rule.height / meter_days:8.3%} of the meter-days, "
            f"{homes:3} homes, {findings:6,} findings"
        )
    stuck = flagged.filter(code=FindingCode.STUCK_METER)
    print(
        f"  of {stuck.height:,} meter-days with {FindingCode.STUCK_METER}, {constant_days(stuck, sent):,} are constant"
    )


def main(folder: Path) -> int:
    paths = sorted(folder.glob("*.csv"))
    for path in paths:
        report(path)
    return 0 if paths else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

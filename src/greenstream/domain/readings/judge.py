"""A parsed file through the row rules: each distinct text is judged once, then each row is put together."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice

import polars as pl

from greenstream.domain.codes import Flag
from greenstream.domain.formats import ParsedFile
from greenstream.domain.formats.timestamps import read_timestamps
from greenstream.domain.limits import Limits
from greenstream.domain.readings.schema import (
    CODE,
    ENERGIES,
    INSTANT,
    LOCATIONS,
    READINGS,
    REJECTED,
    ROWS,
    TIMES,
    conform,
)
from greenstream.domain.rules import b1_units, b2_missing, b3_ranges, b5_enrichment, b6_metadata
from greenstream.domain.site import Site

BATCH_ROWS = 125_000
PARALLEL_BATCHES = 4
ENERGY_FLAGS = (Flag.INVALID_VALUE, Flag.INVALID_UNIT, Flag.MISSING_READING, Flag.OUT_OF_RANGE)


@dataclass(frozen=True, kw_only=True)
class EvaluatedFile:
    """The rows to store (schema ROWS), the dictionaries they refer to, and the rejected rows (schema REJECTED)."""

    rows: pl.DataFrame
    rejected: pl.DataFrame
    meters: pl.Series
    times: pl.DataFrame
    energies: pl.DataFrame
    locations: pl.DataFrame
    limits: Limits

    def in_store_order(self) -> "EvaluatedFile":
        """The same rows by meter, time and line: as the index wants them, and as locks must be taken."""
        meter_rank = self.meters.rank("dense").cast(pl.UInt64)
        time_rank = self.times["reading_at"].rank("dense").cast(pl.UInt64)
        key = meter_rank.gather(self.rows["meter"]) * 2**32 + time_rank.gather(self.rows["time"])
        if key.is_sorted():
            return self
        return replace(
            self, rows=self.rows[key.to_frame().with_row_index("at").sort(key.name, maintain_order=True)["at"]]
        )

    def only(self, line_numbers: pl.Series) -> "EvaluatedFile":
        """The rows and rejected rows of these lines, judged in the company of all others."""
        chosen = pl.col("line_number").is_in(line_numbers.implode())
        rows, meters = _only_used(self.rows.filter(chosen), self.meters)
        return replace(self, rows=rows.pipe(conform, ROWS), meters=meters, rejected=self.rejected.filter(chosen))

    def days(self) -> list[date]:
        """The local days the rows lie in, in order."""
        return self.times["day"].gather(self.rows["time"].unique()).unique().sort().to_list()

    def newest_locations(self) -> pl.Series:
        """The code of the location of each meter's newest row, that of no location for a meter without rows."""
        last = self.in_store_order().rows.group_by("meter").agg(pl.col("location").last())
        meters = pl.DataFrame({"meter": pl.int_range(len(self.meters), dtype=CODE, eager=True)})
        joined = meters.join(last, on="meter", how="left", maintain_order="left")
        return joined["location"].fill_null(self.locations.height - 1)

    def readings(self, reliable: pl.Series, batch_rows: int = BATCH_ROWS) -> Iterator[pl.DataFrame]:
        """The rows in full (schema READINGS), a batch at a time; `reliable` (Boolean) has one value a meter."""
        slices = self.rows.iter_slices(batch_rows)
        while several := list(islice(slices, PARALLEL_BATCHES)):
            yield from pl.collect_all([self._in_full(rows, reliable) for rows in several])

    def _in_full(self, rows: pl.DataFrame, reliable: pl.Series) -> pl.LazyFrame:
        energy, time = rows["energy"], rows["time"]
        energies = {c: self.energies[c].gather(energy) for c in self.energies.columns}
        times = {c: self.times[c].gather(time) for c in self.times.columns}
        full = pl.LazyFrame(
            {
                **rows.select("line_number", "meter", "location", "inferred").to_dict(),
                **times,
                **energies,
                "meter_id": self.meters.gather(rows["meter"]),
                "reliable": reliable.gather(rows["meter"]),
            }
        )
        score = b5_enrichment.quality_score(
            measured=pl.col("measured"),
            inferred=pl.col("inferred"),
            valid=pl.col("valid"),
            in_range=pl.col("in_range"),
            reliable=pl.col("reliable"),
            limits=self.limits,
        )
        return full.with_columns(
            record_id=b6_metadata.record_id("meter_id", "timestamp_utc", "energy_value"),
            flags=pl.col("energy_flags") + _flags(Flag.TIMESTAMP_INFERRED),
            quality_score=score,
            grade=b5_enrichment.grade(score, self.limits),
        ).select(READINGS.names())


def evaluate(parsed: ParsedFile, site: Site, *, received_at: datetime, now: datetime) -> EvaluatedFile:
    """Apply B1 to B6 to all rows of a file; what they need from the meter's past comes with `readings`.

    Args:
        parsed: the file.
        site: where the meters are.
        received_at: when the file landed.
        now: the time of processing.
    """
    timed = _time_rows(parsed, site, received_at=received_at, now=now)
    if timed.rows["code"].null_count() == timed.rows.height:
        stored, rejected, meters = timed.rows, parsed.rejected, parsed.meters
    else:
        fine = pl.col("code").is_null()
        stored, meters = _only_used(timed.rows.filter(fine), parsed.meters)
        rejected = pl.concat([parsed.rejected, timed.rows.filter(~fine).pipe(conform, REJECTED)]).sort("line_number")
    rows = stored.with_columns(
        pl.col("energy").fill_null(len(parsed.energies)), pl.col("location").fill_null(len(parsed.locations))
    )
    return EvaluatedFile(
        rows=rows.pipe(conform, ROWS),
        rejected=rejected,
        meters=meters,
        times=judge_times(timed.instants, site),
        energies=judge_energies(parsed.energies, site.limits, decimal_comma=parsed.decimal_comma),
        locations=judge_locations(parsed.locations),
        limits=site.limits,
    )


def _only_used(rows: pl.DataFrame, meters: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
    """Leave out the meters all of whose rows were rejected: only a reading makes a meter known."""
    used = rows["meter"].unique().sort()
    codes = pl.DataFrame({"meter": used}).with_row_index("position")
    recoded = rows.join(codes, on="meter", how="left", maintain_order="left")
    return recoded.with_columns(meter="position").drop("position"), meters.gather(used)


def judge_energies(texts: pl.Series, limits: Limits, *, decimal_comma: bool) -> pl.DataFrame:
    """B1, B2.1 and B3.1 for each distinct energy text and, at the end, for null: schema ENERGIES."""
    energy_value, number, scaled, power = (pl.col(c) for c in ("energy_value", "number", "scaled", "power"))
    with_null = (
        texts.alias("energy_value")
        .to_frame()
        .vstack(pl.DataFrame({"energy_value": [None]}, schema={"energy_value": pl.String}))
    )
    return (
        with_null.with_columns(number=b1_units.number_and_unit(energy_value, decimal_comma=decimal_comma))
        .with_columns(scaled=b1_units.scale(number, b1_units.watts_to_kilowatts(number)))
        .with_columns(
            invalid_value=b1_units.invalid_value(energy_value, number, scaled, limits),
            invalid_unit=b1_units.invalid_unit(number),
            missing_reading=b2_missing.missing_reading(energy_value),
        )
        .with_columns(power=pl.when(~pl.col("invalid_value")).then(b1_units.round_half_away(scaled)))
        .with_columns(out_of_range=b3_ranges.out_of_range(power, limits))
        .with_columns(
            energy_flags=_flags(*ENERGY_FLAGS),
            measured=~pl.col("missing_reading"),
            valid=~(pl.col("invalid_value") | pl.col("invalid_unit")),
            in_range=power.is_not_null() & ~pl.col("out_of_range"),
        )
        .pipe(conform, ENERGIES)
    )


def judge_times(instants: pl.Series, site: Site) -> pl.DataFrame:
    """B5.1, B5.2 and the text for B6.2 for each distinct instant: schema TIMES."""
    local = pl.col("reading_at").dt.convert_time_zone(site.timezone)
    return (
        instants.alias("reading_at")
        .to_frame()
        .select(
            "reading_at",
            timestamp_utc=b6_metadata.timestamp_utc(pl.col("reading_at")),
            day=local.dt.date(),
            period=b5_enrichment.period(local, site.limits),
            season=b5_enrichment.season(local),
        )
        .pipe(conform, TIMES)
    )


def judge_locations(texts: pl.Series) -> pl.DataFrame:
    """Customer class and region for each distinct location and, at the end, for none: schema LOCATIONS."""
    location = pl.col("location")
    return (
        pl.concat([texts.alias("location"), pl.Series("location", [None], dtype=pl.String)])
        .to_frame()
        .select(location, customer_class=b5_enrichment.customer_class(location), region=b5_enrichment.region(location))
        .pipe(conform, LOCATIONS)
    )


def _flags(*flags: Flag) -> pl.Expr:
    """The sum of the bits of those flags whose condition, the column of their name, holds."""
    columns = {Flag.TIMESTAMP_INFERRED: "inferred"}
    bits = (pl.col(columns.get(f, f.lower())).cast(pl.UInt8) * pl.lit(f.bit, dtype=pl.UInt8) for f in flags)
    return pl.sum_horizontal(bits).cast(pl.UInt8)


@dataclass(frozen=True, kw_only=True)
class _TimedRows:
    """Rows with `time` (a position in `instants`), `inferred` and `code` (a Rejection or null)."""

    rows: pl.DataFrame
    instants: pl.Series


def _time_rows(parsed: ParsedFile, site: Site, *, received_at: datetime, now: datetime) -> _TimedRows:
    """Give each row its instant. Meters with nothing odd about their timestamps take the short way."""
    read = read_timestamps(parsed.timestamps, site.timezone)
    plain = read.select(
        (
            b3_ranges.timestamp_in_range(pl.col("earliest"), now, site.limits)
            & (pl.col("earliest") == pl.col("latest"))
        ).fill_null(value=False)
    ).to_series()
    records = parsed.records
    odd = ~_gather(plain, records["timestamp"]).fill_null(value=False)
    if not odd.any():
        return _TimedRows(rows=_as_read(records), instants=read["earliest"])
    at = _rows_of(records["meter"], records["meter"].filter(odd))
    rest = records[at]
    resolved = b2_missing.resolve_timestamps(
        rest.select("meter", *(_gather(read[c], rest["timestamp"]).alias(c) for c in read.columns)),
        received_at=received_at,
        now=now,
        limits=site.limits,
    )
    if resolved["alone"].any():
        others = records["timestamp"].scatter(at, None).drop_nulls().unique()
        slots = b2_missing.slots_read(resolved, _gather(read["earliest"], others), site.limits)
        resolved = b2_missing.infer_from_snapshot(resolved, slots, now, site.limits)
    return _corrected(records, at, resolved, read["earliest"])


def _rows_of(meters: pl.Series, chosen: pl.Series) -> pl.Series:
    """The positions of all rows of the chosen meters; codes of meters are small, so this needs no hashing."""
    highest = meters.max()
    assert isinstance(highest, int)
    is_chosen = pl.repeat(value=False, n=highest + 1, eager=True).scatter(chosen.unique(), True)
    return is_chosen.gather(meters).arg_true()


def _as_read(records: pl.DataFrame) -> pl.DataFrame:
    return records.rename({"timestamp": "time"}).with_columns(
        inferred=pl.lit(value=False), code=pl.lit(None, dtype=pl.String)
    )


def _corrected(records: pl.DataFrame, at: pl.Series, resolved: pl.DataFrame, instants: pl.Series) -> _TimedRows:
    """The rows as read, but for those `at` some positions; the resolved instants go behind those that were read."""
    distinct = resolved["reading_at"].unique()
    codes = resolved.select("reading_at").join(
        distinct.to_frame().with_row_index("time", len(instants)),
        on="reading_at",
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )["time"]
    rows = _as_read(records)
    rows = rows.with_columns(
        rows["time"].scatter(at, codes),
        rows["inferred"].scatter(at, resolved["inferred"]),
        rows["code"].scatter(at, resolved["code"]),
    )
    return _TimedRows(rows=rows, instants=pl.concat([instants, distinct.cast(INSTANT)]))


def _gather(values: pl.Series, positions: pl.Series) -> pl.Series:
    if not len(values):
        return pl.repeat(None, len(positions), dtype=values.dtype, eager=True)
    return values.gather(positions)

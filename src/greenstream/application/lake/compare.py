"""Whether the lake holds what it should: its bytes, its record_ids, and those of the database."""

from collections.abc import Iterator, Mapping

import polars as pl

from greenstream.domain.errors import LakeDamaged
from greenstream.domain.lake.archive import Checksum, checksum, id_bytes, with_record_ids
from greenstream.domain.lake.lifetimes import DayFacts
from greenstream.domain.lake.manifest import Manifest, ReadingsFile
from greenstream.ports.lake import DaySnapshot, Lake


def differences(facts: DayFacts, snapshot: DaySnapshot, lake: Lake) -> Iterator[str]:
    """What speaks against the lake holding the day's readings that the database has, in a line each.

    Every record_id is computed anew from the lake's columns. Of a retired day the database has some meters only, and
    only those are compared; of one that isn't archived as it is now, none.
    """
    try:
        manifest = lake.manifest(facts.day)
    except LakeDamaged as error:
        yield str(error)
        return
    if manifest is None:
        if facts.is_archived or facts.retired_at:
            yield f"{facts.day} is not in the lake"
        return
    only = meters_here(snapshot) if facts.retired_at else None
    found: dict[str, Checksum] = {}
    for file in manifest.readings:
        try:
            all_of_it, part = _checksums(file, lake, only)
        except LakeDamaged as error:
            yield str(error)
            continue
        if all_of_it != file.checksum:
            yield f"{file.path} holds {all_of_it.rows} readings, not the {file.rows} of its manifest, or other ones"
        found[file.region] = part
    if facts.is_archived:
        yield from _against_database(facts, manifest, found, snapshot.checksums())


def meters_here(snapshot: DaySnapshot) -> pl.Series:
    """The meter_ids of the meters whose readings of the day are in the database."""
    return snapshot.meters().filter(pl.col("meter_key").is_in(list(snapshot.keys())))["meter_id"]


def _checksums(file: ReadingsFile, lake: Lake, only: pl.Series | None) -> tuple[Checksum, Checksum]:
    """Of all readings of an object, and of those of some meters."""
    whole, part = Checksum(), Checksum()
    for batch in lake.batches(file):
        rows = with_record_ids(batch)
        whole += checksum(id_bytes(rows["record_id"]))
        if only is not None:
            part += checksum(id_bytes(rows.filter(pl.col("meter_id").is_in(only.implode()))["record_id"]))
    return whole, whole if only is None else part


def _against_database(
    facts: DayFacts, manifest: Manifest, lake: Mapping[str, Checksum], database: Mapping[str, Checksum]
) -> Iterator[str]:
    for region in sorted({*(file.region for file in manifest.readings), *database}):
        here, there = database.get(region, Checksum()), lake.get(region, Checksum())
        if here.rows != there.rows:
            yield f"{facts.day} {region}: {here.rows} readings in the database, {there.rows} in the lake"
        elif here != there:
            yield f"{facts.day} {region}: {here.rows} readings in the database and in the lake, but not the same ones"

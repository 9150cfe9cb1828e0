"""The lake behind its port: Parquet objects and manifests in the store."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import polars as pl

from greenstream.adapters.storage import ObjectStore
from greenstream.adapters.temporary import temporary_folder
from greenstream.domain.errors import LakeDamaged, NotFound, StorageRefused
from greenstream.domain.lake.archive import Checksum, checksum, id_bytes, with_record_ids
from greenstream.domain.lake.keys import load_curves_key, manifest_key, meter_days_key, month_key, reading_key
from greenstream.domain.lake.manifest import LakeFile, Manifest, ReadingsFile, Written, read_manifest
from greenstream.domain.readings.schema import ARCHIVED, LAKE, METER_DAYS
from greenstream.domain.site import Site

ROW_GROUP_ROWS = 262_144
BATCH_ROWS = 500_000


class ObjectLake:
    """Behind the port `Lake`. `version` is that of the pipeline, which each manifest names."""

    def __init__(self, store: ObjectStore, *, version: str) -> None:
        self._store = store
        self._version = version

    def manifest(self, day: date) -> Manifest | None:
        key = manifest_key(day)
        try:
            return read_manifest(b"".join(self._store.read(self._store.head(key))))
        except NotFound:
            return None
        except ValueError as error:
            raise LakeDamaged(f"{key} in {self._store} can't be read: {error}; restore it from a backup") from error

    @contextmanager
    def reading(self, day: date) -> Iterator["ObjectDayReader"]:
        manifest = self.manifest(day)
        if manifest is None:
            raise LakeDamaged(
                f"{manifest_key(day)} is missing in {self._store}, though {day} was archived: restore it from a backup"
            )
        with temporary_folder("lake") as folder:
            yield ObjectDayReader(self, manifest, folder)

    def batches(self, file: ReadingsFile) -> Iterator[pl.DataFrame]:
        with temporary_folder("lake") as folder:
            frame = self.fetch(file, folder / "object.parquet")
            for start in range(0, file.rows, BATCH_ROWS):
                yield frame.slice(start, BATCH_ROWS).collect()

    def fetch(self, file: ReadingsFile, target: Path) -> pl.LazyFrame:
        """Copy an object to a file of this machine; its readings (schema ARCHIVED)."""
        return pl.scan_parquet(self.copied(file, target)).select(*LAKE.names(), region=pl.lit(file.region))

    def copied(self, file: LakeFile, target: Path) -> Path:
        """The object as a file of this machine, checked on the way."""
        with _scratch(target.parent), target.open("wb") as out:
            self._read_checked(file, out.write)
        return target

    def strays(self, manifest: Manifest) -> list[str]:
        named = {file.path for file in manifest.readings}
        keys = (
            reading_key(manifest.day, region) for region in map(_region, self._store.folders(month_key(manifest.day)))
        )
        return [key for key in keys if key not in named and self._is_there(key)]

    def _is_there(self, key: str) -> bool:
        try:
            self._store.head(key)
        except NotFound:
            return False
        return True

    def check(self, file: LakeFile) -> None:
        self._read_checked(file, lambda chunk: None)

    def _read_checked(self, file: LakeFile, take: Callable[[bytes], object]) -> None:
        digest = hashlib.sha256()
        try:
            for chunk in self._store.read(self._store.head(file.path)):
                digest.update(chunk)
                take(chunk)
        except NotFound as error:
            raise LakeDamaged(f"{file.path} is missing in {self._store}, though its manifest names it") from error
        if digest.hexdigest() != file.sha256:
            raise LakeDamaged(f"{file.path} in {self._store} isn't what was written: its checksum differs")

    @contextmanager
    def writing(self, day: date) -> Iterator["ObjectDayWriter"]:
        with temporary_folder("lake") as folder:
            yield ObjectDayWriter(self, day, folder)

    def replace(self, manifest: Manifest, objects: dict[str, Path]) -> Written:
        """Put the objects that the store hasn't like this, then the manifest; then drop what it names no more.

        What the manifest names and `objects` hasn't stays as it is.
        """
        written = [file for file in manifest.files if file.path in objects]
        changed = [file.path for file in written if self._put(file, objects[file.path])]
        key, content, before = manifest_key(manifest.day), manifest.to_json(), self._readable_manifest(manifest.day)
        if before != manifest:
            self._store.put(key, content)
            changed.append(key)
        named = {file.path for file in manifest.files}
        for gone in before.files if before else ():
            if gone.path not in named:
                self._store.remove(gone.path)
                changed.append(gone.path)
        return Written(manifest=manifest, changed=tuple(changed))

    def _readable_manifest(self, day: date) -> Manifest | None:
        try:
            return self.manifest(day)
        except LakeDamaged:
            return None

    @property
    def version(self) -> str:
        return self._version

    def _put(self, file: LakeFile, content: Path) -> bool:
        if self._holds(file):
            return False
        self._store.put(file.path, content)
        return True

    def _holds(self, file: LakeFile) -> bool:
        try:
            self.check(file)
        except LakeDamaged:
            return False
        return True


class ObjectDayReader:
    """Behind the port `DayReader`; objects are fetched when they are first asked for."""

    def __init__(self, lake: ObjectLake, manifest: Manifest, folder: Path) -> None:
        self._manifest = manifest
        self._lake = lake
        self._folder = folder
        self._frames: list[pl.LazyFrame] | None = None

    def meters(self, source_file: str | None = None) -> frozenset[str]:
        chosen = pl.lit(value=True) if source_file is None else pl.col("source_file") == source_file
        frames = [frame.filter(chosen).select(pl.col("meter_id").unique()) for frame in self._fetched()]
        ids = [each["meter_id"] for each in pl.collect_all(frames)]
        return frozenset().union(*(each.to_list() for each in ids))

    def meter_days(self) -> pl.DataFrame:
        return pl.read_parquet(self._lake.copied(self._manifest.meter_days, self._folder / "meter_days.parquet"))

    def load_curves(self) -> pl.DataFrame:
        return pl.read_parquet(self._lake.copied(self._manifest.load_curves, self._folder / "load_curves.parquet"))

    def regions_of(self, meter_id: str) -> frozenset[str]:
        own = [frame.filter(pl.col("meter_id") == meter_id).select("region").head(1) for frame in self._fetched()]
        return frozenset(pl.concat([pl.Series(dtype=pl.String), *(each["region"] for each in pl.collect_all(own))]))

    def of(self, meters: Sequence[str]) -> pl.DataFrame:
        wanted = pl.Series(meters, dtype=pl.String).implode()
        found = [frame.filter(pl.col("meter_id").is_in(wanted)) for frame in self._fetched()] if meters else []
        return pl.concat([pl.DataFrame(schema=ARCHIVED), *pl.collect_all(found)])

    def _fetched(self) -> list[pl.LazyFrame]:
        if self._frames is None:
            self._frames = [
                self._lake.fetch(file, self._folder / f"{number}.parquet")
                for number, file in enumerate(self._manifest.readings)
            ]
        return self._frames


@dataclass
class _Region:
    """What has been added of a region so far."""

    parts: list[Path] = field(default_factory=list)
    checksum: Checksum = field(default_factory=Checksum)
    first: datetime | None = None
    last: datetime | None = None

    def span(self, times: pl.Series) -> None:
        first, last = times.min(), times.max()
        assert isinstance(first, datetime)
        assert isinstance(last, datetime)
        self.first = min(first, self.first or first)
        self.last = max(last, self.last or last)


class ObjectDayWriter:
    """Behind the port `DayWriter`: batches are kept in a folder of this machine, so memory holds one of them."""

    def __init__(self, lake: ObjectLake, day: date, folder: Path) -> None:
        self._lake = lake
        self._day = day
        self._folder = folder
        self._regions: dict[str, _Region] = defaultdict(_Region)
        self._kept: list[ReadingsFile] = []
        self._meter_days: list[pl.DataFrame] = []

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self._kept) + sum(each.checksum.rows for each in self._regions.values())

    def keep(self, file: ReadingsFile) -> None:
        self._kept.append(file)

    def add(self, rows: pl.DataFrame) -> None:
        for (region,), part in with_record_ids(rows).partition_by("region", as_dict=True, maintain_order=True).items():
            known = self._regions[str(region)]
            path = self._folder / f"{region}-{len(known.parts)}.arrow"
            with _scratch(self._folder):
                part.select(LAKE.names()).write_ipc(path, compression="lz4")
            known.parts.append(path)
            known.checksum += checksum(id_bytes(part["record_id"]))
            known.span(part["reading_at"])

    def add_meter_days(self, rows: pl.DataFrame) -> None:
        self._meter_days.append(rows)

    def finish(self, load_curves: pl.DataFrame, site: Site) -> Written:
        meter_days = pl.concat([pl.DataFrame(schema=METER_DAYS), *self._meter_days])
        objects: dict[str, Path] = {}
        written = (self._readings_file(region, objects) for region in self._regions)
        manifest = Manifest(
            day=self._day,
            timezone=site.timezone,
            interval_minutes=site.limits.interval_minutes,
            pipeline_version=self._lake.version,
            readings=tuple(sorted((*self._kept, *written), key=lambda file: file.region)),
            meter_days=self._file(meter_days_key(self._day), meter_days.lazy(), objects),
            load_curves=self._file(load_curves_key(self._day), load_curves.lazy(), objects),
        )
        return self._lake.replace(manifest, objects)

    def _readings_file(self, region: str, objects: dict[str, Path]) -> ReadingsFile:
        known = self._regions[region]
        file = self._file(reading_key(self._day, region), pl.scan_ipc(known.parts), objects)
        assert known.first is not None
        assert known.last is not None
        assert file.rows == known.checksum.rows
        return ReadingsFile(
            path=file.path,
            rows=file.rows,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            region=region,
            digest=known.checksum.digest,
            first_reading_at=known.first,
            last_reading_at=known.last,
        )

    def _file(self, key: str, rows: pl.LazyFrame, objects: dict[str, Path]) -> LakeFile:
        path = self._folder / f"{len(objects)}.parquet"
        with _scratch(self._folder):
            rows.sink_parquet(path, compression="snappy", row_group_size=ROW_GROUP_ROWS, maintain_order=True)
        objects[key] = path
        count = pl.scan_parquet(path).select(pl.len()).collect().item()
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        return LakeFile(path=key, rows=count, size_bytes=path.stat().st_size, sha256=digest)


@contextmanager
def _scratch(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pl.exceptions.ComputeError) as error:
        reason = str(error).splitlines()[0]
        raise StorageRefused(
            f"the temporary folder {folder} can't be written to: {reason}; free some space, or set TMPDIR to a folder "
            "on another disk"
        ) from error


def _region(folder: str) -> str:
    return folder.removeprefix("region=")

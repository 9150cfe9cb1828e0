"""A bucket of S3 as a store: obstore reads and writes, signed requests list exact keys and versions."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby, takewhile
from operator import attrgetter
from typing import TYPE_CHECKING

from obstore.store import S3Store

from greenstream.adapters.storage.backend import LandedFile, OnStray, ignore
from greenstream.adapters.storage.bucket import Bucket, etag_text, id_text, version_id
from greenstream.adapters.storage.bucket_versions import Listings, Page, Version
from greenstream.adapters.storage.landing_keys import Place, is_landing, placed, unreadable
from greenstream.adapters.storage.signed import SignedRequests
from greenstream.domain.landing import Stray

if TYPE_CHECKING:
    from obstore import ObjectMeta

_BY_KEY = attrgetter("key")
_TAKEN = {Place.FILE, Place.DROP}


class S3Bucket(Bucket):
    """Objects in S3. Where the bucket has versions, and lets us list them, each landed one is a file of its own.

    An upload in parts that is cut off leaves parts behind that no listing shows: let a lifecycle rule of the bucket
    abort incomplete multipart uploads.
    """

    def __init__(self, store: S3Store, name: str, requests: SignedRequests) -> None:
        super().__init__(store, name)
        self._requests = requests
        self._prefix = f"{store.prefix}/" if store.prefix else ""
        self._listings = Listings(requests, self._prefix)

    def list(self, folder: str, on_stray: OnStray = ignore) -> Iterator[LandedFile]:
        """In the landing zone, of each key the versions since it was last deleted, the oldest first."""
        if not is_landing(folder):
            return self._newest(sorted(self._versions(folder), key=_BY_KEY))
        return self._undeleted(sorted(self._placed(folder, on_stray), key=_BY_KEY))

    def walk(self, folder: str) -> Iterator[LandedFile]:
        return self._newest(self._versions(folder, deep=True))

    def folders(self, folder: str, on_stray: OnStray = ignore) -> Iterator[str]:
        keys = [self._key(each) for page in self._pages(folder) for each in page.folders]
        _name_strays(keys if is_landing(folder) else (), on_stray)
        return iter(sorted(key.split("/")[-2] for key in keys if not unreadable(key)))

    def delete(self, file: LandedFile) -> bool:
        """In a bucket with versions a mark is put on top of this one, if it is the newest."""
        meta = self._meta(file.path)
        is_it = self._landed(meta).version == file.version
        return is_it and self._requests.delete(self._full(file.path), only=meta["e_tag"])

    def delete_version(self, file: LandedFile) -> bool:
        if (found := version_id(file)) is None:
            return self.delete(file)
        return self._requests.delete(self._full(file.path), version_id=found)

    def remove(self, key: str) -> None:
        self._requests.delete(self._full(key))

    def versions(self, key: str) -> Sequence[LandedFile]:
        if unreadable(key) or not self.keeps_versions():
            return [self.stat(key)]
        found = (each for page in self._listings.pages(self._full(key)) for each in page.versions)
        of_key = [each for each in found if each.key == self._full(key)]
        return list(self._undeleted(of_key)) or [self.stat(key)]

    def keeps_versions(self) -> bool:
        return self._listings.show_versions

    def rewrite(self, file: LandedFile, content: bytes) -> LandedFile | None:
        """What is overwritten is to be gone: a bucket with versions would keep it."""
        new = super().rewrite(file, content)
        if new and version_id(file):
            self.delete_version(file)
        return new

    def _pages(self, folder: str, *, deep: bool = False) -> Iterator[Page]:
        return self._listings.pages(self._full(f"{folder}/"), deep=deep)

    def _versions(self, folder: str, *, deep: bool = False) -> Iterator[Version]:
        return (each for page in self._pages(folder, deep=deep) for each in page.versions)

    def _placed(self, folder: str, on_stray: OnStray) -> Iterator[Version]:
        """What lies in a folder of the landing zone and is to be taken from there."""
        for page in self._pages(folder):
            there = dict.fromkeys(each.key for each in page.versions if each.is_latest and not each.is_deletion)
            _name_strays(map(self._key, [*page.folders, *there]), on_stray)
            yield from (each for each in page.versions if placed(self._key(each.key)).place in _TAKEN)

    def _undeleted(self, versions: Iterable[Version]) -> Iterator[LandedFile]:
        for _, of_key in groupby(versions, _BY_KEY):
            newest_first = takewhile(lambda each: not each.is_deletion, of_key)
            yield from map(self._file, reversed(list(newest_first)))

    def _newest(self, versions: Iterable[Version]) -> Iterator[LandedFile]:
        for each in versions:
            if each.is_latest and not each.is_deletion and not each.key.endswith("/") and not unreadable(each.key):
                yield self._file(each)

    def _file(self, version: Version) -> LandedFile:
        at, key = version.modified_at, self._key(version.key)
        return self._of(key, version.size_bytes, at, version.version_id, version.e_tag)

    def _landed(self, meta: "ObjectMeta") -> LandedFile:
        return self._of(meta["path"], meta["size"], meta["last_modified"], meta["version"], meta["e_tag"])

    def _of(self, key: str, size_bytes: int, at: datetime, found: str | None, e_tag: str | None) -> LandedFile:
        """The time to the second: some servers list fractions, none tells them of one object."""
        at = at.astimezone(UTC).replace(microsecond=0)
        has_id = found and found != "null" and self._listings.show_versions  # null: older than the bucket's versions
        version = id_text(str(found)) if has_id else etag_text(e_tag, at)
        return LandedFile(path=key, size_bytes=size_bytes, received_at=at, modified_at=at, version=version)

    def _full(self, key: str) -> str:
        return self._prefix + key

    def _key(self, full: str) -> str:
        return full.removeprefix(self._prefix)


def _name_strays(keys: Iterable[str], on_stray: OnStray) -> None:
    for key in keys:
        if (found := placed(key)).place is Place.STRAY:
            on_stray(Stray(path=key, why=found.why))

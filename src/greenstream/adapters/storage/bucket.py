"""An S3 bucket, or memory, as a store: over obstore."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import MemoryStore, S3Store

from greenstream.adapters.storage.backend import CHUNK_BYTES, LANDING, LandedFile, OnStray, check_same, ignore
from greenstream.adapters.storage.translation import bucket_errors
from greenstream.domain.errors import NotFound, StorageUnavailable

if TYPE_CHECKING:
    from obstore import ObjectMeta

# Above the biggest file that is processed. Up to here content is held in memory, as a conditional write, the only
# one that is atomic on every S3 server, takes a single request.
SINGLE_PUT_BYTES = 128 * 1024 * 1024
UPLOADS_AT_ONCE = 4


class Bucket:
    """Objects in S3 or in memory.

    An upload in parts that is cut off leaves parts behind that no listing shows: let a lifecycle rule of the bucket
    abort incomplete multipart uploads.
    """

    def __init__(self, store: S3Store | MemoryStore, name: str) -> None:
        self._store = store
        self._name = name

    @contextmanager
    def stage(self, folder: str, content: Iterable[bytes]) -> Iterator["StagedObject | StagedUpload"]:
        yield _stage(self, content)

    def put(self, key: str, content: Iterable[bytes]) -> None:
        chunks = iter(content)
        first, second = next(chunks, b""), next(chunks, None)
        whole = first if second is None else chain((first, second), chunks)
        with self._errors(key):
            obstore.put(self._store, key, whole, chunk_size=CHUNK_BYTES, max_concurrency=UPLOADS_AT_ONCE)

    def rewrite(self, file: LandedFile, content: bytes) -> LandedFile | None:
        if self.stat(file.path).version != file.version:
            return None
        self.put(file.path, [content])
        return self.stat(file.path)

    def stat(self, key: str) -> LandedFile:
        return self._landed(self._meta(key))

    def read(self, file: LandedFile) -> Iterator[bytes]:
        """One request a chunk, so that none outlasts its timeout; each sees that it is of this version."""
        if file.size_bytes == 0:
            check_same(file, self.stat(file.path), self)
        for start in range(0, file.size_bytes, CHUNK_BYTES):
            yield self.read_range(file, start, min(start + CHUNK_BYTES, file.size_bytes))

    def delete(self, file: LandedFile) -> bool:
        if self.stat(file.path).version != file.version:
            return False
        self.remove(file.path)
        return True

    def remove(self, key: str) -> None:
        with self._errors(key):
            obstore.delete(self._store, key)

    def drops(self, on_stray: OnStray = ignore) -> Iterator[LandedFile]:
        return self.list(LANDING, on_stray)

    def file_under(self, key: str, folder: str) -> None:
        return None

    def list(self, folder: str, on_stray: OnStray = ignore) -> Iterator[LandedFile]:
        del on_stray
        with self._errors(folder):
            objects = obstore.list_with_delimiter(self._store, folder)["objects"]
        files = (meta for meta in objects if meta["path"] != folder)  # some servers keep objects for folders
        return map(self._landed, sorted(files, key=lambda meta: meta["path"]))

    def folders(self, folder: str, on_stray: OnStray = ignore) -> Iterator[str]:
        del on_stray
        with self._errors(folder):
            prefixes = obstore.list_with_delimiter(self._store, folder)["common_prefixes"]
        return (prefix.rpartition("/")[2] for prefix in sorted(prefixes))

    def walk(self, folder: str) -> Iterator[LandedFile]:
        with self._errors(folder):
            for page in obstore.list(self._store, folder):
                yield from map(self._landed, page)

    def read_range(self, file: LandedFile, start: int, stop: int) -> bytes:
        with self._errors(file.path):
            found = obstore.get(self._store, file.path, options={"range": (start, stop)})
            check_same(file, self._landed(found.meta), self)
            return bytes(found.bytes())

    def local_folder(self, folder: str) -> None:
        del folder

    def local_root(self) -> None:
        return None

    def key_of(self, file: Path) -> str | None:
        return None

    def sweep(self, before: datetime) -> int:
        return 0

    def close_to_others(self) -> int:
        return 0

    def put_at_once(self, key: str, chunks: Sequence[bytes], *, mode: Literal["create", "overwrite"]) -> bool:
        """Write in one request; False where the key must be created and exists."""
        with self._errors(key):
            try:
                obstore.put(self._store, key, iter(chunks), mode=mode, use_multipart=False)
            except AlreadyExistsError:
                return False
        return True

    def has(self, key: str) -> bool:
        try:
            self._meta(key)
        except NotFound:
            return False
        return True

    def _meta(self, key: str) -> "ObjectMeta":
        with self._errors(key):
            return obstore.head(self._store, key)

    def _landed(self, meta: "ObjectMeta") -> LandedFile:
        received_at = meta["last_modified"].astimezone(UTC)
        if isinstance(self._store, S3Store):  # some servers list fractions, none tells them of one object
            received_at = received_at.replace(microsecond=0)
        return LandedFile(
            path=meta["path"],
            size_bytes=meta["size"],
            received_at=received_at,
            modified_at=received_at,
            version=f"{meta['e_tag']} {received_at.isoformat()}",
        )

    def _errors(self, key: str) -> AbstractContextManager[None]:
        return bucket_errors(f"{self._name}/{key}")

    def __str__(self) -> str:
        return self._name


@dataclass(frozen=True, kw_only=True)
class StagedObject:
    """Content in memory, to be written in one request."""

    bucket: Bucket
    chunks: Sequence[bytes]
    size_bytes: int
    sha256: str
    is_exclusive: bool = True

    def create(self, key: str) -> bool:
        return self.bucket.put_at_once(key, self.chunks, mode="create")

    def renew(self, key: str) -> None:
        """S3 has no way to touch an object; the same bytes written again are the same content, newer."""
        self.bucket.put_at_once(key, self.chunks, mode="overwrite")


@dataclass(frozen=True, kw_only=True)
class StagedUpload:
    """Content too big for memory, measured at a first reading and uploaded in parts at the second."""

    bucket: Bucket
    content: Iterable[bytes]
    size_bytes: int
    sha256: str
    is_exclusive: bool = False

    def create(self, key: str) -> bool:
        if self.bucket.has(key):
            return False
        self.renew(key)
        return True

    def renew(self, key: str) -> None:
        self.bucket.put(key, self._verified())

    def _verified(self) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for chunk in self.content:
            digest.update(chunk)
            yield chunk
        if digest.hexdigest() != self.sha256:
            raise StorageUnavailable("the content changed between two readings: try again when it is complete")


def _stage(bucket: Bucket, content: Iterable[bytes]) -> StagedObject | StagedUpload:
    digest, size, held = hashlib.sha256(), 0, []
    for chunk in content:
        digest.update(chunk)
        size += len(chunk)
        if size <= SINGLE_PUT_BYTES:
            held.append(chunk)
        else:
            held.clear()
    sha256 = digest.hexdigest()
    if size <= SINGLE_PUT_BYTES:
        return StagedObject(bucket=bucket, chunks=held, size_bytes=size, sha256=sha256)
    return StagedUpload(bucket=bucket, content=content, size_bytes=size, sha256=sha256)

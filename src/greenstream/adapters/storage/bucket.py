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
from obstore import exceptions
from obstore.exceptions import AlreadyExistsError
from obstore.store import MemoryStore, S3Store

from greenstream.adapters.storage.backend import CHUNK_BYTES, LANDING, LandedFile, OnStray, check_same, ignore
from greenstream.adapters.storage.errors import bucket_errors, is_answer
from greenstream.domain.errors import NotFound, StorageUnavailable

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta

# Above the biggest file that is processed. Up to here content is held in memory, as a conditional write, the only
# one that is atomic on every S3 server, takes a single request.
SINGLE_PUT_BYTES = 128 * 1024 * 1024
UPLOADS_AT_ONCE = 4
_CONFLICT = "status code: 409"
_ID = "id:"
_ETAG = "etag:"


class Bucket:
    """Objects in memory; see `s3` for what a bucket of S3 does in its own way."""

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
        meta = self._meta(file.path)
        if self._landed(meta).version != file.version:
            return None
        with self._errors(file.path):
            try:
                written = obstore.put(
                    self._store, file.path, content, mode={"e_tag": meta["e_tag"]}, use_multipart=False
                )
            except exceptions.PreconditionError:
                return None
            new = obstore.get(self._store, file.path, options={"head": True, **version_option(written["version"])}).meta
        return self._landed(new) if new["e_tag"] == written["e_tag"] else None

    def stat(self, key: str) -> LandedFile:
        return self._landed(self._meta(key))

    def versions(self, key: str) -> Sequence[LandedFile]:
        return [self.stat(key)]

    def read(self, file: LandedFile) -> Iterator[bytes]:
        """One request a chunk, so that none outlasts its timeout; each sees that it is of this version."""
        if file.size_bytes == 0:
            with self._errors(file.path):
                found = obstore.get(self._store, file.path, options={"head": True, **version_option(version_id(file))})
            check_same(file, self._landed(found.meta), self)
        for start in range(0, file.size_bytes, CHUNK_BYTES):
            yield self.read_range(file, start, min(start + CHUNK_BYTES, file.size_bytes))

    def delete(self, file: LandedFile) -> bool:
        if self.stat(file.path).version != file.version:
            return False
        self.remove(file.path)
        return True

    def delete_version(self, file: LandedFile) -> bool:
        return self.delete(file)

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
            found = obstore.get(
                self._store, file.path, options={"range": (start, stop), **version_option(version_id(file))}
            )
            check_same(file, self._landed(found.meta), self)
            return bytes(found.bytes())

    def local_folder(self, folder: str) -> None:
        del folder

    def keeps_versions(self) -> bool:
        return False

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
            except AlreadyExistsError as error:
                if _CONFLICT in str(error):  # another writer is at it: what obstore says to any 409
                    raise exceptions.GenericError(str(error)) from error
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
            try:
                return obstore.head(self._store, key)
            except (exceptions.BaseError, FileNotFoundError) as error:
                if not is_answer(error):
                    raise
                return obstore.get(self._store, key).meta  # to a HEAD a server doesn't say what is wrong, or missing

    def _landed(self, meta: "ObjectMeta") -> LandedFile:
        at = meta["last_modified"].astimezone(UTC)
        return LandedFile(
            path=meta["path"],
            size_bytes=meta["size"],
            received_at=at,
            modified_at=at,
            version=etag_text(meta["e_tag"], at),
        )

    def _errors(self, key: str) -> AbstractContextManager[None]:
        return bucket_errors(f"{self._name}/{key}")

    def __str__(self) -> str:
        return self._name


def etag_text(e_tag: str | None, at: datetime) -> str:
    """The version of an object whose store has none; the same content written anew has the same ETag."""
    return f"{_ETAG}{e_tag} {at.isoformat()}"


def id_text(version_id: str) -> str:
    """The version of a file, of the one that its store gave it."""
    return f"{_ID}{version_id}"


def version_option(found: str | None) -> "GetOptions":
    return {"version": found} if found else {}


def version_id(file: LandedFile) -> str | None:
    """The store's own version of a file; None where it has none."""
    return file.version.removeprefix(_ID) if file.version.startswith(_ID) else None


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

"""Errors of the operating system and of obstore, as errors of ours."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from obstore import exceptions

from greenstream.domain.errors import GreenStreamError, NotFound, StorageFull, StorageRefused, StorageUnavailable

_PASSING = {
    *(errno.EIO, errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.EMFILE, errno.ENFILE, errno.ESTALE),
    *(errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ECONNRESET),
}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
LINK_ERRORS = {errno.ENOTDIR, errno.ELOOP}
"""When a link, or a file, is opened as a folder."""

_REMEDIES = {
    errno.EACCES: "give GreenStream's user the permission",
    errno.EPERM: "give GreenStream's user the permission, or the ownership",
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space, or raise the quota",
    errno.EROFS: "mount it for writing, or set GREENSTREAM_STORAGE to another place",
}
_STATUS = re.compile(r"status code: (\d{3})")
_S3_CODE = re.compile(r"<Code>(\w+)</Code>")
_CREDENTIALS = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and what they are allowed to do"


@contextmanager
def source_errors(source: Path) -> Iterator[None]:
    """Errors in reading a user's file."""
    try:
        yield
    except OSError as error:
        if error.errno in _ABSENT:
            raise NotFound(f"{source}: no such file") from error
        if error.errno in {errno.EACCES, errno.EPERM}:
            raise StorageRefused(f"{source} is not readable: give GreenStream's user the permission") from error
        raise _os_error(f"{source} cannot be read", error) from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Errors in reading a folder of the store."""
    try:
        yield
    except OSError as error:
        if error.errno in _ABSENT:
            raise NotFound(f"{path}: no such file in the store") from error
        raise _os_error(f"{path} cannot be read", error) from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Errors in writing to a folder of the store."""
    try:
        yield
    except OSError as error:
        raise _os_error(f"{path} cannot be written", error) from error


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Errors in moving or deleting a file of the store."""
    try:
        yield
    except OSError as error:
        if error.errno in _ABSENT:
            raise NotFound(f"{path}: no such file in the store") from error
        raise _os_error(f"{path} cannot be changed", error) from error


@contextmanager
def bucket_errors(name: str) -> Iterator[None]:
    """Errors of obstore on the object, or bucket, `name`."""
    try:
        yield
    except (exceptions.BaseError, FileNotFoundError, ValueError) as error:
        raise _bucket_error(name, error) from error


def _os_error(what: str, error: OSError) -> GreenStreamError:
    if error.errno in _PASSING:
        return StorageUnavailable(f"{what} at the moment: {error.strerror}")
    remedy = _REMEDIES.get(error.errno or 0, "see to it and try again")
    refused = StorageFull if error.errno in _FULL else StorageRefused
    return refused(f"{what}: {error.strerror}; {remedy}")


def _bucket_error(name: str, error: Exception) -> GreenStreamError:
    if "NoSuchBucket" in str(error):
        return StorageRefused(f"{name}: there is no such bucket; create it, or correct GREENSTREAM_STORAGE")
    if isinstance(error, FileNotFoundError):
        return NotFound(f"{name}: no such object")
    if isinstance(error, ValueError | exceptions.InvalidPathError):
        return NotFound(f"{name!r} can be no key of an object")
    if isinstance(error, exceptions.PreconditionError):
        return StorageUnavailable(f"{name} changed while it was being read: try again")
    return _server_error(name, str(error))


def _server_error(name: str, text: str) -> GreenStreamError:
    """Errors that obstore tells apart by their text alone: by HTTP status, where the server gave one."""
    status, code = _status(text), _S3_CODE.search(text)
    said = f"HTTP {status} {code[1] if code else ''}".strip() if status else text.partition("\n")[0]
    if _is_passing(status):
        return StorageUnavailable(f"{name}: no answer from the store ({said}); {_hint(text)}")
    if status in {401, 403}:
        return StorageRefused(f"{name}: access refused ({said}); {_CREDENTIALS}")
    return StorageRefused(f"{name}: the store refused ({said}); look the code up in its manual")


def _status(text: str) -> int | None:
    found = _STATUS.search(text)
    return int(found[1]) if found else None


def _is_passing(status: int | None) -> bool:
    return status is None or status in {408, 425, 429} or status >= 500


def _hint(text: str) -> str:
    if "/latest/api/token" in text or "/latest/meta-data" in text:  # the last place obstore looks for credentials
        return "no credentials were found either in AWS_ACCESS_KEY_ID or on the machine"
    return "check the network and AWS_ENDPOINT_URL"

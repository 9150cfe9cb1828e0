"""Errors of the operating system and of obstore, as errors of ours."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from obstore import exceptions

from greenstream.domain.errors import (
    GreenStreamError,
    InvalidKey,
    NotFound,
    StorageFull,
    StorageRefused,
    StorageUnavailable,
)

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
_NO_KEY = "no object can have this key here: give it another name"
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_CREDENTIALS = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and what they are allowed to do"
_REGION = "the bucket is in another region, or at another place: correct AWS_REGION and AWS_ENDPOINT_URL"
_EXPIRED = "the session's token is no longer valid: renew AWS_SESSION_TOKEN and the keys that belong to it"
_BUSY = "the store asks for patience; it is tried again"

_BY_CODE: dict[str, tuple[type[GreenStreamError], str]] = {
    "NoSuchKey": (NotFound, "no such object"),
    "NoSuchVersion": (NotFound, "no such version of the object"),
    "NoSuchBucket": (StorageRefused, "there is no such bucket; create it, or correct GREENSTREAM_STORAGE"),
    "PreconditionFailed": (StorageUnavailable, "it changed while it was being read: try again"),
    **dict.fromkeys(("KeyTooLongError", "InvalidURI", "XMinioInvalidObjectName"), (InvalidKey, _NO_KEY)),
    **dict.fromkeys(("SlowDown", "RequestTimeout"), (StorageUnavailable, _BUSY)),
    **dict.fromkeys(("ConditionalRequestConflict", "OperationAborted"), (StorageUnavailable, _BUSY)),
    **dict.fromkeys(("PermanentRedirect", "TemporaryRedirect"), (StorageRefused, _REGION)),
    **dict.fromkeys(("AuthorizationHeaderMalformed", "IllegalLocationConstraintException"), (StorageRefused, _REGION)),
    **dict.fromkeys(("ExpiredToken", "InvalidToken", "TokenRefreshRequired"), (StorageRefused, _EXPIRED)),
    "RequestTimeTooSkewed": (StorageRefused, "this machine's clock differs from the store's: set it right"),
    "InvalidObjectState": (StorageRefused, "it is in an archive: restore it to a class that can be read at once"),
    "NotImplemented": (StorageRefused, "the store can't do this: use another one"),
}
"""By the codes of S3, whatever the HTTP status."""


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
        # Without the cause: a refusal comes with the signed request, and so with the session's token.
        raise _bucket_error(name, error) from None


def is_answer(error: Exception) -> bool:
    """Whether the server said this, rather than nobody."""
    return _STATUS.search(str(error)) is not None


def _os_error(what: str, error: OSError) -> GreenStreamError:
    if error.errno in _PASSING:
        return StorageUnavailable(f"{what} at the moment: {error.strerror}")
    remedy = _REMEDIES.get(error.errno or 0, "see to it and try again")
    refused = StorageFull if error.errno in _FULL else StorageRefused
    return refused(f"{what}: {error.strerror}; {remedy}")


def answer_error(name: str, status: int, text: str) -> GreenStreamError:
    """What a server's refusal means, by its HTTP status and the text of its answer."""
    code = _code(text)
    said = f"HTTP {status} {code}".strip()
    if code in _BY_CODE:
        kind, meaning = _BY_CODE[code]
        return kind(f"{name}: {meaning} ({said})")
    if status in {301, 302, 307, 308}:
        return StorageRefused(f"{name}: {_REGION} ({said})")
    if status in {401, 403}:
        return StorageRefused(f"{name}: access refused ({said}); {_CREDENTIALS}")
    if status in {408, 425, 429, 500, 502, 503, 504}:
        return StorageUnavailable(f"{name}: no answer from the store ({said}); {_hint(text)}")
    return StorageRefused(f"{name}: the store refused ({said}); look the code up in its manual")


def _bucket_error(name: str, error: Exception) -> GreenStreamError:
    """Errors that obstore tells apart by their text alone: by HTTP status, where the server gave one."""
    text = str(error)
    if isinstance(error, ValueError | exceptions.InvalidPathError):
        return InvalidKey(f"{name!r}: {_NO_KEY}")
    if isinstance(error, exceptions.PreconditionError):
        return answer_error(name, 412, "<Code>PreconditionFailed</Code>")
    if found := _STATUS.search(text):
        return answer_error(name, int(found[1]), text)
    if isinstance(error, FileNotFoundError):
        return NotFound(f"{name}: no such object")
    if "redirect without LOCATION" in text:
        return StorageRefused(f"{name}: {_REGION}")
    return StorageUnavailable(f"{name}: no answer from the store ({text.partition(chr(10))[0]}); {_hint(text)}")


def _code(text: str) -> str:
    found = _CODE.search(text)
    return found[1] if found else ""


def _hint(text: str) -> str:
    if "/latest/api/token" in text or "/latest/meta-data" in text:  # the last place obstore looks for credentials
        return "no credentials were found either in AWS_ACCESS_KEY_ID or on the machine"
    return "check the network and AWS_ENDPOINT_URL"

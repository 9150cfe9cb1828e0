"""From a URL to a store."""

import grp
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from obstore.exceptions import BaseError
from obstore.store import MemoryStore, S3Store

from greenstream.adapters.storage.aws import check_variables
from greenstream.adapters.storage.bucket import Bucket
from greenstream.adapters.storage.folder import Folder
from greenstream.adapters.storage.rights import Rights
from greenstream.adapters.storage.store import ObjectStore
from greenstream.domain.errors import SettingsError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig


def open_store(root: str | Path, *, group: str | None = None) -> ObjectStore:
    """The store at a path, ``file:///path``, ``s3://bucket/prefix`` or ``memory:///`` (empty, its own each time).

    In a folder, `group`, by its name or number, may drop files into the landing zone.

    Credentials, region and endpoint of S3 come from the standard ``AWS_*`` variables, which obstore reads. Nothing is
    contacted or made before the first use. Raises `SettingsError` for any other URL, and for an unknown group.
    """
    if isinstance(root, Path) or "://" not in root:
        return ObjectStore(_folder(Path(root), group))
    url = _split(root)
    if url.scheme == "file" and url.netloc in {"", "localhost"} and url.path.startswith("/"):
        return ObjectStore(_folder(Path(unquote(url.path)), group))
    if url.scheme == "s3" and url.netloc and not ("@" in url.netloc or url.query or url.fragment):
        check_variables(os.environ)
        return ObjectStore(_s3(root))
    if url.scheme == "memory" and not url.netloc:
        return ObjectStore(Bucket(MemoryStore(), "memory://"))
    raise _no_store()


def _folder(root: Path, group: str | None) -> Folder:
    """What root puts into another user's store is that user's, who else couldn't read it."""
    owner = root.stat().st_uid if os.geteuid() == 0 and root.is_dir() else 0
    return Folder(root, Rights(group=_group(group) if group else None, owner=owner or None))


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise _no_store() from None


def _no_store() -> SettingsError:
    """Without the URL, in which somebody may have put a key."""
    return SettingsError(
        "GREENSTREAM_STORAGE is no store: give a folder, file:///folder, s3://bucket/prefix or memory:///; "
        "keys of S3 belong into the variables AWS_*"
    )


def _group(name: str) -> int:
    try:
        return int(name) if name.isdecimal() else grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise SettingsError(f"GREENSTREAM_STORAGE_GROUP={name}: there is no such group on this machine") from error


def _s3(url: str) -> Bucket:
    """The timeout leaves room for a single upload of `bucket.SINGLE_PUT_BYTES`; a dead server is found sooner.

    What only S3 needs is imported here: it takes longer than all the rest of the package.
    """
    from greenstream.adapters.storage.s3 import S3Bucket
    from greenstream.adapters.storage.signed import SignedRequests

    client: ClientConfig = {
        "connect_timeout": timedelta(seconds=5),
        "timeout": timedelta(minutes=10),
        "allow_http": True,  # an endpoint is given with its scheme, so http:// is somebody's decision
    }
    retries: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}
    try:
        store = S3Store.from_url(url, client_options=client, retry_config=retries)
    except (BaseError, ValueError) as error:
        first_line = str(error).partition("\n")[0]
        raise SettingsError(f"{url} cannot be used: {first_line}; see GREENSTREAM_STORAGE and AWS_*") from error
    name = url.rstrip("/")
    return S3Bucket(store, name, SignedRequests(urlsplit(url).netloc, name, client))

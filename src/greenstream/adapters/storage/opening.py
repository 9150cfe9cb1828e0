"""From a URL to a store."""

import grp
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError
from obstore.store import MemoryStore, S3Store

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
    url, rights = urlsplit(str(root)), Rights(group=_group(group) if group else None)
    if isinstance(root, Path) or "://" not in root:
        return ObjectStore(Folder(Path(root), rights))
    if url.scheme == "file" and url.netloc in {"", "localhost"} and url.path.startswith("/"):
        return ObjectStore(Folder(Path(unquote(url.path)), rights))
    if url.scheme == "s3" and url.netloc:
        return ObjectStore(_s3(root))
    if url.scheme == "memory" and not url.netloc:
        return ObjectStore(Bucket(MemoryStore(), "memory://"))
    raise SettingsError(f"{root} is no store: give a folder, file:///folder, s3://bucket/prefix or memory:///")


def _group(name: str) -> int:
    try:
        return int(name) if name.isdecimal() else grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise SettingsError(f"GREENSTREAM_STORAGE_GROUP={name}: there is no such group on this machine") from error


def _s3(url: str) -> Bucket:
    """The timeout leaves room for a single upload of `bucket.SINGLE_PUT_BYTES`; a dead server is found sooner."""
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
    return Bucket(store, url.rstrip("/"))

"""Listings of a bucket: by exact keys, with versions where it has them and lets us see them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from greenstream.adapters.storage.signed import SignedRequests
from greenstream.domain.errors import StorageRefused


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of an object, or the mark that it was deleted.

    `version_id` is "null" or empty where the bucket has none; `is_latest` says that its key now stands for this one.
    """

    key: str
    version_id: str
    e_tag: str
    size_bytes: int
    modified_at: datetime
    is_latest: bool
    is_deletion: bool


@dataclass(frozen=True)
class Page:
    """A page of a listing; `then` asks for the next one, empty where it was the last."""

    versions: list[Version] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    then: dict[str, str] = field(default_factory=dict)


class Listings:
    """Listings of one bucket, with its full keys."""

    def __init__(self, requests: SignedRequests, root: str) -> None:
        self._requests = requests
        self._root = root

    @cached_property
    def show_versions(self) -> bool:
        """Whether the bucket has versions and they can be listed; some servers don't know how, some keys may not."""
        try:
            if _status(self._requests.get({"versioning": ""})):
                self._requests.get({"versions": "", "prefix": self._root, "max-keys": "1"})
                return True
        except StorageRefused:  # where nothing at all is allowed, a plain listing says so
            pass
        return False

    def pages(self, prefix: str, *, deep: bool = False) -> Iterator[Page]:
        """What lies directly under a prefix, or with `deep` all; by key, and of a key the newest version first."""
        query = {"versions": ""} if self.show_versions else {"list-type": "2"}
        query |= {"prefix": prefix, "encoding-type": "url"} | ({} if deep else {"delimiter": "/"})
        page = Page(then={"first": ""})
        while page.then:
            page = _page(self._requests.get(query | page.then))
            yield page


def _status(answer: bytes) -> str:
    """Enabled, Suspended, or nothing where the bucket never had versions."""
    return _text(_parsed(answer), "Status")


def _parsed(answer: bytes) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(answer)
    except ElementTree.ParseError as error:
        raise StorageRefused(f"the store's answer about a bucket can't be read: {error}") from error


def _page(answer: bytes) -> Page:
    root = _parsed(answer)
    encoded = _text(root, "EncodingType") == "url"
    versions = [_version(each, encoded) for each in root if _tag(each) in {"Version", "DeleteMarker", "Contents"}]
    folders = [_decoded(_text(each, "Prefix"), encoded) for each in root.iterfind("{*}CommonPrefixes")]
    return Page(versions, folders, _then(root, encoded))


def _version(element: ElementTree.Element, encoded: bool) -> Version:
    return Version(
        key=_decoded(_text(element, "Key"), encoded),
        version_id=_text(element, "VersionId"),
        e_tag=_text(element, "ETag"),
        size_bytes=int(_text(element, "Size") or 0),
        modified_at=datetime.fromisoformat(_text(element, "LastModified")).astimezone(UTC),
        is_latest=_text(element, "IsLatest") != "false",
        is_deletion=_tag(element) == "DeleteMarker",
    )


def _then(root: ElementTree.Element, encoded: bool) -> dict[str, str]:
    if _text(root, "IsTruncated") != "true":
        return {}
    if token := _text(root, "NextContinuationToken"):
        return {"continuation-token": token}
    key, version = _decoded(_text(root, "NextKeyMarker"), encoded), _text(root, "NextVersionIdMarker")
    return {"key-marker": key} | ({"version-id-marker": version} if version else {})


def _text(element: ElementTree.Element, tag: str) -> str:
    return element.findtext(f"{{*}}{tag}") or ""


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _decoded(text: str, encoded: bool) -> str:
    return unquote_plus(text) if encoded else text

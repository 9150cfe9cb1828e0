"""Requests that S3 answers and obstore has no call for: listings by exact key and version, deletion of one version.

obstore signs them, so credentials, region and endpoint have one source. It signs an endpoint with whatever query that
has, and appends a path: that ends up in a parameter of its own, which S3 ignores by its leading ``x-``.
"""

import ssl
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

import obstore
import urllib3
from obstore.store import S3Store

from greenstream.adapters.storage.errors import answer_error, bucket_errors
from greenstream.domain.errors import StorageUnavailable

if TYPE_CHECKING:
    from obstore.store import ClientConfig

_VALID = timedelta(minutes=5)
_TIMEOUT = urllib3.Timeout(connect=5.0, read=60.0)
_PAUSES = (0.0, 0.1, 0.2, 0.4)  # seconds before each try
_PASSING = {500, 502, 503, 504}
_SIGNERS = 64  # each keeps the credentials it was given; the first pages of the recent days are asked for all the time


class SignedRequests:
    """Requests to one bucket."""

    def __init__(self, bucket: str, name: str, client: "ClientConfig") -> None:
        self._bucket = bucket
        self._name = name
        self._client = client
        self._signer = lru_cache(_SIGNERS)(self._new_signer)

    def get(self, query: Mapping[str, str]) -> bytes:
        """The bucket's answer to a query. Raises the errors of `ObjectStore`."""
        answer = self._send("GET", "", query, {})
        if answer.status >= 300:
            raise answer_error(self._name, answer.status, answer.data.decode(errors="replace"))
        return answer.data

    def delete(self, key: str, *, version_id: str | None = None, only: str | None = None) -> bool:
        """Delete an object, in a bucket with versions by a mark, or one of its versions for good.

        False where it is another object by now than the one with the ETag `only`, or, with `only`, is gone.
        """
        query = {} if version_id is None else {"versionId": version_id}
        answer = self._send("DELETE", key, query, {} if only is None else {"If-Match": only})
        text = answer.data.decode(errors="replace")
        if answer.status == 412 or (answer.status == 404 and "<Code>NoSuchBucket<" not in text):
            return False
        if answer.status >= 300:
            raise answer_error(f"{self._name}/{key}", answer.status, text)
        return True

    def _send(
        self, method: Literal["GET", "DELETE"], key: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> "urllib3.BaseHTTPResponse":
        parameters = "".join(f"{name}={quote(value, safe='')}&" for name, value in query.items())
        with bucket_errors(self._name):
            signer = self._signer(f"{self._base}/{quote(key)}?{parameters}x-path=")
            url = obstore.sign(signer, method, "x", _VALID)
        return self._patiently(method, url, headers)

    def _patiently(self, method: str, url: str, headers: Mapping[str, str]) -> "urllib3.BaseHTTPResponse":
        """The answer, after as many tries as obstore makes; urllib3's own would log the URL, which holds secrets."""
        said = ""
        for pause in _PAUSES:
            time.sleep(pause)
            try:
                answer = self._http.request(method, url, headers=headers, retries=False)
            except urllib3.exceptions.HTTPError as error:
                said = type(error).__name__
                continue
            if answer.status not in _PASSING or pause == _PAUSES[-1]:
                return answer
            said = f"HTTP {answer.status}"
        raise StorageUnavailable(
            f"{self._name}: no answer from the store ({said}); check the network and AWS_ENDPOINT_URL"
        )

    @cached_property
    def _base(self) -> str:
        """The bucket's own URL, as obstore makes it of the settings."""
        with bucket_errors(self._name):
            store = S3Store(self._bucket, client_options=self._client)
            return obstore.sign(store, "GET", "x", _VALID).partition("?")[0].removesuffix("/x")

    @cached_property
    def _http(self) -> urllib3.PoolManager:
        """Through the proxy that the environment names, and trusting whom this machine trusts, as obstore does."""
        url, context = urlsplit(self._base), ssl.create_default_context()
        proxy = None if proxy_bypass(url.hostname or "") else getproxies().get(url.scheme)
        if proxy is None:
            return urllib3.PoolManager(timeout=_TIMEOUT, ssl_context=context)
        return urllib3.ProxyManager(proxy, timeout=_TIMEOUT, ssl_context=context)

    def _new_signer(self, endpoint: str) -> S3Store:
        return S3Store(self._bucket, endpoint=endpoint, virtual_hosted_style_request=True, client_options=self._client)

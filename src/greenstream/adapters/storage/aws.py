"""The variables that obstore reads by itself: what it would quote, or break on, is refused before it sees them."""

import re
from collections.abc import Mapping

from greenstream.domain.errors import SettingsError

_ENDPOINTS = ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_TOKEN")
_PLAIN_URL = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?", re.IGNORECASE)
_HEADER = re.compile(r"[!-~]+")


def check_variables(environment: Mapping[str, str]) -> None:
    """Raise SettingsError, without a value, for an endpoint that is no plain URL and keys that fit in no header."""
    given = {name.upper(): value for name, value in environment.items() if value}
    for name in _ENDPOINTS:
        if name in given and not _PLAIN_URL.fullmatch(given[name]):
            raise SettingsError(f"{name} can't be used: give http://host:port or https://host:port, without a password")
    for name in _KEYS:
        if name in given and not _HEADER.fullmatch(given[name]):
            raise SettingsError(f"{name} can't be used: it holds a blank, a line end or signs that aren't ASCII")

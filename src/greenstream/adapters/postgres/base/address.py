"""The address of a PostgreSQL of yours. It holds a password, so libraries that would quote it never see a wrong one."""

import re

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from greenstream.domain.errors import SettingsError

SECRETS = frozenset(each.keyword.decode() for each in pq.Conninfo.get_defaults() if each.dispchar == b"*")
"""libpq's parameters that hold a secret: the password, the one of a key, that of OAuth."""

_URL = re.compile(r"(?P<scheme>[^:/?#=@\s]*)://(?P<rest>.*)", re.DOTALL)
_PORTS = re.compile(r"\d*(,\d*)*")
_HOW = "give postgresql://user:password@host:5432/database, its signs @ : / ? # [ ] % and blanks percent-encoded"


def checked(address: str, setting: str = "GREENSTREAM_DATABASE_URL") -> str:
    """The address, if libpq reads it as it was meant; in words of ours alone if it doesn't.

    An unescaped sign moves a part of the password into the host, the port or the name of the database, which every
    message about a connection shows.

    Raises:
        SettingsError: it can't be used. Nothing of it is quoted.
    """
    text = address.strip()
    wrong = _wrong_text(text) or _wrong_parts(text)
    if wrong:
        raise SettingsError(f"{setting} can't be used: {wrong}; {_HOW}")
    return text


def _wrong_text(text: str) -> str | None:
    if any(not sign.isprintable() for sign in text):
        return "it holds control characters or bytes that are no text"
    if (url := _URL.match(text)) is None:
        return None
    if url["scheme"] not in ("postgresql", "postgres"):
        return "it doesn't begin with postgresql://"
    before, _, behind = url["rest"].partition("@")
    if "@" in behind:
        return "it has more than one @"
    return "it has a / before its @" if behind and "/" in before else None


def _wrong_parts(text: str) -> str | None:
    try:
        parts = conninfo_to_dict(text)
    except psycopg.Error:
        return "it is neither a URL nor key=value pairs that libpq can read"
    return None if _PORTS.fullmatch(str(parts.get("port", ""))) else "its port is no number"

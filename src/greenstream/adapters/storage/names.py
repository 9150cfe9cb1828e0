r"""How file names become keys.

A key is what the rest of the system knows a file by: ``raw-data/2024-03-15/f.csv``, valid UTF-8 without control
characters. In a folder a file keeps its own name, and the key says it with percent signs where it must:

============================================  =====================  ===========================
in the name                                   in the key             example
============================================  =====================  ===========================
control characters, backslash                 ``%XX`` of each byte   ``a⏎b.csv`` → ``a%0Ab.csv``
bytes that are not UTF-8                      ``%XX``                ``caf\xe9.csv`` → ``caf%E9.csv``
``%`` before two hex digits                   ``%25``                ``a%20b.csv`` → ``a%2520b.csv``
anything else (blank ``#`` ``*`` ``?`` ``ü``)  as it is               ``day 1 #2.csv``
============================================  =====================  ===========================

so that every name has exactly one key and the way back is exact. The *text* of a name, below, is its bytes as UTF-8,
with surrogates (U+DC80–DCFF) for bytes that are not.
"""

import os
import re
from datetime import date

# What a folder takes, and some S3 servers, too. A name that is longer once escaped is cut when it lands.
MAX_SEGMENT_BYTES = 255

# C0 and C1 controls, backslash (some S3 servers take it for a slash), the two characters XML cannot carry, and
# surrogates, which stand for bytes that are not UTF-8.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\\\\\ufffe\uffff\ud800-\udfff]")
_AMBIGUOUS = re.compile("%(?=[0-9A-Fa-f]{2})")
_ESCAPE = re.compile(b"%([0-9A-Fa-f]{2})")
_STEM_AND_EXTENSION = re.compile(r"(.+?)((?:\.csv)?\.(?:gz|zst)|\.[^.]{0,16})?", re.IGNORECASE | re.DOTALL)
_PARTIAL = re.compile(r"\..*|.*(\.part|\.partial|\.tmp|#\d+)", re.IGNORECASE | re.DOTALL)


def text_of(file_name: str) -> str:
    """The text of a name as Python's os functions give it, whatever the locale."""
    return os.fsencode(file_name).decode("utf-8", "surrogateescape")


def file_name_of(text: str) -> str:
    """The inverse of `text_of`."""
    return os.fsdecode(text.encode("utf-8", "surrogateescape"))


def escape(text: str) -> str:
    """The last part of the key of a file with this name."""
    return _UNSAFE.sub(_percent, _AMBIGUOUS.sub("%25", text))


def unescape(segment: str) -> str:
    """The inverse of `escape`: ``unescape(escape(text)) == text``."""
    raw = _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), segment.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")


def is_listed(text: str) -> bool:
    """Whether a file of this name counts as complete: not hidden, not named like an upload under way.

    The endings are ``.part``, ``.partial``, ``.tmp``, and ``#`` with digits, as object store libraries stage files.
    """
    return not _PARTIAL.fullmatch(text)


def is_day(text: str) -> bool:
    """Whether this is the name of a day's folder, ``YYYY-MM-DD``."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def landing_text(text: str) -> str:
    """The name to land a file under: its own, with an underscore where it would not be listed, cut where too long."""
    visible = _fit(*_split(f"_{text}" if text.startswith(".") else text))
    return visible if is_listed(visible) else _fit(visible, "_")


def with_hash(text: str, digest: str) -> str:
    """The name with `digest` before its extension(s): ``f.csv.gz`` → ``f.3fa9c1d2.csv.gz``; long stems are cut."""
    stem, extension = _split(text)
    return _fit(stem, f".{digest}{extension}")


def _split(text: str) -> tuple[str, str]:
    found = _STEM_AND_EXTENSION.fullmatch(text)
    return (found[1], found[2] or "") if found else (text, "")


def _fit(stem: str, rest: str) -> str:
    while len(escape(stem + rest).encode()) > MAX_SEGMENT_BYTES:
        stem = stem[:-1]
    return stem + rest


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogateescape"))

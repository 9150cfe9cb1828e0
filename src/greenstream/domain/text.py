"""Text of others, as it may be shown: nothing in it that a terminal, a log or a chat could obey."""

import re

CONTROLS = "\x00-\x1f"
HIDDEN = CONTROLS + "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
"""Control characters, line and paragraph separators, and what turns the direction of writing."""

EXCERPT_CHARS = 100
MESSAGE_CHARS = 1000

_HIDDEN = re.compile(f"[{HIDDEN}]")
_HIDDEN_IN_LINES = re.compile(rf"(?!\n)[{HIDDEN}]")
_HIDDEN_IN_JSON = re.compile(f"[{HIDDEN.removeprefix(CONTROLS)}]")  # control characters can't be in one
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    r"""Text of any origin in one line, hidden characters as `\n`, `\x1b` or `\u202e`.

    >>> printable("a\x1b[31mb\u202ec")
    'a\\x1b[31mb\\u202ec'
    """
    return _HIDDEN.sub(_escape, text)


def printable_lines(text: str) -> str:
    """The same for several lines: line feeds stay."""
    return _HIDDEN_IN_LINES.sub(_escape, text)


def plain_json(text: str) -> str:
    r"""A JSON text with the hidden characters of its strings as `\u202e`; it means the same."""
    return _HIDDEN_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def shortened(text: str) -> str:
    """A line of a library's message, which may hold the whole value that it is about."""
    return text if len(text) <= MESSAGE_CHARS else f"{text[:MESSAGE_CHARS]}…"


def beginning(text: str) -> str:
    """At most the first hundred characters of a text, to stand in a table."""
    return text if len(text) <= EXCERPT_CHARS else f"{text[:EXCERPT_CHARS]}…"


def excerpt(text: str) -> str:
    """The same in quotes, hidden characters escaped, to stand in a message."""
    shown = repr(text[:EXCERPT_CHARS])
    return shown if len(text) <= EXCERPT_CHARS else f"{shown}…"


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return _SHORT.get(found[0]) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")

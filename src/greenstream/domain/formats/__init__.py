"""Bytes to rows and rejected rows."""

from greenstream.domain.formats.content import LandedText, check_size, landed_text
from greenstream.domain.formats.format import Format, format_of
from greenstream.domain.formats.records import ParsedFile

__all__ = ["Format", "LandedText", "ParsedFile", "check_size", "format_of", "landed_text"]

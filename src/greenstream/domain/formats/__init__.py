"""Bytes to rows and rejected rows."""

from greenstream.domain.formats.content import check_size, compression_of
from greenstream.domain.formats.records import ParsedFile, parse_file

__all__ = ["ParsedFile", "check_size", "compression_of", "parse_file"]

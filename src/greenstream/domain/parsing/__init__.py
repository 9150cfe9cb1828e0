"""Bytes to rows and rejected rows."""

from greenstream.domain.parsing.content import check_size, compression_of
from greenstream.domain.parsing.records import ParsedFile, parse_file

__all__ = ["ParsedFile", "check_size", "compression_of", "parse_file"]

"""A landed file's bytes: which extension, how to decompress, where lines end. Guards every size on the way.

Formats see text alone: what packs it is known here and nowhere else.
"""

import gzip
import io
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain
from typing import BinaryIO, cast

from greenstream.domain.codes import Reason
from greenstream.domain.errors import FileRejected
from greenstream.domain.limits import LONGEST_KEPT_LINE, Limits

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BLOCK_BYTES = 2 * 1024 * 1024
UTF8_BOM = b"\xef\xbb\xbf"


class Compression(StrEnum):
    """How a file's text is packed, told by its extension."""

    NONE = ".csv"
    GZIP = ".csv.gz"
    ZSTD = ".csv.zst"


def compression_of(name: str) -> Compression:
    """Tell a file's compression by its extension, in any case.

    Raises:
        FileRejected: BAD_EXTENSION.
    """
    for compression in Compression:
        if name.lower().endswith(compression):
            return compression
    raise FileRejected(Reason.BAD_EXTENSION, f"{name} ends in none of {', '.join(Compression)}")


def check_size(name: str, size_bytes: int, limits: Limits) -> None:
    """Look at a file's extension and size, before any of it is read.

    Raises:
        FileRejected: BAD_EXTENSION, EMPTY_FILE or TOO_LARGE.
    """
    compression_of(name)
    if size_bytes == 0:
        raise FileRejected(Reason.EMPTY_FILE, f"{name} has 0 bytes")
    if size_bytes > limits.max_file_bytes:
        raise FileRejected(Reason.TOO_LARGE, f"{name} has {size_bytes} bytes, more than {limits.max_file_bytes}")


@dataclass(frozen=True, kw_only=True)
class LandedText:
    """The text of a file, unpacked as it is read. `name` is what messages call it."""

    name: str
    raw: bytes = field(repr=False)
    compression: Compression
    limits: Limits = field(repr=False)

    def blocks(self) -> Iterator[bytes]:
        """Blocks of about 2 MiB, each ending at the end of a line, the last one wherever the text ends.

        A byte order mark is dropped. A line that is longer than a block is a block by itself.

        Raises:
            FileRejected: EMPTY_FILE, TOO_LARGE or CORRUPT_ARCHIVE, while iterating.
        """
        if self.compression is Compression.NONE:
            yield from _slices_at_lines(self.name, self.raw)
            return
        pieces = _decompressed(self)
        head = next(pieces, b"")
        if not head:
            raise FileRejected(Reason.EMPTY_FILE, f"{self.name} holds 0 bytes")
        yield from _cut_at_lines(self.name, chain([head.removeprefix(UTF8_BOM)], pieces))

    def with_blocks(self, blocks: Iterable[bytes]) -> "LandedText":
        """The same file with this text, not packed; a byte order mark stays where it could be seen."""
        mark = UTF8_BOM if self.raw.startswith(UTF8_BOM) else b""
        return replace(self, raw=b"".join([mark, *blocks]), compression=Compression.NONE)

    def packed(self, compression: Compression) -> bytes:
        """The bytes of a text that isn't packed, as a file of that compression; the same ones each time."""
        if compression is Compression.GZIP:
            return gzip.compress(self.raw, mtime=0)
        return zstd.compress(self.raw) if compression is Compression.ZSTD else self.raw


def landed_text(name: str, content: bytes, limits: Limits) -> LandedText:
    """A landed file, given its bytes as landed; one with another extension counts as not packed."""
    try:
        compression = compression_of(name)
    except FileRejected:
        compression = Compression.NONE
    return LandedText(name=name, raw=content, compression=compression, limits=limits)


def _slices_at_lines(name: str, content: bytes) -> Iterator[bytes]:
    start = len(UTF8_BOM) if content.startswith(UTF8_BOM) else 0
    while start < len(content):
        end = _end_of_block(content, start)
        _check_line(name, end - start)
        yield content[start:end]
        start = end


def _end_of_block(content: bytes, start: int) -> int:
    if len(content) - start <= BLOCK_BYTES:
        return len(content)
    end = content.rfind(b"\n", start, start + BLOCK_BYTES) + 1
    return end or content.find(b"\n", start + BLOCK_BYTES) + 1 or len(content)


def _cut_at_lines(name: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    begun: list[bytes] = []  # of a line that has not ended
    length = 0
    for piece in pieces:
        if end := piece.rfind(b"\n") + 1:
            first = piece.find(b"\n") + 1 if length > BLOCK_BYTES else end
            yield b"".join([*begun, piece[:first]])
            if first < end:
                yield piece[first:end]
            begun, length = [], 0
        begun.append(piece[end:])
        length += len(piece) - end
        _check_line(name, length)
    if last := b"".join(begun):
        yield last


def _check_line(name: str, length: int) -> None:
    """A block of this length may be a line by itself, and a rejected line is kept whole."""
    if length > LONGEST_KEPT_LINE:
        raise FileRejected(Reason.TOO_LARGE, f"{name} has a line of more than {LONGEST_KEPT_LINE} bytes")


def _decompressed(text: LandedText) -> Iterator[bytes]:
    """Pieces of at most one block, guarded: an archive never yields more than `max_content_bytes`."""
    name, most_bytes, total = text.name, text.limits.max_content_bytes, 0
    try:
        with _reader(text.compression, text.raw) as reader:
            while piece := reader.read(BLOCK_BYTES):
                total += len(piece)
                if total > most_bytes:
                    raise FileRejected(Reason.TOO_LARGE, f"{name} holds more than {most_bytes} bytes")
                yield piece
    except (EOFError, OSError, zlib.error, zstd.ZstdError) as error:
        raise FileRejected(Reason.CORRUPT_ARCHIVE, f"{name} can't be decompressed: {error}") from error


def _reader(compression: Compression, content: bytes) -> BinaryIO:
    packed = io.BytesIO(content)
    if compression is Compression.GZIP:
        return cast(BinaryIO, gzip.GzipFile(fileobj=packed))
    return cast(BinaryIO, zstd.ZstdFile(packed))

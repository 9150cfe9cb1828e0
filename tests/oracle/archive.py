"""From a landed file to its bytes: extension, size and archive."""

import gzip
import io
import zlib

import zstandard

MAX_BYTES = 100 * 1024**2
MAX_DECOMPRESSED_BYTES = 1024**3
EXTENSIONS = (".csv", ".csv.gz", ".csv.zst")
# Small, so that a decompression bomb passes the limit by little before it is noticed.
BITE = 1024


class FileRejected(Exception):
    """The whole file is refused; `reason` is the code of its record."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def unpack(name: str, content: bytes, *, max_bytes: int, max_decompressed_bytes: int) -> bytes:
    lower = name.lower()
    if not lower.endswith(EXTENSIONS):
        raise FileRejected("BAD_EXTENSION")
    if not content:
        raise FileRejected("EMPTY_FILE")
    if len(content) > max_bytes:
        raise FileRejected("TOO_LARGE")
    if lower.endswith(".csv"):
        return content
    expand = gunzip if lower.endswith(".gz") else unzstd
    try:
        expanded = expand(content, max_decompressed_bytes)
    except (EOFError, OSError, zlib.error, zstandard.ZstdError) as error:
        raise FileRejected("CORRUPT_ARCHIVE") from error
    if not expanded:
        raise FileRejected("EMPTY_FILE")
    return expanded


def gunzip(content: bytes, limit: int) -> bytes:
    expanded = bytearray()
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as members:
        while piece := members.read(BITE):
            append(expanded, piece, limit)
    return bytes(expanded)


def unzstd(content: bytes, limit: int) -> bytes:
    expanded = bytearray()
    rest = content
    while rest:
        frame = zstandard.ZstdDecompressor().decompressobj()
        while rest and not frame.eof:
            append(expanded, frame.decompress(rest[:BITE]), limit)
            rest = rest[BITE:]
        if not frame.eof:
            raise EOFError("the last frame is cut off")
        rest = frame.unused_data + rest
    return bytes(expanded)


def append(expanded: bytearray, piece: bytes, limit: int) -> None:
    expanded += piece
    if len(expanded) > limit:
        raise FileRejected("TOO_LARGE")

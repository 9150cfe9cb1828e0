"""From cells to hostile bytes: quoting, line ends, encodings, archives."""

import gzip
from collections.abc import Sequence
from random import Random

import zstandard

BAD_BYTES = (
    b"\xff",
    b"\xc3",
    b"\xe2\x82",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\x80",
    b"\xf5\x80\x80\x80",
    b"\xf0\x9f\x98",
)
CONTROLS = (b"\x00", b"\x01", b"\x1b", b"\x7f", b"\r", b"\x0b", b"\x0c", b"\x1f", b"\x08")
BLANK_LINES = (b"", b"", b" ", b"\t", b" \t ", b"   ")
HARMLESS = ("\u0085", "\u2028", "\u00a0", "\ufeff", "\\x41", "\\", "😀")


def cell(rng: Random, text: str, delimiter: str) -> str:
    """The cell as written: padded or quoted at will, and quoted where it must be."""
    must = delimiter in text or '"' in text
    if must or rng.random() < 0.08:
        padding = rng.choice(("", "", "", " ", "\t"))
        return '"' + padding + text.replace('"', '""') + padding + '"'
    if rng.random() < 0.1:
        padding = rng.choice((" ", "  ", "\t" if delimiter != "\t" else " "))
        return f"{rng.choice((padding, ''))}{text}{padding}"
    return text


def line(rng: Random, texts: Sequence[str], delimiter: str) -> bytes:
    return delimiter.join(cell(rng, text, delimiter) for text in texts).encode()


def damaged_line(rng: Random, texts: Sequence[str], delimiter: str) -> bytes:
    """A line that is malformed, or looks like it."""
    whole = line(rng, texts, delimiter)
    separator = delimiter.encode()
    at = rng.randrange(len(whole) + 1)
    column = rng.randrange(len(texts))
    broken = rng.choice(broken_cells(texts[column]))
    choices = [
        whole + separator,
        separator + whole,
        whole.replace(separator, b"", 1),
        separator * (len(texts) - 1),
        whole[:at],
        whole[:at] + rng.choice(BAD_BYTES) + whole[at:],
        whole[:at] + rng.choice(CONTROLS) + whole[at:],
        whole[:at] + rng.choice(HARMLESS).encode() + whole[at:],
        whole[:at] + b'"' + whole[at:],
        delimiter.join([*texts[:column], broken, *texts[column + 1 :]]).encode(),
        whole + b"\r",
        b"garbage",
        b'""',
        rng.choice((b"\xc2\xa0", b"\x0c", b"\xe2\x80\x83 ", b"\x0b\t", b"\xef\xbb\xbf")),
        whole.replace(separator, rng.choice((b",", b";", b"\t", b"|"))),
    ]
    return rng.choice(choices)


def broken_cells(text: str) -> tuple[str, ...]:
    """The text as a cell with quotes where they mustn't be, or without those that must."""
    return (
        f'"{text}',
        f'{text}"',
        f' "{text}"',
        f'"{text}" ',
        f'"{text}"x',
        f'a"{text}"',
        f'"{text}""',
        '"',
        '"""',
        '""x',
    )


def join_lines(rng: Random, lines: Sequence[bytes]) -> bytes:
    """Lines with LF, CRLF or both, the last one perhaps without; a BOM perhaps before."""
    ends = rng.choice(
        ((b"\n",), (b"\n",), (b"\r\n",), (b"\n", b"\r\n"), (b"\n", b"\n", b"\r\n", b"\n\n", b"\n \t\r\n"))
    )
    body = b"".join(each + (rng.choice(ends) if number else ends[0]) for number, each in enumerate(lines))
    if rng.random() < 0.3:
        body = rng.choice((body.rstrip(b"\r\n"), body.removesuffix(b"\n")))
    if rng.random() < 0.1:
        body += rng.choice(BLANK_LINES) + rng.choice((b"", b"\n", b"\r\n"))
    return (b"\xef\xbb\xbf" if rng.random() < 0.2 else b"") + body


def damaged_content(rng: Random, content: bytes) -> bytes:
    """Bytes of a file that are something else as a whole, or whose header is."""
    newline = content.find(b"\n")
    return rng.choice(
        (
            b"",
            b"\n" + content,
            b"\xef\xbb\xbf",
            b"\xef\xbb\xbf" + content,
            content[newline + 1 :],
            content[: newline // 2],
            content[:newline],
            content[:newline] + b"\r",
            content.decode(errors="replace").encode("utf-16"),
            b"\xff" + content,
            b"x\x00y" + content,
            content[:newline] + rng.choice((b"\x7f", b"\xe9", b"\r", b"\r\r", b'"')) + content[newline:],
            b" " + content,
            b"sep=;\n" + content,
        )
    )


def archived(rng: Random, content: bytes, kind: str) -> bytes:
    """The content as `csv`, `gz` or `zst`: in one piece or several, perhaps damaged."""
    if kind == "csv":
        return content
    compress = gzip_member if kind == "gz" else zstandard.ZstdCompressor(level=1).compress
    cut = rng.randrange(len(content) + 1)
    pieces = rng.choice(([content], [content], [content[:cut], content[cut:]], [b"", content]))
    packed = b"".join(compress(piece) for piece in pieces)
    return damaged_archive(rng, packed, content) if rng.random() < 0.15 else packed


def gzip_member(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=1, mtime=0)


def damaged_archive(rng: Random, packed: bytes, content: bytes) -> bytes:
    at = rng.randrange(len(packed))
    # Past the fields of a gzip header that nobody checks.
    flipped = min(max(at, 10), len(packed) - 1)
    return rng.choice(
        (
            b"",
            content,
            packed[:at],
            packed[:-1],
            packed + b"trailing garbage",
            packed + packed[:at],
            packed[:flipped] + bytes([packed[flipped] ^ 0x55]) + packed[flipped + 1 :],
        )
    )

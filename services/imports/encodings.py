"""Bytes of a file: compressed or not, text or not, and in which encoding."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

LATIN = "cp1252"
BINARY = {
    b"PK\x03\x04": "this is a zip or Excel file: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "this is an Excel file: save the sheet as CSV",
    b"%PDF": "this is a PDF document",
}
BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
READ_ERRORS = (OSError, EOFError, zlib.error, pa.ArrowException, UnicodeError)


class UnreadableError(Exception):
    """A file that cannot be imported; the message says why."""


def open_bytes(path: Path) -> tuple[IO[bytes], IO[bytes]]:
    """The plain bytes of a file, and the file itself to ask how far we are."""
    raw = path.open("rb")
    gzipped = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    stream = gzip.GzipFile(fileobj=raw) if gzipped else raw
    return cast("IO[bytes]", stream), raw


def refuse_binary(head: bytes) -> None:
    """Raise ``UnreadableError`` for what is not text."""
    for magic, meaning in BINARY.items():
        if head.startswith(magic):
            raise UnreadableError(meaning)
    if any(head.startswith(bom) for bom, _ in BOMS):
        return
    control = sum(head[:4096].count(bytes([c])) for c in (*range(1, 9), *range(14, 27)))
    if control > len(head[:4096]) // 50:
        raise UnreadableError("this is a binary file, not text")


def guess_encoding(head: bytes) -> str:
    """The encoding by its mark, by its NULs, by being valid UTF-8, else Latin-1."""
    for bom, name in BOMS:
        if head.startswith(bom):
            return name
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        half, other = head[offset:512:2], head[1 - offset : 512 : 2]
        if half.count(0) > 0.7 * len(half) and other.count(0) < 0.1 * len(half):
            return name
    try:
        head[: head.rfind(b"\n") + 1 or None].decode("utf-8")
    except UnicodeDecodeError:
        return LATIN
    return "utf-8"

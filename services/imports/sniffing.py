"""What kind of file this is: format, encoding, delimiter, header, sample."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from services.imports.encodings import (
    LATIN,
    READ_ERRORS,
    UnreadableError,
    guess_encoding,
    open_bytes,
    refuse_binary,
)
from services.imports.names import MISSING_WORDS
from services.imports.plans import Dialect
from services.imports.records import Lines, records

SAMPLE_BYTES = 256 * 1024
TAIL_BYTES = 32 * 1024
TAILS = 6
SAMPLE_ROWS = 5_000
LEAST_SHARE = 0.5
"""Of the lines, so many must have as many cells for a delimiter to be one."""
DELIMITERS = (",", ";", "\t", "|")
NOT_DELIMITERS = set("_-.()[]{}\\/%\"'#:+°³² \r\n")
NUMBER = re.compile(r"[+-]?[\d.,]*\d[\d.,]*([eE][+-]?\d+)?")
CLOCK = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|\d{1,2}:\d\d.*")


@dataclass(frozen=True)
class Sniffed:
    """A file's dialect with a sample of its columns as text or typed arrays."""

    dialect: Dialect
    sample: dict[str, pa.Array]
    notes: tuple[str, ...] = ()


def sniff(path: Path) -> Sniffed:
    """Look into a file.

    Raises:
        UnreadableError: it is missing, a folder, empty, binary, damaged or has no
            header.
    """
    if path.is_dir():
        raise UnreadableError(
            "this is a folder: name the files in it, e.g. folder/*.csv"
        )
    if not path.is_file():
        raise UnreadableError("there is no such file")
    try:
        stream, raw = open_bytes(path)
        with raw:
            head = stream.read(SAMPLE_BYTES)
    except READ_ERRORS as error:
        raise UnreadableError(f"cannot be read: {error}") from error
    if not head.strip(b"\0 \t\r\n"):
        raise UnreadableError("the file is empty")
    if head[:4] == b"PAR1":
        return _sniff_parquet(path)
    return _sniff_text(path, head, plain=stream is raw)


def _sniff_text(path: Path, head: bytes, plain: bool) -> Sniffed:
    refuse_binary(head)
    encoding = guess_encoding(head)
    text = head.decode(encoding, "ignore")
    if text.lstrip()[:1] == "{":
        return _sniff_json(text, encoding, whole=len(head) < SAMPLE_BYTES)
    if text.lstrip()[:1] == "[":
        raise UnreadableError("this is one JSON list: write one JSON object per line")
    if "\0" in text.partition("\n")[0]:
        raise UnreadableError("this is a binary file, not text")
    lines = _lines(text, cut=len(head) == SAMPLE_BYTES)
    if plain and encoding in ("utf-8", "utf-8-sig", LATIN):
        lines += _tail_lines(path, encoding)
    return _sniff_csv(lines, encoding)


def _lines(text: str, cut: bool) -> list[str]:
    lines = io.StringIO(text, newline="").readlines()
    return lines[:-1] if cut and len(lines) > 1 else lines


def _tail_lines(path: Path, encoding: str) -> list[str]:
    # Later parts of a long file settle what its first days leave open,
    # for example whether 03/11 is a day in March or in November.
    size = path.stat().st_size
    found: list[str] = []
    with path.open("rb") as file:
        for part in range(1, TAILS + 1):
            place = size * part // TAILS - TAIL_BYTES
            if place < SAMPLE_BYTES:
                continue
            file.seek(place)
            text = file.read(TAIL_BYTES).decode(encoding, "replace")
            found += io.StringIO(text, newline="").readlines()[1:-1]
    return found


def _sniff_csv(lines: Sequence[str], encoding: str) -> Sniffed:
    best: tuple[float, int, str] | None = None
    for delimiter in _candidates(lines):
        rows = _rows(lines, delimiter)
        width, share = _width(rows)
        if (
            width > 1
            and share >= LEAST_SHARE
            and not looks_like_data(rows[_header_at(rows, width)][1])
        ):
            score = (share, width, delimiter)
            best = score if best is None or score[:2] > best[:2] else best
    if best is None:
        raise UnreadableError(_why_no_table(lines))
    rows = _rows(lines, best[2])
    place = _header_at(rows, best[1])
    after, cells = rows[place]
    last = [cell for _, row in rows[place:] for cell in row[len(cells) - 1 :]]
    if not any(cell.strip() for cell in last):
        cells = cells[:-1]
    header = unique_names(cells)
    body = [
        row[: len(header)] for _, row in rows[place + 1 :] if len(row) >= len(header)
    ]
    if not body:
        raise UnreadableError("there is a header but no row below it")
    columns = zip(*body[: 4 * SAMPLE_ROWS], strict=True)
    sample = {
        n: pa.array([_clean(cell) for cell in cells], pa.string())
        for n, cells in zip(header, columns, strict=True)
    }
    notes = (f"the header ends on line {after - 1}",) if place else ()
    dialect = Dialect("csv", encoding, best[2], header, after - 1)
    return Sniffed(dialect, sample, notes)


def _clean(cell: str) -> str:
    return cell.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _candidates(lines: Sequence[str]) -> list[str]:
    others = Counter(c for c in "".join(lines[:50]) if not c.isalnum())
    rare = [c for c, _ in others.most_common() if c not in NOT_DELIMITERS]
    return [*DELIMITERS, *(c for c in rare if c not in DELIMITERS), " "]


def _rows(lines: Sequence[str], delimiter: str) -> list[tuple[int, list[str]]]:
    """Records with the line after each; a quote left open spoils one line only."""
    source = Lines(lines)
    return [
        (source.number, row)
        for _, row, problem, _ in records(source, delimiter)
        if problem is None and any(cell.strip() for cell in row)
    ]


def _width(rows: Sequence[tuple[int, list[str]]]) -> tuple[int, float]:
    if not rows:
        return 0, 0.0
    width, count = Counter(len(row) for _, row in rows).most_common(1)[0]
    return width, count / len(rows)


def _header_at(rows: Sequence[tuple[int, list[str]]], width: int) -> int:
    # A header may end in one delimiter more, or one less, than its rows; lines of
    # a title above it have fewer cells or mostly empty ones.
    least = max(2, width - 1)
    for place, (_, row) in enumerate(rows):
        filled = sum(bool(cell.strip()) for cell in row)
        if least <= len(row) <= width + 1 and 2 * filled > len(row):
            return place
    return 0


def looks_like_data(row: Sequence[str]) -> bool:
    """Whether cells are numbers or times, so that this is not a header."""
    cells = [c.strip() for c in row if c.strip().lower() not in MISSING_WORDS]
    return any(NUMBER.fullmatch(c) or CLOCK.fullmatch(c) for c in cells)


def _why_no_table(lines: Sequence[str]) -> str:
    first = next((line for line in lines if line.strip()), "")
    widths = [(_width(_rows(lines, d))[0], d) for d in DELIMITERS]
    width, delimiter = max(widths)
    if width > 1 and looks_like_data(_rows([first], delimiter)[0][1]):
        return "there is no header: the first line already holds values"
    return "no columns found: one line per reading with a delimiter is expected"


def unique_names(header: Sequence[str]) -> tuple[str, ...]:
    """Header cells without outer spaces; a repeated name gets its count."""
    names: list[str] = []
    for cell in header:
        name = _clean(cell.strip().strip("\ufeff")) or f"column {len(names) + 1}"
        count = names.count(name)
        names.append(f"{name} #{count + 1}" if count else name)
    return tuple(names)


def flat(record: dict[str, Any]) -> dict[str, Any]:
    """One level of nested objects as ``outer.inner`` keys."""
    found: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            found |= {f"{key}.{inner}": v for inner, v in value.items()}
        else:
            found[key] = value
    return found


def typed(values: Sequence[Any]) -> pa.Array:
    """Python values as one array: numbers if all are, else text."""
    kinds = {type(v) for v in values if v is not None}
    if kinds <= {int, float}:
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    texts = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
    return pa.array([None if t is None else _clean(t) for t in texts], pa.string())


def _sniff_json(text: str, encoding: str, whole: bool) -> Sniffed:
    found: list[dict[str, Any]] = []
    for line in _lines(text, cut=not whole)[:SAMPLE_ROWS]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            found.append(flat(record))
    if not found:
        raise UnreadableError("no line is a JSON object of its own")
    header = tuple(dict.fromkeys(name for record in found for name in record))
    sample = {n: typed([record.get(n) for record in found]) for n in header}
    return Sniffed(Dialect("jsonl", encoding, header=header), sample)


def _sniff_parquet(path: Path) -> Sniffed:
    try:
        with pq.ParquetFile(path) as file:
            names = tuple(file.schema_arrow.names)
            if file.metadata.num_rows == 0:
                raise UnreadableError("there is a header but no row below it")
            batch = next(file.iter_batches(SAMPLE_ROWS))
    except READ_ERRORS as error:
        raise UnreadableError(f"the Parquet file is damaged: {error}") from error
    sample = {n: batch.column(i) for i, n in enumerate(names)}
    return Sniffed(Dialect("parquet", header=names), sample)

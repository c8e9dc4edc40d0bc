"""Files as bounded chunks of columns, with the line each row stands on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from services.imports.encodings import LATIN, open_bytes
from services.imports.plans import Dialect
from services.imports.records import Lines, records
from services.imports.sniffing import flat, typed

CHUNK_ROWS = 50_000
RAW_CHARACTERS = 2_000
Integers = npt.NDArray[np.int64]
Tell = Callable[[int], None]


@dataclass(frozen=True)
class Reject:
    """A row that cannot be taken: where it stands, why, and its text."""

    line: int
    reason: str
    raw: str


@dataclass(frozen=True)
class Chunk:
    """Columns of equal length, the line of each row and its text on demand."""

    columns: dict[str, pa.Array]
    lines: Integers
    raw: Callable[[int], str]
    rejected: list[Reject] = field(default_factory=list)


def chunks(path: Path, dialect: Dialect, tell: Tell) -> Iterator[Chunk]:
    """The chunks of a file; ``tell`` hears how many of its bytes are done.

    Raises:
        OSError, EOFError, zlib.error, ArrowException: the file is damaged here;
            what was given before stays good.
    """
    if dialect.kind == "parquet":
        yield from _parquet(path, tell)
        return
    with ExitStack() as stack:
        stream, raw = open_bytes(path)
        stack.callback(raw.close)
        text = stack.enter_context(_text(stream, dialect.encoding))
        read = _csv if dialect.kind == "csv" else _jsonl
        for chunk in read(text, dialect):
            tell(raw.tell())
            yield chunk


def _text(stream: IO[bytes], encoding: str) -> io.TextIOWrapper:
    # Bytes that are not UTF-8 come through as surrogates and are mended per cell.
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    return io.TextIOWrapper(stream, encoding, errors=errors, newline="")


def mended(text: str) -> str:
    """Text whose stray bytes are read as Latin-1: a file of two encodings."""
    if text.isascii():
        return text
    mixed = text.encode("utf-8", "surrogateescape")
    try:
        return mixed.decode("utf-8")
    except UnicodeDecodeError:
        return mixed.decode(LATIN, "replace")


def _strings(cells: tuple[str, ...] | list[str]) -> pa.Array:
    try:
        return pa.array(cells, pa.string())
    except UnicodeEncodeError:
        return pa.array([mended(cell) for cell in cells], pa.string())


def _csv(text: io.TextIOWrapper, dialect: Dialect) -> Iterator[Chunk]:
    for _ in range(dialect.header_line):
        next(text, None)
    lines = Lines(text, dialect.header_line + 1)
    found = records(lines, dialect.delimiter, len(dialect.header))
    while True:
        rows: list[list[str]] = []
        numbers: list[int] = []
        rejected: list[Reject] = []
        for number, row, problem, line in islice(found, CHUNK_ROWS):
            if problem is None:
                rows.append(row)
                numbers.append(number)
            else:
                rejected.append(Reject(number, problem, _shown(line)))
        if not rows and not rejected:
            return
        yield _csv_chunk(rows, numbers, rejected, dialect)


def _shown(text: str) -> str:
    return mended(text.rstrip("\r\n").replace("\0", "\ufffd"))[:RAW_CHARACTERS]


def _csv_chunk(
    rows: list[list[str]],
    numbers: list[int],
    rejected: list[Reject],
    dialect: Dialect,
) -> Chunk:
    cells = zip(*rows, strict=True) if rows else ((),) * len(dialect.header)
    columns = {n: _strings(c) for n, c in zip(dialect.header, cells, strict=True)}

    def raw(place: int) -> str:
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=dialect.delimiter, lineterminator="")
        writer.writerow(rows[place])
        return _shown(out.getvalue())

    return Chunk(columns, np.array(numbers, np.int64), raw, rejected)


def _jsonl(text: io.TextIOWrapper, dialect: Dialect) -> Iterator[Chunk]:
    lines = enumerate(text, 1)
    while True:
        found: list[dict[str, Any]] = []
        numbers: list[int] = []
        rejected: list[Reject] = []
        for number, line in lines:
            _json_line(line, number, (found, numbers, rejected))
            if len(found) + len(rejected) >= CHUNK_ROWS:
                break
        if not found and not rejected:
            return
        yield _record_chunk(found, numbers, rejected, dialect)


def _json_line(
    line: str,
    number: int,
    into: tuple[list[dict[str, Any]], list[int], list[Reject]],
) -> None:
    found, numbers, rejected = into
    if not line.strip():
        return
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        rejected.append(Reject(number, "not JSON", _shown(line)))
        return
    if not isinstance(record, dict):
        rejected.append(Reject(number, "not a JSON object", _shown(line)))
        return
    found.append(flat(record))
    numbers.append(number)


def _record_chunk(
    found: list[dict[str, Any]],
    numbers: list[int],
    rejected: list[Reject],
    dialect: Dialect,
) -> Chunk:
    late = {name for record in found for name in record} - set(dialect.header)
    names = (*dialect.header, *sorted(late))
    columns = {n: typed([r.get(n) for r in found]) for n in names}

    def raw(place: int) -> str:
        text = json.dumps(found[place], ensure_ascii=False)
        return text.encode("utf-8", "replace").decode("utf-8")[:RAW_CHARACTERS]

    return Chunk(columns, np.array(numbers, np.int64), raw, rejected)


def _parquet(path: Path, tell: Tell) -> Iterator[Chunk]:
    size = path.stat().st_size
    done = 0
    with pq.ParquetFile(path) as file:
        total = max(1, file.metadata.num_rows)
        for batch in file.iter_batches(CHUNK_ROWS):
            lines = np.arange(done + 1, done + 1 + len(batch), dtype=np.int64)
            done += len(batch)
            tell(size * done // total)
            yield _batch_chunk(batch, lines)


def _batch_chunk(batch: pa.RecordBatch, lines: Integers) -> Chunk:
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))

    def raw(place: int) -> str:
        row = {name: str(column[place].as_py()) for name, column in columns.items()}
        return json.dumps(row, ensure_ascii=False)[:RAW_CHARACTERS]

    return Chunk(columns, lines, raw)

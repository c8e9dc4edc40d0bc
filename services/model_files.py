"""Files of a model's rows: CSV, Parquet or JSON lines as portions of Arrow tables."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.model_records import ModelSpec
from services.errors import InvalidInput
from services.imports import timing
from services.imports.encodings import READ_ERRORS, UnreadableError, open_bytes
from services.imports.mapping import IGNORE
from services.imports.planning import guess_decimal
from services.imports.plans import Dialect, TimePlan
from services.imports.reading import RAW_CHARACTERS, Chunk, Reject, chunks
from services.imports.sniffing import Sniffed, sniff
from services.imports.times import to_utc
from services.label_rows import KNOWN_AT
from services.model_cells import decoded, numeric_columns, with_points
from services.model_detail import listed
from services.model_json import known_columns, plain, table_of

PORTION_ROWS = 200_000
PORTION_CELLS = 20_000_000
"""Wide files are read in portions of fewer rows."""
LINES = 50_000
Tell = Callable[[int], None]


@dataclass(frozen=True)
class FileOptions:
    """What the user says of files; maps: ``COLUMN=schema column`` or ``=ignore``.

    tz: IANA zone of times that carry none; without it they are UTC.
    """

    maps: tuple[str, ...] = ()
    tz: str | None = None


@dataclass(frozen=True)
class Portion:
    """Some rows of a file in the schema's names, and lines that are no rows."""

    table: pa.Table
    lines: Sequence[int]
    raw: Callable[[int], str]
    rejected: list[Reject] = field(default_factory=list)


@dataclass(frozen=True)
class ModelFile:
    """A file that was looked into.

    renames: column of the file -> column of the schema. times: by schema column.
    """

    path: Path
    dialect: Dialect
    spec: ModelSpec
    renames: Mapping[str, str]
    decimal: str
    times: Mapping[str, TimePlan]
    notes: tuple[str, ...]

    def portions(self, tell: Tell = lambda _done: None) -> Iterator[Portion]:
        """The rows, in portions; ``tell`` hears how many bytes are done.

        Raises:
            InvalidInput: the file is damaged.
        """
        done = 0
        try:
            for portion in self._read(tell):
                done = max([done, *portion.lines[-1:]])
                yield portion
        except READ_ERRORS as error:
            raise InvalidInput(
                f"the file is damaged after line {done:,}; nothing of it was taken "
                f"({error})"
            ) from error

    def _read(self, tell: Tell) -> Iterator[Portion]:
        if self.dialect.kind == "parquet":
            yield from self._parquet(tell)
        elif self.dialect.kind == "csv":
            for chunk in chunks(self.path, self.dialect, tell):
                yield self._of_chunk(chunk)
        else:
            yield from self._json_lines(tell)

    def _of_chunk(self, chunk: Chunk) -> Portion:
        table = pa.Table.from_arrays(
            list(chunk.columns.values()), names=list(chunk.columns)
        )
        named = self._named(table)
        return Portion(named, chunk.lines.tolist(), chunk.raw, chunk.rejected)

    def _parquet(self, tell: Tell) -> Iterator[Portion]:
        size, done = self.path.stat().st_size, 0
        with pq.ParquetFile(self.path) as file:
            total = max(1, file.metadata.num_rows)
            columns = max(1, file.metadata.num_columns)
            rows = max(1_000, min(PORTION_ROWS, PORTION_CELLS // columns))
            for batch in file.iter_batches(rows):
                table = pa.Table.from_batches([batch])
                lines = range(done + 1, done + 1 + table.num_rows)
                done += table.num_rows
                tell(size * done // total)
                yield Portion(
                    self._named(plain(table, self._known())), lines, _raw_of(table)
                )

    def _json_lines(self, tell: Tell) -> Iterator[Portion]:
        known = self._known()
        with ExitStack() as stack:
            stream, raw = open_bytes(self.path)
            stack.callback(raw.close)
            text = stack.enter_context(
                io.TextIOWrapper(stream, self.dialect.encoding, errors="replace")
            )
            numbered = enumerate(text, 1)
            while found := [(n, s) for n, s in islice(numbered, LINES) if s.strip()]:
                tell(raw.tell())
                yield self._of_lines(found, known)

    def _of_lines(self, found: list[tuple[int, str]], known: set[str]) -> Portion:
        sent = table_of([_parsed(text) for _, text in found], known)
        lines = [found[place][0] for place in sent.places]
        rejected = [
            Reject(found[place][0], why, found[place][1].strip()[:RAW_CHARACTERS])
            for place, why in sent.refused.items()
        ]

        def raw(place: int) -> str:
            return found[sent.places[place]][1].strip()[:RAW_CHARACTERS]

        return Portion(self._named(sent.table), lines, raw, rejected)

    def _known(self) -> set[str]:
        """The columns of the file that are read."""
        mapped = {n for n, to in self.renames.items() if to != IGNORE}
        return mapped | (known_columns(self.spec) - set(self.renames))

    def _named(self, table: pa.Table) -> pa.Table:
        """The table in the schema's names, with numbers and times read."""
        numeric = numeric_columns(self.spec)
        names, columns = [], []
        for given, column in zip(table.schema.names, table.columns, strict=True):
            name = self.renames.get(given, given)
            if name == IGNORE and given in self.renames:
                continue
            names.append(name)
            columns.append(self._converted(name, column, numeric))
        return pa.Table.from_arrays(columns, names=names)

    def _converted(
        self, name: str, column: pa.ChunkedArray, numeric: frozenset[str]
    ) -> pa.ChunkedArray | pa.Array:
        if name in self.times and len(column):
            whole = decoded(pa.concat_arrays(column.chunks))
            rows = np.full(len(whole), "", dtype=object)
            found, _ = to_utc((whole,), self.times[name], rows)
            return pa.array(found, pa.timestamp("us"))
        if not _is_text(column.type):
            return column
        if name in numeric and self.decimal == ",":
            return with_points(column)
        if self.dialect.kind == "csv":
            empty = pc.equal(pc.utf8_trim_whitespace(column), "")
            return pc.if_else(empty, pa.scalar(None, column.type), column)
        return column


def look(path: Path, spec: ModelSpec, options: FileOptions, *, kind: str) -> ModelFile:
    """Look into a file and decide how it is read.

    Args:
        path: the file.
        spec: the model.
        options: what the user says.
        kind: ``inferences``, ``labels`` or ``reference``.

    Raises:
        InvalidInput: it cannot be read, a map names no column, or no time is found.
    """
    try:
        found = sniff(path)
    except UnreadableError as error:
        raise InvalidInput(" ".join(str(error).split())) from error
    timing.check_zone(options.tz)
    header = list(found.sample)
    renames = read_maps(options.maps, header, spec)
    decimal, notes = guess_decimal(found)
    times: dict[str, TimePlan] = {}
    wanted = {"inferences": (spec.columns.timestamp,), "labels": KNOWN_AT}
    for column in wanted.get(kind, ()):
        source = next((n for n in header if renames.get(n, n) == column), None)
        if source is not None:
            plan, told = _times(found, source, options.tz, decimal)
            times[column] = plan
            notes = (*notes, *told)
    return ModelFile(
        path, found.dialect, spec, renames, decimal, times, (*found.notes, *notes)
    )


def read_maps(
    maps: Sequence[str], header: Sequence[str], spec: ModelSpec
) -> dict[str, str]:
    """``COLUMN=schema column`` texts: column of the file -> column of the schema.

    Raises:
        InvalidInput: a text, a column of the file or of the schema does not exist.
    """
    known = known_columns(spec)
    found: dict[str, str] = {}
    for text in maps:
        column, equals, target = (part.strip() for part in text.rpartition("="))
        if not equals or not column or not target:
            raise InvalidInput(f"--map {text[:80]!r}: write COLUMN=SCHEMA_COLUMN")
        if column not in header:
            raise InvalidInput(
                f"--map {text[:80]!r}: the file has no column {column[:60]!r}; it has "
                f"{listed(header)}"
            )
        if target not in known and target != IGNORE:
            raise InvalidInput(
                f"--map {text[:80]!r}: {spec.name} has no column {target[:60]!r}; it "
                f"has {listed(sorted(known))}"
            )
        found[column] = target
    return found


def _times(
    found: Sniffed, column: str, tz: str | None, decimal: str
) -> tuple[TimePlan, tuple[str, ...]]:
    sample = {n: decoded(a) for n, a in found.sample.items() if n == column}
    header = replace(found.dialect, header=(column,))
    try:
        return timing.plan_times(
            Sniffed(header, sample), {column: ("ts", "")}, tz, decimal
        )
    except timing.NoTimeError as error:
        raise InvalidInput(str(error)) from error


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None  # refused as a row that is no object


def _raw_of(table: pa.Table) -> Callable[[int], str]:
    def raw(place: int) -> str:
        row = table.slice(place, 1).to_pylist()[0]
        return json.dumps(row, default=str, ensure_ascii=False)[:RAW_CHARACTERS]

    return raw

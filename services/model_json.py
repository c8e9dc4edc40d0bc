"""Rows sent over HTTP for a model: JSON, JSON lines or Parquet, as Arrow tables."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data.model_records import LABEL, ModelSpec
from services.errors import InvalidInput, TooLarge
from services.label_rows import KNOWN_AT

MOST_COLUMNS = 5_000
MOST_DECODED = 256_000_000
"""Bytes a Parquet body may say it unpacks to."""
LARGEST_WHOLE = 2**63
JSON_TYPE = "application/json"
LINES_TYPES = frozenset({"application/x-ndjson", "application/jsonl"})
PARQUET_TYPES = frozenset(
    {"application/vnd.apache.parquet", "application/x-parquet", "application/parquet"}
)
NO_OBJECT = "it is no JSON object"


@dataclass(frozen=True)
class SentRows:
    """Rows as a table, and those that are no rows.

    places: the place in what was sent of each row of ``table``, from 0. refused:
    place -> why.
    """

    table: pa.Table
    places: Sequence[int]
    refused: Mapping[int, str] = field(default_factory=dict)


def known_columns(spec: ModelSpec) -> frozenset[str]:
    """Every column that some door reads of a sender's row."""
    columns = spec.columns
    roles = (columns.id, columns.timestamp, columns.prediction, columns.label)
    names = {
        "version",
        "prediction_id",
        LABEL,
        *KNOWN_AT,
        *columns.scores.values(),
        *spec.segments,
    }
    return frozenset(names | {r for r in roles if r} | {f.name for f in spec.features})


def read_body(body: bytes, content_type: str, spec: ModelSpec, most: int) -> SentRows:
    """The rows of a request.

    Args:
        body: what was sent.
        content_type: ``application/json`` with ``{"rows": [...]}``, JSON lines or
            Parquet.
        spec: the model.
        most: rows at most (setting ``max_batch_rows``).

    Raises:
        InvalidInput: the body is not what its content type says.
        TooLarge: too many rows or columns.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind in PARQUET_TYPES:
        return _parquet(body, known_columns(spec), most)
    if kind in LINES_TYPES:
        rows = [_parsed(line) for line in body.splitlines() if line.strip()]
    elif kind == JSON_TYPE:
        rows = _listed(body)
    else:
        raise InvalidInput(
            f"Content-Type {kind[:60] or '(none)'} is not taken: send {JSON_TYPE} with "
            '{"rows": [...]}, application/x-ndjson with one object per line, or '
            "application/vnd.apache.parquet."
        )
    _check_rows(len(rows), most)
    return table_of(rows, known_columns(spec))


def _listed(body: bytes) -> list[Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidInput("The body is no JSON.") from None
    rows = document.get("rows") if isinstance(document, dict) else None
    if not isinstance(rows, list) or set(document) != {"rows"}:
        raise InvalidInput('The body must be {"rows": [...]} with one object per row.')
    return rows


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None  # a line that is no JSON is refused as a row


def _check_rows(rows: int, most: int) -> None:
    if not rows:
        raise InvalidInput("The batch has no row.")
    if rows > most:
        raise TooLarge(
            f"The batch has {rows:,} rows; at most {most:,} are taken at once "
            "(setting IOTSPHERE_MAX_BATCH_ROWS): send it in parts."
        )


def _parquet(body: bytes, known: Collection[str], most: int) -> SentRows:
    try:
        with pq.ParquetFile(BytesIO(body)) as file:
            meta = file.metadata
            _check_rows(meta.num_rows, most)
            size = sum(
                meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)
            )
            if meta.num_columns > MOST_COLUMNS or size > MOST_DECODED:
                raise TooLarge(
                    f"The Parquet body has {meta.num_columns:,} columns and {size:,} "
                    f"bytes; at most {MOST_COLUMNS:,} and {MOST_DECODED:,} are taken."
                )
            table = file.read()
    except (pa.ArrowException, OSError, ValueError):
        raise InvalidInput("The body is no Parquet file that can be read.") from None
    if table.num_rows > most:
        raise InvalidInput("The body is no Parquet file that can be read.")
    return SentRows(plain(table, known), range(table.num_rows))


def plain(table: pa.Table, known: Collection[str]) -> pa.Table:
    """A table whose columns are numbers, texts, times or truth values.

    Decimals become floats. Unknown columns of lists, objects or bytes keep their name
    alone, so that they are reported.

    Raises:
        InvalidInput: a known column holds such.
    """
    names, columns = [], []
    for name, column in zip(table.schema.names, table.columns, strict=True):
        if name.startswith("__index_level_"):
            continue  # the index pandas writes beside its columns
        kind = column.type
        if pa.types.is_decimal(kind):
            column = column.cast(pa.float64())  # noqa: PLW2901
        elif pa.types.is_nested(kind) or pa.types.is_binary(kind):
            if name in known:
                raise InvalidInput(
                    f"{name[:80]} holds {kind}: give one number or text per row."
                )
            column = pa.chunked_array([pa.nulls(len(column))])  # noqa: PLW2901
        names.append(name)
        columns.append(column)
    return pa.Table.from_arrays(columns, names=names)


def table_of(rows: Sequence[Any], known: Collection[str]) -> SentRows:
    """JSON values as a table; what is no object or holds more than values is refused.

    Args:
        rows: parsed JSON.
        known: columns to read; others keep their name alone, so that they are reported.

    Raises:
        TooLarge: more than ``MOST_COLUMNS`` names.
    """
    refused: dict[int, str] = {}
    taken: list[Mapping[str, Any]] = []
    places = []
    names: dict[str, None] = {}
    for place, row in enumerate(rows):
        reason = _problem(row)
        if reason is not None:
            refused[place] = reason
            continue
        places.append(place)
        taken.append(row)
        names.update(dict.fromkeys(row))
        if len(names) > MOST_COLUMNS:
            raise TooLarge(f"The rows have more than {MOST_COLUMNS:,} columns.")
    columns = {
        clean(name): _column([row.get(name) for row in taken])
        if name in known
        else pa.nulls(len(taken))
        for name in names
    }
    return SentRows(pa.table(columns), places, refused)


def _problem(row: Any) -> str | None:
    if not isinstance(row, dict):
        return NO_OBJECT
    for name, value in row.items():
        if isinstance(value, list | dict):
            return f"{clean(name)[:80]} holds a list or object: send single values"
    return None


def _column(values: Sequence[Any]) -> pa.Array:
    """One type for the values of a column: truth, whole number, number, else text."""
    kinds = {type(v) for v in values if v is not None}
    if kinds <= {bool}:
        return pa.array(values, pa.bool_())
    if kinds <= {int} and all(v is None or abs(v) < LARGEST_WHOLE for v in values):
        return pa.array(values, pa.int64())
    if kinds <= {int, float}:
        try:
            floats = [None if v is None else float(v) for v in values]
            return pa.array(floats, pa.float64())
        except OverflowError:
            return pa.array([None if v is None else _text(v) for v in values])
    return pa.array([None if v is None else _text(v) for v in values], pa.string())


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int) and abs(value) >= LARGEST_WHOLE:
        return "a number of too many digits"
    return clean(value) if isinstance(value, str) else repr(value)


def clean(text: str) -> str:
    """Text without halves of characters, which no store takes."""
    return text.encode("utf-8", "replace").decode("utf-8")

"""CSV, Parquet and JSON lines files as tables."""

from __future__ import annotations

import csv
import importlib
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .frames import Column, Table, from_arrow, from_rows, names_of

DELIMITERS = ",;\t|"
_SNIFFED = 65_536
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|nan)", re.ASCII | re.I)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_CODE = re.compile(r"[+-]?0\d+", re.ASCII)
"""A leading zero means a code, such as a postcode, and not a number."""
_BOOLEANS = {"true": True, "false": False}


def read_file(path: str | os.PathLike[Any]) -> Table:
    """Read a file by its ending.

    Raises:
        ValueError: the ending or the content is not understood.
        OSError: it cannot be opened.
        ImportError: Parquet without pyarrow.
    """
    file = Path(os.fsdecode(path))
    ending = file.suffix.lower()
    if ending in (".csv", ".tsv", ".txt"):
        return _read_csv(file)
    if ending in (".parquet", ".pq"):
        return _read_parquet(file)
    if ending in (".jsonl", ".ndjson", ".json"):
        return _read_json_lines(file)
    raise ValueError(
        f"{file} does not end in .csv, .tsv, .txt, .parquet, .pq, .jsonl, .ndjson "
        "or .json"
    )


def _read_parquet(file: Path) -> Table:
    try:
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ImportError("reading Parquet needs pyarrow: pip install pyarrow") from (
            error
        )
    with file.open("rb") as source:
        table = from_arrow(parquet.ParquetFile(source).read(), arrow)
    if table is None:
        raise ValueError(f"{file} holds no table")
    return table


def _read_json_lines(file: Path) -> Table:
    text = file.read_text("utf-8-sig")
    if text.lstrip().startswith("["):
        return from_rows(json.loads(text))
    rows: list[Any] = []
    for line in text.split("\n"):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except ValueError as error:
                rows.append(_Unreadable(f"the line is not JSON: {error}"))
    table = from_rows(rows)
    reasons = {i: r.reason for i, r in enumerate(rows) if isinstance(r, _Unreadable)}
    refused = [(row, reasons.get(row, said)) for row, said in table.refused]
    return Table(table.columns, table.numbers, refused)


class _Unreadable:
    def __init__(self, reason: str) -> None:
        self.reason = reason


def _read_csv(file: Path) -> Table:
    with file.open(encoding="utf-8-sig", newline="") as source:
        sample = source.read(_SNIFFED)
        source.seek(0)
        lines = list(csv.reader(source, delimiter=_delimiter(sample)))
    if not lines:
        raise ValueError(f"{file} is empty")
    names = names_of(name.strip() for name in lines[0])
    rows = [line for line in lines[1:] if line]
    kept = [i for i, row in enumerate(rows) if len(row) == len(names)]
    refused = [
        (i, f"the row has {len(row)} fields and the heading {len(names)}")
        for i, row in enumerate(rows)
        if len(row) != len(names)
    ]
    columns = {
        name: _csv_column([rows[i][at] for i in kept]) for at, name in enumerate(names)
    }
    return Table(columns, kept, refused)


def _delimiter(sample: str) -> str:
    heading = sample.split("\n", 1)[0]
    return max(DELIMITERS, key=heading.count)


def _csv_column(fields: Sequence[str]) -> Column:
    texts = [text if text.strip() else None for text in fields]
    filled = [text.strip() for text in texts if text is not None]
    if not filled:
        kind, values = "empty", texts
    elif all(text.lower() in _BOOLEANS for text in filled):
        kind, values = "boolean", _each(texts, lambda t: _BOOLEANS[t.lower()])
    elif not all(_NUMBER.fullmatch(t) and not _CODE.fullmatch(t) for t in filled):
        kind, values = "text", texts
    elif all(_INTEGER.fullmatch(text) for text in filled):
        kind, values = "integer", _each(texts, int)
    else:
        kind, values = "real", _each(texts, float)
    return Column(
        kind,
        lambda start, stop: values[start:stop],
        None if kind == "boolean" else lambda start, stop: texts[start:stop],
    )


def _each(texts: Sequence[str | None], convert: Any) -> list[Any]:
    return [None if text is None else convert(text.strip()) for text in texts]

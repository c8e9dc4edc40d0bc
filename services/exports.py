"""Tables as CSV files: RFC 4180, and nothing in them that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

MIMETYPE = "text/csv; charset=utf-8"
_FORMULA = re.compile(r"^[\s\0]*[=+\-@]|^[\t\r]")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")

Cell = str | bool | int | float | date | datetime | None


@dataclass(frozen=True)
class Table:
    """A table to write: titles with their units, and rows of as many cells.

    name: the file's name, made of ids and times only.
    """

    name: str
    columns: tuple[str, ...]
    rows: Iterable[Sequence[Cell]]


def csv_bytes(table: Table) -> bytes:
    """The table as UTF-8 with a header line; lines end with CRLF.

    Numbers stay numbers, negative ones too; a *text* that a spreadsheet would take
    for a formula gets an apostrophe in front. What is missing is an empty cell.
    """
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([text_cell(title) for title in table.columns])
    for row in table.rows:
        writer.writerow([csv_cell(value) for value in row])
    return written.getvalue().encode("utf-8", "replace")


def text_cell(text: str) -> str:
    """A text as a cell that no spreadsheet runs; NUL characters are left out."""
    guarded = f"'{text}" if _FORMULA.match(text) else text
    return guarded.replace("\0", "")


def file_name(*words: str) -> str:
    """A file name made of words, without any character that means something."""
    safe = "_".join(_NOT_IN_NAMES.sub("-", word).strip("-.") for word in words)
    return f"{safe}.csv"


def csv_cell(value: Cell) -> str | int | float:
    """A value as a cell: numbers stay numbers, what is missing is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return value if math.isfinite(value) else ""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value if isinstance(value, int) else text_cell(value)

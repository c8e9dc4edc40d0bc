"""Delimited records that a stray quote cannot run away with."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

MOST_LINES = 20
"""A quoted cell with more lines than this is a quote nobody closed."""
OPEN_QUOTE = "a quote is opened and not closed"
NUL_BYTES = "NUL bytes"

Record = tuple[int, list[str], str | None, str]
"""First line, fields, the problem if any, and then the text."""


class Lines(Iterator[str]):
    """Physical lines with their numbers; those of an open record can be put back."""

    def __init__(self, source: Iterable[str], number: int = 1) -> None:
        self._source = iter(source)
        self._back: list[str] = []
        self.number = number
        self.record: list[str] = []

    def __next__(self) -> str:
        line = self._back.pop() if self._back else next(self._source)
        self.record.append(line)
        return line

    def close_record(self) -> int:
        """End the record and say on which line it began."""
        begun = self.number
        self.number += len(self.record)
        self.record.clear()
        return begun

    def put_back_all_but_first(self) -> None:
        """Undo a record that swallowed lines: only its first line is given up."""
        self._back.extend(reversed(self.record[1:]))
        del self.record[1:]


def records(lines: Lines, delimiter: str, width: int | None = None) -> Iterator[Record]:
    """The records of ``lines``; blank lines are left out.

    With ``width`` a record of another width is a problem, but for one empty field
    more, which is a delimiter at the end of the line.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            row = _lenient(lines, delimiter)
        if width is not None and len(row) == width + 1 and not row[-1]:
            del row[-1]
        fits = width is None or len(row) == width
        if len(lines.record) == 1 and fits and "\0" not in lines.record[0]:
            number = lines.close_record()
            if row:
                yield number, row, None, ""
            continue
        problem = _problem(row, lines, width)
        text = lines.record[0]
        number = lines.close_record()
        if text.strip() or problem is None:
            yield number, row, problem, text


def _lenient(lines: Lines, delimiter: str) -> list[str]:
    """One line whose quotes are odd but paired, as ``"a"b``; else no fields."""
    text = lines.record[0]
    if len(lines.record) > 1 or text.count('"') % 2:
        return []
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return []


def _problem(row: list[str], lines: Lines, width: int | None) -> str | None:
    if len(lines.record) > 1:
        whole = bool(row) and len(lines.record) <= MOST_LINES
        if whole and (width is None or len(row) == width):
            return None
        lines.put_back_all_but_first()
        return OPEN_QUOTE
    if "\0" in lines.record[0]:
        return NUL_BYTES
    if not row and '"' in lines.record[0]:
        return OPEN_QUOTE
    return f"{len(row)} fields where the header has {width}"

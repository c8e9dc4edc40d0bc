"""The numbers of a report as files, read back."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reports.csv_files import (
    CHUNK_ROWS,
    csv_bytes,
    csv_stream,
    data_file,
    zip_bytes,
)
from services.reports.document import Cell, Column, Document, Figure, Figures, Table
from tests.services.reports import papers

FORMULA = re.compile(r"^[\s\0]*[=+\-@]|^[\t\r]")


def rows_of(data: bytes) -> list[list[str]]:
    """The cells of a CSV file."""
    return list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))


def of_cells(*rows: tuple[Cell, ...], title: str = "A") -> Document:
    """A report with one table of these rows."""
    columns = tuple(Column(f"c{i}", title) for i in range(len(rows[0])))
    return papers.document(Table("t", "T", columns, rows))


class Lazy(Sequence[tuple[Cell, ...]]):
    """Rows that are made when they are read, and say when that is."""

    def __init__(self, count: int) -> None:
        self.count, self.made = count, 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError

    def __iter__(self) -> Iterator[tuple[Cell, ...]]:
        for i in range(self.count):
            self.made = i + 1
            yield (i, f"heater {i}")


def test_one_table_is_a_plain_file() -> None:
    """Heads with units, then rows; numbers whole, times with the zone's offset."""
    found = rows_of(csv_bytes(papers.document(papers.table(2))))

    assert found[0] == ["Window start", "Heater", "Accuracy (%)", "Rows", "Drift (×)"]
    assert found[1] == ["2026-10-01T02:00:00+02:00", "Kitchen", "-70.126", "0", ""]
    assert float(found[2][2]) == -70.126 - 1 / 7


def test_lines_end_as_the_standard_says() -> None:
    """CRLF after every line, the last too; breaks inside a cell are quoted."""
    data = csv_bytes(of_cells(("a\nb", 'say "hi", ok')))

    assert data == b'A,A\r\n"a\nb","say ""hi"", ok"\r\n'


def test_cells_keep_their_kind() -> None:
    """Truth is a word; nothing, not-a-number and infinity are empty cells."""
    row = (True, None, float("nan"), float("inf"), -5, 1e-7, 0.1 + 0.2)

    assert rows_of(csv_bytes(of_cells(row, (False, *row[1:]))))[1:] == [
        ["true", "", "", "", "-5", "1e-07", "0.30000000000000004"],
        ["false", "", "", "", "-5", "1e-07", "0.30000000000000004"],
    ]


def test_a_time_without_a_zone_is_utc() -> None:
    """Every time in a file has an offset."""
    naive = datetime(2026, 1, 1, 12)  # noqa: DTZ001

    assert rows_of(csv_bytes(of_cells((naive,))))[1] == ["2026-01-01T13:00:00+01:00"]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\0="]
)
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    """In cells, heads and ``about.csv`` a formula gets an apostrophe in front."""
    document = papers.document(
        Figures((Figure(text, text, text),)), facts=((text, text),), title=text,
        footnotes=(text,),
    )  # fmt: skip

    assert rows_of(csv_bytes(of_cells((text, "x"), title=text)))[0][0].startswith("'")
    assert rows_of(csv_bytes(of_cells((text, "x"))))[1][0].startswith("'")
    for row in rows_of(csv_bytes(document)):
        assert not any(FORMULA.match(cell) for cell in row)


TEXTS = st.text() | st.sampled_from(("=1", "\0-1", "a,b", '"', "\r\n", "\ud800"))


@given(st.lists(st.tuples(TEXTS, st.floats() | st.none() | TEXTS), min_size=1))
def test_any_cells_are_read_back(rows: list[tuple[Cell, ...]]) -> None:
    """As many rows and cells as written, numbers equal, and no text is a formula."""
    found = rows_of(csv_bytes(of_cells(*rows)))[1:]

    assert len(found) == len(rows)
    for row, cells in zip(rows, found, strict=True):
        assert len(cells) == len(row)
        for value, cell in zip(row, cells, strict=True):
            if isinstance(value, str):
                assert not FORMULA.match(cell)
            elif cell:
                assert float(cell) == value


def test_several_tables_have_their_titles() -> None:
    """In one file they stand below each other with an empty line between."""
    tables = (papers.table(1), Table("b", "Other", (Column("a", "A"),), [(1,)]))
    found = rows_of(csv_bytes(papers.document(*tables)))

    assert [found[0], found[3], found[4]] == [["Windows"], [], ["Other"]]
    assert found[5:] == [["A"], ["1"]]


def test_a_zip_has_a_file_for_each_table_and_one_about_them() -> None:
    """Names are made of keys, double ones are numbered; ``about.csv`` has the rest."""
    document = papers.everything()
    with zipfile.ZipFile(io.BytesIO(zip_bytes(document))) as archive:
        files = {name: rows_of(archive.read(name)) for name in archive.namelist()}
        stamps = {info.date_time for info in archive.infolist()}
    about = files.pop("about.csv")

    assert sorted(files)[0] == "tables_windows.csv"
    assert len(files) == len(papers.NAMES)
    assert all(len(rows) == 41 for rows in files.values())
    assert stamps == {(2026, 11, 30, 7, 15, 0)}
    assert ["Summary", "Accuracy", "0.8512", "", "0.840 to 0.862"] in about
    assert ["fact", "Range", "1 Oct to 31 Oct 2026", "", ""] in about
    assert ["footnote", "", "Intervals are 95 %.", "", ""] in about


def test_the_same_document_is_the_same_zip() -> None:
    """Nothing in it depends on the moment it is packed."""
    assert zip_bytes(papers.everything()) == zip_bytes(papers.everything())


def test_the_form_of_the_file_fits_its_tables() -> None:
    """One table is a CSV, several are a ZIP."""
    assert data_file(papers.document(papers.table()))[0] == "csv"
    assert data_file(papers.everything())[0] == "zip"


def test_rows_are_written_while_they_are_read() -> None:
    """A file begins before its last row is made, and holds every one."""
    rows = Lazy(3 * CHUNK_ROWS)
    columns = (Column("n", "N"), Column("h", "Heater"))
    parts = csv_stream(papers.document(Table("t", "T", columns, rows)))
    begun = [next(parts), next(parts)]

    assert rows.made == CHUNK_ROWS
    assert len(rows_of(b"".join([*begun, *parts]))) == 3 * CHUNK_ROWS + 1

"""CSV files read back as they were written, and run nothing."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.exports import Table, csv_bytes, file_name, text_cell


def read_back(table: Table) -> list[list[str]]:
    """The cells of the file, header included."""
    text = csv_bytes(table).decode("utf-8")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_cells_keep_their_kind() -> None:
    """Numbers stay numbers, negative ones too; times are ISO; nothing is empty."""
    row = (-5.2, 3, None, float("nan"), True, datetime(2026, 3, 10, tzinfo=UTC), "a,b")

    header, cells = read_back(Table("t", tuple("abcdefg"), [row]))

    assert header == list("abcdefg")
    assert cells == ["-5.2", "3", "", "", "true", "2026-03-10T00:00:00+00:00", "a,b"]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "\0=1", " \0 -x", "\tx"]
)
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    """A text that starts like a formula gets an apostrophe in front."""
    assert text_cell(text).startswith("'")


def test_lines_end_as_the_standard_says() -> None:
    """Lines end with CRLF and quotes are doubled, as RFC 4180 has it."""
    assert csv_bytes(Table("t", ("a",), [('say "x"',)])) == b'a\r\n"say ""x"""\r\n'


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_any_text_comes_back(rows: list[list[str]]) -> None:
    """Any text is read back as it was, but for the guard, NUL and lone surrogates."""
    expected = [
        [text_cell(cell).encode("utf-8", "replace").decode() for cell in row]
        for row in rows
    ]
    assert read_back(Table("t", ("a", "b"), rows))[1:] == expected
    for row in expected:
        for cell in row:
            assert not cell.lstrip().startswith(("=", "+", "-", "@"))


@given(st.text(min_size=1))
def test_file_names_mean_nothing_to_a_shell(word: str) -> None:
    """A file name is made of letters, digits and ``_ . -`` and leads nowhere."""
    name = file_name("wh-1", word)

    assert name.startswith("wh-1_")
    assert name.endswith(".csv")
    assert set(name) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
    )

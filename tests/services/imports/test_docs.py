"""The page about imports says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.imports import reading, running, sniffing, tables

PAGE = Path(__file__).parents[3] / "docs" / "import.md"


@pytest.mark.parametrize("name", ["names", "words"])
def test_tables_are_those_of_the_code(name: str) -> None:
    """The recognised names and words on the page are the table in the code."""
    text = PAGE.read_text(encoding="utf-8")
    match = re.search(f"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", text, re.DOTALL)
    made = {"names": tables.names_table, "words": tables.words_table}[name]()

    assert match is not None
    assert match[1] == made


def test_limits_are_those_of_the_code() -> None:
    """The sizes on the page are the constants in the code."""
    text = PAGE.read_text(encoding="utf-8")

    assert f"chunks of {reading.CHUNK_ROWS:,} rows" in text
    assert f"{running.BATCH_ROWS:,}" in text
    assert f"first {sniffing.SAMPLE_BYTES // 1024} kB" in text
    assert sniffing.TAILS == 6

"""Documents for the tests of reports, and PDF files read back."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pypdf import PdfReader

from services.reports.document import (
    BarChart,
    Block,
    Column,
    Document,
    Figure,
    Figures,
    HeatChart,
    Limit,
    Line,
    LineChart,
    Section,
    Table,
    Text,
)

MADE = datetime(2026, 11, 30, 7, 15, tzinfo=UTC)
START = datetime(2026, 10, 1, tzinfo=UTC)
NAMES = ("Küche", "سخان المطبخ", "温水器 三号", "ボイラー", "보일러", "Бойлер", "דוד")
"""Names of heaters in the scripts a report must be able to write."""


def document(*blocks: Block, **changes: Any) -> Document:
    """A report with these blocks in one section."""
    parts: dict[str, Any] = {
        "template": "performance",
        "title": "Performance",
        "subtitle": "October 2026",
        "made_at": MADE,
        "zone": "Europe/Berlin",
        "facts": (("Range", "1 Oct to 31 Oct 2026"),),
        "sections": (Section("first", "First", blocks),),
        "footnotes": ("Intervals are 95 %.",),
    }
    return Document(**(parts | changes))


def table(rows: int = 3, name: str = "Kitchen") -> Table:
    """A table of times, names and numbers of both signs."""
    return Table(
        "windows",
        "Windows",
        (
            Column("start", "Window start"),
            Column("heater", "Heater"),
            Column("accuracy", "Accuracy", "%", 2),
            Column("rows", "Rows"),
            Column("drift", "Drift", "×", 1),
        ),
        [
            (START + timedelta(hours=i), name, -70.126 - i / 7, 1_234 * i, None)
            for i in range(rows)
        ],
    )


def line_chart(**changes: Any) -> LineChart:
    """Two lines over days, one with a band and a gap, and a threshold."""
    days = tuple(START + timedelta(days=i) for i in range(30))
    y = tuple(None if 10 <= i < 14 else 0.8 + i / 1000 for i in range(30))
    low = tuple(None if v is None else v - 0.01 for v in y)
    high = tuple(None if v is None else v + 0.01 for v in y)
    parts: dict[str, Any] = {
        "key": "accuracy",
        "title": "Accuracy",
        "unit": "share",
        "lines": (
            Line("Realised", days, y, low, high),
            Line("Estimated", days, tuple(0.81 for _ in days), style="dashed"),
        ),
        "limits": (Limit("Threshold", 0.79),),
        "note": "Gaps have too few labels.",
    }
    return LineChart(**(parts | changes))


def bar_chart(*categories: str, stacked: bool = False) -> BarChart:
    """Two series over these categories, with a negative and a missing value."""
    count = len(categories)
    first = tuple(float(i - 1) for i in range(count))
    second = tuple(None if i == 1 else 2.0 for i in range(count))
    series = (("Day", first), ("Night", second))
    return BarChart("energy", "Energy", "kWh", categories, series, stacked)


def heat_chart(rows: int = 6, columns: int = 5) -> HeatChart:
    """Cells with numbers, one without, one that needs a look."""
    return HeatChart(
        "drift",
        "Drift",
        "× expected",
        tuple(f"{i} Oct" for i in range(columns)),
        tuple(f"feature_{i}" for i in range(rows)),
        tuple(
            tuple(None if r == c == 2 else r + c / 4 for c in range(columns))
            for r in range(rows)
        ),
        frozenset({(1, 1)}),
    )


def everything() -> Document:
    """A report with every kind of block and every script."""
    figures = Figures((
        Figure("Accuracy", 0.8512, "", 3, "0.840 to 0.862", "good"),
        Figure("Drift", 3.26, "× expected", 1, "threshold 3", "bad"),
        Figure("Rows", 1_234_567, "rows"),
        Figure("Last label", START, tone="watch"),
        Figure("Nothing", None, "kWh"),
    ))  # fmt: skip
    sections = [
        Section("sum", "Summary", (figures, Text("All is well."), Text("Not.", "bad"))),
        Section("charts", "Charts", (line_chart(), heat_chart())),
        Section("bars", "Bars", (bar_chart("a", "b", "c"), bar_chart(*NAMES))),
        Section("tables", "Tables", tuple(table(40, name) for name in NAMES)),
        Section("below", "Below", (Text("Smaller."),), level=2),
        Section("empty", "Empty", ()),
    ]
    return document(sections=tuple(sections))


def read(data: bytes) -> PdfReader:
    """The PDF as pypdf reads it, strictly."""
    return PdfReader(io.BytesIO(data), strict=True)


def words(data: bytes) -> str:
    """All text of a PDF with plain spaces and letters in their usual form."""
    pages = " ".join(page.extract_text() for page in read(data).pages)
    return " ".join(unicodedata.normalize("NFKC", pages).split())


def outline(reader: PdfReader) -> list[tuple[str, int]]:
    """The bookmarks: title and page from 0."""

    def walk(items: Any) -> Iterator[tuple[str, int]]:
        for item in items:
            if isinstance(item, list):
                yield from walk(item)
            else:
                yield str(item.title), int(reader.get_destination_page_number(item))

    return list(walk(reader.outline))


def fonts(reader: PdfReader) -> dict[str, Any]:
    """Every font of every page and form by its name."""
    found: dict[str, Any] = {}
    for page in reader.pages:
        for name, font in page["/Resources"].get("/Font", {}).items():
            found[name] = font.get_object()
    return found


def harm(data: bytes) -> list[str]:
    """What a text from data must never become: links, images, scripts, files."""
    reader = read(data)
    found = []
    for i, page in enumerate(reader.pages):
        for note in page.get("/Annots", []):
            if "/A" in note.get_object() or "/Dest" not in note.get_object():
                found.append(f"page {i}: {note.get_object()}")
        found += [f"page {i}: an image" for _ in page.images]
    signs = (b"/JavaScript", b"/Launch", b"/URI", b"/EmbeddedFile", b"/OpenAction")
    return found + [sign.decode() for sign in signs if sign in data]

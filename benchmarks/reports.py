"""Reports: a PDF of twenty pages, and the numbers of many rows as CSV."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

from benchmarks.result import Result
from services.reports.document import (
    BarChart,
    Cell,
    Chart,
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

ROOT = Path(__file__).parents[1]
START = datetime(2026, 1, 1, tzinfo=UTC)
CHARTS, PAGES = 30, 20
ROWS_OF_TABLE = 50
FEW, MANY = 100_000, 1_000_000

_FRESH = """
import json, re, time
from pathlib import Path
begun = time.perf_counter()
from benchmarks import reports
{body}
# Not ru_maxrss: that one remembers the process this one was forked from.
status = Path("/proc/self/status").read_text()
peak = int(re.search(r"VmHWM:\\s+(\\d+)", status).group(1)) / 1024
print(json.dumps([time.perf_counter() - begun, peak, *said]))
"""
_PDF = """
from services.reports.pdf import render_pdf
document = reports.paper()
loaded = time.perf_counter() - begun
data = render_pdf(document)
said = [loaded, data.count(b"/Type /Page\\n"), len(data) / 1024]
"""
_CSV = """
from services.reports.csv_files import csv_stream
document = reports.numbers({rows})
begun = time.perf_counter()
said = [sum(map(len, csv_stream(document)))]
"""


def run() -> list[Result]:
    """Each in a fresh process, so that loading fonts and memory count."""
    seconds, peak, loaded, pages, kib = _fresh(_PDF)
    if pages < PAGES:
        raise RuntimeError(f"{pages} pages are too few for this measure")
    few = _fresh(_CSV.format(rows=FEW))
    many = _fresh(_CSV.format(rows=MANY))
    name = f"PDF, {pages:.0f} pages, {CHARTS} charts"
    return [
        Result("reports", name, seconds - loaded, "s", bar=2.0),
        Result("reports", f"{name}: with the start of the process", seconds, "s"),
        Result("reports", f"{name}: peak memory", peak, "MiB", bar=300),
        Result("reports", f"{name}: size", kib, "KiB"),
        Result("reports", "CSV of 1 M rows", MANY / many[0], "rows/s", bar=200_000,
               at_least=True),
        Result("reports", "CSV: memory of 1 M rows beyond 100 k", many[1] - few[1],
               "MiB", bar=8),
    ]  # fmt: skip


def paper() -> Document:
    """A report of twenty pages with thirty charts, as a month of a model makes it."""
    chapters = tuple(
        Section(f"s{i}", f"Model {i}", (_figures(i), Text("What was found. " * 40),
                *(_chart(i * 3 + k) for k in range(3)), _table(i)))
        for i in range(CHARTS // 3)
    )  # fmt: skip
    return Document(
        "performance", "Performance of ten models", "January 2026", START,
        "Europe/Berlin", (("Models", "all ten"), ("Reference", "sha256 6bd1")),
        chapters, ("Intervals are 95 % by Wilson's method.",),
    )  # fmt: skip


def numbers(rows: int) -> Document:
    """A report of one table of times, names and numbers."""
    heads = ("start", "heater", "accuracy", "rows", "drift", "note")
    table = Table("w", "Windows", tuple(Column(h, h) for h in heads), Rows(rows))
    return Document("x", "Rows", "", START, "Europe/Berlin", (),
                    (Section("s", "S", (table,)),))  # fmt: skip


class Rows(Sequence[tuple[Cell, ...]]):
    """As many rows as asked, of which ten thousand are kept and repeated."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._kept = [
            (START + timedelta(minutes=i), f"heater {i % 97}", i / 7, i, -i * 0.1, None)
            for i in range(10_000)
        ]

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError

    def __iter__(self) -> Iterator[tuple[Cell, ...]]:
        return islice(chain.from_iterable(repeat(self._kept)), self._count)


def _fresh(body: str) -> list[float]:
    """Seconds, peak MiB and what the code says, in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-c", _FRESH.format(body=body)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said: list[float] = json.loads(run.stdout)
    return said


def _figures(index: int) -> Figures:
    return Figures(tuple(
        Figure(f"Figure {i}", index + i / 7, "%", 2, "against the reference", "good")
        for i in range(4)
    ))  # fmt: skip


def _chart(index: int) -> Chart:
    if index % 6 == 4:
        names = tuple(f"{i + 1} Jan" for i in range(31))
        values = tuple(abs(math.sin(i)) for i in range(31))
        return BarChart(
            "b", f"Rows {index}", "k", names, (("a", values), ("b", values))
        )
    if index % 6 == 5:
        cells = tuple(tuple(abs(math.sin(r * c)) * 9 for c in range(31))
                      for r in range(15))  # fmt: skip
        return HeatChart("h", f"Drift {index}", "×", tuple(map(str, range(31))),
                         tuple(f"feature_{r}" for r in range(15)), cells)  # fmt: skip
    x = tuple(START + timedelta(hours=i) for i in range(744))
    y = tuple(None if i % 97 == 0 else 0.8 + math.sin(i / 40) / 20 for i in range(744))
    low = tuple(None if v is None else v - 0.01 for v in y)
    high = tuple(None if v is None else v + 0.01 for v in y)
    lines = (Line("Realised", x, y, low, high), Line("Estimated", x, y[::-1]))
    return LineChart("l", f"Accuracy {index}", "share", lines, (Limit("Least", 0.78),))


def _table(index: int) -> Table:
    columns = (Column("s", "Window"), Column("n", "Name"), Column("a", "Acc.", "%", 2),
               Column("r", "Rows"), Column("d", "Drift", "×", 1))  # fmt: skip
    rows = [
        (START + timedelta(hours=i), f"heater {i}", i / 7, i * index, i / 3)
        for i in range(ROWS_OF_TABLE)
    ]
    return Table("t", f"Windows {index}", columns, rows)

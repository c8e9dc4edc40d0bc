"""What the command line shows: progress bars and tables of an import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from services.imports import ImportPlan, ImportResult

Report = Callable[[int, int], None]
SHOWN_FILES = 20


@contextmanager
def steps() -> Iterator[Callable[[str], Report]]:
    """Progress bars, one for each step begun; each is told (done, in all)."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns) as progress:

        def begin(name: str) -> Report:
            task = progress.add_task(name, total=None)
            return lambda done, total: progress.update(
                task, completed=done, total=total
            )

        yield begin


@contextmanager
def import_progress(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """One bar over the bytes of the file being read."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("Reading", total=None)

        def report(name: str, done: int, size: int) -> None:
            progress.update(task, description=escape(name), completed=done, total=size)

        yield report


def plan_tables(console: Console, plan: ImportPlan) -> None:
    """Say how each kind of file will be read."""
    used = Counter(file.layout for file in plan.files)
    for index, layout in enumerate(plan.layouts):
        table = Table("Column", "Field", "Unit", "Why", title=_title(plan, index, used))
        if layout.time is not None:
            names = " + ".join(layout.time.columns)
            table.add_row(escape(names), "ts", layout.time.zone, layout.time.why)
        for column in layout.columns:
            table.add_row(escape(column.column), column.field, column.unit, column.why)
        console.print(table)
        console.print(f"Device: {escape(layout.device)}")
        if layout.unknown:
            console.print(f"Not imported: {escape(', '.join(layout.unknown))}")
        for note in layout.notes:
            console.print(f"Note: {escape(note)}")
    for problem in plan.problems:
        console.print(f"[red]Cannot import:[/red] {escape(problem)}")


def _title(plan: ImportPlan, index: int, used: Counter[int | None]) -> str:
    dialect = plan.layouts[index].dialect
    parts = [dialect.kind]
    if dialect.delimiter:
        parts.append(f"delimiter {dialect.delimiter!r}")
    if dialect.encoding:
        parts.append(dialect.encoding)
    return f"{used[index]} file(s): {', '.join(parts)}"


def import_tables(console: Console, result: ImportResult) -> None:
    """The closing table, the reasons of refusals and the files that failed."""
    table = Table("Import", "Result", title="Done")
    span = "–"
    if result.first_ts is not None and result.last_ts is not None:
        span = f"{result.first_ts:%Y-%m-%d %H:%M} – {result.last_ts:%Y-%m-%d %H:%M} UTC"
    shown = ", ".join(result.devices[:5]) + (" …" if len(result.devices) > 5 else "")
    for name, value in (
        ("Rows read", f"{result.rows_read:,}"),
        ("Rows taken", f"{result.taken:,}"),
        ("of which flagged", f"{result.flagged:,}"),
        ("Duplicates", f"{result.duplicates:,}"),
        ("Rejected", f"{result.rejected:,}"),
        ("Devices", f"{len(result.devices):,}: {escape(shown)}"),
        ("Time span", span),
        ("Time taken", f"{result.seconds:.1f} s"),
    ):
        table.add_row(name, value)
    console.print(table)
    for reason, count in result.reasons:
        console.print(f"{count:,} rejected: {escape(reason)}")
    if result.rejects_path is not None:
        console.print(f"Rejected rows are in {escape(str(result.rejects_path))}")
    for note in result.notes:
        console.print(f"Note: {escape(note)}")
    for file in [f for f in result.files if f.problem][:SHOWN_FILES]:
        console.print(f"[red]Failed:[/red] {escape(f'{file.path}: {file.problem}')}")

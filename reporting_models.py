"""What the command line shows of monitored models: imports, references, the list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from data.model_records import Model
from services.inferences import ReferenceReceipt
from services.model_detail import column_notes
from services.model_imports import FileLook, FileResult, ModelImport

SHOWN = 20
HASH_CHARACTERS = 12


def models_table(models: Sequence[Model]) -> Table:
    """The models as registered."""
    table = Table("Name", "Kind", "Version", "Features", "Owner", "State")
    for model in models:
        spec = model.spec
        live = sum(not feature.retired for feature in spec.features)
        table.add_row(
            escape(spec.name),
            spec.kind,
            escape(spec.version),
            f"{live:,}",
            escape(spec.owner) or "–",
            "archived" if spec.archived else "watched",
        )
    return table


def look_tables(console: Console, looks: Iterable[FileLook]) -> None:
    """Say how each file would be read, or why it would be refused."""
    for look in looks:
        if look.problem:
            console.print(
                f"[red]Refused:[/red] {escape(f'{look.path}: {look.problem}')}"
            )
            continue
        console.print(f"{escape(str(look.path))} fits the schema.")
        notes = column_notes(look.columns.unknown, look.columns.missing, ())
        for note in (*notes, *look.notes):
            console.print(f"Note: {escape(note)}")


def import_tables(console: Console, result: ModelImport) -> None:
    """The closing table, the columns that differ, reasons and refused files."""
    files = [file for file in result.files if not file.problem]
    table = Table("Import", "Result", title="Done")
    labels = sum(f.labels for f in files)
    for name, value in (
        ("Files taken", f"{len(files):,} of {len(result.files):,}"),
        ("Rows read", f"{sum(f.read for f in files):,}"),
        ("Rows taken", f"{sum(f.taken for f in files):,}"),
        *([("Labels beside them", f"{labels:,}")] if labels else ()),
        ("Duplicates in a file", f"{sum(f.duplicates for f in files):,}"),
        ("Rejected", f"{sum(f.rejected for f in files):,}"),
        ("Time span", _span(files)),
        ("Time taken", f"{result.seconds:.1f} s"),
    ):
        table.add_row(name, value)
    console.print(table)
    for note in _notes(files):
        console.print(f"Note: {escape(note)}")
    for reason, count in result.reasons[:SHOWN]:
        console.print(f"{count:,} rejected: {escape(reason)}")
    if result.rejects_path is not None:
        console.print(f"Rejected rows are in {escape(str(result.rejects_path))}")
    for file in [f for f in result.files if f.problem][:SHOWN]:
        console.print(f"[red]Refused:[/red] {escape(f'{file.path}: {file.problem}')}")


def reference_table(console: Console, receipt: ReferenceReceipt) -> None:
    """What was pinned."""
    table = Table("Reference", "Result", title="Pinned")
    for name, value in (
        ("Rows", f"{receipt.rows:,}"),
        ("of which labelled", f"{receipt.labelled:,}"),
        ("Features", f"{receipt.features:,}"),
        ("Hash", receipt.hash[:HASH_CHARACTERS]),
        ("Bins", receipt.grid_id),
    ):
        table.add_row(name, value)
    console.print(table)
    for note in receipt.notes:
        console.print(f"Note: {escape(note)}")


def _span(files: Sequence[FileResult]) -> str:
    firsts = [f.first_ts for f in files if f.first_ts is not None]
    lasts = [f.last_ts for f in files if f.last_ts is not None]
    if not firsts or not lasts:
        return "–"
    return f"{min(firsts):%Y-%m-%d %H:%M} – {max(lasts):%Y-%m-%d %H:%M} UTC"


def _notes(files: Sequence[FileResult]) -> list[str]:
    """How columns differ from the schema, and doubts; each once."""
    told: dict[str, None] = {}
    for file in files:
        differ = column_notes(
            file.unknown_columns, file.missing_columns, file.changed_types
        )
        told |= dict.fromkeys((*differ, *file.notes))
    return list(told)[:SHOWN]

"""Import of a model's files: look, hand over, and say what became of each row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from services.access import Principal, requires
from services.deliveries import Receipt
from services.errors import InvalidInput, ServiceError
from services.imports.reading import Reject
from services.imports.running import Rejects
from services.inference_rows import Report, report
from services.inferences import Inferences, ReferenceReceipt
from services.label_rows import label_rows
from services.model_files import FileOptions, ModelFile, look
from services.models import Models

Progress = Callable[[str, int, int], None]
"""Told a file's name, its bytes done and its size."""


@dataclass(frozen=True)
class FileLook:
    """How a file would be read; ``problem``: why it would be refused whole."""

    path: Path
    problem: str | None = None
    notes: tuple[str, ...] = ()
    columns: Report = field(default_factory=Report)


@dataclass(frozen=True)
class FileResult:
    """What became of a file: refused whole with its ``problem``, or its numbers.

    rejected: rows refused one by one, and lines that are no rows.
    """

    path: Path
    problem: str | None = None
    read: int = 0
    taken: int = 0
    duplicates: int = 0
    rejected: int = 0
    labels: int = 0
    unknown_columns: tuple[str, ...] = ()
    missing_columns: tuple[str, ...] = ()
    changed_types: tuple[tuple[str, str, str], ...] = ()
    first_ts: datetime | None = None
    last_ts: datetime | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelImport:
    """One import: its files, the reasons of refusals, and where those rows are."""

    files: tuple[FileResult, ...]
    reasons: tuple[tuple[str, int], ...]
    rejects_path: Path | None
    seconds: float


class ModelImports:
    """Reads files of predictions, labels and references through the one door."""

    def __init__(
        self,
        models: Models,
        inferences: Inferences,
        clock: Callable[[], datetime],
    ) -> None:
        self._models = models
        self._inferences = inferences
        self._clock = clock

    def look(
        self,
        caller: Principal,
        kind: str,
        name: str,
        paths: Sequence[Path],
        options: FileOptions,
    ) -> tuple[FileLook, ...]:
        """How the files would be read; writes nothing.

        Raises:
            NotFound: no such model.
        """
        requires(caller, "inference.write")
        model, now = self._models.get(caller, name), self._clock()
        found = []
        for path in dict.fromkeys(paths):
            try:
                file = look(path, model.spec, options, kind=kind)
                portion = next(file.portions(), None)
                table = portion.table if portion else pa.table({})
                columns = Report()
                if kind == "inferences":
                    columns = report(model.spec, table)
                else:
                    label_rows(model, table, now)
                found.append(FileLook(path, None, file.notes, columns))
            except ServiceError as error:
                found.append(FileLook(path, str(error)))
        return tuple(found)

    def run(
        self,
        caller: Principal,
        kind: str,
        name: str,
        paths: Sequence[Path],
        options: FileOptions,
        *,
        version: str = "",
        rejects_path: Path,
        progress: Progress,
    ) -> ModelImport:
        """Import files, each as one delivery that is taken whole or not at all.

        A row that cannot be taken is counted and written to the rejects file; a file of
        the wrong schema is refused whole, the other files go in. Importing a file again
        changes nothing: the same id and version counts once, of labels the last.

        Args:
            caller: needs ``inference.write``.
            kind: ``inferences`` or ``labels``.
            name: the model.
            paths: the files.
            options: column names and zone.
            version: of rows that do not name theirs.
            rejects_path: CSV of file, line, reason and row; made when needed.
            progress: see ``Progress``.

        Raises:
            NotFound: no such model.
            InvalidInput: the rejects would overwrite a file to import.
        """
        requires(caller, "inference.write")
        spec, started = self._models.get(caller, name).spec, self._clock()
        if rejects_path in paths:
            raise InvalidInput(f"{rejects_path} is a file to import: name another")
        rejects, results = Rejects(rejects_path), []

        def hand_over(tables: Iterator[pa.Table], source: str) -> Receipt:
            if kind == "labels":
                return self._inferences.accept_labels(
                    caller, name, tables, source=source
                )
            return self._inferences.accept(
                caller, name, tables, version=version, source=source
            )

        try:
            for path in dict.fromkeys(paths):
                try:
                    file = look(path, spec, options, kind=kind)
                    results.append(_imported(file, hand_over, rejects, progress))
                except ServiceError as error:
                    results.append(FileResult(path, str(error)))
        finally:
            rejects.close()
        return ModelImport(
            tuple(results),
            tuple(rejects.counts.most_common()),
            rejects_path if rejects.counts else None,
            (self._clock() - started).total_seconds(),
        )

    def set_reference(
        self,
        caller: Principal,
        name: str,
        paths: Sequence[Path],
        options: FileOptions,
        *,
        version: str = "",
        progress: Progress,
    ) -> ReferenceReceipt:
        """Pin the rows of all files together as the reference of a version.

        Raises:
            NotFound: no such model.
            InvalidInput: a file cannot be read or is not the model's.
        """
        requires(caller, "model.admin")
        spec = self._models.get(caller, name).spec
        files = []
        for path in dict.fromkeys(paths):
            try:
                files.append(look(path, spec, options, kind="reference"))
            except InvalidInput as error:
                raise InvalidInput(f"{path}: {error}") from error
        lost: list[Reject] = []
        tables = (t for file in files for t in _tables(file, progress, lost))
        source = ", ".join(file.path.name for file in files)
        receipt = self._inferences.set_reference(
            caller, name, tables, version=version, source=source
        )
        if not lost:
            return receipt
        note = f"{len(lost):,} lines are no rows: line {lost[0].line}, {lost[0].reason}"
        values = {**vars(receipt), "notes": (*receipt.notes, note)}
        return ReferenceReceipt(**values)


def _tables(
    file: ModelFile, progress: Progress, lost: list[Reject]
) -> Iterator[pa.Table]:
    """The tables of a file; ``lost`` learns the lines that are no rows."""
    size = file.path.stat().st_size
    for portion in file.portions(lambda done: progress(file.path.name, done, size)):
        lost += portion.rejected
        if portion.table.num_rows:
            yield portion.table
    progress(file.path.name, size, size)


def _imported(
    file: ModelFile,
    hand_over: Callable[[Iterator[pa.Table], str], Receipt],
    rejects: Rejects,
    progress: Progress,
) -> FileResult:
    lost: list[Reject] = []
    receipt = hand_over(_tables(file, progress, lost), file.path.name)
    for reject in lost:
        rejects.add(file.path, reject)
    _write_refused(file, receipt, rejects)
    notes = file.notes
    untold = receipt.rejected_count - len(receipt.rejected)
    if untold:
        notes = (*notes, f"{untold:,} more refused rows are not in the rejects file")
    return FileResult(
        path=file.path,
        read=receipt.read + len(lost),
        taken=receipt.taken,
        duplicates=receipt.duplicates,
        rejected=receipt.rejected_count + len(lost),
        labels=receipt.labels,
        unknown_columns=tuple(receipt.unknown_columns),
        missing_columns=tuple(receipt.missing_columns),
        changed_types=tuple(receipt.changed_types),
        first_ts=receipt.first_ts,
        last_ts=receipt.last_ts,
        notes=notes,
    )


def _write_refused(file: ModelFile, receipt: Receipt, rejects: Rejects) -> None:
    """Write the refused rows down; the file is read again to find them."""
    waiting = {r.row: r.reason for r in receipt.rejected}
    if not waiting:
        return
    first = 0
    for portion in file.portions():
        here = range(first, first + portion.table.num_rows)
        for row in [r for r in waiting if r in here]:
            place = row - first
            line, why = portion.lines[place], waiting.pop(row)
            rejects.add(file.path, Reject(int(line), why, portion.raw(place)))
        if not waiting:
            return
        first = here.stop

"""What an import is asked for, what it intends to do and what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

FILE_NAME = "{file}"
"""Placeholder in ``ImportOptions.device`` for the file's name without extension."""

Progress = Callable[[str, int, int], None]
"""Called with a file's name, its bytes done and its size in bytes."""


@dataclass(frozen=True)
class ImportOptions:
    """What the user said beside the files.

    ``device`` is a device id for files without such a column and may hold
    ``{file}``; ``maps`` are ``COLUMN=field[:UNIT]`` or ``COLUMN=ignore``; ``tz``
    is the IANA zone of times that carry none.
    """

    device: str | None = None
    maps: tuple[str, ...] = ()
    tz: str | None = None


@dataclass(frozen=True)
class ColumnPlan:
    """One column that will be taken; ``unit`` is empty where none applies."""

    column: str
    field: str
    unit: str
    why: str


@dataclass(frozen=True)
class TimePlan:
    """How times are read.

    ``columns`` is one column, or a date and a time column. ``style`` is
    ``native``, ``text``, ``epoch s|ms|us|ns`` or ``excel``; ``formats`` are tried
    in order on text (``ISO8601`` or strptime); ``zone`` applies to times that
    carry none.
    """

    columns: tuple[str, ...]
    style: str
    formats: tuple[str, ...]
    zone: str
    why: str


@dataclass(frozen=True)
class Dialect:
    """How the text of a file is read; Parquet has only a ``kind``."""

    kind: str
    encoding: str = ""
    delimiter: str = ""
    header: tuple[str, ...] = ()
    header_line: int = 0


@dataclass(frozen=True)
class Layout:
    """One distinct header and everything decided for the files that have it."""

    dialect: Dialect
    decimal: str
    columns: tuple[ColumnPlan, ...]
    time: TimePlan | None
    device: str
    unknown: tuple[str, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class FilePlan:
    """One file: the index of its layout, or the problem that keeps it out."""

    path: Path
    size_bytes: int
    layout: int | None
    problem: str | None = None


@dataclass(frozen=True)
class ImportPlan:
    """What ``run`` would do with these files."""

    options: ImportOptions
    layouts: tuple[Layout, ...]
    files: tuple[FilePlan, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that keeps a file out, one sentence each."""
        found = [p for layout in self.layouts for p in layout.problems]
        found += [f"{file.path}: {file.problem}" for file in self.files if file.problem]
        return tuple(dict.fromkeys(found))

    @property
    def ready(self) -> bool:
        """Whether at least one file can be imported."""
        return any(self.problem_of(file) is None for file in self.files)

    def problem_of(self, file: FilePlan) -> str | None:
        """Why ``file`` will not be imported, or ``None``."""
        if file.problem or file.layout is None:
            return file.problem
        return "; ".join(self.layouts[file.layout].problems) or None


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file; ``problem`` says where and why it stopped."""

    path: Path
    rows_read: int
    rows_rejected: int
    problem: str | None = None


@dataclass(frozen=True)
class ImportResult:
    """The numbers of the closing table; every row read is in exactly one of
    ``taken``, ``duplicates`` and ``rejected``; ``flagged`` rows are among the taken.
    """

    rows_read: int
    taken: int
    flagged: int
    rejected: int
    duplicates: int
    devices: tuple[str, ...]
    first_ts: datetime | None
    last_ts: datetime | None
    rejects_path: Path | None
    files: tuple[FileOutcome, ...]
    reasons: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]
    seconds: float

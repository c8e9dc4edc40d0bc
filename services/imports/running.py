"""Carrying out a plan: read, convert, hand over in batches, keep the rejects."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from services.imports.converting import Converted, convert
from services.imports.encodings import READ_ERRORS
from services.imports.plans import FileOutcome, FilePlan, ImportPlan, Progress
from services.imports.reading import Chunk, Reject, chunks
from services.imports.seams import whole_hours
from services.imports.values import DeviceIds, Dropped
from services.telemetry import Receipt

BATCH_ROWS = 200_000
REJECTS_HEADER = ("file", "line", "reason", "row")
MOST_NAMED = 20
"""Most distinct things of one kind that the notes name."""


class Accept(Protocol):
    """How a batch of readings is handed over."""

    def __call__(self, frame: pd.DataFrame) -> Receipt:
        """Take a frame of readings and say what became of each row."""


class Rejects:
    """The rejects file: made with its first row, so a clean import leaves none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()
        self.by_file: Counter[Path] = Counter()
        self._file: IO[str] | None = None
        self._stack = ExitStack()

    def add(self, file: Path, reject: Reject) -> None:
        """Count a row and write it down."""
        self.counts[reject.reason] += 1
        self.by_file[file] += 1
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            opened = self.path.open("w", newline="", encoding="utf-8", errors="replace")
            self._file = self._stack.enter_context(opened)
            csv.writer(self._file).writerow(REJECTS_HEADER)
        row = (str(file), reject.line, reject.reason, reject.raw)
        csv.writer(self._file).writerow(row)

    def close(self) -> None:
        """Write everything out."""
        self._stack.close()


@dataclass
class Tally:
    """The sums of the closing table while they grow."""

    taken: int = 0
    flagged: int = 0
    duplicates: int = 0
    devices: set[str] = field(default_factory=set)
    first_ts: datetime | None = None
    last_ts: datetime | None = None

    def add(self, receipt: Receipt) -> None:
        """Add what became of one batch."""
        self.taken += receipt.taken
        self.flagged += receipt.flagged
        self.duplicates += receipt.duplicates
        self.devices.update(receipt.devices)
        firsts = [t for t in (self.first_ts, receipt.first_ts) if t is not None]
        lasts = [t for t in (self.last_ts, receipt.last_ts) if t is not None]
        self.first_ts = min(firsts, default=None)
        self.last_ts = max(lasts, default=None)


@dataclass
class Batch:
    """Converted rows that wait to be handed over, with where each came from."""

    accept: Accept
    rejects: Rejects
    tally: Tally
    parts: list[tuple[Path, Converted]] = field(default_factory=list)
    rows: int = 0

    def add(self, path: Path, part: Converted) -> None:
        """Keep a part; hand all over when there are enough."""
        for reject in part.rejected:
            self.rejects.add(path, reject)
        if len(part.frame):
            self.parts.append((path, part))
            self.rows += len(part.frame)
        if self.rows >= BATCH_ROWS:
            self.flush()

    def flush(self) -> None:
        """Hand over what waits and write down what was refused."""
        if not self.parts:
            return
        frame = pd.concat([p.frame for _, p in self.parts], ignore_index=True)
        receipt = self.accept(frame)
        self.tally.add(receipt)
        starts = np.cumsum([0, *(len(p.frame) for _, p in self.parts)])
        for rejection in receipt.rejected:
            self._refused(frame, rejection.row, rejection.reason, starts)
        self.parts.clear()
        self.rows = 0

    def _refused(
        self, frame: pd.DataFrame, row: int, reason: str, starts: npt.NDArray[np.int64]
    ) -> None:
        place = int(np.searchsorted(starts, row, side="right")) - 1
        path, part = self.parts[place]
        values = frame.iloc[row]
        text = " ".join(f"{k}={v}" for k, v in values.items() if pd.notna(v))
        line = int(part.lines[row - starts[place]])
        self.rejects.add(path, Reject(line, reason, text))


@dataclass
class Run:
    """One import: its plan, its batch and what is known for the notes."""

    plan: ImportPlan
    batch: Batch
    progress: Progress
    ids: DeviceIds = field(default_factory=DeviceIds)
    dropped: Dropped = field(default_factory=Dropped)
    late: set[str] = field(default_factory=set)
    read: Counter[Path] = field(default_factory=Counter)

    def file(self, file: FilePlan) -> str | None:
        """Import one file; the problem that stopped it, or ``None``."""
        problem = self.plan.problem_of(file)
        if problem is not None or file.layout is None:
            return problem
        layout = self.plan.layouts[file.layout]
        if layout.time is None:
            return "no times"
        name, line = str(file.path), 0
        tell: Callable[[int], None] = lambda done: self.progress(  # noqa: E731
            name, min(done, file.size_bytes), file.size_bytes
        )
        found = chunks(file.path, layout.dialect, tell)
        try:
            for chunk in whole_hours(found, layout.time):
                self._count(file.path, chunk, layout.dialect.header)
                part = convert(chunk, layout, file.path, self.ids, self.dropped)
                line = max([line, *chunk.lines[-1:].tolist()])
                self.batch.add(file.path, part)
        except READ_ERRORS as error:
            return f"damaged after line {line}, the rows before it are taken: {error}"
        tell(file.size_bytes)
        return None

    def _count(self, path: Path, chunk: Chunk, header: tuple[str, ...]) -> None:
        self.read[path] += len(chunk.lines) + len(chunk.rejected)
        if len(chunk.columns) > len(header):
            self.late |= set(chunk.columns) - set(header)

    def outcomes(self, problems: dict[Path, str | None]) -> tuple[FileOutcome, ...]:
        """What became of each file."""
        counts = self.batch.rejects.by_file
        return tuple(
            FileOutcome(path, self.read[path], counts[path], problem)
            for path, problem in problems.items()
        )

    def notes(self) -> tuple[str, ...]:
        """What was left out or changed, with counts."""
        found = [
            f"{name}: {cell[:40]!r} is not known, left out of {count} rows"
            for (name, cell), count in self.dropped.counts.most_common(MOST_NAMED)
        ]
        renamed = list(self.ids.renamed.items())
        found += [f"device {w!r} is stored as {n}" for w, n in renamed[:MOST_NAMED]]
        if len(renamed) > MOST_NAMED:
            found.append(f"and {len(renamed) - MOST_NAMED} more device ids")
        if self.late:
            names = ", ".join(sorted(self.late)[:MOST_NAMED])
            found.append(f"columns met late and not read: {names}")
        return tuple(found)

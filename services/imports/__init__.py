"""Import of telemetry files: look, say what would be done, do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd

from services.access import Principal, requires
from services.errors import InvalidInput
from services.imports.planning import make_plan
from services.imports.plans import (
    FILE_NAME,
    ColumnPlan,
    Dialect,
    FileOutcome,
    FilePlan,
    ImportOptions,
    ImportPlan,
    ImportResult,
    Layout,
    Progress,
    TimePlan,
)
from services.imports.running import Batch, Rejects, Run, Tally
from services.telemetry import Receipt, Telemetry

__all__ = [
    "FILE_NAME",
    "ColumnPlan",
    "Dialect",
    "FileOutcome",
    "FilePlan",
    "ImportOptions",
    "ImportPlan",
    "ImportResult",
    "Imports",
    "Layout",
    "TimePlan",
]


class Imports:
    """Reads files of any common form into the store through one door."""

    def __init__(self, telemetry: Telemetry, clock: Callable[[], datetime]) -> None:
        self._telemetry = telemetry
        self._clock = clock

    def plan(
        self, caller: Principal, paths: Sequence[Path], options: ImportOptions
    ) -> ImportPlan:
        """Look into the files and say how they would be read; writes nothing.

        Files that cannot be read are in the plan with their problem.

        Raises:
            InvalidInput: no file is named, or an option is wrong.
        """
        _allowed(caller)
        if not paths:
            raise InvalidInput("name at least one file")
        return make_plan(paths, options)

    def run(
        self,
        caller: Principal,
        plan: ImportPlan,
        rejects_path: Path,
        progress: Progress,
    ) -> ImportResult:
        """Import the files of a plan; a row that cannot be taken is written down.

        Running it again after an interruption is harmless: the same reading
        twice counts once.

        Args:
            caller: needs ``telemetry.write`` and ``device.admin``.
            plan: from ``plan``.
            rejects_path: CSV of file, line, reason and row; made when needed.
            progress: told a file's name, its bytes done and its size.

        Raises:
            InvalidInput: the rejects would overwrite a file of the plan.
        """
        _allowed(caller)
        if rejects_path in {file.path for file in plan.files}:
            raise InvalidInput(f"{rejects_path} is a file to import: name another")
        started = self._clock()

        def accept(frame: pd.DataFrame) -> Receipt:
            return self._telemetry.accept_bulk(caller, frame, register_unknown=True)

        rejects, tally = Rejects(rejects_path), Tally()
        run = Run(plan, Batch(accept, rejects, tally), progress)
        try:
            problems = {file.path: run.file(file) for file in plan.files}
            run.batch.flush()
        finally:
            rejects.close()
        seconds = (self._clock() - started).total_seconds()
        return _result(run, problems, seconds)


def _allowed(caller: Principal) -> None:
    requires(caller, "telemetry.write")
    requires(caller, "device.admin")


def _result(run: Run, problems: dict[Path, str | None], seconds: float) -> ImportResult:
    rejects, tally = run.batch.rejects, run.batch.tally
    rejected = rejects.counts.total()
    return ImportResult(
        rows_read=run.read.total(),
        taken=tally.taken,
        flagged=tally.flagged,
        rejected=rejected,
        duplicates=tally.duplicates,
        devices=tuple(sorted(tally.devices)),
        first_ts=tally.first_ts,
        last_ts=tally.last_ts,
        rejects_path=rejects.path if rejected else None,
        files=run.outcomes(problems),
        reasons=tuple(rejects.counts.most_common()),
        notes=run.notes(),
        seconds=seconds,
    )

"""What becomes of rows sent for a model: receipts, and the files they wait in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data import staging
from services.inference_rows import Rows

MOST_TOLD = 1_000
"""Refused rows named in a receipt; all are counted."""


@dataclass(frozen=True)
class Refused:
    """A row that was not taken: its place in what was sent, from 0, and why."""

    row: int
    reason: str


@dataclass
class Receipt:
    """What became of a delivery.

    duplicates: rows that repeat one of the same delivery. unknown, missing and changed
    columns are those of predictions; changed: column, expected, found. labels: labels
    that came beside their predictions.
    """

    kind: str
    read: int = 0
    taken: int = 0
    duplicates: int = 0
    rejected: list[Refused] = field(default_factory=list)
    rejected_count: int = 0
    unknown_columns: list[str] = field(default_factory=list)
    missing_columns: list[str] = field(default_factory=list)
    changed_types: list[tuple[str, str, str]] = field(default_factory=list)
    labels: int = 0
    first_ts: datetime | None = None
    last_ts: datetime | None = None

    def as_dict(self, told: int = MOST_TOLD) -> dict[str, Any]:
        """As plain data, as it is kept and answered, with ``told`` refused rows."""
        found = asdict(self)
        found["rejected"] = found["rejected"][:told]
        for name in ("first_ts", "last_ts"):
            found[name] = found[name].isoformat() if found[name] else None
        return found

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Self:
        """What ``as_dict`` gave."""
        values = dict(kept)
        values["rejected"] = [Refused(**row) for row in values["rejected"]]
        values["changed_types"] = [tuple(c) for c in values["changed_types"]]
        for name in ("first_ts", "last_ts"):
            text = values[name]
            values[name] = datetime.fromisoformat(text) if text else None
        return cls(**values)

    def count(self, rows: Rows, read: int) -> None:
        """Add the refused rows of a portion to the receipt."""
        room = MOST_TOLD - len(self.rejected)
        told = sorted(rows.reasons.items())[:room]
        self.rejected += [Refused(self.read + place, why) for place, why in told]
        self.rejected_count += len(rows.reasons)
        self.read += read

    def differ(
        self,
        unknown: Iterable[str],
        missing: Iterable[str],
        changed: Iterable[tuple[str, str, str]],
    ) -> None:
        """Note how the columns of a portion differ from the schema, each once."""
        _extend(self.unknown_columns, unknown)
        _extend(self.missing_columns, missing)
        _extend(self.changed_types, changed)

    def stretch(self, table: pa.Table) -> None:
        """Widen the time span by the rows of a portion."""
        if not table.num_rows:
            return
        span = pc.min_max(table["ts"]).as_py()
        first, last = (span[n].replace(tzinfo=UTC) for n in ("min", "max"))
        self.first_ts = min(self.first_ts or first, first)
        self.last_ts = max(self.last_ts or last, last)


def _extend(known: list[Any], found: Iterable[Any]) -> None:
    known += [item for item in dict.fromkeys(found) if item not in known]


@dataclass(frozen=True)
class Staged:
    """A file on disk that nothing speaks of yet."""

    kind: str
    versions: tuple[str, ...]
    path: Path
    rows: int


class StagedFiles:
    """The files of one delivery: deleted unless the delivery was recorded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.written: list[Staged] = []
        self.recorded = False

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Delete what was not recorded."""
        if not self.recorded:
            for file in self.written:
                file.path.unlink(missing_ok=True)

    def add(self, kind: str, table: pa.Table) -> None:
        """Write rows to a synced file; nothing for no rows."""
        if not table.num_rows:
            return
        versions = (
            tuple(pc.unique(table["version"]).to_pylist())
            if kind == "inferences"
            else ()
        )
        path = staging.fresh_file(self._folder)
        # Noted first: what a full disk left of it is deleted too.
        self.written.append(Staged(kind, versions, path, table.num_rows))
        staging.write_table(table, path)


def once(table: pa.Table, seen: set[tuple[str, str]]) -> pa.Table:
    """The rows whose id and version are not in ``seen``, which learns them."""
    if not table.num_rows:
        return table
    ids = table["prediction_id"].to_pylist()
    versions = table["version"].to_pylist()
    keep = np.ones(len(ids), dtype=bool)
    for place, key in enumerate(zip(ids, versions, strict=True)):
        if key in seen:
            keep[place] = False
        seen.add(key)
    return table if keep.all() else table.filter(pa.array(keep))

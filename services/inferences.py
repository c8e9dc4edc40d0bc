"""The one door for a model's rows: predictions, labels and references.

What is said yes to is on disk: rows are written to synced files, and one transaction
records all files of a delivery with its receipt. A delivery is taken whole or not at
all; rows that cannot be taken are named in the receipt.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from data import staging
from data.model_records import LABEL, VERSION_PATTERN, Model, ReferenceRecord
from data.model_store import Delivery, KnownKey, ModelStore
from data.reference_grid import reference_grid
from services.access import Principal, requires
from services.audit import Audit
from services.deliveries import Receipt, StagedFiles, once
from services.errors import InvalidInput, NotFound
from services.inference_rows import Rows, canonical, report
from services.label_rows import label_rows, labels_beside, reference_rows
from services.monitoring.importance import measured_importance
from settings import Settings

LONGEST_KEY = 120
MOST_VERSIONS = 100
"""Of one delivery: each is judged for itself."""


@dataclass(frozen=True)
class ReferenceReceipt:
    """The pinned reference. ``hash``: SHA-256 of its file."""

    rows: int
    labelled: int
    hash: str
    grid_id: str
    features: int
    notes: tuple[str, ...]


class Inferences:
    """Takes rows of monitored models."""

    def __init__(
        self,
        store: ModelStore,
        audit: Audit,
        settings: Settings,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._audit = audit
        self._settings = settings
        self._clock = clock

    def accept(
        self,
        caller: Principal,
        name: str,
        tables: Iterable[pa.Table],
        *,
        version: str = "",
        source: str,
        key: str | None = None,
    ) -> Receipt:
        """Take predictions in the sender's own columns.

        A label among the columns is taken as known when the prediction was made. The
        same id and version again counts once.

        Args:
            caller: needs ``inference.write``.
            name: the model.
            tables: portions of one delivery.
            version: of rows that do not name theirs; empty = the champion.
            source: file name or caller, for the list of deliveries.
            key: a delivery with a key that was taken before gives its old receipt.

        Raises:
            NotFound: no such model.
            InvalidInput: the columns are not the model's, or too many versions.
        """
        requires(caller, "inference.write")
        model, now = self._model(name), self._clock()
        version = _checked(version or model.spec.version, key)
        receipt = Receipt("inferences")
        seen: set[tuple[str, str]] = set()
        with StagedFiles(self._settings.staging_dir) as files:
            for table in tables:
                found = report(model.spec, table)
                rows = canonical(model.spec, table, version, now)
                self._too_old(model, rows, now)
                receipt.count(rows, table.num_rows)
                taken = rows.table(table.num_rows)
                new = once(taken, seen)
                receipt.duplicates += taken.num_rows - new.num_rows
                receipt.taken += new.num_rows
                receipt.stretch(new)
                files.add("inferences", new)
                receipt.labels += labels_beside(model, table, rows, files)
                receipt.differ(found.unknown, found.missing, rows.changed)
            return self._record(caller, model, receipt, files, (source, key, now))

    def accept_labels(
        self,
        caller: Principal,
        name: str,
        tables: Iterable[pa.Table],
        *,
        source: str,
        key: str | None = None,
    ) -> Receipt:
        """Take labels: prediction id, label, and when it was known where told.

        They may come before their prediction, late, twice, or corrected: the last one
        counts. Arguments and errors are those of ``accept``.
        """
        requires(caller, "inference.write")
        model, now = self._model(name), self._clock()
        _checked(model.spec.version, key)
        receipt = Receipt("labels")
        ids: set[str] = set()
        with StagedFiles(self._settings.staging_dir) as files:
            for table in tables:
                rows = label_rows(model, table, now)
                receipt.count(rows, table.num_rows)
                taken = rows.table(table.num_rows)
                before = len(ids)
                ids.update(taken["prediction_id"].to_pylist())
                receipt.duplicates += taken.num_rows - (len(ids) - before)
                receipt.taken += taken.num_rows
                files.add("labels", taken)
            return self._record(caller, model, receipt, files, (source, key, now))

    def set_reference(
        self,
        caller: Principal,
        name: str,
        tables: Iterable[pa.Table],
        *,
        version: str = "",
        source: str,
    ) -> ReferenceReceipt:
        """Pin the reference of a version; everything of it is counted on its bins.

        Raises:
            NotFound: no such model.
            InvalidInput: not the model's columns, or too few rows to judge by.
        """
        requires(caller, "model.admin")
        model, now = self._model(name), self._clock()
        version = _checked(version or model.spec.version, None)
        table, notes = reference_rows(model, tables, now)
        record = self._pinned(caller, model, version, table, source, now)
        with self._store.transaction() as tx:
            self._store.put_version(tx, model.id, version, now)
            self._store.add_reference(tx, record)
            self._store.stage(
                tx, model.id, "reference", version, record.path, record.rows, now
            )
            detail = {"version": version, "hash": record.hash, "rows": record.rows}
            self._audit.record(tx, caller, "model.reference", name, detail)
        return ReferenceReceipt(
            rows=record.rows,
            labelled=record.labelled,
            hash=record.hash,
            grid_id=record.grid_id,
            features=sum(not f.retired for f in model.spec.features),
            notes=tuple(notes),
        )

    def _pinned(
        self,
        caller: Principal,
        model: Model,
        version: str,
        table: pa.Table,
        source: str,
        now: datetime,
    ) -> ReferenceRecord:
        """The record of a reference whose file is on disk."""
        grid = reference_grid(model.spec, table)
        folder = self._settings.home_dir.resolve() / "references"
        path = staging.write_table(table, staging.fresh_file(folder), "zstd")
        has_labels = LABEL in table.schema.names
        return ReferenceRecord(
            id=0,
            model_id=model.id,
            version=version,
            grid_id=grid.id,
            hash=hashlib.sha256(path.read_bytes()).hexdigest(),
            rows=table.num_rows,
            labelled=len(table[LABEL].drop_null()) if has_labels else 0,
            source=_storable(source)[:400],
            path=str(path),
            grid=grid.to_json(),
            importance=measured_importance(model.spec, table),
            created_at=now,
            created_by=caller.username,
        )

    def _model(self, name: str) -> Model:
        model = self._store.model(name)
        if model is None:
            raise NotFound(
                f"There is no model {name[:80]}: register it first with "
                "`python cli.py model apply FILE`."
            )
        return model

    def _too_old(self, model: Model, rows: Rows, now: datetime) -> None:
        """Refuse rows of days whose rows were dropped: they cannot be counted."""
        kept = model.spec.retention_days or self._settings.inference_retention_days
        if kept is None:
            return
        stamps = rows.columns["ts"].to_numpy(zero_copy_only=False)
        today = np.datetime64(now.replace(tzinfo=None), "D")
        old = stamps < today - np.timedelta64(kept, "D")
        rows.refuse(old, f"it is older than the {kept} days this model keeps rows")

    def _record(
        self,
        caller: Principal,
        model: Model,
        receipt: Receipt,
        files: StagedFiles,
        sent: tuple[str, str | None, datetime],
    ) -> Receipt:
        """Acknowledge a delivery: one transaction for its files and its receipt."""
        source, key, now = sent
        kept, told = receipt.as_dict(told=20), _storable(source)[:200]
        delivery = Delivery(now, caller.username, receipt.kind, told, kept, key)
        versions = _versions(files)
        try:
            with self._store.transaction() as tx:
                self._store.deliver(tx, model.id, delivery)
                for version in versions:
                    self._store.put_version(tx, model.id, version, now)
                for file in files.written:
                    self._store.stage(
                        tx, model.id, file.kind, "", str(file.path), file.rows, now
                    )
        except KnownKey as known:
            return Receipt.of(dict(known.receipt))
        files.recorded = True
        return receipt


def _checked(version: str, key: str | None) -> str:
    """The version of a delivery that can be stored under it, and under its key."""
    if re.fullmatch(VERSION_PATTERN, version) is None:
        raise InvalidInput(
            f"{version[:40]!r} is no version: up to 40 letters, digits and . _ + -"
        )
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isprintable()):
        raise InvalidInput(
            f"The key of a delivery is 1 to {LONGEST_KEY} printable characters."
        )
    return version


def _versions(files: StagedFiles) -> list[str]:
    found = sorted({version for file in files.written for version in file.versions})
    if len(found) > MOST_VERSIONS:
        raise InvalidInput(
            f"The rows name {len(found):,} versions; a delivery has at most "
            f"{MOST_VERSIONS}. Is the column version something else?"
        )
    return found


def _storable(text: str) -> str:
    """A file's name without what no database takes."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")

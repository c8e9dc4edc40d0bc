"""Monitored models in the operational database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Table, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from data.model_records import Model, ModelSpec, ReferenceRecord, Version
from data.model_tables import (
    deliveries,
    model_references,
    model_versions,
    models,
    staged_batches,
)
from data.session import Transaction, reading, unit_of_work
from data.spec_json import spec_from_json, spec_to_json

STAGE_LOCK = 7_340_115
"""PostgreSQL advisory lock: who stages shares it, the flusher takes it to read ids:
they become visible out of order, and it must not pass one still to come."""


class KnownKey(Exception):
    """A delivery of this kind with this key was taken before: ``receipt`` is its."""

    def __init__(self, receipt: Mapping[str, Any]) -> None:
        super().__init__("delivered before")
        self.receipt = receipt


@dataclass(frozen=True)
class StagedBatch:
    """A file of rows that waits for the flusher.

    kind: ``inferences``, ``labels``, or ``reference`` (profile it, recount the rows
    of its version).
    """

    id: int
    model_id: int
    kind: str
    version: str
    path: str
    rows: int


@dataclass(frozen=True)
class Delivery:
    """What was sent once, and what became of it."""

    at: datetime
    by: str
    kind: str
    source: str
    receipt: Mapping[str, Any]
    key: str | None = None


class ModelStore:
    """Reads and writes of models, versions, references and what waits for them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """One unit of work over this and other stores."""
        with unit_of_work(self._engine) as tx:
            yield tx

    def models(self) -> list[Model]:
        """All models by name, archived ones included."""
        with reading(self._engine) as connection:
            query = select(models).order_by(models.c.name)
            return [_model(row) for row in connection.execute(query)]

    def model(self, name: str) -> Model | None:
        """One model, or ``None``."""
        with reading(self._engine) as connection:
            query = select(models).where(models.c.name == name)
            row = connection.execute(query).one_or_none()
        return None if row is None else _model(row)

    def names(self) -> list[tuple[str, bool]]:
        """Name and whether archived of every model, by name."""
        with reading(self._engine) as connection:
            query = select(models.c.name, models.c.archived).order_by(models.c.name)
            return [(row.name, row.archived) for row in connection.execute(query)]

    def add(self, tx: Transaction, spec: ModelSpec, now: datetime) -> int:
        """Register a model whose name is free; its id."""
        result = tx.execute(
            insert(models).values(
                **_row(spec), revision=1, created_at=now, updated_at=now
            )
        )
        key = result.inserted_primary_key
        assert key is not None  # noqa: S101 - an insert of one row gives its key
        return int(key[0])

    def replace(
        self, tx: Transaction, model: Model, spec: ModelSpec, now: datetime
    ) -> bool:
        """Change a model unless somebody else has since ``model`` was read."""
        result = tx.execute(
            update(models)
            .where(models.c.id == model.id, models.c.revision == model.revision)
            .values(**_row(spec), revision=model.revision + 1, updated_at=now)
        )
        return result.rowcount == 1

    def versions(self, model_id: int) -> list[Version]:
        """The versions of a model, oldest first."""
        query = (
            select(model_versions)
            .where(model_versions.c.model_id == model_id)
            .order_by(model_versions.c.created_at, model_versions.c.version)
        )
        with reading(self._engine) as connection:
            return [Version(**row._mapping) for row in connection.execute(query)]

    def put_version(
        self,
        tx: Transaction,
        model_id: int,
        version: str,
        now: datetime,
        lineage: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a version where it is not known; its lineage is kept once told."""
        key = (
            model_versions.c.model_id == model_id,
            model_versions.c.version == version,
        )
        values = {"lineage": dict(lineage or {}), "created_at": now}
        added = _insert_new(
            tx, model_versions, {"model_id": model_id, "version": version, **values}
        )
        if not added and lineage:
            tx.execute(update(model_versions).where(*key).values(lineage=dict(lineage)))

    def reference_id(self, model_id: int, version: str) -> int | None:
        """Id of the reference a version is judged by: its newest, or the model's."""
        table = model_references.c
        query = select(table.id, table.version).where(table.model_id == model_id)
        with reading(self._engine) as connection:
            found = connection.execute(query.order_by(table.id)).fetchall()
        own = [row.id for row in found if row.version == version]
        return next(reversed(own or [row.id for row in found]), None)

    def reference_by_id(self, reference_id: int) -> ReferenceRecord:
        """A reference that exists."""
        query = select(model_references).where(model_references.c.id == reference_id)
        with reading(self._engine) as connection:
            return ReferenceRecord(**connection.execute(query).one()._mapping)

    def reference(self, model_id: int, version: str) -> ReferenceRecord | None:
        """The reference a version is judged by."""
        key = self.reference_id(model_id, version)
        return None if key is None else self.reference_by_id(key)

    def add_reference(self, tx: Transaction, record: ReferenceRecord) -> None:
        """Pin a reference; ``record.id`` is ignored."""
        values = asdict(record)
        del values["id"]
        tx.execute(insert(model_references).values(values))

    def stage(
        self,
        tx: Transaction,
        model_id: int,
        kind: str,
        version: str,
        path: str,
        rows: int,
        at: datetime,
    ) -> None:
        """Record a file that waits for the flusher; it must be on disk already."""
        if tx.dialect.name == "postgresql":
            tx.execute(select(func.pg_advisory_xact_lock_shared(STAGE_LOCK)))
        tx.execute(
            insert(staged_batches).values(
                model_id=model_id,
                kind=kind,
                version=version,
                path=path,
                rows=rows,
                staged_at=at,
            )
        )

    def staged(self, above_id: int) -> list[StagedBatch]:
        """The files with ids above ``above_id``, in order."""
        table = staged_batches.c
        query = (
            select(
                table.id, table.model_id, table.kind, table.version, table.path,
                table.rows,
            )
            .where(table.id > above_id)
            .order_by(table.id)
        )  # fmt: skip
        if self._engine.dialect.name == "postgresql":
            with unit_of_work(self._engine) as tx:
                tx.execute(select(func.pg_advisory_xact_lock(STAGE_LOCK)))
        with reading(self._engine) as connection:
            return [StagedBatch(**row._mapping) for row in connection.execute(query)]

    def moved(self, upto_id: int) -> list[str]:
        """The files up to an id that may be deleted; a reference stays for ever."""
        table = staged_batches.c
        query = select(table.path).where(table.id <= upto_id, table.kind != "reference")
        with reading(self._engine) as connection:
            return list(connection.scalars(query))

    def unstage(self, upto_id: int) -> None:
        """Forget files up to an id."""
        with unit_of_work(self._engine) as tx:
            tx.execute(delete(staged_batches).where(staged_batches.c.id <= upto_id))

    def deliver(self, tx: Transaction, model_id: int, delivery: Delivery) -> None:
        """Note a delivery.

        Raises:
            KnownKey: one of this kind with this key was taken before.
        """
        if _insert_new(tx, deliveries, {"model_id": model_id, **asdict(delivery)}):
            return
        query = select(deliveries.c.receipt).where(
            deliveries.c.model_id == model_id,
            deliveries.c.kind == delivery.kind,
            deliveries.c.key == delivery.key,
        )
        raise KnownKey(tx.execute(query).scalar_one())

    def delivered(self, model_id: int, limit: int) -> Sequence[Delivery]:
        """The newest deliveries of a model, newest first."""
        query = (
            select(deliveries)
            .where(deliveries.c.model_id == model_id)
            .order_by(deliveries.c.at.desc(), deliveries.c.id.desc())
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [
                Delivery(r.at, r.by, r.kind, r.source, r.receipt, r.key)
                for r in connection.execute(query)
            ]


def _insert_new(tx: Transaction, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless its key is taken, were it by somebody at this moment."""
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).values(values).on_conflict_do_nothing()
    counted = {"preserve_rowcount": True}
    return tx.execute(statement, execution_options=counted).rowcount == 1


def _row(spec: ModelSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "kind": spec.kind,
        "owner": spec.owner,
        "archived": spec.archived,
        "spec": spec_to_json(spec),
    }


def _model(row: Any) -> Model:
    return Model(
        id=row.id,
        spec=spec_from_json(row.spec),
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )

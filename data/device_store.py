"""Devices, their events and labelled faults in the operational database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, and_, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from data.records import Band, Device, Event, LabelledFault
from data.session import Transaction, reading, unit_of_work
from data.tables import devices, events, labelled_faults


class Stale(Exception):
    """The row has changed since the caller read it."""


class Exists(Exception):
    """A row with this key exists already."""


class DeviceStore:
    """Reads and writes of everything known of a device but its readings."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, device_id: str) -> Device | None:
        """The device, or ``None``."""
        query = select(devices).where(devices.c.id == device_id)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _device(row)

    def all(self) -> list[Device]:
        """Every device that is not removed, by name."""
        query = (
            select(devices)
            .where(devices.c.life_cycle != "removed")
            .order_by(func.lower(devices.c.name), devices.c.id)
        )
        with reading(self._engine) as connection:
            return [_device(row) for row in connection.execute(query)]

    def some(self, ids: Sequence[str]) -> list[Device]:
        """The devices named, removed ones included; unknown ids are left out."""
        query = select(devices).where(devices.c.id.in_(list(ids)))
        with reading(self._engine) as connection:
            return [_device(row) for row in connection.execute(query)]

    def page(self, after: str, limit: int) -> list[Device]:
        """Up to ``limit`` devices that are not removed, by id, from beyond one."""
        query = (
            select(devices)
            .where(devices.c.id > after, devices.c.life_cycle != "removed")
            .order_by(devices.c.id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [_device(row) for row in connection.execute(query)]

    def version(self) -> tuple[int, int]:
        """Changes whenever a device is added or changed: what a cache is keyed by."""
        query = select(
            func.count(), func.coalesce(func.sum(devices.c.version), 0)
        ).select_from(devices)
        with reading(self._engine) as connection:
            count, versions = connection.execute(query).one()
        return int(count), int(versions)

    def life_cycles(self, ids: Sequence[str]) -> dict[str, str]:
        """The life cycle of each known device among ``ids``."""
        query = select(devices.c.id, devices.c.life_cycle).where(
            devices.c.id.in_(list(ids))
        )
        with reading(self._engine) as connection:
            return {row.id: row.life_cycle for row in connection.execute(query)}

    def intervals(self) -> dict[str, int]:
        """The reporting interval in seconds of every device."""
        query = select(devices.c.id, devices.c.reporting_interval_s)
        with reading(self._engine) as connection:
            return {r.id: r.reporting_interval_s for r in connection.execute(query)}

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One write transaction, which events and audit lines join."""
        return unit_of_work(self._engine)

    def add(self, tx: Transaction, new: Iterable[Device], at: datetime) -> None:
        """Insert devices, all or none.

        Raises:
            Exists: one of the ids is taken.
        """
        rows = [_row(device) | {"created_at": at, "updated_at": at} for device in new]
        if not rows:
            return
        try:
            tx.execute(insert(devices), rows)
        except IntegrityError as error:
            raise Exists(", ".join(str(row["id"]) for row in rows[:5])) from error

    def replace(self, tx: Transaction, device: Device, at: datetime) -> None:
        """Store a changed device under the version the caller read.

        Raises:
            Stale: somebody else changed it meanwhile.
        """
        values = _row(device) | {"updated_at": at, "version": device.version + 1}
        result = tx.execute(
            update(devices)
            .where(devices.c.id == device.id, devices.c.version == device.version)
            .values(values)
        )
        if result.rowcount == 0:
            raise Stale(device.id)

    def add_events(self, tx: Transaction, new: Iterable[Event]) -> None:
        """Append to the event log."""
        rows = [{k: v for k, v in asdict(event).items() if k != "id"} for event in new]
        if rows:
            tx.execute(insert(events), rows)

    def events(
        self,
        device_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        category: str | None = None,
        before: tuple[datetime, int] | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[list[Event], int]:
        """One page of a device's event log, newest first, and how many there are.

        ``before`` is time and id of an event: only older ones are meant.
        """
        chosen = select(events).where(events.c.device_id == device_id)
        if start is not None:
            chosen = chosen.where(events.c.ts >= start)
        if end is not None:
            chosen = chosen.where(events.c.ts < end)
        if category is not None:
            chosen = chosen.where(events.c.category == category)
        if before is not None:
            ts, last = before
            earlier = and_(events.c.ts == ts, events.c.id < last)
            chosen = chosen.where(or_(events.c.ts < ts, earlier))
        page = chosen.order_by(events.c.ts.desc(), events.c.id.desc())
        count = select(func.count()).select_from(chosen.subquery())
        with reading(self._engine) as connection:
            rows = connection.execute(page.limit(limit).offset(offset)).all()
            total = connection.scalar(count) or 0
        return [Event(**row._mapping) for row in rows], total

    def add_labelled_faults(
        self, tx: Transaction, new: Iterable[LabelledFault]
    ) -> None:
        """Store faults known to have been present."""
        rows = [asdict(fault) for fault in new]
        if rows:
            tx.execute(insert(labelled_faults), rows)

    def labelled_faults(self, device_id: str | None = None) -> list[LabelledFault]:
        """The known faults of one device or of all, oldest first."""
        names = [field.name for field in fields(LabelledFault)]
        query = select(*(labelled_faults.c[name] for name in names))
        if device_id is not None:
            query = query.where(labelled_faults.c.device_id == device_id)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(labelled_faults.c.started_at))
            return [LabelledFault(**row._mapping) for row in rows]


def _row(device: Device) -> dict[str, Any]:
    row = asdict(device)
    row["modes"] = list(device.modes)
    return row


def _device(row: Any) -> Device:
    values = dict(row._mapping)
    for stamp in ("created_at", "updated_at"):
        values.pop(stamp)
    values["modes"] = tuple(values["modes"])
    values["bands"] = {k: Band(**band) for k, band in values["bands"].items()}
    return Device(**values)

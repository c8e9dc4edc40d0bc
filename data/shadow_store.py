"""Shadows: what each device reports, what is wished of it, and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Text, cast, select
from sqlalchemy.dialects import postgresql, sqlite

from data.records import Shadow
from data.session import Transaction, reading, unit_of_work
from data.tables import devices, shadows


class ShadowStore:
    """Reads and writes of shadows."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One write transaction."""
        return unit_of_work(self._engine)

    def get(self, device_id: str) -> Shadow | None:
        """The device's shadow, or ``None`` when there is none."""
        return self.some([device_id]).get(device_id)

    def some(self, device_ids: Sequence[str]) -> dict[str, Shadow]:
        """The shadows of the devices named."""
        query = select(shadows).where(shadows.c.device_id.in_(list(device_ids)))
        with reading(self._engine) as connection:
            return {row.device_id: _shadow(row) for row in connection.execute(query)}

    def timed(self) -> list[tuple[str, dict[str, object]]]:
        """Device and wishes of every shadow with a wish that ends by itself."""
        columns = shadows.c
        query = select(columns.device_id, columns.desired).where(
            cast(columns.desired, Text).like('%\\_until": "%', escape="\\")
        )
        with reading(self._engine) as connection:
            return [(row.device_id, row.desired) for row in connection.execute(query)]

    def wish_versions(self, since: datetime | None = None) -> dict[str, int]:
        """The version of the wishes of each device that ever had one.

        With ``since`` only of shadows that changed at or after that time.
        """
        columns = shadows.c
        query = select(columns.device_id, columns.wish_version).where(
            columns.wish_version > 0
        )
        if since is not None:
            query = query.where(columns.updated_at >= since)
        with reading(self._engine) as connection:
            return {r.device_id: r.wish_version for r in connection.execute(query)}

    def locked(
        self, tx: Transaction, device_ids: Iterable[str], at: datetime
    ) -> dict[str, Shadow]:
        """The shadows, fresh where there is none; nobody else changes them before
        the transaction ends."""
        ids = sorted(device_ids)
        if tx.dialect.name != "sqlite":
            # A shadow that is not there yet has no row to lock; its device has.
            rows = select(devices.c.id).where(devices.c.id.in_(ids))
            tx.execute(rows.order_by(devices.c.id).with_for_update(key_share=True))
        query = (
            select(shadows)
            .where(shadows.c.device_id.in_(ids))
            .order_by(shadows.c.device_id)
            .with_for_update()
        )
        found = {row.device_id: _shadow(row) for row in tx.execute(query)}
        return {i: found.get(i) or Shadow(i, 0, {}, {}, {}, {}, at) for i in ids}

    def save(self, tx: Transaction, changed: Iterable[Shadow]) -> None:
        """Store shadows that were read locked in this transaction."""
        rows = [_row(shadow) for shadow in changed]
        if not rows:
            return
        dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(shadows)
        new = {
            name: statement.excluded[name] for name in rows[0] if name != "device_id"
        }
        tx.execute(
            statement.on_conflict_do_update(index_elements=["device_id"], set_=new),
            rows,
        )

    def put_reported(
        self, tx: Transaction, device_id: str, state: Mapping[str, object], at: datetime
    ) -> None:
        """Merge what a device reports into its shadow; only newer keys count."""
        held = self.locked(tx, [device_id], at)[device_id]
        self.save(tx, [merged(held, state, at)])


def merged(held: Shadow, state: Mapping[str, object], at: datetime) -> Shadow:
    """The shadow after a report of ``at``; older values of a key change nothing."""
    known = held.reported_at
    newer = {k: v for k, v in state.items() if k not in known or known[k] <= at}
    if not newer:
        return held
    return replace(
        held,
        version=held.version + 1,
        reported={**held.reported, **newer},
        reported_at={**known, **dict.fromkeys(newer, at)},
        updated_at=at,
    )


def _times(stamps: Mapping[str, str]) -> dict[str, datetime]:
    return {key: datetime.fromisoformat(stamp) for key, stamp in stamps.items()}


def _stamps(times: Mapping[str, datetime]) -> dict[str, str]:
    return {key: time.isoformat() for key, time in times.items()}


def _shadow(row: Any) -> Shadow:
    return Shadow(
        device_id=row.device_id,
        version=row.version,
        reported=row.reported,
        desired=row.desired,
        reported_at=_times(row.reported_at),
        desired_at=_times(row.desired_at),
        updated_at=row.updated_at,
        wish_version=row.wish_version,
    )


def _row(shadow: Shadow) -> dict[str, Any]:
    return {
        "device_id": shadow.device_id,
        "version": shadow.version,
        "reported": dict(shadow.reported),
        "desired": dict(shadow.desired),
        "reported_at": _stamps(shadow.reported_at),
        "desired_at": _stamps(shadow.desired_at),
        "wish_version": shadow.wish_version,
        "updated_at": shadow.updated_at,
    }

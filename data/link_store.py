"""Links to devices, their credentials, and messages that could not be taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from data.session import Transaction, reading, unit_of_work
from data.talk_records import Link, RejectedMessage
from data.talk_tables import (
    device_credentials,
    device_links,
    rejected_messages,
    worker_status,
)

REJECTS_KEPT = 10_000
PAYLOAD_KEPT = 1_024


class LinkStore:
    """Reads and writes of how devices are reached."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def links(self, device_ids: Sequence[str]) -> dict[str, Link]:
        """The links of the devices named; those that never spoke are left out."""
        with reading(self._engine) as connection:
            return self.held(connection, device_ids)

    def held(self, tx: Transaction, device_ids: Iterable[str]) -> dict[str, Link]:
        """The links as the transaction sees them."""
        names = [device_links.c[field.name] for field in fields(Link)]
        query = select(*names).where(device_links.c.device_id.in_(sorted(device_ids)))
        return {row.device_id: Link(**row._mapping) for row in tx.execute(query)}

    def save(self, tx: Transaction, changed: Iterable[Link]) -> None:
        """Store links, new or changed."""
        rows = [{**asdict(link), "birth": dict(link.birth)} for link in changed]
        _upsert(tx, device_links, "device_id", rows)

    def hash_of(self, device_id: str) -> str | None:
        """The hash of a device's secret, or ``None`` when it has none."""
        query = select(device_credentials.c.hash).where(
            device_credentials.c.device_id == device_id
        )
        with reading(self._engine) as connection:
            found: str | None = connection.scalar(query)
        return found

    def hashes(self) -> dict[str, str]:
        """Every device's hash, by id, for a broker's password file."""
        columns = device_credentials.c
        query = select(columns.device_id, columns.hash).order_by(columns.device_id)
        with reading(self._engine) as connection:
            return {row.device_id: row.hash for row in connection.execute(query)}

    def credentials(self) -> dict[str, tuple[datetime, datetime | None]]:
        """When each device's secret was made, and when it was last used over HTTP."""
        columns = device_credentials.c
        query = select(columns.device_id, columns.made_at, columns.used_at)
        with reading(self._engine) as connection:
            return {r[0]: (r[1], r[2]) for r in connection.execute(query)}

    def put_credential(
        self, tx: Transaction, device_id: str, secret_hash: str, by: str, at: datetime
    ) -> None:
        """Give a device a secret; the one it had is void."""
        row = {
            "device_id": device_id,
            "hash": secret_hash,
            "made_by": by,
            "made_at": at,
            "used_at": None,
        }
        _upsert(tx, device_credentials, "device_id", [row])

    def used(self, device_id: str, at: datetime) -> None:
        """Note that a device has shown its secret."""
        table = device_credentials
        with unit_of_work(self._engine) as tx:
            tx.execute(
                update(table).where(table.c.device_id == device_id).values(used_at=at)
            )

    def drop_credential(self, tx: Transaction, device_id: str) -> bool:
        """Take a device's secret away; whether it had one."""
        table = device_credentials
        gone = tx.execute(delete(table).where(table.c.device_id == device_id))
        return bool(gone.rowcount)

    def reject(self, tx: Transaction, refused: Sequence[RejectedMessage]) -> None:
        """Keep messages that cannot be taken; of very many only the newest stay."""
        if not refused:
            return
        rows = [
            {
                "at": message.at,
                "topic": message.topic[:200],
                "reason": message.reason[:300],
                "payload": message.payload[:PAYLOAD_KEPT],
                "size": message.size,
            }
            for message in refused
        ]
        tx.execute(insert(rejected_messages), rows)
        newest = tx.scalar(select(func.max(rejected_messages.c.id))) or 0
        tx.execute(
            delete(rejected_messages).where(
                rejected_messages.c.id <= newest - REJECTS_KEPT
            )
        )

    def rejects(self, limit: int = 50) -> list[RejectedMessage]:
        """The newest messages that were refused."""
        table = rejected_messages
        names = [table.c[field.name] for field in fields(RejectedMessage)]
        query = select(*names).order_by(table.c.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            return [RejectedMessage(**r._mapping) for r in connection.execute(query)]

    def put_status(self, part: str, facts: Mapping[str, Any], at: datetime) -> None:
        """What a part of the worker says of itself, for the web process to show."""
        row = {"part": part, "facts": dict(facts), "at": at}
        with unit_of_work(self._engine) as tx:
            _upsert(tx, worker_status, "part", [row])

    def statuses(self) -> dict[str, tuple[datetime, dict[str, Any]]]:
        """What each part of the worker said last, and when."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(worker_status))
            return {row.part: (row.at, row.facts) for row in rows}


def _upsert(tx: Transaction, table: Any, key: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    new = {name: statement.excluded[name] for name in rows[0] if name != key}
    tx.execute(statement.on_conflict_do_update(index_elements=[key], set_=new), rows)

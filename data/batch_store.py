"""Receipts of batches that were sent with a key, so that a repeat gets the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from data.session import reading, unit_of_work
from data.talk_tables import accepted_batches


@dataclass(frozen=True)
class Kept:
    """What was answered to a batch, and the digest of what was sent."""

    digest: str
    receipt: Mapping[str, Any]
    at: datetime


class BatchStore:
    """Reads and writes of receipts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, owner: str, key: str) -> Kept | None:
        """The receipt an owner has got under a key."""
        table = accepted_batches
        query = select(table.c.digest, table.c.receipt, table.c.at).where(
            table.c.owner == owner, table.c.key == key
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Kept(row.digest, row.receipt, row.at)

    def put(self, owner: str, key: str, kept: Kept, forget_before: datetime) -> None:
        """Keep a receipt, unless the key has one; forget those older than a time."""
        table = accepted_batches
        with unit_of_work(self._engine) as tx:
            tx.execute(delete(table).where(table.c.at < forget_before))
            dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
            row = {
                "owner": owner,
                "key": key,
                "digest": kept.digest,
                "receipt": dict(kept.receipt),
                "at": kept.at,
            }
            tx.execute(dialect.insert(table).values(row).on_conflict_do_nothing())

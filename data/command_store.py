"""Commands: one row for each wish, from the moment it is asked to its end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Select, func, insert, select, update

from data.session import Transaction, reading
from data.talk_records import OPEN_STATES, Command
from data.talk_tables import commands, device_links

NAMES = tuple(field.name for field in fields(Command))
CHANGING = ("state", "reason", "tries", "sent_at", "accepted_at", "ended_at")


class CommandStore:
    """Reads and writes of commands."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, tx: Transaction, new: Iterable[Command]) -> list[Command]:
        """Insert commands; give them with their ids."""
        return [self._added(tx, command) for command in new]

    def _added(self, tx: Transaction, command: Command) -> Command:
        row = {k: v for k, v in asdict(command).items() if k != "id"}
        key = tx.execute(insert(commands).values(row)).inserted_primary_key
        assert key is not None  # noqa: S101 - both databases return it
        return Command(**{**row, "id": key[0]})

    def save(self, tx: Transaction, changed: Iterable[Command]) -> None:
        """Store what became of commands."""
        for command in changed:
            values = {name: getattr(command, name) for name in CHANGING}
            tx.execute(
                update(commands).where(commands.c.id == command.id).values(values)
            )

    def held(self, tx: Transaction, device_ids: Iterable[str]) -> list[Command]:
        """The newest command of each key of each device, open or ended."""
        newest = (
            select(func.max(commands.c.id))
            .where(commands.c.device_id.in_(sorted(device_ids)))
            .group_by(commands.c.device_id, commands.c.key)
        )
        query = _query().where(commands.c.id.in_(newest)).order_by(commands.c.id)
        return [_command(row) for row in tx.execute(query)]

    def newest(self, device_id: str) -> list[Command]:
        """The newest command of each key of a device."""
        with reading(self._engine) as connection:
            return self.held(connection, [device_id])

    def waiting(self, limit: int = 1_000) -> list[Command]:
        """Open commands, oldest first."""
        query = _query().where(commands.c.state.in_(OPEN_STATES))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(commands.c.id).limit(limit))
            return [_command(row) for row in rows]

    def reachable(self, told_by: datetime, limit: int = 1_000) -> list[Command]:
        """Commands to tell devices that are there, oldest first.

        Args:
            told_by: those told later than this are left out: they may yet answer.
            limit: most commands; those of devices that are away take no place.
        """
        table = commands.c
        due = (table.state == "queued") | (
            (table.state == "sent") & (table.sent_at <= told_by)
        )
        there = select(device_links.c.device_id).where(device_links.c.online)
        query = _query().where(due, table.device_id.in_(there))
        return self._read(query.order_by(table.id).limit(limit))

    def late(
        self,
        now: datetime,
        told_by: datetime,
        accepted_by: datetime,
        limit: int = 1_000,
    ) -> list[Command]:
        """Open commands that wait longer than these times allow, oldest first."""
        table = commands.c
        long = (
            (table.expires_at <= now)
            | ((table.state == "sent") & (table.sent_at <= told_by))
            | ((table.state == "accepted") & (table.accepted_at <= accepted_by))
        )
        query = _query().where(table.state.in_(OPEN_STATES), long)
        return self._read(query.order_by(table.id).limit(limit))

    def again(self, tx: Transaction, ids: Sequence[int]) -> list[Command]:
        """Commands as they are now, for a transaction that changes them."""
        query = _query().where(commands.c.id.in_(list(ids))).with_for_update()
        return [_command(row) for row in tx.execute(query)]

    def page(
        self, device_id: str, *, before: int | None = None, limit: int = 50
    ) -> list[Command]:
        """Commands of a device, newest first, older than the id ``before``."""
        query = _query().where(commands.c.device_id == device_id)
        if before is not None:
            query = query.where(commands.c.id < before)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(commands.c.id.desc()).limit(limit))
            return [_command(row) for row in rows]

    def of_job(self, job_id: int) -> list[Command]:
        """The commands of a bulk job, oldest first."""
        query = _query().where(commands.c.job_id == job_id).order_by(commands.c.id)
        with reading(self._engine) as connection:
            return [_command(row) for row in connection.execute(query)]

    def _read(self, query: Select[Any]) -> list[Command]:
        with reading(self._engine) as connection:
            return [_command(row) for row in connection.execute(query)]


def _query() -> Select[Any]:
    return select(*(commands.c[name] for name in NAMES))


def _command(row: Any) -> Command:
    return Command(**row._mapping)

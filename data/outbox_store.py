"""The outbox: what is to be sent, until it is sent or given up, and every attempt.

States: ``waiting`` → ``sending`` → ``sent``, back to ``waiting`` or ``failed``;
``dropped`` was told in another way. While it is being sent, ``next_at`` is the end
of the lease: whoever is killed leaves a parcel that is due again then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Select, and_, func, insert, select, update

from data.alert_tables import alert_events, outbox, outbox_tries
from data.report_records import Parcel, Try
from data.session import Transaction, reading, unit_of_work

KEY_LENGTH = 160
ANSWER_LENGTH = 300
OPEN = ("waiting", "sending")
STATES = ("waiting", "sending", "sent", "failed", "dropped")
COLUMNS = tuple(outbox.c[field.name] for field in fields(Parcel))
TRY_COLUMNS = tuple(outbox_tries.c[field.name] for field in fields(Try))


class OutboxStore:
    """Reads and writes of parcels."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One write transaction."""
        return unit_of_work(self._engine)

    def put(self, tx: Transaction, parcel: Parcel) -> int | None:
        """Add a parcel in the caller's transaction; its id.

        ``None``: a parcel with this key is there already, whatever became of it.
        """
        key = short_key(parcel.key)
        if tx.scalar(select(outbox.c.id).where(outbox.c.key == key)) is not None:
            return None
        row = {k: v for k, v in asdict(parcel).items() if k != "id"}
        made = tx.execute(insert(outbox).values({**row, "key": key}))
        key_row = made.inserted_primary_key
        assert key_row is not None  # noqa: S101 - both databases return it
        return int(key_row[0])

    def due(
        self, now: datetime, kind: str, busy: Collection[str] = (), limit: int = 20
    ) -> list[Parcel]:
        """The oldest due parcel of each target, oldest first.

        Args:
            now: the time.
            kind: ``mail`` or ``webhook``.
            busy: targets that are left out, so that a slow one blocks no other.
            limit: most parcels.
        """
        table = outbox.c
        ready = and_(
            table.kind == kind, table.state.in_(OPEN), table.next_at <= now,
            table.target.not_in(list(busy)),
        )  # fmt: skip
        first = select(func.min(table.id)).where(ready).group_by(table.target)
        query = select(*COLUMNS).where(table.id.in_(first)).order_by(table.id)
        return self._read(query.limit(limit))

    def mates(self, parcel: Parcel, now: datetime, limit: int) -> list[Parcel]:
        """Due parcels of the same route and target, this one first.

        Of a parcel whose sender was killed, exactly those claimed together with it.
        """
        table = outbox.c
        query = select(*COLUMNS).where(
            table.route_id == parcel.route_id,
            table.target == parcel.target,
            table.state == parcel.state,
            table.next_at <= now,
            table.id >= parcel.id,
        )
        if parcel.state == "sending":
            query = query.where(table.next_at == parcel.next_at)
        return self._read(query.order_by(table.id).limit(limit))

    def claim(
        self, parcels: Sequence[Parcel], now: datetime, until: datetime
    ) -> list[Parcel]:
        """Take parcels for sending until a lease ends; those still to be had."""
        table = outbox.c
        taken = []
        with unit_of_work(self._engine) as tx:
            for parcel in parcels:
                free = and_(
                    table.id == parcel.id, table.state == parcel.state,
                    table.tries == parcel.tries, table.next_at <= now,
                )  # fmt: skip
                values = {
                    "state": "sending", "tries": parcel.tries + 1, "next_at": until,
                }  # fmt: skip
                if _changed(tx, free, values):
                    taken.append(replace(parcel, **values))  # type: ignore[arg-type]
        return taken

    def done(self, parcels: Iterable[Parcel], attempt: Try) -> None:
        """Write down that claimed parcels were sent, and the attempt."""
        values = {"state": "sent", "ended_at": attempt.at, "reason": ""}
        self._end(parcels, attempt, values)

    def failed(
        self, parcels: Iterable[Parcel], attempt: Try, again_at: datetime | None
    ) -> None:
        """Write down that claimed parcels were not sent.

        Args:
            parcels: as ``claim`` gave them.
            attempt: what was said; its ``outbox_id`` is not used.
            again_at: when it is tried again; ``None`` = it is given up.
        """
        values: dict[str, Any] = {"state": "failed", "ended_at": attempt.at}
        if again_at is not None:
            values = {"state": "waiting", "next_at": again_at}
        self._end(parcels, attempt, {**values, "reason": _answer(attempt)})

    def page(
        self,
        *,
        state: str | None = None,
        route_id: int | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Parcel]:
        """Parcels, newest first, older than the id ``before``."""
        query = select(*COLUMNS).order_by(outbox.c.id.desc()).limit(limit)
        if state is not None:
            query = query.where(outbox.c.state == state)
        if route_id is not None:
            query = query.where(outbox.c.route_id == route_id)
        if before is not None:
            query = query.where(outbox.c.id < before)
        return self._read(query)

    def get(self, parcel_id: int) -> Parcel | None:
        """A parcel, or ``None``."""
        found = self._read(select(*COLUMNS).where(outbox.c.id == parcel_id))
        return found[0] if found else None

    def of_report(self, report_id: str) -> list[Parcel]:
        """The parcels that carry a report, oldest first."""
        query = select(*COLUMNS).where(outbox.c.report_id == report_id)
        return self._read(query.order_by(outbox.c.id))

    def tries(self, parcel_ids: Collection[int]) -> list[Try]:
        """Every attempt to send these parcels, oldest first."""
        query = select(*TRY_COLUMNS).where(outbox_tries.c.outbox_id.in_(parcel_ids))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(outbox_tries.c.id))
            return [Try(**row._mapping) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many parcels are in each state."""
        query = select(outbox.c.state, func.count()).group_by(outbox.c.state)
        with reading(self._engine) as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def retry(self, tx: Transaction, parcel_id: int, now: datetime) -> bool:
        """Let a parcel that was given up start anew; false when it is none."""
        given_up = and_(outbox.c.id == parcel_id, outbox.c.state == "failed")
        values = {"state": "waiting", "tries": 0, "next_at": now, "ended_at": None}
        return _changed(tx, given_up, values)

    def drop(
        self, tx: Transaction, keys: Collection[str], reason: str, at: datetime
    ) -> list[Parcel]:
        """End parcels that still wait and are told in another way; those ended."""
        waiting = and_(outbox.c.key.in_(keys), outbox.c.state == "waiting")
        query = select(*COLUMNS).where(waiting).with_for_update()
        found = [Parcel(**row._mapping) for row in tx.execute(query)]
        values = {"state": "dropped", "reason": reason, "ended_at": at}
        return [p for p in found if _changed(tx, outbox.c.id == p.id, values)]

    def end_route(
        self, tx: Transaction, route_id: int, reason: str, at: datetime
    ) -> None:
        """End what waits for a route."""
        mine = and_(outbox.c.route_id == route_id, outbox.c.state == "waiting")
        values = {"state": "dropped", "reason": reason, "ended_at": at}
        tx.execute(update(outbox).where(mine).values(values))

    def known(self, tx: Transaction, keys: Collection[str]) -> Sequence[Parcel]:
        """The parcels with these keys, whatever became of them, oldest first."""
        query = select(*COLUMNS).where(outbox.c.key.in_(keys)).order_by(outbox.c.id)
        return [Parcel(**row._mapping) for row in tx.execute(query)]

    def since_raised(self, tx: Transaction, alert_id: int) -> list[tuple[int, str]]:
        """Id and kind of the events of an alert since it was last raised."""
        table = alert_events.c
        mine = table.alert_id == alert_id
        begun = select(func.max(table.id)).where(mine, table.kind == "activated")
        query = select(table.id, table.kind).where(
            mine, table.id >= func.coalesce(begun.scalar_subquery(), 0)
        )
        rows = tx.execute(query.order_by(table.id))
        return [(row.id, row.kind) for row in rows]

    def _end(
        self, parcels: Iterable[Parcel], attempt: Try, values: dict[str, Any]
    ) -> None:
        with unit_of_work(self._engine) as tx:
            for parcel in parcels:
                row = {k: v for k, v in asdict(attempt).items() if k != "id"}
                row |= {"outbox_id": parcel.id, "answer": _answer(attempt)}
                tx.execute(insert(outbox_tries).values(row))
                # Somebody else has it where the lease has ended meanwhile.
                mine = and_(
                    outbox.c.id == parcel.id, outbox.c.state == "sending",
                    outbox.c.tries == parcel.tries,
                )  # fmt: skip
                _changed(tx, mine, values)

    def _read(self, query: Select[Any]) -> list[Parcel]:
        with reading(self._engine) as connection:
            return [Parcel(**row._mapping) for row in connection.execute(query)]


def short_key(key: str) -> str:
    """A key that fits its column; a longer one ends in its own hash."""
    if len(key) <= KEY_LENGTH:
        return key
    digest = hashlib.sha256(key.encode("utf-8")).hexdigest()
    return f"{key[: KEY_LENGTH - 65]}:{digest}"


def _answer(attempt: Try) -> str:
    return attempt.answer[:ANSWER_LENGTH]


def _changed(tx: Transaction, which: Any, values: dict[str, Any]) -> bool:
    result = tx.execution_options(preserve_rowcount=True).execute(
        update(outbox).where(which).values(values)
    )
    return result.rowcount > 0

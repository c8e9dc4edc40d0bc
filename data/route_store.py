"""Routes: to whom alerts are told."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Engine, delete, insert, select, update

from data.alert_tables import notify_routes
from data.report_records import Route
from data.session import Transaction, reading, unit_of_work

COLUMNS = tuple(notify_routes.c[field.name] for field in fields(Route))


class RouteStore:
    """Reads and writes of routes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One write transaction."""
        return unit_of_work(self._engine)

    def all(self) -> list[Route]:
        """Every route, by name."""
        query = select(*COLUMNS).order_by(notify_routes.c.name)
        with reading(self._engine) as connection:
            return [Route(**row._mapping) for row in connection.execute(query)]

    def get(self, route_id: int) -> Route | None:
        """A route, or ``None``."""
        with reading(self._engine) as connection:
            return self.held(connection, route_id)

    def held(self, tx: Transaction, route_id: int) -> Route | None:
        """A route as a transaction that changes it sees it."""
        query = select(*COLUMNS).where(notify_routes.c.id == route_id)
        row = tx.execute(query.with_for_update()).one_or_none()
        return None if row is None else Route(**row._mapping)

    def enabled(self, tx: Transaction) -> list[Route]:
        """The routes in use, oldest first."""
        query = select(*COLUMNS).where(notify_routes.c.enabled)
        rows = tx.execute(query.order_by(notify_routes.c.id))
        return [Route(**row._mapping) for row in rows]

    def name_taken(self, tx: Transaction, name: str, but_id: int) -> bool:
        """Whether another route has this name."""
        table = notify_routes.c
        query = select(table.id).where(table.name == name, table.id != but_id)
        return tx.scalar(query) is not None

    def add(self, tx: Transaction, route: Route) -> int:
        """Insert a route; its id."""
        key = tx.execute(insert(notify_routes).values(_row(route))).inserted_primary_key
        assert key is not None  # noqa: S101 - both databases return it
        return int(key[0])

    def replace(self, tx: Transaction, route: Route) -> None:
        """Store a route anew."""
        mine = notify_routes.c.id == route.id
        tx.execute(update(notify_routes).where(mine).values(_row(route)))

    def remove(self, tx: Transaction, route_id: int) -> None:
        """Remove a route."""
        tx.execute(delete(notify_routes).where(notify_routes.c.id == route_id))


def _row(route: Route) -> dict[str, Any]:
    return {k: v for k, v in asdict(route).items() if k != "id"}

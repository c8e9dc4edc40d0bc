"""Engine and unit of work of the operational database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

BUSY_TIMEOUT_MS = 5_000
HOT_LOCK = 7_340_113
"""PostgreSQL advisory lock: writers of hot rows share it, the flusher takes it."""

__all__ = [
    "HOT_LOCK",
    "Engine",
    "Transaction",
    "open_engine",
    "reading",
    "store_unavailable",
    "unit_of_work",
]

Transaction = Connection
"""An open unit of work: several stores write through it, all or nothing."""


def store_unavailable(error: BaseException) -> bool:
    """Whether the database did not answer in time: trying again may work."""
    return isinstance(error, OperationalError | PoolTimeout | TimeoutError)


def open_engine(url: str) -> Engine:
    """An engine whose SQLite connections sync every commit to disk.

    WAL with ``synchronous=FULL``: a committed row is what we acknowledge, so it
    must survive power loss; a busy database is waited for, not failed at once.
    """
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    return engine


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # A deferred transaction that later writes can fail "database is locked"
    # without waiting; readers ask for a deferred one explicitly.
    mode = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
    connection.exec_driver_sql(f"BEGIN {mode}")


@contextmanager
def unit_of_work(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed when the block ends, else rolled back."""
    with engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One read transaction that never blocks, and is never blocked by, a writer."""
    with (
        engine.connect().execution_options(sqlite_begin="DEFERRED") as connection,
        connection.begin(),
    ):
        yield connection

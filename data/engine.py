"""The query engine: DuckDB with the lake attached, and locked down.

Extensions are loaded by path from their installed packages and never fetched.
The lake's catalog has exactly one writing process (``data/flush.py``); every
other process attaches it READ_ONLY. No user text ever becomes SQL: the lock-down
is the second line of defence, not the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Lock, Timer

import duckdb

from settings import Settings

CATALOG_EXTENSIONS = {
    "sqlite": "duckdb_extension_sqlite_scanner",
    "postgres": "duckdb_extension_postgres_scanner",
}
LAKE_EXTENSION = "duckdb_extension_ducklake"
CATALOG_BUSY_MS = 5_000
WRITER_MEMORY_FACTOR = 4
"""The one writer sorts and folds whole imports; readers answer single questions."""


class QueryTimeout(TimeoutError):
    """A query ran longer than the limit and was interrupted."""


def _quoted(text: str | Path) -> str:
    # DuckDB binds no parameters in LOAD, ATTACH and SET; settings are the source.
    return "'" + str(text).replace("'", "''") + "'"


def _extension_file(package: str) -> Path:
    module = import_module(package)
    folder = Path(str(module.__path__[0]))
    return next(folder.rglob(f"v{duckdb.__version__}/*.duckdb_extension"))


def _catalog(settings: Settings) -> tuple[str, str]:
    if settings.lake_catalog is None:
        settings.catalog_file.parent.mkdir(parents=True, exist_ok=True)
        options = f", META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT {CATALOG_BUSY_MS}"
        return f"ducklake:sqlite:{settings.catalog_file}", options
    # Imported here: the default catalog needs none of it, and it takes its time.
    from sqlalchemy.engine import make_url  # noqa: PLC0415

    url = make_url(settings.lake_catalog)
    parts = {
        "dbname": url.database,
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
    }
    text = " ".join(f"{key}={value}" for key, value in parts.items() if value)
    return f"ducklake:postgres:{text}", ""


def connect(settings: Settings, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """A connection with the lake attached as ``lake`` and everything else shut."""
    memory_mb = settings.engine_memory_mb * (1 if read_only else WRITER_MEMORY_FACTOR)
    spill = settings.home_dir / "spill"
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "threads": str(settings.engine_threads),
            "memory_limit": f"{memory_mb}MB",
            "temp_directory": str(spill),
        }
    )
    kind = "sqlite" if settings.lake_catalog is None else "postgres"
    for package in (CATALOG_EXTENSIONS[kind], LAKE_EXTENSION):
        connection.execute(f"LOAD {_quoted(_extension_file(package))}")
    address, options = _catalog(settings)
    settings.lake_dir.mkdir(parents=True, exist_ok=True)
    mode = ", READ_ONLY" if read_only else ""
    # The settings say where the lake is, not the catalog: a home may be moved.
    connection.execute(
        f"ATTACH {_quoted(address)} AS lake (DATA_PATH {_quoted(settings.lake_dir)}, "
        f"OVERRIDE_DATA_PATH true, DATA_INLINING_ROW_LIMIT 0{options}{mode})"
    )
    _lock_down(connection, settings)
    return connection


def _lock_down(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    folders = (
        settings.lake_dir,
        settings.catalog_file.parent,
        settings.staging_dir,
        settings.home_dir / "references",
        settings.home_dir / "spill",
    )
    # Both spellings: a relative DATA_PATH is compared as it was written.
    allowed = {str(f) for f in folders} | {str(f.resolve()) for f in folders}
    listed = ", ".join(_quoted(folder) for folder in sorted(allowed))
    connection.execute(f"SET allowed_directories=[{listed}]")
    connection.execute("SET enable_external_access=false")
    connection.execute("SET lock_configuration=true")


class Reader:
    """The process's read-only connection, opened on first use.

    It is opened late because an engine must not be carried over a fork, and
    because the lake may not exist yet when the process starts.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def _opened(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._connection is None:
                self._connection = connect(self._settings, read_only=True)
            return self._connection

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor in one lake snapshot, interrupted after the time limit.

        Raises:
            QueryTimeout: the query passed ``query_timeout_s``.
        """
        cursor = self._opened().cursor()
        timer = Timer(self._settings.query_timeout_s, cursor.interrupt)
        timer.daemon = True
        timer.start()
        try:
            cursor.execute("BEGIN")
            yield cursor
            cursor.execute("COMMIT")
        except duckdb.InterruptException as error:
            limit = self._settings.query_timeout_s
            raise QueryTimeout(f"the query ran longer than {limit:g} s") from error
        finally:
            timer.cancel()
            cursor.close()

    def close(self) -> None:
        """Close the connection; the next cursor opens a new one."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

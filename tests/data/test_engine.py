"""The engine sees the lake and nothing else."""

from __future__ import annotations

import duckdb
import pytest

from data.engine import QueryTimeout, Reader, connect
from data.flush import AnotherWriter, Flusher
from tests.conftest import Stores


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO '/tmp/iotsphere-escape.csv'",
        "INSTALL httpfs",
        "SET threads = 64",
        "SET enable_external_access = true",
        "DELETE FROM lake.telemetry",
        "INSERT INTO lake.watermark VALUES (1, 1)",
        "CREATE TABLE lake.mine (x INTEGER)",
    ],
)
def test_reader_refuses_what_is_not_reading(stores: Stores, statement: str) -> None:
    """A web process's connection cannot leave the lake, write or unlock itself."""
    connection = connect(stores.settings, read_only=True)
    with pytest.raises(duckdb.Error):
        connection.execute(statement)
    connection.close()


def test_slow_query_is_interrupted(stores: Stores) -> None:
    """A query over the time limit ends with an error that names the limit."""
    quick = stores.settings.model_copy(update={"query_timeout_s": 0.3})
    reader = Reader(quick)
    endless = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(100000) b"
    with (
        pytest.raises(QueryTimeout, match=r"longer than 0\.3 s"),
        reader.cursor() as cursor,
    ):
        cursor.execute(endless).fetchall()
    with reader.cursor() as cursor:
        assert cursor.execute("SELECT 1").fetchone() == (1,)
    reader.close()


def test_second_writer_is_refused(stores: Stores) -> None:
    """Only one process may write the lake; the second learns who does."""
    first = Flusher(stores.settings, stores.hot)
    with pytest.raises(AnotherWriter, match=r"process \d+ writes this lake already"):
        Flusher(stores.settings, stores.hot)
    first.close()
    Flusher(stores.settings, stores.hot).close()

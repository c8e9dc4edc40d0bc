"""The audit log shows every change made to it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from data.audit_store import AuditStore
from data.session import open_engine, unit_of_work
from data.tables import metadata
from services.access import SYSTEM, Principal, Role
from services.audit import Audit
from services.errors import Forbidden
from tests.conftest import Clock

ROWS = 40


def _filled(path: Path) -> None:
    engine, clock = open_engine(f"sqlite:///{path}"), Clock()
    metadata.create_all(engine)
    log = Audit(AuditStore(engine), clock)
    with unit_of_work(engine) as tx:
        for n in range(ROWS):
            clock.forward(seconds=7)
            log.record(tx, SYSTEM, "device.edit", f"wh-{n}", {"to": n / 7, "é": "°C"})
    engine.dispose()


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A database file with forty lines, made once."""
    path = tmp_path_factory.mktemp("audit") / "audit.db"
    _filled(path)
    return path


@pytest.fixture
def engine(template, tmp_path):
    """A copy of it that a test may spoil."""
    path = shutil.copy(template, tmp_path / "audit.db")
    engine = open_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def log(engine, clock):
    """The log of forty lines."""
    return Audit(AuditStore(engine), clock)


def _tamper(engine, *statements, **values):
    with unit_of_work(engine) as tx:
        for trigger in ("audit_no_update", "audit_no_delete"):
            tx.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))
        for statement in statements:
            tx.execute(text(statement), values)


def test_untouched_log_is_whole(log):
    """A log nobody changed verifies."""
    assert log.verify(SYSTEM) is None


@pytest.mark.parametrize("row", range(1, ROWS + 1))
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET actor = 'eve' WHERE id = :row",
        "UPDATE audit SET action = 'device.read' WHERE id = :row",
        "UPDATE audit SET subject = 'wh-x' WHERE id = :row",
        "UPDATE audit SET detail = '{}' WHERE id = :row",
        "UPDATE audit SET at = '2020-01-01 00:00:00.000000' WHERE id = :row",
        "UPDATE audit SET previous_hash = 'f' WHERE id = :row",
        "UPDATE audit SET hash = 'f' WHERE id = :row",
    ],
)
def test_every_changed_row_is_named(log, engine, row, change):
    """Any column of any row, changed behind our back, is found at that row."""
    _tamper(engine, change, row=row)

    assert log.verify(SYSTEM) == row


@pytest.mark.parametrize("row", range(1, ROWS))
def test_deleted_and_swapped_rows_are_found(log, engine, row):
    """A missing row breaks the chain at the next one, so does a changed order."""
    _tamper(engine, "DELETE FROM audit WHERE id = :row", row=row)
    assert log.verify(SYSTEM) == row + 1
    _tamper(engine, "UPDATE audit SET id = :row WHERE id = :row + 1", row=row)

    assert log.verify(SYSTEM) == row


def test_inserted_row_is_found(log, engine):
    """A row made up at the end does not fit either."""
    _tamper(
        engine,
        "INSERT INTO audit SELECT 41, at, actor, action, subject, detail, hash, 'f' "
        "FROM audit WHERE id = 40",
    )

    assert log.verify(SYSTEM) == 41


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"]
)
def test_database_refuses_changes(log, engine, statement):
    """Our own connection can only add rows."""
    with pytest.raises(DatabaseError, match="append-only"), unit_of_work(engine) as tx:
        tx.execute(text(statement))

    assert log.verify(SYSTEM) is None


def test_line_and_change_are_one_transaction(log, engine):
    """When the change fails its line is gone too, and the chain goes on."""
    with pytest.raises(ZeroDivisionError), unit_of_work(engine) as tx:
        log.record(tx, SYSTEM, "device.edit", "wh-1")
        raise ZeroDivisionError
    with unit_of_work(engine) as tx:
        log.record(tx, None, "session.refuse", "?")

    assert log.verify(SYSTEM) is None
    assert log.lines(SYSTEM, limit=1)[0].actor == "anonymous"


def test_lines_come_newest_first_in_pages(log):
    """The page after id n begins below n; filters are exact."""
    first = log.lines(SYSTEM, limit=30)
    second = log.lines(SYSTEM, limit=30, before=first[-1].id)

    assert [line.id for line in first + second] == list(range(ROWS, 0, -1))
    assert log.lines(SYSTEM, actor="sys") == ()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_only_admins_read_the_log(log, role):
    """Reading and verifying need audit.read."""
    caller = Principal("x", role)
    with pytest.raises(Forbidden):
        log.lines(caller)
    with pytest.raises(Forbidden):
        log.verify(caller)

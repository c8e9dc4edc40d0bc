"""The migrations build exactly the schema the code uses, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from data import migrate
from data.session import open_engine


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """An empty database."""
    if request.param == "sqlite":
        made = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    else:
        made = open_engine(request.getfixturevalue("postgres_url"))
    yield made
    made.dispose()


def test_every_migration_runs_up_and_down(engine: Engine) -> None:
    """Each step up, each step down, and up again leaves the schema of the code."""
    scripts = ScriptDirectory.from_config(migrate._config())
    revisions = [script.revision for script in scripts.walk_revisions()][::-1]
    for revision in revisions:
        migrate.upgrade(engine, revision)
        assert migrate.current(engine) == revision
    assert migrate.differences(engine) == []

    for revision in [*revisions[:-1][::-1], "base"]:
        migrate.downgrade(engine, revision)
    assert inspect(engine).get_table_names() == ["alembic_version"]

    migrate.upgrade(engine)
    assert migrate.differences(engine) == []


def test_there_is_exactly_one_head() -> None:
    """Two branches of migrations can never be merged by accident."""
    assert len(ScriptDirectory.from_config(migrate._config()).get_heads()) == 1


def test_old_and_new_schemas_are_refused(engine: Engine) -> None:
    """A program never runs on a schema it does not know."""
    with pytest.raises(migrate.WrongSchema, match=r"revision none.*db upgrade"):
        migrate.check(engine)
    migrate.upgrade(engine)
    migrate.check(engine)


def test_audit_rows_cannot_be_changed(engine: Engine) -> None:
    """The database itself refuses to update or delete an audit row."""
    migrate.upgrade(engine)
    row = (
        "INSERT INTO audit (id, at, actor, action, subject, detail, previous_hash, "
        "hash) VALUES (1, '2026-01-01', 'a', 'b', 'c', '{}', '0', '1')"
    )
    with engine.begin() as connection:
        connection.exec_driver_sql(row)
    for change in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit"):
        with pytest.raises(Exception, match="append-only"), engine.begin() as tx:
            tx.exec_driver_sql(change)

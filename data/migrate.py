"""Bring the operational database to the schema this code needs, and check it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from data import (  # noqa: F401 - they fill the metadata
    alert_tables,
    model_tables,
    report_tables,
    talk_tables,
)
from data.session import unit_of_work
from data.tables import metadata


class WrongSchema(Exception):
    """The database was made by other code: older, or newer than this."""


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    folder = Path(__file__).with_name("migrations")
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The newest revision this code knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None  # noqa: S101 - the repository holds at least one
    return revision


def current(engine: Engine) -> str | None:
    """The revision the database is at, or ``None`` when it is empty."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the missing migrations in one transaction."""
    with unit_of_work(engine) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Undo migrations down to a revision."""
    with unit_of_work(engine) as connection:
        command.downgrade(_config(connection), revision)


def check(engine: Engine) -> None:
    """Raise ``WrongSchema`` unless the database is at this code's revision."""
    found = current(engine)
    if found != head():
        raise WrongSchema(
            f"the operational database is at revision {found or 'none'}, this program "
            f"needs {head()}: run `python cli.py db upgrade`"
        )


def differences(engine: Engine) -> list[object]:
    """What the migrations leave different from the tables in the code."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        return list(compare_metadata(context, metadata))

"""Alembic's entry: runs the migrations on the connection ``data.migrate`` opened."""

from alembic import context

from data import (  # noqa: F401 - they fill the metadata
    alert_tables,
    model_tables,
    report_tables,
    talk_tables,
)
from data.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()

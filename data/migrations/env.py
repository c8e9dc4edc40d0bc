"""Alembic's entry: runs the migrations on the connection ``data.migrate`` opened."""

from alembic import context

from data.model_tables import models

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=models.metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()

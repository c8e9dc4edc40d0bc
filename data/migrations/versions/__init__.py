"""The operational database's migrations, run by Alembic."""

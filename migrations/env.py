"""Alembic's entry: runs over the connection that `riparian.catalog.migrate` hands in."""

from __future__ import annotations

from alembic import context

from riparian.catalog.models import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",  # SQLite cannot alter most things in place
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()

"""What Alembic runs: the migrations, on the connection that it was given."""

from __future__ import annotations

from alembic import context

from rookery.storage.base import Base

context.configure(
    connection=context.config.attributes["connection"],
    # For the names of constraints alone: a migration says itself what it makes.
    target_metadata=Base.metadata,
    # SQLite cannot change a column; Alembic then makes the table anew.
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()

"""The highest share of memory, and load, of the nodes of each cluster: alarms look for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    with op.batch_alter_table("clusters") as batch:
        batch.add_column(sa.Column("memory_percent", sa.BigInteger()))
        batch.add_column(sa.Column("load", sa.BigInteger()))

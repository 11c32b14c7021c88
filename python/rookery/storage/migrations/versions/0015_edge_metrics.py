"""Figures of edge services over time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "edge_metrics",
        sa.Column(
            "service_id",
            sa.String(16),
            sa.ForeignKey("edge_services.id", ondelete="CASCADE"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("tier", sa.SmallInteger(), primary_key=True),
        sa.Column("at", sa.BigInteger(), primary_key=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_edge_metrics_tier_at", "edge_metrics", ["tier", "at"])

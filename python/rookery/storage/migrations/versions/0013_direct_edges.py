"""Edge services that control reaches at an address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "direct_edges",
        sa.Column(
            "service_id",
            sa.String(16),
            sa.ForeignKey("edge_services.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("agent_id", sa.String(24), nullable=False, unique=True),
        sa.Column("address", sa.String(300), nullable=False),
        sa.Column("username", sa.String(256), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("certificate_sha256", sa.String(64), nullable=False),
        sa.Column("problem", sa.String(700), nullable=False),
        sa.Column("problem_zh", sa.String(700), nullable=False),
    )

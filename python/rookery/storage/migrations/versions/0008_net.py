"""Control processes reach each other; what agents can do; doors to dashboards through the tunnel."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_ID = sa.String(16)
_TIME = sa.BigInteger()


def upgrade() -> None:
    with op.batch_alter_table("processes") as batch:
        for name, length in (("peer_address", 300), ("peer_certificate", 64), ("peer_secret", 64)):
            batch.add_column(sa.Column(name, sa.String(length), nullable=False, server_default=""))
    with op.batch_alter_table("agents") as batch:
        batch.add_column(sa.Column("capabilities", sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "door_ports",
        sa.Column("port", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column(
            "cluster_id",
            _ID,
            sa.ForeignKey("clusters.id", ondelete="CASCADE"),
            nullable=False,
            unique=True,
        ),
        sa.Column("used_at", _TIME, nullable=False),
    )
    op.create_table(
        "door_passes",
        sa.Column("id", _ID, primary_key=True),
        sa.Column(
            "cluster_id",
            _ID,
            sa.ForeignKey("clusters.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column(
            "session_id",
            _ID,
            sa.ForeignKey("sessions.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("code_hash", sa.String(64), unique=True),
        sa.Column("cookie_hash", sa.String(64), unique=True),
        sa.Column("forgets", sa.Boolean(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("until_at", _TIME, nullable=False),
    )
    op.create_index("ix_door_passes_until_at", "door_passes", ["until_at"])
    op.create_index("ix_door_passes_cluster_id", "door_passes", ["cluster_id"])
    op.create_index("ix_door_passes_session_id", "door_passes", ["session_id"])

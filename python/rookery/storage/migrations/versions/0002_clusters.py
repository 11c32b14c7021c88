"""Clusters, their agents, registration tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.String(16)
_TIME = sa.BigInteger()
_NUMBER = sa.BigInteger()


def upgrade() -> None:
    _clusters()
    _agents()


def _clusters() -> None:
    op.create_table(
        "clusters",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("org_id", _ID, sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("project_id", _ID, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("address", sa.String(512), nullable=False),
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("conditions", sa.JSON(), nullable=False),
        sa.Column("check_at", _TIME),
        sa.Column("is_deleting", sa.Boolean(), nullable=False),
        sa.Column("registered_at", _TIME),
        sa.Column("first_reported_at", _TIME),
        sa.Column("adopted_at", _TIME),
        sa.Column("presence", sa.String(16), nullable=False),
        sa.Column("presence_at", _TIME),
        sa.Column("relay_process", _ID),
        sa.Column("reported_at", _TIME),
        sa.Column("report_interval_ms", _NUMBER, nullable=False),
        sa.Column("errors", sa.JSON(), nullable=False),
        sa.Column("clock_skew_ms", _NUMBER, nullable=False),
        sa.Column("round_trip_ms", _NUMBER),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("edition", sa.String(64), nullable=False),
        sa.Column("nodes", sa.JSON(), nullable=False),
        sa.Column("nodes_running", _NUMBER, nullable=False),
        sa.Column("nodes_total", _NUMBER, nullable=False),
        sa.Column("connections", _NUMBER),
        sa.Column("connection_limit", _NUMBER),
        sa.Column("started_at", _TIME),
        sa.Column("rates", sa.JSON(), nullable=False),
        sa.UniqueConstraint("project_id", "name"),
    )
    op.create_index("ix_clusters_org_id", "clusters", ["org_id"])
    op.create_index("ix_clusters_check_at", "clusters", ["check_at"])
    op.create_table(
        "cluster_labels",
        sa.Column(
            "cluster_id", _ID, sa.ForeignKey("clusters.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("label", sa.String(64), primary_key=True),
    )
    op.create_index("ix_cluster_labels_label", "cluster_labels", ["label"])


def _agents() -> None:
    op.create_table(
        "agents",
        sa.Column("id", _ID, primary_key=True),
        sa.Column(
            "cluster_id",
            _ID,
            sa.ForeignKey("clusters.id", ondelete="CASCADE"),
            nullable=False,
            unique=True,
        ),
        sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("node_id", sa.String(128), nullable=False),
        sa.Column("host_name", sa.String(256), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("registered_at", _TIME, nullable=False),
        sa.Column("connected_at", _TIME),
        sa.Column("desired_version", _NUMBER, nullable=False),
        sa.Column("unregister_reason", sa.String(500), nullable=False),
    )
    op.create_table(
        "agent_tombstones",
        sa.Column("agent_id", _ID, primary_key=True),
        sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
    )
    op.create_index("ix_agent_tombstones_expires_at", "agent_tombstones", ["expires_at"])
    op.create_table(
        "registration_tokens",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column(
            "cluster_id", _ID, sa.ForeignKey("clusters.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("replaces", sa.Boolean(), nullable=False),
        sa.Column("used_at", _TIME),
        sa.Column("revoked_at", _TIME),
        sa.Column("downloaded_at", _TIME),
    )
    op.create_index(
        "ix_registration_tokens_cluster_id_at", "registration_tokens", ["cluster_id", "created_at"]
    )

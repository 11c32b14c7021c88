"""Figures of clusters over time, what runs in them, what happened to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_ID = sa.String(16)
_TIME = sa.BigInteger()
_NUMBER = sa.BigInteger()


def upgrade() -> None:
    op.add_column("clusters", sa.Column("connections_total", _NUMBER))
    op.add_column(
        "clusters", sa.Column("integrations", sa.JSON(), nullable=False, server_default="{}")
    )
    op.add_column(
        "clusters",
        sa.Column("integrations_digest", _NUMBER, nullable=False, server_default="0"),
    )
    _integrations()
    _metrics()
    _events()


def _cluster(*, is_key: bool = False) -> sa.Column[str]:
    return sa.Column(
        "cluster_id",
        _ID,
        sa.ForeignKey("clusters.id", ondelete="CASCADE"),
        primary_key=is_key,
        nullable=False,
    )


def _integrations() -> None:
    op.create_table(
        "integrations",
        _cluster(is_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("object_id", sa.String(300), primary_key=True),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("is_abnormal", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
    )


def _metrics() -> None:
    op.create_table(
        "cluster_metrics",
        _cluster(is_key=True),
        sa.Column("tier", sa.SmallInteger(), primary_key=True),
        sa.Column("at", _TIME, primary_key=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_cluster_metrics_tier_at", "cluster_metrics", ["tier", "at"])
    op.create_table(
        "metric_marks",
        sa.Column("tier", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("rolled_until", _TIME, nullable=False),
    )


def _events() -> None:
    op.create_table(
        "cluster_events",
        sa.Column(
            "id",
            _NUMBER.with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        _cluster(),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(256), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
    )
    op.create_index("ix_cluster_events_cluster_id_at", "cluster_events", ["cluster_id", "at"])

"""Configuration for edge services: templates, deliveries, what each is to have and says that it has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_ID = sa.String(16)
_TIME = sa.BigInteger()


def _belongs(name: str, table: str) -> sa.Column[str]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, _ID, key, nullable=False)


def _key(name: str, table: str) -> sa.Column[str]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, _ID, key, primary_key=True)


def upgrade() -> None:
    with op.batch_alter_table("edge_agents") as batch:
        batch.add_column(sa.Column("deliveries", sa.JSON()))
    op.create_table(
        "edge_templates",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("org_id", _ID, nullable=False),
        _belongs("project_id", "projects"),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("description", sa.String(1000), nullable=False),
        sa.Column("newest", _TIME, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.UniqueConstraint("project_id", "name"),
    )
    op.create_table(
        "edge_template_versions",
        _key("template_id", "edge_templates"),
        sa.Column("number", _TIME, primary_key=True, autoincrement=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("created_by", sa.String(254), nullable=False),
    )
    _deliveries()


def _deliveries() -> None:
    op.create_table(
        "edge_deliveries",
        sa.Column("id", _ID, primary_key=True),
        _belongs("project_id", "projects"),
        _belongs("template_id", "edge_templates"),
        sa.Column("number", _TIME, nullable=False),
        sa.Column("rollback_of", _ID),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("wave_size", _TIME, nullable=False),
        sa.Column("failures_max", _TIME),
        sa.Column("deadline_s", _TIME, nullable=False),
        sa.Column("wave", _TIME, nullable=False),
        sa.Column("wave_at", _TIME),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("created_by", sa.String(254), nullable=False),
        sa.Column("ended_at", _TIME),
        sa.Column("claimed_by", _ID),
        sa.Column("claimed_until", _TIME, nullable=False),
    )
    op.create_index("ix_edge_deliveries_project_id", "edge_deliveries", ["project_id"])
    op.create_index("ix_edge_deliveries_state", "edge_deliveries", ["state"])
    op.create_table(
        "edge_delivery_targets",
        _key("delivery_id", "edge_deliveries"),
        sa.Column("service_id", _ID, primary_key=True),
        sa.Column("service_name", sa.String(200), nullable=False),
        sa.Column("wave", _TIME, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("message", sa.String(1000), nullable=False),
        sa.Column("message_zh", sa.String(1000), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("ended_at", _TIME),
    )
    op.create_table(
        "edge_desired",
        _key("template_id", "edge_templates"),
        _key("service_id", "edge_services"),
        sa.Column("number", _TIME, nullable=False),
        sa.Column("delivery_id", _ID, nullable=False),
        sa.Column("delivered_at", _TIME, nullable=False),
    )

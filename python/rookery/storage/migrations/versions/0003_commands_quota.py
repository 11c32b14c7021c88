"""Commands, connection quota."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.String(16)
_TIME = sa.BigInteger()
_NUMBER = sa.BigInteger()


def upgrade() -> None:
    _commands()
    _limits_of_clusters()
    _quotas()


def _commands() -> None:
    op.create_table(
        "commands",
        sa.Column("id", _ID, primary_key=True),
        sa.Column(
            "cluster_id", _ID, sa.ForeignKey("clusters.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("agent_id", _ID, nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(330), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", _NUMBER, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("created_by", sa.String(254), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("not_before", _TIME, nullable=False),
        sa.Column("sent_at", _TIME),
        sa.Column("acknowledged_at", _TIME),
        sa.Column("started_at", _TIME),
        sa.Column("finished_at", _TIME),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("text", sa.String(1024), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
    )
    op.create_index("ix_commands_cluster_id_at", "commands", ["cluster_id", "created_at"])
    op.create_index("ix_commands_state", "commands", ["state"])


def _limits_of_clusters() -> None:
    op.add_column(
        "clusters", sa.Column("vacancies", _NUMBER, nullable=False, server_default=sa.text("0"))
    )
    op.add_column("clusters", sa.Column("limit_setting", _NUMBER))
    op.add_column("clusters", sa.Column("is_limit_settable", sa.Boolean()))


def _quotas() -> None:
    op.create_table(
        "quotas",
        sa.Column(
            "cluster_id", _ID, sa.ForeignKey("clusters.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("vacancies", _NUMBER, nullable=False),
        sa.Column("limit", _NUMBER),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("command_id", _ID),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("text", sa.String(1024), nullable=False),
        sa.Column("asserted_at", _TIME, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.Column("changed_by", sa.String(254), nullable=False),
    )
    # What was adopted before there was a quota keeps the limit that it has.
    op.execute(
        'INSERT INTO quotas (cluster_id, vacancies, "limit", state, command_id, code, text,'
        " asserted_at, changed_at, changed_by)"
        " SELECT id, 0, NULL, 'unmanaged', NULL, '', '', 0, created_at, ''"
        " FROM clusters WHERE registered_at IS NOT NULL"
    )

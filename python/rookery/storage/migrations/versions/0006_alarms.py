"""Alarms: settings, rules, checks, the alarms themselves, and pushes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ID = sa.String(16)
_TIME = sa.BigInteger()
_NUMBER = sa.BigInteger()
_EMAIL = sa.String(254)


def upgrade() -> None:
    _rules()
    _alarms()
    _times()
    _channels()
    _deliveries()


def _project(*, is_key: bool = False) -> sa.Column[str]:
    return sa.Column(
        "project_id",
        _ID,
        sa.ForeignKey("projects.id", ondelete="CASCADE"),
        nullable=False,
        primary_key=is_key,
    )


def _rules() -> None:
    op.create_table(
        "alarm_settings",
        _project(is_key=True),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("only_critical", sa.Boolean(), nullable=False),
        sa.Column("tells_recovery", sa.Boolean(), nullable=False),
        sa.Column("silence_ms", _NUMBER, nullable=False),
        sa.Column("silence_object", sa.String(16), nullable=False),
        sa.Column("storm_alarms", _NUMBER, nullable=False),
        sa.Column("storm_ms", _NUMBER, nullable=False),
        sa.Column("storm_at", _TIME),
        sa.Column("history_days", _NUMBER, nullable=False),
        sa.Column("is_custom_enabled", sa.Boolean(), nullable=False),
        sa.Column("custom_hash", sa.String(64), unique=True),
        sa.Column("mail", sa.JSON(), nullable=False),
        sa.Column("mail_password", sa.Text(), nullable=False),
    )
    op.create_table(
        "alarm_rules",
        _project(is_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("triggers", _NUMBER, nullable=False),
        sa.Column("recoveries", _NUMBER, nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("threshold", _NUMBER),
    )
    op.create_table(
        "alarm_checks",
        _project(is_key=True),
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("cluster_id", _ID),
        sa.Column("bad", _NUMBER, nullable=False),
        sa.Column("good", _NUMBER, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
    )
    op.create_index("ix_alarm_checks_cluster_id", "alarm_checks", ["cluster_id"])


def _alarms() -> None:
    op.create_table(
        "alarms",
        sa.Column("id", _ID, primary_key=True),
        _project(),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("resource_type", sa.String(16), nullable=False),
        sa.Column("resource_id", _ID, nullable=False),
        sa.Column("resource_name", sa.String(200), nullable=False),
        sa.Column("tag", sa.String(64), nullable=False),
        sa.Column("message", sa.String(1000), nullable=False),
        sa.Column("message_zh", sa.String(1000), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("occurrences", _NUMBER, nullable=False),
        sa.Column("starts_at", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("ends_at", _TIME),
        sa.Column("end_reason", sa.String(16), nullable=False),
        sa.Column("ended_by", _EMAIL, nullable=False),
        sa.Column("acknowledged_at", _TIME),
        sa.Column("acknowledged_by", _EMAIL, nullable=False),
        sa.Column("assignee_id", _ID),
        sa.Column("assignee_name", _EMAIL, nullable=False),
        sa.Column("pushed_at", _TIME),
        sa.Column("push_due_at", _TIME),
    )
    op.create_index("ix_alarms_project_id_ends_at", "alarms", ["project_id", "ends_at"])
    op.create_index("ix_alarms_project_id_starts_at", "alarms", ["project_id", "starts_at"])
    op.create_index("ix_alarms_project_id_key", "alarms", ["project_id", "key"])
    op.create_index("ix_alarms_push_due_at", "alarms", ["push_due_at"])
    op.create_table(
        "alarm_comments",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("alarm_id", _ID, sa.ForeignKey("alarms.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("author", _EMAIL, nullable=False),
        sa.Column("text", sa.String(1000), nullable=False),
    )
    op.create_index("ix_alarm_comments_alarm_id", "alarm_comments", ["alarm_id"])


def _times() -> None:
    op.create_table(
        "alarm_windows",
        sa.Column("id", _ID, primary_key=True),
        _project(),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("starts_at", _TIME, nullable=False),
        sa.Column("ends_at", _TIME, nullable=False),
        sa.Column("repeat", sa.String(16), nullable=False),
        sa.Column("clusters", sa.JSON(), nullable=False),
        sa.Column("created_by", _EMAIL, nullable=False),
        sa.UniqueConstraint("project_id", "name"),
    )
    op.create_table(
        "alarm_silences",
        _project(is_key=True),
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("until", _TIME, nullable=False),
    )
    op.create_index("ix_alarm_silences_until", "alarm_silences", ["until"])


def _channels() -> None:
    op.create_table(
        "alarm_channels",
        sa.Column("id", _ID, primary_key=True),
        _project(),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("pushes_clusters", sa.Boolean(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("recipients", sa.JSON(), nullable=False),
        sa.Column("webhook_kind", sa.String(16), nullable=False),
        sa.Column("webhook_url", sa.Text(), nullable=False),
        sa.Column("webhook_host", sa.String(300), nullable=False),
        sa.Column("webhook_headers", sa.Text(), nullable=False),
        sa.Column("webhook_header_names", sa.JSON(), nullable=False),
        sa.Column("webhook_secret", sa.Text(), nullable=False),
        sa.Column("webhook_template", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.UniqueConstraint("project_id", "name"),
    )
    op.create_table(
        "alarm_lanes",
        sa.Column(
            "channel_id",
            _ID,
            sa.ForeignKey("alarm_channels.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("medium", sa.String(16), primary_key=True),
        sa.Column("quiet_until", _TIME, nullable=False),
        sa.Column("claimed_by", _ID),
        sa.Column("claimed_until", _TIME, nullable=False),
    )


def _deliveries() -> None:
    op.create_table(
        "alarm_deliveries",
        sa.Column("id", _ID, primary_key=True),
        _project(),
        sa.Column("channel_id", _ID, nullable=False),
        sa.Column("channel_name", sa.String(50), nullable=False),
        sa.Column("medium", sa.String(16), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("alarm_id", _ID),
        sa.Column("order", _NUMBER, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("attempts", _NUMBER, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("finished_at", _TIME),
        sa.Column("status", _NUMBER),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.Column("reason_zh", sa.String(1000), nullable=False),
        sa.Column("duration_ms", _NUMBER),
    )
    op.create_index("ix_alarm_deliveries_state_due_at", "alarm_deliveries", ["state", "due_at"])
    op.create_index(
        "ix_alarm_deliveries_project_id_created_at",
        "alarm_deliveries",
        ["project_id", "created_at"],
    )
    op.create_index("ix_alarm_deliveries_channel_id", "alarm_deliveries", ["channel_id"])
    op.create_index("ix_alarm_deliveries_alarm_id", "alarm_deliveries", ["alarm_id"])

"""Edge services: who dialed in, what was adopted, their alarms and doors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_ID = sa.String(16)
_AGENT = sa.String(24)
_TIME = sa.BigInteger()
_COUNTS = tuple(
    f"{kind}_{count}" for kind in ("drivers", "apps") for count in ("total", "running", "abnormal")
)


def upgrade() -> None:
    _agents()
    _services()
    with op.batch_alter_table("alarm_checks") as batch:
        batch.add_column(sa.Column("edge_id", _ID))
    op.create_index("ix_alarm_checks_edge_id", "alarm_checks", ["edge_id"])
    for table in ("door_ports", "door_passes"):
        with op.batch_alter_table(table) as batch:
            batch.alter_column("cluster_id", existing_type=_ID, nullable=True)
            batch.add_column(sa.Column("edge_id", _ID))
            batch.create_foreign_key(
                f"fk_{table}_edge_id_edge_services",
                "edge_services",
                ["edge_id"],
                ["id"],
                ondelete="CASCADE",
            )
            if table == "door_ports":
                batch.create_unique_constraint("uq_door_ports_edge_id", ["edge_id"])
    op.create_index("ix_door_passes_edge_id", "door_passes", ["edge_id"])


def _agents() -> None:
    op.create_table(
        "edge_agents",
        sa.Column("id", _AGENT, primary_key=True),
        sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("register_id", sa.String(64), nullable=False),
        sa.Column("description", sa.String(256), nullable=False),
        sa.Column("host_name", sa.String(256), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("desired_version", _TIME, nullable=False),
        sa.Column("enrolled_at", _TIME, nullable=False),
        sa.Column("removed_at", _TIME),
        sa.Column("left_at", _TIME),
        sa.Column("presence", sa.String(16), nullable=False),
        sa.Column("presence_at", _TIME),
        sa.Column("relay_process", _ID),
        sa.Column("reported_at", _TIME),
        sa.Column("boot_id", sa.String(64), nullable=False),
        sa.Column("started_at", _TIME),
        sa.Column("restarted_at", _TIME),
        *(sa.Column(name, _TIME, nullable=False) for name in _COUNTS),
        sa.Column("tags", _TIME, nullable=False),
        sa.Column("nodes", sa.JSON(), nullable=False),
        sa.Column("nodes_left_out", _TIME, nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("clock_skew_ms", _TIME, nullable=False),
    )
    op.create_index("ix_edge_agents_state", "edge_agents", ["state"])


def _services() -> None:
    op.create_table(
        "edge_services",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("org_id", _ID, sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("project_id", _ID, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("agent_id", _AGENT, sa.ForeignKey("edge_agents.id"), unique=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.UniqueConstraint("project_id", "name"),
    )
    op.create_index("ix_edge_services_org_id", "edge_services", ["org_id"])
    op.create_table(
        "edge_service_labels",
        sa.Column(
            "service_id",
            _ID,
            sa.ForeignKey("edge_services.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("label", sa.String(64), primary_key=True),
    )
    op.create_index("ix_edge_service_labels_label", "edge_service_labels", ["label"])

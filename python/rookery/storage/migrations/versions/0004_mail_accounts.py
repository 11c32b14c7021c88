"""Mail that waits; invitations, links for a forgotten password, second factors, accounts elsewhere."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ID = sa.String(16)
_TIME = sa.BigInteger()


def upgrade() -> None:
    _mail()
    _users()
    _links()
    _second_factors()
    _oidc()


def _oidc() -> None:
    op.create_table(
        "oidc_attempts",
        sa.Column("state_hash", sa.String(64), primary_key=True),
        sa.Column("binding_hash", sa.String(64), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
    )
    op.create_index("ix_oidc_attempts_expires_at", "oidc_attempts", ["expires_at"])
    op.create_table(
        "oidc_identities",
        sa.Column("id", _ID, primary_key=True),
        _user(),
        sa.Column("issuer", sa.String(512), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.UniqueConstraint("issuer", "subject"),
    )
    op.create_index("ix_oidc_identities_user_id", "oidc_identities", ["user_id"])


def _users() -> None:
    op.add_column("users", sa.Column("password_changed_at", _TIME))
    op.add_column(
        "users",
        sa.Column("must_change_password", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "sessions", sa.Column("provider", sa.String(16), nullable=False, server_default="")
    )
    op.create_table(
        "passwords_before",
        sa.Column("id", _ID, primary_key=True),
        _user(),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
    )
    op.create_index("ix_passwords_before_user_id", "passwords_before", ["user_id"])


def _links() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("org_id", _ID, sa.ForeignKey("organizations.id", ondelete="CASCADE")),
        sa.Column("org_role", sa.String(16)),
        sa.Column("project_id", _ID, sa.ForeignKey("projects.id", ondelete="CASCADE")),
        sa.Column("project_role", sa.String(16)),
        sa.Column("inviter_name", sa.String(254), nullable=False),
        sa.Column("is_mailed", sa.Boolean(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
    )
    for name in ("email", "org_id", "expires_at"):
        op.create_index(f"ix_invitations_{name}", "invitations", [name])
    op.create_table(
        "password_resets",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        _user(),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
    )
    for name in ("user_id", "expires_at"):
        op.create_index(f"ix_password_resets_{name}", "password_resets", [name])


def _second_factors() -> None:
    op.create_table(
        "second_factors",
        sa.Column("user_id", _ID, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("secret", sa.String(255), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("confirmed_at", _TIME),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", _ID, primary_key=True),
        _user(),
        sa.Column("code_hash", sa.String(64), nullable=False),
    )
    op.create_index("ix_recovery_codes_user_id", "recovery_codes", ["user_id"])


def _user() -> sa.Column[str]:
    return sa.Column("user_id", _ID, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False)


def _mail() -> None:
    op.create_table(
        "mail_outbox",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("until_at", _TIME, nullable=False),
        sa.Column("next_at", _TIME, nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.String(500), nullable=False),
    )
    op.create_index("ix_mail_outbox_next_at", "mail_outbox", ["next_at"])

"""Whose address an account has is proven, or is not; which links prove it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    with op.batch_alter_table("users") as batch:
        batch.add_column(sa.Column("proven_at", sa.BigInteger()))
    # Administrators of the system were made by one, and a provider verified the address of who is bound to it.
    op.execute(
        "UPDATE users SET proven_at = created_at"
        " WHERE is_admin OR id IN (SELECT user_id FROM oidc_identities)"
    )
    with op.batch_alter_table("invitations") as batch:
        batch.add_column(
            sa.Column("is_proof", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    op.execute("UPDATE invitations SET is_proof = is_mailed")

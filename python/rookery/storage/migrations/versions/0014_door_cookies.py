"""What a cluster's pages keep in cookies, for one visit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("door_passes", sa.Column("jar", sa.Text(), nullable=True))

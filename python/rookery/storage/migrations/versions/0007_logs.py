"""Logs of clusters, in PostgreSQL alone: with SQLite they have files of their own.

The table is not among those that a backup holds, and may be there when one is restored.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

_TABLE = """
CREATE TABLE IF NOT EXISTS log_records (
  day integer NOT NULL, id bigint NOT NULL, time bigint NOT NULL, severity smallint NOT NULL,
  cluster_id varchar(16) NOT NULL, agent_id varchar(16) NOT NULL, stream varchar(64) NOT NULL,
  position bigint NOT NULL, node varchar(256) NOT NULL, file varchar(256) NOT NULL,
  logger varchar(128) NOT NULL, msg text NOT NULL, raw text NOT NULL, terms tsvector NOT NULL,
  PRIMARY KEY (day, id), UNIQUE (agent_id, stream, position, day)
) PARTITION BY LIST (day)
"""
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS ix_log_records_cluster ON log_records (cluster_id, time, id)",
    "CREATE INDEX IF NOT EXISTS ix_log_records_time ON log_records (time, id)",
    "CREATE INDEX IF NOT EXISTS ix_log_records_terms ON log_records USING gin (terms)",
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(_TABLE)
    op.execute("CREATE SEQUENCE IF NOT EXISTS log_records_id_seq AS bigint")
    for index in _INDEXES:
        op.execute(index)

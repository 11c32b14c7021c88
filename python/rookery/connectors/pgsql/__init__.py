"""PostgreSQL: an action runs a statement for every result of a rule."""

from __future__ import annotations

from typing import Any

from rookery.access.databases.settings import missing_package
from rookery.access.errors import Words
from rookery.connectors.base import Connector, ConnectorType, Context
from rookery.connectors.pgsql.settings import PgsqlActionSettings, PgsqlConnectorSettings
from rookery.connectors.pgsql.texts_zh import TEXTS


def _open(
    settings: PgsqlConnectorSettings, context: Context
) -> Connector[PgsqlActionSettings, Any]:
    try:
        from rookery.connectors.pgsql.connector import PgsqlConnector  # noqa: PLC0415 - an extra
    except ImportError:
        raise missing_package(context.id, "asyncpg", "postgres") from None
    return PgsqlConnector(settings, context)


TYPE = ConnectorType(
    name="pgsql",
    title=Words("PostgreSQL", "PostgreSQL 数据库"),
    about=Words(
        "Runs a statement in a PostgreSQL database for every result.",
        "为每条结果在 PostgreSQL 数据库中执行一条语句。",
    ),
    extra="postgres",
    packages=("asyncpg",),
    connector_settings=PgsqlConnectorSettings,
    action_settings=PgsqlActionSettings,
    texts_zh=TEXTS,
    open=_open,
)

"""Redis: an action runs a command for every result of a rule."""

from __future__ import annotations

from typing import Any

from rookery.access.databases.settings import missing_package
from rookery.access.errors import Words
from rookery.connectors.base import Connector, ConnectorType, Context
from rookery.connectors.redis.settings import RedisActionSettings, RedisConnectorSettings
from rookery.connectors.redis.texts_zh import TEXTS


def _open(
    settings: RedisConnectorSettings, context: Context
) -> Connector[RedisActionSettings, Any]:
    try:
        from rookery.connectors.redis.connector import RedisConnector  # noqa: PLC0415 - an extra
    except ImportError:
        raise missing_package(context.id, "redis", "redis") from None
    return RedisConnector(settings, context)


TYPE = ConnectorType(
    name="redis",
    title=Words("Redis", "Redis 数据库"),
    about=Words("Runs a command on Redis for every result.", "为每条结果在 Redis 上执行一条命令。"),
    extra="redis",
    packages=("redis",),
    connector_settings=RedisConnectorSettings,
    action_settings=RedisActionSettings,
    texts_zh=TEXTS,
    open=_open,
)

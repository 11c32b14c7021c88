"""Connections to a deployment of Redis, for all actions on it."""

from __future__ import annotations

from typing import Any

from rookery.access.databases.redis_connections import RedisConnections, RedisPlace
from rookery.access.databases.redis_errors import CLIENT_ERRORS, words_of
from rookery.access.errors import SettingError, Words
from rookery.connectors.base import Action, Connector, Context, Unhealthy
from rookery.connectors.redis.action import RedisAction
from rookery.connectors.redis.settings import (
    RedisActionSettings,
    RedisCluster,
    RedisConnectorSettings,
    RedisSingle,
)

CONNECT_S = 5.0
ANSWER_S = 10.0
_STOPPED = Words("the connector is stopped", "连接器已停止")


class RedisConnector(Connector[RedisActionSettings, Any]):
    """A pool."""

    def __init__(self, settings: RedisConnectorSettings, context: Context) -> None:
        """Check the addresses.

        Raises:
            SettingError: one is none, or the client library is missing.
        """
        self._connections = RedisConnections(_place(settings), context.id)

    async def start(self) -> None:
        await self.stop()
        try:
            await self._connections.start()
        except SettingError as error:  # a certificate file
            raise Unhealthy(error.words) from error
        try:
            await self.check()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        await self._connections.stop()

    async def check(self) -> None:
        client = self._connections.client
        if client is None:
            raise Unhealthy(_STOPPED)
        try:
            await client.execute_command("PING")
        except CLIENT_ERRORS as error:
            raise Unhealthy(words_of(error, self._connections.place)) from error

    def open_action(self, settings: RedisActionSettings) -> Action:
        return RedisAction(settings, self._connections)


def _place(settings: RedisConnectorSettings) -> RedisPlace:
    found = settings.parameters
    where: dict[str, Any]
    if isinstance(found, RedisSingle):
        where = {"server": found.server, "database": found.database}
    elif isinstance(found, RedisCluster):
        where = {"servers": found.servers}
    else:
        where = {
            "servers": found.servers,
            "sentinel": found.sentinel,
            "database": found.database,
        }
    return RedisPlace(
        redis_type=found.redis_type,
        username=found.username,
        password=found.password,
        pool_size=found.pool_size,
        # For checks: they must not wait behind what is sent, or a Redis that is only busy would
        # count as gone.
        reserved=1,
        connect_timeout_s=CONNECT_S,
        request_timeout_s=ANSWER_S,
        ssl=settings.ssl.client_tls(),
        # What was sent may have been done. Whether it is sent again, the runner decides.
        resend_max=0,
        **where,
    )

"""A command to Redis. Words of the command are taken apart before values are put in."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from dataclasses import dataclass

from rookery.access.databases.redis_connections import RedisConnections, RedisPlace
from rookery.access.errors import BackendError, SettingError, Words
from rookery.access.guard import Guard
from rookery.access.templates import Template, Variables
from rookery.clock import Clock

_OTHER_TYPE = "WRONGTYPE"  # how Redis says that a key holds something else than a hash

_BAD_COMMAND = Words(
    "{where}.cmd: must be one of {allowed}, a key and fields",
    "{where}.cmd：应为 {allowed} 之一，后跟键和字段",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisSettings(RedisPlace):
    """``backend = redis``.

    Attributes:
        cmd: With placeholders.
    """

    cmd: str


class RedisService:
    """Connections and one command. Belongs to one event loop from :meth:`start` on."""

    def __init__(
        self,
        settings: RedisSettings,
        clock: Clock,
        *,
        known: Collection[str],
        commands: Collection[str],
        where: str,
    ) -> None:
        """Take the command apart; ``commands`` are those that make sense here.

        Raises:
            SettingError: the command makes no sense, a server is missing, or the package is.
        """
        self._settings = settings
        self._where = where
        try:
            words = shlex.split(settings.cmd)
        except ValueError:
            words = []
        allowed = ", ".join(sorted(commands))
        if len(words) < 2 or words[0].upper() not in commands:
            raise SettingError(_BAD_COMMAND.format(where=where, allowed=allowed))
        self.command = words[0].upper()
        if len(words) < 3 and self.command != "HGETALL":
            raise SettingError(_BAD_COMMAND.format(where=where, allowed=allowed))
        self.fields = tuple(words[2:])
        self._key = Template(words[1], known=known, where=f"{where}.cmd")
        self.guard = Guard(settings.guard(), clock)
        self._connections = RedisConnections(settings, where)

    async def start(self) -> None:
        """Make the pool; a connection is made by the first question.

        Raises:
            SettingError: a certificate file cannot be used.
        """
        await self._connections.start()

    async def stop(self) -> None:
        """Close every connection. May be called twice."""
        await self._connections.stop()

    async def record(self, variables: Variables) -> dict[str, bytes]:
        """Put the command with these values: the fields that there are.

        Raises:
            MissingValueError: the client has no value for a placeholder of the key.
            BusyError: too many questions are under way.
            OpenError: Redis is left alone at the moment.
            TimeoutError: no answer in time.
            BackendError: Redis cannot be asked, or refuses the command.
        """
        # Without a value the key would be another one, which may exist.
        key = self._key.render(variables, missing=None)
        return await self.guard.run(lambda: self._ask(key))

    async def _ask(self, key: str) -> dict[str, bytes]:
        from redis.exceptions import (  # noqa: PLC0415
            RedisClusterException,
            RedisError,
            ResponseError,
        )

        redis = self._connections.client
        if redis is None:
            raise BackendError("the provider is stopped")
        try:
            async with self._connections.places:
                answer = await redis.execute_command(self.command, key, *self.fields)
        except (RedisError, RedisClusterException, OSError) as error:
            if isinstance(error, ResponseError) and str(error).startswith(_OTHER_TYPE):
                # The client chose the key: it must not make Redis count as failed.
                return {}
            raise BackendError(f"Redis cannot be asked: {type(error).__name__}") from None
        if isinstance(answer, dict):
            return {_text(name): value for name, value in answer.items()}
        values = answer if isinstance(answer, list) else [answer]
        pairs = zip(self.fields, values, strict=False)
        return {name: value for name, value in pairs if value is not None}


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")

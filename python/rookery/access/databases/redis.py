"""A command to Redis. Words of the command are taken apart before values are put in."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from rookery.access.databases.redis_connections import RedisConnections, RedisPlace
from rookery.access.errors import STOPPED, BackendError, SettingError, Words
from rookery.access.guard import Guard
from rookery.access.reasons import no_answer, no_tls
from rookery.access.templates import Template, Variables
from rookery.clock import Clock

_OTHER_TYPE = "WRONGTYPE"  # how Redis says that a key holds something else than a hash

# Of the time that a look has; the rest is for finding out why it failed.
_LOOK_SHARE = 0.6

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
        self._connections = RedisConnections(settings, where)
        late = no_answer(self._connections.place, settings.request_timeout_s)
        self.guard = Guard(settings.guard(), clock, late=late)

    async def start(self) -> None:
        """Make the pool; a connection is made by the first question.

        Raises:
            SettingError: a certificate file cannot be used.
        """
        await self._connections.start()

    async def stop(self) -> None:
        """Close every connection. May be called twice."""
        await self._connections.stop()

    async def look(self) -> None:
        """Sign in, and have an answer of Redis.

        Raises:
            TimeoutError: there is none in time.
            BackendError: it cannot be asked.
        """
        try:
            # A Redis without TLS waits for the end of the line that a handshake is to it.
            async with asyncio.timeout(self.guard.settings.deadline_s * _LOOK_SHARE):
                await self._run("PING")
        except (BackendError, TimeoutError):
            if (address := await self._connections.without_tls()) is not None:
                raise BackendError(no_tls(address)) from None
            raise

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
        answer = await self._run(self.command, key, *self.fields)
        if isinstance(answer, dict):
            return {_text(name): value for name, value in answer.items()}
        values = answer if isinstance(answer, list) else [answer]
        pairs = zip(self.fields, values, strict=False)
        return {name: value for name, value in pairs if value is not None}

    async def _run(self, *command: str) -> Any:
        from redis.exceptions import ResponseError  # noqa: PLC0415

        from rookery.access.databases.redis_errors import (  # noqa: PLC0415
            CLIENT_ERRORS,
            words_of,
        )

        redis = self._connections.client
        if redis is None:
            raise BackendError(STOPPED)
        try:
            async with self._connections.places:
                return await redis.execute_command(*command)
        except CLIENT_ERRORS as error:
            if isinstance(error, ResponseError) and str(error).startswith(_OTHER_TYPE):
                # The client chose the key: it must not make Redis count as failed.
                return {}
            raise BackendError(words_of(error, self._connections.place)) from None


def _text(name: bytes | str) -> str:
    return name if isinstance(name, str) else name.decode("utf-8", "replace")

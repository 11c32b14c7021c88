"""``password_based:redis``: users in hashes of the operator's Redis."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from rookery.access.authn.asking import ask
from rookery.access.authn.selected import opinion_of
from rookery.access.chain import OnError
from rookery.access.databases.redis import RedisService, RedisSettings
from rookery.access.errors import SettingError, Words
from rookery.access.passwords.algorithms import HashSettings
from rookery.access.passwords.verifier import Verifier
from rookery.access.request import VARIABLES, AuthRequest
from rookery.access.seldom import SeldomLog
from rookery.access.verdict import Ignore, Opinion
from rookery.clock import Clock

COMMANDS = frozenset({"HGET", "HMGET", "HGETALL"})

_NO_PASSWORD = Words(
    "password_based:redis.cmd: one of the fields must be password_hash",
    "password_based:redis.cmd：字段中应包含 password_hash",
)

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAuthnSettings:
    """``mechanism = password_based, backend = redis``.

    Attributes:
        redis: The server and the command, which gets ``password_hash`` and perhaps ``salt`` and
            ``is_superuser``.
        password_hash_algorithm: How the hashes were made.
        on_error: What it means that Redis does not answer.
    """

    redis: RedisSettings
    password_hash_algorithm: HashSettings = field(
        default_factory=lambda: HashSettings(name="sha256")
    )
    on_error: OnError = "ignore"


class RedisProvider:
    """Asks Redis for the stored password."""

    id = "password_based:redis"
    methods: tuple[str, ...] = ()

    def __init__(self, settings: RedisAuthnSettings, verifier: Verifier, clock: Clock) -> None:
        self._settings = settings
        self._verifier = verifier
        self._log = SeldomLog(_logger, clock)
        self.service = RedisService(
            settings.redis, clock, known=VARIABLES, commands=COMMANDS, where=self.id
        )
        fields = self.service.fields
        if fields and not {"password_hash", "password"}.intersection(fields):
            raise SettingError(_NO_PASSWORD)

    async def start(self) -> None:
        await self.service.start()

    async def stop(self) -> None:
        await self.service.stop()

    async def authenticate(self, request: AuthRequest) -> Opinion:
        async def question() -> Opinion:
            record = await self.service.record(request.variable)
            if not record:
                return Ignore("there is no such key")
            return await opinion_of(
                record,
                request.password,
                settings=self._settings.password_hash_algorithm,
                verifier=self._verifier,
                log=self._log,
                provider=self.id,
            )

        return await ask(self.id, self._settings.on_error, self._log, question)

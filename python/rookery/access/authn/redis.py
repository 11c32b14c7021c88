"""``password_based:redis``: users in hashes of the operator's Redis."""

from __future__ import annotations

from dataclasses import dataclass, field

from rookery.access.authn.asking import ServiceProvider
from rookery.access.authn.selected import SelectedPasswords
from rookery.access.chain import OnError
from rookery.access.databases.redis import RedisService, RedisSettings
from rookery.access.errors import SettingError, Words
from rookery.access.passwords.algorithms import HashSettings
from rookery.access.passwords.verifier import Verifier
from rookery.access.request import VARIABLES, AuthRequest
from rookery.access.verdict import Ignore, Opinion
from rookery.clock import Clock

COMMANDS = frozenset({"HGET", "HMGET", "HGETALL"})

_NO_PASSWORD = Words(
    "password_based:redis.cmd: one of the fields must be password_hash",
    "password_based:redis.cmd：字段中应包含 password_hash",
)


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


class RedisProvider(ServiceProvider[RedisService]):
    """Asks Redis for the stored password."""

    id = "password_based:redis"

    def __init__(self, settings: RedisAuthnSettings, verifier: Verifier, clock: Clock) -> None:
        service = RedisService(
            settings.redis, clock, known=VARIABLES, commands=COMMANDS, where=self.id
        )
        super().__init__(service, clock, settings.on_error)
        self._passwords = SelectedPasswords(settings.password_hash_algorithm, verifier)
        fields = self.service.fields
        if fields and not {"password_hash", "password"}.intersection(fields):
            raise SettingError(_NO_PASSWORD)

    async def _question(self, request: AuthRequest) -> Opinion:
        record = await self.service.record(request.variable)
        if not record:
            return Ignore("there is no such key")
        return await self._passwords.opinion_of(self.id, record, request.password, self.log)

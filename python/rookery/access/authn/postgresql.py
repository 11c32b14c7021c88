"""``password_based:postgresql``: users in a table of the operator."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from rookery.access.authn.asking import ask
from rookery.access.authn.selected import opinion_of
from rookery.access.chain import OnError
from rookery.access.databases.postgresql import PostgresqlService, PostgresqlSettings
from rookery.access.passwords.algorithms import HashSettings
from rookery.access.passwords.verifier import Verifier
from rookery.access.request import VARIABLES, AuthRequest
from rookery.access.seldom import SeldomLog
from rookery.access.verdict import Ignore, Opinion
from rookery.clock import Clock

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresqlAuthnSettings:
    """``mechanism = password_based, backend = postgresql``.

    Attributes:
        postgresql: The database and the query, which selects ``password_hash`` and perhaps ``salt``
            and ``is_superuser``.
        password_hash_algorithm: How the hashes were made.
        on_error: What it means that the database does not answer.
    """

    postgresql: PostgresqlSettings
    password_hash_algorithm: HashSettings = field(
        default_factory=lambda: HashSettings(name="sha256")
    )
    on_error: OnError = "ignore"


class PostgresqlProvider:
    """Asks PostgreSQL for the stored password."""

    id = "password_based:postgresql"
    methods: tuple[str, ...] = ()

    def __init__(self, settings: PostgresqlAuthnSettings, verifier: Verifier, clock: Clock) -> None:
        self._settings = settings
        self._verifier = verifier
        self._log = SeldomLog(_logger, clock)
        self.service = PostgresqlService(settings.postgresql, clock, known=VARIABLES, where=self.id)

    async def start(self) -> None:
        await self.service.start()

    async def stop(self) -> None:
        await self.service.stop()

    async def authenticate(self, request: AuthRequest) -> Opinion:
        async def question() -> Opinion:
            rows = await self.service.rows(request.variable)
            if not rows:
                return Ignore("the query selects no row")
            return await opinion_of(
                rows[0],
                request.password,
                settings=self._settings.password_hash_algorithm,
                verifier=self._verifier,
                log=self._log,
                provider=self.id,
            )

        return await ask(self.id, self._settings.on_error, self._log, question)

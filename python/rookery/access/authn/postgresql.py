"""``password_based:postgresql``: users in a table of the operator."""

from __future__ import annotations

from dataclasses import dataclass, field

from rookery.access.authn.asking import ServiceProvider
from rookery.access.authn.selected import SelectedPasswords
from rookery.access.chain import OnError
from rookery.access.databases.postgresql import PostgresqlService, PostgresqlSettings
from rookery.access.passwords.algorithms import HashSettings
from rookery.access.passwords.verifier import Verifier
from rookery.access.request import VARIABLES, AuthRequest
from rookery.access.verdict import Ignore, Opinion
from rookery.clock import Clock

_COLUMNS = (("password_hash", "password"),)


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


class PostgresqlProvider(ServiceProvider[PostgresqlService]):
    """Asks PostgreSQL for the stored password."""

    id = "password_based:postgresql"

    def __init__(self, settings: PostgresqlAuthnSettings, verifier: Verifier, clock: Clock) -> None:
        service = PostgresqlService(
            settings.postgresql, clock, known=VARIABLES, where=self.id, columns=_COLUMNS
        )
        super().__init__(service, clock, settings.on_error)
        self._passwords = SelectedPasswords(settings.password_hash_algorithm, verifier)

    async def _question(self, request: AuthRequest) -> Opinion:
        rows = await self.service.rows(request.variable)
        if not rows:
            return Ignore("the query selects no row")
        return await self._passwords.opinion_of(self.id, rows[0], request.password, self.log)

"""``type = postgresql``: rules of a client in a table of the operator, in the order selected.

Columns are those of a rule: ``permission``, ``action``, ``topic``, and perhaps ``qos``, ``retain``,
``ipaddr``, ``username_re``, ``clientid_re``.
"""

from __future__ import annotations

from rookery.access.authz import reasons
from rookery.access.authz.request import VARIABLES, AuthzRequest
from rookery.access.authz.rows import finding_of_row
from rookery.access.authz.source import Finding, ServiceSource
from rookery.access.chain import OnError
from rookery.access.databases.postgresql import PostgresqlService, PostgresqlSettings
from rookery.clock import Clock

_COLUMNS = (("permission",), ("action",), ("topic",))


class PostgresqlSource(ServiceSource[PostgresqlService]):
    """Asks PostgreSQL for rules and matches them."""

    def __init__(
        self,
        settings: PostgresqlSettings,
        clock: Clock,
        *,
        on_error: OnError = "ignore",
        name: str = "postgresql",
    ) -> None:
        service = PostgresqlService(
            settings, clock, known=VARIABLES, where=f"{name} source", columns=_COLUMNS
        )
        super().__init__(name, service, clock, on_error)

    async def _question(self, request: AuthzRequest) -> Finding:
        rows = await self.service.rows(request.variable)
        for number, row in enumerate(rows, start=1):
            finding = finding_of_row(self.name, number, row, request, self.log)
            if finding is not None:
                return finding
        return Finding("none", reasons.NO_ROW_FITS.format(count=len(rows)))
